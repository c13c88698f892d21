/*
 * evaluate.c
 *		What a set of shipments costs under all rules.
 *
 * Guarantees: what is called feasible keeps the rules of plan.h; if "proven"
 * is set, no other quantities for the set's shipments, all of them made, cost
 * less before rounding, or, where it is not feasible, less than the limit.
 */
#include "cost.h"

/* rules about which shipments go together at all */
static bool
may_go_together(const SrcSearch *search, const int32_t *cand, int32_t n)
{
	int32_t		i;
	int32_t		j;

	for (i = 0; i < n; i++)
	{
		const SrcCandidate *own = &search->cand[cand[i]];
		int64_t		same = 1;

		if (search->problem->one_date && own->arrival != search->cand[cand[0]].arrival)
			return false;
		if (own->room < 0)
			continue;
		for (j = 0; j < i; j++)
			same += search->cand[cand[j]].room == own->room;
		if (same > search->rooms[own->room].room.shipments)
			return false;
	}
	return true;
}

static int64_t *
division(SrcSearch *search)
{
	int64_t		shipments = search->problem->max_shipments < SRC_PLAN_SHIPMENTS ?
		search->problem->max_shipments : SRC_PLAN_SHIPMENTS;

	if (search->couple == NULL)
		search->couple = src_memory(search->problem, src_couple_size(), 1);
	if (search->quantity2 == NULL)
		search->quantity2 = src_memory(search->problem, sizeof(int64_t),
									   search->nlines * shipments);
	if (search->quantity3 == NULL)
		search->quantity3 = src_memory(search->problem, sizeof(int64_t),
									   search->nlines * shipments);
	return search->quantity3;
}

/*
 * The cheapest plan of the set's shipments.  A plan that costs more than
 * "limit" need not be found.  The quantities are valid until the next call.
 */
void
src_evaluate(SrcSearch *search, const int32_t *cand, int32_t n, int64_t limit,
			 SrcFigures *out)
{
	int64_t    *quantity;
	int64_t		empty = 0;
	bool		proven;
	int32_t		i;

	if (search->constrained && !may_go_together(search, cand, n))
	{
		out->feasible = false;
		out->proven = true;
		return;
	}
	src_relax(search, cand, n, out);
	if (!search->constrained || n == 0 ||
		src_broken(search, cand, n, out->quantity) == 0)
		return;
	if (out->proven && out->total - search->slack > limit)
	{
		/* more rules do not make it cheaper */
		out->feasible = false;
		return;
	}
	for (i = 0; i < n; i++)
		empty = src_add(empty, search->cand[cand[i]].fixed);
	for (i = 1; i < n; i++)
		empty = src_add(empty, search->problem->split_penalty);
	quantity = division(search);
	limit = limit == INT64_MAX ? INT64_MAX : limit - empty + search->slack + 1;
	if (!src_couple(search, cand, n, limit, quantity, &proven))
	{
		out->feasible = false;
		out->proven = proven;
		return;
	}
	src_price(search, cand, n, quantity, out);
	out->feasible = true;
	out->proven = proven;
}
