/*
 * policy.c
 *		Policies of a tenant, found by name and time, compiled and cached.
 *
 * Of the active versions of a policy the one that became effective last
 * counts; one that was activated to count at once does so whatever the clock
 * of who asks.  The policy "standard" exists without a row: all built-in
 * values, version 0.
 *
 * A compiled policy lies in a memory context of its own.  When the table has
 * changed, or a version's time has come, the next look-up compiles anew and
 * the old one lives on until the end of the transaction, since decisions hold
 * pointers into it.
 */
#include "policy/compile.h"

#include "base/cache.h"
#include "base/engine.h"
#include "base/json.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#define STANDARD_POLICY	"standard"
#define MAX_EXTENDED	8		/* policies that build on each other */
#define UNPINNED		(-1)	/* base_version of a draft: what is in effect */

typedef struct CachedPolicy
{
	int32		tenant_id;
	int32		asked;			/* version, or 0: the one in effect */
	uint64		generation;		/* 0: free */
	TimestampTz from;			/* clocks for which it holds, "until" not among them */
	TimestampTz until;
	MemoryContext context;
	Policy	   *policy;
} CachedPolicy;

#define CACHE_SIZE	16
static CachedPolicy cache[CACHE_SIZE];
static int	cache_next = 0;

/* a row of routing.policy; definition NULL: there is none */
typedef struct PolicyRow
{
	int32		version;
	Jsonb	   *definition;
	int32		base_version;
} PolicyRow;

static EnginePlan plan_active = {
	"SELECT version, definition, base_version, effective_at, effective_at IS NULL OR effective_at <= activated_at"
	" FROM routing.policy WHERE tenant_id = $1 AND policy = $2 AND state = 'active'"
	" ORDER BY effective_at NULLS FIRST, version",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_version = {
	"SELECT version, definition, base_version"
	" FROM routing.policy WHERE tenant_id = $1 AND policy = $2 AND version = $3",
	3, {INT4OID, TEXTOID, INT4OID}, NULL
};

static EnginePlan plan_newest = {
	"SELECT version, definition, base_version"
	" FROM routing.policy WHERE tenant_id = $1 AND policy = $2 ORDER BY version DESC LIMIT 1",
	2, {INT4OID, TEXTOID}, NULL
};

const Policy policy_none = {0};

/* Row of the last statement; its definition is copied into "keep". */
static void
copy_row(int row, MemoryContext keep, PolicyRow *out)
{
	bool		isnull;
	Datum		definition = spi_datum(row, 2, &isnull);
	MemoryContext old = MemoryContextSwitchTo(keep);

	out->definition = isnull ? NULL : DatumGetJsonbPCopy(definition);
	MemoryContextSwitchTo(old);
	out->version = DatumGetInt32(spi_datum(row, 1, &isnull));
	out->base_version = DatumGetInt32(spi_datum(row, 3, &isnull));
	if (isnull)
		out->base_version = UNPINNED;
}

/* The version in effect, and for which clocks it is. */
static void
find_in_effect(int32 tenant_id, const char *code, TimestampTz clock, PolicyRow *out,
			   TimestampTz *from, TimestampTz *until)
{
	MemoryContext keep = CurrentMemoryContext;
	Datum		args[2];
	int			n;
	int			found = -1;
	EngineScope scope;

	memset(out, 0, sizeof(*out));
	*from = DT_NOBEGIN;
	*until = DT_NOEND;
	engine_enter(&scope);
	SPI_connect();
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(code);
	n = (int) engine_exec(&plan_active, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		TimestampTz at = DatumGetTimestampTz(spi_datum(i, 4, &isnull));
		bool		at_once;

		if (isnull)
			at = DT_NOBEGIN;
		at_once = DatumGetBool(spi_datum(i, 5, &isnull)) && !isnull;
		if (at_once || at <= clock)
		{
			found = i;
			*from = at_once ? DT_NOBEGIN : at;
		}
		else
			*until = Min(*until, at);
	}
	if (found >= 0)
		copy_row(found, keep, out);
	SPI_finish();
	engine_leave(&scope);
}

static void
find_row(EnginePlan *plan, int32 tenant_id, const char *code, int32 version, PolicyRow *out)
{
	MemoryContext keep = CurrentMemoryContext;
	Datum		args[3];
	EngineScope scope;

	memset(out, 0, sizeof(*out));
	engine_enter(&scope);
	SPI_connect();
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(code);
	args[2] = Int32GetDatum(version);
	if (engine_exec(plan, args, NULL, ENGINE_FRESH) > 0)
		copy_row(0, keep, out);
	SPI_finish();
	engine_leave(&scope);
}

static void
set_code(Policy *p, const char *code, int32 version)
{
	/* what is recorded must be valid text, even if cut off */
	strlcpy(p->code, code, pg_mbcliplen(code, (int) strlen(code), sizeof(p->code) - 1) + 1);
	p->version = version;
}

static Policy *
make_builtin(MemoryContext context, const char *code, int32 version)
{
	Policy	   *p = MemoryContextAllocZero(context, sizeof(Policy));

	set_code(p, code, version);
	p->retention_days = -1;
	policy_builtin(&p->terms);
	return p;
}

/* Built-in values under a name, for the rest of the transaction. */
static const Policy *
not_found(const char *code)
{
	return make_builtin(TopTransactionContext, code, 0);
}

/* What a definition extends, or NULL. */
static char *
base_of(Jsonb *definition)
{
	JsonbValue *v = JB_ROOT_IS_OBJECT(definition) ? json_get(&definition->root, "extends") : NULL;

	return v != NULL && v->type == jbvString ? json_value_text(v) : NULL;
}

/*
 * The row that a policy builds on.  A version that was approved names it, so
 * that what it says does not change any more; a draft takes what is in effect,
 * or else the newest draft.
 */
static void
find_base(int32 tenant_id, const char *code, int32 base_version, TimestampTz clock, bool strict, PolicyRow *out)
{
	TimestampTz from,
				until;

	memset(out, 0, sizeof(*out));
	if (base_version > 0)
		find_row(&plan_version, tenant_id, code, base_version, out);
	else if (base_version == UNPINNED)
	{
		find_in_effect(tenant_id, code, clock, out, &from, &until);
		if (out->definition == NULL && !strict)
			find_row(&plan_newest, tenant_id, code, 0, out);
	}
}

/*
 * Compile a definition and what it extends.  "strict" asks that this is there.
 * The result is a child of the current memory context.
 */
static Policy *
compile(int32 tenant_id, const char *code, const PolicyRow *row, TimestampTz clock, bool strict,
		MemoryContext *context, Fault *fault)
{
	PolicyRow	rows[MAX_EXTENDED];
	const char *codes[MAX_EXTENDED];
	const char *chain = code;
	int			n = 1;
	char	   *base;
	Policy	   *p;

	*context = AllocSetContextCreate(CurrentMemoryContext, "routing policy", ALLOCSET_SMALL_SIZES);
	p = make_builtin(*context, code, row->version);
	rows[0] = *row;
	codes[0] = code;
	while ((base = base_of(rows[n - 1].definition)) != NULL)
	{
		PolicyRow	next;

		chain = psprintf("%s, %s", chain, base);
		for (int i = 0; i < n; i++)
		{
			if (strcmp(base, codes[i]) == 0)
			{
				fault_set(fault, RT_CYCLIC_POLICY, "A policy cannot build on itself: take \"extends\" out of one of them.",
						  "policy \"%s\" version %d: extends goes in a circle: %s", code, row->version, chain);
				return p;
			}
		}
		if (n == MAX_EXTENDED)
		{
			fault_set(fault, RT_BAD_POLICY, "Write what they have in common into fewer policies.",
					  "policy \"%s\" version %d: extends leads through more than %d policies: %s",
					  code, row->version, MAX_EXTENDED, chain);
			return p;
		}
		find_base(tenant_id, base, rows[n - 1].base_version, clock, strict, &next);
		if (next.definition == NULL)
		{
			if (strict && strcmp(base, STANDARD_POLICY) != 0)
				fault_set(fault, RT_POLICY_REFERENCE, "Activate a version of it first, or correct the code.",
						  "policy \"%s\" version %d: extends %s, which has no active version",
						  codes[n - 1], rows[n - 1].version, base);
			break;
		}
		codes[n] = base;
		rows[n++] = next;
	}
	while (n-- > 0 && fault->sqlerrcode == 0)
	{
		/* faults name the policy whose definition they are in */
		set_code(p, codes[n], rows[n].version);
		policy_read(p, rows[n].definition, *context, fault);
	}
	set_code(p, code, row->version);
	return p;
}

/* A definition that need not be stored, for the rest of the transaction. */
const Policy *
policy_compile(int32 tenant_id, const char *code, int32 version, Jsonb *definition, int32 base_version,
			   TimestampTz clock, bool strict, Fault *fault)
{
	PolicyRow	row = {version, definition, base_version};
	MemoryContext context;
	Policy	   *p = compile(tenant_id, code, &row, clock, strict, &context, fault);

	MemoryContextSetParent(context, TopTransactionContext);
	return p;
}

static CachedPolicy *
find_cached(int32 tenant_id, const char *code, int32 asked, uint64 generation, TimestampTz clock)
{
	for (int i = 0; i < CACHE_SIZE; i++)
	{
		CachedPolicy *c = &cache[i];

		if (c->generation == generation && c->tenant_id == tenant_id && c->asked == asked &&
			clock >= c->from && clock < c->until && strcmp(c->policy->code, code) == 0)
			return c;
	}
	return NULL;
}

/* Keep a compiled policy, in place of the one that was kept longest. */
static void
keep(int32 tenant_id, int32 asked, uint64 generation, TimestampTz from, TimestampTz until,
	 MemoryContext context, Policy *policy)
{
	CachedPolicy *c = &cache[cache_next];

	if (c->generation != 0)
	{
		c->generation = 0;
		MemoryContextSetParent(c->context, TopTransactionContext);
	}
	MemoryContextSetParent(context, CacheMemoryContext);
	c->tenant_id = tenant_id;
	c->asked = asked;
	c->from = from;
	c->until = until;
	c->context = context;
	c->policy = policy;
	c->generation = generation;
	cache_next = (cache_next + 1) % CACHE_SIZE;
}

/*
 * The version of a policy that is in effect at "clock"; valid until the end of
 * the transaction.  If there is none, or it is not valid, the built-in values
 * with a fault.
 */
const Policy *
policy_get(int32 tenant_id, const char *code, TimestampTz clock, Fault *fault)
{
	uint64		generation;
	CachedPolicy *cached;
	PolicyRow	row = {0};
	TimestampTz from,
				until;
	MemoryContext context;
	Fault		mine = {0};
	Policy	   *policy;

	/* a transaction that has all its locks already hears of no change otherwise */
	AcceptInvalidationMessages();
	generation = engine_generation(TAB_POLICY);
	cached = find_cached(tenant_id, code, 0, generation, clock);
	if (cached != NULL)
		return cached->policy;
	if (strlen(code) < NAMEDATALEN)
		find_in_effect(tenant_id, code, clock, &row, &from, &until);
	if (row.definition != NULL)
		policy = compile(tenant_id, code, &row, clock, true, &context, &mine);
	else if (strcmp(code, STANDARD_POLICY) == 0)
	{
		context = AllocSetContextCreate(CurrentMemoryContext, "routing policy", ALLOCSET_SMALL_SIZES);
		policy = make_builtin(context, code, 0);
	}
	else
	{
		fault_set(fault, RT_BAD_POLICY, "Activate a version of it in routing.policy, or use another policy.",
				  "policy \"%s\" has no active version", code);
		return not_found(code);
	}
	if (mine.sqlerrcode != 0)
	{
		fault_set(fault, mine.sqlerrcode, mine.hint, "%s", mine.message);
		return not_found(code);
	}
	keep(tenant_id, 0, generation, from, until, context, policy);
	return policy;
}

/*
 * A version of a policy whatever its state; version 0 of the standard one has
 * the built-in values.  Otherwise like policy_get().
 */
const Policy *
policy_version_get(int32 tenant_id, const char *code, int32 version, TimestampTz clock, Fault *fault)
{
	uint64		generation;
	CachedPolicy *cached;
	PolicyRow	row = {0};
	MemoryContext context;
	Fault		mine = {0};
	Policy	   *policy;

	AcceptInvalidationMessages();
	generation = engine_generation(TAB_POLICY);
	cached = find_cached(tenant_id, code, version, generation, clock);
	if (version == 0 && strcmp(code, STANDARD_POLICY) == 0)
		return not_found(code);
	if (version > 0 && cached != NULL)
		return cached->policy;
	if (version > 0 && strlen(code) < NAMEDATALEN)
		find_row(&plan_version, tenant_id, code, version, &row);
	if (row.definition == NULL)
	{
		fault_set(fault, RT_UNKNOWN_POLICY, "The versions of a policy are in routing.policies.",
				  "policy \"%s\" has no version %d", code, version);
		return not_found(code);
	}
	policy = compile(tenant_id, code, &row, clock, true, &context, &mine);
	if (mine.sqlerrcode != 0)
	{
		fault_set(fault, mine.sqlerrcode, mine.hint, "%s", mine.message);
		return not_found(code);
	}
	/* what a draft extends may have its time to come */
	if (row.base_version == UNPINNED && base_of(row.definition) != NULL)
		MemoryContextSetParent(context, TopTransactionContext);
	else
		keep(tenant_id, version, generation, DT_NOBEGIN, DT_NOEND, context, policy);
	return policy;
}
