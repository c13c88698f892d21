/*
 * release.c
 *		Giving bookings back: which, when, and looking again after a wait.
 *
 * Bookings are given back under the lock of their position.  A judgement takes
 * bookings under that lock alone, without the lock of the order; so what was
 * read before the wait is compared with what is there after it.
 */
#include "orders/release.h"

#include "base/quantity.h"
#include "orders/complete.h"


/*
 * The bookings of the hold that becomes this order are given back, and made
 * anew as the order's own: of the same quantity for the same day, so that
 * what was held for the order is neither counted twice nor open in between.
 */
static void
take_over_hold(SalesOrder *order)
{
	int			n = order->nbookings;

	for (int j = 0; j < n; j++)
	{
		Booking    *b = &order->bookings[j];
		OrderLine  *line = order_line(order, b->line_no);
		Booking    *own;
		int64		per = b->of != NULL ? b->per : SCALE;
		int64		quantity;

		if (!b->held || b->release)
			continue;
		b->release = true;
		if (line == NULL || strcmp(line->item, booking_for(b)) != 0)
			continue;
		/* a unit may have another factor now */
		quantity = line->quantity;
		for (int k = 0; k < order->nbookings; k++)
		{
			const Booking *o = &order->bookings[k];

			if (o->line_no != line->line_no || o->release || o->held)
				continue;
			if (o->component == b->component)
				quantity -= o->component > 0 ? (int64) ((int128) o->quantity * SCALE / o->per) : booking_serves(o);
		}
		quantity = (int64) Min((int128) Max(quantity, 0) * per / SCALE, b->quantity);
		if (quantity <= 0)
			continue;
		own = order_add_booking(order);
		*own = order->bookings[j];
		own->quantity = quantity;
		own->state = BOOKING_FIRM;
		own->stock.expires_at = 0;
		own->held = false;
		own->release = false;
		own->is_new = true;
		own->pos = NULL;
	}
}

/* What is left of a booking that serves so much less of its line. */
static int64
keeps(const Booking *b, int64 excess)
{
	return b->of == NULL ? b->quantity - excess :
		(int64) ((int128) (booking_serves(b) - excess) * b->per / SCALE);
}

/*
 * Decide which bookings are given back: those of lines that are gone or
 * cancelled or to be planned anew, those that lost their supply, dedicated supply
 * included, and of a line that got smaller the latest and, among these, the
 * last made.
 */
void
release_choose(SalesOrder *order)
{
	bool		gone = !order->exists || order_is_cancelled(order);
	bool		kits = false;

	if (order->from_hold != NULL)
		take_over_hold(order);
	complete_mark(order);
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];
		OrderLine  *line = order_line(order, b->line_no);

		kits |= b->component > 0;
		if (booking_has_left(b) || b->component > 0)
			continue;			/* nobody gets that back; or see below */
		if (gone || line == NULL || line->replan || !b->firm ||
			strcmp(line->status, "cancelled") == 0 || strcmp(line->item, booking_for(b)) != 0)
			b->release = true;
	}
	if (kits)
		kits_choose_release(order);
	dedicated_choose(order);
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		int64		excess = -line->quantity;

		for (int j = 0; j < order->nbookings; j++)
		{
			if (order->bookings[j].line_no == line->line_no && !order->bookings[j].release &&
				order->bookings[j].component == 0)
				excess += booking_serves(&order->bookings[j]);
		}
		while (excess > 0)
		{
			Booking    *last = NULL;

			for (int j = 0; j < order->nbookings; j++)
			{
				Booking    *b = &order->bookings[j];

				if (b->line_no == line->line_no && !b->release && !booking_has_left(b) && b->component == 0 &&
					(last == NULL || b->deliver_on > last->deliver_on ||
					 (b->deliver_on == last->deliver_on && b->part > last->part)))
					last = b;
			}
			if (last == NULL)
				break;
			if (booking_serves(last) > excess && keeps(last, excess) > 0)
			{
				/* keep a part: the row is closed and a smaller one made */
				int			index = last - order->bookings;
				Booking    *rest = order_add_booking(order);

				last = &order->bookings[index];
				*rest = *last;
				rest->quantity = keeps(last, excess);
				rest->is_new = true;
				rest->pos = NULL;
				/* counts as kept: it is booked again from what is given back */
				last->release = true;
				rest->shipment_no = last->shipment_no;
				excess = 0;
			}
			else
			{
				excess -= booking_serves(last);
				last->release = true;
			}
		}
	}
}

/* Give back what is to be released; the positions are locked. */
void
release_apply(SalesOrder *order)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (booking_gives_back(b) && b->pos->exists)
			booking_post(b, -b->quantity);
	}
}

/*
 * Whether somebody changed a booking that is to be given back while we waited
 * for its position: a judgement takes bookings without the lock of their order.
 */
static bool
is_stale(SalesOrder *order)
{
	SalesOrder	now = *order;
	bool		any = false;
	int			matching = 0;
	int			ours = 0;

	for (int j = 0; j < order->nbookings && !any; j++)
		any = booking_needs_lock(&order->bookings[j]);
	if (!any)
		return false;
	now.nbookings = now.cap_bookings = 0;
	now.bookings = NULL;
	order_load_bookings(&now);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (b->is_new || b->released)
			continue;
		ours++;
		for (int k = 0; k < now.nbookings; k++)
		{
			const Booking *n = &now.bookings[k];

			matching += n->line_no == b->line_no && n->part == b->part &&
				n->quantity == b->quantity && n->firm == b->firm && n->held == b->held &&
				n->stock.npath == b->stock.npath;
		}
	}
	return matching != ours || now.nbookings != ours;
}

/* Take an order back to where it was before it was planned. */
static void
start_over(SalesOrder *order)
{
	int			kept = 0;

	if (is_stale(order))
	{
		for (int j = 0; j < order->nbookings; j++)
		{
			if (order->bookings[j].released)
				order->bookings[kept++] = order->bookings[j];
		}
		order->nbookings = kept;
		order_load_bookings(order);
		return;
	}
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (b->is_new)
			continue;
		b->release = b->released;
		order->bookings[kept++] = *b;
	}
	order->nbookings = kept;
}

/* Nothing is given back or booked yet; if something is stale, start all over. */
bool
release_all_fresh(SalesOrder **orders, int n)
{
	bool		fresh = true;

	for (int i = 0; i < n && fresh; i++)
		fresh = orders[i]->fault.sqlerrcode != 0 || !is_stale(orders[i]);
	for (int i = 0; i < n && !fresh; i++)
	{
		if (orders[i]->fault.sqlerrcode == 0)
			start_over(orders[i]);
	}
	return fresh;
}

/*
 * Give back, for good, what the orders no longer need, before supply changes
 * of the same transaction are judged.  Locks the positions of both in the
 * global order.
 */
void
orders_release(SalesOrder **orders, int n, Ledger *ledger, Position **further, int nfurther)
{
	int			count = nfurther;
	int			used = 0;
	Position  **positions;

	for (int i = 0; i < n; i++)
		count += orders[i]->nbookings + orders[i]->nclaims;
	positions = palloc_extended(sizeof(Position *) * Max(count, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < nfurther; i++)
		positions[used++] = further[i];
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];

		if (order->fault.sqlerrcode)
			continue;
		count = order->nbookings;
		release_choose(order);
		for (int j = 0; j < order->nbookings; j++)
		{
			Booking    *b = &order->bookings[j];

			b->pos = ledger_get(ledger, order->tenant_id, b->item, b->node);
			if (booking_needs_lock(b) && j < count)
				positions[used++] = b->pos;
		}
		used += order_claim_positions(order, ledger, positions + used);
	}
	ledger_lock_all(ledger, positions, used);
	pfree(positions);
	if (!release_all_fresh(orders, n))
	{
		orders_release(orders, n, ledger, further, nfurther);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];

		if (order->fault.sqlerrcode)
			continue;
		release_apply(order);
		order_release_rows(order);
		for (int j = 0; j < order->nbookings; j++)
			order->bookings[j].released = order->bookings[j].release;
	}
}
