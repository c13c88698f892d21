/*
 * snapshot.c
 *		The upper end of what a consumer of the event table may read.
 *
 * Consumers read the difference of two snapshots, see consumers.sql.  The one
 * made here is pg_current_snapshot() with three differences:
 *
 * - On a standby it lists the running transactions, which the server's own
 *	 does not.  Cutting at xmin instead would lose nothing, but it would break
 *	 the order within an aggregate: of two transactions that wrote one after
 *	 the other the second can have the lower id, and xmin may lie between.
 * - The caller's own transaction counts as running: it can still write.
 * - It ends at the next transaction id to be given, with everything from the
 *	 snapshot's xmax on listed as running.  It means the same, and whoever
 *	 has an id from there on has taken his sequence numbers later than now: the
 *	 appender has an id before it takes one.  So a sequence value that was read
 *	 before bounds what comes next.
 *
 * What it shows is on disk when it is returned.  Consumers process events
 * outside of the database and keep tokens there: a crash may not take back a
 * transaction that they have seen (one with synchronous_commit = off, or an
 * aborted one), because its id and its sequence numbers would be given again,
 * to transactions that then count as read.
 */
#include "base/engine.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogrecovery.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/snapmgr.h"

/*
 * The most ids beyond xmax that are listed.  There are as many as transactions
 * and subtransactions run; with more of them the result ends at xmax, and
 * "floored" is false.
 */
#define MAX_BEYOND	1000

/* The 64-bit id of one that is not newer than "next". */
static uint64
widen(TransactionId xid, FullTransactionId next)
{
	uint64		epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return (epoch << 32) | xid;
}

static int
compare_ids(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a,
				y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/*
 * Flush what has been written to the WAL so far; a standby has only what its
 * primary has flushed.
 */
static void
flush_wal(void)
{
	XLogRecPtr	end;

	if (RecoveryInProgress())
		return;
	/* where the next record begins is behind a page's header, where the last one ends is before it */
	end = GetXLogInsertRecPtr();
	if (XLogSegmentOffset(end, wal_segment_size) == SizeOfXLogLongPHD)
		end -= SizeOfXLogLongPHD;
	else if (end % XLOG_BLCKSZ == SizeOfXLogShortPHD)
		end -= SizeOfXLogShortPHD;
	XLogFlush(end);
}

PG_FUNCTION_INFO_V1(routing_stream_snapshot);

/* SQL: stream_snapshot(OUT snapshot pg_snapshot, OUT floored boolean, OUT timeline int) */
Datum
routing_stream_snapshot(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	FullTransactionId next = ReadNextFullTransactionId();
	TransactionId own = GetTopTransactionIdIfAny();
	/* on a standby all that are known to run are kept as subtransactions */
	const TransactionId *running = snapshot->takenDuringRecovery ? snapshot->subxip : snapshot->xip;
	int			nrunning = snapshot->takenDuringRecovery ? snapshot->subxcnt : (int) snapshot->xcnt;
	uint64		xmax = widen(snapshot->xmax, next);
	uint64		end = U64FromFullTransactionId(next);
	bool		floored = end - xmax <= MAX_BEYOND;
	uint64	   *ids = palloc(sizeof(uint64) * (nrunning + 1 + MAX_BEYOND));
	int			n = 0;
	StringInfoData text;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};
	TimeLineID	timeline;

	for (int i = 0; i < nrunning; i++)
	{
		ids[n] = widen(running[i], next);
		if (ids[n] < xmax)
			n++;
	}
	if (TransactionIdIsValid(own))
	{
		ids[n] = widen(own, next);
		if (ids[n] < xmax)
			n++;
	}
	qsort(ids, n, sizeof(uint64), compare_ids);
	if (floored)
	{
		while (xmax < end)
			ids[n++] = xmax++;
	}

	flush_wal();

	/*
	 * Asked after the snapshot was taken: what it shows is of this timeline, too,
	 * if one has begun meanwhile.
	 */
	if (RecoveryInProgress())
		(void) GetXLogReplayRecPtr(&timeline);
	else
		timeline = GetWALInsertionTimeLine();

	initStringInfo(&text);
	appendStringInfo(&text, UINT64_FORMAT ":" UINT64_FORMAT ":", n > 0 ? ids[0] : xmax, xmax);
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || ids[i] != ids[i - 1])
			appendStringInfo(&text, "%s" UINT64_FORMAT, i > 0 ? "," : "", ids[i]);
	}
	values[0] = DirectFunctionCall1(pg_snapshot_in, CStringGetDatum(text.data));
	values[1] = BoolGetDatum(floored);
	values[2] = Int32GetDatum((int32) timeline);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(engine_row_result(fcinfo), values, nulls)));
}
