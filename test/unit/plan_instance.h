/*
 * plan_instance.h
 *		Orders and networks to try the plan search on.
 *
 * An instance owns fixed arrays and a memory arena; instance_search() runs
 * plan_search on it and counts what was asked for.  Quantities and money are
 * given in whole units by the U() macro.
 */
#ifndef PLAN_INSTANCE_H
#define PLAN_INSTANCE_H

#include "plan.h"

#define U(x)		((int64_t) (x) * SRC_SCALE)
#define MAX_NODES	200
#define MAX_LANES	600
#define MAX_LINES	16
#define MAX_STEPS	24

typedef struct Instance
{
	SrcProblem	problem;
	SrcNode		nodes[MAX_NODES];
	SrcLane		lanes[MAX_LANES];
	SrcLine		lines[MAX_LINES];
	SrcStep		steps[MAX_NODES][MAX_LINES][MAX_STEPS]; /* by node and item */
	int32_t		nsteps[MAX_NODES][MAX_LINES];
	int32_t		asked[MAX_NODES][MAX_LINES];
	int32_t		calls;			/* of profile() in all */
	int32_t		interrupts;
	char	   *arena;
	size_t		arena_used;
	size_t		arena_size;
} Instance;

extern void instance_init(Instance *in);
extern void instance_free(Instance *in);
extern int32_t add_node(Instance *in, int32_t today, int64_t handling);
extern int32_t add_lane(Instance *in, int32_t transit, int64_t base,
						int64_t per_kg);
extern SrcLine *add_line(Instance *in, int32_t item, int64_t quantity,
						 int32_t requested);
extern void add_stock(Instance *in, int32_t node, int32_t item, int32_t day,
					  int64_t available);
extern int64_t stock_on(const Instance *in, int32_t node, int32_t item,
						int32_t day);
extern void instance_search(Instance *in, SrcResult *result);

/* the same numbers on every machine */
extern uint64_t random_bits(uint64_t *state);
extern int32_t random_below(uint64_t *state, int32_t n);

#endif							/* PLAN_INSTANCE_H */
