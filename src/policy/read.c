/*
 * read.c
 *		Reading values of a policy's definition: numbers, codes, members.
 *
 * What is read is checked against bounds in whole units; a value that does not
 * do leaves a fault with the path and the value.
 */
#include "policy/read.h"

#include "base/json.h"
#include "base/quantity.h"

#include "mb/pg_wchar.h"
#include "utils/varlena.h"

#define VALUE_SHOWN		60		/* bytes of a value in a message */

static void
reader_bad_hint(Reader *r, const char *path, const char *what, const char *hint)
{
	fault_set(r->fault, RT_BAD_POLICY, hint, "policy \"%s\" version %d: %s %s",
			  r->p->code, r->p->version, path, what);
}

void
reader_bad(Reader *r, const char *path, const char *what)
{
	reader_bad_hint(r, path, what, "See the section on policies in doc/reference.md.");
}

bool
reader_failed(const Reader *r)
{
	return r->fault->sqlerrcode != 0;
}

bool
reader_is_object(const JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsObject(v->val.binary.data);
}

static bool
is_array(const JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsArray(v->val.binary.data);
}

/* A value as a message shows it: valid text, cut off if long. */
static char *
shown(const JsonbValue *v)
{
	char	   *text;
	int			len;

	if (v->type == jbvNull)
		return pstrdup("null");
	if (v->type == jbvBinary)
		return pstrdup(reader_is_object(v) ? "{...}" : "[...]");
	text = json_value_text(v);
	len = (int) strlen(text);
	if (len == 0)
		return pstrdup("\"\"");
	if (len <= VALUE_SHOWN)
		return text;
	return psprintf("%.*s...", pg_mbcliplen(text, len, VALUE_SHOWN), text);
}

void
reader_bad_value(Reader *r, const char *path, const JsonbValue *v, const char *is)
{
	reader_bad(r, path, psprintf("%s is not %s", shown(v), is));
}

const char *
member_path(const char *path, const char *key)
{
	return path[0] == '\0' ? key : psprintf("%s.%s", path, key);
}

/* The next member of an object, or false. */
bool
next_member(Members *m)
{
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&m->it, &m->value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			int			len = pg_mbcliplen(m->value.val.string.val, m->value.val.string.len, VALUE_SHOWN);

			m->key = pnstrdup(m->value.val.string.val, len);
		}
		else if (token == WJB_VALUE)
			return true;
	}
	return false;
}

/* The elements of an array, skipping none; n is their number. */
JsonbValue *
read_elements(Reader *r, const char *path, const JsonbValue *v, int max, const char *is, int *n)
{
	JsonbValue *all;
	JsonbIterator *it;
	JsonbValue	item;
	JsonbIteratorToken token;
	int			size;

	*n = 0;
	if (!is_array(v))
	{
		reader_bad_value(r, path, v, is);
		return NULL;
	}
	size = (int) JsonContainerSize(v->val.binary.data);
	if (size > max)
	{
		reader_bad(r, path, psprintf("has %d elements, more than %d", size, max));
		return NULL;
	}
	all = palloc(sizeof(JsonbValue) * Max(size, 1));
	it = JsonbIteratorInit(v->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			all[(*n)++] = item;
	}
	return all;
}

/* A key that nobody knows: the one that was meant, or all there are. */
void
reader_unknown_key(Reader *r, const char *path, const char *key, const char *const *keys, int nkeys)
{
	const char *near = NULL;
	int			nearest = Min((int) strlen(key) / 3, 3) + 1;
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < nkeys; i++)
	{
		int			d = varstr_levenshtein_less_equal(key, (int) strlen(key), keys[i], (int) strlen(keys[i]),
													  1, 1, 1, nearest, true);

		if (d < nearest)
		{
			nearest = d;
			near = keys[i];
		}
		appendStringInfo(&all, "%s%s", i > 0 ? ", " : "", keys[i]);
	}
	reader_bad_hint(r, member_path(path, key), "is not a known field",
			 near ? psprintf("Perhaps \"%s\" is meant.", near) : psprintf("Known are %s.", all.data));
}

/* A number within whole bounds, as ten-thousandths. */
int64
read_number(Reader *r, const char *path, const JsonbValue *v, int64 min, int64 max, const char *is)
{
	char	   *text = v->type == jbvString || v->type == jbvNumeric ? json_value_text(v) : NULL;
	int64		value = 0;

	if (text == NULL || scaled_from_text(text, &value) != SCALED_OK ||
		value < min * SCALE || value > max * SCALE)
		reader_bad_value(r, path, v, is);
	return value;
}

int32
read_count(Reader *r, const char *path, const JsonbValue *v, int64 min, int64 max, const char *is)
{
	int64		value = read_number(r, path, v, min, max, is);

	if (value % SCALE != 0)
		reader_bad_value(r, path, v, is);
	return (int32) (value / SCALE);
}

/* A code or name, kept as long as the policy; is: what it is, for messages. */
char *
read_text(Reader *r, const char *path, const JsonbValue *v, int max, const char *is)
{
	if (v->type != jbvString)
		reader_bad_value(r, path, v, is);
	else if (v->val.string.len == 0)
		reader_bad(r, path, "is empty");
	else if (v->val.string.len > max)
		reader_bad(r, path, psprintf("%s is longer than %d bytes", shown(v), max));
	else
	{
		char	   *text = MemoryContextAlloc(r->context, v->val.string.len + 1);

		memcpy(text, v->val.string.val, v->val.string.len);
		text[v->val.string.len] = '\0';
		return text;
	}
	return "";
}

/* Codes, each once. */
char **
read_codes(Reader *r, const char *path, const JsonbValue *v, int *n)
{
	JsonbValue *all = read_elements(r, path, v, MAX_CODES, "an array of codes", n);
	char	  **codes;

	if (all == NULL)
		return NULL;
	codes = MemoryContextAlloc(r->context, sizeof(char *) * Max(*n, 1));
	for (int i = 0; i < *n && !reader_failed(r); i++)
	{
		const char *at = psprintf("%s[%d]", path, i);

		codes[i] = read_text(r, at, &all[i], 100, "a code");
		for (int j = 0; j < i; j++)
		{
			if (strcmp(codes[i], codes[j]) == 0)
				reader_bad(r, at, psprintf("%s is there twice", codes[i]));
		}
	}
	return codes;
}
