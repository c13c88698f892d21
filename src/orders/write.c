/*
 * write.c
 *		Writing what was decided: bookings, lines, order, decision, events.
 *
 * SPI is connected, the order row and the positions are locked or ours.  Each
 * row is written once, directly where the table allows it (base/store.c).
 */
#include "orders/record.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "base/store.h"
#include "events/exception.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

static EnginePlan plan_release = {
	"UPDATE routing.reservation r SET state = CASE WHEN $6 = 'cancelled' AND r.state IN ('uncovered', 'at_risk')"
	"  THEN 'lapsed' ELSE $6 END, \"to\" = $5, to_xid = pg_catalog.pg_current_xact_id()"
	" FROM unnest($3, $4) AS u(line_no, part)"
	" WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.line_no = u.line_no AND r.part = u.part",
	6, {INT4OID, TEXTOID, INT4ARRAYOID, INT4ARRAYOID, TIMESTAMPTZOID, TEXTOID}, NULL
};

/* columns of reservation; those not named stay null */
enum
{
	R_TENANT_ID, R_ORDER_ID, R_LINE_NO, R_PART, R_ITEM, R_NODE, R_LOT, R_QUANTITY, R_NEEDED_ON,
	R_SHIP_ON, R_DELIVER_ON, R_SERVICE, R_SHIPMENT_NO, R_BASIS, R_STATE, R_DECISION_ID, R_FROM,
	R_MIN_EXPIRY, R_CHANNEL, R_POOL, R_ORDER_BY, R_EXPIRES_AT, R_XID, R_FOR_ITEM, R_PER_UNIT, R_COMPONENT,
	R_NCOLS
};

static const char *const reservation_names[R_NCOLS] = {
	"tenant_id", "order_id", "line_no", "part", "item", "node", "lot", "quantity", "needed_on",
	"ship_on", "deliver_on", "service", "shipment_no", "basis", "state", "decision_id", "from",
	"min_expiry", "channel", "pool", "order_by", "expires_at", "xid", "for_item", "per_unit", "component"
};

static ColumnMap reservation_columns = {TAB_RESERVATION, R_NCOLS, reservation_names, 0, {0}};

/* columns of decision */
enum
{
	D_TENANT_ID, D_DECISION_ID, D_PREVIOUS_ID, D_ORDER_ID, D_DECIDED_AT, D_POLICY,
	D_POLICY_VERSION, D_STATUS, D_COST, D_RECORD,
	D_NCOLS
};

static const char *const decision_names[D_NCOLS] = {
	"tenant_id", "decision_id", "previous_id", "order_id", "decided_at", "policy",
	"policy_version", "status", "cost", "record"
};

static ColumnMap decision_columns = {TAB_DECISION, D_NCOLS, decision_names, 0, {0}};

/* columns of sales_order_line that a routing sets, after the one that finds the row */
enum
{
	L_LINE_NO, L_STATUS, L_PROMISED_ON, L_FIRST_PROMISED_ON, L_ALLOCATED_NODE, L_SPLIT, L_REASON,
	L_REPLAN, L_CANCELLED, L_NCOLS
};

static const char *const line_names[L_NCOLS] = {
	"line_no", "status", "promised_on", "first_promised_on", "allocated_node", "split", "reason",
	"replan", "cancelled_quantity"
};

static ColumnMap line_columns = {TAB_SALES_ORDER_LINE, L_NCOLS, line_names, 0, {0}};

/* columns of sales_order that a routing sets */
enum
{
	O_STATUS, O_DECISION_ID, O_EVENT_VERSION, O_REASON, O_NCOLS
};

static const char *const order_names[O_NCOLS] = {"status", "decision_id", "event_version", "reason"};
static ColumnMap order_columns = {TAB_SALES_ORDER, O_NCOLS, order_names, 0, {0}};

static EnginePlan plan_lines = {
	"UPDATE routing.sales_order_line l SET status = u.status, promised_on = u.promised_on,"
	" first_promised_on = u.first_promised_on, allocated_node = u.node, split = u.split,"
	" reason = u.reason, replan = false, cancelled_quantity = u.cancelled"
	" FROM unnest($3, $4, $5, $6, $7, $8, $9, $10)"
	"  AS u(line_no, status, promised_on, first_promised_on, node, split, reason, cancelled)"
	" WHERE l.tenant_id = $1 AND l.order_id = $2 AND l.line_no = u.line_no",
	10, {INT4OID, TEXTOID, INT4ARRAYOID, TEXTARRAYOID, DATEARRAYOID, DATEARRAYOID, TEXTARRAYOID,
	BOOLARRAYOID, TEXTARRAYOID, NUMERICARRAYOID}, NULL
};

static EnginePlan plan_order = {
	"UPDATE routing.sales_order SET status = $3, decision_id = $4, event_version = $5, reason = $6"
	" WHERE tenant_id = $1 AND order_id = $2",
	6, {INT4OID, TEXTOID, TEXTOID, INT8OID, INT8OID, TEXTOID}, NULL
};

static EnginePlan plan_cancel_lines = {
	"UPDATE routing.sales_order_line SET status = 'cancelled', promised_on = NULL,"
	" allocated_node = NULL, split = false, reason = $3, replan = false"
	" WHERE tenant_id = $1 AND order_id = $2 AND status NOT IN ('cancelled', 'shipped')",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_remember = {
	"INSERT INTO routing.deleted_order VALUES ($1, $2, $3)"
	" ON CONFLICT (tenant_id, order_id) DO UPDATE SET event_version = excluded.event_version",
	3, {INT4OID, TEXTOID, INT8OID}, NULL
};

/* what the order's lines no longer wait for; $3: its zone, with how that was resolved */
static EnginePlan plan_resolve = {
	RESOLVE_EXCEPTIONS "e.tenant_id = $1 AND e.order_id = $2"
	"   AND NOT EXISTS (SELECT FROM routing.sales_order_line l WHERE l.tenant_id = e.tenant_id"
	"    AND l.order_id = e.order_id AND l.line_no = e.line_no"
	"    AND l.status NOT IN ('allocated', 'scheduled', 'shipped', 'cancelled'))"
	"   AND e.type NOT IN ('issue_unmatched', 'issue_without_booking') AND (e.type <> 'no_zone' OR $3 <> '')"
	RESOLVED_EXCEPTIONS
	"CASE WHEN e.line_no IS NULL THEN $3 ELSE COALESCE((SELECT CASE l.status WHEN 'cancelled' THEN 'cancelled'"
	" WHEN 'shipped' THEN 'auto' ELSE 'rerouted' END FROM routing.sales_order_line l"
	" WHERE l.tenant_id = e.tenant_id AND l.order_id = e.order_id AND l.line_no = e.line_no), 'cancelled') END",
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

static void
close_rows(SalesOrder *order, const char *order_id, bool held, const char *state)
{
	Datum	   *lines = palloc(sizeof(Datum) * Max(order->nbookings, 1));
	Datum	   *parts = palloc(sizeof(Datum) * Max(order->nbookings, 1));
	Datum		args[6];
	int			n = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (!b->release || b->released || b->held != held)
			continue;
		lines[n] = Int32GetDatum(b->line_no);
		parts[n++] = Int32GetDatum(b->part);
	}
	if (n == 0)
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order_id);
	args[2] = array_of(lines, NULL, n, INT4OID);
	args[3] = array_of(parts, NULL, n, INT4OID);
	args[4] = TimestampTzGetDatum(order->clock);
	args[5] = CStringGetTextDatum(state);
	(void) engine_exec(&plan_release, args, NULL, ENGINE_FRESH);
}

/* Close the rows of the bookings that are given back. */
void
order_release_rows(SalesOrder *order)
{
	(void) order_take_capacity(order, true);
	close_rows(order, order->order_id, false, "cancelled");
	if (order->from_hold != NULL)
		close_rows(order, order->from_hold, true, "changed");
}

static void
set(Store *store, const ColumnMap *map, int c, Datum value)
{
	store->values[map->attnos[c] - 1] = value;
	store->nulls[map->attnos[c] - 1] = false;
}

static void
set_text(Store *store, const ColumnMap *map, int c, const char *value)
{
	int			i = map->attnos[c] - 1;

	store->values[i] = text_or_null(value, &store->nulls[i]);
}

static void
set_date(Store *store, const ColumnMap *map, int c, bool given, DateADT value)
{
	set(store, map, c, DateADTGetDatum(value));
	store->nulls[map->attnos[c] - 1] = !given;
}

/* Write the new bookings, numbered on. */
void
order_insert_bookings(SalesOrder *order)
{
	const ColumnMap *m = &reservation_columns;
	Store	   *store = NULL;

	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (!b->is_new)
			continue;
		if (store == NULL)
		{
			store = store_open(TAB_RESERVATION);
			columns_resolve(&reservation_columns, RelationGetDescr(store->rel));
			memset(store->nulls, true, RelationGetDescr(store->rel)->natts);
			set(store, m, R_TENANT_ID, Int32GetDatum(order->tenant_id));
			set_text(store, m, R_ORDER_ID, order->order_id);
			set(store, m, R_XID, UInt64GetDatum(U64FromFullTransactionId(GetTopFullTransactionId())));
			if (order->new_decision_id != 0)
				set(store, m, R_DECISION_ID, Int64GetDatum(order->new_decision_id));
			set(store, m, R_FROM, TimestampTzGetDatum(order->clock));
		}
		b->part = ++order_line(order, b->line_no)->last_part;
		set(store, m, R_LINE_NO, Int32GetDatum(b->line_no));
		set(store, m, R_PART, Int32GetDatum(b->part));
		set_text(store, m, R_ITEM, b->item);
		set_text(store, m, R_NODE, b->node);
		set(store, m, R_QUANTITY, NumericGetDatum(scaled_to_numeric(b->quantity)));
		set(store, m, R_NEEDED_ON, DateADTGetDatum(b->stock.needed_on));
		set_text(store, m, R_LOT, b->stock.lot);
		set_text(store, m, R_STATE, booking_state_names[b->state]);
		set_date(store, m, R_MIN_EXPIRY, b->stock.min_expiry > b->deliver_on, b->stock.min_expiry);
		set_text(store, m, R_FOR_ITEM, b->of);
		store->nulls[m->attnos[R_PER_UNIT] - 1] = store->nulls[m->attnos[R_COMPONENT] - 1] = true;
		if (b->of != NULL)
			set(store, m, R_PER_UNIT, NumericGetDatum(scaled_to_numeric(b->per)));
		if (b->component > 0)
			set(store, m, R_COMPONENT, Int32GetDatum(b->component));
		set_text(store, m, R_CHANNEL, b->pos->quotas.n > 0 && b->stock.npath > 0 ? b->stock.path[0] : NULL);
		set_text(store, m, R_POOL, b->stock.pool);
		set_date(store, m, R_ORDER_BY, b->state == BOOKING_PLANNED, b->order_by);
		set(store, m, R_EXPIRES_AT, TimestampTzGetDatum(b->stock.expires_at));
		store->nulls[m->attnos[R_EXPIRES_AT] - 1] = b->stock.expires_at == 0;
		set(store, m, R_SHIP_ON, DateADTGetDatum(b->ship_on));
		set(store, m, R_DELIVER_ON, DateADTGetDatum(b->deliver_on));
		set_text(store, m, R_SERVICE, b->service);
		set(store, m, R_SHIPMENT_NO, Int32GetDatum(b->shipment_no));
		set_text(store, m, R_BASIS, b->state == BOOKING_PLANNED ? "horizon" :
				 b->state == BOOKING_DEDICATED ? "dedicated" : b->on_hand ? "on_hand" : "inbound");
		store_add(store);
	}
	if (store != NULL)
		store_close(store);
}

static void
insert_decision(SalesOrder *order)
{
	const ColumnMap *m = &decision_columns;
	Store	   *store = store_open(TAB_DECISION);

	columns_resolve(&decision_columns, RelationGetDescr(store->rel));
	memset(store->nulls, true, RelationGetDescr(store->rel)->natts);
	set(store, m, D_TENANT_ID, Int32GetDatum(order->tenant_id));
	set(store, m, D_DECISION_ID, Int64GetDatum(order->new_decision_id));
	if (order->decision_id != 0)
		set(store, m, D_PREVIOUS_ID, Int64GetDatum(order->decision_id));
	set_text(store, m, D_ORDER_ID, order->order_id);
	set(store, m, D_DECIDED_AT, TimestampTzGetDatum(order->clock));
	set_text(store, m, D_POLICY, order->policy->code);
	set(store, m, D_POLICY_VERSION, Int32GetDatum(order->policy->version));
	set_text(store, m, D_STATUS, order->new_status);
	set(store, m, D_COST, NumericGetDatum(scaled_to_numeric(order->cost)));
	set(store, m, D_RECORD, PointerGetDatum(record_write(order)));
	store_add(store);
	store_close(store);
}

typedef bool (*ChangeRow) (SalesOrder *order, Store *store);

/*
 * Replace rows that this transaction inserted, as they were read.  Returns
 * false if one is not known, or was changed since.
 */
static bool
replace_own_rows(SalesOrder *order, Store *store, EngineTable table, ChangeRow change)
{
	bool		header = table == TAB_SALES_ORDER;
	int			n = header ? 1 : order->nlines;
	bool		all = true;

	for (int i = 0; i < n && all; i++)
		all = (header ? order->row : order->lines[i].row) != NULL;
	for (int i = 0; i < n && all; i++)
	{
		HeapTuple	row = header ? order->row : order->lines[i].row;

		heap_deform_tuple(row, RelationGetDescr(store->rel), store->values, store->nulls);
		if (change(order, store))
			all = store_try_update(store, &row->t_self, InvalidSnapshot) == TM_Ok;
	}
	for (int i = 0; i < n; i++)
		*(header ? &order->row : &order->lines[i].row) = NULL;
	return all;
}

/*
 * Visit the rows of the order in one of its tables and replace them.  Returns
 * false, having done nothing, if the table is not plain.
 */
static bool
replace_rows(SalesOrder *order, EngineTable table, ColumnMap *map, ChangeRow change)
{
	Relation	rel = table_open(engine_relid(table), RowExclusiveLock);
	Store	   *store;
	KeyScan		ks;
	Snapshot	snapshot;
	List	   *rows = NIL;
	ListCell   *cell;

	if (!store_is_plain(rel))
	{
		table_close(rel, NoLock);
		return false;
	}
	store = store_of(rel);
	columns_resolve(map, RelationGetDescr(store->rel));
	if (replace_own_rows(order, store, table, change))
	{
		store_close(store);
		return true;
	}
	snapshot = fresh_snapshot();
	keyscan_open(&ks, engine_relid(table), RowExclusiveLock, snapshot);
	keyscan_start(&ks, order->tenant_id, CStringGetTextDatum(order->order_id), 0);
	while (keyscan_next(&ks))
		rows = lappend(rows, ExecCopySlotHeapTuple(ks.slot));
	/* a scan that sees our own changes would meet the new rows again */
	foreach(cell, rows)
	{
		HeapTuple	row = lfirst(cell);

		heap_deform_tuple(row, RelationGetDescr(store->rel), store->values, store->nulls);
		if (change(order, store))
			store_update(store, &row->t_self, snapshot);
	}
	keyscan_close(&ks);
	UnregisterSnapshot(snapshot);
	store_close(store);
	return true;
}

static bool
change_line(SalesOrder *order, Store *store)
{
	const ColumnMap *m = &line_columns;
	OrderLine  *line = order_line(order, DatumGetInt32(store->values[m->attnos[L_LINE_NO] - 1]));

	if (line == NULL || !line->changed)
		return false;
	set_text(store, m, L_STATUS, line->new_status);
	set_date(store, m, L_PROMISED_ON, line->has_promised, line->promised);
	set_date(store, m, L_FIRST_PROMISED_ON, line->has_first_promised, line->first_promised);
	set_text(store, m, L_ALLOCATED_NODE, line->node);
	set(store, m, L_SPLIT, BoolGetDatum(line->split));
	set_text(store, m, L_REASON, line->reason);
	set(store, m, L_REPLAN, BoolGetDatum(false));
	store->nulls[m->attnos[L_CANCELLED] - 1] = true;
	if (line->cancelled > 0)
		set(store, m, L_CANCELLED, NumericGetDatum(scaled_to_numeric(line->cancelled)));
	return true;
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

static bool
change_order(SalesOrder *order, Store *store)
{
	const ColumnMap *m = &order_columns;

	set_text(store, m, O_STATUS, order->new_status);
	set(store, m, O_DECISION_ID, Int64GetDatum(order->new_decision_id));
	set(store, m, O_EVENT_VERSION, Int64GetDatum(order->event_version));
	set_text(store, m, O_REASON, order_reason(order));
	return true;
}

static void
update_order(SalesOrder *order)
{
	Datum		args[6];
	char		nulls[6] = {' ', ' ', ' ', ' ', ' ', ' '};
	bool		isnull;

	if (replace_rows(order, TAB_SALES_ORDER, &order_columns, change_order))
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = CStringGetTextDatum(order->new_status);
	args[3] = Int64GetDatum(order->new_decision_id);
	args[4] = Int64GetDatum(order->event_version);
	args[5] = text_or_null(order_reason(order), &isnull);
	nulls[5] = isnull ? 'n' : ' ';
	(void) engine_exec(&plan_order, args, nulls, ENGINE_FRESH);
}

static void
update_lines(SalesOrder *order)
{
	enum
	{
		LINE, STATUS, PROMISED, FIRST, NODE, SPLIT, REASON, CANCELLED, NCOLS
	};
	static const Oid types[NCOLS] = {
		INT4OID, TEXTOID, DATEOID, DATEOID, TEXTOID, BOOLOID, TEXTOID, NUMERICOID
	};
	Datum	   *cols[NCOLS];
	bool	   *nulls[NCOLS];
	Datum		args[10];
	int			n = 0;

	if (replace_rows(order, TAB_SALES_ORDER_LINE, &line_columns, change_line))
		return;
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
		cols[CANCELLED][n] = NumericGetDatum(scaled_to_numeric(line->cancelled));
		nulls[CANCELLED][n] = line->cancelled == 0;
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

static bool
has_zone(const SalesOrder *order)
{
	return order->lanes == NULL || order->lanes->zone != NULL;
}

/*
 * Resolve what the order's lines no longer wait for.  "zone": how the
 * exception of its zone is resolved; empty: it is not.
 */
static void
resolve_exceptions(const SalesOrder *order, const char *zone, EventBatch *events)
{
	EventCause	before = event_cause_is_last(events);
	Datum		args[3];

	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = CStringGetTextDatum(zone);
	exceptions_tell_resolved(events, order->tenant_id,
							 (int) engine_exec(&plan_resolve, args, NULL, ENGINE_FRESH), order->clock);
	events->cause = before;
}

/* Somebody must say where the destination belongs. */
static void
open_no_zone(const SalesOrder *order, EventBatch *events)
{
	ExceptionCase about = {.tenant_id = order->tenant_id, .type = "no_zone", .order_id = order->order_id};
	EventCause	before = event_cause_is_last(events);
	JsonWriter	w = {0};

	json_begin_object(&w);
	json_key_text(&w, "country", order->country);
	json_key_text(&w, "postal_code", order->postal_code);
	json_end_object(&w);
	exception_put(events, &about, json_result(&w), EXCEPTION_KEEP, order->clock);
	events->cause = before;
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
	bool		first = order->decision_id == 0;
	Datum		args[3];

	if (!order->exists)
	{
		order_release_rows(order);
		if (!order->was_cancelled)
			order_add_cancelled_event(order, "deleted", events);
		/* lines that were left behind without their header */
		args[0] = Int32GetDatum(order->tenant_id);
		args[1] = CStringGetTextDatum(order->order_id);
		args[2] = CStringGetTextDatum("deleted");
		(void) engine_exec(&plan_cancel_lines, args, NULL, ENGINE_FRESH);
		resolve_exceptions(order, "cancelled", events);
		order_wait_for_capacity(order);
		args[2] = Int64GetDatum(order->event_version);
		(void) engine_exec(&plan_remember, args, NULL, ENGINE_FRESH);
		return;
	}
	order->new_decision_id = next_decision_id();
	order_release_rows(order);
	order_insert_bookings(order);
	update_lines(order);
	order_add_events(order, events, first);

	insert_decision(order);
	update_order(order);
	order_wait_for_service(order);
	order_wait_for_capacity(order);
	CommandCounterIncrement();
	if (!has_zone(order) && strcmp(order->new_status, "cancelled") != 0)
		open_no_zone(order, events);
	if (!first)
		resolve_exceptions(order, strcmp(order->new_status, "cancelled") == 0 ? "cancelled" :
						   has_zone(order) ? "auto" : "", events);
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
	resolve_exceptions(order, "cancelled", events);
	order->status = pstrdup("cancelled");
	order_wait_for_capacity(order);
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
