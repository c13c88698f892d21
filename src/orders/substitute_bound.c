/*
 * substitute_bound.c
 *		A bound for plans with substitutes.
 *
 * Which quantity of which line goes to which substitute is tried, not searched
 * for; so the plan that comes of it is not proved to be the cheapest.  A bound
 * is what the order would cost if every node had of an item also what it has
 * of the item's substitutes, with the least weight, no rules about the parts
 * of such lines and no penalty: B.  Say the plan costs T and serves q(i) of line
 * i by substitutes, whose least penalty is p(i).
 *
 *	- Where q(j) = 0, a plan that serves m = (T - B) / p(j) or more of the line
 *	  so is not cheaper: B is computed again, the line finding m at any node;
 *	- a plan that serves q(i) or more of every line costs at least B plus the
 *	  sum of p(i) q(i);
 *	- any other serves less than q(j) of some line: from a to less than b, where
 *	  [a, b) is the first half of [0, q(j)), the first half of what is left of
 *	  it, and so on.  It costs at least p(j) a and what B becomes if the line
 *	  finds less than b at any node.
 *
 * The least of all these is the bound.
 */
#include "orders/parts.h"

#include "base/quantity.h"

typedef struct Widened
{
	int			ntried;
	const Tried *tried;
} Widened;

#define HALVINGS		4

static int
compare_days(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return x < y ? -1 : x > y;
}

/* The sum of two profiles, of the second one not more than "most". */
static void
add_profile(SrcProfile *to, const SrcProfile *more, int64 most)
{
	int			n = to->nsteps + more->nsteps;
	int32	   *days = palloc(sizeof(int32) * Max(n, 1));
	SrcStep    *steps = palloc(sizeof(SrcStep) * Max(n, 1));
	int			nsteps = 0;

	for (int i = 0; i < to->nsteps; i++)
		days[i] = to->steps[i].day;
	for (int i = 0; i < more->nsteps; i++)
		days[to->nsteps + i] = more->steps[i].day;
	qsort(days, n, sizeof(int32), compare_days);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && days[i] == days[i - 1])
			continue;
		steps[nsteps].day = days[i];
		steps[nsteps++].available = Min(profile_at(to, days[i]) + Min(profile_at(more, days[i]), most), SCALED_MAX);
	}
	to->steps = steps;
	to->nsteps = nsteps;
}

/* Whether lines of the problem that the search knows as "number" are those of an order's line. */
static bool
is_asked_for(const SalesOrder *order, int number, int line)
{
	for (int k = 0; k < order->problem.nlines; k++)
	{
		if (order->problem.lines[k].item == number && order->problem_lines[k] == line)
			return true;
	}
	return false;
}

/* What a node has of an item and of what may stand in for it. */
void
widened_profile(PlanContext *ctx, int node, int number, SrcProfile *out)
{
	const SalesOrder *order = ctx->order;
	const Widened *widened = ctx->widened;
	const OrderLine *own = order->problem_items[number];
	SrcProfile	none = {0};

	*out = none;
	if (own->nparts > 0)
		parts_profile(ctx, node, number, out);
	else
		item_profile(ctx, node, number, own->item, SCALE, out);
	/* the ledger lends its steps until it is asked again */
	add_profile(out, &none, 0);
	for (int t = 0; t < widened->ntried; t++)
	{
		const Tried *tried = &widened->tried[t];
		SrcProfile	all = {0};

		if (!is_asked_for(order, number, tried->line))
			continue;
		for (int i = 0; i < tried->n; i++)
		{
			SrcProfile	profile = {0};

			order->problem_items[number] = tried->as[i];
			parts_profile(ctx, node, number, &profile);
			order->problem_items[number] = own;
			add_profile(&all, &profile, PG_INT64_MAX);
		}
		add_profile(out, &all, tried->most);
	}
}

/* The order's problem without what tells a line from what stands in for it. */
static SrcProblem
widened_problem(const SalesOrder *order, const Tried *tried, int ntried)
{
	SrcProblem	p = order->problem;
	SrcLine    *lines = palloc(sizeof(SrcLine) * p.nlines);
	SrcNode    *nodes = palloc(sizeof(SrcNode) * p.nnodes);
	SrcLineNode *cells = NULL;
	bool	   *lanes = NULL;

	memcpy(lines, p.lines, sizeof(SrcLine) * p.nlines);
	memcpy(nodes, p.nodes, sizeof(SrcNode) * p.nnodes);
	if (p.line_nodes != NULL)
	{
		cells = palloc(sizeof(SrcLineNode) * p.nlines * p.nnodes);
		memcpy(cells, p.line_nodes, sizeof(SrcLineNode) * p.nlines * p.nnodes);
	}
	if (p.lane_forbidden != NULL)
	{
		lanes = palloc(sizeof(bool) * p.nlines * p.nlanes);
		memcpy(lanes, p.lane_forbidden, sizeof(bool) * p.nlines * p.nlanes);
	}
	for (int i = 0; i < p.nlines; i++)
	{
		SrcLine    *line = &lines[i];

		for (int t = 0; t < ntried; t++)
		{
			if (tried[t].line != order->problem_lines[i])
				continue;
			for (int k = 0; k < tried[t].n; k++)
				line->unit_weight = Min(line->unit_weight, tried[t].as[k]->unit_weight);
			line->min_part = line->max_part = line->multiple = line->split_min = 0;
			line->balance_price = 0;
			if (cells != NULL)
				memset(&cells[i * p.nnodes], 0, sizeof(SrcLineNode) * p.nnodes);
			if (lanes != NULL)
				memset(&lanes[i * p.nlanes], 0, sizeof(bool) * p.nlanes);
		}
	}
	/* nor do rules about what shipments are worth know it */
	for (int c = 0; c < p.nnodes; c++)
		nodes[c].min_value = 0;
	p.split_min_value = 0;
	p.lines = lines;
	p.nodes = nodes;
	p.line_nodes = cells;
	p.lane_forbidden = lanes;
	return p;
}

static int64
bound_of(const SrcProblem *p)
{
	SrcResult	r;

	plan_search(p, &r);
	return r.best.total - (r.exact ? 0 : r.gap);
}

/*
 * No plan of the order, whose problem is set without any substitutes, costs
 * less, whatever is served by those that were tried; "total" is what the plan
 * in hand costs.
 */
int64
substitutes_bound(SalesOrder *order, Tried *tried, int ntried, int64 total)
{
	PlanContext ctx = *(const PlanContext *) order->problem.arg;
	Widened		widened = {ntried, tried};
	SrcProblem	p = widened_problem(order, tried, ntried);
	int64		slack = SLACK_OF_LINE * order->problem.nlines;
	int64		bound;
	bool		capped = false;

	/* what is asked here is not what the plan rests on */
	memset(&ctx.asked, 0, sizeof(ctx.asked));
	ctx.widened = &widened;
	ctx.without_quotas = true;
	p.arg = &ctx;
	for (int t = 0; t < ntried; t++)
		tried[t].most = PG_INT64_MAX;
	bound = bound_of(&p);
	for (int t = 0; t < ntried && bound < total; t++)
	{
		int128		most;

		if (tried[t].swapped > 0 || tried[t].least_penalty <= 0)
			continue;
		most = ((int128) (total - bound) * SCALE + tried[t].least_penalty - 1) / tried[t].least_penalty;
		tried[t].most = (int64) Min(most, (int128) SCALED_MAX);
		capped = true;
	}
	if (capped)
		bound = bound_of(&p);
	for (int t = 0; t < ntried; t++)
		bound = scaled_add(bound, substitution_cost(tried[t].least_penalty, tried[t].swapped));
	for (int t = 0; t < ntried; t++)
	{
		int64		least = 0;

		/* without a penalty it makes no difference how much it is */
		for (int k = 1; k <= HALVINGS && tried[t].least_penalty > 0 && tried[t].swapped > 0; k++)
		{
			int64		end = k < HALVINGS ? tried[t].swapped - (tried[t].swapped >> k) : tried[t].swapped;

			tried[t].most = Max(end - tried[t].step, 0);
			bound = Min(bound, scaled_add(bound_of(&p), substitution_cost(tried[t].least_penalty, least)));
			least = end;
		}
		if (tried[t].swapped > 0)
			tried[t].most = PG_INT64_MAX;
	}
	return Max(bound - slack, 0);
}
