/*
 * streams.c
 *		Versions of the streams that no other row has: those of policies and
 *		nodes, and that of the event stream itself, of each tenant.
 *
 * The row of routing.event_stream is the lock of its stream.  Lock order:
 * settlements take it after orders and positions, by tenant, aggregate and id
 * (told.c); that of aggregate "stream" is taken only by who holds the lock of
 * stream_epoch, for which no settlement waits.
 */
#include "events/streams.h"

#include "base/engine.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

static EnginePlan plan_version = {
	"INSERT INTO routing.event_stream AS s (tenant_id, aggregatetype, aggregateid, event_version)"
	" VALUES ($1, $2, $3, 1) ON CONFLICT (tenant_id, aggregatetype, aggregateid)"
	" DO UPDATE SET event_version = s.event_version + 1 RETURNING event_version",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* Lock a stream and give the version of its next event.  SPI must be connected. */
int64
event_stream_next(int32 tenant_id, const char *aggregate, const char *aggregate_id)
{
	Datum		args[3];
	bool		isnull;
	int64		version;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(aggregate);
	args[2] = CStringGetTextDatum(aggregate_id);
	(void) engine_exec(&plan_version, args, NULL, ENGINE_FRESH);
	version = DatumGetInt64(spi_datum(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return version;
}
