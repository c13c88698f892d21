/*
 * simulated.c
 *		One order of a simulation: what it would have been decided to.
 *
 * The order is taken as its row stands, with the lines, quantities and days
 * that its decision recorded.  Of an order that was decided again, as much of
 * each line is planned anew as the recorded decision did; what it kept stays
 * where the simulation has it.
 */
#include "orders/simulate.h"
#include "orders/complete.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/offer.h"
#include "orders/resolve.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define FINE	100000000		/* shares of a ten-thousandth while a sum is made */

/* ------------------------------------------------------------------------
 * The order as it was decided
 * ------------------------------------------------------------------------ */

/* What of a line that was not planned is not waited for any more. */
static int64
given_up_of_line(const DecisionRecord *d, int index)
{
	int64		left = d->lines[index].quantity - d->lines[index].unserved;
	int128		served = 0;

	for (int i = 0; d->search != NULL && i < d->search->problem.nlines; i++)
	{
		if (d->problem_lines[i] == index)
			return 0;
	}
	for (int k = 0; k < d->nparts; k++)
	{
		const RecordPart *part = &d->parts[k];

		if (part->line_no == d->lines[index].line_no && record_component(d, k) <= 1)
			served += (int128) part->quantity * SCALE * FINE / (part->item != NULL ? part->per : SCALE);
	}
	left -= (int64) ((served + FINE / 2) / FINE);
	return Max(left, 0);
}

/* The lines that the decision recorded; what it did not record is as it is now. */
static void
set_lines(SalesOrder *order, const DecisionRecord *d, bool again)
{
	OrderLine  *lines = palloc0(sizeof(OrderLine) * Max(d->nlines, 1));
	Snapshot	snapshot;

	for (int i = 0; i < d->nlines; i++)
	{
		const RecordLine *r = &d->lines[i];
		const OrderLine *now = order_line(order, r->line_no);
		OrderLine  *line = &lines[i];

		if (now != NULL && strcmp(now->item, r->item) == 0)
			*line = *now;
		else
			line->min_life = -1;
		line->row = NULL;
		line->line_no = r->line_no;
		line->item = unconstify(char *, r->item);
		line->quantity = r->quantity;
		line->has_requested = r->has_wanted;
		line->requested = r->wanted;
		line->uom = NULL;
		line->unit = UNIT_KNOWN;
		line->lot = pstrdup("");
		line->status = pstrdup(record_line_cancelled(r) ? "cancelled" : "received");
		line->replan = line->has_promised = line->has_first_promised = line->was_promised = false;
		line->claimed_at = 0;
		line->shipped_item = NULL;
		line->shipped = 0;
		line->cancelled = again ? given_up_of_line(d, i) : 0;
	}
	order->lines = lines;
	order->nlines = order->cap_lines = d->nlines;
	order->has_requested = false;
	order->nbookings = 0;
	order->nclaims = 0;
	snapshot = fresh_snapshot();
	order_resolve_items(order, snapshot);
	UnregisterSnapshot(snapshot);
}

/* The policy that is tried; orders of others have the version that they had. */
static const Policy *
policy_of(Simulation *sim, const Decided *d, Fault *fault)
{
	if (strcmp(d->policy_code, sim->policy_code) == 0)
		return sim->policy;
	if (sim->other == NULL || strcmp(sim->other->code, d->policy_code) != 0 ||
		sim->other->version != d->policy_version)
	{
		const Policy *other = policy_version_get(sim->tenant_id, d->policy_code, d->policy_version, d->at, fault);

		if (fault->sqlerrcode)
			return other;
		sim->other = other;
	}
	return sim->other;
}

static SalesOrder *
load(Simulation *sim, const char *order_id, const Decided *d, bool again)
{
	SalesOrder *order = order_load(sim->tenant_id, order_id, ORDER_NO_LOCK);
	const ZoneLanes *lanes;

	if (!order->exists)
	{
		fault_set(&order->fault, RT_UNKNOWN_ORDER, "Its row was deleted meanwhile.", "order \"%s\" is unknown", order_id);
		return order;
	}
	order->clock = d->at;
	order->status = pstrdup("received");
	order->days = sim->days;
	order->imposed = policy_of(sim, d, &order->fault);
	set_lines(order, d->record, again);
	order_check(order);
	if (order->fault.sqlerrcode == 0 && d->record->zone != NULL &&
		(lanes = network_lanes(order->net, d->record->zone)) != NULL)
		order->lanes = lanes;
	return order;
}

/* ------------------------------------------------------------------------
 * The decision
 * ------------------------------------------------------------------------ */

/* The order cannot be planned today: it has what was recorded. */
static void
follow_record(Simulation *sim, SalesOrder *order, const DecisionRecord *d)
{
	for (int j = 0; j < order->nbookings; j++)
	{
		order->bookings[j].pos = ledger_get(sim->ledger, sim->tenant_id, order->bookings[j].item, order->bookings[j].node);
		simulated_give_back(&order->bookings[j], 0);
	}
	order->nbookings = 0;
	for (int k = 0; k < d->nparts; k++)
	{
		const RecordPart *part = &d->parts[k];
		Booking    *b = order_add_booking(order);

		b->line_no = part->line_no;
		for (int i = 0; i < d->nlines; i++)
		{
			if (d->lines[i].line_no == part->line_no)
				b->item = d->lines[i].item;
		}
		b->node = part->node;
		b->service = part->service ? part->service : "";
		b->quantity = part->quantity;
		b->stock.needed_on = b->stock.ship_on = b->ship_on = part->ship_on;
		b->stock.min_expiry = b->deliver_on = part->deliver_on;
		b->stock.lot = "";
		b->firm = b->item != NULL;
		b->state = b->firm ? BOOKING_FIRM : BOOKING_DEDICATED;
		if (b->item == NULL)
			b->item = "";
		if (part->item != NULL)
		{
			b->of = b->item;
			b->item = part->item;
			b->per = part->per;
			b->component = record_component(d, k);
		}
		b->pos = ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		booking_post(b, b->quantity);
	}
}

/* Book what was planned; what cannot be had is cut, but kits are not divided. */
static void
book(SalesOrder *order, int from)
{
	bool		cut = true;

	for (int j = from; j < order->nbookings && !order->mixed; j++)
		cut &= order->bookings[j].component == 0;
	if (order_book(order, from, cut) || cut)
		return;
	for (int i = 0; i < order->nlines; i++)
		order->lines[i].unserved = order->lines[i].open;
	memset(&order->result, 0, sizeof(order->result));
	order->cost = 0;
}

/*
 * Decide an order as it would have been.  Sets both sides; returns why it
 * could not be planned, or NULL.  The current memory context is that of the
 * turn.
 */
char *
simulated_decide(Simulation *sim, SimOrder *entry, const Decided *d, PlanSide *was, PlanSide *is)
{
	bool		again = entry->begun || d->has_previous;
	SalesOrder *order = load(sim, entry->order_id, d, again);
	bool		kept_any = false;
	bool		queued = entry->nclaims > 0;
	char	   *problem = NULL;

	side_of_record(was, d->record, order->by_ship_day);
	for (int i = 0; i < d->record->nlines; i++)
		kept_any |= !record_line_cancelled(&d->record->lines[i]) && simulated_kept(d->record, i) > 0;
	if (entry->begun)
		simulated_take_up(entry, order);
	else if (d->has_previous)
		simulated_load_earlier(sim, order);
	entry->recorded_cost = (kept_any ? entry->recorded_cost : 0) + d->cost;

	simulated_take_days(sim, entry, order);

	if (order->fault.sqlerrcode)
	{
		problem = order->fault.message;
		follow_record(sim, order, d->record);
		*is = *was;
		entry->simulated_cost = (kept_any ? entry->simulated_cost : 0) + d->cost;
		simulated_settle_claims(sim, entry, NULL);
	}
	else
	{
		int			kept;

		if (again)
			simulated_release(sim, order, d->record);
		else
			simulated_load_given(sim, order, d);
		order_compute_open(order);
		kept = order->nbookings;
		simulated_show_open(sim, order);
		/* what was left to run_jobs() is left here, too */
		if (queued)
			simulated_step_aside(sim, entry, -1);
		if (order_needs_plan(order) && (d->record->search != NULL || !again))
		{
			order_plan(order, sim->ledger, false);
			order_plan_bookings(order, sim->ledger);
			book(order, kept);
		}
		if (queued)
		{
			simulated_judge_claims(sim, entry, order);
			simulated_step_aside(sim, entry, 1);
		}
		rest_apply(order);
		order_derive_status(order);
		simulated_settle_claims(sim, entry, order);
		/* in the queue of which component it stood when is not recorded */
		if (entry->kits_wait && problem == NULL)
			problem = psprintf("order \"%s\" waited for kits: its place in the queues may have been another",
							   order->order_id);
		for (int i = 0; i < order->nlines; i++)
			entry->kits_wait |= order->lines[i].nparts > 0 && order->lines[i].unserved > 0;
		side_of_order(is, order);
		entry->simulated_cost = (kept_any ? entry->simulated_cost : 0) + order->cost;
	}
	was->cost = entry->recorded_cost;
	is->cost = entry->simulated_cost;
	entry->begun = true;
	simulated_follow_open(sim, entry, order, again);
	simulated_keep_days(sim, entry, order, d->again);
	simulated_retain(sim, entry, order, d->again);
	return problem;
}

/* The order was cancelled: it gives back what has not left. */
void
simulated_cancel(Simulation *sim, SimOrder *entry)
{
	for (int j = 0; j < entry->nbookings; j++)
	{
		Booking    *b = &entry->bookings[j];

		(void) ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		if (!booking_has_left(b))
			booking_post(b, -b->quantity);
	}
	simulated_settle_claims(sim, entry, NULL);
	simulated_follow_open(sim, entry, NULL, true);
	simulated_leave_days(sim, entry);
	if (entry->context != NULL)
		MemoryContextDelete(entry->context);
	entry->context = NULL;
	entry->nbookings = 0;
}
