/*
 * policy.c
 *		The active policy of a tenant, compiled and cached in the backend.
 *
 * A definition is an object of split_penalty, backorder_penalty (amounts of
 * money), lateness_per_day (object: priority -> amount per day) and
 * max_shipments.  What it leaves out has the built-in value.  The policy
 * "standard" exists without a row: all built-in values, version 0.
 */
#include "policy/policy.h"

#include "base/cache.h"
#include "base/engine.h"
#include "base/json.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#define STANDARD_POLICY	"standard"
#define MAX_SHIPMENTS	20

typedef struct CachedPolicy
{
	int32		tenant_id;
	uint64		generation;
	Policy	   *policy;
} CachedPolicy;

#define CACHE_SIZE	8
static CachedPolicy cache[CACHE_SIZE];
static int	cache_next = 0;

static EnginePlan plan_active = {
	"SELECT version, definition, effective_at IS NULL OR effective_at <= pg_catalog.now()"
	" FROM routing.policy WHERE tenant_id = $1 AND policy = $2 AND state = 'active'",
	2, {INT4OID, TEXTOID}, NULL
};

const Policy policy_none = {0};

static void
set_builtin(Policy *p, const char *code)
{
	memset(p, 0, sizeof(*p));
	/* what is recorded must be valid text, even if cut off */
	strlcpy(p->code, code, pg_mbcliplen(code, (int) strlen(code), sizeof(p->code) - 1) + 1);
	p->retention_days = -1;
	p->terms.split_penalty = 4 * SCALE;
	p->terms.backorder_penalty = 10000 * SCALE;
	for (int i = 0; i <= POLICY_PRIORITIES; i++)
		p->terms.lateness[i] = 25 * SCALE / 10;
	p->terms.max_shipments = 5;
	p->terms.max_distance = -1;
	p->terms.max_late_days = -1;
	p->terms.margin_floor = POLICY_NONE;
}

static void
bad(Fault *fault, const Policy *p, const char *path, const char *what)
{
	fault_set(fault, RT_BAD_POLICY, "See the section on policies in doc/reference.md.",
			  "policy \"%s\" version %d: %s %s", p->code, p->version, path, what);
}

/* An amount of money, 0 or more. */
static int64
amount(const JsonbValue *v, const Policy *p, const char *path, Fault *fault)
{
	char	   *text = json_value_text(v);
	int64		value = 0;

	if (text == NULL || scaled_from_text(text, &value) != SCALED_OK ||
		value < 0 || value > 1000000 * SCALE)
	{
		bad(fault, p, path, psprintf("%s is not an amount from 0 to 1000000 with at most 4 decimals",
									 text ? text : "given"));
		return 0;
	}
	return value;
}

static void
read_lateness(Policy *p, const JsonbValue *v, Fault *fault)
{
	JsonbIterator *it;
	JsonbValue	item;
	JsonbIteratorToken token;
	int			priority = 0;

	if (v->type != jbvBinary || !JsonContainerIsObject(v->val.binary.data))
	{
		bad(fault, p, "lateness_per_day", "is not an object");
		return;
	}
	it = JsonbIteratorInit(v->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			priority = item.val.string.len == 1 ? item.val.string.val[0] - '0' : 0;
			if (priority < 1 || priority > POLICY_PRIORITIES)
			{
				bad(fault, p, "lateness_per_day", "has a key that is not a priority from 1 to 9");
				return;
			}
		}
		else if (token == WJB_VALUE)
			p->terms.lateness[priority] = amount(&item, p, "lateness_per_day", fault);
	}
}

static void
read_definition(Policy *p, Jsonb *definition, Fault *fault)
{
	JsonbIterator *it;
	JsonbValue	item;
	JsonbIteratorToken token;
	char		key[64] = "";

	if (!JB_ROOT_IS_OBJECT(definition))
	{
		bad(fault, p, "definition", "is not an object");
		return;
	}
	it = JsonbIteratorInit(&definition->root);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			snprintf(key, sizeof(key), "%.*s", item.val.string.len, item.val.string.val);
		else if (token != WJB_VALUE)
			continue;
		else if (strcmp(key, "split_penalty") == 0)
			p->terms.split_penalty = amount(&item, p, key, fault);
		else if (strcmp(key, "backorder_penalty") == 0)
			p->terms.backorder_penalty = amount(&item, p, key, fault);
		else if (strcmp(key, "lateness_per_day") == 0)
			read_lateness(p, &item, fault);
		else if (strcmp(key, "max_shipments") == 0)
		{
			int64		n = amount(&item, p, key, fault);

			if (n < SCALE || n > MAX_SHIPMENTS * SCALE || n % SCALE != 0)
				bad(fault, p, key, psprintf("%s is not a whole number from 1 to 20", scaled_to_text(n)));
			p->terms.max_shipments = (int32) (n / SCALE);
		}
		else
			bad(fault, p, key, "is not a known field");
	}
}

/* What applies to a case: the terms and then each rule that matches. */
void
policy_terms(const Policy *policy, const PolicyCase *of, PolicyTerms *terms)
{
	*terms = policy->terms;
}

/*
 * The active version of a policy; valid until the end of the transaction.  If
 * there is none, or it is not valid, the built-in values with a fault.
 */
const Policy *
policy_get(int32 tenant_id, const char *code, Fault *fault)
{
	Policy	   *policy;
	uint64		generation = engine_generation(TAB_POLICY);
	Fault		mine = {0};
	Datum		args[2];
	uint64		n;
	bool		cacheable = true;
	EngineScope scope;
	MemoryContext caller = CurrentMemoryContext;

	for (int i = 0; i < CACHE_SIZE; i++)
	{
		if (cache[i].generation == generation && cache[i].tenant_id == tenant_id &&
			strcmp(cache[i].policy->code, code) == 0)
			return cache[i].policy;
	}

	policy = MemoryContextAllocZero(TopTransactionContext, sizeof(Policy));
	set_builtin(policy, code);
	engine_enter(&scope);
	SPI_connect();
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(code);
	n = engine_exec(&plan_active, args, NULL, ENGINE_FRESH);
	if (n > 0)
	{
		bool		isnull;
		Datum		definition;
		MemoryContext old;

		if (!DatumGetBool(spi_datum(0, 3, &isnull)))
		{
			/* its time will come without a change of the table */
			cacheable = false;
			n = 0;
		}
		else
		{
			policy->version = DatumGetInt32(spi_datum(0, 1, &isnull));
			definition = spi_datum(0, 2, &isnull);
			/* what a fault says must outlive SPI */
			old = MemoryContextSwitchTo(caller);
			read_definition(policy, DatumGetJsonbP(definition), &mine);
			MemoryContextSwitchTo(old);
		}
	}
	SPI_finish();
	engine_leave(&scope);

	if (n == 0 && strcmp(code, STANDARD_POLICY) != 0)
		fault_set(fault, RT_BAD_POLICY, "Activate a version of it in routing.policy, or use another policy.",
				  "policy \"%s\" has no active version", code);
	else if (mine.sqlerrcode)
		fault_set(fault, mine.sqlerrcode, mine.hint, "%s", mine.message);
	else if (cacheable && strlen(code) < sizeof(policy->code))
	{
		CachedPolicy *entry = &cache[cache_next];

		entry->tenant_id = tenant_id;
		entry->generation = generation;
		entry->policy = MemoryContextAlloc(CacheMemoryContext, sizeof(Policy));
		*entry->policy = *policy;
		cache_next = (cache_next + 1) % CACHE_SIZE;
	}
	return policy;
}
