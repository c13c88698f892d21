/*
 * note.c
 *		Changes of supply, of other demand and of what is said about item-nodes:
 *		checked, and noted by row.
 *
 * The row triggers only note item-nodes, so that the two halves of a receipt
 * are judged together, at commit.
 */

#include "base/engine.h"
#include "base/json.h"
#include "base/notes.h"
#include "base/quantity.h"
#include "ledger/allotment.h"
#include "ledger/control.h"
#include "ledger/history.h"
#include "ledger/kits.h"
#include "ledger/tell.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(routing_note_ledger);
PG_FUNCTION_INFO_V1(routing_note_demand);
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
note_row(TriggerData *tg, HeapTuple tup)
{
	TupleDesc	desc = RelationGetDescr(tg->tg_relation);
	bool		allotment = strcmp(RelationGetRelationName(tg->tg_relation), "allotment") == 0;
	char	   *item = tuple_text(tup, desc, "item");
	char	   *node = tuple_text(tup, desc, "node");

	/* dedicated supply: its order is to look */
	if (strcmp(RelationGetRelationName(tg->tg_relation), "supply") == 0)
	{
		char	   *order_id = tuple_text(tup, desc, "order_id");

		if (order_id != NULL && order_id[0] != '\0')
			notes_add(NOTE_ORDER, tuple_tenant(tup, desc), order_id, "dedicated");
	}
	if (item != NULL && node != NULL)
		notes_add(allotment ? NOTE_ALLOTMENT : NOTE_LEDGER, tuple_tenant(tup, desc), item, node);
}

static bool
day_in_range(DateADT day)
{
	return day >= date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE &&
		day <= date2j(2999, 12, 31) - POSTGRES_EPOCH_JDATE;
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
	Fault		fault = {0};

	if (item != NULL && node != NULL)
		kit_check_supply(tuple_tenant(tup, desc), item, node, &fault);
	if (fault.sqlerrcode)
		fault_raise(&fault);
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
	if (!isnull && !DATE_IS_NOBEGIN(day) && !day_in_range(day))
		ereport(ERROR,
				(errcode(RT_BAD_DATE),
				 errmsg("available_on %s of item \"%s\" at node \"%s\" is out of range",
						date_text(day), item, node),
				 errhint("Give a date from 1900 to 2999, or -infinity for stock on hand.")));
	day = DatumGetDateADT(SPI_getbinval(tup, desc, SPI_fnumber(desc, "expires_on"), &isnull));
	if (!isnull && (day < date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE ||
					day > date2j(2999, 12, 31) - POSTGRES_EPOCH_JDATE))
		ereport(ERROR,
				(errcode(RT_BAD_DATE),
				 errmsg("expires_on %s of item \"%s\" at node \"%s\" is out of range",
						date_text(day), item, node),
				 errhint("Give a date from 1900 to 2999, or null for what does not expire.")));
}

/*
 * Stock on hand of an item with lots or serial numbers must have them.  Returns
 * the serial number that the row has on hand, or NULL.
 */
static char *
check_control(HeapTuple tup, HeapTuple old, TupleDesc desc)
{
	char	   *item = tuple_text(tup, desc, "item");
	const char *nodes[2] = {tuple_text(tup, desc, "node"), NULL};
	const char *refs[2] = {tuple_text(tup, desc, "ref"), NULL};
	char	   *lot = tuple_text(tup, desc, "lot");
	int32		tenant_id = tuple_tenant(tup, desc);
	int64		quantity;
	bool		isnull;
	Datum		d;
	char	   *elsewhere;
	ItemControl control;
	Fault		fault = {0};

	d = SPI_getbinval(tup, desc, SPI_fnumber(desc, "available_on"), &isnull);
	if (isnull || !DATE_IS_NOBEGIN(DatumGetDateADT(d)) || item == NULL || nodes[0] == NULL ||
		refs[0] == NULL || lot == NULL)
		return NULL;
	d = SPI_getbinval(tup, desc, SPI_fnumber(desc, "quantity"), &isnull);
	if (isnull)
		return NULL;
	quantity = scaled_from_datum(d);
	control = item_control(tenant_id, item);
	control_check(&fault, control, psprintf("node \"%s\": ", nodes[0]), item, lot, quantity);
	if (fault.sqlerrcode)
		fault_raise(&fault);
	if (control != CONTROL_SERIAL || quantity == 0)
		return NULL;
	nodes[1] = old != NULL ? tuple_text(old, desc, "node") : nodes[0];
	refs[1] = old != NULL ? tuple_text(old, desc, "ref") : refs[0];
	elsewhere = serial_elsewhere(tenant_id, item, lot, nodes, refs);
	if (elsewhere != NULL)
		ereport(ERROR,
				(errcode(RT_SERIAL_TWICE),
				 errmsg("serial number \"%s\" of item \"%s\" is on hand at node \"%s\" already, it cannot be at node \"%s\"",
						lot, item, elsewhere, nodes[0]),
				 errhint("Take it out there first, in the same transaction if it moves.")));
	return lot;
}

static bool
column_is_true(HeapTuple tup, TupleDesc desc, const char *column)
{
	bool		isnull;
	Datum		d = SPI_getbinval(tup, desc, SPI_fnumber(desc, column), &isnull);

	return !isnull && DatumGetBool(d);
}

/*
 * BEFORE row trigger of supply, item_node and allotment.
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
	bool		is_supply;
	int			columns[3];
	Datum		values[3];
	bool		nulls[3] = {false};
	char	   *serial = NULL;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(tg->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a BEFORE row trigger", "note_ledger")));

	desc = RelationGetDescr(tg->tg_relation);
	is_supply = strcmp(RelationGetRelationName(tg->tg_relation), "supply") == 0;
	if (TRIGGER_FIRED_BY_DELETE(tg->tg_event))
	{
		if (!engine_is_writing())
			note_row(tg, tg->tg_trigtuple);
		if (is_supply)
			dated_supply_note(tuple_tenant(tg->tg_trigtuple, desc), tg->tg_trigtuple, NULL, desc);
		return PointerGetDatum(tg->tg_trigtuple);
	}
	row = TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_newtuple : tg->tg_trigtuple;
	if (is_supply)
		check_supply(row, desc);
	if (TRIGGER_FIRED_BY_INSERT(tg->tg_event) && column_is_true(row, desc, "posted"))
		return PointerGetDatum(row);
	if (is_supply)
		dated_supply_note(tuple_tenant(row, desc),
						  TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_trigtuple : NULL, row, desc);
	if (is_supply)
		serial = check_control(row, TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_trigtuple : NULL, desc);
	if (strcmp(RelationGetRelationName(tg->tg_relation), "allotment") == 0)
		allotment_check_row(row, desc);
	if (!engine_is_writing())
	{
		note_row(tg, row);
		if (TRIGGER_FIRED_BY_UPDATE(tg->tg_event))
			note_row(tg, tg->tg_trigtuple);
	}
	columns[0] = SPI_fnumber(desc, "posted");
	values[0] = BoolGetDatum(true);
	columns[1] = SPI_fnumber(desc, "from");
	if (columns[1] <= 0)
		return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, columns, values, nulls));
	values[1] = TimestampTzGetDatum(history_since(TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_trigtuple : NULL,
												  row, desc));
	if (is_supply)
	{
		columns[2] = SPI_fnumber(desc, "serial");
		nulls[2] = serial == NULL;
		values[2] = serial == NULL ? (Datum) 0 : CStringGetTextDatum(serial);
	}
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, is_supply ? 3 : 2, columns, values, nulls));
}

static void
check_demand_day(HeapTuple tup, TupleDesc desc, const char *column)
{
	bool		isnull;
	DateADT		day = DatumGetDateADT(SPI_getbinval(tup, desc, SPI_fnumber(desc, column), &isnull));

	if (!isnull && !day_in_range(day))
		ereport(ERROR,
				(errcode(RT_BAD_DATE),
				 errmsg("demand \"%s\": %s %s is out of range", tuple_text(tup, desc, "ref"), column,
						date_text(day)),
				 errhint("Give a date from 1900 to 2999.")));
}

static void
check_demand(HeapTuple tup, TupleDesc desc)
{
	bool		isnull;
	Datum		d = SPI_getbinval(tup, desc, SPI_fnumber(desc, "quantity"), &isnull);
	Fault		fault = {0};

	if (!isnull)
		(void) quantity_check(DatumGetNumeric(d),
							  psprintf("demand \"%s\": quantity", tuple_text(tup, desc, "ref")), &fault);
	if (fault.sqlerrcode)
		fault_raise(&fault);
	check_demand_day(tup, desc, "needed_on");
	check_demand_day(tup, desc, "arrives_on");
}

static int64
tuple_quantity(HeapTuple tup, TupleDesc desc, const char *column)
{
	bool		isnull;
	Datum		d = SPI_getbinval(tup, desc, SPI_fnumber(desc, column), &isnull);

	return isnull ? 0 : scaled_from_datum(d);
}

static void
note_demand(HeapTuple tup, TupleDesc desc, const char *what)
{
	char	   *ref = tuple_text(tup, desc, "ref");

	if (ref != NULL)
		notes_add(NOTE_DEMAND, tuple_tenant(tup, desc), ref, what);
}

/* BEFORE row trigger of demand; "posted" as of supply. */
Datum
routing_note_demand(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;
	int			posted;
	Datum		yes = BoolGetDatum(true);
	bool		notnull = false;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(tg->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a BEFORE row trigger", "note_demand")));

	desc = RelationGetDescr(tg->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_newtuple : tg->tg_trigtuple;
	if (TRIGGER_FIRED_BY_DELETE(tg->tg_event))
	{
		note_demand(row, desc, "");
		return PointerGetDatum(row);
	}
	check_demand(row, desc);
	if (TRIGGER_FIRED_BY_INSERT(tg->tg_event) && column_is_true(row, desc, "posted"))
		return PointerGetDatum(row);
	note_demand(row, desc, TRIGGER_FIRED_BY_UPDATE(tg->tg_event) &&
				tuple_quantity(row, desc, "shipped") > tuple_quantity(tg->tg_trigtuple, desc, "shipped") ?
				"shipped" : "");
	if (TRIGGER_FIRED_BY_UPDATE(tg->tg_event))
		note_demand(tg->tg_trigtuple, desc, "");
	posted = SPI_fnumber(desc, "posted");
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &posted, &yes, &notnull));
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
	if (native && (strcmp(name, "supply") == 0 || strcmp(name, "supply_rule") == 0 || strcmp(name, "item_node") == 0 ||
				   strcmp(name, "allotment") == 0 || strcmp(name, "calendar_day") == 0))
		notes_add(NOTE_LEDGER_ALL, 0, "", "");
	else if (native && strcmp(name, "demand") == 0)
		notes_add(NOTE_DEMAND_ALL, 0, "", "");
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
