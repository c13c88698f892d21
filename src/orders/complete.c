/*
 * complete.c
 *		What of an order goes together or not at all.
 *
 * A unit is what must go together: a line, the lines of a group, or the whole
 * order.  The search sees to it that what it plans is whole.  What was booked
 * before counts as part of its unit: a unit of which something is open, or
 * that does not go together any more, is planned anew as a whole, apart from
 * what has left and from supply that is dedicated to a line, which go as they
 * are.
 */
#include "orders/complete.h"

static const char *const names[NUM_COMPLETENESS] = {
	"none", "line", "group", "order_one_date", "order_one_shipment", "fill_or_kill"
};

#define NO_UNIT	(-1)

/* False if there is no completeness of that name. */
bool
complete_parse(const char *name, Completeness *value)
{
	for (int i = 0; i < NUM_COMPLETENESS; i++)
	{
		if (strcmp(name, names[i]) == 0)
		{
			*value = (Completeness) i;
			return true;
		}
	}
	return false;
}

/* The unit of a line: the index of its first line, or NO_UNIT. */
static int
unit_of(const SalesOrder *order, int line)
{
	const OrderLine *l = &order->lines[line];

	switch (order->complete)
	{
		case COMPLETE_LINE:
			return line;
		case COMPLETE_GROUP:
			for (int i = 0; l->has_group && i < line; i++)
			{
				if (order->lines[i].has_group && order->lines[i].group == l->group)
					return i;
			}
			return l->has_group || l->unsplittable ? line : NO_UNIT;
		case COMPLETE_ONE_DATE:
		case COMPLETE_ONE_SHIPMENT:
		case COMPLETE_OR_KILL:
			return 0;
		default:
			return l->unsplittable ? line : NO_UNIT;
	}
}

/* The number under which the search carries a line whole, together with others; or -1. */
int
complete_group(const SalesOrder *order, int line)
{
	switch (order->complete)
	{
		case COMPLETE_LINE:
		case COMPLETE_ONE_SHIPMENT:
			return unit_of(order, line);
		case COMPLETE_GROUP:
			return order->lines[line].has_group ? unit_of(order, line) : -1;
		default:
			return -1;
	}
}

/*
 * Some line of the order cannot be served at all: leave out of the "n" lines
 * of its problem what would have to go together with it.  Returns how many
 * stay.
 */
int
complete_drop_lines(SalesOrder *order, SrcLine *lines, int n)
{
	int			kept = 0;

	if (order->complete == COMPLETE_LINE)
		return n;
	if (order->complete != COMPLETE_GROUP)
		return 0;
	for (int i = 0; i < n; i++)
	{
		int			line = order->problem_lines[i];
		bool		whole = true;

		for (int l = 0; l < order->nlines && whole && order->lines[line].has_group; l++)
		{
			bool		there = order->lines[l].open <= 0 || unit_of(order, l) != unit_of(order, line);

			for (int k = 0; k < n && !there; k++)
				there = order->problem_lines[k] == l;
			whole = there;
		}
		if (!whole)
			continue;
		lines[kept] = lines[i];
		order->problem_lines[kept++] = line;
	}
	return kept;
}

/* Whether a booking can still be planned anew. */
static bool
is_movable(const Booking *b)
{
	return b->firm && !b->release && !booking_has_left(b) && b->state != BOOKING_DEDICATED;
}

/* Whether two bookings of a unit go as it wants them to. */
static bool
go_together(const SalesOrder *order, const Booking *a, const Booking *b)
{
	if (order->complete == COMPLETE_OR_KILL)
		return true;
	if (order->complete == COMPLETE_ONE_DATE)
		return a->deliver_on == b->deliver_on;
	return a->ship_on == b->ship_on && strcmp(a->node, b->node) == 0 && strcmp(a->service, b->service) == 0;
}

static int64
open_of(const SalesOrder *order, const OrderLine *line)
{
	int64		open = line->quantity - line->cancelled;

	if (strcmp(line->status, "cancelled") == 0)
		return 0;
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (b->line_no == line->line_no && b->firm && !b->release && strcmp(booking_for(b), line->item) == 0 &&
			(!line->replan || booking_has_left(b)))
			open -= booking_serves(b);
	}
	return open;
}

static bool
is_broken(const SalesOrder *order, int unit)
{
	const Booking *first = NULL;

	for (int l = unit; l < order->nlines; l++)
	{
		if (unit_of(order, l) == unit && open_of(order, &order->lines[l]) > 0)
			return true;
	}
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		const OrderLine *line = order_line(unconstify(SalesOrder *, order), b->line_no);

		if (line == NULL || !is_movable(b) || unit_of(order, (int) (line - order->lines)) != unit)
			continue;
		if (first != NULL && !go_together(order, first, b))
			return true;
		first = b;
	}
	return false;
}

static bool
any_unit(const SalesOrder *order)
{
	if (order->complete != COMPLETE_NONE)
		return true;
	for (int l = 0; l < order->nlines; l++)
	{
		if (order->lines[l].unsplittable)
			return true;
	}
	return false;
}

/* Mark the lines of broken units to be planned anew. */
void
complete_mark(SalesOrder *order)
{
	if (!order->exists || order_is_cancelled(order) || order->from_hold != NULL ||
		order->nbookings == 0 || !any_unit(order))
		return;
	for (int l = 0; l < order->nlines; l++)
	{
		if (unit_of(order, l) != l || !is_broken(order, l))
			continue;
		for (int j = 0; j < order->nbookings; j++)
		{
			OrderLine  *line = order_line(order, order->bookings[j].line_no);

			if (line != NULL && is_movable(&order->bookings[j]) &&
				unit_of(order, (int) (line - order->lines)) == l)
				line->replan = true;
		}
	}
}

/*
 * Whether every unit is served whole or not at all.  Others who were faster
 * may have left a plan in pieces; then the order is to be routed again.
 */
bool
complete_holds(const SalesOrder *order)
{
	if (!order->exists || order_is_cancelled(order) || !any_unit(order))
		return true;
	for (int l = 0; l < order->nlines; l++)
	{
		int			unit = unit_of(order, l);

		if (order->lines[l].unserved <= 0 || unit == NO_UNIT)
			continue;
		for (int j = 0; j < order->nbookings; j++)
		{
			const OrderLine *line = order_line(unconstify(SalesOrder *, order), order->bookings[j].line_no);

			if (line != NULL && is_movable(&order->bookings[j]) &&
				unit_of(order, (int) (line - order->lines)) == unit)
				return false;
		}
	}
	return true;
}

/* What of it nothing could serve whole, for the ERP's user to read; or NULL. */
const char *
complete_reason(const SalesOrder *order, const OrderLine *line)
{
	switch (order->complete)
	{
		case COMPLETE_LINE:
			return "the line cannot go whole in one shipment";
		case COMPLETE_GROUP:
			return line->has_group ? "its group cannot go whole in one shipment" : NULL;
		case COMPLETE_ONE_DATE:
			return "the order cannot arrive whole on one day";
		case COMPLETE_ONE_SHIPMENT:
			return "the order cannot go whole in one shipment";
		case COMPLETE_OR_KILL:
			return "the order cannot be served whole in time";
		default:
			return NULL;
	}
}
