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
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/memutils.h"

#define FIRST_NODES		128
#define ROOM			1024
#define SMALL_INTS		64
#define DAYS_KNOWN		64
#define DATE_TEXT		10		/* 2026-11-21 */

static void
more_nodes(JsonWriter *w)
{
	w->capacity = w->capacity ? w->capacity * 2 : FIRST_NODES;
	w->nodes = w->nodes == NULL ? palloc(sizeof(JsonNode) * w->capacity) :
		repalloc_huge(w->nodes, sizeof(JsonNode) * w->capacity);
	if (w->nnodes == 0)
		w->nodes[0].n = 0;
}

/* A value in the open container; the first one is the document. */
static inline JsonNode *
add(JsonWriter *w, int type)
{
	JsonNode   *node;

	if (w->nnodes == w->capacity)
		more_nodes(w);
	node = &w->nodes[w->nnodes++];
	w->nodes[w->open].n++;
	node->key = w->key;
	node->keylen = w->keylen;
	node->type = type;
	/* two entries, a container's header, and what aligns it */
	w->bytes += w->keylen + 3 * sizeof(uint32) + 3;
	w->key = NULL;
	w->keylen = 0;
	return node;
}

static void
begin(JsonWriter *w, int type)
{
	JsonNode   *node = add(w, type);

	node->parent = w->open;
	node->n = 0;
	w->open = node - w->nodes;
}

static void
end(JsonWriter *w)
{
	JsonNode   *node = &w->nodes[w->open];

	node->size = w->nnodes - w->open;
	w->open = node->parent;
}

void
json_begin_object(JsonWriter *w)
{
	begin(w, jbvObject);
}

void
json_end_object(JsonWriter *w)
{
	end(w);
}

void
json_begin_array(JsonWriter *w)
{
	begin(w, jbvArray);
}

void
json_end_array(JsonWriter *w)
{
	end(w);
}

void
json_string(JsonWriter *w, const char *value, uint32 len)
{
	JsonNode   *node = add(w, jbvString);

	node->value = value;
	node->len = len;
	w->bytes += len;
}

/* Room for a short text that stays as long as the writer's other memory. */
static char *
room(JsonWriter *w, int size)
{
	if (w->left < size)
	{
		w->room = palloc(ROOM);
		w->left = ROOM;
	}
	return w->room;
}

static void
use_room(JsonWriter *w, int len)
{
	w->room += len;
	w->left -= len;
}

/* Most numbers are small and made once. */
static Numeric
int_numeric(int64 value)
{
	static Numeric small[SMALL_INTS];
	MemoryContext old;

	if (value < 0 || value >= SMALL_INTS)
		return int64_to_numeric(value);
	if (small[value] == NULL)
	{
		old = MemoryContextSwitchTo(TopMemoryContext);
		small[value] = int64_to_numeric(value);
		MemoryContextSwitchTo(old);
	}
	return small[value];
}

void
json_int(JsonWriter *w, int64 value)
{
	Numeric		numeric = int_numeric(value);
	JsonNode   *node = add(w, jbvNumeric);

	node->value = (const char *) numeric;
	node->len = VARSIZE_ANY(numeric);
	w->bytes += node->len;
}

void
json_bool(JsonWriter *w, bool value)
{
	add(w, jbvBool)->boolean = value;
}

/* A quantity or an amount of money: a decimal string.  Most quantities have one digit. */
void
json_scaled(JsonWriter *w, int64 value)
{
	char	   *text;
	int			len;

	if (value % SCALE == 0 && value >= 0 && value < 10 * SCALE)
	{
		json_string(w, &"0123456789"[value / SCALE], 1);
		return;
	}
	text = room(w, SCALED_TEXT);
	len = scaled_write(value, text);

	use_room(w, len);
	json_string(w, text, len);
}

/* A number that is not to be calculated with. */
void
json_int_text(JsonWriter *w, int64 value)
{
	char	   *text = room(w, MAXINT8LEN + 1);
	int			len = pg_lltoa(value, text);

	use_room(w, len);
	json_string(w, text, len);
}

/* "<line>/<part>", the id of an allocation */
void
json_part_text(JsonWriter *w, int32 line_no, int32 part)
{
	char	   *text = room(w, 2 * MAXINT8LEN);
	int			len = pg_ltoa(line_no, text);

	text[len++] = '/';
	len += pg_ltoa(part, text + len);
	use_room(w, len);
	json_string(w, text, len);
}

/* The days of a season are the same ones, over and over. */
void
json_date(JsonWriter *w, DateADT value)
{
	static struct
	{
		DateADT		day;
		char		text[DATE_TEXT];
	}			known[DAYS_KNOWN];
	int			i = (uint32) value % DAYS_KNOWN;
	char	   *text;

	if (known[i].day != value || known[i].text[0] == '\0')
	{
		char	   *made = date_text(value);

		if (strlen(made) != DATE_TEXT)
		{
			json_text(w, made);
			return;
		}
		known[i].day = value;
		memcpy(known[i].text, made, DATE_TEXT);
	}
	text = room(w, DATE_TEXT);
	memcpy(text, known[i].text, DATE_TEXT);
	use_room(w, DATE_TEXT);
	json_string(w, text, DATE_TEXT);
}

void
json_time(JsonWriter *w, TimestampTz value)
{
	json_text(w, time_text(value));
}

/* ------------------------------------------------------------------------
 * The document as jsonb keeps it (see utils/jsonb.h): byte for byte what
 * JsonbValueToJsonb() would make of it, without values in between.
 * ------------------------------------------------------------------------ */

typedef struct JsonSink
{
	bool		made_keys;
	char	   *start;
	char	   *at;
} JsonSink;

static void
align(JsonSink *sink)
{
	Size		used = sink->at - sink->start;

	memset(sink->at, 0, sizeof(uint32));
	sink->at += INTALIGN(used) - used;
}

/* jsonb keeps members by length of the key, then by its bytes. */
static int
compare_keys(const JsonNode *a, const JsonNode *b)
{
	if (a->keylen != b->keylen)
		return a->keylen < b->keylen ? -1 : 1;
	return memcmp(a->key, b->key, a->keylen);
}

/* The node after a value and all that is in it. */
static inline JsonNode *
after(JsonNode *node)
{
	return node->type == jbvObject || node->type == jbvArray ? node + node->size : node + 1;
}

/* Members in jsonb's order, as they came; of two with one key the later counts. */
static int
sort_members(JsonNode **members, int n)
{
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		JsonNode   *own = members[i];
		int			j = left;
		int			c = 1;

		while (j > 0 && (c = compare_keys(members[j - 1], own)) > 0)
			j--;
		if (j > 0 && c == 0)
		{
			members[j - 1] = own;
			continue;
		}
		memmove(&members[j + 1], &members[j], sizeof(JsonNode *) * (left - j));
		members[j] = own;
		left++;
	}
	return left;
}

/*
 * Orders of keys.  The objects of an array have the same members, and so have
 * the events of a type.  Keys are constants, so that the same keys mostly are
 * the same pointers.
 */
#define SHAPES			32		/* power of two */
#define SHAPE_MEMBERS	12

typedef struct Shape
{
	int			n;
	const char *keys[SHAPE_MEMBERS];	/* as they came */
	uint8		order[SHAPE_MEMBERS];
} Shape;

/* The same as sort_members(), for few members. */
static int
order_members(JsonNode **members, int n)
{
	static Shape shapes[SHAPES];
	JsonNode   *came[SHAPE_MEMBERS];
	Shape	   *shape;
	int			i;
	int			left;

	/* of the shapes in use, few begin and end alike */
	shape = &shapes[((uintptr_t) members[0]->key * 3 + (uintptr_t) members[n - 1]->key + n) % SHAPES];
	memcpy(came, members, sizeof(JsonNode *) * n);
	for (i = shape->n == n ? 0 : n + 1; i < n && shape->keys[i] == came[i]->key; i++)
		members[shape->order[i]] = came[i];
	if (i == n)
	{
#ifdef USE_ASSERT_CHECKING
		for (i = 1; i < n; i++)
			Assert(compare_keys(members[i - 1], members[i]) < 0);
#endif
		return n;
	}
	memcpy(members, came, sizeof(JsonNode *) * n);
	left = sort_members(members, n);
	if (left < n)
		return left;
	for (i = 0; i < n; i++)
	{
		shape->keys[i] = came[i]->key;
		shape->order[i] = 0;
		while (members[shape->order[i]] != came[i])
			shape->order[i]++;
	}
	shape->n = n;
	return n;
}

/* An entry holds a length, every JB_OFFSET_STRIDE-th the end's offset instead. */
static JEntry
entry_of(JEntry meta, uint32 index, uint32 total)
{
	if (index % JB_OFFSET_STRIDE == 0)
		return (meta & JENTRY_TYPEMASK) | total | JENTRY_HAS_OFF;
	return meta;
}

static JEntry sink_container(JsonSink *sink, JsonNode *node);

static JEntry
sink_value(JsonSink *sink, JsonNode *node)
{
	char	   *before = sink->at;

	switch (node->type)
	{
		case jbvString:
			memcpy(sink->at, node->value, node->len);
			sink->at += node->len;
			return JENTRY_ISSTRING | node->len;
		case jbvNumeric:
			align(sink);
			memcpy(sink->at, node->value, node->len);
			sink->at += node->len;
			return JENTRY_ISNUMERIC | (uint32) (sink->at - before);
		case jbvBool:
			return node->boolean ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
		default:
			return sink_container(sink, node);
	}
}

static JEntry
sink_container(JsonSink *sink, JsonNode *node)
{
	JsonNode   *few[32];
	JsonNode  **children = few;
	char	   *before = sink->at;
	bool		object = node->type == jbvObject;
	int			n = 0;
	uint32		total = 0;
	uint32		header;
	char	   *entries;

	check_stack_depth();
	if (node->n > (int) lengthof(few))
		children = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(JsonNode *) * node->n);
	for (JsonNode *child = node + 1; child < node + node->size; child = after(child))
		children[n++] = child;
	if (object && n > 1)
		n = n <= SHAPE_MEMBERS && !sink->made_keys ? order_members(children, n) : sort_members(children, n);
	align(sink);
	header = n | (object ? JB_FOBJECT : JB_FARRAY);
	memcpy(sink->at, &header, sizeof(header));
	entries = sink->at + sizeof(header);
	sink->at = entries + sizeof(JEntry) * n * (object ? 2 : 1);
	for (int i = 0; object && i < n; i++)
	{
		JEntry		entry;

		memcpy(sink->at, children[i]->key, children[i]->keylen);
		sink->at += children[i]->keylen;
		total += children[i]->keylen;
		entry = entry_of(JENTRY_ISSTRING | children[i]->keylen, i, total);
		memcpy(entries, &entry, sizeof(entry));
		entries += sizeof(entry);
	}
	for (int i = 0; i < n; i++)
	{
		JEntry		entry = sink_value(sink, children[i]);

		total += JBE_OFFLENFLD(entry);
		entry = entry_of(entry, object ? n + i : i, total);
		memcpy(entries, &entry, sizeof(entry));
		entries += sizeof(entry);
	}
	if (children != few)
		pfree(children);
	return JENTRY_ISCONTAINER | (uint32) (sink->at - before);
}

/* The finished document. */
Jsonb *
json_result(JsonWriter *w)
{
	JsonSink	sink;

	/* no entry could tell more */
	if (w->bytes > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("total size of a document exceeds the maximum of %u bytes", JENTRY_OFFLENMASK)));
	sink.made_keys = w->made_keys;
	sink.start = palloc(VARHDRSZ + w->bytes);
	sink.at = sink.start + VARHDRSZ;
	(void) sink_container(&sink, &w->nodes[0]);
	SET_VARSIZE(sink.start, sink.at - sink.start);
	return (Jsonb *) sink.start;
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
