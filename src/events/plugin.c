/*
 * plugin.c
 *		The logical decoding output plugin "routing": committed events as JSON.
 *
 * One line of text for an event.  The last event of a transaction says so, so
 * one event is held back until the next one of the same transaction, or the
 * commit, is there; the last one leaves with the position of the commit's end,
 * and whoever confirms that position has received the whole transaction.
 *
 * A transaction is decoded when it has committed: there are no callbacks for
 * streaming nor for prepared transactions, which come when they are committed.
 *
 * Callbacks may read catalogs only, as they were at that place of the log, and
 * may not fail because of what they read: the same place comes again.
 */
#include "base/compat.h"

#include "base/errors.h"
#include "events/json_text.h"
#include "events/plugin_options.h"

#include "catalog/dependency.h"
#include "catalog/partition.h"
#include "commands/extension.h"
#include "mb/pg_wchar.h"
#include "replication/logical.h"
#include "replication/origin.h"
#include "replication/output_plugin.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define MESSAGE_PREFIX		"routing"

/* an array of a batch that has grown so far is ended, and another one begun */
#define BATCH_BYTES			(8 * 1024 * 1024)
/* memory that a buffer may keep from one transaction to the next */
#define KEEP_BYTES			(1024 * 1024)
/* changes of other tables between two reports that we are alive */
#define PROGRESS_CHANGES	100

/* what is known of a relation that was changed */
typedef struct PluginRelation
{
	Oid			relid;			/* hash key */
	bool		valid;
	bool		is_event;
	Oid			root;
	EventShape	shape;
} PluginRelation;

typedef struct Plugin
{
	PluginOptions options;
	MemoryContext context;		/* below the decoding context */
	MemoryContext change_context;
	HTAB	   *relations;
	PluginRelation *last;

	/* the transaction */
	XLogRecPtr	commit_lsn;
	uint64		rows;			/* events, also of others' choice */
	uint64		events;			/* that have left or will */
	int			idle_changes;

	/* the event that is held back, without the value of txlast */
	bool		holding;
	StringInfoData held;
	int			txlast;
	StringInfoData batch;
} Plugin;

/* of the decoding context at work, for the invalidation callbacks */
static Plugin *active = NULL;

extern PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *callbacks);

/* ------------------------------------------------------------------------
 * Relations
 * ------------------------------------------------------------------------ */

static void
forget_relations(void)
{
	HASH_SEQ_STATUS status;
	PluginRelation *entry;

	active->last = NULL;
	hash_seq_init(&status, active->relations);
	while ((entry = hash_seq_search(&status)) != NULL)
		entry->valid = false;
}

/* Entries are in use while catalogs are read, so they are marked, not removed. */
static void
relation_changed(Datum arg, Oid relid)
{
	PluginRelation *entry;

	if (active == NULL)
		return;
	if (!OidIsValid(relid))
	{
		forget_relations();
		return;
	}
	entry = hash_search(active->relations, &relid, HASH_FIND, NULL);
	if (entry != NULL)
		entry->valid = false;
	else
	{
		/* the event table itself is never changed, only its partitions */
		HASH_SEQ_STATUS status;

		hash_seq_init(&status, active->relations);
		while ((entry = hash_seq_search(&status)) != NULL)
		{
			if (entry->root == relid)
				entry->valid = false;
		}
	}
}

static void
forget_context(void *arg)
{
	if (active == arg)
		active = NULL;
}

/*
 * Whether rows of the relation are events: it is a partition, at whatever
 * depth, of the table "event" that belongs to the extension, or that table
 * itself.  A partition that is being detached still is one, since whoever
 * inserted into it did so before.
 */
static bool
is_event_relation(Relation relation, Oid *root)
{
	Oid			relid = RelationGetRelid(relation);
	Oid			extension;
	char	   *name;

	while (get_rel_relispartition(relid))
	{
		Oid			parent = get_partition_parent(relid, true);

		if (!OidIsValid(parent))
			break;
		relid = parent;
	}
	*root = relid;
	name = get_rel_name(relid);
	if (name == NULL || strcmp(name, "event") != 0)
		return false;
	extension = get_extension_oid("routing", true);
	return OidIsValid(extension) && getExtensionOfObject(RelationRelationId, relid) == extension;
}

/* An entry of a relation with other columns would be fatal, so that is looked at, too. */
static inline bool
is_current(const PluginRelation *entry, Relation relation)
{
	return entry->valid &&
		(!entry->is_event || entry->shape.natts == RelationGetDescr(relation)->natts);
}

static PluginRelation *
plugin_relation(Plugin *plugin, Relation relation)
{
	Oid			relid = RelationGetRelid(relation);
	PluginRelation *entry = plugin->last;
	bool		found;
	MemoryContext old;

	if (entry != NULL && entry->relid == relid && is_current(entry, relation))
		return entry;
	entry = hash_search(plugin->relations, &relid, HASH_ENTER, &found);
	if (!found)
	{
		entry->valid = false;
		entry->shape.values = NULL;
	}
	if (!is_current(entry, relation))
	{
		event_shape_free(&entry->shape);
		/* an invalidation that comes while we read counts */
		entry->valid = true;
		entry->root = InvalidOid;
		old = MemoryContextSwitchTo(plugin->change_context);
		entry->is_event = is_event_relation(relation, &entry->root);
		MemoryContextSwitchTo(plugin->context);
		if (entry->is_event)
			event_shape_init(&entry->shape, RelationGetDescr(relation));
		MemoryContextSwitchTo(old);
		MemoryContextReset(plugin->change_context);
	}
	plugin->last = entry;
	return entry;
}

/* ------------------------------------------------------------------------
 * Writing
 * ------------------------------------------------------------------------ */

static void
write_line(LogicalDecodingContext *ctx, const char *text, int len)
{
	OutputPluginPrepareWrite(ctx, true);
	appendBinaryStringInfo(ctx->out, text, len);
	OutputPluginWrite(ctx, true);
}

/* The batch's array ends here. */
static void
write_batch(LogicalDecodingContext *ctx, Plugin *plugin)
{
	put_literal(&plugin->batch, "]");
	write_line(ctx, plugin->batch.data, plugin->batch.len);
	plugin->batch.len = 0;
}

/* The event that was held back leaves. */
static void
release_held(LogicalDecodingContext *ctx, Plugin *plugin, bool last)
{
	StringInfo	held = &plugin->held;
	StringInfo	to;

	if (!plugin->holding)
		return;
	plugin->holding = false;
	if (plugin->options.format == FORMAT_CLOUDEVENTS_BATCH)
	{
		to = &plugin->batch;
		put_bytes(to, to->len == 0 ? "[" : ",", 1);
	}
	else
	{
		OutputPluginPrepareWrite(ctx, true);
		to = ctx->out;
	}
	put_bytes(to, held->data, plugin->txlast);
	put_bytes(to, last ? "true" : "false", last ? 4 : 5);
	appendBinaryStringInfo(to, held->data + plugin->txlast, held->len - plugin->txlast);
	if (plugin->options.format != FORMAT_CLOUDEVENTS_BATCH)
		OutputPluginWrite(ctx, true);
	else if (!last && plugin->batch.len >= BATCH_BYTES)
		write_batch(ctx, plugin);
}

/* Empty a buffer, and give back the memory of an unusual one. */
static void
empty_buffer(Plugin *plugin, StringInfo buffer)
{
	MemoryContext old;

	buffer->len = 0;
	if (buffer->maxlen <= KEEP_BYTES)
		return;
	pfree(buffer->data);
	old = MemoryContextSwitchTo(plugin->context);
	initStringInfo(buffer);
	MemoryContextSwitchTo(old);
}

/* ------------------------------------------------------------------------
 * Callbacks
 * ------------------------------------------------------------------------ */

static void
plugin_startup(LogicalDecodingContext *ctx, OutputPluginOptions *options, bool is_init)
{
	static bool registered = false;
	Plugin	   *plugin;
	HASHCTL		control = {0};
	MemoryContext old;
	MemoryContextCallback *callback;

	options->output_type = OUTPUT_PLUGIN_TEXTUAL_OUTPUT;
	options->receive_rewrites = false;

	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(ERROR,
				(errcode(RT_PLUGIN_ENCODING),
				 errmsg("the output plugin routing cannot decode a database in encoding %s", GetDatabaseEncodingName()),
				 errhint("JSON is UTF-8: events need a database with encoding UTF8.")));

	old = MemoryContextSwitchTo(ctx->context);
	plugin = palloc0(sizeof(Plugin));
	plugin->context = AllocSetContextCreate(ctx->context, "routing output plugin", ALLOCSET_DEFAULT_SIZES);
	plugin->change_context = AllocSetContextCreate(plugin->context, "routing output plugin, change", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(plugin->context);
	plugin_options_parse(ctx->output_plugin_options, &plugin->options);
	initStringInfo(&plugin->held);
	initStringInfo(&plugin->batch);
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(PluginRelation);
	control.hcxt = plugin->context;
	plugin->relations = hash_create("relations of the routing output plugin", 64, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	/* after an error nobody calls the shutdown callback */
	callback = palloc0(sizeof(MemoryContextCallback));
	callback->func = forget_context;
	callback->arg = plugin;
	MemoryContextRegisterResetCallback(plugin->context, callback);
	MemoryContextSwitchTo(old);

	ctx->output_plugin_private = plugin;
	active = plugin;
	if (!registered)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		registered = true;
	}
}

static void
plugin_shutdown(LogicalDecodingContext *ctx)
{
	/* the rest goes with the decoding context */
	forget_context(ctx->output_plugin_private);
}

static bool
plugin_filter_origin(LogicalDecodingContext *ctx, RepOriginId origin)
{
	Plugin	   *plugin = ctx->output_plugin_private;

	return plugin->options.only_local && origin != InvalidRepOriginId;
}

static void
plugin_begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	Plugin	   *plugin = ctx->output_plugin_private;

	/*
	 * final_lsn is the commit record here.  Later it need not be: of a
	 * transaction that is spilled to disk it may be that of a change.
	 */
	plugin->commit_lsn = txn->final_lsn;
	plugin->rows = 0;
	plugin->events = 0;
	plugin->holding = false;
	plugin->batch.len = 0;
}

static void
plugin_change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation,
			  ReorderBufferChange *change)
{
	Plugin	   *plugin = ctx->output_plugin_private;
	const PluginOptions *options = &plugin->options;
	PluginRelation *known;
	HeapTuple	tuple;
	EventRow	row;
	EventPlace	place;
	MemoryContext old;

	/* a receiver must not believe us dead while there is nothing for it */
	if (++plugin->idle_changes >= PROGRESS_CHANGES)
	{
		OutputPluginUpdateProgress(ctx, false);
		plugin->idle_changes = 0;
	}
	if (change->action != REORDER_BUFFER_CHANGE_INSERT)
		return;
	known = plugin_relation(plugin, relation);
	if (!known->is_event)
		return;
	tuple = routing_new_tuple(change);
	if (tuple == NULL)
		return;
	plugin->rows++;

	old = MemoryContextSwitchTo(plugin->change_context);
	event_row_load(&row, &known->shape, tuple, RelationGetDescr(relation));
	if (plugin_wants(&options->types, &row.type) &&
		plugin_wants(&options->aggregatetypes, &row.aggregatetype) &&
		plugin_wants(&options->tenants, &row.tenantid) &&
		(options->parts == 1 || event_hash(&row.aggregateid) % options->parts == options->part))
	{
		release_held(ctx, plugin, false);
		place.commit_lsn = plugin->commit_lsn;
		place.end_lsn = txn->end_lsn;
		place.index = plugin->rows;
		plugin->held.len = 0;
		plugin->txlast = options->format == FORMAT_ROW ?
			event_write_row(&plugin->held, &row, &options->style, &place) :
			event_write_cloudevent(&plugin->held, &row, &options->style, &place);
		plugin->holding = true;
		plugin->events++;
		plugin->idle_changes = 0;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(plugin->change_context);
}

/* {"control":"commit",...}: the transaction is complete */
static void
write_commit_marker(LogicalDecodingContext *ctx, Plugin *plugin, ReorderBufferTXN *txn)
{
	StringInfo	line = &plugin->held;

	line->len = 0;
	put_literal(line, "{\"control\":\"commit\",\"xid\":");
	put_int(line, txn->xid);
	put_literal(line, ",\"lsn\":\"");
	put_lsn(line, plugin->commit_lsn);
	put_literal(line, "\",\"endlsn\":\"");
	put_lsn(line, txn->end_lsn);
	put_literal(line, "\",\"events\":");
	put_int(line, plugin->events);
	put_literal(line, ",\"time\":\"");
	(void) put_time(line, txn->xact_time.commit_time);
	put_literal(line, "\"}");
	write_line(ctx, line->data, line->len);
}

static void
plugin_commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr commit_lsn)
{
	Plugin	   *plugin = ctx->output_plugin_private;
	const PluginOptions *options = &plugin->options;
	bool		batch = options->format == FORMAT_CLOUDEVENTS_BATCH;
	bool		skipped = plugin->events == 0 &&
		(options->skip_empty || !(batch || options->commit_marker));

	OutputPluginUpdateProgress(ctx, skipped);
	plugin->idle_changes = 0;
	if (!skipped)
	{
		release_held(ctx, plugin, true);
		if (batch)
		{
			if (plugin->events == 0)
				put_literal(&plugin->batch, "[");
			write_batch(ctx, plugin);
		}
		if (options->commit_marker)
			write_commit_marker(ctx, plugin, txn);
	}
	empty_buffer(plugin, &plugin->held);
	empty_buffer(plugin, &plugin->batch);
}

/*
 * {"control":"message",...}.  Everybody can write a message, so it is never an
 * event.  One of a transaction goes before the event that is held back: the
 * event with txlast must be the last of its transaction.
 */
static void
plugin_message(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr lsn,
			   bool transactional, const char *prefix, Size size, const char *message)
{
	Plugin	   *plugin = ctx->output_plugin_private;
	StringInfoData line;
	MemoryContext old;

	if (!plugin->options.messages || strcmp(prefix, MESSAGE_PREFIX) != 0)
		return;
	old = MemoryContextSwitchTo(plugin->change_context);
	initStringInfo(&line);
	put_literal(&line, "{\"control\":\"message\",\"transactional\":");
	if (transactional)
		put_literal(&line, "true");
	else
		put_literal(&line, "false");
	if (transactional && txn != NULL)
	{
		put_literal(&line, ",\"xid\":");
		put_int(&line, txn->xid);
	}
	put_literal(&line, ",\"lsn\":\"");
	put_lsn(&line, lsn);
	put_literal(&line, "\",\"bytes\":");
	put_int(&line, size);
	/* what is too long, or no text, is not passed on */
	if (size <= (Size) plugin->options.style.max_bytes &&
		pg_verify_mbstr(PG_UTF8, message, (int) size, true))
	{
		put_literal(&line, ",\"content\":");
		put_string(&line, message, (int) size);
	}
	put_literal(&line, "}");
	write_line(ctx, line.data, line.len);
	MemoryContextSwitchTo(old);
	MemoryContextReset(plugin->change_context);
}

void
_PG_output_plugin_init(OutputPluginCallbacks *callbacks)
{
	callbacks->startup_cb = plugin_startup;
	callbacks->shutdown_cb = plugin_shutdown;
	callbacks->begin_cb = plugin_begin;
	callbacks->change_cb = plugin_change;
	callbacks->commit_cb = plugin_commit;
	callbacks->message_cb = plugin_message;
	callbacks->filter_by_origin_cb = plugin_filter_origin;
}
