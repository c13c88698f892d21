/*
 * notify_change.c
 *		The events of promises that change without anybody asking for it.
 *
 * Payload rules as in notify.c.
 */
#include "orders/complete.h"

#include "base/json.h"

/* Whether a promise was kept in full, only from somewhere else. */
bool
order_is_moved(const SalesOrder *order)
{
	bool		any = false;

	if (order->cause == NULL ||
		(strcmp(order->status, "allocated") != 0 && strcmp(order->status, "scheduled") != 0) ||
		(strcmp(order->new_status, "allocated") != 0 && strcmp(order->new_status, "scheduled") != 0))
		return false;
	for (int j = 0; j < order->nbookings && !any; j++)
		any = order->bookings[j].is_new;
	return any;
}

static void
write_moved(JsonWriter *w, const char *key, SalesOrder *order, bool added)
{
	json_key(w, key);
	json_begin_array(w);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (added ? b->is_new : b->release)
			booking_write_planned(w, order, b);
	}
	json_end_array(w);
}

void
order_add_moved_event(SalesOrder *order, EventBatch *events)
{
	JsonWriter	w;

	order_begin_event(&w, order, order->new_status);
	write_moved(&w, "removed", order, false);
	write_moved(&w, "added", order, true);
	json_key_text(&w, "trigger", order->cause);
	order_write_totals(&w, order, false);
	order_write_decision(&w, order);
	order_add_event(order, "order.reallocated.v1", &w, events);
}

/* What is to be bought because it was promised beyond the horizon. */
static void
add_replenishment(SalesOrder *order, const Booking *b, EventBatch *events)
{
	JsonWriter	w;

	order_begin_event(&w, order, order->new_status);
	booking_write_allocation(&w, order, b);
	json_key_date(&w, "order_by", b->order_by);
	json_key_date(&w, "needed_on", b->stock.needed_on);
	json_key_text(&w, "decision_id", psprintf(INT64_FORMAT, order->new_decision_id));
	order_add_event(order, "replenishment.requested.v1", &w, events);
}

/* After the event of the routing itself: days that moved, and what is to be bought. */
void
order_add_change_events(SalesOrder *order, EventBatch *events)
{
	for (int i = 0; order->cause != NULL && i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];
		JsonWriter	w;

		if (!line->was_promised || !line->has_promised || line->promised == line->promised_before)
			continue;
		order_begin_event(&w, order, order->new_status);
		json_key_text(&w, "promise_id", psprintf("%s/%d", order->order_id, line->line_no));
		json_key_int(&w, "line_no", line->line_no);
		json_key_text(&w, "item", line->item);
		json_key_date(&w, "old", line->promised_before);
		json_key_date(&w, "new", line->promised);
		json_key_text(&w, "direction", line->promised > line->promised_before ? "later" : "earlier");
		json_key_text(&w, "cause", order->cause);
		json_key_text(&w, "decision_id", psprintf(INT64_FORMAT, order->new_decision_id));
		order_add_event(order, "promise.changed.v1", &w, events);
	}
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (b->is_new && b->state == BOOKING_PLANNED)
			add_replenishment(order, b, events);
	}
	rest_add_event(order, events);
}
