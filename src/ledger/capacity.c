/*
 * capacity.c
 *		What nodes can ship on their days: limits, prices, and what is left.
 */
#include "ledger/capacity.h"

#include "base/cached.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

PG_FUNCTION_INFO_V1(routing_capacity_renew);

typedef struct CapacityRule
{
	int32		tenant_id;
	char	   *node;
	CapacityLimit limit;
} CapacityRule;

/* From a row of the SPI result, whose columns begin at "col". */
void
capacity_limit_fill(CapacityLimit *limit, int row, int col)
{
	bool		isnull;

	limit->kind = (CapacityKind) DatumGetInt32(spi_datum(row, col, &isnull));
	limit->weekday = DatumGetInt32(spi_datum(row, col + 1, &isnull));
	limit->on_date = DatumGetDateADT(spi_datum(row, col + 2, &isnull));
	limit->quantity = DatumGetInt64(spi_datum(row, col + 3, &isnull));
	limit->hard = DatumGetBool(spi_datum(row, col + 4, &isnull));
	limit->price_from = scaled_from_datum(spi_datum(row, col + 5, &isnull));
	limit->price = scaled_from_datum(spi_datum(row, col + 6, &isnull));
}

static void
fill(void *row, int i)
{
	CapacityRule *c = row;
	bool		isnull;

	c->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
	c->node = spi_text(i, 2);
	capacity_limit_fill(&c->limit, i, 3);
}

/* in the order in which capacity_quote_add() wants them */
static CachedRows rules = {
	.name = "capacities",
	.table = TAB_CAPACITY,
	.plan = {"SELECT tenant_id, node, " CAPACITY_LIMIT_COLUMNS
	" FROM routing.capacity ORDER BY tenant_id, node, on_date DESC, weekday DESC", 0, {0}, NULL},
	.rowsize = sizeof(CapacityRule),
	.fill = fill
};

/* what expired holds still take of a day */
static EnginePlan plan_expired = {
	"SELECT count(*), COALESCE(sum(lines), 0)::bigint, COALESCE(sum(units), 0)::bigint FROM routing.capacity_booking"
	" WHERE tenant_id = $1 AND node = $2 AND day = $3 AND expires_at <= $4",
	4, {INT4OID, TEXTOID, DATEOID, TIMESTAMPTZOID}, NULL
};

/* who confirms or cancels a hold has its row */
static EnginePlan plan_expire = {
	"DELETE FROM routing.capacity_booking b USING (SELECT x.order_id FROM routing.capacity_booking x"
	"  JOIN routing.hold h ON h.tenant_id = x.tenant_id AND x.order_id = 'hold:' || h.hold_id"
	"  WHERE x.tenant_id = $1 AND x.node = $2 AND x.day = $3 AND x.expires_at <= $4"
	"  FOR NO KEY UPDATE SKIP LOCKED) g"
	" WHERE b.tenant_id = $1 AND b.order_id = g.order_id AND b.node = $2 AND b.day = $3"
	" RETURNING b.lines, b.units",
	4, {INT4OID, TEXTOID, DATEOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_expired_days = {
	"SELECT DISTINCT tenant_id, node, day FROM routing.capacity_booking"
	" WHERE tenant_id = ANY ($1) AND expires_at <= $2 ORDER BY 1, 2, 3 LIMIT $3",
	3, {INT4ARRAYOID, TIMESTAMPTZOID, INT4OID}, NULL
};

static EnginePlan plan_any_past = {
	"SELECT FROM routing.capacity_use WHERE tenant_id = ANY ($1) AND day < $2 LIMIT 1",
	2, {INT4ARRAYOID, DATEOID}, NULL
};

static EnginePlan plan_past_bookings = {
	"DELETE FROM routing.capacity_booking b USING (SELECT tenant_id, order_id, node, day FROM routing.capacity_booking"
	"  WHERE tenant_id = ANY ($1) AND day < $2 LIMIT $3 FOR UPDATE SKIP LOCKED) g"
	" WHERE b.tenant_id = g.tenant_id AND b.order_id = g.order_id AND b.node = g.node AND b.day = g.day",
	3, {INT4ARRAYOID, DATEOID, INT4OID}, NULL
};

static EnginePlan plan_past_uses = {
	"DELETE FROM routing.capacity_use b USING (SELECT tenant_id, node, day, slot FROM routing.capacity_use"
	"  WHERE tenant_id = ANY ($1) AND day < $2 LIMIT $3 FOR UPDATE SKIP LOCKED) g"
	" WHERE b.tenant_id = g.tenant_id AND b.node = g.node AND b.day = g.day AND b.slot = g.slot",
	3, {INT4ARRAYOID, DATEOID, INT4OID}, NULL
};

static EnginePlan plan_has_rule = {
	"SELECT FROM routing.capacity WHERE tenant_id = $1 AND node = $2 LIMIT 1", 2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_days = {
	"SELECT DISTINCT day FROM routing.capacity_use WHERE tenant_id = $1 AND node = $2 ORDER BY 1",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_drop_uses = {
	"DELETE FROM routing.capacity_use WHERE tenant_id = $1 AND node = $2", 2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_drop_bookings = {
	"DELETE FROM routing.capacity_booking WHERE tenant_id = $1 AND node = $2", 2, {INT4OID, TEXTOID}, NULL
};

/* Whether anything is said of any node's capacity. */
bool
capacity_any(void)
{
	(void) cached_rows(&rules);
	return rules.n > 0;
}

static int
compare_rule(const CapacityRule *rule, int32 tenant_id, const char *node)
{
	return tenant_id != rule->tenant_id ? (tenant_id < rule->tenant_id ? -1 : 1) : strcmp(node, rule->node);
}

/* The first rule of a node; NULL if there is none. */
static const CapacityRule *
rules_of(int32 tenant_id, const char *node)
{
	const CapacityRule *all = cached_rows(&rules);
	int			low = 0;
	int			high = rules.n;

	while (low < high)
	{
		int			mid = (low + high) / 2;

		if (compare_rule(&all[mid], tenant_id, node) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < rules.n && compare_rule(&all[low], tenant_id, node) == 0 ? &all[low] : NULL;
}

/* Whether anything is said of a node's capacity. */
bool
capacity_limited(int32 tenant_id, const char *node)
{
	return rules_of(tenant_id, node) != NULL;
}

/* The first day that is still counted, wherever on earth the node is. */
static DateADT
first_counted(TimestampTz clock)
{
	int64		days = clock >= 0 ? clock / USECS_PER_DAY : -((-clock + USECS_PER_DAY - 1) / USECS_PER_DAY);

	return (DateADT) days - CAPACITY_PAST_DAYS;
}

bool
capacity_is_past(DateADT day, TimestampTz clock)
{
	return day < first_counted(clock);
}

static void
key_args(Datum *args, int32 tenant_id, const char *node, DateADT day)
{
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(node);
	args[2] = DateADTGetDatum(day);
}

void
capacity_quote_begin(CapacityQuote *quote, DateADT day)
{
	int			weekday = j2day(day + POSTGRES_EPOCH_JDATE);

	memset(quote, 0, sizeof(CapacityQuote));
	quote->day = day;
	quote->weekday = weekday == 0 ? 7 : weekday;
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		quote->left.n[k] = PG_INT64_MAX;
}

/*
 * A limit of the node, of which so much is taken: of each kind the first that
 * applies to the day goes, as in capacity_limit(), so they come with on_date
 * and weekday descending.
 */
void
capacity_quote_add(CapacityQuote *quote, const CapacityLimit *limit, int64 used)
{
	if (quote->found[limit->kind] || (limit->on_date != DATEVAL_NOBEGIN && limit->on_date != quote->day) ||
		(limit->weekday != 0 && limit->weekday != quote->weekday))
		return;
	quote->found[limit->kind] = true;
	if (limit->hard)
		quote->left.n[limit->kind] = limit->quantity - used;
	if (limit->price > 0 && (int128) used * SCALE >= (int128) limit->quantity * limit->price_from)
		quote->price = scaled_add(quote->price, limit->price);
}

/* the price of a shipment when so much is taken; *left of what has a limit */
static int64
price_of(int32 tenant_id, const char *node, DateADT day, const CapacityUse *used, CapacityUse *left)
{
	const CapacityRule *all = cached_rows(&rules);
	const CapacityRule *end = all + rules.n;
	CapacityQuote quote;

	capacity_quote_begin(&quote, day);
	for (const CapacityRule *r = rules_of(tenant_id, node); r != NULL && r < end && compare_rule(r, tenant_id, node) == 0; r++)
		capacity_quote_add(&quote, &r->limit, used->n[r->limit.kind]);
	*left = quote.left;
	return quote.price;
}

/*
 * What is left of a day, and the price of a shipment then.  No locks: it may
 * be less when it is taken.  What expired holds still take is asked for if it
 * could matter to who wants so much.
 */
void
capacity_room(int32 tenant_id, const char *node, DateADT day, TimestampTz clock, const CapacityUse *want,
			  CapacityUse *room, int64 *price)
{
	CapacityDay d;
	CapacityUse used;
	bool		scarce;

	capacity_open(&d, tenant_id, node, day, false);
	capacity_read(&d);
	used = capacity_sum(&d, false);
	capacity_close(&d);
	*price = price_of(tenant_id, node, day, &used, room);
	scarce = *price > 0;
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		scarce |= room->n[k] < want->n[k];
	if (scarce)
	{
		Datum		args[4];
		bool		isnull;

		key_args(args, tenant_id, node, day);
		args[3] = TimestampTzGetDatum(clock);
		(void) engine_exec(&plan_expired, args, NULL, ENGINE_FRESH);
		for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
			used.n[k] -= DatumGetInt64(spi_datum(0, k + 1, &isnull));
		SPI_freetuptable(SPI_tuptable);
		*price = price_of(tenant_id, node, day, &used, room);
	}
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		room->n[k] = Max(room->n[k], 0);
}

/* Give back what holds that have expired still take of a node's day. */
void
capacity_expire(int32 tenant_id, const char *node, DateADT day, TimestampTz clock)
{
	Datum		args[4];
	CapacityUse use = {{0}};
	uint64		n;

	key_args(args, tenant_id, node, day);
	args[3] = TimestampTzGetDatum(clock);
	n = engine_exec(&plan_expire, args, NULL, ENGINE_FRESH);
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		use.n[CAPACITY_ORDERS]++;
		use.n[CAPACITY_LINES] += DatumGetInt64(spi_datum(i, 1, &isnull));
		use.n[CAPACITY_UNITS] += DatumGetInt64(spi_datum(i, 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	if (n > 0)
		capacity_give(tenant_id, node, day, &use);
}

/*
 * What time brings: expired holds are given back, days of long ago forgotten;
 * at most "limit" days, and a hundred times as many rows.
 */
void
capacity_tidy(Datum tenants, TimestampTz clock, Datum limit, bool no_limit)
{
	Datum		args[3];
	SPITupleTable *rows;
	uint64		n;

	args[0] = tenants;
	args[1] = TimestampTzGetDatum(clock);
	args[2] = limit;
	n = engine_exec(&plan_expired_days, args, no_limit ? "  n" : NULL, ENGINE_FRESH);
	rows = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		capacity_expire(DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)),
						SPI_getvalue(rows->vals[i], rows->tupdesc, 2),
						DatumGetDateADT(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull)), clock);
	}
	SPI_freetuptable(rows);
	args[1] = DateADTGetDatum(first_counted(clock));
	if (engine_exec(&plan_any_past, args, NULL, ENGINE_FRESH) == 0)
		return;
	args[2] = Int32GetDatum(no_limit ? PG_INT32_MAX : Min(DatumGetInt32(limit), PG_INT32_MAX / 100) * 100);
	/* the days last: they tell that there may be more */
	if (engine_exec(&plan_past_bookings, args, NULL, ENGINE_FRESH) < (uint64) DatumGetInt32(args[2]))
		(void) engine_exec(&plan_past_uses, args, NULL, ENGINE_FRESH);
}

/* ------------------------------------------------------------------------
 * Limits change
 * ------------------------------------------------------------------------ */

typedef struct NodeName
{
	int32		tenant_id;
	char	   *node;
} NodeName;

static int
compare_names(const void *a, const void *b)
{
	const NodeName *x = a;
	const NodeName *y = b;

	return x->tenant_id != y->tenant_id ? (x->tenant_id < y->tenant_id ? -1 : 1) : strcmp(x->node, y->node);
}

static void
renew(int32 tenant_id, const char *node)
{
	Datum		args[2];
	uint64		n;
	SPITupleTable *rows;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(node);
	if (engine_exec(&plan_has_rule, args, NULL, ENGINE_FRESH) == 0)
	{
		/* the first waits for who takes or gives now, whose other rows can be seen then */
		(void) engine_exec(&plan_drop_uses, args, NULL, ENGINE_FRESH);
		(void) engine_exec(&plan_drop_bookings, args, NULL, ENGINE_FRESH);
		(void) engine_exec(&plan_drop_uses, args, NULL, ENGINE_FRESH);
		return;
	}
	n = engine_exec(&plan_days, args, NULL, ENGINE_FRESH);
	rows = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		CapacityDay d;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		capacity_open(&d, tenant_id, node, DatumGetDateADT(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)), true);
		capacity_renew_day(&d);
		capacity_close(&d);
	}
	SPI_freetuptable(rows);
}

/* SQL: the trigger's work, node by node in the order of their names. */
Datum
routing_capacity_renew(PG_FUNCTION_ARGS)
{
	Datum	   *tenants;
	Datum	   *nodes;
	int			n;
	NodeName   *names;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_VOID();
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), INT4OID, 4, true, TYPALIGN_INT, &tenants, NULL, &n);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &nodes, NULL, &n);
	names = palloc(sizeof(NodeName) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		names[i].tenant_id = DatumGetInt32(tenants[i]);
		names[i].node = TextDatumGetCString(nodes[i]);
	}
	qsort(names, n, sizeof(NodeName), compare_names);
	SPI_connect();
	for (int i = 0; i < n; i++)
		(void) capacity_lock_node(names[i].tenant_id, names[i].node, ExclusiveLock, true);
	for (int i = 0; i < n; i++)
		renew(names[i].tenant_id, names[i].node);
	SPI_finish();
	PG_RETURN_VOID();
}
