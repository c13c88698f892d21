/*
 * replay.c
 *		A decision made again from what it recorded.
 *
 * Neither the network nor policies nor stock are read: the same inputs give
 * the same plan, whatever has changed since.
 */
#include "orders/record.h"

#include "base/quantity.h"

#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(routing_record_replay);
PG_FUNCTION_INFO_V1(routing_record_same);

/* SQL: the plan of a record, found again, one row for each part and for what is unserved. */
Datum
routing_record_replay(PG_FUNCTION_ARGS)
{
	DecisionRecord *d = record_read(PG_GETARG_BYTEA_PP(0));
	ReturnSetInfo *rsinfo;
	SrcResult	r;
	bool		same = d->search == NULL || record_search(d, &r);

	InitMaterializedSRF(fcinfo, 0);
	rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	for (int i = 0; d->search != NULL && i < d->search->problem.nlines; i++)
	{
		const RecordLine *line = &d->lines[d->problem_lines[i]];

		for (int k = 0; k <= r.best.nparts; k++)
		{
			const SrcPart *part = &r.best.parts[k];
			const SrcShipment *s;
			Datum		values[10];
			bool		nulls[10] = {false};
			bool		rest = k == r.best.nparts;

			if (rest ? r.best.unserved[i] == 0 : part->line != i)
				continue;
			s = rest ? NULL : &r.best.shipments[part->shipment];
			values[0] = Int32GetDatum(line->line_no);
			values[1] = CStringGetTextDatum(d->substitutes[i].item != NULL ? d->substitutes[i].item : line->item);
			values[4] = NumericGetDatum(scaled_to_numeric(rest ? r.best.unserved[i] : part->quantity));
			nulls[2] = nulls[3] = nulls[5] = nulls[6] = nulls[7] = nulls[8] = rest;
			if (!rest)
			{
				values[2] = CStringGetTextDatum(d->nodes[s->node]);
				values[3] = CStringGetTextDatum(d->services[s->lane]);
				values[5] = DateADTGetDatum(s->day);
				values[6] = DateADTGetDatum(s->ship);
				values[7] = DateADTGetDatum(s->arrival);
				values[8] = Int32GetDatum(part->shipment + 1);
			}
			values[9] = BoolGetDatum(same);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}

/* SQL: whether a record gives the plan that it gave when it was made. */
Datum
routing_record_same(PG_FUNCTION_ARGS)
{
	DecisionRecord *d = record_read(PG_GETARG_BYTEA_PP(0));
	SrcResult	r;

	PG_RETURN_BOOL(d->search == NULL || record_search(d, &r));
}
