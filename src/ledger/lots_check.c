/*
 * lots_check.c
 *		Whether the lots of a position are what its rows say, and serve all.
 */
#include "ledger/lots.h"

#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"

PG_FUNCTION_INFO_V1(routing_lots_check);

/* but what is picked, once somebody was told that the books do not have it */
static EnginePlan plan_firm = {
	"SELECT r.lot, r.needed_on, COALESCE(r.min_expiry, r.deliver_on), sum(r.quantity) FROM routing.reservation r"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL AND r.state = 'firm'"
	"  AND NOT (EXISTS (SELECT FROM routing.exception e WHERE e.tenant_id = $1 AND e.item = $2 AND e.node = $3"
	"    AND e.order_id IS NULL AND e.type = 'picked_short' AND e.state = 'open')"
	"   AND EXISTS (SELECT FROM routing.sales_order_line l WHERE l.tenant_id = r.tenant_id AND l.order_id = r.order_id"
	"    AND l.line_no = r.line_no AND l.status IN ('picked', 'packed', 'shipped', 'delivered')))"
	" GROUP BY 1, 2, 3",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static char *
groups_text(const Position *pos)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < pos->lots.n; i++)
		appendStringInfo(&buf, "%s" INT64_FORMAT, i == 0 ? "{" : ",", pos->lots.v[i]);
	appendStringInfoString(&buf, pos->lots.n == 0 ? "{}" : "}");
	return buf.data;
}

/*
 * How much of what is promised no lot can serve: what is missing, less what
 * would be without the firm bookings.  That is stock which the ERP has below
 * 0, or goods that have left already, and no booking that gives way would
 * repair it.  The position is one to try on.
 */
static int64
uncovered(Position *trial, bool negative, DateADT today)
{
	int64		missing = lots_missing(trial, today);
	Datum		args[3];
	int			n;
	StockBooking *firm;
	int64	   *quantities;

	if (missing == 0)
		return 0;
	position_key_args(&trial->key, args);
	n = (int) engine_exec(&plan_firm, args, NULL, ENGINE_READ);
	firm = palloc0(sizeof(StockBooking) * Max(n, 1));
	quantities = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		firm[i].lot = spi_text(i, 1);
		firm[i].needed_on = DatumGetDateADT(spi_datum(i, 2, &isnull));
		firm[i].min_expiry = DatumGetDateADT(spi_datum(i, 3, &isnull));
		quantities[i] = scaled_from_datum(spi_datum(i, 4, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	if (n == 0)
		return 0;
	for (int i = 0; i < n; i++)
		lots_book(trial, &firm[i], -quantities[i]);
	/* without them lots do not matter: of what is below 0 nobody can tell */
	if (trial->lots.n == 0)
		return negative ? 0 : missing;
	return scaled_sub(missing, lots_missing(trial, today));
}

/*
 * Compare a position as a snapshot shows it with the rows of supply and
 * reservation in the same snapshot, and see whether the lots serve what is
 * booked.  Says what is expected and found if not.  SPI is connected.
 */
static bool
lots_as_booked(const Position *pos, DateADT today, char **expected, char **found)
{
	Position	anew = {.key = pos->key, .lead_time = -1};
	LotRow	   *rows;
	int			n = position_supply(&pos->key, position_dock_days(&pos->key, ENGINE_READ), &rows, ENGINE_READ);
	bool		negative = false;
	int64		missing;

	for (int i = 0; i < n; i++)
		negative |= rows[i].quantity < 0;
	lots_pin_sum(&anew, rows, n, ENGINE_READ);
	if (anew.lots.n != pos->lots.n ||
		(anew.lots.n > 0 && memcmp(anew.lots.v, pos->lots.v, sizeof(int64) * anew.lots.n) != 0))
	{
		*expected = groups_text(&anew);
		*found = groups_text(pos);
		return false;
	}
	missing = uncovered(&anew, negative, today);
	if (missing > 0)
	{
		*expected = pstrdup("lots for all that is booked");
		*found = psprintf("none for %s", scaled_to_text(missing));
		return false;
	}
	return true;
}

/*
 * For verify(): null, or what is wrong with the lots of an item-node on a day;
 * without a day, dates count as they are given.
 */
Datum
routing_lots_check(PG_FUNCTION_ARGS)
{
	DateADT		today = PG_ARGISNULL(3) ? DATEVAL_NOBEGIN + 1 : PG_GETARG_DATEADT(3);
	Ledger	   *ledger;
	Position   *pos;
	char	   *expected = NULL;
	char	   *found = NULL;
	bool		right;
	text	   *result = NULL;
	MemoryContext caller = CurrentMemoryContext;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	ledger = ledger_open(false);
	pos = ledger_get(ledger, PG_GETARG_INT32(0), text_to_cstring(PG_GETARG_TEXT_PP(1)),
					 text_to_cstring(PG_GETARG_TEXT_PP(2)));
	SPI_connect();
	right = lots_as_booked(pos, today, &expected, &found);
	if (!right)
	{
		MemoryContext old = MemoryContextSwitchTo(caller);

		result = cstring_to_text(psprintf("expected %s, found %s", expected, found));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	ledger_close(ledger);
	if (right)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}
