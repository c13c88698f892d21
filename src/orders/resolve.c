/*
 * resolve.c
 *		What the reference tables say of an order: customer, channel, items.
 */
#include "orders/resolve.h"

#include "base/quantity.h"
#include "base/store.h"
#include "ledger/channels.h"
#include "ledger/control.h"
#include "ledger/kits.h"

#include "common/int.h"
#include "utils/snapmgr.h"

#define DEFAULT_PRIORITY	5

/* columns of item, customer */
enum
{
	I_UOM, I_WEIGHT_KG, I_MIN_LIFE_DAYS, I_CONTROL, I_UNIT_COST, I_ITEM_CLASS, I_HAZMAT_CLASS,
	I_MIN_SHIP, I_MAX_SHIP, I_MULTIPLE, I_NCOLS
};

static const char *const item_names[I_NCOLS] = {
	"uom", "weight_kg", "min_life_days", "control", "unit_cost", "item_class", "hazmat_class",
	"min_ship_quantity", "max_ship_quantity", "ship_multiple"
};
static ColumnMap item_columns = {TAB_ITEM, I_NCOLS, item_names, 0, {0}};

enum
{
	C_PRIORITY, C_MIN_LIFE_DAYS, C_CUSTOMER_GROUP, C_SLA_PENALTY, C_MAX_LATE_DAYS, C_CALENDAR, C_SUBSTITUTES,
	C_NCOLS
};

static const char *const customer_names[C_NCOLS] = {
	"priority", "min_life_days", "customer_group", "sla_penalty", "max_late_days", "calendar", "substitutes"
};
static ColumnMap customer_columns = {TAB_CUSTOMER, C_NCOLS, customer_names, 0, {0}};

static const char *const uom_names[1] = {"factor"};
static ColumnMap uom_columns = {TAB_ITEM_UOM, 1, uom_names, 0, {0}};

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
		order->priority = DatumGetInt32(slot_datum(ks.slot, &customer_columns, C_PRIORITY, &isnull));
	order->sla_penalty = POLICY_NONE;
	order->max_late_days = -1;
	if (order->customer_known)
	{
		order->min_life = DatumGetInt32(slot_datum(ks.slot, &customer_columns, C_MIN_LIFE_DAYS, &isnull));
		order->receiving = slot_text(ks.slot, &customer_columns, C_CALENDAR);
		order->customer_group = slot_text(ks.slot, &customer_columns, C_CUSTOMER_GROUP);
		(void) slot_datum(ks.slot, &customer_columns, C_SLA_PENALTY, &isnull);
		if (!isnull)
			order->sla_penalty = slot_scaled(ks.slot, &customer_columns, C_SLA_PENALTY);
		order->max_late_days = DatumGetInt32(slot_datum(ks.slot, &customer_columns, C_MAX_LATE_DAYS, &isnull));
		if (isnull)
			order->max_late_days = -1;
		order->substitutes = slot_text(ks.slot, &customer_columns, C_SUBSTITUTES);
	}
	keyscan_release(&ks);
	if (order->channel != NULL)
	{
		order->npath = channel_path(order->tenant_id, order->channel, &order->path);
		order->channel_known = keyscan_find(&ks, TAB_CHANNEL, NULL, order->tenant_id,
											order->channel, snapshot);
		keyscan_release(&ks);
	}
}

/* So much per unit of so many units, to the nearest, halves up. */
static int64
part_of(int64 amount, int64 quantity)
{
	int128		product = ((int128) amount * quantity + SCALE / 2) / SCALE;

	return (int64) Min(product, (int128) 1000000000 * SCALE);
}

/*
 * What a substitute is like, in units of the line it serves.  False if it is
 * not known, or may not stand in for the line's item at all: hazardous goods
 * of another class are another matter.
 */
bool
order_resolve_substitute(const SalesOrder *order, OrderLine *line, const char *item, int64 ratio)
{
	Snapshot	snapshot = fresh_snapshot();
	KeyScan		ks;
	bool		found = keyscan_find(&ks, TAB_ITEM, &item_columns, order->tenant_id, item, snapshot);

	if (found)
	{
		bool		isnull;
		char	   *hazmat = slot_text(ks.slot, &item_columns, I_HAZMAT_CLASS);

		found = hazmat == NULL || (line->hazmat_class != NULL && strcmp(hazmat, line->hazmat_class) == 0);
		line->unit_weight = part_of(slot_scaled(ks.slot, &item_columns, I_WEIGHT_KG), ratio);
		line->min_life = Max(line->min_life,
							 DatumGetInt32(slot_datum(ks.slot, &item_columns, I_MIN_LIFE_DAYS, &isnull)));
		line->serial = item_control_of(slot_text(ks.slot, &item_columns, I_CONTROL)) == CONTROL_SERIAL;
		line->item_class = slot_text(ks.slot, &item_columns, I_ITEM_CLASS);
	}
	keyscan_release(&ks);
	UnregisterSnapshot(snapshot);
	return found;
}

/*
 * Turn the line's quantity into the item's own unit.  One unit is a factor of
 * the other, in ten-thousandths; the result must have no more decimals.
 */
static void
convert_quantity(SalesOrder *order, OrderLine *line, Snapshot snapshot)
{
	KeyScan		ks;
	int64		factor = 0;
	int64		product;

	keyscan_open(&ks, engine_relid(TAB_ITEM_UOM), AccessShareLock, snapshot);
	columns_resolve(&uom_columns, RelationGetDescr(ks.rel));
	keyscan_start(&ks, order->tenant_id, CStringGetTextDatum(line->item), CStringGetTextDatum(line->uom));
	if (keyscan_next(&ks))
	{
		slot_getallattrs(ks.slot);
		factor = slot_scaled(ks.slot, &uom_columns, 0);
	}
	keyscan_release(&ks);
	if (factor == 0)
		line->unit = UNIT_UNKNOWN;
	else if (pg_mul_s64_overflow(line->quantity, factor, &product) || product % SCALE != 0 ||
			 product / SCALE > SCALED_MAX)
		line->unit = UNIT_INEXACT;
	else
		line->quantity = product / SCALE;
}

/* A kit weighs and costs what its components do, unless it says so itself. */
static void
resolve_kit(SalesOrder *order, OrderLine *line, KeyScan *items)
{
	const KitPart *parts;
	int			n = kit_parts(order->tenant_id, line->item, &parts);
	LinePart   *own;
	int64		weight = 0;
	int64		cost = 0;

	if (n == 0)
		return;
	own = palloc(sizeof(LinePart) * n);
	for (int i = 0; i < n; i++)
	{
		own[i].item = parts[i].item;
		own[i].per = parts[i].quantity;
		keyscan_start(items, order->tenant_id, CStringGetTextDatum(parts[i].item), 0);
		if (!keyscan_next(items))
			continue;
		slot_getallattrs(items->slot);
		weight += part_of(slot_scaled(items->slot, &item_columns, I_WEIGHT_KG), parts[i].quantity);
		cost += part_of(slot_scaled(items->slot, &item_columns, I_UNIT_COST), parts[i].quantity);
		if (line->hazmat_class == NULL)
			line->hazmat_class = slot_text(items->slot, &item_columns, I_HAZMAT_CLASS);
	}
	line->nparts = n;
	line->parts = own;
	if (line->unit_weight == 0)
		line->unit_weight = weight;
	if (line->unit_cost == 0)
		line->unit_cost = cost;
}

/* Unit and weight of each line's item, and the quantity in that unit. */
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

		line->given = line->quantity;
		keyscan_start(&ks, order->tenant_id, CStringGetTextDatum(line->item), 0);
		if (!keyscan_next(&ks))
			continue;
		slot_getallattrs(ks.slot);
		line->item_known = true;
		line->item_uom = slot_text(ks.slot, &item_columns, I_UOM);
		line->unit_weight = slot_scaled(ks.slot, &item_columns, I_WEIGHT_KG);
		line->unit_cost = slot_scaled(ks.slot, &item_columns, I_UNIT_COST);
		line->item_class = slot_text(ks.slot, &item_columns, I_ITEM_CLASS);
		line->hazmat_class = slot_text(ks.slot, &item_columns, I_HAZMAT_CLASS);
		line->min_ship = slot_scaled(ks.slot, &item_columns, I_MIN_SHIP);
		line->max_ship = slot_scaled(ks.slot, &item_columns, I_MAX_SHIP);
		line->ship_multiple = slot_scaled(ks.slot, &item_columns, I_MULTIPLE);
		line->serial = item_control_of(slot_text(ks.slot, &item_columns, I_CONTROL)) == CONTROL_SERIAL;
		if (line->min_life < 0)
		{
			bool		isnull;

			line->min_life = Max(order->min_life,
								 DatumGetInt32(slot_datum(ks.slot, &item_columns, I_MIN_LIFE_DAYS, &isnull)));
		}
		if (line->uom != NULL && strcmp(line->uom, line->item_uom) != 0)
			convert_quantity(order, line, snapshot);
		resolve_kit(order, line, &ks);
	}
	keyscan_release(&ks);
}

/* Both, for an order that was not read from our tables. */
void
order_resolve(SalesOrder *order, bool has_priority)
{
	Snapshot	snapshot = fresh_snapshot();

	order->own_priority = has_priority ? order->priority : 0;
	order_resolve_parties(order, has_priority ? order->priority : 0, snapshot);
	order_resolve_items(order, snapshot);
	UnregisterSnapshot(snapshot);
}
