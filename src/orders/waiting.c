/*
 * waiting.c
 *		Who waits though something is offered to him.
 *
 * A settlement that gives something back looks for the lines that wait for the
 * item; a line that begins to wait looks at what is offered.  Each sees what
 * is committed, or what the position of the line's queue makes it wait for.
 * So if both happen at once and at different item-nodes, neither sees the
 * other.  Nothing is promised twice by it, but the line waits on.  To exclude
 * that, who waits would have to hold the positions of all its candidates.
 * Instead run_jobs() looks here, after both are committed.
 *
 * Reads without locks; an order that is returned may have been served since.
 */
#include "orders/parts.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

static EnginePlan plan_items = {
	"SELECT DISTINCT item FROM routing.claim WHERE tenant_id = $1",
	1, {INT4OID}, NULL
};

static EnginePlan plan_orders = {
	"SELECT q.order_id FROM routing.claim q WHERE q.tenant_id = $1 AND q.item = ANY ($2)"
	"  AND NOT EXISTS (SELECT FROM routing.pending p WHERE p.tenant_id = $1 AND p.binding = ''"
	"   AND p.concept = 'orders' AND p.key = q.order_id)"
	" GROUP BY q.order_id ORDER BY pg_catalog.min(q.rank), pg_catalog.min(q.claimed_at)",
	2, {INT4OID, TEXTARRAYOID}, NULL
};

static bool
offers(Position *pos, const OfferRequest *req)
{
	const AtpStep *steps;
	int			n = position_offer(pos, req, &steps);

	for (int i = 0; i < n; i++)
	{
		if (steps[i].available > 0)
			return true;
	}
	return false;
}

/* Whether there is any of an item for somebody, whoever that is. */
static bool
item_is_there(Ledger *look, int32 tenant_id, const char *item, TimestampTz now)
{
	const NetNode *nodes;
	int			n = network_nodes(network_get(tenant_id), &nodes);

	for (int i = 0; i < n; i++)
	{
		Position   *pos = nodes[i].open ? ledger_get(look, tenant_id, item, nodes[i].node) : NULL;
		OfferRequest req;

		if (pos == NULL || !pos->exists)
			continue;
		offer_request_init(&req, node_date(&nodes[i], now), now);
		req.rank = 0;
		/* what is kept for channels is there for whoever is of them */
		if (pos->quotas.n > 0 || offers(pos, &req))
			return true;
	}
	return false;
}

/* The same for an item, or what may stand in for it. */
static bool
anything_is_there(Ledger *look, int32 tenant_id, const char *item, TimestampTz now)
{
	const Substitute *all;
	int			n;

	if (item_is_there(look, tenant_id, item, now))
		return true;
	n = substitutes_of(tenant_id, item, &all);
	for (int i = 0; i < n; i++)
	{
		if (item_is_there(look, tenant_id, all[i].item, now))
			return true;
	}
	return false;
}

/* Whether a candidate of a line that waits offers it something of an item. */
static bool
line_is_offered(const SalesOrder *order, Ledger *look, const OrderLine *line, const char *item)
{
	const NetNode *nodes;

	(void) network_nodes(order->net, &nodes);
	for (int l = 0; l < order->lanes->nlanes; l++)
	{
		const Lane *lane = &order->lanes->lanes[l];
		const NetNode *node = &nodes[lane->node];
		OfferRequest req;

		if (!node->open || (line->pinned != NULL && strcmp(line->pinned, node->node) != 0))
			continue;
		order_request(order, line, item, node_date(node, order->clock), lane->transit_days, &req);
		if (offers(ledger_get(look, order->tenant_id, item, node->node), &req))
			return true;
	}
	return false;
}

/* Whether a candidate of a line that waits offers it something, or what it would accept instead. */
static bool
order_is_offered(const SalesOrder *order, Ledger *look)
{
	for (int i = 0; i < order->nclaims; i++)
	{
		const OrderLine *line = order_line(unconstify(SalesOrder *, order), order->claims[i].line_no);
		const Substitute *all;
		int			n;

		if (line == NULL)
			continue;
		if (line_is_offered(order, look, line, order->claims[i].item))
			return true;
		n = line->nparts > 0 ? 0 : substitutes_of(order->tenant_id, line->item, &all);
		for (int k = 0; k < n; k++)
		{
			if (substitute_is_welcome(order, line, &all[k]) && line_is_offered(order, look, line, all[k].item))
				return true;
		}
	}
	return false;
}

/*
 * Whether a plan would serve more of what waits, now.  What it takes is gone
 * for those who are asked after it.
 */
static bool
would_be_served(SalesOrder *order, Ledger *look)
{
	if (!order_is_offered(order, look))
		return false;
	orders_preview(&order, 1, look);
	for (int i = 0; i < order->nclaims; i++)
	{
		const OrderLine *line = order_line(order, order->claims[i].line_no);

		KitGap	   *gaps;
		int			n = line != NULL ? kits_gaps(order, line, &gaps) : 0;

		/* begun kits wait for what they lack, others for whole ones */
		if (n > 0 ? strcmp(gaps[0].item, order->claims[i].item) != 0 || gaps[0].missing < order->claims[i].quantity :
			line != NULL &&
			(int128) line->unserved * line_takes(line, order->claims[i].item) / SCALE < order->claims[i].quantity)
			return true;
	}
	return false;
}

/*
 * The orders that wait, could be served, and are not pending, in the order of
 * the queues.  SPI is connected.
 */
int
orders_offered(int32 tenant_id, char ***ids)
{
	TimestampTz now = clock_now();
	Ledger	   *look;
	Datum		args[2];
	int			n;
	char	  **names;
	int			kept = 0;

	*ids = NULL;
	args[0] = Int32GetDatum(tenant_id);
	n = (int) engine_exec(&plan_items, args, NULL, ENGINE_FRESH);
	names = palloc_extended(sizeof(char *) * Max(n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
		names[i] = spi_text(i, 1);
	SPI_freetuptable(SPI_tuptable);
	if (n == 0)
		return 0;

	/* one that reads adds up the slots of hot positions */
	PushActiveSnapshot(GetLatestSnapshot());
	look = ledger_open(false);
	PopActiveSnapshot();
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (anything_is_there(look, tenant_id, names[i], now))
			names[kept++] = names[i];
	}
	args[1] = text_array(names, kept);
	n = kept == 0 ? 0 : (int) engine_exec(&plan_orders, args, NULL, ENGINE_FRESH);
	kept = 0;
	if (n > 0)
	{
		*ids = palloc_extended(sizeof(char *) * n, MCXT_ALLOC_HUGE);
		for (int i = 0; i < n; i++)
			(*ids)[i] = spi_text(i, 1);
		SPI_freetuptable(SPI_tuptable);
	}
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = order_load(tenant_id, (*ids)[i], ORDER_NO_LOCK);

		CHECK_FOR_INTERRUPTS();
		if (!order->exists || order_is_cancelled(order))
			continue;
		order->clock = now;
		order_check(order);
		if (order->fault.sqlerrcode == 0 && order->lanes != NULL && would_be_served(order, look))
			(*ids)[kept++] = (*ids)[i];
	}
	ledger_close(look);
	return kept;
}
