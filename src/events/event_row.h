/*
 * event_row.h
 *		The row of an event, taken apart.
 */
#ifndef ROUTING_EVENTS_EVENT_ROW_H
#define ROUTING_EVENTS_EVENT_ROW_H

#include "base/compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "lib/stringinfo.h"

/* columns of an event that leave, in the order of format "row" */
typedef enum EventColumn
{
	EC_TENANT_ID, EC_SEQ, EC_PART_ON, EC_RECORDED_AT, EC_EVENT_TS, EC_ID, EC_EPOCH, EC_TENANTID,
	EC_AGGREGATETYPE, EC_AGGREGATEID, EC_AGGREGATEVERSION, EC_TYPE, EC_SCHEMAVERSION,
	EC_OCCURRED_AT, EC_CORRELATIONID, EC_CAUSATIONID, EC_TRACEPARENT, EC_TRACESTATE,
	EC_TRACINGSPANCONTEXT, EC_PAYLOAD,
	EC_NCOLS
} EventColumn;

/* how a value is to be read; other types count as absent */
typedef enum EventKind
{
	EK_ABSENT, EK_TEXT, EK_INT2, EK_INT4, EK_INT8, EK_UUID, EK_DATE, EK_TIME, EK_JSONB
} EventKind;

/* where a relation has those columns, and room for its tuples */
typedef struct EventShape
{
	int			natts;
	int16		attno[EC_NCOLS];	/* from 0 */
	uint8		kind[EC_NCOLS];
	Datum	   *values;
	bool	   *nulls;
} EventShape;

/* NULL if absent or empty */
typedef struct EventText
{
	const char *data;
	int			len;
} EventText;

typedef struct EventRow
{
	const EventShape *shape;
	EventText	type,
				aggregatetype,
				aggregateid,
				tenantid;
} EventRow;

extern const char *const event_column_names[EC_NCOLS];

extern void event_shape_init(EventShape *shape, TupleDesc desc);
extern void event_shape_free(EventShape *shape);
extern void event_row_load(EventRow *row, const EventShape *shape, HeapTuple tuple, TupleDesc desc);
extern EventKind event_column(const EventRow *row, EventColumn c, Datum *value);
extern int64 event_value_size(Datum value);
extern EventText event_text(const EventRow *row, EventColumn c);
extern bool event_int(const EventRow *row, EventColumn c, int64 *result);
extern bool put_event_column(StringInfo out, const EventRow *row, EventColumn c);
extern int32 event_hash(const EventText *aggregateid);

#endif							/* ROUTING_EVENTS_EVENT_ROW_H */
