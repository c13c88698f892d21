/*
 * greedy.c
 *		Good sets of shipments that are found without looking at many.
 *
 * Nothing here proves anything.  The sets give reading and the exhaustive
 * search something to beat, and go on where more shipments are allowed than
 * are searched exhaustively.  Guarantees: only offers sets of candidates, in an
 * order that depends on the problem alone; counts what it looks at as work and
 * stops with the limit.
 */
#include <string.h>

#include "cost.h"

#define INTERRUPT_SETS	1000

/* count sets as examined; false when that was enough */
bool
src_work(SrcSearch *search, int64_t sets)
{
	search->work += sets;
	if (search->work > search->problem->work_limit)
		search->stopped = true;
	if (search->work >= search->next_interrupt)
	{
		search->next_interrupt = search->work + INTERRUPT_SETS;
		if (search->problem->interrupt != NULL)
			search->problem->interrupt(search->problem->arg);
	}
	return !search->stopped;
}

static bool
alive_before(const SrcAlive *a, const SrcAlive *b)
{
	if (a->net != b->net)
		return a->net > b->net;
	return a->rank < b->rank;
}

/* best first; a shell sort, since lists are short and nearly in order */
void
src_sort_alive(SrcAlive *alive, int32_t n)
{
	static const int32_t gaps[] = {3905, 1968, 861, 336, 112, 48, 21, 7, 3, 1};
	size_t		pass;
	int32_t		i;
	int32_t		j;

	for (pass = 0; pass < sizeof(gaps) / sizeof(gaps[0]); pass++)
	{
		int32_t		gap = gaps[pass];

		for (i = gap; i < n; i++)
		{
			SrcAlive	moving = alive[i];

			for (j = i; j >= gap && alive_before(&moving, &alive[j - gap]); j -= gap)
				alive[j] = alive[j - gap];
			alive[j] = moving;
		}
	}
}

/*
 * What further shipments could save on each line of a set, at the most; where
 * items are shared, what they could save if nothing else is moved.  Returns
 * the floor of the set's cost without split penalties.
 */
static int64_t
room_of_set(SrcSearch *search, const int32_t *cand, int32_t n, int64_t *room)
{
	SrcFigures	figures;
	int64_t		floor = 0;
	int32_t		i;
	int32_t		j;

	if (search->any_shared)
		src_relax(search, cand, n, &figures);
	for (i = 0; i < search->nlines; i++)
	{
		const SrcLineInfo *info = &search->lines[i];
		int64_t		whole = search->problem->lines[i].quantity;
		int64_t		left = whole;
		int64_t		cost = 0;

		if (info->shared)
		{
			for (j = 0; j < n; j++)
			{
				int64_t		part = figures.quantity[(size_t) i * n + j];	/* NOLINT: set if any item is shared */

				if (part > 0)
					cost += src_floor_part(search->cand[cand[j]].options[i].cost,
										   part, whole);
				left -= part;
			}
			cost += src_floor_part(info->unserved, left, whole);
		}
		else
			cost = src_floor_line(search, cand, n, i);
		floor += cost;
		search->floors[i] = cost;
		room[i] = cost > info->best ? cost - info->best : 0;
	}
	for (i = 0; i < n; i++)
		floor += search->cand[cand[i]].fixed;
	return floor;
}

static int64_t
saving_of(const SrcSearch *search, const SrcCandidate *cand,
		  const int64_t *room)
{
	int64_t		sum = 0;
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
		sum += cand->options[i].gain < room[i] ? cand->options[i].gain : room[i];
	return sum;
}

/*
 * What adding the candidate to the set saves, exactly if no item is shared.
 * What is below "least" may come out as something else that is.
 */
static int64_t
saving_with(SrcSearch *search, int32_t *set, int32_t n, int32_t which, int64_t floor,
			int64_t least)
{
	int32_t		i;

	floor -= search->cand[which].fixed + src_split_floor(search);
	for (i = 0; i < n; i++)
		floor -= search->cand[set[i]].fixed;
	set[n] = which;
	return floor - src_floor_lines(search, set, n + 1, floor - least);
}

/* two shipments of the set are of one node, and share its stock */
static bool
share_node(const SrcSearch *search, const int32_t *set, int32_t n)
{
	int32_t		i;
	int32_t		j;

	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			if (search->cand[set[i]].node == search->cand[set[j]].node)
				return true;
	return false;
}

/* how the set serves its lines, for saving_beside */
static void
note_service(SrcSearch *search, const int32_t *set, int32_t n)
{
	int32_t		i;
	int32_t		j;
	int32_t		line;

	for (line = 0; line < search->nlines; line++)
	{
		SrcService *service = &search->service[line];

		service->n = 0;
		for (i = 0; i < n; i++)
		{
			const SrcOption *option = &search->cand[set[i]].options[line];

			if (option->gain == 0)
				continue;
			for (j = service->n++; j > 0 && service->cost[j - 1] > option->cost; j--)
			{
				service->cost[j] = service->cost[j - 1];
				service->avail[j] = service->avail[j - 1];
				service->part[j] = service->part[j - 1];
			}
			service->cost[j] = option->cost;
			service->avail[j] = option->avail;
			service->part[j] = option->part;
		}
	}
}

/* src_floor_line of the set with one more shipment, from a node of its own */
static int64_t
floor_beside(const SrcSearch *search, int32_t line, const SrcOption *option)
{
	const SrcService *service = &search->service[line];
	int64_t		whole = search->problem->lines[line].quantity;
	int64_t		left = whole;
	int64_t		cost = 0;
	bool		taken = false;
	int32_t		i = 0;

	while (i < service->n || !taken)
	{
		bool		own = !taken && (i == service->n || option->cost < service->cost[i]);
		int64_t		avail = own ? option->avail : service->avail[i];

		if (avail >= left)
			return cost + src_floor_part(own ? option->cost : service->cost[i], left, whole);
		cost += own ? option->part : service->part[i];
		left -= avail;
		taken |= own;
		i += !own;
	}
	return cost + src_floor_part(search->lines[line].unserved, left, whole);
}

/*
 * saving_with for a set of different nodes and a candidate of another one,
 * which saves "bound" at the most.  What is below "least" may come out as
 * something else that is.
 */
static int64_t
saving_beside(const SrcSearch *search, int32_t n, const SrcCandidate *cand,
			  int64_t bound, int64_t least)
{
	int32_t		i;

	/* rounding of the parts of a line may add a little to its bound */
	bound += (int64_t) (n + 2) * search->nlines;
	for (i = 0; i < search->nlines && bound >= least; i++)
	{
		const SrcOption *option = &cand->options[i];
		int64_t		room = search->room[i];

		bound -= (option->gain < room ? option->gain : room) + n + 2;
		if (option->gain > 0)
			bound += search->floors[i] - floor_beside(search, i, option);
	}
	return bound;
}

static bool
contains(const int32_t *set, int32_t n, int32_t which)
{
	int32_t		i;

	for (i = 0; i < n; i++)
		if (set[i] == which)
			return true;
	return false;
}

/* the first of those that could save most, by what is left on the lines; -1 */
static int32_t
most_promising(const SrcSearch *search, const int32_t *set, int32_t n)
{
	int64_t		split = src_split_floor(search);
	int64_t		most = 0;
	int32_t		chosen = -1;
	int32_t		i;

	for (i = 0; i < search->ncand; i++)
	{
		const SrcCandidate *cand = &search->cand[i];
		int64_t		net;

		if (cand->gain - cand->fixed - split <= most || contains(set, n, i))
			continue;
		net = saving_of(search, cand, search->room) - cand->fixed - split;
		if (net <= most)
			continue;
		most = net;
		chosen = i;
	}
	return chosen;
}

/*
 * The one that saves most, if no item is shared; -1 if none saves anything.
 * Of several the most promising one, or else the first.  -1 also if it would
 * be the last of a set of which nothing, with shipments that stay empty left
 * out, could have a place.
 */
static int32_t
most_saving(SrcSearch *search, int32_t *set, int32_t n, int64_t floor, int64_t *saved)
{
	int64_t		split = src_split_floor(search);
	int64_t    *net = search->net;
	bool		shared = share_node(search, set, n);
	bool		tie = false;
	bool		last = n + 1 == search->exhaustive;
	int64_t		bare = floor;	/* without what the set costs empty */
	int64_t		least = 1;
	int64_t		most = 0;
	int32_t		start = -1;
	int32_t		chosen = -1;
	int32_t		i;
	int32_t		j;

	src_rough_savings(search, set, n, search->floors, net);
	for (i = 0; i < n; i++)
	{
		net[set[i]] = 0;
		bare -= search->cand[set[i]].fixed;
	}
	for (i = 0; i < search->ncand; i++)
		if (net[i] > most)
		{
			most = net[i];
			start = i;
		}
	if (start < 0 || (last && search->has_next && !search->constrained &&
					  bare - most - split - search->slack > search->next.total))
		return -1;
	most = 0;
	note_service(search, set, n);
	for (i = -1; i < search->ncand; i++)
	{
		int32_t		at = i < 0 ? start : i;
		const SrcCandidate *cand = &search->cand[at];
		bool		beside = !shared;
		int64_t		saving;

		if (net[at] < least || i == start)
			continue;
		saving = saving_of(search, cand, search->room) - cand->fixed - split;
		if (saving <= 0 || saving < most)
			continue;
		for (j = 0; j < n; j++)
			beside &= search->cand[set[j]].node != cand->node;
		saving = beside ? saving_beside(search, n, cand, saving, most) :
			saving_with(search, set, n, at, floor, most);
		if (saving <= 0 || saving < most)
			continue;
		tie = saving == most;
		if (!tie || at < chosen)
			chosen = at;
		least = most = saving;
	}
	if (tie)
	{
		i = most_promising(search, set, n);
		if (i >= 0 && i != chosen && saving_with(search, set, n, i, floor, most) == most)
			chosen = i;
	}
	*saved = most;
	return chosen;
}

/* every shipment of the set has a line that the others cannot carry whole */
static bool
all_loaded(const SrcSearch *search, const int32_t *set, int32_t n)
{
	int32_t		i;
	int32_t		j;
	int32_t		line;

	if (share_node(search, set, n))
		return false;
	for (i = 0; i < n; i++)
	{
		const SrcCandidate *cand = &search->cand[set[i]];
		/* floors of rates are lower by no more */
		int64_t		slop = search->max_per_kg / SRC_SCALE + 8;

		for (line = 0; line < search->nlines; line++)
		{
			int64_t		left = search->problem->lines[line].quantity;

			if (cand->options[line].gain == 0 ||
				cand->options[line].cost + slop >= search->lines[line].unserved)
				continue;
			for (j = 0; j < n; j++)
				if (j != i && search->cand[set[j]].options[line].cost != SRC_NEVER)
					left -= search->cand[set[j]].options[line].avail;
			if (left > 0)
				break;
		}
		if (line == search->nlines)
			return false;
	}
	return true;
}

/*
 * Add to a set the candidate that saves most, and offer the result.  False if
 * none saves anything, or the work is over.
 */
static bool
add_best(SrcSearch *search, int32_t *set, int32_t n)
{
	int64_t		floor;
	int64_t		saved = 0;
	int32_t		chosen;

	if (!src_work(search, search->ncand / 8 + 1))
		return false;
	floor = room_of_set(search, set, n, search->room);
	chosen = search->any_shared ? most_promising(search, set, n) :
		most_saving(search, set, n, floor, &saved);
	if (chosen < 0)
		return false;
	set[n] = chosen;

	/* if it is not to have a place the exact figures are of no use */
	floor += src_split_floor(search) * (n - 1) - saved - search->slack;
	if (search->coupled || !search->has_next || floor <= search->next.total ||
		!all_loaded(search, set, n + 1))
		src_offer(search, set, n + 1, INT64_MAX);
	return true;
}

/*
 * Offer the sets that grow from a candidate by always adding what saves most.
 * They cost little and are often good: what reading is measured against.
 */
void
src_greedy(SrcSearch *search, int32_t seed)
{
	int32_t		set[SRC_EXACT_SHIPMENTS];
	int32_t		n = 1;

	set[0] = seed;
	while (n < search->exhaustive && add_best(search, set, n))
		n++;
}

/*
 * Offer what comes of replacing one shipment of the best plan after the other
 * by what then saves most, as long as that helps.  The tree is small only if
 * what it has to beat is good.
 */
void
src_improve(SrcSearch *search)
{
	bool		improved = true;

	while (improved && !search->stopped)
	{
		int32_t		n = search->best.n;
		int64_t		before = search->best.total;
		int32_t		set[SRC_EXACT_SHIPMENTS];
		int32_t		out;
		int32_t		i;

		improved = false;
		for (out = 0; out < n && !improved; out++)
		{
			int32_t		left = 0;

			for (i = 0; i < n; i++)
				if (i != out)
					set[left++] = search->best.cand[i];
			while (left > 0 && left < search->exhaustive &&
				   add_best(search, set, left))
				left++;
			improved = search->best.total < before;
		}
	}
}

/*
 * Add shipments to the best plan, beyond what is searched exhaustively, as
 * long as each makes it cheaper.  True if any did.
 */
bool
src_extend(SrcSearch *search)
{
	int64_t		split = src_split_floor(search);
	int32_t		limit = search->problem->max_shipments < SRC_PLAN_SHIPMENTS ?
		search->problem->max_shipments : SRC_PLAN_SHIPMENTS;
	int64_t		entry = search->cand_min_fixed + split;
	SrcAlive   *alive = NULL;
	bool		extended = false;

	while (search->best.n >= search->exhaustive && search->best.n < limit)
	{
		int32_t		set[SRC_PLAN_SHIPMENTS];
		int32_t		n = search->best.n;
		int32_t		nalive = 0;
		bool		improved = false;
		int64_t		before = search->best.total;
		int32_t		i;
		int32_t		j;

		memcpy(set, search->best.cand, sizeof(int32_t) * (size_t) n);
		room_of_set(search, set, n, search->room);
		if (src_sum(search->room, search->nlines) + search->slack < entry)
			break;
		if (alive == NULL)
			alive = src_memory(search->problem, sizeof(SrcAlive), search->ncand);
		for (i = 0; i < search->ncand; i++)
		{
			const SrcCandidate *cand = &search->cand[i];

			alive[nalive].rank = i;
			alive[nalive].net = saving_of(search, cand, search->room) -
				cand->fixed - split;
			if (alive[nalive].net > -search->slack)
				nalive++;
		}
		src_sort_alive(alive, nalive);
		for (i = 0; i < nalive; i++)
		{
			if (alive[i].net + search->slack < before - search->best.total)
				break;
			for (j = 0; j < n; j++)
				if (set[j] == alive[i].rank)
					break;
			if (j < n)
				continue;
			if (!src_work(search, 1))
				return extended;
			set[n] = alive[i].rank;
			if (src_offer(search, set, n + 1, INT64_MAX))
				improved = true;
		}
		if (!improved || search->best.n <= n)
			break;
		extended = true;
	}
	return extended;
}
