/*
 * demand.h
 *		Demand that is no order: transfers out, production, vendor returns, service.
 */
#ifndef ROUTING_ORDERS_DEMAND_H
#define ROUTING_ORDERS_DEMAND_H

#include "orders/settle.h"

/* of its bookings, the order_id is this and the ref */
#define DEMAND_PREFIX	"demand:"

static inline bool
is_demand_id(const char *order_id)
{
	return strncmp(order_id, DEMAND_PREFIX, strlen(DEMAND_PREFIX)) == 0;
}

typedef struct DemandBooking
{
	int			part;
	const char *item;
	const char *node;
	int64		quantity;
	DateADT		needed_on;
	DateADT		deliver_on;
	bool		firm;
	const char *basis;
} DemandBooking;

typedef struct Demand
{
	int32		tenant_id;
	char	   *ref;
	char	   *id;				/* demand:REF */
	bool		noted;			/* somebody changed it; else only its supply */
	bool		shipping;		/* what is given back has left */
	bool		exists;
	char	   *item;
	char	   *node;
	int64		open;			/* quantity that has not left */
	DateADT		needed_on;
	DateADT		deliver_on;
	char	   *to_node;		/* of a transfer, else NULL */
	int64		under_way;		/* of a transfer: shipped less received */
	int			priority;
	int			nbookings;
	DemandBooking *bookings;
} Demand;

/* demand.c */
extern void demands_add_noted(Settlement *s, Note **notes, int n, bool emptied);
extern void demands_follow(Settlement *s);
extern void demands_run(int32 tenant_id);
extern void demand_key_args(const Demand *d, Datum *args);
extern void demand_id_args(const Demand *d, Datum *args);
extern void demand_load_bookings(Demand *d);
extern int	demand_arrivals(const Demand *d);

/* demand_book.c */
extern void demands_release(Settlement *s);
extern void demands_book(Settlement *s);
extern void demand_sync_exception(Settlement *s, const Demand *d, int64 missing);

#endif							/* ROUTING_ORDERS_DEMAND_H */
