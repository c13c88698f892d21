/*
 * settle.c
 *		One settlement: apply all supply changes, judge once, route, write.
 *
 * Lock order: order rows ascending, then positions ascending.  Orders that
 * lost supply to a judgement are taken with SKIP LOCKED only, since their
 * turn was before the positions; what somebody else holds is left pending.
 */
#include "orders/settle.h"
#include "orders/complete.h"
#include "orders/issue.h"


#include "base/clock.h"
#include "base/engine.h"
#include "ledger/tell.h"
#include "orders/demand.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

int			guc_settle_reroute_limit = 20;

static EnginePlan plan_pending = {
	"INSERT INTO routing.pending AS p (tenant_id, binding, concept, key, reason, sqlstate)"
	" VALUES ($1, $2, $3, $4, $5, $6)"
	" ON CONFLICT (tenant_id, binding, concept, key) DO UPDATE"
	" SET reason = excluded.reason, sqlstate = excluded.sqlstate, attempts = p.attempts + 1",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_is_pending = {
	"SELECT 1 FROM routing.pending"
	" WHERE tenant_id = $1 AND binding = $2 AND concept = $3 AND key = $4 FOR KEY SHARE SKIP LOCKED",
	4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

/* an order that somebody wants to stay pending stays so */
static EnginePlan plan_unpend_order = {
	"DELETE FROM routing.pending WHERE tenant_id = $1 AND binding = $2 AND concept = $3"
	" AND key IN (SELECT p.key FROM routing.pending p WHERE p.tenant_id = $1 AND p.binding = $2"
	"  AND p.concept = $3 AND p.key = $4 FOR UPDATE SKIP LOCKED)",
	4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_unpend = {
	"DELETE FROM routing.pending"
	" WHERE tenant_id = $1 AND binding = $2 AND concept = $3 AND key = $4",
	4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_all_positions = {
	"SELECT tenant_id, item, node FROM routing.position",
	0, {0}, NULL
};

static EnginePlan plan_orphans = {
	"SELECT DISTINCT r.tenant_id, r.order_id FROM routing.reservation r"
	" WHERE r.\"to\" IS NULL AND r.order_id NOT LIKE 'demand:%' AND r.order_id NOT LIKE 'hold:%'"
	"  AND NOT EXISTS (SELECT FROM routing.sales_order_line l"
	"  WHERE l.tenant_id = r.tenant_id AND l.order_id = r.order_id AND l.line_no = r.line_no)"
	" UNION"
	" SELECT q.tenant_id, q.order_id FROM routing.claim q"
	" WHERE NOT EXISTS (SELECT FROM routing.sales_order_line l"
	"  WHERE l.tenant_id = q.tenant_id AND l.order_id = q.order_id AND l.line_no = q.line_no)",
	0, {0}, NULL
};

/* Put a key aside with the reason. */
void
pending_add(int32 tenant_id, const char *binding, const char *concept,
			const char *key, const char *reason, int sqlerrcode)
{
	Datum		args[6];

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(binding);
	args[2] = CStringGetTextDatum(concept);
	args[3] = CStringGetTextDatum(key);
	/* what is there already and stays need not be waited for */
	if (binding[0] == '\0' && engine_exec(&plan_is_pending, args, NULL, ENGINE_FRESH) > 0)
		return;
	args[4] = CStringGetTextDatum(reason);
	args[5] = CStringGetTextDatum(unpack_sql_state(sqlerrcode));
	(void) engine_exec(&plan_pending, args, NULL, ENGINE_FRESH);
}

void
pending_remove(int32 tenant_id, const char *binding, const char *concept, const char *key)
{
	Datum		args[4];

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(binding);
	args[2] = CStringGetTextDatum(concept);
	args[3] = CStringGetTextDatum(key);
	(void) engine_exec(binding[0] == '\0' ? &plan_unpend_order : &plan_unpend, args, NULL, ENGINE_FRESH);
}

/* Start a settlement; SPI must be connected.  The clock is read once. */
Settlement *
settlement_begin(void)
{
	Settlement *s = palloc0(sizeof(Settlement));

	s->context = CurrentMemoryContext;
	s->clock = clock_now();
	s->next_claim = s->clock;
	s->budget = guc_settle_reroute_limit;
	s->ledger = ledger_open(true);
	return s;
}

/* An order to route, loaded and locked.  Add them by tenant and order id. */
void
settlement_add_order(Settlement *s, SalesOrder *order)
{
	if (s->norders == s->cap_orders)
	{
		s->cap_orders = s->cap_orders ? s->cap_orders * 2 : 8;
		s->orders = s->orders == NULL ? palloc(sizeof(SalesOrder *) * s->cap_orders) :
			repalloc_huge(s->orders, sizeof(SalesOrder *) * s->cap_orders);
	}
	order->clock = s->clock;
	s->orders[s->norders++] = order;
}

/* An item-node whose supply or settings changed. */
void
settlement_touch(Settlement *s, int32 tenant_id, const char *item, const char *node)
{
	Position   *pos = ledger_get(s->ledger, tenant_id, item, node);

	if (pos->touched)
		return;
	pos->touched = true;
	if (s->npositions == s->cap_positions)
	{
		s->cap_positions = s->cap_positions ? s->cap_positions * 2 : 8;
		s->positions = s->positions == NULL ? palloc(sizeof(Position *) * s->cap_positions) :
			repalloc_huge(s->positions, sizeof(Position *) * s->cap_positions);
	}
	s->positions[s->npositions++] = pos;
}

static bool
is_victim(const ChangeResult *changes, const SalesOrder *order)
{
	for (int i = 0; i < changes->nvictims; i++)
	{
		if (changes->victims[i].tenant_id == order->tenant_id &&
			strcmp(changes->victims[i].order_id, order->order_id) == 0)
			return true;
	}
	return false;
}

bool
settlement_has_order(const Settlement *s, int32 tenant_id, const char *order_id)
{
	for (int i = 0; i < s->norders; i++)
	{
		if (s->orders[i]->tenant_id == tenant_id &&
			strcmp(s->orders[i]->order_id, order_id) == 0)
			return true;
	}
	return false;
}

/* Leave an order to run_jobs(). */
void
settlement_leave(Settlement *s, int32 tenant_id, const char *order_id,
				 const char *reason, int sqlerrcode)
{
	if (s->nleft == s->cap_left)
	{
		s->cap_left = s->cap_left ? s->cap_left * 2 : 8;
		s->left = s->left == NULL ? palloc(sizeof(LeftOrder) * s->cap_left) :
			repalloc_huge(s->left, sizeof(LeftOrder) * s->cap_left);
	}
	s->left[s->nleft].tenant_id = tenant_id;
	s->left[s->nleft].order_id = pstrdup(order_id);
	s->left[s->nleft].reason = reason;
	s->left[s->nleft++].sqlerrcode = sqlerrcode;
}

/* Whether an order is left to run_jobs(), by a settlement that is finished. */
bool
settlement_leaves(const Settlement *s, int32 tenant_id, const char *order_id)
{
	for (int i = 0; i < s->nleft; i++)
	{
		if (s->left[i].tenant_id == tenant_id && strcmp(s->left[i].order_id, order_id) == 0)
			return true;
	}
	return false;
}

static int
compare_left(const void *a, const void *b)
{
	const LeftOrder *x = a;
	const LeftOrder *y = b;

	if (x->tenant_id != y->tenant_id)
		return x->tenant_id < y->tenant_id ? -1 : 1;
	return strcmp(x->order_id, y->order_id);
}

/*
 * Another settlement may be leaving the same orders: who comes second waits
 * for the first to end, so all do it last and in the same order.
 */
static void
write_left(Settlement *s)
{
	if (s->nleft > 1)
		qsort(s->left, s->nleft, sizeof(LeftOrder), compare_left);
	for (int i = 0; i < s->nleft; i++)
	{
		if (i == 0 || compare_left(&s->left[i - 1], &s->left[i]) != 0)
			pending_add(s->left[i].tenant_id, "", "orders", s->left[i].order_id,
						s->left[i].reason, s->left[i].sqlerrcode);
	}
}

static bool
has_unserved(const SalesOrder *order)
{
	for (int l = 0; l < order->nlines; l++)
	{
		if (line_missing(&order->lines[l]) > 0)
			return true;
	}
	return false;
}

/* Write an order that is decided, and its places in the queues. */
void
settlement_write_order(Settlement *s, SalesOrder *order)
{
	bool		known = order->decision_id != 0 || order->had_row || !order->exists;
	bool		edited;

	if (!order_settle_claims(order, s->ledger, &s->next_claim))
		settlement_leave(s, order->tenant_id, order->order_id,
						 "its place in a queue changes while somebody else holds the position",
						 ERRCODE_LOCK_NOT_AVAILABLE);
	if (order->cut_short && (has_unserved(order) || order->part_lost))
		settlement_leave(s, order->tenant_id, order->order_id, "positions were busy that may have more for it",
						 ERRCODE_LOCK_NOT_AVAILABLE);
	rest_write(order);
	order_wait_for_rules(order);
	edited = order_add_edited_event(order, &s->events);
	if (!order->changed)
	{
		if (edited)
			order_keep_version(order);
		if (order->terms.consolidate)
			order_write_open(order, true);	/* its customer may be another */
		return;
	}
	if (order_is_cancelled(order))
		order_write_cancelled(order, order->cancel_reason ? order->cancel_reason : "cancelled",
							  &s->events);
	else
		order_write(order, &s->events);
	order_write_open(order, known);
	order_written(order);
}

/* Read an order again whose bookings were changed under it. */
static void
load_again(Settlement *s, SalesOrder *order)
{
	SalesOrder *now = order_load(order->tenant_id, order->order_id, ORDER_NO_LOCK);

	now->clock = s->clock;
	now->net = order->net;
	now->answered = order->answered;
	now->lapsed = order->lapsed;
	for (int l = 0; l < order->nlines; l++)
	{
		OrderLine  *line = order_line(now, order->lines[l].line_no);

		if (line != NULL)
			line->replan |= order->lines[l].replan;
	}
	if (order->cancel_reason)
	{
		now->status = order->status;
		now->cancel_reason = order->cancel_reason;
		now->cancel_code = order->cancel_code;
	}
	if (now->exists && !order_is_cancelled(now))
		order_check(now);
	/* in its place: a write-back waits for it */
	*order = *now;
}

/* The end of every settlement: what was left, what the ledger holds, what there is to tell. */
static void
close_books(Settlement *s)
{
	write_left(s);
	stock_add_bands(s->ledger, s->clock, &s->events);
	ledger_flush(s->ledger);
	events_write(&s->events);
	ledger_close(s->ledger);
}

/*
 * Work off the settlement: supply first, then judgement, then demand, then
 * what is written.  Faulty orders are left to the caller.
 */
void
settlement_finish(Settlement *s)
{
	ChangeResult changes;
	EventCause	cause;
	bool		free_to_lock = s->npositions == 0;
	int			writing_before = engine_write_begin();

	PG_TRY();
	{
		ledger_prepare_changes(s->ledger, s->positions, s->npositions);
		/* what the orders give back is there before anybody is judged */
		if (s->npositions > 0 && s->norders > 0)
			orders_release(s->orders, s->norders, s->ledger, s->positions, s->npositions);
		demands_release(s);
		shipments_apply(s);
		for (int i = 0; i < s->norders; i++)
			dedicated_catch_up(s, s->orders[i]);
		ledger_apply_changes(s->ledger, s->positions, s->npositions, s->clock, &s->events, &changes);
		/* bookings of the orders in hand may be among the victims or have been shipped */
		for (int i = 0; i < s->norders; i++)
		{
			if (is_victim(&changes, s->orders[i]) || shipments_touch(s, s->orders[i]))
				load_again(s, s->orders[i]);
		}
		demands_follow(s);
		demands_book(s);
		orders_see_each_other(s->orders, s->norders);
		if (s->holds)
		{
			for (int i = 0; i < s->norders; i++)
				order_route_aside(s->orders[i], s->ledger);
		}
		else
			orders_route(s->orders, s->norders, s->ledger, free_to_lock);
		s->ledger->aside = true;
		/* what comes of stock that fell or came is told after it, with it as the cause */
		cause = stock_add_events(s->ledger, s->positions, s->npositions, &changes, &s->events);
		s->events.cause = cause;
		settle_victims(s, &changes);
		s->ledger->aside = s->holds;
		stock_add_cases(&changes, &s->events);
		s->events.cause.known = false;
		for (int i = 0; i < s->norders; i++)
		{
			SalesOrder *order = s->orders[i];

			if (order->fault.sqlerrcode == 0)
				settlement_write_order(s, order);
		}
		s->ledger->aside = true;
		/* orders in hand may have given back what those who waited get */
		s->events.cause.known = cause.known && s->norders == 0 && s->ndemands == 0;
		settle_queues(s);
		settle_capacity(s);
		settle_arrivals(s);
		s->events.cause.known = false;
		shipments_write(s);
		close_books(s);
	}
	PG_FINALLY();
	{
		engine_writing = writing_before;
	}
	PG_END_TRY();
}

/*
 * The end of a call that is no settlement but gave something back, or made
 * room for it: who waits gets it, or is left to run_jobs(), and what the
 * ledger and the stream have to say is written.
 */
void
settlement_end(Settlement *s)
{
	int			writing_before = engine_write_begin();

	PG_TRY();
	{
		s->ledger->aside = true;
		settle_queues(s);
		settle_capacity(s);
		close_books(s);
	}
	PG_FINALLY();
	{
		engine_writing = writing_before;
	}
	PG_END_TRY();
}

/*
 * Memory of a settlement.  One context is kept from settlement to settlement,
 * so that an order does not cost a round trip of its blocks to the operating
 * system; a settlement within a settlement gets one of its own.
 */
static MemoryContext kept_context = NULL;
static bool kept_in_use = false;
static LocalTransactionId kept_by = InvalidLocalTransactionId;

MemoryContext
settlement_context_take(void)
{
	if (kept_in_use && kept_by == routing_my_lxid)
		return AllocSetContextCreate(CurrentMemoryContext, "routing settlement", ALLOCSET_DEFAULT_SIZES);
	if (kept_context == NULL)
		kept_context = AllocSetContextCreate(TopMemoryContext, "routing settlement", 0,
											 256 * 1024, 8 * 1024 * 1024);
	else
		MemoryContextReset(kept_context);	/* an error may have left it filled */
	kept_in_use = true;
	kept_by = routing_my_lxid;
	return kept_context;
}

void
settlement_context_give(MemoryContext context)
{
	if (context != kept_context)
	{
		MemoryContextDelete(context);
		return;
	}
	MemoryContextReset(context);
	kept_in_use = false;
}

/* ------------------------------------------------------------------------
 * Notes of our own tables
 * ------------------------------------------------------------------------ */

/*
 * The row of a routed order was deleted: see note_delete().  If a row with the
 * same id was inserted since, it takes over bookings and event stream.
 */
static void
was_deleted(SalesOrder *order, const char *version)
{
	order->was_cancelled = *version == 'c';
	if (order->was_cancelled)
		version++;
	order->event_version = strtoll(version, NULL, 10);
	if (order->exists && order->decision_id == 0 && !order->had_row)
	{
		order_load_bookings(order);
		order_load_claims(order);
	}
	order->had_row = true;
}

static void
add_native_orders(Settlement *s, Note **orders, int n)
{
	/* "dedicated" and "replan" after "": the last of a group has it */
	qsort(orders, n, sizeof(Note *), note_compare);
	for (int i = 0; i < n; i++)
	{
		SalesOrder *order;

		CHECK_FOR_INTERRUPTS();
		if (i + 1 < n && orders[i]->tenant_id == orders[i + 1]->tenant_id &&
			strcmp(orders[i]->a, orders[i + 1]->a) == 0)
			continue;
		order = order_load(orders[i]->tenant_id, orders[i]->a, ORDER_LOCK_ROUTED);
		order->net = network_get(order->tenant_id);
		if (strcmp(orders[i]->b, "replan") == 0)
		{
			for (int l = 0; l < order->nlines; l++)
				order->lines[l].replan = true;
		}
		if (orders[i]->b[0] == 'v')
			was_deleted(order, orders[i]->b + 1);
		if (order->exists && order->nlines == 0 && order->nbookings == 0 && order->nclaims == 0)
			continue;			/* its lines have not come yet */
		if (!order->exists && order->nbookings == 0 && order->nclaims == 0 && !order->had_row)
			continue;			/* came and went */
		if (order->exists && !order_is_cancelled(order))
		{
			order_check(order);
			/* an order without lines only gives back: nothing can be wrong with it */
			if (order->nlines == 0)
				memset(&order->fault, 0, sizeof(order->fault));
			/* nobody is refused for what he says of supply */
			if (order->fault.sqlerrcode && strcmp(orders[i]->b, "dedicated") == 0 &&
				(i == 0 || orders[i - 1]->tenant_id != order->tenant_id ||
				 strcmp(orders[i - 1]->a, order->order_id) != 0))
			{
				pending_add(order->tenant_id, "", "orders", order->order_id, order->fault.message,
							order->fault.sqlerrcode);
				continue;
			}
			if (order->fault.sqlerrcode)
				fault_raise(&order->fault);
		}
		settlement_add_order(s, order);
	}
}

static void
touch_all(Settlement *s)
{
	uint64		n = engine_exec(&plan_all_positions, NULL, NULL, ENGINE_FRESH);
	SPITupleTable *rows = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		settlement_touch(s, DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)),
						 SPI_getvalue(rows->vals[i], rows->tupdesc, 2),
						 SPI_getvalue(rows->vals[i], rows->tupdesc, 3));
	}
	SPI_freetuptable(rows);
}

/* Add the orders that have bookings but no line for them any more. */
static int
orphaned_orders(Note ***orders, int n)
{
	uint64		rows = engine_exec(&plan_orphans, NULL, NULL, ENGINE_FRESH);

	*orders = repalloc_huge(*orders, sizeof(Note *) * (n + rows + 1));
	for (uint64 i = 0; i < rows; i++)
	{
		Note	   *note = palloc0(sizeof(Note));
		bool		isnull;

		note->kind = NOTE_ORDER;
		note->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
		note->a = spi_text(i, 2);
		note->b = "";
		(*orders)[n++] = note;
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/*
 * Settle the notes of our own tables; false if there were none.  An order
 * that cannot be routed is an error, which reaches whoever inserted it.
 */
bool
settle_native(Note *notes, int n)
{
	Settlement *s;
	Note	  **orders;
	int			norders = 0;
	Note	  **demands;
	int			ndemands = 0;
	bool		any = false;
	bool		orders_emptied = false;
	bool		demand_emptied = false;
	MemoryContext old;
	MemoryContext context;

	for (int i = 0; i < n && !any; i++)
		any = notes[i].kind < NOTE_BOUND_ORDER;
	if (!any)
		return false;

	context = settlement_context_take();
	SPI_connect();
	old = MemoryContextSwitchTo(context);
	s = settlement_begin();
	for (int i = 0; i < n; i++)
		orders_emptied |= notes[i].kind == NOTE_ORDER_ALL;
	orders = palloc_extended(sizeof(Note *) * n, MCXT_ALLOC_HUGE);
	demands = palloc_extended(sizeof(Note *) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		switch (notes[i].kind)
		{
			case NOTE_ORDER:
				orders[norders++] = &notes[i];
				break;
			case NOTE_LEDGER:
				settlement_touch(s, notes[i].tenant_id, notes[i].a, notes[i].b);
				break;
			case NOTE_ALLOTMENT:
				settlement_touch(s, notes[i].tenant_id, notes[i].a, notes[i].b);
				ledger_get(s->ledger, notes[i].tenant_id, notes[i].a, notes[i].b)->reallotted = true;
				break;
			case NOTE_LEDGER_ALL:
				touch_all(s);
				break;
			case NOTE_MOVEMENT:
				ledger_take_movement(s->ledger, &notes[i]);
				break;
			case NOTE_DEMAND:
				demands[ndemands++] = &notes[i];
				break;
			case NOTE_DEMAND_ALL:
				demand_emptied = true;
				break;
			default:
				break;
		}
	}
	if (orders_emptied)
		norders = orphaned_orders(&orders, norders);
	add_native_orders(s, orders, norders);
	order_row_queued(NULL, NULL);
	demands_add_noted(s, demands, ndemands, demand_emptied);
	settlement_finish(s);
	MemoryContextSwitchTo(old);
	SPI_finish();
	settlement_context_give(context);
	return true;
}
