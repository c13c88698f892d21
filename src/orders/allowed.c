/*
 * allowed.c
 *		Which nodes may not serve an order, by the rules as they are now.
 *
 * For explanations: a decision does not record the nodes that it had no reason
 * to look at.  Reads only.
 */
#include "orders/eligibility.h"
#include "orders/problem.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/tenant.h"
#include "ledger/change.h"

#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(routing_order_refusals);

/* Why a node may not serve a line, itself or by any of its lanes; 0 if it may. */
uint32
order_refusal(const SalesOrder *order, int line, int node)
{
	uint32		why = eligibility_of_node(order, line, node, 0);
	uint32		lanes = 0;

	for (int i = 0; why == 0 && i < order->lanes->nlanes; i++)
	{
		const Lane *lane = &order->lanes->lanes[i];
		uint32		bits;

		if (lane->node != node)
			continue;
		bits = eligibility_of_lane(order, line, lane, 0);
		if (bits == 0)
			return 0;
		lanes |= bits;
	}
	return why | lanes;
}

/* Whether a lane, and the node that it leads from, may serve a line. */
bool
order_lane_allowed(SalesOrder *order, int line, const Lane *lane, uint32 relaxed)
{
	const OrderLine *l = &order->lines[line];
	const NetNode *nodes;

	if (eligibility_prepare(order))
		return eligibility_of_node(order, line, lane->node, relaxed) == 0 &&
			eligibility_of_lane(order, line, lane, relaxed) == 0;
	(void) network_nodes(order->net, &nodes);
	return nodes[lane->node].open && (l->pinned == NULL || strcmp(l->pinned, nodes[lane->node].node) == 0);
}

/*
 * The same for a line whose supply the ledger judges.  "asked" keeps the order
 * from one lane to the next.  One that could not be routed for another reason
 * is not looked at more closely.
 */
static bool
judged_may_use(int32 tenant_id, const char *order_id, int line_no, const Lane *lane, TimestampTz now, void **asked)
{
	SalesOrder *order = *asked;

	if (order == NULL)
	{
		*asked = order = order_load(tenant_id, order_id, ORDER_NO_LOCK);
		order->clock = now;
		if (order->exists)
			order_check(order);
	}
	for (int l = 0; order->exists && order->fault.sqlerrcode == 0 && l < order->nlines; l++)
	{
		if (order->lines[l].line_no == line_no)
			return order_lane_allowed(order, l, lane, 0);
	}
	return true;
}

/* Called when the library is loaded: the ledger does not know of orders. */
void
allowed_install_hook(void)
{
	judge_allowed_hook = judged_may_use;
}

/* SQL: each node and line of an order of which the node may not serve the line, and why. */
Datum
routing_order_refusals(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo;
	SalesOrder *order;
	const NetNode *nodes;
	Ledger	   *ledger;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SPI_connect();
	order = order_load(tenant_current(), text_to_cstring(PG_GETARG_TEXT_PP(0)), ORDER_NO_LOCK);
	if (order->exists)
	{
		order->clock = clock_now();
		order_check(order);
	}
	if (order->exists && order->fault.sqlerrcode == 0 && order->lanes != NULL)
	{
		ledger = ledger_open(false);
		order_reopen(order, ledger);
		(void) order_set_problem(order, ledger, false);
		n = network_nodes(order->net, &nodes);
		for (int l = 0; l < order->nlines && order->eligibility != NULL; l++)
		{
			for (int c = 0; c < n; c++)
			{
				uint32		why = order_refusal(order, l, c);
				Datum		values[4];
				bool		nulls[4] = {false};

				if (why == 0)
					continue;
				values[0] = CStringGetTextDatum(nodes[c].node);
				values[1] = Int32GetDatum(order->lines[l].line_no);
				values[2] = CStringGetTextDatum(order->lines[l].item);
				values[3] = CStringGetTextDatum(eligibility_text(order, l, c, why));
				tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			}
		}
		ledger_close(ledger);
	}
	SPI_finish();
	return (Datum) 0;
}
