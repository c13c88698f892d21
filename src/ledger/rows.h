/*
 * rows.h
 *		A booking's row in routing.reservation, changed with its history kept.
 */
#ifndef ROUTING_LEDGER_ROWS_H
#define ROUTING_LEDGER_ROWS_H

#include "base/compat.h"
#include "utils/timestamp.h"

/* which row */
typedef struct BookingRow
{
	int32		tenant_id;
	const char *order_id;
	int			line_no;
	int			part;
} BookingRow;

/* what a part of a booking goes on as */
typedef struct BookingPart
{
	int64		quantity;		/* 0: there is none */
	const char *state;			/* shipped: it has left, so its row is closed at once */
	const char *basis;			/* NULL: as before */
} BookingPart;

#define MAX_BOOKING_PARTS	3

/* parts beyond it are numbered by routing.part_seq */
#define LAST_ORDER_PART		1000000

extern void booking_row_split(BookingRow *row, int64 whole, int64 quantity);
extern void booking_row_close(const BookingRow *row, const char *state, TimestampTz at);
extern void booking_row_succeed(const BookingRow *row, const char *state, TimestampTz at);
extern void booking_row_state(const BookingRow *row, const char *state);
extern int	booking_rebook(const BookingRow *row, const BookingPart *parts, int n, TimestampTz at);

#endif							/* ROUTING_LEDGER_ROWS_H */
