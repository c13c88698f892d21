/*
 * planning.c
 *		From an order to a problem of the plan search, and from the plan to
 *		bookings.
 *
 * What is already booked and not to be planned anew is kept; only the open
 * quantity is planned.  Nodes are given to the search in the order that
 * breaks ties (rank, code), lanes by service.
 */
#include "orders/order.h"

#include "base/quantity.h"

#include "miscadmin.h"

StaticAssertDecl(sizeof(AtpStep) == sizeof(SrcStep) &&
				 offsetof(AtpStep, available) == offsetof(SrcStep, available),
				 "the ledger's steps are the search's steps");

#define WORK_LIMIT	200000		/* sets of shipments */

typedef struct PlanContext
{
	SalesOrder *order;
	Ledger	   *ledger;
	bool		only_locked;
} PlanContext;

static void *
plan_alloc(void *arg, size_t size)
{
	return palloc(size);
}

static void
plan_interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

static const NetNode *
candidate_node(const SalesOrder *order, int candidate)
{
	const NetNode *nodes;

	(void) network_nodes(order->net, &nodes);
	return &nodes[order->candidates[candidate]];
}

/* The search asks what a candidate offers of an item. */
static void
plan_profile(void *arg, int32_t node, int32_t item, SrcProfile *out)
{
	PlanContext *ctx = arg;
	SalesOrder *order = ctx->order;
	const OrderLine *line = order->problem_items[item];
	Position   *pos = ledger_get(ctx->ledger, order->tenant_id, line->item,
								 candidate_node(order, node)->node);
	const SrcNode *n = &order->problem.nodes[node];
	const AtpStep *steps;
	OfferRequest req;
	int			transit = 0;

	out->nsteps = 0;
	if (ctx->only_locked && !pos->locked)
		return;
	/* lots must outlive the slowest lane: the search asks once for all of them */
	if (pos->lots.n > 0)
	{
		for (int l = n->first_lane; l < n->first_lane + n->nlanes; l++)
			transit = Max(transit, order->problem.lanes[l].transit_days);
	}
	order_request(order, line, order->todays[node], transit, &req);
	if (pos->slots > 0 && !pos->locked && !pos->merged &&
		!slots_suffice(pos, req.today, order->problem_needs[item]))
		slots_merge(ctx->ledger, pos);
	out->nsteps = position_offer(pos, &req, &steps);
	out->steps = (const SrcStep *) steps;
}

/*
 * The nodes and lanes of a problem depend on the destination zone and the
 * clock only; the orders of a settlement share them.
 */
typedef struct PlanNodes
{
	const ZoneLanes *lanes;
	TimestampTz clock;
	int			nnodes;
	SrcNode    *nodes;
	int			nlanes;
	SrcLane    *src_lanes;
	int		   *candidates;
	DateADT    *todays;
	const Lane **problem_lanes;
	struct PlanNodes *next;
} PlanNodes;

/* Nodes with a lane to the zone, and their lanes. */
static PlanNodes *
make_nodes(const SalesOrder *order)
{
	const ZoneLanes *zl = order->lanes;
	int			n = Max(zl->nlanes, 1);
	PlanNodes  *pn = palloc0(sizeof(PlanNodes));
	const NetNode *all;

	(void) network_nodes(order->net, &all);
	pn->lanes = zl;
	pn->clock = order->clock;
	pn->nodes = palloc0(sizeof(SrcNode) * n);
	pn->src_lanes = palloc(sizeof(SrcLane) * n);
	pn->candidates = palloc(sizeof(int) * n);
	pn->todays = palloc(sizeof(DateADT) * n);
	pn->problem_lanes = palloc(sizeof(Lane *) * n);
	for (int i = 0; i < zl->nlanes; i++)
	{
		const Lane *lane = &zl->lanes[i];
		int			c = pn->nnodes - 1;

		if (!all[lane->node].open)
			continue;
		if (c < 0 || pn->candidates[c] != lane->node)
		{
			c = pn->nnodes++;
			pn->candidates[c] = lane->node;
			/* nodes of one time zone, which often follow each other, share the date */
			pn->todays[c] = (c > 0 && all[pn->candidates[c - 1]].tz == all[lane->node].tz) ?
				pn->todays[c - 1] : node_date(&all[lane->node], order->clock);
			pn->nodes[c].today = pn->todays[c];
			pn->nodes[c].handling = all[lane->node].handling;
			pn->nodes[c].first_lane = pn->nlanes;
		}
		pn->nodes[c].nlanes++;
		pn->problem_lanes[pn->nlanes] = lane;
		pn->src_lanes[pn->nlanes].node = c;
		pn->src_lanes[pn->nlanes].transit_days = lane->transit_days;
		pn->src_lanes[pn->nlanes].base = lane->base;
		pn->src_lanes[pn->nlanes++].per_kg = lane->per_kg;
	}
	return pn;
}

static void
set_nodes(SalesOrder *order, Ledger *ledger)
{
	SrcProblem *p = &order->problem;
	PlanNodes  *pn = ledger->plan_nodes;

	while (pn != NULL && (pn->lanes != order->lanes || pn->clock != order->clock))
		pn = pn->next;
	if (pn == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(ledger->context);

		pn = make_nodes(order);
		pn->next = ledger->plan_nodes;
		ledger->plan_nodes = pn;
		MemoryContextSwitchTo(old);
	}
	order->ncandidates = pn->nnodes;
	order->candidates = pn->candidates;
	order->todays = pn->todays;
	order->problem_lanes = pn->problem_lanes;
	p->nnodes = pn->nnodes;
	p->nodes = pn->nodes;
	p->nlanes = pn->nlanes;
	p->lanes = pn->src_lanes;
}

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
static void
set_lines(SalesOrder *order)
{
	SrcProblem *p = &order->problem;
	SrcLine    *lines = palloc(sizeof(SrcLine) * Max(order->nlines, 1));
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
		l->unit_weight = line->unit_weight;
		l->requested = line_requested(order, line, today);
		l->by_ship_day = order->by_ship_day;
		l->lateness_per_day = order->policy.lateness[order->priority];
		l->backorder_penalty = order->policy.backorder_penalty;
		order->problem_lines[p->nlines++] = i;
	}
	p->lines = lines;
	order->nproblem_lines = p->nlines;
}

bool
order_needs_plan(const SalesOrder *order)
{
	for (int i = 0; i < order->nlines; i++)
	{
		if (order->lines[i].open > 0)
			return true;
	}
	return false;
}

/*
 * Find the plan for what is open, from availability as the ledger reads it.
 * With only_locked, positions that are not locked offer nothing, so that the
 * plan needs no further lock.  Sets order->result and each line's unserved.
 */
void
order_plan(SalesOrder *order, Ledger *ledger, bool only_locked)
{
	SrcProblem *p = &order->problem;
	PlanContext ctx = {order, ledger, only_locked};

	memset(&order->result, 0, sizeof(order->result));
	if (p->nodes == NULL)
		set_nodes(order, ledger);
	set_lines(order);
	p->split_penalty = order->policy.split_penalty;
	p->max_shipments = order->policy.max_shipments;
	p->work_limit = WORK_LIMIT;
	p->profile = plan_profile;
	p->alloc = plan_alloc;
	p->interrupt = plan_interrupt;
	p->arg = &ctx;
	order->planned = true;
	order->result.unread_bound = PG_INT64_MAX;
	order->result.exact = true;
	if (p->nlines == 0 || p->nnodes == 0)
		return;
	plan_search(p, &order->result);
	for (int i = 0; i < p->nlines; i++)
		order->lines[order->problem_lines[i]].unserved = order->result.best.unserved[i];
}

/*
 * Add the plan's parts to the order's bookings, marked as new and not booked
 * in the ledger yet.
 */
void
order_plan_bookings(SalesOrder *order, Ledger *ledger)
{
	const SrcPlan *plan = &order->result.best;
	int			kept = 0;

	/* shipments of earlier decisions keep their numbers */
	for (int j = 0; j < order->nbookings; j++)
		kept = Max(kept, order->bookings[j].shipment_no);
	for (int i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];
		const SrcShipment *s = &plan->shipments[part->shipment];
		OrderLine  *line = &order->lines[order->problem_lines[part->line]];
		Booking    *b = order_add_booking(order);

		b->line_no = line->line_no;
		b->item = line->item;
		b->node = candidate_node(order, s->node)->node;
		b->quantity = part->quantity;
		b->stock.needed_on = s->day;
		b->ship_on = s->day;
		b->deliver_on = s->arrival;
		b->service = order->problem_lanes[s->lane]->service;
		b->shipment_no = kept + part->shipment + 1;
		b->stock.min_expiry = s->arrival + line->min_life;
		b->stock.lot = line->lot;
		b->stock.ship_on = s->day;
		b->stock.npath = order->npath;
		b->stock.path = order->path;
		b->state = order->expires_at != 0 ? BOOKING_HOLD : BOOKING_FIRM;
		b->stock.expires_at = order->expires_at;
		b->firm = true;
		b->is_new = true;
		b->pos = ledger_get(ledger, order->tenant_id, b->item, b->node);
		b->pos->first_row |= b->state == BOOKING_HOLD;
	}
}
