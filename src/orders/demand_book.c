/*
 * demand_book.c
 *		Booking of other demand, its exception, and what a transfer brings.
 */
#include "orders/demand.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "events/exception.h"
#include "ledger/falls.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

static EnginePlan plan_insert = {
	"INSERT INTO routing.reservation (tenant_id, order_id, line_no, part, item, node, quantity, needed_on,"
	" ship_on, deliver_on, min_expiry, service, shipment_no, basis, state, \"from\", xid)"
	" SELECT $1, $2, 1, (SELECT COALESCE(pg_catalog.max(part), 0) + 1 FROM routing.reservation"
	"  WHERE tenant_id = $1 AND order_id = $2 AND line_no = 1 AND part < 1000000),"
	" $3, $4, $5, $6, $6, $7, $6, '', 0, $8, $9, $10, pg_catalog.pg_current_xact_id()",
	10, {INT4OID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, DATEOID, DATEOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_delete_arrival = {
	"DELETE FROM routing.supply WHERE tenant_id = $1 AND ref = $2 AND source_key = $3 AND item = $4 AND node = $5",
	5, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

/* no row: supply of that ref is somebody else's */
static EnginePlan plan_put_arrival = {
	"INSERT INTO routing.supply AS s (tenant_id, ref, source_key, item, node, quantity, available_on, kind)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, 'transfer')"
	" ON CONFLICT (tenant_id, item, node, ref, lot) DO UPDATE"
	" SET quantity = excluded.quantity, available_on = excluded.available_on"
	" WHERE s.source_key = excluded.source_key RETURNING 1",
	7, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, DATEOID}, NULL
};

static void
post(Settlement *s, const Demand *d, const char *item, const char *node, DateADT needed_on, int64 quantity)
{
	StockBooking stock = {.needed_on = needed_on, .min_expiry = needed_on, .lot = "", .ship_on = needed_on};
	Position   *pos = ledger_get(s->ledger, d->tenant_id, item, node);

	/* one that is not locked would not be written; only by hand are bookings moved to another */
	if (!pos->locked)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("bookings of \"%s\" were moved to item \"%s\" at node \"%s\" at the same time",
						d->id, item, node),
				 errhint("Run the transaction again.")));
	position_book(pos, &stock, quantity);
}

static void
insert_row(const Settlement *s, const Demand *d, const DemandBooking *b, const char *state)
{
	Datum		args[10];

	demand_id_args(d, args);
	args[2] = CStringGetTextDatum(b->item);
	args[3] = CStringGetTextDatum(b->node);
	args[4] = NumericGetDatum(scaled_to_numeric(b->quantity));
	args[5] = DateADTGetDatum(b->needed_on);
	args[6] = DateADTGetDatum(b->deliver_on);
	args[7] = CStringGetTextDatum(b->basis);
	args[8] = CStringGetTextDatum(state);
	args[9] = TimestampTzGetDatum(s->clock);
	(void) engine_exec(&plan_insert, args, NULL, ENGINE_FRESH);
}

/*
 * A quantity of a booking has left.  Where a feed tells stock on hand it counts
 * as issued until that falls, as what confirm_ship() ships does.  Returns how
 * much that is.
 */
static int64
leaves(Settlement *s, const Demand *d, const DemandBooking *b, int64 quantity)
{
	const NetNode *node = network_node(network_get(d->tenant_id), b->node);
	Position   *pos = ledger_get(s->ledger, d->tenant_id, b->item, b->node);

	if (node == NULL || !node->stock_feed || !pos->locked)
		return 0;
	quantity -= falls_take(pos, s->clock, quantity);
	/* the stock of what was not covered has fallen already */
	if (!b->firm || quantity == 0)
		return 0;
	falls_expect(pos, s->clock, quantity);
	return quantity;
}

/* Close a booking, or "quantity" of it. */
static void
close_booking(Settlement *s, const Demand *d, const DemandBooking *b, int64 quantity, const char *state)
{
	BookingRow	row = {d->tenant_id, d->id, 1, b->part};
	bool		shipped = strcmp(state, "shipped") == 0;
	int64		issued = shipped ? leaves(s, d, b, quantity) : 0;
	BookingPart parts[3] = {
		{b->quantity - quantity, b->firm ? "firm" : "uncovered", NULL},
		{shipped ? quantity - issued : 0, "shipped", NULL},
		{issued, "issued", NULL}
	};

	if (quantity == b->quantity && issued == 0)
		booking_row_close(&row, state, s->clock);
	else
		(void) booking_rebook(&row, parts, 3, s->clock);
	if (b->firm && quantity > issued)
		post(s, d, b->item, b->node, b->needed_on, issued - quantity);
}

static bool
booking_fits(const Demand *d, const DemandBooking *b)
{
	return d->exists && strcmp(d->item, b->item) == 0 && strcmp(d->node, b->node) == 0 &&
		d->needed_on == b->needed_on && d->deliver_on == b->deliver_on;
}

/* Give back "excess": what has left of what was covered, else first what was not. */
static void
give_back(Settlement *s, const Demand *d, int64 excess)
{
	for (int covered = 0; covered <= 1; covered++)
	{
		bool		firm = d->shipping ? covered == 0 : covered == 1;

		for (int i = d->nbookings - 1; i >= 0 && excess > 0; i--)
		{
			const DemandBooking *b = &d->bookings[i];
			int64		quantity = Min(excess, b->quantity);

			if (b->firm != firm)
				continue;
			close_booking(s, d, b, quantity, d->shipping ? "shipped" : "cancelled");
			excess -= quantity;
		}
	}
}

/*
 * Lock what is touched and give back what is no longer needed, before supply
 * changes of the same transaction are judged.
 */
void
demands_release(Settlement *s)
{
	if (s->ndemands == 0)
		return;
	ledger_lock_all(s->ledger, s->positions, s->npositions);
	for (int i = 0; i < s->ndemands; i++)
	{
		Demand	   *d = s->demands[i];
		int64		booked = 0;
		bool		fits = true;

		/* a judgement may have taken some while we waited */
		demand_load_bookings(d);
		for (int j = 0; j < d->nbookings; j++)
		{
			fits &= booking_fits(d, &d->bookings[j]);
			booked = scaled_add(booked, d->bookings[j].quantity);
		}
		if (!fits)
		{
			for (int j = 0; j < d->nbookings; j++)
				close_booking(s, d, &d->bookings[j], d->bookings[j].quantity,
							  d->exists ? "changed" : d->shipping ? "shipped" : "cancelled");
		}
		else if (d->exists && booked > d->open)
			give_back(s, d, booked - d->open);
	}
}

/* What the position has for demand of the company's own. */
static int64
available(Settlement *s, const Demand *d, const char **basis)
{
	Position	pos = *ledger_get(s->ledger, d->tenant_id, d->item, d->node);
	const NetNode *node = network_node(network_get(d->tenant_id), d->node);
	OfferRequest req;
	const AtpStep *steps;
	int			n;
	int64		atp;

	*basis = "none";
	if (node == NULL)
		return 0;				/* it is gone; an update of the demand will say so */
	offer_request_init(&req, node_date(node, s->clock), s->clock);
	req.rank = d->priority;
	req.within_horizon = true;
	/* a thought of ours: neither safety stock nor what is kept for channels, and not kept in the position */
	pos.safety_stock = 0;
	pos.quotas.n = 0;
	pos.enabled = true;
	pos.special = true;
	n = position_offer(&pos, &req, &steps);
	atp = steps_at(steps, n, Max(d->needed_on, req.today));
	*basis = steps_at(steps, n, req.today) >= atp ? "on_hand" : "inbound";
	return atp;
}

/* One exception is open as long as something is missing. */
void
demand_sync_exception(Settlement *s, const Demand *d, int64 missing)
{
	ExceptionCase about = {
		.tenant_id = d->tenant_id, .type = "demand_short", .order_id = d->id, .line_no = 1,
		.item = d->item, .node = d->node
	};
	JsonWriter	w = {0};

	if (missing == 0)
	{
		about.node = NULL;		/* it may be told of another */
		exception_resolve(&s->events, &about, s->clock);
		return;
	}
	json_begin_object(&w);
	json_key_scaled(&w, "quantity", missing);
	json_key_date(&w, "needed_on", d->needed_on);
	json_end_object(&w);
	exception_put(&s->events, &about, json_result(&w), EXCEPTION_CHANGE, s->clock);
}

/*
 * Make the supply at the destination say what comes.  It is noted before it
 * is written, so that the row's own trigger brings the settlement.
 */
static void
sync_arrival(const Demand *d, int64 covered)
{
	int64		due = d->exists && d->to_node ? Max(scaled_add(covered, d->under_way), 0) : 0;
	bool		there = false;
	Datum		args[7];
	int			n;
	char	  **stale;
	int			nstale = 0;

	demand_key_args(d, args);
	n = demand_arrivals(d);
	stale = palloc(sizeof(char *) * 2 * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		char	   *item = spi_text(i, 1);
		char	   *node = spi_text(i, 2);
		bool		isnull;

		if (due > 0 && strcmp(item, d->item) == 0 && strcmp(node, d->to_node) == 0)
			there = scaled_from_datum(spi_datum(i, 3, &isnull)) == due &&
				DatumGetDateADT(spi_datum(i, 4, &isnull)) == d->deliver_on;
		else
		{
			stale[2 * nstale] = item;
			stale[2 * nstale++ + 1] = node;
		}
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < nstale; i++)
	{
		notes_add(NOTE_LEDGER, d->tenant_id, stale[2 * i], stale[2 * i + 1]);
		args[3] = CStringGetTextDatum(stale[2 * i]);
		args[4] = CStringGetTextDatum(stale[2 * i + 1]);
		(void) engine_exec(&plan_delete_arrival, args, NULL, ENGINE_FRESH);
	}
	if (due == 0 || there)
		return;
	notes_add(NOTE_LEDGER, d->tenant_id, d->item, d->to_node);
	args[3] = CStringGetTextDatum(d->item);
	args[4] = CStringGetTextDatum(d->to_node);
	args[5] = NumericGetDatum(scaled_to_numeric(due));
	args[6] = DateADTGetDatum(d->deliver_on);
	if (engine_exec(&plan_put_arrival, args, NULL, ENGINE_FRESH) > 0)
		return;
	if (d->noted)
		ereport(ERROR,
				(errcode(RT_REF_TAKEN),
				 errmsg("transfer \"%s\": supply \"%s\" of item \"%s\" at node \"%s\" is there already",
						d->ref, d->ref, d->item, d->to_node),
				 errhint("A transfer makes its inbound supply itself; delete the other row, or use another ref.")));
	pending_add(d->tenant_id, "", "demand", d->ref, "other supply at its destination has the same ref", RT_REF_TAKEN);
}

static void
book(Settlement *s, Demand *d)
{
	int64		covered = 0;
	int64		uncovered = 0;
	int64		missing;
	int64		take = 0;

	demand_load_bookings(d);
	for (int i = 0; i < d->nbookings; i++)
	{
		if (d->bookings[i].firm)
			covered = scaled_add(covered, d->bookings[i].quantity);
		else
			uncovered = scaled_add(uncovered, d->bookings[i].quantity);
	}
	missing = d->exists ? d->open - covered : 0;
	if (missing > 0)
	{
		const char *basis;
		DemandBooking b = {0, d->item, d->node, 0, d->needed_on, d->deliver_on, false, "none"};

		take = Min(available(s, d, &basis), missing);
		missing -= take;
		if (missing != uncovered)
		{
			for (int i = 0; i < d->nbookings; i++)
			{
				if (!d->bookings[i].firm)
					close_booking(s, d, &d->bookings[i], d->bookings[i].quantity, "changed");
			}
			b.quantity = missing;
			if (missing > 0)
				insert_row(s, d, &b, "uncovered");
		}
		b.quantity = take;
		b.basis = basis;
		if (take > 0)
		{
			insert_row(s, d, &b, "firm");
			post(s, d, d->item, d->node, d->needed_on, take);
		}
	}
	demand_sync_exception(s, d, missing);
	sync_arrival(d, covered + take);
}

static int
compare_rank(const void *a, const void *b)
{
	const Demand *x = *(Demand *const *) a;
	const Demand *y = *(Demand *const *) b;

	if (x->tenant_id != y->tenant_id)
		return x->tenant_id < y->tenant_id ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->needed_on != y->needed_on)
		return x->needed_on < y->needed_on ? -1 : 1;
	return strcmp(x->ref, y->ref);
}

/* Book what is open, best rank first; positions are locked and judged. */
void
demands_book(Settlement *s)
{
	if (s->ndemands > 1)
		qsort(s->demands, s->ndemands, sizeof(Demand *), compare_rank);
	for (int i = 0; i < s->ndemands; i++)
	{
		CHECK_FOR_INTERRUPTS();
		book(s, s->demands[i]);
	}
}
