/*
 * plugin_options.c
 *		The options of the output plugin.
 *
 * They are checked when decoding starts, so that a misspelt one is heard of at
 * once and not when an event is missed.
 */
#include "events/plugin_options.h"

#include "base/errors.h"

#include "commands/defrem.h"
#include "nodes/parsenodes.h"

typedef void (*OptionParser) (PluginOptions *options, const char *name, const char *value);

typedef struct OptionType
{
	const char *name;
	OptionParser parse;
	bool		flag;			/* without a value it is on */
} OptionType;

routing_noreturn static void wrong_value(const char *name, const char *value, const char *hint);

static void
wrong_value(const char *name, const char *value, const char *hint)
{
	ereport(ERROR,
			(errcode(RT_PLUGIN_VALUE),
			 errmsg("option \"%s\" of the output plugin cannot be \"%s\"", name, value),
			 errhint("%s", hint)));
}

/* A whole number without a sign; -1 if it is none or above "max". */
static int
parse_number(const char *text, int len, int max)
{
	int64		value = 0;

	if (len == 0 || len > 9)
		return -1;
	for (int i = 0; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value <= max ? (int) value : -1;
}

static bool
parse_flag(const char *name, const char *value)
{
	bool		result;

	if (!parse_bool(value, &result))
		wrong_value(name, value, "It is on or off.");
	return result;
}

/* Names separated by commas; a single * means all. */
static void
parse_names(PluginNames *names, const char *name, const char *value, bool globs, const char *hint)
{
	const char *at = value;

	names->n = 0;
	names->names = palloc(sizeof(PluginName) * (strlen(value) / 2 + 1));
	for (;;)
	{
		const char *end = strchr(at, ',');
		const char *next = end != NULL ? end + 1 : NULL;
		PluginName *item = &names->names[names->n];

		if (end == NULL)
			end = at + strlen(at);
		while (at < end && (*at == ' ' || *at == '\n'))
			at++;
		while (end > at && (end[-1] == ' ' || end[-1] == '\n'))
			end--;
		if (at == end)
			wrong_value(name, value, hint);
		item->is_prefix = end[-1] == '*';
		if (item->is_prefix)
			end--;
		if (memchr(at, '*', end - at) != NULL ||
			(item->is_prefix && !globs && (end > at || names->n > 0 || next != NULL)))
			wrong_value(name, value, hint);
		item->text = pnstrdup(at, end - at);
		item->len = end - at;
		names->n++;
		if (next == NULL)
			break;
		at = next;
	}
	for (int i = 0; i < names->n; i++)
	{
		if (names->names[i].is_prefix && names->names[i].len == 0)
		{
			names->n = 0;
			break;
		}
	}
}

/* Whether a text is among the names; an absent one only where all are wanted. */
bool
plugin_wants(const PluginNames *names, const EventText *text)
{
	if (names->n == 0)
		return true;
	if (text->data == NULL)
		return false;
	for (int i = 0; i < names->n; i++)
	{
		const PluginName *name = &names->names[i];

		if ((name->is_prefix ? text->len >= name->len : text->len == name->len) &&
			memcmp(text->data, name->text, name->len) == 0)
			return true;
	}
	return false;
}

static void
parse_proto_version(PluginOptions *options, const char *name, const char *value)
{
	int			version = parse_number(value, strlen(value), PG_INT32_MAX);

	if (version < 0)
		wrong_value(name, value, "It is a whole number, 1 so far.");
	if (version != PLUGIN_PROTO_VERSION)
		ereport(ERROR,
				(errcode(RT_PLUGIN_PROTOCOL),
				 errmsg("version %d of the output plugin's protocol is not known", version),
				 errhint("This server has version %d.", PLUGIN_PROTO_VERSION)));
}

static void
parse_format(PluginOptions *options, const char *name, const char *value)
{
	if (strcmp(value, "cloudevents") == 0)
		options->format = FORMAT_CLOUDEVENTS;
	else if (strcmp(value, "cloudevents-batch") == 0)
		options->format = FORMAT_CLOUDEVENTS_BATCH;
	else if (strcmp(value, "row") == 0)
		options->format = FORMAT_ROW;
	else
		wrong_value(name, value, "It is cloudevents, cloudevents-batch or row.");
}

static void
parse_types(PluginOptions *options, const char *name, const char *value)
{
	parse_names(&options->types, name, value, true,
				"It is a list of types separated by commas; an asterisk may stand at the end of each, e.g. order.*,exception.*.");
}

static void
parse_aggregatetypes(PluginOptions *options, const char *name, const char *value)
{
	parse_names(&options->aggregatetypes, name, value, false,
				"It is a list separated by commas, e.g. order,inventory, or * for all.");
}

static void
parse_tenants(PluginOptions *options, const char *name, const char *value)
{
	parse_names(&options->tenants, name, value, false, "It is a list of tenants separated by commas, or * for all.");
}

static void
parse_partition(PluginOptions *options, const char *name, const char *value)
{
	const char *slash = strchr(value, '/');

	if (slash != NULL)
	{
		options->part = parse_number(value, slash - value, PLUGIN_MAX_PARTITIONS);
		options->parts = parse_number(slash + 1, strlen(slash + 1), PLUGIN_MAX_PARTITIONS);
	}
	if (slash == NULL || options->part < 0 || options->part >= options->parts)
		wrong_value(name, value, "It is i/n with 0 <= i < n <= 1024, e.g. 0/4 to 3/4 for four consumers.");
}

static void
parse_source(PluginOptions *options, const char *name, const char *value)
{
	const char *problem = value[0] == '\0' ? "It is the beginning of a URI, e.g. urn:routing:eu1." :
		event_source_problem(value);

	if (problem != NULL)
		wrong_value(name, value, problem);
	options->style.source = pstrdup(value);
}

static void
parse_type_prefix(PluginOptions *options, const char *name, const char *value)
{
	const char *problem = event_type_prefix_problem(value);

	if (problem != NULL)
		wrong_value(name, value, problem);
	options->style.type_prefix = pstrdup(value);
}

static void
parse_epoch(PluginOptions *options, const char *name, const char *value)
{
	options->style.epoch = parse_number(value, strlen(value), 9999);
	if (options->style.epoch < 0)
		wrong_value(name, value, "It is a number from 0 to 9999.");
}

static void
parse_payload(PluginOptions *options, const char *name, const char *value)
{
	if (strcmp(value, "inline") != 0 && strcmp(value, "ref") != 0)
		wrong_value(name, value, "It is inline or ref.");
	options->style.by_ref = value[0] == 'r';
}

static void
parse_max_bytes(PluginOptions *options, const char *name, const char *value)
{
	options->style.max_bytes = parse_number(value, strlen(value), EVENT_MAX_MAX_BYTES);
	if (options->style.max_bytes < 1)
		wrong_value(name, value, "It is a number of bytes from 1 to 16777216.");
}

static void
parse_commit_marker(PluginOptions *options, const char *name, const char *value)
{
	options->commit_marker = parse_flag(name, value);
}

static void
parse_only_local(PluginOptions *options, const char *name, const char *value)
{
	options->only_local = parse_flag(name, value);
}

static void
parse_skip_empty(PluginOptions *options, const char *name, const char *value)
{
	options->skip_empty = parse_flag(name, value);
}

static void
parse_messages(PluginOptions *options, const char *name, const char *value)
{
	options->messages = parse_flag(name, value);
}

static const OptionType option_types[] = {
	{"proto_version", parse_proto_version, false},
	{"format", parse_format, false},
	{"types", parse_types, false},
	{"aggregatetypes", parse_aggregatetypes, false},
	{"tenants", parse_tenants, false},
	{"partition", parse_partition, false},
	{"source", parse_source, false},
	{"type_prefix", parse_type_prefix, false},
	{"epoch", parse_epoch, false},
	{"commit_marker", parse_commit_marker, true},
	{"payload", parse_payload, false},
	{"max_bytes", parse_max_bytes, false},
	{"only_local", parse_only_local, true},
	{"skip_empty", parse_skip_empty, true},
	{"messages", parse_messages, true},
};

static void
parse_option(PluginOptions *options, const char *name, const char *value, uint32 *seen)
{
	for (int i = 0; i < (int) lengthof(option_types); i++)
	{
		const OptionType *type = &option_types[i];

		if (strcmp(type->name, name) != 0)
			continue;
		if (*seen & ((uint32) 1 << i))
			ereport(ERROR,
					(errcode(RT_PLUGIN_VALUE),
					 errmsg("option \"%s\" of the output plugin is given twice", name),
					 errhint("Give each option once.")));
		*seen |= (uint32) 1 << i;
		if (value == NULL && !type->flag)
			ereport(ERROR,
					(errcode(RT_PLUGIN_VALUE),
					 errmsg("option \"%s\" of the output plugin has no value", name),
					 errhint("Only the options that are on or off may be without one.")));
		type->parse(options, name, value != NULL ? value : "on");
		return;
	}
	ereport(ERROR,
			(errcode(RT_PLUGIN_OPTION),
			 errmsg("option \"%s\" of the output plugin is unknown", name),
			 errhint("The options are proto_version, format, types, aggregatetypes, tenants, partition, source, type_prefix, "
					 "epoch, commit_marker, payload, max_bytes, only_local, skip_empty and messages.")));
}

/* Parse a list of DefElem; what is kept is of the current memory context. */
void
plugin_options_parse(List *definitions, PluginOptions *options)
{
	uint32		seen = 0;
	ListCell   *cell;

	memset(options, 0, sizeof(PluginOptions));
	options->format = FORMAT_CLOUDEVENTS;
	options->parts = 1;
	options->style.source = event_source_effective();
	options->style.type_prefix = pstrdup(guc_event_type_prefix);
	options->style.epoch = -1;
	options->style.max_bytes = EVENT_MAX_BYTES;
	options->only_local = true;
	options->skip_empty = true;
	foreach(cell, definitions)
	{
		DefElem    *definition = lfirst_node(DefElem, cell);

		parse_option(options, definition->defname,
					 definition->arg != NULL ? defGetString(definition) : NULL, &seen);
	}
}
