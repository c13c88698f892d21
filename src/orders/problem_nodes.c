/*
 * problem_nodes.c
 *		The nodes and lanes of a problem of the plan search.
 *
 * Nodes are given in the order that breaks ties (rank, code), lanes by
 * service.  What the clock has to do with it (dates at the nodes, cut-offs) is
 * worked out here; the search knows days only.
 */
#include "orders/problem.h"

/*
 * The nodes and lanes of a problem depend on the destination zone and the
 * clock only; the orders of a settlement share them.
 */
typedef struct PlanNodes
{
	const ZoneLanes *lanes;
	TimestampTz clock;
	int			nnodes;
	SrcNode    *nodes;
	int			nlanes;
	SrcLane    *src_lanes;
	int		   *candidates;
	DateADT    *todays;
	const Lane **problem_lanes;
	struct PlanNodes *next;
} PlanNodes;

/* Nodes with a lane to the zone, and their lanes. */
static PlanNodes *
make_nodes(const SalesOrder *order)
{
	const ZoneLanes *zl = order->lanes;
	int			n = Max(zl->nlanes, 1);
	PlanNodes  *pn = palloc0(sizeof(PlanNodes));
	const NetNode *all;

	(void) network_nodes(order->net, &all);
	pn->lanes = zl;
	pn->clock = order->clock;
	pn->nodes = palloc0(sizeof(SrcNode) * n);
	pn->src_lanes = palloc0(sizeof(SrcLane) * n);
	pn->candidates = palloc(sizeof(int) * n);
	pn->todays = palloc(sizeof(DateADT) * n);
	pn->problem_lanes = palloc(sizeof(Lane *) * n);
	for (int i = 0; i < zl->nlanes; i++)
	{
		const Lane *lane = &zl->lanes[i];
		int			c = pn->nnodes - 1;

		if (!all[lane->node].open)
			continue;
		if (c < 0 || pn->candidates[c] != lane->node)
		{
			c = pn->nnodes++;
			pn->candidates[c] = lane->node;
			/* nodes of one time zone, which often follow each other, share the date */
			pn->todays[c] = (c > 0 && all[pn->candidates[c - 1]].tz == all[lane->node].tz) ?
				pn->todays[c - 1] : node_date(&all[lane->node], order->clock);
			pn->nodes[c].today = pn->todays[c];
			pn->nodes[c].calendar = all[lane->node].calendar;
			pn->nodes[c].handling_days = all[lane->node].handling_days;
			pn->nodes[c].min_value = all[lane->node].min_shipment_value;
			pn->nodes[c].handling = all[lane->node].handling;
			pn->nodes[c].first_lane = pn->nlanes;
		}
		pn->nodes[c].nlanes++;
		pn->problem_lanes[pn->nlanes] = lane;
		pn->src_lanes[pn->nlanes].node = c;
		pn->src_lanes[pn->nlanes].transit_days = lane->transit_days;
		pn->src_lanes[pn->nlanes].base = lane->base;
		pn->src_lanes[pn->nlanes].per_kg = lane->per_kg;
		pn->src_lanes[pn->nlanes].max_weight = lane->max_weight;
		pn->src_lanes[pn->nlanes].risk = lane->risk;
		pn->src_lanes[pn->nlanes].pickup = lane->pickup;
		pn->src_lanes[pn->nlanes].transit = lane->transit;
		pn->src_lanes[pn->nlanes].first_ship = PG_INT32_MIN;
		pn->src_lanes[pn->nlanes++].open_day = PG_INT32_MIN;
	}
	return pn;
}

/* Nodes and lanes of the order's problem. */
void
problem_set_nodes(SalesOrder *order, Ledger *ledger)
{
	SrcProblem *p = &order->problem;
	PlanNodes  *pn = ledger->plan_nodes;

	while (pn != NULL && (pn->lanes != order->lanes || pn->clock != order->clock))
		pn = pn->next;
	if (pn == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(ledger->context);

		pn = make_nodes(order);
		pn->next = ledger->plan_nodes;
		ledger->plan_nodes = pn;
		MemoryContextSwitchTo(old);
	}
	order->ncandidates = pn->nnodes;
	order->candidates = pn->candidates;
	order->todays = pn->todays;
	order->problem_lanes = pn->problem_lanes;
	p->nnodes = pn->nnodes;
	p->nodes = pn->nodes;
	p->nlanes = pn->nlanes;
	p->lanes = pn->src_lanes;
}

const NetNode *
order_candidate(const SalesOrder *order, int candidate)
{
	const NetNode *nodes;

	(void) network_nodes(order->net, &nodes);
	return &nodes[order->candidates[candidate]];
}
