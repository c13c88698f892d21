/*
 * rules.c
 *		How supply of a kind and status counts.
 *
 * The tenant's rules, from the most exact to the least: kind and status,
 * status, kind, all.  Where none says anything, what is in quarantine, held,
 * blocked or not yet put away is not supply, unconfirmed inbound is taken to
 * come three days late, and overdue inbound tomorrow.
 */
#include "ledger/rules.h"

#include "base/cache.h"
#include "base/engine.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#define UNCONFIRMED_DELAY	3	/* days */
#define LATE_DAYS			1

typedef struct RuleRow
{
	int32		tenant_id;
	char	   *kind;
	char	   *status;
	SupplyRule	rule;
} RuleRow;

typedef struct RuleCache
{
	MemoryContext context;
	uint64		generation;
	int			n;
	RuleRow    *rows;
} RuleCache;

static RuleCache *cached = NULL;

static EnginePlan plan_rules = {
	"SELECT tenant_id, kind, status, usable, delay_days, late_days FROM routing.supply_rule",
	0, {0}, NULL
};

static void
load(uint64 generation)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "routing supply rules",
												  ALLOCSET_SMALL_SIZES);
	RuleCache  *c = MemoryContextAllocZero(context, sizeof(RuleCache));
	EngineScope scope;
	MemoryContext old;

	engine_enter(&scope);
	SPI_connect();
	c->n = (int) engine_exec(&plan_rules, NULL, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(context);
	c->rows = palloc(sizeof(RuleRow) * Max(c->n, 1));
	for (int i = 0; i < c->n; i++)
	{
		RuleRow    *row = &c->rows[i];
		bool		isnull;

		row->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
		row->kind = spi_text(i, 2);
		row->status = spi_text(i, 3);
		row->rule.usable = DatumGetBool(spi_datum(i, 4, &isnull));
		row->rule.delay_days = DatumGetInt32(spi_datum(i, 5, &isnull));
		row->rule.late_days = DatumGetInt32(spi_datum(i, 6, &isnull));
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	engine_leave(&scope);

	c->generation = generation;
	c->context = context;
	MemoryContextSetParent(context, CacheMemoryContext);
	if (cached)
		MemoryContextDelete(cached->context);
	cached = c;
}

static SupplyRule
builtin_rule(const char *status)
{
	static const char *const unusable[] = {"quarantine", "held", "hold", "blocked", "putaway"};
	SupplyRule	rule = {true, 0, LATE_DAYS};

	for (size_t i = 0; i < lengthof(unusable); i++)
		rule.usable &= strcmp(status, unusable[i]) != 0;
	if (strcmp(status, "unconfirmed") == 0)
		rule.delay_days = UNCONFIRMED_DELAY;
	return rule;
}

/* The rule that holds; see the top of the file. */
SupplyRule
supply_rule(int32 tenant_id, const char *kind, const char *status)
{
	uint64		generation = engine_generation(TAB_SUPPLY_RULE);
	const RuleRow *best = NULL;
	int			best_score = -1;
	SupplyRule	builtin;

	if (cached == NULL || cached->generation != generation)
		load(generation);
	for (int i = 0; i < cached->n; i++)
	{
		const RuleRow *row = &cached->rows[i];
		int			score = 0;

		if (row->tenant_id != tenant_id)
			continue;
		if (strcmp(row->status, "*") != 0)
			score += strcmp(row->status, status) == 0 ? 2 : -10;
		if (strcmp(row->kind, "*") != 0)
			score += strcmp(row->kind, kind) == 0 ? 1 : -10;
		if (score > best_score)
		{
			best = row;
			best_score = score;
		}
	}
	builtin = builtin_rule(status);
	/* what is said of all kinds or of a kind leaves a status its built-in meaning */
	if (best == NULL || (best_score < 2 && (!builtin.usable || builtin.delay_days > 0)))
		return builtin;
	return best->rule;
}
