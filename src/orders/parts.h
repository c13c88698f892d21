/*
 * parts.h
 *		Lines that are served by other items than their own: kits by their
 *		components, lines that allow it by substitutes.
 */
#ifndef ROUTING_ORDERS_PARTS_H
#define ROUTING_ORDERS_PARTS_H

#include "ledger/kits.h"
#include "orders/problem.h"

/* so much of a line is planned to be served by a substitute */
typedef struct Swap
{
	int			line;			/* index in lines[] of the order */
	OrderLine  *as;				/* the line, with what the substitute changes of it */
	int64		quantity;		/* of the line's item */
} Swap;

/*
 * What a line of the problem may have of an item at a node where others want
 * the same item, and together they wanted too much.
 */
typedef struct Quota
{
	int			node;			/* of the problem */
	int			number;			/* the line's item of the problem */
	const char *item;
	int64		others;			/* what goes to those before it */
	int64		most;
} Quota;

/* parts.c */
extern int64 line_takes(const OrderLine *line, const char *item);
extern int64 line_step(const OrderLine *line);
extern void parts_find_shared(SalesOrder *order, int nitems);
extern void parts_profile(PlanContext *ctx, int node, int number, SrcProfile *out);
extern void parts_apply_quota(const PlanContext *ctx, int node, int number, const char *item,
							  SrcProfile *profile);
extern void parts_search(SalesOrder *order, SrcResult *result);

/* substitute.c */
extern void substitutes_plan(SalesOrder *order, Ledger *ledger, bool only_locked);
extern void substitutes_set_terms(SalesOrder *order);
extern int64 substitution_cost(int64 penalty, int64 quantity);

#endif							/* ROUTING_ORDERS_PARTS_H */
