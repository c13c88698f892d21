/*
 * notify.c
 *		The events of orders and stock: which, and their payloads.
 *
 * Payload rules: quantities and amounts are decimal strings, absent fields
 * are left out, arrays are of one shape.  The order's stream is versioned in
 * sales_order.event_version, a stock stream in position.event_version.
 */
#include "orders/order.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/tenant.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"

static EnginePlan plan_last_version = {
	"SELECT max(aggregateversion) FROM routing.event"
	" WHERE tenant_id = $1 AND aggregatetype = 'order' AND aggregateid = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static const char *
correlation(const SalesOrder *order)
{
	return order->correlation_id ? order->correlation_id : order->order_id;
}

void
order_add_event(SalesOrder *order, const char *type, JsonWriter *w, EventBatch *events)
{
	json_end_object(w);
	event_add(events, order->tenant_id, "order", order->order_id, ++order->event_version,
			  type, order->clock, correlation(order), json_result(w));
}

void
order_begin_event(JsonWriter *w, const SalesOrder *order, const char *status)
{
	memset(w, 0, sizeof(*w));
	json_begin_object(w);
	json_key_text(w, "order_id", order->order_id);
	json_key_text(w, "order_status", status);
}

/* Why something is so: a code, and if there is one a text for people. */
void
event_write_reason(JsonWriter *w, const char *code, const char *text)
{
	json_key(w, "reason");
	json_begin_object(w);
	json_key_text(w, "code", code);
	json_key_text(w, "text", text);
	json_end_object(w);
}

/* Where it goes, no finer than a zone and three characters of postal code. */
static void
write_destination(JsonWriter *w, const SalesOrder *order)
{
	json_key(w, "destination");
	json_begin_object(w);
	json_key_text(w, "country", order->country);
	if (order->postal_code && order->postal_code[0])
	{
		json_key(w, "postal_prefix");
		json_string(w, order->postal_code, pg_mbcliplen(order->postal_code, (int) strlen(order->postal_code), 3));
	}
	if (order->lanes)
		json_key_text(w, "region", order->lanes->zone);
	json_end_object(w);
}

static void
add_received(SalesOrder *order, EventBatch *events)
{
	JsonWriter	w;

	order_begin_event(&w, order, "received");
	json_key_text(&w, "customer", order->customer);
	json_key_text(&w, "channel", order->channel);
	json_key_int(&w, "priority", order->priority);
	if (order->has_requested)
		json_key_date(&w, order->by_ship_day ? "requested_ship_by" : "requested_deliver_by",
					  order->requested);
	write_destination(&w, order);
	json_key(&w, "lines");
	json_begin_array(&w);
	for (int i = 0; i < order->nlines; i++)
	{
		json_begin_object(&w);
		json_key_int(&w, "line_no", order->lines[i].line_no);
		json_key_text(&w, "item", order->lines[i].item);
		json_key_scaled(&w, "quantity", order->lines[i].quantity);
		json_key_text(&w, "uom", order->lines[i].item_uom);
		json_end_object(&w);
	}
	json_end_array(&w);
	order_add_event(order, "order.received.v1", &w, events);
}

/* What events say of a booking: its id, and how much of what is where. */
void
booking_write_allocation(JsonWriter *w, SalesOrder *order, const Booking *b)
{
	json_key(w, "allocation_id");
	json_part_text(w, b->line_no, b->part);
	json_key_int(w, "line_no", b->line_no);
	booking_write_item(w, b);
	json_key_text(w, "node", b->node);
	json_key_scaled(w, "quantity", b->quantity);
	json_key_text(w, "uom", booking_uom(order, b));
}

/* And of what it is to be served, and when. */
void
booking_write_planned(JsonWriter *w, SalesOrder *order, const Booking *b)
{
	json_begin_object(w);
	booking_write_allocation(w, order, b);
	json_key_text(w, "supply_type", b->on_hand ? "on_hand" : "inbound");
	json_key_date(w, "ship_by", b->ship_on);
	json_key_date(w, "deliver_by", b->deliver_on);
	json_key_text(w, "service_level", b->service);
	json_end_object(w);
}

static void
write_allocations(JsonWriter *w, SalesOrder *order)
{
	json_key(w, "allocations");
	json_begin_array(w);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (!b->release && b->firm && !booking_has_left(b))
			booking_write_planned(w, order, b);
	}
	json_end_array(w);
}

/* Lines with a quantity that has no promise or a late one. */
static void
write_open_lines(JsonWriter *w, const char *key, const SalesOrder *order)
{
	json_key(w, key);
	json_begin_array(w);
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];

		if (line->reason == NULL)
			continue;
		json_begin_object(w);
		json_key_int(w, "line_no", line->line_no);
		json_key_text(w, "item", line->item);
		json_key_scaled(w, "quantity", line->quantity);
		json_key_scaled(w, "unserved", line_missing(line));
		json_key_text(w, "uom", line->item_uom);
		event_write_reason(w, line->unserved > 0 ? "no_supply" : "late_supply", line->reason);
		json_end_object(w);
	}
	json_end_array(w);
}

void
order_write_decision(JsonWriter *w, const SalesOrder *order)
{
	json_key(w, "decision");
	json_begin_object(w);
	json_key(w, "decision_id");
	json_int_text(w, order->new_decision_id);
	json_key_text(w, "policy_id", order->policy->code);
	json_key_int(w, "policy_version", order->policy->version);
	json_end_object(w);
	json_key_int(w, "split_count", order->nshipments);
	json_key(w, "total_cost");
	json_begin_object(w);
	json_key_scaled(w, "amount", order->cost);
	json_key_text(w, "currency", tenant_currency(order->tenant_id));
	json_end_object(w);
}

/* What of a line is where, in the item's unit; what is allocated has not left. */
void
line_write_totals(JsonWriter *w, const OrderLine *line)
{
	json_begin_object(w);
	json_key_int(w, "line_no", line->line_no);
	json_key_scaled(w, "ordered", line->quantity);
	json_key_scaled(w, "allocated", Max(line->quantity - line->shipped - line->cancelled - line->unserved, 0));
	json_key_scaled(w, "shipped", line->shipped);
	json_key_scaled(w, "cancelled", line->cancelled);
	json_key_scaled(w, "backordered", line->unserved);
	json_end_object(w);
}

/* Of the lines that this decision changed; and what was before it, unless it is the first. */
void
order_write_totals(JsonWriter *w, const SalesOrder *order, bool first)
{
	json_key(w, "totals");
	json_begin_array(w);
	for (int i = 0; i < order->nlines; i++)
	{
		if (order->lines[i].changed)
			line_write_totals(w, &order->lines[i]);
	}
	json_end_array(w);
	if (!first)
		json_key_text(w, "previous_status", order->status);
}

/* Bookings that are given back. */
static void
write_released(JsonWriter *w, const char *key, SalesOrder *order)
{
	json_key(w, key);
	json_begin_array(w);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (!b->release)
			continue;
		json_begin_object(w);
		booking_write_allocation(w, order, b);
		json_end_object(w);
	}
	json_end_array(w);
}

/* What a new plan gives back, where the event that follows tells only of what is booked now. */
static void
add_released(SalesOrder *order, EventBatch *events)
{
	JsonWriter	w;
	bool		any = false;

	for (int j = 0; j < order->nbookings && !any; j++)
		any = order->bookings[j].release && !order->bookings[j].held;
	if (!any)
		return;
	order_begin_event(&w, order, order->new_status);
	write_released(&w, "allocations", order);
	event_write_reason(&w, order->cause ? order->cause : "replanned", NULL);
	json_key_text(&w, "decision_id", psprintf(INT64_FORMAT, order->new_decision_id));
	order_add_event(order, "order.allocation_released.v1", &w, events);
}

/* Whether something has no supply at all, not only a late one. */
static bool
order_waits(const SalesOrder *order)
{
	for (int i = 0; i < order->nlines; i++)
	{
		if (line_missing(&order->lines[i]) > 0)
			return true;
	}
	return false;
}

/* The events of a routing; "first": the order was not known before. */
void
order_add_events(SalesOrder *order, EventBatch *events, bool first)
{
	JsonWriter	w;
	bool		backordered = strcmp(order->new_status, "backordered") == 0;
	bool		partially = strncmp(order->new_status, "partially", 9) == 0;

	if (first)
		add_received(order, events);
	if (strcmp(order->new_status, "cancelled") == 0 || order->nlines == 0)
	{
		order_add_cancelled_event(order, order->nlines == 0 ? "all_lines_deleted" :
								  order->rest_cause != NULL ? order->rest_cause : "all_lines_cancelled", events);
		return;
	}
	if (order_is_moved(order))
	{
		order_add_moved_event(order, events);
		order_add_change_events(order, events);
		return;
	}
	if (!first)
		add_released(order, events);
	order_begin_event(&w, order, order->new_status);
	if (backordered)
	{
		write_open_lines(&w, "lines", order);
		event_write_reason(&w, order_waits(order) ? "no_supply" : "late_supply", NULL);
	}
	else
		write_allocations(&w, order);
	if (partially)
		write_open_lines(&w, "unallocated", order);
	order_write_totals(&w, order, first);
	json_key_text(&w, "trigger", order->cause);
	order_write_decision(&w, order);
	order_add_event(order, backordered ? "order.backordered.v1" :
		partially ? "order.partially_allocated.v1" : "order.allocated.v1", &w, events);
	order_add_change_events(order, events);
}

/*
 * An event of a hold, whose row is locked: quoted with what is held, then
 * confirmed with the order it becomes, or (order NULL) cancelled.
 */
void
promise_add_event(int32 tenant_id, const char *hold_id, int64 version, const char *type,
				  SalesOrder *order, EventBatch *events)
{
	JsonWriter	w = {0};
	TimestampTz clock = order ? order->clock : clock_now();

	json_begin_object(&w);
	json_key_text(&w, "promise_id", hold_id);
	if (order == NULL)
		event_write_reason(&w, "cancelled", NULL);
	else if (order->from_hold != NULL)
		json_key_text(&w, "order_id", order->order_id);
	else
	{
		json_key(&w, "lines");
		json_begin_array(&w);
		for (int j = 0; j < order->nbookings; j++)
		{
			const Booking *b = &order->bookings[j];

			json_begin_object(&w);
			json_key_int(&w, "line_no", b->line_no);
			booking_write_item(&w, b);
			json_key_text(&w, "node", b->node);
			json_key_scaled(&w, "quantity", b->quantity);
			json_key_text(&w, "uom", booking_uom(order, b));
			json_key_text(&w, "basis", b->on_hand ? "on_hand" : "inbound");
			json_key_date(&w, "ship_by", b->ship_on);
			json_key_date(&w, "deliver_by", b->deliver_on);
			json_end_object(&w);
		}
		json_end_array(&w);
		json_key_text(&w, "valid_until", time_text(order->expires_at));
	}
	json_end_object(&w);
	event_add(events, tenant_id, "promise", hold_id, version, type, clock,
			  order ? order->correlation_id : NULL, json_result(&w));
}

/*
 * An order that is cancelled, or whose row is gone; "code" is why, unless
 * somebody said why.
 */
void
order_add_cancelled_event(SalesOrder *order, const char *code, EventBatch *events)
{
	JsonWriter	w;

	if (!order->exists && order->event_version == 0)
	{
		Datum		args[2];
		Datum		d;
		bool		isnull;

		args[0] = Int32GetDatum(order->tenant_id);
		args[1] = CStringGetTextDatum(tenant_is_only() ? order->order_id :
									  psprintf("%s/%s", tenant_code(order->tenant_id), order->order_id));
		(void) engine_exec(&plan_last_version, args, NULL, ENGINE_FRESH);
		d = spi_datum(0, 1, &isnull);
		order->event_version = isnull ? 0 : DatumGetInt64(d);
	}
	order_begin_event(&w, order, "cancelled");
	if (order->cancel_reason != NULL && order->cancel_code == NULL)
		event_write_reason(&w, "requested", order->cancel_reason);
	else
		event_write_reason(&w, order->cancel_code ? order->cancel_code : code, NULL);
	json_key_text(&w, "scope", "full");
	write_released(&w, "released_allocations", order);
	if (order->exists)
	{
		if (strcmp(order->status, "cancelled") != 0)
			json_key_text(&w, "previous_status", order->status);
		if (order->decision_id != 0)
			json_key_text(&w, "decision_id", psprintf(INT64_FORMAT, order->decision_id));
	}
	order_add_event(order, "order.cancelled.v1", &w, events);
}
