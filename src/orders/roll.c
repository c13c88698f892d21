/*
 * roll.c
 *		What time brings due.
 *
 * Availability moves with the calendar by itself: every read computes it.  So
 * nobody's answer depends on roll().  What it does is to draw the consequences
 * that somebody must be told of: bookings that late supply, or a lot that has
 * come to its end, no longer covers; promises beyond the horizon whose supply
 * was not ordered; holds and grace times that have ended.  It looks for the
 * positions concerned in one scan and settles them like a change of their
 * supply.
 */
#include "orders/settle.h"

#include "base/cache.h"
#include "base/clock.h"
#include "base/engine.h"
#include "base/tenant.h"
#include "ledger/capacity.h"
#include "ledger/lots.h"
#include "ledger/offer.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(routing_roll);
PG_FUNCTION_INFO_V1(routing_position_due);

static EnginePlan plan_tenants = {
	"SELECT tenant_id FROM routing.tenant ORDER BY 1", 0, {0}, NULL
};

static EnginePlan plan_due = {
	"SELECT p.tenant_id, p.item, p.node FROM routing.position p"
	" WHERE p.tenant_id = ANY ($1) AND routing.position_due(p, routing.node_today(p.tenant_id, p.node))"
	" UNION"
	" SELECT r.tenant_id, r.item, r.node FROM routing.reservation r"
	" WHERE r.tenant_id = ANY ($1) AND r.\"to\" IS NULL AND r.state = 'planned'"
	"  AND r.order_by < routing.node_today(r.tenant_id, r.node)"
	" UNION"
	/* told of, and perhaps over: its order may be gone without a change of supply */
	" SELECT p.tenant_id, p.item, p.node FROM routing.exception e"
	" JOIN routing.position p ON p.tenant_id = e.tenant_id AND p.item = e.item AND p.node = e.node AND p.slot = 0"
	" WHERE e.tenant_id = ANY ($1) AND e.state = 'open' AND e.type = 'picked_short'"
	" ORDER BY 1, 2, 3 LIMIT $2",
	2, {INT4ARRAYOID, INT4OID}, NULL
};

static EnginePlan plan_rolled = {
	"INSERT INTO routing.setting AS s (tenant_id, rolled_at) SELECT t, $2 FROM unnest($1) t"
	" ON CONFLICT (tenant_id) DO UPDATE SET rolled_at = excluded.rolled_at",
	2, {INT4ARRAYOID, TIMESTAMPTZOID}, NULL
};

/* Whether any group of "n" values begins with a time that has come. */
static bool
any_past(const Longs *longs, int n, TimestampTz now)
{
	for (int i = 0; i < longs->n; i += n)
	{
		if (longs->v[i] <= now)
			return true;
	}
	return false;
}

/*
 * Whether time has brought something due at a position: a shortage that
 * bookings can repair, a booking that has no lot any more, a hold or a grace
 * time that has ended, slots that nobody has needed for a while.
 */
static bool
is_due(const Position *pos, DateADT today, TimestampTz now)
{
	DateADT		day = today - 1;
	int64		missing;
	Timeline	tl;

	if (slots_idle(pos, now))
		return true;
	if (any_past(&pos->holds, 4, now) || any_past(&pos->falls, 2, now))
		return true;
	if (lots_uncovered(pos, today) > 0 || lots_missing_held(pos, today, now) > 0)
		return true;
	timeline_copy(&tl, &pos->timeline);
	holds_add_demand(pos, now, &tl);
	while (timeline_next_negative(&tl, today, day, &day, &missing))
	{
		for (int i = 0; i < tl.n && tl.entries[i].day <= day; i++)
		{
			if (tl.entries[i].demand > 0)
				return true;
		}
	}
	return false;
}

Datum
routing_position_due(PG_FUNCTION_ARGS)
{
	Position	pos = {0};

	if (!position_of_row(&pos, PG_GETARG_HEAPTUPLEHEADER(0)))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(is_due(&pos, PG_GETARG_DATEADT(1), clock_of_transaction()));
}

/* The tenants to roll: one's own; the extension's owner rolls all. */
static ArrayType *
tenants_to_roll(int *count)
{
	int			n = (int) engine_exec(&plan_tenants, NULL, NULL, ENGINE_FRESH);
	Datum	   *ids = palloc(sizeof(Datum) * Max(n, 1));
	bool		all = GetOuterUserId() == relation_owner(engine_relid(TAB_POSITION));
	int			used = 0;

	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		ids[used++] = spi_datum(i, 1, &isnull);
	}
	SPI_freetuptable(SPI_tuptable);
	*count = 0;
	for (int i = 0; i < used; i++)
	{
		if (all || tenant_is_member(DatumGetInt32(ids[i])))
			ids[(*count)++] = ids[i];
	}
	return construct_array(ids, *count, INT4OID, 4, true, TYPALIGN_INT);
}

/* SQL: settle what is due; how many item-nodes that were. */
Datum
routing_roll(PG_FUNCTION_ARGS)
{
	Settlement *s;
	Datum		args[2];
	char		nulls[2] = {' ', ' '};
	SPITupleTable *rows;
	int			ntenants;
	int			n;

	PreventCommandIfReadOnly("roll()");
	if (!PG_ARGISNULL(0) && PG_GETARG_INT32(0) < 1)
		ereport(ERROR,
				(errcode(RT_BAD_LIMIT),
				 errmsg("max_positions %d is less than 1", PG_GETARG_INT32(0)),
				 errhint("Give how many item-nodes one call may settle, or null for all.")));
	SPI_connect();
	s = settlement_begin();
	args[0] = PointerGetDatum(tenants_to_roll(&ntenants));
	args[1] = PG_GETARG_DATUM(0);
	nulls[1] = PG_ARGISNULL(0) ? 'n' : ' ';
	n = (int) engine_exec(&plan_due, args, nulls, ENGINE_FRESH);
	rows = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		int32		tenant_id = DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		char	   *item = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);
		char	   *node = SPI_getvalue(rows->vals[i], rows->tupdesc, 3);

		settlement_touch(s, tenant_id, item, node);
		ledger_get(s->ledger, tenant_id, item, node)->due = true;
	}
	SPI_freetuptable(rows);
	settle_lapsed(s, args[0], args[1], PG_ARGISNULL(0));
	settlement_finish(s);
	capacity_tidy(args[0], s->clock, args[1], PG_ARGISNULL(0));
	leave_for_capacity();
	/* not all of it may have been looked at */
	if (PG_ARGISNULL(0) || n < PG_GETARG_INT32(0))
	{
		args[1] = TimestampTzGetDatum(s->clock);
		(void) engine_exec(&plan_rolled, args, NULL, ENGINE_FRESH);
	}
	SPI_finish();
	PG_RETURN_INT32(n);
}
