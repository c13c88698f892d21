/*
 * simulated_took.c
 *		What the orders of a simulation take of the days of their nodes, until
 *		they are decided again.
 */
#include "orders/simulate.h"

#include "base/quantity.h"


static DayUse *
add_use(Simulation *sim, SimOrder *entry)
{
	entry->took = entry->took == NULL ? MemoryContextAlloc(sim->keep, sizeof(DayUse)) :
		repalloc(entry->took, sizeof(DayUse) * (entry->ntook + 1));
	memset(&entry->took[entry->ntook], 0, sizeof(DayUse));
	return &entry->took[entry->ntook++];
}

/* Count a booking that an order has at the first instant; they come by line. */
void
simulated_add_took(Simulation *sim, SimOrder *entry, const SimDayRow *row)
{
	DayUse	   *u = NULL;
	CapacityUse more = {{0, 0, row->units}};

	for (int i = 0; i < entry->ntook && u == NULL; i++)
	{
		if (entry->took[i].day == row->day && strcmp(entry->took[i].node, row->node) == 0)
			u = &entry->took[i];
	}
	if (u == NULL)
	{
		u = add_use(sim, entry);
		u->node = row->node;
		u->day = row->day;
		u->since = simulated_days_since(sim->days, u->node);
		more.n[CAPACITY_ORDERS] = 1;
	}
	/* "had" is the line that was counted last */
	more.n[CAPACITY_LINES] = u->want.n[CAPACITY_LINES] == 0 || u->had.n[CAPACITY_LINES] != row->line_no;
	u->had.n[CAPACITY_LINES] = row->line_no;
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		u->want.n[k] = scaled_add(u->want.n[k], more.n[k]);
	simulated_days_take(sim->days, u->node, u->day, &more);
}

/* The order has taken what its entry says. */
void
simulated_take_days(const Simulation *sim, const SimOrder *entry, SalesOrder *order)
{
	if (sim->days == NULL)
		return;
	order->took_capacity = true;
	order->took = NIL;
	for (int i = 0; i < entry->ntook; i++)
	{
		DayUse	   *u;

		if (entry->took[i].since != simulated_days_since(sim->days, entry->took[i].node))
			continue;
		u = palloc(sizeof(DayUse));
		*u = entry->took[i];
		order->took = lappend(order->took, u);
	}
}

/* Let what the order takes follow its bookings, and keep it until the order is looked at again. */
void
simulated_keep_days(Simulation *sim, SimOrder *entry, const SalesOrder *order, bool again)
{
	ListCell   *cell;

	if (sim->days == NULL)
		return;
	if (entry->took != NULL)
		pfree(entry->took);
	entry->took = NULL;
	entry->ntook = 0;
	if (!order->exists)
		return;
	(void) order_take_capacity(unconstify(SalesOrder *, order), true);
	foreach(cell, order->took)
	{
		const DayUse *u = lfirst(cell);

		if (again && u->want.n[CAPACITY_ORDERS] > 0)
		{
			DayUse	   *kept = add_use(sim, entry);

			*kept = *u;
			kept->node = simulated_days_node(sim->days, u->node);
			kept->since = simulated_days_since(sim->days, u->node);
		}
	}
}

/* The order is cancelled: what has left stays taken. */
void
simulated_leave_days(Simulation *sim, SimOrder *entry)
{
	SalesOrder	order = {0};

	if (sim->days == NULL || !entry->begun)
		return;
	order.tenant_id = sim->tenant_id;
	order.exists = true;
	order.days = sim->days;
	order.clock = sim->from;
	simulated_take_days(sim, entry, &order);
	for (int j = 0; j < entry->nbookings; j++)
	{
		if (booking_has_left(&entry->bookings[j]))
			*order_add_booking(&order) = entry->bookings[j];
	}
	simulated_keep_days(sim, entry, &order, true);
}
