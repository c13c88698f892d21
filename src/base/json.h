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

typedef struct JsonWriter
{
	JsonbParseState *state;
	JsonbValue *result;
} JsonWriter;

extern void json_begin_object(JsonWriter *w);
extern void json_end_object(JsonWriter *w);
extern void json_begin_array(JsonWriter *w);
extern void json_end_array(JsonWriter *w);
extern void json_key(JsonWriter *w, const char *key);
extern void json_text(JsonWriter *w, const char *value);
extern void json_int(JsonWriter *w, int64 value);
extern void json_bool(JsonWriter *w, bool value);
extern void json_scaled(JsonWriter *w, int64 value);
extern void json_date(JsonWriter *w, DateADT value);
extern void json_time(JsonWriter *w, TimestampTz value);
extern Jsonb *json_result(JsonWriter *w);

/* a member of an object in one call; a NULL text is left out */
extern void json_key_text(JsonWriter *w, const char *key, const char *value);
extern void json_key_int(JsonWriter *w, const char *key, int64 value);
extern void json_key_bool(JsonWriter *w, const char *key, bool value);
extern void json_key_scaled(JsonWriter *w, const char *key, int64 value);
extern void json_key_date(JsonWriter *w, const char *key, DateADT value);

/* reading: members of an object; NULL when absent or JSON null */
extern JsonbValue *json_get(JsonbContainer *object, const char *key);
extern char *json_value_text(const JsonbValue *value);
extern char *date_text(DateADT value);
extern char *time_text(TimestampTz value);

#endif							/* ROUTING_BASE_JSON_H */
