/*
 * capacity.h
 *		What a node can ship on a day.
 */
#ifndef ROUTING_LEDGER_CAPACITY_H
#define ROUTING_LEDGER_CAPACITY_H

#include "base/compat.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* a node's day: counts; units are a quantity.  Of room: PG_INT64_MAX is no limit */
typedef struct CapacityUse
{
	int64		orders;
	int64		lines;
	int64		units;
} CapacityUse;

extern bool capacity_any(void);
extern bool capacity_limited(int32 tenant_id, const char *node);
extern void capacity_room(int32 tenant_id, const char *node, DateADT day, TimestampTz clock, CapacityUse *room,
						  int64 *price);
extern bool capacity_take(int32 tenant_id, const char *node, DateADT day, const CapacityUse *use);
extern void capacity_give(int32 tenant_id, const char *node, DateADT day, const CapacityUse *use);
extern void capacity_expire(int32 tenant_id, const char *node, DateADT day, TimestampTz clock);

#endif							/* ROUTING_LEDGER_CAPACITY_H */
