/*
 * past.c
 *		A ledger that stands at an instant of the past and moves forward.
 *
 * A position is read when it is first asked for, as it was at the first
 * instant, together with what is recorded to have happened to it until the
 * last; each time it is asked for, what has happened by then is applied.
 * What the caller books is added to that.  Nothing is locked, nothing written;
 * all positions look as if they were locked, so that they can be booked.
 *
 * Bookings of some orders are the caller's: history is followed without them.
 * When their goods left, stock fell where history says; that much is put back,
 * since the caller's bookings stay, wherever they are.
 *
 * Memory: what is asked for, that is the item-nodes read and their changes.
 */
#include "ledger/past.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/lots.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* in this order where they are of one time */
typedef enum PastKind
{
	PAST_SETTINGS,
	PAST_SUPPLY,
	PAST_DEMAND
} PastKind;

typedef struct PastChange
{
	TimestampTz at;
	PastKind	kind;
	DateADT		day;
	DateADT		until;			/* expiry of supply; lots must last until then, of demand */
	int32		late;
	int64		quantity;		/* safety stock, of settings */
	bool		enabled;
	int32		lead_time;
	const char *channel;		/* of demand, where there are allotments: who took it, */
	const char *pool;			/* from whose */
	DateADT		ship_on;
	bool		shipped;		/* it left, and stays taken from them */
} PastChange;

typedef struct PastChanges
{
	int			n;
	int			next;			/* the first that has not happened yet */
	PastChange	changes[FLEXIBLE_ARRAY_MEMBER];
} PastChanges;

typedef struct Past
{
	int32		tenant_id;
	TimestampTz from;
	TimestampTz to;
	TimestampTz now;
	uint32		turn;			/* how often it has moved */
	PastOwns	owns;
	void	   *arg;
	MemoryContext keep;			/* as long as the ledger */
	MemoryContext scratch;
} Past;

/*
 * What happened from $4 on until before $5.  Kind 0: settings, 1: supply, 2:
 * demand, 3: goods that left.
 */
static EnginePlan plan_changes = {
	"WITH " RULES_AS_OF("($4 - interval '1 us')")
	" SELECT routing.known_at(s.xid, s.at), s.what, s.day, s.quantity, s.until, b.delay_days, b.late_days, s.order_id,"
	"  s.enabled, s.lead, s.channel, s.pool, s.ship_on, s.shipped"
	" FROM (SELECT s.\"from\", s.xmin, 1, s.available_on, s.quantity, s.expires_on, s.kind, s.status, NULL::text,"
	"   NULL::boolean, NULL::int, NULL::text, NULL::text, NULL::date, false"
	"  FROM routing.supply s WHERE s.tenant_id = $1 AND s.item = $2 AND s.node = $3 AND s.order_id = ''"
	"   AND s.\"from\" >= $4 AND s.\"from\" < $5"
	" UNION ALL SELECT s.\"from\", s.xid::xid, 1, s.available_on, s.quantity, s.expires_on, s.kind, s.status, NULL, NULL, NULL, NULL, NULL, NULL, false"
	"  FROM routing.supply_history s WHERE s.tenant_id = $1 AND s.item = $2 AND s.node = $3 AND s.order_id = ''"
	"   AND s.\"from\" >= $4 AND s.\"from\" < $5"
	" UNION ALL SELECT s.\"to\", s.to_xid::xid, 1, s.available_on, - s.quantity, s.expires_on, s.kind, s.status, NULL, NULL, NULL, NULL, NULL, NULL, false"
	"  FROM routing.supply_history s WHERE s.tenant_id = $1 AND s.item = $2 AND s.node = $3 AND s.order_id = ''"
	"   AND s.\"to\" >= $4 AND s.\"to\" < $5"
	" UNION ALL SELECT r.\"from\", r.xid::xid, 2, r.needed_on, r.quantity, COALESCE(r.min_expiry, r.deliver_on),"
	"   NULL, NULL, r.order_id, NULL, NULL, r.channel, r.pool, r.ship_on, false"
	"  FROM routing.reservation r WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"from\" >= $4"
	"   AND r.\"from\" < $5 AND ((r.\"to\" IS NULL AND r.state IN ('firm', 'issued', 'hold')) OR"
	"    (r.\"to\" IS NOT NULL AND r.order_by IS NULL AND r.basis <> 'dedicated' AND r.state <> 'lapsed'))"
	" UNION ALL SELECT LEAST(r.\"to\", r.expires_at), CASE WHEN r.\"to\" <= r.expires_at THEN NULL ELSE r.to_xid END::xid, 2,"
	"   r.needed_on, - r.quantity, COALESCE(r.min_expiry, r.deliver_on), NULL, NULL, r.order_id, NULL, NULL,"
	"   r.channel, r.pool, r.ship_on, r.state = 'shipped'"
	"  FROM routing.reservation r WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3"
	"   AND LEAST(r.\"to\", r.expires_at) >= $4 AND LEAST(r.\"to\", r.expires_at) < $5"
	"   AND ((r.\"to\" IS NULL AND r.state = 'hold') OR"
	"    (r.\"to\" IS NOT NULL AND r.order_by IS NULL AND r.basis <> 'dedicated' AND r.state <> 'lapsed'))"
	" UNION ALL SELECT r.\"to\", r.to_xid::xid, 3, '-infinity', r.quantity, NULL, NULL, NULL, r.order_id, NULL, NULL,"
	"   NULL, NULL, NULL, false"
	"  FROM routing.reservation r WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" >= $4"
	"   AND r.\"to\" < $5 AND r.state = 'shipped' AND r.basis <> 'dedicated'"
	" UNION ALL SELECT i.\"from\", i.xmin, 0, NULL, i.safety_stock, NULL, NULL, NULL, NULL, i.enabled, i.lead_time_days, NULL, NULL, NULL, false"
	"  FROM routing.item_node i WHERE i.tenant_id = $1 AND i.item = $2 AND i.node = $3 AND i.\"from\" >= $4"
	"   AND i.\"from\" < $5"
	" UNION ALL SELECT i.\"from\", i.xid::xid, 0, NULL, i.safety_stock, NULL, NULL, NULL, NULL, i.enabled, i.lead_time_days, NULL, NULL, NULL, false"
	"  FROM routing.item_node_history i WHERE i.tenant_id = $1 AND i.item = $2 AND i.node = $3"
	"   AND i.\"from\" >= $4 AND i.\"from\" < $5"
	" UNION ALL SELECT i.\"to\", i.to_xid::xid, 0, NULL, 0, NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, false"
	"  FROM routing.item_node_history i WHERE i.tenant_id = $1 AND i.item = $2 AND i.node = $3"
	"   AND i.\"to\" >= $4 AND i.\"to\" < $5 AND NOT EXISTS (SELECT FROM routing.item_node n"
	"    WHERE n.tenant_id = $1 AND n.item = $2 AND n.node = $3 AND n.\"from\" = i.\"to\")"
	"   AND NOT EXISTS (SELECT FROM routing.item_node_history n"
	"    WHERE n.tenant_id = $1 AND n.item = $2 AND n.node = $3 AND n.\"from\" = i.\"to\")"
	" ) AS s(at, xid, what, day, quantity, until, kind, status, order_id, enabled, lead, channel, pool, ship_on, shipped)"
	" LEFT JOIN LATERAL " RULE_OF_SUPPLY " b ON s.what = 1"
	" WHERE s.what <> 1 OR b.usable ORDER BY 1, 2",
	5, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}, NULL
};

/* A row of the changes; false if it changes nothing here. */
static bool
read_change(const Past *past, int row, const NetNode *node, int32 dock_days, PastChange *c)
{
	bool		isnull;
	int			what = DatumGetInt32(spi_datum(row, 2, &isnull));

	memset(c, 0, sizeof(*c));
	c->at = DatumGetTimestampTz(spi_datum(row, 1, &isnull));
	c->kind = what == 0 ? PAST_SETTINGS : what == 2 ? PAST_DEMAND : PAST_SUPPLY;
	c->day = DatumGetDateADT(spi_datum(row, 3, &isnull));
	c->quantity = scaled_from_datum(spi_datum(row, 4, &isnull));
	c->until = DatumGetDateADT(spi_datum(row, 5, &isnull));
	if (isnull)
		c->until = DATEVAL_NOEND;
	switch (what)
	{
		case 0:
			c->enabled = DatumGetBool(spi_datum(row, 9, &isnull));
			c->lead_time = DatumGetInt32(spi_datum(row, 10, &isnull));
			if (isnull)
				c->lead_time = -1;
			return true;
		case 1:
			if (c->day != ON_HAND_DAY)
			{
				c->day = node_stock_day(node, c->day + DatumGetInt32(spi_datum(row, 6, &isnull)), dock_days);
				c->late = DatumGetInt32(spi_datum(row, 7, &isnull)) - 1;
			}
			return true;
		case 2:
			c->channel = spi_text(row, 11);
			c->pool = spi_text(row, 12);
			c->ship_on = DatumGetDateADT(spi_datum(row, 13, &isnull));
			c->shipped = DatumGetBool(spi_datum(row, 14, &isnull));
			return !past->owns(past->arg, spi_text(row, 8));
		default:
			return past->owns(past->arg, spi_text(row, 8));
	}
}

static void
apply(Position *pos, const PastChange *c)
{
	switch (c->kind)
	{
		case PAST_SETTINGS:
			pos->safety_stock = c->quantity;
			pos->enabled = c->enabled;
			pos->lead_time = c->lead_time;
			break;
		case PAST_SUPPLY:
			timeline_add_supply(&pos->timeline, c->day, c->late, c->quantity);
			if (pos->lots.n > 0)
				lots_add(&pos->lots, supply_key(c->day, c->late), lot_until(c->until, 0), c->quantity, 0);
			break;
		case PAST_DEMAND:
			timeline_add_demand(&pos->timeline, c->day, c->quantity);
			if (pos->lots.n > 0)
				lots_add(&pos->lots, c->day, lot_until(c->until, 0), 0, c->quantity);
			if (pos->quotas.n > 0 && !c->shipped && (c->channel != NULL || c->pool != NULL))
				past_take_quota(pos, c->channel, c->pool, c->ship_on, c->quantity);
			break;
	}
}

static void
keep_longs(const Past *past, Longs *longs)
{
	int64	   *own = MemoryContextAlloc(past->keep, sizeof(int64) * (longs->n + 8));

	if (longs->n > 0)
		memcpy(own, longs->v, sizeof(int64) * longs->n);
	longs->v = own;
	longs->capacity = longs->n + 8;
}

/* Who took what of its allotments, if it has any. */
static void
keep_names(const Past *past, const Position *pos, PastChange *c)
{
	bool		keep = pos->quotas.n > 0;

	c->channel = keep && c->channel != NULL ? MemoryContextStrdup(past->keep, c->channel) : NULL;
	c->pool = keep && c->pool != NULL ? MemoryContextStrdup(past->keep, c->pool) : NULL;
}

/* Read a position as it was at the first instant, and what became of it. */
static void
load(Past *past, Position *pos)
{
	const NetNode *node = network_node(network_get(past->tenant_id), pos->key.node);
	MemoryContext old = MemoryContextSwitchTo(past->scratch);
	Position	was = {0};
	PastChange *changes;
	Timeline	timeline;
	bool		with_lots = false;
	int32		dock_days;
	Datum		args[5];
	int			n;
	int			kept = 0;

	was.key = pos->key;
	was.next = pos->next;
	/* what has no row never had supply or bookings */
	if (pos->exists && node != NULL)
	{
		SPI_connect();
		MemoryContextSwitchTo(past->scratch);
		position_key_args(&pos->key, args);
		args[3] = TimestampTzGetDatum(past->from - 1);
		dock_days = position_dock_days_as_of(node, args);
		args[3] = TimestampTzGetDatum(past->from);
		args[4] = TimestampTzGetDatum(past->to);
		n = (int) engine_exec(&plan_changes, args, NULL, ENGINE_READ);
		changes = palloc_extended(sizeof(PastChange) * Max(n, 1), MCXT_ALLOC_HUGE);
		for (int i = 0; i < n; i++)
		{
			if (!read_change(past, i, node, dock_days, &changes[kept]))
				continue;
			with_lots |= changes[kept].kind == PAST_SUPPLY && changes[kept].until != DATEVAL_NOEND;
			kept++;
		}
		SPI_freetuptable(SPI_tuptable);
		args[3] = TimestampTzGetDatum(past->from - 1);
		position_as_of(&was, node, args, with_lots);
		args[3] = TimestampTzGetDatum(past->from);
		past_read_quotas(&was, args, past->keep);
		position_set_special(&was);
		if (kept > 0)
		{
			was.past = MemoryContextAllocExtended(past->keep, offsetof(PastChanges, changes) + sizeof(PastChange) * kept,
												  MCXT_ALLOC_HUGE);
			was.past->n = kept;
			was.past->next = 0;
			memcpy(was.past->changes, changes, sizeof(PastChange) * kept);
			for (int i = 0; i < kept; i++)
				keep_names(past, &was, &was.past->changes[i]);
		}
		MemoryContextSwitchTo(past->keep);
		timeline = was.timeline;
		timeline_copy(&was.timeline, &timeline);
		MemoryContextSwitchTo(past->scratch);
		SPI_finish();
		was.locked = true;
	}
	keep_longs(past, &was.lots);
	keep_longs(past, &was.claims);
	*pos = was;
	MemoryContextSwitchTo(old);
	MemoryContextReset(past->scratch);
}

/* Called by ledger_get() for every position that is asked for. */
static void
bring(Ledger *ledger, Position *pos, bool first)
{
	Past	   *past = ledger->past;

	if (first)
		load(past, pos);
	if (!first && pos->read_at == past->turn)
		return;
	pos->read_at = past->turn;
	pos->steps_valid = false;
	while (pos->past != NULL && pos->past->next < pos->past->n &&
		   pos->past->changes[pos->past->next].at <= past->now)
	{
		apply(pos, &pos->past->changes[pos->past->next++]);
		position_set_special(pos);
	}
}

/*
 * A ledger of a tenant at the instant "from", in the current memory context,
 * which must stay.  It can be moved until "to".
 */
Ledger *
past_open(int32 tenant_id, TimestampTz from, TimestampTz to, PastOwns owns, void *arg)
{
	Ledger	   *ledger = ledger_open(false);
	Past	   *past = palloc0(sizeof(Past));

	past->tenant_id = tenant_id;
	past->from = from;
	past->to = to;
	past->now = from - 1;
	past->owns = owns;
	past->arg = arg;
	past->keep = CurrentMemoryContext;
	past->scratch = AllocSetContextCreate(CurrentMemoryContext, "routing past", ALLOCSET_DEFAULT_SIZES);
	ledger->past = past;
	ledger->bring = bring;
	return ledger;
}

/* Move forward. */
void
past_move(Ledger *ledger, TimestampTz at)
{
	Past	   *past = ledger->past;

	past->now = Max(past->now, at);
	past->turn++;
}
