/*
 * schema.h
 *		Checking documents against JSON Schemas.
 */
#ifndef ROUTING_EVENTS_SCHEMA_H
#define ROUTING_EVENTS_SCHEMA_H

#include "base/compat.h"
#include "utils/jsonb.h"

typedef struct Schema Schema;

extern const Schema *schema_compile(Jsonb *document, char **problem);
extern char *schema_problem(const Schema *schema, Jsonb *document);

#endif							/* ROUTING_EVENTS_SCHEMA_H */
