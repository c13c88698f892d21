/*
 * terms.c
 *		The keys of a policy, its built-in values and goals, and what of it
 *		applies to a case.
 *
 * A rule is kept as the values it sets and a mask of which they are, so that
 * applying one copies a few words; without a rule that matches, the terms of a
 * case are one copy of the policy's.
 */
#include "policy/compile.h"

#include "base/quantity.h"

#define TERM(member)	offsetof(PolicyTerms, member), sizeof(((PolicyTerms *) 0)->member)
#define MONEY			0, 1000000, "an amount from 0 to 1000000 with at most 4 decimals"
#define WEIGHT			0, 1000, "a weight from 0 to 1000 with at most 4 decimals"

const PolicyField policy_fields[] = {
	{"split_penalty", FIELD_AMOUNT, TERM(split_penalty), MONEY},
	{"backorder_penalty", FIELD_AMOUNT, TERM(backorder_penalty), MONEY},
	{"lateness_per_day", FIELD_LATENESS, TERM(lateness), MONEY},
	{"sla_penalty", FIELD_AMOUNT, TERM(sla_penalty), MONEY},
	{"goods_weight", FIELD_AMOUNT, TERM(goods_weight), WEIGHT},
	{"stock_balance", FIELD_AMOUNT, TERM(stock_balance), MONEY},
	{"distance_price", FIELD_AMOUNT, TERM(distance_price), MONEY},
	{"substitute_price", FIELD_AMOUNT, TERM(substitute_price), MONEY},
	{"max_shipments", FIELD_COUNT, TERM(max_shipments), 1, 20, "a whole number from 1 to 20"},
	{"max_distance", FIELD_COUNT, TERM(max_distance), 0, 50000, "a whole number from 0 to 50000"},
	{"max_late_days", FIELD_COUNT, TERM(max_late_days), 0, 3650, "a whole number from 0 to 3650"},
	{"margin_floor", FIELD_AMOUNT, TERM(margin_floor), -1, 1, "a share from -1 to 1 with at most 4 decimals"},
	{"split_min_value", FIELD_AMOUNT, TERM(split_min_value), MONEY},
	{"split_min_quantity", FIELD_AMOUNT, TERM(split_min_quantity), 0, 1000000,
	"a quantity from 0 to 1000000 with at most 4 decimals"},
	{"consolidate", FIELD_BOOL, TERM(consolidate), 0, 0, NULL},
	{"soft", FIELD_SOFT, TERM(soft), 0, 0, NULL},
	{"rest", FIELD_REST, TERM(rest), 0, 0, NULL},
	{"rest_days", FIELD_COUNT, TERM(rest_days), 1, 3650, "a whole number from 1 to 3650"},
	{"nodes", FIELD_NODES, TERM(list), 0, 0, NULL},
	{"keep", FIELD_KEEP, offsetof(PolicyTerms, nkeeps), offsetof(PolicyTerms, ncustom) - offsetof(PolicyTerms, nkeeps), 0, 0, NULL},
	{"custom", FIELD_CUSTOM, offsetof(PolicyTerms, ncustom), sizeof(PolicyTerms) - offsetof(PolicyTerms, ncustom), 0, 0, NULL}
};
const int	policy_nfields = lengthof(policy_fields);

const char *const policy_when_names[NUM_WHEN] = {"channel", "customer_group", "zone", "country", "item_class"};

/* by bit of SOFT_... */
const char *const policy_soft_names[] = {
	"max_distance", "max_late_days", "margin_floor", "split_min", "keep", "max_shipments", "nodes", NULL
};

/* by RestAction */
const char *const policy_rest_names[] = {"backorder", "cancel", "wait", NULL};

enum
{
	GOAL_LOWEST_COST,
	GOAL_NEAREST_FIRST,
	GOAL_FEWEST_SHIPMENTS,
	GOAL_PRIORITY_LIST,
	GOAL_STOCK_BALANCE
};

const char *const policy_goal_names[] = {
	"lowest_cost", "nearest_first", "fewest_shipments", "priority_list", "stock_balance", NULL
};

/* Place of a name in a list that ends with NULL, or -1. */
int
policy_find_name(const char *const *names, const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
	{
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

void
policy_builtin(PolicyTerms *terms)
{
	memset(terms, 0, sizeof(*terms));
	terms->split_penalty = 4 * SCALE;
	terms->backorder_penalty = 10000 * SCALE;
	for (int i = 0; i <= POLICY_PRIORITIES; i++)
		terms->lateness[i] = 25 * SCALE / 10;
	terms->max_shipments = 5;
	terms->max_distance = -1;
	terms->max_late_days = -1;
	terms->margin_floor = POLICY_NONE;
}

static void
set_amount(Settings *settings, int64 *member, int64 value)
{
	for (int i = 0; i < policy_nfields; i++)
	{
		if ((char *) member == (char *) &settings->values + policy_fields[i].offset)
			settings->fields |= 1U << i;
	}
	*member = value;
}

/*
 * The values that a goal stands for.  Each sets all four weights that goals
 * differ in, so that the goal of a rule replaces that of its policy.
 */
void
policy_goal(int goal, Settings *settings)
{
	PolicyTerms *v = &settings->values;

	set_amount(settings, &v->split_penalty, (goal == GOAL_FEWEST_SHIPMENTS ? 200 : 4) * SCALE);
	set_amount(settings, &v->goods_weight, goal == GOAL_LOWEST_COST ? SCALE : 0);
	set_amount(settings, &v->distance_price, (goal == GOAL_NEAREST_FIRST ? 1000 : 0) * SCALE);
	set_amount(settings, &v->stock_balance, (goal == GOAL_STOCK_BALANCE ? 100 : 0) * SCALE);
	/* a place of the list outweighs freight; a list that follows takes it over */
	v->list.step = goal == GOAL_PRIORITY_LIST ? 1000 * SCALE : NODE_STEP;
}

/* Put what is set into terms. */
void
policy_apply(const Settings *settings, PolicyTerms *terms)
{
	for (int i = 0; i < policy_nfields; i++)
	{
		const PolicyField *f = &policy_fields[i];

		if (!(settings->fields & (1U << i)))
			continue;
		if (f->type == FIELD_LATENESS)
		{
			for (int p = 1; p <= POLICY_PRIORITIES; p++)
			{
				if (settings->priorities & (1 << p))
					terms->lateness[p] = settings->values.lateness[p];
			}
		}
		else
			memcpy((char *) terms + f->offset, (const char *) &settings->values + f->offset, f->size);
	}
}

static bool
has_code(const WhenCodes *when, const char *code)
{
	int			low = 0,
				high = when->n;

	if (code == NULL)
		return false;
	while (low < high)
	{
		int			middle = (low + high) / 2;
		int			order = strcmp(code, when->codes[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* What applies to a case: the policy's terms, changed by each rule that matches, in order. */
void
policy_terms(const Policy *policy, const PolicyCase *of, PolicyTerms *terms)
{
	const char *codes[NUM_WHEN];

	*terms = policy->terms;
	if (policy->nrules == 0)
		return;
	codes[WHEN_CHANNEL] = of->channel;
	codes[WHEN_CUSTOMER_GROUP] = of->customer_group;
	codes[WHEN_ZONE] = of->zone;
	codes[WHEN_COUNTRY] = of->country;
	codes[WHEN_ITEM_CLASS] = of->item_class;
	for (int r = 0; r < policy->nrules; r++)
	{
		const PolicyRule *rule = &policy->rules[r];
		bool		matches = true;

		for (int w = 0; w < NUM_WHEN && matches; w++)
			matches = rule->when[w].n == 0 || has_code(&rule->when[w], codes[w]);
		if (matches)
			policy_apply(&rule->set, terms);
	}
}
