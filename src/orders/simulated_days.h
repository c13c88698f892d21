/*
 * simulated_days.h
 *		What nodes can ship on their days, of a simulation.
 */
#ifndef ROUTING_ORDERS_SIMULATED_DAYS_H
#define ROUTING_ORDERS_SIMULATED_DAYS_H

#include "ledger/capacity.h"

typedef struct SimDays SimDays;

/* what an order takes of a node's day */
typedef struct DayUse
{
	const char *node;
	DateADT		day;
	CapacityUse had;			/* as written */
	CapacityUse want;			/* by the bookings in hand */
	TimestampTz since;			/* in a simulation: of the node's limits then */
} DayUse;

/* one booking of an order, of its own if the simulation decides it, else of history */
typedef struct SimDayRow
{
	const char *node;
	DateADT		day;
	const char *order_id;
	int			line_no;
	int64		units;
	bool		initial;		/* at the first instant */
	TimestampTz begin;
	TimestampTz end;
} SimDayRow;

/* told of the bookings of orders that are decided in the time, as far as they count at the first instant */
typedef void (*SimDaysOwn) (void *arg, const SimDayRow *row);

extern SimDays *simulated_days_open(int32 tenant_id, TimestampTz from, TimestampTz to);
extern void simulated_days_read(SimDays *days, bool (*owns) (void *arg, const char *order_id), SimDaysOwn own, void *arg);
extern void simulated_days_move(SimDays *days, TimestampTz at);
extern const char *simulated_days_node(const SimDays *days, const char *node);
extern bool simulated_days_limited(SimDays *days, const char *node);
extern TimestampTz simulated_days_since(const SimDays *days, const char *node);
extern void simulated_days_room(SimDays *days, const char *node, DateADT day, CapacityUse *room, int64 *price);
extern void simulated_days_take(SimDays *days, const char *node, DateADT day, const CapacityUse *use);

#endif							/* ROUTING_ORDERS_SIMULATED_DAYS_H */
