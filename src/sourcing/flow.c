/*
 * flow.c
 *		Lines that want the same item: the cheapest division of the stock.
 *
 * Taking the cheapest rate first is optimal for one line, not for several that
 * compete: the line that loses least should give way.  For given shipments
 * this is a minimum cost flow
 *
 *		source -> line -> shipment -> next shipment of the node -> ... -> sink
 *
 * with the wanted quantity on the first arc, and on the arcs that leave a
 * shipment the availability on its day, which is exactly the rule about
 * prefix sums in plan.h.
 *
 * Guarantees: feasible; optimal for costs per ten-thousandth of a unit cut
 * down to 1e-12 money, which is far below what rounding does.  Bounded work:
 * groups that are too large are left to the caller's way of doing it.
 */
#include <string.h>

#include "cost.h"

#define MAX_GROUP		16		/* lines of one item */
#define MAX_SHIPMENTS	8
#define MAX_VERTICES	(MAX_GROUP + MAX_SHIPMENTS + 1)
#define MAX_PATHS		400
#define NOWHERE			(-1)
#define SOURCE			(-2)

typedef struct Flow
{
	int32_t		nlines;
	int32_t		nships;
	int32_t		sink;			/* vertex; lines come first, then shipments */
	src_int128	cost[MAX_GROUP][MAX_SHIPMENTS];
	bool		allowed[MAX_GROUP][MAX_SHIPMENTS];
	src_int128	unserved[MAX_GROUP];
	int64_t		left[MAX_GROUP];	/* not served yet */
	int64_t		taken[MAX_GROUP][MAX_SHIPMENTS];
	int32_t		next[MAX_SHIPMENTS];	/* vertex after a shipment */
	int64_t		room[MAX_SHIPMENTS];	/* on the arc to it */
	int64_t		passed[MAX_SHIPMENTS];
	src_int128	distance[MAX_VERTICES];
	int32_t		from[MAX_VERTICES];
} Flow;

static bool
relax(Flow *flow, int32_t from, int32_t to, src_int128 cost)
{
	src_int128	distance = flow->distance[from] + cost; /* NOLINT: set for every vertex that is reached */

	if (flow->from[from] == NOWHERE ||
		(flow->from[to] != NOWHERE && flow->distance[to] <= distance))
		return false;
	flow->distance[to] = distance;
	flow->from[to] = from;
	return true;
}

/* cheapest way from the source to every vertex, past what already flows */
static void
find_paths(Flow *flow)
{
	bool		changed = true;
	int32_t		rounds;
	int32_t		i;
	int32_t		j;

	for (i = 0; i <= flow->sink; i++)
		flow->from[i] = NOWHERE;
	for (i = 0; i < flow->nlines; i++)
	{
		if (flow->left[i] <= 0)
			continue;
		flow->from[i] = SOURCE;
		flow->distance[i] = -flow->unserved[i];
	}
	for (rounds = 0; changed && rounds <= flow->sink; rounds++)
	{
		changed = false;
		for (i = 0; i < flow->nlines; i++)
			for (j = 0; j < flow->nships; j++)
			{
				if (!flow->allowed[i][j])
					continue;
				changed |= relax(flow, i, flow->nlines + j, flow->cost[i][j]);
				if (flow->taken[i][j] > 0)
					changed |= relax(flow, flow->nlines + j, i,
									 -flow->cost[i][j]);
			}
		for (j = 0; j < flow->nships; j++)
		{
			if (flow->passed[j] < flow->room[j])
				changed |= relax(flow, flow->nlines + j, flow->next[j], 0);
			if (flow->passed[j] > 0 && flow->next[j] != flow->sink)
				changed |= relax(flow, flow->next[j], flow->nlines + j, 0);
		}
	}
}

/* how much fits on the arc; with "send", let it flow */
static int64_t
arc(Flow *flow, int32_t from, int32_t to, int64_t send)
{
	int32_t		ship = from - flow->nlines;
	int32_t		other = to - flow->nlines;

	if (from == SOURCE)
	{
		flow->left[to] -= send;
		return flow->left[to];
	}
	if (ship < 0)
	{
		flow->taken[from][other] += send;
		return INT64_MAX;
	}
	if (other < 0)
	{
		flow->taken[to][ship] -= send;
		return flow->taken[to][ship];
	}
	if (flow->next[ship] == to)
	{
		flow->passed[ship] += send;
		return flow->room[ship] - flow->passed[ship];
	}
	flow->passed[other] -= send; /* NOLINT: set for every shipment */
	return flow->passed[other];
}

/* send what fits along the path to the sink; false if something is amiss */
static bool
send_along(Flow *flow)
{
	int64_t		most = INT64_MAX;
	int32_t		pass;

	for (pass = 0; pass < 2; pass++)
	{
		int32_t		to = flow->sink;
		int32_t		steps = 0;

		while (to != SOURCE)
		{
			int64_t		fits;

			if (++steps > MAX_VERTICES)
				return false;
			fits = arc(flow, flow->from[to], to, pass == 0 ? 0 : most);
			if (pass == 0 && fits < most)
				most = fits;
			to = flow->from[to];
		}
	}
	return most > 0;
}

/* the shipment of the same node that comes next after "which", or -1 */
static int32_t
next_shipment(const SrcSearch *search, const int32_t *cand, int32_t n,
			  int32_t which)
{
	const SrcCandidate *own = &search->cand[cand[which]];
	int32_t		next = -1;
	int32_t		i;

	for (i = 0; i < n; i++)
	{
		const SrcCandidate *other = &search->cand[cand[i]];

		if (i == which || other->node != own->node || other->day < own->day ||
			(other->day == own->day && i < which))
			continue;
		if (next < 0 || other->day < search->cand[cand[next]].day)
			next = i;
	}
	return next;
}

/*
 * Divide the stock of an item among its lines at the least cost, and write
 * the quantities (line * n + shipment).  False if that is too large a task.
 */
bool
src_divide(const SrcSearch *search, const int32_t *cand, int32_t n,
		   int32_t item, int64_t *quantity)
{
	Flow		flow;
	int32_t		line[MAX_GROUP];
	int32_t		paths;
	int32_t		i;
	int32_t		j;

	if (n > MAX_SHIPMENTS)
		return false;
	flow.nlines = 0;
	flow.nships = n;
	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *wanted = &search->problem->lines[i];
		int32_t		at = flow.nlines;

		if (search->lines[i].item != item || wanted->quantity <= 0)
			continue;
		if (at == MAX_GROUP)
			return false;
		line[at] = i;
		flow.left[at] = wanted->quantity;
		flow.unserved[at] = search->lines[i].unserved_rate / wanted->quantity;
		for (j = 0; j < n; j++)
		{
			const SrcCandidate *own = &search->cand[cand[j]];
			src_int128	rate;

			flow.taken[at][j] = 0;
			flow.allowed[at][j] = own->options[i].cost != SRC_NEVER;
			if (!flow.allowed[at][j])
				continue;
			rate = own->options[i].rate / wanted->quantity;
			if (rate > (src_int128) 1 << 100)
				rate = (src_int128) 1 << 100;
			flow.cost[at][j] = rate;
		}
		flow.nlines++;
	}
	if (flow.nlines == 0)
		return true;
	flow.sink = flow.nlines + n;
	for (j = 0; j < n; j++)
	{
		int32_t		next = next_shipment(search, cand, n, j);

		flow.next[j] = next < 0 ? flow.sink : flow.nlines + next;
		flow.room[j] = search->cand[cand[j]].options[line[0]].avail;
		flow.passed[j] = 0;
	}
	for (paths = 0;; paths++)
	{
		find_paths(&flow);
		if (flow.from[flow.sink] == NOWHERE || flow.distance[flow.sink] > 0)
			break;
		if (paths == MAX_PATHS || !send_along(&flow))
			return false;
	}
	for (i = 0; i < flow.nlines; i++)
		for (j = 0; j < n; j++)
			quantity[(size_t) line[i] * n + j] = flow.taken[i][j];	/* NOLINT: set for every line */
	return true;
}
