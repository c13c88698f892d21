/*
 * merge.c
 *		The rows of hot item-nodes, put together.
 *
 * A hot item-node has rows with slot > 0 beside its first one, with nothing
 * but a timeline; what it has and owes is the sum of all.  A scan of the
 * table meets them in any order.
 */
#include "ledger/merge.h"

#include "ledger/columns.h"

struct HotRows
{
	MemoryContext context;
	int			n;
	int			capacity;
	int			next;			/* where the next item-node begins; -1: not sorted yet */
	Position   *rows;
};

HotRows *
hot_rows_create(void)
{
	HotRows    *hot = palloc0(sizeof(HotRows));

	hot->context = CurrentMemoryContext;
	hot->next = -1;
	return hot;
}

/* Take in a row of an item-node that has slots. */
void
hot_rows_add(HotRows *hot, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(hot->context);
	Position   *row;

	if (hot->n == hot->capacity)
	{
		hot->capacity = hot->capacity == 0 ? 64 : hot->capacity * 2;
		hot->rows = hot->rows == NULL ? palloc(sizeof(Position) * hot->capacity) :
			repalloc_huge(hot->rows, sizeof(Position) * hot->capacity);
	}
	row = &hot->rows[hot->n++];
	memset(row, 0, sizeof(*row));
	position_decode(row, slot);
	row->key.tenant_id = DatumGetInt32(slot->tts_values[POS_TENANT_ID - 1]);
	row->key.item = TextDatumGetCString(slot->tts_values[POS_ITEM - 1]);
	row->key.node = TextDatumGetCString(slot->tts_values[POS_NODE - 1]);
	MemoryContextSwitchTo(old);
}

static int
compare_rows(const void *a, const void *b)
{
	const Position *p = a;
	const Position *q = b;
	int			c = position_compare(&p, &q);

	return c != 0 ? c : (p->slot > q->slot) - (p->slot < q->slot);
}

/* One item-node after the other, after all rows were added; NULL at the end. */
Position *
hot_rows_next(HotRows *hot)
{
	Position   *pos;
	const Position *row;

	if (hot->next < 0)
	{
		if (hot->n > 1)
			qsort(hot->rows, hot->n, sizeof(Position), compare_rows);
		hot->next = 0;
	}
	if (hot->next >= hot->n)
		return NULL;
	pos = &hot->rows[hot->next++];
	for (; hot->next < hot->n; hot->next++)
	{
		row = &hot->rows[hot->next];
		if (position_compare(&pos, &row) != 0)
			break;
		timeline_add_all(&pos->timeline, &row->timeline);
	}
	return pos;
}
