/*
 * side.c
 *		One of two plans of an order that are put side by side: what was
 *		recorded, and what would be.
 *
 * Both are brought into one form: parts of a line that leave a node together
 * are one, whether they rest on stock or on inbound, and come in one order;
 * the components of a kit, and substitutes, each for themselves.
 */
#include "orders/side.h"

#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

static int
compare_parts(const void *a, const void *b)
{
	const SidePart *x = a;
	const SidePart *y = b;
	int			c;

	if (x->line_no != y->line_no)
		return x->line_no < y->line_no ? -1 : 1;
	if ((c = strcmp(x->node, y->node)) != 0 || (c = strcmp(x->service, y->service)) != 0)
		return c;
	if (x->ship_on != y->ship_on)
		return x->ship_on < y->ship_on ? -1 : 1;
	if (x->deliver_on != y->deliver_on)
		return x->deliver_on < y->deliver_on ? -1 : 1;
	return strcmp(x->item, y->item);
}

static int
compare_loads(const void *a, const void *b)
{
	return strcmp(((const SideLoad *) a)->node, ((const SideLoad *) b)->node);
}

static void
add_unserved(PlanSide *side, int line_no, int64 quantity)
{
	if (quantity <= 0)
		return;
	side->lines[side->nlines] = line_no;
	side->unserved[side->nlines++] = quantity;
	side->backordered = scaled_add(side->backordered, quantity);
}

static void
init(PlanSide *side, int nparts, int nlines)
{
	memset(side, 0, sizeof(*side));
	side->parts = palloc(sizeof(SidePart) * Max(nparts, 1));
	side->lines = palloc(sizeof(int) * Max(nlines, 1));
	side->unserved = palloc(sizeof(int64) * Max(nlines, 1));
}

/* Sort the parts, join those that are one, and work out what follows. */
static void
finish(PlanSide *side)
{
	int			kept = 0;

	qsort(side->parts, side->nparts, sizeof(SidePart), compare_parts);
	for (int i = 0; i < side->nparts; i++)
	{
		if (kept > 0 && compare_parts(&side->parts[kept - 1], &side->parts[i]) == 0)
			side->parts[kept - 1].quantity += side->parts[i].quantity;
		else
			side->parts[kept++] = side->parts[i];
	}
	side->nparts = kept;
	side->loads = palloc(sizeof(SideLoad) * Max(kept, 1));
	side->has_promised = kept > 0 && side->nlines == 0;
	side->promised = DATEVAL_NOBEGIN;
	for (int i = 0; i < kept; i++)
	{
		const SidePart *p = &side->parts[i];
		bool		seen = false;
		bool		line_seen = false;
		int			l = 0;

		side->promised = Max(side->promised, p->deliver_on);
		for (int k = 0; k < i; k++)
		{
			const SidePart *o = &side->parts[k];

			if (strcmp(o->node, p->node) != 0)
				continue;
			seen |= o->ship_on == p->ship_on && strcmp(o->service, p->service) == 0;
			line_seen |= o->line_no == p->line_no;
		}
		side->nshipments += !seen;
		while (l < side->nloads && strcmp(side->loads[l].node, p->node) != 0)
			l++;
		if (l == side->nloads)
		{
			side->loads[l].node = p->node;
			side->loads[l].nlines = 0;
			side->loads[l].units = 0;
			side->nloads++;
		}
		side->loads[l].nlines += !line_seen;
		if (p->counts)
			side->loads[l].units = scaled_add(side->loads[l].units,
											  (int64) (((int128) p->quantity * SCALE + p->per / 2) / p->per));
	}
	qsort(side->loads, side->nloads, sizeof(SideLoad), compare_loads);
}

/* How late the last part of a line is. */
static int
line_days_late(const PlanSide *side, int line_no, DateADT wanted, bool by_ship_day)
{
	int			late = 0;

	for (int i = 0; i < side->nparts; i++)
	{
		const SidePart *p = &side->parts[i];

		if (p->line_no == line_no)
			late = Max(late, (by_ship_day ? p->ship_on : p->deliver_on) - wanted);
	}
	return late;
}

/*
 * The component of its line's kit that a recorded part is, from 1, or 0: they
 * are numbered by their codes.
 */
int
record_component(const DecisionRecord *d, int part)
{
	const char *item = NULL;
	int			number = 0;

	while (d->parts[part].component && (item == NULL || strcmp(item, d->parts[part].item) != 0))
	{
		const char *next = d->parts[part].item;

		for (int k = 0; k < d->nparts; k++)
		{
			const RecordPart *p = &d->parts[k];

			if (p->component && p->line_no == d->parts[part].line_no && strcmp(p->item, next) < 0 &&
				(item == NULL || strcmp(p->item, item) > 0))
				next = p->item;
		}
		item = next;
		number++;
	}
	return number;
}

/* What a decision came to, what it kept of earlier ones included. */
void
side_of_record(PlanSide *side, const DecisionRecord *d, bool by_ship_day)
{
	init(side, d->nparts, d->nlines);
	for (int i = 0; i < d->nparts; i++)
	{
		const RecordPart *part = &d->parts[i];
		SidePart   *p = &side->parts[side->nparts++];

		p->line_no = part->line_no;
		p->node = part->node;
		p->service = part->service ? part->service : "";
		p->ship_on = part->ship_on;
		p->deliver_on = part->deliver_on;
		p->quantity = part->quantity;
		p->item = part->item ? part->item : "";
		p->per = part->item ? part->per : SCALE;
		p->counts = record_component(d, i) <= 1;
	}
	for (int i = 0; i < d->nlines; i++)
		add_unserved(side, d->lines[i].line_no, d->lines[i].unserved);
	finish(side);
	for (int i = 0; i < d->nlines; i++)
	{
		if (d->lines[i].has_wanted)
			side->days_late += line_days_late(side, d->lines[i].line_no, d->lines[i].wanted, by_ship_day);
	}
}

/* What an order in hand has booked. */
void
side_of_order(PlanSide *side, const SalesOrder *order)
{
	init(side, order->nbookings, order->nlines);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		SidePart   *p = &side->parts[side->nparts];

		if (b->release || !b->firm)
			continue;
		side->nparts++;
		p->line_no = b->line_no;
		p->node = b->node;
		p->service = b->service ? b->service : "";
		p->ship_on = b->ship_on;
		p->deliver_on = b->deliver_on;
		p->quantity = b->quantity;
		p->item = b->of ? b->item : "";
		p->per = b->of ? b->per : SCALE;
		p->counts = b->component <= 1;
	}
	for (int i = 0; i < order->nlines; i++)
		add_unserved(side, order->lines[i].line_no, order->lines[i].unserved);
	finish(side);
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];

		if (line->has_requested || order->has_requested)
			side->days_late += line_days_late(side, line->line_no,
											  line->has_requested ? line->requested : order->requested,
											  order->by_ship_day);
	}
	side->cost = order->cost;
}

/* Whether they are different plans; what they cost is not compared. */
bool
sides_differ(const PlanSide *a, const PlanSide *b)
{
	if (a->nparts != b->nparts || a->nlines != b->nlines)
		return true;
	for (int i = 0; i < a->nparts; i++)
	{
		if (compare_parts(&a->parts[i], &b->parts[i]) != 0 || a->parts[i].quantity != b->parts[i].quantity)
			return true;
	}
	for (int i = 0; i < a->nlines; i++)
	{
		if (a->lines[i] != b->lines[i] || a->unserved[i] != b->unserved[i])
			return true;
	}
	return false;
}

/* The nodes it ships from, by code; then, in the same order, lines and units from each. */
Datum
side_nodes(const PlanSide *side)
{
	Datum	   *v = palloc(sizeof(Datum) * Max(side->nloads, 1));

	for (int i = 0; i < side->nloads; i++)
		v[i] = CStringGetTextDatum(side->loads[i].node);
	return PointerGetDatum(construct_array(v, side->nloads, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum
side_node_lines(const PlanSide *side)
{
	Datum	   *v = palloc(sizeof(Datum) * Max(side->nloads, 1));

	for (int i = 0; i < side->nloads; i++)
		v[i] = Int32GetDatum(side->loads[i].nlines);
	return PointerGetDatum(construct_array(v, side->nloads, INT4OID, 4, true, TYPALIGN_INT));
}

Datum
side_node_units(const PlanSide *side)
{
	Datum	   *v = palloc(sizeof(Datum) * Max(side->nloads, 1));

	for (int i = 0; i < side->nloads; i++)
		v[i] = NumericGetDatum(scaled_to_numeric(side->loads[i].units));
	return PointerGetDatum(construct_array(v, side->nloads, NUMERICOID, -1, false, TYPALIGN_INT));
}
