/*
 * hold.c
 *		Bookings that end by themselves.
 *
 * A hold counts until its time has passed, without anybody doing anything:
 * who reads a position leaves out what has expired.  The entries of a
 * position are (expires_at, needed_on, min_expiry, quantity), the sum of the
 * open rows of routing.reservation in the state "hold"; of those that hold one
 * lot only, which is in their rows, min_expiry is marked.  Whoever writes the
 * position sweeps what has expired: entries and rows.
 *
 * A hold is no promise: when supply falls short, holds give way before any
 * order does.
 *
 * All of it happens under the lock of the position.  The row of routing.hold
 * comes before positions in the lock order, so that here it is only tried.
 */
#include "ledger/offer.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/allotment.h"
#include "ledger/booked.h"
#include "ledger/lots.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#define HOLD_LONGS	4

#define HELD_COLUMNS	BOOKED_COLUMNS("r.channel") ", r.expires_at"

static EnginePlan plan_expire = {
	"UPDATE routing.reservation r SET state = 'expired', \"to\" = r.expires_at,"
	" to_xid = pg_catalog.pg_current_xact_id()"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL"
	"   AND r.state = 'hold' AND r.expires_at <= $4"
	" RETURNING " HELD_COLUMNS,
	4, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_issued = {
	"SELECT COALESCE(sum(quantity), 0) FROM routing.reservation"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"to\" IS NULL AND state = 'issued' AND needed_on <= $4",
	4, {INT4OID, TEXTOID, TEXTOID, DATEOID}, NULL
};

static EnginePlan plan_expire_holds = {
	"UPDATE routing.hold h SET state = 'expired' FROM"
	" (SELECT o.hold_id FROM routing.hold o"
	"  WHERE o.tenant_id = $1 AND o.hold_id = ANY ($2) AND o.state = 'open' AND o.expires_at <= $3"
	"    AND NOT EXISTS (SELECT FROM routing.reservation r WHERE r.tenant_id = $1"
	"     AND r.order_id = '" HOLD_PREFIX "' || o.hold_id AND r.\"to\" IS NULL)"
	"  FOR NO KEY UPDATE SKIP LOCKED) AS due"
	" WHERE h.tenant_id = $1 AND h.hold_id = due.hold_id",
	3, {INT4OID, TEXTARRAYOID, TIMESTAMPTZOID}, NULL
};

/* the youngest give way first */
static EnginePlan plan_held = {
	"SELECT " HELD_COLUMNS " FROM routing.reservation r"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL"
	"   AND r.state = 'hold' AND r.expires_at > $4"
	" ORDER BY r.\"from\" DESC, r.order_id DESC, r.line_no DESC, r.part DESC",
	4, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

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
	bool		pinned = b->lot != NULL && b->lot[0] != '\0';
	int64		entry[HOLD_LONGS] = {
		b->expires_at, b->needed_on, supply_key(b->min_expiry, pinned ? 1 : 0), quantity
	};

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

/* Run a plan that gives rows of a position, and read them. */
static int
held_rows(Position *pos, EnginePlan *plan, TimestampTz now, BookedRow **rows)
{
	Datum		args[4];
	int			n;
	bool		isnull;

	position_key_args(&pos->key, args);
	args[3] = TimestampTzGetDatum(now);
	n = (int) engine_exec(plan, args, NULL, ENGINE_FRESH);
	*rows = palloc0(sizeof(BookedRow) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		BookedRow    *r = &(*rows)[i];

		booked_read(r, pos->key.tenant_id, i);
		r->stock.expires_at = DatumGetTimestampTz(spi_datum(i, BOOKED_NCOLS + 1, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/*
 * Give back what has expired of a locked position that is about to be written,
 * close its rows, and mark the holds that have no other rows, unless somebody
 * has them locked: who confirms or cancels sees the time himself.
 */
void
holds_sweep(Position *pos, TimestampTz now)
{
	bool		any = false;
	BookedRow    *rows;
	char	  **ids;
	int			n;
	Datum		args[3];

	for (int i = 0; i < pos->holds.n && !any; i += HOLD_LONGS)
		any = pos->holds.v[i] <= now;
	if (!any)
		return;
	n = held_rows(pos, &plan_expire, now, &rows);
	ids = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		position_book(pos, &rows[i].stock, -rows[i].quantity);
		ids[i] = unconstify(char *, rows[i].row.order_id) + strlen(HOLD_PREFIX);
	}
	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = text_array(ids, n);
	args[2] = TimestampTzGetDatum(now);
	if (n > 0)
		(void) engine_exec(&plan_expire_holds, args, NULL, ENGINE_FRESH);
	/* an entry without rows is somebody's manual work: it goes all the same */
	for (int i = pos->holds.n - HOLD_LONGS; i >= 0; i -= HOLD_LONGS)
	{
		if (pos->holds.v[i] <= now)
			longs_remove(&pos->holds, i, HOLD_LONGS);
	}
	allotment_sweep(pos, now);
	position_set_special(pos);
}

/* Take "quantity" out of a hold's row; the rest is another row from now on. */
static void
give_way(Position *pos, BookedRow *held, int64 quantity, TimestampTz now)
{
	BookingPart rest = {held->quantity - quantity, "hold", NULL};

	held->row.part = booking_rebook(&held->row, &rest, 1, now);
	held->quantity = rest.quantity;
	position_book(pos, &held->stock, -quantity);
}

/*
 * The same where lots end: holds give way that no lot can serve besides what
 * is booked.  A part of one that is taken out lowers what is missing by that
 * part, until it is what would be missing without the hold.
 */
static void
judge_lots(Position *pos, DateADT today, TimestampTz now)
{
	int64		missing = lots_missing_held(pos, today, now);
	BookedRow    *rows;
	int			n;

	if (missing <= 0)
		return;
	n = held_rows(pos, &plan_held, now, &rows);
	for (int i = 0; i < n && missing > 0; i++)
	{
		int64		without;

		CHECK_FOR_INTERRUPTS();
		holds_book(pos, &rows[i].stock, -rows[i].quantity);
		without = lots_missing_held(pos, today, now);
		holds_book(pos, &rows[i].stock, rows[i].quantity);
		if (without < missing)
			give_way(pos, &rows[i], missing - without, now);
		missing = without;
	}
}

/* What is booked until a day of goods that have left: no order can repair that. */
static int64
issued_until(const Position *pos, DateADT day)
{
	Datum		args[4];
	bool		isnull;
	int64		issued;

	if (pos->falls.n == 0)
		return 0;
	position_key_args(&pos->key, args);
	args[3] = DateADTGetDatum(day);
	(void) engine_exec(&plan_issued, args, NULL, ENGINE_FRESH);
	issued = scaled_from_datum(spi_datum(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return issued;
}

/*
 * Let holds give way until no balance over bookings and unexpired holds is
 * negative that holds can repair: only the missing quantity, and only of those
 * needed on or before the first negative day.  What orders will have to repair
 * at that day is not taken from later holds.
 */
void
holds_judge(Position *pos, DateADT today, TimestampTz now)
{
	Timeline	tl;
	BookedRow    *rows = NULL;
	int			n = 0;
	DateADT		day = today - 1;
	int64		missing;
	int64		repaired = 0;	/* by orders */

	if (pos->holds.n == 0)
		return;
	judge_lots(pos, today, now);
	timeline_copy(&tl, &pos->timeline);
	holds_add_demand(pos, now, &tl);
	while (timeline_next_negative(&tl, today, day, &day, &missing))
	{
		int64		ordered = 0;

		CHECK_FOR_INTERRUPTS();
		if (rows == NULL)
			n = held_rows(pos, &plan_held, now, &rows);
		for (int i = 0; i < n && missing > 0; i++)
		{
			int64		quantity = Min(missing, rows[i].quantity);

			if (quantity == 0 || rows[i].stock.needed_on > day)
				continue;
			give_way(pos, &rows[i], quantity, now);
			timeline_add_demand(&tl, rows[i].stock.needed_on, -quantity);
			missing -= quantity;
		}
		for (int i = 0; i < pos->timeline.n && pos->timeline.entries[i].day <= day; i++)
			ordered = scaled_add(ordered, pos->timeline.entries[i].demand);
		if (missing > 0 && ordered > 0)
			ordered = scaled_sub(ordered, issued_until(pos, day));
		missing = Max(Min(missing, ordered - repaired), 0);
		if (missing > 0)
			timeline_add_supply(&tl, day, 0, missing);
		repaired = scaled_add(repaired, missing);
	}
}
