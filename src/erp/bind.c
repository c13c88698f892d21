/*
 * bind.c
 *		bind, unbind, unbind_all: declaring a binding and its triggers.
 *
 * The caller must own the watched tables (or be a superuser).  The triggers
 * refer to whole rows only, never to columns, so that the ERP can go on
 * altering its tables.  Tables are taken in the order of the watch list, under
 * the caller's lock_timeout.
 */
#include "erp/binding.h"

#include "base/engine.h"
#include "base/tenant.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(routing_bind);
PG_FUNCTION_INFO_V1(routing_unbind);
PG_FUNCTION_INFO_V1(routing_unbind_all);

static EnginePlan plan_insert = {
	"INSERT INTO routing.binding (tenant_id, binding, definition, on_failure) VALUES ($1, $2, $3, $4)",
	4, {INT4OID, TEXTOID, JSONBOID, TEXTOID}, NULL
};

static EnginePlan plan_insert_watch = {
	"INSERT INTO routing.binding_watch (tenant_id, binding, watch_no, concept, table_schema,"
	" table_name, key, columns) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	8, {INT4OID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

static EnginePlan plan_exists = {
	"SELECT 1 FROM routing.binding WHERE tenant_id = $1 AND binding = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_delete = {
	"WITH p AS (DELETE FROM routing.pending WHERE tenant_id = $1 AND binding = $2)"
	" DELETE FROM routing.binding WHERE tenant_id = $1 AND binding = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_all = {
	"SELECT tenant_id, binding FROM routing.binding ORDER BY 1, 2", 0, {0}, NULL
};

/*
 * Open a table to watch or write to: it must be a table, the caller's, and
 * not a superuser's.  The lock stays.
 */
static Oid
check_table(const char *schema, const char *name, LOCKMODE lock, Oid caller)
{
	const char *full = quote_qualified_identifier(schema, name);
	Oid			namespace = get_namespace_oid(schema, true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;
	Relation	rel = OidIsValid(relid) ? try_relation_open(relid, AccessShareLock) : NULL;
	Oid			owner;
	char		kind;

	if (rel == NULL)
		ereport(ERROR,
				(errcode(RT_WATCHED_MISSING),
				 errmsg("table %s does not exist", full),
				 errhint("Write schema and name as in the catalog; quote names with capitals.")));
	kind = rel->rd_rel->relkind;
	owner = rel->rd_rel->relowner;
	relation_close(rel, AccessShareLock);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(RT_WATCHED_NOT_TABLE),
				 errmsg("%s is not a table", full),
				 errhint("Watch the tables that a view reads from, and use the view in the mapping query.")));
	if (!superuser_arg(caller) && !routing_owns_table(relid, caller))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, name);
	if (superuser_arg(owner))
		ereport(ERROR,
				(errcode(RT_WATCHED_SUPERUSER),
				 errmsg("table %s belongs to a superuser", full),
				 errhint("Mappings run with the rights of the table's owner: ALTER TABLE %s OWNER TO a role that is not a superuser.",
						 full)));
	if (lock != NoLock)
		LockRelationOid(relid, lock);
	return relid;
}

static Oid
column_type(Oid relid, const char *schema, const char *table, const char *column)
{
	AttrNumber	attno = get_attnum(relid, column);

	if (attno <= 0)
		ereport(ERROR,
				(errcode(RT_MAPPING_COLUMN_MISSING),
				 errmsg("column \"%s\" of table %s does not exist", column,
						quote_qualified_identifier(schema, table)),
				 errhint("Columns are named as in the catalog, without quotes.")));
	return get_atttype(relid, attno);
}

static char *
element_text(const JsonbValue *array, uint32 i)
{
	return json_value_text(getIthJsonbValueFromContainer(array->val.binary.data, i));
}

/* The watch of a table mapping that names none: the table, by the key's columns. */
static void
watch_by_default(Watch *w, const Mapping *m, const JsonbValue *section, int nkeys)
{
	JsonbValue *key = json_get(section->val.binary.data, "key");
	JsonbValue *columns = json_get(section->val.binary.data, "columns");
	JsonbIterator *it = JsonbIteratorInit(columns->val.binary.data);
	JsonbValue	v;
	JsonbIteratorToken token;

	w->table_schema = m->table_schema;
	w->table_name = m->table_name;
	w->nkeys = nkeys;
	for (int k = 0; k < nkeys; k++)
		w->keys[k] = element_text(key, k);
	w->ncolumns = 0;
	w->columns = palloc(sizeof(char *) * (JsonContainerSize(columns->val.binary.data) + MAX_KEYS));
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_VALUE)
			w->columns[w->ncolumns++] = json_value_text(&v);
	}
	/* the rest of a line's key matters too: it is the line's identity */
	for (uint32 k = nkeys; k < JsonContainerSize(key->val.binary.data); k++)
		w->columns[w->ncolumns++] = element_text(key, k);
}

static void
bad_watches(Concept concept)
{
	ereport(ERROR,
			(errcode(RT_BAD_BINDING),
			 errmsg("binding definition: %s.watch is not an array of objects", concept_names[concept]),
			 errhint("The fields of a definition are described in doc/bindings.md.")));
}

/* A watch that the definition names. */
static void
read_watch(Watch *w, Concept concept, const JsonbValue *item, int nkeys)
{
	JsonbContainer *object;
	char	   *table;
	JsonbValue *key;
	JsonbValue *columns;

	if (item->type != jbvBinary || !JsonContainerIsObject(item->val.binary.data))
		bad_watches(concept);
	object = item->val.binary.data;
	table = json_value_text(json_get(object, "table"));
	if (table == NULL)
		ereport(ERROR,
				(errcode(RT_WATCHED_MISSING),
				 errmsg("binding definition: %s.watch names no table", concept_names[concept]),
				 errhint("Each watch is an object with table, key and columns.")));
	binding_split_name(table, &w->table_schema, &w->table_name);
	key = json_get(object, "key");
	if (key == NULL || key->type != jbvBinary || !JsonContainerIsArray(key->val.binary.data) ||
		(int) JsonContainerSize(key->val.binary.data) != nkeys)
		ereport(ERROR,
				(errcode(RT_MAPPING_NO_KEY),
				 errmsg("binding definition: %s.watch of table %s needs a key of %d columns",
						concept_names[concept], table, nkeys),
				 errhint("Name the columns of the watched table that give the key of %s.",
						 concept == C_SUPPLY ? "the supply row" : concept == C_ISSUES ? "the issue" : "the order")));
	w->nkeys = nkeys;
	for (int k = 0; k < nkeys; k++)
	{
		w->keys[k] = element_text(key, k);
		if (w->keys[k] == NULL)
			ereport(ERROR,
					(errcode(RT_MAPPING_NO_KEY),
					 errmsg("binding definition: a key of %s.watch is not a column name", concept_names[concept]),
					 errhint("Name the columns of the watched table.")));
	}
	columns = json_get(object, "columns");
	if (columns == NULL || columns->type != jbvBinary || !JsonContainerIsArray(columns->val.binary.data))
		return;
	w->ncolumns = 0;
	w->columns = palloc(sizeof(char *) * Max(JsonContainerSize(columns->val.binary.data), 1));
	for (uint32 c = 0; c < JsonContainerSize(columns->val.binary.data); c++)
	{
		char	   *name = element_text(columns, c);

		if (name != NULL)
			w->columns[w->ncolumns++] = name;
	}
}

/* The watches of a concept, from its definition or by default. */
static void
read_watches(Binding *b, Concept concept, Jsonb *definition)
{
	Mapping    *m = &b->concepts[concept];
	JsonbValue *section = json_get(&definition->root, concept_names[concept]);
	JsonbValue *list = json_get(section->val.binary.data, "watch");
	int			nkeys = concept == C_LINES ? m->norder_keys : m->nkeys;
	int			n = 1;

	if (list != NULL)
	{
		if (list->type != jbvBinary || !JsonContainerIsArray(list->val.binary.data) ||
			JsonContainerSize(list->val.binary.data) == 0)
			bad_watches(concept);
		n = (int) JsonContainerSize(list->val.binary.data);
	}
	else if (m->table_name == NULL)
		ereport(ERROR,
				(errcode(RT_BAD_BINDING),
				 errmsg("binding definition: %s has a query but no watch", concept_names[concept]),
				 errhint("Name the tables whose changes matter, with the columns that give the key.")));
	for (int i = 0; i < n; i++)
	{
		Watch	   *w;

		b->watches = b->nwatches == 0 ? palloc(sizeof(Watch)) :
			repalloc(b->watches, sizeof(Watch) * (b->nwatches + 1));
		w = &b->watches[b->nwatches];
		memset(w, 0, sizeof(*w));
		w->watch_no = ++b->nwatches;
		w->concept = concept;
		w->ncolumns = -1;
		if (list == NULL)
			watch_by_default(w, m, section, nkeys);
		else
			read_watch(w, concept, getIthJsonbValueFromContainer(list->val.binary.data, i), nkeys);
	}
}

/* Names of our triggers on a watched table: those of one watch. */
static char *
trigger_name(const Binding *b, const Watch *w, const char *suffix)
{
	const char *name = b->name;
	int			len = (int) strlen(name);

	/* long names may begin alike */
	if (len > 36)
		name = psprintf("%.*s~%08x", pg_mbcliplen(name, len, 27), name,
						hash_bytes((const unsigned char *) name, len));
	return psprintf("routing_%d_%s_%d_%s", b->tenant_id, name, w->watch_no, suffix);
}

static void
create_triggers(const Binding *b, const Watch *w)
{
	static const char *const events[] = {"INSERT", "UPDATE", "DELETE"};
	static const char *const rows[] = {"NEW, NULL", "NEW, OLD", "NULL, OLD"};
	static const char *const suffixes[] = {"i", "u", "d"};
	const char *table = quote_qualified_identifier(w->table_schema, w->table_name);

	for (int i = 0; i < 3; i++)
	{
		const char *name = quote_identifier(trigger_name(b, w, suffixes[i]));

		engine_utility(psprintf("CREATE CONSTRAINT TRIGGER %s AFTER %s ON %s DEFERRABLE INITIALLY DEFERRED"
								" FOR EACH ROW WHEN (routing.note_change(%d, %s, %d, %s))"
								" EXECUTE FUNCTION routing.settle()",
								name, events[i], table, b->tenant_id, quote_literal_cstr(b->name), w->watch_no, rows[i]));
		engine_utility(psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", table, name));
	}
	engine_utility(psprintf("CREATE TRIGGER %s AFTER TRUNCATE ON %s FOR EACH STATEMENT"
							" EXECUTE FUNCTION routing.note_truncate(%s, %s)",
							quote_identifier(trigger_name(b, w, "t")), table,
							quote_literal_cstr(psprintf("%d", b->tenant_id)), quote_literal_cstr(b->name)));
	engine_utility(psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", table,
							quote_identifier(trigger_name(b, w, "t"))));
}

static void
store_watch(const Binding *b, Watch *w)
{
	Datum		args[8];
	char		nulls[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};

	args[0] = Int32GetDatum(b->tenant_id);
	args[1] = CStringGetTextDatum(b->name);
	args[2] = Int32GetDatum(w->watch_no);
	args[3] = CStringGetTextDatum(concept_names[w->concept]);
	args[4] = CStringGetTextDatum(w->table_schema);
	args[5] = CStringGetTextDatum(w->table_name);
	args[6] = text_array(w->keys, w->nkeys);
	if (w->ncolumns < 0)
		nulls[7] = 'n';
	else
		args[7] = text_array(w->columns, w->ncolumns);
	(void) engine_exec(&plan_insert_watch, args, nulls, ENGINE_FRESH);
}

/* Check the write-back of a concept against its table. */
static void
check_write_back(const Mapping *m, Oid caller)
{
	Oid			relid;

	if (m->back_table == NULL)
		return;
	relid = check_table(m->back_schema, m->back_table, NoLock, caller);
	for (int k = 0; k < m->nback_keys; k++)
		(void) column_type(relid, m->back_schema, m->back_table, m->back_keys[k]);
	for (int a = 0; a < m->nanswers; a++)
		(void) column_type(relid, m->back_schema, m->back_table, m->answers[a].column);
}

/* The watched tables and their columns; the first of a concept gives its mapping the owner. */
static void
check_watched(Binding *b, Oid caller)
{
	for (int i = 0; i < b->nwatches; i++)
	{
		Watch	   *w = &b->watches[i];
		Oid			relid = check_table(w->table_schema, w->table_name, ShareRowExclusiveLock, caller);
		Mapping    *m = &b->concepts[w->concept];

		for (int k = 0; k < w->nkeys; k++)
			(void) column_type(relid, w->table_schema, w->table_name, w->keys[k]);
		for (int c = 0; c < w->ncolumns; c++)
			(void) column_type(relid, w->table_schema, w->table_name, w->columns[c]);
		if (!OidIsValid(m->owner))
			m->owner = relation_owner(relid);
	}
}

/* Plan the mapping queries, and check what they write back to. */
static void
prepare_mappings(Binding *b, Oid caller)
{
	for (int c = 0; c < NUM_CONCEPTS; c++)
	{
		Mapping    *m = &b->concepts[c];
		EngineScope owner;

		if (!m->present)
			continue;
		/* with the rights it will have */
		role_enter(&owner, m->owner);
		mapping_prepare(m, b->name, c);
		/* parsing asks for no rights, starting the query does */
		(void) SPI_execute(psprintf("SELECT FROM (%s\n) m LIMIT 0", m->query), false, 0);
		role_leave(&owner);
		check_write_back(m, caller);
	}
	for (int k = 0; b->concepts[C_ORDERS].present && k < b->concepts[C_ORDERS].nkeys; k++)
	{
		if (b->concepts[C_ORDERS].keytypes[k] != b->concepts[C_LINES].keytypes[k])
			ereport(ERROR,
					(errcode(RT_MAPPING_COLUMN_TYPE),
					 errmsg("binding \"%s\": key column %d of lines has type %s, that of orders %s",
							b->name, k + 1, format_type_be(b->concepts[C_LINES].keytypes[k]),
							format_type_be(b->concepts[C_ORDERS].keytypes[k])),
					 errhint("The key of lines begins with the order's key, in the same order and types.")));
	}
}

Datum
routing_bind(PG_FUNCTION_ARGS)
{
	Oid			caller = GetUserId();
	Binding    *b = palloc0(sizeof(Binding));
	Jsonb	   *definition;
	char	   *on_failure;
	EngineScope scope;
	Datum		args[4];

	PreventCommandIfReadOnly("bind()");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(RT_BAD_BINDING),
				 errmsg("name, definition and on_failure of a binding must not be null"),
				 errhint("The fields of a definition are described in doc/bindings.md.")));
	b->tenant_id = tenant_current();
	b->name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	definition = PG_GETARG_JSONB_P(1);
	on_failure = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (b->name[0] == '\0' || (strcmp(on_failure, "queue") != 0 && strcmp(on_failure, "fail") != 0))
		ereport(ERROR,
				(errcode(RT_BAD_BINDING),
				 errmsg("binding \"%s\": on_failure \"%s\" is neither \"queue\" nor \"fail\", or the name is empty",
						b->name, on_failure),
				 errhint("With \"queue\" a failure of the engine does not stop the ERP's transaction, with \"fail\" it does.")));
	binding_parse(b, definition);
	for (int c = 0; c < NUM_CONCEPTS; c++)
	{
		if (b->concepts[c].present)
			read_watches(b, c, definition);
	}

	SPI_connect();
	engine_enter(&scope);
	args[0] = Int32GetDatum(b->tenant_id);
	args[1] = CStringGetTextDatum(b->name);
	if (engine_exec(&plan_exists, args, NULL, ENGINE_FRESH) > 0)
		ereport(ERROR,
				(errcode(RT_BINDING_EXISTS),
				 errmsg("binding \"%s\" exists already", b->name),
				 errhint("Call routing.unbind() first, or choose another name.")));

	check_watched(b, caller);
	prepare_mappings(b, caller);

	args[2] = JsonbPGetDatum(definition);
	args[3] = CStringGetTextDatum(on_failure);
	(void) engine_exec(&plan_insert, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < b->nwatches; i++)
	{
		store_watch(b, &b->watches[i]);
		create_triggers(b, &b->watches[i]);
	}
	engine_leave(&scope);
	for (int c = 0; c < NUM_CONCEPTS; c++)
	{
		if (b->concepts[c].one)
			SPI_freeplan(b->concepts[c].one);
		if (b->concepts[c].all_keys)
			SPI_freeplan(b->concepts[c].all_keys);
	}
	SPI_finish();
	PG_RETURN_VOID();
}

/* Drop the triggers that are still there and the binding's rows. */
static void
unbind(int32 tenant_id, const char *name, Oid caller)
{
	Binding    *b = binding_get(tenant_id, name);
	Datum		args[2];

	for (int i = 0; i < b->nwatches; i++)
	{
		static const char *const suffixes[] = {"i", "u", "d", "t"};
		Watch	   *w = &b->watches[i];
		Oid			namespace = get_namespace_oid(w->table_schema, true);
		Oid			relid = OidIsValid(namespace) ? get_relname_relid(w->table_name, namespace) : InvalidOid;

		if (!OidIsValid(relid))
			continue;
		if (!superuser_arg(caller) && !routing_owns_table(relid, caller))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, w->table_name);
		for (int s = 0; s < 4; s++)
			engine_utility(psprintf("DROP TRIGGER IF EXISTS %s ON %s",
									quote_identifier(trigger_name(b, w, suffixes[s])),
									quote_qualified_identifier(w->table_schema, w->table_name)));
	}
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(name);
	(void) engine_exec(&plan_delete, args, NULL, ENGINE_FRESH);
}

Datum
routing_unbind(PG_FUNCTION_ARGS)
{
	Oid			caller = GetUserId();
	int32		tenant_id = tenant_current();
	EngineScope scope;

	PreventCommandIfReadOnly("unbind()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(RT_UNKNOWN_BINDING),
				 errmsg("binding must not be null"),
				 errhint("See routing.binding for the bindings there are.")));
	SPI_connect();
	engine_enter(&scope);
	unbind(tenant_id, text_to_cstring(PG_GETARG_TEXT_PP(0)), caller);
	engine_leave(&scope);
	SPI_finish();
	PG_RETURN_VOID();
}

Datum
routing_unbind_all(PG_FUNCTION_ARGS)
{
	Oid			caller = GetUserId();
	EngineScope scope;
	int			n;
	int32	   *tenants;
	char	  **names;

	PreventCommandIfReadOnly("unbind_all()");
	SPI_connect();
	engine_enter(&scope);
	n = (int) engine_exec(&plan_all, NULL, NULL, ENGINE_FRESH);
	tenants = palloc(sizeof(int32) * Max(n, 1));
	names = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		tenants[i] = DatumGetInt32(spi_datum(i, 1, &isnull));
		names[i] = spi_text(i, 2);
	}
	for (int i = 0; i < n; i++)
		unbind(tenants[i], names[i], caller);
	engine_leave(&scope);
	SPI_finish();
	PG_RETURN_INT32(n);
}
