/*
 * plan_oracle.h
 *		The cheapest plan of a small order, by trying everything.
 *
 * Shares no code with the search.  Lists every (node, lane, day) of a small
 * horizon, every set of up to three of them, and for every item every way to
 * put whole units of its lines into the set's shipments, and applies the
 * formula of plan.h.
 */
#ifndef PLAN_ORACLE_H
#define PLAN_ORACLE_H

#include "plan_instance.h"

#define HORIZON		5			/* days 0 .. HORIZON - 1 */
#define MAX_PLACES	64

typedef struct Place
{
	int32_t		node;
	int32_t		lane;
	int32_t		day;
} Place;

typedef struct Oracle
{
	const Instance *in;
	Place		places[MAX_PLACES];
	int			nplaces;
	int64_t		cost;
	int			nset;
	int			set[3];
	int64_t		using_node[MAX_NODES];	/* cheapest set with the node */
} Oracle;

extern void oracle_run(Oracle *oracle, const Instance *in);

/* a goes before b (negative) in cost, shipments, arrival, nodes, lanes */
extern int	compare_sets(const Instance *in,
						 int64_t cost_a, const Place *a, int na,
						 int64_t cost_b, const Place *b, int nb);

/* the words of plan.h, as naively as possible */
extern int64_t half_up(int64_t numerator, int64_t divisor);
extern int	days_late(const SrcLine *line, const SrcLane *lane, int day);
extern int	can_carry(const Instance *in, const SrcLine *line,
					  const Place *place);

#endif							/* PLAN_ORACLE_H */
