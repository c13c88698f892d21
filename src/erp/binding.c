/*
 * binding.c
 *		Bindings as the tables hold them, parsed and cached in the backend.
 *
 * A binding's row is checked when bind() stores it; here a defect is still an
 * error, since a superuser may have edited the row.  The cache is dropped
 * whenever routing.binding or routing.binding_watch changes; a Binding in use
 * lives on until the end of the transaction.
 */
#include "erp/binding.h"

#include "base/cache.h"
#include "base/engine.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

const char *const concept_names[NUM_CONCEPTS] = {"orders", "lines", "supply", "issues"};

const char *const field_names[NUM_FIELDS] = {
	"customer", "channel", "country", "postal_code", "latitude", "longitude",
	"requested_on", "date_basis", "priority", "completeness", "ordered_at", "policy",
	"rest", "rest_days", "ship_not_before", "cancel_after", "early_ok", "freight_terms", "status",
	"line_no", "item", "quantity", "uom", "price", "line_group", "splittable", "substitutes", "node",
	"ref", "available_on", "kind",
	"order_id", "line_key", "lot", "shipped_at"
};

static Binding *bindings = NULL;
static uint64 at_generation = 0;

static EnginePlan plan_binding = {
	"SELECT definition, on_failure = 'fail', state = 'paused' FROM routing.binding"
	" WHERE tenant_id = $1 AND binding = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_watches = {
	"SELECT watch_no, concept, table_schema, table_name, key, columns FROM routing.binding_watch"
	" WHERE tenant_id = $1 AND binding = $2 ORDER BY watch_no",
	2, {INT4OID, TEXTOID}, NULL
};

routing_noreturn static void bad_binding(const char *path, const char *what);

static void
bad_binding(const char *path, const char *what)
{
	ereport(ERROR,
			(errcode(RT_BAD_BINDING),
			 errmsg("binding definition: %s %s", path, what),
			 errhint("The fields of a definition are described in doc/bindings.md.")));
}

/* Split a possibly quoted, schema-qualified name. */
void
binding_split_name(const char *name, char **schema, char **table)
{
	List	   *parts;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || list_length(parts) != 2)
		ereport(ERROR,
				(errcode(RT_WATCHED_MISSING),
				 errmsg("table name \"%s\" is not of the form schema.table", name),
				 errhint("Write the schema too, and quote names with capitals as in SQL.")));
	*schema = pstrdup(linitial(parts));
	*table = pstrdup(lsecond(parts));
}

static char *
text_member(JsonbContainer *object, const char *path, const char *field)
{
	JsonbValue *v = json_get(object, field);

	if (v == NULL)
		return NULL;
	if (v->type != jbvString)
		bad_binding(psprintf("%s.%s", path, field), "is not a text");
	return pnstrdup(v->val.string.val, v->val.string.len);
}

static JsonbContainer *
container_member(JsonbContainer *object, const char *path, const char *field, bool array)
{
	JsonbValue *v = json_get(object, field);

	if (v == NULL)
		return NULL;
	if (v->type != jbvBinary ||
		(array ? !JsonContainerIsArray(v->val.binary.data) : !JsonContainerIsObject(v->val.binary.data)))
		bad_binding(psprintf("%s.%s", path, field), array ? "is not an array" : "is not an object");
	return v->val.binary.data;
}

static void
check_members(JsonbContainer *object, const char *path, const char *const *known)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	v;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		bool		found = false;
		char	   *key;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(v.val.string.val, v.val.string.len);
		for (const char *const *k = known; *k != NULL && !found; k++)
			found = strcmp(*k, key) == 0;
		if (!found)
			bad_binding(psprintf("%s.%s", path, key), "is not a known field");
	}
}

/* A list of column names; an empty or missing key is an error of its own. */
static int
key_member(JsonbContainer *object, const char *path, const char *field, char **keys)
{
	JsonbContainer *array = container_member(object, path, field, true);
	int			n = array ? (int) JsonContainerSize(array) : 0;

	if (n == 0)
		ereport(ERROR,
				(errcode(RT_MAPPING_NO_KEY),
				 errmsg("binding definition: %s has no %s", path, field),
				 errhint("Name the columns that identify a row.")));
	if (n > MAX_KEYS)
		bad_binding(psprintf("%s.%s", path, field), "has more than 4 columns");
	for (int i = 0; i < n; i++)
	{
		JsonbValue *v = getIthJsonbValueFromContainer(array, i);

		if (v->type != jbvString)
			bad_binding(psprintf("%s.%s", path, field), "is not an array of column names");
		keys[i] = pnstrdup(v->val.string.val, v->val.string.len);
	}
	return n;
}

static int
pairs_member(JsonbContainer *object, const char *path, const char *field, Answer **pairs)
{
	JsonbContainer *members = container_member(object, path, field, false);
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;
	int			n = 0;

	*pairs = NULL;
	if (members == NULL)
		return 0;
	*pairs = palloc(sizeof(Answer) * Max(JsonContainerSize(members), 1));
	it = JsonbIteratorInit(members);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			(*pairs)[n].name = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (v.type != jbvString)
				bad_binding(psprintf("%s.%s.%s", path, field, (*pairs)[n].name), "is not a text");
			(*pairs)[n++].column = pnstrdup(v.val.string.val, v.val.string.len);
		}
	}
	return n;
}

/* The query of a mapping that only names a table and its columns. */
static char *
generate_query(Mapping *m, const char *path, Answer *columns, int ncolumns)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < m->nkeys; i++)
		appendStringInfo(&sql, "%st.%s AS %s", i > 0 ? ", " : "", quote_identifier(m->keys[i]),
						 quote_identifier(psprintf("key %d", i + 1)));
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(&sql, ", t.%s AS %s", quote_identifier(columns[i].column),
						 quote_identifier(columns[i].name));
	appendStringInfo(&sql, " FROM %s t", quote_qualified_identifier(m->table_schema, m->table_name));
	for (int i = 0; i < m->nkeys; i++)
		m->keys[i] = psprintf("key %d", i + 1);
	return sql.data;
}

static void
parse_write_back(Mapping *m, const char *path, JsonbContainer *object, char **table_keys)
{
	static const char *const known[] = {"table", "key", "columns", "status_map", NULL};
	char	   *table;

	path = psprintf("%s.write_back", path);
	check_members(object, path, known);
	table = text_member(object, path, "table");
	if (table != NULL)
		binding_split_name(table, &m->back_schema, &m->back_table);
	else if (m->table_schema != NULL)
	{
		m->back_schema = m->table_schema;
		m->back_table = m->table_name;
	}
	else
		bad_binding(path, "needs a table, since the mapping is a query");
	if (json_get(object, "key") != NULL)
		m->nback_keys = key_member(object, path, "key", m->back_keys);
	else
	{
		m->nback_keys = m->nkeys;
		for (int i = 0; i < m->nkeys; i++)
			m->back_keys[i] = table_keys[i];
	}
	if (m->nback_keys != m->nkeys)
		bad_binding(psprintf("%s.key", path), "has not as many columns as the concept's key");
	m->nanswers = pairs_member(object, path, "columns", &m->answers);
	if (m->nanswers == 0)
		bad_binding(psprintf("%s.columns", path), "is missing or empty");
	m->nstatus = pairs_member(object, path, "status_map", &m->status_map);
	for (int i = 0; i < m->nanswers; i++)
	{
		static const char *const answers[] = {
			"status", "node", "promised_on", "split", "shipments", "cost", "reason",
			"decision_id", "allocated_quantity", NULL
		};
		bool		found = false;

		for (const char *const *a = answers; *a != NULL && !found; a++)
			found = strcmp(*a, m->answers[i].name) == 0;
		if (!found)
			bad_binding(psprintf("%s.columns.%s", path, m->answers[i].name), "is not an answer that we give");
	}
}

static void
parse_concept(Mapping *m, Concept concept, JsonbContainer *object)
{
	static const char *const known[] = {
		"table", "columns", "query", "key", "watch", "write_back", NULL
	};
	const char *path = concept_names[concept];
	char	   *table = text_member(object, path, "table");
	char	   *query = text_member(object, path, "query");
	JsonbContainer *back;
	char	   *table_keys[MAX_KEYS];

	check_members(object, path, known);
	m->present = true;
	if ((table == NULL) == (query == NULL))
		bad_binding(path, "needs either a table or a query");
	if (table != NULL)
		binding_split_name(table, &m->table_schema, &m->table_name);
	m->nkeys = key_member(object, path, "key", m->keys);
	memcpy(table_keys, m->keys, sizeof(table_keys));
	if (table != NULL)
	{
		Answer	   *columns;
		int			n = pairs_member(object, path, "columns", &columns);

		if (n == 0)
			bad_binding(psprintf("%s.columns", path), "is missing or empty");
		m->query = generate_query(m, path, columns, n);
	}
	else
	{
		if (json_get(object, "columns") != NULL)
			bad_binding(psprintf("%s.columns", path), "goes with a table, not with a query");
		m->query = query;
	}
	back = container_member(object, path, "write_back", false);
	if (back != NULL)
		parse_write_back(m, path, back, table_keys);
}

/* Fill the mappings from a definition, in the current memory context. */
void
binding_parse(Binding *binding, Jsonb *definition)
{
	static const char *const known[] = {"orders", "lines", "supply", "issues", NULL};
	Mapping    *c = binding->concepts;

	if (!JB_ROOT_IS_OBJECT(definition))
		bad_binding("it", "is not an object");
	check_members(&definition->root, "definition", known);
	for (int i = 0; i < NUM_CONCEPTS; i++)
	{
		JsonbContainer *object = container_member(&definition->root, "definition", concept_names[i], false);

		if (object != NULL)
			parse_concept(&c[i], i, object);
	}
	if (c[C_ORDERS].present != c[C_LINES].present)
		bad_binding("it", "needs orders and lines together");
	if (c[C_ORDERS].present + c[C_SUPPLY].present + c[C_ISSUES].present != 1)
		bad_binding("it", "needs either orders and lines, or supply, or issues");
	if (c[C_LINES].present)
	{
		c[C_LINES].norder_keys = c[C_ORDERS].nkeys;
		if (c[C_LINES].nkeys <= c[C_ORDERS].nkeys)
			ereport(ERROR,
					(errcode(RT_MAPPING_NO_KEY),
					 errmsg("binding definition: the key of lines has no column beyond the order's"),
					 errhint("Give the order's key columns first, then those that identify the line.")));
	}
}

static int
text_list(Datum array, char ***values)
{
	Datum	   *elems;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elems, NULL, &n);
	*values = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*values)[i] = TextDatumGetCString(elems[i]);
	return n;
}

static void
load_watches(Binding *binding, Datum *args)
{
	int			n = (int) engine_exec(&plan_watches, args, NULL, ENGINE_FRESH);

	binding->nwatches = n;
	binding->watches = palloc0(sizeof(Watch) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Watch	   *w = &binding->watches[i];
		bool		isnull;
		char	   *concept = spi_text(i, 2);
		char	  **keys;
		Datum		d;

		w->watch_no = DatumGetInt32(spi_datum(i, 1, &isnull));
		for (int c = 0; c < NUM_CONCEPTS; c++)
		{
			if (strcmp(concept, concept_names[c]) == 0)
				w->concept = c;
		}
		w->table_schema = spi_text(i, 3);
		w->table_name = spi_text(i, 4);
		w->nkeys = Min(text_list(spi_datum(i, 5, &isnull), &keys), MAX_KEYS);
		memcpy(w->keys, keys, sizeof(char *) * w->nkeys);
		d = spi_datum(i, 6, &isnull);
		w->ncolumns = isnull ? -1 : text_list(d, &w->columns);
	}
}

/* The plans go with the binding, not before: one of them may be running. */
static void
free_plans(void *arg)
{
	Binding    *b = arg;

	for (int c = 0; c < NUM_CONCEPTS; c++)
	{
		if (b->concepts[c].one)
			SPI_freeplan(b->concepts[c].one);
		if (b->concepts[c].all_keys)
			SPI_freeplan(b->concepts[c].all_keys);
		if (b->concepts[c].back)
			SPI_freeplan(b->concepts[c].back);
	}
}

static Binding *
load_binding(int32 tenant_id, const char *name)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "routing binding",
												  ALLOCSET_SMALL_SIZES);
	Binding    *binding = MemoryContextAllocZero(context, sizeof(Binding));
	MemoryContextCallback *callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	MemoryContext old;
	Datum		args[2];
	EngineScope scope;
	bool		found;

	engine_enter(&scope);
	SPI_connect();
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(name);
	found = engine_exec(&plan_binding, args, NULL, ENGINE_FRESH) > 0;
	if (found)
	{
		bool		isnull;

		old = MemoryContextSwitchTo(context);
		binding->context = context;
		binding->tenant_id = tenant_id;
		binding->name = pstrdup(name);
		binding->fail = DatumGetBool(spi_datum(0, 2, &isnull));
		binding->paused = DatumGetBool(spi_datum(0, 3, &isnull));
		binding_parse(binding, DatumGetJsonbPCopy(spi_datum(0, 1, &isnull)));
		load_watches(binding, args);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	engine_leave(&scope);
	if (!found)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	callback->func = free_plans;
	callback->arg = binding;
	MemoryContextRegisterResetCallback(context, callback);
	MemoryContextSetParent(context, CacheMemoryContext);
	return binding;
}

static void
drop_all(void)
{
	while (bindings != NULL)
	{
		Binding    *b = bindings;

		bindings = b->next;
		MemoryContextSetParent(b->context, TopTransactionContext);
	}
}

/* A binding, or NULL.  It stays valid until the end of the transaction. */
Binding *
binding_find(int32 tenant_id, const char *name)
{
	uint64		generation = engine_generation(TAB_BINDING) + engine_generation(TAB_BINDING_WATCH);
	Binding    *b;

	if (generation != at_generation)
	{
		drop_all();
		at_generation = generation;
	}
	for (b = bindings; b != NULL; b = b->next)
	{
		if (b->tenant_id == tenant_id && strcmp(b->name, name) == 0)
			return b;
	}
	b = load_binding(tenant_id, name);
	if (b != NULL)
	{
		b->next = bindings;
		bindings = b;
	}
	return b;
}

/* The same; a missing one is an error. */
Binding *
binding_get(int32 tenant_id, const char *name)
{
	Binding    *b = binding_find(tenant_id, name);

	if (b == NULL)
		ereport(ERROR,
				(errcode(RT_UNKNOWN_BINDING),
				 errmsg("binding \"%s\" is unknown", name),
				 errhint("See routing.binding for the bindings there are.")));
	return b;
}
