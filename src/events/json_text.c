/*
 * json_text.c
 *		JSON as text, written into one buffer.
 *
 * A stream of events is mostly this text, so nothing here asks for memory but
 * numeric_out() and very deep documents.
 */
#include "events/json_text.h"

#include "datatype/timestamp.h"
#include "utils/datetime.h"
#include "utils/numeric.h"

static const char hex_digits[] = "0123456789abcdef";

/*
 * The inside of a JSON string, escaped as escape_json() does it.  What needs no
 * escape is copied in runs.
 */
void
put_escaped(StringInfo out, const char *s, int len)
{
	const char *end = s + len;
	const char *run = s;

	for (; s < end; s++)
	{
		unsigned char c = (unsigned char) *s;
		char		escape[6] = "\\u00";
		int			n = 2;

		if (likely(c >= ' ' && c != '"' && c != '\\'))
			continue;
		put_bytes(out, run, s - run);
		run = s + 1;
		switch (c)
		{
			case '\b':
				escape[1] = 'b';
				break;
			case '\f':
				escape[1] = 'f';
				break;
			case '\n':
				escape[1] = 'n';
				break;
			case '\r':
				escape[1] = 'r';
				break;
			case '\t':
				escape[1] = 't';
				break;
			case '"':
			case '\\':
				escape[1] = (char) c;
				break;
			default:
				escape[4] = hex_digits[c >> 4];
				escape[5] = hex_digits[c & 15];
				n = 6;
		}
		put_bytes(out, escape, n);
	}
	put_bytes(out, run, s - run);
}

/* A part of a URI: all but the unreserved characters (RFC 3986) as %XX. */
void
put_uri(StringInfo out, const char *s, int len)
{
	for (int i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) s[i];
		char		escape[3] = "%";

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~')
		{
			put_bytes(out, s + i, 1);
			continue;
		}
		escape[1] = "0123456789ABCDEF"[c >> 4];
		escape[2] = "0123456789ABCDEF"[c & 15];
		put_bytes(out, escape, 3);
	}
}

void
put_int(StringInfo out, int64 value)
{
	char		text[MAXINT8LEN + 1];

	put_bytes(out, text, pg_lltoa(value, text));
}

/* with zeros before it; a value of more digits is written in full */
void
put_digits(StringInfo out, uint64 value, int width)
{
	char		text[20];
	int			at = sizeof(text);

	do
	{
		text[--at] = '0' + value % 10;
		value /= 10;
	} while (value > 0);
	while ((int) sizeof(text) - at < width)
		text[--at] = '0';
	put_bytes(out, text + at, sizeof(text) - at);
}

/* upper case, as LSNs are written */
void
put_hex(StringInfo out, uint64 value, int width)
{
	char		text[16];
	int			at = sizeof(text);

	do
	{
		text[--at] = "0123456789ABCDEF"[value & 15];
		value >>= 4;
	} while (value > 0);
	while ((int) sizeof(text) - at < width)
		text[--at] = '0';
	put_bytes(out, text + at, sizeof(text) - at);
}

void
put_lsn(StringInfo out, uint64 lsn)
{
	put_hex(out, lsn >> 32, 1);
	put_literal(out, "/");
	put_hex(out, (uint32) lsn, 1);
}

void
put_uuid(StringInfo out, const pg_uuid_t *uuid)
{
	char		text[36];
	int			at = 0;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		text[at++] = hex_digits[uuid->data[i] >> 4];
		text[at++] = hex_digits[uuid->data[i] & 15];
	}
	put_bytes(out, text, at);
}

static inline char *
two_digits(char *p, int value)
{
	*p++ = '0' + value / 10;
	*p++ = '0' + value % 10;
	return p;
}

/* Days since 2000 as YYYY-MM-DD; no date of RFC 3339: NULL */
static char *
write_day(char *p, int64 days)
{
	int			y,
				m,
				d;

	/* 0001-01-01 to 9999-12-31 */
	if (days < -730119 || days > 2921939)
		return NULL;
	j2date((int) days + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	p = two_digits(p, y / 100);
	p = two_digits(p, y % 100);
	*p++ = '-';
	p = two_digits(p, m);
	*p++ = '-';
	return two_digits(p, d);
}

/* YYYY-MM-DD; false, and nothing written, if the date has no such text */
bool
put_date(StringInfo out, DateADT date)
{
	char		text[10];

	if (DATE_NOT_FINITE(date) || write_day(text, date) == NULL)
		return false;
	put_bytes(out, text, sizeof(text));
	return true;
}

/* RFC 3339 in UTC with microseconds; false as with put_date() */
bool
put_time(StringInfo out, TimestampTz time)
{
	char		text[27];
	char	   *p;
	int64		days = time / USECS_PER_DAY;
	int64		usecs = time % USECS_PER_DAY;
	int			fraction;

	if (TIMESTAMP_NOT_FINITE(time))
		return false;
	if (usecs < 0)
	{
		usecs += USECS_PER_DAY;
		days--;
	}
	p = write_day(text, days);
	if (p == NULL)
		return false;
	*p++ = 'T';
	p = two_digits(p, usecs / USECS_PER_HOUR);
	*p++ = ':';
	p = two_digits(p, usecs / USECS_PER_MINUTE % 60);
	*p++ = ':';
	p = two_digits(p, usecs / USECS_PER_SEC % 60);
	*p++ = '.';
	fraction = usecs % USECS_PER_SEC;
	p = two_digits(p, fraction / 10000);
	p = two_digits(p, fraction / 100 % 100);
	p = two_digits(p, fraction % 100);
	*p++ = 'Z';
	put_bytes(out, text, p - text);
	return true;
}

/* a container that is being written */
typedef struct Level
{
	JsonbContainer *container;
	char	   *base;			/* of the variable-length parts */
	uint32		key_at,			/* offsets from it */
				value_at;
	uint32		i,
				n;
	bool		object;
} Level;

static void
begin_container(StringInfo out, Level *level, JsonbContainer *container)
{
	level->container = container;
	level->n = JsonContainerSize(container);
	level->object = JsonContainerIsObject(container);
	level->i = 0;
	level->key_at = 0;
	level->value_at = level->object ? getJsonbOffset(container, level->n) : 0;
	level->base = (char *) &container->children[level->object ? 2 * level->n : level->n];
	if (!JsonContainerIsScalar(container))
		put_bytes(out, level->object ? "{" : "[", 1);
}

/* Length of entry "index", whose data begins at "at"; moves "at" behind it. */
static inline uint32
entry_length(const JsonbContainer *container, uint32 index, uint32 *at)
{
	JEntry		entry = container->children[index];
	uint32		len = JBE_OFFLENFLD(entry);

	if (JBE_HAS_OFF(entry))
		len -= *at;
	*at += len;
	return len;
}

/*
 * The document's text, the same as jsonb_out() makes; false, and nothing
 * written, if it has more than "limit" bytes.
 *
 * It is written here because a document of a few kilobytes can have a text of
 * more than a buffer holds (numbers with 100,000 zeros), and an error in the
 * stream would come again and again: so the limit must hold while writing.
 */
bool
put_jsonb(StringInfo out, Jsonb *jb, int limit)
{
	Level		first[16];
	Level	   *levels = first;
	int			capacity = lengthof(first);
	int			depth = 0;
	int			start = out->len;
	bool		fits = true;

	begin_container(out, &levels[0], &jb->root);
	for (;;)
	{
		Level	   *l = &levels[depth];
		JEntry		entry;
		uint32		at,
					len;

		if (out->len - start > limit)
		{
			fits = false;
			break;
		}
		if (l->i == l->n)
		{
			if (!JsonContainerIsScalar(l->container))
				put_bytes(out, l->object ? "}" : "]", 1);
			if (depth == 0)
				break;
			depth--;
			continue;
		}
		if (l->i > 0)
			put_literal(out, ", ");
		if (l->object)
		{
			at = l->key_at;
			len = entry_length(l->container, l->i, &l->key_at);
			if (len > (uint32) limit)
			{
				fits = false;
				break;
			}
			put_string(out, l->base + at, len);
			put_literal(out, ": ");
		}
		at = l->value_at;
		entry = l->container->children[l->object ? l->n + l->i : l->i];
		len = entry_length(l->container, l->object ? l->n + l->i : l->i, &l->value_at);
		l->i++;
		if (JBE_ISSTRING(entry))
		{
			if (len > (uint32) limit)
			{
				fits = false;
				break;
			}
			put_string(out, l->base + at, len);
		}
		else if (JBE_ISNUMERIC(entry))
		{
			char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out,
																   PointerGetDatum(l->base + INTALIGN(at))));

			put_bytes(out, text, strlen(text));
			pfree(text);
		}
		else if (JBE_ISBOOL_TRUE(entry))
			put_literal(out, "true");
		else if (JBE_ISBOOL_FALSE(entry))
			put_literal(out, "false");
		else if (JBE_ISNULL(entry))
			put_literal(out, "null");
		else
		{
			JsonbContainer *inner = (JsonbContainer *) (l->base + INTALIGN(at));

			if (++depth == capacity)
			{
				Level	   *more = palloc(sizeof(Level) * capacity * 2);

				memcpy(more, levels, sizeof(Level) * capacity);
				if (levels != first)
					pfree(levels);
				levels = more;
				capacity *= 2;
			}
			begin_container(out, &levels[depth], inner);
		}
	}
	if (fits && out->len - start > limit)
		fits = false;
	if (!fits)
		out->len = start;
	if (levels != first)
		pfree(levels);
	return fits;
}
