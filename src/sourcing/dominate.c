/*
 * dominate.c
 *		Lanes and shipments that others make superfluous.
 *
 * Guarantee: what is dominated is in no plan that is better, in the order of
 * plan.h, than what it can be replaced by.
 */
#include "cost.h"

/*
 * The lane is never better than another one of its node; see plan.h on ties.
 * Lanes with rules of their own are left alone.
 */
bool
src_lane_dominated(const SrcSearch *search, const SrcNode *node, int32_t which)
{
	const SrcProblem *problem = search->problem;
	const SrcLane *lanes = problem->lanes;
	const SrcLane *lane = &lanes[which];
	int32_t		i;

	if (problem->lane_forbidden != NULL || problem->one_date || search->sole_parts)
		return false;
	for (i = node->first_lane; i < node->first_lane + node->nlanes; i++)
	{
		const SrcLane *by = &lanes[i];

		if (i == which || by->base > lane->base || by->per_kg > lane->per_kg ||
			by->transit_days > lane->transit_days || by->risk > lane->risk)
			continue;
		if (by->pickup != lane->pickup || by->transit != lane->transit ||
			by->first_ship > lane->first_ship || lane->open_day != INT32_MIN ||
			src_may_be_too_heavy(search, by))
			continue;

		/*
		 * The faster lane may leave later to meet a delivery day, which would
		 * delay a line that asks for a ship day, or find another capacity.
		 */
		if ((search->mixed || problem->room != NULL) &&
			(by->transit_days != lane->transit_days || by->first_ship != lane->first_ship))
			continue;
		if (by->base < lane->base || i < which)
			return true;
	}
	return false;
}

/*
 * Candidate a makes candidate b of the same node superfluous: whatever b
 * carries, a can, at no higher cost, also together with what a carries by
 * itself.  Where stock is the same on both days it does not matter which is
 * earlier: the days between see at least as much.
 */
bool
src_dominates(const SrcSearch *search, const SrcCandidate *a,
					const SrcCandidate *b)
{
	const SrcLane *lanes = search->problem->lanes;
	int32_t		i;

	if (a->fixed > b->fixed || a->much < b->much || (b->carries & ~a->carries) != 0 || lanes[a->lane].per_kg > lanes[b->lane].per_kg)
		return false;
	if (a->fixed == b->fixed &&
		(a->arrival > b->arrival || a->lane > b->lane || a->ship > b->ship))
		return false;
	if (search->sole_parts || src_may_be_too_heavy(search, &lanes[a->lane]) ||
		(a->ship != b->ship && a->room >= 0) ||
		(search->problem->one_date && a->arrival != b->arrival))
		return false;
	for (i = 0; i < search->nlines; i++)
	{
		const SrcOption *mine = &a->options[i];
		const SrcOption *theirs = &b->options[i];

		if (theirs->cost == SRC_NEVER || theirs->avail == 0)
			continue;
		if (mine->cost == SRC_NEVER || mine->rate > theirs->rate ||
			mine->avail < theirs->avail)
			return false;
	}
	return true;
}

/*
 * In a plan that has no other shipment from its node, "by", of another node,
 * does what the candidate does at no higher cost, and at equal cost goes
 * before it in the order of plan.h.
 */
bool
src_can_replace(const SrcSearch *search, const SrcCandidate *by,
				const SrcCandidate *cand)
{
	const SrcProblem *problem = search->problem;
	int32_t		i;

	if (by->fixed > cand->fixed || by->much < cand->much ||
		(cand->carries & ~by->carries) != 0 || by->node == cand->node ||
		(by->fixed == cand->fixed && (by->arrival > cand->arrival || by->node > cand->node)))
		return false;
	if (by->room >= 0 || src_may_be_too_heavy(search, &problem->lanes[by->lane]) ||
		problem->nodes[by->node].min_value > problem->nodes[cand->node].min_value ||
		(problem->one_date && by->arrival != cand->arrival))
		return false;
	for (i = 0; i < search->nlines; i++)
	{
		const SrcOption *mine = &by->options[i];
		const SrcOption *theirs = &cand->options[i];

		if (theirs->cost != SRC_NEVER && theirs->avail > 0 &&
			(mine->cost == SRC_NEVER || mine->avail < theirs->avail ||
			 mine->rate > theirs->rate))
			return false;
	}
	return true;
}
