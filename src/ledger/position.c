/*
 * position.c
 *		Locking and writing positions.
 *
 * A position row is the lock that everything about its item-node goes
 * through: whoever books, cancels or judges holds it until the end of the
 * transaction.  Lock order: orders ascending, then positions by (tenant,
 * item, node) ascending.  ledger_lock_all() keeps it; a lock out of that
 * order is taken with wait = false only.
 *
 * Rows are locked with table_tuple_lock() and "find last version", not by
 * SELECT FOR UPDATE: it yields the newest version at every isolation level,
 * where the executor would end a REPEATABLE READ transaction with 40001
 * because somebody else sold another unit meanwhile.  That is correct here
 * since nothing decided under the old version is kept: after the lock the
 * booking is checked again on the row that is locked.
 *
 * The table is the engine's own: no further indexes, no triggers (doctor()
 * looks), so that a row can be replaced with CatalogTupleUpdate().
 */
#include "ledger/position.h"

#include "base/clock.h"
#include "base/engine.h"
#include "ledger/offer.h"
#include "ledger/withheld.h"

#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

static EnginePlan plan_create = {
	"INSERT INTO routing.position (tenant_id, item, node)"
	" SELECT k.t, k.i, k.n FROM unnest($1, $2, $3) AS k(t, i, n)"
	" ON CONFLICT DO NOTHING",
	3, {INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

static int
key_compare(const PositionKey *a, const PositionKey *b)
{
	int			c;

	if (a->tenant_id != b->tenant_id)
		return a->tenant_id < b->tenant_id ? -1 : 1;
	c = strcmp(a->item, b->item);
	return c != 0 ? c : strcmp(a->node, b->node);
}

/* The global lock order; for qsort of Position pointers. */
int
position_compare(const void *a, const void *b)
{
	return key_compare(&(*(Position *const *) a)->key, &(*(Position *const *) b)->key);
}

/*
 * Lock a position and read its newest version.  With wait = false returns
 * false if somebody else holds it.  A position without a row cannot be locked
 * and stays exists = false: nothing can be booked there.
 *
 * Of a hot position a slot will do that has all that is wanted of it.
 */
bool
ledger_lock(Ledger *ledger, Position *pos, bool wait)
{
	LockWaitPolicy policy = LockWaitSkip;

	Assert(ledger->writes);
	if (pos->locked)
		return true;
	if (pos->exists && pos->slots > 0 && !pos->whole && !pos->first_row && !pos->touched &&
		slots_take(ledger, pos))
		return true;

	for (;;)
	{
		TM_FailureData tmfd;
		TM_Result	result;
		ItemPointerData tid;

		CHECK_FOR_INTERRUPTS();
		if (pos->exists && pos->read_at == ledger->refreshed)
			tid = pos->tid;		/* our snapshot keeps that version there */
		else if (ledger_probe(ledger, &pos->key))
			tid = ledger->scan.slot->tts_tid;
		else
		{
			ExecClearTuple(ledger->scan.slot);
			pos->exists = false;
			return true;
		}
		ExecClearTuple(ledger->scan.slot);
		result = table_tuple_lock(ledger->scan.rel, &tid, ledger->snapshot,
								  ledger->lock_slot, GetCurrentCommandId(false),
								  LockTupleNoKeyExclusive,
								  policy,
								  TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &tmfd);
		switch (result)
		{
			case TM_Ok:
				ledger_decode(ledger, pos, ledger->lock_slot);
				ExecClearTuple(ledger->lock_slot);
				pos->locked = true;
				pos->busy = false;
				/* somebody may have withheld it while we waited */
				pos->withheld = supply_withheld(pos->key.tenant_id, pos->key.item, pos->key.node);
				if (pos->slots > 0 && !slots_settle(ledger, pos, wait))
				{
					pos->locked = false;
					pos->busy = true;
					return false;
				}
				if (pos->slots == 0)
					slots_consider(ledger, pos, policy == LockWaitBlock);
				return true;
			case TM_WouldBlock:
				if (wait && policy == LockWaitSkip)
				{
					policy = LockWaitBlock;
					break;
				}
				pos->busy = true;
				return false;
			case TM_Updated:
			case TM_Deleted:
				/* replaced by a restore or a rebuild: look again */
				ledger_refresh(ledger);
				break;
			default:
				elog(ERROR, "unexpected result %d of locking a position", (int) result);
		}
	}
}

/* Lock the positions in the global order, waiting for whoever holds them. */
void
ledger_lock_all(Ledger *ledger, Position **positions, int n)
{
	qsort(positions, n, sizeof(Position *), position_compare);
	for (int i = 0; i < n; i++)
		(void) ledger_lock(ledger, positions[i], true);
}

/*
 * Make the rows of positions that have none, in the global order: who makes
 * the same row waits for us.  SPI must be connected.
 */
void
ledger_create_missing(Ledger *ledger, Position **positions, int n)
{
	const int	batch = 1000;
	char	  **items = palloc(sizeof(char *) * batch);
	char	  **nodes = palloc(sizeof(char *) * batch);
	Datum	   *tenants = palloc(sizeof(Datum) * batch);
	int			filled = 0;
	bool		any = false;

	qsort(positions, n, sizeof(Position *), position_compare);
	for (int i = 0; i <= n; i++)
	{
		if (filled == batch || (i == n && filled > 0))
		{
			Datum		args[3];

			args[0] = PointerGetDatum(construct_array(tenants, filled, INT4OID, 4, true, TYPALIGN_INT));
			args[1] = text_array(items, filled);
			args[2] = text_array(nodes, filled);
			(void) engine_exec(&plan_create, args, NULL, ENGINE_FRESH);
			filled = 0;
			any = true;
		}
		if (i < n && !positions[i]->exists)
		{
			tenants[filled] = Int32GetDatum(positions[i]->key.tenant_id);
			items[filled] = unconstify(char *, positions[i]->key.item);
			nodes[filled++] = unconstify(char *, positions[i]->key.node);
		}
	}
	if (any)
	{
		CommandCounterIncrement();
		ledger_refresh(ledger);
	}
}

/*
 * Whether another transaction has made the row of a position and not ended
 * yet: making it too would wait for that one.
 */
bool
ledger_is_being_made(Ledger *ledger, Position *pos)
{
	KeyScan    *ks = &ledger->scan;
	SnapshotData dirty;
	bool		found;

	InitDirtySnapshot(dirty);
	keyscan_stop(ks);
	ks->snapshot = &dirty;
	found = ledger_probe(ledger, &pos->key) && TransactionIdIsValid(dirty.xmin);
	ExecClearTuple(ks->slot);
	keyscan_stop(ks);
	ks->snapshot = scan_snapshot(ledger->snapshot);
	return found;
}

/*
 * Give back what has expired of the positions that are going to be written.
 * What expires after that stays for the next who writes them: it must be known
 * before it is seen who waits for it.
 */
void
ledger_sweep(Ledger *ledger)
{
	for (Position *pos = ledger->first; pos != NULL; pos = pos->next)
	{
		if (pos->dirty && pos->holds.n > 0)
			holds_sweep(pos, clock_now());
	}
}

/* Write back the positions that changed; the locks stay. */
void
ledger_flush(Ledger *ledger)
{
	CatalogIndexState indexes = NULL;
	TupleDesc	desc = RelationGetDescr(ledger->scan.rel);

	for (Position *pos = ledger->first; pos != NULL; pos = pos->next)
	{
		HeapTuple	tup;

		if (!pos->dirty)
			continue;
		Assert(pos->locked && pos->exists);
		if (indexes == NULL)
			indexes = CatalogOpenIndexes(ledger->scan.rel);
		tup = position_form(pos, desc);
		CatalogTupleUpdateWithInfo(ledger->scan.rel, &pos->tid, tup, indexes);
		pos->tid = tup->t_self;
		if (pos->nslot_rows > 0)
			slots_flush(ledger, pos, indexes);
		pos->dirty = false;
		heap_freetuple(tup);
	}
	if (indexes != NULL)
	{
		CatalogCloseIndexes(indexes);
		CommandCounterIncrement();
		ledger_refresh(ledger);
	}
}

/* To be booked once the position is locked: what a slot must have. */
void
position_want(Position *pos, DateADT needed_on, int64 quantity)
{
	if (pos->nwants == pos->cap_wants)
	{
		pos->cap_wants = pos->cap_wants ? pos->cap_wants * 2 : 4;
		pos->wants = pos->wants == NULL ? palloc(sizeof(Want) * pos->cap_wants) :
			repalloc(pos->wants, sizeof(Want) * pos->cap_wants);
	}
	pos->wants[pos->nwants].needed_on = needed_on;
	pos->wants[pos->nwants++].quantity = quantity;
}

/*
 * A slot, or slot 0 alone, was not enough: let all of the locked hot positions
 * be had whole, as far as nothing was booked in a slot and nobody else holds
 * one.
 */
void
ledger_want_whole(Ledger *ledger)
{
	for (Position *pos = ledger->first; pos != NULL; pos = pos->next)
	{
		if (!pos->locked || (pos->slot == 0 && pos->slots == 0))
			continue;
		pos->whole = true;
		if (pos->slot > 0 && !pos->dirty)
			slots_leave(ledger, pos);
		else if (pos->slot == 0)
			(void) slots_fold(ledger, pos, false);
	}
}

/* Read again, at the next use, what is not locked. */
void
ledger_forget_unlocked(Ledger *ledger)
{
	for (Position *pos = ledger->first; pos != NULL; pos = pos->next)
		pos->stale = !pos->locked;
	ledger_refresh(ledger);
}
