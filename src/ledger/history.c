/*
 * history.c
 *		What supply and item-nodes said before.
 *
 * A row of routing.supply or routing.item_node says since when ("from") it is
 * as it is; when a fact in it changes or it goes, what it said until then is
 * kept in a table beside it.  All changes of a transaction have one time, that
 * of its first, so that no moment lies between the two halves of a receipt;
 * what a transaction changes twice leaves one row.  The time is when the change
 * was made: others know it from the commit on.
 *
 * Rows are written directly, so whoever may change supply needs no right to
 * its history.
 */
#include "ledger/history.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/store.h"
#include "ledger/tell.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "storage/proc.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/xid8.h"

PG_FUNCTION_INFO_V1(routing_record_history);
PG_FUNCTION_INFO_V1(routing_record_truncate);

static LocalTransactionId clock_lxid = InvalidLocalTransactionId;
static TimestampTz clock_time;

/* The time of all changes of this transaction. */
static TimestampTz
clock_of_changes(void)
{
	if (clock_lxid != routing_my_lxid)
	{
		clock_time = clock_now();
		clock_lxid = routing_my_lxid;
	}
	return clock_time;
}

/* Whether a column says nothing about supply. */
static bool
is_our_own(const char *column)
{
	return strcmp(column, "posted") == 0 || strcmp(column, "from") == 0;
}

/* Whether two versions of a row say something different. */
static bool
facts_differ(HeapTuple a, HeapTuple b, TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool		anull,
					bnull;
		Datum		ad,
					bd;

		if (att->attisdropped || is_our_own(NameStr(att->attname)))
			continue;
		ad = heap_getattr(a, i + 1, desc, &anull);
		bd = heap_getattr(b, i + 1, desc, &bnull);
		if (anull != bnull || (!anull && !datum_image_eq(ad, bd, att->attbyval, att->attlen)))
			return true;
	}
	return false;
}

/* Since when a row that somebody writes says what it does. */
TimestampTz
history_since(HeapTuple old_row, HeapTuple row, TupleDesc desc)
{
	TimestampTz now = clock_of_changes();
	bool		isnull;
	Datum		since;

	if (old_row == NULL)
		return now;
	since = heap_getattr(old_row, SPI_fnumber(desc, "from"), desc, &isnull);
	if (isnull)
		return now;
	/* nothing becomes valid before what was there */
	return facts_differ(old_row, row, desc) ? Max(now, DatumGetTimestampTz(since)) :
		DatumGetTimestampTz(since);
}

/* The transaction that wrote a row, or invalid if that is long ago. */
static FullTransactionId
writer_of(HeapTuple tup)
{
	TransactionId xid = HeapTupleHeaderGetXmin(tup->t_data);
	FullTransactionId next = ReadNextFullTransactionId();
	uint32		epoch = EpochFromFullTransactionId(next);

	if (!TransactionIdIsNormal(xid))
		return InvalidFullTransactionId;
	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return FullTransactionIdFromEpochAndXid(epoch, xid);
}

/* The history of a table of ours has the same columns and some of its own. */
static void
fill(Store *store, HeapTuple tup, TupleDesc desc, TimestampTz until)
{
	TupleDesc	own = RelationGetDescr(store->rel);

	for (int i = 0; i < own->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(own, i)->attname);

		store->nulls[i] = false;
		if (TupleDescAttr(own, i)->attisdropped)
			store->nulls[i] = true;
		else if (strcmp(name, "to") == 0)
			store->values[i] = TimestampTzGetDatum(until);
		else if (strcmp(name, "to_xid") == 0)
			store->values[i] = FullTransactionIdGetDatum(GetTopFullTransactionId());
		else if (strcmp(name, "xid") == 0)
		{
			FullTransactionId xid = writer_of(tup);

			store->values[i] = FullTransactionIdGetDatum(xid);
			store->nulls[i] = !FullTransactionIdIsValid(xid);
		}
		else
		{
			int			attno = SPI_fnumber(desc, name);

			if (attno > 0)
				store->values[i] = heap_getattr(tup, attno, desc, &store->nulls[i]);
			else
				store->nulls[i] = true;
		}
	}
}

/* AFTER UPDATE OR DELETE row trigger of supply and item_node. */
Datum
routing_record_history(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	TimestampTz since,
				until;
	bool		isnull;
	Store	   *store;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(tg->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as an AFTER row trigger", "record_history")));

	desc = RelationGetDescr(tg->tg_relation);
	if (TRIGGER_FIRED_BY_UPDATE(tg->tg_event) &&
		!facts_differ(tg->tg_trigtuple, tg->tg_newtuple, desc))
		return PointerGetDatum(NULL);
	since = DatumGetTimestampTz(heap_getattr(tg->tg_trigtuple, SPI_fnumber(desc, "from"), desc, &isnull));
	until = clock_of_changes();
	if (since >= until)
		return PointerGetDatum(NULL);	/* it has never been known */

	store = store_open_relid(get_relname_relid(psprintf("%s_history", RelationGetRelationName(tg->tg_relation)),
											   RelationGetNamespace(tg->tg_relation)));
	fill(store, tg->tg_trigtuple, desc, until);
	store_add(store);
	store_close(store);
	return PointerGetDatum(NULL);
}

static EnginePlan plan_truncate_supply = {
	"INSERT INTO routing.supply_history (tenant_id, item, node, ref, lot, available_on, quantity, expires_on,"
	"  kind, status, order_id, line_no, binding, source_key, \"from\", \"to\", to_xid)"
	" SELECT tenant_id, item, node, ref, lot, available_on, quantity, expires_on, kind, status, order_id,"
	"  line_no, binding, source_key, \"from\", $1, pg_catalog.pg_current_xact_id()"
	" FROM routing.supply WHERE \"from\" < $1",
	1, {TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_truncate_item_node = {
	"INSERT INTO routing.item_node_history (tenant_id, item, node, safety_stock, lead_time_days, dock_days,"
	"  enabled, \"from\", \"to\", to_xid)"
	" SELECT tenant_id, item, node, safety_stock, lead_time_days, dock_days, enabled, \"from\", $1,"
	"  pg_catalog.pg_current_xact_id()"
	" FROM routing.item_node WHERE \"from\" < $1",
	1, {TIMESTAMPTZOID}, NULL
};

/* BEFORE TRUNCATE statement trigger of the same tables. */
Datum
routing_record_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;
	bool		supply;
	EngineScope scope;
	Datum		until;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_TRUNCATE(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a TRUNCATE trigger", "record_truncate")));
	supply = strcmp(RelationGetRelationName(tg->tg_relation), "supply") == 0;
	until = TimestampTzGetDatum(clock_of_changes());
	engine_enter(&scope);
	SPI_connect();
	(void) engine_exec(supply ? &plan_truncate_supply : &plan_truncate_item_node, &until, NULL, ENGINE_FRESH);
	if (supply)
		dated_supply_note_all(tg->tg_relation);
	SPI_finish();
	engine_leave(&scope);
	return PointerGetDatum(NULL);
}
