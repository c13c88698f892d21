/*
 * scan.h
 *		Direct index scans of our own tables by a prefix of their primary key.
 */
#ifndef ROUTING_BASE_SCAN_H
#define ROUTING_BASE_SCAN_H

#include "base/compat.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/table.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct KeyScan
{
	Relation	rel;
	Relation	index;
	LOCKMODE	lockmode;
	Snapshot	snapshot;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	bool		index_only;		/* the next start only wants index tuples */
	ScanKeyData keys[3];
	MemoryContext context;		/* where it was opened: the server keeps parts of a scan that it makes on the way */
} KeyScan;

extern void keyscan_open(KeyScan *ks, Oid relid, LOCKMODE lockmode, Snapshot snapshot);
extern void keyscan_start(KeyScan *ks, int32 tenant_id, Datum key2, Datum key3);
extern bool keyscan_next(KeyScan *ks);
extern void keyscan_stop(KeyScan *ks);
extern void keyscan_close(KeyScan *ks);
extern void keyscan_release(KeyScan *ks);
extern Snapshot fresh_snapshot(void);
extern Snapshot scan_snapshot(Snapshot snapshot);

#endif							/* ROUTING_BASE_SCAN_H */
