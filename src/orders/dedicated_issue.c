/*
 * dedicated_issue.c
 *		Dedicated supply whose goods were issued, where nobody else lowers it.
 *
 * Whoever changes dedicated supply has its rows and wants the order at commit;
 * an issue has the order.  So it only tries the rows.  If somebody has one of
 * them, routing.dedicated_issue keeps what is still to be lowered, which
 * nobody is given meanwhile, and the next settlement of the order does it: at
 * the latest that of run_jobs(), to which the order is left.
 *
 * Lock order: the order's row (the caller's), then its rows of supply, which
 * are never waited for.
 */
#include "orders/issue.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/rules.h"

#include "catalog/pg_type.h"

#define ITS_ROWS \
	" FROM routing.supply s WHERE s.tenant_id = $1 AND s.order_id = $2 AND s.order_id <> ''" \
	"  AND s.item = $3 AND s.node = $4 AND s.lot = $5 AND (s.line_no = $6 OR s.line_no IS NULL)"

/* none, unless all of them could be locked */
static EnginePlan plan_try_rows = {
	"WITH locked AS MATERIALIZED (SELECT s.ref, s.quantity, s.kind, s.status, s.line_no, s.available_on"
	ITS_ROWS " ORDER BY s.ref FOR NO KEY UPDATE SKIP LOCKED)"
	" SELECT l.ref, l.quantity, l.kind, l.status FROM locked l"
	" WHERE (SELECT pg_catalog.count(*) FROM locked) = (SELECT pg_catalog.count(*)" ITS_ROWS ")"
	" ORDER BY l.line_no NULLS LAST, l.available_on, l.ref",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID}, NULL
};

static EnginePlan plan_any_row = {
	"SELECT 1" ITS_ROWS " LIMIT 1",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID}, NULL
};

static EnginePlan plan_lower = {
	"UPDATE routing.supply SET quantity = quantity - $6"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND lot = $4 AND ref = $5",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID}, NULL
};

static EnginePlan plan_left = {
	"SELECT item, node, lot, line_no, quantity FROM routing.dedicated_issue"
	" WHERE tenant_id = $1 AND order_id = $2 ORDER BY item, node, lot, line_no",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_keep = {
	"INSERT INTO routing.dedicated_issue AS d (tenant_id, order_id, item, node, lot, line_no, quantity)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)"
	" ON CONFLICT (tenant_id, order_id, item, node, lot, line_no) DO UPDATE SET quantity = d.quantity + excluded.quantity",
	7, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, NUMERICOID}, NULL
};

static EnginePlan plan_forget = {
	"DELETE FROM routing.dedicated_issue WHERE tenant_id = $1 AND order_id = $2"
	" AND item = $3 AND node = $4 AND lot = $5 AND line_no = $6",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID}, NULL
};

static void
set_args(Datum *args, const SalesOrder *order, const DedicatedIssue *d)
{
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = CStringGetTextDatum(d->item);
	args[3] = CStringGetTextDatum(d->node);
	args[4] = CStringGetTextDatum(d->lot);
	args[5] = Int32GetDatum(d->line_no);
}

/*
 * Take a quantity from the rows that serve a line: the line's own first, of
 * these what is there and then what should have come.  Of what they do not
 * have nobody else has less.  Negative: put it back into the first.  False,
 * with nothing done, if somebody has one of the rows or there is none.
 */
static bool
lower_rows(const SalesOrder *order, const DedicatedIssue *d)
{
	Datum		args[6];
	int64		left = d->quantity;
	int			n;
	int			nrows = 0;
	char	  **refs;
	int64	   *there;
	bool		isnull;

	set_args(args, order, d);
	n = (int) engine_exec(&plan_try_rows, args, NULL, ENGINE_FRESH);
	refs = palloc(sizeof(char *) * Max(n, 1));
	there = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (!supply_rule(order->tenant_id, spi_text(i, 3), spi_text(i, 4)).usable)
			continue;
		refs[nrows] = spi_text(i, 1);
		there[nrows++] = scaled_from_datum(spi_datum(i, 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < nrows && left != 0; i++)
	{
		int64		part = left < 0 ? left : Min(left, Max(there[i], 0));

		if (part == 0)
			continue;
		args[0] = Int32GetDatum(order->tenant_id);
		args[1] = CStringGetTextDatum(d->item);
		args[2] = CStringGetTextDatum(d->node);
		args[3] = CStringGetTextDatum(d->lot);
		args[4] = CStringGetTextDatum(refs[i]);
		args[5] = NumericGetDatum(scaled_to_numeric(part));
		(void) engine_exec(&plan_lower, args, NULL, ENGINE_FRESH);
		left -= part;
	}
	return n > 0 && (d->quantity > 0 || nrows > 0);
}

static bool
any_row(const SalesOrder *order, const DedicatedIssue *d)
{
	Datum		args[6];
	bool		any;

	set_args(args, order, d);
	any = engine_exec(&plan_any_row, args, NULL, ENGINE_FRESH) > 0;
	SPI_freetuptable(SPI_tuptable);
	return any;
}

static void
leave(Settlement *s, const SalesOrder *order)
{
	settlement_leave(s, order->tenant_id, order->order_id,
					 "goods of its dedicated supply were issued while somebody changed that",
					 ERRCODE_LOCK_NOT_AVAILABLE);
}

/*
 * Goods of a booking on dedicated supply were issued, or (negative) came back.
 * False if there is no row of supply that tells of them.
 */
bool
dedicated_lower(Settlement *s, const SalesOrder *order, const Booking *b, int64 quantity)
{
	DedicatedIssue d = {b->item, b->node, b->stock.lot, b->line_no, quantity};
	Datum		args[7];

	if (lower_rows(order, &d))
		return true;
	if (!any_row(order, &d))
		return false;
	set_args(args, order, &d);
	args[6] = NumericGetDatum(scaled_to_numeric(quantity));
	(void) engine_exec(&plan_keep, args, NULL, ENGINE_FRESH);
	leave(s, order);
	return true;
}

/* What issues of an order have still to lower; negative: to put back. */
int
dedicated_left(int32 tenant_id, const char *order_id, bool fresh, DedicatedIssue **left)
{
	Datum		args[2];
	int			n;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(order_id);
	n = (int) engine_exec(&plan_left, args, NULL, fresh ? ENGINE_FRESH : ENGINE_READ);
	*left = palloc(sizeof(DedicatedIssue) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		DedicatedIssue *d = &(*left)[i];
		bool		isnull;

		d->item = spi_text(i, 1);
		d->node = spi_text(i, 2);
		d->lot = spi_text(i, 3);
		d->line_no = DatumGetInt32(spi_datum(i, 4, &isnull));
		d->quantity = scaled_from_datum(spi_datum(i, 5, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/*
 * Do for an order in hand what its earlier issues could not.  Only one that
 * has booked dedicated supply can have such.
 */
void
dedicated_catch_up(Settlement *s, const SalesOrder *order)
{
	DedicatedIssue *left;
	bool		any = false;
	int			n;

	for (int j = 0; j < order->nbookings && !any; j++)
		any = order->bookings[j].dedicated;
	if (!any)
		return;
	n = dedicated_left(order->tenant_id, order->order_id, true, &left);
	for (int i = 0; i < n; i++)
	{
		Datum		args[6];

		if (!lower_rows(order, &left[i]) && any_row(order, &left[i]))
		{
			leave(s, order);
			continue;
		}
		set_args(args, order, &left[i]);
		(void) engine_exec(&plan_forget, args, NULL, ENGINE_FRESH);
	}
}
