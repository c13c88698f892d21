/*
 * envelope.c
 *		The text in which an event leaves: a CloudEvents envelope, or the
 *		columns of its row.
 *
 * An event cannot be refused: a stream that stops at a row stops at it again
 * after every restart.  So what is absent from the row is left out, and what
 * the CloudEvents specification wants in any case has a substitute.  Nothing
 * is read but the tuple itself, because decoding may read catalogs only.
 */
#include "events/envelope.h"

#include "events/json_text.h"

#include "utils/guc.h"

static char *guc_event_source = NULL;
char	   *guc_event_type_prefix = NULL;

/* ,"name":value unless there is none */
static void
put_member(StringInfo out, const char *name, int len, const EventRow *row, EventColumn c)
{
	int			start = out->len;

	put_literal(out, ",\"");
	put_bytes(out, name, len);
	put_literal(out, "\":");
	if (!put_event_column(out, row, c))
		out->len = start;
}

#define put_attribute(out, name, row, c) \
	put_member((out), name, sizeof(name) - 1, (row), (c))

/*
 * <epoch>.<LSN of the commit>.<index>: its order as a text is the order of
 * commits.  An index beyond six digits goes on behind "999999.", which keeps
 * that order.
 */
static void
put_sequence(StringInfo out, const EventRow *row, const EventStyle *style, const EventPlace *place)
{
	int64		epoch = 1;
	uint64		index = place->index;

	if (style->epoch >= 0)
		epoch = style->epoch;
	else if (!event_int(row, EC_EPOCH, &epoch))
		epoch = 1;
	put_digits(out, Min(Max(epoch, 0), 9999), 4);
	put_literal(out, ".");
	put_hex(out, place->commit_lsn, 16);
	put_literal(out, ".");
	for (; index > 999999; index -= 999999)
		put_literal(out, "999999.");
	put_digits(out, index, 6);
}

static void
put_source(StringInfo out, const EventRow *row, const EventStyle *style)
{
	put_bytes(out, style->source, strlen(style->source));
	if (row->tenantid.data != NULL)
	{
		put_literal(out, ":");
		put_uri(out, row->tenantid.data, row->tenantid.len);
	}
}

/* The id, or what is as steady: the event's place. */
static void
put_id(StringInfo out, const EventRow *row, const EventStyle *style, const EventPlace *place)
{
	if (put_event_column(out, row, EC_ID))
		return;
	put_literal(out, "\"");
	if (place != NULL)
		put_sequence(out, row, style, place);
	else
	{
		int64		seq = 0;

		(void) event_int(row, EC_SEQ, &seq);
		put_int(out, seq);
	}
	put_literal(out, "\"");
}

/*
 * Where the payload is: <source>:event:<part_on>:<tenant_id>:<seq>, which
 * routing.event_payload() takes.
 */
static void
put_dataref(StringInfo out, const EventRow *row, const EventStyle *style)
{
	int			start;
	int64		tenant,
				seq;
	Datum		part_on;

	put_literal(out, ",\"dataref\":\"");
	put_source(out, row, style);
	put_literal(out, ":event");
	start = out->len;
	put_literal(out, ":");
	if (event_column(row, EC_PART_ON, &part_on) == EK_DATE && put_date(out, DatumGetDateADT(part_on)) &&
		event_int(row, EC_TENANT_ID, &tenant) && event_int(row, EC_SEQ, &seq))
	{
		put_literal(out, ":");
		put_int(out, tenant);
		put_literal(out, ":");
		put_int(out, seq);
	}
	else
		out->len = start;
	put_literal(out, "\"");
}

/*
 * The payload, or where it is.  A jsonb has at least a quarter of its size as
 * text, so one far too large is not even put together.
 */
static void
put_payload(StringInfo out, const EventRow *row, const EventStyle *style, const char *member)
{
	int			start = out->len;
	Datum		value;
	EventKind	kind = event_column(row, EC_PAYLOAD, &value);
	int64		size;

	if (kind != EK_JSONB && kind != EK_TEXT)
		return;
	if (!style->by_ref)
	{
		put_bytes(out, member, strlen(member));
		size = event_value_size(value);
		if (kind == EK_JSONB && size >= 0 && size / 4 <= style->max_bytes + 64 &&
			put_jsonb(out, DatumGetJsonbP(value), style->max_bytes))
			return;
		if (kind == EK_TEXT && size >= 0 && size <= style->max_bytes)
		{
			struct varlena *v = PG_DETOAST_DATUM_PACKED(value);

			put_string(out, VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
			return;
		}
		out->len = start;
	}
	put_dataref(out, row, style);
}

/*
 * urn:routing:schema:<type without .v1>:<schema version>.  A later major
 * version stays in the name, as it does in the type.
 */
static void
put_dataschema(StringInfo out, const EventRow *row)
{
	const EventText *type = &row->type;
	int			len = type->len;
	int64		version = 1;

	if (type->data == NULL)
		return;
	if (len > 3 && memcmp(type->data + len - 3, ".v1", 3) == 0)
		len -= 3;
	put_literal(out, ",\"dataschema\":\"urn:routing:schema:");
	put_uri(out, type->data, len);
	put_literal(out, ":");
	if (!event_int(row, EC_SCHEMAVERSION, &version))
		version = 1;
	put_int(out, version);
	put_literal(out, "\"");
}

static void
put_subject(StringInfo out, const EventRow *row)
{
	if (row->aggregatetype.data == NULL && row->aggregateid.data == NULL)
		return;
	put_literal(out, ",\"subject\":\"");
	if (row->aggregatetype.data != NULL)
		put_escaped(out, row->aggregatetype.data, row->aggregatetype.len);
	if (row->aggregatetype.data != NULL && row->aggregateid.data != NULL)
		put_literal(out, "/");
	if (row->aggregateid.data != NULL)
		put_escaped(out, row->aggregateid.data, row->aggregateid.len);
	put_literal(out, "\"");
}

/* 00-<32 digits>-<16>-<2>, lower case; only then is it an attribute. */
static bool
is_traceparent(const EventText *text)
{
	if (text->data == NULL || text->len != 55)
		return false;
	for (int i = 0; i < text->len; i++)
	{
		char		c = text->data[i];

		if (i == 2 || i == 35 || i == 52)
		{
			if (c != '-')
				return false;
		}
		else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

static void
put_trace(StringInfo out, const EventRow *row)
{
	EventText	parent = event_text(row, EC_TRACEPARENT);

	if (!is_traceparent(&parent))
		return;
	put_literal(out, ",\"traceparent\":");
	put_string(out, parent.data, parent.len);
	put_attribute(out, "tracestate", row, EC_TRACESTATE);
}

/* ,"acklsn":"...","txlast": and the offset behind it */
static int
put_end(StringInfo out, const EventPlace *place)
{
	put_literal(out, ",\"acklsn\":\"");
	put_lsn(out, place->end_lsn);
	put_literal(out, "\",\"txlast\":");
	return out->len;
}

/*
 * A CloudEvents 1.0 event, structured JSON.  Returns the offset in "out" at
 * which the value of txlast belongs, which is not written: it is known later.
 * Without a place the attributes that tell of the log are left out; then -1.
 */
int
event_write_cloudevent(StringInfo out, const EventRow *row, const EventStyle *style,
					   const EventPlace *place)
{
	int			txlast = -1;
	int64		version;

	put_literal(out, "{\"specversion\":\"1.0\",\"id\":");
	put_id(out, row, style, place);
	put_literal(out, ",\"source\":\"");
	put_source(out, row, style);
	put_literal(out, "\",\"type\":\"");
	put_bytes(out, style->type_prefix, strlen(style->type_prefix));
	if (row->type.data != NULL)
		put_escaped(out, row->type.data, row->type.len);
	else
		put_literal(out, "unknown");
	put_literal(out, "\"");
	put_subject(out, row);
	put_attribute(out, "time", row, EC_OCCURRED_AT);
	put_attribute(out, "recordedtime", row, EC_RECORDED_AT);
	put_literal(out, ",\"datacontenttype\":\"application/json\"");
	put_dataschema(out, row);
	if (row->aggregateid.data != NULL)
	{
		put_literal(out, ",\"partitionkey\":");
		put_string(out, row->aggregateid.data, row->aggregateid.len);
	}
	if (place != NULL)
	{
		put_literal(out, ",\"sequence\":\"");
		put_sequence(out, row, style, place);
		put_literal(out, "\"");
	}
	put_attribute(out, "aggregatetype", row, EC_AGGREGATETYPE);
	if (event_int(row, EC_AGGREGATEVERSION, &version) && version >= 0)
	{
		put_literal(out, ",\"aggregateversion\":\"");
		put_digits(out, version, 19);
		put_literal(out, "\"");
	}
	put_attribute(out, "tenantid", row, EC_TENANTID);
	put_attribute(out, "correlationid", row, EC_CORRELATIONID);
	put_attribute(out, "causationid", row, EC_CAUSATIONID);
	put_trace(out, row);
	if (place != NULL)
		txlast = put_end(out, place);
	put_payload(out, row, style, ",\"data\":");
	put_literal(out, "}");
	return txlast;
}

/*
 * The row as a flat object: the columns that are published, those that are
 * null left out, and the place in the log.  Returns as the envelope does.
 */
int
event_write_row(StringInfo out, const EventRow *row, const EventStyle *style, const EventPlace *place)
{
	int			start = out->len;
	int			txlast = -1;

	for (int c = 0; c < EC_PAYLOAD; c++)
		put_member(out, event_column_names[c], strlen(event_column_names[c]), row, c);
	if (place != NULL)
	{
		put_literal(out, ",\"sequence\":\"");
		put_sequence(out, row, style, place);
		put_literal(out, "\"");
		txlast = put_end(out, place);
	}
	put_payload(out, row, style, ",\"payload\":");
	if (out->len == start)
		put_literal(out, "{");
	else
		out->data[start] = '{';
	put_literal(out, "}");
	return txlast;
}

/* ------------------------------------------------------------------------
 * Settings
 * ------------------------------------------------------------------------ */

#define MAX_SETTING		200

/* What is wrong with the beginning of a source, or NULL. */
const char *
event_source_problem(const char *value)
{
	int			len = strlen(value);

	if (len > MAX_SETTING)
		return "It may have 200 characters.";
	for (int i = 0; i < len; i++)
	{
		if (value[i] <= ' ' || value[i] > '~' || strchr("\"<>\\^`{|}", value[i]) != NULL)
			return "It is the beginning of a URI, e.g. urn:routing:eu1.";
	}
	return NULL;
}

const char *
event_type_prefix_problem(const char *value)
{
	int			len = strlen(value);

	if (len > MAX_SETTING)
		return "It may have 200 characters.";
	for (int i = 0; i < len; i++)
	{
		if (value[i] <= ' ' || value[i] > '~' || strchr("\"\\", value[i]) != NULL)
			return "It is a reversed domain name with a dot behind it, e.g. com.example.";
	}
	return NULL;
}

/* routing.event_source, or urn:routing:<cluster_name> if it is empty */
char *
event_source_effective(void)
{
	StringInfoData s;
	const char *cluster;

	if (guc_event_source != NULL && guc_event_source[0] != '\0')
		return pstrdup(guc_event_source);
	cluster = GetConfigOption("cluster_name", true, false);
	if (cluster == NULL || cluster[0] == '\0')
		cluster = "local";
	initStringInfo(&s);
	put_literal(&s, "urn:routing:");
	put_uri(&s, cluster, strlen(cluster));
	s.data[s.len] = '\0';
	return s.data;
}

static bool
check_event_source(char **newval, void **extra, GucSource source)
{
	const char *problem = event_source_problem(*newval);

	if (problem != NULL)
		GUC_check_errhint("%s", problem);
	return problem == NULL;
}

static bool
check_event_type_prefix(char **newval, void **extra, GucSource source)
{
	const char *problem = event_type_prefix_problem(*newval);

	if (problem != NULL)
		GUC_check_errhint("%s", problem);
	return problem == NULL;
}

void
envelope_define_settings(void)
{
	DefineCustomStringVariable("routing.event_source",
							   "Beginning of the source of events in their envelopes; the tenant follows.",
							   "Empty: urn:routing: and the name of the cluster.",
							   &guc_event_source, "",
							   PGC_USERSET, 0, check_event_source, NULL, NULL);
	DefineCustomStringVariable("routing.event_type_prefix",
							   "What stands before the type of events in their envelopes.",
							   "A reversed domain name with a dot behind it.",
							   &guc_event_type_prefix, "",
							   PGC_USERSET, 0, check_event_type_prefix, NULL, NULL);
}
