/*
 * store.c
 *		Writing rows of our own tables without going through SPI.
 *
 * Rows of reservation and decision are written only by the engine, those of
 * orders and lines are updated by it once per routing.  Written directly they
 * cost a fifth of what a statement does.  Foreign triggers would not fire, so
 * tables that users may put triggers on are asked for with store_is_plain()
 * first, and written through SPI if they are not.  Unique and plain, partial
 * or expression indexes are all kept.
 */
#include "base/store.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/errors.h"
#include "base/quantity.h"

/* Find the columns of a map; cheap when nothing has changed. */
void
columns_resolve(ColumnMap *map, TupleDesc desc)
{
	uint64		generation = engine_generation(map->table);

	if (map->generation == generation)
		return;
	for (int i = 0; i < map->n; i++)
	{
		map->attnos[i] = 0;
		for (int a = 0; a < desc->natts && map->attnos[i] == 0; a++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, a);

			if (!att->attisdropped && strcmp(NameStr(att->attname), map->names[i]) == 0)
				map->attnos[i] = a + 1;
		}
		if (map->attnos[i] == 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("a table of the extension has lost its column \"%s\"", map->names[i]),
					 errhint("Restore the column as CREATE EXTENSION made it.")));
	}
	map->generation = generation;
}

/* Columns of a row that was read: all attributes must have been fetched. */
Datum
slot_datum(TupleTableSlot *slot, const ColumnMap *map, int c, bool *isnull)
{
	*isnull = slot->tts_isnull[map->attnos[c] - 1];
	return slot->tts_values[map->attnos[c] - 1];
}

/* A text, copied; NULL if null. */
char *
slot_text(TupleTableSlot *slot, const ColumnMap *map, int c)
{
	bool		isnull;
	Datum		d = slot_datum(slot, map, c, &isnull);

	return isnull ? NULL : TextDatumGetCString(d);
}

/* A date; false if null. */
bool
slot_date(TupleTableSlot *slot, const ColumnMap *map, int c, DateADT *value)
{
	bool		isnull;
	Datum		d = slot_datum(slot, map, c, &isnull);

	*value = isnull ? 0 : DatumGetDateADT(d);
	return !isnull;
}

/* A quantity or amount; 0 if null. */
int64
slot_scaled(TupleTableSlot *slot, const ColumnMap *map, int c)
{
	bool		isnull;
	Datum		d = slot_datum(slot, map, c, &isnull);

	return isnull ? 0 : scaled_from_datum(d);
}

/* Open a scan and go to the one row of (tenant, code); false if there is none. */
bool
keyscan_find(KeyScan *ks, EngineTable table, ColumnMap *map, int32 tenant_id, const char *code,
			 Snapshot snapshot)
{
	keyscan_open(ks, engine_relid(table), AccessShareLock, snapshot);
	if (map != NULL)
		columns_resolve(map, RelationGetDescr(ks->rel));
	keyscan_start(ks, tenant_id, CStringGetTextDatum(code), 0);
	if (!keyscan_next(ks))
		return false;
	slot_getallattrs(ks->slot);
	return true;
}

/*
 * Whether a row may be updated directly: an ordinary heap table that has no
 * triggers but ours, no rules, and no CHECK constraint or generated column.
 */
bool
store_is_plain(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		rel->rd_rules != NULL)
		return false;
	if (constr != NULL && (constr->num_check > 0 || constr->has_generated_stored))
		return false;
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const char *name = triggers->triggers[i].tgname;

		if (strcmp(name, "note_order") != 0 && strcmp(name, "settle") != 0 &&
			strcmp(name, "note_truncate") != 0)
			return false;
	}
	return true;
}

Store *
store_open(EngineTable table)
{
	Store	   *store = store_open_relid(engine_relid(table));

	store->known = true;
	store->table = table;
	return store;
}

/* Open a table for writing, in the current memory context. */
Store *
store_open_relid(Oid relid)
{
	return store_of(table_open(relid, RowExclusiveLock));
}

/* The same of a table that is open, and locked for it; store_close() closes it. */
Store *
store_of(Relation rel)
{
	Store	   *store = palloc0(sizeof(Store));
	int			natts = RelationGetDescr(rel)->natts;

	store->rel = rel;
	store->values = palloc0(sizeof(Datum) * natts);
	store->nulls = palloc0(sizeof(bool) * natts);
	return store;
}

#define PREDICATES		8

/*
 * The predicates of partial indexes, made ready once per version of their
 * table: the executor does so for every statement.
 */
static void
prepare_predicates(Store *store)
{
	static struct Prepared
	{
		Oid			index;
		EngineTable table;
		uint64		generation;
		MemoryContext context;
		ExprState  *state;
	}			prepared[PREDICATES];
	uint64		generation = engine_generation(store->table);

	for (int i = 0; i < store->result->ri_NumIndices; i++)
	{
		IndexInfo  *info = store->result->ri_IndexRelationInfo[i];
		Oid			index = RelationGetRelid(store->result->ri_IndexRelationDescs[i]);
		struct Prepared *p = prepared;
		MemoryContext old;

		if (info->ii_Predicate == NIL)
			continue;
		while (p < prepared + PREDICATES && p->state != NULL && p->index != index &&
			   (p->table != store->table || p->generation == generation))
			p++;
		if (p == prepared + PREDICATES)
			return;				/* the executor does it for the rest */
		if (p->state == NULL || p->index != index || p->generation != generation)
		{
			p->state = NULL;
			if (p->context == NULL)
				p->context = AllocSetContextCreate(TopMemoryContext, "routing index predicate",
												   ALLOCSET_SMALL_SIZES);
			MemoryContextReset(p->context);
			old = MemoryContextSwitchTo(p->context);
			p->index = index;
			p->table = store->table;
			p->generation = generation;
			p->state = ExecInitQual((List *) expression_planner(copyObject((Expr *) info->ii_Predicate)), NULL);
			MemoryContextSwitchTo(old);
		}
		info->ii_PredicateState = p->state;
	}
}

/* Whether nothing but columns goes into an index, and is checked at once. */
static bool
index_is_plain(Relation index)
{
	Form_pg_index form = index->rd_index;

	return index->rd_rel->relam == BTREE_AM_OID && form->indisready && form->indimmediate &&
		!form->indisexclusion &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);
}

static void
close_plain_indexes(Store *store)
{
	for (int i = 0; i < store->nplain; i++)
		index_close(store->plain[i], RowExclusiveLock);
	store->nplain = 0;
}

/*
 * Open the indexes.  If all are plain, entries for new rows are made here
 * from the row's values: the executor would look at each index anew and take
 * the row apart again.  An update goes through the executor, which tells
 * indexes what has not changed.  Most updates need no index.
 */
static void
open_indexes(Store *store, bool update)
{
	List	   *indexes;
	ListCell   *lc;
	bool		plain = !update;

	if (store->opened && (store->result != NULL || plain))
		return;
	close_plain_indexes(store);
	store->opened = true;
	if (plain)
	{
		indexes = RelationGetIndexList(store->rel);
		store->plain = palloc(sizeof(Relation) * Max(list_length(indexes), 1));
		foreach(lc, indexes)
		{
			Relation	index = index_open(lfirst_oid(lc), RowExclusiveLock);

			store->plain[store->nplain++] = index;
			plain = index_is_plain(index);
			if (!plain)
				break;
		}
		list_free(indexes);
		if (plain)
			return;
		close_plain_indexes(store);
	}
	store->estate = CreateExecutorState();
	store->result = makeNode(ResultRelInfo);
	InitResultRelInfo(store->result, store->rel, 0, NULL, 0);
	ExecOpenIndices(store->result, false);
	if (store->known)
		prepare_predicates(store);
}

/* The entries of the rows that were inserted, index by index. */
static void
insert_plain_entries(Store *store)
{
	IndexInfo	unused = {.type = T_IndexInfo}; /* a B-tree asks for none */

	for (int k = 0; k < store->nplain; k++)
	{
		Relation	index = store->plain[k];
		Form_pg_index form = index->rd_index;

		for (int i = 0; i < store->nrows; i++)
		{
			Datum		values[INDEX_MAX_KEYS];
			bool		nulls[INDEX_MAX_KEYS];

			for (int a = 0; a < form->indnatts; a++)
			{
				values[a] = store->row_values[i][form->indkey.values[a] - 1];
				nulls[a] = store->row_nulls[i][form->indkey.values[a] - 1];
			}
			(void) index_insert(index, values, nulls, &store->rows[i]->tts_tid, store->rel,
								form->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, &unused);
		}
	}
}

static void
fill_slot(Store *store, TupleTableSlot *slot)
{
	int			natts = RelationGetDescr(store->rel)->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, store->values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, store->nulls, sizeof(bool) * natts);
	ExecStoreVirtualTuple(slot);
}

/*
 * Add the row that values and nulls hold to those to be inserted; what they
 * point to must stay until store_insert() or store_close().
 */
void
store_add(Store *store)
{
	int			natts = RelationGetDescr(store->rel)->natts;

	if (store->nrows == STORE_ROWS)
		store_insert(store);
	if (store->rows[store->nrows] == NULL)
	{
		store->rows[store->nrows] = table_slot_create(store->rel, NULL);
		store->row_values[store->nrows] = palloc((sizeof(Datum) + sizeof(bool)) * natts);
		store->row_nulls[store->nrows] = (bool *) (store->row_values[store->nrows] + natts);
	}
	fill_slot(store, store->rows[store->nrows]);
	memcpy(store->row_values[store->nrows], store->values, sizeof(Datum) * natts);
	memcpy(store->row_nulls[store->nrows], store->nulls, sizeof(bool) * natts);
	store->nrows++;
}

/* Insert the rows that were added, with one record in the log for those of a page. */
void
store_insert(Store *store)
{
	if (store->nrows == 1)
		table_tuple_insert(store->rel, store->rows[0], GetCurrentCommandId(true), 0, NULL);
	else if (store->nrows > 1)
		table_multi_insert(store->rel, store->rows, store->nrows, GetCurrentCommandId(true), 0, NULL);
	else
		return;
	open_indexes(store, false);
	if (store->result == NULL)
		insert_plain_entries(store);
	for (int i = 0; i < store->nrows; i++)
	{
		if (store->result != NULL)
		{
			if (store->result->ri_NumIndices > 0)
				(void) routing_insert_index_tuples(store->result, store->rows[i], store->estate, false, false);
			ResetPerTupleExprContext(store->estate);
		}
		ExecClearTuple(store->rows[i]);
	}
	store->nrows = 0;
}

/* Replace a row, if nobody has done so since it was read. */
TM_Result
store_try_update(Store *store, ItemPointer tid, Snapshot snapshot)
{
	TM_FailureData tmfd;
	LockTupleMode lockmode;
	RoutingUpdateIndexes update_indexes;
	TM_Result	result;

	if (store->slot == NULL)
		store->slot = table_slot_create(store->rel, NULL);
	fill_slot(store, store->slot);
	result = table_tuple_update(store->rel, tid, store->slot, GetCurrentCommandId(true),
								snapshot, InvalidSnapshot, true, &tmfd, &lockmode, &update_indexes);
	if (result == TM_Ok && routing_needs_indexes(update_indexes))
	{
		open_indexes(store, true);
		if (store->result->ri_NumIndices > 0)
			(void) routing_insert_index_tuples(store->result, store->slot, store->estate, true,
											   routing_only_summarizing(update_indexes));
		ResetPerTupleExprContext(store->estate);
	}
	return result;
}

/*
 * Replace a row.  The order's lock keeps other engine sessions away; somebody
 * who changed the row by himself meanwhile makes this a serialization failure.
 */
void
store_update(Store *store, ItemPointer tid, Snapshot snapshot)
{
	if (store_try_update(store, tid, snapshot) != TM_Ok)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("a row of table \"%s\" was changed by somebody else meanwhile",
						RelationGetRelationName(store->rel)),
				 errhint("The transaction might succeed if retried.")));
}

/*
 * Insert what was added and close.  The lock on the table stays until the end
 * of the transaction.
 */
void
store_close(Store *store)
{
	store_insert(store);
	close_plain_indexes(store);
	if (store->result != NULL)
	{
		ExecCloseIndices(store->result);
		FreeExecutorState(store->estate);
	}
	if (store->slot)
		ExecDropSingleTupleTableSlot(store->slot);
	for (int i = 0; i < STORE_ROWS && store->rows[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(store->rows[i]);
	table_close(store->rel, NoLock);
}
