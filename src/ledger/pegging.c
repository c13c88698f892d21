/*
 * pegging.c
 *		Which bookings rest on which supply.
 *
 * Nothing of that is stored: a booking has a day of need, not a supply row.
 * What is shown is what the balance relies on: bookings by day of need, of the
 * same day the more important and then the older first, each take the supply
 * that is there first; where lots end, the lot with the least life left that
 * will do, after those who want one lot only.  Whenever supply covers the
 * bookings, this order serves all.
 */
#include "ledger/timeline.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "ledger/rules.h"
#include "network/network.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(routing_pegging);

typedef struct PegSupply
{
	char	   *ref;
	char	   *lot;
	char	   *kind;
	DateADT		day;			/* effective */
	DateADT		expires;		/* DATEVAL_NOEND: never */
	int64		quantity;
	int64		left;
	char	   *order_id;		/* dedicated, or "" */
	int			line_no;		/* 0: any */
} PegSupply;

typedef struct PegBooking
{
	char	   *order_id;
	int			line_no;
	int			part;
	int64		quantity;
	DateADT		needed_on;
	DateADT		min_expiry;		/* DATEVAL_NOBEGIN: any */
	char	   *lot;
	char	   *state;
	bool		counts;			/* has a claim to supply that is not dedicated */
} PegBooking;

typedef struct Pegging
{
	int32		tenant_id;
	char	   *item;
	char	   *node;
	char	   *only_ref;		/* what is asked for, or NULL */
	char	   *only_order;
	ReturnSetInfo *rsinfo;
	int			nsupply;
	PegSupply  *supply;
	int			nbookings;
	PegBooking *bookings;
} Pegging;

/* who is asked for: item, node, reference, order, each may be null */
static EnginePlan plan_positions = {
	"SELECT p.item, p.node FROM routing.position p"
	" WHERE p.tenant_id = $1 AND p.slot = 0"
	"  AND ($2 IS NULL OR p.item = $2) AND ($3 IS NULL OR p.node = $3)"
	"  AND ($4 IS NULL OR EXISTS (SELECT FROM routing.supply s WHERE s.tenant_id = $1 AND s.ref = $4"
	"   AND s.item = p.item AND s.node = p.node))"
	"  AND ($5 IS NULL OR EXISTS (SELECT FROM routing.reservation r WHERE r.tenant_id = $1"
	"   AND r.order_id = $5 AND r.\"to\" IS NULL AND r.item = p.item AND r.node = p.node))"
	"  AND ($4 IS NULL OR p.item = ANY (ARRAY(SELECT s.item FROM routing.supply s"
	"   WHERE s.tenant_id = $1 AND s.ref = $4)))"
	"  AND ($5 IS NULL OR p.item = ANY (ARRAY(SELECT r.item FROM routing.reservation r"
	"   WHERE r.tenant_id = $1 AND r.order_id = $5 AND r.\"to\" IS NULL)))"
	" ORDER BY p.item, p.node",
	5, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_supply = {
	"SELECT s.ref, s.lot, s.kind, s.status, s.available_on, s.quantity, s.expires_on, s.order_id, s.line_no,"
	"  i.dock_days"
	" FROM routing.supply s"
	" LEFT JOIN routing.item_node i ON i.tenant_id = s.tenant_id AND i.item = s.item AND i.node = s.node"
	" WHERE s.tenant_id = $1 AND s.item = $2 AND s.node = $3",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_bookings = {
	"SELECT r.order_id, r.line_no, r.part, r.quantity, r.needed_on, COALESCE(r.min_expiry, r.deliver_on), r.lot, r.state"
	" FROM routing.reservation r"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL"
	"  AND (r.state <> 'hold' OR r.expires_at > $4)"
	" ORDER BY r.lot = '', GREATEST(r.needed_on, $5), COALESCE(o.priority, c.priority, 5), r.\"from\","
	"  r.order_id, r.line_no, r.part",
	5, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID, DATEOID}, NULL
};

static DateADT
date_or(int row, int col, DateADT otherwise)
{
	bool		isnull;
	DateADT		day = DatumGetDateADT(spi_datum(row, col, &isnull));

	return isnull ? otherwise : day;
}

static int
compare_supply(const void *a, const void *b)
{
	const PegSupply *s = a;
	const PegSupply *t = b;
	int			c;

	if (s->expires != t->expires)
		return s->expires < t->expires ? -1 : 1;
	if (s->day != t->day)
		return s->day < t->day ? -1 : 1;
	c = strcmp(s->ref, t->ref);
	return c != 0 ? c : strcmp(s->lot, t->lot);
}

/* Supply in the order in which it is taken; what is not usable is left out. */
static void
load_supply(Pegging *p, Datum *args, const NetNode *node, DateADT today)
{
	int			n = (int) engine_exec(&plan_supply, args, NULL, ENGINE_READ);

	p->supply = palloc(sizeof(PegSupply) * Max(n, 1));
	p->nsupply = 0;
	for (int i = 0; i < n; i++)
	{
		PegSupply  *s = &p->supply[p->nsupply];
		SupplyRule	rule = supply_rule(p->tenant_id, spi_text(i, 3), spi_text(i, 4));
		bool		isnull;
		int32		dock;

		if (!rule.usable)
			continue;
		p->nsupply++;
		s->ref = spi_text(i, 1);
		s->lot = spi_text(i, 2);
		s->kind = spi_text(i, 3);
		s->day = DatumGetDateADT(spi_datum(i, 5, &isnull));
		s->quantity = s->left = scaled_from_datum(spi_datum(i, 6, &isnull));
		s->expires = date_or(i, 7, DATEVAL_NOEND);
		s->order_id = spi_text(i, 8);
		s->line_no = DatumGetInt32(spi_datum(i, 9, &isnull));
		if (isnull)
			s->line_no = 0;
		dock = DatumGetInt32(spi_datum(i, 10, &isnull));
		if (s->day != ON_HAND_DAY)
			s->day = effective_day(node_stock_day(node, s->day + rule.delay_days, isnull ? node->dock_days : dock),
								   rule.late_days - 1, today);
	}
	qsort(p->supply, p->nsupply, sizeof(PegSupply), compare_supply);

	/* a negative quantity takes from what comes next, before anybody else */
	for (int i = 0; i < p->nsupply; i++)
	{
		for (int k = 0; p->supply[i].left < 0 && k < p->nsupply; k++)
		{
			int64		taken = Min(-p->supply[i].left, p->supply[k].left);

			if (taken <= 0 || p->supply[k].order_id[0] != '\0')
				continue;
			p->supply[i].left += taken;
			p->supply[k].left -= taken;
		}
	}
}

static void
load_bookings(Pegging *p, Datum *args)
{
	int			n = (int) engine_exec(&plan_bookings, args, NULL, ENGINE_READ);

	p->bookings = palloc(sizeof(PegBooking) * Max(n, 1));
	p->nbookings = n;
	for (int i = 0; i < n; i++)
	{
		PegBooking *b = &p->bookings[i];
		bool		isnull;

		b->order_id = spi_text(i, 1);
		b->line_no = DatumGetInt32(spi_datum(i, 2, &isnull));
		b->part = DatumGetInt32(spi_datum(i, 3, &isnull));
		b->quantity = scaled_from_datum(spi_datum(i, 4, &isnull));
		b->needed_on = date_or(i, 5, DATEVAL_NOBEGIN);
		b->min_expiry = date_or(i, 6, DATEVAL_NOBEGIN);
		b->lot = spi_text(i, 7);
		b->state = spi_text(i, 8);
		b->counts = strcmp(b->state, "firm") == 0 || strcmp(b->state, "issued") == 0 ||
			strcmp(b->state, "hold") == 0;
	}
}

/* One row: supply, booking, or what of both belongs together. */
static void
put(Pegging *p, const PegSupply *s, const PegBooking *b, int64 quantity)
{
	Datum		values[13];
	bool		nulls[13] = {false};

	if (quantity == 0 ||
		(p->only_ref != NULL && (s == NULL || strcmp(s->ref, p->only_ref) != 0)) ||
		(p->only_order != NULL && (b == NULL || strcmp(b->order_id, p->only_order) != 0)))
		return;
	memset(values, 0, sizeof(values));
	values[0] = CStringGetTextDatum(p->item);
	values[1] = CStringGetTextDatum(p->node);
	nulls[2] = nulls[3] = nulls[4] = nulls[5] = nulls[6] = s == NULL;
	if (s != NULL)
	{
		values[2] = CStringGetTextDatum(s->ref);
		values[3] = CStringGetTextDatum(s->lot);
		values[4] = CStringGetTextDatum(s->kind);
		values[5] = DateADTGetDatum(s->day);
		values[6] = NumericGetDatum(scaled_to_numeric(s->quantity));
	}
	nulls[7] = nulls[8] = nulls[9] = nulls[10] = nulls[11] = b == NULL;
	if (b != NULL)
	{
		values[7] = CStringGetTextDatum(b->order_id);
		values[8] = Int32GetDatum(b->line_no);
		values[9] = Int32GetDatum(b->part);
		values[10] = DateADTGetDatum(b->needed_on);
		values[11] = CStringGetTextDatum(b->state);
	}
	values[12] = NumericGetDatum(scaled_to_numeric(quantity));
	tuplestore_putvalues(p->rsinfo->setResult, p->rsinfo->setDesc, values, nulls);
}

static bool
serves(const PegSupply *s, const PegBooking *b, DateADT today)
{
	DateADT		needed = Max(b->needed_on, today);

	if (s->left <= 0 || (s->day != ON_HAND_DAY && s->day > needed))
		return false;
	if (b->lot[0] != '\0' && strcmp(b->lot, s->lot) != 0)
		return false;
	if (strcmp(b->state, "dedicated") == 0)
		return strcmp(s->order_id, b->order_id) == 0 && (s->line_no == 0 || s->line_no == b->line_no);
	return b->counts && s->order_id[0] == '\0' && s->expires >= Max(needed, b->min_expiry);
}

static void
peg(Pegging *p, DateADT today)
{
	for (int i = 0; i < p->nbookings; i++)
	{
		const PegBooking *b = &p->bookings[i];
		int64		open = b->quantity;

		for (int k = 0; k < p->nsupply && open > 0; k++)
		{
			PegSupply  *s = &p->supply[k];
			int64		taken = Min(open, s->left);

			if (!serves(s, b, today))
				continue;
			put(p, s, b, taken);
			s->left -= taken;
			open -= taken;
		}
		put(p, NULL, b, open);
	}
	for (int k = 0; k < p->nsupply; k++)
		put(p, &p->supply[k], NULL, p->supply[k].left);
}

/* Arguments: item, node, reference of supply, order; what is null does not matter. */
Datum
routing_pegging(PG_FUNCTION_ARGS)
{
	Pegging		p = {0};
	Datum		args[5];
	char		nulls[6] = "     ";
	uint64		n;
	char	  **items,
			  **nodes;
	TimestampTz now = clock_of_transaction();
	const Network *net;
	const NetNode *net_nodes;
	EngineScope scope;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(2) && PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(RT_BAD_DOCUMENT),
				 errmsg("item, ref and order_id are all null"),
				 errhint("Say which item, which supply or which order is meant.")));
	InitMaterializedSRF(fcinfo, 0);
	p.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	p.tenant_id = tenant_current();
	p.only_ref = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	p.only_order = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	net = network_get(p.tenant_id);
	(void) network_nodes(net, &net_nodes);
	args[0] = Int32GetDatum(p.tenant_id);
	for (int i = 0; i < 4; i++)
	{
		args[i + 1] = PG_GETARG_DATUM(i);
		nulls[i + 1] = PG_ARGISNULL(i) ? 'n' : ' ';
	}

	engine_enter(&scope);
	SPI_connect();
	n = engine_exec(&plan_positions, args, nulls, ENGINE_READ);
	items = palloc(sizeof(char *) * Max(n, 1));
	nodes = palloc(sizeof(char *) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		items[i] = spi_text((int) i, 1);
		nodes[i] = spi_text((int) i, 2);
	}
	for (uint64 i = 0; i < n; i++)
	{
		int			node = network_find_node(net, nodes[i]);
		DateADT		today;

		CHECK_FOR_INTERRUPTS();
		if (node < 0)
			continue;
		today = node_date(&net_nodes[node], now);
		p.item = items[i];
		p.node = nodes[i];
		args[1] = CStringGetTextDatum(items[i]);
		args[2] = CStringGetTextDatum(nodes[i]);
		args[3] = TimestampTzGetDatum(now);
		args[4] = DateADTGetDatum(today);
		load_supply(&p, args, &net_nodes[node], today);
		load_bookings(&p, args);
		peg(&p, today);
	}
	SPI_finish();
	engine_leave(&scope);
	return (Datum) 0;
}
