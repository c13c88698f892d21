/*
 * problem.h
 *		From an order to a problem of the plan search.
 */
#ifndef ROUTING_ORDERS_PROBLEM_H
#define ROUTING_ORDERS_PROBLEM_H

#include "orders/order.h"

/* planning.c */
extern void *problem_alloc(void *arg, size_t size);
extern void problem_interrupt(void *arg);
extern bool order_set_problem(SalesOrder *order, Ledger *ledger, bool only_locked);

/* capacity.c */
extern void order_room(SalesOrder *order, const char *node, DateADT ship_day, SrcRoom *out);

/* problem_nodes.c */
extern void problem_set_nodes(SalesOrder *order);
extern const NetNode *order_candidate(const SalesOrder *order, int candidate);

/* problem_lines.c */
extern void problem_set_lines(SalesOrder *order);

#endif							/* ROUTING_ORDERS_PROBLEM_H */
