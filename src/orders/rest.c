/*
 * rest.c
 *		What becomes of what nothing serves: it waits, or is cancelled.
 *
 * Backordered is the default.  The policy, or the order itself, may say that
 * the rest is cancelled at once, or after so many days; cancel_after ends the
 * waiting too, and a fill-or-kill order does not wait at all.  What is
 * cancelled stands in the line's cancelled_quantity; a line of which nothing
 * else is left is cancelled.  Days end when they are over everywhere on earth,
 * 12 hours behind UTC.
 */
#include "orders/complete.h"
#include "orders/settle.h"

#include "base/engine.h"

#include "catalog/pg_type.h"

static EnginePlan plan_lapse = {
	"INSERT INTO routing.order_lapse (tenant_id, order_id, since, lapses_on)"
	" VALUES ($1, $2, $3, LEAST($4, $3 + $5))"
	" ON CONFLICT (tenant_id, order_id) DO UPDATE SET lapses_on = LEAST($4, order_lapse.since + $5)",
	5, {INT4OID, TEXTOID, DATEOID, DATEOID, INT4OID}, NULL
};

static EnginePlan plan_stays = {
	"DELETE FROM routing.order_lapse WHERE tenant_id = $1 AND order_id = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_due = {
	"SELECT tenant_id, order_id FROM routing.order_lapse"
	" WHERE tenant_id = ANY ($1) AND lapses_on < $2 ORDER BY 1, 2 LIMIT $3",
	3, {INT4ARRAYOID, DATEOID, INT4OID}, NULL
};

/* False if there is no such action. */
bool
rest_parse(const char *name, RestAction *action)
{
	static const char *const names[] = {"backorder", "cancel", "wait"};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
		{
			if (action != NULL)
				*action = (RestAction) i;
			return true;
		}
	}
	return false;
}

static RestAction
rest_of(const SalesOrder *order, int *days)
{
	RestAction	action = order->terms.rest;

	*days = order->terms.rest_days;
	if (order->rest != NULL && rest_parse(order->rest, &action))
		*days = order->rest_days;
	return action;
}

/* The last day that is over everywhere. */
static DateADT
day_over(TimestampTz clock)
{
	TimestampTz behind = clock - 12 * USECS_PER_HOUR;
	int64		day = behind / USECS_PER_DAY;

	return (DateADT) (behind % USECS_PER_DAY < 0 ? day - 1 : day) - 1;
}

/* Why the rest of an order is cancelled now, or NULL. */
static const char *
cause_to_cancel(const SalesOrder *order)
{
	int			days;

	if (order->complete == COMPLETE_OR_KILL)
		return "fill_or_kill";
	if (order->has_cancel_after && order->cancel_after <= day_over(order->clock))
		return "cancel_after";
	if (rest_of(order, &days) == REST_CANCEL)
		return "rest_cancelled";
	if (order->lapsed && rest_of(order, &days) == REST_WAIT)
		return "waited_in_vain";
	return NULL;
}

/* Once the plan of an order is made: cancel what is not to be waited for. */
void
rest_apply(SalesOrder *order)
{
	const char *cause;

	if (!order->exists || order_is_cancelled(order) || order->expires_at != 0)
		return;
	order->rest_cause = NULL;
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];

		line->given_up = 0;
		/* a line that got smaller gives up the less */
		if (line->cancelled > 0)
		{
			int64		most = Max(line->quantity - order_serves(order, line->line_no, true), 0);

			line->taken_back |= line->cancelled > most;
			line->cancelled = Min(line->cancelled, most);
		}
	}
	cause = order->cut_short ? NULL : cause_to_cancel(order);
	for (int i = 0; i < order->nlines && cause != NULL; i++)
	{
		OrderLine  *line = &order->lines[i];

		if (line->unserved <= 0)
			continue;
		line->given_up = line->unserved;
		line->cancelled += line->unserved;
		line->unserved = 0;
		order->rest_cause = cause;
	}
}

/* Note until when what is unserved is waited for, if not without end. */
void
rest_write(SalesOrder *order)
{
	Datum		args[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', ' '};
	int			days;
	bool		waits = order->exists && rest_of(order, &days) == REST_WAIT;
	bool		unserved = false;

	if (!order->exists || (!waits && !order->has_cancel_after && !order->lapsed))
		return;
	for (int i = 0; i < order->nlines && !order_is_cancelled(order); i++)
		unserved |= order->lines[i].unserved > 0;
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	if (!unserved || (!waits && !order->has_cancel_after))
	{
		if (order->decision_id != 0)
			(void) engine_exec(&plan_stays, args, NULL, ENGINE_FRESH);
		return;
	}
	args[2] = DateADTGetDatum(day_over(order->clock) + 1);
	args[3] = DateADTGetDatum(order->cancel_after);
	nulls[3] = order->has_cancel_after ? ' ' : 'n';
	args[4] = Int32GetDatum(days);
	nulls[4] = waits ? ' ' : 'n';
	(void) engine_exec(&plan_lapse, args, nulls, ENGINE_FRESH);
}

/* Part of an order is cancelled; of a whole one order_add_cancelled_event() tells. */
void
rest_add_event(SalesOrder *order, EventBatch *events)
{
	JsonWriter	w;

	if (order->rest_cause == NULL)
		return;
	order_begin_event(&w, order, order->new_status);
	event_write_reason(&w, order->rest_cause, NULL);
	json_key_text(&w, "scope", "partial");
	json_key(&w, "lines");
	json_begin_array(&w);
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];

		if (line->given_up <= 0)
			continue;
		json_begin_object(&w);
		json_key_int(&w, "line_no", line->line_no);
		json_key_text(&w, "item", line->item);
		json_key_scaled(&w, "quantity", line->given_up);
		json_key_text(&w, "uom", line->item_uom);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_key(&w, "released_allocations");
	json_begin_array(&w);
	json_end_array(&w);
	order_add_event(order, "order.cancelled.v1", &w, events);
}

/*
 * Add the orders whose time to wait is over to a settlement, which holds no
 * position yet.  Orders that somebody else holds have their turn next time.
 */
void
settle_lapsed(Settlement *s, Datum tenants, Datum limit, bool unlimited)
{
	Datum		args[3];
	char		nulls[3] = {' ', ' ', ' '};
	SPITupleTable *rows;
	int			n;

	args[0] = tenants;
	args[1] = DateADTGetDatum(day_over(s->clock) + 1);
	args[2] = limit;
	nulls[2] = unlimited ? 'n' : ' ';
	n = (int) engine_exec(&plan_due, args, nulls, ENGINE_FRESH);
	rows = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		int32		tenant_id = DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		char	   *order_id = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);
		SalesOrder *order;

		if (!order_try_lock(tenant_id, order_id))
			continue;
		order = order_load(tenant_id, order_id, ORDER_NO_LOCK);
		if (!order->exists || order_is_cancelled(order))
		{
			args[0] = Int32GetDatum(tenant_id);
			args[1] = CStringGetTextDatum(order_id);
			(void) engine_exec(&plan_stays, args, NULL, ENGINE_FRESH);
			continue;
		}
		order->clock = s->clock;
		order_check(order);
		if (order->fault.sqlerrcode)
			continue;
		order->lapsed = true;
		settlement_add_order(s, order);
	}
	SPI_freetuptable(rows);
}
