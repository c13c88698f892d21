/*
 * network.h
 *		Nodes, zones and lanes of a tenant, cached in the backend.
 */
#ifndef ROUTING_NETWORK_NETWORK_H
#define ROUTING_NETWORK_NETWORK_H

#include "base/calendar.h"
#include "base/compat.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/timestamp.h"

typedef struct NetNode
{
	char	   *node;
	char	   *name;
	int32		rank;
	bool		open;
	int64		handling;		/* money per shipment */
	const Calendar *calendar;	/* when the node works, or NULL */
	int32		handling_days;	/* from stock to the ship day */
	TimeADT		cut_off;		/* what is heard of then or later counts as of the next day */
	int64		min_shipment_value; /* money */
	int32		dock_days;		/* until inbound is stock */
	bool		stock_feed;		/* the ERP tells stock on hand; a goods issue does not lower it */
	pg_tz	   *tz;
	char	   *zone_name;		/* of the time zone */
} NetNode;

typedef struct Lane
{
	int32		node;			/* index into nodes[] */
	char	   *service;
	int32		transit_days;
	int64		base;			/* money per shipment */
	int64		per_kg;			/* money per kg */
	int64		max_weight;		/* kg of a shipment; 0: any */
	int64		risk;			/* of being late, ten-thousandths */
	const Calendar *pickup;		/* days on which the service picks up at the node, or NULL */
	const TimeADT *cut_offs;	/* of the pick-ups, by day mod 7, or NULL: see lane_cut_off() */
	const Calendar *transit;	/* days on which it moves and delivers, or NULL */
} Lane;

/* a lane that is not used, and why */
typedef struct ClosedLane
{
	int32		node;			/* index into nodes[] */
	char	   *service;
	const char *reason;
} ClosedLane;

/* lanes into a zone over open services that pick up at their nodes, by node index, then service */
typedef struct ZoneLanes
{
	char	   *zone;
	int			nlanes;
	Lane	   *lanes;
	int			nclosed;
	ClosedLane *closed;			/* the others */
	void	  **plan_nodes;		/* a place for what the planning room makes of them */
} ZoneLanes;

typedef struct Network Network;

extern const Network *network_get(int32 tenant_id);
extern int	network_nodes(const Network *net, const NetNode **nodes);
extern int	network_find_node(const Network *net, const char *node);
extern const NetNode *network_node(const Network *net, const char *node);
extern const char *network_zone(const Network *net, const char *country,
								const char *postal_code);
extern const ZoneLanes *network_lanes(const Network *net, const char *zone);
extern MemoryContext network_context(const Network *net);

/* calendars.c */
extern const Calendar *network_calendar(const Network *net, const char *code);
extern TimeADT lane_cut_off(const Lane *lane, DateADT day);
extern DateADT node_stock_day(const NetNode *node, DateADT day, int32 dock_days);

/* local.c */
extern DateADT node_date(const NetNode *node, TimestampTz at);
extern char *node_local_time(const NetNode *node, TimestampTz at);
extern TimestampTz node_instant(const NetNode *node, DateADT day, TimeADT time);
extern TimestampTz node_next_change(const NetNode *node, TimestampTz at);

#endif							/* ROUTING_NETWORK_NETWORK_H */
