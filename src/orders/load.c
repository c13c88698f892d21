/*
 * load.c
 *		Reading an order with its lines and bookings.
 */
#include "orders/order.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

static EnginePlan plan_lock = {
	"SELECT 1 FROM routing.sales_order WHERE tenant_id = $1 AND order_id = $2 FOR NO KEY UPDATE",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_order = {
	"SELECT o.customer, c.customer IS NOT NULL, o.channel, ch.channel IS NOT NULL,"
	" o.country, o.postal_code, o.requested_on, o.date_basis = 'ship',"
	" COALESCE(o.priority, c.priority, 5), o.completeness, o.status, o.policy,"
	" o.correlation_id, o.decision_id, o.event_version, o.binding"
	" FROM routing.sales_order o"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" LEFT JOIN routing.channel ch ON ch.tenant_id = o.tenant_id AND ch.channel = o.channel"
	" WHERE o.tenant_id = $1 AND o.order_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_lines = {
	"SELECT l.line_no, l.item, l.quantity, l.uom, l.requested_on, l.node, l.lot, l.status,"
	" l.replan, i.item IS NOT NULL, i.uom, i.weight_kg, l.promised_on, l.first_promised_on, l.price, l.source_key"
	" FROM routing.sales_order_line l"
	" LEFT JOIN routing.item i ON i.tenant_id = l.tenant_id AND i.item = l.item"
	" WHERE l.tenant_id = $1 AND l.order_id = $2 ORDER BY l.line_no",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_bookings = {
	"SELECT line_no, part, item, node, quantity, needed_on, ship_on, deliver_on, service,"
	" shipment_no, basis = 'on_hand', state"
	" FROM routing.reservation WHERE tenant_id = $1 AND order_id = $2 ORDER BY line_no, part",
	2, {INT4OID, TEXTOID}, NULL
};

static void
load_lines(SalesOrder *order, Datum *args)
{
	int			n = (int) engine_exec(&plan_lines, args, NULL, ENGINE_FRESH);

	order->nlines = n;
	order->lines = palloc0(sizeof(OrderLine) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		OrderLine  *line = &order->lines[i];
		Datum		d;
		bool		isnull;

		line->line_no = DatumGetInt32(spi_datum(i, 1, &isnull));
		line->item = spi_text(i, 2);
		line->quantity = scaled_from_datum(spi_datum(i, 3, &isnull));
		line->uom = spi_text(i, 4);
		d = spi_datum(i, 5, &isnull);
		line->has_requested = !isnull;
		line->requested = isnull ? 0 : DatumGetDateADT(d);
		line->pinned = spi_text(i, 6);
		line->lot = spi_text(i, 7);
		line->status = spi_text(i, 8);
		line->replan = DatumGetBool(spi_datum(i, 9, &isnull));
		line->item_known = DatumGetBool(spi_datum(i, 10, &isnull));
		line->item_uom = spi_text(i, 11);
		d = spi_datum(i, 12, &isnull);
		line->unit_weight = isnull ? 0 : scaled_from_datum(d);
		d = spi_datum(i, 13, &isnull);
		line->has_promised = !isnull;
		line->promised = isnull ? 0 : DatumGetDateADT(d);
		d = spi_datum(i, 14, &isnull);
		line->has_first_promised = !isnull;
		line->first_promised = isnull ? 0 : DatumGetDateADT(d);
		d = spi_datum(i, 15, &isnull);
		line->price = isnull ? 0 : scaled_from_datum(d);
		line->source_key = spi_text(i, 16);
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
load_bookings(SalesOrder *order, Datum *args)
{
	int			n = (int) engine_exec(&plan_bookings, args, NULL, ENGINE_FRESH);

	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		int			line_no = DatumGetInt32(spi_datum(i, 1, &isnull));
		int			part = DatumGetInt32(spi_datum(i, 2, &isnull));
		char	   *state = spi_text(i, 12);
		OrderLine  *line = order_line(order, line_no);
		Booking    *b;

		if (line != NULL)
			line->last_part = Max(line->last_part, part);
		if (strcmp(state, "cancelled") == 0)
			continue;
		b = order_add_booking(order);
		b->line_no = line_no;
		b->part = part;
		b->item = spi_text(i, 3);
		b->node = spi_text(i, 4);
		b->quantity = scaled_from_datum(spi_datum(i, 5, &isnull));
		b->needed_on = DatumGetDateADT(spi_datum(i, 6, &isnull));
		b->ship_on = DatumGetDateADT(spi_datum(i, 7, &isnull));
		b->deliver_on = DatumGetDateADT(spi_datum(i, 8, &isnull));
		b->service = spi_text(i, 9);
		b->shipment_no = DatumGetInt32(spi_datum(i, 10, &isnull));
		b->on_hand = DatumGetBool(spi_datum(i, 11, &isnull));
		b->firm = strcmp(state, "firm") == 0;
	}
	SPI_freetuptable(SPI_tuptable);
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

	order->tenant_id = tenant_id;
	order->order_id = pstrdup(order_id);
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(order_id);

	for (;;)
	{
		Datum		d;
		bool		isnull;

		order->exists = engine_exec(&plan_order, args, NULL, ENGINE_FRESH) > 0;
		if (!order->exists)
			break;
		d = spi_datum(0, 14, &isnull);
		order->decision_id = isnull ? 0 : DatumGetInt64(d);
		if (!locked && (lock == ORDER_LOCK ||
						(lock == ORDER_LOCK_ROUTED && order->decision_id != 0)))
		{
			/* the lock in one statement, what it protects in the next */
			SPI_freetuptable(SPI_tuptable);
			(void) engine_exec(&plan_lock, args, NULL, ENGINE_FRESH);
			locked = true;
			continue;
		}
		order->customer = spi_text(0, 1);
		order->customer_known = DatumGetBool(spi_datum(0, 2, &isnull));
		order->channel = spi_text(0, 3);
		order->channel_known = DatumGetBool(spi_datum(0, 4, &isnull));
		order->country = spi_text(0, 5);
		order->postal_code = spi_text(0, 6);
		d = spi_datum(0, 7, &isnull);
		order->has_requested = !isnull;
		order->requested = isnull ? 0 : DatumGetDateADT(d);
		order->by_ship_day = DatumGetBool(spi_datum(0, 8, &isnull));
		order->priority = DatumGetInt32(spi_datum(0, 9, &isnull));
		order->completeness = spi_text(0, 10);
		order->status = spi_text(0, 11);
		order->policy_code = spi_text(0, 12);
		order->correlation_id = spi_text(0, 13);
		order->event_version = DatumGetInt64(spi_datum(0, 15, &isnull));
		order->binding = spi_text(0, 16);
		SPI_freetuptable(SPI_tuptable);
		load_lines(order, args);
		break;
	}
	if (!order->exists || order->decision_id != 0)
		load_bookings(order, args);
	return order;
}
