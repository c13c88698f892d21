/*
 * problem.h
 *		From an order to a problem of the plan search.
 */
#ifndef ROUTING_ORDERS_PROBLEM_H
#define ROUTING_ORDERS_PROBLEM_H

#include "orders/order.h"
#include "sourcing/pack.h"

/* what the search asks through its callbacks */
typedef struct PlanContext
{
	SalesOrder *order;
	Ledger	   *ledger;
	bool		only_locked;
	uint32		relaxed;		/* SOFT_... */
	const SrcPlan *taken;		/* of a first pass, or NULL; */
	int		   *taken_lines;	/* its lines -> index in lines[] of the order */
	SrcAsked	asked;			/* what the search was told, for the record */
} PlanContext;

/* planning.c */
extern void *problem_alloc(void *arg, size_t size);
extern void problem_interrupt(void *arg);
extern bool order_set_problem(SalesOrder *order, Ledger *ledger, bool only_locked);
extern bool order_set_problem_relaxed(SalesOrder *order, Ledger *ledger, bool only_locked, uint32 relaxed);

/* relax.c: a second pass for what the soft constraints left unserved */
extern void order_plan_relaxed(SalesOrder *order, Ledger *ledger, bool only_locked);
extern void relax_take_room(const PlanContext *ctx, int node, int ship_day, SrcRoom *room);
extern void relax_take(const PlanContext *ctx, int node, const OrderLine *line, SrcProfile *profile);

/* capacity.c */
extern void order_room(SalesOrder *order, const char *node, DateADT ship_day, SrcRoom *out);

/* problem_nodes.c */
extern void problem_set_nodes(SalesOrder *order);
extern const NetNode *order_candidate(const SalesOrder *order, int candidate);

/* problem_lines.c */
extern void problem_set_lines(SalesOrder *order, uint32 relaxed);

#endif							/* ROUTING_ORDERS_PROBLEM_H */
