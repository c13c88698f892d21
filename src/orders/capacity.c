/*
 * capacity.c
 *		What an order takes of the days of its nodes.
 *
 * For each node with a capacity and day on which the order has something to
 * ship from it: one order, so many lines, so many units; what has shipped
 * stays taken.  It is taken when the order is booked and follows its bookings
 * from then on.  The rows of capacity_booking are guarded by the lock of the
 * order, the counters by ledger/capacity.c.  The orders of a simulation take
 * it from that of the simulation.
 */
#include "orders/problem.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "orders/simulated_days.h"

#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

enum
{
	B_TENANT_ID, B_ORDER_ID, B_NODE, B_DAY, B_LINES, B_UNITS, B_NCOLS
};

static const char *const booking_names[B_NCOLS] = {"tenant_id", "order_id", "node", "day", "lines", "units"};
static ColumnMap booking_columns = {TAB_CAPACITY_BOOKING, B_NCOLS, booking_names, 0, {0}};

static EnginePlan plan_had = {
	"SELECT node, day, lines, units FROM routing.capacity_booking"
	" WHERE tenant_id = $1 AND (order_id = $2 OR order_id = $3)",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_drop_hold = {
	"DELETE FROM routing.capacity_booking WHERE tenant_id = $1 AND order_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_drop = {
	"DELETE FROM routing.capacity_booking WHERE tenant_id = $1 AND order_id = $2 AND node = $3 AND day = $4",
	4, {INT4OID, TEXTOID, TEXTOID, DATEOID}, NULL
};

static EnginePlan plan_put = {
	"INSERT INTO routing.capacity_booking (tenant_id, order_id, node, day, lines, units, expires_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)"
	" ON CONFLICT (tenant_id, order_id, node, day) DO UPDATE SET lines = $5, units = $6",
	7, {INT4OID, TEXTOID, TEXTOID, DATEOID, INT8OID, INT8OID, TIMESTAMPTZOID}, NULL
};

static DayUse *
use_of(List **uses, const char *node, DateADT day)
{
	ListCell   *cell;
	DayUse	   *u;

	foreach(cell, *uses)
	{
		u = lfirst(cell);
		if (u->day == day && strcmp(u->node, node) == 0)
			return u;
	}
	u = palloc0(sizeof(DayUse));
	u->node = node;
	u->day = day;
	*uses = lappend(*uses, u);
	return u;
}

static int
compare_uses(const ListCell *a, const ListCell *b)
{
	const DayUse *x = lfirst(a);
	const DayUse *y = lfirst(b);
	int			c = strcmp(x->node, y->node);

	return c != 0 ? c : (x->day > y->day) - (x->day < y->day);
}

/* whether another booking of the line ships from there that day, before index j */
static bool
line_counted(const SalesOrder *order, int j)
{
	const Booking *b = &order->bookings[j];

	for (int k = 0; k < j; k++)
	{
		const Booking *o = &order->bookings[k];

		if (!o->release && o->line_no == b->line_no && o->ship_on == b->ship_on && strcmp(o->node, b->node) == 0)
			return true;
	}
	return false;
}

/* What the order took so far by the table, or by what this decision has written. */
static void
add_had(const SalesOrder *order, List **uses)
{
	Datum		args[3];
	uint64		n;
	ListCell   *cell;

	if (order->took_capacity)
	{
		foreach(cell, order->took)
		{
			const DayUse *t = lfirst(cell);

			if (t->want.n[CAPACITY_ORDERS] > 0)
				use_of(uses, t->node, t->day)->had = t->want;
		}
		return;
	}
	/* a new order has nothing */
	if (order->exists && order->decision_id == 0 && order->from_hold == NULL && !order->had_row)
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = CStringGetTextDatum(order->from_hold ? order->from_hold : order->order_id);
	n = engine_exec(&plan_had, args, NULL, ENGINE_FRESH);
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		DayUse	   *u = use_of(uses, spi_text(i, 1), DatumGetDateADT(spi_datum(i, 2, &isnull)));

		u->had.n[CAPACITY_ORDERS]++;
		u->had.n[CAPACITY_LINES] += DatumGetInt64(spi_datum(i, 3, &isnull));
		u->had.n[CAPACITY_UNITS] = scaled_add(u->had.n[CAPACITY_UNITS], DatumGetInt64(spi_datum(i, 4, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Whether anything is said of what a node can ship. */
static bool
is_limited(const SalesOrder *order, const char *node)
{
	return order->days != NULL ? simulated_days_limited(order->days, node) : capacity_limited(order->tenant_id, node);
}

/* That, and what its bookings say now, by node and day. */
static List *
order_uses(const SalesOrder *order, bool new_ones)
{
	List	   *uses = NIL;

	add_had(order, &uses);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		DayUse	   *u;

		if (b->release || (b->is_new && !new_ones) || !is_limited(order, b->node) ||
			capacity_is_past(b->ship_on, order->clock))
			continue;
		u = use_of(&uses, b->node, b->ship_on);
		u->want.n[CAPACITY_ORDERS] = 1;
		u->want.n[CAPACITY_LINES] += !line_counted(order, j);
		u->want.n[CAPACITY_UNITS] = scaled_add(u->want.n[CAPACITY_UNITS], booking_serves(b));
	}
	list_sort(uses, compare_uses);
	return uses;
}

/* How much more it takes now; returns 1, -1 or 0: some of it is more, all of it is less, nothing changes. */
static int
more_of(const DayUse *u, CapacityUse *more)
{
	int			sign = 0;

	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
	{
		more->n[k] = u->want.n[k] - u->had.n[k];
		if (more->n[k] > 0)
			sign = 1;
		else if (more->n[k] < 0 && sign == 0)
			sign = -1;
	}
	return sign;
}

static CapacityUse
negative(CapacityUse use)
{
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		use.n[k] = -use.n[k];
	return use;
}

/*
 * Insert the first row of an order; false if there is one.  Directly: it costs
 * a fifth of what a statement does.
 */
static bool
insert_use(const SalesOrder *order, const DayUse *u)
{
	KeyScan		ks;
	Snapshot	snapshot = fresh_snapshot();
	bool		found = keyscan_find(&ks, TAB_CAPACITY_BOOKING, NULL, order->tenant_id, order->order_id, snapshot);
	Store	   *store;
	const ColumnMap *m = &booking_columns;

	keyscan_close(&ks);
	UnregisterSnapshot(snapshot);
	if (found)
		return false;
	store = store_open(TAB_CAPACITY_BOOKING);
	columns_resolve(&booking_columns, RelationGetDescr(store->rel));
	memset(store->nulls, true, RelationGetDescr(store->rel)->natts);
	for (int c = 0; c < B_NCOLS; c++)
		store->nulls[m->attnos[c] - 1] = false;
	store->values[m->attnos[B_TENANT_ID] - 1] = Int32GetDatum(order->tenant_id);
	store->values[m->attnos[B_ORDER_ID] - 1] = CStringGetTextDatum(order->order_id);
	store->values[m->attnos[B_NODE] - 1] = CStringGetTextDatum(u->node);
	store->values[m->attnos[B_DAY] - 1] = DateADTGetDatum(u->day);
	store->values[m->attnos[B_LINES] - 1] = Int64GetDatum(u->want.n[CAPACITY_LINES]);
	store->values[m->attnos[B_UNITS] - 1] = Int64GetDatum(u->want.n[CAPACITY_UNITS]);
	store_add(store);
	store_close(store);
	return true;
}

static void
write_use(const SalesOrder *order, const DayUse *u)
{
	Datum		args[7];

	if (order->decision_id == 0 && order->expires_at == 0 && order->from_hold == NULL && insert_use(order, u))
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = CStringGetTextDatum(u->node);
	args[3] = DateADTGetDatum(u->day);
	args[4] = Int64GetDatum(u->want.n[CAPACITY_LINES]);
	args[5] = Int64GetDatum(u->want.n[CAPACITY_UNITS]);
	args[6] = TimestampTzGetDatum(order->expires_at);
	(void) engine_exec(u->want.n[CAPACITY_ORDERS] > 0 ? &plan_put : &plan_drop, args,
					   order->expires_at == 0 ? "      n" : NULL, ENGINE_FRESH);
}

/* Let what an order of a simulation takes follow its bookings. */
static void
take_simulated(SalesOrder *order)
{
	ListCell   *cell;
	CapacityUse more;

	order->took = order_uses(order, true);
	foreach(cell, order->took)
	{
		const DayUse *u = lfirst(cell);

		(void) more_of(u, &more);
		simulated_days_take(order->days, u->node, u->day, &more);
	}
}

/*
 * Let what the order takes become "uses".  False, and nothing changed, if a
 * day has not enough left; with "must" that is no question.
 */
static bool
take(SalesOrder *order, List *uses, bool must)
{
	ListCell   *cell;
	CapacityUse more;

	foreach(cell, uses)
	{
		const DayUse *u = lfirst(cell);

		if (more_of(u, &more) <= 0 || capacity_take(order->tenant_id, u->node, u->day, order->clock, &more))
			continue;
		if (must)
		{
			more = negative(more);
			capacity_give(order->tenant_id, u->node, u->day, &more);
			continue;
		}
		/* as it was */
		for (int i = 0; i < foreach_current_index(cell); i++)
		{
			const DayUse *taken = list_nth(uses, i);

			if (more_of(taken, &more) > 0)
				capacity_give(order->tenant_id, taken->node, taken->day, &more);
		}
		return false;
	}
	if (order->from_hold != NULL && !order->took_capacity)
	{
		Datum		args[2];

		args[0] = Int32GetDatum(order->tenant_id);
		args[1] = CStringGetTextDatum(order->from_hold);
		(void) engine_exec(&plan_drop_hold, args, NULL, ENGINE_FRESH);
	}
	foreach(cell, uses)
	{
		const DayUse *u = lfirst(cell);
		int			sign = more_of(u, &more);

		if (sign < 0)
		{
			CapacityUse less = negative(more);

			capacity_give(order->tenant_id, u->node, u->day, &less);
		}
		if (sign != 0 || (order->from_hold != NULL && !order->took_capacity))
			write_use(order, u);
	}
	order->took = uses;
	order->took_capacity = true;
	return true;
}

/* Whether bookings that stay take nothing of their day yet: they are older than its limit. */
static bool
keeps_uncounted(const SalesOrder *order, List **uses)
{
	bool		keeps = false;
	ListCell   *cell;
	CapacityUse more;

	for (int j = 0; j < order->nbookings && !keeps; j++)
		keeps = !order->bookings[j].release && !order->bookings[j].is_new;
	if (!keeps)
		return false;
	*uses = order_uses(order, false);
	foreach(cell, *uses)
	{
		if (more_of(lfirst(cell), &more) > 0)
			return true;
	}
	return false;
}

/*
 * Let what the order takes of its nodes' days follow its bookings.  False, and
 * nothing changed but for what it keeps, if a day has not enough left; with
 * "must" that is no question, the day is overbooked then.
 */
bool
order_take_capacity(SalesOrder *order, bool must)
{
	List	   *kept;

	if (order->days != NULL)
	{
		take_simulated(order);
		return true;
	}
	if (order->imposed != NULL || !capacity_any())
		return true;
	if (!must && keeps_uncounted(order, &kept))
		(void) take(order, kept, true);
	return take(order, order_uses(order, true), must);
}

/*
 * The search asks what a node can still do on a day.  What the order itself has
 * there and would give up is there for it; where something of it stays, the
 * node ships for it anyway, and has less for others if it was not counted yet.
 */
void
order_room(SalesOrder *order, const char *node, DateADT ship_day, SrcRoom *out)
{
	CapacityUse room;
	CapacityUse want = {{1, 0, 0}};
	int64		price;
	ListCell   *cell;

	out->shipments = out->lines = out->units = INT64_MAX;
	out->price = 0;
	if (!is_limited(order, node))
		return;
	for (int i = 0; i < order->nlines; i++)
	{
		want.n[CAPACITY_LINES] += order->lines[i].open > 0;
		want.n[CAPACITY_UNITS] = scaled_add(want.n[CAPACITY_UNITS], order->lines[i].open);
	}
	if (order->days != NULL)
		simulated_days_room(order->days, node, ship_day, &room, &price);
	else
		capacity_room(order->tenant_id, node, ship_day, order->clock, &want, &room, &price);
	if (!order->uses_known)
	{
		order->uses = order_uses(order, false);
		order->uses_known = true;
	}
	foreach(cell, order->uses)
	{
		const DayUse *u = lfirst(cell);

		if (u->day != ship_day || strcmp(u->node, node) != 0)
			continue;
		if (u->want.n[CAPACITY_ORDERS] > 0)
			room.n[CAPACITY_ORDERS] = PG_INT64_MAX;
		for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		{
			if (room.n[k] != PG_INT64_MAX)
				room.n[k] = Max(scaled_add(room.n[k], u->had.n[k] - u->want.n[k]), 0);
		}
	}
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
	{
		if (room.n[k] < want.n[k])
		{
			order_note_full(order, node, ship_day);
			break;
		}
	}
	out->shipments = room.n[CAPACITY_ORDERS];
	out->lines = room.n[CAPACITY_LINES];
	out->units = room.n[CAPACITY_UNITS];
	out->price = price;
}
