/*
 * plan_oracle.c
 *		The cheapest plan of a small order, by trying everything.
 */
#include <string.h>

#include "plan_oracle.h"

int64_t
half_up(int64_t numerator, int64_t divisor)
{
	return (2 * numerator + divisor) / (2 * divisor);
}

int
days_late(const SrcLine *line, const SrcLane *lane, int day)
{
	int			late = day - line->requested;

	if (!line->by_ship_day)
		late += lane->transit_days;
	return late > 0 ? late : 0;
}

int
can_carry(const Instance *in, const SrcLine *line, const Place *place)
{
	const SrcLane *lane = &in->lanes[place->lane];
	int			target = line->requested;

	if (!line->by_ship_day)
		target -= lane->transit_days;
	if (target < in->nodes[place->node].today)
		target = in->nodes[place->node].today;
	if (line->pinned_node >= 0 && line->pinned_node != place->node)
		return 0;
	return place->day >= target;
}

/* no shipment takes more of the item than there is for it and those before */
static int
in_stock(const Oracle *oracle, int item, const int *set, int n, const int *taken)
{
	int			i;
	int			j;

	for (i = 0; i < n; i++)
	{
		const Place *place = &oracle->places[set[i]];
		int			prefix = 0;

		if (taken[i] == 0)
			continue;
		for (j = 0; j < n; j++)
			if (oracle->places[set[j]].node == place->node &&
				oracle->places[set[j]].day <= place->day)
				prefix += taken[j];
		if (U(prefix) > stock_on(oracle->in, place->node, item, place->day))
			return 0;
	}
	return 1;
}

/*
 * Every way to put units of the item's lines, from line "which" on, into the
 * set, where "taken" has been put so far; the cheapest.
 */
static int64_t
oracle_item(const Oracle *oracle, int item, int which, const int *set, int n,
			const int *taken)
{
	const Instance *in = oracle->in;
	const SrcLine *line = &in->lines[which];
	int			units;
	int64_t		least = INT64_MAX / 2;
	int			q[3];

	if (which == in->problem.nlines)
		return in_stock(oracle, item, set, n, taken) ? 0 : least;
	if (line->item != item)
		return oracle_item(oracle, item, which + 1, set, n, taken);
	units = (int) (line->quantity / SRC_SCALE);
	for (q[0] = 0; q[0] <= (n > 0 ? units : 0); q[0]++)
		for (q[1] = 0; q[1] <= (n > 1 ? units - q[0] : 0); q[1]++)
			for (q[2] = 0; q[2] <= (n > 2 ? units - q[0] - q[1] : 0); q[2]++)
			{
				int			left = units - q[0] - q[1] - q[2];
				int64_t		cost = half_up(line->backorder_penalty * left, units);
				int			with[3];
				int			i;

				for (i = 0; i < n; i++)
				{
					const Place *place = &oracle->places[set[i]];
					const SrcLane *lane = &in->lanes[place->lane];

					with[i] = taken[i] + q[i];
					if (q[i] == 0)
						continue;
					if (!can_carry(in, line, place))
						break;
					cost += half_up(half_up(U(q[i]) * line->unit_weight, SRC_SCALE) *
									lane->per_kg, SRC_SCALE);
					cost += half_up(line->lateness_per_day * q[i] *
									days_late(line, lane, place->day), units);
				}
				if (i < n || cost >= least)
					continue;
				if (!in_stock(oracle, item, set, n, with))
					continue;
				cost += oracle_item(oracle, item, which + 1, set, n, with);
				if (cost < least)
					least = cost;
			}
	return least;
}

/* ascending nodes, then lanes, as plan.h breaks ties */
static int
compare_places(const Place *a, const Place *b, int n)
{
	int			pass;
	int			i;
	int			j;

	for (pass = 0; pass < 2; pass++)
	{
		int			x[3];
		int			y[3];

		for (i = 0; i < n; i++)
		{
			x[i] = pass ? a[i].lane : a[i].node;
			y[i] = pass ? b[i].lane : b[i].node;
		}
		for (i = 0; i < n; i++)
			for (j = i + 1; j < n; j++)
			{
				int			t;

				if (x[j] < x[i])
					t = x[i], x[i] = x[j], x[j] = t;
				if (y[j] < y[i])
					t = y[i], y[i] = y[j], y[j] = t;
			}
		for (i = 0; i < n; i++)
			if (x[i] != y[i])
				return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

static int
last_arrival(const Instance *in, const Place *places, int n)
{
	int			last = INT32_MIN;
	int			i;

	for (i = 0; i < n; i++)
	{
		int			arrival = places[i].day +
			in->lanes[places[i].lane].transit_days;

		if (arrival > last)
			last = arrival;
	}
	return last;
}

/* a goes before b in cost, shipments, arrival, nodes, lanes */
int
compare_sets(const Instance *in, int64_t cost_a, const Place *a, int na,
			 int64_t cost_b, const Place *b, int nb)
{
	int			arrival_a = last_arrival(in, a, na);
	int			arrival_b = last_arrival(in, b, nb);

	if (cost_a != cost_b)
		return cost_a < cost_b ? -1 : 1;
	if (na != nb)
		return na < nb ? -1 : 1;
	if (arrival_a != arrival_b)
		return arrival_a < arrival_b ? -1 : 1;
	return compare_places(a, b, na);
}

static void
oracle_set(Oracle *oracle, const int *set, int n)
{
	const Instance *in = oracle->in;
	int64_t		cost = n > 1 ? in->problem.split_penalty * (n - 1) : 0;
	Place		mine[3];
	Place		best[3];
	int			none[3] = {0, 0, 0};
	int			i;

	for (i = 0; i < n; i++)
	{
		mine[i] = oracle->places[set[i]];
		cost += in->nodes[mine[i].node].handling + in->lanes[mine[i].lane].base;
	}
	for (i = 0; i < in->problem.nlines; i++)
		cost += oracle_item(oracle, i, 0, set, n, none);
	for (i = 0; i < n; i++)
		if (cost < oracle->using_node[mine[i].node])
			oracle->using_node[mine[i].node] = cost;
	for (i = 0; i < oracle->nset; i++)
		best[i] = oracle->places[oracle->set[i]];
	if (oracle->nset < 0 ||
		compare_sets(in, cost, mine, n, oracle->cost, best, oracle->nset) < 0)
	{
		oracle->cost = cost;
		oracle->nset = n;
		memcpy(oracle->set, set, sizeof(int) * (size_t) n);
	}
}

void
oracle_run(Oracle *oracle, const Instance *in)
{
	int			limit = in->problem.max_shipments;
	int			set[3] = {0, 0, 0};
	int			lane;
	int			day;
	int			i;

	oracle->in = in;
	oracle->nplaces = 0;
	oracle->nset = -1;
	oracle->cost = INT64_MAX;
	for (i = 0; i < in->problem.nnodes; i++)
		oracle->using_node[i] = INT64_MAX;
	for (lane = 0; lane < in->problem.nlanes; lane++)
		for (day = in->nodes[in->lanes[lane].node].today; day < HORIZON; day++)
		{
			Place	   *place = &oracle->places[oracle->nplaces++];

			place->node = in->lanes[lane].node;
			place->lane = lane;
			place->day = day;
		}
	oracle_set(oracle, set, 0);
	for (set[0] = 0; set[0] < oracle->nplaces; set[0]++)
	{
		oracle_set(oracle, set, 1);
		for (set[1] = set[0] + 1; limit > 1 && set[1] < oracle->nplaces; set[1]++)
		{
			oracle_set(oracle, set, 2);
			for (set[2] = set[1] + 1; limit > 2 && set[2] < oracle->nplaces; set[2]++)
				oracle_set(oracle, set, 3);
		}
	}
}
