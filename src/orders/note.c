/*
 * note.c
 *		The row triggers of sales_order and sales_order_line: check the shape of
 *		a row, note the order.
 *
 * A row that was routed before it was written (a restored one, or one the
 * engine writes) is not noted: only what has the status "received" and no
 * decision, or what somebody changes.
 */
#include "orders/order.h"

#include "base/cache.h"
#include "base/engine.h"
#include "base/notes.h"
#include "base/quantity.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/datum.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(routing_note_order);

static Datum
get(HeapTuple tup, TupleDesc desc, const char *column, bool *isnull)
{
	return SPI_getbinval(tup, desc, SPI_fnumber(desc, column), isnull);
}

static char *
get_text(HeapTuple tup, TupleDesc desc, const char *column)
{
	return SPI_getvalue(tup, desc, SPI_fnumber(desc, column));
}

static bool
has_text(HeapTuple tup, TupleDesc desc, const char *column, const char *value)
{
	char	   *text = get_text(tup, desc, column);

	return text != NULL && strcmp(text, value) == 0;
}

static bool
differs(HeapTuple a, HeapTuple b, TupleDesc desc, const char *const *columns)
{
	for (; *columns != NULL; columns++)
	{
		int			attno = SPI_fnumber(desc, *columns);
		Form_pg_attribute att = TupleDescAttr(desc, attno - 1);
		bool		null_a,
					null_b;
		Datum		x = SPI_getbinval(a, desc, attno, &null_a);
		Datum		y = SPI_getbinval(b, desc, attno, &null_b);

		if (null_a != null_b ||
			(!null_a && !datum_image_eq(x, y, att->attbyval, att->attlen)))
			return true;
	}
	return false;
}

/*
 * Every row that is inserted comes through here: it is taken apart once, and
 * its columns are known by number.
 */
enum
{
	C_TENANT_ID, C_ORDER_ID, C_STATUS, C_PRIORITY, C_DATE_BASIS, C_DECISION_ID, C_LINE_NO,
	C_QUANTITY, C_PRICE, C_MIN_LIFE_DAYS,
	C_NCOLS
};

static const char *const names[C_NCOLS] = {
	"tenant_id", "order_id", "status", "priority", "date_basis", "decision_id", "line_no",
	"quantity", "price", "min_life_days"
};

typedef struct NoteColumns
{
	uint64		generation;
	int			attnos[C_NCOLS];	/* not positive: the table has no such column */
} NoteColumns;

typedef struct NoteRow
{
	HeapTuple	tup;
	TupleDesc	desc;
	const NoteColumns *columns;
	Datum	   *values;
	bool	   *nulls;
} NoteRow;

/* Somebody's own table may have the trigger too: its columns are looked for each time. */
static const NoteColumns *
columns_of(Relation rel, EngineTable table)
{
	static NoteColumns known[2];
	NoteColumns *columns = &known[table == TAB_SALES_ORDER];
	bool		ours = RelationGetRelid(rel) == engine_relid(table);
	uint64		generation = engine_generation(table);

	if (ours && columns->generation == generation)
		return columns;
	if (!ours)
		columns = palloc(sizeof(NoteColumns));
	columns->generation = 0;
	for (int c = 0; c < C_NCOLS; c++)
		columns->attnos[c] = SPI_fnumber(RelationGetDescr(rel), names[c]);
	columns->generation = generation;
	return columns;
}

static void
take_apart(NoteRow *row, HeapTuple tup, Relation rel, EngineTable table)
{
	row->tup = tup;
	row->desc = RelationGetDescr(rel);
	row->columns = columns_of(rel, table);
	row->values = palloc(sizeof(Datum) * row->desc->natts);
	row->nulls = palloc(sizeof(bool) * row->desc->natts);
	heap_deform_tuple(tup, row->desc, row->values, row->nulls);
}

static Datum
col(const NoteRow *row, int c, bool *isnull)
{
	int			attno = row->columns->attnos[c];

	*isnull = attno <= 0 || row->nulls[attno - 1];
	return *isnull ? (Datum) 0 : row->values[attno - 1];
}

/* Whether a column begins with a text; "whole": and has no more. */
static bool
col_matches(const NoteRow *row, int c, const char *value, bool whole)
{
	bool		isnull;
	Datum		d = col(row, c, &isnull);
	text	   *t;
	Size		len = strlen(value);

	if (isnull)
		return false;
	t = DatumGetTextPP(d);
	return (whole ? VARSIZE_ANY_EXHDR(t) == len : VARSIZE_ANY_EXHDR(t) >= len) &&
		memcmp(VARDATA_ANY(t), value, len) == 0;
}

static bool
col_is(const NoteRow *row, int c, const char *value)
{
	return col_matches(row, c, value, true);
}

static bool
col_begins(const NoteRow *row, int c, const char *value)
{
	return col_matches(row, c, value, false);
}

static void
note_row(const NoteRow *row)
{
	bool		no_order;
	bool		no_tenant;
	Datum		order_id = col(row, C_ORDER_ID, &no_order);
	Datum		tenant = col(row, C_TENANT_ID, &no_tenant);

	if (!no_order && !no_tenant)
		notes_add(NOTE_ORDER, DatumGetInt32(tenant), TextDatumGetCString(order_id), "");
}

static void
note(HeapTuple tup, TupleDesc desc, bool replan)
{
	bool		isnull;
	char	   *order_id = get_text(tup, desc, "order_id");
	Datum		tenant = get(tup, desc, "tenant_id", &isnull);

	if (order_id != NULL && !isnull)
		notes_add(NOTE_ORDER, DatumGetInt32(tenant), order_id, replan ? "replan" : "");
}

static void
refuse(HeapTuple row, TupleDesc desc, int code, const char *field, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(code),
			 errmsg("order \"%s\": %s \"%s\" %s", get_text(row, desc, "order_id"), field,
					get_text(row, desc, field), what),
			 errhint("%s", hint)));
}

static void
check_status(const NoteRow *row)
{
	static const char *const known[] = {
		"received", "blocked", "allocated", "scheduled", "backordered", "partially_allocated",
		"partially_scheduled", "shipped", "cancelled", NULL
	};

	for (const char *const *k = known; *k != NULL; k++)
	{
		if (col_is(row, C_STATUS, *k))
			return;
	}
	refuse(row->tup, row->desc, RT_BAD_DOCUMENT, "status", "is unknown",
		   "Leave status at its default; the engine sets it. Set it to \"cancelled\" to cancel.");
}

static void
check_header(const NoteRow *row)
{
	bool		isnull;
	int			priority = DatumGetInt32(col(row, C_PRIORITY, &isnull));

	if (!isnull && (priority < 1 || priority > 9))
		refuse(row->tup, row->desc, RT_BAD_DOCUMENT, "priority", "is out of range",
			   "Priorities are from 1 to 9, 1 is best.");
	if (col_is(row, C_ORDER_ID, ""))
		refuse(row->tup, row->desc, RT_BAD_DOCUMENT, "order_id", "is empty", "Give every order an id.");
	if (col_begins(row, C_ORDER_ID, "hold:") || col_begins(row, C_ORDER_ID, "demand:"))
		refuse(row->tup, row->desc, RT_BAD_DOCUMENT, "order_id", "is reserved",
			   "Ids that begin with hold: or demand: are those of holds and other demand.");
	if (!col_is(row, C_DATE_BASIS, "deliver") && !col_is(row, C_DATE_BASIS, "ship"))
		refuse(row->tup, row->desc, RT_BAD_DOCUMENT, "date_basis", "is unknown", "It is \"deliver\" or \"ship\".");
	check_status(row);
}

static void
note_header(TriggerData *tg, TupleDesc desc, HeapTuple row)
{
	NoteRow		parts;
	static const char *const destination[] = {
		"country", "postal_code", "requested_on", "date_basis", "ship_not_before", "cancel_after", "early_ok", NULL
	};
	static const char *const others[] = {
		"tenant_id", "order_id", "customer", "channel", "priority", "completeness", "policy",
		"status", "rest", "rest_days", "freight_terms", NULL
	};
	static const char *const own[] = {"event_version", "decision_id", NULL};
	bool		isnull;

	take_apart(&parts, row, tg->tg_relation, TAB_SALES_ORDER);
	check_header(&parts);
	if (TRIGGER_FIRED_BY_INSERT(tg->tg_event))
	{
		(void) col(&parts, C_DECISION_ID, &isnull);
		if (isnull && col_is(&parts, C_STATUS, "received"))
			note_row(&parts);
	}
	else
	{
		bool		replan = differs(tg->tg_trigtuple, row, desc, destination);

		if (differs(tg->tg_trigtuple, row, desc, own))
			ereport(ERROR,
					(errcode(RT_ORDER_STATE),
					 errmsg("order \"%s\": event_version and decision_id are the engine's own",
							get_text(row, desc, "order_id")),
					 errhint("Call routing.route_order() to have the order decided again.")));
		if (has_text(tg->tg_trigtuple, desc, "status", "cancelled") &&
			!has_text(row, desc, "status", "cancelled"))
			refuse(tg->tg_trigtuple, desc, RT_ORDER_STATE, "status", "cannot be left",
				   "A cancelled order is not routed again; enter a new one.");

		if (has_text(tg->tg_trigtuple, desc, "status", "shipped") &&
			has_text(row, desc, "status", "cancelled"))
			refuse(tg->tg_trigtuple, desc, RT_ORDER_STATE, "status", "cannot be left",
				   "An order that is shipped is not cancelled.");

		if (replan || differs(tg->tg_trigtuple, row, desc, others))
		{
			note(tg->tg_trigtuple, desc, false);
			note(row, desc, replan);
		}
	}
}

static void
check_quantity(const NoteRow *row)
{
	bool		isnull;
	Datum		d = col(row, C_QUANTITY, &isnull);
	int64		value;
	Fault		fault = {0};

	if (isnull)
		return;					/* NOT NULL tells */
	if (scaled_from_numeric(DatumGetNumeric(d), &value) == SCALED_OK && value > 0)
		return;
	(void) quantity_check(DatumGetNumeric(d),
						  psprintf("order \"%s\", line %s: quantity",
								   get_text(row->tup, row->desc, "order_id"),
								   get_text(row->tup, row->desc, "line_no")),
						  &fault);
	fault_raise(&fault);
}

static void
check_line(const NoteRow *row)
{
	bool		isnull;
	Datum		price = col(row, C_PRICE, &isnull);
	int64		value;
	int			life;

	if (!isnull && (scaled_from_numeric(DatumGetNumeric(price), &value) != SCALED_OK || value < 0))
		refuse(row->tup, row->desc, RT_BAD_QUANTITY, "price", "is not an amount",
			   "A price is 0 or more and has at most 4 decimals.");
	if (DatumGetInt32(col(row, C_LINE_NO, &isnull)) < 1 && !isnull)
		refuse(row->tup, row->desc, RT_BAD_DOCUMENT, "line_no", "is not positive", "Number the lines from 1.");
	life = DatumGetInt32(col(row, C_MIN_LIFE_DAYS, &isnull));
	if (!isnull && (life < 0 || life > MAX_LIFE_DAYS))
		refuse(row->tup, row->desc, RT_BAD_DOCUMENT, "min_life_days", "is out of range",
			   "Days of use that must be left at delivery, from 0 to 3650; null for what customer and item say.");
	check_status(row);
	check_quantity(row);
}

static HeapTuple
note_line(TriggerData *tg, TupleDesc desc, HeapTuple row)
{
	static const char *const placing[] = {"item", "requested_on", "node", "uom", "lot", "min_life_days", "line_group",
	"splittable", "substitutes", NULL};
	static const char *const others[] = {
		"tenant_id", "order_id", "line_no", "quantity", "status", NULL
	};
	NoteRow		parts;

	take_apart(&parts, row, tg->tg_relation, TAB_SALES_ORDER_LINE);
	check_line(&parts);
	if (TRIGGER_FIRED_BY_INSERT(tg->tg_event))
	{
		if (col_is(&parts, C_STATUS, "received"))
			note_row(&parts);
	}
	else if (!has_text(row, desc, "status", "cancelled") &&
			 differs(tg->tg_trigtuple, row, desc, placing))
	{
		int			replan = SPI_fnumber(desc, "replan");
		Datum		yes = BoolGetDatum(true);
		bool		notnull = false;

		note(tg->tg_trigtuple, desc, false);
		note(row, desc, false);
		return heap_modify_tuple_by_cols(row, desc, 1, &replan, &yes, &notnull);
	}
	else if (differs(tg->tg_trigtuple, row, desc, others))
	{
		note(tg->tg_trigtuple, desc, false);
		note(row, desc, false);
	}
	return row;
}

/*
 * Of a routed order that is deleted the version of its event stream is noted
 * too: "v12", or "vc12" if it was cancelled already.
 */
static void
note_delete(TriggerData *tg, TupleDesc desc, HeapTuple row)
{
	bool		never_routed;
	bool		isnull;
	int32		tenant_id;

	if (strcmp(RelationGetRelationName(tg->tg_relation), "sales_order") != 0)
	{
		note(row, desc, false);
		return;
	}
	(void) get(row, desc, "decision_id", &never_routed);
	tenant_id = DatumGetInt32(get(row, desc, "tenant_id", &isnull));
	notes_add(NOTE_ORDER, tenant_id, get_text(row, desc, "order_id"),
			  never_routed ? "" :
			  psprintf("v%s" INT64_FORMAT, has_text(row, desc, "status", "cancelled") ? "c" : "",
					   DatumGetInt64(get(row, desc, "event_version", &isnull))));
}

/* What a routed row said of what is asked for, before that changes; whoever changes it. */
static void
note_edit(TriggerData *tg, TupleDesc desc)
{
	static const char *const of_order[] = {"country", "postal_code", "requested_on", "priority", NULL};
	static const char *const of_line[] = {"line_no", "item", "quantity", "uom", "requested_on", NULL};
	bool		is_line = strcmp(RelationGetRelationName(tg->tg_relation), "sales_order") != 0;
	bool		never_routed;

	if (is_line)
		never_routed = has_text(tg->tg_trigtuple, desc, "status", "received");
	else
		(void) get(tg->tg_trigtuple, desc, "decision_id", &never_routed);
	if (never_routed || (TRIGGER_FIRED_BY_DELETE(tg->tg_event) && !is_line))
		return;
	if (TRIGGER_FIRED_BY_DELETE(tg->tg_event) ||
		differs(tg->tg_trigtuple, tg->tg_newtuple, desc, is_line ? of_line : of_order))
		order_note_edit(tg->tg_trigtuple, desc, is_line);
}

Datum
routing_note_order(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(tg->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a BEFORE row trigger", "note_order")));

	desc = RelationGetDescr(tg->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_newtuple : tg->tg_trigtuple;
	if (!TRIGGER_FIRED_BY_INSERT(tg->tg_event))
		note_edit(tg, desc);
	if (engine_is_writing())
		return PointerGetDatum(row);
	if (TRIGGER_FIRED_BY_DELETE(tg->tg_event))
		note_delete(tg, desc, row);
	else if (strcmp(RelationGetRelationName(tg->tg_relation), "sales_order") == 0)
		note_header(tg, desc, row);
	else
		row = note_line(tg, desc, row);
	return PointerGetDatum(row);
}
