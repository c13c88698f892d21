/*
 * resolve.c
 *		What the reference tables say of an order: customer, channel, items.
 */
#include "orders/resolve.h"

#include "base/store.h"

#include "utils/snapmgr.h"

#define DEFAULT_PRIORITY	5

/* columns of item, customer */
enum
{
	I_UOM, I_WEIGHT_KG, I_NCOLS
};

static const char *const item_names[I_NCOLS] = {"uom", "weight_kg"};
static ColumnMap item_columns = {TAB_ITEM, I_NCOLS, item_names, 0, {0}};

static const char *const customer_names[1] = {"priority"};
static ColumnMap customer_columns = {TAB_CUSTOMER, 1, customer_names, 0, {0}};

/* Whether customer and channel are known; the order's priority, or else theirs. */
void
order_resolve_parties(SalesOrder *order, int own_priority, Snapshot snapshot)
{
	KeyScan		ks;
	bool		isnull;

	order->customer_known = keyscan_find(&ks, TAB_CUSTOMER, &customer_columns, order->tenant_id,
										 order->customer, snapshot);
	order->priority = own_priority ? own_priority : DEFAULT_PRIORITY;
	if (order->customer_known && own_priority == 0)
		order->priority = DatumGetInt32(slot_datum(ks.slot, &customer_columns, 0, &isnull));
	keyscan_close(&ks);
	if (order->channel != NULL)
	{
		order->channel_known = keyscan_find(&ks, TAB_CHANNEL, NULL, order->tenant_id,
											order->channel, snapshot);
		keyscan_close(&ks);
	}
}

/* Unit and weight of each line's item. */
void
order_resolve_items(SalesOrder *order, Snapshot snapshot)
{
	KeyScan		ks;

	if (order->nlines == 0)
		return;
	keyscan_open(&ks, engine_relid(TAB_ITEM), AccessShareLock, snapshot);
	columns_resolve(&item_columns, RelationGetDescr(ks.rel));
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];

		keyscan_start(&ks, order->tenant_id, CStringGetTextDatum(line->item), 0);
		if (!keyscan_next(&ks))
			continue;
		slot_getallattrs(ks.slot);
		line->item_known = true;
		line->item_uom = slot_text(ks.slot, &item_columns, I_UOM);
		line->unit_weight = slot_scaled(ks.slot, &item_columns, I_WEIGHT_KG);
	}
	keyscan_close(&ks);
}

/* Both, for an order that was not read from our tables. */
void
order_resolve(SalesOrder *order, bool has_priority)
{
	Snapshot	snapshot = fresh_snapshot();

	order_resolve_parties(order, has_priority ? order->priority : 0, snapshot);
	order_resolve_items(order, snapshot);
	UnregisterSnapshot(snapshot);
}
