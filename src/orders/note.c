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
check_status(HeapTuple row, TupleDesc desc)
{
	static const char *const known[] = {
		"received", "blocked", "allocated", "scheduled", "backordered", "partially_allocated",
		"partially_scheduled", "shipped", "cancelled", NULL
	};

	for (const char *const *k = known; *k != NULL; k++)
	{
		if (has_text(row, desc, "status", *k))
			return;
	}
	refuse(row, desc, RT_BAD_DOCUMENT, "status", "is unknown",
		   "Leave status at its default; the engine sets it. Set it to \"cancelled\" to cancel.");
}

static void
check_header(HeapTuple row, TupleDesc desc)
{
	char	   *order_id;
	bool		isnull;
	int			priority = DatumGetInt32(get(row, desc, "priority", &isnull));

	if (!isnull && (priority < 1 || priority > 9))
		refuse(row, desc, RT_BAD_DOCUMENT, "priority", "is out of range",
			   "Priorities are from 1 to 9, 1 is best.");
	if (has_text(row, desc, "order_id", ""))
		refuse(row, desc, RT_BAD_DOCUMENT, "order_id", "is empty", "Give every order an id.");
	order_id = get_text(row, desc, "order_id");
	if (order_id != NULL && (strncmp(order_id, "hold:", 5) == 0 || strncmp(order_id, "demand:", 7) == 0))
		refuse(row, desc, RT_BAD_DOCUMENT, "order_id", "is reserved",
			   "Ids that begin with hold: or demand: are those of holds and other demand.");
	if (!has_text(row, desc, "date_basis", "deliver") && !has_text(row, desc, "date_basis", "ship"))
		refuse(row, desc, RT_BAD_DOCUMENT, "date_basis", "is unknown", "It is \"deliver\" or \"ship\".");
	check_status(row, desc);
}

static void
note_header(TriggerData *tg, TupleDesc desc, HeapTuple row)
{
	static const char *const destination[] = {
		"country", "postal_code", "requested_on", "date_basis", NULL
	};
	static const char *const others[] = {
		"tenant_id", "order_id", "customer", "channel", "priority", "completeness", "policy",
		"status", NULL
	};
	static const char *const own[] = {"event_version", "decision_id", NULL};
	bool		isnull;

	check_header(row, desc);
	if (TRIGGER_FIRED_BY_INSERT(tg->tg_event))
	{
		(void) get(row, desc, "decision_id", &isnull);
		if (isnull && has_text(row, desc, "status", "received"))
			note(row, desc, false);
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
check_quantity(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		d = get(row, desc, "quantity", &isnull);
	Fault		fault = {0};

	if (isnull)
		return;					/* NOT NULL tells */
	(void) quantity_check(DatumGetNumeric(d),
						  psprintf("order \"%s\", line %s: quantity",
								   get_text(row, desc, "order_id"), get_text(row, desc, "line_no")),
						  &fault);
	if (fault.sqlerrcode)
		fault_raise(&fault);
}

static void
check_line(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		price = get(row, desc, "price", &isnull);
	int64		value;
	int			life;

	if (!isnull && (scaled_from_numeric(DatumGetNumeric(price), &value) != SCALED_OK || value < 0))
		refuse(row, desc, RT_BAD_QUANTITY, "price", "is not an amount",
			   "A price is 0 or more and has at most 4 decimals.");
	if (DatumGetInt32(get(row, desc, "line_no", &isnull)) < 1 && !isnull)
		refuse(row, desc, RT_BAD_DOCUMENT, "line_no", "is not positive", "Number the lines from 1.");
	life = DatumGetInt32(get(row, desc, "min_life_days", &isnull));
	if (!isnull && (life < 0 || life > MAX_LIFE_DAYS))
		refuse(row, desc, RT_BAD_DOCUMENT, "min_life_days", "is out of range",
			   "Days of use that must be left at delivery, from 0 to 3650; null for what customer and item say.");
	check_status(row, desc);
	check_quantity(row, desc);
}

static HeapTuple
note_line(TriggerData *tg, TupleDesc desc, HeapTuple row)
{
	static const char *const placing[] = {"item", "requested_on", "node", "uom", "lot", "min_life_days", NULL};
	static const char *const others[] = {
		"tenant_id", "order_id", "line_no", "quantity", "status", NULL
	};

	check_line(row, desc);
	if (TRIGGER_FIRED_BY_INSERT(tg->tg_event))
	{
		if (has_text(row, desc, "status", "received"))
			note(row, desc, false);
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
