/*
 * position.c
 *		Reading, locking and writing positions.
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

#include "base/cache.h"
#include "base/clock.h"
#include "base/engine.h"
#include "ledger/offer.h"
#include "ledger/withheld.h"

#include "access/htup_details.h"
#include "access/itup.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/*
 * The first question about an item asks the index which nodes have a position
 * of it, and where; only those asked for are then fetched.  Such a directory
 * is good for one snapshot.  An item at more nodes than it holds is probed
 * node by node.
 */
#define DIRECTORY_SIZE			128

typedef struct DirectoryEntry
{
	char	   *node;
	ItemPointerData tid;
} DirectoryEntry;

typedef struct ItemReads
{
	PositionKey key;			/* node is "" */
	bool		too_many;
	bool		has_directory;
	int			n;
	DirectoryEntry *entries;	/* by node; one node may have several */
} ItemReads;

static EnginePlan plan_create = {
	"INSERT INTO routing.position (tenant_id, item, node)"
	" SELECT k.t, k.i, k.n FROM unnest($1, $2, $3) AS k(t, i, n)"
	" ON CONFLICT DO NOTHING",
	3, {INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

static uint32
key_hash(const void *key, Size keysize)
{
	const PositionKey *k = key;
	uint32		h = hash_combine((uint32) k->tenant_id,
								 hash_bytes((const unsigned char *) k->item, strlen(k->item)));

	return hash_combine(h, hash_bytes((const unsigned char *) k->node, strlen(k->node)));
}

static int
key_compare(const PositionKey *a, const PositionKey *b)
{
	int			c;

	if (a->tenant_id != b->tenant_id)
		return a->tenant_id < b->tenant_id ? -1 : 1;
	c = strcmp(a->item, b->item);
	return c != 0 ? c : strcmp(a->node, b->node);
}

static int
key_match(const void *a, const void *b, Size keysize)
{
	return key_compare(a, b);
}

/* The global lock order; for qsort of Position pointers. */
int
position_compare(const void *a, const void *b)
{
	return key_compare(&(*(Position *const *) a)->key, &(*(Position *const *) b)->key);
}

/*
 * Open a ledger in the current memory context.  One that writes reads what is
 * committed now; one that only reads uses the caller's snapshot.
 */
Ledger *
ledger_open(bool writes)
{
	Ledger	   *ledger = palloc0(sizeof(Ledger));
	HASHCTL		ctl;

	ledger->context = CurrentMemoryContext;
	ledger->writes = writes;
	ledger->snapshot = writes ? fresh_snapshot() : RegisterSnapshot(GetActiveSnapshot());
	keyscan_open(&ledger->scan, engine_relid(TAB_POSITION),
				 writes ? RowExclusiveLock : AccessShareLock, ledger->snapshot);
	if (writes)
		ledger->lock_slot = table_slot_create(ledger->scan.rel, NULL);
	ctl.keysize = sizeof(PositionKey);
	ctl.entrysize = sizeof(Position);
	ctl.hash = key_hash;
	ctl.match = key_match;
	ctl.hcxt = CurrentMemoryContext;
	ledger->positions = hash_create("routing positions", 32, &ctl,
									HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	ctl.entrysize = sizeof(ItemReads);
	ledger->items = hash_create("routing items read", 32, &ctl,
								HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	return ledger;
}

void
ledger_close(Ledger *ledger)
{
	if (ledger->lock_slot)
		ExecDropSingleTupleTableSlot(ledger->lock_slot);
	if (ledger->fetch)
		table_index_fetch_end(ledger->fetch);
	keyscan_close(&ledger->scan);
	UnregisterSnapshot(ledger->snapshot);
	hash_destroy(ledger->positions);
	hash_destroy(ledger->items);
}

/* Look at what is committed now. */
void
ledger_refresh(Ledger *ledger)
{
	Snapshot	old = ledger->snapshot;
	KeyScan    *ks = &ledger->scan;
	HASH_SEQ_STATUS seq;
	ItemReads  *reads;

	/* directories are of the old snapshot */
	hash_seq_init(&seq, ledger->items);
	while ((reads = hash_seq_search(&seq)) != NULL)
	{
		reads->has_directory = false;
	}
	keyscan_stop(ks);
	ledger->snapshot = fresh_snapshot();
	ks->snapshot = scan_snapshot(ledger->snapshot);
	ledger->refreshed++;
	UnregisterSnapshot(old);
}

static void
decode(Ledger *ledger, Position *pos, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(ledger->context);

	position_decode(pos, slot);
	pos->read_at = ledger->refreshed;
	MemoryContextSwitchTo(old);
}

static bool
probe(Ledger *ledger, const PositionKey *key)
{
	Datum		item = CStringGetTextDatum(key->item);
	Datum		node = CStringGetTextDatum(key->node);
	KeyScan    *ks = &ledger->scan;
	bool		found;

	keyscan_start(ks, key->tenant_id, item, node);
	found = keyscan_next(ks);
	if (!found && ks->snapshot != ledger->snapshot)
	{
		/* see scan_snapshot() */
		keyscan_stop(ks);
		ks->snapshot = ledger->snapshot;
		keyscan_start(ks, key->tenant_id, item, node);
		found = keyscan_next(ks);
		keyscan_stop(ks);
		ks->snapshot = scan_snapshot(ledger->snapshot);
	}
	return found;
}

/* A position that nothing is known of yet. */
static Position *
add_position(Ledger *ledger, const PositionKey *key)
{
	PositionKey own = *key;
	Position   *pos;

	own.item = MemoryContextStrdup(ledger->context, key->item);
	own.node = MemoryContextStrdup(ledger->context, key->node);
	pos = hash_search(ledger->positions, &own, HASH_ENTER, NULL);
	memset((char *) pos + sizeof(PositionKey), 0, sizeof(Position) - sizeof(PositionKey));
	pos->withheld = supply_withheld(own.tenant_id, own.item, own.node);
	return pos;
}

static ItemReads *
item_reads(Ledger *ledger, int32 tenant_id, const char *item)
{
	PositionKey key = {tenant_id, item, ""};
	ItemReads  *reads = hash_search(ledger->items, &key, HASH_FIND, NULL);

	if (reads == NULL)
	{
		key.item = MemoryContextStrdup(ledger->context, item);
		reads = hash_search(ledger->items, &key, HASH_ENTER, NULL);
		reads->too_many = false;
		reads->has_directory = false;
		reads->entries = NULL;
	}
	return reads;
}

/* Read from the index alone which nodes have a position of the item. */
static void
read_directory(Ledger *ledger, ItemReads *reads)
{
	KeyScan    *ks = &ledger->scan;
	ItemPointer tid;

	if (reads->entries == NULL)
		reads->entries = MemoryContextAlloc(ledger->context, sizeof(DirectoryEntry) * DIRECTORY_SIZE);
	reads->n = 0;
	ks->index_only = true;
	keyscan_start(ks, reads->key.tenant_id, CStringGetTextDatum(reads->key.item), 0);
	ks->index_only = false;
	while ((tid = index_getnext_tid(ks->scan, ForwardScanDirection)) != NULL)
	{
		bool		isnull;

		/* the slots of a hot position are looked for where they are needed */
		if (DatumGetInt32(index_getattr(ks->scan->xs_itup, POSITION_SLOT_KEYNO,
										RelationGetDescr(ks->index), &isnull)) != 0)
			continue;
		if (reads->n == DIRECTORY_SIZE)
			break;
		reads->entries[reads->n].node =
			TextDatumGetCString(index_getattr(ks->scan->xs_itup, POSITION_NODE_ATTNO,
											  RelationGetDescr(ks->index), &isnull));
		reads->entries[reads->n++].tid = *tid;
	}
	reads->has_directory = tid == NULL;
	reads->too_many = !reads->has_directory;
	keyscan_stop(ks);
}

/*
 * Fetch the position of a node through the directory.  An entry may lead to a
 * dead row, or to one that took its place: then it is not visible.
 */
static bool
fetch_from_directory(Ledger *ledger, ItemReads *reads, Position *pos)
{
	KeyScan    *ks = &ledger->scan;
	int			low = 0,
				high = reads->n;

	while (low < high)
	{
		int			mid = (low + high) / 2;

		if (strcmp(reads->entries[mid].node, pos->key.node) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < reads->n && strcmp(reads->entries[low].node, pos->key.node) == 0; low++)
	{
		ItemPointerData tid = reads->entries[low].tid;
		bool		again = false;
		bool		all_dead;

		if (ledger->fetch == NULL)
			ledger->fetch = table_index_fetch_begin(ks->rel);
		if (table_index_fetch_tuple(ledger->fetch, &tid, ks->snapshot, ks->slot, &again, &all_dead))
		{
			decode(ledger, pos, ks->slot);
			ExecClearTuple(ks->slot);
			return true;
		}
	}
	return false;
}

static void
read_position(Ledger *ledger, ItemReads *reads, Position *pos)
{
	if (!reads->has_directory && !reads->too_many)
		read_directory(ledger, reads);
	if (reads->has_directory &&
		(fetch_from_directory(ledger, reads, pos) || ledger->scan.snapshot == ledger->snapshot))
		return;
	if (probe(ledger, &pos->key))
		decode(ledger, pos, ledger->scan.slot);
	ExecClearTuple(ledger->scan.slot);
}

/*
 * The position of an item-node, read without a lock the first time it is
 * asked for.  One without a row has exists = false and offers nothing.
 */
Position *
ledger_get(Ledger *ledger, int32 tenant_id, const char *item, const char *node)
{
	PositionKey key = {tenant_id, item, node};
	ItemReads  *reads;
	Position   *pos;

	pos = hash_search(ledger->positions, &key, HASH_FIND, NULL);
	if (pos != NULL)
	{
		if (pos->stale)
		{
			pos->stale = false;
			read_position(ledger, item_reads(ledger, tenant_id, item), pos);
		}
		return pos;
	}

	reads = item_reads(ledger, tenant_id, item);
	pos = add_position(ledger, &key);
	read_position(ledger, reads, pos);
	if (!ledger->writes)
		slots_merge(ledger, pos);
	return pos;
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
		else if (probe(ledger, &pos->key))
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
				decode(ledger, pos, ledger->lock_slot);
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
	found = probe(ledger, &pos->key) && TransactionIdIsValid(dirty.xmin);
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
	HASH_SEQ_STATUS seq;
	Position   *pos;

	hash_seq_init(&seq, ledger->positions);
	while ((pos = hash_seq_search(&seq)) != NULL)
	{
		if (pos->dirty && pos->holds.n > 0)
			holds_sweep(pos, clock_now());
	}
}

/* Write back the positions that changed; the locks stay. */
void
ledger_flush(Ledger *ledger)
{
	HASH_SEQ_STATUS seq;
	Position   *pos;
	CatalogIndexState indexes = NULL;
	TupleDesc	desc = RelationGetDescr(ledger->scan.rel);

	hash_seq_init(&seq, ledger->positions);
	while ((pos = hash_seq_search(&seq)) != NULL)
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
	HASH_SEQ_STATUS seq;
	Position   *pos;

	hash_seq_init(&seq, ledger->positions);
	while ((pos = hash_seq_search(&seq)) != NULL)
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
	HASH_SEQ_STATUS seq;
	Position   *pos;

	hash_seq_init(&seq, ledger->positions);
	while ((pos = hash_seq_search(&seq)) != NULL)
		pos->stale = !pos->locked;
	ledger_refresh(ledger);
}
