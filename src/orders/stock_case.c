/*
 * stock_case.c
 *		Exceptions about stock itself: a negative on hand.
 *
 * The ERP is not refused for it: what it says is kept and shown, and offers
 * nothing.  Somebody has to look, so one exception is open while it lasts.
 */
#include "orders/order.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

static EnginePlan plan_change = {
	"UPDATE routing.exception SET facts = $4"
	" WHERE tenant_id = $1 AND order_id IS NULL AND type = 'negative_on_hand'"
	"   AND item = $2 AND node = $3 AND state = 'open'",
	4, {INT4OID, TEXTOID, TEXTOID, JSONBOID}, NULL
};

static EnginePlan plan_open = {
	"INSERT INTO routing.exception (tenant_id, type, item, node, facts)"
	" VALUES ($1, 'negative_on_hand', $2, $3, $4)",
	4, {INT4OID, TEXTOID, TEXTOID, JSONBOID}, NULL
};

static EnginePlan plan_resolve = {
	"UPDATE routing.exception SET state = 'resolved'"
	" WHERE tenant_id = $1 AND order_id IS NULL AND type = 'negative_on_hand'"
	"   AND item = $2 AND node = $3 AND state = 'open'",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* Open, change or resolve the exception of each position whose on hand changed. */
void
stock_add_cases(const ChangeResult *changes)
{
	for (int i = 0; i < changes->nchanges; i++)
	{
		const StockChange *c = &changes->changes[i];
		JsonWriter	w = {0};
		Datum		args[4];

		if (c->on_hand_after >= 0 && c->on_hand_before >= 0)
			continue;
		position_key_args(&c->pos->key, args);
		if (c->on_hand_after >= 0)
		{
			(void) engine_exec(&plan_resolve, args, NULL, ENGINE_FRESH);
			continue;
		}
		json_begin_object(&w);
		json_key_scaled(&w, "on_hand", c->on_hand_after);
		json_end_object(&w);
		args[3] = JsonbPGetDatum(json_result(&w));
		if (engine_exec(&plan_change, args, NULL, ENGINE_FRESH) == 0)
			(void) engine_exec(&plan_open, args, NULL, ENGINE_FRESH);
	}
}
