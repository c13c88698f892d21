/*
 * complete.h
 *		What of an order goes together, and what becomes of what nothing serves.
 */
#ifndef ROUTING_ORDERS_COMPLETE_H
#define ROUTING_ORDERS_COMPLETE_H

#include "orders/order.h"

/* complete.c */
extern bool complete_parse(const char *name, Completeness *value);
extern int	complete_group(const SalesOrder *order, int line);
extern int	complete_drop_lines(SalesOrder *order, SrcLine *lines, int n);
extern void complete_mark(SalesOrder *order);
extern bool complete_holds(const SalesOrder *order);
extern const char *complete_reason(const SalesOrder *order, const OrderLine *line);

/* rest.c */
extern bool rest_parse(const char *name, RestAction *action);
extern void rest_apply(SalesOrder *order);
extern void rest_write(SalesOrder *order);
extern void rest_add_event(SalesOrder *order, EventBatch *events);

#endif							/* ROUTING_ORDERS_COMPLETE_H */
