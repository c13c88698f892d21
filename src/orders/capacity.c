/*
 * capacity.c
 *		What an order takes of the days of its nodes.
 *
 * For each node with a capacity and day on which the order has something to
 * ship from it: one order, so many lines, so many units; what has shipped
 * stays taken.  It is taken when the order is booked and follows its bookings
 * from then on.  The rows of capacity_booking are guarded by the lock of the
 * order, the counters by ledger/capacity.c.
 */
#include "orders/problem.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/capacity.h"

#include "catalog/pg_type.h"

typedef struct DayUse
{
	const char *node;
	DateADT		day;
	CapacityUse had;			/* as written */
	CapacityUse want;			/* by the bookings in hand */
} DayUse;

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
	"INSERT INTO routing.capacity_booking (tenant_id, order_id, node, day, lines, units)"
	" VALUES ($1, $2, $3, $4, $5, $6)"
	" ON CONFLICT (tenant_id, order_id, node, day) DO UPDATE SET lines = $5, units = $6",
	6, {INT4OID, TEXTOID, TEXTOID, DATEOID, INT8OID, INT8OID}, NULL
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

/* What the order took so far and what its bookings say now, by node and day. */
static List *
order_uses(const SalesOrder *order, bool new_ones)
{
	List	   *uses = NIL;

	if (order->took_capacity || order->decision_id != 0 || order->from_hold != NULL || strncmp(order->order_id, "hold:", 5) == 0 ||
		!order->exists || order->had_row)
	{
		Datum		args[3];
		uint64		n;

		args[0] = Int32GetDatum(order->tenant_id);
		args[1] = CStringGetTextDatum(order->order_id);
		args[2] = CStringGetTextDatum(order->from_hold ? order->from_hold : order->order_id);
		n = engine_exec(&plan_had, args, NULL, ENGINE_FRESH);
		for (uint64 i = 0; i < n; i++)
		{
			bool		isnull;
			DayUse	   *u = use_of(&uses, spi_text(i, 1), DatumGetDateADT(spi_datum(i, 2, &isnull)));

			u->had.orders++;
			u->had.lines += DatumGetInt64(spi_datum(i, 3, &isnull));
			u->had.units = scaled_add(u->had.units, DatumGetInt64(spi_datum(i, 4, &isnull)));
		}
	}
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		DayUse	   *u;

		if (b->release || (b->is_new && !new_ones) || !capacity_limited(order->tenant_id, b->node))
			continue;
		u = use_of(&uses, b->node, b->ship_on);
		u->want.orders = 1;
		u->want.lines += !line_counted(order, j);
		u->want.units = scaled_add(u->want.units, booking_serves(b));
	}
	list_sort(uses, compare_uses);
	return uses;
}

static CapacityUse
more_of(const DayUse *u)
{
	CapacityUse more = {u->want.orders - u->had.orders, u->want.lines - u->had.lines, u->want.units - u->had.units};

	return more;
}

static CapacityUse
negative(CapacityUse use)
{
	CapacityUse less = {-use.orders, -use.lines, -use.units};

	return less;
}

static void
write_use(const SalesOrder *order, const DayUse *u)
{
	Datum		args[6];

	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = CStringGetTextDatum(u->node);
	args[3] = DateADTGetDatum(u->day);
	args[4] = Int64GetDatum(u->want.lines);
	args[5] = Int64GetDatum(u->want.units);
	(void) engine_exec(u->want.orders > 0 ? &plan_put : &plan_drop, args, NULL, ENGINE_FRESH);
}

/*
 * Let what the order takes of its nodes' days follow its bookings.  False, and
 * nothing changed, if a day has not enough left; with "must" that is no
 * question, the day is overbooked then.
 */
bool
order_take_capacity(SalesOrder *order, bool must)
{
	List	   *uses;
	ListCell   *cell;

	/* a simulation takes none */
	if (!capacity_any() || order->imposed != NULL)
		return true;
	uses = order_uses(order, true);
	foreach(cell, uses)
	{
		const DayUse *u = lfirst(cell);
		CapacityUse more = more_of(u);

		if (more.orders <= 0 && more.lines <= 0 && more.units <= 0)
			continue;
		if (capacity_take(order->tenant_id, u->node, u->day, &more))
			continue;
		if (must)
		{
			CapacityUse less = negative(more);

			capacity_give(order->tenant_id, u->node, u->day, &less);
			continue;
		}
		/* as it was */
		for (int i = 0; i < foreach_current_index(cell); i++)
		{
			const DayUse *taken = list_nth(uses, i);

			more = more_of(taken);
			if (more.orders > 0 || more.lines > 0 || more.units > 0)
				capacity_give(order->tenant_id, taken->node, taken->day, &more);
		}
		return false;
	}
	if (order->from_hold != NULL)
	{
		Datum		args[2];

		args[0] = Int32GetDatum(order->tenant_id);
		args[1] = CStringGetTextDatum(order->from_hold);
		(void) engine_exec(&plan_drop_hold, args, NULL, ENGINE_FRESH);
	}
	foreach(cell, uses)
	{
		const DayUse *u = lfirst(cell);
		CapacityUse more = more_of(u);

		if (more.orders <= 0 && more.lines <= 0 && more.units <= 0 &&
			(more.orders < 0 || more.lines < 0 || more.units < 0))
		{
			CapacityUse less = negative(more);

			capacity_give(order->tenant_id, u->node, u->day, &less);
		}
		if (more.orders != 0 || more.lines != 0 || more.units != 0 || order->from_hold != NULL)
			write_use(order, u);
	}
	list_free_deep(uses);
	order->took_capacity = true;
	return true;
}

/*
 * The search asks what a node can still do on a day.  What the order itself has
 * there and would give up is there for it; where something of it stays, the
 * node ships for it anyway.
 */
void
order_room(SalesOrder *order, const char *node, DateADT ship_day, SrcRoom *out)
{
	CapacityUse room;
	int64		price;

	out->shipments = out->lines = out->units = INT64_MAX;
	out->price = 0;
	if (!capacity_limited(order->tenant_id, node))
		return;
	capacity_room(order->tenant_id, node, ship_day, order->clock, &room, &price);
	if (!order->uses_known)
	{
		order->uses = order_uses(order, false);
		order->uses_known = true;
	}
	if (order->uses != NIL)
	{
		ListCell   *cell;

		foreach(cell, (List *) order->uses)
		{
			const DayUse *u = lfirst(cell);

			if (u->day != ship_day || strcmp(u->node, node) != 0)
				continue;
			if (u->want.orders > 0)
				room.orders = PG_INT64_MAX;
			else if (room.orders != PG_INT64_MAX)
				room.orders += u->had.orders;
			if (room.lines != PG_INT64_MAX)
				room.lines += Max(u->had.lines - u->want.lines, 0);
			if (room.units != PG_INT64_MAX)
				room.units = scaled_add(room.units, Max(u->had.units - u->want.units, 0));
		}
	}
	out->shipments = room.orders;
	out->lines = room.lines;
	out->units = room.units;
	out->price = price;
}
