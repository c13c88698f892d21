/*
 * json_text.h
 *		JSON as text, written into one buffer.
 *
 * What is written need not end with a NUL byte; appendBinaryStringInfo() and
 * put_bytes() may be mixed.
 */
#ifndef ROUTING_EVENTS_JSON_TEXT_H
#define ROUTING_EVENTS_JSON_TEXT_H

#include "base/compat.h"
#include "lib/stringinfo.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

static inline void
put_bytes(StringInfo out, const char *bytes, int n)
{
	if (out->len + n >= out->maxlen)
		enlargeStringInfo(out, n);
	memcpy(out->data + out->len, bytes, n);
	out->len += n;
}

/* of a constant: its length is known to the compiler */
#define put_literal(out, literal) put_bytes((out), (literal), sizeof(literal) - 1)

extern void put_escaped(StringInfo out, const char *s, int len);
extern void put_uri(StringInfo out, const char *s, int len);
extern void put_int(StringInfo out, int64 value);
extern void put_digits(StringInfo out, uint64 value, int width);
extern void put_hex(StringInfo out, uint64 value, int width);
extern void put_lsn(StringInfo out, uint64 lsn);
extern void put_uuid(StringInfo out, const pg_uuid_t *uuid);
extern bool put_date(StringInfo out, DateADT date);
extern bool put_time(StringInfo out, TimestampTz time);
extern bool put_jsonb(StringInfo out, Jsonb *jb, int limit);

/* a JSON string with its quotes */
static inline void
put_string(StringInfo out, const char *s, int len)
{
	put_literal(out, "\"");
	put_escaped(out, s, len);
	put_literal(out, "\"");
}

#endif							/* ROUTING_EVENTS_JSON_TEXT_H */
