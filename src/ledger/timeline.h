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

/*
 * What is beyond an item-node's horizon: more than any order can ask for, but
 * little enough to be added up over all nodes.  Never shown to anybody.
 */
#define HORIZON_QUANTITY	(2 * SCALED_MAX)

typedef struct TimelineEntry
{
	DateADT		day;
	int32		late;			/* supply whose day has passed is taken to come
								 * 1 + late days from today */
	int64		supply;
	int64		demand;
} TimelineEntry;

typedef struct Timeline
{
	int			n;
	int			capacity;
	TimelineEntry *entries;		/* by day, then late; demand is in late = 0 */
} Timeline;

/* from "day" on, "available" can be promised */
typedef struct AtpStep
{
	int32		day;
	int64		available;
} AtpStep;

/* a day and the days it is late by, in one number: what arrays of a row hold */
static inline int64
supply_key(DateADT day, int32 late)
{
	return (int64) day + ((int64) late << 32);
}

static inline DateADT
supply_key_day(int64 key)
{
	return (DateADT) (key & INT64CONST(0xFFFFFFFF));
}

static inline int32
supply_key_late(int64 key)
{
	return (int32) ((key - supply_key_day(key)) >> 32);
}

/* The day from which supply is counted on, as things are today. */
static inline DateADT
effective_day(DateADT day, int32 late, DateADT today)
{
	return (day != ON_HAND_DAY && day < today) ? today + 1 + late : day;
}

extern void timeline_from_array(Timeline *tl, ArrayType *array);
extern ArrayType *timeline_to_array(const Timeline *tl);
extern void timeline_copy(Timeline *to, const Timeline *from);
extern void timeline_add_supply(Timeline *tl, DateADT day, int32 late, int64 supply);
extern void timeline_add_demand(Timeline *tl, DateADT day, int64 demand);
extern void timeline_add_all(Timeline *tl, const Timeline *other);
extern void timeline_clear_supply(Timeline *tl);
extern int	timeline_balances(const Timeline *tl, DateADT today, AtpStep **steps);
extern int	steps_of_balances(AtpStep *steps, int n, int64 deduct);
extern int64 steps_at(const AtpStep *steps, int n, DateADT day);
extern bool timeline_next_negative(const Timeline *tl, DateADT today, DateADT after,
								   DateADT *day, int64 *missing);
extern int64 timeline_on_hand(const Timeline *tl);
extern int64 timeline_inbound(const Timeline *tl);
extern int64 timeline_promised(const Timeline *tl);

#endif							/* ROUTING_LEDGER_TIMELINE_H */
