/*
 * kit_set.h
 *		The bookings of kits that belong together: one shipment's, or those of
 *		kits that were begun.
 */
#ifndef ROUTING_ORDERS_KIT_SET_H
#define ROUTING_ORDERS_KIT_SET_H

#include "orders/order.h"

/* which bookings of a set count */
typedef enum Counted
{
	COUNT_LEFT,
	COUNT_FIRM,					/* what has left included */
	COUNT_INBOUND,
	COUNT_OPEN,					/* has not left, whatever its state */
	COUNT_ALL
} Counted;

/* the components of a kit in one shipment */
typedef struct KitSet
{
	int			line_no;
	int			shipment_no;	/* or the first one of those that were begun */
	const Booking *latest;
	bool		up_to_date;		/* of the components that the kit has now */
	bool		absent;			/* of those that were begun: some component is not booked at all */
	int64		begun;			/* kits of which something has left */
	int64		now;			/* kits that all components are there for */
	bool		anew;			/* what has not left is planned anew */
	int64		keep;
} KitSet;

extern bool kit_set_has(const Booking *b, const KitSet *set);
extern int64 kit_set_quantity(const SalesOrder *order, const KitSet *set, int component, Counted what);
extern int64 kit_set_kits(const SalesOrder *order, const KitSet *set, Counted what, bool most);
extern const Booking *kit_set_component(const SalesOrder *order, const KitSet *set, int component);
extern bool kit_counts(const Booking *b, int line_no);
extern bool kits_have_left(const SalesOrder *order, int line_no);
extern KitSet *kit_sets(const SalesOrder *order, int line_no, int *nsets);

#endif							/* ROUTING_ORDERS_KIT_SET_H */
