/*
 * kit_set.c
 *		The bookings of kits that belong together.
 *
 * Those of one shipment are a set.  All sets of a line of which something has
 * left are one, with the shipments that complete them: those that have not all
 * components.
 */
#include "orders/kit_set.h"

#include "base/quantity.h"

/* Whether a booking is one of a set, as kit_sets() divided them. */
bool
kit_set_has(const Booking *b, const KitSet *set)
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
int64
kit_set_quantity(const SalesOrder *order, const KitSet *set, int component, Counted what)
{
	int64		sum = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (kit_set_has(b, set) && b->component == component && counts(b, what))
			sum += b->quantity;
	}
	return sum;
}

/* Whole kits: the least or the most that a component stands for, rounded down or up. */
int64
kit_set_kits(const SalesOrder *order, const KitSet *set, Counted what, bool most)
{
	int64		result = most || set->absent ? 0 : PG_INT64_MAX;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		int64		quantity;

		if (!kit_set_has(b, set))
			continue;
		quantity = kit_set_quantity(order, set, b->component, what);
		if (most)
			result = Max(result, (quantity + b->per - 1) / b->per * SCALE);
		else
			result = Min(result, quantity / b->per * SCALE);
	}
	return result;
}

/* Whether a booking is of a line of kits and there, or about to be. */
bool
kit_counts(const Booking *b, int line_no)
{
	return b->component > 0 && b->line_no == line_no && !b->release && !b->held;
}

/* Whether anything of a line of kits has left. */
bool
kits_have_left(const SalesOrder *order, int line_no)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		if (kit_counts(&order->bookings[j], line_no) && booking_has_left(&order->bookings[j]))
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

		if (!kit_counts(b, line_no))
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

		if (!kit_counts(left, left->line_no) || !booking_has_left(left))
			continue;
		for (int k = 0; k < order->nbookings; k++)
		{
			Booking    *b = &order->bookings[k];

			if (b->kit_set != first && kit_counts(b, left->line_no) &&
				is_begun_or_completes(order, b->line_no, b->shipment_no))
				b->kit_set = first;
		}
	}
}

/* The booking of a component in a set, or NULL. */
const Booking *
kit_set_component(const SalesOrder *order, const KitSet *set, int component)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		if (kit_set_has(&order->bookings[j], set) && order->bookings[j].component == component)
			return &order->bookings[j];
	}
	return NULL;
}

/* Whether a set is of the components that its kit has now. */
static bool
is_up_to_date(const SalesOrder *order, const KitSet *set, const OrderLine *line)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (kit_set_has(b, set) &&
			(b->component > line->nparts || strcmp(b->item, line->parts[b->component - 1].item) != 0 ||
			 b->per != line->parts[b->component - 1].per))
			return false;
	}
	return true;
}

/* The sets of a line, or of all lines (0). */
KitSet *
kit_sets(const SalesOrder *order, int line_no, int *nsets)
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
			known = kit_set_has(b, &sets[i]);
		if (known)
			continue;
		if (sets == NULL)
			sets = palloc0(sizeof(KitSet) * order->nbookings);
		sets[n].line_no = b->line_no;
		sets[n].shipment_no = b->kit_set;
		sets[n].begun = kit_set_kits(order, &sets[n], COUNT_LEFT, true);
		n++;
	}
	for (int i = 0; i < n; i++)
	{
		const OrderLine *line = order_line(unconstify(SalesOrder *, order), sets[i].line_no);

		for (int j = 0; j < order->nbookings; j++)
		{
			const Booking *b = &order->bookings[j];

			if (kit_set_has(b, &sets[i]) && (sets[i].latest == NULL || b->deliver_on > sets[i].latest->deliver_on))
				sets[i].latest = b;
		}
		sets[i].up_to_date = line != NULL && is_up_to_date(order, &sets[i], line);
		for (int c = 1; sets[i].up_to_date && sets[i].begun > 0 && c <= line->nparts; c++)
			sets[i].absent |= kit_set_component(order, &sets[i], c) == NULL;
	}
	*nsets = n;
	return sets;
}
