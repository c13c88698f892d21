/*
 * substitute.c
 *		Substitutes in a plan: where an item is short, and its line consents.
 *
 * The plan without substitutes comes first.  For each line of which something
 * stays unserved or is late, the substitutes that are valid and consented to
 * are tried, those with the least penalty first: for the whole line, for what
 * is short of it, and for what nodes lack of it, as a further line of the problem.  Each try is a search
 * of its own over the whole order, and stays only if the plan costs less, the
 * penalty included.
 */
#include "orders/parts.h"

#include "base/quantity.h"
#include "network/rules.h"
#include "orders/eligibility.h"
#include "orders/resolve.h"

#define MOST_SUBSTITUTES	5	/* that are tried for a line */
#define MOST_WANTS			3	/* quantities that nodes lack, tried for the first of them */

void
attempt_keep(const SalesOrder *order, Attempt *a)
{
	a->problem = order->problem;
	a->nproblem_lines = order->nproblem_lines;
	a->problem_lines = order->problem_lines;
	a->problem_items = order->problem_items;
	a->problem_needs = order->problem_needs;
	a->mixed = order->mixed;
	a->shared = order->shared;
	a->result = order->result;
	a->nswaps = order->nswaps;
	a->swaps = order->swaps;
	a->why = order->eligibility != NULL ? order->eligibility->why : NULL;
}

void
attempt_restore(SalesOrder *order, const Attempt *a)
{
	order->problem = a->problem;
	order->nproblem_lines = a->nproblem_lines;
	order->problem_lines = a->problem_lines;
	order->problem_items = a->problem_items;
	order->problem_needs = a->problem_needs;
	order->mixed = a->mixed;
	order->shared = a->shared;
	order->result = a->result;
	order->nswaps = a->nswaps;
	order->swaps = a->swaps;
	if (order->eligibility != NULL)
		order->eligibility->why = a->why;
}

/* Whether rules of its own keep an item from standing in for the line's. */
static bool
is_restricted(const SalesOrder *order, const OrderLine *line, const OrderLine *as, const char *item)
{
	const NetRules *rules = network_rules(order->net);
	const NetRestriction *own;

	if (rules_of_item(rules, item, &own) > 0)
		return true;
	for (int i = 0; i < rules->nrestrictions; i++)
	{
		const char *item_class = rules->restrictions[i].item_class;

		if (item_class != NULL && as->item_class != NULL && strcmp(item_class, as->item_class) == 0 &&
			(line->item_class == NULL || strcmp(item_class, line->item_class) != 0))
			return true;
	}
	return false;
}

/* Whether a line, or its customer, consents to a substitute that is valid today. */
bool
substitute_is_welcome(const SalesOrder *order, const OrderLine *line, const Substitute *s)
{
	const char *consent = line->substitutes != NULL ? line->substitutes : order->substitutes;
	DateADT		today = (DateADT) (order->clock / USECS_PER_DAY);

	return consent != NULL && strcmp(consent, "never") != 0 &&
		(!s->needs_consent || strcmp(consent, "consented") == 0) && today >= s->valid_from && today <= s->valid_to;
}

/* A line as it is served by a substitute, or NULL if it may not be. */
static OrderLine *
line_as(const SalesOrder *order, const OrderLine *line, const Substitute *s)
{
	OrderLine  *as;
	LinePart   *part;

	if (!substitute_is_welcome(order, line, s))
		return NULL;
	as = palloc(sizeof(OrderLine));
	part = palloc(sizeof(LinePart));
	*as = *line;
	part->item = s->item;
	part->per = s->ratio;
	as->nparts = 1;
	as->parts = part;
	as->substitute = s;
	if (!order_resolve_substitute(order, as, s->item, s->ratio) || is_restricted(order, line, as, s->item))
		return NULL;
	as->item_class = line->item_class;
	return as;
}

/* Whether a part is late for want of stock: of what is wanted as soon as possible, if it waits for any. */
static bool
is_late(const SalesOrder *order, int line, const SrcPart *part)
{
	const SrcShipment *s = &order->result.best.shipments[part->shipment];

	if (part->days_late <= 0)
		return false;
	return order->has_requested || order->lines[line].has_requested || s->day > order->problem.nodes[s->node].today;
}

/*
 * What of the order's line its own item leaves short in the plan: unserved, or
 * late; "later": unserved, or later than what comes first of it.
 */
static int64
short_of(const SalesOrder *order, int line, int64 *later)
{
	const SrcPlan *plan = &order->result.best;
	int64		missing = 0;
	int			earliest = PG_INT32_MAX;

	*later = 0;
	for (int k = 0; k < plan->nparts; k++)
	{
		if (order->problem_lines[plan->parts[k].line] == line)
			earliest = Min(earliest, plan->parts[k].days_late);
	}
	for (int i = 0; i < order->problem.nlines; i++)
	{
		if (order->problem_lines[i] != line || order->problem_items[order->problem.lines[i].item]->substitute != NULL)
			continue;
		missing += plan->unserved[i];
		*later += plan->unserved[i];
		for (int k = 0; k < plan->nparts; k++)
		{
			const SrcPart *part = &plan->parts[k];

			if (part->line != i)
				continue;
			missing += is_late(order, line, part) ? part->quantity : 0;
			*later += part->days_late > earliest ? part->quantity : 0;
		}
	}
	return missing;
}

/* What the last swap leaves unserved of itself. */
static int64
swap_unserved(const SalesOrder *order, const Swap *swap)
{
	for (int i = 0; i < order->problem.nlines; i++)
	{
		if (order->problem_lines[i] == swap->line &&
			order->problem_items[order->problem.lines[i].item]->substitute == swap->as->substitute)
			return order->result.best.unserved[i];
	}
	return 0;
}

/* Plan with one more swap, of "quantity"; true if it stays because it is cheaper. */
static bool
try_swap(SalesOrder *order, Ledger *ledger, bool only_locked, int line, OrderLine *as, int64 quantity,
		 int64 *unserved)
{
	Attempt		before;
	Swap	   *swaps;

	quantity -= quantity % line_step(as);
	if (quantity <= 0)
		return false;
	attempt_keep(order, &before);
	swaps = palloc(sizeof(Swap) * (order->nswaps + 1));
	if (order->nswaps > 0)
		memcpy(swaps, order->swaps, sizeof(Swap) * order->nswaps);
	swaps[order->nswaps].line = line;
	swaps[order->nswaps].as = as;
	swaps[order->nswaps].quantity = quantity;
	order->swaps = swaps;
	order->nswaps++;
	if (order_set_problem(order, ledger, only_locked))
	{
		memset(&order->result, 0, sizeof(order->result));
		parts_search(order, &order->result);
		*unserved = swap_unserved(order, &swaps[order->nswaps - 1]);
		if (order->result.best.total < before.result.best.total)
			return true;
	}
	attempt_restore(order, &before);
	return false;
}

/* Add a quantity that is worth a try, if it is not there; what needs less of the substitute comes first. */
static int
add_want(int64 *wants, int n, int most, int64 want)
{
	int			at = 0;

	while (at < n && wants[at] < want)
		at++;
	if (at == most || (at < n && wants[at] == want))
		return n;
	n = Min(n + 1, most);
	memmove(&wants[at + 1], &wants[at], sizeof(int64) * (n - at - 1));
	wants[at] = want;
	return n;
}

/*
 * What is short of the line if some node serves it with what it has, now or
 * from some day on: a plan that waits for everything does not show it.
 */
static int
node_wants(const SalesOrder *order, int line, int64 *wants, int most)
{
	const PlanContext *ctx = order->problem.arg;
	int64		open = order->lines[line].open;
	int			n = 0;

	for (int k = 0; k < order->problem.nlines; k++)
	{
		int			number = order->problem.lines[k].item;

		if (order->problem_lines[k] != line || order->problem_items[number]->substitute != NULL)
			continue;
		for (int i = 0; i < ctx->asked.nprofiles; i++)
		{
			const SrcProfile *profile = &ctx->asked.profiles[i].profile;

			for (int s = 0; s < profile->nsteps && ctx->asked.profiles[i].item == number; s++)
			{
				if (profile->steps[s].available > 0 && profile->steps[s].available < open)
					n = add_want(wants, n, most, open - profile->steps[s].available);
			}
		}
	}
	return n;
}

/* Serve a line by a substitute as far as that makes the plan cheaper. */
static void
try_substitute(SalesOrder *order, Ledger *ledger, bool only_locked, int line, OrderLine *as, bool first)
{
	int64		open = order->lines[line].open;
	int64		step = line_step(as);
	Attempt		without;
	Attempt		best;
	int64		wants[3 + MOST_WANTS];
	int			n = 3;

	wants[1] = short_of(order, line, &wants[0]);
	wants[2] = first ? open : 0;
	if (first && !order->lines[line].unsplittable)
		n += node_wants(order, line, &wants[3], MOST_WANTS);

	attempt_keep(order, &without);
	best = without;
	for (int i = order->lines[line].unsplittable ? 2 : 0; i < n; i++)
	{
		int64		quantity = Min((wants[i] + step - 1) / step * step, open);
		int64		unserved = 0;
		bool		again = false;

		for (int k = 0; k < i; k++)
			again |= wants[k] == wants[i];
		/* what the substitute cannot serve either is better asked of the item, late */
		for (int round = 0; round < 2 && quantity > 0 && !again; round++)
		{
			attempt_restore(order, &without);
			if (try_swap(order, ledger, only_locked, line, as, quantity, &unserved) &&
				order->result.best.total < best.result.best.total)
				attempt_keep(order, &best);
			if (unserved <= 0 || order->lines[line].unsplittable)
				break;
			quantity -= unserved;
		}
	}
	attempt_restore(order, &best);
}

/* What the plan serves of an order's line by substitutes. */
static int64
swapped(const SalesOrder *order, int line)
{
	const SrcPlan *plan = &order->result.best;
	int64		sum = 0;

	for (int k = 0; k < plan->nparts; k++)
	{
		int			i = plan->parts[k].line;

		if (order->problem_lines[i] == line && order->problem_items[order->problem.lines[i].item]->substitute != NULL)
			sum += plan->parts[k].quantity;
	}
	return sum;
}

/* The plan was tried, not searched for: by how much others could be cheaper. */
static void
prove(SalesOrder *order, const Attempt *without, Tried *tried, int ntried)
{
	Attempt		best;
	int64		least;

	for (int t = 0; t < ntried; t++)
		tried[t].swapped = swapped(order, tried[t].line);
	attempt_keep(order, &best);
	attempt_restore(order, without);
	least = substitutes_bound(order, tried, ntried, best.result.best.total);
	attempt_restore(order, &best);
	order->result.gap = Max(order->result.best.total - least, 0);
	/* what rounding makes of it proves nothing, either way */
	order->result.exact = order->result.gap <= SLACK_OF_LINE * order->nlines;
	if (order->result.exact)
		order->result.gap = 0;
}

/* Improve order->result by substitutes; what is allowed but needs no try is in the bound. */
void
substitutes_plan(SalesOrder *order, Ledger *ledger, bool only_locked)
{
	Attempt		without;
	Tried	   *all_tried = NULL;
	int			ntried = 0;

	for (int l = 0; l < order->nlines; l++)
	{
		const OrderLine *line = &order->lines[l];
		const Substitute *all;
		int			n;
		int			first = -1;
		int64		later;

		if (line->open <= 0 || line->nparts > 0 || line->lot[0] != '\0' || line->min_ship > 0 ||
			line->ship_multiple > 0)
			continue;
		n = substitutes_of(order->tenant_id, line->item, &all);
		for (int i = 0; i < n; i++)
		{
			bool		is_short = short_of(order, l, &later) > 0;
			OrderLine  *as = is_short || first >= 0 ? line_as(order, line, &all[i]) : NULL;
			Tried	   *tried;

			if (as == NULL)
				continue;
			if (all_tried == NULL)
			{
				attempt_keep(order, &without);
				all_tried = palloc(sizeof(Tried) * order->nlines);
			}
			if (first < 0)
			{
				first = ntried++;
				tried = &all_tried[first];
				tried->line = l;
				tried->n = 0;
				tried->as = palloc(sizeof(OrderLine *) * n);
				tried->least_penalty = all[i].penalty;
				tried->step = line_step(as);
			}
			tried = &all_tried[first];
			tried->as[tried->n++] = as;
			tried->least_penalty = Min(tried->least_penalty, all[i].penalty);
			tried->step = Min(tried->step, line_step(as));
			if (is_short && tried->n <= MOST_SUBSTITUTES)
				try_substitute(order, ledger, only_locked, l, as, tried->n == 1);
		}
	}
	/* nobody asks for a proof of what is only a question */
	if (ntried > 0 && order->alter_problem == NULL)
		prove(order, &without, all_tried, ntried);
}

/* The penalty for so much of a line. */
int64
substitution_cost(int64 penalty, int64 quantity)
{
	int128		cost = ((int128) penalty * quantity + SCALE / 2) / SCALE;

	return (int64) Min(cost, (int128) SCALED_MAX);
}

/*
 * The terms by node of lines that are served in two ways: their share of the
 * line's, and the penalty.  Within the search that is a term of the tenant's
 * own; what is shown tells them apart.
 */
void
substitutes_set_terms(SalesOrder *order)
{
	SrcProblem *p = &order->problem;
	SrcLineNode *terms;

	if (order->nswaps == 0 || p->nlines == 0 || p->nnodes == 0)
		return;
	terms = palloc0(sizeof(SrcLineNode) * p->nlines * p->nnodes);
	if (p->line_nodes != NULL)
		memcpy(terms, p->line_nodes, sizeof(SrcLineNode) * p->nlines * p->nnodes);
	for (int i = 0; i < p->nlines; i++)
	{
		int64		open = order->lines[order->problem_lines[i]].open;
		int64		quantity = p->lines[i].quantity;
		const Substitute *s = order->problem_items[p->lines[i].item]->substitute;

		if (order->problem_items[p->lines[i].item]->completes != NULL)
			continue;
		for (int c = 0; c < p->nnodes; c++)
		{
			SrcLineNode *t = &terms[i * p->nnodes + c];

			t->goods = (int64) ((int128) t->goods * quantity / open);
			t->custom = (int64) ((int128) t->custom * quantity / open);
			if (s != NULL)
				t->custom += substitution_cost(s->penalty, quantity);
		}
	}
	p->line_nodes = terms;
}
