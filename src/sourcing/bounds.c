/*
 * bounds.c
 *		What a plan that uses a node costs at the least.
 *
 * Guarantee: nothing but lanes, dates and pins is used, so a bound holds
 * whatever availability turns out to be.
 */
#include <limits.h>

#include "cost.h"

/* more lines than this with several target days get a weaker bound */
#define TARGETS_COMPARED	16

/*
 * Floor of a plan of a single shipment on one day: what may not or cannot yet
 * be carried on that day stays unserved.
 */
static int64_t
floor_on_day(const SrcSearch *search, int32_t node, const SrcLane *lane,
			 int64_t day)
{
	const SrcProblem *problem = search->problem;
	int64_t		sum = 0;
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		int64_t		cost = search->lines[i].unserved;

		if (src_may_serve(search, node, i) &&
			src_target_day(line, &problem->nodes[node], lane) <= day)
		{
			int64_t		served;

			served = src_floor_cost(search, i, lane->per_kg,
									day + src_lead_days(line, lane) - line->requested);
			if (served < cost)
				cost = served;
		}
		sum += cost;
	}
	return sum;
}

/*
 * Floor of the variable cost of a single shipment on the lane with everything
 * available.  A shipment has one day, so lines with different target days
 * make each other late; without that, an order with several dates would have
 * every node read.  Lowers the "cheapest" of the lines.
 */
static int64_t
floor_of_lane(SrcSearch *search, int32_t node, const SrcLane *lane)
{
	const SrcProblem *problem = search->problem;
	int64_t		sum = 0;
	int64_t		first = 0;
	bool		have_first = false;
	bool		differ = false;
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		SrcLineInfo *info = &search->lines[i];
		int64_t		target;
		int64_t		cost;

		if (search->any_pinned && !src_may_serve(search, node, i))
		{
			sum += info->unserved;
			continue;
		}
		target = src_target_day(line, &problem->nodes[node], lane);
		cost = src_floor_cost(search, i, lane->per_kg,
							  target + src_lead_days(line, lane) - line->requested);
		if (cost < info->cheapest)
			info->cheapest = cost;
		sum += cost < info->unserved ? cost : info->unserved;
		differ |= have_first && target != first;
		first = target;
		have_first = true;
	}
	if (differ && search->nlines <= TARGETS_COMPARED)
	{
		int64_t		least = INT64_MAX;

		/* between two targets a later day only adds lateness */
		for (i = 0; i < search->nlines; i++)
		{
			int64_t		on_day;

			if (!src_may_serve(search, node, i))
				continue;
			on_day = floor_on_day(search, node, lane,
								  src_target_day(&problem->lines[i],
											 &problem->nodes[node], lane));
			if (on_day < least)
				least = on_day;
		}
		sum = least;
	}
	return sum;
}

/*
 * Fill nodes[].bound: no plan that uses the node costs less, whatever is
 * available.  A node that can never serve anything gets INT64_MAX.  Also sets
 * min_fixed and the lines' cheapest.
 */
void
src_bounds(SrcSearch *search, SrcNodeResult *nodes)
{
	const SrcProblem *problem = search->problem;
	int64_t		slack_alone = src_slack(search, 1);
	int64_t		slack_split;
	int64_t		ship_slack;
	int64_t		rest = 0;
	int32_t		i;
	int32_t		j;

	search->min_fixed = search->amount_limit;
	for (i = 0; i < problem->nnodes; i++)
	{
		const SrcNode *node = &problem->nodes[i];
		bool		serves = false;

		/* "total" serves as the least fixed cost until the second pass */
		nodes[i].bound = INT64_MAX;
		nodes[i].total = INT64_MAX;
		for (j = 0; j < search->nlines && !serves; j++)
			serves = src_may_serve(search, i, j);
		if (!serves)
			continue;
		for (j = 0; j < node->nlanes; j++)
		{
			const SrcLane *lane = &problem->lanes[node->first_lane + j];
			int64_t		fixed = src_lane_fixed(search, node, lane);
			int64_t		alone = fixed + floor_of_lane(search, i, lane);

			if (alone < nodes[i].bound)
				nodes[i].bound = alone;
			if (fixed < nodes[i].total)
				nodes[i].total = fixed;
		}
		if (nodes[i].total < search->min_fixed)
			search->min_fixed = nodes[i].total;
	}

	/*
	 * Every further shipment adds min_fixed and the penalty, and can take off
	 * ship_slack by rounding: with two shipments the sum is least, unless
	 * shipments are all but free.
	 */
	slack_split = src_slack(search, 2);
	ship_slack = slack_split - slack_alone + 1;
	if (search->min_fixed + problem->split_penalty < ship_slack)
		slack_split = src_slack(search,
								problem->max_shipments < SRC_PLAN_SHIPMENTS ?
								problem->max_shipments : SRC_PLAN_SHIPMENTS);
	for (i = 0; i < search->nlines; i++)
	{
		SrcLineInfo *info = &search->lines[i];

		if (info->cheapest > info->unserved)
			info->cheapest = info->unserved;
		rest += info->cheapest;
	}
	for (i = 0; i < problem->nnodes; i++)
	{
		int64_t		alone = nodes[i].bound;
		int64_t		split;

		if (alone == INT64_MAX)
			continue;
		alone -= slack_alone;
		if (problem->max_shipments >= 2)
		{
			split = src_add(nodes[i].total + search->min_fixed + rest - slack_split,
							problem->split_penalty);
			if (split < alone)
				alone = split;
		}
		nodes[i].bound = alone > 0 ? alone : 0;
		nodes[i].total = INT64_MAX;
	}
}
