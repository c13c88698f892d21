/*
 * simulated_booked.c
 *		What an order of a simulation has booked: read, given back, kept until it
 *		is decided again.
 *
 * As release.c and kit.c do it: what serves a line may be components of its
 * kit or substitutes, and kits are kept whole.
 */
#include "orders/simulate.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

/* what an order had at $3; "firm" is what position_as_of() counts */
static EnginePlan plan_earlier = {
	"SELECT r.line_no, r.item, r.node, r.quantity, r.needed_on, r.ship_on, r.deliver_on, r.service, r.shipment_no,"
	"  COALESCE(r.min_expiry, r.deliver_on),"
	"  CASE WHEN r.state = 'shipped' AND r.\"to\" < $3 THEN 'shipped'"
	"   WHEN r.\"to\" IS NULL AND r.state IN ('planned', 'dedicated') THEN r.state"
	"   WHEN r.\"to\" IS NOT NULL AND r.order_by IS NOT NULL THEN 'planned'"
	"   WHEN r.\"to\" IS NOT NULL AND r.basis = 'dedicated' THEN 'dedicated' ELSE 'firm' END,"
	"  r.for_item, r.per_unit, r.component, r.channel, r.pool"
	" FROM routing.reservation r WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.\"from\" < $3"
	"  AND ((r.\"to\" IS NULL AND r.state IN ('firm', 'issued', 'planned', 'dedicated')) OR r.state = 'shipped'"
	"   OR (r.\"to\" >= $3 AND r.state <> 'lapsed'))"
	" ORDER BY r.line_no, r.part",
	3, {INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/* what a decision booked, what no plan made first */
static EnginePlan plan_made = {
	"SELECT r.line_no, r.item, r.node, r.quantity, r.needed_on, r.ship_on, r.deliver_on, r.service, r.shipment_no,"
	"  COALESCE(r.min_expiry, r.deliver_on), CASE r.basis WHEN 'dedicated' THEN 'dedicated' ELSE 'firm' END,"
	"  r.for_item, r.per_unit, r.component, r.channel, r.pool"
	" FROM routing.reservation r WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.decision_id = $3 AND r.part <= 1000000"
	" ORDER BY r.line_no, r.basis <> 'dedicated', r.part",
	3, {INT4OID, TEXTOID, INT8OID}, NULL
};

/* How much of a line a decision did not plan, but had or was given. */
int64
simulated_kept(const DecisionRecord *d, int index)
{
	const RecordLine *line = &d->lines[index];
	int64		planned = 0;

	/* by its item, and by substitutes; what completes begun kits is no part of it */
	for (int i = 0; d->search != NULL && i < d->search->problem.nlines; i++)
	{
		if (d->problem_lines[i] == index && (d->substitutes[i].item == NULL || d->substitutes[i].ratio > 0))
			planned += d->search->problem.lines[i].quantity;
	}
	return line->quantity - (planned > 0 ? planned : line->unserved);
}

/* Whose allotment a booking takes: the groups above are asked for when it is posted. */
static void
take_of(Booking *b, const char *channel, const char *pool)
{
	const char **path = palloc(sizeof(char *));

	path[0] = pstrdup(channel);
	b->stock.npath = 1;
	b->stock.path = path;
	b->stock.pool = pool != NULL ? pstrdup(pool) : NULL;
}

/* Add the booking of a row. */
static Booking *
add_row(SalesOrder *order, int row)
{
	Booking    *b = order_add_booking(order);
	const char *channel;
	bool		isnull;

	b->line_no = DatumGetInt32(spi_datum(row, 1, &isnull));
	b->item = spi_text(row, 2);
	b->node = spi_text(row, 3);
	b->quantity = scaled_from_datum(spi_datum(row, 4, &isnull));
	b->stock.needed_on = DatumGetDateADT(spi_datum(row, 5, &isnull));
	b->ship_on = DatumGetDateADT(spi_datum(row, 6, &isnull));
	b->deliver_on = DatumGetDateADT(spi_datum(row, 7, &isnull));
	b->service = spi_text(row, 8);
	b->shipment_no = DatumGetInt32(spi_datum(row, 9, &isnull));
	b->stock.min_expiry = DatumGetDateADT(spi_datum(row, 10, &isnull));
	b->stock.lot = "";
	b->stock.ship_on = b->ship_on;
	b->state = booking_state(spi_text(row, 11));
	b->of = spi_text(row, 12);
	if (b->of != NULL)
	{
		b->per = scaled_from_datum(spi_datum(row, 13, &isnull));
		b->component = DatumGetInt32(spi_datum(row, 14, &isnull));
	}
	channel = spi_text(row, 15);
	if (channel != NULL)
		take_of(b, channel, spi_text(row, 16));
	b->firm = true;
	return b;
}

void
simulated_load_earlier(Simulation *sim, SalesOrder *order)
{
	Datum		args[3];
	int			n;

	args[0] = Int32GetDatum(sim->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = TimestampTzGetDatum(sim->from);
	n = (int) engine_exec(&plan_earlier, args, NULL, ENGINE_READ);
	for (int i = 0; i < n; i++)
		(void) add_row(order, i);
	SPI_freetuptable(SPI_tuptable);
}

/* How much of the last booking, in its units, so much of its line still wants. */
static int64
still_wanted(const SalesOrder *order, int64 given)
{
	const Booking *last = &order->bookings[order->nbookings - 1];
	int64		per = last->of != NULL ? last->per : SCALE;
	int64		had = 0;

	if (last->component == 0)
		return (int64) ((int128) (given - order_serves(order, last->line_no, true) + booking_serves(last)) * per / SCALE);
	for (int j = 0; j < order->nbookings - 1; j++)
	{
		const Booking *b = &order->bookings[j];

		had += b->line_no == last->line_no && b->component == last->component ? b->quantity : 0;
	}
	return (int64) ((int128) given * per / SCALE) - had;
}

/*
 * What the first decision of an order had without planning it: supply of its
 * own, and what a quote held for it.
 */
void
simulated_load_given(Simulation *sim, SalesOrder *order, const Decided *d)
{
	int64	   *given = palloc0(sizeof(int64) * Max(order->nlines, 1));
	bool		any = false;
	Datum		args[3];
	int			n;

	for (int i = 0; i < d->record->nlines; i++)
	{
		given[i] = record_line_cancelled(&d->record->lines[i]) ? 0 : simulated_kept(d->record, i);
		any |= given[i] > 0;
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

		if (line == NULL || given[line - order->lines] <= 0)
			continue;
		b = add_row(order, i);
		b->quantity = Min(b->quantity, still_wanted(order, given[line - order->lines]));
		if (b->quantity <= 0)
		{
			order->nbookings--;
			continue;
		}
		b->pos = ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		booking_post(b, b->quantity);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Give back all of a booking but "keep". */
void
simulated_give_back(Booking *b, int64 keep)
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
	const NetNode *node = network_node(order->net, b->node);
	DateADT		day;
	int64		missing;

	return node != NULL && b->pos->exists &&
		timeline_next_negative(&b->pos->timeline, node_date(node, order->clock), b->stock.needed_on - 1,
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
			part->deliver_on != b->deliver_on || strcmp(part->node, b->node) != 0 ||
			(part->item == NULL) != (b->of == NULL) || (b->of != NULL && strcmp(part->item, b->item) != 0))
			continue;
		take = Min(left[k], b->quantity - found);
		left[k] -= take;
		found += take;
	}
	return found;
}

/* Of a line that is smaller now, the latest and last made goes first; kits see to that themselves. */
static void
cut_to_quantity(SalesOrder *order, const OrderLine *line)
{
	int64		excess = -line->quantity;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		excess += b->line_no == line->line_no && b->component == 0 && !b->release ? booking_serves(b) : 0;
	}
	while (excess > 0)
	{
		Booking    *last = NULL;
		int64		serves;

		for (int j = 0; j < order->nbookings; j++)
		{
			Booking    *b = &order->bookings[j];

			if (b->line_no == line->line_no && !b->release && !booking_has_left(b) && b->component == 0 &&
				(last == NULL || b->deliver_on >= last->deliver_on))
				last = b;
		}
		if (last == NULL)
			break;
		serves = booking_serves(last);
		if (serves > excess)
		{
			simulated_give_back(last, last->of == NULL ? last->quantity - excess :
					  (int64) ((int128) (serves - excess) * last->per / SCALE));
			break;
		}
		excess -= serves;
		simulated_give_back(last, 0);
	}
}

/* Give back what kits have too much of, of which a component was lost or that are fewer now. */
static void
balance_kits(Simulation *sim, SalesOrder *order)
{
	kits_give_back(order, sim->ledger);
	for (int j = 0; j < order->nbookings; j++)
		order->bookings[j].release |= order->bookings[j].quantity == 0;
}

/* A component that was lost is still one of its kit, with nothing. */
static void
lose(Booking *b, int64 keep)
{
	simulated_give_back(b, keep);
	b->release = keep == 0 && b->component == 0;
}

/* Give back what the decision planned anew. */
void
simulated_release(Simulation *sim, SalesOrder *order, const DecisionRecord *d)
{
	int64	   *left = palloc(sizeof(int64) * Max(d->nparts, 1));

	for (int k = 0; k < d->nparts; k++)
		left[k] = d->parts[k].quantity;
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];
		OrderLine  *line = order_line(order, b->line_no);
		int64		kept;

		b->pos = ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		if (booking_has_left(b))
			continue;
		if (line == NULL || strcmp(line->status, "cancelled") == 0 || strcmp(line->item, booking_for(b)) != 0 ||
			simulated_kept(d, line - order->lines) <= 0)
		{
			/* kits that were begun keep what they need */
			if (b->component > 0 && line != NULL && strcmp(line->item, b->of) == 0)
				line->replan = true;
			else
				simulated_give_back(b, 0);
			continue;
		}
		kept = recorded_as_kept(d, left, b);
		/* what lost its supply then need not have lost it here */
		if (kept < b->quantity && is_short(sim, order, b))
			lose(b, kept);
	}
	balance_kits(sim, order);
	for (int i = 0; i < order->nlines; i++)
	{
		order->lines[i].replan = false;
		cut_to_quantity(order, &order->lines[i]);
	}
	drop_released(order);
}

/* Keep the bookings until the order is looked at again. */
void
simulated_retain(Simulation *sim, SimOrder *entry, const SalesOrder *order, bool again)
{
	MemoryContext old;
	MemoryContext before = entry->context;	/* what was taken up has its names there */

	/* and so has what is told of the order, until its turn is over */
	if (before != NULL)
		MemoryContextSetParent(before, sim->turn);
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
		b->of = b->of ? pstrdup(b->of) : NULL;
		b->node = pstrdup(b->node);
		b->service = pstrdup(b->service);
		b->stock.lot = "";
		if (b->stock.npath > 0)
			take_of(b, b->stock.path[0], b->stock.pool);
		b->is_new = false;
	}
	MemoryContextSwitchTo(old);
}

void
simulated_take_up(SimOrder *entry, SalesOrder *order)
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
	order.tenant_id = sim->tenant_id;
	order.exists = true;
	order.status = "received";
	order.nlines = record->nlines;
	order.lines = palloc0(sizeof(OrderLine) * Max(record->nlines, 1));
	for (int i = 0; i < record->nlines; i++)
	{
		order.lines[i].line_no = record->lines[i].line_no;
		order.lines[i].status = "received";
		order.lines[i].quantity = SCALED_MAX;
	}
	if (entry->begun)
		simulated_take_up(entry, &order);
	else
		simulated_load_earlier(sim, &order);
	for (int k = 0; k < record->nparts; k++)
		left[k] = record->parts[k].quantity;
	for (int j = 0; j < order.nbookings; j++)
	{
		Booking    *b = &order.bookings[j];
		int64		kept;

		b->pos = ledger_get(sim->ledger, sim->tenant_id, b->item, b->node);
		kept = recorded_as_kept(record, left, b);
		if (!booking_has_left(b) && kept < b->quantity && is_short(sim, &order, b))
			lose(b, kept);
	}
	balance_kits(sim, &order);
	drop_released(&order);
	simulated_retain(sim, entry, &order, true);
	entry->begun = true;
}
