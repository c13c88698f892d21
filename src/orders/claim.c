/*
 * claim.c
 *		The places of backordered lines in the queues of positions.
 *
 * A line with a quantity that nothing serves has one claim, at one node:
 * others of its rank or a worse one are offered there only what it leaves.
 * The claim stands in routing.claim and in the position, both written under
 * the lock of the order and of the position.  It keeps its age as long as the
 * line waits.
 */
#include "orders/eligibility.h"
#include "orders/parts.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

#define BEHIND_ALL_RANKS	100

static EnginePlan plan_load = {
	"SELECT line_no, item, node, rank, quantity, claimed_at FROM routing.claim"
	" WHERE tenant_id = $1 AND order_id = $2 ORDER BY line_no",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_delete = {
	"DELETE FROM routing.claim WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3",
	3, {INT4OID, TEXTOID, INT4OID}, NULL
};

static EnginePlan plan_insert = {
	"INSERT INTO routing.claim (tenant_id, order_id, line_no, item, node, wanted_on, rank, quantity, claimed_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
	9, {INT4OID, TEXTOID, INT4OID, TEXTOID, TEXTOID, DATEOID, INT4OID, NUMERICOID, TIMESTAMPTZOID}, NULL
};

/* Whether a claim is still about what its line wants: of a kit some component. */
static bool
keeps_place(const OrderLine *line, const Claim *c)
{
	bool		same = line->nparts == 0 && strcmp(line->item, c->item) == 0;

	for (int i = 0; i < line->nparts && !same; i++)
		same = strcmp(line->parts[i].item, c->item) == 0;
	return same &&
		(line->pinned == NULL || strcmp(line->pinned, c->node) == 0);
}

/* The places of its lines in the queues. */
void
order_load_claims(SalesOrder *order)
{
	Datum		args[2];
	int			n;

	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	n = (int) engine_exec(&plan_load, args, NULL, ENGINE_FRESH);
	order->nclaims = n;
	order->claims = palloc(sizeof(Claim) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Claim	   *c = &order->claims[i];
		OrderLine  *line;
		bool		isnull;

		c->line_no = DatumGetInt32(spi_datum(i, 1, &isnull));
		c->item = spi_text(i, 2);
		c->node = spi_text(i, 3);
		c->rank = DatumGetInt32(spi_datum(i, 4, &isnull));
		c->quantity = scaled_from_datum(spi_datum(i, 5, &isnull));
		c->claimed_at = DatumGetTimestampTz(spi_datum(i, 6, &isnull));
		line = order_line(order, c->line_no);
		if (line != NULL && keeps_place(line, c))
		{
			line->claimed_at = c->claimed_at;
			line->claim_item = c->item;
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * The rank of a line in the queue.  Who waits for one lot keeps nothing that
 * others could have: he is behind all ranks.
 */
int
order_claim_rank(const SalesOrder *order, const OrderLine *line)
{
	return order->priority + (line->lot[0] != '\0' ? BEHIND_ALL_RANKS : 0);
}

/* The first component that begun kits of a line lack: they come before whole ones.  False: none. */
static bool
lacks(const SalesOrder *order, const OrderLine *line, KitGap *gap)
{
	KitGap	   *gaps;

	if (line->nparts == 0 || kits_gaps(order, line, &gaps) == 0)
		return false;
	*gap = gaps[0];
	return true;
}

/* What a line has to claim: of what begun kits lack, or else in its own units. */
static int64
wanted(const SalesOrder *order, const OrderLine *line)
{
	KitGap		gap;

	if (line != NULL && lacks(order, line, &gap))
		return gap.missing;
	if (line == NULL || !order->exists || order_is_cancelled(order) ||
		strcmp(line->status, "cancelled") == 0)
		return 0;
	return line->unserved;
}

/*
 * The node in whose queue a line waits: where it is pinned to (unless that may
 * not serve it, and then nobody is kept from its stock), or else the
 * first candidate that may serve it and knows the item, or the first that may
 * at all.  NULL: nowhere.
 */
const char *
order_queue_node(const SalesOrder *order, const OrderLine *line, Ledger *ledger)
{
	const NetNode *nodes;
	const char *first = NULL;

	(void) network_nodes(order->net, &nodes);
	if (line->pinned != NULL)
	{
		for (int c = 0; c < order->ncandidates; c++)
		{
			if (strcmp(nodes[order->candidates[c]].node, line->pinned) == 0 &&
				order_line_why(order, (int) (line - order->lines), c) != 0)
				return NULL;
		}
		return line->pinned;
	}
	for (int c = 0; c < order->ncandidates; c++)
	{
		const char *node = nodes[order->candidates[c]].node;
		const Position *pos;

		/* what may not serve it is nothing to wait for, nor to keep from others */
		if (order_line_why(order, (int) (line - order->lines), c) != 0)
			continue;
		pos = ledger_get_if_any(ledger, order->tenant_id, line->nparts > 0 ? line->parts[0].item : line->item, node);
		if (pos != NULL && pos->exists)
			return node;
		if (first == NULL)
			first = node;
	}
	if (order->ncandidates > 0)
		return first;
	/* not planned: where it lost its supply */
	for (int j = 0; j < order->nbookings; j++)
	{
		if (order->bookings[j].line_no == line->line_no)
			return order->bookings[j].node;
	}
	return NULL;
}

/*
 * The item in whose queue a line waits: its own, or the component of its kit
 * of which there is least at the node.  "per": units of it for one of the line.
 */
const char *
order_queue_item(const SalesOrder *order, const OrderLine *line, const char *node, Ledger *ledger,
				 int64 *per)
{
	const char *item = line->item;
	int64		least = PG_INT64_MAX;
	KitGap		gap;

	*per = SCALE;
	if (lacks(order, line, &gap))
		return gap.item;
	for (int i = 0; i < line->nparts; i++)
	{
		const NetNode *nodes;
		int			n = network_find_node(order->net, node);
		const AtpStep *steps;
		OfferRequest req;
		int			nsteps;
		int64		there = 0;

		(void) network_nodes(order->net, &nodes);
		if (n >= 0)
		{
			order_request(order, line, line->parts[i].item, node_date(&nodes[n], order->clock), 0, &req);
			req.within_horizon = true;
			nsteps = position_offer(ledger_get(ledger, order->tenant_id, line->parts[i].item, node), &req, &steps);
			there = nsteps > 0 ? steps[nsteps - 1].available / line->parts[i].per : 0;
		}
		if (there >= least)
			continue;
		least = there;
		item = line->parts[i].item;
		*per = line->parts[i].per;
	}
	return item;
}

/* The positions whose queues the order is in. */
int
order_claim_positions(const SalesOrder *order, Ledger *ledger, Position **positions)
{
	for (int i = 0; i < order->nclaims; i++)
	{
		positions[i] = ledger_get(ledger, order->tenant_id, order->claims[i].item, order->claims[i].node);
		positions[i]->whole = true;
	}
	return order->nclaims;
}

/* The positions whose queues it is going to be in. */
int
order_queue_positions(const SalesOrder *order, Ledger *ledger, Position **positions)
{
	int			n = 0;

	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];
		const char *node;
		int64		per;

		if (wanted(order, line) <= 0 || line->claimed_at != 0)
			continue;
		node = order_queue_node(order, line, ledger);
		if (node == NULL)
			continue;
		positions[n] = ledger_get(ledger, order->tenant_id, order_queue_item(order, line, node, ledger, &per), node);
		positions[n++]->whole = true;
	}
	return n;
}

/*
 * Get hold of a position out of the order of locks, make its row if need be.
 * A queue is that of a position as a whole.
 */
static bool
hold_position(Ledger *ledger, Position *pos)
{
	pos->whole = true;
	if (!pos->exists && ledger_is_being_made(ledger, pos))
		return false;
	if (!pos->exists)
		ledger_create_missing(ledger, &pos, 1);
	if (!position_try_lock(ledger, pos) || !pos->exists)
		return false;
	if (pos->slot > 0 || pos->slots > 0)
		ledger_want_whole(ledger);
	return pos->slot == 0 && pos->slots == 0 && position_try_lock(ledger, pos);
}

static void
delete_claim(const SalesOrder *order, const Claim *c)
{
	Datum		args[3];

	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = Int32GetDatum(c->line_no);
	(void) engine_exec(&plan_delete, args, NULL, ENGINE_FRESH);
}

static void
insert_claim(const SalesOrder *order, const OrderLine *line, const char *item, const char *node, int64 quantity)
{
	Datum		args[9];
	DateADT		day = (DateADT) (order->clock / USECS_PER_DAY);

	if (line->has_requested)
		day = line->requested;
	else if (order->has_requested)
		day = order->requested;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = Int32GetDatum(line->line_no);
	args[3] = CStringGetTextDatum(item);
	args[4] = CStringGetTextDatum(node);
	args[5] = DateADTGetDatum(day);
	args[6] = Int32GetDatum(order_claim_rank(order, line));
	args[7] = NumericGetDatum(scaled_to_numeric(quantity));
	args[8] = TimestampTzGetDatum(line->claimed_at);
	(void) engine_exec(&plan_insert, args, NULL, ENGINE_FRESH);
}

/*
 * Bring the claims of an order that is decided up to what its lines wait for.
 * False if a position was busy: the order must be looked at again.
 * "next_claim": the time of the next new claim, no two of which are alike.
 */
bool
order_settle_claims(SalesOrder *order, Ledger *ledger, TimestampTz *next_claim)
{
	bool		all = true;

	for (int i = 0; i < order->nclaims; i++)
	{
		Claim	   *c = &order->claims[i];
		OrderLine  *line = order_line(order, c->line_no);
		int64		want = wanted(order, line);
		bool		stays = want > 0 && keeps_place(line, c);
		Position   *pos;
		int64		per;
		KitGap		gap;

		/* a kit waits where it is short now */
		if (stays && line->nparts > 0)
			stays = strcmp(order_queue_item(order, line, c->node, ledger, &per), c->item) == 0;
		if (want > 0 && !lacks(order, line, &gap))
			want = (int64) ((int128) want * line_takes(line, c->item) / SCALE);

		if (stays && want == c->quantity && c->rank == order_claim_rank(order, line))
			continue;
		pos = ledger_get(ledger, order->tenant_id, c->item, c->node);
		if (!hold_position(ledger, pos))
		{
			all = false;
			continue;
		}
		delete_claim(order, c);
		position_claim(pos, c->rank, -c->quantity);
		pos->improved |= want < c->quantity;
		if (stays)
		{
			insert_claim(order, line, c->item, c->node, want);
			c->rank = order_claim_rank(order, line);
			position_claim(pos, c->rank, want);
			c->quantity = want;
			continue;
		}
		if (line != NULL)
			line->claimed_at = 0;
		memmove(c, c + 1, sizeof(Claim) * (order->nclaims - i - 1));
		order->nclaims--;
		i--;
	}
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		int64		want = wanted(order, line);
		const char *node;
		const char *item;
		Position   *pos;
		int64		per;

		if (want <= 0 || line->claimed_at != 0)
			continue;
		node = order_queue_node(order, line, ledger);
		if (node == NULL)
			continue;
		item = order_queue_item(order, line, node, ledger, &per);
		want = (int64) ((int128) want * per / SCALE);
		pos = ledger_get(ledger, order->tenant_id, item, node);
		if (!hold_position(ledger, pos))
		{
			all = false;
			continue;
		}
		line->claim_item = item;
		line->claimed_at = (*next_claim)++;
		insert_claim(order, line, item, node, want);
		position_claim(pos, order_claim_rank(order, line), want);
	}
	return all;
}
