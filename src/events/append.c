/*
 * append.c
 *		Writing events.
 *
 * Events are rows of the partitioned table routing.event, appended by these
 * functions only, never by triggers (those would fire again in a restore).
 * The caller holds the lock of each event's aggregate (the order row, the
 * position) and gives the aggregate's next version, so versions have no gaps;
 * the sequence number is taken after that lock.
 *
 * An event goes into the newest existing partition that begins not after
 * today, so that no order fails because nobody made today's partition.  The
 * rows are put into the leaf directly, with its indexes.
 */
#include "events/append.h"
#include "events/epoch.h"
#include "events/streams.h"
#include "events/trace.h"
#include "events/validate.h"

#include "base/cache.h"
#include "base/engine.h"
#include "base/store.h"
#include "base/tenant.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/rel.h"
#include "utils/xid8.h"

/* events of one aggregate are so close to each other in a batch */
#define CAUSE_REACH		8

typedef struct PendingEvent
{
	int32		tenant_id;
	const char *aggregate;
	const char *aggregate_id;
	const char *plain_id;		/* without the tenant */
	int64		version;
	const char *type;
	TimestampTz occurred_at;
	const char *correlation_id;
	Jsonb	   *payload;
	pg_uuid_t	id;
	bool		has_cause;
	pg_uuid_t	cause;
} PendingEvent;

static EnginePlan plan_make_partition = {
	"SELECT routing.event_partition($1)",
	1, {DATEOID}, NULL
};

/* The last event of the batch that is of an aggregate, if it is not far back. */
static const PendingEvent *
event_before(const EventBatch *batch, int32 tenant_id, const char *aggregate, const char *aggregate_id)
{
	for (int i = batch->n - 1; i >= 0 && batch->n - i <= CAUSE_REACH; i--)
	{
		const PendingEvent *e = &batch->events[i];

		if (e->tenant_id == tenant_id && strcmp(e->plain_id, aggregate_id) == 0 && strcmp(e->aggregate, aggregate) == 0)
			return e;
	}
	return NULL;
}

/*
 * Add an event to the batch.  "aggregate" and "type" must be constants;
 * aggregate_id is made unique over tenants if there are several.
 *
 * The events of one aggregate in one batch come of each other: each is the
 * cause of the next.  The cause of the first is what the caller set, or
 * batch->cause.
 */
void
event_add(EventBatch *batch, int32 tenant_id, const char *aggregate,
		  const char *aggregate_id, int64 version, const char *type,
		  TimestampTz occurred_at, const char *correlation_id, Jsonb *payload)
{
	const PendingEvent *before;
	PendingEvent *e;

	if (batch->n == batch->capacity)
	{
		batch->capacity = batch->capacity ? batch->capacity * 2 : 4;
		batch->events = batch->events == NULL ?
			palloc(sizeof(PendingEvent) * batch->capacity) :
			repalloc_huge(batch->events, sizeof(PendingEvent) * batch->capacity);
	}
	if (batch->n == 0)
	{
		batch->now = GetCurrentTimestamp();
		batch->only_tenant = tenant_is_only();
	}
	before = event_before(batch, tenant_id, aggregate, aggregate_id);
	e = &batch->events[batch->n++];
	uuid_v7(&e->id, batch->now);
	e->tenant_id = tenant_id;
	e->aggregate = aggregate;
	e->version = version;
	e->type = type;
	e->occurred_at = occurred_at;
	e->payload = payload;
	/* the same texts need be made into values only once, see text_value() */
	if (before != NULL)
	{
		e->aggregate_id = before->aggregate_id;
		e->plain_id = before->plain_id;
		e->has_cause = true;
		e->cause = before->id;
	}
	else
	{
		char	   *id = batch->only_tenant ? pstrdup(aggregate_id) :
			psprintf("%s/%s", tenant_code(tenant_id), aggregate_id);

		e->aggregate_id = id;
		e->plain_id = id + strlen(id) - strlen(aggregate_id);
		e->has_cause = batch->cause.known;
		e->cause = batch->cause.id;
	}
	if (guc_correlation_id[0] != '\0')
		e->correlation_id = guc_correlation_id;
	else if (correlation_id == NULL)
		e->correlation_id = NULL;
	else if (before != NULL && before->correlation_id != NULL && strcmp(before->correlation_id, correlation_id) == 0)
		e->correlation_id = before->correlation_id;
	else
		e->correlation_id = strcmp(e->plain_id, correlation_id) == 0 ? e->plain_id : pstrdup(correlation_id);
}

/* The last event is the cause of the next ones of other aggregates; returns what was. */
EventCause
event_cause_is_last(EventBatch *batch)
{
	EventCause	before = batch->cause;

	if (batch->n > 0)
	{
		batch->cause.known = true;
		batch->cause.id = batch->events[batch->n - 1].id;
	}
	return before;
}

/* The newest partition that begins not after "today", and where it begins. */
static Oid
find_partition(Relation parent, DateADT today, DateADT *begins)
{
	PartitionDesc desc = RelationGetPartitionDesc(parent, true);
	PartitionBoundInfo info = desc->boundinfo;

	if (desc->nparts == 0)
		return InvalidOid;
	for (int i = info->ndatums - 2; i >= 0; i--)
	{
		/* indexes[i + 1] is the partition between datums i and i + 1 */
		if (info->indexes[i + 1] < 0 ||
			info->kind[i][0] != PARTITION_RANGE_DATUM_VALUE)
			continue;
		*begins = DatumGetDateADT(info->datums[i][0]);
		if (*begins <= today)
			return desc->oids[info->indexes[i + 1]];
	}
	return InvalidOid;
}

/* The partition for "today", made if there is none; InvalidOid if that did not help. */
static Oid
look_up_partition(DateADT today, DateADT *begins)
{
	Oid			leaf = InvalidOid;

	for (int attempt = 0; attempt < 2 && !OidIsValid(leaf); attempt++)
	{
		Relation	parent = table_open(engine_relid(TAB_EVENT), AccessShareLock);

		leaf = find_partition(parent, today, begins);
		table_close(parent, NoLock);
		if (!OidIsValid(leaf))
		{
			Datum		args[1];

			args[0] = DateADTGetDatum(today);
			(void) engine_exec(&plan_make_partition, args, NULL, ENGINE_FRESH);
			CommandCounterIncrement();
		}
	}
	return leaf;
}

/*
 * Open the partition that events go into, locked for writing.
 *
 * Which one it is, is remembered until something changes at the parent table.
 * The lock of the partition is enough to write into it, as for everybody who
 * names it in a statement: who detaches it waits for us in the end.  That it
 * is still the right one is asked after the lock, with which we have learnt of
 * what has changed.
 */
static Relation
open_target(DateADT *part_on)
{
	static struct
	{
		Oid			leaf;
		DateADT		today,
					begins;
		uint64		generation; /* of the parent */
	}			target;
	/* a timestamptz counts UTC, and no clock is before 2000 */
	DateADT		today = (DateADT) (GetCurrentTransactionStartTimestamp() / USECS_PER_DAY);
	Relation	rel = NULL;

	if (target.today == today && target.generation == engine_generation(TAB_EVENT))
	{
		rel = try_table_open(target.leaf, RowExclusiveLock);
		if (rel != NULL && target.generation != engine_generation(TAB_EVENT))
		{
			table_close(rel, RowExclusiveLock);
			rel = NULL;
		}
	}
	if (rel == NULL)
	{
		uint64		generation = engine_generation(TAB_EVENT);
		Oid			leaf = look_up_partition(today, &target.begins);

		target.generation = 0;
		if (OidIsValid(leaf))
		{
			/* the parent is locked now, so that it is there */
			rel = table_open(leaf, RowExclusiveLock);
			target.leaf = leaf;
			target.today = today;
			target.generation = generation;
		}
	}
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("routing.event has no partition for %s", date_text(today)),
				 errhint("Attach the table of that day again, or rename it: a new one is made then.")));
	*part_on = target.begins;
	return rel;
}

/* columns that an event sets */
enum
{
	E_TENANT_ID, E_SEQ, E_PART_ON, E_RECORDED_AT, E_EVENT_TS, E_ID, E_XID, E_EPOCH, E_TENANTID,
	E_AGGREGATETYPE, E_AGGREGATEID, E_AGGREGATEVERSION, E_TYPE, E_SCHEMAVERSION, E_OCCURRED_AT,
	E_CORRELATIONID, E_CAUSATIONID, E_TRACEPARENT, E_TRACESTATE, E_TRACINGSPANCONTEXT, E_ACTOR, E_PAYLOAD,
	E_NCOLS
};

static const char *const event_names[E_NCOLS] = {
	"tenant_id", "seq", "part_on", "recorded_at", "event_ts", "id", "xid", "epoch", "tenantid",
	"aggregatetype", "aggregateid", "aggregateversion", "type", "schemaversion", "occurred_at",
	"correlationid", "causationid", "traceparent", "tracestate", "tracingspancontext", "actor", "payload"
};

/*
 * Find the columns by name, once per leaf: a restored one need not have our
 * column order.  A leaf whose columns were changed has more of them than before.
 */
static const AttrNumber *
event_columns(Relation leaf)
{
	static AttrNumber attnos[E_NCOLS];
	static Oid	known = InvalidOid;
	static int	known_natts = 0;
	TupleDesc	desc = RelationGetDescr(leaf);

	if (known == RelationGetRelid(leaf) && known_natts == desc->natts)
		return attnos;
	known = InvalidOid;
	for (int c = 0; c < E_NCOLS; c++)
	{
		attnos[c] = -1;
		for (int i = 0; i < desc->natts; i++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, i);

			if (!att->attisdropped && strcmp(NameStr(att->attname), event_names[c]) == 0)
				attnos[c] = i;
		}
		if (attnos[c] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of partition \"%s\" of routing.event is missing", event_names[c],
							RelationGetRelationName(leaf)),
					 errhint("Put it back: consumers of the event log read it.")));
	}
	known = RelationGetRelid(leaf);
	known_natts = desc->natts;
	return attnos;
}

/* what the events of a batch have in common */
typedef struct BatchRow
{
	DateADT		part_on;
	Oid			sequence;
	TimestampTz now;
	int32		epoch;
	const char *actor;
	TraceContext trace;
	int32		tenant_id;		/* of the last event */
	const char *texts[E_NCOLS]; /* of the last event, where the next may have the same */
	Datum		text_values[E_NCOLS];
} BatchRow;

/* A column of the row; see event_columns() */
#define PUT(column, value) \
	(store->values[attnos[column]] = (value), store->nulls[attnos[column]] = false)

/* A text that the event before may have had too. */
static Datum
text_value(BatchRow *batch, int column, const char *text)
{
	if (batch->texts[column] != text)
	{
		batch->texts[column] = text;
		batch->text_values[column] = CStringGetTextDatum(text);
	}
	return batch->text_values[column];
}

static void
fill_row(Store *store, PendingEvent *e, BatchRow *batch)
{
	const AttrNumber *attnos = event_columns(store->rel);
	int32		schemaversion = event_schemaversion(e->type);

	event_validate(e->type, schemaversion, e->payload);
	if (!e->has_cause && batch->trace.has_cause)
	{
		e->has_cause = true;
		e->cause = batch->trace.cause;
	}
	memset(store->nulls, true, RelationGetDescr(store->rel)->natts);
	PUT(E_TENANT_ID, Int32GetDatum(e->tenant_id));
	/* the id before the number: what snapshot.c says of numbers rests on it */
	PUT(E_XID, FullTransactionIdGetDatum(GetTopFullTransactionId()));
	PUT(E_SEQ, Int64GetDatum(nextval_internal(batch->sequence, false)));
	PUT(E_PART_ON, DateADTGetDatum(batch->part_on));
	PUT(E_RECORDED_AT, TimestampTzGetDatum(batch->now));
	/* a timestamptz counts UTC, so this is UTC without a zone */
	PUT(E_EVENT_TS, TimestampGetDatum((Timestamp) batch->now));
	PUT(E_ID, UUIDPGetDatum(&e->id));
	PUT(E_EPOCH, Int32GetDatum(batch->epoch));
	if (batch->texts[E_TENANTID] == NULL || batch->tenant_id != e->tenant_id)
	{
		batch->tenant_id = e->tenant_id;
		(void) text_value(batch, E_TENANTID, tenant_code(e->tenant_id));
	}
	PUT(E_TENANTID, batch->text_values[E_TENANTID]);
	PUT(E_AGGREGATETYPE, text_value(batch, E_AGGREGATETYPE, e->aggregate));
	PUT(E_AGGREGATEID, text_value(batch, E_AGGREGATEID, e->aggregate_id));
	PUT(E_AGGREGATEVERSION, Int64GetDatum(e->version));
	PUT(E_TYPE, text_value(batch, E_TYPE, e->type));
	PUT(E_SCHEMAVERSION, Int32GetDatum(schemaversion));
	PUT(E_OCCURRED_AT, TimestampTzGetDatum(e->occurred_at));
	if (e->correlation_id != NULL)
		PUT(E_CORRELATIONID, text_value(batch, E_CORRELATIONID, e->correlation_id));
	if (e->has_cause)
		PUT(E_CAUSATIONID, UUIDPGetDatum(&e->cause));
	if (batch->trace.traceparent != NULL)
		PUT(E_TRACEPARENT, text_value(batch, E_TRACEPARENT, batch->trace.traceparent));
	if (batch->trace.tracestate != NULL)
		PUT(E_TRACESTATE, text_value(batch, E_TRACESTATE, batch->trace.tracestate));
	if (batch->trace.span_context != NULL)
		PUT(E_TRACINGSPANCONTEXT, text_value(batch, E_TRACINGSPANCONTEXT, batch->trace.span_context));
	PUT(E_ACTOR, text_value(batch, E_ACTOR, batch->actor));
	PUT(E_PAYLOAD, JsonbPGetDatum(e->payload));
}

/* Who began the session; empty if that role is gone. */
static const char *
session_user_name(void)
{
	static NameData name;
	static Oid	of = InvalidOid;
	static uint64 at = 0;
	uint64		generation = membership_generation();

	if (of != GetSessionUserId() || at != generation)
	{
		char	   *found = GetUserNameFromId(GetSessionUserId(), true);

		namestrcpy(&name, found != NULL ? found : "");
		of = GetSessionUserId();
		at = generation;
	}
	return NameStr(name);
}

static Jsonb *
epoch_payload(int32 epoch, const char *cause)
{
	JsonWriter	w = {0};

	json_begin_object(&w);
	json_key_int(&w, "epoch", epoch);
	json_key_text(&w, "cause", cause);
	json_end_object(&w);
	return json_result(&w);
}

/* The first event that a cluster writes after a restore is preceded by those that tell each tenant of the new epoch. */
static void
write_epoch_started(Store *store, BatchRow *row)
{
	EventBatch	batch = {0};
	int32	   *tenants;
	int			n = tenant_ids(&tenants);

	for (int i = 0; i < n; i++)
	{
		event_add(&batch, tenants[i], "stream", "events", event_stream_next(tenants[i], "stream", "events"),
				  "stream.epoch_started.v1", row->now, NULL, epoch_payload(row->epoch, "restored"));
		fill_row(store, &batch.events[i], row);
		store_add(store);
	}
}

/*
 * Write the batch and empty it.  SPI must be connected.
 *
 * Not with CatalogTuplesMultiInsert: it is made for catalogs, whose rows are
 * never toasted, and gives the indexes a wrong address of one that is.
 */
void
events_write(EventBatch *batch)
{
	BatchRow	row = {0};
	Store	   *store;
	bool		recorded;

	if (batch->n == 0)
		return;
	store = store_of(open_target(&row.part_on));
	/* after the lock of the leaf: who starts an epoch waits for all writers */
	row.epoch = stream_epoch(&recorded);
	row.sequence = engine_relid(TAB_EVENT_SEQ);
	row.now = GetCurrentTimestamp();
	row.actor = session_user_name();
	trace_context(&row.trace);
	/* before the first epoch there was nothing that a consumer could know */
	if (!recorded && stream_epoch_record(row.epoch, row.epoch == 1 ? "installed" : "restored") && row.epoch > 1)
		write_epoch_started(store, &row);
	for (int i = 0; i < batch->n; i++)
	{
		fill_row(store, &batch->events[i], &row);
		store_add(store);
	}
	store_close(store);
	CommandCounterIncrement();
	batch->n = 0;
}
