/*
 * envelope.h
 *		The text in which an event leaves: a CloudEvents envelope, or the
 *		columns of its row.
 */
#ifndef ROUTING_EVENTS_ENVELOPE_H
#define ROUTING_EVENTS_ENVELOPE_H

#include "events/event_row.h"

#include "access/xlogdefs.h"

/* what is the same for all events of a stream; texts of URI characters */
typedef struct EventStyle
{
	const char *source;			/* ":<tenant>" is appended */
	const char *type_prefix;
	int			epoch;			/* -1: that of the row */
	bool		by_ref;
	int			max_bytes;		/* of the payload's text */
} EventStyle;

/* where the event is in the log */
typedef struct EventPlace
{
	XLogRecPtr	commit_lsn;
	XLogRecPtr	end_lsn;
	uint64		index;			/* of all events of the transaction, from 1 */
} EventPlace;

#define EVENT_MAX_BYTES			65536
#define EVENT_MAX_MAX_BYTES		16777216

extern char *guc_event_type_prefix;

extern int	event_write_cloudevent(StringInfo out, const EventRow *row, const EventStyle *style,
								   const EventPlace *place);
extern int	event_write_row(StringInfo out, const EventRow *row, const EventStyle *style,
							const EventPlace *place);

extern void envelope_define_settings(void);
extern const char *event_source_problem(const char *value);
extern const char *event_type_prefix_problem(const char *value);
extern char *event_source_effective(void);

#endif							/* ROUTING_EVENTS_ENVELOPE_H */
