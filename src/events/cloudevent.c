/*
 * cloudevent.c
 *		The envelope of an event that was read by SQL.
 */
#include "events/envelope.h"

#include "base/errors.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(routing_cloudevent);

/*
 * SQL: what the output plugin would write of the row, without what only the
 * log knows.  Any row that has the columns of an event will do: of the table, a
 * partition, a batch.  NULL for one without an event, as event_since() ends with.
 */
Datum
routing_cloudevent(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
											  HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple;
	EventShape	shape;
	EventRow	row;
	EventStyle	style;
	StringInfoData out;
	Datum		id;

	event_shape_init(&shape, desc);
	if (shape.kind[EC_ID] == EK_ABSENT || shape.kind[EC_TYPE] != EK_TEXT)
	{
		ReleaseTupleDesc(desc);
		ereport(ERROR,
				(errcode(RT_NO_EVENT),
				 errmsg("the row is not that of an event: it has no column \"%s\"",
						event_column_names[shape.kind[EC_ID] == EK_ABSENT ? EC_ID : EC_TYPE]),
				 errhint("Give a row of routing.event, of consumer_next() or of event_since().")));
	}

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	event_row_load(&row, &shape, &tuple, desc);
	ReleaseTupleDesc(desc);
	if (row.type.data == NULL || event_column(&row, EC_ID, &id) == EK_ABSENT)
		PG_RETURN_NULL();

	style.source = event_source_effective();
	style.type_prefix = guc_event_type_prefix;
	style.epoch = -1;
	style.by_ref = false;
	style.max_bytes = EVENT_MAX_BYTES;
	initStringInfo(&out);
	(void) event_write_cloudevent(&out, &row, &style, NULL);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
