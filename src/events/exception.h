/*
 * exception.h
 *		What a person or a rule must act on, and the events that tell of it.
 */
#ifndef ROUTING_EVENTS_EXCEPTION_H
#define ROUTING_EVENTS_EXCEPTION_H

#include "events/append.h"

/* what an exception is about; NULL and 0 are null in its row */
typedef struct ExceptionCase
{
	int32		tenant_id;
	const char *type;
	const char *order_id;
	int			line_no;
	const char *item;
	const char *node;
} ExceptionCase;

/* what is done if one is open already */
typedef enum ExceptionMode
{
	EXCEPTION_CHANGE,			/* it gets the new facts */
	EXCEPTION_CHANGE_FREE,		/* the same, unless somebody holds its row: then another is opened */
	EXCEPTION_KEEP,				/* it stays as it is; of an order's one at that node */
	EXCEPTION_ANOTHER			/* another is opened */
} ExceptionMode;

/*
 * Statements that resolve exceptions by conditions of their own: between the
 * two come the conditions on "e" and nothing else.  Each row's last column is
 * how it was resolved.  exceptions_tell_resolved() then reads what SPI has.
 */
#define RESOLVE_EXCEPTIONS \
	"UPDATE routing.exception e SET state = 'resolved', event_version = event_version + 1 WHERE e.state = 'open' AND "
#define RESOLVED_EXCEPTIONS \
	" RETURNING e.exception_id, e.event_version, e.opened_at, e.type, e.order_id, e.line_no, e.item, e.node, "

extern void exception_put(EventBatch *events, const ExceptionCase *about, Jsonb *facts, ExceptionMode mode,
						  TimestampTz clock);
extern void exception_resolve(EventBatch *events, const ExceptionCase *about, TimestampTz clock);
extern void exceptions_tell_resolved(EventBatch *events, int32 tenant_id, int n, TimestampTz clock);

#endif							/* ROUTING_EVENTS_EXCEPTION_H */
