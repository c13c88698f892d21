/*
 * resolve.h
 *		What the reference tables say of an order that is not read from ours.
 */
#ifndef ROUTING_ORDERS_RESOLVE_H
#define ROUTING_ORDERS_RESOLVE_H

#include "orders/order.h"

extern void order_resolve(SalesOrder *order, bool has_priority);

#endif							/* ROUTING_ORDERS_RESOLVE_H */
