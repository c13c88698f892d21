/*
 * issue.c
 *		Goods issues: what has left for an order, applied to its bookings.
 *
 * An issue belongs to a settlement: after the positions are locked and before
 * supply is summed and judged.  A booking whose stock fell before is closed at
 * once; one whose stock has yet to fall becomes issued, and falls.c closes it
 * when that is seen.  Either way the line is served by it for good.
 *
 * Lock order: the order's row (the caller's), on hand rows where the issue
 * lowers them, positions.  falls.c closes issued bookings under the lock of
 * the position alone, so an order in hand may find one closed meanwhile.
 */
#include "orders/issue.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "events/exception.h"
#include "ledger/falls.h"
#include "ledger/tell.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

static EnginePlan plan_lines = {
	"UPDATE routing.sales_order_line l SET status = $4, reason = NULL"
	" WHERE tenant_id = $1 AND order_id = $2 AND line_no = $3",
	4, {INT4OID, TEXTOID, INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_order = {
	"UPDATE routing.sales_order SET status = $3, event_version = $4,"
	" reason = CASE WHEN $3 = 'shipped' THEN NULL ELSE reason END"
	" WHERE tenant_id = $1 AND order_id = $2",
	4, {INT4OID, TEXTOID, TEXTOID, INT8OID}, NULL
};

/* what the line no longer waits for */
static EnginePlan plan_resolve = {
	RESOLVE_EXCEPTIONS "e.tenant_id = $1 AND e.order_id = $2 AND e.line_no = $3"
	" AND e.type NOT IN ('issue_unmatched', 'issue_without_booking')" RESOLVED_EXCEPTIONS "'auto'",
	3, {INT4OID, TEXTOID, INT4OID}, NULL
};

static EnginePlan plan_due = {
	"SELECT item, node FROM routing.issue_wait WHERE tenant_id = $1 AND until <= $2 ORDER BY 1, 2",
	2, {INT4OID, TIMESTAMPTZOID}, NULL
};

/* Whether stock on hand of a node is lowered by nobody but the issue. */
static bool
lowers(int32 tenant_id, const char *code)
{
	const NetNode *node = network_node(network_get(tenant_id), code);

	return node != NULL && !node->stock_feed;
}

/*
 * Whether an issue counts in the units of the line that a booking is for: it
 * names that, or nothing, and not the component or substitute that has left.
 */
static bool
in_line_units(const Shipment *sh, const Booking *b)
{
	return b->of != NULL && (sh->item == NULL || strcmp(sh->item, b->of) == 0);
}

/* So much of a booking's item is so much of an issue, and the other way round. */
static int64
issue_quantity(const Shipment *sh, const Booking *b)
{
	return in_line_units(sh, b) ? (int64) ((int128) b->quantity * SCALE / b->per) : b->quantity;
}

static int64
item_quantity(const Shipment *sh, const Booking *b, int64 quantity)
{
	return in_line_units(sh, b) ? (int64) Min((int128) quantity * b->per / SCALE, (int128) b->quantity) :
		Min(quantity, b->quantity);
}

/* An issue of kits concerns each of their components alike. */
static bool
same_share(const Shipment *sh, const Booking *a, const Booking *b)
{
	return !in_line_units(sh, a) || !in_line_units(sh, b) || a->component == b->component;
}

static bool
concerns(const Shipment *sh, const Booking *b)
{
	return (sh->line_no == 0 || b->line_no == sh->line_no) &&
		(sh->item == NULL || strcmp(b->item, sh->item) == 0 || in_line_units(sh, b)) &&
		(sh->node == NULL || strcmp(b->node, sh->node) == 0);
}

/*
 * Add an issue to a settlement.  The order is loaded and locked; only its
 * locked row keeps the set of item-nodes that its bookings are at.
 */
Shipment *
settlement_add_shipment(Settlement *s, const Shipment *shipment, SalesOrder *order)
{
	Shipment   *sh = palloc(sizeof(Shipment));
	char	  **items = palloc(sizeof(char *) * (order->nbookings + 1));
	char	  **nodes = palloc(sizeof(char *) * (order->nbookings + 1));
	int			n = 0;

	*sh = *shipment;
	sh->nparts = 0;
	sh->parts = NULL;
	sh->next = NULL;
	if (s->shipments == NULL)
		s->shipments = sh;
	else
		s->last_shipment->next = sh;
	s->last_shipment = sh;

	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];

		if (!concerns(sh, b))
			continue;
		settlement_touch(s, sh->tenant_id, b->item, b->node);
		items[n] = unconstify(char *, b->item);
		nodes[n] = unconstify(char *, b->node);
		n += lowers(sh->tenant_id, b->node);
	}
	if (sh->lenient && sh->item != NULL && sh->node != NULL)
	{
		settlement_touch(s, sh->tenant_id, sh->item, sh->node);
		items[n] = unconstify(char *, sh->item);
		nodes[n] = unconstify(char *, sh->node);
		n += lowers(sh->tenant_id, sh->node);
	}
	if (n > 0)
		on_hand_lock(sh->tenant_id, items, nodes, n);
	return sh;
}

/* Whether the bookings of an order are changed by issues. */
bool
shipments_touch(const Settlement *s, const SalesOrder *order)
{
	for (const Shipment *sh = s->shipments; sh != NULL; sh = sh->next)
	{
		if (sh->tenant_id == order->tenant_id && strcmp(sh->order_id, order->order_id) == 0)
			return true;
	}
	return false;
}

static void
add_part(Shipment *sh, const Booking *b, int64 quantity)
{
	ShippedPart *part;

	sh->parts = sh->parts == NULL ? palloc(sizeof(ShippedPart)) :
		repalloc(sh->parts, sizeof(ShippedPart) * (sh->nparts + 1));
	part = &sh->parts[sh->nparts++];
	part->line_no = b->line_no;
	part->item = b->item;
	part->node = b->node;
	part->quantity = quantity;
}

static BookingRow
row_of(const SalesOrder *order, const Booking *b)
{
	BookingRow	row = {order->tenant_id, order->order_id, b->line_no, b->part};

	return row;
}

/* An issue took a quantity of a booking. */
static void
ship_booking(Settlement *s, SalesOrder *order, Shipment *sh, Booking *b, int64 quantity)
{
	Position   *pos = b->pos;
	bool		lower = lowers(sh->tenant_id, b->node);
	bool		counted = booking_counts(b);
	int64		fallen = 0;
	int64		now_closed = quantity;
	BookingRow	row = row_of(order, b);

	add_part(sh, b, quantity);
	if (b->state == BOOKING_DEDICATED)
	{
		/* its supply is in no timeline, and nobody else's */
		if (lower)
			(void) dedicated_lower(s, order, b, quantity);
		lower = false;
	}
	else if (!lower)
		fallen = falls_take(pos, s->clock, quantity);
	if (counted)
		now_closed = fallen;
	if (now_closed > 0)
	{
		booking_row_split(&row, b->quantity, now_closed);
		booking_row_close(&row, "shipped", s->clock);
		if (b->state != BOOKING_DEDICATED)
			position_ship(pos, &b->stock, now_closed, counted, booking_is_posted(b));
	}
	if (quantity > now_closed)
	{
		row = row_of(order, b);
		booking_row_split(&row, b->quantity - now_closed, quantity - now_closed);
		booking_row_close(&row, "changed", s->clock);
		booking_row_succeed(&row, "issued", s->clock);
	}
	/* of a booking that had lost its stock, that has fallen already */
	if (lower || quantity > now_closed)
		falls_expect(pos, s->clock, lower ? quantity : quantity - now_closed);
	if (lower)
	{
		on_hand_lower(pos, sh->lot, quantity);
		position_moved(pos, MOVED_SALE, sh->reference);
	}
}

/* An issue for which there is no booking: the stock has left all the same. */
static void
ship_unbooked(Settlement *s, Shipment *sh, int64 quantity)
{
	Position   *pos;

	sh->unbooked = quantity;
	shipment_unbooked(s, sh, quantity);
	if (sh->item == NULL || sh->node == NULL)
		return;
	pos = ledger_get(s->ledger, sh->tenant_id, sh->item, sh->node);
	if (!pos->exists || !pos->locked)
		return;
	if (lowers(sh->tenant_id, sh->node))
	{
		falls_expect(pos, s->clock, quantity);
		on_hand_lower(pos, sh->lot, quantity);
		position_moved(pos, MOVED_SALE, sh->reference);
		return;
	}
	quantity -= falls_take(pos, s->clock, quantity);
	if (quantity > 0)
		falls_expect(pos, s->clock, quantity);
}

/* Which booking an issue takes first: what is covered, then what is needed soonest. */
static int
compare_bookings(const void *a, const void *b)
{
	static const int rank[NUM_BOOKING_STATES] = {
		[BOOKING_FIRM] = 0, [BOOKING_DEDICATED] = 1, [BOOKING_AT_RISK] = 2, [BOOKING_UNCOVERED] = 3,
		[BOOKING_PLANNED] = 4
	};
	const Booking *x = *(Booking *const *) a;
	const Booking *y = *(Booking *const *) b;

	if (rank[x->state] != rank[y->state])
		return rank[x->state] < rank[y->state] ? -1 : 1;
	if (x->stock.needed_on != y->stock.needed_on)
		return x->stock.needed_on < y->stock.needed_on ? -1 : 1;
	if (x->line_no != y->line_no)
		return x->line_no < y->line_no ? -1 : 1;
	/* the components of a kit together */
	if (x->component > 0 && y->component > 0 && x->shipment_no != y->shipment_no)
		return x->shipment_no < y->shipment_no ? -1 : 1;
	return x->part < y->part ? -1 : x->part > y->part;
}

/* "order x, line 1 at node CHI", for messages */
static char *
shipment_text(const Shipment *sh)
{
	return psprintf("order \"%s\"%s%s", sh->order_id,
					sh->line_no == 0 ? "" : psprintf(", line %d", sh->line_no),
					sh->node == NULL ? "" : psprintf(" at node \"%s\"", sh->node));
}

static void
ship(Settlement *s, SalesOrder *order, Shipment *sh)
{
	Booking   **list = palloc(sizeof(Booking *) * Max(order->nbookings, 1));
	int			n = 0;
	int64		booked = 0;
	int64		left;
	int64		part;
	bool		kits = false;

	for (int j = 0; j < order->nbookings; j++)
	{
		Booking    *b = &order->bookings[j];
		const NetNode *node = network_node(network_get(sh->tenant_id), b->node);

		if (!concerns(sh, b) || booking_has_left(b))
			continue;
		b->pos = ledger_get(s->ledger, sh->tenant_id, b->item, b->node);
		if (!b->pos->exists || !b->pos->locked)
			continue;
		/* of what is on its way only that which must have come by now */
		if (sh->all && (b->state == BOOKING_UNCOVERED || b->state == BOOKING_PLANNED ||
						(!b->on_hand && node != NULL && b->stock.needed_on > node_date(node, s->clock))))
			continue;
		list[n++] = b;
		kits |= b->component > 0 && in_line_units(sh, b);
	}
	/* of kits as many as their scarcest component stands for */
	booked = n > 0 ? PG_INT64_MAX : 0;
	for (int i = 0; i < n; i++)
	{
		int64		share = 0;

		for (int k = 0; k < n; k++)
			share = same_share(sh, list[i], list[k]) ? scaled_add(share, issue_quantity(sh, list[k])) : share;
		booked = Min(booked, share);
	}
	left = sh->all ? booked : sh->quantity;
	if (!sh->lenient && (left > booked || n == 0))
		ereport(ERROR,
				(errcode(RT_NOT_BOOKED),
				 sh->all ? errmsg("%s: nothing is booked on hand", shipment_text(sh)) :
				 errmsg("%s: quantity %s is more than the %s that are booked", shipment_text(sh),
						scaled_to_text(left), scaled_to_text(booked)),
				 errhint("See routing.reservation for what is booked and not shipped yet.")));
	qsort(list, n, sizeof(Booking *), compare_bookings);
	if (sh->all || kits)
	{
		for (int i = 0; i < n; i++)
		{
			int64		before = 0;

			for (int k = 0; k < i; k++)
				before += same_share(sh, list[i], list[k]) ? issue_quantity(sh, list[k]) : 0;
			part = sh->all ? list[i]->quantity : item_quantity(sh, list[i], Max(left - before, 0));
			if (part > 0)
				ship_booking(s, order, sh, list[i], part);
		}
		left = Max(left - booked, 0);
	}
	for (int i = 0; i < n && left > 0 && !sh->all && !kits; i++)
	{
		part = item_quantity(sh, list[i], left);
		if (part <= 0)
			continue;
		ship_booking(s, order, sh, list[i], part);
		left -= Min(part == list[i]->quantity ? issue_quantity(sh, list[i]) : left, left);
	}
	if (left > 0)
		ship_unbooked(s, sh, left);
}

/* An issue was wrong: give a quantity back, newest first. */
static void
take_back(Settlement *s, SalesOrder *order, Shipment *sh)
{
	int64		left = -sh->quantity;
	int64		unbooked = Min(left, sh->unbooked);
	int64	   *done;			/* by component of a kit */
	int			most = 0;

	for (int j = 0; j < order->nbookings; j++)
		most = Max(most, order->bookings[j].component);
	done = palloc0(sizeof(int64) * (most + 1));
	sh->unbooked = -unbooked;
	left -= unbooked;
	if (unbooked > 0 && sh->item != NULL && sh->node != NULL)
	{
		Position   *pos = ledger_get(s->ledger, sh->tenant_id, sh->item, sh->node);

		if (pos->exists && pos->locked)
		{
			pos->falls_moved = true;
			if (lowers(sh->tenant_id, sh->node))
				on_hand_lower(pos, sh->lot, -unbooked);
			else
				(void) falls_expect_less(pos, unbooked);
		}
	}
	for (int pass = 0; pass < 2; pass++)
	{
		/* what has not met its fall first */
		BookingState state = pass == 0 ? BOOKING_ISSUED : BOOKING_SHIPPED;

		for (int j = order->nbookings - 1; j >= 0; j--)
		{
			Booking    *b = &order->bookings[j];
			int64	   *back = &done[in_line_units(sh, b) ? b->component : 0];
			int64		part = item_quantity(sh, b, left - *back);
			OrderLine  *line = order_line(order, b->line_no);
			bool		wanted = order->exists && !order_is_cancelled(order) && line != NULL &&
				strcmp(line->status, "cancelled") != 0;
			BookingRow	row = row_of(order, b);
			Position   *pos;

			if (b->state != state || !concerns(sh, b) || part <= 0)
				continue;
			pos = ledger_get(s->ledger, sh->tenant_id, b->item, b->node);
			if (!pos->exists || !pos->locked)
				continue;
			*back += part == b->quantity ? issue_quantity(sh, b) : left - *back;
			booking_row_split(&row, b->quantity, part);
			if (state == BOOKING_ISSUED)
			{
				booking_row_close(&row, wanted ? "changed" : "cancelled", s->clock);
				(void) falls_expect_less(pos, part);
				if (wanted)
					booking_row_succeed(&row, "firm", s->clock);
				else
					position_book(pos, &b->stock, -part);
			}
			else
			{
				bool		own = b->dedicated && lowers(sh->tenant_id, b->node) &&
					dedicated_lower(s, order, b, -part);

				booking_row_state(&row, wanted ? "changed" : "cancelled");
				/* other stock is not there again before somebody says so */
				if (wanted)
					booking_row_succeed(&row, own ? "dedicated" : "at_risk", s->clock);
				/* dedicated supply was in no allotment, nor among what is lowered */
				if (!b->dedicated)
					position_book_planned(pos, &b->stock, -part);
				if (lowers(sh->tenant_id, b->node) && !b->dedicated)
					on_hand_lower(pos, sh->lot, -part);
				else
					pos->taken_back += wanted && !own ? part : 0;
			}
			pos->falls_moved = true;
			add_part(sh, b, -part);
		}
	}
}

/* Apply the issues; locks the positions that are touched. */
void
shipments_apply(Settlement *s)
{
	if (s->shipments == NULL)
		return;
	ledger_lock_all(s->ledger, s->positions, s->npositions);
	for (Shipment *sh = s->shipments; sh != NULL; sh = sh->next)
	{
		/* judgements may have changed bookings before their positions were locked */
		SalesOrder *order = order_load(sh->tenant_id, sh->order_id, ORDER_NO_LOCK);

		CHECK_FOR_INTERRUPTS();
		dedicated_catch_up(s, order);
		/* only that tells which of the dedicated bookings are on hand */
		dedicated_choose(order);
		if (sh->quantity < 0)
			take_back(s, order, sh);
		else
			ship(s, order, sh);
	}
}

/* The lines and the order of an issue get their status. */
static void
write_status(Settlement *s, SalesOrder *order)
{
	Datum		args[4];

	order_keep_bookings(order);
	order_derive_status(order);
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];

		/* what is not shipped keeps the status and the reason that routing gave it */
		if ((strcmp(line->new_status, "shipped") == 0) == (strcmp(line->status, "shipped") == 0))
			continue;
		args[2] = Int32GetDatum(line->line_no);
		args[3] = CStringGetTextDatum(line->new_status);
		(void) engine_exec(&plan_lines, args, NULL, ENGINE_FRESH);
		if (strcmp(line->new_status, "shipped") == 0)
			exceptions_tell_resolved(&s->events, order->tenant_id,
									 (int) engine_exec(&plan_resolve, args, NULL, ENGINE_FRESH), s->clock);
	}
	if ((strcmp(order->new_status, "shipped") == 0) != (strcmp(order->status, "shipped") == 0))
		order->status = pstrdup(order->new_status);
}

/* After all else is written: status and events of the orders that issues are for. */
void
shipments_write(Settlement *s)
{
	for (Shipment *sh = s->shipments; sh != NULL; sh = sh->next)
	{
		SalesOrder *order = NULL;
		bool		seen = false;
		Datum		args[4];

		for (const Shipment *o = s->shipments; o != sh && !seen; o = o->next)
			seen = o->tenant_id == sh->tenant_id && strcmp(o->order_id, sh->order_id) == 0;
		if (seen)
			continue;
		for (int i = 0; i < s->norders && order == NULL; i++)
		{
			if (s->orders[i]->tenant_id == sh->tenant_id && s->orders[i]->fault.sqlerrcode == 0 &&
				strcmp(s->orders[i]->order_id, sh->order_id) == 0)
				order = s->orders[i];
		}
		if (order == NULL)
		{
			order = order_load(sh->tenant_id, sh->order_id, ORDER_NO_LOCK);
			order->clock = s->clock;
			if (order->exists && !order_is_cancelled(order))
				write_status(s, order);
			seen = true;		/* nobody else tells of it */
		}
		open_shipments_follow(sh->tenant_id, sh->order_id);
		if (!order->exists)
			continue;
		for (Shipment *o = sh; o != NULL; o = o->next)
		{
			if (o->nparts > 0 && o->tenant_id == sh->tenant_id && strcmp(o->order_id, sh->order_id) == 0)
				shipment_add_event(order, o, &s->events);
		}
		args[0] = Int32GetDatum(order->tenant_id);
		args[1] = CStringGetTextDatum(order->order_id);
		args[2] = CStringGetTextDatum(order->status);
		args[3] = Int64GetDatum(order->event_version);
		(void) engine_exec(&plan_order, args, NULL, ENGINE_FRESH);
		if (seen)
			order_written(order);
	}
}

/*
 * Look at the positions where stock that fell and issues have waited for each
 * other long enough, as a settlement of its own.  SPI is connected.
 */
void
issues_due(int32 tenant_id)
{
	Settlement *s = settlement_begin();
	SPITupleTable *rows;
	Datum		args[2];
	uint64		n;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = TimestampTzGetDatum(s->clock);
	n = engine_exec(&plan_due, args, NULL, ENGINE_FRESH);
	rows = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		const char *item = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		const char *node = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);

		settlement_touch(s, tenant_id, item, node);
		ledger_get(s->ledger, tenant_id, item, node)->due = true;
	}
	SPI_freetuptable(rows);
	settlement_finish(s);
}
