/*
 * service_wait.c
 *		Orders that lack something while a carrier service is not used.
 *
 * A service that failed is used again when its time has come or somebody
 * reports that it works.  Nothing happens at a position then, so nobody would
 * look at the orders that could have been served by it: they are noted, and
 * run_jobs() routes them again.
 */
#include "orders/order.h"

#include "base/clock.h"
#include "base/engine.h"

#include "catalog/pg_type.h"

static EnginePlan plan_wait = {
	"INSERT INTO routing.service_wait AS w (tenant_id, order_id, retry_at) VALUES ($1, $2, $3)"
	" ON CONFLICT (tenant_id, order_id) DO UPDATE SET retry_at = EXCLUDED.retry_at",
	3, {INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_due = {
	"WITH due AS (DELETE FROM routing.service_wait w WHERE w.tenant_id = $1 AND w.retry_at <= $2 RETURNING w.order_id)"
	" INSERT INTO routing.pending (tenant_id, binding, concept, key, reason, sqlstate)"
	" SELECT $1, '', 'orders', d.order_id, 'a carrier service may be used again', '00000'"
	" FROM due d JOIN routing.sales_order o ON o.tenant_id = $1 AND o.order_id = d.order_id"
	" WHERE o.status <> 'cancelled' ORDER BY d.order_id ON CONFLICT DO NOTHING",
	2, {INT4OID, TIMESTAMPTZOID}, NULL
};

/* Note an order that is written if it waits for a service; SPI is connected. */
void
order_wait_for_service(const SalesOrder *order)
{
	Datum		args[3];
	bool		lacks = false;

	for (int i = 0; i < order->nlines; i++)
		lacks |= order->lines[i].unserved > 0;
	if (order->retry_at == 0 || !lacks)
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = TimestampTzGetDatum(order->retry_at);
	(void) engine_exec(&plan_wait, args, NULL, ENGINE_FRESH);
}

/* Leave those whose time has come to run_jobs(); SPI is connected. */
void
service_waits_due(int32 tenant_id)
{
	Datum		args[2];

	args[0] = Int32GetDatum(tenant_id);
	args[1] = TimestampTzGetDatum(clock_now());
	if (engine_exec(&plan_due, args, NULL, ENGINE_FRESH) > 0)
		CommandCounterIncrement();
}
