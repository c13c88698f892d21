/*
 * plan_solve.c
 *		The plan search as a filter: instances in, plans out.
 *
 *	plan_solve [kinds] < instances
 *
 * For each instance it prints the cheapest plan; with "kinds" also, for each
 * kind of constraint or cost term that the instance names, what the cheapest
 * plan costs when that kind is taken out, and whether it is another plan.
 *
 * The format is described in test/milp/instance.py.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define MAX_NODES		64
#define MAX_LANES		256
#define MAX_LINES		16
#define MAX_STEPS		16
#define MAX_CALENDARS	64
#define MAX_EXCEPTIONS	64
#define MAX_ROOMS		4096
#define MAX_KINDS		64
#define ARENA			((size_t) 256 << 20)

typedef struct Instance
{
	SrcProblem	problem;
	Calendar	calendars[MAX_CALENDARS];
	int32_t		exceptions[MAX_CALENDARS][MAX_EXCEPTIONS];
	int			ncalendars;
	SrcNode		nodes[MAX_NODES];
	SrcLane		lanes[MAX_LANES];
	SrcLine		lines[MAX_LINES];
	SrcLineNode line_nodes[MAX_LINES * MAX_NODES];
	bool		lane_forbidden[MAX_LINES * MAX_LANES];
	SrcStep		steps[MAX_NODES][MAX_LINES][MAX_STEPS];
	int32_t		nsteps[MAX_NODES][MAX_LINES];
	SrcAskedRoom rooms[MAX_ROOMS];
	int			nrooms;
	bool		own_items;		/* lines do not share: their items are 1000 + line */
	int32_t		item_of[MAX_LINES];
	int			nkinds;
	char		kinds[MAX_KINDS][32];
} Instance;

static Instance in;
static Instance changed;
static char *arena;
static size_t used;

static void
die(const char *what)
{
	fprintf(stderr, "plan_solve: %s\n", what);
	exit(2);
}

static int64_t
number(void)
{
	int64_t		value;

	if (scanf("%" SCNd64, &value) != 1)
		die("a number is missing");
	return value;
}

/* -1: INT64_MAX */
static int64_t
limit(void)
{
	int64_t		value = number();

	return value < 0 ? INT64_MAX : value;
}

/* within an array, which is one larger than most */
static int
index_below(int64_t value, int most)
{
	if (value < 0 || value >= most)
		die("a number is out of range");
	return (int) value;
}

static const Calendar *
calendar(Instance *own)
{
	int64_t		which = number();

	return which == 0 ? NULL : &own->calendars[index_below(which - 1, MAX_CALENDARS)];
}

static void *
give_memory(void *arg, size_t size)
{
	char	   *memory = arena + used;

	(void) arg;
	used += (size + 15) & ~(size_t) 15;
	if (used > ARENA)
		die("out of memory");
	return memory;
}

static void
give_profile(void *arg, int32_t node, int32_t item, SrcProfile *out)
{
	Instance   *own = arg;

	if (own->own_items)
		item = own->item_of[item - 1000];
	out->nsteps = own->nsteps[node][item];
	out->steps = own->steps[node][item];
}

static void
give_room(void *arg, int32_t node, int32_t ship_day, SrcRoom *out)
{
	Instance   *own = arg;
	int			i;

	for (i = 0; i < own->nrooms; i++)
		if (own->rooms[i].node == node && own->rooms[i].ship_day == ship_day)
		{
			*out = own->rooms[i].room;
			return;
		}
	out->shipments = out->lines = out->units = INT64_MAX;
	out->price = 0;
}

static void
read_calendar(Instance *own)
{
	int			which = index_below(own->ncalendars++, MAX_CALENDARS);
	int			i;

	own->calendars[which].week = (uint8_t) number();
	own->calendars[which].nexceptions = index_below(number(), MAX_EXCEPTIONS + 1);
	own->calendars[which].exceptions = own->exceptions[which];
	for (i = 0; i < own->calendars[which].nexceptions; i++)
		own->exceptions[which][i] = (int32_t) number();
}

static void
read_node(Instance *own)
{
	SrcNode    *node = &own->nodes[index_below(own->problem.nnodes++, MAX_NODES)];

	node->today = (int32_t) number();
	node->handling_days = (int32_t) number();
	node->handling = number();
	node->preference = number();
	node->distance = number();
	node->min_value = number();
	node->calendar = calendar(own);
	node->first_lane = own->problem.nlanes;
}

static void
read_lane(Instance *own)
{
	SrcLane    *lane = &own->lanes[index_below(own->problem.nlanes++, MAX_LANES)];

	lane->node = index_below(own->problem.nnodes - 1, MAX_NODES);
	own->nodes[lane->node].nlanes++;
	lane->transit_days = (int32_t) number();
	lane->base = number();
	lane->per_kg = number();
	lane->max_weight = number();
	lane->first_ship = (int32_t) number();
	lane->open_day = (int32_t) number();
	lane->risk = number();
	lane->pickup = calendar(own);
	lane->transit = calendar(own);
}

static void
read_line(Instance *own)
{
	SrcLine    *line = &own->lines[index_below(own->problem.nlines++, MAX_LINES)];

	line->item = index_below(number(), MAX_LINES);
	own->item_of[own->problem.nlines - 1] = line->item;
	line->pinned_node = (int32_t) number();
	line->quantity = number();
	line->unit_weight = number();
	line->requested = (int32_t) number();
	line->by_ship_day = number() != 0;
	line->early_ok = number() != 0;
	line->not_before = (int32_t) number();
	line->latest = (int32_t) number();
	line->group = (int32_t) number();
	line->lateness_per_day = number();
	line->backorder_penalty = number();
	line->sla_penalty = number();
	line->balance_price = number();
	line->unit_value = number();
	line->min_part = number();
	line->max_part = number();
	line->multiple = number();
	line->split_min = number();
}

static void
read_line_node(Instance *own)
{
	int			line = index_below(number(), own->problem.nlines);
	int			node = index_below(number(), own->problem.nnodes);
	SrcLineNode *cell = &own->line_nodes[line * own->problem.nnodes + node];

	cell->forbidden = number() != 0;
	cell->goods = number();
	cell->custom = number();
	own->problem.line_nodes = own->line_nodes;
}

static void
read_stock(Instance *own)
{
	int			node = index_below(number(), MAX_NODES);
	int			item = index_below(number(), MAX_LINES);
	int			i;

	own->nsteps[node][item] = index_below(number(), MAX_STEPS + 1);
	for (i = 0; i < own->nsteps[node][item]; i++)
	{
		own->steps[node][item][i].day = (int32_t) number();
		own->steps[node][item][i].available = number();
	}
}

static void
read_room(Instance *own)
{
	SrcAskedRoom *room = &own->rooms[index_below(own->nrooms++, MAX_ROOMS)];

	room->node = (int32_t) number();
	room->ship_day = (int32_t) number();
	room->room.shipments = limit();
	room->room.lines = limit();
	room->room.units = limit();
	room->room.price = number();
	own->problem.room = give_room;
}

static void
connect_arrays(Instance *own)
{
	own->problem.nodes = own->nodes;
	own->problem.lanes = own->lanes;
	own->problem.lines = own->lines;
	own->problem.profile = give_profile;
	own->problem.alloc = give_memory;
	own->problem.arg = own;
}

/* the rest of an instance, up to "end" */
static void
read_instance(Instance *own)
{
	char		word[32];

	memset(own, 0, sizeof(*own));
	connect_arrays(own);
	while (scanf("%31s", word) == 1 && strcmp(word, "end") != 0)
	{
		if (strcmp(word, "calendar") == 0)
			read_calendar(own);
		else if (strcmp(word, "problem") == 0)
		{
			own->problem.split_penalty = number();
			own->problem.split_min_value = number();
			own->problem.one_date = number() != 0;
			own->problem.all_or_nothing = number() != 0;
			own->problem.max_shipments = (int32_t) number();
			own->problem.work_limit = number();
			own->problem.receiving = calendar(own);
		}
		else if (strcmp(word, "node") == 0)
			read_node(own);
		else if (strcmp(word, "lane") == 0)
			read_lane(own);
		else if (strcmp(word, "line") == 0)
			read_line(own);
		else if (strcmp(word, "linenode") == 0)
			read_line_node(own);
		else if (strcmp(word, "forbid") == 0)
		{
			int			line = index_below(number(), own->problem.nlines);

			own->lane_forbidden[line * own->problem.nlanes +
								index_below(number(), own->problem.nlanes)] = true;
			own->problem.lane_forbidden = own->lane_forbidden;
		}
		else if (strcmp(word, "stock") == 0)
			read_stock(own);
		else if (strcmp(word, "room") == 0)
			read_room(own);
		else if (strcmp(word, "kinds") == 0)
		{
			int64_t		n = number();

			while (n-- > 0)
				if (scanf("%31s", own->kinds[index_below(own->nkinds++, MAX_KINDS)]) != 1)
					die("a kind is missing");
		}
		else
			die(word);
	}
}

/* take every constraint of a kind out */
static void
without(Instance *own, const char *kind)
{
	SrcProblem *p = &own->problem;
	int			i;
	int			known = 1;

#define IS(name) (strcmp(kind, name) == 0)
#define ALL_LINES(what) for (i = 0; i < p->nlines; i++) own->lines[i].what
#define ALL_LANES(what) for (i = 0; i < p->nlanes; i++) own->lanes[i].what
#define ALL_NODES(what) for (i = 0; i < p->nnodes; i++) own->nodes[i].what
#define ALL_ROOMS(what) for (i = 0; i < own->nrooms; i++) own->rooms[i].room.what
#define ALL_CELLS(what) for (i = 0; i < p->nlines * p->nnodes; i++) own->line_nodes[i].what

	if (IS("services"))
		ALL_NODES(nlanes) = own->nodes[i].nlanes > 0;
	else if (IS("node_calendar"))
		ALL_NODES(calendar) = NULL;
	else if (IS("pickup_calendar"))
		ALL_LANES(pickup) = NULL;
	else if (IS("carrier_calendar"))
		ALL_LANES(transit) = NULL;
	else if (IS("receiving_calendar"))
		p->receiving = NULL;
	else if (IS("cut_off"))
		ALL_LANES(first_ship) = INT32_MIN;
	else if (IS("handling_days"))
		ALL_NODES(handling_days) = 0;
	else if (IS("room_shipments"))
		ALL_ROOMS(shipments) = INT64_MAX;
	else if (IS("room_lines"))
		ALL_ROOMS(lines) = INT64_MAX;
	else if (IS("room_units"))
		ALL_ROOMS(units) = INT64_MAX;
	else if (IS("room_price"))
		ALL_ROOMS(price) = 0;
	else if (IS("handling"))
		ALL_NODES(handling) = 0;
	else if (IS("preference"))
		ALL_NODES(preference) = 0;
	else if (IS("distance"))
		ALL_NODES(distance) = 0;
	else if (IS("min_value"))
		ALL_NODES(min_value) = 0;
	else if (IS("base"))
		ALL_LANES(base) = 0;
	else if (IS("per_kg"))
		ALL_LANES(per_kg) = 0;
	else if (IS("max_weight"))
		ALL_LANES(max_weight) = 0;
	else if (IS("open_day"))
		ALL_LANES(open_day) = INT32_MIN;
	else if (IS("risk"))
		ALL_LANES(risk) = 0;
	else if (IS("lateness"))
		ALL_LINES(lateness_per_day) = 0;
	else if (IS("balance"))
		ALL_LINES(balance_price) = 0;
	else if (IS("pinned"))
		ALL_LINES(pinned_node) = -1;
	else if (IS("by_ship_day"))
		ALL_LINES(by_ship_day) = false;
	else if (IS("early_ok"))
		ALL_LINES(early_ok) = false;
	else if (IS("not_before"))
		ALL_LINES(not_before) = INT32_MIN;
	else if (IS("latest"))
		ALL_LINES(latest) = INT32_MAX;
	else if (IS("group"))
		ALL_LINES(group) = -1;
	else if (IS("min_part"))
		ALL_LINES(min_part) = 0;
	else if (IS("max_part"))
		ALL_LINES(max_part) = 0;
	else if (IS("multiple"))
		ALL_LINES(multiple) = 0;
	else if (IS("split_min"))
		ALL_LINES(split_min) = 0;
	else if (IS("forbidden_node"))
		ALL_CELLS(forbidden) = false;
	else if (IS("goods"))
		ALL_CELLS(goods) = 0;
	else if (IS("custom"))
		ALL_CELLS(custom) = 0;
	else if (IS("forbidden_lane"))
		p->lane_forbidden = NULL;
	else if (IS("split_penalty"))
		p->split_penalty = 0;
	else if (IS("split_min_value"))
		p->split_min_value = 0;
	else if (IS("one_date"))
		p->one_date = false;
	else if (IS("all_or_nothing"))
		p->all_or_nothing = false;
	else if (IS("max_shipments"))
		p->max_shipments = SRC_EXACT_SHIPMENTS;
	else if (IS("shared_items"))
	{
		own->own_items = true;
		ALL_LINES(item) = 1000 + i;
	}
	else
		known = 0;
	if (!known)
		die(kind);
}

static void
print_plan(const SrcProblem *problem, const SrcResult *result)
{
	const SrcPlan *plan = &result->best;
	int			i;

	printf("terms %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
		   " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
		   plan->handling, plan->preference, plan->distance, plan->capacity,
		   plan->freight, plan->split, plan->lateness, plan->goods, plan->custom,
		   plan->risk, plan->balance, plan->backorder);
	for (i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *s = &plan->shipments[i];

		printf("shipment %d %d %d %d %d %" PRId64 "\n", s->node, s->lane, s->day,
			   s->ship, s->arrival, s->weight);
	}
	for (i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];

		printf("part %d %d %" PRId64 " %d\n", part->line, part->shipment,
			   part->quantity, part->days_late);
	}
	for (i = 0; i < problem->nlines; i++)
		printf("unserved %d %" PRId64 "\n", i, plan->unserved[i]);
}

int
main(int argc, char **argv)
{
	char		word[32];
	char		name[64];
	bool		kinds = argc > 1 && strcmp(argv[1], "kinds") == 0;

	arena = malloc(ARENA);
	if (arena == NULL)
		die("out of memory");
	while (scanf("%31s", word) == 1)
	{
		SrcResult	result;
		SrcResult	other;
		int			i;

		if (strcmp(word, "instance") != 0 || scanf("%63s", name) != 1)
			die("an instance is missing");
		read_instance(&in);
		used = 0;
		plan_search(&in.problem, &result);
		printf("plan %s %" PRId64 " %d %" PRId64 " %d\n", name, result.best.total,
			   result.exact, result.gap, result.nodes_read);
		print_plan(&in.problem, &result);
		for (i = 0; i < in.nkinds && kinds; i++)
		{
			size_t		before = used;

			changed = in;
			connect_arrays(&changed);
			if (in.problem.line_nodes != NULL)
				changed.problem.line_nodes = changed.line_nodes;
			if (in.problem.lane_forbidden != NULL)
				changed.problem.lane_forbidden = changed.lane_forbidden;
			without(&changed, in.kinds[i]);
			plan_search(&changed.problem, &other);
			printf("without %s %" PRId64 " %d\n", in.kinds[i], other.best.total,
				   !src_plans_equal(&result.best, &other.best, in.problem.nlines, NULL, NULL));
			used = before;
		}
		printf("done\n");
		fflush(stdout);
	}
	free(arena);
	return 0;
}
