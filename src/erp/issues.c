/*
 * issues.c
 *		Bound goods issues: read through the mapping, compared with what was
 *		applied before, and the difference applied.
 *
 * A key is a document.  Its rows are added up by order, line, item and node;
 * routing.issue remembers what of each was applied.  A document that is
 * corrected from 5 to 4 gives one back.
 *
 * Orders are locked in ascending order, those of the issues among those that
 * are bound: so the mapping is read first.  What nothing is booked for is an
 * exception, not an error: the goods have left.
 */
#include "erp/differ.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/reference.h"
#include "orders/issue.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

typedef struct IssueRow
{
	char	   *order_id;
	int			line_no;		/* 0: not said */
	char	   *line_key;		/* or the line's key in the ERP */
	char	   *item;			/* NULL: the line's */
	char	   *node;
	int64		quantity;
	int64		held;			/* of it, applied before */
	int64		unbooked;		/* of that, had no booking */
	const char *lot;
	TimestampTz shipped_at;
	Shipment   *shipment;
} IssueRow;

typedef struct IssueOrder
{
	int32		tenant_id;
	const char *order_id;
} IssueOrder;

/* Two transactions may change one document: the later one waits here, before it reads the ERP. */
static EnginePlan plan_held = {
	"SELECT order_id, line_no, item, node, quantity, unbooked FROM routing.issue"
	" WHERE tenant_id = $1 AND binding = $2 AND source_key = $3"
	" ORDER BY order_id, line_no, item, node FOR NO KEY UPDATE",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_compare = {
	"SELECT order_id, line_no, item, node, quantity, unbooked FROM routing.issue"
	" WHERE tenant_id = $1 AND binding = $2 AND source_key = $3"
	" ORDER BY order_id, line_no, item, node",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_lock_order = {
	"SELECT 1 FROM routing.sales_order WHERE tenant_id = $1 AND order_id = $2 FOR NO KEY UPDATE",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_line = {
	"SELECT line_no, item FROM routing.sales_order_line"
	" WHERE tenant_id = $1 AND order_id = $2 AND (line_no = $3 OR ($3 = 0 AND source_key = $4))"
	" ORDER BY status = 'cancelled', line_no LIMIT 1",
	4, {INT4OID, TEXTOID, INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_upsert = {
	"INSERT INTO routing.issue AS i (tenant_id, binding, source_key, order_id, line_no, item, node, quantity)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	" ON CONFLICT (tenant_id, binding, source_key, order_id, line_no, item, node)"
	" DO UPDATE SET quantity = excluded.quantity WHERE i.quantity = $9",
	9, {INT4OID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, NUMERICOID, NUMERICOID}, NULL
};

static EnginePlan plan_unbooked = {
	"UPDATE routing.issue SET unbooked = unbooked + $8 WHERE tenant_id = $1 AND binding = $2"
	" AND source_key = $3 AND order_id = $4 AND line_no = $5 AND item = $6 AND node = $7",
	8, {INT4OID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, NUMERICOID}, NULL
};

static EnginePlan plan_delete = {
	"DELETE FROM routing.issue WHERE tenant_id = $1 AND binding = $2"
	" AND source_key = $3 AND order_id = $4 AND line_no = $5 AND item = $6 AND node = $7 AND quantity = 0",
	7, {INT4OID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID}, NULL
};

static void
set_key(Datum *args, const IssueKey *k)
{
	args[0] = Int32GetDatum(k->binding->tenant_id);
	args[1] = CStringGetTextDatum(k->binding->name);
	args[2] = CStringGetTextDatum(k->key);
}

static void
set_row(Datum *args, const IssueKey *k, const IssueRow *row)
{
	set_key(args, k);
	args[3] = CStringGetTextDatum(row->order_id);
	args[4] = Int32GetDatum(row->line_no);
	args[5] = CStringGetTextDatum(row->item);
	args[6] = CStringGetTextDatum(row->node);
}

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------ */

static void
read_row(const IssueKey *k, SPITupleTable *rows, int i, IssueRow *row, Fault *fault)
{
	Mapping    *m = &k->binding->concepts[C_ISSUES];
	char	   *where = psprintf("issue \"%s\": ", k->key);
	char	   *text;
	char	   *end;
	ScaledStatus status;

	row->order_id = mapping_value(m, rows, i, F_ORDER_ID);
	row->node = mapping_value(m, rows, i, F_NODE);
	row->item = mapping_value(m, rows, i, F_ITEM);
	row->line_key = mapping_value(m, rows, i, F_LINE_KEY);
	row->lot = mapping_value(m, rows, i, F_LOT);
	if (row->lot == NULL)
		row->lot = "";
	if (!mapping_time(m, rows, i, F_SHIPPED_AT, &row->shipped_at) || !issue_time_usable(row->shipped_at))
		row->shipped_at = clock_now();
	if (row->order_id == NULL)
		fault_set(fault, RT_UNKNOWN_ORDER, "Leave issues that are for no order out of the mapping.",
				  "%sorder_id is null", where);
	text = mapping_value(m, rows, i, F_LINE_NO);
	if (text != NULL)
	{
		long		n;

		errno = 0;
		n = strtol(text, &end, 10);
		row->line_no = (int) n;
		if (errno != 0 || *end != '\0' || n < 1 || n > PG_INT32_MAX)
			fault_set(fault, RT_UNKNOWN_LINE, "Map the line's number, or its key as line_key.",
					  "%sline_no %s is not the number of a line", where, text);
	}
	if (row->line_no == 0 && row->line_key == NULL && row->item == NULL)
		fault_set(fault, RT_UNKNOWN_LINE, "Map line_no, line_key or item.",
				  "%sneither line_no, line_key nor item is given", where);
	if (row->item != NULL && !item_exists(k->binding->tenant_id, row->item))
		fault_unknown_item(fault, where, row->item);
	if (row->node == NULL || network_find_node(network_get(k->binding->tenant_id), row->node) < 0)
		fault_unknown_node(fault, where, row->node ? row->node : "");
	text = mapping_value(m, rows, i, F_QUANTITY);
	status = text == NULL ? SCALED_NOT_FINITE : scaled_from_text(text, &row->quantity);
	if (status != SCALED_OK || row->quantity < 0)
		fault_set(fault, RT_BAD_QUANTITY, "The quantity of an issue is 0 or more and has at most 4 decimals.",
				  "%squantity %s %s", where, text ? text : "null",
				  status != SCALED_OK ? scaled_problem(status) : "is less than 0");
}

static int
read_mapped(IssueKey *k)
{
	SPITupleTable *rows;
	int			n = mapping_read(k->binding, C_ISSUES, k->key, &rows);

	k->rows = palloc0(sizeof(IssueRow) * Max(n, 1));
	for (int i = 0; i < n; i++)
		read_row(k, rows, i, &k->rows[i], &k->fault);
	if (rows != NULL)
		SPI_freetuptable(rows);
	k->nrows = n;
	return n;
}

static IssueRow *
read_held(const IssueKey *k, EnginePlan *plan, int *n)
{
	IssueRow   *held;
	Datum		args[3];

	set_key(args, k);
	*n = (int) engine_exec(plan, args, NULL, ENGINE_FRESH);
	held = palloc0(sizeof(IssueRow) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		bool		isnull;

		held[i].order_id = spi_text(i, 1);
		held[i].line_no = DatumGetInt32(spi_datum(i, 2, &isnull));
		held[i].item = spi_text(i, 3);
		held[i].node = spi_text(i, 4);
		held[i].held = scaled_from_datum(spi_datum(i, 5, &isnull));
		held[i].unbooked = scaled_from_datum(spi_datum(i, 6, &isnull));
		held[i].lot = "";
		held[i].shipped_at = clock_now();
	}
	SPI_freetuptable(SPI_tuptable);
	return held;
}

/*
 * Find the line that a row of the mapping means, and its item; false if there
 * is none.  A row without a line takes bookings of any line of its item.
 */
static bool
resolve_line(int32 tenant_id, IssueRow *row)
{
	Datum		args[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};
	bool		isnull;
	bool		found;

	if (row->line_no == 0 && row->line_key == NULL)
		return true;
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(row->order_id);
	args[2] = Int32GetDatum(row->line_no);
	args[3] = row->line_key ? CStringGetTextDatum(row->line_key) : (Datum) 0;
	nulls[3] = row->line_key ? ' ' : 'n';
	found = engine_exec(&plan_line, args, nulls, ENGINE_FRESH) > 0;
	if (found)
	{
		row->line_no = DatumGetInt32(spi_datum(0, 1, &isnull));
		if (row->item == NULL)
			row->item = spi_text(0, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

static bool
same_thing(const IssueRow *a, const IssueRow *b)
{
	return a->line_no == b->line_no && strcmp(a->order_id, b->order_id) == 0 &&
		strcmp(a->item, b->item) == 0 && strcmp(a->node, b->node) == 0;
}

/*
 * Bring the rows of a key, with their lines known, to one for each order,
 * line, item and node, the held ones among them.
 */
static void
merge_held(IssueKey *k, IssueRow *held, int nheld)
{
	IssueRow   *rows = palloc0(sizeof(IssueRow) * Max(k->nrows + nheld, 1));
	int			n = 0;

	for (int i = 0; i < k->nrows + nheld; i++)
	{
		IssueRow   *row = i < nheld ? &held[i] : &k->rows[i - nheld];
		int			j = 0;

		while (j < n && !same_thing(&rows[j], row))
			j++;
		if (j == n)
		{
			rows[n++] = *row;
			continue;
		}
		rows[j].quantity = scaled_add(rows[j].quantity, row->quantity);
		rows[j].lot = row->lot;
		rows[j].shipped_at = row->shipped_at;
	}
	k->rows = rows;
	k->nrows = n;
}

static int
compare_orders(const void *a, const void *b)
{
	const IssueOrder *x = a;
	const IssueOrder *y = b;

	if (x->tenant_id != y->tenant_id)
		return x->tenant_id < y->tenant_id ? -1 : 1;
	return strcmp(x->order_id, y->order_id);
}

static void
add_order(IssueOrders *orders, int *cap, int32 tenant_id, const char *order_id)
{
	if (order_id == NULL)
		return;
	if (orders->n == *cap)
	{
		*cap = *cap ? *cap * 2 : 16;
		orders->orders = orders->orders == NULL ? palloc(sizeof(IssueOrder) * *cap) :
			repalloc_huge(orders->orders, sizeof(IssueOrder) * *cap);
	}
	orders->orders[orders->n].tenant_id = tenant_id;
	orders->orders[orders->n++].order_id = order_id;
}

/* Read the keys' documents, and which orders they are for. */
void
bound_issues_read(IssueKey *keys, int n, IssueOrders *orders)
{
	int			cap = 0;

	for (int i = 0; i < n; i++)
	{
		IssueKey   *k = &keys[i];
		int			nheld;
		IssueRow   *held;

		CHECK_FOR_INTERRUPTS();
		held = read_held(k, &plan_held, &nheld);
		(void) read_mapped(k);
		for (int j = 0; j < nheld; j++)
			add_order(orders, &cap, k->binding->tenant_id, held[j].order_id);
		for (int j = 0; j < k->nrows; j++)
			add_order(orders, &cap, k->binding->tenant_id, k->rows[j].order_id);
	}
	if (orders->n > 0)
		qsort(orders->orders, orders->n, sizeof(IssueOrder), compare_orders);
}

/* Lock those of the orders that come before, or are, the given one. */
void
bound_issues_lock(IssueOrders *orders, int32 tenant_id, const char *order_id)
{
	IssueOrder	limit = {tenant_id, order_id};

	for (; orders->locked < orders->n; orders->locked++)
	{
		IssueOrder *o = &orders->orders[orders->locked];
		Datum		args[2];

		if (compare_orders(o, &limit) > 0)
			return;
		if (orders->locked > 0 && compare_orders(o - 1, o) == 0)
			continue;
		args[0] = Int32GetDatum(o->tenant_id);
		args[1] = CStringGetTextDatum(o->order_id);
		(void) engine_exec(&plan_lock_order, args, NULL, ENGINE_FRESH);
		SPI_freetuptable(SPI_tuptable);
	}
}

/* ------------------------------------------------------------------------
 * Applying
 * ------------------------------------------------------------------------ */

/* Whether an order can be shipped: one that is to be booked still waits, as a pending key. */
static bool
check_order(IssueKey *k, const IssueRow *row, const SalesOrder *order)
{
	if (!order->exists)
		fault_set(&k->fault, RT_UNKNOWN_ORDER, "Leave issues that are for no order of the engine out of the mapping.",
				  "issue \"%s\": order \"%s\" is unknown", k->key, row->order_id);
	else if (order->decision_id == 0)
		fault_set(&k->fault, RT_NOT_BOOKED, "The issue is applied when the order is routed.",
				  "issue \"%s\": order \"%s\" is not routed yet", k->key, row->order_id);
	return k->fault.sqlerrcode == 0;
}

static void
apply_row(Settlement *s, IssueKey *k, IssueRow *row, SalesOrder *order)
{
	Shipment	sh = {0};
	Datum		args[9];

	sh.tenant_id = k->binding->tenant_id;
	sh.order_id = row->order_id;
	sh.line_no = row->line_no;
	sh.item = row->item;
	sh.node = row->node;
	sh.quantity = row->quantity - row->held;
	sh.lot = row->lot;
	sh.reference = k->key;
	sh.shipped_at = row->shipped_at;
	sh.lenient = true;
	sh.unbooked = sh.quantity < 0 ? row->unbooked : 0;
	set_row(args, k, row);
	args[7] = NumericGetDatum(scaled_to_numeric(row->quantity));
	args[8] = NumericGetDatum(scaled_to_numeric(row->held));
	if (engine_exec(&plan_upsert, args, NULL, ENGINE_FRESH) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("issue \"%s\" was applied by somebody else at the same time", k->key),
				 errhint("It is compared again by routing.run_jobs().")));
	row->shipment = settlement_add_shipment(s, &sh, order);
	k->changed = true;
}

/*
 * Add the differences to the settlement; the orders are locked.  Faults are
 * per key: a key is applied whole or not at all.
 */
void
bound_issues_apply(Settlement *s, IssueKey *keys, int n)
{
	for (int i = 0; i < n; i++)
	{
		IssueKey   *k = &keys[i];
		int32		tenant_id = k->binding->tenant_id;
		int			nheld;
		IssueRow   *held;
		SalesOrder **orders;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < k->nrows && k->fault.sqlerrcode == 0; j++)
		{
			/* of a line that is gone the goods have left all the same */
			if (!resolve_line(tenant_id, &k->rows[j]) && (k->rows[j].line_no == 0 || k->rows[j].item == NULL))
			{
				SalesOrder *order = order_load(tenant_id, k->rows[j].order_id, ORDER_NO_LOCK);

				if (check_order(k, &k->rows[j], order))
					fault_set(&k->fault, RT_UNKNOWN_LINE, "Correct line_no or line_key of the mapping.",
							  "issue \"%s\": order \"%s\" has no line \"%s\"", k->key, k->rows[j].order_id,
							  k->rows[j].line_no ? psprintf("%d", k->rows[j].line_no) : k->rows[j].line_key);
			}
		}
		if (k->fault.sqlerrcode)
			continue;
		held = read_held(k, &plan_held, &nheld);
		merge_held(k, held, nheld);
		orders = palloc0(sizeof(SalesOrder *) * Max(k->nrows, 1));
		for (int j = 0; j < k->nrows && k->fault.sqlerrcode == 0; j++)
		{
			if (k->rows[j].quantity == k->rows[j].held)
				continue;
			orders[j] = order_load(tenant_id, k->rows[j].order_id, ORDER_NO_LOCK);
			if (k->rows[j].quantity > k->rows[j].held)
				(void) check_order(k, &k->rows[j], orders[j]);
		}
		/* what is given back first, so that it may be shipped as something else */
		for (int back = 1; back >= 0; back--)
		{
			for (int j = 0; j < k->nrows && k->fault.sqlerrcode == 0; j++)
			{
				if (orders[j] != NULL && (k->rows[j].quantity < k->rows[j].held) == (back == 1))
					apply_row(s, k, &k->rows[j], orders[j]);
			}
		}
	}
}

/* After the settlement: remember what had no booking. */
void
bound_issues_done(IssueKey *keys, int n)
{
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < keys[i].nrows && keys[i].changed; j++)
		{
			IssueRow   *row = &keys[i].rows[j];
			Datum		args[8];

			if (row->shipment == NULL)
				continue;
			set_row(args, &keys[i], row);
			args[7] = NumericGetDatum(scaled_to_numeric(row->shipment->unbooked));
			if (row->quantity == 0)
				(void) engine_exec(&plan_delete, args, NULL, ENGINE_FRESH);
			else if (row->shipment->unbooked != 0)
				(void) engine_exec(&plan_unbooked, args, NULL, ENGINE_FRESH);
		}
	}
}

/* Report each difference between a document of the ERP and what was applied. */
void
bound_issue_compare(Binding *binding, const char *key, DifferenceReport report, void *arg)
{
	IssueKey	k = {0};
	int			nheld;
	IssueRow   *held;

	k.binding = binding;
	k.key = key;
	(void) read_mapped(&k);
	held = read_held(&k, &plan_compare, &nheld);
	for (int j = 0; j < k.nrows && k.fault.sqlerrcode == 0; j++)
	{
		if (!resolve_line(binding->tenant_id, &k.rows[j]) && (k.rows[j].line_no == 0 || k.rows[j].item == NULL))
			fault_set(&k.fault, RT_UNKNOWN_LINE, "See routing.pending.", "order \"%s\" or its line is unknown", k.rows[j].order_id);
	}
	if (k.fault.sqlerrcode)
	{
		report(arg, "issues", key, "row", k.fault.message, nheld > 0 ? "issue" : NULL);
		return;
	}
	merge_held(&k, held, nheld);
	for (int j = 0; j < k.nrows; j++)
	{
		IssueRow   *row = &k.rows[j];

		if (row->quantity != row->held)
			report(arg, "issues", key, "quantity", row->quantity ? scaled_to_text(row->quantity) : NULL,
				   row->held ? scaled_to_text(row->held) : NULL);
	}
}
