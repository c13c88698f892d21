/*
 * api.c
 *		promise, route_order and cancel_order.
 */
#include "orders/document.h"
#include "orders/settle.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"

#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(routing_promise);
PG_FUNCTION_INFO_V1(routing_route_order);
PG_FUNCTION_INFO_V1(routing_cancel_order);

static const char *
booking_status(const SalesOrder *order, const Booking *b)
{
	const OrderLine *line = order_line(unconstify(SalesOrder *, order), b->line_no);
	DateADT		wanted = line->has_requested ? line->requested : order->requested;

	if (booking_has_left(b))
		return "shipped";
	if (b->on_hand)
		return "allocated";
	if ((line->has_requested || order->has_requested) &&
		(order->by_ship_day ? b->ship_on : b->deliver_on) > wanted)
		return "backordered";
	return "scheduled";
}

/* One row per schedule line, and one without a node for what is not served. */
static void
return_schedule(ReturnSetInfo *rsinfo, SalesOrder *order, bool with_cost)
{
	int			dedicated = 0;	/* shipments that no plan made come first */

	for (int j = 0; j < order->nbookings; j++)
	{
		if (order->bookings[j].state == BOOKING_DEDICATED)
			dedicated = Max(dedicated, order->bookings[j].shipment_no);
	}
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		Datum		values[10];
		bool		nulls[10];

		if (strcmp(line->status, "cancelled") == 0)
			continue;
		for (int j = 0; j < order->nbookings; j++)
		{
			const Booking *b = &order->bookings[j];

			if (b->line_no != line->line_no || b->release || !b->firm)
				continue;
			memset(nulls, false, sizeof(nulls));
			values[0] = Int32GetDatum(line->line_no);
			values[1] = CStringGetTextDatum(b->item);
			values[2] = CStringGetTextDatum(b->node);
			values[3] = CStringGetTextDatum(b->service);
			values[4] = NumericGetDatum(scaled_to_numeric(b->quantity));
			values[5] = DateADTGetDatum(b->ship_on);
			values[6] = DateADTGetDatum(b->deliver_on);
			values[7] = CStringGetTextDatum(booking_status(order, b));
			values[8] = Int32GetDatum(b->shipment_no);
			nulls[9] = with_cost && b->state == BOOKING_DEDICATED;
			if (with_cost && !nulls[9])
			{
				const SrcShipment *s = &order->result.best.shipments[b->shipment_no - dedicated - 1];

				values[9] = NumericGetDatum(scaled_to_numeric(s->handling + s->base +
															  s->by_weight + s->split));
			}
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
		if (line_missing(line) + line->given_up > 0)
		{
			memset(nulls, true, sizeof(nulls));
			nulls[0] = nulls[1] = nulls[4] = nulls[7] = false;
			values[0] = Int32GetDatum(line->line_no);
			values[1] = CStringGetTextDatum(line->item);
			values[4] = NumericGetDatum(scaled_to_numeric(line_missing(line) + line->given_up));
			values[7] = CStringGetTextDatum(line_missing(line) > 0 ? "backordered" : "cancelled");
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
}

/*
 * The plan for an order document as things are now.  Reads under the caller's
 * snapshot, writes nothing, works on a standby.
 */
Datum
routing_promise(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	SalesOrder *order;
	Ledger	   *ledger;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(RT_BAD_DOCUMENT),
				 errmsg("order document must not be null"),
				 errhint("The fields of an order document are described in doc/reference.md.")));
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	order = order_from_document(tenant_id, PG_GETARG_JSONB_P(0));
	order->clock = clock_now();
	order_check(order);
	if (order->fault.sqlerrcode)
		fault_raise(&order->fault);
	ledger = ledger_open(false);
	orders_preview(&order, 1, ledger);
	return_schedule((ReturnSetInfo *) fcinfo->resultinfo, order, true);
	ledger_close(ledger);
	SPI_finish();
	return (Datum) 0;
}

static char *
order_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(RT_UNKNOWN_ORDER),
				 errmsg("order_id must not be null"),
				 errhint("Give the id of an order in routing.sales_order.")));
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

static SalesOrder *
load_known(int32 tenant_id, const char *order_id)
{
	SalesOrder *order = order_load(tenant_id, order_id, ORDER_LOCK);

	if (!order->exists)
		ereport(ERROR,
				(errcode(RT_UNKNOWN_ORDER),
				 errmsg("order \"%s\" is unknown", order_id),
				 errhint("Give the id of an order in routing.sales_order.")));
	return order;
}

Datum
routing_route_order(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	char	   *order_id = order_argument(fcinfo);
	SalesOrder *order;
	Settlement *s;

	PreventCommandIfReadOnly("route_order()");
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	order = load_known(tenant_id, order_id);
	if (order_is_cancelled(order))
		ereport(ERROR,
				(errcode(RT_ORDER_STATE),
				 errmsg("order \"%s\" is cancelled", order_id),
				 errhint("A cancelled order is not routed again; enter a new one.")));
	order_check(order);
	if (order->fault.sqlerrcode)
		fault_raise(&order->fault);
	s = settlement_begin();
	settlement_add_order(s, order);
	settlement_finish(s);
	if (!settlement_leaves(s, tenant_id, order_id))
		pending_remove(tenant_id, "", "orders", order_id);
	return_schedule((ReturnSetInfo *) fcinfo->resultinfo, s->orders[0], false);
	SPI_finish();
	return (Datum) 0;
}

Datum
routing_cancel_order(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	char	   *order_id = order_argument(fcinfo);
	SalesOrder *order;
	Settlement *s;

	PreventCommandIfReadOnly("cancel_order()");
	SPI_connect();
	order = load_known(tenant_id, order_id);
	if (order_is_cancelled(order))
	{
		SPI_finish();
		PG_RETURN_BOOL(false);
	}
	if (strcmp(order->status, "shipped") == 0)
		ereport(ERROR,
				(errcode(RT_ORDER_STATE),
				 errmsg("order \"%s\" is shipped", order_id),
				 errhint("An order that is shipped is not cancelled.")));
	order->net = network_get(tenant_id);
	order->status = "cancelled";
	order->cancel_reason = PG_ARGISNULL(1) ? "customer" : text_to_cstring(PG_GETARG_TEXT_PP(1));
	s = settlement_begin();
	settlement_add_order(s, order);
	settlement_finish(s);
	SPI_finish();
	PG_RETURN_BOOL(true);
}
