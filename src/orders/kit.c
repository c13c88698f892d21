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
#include "orders/order.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

#define FINE	100000000		/* shares of a ten-thousandth while a sum is made */

static EnginePlan plan_uom = {
	"SELECT uom FROM routing.item WHERE tenant_id = $1 AND item = $2", 2, {INT4OID, TEXTOID}, NULL
};

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

static bool any_has_left(const SalesOrder *order, int line_no);
static int64 begun_line_serves(const SalesOrder *order, int line_no, bool with_new);

/* How much of a line is served by bookings that stay, or also by new ones. */
int64
order_serves(const SalesOrder *order, int line_no, bool with_new)
{
	int128		sum = 0;

	if (any_has_left(order, line_no))
		return begun_line_serves(order, line_no, with_new);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (b->line_no == line_no && b->firm && !b->release && (with_new || !b->is_new))
			sum += serves_finely(b);
	}
	return (int64) ((sum + FINE / 2) / FINE);
}

/* The unit of what is booked. */
const char *
booking_uom(SalesOrder *order, const Booking *b)
{
	Datum		args[2];
	char	   *uom;

	if (b->of == NULL)
		return order_line(order, b->line_no)->item_uom;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(b->item);
	uom = engine_exec(&plan_uom, args, NULL, ENGINE_FRESH) > 0 ? spi_text(0, 1) : NULL;
	SPI_freetuptable(SPI_tuptable);
	return uom;
}

/* The item of a booking, and what it is booked for. */
void
booking_write_item(JsonWriter *w, const Booking *b)
{
	json_key_text(w, "item", b->item);
	if (b->of != NULL)
		json_key_text(w, b->component > 0 ? "kit" : "substitute_for", b->of);
}

/* which bookings of a set count */
typedef enum Counted
{
	COUNT_LEFT,
	COUNT_FIRM,					/* what has left included */
	COUNT_INBOUND,
	COUNT_OPEN,					/* has not left, whatever its state */
	COUNT_ALL
} Counted;

/* the components of a kit in one shipment */
typedef struct KitSet
{
	int			line_no;
	int			shipment_no;	/* or the first one of those that were begun */
	const Booking *latest;
	bool		absent;			/* of those: some component is not booked at all */
	int64		begun;			/* kits of which something has left */
	int64		now;			/* kits that all components are there for */
	bool		anew;			/* what has not left is planned anew */
	int64		keep;
} KitSet;

static bool
is_of_set(const Booking *b, const KitSet *set)
{
	return b->component > 0 && b->line_no == set->line_no && b->kit_set == set->shipment_no &&
		!b->release && !b->held;
}

static bool
counts(const Booking *b, Counted what)
{
	switch (what)
	{
		case COUNT_LEFT:
			return booking_has_left(b);
		case COUNT_FIRM:
			return b->firm;
		case COUNT_INBOUND:
			return b->firm && !b->on_hand;
		case COUNT_OPEN:
			return !booking_has_left(b);
		default:
			return true;
	}
}

/* The quantity of a component in a set. */
static int64
quantity_of(const SalesOrder *order, const KitSet *set, int component, Counted what)
{
	int64		sum = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (is_of_set(b, set) && b->component == component && counts(b, what))
			sum += b->quantity;
	}
	return sum;
}

/* Whole kits: the least or the most that a component stands for, rounded down or up. */
static int64
kits_of(const SalesOrder *order, const KitSet *set, Counted what, bool most)
{
	int64		result = most || set->absent ? 0 : PG_INT64_MAX;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		int64		quantity;

		if (!is_of_set(b, set))
			continue;
		quantity = quantity_of(order, set, b->component, what);
		if (most)
			result = Max(result, (quantity + b->per - 1) / b->per * SCALE);
		else
			result = Min(result, quantity / b->per * SCALE);
	}
	return result;
}

static bool
is_counted(const Booking *b, int line_no)
{
	return b->component > 0 && b->line_no == line_no && !b->release && !b->held;
}

/* Whether anything of a line of kits has left. */
static bool
any_has_left(const SalesOrder *order, int line_no)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		if (is_counted(&order->bookings[j], line_no) && booking_has_left(&order->bookings[j]))
			return true;
	}
	return false;
}

/* Whether a shipment was begun, or has not all components that its line is booked by. */
static bool
is_begun_or_completes(const SalesOrder *order, int line_no, int shipment_no)
{
	uint64		of_line = 0;
	uint64		of_shipment = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (!is_counted(b, line_no))
			continue;
		of_line |= UINT64CONST(1) << (b->component % 64);
		if (b->shipment_no != shipment_no)
			continue;
		of_shipment |= UINT64CONST(1) << (b->component % 64);
		if (booking_has_left(b))
			return true;
	}
	return of_shipment != of_line;
}

/* Count the begun shipments of lines, and what completes them, as one. */
static void
pool_begun(const SalesOrder *order)
{
	for (int j = 0; j < order->nbookings; j++)
		order->bookings[j].kit_set = order->bookings[j].shipment_no;
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *left = &order->bookings[j];
		int			first = left->kit_set;

		if (!is_counted(left, left->line_no) || !booking_has_left(left))
			continue;
		for (int k = 0; k < order->nbookings; k++)
		{
			Booking    *b = &order->bookings[k];

			if (b->kit_set != first && is_counted(b, left->line_no) &&
				is_begun_or_completes(order, b->line_no, b->shipment_no))
				b->kit_set = first;
		}
	}
}

/* The booking of a component in a set, or NULL. */
static const Booking *
find_component(const SalesOrder *order, const KitSet *set, int component)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		if (is_of_set(&order->bookings[j], set) && order->bookings[j].component == component)
			return &order->bookings[j];
	}
	return NULL;
}

/* The sets of a line, or of all lines (0). */
static KitSet *
sets_of(const SalesOrder *order, int line_no, int *nsets)
{
	KitSet	   *sets = NULL;
	int			n = 0;

	pool_begun(order);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		bool		known = false;

		if (b->component == 0 || b->release || b->held || (line_no != 0 && b->line_no != line_no))
			continue;
		for (int i = 0; i < n && !known; i++)
			known = is_of_set(b, &sets[i]);
		if (known)
			continue;
		if (sets == NULL)
			sets = palloc0(sizeof(KitSet) * order->nbookings);
		sets[n].line_no = b->line_no;
		sets[n].shipment_no = b->kit_set;
		sets[n].begun = kits_of(order, &sets[n], COUNT_LEFT, true);
		n++;
	}
	for (int i = 0; i < n; i++)
	{
		const OrderLine *line = order_line(unconstify(SalesOrder *, order), sets[i].line_no);

		for (int j = 0; j < order->nbookings; j++)
		{
			const Booking *b = &order->bookings[j];

			if (is_of_set(b, &sets[i]) && (sets[i].latest == NULL || b->deliver_on > sets[i].latest->deliver_on))
				sets[i].latest = b;
		}
		for (int c = 1; line != NULL && sets[i].begun > 0 && c <= line->nparts; c++)
			sets[i].absent |= find_component(order, &sets[i], c) == NULL;
	}
	*nsets = n;
	return sets;
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
	KitSet	   *sets = sets_of(order, line_no, &n);

	for (int i = 0; i < n; i++)
		sum += Max(kits_of(order, &sets[i], COUNT_FIRM, false), sets[i].begun);
	for (int j = 0; j < order->nbookings && !with_new; j++)
	{
		const Booking *b = &order->bookings[j];

		if (is_counted(b, line_no) && b->is_new)
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

	if (line->nparts == 0 || !any_has_left(order, line->line_no))
		return 0;
	sets = sets_of(order, line->line_no, &n);
	for (int i = 0; i < n; i++)
		sum += Max(sets[i].begun - kits_of(order, &sets[i], COUNT_FIRM, false), 0);
	return sum;
}

/*
 * What the begun kits of a line lack, of whichever components.  Not of a kit
 * that has other components now than when it was begun.
 */
int
kits_gaps(const SalesOrder *order, const OrderLine *line, KitGap **gaps)
{
	int			ngaps = 0;
	int			n;
	KitSet	   *sets;

	*gaps = NULL;
	if (line->nparts == 0 || !order->exists || order_is_cancelled(order) ||
		strcmp(line->status, "cancelled") == 0 || !any_has_left(order, line->line_no))
		return 0;
	sets = sets_of(order, line->line_no, &n);
	*gaps = palloc(sizeof(KitGap) * line->nparts);
	for (int i = 0; i < n; i++)
	{
		for (int c = 1; c <= line->nparts && sets[i].begun > 0; c++)
		{
			const LinePart *part = &line->parts[c - 1];
			const Booking *booked = find_component(order, &sets[i], c);
			int64		missing = sets[i].begun / SCALE * part->per - quantity_of(order, &sets[i], c, COUNT_FIRM);
			KitGap	   *gap = &(*gaps)[ngaps];

			if (booked != NULL && (strcmp(booked->item, part->item) != 0 || booked->per != part->per))
				return 0;
			if (missing <= 0)
				continue;
			gap->component = c;
			gap->item = part->item;
			gap->per = part->per;
			gap->missing = missing;
			ngaps++;
		}
	}
	return ngaps;
}

/* Of lines of kits: what has left is every kit that was begun. */
void
kits_sum_shipped(SalesOrder *order)
{
	int			n;
	KitSet	   *sets = sets_of(order, 0, &n);

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

		if (!is_of_set(b, set) || b->is_new || b->component != component || booking_has_left(b))
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
	int64		keep = set->keep / SCALE * per - quantity_of(order, set, component, COUNT_LEFT);
	int64		excess = quantity_of(order, set, component, COUNT_OPEN) - Max(keep, 0);
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
	KitSet	   *sets = sets_of(order, 0, &n);

	for (int i = 0; i < n; i++)
	{
		const OrderLine *line = order_line(order, sets[i].line_no);

		sets[i].now = kits_of(order, &sets[i], COUNT_FIRM, false);
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
		if (sets[i].keep == sets[i].now && !sets[i].anew && kits_of(order, &sets[i], COUNT_ALL, true) <= sets[i].now)
			continue;
		for (int j = 0; j < order->nbookings; j++)
		{
			const Booking *b = &order->bookings[j];

			if (is_of_set(b, &sets[i]) && !b->is_new)
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
	KitSet	   *sets = sets_of(order, line->line_no, &n);

	for (int i = 0; i < n; i++)
	{
		int64		kits = kits_of(order, &sets[i], COUNT_FIRM, false);
		int64		inbound = Min(kits_of(order, &sets[i], COUNT_INBOUND, true), kits);

		*allocated += kits - inbound;
		if (booking_is_late(order, line, sets[i].latest))
			*backordered += inbound;
		else
			*scheduled += inbound;
		*left += Min(kits_of(order, &sets[i], COUNT_LEFT, false), kits - inbound);
	}
}
