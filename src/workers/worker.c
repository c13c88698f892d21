/*
 * worker.c
 *		The worker of one database: ticks, and keeps the event partitions.
 *
 * All that it does is also done by CALL routing.work(), for servers where
 * nothing is preloaded; only here can partitions be detached concurrently,
 * which no procedure may do.
 *
 * It holds no lock and no transaction between two ticks.  An error ends it;
 * the launcher starts it again.
 */
#include "workers/workers.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parser.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/ps_status.h"
#include "utils/snapmgr.h"

/* how often partitions are made and dropped */
#define MAINTENANCE_MS		(10 * 60 * 1000)

static void
begin(const char *activity)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, activity);
}

static void
end(void)
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Whether the extension is there, in the version of this library. */
static bool
extension_is_usable(void)
{
	bool		usable;

	begin("looking for the extension");
	usable = OidIsValid(get_extension_oid("routing", true)) &&
		SPI_execute(psprintf("SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'routing' AND extversion = '%s'",
							 ROUTING_VERSION), true, 1) == SPI_OK_SELECT &&
		SPI_processed == 1;
	end();
	return usable;
}

static void
run(const char *sql)
{
	begin(sql);
	(void) SPI_execute(sql, false, 0);
	end();
}

/*
 * A command that manages transactions itself, as a client would send it.  The
 * parse tree outlives its transactions, as does what the command puts into
 * the portal's context; there is no portal here (autovacuum does the same).
 */
static void
run_utility(const char *sql)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "routing command", ALLOCSET_SMALL_SIZES);
	PlannedStmt *stmt;
	RawStmt    *raw;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, sql);
	MemoryContextSwitchTo(context);
	PortalContext = context;
	raw = linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT));
	stmt = makeNode(PlannedStmt);
	stmt->commandType = CMD_UTILITY;
	stmt->canSetTag = true;
	stmt->utilityStmt = raw->stmt;
	stmt->stmt_len = (int) strlen(sql);
	ProcessUtility(stmt, sql, false, PROCESS_UTILITY_TOPLEVEL, NULL, NULL, None_Receiver, NULL);
	if (ActiveSnapshotSet())
		PopActiveSnapshot();
	CommitTransactionCommand();
	PortalContext = NULL;
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(context);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Commands, one per row, of a query; in "context". */
static List *
commands(const char *query, MemoryContext context)
{
	List	   *list = NIL;

	begin(query);
	if (SPI_execute(query, true, 0) == SPI_OK_SELECT)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		for (uint64 i = 0; i < SPI_processed; i++)
			list = lappend(list, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
		MemoryContextSwitchTo(old);
	}
	end();
	return list;
}

static void
maintain(void)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "routing maintenance", ALLOCSET_SMALL_SIZES);
	ListCell   *lc;
	List	   *list;

	run("SELECT routing.create_event_partitions(pg_catalog.current_setting('routing.event_partitions_ahead')::int)");
	list = commands("SELECT c FROM routing.event_partitions_to_drop() p,"
					" pg_catalog.unnest(p.commands) WITH ORDINALITY u(c, n) ORDER BY p.part_on, n", context);
	/* these wait for others, and must not make the end of the server wait */
	pqsignal(SIGTERM, die);
	foreach(lc, list)
	{
		if (ShutdownRequestPending)
			break;
		CHECK_FOR_INTERRUPTS();
		if (strncmp(lfirst(lc), "SELECT", 6) == 0)
			run(lfirst(lc));
		else
			run_utility(lfirst(lc));
	}
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	MemoryContextDelete(context);
}

void
routing_worker_main(Datum arg)
{
	TimestampTz maintained = 0;

	/* a tick is short: it is ended, not interrupted, which would leave a word in the log */
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);
	SetConfigOption("application_name", "routing worker", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
	/* nothing that it writes has to survive a crash */
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION);
	if (!extension_is_usable())
		proc_exit(0);
	for (;;)
	{
		TimestampTz now;

		run("SELECT routing.tick()");
		now = GetCurrentTimestamp();
		if (maintained == 0 || TimestampDifferenceExceeds(maintained, now, MAINTENANCE_MS))
		{
			maintain();
			maintained = now;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, guc_tick_interval, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		if (ShutdownRequestPending || ProcDiePending)
			proc_exit(0);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}
