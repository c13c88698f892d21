/*
 * cache.h
 *		Which of our tables have which OID, and when cached data of them is stale.
 */
#ifndef ROUTING_BASE_CACHE_H
#define ROUTING_BASE_CACHE_H

#include "base/compat.h"

typedef enum EngineTable
{
	TAB_TENANT,
	TAB_TENANT_MEMBER,
	TAB_NODE,
	TAB_ZONE_AREA,
	TAB_SERVICE,
	TAB_LANE,
	TAB_CHANNEL,
	TAB_CUSTOMER,
	TAB_ITEM,
	TAB_POLICY,
	TAB_BINDING,
	TAB_BINDING_WATCH,
	TAB_PENDING,
	TAB_POSITION,
	TAB_EVENT,
	TAB_SALES_ORDER,
	TAB_SALES_ORDER_LINE,
	TAB_RESERVATION,
	TAB_DECISION,
	TAB_DELETED_ORDER,
	TAB_SUPPLY_RULE,
	TAB_CLAIM,
	TAB_ITEM_UOM,
	TAB_CALENDAR,
	TAB_CALENDAR_DAY,
	TAB_PICKUP,
	TAB_SERVICE_STATE,
	TAB_CAPACITY,
	TAB_CAPACITY_USE,
	TAB_CAPACITY_BOOKING,
	TAB_RESTRICTION,
	TAB_ITEM_COMPONENT,
	TAB_ITEM_SUBSTITUTE,
	TAB_OPEN_SHIPMENT,
	NUM_ENGINE_TABLES
} EngineTable;

extern Oid	engine_relid(EngineTable table);
extern uint64 engine_generation(EngineTable table);
extern uint64 membership_generation(void);

#endif							/* ROUTING_BASE_CACHE_H */
