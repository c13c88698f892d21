/*
 * network_data.h
 *		What a Network is made of; for this room only.
 */
#ifndef ROUTING_NETWORK_NETWORK_DATA_H
#define ROUTING_NETWORK_NETWORK_DATA_H

#include "network/network.h"

#include "utils/hsearch.h"

typedef struct NamedCalendar
{
	char	   *code;
	Calendar	days;
} NamedCalendar;

/* the pick-ups of a service at a node */
typedef struct Pickup
{
	char	   *node;
	char	   *service;
	Calendar	days;			/* its weekdays on which the node works */
	TimeADT		cut_offs[7];	/* by day mod 7 */
} Pickup;

struct Network
{
	MemoryContext context;
	int32		tenant_id;
	uint64		generation;
	int			ncalendars;
	NamedCalendar *calendars;	/* by code */
	int			npickups;
	Pickup	   *pickups;		/* by node, service */
	int			npicked_up;
	char	  **picked_up;		/* services that have any, in order */
	int			nnodes;
	NetNode	   *nodes;			/* by rank, then code: the order that breaks ties */
	HTAB	   *by_code;
	HTAB	   *areas;
	int			longest_prefix;
	HTAB	   *zones;
	struct NetRules *rules;		/* rules.c; NULL: not read yet */
	struct Network *next;
};

/* calendars.c */
extern void network_load_calendars(Network *net);
extern void network_load_pickups(Network *net);
extern bool network_pickup(const Network *net, const NetNode *node, Lane *lane);

#endif							/* ROUTING_NETWORK_NETWORK_DATA_H */
