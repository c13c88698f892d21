/*
 * trace.h
 *		Where an event comes from, as the caller says: correlation, cause, trace.
 */
#ifndef ROUTING_EVENTS_TRACE_H
#define ROUTING_EVENTS_TRACE_H

#include "events/uuid.h"

typedef struct TraceContext
{
	bool		has_cause;
	pg_uuid_t	cause;			/* routing.causation_id */
	const char *traceparent;	/* NULL: none */
	const char *tracestate;
	const char *span_context;	/* both in the form of a properties file */
} TraceContext;

extern char *guc_correlation_id;

extern void trace_define_settings(void);
extern void trace_context(TraceContext *trace);

#endif							/* ROUTING_EVENTS_TRACE_H */
