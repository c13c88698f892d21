/*
 * dedicated.c
 *		Supply that serves one order only.
 *
 * It stands outside the balances.  An order takes it before anything is
 * planned, for the lines that are open, by bookings in the state "dedicated";
 * and gives those back that it no longer covers on the day they are needed.
 * Whatever concerns it goes through the lock of the order: a change of
 * dedicated supply notes its order, which is then looked at again.  An order
 * that is new, and that nobody else can see, locks the supply instead.
 *
 * Guarantee: the dedicated bookings of an order at an item-node are never more
 * than its dedicated supply there.
 */
#include "orders/eligibility.h"
#include "orders/problem.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/scan.h"
#include "ledger/rules.h"
#include "sourcing/dates.h"

#include "access/stratnum.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

typedef struct Dedicated
{
	char	   *item;
	char	   *node;
	int			node_index;		/* in the network, or -1 */
	char	   *lot;
	int			line_no;		/* or 0: any */
	DateADT		day;			/* effective, as things are today */
	DateADT		today;			/* at the node */
	DateADT		expires_on;
	int64		left;
} Dedicated;

#define DEDICATED_COLUMNS \
	"SELECT s.item, s.node, s.available_on, s.quantity, s.kind, s.status, s.line_no, s.lot, s.expires_on, n.dock_days" \
	" FROM routing.supply s LEFT JOIN routing.item_node n" \
	"  ON n.tenant_id = s.tenant_id AND n.item = s.item AND n.node = s.node" \
	" WHERE s.tenant_id = $1 AND s.order_id = $2 AND s.order_id <> '' AND s.quantity > 0" \
	" ORDER BY s.line_no, s.item, s.node, s.ref, s.lot"

static EnginePlan plan_read = {DEDICATED_COLUMNS, 2, {INT4OID, TEXTOID}, NULL};
static EnginePlan plan_lock = {DEDICATED_COLUMNS " FOR SHARE OF s", 2, {INT4OID, TEXTOID}, NULL};

/* Whether there is any; nearly no order has, so this must cost next to nothing. */
static bool
has_dedicated(const SalesOrder *order)
{
	Oid			oid = get_relname_relid("supply_dedicated", get_namespace_oid("routing", false));
	Relation	index;
	Relation	rel;
	IndexScanDesc scan;
	ScanKeyData keys[2];
	Snapshot	snapshot;
	bool		found;
	TupleTableSlot *slot;

	if (!OidIsValid(oid))
		return true;			/* somebody dropped the index: read the table */
	rel = table_open(IndexGetRelation(oid, false), AccessShareLock);
	index = index_open(oid, AccessShareLock);
	snapshot = fresh_snapshot();
	scan = routing_beginscan(rel, index, snapshot, 2);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(order->tenant_id));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(order->order_id));
	index_rescan(scan, keys, 2, NULL, 0);
	slot = table_slot_create(rel, NULL);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	ExecDropSingleTupleTableSlot(slot);
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);	/* see keyscan_close() */
	table_close(rel, NoLock);
	return found;
}

/*
 * Leave out what has left already and is still to be lowered, in the order in
 * which it will be.
 */
static void
leave_out_issued(const SalesOrder *order, Dedicated *supply, int n, EngineMode mode)
{
	DedicatedIssue *issued;
	int			nissued = dedicated_left(order->tenant_id, order->order_id, mode == ENGINE_FRESH, &issued);

	for (int i = 0; i < nissued; i++)
	{
		const DedicatedIssue *q = &issued[i];
		int64		quantity = q->quantity;

		while (quantity != 0)
		{
			Dedicated  *first = NULL;
			int64		part;

			for (int j = 0; j < n; j++)
			{
				Dedicated  *d = &supply[j];

				if (strcmp(d->item, q->item) != 0 || strcmp(d->node, q->node) != 0 || strcmp(d->lot, q->lot) != 0 ||
					(d->line_no != 0 && d->line_no != q->line_no) || (quantity > 0 && d->left <= 0))
					continue;
				if (first == NULL || (d->line_no != 0 && first->line_no == 0) ||
					((d->line_no != 0) == (first->line_no != 0) && d->day < first->day))
					first = d;
			}
			if (first == NULL)
				break;
			part = quantity < 0 ? quantity : Min(quantity, first->left);
			first->left -= part;
			quantity -= part;
		}
	}
}

static int
read_dedicated(const SalesOrder *order, EnginePlan *plan, EngineMode mode, Dedicated **result)
{
	Datum		args[2];
	int			n;
	int			kept = 0;
	const NetNode *nodes;
	/* an order of which goods are issued is loaded, but not resolved */
	const Network *net = order->net ? order->net : network_get(order->tenant_id);
	TimestampTz now = order->clock ? order->clock : clock_now();

	(void) network_nodes(net, &nodes);
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	n = (int) engine_exec(plan, args, NULL, mode);
	*result = palloc(sizeof(Dedicated) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Dedicated  *d = &(*result)[kept];
		bool		isnull;
		int32		dock_days;
		SupplyRule	rule = supply_rule(order->tenant_id, spi_text(i, 5), spi_text(i, 6));

		d->item = spi_text(i, 1);
		d->node = spi_text(i, 2);
		d->node_index = network_find_node(net, d->node);
		if (!rule.usable || d->node_index < 0)
			continue;
		d->today = node_date(&nodes[d->node_index], now);
		d->day = DatumGetDateADT(spi_datum(i, 3, &isnull));
		dock_days = DatumGetInt32(spi_datum(i, 10, &isnull));
		if (isnull)
			dock_days = nodes[d->node_index].dock_days;
		if (d->day != ON_HAND_DAY)
			d->day = effective_day(node_stock_day(&nodes[d->node_index], d->day + rule.delay_days, dock_days),
								   rule.late_days - 1, d->today);
		d->left = scaled_from_datum(spi_datum(i, 4, &isnull));
		d->line_no = DatumGetInt32(spi_datum(i, 7, &isnull));
		if (isnull)
			d->line_no = 0;
		d->lot = spi_text(i, 8);
		d->expires_on = DatumGetDateADT(spi_datum(i, 9, &isnull));
		if (isnull)
			d->expires_on = DATEVAL_NOEND;
		kept++;
	}
	SPI_freetuptable(SPI_tuptable);
	if (kept > 0)
		leave_out_issued(order, *result, kept, mode);
	return kept;
}

/*
 * Take a kept booking's quantity out of what is left: of its own line's supply
 * first, the latest that is in time.  False, with nothing taken, if there is
 * not enough.
 */
static bool
cover(Booking *b, Dedicated *supply, int n)
{
	int64		missing = b->quantity;
	int64	   *taken = palloc0(sizeof(int64) * Max(n, 1));
	bool		on_hand = true;

	while (missing > 0)
	{
		Dedicated  *best = NULL;

		for (int i = 0; i < n; i++)
		{
			Dedicated  *d = &supply[i];

			if (d->left <= 0 || strcmp(d->item, b->item) != 0 || strcmp(d->node, b->node) != 0 ||
				strcmp(d->lot, b->stock.lot) != 0 || (d->line_no != 0 && d->line_no != b->line_no) ||
				d->day > Max(b->stock.needed_on, d->today) || d->expires_on < b->stock.min_expiry)
				continue;
			if (best == NULL || (d->line_no != 0 && best->line_no == 0) ||
				((d->line_no != 0) == (best->line_no != 0) && d->day > best->day))
				best = d;
		}
		if (best == NULL)
			break;
		taken[best - supply] = Min(best->left, missing);
		best->left -= taken[best - supply];
		missing -= taken[best - supply];
		on_hand = on_hand && best->day <= best->today;
	}
	for (int i = 0; i < n && missing > 0; i++)
		supply[i].left += taken[i];
	pfree(taken);
	b->on_hand = on_hand;
	return missing == 0;
}

/*
 * Mark for release the dedicated bookings that their supply does not cover any
 * more, and tell of the others whether it is on hand.
 */
void
dedicated_choose(SalesOrder *order)
{
	Dedicated  *supply = NULL;
	int			n = -1;

	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (b->state != BOOKING_DEDICATED || b->release)
			continue;
		if (n < 0)
			n = read_dedicated(order, &plan_read, ENGINE_FRESH, &supply);
		if (!cover(b, supply, n))
			b->release = true;
	}
}

static DateADT
requested_on(const SalesOrder *order, const OrderLine *line, DateADT otherwise)
{
	if (line->has_requested)
		return line->requested;
	return order->has_requested ? order->requested : otherwise;
}

/* Fill in the shipment by the cheapest lane that can carry a part of the line; false: none can. */
static bool
choose_lane(SalesOrder *order, const OrderLine *line, const Dedicated *d, Booking *b)
{
	DateADT		wanted = requested_on(order, line, d->today);
	const SrcProblem *p = &order->problem;
	int128		cheapest = 0;
	bool		found = false;

	for (int i = 0; i < p->nlanes; i++)
	{
		const SrcLane *lane = &p->lanes[i];
		int32		target;
		int32		day;
		int32		arrival;
		int			late;
		int128		weight = (int128) b->quantity * line->unit_weight / SCALE;
		int128		cost;

		/* it cannot be elsewhere, so what is soft does not count */
		if (order->candidates[lane->node] != d->node_index || (lane->max_weight > 0 && weight > lane->max_weight) ||
			!order_lane_allowed(order, (int) (line - order->lines), order->problem_lanes[i], line->terms->soft))
			continue;
		target = order->by_ship_day ? calendar_until(lane->pickup, wanted) : src_latest_ship_day(p, lane, wanted);
		day = src_ship_day(p, lane, Max(d->day, p->nodes[lane->node].today));
		if (day != CALENDAR_NEVER && target != CALENDAR_NEVER)
			day = Max(day, target);
		arrival = src_arrival_day(p, lane, day);
		if (arrival == CALENDAR_NEVER || d->expires_on - line->min_life < arrival)
			continue;
		late = Max((order->by_ship_day ? day : arrival) - wanted, 0);
		cost = lane->base + weight * lane->per_kg / SCALE +
			(int128) late * order->terms.lateness[order->priority] * b->quantity / line->quantity;
		if (found && (cost > cheapest || (cost == cheapest && arrival >= b->deliver_on)))
			continue;
		found = true;
		cheapest = cost;
		b->service = order->problem_lanes[i]->service;
		b->stock.needed_on = src_stock_day(p, lane, day);
		b->stock.ship_on = b->ship_on = day;
		b->deliver_on = arrival;
		b->stock.min_expiry = arrival + line->min_life;
	}
	return found;
}

/* The number of the order's shipment that the booking belongs to. */
static int
shipment_number(const SalesOrder *order, const Booking *b)
{
	int			last = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *o = &order->bookings[j];

		if (o != b && !o->release && o->ship_on == b->ship_on && strcmp(o->node, b->node) == 0 &&
			strcmp(o->service, b->service) == 0)
			return o->shipment_no;
		if (o != b)
			last = Max(last, o->shipment_no);
	}
	return last + 1;
}

static bool
serves(const OrderLine *line, const Dedicated *d)
{
	return d->left > 0 && strcmp(d->item, line->item) == 0 &&
		(d->line_no == 0 || d->line_no == line->line_no) &&
		(line->lot[0] == '\0' || strcmp(d->lot, line->lot) == 0) &&
		(line->pinned == NULL || strcmp(d->node, line->pinned) == 0);
}

static void
take_for_line(SalesOrder *order, OrderLine *line, Dedicated *supply, int n, Ledger *ledger)
{
	bool	   *tried = palloc0(sizeof(bool) * Max(n, 1));

	while (line->open > 0)
	{
		Dedicated  *best = NULL;
		Booking    *b;
		Booking		made = {0};

		/* the earliest first; the line's own before what any line may have */
		for (int i = 0; i < n; i++)
		{
			Dedicated  *d = &supply[i];

			if (!tried[i] && serves(line, d) &&
				(best == NULL || Max(d->day, d->today) < Max(best->day, best->today) ||
				 (Max(d->day, d->today) == Max(best->day, best->today) && d->line_no != 0 && best->line_no == 0)))
				best = d;
		}
		if (best == NULL)
			break;
		tried[best - supply] = true;
		made.quantity = Min(line->open, best->left);
		if (!choose_lane(order, line, best, &made))
			continue;
		made.line_no = line->line_no;
		made.item = line->item;
		made.node = best->node;
		made.stock.lot = best->lot;
		made.state = BOOKING_DEDICATED;
		made.on_hand = best->day <= best->today;
		made.firm = true;
		made.is_new = true;
		made.atp_before = best->left;
		made.pos = ledger_get(ledger, order->tenant_id, made.item, made.node);
		made.shipment_no = shipment_number(order, &made);
		best->left -= made.quantity;
		line->open -= made.quantity;
		line->unserved = line->open;
		b = order_add_booking(order);
		*b = made;
	}
	pfree(tried);
}

/* Book on dedicated supply what is open of the order's lines. */
void
dedicated_take(SalesOrder *order, Ledger *ledger)
{
	Dedicated  *supply;
	int			n;

	if (!order->exists || order->order_id == NULL || order->lanes == NULL || !order_needs_plan(order))
		return;
	if (ledger->writes && !has_dedicated(order))
		return;
	/* who is new is seen by nobody: who changes the supply cannot wait for it */
	n = !ledger->writes ? read_dedicated(order, &plan_read, ENGINE_READ, &supply) :
		read_dedicated(order, order->decision_id == 0 ? &plan_lock : &plan_read, ENGINE_FRESH, &supply);
	if (order->problem.nodes == NULL)
		problem_set_nodes(order);
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (b->state == BOOKING_DEDICATED && !b->release)
			(void) cover(b, supply, n);
	}
	for (int i = 0; i < order->nlines; i++)
	{
		if (order->lines[i].open > 0)
			take_for_line(order, &order->lines[i], supply, n, ledger);
	}
}
