/*
 * mapping.c
 *		Reading the ERP through a mapping, key by key.
 *
 * A mapping's query runs as the owner of the table that is watched, with the
 * pinned search path.  It is wrapped so that the key columns are compared
 * with parameters of their own types: an index on them is used, whatever the
 * query does.
 */
#include "erp/binding.h"

#include "base/engine.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

/* Texts as parameters of the given types, through their input functions. */
void
text_params(const Oid *types, char **texts, int n, Datum *values, char *nulls)
{
	for (int i = 0; i < n; i++)
	{
		Oid			input;
		Oid			ioparam;

		nulls[i] = texts[i] == NULL ? 'n' : ' ';
		values[i] = (Datum) 0;
		if (texts[i] == NULL)
			continue;
		getTypeInputInfo(types[i], &input, &ioparam);
		values[i] = OidInputFunctionCall(input, texts[i], ioparam, -1);
	}
}

static TupleDesc
result_of(SPIPlanPtr plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);
	CachedPlanSource *source;

	if (list_length(sources) != 1)
		return NULL;
	source = linitial(sources);
	return source->resultDesc;
}

static int
find_column(TupleDesc desc, const char *name, bool *twice)
{
	int			found = 0;

	*twice = false;
	for (int i = 0; i < desc->natts; i++)
	{
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) != 0)
			continue;
		if (found)
			*twice = true;
		else
			found = i + 1;
	}
	return found;
}

static int
require_column(TupleDesc desc, const char *name, const char *binding, Concept concept,
			   bool required, const char *what)
{
	bool		twice;
	int			column = find_column(desc, name, &twice);

	if (column == 0 && required)
		ereport(ERROR,
				(errcode(RT_MAPPING_COLUMN_MISSING),
				 errmsg("binding \"%s\", %s: %s column \"%s\" is missing",
						binding, concept_names[concept], what, name),
				 errhint("Add it to the columns of the mapping. The canonical columns are listed in doc/bindings.md.")));
	if (twice)
		ereport(ERROR,
				(errcode(RT_MAPPING_COLUMN_TWICE),
				 errmsg("binding \"%s\", %s: column \"%s\" is there twice",
						binding, concept_names[concept], name),
				 errhint("Give every output column of the mapping a name of its own.")));
	return column;
}

/* Which types a canonical column may have. */
static bool
type_suits(Field field, Oid type)
{
	char		category;
	bool		preferred;

	type = getBaseType(type);
	switch (field)
	{
		case F_QUANTITY:
		case F_PRICE:
			return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID;
		case F_LINE_NO:
		case F_PRIORITY:
		case F_REST_DAYS:
		case F_LINE_GROUP:
			return type == INT2OID || type == INT4OID || type == INT8OID;
		case F_REQUESTED_ON:
		case F_SHIP_NOT_BEFORE:
		case F_CANCEL_AFTER:
		case F_AVAILABLE_ON:
			return type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
		case F_ORDERED_AT:
		case F_SHIPPED_AT:
			return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
		case F_EARLY_OK:
		case F_SPLITTABLE:
			return type == BOOLOID;
		case F_LATITUDE:
		case F_LONGITUDE:
			return type == FLOAT8OID || type == FLOAT4OID || type == NUMERICOID;
		default:
			get_type_category_preferred(type, &category, &preferred);
			return category == TYPCATEGORY_STRING || category == TYPCATEGORY_ENUM ||
				type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID ||
				type == UUIDOID || type == BPCHAROID || type == UNKNOWNOID;
	}
}

static const char *
wanted_type(Field field)
{
	switch (field)
	{
		case F_QUANTITY:
		case F_PRICE:
			return "an integer or numeric (cast a floating-point column to numeric with the rounding you want)";
		case F_LINE_NO:
		case F_PRIORITY:
		case F_REST_DAYS:
		case F_LINE_GROUP:
			return "an integer";
		case F_REQUESTED_ON:
		case F_SHIP_NOT_BEFORE:
		case F_CANCEL_AFTER:
		case F_AVAILABLE_ON:
			return "a date or timestamp";
		case F_ORDERED_AT:
		case F_SHIPPED_AT:
			return "a timestamp";
		case F_EARLY_OK:
		case F_SPLITTABLE:
			return "a boolean";
		case F_LATITUDE:
		case F_LONGITUDE:
			return "a number";
		default:
			return "a text or integer";
	}
}

static bool
required_field(Concept concept, Field field)
{
	switch (concept)
	{
		case C_ORDERS:
			return field == F_CUSTOMER || field == F_COUNTRY || field == F_POSTAL_CODE;
		case C_LINES:
			return field == F_ITEM || field == F_QUANTITY;
		case C_ISSUES:
			return field == F_ORDER_ID || field == F_NODE || field == F_QUANTITY;
		default:
			return field == F_ITEM || field == F_NODE || field == F_QUANTITY;
	}
}

static bool
field_of(Concept concept, Field field)
{
	switch (concept)
	{
		case C_ORDERS:
			return field <= F_STATUS;
		case C_LINES:
			return field == F_REQUESTED_ON || (field >= F_LINE_NO && field <= F_NODE);
		case C_ISSUES:
			return field == F_LINE_NO || field == F_ITEM || field == F_NODE || field == F_QUANTITY ||
				(field >= F_ORDER_ID && field <= F_SHIPPED_AT);
		default:
			return field == F_ITEM || field == F_NODE || field == F_QUANTITY ||
				(field >= F_REF && field <= F_KIND) || field == F_STATUS;
	}
}

/* A hash of the names and types of a result. */
static uint32
shape_of(TupleDesc desc)
{
	uint32		h = (uint32) desc->natts;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		h = hash_combine(h, hash_bytes((const unsigned char *) NameStr(att->attname),
									   (int) strlen(NameStr(att->attname))));
		h = hash_combine(h, (uint32) att->atttypid);
	}
	return h;
}

static void
check_result(Mapping *m, const char *binding, Concept concept, TupleDesc desc)
{
	m->shape = shape_of(desc);
	for (int i = 0; i < m->nkeys; i++)
	{
		m->keycolumns[i] = require_column(desc, m->keys[i], binding, concept, true, "key");
		m->keytypes[i] = TupleDescAttr(desc, m->keycolumns[i] - 1)->atttypid;
	}
	for (int f = 0; f < NUM_FIELDS; f++)
	{
		Oid			type;

		m->columns[f] = 0;
		if (!field_of(concept, f))
			continue;
		m->columns[f] = require_column(desc, field_names[f], binding, concept,
									   required_field(concept, f), "canonical");
		if (m->columns[f] == 0)
			continue;
		type = TupleDescAttr(desc, m->columns[f] - 1)->atttypid;
		if (!type_suits(f, type))
			ereport(ERROR,
					(errcode(RT_MAPPING_COLUMN_TYPE),
					 errmsg("binding \"%s\", %s: column \"%s\" has the unsuitable type %s",
							binding, concept_names[concept], field_names[f], format_type_be(type)),
					 errhint("It must be %s.", wanted_type(f))));
	}
	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);
		bool		known = false;

		for (int k = 0; k < m->nkeys && !known; k++)
			known = strcmp(m->keys[k], name) == 0;
		for (int f = 0; f < NUM_FIELDS && !known; f++)
			known = field_of(concept, f) && strcmp(field_names[f], name) == 0;
		if (!known)
			ereport(ERROR,
					(errcode(RT_BAD_BINDING),
					 errmsg("binding \"%s\", %s: column \"%s\" is neither a key nor a canonical column",
							binding, concept_names[concept], name),
					 errhint("The canonical columns are listed in doc/bindings.md.")));
	}
}

/*
 * Make the plans of a mapping; SPI is connected and the role is the one whose
 * rights count.  A query that does not parse is an error of ours that quotes
 * the server's.
 */
void
mapping_prepare(Mapping *m, const char *binding, Concept concept)
{
	SPIPlanPtr	volatile probe = NULL;
	StringInfoData sql;
	int			nkeys;

	PG_TRY();
	{
		probe = SPI_prepare(psprintf("SELECT m.* FROM (%s\n) m", m->query), 0, NULL);
	}
	PG_CATCH();
	{
		ErrorData  *e;

		MemoryContextSwitchTo(TopTransactionContext);
		e = CopyErrorData();
		FlushErrorState();
		if (e->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
			e->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(e);
		ereport(ERROR,
				(errcode(RT_MAPPING_PARSE),
				 errmsg("binding \"%s\", %s: the mapping query is not valid: %s",
						binding, concept_names[concept], e->message),
				 errhint("Give one SELECT without a semicolon; names must be schema-qualified.")));
	}
	PG_END_TRY();
	if (probe == NULL || result_of(probe) == NULL)
		ereport(ERROR,
				(errcode(RT_MAPPING_PARSE),
				 errmsg("binding \"%s\", %s: the mapping query is not one SELECT",
						binding, concept_names[concept]),
				 errhint("Give one SELECT without a semicolon; names must be schema-qualified.")));
	check_result(m, binding, concept, result_of(probe));

	nkeys = concept == C_LINES ? m->norder_keys : m->nkeys;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT m.* FROM (%s\n) m WHERE ", m->query);
	for (int i = 0; i < nkeys; i++)
		appendStringInfo(&sql, "%sm.%s = $%d", i > 0 ? " AND " : "", quote_identifier(m->keys[i]), i + 1);
	if (concept == C_LINES)
	{
		appendStringInfoString(&sql, " ORDER BY ");
		for (int i = nkeys; i < m->nkeys; i++)
			appendStringInfo(&sql, "%sm.%s", i > nkeys ? ", " : "", quote_identifier(m->keys[i]));
	}
	m->one = engine_prepare(sql.data, nkeys, m->keytypes, true);

	resetStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT DISTINCT ");
	for (int i = 0; i < nkeys; i++)
		appendStringInfo(&sql, "%sm.%s", i > 0 ? ", " : "", quote_identifier(m->keys[i]));
	appendStringInfo(&sql, " FROM (%s\n) m", m->query);
	m->all_keys = engine_prepare(sql.data, 0, NULL, true);
}

static Mapping *
ready(Binding *binding, Concept concept)
{
	Mapping    *m = &binding->concepts[concept];

	if (m->one == NULL)
		mapping_prepare(m, binding->name, concept);
	return m;
}

static Oid
mapping_owner(Binding *binding, Concept concept)
{
	Mapping    *m = &binding->concepts[concept];

	/* not remembered: a table may be given to somebody else at any time */
	m->owner = InvalidOid;
	for (int i = 0; i < binding->nwatches && !OidIsValid(m->owner); i++)
	{
		Watch	   *w = &binding->watches[i];
		Oid			relid;

		if (w->concept != concept)
			continue;
		relid = get_relname_relid(w->table_name, get_namespace_oid(w->table_schema, false));
		if (OidIsValid(relid))
			m->owner = relation_owner(relid);
	}
	if (!OidIsValid(m->owner))
		ereport(ERROR,
				(errcode(RT_WATCHED_MISSING),
				 errmsg("binding \"%s\": no watched table of %s exists any more",
						binding->name, concept_names[concept]),
				 errhint("Unbind it and bind it to the tables there are.")));
	if (superuser_arg(m->owner))
		ereport(ERROR,
				(errcode(RT_WATCHED_SUPERUSER),
				 errmsg("binding \"%s\": the watched table of %s belongs to a superuser",
						binding->name, concept_names[concept]),
				 errhint("ALTER TABLE ... OWNER TO a role that is not a superuser.")));
	return m->owner;
}

static int
run(SPIPlanPtr plan, Datum *values, const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	int			rc;

	if (IsolationUsesXactSnapshot())
		rc = SPI_execute_snapshot(plan, values, nulls, GetLatestSnapshot(), InvalidSnapshot,
								  false, true, 0);
	else
		rc = SPI_execute_plan(plan, values, nulls, false, 0);
	/* mapping_prepare() takes one SELECT, and its plan stays one */
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "a mapping query returned %s", SPI_result_code_string(rc));
	MemoryContextSwitchTo(caller);
	return (int) SPI_processed;
}

/* The rows of a key: of lines the order's.  SPI is connected. */
int
mapping_read(Binding *binding, Concept concept, const char *key, SPITupleTable **rows)
{
	EngineScope scope;
	Mapping    *m;
	char	   *parts[MAX_KEYS];
	Datum		values[MAX_KEYS];
	char		nulls[MAX_KEYS];
	int			nkeys;
	int			n;

	role_enter(&scope, mapping_owner(binding, concept));
	for (int attempt = 0;; attempt++)
	{
		m = &binding->concepts[concept];
		if (m->one != NULL && !SPI_plan_is_valid(m->one))
		{
			/* a key column may have got another type, which the plan would not bear */
			SPI_freeplan(m->one);
			SPI_freeplan(m->all_keys);
			m->one = m->all_keys = NULL;
		}
		m = ready(binding, concept);
		nkeys = concept == C_LINES ? m->norder_keys : m->nkeys;
		if (key_split(key, parts, nkeys) != nkeys)
		{
			/* held since a binding of this name that had another key: not in the ERP */
			*rows = NULL;
			n = 0;
			break;
		}
		text_params(m->keytypes, parts, nkeys, values, nulls);
		n = run(m->one, values, nulls);
		*rows = SPI_tuptable;
		if (attempt > 0 || shape_of((*rows)->tupdesc) == m->shape)
			break;
		/* the ERP altered its table: the columns are elsewhere, or of another type */
		SPI_freetuptable(*rows);
		SPI_freeplan(m->one);
		SPI_freeplan(m->all_keys);
		m->one = m->all_keys = NULL;
	}
	role_leave(&scope);
	return n;
}

/* All keys that the ERP has. */
char	  **
mapping_all_keys(Binding *binding, Concept concept, int *n)
{
	EngineScope scope;
	Mapping    *m;
	char	  **keys;
	int			nrows;

	role_enter(&scope, mapping_owner(binding, concept));
	m = ready(binding, concept);
	/* all rows are wanted: not by key, as settlements read */
	(void) set_config_option("enable_seqscan", "on", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	nrows = run(m->all_keys, NULL, NULL);
	keys = palloc_extended(sizeof(char *) * Max(nrows, 1), MCXT_ALLOC_HUGE);
	*n = 0;
	for (int i = 0; i < nrows; i++)
	{
		char	   *parts[MAX_KEYS];
		bool		isnull = false;

		for (int k = 0; k < m->nkeys && !isnull; k++)
		{
			parts[k] = spi_text(i, k + 1);
			isnull = parts[k] == NULL;
		}
		if (!isnull)
			keys[(*n)++] = key_join(parts, m->nkeys);
	}
	SPI_freetuptable(SPI_tuptable);
	role_leave(&scope);
	return keys;
}

/* A canonical column of a row as text; NULL if null or not mapped. */
char *
mapping_value(const Mapping *m, SPITupleTable *rows, int row, Field field)
{
	if (m->columns[field] == 0)
		return NULL;
	return SPI_getvalue(rows->vals[row], rows->tupdesc, m->columns[field]);
}

/* n key columns of a row from "first" on, joined; NULL if one is null. */
char *
mapping_key(const Mapping *m, SPITupleTable *rows, int row, int first, int n)
{
	char	   *parts[MAX_KEYS];

	for (int i = 0; i < n; i++)
	{
		parts[i] = SPI_getvalue(rows->vals[row], rows->tupdesc, m->keycolumns[first + i]);
		if (parts[i] == NULL)
			return NULL;
	}
	return key_join(parts, n);
}

/* A canonical column of a row and its base type; false if null or not mapped. */
static bool
column_value(const Mapping *m, SPITupleTable *rows, int row, Field field, Datum *value, Oid *type)
{
	bool		isnull;

	if (m->columns[field] == 0)
		return false;
	*value = SPI_getbinval(rows->vals[row], rows->tupdesc, m->columns[field], &isnull);
	*type = getBaseType(TupleDescAttr(rows->tupdesc, m->columns[field] - 1)->atttypid);
	return !isnull;
}

/* A date column, of whichever type; false if null or not mapped. */
bool
mapping_date(const Mapping *m, SPITupleTable *rows, int row, Field field, DateADT *date)
{
	Datum		d;
	Oid			type;

	if (!column_value(m, rows, row, field, &d, &type))
		return false;
	if (type == TIMESTAMPOID)
		d = DirectFunctionCall1(timestamp_date, d);
	else if (type != DATEOID)
		d = DirectFunctionCall1(timestamptz_date, d);
	*date = DatumGetDateADT(d);
	return true;
}

/* The same for a time; a date or a timestamp without zone is one in the session's. */
bool
mapping_time(const Mapping *m, SPITupleTable *rows, int row, Field field, TimestampTz *time)
{
	Datum		d;
	Oid			type;

	if (!column_value(m, rows, row, field, &d, &type))
		return false;
	if (type == DATEOID)
		d = DirectFunctionCall1(date_timestamptz, d);
	else if (type == TIMESTAMPOID)
		d = DirectFunctionCall1(timestamp_timestamptz, d);
	*time = DatumGetTimestampTz(d);
	return true;
}
