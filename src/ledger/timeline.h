/*
 * timeline.h
 *		Dated supply and demand of one item-node, and what can be promised of it.
 */
#ifndef ROUTING_LEDGER_TIMELINE_H
#define ROUTING_LEDGER_TIMELINE_H

#include "base/compat.h"
#include "utils/array.h"
#include "utils/date.h"

#define ON_HAND_DAY		DATEVAL_NOBEGIN

typedef struct TimelineEntry
{
	DateADT		day;
	int64		supply;
	int64		demand;
} TimelineEntry;

typedef struct Timeline
{
	int			n;
	int			capacity;
	TimelineEntry *entries;		/* by day */
} Timeline;

/* from "day" on, "available" can be promised */
typedef struct AtpStep
{
	int32		day;
	int64		available;
} AtpStep;

extern void timeline_from_array(Timeline *tl, ArrayType *array);
extern ArrayType *timeline_to_array(const Timeline *tl);
extern void timeline_add(Timeline *tl, DateADT day, int64 supply, int64 demand);
extern void timeline_clear_supply(Timeline *tl);
extern DateADT effective_day(DateADT day, DateADT today);
extern int	timeline_steps(const Timeline *tl, int64 safety_stock, bool enabled,
						   DateADT today, AtpStep **steps);
extern int64 steps_at(const AtpStep *steps, int n, DateADT day);
extern bool timeline_next_negative(const Timeline *tl, bool all, DateADT after,
								   DateADT *day, int64 *missing);
extern int64 timeline_on_hand(const Timeline *tl);
extern int64 timeline_inbound(const Timeline *tl);
extern int64 timeline_promised(const Timeline *tl);

#endif							/* ROUTING_LEDGER_TIMELINE_H */
