/*
 * capacity.c
 *		Counters of what nodes ship on their days.
 *
 * A counter is spread over slots, which hold what was taken through them and a
 * share of the room that is left (sql/parts/46_capacity.sql).  Taking wants one
 * slot with room that nobody else has locked; where all are locked, a further
 * slot will be made.  Only if no slot has room do those who want it meet: they
 * lock all of them, put the room together, and what is not there then is not
 * there at all.  Giving back goes to a slot of the backend's own and waits for
 * nobody.
 *
 * Lock order: after the positions; slots of a day ascending.  Who changes
 * limits and who makes a day's first slot exclude each other by an advisory
 * lock on the node.
 */
#include "ledger/capacity.h"

#include "base/cached.h"
#include "base/clock.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/backendid.h"
#include "storage/latch.h"

#define OWN_SLOTS	1000		/* slots from here on are backends' own */
#define TRIES		200			/* of a millisecond, for a slot that is not locked */

typedef struct CapacityNode
{
	int32		tenant_id;
	char	   *node;
} CapacityNode;

static void
fill(void *row, int i)
{
	CapacityNode *c = row;
	bool		isnull;

	c->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
	c->node = spi_text(i, 2);
}

static CachedRows limited = {
	.name = "capacities",
	.table = TAB_CAPACITY,
	.plan = {"SELECT DISTINCT tenant_id, node FROM routing.capacity ORDER BY tenant_id, node", 0, {0}, NULL},
	.rowsize = sizeof(CapacityNode),
	.fill = fill
};

static EnginePlan plan_room = {
	"SELECT l.hard, l.quantity - k.used, CASE WHEN k.used >= l.quantity * l.price_from THEN l.price ELSE 0 END, k.kind"
	" FROM (SELECT k.kind, CASE k.kind WHEN 'orders' THEN u.orders WHEN 'lines' THEN u.lines ELSE u.units END::bigint AS used"
	"  FROM (SELECT COALESCE(sum(orders), 0) AS orders, COALESCE(sum(lines), 0) AS lines, COALESCE(sum(units), 0) AS units"
	"   FROM (SELECT orders, lines, units FROM routing.capacity_use WHERE tenant_id = $1 AND node = $2 AND day = $3"
	"    UNION ALL"
	"    SELECT -1, -b.lines, -b.units FROM routing.capacity_booking b"
	"    JOIN routing.hold h ON h.tenant_id = b.tenant_id AND b.order_id = 'hold:' || h.hold_id"
	"    WHERE b.tenant_id = $1 AND b.order_id >= 'hold:' AND b.order_id < 'hold;' AND b.node = $2 AND b.day = $3"
	"     AND h.expires_at <= $4) x) u,"
	"  (VALUES ('orders'), ('lines'), ('units')) k (kind)) k,"
	" LATERAL routing.capacity_limit($1, $2, $3, k.kind) l WHERE l.quantity IS NOT NULL",
	4, {INT4OID, TEXTOID, DATEOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_first = {
	"INSERT INTO routing.capacity_use (tenant_id, node, day, slot, room_orders, room_lines, room_units)"
	" SELECT $1, $2, $3, 0,"
	"  (SELECT l.quantity FROM routing.capacity_limit($1, $2, $3, 'orders') l WHERE l.hard),"
	"  (SELECT l.quantity FROM routing.capacity_limit($1, $2, $3, 'lines') l WHERE l.hard),"
	"  (SELECT l.quantity FROM routing.capacity_limit($1, $2, $3, 'units') l WHERE l.hard)"
	" FROM pg_catalog.pg_advisory_xact_lock_shared(4713, pg_catalog.hashtext($1 || ' ' || $2))"
	" ON CONFLICT DO NOTHING",
	3, {INT4OID, TEXTOID, DATEOID}, NULL
};

static EnginePlan plan_known = {
	"SELECT FROM routing.capacity_use WHERE tenant_id = $1 AND node = $2 AND day = $3 LIMIT 1",
	3, {INT4OID, TEXTOID, DATEOID}, NULL
};

static EnginePlan plan_lock_first = {
	"SELECT pg_catalog.pg_advisory_xact_lock_shared(4713, pg_catalog.hashtext($1 || ' ' || $2))",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_take = {
	"UPDATE routing.capacity_use u SET orders = u.orders + $4, lines = u.lines + $5, units = u.units + $6,"
	"  room_orders = u.room_orders - $4, room_lines = u.room_lines - $5, room_units = u.room_units - $6"
	" FROM (SELECT slot FROM routing.capacity_use WHERE tenant_id = $1 AND node = $2 AND day = $3"
	"   AND ($4 <= 0 OR room_orders IS NULL OR room_orders >= $4) AND ($5 <= 0 OR room_lines IS NULL OR room_lines >= $5)"
	"   AND ($6 <= 0 OR room_units IS NULL OR room_units >= $6)"
	"  ORDER BY slot = $7 DESC, slot LIMIT 1 FOR UPDATE SKIP LOCKED) s"
	" WHERE u.tenant_id = $1 AND u.node = $2 AND u.day = $3 AND u.slot = s.slot RETURNING u.slot",
	7, {INT4OID, TEXTOID, DATEOID, INT8OID, INT8OID, INT8OID, INT4OID}, NULL
};

/* whether some slot has room, locked by somebody or not */
static EnginePlan plan_some_room = {
	"SELECT FROM routing.capacity_use WHERE tenant_id = $1 AND node = $2 AND day = $3"
	" AND ($4 <= 0 OR room_orders IS NULL OR room_orders >= $4) AND ($5 <= 0 OR room_lines IS NULL OR room_lines >= $5)"
	" AND ($6 <= 0 OR room_units IS NULL OR room_units >= $6) LIMIT 1",
	6, {INT4OID, TEXTOID, DATEOID, INT8OID, INT8OID, INT8OID}, NULL
};

static EnginePlan plan_fold = {
	"SELECT routing.capacity_fold($1, $2, $3, false)", 3, {INT4OID, TEXTOID, DATEOID}, NULL
};

/* into a slot of the backend's own: locked by nobody else but who folds */
static EnginePlan plan_give = {
	"INSERT INTO routing.capacity_use AS u (tenant_id, node, day, slot, orders, lines, units, room_orders, room_lines, room_units)"
	" SELECT $1, $2, $3, $7, -$4, -$5, -$6,"
	"  CASE WHEN f.room_orders IS NOT NULL THEN $4 END, CASE WHEN f.room_lines IS NOT NULL THEN $5 END,"
	"  CASE WHEN f.room_units IS NOT NULL THEN $6 END"
	" FROM routing.capacity_use f WHERE f.tenant_id = $1 AND f.node = $2 AND f.day = $3 AND f.slot = 0"
	" ON CONFLICT (tenant_id, node, day, slot) DO UPDATE SET orders = u.orders - $4, lines = u.lines - $5, units = u.units - $6,"
	"  room_orders = u.room_orders + $4, room_lines = u.room_lines + $5, room_units = u.room_units + $6",
	7, {INT4OID, TEXTOID, DATEOID, INT8OID, INT8OID, INT8OID, INT4OID}, NULL
};

/* what expired holds still take of a day */
static EnginePlan plan_expire = {
	"WITH gone AS (DELETE FROM routing.capacity_booking b USING routing.hold h"
	"  WHERE b.tenant_id = $1 AND b.order_id >= 'hold:' AND b.order_id < 'hold;'"
	"   AND ($2 IS NULL OR (b.node = $2 AND b.day = $3))"
	"   AND h.tenant_id = b.tenant_id AND b.order_id = 'hold:' || h.hold_id AND h.expires_at <= $4"
	"  RETURNING b.node, b.day, b.lines, b.units)"
	" SELECT node, day, count(*), sum(lines)::bigint, sum(units)::bigint FROM gone GROUP BY 1, 2 ORDER BY 1, 2",
	4, {INT4OID, TEXTOID, DATEOID, TIMESTAMPTZOID}, NULL
};

/* a share of a slot's room for a slot of the backend's own, where orders meet */
static EnginePlan plan_spread = {
	"WITH f AS (UPDATE routing.capacity_use SET room_orders = room_orders - room_orders / 4,"
	"   room_lines = room_lines - room_lines / 4, room_units = room_units - room_units / 4"
	"  WHERE tenant_id = $1 AND node = $2 AND day = $3 AND slot = $4"
	"  RETURNING room_orders, room_lines, room_units)"
	" INSERT INTO routing.capacity_use AS u (tenant_id, node, day, slot, room_orders, room_lines, room_units)"
	" SELECT $1, $2, $3, $5, o.room_orders - f.room_orders, o.room_lines - f.room_lines, o.room_units - f.room_units"
	" FROM f, routing.capacity_use o WHERE o.tenant_id = $1 AND o.node = $2 AND o.day = $3 AND o.slot = $4"
	" ON CONFLICT (tenant_id, node, day, slot) DO UPDATE SET room_orders = u.room_orders + excluded.room_orders,"
	"  room_lines = u.room_lines + excluded.room_lines, room_units = u.room_units + excluded.room_units",
	5, {INT4OID, TEXTOID, DATEOID, INT4OID, INT4OID}, NULL
};

/* Whether anything is said of any node's capacity. */
bool
capacity_any(void)
{
	(void) cached_rows(&limited);
	return limited.n > 0;
}

/* Whether anything is said of a node's capacity. */
bool
capacity_limited(int32 tenant_id, const char *node)
{
	CapacityNode *rows = cached_rows(&limited);
	int			low = 0;
	int			high = limited.n;

	while (low < high)
	{
		int			mid = (low + high) / 2;
		int			c = tenant_id < rows[mid].tenant_id ? -1 : tenant_id > rows[mid].tenant_id ? 1 :
			strcmp(node, rows[mid].node);

		if (c == 0)
			return true;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

static void
key_args(Datum *args, int32 tenant_id, const char *node, DateADT day)
{
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(node);
	args[2] = DateADTGetDatum(day);
}

/*
 * What is left of a day for others than this transaction has counted yet, and
 * the price of a shipment then.  No locks: it may be less when it is taken.
 */
void
capacity_room(int32 tenant_id, const char *node, DateADT day, TimestampTz clock, CapacityUse *room, int64 *price)
{
	Datum		args[4];
	uint64		n;

	room->orders = room->lines = room->units = PG_INT64_MAX;
	*price = 0;
	key_args(args, tenant_id, node, day);
	args[3] = TimestampTzGetDatum(clock);
	n = engine_exec(&plan_room, args, NULL, ENGINE_FRESH);
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		char	   *kind = spi_text(i, 4);
		int64		left = Max(DatumGetInt64(spi_datum(i, 2, &isnull)), 0);

		*price = scaled_add(*price, scaled_from_datum(spi_datum(i, 3, &isnull)));
		if (!DatumGetBool(spi_datum(i, 1, &isnull)))
			continue;
		if (strcmp(kind, "orders") == 0)
			room->orders = left;
		else if (strcmp(kind, "lines") == 0)
			room->lines = left;
		else
			room->units = left;
	}
}

static void
use_args(Datum *args, const CapacityUse *use)
{
	args[3] = Int64GetDatum(use->orders);
	args[4] = Int64GetDatum(use->lines);
	args[5] = Int64GetDatum(use->units);
}

/* Give back to a day what was taken. */
void
capacity_give(int32 tenant_id, const char *node, DateADT day, const CapacityUse *use)
{
	Datum		args[7];

	key_args(args, tenant_id, node, day);
	use_args(args, use);
	args[6] = Int32GetDatum(OWN_SLOTS + MyBackendId);
	(void) engine_exec(&plan_give, args, NULL, ENGINE_FRESH);
}

/* Move a share of the room of a slot that is ours to change to the backend's own. */
static void
spread(const Datum *key, int32 slot)
{
	Datum		args[5];

	memcpy(args, key, sizeof(Datum) * 3);
	args[3] = Int32GetDatum(slot);
	args[4] = Int32GetDatum(OWN_SLOTS + MyBackendId);
	(void) engine_exec(&plan_spread, args, NULL, ENGINE_FRESH);
}

/*
 * Give back what holds that have expired still take: of a node's day, or of all
 * if node is NULL.
 */
void
capacity_expire(int32 tenant_id, const char *node, DateADT day, TimestampTz clock)
{
	Datum		args[4];
	char		nulls[5] = "    ";
	SPITupleTable *rows;
	uint64		n;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = node ? CStringGetTextDatum(node) : (Datum) 0;
	args[2] = DateADTGetDatum(day);
	args[3] = TimestampTzGetDatum(clock);
	nulls[1] = node ? ' ' : 'n';
	n = engine_exec(&plan_expire, args, nulls, ENGINE_FRESH);
	rows = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple	row = rows->vals[i];
		bool		isnull;
		CapacityUse use;

		use.orders = DatumGetInt64(SPI_getbinval(row, rows->tupdesc, 3, &isnull));
		use.lines = DatumGetInt64(SPI_getbinval(row, rows->tupdesc, 4, &isnull));
		use.units = DatumGetInt64(SPI_getbinval(row, rows->tupdesc, 5, &isnull));
		capacity_give(tenant_id, SPI_getvalue(row, rows->tupdesc, 1),
					  DatumGetDateADT(SPI_getbinval(row, rows->tupdesc, 2, &isnull)), &use);
	}
}

/*
 * Take from a day, to whose limits no component may then be above; components
 * may be negative.  False, and nothing taken, if there is not enough.
 */
bool
capacity_take(int32 tenant_id, const char *node, DateADT day, const CapacityUse *use)
{
	Datum		args[7];
	bool		met = false;

	key_args(args, tenant_id, node, day);
	use_args(args, use);
	args[6] = Int32GetDatum(OWN_SLOTS + MyBackendId);
	if (engine_exec(&plan_known, args, NULL, ENGINE_FRESH) == 0)
	{
		/* the limits are read after the lock is had */
		(void) engine_exec(&plan_lock_first, args, NULL, ENGINE_FRESH);
		(void) engine_exec(&plan_first, args, NULL, ENGINE_FRESH);
	}
	for (int i = 0; i < TRIES; i++)
	{
		if (engine_exec(&plan_take, args, NULL, ENGINE_FRESH) > 0)
		{
			bool		isnull;
			int32		slot = DatumGetInt32(spi_datum(0, 1, &isnull));

			/* next time there is a slot of our own */
			if (met && slot != OWN_SLOTS + MyBackendId)
				spread(args, slot);
			return true;
		}
		if (engine_exec(&plan_some_room, args, NULL, ENGINE_FRESH) == 0)
			break;
		met = true;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	capacity_expire(tenant_id, node, day, clock_now());
	(void) engine_exec(&plan_fold, args, NULL, ENGINE_FRESH);
	return engine_exec(&plan_take, args, NULL, ENGINE_FRESH) > 0;
}
