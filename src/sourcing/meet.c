/*
 * meet.c
 *		Days on which shipments could arrive together, for orders of one date.
 *
 * Arrivals must meet, so that every day on which a lane leaves may be of use,
 * without end.  An end there is all the same: after the last day on which
 * anything changes (a step of stock, a day that is an exception in a calendar,
 * a first day of a line) weeks repeat.  A plan whose stock is needed a week
 * after that or later is also possible a week earlier, at no higher cost, as
 * long as no room of a day is in its way.
 *
 * Guarantee: what plans with days cost at the least that were neither tried nor
 * are beyond that end is noted as a cut.
 */
#include "cost.h"

#define WEEK		7
#define MEET_DAYS	48			/* days added per lane at a time */
#define MEET_WEEKS	3			/* weeks added until no room is in the way */

static int32_t
later(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t
after_exceptions(const Calendar *calendar, int32_t day)
{
	if (calendar == NULL || calendar->nexceptions == 0)
		return day;
	return later(day, src_clamp_day((int64_t) calendar->exceptions[calendar->nexceptions - 1] + 1));
}

/* from that day on every week is like the one before, for the nodes read */
static int32_t
first_quiet_day(SrcSearch *search, const SrcNodeResult *nodes)
{
	const SrcProblem *problem = search->problem;
	int32_t		quiet = after_exceptions(problem->receiving, INT32_MIN);
	int32_t		i;
	int32_t		j;

	for (i = 0; i < problem->nnodes; i++)
	{
		if (!nodes[i].read)
			continue;
		quiet = after_exceptions(problem->nodes[i].calendar, later(quiet, problem->nodes[i].today));
		for (j = 0; j < search->nitems; j++)
		{
			const SrcProfile *profile = &search->profiles[i][j];

			if (profile->nsteps > 0)
				quiet = later(quiet, profile->steps[profile->nsteps - 1].day);
		}
	}
	for (i = 0; i < problem->nlanes; i++)
	{
		const SrcLane *lane = &problem->lanes[i];

		if (!nodes[lane->node].read)
			continue;
		quiet = after_exceptions(lane->pickup, after_exceptions(lane->transit, quiet));
		quiet = later(quiet, lane->first_ship);
		if (lane->open_day != INT32_MIN)
			quiet = later(quiet, src_clamp_day((int64_t) lane->open_day + 1));
		src_use_lane(search, lane->node, i);
		for (j = 0; j < search->nlines; j++)
			if (search->from[j] != CALENDAR_NEVER)
				quiet = later(quiet, search->from[j]);
	}
	return quiet;
}

/* some day of the node on which the lane arrives after "from", up to "until", has limits */
static bool
has_rooms(const SrcSearch *search, const SrcLane *lane, int64_t from, int32_t until)
{
	int32_t		i;

	for (i = 0; i < search->nrooms; i++)
	{
		const SrcRoomDay *day = &search->rooms[i];
		int32_t		arrival;

		if (day->node != lane->node || src_fits_all(search, &day->room))
			continue;
		arrival = src_arrival_day(search->problem, lane, day->ship);
		if (arrival > from && arrival <= until)
			return true;
	}
	return false;
}

static bool
is_candidate(const SrcSearch *search, int32_t lane, int32_t ship, int32_t n)
{
	int32_t		i;

	for (i = 0; i < n; i++)
		if (search->cand[i].lane == lane && search->cand[i].ship == ship)
			return true;
	return false;
}

/* add the days of the lane that arrive until then; or note a cut if they are of no use */
static void
add_days(SrcSearch *search, int32_t which, int32_t until)
{
	const SrcProblem *problem = search->problem;
	const SrcLane *lane = &problem->lanes[which];
	int32_t		ship = search->resume[which];
	int32_t		before = search->ncand;
	int32_t		ndays;
	bool		done = false;	/* nothing later is of use */
	bool		goes_on = false;	/* later days are left for another time */
	int32_t		i;

	src_use_lane(search, lane->node, which);
	search->profile = search->profiles[lane->node];
	for (ndays = 0; ndays < MEET_DAYS && ship != CALENDAR_NEVER; ndays++)
	{
		int32_t		arrival = src_arrival_day(problem, lane, ship);

		done = arrival == CALENDAR_NEVER ||
			src_bound_from(search, lane, ship) > search->best.total;
		goes_on = !done && arrival > until;
		if (done || goes_on)
			break;
		if (!is_candidate(search, which, ship, before))
			(void) src_add_day(search, lane->node, which, ship);
		ship = ship == INT32_MAX ? CALENDAR_NEVER : calendar_from(lane->pickup, ship + 1);
	}
	if (ship != CALENDAR_NEVER && !goes_on &&
		src_arrival_day(problem, lane, ship) != CALENDAR_NEVER)
		src_note_cut(search, lane, ship);
	search->resume[which] = goes_on ? ship : CALENDAR_NEVER;
	for (i = before; i < search->ncand; i++)
		src_note_candidate(search, &search->cand[i]);
}

/* what src_read_node has left to try, now that all nodes are read */
void
src_meet(SrcSearch *search, const SrcNodeResult *nodes)
{
	const SrcProblem *problem = search->problem;
	int32_t		start = search->ncand;
	int32_t		until = INT32_MIN;
	int64_t		quiet;
	int32_t		weeks;
	bool		any = false;
	int32_t		i;

	for (i = 0; i < problem->nlanes && problem->one_date; i++)
		any |= nodes[problem->lanes[i].node].read && search->resume[i] != CALENDAR_NEVER;
	if (!any)
		return;
	quiet = first_quiet_day(search, nodes);
	for (i = 0; i < problem->nlanes; i++)
	{
		const SrcLane *lane = &problem->lanes[i];
		int32_t		arrival;

		if (!nodes[lane->node].read)
			continue;
		arrival = src_arrival_day(problem, lane,
								  src_ship_day(problem, lane, src_clamp_day(quiet + WEEK)));
		if (arrival != CALENDAR_NEVER)
			until = later(until, arrival);
	}
	for (weeks = 0; any; weeks++)
	{
		any = false;
		for (i = 0; i < problem->nlanes; i++)
			if (nodes[problem->lanes[i].node].read && search->resume[i] != CALENDAR_NEVER)
				add_days(search, i, until);
		for (i = 0; i < problem->nlanes; i++)
			any |= nodes[problem->lanes[i].node].read && search->resume[i] != CALENDAR_NEVER &&
				has_rooms(search, &problem->lanes[i], (int64_t) until - WEEK, until);
		if (weeks == MEET_WEEKS || until > INT32_MAX - WEEK)
			break;
		until += any ? WEEK : 0;
	}
	for (i = 0; i < problem->nlanes && any; i++)
		if (nodes[problem->lanes[i].node].read && search->resume[i] != CALENDAR_NEVER)
			src_note_cut(search, &problem->lanes[i], search->resume[i]);
	for (i = start; i < search->ncand; i++)
		src_offer_alone(search, i);
}
