/*
 * slots.c
 *		Escrow: a hot position in parts that are locked apart.
 *
 * Many orders for one item-node would wait for each other at its one row until
 * each has committed.  Where that is seen to happen, part of its supply is
 * moved into slots, further rows of routing.position: slot rows are small
 * positions, with supply of the same days and the bookings made on them.  An
 * order takes any slot that nobody holds and that has enough; so the sum over
 * the rows is always the item-node, the balance of each row is never below 0,
 * and readers add the rows up.
 *
 * What is moved is supply of a day that could be promised for that day, so a
 * row can be judged by itself.  Safety stock and holds stay in the first row,
 * slot 0.  Positions with lots, allotments or claims are never divided: what
 * is offered there depends on who asks.
 *
 * Locks.  A slot is held by a heavyweight lock, not by its row, because a
 * slot that turns out to have too little is let go of at once; a row lock would
 * last until the end of the transaction.  Such a lock is only ever tried,
 * except by who holds slot 0's row and needs all of it: he waits for the slots
 * one after the other, and those who hold one do not wait for this position
 * any more.  Bookings are given back in slot 0 wherever they were made; there,
 * demand may then be negative.
 *
 * Supply that is late moves with the calendar, so that a row may come to owe
 * what only the others have: a position is put together again before anything
 * is booked on it once supply in its slots is late, and no slot is taken while
 * slot 0 is short.
 *
 * When slot 0 has too little, or the slots have been idle, all is folded into
 * it again.  So nobody is refused a unit that is in a slot, and near exhaustion
 * the position is one row, locked by one after the other.  When it is divided,
 * and what the slots are given, is in slots_fill.c.
 */
#include "ledger/slots.h"

#include "base/clock.h"
#include "base/engine.h"
#include "ledger/offer.h"

#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "network/network.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

#define LOCK_CLASS		4711	/* objsubid of slot 0's number; those below 3 are SQL's */

/* ------------------------------------------------------------------------
 * The lock of a slot
 * ------------------------------------------------------------------------ */

static void
slot_tag(const Position *pos, int32 slot, LOCKTAG *tag)
{
	uint64		h = hash_bytes_extended((const unsigned char *) pos->key.item, strlen(pos->key.item),
										pos->key.tenant_id);

	h = hash_combine64(h, hash_bytes_extended((const unsigned char *) pos->key.node,
											  strlen(pos->key.node), 0));
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (h >> 32), (uint32) h, LOCK_CLASS + slot);
}

bool
slot_lock(const Position *pos, int32 slot, bool wait)
{
	LOCKTAG		tag;

	slot_tag(pos, slot, &tag);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

void
slot_unlock(const Position *pos, int32 slot)
{
	LOCKTAG		tag;

	slot_tag(pos, slot, &tag);
	(void) LockRelease(&tag, ExclusiveLock, false);
}

/* ------------------------------------------------------------------------
 * Reading slots
 * ------------------------------------------------------------------------ */

/* Start a scan of one slot, or with slot 0 of all of them. */
static IndexScanDesc
scan_slots(Ledger *ledger, const Position *pos, int32 slot, Snapshot snapshot)
{
	KeyScan    *ks = &ledger->scan;
	IndexScanDesc scan = routing_beginscan(ks->rel, ks->index, scan_snapshot(snapshot), 4);
	ScanKeyData keys[4];

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(pos->key.tenant_id));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(pos->key.item));
	ScanKeyInit(&keys[2], 3, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(pos->key.node));
	if (slot > 0)
		ScanKeyInit(&keys[3], 4, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(slot));
	else
		ScanKeyInit(&keys[3], 4, BTGreaterStrategyNumber, F_INT4GT, Int32GetDatum(0));
	index_rescan(scan, keys, 4, NULL, 0);
	return scan;
}

/*
 * Add what the slots have to a position that is only read.  Both must be of
 * one snapshot.
 */
void
slots_merge(Ledger *ledger, Position *pos)
{
	IndexScanDesc scan;
	TupleTableSlot *slot;
	MemoryContext old;

	if (pos->slots == 0 || pos->merged || pos->locked)
		return;
	old = MemoryContextSwitchTo(ledger->context);
	slot = table_slot_create(ledger->scan.rel, NULL);
	scan = scan_slots(ledger, pos, 0, ledger->snapshot);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		Position	row = {0};

		position_decode(&row, slot);
		timeline_add_all(&pos->timeline, &row.timeline);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextSwitchTo(old);
	pos->merged = true;
	pos->steps_valid = false;
}

/* Whether supply that is in slots has become late. */
bool
slots_are_late(const Position *pos, DateADT today)
{
	for (int i = 0; i < pos->escrow.n; i += 2)
	{
		DateADT		day = supply_key_day(pos->escrow.v[i]);

		if (day != ON_HAND_DAY && day < today)
			return true;
	}
	return false;
}

/*
 * Whether slot 0 alone can give a quantity as early as all rows together
 * could at best, so that a plan need not look at the slots.
 */
bool
slots_suffice(const Position *pos, DateADT today, int64 quantity)
{
	Timeline	all;
	AtpStep    *own;
	AtpStep    *best;
	int			nown;
	int			nbest;
	bool		suffices = true;

	if (slots_are_late(pos, today))
		return false;
	nown = timeline_balances(&pos->timeline, today, &own);
	nown = steps_of_balances(own, nown, pos->safety_stock);
	timeline_copy(&all, &pos->timeline);
	for (int i = 0; i < pos->escrow.n; i += 2)
		timeline_add_supply(&all, supply_key_day(pos->escrow.v[i]), supply_key_late(pos->escrow.v[i]),
							pos->escrow.v[i + 1]);
	nbest = timeline_balances(&all, today, &best);
	nbest = steps_of_balances(best, nbest, pos->safety_stock);
	for (int i = 0; i < nbest; i++)
	{
		if (best[i].available >= quantity || i == nbest - 1)
		{
			suffices = steps_at(own, nown, best[i].day) >= quantity;
			break;
		}
	}
	pfree(own);
	pfree(best);
	pfree(all.entries);
	return suffices;
}

/* Read one slot as it is committed now, or as we left it; false if it is gone. */
bool
slot_read(Ledger *ledger, const Position *pos, int32 slot, Position *row)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexScanDesc scan = scan_slots(ledger, pos, slot, snapshot);
	TupleTableSlot *tuple = ledger->lock_slot;
	bool		found = index_getnext_slot(scan, ForwardScanDirection, tuple);

	if (found)
	{
		MemoryContext old = MemoryContextSwitchTo(ledger->context);

		position_decode(row, tuple);
		MemoryContextSwitchTo(old);
	}
	ExecClearTuple(tuple);
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return found;
}

/* ------------------------------------------------------------------------
 * Taking one, taking all
 * ------------------------------------------------------------------------ */

DateADT
position_today(const Position *pos)
{
	const NetNode *node = network_node(network_get(pos->key.tenant_id), pos->key.node);

	return node == NULL ? 0 : node_date(node, clock_now());
}

/*
 * Whether all that is wanted of a position can be booked on a row of it: the
 * timeline of a slot, or NULL for slot 0.
 */
bool
slots_wants_fit(const Position *pos, const Timeline *timeline, DateADT today)
{
	int64		safety_stock = timeline ? 0 : pos->safety_stock;
	Timeline	tl;
	bool		fit = true;

	timeline_copy(&tl, timeline ? timeline : &pos->timeline);
	if (timeline == NULL)
		holds_add_demand(pos, clock_now(), &tl);
	for (int i = 0; i < pos->nwants && fit; i++)
	{
		AtpStep    *steps;
		int			n = timeline_balances(&tl, today, &steps);

		n = steps_of_balances(steps, n, safety_stock);
		fit = steps_at(steps, n, Max(pos->wants[i].needed_on, today)) >= pos->wants[i].quantity;
		timeline_add_demand(&tl, pos->wants[i].needed_on, pos->wants[i].quantity);
		pfree(steps);
	}
	pfree(tl.entries);
	return fit;
}

/*
 * Take a slot that has all that is wanted of the position, instead of its
 * first row.  Tries each slot once, never waits.
 */
bool
slots_take(Ledger *ledger, Position *pos)
{
	DateADT		today;
	int			first;
	DateADT		day;
	int64		missing;

	pos->crowded = false;
	if (pos->nwants == 0)
		return false;
	today = position_today(pos);
	if (slots_are_late(pos, today) || timeline_next_negative(&pos->timeline, today, today - 1, &day, &missing))
		return false;
	first = MyProcPid % pos->slots;
	pos->crowded = true;
	for (int i = 0; i < pos->slots; i++)
	{
		int32		slot = 1 + (first + i) % pos->slots;
		Position	row = {0};

		if (!slot_lock(pos, slot, false))
			continue;
		if (slot_read(ledger, pos, slot, &row) && slots_wants_fit(pos, &row.timeline, today))
		{
			pos->timeline = row.timeline;
			pos->tid = row.tid;
			pos->slot = slot;
			pos->slots = 0;
			pos->safety_stock = 0;
			pos->event_version = row.event_version;
			pos->lead_time = -1;
			pos->escrow.n = pos->holds.n = 0;
			pos->merged = false;
			position_set_special(pos);
			pos->locked = true;
			pos->busy = false;
			return true;
		}
		slot_unlock(pos, slot);
		pos->crowded = false;
		if (!row.exists)
			return false;		/* folded meanwhile */
	}
	return false;
}

/* Let go of a slot on which nothing was written. */
void
slots_leave(Ledger *ledger, Position *pos)
{
	slot_unlock(pos, pos->slot);
	pos->locked = false;
	pos->dirty = false;
	pos->slot = 0;
	pos->stale = true;
}

/* What was made of a slot and is not written yet, or NULL. */
static SlotRow *
unwritten(SlotRow *rows, int n, int32 slot)
{
	for (int i = 0; i < n; i++)
	{
		if (rows[i].slot == slot && rows[i].dirty && !rows[i].gone)
			return &rows[i];
	}
	return NULL;
}

/* The row of slot 0 is locked: take all slots into it, and them away. */
bool
slots_fold(Ledger *ledger, Position *pos, bool wait)
{
	MemoryContext old;
	SlotRow    *made = pos->slot_rows;
	int			nmade = pos->nslot_rows;

	Assert(pos->locked && pos->slot == 0);
	for (int32 slot = 1; slot <= pos->slots; slot++)
	{
		if (slot_lock(pos, slot, wait))
			continue;
		while (--slot > 0)
			slot_unlock(pos, slot);
		return false;
	}
	old = MemoryContextSwitchTo(ledger->context);
	pos->slot_rows = palloc0(sizeof(SlotRow) * pos->slots);
	pos->nslot_rows = 0;
	for (int32 slot = 1; slot <= pos->slots; slot++)
	{
		Position	row = {0};
		SlotRow    *s = unwritten(made, nmade, slot);

		if (s != NULL)
		{
			row.timeline = s->timeline;
			row.tid = s->tid;
		}
		else if (!slot_read(ledger, pos, slot, &row))
			continue;			/* a restore may have lost it: verify() tells */
		if (!ItemPointerIsValid(&row.tid))
		{
			timeline_add_all(&pos->timeline, &row.timeline);
			continue;
		}
		s = &pos->slot_rows[pos->nslot_rows++];
		s->slot = slot;
		s->tid = row.tid;
		s->gone = s->dirty = true;
		timeline_add_all(&pos->timeline, &row.timeline);
	}
	MemoryContextSwitchTo(old);
	pos->slots = 0;
	pos->slots_at = 0;
	pos->escrow.n = 0;
	pos->steps_valid = false;
	pos->dirty = true;
	return true;
}

/* Write the slots that were made, filled or folded with the position. */
void
slots_flush(Ledger *ledger, Position *pos, CatalogIndexState indexes)
{
	Relation	rel = ledger->scan.rel;

	for (int i = 0; i < pos->nslot_rows; i++)
	{
		SlotRow    *s = &pos->slot_rows[i];
		Position	row = {0};
		HeapTuple	tup;

		if (!s->dirty)
			continue;
		if (s->gone)
		{
			CatalogTupleDelete(rel, &s->tid);
			continue;
		}
		row.key = pos->key;
		row.timeline = s->timeline;
		row.enabled = true;
		row.slot = s->slot;
		row.lead_time = -1;
		tup = position_form(&row, RelationGetDescr(rel));
		if (ItemPointerIsValid(&s->tid))
			CatalogTupleUpdateWithInfo(rel, &s->tid, tup, indexes);
		else
			CatalogTupleInsertWithInfo(rel, tup, indexes);
		heap_freetuple(tup);
	}
	pos->nslot_rows = 0;
}
