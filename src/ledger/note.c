/*
 * note.c
 *		Changes of supply and of what is said about item-nodes: checked, and
 *		noted by row.
 *
 * The row triggers only note item-nodes, so that the two halves of a receipt
 * are judged together, at commit.
 */
#include "ledger/change.h"

#include "base/engine.h"
#include "base/json.h"
#include "base/notes.h"
#include "base/quantity.h"
#include "ledger/history.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(routing_note_ledger);
PG_FUNCTION_INFO_V1(routing_note_truncate);

static char *
tuple_text(HeapTuple tup, TupleDesc desc, const char *column)
{
	return SPI_getvalue(tup, desc, SPI_fnumber(desc, column));
}

static int32
tuple_tenant(HeapTuple tup, TupleDesc desc)
{
	bool		isnull;
	Datum		d = SPI_getbinval(tup, desc, SPI_fnumber(desc, "tenant_id"), &isnull);

	return isnull ? 0 : DatumGetInt32(d);
}

static void
note_row(HeapTuple tup, TupleDesc desc)
{
	char	   *item = tuple_text(tup, desc, "item");
	char	   *node = tuple_text(tup, desc, "node");

	if (item != NULL && node != NULL)
		notes_add(NOTE_LEDGER, tuple_tenant(tup, desc), item, node);
}

/* What a CHECK would refuse with a generic code gets one of ours. */
static void
check_supply(HeapTuple tup, TupleDesc desc)
{
	bool		isnull;
	Datum		d;
	int64		value;
	ScaledStatus status;
	char	   *item = tuple_text(tup, desc, "item");
	char	   *node = tuple_text(tup, desc, "node");
	DateADT		day;

	d = SPI_getbinval(tup, desc, SPI_fnumber(desc, "quantity"), &isnull);
	if (!isnull)
	{
		status = scaled_from_numeric(DatumGetNumeric(d), &value);
		if (status != SCALED_OK)
			ereport(ERROR,
					(errcode(RT_BAD_QUANTITY),
					 errmsg("quantity %s of item \"%s\" at node \"%s\" %s",
							tuple_text(tup, desc, "quantity"), item, node, scaled_problem(status)),
					 errhint("A supply quantity is between -100000000000 and 100000000000 and has at most 4 decimals.")));
	}
	day = DatumGetDateADT(SPI_getbinval(tup, desc, SPI_fnumber(desc, "available_on"), &isnull));
	if (!isnull && !DATE_IS_NOBEGIN(day) &&
		(day < date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE ||
		 day > date2j(2999, 12, 31) - POSTGRES_EPOCH_JDATE))
		ereport(ERROR,
				(errcode(RT_BAD_DATE),
				 errmsg("available_on %s of item \"%s\" at node \"%s\" is out of range",
						date_text(day), item, node),
				 errhint("Give a date from 1900 to 2999, or -infinity for stock on hand.")));
}

static bool
column_is_true(HeapTuple tup, TupleDesc desc, const char *column)
{
	bool		isnull;
	Datum		d = SPI_getbinval(tup, desc, SPI_fnumber(desc, column), &isnull);

	return !isnull && DatumGetBool(d);
}

/*
 * BEFORE row trigger of supply and item_node.
 *
 * "posted" tells rows that are being restored, whose position is restored
 * too, from rows that somebody writes: those come with posted = false and
 * leave with true.
 */
Datum
routing_note_ledger(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;
	int			columns[2];
	Datum		values[2];
	bool		notnull[2] = {false};

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(tg->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a BEFORE row trigger", "note_ledger")));

	desc = RelationGetDescr(tg->tg_relation);
	if (TRIGGER_FIRED_BY_DELETE(tg->tg_event))
	{
		if (!engine_is_writing())
			note_row(tg->tg_trigtuple, desc);
		return PointerGetDatum(tg->tg_trigtuple);
	}
	row = TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_newtuple : tg->tg_trigtuple;
	if (strcmp(RelationGetRelationName(tg->tg_relation), "supply") == 0)
		check_supply(row, desc);
	if (TRIGGER_FIRED_BY_INSERT(tg->tg_event) && column_is_true(row, desc, "posted"))
		return PointerGetDatum(row);
	if (!engine_is_writing())
	{
		note_row(row, desc);
		if (TRIGGER_FIRED_BY_UPDATE(tg->tg_event))
			note_row(tg->tg_trigtuple, desc);
	}
	columns[0] = SPI_fnumber(desc, "posted");
	values[0] = BoolGetDatum(true);
	columns[1] = SPI_fnumber(desc, "from");
	values[1] = TimestampTzGetDatum(history_since(TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_trigtuple : NULL,
												  row, desc));
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 2, columns, values, notnull));
}

/*
 * AFTER TRUNCATE statement trigger.  No row event will bring a settlement, so
 * a token row does.
 */
Datum
routing_note_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;
	const char *name;
	bool		native;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_TRUNCATE(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a TRUNCATE trigger", "note_truncate")));

	name = RelationGetRelationName(tg->tg_relation);
	native = RelationGetNamespace(tg->tg_relation) == get_namespace_oid("routing", true);
	if (native && (strcmp(name, "supply") == 0 || strcmp(name, "item_node") == 0))
		notes_add(NOTE_LEDGER_ALL, 0, "", "");
	else if (native)
		notes_add(NOTE_ORDER_ALL, 0, "", "");
	else if (tg->tg_trigger->tgnargs == 2)
		notes_add(NOTE_BOUND_ALL, pg_strtoint32(tg->tg_trigger->tgargs[0]),
				  tg->tg_trigger->tgargs[1], "");
	if (notes_arm())
	{
		EngineScope scope;

		engine_enter(&scope);
		SPI_connect();
		settle_queue_token();
		SPI_finish();
		engine_leave(&scope);
	}
	return PointerGetDatum(NULL);
}
