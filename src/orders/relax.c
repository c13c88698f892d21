/*
 * relax.c
 *		A second pass for what the soft constraints of a policy left unserved.
 *
 * The first plan stands.  What it leaves unserved is planned once more without
 * the soft constraints, from what the first plan leaves of availability and of
 * the number of shipments.  Shipments of both that are the same become one.
 */
#include "orders/eligibility.h"
#include "orders/parts.h"

#include "base/quantity.h"

/* What a unit of a part of a first plan takes of an item. */
static int64
taken_per(const PlanContext *ctx, const SrcPart *part, const char *item)
{
	return line_takes(ctx->taken_items[ctx->taken_numbers[part->line].item], item);
}

/* What a first plan takes from a position counts as promised. */
void
relax_take(const PlanContext *ctx, int node, const char *item, SrcProfile *profile)
{
	const SrcPlan *plan = ctx->taken;
	SrcStep    *steps = palloc(sizeof(SrcStep) * (profile->nsteps + plan->nparts + 1));
	int			n = profile->nsteps;
	bool		any = false;

	for (int i = 0; i < n; i++)
		steps[i] = profile->steps[i];
	/* a step on every day on which something is taken */
	for (int i = 0; i < plan->nparts; i++)
	{
		const SrcShipment *s = &plan->shipments[plan->parts[i].shipment];
		int			at = 0;

		if (s->node != node || taken_per(ctx, &plan->parts[i], item) == 0)
			continue;
		any = true;
		while (at < n && steps[at].day < s->day)
			at++;
		if (at < n && steps[at].day == s->day)
			continue;
		memmove(&steps[at + 1], &steps[at], sizeof(SrcStep) * (n - at));
		steps[at].day = s->day;
		steps[at].available = at > 0 ? steps[at - 1].available : 0;
		n++;
	}
	if (!any)
		return;
	for (int k = n - 1; k >= 0; k--)
	{
		int64		taken = 0;

		for (int i = 0; i < plan->nparts; i++)
		{
			const SrcShipment *s = &plan->shipments[plan->parts[i].shipment];

			if (s->node == node && s->day <= steps[k].day)
				taken += (int64) ((int128) plan->parts[i].quantity * taken_per(ctx, &plan->parts[i], item) / SCALE);
		}
		steps[k].available = Max(steps[k].available - taken, 0);
		/* nothing that comes later may be eaten */
		if (k < n - 1)
			steps[k].available = Min(steps[k].available, steps[k + 1].available);
	}
	profile->steps = steps;
	profile->nsteps = n;
}

/* What is left of a node's room on a ship day after a first plan. */
void
relax_take_room(const PlanContext *ctx, int node, int ship_day, SrcRoom *room)
{
	const SrcPlan *plan = ctx->taken;

	for (int i = 0; i < plan->nshipments; i++)
	{
		if (plan->shipments[i].node != node || plan->shipments[i].ship != ship_day)
			continue;
		if (room->shipments != PG_INT64_MAX)
			room->shipments = Max(room->shipments - 1, 0);
		for (int k = 0; k < plan->nparts; k++)
		{
			if (plan->parts[k].shipment != i)
				continue;
			if (room->lines != PG_INT64_MAX)
				room->lines = Max(room->lines - 1, 0);
			if (room->units != PG_INT64_MAX)
				room->units = Max(room->units - plan->parts[k].quantity, 0);
		}
	}
}

/* Plan what order->result leaves unserved without the soft constraints, and add it. */
void
order_plan_relaxed(SalesOrder *order, Ledger *ledger, bool only_locked)
{
	SrcProblem	problem = order->problem;
	int		   *problem_lines = order->problem_lines;
	const OrderLine **problem_items = order->problem_items;
	int64	   *problem_needs = order->problem_needs;
	int			nproblem_lines = order->nproblem_lines;
	int64	   *opens = palloc(sizeof(int64) * Max(order->nlines, 1));
	SecondPass *second = palloc0(sizeof(SecondPass));
	int		   *map;
	uint32		soft = order->terms.soft;
	uint32	   *why = order->eligibility != NULL ? order->eligibility->why : NULL;
	int			nswaps = order->nswaps;
	bool		shared = order->shared;
	bool		any = false;

	for (int i = 0; i < order->nlines; i++)
	{
		opens[i] = order->lines[i].open;
		any |= order->lines[i].unserved > 0;
	}
	if (!any)
		return;
	/* the parts of a line are parts of its own item: what only a substitute is to serve stays unserved */
	for (int i = 0; i < order->nlines; i++)
		order->lines[i].open = 0;
	for (int k = 0; k < nproblem_lines; k++)
	{
		OrderLine  *line = &order->lines[problem_lines[k]];

		if (problem_items[problem.lines[k].item]->substitute == NULL &&
			problem_items[problem.lines[k].item]->completes == NULL)
			line->open = line->unserved;
	}
	order->nswaps = 0;
	if (order_set_problem_relaxed(order, ledger, only_locked, soft))
	{
		PlanContext *ctx = order->problem.arg;

		ctx->taken = &order->result.best;
		ctx->taken_numbers = problem.lines;
		ctx->taken_items = problem_items;
		order->problem.max_shipments -= order->result.best.nshipments;
		if (order->problem.max_shipments > 0)
			parts_search(order, &second->result);
		if (second->result.best.nparts > 0)
			second->packed_size = src_pack(&order->problem, &second->result, &ctx->asked, NULL, 0, &second->packed);
	}
	map = palloc(sizeof(int) * Max(order->nproblem_lines, 1));
	for (int i = 0; i < order->nproblem_lines; i++)
	{
		map[i] = -1;
		for (int k = 0; k < nproblem_lines; k++)
		{
			if (problem_lines[k] == order->problem_lines[i] &&
				problem_items[problem.lines[k].item]->substitute == NULL &&
				problem_items[problem.lines[k].item]->completes == NULL)
				map[i] = k;
		}
	}
	second->problem = order->problem;
	second->lines = order->problem_lines;
	second->items = order->problem_items;
	order->problem = problem;
	order->problem_lines = problem_lines;
	order->problem_items = problem_items;
	order->problem_needs = problem_needs;
	order->nproblem_lines = nproblem_lines;
	order->nswaps = nswaps;
	order->shared = shared;
	if (why != NULL)
		order->eligibility->why = why;	/* what is explained is the first pass */
	for (int i = 0; i < order->nlines; i++)
		order->lines[i].open = opens[i];
	if (second->result.best.nparts == 0)
		return;
	order->second = second;
	plans_join(&order->result.best, &second->result.best, map, NULL, NULL, order->terms.split_penalty);
	order->relaxed = soft;

	/* the first plan stands: the whole is proved where each pass is */
	order->result.exact &= second->result.exact;
	order->result.gap = scaled_add(order->result.gap, second->result.gap);
	order_sum_unserved(order, problem.nlines);
}
