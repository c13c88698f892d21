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
	const SrcLine *taken_numbers;	/* the lines of its problem, */
	const OrderLine **taken_items;	/* and its items */
	SrcAsked	asked;			/* what the search was told, for the record */
	int			nitems;			/* of the problem */
	int			nquotas;		/* of items that lines share; parts.h */
	struct Quota *quotas;
	bool		without_quotas;
	bool		strict;			/* each line gets what the others cannot want */
	const struct Widened *widened;	/* a bound is looked for: what substitutes have, too; or NULL */
} PlanContext;

/* what a second pass without the soft constraints was about, and found */
typedef struct SecondPass
{
	SrcProblem	problem;
	int		   *lines;			/* as problem_lines and problem_items of the order */
	const OrderLine **items;
	SrcResult	result;
	uint8	   *packed;			/* NULL: a record cannot hold it */
	size_t		packed_size;
} SecondPass;

/* planning.c */
extern void item_profile(PlanContext *ctx, int node, int number, const char *item, int64 per, SrcProfile *out);
extern void order_sum_unserved(SalesOrder *order, int n);
extern void *problem_alloc(void *arg, size_t size);
extern void problem_interrupt(void *arg);
extern bool order_set_problem(SalesOrder *order, Ledger *ledger, bool only_locked);
extern bool order_set_problem_relaxed(SalesOrder *order, Ledger *ledger, bool only_locked, uint32 relaxed);

/* relax.c: a second pass for what the soft constraints left unserved */
extern void order_plan_relaxed(SalesOrder *order, Ledger *ledger, bool only_locked);
extern void relax_take_room(const PlanContext *ctx, int node, int ship_day, SrcRoom *room);
extern void relax_take(const PlanContext *ctx, int node, const char *item, SrcProfile *profile);

/* join.c */
extern void plans_join(SrcPlan *a, const SrcPlan *b, const int *lines, const int *nodes, const int *lanes,
					   int64 split_penalty);

/* capacity.c */
extern void order_room(SalesOrder *order, const char *node, DateADT ship_day, SrcRoom *out);

/* capacity_wait.c */
extern void order_note_full(SalesOrder *order, const char *node, DateADT day);

/* a shipment of an order that others may join, in what-if */
typedef struct OpenShipment
{
	uint32		key;			/* of customer and ship-to, see order_open_key() */
	const char *order_id;
	const char *customer;
	const char *ship_to;
	const char *node;
	const char *service;
	DateADT		ship_on;
} OpenShipment;

typedef struct OpenShipments
{
	int			n;
	OpenShipment *v;
} OpenShipments;

/* consolidate.c */
extern bool order_consolidates(SalesOrder *order);
extern uint32 order_open_key(const SalesOrder *order);
extern void order_join_open(SalesOrder *order, const Ledger *ledger);

/* problem_nodes.c */
extern void problem_set_nodes(SalesOrder *order);
extern const NetNode *order_candidate(const SalesOrder *order, int candidate);

/* stocked.c */
typedef struct CandidateCodes CandidateCodes;

extern const CandidateCodes *candidate_codes_make(const NetNode *nodes, const int *candidates, int n);
extern void problem_set_stocked(SalesOrder *order, Ledger *ledger, int nitems);

/* problem_lines.c */
extern int	problem_set_lines(SalesOrder *order, uint32 relaxed);

#endif							/* ROUTING_ORDERS_PROBLEM_H */
