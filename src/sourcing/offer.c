/*
 * offer.c
 *		The plans in hand: comparing, keeping, and writing them out.
 *
 * Guarantees:
 *
 *	- "best" only ever gets better in the order of plan.h (cost, shipments,
 *	  last arrival, nodes, lanes), so which of several equal plans is found
 *	  first does not matter;
 *	- "next" differs from "best" in its set of (node, ship day) and is the cheapest
 *	  such plan among those offered; shipping nothing is no alternative.
 */
#include <string.h>

#include "cost.h"

/* the order of shipments in a plan */
static bool
ships_before(const SrcCandidate *a, const SrcCandidate *b)
{
	if (a->ship != b->ship)
		return a->ship < b->ship;
	if (a->node != b->node)
		return a->node < b->node;
	return a->lane < b->lane;
}

/* ascending list of the nodes (or lanes) of a set */
static void
sorted_numbers(const SrcSearch *search, const SrcSet *set, bool lanes,
			   int32_t *out)
{
	int32_t		i;
	int32_t		j;

	for (i = 0; i < set->n; i++)
	{
		const SrcCandidate *cand = &search->cand[set->cand[i]];
		int32_t		number = lanes ? cand->lane : cand->node;

		for (j = i; j > 0 && out[j - 1] > number; j--)
			out[j] = out[j - 1];
		out[j] = number;
	}
}

/* a is the better plan, by the order of plan.h; then the earlier days */
static bool
better(const SrcSearch *search, const SrcSet *a, const SrcSet *b)
{
	int32_t		mine[SRC_PLAN_SHIPMENTS];
	int32_t		theirs[SRC_PLAN_SHIPMENTS];
	int32_t		pass;
	int32_t		i;

	if (a->total != b->total)
		return a->total < b->total;
	if (a->n != b->n)
		return a->n < b->n;
	if (a->arrival != b->arrival)
		return a->arrival < b->arrival;
	for (pass = 0; pass < 2; pass++)
	{
		sorted_numbers(search, a, pass == 1, mine);
		sorted_numbers(search, b, pass == 1, theirs);
		for (i = 0; i < a->n; i++)
			if (mine[i] != theirs[i])
				return mine[i] < theirs[i];
	}
	for (i = 0; i < a->n; i++)
		if (search->cand[a->cand[i]].ship != search->cand[b->cand[i]].ship)
			return search->cand[a->cand[i]].ship < search->cand[b->cand[i]].ship;
	for (i = 0; i < a->n; i++)
		if (search->cand[a->cand[i]].lane != search->cand[b->cand[i]].lane)
			return search->cand[a->cand[i]].lane < search->cand[b->cand[i]].lane;
	return false;
}

/* the two have the same set of (node, ship day) */
static bool
same_places(const SrcSearch *search, const SrcSet *a, const SrcSet *b)
{
	int32_t		i = 0;
	int32_t		j = 0;

	while (i < a->n && j < b->n)
	{
		const SrcCandidate *mine = &search->cand[a->cand[i]];
		const SrcCandidate *theirs = &search->cand[b->cand[j]];

		if (mine->node != theirs->node || mine->ship != theirs->ship)
			return false;
		/* the pairs are sorted; several lanes may share one */
		while (i < a->n && search->cand[a->cand[i]].node == mine->node &&
			   search->cand[a->cand[i]].ship == mine->ship)
			i++;
		while (j < b->n && search->cand[b->cand[j]].node == theirs->node &&
			   search->cand[b->cand[j]].ship == theirs->ship)
			j++;
	}
	return i == a->n && j == b->n;
}

/* with the quantities, if "from" has any */
static void
copy_set(SrcSearch *search, SrcSet *to, const SrcSet *from)
{
	int64_t    *quantity = to->quantity;
	int64_t		shipments = search->problem->max_shipments < SRC_PLAN_SHIPMENTS ?
		search->problem->max_shipments : SRC_PLAN_SHIPMENTS;

	memcpy(to, from, offsetof(SrcSet, cand) +
		   sizeof(int32_t) * (size_t) from->n);
	to->quantity = quantity;
	if (!from->divided)
		return;
	if (to->quantity == NULL)
		to->quantity = src_memory(search->problem, sizeof(int64_t),
								  search->nlines * shipments);
	memcpy(to->quantity, from->quantity,
		   sizeof(int64_t) * (size_t) search->nlines * (size_t) from->n);
}

/*
 * At equal cost the set would not become the best.  If a shipment of it ended
 * up empty, it is another set.
 */
bool
src_loses_tie(const SrcSearch *search, const int32_t *cand, int32_t n)
{
	SrcSet		set;
	int32_t		i;
	int32_t		j;

	if (n != search->best.n)
		return n > search->best.n;
	set.n = n;
	set.total = search->best.total;
	set.arrival = INT32_MIN;
	for (i = 0; i < n; i++)
	{
		const SrcCandidate *own = &search->cand[cand[i]];

		if (own->arrival > set.arrival)
			set.arrival = own->arrival;
		for (j = i; j > 0 && !ships_before(&search->cand[set.cand[j - 1]], own); j--)
			set.cand[j] = set.cand[j - 1];
		set.cand[j] = cand[i];
	}
	return !better(search, &set, &search->best);
}

/*
 * Evaluate a set and keep it if it is the best, or the next best, so far.
 * True if it became the best.  "floor" is the floor of its cost: where lines
 * share an item the evaluation may miss the optimum of the set; what it could
 * have missed is noted in open_bound.  A set that the tree will meet again, if
 * it matters, may be offered with INT64_MAX.
 */
bool
src_offer(SrcSearch *search, const int32_t *cand, int32_t n, int64_t floor)
{
	SrcFigures	figures;
	SrcSet		set;
	SrcSet	   *other;
	int64_t		limit = search->has_next ? search->next.total : INT64_MAX;
	int32_t		i;
	int32_t		j;

	/* in the order of the plan, so that writing it out repeats the figures */
	for (i = 0; i < n; i++)
	{
		for (j = i; j > 0; j--)
		{
			if (ships_before(&search->cand[set.cand[j - 1]],
							 &search->cand[cand[i]]))
				break;
			set.cand[j] = set.cand[j - 1];
		}
		set.cand[j] = cand[i];
	}
	for (;;)
	{
		src_evaluate(search, set.cand, n, limit, &figures);
		if (!figures.proven && floor - search->slack < search->open_bound)
			search->open_bound = floor - search->slack;
		if (!figures.feasible)
			return false;
		if (figures.nloaded == n)
			break;
		for (i = 0, j = 0; i < n; i++)
			if (figures.loaded[i])
				set.cand[j++] = set.cand[i];
		n = j;
	}
	set.n = n;
	set.total = figures.total;
	set.arrival = figures.arrival;
	set.divided = search->constrained && n > 0;
	set.quantity = (int64_t *) figures.quantity;

	if (better(search, &set, &search->best))
	{
		if (search->best.n > 0 && !same_places(search, &set, &search->best))
		{
			/* the old best was at least as good as the old next */
			copy_set(search, &search->next, &search->best);
			search->has_next = true;
		}
		else if (search->has_next && same_places(search, &set, &search->next))
			search->has_next = false;
		copy_set(search, &search->best, &set);
		return true;
	}
	other = &search->next;
	if ((!search->has_next || better(search, &set, other)) &&
		set.n > 0 && !same_places(search, &set, &search->best))
	{
		copy_set(search, other, &set);
		search->has_next = true;
	}
	return false;
}

/*
 * The same of a single shipment.  If what it saves at the most is not enough
 * for a place, nothing needs to be looked at, unless the proof depends on it.
 */
void
src_offer_alone(SrcSearch *search, int32_t cand)
{
	int64_t		floor = search->cand[cand].fixed;
	int32_t		i;

	search->work++;
	if (!search->coupled && search->has_next &&
		search->unserved + floor - search->cand[cand].gain - 2 * (int64_t) search->nlines -
		search->slack > search->next.total)
		return;
	if (search->coupled)
		for (i = 0; i < search->nlines; i++)
			floor += src_floor_line(search, &cand, 1, i);
	(void) src_offer(search, &cand, 1, floor);
}

/* the terms of a part whose line and quantity are set */
static void
write_terms(const SrcSearch *search, const SrcCandidate *cand, SrcPart *part)
{
	const SrcProblem *problem = search->problem;
	const SrcLine *line = &problem->lines[part->line];
	const SrcOption *option = &cand->options[part->line];

	part->days_late = option->late;
	part->lateness = src_late_money(line, option->late, part->quantity);
	part->risk = src_risk_money(line, &problem->lanes[cand->lane], part->quantity);
	part->balance = src_balance_money(line, option->available, part->quantity);
	if (problem->line_nodes != NULL)
	{
		const SrcLineNode *here = src_line_node(problem, part->line, cand->node);

		part->goods = src_round_ratio(here->goods, part->quantity, line->quantity);
		part->custom = src_round_ratio(here->custom, part->quantity, line->quantity);
	}
}

/* write a set out as a plan, in memory of the caller's */
void
src_write_plan(SrcSearch *search, const SrcSet *set, SrcPlan *plan)
{
	const SrcProblem *problem = search->problem;
	SrcFigures	figures;
	int32_t		nparts = 0;
	int32_t		i;
	int32_t		line;

	if (set->divided)
		src_price(search, set->cand, set->n, set->quantity, &figures);
	else
		src_relax(search, set->cand, set->n, &figures);
	memset(plan, 0, sizeof(*plan));
	for (i = 0; i < search->nlines * set->n; i++)
		nparts += figures.quantity[i] > 0;
	plan->nshipments = set->n;
	plan->nparts = nparts;
	plan->shipments = problem->alloc(problem->arg, sizeof(SrcShipment) *
									 (size_t) (set->n > 0 ? set->n : 1));
	plan->parts = problem->alloc(problem->arg, sizeof(SrcPart) *
								 (size_t) (nparts > 0 ? nparts : 1));
	plan->unserved = problem->alloc(problem->arg, sizeof(int64_t) *
									(size_t) (search->nlines > 0 ? search->nlines : 1));
	memset(plan->shipments, 0, sizeof(SrcShipment) *
		   (size_t) (set->n > 0 ? set->n : 1));
	memset(plan->parts, 0, sizeof(SrcPart) *
		   (size_t) (nparts > 0 ? nparts : 1));

	for (i = 0; i < set->n; i++)
	{
		const SrcCandidate *cand = &search->cand[set->cand[i]];
		const SrcLane *lane = &problem->lanes[cand->lane];
		SrcShipment *shipment = &plan->shipments[i];

		shipment->node = cand->node;
		shipment->lane = cand->lane;
		shipment->day = cand->day;
		shipment->ship = cand->ship;
		shipment->arrival = cand->arrival;
		shipment->weight = figures.weight[i];
		shipment->handling = problem->nodes[cand->node].handling;
		shipment->preference = problem->nodes[cand->node].preference;
		shipment->distance = problem->nodes[cand->node].distance;
		shipment->capacity = cand->price;
		shipment->base = cand->base;
		shipment->by_weight = src_round_ratio(figures.weight[i], lane->per_kg,
											  SRC_SCALE);
		shipment->split = i > 0 ? problem->split_penalty : 0;
	}
	nparts = 0;
	for (line = 0; line < search->nlines; line++)
	{
		int64_t		left = problem->lines[line].quantity;

		for (i = 0; i < set->n; i++)
		{
			SrcPart    *part = &plan->parts[nparts];
			int64_t		quantity = figures.quantity[line * set->n + i];

			if (quantity <= 0)
				continue;
			part->line = line;
			part->shipment = i;
			part->quantity = quantity;
			write_terms(search, &search->cand[set->cand[i]], part);
			left -= quantity;
			nparts++;
		}
		plan->unserved[line] = left > 0 ? left : 0;
	}
	plan->handling = figures.handling;
	plan->preference = figures.preference;
	plan->distance = figures.distance;
	plan->capacity = figures.capacity;
	plan->freight = figures.freight;
	plan->split = figures.split;
	plan->lateness = figures.lateness;
	plan->goods = figures.goods;
	plan->custom = figures.custom;
	plan->risk = figures.risk;
	plan->balance = figures.balance;
	plan->backorder = figures.backorder;
	plan->total = figures.total;
}
