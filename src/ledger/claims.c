/*
 * claims.c
 *		The queue of backordered lines at a position.
 *
 * A line that got no supply keeps its place by a claim (rank, claimed_at,
 * quantity), a row of routing.claim.  Who has a worse rank, or the same and
 * came later, is offered only what the claims before him leave.
 *
 * The position holds the sum of each rank, (rank, quantity), however many
 * wait: that is all that somebody without a claim needs to know.  For who has
 * one, those of his rank who came before are added up from the table.
 */
#include "ledger/offer.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

/* What those of the same rank claim who came before. */
static int64
older_claims(const Position *pos, int rank, int64 claimed_at)
{
	static EnginePlan plan = {
		"SELECT COALESCE(sum(quantity), 0) FROM routing.claim"
		" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND rank = $4 AND claimed_at < $5",
		5, {INT4OID, TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID}, NULL
	};
	Datum		args[5];
	int64		sum;
	bool		isnull;

	position_key_args(&pos->key, args);
	args[3] = Int32GetDatum(rank);
	args[4] = TimestampTzGetDatum(claimed_at);
	/* a connection of its own leaves the caller's result alone */
	SPI_connect();
	(void) engine_exec(&plan, args, NULL, ENGINE_FRESH);
	sum = scaled_from_datum(spi_datum(0, 1, &isnull));
	SPI_finish();
	return sum;
}

/*
 * What those claim who come before somebody of that rank and time;
 * PG_INT64_MAX: somebody without a claim.
 */
int64
claims_before(const Position *pos, int rank, int64 claimed_at)
{
	int64		sum = 0;

	for (int i = 0; i < pos->claims.n; i += CLAIM_LONGS)
	{
		const int64 *c = &pos->claims.v[i];

		if (c[0] < rank || (c[0] == rank && claimed_at == PG_INT64_MAX))
			sum = scaled_add(sum, c[1]);
		else if (c[0] == rank && claimed_at > 0)
			sum = scaled_add(sum, older_claims(pos, rank, claimed_at));
	}
	return sum;
}

/* Enter a quantity into the queue, or (negative) take it out; the position is locked. */
void
position_claim(Position *pos, int rank, int64 quantity)
{
	int64		entry[CLAIM_LONGS] = {rank, quantity};

	pos->dirty = true;
	for (int i = 0; i < pos->claims.n; i += CLAIM_LONGS)
	{
		int64	   *c = &pos->claims.v[i];

		if (c[0] != rank)
			continue;
		c[1] = scaled_add(c[1], quantity);
		if (c[1] == 0)
			longs_remove(&pos->claims, i, CLAIM_LONGS);
		position_set_special(pos);
		return;
	}
	if (quantity != 0)
		longs_add(&pos->claims, CLAIM_LONGS, entry);
	position_set_special(pos);
}

/* Read the queue of a locked position anew from the table. */
void
position_load_claims(Position *pos)
{
	static EnginePlan plan = {
		"SELECT rank, sum(quantity) FROM routing.claim"
		" WHERE tenant_id = $1 AND item = $2 AND node = $3 GROUP BY rank ORDER BY rank",
		3, {INT4OID, TEXTOID, TEXTOID}, NULL
	};
	Datum		args[3];
	int			n;

	position_key_args(&pos->key, args);
	n = (int) engine_exec(&plan, args, NULL, ENGINE_FRESH);
	pos->claims.n = 0;
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		position_claim(pos, DatumGetInt32(spi_datum(i, 1, &isnull)),
					   scaled_from_datum(spi_datum(i, 2, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
}
