/*
 * schema_check.c
 *		Checking documents against compiled JSON Schemas.
 *
 * jsonb keeps the members of objects in the order of their keys, so fields and
 * what a schema says about them are walked side by side.
 */
#include "events/schema_node.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/builtins.h"

/* longest value that a message shows, in characters */
#define SHOWN_MAX	60

/* where in a document */
typedef struct Place
{
	const struct Place *within;
	const char *key;			/* NULL: an element */
	int			keylen;
	int			index;
} Place;

static void
append_place(StringInfo out, const Place *place)
{
	if (place == NULL || place->within == NULL)
		return;
	append_place(out, place->within);
	appendStringInfoChar(out, '/');
	if (place->key == NULL)
		appendStringInfo(out, "%d", place->index);
	for (int i = 0; i < place->keylen; i++)
	{
		if (place->key[i] == '~' || place->key[i] == '/')
			appendStringInfoString(out, place->key[i] == '~' ? "~0" : "~1");
		else
			appendStringInfoChar(out, place->key[i]);
	}
}

/* The path of a place, as JSON pointer, and what is wrong there. */
static char *
problem_at(const Place *place, const char *what)
{
	StringInfoData out;

	initStringInfo(&out);
	append_place(&out, place);
	if (out.len == 0)
		appendStringInfoChar(&out, '/');
	appendStringInfo(&out, ": %s", what);
	return out.data;
}

static char *
shown(const JsonbValue *v)
{
	int			len;

	switch (v->type)
	{
		case jbvString:
			len = pg_mbcharcliplen(v->val.string.val, v->val.string.len, SHOWN_MAX);
			return psprintf("\"%s%s\"", pnstrdup(v->val.string.val, len), len < v->val.string.len ? " ..." : "");
		case jbvNumeric:
			return numeric_normalize(v->val.numeric);
		case jbvBool:
			return pstrdup(v->val.boolean ? "true" : "false");
		case jbvNull:
			return pstrdup("null");
		default:
			return pstrdup(schema_container(v, true) ? "an object" : "an array");
	}
}

/* Whether a number is an integer, however it is written. */
bool
schema_integer(Numeric n)
{
	Datum		whole;

	if (numeric_is_nan(n) || numeric_is_inf(n))
		return false;
	whole = DirectFunctionCall2(numeric_trunc, NumericGetDatum(n), Int32GetDatum(0));
	return DatumGetBool(DirectFunctionCall2(numeric_eq, whole, NumericGetDatum(n)));
}

static int
compare_numbers(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

static int
types_of(const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvNull:
			return TYPE_NULL;
		case jbvBool:
			return TYPE_BOOLEAN;
		case jbvNumeric:
			return schema_integer(v->val.numeric) ? TYPE_NUMBER | TYPE_INTEGER : TYPE_NUMBER;
		case jbvString:
			return TYPE_STRING;
		default:
			return schema_container(v, true) ? TYPE_OBJECT : TYPE_ARRAY;
	}
}

static char *
type_list(int types)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < SCHEMA_NTYPES; i++)
	{
		if (types & (1 << i))
			appendStringInfo(&out, "%s%s", out.len ? " or " : "", schema_types[i]);
	}
	return out.data;
}

static bool
same_scalar(const JsonbValue *a, const JsonbValue *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		case jbvNumeric:
			return compare_numbers(a->val.numeric, b->val.numeric) == 0;
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		default:
			return a->type == jbvNull;
	}
}

static char *
check_values(const Schema *s, const JsonbValue *v, const Place *place)
{
	StringInfoData list;

	for (int i = 0; i < s->nvalues; i++)
	{
		if (same_scalar(&s->values[i], v))
			return NULL;
	}
	initStringInfo(&list);
	for (int i = 0; i < s->nvalues; i++)
		appendStringInfo(&list, "%s%s", i ? ", " : "", shown(&s->values[i]));
	return problem_at(place, psprintf("%s is not one of %s", shown(v), list.data));
}

static char *
check_string(const Schema *s, const JsonbValue *v, const Place *place)
{
	if (s->min_length > 0 || s->max_length < PG_INT64_MAX)
	{
		int			n = pg_mbstrlen_with_len(v->val.string.val, v->val.string.len);

		if (n < s->min_length || n > s->max_length)
			return problem_at(place, psprintf("%s has %d characters, which is too %s", shown(v), n,
											  n < s->min_length ? "short" : "long"));
	}
	if (s->pattern != NULL &&
		!RE_compile_and_execute(s->pattern, v->val.string.val, v->val.string.len,
								REG_ADVANCED, C_COLLATION_OID, 0, NULL))
		return problem_at(place, psprintf("%s does not match %s", shown(v), text_to_cstring(s->pattern)));
	return NULL;
}

static char *check(const Schema *s, const JsonbValue *v, const Place *place);

/* The order in which jsonb keeps keys. */
static int
compare_keys(const Field *f, const JsonbValue *key)
{
	if (f->keylen != key->val.string.len)
		return f->keylen < key->val.string.len ? -1 : 1;
	return memcmp(f->key, key->val.string.val, f->keylen);
}

static char *
missing(const Field *f, const Place *place)
{
	return problem_at(place, psprintf("field \"%s\" is missing", pnstrdup(f->key, f->keylen)));
}

static char *
check_object(const Schema *s, JsonbContainer *object, const Place *place)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	v;
	JsonbIteratorToken token;
	const Field *member = NULL;
	Place		here = {.within = place};
	int			f = 0;
	char	   *problem;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			here.key = v.val.string.val;
			here.keylen = v.val.string.len;
			for (; f < s->nfields && compare_keys(&s->fields[f], &v) < 0; f++)
			{
				if (s->fields[f].required)
					return missing(&s->fields[f], place);
			}
			member = f < s->nfields && compare_keys(&s->fields[f], &v) == 0 ? &s->fields[f++] : NULL;
			if (member == NULL && s->closed)
				return problem_at(&here, "the field is not in the schema");
		}
		else if (token == WJB_VALUE && member != NULL)
		{
			problem = check(member->schema, &v, &here);
			if (problem != NULL)
				return problem;
		}
	}
	for (; f < s->nfields; f++)
	{
		if (s->fields[f].required)
			return missing(&s->fields[f], place);
	}
	return NULL;
}

static char *
check_array(const Schema *s, JsonbContainer *array, const Place *place)
{
	int64		n = JsonContainerSize(array);
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;
	Place		here = {.within = place};
	char	   *problem;

	if (n < s->min_items || n > s->max_items)
		return problem_at(place, psprintf("the array has " INT64_FORMAT " elements, which are too %s", n,
										  n < s->min_items ? "few" : "many"));
	if (s->items == NULL)
		return NULL;
	it = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		problem = check(s->items, &v, &here);
		if (problem != NULL)
			return problem;
		here.index++;
	}
	return NULL;
}

static char *
check(const Schema *s, const JsonbValue *v, const Place *place)
{
	int			types = types_of(v);
	char	   *problem = NULL;

	check_stack_depth();
	if (s->types != 0 && (s->types & types) == 0)
		return problem_at(place, psprintf("%s is not of type %s", shown(v), type_list(s->types)));
	if (s->nvalues > 0)
		problem = check_values(s, v, place);
	if (problem == NULL && s->ref != NULL)
		problem = check(s->ref, v, place);
	if (problem != NULL)
		return problem;
	if (v->type == jbvString)
		return check_string(s, v, place);
	if (v->type == jbvNumeric)
	{
		if (s->minimum != NULL && compare_numbers(v->val.numeric, s->minimum) < 0)
			return problem_at(place, psprintf("%s is below %s", shown(v), numeric_normalize(s->minimum)));
		if (s->maximum != NULL && compare_numbers(v->val.numeric, s->maximum) > 0)
			return problem_at(place, psprintf("%s is above %s", shown(v), numeric_normalize(s->maximum)));
		return NULL;
	}
	if (schema_container(v, true))
		return check_object(s, v->val.binary.data, place);
	if (schema_container(v, false))
		return check_array(s, v->val.binary.data, place);
	return NULL;
}

/* What in a document the schema does not allow, with its path; NULL if nothing. */
char *
schema_problem(const Schema *schema, Jsonb *document)
{
	Place		top = {0};
	JsonbValue	root = {.type = jbvBinary};

	if (JB_ROOT_IS_SCALAR(document))
	{
		root = *getIthJsonbValueFromContainer(&document->root, 0);
		return check(schema, &root, &top);
	}
	root.val.binary.data = &document->root;
	root.val.binary.len = VARSIZE(document) - VARHDRSZ;
	return check(schema, &root, &top);
}
