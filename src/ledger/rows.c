/*
 * rows.c
 *		A booking's row, changed with its history kept.
 *
 * "from" and "to" tell since when and until when a row was so; what counted at
 * some time can be added up from them.  Only called under the lock of the
 * position.
 */
#include "ledger/falls.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

#define THE_ROW " WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4"
/* see rebook.c: the order need not be locked */
#define NEXT_PART "pg_catalog.nextval('routing.part_seq')::int"

static EnginePlan plan_shrink = {
	"UPDATE routing.reservation SET quantity = pg_catalog.trim_scale(quantity - $5)" THE_ROW,
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, NUMERICOID}, NULL
};

static EnginePlan plan_copy = {
	"INSERT INTO routing.reservation (tenant_id, order_id, line_no, part, item, node, lot, quantity,"
	" needed_on, ship_on, deliver_on, service, shipment_no, basis, expires_at, state, decision_id,"
	" \"from\", min_expiry, channel, pool, order_by, xid, \"to\", to_xid)"
	" SELECT tenant_id, order_id, line_no, " NEXT_PART ", item, node, lot, $5,"
	"  needed_on, ship_on, deliver_on, service, shipment_no, basis, expires_at, state, decision_id,"
	"  \"from\", min_expiry, channel, pool, order_by, xid, \"to\", to_xid"
	" FROM routing.reservation" THE_ROW " RETURNING part",
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, NUMERICOID}, NULL
};

static EnginePlan plan_succeed = {
	"INSERT INTO routing.reservation (tenant_id, order_id, line_no, part, item, node, lot, quantity,"
	" needed_on, ship_on, deliver_on, service, shipment_no, basis, expires_at, state, decision_id,"
	" \"from\", min_expiry, channel, pool, order_by, xid)"
	" SELECT tenant_id, order_id, line_no, " NEXT_PART ", item, node,"
	" lot, quantity, needed_on, ship_on, deliver_on, service, shipment_no,"
	"  CASE basis WHEN 'dedicated' THEN 'on_hand' ELSE basis END, expires_at, $5, decision_id,"
	"  $6, min_expiry, channel, pool, order_by, pg_catalog.pg_current_xact_id()"
	" FROM routing.reservation" THE_ROW,
	6, {INT4OID, TEXTOID, INT4OID, INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_close = {
	"UPDATE routing.reservation SET state = $5, \"to\" = $6,"
	" to_xid = pg_catalog.pg_current_xact_id()" THE_ROW,
	6, {INT4OID, TEXTOID, INT4OID, INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_state = {
	"UPDATE routing.reservation SET state = $5" THE_ROW,
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, TEXTOID}, NULL
};

static void
set_row(Datum *args, const BookingRow *row)
{
	args[0] = Int32GetDatum(row->tenant_id);
	args[1] = CStringGetTextDatum(row->order_id);
	args[2] = Int32GetDatum(row->line_no);
	args[3] = Int32GetDatum(row->part);
}

/* Take "quantity" of the row's "whole" apart: the row becomes that of the part. */
void
booking_row_split(BookingRow *row, int64 whole, int64 quantity)
{
	Datum		args[5];
	bool		isnull;

	if (quantity == whole)
		return;
	set_row(args, row);
	args[4] = NumericGetDatum(scaled_to_numeric(quantity));
	(void) engine_exec(&plan_shrink, args, NULL, ENGINE_FRESH);
	(void) engine_exec(&plan_copy, args, NULL, ENGINE_FRESH);
	row->part = DatumGetInt32(spi_datum(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

void
booking_row_close(const BookingRow *row, const char *state, TimestampTz at)
{
	Datum		args[6];

	set_row(args, row);
	args[4] = CStringGetTextDatum(state);
	args[5] = TimestampTzGetDatum(at);
	(void) engine_exec(&plan_close, args, NULL, ENGINE_FRESH);
}

/* Open a row for what was in a row that is closed now. */
void
booking_row_succeed(const BookingRow *row, const char *state, TimestampTz at)
{
	Datum		args[6];

	set_row(args, row);
	args[4] = CStringGetTextDatum(state);
	args[5] = TimestampTzGetDatum(at);
	(void) engine_exec(&plan_succeed, args, NULL, ENGINE_FRESH);
}

void
booking_row_state(const BookingRow *row, const char *state)
{
	Datum		args[5];

	set_row(args, row);
	args[4] = CStringGetTextDatum(state);
	(void) engine_exec(&plan_state, args, NULL, ENGINE_FRESH);
}
