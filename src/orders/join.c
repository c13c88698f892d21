/*
 * join.c
 *		One plan added to another: the second pass of a decision to its first.
 *
 * Shipments of both that are the same become one.  The same two plans give
 * the same whole, so that a decision is made again from its two passes.
 */
#include "orders/problem.h"

/* The shipment of a plan that is the same as another's, or -1. */
static int
same_shipment(const SrcPlan *plan, const SrcShipment *s)
{
	for (int i = 0; i < plan->nshipments; i++)
	{
		if (plan->shipments[i].node == s->node && plan->shipments[i].lane == s->lane &&
			plan->shipments[i].ship == s->ship && plan->shipments[i].day == s->day)
			return i;
	}
	return -1;
}

/* Take over a shipment of the second plan; returns its index in the first. */
static int
add_shipment(SrcPlan *a, const SrcShipment *s, int64 split_penalty)
{
	int			i = same_shipment(a, s);

	a->freight += s->by_weight;
	a->total += s->by_weight;
	if (i >= 0)
	{
		a->shipments[i].weight += s->weight;
		a->shipments[i].by_weight += s->by_weight;
		return i;
	}
	i = a->nshipments++;
	a->shipments[i] = *s;
	a->shipments[i].split = i > 0 ? split_penalty : 0;
	a->handling += s->handling;
	a->preference += s->preference;
	a->distance += s->distance;
	a->capacity += s->capacity;
	a->freight += s->base;
	a->split += a->shipments[i].split;
	a->total += s->handling + s->preference + s->distance + s->capacity + s->base + a->shipments[i].split;
	return i;
}

static void
add_part(SrcPlan *a, const SrcPart *part, int line, int shipment)
{
	SrcPart    *p = &a->parts[a->nparts++];

	*p = *part;
	p->line = line;
	p->shipment = shipment;
	a->unserved[line] -= part->quantity;
	a->lateness += part->lateness;
	a->goods += part->goods;
	a->custom += part->custom;
	a->risk += part->risk;
	a->balance += part->balance;
	a->total += part->lateness + part->goods + part->custom + part->risk + part->balance;
}

/* Parts are ordered by line, then shipment. */
static int
compare_parts(const void *x, const void *y)
{
	const SrcPart *a = x;
	const SrcPart *b = y;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->shipment < b->shipment ? -1 : a->shipment > b->shipment;
}

/*
 * The first plan with the second one added.  "lines", "nodes" and "lanes" lead
 * from the numbers of the second to those of the first; NULL: they are the same.
 */
void
plans_join(SrcPlan *a, const SrcPlan *b, const int *lines, const int *nodes, const int *lanes, int64 split_penalty)
{
	SrcShipment *shipments = palloc(sizeof(SrcShipment) * (a->nshipments + b->nshipments + 1));
	SrcPart    *parts = palloc(sizeof(SrcPart) * (a->nparts + b->nparts + 1));

	if (a->nshipments > 0)
		memcpy(shipments, a->shipments, sizeof(SrcShipment) * a->nshipments);
	if (a->nparts > 0)
		memcpy(parts, a->parts, sizeof(SrcPart) * a->nparts);
	a->shipments = shipments;
	a->parts = parts;
	for (int s = 0; s < b->nshipments; s++)
	{
		SrcShipment own = b->shipments[s];
		int			shipment;

		own.node = nodes != NULL ? nodes[own.node] : own.node;
		own.lane = lanes != NULL ? lanes[own.lane] : own.lane;
		shipment = add_shipment(a, &own, split_penalty);
		for (int i = 0; i < b->nparts; i++)
		{
			if (b->parts[i].shipment == s)
				add_part(a, &b->parts[i], lines[b->parts[i].line], shipment);
		}
	}
	qsort(a->parts, a->nparts, sizeof(SrcPart), compare_parts);
	/* what is still unserved costs less */
	a->total -= a->backorder;
	a->backorder = b->backorder;
	a->total += a->backorder;
}
