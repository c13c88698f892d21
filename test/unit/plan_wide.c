/*
 * plan_wide.c
 *		Random orders and networks with everything that a problem can have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan_instance.h"
#include "plan_wide.h"

#define TODAY		20000
#define ARENA		((size_t) 64 << 20)

static void *
give_memory(void *arg, size_t size)
{
	Wide	   *w = arg;
	char	   *memory = w->arena + w->used;

	w->used += (size + 15) & ~(size_t) 15;
	if (w->used > ARENA)
		abort();
	return memory;
}

static void
give_profile(void *arg, int32_t node, int32_t item, SrcProfile *out)
{
	Wide	   *w = arg;

	out->nsteps = w->nsteps[node][item / 10];
	out->steps = w->steps[node][item / 10];
	src_note_profile(&w->problem, &w->asked, node, item, out);
}

static void
give_room(void *arg, int32_t node, int32_t ship_day, SrcRoom *out)
{
	Wide	   *w = arg;
	uint64_t	seed = w->room_seed + (uint64_t) node * 1000 + (uint64_t) (ship_day - TODAY);

	out->shipments = out->lines = out->units = INT64_MAX;
	out->price = 0;
	if (ship_day < TODAY + WIDE_DAYS)
	{
		if (random_below(&seed, 4) == 0)
			out->shipments = random_below(&seed, 3);
		if (random_below(&seed, 5) == 0)
			out->lines = random_below(&seed, 4);
		if (random_below(&seed, 5) == 0)
			out->units = U(random_below(&seed, 10));
		if (random_below(&seed, 3) == 0)
			out->price = random_below(&seed, 3) * U(2);
	}
	src_note_room(&w->problem, &w->asked, node, ship_day, out);
}

static const Calendar *
some_calendar(Wide *w, uint64_t *seed)
{
	int			which = random_below(seed, 8);

	return which < 6 ? &w->calendars[which] : NULL;
}

/* one in "one_in" times a number below "below", else 0 */
static int64_t
rarely(uint64_t *seed, int one_in, int below)
{
	return random_below(seed, one_in) == 0 ? random_below(seed, below) : 0;
}

static void
make_calendars(Wide *w, uint64_t *seed)
{
	int			i;
	int			j;

	for (i = 0; i < 6; i++)
	{
		int			day = TODAY - 10;

		w->calendars[i].week = (uint8_t) (i == 0 ? 0x1f : random_below(seed, 128) | 4);
		w->calendars[i].exceptions = w->exceptions[i];
		w->calendars[i].nexceptions = random_below(seed, 9);
		for (j = 0; j < w->calendars[i].nexceptions; j++)
		{
			day += 1 + random_below(seed, 12);
			w->exceptions[i][j] = day;
		}
	}
	w->problem.receiving = some_calendar(w, seed);
}

static void
make_nodes(Wide *w, uint64_t *seed, int plain)
{
	int			nnodes = plain ? 3 : 1 + random_below(seed, WIDE_NODES);
	int			i;
	int			j;
	int			k;

	for (i = 0; i < nnodes; i++)
	{
		SrcNode    *node = &w->nodes[w->problem.nnodes++];

		node->today = TODAY + random_below(seed, 2);
		node->handling_days = random_below(seed, 2);
		node->handling = random_below(seed, 40) * 500;
		node->preference = rarely(seed, 4, 3) * 10000;
		node->distance = rarely(seed, 4, 50) * 1000;
		node->min_value = plain ? 0 : rarely(seed, 5, 20) * 10000;
		node->first_lane = w->problem.nlanes;
		node->nlanes = random_below(seed, 3) + (plain || random_below(seed, 5) > 0);
		node->calendar = plain ? &w->calendars[0] : some_calendar(w, seed);
		for (j = 0; j < node->nlanes; j++)
		{
			SrcLane    *lane = &w->lanes[w->problem.nlanes++];

			lane->node = i;
			lane->transit_days = random_below(seed, 4);
			lane->base = random_below(seed, 60) * 2500;
			lane->per_kg = random_below(seed, 40) * 100;
			lane->max_weight = plain ? U(30) : rarely(seed, 5, 10) * 10000;
			lane->first_ship = random_below(seed, 2) ? INT32_MIN : TODAY + 1;
			lane->open_day = plain || random_below(seed, 6) ? INT32_MIN : TODAY + random_below(seed, 4);
			lane->risk = rarely(seed, 3, 2000);
			lane->pickup = plain ? &w->calendars[0] : some_calendar(w, seed);
			lane->transit = plain ? &w->calendars[1] : some_calendar(w, seed);
		}
		for (j = 0; j < WIDE_LINES; j++)
		{
			int			day = TODAY + random_below(seed, 3) - 1;
			int64_t		available = 0;

			w->nsteps[i][j] = plain ? 1 + random_below(seed, 2) : random_below(seed, WIDE_STEPS + 1);
			for (k = 0; k < w->nsteps[i][j]; k++)
			{
				available += U(plain ? 3 + random_below(seed, 20) : random_below(seed, 4));
				w->steps[i][j][k].day = day;
				w->steps[i][j][k].available = available;
				day += 1 + random_below(seed, 5);
			}
		}
	}
}

static void
make_lines(Wide *w, uint64_t *seed, int plain)
{
	int			nlines = plain ? 3 : 1 + random_below(seed, WIDE_LINES);
	int			requested = TODAY + random_below(seed, 8);
	int			i;

	for (i = 0; i < nlines; i++)
	{
		SrcLine    *line = &w->lines[w->problem.nlines++];

		line->item = 10 * (plain ? i : random_below(seed, nlines));
		line->pinned_node = plain || random_below(seed, 8) ? -1 : random_below(seed, w->problem.nnodes);
		line->quantity = U(1 + random_below(seed, 6));
		line->unit_weight = random_below(seed, 30) * 1000;
		line->requested = plain ? requested : TODAY + random_below(seed, 10) - 1;
		line->by_ship_day = !plain && random_below(seed, 4) == 0;
		line->early_ok = !plain && random_below(seed, 4) == 0;
		line->not_before = plain || random_below(seed, 6) ? INT32_MIN : TODAY + random_below(seed, 8);
		line->latest = plain || random_below(seed, 6) ? INT32_MAX : TODAY + random_below(seed, 12);
		line->group = plain || random_below(seed, 4) ? -1 : random_below(seed, 2);
		line->lateness_per_day = 20000;
		line->backorder_penalty = plain ? U(500) : random_below(seed, 100) * 10000;
		line->sla_penalty = U(10);
		line->balance_price = plain ? 0 : rarely(seed, 3, 10) * 10000;
		line->unit_value = 10000 * (1 + random_below(seed, 90));
		if (plain)
			continue;
		line->min_part = U(rarely(seed, 5, 4));
		line->max_part = U(rarely(seed, 5, 4));
		line->multiple = U(rarely(seed, 5, 3));
		line->split_min = U(rarely(seed, 5, 4));
	}
}

void
wide_init(Wide *w, uint64_t seed, int plain)
{
	SrcProblem *problem = &w->problem;
	int			i;

	memset(w, 0, sizeof(*w));
	w->arena = malloc(ARENA);
	if (w->arena == NULL)
		abort();
	problem->nodes = w->nodes;
	problem->lanes = w->lanes;
	problem->lines = w->lines;
	problem->profile = give_profile;
	problem->alloc = give_memory;
	problem->arg = w;
	problem->work_limit = plain ? 200000 : (int64_t) 100 << random_below(&seed, 6);
	problem->unread_bound = INT64_MAX;
	problem->max_shipments = plain ? 3 : 1 + random_below(&seed, 4);
	problem->split_penalty = 30000;
	make_calendars(w, &seed);
	make_nodes(w, &seed, plain);
	make_lines(w, &seed, plain);
	w->room_seed = random_bits(&seed);
	if (plain || random_below(&seed, 2))
		problem->room = give_room;
	if (plain)
		return;
	problem->split_min_value = rarely(&seed, 6, 30) * 10000;
	problem->one_date = random_below(&seed, 8) == 0;
	problem->all_or_nothing = random_below(&seed, 8) == 0;
	if (random_below(&seed, 3) == 0)
	{
		for (i = 0; i < problem->nlines * problem->nnodes; i++)
		{
			w->line_nodes[i].forbidden = random_below(&seed, 8) == 0;
			w->line_nodes[i].goods = rarely(&seed, 3, 5) * 10000;
			w->line_nodes[i].custom = rarely(&seed, 3, 5) * 5000;
		}
		problem->line_nodes = w->line_nodes;
	}
	if (random_below(&seed, 3) == 0)
	{
		for (i = 0; i < problem->nlines * problem->nlanes; i++)
			w->lane_forbidden[i] = random_below(&seed, 8) == 0;
		problem->lane_forbidden = w->lane_forbidden;
	}
}

void
wide_search(Wide *w, SrcResult *result)
{
	memset(&w->asked, 0, sizeof(w->asked));
	plan_search(&w->problem, result);
}

void
wide_free(Wide *w)
{
	free(w->arena);
}

static SrcText
name_of(const char *first, int number)
{
	static char names[128][64][12];
	static int	lengths[128][64];
	char	   *name = names[(int) first[0]][number];
	int		   *length = &lengths[(int) first[0]][number];
	SrcText		text;

	if (*length == 0)
		*length = snprintf(name, sizeof(names[0][0]), "%s%d", first, number);
	text.text = name;
	text.length = *length;
	return text;
}

static SrcText
node_name(void *arg, int32_t node)
{
	(void) arg;
	return name_of("DC", node);
}

static SrcText
lane_name(void *arg, int32_t lane)
{
	(void) arg;
	return name_of("STD", lane % 3);
}

static SrcText
item_name(void *arg, int32_t line)
{
	(void) arg;
	return name_of("ITEM-", line);
}

static int64_t
line_number(void *arg, int32_t line)
{
	(void) arg;
	return 10 * (int64_t) (line + 1);
}

const SrcNamer wide_namer = {node_name, lane_name, item_name, line_number, NULL};
