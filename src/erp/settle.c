/*
 * settle.c
 *		The settlement at commit: our own tables, then bound ones.
 *
 * Bound keys are settled in one subtransaction with a time limit and a lock
 * limit of its own.  If that fails, the subtransaction is rolled back, the
 * ERP's transaction goes on, and the keys are put into routing.pending with
 * the reason.  A failure that is due to the data is looked for by halving the
 * set of keys, so that one bad row does not take the others with it.  Never
 * swallowed: serialization failures, and cancels that are not our own limit.
 *
 * Settling may touch more (write-backs, the ERP's own triggers); the passes
 * repeat until nothing is noted, a bounded number of times.
 */
#include "erp/settle.h"

#include "base/engine.h"
#include "base/errors.h"
#include "base/firing.h"
#include "base/limited.h"
#include "erp/differ.h"
#include "events/told.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#define MAX_PASSES	10

int			guc_settle_timeout = 10000;
int			guc_settle_lock_timeout = 2000;

static void limit_handler(void);

static TimeLimit limit = {.handler = limit_handler};

PG_FUNCTION_INFO_V1(routing_settle_due);
PG_FUNCTION_INFO_V1(routing_settle);

/* ------------------------------------------------------------------------
 * Bound keys
 * ------------------------------------------------------------------------ */

static int
compare_notes(const void *a, const void *b)
{
	const Note *x = a;
	const Note *y = b;
	int			c;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->tenant_id != y->tenant_id)
		return x->tenant_id < y->tenant_id ? -1 : 1;
	/* orders by order id, which is the key, over all bindings */
	c = strcmp(x->b, y->b);
	return c != 0 ? c : strcmp(x->a, y->a);
}

static const char *
concept_of_note(const Note *note)
{
	return note->kind == NOTE_BOUND_SUPPLY ? "supply" : note->kind == NOTE_BOUND_ISSUE ? "issues" : "orders";
}

static void
set_aside(const Note *note, const char *reason, int sqlerrcode)
{
	pending_add(note->tenant_id, note->a, concept_of_note(note), note->b, reason, sqlerrcode);
}

static void
settled(const Note *note)
{
	pending_remove(note->tenant_id, note->a, concept_of_note(note), note->b);
}

/* A key was settled: put it aside with its fault, or let it wait no longer; "clear" if any waits. */
static void
key_done(const Note *note, const Binding *binding, const Fault *fault, bool clear, BoundResult *result)
{
	if (fault->sqlerrcode && binding->fail)
		fault_raise(fault);
	if (fault->sqlerrcode)
	{
		set_aside(note, fault->message, fault->sqlerrcode);
		result->pending++;
	}
	else if (clear)
		settled(note);
}

static bool
has_pending(void)
{
	static EnginePlan plan = {"SELECT 1 FROM routing.pending WHERE binding <> '' LIMIT 1", 0, {0}, NULL};

	return engine_exec(&plan, NULL, NULL, ENGINE_FRESH) > 0;
}

/* An order the engine changed that this transaction's ERP rows did not name. */
static void
order_was_written(SalesOrder *order)
{
	if (order->binding != NULL && order->binding[0] != '\0' && !order->answered)
		pending_add(order->tenant_id, order->binding, "orders", order->order_id,
					"the answer waits to be written back", ERRCODE_SUCCESSFUL_COMPLETION);
}

void
erp_install_hook(void)
{
	order_written_hook = order_was_written;
}

/* Settle keys; errors go to the caller.  SPI is connected. */
static void
settle_keys(Note *notes, int n, BoundResult *result)
{
	Settlement *s = settlement_begin();
	SupplyKey  *supply = palloc0(sizeof(SupplyKey) * Max(n, 1));
	int			nsupply = 0;
	IssueKey   *issues = palloc0(sizeof(IssueKey) * Max(n, 1));
	int			nissues = 0;
	IssueOrders issue_orders = {0};
	bool		clear = has_pending();
	int			writing_before;

	writeback_begin();
	writing_before = engine_write_begin();
	PG_TRY();
	{
		for (int i = 0; i < n; i++)
		{
			if (notes[i].kind != NOTE_BOUND_ISSUE)
				continue;
			issues[nissues].binding = binding_find(notes[i].tenant_id, notes[i].a);
			issues[nissues].key = notes[i].b;
			nissues += issues[nissues].binding != NULL;
		}
		/* which orders issues are for decides when these are locked */
		if (nissues > 0)
			bound_issues_read(issues, nissues, &issue_orders);
		for (int i = 0; i < n; i++)
		{
			Binding    *b = binding_find(notes[i].tenant_id, notes[i].a);
			Fault		fault = {0};

			CHECK_FOR_INTERRUPTS();
			if (b == NULL || notes[i].kind == NOTE_BOUND_ISSUE)
				continue;
			if (notes[i].kind == NOTE_BOUND_SUPPLY)
			{
				supply[nsupply].binding = b;
				supply[nsupply++].key = notes[i].b;
				continue;
			}
			bound_issues_lock(&issue_orders, notes[i].tenant_id, notes[i].b);
			if (bound_order_apply(s, b, notes[i].b, &fault))
				result->changed++;
			key_done(&notes[i], b, &fault, clear, result);
		}
		bound_issues_lock(&issue_orders, PG_INT32_MAX, "");
		bound_supply_apply(s, supply, nsupply);
		for (int i = 0; i < nsupply; i++)
		{
			Binding    *b = supply[i].binding;
			Note		note = {NOTE_BOUND_SUPPLY, b->tenant_id, b->name, unconstify(char *, supply[i].key), 0};

			result->changed += supply[i].changed;
			key_done(&note, b, &supply[i].fault, clear, result);
		}
		bound_issues_apply(s, issues, nissues);
		for (int i = 0; i < nissues; i++)
		{
			Binding    *b = issues[i].binding;
			Note		note = {NOTE_BOUND_ISSUE, b->tenant_id, b->name, unconstify(char *, issues[i].key), 0};

			result->changed += issues[i].changed;
			key_done(&note, b, &issues[i].fault, clear, result);
		}
		settlement_finish(s);
		bound_issues_done(issues, nissues);
	}
	PG_FINALLY();
	{
		engine_writing = writing_before;
	}
	PG_END_TRY();
	/* the ERP's own triggers may change orders and supply: that is noted */
	writeback_run();
}

static void
limit_handler(void)
{
	time_limit_fire(&limit);
}

/* The lock limit is ours unless the session has a tighter one. */
static void
set_lock_limit(void)
{
	char		value[16];

	if (guc_settle_lock_timeout == 0 ||
		(LockTimeout > 0 && LockTimeout <= guc_settle_lock_timeout))
		return;
	snprintf(value, sizeof(value), "%d", guc_settle_lock_timeout);
	(void) set_config_option("lock_timeout", value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Whether the rows themselves may be the cause, so that others may go. */
static bool
due_to_data(int sqlerrcode)
{
	int			category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category == ERRCODE_DATA_EXCEPTION ||
		category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		category == ERRCODE_PLPGSQL_ERROR || category == MAKE_SQLSTATE('R', 'T', '0', '0', '0');
}

/* Whether a mapping or what it refers to is broken. */
static bool
due_to_mapping(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION;
}

/* Bring the notes of the first one's binding to the front; how many they are. */
static int
first_binding(Note *notes, int n)
{
	int			same = 1;

	for (int i = 1; i < n; i++)
	{
		Note		note = notes[i];

		if (note.tenant_id != notes[0].tenant_id || strcmp(note.a, notes[0].a) != 0)
			continue;
		memmove(&notes[same + 1], &notes[same], sizeof(Note) * (i - same));
		notes[same++] = note;
	}
	return same;
}

/* what settle_limited() is called with */
typedef struct KeysCall
{
	Note	   *notes;
	int			n;
	BoundResult *result;
} KeysCall;

static void
settle_limited(void *arg)
{
	const KeysCall *c = arg;
	MemoryContext context = CurrentMemoryContext;
	int			nest = NewGUCNestLevel();

	set_lock_limit();
	SPI_connect();
	MemoryContextSwitchTo(context);
	settle_keys(c->notes, c->n, c->result);
	SPI_finish();
	AtEOXact_GUC(true, nest);
}

static void
settle_protected(Note *notes, int n, BoundResult *result)
{
	MemoryContext context = settlement_context_take();
	MemoryContext old = MemoryContextSwitchTo(context);
	BoundResult before = *result;
	KeysCall	c = {notes, n, result};
	ErrorData  *error = limited_call(&limit, guc_settle_timeout, settle_limited, &c);
	int			same;

	MemoryContextSwitchTo(old);
	if (error != NULL)
	{
		*result = before;
		if (n > 1 && due_to_data(error->sqlerrcode))
		{
			settle_protected(notes, n / 2, result);
			settle_protected(notes + n / 2, n - n / 2, result);
		}
		else if (n > 1 && !limit.reached && due_to_mapping(error->sqlerrcode) &&
				 (same = first_binding(notes, n)) < n)
		{
			/* a broken mapping is no reason to leave other bindings waiting */
			settle_protected(notes, same, result);
			settle_protected(notes + same, n - same, result);
		}
		else
		{
			const char *reason = limit.reached ?
				psprintf("the settlement took longer than %d ms", guc_settle_timeout) : error->message;
			int			code = limit.reached ? RT_SETTLE_TIMEOUT : error->sqlerrcode;

			SPI_connect();
			for (int i = 0; i < n; i++)
				set_aside(&notes[i], reason, code);
			SPI_finish();
			result->pending += n;
		}
	}
	settlement_context_give(context);
}

/* The same for bindings that want errors to reach the ERP. */
static void
settle_strictly(Note *notes, int n, BoundResult *result)
{
	MemoryContext context = settlement_context_take();
	MemoryContext old;

	SPI_connect();
	old = MemoryContextSwitchTo(context);
	settle_keys(notes, n, result);
	MemoryContextSwitchTo(old);
	SPI_finish();
	settlement_context_give(context);
}

/* A watched table was emptied: every key that the engine holds is touched. */
static int
expand_emptied(const Note *note, Note **all, int n, int *cap)
{
	Binding    *b = binding_find(note->tenant_id, note->a);
	char	  **keys;
	int			nkeys;

	if (b == NULL)
		return n;
	SPI_connect();
	if (strcmp(note->b, UNKNOWN_KEYS) == 0)
	{
		if (b->fail)
			ereport(ERROR,
					(errcode(RT_MAPPING_COLUMN_MISSING),
					 errmsg("binding \"%s\": a key column of a watched table is gone or renamed", b->name),
					 errhint("Unbind it, bind it to the columns there are, then call routing.sync().")));
		pending_add(note->tenant_id, note->a, concept_names[binding_concept(b)], UNKNOWN_KEYS,
					"a key column of a watched table is gone or renamed: correct it, then call routing.sync()",
					RT_MAPPING_COLUMN_MISSING);
	}
	keys = bound_engine_keys(b, &nkeys);
	for (int i = 0; i < nkeys; i++)
	{
		Note	   *new_note;

		if (n == *cap)
		{
			*cap *= 2;
			*all = repalloc_huge(*all, sizeof(Note) * *cap);
		}
		new_note = &(*all)[n++];
		new_note->kind = concept_note(binding_concept(b));
		new_note->tenant_id = note->tenant_id;
		new_note->a = note->a;
		new_note->b = MemoryContextStrdup(TopTransactionContext, keys[i]);
	}
	SPI_finish();
	return n;
}

/*
 * Settle the bound keys among the notes.  Supply comes with the orders of the
 * same pass, so that an order sees what arrived with it.
 */
void
settle_bound(Note *notes, int n, BoundResult *result)
{
	int			cap = Max(n, 1);
	Note	   *queue = MemoryContextAllocHuge(TopTransactionContext, sizeof(Note) * cap);
	Note	   *strict = MemoryContextAllocHuge(TopTransactionContext, sizeof(Note) * cap);
	int			nqueue = 0;
	int			nstrict = 0;
	int			nall = 0;
	Note	   *all = MemoryContextAllocHuge(TopTransactionContext, sizeof(Note) * cap);

	for (int i = 0; i < n; i++)
	{
		if (notes[i].kind == NOTE_BOUND_ALL)
			nall = expand_emptied(&notes[i], &all, nall, &cap);
		else if (is_bound_key(notes[i].kind))
		{
			if (nall == cap)
			{
				cap *= 2;
				all = repalloc_huge(all, sizeof(Note) * cap);
			}
			all[nall++] = notes[i];
		}
	}
	if (nall == 0)
		return;
	queue = repalloc_huge(queue, sizeof(Note) * cap);
	strict = repalloc_huge(strict, sizeof(Note) * cap);
	qsort(all, nall, sizeof(Note), compare_notes);
	for (int i = 0; i < nall; i++)
	{
		Binding    *b;

		if (i > 0 && compare_notes(&all[i - 1], &all[i]) == 0)
			continue;
		b = binding_find(all[i].tenant_id, all[i].a);
		if (b == NULL)
			continue;
		if (b->paused)
		{
			SPI_connect();
			set_aside(&all[i], "the binding is paused", ERRCODE_SUCCESSFUL_COMPLETION);
			SPI_finish();
			result->pending++;
		}
		else if (b->fail)
			strict[nstrict++] = all[i];
		else
			queue[nqueue++] = all[i];
	}
	if (nstrict > 0)
		settle_strictly(strict, nstrict, result);
	if (nqueue > 0)
		settle_protected(queue, nqueue, result);
}

/* ------------------------------------------------------------------------
 * The triggers
 * ------------------------------------------------------------------------ */

/* WHEN condition of the triggers on our own tables. */
Datum
routing_settle_due(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(notes_arm());
}

/*
 * What does not come to rest waits, if all of it may wait.
 */
static bool
set_aside_all(const Note *notes, int n)
{
	bool		all = true;

	for (int i = 0; i < n && all; i++)
	{
		Binding    *b = is_bound_key(notes[i].kind) ?
			binding_find(notes[i].tenant_id, notes[i].a) : NULL;

		all = b != NULL && !b->fail;
	}
	if (!all)
		return false;
	SPI_connect();
	for (int i = 0; i < n; i++)
		set_aside(&notes[i], psprintf("the settlement did not come to rest after %d passes", MAX_PASSES),
				  RT_NO_REST);
	SPI_finish();
	return true;
}

/* Work off what is noted until nothing is. */
static void
settle_all(void)
{
	/* after an autocommit statement its own rows are not visible yet */
	CommandCounterIncrement();
	for (int pass = 0; notes_any(); pass++)
	{
		int			n;
		Note	   *notes = notes_take(&n);
		BoundResult result = {0};

		CHECK_FOR_INTERRUPTS();
		if (pass >= MAX_PASSES && !set_aside_all(notes, n))
			ereport(ERROR,
					(errcode(RT_NO_REST),
					 errmsg("the settlement did not come to rest after %d passes", MAX_PASSES),
					 errhint("A trigger of the ERP changes a mapped column whenever an answer is written back.")));
		if (pass >= MAX_PASSES)
			break;
		(void) settle_native(notes, n);
		order_row_queued(NULL, NULL);
		settle_bound(notes, n, &result);
		events_told(notes, n);
	}
	SPI_connect();
	settle_clear_token();
	SPI_finish();
}

/*
 * The deferred trigger: settle everything that is noted.  Fired in
 * mid-transaction by SET CONSTRAINTS it only sees to it that it is fired again
 * at commit, so that nothing is judged between the halves of a change.
 */
Datum
routing_settle(PG_FUNCTION_ARGS)
{
	bool		seqscan_before = enable_seqscan;
	int			mode_before = plan_cache_mode;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", "settle")));

	notes_disarm();

	/*
	 * Every statement of a settlement looks up keys, and its plan is kept: one
	 * made while a table was small would go on scanning it when it has become
	 * large.  And no plan gets better by knowing the key.  Set here, since as
	 * settings of the function they would cost every order a microsecond each.
	 */
	enable_seqscan = false;
	plan_cache_mode = PLAN_CACHE_MODE_FORCE_GENERIC_PLAN;
	PG_TRY();
	{
		if (firing_at_commit())
		{
			TriggerData *tg = (TriggerData *) fcinfo->context;

			if (TRIGGER_FIRED_BY_INSERT(tg->tg_event))
				order_row_queued(tg->tg_relation, tg->tg_trigtuple);
			settle_all();
		}
		else if (notes_arm())
		{
			SPI_connect();
			settle_queue_token();
			SPI_finish();
		}
	}
	PG_FINALLY();
	{
		order_row_queued(NULL, NULL);
		enable_seqscan = seqscan_before;
		plan_cache_mode = mode_before;
	}
	PG_END_TRY();
	return PointerGetDatum(NULL);
}
