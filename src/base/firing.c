/*
 * firing.c
 *		Whether a trigger that runs now runs at commit or in mid-transaction.
 *
 * A deferred trigger can be fired early: SET CONSTRAINTS ... IMMEDIATE runs
 * what is queued, and from then on queued events run at the end of each
 * statement.  The trigger manager does not tell its triggers.  But a statement
 * is then being executed, while at commit none is; so we count the statements
 * that can fire triggers: ExecutorFinish, and utility commands (COPY, SET
 * CONSTRAINTS).  CALL, DO and transaction commands are not counted: a COMMIT
 * inside a procedure is a commit.
 *
 * The hooks are installed when the library is loaded, which is at the latest
 * when the first change of the session is noted.
 */
#include "base/compat.h"

#include "base/firing.h"

#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"

static int	depth = 0;

static ProcessUtility_hook_type previous_utility = NULL;
static ExecutorFinish_hook_type previous_finish = NULL;

static void
count_utility(PlannedStmt *pstmt, const char *query, bool readonly_tree,
			  ProcessUtilityContext context, ParamListInfo params,
			  QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	bool		counts = !IsA(pstmt->utilityStmt, CallStmt) &&
		!IsA(pstmt->utilityStmt, DoStmt) &&
		!IsA(pstmt->utilityStmt, TransactionStmt);

	if (counts)
		depth++;
	PG_TRY();
	{
		if (previous_utility)
			previous_utility(pstmt, query, readonly_tree, context, params, env, dest, qc);
		else
			standard_ProcessUtility(pstmt, query, readonly_tree, context, params, env, dest, qc);
	}
	PG_FINALLY();
	{
		if (counts)
			depth--;
	}
	PG_END_TRY();
}

static void
count_finish(QueryDesc *desc)
{
	depth++;
	PG_TRY();
	{
		if (previous_finish)
			previous_finish(desc);
		else
			standard_ExecutorFinish(desc);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

void
firing_install_hooks(void)
{
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = count_utility;
	previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = count_finish;
}

/* Whether no statement is being executed, so that this is the commit. */
bool
firing_at_commit(void)
{
	return depth == 0;
}
