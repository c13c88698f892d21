/*
 * writeback.c
 *		Writing answers into the ERP's rows.
 *
 * Only rows of orders that this transaction itself touched are written here;
 * others may be locked by whoever works on them.  The UPDATE runs with the
 * rights of the table's owner, and not at all where nothing would change.
 */
#include "erp/differ.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/namespace.h"
#include "utils/lsyscache.h"

typedef struct Wanted
{
	Binding    *binding;
	SalesOrder *order;
} Wanted;

static Wanted *wanted = NULL;
static int	nwanted = 0;
static int	cap_wanted = 0;

/* Start collecting, in the current memory context. */
void
writeback_begin(void)
{
	cap_wanted = 8;
	nwanted = 0;
	wanted = palloc(sizeof(Wanted) * cap_wanted);
}

/* The order's answer is to be written when the settlement is done. */
void
writeback_want(Binding *binding, SalesOrder *order)
{
	order->answered = true;
	if (binding->concepts[C_ORDERS].back_table == NULL &&
		binding->concepts[C_LINES].back_table == NULL)
		return;
	if (nwanted == cap_wanted)
	{
		cap_wanted *= 2;
		wanted = repalloc_huge(wanted, sizeof(Wanted) * cap_wanted);
	}
	wanted[nwanted].binding = binding;
	wanted[nwanted++].order = order;
}

static const char *
map_status(const Mapping *m, const char *status)
{
	for (int i = 0; i < m->nstatus; i++)
	{
		if (strcmp(m->status_map[i].name, status) == 0)
			return m->status_map[i].column;
	}
	return status;
}

/* The node with the largest number of booked units over all lines. */
static const char *
order_node(const SalesOrder *order)
{
	const char *best = NULL;
	int64		most = 0;

	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		int64		sum = 0;

		if (b->release || !b->firm)
			continue;
		for (int k = 0; k < order->nbookings; k++)
		{
			const Booking *o = &order->bookings[k];

			if (!o->release && o->firm && strcmp(o->node, b->node) == 0)
				sum += o->quantity;
		}
		if (sum > most || (sum == most && best != NULL && strcmp(b->node, best) < 0))
		{
			most = sum;
			best = b->node;
		}
	}
	return best;
}

static char *
answer_of_order(const Mapping *m, const SalesOrder *order, const char *name)
{
	if (strcmp(name, "status") == 0)
		return pstrdup(map_status(m, order->status));
	if (order_is_cancelled(order))
		return NULL;
	if (strcmp(name, "node") == 0)
	{
		const char *node = order_node(order);

		return node ? pstrdup(node) : NULL;
	}
	if (strcmp(name, "promised_on") == 0)
	{
		DateADT		last = DATEVAL_NOBEGIN;

		for (int i = 0; i < order->nlines; i++)
		{
			if (!order->lines[i].has_promised)
				return NULL;
			last = Max(last, order->lines[i].promised);
		}
		return order->nlines > 0 ? date_text(last) : NULL;
	}
	if (strcmp(name, "split") == 0)
		return pstrdup(order->nshipments > 1 ? "true" : "false");
	if (strcmp(name, "shipments") == 0)
		return psprintf("%d", order->nshipments);
	if (strcmp(name, "cost") == 0)
		return scaled_to_text(order->cost);
	if (strcmp(name, "decision_id") == 0)
		return order->decision_id ? psprintf(INT64_FORMAT, order->decision_id) : NULL;
	if (strcmp(name, "reason") == 0)
	{
		for (int i = 0; i < order->nlines; i++)
		{
			if (order->lines[i].reason != NULL)
				return psprintf("line %d: %s", order->lines[i].line_no, order->lines[i].reason);
		}
	}
	return NULL;
}

static char *
answer_of_line(const Mapping *m, const SalesOrder *order, const OrderLine *line, const char *name)
{
	bool		cancelled = order_is_cancelled(order);

	if (strcmp(name, "status") == 0)
		return pstrdup(map_status(m, cancelled ? "cancelled" :
								  line->new_status ? line->new_status : line->status));
	if (cancelled)
		return NULL;
	if (strcmp(name, "node") == 0)
		return line->node ? pstrdup(line->node) : NULL;
	if (strcmp(name, "promised_on") == 0)
		return line->has_promised ? date_text(line->promised) : NULL;
	if (strcmp(name, "split") == 0)
		return pstrdup(line->split ? "true" : "false");
	if (strcmp(name, "reason") == 0)
		return line->reason;
	if (strcmp(name, "decision_id") == 0)
		return order->decision_id ? psprintf(INT64_FORMAT, order->decision_id) : NULL;
	if (strcmp(name, "allocated_quantity") == 0)
		return scaled_to_text(order_serves(order, line->line_no, true));
	return NULL;
}

static Oid
back_relation(const Mapping *m)
{
	Oid			relid = get_relname_relid(m->back_table, get_namespace_oid(m->back_schema, false));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(RT_WATCHED_MISSING),
				 errmsg("table %s of a write-back does not exist",
						quote_qualified_identifier(m->back_schema, m->back_table)),
				 errhint("Unbind, and bind to the tables there are.")));
	return relid;
}

/* UPDATE table SET answers WHERE key AND something differs. */
static void
prepare(Mapping *m, Oid relid)
{
	StringInfoData sql;
	Oid		   *types = m->backtypes;
	int			n = 0;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s SET ", quote_qualified_identifier(m->back_schema, m->back_table));
	for (int i = 0; i < m->nanswers; i++)
	{
		appendStringInfo(&sql, "%s%s = $%d", i > 0 ? ", " : "",
						 quote_identifier(m->answers[i].column), n + 1);
		types[n++] = get_atttype(relid, get_attnum(relid, m->answers[i].column));
	}
	appendStringInfoString(&sql, " WHERE ");
	for (int i = 0; i < m->nback_keys; i++)
	{
		appendStringInfo(&sql, "%s = $%d AND ", quote_identifier(m->back_keys[i]), n + 1);
		types[n++] = get_atttype(relid, get_attnum(relid, m->back_keys[i]));
	}
	appendStringInfoChar(&sql, '(');
	for (int i = 0; i < m->nanswers; i++)
		appendStringInfo(&sql, "%s%s IS DISTINCT FROM $%d", i > 0 ? " OR " : "",
						 quote_identifier(m->answers[i].column), i + 1);
	appendStringInfoChar(&sql, ')');
	m->back = engine_prepare(sql.data, n, types, true);
}

static void
update(Mapping *m, char **answers, char **keys)
{
	Oid			relid = back_relation(m);
	int			n = m->nanswers + m->nback_keys;
	char	  **texts = palloc(sizeof(char *) * n);
	Datum	   *values = palloc(sizeof(Datum) * n);
	char	   *nulls = palloc(n);
	EngineScope scope;
	MemoryContext caller = CurrentMemoryContext;

	memcpy(texts, answers, sizeof(char *) * m->nanswers);
	memcpy(texts + m->nanswers, keys, sizeof(char *) * m->nback_keys);
	role_enter(&scope, relation_owner(relid));
	/* the ERP may have altered the table: the types of columns are ours to know */
	if (m->back != NULL && !SPI_plan_is_valid(m->back))
	{
		SPI_freeplan(m->back);
		m->back = NULL;
	}
	if (m->back == NULL)
		prepare(m, relid);
	text_params(m->backtypes, texts, n, values, nulls);
	if (SPI_execute_plan(m->back, values, nulls, false, 0) != SPI_OK_UPDATE)
		ereport(ERROR,
				(errcode(RT_BAD_BINDING),
				 errmsg("a rule of table %s replaces the update of a write-back",
						quote_qualified_identifier(m->back_schema, m->back_table)),
				 errhint("Drop the rule, or write back into a table of its own.")));
	MemoryContextSwitchTo(caller);
	role_leave(&scope);
}

static void
write_order(Binding *binding, SalesOrder *order)
{
	Mapping    *m = &binding->concepts[C_ORDERS];
	char	   *keys[MAX_KEYS];
	int			norder_keys = m->nkeys;
	char	  **answers;

	/* held since a binding of this name that had another key: not in the ERP */
	if (key_split(order->order_id, keys, norder_keys) != norder_keys)
		return;
	if (m->back_table != NULL)
	{
		answers = palloc(sizeof(char *) * m->nanswers);
		for (int i = 0; i < m->nanswers; i++)
			answers[i] = answer_of_order(m, order, m->answers[i].name);
		update(m, answers, keys);
	}
	m = &binding->concepts[C_LINES];
	if (m->back_table == NULL)
		return;
	answers = palloc(sizeof(char *) * m->nanswers);
	for (int l = 0; l < order->nlines; l++)
	{
		OrderLine  *line = &order->lines[l];

		if (line->source_key == NULL)
			continue;
		if (key_split(line->source_key, keys + norder_keys, m->nkeys - norder_keys) !=
			m->nkeys - norder_keys)
			continue;
		for (int i = 0; i < m->nanswers; i++)
			answers[i] = answer_of_line(m, order, line, m->answers[i].name);
		update(m, answers, keys);
	}
}

/* Write everything that is wanted; SPI is connected. */
void
writeback_run(void)
{
	/* a trigger of the ERP may call for a settlement of its own meanwhile */
	Wanted	   *mine = wanted;
	int			n = nwanted;

	wanted = NULL;
	nwanted = cap_wanted = 0;
	for (int i = 0; i < n; i++)
	{
		if (mine[i].order->fault.sqlerrcode == 0)
			write_order(mine[i].binding, mine[i].order);
	}
}
