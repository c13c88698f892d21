/*
 * row.c
 *		From a row of routing.position to a Position and back.
 *
 * The table is the engine's own, so its columns are known by number.
 */
#include "ledger/allotment.h"

#include "ledger/columns.h"
#include "ledger/lots.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/typcache.h"

StaticAssertDecl((int) POS_NODE == POSITION_NODE_ATTNO, "the node's column");

static void
decode_longs(TupleTableSlot *slot, int attno, int group, Longs *longs)
{
	ArrayType  *array;

	memset(longs, 0, sizeof(*longs));
	if (slot->tts_isnull[attno - 1])
		return;
	array = DatumGetArrayTypeP(slot->tts_values[attno - 1]);
	if (ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT8OID)
		return;					/* not ours: verify() tells */
	longs->n = longs->capacity = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) / group * group;
	longs->v = palloc(sizeof(int64) * Max(longs->n, 1));
	memcpy(longs->v, ARR_DATA_PTR(array), sizeof(int64) * longs->n);
}

static void
form_longs(const Longs *longs, Datum *value, bool *isnull)
{
	Datum	   *elems;

	*isnull = longs->n == 0;
	if (*isnull)
		return;
	elems = palloc(sizeof(Datum) * longs->n);
	for (int i = 0; i < longs->n; i++)
		elems[i] = Int64GetDatum(longs->v[i]);
	*value = PointerGetDatum(construct_array(elems, longs->n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Append a group of values. */
void
longs_add(Longs *longs, int n, const int64 *values)
{
	if (longs->n + n > longs->capacity)
	{
		longs->capacity = (longs->n + n) * 2;
		longs->v = longs->v == NULL ? palloc(sizeof(int64) * longs->capacity) :
			repalloc(longs->v, sizeof(int64) * longs->capacity);
	}
	memcpy(longs->v + longs->n, values, sizeof(int64) * n);
	longs->n += n;
}

/* Take out the group of n values at an index. */
void
longs_remove(Longs *longs, int at, int n)
{
	memmove(longs->v + at, longs->v + at + n, sizeof(int64) * (longs->n - at - n));
	longs->n -= n;
}

/* To be called when one of the rare columns got its first or lost its last value. */
void
position_set_special(Position *pos)
{
	pos->special = pos->lots.n > 0 || pos->holds.n > 0 || pos->quotas.n > 0 ||
		pos->claims.n > 0 || pos->lead_time >= 0;
	pos->steps_valid = false;
}

/* Everything but the key and the locks, into the current memory context. */
void
position_decode(Position *pos, TupleTableSlot *slot)
{
	slot_getallattrs(slot);
	pos->exists = true;
	/* the key, but for who decodes a row that was in no ledger */
	pos->key.tenant_id = DatumGetInt32(slot->tts_values[POS_TENANT_ID - 1]);
	pos->tid = slot->tts_tid;
	timeline_from_array(&pos->timeline,
						DatumGetArrayTypeP(slot->tts_values[POS_TIMELINE - 1]));
	pos->safety_stock = DatumGetInt64(slot->tts_values[POS_SAFETY_STOCK - 1]);
	pos->enabled = DatumGetBool(slot->tts_values[POS_ENABLED - 1]);
	pos->event_version = DatumGetInt64(slot->tts_values[POS_EVENT_VERSION - 1]);
	pos->slot = DatumGetInt32(slot->tts_values[POS_SLOT - 1]);
	pos->slots = DatumGetInt32(slot->tts_values[POS_SLOTS - 1]);
	pos->slots_at = slot->tts_isnull[POS_SLOTS_AT - 1] ? 0 :
		DatumGetTimestampTz(slot->tts_values[POS_SLOTS_AT - 1]);
	decode_longs(slot, POS_ESCROW, 2, &pos->escrow);
	pos->merged = false;
	pos->lead_time = slot->tts_isnull[POS_LEAD_TIME - 1] ? -1 :
		DatumGetInt32(slot->tts_values[POS_LEAD_TIME - 1]);
	decode_longs(slot, POS_LOTS, LOT_LONGS, &pos->lots);
	pos->pins = NULL;
	decode_longs(slot, POS_HOLDS, 4, &pos->holds);
	decode_longs(slot, POS_QUOTAS, QUOTA_LONGS, &pos->quotas);
	decode_longs(slot, POS_CLAIMS, CLAIM_LONGS, &pos->claims);
	decode_longs(slot, POS_FALLS, 2, &pos->falls);
	pos->band = slot->tts_isnull[POS_BAND - 1] ? 0 : DatumGetInt32(slot->tts_values[POS_BAND - 1]);
	pos->nallotted = 0;
	pos->allotted = NULL;
	if (!slot->tts_isnull[POS_ALLOTTED - 1])
	{
		Datum	   *elems;

		deconstruct_array(DatumGetArrayTypeP(slot->tts_values[POS_ALLOTTED - 1]), TEXTOID, -1, false,
						  TYPALIGN_INT, &elems, NULL, &pos->nallotted);
		pos->allotted = palloc(sizeof(char *) * Max(pos->nallotted, 1));
		for (int i = 0; i < pos->nallotted; i++)
			pos->allotted[i] = TextDatumGetCString(elems[i]);
	}
	if (pos->quotas.n != pos->nallotted * QUOTA_LONGS)
		pos->quotas.n = pos->nallotted = 0; /* not ours: verify() tells */
	position_set_special(pos);
}

/*
 * Decode a row that a function is given: read from the table by a query, or
 * made up by whoever may call it, who need not be a member of its tenant.
 * False if it cannot be one of the table.
 */
bool
position_of_row(Position *pos, HeapTupleHeader row)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	HeapTupleData tuple = {0};
	bool		ours = true;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	ExecStoreHeapTuple(&tuple, slot, false);
	slot_getallattrs(slot);
	for (int attno = POS_TENANT_ID; attno <= POS_SLOTS; attno++)
		ours &= !slot->tts_isnull[attno - 1];
	if (ours)
	{
		position_decode(pos, slot);
		pos->key.item = TextDatumGetCString(slot->tts_values[POS_ITEM - 1]);
		pos->key.node = TextDatumGetCString(slot->tts_values[POS_NODE - 1]);
	}
	ExecDropSingleTupleTableSlot(slot);
	ReleaseTupleDesc(desc);
	return ours;
}

HeapTuple
position_form(const Position *pos, TupleDesc desc)
{
	Datum		values[POS_NATTS];
	bool		nulls[POS_NATTS] = {0};

	values[POS_TENANT_ID - 1] = Int32GetDatum(pos->key.tenant_id);
	values[POS_ITEM - 1] = CStringGetTextDatum(pos->key.item);
	values[POS_NODE - 1] = CStringGetTextDatum(pos->key.node);
	values[POS_TIMELINE - 1] = PointerGetDatum(timeline_to_array(&pos->timeline));
	values[POS_SAFETY_STOCK - 1] = Int64GetDatum(pos->safety_stock);
	values[POS_ENABLED - 1] = BoolGetDatum(pos->enabled);
	values[POS_EVENT_VERSION - 1] = Int64GetDatum(pos->event_version);
	values[POS_SLOT - 1] = Int32GetDatum(pos->slot);
	values[POS_SLOTS - 1] = Int32GetDatum(pos->slots);
	values[POS_SLOTS_AT - 1] = TimestampTzGetDatum(pos->slots_at);
	nulls[POS_SLOTS_AT - 1] = pos->slots_at == 0;
	form_longs(&pos->escrow, &values[POS_ESCROW - 1], &nulls[POS_ESCROW - 1]);
	values[POS_LEAD_TIME - 1] = Int32GetDatum(pos->lead_time);
	nulls[POS_LEAD_TIME - 1] = pos->lead_time < 0;
	form_longs(&pos->lots, &values[POS_LOTS - 1], &nulls[POS_LOTS - 1]);
	form_longs(&pos->holds, &values[POS_HOLDS - 1], &nulls[POS_HOLDS - 1]);
	form_longs(&pos->quotas, &values[POS_QUOTAS - 1], &nulls[POS_QUOTAS - 1]);
	form_longs(&pos->claims, &values[POS_CLAIMS - 1], &nulls[POS_CLAIMS - 1]);
	form_longs(&pos->falls, &values[POS_FALLS - 1], &nulls[POS_FALLS - 1]);
	values[POS_BAND - 1] = Int32GetDatum(pos->band);
	nulls[POS_ALLOTTED - 1] = pos->nallotted == 0;
	if (pos->nallotted > 0)
	{
		Datum	   *elems = palloc(sizeof(Datum) * pos->nallotted);

		for (int i = 0; i < pos->nallotted; i++)
			elems[i] = CStringGetTextDatum(pos->allotted[i]);
		values[POS_ALLOTTED - 1] = PointerGetDatum(construct_array(elems, pos->nallotted, TEXTOID, -1, false,
																   TYPALIGN_INT));
	}
	return heap_form_tuple(desc, values, nulls);
}
