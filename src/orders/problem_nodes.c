/*
 * problem_nodes.c
 *		The nodes and lanes of a problem of the plan search.
 *
 * Nodes are given in the order that breaks ties (rank, code), lanes by
 * service.  What the clock has to do with it (dates at the nodes, cut-offs,
 * carriers that are not used for a while) is worked out here; the search knows
 * days only.
 *
 * All this depends on the destination zone and the clock alone.  It is kept
 * with the network's lanes, and for as long as the clock changes nothing: until
 * a node's midnight, a cut-off, a change of clocks or the trial of a carrier.
 */
#include "orders/eligibility.h"
#include "orders/problem.h"

#include "network/breakers.h"

#include "access/xact.h"
#include "utils/memutils.h"

/* of lanes that are not used so many are told */
#define MAX_SKIPS	20

typedef struct PlanNodes
{
	MemoryContext context;
	uint64		breakers;		/* serial of those they were made with */
	TimestampTz from;			/* the clock they were made at */
	TimestampTz until;			/* the clock at which they are no longer right */
	int			nnodes;
	SrcNode    *nodes;
	int			nlanes;
	SrcLane    *src_lanes;
	int		   *candidates;
	DateADT    *todays;
	const CandidateCodes *codes;
	const Lane **problem_lanes;
	TimestampTz retry_at;		/* the first of its breakers' trials, or 0 */
	int			nskips;
	OrderSkip  *skips;
} PlanNodes;

/* while they are made */
typedef struct Maker
{
	PlanNodes  *pn;
	TimestampTz clock;
	const Breakers *breakers;
	const NetNode *nodes;
	pg_tz	   *tz;				/* of the node before: those of one often follow each other */
	DateADT		today;
	TimestampTz midnight;
	TimestampTz change;
} Maker;

/* What is decided here holds until then at the most. */
static void
until(Maker *m, TimestampTz at)
{
	m->pn->until = Min(m->pn->until, at);
}

/* Whether a time of today has come at the node. */
static bool
has_come(Maker *m, const NetNode *node, TimeADT time)
{
	TimestampTz at;

	if (time >= USECS_PER_DAY)
		return false;
	at = node_instant(node, m->today, time);
	if (m->clock >= at)
		return true;
	until(m, at);
	return false;
}

/* Which day it is at the node; the first on which stock can be taken there. */
static int32
first_day(Maker *m, const NetNode *node)
{
	if (m->tz != node->tz)
	{
		m->tz = node->tz;
		m->today = node_date(node, m->clock);
		m->midnight = node_instant(node, m->today + 1, 0);
		m->change = node_next_change(node, m->clock);
	}
	until(m, m->midnight);
	until(m, m->change);
	return calendar_from(node->calendar, has_come(m, node, node->cut_off) ? m->today + 1 : m->today);
}

static void
skip(Maker *m, int node, const char *service, const char *reason)
{
	OrderSkip  *s;

	if (m->pn->nskips == MAX_SKIPS)
		return;
	s = &m->pn->skips[m->pn->nskips++];
	s->node = m->nodes[node].node;
	s->service = service;
	s->reason = reason;
}

/* Why a lane is not used, or NULL; its first ship day. */
static const char *
lane_closed(Maker *m, const Lane *lane, const NetNode *node, int32 start, int32 *first_ship)
{
	const Breaker *b = breaker_find(m->breakers, lane->service, node->node);

	*first_ship = has_come(m, node, lane_cut_off(lane, m->today)) ? m->today + 1 : PG_INT32_MIN;
	if (b != NULL && b->retry_at > m->clock)
	{
		until(m, b->retry_at);
		if (m->pn->retry_at == 0 || b->retry_at < m->pn->retry_at)
			m->pn->retry_at = b->retry_at;
		return psprintf("the service is not used since %s%s%s", node_local_time(node, b->opened_at),
						b->reason[0] ? ": " : "", b->reason);
	}
	if (calendar_from(lane->pickup, Max(start, *first_ship)) == CALENDAR_NEVER)
		return "the service has no pick-up at the node any more";
	return NULL;
}

static void
add_node(Maker *m, int node, int32 start)
{
	PlanNodes  *pn = m->pn;
	const NetNode *n = &m->nodes[node];
	int			c = pn->nnodes++;

	pn->candidates[c] = node;
	pn->todays[c] = m->today;
	pn->nodes[c].today = start;
	pn->nodes[c].calendar = n->calendar;
	pn->nodes[c].handling_days = n->handling_days;
	pn->nodes[c].min_value = n->min_shipment_value;
	pn->nodes[c].handling = n->handling;
	pn->nodes[c].first_lane = pn->nlanes;
}

static void
add_lane(PlanNodes *pn, const Lane *lane, int32 first_ship)
{
	SrcLane    *l = &pn->src_lanes[pn->nlanes];

	pn->nodes[pn->nnodes - 1].nlanes++;
	pn->problem_lanes[pn->nlanes++] = lane;
	l->node = pn->nnodes - 1;
	l->transit_days = lane->transit_days;
	l->base = lane->base;
	l->per_kg = lane->per_kg;
	l->max_weight = lane->max_weight;
	l->risk = lane->risk;
	l->pickup = lane->pickup;
	l->transit = lane->transit;
	l->first_ship = first_ship;
	l->open_day = PG_INT32_MIN;
}

/* Nodes with a lane to the zone, and their lanes; in the current memory context. */
static PlanNodes *
make_nodes(const SalesOrder *order, const Breakers *breakers)
{
	const ZoneLanes *zl = order->lanes;
	int			n = Max(zl->nlanes, 1);
	PlanNodes  *pn = palloc0(sizeof(PlanNodes));
	Maker		m = {.pn = pn, .clock = order->clock, .breakers = breakers};
	int32		start = CALENDAR_NEVER;

	(void) network_nodes(order->net, &m.nodes);
	pn->from = order->clock;
	pn->until = DT_NOEND;
	pn->breakers = breakers_serial(breakers);
	pn->nodes = palloc0(sizeof(SrcNode) * n);
	pn->src_lanes = palloc0(sizeof(SrcLane) * n);
	pn->candidates = palloc(sizeof(int) * n);
	pn->todays = palloc(sizeof(DateADT) * n);
	pn->problem_lanes = palloc(sizeof(Lane *) * n);
	pn->skips = palloc(sizeof(OrderSkip) * Min(n + zl->nclosed, MAX_SKIPS));
	for (int i = 0; i < zl->nlanes; i++)
	{
		const Lane *lane = &zl->lanes[i];
		const NetNode *node = &m.nodes[lane->node];
		const char *reason = NULL;
		int32		first_ship = 0;

		if (!node->open)
			reason = "the node is closed";
		else
		{
			if (i == 0 || zl->lanes[i - 1].node != lane->node)
				start = first_day(&m, node);
			reason = start == CALENDAR_NEVER ? "the node has no day of work any more" :
				lane_closed(&m, lane, node, start, &first_ship);
		}
		if (reason != NULL)
		{
			skip(&m, lane->node, lane->service, reason);
			continue;
		}
		if (pn->nnodes == 0 || pn->candidates[pn->nnodes - 1] != lane->node)
			add_node(&m, lane->node, start);
		add_lane(pn, lane, first_ship);
	}
	pn->codes = candidate_codes_make(m.nodes, pn->candidates, pn->nnodes);
	/* what always holds comes after what holds for a while */
	for (int i = 0; i < zl->nclosed; i++)
		skip(&m, zl->closed[i].node, zl->closed[i].service, zl->closed[i].reason);
	return pn;
}

/* Those in hand if they are still right, or new ones. */
static PlanNodes *
get_nodes(const SalesOrder *order)
{
	void	  **place = order->lanes->plan_nodes;
	PlanNodes  *pn = *place;
	const Breakers *breakers = breakers_get(order->tenant_id);
	MemoryContext context;
	MemoryContext old;

	if (pn != NULL && pn->breakers == breakers_serial(breakers) &&
		order->clock >= pn->from && order->clock < pn->until)
		return pn;
	context = AllocSetContextCreate(CurrentMemoryContext, "routing plan nodes", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	pn = make_nodes(order, breakers);
	MemoryContextSwitchTo(old);
	pn->context = context;
	MemoryContextSetParent(context, network_context(order->net));
	/* orders in hand may hold pointers into the old ones */
	if (*place != NULL)
		MemoryContextSetParent(((PlanNodes *) *place)->context, TopTransactionContext);
	*place = pn;
	return pn;
}

/* Nodes and lanes of the order's problem; when the destination receives. */
void
problem_set_nodes(SalesOrder *order)
{
	SrcProblem *p = &order->problem;
	PlanNodes  *pn;

	order->ncandidates = p->nnodes = p->nlanes = 0;
	order->codes = NULL;
	if (order->lanes->zone == NULL)
		return;					/* a destination in no zone */
	pn = get_nodes(order);
	order->ncandidates = pn->nnodes;
	order->candidates = pn->candidates;
	order->todays = pn->todays;
	order->codes = pn->codes;
	order->problem_lanes = pn->problem_lanes;
	order->retry_at = pn->retry_at;
	order->nskips = pn->nskips;
	order->skips = pn->skips;
	p->nnodes = pn->nnodes;
	p->nodes = pn->nodes;
	p->nlanes = pn->nlanes;
	p->lanes = pn->src_lanes;
	p->receiving = network_calendar(order->net, order->receiving);
	eligibility_set_nodes(order);
}

const NetNode *
order_candidate(const SalesOrder *order, int candidate)
{
	const NetNode *nodes;

	(void) network_nodes(order->net, &nodes);
	return &nodes[order->candidates[candidate]];
}
