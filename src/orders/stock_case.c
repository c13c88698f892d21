/*
 * stock_case.c
 *		Exceptions about stock itself: a negative on hand.
 *
 * The ERP is not refused for it: what it says is kept and shown, and offers
 * nothing.  Somebody has to look, so one exception is open while it lasts.
 */
#include "orders/order.h"

#include "events/exception.h"

/* Open, change or resolve the exception of each position whose on hand changed. */
void
stock_add_cases(const ChangeResult *changes, EventBatch *events)
{
	for (int i = 0; i < changes->nchanges; i++)
	{
		const StockChange *c = &changes->changes[i];
		ExceptionCase about = {
			.tenant_id = c->pos->key.tenant_id, .type = "negative_on_hand",
			.item = c->pos->key.item, .node = c->pos->key.node
		};
		JsonWriter	w = {0};

		if (c->on_hand_after >= 0 && c->on_hand_before >= 0)
			continue;
		if (c->on_hand_after >= 0)
		{
			exception_resolve(events, &about, changes->clock);
			continue;
		}
		json_begin_object(&w);
		json_key_scaled(&w, "on_hand", c->on_hand_after);
		json_end_object(&w);
		exception_put(events, &about, json_result(&w), EXCEPTION_CHANGE, changes->clock);
	}
}
