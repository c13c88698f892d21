/*
 * claims.c
 *		The queue of backordered lines at a position.
 *
 * A line that got no supply keeps its place by a claim (rank, claimed_at,
 * quantity).  Who has a worse rank, or the same and came later, is offered
 * only what the claims before him leave.
 */
#include "ledger/offer.h"

#include "base/quantity.h"

#define CLAIM_LONGS	3

/* What those claim who come before somebody of that rank and time. */
int64
claims_before(const Position *pos, int rank, int64 claimed_at)
{
	int64		sum = 0;

	for (int i = 0; i < pos->claims.n; i += CLAIM_LONGS)
	{
		const int64 *c = &pos->claims.v[i];

		if (c[0] < rank || (c[0] == rank && c[1] < claimed_at))
			sum = scaled_add(sum, c[2]);
	}
	return sum;
}
