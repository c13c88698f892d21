/*
 * bounds.c
 *		What a plan that uses a node costs at the least.
 *
 * Guarantee: nothing but lanes, dates and what is forbidden is used, so a bound
 * holds whatever availability turns out to be; terms that depend on it count
 * as 0.  Where calendars close days the first bound is one without them, which
 * is never above; src_refine_bound looks at them, and is asked only for nodes
 * that are about to be read.
 */
#include <limits.h>

#include "cost.h"

/* more lines than this with several target days get a weaker bound */
#define TARGETS_COMPARED	16

/* what the lane's dates are worth to the lines, as far as it has been asked */
typedef struct LaneDates
{
	const SrcLane *lane;
	bool		closed;			/* there are calendars */
	bool		exact;			/* by them; else never later than they say */
	int32_t		possible;		/* first ship day */
	const SrcLine *last;		/* the line asked for last */
	int32_t		last_ship;
	int32_t		last_arrival;
} LaneDates;

static void
look_at_dates(LaneDates *dates, const SrcProblem *problem, const SrcLane *lane, bool exact)
{
	const SrcNode *node = &problem->nodes[lane->node];

	dates->lane = lane;
	dates->closed = node->calendar != NULL || lane->pickup != NULL ||
		lane->transit != NULL || problem->receiving != NULL;
	/* without calendars they agree */
	exact = exact && dates->closed;
	dates->exact = exact;
	dates->last = NULL;
	if (exact)
		dates->possible = src_ship_day(problem, lane, node->today);
	else
	{
		dates->possible = src_clamp_day((int64_t) node->today + node->handling_days);
		if (dates->possible < lane->first_ship)
			dates->possible = lane->first_ship;
	}
}

/*
 * The first ship day for a line and when it arrives; false if there is none.
 * As a rule all lines of an order ask the same.
 */
static bool
first_for(LaneDates *dates, const SrcProblem *problem, const SrcLine *line)
{
	const SrcLane *lane = dates->lane;
	const SrcLine *last = dates->last;
	int64_t		ship;

	if (last != NULL && last->requested == line->requested &&
		last->by_ship_day == line->by_ship_day && last->early_ok == line->early_ok &&
		last->not_before == line->not_before)
		return dates->last_arrival != CALENDAR_NEVER;
	dates->last = line;
	if (dates->exact)
	{
		dates->last_ship = src_first_ship(problem, lane, line, dates->possible);
		dates->last_arrival = dates->last_ship == CALENDAR_NEVER ? CALENDAR_NEVER :
			src_arrival_day(problem, lane, dates->last_ship);
		return dates->last_arrival != CALENDAR_NEVER;
	}
	ship = line->requested;
	if (!line->by_ship_day)
		ship -= lane->transit_days;
	/* closed days may bring the target day forward, but not to before the first */
	if (line->early_ok || dates->closed || ship < dates->possible)
		ship = dates->possible;
	if (ship < line->not_before)
		ship = line->not_before;
	dates->last_ship = src_clamp_day(ship);
	dates->last_arrival = src_clamp_day(ship + lane->transit_days);
	return dates->last_arrival != CALENDAR_NEVER;
}

/* may the line be carried by the lane at all, dates apart */
static bool
may_carry(const SrcSearch *search, const SrcLane *lane, int32_t line)
{
	return src_may_serve(search, lane->node, line) &&
		src_may_go(search->problem, (int32_t) (lane - search->problem->lanes), line);
}

/*
 * Floor of the variable cost of the line if the lane carries it on the ship
 * day or later, or not at all; "carried" says whether it can be.
 */
static int64_t
floor_of_line(const SrcSearch *search, const SrcLane *lane, int32_t which,
			  int32_t ship, int32_t arrival, bool *carried)
{
	const SrcLine *line = &search->problem->lines[which];
	int64_t		unserved = search->lines[which].unserved;
	int64_t		cost;

	*carried = false;
	if (src_meant_day(line, ship, arrival) > line->latest)
		return unserved;
	*carried = true;
	cost = src_floor_cost(search, which, lane, src_days_late(line, ship, arrival));
	return cost < unserved ? cost : unserved;
}

/*
 * Floor of the variable cost of a plan of a single shipment on that ship day:
 * what may not or cannot yet be carried on that day stays unserved.
 */
static int64_t
floor_on_day(const SrcSearch *search, LaneDates *dates, int32_t ship)
{
	const SrcProblem *problem = search->problem;
	int32_t		arrival = src_arrival_day(problem, dates->lane, ship);
	int64_t		sum = 0;
	bool		carried;
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
	{
		if (may_carry(search, dates->lane, i) &&
			first_for(dates, problem, &problem->lines[i]) && dates->last_ship <= ship)
			sum += floor_of_line(search, dates->lane, i, ship, arrival, &carried);
		else
			sum += search->lines[i].unserved;
	}
	return sum;
}

/*
 * floor_of_lane for the simple order, in which lines differ only in what they
 * are and how many: this is what every order pays for every lane.
 */
static int64_t
floor_of_plain_lane(SrcSearch *search, const SrcLane *lane, bool exact)
{
	const SrcProblem *problem = search->problem;
	uint64_t	per_kg = (uint64_t) lane->per_kg;
	LaneDates	dates;
	int64_t		late;
	int64_t		sum = 0;
	int32_t		i;

	look_at_dates(&dates, problem, lane, exact);
	if (!first_for(&dates, problem, &problem->lines[0]) ||
		src_meant_day(&problem->lines[0], dates.last_ship, dates.last_arrival) >
		problem->lines[0].latest)
		return INT64_MAX;
	late = src_days_late(&problem->lines[0], dates.last_ship, dates.last_arrival);
	for (i = 0; i < search->nlines; i++)
	{
		SrcLineInfo *info = &search->lines[i];
		uint64_t	weight = (uint64_t) info->weight;
		int64_t		cost;

		if (late == 0 && (weight | per_kg) < ((uint64_t) 1 << 31))
		{
			cost = (int64_t) (weight * per_kg / SRC_SCALE);
			cost = cost < search->amount_limit ? cost : search->amount_limit;
		}
		else
			cost = src_floor_cost(search, i, lane, late);
		if (cost > info->unserved)
			cost = info->unserved;
		if (cost < info->cheapest)
			info->cheapest = cost;
		sum += cost;
	}
	return sum;
}

/*
 * Floor of the variable cost of a single shipment on the lane with everything
 * available.  A shipment has one day, so lines with different target days
 * make each other late; without that, an order with several dates would have
 * every node read.  Lowers the "cheapest" of the lines.  INT64_MAX if the lane
 * can carry nothing.
 */
static int64_t
floor_of_lane(SrcSearch *search, const SrcLane *lane, bool exact)
{
	const SrcProblem *problem = search->problem;
	LaneDates	dates;
	int64_t		sum = 0;
	int32_t		first = 0;
	bool		have_first = false;
	bool		carries = false;
	bool		differ = false;
	int32_t		i;

	if (search->plain_lines && lane->risk == 0)
		return floor_of_plain_lane(search, lane, exact);
	look_at_dates(&dates, problem, lane, exact);
	for (i = 0; i < search->nlines; i++)
	{
		SrcLineInfo *info = &search->lines[i];
		bool		carried = false;
		int64_t		cost = info->unserved;

		if (may_carry(search, lane, i) && first_for(&dates, problem, &problem->lines[i]))
			cost = floor_of_line(search, lane, i, dates.last_ship, dates.last_arrival,
								 &carried);
		sum += cost;
		if (!carried)
			continue;
		if (cost < info->cheapest)
			info->cheapest = cost;
		carries = true;
		differ |= have_first && dates.last_ship != first;
		first = dates.last_ship;
		have_first = true;
	}
	if (!carries)
		return INT64_MAX;
	if (differ && exact && search->nlines <= TARGETS_COMPARED)
	{
		int64_t		least = INT64_MAX;

		/* between two targets a later day only adds lateness */
		for (i = 0; i < search->nlines; i++)
		{
			int64_t		on_day;

			if (!may_carry(search, lane, i) ||
				!first_for(&dates, problem, &problem->lines[i]))
				continue;
			on_day = floor_on_day(search, &dates, dates.last_ship);
			if (on_day < least)
				least = on_day;
		}
		sum = least;
	}
	return sum;
}

/*
 * What bounds of several shipments are made of, from min_fixed and the lines'
 * cheapest.  Every further shipment adds min_fixed and the penalty, and can
 * take off ship_slack by rounding: with two shipments the sum is least, unless
 * shipments are all but free.
 */
static void
sum_up(SrcSearch *search)
{
	const SrcProblem *problem = search->problem;
	int64_t		ship_slack;
	int32_t		i;

	search->slack_alone = src_slack(search, 1);
	search->slack_split = src_slack(search, 2);
	ship_slack = search->slack_split - search->slack_alone + 1;
	if (src_add(search->min_fixed, problem->split_penalty) < ship_slack)
		search->slack_split = src_slack(search,
										problem->max_shipments < SRC_PLAN_SHIPMENTS ?
										problem->max_shipments : SRC_PLAN_SHIPMENTS);
	search->cheapest = 0;
	for (i = 0; i < search->nlines; i++)
	{
		SrcLineInfo *info = &search->lines[i];

		if (info->cheapest > info->unserved)
			info->cheapest = info->unserved;
		search->cheapest += info->cheapest;
	}
}

/* the least that a shipment on the lane costs empty */
static int64_t
least_fixed(const SrcSearch *search, const SrcLane *lane)
{
	return src_lane_fixed(search, &search->problem->nodes[lane->node],
						  lane->open_day != INT32_MIN ? 0 : lane->base);
}

/*
 * Make the node's bound of the floor of a single shipment from it and its
 * least fixed cost, see src_bounds.
 */
static int64_t
node_bound(const SrcSearch *search, int64_t alone, int64_t fixed)
{
	const SrcProblem *problem = search->problem;

	alone -= search->slack_alone;
	if (problem->max_shipments >= 2)
	{
		int64_t		split;

		split = src_add(fixed + search->min_fixed + search->cheapest - search->slack_split,
						problem->split_penalty);
		if (split < alone)
			alone = split;
	}
	return alone > 0 ? alone : 0;
}

/* the bound of the node by the calendars; true if that is another one */
bool
src_refine_bound(SrcSearch *search, int32_t node, SrcNodeResult *out)
{
	const SrcNode *own = &search->problem->nodes[node];
	int64_t		before = out->bound;
	int64_t		alone = INT64_MAX;
	int64_t		fixed = INT64_MAX;
	int32_t		i;

	if (!search->calendars)
		return false;
	for (i = own->first_lane; i < own->first_lane + own->nlanes; i++)
	{
		const SrcLane *lane = &search->problem->lanes[i];
		int64_t		variable = floor_of_lane(search, lane, true);
		int64_t		empty = least_fixed(search, lane);

		if (variable == INT64_MAX)
			continue;
		if (empty + variable < alone)
			alone = empty + variable;
		if (empty < fixed)
			fixed = empty;
	}
	out->bound = alone == INT64_MAX ? INT64_MAX : node_bound(search, alone, fixed);
	if (out->bound < before)
		out->bound = before;
	return out->bound != before;
}

/* a floor of all plans that use the lane on the ship day or later */
int64_t
src_bound_from(SrcSearch *search, const SrcLane *lane, int32_t ship)
{
	const SrcProblem *problem = search->problem;
	int32_t		arrival = src_arrival_day(problem, lane, ship);
	int64_t		fixed = least_fixed(search, lane);
	int64_t		sum = fixed;
	int64_t		bound;
	bool		carried;
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
	{
		if (arrival != CALENDAR_NEVER && may_carry(search, lane, i))
			sum += floor_of_line(search, lane, i, ship, arrival, &carried);
		else
			sum += search->lines[i].unserved;
	}
	bound = node_bound(search, sum, fixed);
	if (!problem->one_date || arrival == CALENDAR_NEVER)
		return bound;

	/* everything else arrives as late, whatever carries it */
	sum = fixed - search->slack;
	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		const SrcLineInfo *info = &search->lines[i];
		src_int128	least = 0;

		if (!line->by_ship_day)
			least = (src_int128) src_days_late(line, ship, arrival) * line->lateness_per_day;
		if (least < info->cheapest)
			least = info->cheapest;
		sum += least < info->unserved ? (int64_t) least : info->unserved;
	}
	return sum > bound ? sum : bound;
}

/*
 * Once reading is over, what bounds are made of comes from the nodes that were
 * read: others are in no plan that src_bound_from speaks of, and so a search of
 * the read nodes alone comes to the same.
 */
void
src_bounds_of_read(SrcSearch *search, const SrcNodeResult *nodes)
{
	const SrcProblem *problem = search->problem;
	int32_t		i;

	search->min_fixed = search->amount_limit;
	for (i = 0; i < search->nlines; i++)
		search->lines[i].cheapest = search->lines[i].unserved;
	for (i = 0; i < problem->nlanes; i++)
	{
		const SrcLane *lane = &problem->lanes[i];
		int64_t		fixed = least_fixed(search, lane);

		if (nodes[lane->node].read && floor_of_lane(search, lane, true) != INT64_MAX &&
			fixed < search->min_fixed)
			search->min_fixed = fixed;
	}
	sum_up(search);
}

/*
 * Fill nodes[].bound: no plan that uses the node costs less, whatever is
 * available.  A node that can never serve anything gets INT64_MAX, and so does
 * one that has nothing.  Also sets min_fixed and the lines' cheapest, of the
 * other nodes.
 */
void
src_bounds(SrcSearch *search, SrcNodeResult *nodes)
{
	const SrcProblem *problem = search->problem;
	int32_t		n = src_nodes(problem);
	int32_t		k;
	int32_t		j;

	search->min_fixed = search->amount_limit;
	for (k = 0; k < problem->nnodes; k++)
	{
		nodes[k].bound = INT64_MAX;
		nodes[k].total = INT64_MAX;
	}
	for (k = 0; k < n; k++)
	{
		int32_t		i = src_node(problem, k);
		const SrcNode *node = &problem->nodes[i];
		bool		serves = false;

		/* "total" serves as the least fixed cost until the second pass */
		for (j = 0; j < search->nlines && !serves; j++)
			serves = src_may_serve(search, i, j);
		if (!serves)
			continue;
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
		{
			const SrcLane *lane = &problem->lanes[j];
			bool		calendars = node->calendar != NULL || lane->pickup != NULL ||
				lane->transit != NULL || problem->receiving != NULL;
			int64_t		fixed = least_fixed(search, lane);
			int64_t		alone = floor_of_lane(search, lane, !calendars);

			search->calendars |= calendars;
			if (alone == INT64_MAX)
				continue;
			if (fixed + alone < nodes[i].bound)
				nodes[i].bound = fixed + alone;
			if (fixed < nodes[i].total)
				nodes[i].total = fixed;
		}
		if (nodes[i].total < search->min_fixed)
			search->min_fixed = nodes[i].total;
	}

	for (k = 0; k < n; k++)
	{
		const SrcNode *node = &problem->nodes[src_node(problem, k)];

		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
			if (problem->lanes[j].per_kg > search->max_per_kg)
				search->max_per_kg = problem->lanes[j].per_kg;
	}
	sum_up(search);

	/* from here on that of the nodes that are read: others are in no plan */
	search->max_per_kg = 0;
	for (k = 0; k < n; k++)
	{
		int32_t		i = src_node(problem, k);

		if (nodes[i].bound != INT64_MAX)
			nodes[i].bound = node_bound(search, nodes[i].bound, nodes[i].total);
		nodes[i].total = INT64_MAX;
	}
}
