/*
 * past_quotas.c
 *		Allotments of a position of the past.
 *
 * They are those of today, since their history is not kept; what was taken
 * from them is what bookings said then.
 */
#include "ledger/allotment.h"
#include "ledger/past.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/channels.h"

#include "catalog/pg_type.h"

static EnginePlan plan_allotments = {
	"SELECT channel, valid_from, valid_to, quota, COALESCE(max_quantity, -1), buffer, rank FROM routing.allotment"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 ORDER BY channel, valid_from",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* what counted just before $4; what has left stays consumed */
static EnginePlan plan_consumed = {
	"SELECT channel, pool, ship_on, sum(quantity) FROM routing.reservation"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"from\" < $4 AND ship_on >= $5"
	"  AND (channel IS NOT NULL OR pool IS NOT NULL) AND basis <> 'dedicated'"
	"  AND (expires_at IS NULL OR expires_at >= $4 OR state = 'shipped')"
	"  AND CASE WHEN \"to\" IS NULL THEN state IN ('firm', 'issued', 'planned', 'hold')"
	"   ELSE state = 'shipped' OR (\"to\" >= $4 AND state <> 'lapsed') END"
	" GROUP BY 1, 2, 3",
	5, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID, DATEOID}, NULL
};

static void
count_taken(Position *pos, const char *channel, StockBooking *b, int64 quantity)
{
	bool		locked = pos->locked;

	if (channel != NULL)
	{
		const char **path;

		b->npath = channel_path(pos->key.tenant_id, channel, &path);
		b->path = path;
	}
	/* the groups are those of today already */
	pos->locked = false;
	allotment_book(pos, b, quantity);
	pos->locked = locked;
}

/*
 * Read the allotments of a position and what was taken from them.  args:
 * tenant, item, node, the first instant, and room for one more.  "keep" is
 * where they stay.  SPI is connected.
 */
void
past_read_quotas(Position *pos, Datum *args, MemoryContext keep)
{
	int			n = (int) engine_exec(&plan_allotments, args, NULL, ENGINE_READ);
	DateADT		since = DATEVAL_NOEND;

	for (int i = 0; i < n; i++)
	{
		int64		entry[QUOTA_LONGS] = {0};
		char	   *channel = spi_text(i, 1);
		MemoryContext old;
		bool		isnull;

		entry[Q_FROM] = DatumGetDateADT(spi_datum(i, 2, &isnull));
		entry[Q_TO] = DatumGetDateADT(spi_datum(i, 3, &isnull));
		entry[Q_QUOTA] = scaled_from_datum(spi_datum(i, 4, &isnull));
		entry[Q_LIMIT] = scaled_from_datum(spi_datum(i, 5, &isnull));
		if (entry[Q_LIMIT] < 0)
			entry[Q_LIMIT] = -1;
		entry[Q_BUFFER] = scaled_from_datum(spi_datum(i, 6, &isnull));
		entry[Q_RANK] = DatumGetInt32(spi_datum(i, 7, &isnull));
		since = Min(since, (DateADT) entry[Q_FROM]);
		old = MemoryContextSwitchTo(keep);
		allotment_add(pos, channel, entry);
		MemoryContextSwitchTo(old);
	}
	SPI_freetuptable(SPI_tuptable);
	if (n == 0)
		return;
	args[4] = DateADTGetDatum(since);
	n = (int) engine_exec(&plan_consumed, args, NULL, ENGINE_READ);
	for (int i = 0; i < n; i++)
	{
		StockBooking b = {0};
		bool		isnull;

		b.pool = spi_text(i, 2);
		b.ship_on = DatumGetDateADT(spi_datum(i, 3, &isnull));
		count_taken(pos, spi_text(i, 1), &b, scaled_from_datum(spi_datum(i, 4, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Somebody took from an allotment, or (negative) gave back. */
void
past_take_quota(Position *pos, const char *channel, const char *pool, DateADT ship_on, int64 quantity)
{
	StockBooking b = {0};

	b.pool = pool;
	b.ship_on = ship_on;
	count_taken(pos, channel, &b, quantity);
}
