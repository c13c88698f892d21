/*
 * ripen.c
 *		What waits at a position for supply, or for its time to pass.
 *
 * A planned booking, made beyond the horizon, becomes firm when there is
 * supply for it, in the order of rank and age; if its supply was not ordered
 * in time it is uncovered.
 */
#include "ledger/change.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/channels.h"

#include "catalog/pg_type.h"

static EnginePlan plan_waiting = {
	"SELECT r.order_id, r.line_no, r.part, r.quantity, r.needed_on, r.deliver_on, r.order_by,"
	" COALESCE(o.priority, c.priority, d.priority, 5), COALESCE(o.ordered_at, r.\"from\"),"
	"  r.lot, r.min_expiry, COALESCE(r.channel, o.channel), r.ship_on, r.pool"
	" FROM routing.reservation r"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" LEFT JOIN routing.demand d ON d.tenant_id = r.tenant_id AND r.order_id LIKE 'demand:%'"
	"  AND d.ref = pg_catalog.substr(r.order_id, 8)"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL"
	"   AND r.state = 'planned'"
	" ORDER BY 8, 9, r.order_id, r.line_no, r.part",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

typedef struct Waiting
{
	char	   *order_id;
	int			line_no;
	int			part;
	int64		quantity;
	DateADT		deliver_on;
	DateADT		order_by;
	int			priority;
	TimestampTz since;
	StockBooking stock;
} Waiting;

static int
load_waiting(const Position *pos, Waiting **waiting)
{
	Datum		args[3];
	int			n;

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);
	n = (int) engine_exec(&plan_waiting, args, NULL, ENGINE_FRESH);
	*waiting = palloc_extended(sizeof(Waiting) * Max(n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < n; i++)
	{
		Waiting    *w = &(*waiting)[i];
		char	   *channel;
		bool		isnull;

		w->order_id = spi_text(i, 1);
		w->line_no = DatumGetInt32(spi_datum(i, 2, &isnull));
		w->part = DatumGetInt32(spi_datum(i, 3, &isnull));
		w->quantity = scaled_from_datum(spi_datum(i, 4, &isnull));
		w->stock.needed_on = DatumGetDateADT(spi_datum(i, 5, &isnull));
		w->deliver_on = DatumGetDateADT(spi_datum(i, 6, &isnull));
		w->order_by = DatumGetDateADT(spi_datum(i, 7, &isnull));
		if (isnull)
			w->order_by = DATEVAL_NOEND;
		w->priority = DatumGetInt32(spi_datum(i, 8, &isnull));
		w->since = DatumGetTimestampTz(spi_datum(i, 9, &isnull));
		w->stock.lot = spi_text(i, 10);
		w->stock.min_expiry = DatumGetDateADT(spi_datum(i, 11, &isnull));
		if (isnull)
			w->stock.min_expiry = w->deliver_on;
		channel = spi_text(i, 12);
		if (channel != NULL)
			w->stock.npath = channel_path(pos->key.tenant_id, channel, (const char ***) &w->stock.path);
		w->stock.ship_on = DatumGetDateADT(spi_datum(i, 13, &isnull));
		w->stock.pool = spi_text(i, 14);
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Make of a waiting booking what supply covers firm; returns how much that is. */
static int64
cover(Position *pos, Waiting *w, DateADT today, TimestampTz now)
{
	OfferRequest req;
	const AtpStep *steps;
	int			n;
	int64		covered;

	offer_request_init(&req, today, now);
	req.rank = w->priority;
	req.claimed_at = w->since;
	req.npath = w->stock.npath;
	req.path = w->stock.path;
	req.life = w->stock.min_expiry - w->stock.needed_on;
	req.lot = w->stock.lot;
	req.within_horizon = true;
	/* it has taken of its allotment already */
	position_book_planned(pos, &w->stock, -w->quantity);
	n = position_offer(pos, &req, &steps);
	covered = Min(w->quantity, steps_at(steps, n, Max(w->stock.needed_on, today)));
	if (covered > 0)
		position_book(pos, &w->stock, covered);
	position_book_planned(pos, &w->stock, w->quantity - covered);
	return covered;
}

/*
 * Look after what waits at a locked position, whose supply is up to date and
 * judged.  What gets supply is counted from now on; what can wait no longer
 * is a victim.  "others_first": the judgement took supply from others, who are
 * going to be served before.
 */
void
position_ripen(Position *pos, DateADT today, bool others_first, ChangeResult *result)
{
	Waiting    *waiting;
	int			n = load_waiting(pos, &waiting);

	for (int i = 0; i < n; i++)
	{
		Waiting    *w = &waiting[i];
		BookingRow	row = {pos->key.tenant_id, w->order_id, w->line_no, w->part};
		int64		covered = others_first ? 0 : cover(pos, w, today, result->clock);
		int64		lost = w->order_by >= today ? 0 : w->quantity - covered;
		BookingPart parts[3] = {
			{covered, "firm", "inbound"},
			{w->quantity - covered - lost, "planned", NULL},
			{lost, "uncovered", NULL}
		};

		if (covered == 0 && lost == 0)
			continue;
		/* what has lost its supply is in no allotment */
		if (lost > 0)
			position_book_planned(pos, &w->stock, -lost);
		(void) booking_rebook(&row, parts, 3, result->clock);
		if (lost > 0)
			change_add_victim(result, pos, w->order_id, w->line_no, lost, w->stock.needed_on,
							  "horizon_missed");
	}
}
