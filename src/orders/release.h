/*
 * release.h
 *		Giving bookings back.
 */
#ifndef ROUTING_ORDERS_RELEASE_H
#define ROUTING_ORDERS_RELEASE_H

#include "orders/order.h"

static inline bool
booking_gives_back(const Booking *b)
{
	return b->release && booking_is_posted(b) && !b->released;
}

/*
 * Whether giving it back needs the lock of its position: others may change it
 * under that lock alone.  What has no supply is changed by who has the order.
 */
static inline bool
booking_needs_lock(const Booking *b)
{
	return b->release && b->state != BOOKING_UNCOVERED && !b->released;
}

extern void release_choose(SalesOrder *order);
extern void release_apply(SalesOrder *order);
extern bool release_all_fresh(SalesOrder **orders, int n);

#endif							/* ROUTING_ORDERS_RELEASE_H */
