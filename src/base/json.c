/*
 * json.c
 *		Writing and reading jsonb.
 *
 * Payload rules (doc/events.md): quantities, money and dates are strings,
 * absent members are left out, times are RFC 3339 in UTC whatever the
 * session's DateStyle says.
 */
#include "base/json.h"

#include "base/quantity.h"
#include "pgtime.h"

static void
push(JsonWriter *w, JsonbIteratorToken token, JsonbValue *value)
{
	w->result = pushJsonbValue(&w->state, token, value);
}

/* A value stands after a key in an object, else it is an element. */
static void
push_scalar(JsonWriter *w, JsonbValue *value)
{
	push(w, w->state->contVal.type == jbvObject ? WJB_VALUE : WJB_ELEM, value);
}

void
json_begin_object(JsonWriter *w)
{
	push(w, WJB_BEGIN_OBJECT, NULL);
}

/*
 * jsonb keeps members by length of the key, then by its bytes.  Sorting the
 * few that an object has here, without calls, spares most of what the general
 * sort would cost, which only finds that nothing is left to do.
 */
static void
sort_members(JsonbValue *object)
{
	JsonbPair  *pairs = object->val.object.pairs;

	for (int i = 1; i < object->val.object.nPairs; i++)
	{
		JsonbPair	own = pairs[i];
		int			len = own.key.val.string.len;
		int			j = i;

		while (j > 0 && (pairs[j - 1].key.val.string.len > len ||
						 (pairs[j - 1].key.val.string.len == len &&
						  memcmp(pairs[j - 1].key.val.string.val, own.key.val.string.val, len) > 0)))
		{
			pairs[j] = pairs[j - 1];
			j--;
		}
		if (j < i)
			pairs[j] = own;
	}
}

void
json_end_object(JsonWriter *w)
{
	sort_members(&w->state->contVal);
	push(w, WJB_END_OBJECT, NULL);
}

void
json_begin_array(JsonWriter *w)
{
	push(w, WJB_BEGIN_ARRAY, NULL);
}

void
json_end_array(JsonWriter *w)
{
	push(w, WJB_END_ARRAY, NULL);
}

void
json_key(JsonWriter *w, const char *key)
{
	JsonbValue	v;

	v.type = jbvString;
	v.val.string.val = unconstify(char *, key);
	v.val.string.len = strlen(key);
	push(w, WJB_KEY, &v);
}

void
json_text(JsonWriter *w, const char *value)
{
	JsonbValue	v;

	v.type = jbvString;
	v.val.string.val = unconstify(char *, value);
	v.val.string.len = strlen(value);
	push_scalar(w, &v);
}

void
json_int(JsonWriter *w, int64 value)
{
	JsonbValue	v;

	v.type = jbvNumeric;
	v.val.numeric = int64_to_numeric(value);
	push_scalar(w, &v);
}

void
json_bool(JsonWriter *w, bool value)
{
	JsonbValue	v;

	v.type = jbvBool;
	v.val.boolean = value;
	push_scalar(w, &v);
}

/* A quantity or an amount of money: a decimal string. */
void
json_scaled(JsonWriter *w, int64 value)
{
	json_text(w, scaled_to_text(value));
}

void
json_date(JsonWriter *w, DateADT value)
{
	json_text(w, date_text(value));
}

void
json_time(JsonWriter *w, TimestampTz value)
{
	json_text(w, time_text(value));
}

/* The finished document. */
Jsonb *
json_result(JsonWriter *w)
{
	return JsonbValueToJsonb(w->result);
}

void
json_key_text(JsonWriter *w, const char *key, const char *value)
{
	if (value == NULL)
		return;
	json_key(w, key);
	json_text(w, value);
}

void
json_key_int(JsonWriter *w, const char *key, int64 value)
{
	json_key(w, key);
	json_int(w, value);
}

void
json_key_bool(JsonWriter *w, const char *key, bool value)
{
	json_key(w, key);
	json_bool(w, value);
}

void
json_key_scaled(JsonWriter *w, const char *key, int64 value)
{
	json_key(w, key);
	json_scaled(w, value);
}

void
json_key_date(JsonWriter *w, const char *key, DateADT value)
{
	json_key(w, key);
	json_date(w, value);
}

/* Member of an object, or NULL when it is absent or null. */
JsonbValue *
json_get(JsonbContainer *object, const char *key)
{
	JsonbValue *v = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	return (v == NULL || v->type == jbvNull) ? NULL : v;
}

/* A string or number as text, NULL for anything else. */
char *
json_value_text(const JsonbValue *value)
{
	if (value == NULL)
		return NULL;
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

/* ISO date. */
char *
date_text(DateADT value)
{
	int			y,
				m,
				d;
	char		buf[16];
	char	   *p;

	if (DATE_IS_NOBEGIN(value))
		return pstrdup("-infinity");
	if (DATE_IS_NOEND(value))
		return pstrdup("infinity");
	j2date(value + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	if (y < 1000 || y > 9999)
		return psprintf("%04d-%02d-%02d", y, m, d);
	p = buf + pg_ultoa_n((uint32) y, buf);
	*p++ = '-';
	p = pg_ultostr_zeropad(p, (uint32) m, 2);
	*p++ = '-';
	p = pg_ultostr_zeropad(p, (uint32) d, 2);
	*p = '\0';
	return pstrdup(buf);
}

/* RFC 3339 in UTC with microseconds. */
char *
time_text(TimestampTz value)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(value, NULL, &tm, &fsec, NULL, NULL) != 0)
		return pstrdup("");
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
					tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fsec);
}
