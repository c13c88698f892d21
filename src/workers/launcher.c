/*
 * launcher.c
 *		The process that keeps one worker running for each database named in
 *		routing.databases.
 *
 * It exists only if the library is in shared_preload_libraries, and does
 * nothing on a standby before promotion.  It is connected to no database, so
 * that it stands in the way of no DROP DATABASE; a worker is connected to its
 * own, until that is taken from the list and the configuration reloaded.
 *
 * A worker that fails is started again by the next round, not at once: what
 * fails once usually fails again.
 */
#include "workers/workers.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#define ROUND_MS	10000

int			guc_tick_interval = 100;

static char *databases = NULL;
static int	event_retention = 30;
static int	event_retention_max = 90;
static int	event_partitions_ahead = 7;
static int	heartbeat_interval = 60;

typedef struct Running
{
	Oid			database;
	BackgroundWorkerHandle *handle;
} Running;

/* of the launcher: the workers that it started */
static List *running = NIL;

static bool
check_databases(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names;
	bool		good = SplitIdentifierString(copy, ',', &names);

	if (!good)
		GUC_check_errdetail("It is a list of database names, separated by commas.");
	list_free(names);
	pfree(copy);
	return good;
}

/* From _PG_init. */
void
workers_init(void)
{
	BackgroundWorker launcher = {0};

	DefineCustomStringVariable("routing.databases",
							   "Databases in which a worker runs, a list separated by commas.",
							   "It takes effect only if the library is in shared_preload_libraries.",
							   &databases, "",
							   PGC_SIGHUP, GUC_LIST_INPUT, check_databases, NULL, NULL);
	DefineCustomIntVariable("routing.tick_interval",
							"Time between two looks of the worker for new events.",
							"At most one notification is sent for each.",
							&guc_tick_interval, 100, 10, 60000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("routing.heartbeat_interval",
							"Time between two heartbeats in the WAL, which let idle replication slots advance.",
							"None is written while the WAL stands still; 0 turns them off.",
							&heartbeat_interval, 60, 0, 86400,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("routing.event_partitions_ahead",
							"Days for which event partitions are made ahead.",
							NULL,
							&event_partitions_ahead, 7, 1, 366,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("routing.event_retention",
							"Days after which events that every registered consumer has read are dropped.",
							"0: never.",
							&event_retention, 30, 0, 36500,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("routing.event_retention_max",
							"Days after which events are dropped even if a registered consumer has not read them.",
							"0: never.",
							&event_retention_max, 90, 0, 36500,
							PGC_SIGHUP, 0, NULL, NULL, NULL);

	/* pg_upgrade's servers are to do nothing of their own */
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	launcher.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	launcher.bgw_start_time = BgWorkerStart_RecoveryFinished;
	launcher.bgw_restart_time = 10;
	strlcpy(launcher.bgw_library_name, "routing", BGW_MAXLEN);
	strlcpy(launcher.bgw_function_name, "routing_launcher_main", BGW_MAXLEN);
	strlcpy(launcher.bgw_name, "routing launcher", BGW_MAXLEN);
	strlcpy(launcher.bgw_type, "routing launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&launcher);
}

/* OIDs of the databases in the list that exist and take connections. */
static List *
wanted_databases(MemoryContext context)
{
	List	   *names;
	List	   *wanted = NIL;
	char	   *copy;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;

	StartTransactionCommand();
	copy = pstrdup(databases);
	if (!SplitIdentifierString(copy, ',', &names))
		names = NIL;
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, GetTransactionSnapshot(), 0, NULL);
	while ((tuple = systable_getnext(scan)) != NULL)
	{
		Form_pg_database db = (Form_pg_database) GETSTRUCT(tuple);
		ListCell   *lc;

		if (!db->datallowconn || db->datistemplate || database_is_invalid_form(db))
			continue;
		foreach(lc, names)
		{
			if (strcmp(lfirst(lc), NameStr(db->datname)) == 0)
			{
				MemoryContext old = MemoryContextSwitchTo(context);

				wanted = list_append_unique_oid(wanted, db->oid);
				MemoryContextSwitchTo(old);
			}
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	return wanted;
}

static BackgroundWorkerHandle *
start_worker(Oid database)
{
	static bool told = false;
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "routing", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "routing_worker_main", BGW_MAXLEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "routing worker of database %u", database);
	strlcpy(worker.bgw_type, "routing worker", BGW_MAXLEN);
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	worker.bgw_notify_pid = MyProcPid;
	if (RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		told = false;
		return handle;
	}
	/* every round tries again */
	if (!told)
		ereport(LOG,
				(errmsg("could not start a routing worker: all background worker slots are taken"),
				 errhint("Raise max_worker_processes.")));
	told = true;
	return NULL;
}

/* Start what is wanted and does not run, end what runs and is not wanted. */
static void
reconcile_workers(void)
{
	MemoryContext round = AllocSetContextCreate(TopMemoryContext, "routing launcher", ALLOCSET_SMALL_SIZES);
	List	   *wanted = wanted_databases(round);
	List	   *still = NIL;
	ListCell   *lc;

	foreach(lc, running)
	{
		Running    *r = lfirst(lc);
		pid_t		pid;

		if (GetBackgroundWorkerPid(r->handle, &pid) == BGWH_STOPPED)
		{
			pfree(r->handle);
			pfree(r);
			continue;
		}
		if (list_member_oid(wanted, r->database))
			wanted = list_delete_oid(wanted, r->database);
		else
			TerminateBackgroundWorker(r->handle);
		still = lappend(still, r);
	}
	list_free(running);
	running = still;
	foreach(lc, wanted)
	{
		BackgroundWorkerHandle *handle = start_worker(lfirst_oid(lc));
		Running    *r;

		if (handle == NULL)
			break;
		r = palloc(sizeof(Running));
		r->database = lfirst_oid(lc);
		r->handle = handle;
		running = lappend(running, r);
	}
	MemoryContextDelete(round);
}

/*
 * Whoever launches next does not know our workers: he would start others
 * beside them, and could not end these.
 */
static void
end_workers(int code, Datum arg)
{
	ListCell   *lc;

	foreach(lc, running)
		TerminateBackgroundWorker(((Running *) lfirst(lc))->handle);
}

void
routing_launcher_main(Datum arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	before_shmem_exit(end_workers, (Datum) 0);
	for (;;)
	{
		MemoryContextSwitchTo(TopMemoryContext);
		reconcile_workers();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ROUND_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		/* without a word in the log, which CHECK_FOR_INTERRUPTS() would leave */
		if (ProcDiePending)
			proc_exit(1);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}
