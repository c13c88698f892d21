/*
 * schema_node.h
 *		What a JSON Schema is compiled to; for schema.c and schema_check.c only.
 */
#ifndef ROUTING_EVENTS_SCHEMA_NODE_H
#define ROUTING_EVENTS_SCHEMA_NODE_H

#include "events/schema.h"

#include "utils/numeric.h"

/* bits of Schema.types */
#define TYPE_NULL		0x01
#define TYPE_BOOLEAN	0x02
#define TYPE_NUMBER		0x04
#define TYPE_INTEGER	0x08
#define TYPE_STRING		0x10
#define TYPE_ARRAY		0x20
#define TYPE_OBJECT		0x40

#define SCHEMA_NTYPES	7

/* in the order of the bits */
extern const char *const schema_types[SCHEMA_NTYPES];

typedef struct Field
{
	const char *key;			/* not terminated */
	int			keylen;
	bool		required;
	struct Schema *schema;
} Field;

struct Schema
{
	int			types;			/* 0: any */
	struct Schema *ref;
	int			nfields;		/* in the order of jsonb */
	Field	   *fields;
	bool		closed;			/* no other fields */
	struct Schema *items;
	int64		min_items,
				max_items;
	int64		min_length,
				max_length;
	Numeric		minimum,
				maximum;
	int			nvalues;		/* 0: any value */
	JsonbValue *values;
	text	   *pattern;
};

extern bool schema_integer(Numeric n);

static inline bool
schema_container(const JsonbValue *value, bool object)
{
	return value->type == jbvBinary && (object ? JsonContainerIsObject(value->val.binary.data) :
										JsonContainerIsArray(value->val.binary.data));
}

#endif							/* ROUTING_EVENTS_SCHEMA_NODE_H */
