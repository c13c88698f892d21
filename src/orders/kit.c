/*
 * kit.c
 *		Bookings that are not of their line's own item: components of kits and
 *		substitutes, and how much of the line they serve.
 *
 * A kit's line is booked by one booking, or more, of each component.  Those of
 * one shipment are a set: as many kits as its scarcest component allows.  A
 * set that loses a component gives back what the others have too much, so
 * that kits are promised whole or not at all.  Kits of which something has left
 * are finished as they were begun: what they lose of a component is planned
 * anew, from wherever it comes (a gap).  So the begun sets of a line and what
 * completes them are one set, whichever shipment they are of.
 */
#include "orders/kit_set.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/reference.h"

#include "catalog/pg_type.h"

#define FINE	100000000		/* shares of a ten-thousandth while a sum is made */

static int128
serves_finely(const Booking *b)
{
	if (b->component > 1)
		return 0;
	if (b->of == NULL)
		return (int128) b->quantity * FINE;
	return (int128) b->quantity * SCALE * FINE / b->per;
}

/* How much of its line a booking serves, in the line's units. */
int64
booking_serves(const Booking *b)
{
	return b->of == NULL ? b->quantity : (int64) ((serves_finely(b) + FINE / 2) / FINE);
}

static int64 begun_line_serves(const SalesOrder *order, int line_no, bool with_new);

/* How much of a line is served by bookings that stay, or also by new ones. */
int64
order_serves(const SalesOrder *order, int line_no, bool with_new)
{
	int128		sum = 0;

	if (kits_have_left(order, line_no))
		return begun_line_serves(order, line_no, with_new);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (b->line_no == line_no && b->firm && !b->release && (with_new || !b->is_new))
			sum += serves_finely(b);
	}
	return (int64) ((sum + FINE / 2) / FINE);
}

/*
 * The unit of an item that is or was booked or shipped for a line, which may be
 * gone, may have another item by now, and is not looked up if nobody plans it.
 */
const char *
order_uom(SalesOrder *order, int line_no, const char *item)
{
	const OrderLine *line = order_line(order, line_no);

	if (line != NULL && line->item_uom != NULL && strcmp(line->item, item) == 0)
		return line->item_uom;
	return item_uom(order->tenant_id, item);
}

/* The unit of what is booked. */
const char *
booking_uom(SalesOrder *order, const Booking *b)
{
	return order_uom(order, b->line_no, b->item);
}

/* The item of a booking, and what it is booked for. */
void
booking_write_item(JsonWriter *w, const Booking *b)
{
	json_key_text(w, "item", b->item);
	if (b->of != NULL)
		json_key_text(w, b->component > 0 ? "kit" : "substitute_for", b->of);
}

/*
 * How much of a line of kits is served of which something has left: kits that
 * were begun are, they are only to be completed.  Without new bookings, those
 * that are kept and booked anew do not count; see order_compute_open().
 */
static int64
begun_line_serves(const SalesOrder *order, int line_no, bool with_new)
{
	int64		sum = 0;
	int			n;
	KitSet	   *sets = kit_sets(order, line_no, &n);

	for (int i = 0; i < n; i++)
		sum += Max(kit_set_kits(order, &sets[i], COUNT_FIRM, false), sets[i].begun);
	for (int j = 0; j < order->nbookings && !with_new; j++)
	{
		const Booking *b = &order->bookings[j];

		if (kit_counts(b, line_no) && b->is_new)
			sum -= booking_serves(b);
	}
	return Max(sum, 0);
}

/* How many kits of a line were begun and lack something. */
int64
kits_lacking(const SalesOrder *order, const OrderLine *line)
{
	int64		sum = 0;
	int			n;
	KitSet	   *sets;

	if (line->nparts == 0 || !kits_have_left(order, line->line_no))
		return 0;
	sets = kit_sets(order, line->line_no, &n);
	for (int i = 0; i < n; i++)
		sum += Max(sets[i].begun - kit_set_kits(order, &sets[i], COUNT_FIRM, false), 0);
	return sum;
}

/*
 * What the begun kits of a line lack, of whichever components.  Where the kit
 * has other ones now than when it was begun, only of those that are booked.
 */
int
kits_gaps(const SalesOrder *order, const OrderLine *line, KitGap **gaps)
{
	int			ngaps = 0;
	int			n;
	KitSet	   *sets;

	*gaps = NULL;
	if (line->nparts == 0 || !order->exists || order_is_cancelled(order) ||
		strcmp(line->status, "cancelled") == 0 || !kits_have_left(order, line->line_no))
		return 0;
	sets = kit_sets(order, line->line_no, &n);
	for (int i = 0; i < n; i++)
	{
		int			last = line->nparts;

		for (int j = 0; j < order->nbookings; j++)
			last = Max(last, kit_set_has(&order->bookings[j], &sets[i]) ? order->bookings[j].component : 0);
		/* of a line only one set is of kits that were begun */
		if (sets[i].begun > 0)
			*gaps = palloc(sizeof(KitGap) * last);
		for (int c = 1; c <= last && sets[i].begun > 0; c++)
		{
			const Booking *booked = kit_set_component(order, &sets[i], c);
			KitGap		gap;

			if (booked == NULL && !sets[i].up_to_date)
				continue;
			gap.component = c;
			gap.item = booked != NULL ? booked->item : line->parts[c - 1].item;
			gap.per = booked != NULL ? booked->per : line->parts[c - 1].per;
			gap.missing = sets[i].begun / SCALE * gap.per - kit_set_quantity(order, &sets[i], c, COUNT_FIRM);
			if (gap.missing > 0)
				(*gaps)[ngaps++] = gap;
		}
	}
	return ngaps;
}

/* Of lines of kits: what has left is every kit that was begun. */
void
kits_sum_shipped(SalesOrder *order)
{
	int			n;
	KitSet	   *sets = kit_sets(order, 0, &n);

	for (int i = 0; i < n; i++)
	{
		OrderLine  *line = order_line(order, sets[i].line_no);

		if (line != NULL)
			line->shipped = 0;
	}
	for (int i = 0; i < n; i++)
	{
		OrderLine  *line = order_line(order, sets[i].line_no);

		if (line != NULL)
			line->shipped += sets[i].begun;
	}
}

/* What of a set is given back first: what has no supply, what is on its way, the last made. */
static Booking *
last_of(const SalesOrder *order, const KitSet *set, int component)
{
	Booking    *last = NULL;

	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (!kit_set_has(b, set) || b->is_new || b->component != component || booking_has_left(b))
			continue;
		if (last == NULL || b->firm < last->firm ||
			(b->firm == last->firm && (b->on_hand < last->on_hand ||
									   (b->on_hand == last->on_hand && b->part > last->part))))
			last = b;
	}
	return last;
}

/*
 * Give back what a set has of a component beyond its kits.  What is kept of a
 * set that got smaller is booked anew, all of it, so that it can be undone as
 * a whole.
 */
static void
cut_component(SalesOrder *order, const KitSet *set, int component, int64 per)
{
	int64		keep = set->keep / SCALE * per - kit_set_quantity(order, set, component, COUNT_LEFT);
	int64		excess = kit_set_quantity(order, set, component, COUNT_OPEN) - Max(keep, 0);
	Booking    *last;

	while ((last = last_of(order, set, component)) != NULL)
	{
		int64		kept = last->quantity - Min(Max(excess, 0), last->quantity);

		/* a kit that was begun keeps what it has; what it lost is planned anew */
		if (!last->firm || set->anew)
			kept = 0;
		else if (excess <= 0 && (set->keep == set->now || set->begun > 0))
			break;
		excess -= last->quantity - kept;
		if (kept > 0)
		{
			int			index = last - order->bookings;
			Booking    *rest = order_add_booking(order);

			last = &order->bookings[index];
			*rest = *last;
			rest->quantity = kept;
			rest->is_new = true;
			rest->pos = NULL;
		}
		last->release = true;
	}
}

/* Decide which bookings of kits are given back; see release_choose(). */
void
kits_choose_release(SalesOrder *order)
{
	bool		gone = !order->exists || order_is_cancelled(order);
	int			n;
	KitSet	   *sets = kit_sets(order, 0, &n);

	for (int i = 0; i < n; i++)
	{
		const OrderLine *line = order_line(order, sets[i].line_no);

		sets[i].now = kit_set_kits(order, &sets[i], COUNT_FIRM, false);
		if (gone || line == NULL || strcmp(line->status, "cancelled") == 0)
			sets[i].keep = 0;
		else if (line->replan)
		{
			sets[i].keep = sets[i].begun;
			sets[i].anew = true;
		}
		else
			sets[i].keep = Max(sets[i].now, sets[i].begun);
	}
	/* of a line that got smaller the latest first */
	for (int l = 0; l < order->nlines && n > 0; l++)
	{
		int64		excess = -order->lines[l].quantity;

		for (int i = 0; i < n; i++)
			excess += sets[i].line_no == order->lines[l].line_no ? sets[i].keep : 0;
		while (excess > 0)
		{
			KitSet	   *last = NULL;
			int64		cut;

			for (int i = 0; i < n; i++)
			{
				if (sets[i].line_no == order->lines[l].line_no && sets[i].keep > sets[i].begun &&
					(last == NULL || sets[i].latest->deliver_on >= last->latest->deliver_on))
					last = &sets[i];
			}
			if (last == NULL)
				break;
			cut = Min(excess, last->keep - last->begun);
			last->keep -= cut;
			excess -= cut;
		}
	}
	for (int i = 0; i < n; i++)
	{
		if (sets[i].keep == sets[i].now && !sets[i].anew && kit_set_kits(order, &sets[i], COUNT_ALL, true) <= sets[i].now)
			continue;
		for (int j = 0; j < order->nbookings; j++)
		{
			const Booking *b = &order->bookings[j];

			if (kit_set_has(b, &sets[i]) && !b->is_new)
				cut_component(order, &sets[i], b->component, b->per);
		}
	}
}

/*
 * Lock, in a settlement that holds positions, what kits that lost a component
 * give back with it.  False if somebody else has it.
 */
bool
kits_lock(SalesOrder *order, Ledger *ledger)
{
	for (int i = 0; i < order->nbookings; i++)
	{
		const Booking *lost = &order->bookings[i];

		for (int j = 0; lost->component > 0 && !lost->firm && !lost->release && j < order->nbookings; j++)
		{
			const Booking *b = &order->bookings[j];

			if (b->component > 0 && b->line_no == lost->line_no && b->state != BOOKING_UNCOVERED &&
				!booking_has_left(b) &&
				!position_try_lock(ledger, ledger_get(ledger, order->tenant_id, b->item, b->node)))
				return false;
		}
	}
	return true;
}

/* What release_choose() would give back of kits that lost a component, in memory only: for questions. */
void
kits_give_back(SalesOrder *order, Ledger *ledger)
{
	bool		any = false;

	for (int j = 0; j < order->nbookings && !any; j++)
		any = order->bookings[j].component > 0;
	if (!any)
		return;
	kits_choose_release(order);
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (b->component == 0 || !(b->release || b->is_new))
			continue;
		b->pos = ledger_get(ledger, order->tenant_id, b->item, b->node);
		if (b->pos->exists)
			booking_post(b, b->is_new ? b->quantity : -b->quantity);
		b->is_new = false;
	}
}

/*
 * What was kept of a component could not be booked again: its whole set goes.
 * "index" is that booking, which is not posted; those from "first" to it are.
 * Returns where to go on.
 */
int
kit_undo_kept(SalesOrder *order, int index, int first, int *end)
{
	const Booking failed = order->bookings[index];
	int			kept = first;
	int			next = index;

	for (int j = first; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (j < *end && b->is_new && b->component > 0 && b->line_no == failed.line_no &&
			b->shipment_no == failed.shipment_no)
		{
			if (j < index)
				booking_post(b, -b->quantity);
			order_line(order, b->line_no)->open += booking_serves(b);
			next -= j < index;
			continue;
		}
		order->bookings[kept++] = *b;
	}
	*end -= order->nbookings - kept;
	order->nbookings = kept;
	return next;
}

/* Add what of a line of kits is in which state; see derive_line(). */
void
kit_shares(const SalesOrder *order, const OrderLine *line, int64 *allocated, int64 *scheduled,
		   int64 *backordered, int64 *left)
{
	int			n;
	KitSet	   *sets = kit_sets(order, line->line_no, &n);

	for (int i = 0; i < n; i++)
	{
		int64		kits = kit_set_kits(order, &sets[i], COUNT_FIRM, false);
		int64		inbound = Min(kit_set_kits(order, &sets[i], COUNT_INBOUND, true), kits);

		*allocated += kits - inbound;
		if (booking_is_late(order, line, sets[i].latest))
			*backordered += inbound;
		else
			*scheduled += inbound;
		*left += Min(kit_set_kits(order, &sets[i], COUNT_LEFT, false), kits - inbound);
	}
}
