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
#include "ledger/allotment.h"
#include "ledger/lots.h"
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

static void
key_arguments(const PositionKey *key, Datum *args)
{
	position_key_args(key, args);
}

/* The rows of supply that count, with the days from which they do. */
int
position_supply(const PositionKey *key, int32 dock_days, LotRow **rows, EngineMode mode)
{
	const NetNode *node = network_node(network_get(key->tenant_id), key->node);
	Datum		args[3];
	int			n;
	int			kept = 0;
	bool		isnull;

	key_arguments(key, args);
	n = (int) engine_exec(&plan_supply, args, NULL, mode);
	*rows = palloc_extended(sizeof(LotRow) * Max(n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		LotRow	   *row = &(*rows)[kept];
		DateADT		day = DatumGetDateADT(spi_datum(i, 1, &isnull));
		SupplyRule	rule = supply_rule(key->tenant_id, spi_text(i, 3), spi_text(i, 4));

		if (!rule.usable)
			continue;
		if (day != ON_HAND_DAY)
			day = node_stock_day(node, day + rule.delay_days, dock_days);
		row->key = supply_key(day, day == ON_HAND_DAY ? 0 : rule.late_days - 1);
		row->quantity = scaled_from_datum(spi_datum(i, 2, &isnull));
		row->lot = spi_text(i, 5);
		row->expiry = DatumGetDateADT(spi_datum(i, 6, &isnull));
		if (isnull)
			row->expiry = DATEVAL_NOEND;
		kept++;
	}
	SPI_freetuptable(SPI_tuptable);
	return kept;
}

/* The days from arrival to stock of an item-node. */
int32
position_dock_days(const PositionKey *key, EngineMode mode)
{
	const NetNode *node = network_node(network_get(key->tenant_id), key->node);
	int32		dock_days = 0;
	Datum		args[3];

	if (node != NULL)
		dock_days = node->dock_days;
	key_arguments(key, args);
	if (engine_exec(&plan_item_node, args, NULL, mode) > 0)
	{
		bool		isnull;
		int32		days = DatumGetInt32(spi_datum(0, 4, &isnull));

		dock_days = isnull ? dock_days : days;
	}
	SPI_freetuptable(SPI_tuptable);
	return dock_days;
}

/* Sum the supply of a locked position anew and take over its settings. */
void
position_sum(Position *pos, const NetNode *node)
{
	Datum		args[3];
	LotRow	   *rows;
	bool		isnull;
	int			n;
	int32		dock_days = node ? node->dock_days : 0;

	key_arguments(&pos->key, args);
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
	n = position_supply(&pos->key, dock_days, &rows, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
		timeline_add_supply(&pos->timeline, supply_key_day(rows[i].key), supply_key_late(rows[i].key),
							rows[i].quantity);
	lots_sum(pos, rows, n);
	pfree(rows);
	position_load_claims(pos);
	allotment_sum(pos);
	position_set_special(pos);

	pos->steps_valid = false;
	pos->dirty = true;
}
