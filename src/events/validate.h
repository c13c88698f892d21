/*
 * validate.h
 *		Payloads against the catalog of event types.
 */
#ifndef ROUTING_EVENTS_VALIDATE_H
#define ROUTING_EVENTS_VALIDATE_H

#include "base/compat.h"
#include "utils/jsonb.h"

typedef enum EventValidate
{
	EVENT_VALIDATE_OFF,
	EVENT_VALIDATE_WARN,
	EVENT_VALIDATE_ERROR
} EventValidate;

extern int	guc_event_validate;

extern void validate_define_settings(void);
extern int32 event_schemaversion(const char *type);
extern void event_check_payload(const char *type, int32 schemaversion, Jsonb *payload);

static inline void
event_validate(const char *type, int32 schemaversion, Jsonb *payload)
{
	if (guc_event_validate != EVENT_VALIDATE_OFF)
		event_check_payload(type, schemaversion, payload);
}

#endif							/* ROUTING_EVENTS_VALIDATE_H */
