/*
 * scan.c
 *		Direct index scans of our own tables by a prefix of their primary key
 *		(tenant_id int, text, text ...).
 *
 * A probe costs about a microsecond where SPI needs ten.  Used only for
 * tables whose primary key begins with tenant_id and two texts under "C"
 * collation, and which are ordinary local tables.
 */
#include "base/scan.h"

#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

/* A registered snapshot of what is committed now and of our own changes. */
Snapshot
fresh_snapshot(void)
{
	/* the rows of the command that queued the trigger count too, as in SPI */
	CommandCounterIncrement();
	return RegisterSnapshot(GetLatestSnapshot());
}

/*
 * What a scan is to see with a snapshot.  Under SERIALIZABLE, what is read
 * under a fresh snapshot is guarded by row locks; predicate locks on it would
 * only fail transactions that touch neighbouring rows.  SnapshotSelf, which sees
 * what is committed at the moment, takes none.  The caller keeps his snapshot
 * registered meanwhile; who finds no row may look again with it, since a row
 * that is being replaced can be missed.
 */
Snapshot
scan_snapshot(Snapshot snapshot)
{
	if (!IsolationIsSerializable() || (ActiveSnapshotSet() && snapshot == GetActiveSnapshot()))
		return snapshot;
	return SnapshotSelf;
}

/* The snapshot stays the caller's, who unregisters it after keyscan_close. */
void
keyscan_open(KeyScan *ks, Oid relid, LOCKMODE lockmode, Snapshot snapshot)
{
	Oid			pkey;

	ks->rel = table_open(relid, lockmode);
	pkey = routing_primary_key(ks->rel);
	if (!OidIsValid(pkey))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has lost its primary key",
						RelationGetRelationName(ks->rel)),
				 errhint("Restore the primary key as CREATE EXTENSION made it.")));
	ks->lockmode = lockmode;
	ks->index = index_open(pkey, lockmode);
	ks->slot = table_slot_create(ks->rel, NULL);
	ks->snapshot = scan_snapshot(snapshot);
	ks->scan = NULL;
	ks->index_only = false;
	ks->context = CurrentMemoryContext;
}

/* Let go of the pages; the scan can be started again. */
void
keyscan_stop(KeyScan *ks)
{
	if (ks->scan != NULL)
		index_endscan(ks->scan);
	ks->scan = NULL;
}

/* Start over with a key; a zero key3 scans all rows of (tenant, key2). */
void
keyscan_start(KeyScan *ks, int32 tenant_id, Datum key2, Datum key3)
{
	int			nkeys = key3 ? 3 : 2;
	MemoryContext old = MemoryContextSwitchTo(ks->context);

	ScanKeyInit(&ks->keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(tenant_id));
	ScanKeyInit(&ks->keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, key2);
	if (nkeys == 3)
		ScanKeyInit(&ks->keys[2], 3, BTEqualStrategyNumber, F_TEXTEQ, key3);
	if (ks->scan != NULL && ks->scan->numberOfKeys != nkeys)
		keyscan_stop(ks);
	if (ks->scan == NULL)
		ks->scan = routing_beginscan(ks->rel, ks->index, ks->snapshot, nkeys);
	ks->scan->xs_want_itup = ks->index_only;
	index_rescan(ks->scan, ks->keys, nkeys, NULL, 0);
	MemoryContextSwitchTo(old);
}

bool
keyscan_next(KeyScan *ks)
{
	MemoryContext old = MemoryContextSwitchTo(ks->context);
	bool		found = index_getnext_slot(ks->scan, ForwardScanDirection, ks->slot);

	MemoryContextSwitchTo(old);
	return found;
}

static void
close_scan(KeyScan *ks, LOCKMODE release)
{
	keyscan_stop(ks);
	ExecDropSingleTupleTableSlot(ks->slot);
	index_close(ks->index, ks->lockmode);
	table_close(ks->rel, release);
}

/*
 * The lock on the table stays until the end of the transaction.  That on the
 * index does not: a backend has 16 places for locks that need not go through
 * the shared lock table, and an order needs nearly all of them for tables.
 */
void
keyscan_close(KeyScan *ks)
{
	close_scan(ks, NoLock);
}

/* The same of reference data, which are read like a catalog: the lock on the table goes too. */
void
keyscan_release(KeyScan *ks)
{
	close_scan(ks, ks->lockmode);
}
