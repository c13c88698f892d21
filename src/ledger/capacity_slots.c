/*
 * capacity_slots.c
 *		Counters of what nodes ship on their days.
 *
 * A counter is spread over slots, which hold what was taken through them and a
 * share of the room that is left (sql/parts/46_capacity.sql).  Taking wants one
 * slot with enough room that nobody else has locked; who had to wait for one
 * makes a further slot.  If no single one has enough, one at a time gathers
 * the room of all of them.  Giving back goes to any slot that is not locked,
 * or to a new one.
 *
 * Nobody waits for a row: they are only tried, for a bounded time, so that
 * slots have no place in the order of locks; and they are locked in their last
 * version, so that no isolation level fails because somebody else was there
 * before.  What is held by a transaction that does not end cannot be taken by
 * others meanwhile.
 *
 * Whoever makes a day's first slot holds the lock of the node in share mode,
 * and that of the day; whoever changes limits holds the node's alone.
 */
#include "ledger/capacity.h"

#include "base/engine.h"

#include "access/heapam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

#define TRIES			300		/* pauses of a millisecond for slots that somebody has */
#define LATER_TRIES		60		/* if this transaction has taken something already */
#define VAIN_WAITS		3		/* after so many that came to nothing it does not pause any more */
#define MOST_SLOTS		64		/* of a day, made because orders met */
#define WORTH_SPREADING	16		/* times what is wanted must a slot have to be divided */

/* classes of our locks: numbers of the fourth field, that no other code of ours has */
#define NODE_LOCK		4501
#define FIRST_LOCK		4502
#define GATHER_LOCK		4503

enum
{
	U_TENANT_ID, U_NODE, U_DAY, U_SLOT, U_USED, U_ROOM = U_USED + NUM_CAPACITY_KINDS,
	U_NCOLS = U_ROOM + NUM_CAPACITY_KINDS
};

static const char *const use_names[U_NCOLS] = {
	"tenant_id", "node", "day", "slot", "orders", "lines", "units", "room_orders", "room_lines", "room_units"
};

static ColumnMap use_columns = {TAB_CAPACITY_USE, U_NCOLS, use_names, 0, {0}};

static EnginePlan plan_limits = {
	"SELECT l.quantity FROM (VALUES (0, 'orders'), (1, 'lines'), (2, 'units')) k (n, kind)"
	" LEFT JOIN LATERAL routing.capacity_limit($1, $2, $3, k.kind) l ON l.hard ORDER BY k.n",
	3, {INT4OID, TEXTOID, DATEOID}, NULL
};

static LocalTransactionId took_by = InvalidLocalTransactionId;

/*
 * How often the transaction took_by paused in vain.  Who has the slots may
 * wait for what we have, which no deadlock detector sees: a job that routes
 * hundreds of orders must not pause for each.
 */
static int	vain_waits = 0;

static void
note_taken(void)
{
	if (took_by != routing_my_lxid)
		vain_waits = 0;
	took_by = routing_my_lxid;
}

/* ------------------------------------------------------------------------
 * Locks
 * ------------------------------------------------------------------------ */

static void
tag_of(LOCKTAG *tag, int32 tenant_id, const char *node, DateADT day, int class)
{
	uint64		h = hash_bytes_extended((const unsigned char *) node, strlen(node), ((uint64) (uint32) day << 32) | (uint32) tenant_id);

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (h >> 32), (uint32) h, class);
}

bool
capacity_lock_node(int32 tenant_id, const char *node, LOCKMODE mode, bool wait)
{
	LOCKTAG		tag;

	tag_of(&tag, tenant_id, node, 0, NODE_LOCK);
	return LockAcquire(&tag, mode, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/* ------------------------------------------------------------------------
 * Rows
 * ------------------------------------------------------------------------ */

/* Readers may be on a standby, or in a parallel worker. */
void
capacity_open(CapacityDay *d, int32 tenant_id, const char *node, DateADT day, bool writes)
{
	memset(d, 0, sizeof(CapacityDay));
	d->tenant_id = tenant_id;
	d->node = node;
	d->day = day;
	d->lockmode = writes ? RowExclusiveLock : AccessShareLock;
	d->rel = table_open(engine_relid(TAB_CAPACITY_USE), d->lockmode);
	if (writes)
		d->store = store_of(d->rel);
	columns_resolve(&use_columns, RelationGetDescr(d->rel));
	d->index = index_open(routing_primary_key(d->rel), d->lockmode);
	d->slot = table_slot_create(d->rel, NULL);
}

void
capacity_close(CapacityDay *d)
{
	if (d->snapshot != NULL)
		UnregisterSnapshot(d->snapshot);
	ExecDropSingleTupleTableSlot(d->slot);
	index_close(d->index, d->lockmode);
	if (d->store != NULL)
		store_close(d->store);
	else
		table_close(d->rel, NoLock);
	if (d->slots != NULL)
		pfree(d->slots);
}

static void
decode(TupleTableSlot *slot, CapacitySlot *s)
{
	bool		isnull;

	slot_getallattrs(slot);
	s->tid = slot->tts_tid;
	s->slot = DatumGetInt32(slot_datum(slot, &use_columns, U_SLOT, &isnull));
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
	{
		s->used.n[k] = DatumGetInt64(slot_datum(slot, &use_columns, U_USED + k, &isnull));
		s->room.n[k] = DatumGetInt64(slot_datum(slot, &use_columns, U_ROOM + k, &isnull));
	}
}

/* Read the slots as they are now. */
void
capacity_read(CapacityDay *d)
{
	ScanKeyData keys[3];
	IndexScanDesc scan;

	if (d->snapshot != NULL)
		UnregisterSnapshot(d->snapshot);
	d->snapshot = IsInParallelMode() ? RegisterSnapshot(GetCatalogSnapshot(InvalidOid)) : fresh_snapshot();
	d->n = 0;
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(d->tenant_id));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(d->node));
	ScanKeyInit(&keys[2], 3, BTEqualStrategyNumber, F_DATE_EQ, DateADTGetDatum(d->day));
	scan = routing_beginscan(d->rel, d->index, scan_snapshot(d->snapshot), 3);
	index_rescan(scan, keys, 3, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, d->slot))
	{
		if (d->n == d->cap)
		{
			d->cap = d->cap ? d->cap * 2 : 16;
			d->slots = d->slots ? repalloc(d->slots, sizeof(CapacitySlot) * d->cap) : palloc(sizeof(CapacitySlot) * d->cap);
		}
		d->slots[d->n].locked = false;
		decode(d->slot, &d->slots[d->n++]);
	}
	index_endscan(scan);
	ExecClearTuple(d->slot);
}

CapacityUse
capacity_sum(const CapacityDay *d, bool room)
{
	CapacityUse sum = {{0}};

	for (int i = 0; i < d->n; i++)
	{
		for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
			sum.n[k] += room ? d->slots[i].room.n[k] : d->slots[i].used.n[k];
	}
	return sum;
}

/* Lock a slot in its last version; false if somebody has it, or has just removed it. */
static bool
lock_slot(CapacityDay *d, CapacitySlot *s, bool wait)
{
	TM_FailureData tmfd;
	ItemPointerData tid = s->tid;

	s->locked = s->locked ||
		table_tuple_lock(d->rel, &tid, d->snapshot, d->slot, GetCurrentCommandId(false), LockTupleNoKeyExclusive,
						 wait ? LockWaitBlock : LockWaitSkip, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &tmfd) == TM_Ok;
	if (s->locked && !TTS_EMPTY(d->slot))
		decode(d->slot, s);
	ExecClearTuple(d->slot);
	return s->locked;
}

static void
set_row(CapacityDay *d, const CapacitySlot *s)
{
	Datum	   *values = d->store->values;
	const AttrNumber *attnos = use_columns.attnos;

	memset(d->store->nulls, true, RelationGetDescr(d->rel)->natts);
	values[attnos[U_TENANT_ID] - 1] = Int32GetDatum(d->tenant_id);
	values[attnos[U_NODE] - 1] = CStringGetTextDatum(d->node);
	values[attnos[U_DAY] - 1] = DateADTGetDatum(d->day);
	values[attnos[U_SLOT] - 1] = Int32GetDatum(s->slot);
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
	{
		values[attnos[U_USED + k] - 1] = Int64GetDatum(s->used.n[k]);
		values[attnos[U_ROOM + k] - 1] = Int64GetDatum(s->room.n[k]);
	}
	for (int c = 0; c < U_NCOLS; c++)
		d->store->nulls[attnos[c] - 1] = false;
}

/* Write a slot that is locked. */
static void
write_slot(CapacityDay *d, CapacitySlot *s)
{
	set_row(d, s);
	store_update(d->store, &s->tid, InvalidSnapshot);
}

static void
insert_slot(CapacityDay *d, const CapacitySlot *s)
{
	set_row(d, s);
	store_add(d->store);
	store_insert(d->store);
}

/* A number for a further slot, that nobody else uses at the same time. */
static int32
further_slot(const CapacityDay *d)
{
	int32		number = 1 + (int32) (GetTopTransactionId() & 0x3FFFFFFF);

	for (int i = 0; i < d->n; i++)
	{
		if (d->slots[i].slot == number)
		{
			number++;
			i = -1;
		}
	}
	return number;
}

static void
count(CapacitySlot *s, const CapacityUse *use, int sign)
{
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
	{
		s->used.n[k] += sign * use->n[k];
		s->room.n[k] -= sign * use->n[k];
	}
}

/* ------------------------------------------------------------------------
 * Taking
 * ------------------------------------------------------------------------ */

static bool
has_room(const CapacityUse *room, const CapacityUse *use)
{
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
	{
		if (use->n[k] > 0 && room->n[k] < use->n[k])
			return false;
	}
	return true;
}

/* Whether a slot is below nothing, of what is wanted: the others must make up for it first. */
static bool
in_debt(const CapacityDay *d, const CapacityUse *use)
{
	for (int i = 0; i < d->n; i++)
	{
		for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		{
			if (use->n[k] > 0 && d->slots[i].room.n[k] < 0)
				return true;
		}
	}
	return false;
}

/* Give a part of a locked slot's room to a new one: there are orders that meet. */
static void
divide(CapacityDay *d, CapacitySlot *s, const CapacityUse *use)
{
	CapacitySlot further = {.slot = further_slot(d)};

	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
	{
		if (use->n[k] > 0 && s->room.n[k] / WORTH_SPREADING < use->n[k])
			return;
		further.room.n[k] = Max(s->room.n[k], 0) / 4;
	}
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		s->room.n[k] -= further.room.n[k];
	insert_slot(d, &further);
}

/* Take from a slot that has enough; *any tells whether there is one, somebody's or not. */
static bool
take_from_one(CapacityDay *d, const CapacityUse *use, bool met, bool *any)
{
	int			first = d->n > 0 ? (int) ((uint32) MyProcPid % (uint32) d->n) : 0;

	*any = false;
	for (int i = 0; i < d->n; i++)
	{
		CapacitySlot *s = &d->slots[(first + i) % d->n];

		if (!has_room(&s->room, use))
			continue;
		*any = true;
		if (!lock_slot(d, s, false) || !has_room(&s->room, use))
			continue;
		count(s, use, 1);
		if (met && d->n < MOST_SLOTS)
			divide(d, s, use);
		write_slot(d, s);
		return true;
	}
	return false;
}

/*
 * Put what is in the locked slots into one of them, 0 if it is among them, and
 * remove the others.
 */
static CapacitySlot *
put_together(CapacityDay *d)
{
	CapacitySlot *into = NULL;

	for (int i = 0; i < d->n; i++)
	{
		CapacitySlot *s = &d->slots[i];

		if (!s->locked)
			continue;
		if (into == NULL)
		{
			into = s;
			continue;
		}
		for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		{
			into->used.n[k] += s->used.n[k];
			into->room.n[k] += s->room.n[k];
		}
		simple_heap_delete(d->rel, &s->tid);
	}
	return into;
}

/* Take from all the slots that can be had, if they have enough together. */
static bool
gather(CapacityDay *d, const CapacityUse *use)
{
	CapacityUse sum = {{0}};
	CapacitySlot *into;

	for (int i = 0; i < d->n; i++)
	{
		CapacitySlot *s = &d->slots[i];
		bool		locked = lock_slot(d, s, false);

		for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
			sum.n[k] += locked ? s->room.n[k] : Min(s->room.n[k], 0);
	}
	if (!has_room(&sum, use))
		return false;
	into = put_together(d);
	count(into, use, 1);
	write_slot(d, into);
	return true;
}

/* The limits of a node's day as the table has them now. */
static void
read_limits(int32 tenant_id, const char *node, DateADT day, CapacityUse *limit)
{
	Datum		args[3];

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(node);
	args[2] = DateADTGetDatum(day);
	(void) engine_exec(&plan_limits, args, NULL, ENGINE_FRESH);
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
	{
		bool		isnull;
		Datum		quantity = spi_datum(k, 1, &isnull);

		limit->n[k] = isnull ? CAPACITY_NO_LIMIT : DatumGetInt64(quantity);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Make slot 0 of a day, unless somebody does or changes limits: then false, to look again. */
static bool
make_first(CapacityDay *d)
{
	LOCKTAG		tag;
	CapacitySlot first = {.slot = 0};

	tag_of(&tag, d->tenant_id, d->node, d->day, FIRST_LOCK);
	if (!capacity_lock_node(d->tenant_id, d->node, ShareLock, false) ||
		LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	capacity_read(d);
	if (d->n > 0 && d->slots[0].slot == 0)
		return true;
	read_limits(d->tenant_id, d->node, d->day, &first.room);
	insert_slot(d, &first);
	capacity_read(d);
	return true;
}

/*
 * Take from a day, to whose limits no component may then be above; components
 * may be negative.  False, and nothing taken, if there is not enough, or
 * others have it and do not end.
 */
bool
capacity_take(int32 tenant_id, const char *node, DateADT day, TimestampTz clock, const CapacityUse *use)
{
	CapacityDay d;
	LOCKTAG		tag;
	int			tries = took_by != routing_my_lxid ? TRIES : vain_waits < VAIN_WAITS ? LATER_TRIES : 2;
	int			tried;
	bool		done = false;
	bool		alone = false;
	bool		swept = false;

	capacity_open(&d, tenant_id, node, day, true);
	tag_of(&tag, tenant_id, node, day, GATHER_LOCK);
	note_taken();
	for (tried = 0; tried < tries; tried++)
	{
		capacity_read(&d);
		if ((d.n > 0 && d.slots[0].slot == 0) || make_first(&d))
		{
			CapacityUse room = capacity_sum(&d, true);
			bool		debt = in_debt(&d, use);
			bool		any = false;

			if (!debt && take_from_one(&d, use, tried > 0, &any))
				done = true;
			else if (!has_room(&room, use))
			{
				if (swept)
					break;
				capacity_expire(tenant_id, node, day, clock);
				swept = true;
				continue;
			}
			else if (debt || !any)
			{
				alone = alone || LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
				done = alone && gather(&d, use);
			}
		}
		if (done || tries == 2)
			break;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	if (alone)
		(void) LockRelease(&tag, ExclusiveLock, false);
	capacity_close(&d);
	if (tried == tries)
		vain_waits++;
	return done;
}

/* ------------------------------------------------------------------------
 * Giving back
 * ------------------------------------------------------------------------ */

static List *freed = NIL;
static LocalTransactionId freed_by = InvalidLocalTransactionId;

/*
 * What was given back in this transaction and not asked for yet: who waits for
 * it is to be found by the caller.  What a subtransaction gave that failed is
 * among it.
 */
List *
capacity_freed(void)
{
	List	   *result = freed_by == routing_my_lxid ? freed : NIL;

	freed = NIL;
	return result;
}

static void
note_freed(int32 tenant_id, const char *node, DateADT day, const CapacityUse *use)
{
	MemoryContext old;
	ListCell   *cell;
	FreedDay   *f;

	if (use->n[CAPACITY_ORDERS] <= 0 && use->n[CAPACITY_LINES] <= 0 && use->n[CAPACITY_UNITS] <= 0)
		return;
	if (freed_by != routing_my_lxid)
		freed = NIL;			/* of a transaction that is over */
	foreach(cell, freed)
	{
		f = lfirst(cell);
		if (f->tenant_id == tenant_id && f->day == day && strcmp(f->node, node) == 0)
			return;
	}
	old = MemoryContextSwitchTo(TopTransactionContext);
	f = palloc(sizeof(FreedDay));
	f->tenant_id = tenant_id;
	f->node = pstrdup(node);
	f->day = day;
	freed = lappend(freed, f);
	freed_by = routing_my_lxid;
	MemoryContextSwitchTo(old);
}

/* Give back to a day what was taken; a negative use is taken whatever room there is. */
void
capacity_give(int32 tenant_id, const char *node, DateADT day, const CapacityUse *use)
{
	CapacityDay d;
	CapacitySlot *s = NULL;
	int			first;

	note_freed(tenant_id, node, day, use);
	capacity_open(&d, tenant_id, node, day, true);
	capacity_read(&d);
	first = d.n > 0 ? (int) ((uint32) MyProcPid % (uint32) d.n) : 0;
	for (int i = 0; i < d.n && s == NULL; i++)
	{
		s = &d.slots[(first + i) % d.n];
		if (!lock_slot(&d, s, false))
			s = NULL;
	}
	if (s != NULL)
	{
		count(s, use, -1);
		write_slot(&d, s);
	}
	else if (capacity_limited(tenant_id, node))
	{
		CapacitySlot further = {.slot = further_slot(&d)};

		count(&further, use, -1);
		insert_slot(&d, &further);
	}
	capacity_close(&d);
	note_taken();
}

/*
 * The room of a day anew from the limits; the node's lock is had.  Waits for
 * whoever has taken of it and not ended yet.  Slots that are made meanwhile
 * hold what others had, or nothing in all.
 */
void
capacity_renew_day(CapacityDay *d)
{
	CapacityUse limit;
	CapacitySlot *into;
	int			n = -1;

	capacity_read(d);
	while (n != d->n)
	{
		n = d->n;
		for (int i = 0; i < d->n; i++)
			(void) lock_slot(d, &d->slots[i], true);
		capacity_read(d);
	}
	for (int i = 0; i < d->n; i++)
		(void) lock_slot(d, &d->slots[i], true);
	into = put_together(d);
	if (into == NULL)
		return;
	read_limits(d->tenant_id, d->node, d->day, &limit);
	for (int k = 0; k < NUM_CAPACITY_KINDS; k++)
		into->room.n[k] = limit.n[k] - into->used.n[k];
	write_slot(d, into);
}
