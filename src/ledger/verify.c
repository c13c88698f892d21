/*
 * verify.c
 *		What verify() needs to know of a position row and SQL would compute
 *		slowly.
 */
#include "ledger/timeline.h"

#include "base/clock.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

PG_FUNCTION_INFO_V1(routing_engine_now);
PG_FUNCTION_INFO_V1(routing_position_shortage);

#define HOLD_LONGS	4

Datum
routing_engine_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(clock_of_transaction());
}

/* Add the demand of holds that have not expired. */
static void
add_holds(Timeline *tl, ArrayType *holds, TimestampTz at)
{
	int64	   *v = (int64 *) ARR_DATA_PTR(holds);
	int			n = ArrayGetNItems(ARR_NDIM(holds), ARR_DIMS(holds)) / HOLD_LONGS;

	if (ARR_HASNULL(holds) || ARR_ELEMTYPE(holds) != INT8OID)
		return;
	for (int i = 0; i < n; i++, v += HOLD_LONGS)
	{
		if (v[0] > at)
			timeline_add_demand(tl, (DateADT) v[1], v[3]);
	}
}

/*
 * Arguments: timeline, holds, today, time, since.  Without a today supply
 * comes on its day, however long that is past.  Without demand until then a
 * negative balance is the ERP's own.  A step holds until the next one, so the
 * one before "since" counts if it is still that on that day.
 */
Datum
routing_position_shortage(PG_FUNCTION_ARGS)
{
	Timeline	tl;
	AtpStep    *steps;
	int			n;
	DateADT		today = PG_ARGISNULL(2) ? ON_HAND_DAY + 1 : PG_GETARG_DATEADT(2);
	DateADT		since = PG_ARGISNULL(4) ? DATEVAL_NOBEGIN : PG_GETARG_DATEADT(4);
	int			e = 0;
	int64		demand = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	timeline_from_array(&tl, PG_GETARG_ARRAYTYPE_P(0));
	if (!PG_ARGISNULL(1))
		add_holds(&tl, PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_TIMESTAMPTZ(3));
	n = timeline_balances(&tl, today, &steps);
	for (int i = 0; i < n; i++)
	{
		while (e < tl.n && tl.entries[e].day <= steps[i].day)
			demand = scaled_add(demand, tl.entries[e++].demand);
		if (steps[i].available < 0 && demand > 0 && (i + 1 == n || steps[i + 1].day > since))
		{
			Datum		values[2] = {Int64GetDatum(Max(steps[i].day, since)), Int64GetDatum(steps[i].available)};

			PG_RETURN_ARRAYTYPE_P(construct_array(values, 2, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
		}
	}
	PG_RETURN_NULL();
}
