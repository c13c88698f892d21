/*
 * settle.h
 *		What the noted changes of our own tables come to at commit.
 */
#ifndef ROUTING_ORDERS_SETTLE_H
#define ROUTING_ORDERS_SETTLE_H

#include "base/notes.h"
#include "orders/order.h"

/* an order that is left to run_jobs() */
typedef struct LeftOrder
{
	int32		tenant_id;
	const char *order_id;
	const char *reason;
	int			sqlerrcode;
} LeftOrder;

/* a settlement in hand: one pass over what was noted */
struct Shipment;				/* issue.h */

typedef struct Settlement
{
	MemoryContext context;
	TimestampTz clock;
	int			norders;
	int			cap_orders;
	SalesOrder **orders;		/* to be routed */
	int			npositions;
	int			cap_positions;
	Position  **positions;		/* whose supply changed */
	int			ndemands;
	int			cap_demands;
	struct Demand **demands;	/* other demand to be booked */
	struct Shipment *shipments; /* goods issues, in the order in which they are applied */
	struct Shipment *last_shipment;
	Ledger	   *ledger;
	TimestampTz next_claim;		/* no two claims are of the same time */
	int			budget;			/* lines that may still be routed though nobody asked */
	bool		holds;			/* earlier settlements of a call hold positions: none is waited for */
	int			nleft;
	int			cap_left;
	LeftOrder  *left;			/* become pending at the end, in one order everywhere */
	EventBatch	events;
} Settlement;

extern int	guc_settle_reroute_limit;

extern Settlement *settlement_begin(void);
extern void settlement_add_order(Settlement *s, SalesOrder *order);
extern void settlement_touch(Settlement *s, int32 tenant_id, const char *item, const char *node);
extern bool settlement_has_order(const Settlement *s, int32 tenant_id, const char *order_id);
extern bool settlement_leaves(const Settlement *s, int32 tenant_id, const char *order_id);
extern void settlement_leave(Settlement *s, int32 tenant_id, const char *order_id,
							 const char *reason, int sqlerrcode);
extern void settle_arrivals(Settlement *s);
extern void settlement_write_order(Settlement *s, SalesOrder *order);
extern void settlement_finish(Settlement *s);
extern void settlement_end(Settlement *s);
extern MemoryContext settlement_context_take(void);
extern void settlement_context_give(MemoryContext context);
extern bool settle_native(Note *notes, int n);
extern void pending_add(int32 tenant_id, const char *binding, const char *concept,
						const char *key, const char *reason, int sqlerrcode);
extern void pending_remove(int32 tenant_id, const char *binding, const char *concept,
						   const char *key);

/* aside.c: orders that nobody in the transaction asked for */
extern bool order_try_lock(int32 tenant_id, const char *order_id);
extern bool settlement_take_waiting(Settlement *s, int32 tenant_id, const char *order_id, SalesOrder **order);
extern void settle_victims(Settlement *s, const ChangeResult *changes);
extern void order_replan_late(SalesOrder *order, Ledger *ledger);

/* rest.c: orders whose time to wait is over */
extern void settle_lapsed(Settlement *s, Datum tenants, Datum limit, bool unlimited);

/* capacity_wait.c: who would leave earlier if a node could ship more */
extern bool order_has_capacity(SalesOrder *order);
extern void settle_capacity(Settlement *s);
extern void leave_for_capacity(void);

/* queue.c: who waits gets what has come */
extern void settle_queues(Settlement *s);

#endif							/* ROUTING_ORDERS_SETTLE_H */
