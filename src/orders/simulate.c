/*
 * simulate.c
 *		A policy tried on what has happened: routing.simulated_orders().
 *
 * Starts from what was known of supply and bookings at the first instant and
 * decides every order that was decided from then on once more, with one
 * version of a policy instead of the one it had, each with the clock of its
 * decision, while supply changes as recorded (ledger/past.c).
 *
 * Order: with track_commit_timestamp, that of the commits.  Without, decisions
 * go by their numbers, which are drawn while the positions are locked: of two
 * that met at an item-node the one with the larger number committed later.
 * Their time is that of their clock, but not before that of a smaller number;
 * a change of supply has the time at which it was made.
 *
 * Reads under the caller's snapshot, locks and writes nothing, works on a
 * standby.  Memory: the codes of the orders, the item-nodes that are asked for
 * with their changes, and the bookings of orders that come again; results go
 * to a tuplestore, which spills to disk.
 */
#include "orders/simulate.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "ledger/past.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(routing_simulated_orders);

#define FETCH	200

#define SH_PREFIX simorders
#define SH_ELEMENT_TYPE SimOrder
#define SH_KEY_TYPE const char *
#define SH_KEY order_id
#define SH_HASH_KEY(tb, k) hash_bytes((const unsigned char *) (k), (int) strlen(k))
#define SH_EQUAL(tb, a, b) (strcmp((a), (b)) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static EnginePlan plan_watermark = {
	"SELECT history_from FROM routing.setting WHERE tenant_id = $1 AND history_from > $2",
	2, {INT4OID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_record = {
	"SELECT record FROM routing.decision WHERE tenant_id = $1 AND decision_id = $2",
	2, {INT4OID, INT8OID}, NULL
};

static Oid window_types[3] = {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID};

#define DECIDED_IN_WINDOW \
	" FROM routing.decision d WHERE d.tenant_id = $1 AND d.decided_at >= $2 AND d.decided_at < $3" \
	"  AND EXISTS (SELECT FROM routing.sales_order o WHERE o.tenant_id = d.tenant_id AND o.order_id = d.order_id)"

static const char sql_orders[] = "SELECT d.order_id" DECIDED_IN_WINDOW;

/* kind 1: a decision, 0: the order was cancelled */
static const char sql_events[] =
"WITH d AS (SELECT d.order_id, d.decision_id, d.decided_at, d.policy, d.policy_version, d.cost,"
"   d.previous_id IS NOT NULL AS has_previous, routing.known_at(d.xmin, d.decided_at) AS at" DECIDED_IN_WINDOW "),"
" e AS (SELECT 1 AS kind, d.*, CASE WHEN current_setting('track_commit_timestamp')::boolean THEN d.at"
"   ELSE max(d.at) OVER (ORDER BY d.decision_id) END AS key FROM d"
"  UNION ALL SELECT 0, v.payload ->> 'order_id', v.seq, v.occurred_at, NULL, NULL, NULL, NULL, NULL,"
"   routing.known_at(v.xid::xid, v.occurred_at)"
"  FROM routing.event v WHERE v.tenant_id = $1 AND v.type = 'order.cancelled.v1'"
"   AND v.part_on >= (($2 - (routing.engine_now() - now())) AT TIME ZONE 'UTC')::date - 1"
"   AND v.occurred_at >= $2 AND v.occurred_at < $3"
"   AND (v.payload ->> 'order_id') IN (SELECT d.order_id FROM d))"
" SELECT kind, order_id, decision_id, decided_at, policy, policy_version, cost, has_previous, key,"
"  lead(true) OVER (PARTITION BY order_id ORDER BY key, kind, decision_id) IS NOT NULL"
" FROM e ORDER BY key, kind, decision_id";

static bool
owns(void *arg, const char *order_id)
{
	Simulation *sim = arg;

	return simorders_lookup(sim->orders, order_id) != NULL;
}

static Portal
open_cursor(const char *sql, Datum *args)
{
	return SPI_cursor_open(NULL, engine_prepare(sql, lengthof(window_types), window_types, false), args, NULL, true);
}

/* The orders that are decided in the time. */
static void
read_orders(Simulation *sim, Datum *args)
{
	Portal		cursor = open_cursor(sql_orders, args);

	sim->orders = simorders_create(sim->keep, 256, NULL);
	for (;;)
	{
		SPI_cursor_fetch(cursor, true, FETCH);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool		found;
			char	   *order_id = spi_text((int) i, 1);
			SimOrder   *entry = simorders_insert(sim->orders, order_id, &found);

			if (found)
				continue;
			entry->order_id = MemoryContextStrdup(sim->keep, order_id);
			entry->begun = entry->kits_wait = false;
			entry->nclaims = 0;
			entry->context = NULL;
			entry->nbookings = 0;
			entry->bookings = NULL;
			entry->ntook = 0;
			entry->took = NULL;
			entry->recorded_cost = entry->simulated_cost = 0;
		}
		SPI_freetuptable(SPI_tuptable);
		MemoryContextReset(sim->turn);
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(cursor);
}

/* A booking of an order that is decided in the time takes of its day at the first instant. */
static void
own_day(void *arg, const SimDayRow *row)
{
	Simulation *sim = arg;

	simulated_add_took(sim, simorders_lookup(sim->orders, row->order_id), row);
}

static void
set_date(Datum *values, bool *nulls, int i, const PlanSide *side)
{
	nulls[i] = !side->has_promised;
	values[i] = DateADTGetDatum(side->promised);
}

static void
put_row(ReturnSetInfo *rsinfo, const SimOrder *entry, const Decided *d, const PlanSide *was, const PlanSide *is,
		const char *problem)
{
	const PlanSide *sides[2] = {was, is};
	Datum		values[22];
	bool		nulls[22] = {false};

	values[0] = CStringGetTextDatum(entry->order_id);
	values[1] = TimestampTzGetDatum(d->at);
	values[2] = CStringGetTextDatum(d->policy_code);
	values[3] = Int32GetDatum(d->policy_version);
	values[4] = BoolGetDatum(sides_differ(was, is));
	nulls[5] = problem == NULL;
	if (problem != NULL)
		values[5] = CStringGetTextDatum(problem);
	for (int s = 0; s < 2; s++)
	{
		const PlanSide *side = sides[s];

		values[6 + s] = Int32GetDatum(side->nshipments);
		values[8 + s] = NumericGetDatum(scaled_to_numeric(side->cost));
		values[10 + s] = Int32GetDatum(side->days_late);
		values[12 + s] = side_nodes(side);
		set_date(values, nulls, 14 + s, side);
		values[16 + s] = NumericGetDatum(scaled_to_numeric(side->backordered));
		values[18 + s] = side_node_lines(side);
		values[20 + s] = side_node_units(side);
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static bytea *
read_record(const Simulation *sim, int64 decision_id)
{
	Datum		args[2];
	bytea	   *record;
	bool		isnull;

	args[0] = Int32GetDatum(sim->tenant_id);
	args[1] = Int64GetDatum(decision_id);
	if (engine_exec(&plan_record, args, NULL, ENGINE_READ) == 0)
		ereport(ERROR,
				(errcode(RT_UNKNOWN_DECISION),
				 errmsg("decision " INT64_FORMAT " is no longer kept", decision_id),
				 errhint("Simulate a later time, or keep decisions longer by the policy's retention_days.")));
	record = DatumGetByteaPCopy(spi_datum(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return record;
}

/* The event in row "row" of the cursor; false if the order was cancelled. */
static bool
read_event(const Simulation *sim, int row, Decided *d)
{
	bool		isnull;

	memset(d, 0, sizeof(*d));
	d->decision_id = DatumGetInt64(spi_datum(row, 3, &isnull));
	d->at = DatumGetTimestampTz(spi_datum(row, 4, &isnull));
	if (DatumGetInt32(spi_datum(row, 1, &isnull)) == 0)
		return false;
	d->policy_code = spi_text(row, 5);
	d->policy_version = DatumGetInt32(spi_datum(row, 6, &isnull));
	d->cost = scaled_from_datum(spi_datum(row, 7, &isnull));
	if (isnull)
		d->cost = 0;
	d->has_previous = DatumGetBool(spi_datum(row, 8, &isnull));
	d->again = DatumGetBool(spi_datum(row, 10, &isnull));
	return true;
}

/* The first row of a settlement, whose decisions have one clock, looks at all of them. */
static void
begin_settlement(Simulation *sim, SPITupleTable *rows, int first, int n, TimestampTz at)
{
	for (int i = first; i < n; i++)
	{
		SimOrder   *entry;
		Decided		d;

		SPI_tuptable = rows;
		if (!read_event(sim, i, &d) || d.at != at)
			break;
		entry = simorders_lookup(sim->orders, spi_text(i, 2));
		if (entry == NULL || !(entry->begun || d.has_previous) || (i == first && i + 1 == n))
			continue;
		d.record = record_read(read_record(sim, d.decision_id));
		simulated_lose(sim, entry, &d);
	}
	SPI_tuptable = rows;
}

/* Work off row "row" of n; "last" is the clock of the decision before. */
static void
work_off(Simulation *sim, ReturnSetInfo *rsinfo, SPITupleTable *rows, int row, int n, TimestampTz *last)
{
	SimOrder   *entry;
	bool		isnull;
	Decided		d;
	PlanSide	was,
				is;
	char	   *problem;

	SPI_tuptable = rows;
	past_move(sim->ledger, DatumGetTimestampTz(spi_datum(row, 9, &isnull)));
	if (sim->days != NULL)
		simulated_days_move(sim->days, DatumGetTimestampTz(spi_datum(row, 9, &isnull)));
	entry = simorders_lookup(sim->orders, spi_text(row, 2));
	if (entry == NULL)
		return;					/* of a snapshot that the first query did not have */
	if (!read_event(sim, row, &d))
	{
		simulated_cancel(sim, entry);
		return;
	}
	if (d.at != *last)
		begin_settlement(sim, rows, row, n, d.at);
	*last = d.at;
	d.record = record_read(read_record(sim, d.decision_id));
	problem = simulated_decide(sim, entry, &d, &was, &is);
	if (!d.again)
		put_row(rsinfo, entry, &d, &was, &is, problem);
}

static void
run(Simulation *sim, ReturnSetInfo *rsinfo, Datum *args)
{
	Portal		cursor = open_cursor(sql_events, args);
	TimestampTz last = DT_NOBEGIN;

	for (;;)
	{
		SPITupleTable *rows;
		uint64		n;

		SPI_cursor_fetch(cursor, true, FETCH);
		n = SPI_processed;
		rows = SPI_tuptable;
		for (uint64 i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(sim->turn);
			work_off(sim, rsinfo, rows, (int) i, (int) n, &last);
		}
		SPI_freetuptable(rows);
		if (n == 0)
			break;
	}
	SPI_cursor_close(cursor);
}

static void
check_window(FunctionCallInfo fcinfo, int32 tenant_id)
{
	TimestampTz from = PG_ARGISNULL(2) ? 0 : PG_GETARG_TIMESTAMPTZ(2);
	TimestampTz to = PG_ARGISNULL(3) ? 0 : PG_GETARG_TIMESTAMPTZ(3);
	Fault		fault = {0};
	Datum		args[2];

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		fault_set(&fault, RT_UNKNOWN_POLICY, "The versions of a policy are in routing.policies.",
				  "%s must not be null", PG_ARGISNULL(0) ? "policy" : "version");
	else if (PG_ARGISNULL(2) || PG_ARGISNULL(3) || TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to))
		fault_set(&fault, RT_BAD_WINDOW, "Give the instant from which and the one before which orders were decided.",
				  "from and to must not be null or infinite");
	else if (from >= to)
		fault_set(&fault, RT_BAD_WINDOW, "Give an instant before that of \"to\".",
				  "from %s is not before to %s", pstrdup(timestamptz_to_str(from)), pstrdup(timestamptz_to_str(to)));
	else if (to > clock_now())
		fault_set(&fault, RT_NOT_KNOWN_YET, "Leave it out to go as far as is known.",
				  "to %s is not in the past", timestamptz_to_str(to));
	if (fault.sqlerrcode)
		fault_raise(&fault);
	args[0] = Int32GetDatum(tenant_id);
	args[1] = TimestampTzGetDatum(from);
	if (engine_exec(&plan_watermark, args, NULL, ENGINE_READ) > 0)
	{
		bool		isnull;
		TimestampTz known = DatumGetTimestampTz(spi_datum(0, 1, &isnull));

		ereport(ERROR,
				(errcode(RT_HISTORY_GONE),
				 errmsg("history is known from %s on only", timestamptz_to_str(known)),
				 errdetail("What was before has been removed by purge_history()."),
				 errhint("Give a later \"from\".")));
	}
}

/* Arguments: policy, version, from, to. */
Datum
routing_simulated_orders(PG_FUNCTION_ARGS)
{
	Simulation	sim = {0};
	Fault		fault = {0};
	Datum		args[3];
	MemoryContext context;

	InitMaterializedSRF(fcinfo, 0);
	sim.tenant_id = tenant_current();
	SPI_connect();
	check_window(fcinfo, sim.tenant_id);
	sim.policy_code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	sim.policy = policy_version_get(sim.tenant_id, sim.policy_code, PG_GETARG_INT32(1), clock_now(), &fault);
	if (fault.sqlerrcode)
		fault_raise(&fault);
	sim.from = PG_GETARG_TIMESTAMPTZ(2);
	args[0] = Int32GetDatum(sim.tenant_id);
	args[1] = PG_GETARG_DATUM(2);
	args[2] = PG_GETARG_DATUM(3);
	context = AllocSetContextCreate(CurrentMemoryContext, "routing simulation", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	sim.keep = context;
	sim.turn = AllocSetContextCreate(context, "routing simulated turn", ALLOCSET_DEFAULT_SIZES);
	sim.ledger = past_open(sim.tenant_id, sim.from, PG_GETARG_TIMESTAMPTZ(3), owns, &sim);
	MemoryContextSwitchTo(sim.turn);
	read_orders(&sim, args);
	MemoryContextSwitchTo(sim.keep);
	sim.days = simulated_days_open(sim.tenant_id, sim.from, PG_GETARG_TIMESTAMPTZ(3));
	MemoryContextSwitchTo(sim.turn);
	if (sim.days != NULL)
		simulated_days_read(sim.days, owns, own_day, &sim);
	past_move(sim.ledger, sim.from - 1);
	simulated_claims(&sim, owns);
	run(&sim, (ReturnSetInfo *) fcinfo->resultinfo, args);
	ledger_close(sim.ledger);
	SPI_finish();
	return (Datum) 0;
}
