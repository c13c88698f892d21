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

/* a problem of an order, and its plan, put aside while another is tried */
typedef struct Attempt
{
	SrcProblem	problem;
	int			nproblem_lines;
	int		   *problem_lines;
	const OrderLine **problem_items;
	int64	   *problem_needs;
	bool		mixed;
	bool		shared;
	SrcResult	result;
	int			nswaps;
	Swap	   *swaps;
	uint32	   *why;
} Attempt;

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

#define SLACK_OF_LINE	16		/* ten-thousandths: terms are rounded as the plan divides lines */

/* the substitutes that were tried for a line, whether a plan has them or not */
typedef struct Tried
{
	int			line;			/* index in lines[] of the order */
	int			n;
	OrderLine **as;
	int64		least_penalty;	/* money for each unit of the line */
	int64		step;			/* of the line's quantity, the least of them */
	int64		swapped;		/* what the plan serves by any of them */
	int64		most;			/* while a bound is looked for: found at a node at the most */
} Tried;

/* parts.c */
extern int64 profile_at(const SrcProfile *profile, int32 day);
extern int64 line_takes(const OrderLine *line, const char *item);
extern int64 line_step(const OrderLine *line);
extern void parts_find_shared(SalesOrder *order, int nitems);
extern void parts_profile(PlanContext *ctx, int node, int number, SrcProfile *out);
extern void parts_apply_quota(const PlanContext *ctx, int node, int number, const char *item,
							  SrcProfile *profile);
extern void parts_search(SalesOrder *order, SrcResult *result);

/* substitute.c */
extern void attempt_keep(const SalesOrder *order, Attempt *a);
extern void attempt_restore(SalesOrder *order, const Attempt *a);
extern bool substitute_is_welcome(const SalesOrder *order, const OrderLine *line, const Substitute *s);
extern void substitutes_plan(SalesOrder *order, Ledger *ledger, bool only_locked);
extern void substitutes_set_terms(SalesOrder *order);
extern int64 substitution_cost(int64 penalty, int64 quantity);

/* substitute_bound.c */
extern void widened_profile(PlanContext *ctx, int node, int number, SrcProfile *out);
extern int64 substitutes_bound(SalesOrder *order, Tried *tried, int ntried, int64 total);

#endif							/* ROUTING_ORDERS_PARTS_H */
