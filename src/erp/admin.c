/*
 * admin.c
 *		pause, resume, sync, reconcile and run_jobs.
 */
#include "erp/differ.h"
#include "erp/settle.h"

#include "base/engine.h"
#include "base/tenant.h"
#include "orders/demand.h"
#include "orders/issue.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(routing_pause);
PG_FUNCTION_INFO_V1(routing_resume);
PG_FUNCTION_INFO_V1(routing_sync);
PG_FUNCTION_INFO_V1(routing_reconcile);
PG_FUNCTION_INFO_V1(routing_run_jobs);

#define KEYS_AT_ONCE	500

static EnginePlan plan_state = {
	"UPDATE routing.binding SET state = $3 WHERE tenant_id = $1 AND binding = $2",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_pending_of = {
	"SELECT concept, key FROM routing.pending WHERE tenant_id = $1 AND binding = $2 ORDER BY 1, 2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_count = {
	"SELECT pg_catalog.count(*) FROM routing.pending WHERE tenant_id = $1 AND binding = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_bindings = {
	"SELECT binding FROM routing.binding WHERE tenant_id = $1 AND state = 'active' ORDER BY 1",
	1, {INT4OID}, NULL
};

static EnginePlan plan_pending_orders = {
	"SELECT p.key FROM routing.pending p"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = p.tenant_id AND o.order_id = p.key"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE p.tenant_id = $1 AND p.binding = '' AND p.concept = 'orders'"
	" ORDER BY COALESCE(o.priority, c.priority, 5),"
	"  COALESCE((SELECT pg_catalog.min(q.claimed_at) FROM routing.claim q"
	"   WHERE q.tenant_id = p.tenant_id AND q.order_id = p.key), p.noted_at), 1",
	1, {INT4OID}, NULL
};

static EnginePlan plan_all_pending = {
	"SELECT pg_catalog.count(*) FROM routing.pending WHERE tenant_id = $1",
	1, {INT4OID}, NULL
};

static Binding *
binding_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(RT_UNKNOWN_BINDING),
				 errmsg("binding must not be null"),
				 errhint("See routing.binding for the bindings there are.")));
	return binding_get(tenant_current(), text_to_cstring(PG_GETARG_TEXT_PP(0)));
}

static void
set_state(const Binding *b, const char *state)
{
	Datum		args[3];

	args[0] = Int32GetDatum(b->tenant_id);
	args[1] = CStringGetTextDatum(b->name);
	args[2] = CStringGetTextDatum(state);
	(void) engine_exec(&plan_state, args, NULL, ENGINE_FRESH);
	CommandCounterIncrement();
}

static int
count_pending(EnginePlan *plan, int32 tenant_id, const char *binding)
{
	Datum		args[2];
	bool		isnull;

	args[0] = Int32GetDatum(tenant_id);
	if (binding != NULL)
		args[1] = CStringGetTextDatum(binding);
	(void) engine_exec(plan, args, NULL, ENGINE_FRESH);
	return (int) DatumGetInt64(spi_datum(0, 1, &isnull));
}

/* Settle keys in portions, each a settlement of its own. */
static void
settle_all(const Binding *b, NoteKind kind, char **keys, int n, BoundResult *result)
{
	for (int done = 0; done < n; done += KEYS_AT_ONCE)
	{
		int			portion = Min(n - done, KEYS_AT_ONCE);
		Note	   *notes = palloc0(sizeof(Note) * portion);

		for (int i = 0; i < portion; i++)
		{
			notes[i].kind = kind;
			notes[i].tenant_id = b->tenant_id;
			notes[i].a = b->name;
			notes[i].b = keys[done + i];
		}
		settle_bound(notes, portion, result);
		pfree(notes);
	}
}

Datum
routing_pause(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("pause()");
	SPI_connect();
	set_state(binding_argument(fcinfo), "paused");
	SPI_finish();
	PG_RETURN_VOID();
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* All keys that either side has, each once, in order. */
static char **
keys_of_both(Binding *b, int *n)
{
	int			nerp,
				nheld;
	char	  **erp = mapping_all_keys(b, binding_concept(b), &nerp);
	char	  **held = bound_engine_keys(b, &nheld);
	char	  **all = palloc_extended(sizeof(char *) * Max(nerp + nheld, 1), MCXT_ALLOC_HUGE);
	int			kept = 0;

	memcpy(all, erp, sizeof(char *) * nerp);
	memcpy(all + nerp, held, sizeof(char *) * nheld);
	qsort(all, nerp + nheld, sizeof(char *), compare_keys);
	for (int i = 0; i < nerp + nheld; i++)
	{
		if (kept == 0 || strcmp(all[kept - 1], all[i]) != 0)
			all[kept++] = all[i];
	}
	*n = kept;
	return all;
}

static const char *
concept_of(const Binding *b)
{
	return concept_names[binding_concept(b)];
}

/* Compare and settle everything; then no key is unknown any more. */
static void
settle_everything(Binding *b, BoundResult *result)
{
	int			n;
	char	  **keys = keys_of_both(b, &n);

	settle_all(b, concept_note(binding_concept(b)), keys, n, result);
	pending_remove(b->tenant_id, b->name, concept_of(b), UNKNOWN_KEYS);
}

/* "whole": unknown keys too, for which the mapping must be in order. */
static void
settle_pending(Binding *b, bool whole)
{
	Datum		args[2];
	int			n;
	char	  **orders;
	char	  **supply;
	char	  **issues;
	int			norders = 0;
	int			nsupply = 0;
	int			nissues = 0;
	bool		unknown = false;
	BoundResult result = {0};

	args[0] = Int32GetDatum(b->tenant_id);
	args[1] = CStringGetTextDatum(b->name);
	n = (int) engine_exec(&plan_pending_of, args, NULL, ENGINE_FRESH);
	orders = palloc(sizeof(char *) * Max(n, 1));
	supply = palloc(sizeof(char *) * Max(n, 1));
	issues = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		char	   *key = spi_text(i, 2);

		if (strcmp(key, UNKNOWN_KEYS) == 0)
			unknown = true;
		else if (strcmp(spi_text(i, 1), "supply") == 0)
			supply[nsupply++] = key;
		else if (strcmp(spi_text(i, 1), "issues") == 0)
			issues[nissues++] = key;
		else
			orders[norders++] = key;
	}
	SPI_freetuptable(SPI_tuptable);
	settle_all(b, NOTE_BOUND_SUPPLY, supply, nsupply, &result);
	settle_all(b, NOTE_BOUND_ORDER, orders, norders, &result);
	settle_all(b, NOTE_BOUND_ISSUE, issues, nissues, &result);
	if (unknown && whole)
		settle_everything(b, &result);
}

Datum
routing_resume(PG_FUNCTION_ARGS)
{
	Binding    *b = binding_argument(fcinfo);
	int32		tenant_id = b->tenant_id;
	char	   *name = pstrdup(b->name);
	int			left;

	PreventCommandIfReadOnly("resume()");
	SPI_connect();
	set_state(b, "active");
	settle_pending(binding_get(tenant_id, name), true);
	left = count_pending(&plan_count, tenant_id, name);
	SPI_finish();
	PG_RETURN_INT32(left);
}

Datum
routing_sync(PG_FUNCTION_ARGS)
{
	Binding    *b = binding_argument(fcinfo);
	BoundResult result = {0};

	PreventCommandIfReadOnly("sync()");
	SPI_connect();
	settle_everything(b, &result);
	SPI_finish();
	PG_RETURN_INT32(result.changed + result.pending);
}

static void
put_difference(void *arg, const char *concept, const char *key, const char *field,
			   const char *erp_value, const char *engine_value)
{
	ReturnSetInfo *rsinfo = arg;
	Datum		values[5];
	bool		nulls[5] = {false};

	values[0] = CStringGetTextDatum(concept);
	values[1] = CStringGetTextDatum(key);
	values[2] = CStringGetTextDatum(field);
	nulls[3] = erp_value == NULL;
	values[3] = erp_value ? CStringGetTextDatum(erp_value) : (Datum) 0;
	nulls[4] = engine_value == NULL;
	values[4] = engine_value ? CStringGetTextDatum(engine_value) : (Datum) 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
routing_reconcile(PG_FUNCTION_ARGS)
{
	Binding    *b = binding_argument(fcinfo);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	  **keys;
	int			n;
	MemoryContext per_key;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	keys = keys_of_both(b, &n);
	per_key = AllocSetContextCreate(CurrentMemoryContext, "routing reconcile", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(per_key);

		CHECK_FOR_INTERRUPTS();
		switch (binding_concept(b))
		{
			case C_SUPPLY:
				bound_supply_compare(b, keys[i], put_difference, rsinfo);
				break;
			case C_ISSUES:
				bound_issue_compare(b, keys[i], put_difference, rsinfo);
				break;
			default:
				bound_order_compare(b, keys[i], put_difference, rsinfo);
				break;
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(per_key);
	}
	SPI_finish();
	return (Datum) 0;
}

/* what the settlements of one call have in common */
typedef struct JobRun
{
	bool		holds;			/* one before holds positions */
	int			tries;			/* of all of them, since the positions of all are held */
} JobRun;

/* Route an order that waits; what somebody else holds now is or becomes pending. */
static void
run_order(int32 tenant_id, const char *order_id, JobRun *run)
{
	SalesOrder *order = order_load(tenant_id, order_id, ORDER_NO_LOCK);
	Settlement *s;

	CHECK_FOR_INTERRUPTS();
	if (order->exists)
	{
		if (!order_try_lock(tenant_id, order_id))
			return;
		order = order_load(tenant_id, order_id, ORDER_NO_LOCK);
	}
	order->net = network_get(tenant_id);
	if (order->exists && !order_is_cancelled(order))
		order_check(order);
	if (order->fault.sqlerrcode || (!order->exists && order->nbookings == 0 && order->nclaims == 0))
	{
		pending_remove(tenant_id, "", "orders", order_id);
		return;
	}
	s = settlement_begin();
	s->holds = s->ledger->aside = run->holds;
	run->holds = true;
	s->ledger->aside_tries = run->tries;
	settlement_add_order(s, order);
	order->cause = "better_supply";
	for (int j = 0; j < order->nbookings; j++)
	{
		if (order->bookings[j].state == BOOKING_UNCOVERED)
			order->cause = "supply_shortage";
	}
	if (order->exists && !order_is_cancelled(order))
		order_replan_late(order, s->ledger);
	settlement_finish(s);
	run->tries = s->ledger->aside_tries;
	/* last, since others who leave the same order wait for it */
	if (!settlement_leaves(s, tenant_id, order_id))
		pending_remove(tenant_id, "", "orders", order_id);
}

/*
 * Orders that lost supply, or whose turn in a queue has come, in the order of
 * the queues; then those that wait though something is offered to them.
 */
static void
run_orders(int32 tenant_id)
{
	Datum		args[1];
	int			n;
	char	  **keys;
	JobRun		run = {false, 0};

	args[0] = Int32GetDatum(tenant_id);
	n = (int) engine_exec(&plan_pending_orders, args, NULL, ENGINE_FRESH);
	keys = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		keys[i] = spi_text(i, 1);
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
		run_order(tenant_id, keys[i], &run);
	n = orders_offered(tenant_id, &keys);
	for (int i = 0; i < n; i++)
		run_order(tenant_id, keys[i], &run);
}

Datum
routing_run_jobs(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	Datum		args[1];
	int			n;
	char	  **names;
	int			left;

	PreventCommandIfReadOnly("run_jobs()");
	SPI_connect();
	issues_due(tenant_id);
	service_waits_due(tenant_id);
	rule_waits_due(tenant_id);
	run_orders(tenant_id);
	demands_run(tenant_id);
	args[0] = Int32GetDatum(tenant_id);
	n = (int) engine_exec(&plan_bindings, args, NULL, ENGINE_FRESH);
	names = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		names[i] = spi_text(i, 1);
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
	{
		Binding    *b = binding_find(tenant_id, names[i]);

		if (b != NULL)
			settle_pending(b, false);
	}
	left = count_pending(&plan_all_pending, tenant_id, NULL);
	SPI_finish();
	PG_RETURN_INT32(left);
}
