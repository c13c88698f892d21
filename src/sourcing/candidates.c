/*
 * candidates.c
 *		From nodes and lanes to shipments that could be made.
 *
 * Guarantees:
 *
 *	- a shipment that src_read_node leaves out is never needed for a cheapest
 *	  plan: another lane or day of the same node takes everything it could
 *	  carry at no higher cost.  The one exception is a lane with more than
 *	  SRC_LANE_DAYS useful days; what such plans cost at the least is kept in
 *	  "cut_bound";
 *	- availability is asked for once per node and item, and not at all for
 *	  items that the node may not serve.
 */
#include <limits.h>
#include <string.h>

#include "cost.h"

#define MUCH	((int64_t) 1 << 32)	/* of a line; so that sums over lines fit */

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
last_step_on(const SrcProfile *profile, int32_t from, int32_t day)
{
	while (from + 1 < profile->nsteps && profile->steps[from + 1].day <= day)
		from++;
	return from;
}

/*
 * The first day after the step when more of the item can be had, or
 * CALENDAR_NEVER; beyond what is needed more is of use only for the
 * stock-balance price.
 */
static int32_t
next_rise(const SrcProfile *profile, int32_t step, int64_t need)
{
	int64_t		now = available_at(profile, step, need);
	int32_t		i;

	if (now >= need)
		return CALENDAR_NEVER;
	for (i = step + 1; i < profile->nsteps; i++)
		if (available_at(profile, i, need) > now)
			return profile->steps[i].day;
	return CALENDAR_NEVER;
}

/*
 * The next ship day after "ship" on which the lane could carry something that
 * it could not carry before: the first one of a line, or one for a rise of the
 * stock of a line that could be carried before.  CALENDAR_NEVER if there is
 * none.
 */
static int32_t
next_event(const SrcSearch *search, const SrcLane *lane, int32_t ship)
{
	const SrcProblem *problem = search->problem;
	int32_t		next = CALENDAR_NEVER;
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
	{
		const SrcLineInfo *info = &search->lines[i];
		int32_t		event = search->from[i];

		if (event <= ship)
		{
			int64_t		need = problem->lines[i].balance_price > 0 ?
				INT64_MAX : info->need;

			event = next_rise(&search->profile[info->item],
							  search->step[info->item], need);
			if (event != CALENDAR_NEVER)
				event = src_ship_day(problem, lane, event);
			if (event <= ship)	/* falling availability, a step passed */
				continue;
		}
		if (event < next)
			next = event;
	}
	if (lane->open_day > ship && lane->open_day < next && ship != INT32_MIN &&
		calendar_is_open(lane->pickup, lane->open_day))
		next = lane->open_day;
	return next;
}

/* the whole order fits in, however it is divided, and at no price */
bool
src_fits_all(const SrcSearch *search, const SrcRoom *room)
{
	int64_t		shipments = search->problem->max_shipments;

	return room->price == 0 && room->shipments >= shipments &&
		room->lines >= shipments * search->nlines && room->units >= search->order_units;
}

/* what the node can still do on the day: index into rooms[], -1 without limits */
static int32_t
room_on(SrcSearch *search, int32_t node, int32_t ship)
{
	const SrcProblem *problem = search->problem;
	SrcRoomDay *day;
	int32_t		i;

	if (problem->room == NULL)
		return -1;
	for (i = search->nrooms - 1; i >= 0 && search->rooms[i].node == node; i--)
		if (search->rooms[i].ship == ship)
			break;
	if (i < 0 || search->rooms[i].node != node)
	{
		if (search->nrooms == search->maxrooms)
		{
			SrcRoomDay *larger;

			search->maxrooms = search->maxrooms > 0 ? search->maxrooms * 4 : 32;
			larger = src_memory(problem, sizeof(SrcRoomDay), search->maxrooms);
			if (search->nrooms > 0)
				memcpy(larger, search->rooms,
					   sizeof(SrcRoomDay) * (size_t) search->nrooms);
			search->rooms = larger;
		}
		i = search->nrooms++;
		day = &search->rooms[i];
		memset(day, 0, sizeof(*day));
		day->node = node;
		day->ship = ship;
		problem->room(problem->arg, node, ship, &day->room);
	}
	day = &search->rooms[i];
	return src_fits_all(search, &day->room) ? -1 : i;
}

/* the line in the candidate, whose days and price are set */
static void
set_option(SrcSearch *search, SrcCandidate *cand, int32_t which)
{
	const SrcProblem *problem = search->problem;
	const SrcLine *line = &problem->lines[which];
	const SrcLineInfo *info = &search->lines[which];
	const SrcProfile *profile = &search->profile[info->item];
	SrcOption  *option = &cand->options[which];
	int64_t		late;

	option->rate = 0;
	option->cost = SRC_NEVER;
	option->gain = 0;
	option->part = 0;
	option->late = 0;
	option->available = available_at(profile, search->step[info->item], INT64_MAX);
	option->avail = option->available < info->need ? option->available : info->need;
	if (line->quantity <= 0 || search->from[which] > cand->ship ||
		src_meant_day(line, cand->ship, cand->arrival) > line->latest)
		return;
	late = src_days_late(line, cand->ship, cand->arrival);
	option->late = src_clamp_day(late);
	option->cost = src_floor_cost(search, which, &problem->lanes[cand->lane], late);
	if (option->avail == 0)
		return;
	if (line->balance_price > 0)
	{
		src_int128	cost = (src_int128) line->balance_price * line->quantity /
			option->available + option->cost;

		option->cost = cost < search->amount_limit ? (int64_t) cost : search->amount_limit;
	}
	option->rate = src_exact_rate(search, which, cand);
	if (option->cost < info->unserved)
	{
		int64_t		most = option->avail < line->quantity ?
			option->avail : line->quantity;

		/* rounded up: a gain is an upper bound */
		option->gain = src_floor_part(info->unserved - option->cost, most,
									  line->quantity);
		if (most < line->quantity)
			option->gain++;
		option->part = src_floor_part(option->cost, most, line->quantity);
		cand->gain += option->gain;
	}
}

static bool
has_limits(const SrcRoom *room)
{
	return room->shipments != INT64_MAX || room->lines != INT64_MAX ||
		room->units != INT64_MAX;
}

/* append a candidate; NULL if it could carry nothing */
static const SrcCandidate *
add_candidate(SrcSearch *search, int32_t node, int32_t lane, int32_t ship)
{
	const SrcProblem *problem = search->problem;
	const SrcLane *own = &problem->lanes[lane];
	int32_t		arrival = src_arrival_day(problem, own, ship);
	int32_t		day = src_stock_day(problem, own, ship);
	SrcCandidate *cand;
	int32_t		i;

	if (arrival == CALENDAR_NEVER || day == CALENDAR_NEVER)
		return NULL;
	if (search->ncand == search->maxcand)
	{
		SrcCandidate *larger;

		search->maxcand *= 4;
		larger = problem->alloc(problem->arg,
								sizeof(SrcCandidate) * (size_t) search->maxcand);
		memcpy(larger, search->cand,
			   sizeof(SrcCandidate) * (size_t) search->ncand);
		search->cand = larger;
		search->net = src_memory(problem, sizeof(int64_t), search->maxcand);
	}
	cand = &search->cand[search->ncand];
	cand->node = node;
	cand->lane = lane;
	cand->day = day;
	cand->ship = ship;
	cand->arrival = arrival;
	cand->base = ship == own->open_day ? 0 : own->base;
	cand->room = room_on(search, node, ship);
	cand->price = cand->room < 0 ? 0 : search->rooms[cand->room].room.price;
	cand->fixed = src_add(src_lane_fixed(search, &problem->nodes[node], cand->base),
						  cand->price);
	if (cand->fixed > search->amount_limit)
		cand->fixed = search->amount_limit;
	cand->gain = 0;
	cand->carries = 0;
	cand->much = 0;
	cand->options = problem->alloc(problem->arg,
								   sizeof(SrcOption) * (size_t) search->nlines);
	for (i = 0; i < search->nlines; i++)
	{
		set_option(search, cand, i);
		if (cand->options[i].cost != SRC_NEVER && cand->options[i].avail > 0)
		{
			cand->carries |= (uint64_t) 1 << (i % 64);
			cand->much += cand->options[i].avail < MUCH ? cand->options[i].avail : MUCH;
		}
	}
	if (cand->carries == 0)
		return NULL;
	if (problem->nodes[node].min_value > 0 || src_may_be_too_heavy(search, own) ||
		(cand->room >= 0 && has_limits(&search->rooms[cand->room].room)))
		search->constrained = search->coupled = true;
	search->ncand++;
	return cand;
}

/* tell the line bounds of a candidate that will stay */
void
src_note_candidate(SrcSearch *search, const SrcCandidate *cand)
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
		{
			search->best_lines += option->cost - info->best;
			info->best = option->cost;
		}
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
move_to_day(SrcSearch *search, int32_t day)
{
	int32_t		i;

	if (day == CALENDAR_NEVER)
		return;
	for (i = 0; i < search->nitems; i++)
		search->step[i] = last_step_on(&search->profile[i], search->step[i], day);
}

/* days of the lane from "ship" on are not tried */
void
src_note_cut(SrcSearch *search, const SrcLane *lane, int32_t ship)
{
	if (search->ncuts == search->maxcuts)
	{
		SrcCut	   *larger;

		search->maxcuts = search->maxcuts > 0 ? search->maxcuts * 4 : 16;
		larger = src_memory(search->problem, sizeof(SrcCut), search->maxcuts);
		if (search->ncuts > 0)
			memcpy(larger, search->cuts, sizeof(SrcCut) * (size_t) search->ncuts);
		search->cuts = larger;
	}
	search->cuts[search->ncuts].lane = (int32_t) (lane - search->problem->lanes);
	search->cuts[search->ncuts++].ship = ship;
}

/* no line that the lane may carry can be carried as late as that */
static bool
past_latest(const SrcSearch *search, const SrcLane *lane, int32_t ship)
{
	const SrcProblem *problem = search->problem;
	int32_t		arrival = src_arrival_day(problem, lane, ship);
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
		if (search->from[i] != CALENDAR_NEVER && problem->lines[i].quantity > 0 &&
			src_meant_day(&problem->lines[i], ship, arrival) <= problem->lines[i].latest)
			return false;
	return true;
}

/* turn to a lane: before its first day */
void
src_use_lane(SrcSearch *search, int32_t node, int32_t which)
{
	const SrcProblem *problem = search->problem;
	const SrcLane *lane = &problem->lanes[which];
	int32_t		possible = src_ship_day(problem, lane, problem->nodes[node].today);
	const SrcLine *last = NULL;
	int32_t		first = CALENDAR_NEVER;
	int32_t		i;

	for (i = 0; i < search->nitems; i++)
		search->step[i] = -1;
	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];

		search->from[i] = CALENDAR_NEVER;
		if (!src_may_serve(search, node, i) || !src_may_go(problem, which, i))
			continue;
		if (last == NULL || !src_same_days(last, line))
			first = src_first_ship(problem, lane, line, possible);
		last = line;
		search->from[i] = first;
	}
}

/* a day of that lane, later than those before; NULL if it could carry nothing */
const SrcCandidate *
src_add_day(SrcSearch *search, int32_t node, int32_t lane, int32_t ship)
{
	move_to_day(search, src_stock_day(search->problem, &search->problem->lanes[lane], ship));
	return add_candidate(search, node, lane, ship);
}

/*
 * The useful ship days of one lane become candidates.  A day on which nothing
 * new can be carried is of use only if the days before have limits or a price,
 * if a day takes a limited part of an order, or if arrivals must meet.
 */
static void
add_lane(SrcSearch *search, int32_t node, int32_t which)
{
	const SrcProblem *problem = search->problem;
	const SrcLane *lane = &problem->lanes[which];
	bool		repeat = search->sole_parts || src_may_be_too_heavy(search, lane);
	int32_t		ship = INT32_MIN;
	int32_t		ndays = 0;
	int32_t		unlimited = 0;	/* days since the event, but for those with limits */
	bool		follow = false; /* the day after is of use, too */
	bool		cut = false;

	src_use_lane(search, node, which);
	for (;;)
	{
		const SrcCandidate *cand;
		int32_t		event = next_event(search, lane, ship);
		int32_t		next = event;

		if (follow && ship + 1 < event)
		{
			next = calendar_from(lane->pickup, ship + 1);
			if (next > event)
				next = event;
		}
		if (next == CALENDAR_NEVER)
			break;
		ship = next;
		move_to_day(search, src_stock_day(problem, lane, ship));
		if (ndays >= SRC_LANE_DAYS - 1 &&
			(ship != event || next_event(search, lane, ship) != CALENDAR_NEVER))
		{
			/* the last event of all is worth more than the next day */
			if (!cut && problem->one_date)
				search->resume[which] = ship;
			else if (!cut)
				src_note_cut(search, lane, ship);
			cut = true;
			follow = false;
			continue;
		}
		cand = add_candidate(search, node, which, ship);
		if (cand == NULL)
		{
			follow = false;
			if (past_latest(search, lane, ship))
				break;
			continue;
		}
		ndays++;
		unlimited = (ship == event ? 0 : unlimited) + (cand->room < 0);
		follow = problem->one_date || cand->room >= 0 ||
			(repeat && unlimited < search->exhaustive);
	}
}

/* as far as stock and dates go, the candidate alone can carry all lines completely */
bool
src_carries_all(const SrcSearch *search, const SrcCandidate *cand)
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

/* no rule keeps the candidate from carrying all lines completely */
static bool
whole_allowed(SrcSearch *search, int32_t cand)
{
	int32_t		i;

	if (!search->constrained)
		return true;
	for (i = 0; i < search->nlines; i++)
	{
		int64_t		quantity = search->problem->lines[i].quantity;

		search->quantity[i] = quantity > 0 ? quantity : 0;
	}
	return src_broken(search, &cand, 1, search->quantity) == 0;
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
	bool		any = false;
	int32_t		i;
	int32_t		j;

	out->read = true;
	if (problem->one_date)
	{
		search->profile = src_memory(problem, sizeof(SrcProfile), search->nitems);
		search->profiles[node] = search->profile;
	}
	for (i = own->first_lane; i < own->first_lane + own->nlanes; i++)
		if (problem->lanes[i].per_kg > search->max_per_kg)
			search->max_per_kg = problem->lanes[i].per_kg;
	search->slack = src_slack(search, search->exhaustive);
	for (i = 0; i < search->nitems; i++)
		search->step[i] = 0;
	for (i = 0; i < search->nlines; i++)
		if (src_may_serve(search, node, i))
			search->step[search->lines[i].item] = 1;
	for (i = 0; i < search->nitems; i++)
	{
		search->profile[i] = (SrcProfile) {0, NULL};
		if (search->step[i])
			problem->profile(problem->arg, node, search->item_number[i],
							 &search->profile[i]);
		any |= search->profile[i].nsteps > 0;
	}

	/* with nothing on any day no shipment carries anything */
	for (i = own->first_lane; any && i < own->first_lane + own->nlanes; i++)
		if (!src_lane_dominated(search, own, i))
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
				dominated = src_dominates(search, &search->cand[j],
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

		src_note_candidate(search, cand);
		if (!src_carries_all(search, cand) || !whole_allowed(search, i))
			continue;
		src_evaluate(search, &i, 1, INT64_MAX, &figures);
		if (!figures.feasible)
			continue;
		if (!out->feasible || figures.total < out->total ||
			(figures.total == out->total && cand->arrival < out->arrival))
		{
			out->feasible = true;
			out->total = figures.total;
			out->arrival = cand->arrival;
		}
	}
	if (out->feasible || problem->plan_only)
		return;
	src_find_shortage(search, node, out);
	out->failed = src_failures(search, node, start);
}
