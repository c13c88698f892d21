/*
 * change.c
 *		Supply changes: noted by row, applied to positions and judged at commit.
 *
 * The row triggers only note item-nodes, so that the two halves of a receipt
 * are judged together.  At commit the position is locked and its supply is
 * summed anew from the rows of the supply table: whatever was inserted,
 * updated and deleted, and in which order, comes to the same.  Others who
 * changed supply of this item-node and have not settled yet will sum again
 * when they hold the lock; so the last one to settle sees everything.
 *
 * Guarantee: after ledger_apply_changes() no balance over the covered
 * bookings is negative that bookings could repair.  The ERP is never refused
 * for telling the truth about its stock; bookings give way.
 */
#include "ledger/change.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/json.h"
#include "base/notes.h"
#include "base/quantity.h"
#include "ledger/offer.h"
#include "ledger/reference.h"
#include "ledger/rules.h"
#include "network/network.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(routing_note_ledger);
PG_FUNCTION_INFO_V1(routing_note_truncate);

static EnginePlan plan_supply = {
	"SELECT available_on, quantity, kind, status, lot, expires_on FROM routing.supply"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND order_id = ''",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_item_node = {
	"SELECT safety_stock, enabled, lead_time_days, dock_days FROM routing.item_node"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/*
 * Whom a shortage hits: bookings needed on or before the first day with a
 * negative balance, the least important first, then the latest promise, then
 * the youngest.  Bookings do not tell the age; the order's does.
 */
static EnginePlan plan_candidates = {
	"SELECT r.order_id, r.line_no, r.part, r.quantity, r.needed_on"
	" FROM routing.reservation r"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL"
	"   AND r.state = 'firm' AND r.needed_on <= $4"
	" ORDER BY COALESCE(o.priority, c.priority, 5) DESC, r.deliver_on DESC,"
	"          r.\"from\" DESC, r.order_id DESC, r.line_no DESC, r.part DESC",
	4, {INT4OID, TEXTOID, TEXTOID, DATEOID}, NULL
};

static EnginePlan plan_uncover = {
	"UPDATE routing.reservation SET state = 'uncovered'"
	" WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4",
	4, {INT4OID, TEXTOID, INT4OID, INT4OID}, NULL
};

/* the part that keeps its supply stays in its row, the rest becomes a new one */
static EnginePlan plan_shrink = {
	"UPDATE routing.reservation SET quantity = $5"
	" WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4",
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, NUMERICOID}, NULL
};

static EnginePlan plan_split = {
	"INSERT INTO routing.reservation (tenant_id, order_id, line_no, part, item, node, lot, quantity,"
	" needed_on, ship_on, deliver_on, service, shipment_no, basis, expires_at, state, decision_id)"
	" SELECT tenant_id, order_id, line_no,"
	"  (SELECT max(m.part) + 1 FROM routing.reservation m"
	"   WHERE m.tenant_id = $1 AND m.order_id = $2 AND m.line_no = $3),"
	"  item, node, lot, $5, needed_on, ship_on, deliver_on, service, shipment_no, basis, expires_at,"
	"  'uncovered', decision_id"
	" FROM routing.reservation WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3 AND part = $4",
	5, {INT4OID, TEXTOID, INT4OID, INT4OID, NUMERICOID}, NULL
};

/* ------------------------------------------------------------------------
 * Noting
 * ------------------------------------------------------------------------ */

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
	int			posted;
	Datum		yes = BoolGetDatum(true);
	bool		notnull = false;

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

/* ------------------------------------------------------------------------
 * Applying and judging
 * ------------------------------------------------------------------------ */

/* Sum the supply of a locked position anew and take over its settings. */
static void
sum_supply(Position *pos, const NetNode *node)
{
	Datum		args[3];
	bool		isnull;
	int			n;
	int32		dock_days = node ? node->dock_days : 0;

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);

	n = (int) engine_exec(&plan_item_node, args, NULL, ENGINE_FRESH);
	pos->safety_stock = n > 0 ? scaled_from_datum(spi_datum(0, 1, &isnull)) : 0;
	pos->enabled = n > 0 ? DatumGetBool(spi_datum(0, 2, &isnull)) : true;
	pos->lead_time = -1;
	if (n > 0)
	{
		int32		days = DatumGetInt32(spi_datum(0, 3, &isnull));

		pos->lead_time = isnull ? -1 : days;
		days = DatumGetInt32(spi_datum(0, 4, &isnull));
		dock_days = isnull ? dock_days : days;
	}
	SPI_freetuptable(SPI_tuptable);

	timeline_clear_supply(&pos->timeline);
	n = (int) engine_exec(&plan_supply, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
	{
		DateADT		day = DatumGetDateADT(spi_datum(i, 1, &isnull));
		SupplyRule	rule = supply_rule(pos->key.tenant_id, spi_text(i, 3), spi_text(i, 4));

		if (!rule.usable)
			continue;
		if (day != ON_HAND_DAY)
			day += dock_days + rule.delay_days;
		timeline_add_supply(&pos->timeline, day, rule.late_days - 1,
							scaled_from_datum(spi_datum(i, 2, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
	position_set_special(pos);

	pos->steps_valid = false;
	pos->dirty = true;
}

static void
add_victim(ChangeResult *result, Position *pos, const char *order_id, int line_no,
		   int64 quantity, DateADT needed_on)
{
	Victim	   *v;

	if (result->victims == NULL)
		result->victims = palloc(sizeof(Victim) * 8);
	else if (result->nvictims >= 8 && (result->nvictims & (result->nvictims - 1)) == 0)
		result->victims = repalloc(result->victims, sizeof(Victim) * result->nvictims * 2);
	v = &result->victims[result->nvictims++];
	v->tenant_id = pos->key.tenant_id;
	v->order_id = pstrdup(order_id);
	v->line_no = line_no;
	v->item = pstrdup(pos->key.item);
	v->node = pstrdup(pos->key.node);
	v->quantity = quantity;
	v->needed_on = needed_on;
}

typedef struct Candidate
{
	char	   *order_id;
	int			line_no;
	int			part;
	int64		quantity;
	DateADT		needed_on;
} Candidate;

static int
load_candidates(Position *pos, DateADT until, Candidate **candidates)
{
	Datum		args[4];
	int			n;
	bool		isnull;

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(pos->key.item);
	args[2] = CStringGetTextDatum(pos->key.node);
	args[3] = DateADTGetDatum(until);
	n = (int) engine_exec(&plan_candidates, args, NULL, ENGINE_FRESH);
	*candidates = palloc(sizeof(Candidate) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Candidate  *c = &(*candidates)[i];

		c->order_id = spi_text(i, 1);
		c->line_no = DatumGetInt32(spi_datum(i, 2, &isnull));
		c->part = DatumGetInt32(spi_datum(i, 3, &isnull));
		c->quantity = scaled_from_datum(spi_datum(i, 4, &isnull));
		c->needed_on = DatumGetDateADT(spi_datum(i, 5, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Mark a booking, or "quantity" of it, as uncovered. */
static void
uncover(Position *pos, const Candidate *c, int64 quantity, ChangeResult *result)
{
	Datum		args[5];
	StockBooking stock = {.min_expiry = DATEVAL_NOBEGIN, .lot = ""};

	args[0] = Int32GetDatum(pos->key.tenant_id);
	args[1] = CStringGetTextDatum(c->order_id);
	args[2] = Int32GetDatum(c->line_no);
	args[3] = Int32GetDatum(c->part);
	if (quantity == c->quantity)
		(void) engine_exec(&plan_uncover, args, NULL, ENGINE_FRESH);
	else
	{
		args[4] = NumericGetDatum(scaled_to_numeric(quantity));
		(void) engine_exec(&plan_split, args, NULL, ENGINE_FRESH);
		args[4] = NumericGetDatum(scaled_to_numeric(c->quantity - quantity));
		(void) engine_exec(&plan_shrink, args, NULL, ENGINE_FRESH);
	}
	stock.needed_on = c->needed_on;
	position_book(pos, &stock, -quantity);
	add_victim(result, pos, c->order_id, c->line_no, quantity, c->needed_on);
}

/*
 * Take bookings out until no balance is negative that bookings can repair,
 * but only the quantity that is missing, and only of bookings needed on or
 * before the first negative day.  What stays negative is the ERP's own, a
 * negative on hand; the days after it are judged all the same.
 */
static void
judge(Position *pos, DateADT today, ChangeResult *result)
{
	DateADT		day = today - 1;
	int64		missing;

	while (timeline_next_negative(&pos->timeline, today, day, &day, &missing))
	{
		Candidate  *candidates;
		int			n = load_candidates(pos, day, &candidates);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n && missing > 0; i++)
		{
			int64		quantity = Min(missing, candidates[i].quantity);

			uncover(pos, &candidates[i], quantity, result);
			missing -= quantity;
		}
	}
}

static void
measure(Position *pos, const OfferRequest *req, int64 *on_hand, int64 *promised, int64 *atp)
{
	const AtpStep *steps;
	int			n = position_offer(pos, req, &steps);

	*on_hand = timeline_on_hand(&pos->timeline);
	*promised = timeline_promised(&pos->timeline);
	*atp = steps_at(steps, n, req->today);
}

/*
 * Make the rows of positions that have none.  What is said to be at an
 * unknown item or node is refused: a RT001 or RT002 error.
 */
void
ledger_prepare_changes(Ledger *ledger, Position **positions, int n)
{
	for (int i = 0; i < n; i++)
	{
		Fault		fault = {0};
		Position   *pos = positions[i];

		if (pos->exists)
			continue;
		if (!item_exists(pos->key.tenant_id, pos->key.item))
			fault_unknown_item(&fault, "supply: ", pos->key.item);
		else if (network_find_node(network_get(pos->key.tenant_id), pos->key.node) < 0)
			fault_unknown_node(&fault, "supply: ", pos->key.node);
		if (fault.sqlerrcode)
			fault_raise(&fault);
	}
	if (n > 0)
		ledger_create_missing(ledger, positions, n);
}

/*
 * Bring prepared positions up to date with their supply and judge them.  SPI
 * is connected; the positions are locked here in the global order unless the
 * caller has done so, together with others.
 */
void
ledger_apply_changes(Ledger *ledger, Position **positions, int n, ChangeResult *result)
{
	TimestampTz now = clock_now();

	memset(result, 0, sizeof(*result));
	if (n == 0)
		return;
	ledger_lock_all(ledger, positions, n);

	result->changes = palloc_extended(sizeof(StockChange) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		Position   *pos = positions[i];
		StockChange *c = &result->changes[result->nchanges];
		const Network *net = network_get(pos->key.tenant_id);
		const NetNode *nodes;
		int			node = network_find_node(net, pos->key.node);
		OfferRequest req;

		CHECK_FOR_INTERRUPTS();
		if (!pos->exists)
			continue;
		if (node < 0)
		{
			/* the node went together with its supply */
			sum_supply(pos, NULL);
			judge(pos, (DateADT) (now / USECS_PER_DAY), result);
			continue;
		}
		(void) network_nodes(net, &nodes);
		offer_request_init(&req, node_date(&nodes[node], now), now);
		c->pos = pos;
		measure(pos, &req, &c->on_hand_before, &c->promised_before, &c->atp_before);
		sum_supply(pos, &nodes[node]);
		judge(pos, req.today, result);
		measure(pos, &req, &c->on_hand_after, &c->promised_after, &c->atp_after);
		if (c->on_hand_after != c->on_hand_before)
			result->nchanges++;
	}
}
