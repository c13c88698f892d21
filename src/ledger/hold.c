/*
 * hold.c
 *		Bookings that end by themselves.
 *
 * A hold counts until its time has passed, without anybody doing anything:
 * who reads a position leaves out what has expired.  The entries are
 * (expires_at, needed_on, min_expiry, quantity); whoever writes the position
 * after that sweeps them.
 */
#include "ledger/offer.h"

#include "base/quantity.h"

#define HOLD_LONGS	4

/* Count unexpired holds as demand. */
void
holds_add_demand(const Position *pos, TimestampTz now, Timeline *tl)
{
	for (int i = 0; i < pos->holds.n; i += HOLD_LONGS)
	{
		const int64 *h = &pos->holds.v[i];

		if (h[0] > now)
			timeline_add_demand(tl, (DateADT) h[1], h[3]);
	}
}

/* Book a quantity until a time, or (negative) give it back. */
void
holds_book(Position *pos, const StockBooking *b, int64 quantity)
{
	int64		entry[HOLD_LONGS] = {b->expires_at, b->needed_on, b->min_expiry, quantity};

	for (int i = 0; i < pos->holds.n; i += HOLD_LONGS)
	{
		int64	   *h = &pos->holds.v[i];

		if (h[0] != entry[0] || h[1] != entry[1] || h[2] != entry[2])
			continue;
		h[3] = scaled_add(h[3], quantity);
		if (h[3] == 0)
		{
			longs_remove(&pos->holds, i, HOLD_LONGS);
			position_set_special(pos);
		}
		return;
	}
	longs_add(&pos->holds, HOLD_LONGS, entry);
	position_set_special(pos);
}
