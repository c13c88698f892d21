/*
 * control.c
 *		What an item demands of its stock: lots, or a serial number per unit.
 *
 * Only stock on hand is looked at: what is on its way may not have its lots
 * yet.  A serial number is a lot of one unit, which is on hand at one place.
 * The unique index on supply.serial keeps that up between transactions; here
 * is what tells it better.
 */
#include "ledger/control.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "base/store.h"

#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

static const char *const item_names[1] = {"control"};
static ColumnMap item_columns = {TAB_ITEM, 1, item_names, 0, {0}};

static EnginePlan plan_elsewhere = {
	"SELECT node FROM routing.supply WHERE tenant_id = $1 AND item = $2 AND serial = $3"
	" AND NOT (node = $4 AND ref = $5) AND NOT (node = $6 AND ref = $7) LIMIT 1",
	7, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

ItemControl
item_control_of(const char *name)
{
	return strcmp(name, "serial") == 0 ? CONTROL_SERIAL :
		strcmp(name, "lot") == 0 ? CONTROL_LOT : CONTROL_NONE;
}

/* the item asked for last: loads come item by item */
static struct
{
	uint64		generation;
	int32		tenant_id;
	char		item[200];
	ItemControl control;
}			last;

/* That of an item; one that is unknown has none. */
ItemControl
item_control(int32 tenant_id, const char *item)
{
	uint64		generation = engine_generation(TAB_ITEM);
	Snapshot	snapshot;
	ItemControl control = CONTROL_NONE;
	KeyScan		ks;

	if (last.generation == generation && last.tenant_id == tenant_id && strcmp(last.item, item) == 0)
		return last.control;
	snapshot = fresh_snapshot();
	if (keyscan_find(&ks, TAB_ITEM, &item_columns, tenant_id, item, snapshot))
		control = item_control_of(slot_text(ks.slot, &item_columns, 0));
	keyscan_release(&ks);
	UnregisterSnapshot(snapshot);
	if (strlen(item) < sizeof(last.item))
	{
		last.generation = generation;
		last.tenant_id = tenant_id;
		strcpy(last.item, item);
		last.control = control;
	}
	return control;
}

/* Whether stock on hand is as the item's control wants it. */
void
control_check(Fault *fault, ItemControl control, const char *where, const char *item, const char *lot,
			  int64 quantity)
{
	if (control != CONTROL_NONE && lot[0] == '\0' && quantity != 0)
		fault_set(fault, RT_LOT_MISSING,
				  control == CONTROL_SERIAL ? "Give the serial number of each unit as its lot." : "Give the lot.",
				  "%sstock on hand of item \"%s\" has no lot", where, item);
	else if (control == CONTROL_SERIAL && quantity != 0 && quantity != SCALE)
		fault_set(fault, RT_SERIAL_QUANTITY, "A serial number is one unit: its quantity is 1, or 0.",
				  "%squantity %s of serial number \"%s\" of item \"%s\" is neither 0 nor 1", where,
				  scaled_to_text(quantity), lot, item);
}

/* Another row than these two that has the serial number on hand: its node, or NULL. */
char *
serial_elsewhere(int32 tenant_id, const char *item, const char *serial, const char *const *nodes,
				 const char *const *refs)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *node = NULL;
	Datum		args[7];
	EngineScope scope;

	engine_enter(&scope);
	SPI_connect();
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(item);
	args[2] = CStringGetTextDatum(serial);
	args[3] = CStringGetTextDatum(nodes[0]);
	args[4] = CStringGetTextDatum(refs[0]);
	args[5] = CStringGetTextDatum(nodes[1]);
	args[6] = CStringGetTextDatum(refs[1]);
	if (engine_exec(&plan_elsewhere, args, NULL, ENGINE_FRESH) > 0)
		node = MemoryContextStrdup(caller, spi_text(0, 1));
	SPI_finish();
	engine_leave(&scope);
	return node;
}
