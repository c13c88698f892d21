/*
 * rebook.c
 *		A booking's row is closed and others take its place.
 *
 * Bookings are never overwritten: what was known and promised at a time can
 * be asked for later.  The position is locked; the order need not be, whoever
 * holds it compares what he read with what is there under that lock.  For the
 * same reason the new rows do not get the next part numbers of the line, which
 * are given under the lock of the order, but numbers of a sequence beyond
 * LAST_ORDER_PART.
 */
#include "ledger/change.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

static EnginePlan plan_rebook = {
	"WITH old AS (UPDATE routing.reservation SET \"to\" = $5,"
	"  state = CASE WHEN state IN ('uncovered', 'at_risk') THEN 'lapsed' ELSE 'changed' END,"
	"  to_xid = pg_catalog.pg_current_xact_id()"
	"  WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4 RETURNING *)"
	" INSERT INTO routing.reservation (tenant_id, order_id, line_no, part, item, node, lot, quantity,"
	"  needed_on, ship_on, deliver_on, service, shipment_no, basis, expires_at, state, decision_id,"
	"  \"from\", min_expiry, channel, pool, order_by, xid)"
	" SELECT o.tenant_id, o.order_id, o.line_no,"
	"  pg_catalog.nextval('routing.part_seq')::int,"
	"  o.item, o.node, o.lot, v.quantity, o.needed_on, o.ship_on, o.deliver_on, o.service,"
	"  o.shipment_no, COALESCE(v.basis, o.basis), o.expires_at, v.state, o.decision_id,"
	"  $5, o.min_expiry, o.channel, o.pool, CASE WHEN v.state = 'planned' THEN o.order_by END,"
	"  pg_catalog.pg_current_xact_id()"
	" FROM old o, unnest($6, $7, $8) v(quantity, state, basis)",
	8, {INT4OID, TEXTOID, INT4OID, INT4OID, TIMESTAMPTZOID, NUMERICARRAYOID, TEXTARRAYOID,
	TEXTARRAYOID}, NULL
};

/* Close a row; what becomes of its quantity are the parts. */
void
booking_rebook(int32 tenant_id, const char *order_id, int line_no, int part,
			   const BookingPart *parts, int n, TimestampTz at)
{
	Datum		quantities[MAX_BOOKING_PARTS];
	char	   *states[MAX_BOOKING_PARTS];
	char	   *bases[MAX_BOOKING_PARTS];
	Datum		args[8];
	int			used = 0;

	for (int i = 0; i < n; i++)
	{
		if (parts[i].quantity == 0)
			continue;
		quantities[used] = NumericGetDatum(scaled_to_numeric(parts[i].quantity));
		states[used] = unconstify(char *, parts[i].state);
		bases[used++] = unconstify(char *, parts[i].basis);
	}
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(order_id);
	args[2] = Int32GetDatum(line_no);
	args[3] = Int32GetDatum(part);
	args[4] = TimestampTzGetDatum(at);
	args[5] = PointerGetDatum(construct_array(quantities, used, NUMERICOID, -1, false, TYPALIGN_INT));
	args[6] = text_array(states, used);
	args[7] = text_array(bases, used);
	(void) engine_exec(&plan_rebook, args, NULL, ENGINE_FRESH);
}
