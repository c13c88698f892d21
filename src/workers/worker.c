/*
 * worker.c
 *		The worker of one database: ticks, and keeps the event partitions.
 *
 * All that it does is also done by CALL routing.work(), for servers where
 * nothing is preloaded; only here can partitions be detached concurrently,
 * which no procedure may do.
 *
 * It holds no lock and no transaction between two ticks.  An error of a tick
 * ends it, and the launcher starts it again; an error of maintenance is
 * logged, and does not keep listeners and slots from their ticks.  Nor do locks
 * that somebody holds for long, as pg_dump does: they are asked for again later.
 */
#include "workers/workers.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
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
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/ps_status.h"
#include "utils/snapmgr.h"

/* how often partitions are made and dropped, and how soon again if that failed */
#define MAINTENANCE_MS		(10 * 60 * 1000)
#define RETRY_MS			(20 * 1000)
/* how long maintenance waits for a lock, without a tick meanwhile */
#define MAINTENANCE_LOCK	"1s"

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

/*
 * Tick, if the extension is there in the version of this library.  It is
 * looked at each time, and locked: after DROP EXTENSION somebody else may make
 * a function of that name, and this process is a superuser's.
 */
static bool
tick(void)
{
	static SPIPlanPtr plan = NULL;
	Oid			extension;
	bool		usable = false;

	begin("SELECT routing.tick()");
	extension = get_extension_oid("routing", true);
	if (OidIsValid(extension))
	{
		LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
		if (plan == NULL)
		{
			plan = SPI_prepare(psprintf("SELECT 1 FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d"
										" ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'"
										" AND d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = to_regprocedure('routing.tick()')"
										" WHERE e.extname = 'routing' AND e.extversion = '%s'", ROUTING_VERSION), 0, NULL);
			SPI_keepplan(plan);
		}
		usable = SPI_execute_plan(plan, NULL, NULL, false, 1) == SPI_OK_SELECT && SPI_processed == 1;
	}
	if (usable)
		(void) SPI_execute("SELECT routing.tick()", false, 0);
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
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(before, "routing command", ALLOCSET_SMALL_SIZES);
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
	MemoryContextSwitchTo(before);
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
maintain_partitions(MemoryContext context)
{
	ListCell   *lc;
	List	   *list;

	run("SELECT routing.create_event_partitions(pg_catalog.current_setting('routing.event_partitions_ahead')::int)");
	list = commands("SELECT c FROM routing.event_partitions_to_drop() p,"
					" pg_catalog.unnest(p.commands) WITH ORDINALITY u(c, n) ORDER BY p.part_on, n", context);
	foreach(lc, list)
	{
		if (ShutdownRequestPending)
			break;
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(context);
		if (strncmp(lfirst(lc), "SELECT", 6) == 0)
			run(lfirst(lc));
		else
			run_utility(lfirst(lc));
	}
}

/* Make and drop partitions; false if that has to be tried again. */
static bool
maintain(void)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "routing maintenance", ALLOCSET_SMALL_SIZES);
	volatile bool done = true;

	/* this may wait for others, and must not make the end of the server wait */
	pqsignal(SIGTERM, die);
	SetConfigOption("lock_timeout", MAINTENANCE_LOCK, PGC_SUSET, PGC_S_SESSION);
	PG_TRY();
	{
		maintain_partitions(context);
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		if (geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE)
			EmitErrorReport();
		AbortOutOfAnyTransaction();
		FlushErrorState();
		PortalContext = NULL;
		pgstat_report_activity(STATE_IDLE, NULL);
		RESUME_INTERRUPTS();
		done = false;
	}
	PG_END_TRY();
	SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_SESSION);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(context);
	return done;
}

void
routing_worker_main(Datum arg)
{
	TimestampTz maintained = 0;
	int			wait_ms = 0;

	/* a tick is short: it is ended, not interrupted, which would leave a word in the log */
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);
	SetConfigOption("application_name", "routing worker", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
	/* nothing that it writes has to survive a crash */
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION);
	/* what the database sets for its sessions */
	SetConfigOption("default_transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_read_only", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("lock_timeout", "0", PGC_USERSET, PGC_S_SESSION);
	for (;;)
	{
		TimestampTz now;

		if (!tick())
			proc_exit(0);
		now = GetCurrentTimestamp();
		if (maintained == 0 || TimestampDifferenceExceeds(maintained, now, wait_ms))
		{
			wait_ms = maintain() ? MAINTENANCE_MS : RETRY_MS;
			maintained = GetCurrentTimestamp();
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
