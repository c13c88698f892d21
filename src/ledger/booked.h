/*
 * booked.h
 *		Rows of routing.reservation as the bookings that they are.
 */
#ifndef ROUTING_LEDGER_BOOKED_H
#define ROUTING_LEDGER_BOOKED_H

#include "ledger/offer.h"
#include "ledger/rows.h"

typedef struct BookedRow
{
	BookingRow	row;
	int64		quantity;
	DateADT		deliver_on;
	StockBooking stock;
} BookedRow;

/* what a statement selects of a reservation "r" for booked_read(), first of all */
#define BOOKED_COLUMNS(channel) \
	"r.order_id, r.line_no, r.part, r.quantity, r.needed_on, r.deliver_on," \
	" COALESCE(r.min_expiry, r.deliver_on), r.ship_on, r.lot, r.pool, " channel

#define BOOKED_NCOLS	11

extern void booked_read(BookedRow *booked, int32 tenant_id, int row);

#endif							/* ROUTING_LEDGER_BOOKED_H */
