/*
 * table.c
 *		Availability as a relation: atp_table.
 *
 * Reads the rows of routing.position directly, under the caller's snapshot,
 * so it works on a standby, in a parallel worker, and assigns no transaction
 * id.  Nearly every row is plain: its offer is computed where it lies, and
 * what is allocated on the way is thrown away with the row.  The rows of a
 * hot item-node, which may be anywhere in the table, are put together and
 * come last.
 */
#include "ledger/position.h"

#include "base/cache.h"
#include "base/clock.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "ledger/channels.h"
#include "ledger/columns.h"
#include "ledger/merge.h"
#include "ledger/offer.h"
#include "ledger/reference.h"
#include "ledger/withheld.h"
#include "network/network.h"

#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(routing_atp_table);

#define NUM_NUMERICS	4096	/* a power of two */

/* what is asked of a node */
typedef struct TableNode
{
	const char *node;			/* NULL: a free place */
	int			length;
	bool		wanted;
	OfferRequest req;
	DateADT		from;
	DateADT		to;
} TableNode;

typedef struct TableScan
{
	int32		tenant_id;
	Tuplestorestate *store;
	TupleDesc	desc;
	MemoryContext row_context;
	MemoryContext context;
	TimestampTz now;
	int			npath;
	const char **path;
	bool		has_from;
	DateADT		from;
	bool		has_to;
	DateADT		to;
	int			nnodes;			/* places in nodes[], a power of two */
	TableNode  *nodes;
	bool		some_withheld;
	HotRows    *hot;
	int64		numeric_keys[NUM_NUMERICS];
	Numeric		numerics[NUM_NUMERICS];
} TableScan;

/* Quantities recur: most are made once per call. */
static Datum
quantity_datum(TableScan *ts, int64 quantity)
{
	uint32		place = (uint32) murmurhash32((uint32) (quantity ^ (quantity >> 32))) % NUM_NUMERICS;

	if (ts->numerics[place] == NULL || ts->numeric_keys[place] != quantity)
	{
		MemoryContext old = MemoryContextSwitchTo(ts->context);

		if (ts->numerics[place] != NULL)
			pfree(ts->numerics[place]);
		ts->numerics[place] = scaled_to_numeric(quantity);
		ts->numeric_keys[place] = quantity;
		MemoryContextSwitchTo(old);
	}
	return NumericGetDatum(ts->numerics[place]);
}

static uint32
node_place(const TableScan *ts, const char *node, int length)
{
	uint32		place = hash_bytes((const unsigned char *) node, length) & (ts->nnodes - 1);

	while (ts->nodes[place].node != NULL &&
		   (ts->nodes[place].length != length || memcmp(ts->nodes[place].node, node, length) != 0))
		place = (place + 1) & (ts->nnodes - 1);
	return place;
}

static void
prepare_node(TableScan *ts, const NetNode *node)
{
	TableNode  *tn = &ts->nodes[node_place(ts, node->node, (int) strlen(node->node))];

	tn->node = node->node;
	tn->length = (int) strlen(node->node);
	offer_request_init(&tn->req, node_date(node, ts->now), ts->now);
	tn->req.npath = ts->npath;
	tn->req.path = ts->path;
	tn->req.within_horizon = true;
	tn->req.life_of_item = true;
	tn->from = ts->has_from ? Max(ts->from, tn->req.today) : tn->req.today;
	tn->to = ts->has_to ? Max(ts->to, tn->from) : tn->from;
}

static void
put(TableScan *ts, Datum item, Datum node, DateADT day, int64 available)
{
	Datum		values[4] = {item, node, DateADTGetDatum(day), quantity_datum(ts, available)};
	bool		nulls[4] = {false};

	tuplestore_putvalues(ts->store, ts->desc, values, nulls);
}

static void
put_steps(TableScan *ts, const TableNode *tn, Datum item, Datum node, const AtpStep *steps, int n)
{
	int64		shown = steps_at(steps, n, tn->from);

	put(ts, item, node, tn->from, shown);
	for (int i = 0; i < n && steps[i].day <= tn->to; i++)
	{
		if (steps[i].day <= tn->from || steps[i].available == shown)
			continue;
		shown = steps[i].available;
		put(ts, item, node, steps[i].day, shown);
	}
}

/* What a row without any of the rare columns offers. */
static void
put_plain(TableScan *ts, const TableNode *tn, TupleTableSlot *slot)
{
	Timeline	tl;
	AtpStep    *steps = NULL;
	int			n = 0;

	if (DatumGetBool(slot->tts_values[POS_ENABLED - 1]))
	{
		timeline_from_array(&tl, DatumGetArrayTypeP(slot->tts_values[POS_TIMELINE - 1]));
		if (tl.n > 0)
		{
			n = timeline_balances(&tl, tn->req.today, &steps);
			n = steps_of_balances(steps, n, DatumGetInt64(slot->tts_values[POS_SAFETY_STOCK - 1]));
		}
	}
	put_steps(ts, tn, slot->tts_values[POS_ITEM - 1], slot->tts_values[POS_NODE - 1], steps, n);
}

/* The same of any position, whose key is known. */
static void
put_position(TableScan *ts, const TableNode *tn, Position *pos, Datum item, Datum node)
{
	const AtpStep *steps;
	int			n;

	pos->withheld = ts->some_withheld &&
		supply_withheld(ts->tenant_id, pos->key.item, pos->key.node);
	if (pos->lots.n > 0)
	{
		pos->key.tenant_id = ts->tenant_id;
		pos->key.item = TextDatumGetCString(item);
	}
	n = position_offer(pos, &tn->req, &steps);
	put_steps(ts, tn, item, node, steps, n);
}

static void
put_row(TableScan *ts, TupleTableSlot *slot)
{
	MemoryContext old;
	text	   *node;
	const TableNode *tn;

	slot_getallattrs(slot);
	if (DatumGetInt32(slot->tts_values[POS_TENANT_ID - 1]) != ts->tenant_id)
		return;
	node = DatumGetTextPP(slot->tts_values[POS_NODE - 1]);
	tn = &ts->nodes[node_place(ts, VARDATA_ANY(node), (int) VARSIZE_ANY_EXHDR(node))];
	if (tn->node == NULL || !tn->wanted)
		return;
	if (DatumGetInt32(slot->tts_values[POS_SLOT - 1]) != 0 || DatumGetInt32(slot->tts_values[POS_SLOTS - 1]) != 0)
	{
		hot_rows_add(ts->hot, slot);
		return;
	}
	old = MemoryContextSwitchTo(ts->row_context);
	if (slot->tts_isnull[POS_LOTS - 1] && slot->tts_isnull[POS_HOLDS - 1] && slot->tts_isnull[POS_QUOTAS - 1] &&
		slot->tts_isnull[POS_CLAIMS - 1] && !ts->some_withheld)
		put_plain(ts, tn, slot);
	else
	{
		Position	pos = {0};

		position_decode(&pos, slot);
		pos.key.tenant_id = ts->tenant_id;
		pos.key.item = TextDatumGetCString(slot->tts_values[POS_ITEM - 1]);
		pos.key.node = TextDatumGetCString(slot->tts_values[POS_NODE - 1]);
		put_position(ts, tn, &pos, slot->tts_values[POS_ITEM - 1], slot->tts_values[POS_NODE - 1]);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(ts->row_context);
}

/* The codes of an array argument; a null among them is an error. */
static int
codes_argument(FunctionCallInfo fcinfo, int arg, int sqlerrcode, const char *what, Datum **codes)
{
	bool	   *nulls;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT, codes, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(sqlerrcode),
					 errmsg("%s %d of %ss is null", what, i + 1, what),
					 errhint("Leave it out of the array.")));
	}
	return n;
}

static void
prepare_nodes(TableScan *ts, FunctionCallInfo fcinfo)
{
	const NetNode *nodes;
	int			n = network_nodes(network_get(ts->tenant_id), &nodes);
	Datum	   *wanted = NULL;
	int			nwanted = PG_ARGISNULL(1) ? -1 : codes_argument(fcinfo, 1, RT_UNKNOWN_NODE, "node", &wanted);

	for (ts->nnodes = 64; ts->nnodes < n * 4;)
		ts->nnodes *= 2;
	ts->nodes = palloc0(sizeof(TableNode) * ts->nnodes);
	for (int i = 0; i < n; i++)
		prepare_node(ts, &nodes[i]);
	for (int i = 0; i < ts->nnodes; i++)
		ts->nodes[i].wanted = nwanted < 0;
	for (int i = 0; i < nwanted; i++)
	{
		char	   *code = TextDatumGetCString(wanted[i]);
		TableNode  *tn = &ts->nodes[node_place(ts, code, (int) strlen(code))];
		Fault		fault = {0};

		if (tn->node == NULL)
		{
			fault_unknown_node(&fault, "", code);
			fault_raise(&fault);
		}
		tn->wanted = true;
	}
}

static int
compare_codes(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
scan_items(TableScan *ts, FunctionCallInfo fcinfo)
{
	Datum	   *items;
	int			n = codes_argument(fcinfo, 0, RT_UNKNOWN_ITEM, "item", &items);
	char	  **codes = palloc(sizeof(char *) * Max(n, 1));
	KeyScan		ks;

	for (int i = 0; i < n; i++)
		codes[i] = TextDatumGetCString(items[i]);
	qsort(codes, n, sizeof(char *), compare_codes);
	keyscan_open(&ks, engine_relid(TAB_POSITION), AccessShareLock, GetActiveSnapshot());
	for (int i = 0; i < n; i++)
	{
		bool		any = false;
		Fault		fault = {0};

		if (i > 0 && strcmp(codes[i], codes[i - 1]) == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		keyscan_start(&ks, ts->tenant_id, CStringGetTextDatum(codes[i]), 0);
		while (keyscan_next(&ks))
		{
			any = true;
			put_row(ts, ks.slot);
		}
		if (!any && !item_exists(ts->tenant_id, codes[i]))
		{
			fault_unknown_item(&fault, "", codes[i]);
			fault_raise(&fault);
		}
	}
	keyscan_close(&ks);
}

static void
scan_all(TableScan *ts)
{
	Relation	rel = table_open(engine_relid(TAB_POSITION), AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		put_row(ts, slot);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
}

/*
 * Arguments: items, nodes, first and last day, channel.  Per item-node a row
 * for the first day and one for each later day on which the ATP is another
 * than before.
 */
Datum
routing_atp_table(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TableScan  *ts = palloc0(sizeof(TableScan));
	Position   *pos;

	InitMaterializedSRF(fcinfo, 0);
	ts->tenant_id = tenant_current();
	ts->store = rsinfo->setResult;
	ts->desc = rsinfo->setDesc;
	ts->context = CurrentMemoryContext;
	ts->row_context = AllocSetContextCreate(CurrentMemoryContext, "routing atp_table row", ALLOCSET_SMALL_SIZES);
	ts->now = clock_of_transaction();
	ts->has_from = !PG_ARGISNULL(2);
	ts->has_to = !PG_ARGISNULL(3);
	if (ts->has_from)
		ts->from = PG_GETARG_DATEADT(2);
	if (ts->has_to)
		ts->to = PG_GETARG_DATEADT(3);
	if (!PG_ARGISNULL(4))
	{
		char	   *channel = text_to_cstring(PG_GETARG_TEXT_PP(4));
		Fault		fault = {0};

		if (!channel_exists(ts->tenant_id, channel))
		{
			fault_unknown_channel(&fault, channel);
			fault_raise(&fault);
		}
		ts->npath = channel_path(ts->tenant_id, channel, &ts->path);
	}
	prepare_nodes(ts, fcinfo);
	ts->some_withheld = supply_some_withheld();
	ts->hot = hot_rows_create();

	if (PG_ARGISNULL(0))
		scan_all(ts);
	else
		scan_items(ts, fcinfo);

	while ((pos = hot_rows_next(ts->hot)) != NULL)
	{
		const TableNode *tn = &ts->nodes[node_place(ts, pos->key.node, (int) strlen(pos->key.node))];

		put_position(ts, tn, pos, CStringGetTextDatum(pos->key.item), CStringGetTextDatum(pos->key.node));
	}
	MemoryContextDelete(ts->row_context);
	return (Datum) 0;
}
