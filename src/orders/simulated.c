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
#include "base/store.h"
#include "ledger/offer.h"
#include "orders/resolve.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* what an order had at $3; "firm" is what position_as_of() counts */
static EnginePlan plan_earlier = {
	"SELECT r.line_no, r.item, r.node, r.quantity, r.needed_on, r.ship_on, r.deliver_on, r.service, r.shipment_no,"
	"  COALESCE(r.min_expiry, r.deliver_on),"
	"  CASE WHEN r.state = 'shipped' AND r.\"to\" < $3 THEN 'shipped'"
	"   WHEN r.\"to\" IS NULL AND r.state IN ('planned', 'dedicated') THEN r.state"
	"   WHEN r.\"to\" IS NOT NULL AND r.order_by IS NOT NULL THEN 'planned'"
	"   WHEN r.\"to\" IS NOT NULL AND r.basis = 'dedicated' THEN 'dedicated' ELSE 'firm' END"
	" FROM routing.reservation r WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.\"from\" < $3"
	"  AND ((r.\"to\" IS NULL AND r.state IN ('firm', 'issued', 'planned', 'dedicated')) OR r.state = 'shipped'"
	"   OR (r.\"to\" >= $3 AND r.state <> 'lapsed'))"
	" ORDER BY r.line_no, r.part",
	3, {INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/* what a decision booked, what no plan made first */
static EnginePlan plan_made = {
	"SELECT r.line_no, r.item, r.node, r.quantity, r.needed_on, r.ship_on, r.deliver_on, r.service, r.shipment_no,"
	"  COALESCE(r.min_expiry, r.deliver_on), CASE r.basis WHEN 'dedicated' THEN 'dedicated' ELSE 'firm' END"
	" FROM routing.reservation r WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.decision_id = $3 AND r.part <= 1000000"
	" ORDER BY r.line_no, r.basis <> 'dedicated', r.part",
	3, {INT4OID, TEXTOID, INT8OID}, NULL
};

/* ------------------------------------------------------------------------
 * The order as it was decided
 * ------------------------------------------------------------------------ */

/* How much of a line a decision did not plan, but had or was given. */
static int64
kept_of_line(const DecisionRecord *d, int index)
{
	const RecordLine *line = &d->lines[index];

	for (int i = 0; d->search != NULL && i < d->search->problem.nlines; i++)
	{
		if (d->problem_lines[i] == index)
			return line->quantity - d->search->problem.lines[i].quantity;
	}
	return line->quantity - line->unserved;
}

/* What of a line that was not planned is not waited for any more. */
static int64
given_up_of_line(const DecisionRecord *d, int index)
{
	int64		left = d->lines[index].quantity - d->lines[index].unserved;

	for (int i = 0; d->search != NULL && i < d->search->problem.nlines; i++)
	{
		if (d->problem_lines[i] == index)
			return 0;
	}
	for (int k = 0; k < d->nparts; k++)
	{
		if (d->parts[k].line_no == d->lines[index].line_no)
			left -= d->parts[k].quantity;
	}
	return Max(left, 0);
}

static bool
is_cancelled(const RecordLine *line)
{
	return line->status != NULL && strcmp(line->status, "cancelled") == 0;
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
		line->status = pstrdup(is_cancelled(r) ? "cancelled" : "received");
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
	order->imposed = policy_of(sim, d, &order->fault);
	set_lines(order, d->record, again);
	order_check(order);
	if (order->fault.sqlerrcode == 0 && d->record->zone != NULL &&
		(lanes = network_lanes(order->net, d->record->zone)) != NULL)
		order->lanes = lanes;
	return order;
}

/* ------------------------------------------------------------------------
 * What it has booked
 * ------------------------------------------------------------------------ */

/* Add the booking of a row; "limit": no more than this of its quantity. */
static Booking *
add_row(Simulation *sim, SalesOrder *order, int row, int64 limit)
{
	Booking    *b = order_add_booking(order);
	bool		isnull;

	b->line_no = DatumGetInt32(spi_datum(row, 1, &isnull));
	b->item = spi_text(row, 2);
	b->node = spi_text(row, 3);
	b->quantity = Min(scaled_from_datum(spi_datum(row, 4, &isnull)), limit);
	b->stock.needed_on = DatumGetDateADT(spi_datum(row, 5, &isnull));
	b->ship_on = DatumGetDateADT(spi_datum(row, 6, &isnull));
	b->deliver_on = DatumGetDateADT(spi_datum(row, 7, &isnull));
	b->service = spi_text(row, 8);
	b->shipment_no = DatumGetInt32(spi_datum(row, 9, &isnull));
	b->stock.min_expiry = DatumGetDateADT(spi_datum(row, 10, &isnull));
	b->stock.lot = "";
	b->stock.ship_on = b->ship_on;
	b->state = booking_state(spi_text(row, 11));
	b->firm = true;
	return b;
}

static void
load_earlier(Simulation *sim, SalesOrder *order)
{
	Datum		args[3];
	int			n;

	args[0] = Int32GetDatum(sim->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = TimestampTzGetDatum(sim->from);
	n = (int) engine_exec(&plan_earlier, args, NULL, ENGINE_READ);
	for (int i = 0; i < n; i++)
		(void) add_row(sim, order, i, SCALED_MAX);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * What the first decision of an order had without planning it: supply of its
 * own, and what a quote held for it.
 */
static void
load_given(Simulation *sim, SalesOrder *order, const Decided *d)
{
	int64	   *left = palloc0(sizeof(int64) * Max(order->nlines, 1));
	bool		any = false;
	Datum		args[3];
	int			n;

	for (int i = 0; i < d->record->nlines; i++)
	{
		left[i] = is_cancelled(&d->record->lines[i]) ? 0 : kept_of_line(d->record, i);
		any |= left[i] > 0;
	}
	if (!any)
		return;
	args[0] = Int32GetDatum(sim->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = Int64GetDatum(d->decision_id);
	n = (int) engine_exec(&plan_made, args, NULL, ENGINE_READ);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		const OrderLine *line = order_line(order, DatumGetInt32(spi_datum(i, 1, &isnull)));
		Booking    *b;

		if (line == NULL || left[line - order->lines] <= 0)
			continue;
		b = add_row(sim, order, i, left[line - order->lines]);
		left[line - order->lines] -= b->quantity;
		b->pos = ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		booking_post(b, b->quantity);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Give back all of a booking but "keep". */
static void
give_back(Booking *b, int64 keep)
{
	booking_post(b, keep - b->quantity);
	b->quantity = keep;
	b->release = keep == 0;
}

static void
drop_released(SalesOrder *order)
{
	int			kept = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		if (!order->bookings[j].release)
			order->bookings[kept++] = order->bookings[j];
	}
	order->nbookings = kept;
}

/* Whether more is booked there for the day, or a later one, than there is. */
static bool
is_short(const Simulation *sim, const SalesOrder *order, const Booking *b)
{
	const NetNode *nodes;
	int			node = network_find_node(order->net, b->node);
	DateADT		day;
	int64		missing;

	(void) network_nodes(order->net, &nodes);
	return node >= 0 && b->pos->exists &&
		timeline_next_negative(&b->pos->timeline, node_date(&nodes[node], order->clock), b->stock.needed_on - 1,
							   &day, &missing);
}

/* How much of a booking the decision recorded as kept; takes it from "left". */
static int64
recorded_as_kept(const DecisionRecord *d, int64 *left, const Booking *b)
{
	int64		found = 0;

	for (int k = 0; k < d->nparts && found < b->quantity; k++)
	{
		const RecordPart *part = &d->parts[k];
		int64		take;

		if (!part->kept || part->line_no != b->line_no || part->ship_on != b->ship_on ||
			part->deliver_on != b->deliver_on || strcmp(part->node, b->node) != 0)
			continue;
		take = Min(left[k], b->quantity - found);
		left[k] -= take;
		found += take;
	}
	return found;
}

/* Of a line that is smaller now, the latest and last made goes first. */
static void
cut_to_quantity(SalesOrder *order, const OrderLine *line)
{
	int64		excess = -line->quantity;

	for (int j = 0; j < order->nbookings; j++)
		excess += order->bookings[j].line_no == line->line_no ? order->bookings[j].quantity : 0;
	while (excess > 0)
	{
		Booking    *last = NULL;

		for (int j = 0; j < order->nbookings; j++)
		{
			Booking    *b = &order->bookings[j];

			if (b->line_no == line->line_no && !b->release && !booking_has_left(b) &&
				(last == NULL || b->deliver_on >= last->deliver_on))
				last = b;
		}
		if (last == NULL)
			break;
		if (last->quantity > excess)
		{
			give_back(last, last->quantity - excess);
			break;
		}
		excess -= last->quantity;
		give_back(last, 0);
	}
}

/* Give back what the decision planned anew. */
static void
release(Simulation *sim, SalesOrder *order, const DecisionRecord *d)
{
	int64	   *left = palloc(sizeof(int64) * Max(d->nparts, 1));

	for (int k = 0; k < d->nparts; k++)
		left[k] = d->parts[k].quantity;
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];
		const OrderLine *line = order_line(order, b->line_no);
		int64		kept;

		b->pos = ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		if (booking_has_left(b))
			continue;
		if (line == NULL || strcmp(line->status, "cancelled") == 0 || strcmp(line->item, b->item) != 0 ||
			kept_of_line(d, line - order->lines) <= 0)
		{
			give_back(b, 0);
			continue;
		}
		kept = recorded_as_kept(d, left, b);
		/* what lost its supply then need not have lost it here */
		if (kept < b->quantity && is_short(sim, order, b))
			give_back(b, kept);
	}
	for (int i = 0; i < order->nlines; i++)
		cut_to_quantity(order, &order->lines[i]);
	drop_released(order);
}

/* Keep the bookings until the order is looked at again. */
static void
retain(Simulation *sim, SimOrder *entry, const SalesOrder *order, bool again)
{
	MemoryContext old;

	if (entry->context != NULL)
		MemoryContextDelete(entry->context);
	entry->context = NULL;
	entry->nbookings = 0;
	if (!again)
		return;
	entry->context = AllocSetContextCreate(sim->keep, "routing simulated order", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(entry->context);
	entry->bookings = palloc(sizeof(Booking) * Max(order->nbookings, 1));
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &entry->bookings[entry->nbookings++];

		*b = order->bookings[j];
		b->item = pstrdup(b->item);
		b->node = pstrdup(b->node);
		b->service = pstrdup(b->service);
		b->stock.lot = "";
		b->stock.npath = 0;
		b->stock.path = NULL;
		b->stock.pool = NULL;
		b->is_new = false;
	}
	MemoryContextSwitchTo(old);
}

static void
take_up(SimOrder *entry, SalesOrder *order)
{
	for (int j = 0; j < entry->nbookings; j++)
		*order_add_booking(order) = entry->bookings[j];
}

/*
 * A settlement takes from all that lost their supply before it plans for any:
 * give back of an earlier order what its decision no longer had, where more is
 * booked than there is.
 */
void
simulated_lose(Simulation *sim, SimOrder *entry, const Decided *d)
{
	SalesOrder	order = {0};
	const DecisionRecord *record = d->record;
	int64	   *left = palloc(sizeof(int64) * Max(record->nparts, 1));

	order.order_id = unconstify(char *, entry->order_id);
	order.net = network_get(sim->tenant_id);
	order.clock = d->at;
	if (entry->begun)
		take_up(entry, &order);
	else
		load_earlier(sim, &order);
	for (int k = 0; k < record->nparts; k++)
		left[k] = record->parts[k].quantity;
	for (int j = 0; j < order.nbookings; j++)
	{
		Booking    *b = &order.bookings[j];
		int64		kept;

		b->pos = ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		kept = recorded_as_kept(record, left, b);
		if (!booking_has_left(b) && kept < b->quantity && is_short(sim, &order, b))
			give_back(b, kept);
	}
	drop_released(&order);
	retain(sim, entry, &order, true);
	entry->begun = true;
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
		give_back(&order->bookings[j], 0);
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
		b->pos = ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		booking_post(b, b->quantity);
	}
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
		kept_any |= !is_cancelled(&d->record->lines[i]) && kept_of_line(d->record, i) > 0;
	if (entry->begun)
		take_up(entry, order);
	else if (d->has_previous)
		load_earlier(sim, order);
	entry->recorded_cost = (kept_any ? entry->recorded_cost : 0) + d->cost;

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
			release(sim, order, d->record);
		else
			load_given(sim, order, d);
		order_compute_open(order);
		kept = order->nbookings;
		/* what was left to run_jobs() is left here, too */
		if (order_needs_plan(order) && (d->record->search != NULL || !again))
		{
			if (queued)
				simulated_step_aside(sim, entry, -1);
			order_plan(order, sim->ledger, false);
			order_plan_bookings(order, sim->ledger);
			(void) order_book(order, kept, true);
			if (queued)
				simulated_step_aside(sim, entry, 1);
		}
		rest_apply(order);
		order_derive_status(order);
		simulated_settle_claims(sim, entry, order);
		side_of_order(is, order);
		entry->simulated_cost = (kept_any ? entry->simulated_cost : 0) + order->cost;
	}
	was->cost = entry->recorded_cost;
	is->cost = entry->simulated_cost;
	entry->begun = true;
	retain(sim, entry, order, d->again);
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
	if (entry->context != NULL)
		MemoryContextDelete(entry->context);
	entry->context = NULL;
	entry->nbookings = 0;
}
