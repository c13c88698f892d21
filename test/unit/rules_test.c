/*
 * rules_test.c
 *		Terms and rules of plans: cases worked out by hand, then random ones.
 *
 * Prints TAP; exits with 1 if anything failed.  Unless a case says otherwise
 * there are nodes 0 and 1 with one lane each, for 5 and 8, one day of transit,
 * 10 in stock of every item, and one line of 4 for day 5 that weighs 1 kg per
 * unit, costs 2 per day late and 1000 if unserved; freight by weight is free.
 */
#include <stdio.h>
#include <string.h>

#include "rules_oracle.h"

static int	ntests;
static int	nfailed;
static Instance in;
static SrcResult result;
static SrcLineNode line_nodes[MAX_LINES * MAX_NODES];
static bool lane_forbidden[MAX_LINES * MAX_LANES];
static SrcRoom room_of_node[2];

static void
ok(int passed, const char *name)
{
	ntests++;
	if (!passed)
		nfailed++;
	printf("%sok %d - %s\n", passed ? "" : "not ", ntests, name);
}

/* both nodes have it */
static SrcLine *
line(int64_t quantity)
{
	int			item = in.problem.nlines;

	add_stock(&in, 0, item, 0, U(10));
	add_stock(&in, 1, item, 0, U(10));
	return add_line(&in, item, quantity, 5);
}

static void
start(void)
{
	int			i;

	instance_init(&in);
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(5), 0);
	add_node(&in, 0, 0);
	add_lane(&in, 1, U(8), 0);
	for (i = 0; i < MAX_LINES * MAX_NODES; i++)
		line_nodes[i].forbidden = false, line_nodes[i].goods = line_nodes[i].custom = 0;
	for (i = 0; i < MAX_LINES * MAX_LANES; i++)
		lane_forbidden[i] = false;
	for (i = 0; i < 2; i++)
	{
		room_of_node[i].shipments = room_of_node[i].lines = room_of_node[i].units = INT64_MAX;
		room_of_node[i].price = 0;
	}
}

static void
one_line(void)
{
	start();
	line(U(4));
}

/* search, and compare the total, the shipments and the first one's node */
static int
found(int64_t total, int nshipments, int node)
{
	instance_search(&in, &result);
	return result.best.total == total && result.best.nshipments == nshipments &&
		(nshipments == 0 || result.best.shipments[0].node == node) &&
		result.exact && result.gap == 0;
}

static void
give_room(void *arg, int32_t node, int32_t ship_day, SrcRoom *out)
{
	(void) arg;
	*out = room_of_node[node];
	if (ship_day != 4)
		out->shipments = out->lines = out->units = INT64_MAX, out->price = 0;
}

static void
terms(void)
{
	one_line();
	in.nodes[0].preference = U(2);
	in.nodes[0].distance = U(2);
	/* 5 + 2 + 2 against 8 */
	ok(found(U(8), 1, 1), "preference and distance decide");
	in.nodes[0].distance = 0;
	ok(found(U(7), 1, 0) && result.best.preference == U(2) &&
	   result.best.shipments[0].preference == U(2), "preference is a term");
	in.problem.line_nodes = line_nodes;
	line_nodes[0].goods = U(2);
	ok(found(U(8), 1, 1), "goods that cost more here");
	line_nodes[0].goods = 0;
	line_nodes[0].custom = U(1) / 2;
	ok(found(U(15) / 2, 1, 0) && result.best.custom == U(1) / 2 &&
	   result.best.parts[0].custom == U(1) / 2, "a term of the tenant's own");
	instance_free(&in);

	one_line();
	in.lanes[0].risk = SRC_SCALE / 10;
	in.lines[0].sla_penalty = U(20);
	/* a tenth of 20 */
	ok(found(U(7), 1, 0) && result.best.risk == U(2), "risk of being late");
	in.lines[0].sla_penalty = U(40);
	ok(found(U(8), 1, 1) && result.best.risk == 0, "too much of it");
	instance_free(&in);

	one_line();
	in.lines[0].balance_price = U(10);
	/* 4 of 10 cost 4: 9; of 100, 0.4 */
	in.steps[1][0][0].available = U(100);
	ok(found(U(84) / 10, 1, 1) && result.best.balance == U(4) / 10, "stock balance");
	instance_free(&in);

	one_line();
	in.lanes[1].open_day = 4;
	ok(found(0, 1, 1) && result.best.shipments[0].base == 0, "a shipment that is open already");
	instance_free(&in);

	one_line();
	in.problem.room = give_room;
	room_of_node[0].price = U(1);
	/* 6; a day later 7 */
	ok(found(U(6), 1, 0) && result.best.capacity == U(1), "a price of capacity");
	room_of_node[0].price = U(3);
	/* 8; a day later 5 + 2 = 7 */
	ok(found(U(7), 1, 0) && result.best.shipments[0].ship == 5 &&
	   result.best.capacity == 0, "a day later it is free");
	instance_free(&in);
}

static void
days(void)
{
	one_line();
	in.lanes[0].first_ship = 7;
	/* there on 8: 5 + 6 */
	ok(found(U(8), 1, 1), "a cut-off that has passed");
	in.lanes[1].first_ship = 7;
	ok(found(U(11), 1, 0) && result.best.shipments[0].arrival == 8, "both: late");
	in.lines[0].latest = 7;
	ok(found(U(1000), 0, 0) && !result.nodes[0].feasible, "too late is not at all");
	instance_free(&in);

	one_line();
	in.lines[0].early_ok = true;
	ok(found(U(5), 1, 0) && result.best.shipments[0].ship == 0, "early");
	in.lines[0].not_before = 3;
	ok(found(U(5), 1, 0) && result.best.shipments[0].ship == 3, "but not before");
	in.lines[0].not_before = 6;
	ok(found(U(9), 1, 0) && result.best.shipments[0].ship == 6 &&
	   result.best.parts[0].days_late == 2, "which may make it late");
	instance_free(&in);
}

static void
forbidden(void)
{
	one_line();
	in.problem.line_nodes = line_nodes;
	line_nodes[0].forbidden = true;
	ok(found(U(8), 1, 1) && !result.nodes[0].read, "forbidden at the node");
	line_nodes[0].forbidden = false;
	in.problem.lane_forbidden = lane_forbidden;
	lane_forbidden[0] = true;
	ok(found(U(8), 1, 1), "forbidden on the lane");
	instance_free(&in);
}

static void
room(void)
{
	one_line();
	in.problem.room = give_room;
	in.lines[0].latest = 5;
	room_of_node[0].units = U(3);
	/* 3 for 5 and 1 for 8, or all for 8 */
	ok(found(U(8), 1, 1) && (result.nodes[0].failed & SRC_FAIL_ROOM), "no room for the units");
	room_of_node[1].units = U(1);
	ok(found(U(13), 2, 0) && result.best.parts[0].quantity == U(3), "room for some in each");
	room_of_node[1].shipments = 0;
	/* 3 for 5, 1 unserved */
	ok(found(U(255), 1, 0), "room for no shipment");
	room_of_node[0].units = INT64_MAX;
	room_of_node[0].lines = 1;
	line(U(4))->latest = 5;
	ok(found(U(1005), 1, 0), "room for one line of two");
	instance_free(&in);
}

static void
shipments(void)
{
	one_line();
	in.lanes[0].max_weight = U(3);
	ok(found(U(8), 1, 1) && result.nodes[0].failed == SRC_FAIL_WEIGHT, "too heavy");
	in.lanes[1].base = U(20);
	in.lines[0].lateness_per_day = U(4);
	/* 3 today, one a day later: 5 + 5 + 1 */
	ok(found(U(11), 2, 0) && result.best.shipments[1].ship == 5,
	   "too heavy for one shipment, not for two");
	instance_free(&in);

	one_line();
	in.nodes[0].min_value = U(9);
	in.lines[0].unit_value = U(2);
	ok(found(U(8), 1, 1) && result.nodes[0].failed == SRC_FAIL_VALUE, "not worth a shipment");
	in.lines[0].unit_value = U(3);
	ok(found(U(5), 1, 0), "worth one");
	instance_free(&in);

	/* node 0 has only 3 */
	one_line();
	in.steps[0][0][0].available = U(3);
	in.steps[1][0][0].available = U(3);
	in.lines[0].unit_value = U(1);
	ok(found(U(13), 2, 0), "a split");
	in.problem.split_min_value = U(2);
	/* 2 and 2 */
	ok(found(U(13), 2, 0) && result.best.parts[0].quantity == U(2), "both halves worth enough");
	in.problem.split_min_value = U(3);
	/* 3 and 1, the rest not worth enough: nothing */
	ok(found(U(1000), 0, 0), "or not at all");
	instance_free(&in);
}

static void
parts(void)
{
	one_line();
	in.steps[0][0][0].available = U(3);
	in.steps[1][0][0].available = U(3);
	in.lines[0].min_part = U(2);
	ok(found(U(13), 2, 0) && result.best.parts[0].quantity == U(2), "least parts: 2 and 2");
	in.lines[0].min_part = U(3);
	/* 3, and 1 unserved */
	ok(found(U(255), 1, 0) && result.nodes[0].failed == SRC_FAIL_STOCK, "least parts: 3 and none");
	in.lines[0].min_part = 0;
	in.lines[0].multiple = U(2);
	ok(found(U(13), 2, 0) && result.best.parts[0].quantity == U(2), "multiples of 2");
	in.lines[0].multiple = 0;
	in.lines[0].split_min = U(2);
	ok(found(U(13), 2, 0) && result.best.parts[0].quantity == U(2), "both halves large enough");
	in.problem.max_shipments = 1;
	/* not 3, which leaves 1: 2 and 2 */
	ok(found(U(505), 1, 0) && result.best.unserved[0] == U(2), "and what is left");
	instance_free(&in);

	one_line();
	in.lines[0].max_part = U(3);
	in.lines[0].latest = 5;
	ok(found(U(13), 2, 0) && result.nodes[0].failed == SRC_FAIL_PART, "largest parts");
	instance_free(&in);

	/* node 0 has the first line, node 1 both */
	start();
	line(U(4))->group = 7;
	line(U(4))->group = 7;
	in.nsteps[0][1] = 0;
	in.lines[1].backorder_penalty = U(2);
	/* without the group 5 + 2 */
	ok(found(U(8), 1, 1), "a group goes together");
	in.nsteps[1][1] = 0;
	ok(found(U(1002), 0, 0), "or not at all");
	instance_free(&in);
}

static void
whole_order(void)
{
	/* item 0 at both nodes, item 1 at node 1 from day 6 */
	start();
	line(U(4));
	line(U(4))->backorder_penalty = U(3);
	in.nsteps[0][1] = 0;
	in.steps[1][1][0].day = 6;
	/* 5 and 3 unserved */
	ok(found(U(8), 1, 0), "a line that is not worth serving");
	in.problem.all_or_nothing = true;
	/* node 1 on day 6: both two days late, 8 + 4 + 4; split: 5 + 8 + 4 */
	ok(found(U(16), 1, 1), "all or nothing");
	in.lines[0].lateness_per_day = U(5);
	/* 5 + 8 + 4 against 8 + 10 + 4 */
	ok(found(U(17), 2, 0), "in two shipments");
	in.problem.one_date = true;
	ok(found(U(22), 1, 1) && result.best.shipments[0].arrival == 7, "on one date");
	in.lines[0].backorder_penalty = U(10);
	ok(found(U(13), 0, 0), "or nothing");
	instance_free(&in);
}

static void
told_order(void)
{
	SrcResult	first;
	int32_t		order[2] = {1, 0};

	one_line();
	in.problem.nread = 2;
	in.problem.read_order = order;
	instance_search(&in, &first);
	ok(first.nodes_read == 2 && first.read_order[0] == 1 && first.best.total == U(5),
	   "nodes are read in the order that is given");
	in.problem.nread = 1;
	instance_search(&in, &first);
	ok(first.nodes_read == 1 && first.best.total == U(8) && !first.nodes[0].read &&
	   first.unread_bound <= U(5), "and no others");
	instance_free(&in);
}

int
main(int argc, char **argv)
{
	static const int mixes[] = {
		RULE_ROOM | RULE_PARTS | RULE_TERMS,
		RULE_WEIGHT | RULE_SPLIT | RULE_SHARED,
		RULE_CALENDARS | RULE_WINDOWS | RULE_ONE_DATE,
		RULE_VALUE | RULE_GROUPS | RULE_COMPLETE | RULE_PARTS,
		RULE_CALENDARS | RULE_ROOM | RULE_FORBIDDEN | RULE_SHARED | RULE_TERMS,
		RULE_GROUPS | RULE_SHARED | RULE_WEIGHT | RULE_VALUE,
		RULE_SPLIT | RULE_PARTS | RULE_ROOM | RULE_WINDOWS | RULE_VALUE,
		(1 << RULE_KINDS) - 1
	};
	char		name[80];
	unsigned	i;

	if (argc > 1 && strcmp(argv[1], "print") == 0)
	{
		for (i = 0; i < RULE_KINDS; i++)
			print_rules(200, 1 << i);
		for (i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++)
			print_rules(200, mixes[i]);
		return 0;
	}
	terms();
	days();
	forbidden();
	room();
	shipments();
	parts();
	whole_order();
	told_order();
	for (i = 0; i < RULE_KINDS; i++)
	{
		snprintf(name, sizeof(name), "150 random orders with rules %x: the oracle's plan", 1u << i);
		ok(compare_rules(150, 1 << i) == 0, name);
	}
	for (i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++)
	{
		snprintf(name, sizeof(name), "150 random orders with rules %x: the oracle's plan",
				 (unsigned) mixes[i]);
		ok(compare_rules(150, mixes[i]) == 0, name);
	}
	printf("1..%d\n", ntests);
	return nfailed > 0;
}
