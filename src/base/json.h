/*
 * json.h
 *		Writing and reading jsonb without a detour over text.
 */
#ifndef ROUTING_BASE_JSON_H
#define ROUTING_BASE_JSON_H

#include "base/compat.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/*
 * A document as it is written: its values one after the other, those of a
 * container after the container.  What a text or a key points to must stay
 * until json_result(); a key is a constant, or given with json_made_key().
 */
typedef struct JsonNode
{
	const char *key;			/* NULL in an array */
	const char *value;
	uint32		keylen;
	uint32		len;			/* of the text or the numeric */
	int			type;			/* enum jbvType */
	bool		boolean;
	/* of a container: */
	int			parent;			/* the open one when this was begun */
	int			n;				/* how many it has itself */
	int			size;			/* nodes in it, and itself */
} JsonNode;

typedef struct JsonWriter
{
	JsonNode   *nodes;
	int			nnodes;
	int			capacity;
	int			open;			/* the container that is written */
	const char *key;			/* of the next member */
	uint32		keylen;
	bool		made_keys;		/* keys that are no constants */
	Size		bytes;			/* at most, of the document */
	char	   *room;			/* for texts made here */
	int			left;
} JsonWriter;

extern void json_begin_object(JsonWriter *w);
extern void json_end_object(JsonWriter *w);
extern void json_begin_array(JsonWriter *w);
extern void json_end_array(JsonWriter *w);
extern void json_string(JsonWriter *w, const char *value, uint32 len);
extern void json_int(JsonWriter *w, int64 value);
extern void json_int_text(JsonWriter *w, int64 value);
extern void json_part_text(JsonWriter *w, int32 line_no, int32 part);
extern void json_bool(JsonWriter *w, bool value);
extern void json_scaled(JsonWriter *w, int64 value);
extern void json_date(JsonWriter *w, DateADT value);
extern void json_time(JsonWriter *w, TimestampTz value);
extern Jsonb *json_result(JsonWriter *w);

/* inline, so that the compiler counts the constant ones */
static inline void
json_text(JsonWriter *w, const char *value)
{
	json_string(w, value, strlen(value));
}

static inline void
json_key(JsonWriter *w, const char *key)
{
	w->key = key;
	w->keylen = strlen(key);	/* of a constant: known to the compiler */
}

static inline void
json_made_key(JsonWriter *w, const char *key)
{
	json_key(w, key);
	w->made_keys = true;
}

/* a member of an object in one call; a NULL text is left out */
static inline void
json_key_text(JsonWriter *w, const char *key, const char *value)
{
	if (value == NULL)
		return;
	json_key(w, key);
	json_text(w, value);
}

static inline void
json_key_int(JsonWriter *w, const char *key, int64 value)
{
	json_key(w, key);
	json_int(w, value);
}

static inline void
json_key_bool(JsonWriter *w, const char *key, bool value)
{
	json_key(w, key);
	json_bool(w, value);
}

static inline void
json_key_scaled(JsonWriter *w, const char *key, int64 value)
{
	json_key(w, key);
	json_scaled(w, value);
}

static inline void
json_key_date(JsonWriter *w, const char *key, DateADT value)
{
	json_key(w, key);
	json_date(w, value);
}

/* reading: members of an object; NULL when absent or JSON null */
extern JsonbValue *json_get(JsonbContainer *object, const char *key);
extern char *json_value_text(const JsonbValue *value);
extern char *date_text(DateADT value);
extern char *time_text(TimestampTz value);

#endif							/* ROUTING_BASE_JSON_H */
