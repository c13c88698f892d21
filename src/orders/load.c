/*
 * load.c
 *		Reading an order with its lines and bookings.
 */
#include "orders/order.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "base/store.h"
#include "ledger/channels.h"
#include "orders/resolve.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

static EnginePlan plan_lock = {
	"SELECT 1 FROM routing.sales_order WHERE tenant_id = $1 AND order_id = $2 FOR NO KEY UPDATE",
	2, {INT4OID, TEXTOID}, NULL
};

/* columns of sales_order */
enum
{
	O_CUSTOMER, O_CHANNEL, O_COUNTRY, O_POSTAL_CODE, O_REQUESTED_ON, O_DATE_BASIS, O_PRIORITY,
	O_COMPLETENESS, O_STATUS, O_POLICY, O_CORRELATION_ID, O_DECISION_ID, O_EVENT_VERSION, O_BINDING,
	O_REASON, O_REST, O_REST_DAYS, O_SHIP_NOT_BEFORE, O_CANCEL_AFTER, O_EARLY_OK, O_FREIGHT_TERMS,
	O_LATITUDE, O_LONGITUDE, O_TENANT_ID, O_ORDER_ID,
	O_NCOLS
};

static const char *const order_names[O_NCOLS] = {
	"customer", "channel", "country", "postal_code", "requested_on", "date_basis", "priority",
	"completeness", "status", "policy", "correlation_id", "decision_id", "event_version", "binding",
	"reason", "rest", "rest_days", "ship_not_before", "cancel_after", "early_ok", "freight_terms",
	"latitude", "longitude", "tenant_id", "order_id"
};

static ColumnMap order_columns = {TAB_SALES_ORDER, O_NCOLS, order_names, 0, {0}};

/* columns of sales_order_line */
enum
{
	L_LINE_NO, L_ITEM, L_QUANTITY, L_UOM, L_REQUESTED_ON, L_NODE, L_LOT, L_STATUS, L_REPLAN,
	L_PROMISED_ON, L_FIRST_PROMISED_ON, L_PRICE, L_SOURCE_KEY, L_MIN_LIFE_DAYS, L_LINE_GROUP,
	L_SPLITTABLE, L_CANCELLED_QUANTITY, L_SUBSTITUTES,
	L_NCOLS
};

static const char *const line_names[L_NCOLS] = {
	"line_no", "item", "quantity", "uom", "requested_on", "node", "lot", "status", "replan",
	"promised_on", "first_promised_on", "price", "source_key", "min_life_days", "line_group",
	"splittable", "cancelled_quantity", "substitutes"
};

static ColumnMap line_columns = {TAB_SALES_ORDER_LINE, L_NCOLS, line_names, 0, {0}};

static EnginePlan plan_bookings = {
	"SELECT line_no, part, item, node, quantity, needed_on, ship_on, deliver_on, service,"
	" shipment_no, basis = 'on_hand', state, \"to\" IS NULL, lot, min_expiry, channel, pool, order_by,"
	" expires_at, basis = 'dedicated', for_item, per_unit, component"
	" FROM routing.reservation WHERE tenant_id = $1 AND order_id = $2 ORDER BY line_no, part",
	2, {INT4OID, TEXTOID}, NULL
};

/*
 * A copy of the row that was read if this transaction wrote it: then nobody
 * else can have changed it when it is replaced, and it need not be looked for.
 */
static HeapTuple
own_row(TupleTableSlot *slot)
{
	bool		should_free;
	HeapTuple	row = ExecFetchSlotHeapTuple(slot, false, &should_free);

	Assert(!should_free);
	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data)) ?
		heap_copytuple(row) : NULL;
}

static void
read_line(SalesOrder *order, TupleTableSlot *slot)
{
	OrderLine  *line;
	bool		isnull;

	if (order->nlines == order->cap_lines)
	{
		order->cap_lines = order->cap_lines ? order->cap_lines * 2 : 8;
		order->lines = order->lines == NULL ? palloc(sizeof(OrderLine) * order->cap_lines) :
			repalloc(order->lines, sizeof(OrderLine) * order->cap_lines);
	}
	line = &order->lines[order->nlines++];
	memset(line, 0, sizeof(*line));
	slot_getallattrs(slot);
	line->row = own_row(slot);
	line->line_no = DatumGetInt32(slot_datum(slot, &line_columns, L_LINE_NO, &isnull));
	line->item = slot_text(slot, &line_columns, L_ITEM);
	line->quantity = slot_scaled(slot, &line_columns, L_QUANTITY);
	line->uom = slot_text(slot, &line_columns, L_UOM);
	line->has_requested = slot_date(slot, &line_columns, L_REQUESTED_ON, &line->requested);
	line->pinned = slot_text(slot, &line_columns, L_NODE);
	line->lot = slot_text(slot, &line_columns, L_LOT);
	line->status = slot_text(slot, &line_columns, L_STATUS);
	line->replan = DatumGetBool(slot_datum(slot, &line_columns, L_REPLAN, &isnull));
	line->has_promised = slot_date(slot, &line_columns, L_PROMISED_ON, &line->promised);
	line->was_promised = line->has_promised;
	line->promised_before = line->promised;
	line->has_first_promised = slot_date(slot, &line_columns, L_FIRST_PROMISED_ON, &line->first_promised);
	(void) slot_datum(slot, &line_columns, L_PRICE, &isnull);
	line->has_price = !isnull;
	line->price = slot_scaled(slot, &line_columns, L_PRICE);
	line->group = DatumGetInt32(slot_datum(slot, &line_columns, L_LINE_GROUP, &isnull));
	line->has_group = !isnull;
	line->unsplittable = !DatumGetBool(slot_datum(slot, &line_columns, L_SPLITTABLE, &isnull));
	line->cancelled = slot_scaled(slot, &line_columns, L_CANCELLED_QUANTITY);
	line->substitutes = slot_text(slot, &line_columns, L_SUBSTITUTES);
	line->source_key = slot_text(slot, &line_columns, L_SOURCE_KEY);
	line->min_life = DatumGetInt32(slot_datum(slot, &line_columns, L_MIN_LIFE_DAYS, &isnull));
	if (isnull)
		line->min_life = -1;
}

/* The lines, which the key brings in order of their numbers, and their items. */
static void
load_lines(SalesOrder *order, Snapshot snapshot)
{
	KeyScan		ks;

	keyscan_open(&ks, engine_relid(TAB_SALES_ORDER_LINE), AccessShareLock, snapshot);
	columns_resolve(&line_columns, RelationGetDescr(ks.rel));
	keyscan_start(&ks, order->tenant_id, CStringGetTextDatum(order->order_id), 0);
	while (keyscan_next(&ks))
		read_line(order, ks.slot);
	keyscan_close(&ks);
	order_resolve_items(order, snapshot);
}

static void
read_delivery(SalesOrder *order, TupleTableSlot *slot)
{
	bool		isnull;
	bool		no_longitude;

	order->rest = slot_text(slot, &order_columns, O_REST);
	order->rest_days = DatumGetInt32(slot_datum(slot, &order_columns, O_REST_DAYS, &isnull));
	order->has_not_before = slot_date(slot, &order_columns, O_SHIP_NOT_BEFORE, &order->not_before);
	order->has_cancel_after = slot_date(slot, &order_columns, O_CANCEL_AFTER, &order->cancel_after);
	order->early_ok = DatumGetBool(slot_datum(slot, &order_columns, O_EARLY_OK, &isnull));
	order->freight_terms = slot_text(slot, &order_columns, O_FREIGHT_TERMS);
	order->latitude = DatumGetFloat8(slot_datum(slot, &order_columns, O_LATITUDE, &isnull));
	order->longitude = DatumGetFloat8(slot_datum(slot, &order_columns, O_LONGITUDE, &no_longitude));
	order->has_place = !isnull && !no_longitude;
}

/*
 * The row that queued the settlement, which the server has fetched: mostly the
 * header of the order that is loaded first.
 */
static Relation queued_rel = NULL;
static HeapTuple queued_row = NULL;

/*
 * Tell of that row, or (NULL) that it may be another by now.  Good is what
 * this transaction inserted and has not changed since: no other version of it
 * can be seen by anybody.
 */
void
order_row_queued(Relation rel, HeapTuple row)
{
	queued_rel = rel;
	queued_row = row;
	if (row != NULL &&
		(RelationGetRelid(rel) != engine_relid(TAB_SALES_ORDER) ||
		 (row->t_data->t_infomask & HEAP_XMAX_INVALID) == 0 ||
		 !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data))))
		queued_row = NULL;
}

static bool
is_of_order(TupleTableSlot *slot, const SalesOrder *order)
{
	bool		isnull;
	text	   *code = DatumGetTextPP(slot_datum(slot, &order_columns, O_ORDER_ID, &isnull));

	return DatumGetInt32(slot_datum(slot, &order_columns, O_TENANT_ID, &isnull)) == order->tenant_id &&
		strlen(order->order_id) == VARSIZE_ANY_EXHDR(code) &&
		memcmp(VARDATA_ANY(code), order->order_id, VARSIZE_ANY_EXHDR(code)) == 0;
}

/* What the header says; its own priority, or 0. */
static int
read_header(SalesOrder *order, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		d;
	int			own_priority;
	char	   *basis;

	order->row = own_row(slot);
	order->customer = slot_text(slot, &order_columns, O_CUSTOMER);
	order->channel = slot_text(slot, &order_columns, O_CHANNEL);
	order->country = slot_text(slot, &order_columns, O_COUNTRY);
	order->postal_code = slot_text(slot, &order_columns, O_POSTAL_CODE);
	order->has_requested = slot_date(slot, &order_columns, O_REQUESTED_ON, &order->requested);
	basis = slot_text(slot, &order_columns, O_DATE_BASIS);
	order->by_ship_day = strcmp(basis, "ship") == 0;
	d = slot_datum(slot, &order_columns, O_PRIORITY, &isnull);
	own_priority = isnull ? 0 : DatumGetInt32(d);
	order->completeness = slot_text(slot, &order_columns, O_COMPLETENESS);
	order->status = slot_text(slot, &order_columns, O_STATUS);
	order->policy_code = slot_text(slot, &order_columns, O_POLICY);
	order->correlation_id = slot_text(slot, &order_columns, O_CORRELATION_ID);
	d = slot_datum(slot, &order_columns, O_DECISION_ID, &isnull);
	order->decision_id = isnull ? 0 : DatumGetInt64(d);
	order->event_version = DatumGetInt64(slot_datum(slot, &order_columns, O_EVENT_VERSION, &isnull));
	order->binding = slot_text(slot, &order_columns, O_BINDING);
	order->reason = slot_text(slot, &order_columns, O_REASON);
	read_delivery(order, slot);
	order->own_priority = own_priority;
	return own_priority;
}

/* The header, if it is the row that queued the settlement. */
static bool
load_queued_header(SalesOrder *order, int *own_priority)
{
	TupleTableSlot *slot;
	bool		found;

	if (queued_row == NULL)
		return false;
	columns_resolve(&order_columns, RelationGetDescr(queued_rel));
	slot = MakeSingleTupleTableSlot(RelationGetDescr(queued_rel), &TTSOpsHeapTuple);
	ExecStoreHeapTuple(queued_row, slot, false);
	slot_getallattrs(slot);
	found = is_of_order(slot, order);
	if (found)
	{
		*own_priority = read_header(order, slot);
		queued_row = NULL;
	}
	ExecDropSingleTupleTableSlot(slot);
	return found;
}

/* The header; false if there is no such order. */
static bool
load_header(SalesOrder *order, Snapshot snapshot)
{
	KeyScan		ks;
	int			own_priority = 0;

	if (!load_queued_header(order, &own_priority))
	{
		bool		found = keyscan_find(&ks, TAB_SALES_ORDER, &order_columns, order->tenant_id,
										 order->order_id, snapshot);

		if (found)
			own_priority = read_header(order, ks.slot);
		keyscan_close(&ks);
		if (!found)
			return false;
	}
	order_resolve_parties(order, own_priority, snapshot);
	return true;
}

static void
load_rows(SalesOrder *order, const char *order_id, bool held)
{
	Datum		args[2];
	bool		kits = false;
	int			n;

	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order_id);
	n = (int) engine_exec(&plan_bookings, args, NULL, ENGINE_FRESH);

	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		int			line_no = DatumGetInt32(spi_datum(i, 1, &isnull));
		int			part = DatumGetInt32(spi_datum(i, 2, &isnull));
		char	   *state = spi_text(i, 12);
		OrderLine  *line = order_line(order, line_no);
		char	   *channel;
		Booking    *b;

		if (held || part > LAST_ORDER_PART)
			;					/* numbered by itself */
		else if (line != NULL)
			line->last_part = Max(line->last_part, part);
		else
			order->last_part_gone = Max(order->last_part_gone, part);
		if (!DatumGetBool(spi_datum(i, 13, &isnull)) && (held || strcmp(state, "shipped") != 0))
			continue;			/* history */
		b = order_add_booking(order);
		b->held = held;
		b->line_no = line_no;
		b->part = part;
		b->item = spi_text(i, 3);
		b->node = spi_text(i, 4);
		b->quantity = scaled_from_datum(spi_datum(i, 5, &isnull));
		b->of = spi_text(i, 21);
		if (b->of != NULL)
		{
			b->per = scaled_from_datum(spi_datum(i, 22, &isnull));
			b->component = DatumGetInt32(spi_datum(i, 23, &isnull));
			kits |= b->component > 0;
		}
		b->stock.needed_on = DatumGetDateADT(spi_datum(i, 6, &isnull));
		b->ship_on = DatumGetDateADT(spi_datum(i, 7, &isnull));
		b->deliver_on = DatumGetDateADT(spi_datum(i, 8, &isnull));
		b->service = spi_text(i, 9);
		b->shipment_no = DatumGetInt32(spi_datum(i, 10, &isnull));
		b->state = booking_state(state);
		b->on_hand = DatumGetBool(spi_datum(i, 11, &isnull)) || booking_has_left(b);
		if (line != NULL && booking_has_left(b))
		{
			line->shipped = scaled_add(line->shipped, booking_serves(b));
			line->shipped_item = booking_for(b);
		}
		b->firm = b->state != BOOKING_UNCOVERED;
		b->stock.lot = spi_text(i, 14);
		b->stock.ship_on = b->ship_on;
		b->stock.min_expiry = DatumGetDateADT(spi_datum(i, 15, &isnull));
		if (isnull)
			b->stock.min_expiry = b->deliver_on;
		channel = spi_text(i, 16);
		if (channel != NULL)
		{
			const char **path;

			b->stock.npath = channel_path(order->tenant_id, channel, &path);
			b->stock.path = path;
		}
		b->stock.pool = spi_text(i, 17);
		b->order_by = DatumGetDateADT(spi_datum(i, 18, &isnull));
		b->stock.expires_at = DatumGetTimestampTz(spi_datum(i, 19, &isnull));
		if (isnull)
			b->stock.expires_at = 0;
		b->dedicated = DatumGetBool(spi_datum(i, 20, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	if (kits)
		kits_sum_shipped(order);
}

/*
 * Read the open and the shipped bookings, and how far the parts of each line are numbered.
 * Those of a hold that becomes the order come along.
 */
void
order_load_bookings(SalesOrder *order)
{
	for (int i = 0; i < order->nlines; i++)
		order->lines[i].shipped = 0;
	load_rows(order, order->order_id, false);
	if (order->from_hold != NULL)
		load_rows(order, order->from_hold, true);
}

/* A new, empty booking of the order; pointers to others may move. */
Booking *
order_add_booking(SalesOrder *order)
{
	Booking    *b;

	if (order->nbookings == order->cap_bookings)
	{
		order->cap_bookings = order->cap_bookings ? order->cap_bookings * 2 : 8;
		order->bookings = order->bookings == NULL ?
			palloc(sizeof(Booking) * order->cap_bookings) :
			repalloc(order->bookings, sizeof(Booking) * order->cap_bookings);
	}
	b = &order->bookings[order->nbookings++];
	memset(b, 0, sizeof(Booking));
	return b;
}

OrderLine *
order_line(SalesOrder *order, int line_no)
{
	for (int i = 0; i < order->nlines; i++)
	{
		if (order->lines[i].line_no == line_no)
			return &order->lines[i];
	}
	return NULL;
}

/* A new order with the id of a deleted one goes on where that one ended. */
static void
load_predecessor(SalesOrder *order)
{
	static const char *const names[1] = {"event_version"};
	static ColumnMap columns = {TAB_DELETED_ORDER, 1, names, 0, {0}};
	Snapshot	snapshot = fresh_snapshot();
	KeyScan		ks;

	if (keyscan_find(&ks, TAB_DELETED_ORDER, &columns, order->tenant_id, order->order_id, snapshot))
	{
		bool		isnull;

		order->event_version = DatumGetInt64(slot_datum(ks.slot, &columns, 0, &isnull));
		order->had_row = true;
	}
	keyscan_release(&ks);
	UnregisterSnapshot(snapshot);
}

/*
 * Read an order into the current memory context; SPI is connected.  Its row,
 * when locked, is the lock of all its bookings and of its event stream.  An order without a row
 * has exists = false but may still have bookings to give back.
 */
SalesOrder *
order_load(int32 tenant_id, const char *order_id, OrderLock lock)
{
	SalesOrder *order = palloc0(sizeof(SalesOrder));
	Datum		args[2];
	bool		locked = false;

	order->policy = &policy_none;
	order->tenant_id = tenant_id;
	order->order_id = pstrdup(order_id);
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(order_id);

	for (;;)
	{
		Snapshot	snapshot = fresh_snapshot();
		bool		ready;

		order->exists = load_header(order, snapshot);
		ready = !order->exists || locked || lock == ORDER_NO_LOCK ||
			(lock == ORDER_LOCK_ROUTED && order->decision_id == 0);
		if (ready && order->exists)
			load_lines(order, snapshot);
		UnregisterSnapshot(snapshot);
		if (ready)
			break;
		/* the lock in one statement, what it protects in the next */
		(void) engine_exec(&plan_lock, args, NULL, ENGINE_FRESH);
		locked = true;
	}
	if (order->exists && order->decision_id == 0)
		load_predecessor(order);
	if (!order->exists || order->decision_id != 0 || order->had_row)
		order_load_bookings(order);
	if (!order->exists || order->decision_id != 0 || order->had_row)
		order_load_claims(order);
	return order;
}
