/*
 * booking.c
 *		A booking and its position: asking, posting, dividing.
 */
#include "orders/order.h"

#include "base/quantity.h"

const char *const booking_state_names[NUM_BOOKING_STATES] = {
	"firm", "uncovered", "at_risk", "planned", "issued", "dedicated", "hold"
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
}

/*
 * What the order asks of a position for a line.  "transit": days from the day
 * of need to delivery.
 */
void
order_request(const SalesOrder *order, const OrderLine *line, DateADT today, int transit,
			  OfferRequest *req)
{
	offer_request_init(req, today, order->clock);
	req->rank = order->priority;
	req->claimed_at = line->claimed_at != 0 ? line->claimed_at : PG_INT64_MAX;
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
	order_request(order, order_line(unconstify(SalesOrder *, order), b->line_no),
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
