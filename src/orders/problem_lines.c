/*
 * problem_lines.c
 *		The lines of a problem of the plan search: what is open of an order,
 *		and what may serve it.
 */
#include "orders/problem.h"

#include "base/quantity.h"

/* Lines that ask positions for the same share an item of the problem. */
static int
item_number(SalesOrder *order, int *nitems, const OrderLine *line)
{
	for (int i = 0; i < *nitems; i++)
	{
		const OrderLine *o = order->problem_items[i];

		if (strcmp(o->item, line->item) == 0 && strcmp(o->lot, line->lot) == 0 &&
			o->min_life == line->min_life)
			return i;
	}
	for (int i = 0; i < *nitems; i++)
		order->mixed |= strcmp(order->problem_items[i]->item, line->item) == 0;
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

/* Lines with an open quantity that some candidate may serve. */
void
problem_set_lines(SalesOrder *order)
{
	SrcProblem *p = &order->problem;
	SrcLine    *lines = palloc0(sizeof(SrcLine) * Max(order->nlines, 1));
	DateADT		today = order->ncandidates > 0 ? order->todays[0] : 0;
	int			nitems = 0;

	for (int i = 1; i < order->ncandidates; i++)
		today = Min(today, order->todays[i]);
	order->problem_lines = palloc(sizeof(int) * Max(order->nlines, 1));
	order->problem_items = palloc(sizeof(OrderLine *) * Max(order->nlines, 1));
	order->problem_needs = palloc(sizeof(int64) * Max(order->nlines, 1));
	p->nlines = 0;
	order->mixed = false;
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		SrcLine    *l = &lines[p->nlines];

		line->unserved = line->open;
		if (line->open <= 0)
			continue;
		l->pinned_node = -1;
		if (line->pinned != NULL)
		{
			l->pinned_node = find_candidate(order, line->pinned);
			if (l->pinned_node < 0)
				continue;		/* the pinned node has no lane: stays unserved */
		}
		l->item = item_number(order, &nitems, line);
		order->problem_needs[l->item] = scaled_add(order->problem_needs[l->item], line->open);
		l->quantity = line->open;
		l->not_before = PG_INT32_MIN;
		l->latest = PG_INT32_MAX;
		l->group = -1;
		l->sla_penalty = order->terms.sla_penalty;
		l->balance_price = order->terms.stock_balance;
		l->unit_value = line->price;
		l->unit_weight = line->unit_weight;
		l->requested = line_requested(order, line, today);
		l->by_ship_day = order->by_ship_day;
		l->lateness_per_day = order->terms.lateness[order->priority];
		l->backorder_penalty = order->terms.backorder_penalty;
		order->problem_lines[p->nlines++] = i;
	}
	p->lines = lines;
	order->nproblem_lines = p->nlines;
}
