/*
 * route.c
 *		Routing a set of orders: plan, lock, recheck, book; plan again if
 *		somebody was faster.
 *
 * Planning reads without locks.  Then the positions of all plans, and of what
 * is given back, are locked in the global order, and each plan is checked
 * against the rows that are now locked.  A plan that no longer holds is made
 * again from what is known now; it may need further positions.  One that
 * comes after all locked ones in the order can be waited for; for others the
 * lock is only tried, again and again for a short time, so that two orders
 * that want each other's positions cannot deadlock.  After a bounded number
 * of rounds the order gets what the locked positions offer, and says so.
 *
 * Several orders of one transaction see each other's plans from the start.
 */
#include "orders/order.h"

#include "base/quantity.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "storage/latch.h"
#include "utils/memutils.h"

#define ROUNDS				5
#define TRY_LOCK_MS			200
#define TRY_LOCK_PAUSE_MS	1

static bool route_pass(SalesOrder **orders, int n, Ledger *ledger, bool lock_freely);

/* What each line has booked for good, and so what is open. */
static void
compute_open(SalesOrder *order)
{
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		bool		cancelled = strcmp(line->status, "cancelled") == 0;

		line->open = cancelled ? 0 : line->quantity;
		for (int j = 0; j < order->nbookings; j++)
		{
			Booking    *b = &order->bookings[j];

			if (b->line_no == line->line_no && b->firm && !b->release && !b->is_new)
				line->open -= b->quantity;
		}
		line->open = Max(line->open, 0);
		line->unserved = line->open;
	}
}

/*
 * Decide which bookings are given back: those of lines that are gone or
 * cancelled or to be planned anew, those that lost their supply, and of a
 * line that got smaller the latest and, among these, the last made.
 */
static void
choose_releases(SalesOrder *order)
{
	bool		gone = !order->exists || order_is_cancelled(order);

	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];
		OrderLine  *line = order_line(order, b->line_no);

		if (gone || line == NULL || line->replan || !b->firm ||
			strcmp(line->status, "cancelled") == 0 || strcmp(line->item, b->item) != 0)
			b->release = true;
	}
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		int64		excess = -line->quantity;

		for (int j = 0; j < order->nbookings; j++)
		{
			if (order->bookings[j].line_no == line->line_no && !order->bookings[j].release)
				excess += order->bookings[j].quantity;
		}
		while (excess > 0)
		{
			Booking    *last = NULL;

			for (int j = 0; j < order->nbookings; j++)
			{
				Booking    *b = &order->bookings[j];

				if (b->line_no == line->line_no && !b->release &&
					(last == NULL || b->deliver_on > last->deliver_on ||
					 (b->deliver_on == last->deliver_on && b->part > last->part)))
					last = b;
			}
			if (last == NULL)
				break;
			if (last->quantity > excess)
			{
				/* keep a part: the row is closed and a smaller one made */
				int			index = last - order->bookings;
				Booking    *rest = order_add_booking(order);

				last = &order->bookings[index];
				*rest = *last;
				rest->quantity = last->quantity - excess;
				rest->is_new = true;
				rest->pos = NULL;
				/* counts as kept: it is booked again from what is given back */
				last->release = true;
				rest->shipment_no = last->shipment_no;
				excess = 0;
			}
			else
			{
				excess -= last->quantity;
				last->release = true;
			}
		}
	}
}

static void
drop_new_bookings(SalesOrder *order, int kept)
{
	order->nbookings = kept;
}

/*
 * Check and book the new bookings from index "from" on.  A booking for later
 * that stock on hand covers only in part becomes two.  If one does not fit,
 * those already booked are taken back.
 */
static bool
book(SalesOrder *order, int from)
{
	int			n = order->nbookings;

	for (int j = from; j < n; j++)
	{
		Booking    *b = &order->bookings[j];
		const AtpStep *steps = NULL;
		int			nsteps;
		int64		now_available;
		const NetNode *nodes;
		DateADT		today;

		(void) network_nodes(order->net, &nodes);
		today = node_date(&nodes[network_find_node(order->net, b->node)], order->clock);
		nsteps = b->pos->locked ? position_offer(b->pos, today, &steps) : 0;
		b->atp_before = nsteps > 0 ? steps_at(steps, nsteps, Max(b->needed_on, today)) : 0;
		if (b->atp_before < b->quantity)
		{
			for (int k = from; k < order->nbookings; k++)
			{
				Booking    *taken = &order->bookings[k];

				if (k < j || k >= n)
					position_book(taken->pos, taken->needed_on, -taken->quantity);
			}
			drop_new_bookings(order, n);
			return false;
		}
		now_available = steps_at(steps, nsteps, today);
		b->on_hand = now_available >= b->quantity;
		if (now_available > 0 && now_available < b->quantity)
		{
			Booking		rest = *b;

			rest.quantity = b->quantity - now_available;
			rest.on_hand = false;
			rest.atp_before = b->atp_before - now_available;
			b->quantity = now_available;
			b->on_hand = true;
			position_book(b->pos, b->needed_on, b->quantity);
			*order_add_booking(order) = rest;
			position_book(rest.pos, rest.needed_on, rest.quantity);
			continue;
		}
		position_book(b->pos, b->needed_on, b->quantity);
	}
	return true;
}

static bool
gives_back(const Booking *b)
{
	return b->release && b->firm && !b->released;
}

/* Give back what is to be released; the positions are locked. */
static void
apply_releases(SalesOrder *order)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (gives_back(b) && b->pos->exists)
			position_book(b->pos, b->needed_on, -b->quantity);
	}
}

/*
 * Lock a position that is not in order any more: try for a short time.
 */
static bool
try_lock(Ledger *ledger, Position *pos)
{
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	for (;;)
	{
		instr_time	now;

		if (ledger_lock(ledger, pos, false))
			return true;
		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, start);
		if (INSTR_TIME_GET_MILLISEC(now) >= TRY_LOCK_MS)
			return false;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 TRY_LOCK_PAUSE_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		ledger_refresh(ledger);
	}
}

static bool
lock_further(SalesOrder *order, Ledger *ledger, int from, Position **last)
{
	int			n = order->nbookings - from;
	Position  **positions = palloc(sizeof(Position *) * Max(n, 1));
	bool		all = true;

	for (int j = 0; j < n; j++)
		positions[j] = order->bookings[from + j].pos;
	qsort(positions, n, sizeof(Position *), position_compare);
	for (int j = 0; j < n && all; j++)
	{
		Position   *pos = positions[j];

		if (pos->locked)
			continue;
		if (*last == NULL || position_compare(&pos, last) > 0)
		{
			(void) ledger_lock(ledger, pos, true);
			*last = pos;
		}
		else
			all = try_lock(ledger, pos);
	}
	pfree(positions);
	return all;
}

/* Somebody was faster: plan again, and again, then with what is locked. */
static void
replan(SalesOrder *order, Ledger *ledger, int from, Position **last)
{
	for (int round = 0; round < ROUNDS; round++)
	{
		bool		final = round == ROUNDS - 1;

		CHECK_FOR_INTERRUPTS();
		drop_new_bookings(order, from);
		ledger_forget_unlocked(ledger);
		order_plan(order, ledger, final);
		order_plan_bookings(order, ledger);
		if (lock_further(order, ledger, from, last) && book(order, from))
			return;
		order->gave_up = true;
	}
	drop_new_bookings(order, from);
	for (int i = 0; i < order->nlines; i++)
		order->lines[i].unserved = order->lines[i].open;
	memset(&order->result, 0, sizeof(order->result));
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
		any = gives_back(&order->bookings[j]);
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
				n->quantity == b->quantity && n->firm == b->firm;
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
static bool
all_fresh(SalesOrder **orders, int n)
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
 * Route orders: sorted by tenant and order id, loaded, locked and checked.
 * Faulty ones are left alone.  "lock_freely": this transaction holds no
 * position yet, so that it may wait for the first ones.
 */
void
orders_route(SalesOrder **orders, int n, Ledger *ledger, bool lock_freely)
{
	while (!route_pass(orders, n, ledger, lock_freely))
		lock_freely = false;	/* now we hold positions */
}

static bool
route_pass(SalesOrder **orders, int n, Ledger *ledger, bool lock_freely)
{
	int		   *from = palloc(sizeof(int) * Max(n, 1));
	int			npositions = 0;
	int			cap = 0;
	Position  **positions;
	Position   *last = NULL;
	bool		alone = n == 1;

	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];

		from[i] = 0;
		if (order->fault.sqlerrcode)
			continue;
		choose_releases(order);
		for (int j = 0; j < order->nbookings; j++)
		{
			Booking    *b = &order->bookings[j];

			b->pos = ledger_get(ledger, order->tenant_id, b->item, b->node);
			/* what is given back is there for whoever plans next */
			if (gives_back(b) && b->pos->exists)
				position_book(b->pos, b->needed_on, -b->quantity);
		}
		compute_open(order);
		/* the kept part of a booking that got smaller comes first */
		for (int j = 0; j < order->nbookings; j++)
		{
			Booking    *b = &order->bookings[j];

			if (b->is_new)
			{
				OrderLine  *line = order_line(order, b->line_no);

				line->open -= b->quantity;
				line->unserved = line->open;
				if (b->pos->exists)
					position_book(b->pos, b->needed_on, b->quantity);
			}
		}
		from[i] = order->nbookings;
		if (order->exists && !order_is_cancelled(order) && order_needs_plan(order))
		{
			order_plan(order, ledger, false);
			order_plan_bookings(order, ledger);
			if (!alone)
			{
				for (int j = from[i]; j < order->nbookings; j++)
					position_book(order->bookings[j].pos, order->bookings[j].needed_on,
								  order->bookings[j].quantity);
			}
		}
		cap += order->nbookings;
	}

	/* forget the tentative figures, then lock the union of all positions */
	positions = palloc_extended(sizeof(Position *) * Max(cap, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];

		if (order->fault.sqlerrcode)
			continue;
		for (int j = 0; j < order->nbookings; j++)
		{
			Booking    *b = &order->bookings[j];

			if (!b->pos->exists)
				continue;
			if (gives_back(b))
				position_book(b->pos, b->needed_on, b->quantity);
			if (b->is_new && (!alone || j < from[i]))
				position_book(b->pos, b->needed_on, -b->quantity);
			if (b->release || b->is_new)
				positions[npositions++] = b->pos;
		}
	}
	if (lock_freely)
	{
		ledger_lock_all(ledger, positions, npositions);
		if (npositions > 0)
			last = positions[npositions - 1];
	}
	else
	{
		qsort(positions, npositions, sizeof(Position *), position_compare);
		for (int i = 0; i < npositions; i++)
		{
			if (!try_lock(ledger, positions[i]))
				(void) ledger_lock(ledger, positions[i], true);
		}
	}

	if (!all_fresh(orders, n))
		return false;
	for (int i = 0; i < n; i++)
	{
		if (orders[i]->fault.sqlerrcode == 0)
			apply_releases(orders[i]);
	}
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];
		int			kept = 0;

		if (order->fault.sqlerrcode)
			continue;
		/* what was booked before keeps its place: it has just been given back */
		while (kept < from[i] && !order->bookings[kept].is_new)
			kept++;
		for (int j = kept; j < from[i]; j++)
			position_book(order->bookings[j].pos, order->bookings[j].needed_on,
						  order->bookings[j].quantity);
		if (order->nbookings > from[i] && !book(order, from[i]))
			replan(order, ledger, from[i], &last);
		order_derive_status(order);
	}
	pfree(positions);
	pfree(from);
	return true;
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
		count += orders[i]->nbookings;
	positions = palloc_extended(sizeof(Position *) * Max(count, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < nfurther; i++)
		positions[used++] = further[i];
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];

		if (order->fault.sqlerrcode)
			continue;
		count = order->nbookings;
		choose_releases(order);
		for (int j = 0; j < order->nbookings; j++)
		{
			Booking    *b = &order->bookings[j];

			b->pos = ledger_get(ledger, order->tenant_id, b->item, b->node);
			if (gives_back(b) && j < count)
				positions[used++] = b->pos;
		}
	}
	ledger_lock_all(ledger, positions, used);
	pfree(positions);
	if (!all_fresh(orders, n))
	{
		orders_release(orders, n, ledger, further, nfurther);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];

		if (order->fault.sqlerrcode)
			continue;
		apply_releases(order);
		order_release_rows(order);
		for (int j = 0; j < order->nbookings; j++)
			order->bookings[j].released = order->bookings[j].release;
	}
}

/* Keep the bookings as they are and see what is open: for victims. */
void
order_keep_bookings(SalesOrder *order)
{
	compute_open(order);
}

/* The same without locking or booking for good: what promise() shows. */
void
orders_preview(SalesOrder **orders, int n, Ledger *ledger)
{
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];
		int			planned;

		compute_open(order);
		order_plan(order, ledger, false);
		order_plan_bookings(order, ledger);
		planned = order->nbookings;
		for (int j = 0; j < planned; j++)
		{
			Booking    *b = &order->bookings[j];
			const AtpStep *steps;
			int			nsteps;
			int			c = network_find_node(order->net, b->node);
			const NetNode *nodes;
			int64		now_available;

			(void) network_nodes(order->net, &nodes);
			nsteps = position_offer(b->pos, node_date(&nodes[c], order->clock), &steps);
			now_available = nsteps > 0 ? steps[0].available : 0;
			b->on_hand = now_available >= b->quantity;
			position_book(b->pos, b->needed_on, b->quantity);
			if (now_available > 0 && now_available < b->quantity)
			{
				/* two bookings, as book() makes them */
				Booking		rest = *b;

				rest.quantity = b->quantity - now_available;
				b->quantity = now_available;
				b->on_hand = true;
				*order_add_booking(order) = rest;
			}
		}
		order_derive_status(order);
	}
}
