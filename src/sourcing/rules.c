/*
 * rules.c
 *		Whether given quantities keep the rules of plan.h.
 *
 * Guarantee: quantities without a broken rule are a plan.  Nothing is searched
 * here; what is found by whatever way is measured by this.
 */
#include "cost.h"

/* the rules of one line about its parts */
static bool
parts_kept(const SrcLine *line, const int64_t *row, int32_t n)
{
	int64_t		left = line->quantity;
	int32_t		nparts = 0;
	int32_t		i;

	for (i = 0; i < n; i++)
	{
		int64_t		part = row[i];

		if (part == 0)
			continue;
		nparts++;
		left -= part;
		if ((line->multiple > 0 && part % line->multiple != 0) ||
			part < line->min_part ||
			(line->max_part > 0 && part > line->max_part) ||
			(part < line->split_min && part != line->quantity))
			return false;
	}
	return nparts == 0 || left == 0 || left >= line->split_min;
}

/* the lines of a group go whole, with one shipment, or not at all */
static bool
groups_kept(const SrcSearch *search, int32_t n, const int64_t *quantity)
{
	const SrcLine *lines = search->problem->lines;
	int32_t		i;
	int32_t		j;
	int32_t		k;

	for (i = 0; i < search->nlines; i++)
	{
		const int64_t *mine = quantity + (size_t) i * n;

		if (lines[i].group < 0 || lines[i].quantity <= 0)
			continue;
		for (k = 0; k < n; k++)
			if (mine[k] != 0 && mine[k] != lines[i].quantity)
				return false;
		for (j = 0; j < i; j++)
		{
			const int64_t *theirs = quantity + (size_t) j * n;

			if (lines[j].group != lines[i].group || lines[j].quantity <= 0)
				continue;
			for (k = 0; k < n; k++)
				if ((mine[k] != 0) != (theirs[k] != 0))
					return false;
			break;
		}
	}
	return true;
}

static bool
stock_kept(const SrcSearch *search, const int32_t *cand, int32_t n,
		   const int64_t *quantity)
{
	int32_t		i;
	int32_t		j;
	int32_t		k;
	int32_t		line;

	for (i = 0; i < search->nlines; i++)
		for (k = 0; k < n; k++)
		{
			const SrcCandidate *own = &search->cand[cand[k]];
			int64_t		taken = 0;

			if (quantity[(size_t) i * n + k] == 0)
				continue;
			if (own->options[i].cost == SRC_NEVER)
				return false;
			for (line = 0; line < search->nlines; line++)
				for (j = 0; j < n; j++)
				{
					const SrcCandidate *other = &search->cand[cand[j]];

					if (search->lines[line].item == search->lines[i].item &&
						other->node == own->node && other->day <= own->day)
						taken += quantity[(size_t) line * n + j];
				}
			if (taken > own->options[i].avail)
				return false;
		}
	return true;
}

/* rules of shipments and of the plan as a whole */
static uint32_t
shipments_broken(const SrcSearch *search, const int32_t *cand, int32_t n,
				 const int64_t *quantity)
{
	const SrcProblem *problem = search->problem;
	src_int128	least = (src_int128) problem->split_min_value * SRC_SCALE;
	src_int128	unserved_value = 0;
	bool		unserved = false;
	bool		poor = false;
	int32_t		nloaded = 0;
	int32_t		arrival = INT32_MIN;
	uint32_t	broken = 0;
	int32_t		i;
	int32_t		j;
	int32_t		line;

	for (line = 0; line < search->nlines; line++)
	{
		int64_t		left = problem->lines[line].quantity;

		for (i = 0; i < n; i++)
			left -= quantity[(size_t) line * n + i];
		if (left <= 0)
			continue;
		unserved = true;
		unserved_value += (src_int128) left * problem->lines[line].unit_value;
	}
	for (i = 0; i < n; i++)
	{
		const SrcCandidate *own = &search->cand[cand[i]];
		const SrcLane *lane = &problem->lanes[own->lane];
		src_int128	value = 0;
		int64_t		weight = 0;
		bool		loaded = false;

		for (line = 0; line < search->nlines; line++)
		{
			int64_t		part = quantity[(size_t) line * n + i];

			if (part == 0)
				continue;
			loaded = true;
			value += (src_int128) part * problem->lines[line].unit_value;
			weight = src_add(weight, src_round_ratio(part, problem->lines[line].unit_weight,
													 SRC_SCALE));
		}
		if (!loaded)
			continue;
		if (nloaded++ > 0 && arrival != own->arrival && problem->one_date)
			broken |= SRC_FAIL_LATEST;
		arrival = own->arrival;
		if (lane->max_weight > 0 && weight > lane->max_weight)
			broken |= SRC_FAIL_WEIGHT;
		if (value < (src_int128) problem->nodes[own->node].min_value * SRC_SCALE)
			broken |= SRC_FAIL_VALUE;
		poor |= value < least;
		if (own->room >= 0)
		{
			const SrcRoom *room = &search->rooms[own->room].room;
			int64_t		ships = 0;
			int64_t		parts = 0;
			int64_t		units = 0;

			for (j = 0; j < n; j++)
			{
				bool		other = false;

				if (search->cand[cand[j]].room != own->room)
					continue;
				for (line = 0; line < search->nlines; line++)
				{
					int64_t		part = quantity[(size_t) line * n + j];

					other |= part > 0;
					parts += part > 0;
					units = src_add(units, part);
				}
				ships += other;
			}
			if (ships > room->shipments || parts > room->lines || units > room->units)
				broken |= SRC_FAIL_ROOM;
		}
	}
	if (nloaded > 0 && unserved && (problem->one_date || problem->all_or_nothing))
		broken |= SRC_FAIL_PART;
	if (nloaded > 0 && (nloaded > 1 || unserved) &&
		(poor || (unserved && unserved_value < least)))
		broken |= SRC_FAIL_VALUE;
	return broken;
}

/* SRC_FAIL_ bits of the rules that the quantities (line * n + shipment) break */
uint32_t
src_broken(const SrcSearch *search, const int32_t *cand, int32_t n,
		   const int64_t *quantity)
{
	uint32_t	broken = shipments_broken(search, cand, n, quantity);
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
		if (!parts_kept(&search->problem->lines[i], quantity + (size_t) i * n, n))
			broken |= SRC_FAIL_PART;
	if (search->any_group && !groups_kept(search, n, quantity))
		broken |= SRC_FAIL_PART;
	if (!stock_kept(search, cand, n, quantity))
		broken |= SRC_FAIL_STOCK;
	return broken;
}

/* the node cannot do everything alone: the reasons, over all its lanes */
uint32_t
src_failures(SrcSearch *search, int32_t which, int32_t first_cand)
{
	const SrcProblem *problem = search->problem;
	const SrcNode *node = &problem->nodes[which];
	int64_t    *whole = search->quantity;
	uint32_t	failed = 0;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < search->nlines; i++)
	{
		whole[i] = problem->lines[i].quantity > 0 ? problem->lines[i].quantity : 0;
		if (whole[i] > 0 && !src_may_serve(search, which, i))
			failed |= SRC_FAIL_FORBIDDEN;
	}
	for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
	{
		const SrcLane *lane = &problem->lanes[j];
		int32_t		possible = src_ship_day(problem, lane, node->today);
		const SrcLine *last = NULL;
		int32_t		ship = CALENDAR_NEVER;
		int32_t		arrival = CALENDAR_NEVER;
		int32_t		day = CALENDAR_NEVER;

		for (i = 0; i < search->nlines; i++)
		{
			const SrcLine *line = &problem->lines[i];
			const SrcProfile *profile = &search->profile[search->lines[i].item];
			int64_t		available = 0;
			int32_t		k;

			if (whole[i] == 0 || !src_may_serve(search, which, i))
				continue;
			if (!src_may_go(problem, j, i))
			{
				failed |= SRC_FAIL_LANE_FORBIDDEN;
				continue;
			}
			if (last == NULL || !src_same_days(last, line))
			{
				ship = src_first_ship(problem, lane, line, possible);
				arrival = ship == CALENDAR_NEVER ? CALENDAR_NEVER :
					src_arrival_day(problem, lane, ship);
				day = arrival == CALENDAR_NEVER ? CALENDAR_NEVER :
					src_stock_day(problem, lane, ship);
				last = line;
			}
			if (arrival == CALENDAR_NEVER)
			{
				failed |= SRC_FAIL_NO_DAY;
				continue;
			}
			if (src_meant_day(line, ship, arrival) > line->latest)
				failed |= SRC_FAIL_LATEST;
			for (k = 0; k < profile->nsteps; k++)
				if (profile->steps[k].available >= search->lines[i].need)
					break;
			if (line->latest != INT32_MAX && k < profile->nsteps && profile->steps[k].day > day &&
				src_meant_day(line, src_ship_day(problem, lane, profile->steps[k].day),
							  src_arrival_day(problem, lane,
											  src_ship_day(problem, lane,
														   profile->steps[k].day))) > line->latest)
				failed |= SRC_FAIL_LATEST;
			for (k = 0; k < profile->nsteps && profile->steps[k].day <= day; k++)
				available = profile->steps[k].available;
			if (available < search->lines[i].need)
				failed |= SRC_FAIL_STOCK;
		}
	}
	for (i = first_cand; i < search->ncand; i++)
		if (src_carries_all(search, &search->cand[i]))
			failed |= src_broken(search, &i, 1, whole);
	return failed;
}
