/*
 * epoch.c
 *		Epochs of the event stream.
 *
 * Transaction ids and WAL positions mean something within one cluster only.
 * After a dump was restored elsewhere, the stored ones would lie in the new
 * cluster's future.  So every event carries the epoch it was written in, and
 * an epoch belongs to one cluster, known by its system identifier.
 *
 * The epoch is computed, not looked up: the newest recorded one if it is of
 * this cluster, else the one after it.  All backends come to the same number
 * without waiting for each other; the first that can records it.  What
 * matters is that it is recorded before the next dump, so that a second
 * restore does not come to the same number again.
 */
#include "events/epoch.h"

#include "base/cached.h"
#include "events/append.h"
#include "events/streams.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

typedef struct EpochRow
{
	int32		epoch;
	uint64		system;
} EpochRow;

static void
fill(void *row, int i)
{
	EpochRow   *e = row;
	bool		isnull;

	e->epoch = DatumGetInt32(spi_datum(i, 1, &isnull));
	e->system = (uint64) DatumGetInt64(spi_datum(i, 2, &isnull));
}

static CachedRows newest = {
	.name = "stream epoch",
	.table = TAB_STREAM_EPOCH,
	.plan = {"SELECT epoch, system_identifier FROM routing.stream_epoch ORDER BY epoch DESC LIMIT 1",
	0, {0}, NULL},
	.rowsize = sizeof(EpochRow),
	.fill = fill
};

static EnginePlan plan_record = {
	"INSERT INTO routing.stream_epoch (epoch, system_identifier, cause) VALUES ($1, $2, $3)"
	" ON CONFLICT (epoch) DO NOTHING RETURNING epoch",
	3, {INT4OID, INT8OID, TEXTOID}, NULL
};

/* The current epoch; *recorded: its row is there. */
int32
stream_epoch(bool *recorded)
{
	const EpochRow *row = cached_rows(&newest);

	*recorded = newest.n > 0 && row->system == GetSystemIdentifier();
	if (newest.n == 0)
		return 1;
	return *recorded ? row->epoch : row->epoch + 1;
}

/*
 * Record it, unless somebody else is about to: nobody waits here.  Returns
 * whether we did.  SPI must be connected.
 */
bool
stream_epoch_record(int32 epoch, const char *cause)
{
	Datum		args[3];

	/* conflicts with itself, and with nothing that an order does */
	if (!ConditionalLockRelationOid(engine_relid(TAB_STREAM_EPOCH), ShareUpdateExclusiveLock))
		return false;
	args[0] = Int32GetDatum(epoch);
	args[1] = Int64GetDatum((int64) GetSystemIdentifier());
	args[2] = CStringGetTextDatum(cause);
	return engine_exec(&plan_record, args, NULL, ENGINE_FRESH) > 0;
}

PG_FUNCTION_INFO_V1(routing_append_stream_event);

/* SQL: append_stream_event(tenant_id, type, payload); the caller has locked stream_epoch */
Datum
routing_append_stream_event(PG_FUNCTION_ARGS)
{
	EventBatch	batch = {0};
	int32		tenant_id = PG_GETARG_INT32(0);

	SPI_connect();
	event_add(&batch, tenant_id, "stream", "events", event_stream_next(tenant_id, "stream", "events"),
			  text_to_cstring(PG_GETARG_TEXT_PP(1)), GetCurrentTimestamp(), NULL, PG_GETARG_JSONB_P(2));
	events_write(&batch);
	SPI_finish();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(routing_stream_epoch);

/* SQL: stream_epoch() */
Datum
routing_stream_epoch(PG_FUNCTION_ARGS)
{
	bool		recorded;

	PG_RETURN_INT32(stream_epoch(&recorded));
}

PG_FUNCTION_INFO_V1(routing_system_identifier);

/* SQL: system_identifier(), as the rows of stream_epoch have it */
Datum
routing_system_identifier(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) GetSystemIdentifier());
}
