/*
 * falls.h
 *		Stock that falls and the goods issue that tells why: whichever is heard
 *		first waits for the other.
 */
#ifndef ROUTING_LEDGER_FALLS_H
#define ROUTING_LEDGER_FALLS_H

#include "ledger/change.h"
#include "ledger/offer.h"

/* falls.c: a position's side; it is locked */
extern void falls_settle(Position *pos, const NetNode *node, int64 on_hand_before, DateADT today,
						 ChangeResult *result);
extern int64 falls_cover(Position *pos, int64 quantity);
extern void falls_keep(Position *pos, TimestampTz now);
extern int64 falls_take(Position *pos, TimestampTz now, int64 quantity);
extern void falls_expect(Position *pos, TimestampTz now, int64 quantity);
extern int64 falls_expect_less(Position *pos, int64 quantity);
extern void position_ship(Position *pos, const StockBooking *b, int64 quantity, bool counted, bool consumed);

/* explained.c */
extern int64 falls_explained(const Position *pos, int64 fall);

#endif							/* ROUTING_LEDGER_FALLS_H */
