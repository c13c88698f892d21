/*
 * limited.c
 *		Calls in a subtransaction of their own, with a time limit.
 */
#include "base/limited.h"

#include "base/engine.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/resowner.h"

/* For the handler of a limit: cancel what runs. */
void
time_limit_fire(TimeLimit *limit)
{
	limit->reached = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/* What is never swallowed: serialization failures, and cancels that are not the limit's. */
static bool
must_rethrow(const TimeLimit *limit, const ErrorData *e)
{
	if (e->sqlerrcode == ERRCODE_QUERY_CANCELED)
		return !limit->reached;
	return e->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		ERRCODE_TO_CATEGORY(e->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION;
}

/*
 * Call in a subtransaction and in the current memory context, for at most so
 * long (0: as long as it takes).  Returns NULL, or the error that undid it.
 */
ErrorData *
limited_call(TimeLimit *limit, int milliseconds, void (*call) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			saved_writing = engine_writing;
	ErrorData  *volatile error = NULL;

	if (!limit->registered)
		limit->id = RegisterTimeout(USER_TIMEOUT, limit->handler);
	limit->registered = true;
	limit->reached = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (milliseconds > 0)
			enable_timeout_after(limit->id, milliseconds);
		call(arg);
		if (milliseconds > 0)
			disable_timeout(limit->id, false);
		if (limit->reached)
			QueryCancelPending = false; /* just in time */
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		disable_timeout(limit->id, false);
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		if (limit->reached)
			QueryCancelPending = false;
		RollbackAndReleaseCurrentSubTransaction();
		engine_writing = saved_writing;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && must_rethrow(limit, error))
		ReThrowError(error);
	return error;
}
