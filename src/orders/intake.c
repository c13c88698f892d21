/*
 * intake.c
 *		From an order document to the rows of an order.
 */
#include "orders/order.h"

#include "base/engine.h"

#include "catalog/pg_type.h"

/* order_from_document() has looked at every field: what is cast here can be */
static EnginePlan plan_insert_order = {
	"INSERT INTO routing.sales_order (tenant_id, order_id, customer, channel, country, postal_code,"
	" latitude, longitude, requested_on, date_basis, priority, completeness, policy, correlation_id,"
	" rest, rest_days, ship_not_before, cancel_after, early_ok, freight_terms)"
	" SELECT $1, $2, d ->> 'customer', d ->> 'channel', s ->> 'country', s ->> 'postal_code',"
	"  (s ->> 'latitude')::float8, (s ->> 'longitude')::float8, (d ->> 'requested_on')::date,"
	"  COALESCE(d ->> 'date_basis', 'deliver'), (d ->> 'priority')::numeric::int,"
	"  COALESCE(d ->> 'completeness', 'none'), COALESCE(d ->> 'policy', 'standard'), d ->> 'correlation_id',"
	"  d ->> 'rest', (d ->> 'rest_days')::numeric::int, (d ->> 'ship_not_before')::date,"
	"  (d ->> 'cancel_after')::date, COALESCE((d ->> 'early_ok')::boolean, false),"
	"  COALESCE(d ->> 'freight_terms', 'prepaid')"
	" FROM (SELECT $3 AS d, $3 -> 'ship_to' AS s) AS document"
	" ON CONFLICT DO NOTHING",
	3, {INT4OID, TEXTOID, JSONBOID}, NULL
};

static EnginePlan plan_insert_lines = {
	"INSERT INTO routing.sales_order_line (tenant_id, order_id, line_no, item, quantity, uom, price,"
	" requested_on, node, lot, line_group, splittable)"
	" SELECT $1, $2, COALESCE((l ->> 'line_no')::numeric::int, n::int), l ->> 'item',"
	"  (l ->> 'quantity')::numeric, l ->> 'uom', (l ->> 'price')::numeric, (l ->> 'requested_on')::date,"
	"  l ->> 'node', COALESCE(l ->> 'lot', ''),"
	"  (l ->> 'line_group')::numeric::int, COALESCE((l ->> 'splittable')::boolean, true)"
	" FROM pg_catalog.jsonb_array_elements($3 -> 'lines') WITH ORDINALITY AS u(l, n)",
	3, {INT4OID, TEXTOID, JSONBOID}, NULL
};

/*
 * Write the rows of the order that a document describes, which
 * order_from_document() has accepted.  The engine is writing, so that they
 * are not noted: the caller routes the order.  Returns false, and writes
 * nothing, if there is an order with that id.
 */
bool
order_insert_document(int32 tenant_id, const char *order_id, Jsonb *document)
{
	Datum		args[3];

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(order_id);
	args[2] = JsonbPGetDatum(document);
	if (engine_exec(&plan_insert_order, args, NULL, ENGINE_FRESH) == 0)
		return false;
	(void) engine_exec(&plan_insert_lines, args, NULL, ENGINE_FRESH);
	return true;
}
