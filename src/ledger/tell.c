/*
 * tell.c
 *		The events of stock: on hand that changed, dated supply that changed,
 *		availability that crossed a line.
 *
 * The stream of an item-node is versioned in its position, which is locked.
 *
 * Why stock on hand changed is known where the change is made, by the calls
 * that record movements and by goods issues, and is kept with the position
 * until the settlement tells of it.  What a row of dated supply said before is
 * kept from its first change in the transaction; a row that is restored comes
 * with "posted" and is not noted.
 */
#include "ledger/tell.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/offer.h"
#include "ledger/reference.h"
#include "network/network.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define SEPARATOR	'\x1f'

/* of routing.position.band */
enum
{
	BAND_OUT,					/* nothing can be promised today */
	BAND_LOW,					/* less than the safety stock */
	BAND_IN
};

static const char *const band_names[] = {"out", "low", "in"};

/* dated supply of a transaction that was changed and not told of */
typedef struct DatedChange
{
	struct DatedChange *next;
	int32		tenant_id;
	char	   *item;
	char	   *node;
	char	   *ref;
	char	   *lot;
	bool		original;		/* the row was there before the transaction */
	bool		was_there;		/* and was dated */
	int64		quantity;
	DateADT		day;
} DatedChange;

static DatedChange *dated = NULL;	/* the last one first; in TopTransactionContext */
static LocalTransactionId dated_by = InvalidLocalTransactionId;

static EnginePlan plan_dated = {
	"SELECT s.quantity, s.available_on, s.xmin FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY u (tenant_id, item, node, ref, lot, n)"
	" LEFT JOIN routing.supply s ON s.tenant_id = u.tenant_id AND s.item = u.item AND s.node = u.node"
	"  AND s.ref = u.ref AND s.lot = u.lot AND s.available_on > '-infinity' ORDER BY u.n",
	5, {INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

/* "item@node"; an "@" or "\" within a code is marked, so that no two are alike. */
static char *
stock_id(const char *item, const char *node)
{
	StringInfoData id;

	if (strpbrk(item, "@\\") == NULL && strpbrk(node, "@\\") == NULL)
		return psprintf("%s@%s", item, node);
	initStringInfo(&id);
	for (const char *code = item; code != NULL; code = code == item ? node : NULL)
	{
		if (code == node)
			appendStringInfoChar(&id, '@');
		for (const char *p = code; *p; p++)
		{
			if (*p == '@' || *p == '\\')
				appendStringInfoChar(&id, '\\');
			appendStringInfoChar(&id, *p);
		}
	}
	return id.data;
}

static void
begin(JsonWriter *w, const Position *pos)
{
	memset(w, 0, sizeof(*w));
	json_begin_object(w);
	json_key_text(w, "item", pos->key.item);
	json_key_text(w, "node", pos->key.node);
	json_key_text(w, "uom", item_uom(pos->key.tenant_id, pos->key.item));
}

static void
tell(EventBatch *events, Position *pos, const char *type, TimestampTz clock, JsonWriter *w)
{
	json_end_object(w);
	pos->event_version++;
	pos->dirty = true;
	event_add(events, pos->key.tenant_id, "inventory", stock_id(pos->key.item, pos->key.node),
			  pos->event_version, type, clock, NULL, json_result(w));
}

/* ------------------------------------------------------------------------
 * Stock on hand
 * ------------------------------------------------------------------------ */

/* Stock on hand of a position changes, or has changed, for this reason. */
void
position_moved(Position *pos, const char *reason, const char *reference)
{
	if (pos->moved_for == NULL)
	{
		pos->moved_for = reason;
		pos->moved_by = reference;
		return;
	}
	pos->moved_twice |= strcmp(pos->moved_for, reason) != 0;
	pos->moved_by = NULL;
}

/* Why, as calls say it; what else they say is a correction. */
static const char *
known_reason(const char *text)
{
	static const char *const known[] = {MOVED_RECEIPT, MOVED_COUNT, MOVED_DAMAGE, MOVED_SALE, MOVED_TRANSFER};

	for (int i = 0; i < (int) lengthof(known); i++)
	{
		if (strcmp(text, known[i]) == 0)
			return known[i];
	}
	return MOVED_CORRECTION;
}

/* A movement that was noted: a = item, b = reason, node and reference. */
void
ledger_take_movement(Ledger *ledger, const Note *note)
{
	char	   *reason = pstrdup(note->b);
	char	   *node = strchr(reason, SEPARATOR) + 1;
	char	   *reference = strchr(node, SEPARATOR) + 1;

	node[-1] = reference[-1] = '\0';
	/* a count need not have one */
	position_moved(ledger_get(ledger, note->tenant_id, note->a, node), known_reason(reason),
				   reference[0] != '\0' ? reference : NULL);
}

static void
write_stock(JsonWriter *w, const char *key, int64 on_hand, int64 promised, int64 atp)
{
	json_key(w, key);
	json_begin_object(w);
	json_key_scaled(w, "on_hand", on_hand);
	json_key_scaled(w, "reserved", promised);
	json_key_scaled(w, "available", atp);
	json_end_object(w);
}

static void
tell_adjusted(EventBatch *events, const StockChange *c, TimestampTz clock)
{
	JsonWriter	w;

	begin(&w, c->pos);
	json_key_scaled(&w, "delta", scaled_sub(c->on_hand_after, c->on_hand_before));
	write_stock(&w, "before", c->on_hand_before, c->promised_before, c->atp_before);
	write_stock(&w, "after", c->on_hand_after, c->promised_after, c->atp_after);
	json_key_text(&w, "reason", c->pos->moved_for == NULL || c->pos->moved_twice ? MOVED_CORRECTION :
				  c->pos->moved_for);
	json_key_text(&w, "ref", c->pos->moved_by);
	tell(events, c->pos, "inventory.adjusted.v1", clock, &w);
}

/* ------------------------------------------------------------------------
 * Dated supply
 * ------------------------------------------------------------------------ */

static char *
keep_text(HeapTuple tup, TupleDesc desc, const char *column)
{
	char	   *text = SPI_getvalue(tup, desc, SPI_fnumber(desc, column));

	return MemoryContextStrdup(TopTransactionContext, text ? text : "");
}

static void
add_dated(int32 tenant_id, HeapTuple row, TupleDesc desc, bool original)
{
	DatedChange *d;
	bool		isnull;

	if (dated_by != routing_my_lxid)
		dated = NULL;
	dated_by = routing_my_lxid;
	d = MemoryContextAllocZero(TopTransactionContext, sizeof(DatedChange));
	d->tenant_id = tenant_id;
	d->item = keep_text(row, desc, "item");
	d->node = keep_text(row, desc, "node");
	d->ref = keep_text(row, desc, "ref");
	d->lot = keep_text(row, desc, "lot");
	d->original = original;
	d->day = DatumGetDateADT(SPI_getbinval(row, desc, SPI_fnumber(desc, "available_on"), &isnull));
	d->was_there = original && d->day != ON_HAND_DAY;
	if (d->was_there)
		d->quantity = scaled_from_datum(SPI_getbinval(row, desc, SPI_fnumber(desc, "quantity"), &isnull));
	d->next = dated;
	dated = d;
}

static bool
is_dated(HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	return row != NULL &&
		DatumGetDateADT(SPI_getbinval(row, desc, SPI_fnumber(desc, "available_on"), &isnull)) != ON_HAND_DAY;
}

static bool
same_key(HeapTuple a, HeapTuple b, TupleDesc desc)
{
	static const char *const key[] = {"item", "node", "ref", "lot"};
	bool		same = true;

	for (int i = 0; i < (int) lengthof(key) && same; i++)
	{
		const char *x = SPI_getvalue(a, desc, SPI_fnumber(desc, key[i]));
		const char *y = SPI_getvalue(b, desc, SPI_fnumber(desc, key[i]));

		same = x != NULL && y != NULL && strcmp(x, y) == 0;
	}
	return same;
}

/*
 * A row of supply is inserted (old NULL), changed, or deleted (row NULL).  A
 * version that this transaction made itself is not what was there before it;
 * and an INSERT may turn out to be an update, or nothing.
 */
void
dated_supply_note(int32 tenant_id, HeapTuple old, HeapTuple row, TupleDesc desc)
{
	if (!is_dated(old, desc) && !is_dated(row, desc))
		return;
	if (old != NULL && !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(old->t_data)))
		add_dated(tenant_id, old, desc, true);
	if (row != NULL && (old == NULL || !same_key(old, row, desc)))
		add_dated(tenant_id, row, desc, false);
}

/* All rows of supply are about to go, with a TRUNCATE: their table is locked. */
void
dated_supply_note_all(Relation supply)
{
	TableScanDesc scan = table_beginscan(supply, GetActiveSnapshot(), 0, NULL);
	TupleTableSlot *slot = table_slot_create(supply, NULL);
	TupleDesc	desc = RelationGetDescr(supply);
	int			tenant_column = SPI_fnumber(desc, "tenant_id");

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		free;
		bool		isnull;
		HeapTuple	row = ExecFetchSlotHeapTuple(slot, false, &free);

		CHECK_FOR_INTERRUPTS();
		dated_supply_note(DatumGetInt32(heap_getattr(row, tenant_column, desc, &isnull)), row, NULL, desc);
		if (free)
			heap_freetuple(row);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
}

/* Give the positions of this settlement what is to be told of them. */
static int
take_dated(Ledger *ledger)
{
	DatedChange **link = &dated;
	int			n = 0;

	if (dated_by != routing_my_lxid)
		dated = NULL;
	while (*link != NULL)
	{
		DatedChange *d = *link;
		Position   *pos = ledger_get(ledger, d->tenant_id, d->item, d->node);
		DatedChange **same;

		if (!pos->touched || !pos->locked)
		{
			link = &d->next;
			continue;
		}
		*link = d->next;
		for (same = &pos->dated; *same != NULL; same = &(*same)->next)
		{
			if (strcmp((*same)->ref, d->ref) == 0 && strcmp((*same)->lot, d->lot) == 0)
				break;
		}
		if (*same == NULL)
		{
			n++;
			d->next = NULL;
			*same = d;
		}
		else if (d->original)
		{
			d->next = (*same)->next;
			*same = d;
		}
	}
	return n;
}

static void
write_dated(JsonWriter *w, const char *key, bool is_there, int64 quantity, DateADT day)
{
	if (!is_there)
		return;
	json_key(w, key);
	json_begin_object(w);
	json_key_scaled(w, "quantity", quantity);
	json_key_date(w, "eta", day);
	json_end_object(w);
}

/* ------------------------------------------------------------------------
 * Of a settlement
 * ------------------------------------------------------------------------ */

/* What the rows say now: of changes in the order of positions; all of one tenant or of several. */
static void
read_dated(DatedChange **changes, int n, int64 *quantities, DateADT *days, bool *there)
{
	Datum		args[5];
	Datum	   *tenants = palloc_extended(sizeof(Datum) * n, MCXT_ALLOC_HUGE);
	char	  **texts = palloc_extended(sizeof(char *) * n, MCXT_ALLOC_HUGE);

	for (int c = 1; c < 5; c++)
	{
		for (int i = 0; i < n; i++)
		{
			const DatedChange *d = changes[i];

			tenants[i] = Int32GetDatum(d->tenant_id);
			texts[i] = c == 1 ? d->item : c == 2 ? d->node : c == 3 ? d->ref : d->lot;
		}
		args[c] = text_array(texts, n);
	}
	args[0] = PointerGetDatum(construct_array(tenants, n, INT4OID, 4, true, TYPALIGN_INT));
	(void) engine_exec(&plan_dated, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		quantity = spi_datum(i, 1, &isnull);

		there[i] = !isnull;
		/* not inserted, after all */
		if (there[i] && !changes[i]->original &&
			!TransactionIdIsCurrentTransactionId(DatumGetTransactionId(spi_datum(i, 3, &isnull))))
			there[i] = false;
		quantities[i] = there[i] ? scaled_from_datum(quantity) : 0;
		days[i] = DatumGetDateADT(spi_datum(i, 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
tell_dated(Position **positions, int npositions, int n, TimestampTz clock, EventBatch *events)
{
	DatedChange **changes = palloc_extended(sizeof(DatedChange *) * n, MCXT_ALLOC_HUGE);
	Position  **of = palloc_extended(sizeof(Position *) * n, MCXT_ALLOC_HUGE);
	int64	   *quantities = palloc_extended(sizeof(int64) * n, MCXT_ALLOC_HUGE);
	DateADT    *days = palloc_extended(sizeof(DateADT) * n, MCXT_ALLOC_HUGE);
	bool	   *there = palloc_extended(sizeof(bool) * n, MCXT_ALLOC_HUGE);
	int			k = 0;

	for (int i = 0; i < npositions; i++)
	{
		for (DatedChange *d = positions[i]->dated; d != NULL; d = d->next)
		{
			of[k] = positions[i];
			changes[k++] = d;
		}
		positions[i]->dated = NULL;
	}
	read_dated(changes, k, quantities, days, there);
	for (int i = 0; i < k; i++)
	{
		const DatedChange *d = changes[i];
		JsonWriter	w;

		if (there[i] == d->was_there &&
			(!there[i] || (quantities[i] == d->quantity && days[i] == d->day)))
			continue;
		begin(&w, of[i]);
		json_key_text(&w, "supply_ref", d->ref);
		if (d->lot[0] != '\0')
			json_key_text(&w, "lot", d->lot);
		json_key_scaled(&w, "delta", scaled_sub(quantities[i], d->quantity));
		write_dated(&w, "before", d->was_there, d->quantity, d->day);
		write_dated(&w, "after", there[i], quantities[i], days[i]);
		tell(events, of[i], "inventory.inbound_changed.v1", clock, &w);
	}
}

/*
 * The positions of a settlement were applied: tell what changed of their
 * supply.  If that was one change of one position, its event is returned as
 * the cause of what comes of it.
 */
EventCause
stock_add_events(Ledger *ledger, Position **positions, int npositions, ChangeResult *changes, EventBatch *events)
{
	EventCause	none = {false};
	int			before = events->n;
	int			ndated = npositions > 0 ? take_dated(ledger) : 0;

	for (int i = 0; i < changes->nchanges; i++)
		tell_adjusted(events, &changes->changes[i], changes->clock);
	for (int i = 0; i < npositions; i++)
	{
		positions[i]->moved_for = positions[i]->moved_by = NULL;
		positions[i]->moved_twice = false;
	}
	if (ndated > 0)
		tell_dated(positions, npositions, ndated, changes->clock, events);
	if (events->n != before + 1)
		return none;
	(void) event_cause_is_last(events);
	none = events->cause;
	events->cause.known = false;
	return none;
}

/* What of a position could be promised today if nothing were kept back. */
static int64
available_today(Position *pos, DateADT today, TimestampTz now)
{
	AtpStep    *steps;
	int			n;

	if (pos->holds.n > 0)
	{
		Timeline	tl;

		timeline_copy(&tl, &pos->timeline);
		holds_add_demand(pos, now, &tl);
		n = timeline_balances(&tl, today, &steps);
	}
	else
		n = timeline_balances(&pos->timeline, today, &steps);
	n = steps_of_balances(steps, n, 0);
	return steps_at(steps, n, today);
}

/*
 * Less than that cannot be available on any day: what is on hand without what
 * is promised of it and of all that comes.  Needs no calendar, and mostly tells
 * that there is plenty.
 */
static int64
least_available(const Timeline *tl)
{
	int64		least = 0;

	for (int i = 0; i < tl->n; i++)
	{
		const TimelineEntry *e = &tl->entries[i];

		if (e->day == ON_HAND_DAY || e->supply < 0)
			least = scaled_add(least, e->supply);
		least = scaled_sub(least, e->demand);
	}
	return least;
}

/*
 * Before the positions are written: those that have come into another band
 * since that was last told.  One with slots has plenty.
 */
void
stock_add_bands(Ledger *ledger, TimestampTz clock, EventBatch *events)
{
	const Position *like = NULL;	/* the last one whose node is known, and its day */
	DateADT		today = 0;

	for (Position *pos = ledger->first; pos != NULL; pos = pos->next)
	{
		int64		available;
		int			band;
		JsonWriter	w;

		if (!pos->dirty || !pos->locked || !pos->exists || pos->slot != 0 || pos->slots != 0)
			continue;
		if (pos->band == BAND_IN && pos->holds.n == 0 &&
			least_available(&pos->timeline) >= Max(pos->safety_stock, 1))
			continue;
		/* an order's items mostly come from one node */
		if (like == NULL || like->key.tenant_id != pos->key.tenant_id || strcmp(like->key.node, pos->key.node) != 0)
		{
			const NetNode *node = network_node(network_get(pos->key.tenant_id), pos->key.node);

			if (node == NULL)
				continue;
			today = node_date(node, clock);
			like = pos;
		}
		available = available_today(pos, today, clock);
		band = available <= 0 ? BAND_OUT : available < pos->safety_stock ? BAND_LOW : BAND_IN;
		if (band == pos->band)
			continue;
		begin(&w, pos);
		json_key_scaled(&w, "available", available);
		json_key_text(&w, "band_before", band_names[pos->band]);
		json_key_text(&w, "band", band_names[band]);
		if (pos->safety_stock > 0)
			json_key_scaled(&w, "safety_stock", pos->safety_stock);
		tell(events, pos, "inventory.availability_changed.v1", clock, &w);
		pos->band = band;
	}
}

PG_FUNCTION_INFO_V1(routing_note_movement);

/* SQL: note_movement(tenant_id, item, node, reason, reference), by whoever then changes stock on hand */
Datum
routing_note_movement(PG_FUNCTION_ARGS)
{
	char	   *item = text_to_cstring(PG_GETARG_TEXT_PP(1));

	notes_add(NOTE_MOVEMENT, PG_GETARG_INT32(0), item,
			  psprintf("%s%c%s%c%s", text_to_cstring(PG_GETARG_TEXT_PP(3)), SEPARATOR,
					   text_to_cstring(PG_GETARG_TEXT_PP(2)), SEPARATOR, text_to_cstring(PG_GETARG_TEXT_PP(4))));
	PG_RETURN_VOID();
}
