/*
 * orders.c
 *		Bound orders: read through the mapping, compared, applied.
 *
 * What the ERP says is checked before anything is written, so that a row that
 * cannot be used changes nothing: it is a fault of its key.  An order that the
 * ERP deleted is cancelled; it stays in the engine, with its history.
 */
#include "erp/differ.h"
#include "erp/erp_order.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "orders/resolve.h"

#include "catalog/pg_type.h"

static EnginePlan plan_insert_order = {
	"INSERT INTO routing.sales_order AS o (tenant_id, order_id, customer, channel, country, postal_code,"
	" latitude, longitude, requested_on, date_basis, priority, completeness, policy, binding, ordered_at,"
	" rest, rest_days, ship_not_before, cancel_after, early_ok, freight_terms)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7::text::float8, $8::text::float8, $9, $10, $11, $12, $13, $14,"
	" COALESCE($15::text::timestamptz, pg_catalog.now()), $16, $17, $18, $19, $20, $21)"
	" ON CONFLICT (tenant_id, order_id) DO UPDATE SET customer = excluded.customer,"
	" channel = excluded.channel, country = excluded.country, postal_code = excluded.postal_code,"
	" latitude = excluded.latitude, longitude = excluded.longitude,"
	" requested_on = excluded.requested_on, date_basis = excluded.date_basis,"
	" priority = excluded.priority, completeness = excluded.completeness, policy = excluded.policy,"
	" rest = excluded.rest, rest_days = excluded.rest_days, ship_not_before = excluded.ship_not_before,"
	" cancel_after = excluded.cancel_after, early_ok = excluded.early_ok, freight_terms = excluded.freight_terms,"
	" status = CASE WHEN o.status = 'cancelled' THEN 'received' ELSE o.status END",
	21, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, DATEOID, TEXTOID,
	INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, DATEOID, DATEOID, BOOLOID, TEXTOID}, NULL
};

static EnginePlan plan_upsert_lines = {
	"INSERT INTO routing.sales_order_line AS l (tenant_id, order_id, line_no, item, quantity, uom, price,"
	" requested_on, node, source_key, line_group, splittable, substitutes)"
	" SELECT $1, $2, u.line_no, u.item, u.quantity, u.uom, u.price, u.requested_on, u.node, u.source_key,"
	"  u.line_group, u.splittable, u.substitutes"
	" FROM unnest($3::int[], $4::text[], $5::numeric[], $6::text[], $7::numeric[], $8::date[],"
	"  $9::text[], $10::text[], $11::int[], $12::boolean[], $13::text[])"
	"  AS u(line_no, item, quantity, uom, price, requested_on, node, source_key, line_group, splittable,"
	"   substitutes)"
	" ON CONFLICT (tenant_id, order_id, line_no) DO UPDATE SET item = excluded.item,"
	" quantity = excluded.quantity, uom = excluded.uom, price = excluded.price,"
	" requested_on = excluded.requested_on, node = excluded.node, source_key = excluded.source_key,"
	" line_group = excluded.line_group, splittable = excluded.splittable, substitutes = excluded.substitutes,"
	" status = CASE WHEN l.status = 'cancelled' THEN 'received' ELSE l.status END",
	13, {INT4OID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
	TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

static EnginePlan plan_want_again = {
	"UPDATE routing.sales_order_line SET cancelled_quantity = NULL"
	" WHERE tenant_id = $1 AND order_id = $2 AND cancelled_quantity IS NOT NULL",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_delete_lines = {
	"DELETE FROM routing.sales_order_line WHERE tenant_id = $1 AND order_id = $2"
	" AND line_no <> ALL ($3::int[])",
	3, {INT4OID, TEXTOID, TEXTARRAYOID}, NULL
};

static EnginePlan plan_answer = {
	"SELECT l.line_no, l.allocated_node, l.split, l.reason, d.cost,"
	" (SELECT pg_catalog.count(DISTINCT (r.node, r.ship_on, r.service))::int FROM routing.reservation r"
	"  WHERE r.tenant_id = $1 AND r.order_id = $2 AND r.state = 'firm' AND r.\"to\" IS NULL)"
	" FROM routing.sales_order_line l"
	" LEFT JOIN routing.decision d ON d.tenant_id = l.tenant_id AND d.decision_id = $3"
	" WHERE l.tenant_id = $1 AND l.order_id = $2",
	3, {INT4OID, TEXTOID, INT8OID}, NULL
};

#define CANCELLED_IN_ERP	"cancelled in the ERP"
#define DELETED_IN_ERP		"deleted in the ERP"

/* Whether an order was cancelled by cancel_order(), not by its ERP. */
static bool
cancelled_by_call(const SalesOrder *order)
{
	return order_is_cancelled(order) &&
		(order->reason == NULL || (strcmp(order->reason, CANCELLED_IN_ERP) != 0 &&
								   strcmp(order->reason, DELETED_IN_ERP) != 0));
}

static bool
text_equal(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/*
 * Give each line of the ERP the number under which the engine knows it.  A
 * mapped line_no is the identity; else a line is found by its key, and one
 * that came back under a new key by its item.
 */
static void
number_lines(ErpOrder *erp, const SalesOrder *held)
{
	SalesOrder *order = erp->order;
	bool	   *used = palloc0(sizeof(bool) * Max(held->nlines, 1));
	int			highest = 0;

	for (int l = 0; l < held->nlines; l++)
		highest = Max(highest, held->lines[l].line_no);
	for (int i = 0; i < order->nlines; i++)
	{
		for (int l = 0; l < held->nlines && !erp->numbered[i]; l++)
		{
			if (!used[l] && order->lines[i].line_no == 0 &&
				text_equal(held->lines[l].source_key, erp->source_keys[i]))
			{
				used[l] = true;
				order->lines[i].line_no = held->lines[l].line_no;
			}
		}
	}
	/* of several lines of an item those of the same quantity first */
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < order->nlines; i++)
		{
			for (int l = 0; l < held->nlines && order->lines[i].line_no == 0; l++)
			{
				if (!used[l] && text_equal(held->lines[l].item, order->lines[i].item) &&
					(pass == 1 || held->lines[l].quantity == order->lines[i].quantity))
				{
					used[l] = true;
					order->lines[i].line_no = held->lines[l].line_no;
				}
			}
		}
	}
	for (int i = 0; i < order->nlines; i++)
	{
		if (order->lines[i].line_no == 0)
			order->lines[i].line_no = ++highest;
	}
}

static bool
dates_equal(bool has_a, DateADT a, bool has_b, DateADT b)
{
	return has_a == has_b && (!has_a || a == b);
}

/* What differs in a way that what is booked must be planned anew. */
static bool
destination_differs(const SalesOrder *a, const SalesOrder *b)
{
	return !text_equal(a->country, b->country) || !text_equal(a->postal_code, b->postal_code) ||
		a->by_ship_day != b->by_ship_day ||
		!dates_equal(a->has_requested, a->requested, b->has_requested, b->requested) ||
		!dates_equal(a->has_not_before, a->not_before, b->has_not_before, b->not_before) ||
		!dates_equal(a->has_cancel_after, a->cancel_after, b->has_cancel_after, b->cancel_after) ||
		a->early_ok != b->early_ok;
}

static bool
header_differs(const ErpOrder *erp, const SalesOrder *held)
{
	const SalesOrder *a = erp->order;

	return destination_differs(a, held) || !text_equal(a->customer, held->customer) ||
		!text_equal(a->channel, held->channel) ||
		!text_equal(a->completeness, held->completeness) ||
		!text_equal(a->policy_code, held->policy_code) ||
		!text_equal(a->rest, held->rest) || a->rest_days != held->rest_days ||
		!text_equal(a->freight_terms, held->freight_terms) ||
		(erp->has_priority && a->priority != held->priority);
}

static bool
line_differs(const OrderLine *a, const OrderLine *b, bool *placing)
{
	*placing = !text_equal(a->item, b->item) || !text_equal(a->pinned, b->pinned) ||
		!text_equal(a->uom, b->uom) || a->unsplittable != b->unsplittable ||
		!text_equal(a->substitutes, b->substitutes) ||
		a->has_group != b->has_group || a->group != b->group ||
		!dates_equal(a->has_requested, a->requested, b->has_requested, b->requested);
	return *placing || a->quantity != b->quantity;
}

/* Whether anything differs; takes over from the engine what it decided. */
static bool
merge(ErpOrder *erp, SalesOrder *held)
{
	SalesOrder *order = erp->order;
	bool		differs = header_differs(erp, held) || order->nlines != held->nlines;
	bool		replan = destination_differs(order, held);

	order->decision_id = held->decision_id;
	order->event_version = held->event_version;
	order->correlation_id = held->correlation_id;
	order->status = held->status;
	order->nbookings = held->nbookings;
	order->cap_bookings = held->cap_bookings;
	order->bookings = held->bookings;
	order->nclaims = held->nclaims;
	order->claims = held->claims;
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];
		OrderLine  *old = order_line(held, line->line_no);
		bool		placing;

		if (old == NULL)
		{
			/* the number may have been that of a line that is gone */
			line->last_part = held->last_part_gone;
			differs = true;
			continue;
		}
		if (line_differs(line, old, &placing))
			differs = true;
		if (!text_equal(erp->source_keys[i], old->source_key))
			differs = true;
		line->replan = placing || replan || old->replan;
		line->status = strcmp(old->status, "cancelled") == 0 ? "received" : old->status;
		line->has_promised = old->has_promised;
		line->promised = old->promised;
		line->has_first_promised = old->has_first_promised;
		line->first_promised = old->first_promised;
		line->last_part = old->last_part;
		line->claimed_at = old->claimed_at;
		line->claim_item = old->claim_item;
		line->shipped = old->shipped;
		/* what is ordered anew is wanted again */
		line->cancelled = order_is_cancelled(held) ? 0 : old->cancelled;
		line->shipped_item = old->shipped_item;
	}
	/* what a call cancelled stays so until the ERP changes the order */
	if (order_is_cancelled(held) && !cancelled_by_call(held))
		differs = true;
	return differs;
}

static Datum
optional_text(const char *value, char *null)
{
	*null = value == NULL ? 'n' : ' ';
	return value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
}

static void
write_header(const ErpOrder *erp)
{
	const SalesOrder *order = erp->order;
	Datum		args[21];
	char		nulls[21];

	memset(nulls, ' ', sizeof(nulls));
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	args[2] = CStringGetTextDatum(order->customer);
	args[3] = optional_text(order->channel, &nulls[3]);
	args[4] = optional_text(order->country, &nulls[4]);
	args[5] = optional_text(order->postal_code, &nulls[5]);
	args[6] = optional_text(erp->latitude, &nulls[6]);
	args[7] = optional_text(erp->longitude, &nulls[7]);
	args[8] = DateADTGetDatum(order->requested);
	nulls[8] = order->has_requested ? ' ' : 'n';
	args[9] = CStringGetTextDatum(order->by_ship_day ? "ship" : "deliver");
	args[10] = Int32GetDatum(order->priority);
	nulls[10] = erp->has_priority ? ' ' : 'n';
	args[11] = CStringGetTextDatum(order->completeness);
	args[12] = CStringGetTextDatum(order->policy_code);
	args[13] = CStringGetTextDatum(order->binding);
	args[14] = optional_text(erp->ordered_at, &nulls[14]);
	args[15] = optional_text(order->rest, &nulls[15]);
	args[16] = Int32GetDatum(order->rest_days);
	nulls[16] = order->rest_days != 0 ? ' ' : 'n';
	args[17] = DateADTGetDatum(order->not_before);
	nulls[17] = order->has_not_before ? ' ' : 'n';
	args[18] = DateADTGetDatum(order->cancel_after);
	nulls[18] = order->has_cancel_after ? ' ' : 'n';
	args[19] = BoolGetDatum(order->early_ok);
	args[20] = CStringGetTextDatum(order->freight_terms);
	(void) engine_exec(&plan_insert_order, args, nulls, ENGINE_FRESH);
}

static void
write_lines(const ErpOrder *erp, const SalesOrder *held)
{
	const SalesOrder *order = erp->order;
	enum
	{
		LINE, ITEM, QUANTITY, UOM, PRICE, REQUESTED, NODE, SOURCE, GROUP, SPLITTABLE, SUBSTITUTES, NCOLS
	};
	char	  **cols[NCOLS];
	Datum		args[13];
	bool		gone = false;

	for (int c = 0; c < NCOLS; c++)
		cols[c] = palloc0(sizeof(char *) * Max(order->nlines, 1));
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];

		cols[LINE][i] = psprintf("%d", line->line_no);
		cols[ITEM][i] = line->item;
		cols[QUANTITY][i] = scaled_to_text(line->quantity);
		cols[UOM][i] = line->uom;
		cols[PRICE][i] = line->has_price ? scaled_to_text(line->price) : NULL;
		cols[REQUESTED][i] = line->has_requested ? date_text(line->requested) : NULL;
		cols[NODE][i] = line->pinned;
		cols[SOURCE][i] = erp->source_keys[i];
		cols[GROUP][i] = line->has_group ? psprintf("%d", line->group) : NULL;
		cols[SPLITTABLE][i] = line->unsplittable ? "f" : "t";
		cols[SUBSTITUTES][i] = line->substitutes;
	}
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->order_id);
	for (int l = 0; l < held->nlines && !gone; l++)
		gone = order_line(unconstify(SalesOrder *, order), held->lines[l].line_no) == NULL;
	if (gone)
	{
		args[2] = text_array(cols[LINE], order->nlines);
		(void) engine_exec(&plan_delete_lines, args, NULL, ENGINE_FRESH);
	}
	if (order_is_cancelled(held))
		(void) engine_exec(&plan_want_again, args, NULL, ENGINE_FRESH);
	if (order->nlines == 0)
		return;
	for (int c = 0; c < NCOLS; c++)
		args[2 + c] = text_array(cols[c], order->nlines);
	(void) engine_exec(&plan_upsert_lines, args, NULL, ENGINE_FRESH);
}

/* Of an order that is not routed now: what was decided the last time. */
static void
load_answer(SalesOrder *held)
{
	Datum		args[3];
	int			n;

	args[0] = Int32GetDatum(held->tenant_id);
	args[1] = CStringGetTextDatum(held->order_id);
	args[2] = Int64GetDatum(held->decision_id);
	n = (int) engine_exec(&plan_answer, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		OrderLine  *line = order_line(held, DatumGetInt32(spi_datum(i, 1, &isnull)));
		Datum		cost = spi_datum(i, 5, &isnull);

		held->cost = isnull ? 0 : scaled_from_datum(cost);
		held->nshipments = DatumGetInt32(spi_datum(i, 6, &isnull));
		if (line == NULL)
			continue;
		line->node = spi_text(i, 2);
		line->split = DatumGetBool(spi_datum(i, 3, &isnull));
		line->reason = spi_text(i, 4);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Take over what the ERP says of an order and add it to the settlement.
 * Returns whether anything differed.  With a fault nothing was changed.
 */
bool
bound_order_apply(Settlement *s, Binding *binding, const char *key, Fault *fault)
{
	SalesOrder *held;
	ErpOrder   *erp;
	bool		differs;

	/* first the lock, then the ERP: what whoever held the order settled is there */
	held = order_load(binding->tenant_id, key, ORDER_LOCK_ROUTED);
	erp = erp_order_read(binding, key, fault);
	if (fault->sqlerrcode)
		return false;
	if (held->exists && strcmp(held->binding, binding->name) != 0)
	{
		fault_set(fault, RT_BAD_BINDING, "Let only one binding, and no native insert, use an order id.",
				  "order \"%s\" exists already and is not of binding \"%s\"", key, binding->name);
		return false;
	}
	if (!erp->order->exists || erp->cancelled)
	{
		if (!held->exists || order_is_cancelled(held))
			return false;
		held->net = network_get(held->tenant_id);
		held->status = "cancelled";
		held->cancel_reason = erp->cancelled ? CANCELLED_IN_ERP : DELETED_IN_ERP;
		held->cancel_code = erp->cancelled ? "cancelled_in_erp" : "deleted_in_erp";
		settlement_add_order(s, held);
		writeback_want(binding, held);
		return true;
	}

	number_lines(erp, held);
	differs = !held->exists || merge(erp, held);
	if (!differs)
	{
		if (held->nlines > 0)
		{
			load_answer(held);
			writeback_want(binding, held);
		}
		return false;
	}
	order_resolve(erp->order, erp->has_priority);
	if (erp->order->nlines > 0)
	{
		order_check(erp->order);
		if (erp->order->fault.sqlerrcode)
		{
			*fault = erp->order->fault;
			return false;
		}
	}
	else
		erp->order->net = network_get(binding->tenant_id);
	write_header(erp);
	write_lines(erp, held);
	if (order_is_cancelled(held))
		erp->order->status = "received";
	for (int i = 0; i < erp->order->nlines; i++)
		erp->order->lines[i].source_key = erp->source_keys[i];
	if (erp->order->nlines > 0 || erp->order->nbookings > 0)
	{
		settlement_add_order(s, erp->order);
		writeback_want(binding, erp->order);
	}
	return true;
}

/* Report each difference between an order of the ERP and ours. */
void
bound_order_compare(Binding *binding, const char *key, DifferenceReport report, void *arg)
{
	Fault		fault = {0};
	ErpOrder   *erp = erp_order_read(binding, key, &fault);
	SalesOrder *held = order_load(binding->tenant_id, key, ORDER_NO_LOCK);
	bool		erp_has = erp->order->exists && !erp->cancelled;
	bool		we_have = cancelled_by_call(held) ? erp_has : held->exists && !order_is_cancelled(held);

	if (fault.sqlerrcode)
	{
		report(arg, "orders", key, "row", fault.message, we_have ? "order" : NULL);
		return;
	}
	if (erp_has != we_have)
	{
		report(arg, "orders", key, "row", erp_has ? "order" : NULL, we_have ? "order" : NULL);
		return;
	}
	if (!erp_has)
		return;
	number_lines(erp, held);

#define COMPARE_TEXT(concept, k, field, a, b) \
	do { \
		if (!text_equal((a), (b))) \
			report(arg, (concept), (k), (field), (a), (b)); \
	} while (0)

	COMPARE_TEXT("orders", key, "customer", erp->order->customer, held->customer);
	COMPARE_TEXT("orders", key, "channel", erp->order->channel, held->channel);
	COMPARE_TEXT("orders", key, "country", erp->order->country, held->country);
	COMPARE_TEXT("orders", key, "postal_code", erp->order->postal_code, held->postal_code);
	COMPARE_TEXT("orders", key, "requested_on",
				 erp->order->has_requested ? date_text(erp->order->requested) : NULL,
				 held->has_requested ? date_text(held->requested) : NULL);
	COMPARE_TEXT("orders", key, "date_basis", erp->order->by_ship_day ? "ship" : "deliver",
				 held->by_ship_day ? "ship" : "deliver");
	if (erp->has_priority)
		COMPARE_TEXT("orders", key, "priority", psprintf("%d", erp->order->priority),
					 psprintf("%d", held->priority));
	for (int i = 0; i < erp->order->nlines; i++)
	{
		OrderLine  *a = &erp->order->lines[i];
		OrderLine  *b = order_line(held, a->line_no);
		char	   *line_key = psprintf("%s line %d", key, a->line_no);

		if (b == NULL)
		{
			report(arg, "lines", line_key, "row", "line", NULL);
			continue;
		}
		COMPARE_TEXT("lines", line_key, "item", a->item, b->item);
		COMPARE_TEXT("lines", line_key, "quantity", scaled_to_text(a->quantity), scaled_to_text(b->quantity));
		COMPARE_TEXT("lines", line_key, "key", erp->source_keys[i], b->source_key);
		COMPARE_TEXT("lines", line_key, "uom", a->uom, b->uom);
		COMPARE_TEXT("lines", line_key, "node", a->pinned, b->pinned);
		COMPARE_TEXT("lines", line_key, "substitutes", a->substitutes, b->substitutes);
		COMPARE_TEXT("lines", line_key, "requested_on",
					 a->has_requested ? date_text(a->requested) : NULL,
					 b->has_requested ? date_text(b->requested) : NULL);
	}
	for (int l = 0; l < held->nlines; l++)
	{
		if (order_line(erp->order, held->lines[l].line_no) == NULL)
			report(arg, "lines", psprintf("%s line %d", key, held->lines[l].line_no), "row", NULL, "line");
	}
}
