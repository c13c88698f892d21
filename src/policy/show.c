/*
 * show.c
 *		SQL: checking a definition, and what a policy says of a case.
 */
#include "policy/compile.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/quantity.h"
#include "base/tenant.h"

#include "funcapi.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(routing_check_policy);

static char *
text_arg(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

/*
 * SQL: an error unless the definition is valid; with "strict" what it extends
 * must have an active version, or be the one it is bound to already.
 */
Datum
routing_check_policy(PG_FUNCTION_ARGS)
{
	Fault		fault = {0};

	for (int i = 0; i < 4; i++)
	{
		/* the table's own NOT NULL tells which */
		if (PG_ARGISNULL(i))
			PG_RETURN_VOID();
	}
	(void) policy_compile(PG_GETARG_INT32(0), text_arg(fcinfo, 1), PG_GETARG_INT32(2), PG_GETARG_JSONB_P(3),
						  PG_ARGISNULL(4) ? -1 : PG_GETARG_INT32(4), clock_now(),
						  !PG_ARGISNULL(5) && PG_GETARG_BOOL(5), &fault);
	if (fault.sqlerrcode != 0)
		fault_raise(&fault);
	PG_RETURN_VOID();
}

static void
write_list(JsonWriter *w, char **codes, int n)
{
	json_begin_array(w);
	for (int i = 0; i < n; i++)
		json_text(w, codes[i]);
	json_end_array(w);
}

static void
write_keeps(JsonWriter *w, const PolicyTerms *terms)
{
	json_begin_array(w);
	for (int i = 0; i < terms->nkeeps; i++)
	{
		json_begin_object(w);
		json_key_text(w, "kind", terms->keeps[i].kind);
		json_key_text(w, "node", terms->keeps[i].node);
		json_key_scaled(w, "quantity", terms->keeps[i].quantity);
		json_end_object(w);
	}
	json_end_array(w);
}

static void
write_custom(JsonWriter *w, const PolicyTerms *terms)
{
	json_begin_array(w);
	for (int i = 0; i < terms->ncustom; i++)
	{
		json_begin_object(w);
		json_key_text(w, "name", terms->custom[i].name);
		json_key_text(w, "function", terms->custom[i].function);
		json_key_scaled(w, "weight", terms->custom[i].weight);
		json_key_int(w, "limit_ms", terms->custom[i].limit_ms);
		json_end_object(w);
	}
	json_end_array(w);
}

/* The value of a key as a definition could have it; NULL: there is no limit. */
static char *
value_text(const PolicyTerms *terms, const PolicyField *f)
{
	const char *member = (const char *) terms + f->offset;
	JsonWriter	w = {0};
	Jsonb	   *doc;

	switch (f->type)
	{
		case FIELD_AMOUNT:
			return *(const int64 *) member == POLICY_NONE ? NULL : scaled_to_text(*(const int64 *) member);
		case FIELD_COUNT:
			return *(const int32 *) member < 0 ? NULL : psprintf("%d", *(const int32 *) member);
		case FIELD_BOOL:
			return pstrdup(*(const bool *) member ? "true" : "false");
		case FIELD_REST:
			return pstrdup(policy_rest_names[terms->rest]);
		case FIELD_LATENESS:
			json_begin_object(&w);
			for (int p = 1; p <= POLICY_PRIORITIES; p++)
			{
				json_made_key(&w, psprintf("%d", p));
				json_scaled(&w, terms->lateness[p]);
			}
			json_end_object(&w);
			break;
		case FIELD_SOFT:
			json_begin_array(&w);
			for (int bit = 0; policy_soft_names[bit] != NULL; bit++)
			{
				if (terms->soft & (1U << bit))
					json_text(&w, policy_soft_names[bit]);
			}
			json_end_array(&w);
			break;
		case FIELD_NODES:
			if (terms->list.n == 0)
				return NULL;
			json_begin_object(&w);
			json_key(&w, "list");
			write_list(&w, terms->list.nodes, terms->list.n);
			json_key_scaled(&w, "step", terms->list.step);
			json_key_bool(&w, "only", terms->list.only);
			json_end_object(&w);
			break;
		case FIELD_KEEP:
			write_keeps(&w, terms);
			break;
		case FIELD_CUSTOM:
			write_custom(&w, terms);
			break;
	}
	doc = json_result(&w);
	return JsonbToCString(NULL, &doc->root, VARSIZE(doc));
}

static void
put_row(ReturnSetInfo *rsinfo, const char *key, const char *value)
{
	Datum		values[2];
	bool		nulls[2] = {false, value == NULL};

	values[0] = CStringGetTextDatum(key);
	values[1] = value ? CStringGetTextDatum(value) : (Datum) 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(routing_policy_effective);

/*
 * SQL: the terms that apply to a case, a row for each key, of the version that
 * is in effect or of the one that is named.
 */
Datum
routing_policy_effective(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo;
	int32		tenant_id = tenant_current();
	char	   *code = text_arg(fcinfo, 0);
	const Policy *policy;
	PolicyCase	of;
	PolicyTerms terms;
	Fault		fault = {0};

	InitMaterializedSRF(fcinfo, 0);
	rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	if (code == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("policy is null"),
				 errhint("Give the code of a policy.")));
	of.channel = text_arg(fcinfo, 1);
	of.customer_group = text_arg(fcinfo, 2);
	of.zone = text_arg(fcinfo, 3);
	of.country = text_arg(fcinfo, 4);
	of.item_class = text_arg(fcinfo, 5);
	policy = PG_ARGISNULL(6) ? policy_get(tenant_id, code, clock_of_transaction(), &fault) :
		policy_version_get(tenant_id, code, PG_GETARG_INT32(6), clock_of_transaction(), &fault);
	if (fault.sqlerrcode != 0)
		fault_raise(&fault);
	policy_terms(policy, &of, &terms);
	for (int i = 0; i < policy_nfields; i++)
		put_row(rsinfo, policy_fields[i].name, value_text(&terms, &policy_fields[i]));
	put_row(rsinfo, "retention_days", policy->retention_days < 0 ? NULL : psprintf("%d", policy->retention_days));
	return (Datum) 0;
}
