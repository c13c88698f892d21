/*
 * engine.c
 *		Running SQL of our own.
 *
 * All statements name their tables with the schema and run under one pinned
 * search path, so that saved plans are neither hijacked nor planned again.
 */
#include "base/engine.h"

#include "base/cache.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

int			engine_writing = 0;
static bool token_queued = false;

/* The function ignores its argument: it has none in SQL. */
static int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/*
 * From now on the engine writes its order and supply tables.  Returns what
 * engine_writing is to be set to afterwards, also after an error.
 */
int
engine_write_begin(void)
{
	int			before = engine_writing;

	engine_writing = trigger_depth() + 1;
	return before;
}

/*
 * Whether the row trigger that asks was fired by such a write.  What somebody
 * else's trigger on these tables then writes itself is noted like any change.
 */
bool
engine_is_writing(void)
{
	return engine_writing > 0 && engine_writing == trigger_depth();
}

/*
 * SPI must be connected.  What is wrong with the text is an error of the
 * parser's; no plan without one comes of a wrong call only.
 */
SPIPlanPtr
engine_prepare(const char *sql, int nargs, Oid *argtypes, bool kept)
{
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, argtypes);

	if (plan == NULL || (kept && SPI_keepplan(plan) != 0))
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	MemoryContextSwitchTo(caller);
	return plan;
}

/*
 * Run a saved plan; SPI must be connected.  Returns the number of rows; the
 * rows themselves are in SPI_tuptable.
 *
 * ENGINE_FRESH: under REPEATABLE READ and SERIALIZABLE the statement gets a
 * fresh snapshot instead of the transaction's.  Settlement books on what is
 * committed now; under the old snapshot every row that somebody changed since
 * would end the transaction with 40001.
 */
uint64
engine_exec(EnginePlan *plan, Datum *values, const char *nulls, EngineMode mode)
{
	MemoryContext caller = CurrentMemoryContext;
	int			rc;

	if (plan->plan == NULL)
		plan->plan = engine_prepare(plan->sql, plan->nargs, plan->argtypes, true);
	if (mode == ENGINE_READ)
		rc = SPI_execute_plan(plan->plan, values, nulls, true, 0);
	else if (IsInParallelMode())
	{
		/*
		 * No command may be counted and no latest snapshot taken, but one as
		 * for a catalog may; the caller's could leave old rows in a cache.
		 */
		Snapshot	snapshot = RegisterSnapshot(GetCatalogSnapshot(InvalidOid));

		rc = SPI_execute_snapshot(plan->plan, values, nulls, snapshot,
								  InvalidSnapshot, true, false, 0);
		UnregisterSnapshot(snapshot);
	}
	else if (IsolationUsesXactSnapshot())
		rc = SPI_execute_snapshot(plan->plan, values, nulls, GetLatestSnapshot(),
								  InvalidSnapshot, false, true, 0);
	else
		rc = SPI_execute_plan(plan->plan, values, nulls, false, 0);
	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s", plan->sql,
			 SPI_result_code_string(rc));
	/* SPI leaves its own context behind, which ends with the connection */
	MemoryContextSwitchTo(caller);
	return SPI_processed;
}

/* Column as text in the current memory context; NULL for SQL null. */
char *
spi_text(int row, int col)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col);
}

/* Column as a datum that lives as long as the SPI result. */
Datum
spi_datum(int row, int col, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col, isnull);
}

/* Who owns a table. */
Oid
relation_owner(Oid relid)
{
	HeapTuple	tup = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tup))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errhint("It was dropped at the same time; try again.")));
	owner = ((Form_pg_class) GETSTRUCT(tup))->relowner;
	ReleaseSysCache(tup);
	return owner;
}

/*
 * Act as the extension's owner with the pinned search path.  An error in
 * between restores both with the (sub)transaction.
 */
void
engine_enter(EngineScope *scope)
{
	role_enter(scope, relation_owner(engine_relid(TAB_POSITION)));
}

void
engine_leave(EngineScope *scope)
{
	role_leave(scope);
}

/*
 * Act as a role, as foreign keys do for the owner of a table: the role's
 * rights, no SET ROLE in between, and the pinned search path.
 */
void
role_enter(EngineScope *scope, Oid role)
{
	GetUserIdAndSecContext(&scope->userid, &scope->sec_context);
	SetUserIdAndSecContext(role, scope->sec_context | SECURITY_LOCAL_USERID_CHANGE);
	scope->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
role_leave(EngineScope *scope)
{
	AtEOXact_GUC(true, scope->guc_level);
	SetUserIdAndSecContext(scope->userid, scope->sec_context);
}

/* Run a command of our own that is no query; it fails with an error of its own. */
void
engine_utility(const char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "not a command: \"%s\"", sql);
}

/* The row type that a function is declared to return, one of OUT arguments. */
TupleDesc
engine_row_result(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return BlessTupleDesc(desc);
}

/* A text[] of n values; a NULL pointer becomes a NULL element. */
Datum
text_array(char **values, int n)
{
	Datum	   *elems = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(n, 1));
	int			dims[1];
	int			lbs[1] = {1};

	if (n == 0)
		return PointerGetDatum(construct_empty_array(TEXTOID));
	for (int i = 0; i < n; i++)
	{
		nulls[i] = values[i] == NULL;
		elems[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(values[i]);
	}
	dims[0] = n;
	return PointerGetDatum(construct_md_array(elems, nulls, 1, dims, lbs,
											  TEXTOID, -1, false, TYPALIGN_INT));
}

static EnginePlan plan_token = {
	"INSERT INTO routing.settle_token VALUES ($1)",
	1, {INT8OID}, NULL
};

static EnginePlan plan_clear_tokens = {
	"DELETE FROM routing.settle_token WHERE token = $1",
	1, {INT8OID}, NULL
};

/*
 * Queue a settlement for commit where no row event does: insert a row whose
 * deferred constraint trigger settles.  After SET CONSTRAINTS ... IMMEDIATE
 * that trigger is made deferred again first.
 */
void
settle_queue_token(void)
{
	Datum		args[1];

	args[0] = Int64GetDatum((int64) U64FromFullTransactionId(GetTopFullTransactionId()));
	(void) engine_exec(&plan_clear_tokens, args, NULL, ENGINE_FRESH);
	engine_utility("SET CONSTRAINTS routing.settle_token_settle DEFERRED");
	(void) engine_exec(&plan_token, args, NULL, ENGINE_FRESH);
	token_queued = true;
}

/* Remove the row again. */
void
settle_clear_token(void)
{
	Datum		args[1];

	if (!token_queued)
		return;
	args[0] = Int64GetDatum((int64) U64FromFullTransactionId(GetTopFullTransactionId()));
	(void) engine_exec(&plan_clear_tokens, args, NULL, ENGINE_FRESH);
	token_queued = false;
}
