/*
 * append.h
 *		Writing events.
 */
#ifndef ROUTING_EVENTS_APPEND_H
#define ROUTING_EVENTS_APPEND_H

#include "base/json.h"
#include "events/uuid.h"

/* events of one decision or settlement, written together */
typedef struct EventBatch
{
	int			n;
	int			capacity;
	struct PendingEvent *events;
	TimestampTz now;			/* of its ids */
	bool		has_cause;		/* the event that is the cause of those added from now on */
	pg_uuid_t	cause;
} EventBatch;

extern void event_add(EventBatch *batch, int32 tenant_id, const char *aggregate,
					  const char *aggregate_id, int64 version, const char *type,
					  TimestampTz occurred_at, const char *correlation_id, Jsonb *payload);
extern void events_write(EventBatch *batch);

#endif							/* ROUTING_EVENTS_APPEND_H */
