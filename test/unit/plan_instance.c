/*
 * plan_instance.c
 *		Orders and networks to try the plan search on.
 */
#include <stdlib.h>
#include <string.h>

#include "plan_instance.h"

#define ARENA_SIZE	((size_t) 64 << 20)

static void
give_profile(void *arg, int32_t node, int32_t item, SrcProfile *out)
{
	Instance   *in = arg;

	in->asked[node][item]++;
	in->calls++;
	out->nsteps = in->nsteps[node][item];
	out->steps = in->steps[node][item];
}

static void *
give_memory(void *arg, size_t size)
{
	Instance   *in = arg;
	char	   *memory;

	/* aligned to 8 and no more, as in the server */
	if (in->arena_used % 16 == 0)
		in->arena_used += 8;
	memory = in->arena + in->arena_used;
	in->arena_used += (size + 7) & ~(size_t) 7;
	if (in->arena_used > in->arena_size)
		abort();
	return memory;
}

static void
count_interrupt(void *arg)
{
	((Instance *) arg)->interrupts++;
}

void
instance_init(Instance *in)
{
	memset(in, 0, sizeof(*in));
	in->arena_size = ARENA_SIZE;
	in->arena = malloc(in->arena_size);
	if (in->arena == NULL)
		abort();
	in->problem.nodes = in->nodes;
	in->problem.lanes = in->lanes;
	in->problem.lines = in->lines;
	in->problem.max_shipments = 3;
	in->problem.work_limit = 1000000000;
	in->problem.unread_bound = INT64_MAX;
	in->problem.profile = give_profile;
	in->problem.alloc = give_memory;
	in->problem.interrupt = count_interrupt;
	in->problem.arg = in;
}

void
instance_free(Instance *in)
{
	free(in->arena);
}

int32_t
add_node(Instance *in, int32_t today, int64_t handling)
{
	SrcNode    *node = &in->nodes[in->problem.nnodes];

	node->today = today;
	node->handling = handling;
	node->first_lane = in->problem.nlanes;
	node->nlanes = 0;
	return in->problem.nnodes++;
}

/* a lane of the node added last */
int32_t
add_lane(Instance *in, int32_t transit, int64_t base, int64_t per_kg)
{
	SrcLane    *lane = &in->lanes[in->problem.nlanes];

	lane->node = in->problem.nnodes - 1;
	lane->transit_days = transit;
	lane->base = base;
	lane->per_kg = per_kg;
	lane->first_ship = INT32_MIN;
	lane->open_day = INT32_MIN;
	in->nodes[lane->node].nlanes++;
	return in->problem.nlanes++;
}

/* one kilogram per unit, 2 per day late, 1000 if not served */
SrcLine *
add_line(Instance *in, int32_t item, int64_t quantity, int32_t requested)
{
	SrcLine    *line = &in->lines[in->problem.nlines++];

	memset(line, 0, sizeof(*line));
	line->item = item;
	line->pinned_node = -1;
	line->quantity = quantity;
	line->unit_weight = U(1);
	line->requested = requested;
	line->lateness_per_day = U(2);
	line->backorder_penalty = U(1000);
	line->not_before = INT32_MIN;
	line->latest = INT32_MAX;
	line->group = -1;
	return line;
}

void
add_stock(Instance *in, int32_t node, int32_t item, int32_t day,
		  int64_t available)
{
	SrcStep    *step = &in->steps[node][item][in->nsteps[node][item]++];

	step->day = day;
	step->available = available;
}

int64_t
stock_on(const Instance *in, int32_t node, int32_t item, int32_t day)
{
	int64_t		available = 0;
	int32_t		i;

	for (i = 0; i < in->nsteps[node][item]; i++)
		if (in->steps[node][item][i].day <= day)
			available = in->steps[node][item][i].available;
	return available;
}

/* the memory of the result before last is used again */
void
instance_search(Instance *in, SrcResult *result)
{
	if (in->arena_used > in->arena_size / 4)
		in->arena_used = 0;
	memset(in->asked, 0, sizeof(in->asked));
	in->calls = 0;
	in->interrupts = 0;
	plan_search(&in->problem, result);
}

uint64_t
random_bits(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int32_t
random_below(uint64_t *state, int32_t n)
{
	return (int32_t) (random_bits(state) % (uint64_t) n);
}
