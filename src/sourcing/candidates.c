/*
 * candidates.c
 *		From nodes and lanes to shipments that could be made.
 *
 * Guarantees:
 *
 *	- a shipment that src_read_node leaves out is never needed for a cheapest
 *	  plan: another lane or day of the same node takes everything it could
 *	  carry at no higher cost.  The one exception is a lane with more than
 *	  SRC_LANE_DAYS useful days, which is remembered in "days_cut";
 *	- availability is asked for once per node and item, and not at all for
 *	  items that the node may not serve.
 */
#include <limits.h>
#include <string.h>

#include "cost.h"

/* the lane is never better than another one of its node; see plan.h on ties */
static bool
lane_dominated(const SrcSearch *search, const SrcNode *node, int32_t which)
{
	const SrcLane *lanes = search->problem->lanes;
	const SrcLane *lane = &lanes[which];
	int32_t		i;

	for (i = node->first_lane; i < node->first_lane + node->nlanes; i++)
	{
		const SrcLane *by = &lanes[i];

		if (i == which || by->base > lane->base || by->per_kg > lane->per_kg ||
			by->transit_days > lane->transit_days)
			continue;

		/*
		 * The faster lane may leave later to meet a delivery day, which would
		 * delay a line that asks for a ship day.
		 */
		if (search->mixed && by->transit_days != lane->transit_days)
			continue;
		if (by->base < lane->base || i < which)
			return true;
	}
	return false;
}

/*
 * Candidate a makes candidate b of the same node superfluous: whatever b
 * carries, a can, at no higher cost.  Where stock is the same on both days it
 * does not matter which is earlier: the days between see at least as much.
 */
static bool
candidate_dominates(const SrcSearch *search, const SrcCandidate *a,
					const SrcCandidate *b)
{
	const SrcLane *lanes = search->problem->lanes;
	int32_t		i;

	if (a->fixed > b->fixed || lanes[a->lane].per_kg > lanes[b->lane].per_kg)
		return false;
	if (a->fixed == b->fixed && (a->arrival > b->arrival || a->lane > b->lane))
		return false;
	for (i = 0; i < search->nlines; i++)
	{
		const SrcOption *mine = &a->options[i];
		const SrcOption *theirs = &b->options[i];

		if (theirs->cost == SRC_NEVER || theirs->avail == 0)
			continue;
		if (mine->cost == SRC_NEVER || mine->late > theirs->late ||
			mine->avail < theirs->avail)
			return false;
	}
	return true;
}

/* what of an item is available on step "step" (-1: before the first) */
static int64_t
available_at(const SrcProfile *profile, int32_t step, int64_t need)
{
	int64_t		available = step < 0 ? 0 : profile->steps[step].available;

	if (available < 0)
		return 0;
	return available < need ? available : need;
}

static int32_t
last_step_on(const SrcProfile *profile, int32_t from, int64_t day)
{
	while (from + 1 < profile->nsteps && profile->steps[from + 1].day <= day)
		from++;
	return from;
}

/* the first day after "day" when more of the item can be had, or INT64_MAX */
static int64_t
next_rise(const SrcProfile *profile, int32_t step, int64_t day, int64_t need)
{
	int64_t		now = available_at(profile, step, need);
	int32_t		i;

	if (now >= need)
		return INT64_MAX;
	for (i = step + 1; i < profile->nsteps; i++)
		if (profile->steps[i].day > day &&
			available_at(profile, i, need) > now)
			return profile->steps[i].day;
	return INT64_MAX;
}

/*
 * The next day after "day" on which the lane could carry something that it
 * could not carry before: a line's target, or a rise of the stock of a line
 * that is past its target.  INT64_MAX if there is none.
 */
static int64_t
next_day(const SrcSearch *search, int32_t node, const SrcLane *lane,
		 int64_t day)
{
	const SrcProblem *problem = search->problem;
	int64_t		next = INT64_MAX;
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
	{
		const SrcLineInfo *info = &search->lines[i];
		int64_t		event;

		if (search->any_pinned && !src_may_serve(search, node, i))
			continue;
		event = src_target_day(&problem->lines[i], &problem->nodes[node], lane);
		if (event <= day)
			event = next_rise(&search->profile[info->item],
							  search->step[info->item], day, info->need);
		if (event < next)
			next = event;
	}
	return next;
}

/* append a candidate; false if it could carry nothing */
static bool
add_candidate(SrcSearch *search, int32_t node, int32_t lane, int64_t day)
{
	const SrcProblem *problem = search->problem;
	const SrcLane *own = &problem->lanes[lane];
	SrcCandidate *cand;
	bool		carries = false;
	int32_t		i;

	if (search->ncand == search->maxcand)
	{
		SrcCandidate *larger;

		search->maxcand *= 4;
		larger = problem->alloc(problem->arg,
								sizeof(SrcCandidate) * (size_t) search->maxcand);
		memcpy(larger, search->cand,
			   sizeof(SrcCandidate) * (size_t) search->ncand);
		search->cand = larger;
	}
	cand = &search->cand[search->ncand];
	cand->node = node;
	cand->lane = lane;
	cand->day = src_clamp_day(day);
	cand->arrival = src_clamp_day(day + own->transit_days);
	cand->fixed = src_lane_fixed(search, &problem->nodes[node], own);
	cand->gain = 0;
	cand->options = problem->alloc(problem->arg,
								   sizeof(SrcOption) * (size_t) search->nlines);
	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		const SrcLineInfo *info = &search->lines[i];
		SrcOption  *option = &cand->options[i];
		int64_t		late;

		option->cost = SRC_NEVER;
		option->gain = 0;
		option->late = 0;
		option->avail = available_at(&search->profile[info->item],
									 search->step[info->item], info->need);
		if (!src_may_serve(search, node, i) || line->quantity <= 0 ||
			src_target_day(line, &problem->nodes[node], own) > day)
			continue;
		late = day + src_lead_days(line, own) - line->requested;
		option->late = late > 0 ? src_clamp_day(late) : 0;
		option->cost = src_floor_cost(search, i, own->per_kg, late);
		if (option->avail == 0)
			continue;
		carries = true;
		if (option->cost < info->unserved)
		{
			int64_t		most = option->avail < line->quantity ?
				option->avail : line->quantity;

			/* rounded up: a gain is an upper bound */
			option->gain = src_floor_part(info->unserved - option->cost, most,
										  line->quantity);
			if (most < line->quantity)
				option->gain++;
			cand->gain += option->gain;
		}
	}
	if (carries)
		search->ncand++;
	return carries;
}

/* tell the line bounds of a candidate that will stay */
static void
note_candidate(SrcSearch *search, const SrcCandidate *cand)
{
	int32_t		i;
	int32_t		j;

	if (cand->fixed < search->cand_min_fixed)
		search->cand_min_fixed = cand->fixed;
	for (i = 0; i < search->nlines; i++)
	{
		const SrcOption *option = &cand->options[i];
		SrcLineInfo *info = &search->lines[i];
		int64_t		gain = option->gain;

		if (gain == 0)
			continue;
		info->serving++;
		if (option->cost < info->best)
			info->best = option->cost;
		for (j = 0; j < SRC_EXACT_SHIPMENTS; j++)
		{
			int64_t		other = info->top[j];

			if (gain > other)
			{
				info->top[j] = gain;
				gain = other;
			}
		}
	}
}

/* put the items' step positions on a day; days only grow within a lane */
static void
move_to_day(SrcSearch *search, int64_t day)
{
	int32_t		i;

	for (i = 0; i < search->nitems; i++)
		search->step[i] = last_step_on(&search->profile[i], search->step[i], day);
}

/* the useful days of one lane become candidates */
static void
add_lane(SrcSearch *search, int32_t node, int32_t which)
{
	const SrcLane *lane = &search->problem->lanes[which];
	int64_t		day = INT64_MIN;
	int64_t		next;
	int32_t		ndays = 0;
	int32_t		i;

	for (i = 0; i < search->nitems; i++)
		search->step[i] = -1;
	next = next_day(search, node, lane, day);
	while (next != INT64_MAX)
	{
		day = next;
		move_to_day(search, day);
		next = next_day(search, node, lane, day);
		if (ndays == SRC_LANE_DAYS - 1 && next != INT64_MAX)
		{
			/* the last day of all is worth more than the next one */
			search->days_cut = true;
			continue;
		}
		if (add_candidate(search, node, which, day))
			ndays++;
	}
}

/*
 * Why the node cannot serve everything: the first line that is short on its
 * target day, on the lane on which it is least short.  Lines of one item are
 * served in input order here.
 */
static void
find_shortage(const SrcSearch *search, int32_t which, SrcNodeResult *out)
{
	const SrcProblem *problem = search->problem;
	const SrcNode *node = &problem->nodes[which];
	int32_t		i;
	int32_t		j;

	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		const SrcLineInfo *info = &search->lines[i];
		const SrcProfile *profile = &search->profile[info->item];
		int64_t		before = 0;
		int64_t		offered = -1;
		int64_t		offered_day = 0;

		for (j = 0; j < i && info->shared; j++)
			if (search->lines[j].item == info->item &&
				src_may_serve(search, which, j))
				before = src_add(before, problem->lines[j].quantity);
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
		{
			int64_t		day = src_target_day(line, node, &problem->lanes[j]);
			int64_t		left = 0;

			if (src_may_serve(search, which, i))
				left = available_at(profile, last_step_on(profile, -1, day),
									INT64_MAX) - before;
			if (left < 0)
				left = 0;
			if (left > offered || (left == offered && day < offered_day))
			{
				offered = left;
				offered_day = day;
			}
		}
		if (offered >= line->quantity)
			continue;
		out->short_line = i;
		out->short_available = offered;
		out->short_day = src_clamp_day(offered_day);
		for (j = 0; src_may_serve(search, which, i) && j < profile->nsteps; j++)
		{
			if (profile->steps[j].available - before < line->quantity)
				continue;
			out->complete_day = profile->steps[j].day;
			if (out->complete_day < out->short_day)
				out->complete_day = out->short_day;
			break;
		}
		return;
	}
}

/* the candidate alone can carry all lines completely */
static bool
carries_all(const SrcSearch *search, const SrcCandidate *cand)
{
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
	{
		const SrcOption *option = &cand->options[i];

		if (search->problem->lines[i].quantity > 0 &&
			(option->cost == SRC_NEVER || option->avail < search->lines[i].need))
			return false;
	}
	return true;
}

/*
 * Ask for the availability at a node and add its candidates at the end of the
 * search's.  Says in "out" what the node could do alone.
 */
void
src_read_node(SrcSearch *search, int32_t node, SrcNodeResult *out)
{
	const SrcProblem *problem = search->problem;
	const SrcNode *own = &problem->nodes[node];
	int32_t		start = search->ncand;
	int32_t		kept = start;
	int32_t		i;
	int32_t		j;

	out->read = true;
	for (i = 0; i < search->nitems; i++)
		search->step[i] = 0;
	for (i = 0; i < search->nlines; i++)
		if (src_may_serve(search, node, i))
			search->step[search->lines[i].item] = 1;
	for (i = 0; i < search->nitems; i++)
	{
		search->profile[i].nsteps = 0;
		search->profile[i].steps = NULL;
		if (search->step[i])
			problem->profile(problem->arg, node, search->item_number[i],
							 &search->profile[i]);
	}

	for (i = own->first_lane; i < own->first_lane + own->nlanes; i++)
		if (!lane_dominated(search, own, i))
			add_lane(search, node, i);

	for (i = start; i < search->ncand; i++)
	{
		bool		dominated = false;

		/* compare with those kept and those still to come, each once */
		for (j = start; j < search->ncand && !dominated; j++)
		{
			if (j == kept && j < i)
				j = i;
			if (j != i)
				dominated = candidate_dominates(search, &search->cand[j],
												&search->cand[i]);
		}
		if (!dominated)
			search->cand[kept++] = search->cand[i];
	}
	search->ncand = kept;

	for (i = start; i < search->ncand; i++)
	{
		const SrcCandidate *cand = &search->cand[i];
		SrcFigures	figures;

		note_candidate(search, cand);
		if (!carries_all(search, cand))
			continue;
		src_evaluate(search, &i, 1, &figures);
		if (!out->feasible || figures.total < out->total ||
			(figures.total == out->total && cand->arrival < out->arrival))
		{
			out->feasible = true;
			out->total = figures.total;
			out->arrival = cand->arrival;
		}
	}
	if (!out->feasible)
		find_shortage(search, node, out);
}
