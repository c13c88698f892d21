/*
 * lots.c
 *		Supply that ends: lots by their last usable day.
 */
#include "ledger/offer.h"

int
lots_offer(const Position *pos, const OfferRequest *req, AtpStep **steps)
{
	*steps = NULL;
	return 0;
}

void
lots_book(Position *pos, const StockBooking *b, int64 quantity)
{
}
