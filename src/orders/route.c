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
#include "orders/complete.h"
#include "orders/eligibility.h"
#include "orders/release.h"

#include "ledger/lots.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "storage/latch.h"

#define ROUNDS				5
#define TRY_LOCK_MS			200
#define TRY_LOCK_PAUSE_MS	1
#define ASIDE_TRIES			5	/* pauses of a settlement for orders that nobody asked for */

static bool route_pass(SalesOrder **orders, int n, Ledger *ledger, bool lock_freely, bool only_try);

/* What each line has booked for good, and so what is open. */
void
order_compute_open(SalesOrder *order)
{
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		bool		cancelled = strcmp(line->status, "cancelled") == 0;

		line->open = cancelled ? 0 : line->quantity - line->cancelled;
		line->open = Max(line->open - order_serves(order, line->line_no, false), 0);
		line->unserved = line->open;
	}
}

static void
drop_new_bookings(SalesOrder *order, int kept)
{
	order->nbookings = kept;
}

/*
 * Leave a new booking only what is available for it; with nothing it goes.
 * Returns whether it stays.
 */
bool
order_cut_booking(SalesOrder *order, int index, int64 available)
{
	Booking    *b = &order->bookings[index];
	int64		missing = b->quantity - Max(available, 0);
	SrcPlan    *plan = &order->result.best;

	int64		served = booking_serves(b);
	int64		unserved;

	b->quantity -= missing;
	unserved = b->completes ? 0 : served - booking_serves(b);
	order_line(order, b->line_no)->unserved += unserved;
	for (int i = 0; i < plan->nparts; i++)
	{
		SrcPart    *part = &plan->parts[i];

		if (order->lines[order->problem_lines[part->line]].line_no == b->line_no &&
			plan->shipments[part->shipment].day == b->stock.needed_on && part->quantity == served)
		{
			part->quantity -= unserved;
			plan->unserved[part->line] += unserved;
			break;
		}
	}
	if (b->quantity > 0)
		return true;
	memmove(b, b + 1, sizeof(Booking) * (order->nbookings - index - 1));
	order->nbookings--;
	return false;
}

/*
 * Check and book the new bookings from index "from" on.  A booking for later
 * that stock on hand covers only in part becomes two.  If one does not fit,
 * those already booked are taken back; or, with "cut", it gets what there is.
 */
bool
order_book(SalesOrder *order, int from, bool cut)
{
	int			n = order->nbookings;

	for (int j = from; j < n; j++)
	{
		Booking    *b = &order->bookings[j];
		const AtpStep *steps = NULL;
		OfferRequest req;
		int			nsteps = 0;
		int			planned = -1;
		int64		now_available;

		booking_request(order, b, &req);
		if (b->pos->locked)
			nsteps = position_offer(b->pos, &req, &steps);
		b->atp_before = steps_at(steps, nsteps, Max(b->stock.needed_on, req.today));
		if (b->atp_before < b->quantity && cut)
		{
			if (!order_cut_booking(order, j, b->atp_before))
			{
				n--;
				j--;
				continue;
			}
		}
		else if (b->atp_before < b->quantity)
		{
			for (int k = from; k < order->nbookings; k++)
			{
				Booking    *taken = &order->bookings[k];

				if (k < j || k >= n)
					booking_post(taken, -taken->quantity);
			}
			drop_new_bookings(order, n);
			return false;
		}
		now_available = booking_available_now(b, &req, steps, nsteps);
		/* what is offered beyond the horizon may have a limit */
		if (b->pos->lead_time >= 0 && b->stock.needed_on >= req.today + b->pos->lead_time)
		{
			int64		supplied;

			req.within_horizon = true;
			nsteps = position_offer(b->pos, &req, &steps);
			supplied = steps_at(steps, nsteps, Max(b->stock.needed_on, req.today));
			now_available = booking_available_now(b, &req, steps, nsteps);
			b->atp_before = supplied;
			if (supplied < b->quantity)
			{
				Booking    *rest = b;

				if (supplied > 0)
					rest = booking_divide(order, j, supplied);
				rest->state = BOOKING_PLANNED;
				rest->order_by = rest->stock.needed_on - rest->pos->lead_time;
				rest->on_hand = false;
				rest->atp_before = 0;
				if (supplied <= 0)
				{
					booking_post_new(order, j);
					continue;
				}
				planned = rest - order->bookings;
				b = &order->bookings[j];
			}
		}
		b->on_hand = now_available >= b->quantity;
		if (now_available > 0 && now_available < b->quantity)
		{
			Booking    *rest = booking_divide(order, j, now_available);
			int			index = rest - order->bookings;

			rest->on_hand = false;
			rest->atp_before -= now_available;
			order->bookings[j].on_hand = true;
			booking_post_new(order, j);
			booking_post_new(order, index);
		}
		else
			booking_post_new(order, j);
		if (planned >= 0)
			booking_post_new(order, planned);
	}
	if (order_take_capacity(order, false))
		return true;
	for (int k = from; k < order->nbookings; k++)
		booking_post(&order->bookings[k], -order->bookings[k].quantity);
	drop_new_bookings(order, n);
	return false;
}

/*
 * Book again the kept parts of bookings that got smaller, from index "first"
 * to "*end".  Supply may have gone in the same transaction, and no judgement
 * has seen these parts: one that is not covered any more is open again.
 */
static bool
book_kept(SalesOrder *order, int first, int *end)
{
	bool		all = true;

	for (int j = first; j < *end;)
	{
		Booking    *b = &order->bookings[j];
		OfferRequest req;
		DateADT		day;
		int64		missing;
		int64		without;

		booking_request(order, b, &req);
		without = lots_missing(b->pos, req.today);
		booking_post(b, b->quantity);
		if (!booking_counts(b))
		{
			j++;
			continue;
		}
		if (!timeline_next_negative(&b->pos->timeline, req.today, b->stock.needed_on - 1, &day, &missing) &&
			lots_missing(b->pos, req.today) <= without)
		{
			holds_judge(b->pos, req.today, order->clock);
			j++;
			continue;
		}
		booking_post(b, -b->quantity);
		all = false;
		if (b->component > 0)
		{
			j = kit_undo_kept(order, j, first, end);
			continue;
		}
		order_line(order, b->line_no)->open += booking_serves(b);
		memmove(b, b + 1, sizeof(Booking) * (order->nbookings - j - 1));
		order->nbookings--;
		(*end)--;
	}
	return all;
}

/*
 * Lock a position that is not in order any more: try for a short time.  For
 * orders that nobody asked for hardly at all: whoever wants the positions that
 * are held here would wait too, and run_jobs() is there for what is left.
 */
bool
position_try_lock(Ledger *ledger, Position *pos)
{
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	for (;;)
	{
		instr_time	now;
		double		waited;

		if (ledger_lock(ledger, pos, false))
			return true;
		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, start);
		waited = INSTR_TIME_GET_MILLISEC(now);
		if (waited >= TRY_LOCK_MS || (ledger->aside && ledger->aside_tries >= ASIDE_TRIES))
			return false;
		ledger->aside_tries += ledger->aside;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 TRY_LOCK_PAUSE_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		ledger_refresh(ledger);
	}
}

/* The last in the global order of the positions that are locked. */
static Position *
last_locked(Ledger *ledger)
{
	Position   *last = NULL;

	for (Position *pos = ledger->first; pos != NULL; pos = pos->next)
	{
		if (pos->locked && (last == NULL || position_compare(&pos, &last) > 0))
			last = pos;
	}
	return last;
}

static bool
lock_further(SalesOrder *order, Ledger *ledger, int from, Position **last)
{
	int			n = order->nbookings - from;
	Position  **positions = palloc(sizeof(Position *) * Max(n, 1));
	bool		all = true;

	for (int j = 0; j < n; j++)
	{
		positions[j] = order->bookings[from + j].pos;
		if (!positions[j]->locked)
			positions[j]->nwants = 0;
	}
	for (int j = from; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (!b->pos->locked)
			position_want(b->pos, b->stock.needed_on, b->quantity);
	}
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
			all = position_try_lock(ledger, pos);
	}
	pfree(positions);
	return all;
}

/*
 * Somebody was faster: plan again, and again, then with what is locked.  Or
 * the order wants one item in different ways, of a lot and of any, say: the
 * search takes these for different items, so that the plan may want more of
 * them together than there is.  Then the later lines get what is left.
 */
static void
replan(SalesOrder *order, Ledger *ledger, int from, Position **last)
{
	for (int round = 0; round < ROUNDS; round++)
	{
		bool		final = round == ROUNDS - 1 || (ledger->aside && ledger->aside_tries >= ASIDE_TRIES);

		CHECK_FOR_INTERRUPTS();
		drop_new_bookings(order, from);
		ledger_want_whole(ledger);
		ledger_forget_unlocked(ledger);
		order_plan(order, ledger, final);
		order_plan_bookings(order, ledger);
		if (lock_further(order, ledger, from, last) && order_book(order, from, order->mixed && order->complete == COMPLETE_NONE))
		{
			order->cut_short = final;
			return;
		}
		order->gave_up = true;
	}
	order->cut_short = true;
	drop_new_bookings(order, from);
	for (int i = 0; i < order->nlines; i++)
		order->lines[i].unserved = order->lines[i].open;
	memset(&order->result, 0, sizeof(order->result));
	order->packed = NULL;
}

/*
 * Whether a queue that the order is going to be in offers something now: its
 * position was not locked when the order was planned, and whoever gave something
 * back since then saw nobody wait.
 */
static bool
offered_meanwhile(SalesOrder *order, Ledger *ledger)
{
	int			n = order->exists && !order_is_cancelled(order) && order->lanes != NULL ? order->nlines : 0;
	const NetNode *nodes;

	(void) network_nodes(order->net, &nodes);
	for (int i = 0; i < n; i++)
	{
		const OrderLine *line = &order->lines[i];

		if (line->unserved <= 0 || line->claimed_at != 0)
			continue;
		for (int l = 0; l < order->lanes->nlanes; l++)
		{
			const Lane *lane = &order->lanes->lanes[l];
			const char *node = nodes[lane->node].node;
			Position   *pos;
			const AtpStep *steps;
			OfferRequest req;

			if (!nodes[lane->node].open ||
				(order->eligibility != NULL && eligibility_of_node(order, i, lane->node, 0) != 0) ||
				(line->pinned != NULL && strcmp(line->pinned, node) != 0))
				continue;
			for (int k = 0; k < Max(line->nparts, 1); k++)
			{
				const char *item = line->nparts > 0 ? line->parts[k].item : line->item;

				pos = ledger_get_if_any(ledger, order->tenant_id, item, node);
				if (pos == NULL || !pos->locked || !pos->whole)
					continue;
				order_request(order, line, item, node_date(&nodes[lane->node], order->clock),
							  lane->transit_days, &req);
				if (position_offer(pos, &req, &steps) > 0)
					return true;
			}
		}
	}
	return false;
}

/*
 * Route orders: sorted by tenant and order id, loaded, locked and checked.
 * Faulty ones are left alone.  "lock_freely": this transaction holds no
 * position yet, so that it may wait for the first ones.
 */
void
orders_route(SalesOrder **orders, int n, Ledger *ledger, bool lock_freely)
{
	while (!route_pass(orders, n, ledger, lock_freely, false))
		lock_freely = false;	/* now we hold positions */
}

/*
 * Route an order that nobody in this transaction asked for, in a settlement
 * that holds positions: it never waits for another.  What it gives back must
 * be locked already.
 */
void
order_route_aside(SalesOrder *order, Ledger *ledger)
{
	if (order->fault.sqlerrcode == 0 && !kits_lock(order, ledger))
	{
		/* nothing is given back by halves: it is to be routed again */
		order_keep_bookings(order);
		order->cut_short = order->part_lost = true;
		order_derive_status(order);
		return;
	}
	while (!route_pass(&order, 1, ledger, false, true))
		;
}

/*
 * What an order gives back and what it wants, on figures that are tentative
 * until the positions are locked; *from: the first of the bookings that are
 * planned here.  "alone": nobody plans after it, so they are not posted.
 */
static void
plan_tentatively(SalesOrder *order, Ledger *ledger, bool alone, int *from)
{
	release_choose(order);
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		b->pos = ledger_get(ledger, order->tenant_id, b->item, b->node);
		b->pos->first_row |= b->held;
		/* what is given back is there for whoever plans next */
		if (booking_gives_back(b) && b->pos->exists)
			booking_post(b, -b->quantity);
	}
	order_compute_open(order);
	/* the kept part of a booking that got smaller comes first */
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (b->is_new)
		{
			OrderLine  *line = order_line(order, b->line_no);

			line->open = Max(line->open - booking_serves(b), 0);
			line->unserved = line->open;
			if (b->pos->exists)
				booking_post(b, b->quantity);
		}
	}
	if (!order_is_cancelled(order))
		dedicated_take(order, ledger);
	*from = order->nbookings;
	if (order->exists && !order_is_cancelled(order) && order_needs_plan(order))
	{
		order_plan(order, ledger, false);
		order_plan_bookings(order, ledger);
		if (!alone)
		{
			int			planned = order->nbookings;

			for (int j = *from; j < planned; j++)
				booking_post_new(order, j);
		}
	}
}

/* Forget the tentative figures of an order, and add the positions that it needs; how many. */
static int
collect_positions(SalesOrder *order, Ledger *ledger, bool alone, int from, Position **positions)
{
	int			n = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (!b->pos->exists)
			continue;
		if (booking_gives_back(b))
			booking_post(b, b->quantity);
		if (b->is_new && (!alone || j < from))
			booking_post(b, -b->quantity);
		if (booking_needs_lock(b) || b->is_new)
			positions[n++] = b->pos;
		/* what was held needs no more than is given back with it */
		if (b->is_new && (order->from_hold == NULL || j >= from))
			position_want(b->pos, b->stock.needed_on, b->quantity);
	}
	n += order_claim_positions(order, ledger, positions + n);
	n += order_queue_positions(order, ledger, positions + n);
	if (!alone)
		bookings_join(order, from);
	return n;
}

/* Lock positions of all orders of a pass; the last one in the global order that is locked. */
static Position *
lock_positions(Ledger *ledger, Position **positions, int n, bool lock_freely, bool only_try)
{
	if (lock_freely)
	{
		ledger_lock_all(ledger, positions, n);
		return n > 0 ? positions[n - 1] : NULL;
	}
	qsort(positions, n, sizeof(Position *), position_compare);
	for (int i = 0; i < n; i++)
	{
		if (!position_try_lock(ledger, positions[i]) && !only_try)
			(void) ledger_lock(ledger, positions[i], true);
	}
	return last_locked(ledger);
}

/* Book what an order planned on positions that are locked now, or plan it anew. */
static void
book_locked(SalesOrder *order, Ledger *ledger, int from, Position **last)
{
	int			kept = 0;

	/* what was booked before keeps its place: it has just been given back */
	while (kept < from && !order->bookings[kept].is_new)
		kept++;
	if (!book_kept(order, kept, &from) ||
		(order->nbookings > from && !order_book(order, from, false)))
		replan(order, ledger, from, last);
	else if (offered_meanwhile(order, ledger))
	{
		for (int j = from; j < order->nbookings; j++)
			booking_post(&order->bookings[j], -order->bookings[j].quantity);
		replan(order, ledger, from, last);
	}
	order->cut_short |= !complete_holds(order);
	rest_apply(order);
	order_derive_status(order);
}

static bool
route_pass(SalesOrder **orders, int n, Ledger *ledger, bool lock_freely, bool only_try)
{
	int		   *from = palloc(sizeof(int) * Max(n, 1));
	int			npositions = 0;
	int			cap = 0;
	Position  **positions;
	Position   *last;
	bool		alone = n == 1;

	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = orders[i];

		from[i] = 0;
		order->cut_short = false;
		if (order->fault.sqlerrcode)
			continue;
		plan_tentatively(order, ledger, alone, &from[i]);
		cap += order->nbookings + order->nclaims + order->nlines;
	}

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; orders[i]->fault.sqlerrcode == 0 && j < orders[i]->nbookings; j++)
			orders[i]->bookings[j].pos->nwants = 0;
	}

	/* the union of all positions */
	positions = palloc_extended(sizeof(Position *) * Max(cap, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		if (orders[i]->fault.sqlerrcode == 0)
			npositions += collect_positions(orders[i], ledger, alone, from[i], positions + npositions);
	}
	last = lock_positions(ledger, positions, npositions, lock_freely, only_try);

	if (!release_all_fresh(orders, n))
		return false;
	for (int i = 0; i < n; i++)
	{
		if (orders[i]->fault.sqlerrcode)
			continue;
		order_require_unexpired(orders[i]);
		release_apply(orders[i]);
	}
	for (int i = 0; i < n; i++)
	{
		if (orders[i]->fault.sqlerrcode == 0)
			book_locked(orders[i], ledger, from[i], &last);
	}
	pfree(positions);
	pfree(from);
	return true;
}
