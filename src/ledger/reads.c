/*
 * reads.c
 *		The positions that a ledger has read, and how it finds them.
 *
 * Reading takes no locks.  A plan asks for every item at every node, mostly
 * where there is none of it, so that asking must cost next to nothing.
 */
#include "ledger/position.h"

#include "base/cache.h"
#include "ledger/withheld.h"

#include "access/itup.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "common/hashfn.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/*
 * The first question about an item asks the index which nodes have a position
 * of it, and where; only those asked for are then fetched.  Such a directory
 * is good for one snapshot.  An item at more nodes than it holds is probed
 * node by node.
 *
 * A directory may name a node too many, never one too few: the entry of a row
 * is in the index before the row can be visible to any snapshot that is taken
 * later, and stays for as long as a snapshot may see it.  So a node that is
 * not in it has no position under the ledger's snapshot, and offers nothing,
 * by a lead time neither, which is the position's.  That needs no lock, as
 * little as finding no row does: plans are made of what a snapshot shows, and
 * the first position of a node that is made meanwhile is like a receipt at a
 * position that was read and is not locked.
 */
#define DIRECTORY_SIZE			128

#define POSITIONS				8	/* allocated together */
#define ROOM					1024	/* bytes of codes allocated together */

typedef struct ItemKey
{
	int32		tenant_id;
	const char *item;
} ItemKey;

typedef struct ItemReads
{
	ItemKey		key;
	uint32		hash;
	char		status;
	bool		too_many;
	bool		has_directory;
	int			n;
	ItemPlace *entries;	/* by node; one node may have several */
} ItemReads;

/* FNV-1a: codes are short, and a plan asks for many. */
static uint32
hash_code(uint32 h, const char *code)
{
	for (; *code != '\0'; code++)
		h = (h ^ (unsigned char) *code) * 16777619;
	return h;
}

static uint32
item_hash(const ItemKey *key)
{
	return hash_code((uint32) key->tenant_id ^ 2166136261U, key->item);
}

static uint32
position_hash(uint32 item, const char *node)
{
	return murmurhash32(hash_code(item, node));
}

static bool
key_equal(const PositionKey *a, const PositionKey *b)
{
	return a->tenant_id == b->tenant_id && strcmp(a->node, b->node) == 0 && strcmp(a->item, b->item) == 0;
}

static bool
item_equal(const ItemKey *a, const ItemKey *b)
{
	return a->tenant_id == b->tenant_id && strcmp(a->item, b->item) == 0;
}

/* a place of a position, whose key is its first member */
typedef struct Place
{
	const PositionKey *key;
	uint32		hash;
	char		status;
} Place;

#define SH_PREFIX places
#define SH_ELEMENT_TYPE Place
#define SH_KEY_TYPE const PositionKey *
#define SH_KEY key
#define SH_HASH_KEY(tb, k) position_hash(hash_code((uint32) (k)->tenant_id ^ 2166136261U, (k)->item), (k)->node)
#define SH_EQUAL(tb, a, b) key_equal((a), (b))
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define SH_PREFIX items
#define SH_ELEMENT_TYPE ItemReads
#define SH_KEY_TYPE ItemKey
#define SH_KEY key
#define SH_HASH_KEY(tb, k) item_hash(&(k))
#define SH_EQUAL(tb, a, b) item_equal(&(a), &(b))
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"
/*
 * Open a ledger in the current memory context.  One that writes reads what is
 * committed now; one that only reads uses the caller's snapshot.
 */
Ledger *
ledger_open(bool writes)
{
	Ledger	   *ledger = palloc0(sizeof(Ledger));

	ledger->context = CurrentMemoryContext;
	ledger->writes = writes;
	ledger->snapshot = writes ? fresh_snapshot() : RegisterSnapshot(GetActiveSnapshot());
	keyscan_open(&ledger->scan, engine_relid(TAB_POSITION),
				 writes ? RowExclusiveLock : AccessShareLock, ledger->snapshot);
	if (writes)
		ledger->lock_slot = table_slot_create(ledger->scan.rel, NULL);
	/* who only reads may open one for every row of a query; a settlement's memory goes as a whole */
	ledger->own = writes ? ledger->context :
		AllocSetContextCreate(ledger->context, "routing positions", ALLOCSET_DEFAULT_SIZES);
	ledger->places = places_create(ledger->own, 48, NULL);
	ledger->items = items_create(ledger->own, 8, NULL);
	ledger->last = &ledger->first;
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
	if (ledger->own != ledger->context)
		MemoryContextDelete(ledger->own);
}

/* Look at what is committed now. */
void
ledger_refresh(Ledger *ledger)
{
	Snapshot	old = ledger->snapshot;
	KeyScan    *ks = &ledger->scan;
	items_iterator seq;
	ItemReads  *reads;

	/* directories are of the old snapshot */
	items_start_iterate(ledger->items, &seq);
	while ((reads = items_iterate(ledger->items, &seq)) != NULL)
		reads->has_directory = false;
	keyscan_stop(ks);
	ledger->snapshot = fresh_snapshot();
	ks->snapshot = scan_snapshot(ledger->snapshot);
	ledger->refreshed++;
	UnregisterSnapshot(old);
}

/* What a row says, for as long as the ledger stays. */
void
ledger_decode(Ledger *ledger, Position *pos, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(ledger->context);

	position_decode(pos, slot);
	pos->read_at = ledger->refreshed;
	MemoryContextSwitchTo(old);
}

/* Look for the row of a key: it is in the scan's slot. */
bool
ledger_probe(Ledger *ledger, const PositionKey *key)
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

/* A code that stays as long as what the ledger reads. */
static char *
keep_code(Ledger *ledger, const char *code, Size len)
{
	char	   *own;

	if (len + 1 > ROOM)
		own = MemoryContextAlloc(ledger->context, len + 1);
	else
	{
		if (len + 1 > ledger->room_left)
		{
			ledger->room = MemoryContextAlloc(ledger->context, ROOM);
			ledger->room_left = ROOM;
		}
		own = ledger->room;
		ledger->room += len + 1;
		ledger->room_left -= len + 1;
	}
	memcpy(own, code, len);
	own[len] = '\0';
	return own;
}

/* A position that nothing is known of yet; its item is kept already. */
static Position *
add_position(Ledger *ledger, const PositionKey *key, uint32 hash)
{
	Position   *pos;
	Place	   *place;
	bool		found;

	if (ledger->nfree == 0)
	{
		ledger->nfree = POSITIONS;
		ledger->free_positions = MemoryContextAlloc(ledger->own, sizeof(Position) * POSITIONS);
	}
	pos = &ledger->free_positions[--ledger->nfree];
	memset(pos, 0, sizeof(Position));
	pos->key.tenant_id = key->tenant_id;
	pos->key.item = key->item;
	pos->key.node = keep_code(ledger, key->node, strlen(key->node));
	pos->withheld = supply_withheld(key->tenant_id, key->item, key->node);
	place = places_insert_hash(ledger->places, &pos->key, hash, &found);
	Assert(!found);
	place->key = &pos->key;
	*ledger->last = pos;
	ledger->last = &pos->next;
	return pos;
}

static ItemReads *
item_reads(Ledger *ledger, ItemKey key, uint32 hash)
{
	ItemReads  *reads = items_lookup_hash(ledger->items, key, hash);
	bool		found;

	if (reads == NULL)
	{
		/* allocated by itself: who needs the positions' context asks the code for it */
		key.item = MemoryContextStrdup(ledger->context, key.item);
		reads = items_insert_hash(ledger->items, key, hash, &found);
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
		reads->entries = MemoryContextAlloc(ledger->context, sizeof(ItemPlace) * DIRECTORY_SIZE);
	reads->n = 0;
	ks->index_only = true;
	keyscan_start(ks, reads->key.tenant_id, CStringGetTextDatum(reads->key.item), 0);
	ks->index_only = false;
	while ((tid = index_getnext_tid(ks->scan, ForwardScanDirection)) != NULL)
	{
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];
		text	   *node;

		index_deform_tuple(ks->scan->xs_itup, RelationGetDescr(ks->index), values, nulls);
		/* the slots of a hot position are looked for where they are needed */
		if (DatumGetInt32(values[POSITION_SLOT_KEYNO - 1]) != 0)
			continue;
		if (reads->n == DIRECTORY_SIZE)
			break;
		node = DatumGetTextPP(values[POSITION_NODE_ATTNO - 1]);
		reads->entries[reads->n].node = keep_code(ledger, VARDATA_ANY(node), VARSIZE_ANY_EXHDR(node));
		reads->entries[reads->n++].tid = *tid;
	}
	reads->has_directory = tid == NULL;
	reads->too_many = !reads->has_directory;
	keyscan_stop(ks);
}

/* Index in the directory of the first entry of a node; if it has none, of one of another or the end. */
static int
find_in_directory(const ItemReads *reads, const char *node)
{
	int			low = 0,
				high = reads->n;

	while (low < high)
	{
		int			mid = (low + high) / 2;

		if (strcmp(reads->entries[mid].node, node) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*
 * Fetch the position of a node through the directory.  An entry may lead to a
 * dead row, or to one that took its place: then it is not visible.
 */
static bool
fetch_from_directory(Ledger *ledger, ItemReads *reads, Position *pos)
{
	KeyScan    *ks = &ledger->scan;
	int			low = find_in_directory(reads, pos->key.node);

	for (; low < reads->n && strcmp(reads->entries[low].node, pos->key.node) == 0; low++)
	{
		ItemPointerData tid = reads->entries[low].tid;
		bool		again = false;
		bool		all_dead;

		/* it lives as long as the ledger, not as the order that asks first */
		if (ledger->fetch == NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(ledger->context);

			ledger->fetch = table_index_fetch_begin(ks->rel);
			MemoryContextSwitchTo(old);
		}
		if (table_index_fetch_tuple(ledger->fetch, &tid, ks->snapshot, ks->slot, &again, &all_dead))
		{
			ledger_decode(ledger, pos, ks->slot);
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
	if (ledger_probe(ledger, &pos->key))
		ledger_decode(ledger, pos, ledger->scan.slot);
	ExecClearTuple(ledger->scan.slot);
}

/* Whether the directory says that there is no position. */
static bool
is_nowhere(Ledger *ledger, ItemReads *reads, const char *node)
{
	int			at;

	if (ledger->past != NULL)
		return false;			/* what has gone since then is in no index */
	if (!reads->has_directory && !reads->too_many)
		read_directory(ledger, reads);
	if (!reads->has_directory)
		return false;
	at = find_in_directory(reads, node);
	return at == reads->n || strcmp(reads->entries[at].node, node) != 0;
}

static Position *
get_position(Ledger *ledger, int32 tenant_id, const char *item, const char *node, bool any)
{
	PositionKey key = {tenant_id, item, node};
	ItemKey		item_key = {tenant_id, item};
	uint32		hash_item = item_hash(&item_key);
	uint32		hash = position_hash(hash_item, node);
	Place	   *place = places_lookup_hash(ledger->places, &key, hash);
	ItemReads  *reads;
	Position   *pos;

	if (place != NULL)
	{
		pos = (Position *) place->key;
		if (pos->stale)
		{
			pos->stale = false;
			read_position(ledger, item_reads(ledger, item_key, hash_item), pos);
		}
		if (ledger->past != NULL)
			ledger->bring(ledger, pos, false);
		return pos;
	}

	reads = item_reads(ledger, item_key, hash_item);
	if (!any && is_nowhere(ledger, reads, node))
		return NULL;
	key.item = reads->key.item;
	pos = add_position(ledger, &key, hash);
	read_position(ledger, reads, pos);
	if (ledger->past != NULL)
		ledger->bring(ledger, pos, true);
	else if (!ledger->writes)
		slots_merge(ledger, pos);
	return pos;
}

/*
 * The position of an item-node, read without a lock the first time it is
 * asked for.  One without a row has exists = false and offers nothing.
 */
Position *
ledger_get(Ledger *ledger, int32 tenant_id, const char *item, const char *node)
{
	return get_position(ledger, tenant_id, item, node, true);
}

/* The same for who only asks what there is: NULL if it is known to have no row. */
Position *
ledger_get_if_any(Ledger *ledger, int32 tenant_id, const char *item, const char *node)
{
	return get_position(ledger, tenant_id, item, node, false);
}

/*
 * The nodes that may have a position of the item, by code; no other has one.
 * False if that is not known: they are too many, or it is about the past.
 * Good until the ledger is refreshed.
 */
bool
ledger_places_of(Ledger *ledger, int32 tenant_id, const char *item, int *n, const ItemPlace **places)
{
	ItemKey		key = {tenant_id, item};
	ItemReads  *reads;

	if (ledger->past != NULL)
		return false;
	reads = item_reads(ledger, key, item_hash(&key));
	if (!reads->has_directory && !reads->too_many)
		read_directory(ledger, reads);
	*n = reads->n;
	*places = reads->entries;
	return reads->has_directory;
}
