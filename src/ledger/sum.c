/*
 * sum.c
 *		A locked position brought up to date with the tables it derives from.
 *
 * Everything is summed anew: whatever was inserted, updated and deleted, and
 * in which order, comes to the same.  Others who changed something of this
 * item-node and have not settled yet will sum again when they hold the lock;
 * so the last one to settle sees everything.
 */
#include "ledger/change.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/offer.h"
#include "ledger/rules.h"

#include "catalog/pg_type.h"

static EnginePlan plan_supply = {
	"SELECT available_on, quantity, kind, status, lot, expires_on FROM routing.supply"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND order_id = ''",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_item_node = {
	"SELECT safety_stock, enabled, lead_time_days, dock_days FROM routing.item_node"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* Sum the supply of a locked position anew and take over its settings. */
void
position_sum(Position *pos, const NetNode *node)
{
	Datum		args[3];
	bool		isnull;
	int			n;
	int32		dock_days = node ? node->dock_days : 0;

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);

	n = (int) engine_exec(&plan_item_node, args, NULL, ENGINE_FRESH);
	pos->safety_stock = n > 0 ? scaled_from_datum(spi_datum(0, 1, &isnull)) : 0;
	pos->enabled = n > 0 ? DatumGetBool(spi_datum(0, 2, &isnull)) : true;
	pos->lead_time = -1;
	if (n > 0)
	{
		int32		days = DatumGetInt32(spi_datum(0, 3, &isnull));

		pos->lead_time = isnull ? -1 : days;
		days = DatumGetInt32(spi_datum(0, 4, &isnull));
		dock_days = isnull ? dock_days : days;
	}
	SPI_freetuptable(SPI_tuptable);

	timeline_clear_supply(&pos->timeline);
	n = (int) engine_exec(&plan_supply, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
	{
		DateADT		day = DatumGetDateADT(spi_datum(i, 1, &isnull));
		SupplyRule	rule = supply_rule(pos->key.tenant_id, spi_text(i, 3), spi_text(i, 4));

		if (!rule.usable)
			continue;
		if (day != ON_HAND_DAY)
			day += dock_days + rule.delay_days;
		timeline_add_supply(&pos->timeline, day, rule.late_days - 1,
							scaled_from_datum(spi_datum(i, 2, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
	position_load_claims(pos);
	position_set_special(pos);

	pos->steps_valid = false;
	pos->dirty = true;
}
