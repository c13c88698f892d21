/*
 * validate.c
 *		Payloads against the catalog of event types.
 *
 * The schemas of routing.event_type are compiled once per backend and anew
 * after a change of the catalog.  A schema that cannot be compiled is kept
 * with the reason and only fails the events of its type.
 */
#include "events/validate.h"

#include "base/cached.h"
#include "base/errors.h"
#include "events/schema.h"

#include "utils/builtins.h"
#include "utils/guc.h"

int			guc_event_validate = EVENT_VALIDATE_OFF;

static const struct config_enum_entry validate_modes[] = {
	{"off", EVENT_VALIDATE_OFF, false},
	{"warn", EVENT_VALIDATE_WARN, false},
	{"error", EVENT_VALIDATE_ERROR, false},
	{NULL, 0, false}
};

/*
 * The schema version that is written, of the types whose payload had additions
 * since their first; 1 of all others.  It counts on over the major versions of
 * a type, since "dataschema" has no other number: a type's .v2 begins one
 * above the last of its .v1.
 */
static const struct
{
	const char *type;
	int32		schemaversion;
}			revised[] = {
	{NULL, 0}
};

/*
 * Not for sessions to choose: what reaches consumers unchecked, and what
 * orders pay for the check, is the operator's decision.
 */
void
validate_define_settings(void)
{
	DefineCustomEnumVariable("routing.event_validate",
							 "Whether payloads of events are checked against the schemas of routing.event_type.",
							 "warn: the event is written and a warning tells; error: the transaction fails.",
							 &guc_event_validate, EVENT_VALIDATE_OFF, validate_modes,
							 PGC_SUSET, 0, NULL, NULL, NULL);
}

int32
event_schemaversion(const char *type)
{
	for (int i = 0; revised[i].type != NULL; i++)
	{
		if (strcmp(revised[i].type, type) == 0)
			return revised[i].schemaversion;
	}
	return 1;
}

typedef struct TypeRow
{
	char	   *type;
	int32		schemaversion;
	const Schema *schema;		/* NULL: it cannot be used, because of */
	char	   *problem;
} TypeRow;

static void
fill(void *row, int i)
{
	TypeRow    *t = row;
	bool		isnull;

	t->type = spi_text(i, 1);
	t->schemaversion = DatumGetInt32(spi_datum(i, 2, &isnull));
	t->schema = schema_compile(DatumGetJsonbPCopy(spi_datum(i, 3, &isnull)), &t->problem);
}

static CachedRows catalog = {
	.name = "event types",
	.table = TAB_EVENT_TYPE,
	.plan = {"SELECT type, schemaversion, json_schema FROM routing.event_type ORDER BY type, schemaversion", 0, {0}, NULL},
	.rowsize = sizeof(TypeRow),
	.fill = fill
};

/* A version of a type, or with version 0 the last one; NULL if there is none. */
static const TypeRow *
find_type(const char *type, int32 schemaversion)
{
	const TypeRow *rows = cached_rows(&catalog);
	int			low = 0,
				high = catalog.n;

	/* the first row after the wanted one, or after all of the type */
	while (low < high)
	{
		int			mid = (low + high) / 2;
		int			c = strcmp(rows[mid].type, type);

		if (c < 0 || (c == 0 && (schemaversion == 0 || rows[mid].schemaversion <= schemaversion)))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || strcmp(rows[low - 1].type, type) != 0 ||
		(schemaversion != 0 && rows[low - 1].schemaversion != schemaversion))
		return NULL;
	return &rows[low - 1];
}

/* What is wrong with a payload, NULL if nothing; "usable": its schema could be asked. */
static char *
problem_of(const char *type, int32 schemaversion, Jsonb *payload, bool *usable)
{
	const TypeRow *row = find_type(type, schemaversion);

	*usable = row != NULL && row->schema != NULL;
	if (row == NULL)
		return psprintf("the type is not in routing.event_type%s",
						schemaversion == 0 ? "" : psprintf(" with schemaversion %d", schemaversion));
	if (row->schema == NULL)
		return psprintf("its json_schema in routing.event_type cannot be used: %s", row->problem);
	return schema_problem(row->schema, payload);
}

/* An event that is about to be written; an error or a warning if its payload is wrong. */
void
event_check_payload(const char *type, int32 schemaversion, Jsonb *payload)
{
	bool		usable;
	char	   *problem = problem_of(type, schemaversion, payload, &usable);

	if (problem == NULL)
		return;
	ereport(guc_event_validate == EVENT_VALIDATE_ERROR ? ERROR : WARNING,
			(errcode(usable ? RT_BAD_EVENT : RT_BAD_EVENT_TYPE),
			 errmsg("event %s, schemaversion %d: %s", type, schemaversion, problem),
			 usable ? errhint("The catalog routing.event_type does not allow this payload; with routing.event_validate = off it is written all the same.") :
			 errhint("Put the row of the type in routing.event_type right; with routing.event_validate = off nobody reads it.")));
}

PG_FUNCTION_INFO_V1(routing_event_problem);

/* SQL: what is wrong with a payload; by the type's last schema version if none is named. */
Datum
routing_event_problem(PG_FUNCTION_ARGS)
{
	bool		usable;
	char	   *problem;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	problem = problem_of(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						 PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2) < 1 ? -1 : PG_GETARG_INT32(2), PG_GETARG_JSONB_P(1), &usable);
	if (problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}
