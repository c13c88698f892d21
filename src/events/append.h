/*
 * append.h
 *		Writing events.
 */
#ifndef ROUTING_EVENTS_APPEND_H
#define ROUTING_EVENTS_APPEND_H

#include "base/json.h"
#include "events/uuid.h"

/* the event that others are a consequence of, if any */
typedef struct EventCause
{
	bool		known;
	pg_uuid_t	id;
} EventCause;

/* events of one decision or settlement, written together */
typedef struct EventBatch
{
	int			n;
	int			capacity;
	struct PendingEvent *events;
	TimestampTz now;			/* of its ids */
	bool		only_tenant;	/* ids of aggregates need no prefix */
	EventCause	cause;			/* of the events that are added from now on */
} EventBatch;

extern void event_add(EventBatch *batch, int32 tenant_id, const char *aggregate,
					  const char *aggregate_id, int64 version, const char *type,
					  TimestampTz occurred_at, const char *correlation_id, Jsonb *payload);
extern EventCause event_cause_is_last(EventBatch *batch);
extern void events_write(EventBatch *batch);

#endif							/* ROUTING_EVENTS_APPEND_H */
