/*
 * queue.c
 *		Who waits gets what has come.
 *
 * When a settlement made a position offer more than before, the lines that
 * wait for the item are routed in the order of rank and age, whichever node
 * they queue at, then those that wait for what it may stand in for, then those
 * that rest on inbound that is later than they want; who named no day wants it
 * as soon as possible.  A settlement routes a limited number of lines; as many
 * as what is left may serve are put into routing.pending, where run_jobs()
 * takes them up in the same order.
 */
#include "orders/settle.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/channels.h"
#include "ledger/kits.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

/* how far a queue is looked into */
#define MAX_WAITING		1000

static EnginePlan plan_claims = {
	"SELECT q.order_id, q.rank, q.claimed_at, q.quantity, o.channel FROM routing.claim q"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = q.tenant_id AND o.order_id = q.order_id"
	" WHERE q.tenant_id = $1 AND q.item = $2 ORDER BY q.rank, q.claimed_at LIMIT $3",
	3, {INT4OID, TEXTOID, INT4OID}, NULL
};

static EnginePlan plan_late = {
	"SELECT r.order_id, COALESCE(o.priority, c.priority, 5), r.needed_on, r.quantity, o.channel"
	" FROM routing.reservation r"
	" JOIN routing.sales_order_line l ON l.tenant_id = r.tenant_id AND l.order_id = r.order_id"
	"  AND l.line_no = r.line_no"
	" JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.\"to\" IS NULL AND r.state = 'firm'"
	"   AND r.basis = 'inbound'"
	"   AND (COALESCE(l.requested_on, o.requested_on) IS NULL OR"
	"    l.status IN ('backordered', 'partially_allocated', 'partially_scheduled')"
	"    AND CASE o.date_basis WHEN 'ship' THEN r.ship_on ELSE r.deliver_on END"
	"     > COALESCE(l.requested_on, o.requested_on))"
	" ORDER BY 2, o.ordered_at, r.order_id, r.line_no, r.part LIMIT $3",
	3, {INT4OID, TEXTOID, INT4OID}, NULL
};

/* lines that wait for what an item may stand in for; quantities are of the item */
static EnginePlan plan_claims_instead = {
	"SELECT q.order_id, q.rank, q.claimed_at,"
	"  LEAST(pg_catalog.round(q.quantity * s.ratio, 4), 100000000000), o.channel"
	" FROM routing.item_substitute s"
	" JOIN routing.claim q ON q.tenant_id = s.tenant_id AND q.item = s.item"
	" JOIN routing.sales_order o ON o.tenant_id = q.tenant_id AND o.order_id = q.order_id"
	" JOIN routing.sales_order_line l ON l.tenant_id = q.tenant_id AND l.order_id = q.order_id"
	"  AND l.line_no = q.line_no AND l.item = q.item"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE s.tenant_id = $1 AND s.substitute = $2 AND $4 BETWEEN s.valid_from AND s.valid_to"
	"  AND (COALESCE(l.substitutes, c.substitutes) = 'consented' OR"
	"   COALESCE(l.substitutes, c.substitutes) = 'allowed' AND NOT s.needs_consent)"
	" ORDER BY q.rank, q.claimed_at LIMIT $3",
	4, {INT4OID, TEXTOID, INT4OID, DATEOID}, NULL
};

static EnginePlan plan_late_instead = {
	"SELECT r.order_id, COALESCE(o.priority, c.priority, 5), r.needed_on,"
	"  LEAST(pg_catalog.round(r.quantity * s.ratio, 4), 100000000000), o.channel"
	" FROM routing.item_substitute s"
	" JOIN routing.reservation r ON r.tenant_id = s.tenant_id AND r.item = s.item"
	" JOIN routing.sales_order_line l ON l.tenant_id = r.tenant_id AND l.order_id = r.order_id"
	"  AND l.line_no = r.line_no AND l.item = r.item"
	" JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE s.tenant_id = $1 AND s.substitute = $2 AND $4 BETWEEN s.valid_from AND s.valid_to"
	"  AND (COALESCE(l.substitutes, c.substitutes) = 'consented' OR"
	"   COALESCE(l.substitutes, c.substitutes) = 'allowed' AND NOT s.needs_consent)"
	"  AND r.\"to\" IS NULL AND r.state = 'firm' AND r.basis = 'inbound'"
	"  AND (COALESCE(l.requested_on, o.requested_on) IS NULL OR"
	"   l.status IN ('backordered', 'partially_allocated', 'partially_scheduled')"
	"   AND CASE o.date_basis WHEN 'ship' THEN r.ship_on ELSE r.deliver_on END"
	"    > COALESCE(l.requested_on, o.requested_on))"
	" ORDER BY 2, o.ordered_at, r.order_id, r.line_no, r.part LIMIT $3",
	4, {INT4OID, TEXTOID, INT4OID, DATEOID}, NULL
};

typedef struct Waiter
{
	char	   *order_id;
	int			rank;
	TimestampTz claimed_at;
	DateADT		needed_on;		/* of who has a late booking */
	int64		quantity;
	int			npath;			/* his channel and its groups */
	const char **path;
} Waiter;

/* the improved positions of one item */
typedef struct Improved
{
	int32		tenant_id;
	const char *item;
	bool		supply;			/* by supply, not by what others gave back */
	int			n;
	Position  **positions;
} Improved;

static DateADT
today_at(const Settlement *s, const Position *pos)
{
	const Network *net = network_get(pos->key.tenant_id);
	const NetNode *node = network_node(net, pos->key.node);

	return node == NULL ? DATEVAL_NOBEGIN : node_date(node, s->clock);
}

/*
 * What the improved positions offer to a waiter, or what there is for anybody,
 * before what is kept for channels.
 */
static int64
offered(const Settlement *s, const Improved *im, const Waiter *w)
{
	int64		sum = 0;

	for (int i = 0; i < im->n; i++)
	{
		Position   *pos = im->positions[i];
		DateADT		today = today_at(s, pos);
		const AtpStep *steps;
		AtpStep    *own;
		OfferRequest req;
		int64		most = 0;
		int			n;

		if (today == DATEVAL_NOBEGIN)
			continue;
		offer_request_init(&req, today, s->clock);
		req.rank = w != NULL ? w->rank : 0;
		req.claimed_at = w != NULL ? w->claimed_at : 0;
		req.within_horizon = true;
		if (w != NULL)
		{
			req.npath = w->npath;
			req.path = w->path;
		}
		if (w == NULL && pos->quotas.n > 0)
		{
			n = position_stock(pos, &req, &own);
			steps = own;
		}
		else
			n = position_offer(pos, &req, &steps);
		if (w == NULL || w->needed_on == DATEVAL_NOEND)
		{
			/* not the last: offers fall where lots end */
			for (int j = 0; j < n; j++)
				most = Max(most, steps[j].available);
			sum = scaled_add(sum, most);
		}
		else if (n > 0)
			sum = scaled_add(sum, steps_at(steps, n, w->needed_on - 1));
	}
	return sum;
}

static int
load_waiters(const Settlement *s, const Improved *im, bool late, bool instead, Waiter **waiters)
{
	Datum		args[4];
	int			n;

	args[0] = Int32GetDatum(im->tenant_id);
	args[1] = CStringGetTextDatum(im->item);
	args[2] = Int32GetDatum(MAX_WAITING);
	args[3] = DateADTGetDatum((DateADT) (s->clock / USECS_PER_DAY));
	if (instead)
		n = (int) engine_exec(late ? &plan_late_instead : &plan_claims_instead, args, NULL, ENGINE_FRESH);
	else
		n = (int) engine_exec(late ? &plan_late : &plan_claims, args, NULL, ENGINE_FRESH);
	*waiters = palloc(sizeof(Waiter) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Waiter	   *w = &(*waiters)[i];
		char	   *channel = spi_text(i, 5);
		bool		isnull;

		w->order_id = spi_text(i, 1);
		w->npath = channel == NULL ? 0 : channel_path(im->tenant_id, channel, &w->path);
		w->rank = DatumGetInt32(spi_datum(i, 2, &isnull));
		w->claimed_at = late ? PG_INT64_MAX : DatumGetTimestampTz(spi_datum(i, 3, &isnull));
		w->needed_on = late ? DatumGetDateADT(spi_datum(i, 3, &isnull)) : DATEVAL_NOEND;
		w->quantity = scaled_from_datum(spi_datum(i, 4, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Route one order whose turn has come, if this settlement may. */
static bool
serve(Settlement *s, const Improved *im, const Waiter *w, bool late)
{
	SalesOrder *order;

	if (!settlement_take_waiting(s, im->tenant_id, w->order_id, &order))
		return false;
	if (order == NULL)
		return true;
	if (late)
		order_replan_late(order, s->ledger);
	s->budget -= Max(order->nclaims, 1);
	order_route_aside(order, s->ledger);
	settlement_write_order(s, order);
	return true;
}

static void
serve_waiters(Settlement *s, const Improved *im, bool late, bool instead)
{
	Waiter	   *waiters;
	int			n = load_waiters(s, im, late, instead, &waiters);
	int64		queued = 0;

	for (int i = 0; i < n; i++)
	{
		Waiter	   *w = &waiters[i];
		bool		seen = settlement_has_order(s, im->tenant_id, w->order_id);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < i && !seen; j++)
			seen = strcmp(waiters[j].order_id, w->order_id) == 0;
		if (seen)
			continue;
		/* nothing is left for anybody who comes after those that are queued */
		if (offered(s, im, NULL) <= queued)
			break;
		if (offered(s, im, w) <= 0 || serve(s, im, w, late))
			continue;
		settlement_leave(s, im->tenant_id, w->order_id, "supply came while it waited",
						 ERRCODE_SUCCESSFUL_COMPLETION);
		queued += w->quantity;
	}
}

/* After everything else of a settlement: what has got better, and for whom. */
void
settle_queues(Settlement *s)
{
	Position  **positions = NULL;
	int			n = 0;
	int			end;

	ledger_sweep(s->ledger);
	for (Position *pos = s->ledger->first; pos != NULL; pos = pos->next)
	{
		if (!pos->improved || !pos->locked || !pos->exists || pos->withheld)
			continue;
		pos->improved = false;
		if (positions == NULL)
			positions = palloc(sizeof(Position *) * 8);
		else if (n >= 8 && (n & (n - 1)) == 0)
			positions = repalloc_huge(positions, sizeof(Position *) * n * 2);
		positions[n++] = pos;
	}
	if (n == 0)
		return;
	qsort(positions, n, sizeof(Position *), position_compare);
	for (int i = 0; i < n; i = end)
	{
		Improved	im = {positions[i]->key.tenant_id, positions[i]->key.item, false, 0, &positions[i]};
		bool		instead;

		for (end = i; end < n && positions[end]->key.tenant_id == im.tenant_id &&
			 strcmp(positions[end]->key.item, im.item) == 0; end++)
			im.supply |= positions[end]->touched;
		im.n = end - i;
		if (offered(s, &im, NULL) <= 0)
			continue;
		instead = is_substitute(im.tenant_id, im.item);
		serve_waiters(s, &im, false, false);
		if (instead)
			serve_waiters(s, &im, false, true);
		if (im.supply && offered(s, &im, NULL) > 0)
			serve_waiters(s, &im, true, false);
		if (im.supply && instead && offered(s, &im, NULL) > 0)
			serve_waiters(s, &im, true, true);
	}
}
