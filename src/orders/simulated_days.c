/*
 * simulated_days.c
 *		What nodes can ship on their days, of a simulation.
 *
 * Limits and prices are those of each time (capacity_history).  What is taken
 * of a day is what the bookings of history take that the simulation does not
 * decide anew, counted when it is asked for, and what its own orders take.
 * Bookings that are older than a node's first limit take nothing, as in
 * capacity_booking.
 *
 * The limits are in one array, of a node those first that go before others, as
 * in ledger/capacity.c.  Memory: the bookings at such nodes that leave after
 * the first instant, of orders that are not decided in the time.
 */
#include "orders/simulated_days.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* a limit, and when it went */
typedef struct DayRule
{
	int			node;
	CapacityLimit limit;
	TimestampTz begin;
	TimestampTz end;
} DayRule;

typedef struct DayNode
{
	const char *node;
	int			first;			/* of its rules */
	int			nrules;
} DayNode;

/* a booking of history */
typedef struct DayRow
{
	int			order;			/* numbered as they are read */
	int			line_no;
	int64		units;
	TimestampTz begin;
	TimestampTz end;
} DayRow;

typedef struct DayKey
{
	int			node;
	DateADT		day;
} DayKey;

typedef struct Day
{
	DayKey		key;
	CapacityUse taken;			/* by the simulation's orders, */
	TimestampTz since;			/* under the limits that the node has had since then */
	int			nrows;			/* sorted by order and line */
	int			cap;
	DayRow	   *rows;
	CapacityUse others;			/* what they take */
	TimestampTz until;			/* before which that holds */
} Day;

struct SimDays
{
	int32		tenant_id;
	TimestampTz from;
	TimestampTz to;
	TimestampTz now;
	int			nnodes;
	DayNode    *nodes;			/* by code */
	DayRule    *rules;
	HTAB	   *days;
	bool		reading;		/* bookings of history: they are not counted yet */
	MemoryContext keep;
};

#define FETCH	1000

static EnginePlan plan_rules = {
	"SELECT node, " CAPACITY_LIMIT_COLUMNS ", COALESCE(begin, '-infinity'), until"
	" FROM (SELECT *, lag(until) OVER (PARTITION BY node, kind, weekday, on_date ORDER BY until, \"to\", to_xid) AS begin"
	"  FROM (SELECT h.*, routing.known_at(h.to_xid::xid, h.\"to\") AS until FROM routing.capacity_history h WHERE h.tenant_id = $1"
	"   UNION ALL SELECT c.tenant_id, c.node, c.kind, c.weekday, c.on_date, c.quantity, c.hard, c.price_from, c.price,"
	"    'infinity', NULL, 'infinity' FROM routing.capacity c WHERE c.tenant_id = $1) x) y"
	" WHERE quantity IS NOT NULL ORDER BY node, on_date DESC, weekday DESC",
	1, {INT4OID}, NULL
};

/* what is shipped stays taken; of a kit its first component counts */
static const char sql_rows[] =
"SELECT r.node, r.ship_on, r.order_id, r.line_no,"
"  CASE WHEN r.component > 1 THEN 0 WHEN r.for_item IS NULL THEN r.quantity ELSE round(r.quantity / r.per_unit, 4) END,"
"  r.\"from\" < $2 AND (CASE r.state WHEN 'shipped' THEN NULL ELSE LEAST(r.\"to\", r.expires_at) END >= $2) IS NOT FALSE,"
"  routing.known_at(r.xid::xid, r.\"from\"),"
"  CASE WHEN r.state = 'shipped' THEN 'infinity' WHEN r.\"to\" <= COALESCE(r.expires_at, 'infinity')"
"   THEN routing.known_at(r.to_xid::xid, r.\"to\") ELSE COALESCE(r.expires_at, 'infinity') END"
" FROM routing.reservation r WHERE r.tenant_id = $1 AND r.node = ANY ($4) AND r.\"from\" < $3"
"  AND r.ship_on >= (($2 AT TIME ZONE 'UTC')::date - 2) AND (r.\"to\" IS NULL OR r.state = 'shipped' OR r.\"to\" >= $2)"
"  AND NOT starts_with(r.order_id, 'demand:')"
" ORDER BY r.order_id, r.line_no, r.part";

/* ------------------------------------------------------------------------
 * Limits
 * ------------------------------------------------------------------------ */

static int
find_node(const SimDays *days, const char *node)
{
	int			low = 0;
	int			high = days->nnodes;

	while (low < high)
	{
		int			mid = (low + high) / 2;
		int			c = strcmp(node, days->nodes[mid].node);

		if (c == 0)
			return mid;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -1;
}

/* The same code, as long as the simulation is there; the node has, had or will have a limit. */
const char *
simulated_days_node(const SimDays *days, const char *node)
{
	return days->nodes[find_node(days, node)].node;
}

/* Since when a node has had a limit without a break; DT_NOEND: it has none. */
static TimestampTz
limited_since(const SimDays *days, const DayNode *n)
{
	TimestampTz since = DT_NOEND;

	for (bool earlier = true; earlier;)
	{
		earlier = false;
		for (int i = n->first; i < n->first + n->nrules; i++)
		{
			const DayRule *r = &days->rules[i];

			if (since == DT_NOEND ? r->begin <= days->now && days->now < r->end : r->begin < since && since <= r->end)
			{
				since = r->begin;
				earlier = true;
			}
		}
	}
	return since;
}

/* When one of a node's limits comes or goes next. */
static TimestampTz
next_change(const SimDays *days, const DayNode *n)
{
	TimestampTz next = DT_NOEND;

	for (int i = n->first; i < n->first + n->nrules; i++)
	{
		const DayRule *r = &days->rules[i];

		if (r->begin > days->now)
			next = Min(next, r->begin);
		else if (r->end > days->now)
			next = Min(next, r->end);
	}
	return next;
}

/* Whether anything is said of a node's capacity now. */
bool
simulated_days_limited(SimDays *days, const char *node)
{
	int			n = find_node(days, node);

	return n >= 0 && limited_since(days, &days->nodes[n]) != DT_NOEND;
}

/* Since when it has been limited; when that ends, what was taken is forgotten. */
TimestampTz
simulated_days_since(const SimDays *days, const char *node)
{
	int			n = find_node(days, node);

	return n < 0 ? DT_NOEND : limited_since(days, &days->nodes[n]);
}

static void
read_rules(SimDays *days, int n)
{
	days->rules = palloc(sizeof(DayRule) * n);
	days->nodes = palloc(sizeof(DayNode) * n);
	for (int i = 0; i < n; i++)
	{
		DayRule    *r = &days->rules[i];
		char	   *node = spi_text(i, 1);
		bool		isnull;

		if (days->nnodes == 0 || strcmp(days->nodes[days->nnodes - 1].node, node) != 0)
		{
			days->nodes[days->nnodes].node = MemoryContextStrdup(days->keep, node);
			days->nodes[days->nnodes].first = i;
			days->nodes[days->nnodes++].nrules = 0;
		}
		days->nodes[days->nnodes - 1].nrules++;
		r->node = days->nnodes - 1;
		capacity_limit_fill(&r->limit, i, 2);
		r->begin = DatumGetTimestampTz(spi_datum(i, 9, &isnull));
		r->end = DatumGetTimestampTz(spi_datum(i, 10, &isnull));
	}
}

/*
 * The days of a tenant's nodes at the instant "from", in the current memory
 * context, which must stay; NULL if no node ever had a capacity.
 */
SimDays *
simulated_days_open(int32 tenant_id, TimestampTz from, TimestampTz to)
{
	SimDays    *days = NULL;
	HASHCTL		ctl = {0};
	Datum		args[1];
	MemoryContext keep = CurrentMemoryContext;
	int			n;

	args[0] = Int32GetDatum(tenant_id);
	n = (int) engine_exec(&plan_rules, args, NULL, ENGINE_READ);
	MemoryContextSwitchTo(keep);
	if (n > 0)
	{
		days = palloc0(sizeof(SimDays));
		days->tenant_id = tenant_id;
		days->from = from;
		days->to = to;
		days->now = from - 1;
		days->keep = keep;
		ctl.keysize = sizeof(DayKey);
		ctl.entrysize = sizeof(Day);
		ctl.hcxt = keep;
		days->days = hash_create("routing simulated days", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		read_rules(days, n);
	}
	SPI_freetuptable(SPI_tuptable);
	return days;
}

/* Move forward. */
void
simulated_days_move(SimDays *days, TimestampTz at)
{
	days->now = Max(days->now, at);
}

/* ------------------------------------------------------------------------
 * What is taken
 * ------------------------------------------------------------------------ */

/* What the bookings of history take of a day now. */
static void
count_others(SimDays *days, Day *day)
{
	const DayNode *n = &days->nodes[day->key.node];
	TimestampTz since = limited_since(days, n);

	memset(&day->others, 0, sizeof(CapacityUse));
	if (since != day->since)
		memset(&day->taken, 0, sizeof(CapacityUse));
	day->since = since;
	day->until = next_change(days, n);
	for (int i = 0; i < day->nrows;)
	{
		CapacityUse use = {{1, 0, 0}};
		TimestampTz newest = DT_NOBEGIN;
		int			order = day->rows[i].order;
		int			line_no = 0;

		for (; i < day->nrows && day->rows[i].order == order; i++)
		{
			const DayRow *r = &day->rows[i];

			if (r->begin > days->now)
				day->until = Min(day->until, r->begin);
			else if (r->end > days->now)
			{
				day->until = Min(day->until, r->end);
				newest = Max(newest, r->begin);
				use.n[CAPACITY_LINES] += use.n[CAPACITY_LINES] == 0 || line_no != r->line_no;
				use.n[CAPACITY_UNITS] = scaled_add(use.n[CAPACITY_UNITS], r->units);
				line_no = r->line_no;
			}
		}
		for (int k = 0; k < NUM_CAPACITY_KINDS && newest > since && use.n[CAPACITY_LINES] > 0; k++)
			day->others.n[k] = scaled_add(day->others.n[k], use.n[k]);
	}
}

static Day *
day_of(SimDays *days, int node, DateADT date)
{
	DayKey		key = {node, date};
	bool		found;
	Day		   *day = hash_search(days->days, &key, HASH_ENTER, &found);

	if (!found)
	{
		memset(&day->taken, 0, sizeof(Day) - offsetof(Day, taken));
		day->since = limited_since(days, &days->nodes[node]);
		day->until = DT_NOBEGIN;
	}
	if (days->now >= day->until && !days->reading)
		count_others(days, day);
	return day;
}

static void
add_row(SimDays *days, const SimDayRow *row, int order)
{
	Day		   *day = day_of(days, find_node(days, row->node), row->day);
	DayRow	   *r;

	if (day->nrows == day->cap)
	{
		day->cap = day->cap ? day->cap * 2 : 8;
		day->rows = day->rows ? repalloc_huge(day->rows, sizeof(DayRow) * day->cap) :
			MemoryContextAlloc(days->keep, sizeof(DayRow) * day->cap);
	}
	r = &day->rows[day->nrows++];
	r->order = order;
	r->line_no = row->line_no;
	r->units = row->units;
	r->begin = row->begin;
	r->end = row->end;
}

static void
read_row(SimDayRow *row, int i)
{
	bool		isnull;

	row->node = spi_text(i, 1);
	row->day = DatumGetDateADT(spi_datum(i, 2, &isnull));
	row->order_id = spi_text(i, 3);
	row->line_no = DatumGetInt32(spi_datum(i, 4, &isnull));
	row->units = scaled_from_datum(spi_datum(i, 5, &isnull));
	row->initial = DatumGetBool(spi_datum(i, 6, &isnull));
	row->begin = DatumGetTimestampTz(spi_datum(i, 7, &isnull));
	row->end = DatumGetTimestampTz(spi_datum(i, 8, &isnull));
}

/*
 * Read the bookings.  Of an order that "owns" says is the simulation's, "own"
 * is told what counts at the first instant; the names it is given are gone
 * afterwards, but for the node's.
 */
void
simulated_days_read(SimDays *days, bool (*owns) (void *arg, const char *order_id), SimDaysOwn own, void *arg)
{
	Oid			types[4] = {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTARRAYOID};
	MemoryContext turn = AllocSetContextCreate(CurrentMemoryContext, "routing bookings of days", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(turn);
	StringInfoData last;
	SPIPlanPtr	plan = engine_prepare(sql_rows, lengthof(types), types, false);
	Datum	   *nodes = palloc(sizeof(Datum) * days->nnodes);
	Datum		args[4];
	Portal		cursor;
	int			order = 0;

	for (int i = 0; i < days->nnodes; i++)
		nodes[i] = CStringGetTextDatum(days->nodes[i].node);
	args[0] = Int32GetDatum(days->tenant_id);
	args[1] = TimestampTzGetDatum(days->from);
	args[2] = TimestampTzGetDatum(days->to);
	args[3] = PointerGetDatum(construct_array(nodes, days->nnodes, TEXTOID, -1, false, TYPALIGN_INT));
	cursor = SPI_cursor_open(NULL, plan, args, NULL, true);
	MemoryContextSwitchTo(old);
	initStringInfo(&last);
	days->reading = true;
	for (;;)
	{
		uint64		n;

		SPI_cursor_fetch(cursor, true, FETCH);
		n = SPI_processed;
		MemoryContextSwitchTo(turn);
		for (uint64 i = 0; i < n; i++)
		{
			SimDayRow	row;

			CHECK_FOR_INTERRUPTS();
			read_row(&row, (int) i);
			if (strcmp(row.order_id, last.data) != 0)
			{
				order++;
				resetStringInfo(&last);
				appendStringInfoString(&last, row.order_id);
			}
			row.node = days->nodes[find_node(days, row.node)].node;
			if (!owns(arg, row.order_id))
				add_row(days, &row, order);
			else if (row.initial && row.begin > limited_since(days, &days->nodes[find_node(days, row.node)]))
				own(arg, &row);
			MemoryContextReset(turn);
		}
		MemoryContextSwitchTo(old);
		SPI_freetuptable(SPI_tuptable);
		if (n == 0)
			break;
	}
	days->reading = false;
	SPI_cursor_close(cursor);
	SPI_freeplan(plan);
	pfree(last.data);
	MemoryContextDelete(turn);
}

/* What is left of a day, and the price of a shipment then: as capacity_room(). */
void
simulated_days_room(SimDays *days, const char *node, DateADT date, CapacityUse *room, int64 *price)
{
	int			index = find_node(days, node);
	CapacityQuote quote;

	capacity_quote_begin(&quote, date);
	if (index >= 0)
	{
		const DayNode *n = &days->nodes[index];
		const Day  *day = day_of(days, index, date);

		for (int i = n->first; i < n->first + n->nrules; i++)
		{
			const DayRule *r = &days->rules[i];
			CapacityKind k = r->limit.kind;

			if (r->begin <= days->now && days->now < r->end)
				capacity_quote_add(&quote, &r->limit, scaled_add(day->others.n[k], day->taken.n[k]));
		}
	}
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		room->n[k] = Max(quote.left.n[k], 0);
	*price = quote.price;
}

/* An order takes of a day, or gives back; there need not be as much left. */
void
simulated_days_take(SimDays *days, const char *node, DateADT date, const CapacityUse *use)
{
	int			index = find_node(days, node);
	Day		   *day;

	if (index < 0)
		return;
	day = day_of(days, index, date);
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		day->taken.n[k] += use->n[k];
}
