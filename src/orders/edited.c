/*
 * edited.c
 *		What somebody changed of an order that had been routed, for its event.
 *
 * The row triggers keep what rows said before the transaction changed or
 * deleted them; the settlement compares that with the order in hand.  A row
 * that is changed several times is kept as it was at first, and what a
 * rollback to a savepoint undid compares equal.  Lines that are new say so
 * themselves: nothing has routed them yet.
 */
#include "orders/order.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "storage/proc.h"
#include "utils/memutils.h"

/* a row as it was; "line_no" 0: the order's own */
typedef struct Edit
{
	struct Edit *next;
	int			line_no;
	char	   *item;
	int64		quantity;		/* in uom, or (empty) the item's unit */
	char	   *uom;
	bool		has_requested;
	DateADT		requested;
	char	   *country;
	char	   *postal_code;
	int			priority;		/* 0: none of its own */
} Edit;

typedef struct EditKey
{
	uint64		hashes[2];		/* of tenant and order id */
} EditKey;

typedef struct EditEntry
{
	EditKey		key;
	Edit	   *first;
} EditEntry;

static HTAB *edits = NULL;		/* in TopTransactionContext */
static LocalTransactionId edits_of = InvalidLocalTransactionId;

static EnginePlan plan_version = {
	"UPDATE routing.sales_order SET event_version = $3 WHERE tenant_id = $1 AND order_id = $2",
	3, {INT4OID, TEXTOID, INT8OID}, NULL
};

static EditEntry *
entry_of(int32 tenant_id, const char *order_id, HASHACTION action)
{
	EditKey		key;

	if (edits_of != routing_my_lxid)
		edits = NULL;
	if (edits == NULL && action == HASH_ENTER)
	{
		HASHCTL		ctl = {.keysize = sizeof(EditKey), .entrysize = sizeof(EditEntry), .hcxt = TopTransactionContext};

		edits = hash_create("routing edited orders", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		edits_of = routing_my_lxid;
	}
	if (edits == NULL)
		return NULL;
	for (int i = 0; i < 2; i++)
		key.hashes[i] = hash_bytes_extended((const unsigned char *) order_id, strlen(order_id),
											(uint64) tenant_id + ((uint64) i << 32));
	return hash_search(edits, &key, action, NULL);
}

static char *
keep_text(HeapTuple row, TupleDesc desc, const char *column)
{
	char	   *text = SPI_getvalue(row, desc, SPI_fnumber(desc, column));

	return MemoryContextStrdup(TopTransactionContext, text ? text : "");
}

/* The row of a routed order or line is about to be changed or deleted. */
void
order_note_edit(HeapTuple row, TupleDesc desc, bool is_line)
{
	bool		isnull;
	int32		tenant_id = DatumGetInt32(SPI_getbinval(row, desc, SPI_fnumber(desc, "tenant_id"), &isnull));
	char	   *order_id = SPI_getvalue(row, desc, SPI_fnumber(desc, "order_id"));
	int			line_no = is_line ? DatumGetInt32(SPI_getbinval(row, desc, SPI_fnumber(desc, "line_no"), &isnull)) : 0;
	EditEntry  *entry;
	Edit	  **link;
	Edit	   *e;

	if (order_id == NULL)
		return;
	entry = entry_of(tenant_id, order_id, HASH_FIND);
	if (entry == NULL)
	{
		entry = entry_of(tenant_id, order_id, HASH_ENTER);
		entry->first = NULL;
	}
	for (link = &entry->first; *link != NULL; link = &(*link)->next)
	{
		if ((*link)->line_no == line_no)
			return;
	}
	e = *link = MemoryContextAllocZero(TopTransactionContext, sizeof(Edit));
	e->line_no = line_no;
	e->requested = DatumGetDateADT(SPI_getbinval(row, desc, SPI_fnumber(desc, "requested_on"), &isnull));
	e->has_requested = !isnull;
	if (is_line)
	{
		e->item = keep_text(row, desc, "item");
		e->uom = keep_text(row, desc, "uom");
		e->quantity = scaled_from_datum(SPI_getbinval(row, desc, SPI_fnumber(desc, "quantity"), &isnull));
		return;
	}
	e->country = keep_text(row, desc, "country");
	e->postal_code = keep_text(row, desc, "postal_code");
	e->priority = DatumGetInt32(SPI_getbinval(row, desc, SPI_fnumber(desc, "priority"), &isnull));
	if (isnull)
		e->priority = 0;
}

/* ------------------------------------------------------------------------
 * The event
 * ------------------------------------------------------------------------ */

typedef struct Changes
{
	JsonWriter	w;
	SalesOrder *order;
	int			n;
} Changes;

static void
add_change(Changes *c, const char *what, int line_no, const char *item, const char *before, const char *after)
{
	if (c->n++ == 0)
	{
		order_begin_event(&c->w, c->order, c->order->changed ? c->order->new_status : c->order->status);
		json_key(&c->w, "changes");
		json_begin_array(&c->w);
	}
	json_begin_object(&c->w);
	json_key_text(&c->w, "change", what);
	if (line_no > 0)
		json_key_int(&c->w, "line_no", line_no);
	json_key_text(&c->w, "item", item);
	json_key_text(&c->w, "before", before);
	json_key_text(&c->w, "after", after);
	json_end_object(&c->w);
}

/* Country and the beginning of the postal code, as destinations leave the database. */
static char *
place(const char *country, const char *postal_code)
{
	return psprintf("%s/%.*s", country, pg_mbcliplen(postal_code, (int) strlen(postal_code), 3), postal_code);
}

static void
compare_dates(Changes *c, const Edit *e, int line_no, const char *item, bool has, DateADT now)
{
	if (e->has_requested != has || (has && e->requested != now))
		add_change(c, "date_changed", line_no, item, e->has_requested ? date_text(e->requested) : NULL,
				   has ? date_text(now) : NULL);
}

static void
compare_header(Changes *c, const Edit *e)
{
	const SalesOrder *o = c->order;
	const char *postal = o->postal_code ? o->postal_code : "";

	if (strcmp(e->country, o->country) != 0 || strcmp(e->postal_code, postal) != 0)
		add_change(c, "destination_changed", 0, NULL, place(e->country, e->postal_code), place(o->country, postal));
	compare_dates(c, e, 0, NULL, o->has_requested, o->requested);
	if (e->priority != o->own_priority)
		add_change(c, "priority_changed", 0, NULL, e->priority > 0 ? psprintf("%d", e->priority) : NULL,
				   o->own_priority > 0 ? psprintf("%d", o->own_priority) : NULL);
}

static void
compare_line(Changes *c, const Edit *e)
{
	const OrderLine *line = order_line(c->order, e->line_no);

	if (line == NULL || strcmp(line->item, e->item) != 0)
		add_change(c, "line_removed", e->line_no, e->item, e->uom[0] ? NULL : scaled_to_text(e->quantity), NULL);
	if (line == NULL)
		return;
	if (strcmp(line->item, e->item) != 0)
	{
		add_change(c, "line_added", line->line_no, line->item, NULL, scaled_to_text(line->quantity));
		return;
	}
	if (strcmp(e->uom, line->uom ? line->uom : "") != 0)
		add_change(c, "quantity_changed", line->line_no, line->item, NULL, scaled_to_text(line->quantity));
	else if (line->given > 0 && e->quantity != line->given)
		add_change(c, "quantity_changed", line->line_no, line->item,
				   scaled_to_text((int64) ((int128) e->quantity * line->quantity / line->given)),
				   scaled_to_text(line->quantity));
	compare_dates(c, e, line->line_no, line->item, line->has_requested, line->requested);
}

/*
 * Add the event of what was changed of a routed order; before it is written.
 * Returns whether there was anything.
 */
bool
order_add_edited_event(SalesOrder *order, EventBatch *events)
{
	Changes		c = {.order = order};
	EditEntry  *entry;

	if (order->decision_id == 0 || !order->exists || order_is_cancelled(order))
		return false;
	entry = entry_of(order->tenant_id, order->order_id, HASH_FIND);
	for (const Edit *e = entry ? entry->first : NULL; e != NULL; e = e->next)
	{
		if (e->line_no == 0)
			compare_header(&c, e);
		else
			compare_line(&c, e);
	}
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];
		bool		known = strcmp(line->status, "received") != 0;

		for (const Edit *e = entry ? entry->first : NULL; e != NULL && !known; e = e->next)
			known = e->line_no == line->line_no;
		if (!known)
			add_change(&c, "line_added", line->line_no, line->item, NULL, scaled_to_text(line->quantity));
	}
	if (entry != NULL)
		(void) entry_of(order->tenant_id, order->order_id, HASH_REMOVE);
	if (c.n == 0)
		return false;
	json_end_array(&c.w);
	order_add_event(order, "order.changed.v1", &c.w, events);
	return true;
}

/* Keep the version of an order whose events changed nothing else of it. */
void
order_keep_version(const SalesOrder *order)
{
	Datum		args[3];

	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = Int64GetDatum(order->event_version);
	(void) engine_exec(&plan_version, args, NULL, ENGINE_FRESH);
}
