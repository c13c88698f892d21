/*
 * eligibility.h
 *		What may serve a line of an order, apart from stock, and why not.
 */
#ifndef ROUTING_ORDERS_ELIGIBILITY_H
#define ROUTING_ORDERS_ELIGIBILITY_H

#include "orders/order.h"
#include "network/rules.h"

/* why a node, or a lane of it, may not serve a line */
#define WHY_CLOSED			0x0001
#define WHY_CHANNEL			0x0002
#define WHY_RESTRICTION		0x0004
#define WHY_HAZMAT_NODE		0x0008
#define WHY_HAZMAT_SERVICE	0x0010
#define WHY_DISTANCE		0x0020
#define WHY_MARGIN			0x0040
#define WHY_PINNED			0x0080
#define WHY_NOT_LISTED		0x0100

#define NUM_WHYS			9
extern const char *const why_names[NUM_WHYS];	/* by bit */

/*
 * What is known of an order's lines and the nodes of its network.  Made once
 * per decision, and only when anything of it can matter.
 */
typedef struct Eligibility
{
	const NetRules *rules;
	int			nlines;			/* of the order */
	int		   *nrestrictions;	/* per line: those that its order and item match, */
	const NetRestriction ***restrictions;	/* whatever the node and service */
	int64	  **unit_costs;		/* per line: by node of the network; NULL: not needed */
	int			ncandidates;
	int64	   *custom;			/* line of the order * candidates + candidate: money; NULL: not asked yet */
	uint32	   *why;			/* line of the order * candidates + candidate: WHY_... */
} Eligibility;

extern bool eligibility_prepare(SalesOrder *order);
extern void eligibility_set_nodes(SalesOrder *order);
extern void eligibility_set_lines(SalesOrder *order, uint32 relaxed);
extern uint32 eligibility_of_node(const SalesOrder *order, int line, int node, uint32 relaxed);
extern uint32 eligibility_of_lane(const SalesOrder *order, int line, const Lane *lane, uint32 relaxed);
extern uint32 order_line_why(const SalesOrder *order, int line, int candidate);
extern char *eligibility_text(const SalesOrder *order, int line, int node, uint32 why);
extern int64 order_keeps_back(const SalesOrder *order, const OrderLine *line, int node, uint32 relaxed);

/* allowed.c */
extern uint32 order_refusal(const SalesOrder *order, int line, int node);
extern bool order_lane_allowed(SalesOrder *order, int line, const Lane *lane, uint32 relaxed);
extern void allowed_install_hook(void);

/* custom.c */
extern void custom_set_terms(SalesOrder *order, SrcLineNode *line_nodes);

#endif							/* ROUTING_ORDERS_ELIGIBILITY_H */
