/*
 * issued.c
 *		confirm_ship(), and what an issue leaves behind: lowered stock, events,
 *		exceptions.
 */
#include "orders/issue.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "events/exception.h"
#include "ledger/reference.h"
#include "ledger/rules.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(routing_confirm_ship);

static EnginePlan plan_lock_on_hand = {
	"SELECT 1 FROM routing.supply s"
	" WHERE s.tenant_id = $1 AND s.available_on = '-infinity' AND s.order_id = '' AND (s.item, s.node) IN"
	"  (SELECT u.item, u.node FROM unnest($2, $3) AS u(item, node))"
	" ORDER BY s.item, s.node, s.ref, s.lot FOR NO KEY UPDATE",
	3, {INT4OID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

/* the lot that is named, then what expires first */
static EnginePlan plan_on_hand = {
	"SELECT ref, lot, quantity, kind, status FROM routing.supply"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND available_on = '-infinity' AND order_id = ''"
	" ORDER BY lot <> $4, expires_on NULLS LAST, lot, ref",
	4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_lower = {
	"INSERT INTO routing.supply AS s (tenant_id, item, node, ref, lot, quantity)"
	" VALUES ($1, $2, $3, $4, $5, -$6)"
	" ON CONFLICT (tenant_id, item, node, ref, lot) DO UPDATE SET quantity = s.quantity - $6",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID}, NULL
};

static EnginePlan plan_reference = {
	"SELECT kind, ref, reason FROM routing.stock_movement WHERE tenant_id = $1 AND reference = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_movement = {
	"INSERT INTO routing.stock_movement (tenant_id, reference, kind, item, node, lot, quantity, ref, reason, moved_at)"
	" VALUES ($1, $2, 'issue', $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
	9, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/*
 * Lock the on hand rows that issues will lower: before any position, since
 * who has changed one of them will want its position at commit.  Dedicated
 * supply is not lowered; who has changed that will want its order.
 */
void
on_hand_lock(int32 tenant_id, char **items, char **nodes, int n)
{
	Datum		args[3];

	args[0] = Int32GetDatum(tenant_id);
	args[1] = text_array(items, n);
	args[2] = text_array(nodes, n);
	(void) engine_exec(&plan_lock_on_hand, args, NULL, ENGINE_FRESH);
	SPI_freetuptable(SPI_tuptable);
}

static void
lower_row(const Position *pos, const char *ref, const char *lot, int64 quantity)
{
	Datum		args[6];

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);
	args[3] = CStringGetTextDatum(ref);
	args[4] = CStringGetTextDatum(lot);
	args[5] = NumericGetDatum(scaled_to_numeric(quantity));
	(void) engine_exec(&plan_lower, args, NULL, ENGINE_FRESH);
}

/*
 * Take a quantity from the on hand rows of a position where nobody else does;
 * negative: put it back.  What has left has left: the last unit may be missing
 * in the books, and on hand is negative then.
 */
void
on_hand_lower(const Position *pos, const char *lot, int64 quantity)
{
	Datum		args[4];
	int			n;
	bool		isnull;
	int			nrows = 0;
	char	  **refs;
	char	  **lots;
	int64	   *there;

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);
	args[3] = CStringGetTextDatum(lot);
	n = (int) engine_exec(&plan_on_hand, args, NULL, ENGINE_FRESH);
	refs = palloc(sizeof(char *) * Max(n, 1));
	lots = palloc(sizeof(char *) * Max(n, 1));
	there = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (!supply_rule(pos->key.tenant_id, spi_text(i, 4), spi_text(i, 5)).usable)
			continue;
		refs[nrows] = spi_text(i, 1);
		lots[nrows] = spi_text(i, 2);
		there[nrows++] = scaled_from_datum(spi_datum(i, 3, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < nrows && quantity > 0; i++)
	{
		int64		part = Min(quantity, there[i]);

		if (part <= 0)
			continue;
		lower_row(pos, refs[i], lots[i], part);
		quantity -= part;
	}
	if (quantity != 0)
		lower_row(pos, nrows > 0 ? refs[0] : "", nrows > 0 ? lots[0] : "", quantity);
}

/* order.shipped or order.partially_shipped; order.shipment_reversed if an issue was wrong */
void
shipment_add_event(SalesOrder *order, const Shipment *sh, EventBatch *events)
{
	bool		back = sh->quantity < 0;
	JsonWriter	w = {0};

	json_begin_object(&w);
	json_key_text(&w, "order_id", order->order_id);
	json_key_text(&w, "order_status", order->status);
	json_key_text(&w, "reference", sh->reference);
	json_key(&w, "shipped_at");
	json_time(&w, sh->shipped_at);
	json_key(&w, "shipments");
	json_begin_array(&w);
	for (int i = 0; i < sh->nparts; i++)
	{
		const ShippedPart *p = &sh->parts[i];

		json_begin_object(&w);
		json_key_int(&w, "line_no", p->line_no);
		json_key_text(&w, "item", p->item);
		json_key_text(&w, "node", p->node);
		json_key_scaled(&w, "quantity", back ? -p->quantity : p->quantity);
		json_key_text(&w, "uom", order_uom(order, p->line_no, p->item));
		if (sh->lot[0] != '\0')
			json_key_text(&w, "lot", sh->lot);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_key(&w, "remaining");
	json_begin_array(&w);
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];

		if (strcmp(line->status, "cancelled") == 0 || line->shipped >= line->quantity)
			continue;
		json_begin_object(&w);
		json_key_int(&w, "line_no", line->line_no);
		json_key_text(&w, "item", line->item);
		json_key_scaled(&w, "quantity", line->quantity - line->shipped);
		json_key_text(&w, "uom", order_uom(order, line->line_no, line->item));
		json_end_object(&w);
	}
	json_end_array(&w);
	json_key(&w, "totals");
	json_begin_array(&w);
	for (int i = 0; i < order->nlines; i++)
	{
		bool		moved = false;

		for (int p = 0; p < sh->nparts && !moved; p++)
			moved = sh->parts[p].line_no == order->lines[i].line_no;
		if (moved)
			line_write_totals(&w, &order->lines[i]);
	}
	json_end_array(&w);
	if (order->decision_id != 0)
		json_key_text(&w, "decision_id", psprintf(INT64_FORMAT, order->decision_id));
	json_end_object(&w);
	event_add(events, order->tenant_id, "order", order->order_id, ++order->event_version,
			  back ? "order.shipment_reversed.v1" :
			  strcmp(order->status, "shipped") == 0 ? "order.shipped.v1" : "order.partially_shipped.v1",
			  order->clock, order->correlation_id ? order->correlation_id : order->order_id, json_result(&w));
}

/* The exception of an issue, or a part of one, that nothing was booked for. */
void
shipment_unbooked(Settlement *s, const Shipment *sh, int64 quantity)
{
	ExceptionCase about = {
		.tenant_id = sh->tenant_id, .type = "issue_without_booking", .order_id = sh->order_id,
		.line_no = sh->line_no, .item = sh->item, .node = sh->node
	};
	JsonWriter	w = {0};

	json_begin_object(&w);
	json_key_scaled(&w, "quantity", quantity);
	json_key_text(&w, "reference", sh->reference);
	json_key(&w, "shipped_at");
	json_time(&w, sh->shipped_at);
	json_end_object(&w);
	exception_put(&s->events, &about, json_result(&w), EXCEPTION_ANOTHER, s->clock);
}

/* ------------------------------------------------------------------------
 * confirm_ship
 * ------------------------------------------------------------------------ */

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	char	   *value = PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));

	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* What a call says, to compare a repeated one with; its time may differ. */
static char *
content_of(const Shipment *sh)
{
	return psprintf("line %s, quantity %s, node %s%s%s",
					sh->line_no == 0 ? "all" : psprintf("%d", sh->line_no),
					sh->all ? "all" : scaled_to_text(sh->quantity), sh->node ? sh->node : "any",
					sh->lot[0] != '\0' ? ", lot " : "", sh->lot);
}

/* Whether the reference was heard before; with other content it is an error. */
static bool
heard_before(const Shipment *sh, const char *content)
{
	Datum		args[2];
	bool		found;

	if (sh->reference == NULL)
		return false;
	args[0] = Int32GetDatum(sh->tenant_id);
	args[1] = CStringGetTextDatum(sh->reference);
	found = engine_exec(&plan_reference, args, NULL, ENGINE_FRESH) > 0;
	if (found && (strcmp(spi_text(0, 1), "issue") != 0 || strcmp(spi_text(0, 2), sh->order_id) != 0 ||
				  strcmp(spi_text(0, 3), content) != 0))
		ereport(ERROR,
				(errcode(RT_REFERENCE_USED),
				 errmsg("reference \"%s\" was used for another movement: %s of \"%s\", %s", sh->reference,
						spi_text(0, 1), spi_text(0, 2), spi_text(0, 3)),
				 errhint("Give every goods issue a reference of its own; only a repeated message has the same.")));
	return found;
}

/*
 * Record what has moved: a row for each part, the first under the caller's
 * reference, so that a count as of an earlier time can be brought up to date.
 */
static void
record(const Shipment *sh, const char *content, TimestampTz clock)
{
	for (int i = 0; i < sh->nparts; i++)
	{
		const ShippedPart *p = &sh->parts[i];
		Datum		args[9];
		const char *reference = sh->reference == NULL ?
			psprintf("%s/%d at " INT64_FORMAT ".%d", sh->order_id, p->line_no, clock, i + 1) :
			i == 0 ? sh->reference : psprintf("%s/%d", sh->reference, i + 1);

		args[0] = Int32GetDatum(sh->tenant_id);
		args[1] = CStringGetTextDatum(reference);
		args[2] = CStringGetTextDatum(p->item);
		args[3] = CStringGetTextDatum(p->node);
		args[4] = CStringGetTextDatum(sh->lot);
		args[5] = NumericGetDatum(scaled_to_numeric(-p->quantity));
		args[6] = CStringGetTextDatum(sh->order_id);
		args[7] = CStringGetTextDatum(content);
		args[8] = TimestampTzGetDatum(sh->shipped_at);
		/* somebody used it for another order at the same time */
		if (engine_exec(&plan_movement, args, NULL, ENGINE_FRESH) == 0 && i == 0 && sh->reference != NULL)
			(void) heard_before(sh, content);
	}
}

/* Check what is confirmed against the order. */
static void
check_shipment(Shipment *sh, SalesOrder *order)
{
	Fault		fault = {0};
	OrderLine  *line = NULL;
	int			nlines = 0;

	if (!order->exists)
		ereport(ERROR,
				(errcode(RT_UNKNOWN_ORDER),
				 errmsg("order \"%s\" is unknown", sh->order_id),
				 errhint("Give the id of an order in routing.sales_order.")));
	for (int i = 0; i < order->nlines; i++)
	{
		if (strcmp(order->lines[i].status, "cancelled") == 0)
			continue;
		nlines++;
		line = &order->lines[i];
	}
	if (sh->line_no == 0 && !sh->all)
	{
		if (nlines > 1)
			ereport(ERROR,
					(errcode(RT_UNKNOWN_LINE),
					 errmsg("order \"%s\": quantity %s without a line_no, but the order has %d lines",
							sh->order_id, scaled_to_text(sh->quantity), nlines),
					 errhint("Confirm line by line, or leave out the quantity.")));
		sh->line_no = line ? line->line_no : 0;
	}
	if (sh->line_no != 0)
	{
		line = order_line(order, sh->line_no);
		if (line == NULL)
			ereport(ERROR,
					(errcode(RT_UNKNOWN_LINE),
					 errmsg("order \"%s\" has no line %d", sh->order_id, sh->line_no),
					 errhint("See routing.sales_order_line for the lines there are.")));
	}
	if (order_is_cancelled(order) || (sh->line_no != 0 && strcmp(line->status, "cancelled") == 0))
		ereport(ERROR,
				(errcode(RT_ORDER_STATE),
				 errmsg("order \"%s\"%s is cancelled", sh->order_id,
						order_is_cancelled(order) ? "" : psprintf(", line %d", sh->line_no)),
				 errhint("Nothing is booked for it; if the goods have left, enter a new order for them.")));
	if (sh->node != NULL && network_find_node(network_get(sh->tenant_id), sh->node) < 0)
		fault_unknown_node(&fault, psprintf("order \"%s\": ", sh->order_id), sh->node);
	if (fault.sqlerrcode)
		fault_raise(&fault);
}

Datum
routing_confirm_ship(PG_FUNCTION_ARGS)
{
	Shipment	sh = {0};
	Shipment   *done;
	Fault		fault = {0};
	SalesOrder *order;
	Settlement *s;
	char	   *content;
	int			nparts;

	PreventCommandIfReadOnly("confirm_ship()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(RT_UNKNOWN_ORDER),
				 errmsg("order_id must not be null"),
				 errhint("Give the id of an order in routing.sales_order.")));
	sh.tenant_id = tenant_current();
	sh.order_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!PG_ARGISNULL(1))
	{
		sh.line_no = PG_GETARG_INT32(1);
		if (sh.line_no < 1)
			ereport(ERROR,
					(errcode(RT_UNKNOWN_LINE),
					 errmsg("order \"%s\" has no line %d", sh.order_id, sh.line_no),
					 errhint("See routing.sales_order_line for the lines there are.")));
	}
	sh.all = PG_ARGISNULL(2);
	if (!sh.all)
		sh.quantity = quantity_check(PG_GETARG_NUMERIC(2), psprintf("order \"%s\": quantity", sh.order_id), &fault);
	if (fault.sqlerrcode)
		fault_raise(&fault);
	sh.node = text_argument(fcinfo, 3);
	sh.reference = text_argument(fcinfo, 4);
	sh.lot = text_argument(fcinfo, 5);
	if (sh.lot == NULL)
		sh.lot = "";
	sh.shipped_at = PG_ARGISNULL(6) ? GetCurrentTransactionStartTimestamp() : PG_GETARG_TIMESTAMPTZ(6);
	if (!issue_time_usable(sh.shipped_at))
		ereport(ERROR,
				(errcode(RT_BAD_DATE),
				 errmsg("order \"%s\": shipped_at is not a time", sh.order_id),
				 errhint("Give the time at which the goods left, from 1900 to 2999.")));

	SPI_connect();
	order = order_load(sh.tenant_id, sh.order_id, ORDER_LOCK);
	content = content_of(&sh);
	if (heard_before(&sh, content))
	{
		SPI_finish();
		PG_RETURN_INT32(0);
	}
	check_shipment(&sh, order);
	s = settlement_begin();
	done = settlement_add_shipment(s, &sh, order);
	settlement_finish(s);
	nparts = done->nparts;
	record(done, content, s->clock);
	SPI_finish();
	PG_RETURN_INT32(nparts);
}
