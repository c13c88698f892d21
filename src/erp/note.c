/*
 * note.c
 *		Noting which keys a changed row of an ERP table touches.
 *
 * note_change() is called from the WHEN condition of our constraint triggers,
 * row by row, as whoever changes the row.  It runs nobody's SQL and only reads
 * the row by column names, so a rename or a dropped column does not make the
 * ERP's statement fail: if a key column is gone, the whole binding is noted.
 */
#include "erp/binding.h"
#include "erp/settle.h"

#include "base/notes.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(routing_note_change);

typedef struct Row
{
	TupleDesc	desc;
	HeapTupleData tuple;
} Row;

static void
open_row(Row *row, HeapTupleHeader header)
{
	row->desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
									   HeapTupleHeaderGetTypMod(header));
	row->tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&row->tuple.t_self);
	row->tuple.t_tableOid = InvalidOid;
	row->tuple.t_data = header;
}

/* Number of a column, or 0. */
static int
column(const Row *row, const char *name)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row->desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return i + 1;
	}
	return 0;
}

/*
 * Whether the row is of a table with a trigger of ours.  Anybody may call
 * note_change() with a row of his own making, and only an owner can have such
 * a trigger; asked before a row that lacks the key makes all keys unknown.
 */
static bool
is_watched(const Row *row)
{
	Oid			relid = get_typ_typrelid(row->desc->tdtypeid);
	Relation	rel = OidIsValid(relid) ? try_relation_open(relid, AccessShareLock) : NULL;
	bool		found = false;

	if (rel == NULL)
		return false;
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers && !found; i++)
	{
		Oid			function = rel->trigdesc->triggers[i].tgfoid;
		char	   *name = get_func_name(function);

		found = name != NULL && strcmp(name, "settle") == 0 &&
			get_func_namespace(function) == get_namespace_oid("routing", true);
	}
	relation_close(rel, AccessShareLock);
	return found;
}

static void
note_key(const Binding *binding, const Watch *watch, Row *row)
{
	NoteKind	kind = concept_note(watch->concept);
	char	   *parts[MAX_KEYS];

	for (int i = 0; i < watch->nkeys; i++)
	{
		int			attno = column(row, watch->keys[i]);

		if (attno == 0)
		{
			if (is_watched(row))
				notes_add(NOTE_BOUND_ALL, binding->tenant_id, binding->name, UNKNOWN_KEYS);
			return;
		}
		parts[i] = SPI_getvalue(&row->tuple, row->desc, attno);
		if (parts[i] == NULL)
			return;				/* a row without a key belongs to nothing */
	}
	notes_add(kind, binding->tenant_id, binding->name, key_join(parts, watch->nkeys));
}

/* Whether an update changed a column that matters. */
static bool
matters(const Watch *watch, Row *old_row, Row *new_row)
{
	if (watch->ncolumns < 0)
		return true;
	/* two versions of a row have one type, but anybody may call note_change() */
	if (old_row->desc->tdtypeid != new_row->desc->tdtypeid ||
		old_row->desc->tdtypmod != new_row->desc->tdtypmod)
		return true;
	for (int i = 0; i < watch->ncolumns + watch->nkeys; i++)
	{
		const char *name = i < watch->ncolumns ? watch->columns[i] : watch->keys[i - watch->ncolumns];
		int			attno = column(new_row, name);
		Form_pg_attribute att;
		Datum		x,
					y;
		bool		null_x,
					null_y;

		if (attno == 0 || attno > old_row->desc->natts)
			return true;
		att = TupleDescAttr(new_row->desc, attno - 1);
		x = heap_getattr(&old_row->tuple, attno, old_row->desc, &null_x);
		y = heap_getattr(&new_row->tuple, attno, new_row->desc, &null_y);
		if (null_x != null_y ||
			(!null_x && !datum_image_eq(x, y, att->attbyval, att->attlen)))
			return true;
	}
	return false;
}

/* Note the keys; true if a settlement is to be queued. */
Datum
routing_note_change(PG_FUNCTION_ARGS)
{
	Binding    *binding;
	Watch	   *watch = NULL;
	Row			old_row,
				new_row;
	bool		has_new = !PG_ARGISNULL(3);
	bool		has_old = !PG_ARGISNULL(4);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_BOOL(false);
	binding = binding_find(PG_GETARG_INT32(0), text_to_cstring(PG_GETARG_TEXT_PP(1)));
	for (int i = 0; binding != NULL && i < binding->nwatches; i++)
	{
		if (binding->watches[i].watch_no == PG_GETARG_INT32(2))
			watch = &binding->watches[i];
	}
	if (watch == NULL)
		PG_RETURN_BOOL(false);	/* unbound, and the trigger was left behind */

	if (has_new)
		open_row(&new_row, PG_GETARG_HEAPTUPLEHEADER(3));
	if (has_old)
		open_row(&old_row, PG_GETARG_HEAPTUPLEHEADER(4));
	if (!has_new || !has_old || matters(watch, &old_row, &new_row))
	{
		if (has_new)
			note_key(binding, watch, &new_row);
		if (has_old)
			note_key(binding, watch, &old_row);
	}
	if (has_new)
		ReleaseTupleDesc(new_row.desc);
	if (has_old)
		ReleaseTupleDesc(old_row.desc);
	PG_RETURN_BOOL(notes_arm());
}
