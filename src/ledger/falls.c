/*
 * falls.c
 *		Stock that falls and the goods issue that tells why.
 *
 * A unit that is shipped leaves stock on hand and its booking.  The ERP tells
 * of both, in either order, in one transaction or in two.  A position
 * remembers what it has heard one half of, as pairs (until, quantity) in
 * falls, the oldest first:
 *
 *	quantity > 0	stock fell and nobody has said why.  Bookings that lose
 *					their cover by it are at_risk instead of uncovered.  An
 *					issue takes from it and closes its booking at once.
 *	quantity < 0	a goods issue was heard of; its booking is issued, which
 *					counts as demand until as much falls.
 *
 * "until" is the time plus setting.issue_grace, rounded up to a 16th of it so
 * that a busy item-node keeps few pairs.  Then a fall is forgotten, bookings
 * at risk become uncovered, and an issue that met no fall becomes an exception;
 * its booking goes on counting, so its pair stays, with an "until" that never
 * comes.
 *
 * Guarantee: bookings at risk never exceed what of the falls is alive, and
 * issued bookings never exceed what falls expects.
 */
#include "ledger/falls.h"

#include "base/engine.h"
#include "base/json.h"
#include "base/quantity.h"
#include "events/exception.h"
#include "ledger/booked.h"
#include "ledger/tell.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#define NEVER		PG_INT64_MAX
#define PARTS		16			/* of the grace, to which "until" is rounded */

static EnginePlan plan_grace = {
	"SELECT (EXTRACT(epoch FROM issue_grace) * 1000000)::bigint FROM routing.setting WHERE tenant_id = $1",
	1, {INT4OID}, NULL
};

#define WAITING_COLUMNS	BOOKED_COLUMNS("r.channel") ", r.\"from\""

/* the most important first: who gets stock that is there again */
static EnginePlan plan_at_risk = {
	"SELECT " WAITING_COLUMNS
	" FROM routing.reservation r"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL AND r.state = 'at_risk'"
	" ORDER BY COALESCE(o.priority, c.priority, 5), r.deliver_on, r.\"from\", r.order_id, r.line_no, r.part",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_issued = {
	"SELECT " WAITING_COLUMNS
	" FROM routing.reservation r"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL AND r.state = 'issued'"
	" ORDER BY r.\"from\", r.order_id, r.line_no, r.part",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_wait = {
	"INSERT INTO routing.issue_wait AS w (tenant_id, item, node, until) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (tenant_id, item, node) DO UPDATE SET until = excluded.until"
	" WHERE $5 OR w.until > excluded.until",
	5, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID, BOOLOID}, NULL
};

static EnginePlan plan_wait_no_more = {
	"DELETE FROM routing.issue_wait WHERE tenant_id = $1 AND item = $2 AND node = $3",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* a booking that waits, as its row says */
typedef struct Waiting
{
	BookedRow	booked;
	TimestampTz since;
} Waiting;

/* How long the halves of an issue wait for each other, in microseconds. */
static int64
grace_of(int32 tenant_id)
{
	int64		grace = INT64CONST(30) * 60 * USECS_PER_SEC;	/* the column's default */
	Datum		args[1];
	bool		isnull;

	args[0] = Int32GetDatum(tenant_id);
	if (engine_exec(&plan_grace, args, NULL, ENGINE_FRESH) > 0)
		grace = DatumGetInt64(spi_datum(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return grace;
}

/* ------------------------------------------------------------------------
 * The pairs
 * ------------------------------------------------------------------------ */

/* What falls holds of one sign, as a quantity that is not negative. */
static int64
total(const Position *pos, bool expected)
{
	int64		sum = 0;

	for (int i = 0; i < pos->falls.n; i += 2)
	{
		int64		q = pos->falls.v[i + 1];

		if (expected ? q < 0 : q > 0)
			sum += llabs(q);
	}
	return sum;
}

static void
add_pair(Position *pos, TimestampTz now, int64 quantity)
{
	int64		grace = grace_of(pos->key.tenant_id);
	int64		step = Max(grace / PARTS, 1);
	int64		pair[2];

	if (grace == 0 && quantity > 0)
		return;
	pair[0] = (now + grace + step - 1) / step * step;
	pair[1] = quantity;
	pos->dirty = true;
	for (int i = 0; i < pos->falls.n; i += 2)
	{
		if (pos->falls.v[i] == pair[0] && (pos->falls.v[i + 1] > 0) == (quantity > 0))
		{
			pos->falls.v[i + 1] += quantity;
			return;
		}
	}
	longs_add(&pos->falls, 2, pair);
}

/* Take a quantity from the pairs of one sign; returns what was there of it. */
static int64
take_pairs(Position *pos, bool expected, bool oldest_first, int64 quantity, bool *overdue)
{
	int64		left = quantity;
	int			i = oldest_first ? 0 : pos->falls.n - 2;

	while (left > 0 && i >= 0 && i < pos->falls.n)
	{
		int64	   *q = &pos->falls.v[i + 1];
		int64		part = Min(left, llabs(*q));

		if ((*q < 0) != expected)
		{
			i += oldest_first ? 2 : -2;
			continue;
		}
		if (overdue != NULL && pos->falls.v[i] == NEVER)
			*overdue = true;
		*q += expected ? part : -part;
		left -= part;
		if (*q != 0)
			break;
		longs_remove(&pos->falls, i, 2);
		if (!oldest_first)
			i -= 2;
	}
	if (left < quantity)
		pos->dirty = true;
	return quantity - left;
}

static void
forget_past_falls(Position *pos, TimestampTz now)
{
	for (int i = pos->falls.n - 2; i >= 0; i -= 2)
	{
		if (pos->falls.v[i + 1] > 0 && pos->falls.v[i] <= now)
		{
			longs_remove(&pos->falls, i, 2);
			pos->dirty = true;
		}
	}
}

/*
 * An issue is heard of: it takes from stock that fell before.  Returns how
 * much; for the rest the issue came first.
 */
int64
falls_take(Position *pos, TimestampTz now, int64 quantity)
{
	int64		taken;

	if (pos->falls.n == 0)
		return 0;
	forget_past_falls(pos, now);
	pos->falls_moved = true;
	taken = take_pairs(pos, false, true, quantity, NULL);
	return taken;
}

/* An issue was heard of whose stock has not fallen. */
void
falls_expect(Position *pos, TimestampTz now, int64 quantity)
{
	add_pair(pos, now, -quantity);
}

/* It was wrong; returns how much of it had not met a fall. */
int64
falls_expect_less(Position *pos, int64 quantity)
{
	return take_pairs(pos, true, false, quantity, NULL);
}

/* ------------------------------------------------------------------------
 * The bookings that wait
 * ------------------------------------------------------------------------ */

static int
load_waiting(const Position *pos, EnginePlan *plan, Waiting **waiting)
{
	Datum		args[3];
	int			n;

	position_key_args(&pos->key, args);
	n = (int) engine_exec(plan, args, NULL, ENGINE_FRESH);
	*waiting = palloc0(sizeof(Waiting) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Waiting    *w = &(*waiting)[i];
		bool		isnull;

		booked_read(&w->booked, pos->key.tenant_id, i);
		w->since = DatumGetTimestampTz(spi_datum(i, BOOKED_NCOLS + 1, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/*
 * Goods left: what they were booked as no longer counts.  What they consumed
 * of allotments stays consumed.  "counted": the booking was in the timeline;
 * "consumed": in its allotments.
 */
void
position_ship(Position *pos, const StockBooking *b, int64 quantity, bool counted, bool consumed)
{
	if (counted)
	{
		timeline_add_demand(&pos->timeline, b->needed_on, -quantity);
		if (pos->lots.n > 0)
			lots_book(pos, b, -quantity);
	}
	if (!consumed && pos->quotas.n > 0)
		allotment_book(pos, b, quantity);
	pos->steps_valid = false;
	pos->dirty = true;
}

/* The exception of an issue that stock did not follow. */
static ExceptionCase
unmatched(const Position *pos, const Waiting *w)
{
	ExceptionCase about = {
		.tenant_id = pos->key.tenant_id, .type = "issue_unmatched",
		.order_id = w->booked.row.order_id, .line_no = w->booked.row.line_no,
		.item = pos->key.item, .node = pos->key.node
	};

	return about;
}

/* Stock fell: issued bookings are shipped, the oldest issue first. */
static int64
meet_issued(Position *pos, int64 quantity, ChangeResult *result)
{
	TimestampTz now = result->clock;
	bool		overdue = false;
	int64		met = take_pairs(pos, true, true, quantity, &overdue);
	int64		left = met;
	Waiting    *issued;
	int			n;

	if (met == 0)
		return 0;
	n = load_waiting(pos, &plan_issued, &issued);
	for (int i = 0; i < n && left > 0; i++)
	{
		Waiting    *w = &issued[i];
		int64		part = Min(left, w->booked.quantity);

		booking_row_split(&w->booked.row, w->booked.quantity, part);
		booking_row_close(&w->booked.row, "shipped", now);
		position_ship(pos, &w->booked.stock, part, true, true);
		left -= part;
		if (overdue && part == w->booked.quantity)
		{
			ExceptionCase about = unmatched(pos, w);

			exception_resolve(result->events, &about, now);
		}
	}
	return met;
}

/* How much a position has left for a booking. */
static int64
room_for(Position *pos, const StockBooking *b, DateADT today, TimestampTz now)
{
	AtpStep    *steps;
	int			n;

	if (pos->lots.n > 0)
	{
		OfferRequest req;

		offer_request_init(&req, today, now);
		req.life = b->min_expiry - b->needed_on;
		req.lot = b->lot;
		n = lots_offer(pos, &req, &steps);
	}
	else
	{
		Timeline	tl;

		timeline_copy(&tl, &pos->timeline);
		holds_add_demand(pos, now, &tl);
		n = timeline_balances(&tl, today, &steps);
		n = steps_of_balances(steps, n, 0);
	}
	return steps_at(steps, n, Max(b->needed_on, today));
}

/*
 * Look after the bookings at risk: those whose stock is there again are firm
 * again, the most important first; what is more than has fallen lately is
 * uncovered, the least important first.  Sets the room that is left for
 * victims of the judgement to come.
 */
static void
settle_at_risk(Position *pos, DateADT today, ChangeResult *result)
{
	TimestampTz now = result->clock;
	Waiting    *risky;
	int			n = load_waiting(pos, &plan_at_risk, &risky);
	int64	   *firm = palloc0(sizeof(int64) * Max(n, 1));
	int64		at_risk = 0;

	for (int i = 0; i < n; i++)
	{
		firm[i] = Min(room_for(pos, &risky[i].booked.stock, today, now), risky[i].booked.quantity);
		if (firm[i] > 0)
			position_book(pos, &risky[i].booked.stock, firm[i]);
		at_risk += risky[i].booked.quantity - firm[i];
		pos->taken_back -= firm[i];
	}
	/* the stock of a wrong issue is there again, or has yet to come back */
	if (pos->taken_back > 0)
		add_pair(pos, now, pos->taken_back);
	pos->taken_back = 0;
	pos->risk_room = total(pos, false) - at_risk;
	for (int i = n - 1; i >= 0; i--)
	{
		Waiting    *w = &risky[i];
		int64		rest = w->booked.quantity - firm[i];
		int64		lost = Min(Max(-pos->risk_room, 0), rest);
		BookingPart parts[3] = {{firm[i], "firm", NULL}, {rest - lost, "at_risk", NULL}, {lost, "uncovered", NULL}};

		pos->risk_room += lost;
		if (firm[i] == 0 && lost == 0)
			continue;
		(void) booking_rebook(&w->booked.row, parts, 3, now);
		change_add_victim(result, pos, w->booked.row.order_id, w->booked.row.line_no, lost > 0 ? lost : firm[i],
						  w->booked.stock.needed_on, lost > 0 ? "supply_shortage" : NULL);
	}
}

/*
 * Issues that wait too long: what had no booking is forgotten, the others
 * become exceptions and are waited for without an end.
 */
static void
give_up_expecting(Position *pos, ChangeResult *result)
{
	TimestampTz now = result->clock;
	int64		grace = grace_of(pos->key.tenant_id);
	int64		booked = 0;
	Waiting    *issued;
	int			n;

	n = load_waiting(pos, &plan_issued, &issued);
	for (int i = 0; i < n; i++)
	{
		Waiting    *w = &issued[i];
		JsonWriter	writer = {0};
		ExceptionCase about = unmatched(pos, w);

		booked += w->booked.quantity;
		if (w->since + grace > now)
			continue;
		json_begin_object(&writer);
		json_key_scaled(&writer, "quantity", w->booked.quantity);
		json_key(&writer, "issued_at");
		json_time(&writer, w->since);
		json_end_object(&writer);
		exception_put(result->events, &about, json_result(&writer), EXCEPTION_KEEP, now);
	}
	for (int i = pos->falls.n - 2; i >= 0; i -= 2)
	{
		int64	   *pair = &pos->falls.v[i];
		int64		excess = total(pos, true) - booked;

		if (pair[1] >= 0 || pair[0] > now)
			continue;
		pair[1] += Min(Max(excess, 0), -pair[1]);
		pair[0] = NEVER;
		if (pair[1] == 0)
			longs_remove(&pos->falls, i, 2);
		pos->dirty = true;
	}
}

/* ------------------------------------------------------------------------
 * The settlement's hooks
 * ------------------------------------------------------------------------ */

/*
 * The supply of a position was summed anew; on hand was "on_hand_before".
 * Matches a fall with the issues that were heard of, remembers what is left
 * of it, and sees to the bookings at risk; then the position is judged.
 * "node" is NULL if it is gone.
 */
void
falls_settle(Position *pos, const NetNode *node, int64 on_hand_before, DateADT today,
			 ChangeResult *result)
{
	TimestampTz now = result->clock;
	int64		on_hand = timeline_on_hand(&pos->timeline);
	int64		fall = scaled_sub(on_hand_before, on_hand);
	bool		waiting = pos->falls.n > 0 || pos->falls_moved || pos->due;
	bool		overdue = false;

	pos->risk_room = 0;
	fall -= falls_explained(pos, fall);
	if (on_hand < on_hand_before)
	{
		int64		expected = total(pos, true);

		/* what was issued and is not on hand any more has left, whatever was said of it */
		if (expected > 0)
		{
			fall -= meet_issued(pos, Max(fall, expected - Max(on_hand, 0)), result);
			if (fall <= 0 && pos->moved_for == NULL)
				position_moved(pos, MOVED_SALE, NULL);
		}
		/* where nobody else lowers on hand, no issue is to be heard of */
		if (fall > 0 && node != NULL && node->stock_feed)
			add_pair(pos, now, fall);
	}
	if (!waiting && pos->falls.n == 0)
		return;

	forget_past_falls(pos, now);
	if (waiting)
		settle_at_risk(pos, today, result);
	else
		pos->risk_room = total(pos, false);
	for (int i = 0; i < pos->falls.n && !overdue; i += 2)
		overdue = pos->falls.v[i + 1] < 0 && pos->falls.v[i] <= now;
	if (overdue)
		give_up_expecting(pos, result);
}

/* How much of a victim of the judgement is at risk only, instead of uncovered. */
int64
falls_cover(Position *pos, int64 quantity)
{
	int64		covered = Min(quantity, Max(pos->risk_room, 0));

	pos->risk_room -= covered;
	return covered;
}

/* After the judgement: note when the position is to be looked at again. */
void
falls_keep(Position *pos, TimestampTz now)
{
	TimestampTz until = NEVER;
	bool		at_risk = total(pos, false) > pos->risk_room;	/* anything is */
	Datum		args[5];

	for (int i = 0; i < pos->falls.n; i += 2)
	{
		if (pos->falls.v[i + 1] < 0 || at_risk)
			until = Min(until, pos->falls.v[i]);
	}
	if (until == NEVER && !pos->due)
		return;
	position_key_args(&pos->key, args);
	if (until == NEVER)
	{
		(void) engine_exec(&plan_wait_no_more, args, NULL, ENGINE_FRESH);
		return;
	}
	args[3] = TimestampTzGetDatum(until);
	args[4] = BoolGetDatum(pos->due);
	(void) engine_exec(&plan_wait, args, NULL, ENGINE_FRESH);
}
