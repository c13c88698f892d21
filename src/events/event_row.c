/*
 * event_row.c
 *		The row of an event, taken apart.
 *
 * Columns are found by name and by a type that is known here; what is missing,
 * null or cannot be written is absent, and nothing is an error.
 */
#include "events/event_row.h"

#include "events/json_text.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"

/*
 * A text longer than this is no identifier but an accident, and counts as
 * absent; CloudEvents are forwarded up to this size as a whole.
 */
#define MAX_TEXT		65536

const char *const event_column_names[EC_NCOLS] = {
	"tenant_id", "seq", "part_on", "recorded_at", "event_ts", "id", "epoch", "tenantid",
	"aggregatetype", "aggregateid", "aggregateversion", "type", "schemaversion",
	"occurred_at", "correlationid", "causationid", "traceparent", "tracestate",
	"tracingspancontext", "payload"
};

static EventKind
kind_of_type(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return EK_TEXT;
		case INT2OID:
			return EK_INT2;
		case INT4OID:
			return EK_INT4;
		case INT8OID:
			return EK_INT8;
		case UUIDOID:
			return EK_UUID;
		case DATEOID:
			return EK_DATE;
		case TIMESTAMPOID:		/* holds UTC, so it is the same number */
		case TIMESTAMPTZOID:
			return EK_TIME;
		case JSONBOID:
			return EK_JSONB;
		default:
			return EK_ABSENT;
	}
}

/* Find the columns by name; memory of the current context. */
void
event_shape_init(EventShape *shape, TupleDesc desc)
{
	shape->natts = desc->natts;
	shape->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	shape->nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	for (int c = 0; c < EC_NCOLS; c++)
	{
		shape->attno[c] = -1;
		shape->kind[c] = EK_ABSENT;
		for (int i = 0; i < desc->natts; i++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, i);

			if (!att->attisdropped && strcmp(NameStr(att->attname), event_column_names[c]) == 0)
			{
				shape->attno[c] = i;
				shape->kind[c] = kind_of_type(att->atttypid);
				break;
			}
		}
	}
}

void
event_shape_free(EventShape *shape)
{
	if (shape->values != NULL)
	{
		pfree(shape->values);
		pfree(shape->nulls);
		shape->values = NULL;
		shape->nulls = NULL;
	}
}

/* The value of a column, and how to read it. */
EventKind
event_column(const EventRow *row, EventColumn c, Datum *value)
{
	const EventShape *shape = row->shape;

	if (shape->kind[c] == EK_ABSENT || shape->nulls[shape->attno[c]])
		return EK_ABSENT;
	*value = shape->values[shape->attno[c]];
	return shape->kind[c];
}

/*
 * Size of a value of variable length; -1 if it is in a TOAST table, which
 * cannot be read here (what the log carries has been put together before).
 */
int64
event_value_size(Datum value)
{
	if (VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
		return -1;
	return (int64) toast_raw_datum_size(value) - VARHDRSZ;
}

static EventText
text_of(Datum value)
{
	EventText	text = {NULL, 0};
	int64		size = event_value_size(value);
	struct varlena *v;

	if (size <= 0 || size > MAX_TEXT)
		return text;
	v = PG_DETOAST_DATUM_PACKED(value);
	text.data = VARDATA_ANY(v);
	text.len = VARSIZE_ANY_EXHDR(v);
	return text;
}

EventText
event_text(const EventRow *row, EventColumn c)
{
	EventText	text = {NULL, 0};
	Datum		value;

	if (event_column(row, c, &value) == EK_TEXT)
		text = text_of(value);
	return text;
}

/*
 * Take a tuple apart.  The row is valid until the shape's next tuple and while
 * the current memory context is.
 */
void
event_row_load(EventRow *row, const EventShape *shape, HeapTuple tuple, TupleDesc desc)
{
	Assert(desc->natts == shape->natts);
	heap_deform_tuple(tuple, desc, shape->values, shape->nulls);
	row->shape = shape;
	row->type = event_text(row, EC_TYPE);
	row->aggregatetype = event_text(row, EC_AGGREGATETYPE);
	row->aggregateid = event_text(row, EC_AGGREGATEID);
	row->tenantid = event_text(row, EC_TENANTID);
}

/*
 * What streams are divided by: a promise to consumers, never to be changed.
 * The low 31 bits of hash_bytes() of the text, which is what hashtext() has; 0
 * of what counts as absent.
 */
int32
event_hash(const EventText *aggregateid)
{
	if (aggregateid->data == NULL)
		return 0;
	return (int32) (hash_bytes((const unsigned char *) aggregateid->data, aggregateid->len) & 0x7fffffff);
}

bool
event_int(const EventRow *row, EventColumn c, int64 *result)
{
	Datum		value;

	switch (event_column(row, c, &value))
	{
		case EK_INT2:
			*result = DatumGetInt16(value);
			return true;
		case EK_INT4:
			*result = DatumGetInt32(value);
			return true;
		case EK_INT8:
			*result = DatumGetInt64(value);
			return true;
		default:
			return false;
	}
}

/*
 * The value as JSON: numbers of 64 bits as strings, because many readers of
 * JSON have no such numbers.  False, and nothing written, if there is none.
 */
bool
put_event_column(StringInfo out, const EventRow *row, EventColumn c)
{
	int			start = out->len;
	Datum		value;
	EventKind	kind = event_column(row, c, &value);
	EventText	text;
	bool		written = true;

	switch (kind)
	{
		case EK_TEXT:
			text = text_of(value);
			if (text.data == NULL)
				return false;
			put_string(out, text.data, text.len);
			return true;
		case EK_INT2:
			put_int(out, DatumGetInt16(value));
			return true;
		case EK_INT4:
			put_int(out, DatumGetInt32(value));
			return true;
		case EK_INT8:
		case EK_UUID:
		case EK_DATE:
		case EK_TIME:
			put_literal(out, "\"");
			if (kind == EK_INT8)
				put_int(out, DatumGetInt64(value));
			else if (kind == EK_UUID)
				put_uuid(out, DatumGetUUIDP(value));
			else if (kind == EK_DATE)
				written = put_date(out, DatumGetDateADT(value));
			else
				written = put_time(out, DatumGetTimestampTz(value));
			put_literal(out, "\"");
			if (!written)
				out->len = start;
			return written;
		default:
			return false;
	}
}

PG_FUNCTION_INFO_V1(routing_event_hash);

/* SQL: the hash by which option "partition" divides. */
Datum
routing_event_hash(PG_FUNCTION_ARGS)
{
	text	   *aggregateid = PG_GETARG_TEXT_PP(0);
	EventText	text;

	text.len = VARSIZE_ANY_EXHDR(aggregateid);
	text.data = text.len > 0 && text.len <= MAX_TEXT ? VARDATA_ANY(aggregateid) : NULL;
	PG_RETURN_INT32(event_hash(&text));
}
