/*
 * store.h
 *		Reading and writing rows of our own tables without going through SPI.
 */
#ifndef ROUTING_BASE_STORE_H
#define ROUTING_BASE_STORE_H

#include "base/cache.h"
#include "base/scan.h"

#include "access/tableam.h"
#include "nodes/execnodes.h"
#include "utils/date.h"

/* columns that a piece of code uses, found by name, once per table version */
typedef struct ColumnMap
{
	EngineTable table;
	int			n;
	const char *const *names;
	uint64		generation;
	AttrNumber	attnos[32];
} ColumnMap;

#define STORE_ROWS	8			/* inserted together */

typedef struct Store
{
	Relation	rel;
	bool		opened;			/* the indexes are open, as one of these: */
	int			nplain;
	Relation   *plain;			/* all are B-trees of columns, or */
	EState	   *estate;			/* the executor is to do it */
	ResultRelInfo *result;
	bool		known;			/* table is set */
	EngineTable table;
	TupleTableSlot *slot;
	Datum	   *values;			/* of the row to be written */
	bool	   *nulls;
	int			nrows;			/* added and not inserted yet */
	TupleTableSlot *rows[STORE_ROWS];
	Datum	   *row_values[STORE_ROWS];
	bool	   *row_nulls[STORE_ROWS];
} Store;

extern void columns_resolve(ColumnMap *map, TupleDesc desc);
extern Datum slot_datum(TupleTableSlot *slot, const ColumnMap *map, int c, bool *isnull);
extern char *slot_text(TupleTableSlot *slot, const ColumnMap *map, int c);
extern bool slot_date(TupleTableSlot *slot, const ColumnMap *map, int c, DateADT *value);
extern int64 slot_scaled(TupleTableSlot *slot, const ColumnMap *map, int c);
extern bool keyscan_find(KeyScan *ks, EngineTable table, ColumnMap *map, int32 tenant_id,
						 const char *code, Snapshot snapshot);
extern bool store_is_plain(Relation rel);
extern Store *store_open(EngineTable table);
extern Store *store_open_relid(Oid relid);
extern Store *store_of(Relation rel);
extern void store_add(Store *store);
extern void store_insert(Store *store);
extern TM_Result store_try_update(Store *store, ItemPointer tid, Snapshot snapshot);
extern void store_update(Store *store, ItemPointer tid, Snapshot snapshot);
extern void store_close(Store *store);

#endif							/* ROUTING_BASE_STORE_H */
