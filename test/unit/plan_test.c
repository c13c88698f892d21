/*
 * plan_test.c
 *		Tests of the plan search: cases worked out by hand, then random ones.
 *
 * Prints TAP; exits with 1 if anything failed.  Unless a case says otherwise
 * a line weighs 1 kg per unit, costs 2 per day late and 1000 if unserved, and
 * freight by weight is free.
 */
#include <stdio.h>

#include "plan_instance.h"
#include "plan_random.h"

static int	ntests;
static int	nfailed;
static Instance in;
static SrcResult result;

static void
ok(int passed, const char *name)
{
	ntests++;
	if (!passed)
		nfailed++;
	printf("%sok %d - %s\n", passed ? "" : "not ", ntests, name);
}

static void
start(void)
{
	instance_init(&in);
}

static void
finish(void)
{
	instance_free(&in);
}

/* the shipment is from that node, on that lane and day */
static int
shipment_is(int which, int node, int lane, int day)
{
	const SrcShipment *s = &result.best.shipments[which];

	return which < result.best.nshipments && s->node == node &&
		s->lane == lane && s->day == day;
}

static void
single_node(void)
{
	start();
	add_node(&in, 0, U(1));
	add_lane(&in, 2, U(5), 5000);
	add_line(&in, 0, U(4), 10);
	add_stock(&in, 0, 0, 0, U(10));
	instance_search(&in, &result);
	/* handling 1 + base 5 + 4 kg at 0.5 = 8; leaves on 10 - 2 */
	ok(result.best.total == U(8) && result.exact && result.gap == 0,
	   "single node: total");
	ok(result.best.nshipments == 1 && shipment_is(0, 0, 0, 8) &&
	   result.best.shipments[0].arrival == 10 &&
	   result.best.shipments[0].weight == U(4) &&
	   result.best.shipments[0].by_weight == U(2) &&
	   result.best.handling == U(1) && result.best.freight == U(7),
	   "single node: shipment");
	ok(result.best.nparts == 1 && result.best.parts[0].quantity == U(4) &&
	   result.best.unserved[0] == 0, "single node: part");
	ok(result.nodes[0].feasible && result.nodes[0].total == U(8) &&
	   result.nodes[0].arrival == 10 && result.nodes[0].short_line == -1 &&
	   result.unread_bound == INT64_MAX, "single node: its result");
	finish();
}

/* A has item 0 for 1 + 5, B has item 1 for 1 + 6, C has both for 1 + 20 */
static void
split_network(int64_t penalty)
{
	start();
	in.problem.split_penalty = penalty;
	add_node(&in, 0, U(1));
	add_lane(&in, 1, U(5), 0);
	add_node(&in, 0, U(1));
	add_lane(&in, 1, U(6), 0);
	add_node(&in, 0, U(1));
	add_lane(&in, 1, U(20), 0);
	add_line(&in, 0, U(4), 5);
	add_line(&in, 1, U(2), 5);
	add_stock(&in, 0, 0, 0, U(9));
	add_stock(&in, 1, 1, 0, U(9));
	add_stock(&in, 2, 0, 0, U(9));
	add_stock(&in, 2, 1, 0, U(9));
}

static void
splits(void)
{
	split_network(U(3));
	instance_search(&in, &result);
	/* 6 + 7 + 3 = 16 against 21 */
	ok(result.best.total == U(16) && result.best.nshipments == 2 &&
	   shipment_is(0, 0, 0, 4) && shipment_is(1, 1, 1, 4) &&
	   result.best.split == U(3) && result.best.shipments[0].split == 0 &&
	   result.best.shipments[1].split == U(3), "the cheaper split");
	/* A alone: 6 + 1000; C cannot be below 21 and is not looked at */
	ok(result.has_next && result.next.total == U(1006) &&
	   result.next.nshipments == 1 && !result.nodes[2].read &&
	   result.unread_bound > U(16) && result.unread_bound <= U(21),
	   "the next plan");
	finish();

	split_network(U(9));
	instance_search(&in, &result);
	/* 6 + 7 + 9 = 22 against 21 */
	ok(result.best.total == U(21) && shipment_is(0, 2, 2, 4) &&
	   result.best.nshipments == 1, "a split penalty that decides");
	finish();

	split_network(U(8));
	instance_search(&in, &result);
	/* 21 against 21 */
	ok(result.best.total == U(21) && result.best.nshipments == 1,
	   "equal cost: fewer shipments");
	ok(result.has_next && result.next.total == U(21) &&
	   result.next.nshipments == 2, "the next plan is the split");
	ok(!result.nodes[0].feasible && result.nodes[0].short_line == 1 &&
	   result.nodes[0].short_available == 0 && result.nodes[0].short_day == 4 &&
	   result.nodes[0].complete_day == INT32_MAX &&
	   result.nodes[2].feasible && result.nodes[2].total == U(21) &&
	   result.nodes[2].arrival == 5, "what the nodes could do alone");
	finish();

	split_network(U(3));
	in.problem.max_shipments = 1;
	instance_search(&in, &result);
	ok(result.best.total == U(21) && shipment_is(0, 2, 2, 4),
	   "one shipment at the most");
	in.nsteps[2][0] = in.nsteps[2][1] = 0;
	instance_search(&in, &result);
	/* A with item 0: 6 + 1000; B with item 1: 7 + 1000 */
	ok(result.best.total == U(1006) && shipment_is(0, 0, 0, 4) &&
	   result.best.unserved[0] == 0 && result.best.unserved[1] == U(2) &&
	   result.best.backorder == U(1000), "one shipment: the rest stays");
	finish();
}

/*
 * 4 wanted for day 2; A has 2 now and 4 from day 4 for 5, B has 2 for 6; one
 * day of transit; a second shipment costs 1.
 */
static void
lateness(void)
{
	start();
	in.problem.split_penalty = U(1);
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), 0);
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(6), 0);
	add_line(&in, 0, U(4), 2);
	add_stock(&in, 0, 0, 0, U(2));
	add_stock(&in, 0, 0, 4, U(4));
	add_stock(&in, 1, 0, 0, U(2));
	instance_search(&in, &result);
	/* waiting: 5 + 3 days at 2 = 11; split: 5 + 6 + 1 = 12 */
	ok(result.best.total == U(11) && shipment_is(0, 0, 0, 4) &&
	   result.best.parts[0].days_late == 3 && result.best.lateness == U(6),
	   "late is cheaper than split");
	ok(result.nodes[1].short_line == 0 && result.nodes[1].short_available == U(2),
	   "a node that has only a part");
	in.lines[0].lateness_per_day = U(3);
	instance_search(&in, &result);
	/* waiting: 5 + 9 = 14 */
	ok(result.best.total == U(12) && result.best.nshipments == 2 &&
	   result.best.lateness == 0, "split is cheaper than late");
	finish();
}

static void
inbound(void)
{
	start();
	add_node(&in, 0, 0);
	add_lane(&in, 2, U(5), 0);
	add_node(&in, 0, 0);
	add_lane(&in, 2, U(8), 0);
	add_line(&in, 0, U(4), 20);
	add_stock(&in, 0, 0, 12, U(10));
	add_stock(&in, 1, 0, 0, U(10));
	instance_search(&in, &result);
	/* due on 12, needed on 18: in time and 3 cheaper */
	ok(result.best.total == U(5) && shipment_is(0, 0, 0, 18) &&
	   result.best.lateness == 0, "a dated inbound in time");
	finish();

	start();
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(2), 0);
	add_line(&in, 0, U(4), 2)->lateness_per_day = U(10);
	add_stock(&in, 0, 0, 0, U(3));
	add_stock(&in, 0, 0, 6, U(4));
	instance_search(&in, &result);
	/* 3 on day 1; 1 on day 6, 5 days late: 10 * 5 * 1/4 = 12.5; 2 + 2 + 12.5 */
	ok(result.best.total == U(33) / 2 && result.best.nshipments == 2 &&
	   shipment_is(0, 0, 0, 1) && shipment_is(1, 0, 0, 6),
	   "a part now, the rest later, from one node");
	ok(result.best.nparts == 2 && result.best.parts[0].quantity == U(3) &&
	   result.best.parts[1].quantity == U(1) &&
	   result.best.parts[1].days_late == 5 &&
	   result.best.parts[1].lateness == U(25) / 2, "its parts");
	/* alone, in one shipment: day 6, 2 + 50 */
	ok(result.nodes[0].feasible && result.nodes[0].total == U(52) &&
	   result.nodes[0].arrival == 7, "the same in one shipment");
	finish();
}

static void
pinned(void)
{
	start();
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), 0);
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(50), 0);
	add_line(&in, 0, U(4), 5)->pinned_node = 1;
	add_stock(&in, 0, 0, 0, U(9));
	add_stock(&in, 1, 0, 0, U(9));
	instance_search(&in, &result);
	ok(result.best.total == U(50) && shipment_is(0, 1, 1, 4) &&
	   !result.nodes[0].read && in.calls == 1 &&
	   result.nodes[0].bound == INT64_MAX, "a pinned line");
	add_line(&in, 0, U(3), 5);
	instance_search(&in, &result);
	/* both from node 1; alone, node 0 could not serve the pinned line */
	ok(result.best.total == U(50) && result.best.nshipments == 1,
	   "a pinned line takes the other one with it");
	finish();
}

static void
ship_days(void)
{
	start();
	add_node(&in, 0, 0);
	add_lane(&in, 3, U(5), 0);
	add_line(&in, 0, U(4), 5);
	add_stock(&in, 0, 0, 0, U(9));
	instance_search(&in, &result);
	ok(shipment_is(0, 0, 0, 2) && result.best.shipments[0].arrival == 5,
	   "a delivery day");
	in.lines[0].by_ship_day = true;
	instance_search(&in, &result);
	ok(shipment_is(0, 0, 0, 5) && result.best.shipments[0].arrival == 8 &&
	   result.best.total == U(5), "a ship day");
	in.nodes[0].today = 7;
	instance_search(&in, &result);
	ok(shipment_is(0, 0, 0, 7) && result.best.parts[0].days_late == 2 &&
	   result.best.total == U(9), "a ship day that has passed");
	finish();
}

static void
nothing(void)
{
	start();
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), 0);
	add_node(&in, 0, 0);
	add_line(&in, 0, U(4), 5);
	add_line(&in, 1, U(4), 5);
	instance_search(&in, &result);
	ok(result.best.total == U(2000) && result.best.nshipments == 0 &&
	   result.best.nparts == 0 && result.best.unserved[1] == U(4) &&
	   result.exact && !result.has_next, "nothing available");
	ok(result.nodes[0].read && result.nodes[0].short_line == 0 &&
	   !result.nodes[1].read, "a node without lanes is not read");
	in.problem.nlines = 0;
	instance_search(&in, &result);
	ok(result.best.total == 0 && result.nodes_read == 0, "no lines");
	in.problem.nlines = 1;
	in.problem.nnodes = 0;
	instance_search(&in, &result);
	ok(result.best.total == U(1000) && result.unread_bound == INT64_MAX,
	   "no nodes");
	finish();

	start();
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), 0);
	add_line(&in, 0, U(4), 5)->backorder_penalty = U(4);
	add_stock(&in, 0, 0, 0, U(9));
	instance_search(&in, &result);
	/* serving costs 5, not serving 4: no need even to look */
	ok(result.best.total == U(4) && result.best.unserved[0] == U(4) &&
	   in.calls == 0, "not worth serving");
	finish();
}

static void
shared_item(void)
{
	start();
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), 0);
	add_line(&in, 0, U(3), 5);
	add_line(&in, 0, U(4), 5)->backorder_penalty = U(900);
	add_stock(&in, 0, 0, 0, U(5));
	instance_search(&in, &result);
	/* 333 a unit against 225: two of the second line stay, 450 + 5 */
	ok(result.best.total == U(455) && result.best.unserved[0] == 0 &&
	   result.best.unserved[1] == U(2) && result.exact,
	   "one item on two lines: counted together");
	ok(result.nodes[0].short_line == 1 &&
	   result.nodes[0].short_available == U(2), "short after the first line");
	in.lines[0].backorder_penalty = U(300);
	instance_search(&in, &result);
	/* 100 a unit against 225: two of the first, 200 + 5 */
	ok(result.best.total == U(205) && result.best.unserved[0] == U(2) &&
	   in.calls == 1, "the line that loses less gives way");
	finish();

	/*
	 * Line 0 may come from A or B, line 1 from A only (pinned); A has 4, B
	 * has 4 at 2 per kg.  Line order alone would give A's stock to line 0.
	 */
	start();
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), 0);
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), U(2));
	add_line(&in, 0, U(4), 5);
	add_line(&in, 0, U(4), 5)->pinned_node = 0;
	add_stock(&in, 0, 0, 0, U(4));
	add_stock(&in, 1, 0, 0, U(4));
	instance_search(&in, &result);
	/* 5 + 5 + 4 kg at 2 */
	ok(result.best.total == U(18) && result.exact &&
	   result.best.unserved[0] == 0 && result.best.unserved[1] == 0,
	   "an earlier line leaves the stock to a later one");
	finish();
}

static void
ties(void)
{
	int			i;

	start();
	for (i = 0; i < 3; i++)
	{
		add_node(&in, 0, 0);
		add_lane(&in, 1, U(5), 0);
		add_lane(&in, 1, U(5), 0);
		add_stock(&in, i, 0, 0, U(9));
	}
	add_line(&in, 0, U(4), 5);
	instance_search(&in, &result);
	ok(shipment_is(0, 0, 0, 4), "equal nodes and lanes: the first");
	finish();

	start();
	add_node(&in, 0, 0);
	add_lane(&in, 3, U(5), 0);
	add_lane(&in, 1, U(5), 0);
	add_node(&in, 0, 0);
	add_lane(&in, 2, U(5), 0);
	add_line(&in, 0, U(4), 5)->by_ship_day = true;
	add_stock(&in, 0, 0, 0, U(9));
	add_stock(&in, 1, 0, 0, U(9));
	instance_search(&in, &result);
	ok(shipment_is(0, 0, 1, 5), "equal cost: the earlier arrival");
	in.nodes[0].nlanes = 1;
	instance_search(&in, &result);
	ok(shipment_is(0, 1, 2, 5), "also from a later node");
	finish();
}

static void
laziness(void)
{
	int			i;
	int			j;

	start();
	for (i = 0; i < 5; i++)
	{
		add_node(&in, 0, 0);
		add_lane(&in, 1, U(9 - i), 0);
		for (j = 0; j < 3; j++)
			add_stock(&in, i, j, 0, U(9));
	}
	for (j = 0; j < 3; j++)
		add_line(&in, j, U(4), 5);
	instance_search(&in, &result);
	/* the last node, for 5, has everything; the next could not be below 6 */
	ok(result.nodes_read == 1 && in.calls == 3 && result.nodes[4].read &&
	   result.best.total == U(5), "only the best node is read");
	ok(result.unread_bound > U(5) && result.unread_bound <= U(6) &&
	   result.nodes[3].bound == result.unread_bound && !result.has_next,
	   "the bound of the unread");
	in.nsteps[4][1] = 0;
	instance_search(&in, &result);
	/* node 3 has all for 6; with node 4 it would be 5 + 6 */
	ok(result.nodes_read == 2 && result.best.total == U(6) &&
	   result.unread_bound > U(6) && result.unread_bound <= U(7),
	   "only the next one if that is short");
	finish();

	/* lines for different days: the bound knows that a shipment has one day */
	start();
	for (i = 0; i < 5; i++)
	{
		add_node(&in, 0, U(1));
		add_lane(&in, 1, U(20 + i * 10), 0);
		for (j = 0; j < 3; j++)
			add_stock(&in, i, j, 0, U(9));
	}
	for (j = 0; j < 3; j++)
		add_line(&in, j, U(4), 2 + j);
	instance_search(&in, &result);
	/* leaves on 3: two days and one day late, 4 + 2; the next: 31 + 6 */
	ok(result.best.total == U(27) && shipment_is(0, 0, 0, 3) &&
	   result.nodes_read == 1, "lines for different days");
	ok(result.nodes[1].bound > U(36), "the bound counts their waiting");
	finish();
}

static void
many_shipments(void)
{
	int			i;

	start();
	in.problem.split_penalty = U(1);
	in.problem.max_shipments = 9;
	for (i = 0; i < 7; i++)
	{
		add_node(&in, 0, 0);
		add_lane(&in, 1, U(5), 0);
		add_stock(&in, i, 0, 0, U(1));
	}
	add_line(&in, 0, U(5), 5);
	instance_search(&in, &result);
	/* five shipments: 25 + 4 */
	ok(result.best.total == U(29) && result.best.nshipments == 5 &&
	   result.best.unserved[0] == 0 && !result.exact && result.gap > 0,
	   "more than three shipments, not called optimal");
	in.problem.max_shipments = 4;
	instance_search(&in, &result);
	/* four: 20 + 3 + 200 */
	ok(result.best.total == U(223) && result.best.nshipments == 4,
	   "no more than allowed");
	finish();
}

static void
limits(void)
{
	int			i;

	start();
	add_node(&in, 0, INT64_MAX / 2);
	add_lane(&in, INT32_MAX, INT64_MAX / 2, INT64_MAX);
	add_line(&in, 0, INT64_MAX, INT32_MIN);
	in.lines[0].unit_weight = INT64_MAX;
	in.lines[0].lateness_per_day = INT64_MAX;
	in.lines[0].backorder_penalty = INT64_MAX;
	add_line(&in, 1, 1, INT32_MAX);
	in.lines[1].backorder_penalty = INT64_MAX;
	add_stock(&in, 0, 0, INT32_MIN, INT64_MAX);
	add_stock(&in, 0, 1, INT32_MAX, INT64_MAX);
	instance_search(&in, &result);
	ok(result.best.total == INT64_MAX, "amounts that do not fit saturate");
	finish();

	/* stock that grows every day for 20 days: more days than are tried */
	start();
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), 0);
	for (i = 0; i < 20; i++)
		add_stock(&in, 0, 0, i, U(i + 1));
	add_line(&in, 0, U(20), 1);
	instance_search(&in, &result);
	ok(!result.exact && result.gap > 0 && result.gap <= result.best.total,
	   "too many days: not called optimal");
	/* the last day is among those tried: 5 + 19 days at 2 = 43 */
	ok(result.best.total <= U(43) && result.best.unserved[0] == 0 &&
	   result.nodes[0].feasible && result.nodes[0].total == U(43),
	   "the day of completeness is never left out");
	finish();
}

/* what is there on one day and gone on the next, and there again later */
static void
falling(void)
{
	Instance	in;
	SrcResult	r;

	instance_init(&in);
	add_node(&in, 100, U(1));
	add_lane(&in, 1, U(5), 0);
	add_stock(&in, 0, 0, 100, U(10));
	add_stock(&in, 0, 0, 103, 0);
	add_stock(&in, 0, 0, 106, U(4));
	add_stock(&in, 0, 0, 108, U(10));
	add_line(&in, 0, U(8), 104);
	instance_search(&in, &r);
	ok(r.best.nshipments == 1 && r.best.shipments[0].day == 108 && r.best.unserved[0] == 0,
	   "a gap is waited out, until there is enough for one shipment");
	in.lines[0].requested = 103;
	instance_search(&in, &r);
	ok(r.best.nshipments == 1 && r.best.shipments[0].day == 102 && r.best.unserved[0] == 0,
	   "the last day before the gap");
	in.nsteps[0][0] = 2;
	in.lines[0].requested = 104;
	instance_search(&in, &r);
	ok(r.best.nshipments == 0 && r.best.unserved[0] == U(8), "after the end there is nothing");
	instance_free(&in);
}

int
main(void)
{
	single_node();
	splits();
	lateness();
	inbound();
	pinned();
	ship_days();
	nothing();
	shared_item();
	ties();
	laziness();
	many_shipments();
	limits();
	ok(compare_with_oracle(4000, 0, 0) == 0,
	   "4000 random orders: the oracle's total and tie-breaking, true bounds");
	ok(compare_with_oracle(1000, 1, 0) == 0,
	   "1000 random orders with rounding: the oracle's total, true bounds");
	ok(compare_with_oracle(600, 0, 1) == 0,
	   "600 random orders with items on several lines: the same");
	ok(check_properties(2000, 0) == 0,
	   "2000 larger orders: feasible, adds up, deterministic");
	ok(check_properties(2000, 1) == 0,
	   "2000 with availability that falls again: the same");
	falling();
	ok(check_work_limit(1000) == 0,
	   "1000 orders stopped early: still plans, true gaps");
	ok(check_stocked(2000) == 0,
	   "2000 orders, told which nodes have nothing: the same plan, the others are not read");
	printf("1..%d\n", ntests);
	return nfailed > 0;
}
