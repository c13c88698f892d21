/*
 * simulated_open.c
 *		The shipments that are open in a simulation, which its orders may join.
 *
 * It begins with those of the first instant, read when the first order asks
 * that joins any: of which orders they were, by the policies of that time, and
 * where these go by their rows as they stand.  From then on each order's follow
 * where the simulation has it.
 */
#include "orders/problem.h"
#include "orders/simulate.h"

#include "base/engine.h"

#include "catalog/pg_type.h"

static EnginePlan plan_open = {
	"SELECT DISTINCT r.order_id, r.node, r.service, r.ship_on FROM routing.reservation r"
	" WHERE r.tenant_id = $1 AND r.\"from\" < $2 AND (r.\"to\" IS NULL OR r.\"to\" >= $2) AND r.ship_on >= $3"
	"  AND r.service IS NOT NULL AND r.state <> 'hold' ORDER BY 1, 2, 3, 4",
	3, {INT4OID, TIMESTAMPTZOID, DATEOID}, NULL
};

static void
add(Simulation *sim, const SalesOrder *order, const char *node, const char *service, DateADT ship_on)
{
	MemoryContext old = MemoryContextSwitchTo(sim->keep);
	OpenShipment *s;

	if (sim->opens.n == sim->cap_opens)
	{
		sim->cap_opens = sim->cap_opens ? sim->cap_opens * 2 : 64;
		sim->opens.v = sim->opens.v == NULL ? palloc(sizeof(OpenShipment) * sim->cap_opens) :
			repalloc_huge(sim->opens.v, sizeof(OpenShipment) * sim->cap_opens);
	}
	s = &sim->opens.v[sim->opens.n++];
	s->key = order_open_key(order);
	s->order_id = pstrdup(order->order_id);
	s->customer = pstrdup(order->customer);
	s->ship_to = pstrdup(order->ship_to);
	s->node = pstrdup(node);
	s->service = pstrdup(service);
	s->ship_on = ship_on;
	MemoryContextSwitchTo(old);
}

/* Those of the first instant.  Days of nodes differ by one from that of UTC at the most. */
static void
read_first(Simulation *sim)
{
	Datum		args[3];
	SPITupleTable *rows;
	SalesOrder *order = NULL;
	int			n;

	args[0] = Int32GetDatum(sim->tenant_id);
	args[1] = TimestampTzGetDatum(sim->from);
	args[2] = DateADTGetDatum((DateADT) (sim->from / USECS_PER_DAY) - 1);
	n = (int) engine_exec(&plan_open, args, NULL, ENGINE_READ);
	rows = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		char	   *order_id = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		bool		isnull;

		if (order == NULL || strcmp(order->order_id, order_id) != 0)
		{
			order = order_load(sim->tenant_id, order_id, ORDER_NO_LOCK);
			order->order_id = order_id;
			order->clock = sim->from;
			order->status = pstrdup("received");
			if (order->exists)
				order_check(order);
		}
		if (order->exists && order_consolidates(order))
			add(sim, order, SPI_getvalue(rows->vals[i], rows->tupdesc, 2), SPI_getvalue(rows->vals[i], rows->tupdesc, 3),
				DatumGetDateADT(SPI_getbinval(rows->vals[i], rows->tupdesc, 4, &isnull)));
	}
	SPI_freetuptable(rows);
}

/* Let an order that is to be planned know what is open. */
void
simulated_show_open(Simulation *sim, SalesOrder *order)
{
	if (!order_consolidates(order))
		return;
	if (!sim->opens_read)
		read_first(sim);
	sim->opens_read = true;
	order->opens = &sim->opens;
}

/*
 * What an order has open follows its bookings; NULL: it is cancelled.
 * "known": it may have some already.
 */
void
simulated_follow_open(Simulation *sim, const SimOrder *entry, SalesOrder *order, bool known)
{
	int			kept = 0;

	if (!sim->opens_read)
		return;
	for (int i = 0; i < sim->opens.n && known; i++)
	{
		if (strcmp(sim->opens.v[i].order_id, entry->order_id) != 0)
			sim->opens.v[kept++] = sim->opens.v[i];
	}
	if (known)
		sim->opens.n = kept;
	if (order == NULL || !order->exists || !order_consolidates(order))
		return;
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (!b->release && !booking_has_left(b) && b->service != NULL && b->service[0] != '\0')
			add(sim, order, b->node, b->service, b->ship_on);
	}
}
