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

#include "base/cached.h"

#define UNCONFIRMED_DELAY	3	/* days */
#define LATE_DAYS			1

typedef struct RuleRow
{
	int32		tenant_id;
	char	   *kind;
	char	   *status;
	SupplyRule	rule;
} RuleRow;

static void
fill(void *row, int i)
{
	RuleRow    *r = row;
	bool		isnull;

	r->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
	r->kind = spi_text(i, 2);
	r->status = spi_text(i, 3);
	r->rule.usable = DatumGetBool(spi_datum(i, 4, &isnull));
	r->rule.delay_days = DatumGetInt32(spi_datum(i, 5, &isnull));
	r->rule.late_days = DatumGetInt32(spi_datum(i, 6, &isnull));
}

static CachedRows rules = {
	.name = "supply rules",
	.table = TAB_SUPPLY_RULE,
	.plan = {
		"SELECT tenant_id, kind, status, usable, delay_days, late_days FROM routing.supply_rule",
		0, {0}, NULL
	},
	.rowsize = sizeof(RuleRow),
	.fill = fill
};

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
	const RuleRow *rows = cached_rows(&rules);
	const RuleRow *best = NULL;
	int			best_score = -1;
	SupplyRule	builtin;

	for (int i = 0; i < rules.n; i++)
	{
		const RuleRow *row = &rows[i];
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
