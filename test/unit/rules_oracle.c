/*
 * rules_oracle.c
 *		The cheapest plan of a small order under all rules and terms of plan.h.
 */
#include <stdio.h>
#include <string.h>

#include "rules_oracle.h"

#define FIRST_DAY	(-10)
#define LAST_DAY	40			/* days looked at for dates */
#define LAST_SHIP	8			/* of places */
#define MAX_SPOTS	160

typedef struct Spot
{
	int			node;
	int			lane;
	int			ship;
	int			stock;
	int			arrival;
	int			carries;		/* bit per line */
} Spot;

typedef struct Rules
{
	Instance	in;
	SrcLineNode line_nodes[MAX_LINES * MAX_NODES];
	bool		lane_forbidden[MAX_LINES * MAX_LANES];
	Calendar	calendars[4];
	Spot		spots[MAX_SPOTS];
	int			nspots;
	int			have;			/* the rules that count */
	int64_t		cost;
	int			nset;
	int			set[3];
	int			units[MAX_LINES][3];
} Rules;

static int
open_on(const Calendar *calendar, int day)
{
	return calendar == NULL || ((calendar->week >> (((day % 7) + 7) % 7)) & 1);
}

static int
arrival_of(const Rules *r, int lane, int ship)
{
	const SrcLane *l = &r->in.lanes[lane];
	int			day = ship;
	int			moved = 0;

	while (moved < l->transit_days)
		moved += open_on(l->transit, ++day);
	while (!open_on(r->in.problem.receiving, day))
		day++;
	return day;
}

static int
stock_of(const Rules *r, int lane, int ship)
{
	const SrcNode *n = &r->in.nodes[r->in.lanes[lane].node];
	int			day = ship;
	int			handled = 0;

	while (handled < n->handling_days)
		handled += open_on(n->calendar, --day);
	return day;
}

static int
possible(const Rules *r, int lane, int ship)
{
	const SrcLane *l = &r->in.lanes[lane];

	return open_on(l->pickup, ship) && ship >= l->first_ship &&
		stock_of(r, lane, ship) >= r->in.nodes[l->node].today;
}

static int
meant(const SrcLine *line, int ship, int arrival)
{
	return line->by_ship_day ? ship : arrival;
}

/* the line may go by the lane on the ship day */
static int
may_ship(const Rules *r, int which, int lane, int ship)
{
	const SrcLine *line = &r->in.lines[which];
	int			node = r->in.lanes[lane].node;
	int			target = LAST_DAY;
	int			first = LAST_DAY;
	int			day;

	if (line->pinned_node >= 0 && line->pinned_node != node)
		return 0;
	if ((r->have & RULE_FORBIDDEN) &&
		(r->line_nodes[which * r->in.problem.nnodes + node].forbidden ||
		 r->lane_forbidden[which * r->in.problem.nlanes + lane]))
		return 0;
	for (day = FIRST_DAY; day < LAST_DAY; day++)
	{
		if (!possible(r, lane, day))
			continue;
		if (first == LAST_DAY)
			first = day;
		if (meant(line, day, arrival_of(r, lane, day)) <= line->requested)
			target = day;
	}
	if (target == LAST_DAY)
		target = first;
	return ship >= line->not_before && (ship >= target || line->early_ok) &&
		meant(line, ship, arrival_of(r, lane, ship)) <= line->latest;
}

static int64_t
nearest(int64_t numerator, int64_t divisor)
{
	return (2 * numerator + divisor) / (2 * divisor);
}

/* cost of the units in the set; -1 if that breaks a rule */
static int64_t
cost_of(const Rules *r, const int *set, int n)
{
	const SrcProblem *p = &r->in.problem;
	int64_t		cost = 0;
	int64_t		worth[3] = {0, 0, 0};
	int64_t		weight[3] = {0, 0, 0};
	int64_t		left_worth = 0;
	int			parts[3] = {0, 0, 0};
	int			sum[3] = {0, 0, 0};
	int			any_left = 0;
	int			i;
	int			j;
	int			k;

	for (i = 0; i < p->nlines; i++)
	{
		const SrcLine *line = &r->in.lines[i];
		int			wanted = (int) (line->quantity / SRC_SCALE);
		int			left = wanted;

		for (k = 0; k < n; k++)
		{
			const Spot *spot = &r->spots[set[k]];
			const SrcLane *lane = &r->in.lanes[spot->lane];
			int			q = r->units[i][k];
			int			late = meant(line, spot->ship, spot->arrival) - line->requested;

			left -= q;
			if (q == 0)
				continue;
			if ((line->multiple > 0 && U(q) % line->multiple != 0) ||
				U(q) < line->min_part || (line->max_part > 0 && U(q) > line->max_part) ||
				(U(q) < line->split_min && q != wanted))
				return -1;
			parts[k]++;
			sum[k] += q;
			worth[k] += q * line->unit_value;
			weight[k] += q * line->unit_weight;
			cost += nearest((late > 0 ? late : 0) * line->lateness_per_day * q, wanted);
			cost += nearest(lane->risk * line->sla_penalty * q, (int64_t) wanted * SRC_SCALE);
			if (line->balance_price > 0)
				cost += nearest(line->balance_price * U(q),
								stock_on(&r->in, spot->node, line->item, spot->stock));
			if (p->line_nodes != NULL)
			{
				const SrcLineNode *here = &r->line_nodes[i * p->nnodes + spot->node];

				cost += nearest(here->goods * q, wanted) + nearest(here->custom * q, wanted);
			}
		}
		if (left < wanted && left > 0 && U(left) < line->split_min)
			return -1;
		any_left |= left > 0;
		left_worth += left * line->unit_value;
		cost += nearest(line->backorder_penalty * left, wanted);
		if (line->group < 0)
			continue;
		for (j = 0; j < p->nlines; j++)
			for (k = 0; k < n && r->in.lines[j].group == line->group; k++)
				if ((r->units[i][k] > 0) != (r->units[j][k] > 0) ||
					(r->units[i][k] > 0 && r->units[i][k] != wanted))
					return -1;
	}
	for (k = 0; k < n; k++)
	{
		const Spot *spot = &r->spots[set[k]];
		const SrcLane *lane = &r->in.lanes[spot->lane];
		const SrcNode *node = &r->in.nodes[spot->node];
		SrcRoom		room;
		int			ships = 0;
		int			lines = 0;
		int			units = 0;

		if (parts[k] == 0)
			return -1;			/* a smaller set */
		if ((lane->max_weight > 0 && weight[k] > lane->max_weight) ||
			worth[k] < node->min_value)
			return -1;
		if ((n > 1 || any_left) && worth[k] < p->split_min_value)
			return -1;
		if (p->one_date && spot->arrival != r->spots[set[0]].arrival)
			return -1;
		cost += node->handling + node->preference + node->distance;
		cost += spot->ship == lane->open_day ? 0 : lane->base;
		cost += nearest(weight[k] * lane->per_kg, SRC_SCALE);
		cost += k > 0 ? p->split_penalty : 0;
		if (p->room == NULL)
			continue;
		p->room(p->arg, spot->node, spot->ship, &room);
		cost += room.price;
		for (j = 0; j < n; j++)
			if (r->spots[set[j]].node == spot->node && r->spots[set[j]].ship == spot->ship)
			{
				ships++;
				lines += parts[j];
				units += sum[j];
			}
		if (ships > room.shipments || lines > room.lines ||
			(room.units < INT64_MAX && U(units) > room.units))
			return -1;
	}
	if (n > 0 && any_left &&
		(p->one_date || p->all_or_nothing || left_worth < p->split_min_value))
		return -1;
	return cost;
}

static int
stock_suffices(const Rules *r, const int *set, int n, int upto)
{
	int			i;
	int			j;
	int			k;
	int			m;

	for (i = 0; i <= upto; i++)
		for (k = 0; k < n; k++)
		{
			const Spot *spot = &r->spots[set[k]];
			int			taken = 0;

			if (r->units[i][k] == 0)
				continue;
			for (j = 0; j <= upto; j++)
				for (m = 0; m < n; m++)
					if (r->in.lines[j].item == r->in.lines[i].item &&
						r->spots[set[m]].node == spot->node &&
						r->spots[set[m]].stock <= spot->stock)
						taken += r->units[j][m];
			if (U(taken) > stock_on(&r->in, spot->node, r->in.lines[i].item, spot->stock))
				return 0;
		}
	return 1;
}

/* the set of spots goes before the best at equal cost */
static int
goes_first(const Rules *r, const int *a, int na, const int *b, int nb)
{
	int			keys[2][13];
	int			pass;
	int			i;
	int			j;

	if (na != nb)
		return na < nb;
	for (pass = 0; pass < 2; pass++)
	{
		const int  *set = pass ? b : a;
		int			kind;

		/* last arrival, nodes, lanes, days, lanes by day, each ascending */
		keys[pass][0] = -100;
		for (kind = 0; kind < 4; kind++)
			for (i = 0; i < na; i++)
			{
				const Spot *spot = &r->spots[set[i]];
				int			key = kind == 0 ? spot->node : kind == 1 ? spot->lane : spot->ship;

				if (kind == 3)
					key = spot->ship * 1000 + spot->lane;

				if (spot->arrival > keys[pass][0])
					keys[pass][0] = spot->arrival;
				for (j = i; j > 0 && keys[pass][kind * 3 + j] > key; j--)
					keys[pass][1 + kind * 3 + j] = keys[pass][kind * 3 + j];
				keys[pass][1 + kind * 3 + j] = key;
			}
	}
	for (i = 0; i < 13; i++)
		if (i == 0 || (i - 1) % 3 < na)
			if (keys[0][i] != keys[1][i])
				return keys[0][i] < keys[1][i];
	return 0;
}

static void
try_units(Rules *r, const int *set, int n, int which)
{
	const SrcLine *line = &r->in.lines[which];
	int			wanted;
	int		   *q = r->units[which];

	if (which == r->in.problem.nlines)
	{
		int64_t		cost = cost_of(r, set, n);

		if (cost < 0 || (r->nset >= 0 && cost > r->cost))
			return;
		if (r->nset >= 0 && cost == r->cost && !goes_first(r, set, n, r->set, r->nset))
			return;
		r->cost = cost;
		r->nset = n;
		memcpy(r->set, set, sizeof(int) * (size_t) n);
		return;
	}
	wanted = (int) (line->quantity / SRC_SCALE);
	for (q[0] = 0; q[0] <= (n > 0 ? wanted : 0); q[0]++)
		for (q[1] = 0; q[1] <= (n > 1 ? wanted - q[0] : 0); q[1]++)
			for (q[2] = 0; q[2] <= (n > 2 ? wanted - q[0] - q[1] : 0); q[2]++)
			{
				int			k;

				for (k = 0; k < n; k++)
					if (q[k] > 0 && !((r->spots[set[k]].carries >> which) & 1))
						break;
				if (k == n && stock_suffices(r, set, n, which))
					try_units(r, set, n, which + 1);
			}
}

/* what the set costs empty is too much already */
static int
too_dear(const Rules *r, const int *set, int n)
{
	int64_t		cost = n > 1 ? r->in.problem.split_penalty * (n - 1) : 0;
	int			k;

	for (k = 0; k < n; k++)
	{
		const Spot *spot = &r->spots[set[k]];
		const SrcLane *lane = &r->in.lanes[spot->lane];

		cost += r->in.nodes[spot->node].handling +
			(spot->ship == lane->open_day ? 0 : lane->base);
	}
	return r->nset >= 0 && cost > r->cost;
}

static void
run_oracle(Rules *r)
{
	const SrcProblem *p = &r->in.problem;
	int			set[3] = {0, 0, 0};
	int			lane;
	int			ship;
	int			i;

	r->nspots = 0;
	for (lane = 0; lane < p->nlanes; lane++)
		for (ship = FIRST_DAY; ship <= LAST_SHIP; ship++)
		{
			Spot	   *spot = &r->spots[r->nspots];

			if (!possible(r, lane, ship) || r->nspots == MAX_SPOTS)
				continue;
			spot->node = r->in.lanes[lane].node;
			spot->lane = lane;
			spot->ship = ship;
			spot->stock = stock_of(r, lane, ship);
			spot->arrival = arrival_of(r, lane, ship);
			spot->carries = 0;
			for (i = 0; i < p->nlines; i++)
				if (may_ship(r, i, lane, ship) &&
					stock_on(&r->in, spot->node, r->in.lines[i].item, spot->stock) > 0)
					spot->carries |= 1 << i;
			r->nspots += spot->carries != 0;
		}
	r->nset = -1;
	try_units(r, set, 0, 0);
	for (set[0] = 0; set[0] < r->nspots; set[0]++)
		try_units(r, set, 1, 0);
	for (set[0] = 0; p->max_shipments > 1 && set[0] < r->nspots; set[0]++)
		for (set[1] = set[0] + 1; set[1] < r->nspots; set[1]++)
		{
			if (too_dear(r, set, 2))
				continue;
			try_units(r, set, 2, 0);
			for (set[2] = set[1] + 1; p->max_shipments > 2 && set[2] < r->nspots; set[2]++)
				if (!too_dear(r, set, 3))
					try_units(r, set, 3, 0);
		}
}

static void
give_room(void *arg, int32_t node, int32_t ship, SrcRoom *out)
{
	uint64_t	seed = (uint64_t) (node * 1000 + ship + 500);

	(void) arg;
	out->shipments = out->lines = out->units = INT64_MAX;
	out->price = 0;
	switch (random_below(&seed, 6))
	{
		case 0:
			out->units = U(random_below(&seed, 5));
			break;
		case 1:
			out->lines = random_below(&seed, 3);
			break;
		case 2:
			out->shipments = random_below(&seed, 2);
			break;
		case 3:
			out->price = U(random_below(&seed, 8));
			break;
	}
}

/* a small order with some of the rules; units are not divided */
static void
make_rules(Rules *r, uint64_t *seed, int rules)
{
	Instance   *in = &r->in;
	int			nnodes = 1 + random_below(seed, 3);
	int			nlines = 1 + random_below(seed, 3);
	int			most = nlines == 3 ? 2 : 4;
	int			i;
	int			j;
	int			k;

	instance_init(in);
	r->have = rules;
	for (i = 0; i < 4; i++)
	{
		int			open = random_below(seed, 127);

		/* random numbers one by one: the order of arguments is the compiler's */
		r->calendars[i].week = (uint8_t) (open | (1 << random_below(seed, 7)));
		r->calendars[i].nexceptions = 0;
	}
#define SOME(rule, n)	((rules & (rule)) && random_below(seed, n) == 0)
	in->problem.max_shipments = 3 - random_below(seed, 5) / 2;
	in->problem.split_penalty = U(2) * random_below(seed, 3);
	in->problem.one_date = SOME(RULE_ONE_DATE, 1);
	in->problem.all_or_nothing = SOME(RULE_COMPLETE, 1);
	if (SOME(RULE_CALENDARS, 2))
		in->problem.receiving = &r->calendars[0];
	for (i = 0; i < nnodes; i++)
	{
		int			nlanes = 1 + (random_below(seed, 3) == 0);
		int			today = random_below(seed, 2);
		SrcNode    *node = &in->nodes[add_node(in, today, U(random_below(seed, 3)))];

		if (rules & RULE_CALENDARS)
		{
			node->handling_days = random_below(seed, 2);
			node->calendar = random_below(seed, 2) ? &r->calendars[1] : NULL;
		}
		if (rules & RULE_TERMS)
		{
			node->preference = U(random_below(seed, 3));
			node->distance = U(random_below(seed, 3));
		}
		if (SOME(RULE_VALUE, 2))
			node->min_value = U(random_below(seed, 40));
		for (j = 0; j < nlanes; j++)
		{
			int			transit = random_below(seed, 3);
			int			base = random_below(seed, 6);
			SrcLane    *lane = &in->lanes[add_lane(in, transit, U(2) * base,
												   U(random_below(seed, 3)))];

			if (rules & RULE_CALENDARS)
			{
				lane->pickup = random_below(seed, 2) ? &r->calendars[2] : NULL;
				lane->transit = random_below(seed, 2) ? &r->calendars[3] : NULL;
			}
			if (SOME(RULE_TERMS, 2))
				lane->risk = random_below(seed, SRC_SCALE);
			if (SOME(RULE_WINDOWS, 3))
				lane->first_ship = random_below(seed, 4);
			if (SOME(RULE_WINDOWS, 3))
				lane->open_day = random_below(seed, 5);
			if (SOME(RULE_WEIGHT, 2))
				lane->max_weight = U(1 + random_below(seed, 8));
		}
		for (j = 0; j < nlines; j++)
		{
			int			available = 0;

			for (k = -1; k < 4; k++)
			{
				if (random_below(seed, 5) > 1)
					continue;
				available += random_below(seed, 4);
				add_stock(in, i, j, k, U(available));
			}
		}
	}
	for (i = 0; i < nlines; i++)
	{
		int			item = (rules & RULE_SHARED) ? random_below(seed, (nlines + 1) / 2) : i;
		int			wanted = 1 + random_below(seed, most);
		SrcLine    *line = add_line(in, item, U(wanted), random_below(seed, 5));

		/* so that whole units are no restriction of the oracle's */
		line->multiple = U(1);
		line->unit_weight = U(random_below(seed, 3));
		line->by_ship_day = random_below(seed, 3) == 0;
		line->lateness_per_day = U(12) * random_below(seed, 3);
		line->backorder_penalty = U(12) * (1 + random_below(seed, 20));
		line->unit_value = U(random_below(seed, 15));
		/* rules about days end the days that are worth looking at */
		line->latest = line->requested + (rules & (RULE_WINDOWS | RULE_ONE_DATE | RULE_ROOM |
												   RULE_CALENDARS | RULE_PARTS | RULE_WEIGHT) ?
										  random_below(seed, 4) : 100);
		if (rules & RULE_TERMS)
		{
			line->sla_penalty = U(12) * random_below(seed, 3);
			line->balance_price = U(12) * random_below(seed, 2);
		}
		if (SOME(RULE_WINDOWS, 3))
			line->early_ok = true;
		if (SOME(RULE_WINDOWS, 3))
			line->not_before = random_below(seed, 5);
		if (SOME(RULE_PARTS, 2))
			line->min_part = U(random_below(seed, 4));
		if (SOME(RULE_PARTS, 2))
			line->max_part = U(1 + random_below(seed, 3));
		if (SOME(RULE_PARTS, 3))
			line->multiple = U(2);
		if (SOME(RULE_SPLIT, 1))
			line->split_min = U(random_below(seed, 4));
		if (rules & RULE_GROUPS)
			line->group = random_below(seed, 3) - 1;
	}
	if (rules & RULE_VALUE)
		in->problem.split_min_value = U(SOME(RULE_VALUE, 2) ? random_below(seed, 30) : 0);
	memset(r->line_nodes, 0, sizeof(r->line_nodes));
	memset(r->lane_forbidden, 0, sizeof(r->lane_forbidden));
	if (rules & (RULE_TERMS | RULE_FORBIDDEN))
	{
		in->problem.line_nodes = r->line_nodes;
		for (i = 0; i < nlines * nnodes; i++)
		{
			if (rules & RULE_TERMS)
			{
				r->line_nodes[i].goods = U(12) * random_below(seed, 2);
				r->line_nodes[i].custom = U(12) * random_below(seed, 2);
			}
			r->line_nodes[i].forbidden = SOME(RULE_FORBIDDEN, 5);
		}
	}
	if (rules & RULE_FORBIDDEN)
	{
		in->problem.lane_forbidden = r->lane_forbidden;
		for (i = 0; i < nlines * in->problem.nlanes; i++)
			r->lane_forbidden[i] = random_below(seed, 5) == 0;
	}
	if (rules & RULE_ROOM)
		in->problem.room = give_room;
}

/* what the search says of the best plan, in the oracle's terms; 0 or what is wrong */
static int
plan_differs(Rules *r, const SrcResult *result)
{
	const SrcPlan *plan = &result->best;
	int			set[3];
	int			i;
	int			k;

	if (plan->nshipments > 3)
		return 1;
	memset(r->units, 0, sizeof(r->units));
	for (k = 0; k < plan->nshipments; k++)
	{
		const SrcShipment *s = &plan->shipments[k];

		for (i = 0; i < r->nspots; i++)
			if (r->spots[i].lane == s->lane && r->spots[i].ship == s->ship)
				break;
		if (i == r->nspots)
			return 2;
		if (r->spots[i].arrival != s->arrival || r->spots[i].stock != s->day)
			return 3;
		set[k] = i;
	}
	for (i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];

		if (part->quantity % SRC_SCALE != 0)
			return 4;
		if (!((r->spots[set[part->shipment]].carries >> part->line) & 1))
			return 5;
		r->units[part->line][part->shipment] = (int) (part->quantity / SRC_SCALE);
	}
	if (!stock_suffices(r, set, plan->nshipments, r->in.problem.nlines - 1))
		return 6;
	if (cost_of(r, set, plan->nshipments) != plan->total)
		return cost_of(r, set, plan->nshipments) < 0 ? 7 : 8;
	if (plan->total != r->cost)
		return plan->total < r->cost ? 9 : 10;
	if (!result->exact || result->gap != 0)
		return 11;
	for (k = 0; k < plan->nshipments; k++)
		if (result->nodes[plan->shipments[k].node].bound > plan->total)
			return 12;
	/* equal cost: also equal by the order of ties */
	if (goes_first(r, set, plan->nshipments, r->set, r->nset) ||
		goes_first(r, r->set, r->nset, set, plan->nshipments))
		return 13;
	return 0;
}

int
compare_rules(int instances, int rules)
{
	static Rules r;
	int			failures = 0;
	int			sizes[4] = {0, 0, 0, 0};
	int			number;

	for (number = 0; number < instances; number++)
	{
		uint64_t	seed = (uint64_t) number * 64 + (uint64_t) rules * 1000003;
		SrcResult	result;
		int			bad;

		make_rules(&r, &seed, rules);
		instance_search(&r.in, &result);
		run_oracle(&r);
		sizes[r.nset]++;
		bad = plan_differs(&r, &result);
		if (bad && failures++ < 3)
			printf("# rules %x, order %d: failure %d, total %lld with %d shipments, oracle %lld with %d\n",
				   (unsigned) rules, number, bad, (long long) result.best.total,
				   (int) result.best.nshipments, (long long) r.cost, r.nset);
		instance_free(&r.in);
	}
	printf("# rules %x: oracle's plans with 0, 1, 2, 3 shipments: %d %d %d %d\n",
		   (unsigned) rules, sizes[0], sizes[1], sizes[2], sizes[3]);
	return failures;
}

static void
print_plan(const Rules *r, const SrcPlan *plan)
{
	int			i;

	for (i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *s = &plan->shipments[i];

		printf(" %d/%d/%d/%d/%d %lld", (int) s->node, (int) s->lane, (int) s->day,
			   (int) s->ship, (int) s->arrival, (long long) (s->base + s->by_weight));
	}
	for (i = 0; i < plan->nparts; i++)
		printf(" %d>%d:%lld", (int) plan->parts[i].line, (int) plan->parts[i].shipment,
			   (long long) plan->parts[i].quantity);
	for (i = 0; i < r->in.problem.nlines; i++)
		printf(" -%lld", (long long) plan->unserved[i]);
	printf(" = %lld", (long long) plan->total);
}

void
print_rules(int instances, int rules)
{
	static Rules r;
	int			number;
	int			i;

	for (number = 0; number < instances; number++)
	{
		uint64_t	seed = (uint64_t) number * 64 + (uint64_t) rules * 1000003;
		SrcResult	result;

		make_rules(&r, &seed, rules);
		instance_search(&r.in, &result);
		printf("%x %d:", (unsigned) rules, number);
		print_plan(&r, &result.best);
		if (result.has_next)
			print_plan(&r, &result.next);
		printf(" %d %lld", result.exact, (long long) result.gap);
		for (i = 0; i < r.in.problem.nnodes; i++)
		{
			const SrcNodeResult *n = &result.nodes[i];

			printf(" %d %d %lld %lld %x", n->read, n->feasible, (long long) n->bound,
				   (long long) n->total, (unsigned) n->failed);
		}
		printf("\n");
		instance_free(&r.in);
	}
}
