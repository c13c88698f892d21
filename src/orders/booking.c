/*
 * booking.c
 *		A booking and its position: asking, posting, dividing.
 */
#include "orders/order.h"

#include "ledger/allotment.h"

const char *const booking_state_names[NUM_BOOKING_STATES] = {
	"firm", "uncovered", "at_risk", "planned", "issued", "dedicated", "hold", "shipped"
};

BookingState
booking_state(const char *name)
{
	for (int i = 0; i < NUM_BOOKING_STATES; i++)
	{
		if (strcmp(name, booking_state_names[i]) == 0)
			return (BookingState) i;
	}
	return BOOKING_UNCOVERED;
}

/* Post a quantity to the booking's position; negative: give it back. */
void
booking_post(Booking *b, int64 quantity)
{
	if (booking_counts(b))
		position_book(b->pos, &b->stock, quantity);
	else if (b->state == BOOKING_PLANNED)
		position_book_planned(b->pos, &b->stock, quantity);
}

/*
 * The place of a line in the queues: that of the first line of its order that
 * waits for the item.  The lines share what is offered to them, and none of
 * them stands in the way of another.
 */
static TimestampTz
queue_place(const SalesOrder *order, const char *item)
{
	TimestampTz place = PG_INT64_MAX;

	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *o = &order->lines[i];

		if (o->claimed_at != 0 && strcmp(o->claim_item, item) == 0)
			place = Min(place, o->claimed_at);
	}
	return place;
}

/*
 * What the order asks of a position of an item, for a line.  "transit": days from the day
 * of need to delivery.
 */
void
order_request(const SalesOrder *order, const OrderLine *line, const char *item, DateADT today,
			  int transit, OfferRequest *req)
{
	offer_request_init(req, today, order->clock);
	req->rank = order->priority;
	req->claimed_at = queue_place(order, item);
	if (line->in_front)
		req->rank = PG_INT32_MIN;
	req->npath = order->npath;
	req->path = order->path;
	req->life = transit + line->min_life;
	req->lot = line->lot;
	/* beyond the horizon nothing is scarce, so nothing is held */
	req->within_horizon = order->expires_at != 0;
}

/* The same for a booking that is there. */
void
booking_request(const SalesOrder *order, const Booking *b, OfferRequest *req)
{
	const NetNode *nodes;
	int			node = network_find_node(order->net, b->node);

	(void) network_nodes(order->net, &nodes);
	order_request(order, order_line(unconstify(SalesOrder *, order), b->line_no), b->item,
				  node_date(&nodes[node], order->clock), b->deliver_on - b->stock.needed_on, req);
}

/*
 * How much of a booking could be had today, of what it was offered.  Lots that
 * serve it today are those that last until it needs them to, not those that
 * would do for a delivery from today.
 */
int64
booking_available_now(const Booking *b, const OfferRequest *req, const AtpStep *steps, int n)
{
	OfferRequest now = *req;

	if (b->pos->lots.n > 0)
	{
		now.life = b->stock.min_expiry - req->today;
		n = position_offer(b->pos, &now, &steps);
	}
	return steps_at(steps, n, req->today);
}

/*
 * Divide the order's booking "index": it keeps "quantity", the rest becomes a
 * new one at the end.  Returns the rest; pointers to others may have moved.
 */
Booking *
booking_divide(SalesOrder *order, int index, int64 quantity)
{
	Booking    *rest = order_add_booking(order);
	Booking    *b = &order->bookings[index];

	*rest = *b;
	rest->quantity = b->quantity - quantity;
	b->quantity = quantity;
	return rest;
}

/*
 * Post the order's new booking "index".  Where channels have allotments it is
 * divided by the pools it takes from; the further parts stand at the end.
 */
void
booking_post_new(SalesOrder *order, int index)
{
	Booking    *b = &order->bookings[index];
	Position   *pos = b->pos;
	int			n = 1;
	AllotmentPart *parts;
	OfferRequest req;

	if (pos->quotas.n == 0 || b->stock.npath == 0)
	{
		booking_post(b, b->quantity);
		return;
	}
	booking_request(order, b, &req);
	/* what is to be ordered need not be there */
	req.within_horizon = b->state != BOOKING_PLANNED;
	parts = palloc(sizeof(AllotmentPart) * (b->stock.npath + 1));
	n = allotment_pools(pos, &req, Max(b->stock.needed_on, req.today), b->quantity, parts);
	for (int i = 0; i < n; i++)
	{
		if (i < n - 1)
		{
			Booking    *rest = booking_divide(order, index, parts[i].quantity);

			b = &order->bookings[index];
			rest->atp_before -= parts[i].quantity;
		}
		b->stock.pool = parts[i].pool;
		booking_post(b, b->quantity);
		index = order->nbookings - 1;
		b = &order->bookings[index];
	}
	pfree(parts);
}

/* Join the new bookings from index "from" on that only their pools divide. */
void
bookings_join(SalesOrder *order, int from)
{
	int			kept = from;

	for (int j = from; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];
		int			same = from;

		b->stock.pool = NULL;
		while (same < kept && (order->bookings[same].line_no != b->line_no || strcmp(order->bookings[same].item, b->item) != 0 ||
							   order->bookings[same].shipment_no != b->shipment_no ||
							   order->bookings[same].on_hand != b->on_hand ||
							   order->bookings[same].state != b->state))
			same++;
		if (same < kept)
			order->bookings[same].quantity += b->quantity;
		else
			order->bookings[kept++] = *b;
	}
	order->nbookings = kept;
}
