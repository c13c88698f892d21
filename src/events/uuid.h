/*
 * uuid.h
 *		Ids of events.
 */
#ifndef ROUTING_EVENTS_UUID_H
#define ROUTING_EVENTS_UUID_H

#include "base/compat.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

extern void uuid_v7(pg_uuid_t *uuid, TimestampTz at);
extern bool uuid_parse(const char *text, pg_uuid_t *uuid);

#endif							/* ROUTING_EVENTS_UUID_H */
