/*
 * streams.h
 *		Versions of the streams that no other row has.
 */
#ifndef ROUTING_EVENTS_STREAMS_H
#define ROUTING_EVENTS_STREAMS_H

#include "base/compat.h"

extern int64 event_stream_next(int32 tenant_id, const char *aggregate, const char *aggregate_id);

#endif							/* ROUTING_EVENTS_STREAMS_H */
