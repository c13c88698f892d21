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

#include "base/cache.h"
#include "base/engine.h"
#include "base/store.h"
#include "base/tenant.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/uuid.h"
#include "utils/xid8.h"

char	   *guc_correlation_id = NULL;

#define EVENT_EPOCH		1
#define EVENT_SCHEMA	1

typedef struct PendingEvent
{
	int32		tenant_id;
	const char *aggregate;
	char	   *aggregate_id;
	int64		version;
	const char *type;
	TimestampTz occurred_at;
	char	   *correlation_id;
	Jsonb	   *payload;
} PendingEvent;

static EnginePlan plan_make_partition = {
	"SELECT routing.event_partition($1)",
	1, {DATEOID}, NULL
};

/*
 * Add an event to the batch.  "aggregate" and "type" must be constants;
 * aggregate_id is made unique over tenants if there are several.
 */
void
event_add(EventBatch *batch, int32 tenant_id, const char *aggregate,
		  const char *aggregate_id, int64 version, const char *type,
		  TimestampTz occurred_at, const char *correlation_id, Jsonb *payload)
{
	PendingEvent *e;

	if (batch->n == batch->capacity)
	{
		batch->capacity = batch->capacity ? batch->capacity * 2 : 4;
		batch->events = batch->events == NULL ?
			palloc(sizeof(PendingEvent) * batch->capacity) :
			repalloc_huge(batch->events, sizeof(PendingEvent) * batch->capacity);
	}
	e = &batch->events[batch->n++];
	e->tenant_id = tenant_id;
	e->aggregate = aggregate;
	e->aggregate_id = tenant_is_only() ? pstrdup(aggregate_id) :
		psprintf("%s/%s", tenant_code(tenant_id), aggregate_id);
	e->version = version;
	e->type = type;
	e->occurred_at = occurred_at;
	e->correlation_id = guc_correlation_id[0] != '\0' ? guc_correlation_id :
		correlation_id ? pstrdup(correlation_id) : NULL;
	e->payload = payload;
}

/* UUID version 7: milliseconds, then random bits; they sort by time. */
static pg_uuid_t *
uuid_v7(TimestampTz at)
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));
	uint64		ms = (uint64) (at / 1000 +
							   (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * 86400 * 1000);

	if (!pg_strong_random(uuid->data, UUID_LEN))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	for (int i = 0; i < 6; i++)
		uuid->data[i] = (unsigned char) (ms >> (8 * (5 - i)));
	uuid->data[6] = (uuid->data[6] & 0x0f) | 0x70;
	uuid->data[8] = (uuid->data[8] & 0x3f) | 0x80;
	return uuid;
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

static Oid
target_partition(DateADT *part_on)
{
	struct pg_tm tm;
	fsec_t		fsec;
	DateADT		today;
	Oid			leaf = InvalidOid;

	if (timestamp2tm(GetCurrentTransactionStartTimestamp(), NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "timestamp out of range");
	today = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;

	for (int attempt = 0; attempt < 2 && !OidIsValid(leaf); attempt++)
	{
		Relation	parent = table_open(engine_relid(TAB_EVENT), AccessShareLock);

		leaf = find_partition(parent, today, part_on);
		table_close(parent, NoLock);
		if (!OidIsValid(leaf))
		{
			Datum		args[1];

			args[0] = DateADTGetDatum(today);
			(void) engine_exec(&plan_make_partition, args, NULL, ENGINE_FRESH);
			CommandCounterIncrement();
		}
	}
	if (!OidIsValid(leaf))
		elog(ERROR, "could not find a partition of routing.event");
	return leaf;
}

/* Attribute numbers by name: a restored leaf need not have our column order. */
static AttrNumber
attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return i;
	}
	elog(ERROR, "column \"%s\" of an event partition is missing", name);
	return 0;
}

#define SET(name, value) \
	do { \
		AttrNumber a_ = attribute(desc, (name)); \
		store->values[a_] = (value); \
		store->nulls[a_] = false; \
	} while (0)

static void
fill_row(Store *store, const PendingEvent *e, DateADT part_on, Oid sequence,
		 TimestampTz now, const char *actor)
{
	TupleDesc	desc = RelationGetDescr(store->rel);

	memset(store->nulls, true, desc->natts);
	SET("tenant_id", Int32GetDatum(e->tenant_id));
	SET("seq", Int64GetDatum(nextval_internal(sequence, false)));
	SET("part_on", DateADTGetDatum(part_on));
	SET("recorded_at", TimestampTzGetDatum(now));
	/* a timestamptz counts UTC, so this is UTC without a zone */
	SET("event_ts", TimestampGetDatum((Timestamp) now));
	SET("id", UUIDPGetDatum(uuid_v7(now)));
	SET("xid", FullTransactionIdGetDatum(GetTopFullTransactionId()));
	SET("epoch", Int32GetDatum(EVENT_EPOCH));
	SET("tenantid", CStringGetTextDatum(tenant_code(e->tenant_id)));
	SET("aggregatetype", CStringGetTextDatum(e->aggregate));
	SET("aggregateid", CStringGetTextDatum(e->aggregate_id));
	SET("aggregateversion", Int64GetDatum(e->version));
	SET("type", CStringGetTextDatum(e->type));
	SET("schemaversion", Int32GetDatum(EVENT_SCHEMA));
	SET("occurred_at", TimestampTzGetDatum(e->occurred_at));
	if (e->correlation_id)
		SET("correlationid", CStringGetTextDatum(e->correlation_id));
	SET("actor", CStringGetTextDatum(actor));
	SET("payload", JsonbPGetDatum(e->payload));
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
	DateADT		part_on;
	Store	   *store;
	Oid			sequence;
	TimestampTz now;
	const char *actor;

	if (batch->n == 0)
		return;
	store = store_open_relid(target_partition(&part_on));
	sequence = get_relname_relid("event_seq", get_namespace_oid("routing", false));
	now = GetCurrentTimestamp();
	actor = GetUserNameFromId(GetSessionUserId(), true);
	if (actor == NULL)
		actor = "";
	for (int i = 0; i < batch->n; i++)
	{
		fill_row(store, &batch->events[i], part_on, sequence, now, actor);
		store_insert(store);
	}
	store_close(store);
	CommandCounterIncrement();
	batch->n = 0;
}
