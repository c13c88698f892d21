/*
 * arrive.c
 *		Bookings on inbound whose stock is on hand now, and the other way round.
 *
 * Which supply serves a booking is nobody's fact, but whether stock on hand
 * does decides whether an order can be released.  So when stock on hand has
 * risen, what the bookings on it leave is given to those on inbound, the
 * earliest need first; when it has fallen below them, the latest need waits
 * for inbound again.
 */
#include "ledger/change.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

static EnginePlan plan_on_hand = {
	"SELECT COALESCE(sum(quantity), 0) FROM routing.reservation"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"to\" IS NULL"
	"   AND (state IN ('firm', 'issued') OR state = 'hold' AND expires_at > $4) AND basis = 'on_hand'",
	4, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/*
 * $4: the basis they have now; who is here gives way from the latest need on,
 * but not what is picked: that is here, whatever the books say.
 */
static EnginePlan plan_bookings = {
	"SELECT order_id, line_no, part, quantity FROM routing.reservation r"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"to\" IS NULL AND state = 'firm' AND basis = $4"
	"  AND ($4 = 'inbound' OR NOT EXISTS (SELECT FROM routing.sales_order_line l WHERE l.tenant_id = r.tenant_id"
	"   AND l.order_id = r.order_id AND l.line_no = r.line_no AND l.status IN ('picked', 'packed')))"
	" ORDER BY CASE $4 WHEN 'inbound' THEN needed_on - date '2000-01-01' ELSE date '2000-01-01' - needed_on END,"
	"  \"from\", order_id, line_no, part",
	4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

/*
 * Look after a locked position whose stock on hand has changed.  Returns the
 * ids of the orders whose bookings rest on something else now, each once.
 */
int
position_arrive(Position *pos, TimestampTz clock, char ***orders)
{
	const PositionKey *key = &pos->key;
	Datum		args[4];
	SPITupleTable *rows;
	int64		left;
	bool		isnull;
	bool		here;
	int			n;
	int			norders = 0;

	*orders = NULL;
	position_key_args(key, args);
	args[3] = TimestampTzGetDatum(clock);
	(void) engine_exec(&plan_on_hand, args, NULL, ENGINE_FRESH);
	left = scaled_sub(timeline_on_hand(&pos->timeline), scaled_from_datum(spi_datum(0, 1, &isnull)));
	SPI_freetuptable(SPI_tuptable);
	if (left == 0)
		return 0;
	here = left > 0;
	args[3] = CStringGetTextDatum(here ? "inbound" : "on_hand");
	n = (int) engine_exec(&plan_bookings, args, NULL, ENGINE_FRESH);
	rows = SPI_tuptable;
	left = here ? left : -left;
	*orders = palloc_extended(sizeof(char *) * Max(n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n && left > 0; i++)
	{
		char	   *order_id = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		BookingRow	row = {
			key->tenant_id, order_id,
			DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull)),
			DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull))
		};
		int64		quantity = scaled_from_datum(SPI_getbinval(rows->vals[i], rows->tupdesc, 4, &isnull));
		int64		moved = Min(quantity, left);
		BookingPart parts[2] = {
			{moved, "firm", here ? "on_hand" : "inbound"},
			{quantity - moved, "firm", NULL}
		};
		bool		seen = false;

		(void) booking_rebook(&row, parts, 2, clock);
		left -= moved;
		for (int j = 0; j < norders && !seen; j++)
			seen = strcmp((*orders)[j], order_id) == 0;
		if (!seen)
			(*orders)[norders++] = order_id;
	}
	SPI_freetuptable(rows);
	return norders;
}
