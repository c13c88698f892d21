/*
 * write.c
 *		Writing what was decided: bookings, lines, order, decision, events.
 *
 * SPI is connected, the order row and the positions are locked or ours.  Each
 * row is written once; many rows go with one statement.
 */
#include "orders/order.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

static EnginePlan plan_release = {
	"UPDATE routing.reservation r SET state = 'cancelled', \"to\" = $5"
	" FROM unnest($3, $4) AS u(line_no, part)"
	" WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.line_no = u.line_no AND r.part = u.part",
	5, {INT4OID, TEXTOID, INT4ARRAYOID, INT4ARRAYOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_reserve = {
	"INSERT INTO routing.reservation (tenant_id, order_id, line_no, part, item, node, quantity,"
	" needed_on, ship_on, deliver_on, service, shipment_no, basis, state, decision_id, \"from\")"
	" SELECT $1, $2, u.line_no, u.part, u.item, u.node, u.quantity, u.needed_on, u.ship_on,"
	"  u.deliver_on, u.service, u.shipment_no, u.basis, 'firm', $14, $15"
	" FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
	"  AS u(line_no, part, item, node, quantity, needed_on, ship_on, deliver_on, service,"
	"       shipment_no, basis)",
	15, {INT4OID, TEXTOID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		NUMERICARRAYOID, DATEARRAYOID, DATEARRAYOID, DATEARRAYOID, TEXTARRAYOID, INT4ARRAYOID,
	TEXTARRAYOID, INT8OID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_lines = {
	"UPDATE routing.sales_order_line l SET status = u.status, promised_on = u.promised_on,"
	" first_promised_on = u.first_promised_on, allocated_node = u.node, split = u.split,"
	" reason = u.reason, replan = false"
	" FROM unnest($3, $4, $5, $6, $7, $8, $9)"
	"  AS u(line_no, status, promised_on, first_promised_on, node, split, reason)"
	" WHERE l.tenant_id = $1 AND l.order_id = $2 AND l.line_no = u.line_no",
	9, {INT4OID, TEXTOID, INT4ARRAYOID, TEXTARRAYOID, DATEARRAYOID, DATEARRAYOID, TEXTARRAYOID,
	BOOLARRAYOID, TEXTARRAYOID}, NULL
};

static EnginePlan plan_decide = {
	"WITH d AS (INSERT INTO routing.decision (tenant_id, decision_id, previous_id, order_id,"
	"  decided_at, policy, policy_version, status, cost, detail)"
	"  VALUES ($1, $3, $4, $2, $5, $6, $7, $8, $9, $10))"
	" UPDATE routing.sales_order SET status = $8, decision_id = $3, event_version = $11, reason = $12"
	" WHERE tenant_id = $1 AND order_id = $2",
	12, {INT4OID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, INT4OID, TEXTOID, NUMERICOID,
	JSONBOID, INT8OID, TEXTOID}, NULL
};

static EnginePlan plan_cancel_lines = {
	"UPDATE routing.sales_order_line SET status = 'cancelled', promised_on = NULL,"
	" allocated_node = NULL, split = false, reason = $3, replan = false"
	" WHERE tenant_id = $1 AND order_id = $2 AND status <> 'cancelled'",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_cancel_order = {
	"UPDATE routing.sales_order SET status = 'cancelled', event_version = $3, reason = $4"
	" WHERE tenant_id = $1 AND order_id = $2",
	4, {INT4OID, TEXTOID, INT8OID, TEXTOID}, NULL
};

static Datum
array_of(Datum *values, bool *nulls, int n, Oid type)
{
	int16		len;
	bool		byval;
	char		align;
	int			dims[1];
	int			lbs[1] = {1};

	get_typlenbyvalalign(type, &len, &byval, &align);
	dims[0] = n;
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs, type, len, byval, align));
}

static Datum
text_or_null(const char *value, bool *isnull)
{
	*isnull = value == NULL;
	return value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
}

/* Close the rows of the bookings that are given back. */
void
order_release_rows(SalesOrder *order)
{
	Datum	   *lines = palloc(sizeof(Datum) * Max(order->nbookings, 1));
	Datum	   *parts = palloc(sizeof(Datum) * Max(order->nbookings, 1));
	Datum		args[5];
	int			n = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		if (!order->bookings[j].release)
			continue;
		lines[n] = Int32GetDatum(order->bookings[j].line_no);
		parts[n++] = Int32GetDatum(order->bookings[j].part);
	}
	if (n == 0)
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = array_of(lines, NULL, n, INT4OID);
	args[3] = array_of(parts, NULL, n, INT4OID);
	args[4] = TimestampTzGetDatum(order->clock);
	(void) engine_exec(&plan_release, args, NULL, ENGINE_FRESH);
}

static void
insert_bookings(SalesOrder *order)
{
	enum
	{
		LINE, PART, ITEM, NODE, QUANTITY, NEEDED, SHIP, DELIVER, SERVICE, SHIPMENT, BASIS, NCOLS
	};
	static const Oid types[NCOLS] = {
		INT4OID, INT4OID, TEXTOID, TEXTOID, NUMERICOID, DATEOID, DATEOID, DATEOID, TEXTOID,
		INT4OID, TEXTOID
	};
	Datum	   *cols[NCOLS];
	Datum		args[15];
	int			n = 0;

	for (int c = 0; c < NCOLS; c++)
		cols[c] = palloc(sizeof(Datum) * Max(order->nbookings, 1));
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (!b->is_new)
			continue;
		b->part = ++order_line(order, b->line_no)->last_part;
		cols[LINE][n] = Int32GetDatum(b->line_no);
		cols[PART][n] = Int32GetDatum(b->part);
		cols[ITEM][n] = CStringGetTextDatum(b->item);
		cols[NODE][n] = CStringGetTextDatum(b->node);
		cols[QUANTITY][n] = NumericGetDatum(scaled_to_numeric(b->quantity));
		cols[NEEDED][n] = DateADTGetDatum(b->needed_on);
		cols[SHIP][n] = DateADTGetDatum(b->ship_on);
		cols[DELIVER][n] = DateADTGetDatum(b->deliver_on);
		cols[SERVICE][n] = CStringGetTextDatum(b->service);
		cols[SHIPMENT][n] = Int32GetDatum(b->shipment_no);
		cols[BASIS][n++] = CStringGetTextDatum(b->on_hand ? "on_hand" : "inbound");
	}
	if (n == 0)
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	for (int c = 0; c < NCOLS; c++)
		args[2 + c] = array_of(cols[c], NULL, n, types[c]);
	args[13] = Int64GetDatum(order->new_decision_id);
	args[14] = TimestampTzGetDatum(order->clock);
	(void) engine_exec(&plan_reserve, args, NULL, ENGINE_FRESH);
}

static void
update_lines(SalesOrder *order)
{
	enum
	{
		LINE, STATUS, PROMISED, FIRST, NODE, SPLIT, REASON, NCOLS
	};
	static const Oid types[NCOLS] = {
		INT4OID, TEXTOID, DATEOID, DATEOID, TEXTOID, BOOLOID, TEXTOID
	};
	Datum	   *cols[NCOLS];
	bool	   *nulls[NCOLS];
	Datum		args[9];
	int			n = 0;

	for (int c = 0; c < NCOLS; c++)
	{
		cols[c] = palloc(sizeof(Datum) * Max(order->nlines, 1));
		nulls[c] = palloc0(sizeof(bool) * Max(order->nlines, 1));
	}
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];

		if (!line->changed)
			continue;
		cols[LINE][n] = Int32GetDatum(line->line_no);
		cols[STATUS][n] = CStringGetTextDatum(line->new_status);
		cols[PROMISED][n] = DateADTGetDatum(line->promised);
		nulls[PROMISED][n] = !line->has_promised;
		cols[FIRST][n] = DateADTGetDatum(line->first_promised);
		nulls[FIRST][n] = !line->has_first_promised;
		cols[NODE][n] = text_or_null(line->node, &nulls[NODE][n]);
		cols[SPLIT][n] = BoolGetDatum(line->split);
		cols[REASON][n] = text_or_null(line->reason, &nulls[REASON][n]);
		n++;
	}
	if (n == 0)
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	for (int c = 0; c < NCOLS; c++)
		args[2 + c] = array_of(cols[c], nulls[c], n, types[c]);
	(void) engine_exec(&plan_lines, args, NULL, ENGINE_FRESH);
}

static char *
order_reason(const SalesOrder *order)
{
	for (int i = 0; i < order->nlines; i++)
	{
		if (order->lines[i].reason != NULL)
			return psprintf("line %d: %s", order->lines[i].line_no, order->lines[i].reason);
	}
	return NULL;
}

static int64
next_decision_id(void)
{
	Oid			sequence = get_relname_relid("decision_seq",
											 get_namespace_oid("routing", false));

	return nextval_internal(sequence, false);
}

/*
 * Write a routed order and add its events.  An order whose row is gone only
 * gives back its bookings.
 */
void
order_write(SalesOrder *order, EventBatch *events)
{
	Datum		args[12];
	char		nulls[12];
	bool		isnull;
	bool		first = order->decision_id == 0;

	if (!order->exists)
	{
		order_release_rows(order);
		if (order->nbookings > 0)
			order_add_cancelled_event(order, "deleted", events);
		return;
	}
	order->new_decision_id = next_decision_id();
	order_release_rows(order);
	insert_bookings(order);
	update_lines(order);
	order_add_events(order, events, first);

	memset(nulls, ' ', sizeof(nulls));
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = Int64GetDatum(order->new_decision_id);
	args[3] = Int64GetDatum(order->decision_id);
	nulls[3] = first ? 'n' : ' ';
	args[4] = TimestampTzGetDatum(order->clock);
	args[5] = CStringGetTextDatum(order->policy.code);
	args[6] = Int32GetDatum(order->policy.version);
	args[7] = CStringGetTextDatum(order->new_status);
	args[8] = NumericGetDatum(scaled_to_numeric(order->cost));
	args[9] = JsonbPGetDatum(order_decision_detail(order));
	args[10] = Int64GetDatum(order->event_version);
	args[11] = text_or_null(order_reason(order), &isnull);
	nulls[11] = isnull ? 'n' : ' ';
	(void) engine_exec(&plan_decide, args, nulls, ENGINE_FRESH);
	order->decision_id = order->new_decision_id;
	order->status = pstrdup(order->new_status);
}

/* Write a cancelled order, whose bookings are all marked for release. */
void
order_write_cancelled(SalesOrder *order, const char *reason, EventBatch *events)
{
	Datum		args[4];

	order_release_rows(order);
	order_add_cancelled_event(order, reason, events);
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = CStringGetTextDatum(reason);
	(void) engine_exec(&plan_cancel_lines, args, NULL, ENGINE_FRESH);
	args[2] = Int64GetDatum(order->event_version);
	args[3] = CStringGetTextDatum(reason);
	(void) engine_exec(&plan_cancel_order, args, NULL, ENGINE_FRESH);
	order->status = pstrdup("cancelled");
}

/*
 * Bindings live in a room above; they are told of every order that was
 * written through this pointer.
 */
void		(*order_written_hook) (SalesOrder *order) = NULL;

void
order_written(SalesOrder *order)
{
	if (order_written_hook != NULL)
		order_written_hook(order);
}
