/*
 * allotment.c
 *		What of a position is kept for a channel, and the most one may have.
 */
#include "ledger/offer.h"

int
allotment_offer(const Position *pos, const OfferRequest *req, AtpStep **steps, int n)
{
	return n;
}

void
allotment_book(Position *pos, const StockBooking *b, int64 quantity)
{
}
