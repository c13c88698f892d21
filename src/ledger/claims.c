/*
 * claims.c
 *		The queue of backordered lines at a position.
 *
 * A line that got no supply keeps its place by a claim (rank, claimed_at,
 * quantity).  Who has a worse rank, or the same and came later, is offered
 * only what the claims before him leave.
 */
#include "ledger/offer.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

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

/* Enter a quantity into the queue, or (negative) take it out; the position is locked. */
void
position_claim(Position *pos, int rank, int64 claimed_at, int64 quantity)
{
	int64		entry[CLAIM_LONGS] = {rank, claimed_at, quantity};

	pos->dirty = true;
	for (int i = 0; i < pos->claims.n; i += CLAIM_LONGS)
	{
		int64	   *c = &pos->claims.v[i];

		if (c[0] != rank || c[1] != claimed_at)
			continue;
		c[2] = scaled_add(c[2], quantity);
		if (c[2] == 0)
			longs_remove(&pos->claims, i, CLAIM_LONGS);
		position_set_special(pos);
		return;
	}
	longs_add(&pos->claims, CLAIM_LONGS, entry);
	position_set_special(pos);
}

/* Read the queue of a locked position anew from the table. */
void
position_load_claims(Position *pos)
{
	static EnginePlan plan = {
		"SELECT rank, claimed_at, quantity FROM routing.claim"
		" WHERE tenant_id = $1 AND item = $2 AND node = $3 ORDER BY rank, claimed_at",
		3, {INT4OID, TEXTOID, TEXTOID}, NULL
	};
	Datum		args[3];
	int			n;

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);
	n = (int) engine_exec(&plan, args, NULL, ENGINE_FRESH);
	pos->claims.n = 0;
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		position_claim(pos, DatumGetInt32(spi_datum(i, 1, &isnull)),
					   DatumGetTimestampTz(spi_datum(i, 2, &isnull)),
					   scaled_from_datum(spi_datum(i, 3, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
}
