/*
 * issue.h
 *		Goods issues: what has left for an order.
 */
#ifndef ROUTING_ORDERS_ISSUE_H
#define ROUTING_ORDERS_ISSUE_H

#include "orders/settle.h"

/* what one issue took from one booking */
typedef struct ShippedPart
{
	int			line_no;
	const char *item;
	const char *node;
	int64		quantity;		/* negative: taken back */
} ShippedPart;

/* whether a time that a caller gives can be written down: as dates are, from 1900 to 2999 */
static inline bool
issue_time_usable(TimestampTz at)
{
	return at >= (date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY &&
		at < (date2j(3000, 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
}

/* an issue to be applied; the order's row is locked */
typedef struct Shipment
{
	int32		tenant_id;
	const char *order_id;
	int			line_no;		/* 0: any */
	const char *item;			/* NULL: any */
	const char *node;			/* NULL: any */
	bool		all;			/* whatever of it is booked on hand */
	int64		quantity;		/* else; negative: an issue that was wrong */
	const char *lot;			/* "" if not told */
	const char *reference;		/* or NULL */
	TimestampTz shipped_at;
	bool		lenient;		/* more than is booked is an exception, not an error */
	int64		unbooked;		/* so much of it has or had no booking */

	int			nparts;
	ShippedPart *parts;
	struct Shipment *next;
} Shipment;

extern Shipment *settlement_add_shipment(Settlement *s, const Shipment *shipment, SalesOrder *order);
extern bool shipments_touch(const Settlement *s, const SalesOrder *order);
extern void shipments_apply(Settlement *s);
extern void shipments_write(Settlement *s);
extern void issues_due(int32 tenant_id);

/* issued.c */
extern void on_hand_lock(int32 tenant_id, char **items, char **nodes, int n);
extern void on_hand_lower(const Position *pos, const char *lot, int64 quantity);
extern void shipment_add_event(SalesOrder *order, const Shipment *shipment, EventBatch *events);
extern void shipment_unbooked(Settlement *s, const Shipment *shipment, int64 quantity);

/* dedicated_issue.c */
extern bool dedicated_lower(Settlement *s, const SalesOrder *order, const Booking *b, int64 quantity);
extern void dedicated_catch_up(Settlement *s, const SalesOrder *order);

#endif							/* ROUTING_ORDERS_ISSUE_H */
