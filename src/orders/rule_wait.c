/*
 * rule_wait.c
 *		Orders that no node may serve, when the rules change.
 *
 * What lacks something waits in the queue of a position, and is found there
 * when something is offered.  A line that no node may serve has no queue:
 * it is noted in routing.rule_wait.  Whoever changes what may serve what notes
 * that in routing.rule_change, and so does an order that begins to wait, since
 * the rules that it was decided by may just be changing.  run_jobs() tries
 * again whom the notes concern.
 *
 * Rows of rule_wait are guarded by the lock of their order.
 */
#include "orders/order.h"

#include "base/engine.h"

#include "catalog/pg_type.h"

static EnginePlan plan_drop = {
	"DELETE FROM routing.rule_wait WHERE tenant_id = $1 AND order_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_put = {
	"INSERT INTO routing.rule_wait AS w (tenant_id, order_id, line_no, item) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (tenant_id, order_id, line_no) DO UPDATE SET item = excluded.item WHERE w.item <> excluded.item",
	4, {INT4OID, TEXTOID, INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_note = {
	"INSERT INTO routing.rule_change (tenant_id, item, order_id) VALUES ($1, '', $2) ON CONFLICT DO NOTHING",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_any = {
	"SELECT 1 FROM routing.rule_change WHERE tenant_id = $1 LIMIT 1",
	1, {INT4OID}, NULL
};

/*
 * Of a kit the rules of its components count, too.  One that is in a queue is
 * in that of a component, which may not be one any more.
 */
static EnginePlan plan_due = {
	"WITH seen AS MATERIALIZED (SELECT c.tenant_id, c.item, c.order_id, c.xid FROM routing.rule_change c"
	"   WHERE c.tenant_id = $1 FOR UPDATE SKIP LOCKED),"
	" gone AS (DELETE FROM routing.rule_change c USING seen s WHERE c.tenant_id = s.tenant_id AND c.item = s.item"
	"   AND c.order_id = s.order_id AND c.xid = s.xid),"
	/* of orders that were deleted while they waited */
	" dead AS (DELETE FROM routing.rule_wait w WHERE (w.tenant_id, w.order_id, w.line_no) IN ("
	"   SELECT d.tenant_id, d.order_id, d.line_no FROM routing.rule_wait d WHERE d.tenant_id = $1 AND NOT EXISTS ("
	"     SELECT FROM routing.sales_order o WHERE o.tenant_id = $1 AND o.order_id = d.order_id) FOR UPDATE SKIP LOCKED)),"
	" items AS MATERIALIZED (SELECT s.item FROM seen s WHERE s.order_id = ''"
	"   UNION SELECT k.item FROM seen s JOIN routing.item_component k ON k.tenant_id = $1 AND k.component = s.item)"
	" INSERT INTO routing.pending (tenant_id, binding, concept, key, reason, sqlstate)"
	" SELECT $1, '', 'orders', d.order_id, 'what may serve it has changed', '00000'"
	" FROM (SELECT w.order_id FROM routing.rule_wait w WHERE w.tenant_id = $1"
	"    AND (EXISTS (SELECT FROM items i WHERE i.item = '' OR i.item = w.item)"
	"     OR w.order_id IN (SELECT s.order_id FROM seen s WHERE s.order_id <> ''))"
	"   UNION SELECT q.order_id FROM routing.claim q"
	"    JOIN routing.sales_order_line l ON l.tenant_id = q.tenant_id AND l.order_id = q.order_id AND l.line_no = q.line_no"
	"    WHERE q.tenant_id = $1 AND l.item <> q.item AND l.item IN (SELECT i.item FROM items i)) AS d(order_id)"
	" JOIN routing.sales_order o ON o.tenant_id = $1 AND o.order_id = d.order_id"
	" WHERE o.status <> 'cancelled' ORDER BY d.order_id ON CONFLICT DO NOTHING",
	1, {INT4OID}, NULL
};

/* Whether a line lacks something that it does not queue for. */
static bool
is_apart(const OrderLine *line)
{
	return line->unserved > 0 && line->claimed_at == 0;
}

/* Whether an order may have a row: one that lacked nothing has none. */
static bool
may_have_waited(const SalesOrder *order)
{
	bool		lacked = !order->exists;

	for (int i = 0; i < order->nlines; i++)
		lacked |= strcmp(order->lines[i].status, "backordered") == 0 ||
			strncmp(order->lines[i].status, "partially_", 10) == 0;
	return lacked && (order->decision_id != 0 || !order->exists);
}

/* Note what an order waits for that is in no queue, once its claims are settled; SPI is connected. */
void
order_wait_for_rules(const SalesOrder *order)
{
	Datum		args[4];
	bool		waits = false;

	if (order->expires_at != 0)
		return;
	for (int i = 0; i < order->nlines && order->exists && !order_is_cancelled(order); i++)
		waits |= is_apart(&order->lines[i]);
	if (!waits && !may_have_waited(order))
		return;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	if (order->decision_id != 0)
		(void) engine_exec(&plan_drop, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < order->nlines && waits; i++)
	{
		if (!is_apart(&order->lines[i]))
			continue;
		args[2] = Int32GetDatum(order->lines[i].line_no);
		args[3] = CStringGetTextDatum(order->lines[i].item);
		(void) engine_exec(&plan_put, args, NULL, ENGINE_FRESH);
	}
	if (waits && order->changed)
		(void) engine_exec(&plan_note, args, NULL, ENGINE_FRESH);
}

/* Leave whom changed rules may concern to run_jobs(); SPI is connected. */
void
rule_waits_due(int32 tenant_id)
{
	Datum		args[1];

	args[0] = Int32GetDatum(tenant_id);
	if (engine_exec(&plan_any, args, NULL, ENGINE_FRESH) > 0)
	{
		(void) engine_exec(&plan_due, args, NULL, ENGINE_FRESH);
		CommandCounterIncrement();
	}
}
