/*
 * preview.c
 *		An order looked at without booking anything: what is open of it, what
 *		promise() shows, and an order as if it were not booked.
 *
 * Takes no locks and changes figures of the ledger in memory only.
 */
#include "orders/complete.h"
#include "orders/release.h"

/* Keep the bookings as they are and see what is open: for victims. */
void
order_keep_bookings(SalesOrder *order)
{
	dedicated_choose(order);
	order_compute_open(order);
}

/* As if nothing of the order were booked that has not left: for questions, not for booking. */
void
order_reopen(SalesOrder *order, Ledger *ledger)
{
	for (int i = 0; i < order->nlines; i++)
		order->lines[i].replan = true;
	release_choose(order);
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		b->pos = ledger_get(ledger, order->tenant_id, b->item, b->node);
		if (booking_gives_back(b) && b->pos->exists)
			booking_post(b, -b->quantity);
	}
	order_compute_open(order);
}

/* Route without locking or booking for good: what promise() shows. */
void
orders_preview(SalesOrder **orders, int n, Ledger *ledger)
{
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];
		int			kept;
		int			planned;

		order_compute_open(order);
		dedicated_take(order, ledger);
		kept = order->nbookings;
		order_plan(order, ledger, false);
		order_plan_bookings(order, ledger);
		planned = order->nbookings;
		for (int j = kept; j < planned; j++)
		{
			Booking    *b = &order->bookings[j];
			const AtpStep *steps;
			OfferRequest req;
			int			nsteps;
			int64		now_available;

			if (!b->is_new)
				continue;
			booking_request(order, b, &req);
			if (order->mixed)
			{
				nsteps = position_offer(b->pos, &req, &steps);
				now_available = steps_at(steps, nsteps, Max(b->stock.needed_on, req.today));
				if (now_available < b->quantity && !order_cut_booking(order, j, now_available))
				{
					planned--;
					j--;
					continue;
				}
			}
			req.within_horizon = true;
			nsteps = position_offer(b->pos, &req, &steps);
			now_available = booking_available_now(b, &req, steps, nsteps);
			b->on_hand = now_available >= b->quantity;
			if (now_available > 0 && now_available < b->quantity)
			{
				/* two bookings, as book() makes them */
				Booking    *rest = booking_divide(order, j, now_available);
				int			index = rest - order->bookings;

				rest->on_hand = false;
				order->bookings[j].on_hand = true;
				booking_post_new(order, index);
			}
			booking_post_new(order, j);
		}
		/* by pools is how they are booked, not how they are shown */
		bookings_join(order, kept);
		rest_apply(order);
		order_derive_status(order);
	}
}
