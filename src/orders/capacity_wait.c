/*
 * capacity_wait.c
 *		Orders that would leave earlier if a node could ship more.
 *
 * An order that lacks something, or leaves later than it should, notes the
 * nodes that had a day too full for it.  A settlement that gives capacity back
 * plans those that wait for it anew, by rank and age, as many lines as it may;
 * the others, and those whose node got a higher limit, are left to run_jobs().
 * What they leave is free for the next ones.
 *
 * Rows are guarded by the lock of their order.
 */
#include "orders/problem.h"
#include "orders/settle.h"

#include "base/engine.h"
#include "ledger/capacity.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

/* how far those that wait for a day are looked into */
#define MAX_WAITING		1000

/* days of a node are looked at for one that has capacity again */
#define MAX_DAYS		60

typedef struct FullNode
{
	const char *node;
	DateADT		first;
} FullNode;

static EnginePlan plan_drop = {
	"DELETE FROM routing.capacity_wait WHERE tenant_id = $1 AND order_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_put = {
	"INSERT INTO routing.capacity_wait (tenant_id, node, order_id, first_day, last_day, rank, since)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, node, order_id)"
	" DO UPDATE SET first_day = $4, last_day = $5, rank = $6",
	7, {INT4OID, TEXTOID, TEXTOID, DATEOID, DATEOID, INT4OID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_of_order = {
	"SELECT node, first_day, last_day FROM routing.capacity_wait WHERE tenant_id = $1 AND order_id = $2 ORDER BY 1",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_waiting = {
	"SELECT order_id FROM routing.capacity_wait WHERE tenant_id = $1 AND node = $2 AND first_day <= $3 AND last_day >= $3"
	" ORDER BY rank, since, order_id LIMIT $4",
	4, {INT4OID, TEXTOID, DATEOID, INT4OID}, NULL
};

/* The search was told that a day has less left than the order wants. */
void
order_note_full(SalesOrder *order, const char *node, DateADT day)
{
	ListCell   *cell;
	FullNode   *f;

	foreach(cell, order->full)
	{
		f = lfirst(cell);
		if (strcmp(f->node, node) == 0)
		{
			f->first = Min(f->first, day);
			return;
		}
	}
	f = palloc(sizeof(FullNode));
	f->node = node;
	f->first = day;
	order->full = lappend(order->full, f);
}

/* The last day on which it would help the order to leave; DATEVAL_NOBEGIN: none. */
static DateADT
last_helpful(const SalesOrder *order)
{
	DateADT		last = DATEVAL_NOBEGIN;

	if (!order->exists || order_is_cancelled(order))
		return last;
	for (int i = 0; i < order->nlines; i++)
	{
		if (order->lines[i].unserved > 0)
			return DATEVAL_NOEND;
	}
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		const OrderLine *line = order_line(unconstify(SalesOrder *, order), b->line_no);

		if (!b->release && b->state == BOOKING_FIRM && line != NULL &&
			((!line->has_requested && !order->has_requested) || booking_is_late(order, line, b)))
			last = Max(last, b->ship_on - 1);
	}
	return last;
}

/* Note what an order that is written waits for; SPI is connected. */
void
order_wait_for_capacity(SalesOrder *order)
{
	Datum		args[7];
	DateADT		last;
	ListCell   *cell;

	bool		known = order->decision_id != 0 || order->had_row || !order->exists;

	if (order->full == NIL && (!known || !(order->waited || capacity_any())))
		return;
	last = last_helpful(order);
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	if (known && (order->planned || last == DATEVAL_NOBEGIN))
		(void) engine_exec(&plan_drop, args, NULL, ENGINE_FRESH);
	args[2] = args[1];
	foreach(cell, order->full)
	{
		const FullNode *f = lfirst(cell);

		if (f->first > last)
			continue;
		args[1] = CStringGetTextDatum(f->node);
		args[3] = DateADTGetDatum(f->first);
		args[4] = DateADTGetDatum(last);
		args[5] = Int32GetDatum(order->priority);
		args[6] = TimestampTzGetDatum(order->clock);
		(void) engine_exec(&plan_put, args, NULL, ENGINE_FRESH);
	}
}

/* Whether a node has capacity again on a day that would help an order that waits for it. */
bool
order_has_capacity(SalesOrder *order)
{
	Datum		args[2];
	SPITupleTable *rows;
	bool		has = false;
	int			n;

	if (!order->exists || order->decision_id == 0)
		return false;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	n = (int) engine_exec(&plan_of_order, args, NULL, ENGINE_FRESH);
	rows = SPI_tuptable;
	order->waited = n > 0;
	for (int i = 0; i < n && !has; i++)
	{
		char	   *code = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		const NetNode *node = network_node(order->net, code);
		bool		isnull;
		DateADT		day = DatumGetDateADT(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull));
		DateADT		last = DatumGetDateADT(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull));

		if (node == NULL)
			continue;
		day = Max(day, node_date(node, order->clock));
		last = Min(last, day + MAX_DAYS);
		for (; day <= last && !has; day++)
		{
			SrcRoom		room;

			order_room(order, code, day, &room);
			has = room.shipments > 0 && room.lines > 0 && room.units > 0;
		}
	}
	SPI_freetuptable(rows);
	/* it was only asked */
	order->full = NIL;
	order->uses_known = false;
	return has;
}

static int
load_waiting(const FreedDay *f, char ***orders)
{
	Datum		args[4];
	int			n;

	args[0] = Int32GetDatum(f->tenant_id);
	args[1] = CStringGetTextDatum(f->node);
	args[2] = DateADTGetDatum(f->day);
	args[3] = Int32GetDatum(MAX_WAITING);
	n = (int) engine_exec(&plan_waiting, args, NULL, ENGINE_FRESH);
	*orders = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*orders)[i] = spi_text(i, 1);
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Plan an order anew; false if this settlement may not. */
static bool
serve(Settlement *s, int32 tenant_id, const char *order_id)
{
	SalesOrder *order;

	if (!settlement_take_waiting(s, tenant_id, order_id, &order))
		return false;
	if (order == NULL)
		return true;
	order_replan_late(order, s->ledger);
	s->budget -= Max(order->nlines, 1);
	order_route_aside(order, s->ledger);
	settlement_write_order(s, order);
	return true;
}

/* After everything else of a settlement: who waits for what it gave back of the days of nodes. */
void
settle_capacity(Settlement *s)
{
	List	   *seen = NIL;
	List	   *days;

	while ((days = capacity_freed()) != NIL)
	{
		ListCell   *cell;

		CommandCounterIncrement();
		foreach(cell, days)
		{
			const FreedDay *f = lfirst(cell);
			char	  **orders;
			int			n = load_waiting(f, &orders);

			for (int i = 0; i < n; i++)
			{
				ListCell   *other;
				bool		again = settlement_has_order(s, f->tenant_id, orders[i]);

				CHECK_FOR_INTERRUPTS();
				foreach(other, seen)
					again |= strcmp(lfirst(other), orders[i]) == 0;
				if (again)
					continue;
				seen = lappend(seen, orders[i]);
				if (!serve(s, f->tenant_id, orders[i]))
					settlement_leave(s, f->tenant_id, orders[i], "a node may ship more", ERRCODE_SUCCESSFUL_COMPLETION);
			}
		}
	}
}

/* The same where nothing is settled: all of them are left to run_jobs().  SPI is connected. */
void
leave_for_capacity(void)
{
	static EnginePlan plan = {
		"INSERT INTO routing.pending (tenant_id, binding, concept, key, reason, sqlstate)"
		" SELECT w.tenant_id, '', 'orders', w.order_id, 'a node may ship more', '00000' FROM routing.capacity_wait w"
		" WHERE w.tenant_id = $1 AND w.node = $2 AND w.first_day <= $3 AND w.last_day >= $3 ORDER BY w.order_id"
		" ON CONFLICT DO NOTHING",
		3, {INT4OID, TEXTOID, DATEOID}, NULL
	};
	ListCell   *cell;

	foreach(cell, capacity_freed())
	{
		const FreedDay *f = lfirst(cell);
		Datum		args[3];

		args[0] = Int32GetDatum(f->tenant_id);
		args[1] = CStringGetTextDatum(f->node);
		args[2] = DateADTGetDatum(f->day);
		(void) engine_exec(&plan, args, NULL, ENGINE_FRESH);
	}
}
