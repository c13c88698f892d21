/*
 * picked.c
 *		Goods that are picked or packed and that the books do not have.
 *
 * What is picked is there, whatever a count says, so that a judgement never
 * takes it: supply that shrinks below it leaves a negative balance, which
 * offers nothing.  Somebody has to look at the books; one exception,
 * "picked_short", is open per item-node while it lasts.
 *
 * Guarantee: a balance that is negative although nothing but picked and
 * issued bookings is needed by then has that exception open.  A position where
 * others are needed by then has been judged, see judge.c.
 */
#include "ledger/change.h"

#include "base/engine.h"
#include "base/json.h"
#include "base/quantity.h"
#include "events/exception.h"
#include "ledger/lots.h"

#include "catalog/pg_type.h"

/* the states of a line that are never taken: those of judge.c */
static EnginePlan plan_picked = {
	"SELECT r.needed_on, r.quantity, r.lot, COALESCE(r.min_expiry, r.deliver_on)"
	" FROM routing.reservation r"
	" JOIN routing.sales_order_line l ON l.tenant_id = r.tenant_id AND l.order_id = r.order_id"
	"  AND l.line_no = r.line_no"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL AND r.state = 'firm'"
	"   AND l.status IN ('picked', 'packed', 'shipped', 'delivered')"
	" ORDER BY 1",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* Whether balances or lots of a position do not serve all that is booked. */
bool
position_is_short(const Position *pos, DateADT today)
{
	DateADT		day;
	int64		missing;

	return timeline_next_negative(&pos->timeline, today, today - 1, &day, &missing) ||
		(pos->lots.n > 0 && lots_missing(pos, today) > 0);
}

/* How much of what is picked the books do not have. */
static int64
missing_of_picked(const Position *pos, DateADT today)
{
	Datum		args[3];
	int			n;
	DateADT    *needed;
	int64	   *quantities;
	Position   *trial = pos->lots.n > 0 ? lots_copy(pos) : NULL;
	DateADT		day = today - 1;
	int64		missing;
	int64		most = 0;

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);
	n = (int) engine_exec(&plan_picked, args, NULL, ENGINE_FRESH);
	needed = palloc(sizeof(DateADT) * Max(n, 1));
	quantities = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		StockBooking stock = {0};
		bool		isnull;

		needed[i] = stock.needed_on = DatumGetDateADT(spi_datum(i, 1, &isnull));
		quantities[i] = scaled_from_datum(spi_datum(i, 2, &isnull));
		stock.lot = spi_text(i, 3);
		stock.min_expiry = DatumGetDateADT(spi_datum(i, 4, &isnull));
		if (trial != NULL)
			lots_book(trial, &stock, -quantities[i]);
	}
	SPI_freetuptable(SPI_tuptable);
	while (n > 0 && timeline_next_negative(&pos->timeline, today, day, &day, &missing))
	{
		int64		picked = 0;

		for (int i = 0; i < n && needed[i] <= day; i++)
			picked = scaled_add(picked, quantities[i]);
		most = Max(most, Min(missing, picked));
	}
	if (n > 0 && trial != NULL)
		most = Max(most, scaled_sub(lots_missing(pos, today), lots_missing(trial, today)));
	return most;
}

/*
 * After a position was judged: open, change or resolve its exception.
 * "may_be_open": it was short before, or something was issued or fell due.
 */
void
picked_settle(const Position *pos, DateADT today, bool may_be_open, ChangeResult *result)
{
	bool		is_short = position_is_short(pos, today);
	int64		missing = is_short ? missing_of_picked(pos, today) : 0;
	ExceptionCase about = {
		.tenant_id = pos->key.tenant_id, .type = "picked_short", .item = pos->key.item, .node = pos->key.node
	};
	JsonWriter	w = {0};

	if (missing == 0 && !may_be_open)
		return;
	if (missing == 0)
	{
		exception_resolve(result->events, &about, result->clock);
		return;
	}
	json_begin_object(&w);
	json_key_scaled(&w, "quantity", missing);
	json_end_object(&w);
	exception_put(result->events, &about, json_result(&w), EXCEPTION_CHANGE, result->clock);
}
