/*
 * resolve.h
 *		What the reference tables say of an order.
 */
#ifndef ROUTING_ORDERS_RESOLVE_H
#define ROUTING_ORDERS_RESOLVE_H

#include "orders/order.h"

extern void order_resolve_parties(SalesOrder *order, int own_priority, Snapshot snapshot);
extern void order_resolve_items(SalesOrder *order, Snapshot snapshot);
extern bool order_resolve_substitute(const SalesOrder *order, OrderLine *line, const char *item, int64 ratio);
extern void order_resolve(SalesOrder *order, bool has_priority);

#endif							/* ROUTING_ORDERS_RESOLVE_H */
