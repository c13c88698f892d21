/*
 * hold.c
 *		hold, confirm_hold, cancel_hold: quotes with an expiry.
 *
 * A hold is an order that only books: planned, locked, checked and booked like
 * any other, as order "hold:ID", with bookings that end at a time.  It writes
 * no order and no decision.  Confirming it makes the order of its document and
 * turns the bookings into the order's own, under the locks of their positions
 * and in one write of each, so that nothing is counted twice or free between.
 *
 * Lock order: the row of routing.hold, then orders, then positions.
 */
#include "orders/document.h"
#include "orders/settle.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/json.h"
#include "base/tenant.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#define MAX_TTL_DAYS	366

PG_FUNCTION_INFO_V1(routing_hold);
PG_FUNCTION_INFO_V1(routing_confirm_hold);
PG_FUNCTION_INFO_V1(routing_cancel_hold);
PG_FUNCTION_INFO_V1(routing_hold_lines);

/* what routing.hold says of one */
typedef struct Hold
{
	char	   *id;
	Jsonb	   *document;
	TimestampTz expires_at;
	char	   *state;
	char	   *order_id;		/* that it became */
} Hold;

#define HOLD_COLUMNS	"SELECT hold_id, document, expires_at, state, order_id FROM routing.hold"

static EnginePlan plan_lock_hold = {
	HOLD_COLUMNS " WHERE tenant_id = $1 AND hold_id = $2 FOR NO KEY UPDATE",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_read_hold = {
	HOLD_COLUMNS " WHERE tenant_id = $1 AND hold_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_find_hold = {
	HOLD_COLUMNS " WHERE tenant_id = $1 AND idempotency_key = $2 FOR NO KEY UPDATE",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_free_key = {
	"UPDATE routing.hold SET idempotency_key = NULL WHERE tenant_id = $1 AND hold_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_insert_hold = {
	"INSERT INTO routing.hold (tenant_id, hold_id, document, expires_at, made_at, idempotency_key)"
	" VALUES ($1, 'H' || pg_catalog.nextval('routing.hold_seq'), $2, $3, $4, $2 ->> 'idempotency_key')"
	" ON CONFLICT DO NOTHING RETURNING hold_id",
	4, {INT4OID, JSONBOID, TIMESTAMPTZOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_end_hold = {
	"UPDATE routing.hold SET state = $3, order_id = $4, idempotency_key = NULL WHERE tenant_id = $1 AND hold_id = $2",
	4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_order_exists = {
	"SELECT 1 FROM routing.sales_order WHERE tenant_id = $1 AND order_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_hold_lines = {
	"SELECT line_no, item, node, quantity, ship_on, deliver_on, expires_at FROM routing.reservation"
	" WHERE tenant_id = $1 AND order_id = $2 AND \"to\" IS NULL AND state = 'hold' AND expires_at > $3"
	" ORDER BY line_no, deliver_on, node, part",
	3, {INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/* Run one of the plans that give a hold; false if there is none. */
static bool
hold_get(EnginePlan *plan, int32 tenant_id, const char *key, EngineMode mode, Hold *hold)
{
	Datum		args[2];
	bool		isnull;
	bool		found;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(key);
	found = engine_exec(plan, args, NULL, mode) > 0;
	if (found)
	{
		hold->id = spi_text(0, 1);
		hold->document = DatumGetJsonbPCopy(spi_datum(0, 2, &isnull));
		hold->expires_at = DatumGetTimestampTz(spi_datum(0, 3, &isnull));
		hold->state = spi_text(0, 4);
		hold->order_id = spi_text(0, 5);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

static void
hold_end(int32 tenant_id, const char *id, const char *state, const char *order_id)
{
	Datum		args[4];

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(id);
	args[2] = CStringGetTextDatum(state);
	args[3] = order_id ? CStringGetTextDatum(order_id) : (Datum) 0;
	(void) engine_exec(&plan_end_hold, args, order_id ? NULL : "   n", ENGINE_FRESH);
}

routing_noreturn static void unknown_hold(const char *id);

static void
unknown_hold(const char *id)
{
	ereport(ERROR,
			(errcode(RT_UNKNOWN_HOLD),
			 id == NULL ? errmsg("hold_id must not be null") : errmsg("hold \"%s\" is unknown", id),
			 errhint("Give an id that hold() returned.")));
}

routing_noreturn static void hold_expired(const char *id, TimestampTz expires_at);

static void
hold_expired(const char *id, TimestampTz expires_at)
{
	ereport(ERROR,
			(errcode(RT_HOLD_EXPIRED),
			 errmsg("hold \"%s\" expired at %s", id, time_text(expires_at)),
			 errhint("Call hold() again, or enter the order without one.")));
}

routing_noreturn static void order_exists(const char *order_id);

static void
order_exists(const char *order_id)
{
	ereport(ERROR,
			(errcode(RT_ORDER_EXISTS),
			 errmsg("order \"%s\" exists already", order_id),
			 errhint("Give the document an order_id of its own, or none.")));
}

/*
 * Called by routing when the positions are locked: from then on the time no
 * longer decides.
 */
void
order_require_unexpired(const SalesOrder *order)
{
	if (order->from_hold != NULL && order->hold_expires <= clock_now())
		hold_expired(order->from_hold + strlen(HOLD_PREFIX), order->hold_expires);
}

/* The result of a function, which outlives its SPI connection. */
static text *
result_text(MemoryContext context, const char *value)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	text	   *result = cstring_to_text(value);

	MemoryContextSwitchTo(old);
	return result;
}

/* ------------------------------------------------------------------------
 * hold
 * ------------------------------------------------------------------------ */

/* When a hold ends that is made now; an error for a ttl that makes no sense. */
static TimestampTz
expiry(FunctionCallInfo fcinfo, int n, TimestampTz now)
{
	Interval	none = {0, 0, 0};
	Interval	most = {0, MAX_TTL_DAYS, 0};
	Datum		ttl = PG_ARGISNULL(n) ? (Datum) 0 : PG_GETARG_DATUM(n);
	bool		good = !PG_ARGISNULL(n) &&
		DatumGetBool(DirectFunctionCall2(interval_gt, ttl, IntervalPGetDatum(&none))) &&
		DatumGetBool(DirectFunctionCall2(interval_le, ttl, IntervalPGetDatum(&most)));
	TimestampTz expires_at = 0;

	if (good)
	{
		/* months and days of the calendar may still cancel out, or come to more */
		expires_at = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
															 TimestampTzGetDatum(now), ttl));
		good = expires_at > now && expires_at <= now + (MAX_TTL_DAYS + 1) * USECS_PER_DAY;
	}
	if (!good)
		ereport(ERROR,
				(errcode(RT_BAD_TTL),
				 PG_ARGISNULL(n) ? errmsg("ttl must not be null") :
				 errmsg("ttl %s is out of range", DatumGetCString(DirectFunctionCall1(interval_out, ttl))),
				 errhint("A hold lasts longer than 0 and at most %d days.", MAX_TTL_DAYS)));
	return expires_at;
}

static char *
document_text(Jsonb *document, const char *field)
{
	JsonbValue *v = json_get(&document->root, field);

	return v == NULL ? NULL : json_value_text(v);
}

/* The open hold that was made with the same idempotency key, if there is one. */
static char *
repeated(int32 tenant_id, const char *key, Jsonb *document, TimestampTz now)
{
	Hold		hold;
	Datum		args[2];

	if (!hold_get(&plan_find_hold, tenant_id, key, ENGINE_FRESH, &hold))
		return NULL;
	if (strcmp(hold.state, "open") != 0 || hold.expires_at <= now)
	{
		args[0] = Int32GetDatum(tenant_id);
		args[1] = CStringGetTextDatum(hold.id);
		(void) engine_exec(&plan_free_key, args, NULL, ENGINE_FRESH);
		return NULL;
	}
	if (compareJsonbContainers(&hold.document->root, &document->root) != 0)
		ereport(ERROR,
				(errcode(RT_BAD_DOCUMENT),
				 errmsg("order document: field \"idempotency_key\" \"%s\" is that of hold \"%s\" with another content",
						key, hold.id),
				 errhint("Give each document a key of its own; repeat a call with the same document.")));
	return hold.id;
}

/* Make the row, or find the one that a repeated call has made; sets *made. */
static char *
make_hold(int32 tenant_id, Jsonb *document, TimestampTz expires_at, TimestampTz now, bool *made)
{
	char	   *key = document_text(document, "idempotency_key");
	Datum		args[4];
	char	   *id = NULL;

	*made = false;
	args[0] = Int32GetDatum(tenant_id);
	args[1] = JsonbPGetDatum(document);
	args[2] = TimestampTzGetDatum(expires_at);
	args[3] = TimestampTzGetDatum(now);
	while (id == NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (key != NULL)
			id = repeated(tenant_id, key, document, now);
		if (id != NULL)
			break;
		/* none if another session has just used the key, or restored ids are in the way */
		if (engine_exec(&plan_insert_hold, args, NULL, ENGINE_FRESH) > 0)
		{
			id = spi_text(0, 1);
			*made = true;
		}
		SPI_freetuptable(SPI_tuptable);
	}
	return id;
}

Datum
routing_hold(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	Jsonb	   *document;
	SalesOrder *order;
	Settlement *s;
	TimestampTz expires_at;
	char	   *id;
	bool		made;
	MemoryContext caller = CurrentMemoryContext;
	text	   *result;

	PreventCommandIfReadOnly("hold()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(RT_BAD_DOCUMENT),
				 errmsg("order document must not be null"),
				 errhint("The fields of an order document are described in doc/reference.md.")));
	document = PG_GETARG_JSONB_P(0);
	SPI_connect();
	order = order_from_document(tenant_id, document);
	order_check(order);
	if (order->fault.sqlerrcode)
		fault_raise(&order->fault);
	s = settlement_begin();
	expires_at = expiry(fcinfo, 1, s->clock);
	id = make_hold(tenant_id, document, expires_at, s->clock, &made);
	if (made)
	{
		Datum		args[2];
		char	   *order_id = document_text(document, "order_id");

		args[0] = Int32GetDatum(tenant_id);
		args[1] = CStringGetTextDatum(order_id ? order_id : id);
		if (engine_exec(&plan_order_exists, args, NULL, ENGINE_FRESH) > 0)
			order_exists(order_id ? order_id : id);
		order->order_id = psprintf(HOLD_PREFIX "%s", id);
		order->clock = s->clock;
		order->expires_at = expires_at;
		orders_route(&order, 1, s->ledger, !s->holds);
		order_insert_bookings(order);
		CommandCounterIncrement();
		promise_add_event(tenant_id, id, 1, "promise.quoted.v1", order, &s->events);
		settlement_end(s);
	}
	else
		ledger_close(s->ledger);
	result = result_text(caller, id);
	SPI_finish();
	PG_RETURN_TEXT_P(result);
}

/* ------------------------------------------------------------------------
 * confirm_hold, cancel_hold, hold_lines
 * ------------------------------------------------------------------------ */

static char *
hold_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		unknown_hold(NULL);
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

static void
lock_hold(int32 tenant_id, const char *id, Hold *hold)
{
	if (!hold_get(&plan_lock_hold, tenant_id, id, ENGINE_FRESH, hold))
		unknown_hold(id);
}

/* The order that an open hold becomes, with the bookings it takes over. */
static SalesOrder *
load_confirmed(int32 tenant_id, const Hold *hold, const char *order_id)
{
	SalesOrder *order;

	/* what a field of the document refers to may be gone */
	order = order_from_document(tenant_id, hold->document);
	order_check(order);
	if (order->fault.sqlerrcode)
		fault_raise(&order->fault);
	if (!order_insert_document(tenant_id, order_id, hold->document))
		order_exists(order_id);
	CommandCounterIncrement();
	order = order_load(tenant_id, order_id, ORDER_NO_LOCK);
	order->from_hold = psprintf(HOLD_PREFIX "%s", hold->id);
	order->hold_expires = hold->expires_at;
	order->nbookings = 0;
	order_load_bookings(order);
	order_check(order);
	if (order->fault.sqlerrcode)
		fault_raise(&order->fault);
	return order;
}

static char *
confirm(int32 tenant_id, const Hold *hold)
{
	char	   *order_id = document_text(hold->document, "order_id");
	int			writing_before = engine_write_begin();

	if (order_id == NULL)
		order_id = hold->id;
	PG_TRY();
	{
		Settlement *s = settlement_begin();
		SalesOrder *order = load_confirmed(tenant_id, hold, order_id);

		settlement_add_order(s, order);
		promise_add_event(tenant_id, hold->id, 2, "promise.confirmed.v1", order, &s->events);
		settlement_finish(s);
		hold_end(tenant_id, hold->id, "confirmed", order_id);
	}
	PG_FINALLY();
	{
		engine_writing = writing_before;
	}
	PG_END_TRY();
	return order_id;
}

Datum
routing_confirm_hold(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	char	   *id;
	char	   *order_id;
	Hold		hold;
	MemoryContext caller = CurrentMemoryContext;
	text	   *result;

	PreventCommandIfReadOnly("confirm_hold()");
	id = hold_argument(fcinfo);
	SPI_connect();
	lock_hold(tenant_id, id, &hold);
	if (strcmp(hold.state, "confirmed") == 0)
		order_id = hold.order_id;
	else if (strcmp(hold.state, "cancelled") == 0)
		ereport(ERROR,
				(errcode(RT_HOLD_STATE),
				 errmsg("hold \"%s\" is cancelled", id),
				 errhint("Call hold() again, or enter the order without one.")));
	else if (strcmp(hold.state, "expired") == 0 || hold.expires_at <= clock_now())
		hold_expired(id, hold.expires_at);
	else
		order_id = confirm(tenant_id, &hold);
	result = result_text(caller, order_id);
	SPI_finish();
	PG_RETURN_TEXT_P(result);
}

/* Give back what an open hold holds; who waits for it gets it. */
static void
cancel(int32 tenant_id, const char *id)
{
	Settlement *s = settlement_begin();
	SalesOrder	order = {0};
	SalesOrder *orders[1] = {&order};

	/* without a row of its own it gives everything back */
	order.tenant_id = tenant_id;
	order.order_id = psprintf(HOLD_PREFIX "%s", id);
	order.clock = s->clock;
	order_load_bookings(&order);
	orders_release(orders, 1, s->ledger, NULL, 0);
	hold_end(tenant_id, id, "cancelled", NULL);
	promise_add_event(tenant_id, id, 2, "promise.expired.v1", NULL, &s->events);
	CommandCounterIncrement();
	settlement_end(s);
}

Datum
routing_cancel_hold(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	char	   *id;
	Hold		hold;
	bool		open;

	PreventCommandIfReadOnly("cancel_hold()");
	id = hold_argument(fcinfo);
	SPI_connect();
	lock_hold(tenant_id, id, &hold);
	if (strcmp(hold.state, "confirmed") == 0)
		ereport(ERROR,
				(errcode(RT_HOLD_STATE),
				 errmsg("hold \"%s\" is confirmed: it is order \"%s\"", id, hold.order_id),
				 errhint("Cancel the order.")));
	open = strcmp(hold.state, "open") == 0 && hold.expires_at > clock_now();
	if (open)
		cancel(tenant_id, id);
	SPI_finish();
	PG_RETURN_BOOL(open);
}

Datum
routing_hold_lines(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int32		tenant_id = tenant_current();
	char	   *id = hold_argument(fcinfo);
	Hold		hold;
	Datum		args[3];
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	if (!hold_get(&plan_read_hold, tenant_id, id, ENGINE_READ, &hold))
		unknown_hold(id);
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(psprintf(HOLD_PREFIX "%s", id));
	args[2] = TimestampTzGetDatum(clock_of_transaction());
	n = (int) engine_exec(&plan_hold_lines, args, NULL, ENGINE_READ);
	for (int i = 0; i < n; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}
