/*
 * planning.c
 *		From an order to a problem of the plan search, and from the plan to
 *		bookings.
 *
 * What is already booked and not to be planned anew is kept; only the open
 * quantity is planned.  Nodes are given to the search in the order that
 * breaks ties (rank, code), lanes by service.
 */
#include "orders/eligibility.h"
#include "orders/parts.h"
#include "sourcing/pack.h"

#include "base/quantity.h"
#include "ledger/capacity.h"
#include "sourcing/dates.h"

#include "miscadmin.h"

StaticAssertDecl(sizeof(AtpStep) == sizeof(SrcStep) &&
				 offsetof(AtpStep, available) == offsetof(SrcStep, available),
				 "the ledger's steps are the search's steps");

#define WORK_LIMIT		200000	/* sets of shipments */
#define MOST_SHIPMENTS	20		/* that a policy can allow */

/* Memory for the search, whose numbers of 16 bytes want more alignment than palloc gives. */
void *
problem_alloc(void *arg, size_t size)
{
	char	   *memory = palloc_extended(size + 8, MCXT_ALLOC_HUGE);

	return (void *) TYPEALIGN(16, memory);
}

void
problem_interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/*
 * Days from the day stock is needed until a shipment of the lane arrives.
 * Where days off make them vary, the most in the two weeks from the node's
 * today and from the day the line is wanted.
 */
static int
lane_span(const SrcProblem *p, const SrcLane *lane, const OrderLine *line)
{
	const SrcNode *n = &p->nodes[lane->node];
	int			span = n->handling_days + lane->transit_days;
	int32		from[2] = {n->today, line->has_requested ? line->requested - span : n->today};

	if (n->calendar == NULL && lane->pickup == NULL && lane->transit == NULL && p->receiving == NULL)
		return span;
	for (int k = 0; k < 2; k++)
	{
		int32		ship = from[k];

		for (int i = 0; i < 14; i++)
		{
			int32		arrival;

			ship = calendar_from(lane->pickup, ship);
			arrival = src_arrival_day(p, lane, ship);
			if (arrival == CALENDAR_NEVER)
				break;
			span = Max(span, arrival - src_stock_day(p, lane, ship));
			ship++;
		}
	}
	return span;
}

/* What a node keeps back is not offered. */
static void
keep_back(SrcProfile *profile, int64 quantity)
{
	SrcStep    *steps = palloc(sizeof(SrcStep) * Max(profile->nsteps, 1));

	for (int i = 0; i < profile->nsteps; i++)
	{
		steps[i] = profile->steps[i];
		steps[i].available = Max(steps[i].available - quantity, 0);
	}
	profile->steps = steps;
}

/*
 * What a candidate offers of an item to the lines that the search knows as
 * "number"; they take "per" of it for each of their units.
 */
void
item_profile(PlanContext *ctx, int node, int number, const char *item, int64 per, SrcProfile *out)
{
	SalesOrder *order = ctx->order;
	const OrderLine *line = order->problem_items[number];
	Position   *pos = ledger_get_if_any(ctx->ledger, order->tenant_id, item, order_candidate(order, node)->node);
	const SrcNode *n = &order->problem.nodes[node];
	const AtpStep *steps;
	OfferRequest req;
	int64		kept;
	int			transit = 0;

	out->nsteps = 0;
	out->steps = NULL;
	if (pos == NULL || (ctx->only_locked && !pos->locked))
		return;
	/* lots must outlive the slowest lane: the search asks once for all of them */
	if (pos->lots.n > 0)
	{
		for (int l = n->first_lane; l < n->first_lane + n->nlanes; l++)
			transit = Max(transit, lane_span(&order->problem, &order->problem.lanes[l], line));
	}
	order_request(order, line, item, order->todays[node], transit, &req);
	if (pos->slots > 0 && !pos->locked && !pos->merged &&
		!slots_suffice(pos, req.today, per == SCALE ? order->problem_needs[number] :
					   (int64) ((int128) order->problem_needs[number] * per / SCALE)))
		slots_merge(ctx->ledger, pos);
	out->nsteps = position_offer(pos, &req, &steps);
	out->steps = (const SrcStep *) steps;
	kept = order_keeps_back(order, line, order->candidates[node], ctx->relaxed);
	if (kept > 0)
		keep_back(out, kept);
	if (ctx->taken != NULL)
		relax_take(ctx, node, item, out);
	parts_apply_quota(ctx, node, number, item, out);
}

/* The search asks what a candidate offers of an item. */
static void
plan_profile(void *arg, int32_t node, int32_t item, SrcProfile *out)
{
	PlanContext *ctx = arg;
	const OrderLine *line = ctx->order->problem_items[item];

	if (ctx->widened != NULL)
	{
		widened_profile(ctx, node, item, out);
		return;
	}
	if (line->nparts > 0)
		parts_profile(ctx, node, item, out);
	else
		item_profile(ctx, node, item, line->item, SCALE, out);
	src_note_profile(&ctx->order->problem, &ctx->asked, node, item, out);
}

bool
order_needs_plan(const SalesOrder *order)
{
	for (int i = 0; i < order->nlines; i++)
	{
		KitGap	   *gaps;

		if (order->lines[i].open > 0 || kits_gaps(order, &order->lines[i], &gaps) > 0)
			return true;
	}
	return false;
}

/* The search asks what a node can still ship on a day. */
static void
plan_room(void *arg, int32_t node, int32_t ship_day, SrcRoom *out)
{
	PlanContext *ctx = arg;

	order_room(ctx->order, order_candidate(ctx->order, node)->node, ship_day, out);
	if (ctx->taken != NULL)
		relax_take_room(ctx, node, ship_day, out);
	src_note_room(&ctx->order->problem, &ctx->asked, node, ship_day, out);
}

/*
 * Set the problem of what is open of an order, with availability as the ledger
 * reads it.  With only_locked, positions that are not locked offer nothing, so
 * that the plan needs no further lock.  False if there is nothing to search.
 */
bool
order_set_problem(SalesOrder *order, Ledger *ledger, bool only_locked)
{
	return order_set_problem_relaxed(order, ledger, only_locked, 0);
}

/* The same with the constraints "relaxed" (SOFT_...) left out. */
bool
order_set_problem_relaxed(SalesOrder *order, Ledger *ledger, bool only_locked, uint32 relaxed)
{
	SrcProblem *p = &order->problem;
	PlanContext *ctx = palloc0(sizeof(PlanContext));

	ctx->order = order;
	ctx->ledger = ledger;
	ctx->only_locked = only_locked;
	order->uses_known = false;
	ctx->relaxed = relaxed;
	if (p->nodes == NULL)
		problem_set_nodes(order);
	ctx->nitems = problem_set_lines(order, relaxed);
	eligibility_set_lines(order, relaxed);
	substitutes_set_terms(order);
	if (order->imposed == NULL)
		problem_set_stocked(order, ledger, ctx->nitems);
	/* a second pass finds the same as the first; what-if knows of others, or of none */
	if (order->terms.consolidate && relaxed == 0 && (order->imposed == NULL || order->opens != NULL))
		order_join_open(order, ledger);
	p->split_penalty = order->terms.split_penalty;
	p->split_min_value = (relaxed & SOFT_SPLIT_MIN) ? 0 : order->terms.split_min_value;
	p->max_shipments = (relaxed & SOFT_MAX_SHIPMENTS) ? MOST_SHIPMENTS : order->terms.max_shipments;
	p->one_date = order->complete == COMPLETE_ONE_DATE;
	p->all_or_nothing = order->complete == COMPLETE_OR_KILL;
	p->work_limit = WORK_LIMIT;
	p->unread_bound = PG_INT64_MAX;
	p->profile = plan_profile;
	p->room = order->days != NULL || (capacity_any() && order->imposed == NULL) ? plan_room : NULL;
	p->alloc = problem_alloc;
	p->interrupt = problem_interrupt;
	p->arg = ctx;
	if (order->alter_problem != NULL && p->nlines > 0 && p->nnodes > 0)
		order->alter_problem(order);
	return p->nlines > 0 && p->nnodes > 0;
}

/* What the plan leaves unserved of the order's lines; one may have several in the problem. */
void
order_sum_unserved(SalesOrder *order, int n)
{
	for (int i = 0; i < n; i++)
		order->lines[order->problem_lines[i]].unserved = 0;
	for (int i = 0; i < n; i++)
	{
		/* what completes kits is no part of what is open */
		if (order->problem_items[order->problem.lines[i].item]->completes == NULL)
			order->lines[order->problem_lines[i]].unserved += order->result.best.unserved[i];
	}
}

/* Find the plan for what is open.  Sets order->result and each line's unserved. */
void
order_plan(SalesOrder *order, Ledger *ledger, bool only_locked)
{
	const SrcProblem *p = &order->problem;
	const PlanContext *ctx;

	order->packed = NULL;
	memset(&order->result, 0, sizeof(order->result));
	order->relaxed = 0;
	order->second = NULL;
	order->nswaps = 0;
	order->planned = true;
	order->result.unread_bound = PG_INT64_MAX;
	order->result.exact = true;
	if (!order_set_problem(order, ledger, only_locked))
		return;
	/* who wants to know why has it computed from the record */
	order->problem.plan_only = true;
	parts_search(order, &order->result);
	substitutes_plan(order, ledger, only_locked);
	/* what it was told is true until something is booked */
	ctx = p->arg;
	order->packed_size = src_pack(p, &order->result, &ctx->asked, NULL, 0, &order->packed);
	if (order->packed_size == 0)
		order->packed = NULL;
	order_sum_unserved(order, p->nlines);
	if (order->terms.soft != 0)
		order_plan_relaxed(order, ledger, only_locked);
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
		const OrderLine *line = order->problem_items[order->problem.lines[part->line].item];
		int			line_no = order->lines[order->problem_lines[part->line]].line_no;

		for (int k = 0; k < Max(line->nparts, 1); k++)
		{
			Booking    *b = order_add_booking(order);

			b->line_no = line_no;
			b->item = line->item;
			b->quantity = part->quantity;
			if (line->nparts > 0)
			{
				b->item = line->parts[k].item;
				b->of = line->item;
				b->per = line->parts[k].per;
				b->component = line->substitute == NULL ? k + 1 : 0;
				b->quantity = (int64) ((int128) part->quantity * b->per / SCALE);
				if (line->completes != NULL)
				{
					b->completes = true;
					b->component = line->completes->component;
					b->per = line->completes->per;
				}
			}
			b->node = order_candidate(order, s->node)->node;
			b->stock.needed_on = s->day;
			b->ship_on = s->ship;
			b->deliver_on = s->arrival;
			b->service = order->problem_lanes[s->lane]->service;
			b->shipment_no = kept + part->shipment + 1;
			b->stock.min_expiry = s->arrival + line->min_life;
			b->stock.lot = line->lot;
			b->stock.ship_on = s->ship;
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
}
