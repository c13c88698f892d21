/*
 * problem_lines.c
 *		The lines of a problem of the plan search: what is open of an order,
 *		and what may serve it.
 */
#include "orders/complete.h"
#include "orders/parts.h"
#include "orders/resolve.h"

#include "base/quantity.h"

/* Lines that ask positions for the same share an item of the problem. */
static int
item_number(SalesOrder *order, int *nitems, const OrderLine *line)
{
	for (int i = 0; i < *nitems; i++)
	{
		const OrderLine *o = order->problem_items[i];

		if (strcmp(o->item, line->item) == 0 && strcmp(o->lot, line->lot) == 0 &&
			o->min_life == line->min_life && o->in_front == line->in_front && o->substitute == line->substitute && o->completes == line->completes)
			return i;
	}
	for (int i = 0; i < *nitems; i++)
	{
		const OrderLine *o = order->problem_items[i];

		order->mixed |= strcmp(o->item, line->item) == 0 && o->substitute == NULL && line->substitute == NULL &&
			o->completes == NULL && line->completes == NULL;
	}
	order->problem_items[*nitems] = line;
	order->problem_needs[*nitems] = 0;
	return (*nitems)++;
}

/* Index among the candidates, or -1. */
static int
find_candidate(const SalesOrder *order, const char *node)
{
	int			n = network_find_node(order->net, node);

	for (int i = 0; i < order->ncandidates; i++)
	{
		if (order->candidates[i] == n)
			return i;
	}
	return -1;
}

/* The day a line is wanted; without one, as soon as possible: today. */
static DateADT
line_requested(const SalesOrder *order, const OrderLine *line, DateADT today)
{
	if (line->has_requested)
		return line->requested;
	return order->has_requested ? order->requested : today;
}

/* The last day, as the requested one is meant, for which a line may be promised. */
static DateADT
line_latest(const SalesOrder *order, const OrderLine *line, DateADT requested, uint32 relaxed)
{
	DateADT		latest = PG_INT32_MAX;

	if (line->has_requested || order->has_requested)
	{
		if (order->max_late_days >= 0)
			latest = requested + order->max_late_days;
		else if (line->terms->max_late_days >= 0 && !(relaxed & SOFT_MAX_LATENESS))
			latest = requested + line->terms->max_late_days;
		if (order->complete == COMPLETE_OR_KILL)
			latest = Min(latest, requested);
	}
	if (order->has_cancel_after)
		latest = Min(latest, order->cancel_after);
	return latest;
}

/* What a shipment may carry of a line. */
static void
set_parts(const SalesOrder *order, const OrderLine *line, SrcLine *l, uint32 relaxed)
{
	l->max_part = line->max_ship;
	l->multiple = line->ship_multiple;
	/* the rest of a larger line may be less */
	l->min_part = line->quantity - line->cancelled >= line->min_ship ? Min(line->min_ship, line->open) : line->min_ship;
	if (line->unsplittable)
		l->split_min = line->open;
	else if (!(relaxed & SOFT_SPLIT_MIN))
		l->split_min = line->terms->split_min_quantity;
}

/* "amount" is for all that is open of a line; its share for a part of that. */
static int64
share_of(int64 amount, int64 quantity, int64 open)
{
	return quantity == open ? amount : (int64) (((int128) amount * quantity + open / 2) / open);
}

/* A line of the problem: all that is open of line "i" of the order, or a part as "line" says. */
static void
add_line(SalesOrder *order, SrcLine *l, int *nitems, int i, const OrderLine *line, DateADT today, int pinned,
		 uint32 relaxed)
{
	int64		open = line->completes != NULL ? line->open : order->lines[i].open;
	int64		quantity = line->open;

	l->pinned_node = pinned;
	l->item = item_number(order, nitems, line);
	order->problem_needs[l->item] = scaled_add(order->problem_needs[l->item], quantity);
	l->quantity = quantity;
	l->unit_weight = line->unit_weight;
	l->unit_value = line->has_price ? line->price : line->unit_cost;
	l->requested = line_requested(order, line, today);
	l->by_ship_day = order->by_ship_day;
	l->early_ok = order->early_ok;
	l->not_before = order->has_not_before ? order->not_before : PG_INT32_MIN;
	l->latest = line_latest(order, line, l->requested, relaxed);
	l->group = order->complete == COMPLETE_NONE || line->completes != NULL ? -1 : complete_group(order, i);
	l->sla_penalty = share_of(order->sla_penalty != POLICY_NONE ? order->sla_penalty : line->terms->sla_penalty,
							  quantity, open);
	l->balance_price = share_of(line->terms->stock_balance, quantity, open);
	l->lateness_per_day = share_of(line->terms->lateness[order->priority], quantity, open);
	l->backorder_penalty = share_of(line->terms->backorder_penalty, quantity, open);
	set_parts(order, line, l, relaxed);
	if (line->nparts > 0 && line_step(line) > Max(l->multiple, 1))
		l->multiple = line_step(line);
}

/* What is open of line "i" of the order, divided by what serves it; returns how many lines that makes. */
static int
add_lines(SalesOrder *order, SrcLine *lines, int *nitems, int i, DateADT today, int pinned, uint32 relaxed)
{
	OrderLine  *line = &order->lines[i];
	int			n = 0;
	int64		rest = line->open;
	OrderLine  *own = line;

	for (int k = 0; k < order->nswaps; k++)
	{
		if (order->swaps[k].line != i)
			continue;
		if (own == line)
		{
			own = palloc(sizeof(OrderLine));
			*own = *line;
		}
		order->swaps[k].as->open = Min(order->swaps[k].quantity, rest);
		rest -= order->swaps[k].as->open;
		own->open = rest;
	}
	/* its own item first: what is given back of a line is what was booked last */
	if (rest > 0)
		add_line(order, &lines[n++], nitems, i, own, today, pinned, relaxed);
	for (int k = 0; k < order->nswaps; k++)
	{
		if (order->swaps[k].line == i && order->swaps[k].as->open > 0)
			add_line(order, &lines[n++], nitems, i, order->swaps[k].as, today, pinned, relaxed);
	}
	return n;
}

/*
 * What begun kits of line "i" lack, each component as a line of its own, in its
 * own units; returns how many lines that makes.
 */
static int
add_gaps(SalesOrder *order, SrcLine *lines, int *nitems, int i, const KitGap *gaps, int ngaps, DateADT today,
		 int pinned)
{
	int			n = 0;

	for (int g = 0; g < ngaps; g++)
	{
		OrderLine  *as = palloc(sizeof(OrderLine));
		LinePart   *part = palloc(sizeof(LinePart));

		*as = order->lines[i];
		part->item = gaps[g].item;
		part->per = SCALE;
		as->nparts = 1;
		as->parts = part;
		as->completes = &gaps[g];
		as->quantity = as->open = gaps[g].missing;
		as->cancelled = 0;
		as->min_ship = as->max_ship = as->ship_multiple = 0;
		if (order_resolve_substitute(order, as, part->item, SCALE))
			add_line(order, &lines[n++], nitems, i, as, today, pinned, 0);
	}
	return n;
}

/*
 * Lines with an open quantity that some candidate may serve.  Returns the
 * number of items of the problem.
 */
int
problem_set_lines(SalesOrder *order, uint32 relaxed)
{
	SrcProblem *p = &order->problem;
	int			most = Max(order->nlines + order->nswaps, 1);
	KitGap	  **gaps = palloc0(sizeof(KitGap *) * Max(order->nlines, 1));
	int		   *ngaps = palloc0(sizeof(int) * Max(order->nlines, 1));
	SrcLine    *lines;
	DateADT		today = order->ncandidates > 0 ? order->todays[0] : 0;
	bool		impossible = false;
	int			nitems = 0;

	for (int i = 1; i < order->ncandidates; i++)
		today = Min(today, order->todays[i]);
	/* a second pass has nothing to add to these */
	for (int i = 0; i < order->nlines && relaxed == 0; i++)
	{
		ngaps[i] = kits_gaps(order, &order->lines[i], &gaps[i]);
		most += ngaps[i];
	}
	lines = palloc0(sizeof(SrcLine) * most);
	order->problem_lines = palloc(sizeof(int) * most);
	order->problem_items = palloc(sizeof(OrderLine *) * most);
	order->problem_needs = palloc(sizeof(int64) * most);
	p->nlines = 0;
	order->mixed = false;
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		int			pinned = -1;
		int			n;

		line->unserved = line->open;
		if (line->open <= 0 && ngaps[i] == 0)
			continue;
		if (line->pinned != NULL)
		{
			pinned = find_candidate(order, line->pinned);
			if (pinned < 0)
			{
				/* the pinned node has no lane: stays unserved, with what goes together with it */
				impossible = true;
				continue;
			}
		}
		n = line->open > 0 ? add_lines(order, &lines[p->nlines], &nitems, i, today, pinned, relaxed) : 0;
		n += add_gaps(order, &lines[p->nlines + n], &nitems, i, gaps[i], ngaps[i], today, pinned);
		while (n-- > 0)
			order->problem_lines[p->nlines++] = i;
	}
	if (impossible && order->complete != COMPLETE_NONE)
		p->nlines = complete_drop_lines(order, lines, p->nlines);
	p->lines = lines;
	order->nproblem_lines = p->nlines;
	parts_find_shared(order, nitems);
	return nitems;
}
