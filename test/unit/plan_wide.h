/*
 * plan_wide.h
 *		Random orders and networks with everything that a problem can have, and
 *		what the search asked of them.
 */
#ifndef PLAN_WIDE_H
#define PLAN_WIDE_H

#include "pack.h"

#define WIDE_NODES	12
#define WIDE_LANES	40
#define WIDE_LINES	6
#define WIDE_STEPS	6
#define WIDE_DAYS	40			/* of rooms */

typedef struct Wide
{
	SrcProblem	problem;
	Calendar	calendars[6];
	int32_t		exceptions[6][8];
	SrcNode		nodes[WIDE_NODES];
	SrcLane		lanes[WIDE_LANES];
	SrcLine		lines[WIDE_LINES];
	SrcLineNode line_nodes[WIDE_LINES * WIDE_NODES];
	bool		lane_forbidden[WIDE_LINES * WIDE_LANES];
	SrcStep		steps[WIDE_NODES][WIDE_LINES][WIDE_STEPS];	/* by node and item */
	int32_t		nsteps[WIDE_NODES][WIDE_LINES];
	uint64_t	room_seed;
	SrcAsked	asked;			/* by the last search */
	char	   *arena;			/* all memory of searches and records */
	size_t		used;
} Wide;

/* "plain": 3 lines, nodes with 1 to 3 lanes, nothing unusual */
extern void wide_init(Wide *w, uint64_t seed, int plain);
extern void wide_search(Wide *w, SrcResult *result);
extern void wide_free(Wide *w);

/* names for what there is, for a record */
extern const SrcNamer wide_namer;

#endif							/* PLAN_WIDE_H */
