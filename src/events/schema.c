/*
 * schema.c
 *		Compiling the JSON Schemas of the catalog of event types.
 *
 * The part of JSON Schema 2020-12 that the catalog of event types uses:
 *
 *		type, properties, required, additionalProperties (a boolean), items,
 *		minItems, maxItems, enum and const (of scalars), pattern, minLength,
 *		maxLength, minimum, maximum, and $ref to a member of $defs
 *
 * as well as what only describes.  A schema that uses another keyword is not
 * compiled, so that none is silently passed over.
 *
 * Patterns are written
 * in what the regular expressions of ECMA-262 and of the server have in common.
 */
#include "events/schema_node.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

const char *const schema_types[SCHEMA_NTYPES] = {
	"null", "boolean", "number", "integer", "string", "array", "object"
};

typedef struct Definition
{
	const char *name;
	int			len;
	Schema	   *schema;
} Definition;

typedef struct Compiler
{
	JsonbContainer *defs;		/* or NULL */
	int			ndefinitions;	/* compiled so far */
	Definition *definitions;
	char	   *problem;
} Compiler;

static Schema *compile(Compiler *c, JsonbValue *value, const char *where);

static bool
fail(Compiler *c, const char *where, const char *what)
{
	if (c->problem == NULL)
		c->problem = psprintf("%s %s", where[0] ? where : "the schema", what);
	return false;
}

static bool
is(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && (size_t) value->val.string.len == strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static int
type_bit(const JsonbValue *name)
{
	for (int i = 0; i < SCHEMA_NTYPES; i++)
	{
		if (is(name, schema_types[i]))
			return 1 << i;
	}
	return 0;
}

static bool
compile_type(Compiler *c, Schema *s, JsonbValue *value, const char *where)
{
	s->types = type_bit(value);
	if (schema_container(value, false))
	{
		JsonbContainer *names = value->val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(names); i++)
		{
			int			bit = type_bit(getIthJsonbValueFromContainer(names, i));

			if (bit == 0)
				return fail(c, where, "has an unknown type");
			s->types |= bit;
		}
	}
	return s->types != 0 || fail(c, where, "has an unknown type");
}

static bool
compile_properties(Compiler *c, Schema *s, JsonbValue *value, const char *where)
{
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;

	if (!schema_container(value, true))
		return fail(c, where, "has properties that are no object");
	s->fields = palloc0(sizeof(Field) * Max(JsonContainerSize(value->val.binary.data), 1));
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		Field	   *f = &s->fields[s->nfields];

		if (token == WJB_KEY)
		{
			f->key = v.val.string.val;
			f->keylen = v.val.string.len;
		}
		else if (token == WJB_VALUE)
		{
			s->nfields++;
			f->schema = compile(c, &v, psprintf("%s/properties/%s", where, pnstrdup(f->key, f->keylen)));
			if (f->schema == NULL)
				return false;
		}
	}
	return true;
}

static bool
compile_required(Compiler *c, Schema *s, JsonbValue *value, const char *where)
{
	if (!schema_container(value, false))
		return fail(c, where, "has a required that is no array");
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(value->val.binary.data, i);
		bool		found = false;

		for (int f = 0; f < s->nfields && name->type == jbvString; f++)
		{
			if (s->fields[f].keylen == name->val.string.len &&
				memcmp(s->fields[f].key, name->val.string.val, name->val.string.len) == 0)
				s->fields[f].required = found = true;
		}
		if (!found)
			return fail(c, where, "requires a field that is not among its properties");
	}
	return true;
}

static bool
compile_values(Compiler *c, Schema *s, JsonbValue *value, bool list, const char *where)
{
	uint32		n = 1;

	if (list && (!schema_container(value, false) || JsonContainerSize(value->val.binary.data) == 0))
		return fail(c, where, "has an enum that is no array or an empty one");
	if (list)
		n = JsonContainerSize(value->val.binary.data);
	s->values = palloc(sizeof(JsonbValue) * n);
	for (uint32 i = 0; i < n; i++)
	{
		s->values[i] = list ? *getIthJsonbValueFromContainer(value->val.binary.data, i) : *value;
		if (!IsAJsonbScalar(&s->values[i]))
			return fail(c, where, "has an enum or const of other than scalars");
	}
	s->nvalues = (int) n;
	return true;
}

static bool
compile_count(Compiler *c, int64 *count, JsonbValue *value, const char *where)
{
	bool		failed = value->type != jbvNumeric || !schema_integer(value->val.numeric);

	if (!failed)
		*count = numeric_int4_opt_error(value->val.numeric, &failed);
	return (!failed && *count >= 0) || fail(c, where, "has a length or a number of elements that is no integer");
}

static bool
compile_pattern(Compiler *c, Schema *s, JsonbValue *value, const char *where)
{
	regex_t		compiled;
	pg_wchar   *wide;
	int			code;

	if (value->type != jbvString)
		return fail(c, where, "has a pattern that is no string");
	wide = palloc(sizeof(pg_wchar) * (value->val.string.len + 1));
	code = pg_regcomp(&compiled, wide, pg_mb2wchar_with_len(value->val.string.val, wide, value->val.string.len),
					  REG_ADVANCED | REG_NOSUB, C_COLLATION_OID);
	if (code != REG_OKAY)
		return fail(c, where, "has a pattern that is no regular expression");
	/* the server keeps compiled ones by their text */
	pg_regfree(&compiled);
	s->pattern = cstring_to_text_with_len(value->val.string.val, value->val.string.len);
	return true;
}

static bool
compile_ref(Compiler *c, Schema *s, JsonbValue *value, const char *where)
{
	static const char prefix[] = "#/$defs/";
	const char *name;
	int			len;
	JsonbValue	found;

	if (value->type != jbvString || value->val.string.len < (int) strlen(prefix) ||
		strncmp(value->val.string.val, prefix, strlen(prefix)) != 0)
		return fail(c, where, "has a $ref to elsewhere than #/$defs/");
	name = value->val.string.val + strlen(prefix);
	len = value->val.string.len - (int) strlen(prefix);
	for (int i = 0; i < c->ndefinitions; i++)
	{
		if (c->definitions[i].len == len && memcmp(c->definitions[i].name, name, len) == 0)
		{
			s->ref = c->definitions[i].schema;
			return s->ref != NULL || fail(c, where, "has a $ref to what it is within");
		}
	}
	if (c->defs == NULL || getKeyJsonValueFromContainer(c->defs, name, len, &found) == NULL)
		return fail(c, where, psprintf("refers to #/$defs/%s, which is not there", pnstrdup(name, len)));
	c->definitions = c->definitions == NULL ? palloc(sizeof(Definition)) :
		repalloc(c->definitions, sizeof(Definition) * (c->ndefinitions + 1));
	c->definitions[c->ndefinitions] = (Definition) {name, len, NULL};
	c->ndefinitions++;
	s->ref = compile(c, &found, psprintf("#/$defs/%s", pnstrdup(name, len)));
	for (int i = 0; i < c->ndefinitions; i++)
	{
		if (c->definitions[i].name == name)
			c->definitions[i].schema = s->ref;
	}
	return s->ref != NULL;
}

static bool
only_describes(const JsonbValue *key)
{
	static const char *const names[] = {
		"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "format", "deprecated"
	};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (is(key, names[i]))
			return true;
	}
	return false;
}

static bool
compile_keyword(Compiler *c, Schema *s, const JsonbValue *key, JsonbValue *value, const char *where)
{
	if (is(key, "type"))
		return compile_type(c, s, value, where);
	if (is(key, "properties"))
		return compile_properties(c, s, value, where);
	if (is(key, "additionalProperties"))
	{
		s->closed = value->type == jbvBool && !value->val.boolean;
		return value->type == jbvBool || fail(c, where, "has additionalProperties other than true and false");
	}
	if (is(key, "items"))
		return (s->items = compile(c, value, psprintf("%s/items", where))) != NULL;
	if (is(key, "minItems"))
		return compile_count(c, &s->min_items, value, where);
	if (is(key, "maxItems"))
		return compile_count(c, &s->max_items, value, where);
	if (is(key, "minLength"))
		return compile_count(c, &s->min_length, value, where);
	if (is(key, "maxLength"))
		return compile_count(c, &s->max_length, value, where);
	if (is(key, "minimum") || is(key, "maximum"))
	{
		if (value->type != jbvNumeric)
			return fail(c, where, "has a limit that is no number");
		*(is(key, "minimum") ? &s->minimum : &s->maximum) = value->val.numeric;
		return true;
	}
	if (is(key, "enum") || is(key, "const"))
		return compile_values(c, s, value, is(key, "enum"), where);
	if (is(key, "pattern"))
		return compile_pattern(c, s, value, where);
	if (is(key, "$ref"))
		return compile_ref(c, s, value, where);
	if (is(key, "required") || only_describes(key))
		return true;
	return fail(c, where, psprintf("uses %s, which is not looked at", string_of(key)));
}

static Schema *
compile(Compiler *c, JsonbValue *value, const char *where)
{
	Schema	   *s = palloc0(sizeof(Schema));
	JsonbIterator *it;
	JsonbValue	key = {0};
	JsonbValue	v;
	JsonbIteratorToken token;

	check_stack_depth();
	if (!schema_container(value, true))
	{
		fail(c, where, "is no object");
		return NULL;
	}
	s->max_items = s->max_length = PG_INT64_MAX;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = v;
		else if (token == WJB_VALUE && !compile_keyword(c, s, &key, &v, where))
			return NULL;
	}
	/* once the properties are known */
	if (getKeyJsonValueFromContainer(value->val.binary.data, "required", strlen("required"), &v) != NULL &&
		!compile_required(c, s, &v, where))
		return NULL;
	return s;
}

/*
 * Compile a schema, in the current memory context, where the document must
 * stay as long.  Returns NULL and what is wrong if it cannot be used.
 */
const Schema *
schema_compile(Jsonb *document, char **problem)
{
	Compiler	c = {0};
	JsonbValue	root = {.type = jbvBinary};
	JsonbValue	defs;
	Schema	   *s;

	*problem = NULL;
	root.val.binary.data = &document->root;
	root.val.binary.len = VARSIZE(document) - VARHDRSZ;
	if (JB_ROOT_IS_OBJECT(document) &&
		getKeyJsonValueFromContainer(&document->root, "$defs", strlen("$defs"), &defs) != NULL)
	{
		if (schema_container(&defs, true))
			c.defs = defs.val.binary.data;
	}
	if (JB_ROOT_IS_SCALAR(document))
	{
		*problem = pstrdup("the schema is no object");
		return NULL;
	}
	s = compile(&c, &root, "");
	*problem = c.problem;
	return s;
}
