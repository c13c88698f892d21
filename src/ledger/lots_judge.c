/*
 * lots_judge.c
 *		Whose absence helps when lots no longer serve the bookings.
 *
 * A lot that was blocked, slipped, shrank or passed its last day can leave a
 * booking without stock though no balance is negative.  Let the missing
 * quantity be what no way of giving out the lots can serve.  Taking out a part
 * of one booking lowers it by that part, until it is what would be missing
 * without the booking at all; more would repair nothing.  So if the candidates
 * give way in some order, each with what its absence repairs, nothing is
 * missing in the end that bookings can repair, and no more was taken than was
 * missing.
 */
#include "ledger/lots.h"

#include "base/quantity.h"

/*
 * How much of what a booking has repairs what is missing.  The position is one
 * to try on; see lots_copy().
 */
int64
lots_repair(Position *trial, const StockBooking *stock, int64 quantity, DateADT today, int64 missing)
{
	int64		without;

	lots_book(trial, stock, -quantity);
	without = lots_missing(trial, today);
	lots_book(trial, stock, quantity);
	return scaled_sub(missing, without);
}
