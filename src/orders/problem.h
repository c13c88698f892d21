/*
 * problem.h
 *		From an order to a problem of the plan search.
 */
#ifndef ROUTING_ORDERS_PROBLEM_H
#define ROUTING_ORDERS_PROBLEM_H

#include "orders/order.h"

/* problem_nodes.c */
extern void problem_set_nodes(SalesOrder *order);
extern const NetNode *order_candidate(const SalesOrder *order, int candidate);

/* problem_lines.c */
extern void problem_set_lines(SalesOrder *order);

#endif							/* ROUTING_ORDERS_PROBLEM_H */
