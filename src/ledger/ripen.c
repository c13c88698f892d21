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
#include "ledger/booked.h"

#include "catalog/pg_type.h"

static EnginePlan plan_waiting = {
	"SELECT " BOOKED_COLUMNS("COALESCE(r.channel, o.channel)") ", r.order_by,"
	"  COALESCE(o.priority, c.priority, d.priority, 5), COALESCE(o.ordered_at, r.\"from\")"
	" FROM routing.reservation r"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" LEFT JOIN routing.demand d ON d.tenant_id = r.tenant_id AND r.order_id LIKE 'demand:%'"
	"  AND d.ref = pg_catalog.substr(r.order_id, 8)"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL"
	"   AND r.state = 'planned'"
	" ORDER BY 13, 14, r.order_id, r.line_no, r.part",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

typedef struct Waiting
{
	BookedRow	booked;
	DateADT		order_by;
	int			priority;
	TimestampTz since;
} Waiting;

static int
load_waiting(const Position *pos, Waiting **waiting)
{
	Datum		args[3];
	int			n;

	position_key_args(&pos->key, args);
	n = (int) engine_exec(&plan_waiting, args, NULL, ENGINE_FRESH);
	*waiting = palloc_extended(sizeof(Waiting) * Max(n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < n; i++)
	{
		Waiting    *w = &(*waiting)[i];
		bool		isnull;

		booked_read(&w->booked, pos->key.tenant_id, i);
		w->order_by = DatumGetDateADT(spi_datum(i, BOOKED_NCOLS + 1, &isnull));
		if (isnull)
			w->order_by = DATEVAL_NOEND;
		w->priority = DatumGetInt32(spi_datum(i, BOOKED_NCOLS + 2, &isnull));
		w->since = DatumGetTimestampTz(spi_datum(i, BOOKED_NCOLS + 3, &isnull));
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
	req.npath = w->booked.stock.npath;
	req.path = w->booked.stock.path;
	req.life = w->booked.stock.min_expiry - w->booked.stock.needed_on;
	req.lot = w->booked.stock.lot;
	req.within_horizon = true;
	/* it has taken of its allotment already */
	position_book_planned(pos, &w->booked.stock, -w->booked.quantity);
	n = position_offer(pos, &req, &steps);
	covered = Min(w->booked.quantity, steps_at(steps, n, Max(w->booked.stock.needed_on, today)));
	if (covered > 0)
		position_book(pos, &w->booked.stock, covered);
	position_book_planned(pos, &w->booked.stock, w->booked.quantity - covered);
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
		int64		covered = others_first ? 0 : cover(pos, w, today, result->clock);
		int64		lost = w->order_by >= today ? 0 : w->booked.quantity - covered;
		BookingPart parts[3] = {
			{covered, "firm", "inbound"},
			{w->booked.quantity - covered - lost, "planned", NULL},
			{lost, "uncovered", NULL}
		};

		if (covered == 0 && lost == 0)
			continue;
		/* what has lost its supply is in no allotment */
		if (lost > 0)
			position_book_planned(pos, &w->booked.stock, -lost);
		(void) booking_rebook(&w->booked.row, parts, 3, result->clock);
		if (lost > 0)
			change_add_victim(result, pos, w->booked.row.order_id, w->booked.row.line_no, lost, w->booked.stock.needed_on,
							  "horizon_missed");
	}
}
