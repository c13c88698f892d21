/*
 * consolidate.c
 *		Shipments that are open already, which further orders may join.
 *
 * An order whose policy says "consolidate" has a row of routing.open_shipment
 * for each of its shipments that has not left.  Another such order of the same
 * customer to the same ship-to may go with it: leaving the node on that day by
 * that service costs it handling and weight, but no base.
 *
 * A row is only told about, never taken: joining changes and locks nothing.
 * If the shipment is given up later, its freight was taken for a bit too
 * little.  Rows are guarded by the lock of their order.
 */
#include "orders/problem.h"

#include "base/engine.h"
#include "base/store.h"
#include "sourcing/dates.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include <ctype.h>
#include <math.h>

/* what a lane's open day is worth to an order; see day_worth() */
typedef struct DayWorth
{
	int			in_time;		/* lines that it would bring in time */
	int			able;			/* lines that it may carry at all */
	int64		off;			/* days, of these together, from what is asked for */
} DayWorth;

/* open shipments that an order in hand may join, by lane of its problem */
typedef struct Joiner
{
	SalesOrder *order;
	SrcLane    *lanes;
	DayWorth   *worth;			/* of the lane's open day */
	const char *node;			/* the one that was offered last: often many orders have the same */
	const char *service;
	DateADT		day;
} Joiner;

static EnginePlan plan_open = {
	"SELECT node, service, ship_on, order_id FROM routing.open_shipment"
	" WHERE tenant_id = $1 AND customer = $2 AND ship_to = $3 AND ship_on >= $4 AND order_id <> $5",
	5, {INT4OID, TEXTOID, TEXTOID, DATEOID, TEXTOID}, NULL
};

#define OPEN_OF_ORDER \
	"SELECT r.node, r.service, r.ship_on FROM routing.reservation r" \
	" WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.\"to\" IS NULL AND r.state NOT IN ('issued', 'hold')" \
	"  AND r.service IS NOT NULL AND r.ship_on IS NOT NULL"

/* without customer and ship-to: those of the rows that are there */
static EnginePlan plan_follow = {
	"WITH open AS MATERIALIZED (SELECT DISTINCT * FROM (" OPEN_OF_ORDER ") x),"
	" gone AS (DELETE FROM routing.open_shipment s WHERE s.tenant_id = $1 AND s.order_id = $2"
	"  AND NOT EXISTS (SELECT FROM open o WHERE o.node = s.node AND o.service = s.service AND o.ship_on = s.ship_on))"
	" INSERT INTO routing.open_shipment (tenant_id, order_id, node, service, ship_on, customer, ship_to)"
	" SELECT $1, $2, o.node, o.service, o.ship_on, k.customer, k.ship_to FROM open o,"
	"  (SELECT $3 AS customer, $4 AS ship_to WHERE $3 IS NOT NULL UNION ALL"
	"   (SELECT s.customer, s.ship_to FROM routing.open_shipment s"
	"    WHERE $3 IS NULL AND s.tenant_id = $1 AND s.order_id = $2 LIMIT 1)) k"
	" WHERE NOT EXISTS (SELECT FROM routing.open_shipment s WHERE s.tenant_id = $1 AND s.order_id = $2 AND s.node = o.node"
	"  AND s.service = o.service AND s.ship_on = o.ship_on AND s.customer = k.customer AND s.ship_to = k.ship_to)"
	" ON CONFLICT (tenant_id, order_id, node, service, ship_on) DO UPDATE"
	"  SET customer = excluded.customer, ship_to = excluded.ship_to",
	4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_drop = {
	"DELETE FROM routing.open_shipment WHERE tenant_id = $1 AND order_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

/*
 * The ship-to as it is compared: letters and digits of country and postal
 * code in upper case, and the coordinates to about ten meters.
 */
static char *
ship_to_of(const SalesOrder *order)
{
	const char *parts[2] = {order->country, order->postal_code};
	StringInfoData key;

	initStringInfo(&key);
	for (int i = 0; i < 2; i++)
	{
		if (i > 0)
			appendStringInfoChar(&key, ' ');
		for (const char *c = parts[i]; *c != '\0'; c++)
		{
			/* what is not ASCII stays as it is */
			if (isalnum((unsigned char) *c) || IS_HIGHBIT_SET(*c))
				appendStringInfoChar(&key, pg_ascii_toupper((unsigned char) *c));
		}
	}
	if (order->has_place)
	{
		/* plus zero: there is one zero only */
		appendStringInfo(&key, " %.4f %.4f", rint(order->latitude * 10000) / 10000 + 0.0,
						 rint(order->longitude * 10000) / 10000 + 0.0);
	}
	return key.data;
}

/* Whether an order joins shipments and has its own joined. */
bool
order_consolidates(SalesOrder *order)
{
	if (!order->terms.consolidate || order->fault.sqlerrcode != 0 || order_is_cancelled(order) ||
		order->customer == NULL || order->country == NULL || order->postal_code == NULL)
		return false;
	if (order->ship_to == NULL)
		order->ship_to = ship_to_of(order);
	return true;
}

/* Of an order that consolidates: a hash of what its shipments are joined by. */
uint32
order_open_key(const SalesOrder *order)
{
	return hash_combine(hash_bytes((const unsigned char *) order->customer, (int) strlen(order->customer)),
						hash_bytes((const unsigned char *) order->ship_to, (int) strlen(order->ship_to)));
}

/* ------------------------------------------------------------------------
 * Orders that are routed together
 * ------------------------------------------------------------------------ */

typedef struct Peer
{
	SalesOrder *order;
	int			at;
} Peer;

static int
compare_keys(const SalesOrder *x, const SalesOrder *y)
{
	int			c;

	if (x->tenant_id != y->tenant_id)
		return x->tenant_id < y->tenant_id ? -1 : 1;
	c = strcmp(x->customer, y->customer);
	return c != 0 ? c : strcmp(x->ship_to, y->ship_to);
}

static int
compare_peers(const void *a, const void *b)
{
	const Peer *x = a;
	const Peer *y = b;
	int			c = compare_keys(x->order, y->order);

	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

/*
 * Orders that are going to be routed one after the other, sorted by tenant and
 * order id: what each of them ships is open to those that follow, and what the
 * table says of any of them does not count.
 */
void
orders_see_each_other(SalesOrder **orders, int n)
{
	Peer	   *peers = NULL;
	int			npeers = 0;

	for (int i = 0; i < n && n > 1; i++)
	{
		if (!order_consolidates(orders[i]))
			continue;
		if (peers == NULL)
			peers = palloc_extended(sizeof(Peer) * n, MCXT_ALLOC_HUGE);
		peers[npeers].order = orders[i];
		peers[npeers++].at = i;
		orders[i]->beside = orders;
		orders[i]->nbeside = n;
		orders[i]->peer = NULL;
	}
	if (npeers == 0)
		return;
	qsort(peers, npeers, sizeof(Peer), compare_peers);
	for (int i = 1; i < npeers; i++)
	{
		if (compare_keys(peers[i - 1].order, peers[i].order) == 0)
			peers[i].order->peer = peers[i - 1].order;
	}
	pfree(peers);
}

static bool
is_beside(const SalesOrder *order, const char *order_id)
{
	int			low = 0,
				high = order->nbeside;

	while (low < high)
	{
		int			middle = (low + high) / 2;
		const SalesOrder *o = order->beside[middle];
		int			c = o->tenant_id != order->tenant_id ? (o->tenant_id < order->tenant_id ? -1 : 1) :
			strcmp(o->order_id, order_id);

		if (c == 0)
			return true;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* ------------------------------------------------------------------------
 * Joining
 * ------------------------------------------------------------------------ */

/*
 * What it is worth to the lines of the problem that a shipment of a lane is
 * open on a day; false if nothing can leave with it any more.
 */
static bool
day_worth(const SrcProblem *p, int k, DateADT day, DayWorth *worth)
{
	const SrcLane *lane = &p->lanes[k];
	int32		stock = src_stock_day(p, lane, day);
	int32		arrival = src_arrival_day(p, lane, day);

	memset(worth, 0, sizeof(*worth));
	if (day < lane->first_ship || !calendar_is_open(lane->pickup, day) || arrival == CALENDAR_NEVER ||
		stock == CALENDAR_NEVER || stock < p->nodes[lane->node].today)
		return false;
	for (int i = 0; i < p->nlines; i++)
	{
		const SrcLine *l = &p->lines[i];
		int32		on = l->by_ship_day ? day : arrival;
		int32		target = l->by_ship_day ? calendar_until(lane->pickup, l->requested) :
			src_latest_ship_day(p, lane, l->requested);

		if (day < l->not_before || on > l->latest ||
			(l->pinned_node >= 0 && l->pinned_node != lane->node) ||
			(p->line_nodes != NULL && p->line_nodes[i * p->nnodes + lane->node].forbidden) ||
			(p->lane_forbidden != NULL && p->lane_forbidden[i * p->nlanes + k]))
			continue;
		/* nothing is shipped early */
		if (!l->early_ok && target != CALENDAR_NEVER && day < target)
			continue;
		worth->able++;
		worth->in_time += on <= l->requested;
		worth->off += abs(on - l->requested);
	}
	return worth->able > 0;
}

static bool
is_better(const DayWorth *a, DateADT day, const DayWorth *b, DateADT other)
{
	if (a->in_time != b->in_time)
		return a->in_time > b->in_time;
	if (a->able != b->able)
		return a->able > b->able;
	if (a->off != b->off)
		return a->off < b->off;
	return day < other;
}

/* A shipment that is open: of the days of a lane the best stays. */
static void
offer_day(Joiner *j, const char *node, const char *service, DateADT day)
{
	SalesOrder *order = j->order;
	SrcProblem *p = &order->problem;
	int			of_network;

	if (j->node != NULL && j->day == day && strcmp(j->node, node) == 0 && strcmp(j->service, service) == 0)
		return;
	j->node = node;
	j->service = service;
	j->day = day;
	of_network = network_find_node(order->net, node);
	for (int c = 0; c < p->nnodes && of_network >= 0; c++)
	{
		const SrcNode *n = &p->nodes[c];

		if (order->candidates[c] != of_network)
			continue;
		for (int k = n->first_lane; k < n->first_lane + n->nlanes; k++)
		{
			DayWorth	worth;

			if (strcmp(order->problem_lanes[k]->service, service) != 0 ||
				!day_worth(p, k, day, &worth))
				continue;
			if (j->lanes == NULL)
			{
				/* those in hand are everybody's */
				j->lanes = palloc(sizeof(SrcLane) * p->nlanes);
				memcpy(j->lanes, p->lanes, sizeof(SrcLane) * p->nlanes);
				j->worth = palloc0(sizeof(DayWorth) * p->nlanes);
				p->lanes = j->lanes;
			}
			if (j->lanes[k].open_day == PG_INT32_MIN ||
				is_better(&worth, day, &j->worth[k], j->lanes[k].open_day))
			{
				j->lanes[k].open_day = day;
				j->worth[k] = worth;
			}
		}
		return;
	}
}

/*
 * Tell the search which shipments the order may join.  It knows one day of a
 * lane: the one that brings most lines in time, or else can carry most, the
 * nearest to what is asked for.  Called when nodes and lines are set.
 */
void
order_join_open(SalesOrder *order, const Ledger *ledger)
{
	Joiner		j = {.order = order};
	SrcProblem *p = &order->problem;
	Datum		args[5];
	DateADT		first = PG_INT32_MAX;
	uint64		n;
	SPITupleTable *rows;

	if (!order_consolidates(order) || p->nlanes == 0 || p->nlines == 0)
		return;
	/* planned again: what is open may be another by now */
	if (order->base_lanes != NULL)
		p->lanes = order->base_lanes;
	order->base_lanes = p->lanes;
	for (int c = 0; c < order->ncandidates; c++)
		first = Min(first, order->todays[c]);
	if (order->opens != NULL)
	{
		uint32		key = order_open_key(order);

		for (int i = 0; i < order->opens->n; i++)
		{
			const OpenShipment *s = &order->opens->v[i];

			if (s->key == key && s->ship_on >= first && strcmp(s->customer, order->customer) == 0 &&
				strcmp(s->ship_to, order->ship_to) == 0 && strcmp(s->order_id, order->order_id) != 0)
				offer_day(&j, s->node, s->service, s->ship_on);
		}
		return;
	}
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->customer);
	args[2] = CStringGetTextDatum(order->ship_to);
	args[3] = DateADTGetDatum(first);
	args[4] = CStringGetTextDatum(order->order_id);
	n = engine_exec(&plan_open, args, NULL, ledger->writes ? ENGINE_FRESH : ENGINE_READ);
	rows = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		if (order->nbeside > 0 && is_beside(order, SPI_getvalue(rows->vals[i], rows->tupdesc, 4)))
			continue;
		offer_day(&j, SPI_getvalue(rows->vals[i], rows->tupdesc, 1), SPI_getvalue(rows->vals[i], rows->tupdesc, 2),
				  DatumGetDateADT(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull)));
	}
	for (const SalesOrder *o = order->peer; o != NULL; o = o->peer)
	{
		for (int b = 0; b < o->nbookings && o->fault.sqlerrcode == 0; b++)
		{
			const Booking *k = &o->bookings[b];

			if (!k->release && !booking_has_left(k) && k->service != NULL)
				offer_day(&j, k->node, k->service, k->ship_on);
		}
	}
	SPI_freetuptable(rows);
}

/* ------------------------------------------------------------------------
 * Writing
 * ------------------------------------------------------------------------ */

/* Whether any order has a row; cheap, and true when in doubt. */
static bool
any_open(void)
{
	Relation	rel = table_open(engine_relid(TAB_OPEN_SHIPMENT), AccessShareLock);
	bool		any = !store_is_plain(rel) || RelationGetNumberOfBlocks(rel) > 0;

	table_close(rel, AccessShareLock);
	return any;
}

/* Let the rows of an order that has some follow its bookings, which are written. */
void
open_shipments_follow(int32 tenant_id, const char *order_id)
{
	Datum		args[4];

	if (!any_open())
		return;
	CommandCounterIncrement();
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(order_id);
	args[2] = args[3] = (Datum) 0;
	(void) engine_exec(&plan_follow, args, "  nn", ENGINE_FRESH);
}

/*
 * The same for an order that was decided, by what its policy says now.
 * "known": it may have rows already.
 */
void
order_write_open(SalesOrder *order, bool known)
{
	Datum		args[4];

	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	if (order->exists && order_consolidates(order))
	{
		CommandCounterIncrement();
		args[2] = CStringGetTextDatum(order->customer);
		args[3] = CStringGetTextDatum(order->ship_to);
		(void) engine_exec(&plan_follow, args, NULL, ENGINE_FRESH);
	}
	else if (known && any_open())
		(void) engine_exec(&plan_drop, args, NULL, ENGINE_FRESH);
}
