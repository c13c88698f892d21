/*
 * rows.c
 *		A booking's row, changed with its history kept.
 *
 * "from" and "to" tell since when and until when a row was so; what counted at
 * some time can be added up from them.  So a row is closed and others take its
 * place, which say what becomes of its quantity:
 *
 *	-	What had lost its supply did not count, and is closed as lapsed,
 *		whatever becomes of it.  Where it has left, a shipped row that never
 *		counted says so: what was shipped is part of what a line adds up to.
 *	-	A split changes nothing that was so: both rows have the times and the
 *		transactions of the one that they were, and add up to it.
 *
 * The position is locked; the order need not be, whoever holds it compares
 * what he read with what is there under that lock.  For the same reason the
 * new rows do not get the next part numbers of the line, which are given under
 * the lock of the order, but numbers of a sequence beyond LAST_ORDER_PART.
 */
#include "ledger/rows.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#define THE_ROW " WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4"

/* a row made out of another: what it keeps of it, around what it does not */
#define NEW_ROW \
	"INSERT INTO routing.reservation (tenant_id, order_id, line_no, part, item, node, lot, needed_on," \
	" ship_on, deliver_on, service, shipment_no, expires_at, decision_id, min_expiry, channel, pool," \
	" for_item, per_unit, component," \
	" quantity, basis, state, order_by, \"from\", xid, \"to\", to_xid)" \
	" SELECT o.tenant_id, o.order_id, o.line_no, pg_catalog.nextval('routing.part_seq')::int, o.item," \
	"  o.node, o.lot, o.needed_on, o.ship_on, o.deliver_on, o.service, o.shipment_no, o.expires_at," \
	"  o.decision_id, o.min_expiry, o.channel, o.pool, o.for_item, o.per_unit, o.component,"

static EnginePlan plan_shrink = {
	"UPDATE routing.reservation SET quantity = pg_catalog.trim_scale(quantity - $5)" THE_ROW,
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, NUMERICOID}, NULL
};

static EnginePlan plan_copy = {
	NEW_ROW "  $5, o.basis, o.state, o.order_by, o.\"from\", o.xid, o.\"to\", o.to_xid"
	" FROM routing.reservation o" THE_ROW " RETURNING part",
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, NUMERICOID}, NULL
};

static EnginePlan plan_close = {
	"UPDATE routing.reservation"
	" SET state = CASE WHEN state IN ('uncovered', 'at_risk') THEN 'lapsed' ELSE $5 END,"
	"  \"to\" = $6, to_xid = pg_catalog.pg_current_xact_id()" THE_ROW
	" RETURNING state = 'lapsed'",
	6, {INT4OID, TEXTOID, INT4OID, INT4OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/* of a closed row; a part without a quantity is all of it */
static EnginePlan plan_open = {
	NEW_ROW "  COALESCE(v.quantity, o.quantity),"
	/* whatever else becomes of dedicated stock, its successor has no supply of its own */
	"  COALESCE(v.basis, CASE WHEN o.basis = 'dedicated' AND v.state <> 'dedicated' THEN 'on_hand' ELSE o.basis END),"
	"  v.state,"
	"  CASE WHEN v.state = 'planned' THEN o.order_by END, $5, pg_catalog.pg_current_xact_id(),"
	"  CASE WHEN v.state = 'shipped' THEN $5 END,"
	"  CASE WHEN v.state = 'shipped' THEN pg_catalog.pg_current_xact_id() END"
	" FROM routing.reservation o, unnest($6, $7, $8) v(quantity, state, basis)" THE_ROW
	" RETURNING part",
	8, {INT4OID, TEXTOID, INT4OID, INT4OID, TIMESTAMPTZOID, NUMERICARRAYOID, TEXTARRAYOID,
	TEXTARRAYOID}, NULL
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

/* Run a statement that makes rows out of another; returns the part number of the first. */
static int
make_rows(EnginePlan *plan, Datum *args, const BookingRow *row)
{
	bool		isnull;
	int			part;

	if (engine_exec(plan, args, NULL, ENGINE_FRESH) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("booking %d/%d of \"%s\" could not be changed", row->line_no, row->part, row->order_id),
				 errhint("Drop what triggers routing.reservation has that are not the extension's.")));
	part = DatumGetInt32(spi_datum(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return part;
}

/* Take "quantity" of the row's "whole" apart: the row becomes that of the part. */
void
booking_row_split(BookingRow *row, int64 whole, int64 quantity)
{
	Datum		args[5];

	if (quantity == whole)
		return;
	set_row(args, row);
	args[4] = NumericGetDatum(scaled_to_numeric(quantity));
	(void) engine_exec(&plan_shrink, args, NULL, ENGINE_FRESH);
	row->part = make_rows(&plan_copy, args, row);
}

void
booking_row_close(const BookingRow *row, const char *state, TimestampTz at)
{
	Datum		args[6];
	bool		isnull;
	bool		lapsed;

	set_row(args, row);
	args[4] = CStringGetTextDatum(state);
	args[5] = TimestampTzGetDatum(at);
	lapsed = engine_exec(&plan_close, args, NULL, ENGINE_FRESH) > 0 && DatumGetBool(spi_datum(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	if (lapsed && strcmp(state, "shipped") == 0)
		booking_row_succeed(row, state, at);
}

/*
 * Open rows for what was in a row that is closed now; a negative quantity is
 * all of it.  Returns the part number of the first, 0 if there is none.
 */
static int
open_rows(const BookingRow *row, const BookingPart *parts, int n, TimestampTz at)
{
	Datum		quantities[MAX_BOOKING_PARTS];
	bool		whole[MAX_BOOKING_PARTS];
	char	   *states[MAX_BOOKING_PARTS];
	char	   *bases[MAX_BOOKING_PARTS];
	Datum		args[8];
	int			used = 0;
	int			dims[1];
	int			lbs[1] = {1};

	for (int i = 0; i < n; i++)
	{
		if (parts[i].quantity == 0)
			continue;
		whole[used] = parts[i].quantity < 0;
		quantities[used] = NumericGetDatum(scaled_to_numeric(parts[i].quantity));
		states[used] = unconstify(char *, parts[i].state);
		bases[used++] = unconstify(char *, parts[i].basis);
	}
	if (used == 0)
		return 0;
	set_row(args, row);
	args[4] = TimestampTzGetDatum(at);
	dims[0] = used;
	args[5] = PointerGetDatum(construct_md_array(quantities, whole, 1, dims, lbs, NUMERICOID, -1, false,
												 TYPALIGN_INT));
	args[6] = text_array(states, used);
	args[7] = text_array(bases, used);
	return make_rows(&plan_open, args, row);
}

/* Open a row for all that was in a row that is closed now. */
void
booking_row_succeed(const BookingRow *row, const char *state, TimestampTz at)
{
	BookingPart all = {-1, state, NULL};

	(void) open_rows(row, &all, 1, at);
}

/* What became of what was in a closed row is something else. */
void
booking_row_state(const BookingRow *row, const char *state)
{
	Datum		args[5];

	set_row(args, row);
	args[4] = CStringGetTextDatum(state);
	(void) engine_exec(&plan_state, args, NULL, ENGINE_FRESH);
}

/*
 * Close a row; what becomes of its quantity are the parts.  Returns the part
 * number of the first of them, 0 if there is none.
 */
int
booking_rebook(const BookingRow *row, const BookingPart *parts, int n, TimestampTz at)
{
	booking_row_close(row, "changed", at);
	return open_rows(row, parts, n, at);
}
