/*
 * as_of.c
 *		What could be promised at an earlier time, as known then.
 *
 * Supply, bookings and settings are those valid at that time, supply whose
 * day had passed then is late from then, holds that had not expired count.  A
 * closed booking counted until it was closed, unless it waited for supply to
 * be ordered or rested on supply of its own.  One that wanted a certain lot
 * counts as wanting any that lasts long enough.  Rules and dock-to-stock days
 * are those of that time too; time zones are today's.
 */
#include "ledger/lots.h"
#include "ledger/past.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "ledger/reference.h"
#include "network/network.h"

#include "catalog/pg_type.h"

PG_FUNCTION_INFO_V1(routing_atp_as_of);

static EnginePlan plan_supply = {
	"WITH " RULES_AS_OF("$4") ", supply AS ("
	"  SELECT available_on, quantity, kind, status, expires_on FROM routing.supply"
	"  WHERE tenant_id = $1 AND item = $2 AND node = $3 AND order_id = '' AND \"from\" <= $4"
	"  UNION ALL"
	"  SELECT available_on, quantity, kind, status, expires_on FROM routing.supply_history"
	"  WHERE tenant_id = $1 AND item = $2 AND node = $3 AND order_id = '' AND \"from\" <= $4 AND \"to\" > $4"
	" )"
	" SELECT s.available_on, s.quantity, s.expires_on, b.delay_days, b.late_days FROM supply s CROSS JOIN LATERAL"
	"  " RULE_OF_SUPPLY " b WHERE b.usable",
	4, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_dock_days = {
	"SELECT dock_days FROM routing.node_history WHERE tenant_id = $1 AND node = $2 AND \"to\" > $3"
	" ORDER BY \"to\", to_xid LIMIT 1",
	3, {INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_bookings = {
	"SELECT needed_on, quantity, COALESCE(min_expiry, deliver_on) FROM routing.reservation"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"to\" IS NULL AND \"from\" <= $4"
	"  AND state IN ('firm', 'issued', 'hold') AND (expires_at IS NULL OR expires_at > $4)"
	" UNION ALL"
	" SELECT needed_on, quantity, COALESCE(min_expiry, deliver_on) FROM routing.reservation"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"to\" > $4 AND \"from\" <= $4"
	"  AND order_by IS NULL AND basis <> 'dedicated' AND state <> 'lapsed' AND (expires_at IS NULL OR expires_at > $4)",
	4, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_settings = {
	"SELECT safety_stock, enabled, dock_days, lead_time_days FROM routing.item_node"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"from\" <= $4"
	" UNION ALL"
	" SELECT safety_stock, enabled, dock_days, lead_time_days FROM routing.item_node_history"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"from\" <= $4 AND \"to\" > $4",
	4, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static DateADT
date_or_never(int row, int col)
{
	bool		isnull;
	DateADT		day = DatumGetDateADT(spi_datum(row, col, &isnull));

	return isnull ? DATEVAL_NOEND : day;
}

static void
add_supply(Position *pos, DateADT day, int32 late, int64 quantity, DateADT expires, bool *lots_end)
{
	late = day == ON_HAND_DAY ? 0 : late;
	timeline_add_supply(&pos->timeline, day, late, quantity);
	lots_add(&pos->lots, supply_key(day, late), lot_until(expires, 0), quantity, 0);
	*lots_end |= expires != DATEVAL_NOEND;
}

/* The days from arrival to stock, of the node; args: as of position_as_of(). */
static int32
dock_days_of_node(const NetNode *node, Datum *args)
{
	int32		days = node->dock_days;
	Datum		node_args[3];
	bool		isnull;

	node_args[0] = args[0];
	node_args[1] = args[2];
	node_args[2] = args[3];
	if (engine_exec(&plan_dock_days, node_args, NULL, ENGINE_READ) > 0)
		days = DatumGetInt32(spi_datum(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return days;
}

/* The same, of the item-node. */
int32
position_dock_days_as_of(const NetNode *node, Datum *args)
{
	int32		days = dock_days_of_node(node, args);
	bool		isnull;

	if (engine_exec(&plan_settings, args, NULL, ENGINE_READ) > 0)
	{
		Datum		own = spi_datum(0, 3, &isnull);

		days = isnull ? days : DatumGetInt32(own);
	}
	SPI_freetuptable(SPI_tuptable);
	return days;
}

/*
 * The position as it was; SPI is connected.  args: tenant, item, node, time.
 * "with_lots": supply will come that ends.
 */
void
position_as_of(Position *pos, const NetNode *node, Datum *args, bool with_lots)
{
	int32		dock_days = dock_days_of_node(node, args);
	bool		isnull;
	bool		lots_end = with_lots;
	int			n;

	pos->exists = true;
	pos->enabled = true;
	pos->lead_time = -1;
	n = (int) engine_exec(&plan_settings, args, NULL, ENGINE_READ);
	if (n > 0)
	{
		int32		days = DatumGetInt32(spi_datum(0, 3, &isnull));

		dock_days = isnull ? dock_days : days;
		pos->safety_stock = scaled_from_datum(spi_datum(0, 1, &isnull));
		pos->enabled = DatumGetBool(spi_datum(0, 2, &isnull));
		days = DatumGetInt32(spi_datum(0, 4, &isnull));
		pos->lead_time = isnull ? -1 : days;
	}
	SPI_freetuptable(SPI_tuptable);

	timeline_copy(&pos->timeline, &pos->timeline);
	n = (int) engine_exec(&plan_supply, args, NULL, ENGINE_READ);
	for (int i = 0; i < n; i++)
	{
		DateADT		day = DatumGetDateADT(spi_datum(i, 1, &isnull));

		if (day != ON_HAND_DAY)
			day = node_stock_day(node, day + DatumGetInt32(spi_datum(i, 4, &isnull)), dock_days);
		add_supply(pos, day, DatumGetInt32(spi_datum(i, 5, &isnull)) - 1,
				   scaled_from_datum(spi_datum(i, 2, &isnull)), date_or_never(i, 3), &lots_end);
	}
	SPI_freetuptable(SPI_tuptable);
	n = (int) engine_exec(&plan_bookings, args, NULL, ENGINE_READ);
	for (int i = 0; i < n; i++)
	{
		DateADT		day = DatumGetDateADT(spi_datum(i, 1, &isnull));
		int64		quantity = scaled_from_datum(spi_datum(i, 2, &isnull));

		timeline_add_demand(&pos->timeline, day, quantity);
		lots_add(&pos->lots, day, lot_until(date_or_never(i, 3), 0), 0, quantity);
	}
	SPI_freetuptable(SPI_tuptable);
	if (!lots_end)
		pos->lots.n = 0;
	position_set_special(pos);
}

/* Arguments: item, node, day, time. */
Datum
routing_atp_as_of(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	Position	pos = {0};
	const NetNode *node;
	OfferRequest req;
	const AtpStep *steps;
	int			n;
	TimestampTz at;
	int64		atp;
	Fault		fault = {0};
	Datum		args[4];
	EngineScope scope;

	if (PG_ARGISNULL(0))
		fault_set(&fault, RT_UNKNOWN_ITEM, "Give the code of an item.", "item must not be null");
	else if (PG_ARGISNULL(1))
		fault_set(&fault, RT_UNKNOWN_NODE, "Give the code of a node.", "node must not be null");
	else if (PG_ARGISNULL(3))
		fault_set(&fault, RT_BAD_DATE, "Give the time whose knowledge is asked for.", "at must not be null");
	else if (PG_GETARG_TIMESTAMPTZ(3) > clock_of_transaction() || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(3)))
		fault_set(&fault, RT_NOT_KNOWN_YET, "Give a time that has passed, or ask routing.atp().",
				  "at %s is not in the past", timestamptz_to_str(PG_GETARG_TIMESTAMPTZ(3)));
	if (fault.sqlerrcode)
		fault_raise(&fault);

	at = PG_GETARG_TIMESTAMPTZ(3);
	pos.key.tenant_id = tenant_id;
	pos.key.item = text_to_cstring(PG_GETARG_TEXT_PP(0));
	pos.key.node = text_to_cstring(PG_GETARG_TEXT_PP(1));
	node = require_node(network_get(tenant_id), pos.key.node);
	if (!item_exists(tenant_id, pos.key.item))
	{
		fault_unknown_item(&fault, "", pos.key.item);
		fault_raise(&fault);
	}

	args[0] = Int32GetDatum(tenant_id);
	args[1] = PG_GETARG_DATUM(0);
	args[2] = PG_GETARG_DATUM(1);
	args[3] = TimestampTzGetDatum(at);
	engine_enter(&scope);
	SPI_connect();
	position_as_of(&pos, node, args, false);
	offer_request_init(&req, node_date(node, at), at);
	req.within_horizon = true;
	req.life_of_item = true;
	n = position_offer(&pos, &req, &steps);
	atp = steps_at(steps, n, PG_ARGISNULL(2) ? req.today : Max(PG_GETARG_DATEADT(2), req.today));
	SPI_finish();
	engine_leave(&scope);
	PG_RETURN_NUMERIC(scaled_to_numeric(atp));
}
