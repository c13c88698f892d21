/*
 * recall.c
 *		What a policy decided and is not yet under way, planned again under the
 *		policy in effect.
 *
 * Orders are chosen and planned by priority, then age.  Applied, all that they
 * have booked is given back and booked anew in one settlement, so that nobody
 * gets in between, not even who waits in the queues of better ranks; what they
 * then do not need is offered to these.  A line that waits for a part keeps
 * what it has, and only what is open of it is planned, at its place in the
 * queue.  Whoever reads only the preview locks and writes nothing.
 *
 * Lock order: order rows ascending, then, in the settlement, positions.
 */
#include "orders/release.h"
#include "orders/settle.h"
#include "orders/side.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(routing_recall);

typedef struct Recalled
{
	char	   *order_id;
	TimestampTz decided_at;
	int			priority;
	int64		decision_id;
	int64		cost;
	int			place;			/* by priority and age */
	SalesOrder *order;
	PlanSide	was;
	bool		passed;			/* somebody was faster */
} Recalled;

/*
 * A booking in another state is under way, or may be; so is what a later
 * release knows and this one does not.
 */
static EnginePlan plan_choose = {
	"SELECT o.order_id, d.decided_at, COALESCE(o.priority, c.priority, 5), d.decision_id, d.cost"
	" FROM routing.decision d"
	" JOIN routing.sales_order o ON o.tenant_id = d.tenant_id AND o.order_id = d.order_id AND o.decision_id = d.decision_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE d.tenant_id = $1 AND d.policy = $2 AND d.policy_version = $3 AND d.decided_at >= $4 AND d.decided_at < $5"
	"  AND o.status IN ('allocated', 'scheduled', 'backordered', 'partially_allocated', 'partially_scheduled')"
	"  AND NOT EXISTS (SELECT FROM routing.reservation r WHERE r.tenant_id = o.tenant_id AND r.order_id = o.order_id"
	"   AND (r.state = 'shipped' OR (r.\"to\" IS NULL AND r.state NOT IN ('firm', 'uncovered', 'planned', 'dedicated'))))"
	" ORDER BY 3, o.ordered_at, o.order_id LIMIT $6",
	6, {INT4OID, TEXTOID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID}, NULL
};

static int
choose(FunctionCallInfo fcinfo, int32 tenant_id, Recalled **chosen)
{
	Datum		args[6];
	int			n;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = PG_GETARG_DATUM(0);
	args[2] = PG_GETARG_DATUM(1);
	args[3] = PG_GETARG_DATUM(2);
	args[4] = PG_GETARG_DATUM(3);
	args[5] = PG_GETARG_DATUM(5);
	n = (int) engine_exec(&plan_choose, args, NULL, ENGINE_FRESH);
	*chosen = palloc0(sizeof(Recalled) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Recalled   *r = &(*chosen)[i];
		bool		isnull;

		r->order_id = spi_text(i, 1);
		r->decided_at = DatumGetTimestampTz(spi_datum(i, 2, &isnull));
		r->priority = DatumGetInt32(spi_datum(i, 3, &isnull));
		r->decision_id = DatumGetInt64(spi_datum(i, 4, &isnull));
		r->cost = scaled_from_datum(spi_datum(i, 5, &isnull));
		if (isnull)
			r->cost = 0;
		r->place = i;
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(((const Recalled *) a)->order_id, ((const Recalled *) b)->order_id);
}

static int
compare_places(const void *a, const void *b)
{
	return ((const Recalled *) a)->place - ((const Recalled *) b)->place;
}

/* Whether it is still what was chosen, now that it is locked. */
static bool
still_stands(const SalesOrder *order, int64 decision_id)
{
	if (!order->exists || order->decision_id != decision_id || order_is_cancelled(order))
		return false;
	for (int j = 0; j < order->nbookings; j++)
	{
		BookingState state = order->bookings[j].state;

		if (state != BOOKING_FIRM && state != BOOKING_UNCOVERED && state != BOOKING_PLANNED && state != BOOKING_DEDICATED)
			return false;
	}
	return true;
}

/* Read the orders, in the order of locks, and what they have. */
static void
load_all(Recalled *chosen, int n, int32 tenant_id, bool apply)
{
	TimestampTz clock = clock_now();

	qsort(chosen, n, sizeof(Recalled), compare_ids);
	for (int i = 0; i < n; i++)
	{
		Recalled   *r = &chosen[i];
		SalesOrder *order;

		CHECK_FOR_INTERRUPTS();
		r->order = order = order_load(tenant_id, r->order_id, apply ? ORDER_LOCK : ORDER_NO_LOCK);
		r->passed = !still_stands(order, r->decision_id);
		if (r->passed)
			continue;
		order->clock = clock;
		order_check(order);
		/* it would lose what it has */
		if (order->fault.sqlerrcode == 0 && order->lanes->zone == NULL)
			fault_set(&order->fault, RT_NO_SHIP_TO, "Insert the country, or a prefix of the postal code, into routing.zone_area.",
					  "order \"%s\": ship-to %s %s is in no zone",
					  order->order_id, order->country, order->postal_code);
		order_compute_open(order);
		order->cost = r->cost;
		side_of_order(&r->was, order);
		for (int l = 0; l < order->nlines; l++)
		{
			OrderLine  *line = &order->lines[l];

			line->replan = line->in_front = line->open == 0 && strcmp(line->status, "cancelled") != 0;
		}
	}
	qsort(chosen, n, sizeof(Recalled), compare_places);
}

/* As if what is planned anew were not booked. */
static void
reopen(SalesOrder *order, Ledger *ledger)
{
	release_choose(order);
	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		b->pos = ledger_get(ledger, order->tenant_id, b->item, b->node);
		if (booking_gives_back(b) && b->pos->exists)
			booking_post(b, -b->quantity);
		/* what is left of one that got smaller, as of a kit that lost a component */
		if (b->is_new && !b->release && b->pos->exists)
			booking_post(b, b->quantity);
		b->is_new = false;
	}
}

/* Plan all of them again. */
static void
preview(Recalled *chosen, int n)
{
	Ledger	   *ledger = ledger_open(false);

	for (int i = 0; i < n; i++)
	{
		if (!chosen[i].passed && chosen[i].order->fault.sqlerrcode == 0)
			reopen(chosen[i].order, ledger);
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!chosen[i].passed && chosen[i].order->fault.sqlerrcode == 0)
			orders_preview(&chosen[i].order, 1, ledger);
	}
	ledger_close(ledger);
}

static void
settle(Recalled *chosen, int n)
{
	Settlement *s = settlement_begin();

	for (int i = 0; i < n; i++)
	{
		SalesOrder *order = chosen[i].order;

		if (chosen[i].passed || order->fault.sqlerrcode)
			continue;
		order->cause = "policy_recall";
		order->anew = true;
		settlement_add_order(s, order);
	}
	if (s->norders > 0)
		settlement_finish(s);
	else
		ledger_close(s->ledger);
}

static void
put_row(ReturnSetInfo *rsinfo, const Recalled *r, bool applied)
{
	const SalesOrder *order = r->order;
	bool		faulty = order->fault.sqlerrcode != 0;
	const PlanSide *sides[2] = {&r->was, &r->was};
	PlanSide	is;
	Datum		values[16];
	bool		nulls[16] = {false};

	if (!faulty)
	{
		side_of_order(&is, order);
		sides[1] = &is;
	}
	values[0] = CStringGetTextDatum(r->order_id);
	values[1] = TimestampTzGetDatum(r->decided_at);
	values[2] = Int32GetDatum(r->priority);
	values[3] = BoolGetDatum(!faulty && sides_differ(sides[0], sides[1]));
	nulls[4] = !faulty;
	if (faulty)
		values[4] = CStringGetTextDatum(order->fault.message);
	for (int s = 0; s < 2; s++)
	{
		values[5 + s] = side_nodes(sides[s]);
		values[7 + s] = Int32GetDatum(sides[s]->nshipments);
		values[9 + s] = DateADTGetDatum(sides[s]->promised);
		nulls[9 + s] = !sides[s]->has_promised;
		values[11 + s] = NumericGetDatum(scaled_to_numeric(sides[s]->cost));
		values[13 + s] = NumericGetDatum(scaled_to_numeric(sides[s]->backordered));
	}
	values[15] = BoolGetDatum(applied && !faulty);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
check_arguments(FunctionCallInfo fcinfo, int32 tenant_id, bool apply)
{
	Fault		fault = {0};
	const Policy *now;
	char	   *code;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		fault_set(&fault, RT_UNKNOWN_POLICY, "The versions of a policy are in routing.policies.",
				  "%s must not be null", PG_ARGISNULL(0) ? "policy" : "version");
	else if (PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_GETARG_TIMESTAMPTZ(2) >= PG_GETARG_TIMESTAMPTZ(3))
		fault_set(&fault, RT_BAD_WINDOW, "Give the instant from which and the one before which orders were decided.",
				  "from %s is not before to %s",
				  PG_ARGISNULL(2) ? "null" : pstrdup(timestamptz_to_str(PG_GETARG_TIMESTAMPTZ(2))),
				  PG_ARGISNULL(3) ? "null" : pstrdup(timestamptz_to_str(PG_GETARG_TIMESTAMPTZ(3))));
	else if (PG_ARGISNULL(5) || PG_GETARG_INT32(5) < 1)
		fault_set(&fault, RT_BAD_LIMIT, "Give how many orders one call may plan; repeat it for the others.",
				  "max_orders %s is less than 1", PG_ARGISNULL(5) ? "null" : psprintf("%d", PG_GETARG_INT32(5)));
	if (fault.sqlerrcode)
		fault_raise(&fault);
	code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	(void) policy_version_get(tenant_id, code, PG_GETARG_INT32(1), clock_now(), &fault);
	if (fault.sqlerrcode == RT_UNKNOWN_POLICY)
		fault_raise(&fault);
	if (!apply)
		return;
	memset(&fault, 0, sizeof(fault));
	now = policy_get(tenant_id, code, clock_now(), &fault);
	if (fault.sqlerrcode)
		fault_raise(&fault);
	if (now->version == PG_GETARG_INT32(1))
		ereport(ERROR,
				(errcode(RT_STILL_IN_EFFECT),
				 errmsg("policy \"%s\" version %d is still in effect", code, now->version),
				 errhint("Activate the version that is to decide instead, with activate_policy().")));
}

/* Arguments: policy, version, from, to, apply, max_orders. */
Datum
routing_recall(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	bool		apply = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	Recalled   *chosen;
	int			n;

	if (apply)
		PreventCommandIfReadOnly("recall()");
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	check_arguments(fcinfo, tenant_id, apply);
	n = choose(fcinfo, tenant_id, &chosen);
	load_all(chosen, n, tenant_id, apply);
	if (apply)
		settle(chosen, n);
	else
		preview(chosen, n);
	for (int i = 0; i < n; i++)
	{
		if (!chosen[i].passed)
			put_row((ReturnSetInfo *) fcinfo->resultinfo, &chosen[i], apply);
	}
	SPI_finish();
	return (Datum) 0;
}
