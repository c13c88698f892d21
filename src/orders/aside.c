/*
 * aside.c
 *		Orders that nobody in this transaction asked for: those that lost their
 *		supply, and what they have in common with those whose turn has come.
 *
 * Their turn in the order of locks was before the positions, which are held
 * by now.  So their rows are taken with SKIP LOCKED, further positions are
 * only tried, and what cannot be had is left to run_jobs().
 */
#include "orders/complete.h"
#include "orders/demand.h"
#include "orders/eligibility.h"
#include "orders/parts.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "events/exception.h"
#include "sourcing/dates.h"

#include "catalog/pg_type.h"

static EnginePlan plan_try_lock = {
	"SELECT 1 FROM routing.sales_order WHERE tenant_id = $1 AND order_id = $2"
	" FOR NO KEY UPDATE SKIP LOCKED",
	2, {INT4OID, TEXTOID}, NULL
};

/* somebody may hold a line only; a row if all lines could be locked */
static EnginePlan plan_try_lines = {
	"WITH l AS MATERIALIZED (SELECT 1 FROM routing.sales_order_line"
	"  WHERE tenant_id = $1 AND order_id = $2 FOR NO KEY UPDATE SKIP LOCKED)"
	" SELECT 1 WHERE (SELECT pg_catalog.count(*) FROM l) ="
	"  (SELECT pg_catalog.count(*) FROM routing.sales_order_line"
	"   WHERE tenant_id = $1 AND order_id = $2)",
	2, {INT4OID, TEXTOID}, NULL
};

/* all that a line has lost by now */
static EnginePlan plan_uncovered = {
	"SELECT pg_catalog.sum(r.quantity) FROM routing.reservation r"
	" WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.line_no = $3 AND r.\"to\" IS NULL AND r.state = 'uncovered'",
	3, {INT4OID, TEXTOID, INT4OID}, NULL
};

/* Lock an order and its lines if nobody else has any of them. */
bool
order_try_lock(int32 tenant_id, const char *order_id)
{
	Datum		args[2];

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(order_id);
	return engine_exec(&plan_try_lock, args, NULL, ENGINE_FRESH) > 0 &&
		engine_exec(&plan_try_lines, args, NULL, ENGINE_FRESH) > 0;
}

/*
 * Take an order that waited for what has come; false: this settlement may not.
 * *order is NULL if there is nothing to plan.
 */
bool
settlement_take_waiting(Settlement *s, int32 tenant_id, const char *order_id, SalesOrder **order)
{
	SalesOrder *o;

	*order = NULL;
	if (s->budget <= 0 || !order_try_lock(tenant_id, order_id))
		return false;
	o = order_load(tenant_id, order_id, ORDER_NO_LOCK);
	o->clock = s->clock;
	o->cause = "better_supply";
	if (!o->exists || order_is_cancelled(o))
		return true;
	order_check(o);
	if (o->fault.sqlerrcode == 0)
		*order = o;
	return true;
}

/*
 * One exception tells of all that the line has lost; who holds its row,
 * because he has the order, is not waited for.
 */
static void
open_exception(Settlement *s, const Victim *v)
{
	ExceptionCase about = {
		.tenant_id = v->tenant_id, .type = v->cause, .order_id = v->order_id, .line_no = v->line_no,
		.item = v->item, .node = v->node
	};
	Datum		args[3];
	JsonWriter	w = {0};
	bool		isnull;
	Datum		lost;

	args[0] = Int32GetDatum(v->tenant_id);
	args[1] = CStringGetTextDatum(v->order_id);
	args[2] = Int32GetDatum(v->line_no);
	(void) engine_exec(&plan_uncovered, args, NULL, ENGINE_FRESH);
	lost = spi_datum(0, 1, &isnull);
	json_begin_object(&w);
	json_key_scaled(&w, "quantity", isnull ? v->quantity : scaled_from_datum(lost));
	json_key_date(&w, "needed_on", v->needed_on);
	json_end_object(&w);
	SPI_freetuptable(SPI_tuptable);
	exception_put(&s->events, &about, json_result(&w), EXCEPTION_CHANGE_FREE, s->clock);
}

/* Lines that have something without supply, or that are to be planned anew. */
static int
count_open_lines(const SalesOrder *order)
{
	int			n = 0;

	for (int i = 0; i < order->nlines; i++)
	{
		bool		open = order->lines[i].replan;

		for (int j = 0; j < order->nbookings && !open; j++)
			open = order->bookings[j].line_no == order->lines[i].line_no &&
				order->bookings[j].state == BOOKING_UNCOVERED;
		n += open;
	}
	return n;
}

/* What lines to be planned anew give back must be locked before. */
static bool
lock_replanned(SalesOrder *order, Ledger *ledger)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];
		OrderLine  *line = order_line(order, b->line_no);

		if (line != NULL && line->replan && b->state != BOOKING_UNCOVERED &&
			!position_try_lock(ledger, ledger_get(ledger, order->tenant_id, b->item, b->node)))
			return false;
	}
	return true;
}

/* Nothing is planned: the order waits, back-ordered, for run_jobs(). */
static void
leave_uncovered(Settlement *s, SalesOrder *order)
{
	/* what makes it impossible to route is nothing to fail of here */
	memset(&order->fault, 0, sizeof(order->fault));
	order_find_policy(order);
	for (int i = 0; i < order->nlines; i++)
		order->lines[i].replan = false;
	order_keep_bookings(order);
	order_derive_status(order);
	for (int l = 0; l < order->nlines; l++)
	{
		OrderLine  *line = &order->lines[l];

		if (line->unserved == 0)
			continue;
		line->changed = order->changed = true;
		line->reason = psprintf("no supply left for %s of %s",
								scaled_to_text(line->unserved), scaled_to_text(line->quantity));
	}
	settlement_leave(s, order->tenant_id, order->order_id,
					 "lost supply and waits to be routed again", ERRCODE_SUCCESSFUL_COMPLETION);
}

/*
 * What losing supply means for the orders: exceptions, and another plan for
 * as many lines as a settlement may route.  Other demand and quotes have no
 * order: they wait, uncovered.
 */
void
settle_victims(Settlement *s, const ChangeResult *changes)
{
	/* all of them first: a plan that serves a line again resolves its own */
	for (int i = 0; i < changes->nvictims; i++)
	{
		/* of other demand: demands_book(); of what is at risk the goods issue may be on its way */
		if (changes->victims[i].cause != NULL && !is_demand_id(changes->victims[i].order_id))
			open_exception(s, &changes->victims[i]);
	}
	for (int i = 0; i < changes->nvictims; i++)
	{
		const Victim *v = &changes->victims[i];
		SalesOrder *order;
		bool		seen = false;
		int			lines;

		for (int j = 0; j < i && !seen; j++)
			seen = changes->victims[j].cause != NULL && changes->victims[j].tenant_id == v->tenant_id &&
				strcmp(changes->victims[j].order_id, v->order_id) == 0;
		if (seen || v->cause == NULL || settlement_has_order(s, v->tenant_id, v->order_id) ||
			is_demand_id(v->order_id) || strncmp(v->order_id, "hold:", 5) == 0)
			continue;
		if (!order_try_lock(v->tenant_id, v->order_id))
		{
			settlement_leave(s, v->tenant_id, v->order_id,
							 "lost supply while somebody else held the order",
							 ERRCODE_LOCK_NOT_AVAILABLE);
			continue;
		}
		order = order_load(v->tenant_id, v->order_id, ORDER_NO_LOCK);
		order->clock = s->clock;
		order->cause = v->cause;
		order_check(order);
		complete_mark(order);	/* what goes together has lost all it had */
		lines = count_open_lines(order);
		if (order->fault.sqlerrcode == 0 && lines <= s->budget && lock_replanned(order, s->ledger))
		{
			s->budget -= lines;
			order_route_aside(order, s->ledger);
		}
		else
			leave_uncovered(s, order);
		settlement_write_order(s, order);
	}
}

/* Whether some of an item could arrive before a booking does. */
static bool
comes_earlier(SalesOrder *order, Ledger *ledger, const OrderLine *line, const Booking *b, const char *item)
{
	const SrcProblem *p = &order->problem;

	for (int l = 0; l < p->nlanes; l++)
	{
		const SrcLane *lane = &p->lanes[l];
		const NetNode *node = order_candidate(order, lane->node);
		int32		ship = src_latest_ship_day(p, lane, b->deliver_on - 1);
		const AtpStep *steps;
		OfferRequest req;
		int			n;

		if (ship == CALENDAR_NEVER ||
			!order_lane_allowed(order, (int) (line - order->lines), order->problem_lanes[l], 0))
			continue;
		order_request(order, line, item, order->todays[lane->node], lane->transit_days, &req);
		req.within_horizon = true;
		n = position_offer(ledger_get(ledger, order->tenant_id, item, node->node), &req, &steps);
		if (n > 0 && steps_at(steps, n, src_stock_day(p, lane, ship)) > 0)
			return true;
	}
	return false;
}

/*
 * Mark lines to be planned anew that rest on inbound later than requested, or
 * are wanted as soon as possible, when something is offered before that, or
 * that are so late while nodes were full that have capacity now.
 */
void
order_replan_late(SalesOrder *order, Ledger *ledger)
{
	const SrcProblem *p = &order->problem;
	bool		capacity = order_has_capacity(order);

	if (p->nodes == NULL)
		problem_set_nodes(order);
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];
		OrderLine  *line = order_line(order, b->line_no);

		/* what is served by a substitute may go back to its item */
		const char *item = b->component > 0 ? b->item : booking_for(b);
		bool		soonest = line != NULL && !line->has_requested && !order->has_requested;

		if (line == NULL || line->replan || (b->on_hand && !capacity) || b->state != BOOKING_FIRM ||
			!(soonest || booking_is_late(order, line, b)))
			continue;
		line->replan = capacity || comes_earlier(order, ledger, line, b, item);
		if (!line->replan && line->nparts == 0 && b->of == NULL)
		{
			const Substitute *all;
			int			n = substitutes_of(order->tenant_id, line->item, &all);

			for (int i = 0; i < n && !line->replan; i++)
				line->replan = substitute_is_welcome(order, line, &all[i]) &&
					comes_earlier(order, ledger, line, b, all[i].item);
		}
	}
	if (!lock_replanned(order, ledger))
	{
		for (int i = 0; i < order->nlines; i++)
			order->lines[i].replan = false;
	}
}
