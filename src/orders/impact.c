/*
 * impact.c
 *		What it would do if an inbound came later, or with less.
 *
 * The same as when it happens, but in memory: the supply is changed in the
 * positions of a ledger that only reads, the judgement chooses whose bookings
 * lose their supply, and their orders are planned again with what is left,
 * one after the other.  Writes nothing and locks nothing.
 */
#include "orders/order.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "ledger/lots.h"
#include "ledger/rules.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(routing_impact);

/* a booking, or a part of it, that would lose its supply */
typedef struct Loss
{
	const char *order_id;
	int			line_no;
	const char *item;
	const char *node;
	int64		quantity;
	DateADT		deliver_on;
	SalesOrder *order;			/* NULL: a hold or other demand */
} Loss;

/* a row of the supply that changes */
typedef struct Slip
{
	const char *item;
	const NetNode *node;
	const char *lot;
	int64		old_key;		/* day and lateness, see supply_key() */
	int64		new_key;
	int64		old_quantity;
	int64		new_quantity;
} Slip;

typedef struct Impact
{
	int32		tenant_id;
	TimestampTz now;
	const char *ref;
	bool		has_date;
	DateADT		date;
	bool		has_quantity;
	int64		quantity;
	Ledger	   *ledger;
	int			nslips;
	Slip	   *slips;			/* by item and node */
	int			npositions;
	Position  **positions;
	int			nlosses;
	int			cap_losses;
	Loss	   *losses;
	int			norders;
	SalesOrder **orders;
	ReturnSetInfo *rsinfo;
} Impact;

static EnginePlan plan_supply = {
	"SELECT s.item, s.node, s.available_on, s.quantity, s.kind, s.status, i.dock_days, s.lot"
	" FROM routing.supply s"
	" LEFT JOIN routing.item_node i ON i.tenant_id = s.tenant_id AND i.item = s.item AND i.node = s.node"
	" WHERE s.tenant_id = $1 AND s.ref = $2 AND s.order_id = ''"
	" ORDER BY s.item, s.node, s.lot",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_inbound = {
	"SELECT s.item, s.node, s.available_on, s.quantity, s.kind, s.status, i.dock_days, s.ref"
	" FROM routing.supply s"
	" LEFT JOIN routing.item_node i ON i.tenant_id = s.tenant_id AND i.item = s.item AND i.node = s.node"
	" WHERE s.tenant_id = $1 AND s.item = $2 AND s.node = $3 AND s.order_id = ''"
	"  AND s.available_on > '-infinity' AND s.quantity > 0"
	" ORDER BY s.ref",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* The day, but for the calendar, on which inbound of row "i" counts. */
static DateADT
row_day(DateADT date, const NetNode *node, const SupplyRule *rule, int i)
{
	bool		isnull;
	int32		dock = DatumGetInt32(spi_datum(i, 7, &isnull));

	return date == ON_HAND_DAY ? date : node_stock_day(node, date + rule->delay_days, isnull ? node->dock_days : dock);
}

static void
read_slips(Impact *im)
{
	Datum		args[2];
	int			n;

	args[0] = Int32GetDatum(im->tenant_id);
	args[1] = CStringGetTextDatum(im->ref);
	n = (int) engine_exec(&plan_supply, args, NULL, ENGINE_READ);
	if (n == 0)
		ereport(ERROR,
				(errcode(RT_UNKNOWN_SUPPLY),
				 errmsg("there is no supply with ref \"%s\"", im->ref),
				 errhint("Give the ref of a row of routing.supply that is not dedicated to an order.")));
	if (n > 1 && im->has_quantity)
		ereport(ERROR,
				(errcode(RT_SUPPLY_HAS_LOTS),
				 errmsg("ref \"%s\" has %d rows of supply, so a quantity for it means nothing", im->ref, n),
				 errhint("Ask for the date only.")));
	im->slips = palloc(sizeof(Slip) * n);
	for (int i = 0; i < n; i++)
	{
		Slip	   *slip = &im->slips[im->nslips];
		const NetNode *node = network_node(network_get(im->tenant_id), spi_text(i, 2));
		SupplyRule	rule = supply_rule(im->tenant_id, spi_text(i, 5), spi_text(i, 6));
		bool		isnull;
		DateADT		date = DatumGetDateADT(spi_datum(i, 3, &isnull));
		DateADT		new_date = im->has_date ? im->date : date;

		if (node == NULL || !rule.usable)
			continue;
		slip->item = spi_text(i, 1);
		slip->node = node;
		slip->lot = spi_text(i, 8);
		slip->old_quantity = scaled_from_datum(spi_datum(i, 4, &isnull));
		slip->new_quantity = im->has_quantity ? im->quantity : slip->old_quantity;
		slip->old_key = supply_key(row_day(date, node, &rule, i), date == ON_HAND_DAY ? 0 : rule.late_days - 1);
		slip->new_key = supply_key(row_day(new_date, node, &rule, i),
								   new_date == ON_HAND_DAY ? 0 : rule.late_days - 1);
		im->nslips++;
	}
}

/* Where lots matter, what they are made of is read, changed and put together anew. */
static void
change_lots(Impact *im, Position *pos, const Slip *slips, int nslips)
{
	LotRow	   *rows;
	int			n = position_supply(&pos->key, position_dock_days(&pos->key, ENGINE_READ), &rows, ENGINE_READ);

	for (int k = 0; k < nslips; k++)
	{
		for (int i = 0; i < n; i++)
		{
			if (rows[i].key != slips[k].old_key || rows[i].quantity != slips[k].old_quantity ||
				strcmp(rows[i].lot, slips[k].lot) != 0)
				continue;
			rows[i].key = slips[k].new_key;
			rows[i].quantity = slips[k].new_quantity;
			break;
		}
	}
	lots_pin_sum(pos, rows, n, ENGINE_READ);
}

/* Change the supply in the positions that it is at. */
static void
change_supply(Impact *im)
{
	im->positions = palloc(sizeof(Position *) * Max(im->nslips, 1));
	for (int first = 0, next; first < im->nslips; first = next)
	{
		const Slip *slip = &im->slips[first];
		Position   *pos = ledger_get(im->ledger, im->tenant_id, slip->item, slip->node->node);

		for (next = first; next < im->nslips && strcmp(im->slips[next].item, slip->item) == 0 &&
			 im->slips[next].node == slip->node; next++)
		{
			const Slip *own = &im->slips[next];

			if (!pos->exists)
				continue;
			timeline_add_supply(&pos->timeline, supply_key_day(own->old_key), supply_key_late(own->old_key),
								-own->old_quantity);
			timeline_add_supply(&pos->timeline, supply_key_day(own->new_key), supply_key_late(own->new_key),
								own->new_quantity);
		}
		if (!pos->exists)
			continue;
		if (pos->lots.n > 0)
			change_lots(im, pos, slip, next - first);
		position_set_special(pos);
		im->positions[im->npositions++] = pos;
	}
}

static void
add_loss(Impact *im, const Loss *loss)
{
	if (im->nlosses == im->cap_losses)
	{
		im->cap_losses = im->cap_losses ? im->cap_losses * 2 : 16;
		im->losses = im->losses == NULL ? palloc(sizeof(Loss) * im->cap_losses) :
			repalloc_huge(im->losses, sizeof(Loss) * im->cap_losses);
	}
	im->losses[im->nlosses++] = *loss;
}

/* The order of a booking, loaded once; NULL for a hold or other demand. */
static SalesOrder *
order_of(Impact *im, const char *order_id)
{
	SalesOrder *order;

	if (strncmp(order_id, "hold:", 5) == 0 || strncmp(order_id, "demand:", 7) == 0)
		return NULL;
	for (int i = 0; i < im->norders; i++)
	{
		if (strcmp(im->orders[i]->order_id, order_id) == 0)
			return im->orders[i];
	}
	order = order_load(im->tenant_id, order_id, ORDER_NO_LOCK);
	order->clock = im->now;
	order_check(order);
	if ((im->norders & (im->norders - 1)) == 0)
		im->orders = im->norders == 0 ? palloc(sizeof(SalesOrder *)) :
			repalloc_huge(im->orders, sizeof(SalesOrder *) * im->norders * 2);
	im->orders[im->norders++] = order;
	return order;
}

/* A booking of the order, or "quantity" of it, is without supply. */
static void
lose(Impact *im, SalesOrder *order, int index, int64 quantity)
{
	Booking    *b = &order->bookings[index];

	if (quantity < b->quantity)
	{
		(void) booking_divide(order, index, quantity);
		b = &order->bookings[index];
	}
	b->state = BOOKING_UNCOVERED;
	b->firm = false;
}

static void
take(Impact *im, Position *pos, const JudgeChoice *c)
{
	const BookingRow *row = &c->booked.row;
	Loss		loss = {row->order_id, row->line_no, pos->key.item, pos->key.node, c->taken, c->booked.deliver_on, NULL};

	position_book(pos, &c->booked.stock, -c->taken);
	loss.order = order_of(im, row->order_id);
	add_loss(im, &loss);
	if (loss.order == NULL)
		return;
	for (int i = 0; i < loss.order->nbookings; i++)
	{
		const Booking *b = &loss.order->bookings[i];

		if (b->line_no == row->line_no && b->part == row->part && b->firm)
		{
			lose(im, loss.order, i, c->taken);
			return;
		}
	}
}

/* An order that is shipped whole or not at all loses all the rest, too. */
static void
free_whole(Impact *im, SalesOrder *order)
{
	if (strcmp(order->completeness, "none") == 0 || strcmp(order->completeness, "line") == 0)
		return;
	for (int i = 0; i < order->nbookings; i++)
	{
		Booking    *b = &order->bookings[i];
		Loss		loss = {order->order_id, b->line_no, b->item, b->node, b->quantity, b->deliver_on, order};

		if (!b->firm || !booking_counts(b))
			continue;
		position_book(ledger_get(im->ledger, im->tenant_id, b->item, b->node), &b->stock, -b->quantity);
		lose(im, order, i, b->quantity);
		add_loss(im, &loss);
	}
}

static void
judge(Impact *im)
{
	int			norders;

	for (int i = 0; i < im->npositions; i++)
	{
		Position   *pos = im->positions[i];
		JudgeChoice *choices;
		int			n = judge_choose(im->ledger, pos, node_date(network_node(network_get(im->tenant_id), pos->key.node), im->now),
									 im->now, &choices);

		for (int j = 0; j < n; j++)
			take(im, pos, &choices[j]);
	}
	norders = im->norders;
	for (int i = 0; i < norders; i++)
		free_whole(im, im->orders[i]);
}

/* The inbound that a booking on it waits for: the last that comes in time. */
static const char *
waits_for(Impact *im, const Booking *b)
{
	const NetNode *node = network_node(network_get(im->tenant_id), b->node);
	DateADT		today = node_date(node, im->now);
	DateADT		best = ON_HAND_DAY;
	const char *ref = NULL;
	Datum		args[3];
	int			n;

	args[0] = Int32GetDatum(im->tenant_id);
	args[1] = CStringGetTextDatum(b->item);
	args[2] = CStringGetTextDatum(b->node);
	n = (int) engine_exec(&plan_inbound, args, NULL, ENGINE_READ);
	for (int i = 0; i < n; i++)
	{
		SupplyRule	rule = supply_rule(im->tenant_id, spi_text(i, 5), spi_text(i, 6));
		const char *own = spi_text(i, 8);
		bool		isnull;
		DateADT		day = DatumGetDateADT(spi_datum(i, 3, &isnull));

		if (!rule.usable || (strcmp(own, im->ref) == 0 && im->has_quantity && im->quantity <= 0))
			continue;
		if (strcmp(own, im->ref) == 0 && im->has_date)
			day = im->date;
		day = effective_day(row_day(day, node, &rule, i), rule.late_days - 1, today);
		if (day <= b->stock.needed_on && day >= best)
		{
			best = day;
			ref = own;
		}
	}
	return ref;
}

static void
put(Impact *im, const Loss *loss, int64 quantity, const Booking *b)
{
	Datum		values[9];
	bool		nulls[9] = {false};
	char	   *repair = psprintf("%s", loss->order == NULL ? "stays uncovered" : "backordered");

	memset(values, 0, sizeof(values));
	if (b != NULL)
	{
		const char *ref = b->on_hand ? NULL : waits_for(im, b);
		bool		moves = strcmp(b->node, loss->node) != 0;

		repair = psprintf("%s%s%s%s%s",
						  moves ? "re-route to " : "", moves ? b->node : "",
						  moves && !b->on_hand ? ", " : "",
						  b->on_hand ? (moves ? "" : "from stock") : "waits for ",
						  b->on_hand ? "" : ref != NULL ? (ref[0] ? ref : "inbound") : "supply");
	}
	values[0] = CStringGetTextDatum(loss->order_id);
	values[1] = Int32GetDatum(loss->line_no);
	values[2] = CStringGetTextDatum(loss->item);
	values[3] = CStringGetTextDatum(loss->node);
	values[4] = NumericGetDatum(scaled_to_numeric(quantity));
	values[5] = DateADTGetDatum(loss->deliver_on);
	nulls[6] = nulls[8] = b == NULL;
	if (b != NULL)
	{
		values[6] = DateADTGetDatum(b->deliver_on);
		values[8] = CStringGetTextDatum(b->node);
	}
	values[7] = CStringGetTextDatum(repair);
	tuplestore_putvalues(im->rsinfo->setResult, im->rsinfo->setDesc, values, nulls);
}

/* One row for each place where a loss finds another supply, and for the rest. */
static void
put_loss(Impact *im, const Loss *loss)
{
	int64		open = loss->quantity;

	for (int i = 0; loss->order != NULL && i < loss->order->nbookings && open > 0; i++)
	{
		Booking    *b = &loss->order->bookings[i];
		int64		quantity = Min(open, b->quantity);

		/* what is told is told */
		if (!b->is_new || b->line_no != loss->line_no || quantity <= 0 ||
			(b->component > 0 && strcmp(b->item, loss->item) != 0))
			continue;
		b->quantity -= quantity;
		open -= quantity;
		put(im, loss, quantity, b);
	}
	if (open > 0)
		put(im, loss, open, NULL);
}

/* Arguments: reference of the supply, its new day, its new quantity. */
Datum
routing_impact(PG_FUNCTION_ARGS)
{
	Impact		im = {0};
	Fault		fault = {0};

	if (PG_ARGISNULL(0) || VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0)
		fault_set(&fault, RT_UNKNOWN_SUPPLY, "Give the ref of a row of routing.supply.",
				  "ref must not be null or empty");
	else if (!PG_ARGISNULL(1) && (DATE_NOT_FINITE(PG_GETARG_DATEADT(1)) ||
								  PG_GETARG_DATEADT(1) < date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE ||
								  PG_GETARG_DATEADT(1) > date2j(2999, 12, 31) - POSTGRES_EPOCH_JDATE))
		fault_set(&fault, RT_BAD_DATE, "Give a date from 1900 to 2999.", "new_date is out of range");
	else if (!PG_ARGISNULL(2))
	{
		ScaledStatus status = scaled_from_numeric(PG_GETARG_NUMERIC(2), &im.quantity);

		if (status != SCALED_OK || im.quantity < 0)
			fault_set(&fault, RT_BAD_QUANTITY,
					  "A quantity is 0 or more, at most 100000000000, and has at most 4 decimals.",
					  "new_quantity %s %s",
					  DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(2))),
					  status == SCALED_OK ? "is negative" : scaled_problem(status));
	}
	if (fault.sqlerrcode)
		fault_raise(&fault);

	InitMaterializedSRF(fcinfo, 0);
	im.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	im.tenant_id = tenant_current();
	im.now = clock_now();
	im.ref = text_to_cstring(PG_GETARG_TEXT_PP(0));
	im.has_date = !PG_ARGISNULL(1);
	if (im.has_date)
		im.date = PG_GETARG_DATEADT(1);
	im.has_quantity = !PG_ARGISNULL(2);

	SPI_connect();
	im.ledger = ledger_open(false);
	read_slips(&im);
	change_supply(&im);
	judge(&im);
	for (int i = 0; i < im.norders; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (im.orders[i]->fault.sqlerrcode != 0)
			continue;
		kits_give_back(im.orders[i], im.ledger);
		orders_preview(&im.orders[i], 1, im.ledger);
	}
	for (int i = 0; i < im.nlosses; i++)
		put_loss(&im, &im.losses[i]);
	ledger_close(im.ledger);
	SPI_finish();
	return (Datum) 0;
}
