/*
 * tenant.c
 *		The current tenant and who is a member of which.
 *
 * The setting routing.tenant only selects among the tenants that the role is a
 * member of.  The role is the session's (SET ROLE counts, SECURITY DEFINER
 * functions do not: inside ours everybody would be the extension's owner).
 * Superusers are members of every tenant.  All tenants are cached: there are
 * few, and row-level security asks for every row.
 */
#include "base/tenant.h"

#include "base/cache.h"
#include "base/engine.h"
#include "base/errors.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

char	   *guc_tenant = NULL;

typedef struct Tenant
{
	int32		id;
	bool		member;
	char		code[NAMEDATALEN];
	char		currency[4];
} Tenant;

static Tenant *tenants = NULL;
static int	ntenants = 0;
static Oid	for_role = InvalidOid;
static uint64 at_tenants,
			at_members,
			at_roles;
static const Tenant *current = NULL;

static EnginePlan plan_tenants = {
	"SELECT t.tenant_id, t.tenant, t.currency::text,"
	" EXISTS (SELECT FROM routing.tenant_member m LEFT JOIN pg_catalog.pg_roles r ON r.rolname = m.role"
	"         WHERE m.tenant_id = t.tenant_id"
	"           AND (m.role = 'public' OR pg_catalog.pg_has_role($1, r.oid, 'member')))"
	" FROM routing.tenant t ORDER BY t.tenant_id",
	1, {OIDOID}, NULL
};

/* The assign hook of routing.tenant: only forget, look up on use. */
void
tenant_setting_changed(void)
{
	current = NULL;
}

static void
load_tenants(void)
{
	Oid			role = GetOuterUserId();
	uint64		gt = engine_generation(TAB_TENANT);
	uint64		gm = engine_generation(TAB_TENANT_MEMBER);
	uint64		gr = membership_generation();
	Datum		args[1];
	Tenant	   *loaded;
	int			n;
	bool		all;
	EngineScope scope;

	if (tenants != NULL && role == for_role &&
		gt == at_tenants && gm == at_members && gr == at_roles)
		return;

	current = NULL;
	all = superuser_arg(role);
	engine_enter(&scope);
	SPI_connect();
	args[0] = ObjectIdGetDatum(role);
	n = (int) engine_exec(&plan_tenants, args, NULL, ENGINE_FRESH);
	loaded = MemoryContextAllocZero(TopMemoryContext, sizeof(Tenant) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		loaded[i].id = DatumGetInt32(spi_datum(i, 1, &isnull));
		strlcpy(loaded[i].code, spi_text(i, 2), NAMEDATALEN);
		strlcpy(loaded[i].currency, spi_text(i, 3), 4);
		loaded[i].member = all || DatumGetBool(spi_datum(i, 4, &isnull));
	}
	SPI_finish();
	engine_leave(&scope);

	if (tenants != NULL)
		pfree(tenants);
	tenants = loaded;
	ntenants = n;
	for_role = role;
	at_tenants = gt;
	at_members = gm;
	at_roles = gr;
}

/*
 * The tenant that the setting names.  One message for "unknown" and "not
 * yours", so that nobody can find out which tenants there are.
 */
int32
tenant_current(void)
{
	load_tenants();
	if (current == NULL)
	{
		for (int i = 0; i < ntenants; i++)
		{
			if (tenants[i].member && strcmp(tenants[i].code, guc_tenant) == 0)
				current = &tenants[i];
		}
		if (current == NULL)
			ereport(ERROR,
					(errcode(RT_NOT_MEMBER),
					 errmsg("role \"%s\" is not a member of tenant \"%s\"",
							GetUserNameFromId(GetOuterUserId(), true), guc_tenant),
					 errhint("Set routing.tenant to a tenant of yours, or have routing.grant_access() called for the role.")));
	}
	return current->id;
}

bool
tenant_is_member(int32 tenant_id)
{
	load_tenants();
	for (int i = 0; i < ntenants; i++)
	{
		if (tenants[i].id == tenant_id)
			return tenants[i].member;
	}
	return false;
}

static const Tenant *
find(int32 tenant_id)
{
	load_tenants();
	for (int i = 0; i < ntenants; i++)
	{
		if (tenants[i].id == tenant_id)
			return &tenants[i];
	}
	ereport(ERROR,
			(errcode(RT_NOT_MEMBER),
			 errmsg("tenant %d does not exist", tenant_id),
			 errhint("Insert it into routing.tenant first.")));
	return NULL;				/* keep compilers quiet */
}

const char *
tenant_code(int32 tenant_id)
{
	return find(tenant_id)->code;
}

const char *
tenant_currency(int32 tenant_id)
{
	return find(tenant_id)->currency;
}

/* Whether there is just one tenant, so that keys need no prefix. */
bool
tenant_is_only(void)
{
	load_tenants();
	return ntenants == 1;
}

/* All tenants, whoever asks; palloc'd. */
int
tenant_ids(int32 **ids)
{
	load_tenants();
	*ids = palloc(sizeof(int32) * Max(ntenants, 1));
	for (int i = 0; i < ntenants; i++)
		(*ids)[i] = tenants[i].id;
	return ntenants;
}

PG_FUNCTION_INFO_V1(routing_current_tenant);
Datum
routing_current_tenant(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(tenant_current());
}

PG_FUNCTION_INFO_V1(routing_is_member);
Datum
routing_is_member(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(tenant_is_member(PG_GETARG_INT32(0)));
}
