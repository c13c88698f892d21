/*
 * custom.c
 *		Terms of the cost that a tenant's own functions compute.
 *
 * A function (item text, node text, order jsonb) returns numeric: money for
 * the whole line if that node serves it, 0 or more; null is 0.  It runs as its
 * owner, who must be a member of the tenant and no superuser, with a pinned
 * search path, and must not be volatile: it only reads.  It is asked once per
 * item and candidate in a decision.
 *
 * Whatever goes wrong costs the order nothing but that term: an error, an
 * amount that is none, or a term that takes longer than its limit is dropped
 * for this decision, which says so.  So each term has a subtransaction and a
 * timer of its own.
 */
#include "orders/eligibility.h"

#include "base/engine.h"
#include "base/limited.h"
#include "base/quantity.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define MOST_MONEY	(INT64CONST(1000000) * SCALE)	/* of a term of one line */

static EnginePlan plan_is_member = {
	"SELECT 1 FROM routing.tenant_member m LEFT JOIN pg_catalog.pg_roles r ON r.rolname = m.role"
	" WHERE m.tenant_id = $1 AND (m.role = 'public' OR pg_catalog.pg_has_role($2, r.oid, 'member'))",
	2, {INT4OID, OIDOID}, NULL
};

static void limit_handler(void);

static TimeLimit limit = {.handler = limit_handler};

static void
limit_handler(void)
{
	time_limit_fire(&limit);
}

/* What a function is told of the order. */
static Jsonb *
describe(const SalesOrder *order)
{
	JsonWriter	w = {0};

	json_begin_object(&w);
	json_key_text(&w, "order_id", order->order_id);
	json_key_text(&w, "customer", order->customer);
	json_key_text(&w, "customer_group", order->customer_group);
	json_key_text(&w, "channel", order->channel);
	json_key_int(&w, "priority", order->priority);
	json_key_text(&w, "country", order->country);
	json_key_text(&w, "postal_code", order->postal_code);
	json_key_text(&w, "zone", order->lanes->zone);
	if (order->has_requested)
		json_key_date(&w, "requested_on", order->requested);
	json_key(&w, "lines");
	json_begin_array(&w);
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];

		json_begin_object(&w);
		json_key_int(&w, "line_no", line->line_no);
		json_key_text(&w, "item", line->item);
		json_key_text(&w, "item_class", line->item_class);
		json_key_scaled(&w, "quantity", line->quantity);
		json_key_scaled(&w, "open", line->open);
		if (line->has_price)
			json_key_scaled(&w, "price", line->price);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	return json_result(&w);
}

/* The function of a term; an error if it is not one that may be called. */
static Oid
find_function(const char *name, Oid *owner)
{
	/* the arguments need not be said: they are always the same */
	char	   *signature = strchr(name, '(') != NULL ? pstrdup(name) : psprintf("%s(text,text,jsonb)", name);
	Oid			oid = DatumGetObjectId(DirectFunctionCall1(regprocedurein, CStringGetDatum(signature)));
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	Form_pg_proc proc;
	const char *wrong = NULL;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(RT_BAD_TERM),
				 errmsg("function %s does not exist", name)));
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	*owner = proc->proowner;
	if (proc->prokind != PROKIND_FUNCTION || proc->proretset || proc->prorettype != NUMERICOID ||
		proc->pronargs != 3 || proc->proargtypes.values[0] != TEXTOID ||
		proc->proargtypes.values[1] != TEXTOID || proc->proargtypes.values[2] != JSONBOID)
		wrong = "is not a function (text, text, jsonb) that returns numeric";
	else if (proc->provolatile == PROVOLATILE_VOLATILE)
		wrong = "is volatile";
	else if (superuser_arg(proc->proowner))
		wrong = "belongs to a superuser";
	ReleaseSysCache(tuple);
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(RT_BAD_TERM),
				 errmsg("function %s %s", name, wrong)));
	return oid;
}

/* Whether a role, whoever is at work now, belongs to the tenant. */
static bool
is_member(int32 tenant_id, Oid role)
{
	Datum		args[2];
	EngineScope scope;
	bool		member;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = ObjectIdGetDatum(role);
	engine_enter(&scope);
	SPI_connect();
	member = engine_exec(&plan_is_member, args, NULL, ENGINE_FRESH) > 0;
	SPI_finish();
	engine_leave(&scope);
	return member;
}

/* A value as money; an error if it is none. */
static int64
money_of(Datum value)
{
	int64		money;
	ScaledStatus status;

	/* more decimals than we have are no fault of a function that divides */
	value = DirectFunctionCall2(numeric_round, value, Int32GetDatum(4));
	status = scaled_from_numeric(DatumGetNumeric(value), &money);
	if (status != SCALED_OK || money < 0 || money > MOST_MONEY)
		ereport(ERROR,
				(errcode(RT_BAD_TERM),
				 errmsg("%s is not an amount from 0 to 1000000",
						DatumGetCString(DirectFunctionCall1(numeric_out, value)))));
	return money;
}

/* what ask() is called with */
typedef struct TermCall
{
	const SalesOrder *order;
	const PolicyCustom *term;
	Jsonb	   *description;
	int64	   *values;
} TermCall;

/* Ask the function of a term for each open item and candidate, as its owner. */
static void
ask(void *arg)
{
	const TermCall *asked = arg;
	const SalesOrder *order = asked->order;
	const PolicyCustom *term = asked->term;
	int64	   *values = asked->values;
	LOCAL_FCINFO(fcinfo, 3);
	FmgrInfo	flinfo;
	Oid			owner;
	Oid			function = find_function(term->function, &owner);
	const NetNode *nodes;
	EngineScope scope;

	(void) network_nodes(order->net, &nodes);
	if (!is_member(order->tenant_id, owner))
		ereport(ERROR,
				(errcode(RT_BAD_TERM),
				 errmsg("the owner of function %s is no member of the tenant", term->function)));
	role_enter(&scope, owner);
	PushActiveSnapshot(GetTransactionSnapshot());
	fmgr_info(function, &flinfo);
	for (int l = 0; l < order->nlines; l++)
	{
		int			same = 0;
		int64	   *row = &values[l * order->ncandidates];
		Datum		item = CStringGetTextDatum(order->lines[l].item);

		if (order->lines[l].open <= 0)
			continue;
		while (strcmp(order->lines[same].item, order->lines[l].item) != 0 || order->lines[same].open <= 0)
			same++;
		for (int c = 0; c < order->ncandidates; c++)
		{
			Datum		value;

			CHECK_FOR_INTERRUPTS();
			if (same < l)
			{
				row[c] = values[same * order->ncandidates + c];
				continue;
			}
			InitFunctionCallInfoData(*fcinfo, &flinfo, 3, InvalidOid, NULL, NULL);
			fcinfo->args[0].value = item;
			fcinfo->args[1].value = CStringGetTextDatum(nodes[order->candidates[c]].node);
			fcinfo->args[2].value = JsonbPGetDatum(asked->description);
			for (int i = 0; i < 3; i++)
				fcinfo->args[i].isnull = false;
			value = FunctionCallInvoke(fcinfo);
			row[c] = fcinfo->isnull ? 0 : money_of(value);
		}
	}
	PopActiveSnapshot();
	role_leave(&scope);
}

/* The values of a term, or why there are none. */
static const char *
compute(const SalesOrder *order, const PolicyCustom *term, Jsonb *description, int64 *values)
{
	TermCall	c = {order, term, description, values};
	ErrorData  *error = limited_call(&limit, term->limit_ms, ask, &c);

	if (error == NULL)
		return NULL;
	return limit.reached ? psprintf("took longer than %d ms", term->limit_ms) : error->message;
}

static void
add_term(SalesOrder *order, const PolicyCustom *term, Jsonb *description)
{
	Eligibility *e = order->eligibility;
	int			n = order->nlines * order->ncandidates;
	int64	   *values = palloc0(sizeof(int64) * Max(n, 1));
	const char *why = compute(order, term, description, values);

	if (why != NULL)
	{
		order->dropped = lappend(order->dropped, psprintf("%s: %s", term->name, why));
		return;
	}
	for (int i = 0; i < n; i++)
	{
		int128		weighted = ((int128) values[i] * term->weight + SCALE / 2) / SCALE;

		e->custom[i] = Min(e->custom[i] + (int64) Min(weighted, MOST_MONEY), MOST_MONEY);
	}
}

/* Set the sum of the order's custom terms for each line of its problem and candidate. */
void
custom_set_terms(SalesOrder *order, SrcLineNode *line_nodes)
{
	Eligibility *e = order->eligibility;

	if (e->custom == NULL)
	{
		Jsonb	   *description = describe(order);

		e->custom = palloc0(sizeof(int64) * Max(order->nlines * order->ncandidates, 1));
		for (int i = 0; i < order->terms.ncustom; i++)
			add_term(order, &order->terms.custom[i], description);
	}
	for (int i = 0; i < order->problem.nlines; i++)
	{
		for (int c = 0; c < order->ncandidates; c++)
			line_nodes[i * order->ncandidates + c].custom =
				e->custom[order->problem_lines[i] * order->ncandidates + c];
	}
}
