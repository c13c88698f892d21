/*
 * judge.c
 *		Whom it hits when supply no longer covers the bookings.
 *
 * Guarantee: afterwards no balance over the covered bookings is negative that
 * bookings could repair.  The ERP is never refused for telling the truth
 * about its stock; bookings give way.
 */
#include "ledger/change.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/offer.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

/*
 * Whom a shortage hits: bookings needed on or before the first day with a
 * negative balance, the least important first, then the latest promise, then
 * the youngest.  Bookings do not tell the age; the order's does.
 */
static EnginePlan plan_candidates = {
	"SELECT r.order_id, r.line_no, r.part, r.quantity, r.needed_on"
	" FROM routing.reservation r"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL"
	"   AND r.state = 'firm' AND r.needed_on <= $4"
	" ORDER BY COALESCE(o.priority, c.priority, 5) DESC, r.deliver_on DESC,"
	"          r.\"from\" DESC, r.order_id DESC, r.line_no DESC, r.part DESC",
	4, {INT4OID, TEXTOID, TEXTOID, DATEOID}, NULL
};

static EnginePlan plan_uncover = {
	"UPDATE routing.reservation SET state = 'uncovered'"
	" WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4",
	4, {INT4OID, TEXTOID, INT4OID, INT4OID}, NULL
};

/* the part that keeps its supply stays in its row, the rest becomes a new one */
static EnginePlan plan_shrink = {
	"UPDATE routing.reservation SET quantity = $5"
	" WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4",
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, NUMERICOID}, NULL
};

static EnginePlan plan_split = {
	"INSERT INTO routing.reservation (tenant_id, order_id, line_no, part, item, node, lot, quantity,"
	" needed_on, ship_on, deliver_on, service, shipment_no, basis, expires_at, state, decision_id)"
	" SELECT tenant_id, order_id, line_no,"
	"  (SELECT max(m.part) + 1 FROM routing.reservation m"
	"   WHERE m.tenant_id = $1 AND m.order_id = $2 AND m.line_no = $3),"
	"  item, node, lot, $5, needed_on, ship_on, deliver_on, service, shipment_no, basis, expires_at,"
	"  'uncovered', decision_id"
	" FROM routing.reservation WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4",
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, NUMERICOID}, NULL
};

static void
add_victim(ChangeResult *result, Position *pos, const char *order_id, int line_no,
		   int64 quantity, DateADT needed_on)
{
	Victim	   *v;

	if (result->victims == NULL)
		result->victims = palloc(sizeof(Victim) * 8);
	else if (result->nvictims >= 8 && (result->nvictims & (result->nvictims - 1)) == 0)
		result->victims = repalloc(result->victims, sizeof(Victim) * result->nvictims * 2);
	v = &result->victims[result->nvictims++];
	v->tenant_id = pos->key.tenant_id;
	v->order_id = pstrdup(order_id);
	v->line_no = line_no;
	v->item = pstrdup(pos->key.item);
	v->node = pstrdup(pos->key.node);
	v->quantity = quantity;
	v->needed_on = needed_on;
}

typedef struct Candidate
{
	char	   *order_id;
	int			line_no;
	int			part;
	int64		quantity;
	DateADT		needed_on;
} Candidate;

static int
load_candidates(Position *pos, DateADT until, Candidate **candidates)
{
	Datum		args[4];
	int			n;
	bool		isnull;

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);
	args[3] = DateADTGetDatum(until);
	n = (int) engine_exec(&plan_candidates, args, NULL, ENGINE_FRESH);
	*candidates = palloc(sizeof(Candidate) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Candidate  *c = &(*candidates)[i];

		c->order_id = spi_text(i, 1);
		c->line_no = DatumGetInt32(spi_datum(i, 2, &isnull));
		c->part = DatumGetInt32(spi_datum(i, 3, &isnull));
		c->quantity = scaled_from_datum(spi_datum(i, 4, &isnull));
		c->needed_on = DatumGetDateADT(spi_datum(i, 5, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Mark a booking, or "quantity" of it, as uncovered. */
static void
uncover(Position *pos, const Candidate *c, int64 quantity, ChangeResult *result)
{
	Datum		args[5];
	StockBooking stock = {.min_expiry = DATEVAL_NOBEGIN, .lot = ""};

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(c->order_id);
	args[2] = Int32GetDatum(c->line_no);
	args[3] = Int32GetDatum(c->part);
	if (quantity == c->quantity)
		(void) engine_exec(&plan_uncover, args, NULL, ENGINE_FRESH);
	else
	{
		args[4] = NumericGetDatum(scaled_to_numeric(quantity));
		(void) engine_exec(&plan_split, args, NULL, ENGINE_FRESH);
		args[4] = NumericGetDatum(scaled_to_numeric(c->quantity - quantity));
		(void) engine_exec(&plan_shrink, args, NULL, ENGINE_FRESH);
	}
	stock.needed_on = c->needed_on;
	position_book(pos, &stock, -quantity);
	add_victim(result, pos, c->order_id, c->line_no, quantity, c->needed_on);
}

/*
 * Take bookings out until no balance is negative that bookings can repair,
 * but only the quantity that is missing, and only of bookings needed on or
 * before the first negative day.  What stays negative is the ERP's own, a
 * negative on hand; the days after it are judged all the same.
 */
void
position_judge(Position *pos, DateADT today, ChangeResult *result)
{
	DateADT		day = today - 1;
	int64		missing;

	holds_judge(pos, today, clock_now());
	while (timeline_next_negative(&pos->timeline, today, day, &day, &missing))
	{
		Candidate  *candidates;
		int			n = load_candidates(pos, day, &candidates);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n && missing > 0; i++)
		{
			int64		quantity = Min(missing, candidates[i].quantity);

			uncover(pos, &candidates[i], quantity, result);
			missing -= quantity;
		}
	}
}
