/*
 * plugin_options.h
 *		The options of the output plugin.
 */
#ifndef ROUTING_EVENTS_PLUGIN_OPTIONS_H
#define ROUTING_EVENTS_PLUGIN_OPTIONS_H

#include "events/envelope.h"
#include "nodes/pg_list.h"

#define PLUGIN_PROTO_VERSION	1
#define PLUGIN_MAX_PARTITIONS	1024

typedef enum PluginFormat
{
	FORMAT_CLOUDEVENTS,
	FORMAT_CLOUDEVENTS_BATCH,
	FORMAT_ROW
} PluginFormat;

/* a name, or the beginning of names */
typedef struct PluginName
{
	const char *text;
	int			len;
	bool		is_prefix;
} PluginName;

/* none: all are wanted */
typedef struct PluginNames
{
	int			n;
	PluginName *names;
} PluginNames;

typedef struct PluginOptions
{
	PluginFormat format;
	PluginNames types;
	PluginNames aggregatetypes;
	PluginNames tenants;
	int			part;			/* of "parts" */
	int			parts;
	EventStyle	style;
	bool		commit_marker;
	bool		only_local;
	bool		skip_empty;
	bool		messages;
} PluginOptions;

extern void plugin_options_parse(List *definitions, PluginOptions *options);
extern bool plugin_wants(const PluginNames *names, const EventText *text);

#endif							/* ROUTING_EVENTS_PLUGIN_OPTIONS_H */
