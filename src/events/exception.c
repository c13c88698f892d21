/*
 * exception.c
 *		Exceptions: opened, changed and resolved here, with their events.
 *
 * The stream of an exception is versioned in its row, by the statement that
 * changes it: the row's lock is the stream's.  It is taken after the locks of
 * the orders and positions that the exception is about, so that nobody but who
 * changes it by hand is waited for.
 *
 * The engine's exceptions are opened and closed by these functions alone.
 * What somebody changes by hand is told by a trigger on UPDATE: a restore
 * inserts its rows, so that it tells of nothing twice.
 */
#include "events/exception.h"

#include "base/clock.h"
#include "base/engine.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"

#define OPEN_COLUMNS	"SELECT exception_id, facts, item, node FROM routing.exception"
#define OPEN_OF_ORDER \
	OPEN_COLUMNS " WHERE tenant_id = $1 AND type = $2 AND order_id = $3 AND state = 'open'" \
	" AND ($4 IS NULL OR line_no = $4) ORDER BY exception_id"
#define OPEN_OF_STOCK \
	OPEN_COLUMNS " WHERE tenant_id = $1 AND type = $2 AND order_id IS NULL AND state = 'open'" \
	" AND item = $3 AND node = $4 ORDER BY exception_id"
#define ORDER_TYPES		4, {INT4OID, TEXTOID, TEXTOID, INT4OID}, NULL
#define STOCK_TYPES		4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL

static EnginePlan plan_order_read = {
	OPEN_COLUMNS " WHERE tenant_id = $1 AND type = $2 AND order_id = $3 AND state = 'open'"
	" AND ($4 IS NULL OR line_no = $4) AND ($5 IS NULL OR node = $5)",
	5, {INT4OID, TEXTOID, TEXTOID, INT4OID, TEXTOID}, NULL
};
static EnginePlan plan_order_lock = {OPEN_OF_ORDER " FOR NO KEY UPDATE", ORDER_TYPES};
static EnginePlan plan_order_skip = {OPEN_OF_ORDER " FOR NO KEY UPDATE SKIP LOCKED", ORDER_TYPES};
static EnginePlan plan_stock_read = {OPEN_OF_STOCK, STOCK_TYPES};
static EnginePlan plan_stock_lock = {OPEN_OF_STOCK " FOR NO KEY UPDATE", STOCK_TYPES};

static EnginePlan plan_open = {
	"INSERT INTO routing.exception (tenant_id, type, order_id, line_no, item, node, facts, opened_at, event_version)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1) RETURNING exception_id",
	8, {INT4OID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID}, NULL
};

static EnginePlan plan_change = {
	"UPDATE routing.exception SET facts = $3, item = $4, node = $5, event_version = event_version + 1"
	" WHERE tenant_id = $1 AND exception_id = $2 RETURNING event_version",
	5, {INT4OID, INT8OID, JSONBOID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_resolve_order = {
	RESOLVE_EXCEPTIONS "e.tenant_id = $1 AND e.type = $2 AND e.order_id = $3 AND ($4 IS NULL OR e.line_no = $4)"
	" AND ($5 IS NULL OR e.node = $5)" RESOLVED_EXCEPTIONS "'auto'",
	5, {INT4OID, TEXTOID, TEXTOID, INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_resolve_stock = {
	RESOLVE_EXCEPTIONS "e.tenant_id = $1 AND e.type = $2 AND e.order_id IS NULL AND e.item = $3 AND e.node = $4"
	RESOLVED_EXCEPTIONS "'auto'",
	STOCK_TYPES
};

/* ------------------------------------------------------------------------
 * Events
 * ------------------------------------------------------------------------ */

static void
begin(JsonWriter *w, int64 id, const ExceptionCase *about)
{
	memset(w, 0, sizeof(*w));
	json_begin_object(w);
	json_key_text(w, "exception_id", psprintf(INT64_FORMAT, id));
	json_key_text(w, "kind", about->type);
	json_key_text(w, "order_id", about->order_id);
	if (about->line_no > 0)
		json_key_int(w, "line_no", about->line_no);
	json_key_text(w, "item", about->item);
	json_key_text(w, "node", about->node);
}

/*
 * The facts that the engine knows of, as texts, whatever the kind; others are
 * somebody's own.  Of a postal code no more leaves the database than of an
 * order's destination.
 */
static void
write_facts(JsonWriter *w, const char *key, Jsonb *facts)
{
	static const char *const known[] = {
		"quantity", "needed_on", "on_hand", "issued_at", "shipped_at", "reference", "country", "postal_code"
	};

	json_key(w, key);
	json_begin_object(w);
	for (int i = 0; i < (int) lengthof(known) && JB_ROOT_IS_OBJECT(facts); i++)
	{
		char	   *text = json_value_text(json_get(&facts->root, known[i]));

		if (text == NULL)
			continue;
		if (strcmp(known[i], "postal_code") == 0)
			json_key_text(w, "postal_prefix", pnstrdup(text, pg_mbcliplen(text, (int) strlen(text), 3)));
		else
			json_key_text(w, known[i], text);
	}
	json_end_object(w);
}

static void
tell(EventBatch *events, int32 tenant_id, int64 id, int64 version, const char *type, const ExceptionCase *about,
	 TimestampTz clock, JsonWriter *w)
{
	json_end_object(w);
	event_add(events, tenant_id, "exception", psprintf(INT64_FORMAT, id), version, type, clock,
			  about->order_id, json_result(w));
}

static void
tell_opened(EventBatch *events, int64 id, const ExceptionCase *about, Jsonb *facts, TimestampTz opened_at)
{
	JsonWriter	w;

	begin(&w, id, about);
	write_facts(&w, "facts", facts);
	json_key(&w, "opened_at");
	json_time(&w, opened_at);
	tell(events, about->tenant_id, id, 1, "exception.opened.v1", about, opened_at, &w);
}

static void
tell_changed(EventBatch *events, int64 id, int64 version, const ExceptionCase *about, Jsonb *before, Jsonb *after,
			 TimestampTz clock)
{
	JsonWriter	w;

	begin(&w, id, about);
	write_facts(&w, "before", before);
	write_facts(&w, "after", after);
	tell(events, about->tenant_id, id, version, "exception.changed.v1", about, clock, &w);
}

static void
tell_resolved(EventBatch *events, int64 id, int64 version, const ExceptionCase *about, const char *resolution,
			  TimestampTz opened_at, TimestampTz clock)
{
	JsonWriter	w;

	begin(&w, id, about);
	json_key_text(&w, "resolution", resolution);
	json_key_int(&w, "duration_s", Max(clock - opened_at, 0) / USECS_PER_SEC);
	tell(events, about->tenant_id, id, version, "exception.resolved.v1", about, clock, &w);
}

/* ------------------------------------------------------------------------
 * The engine's exceptions
 * ------------------------------------------------------------------------ */

typedef struct OpenException
{
	int64		id;
	Jsonb	   *facts;
	char	   *item;
	char	   *node;
} OpenException;

static Datum
text_or_null(const char *text, char *null)
{
	*null = text == NULL ? 'n' : ' ';
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* What names a case in a statement: four parameters, of orders and of stock. */
static void
case_args(const ExceptionCase *about, Datum *args, char *nulls)
{
	args[0] = Int32GetDatum(about->tenant_id);
	args[1] = CStringGetTextDatum(about->type);
	nulls[0] = nulls[1] = ' ';
	if (about->order_id != NULL)
	{
		args[2] = CStringGetTextDatum(about->order_id);
		args[3] = Int32GetDatum(about->line_no);
		nulls[2] = ' ';
		nulls[3] = about->line_no > 0 ? ' ' : 'n';
		return;
	}
	args[2] = text_or_null(about->item, &nulls[2]);
	args[3] = text_or_null(about->node, &nulls[3]);
}

static int
load_open(const ExceptionCase *about, ExceptionMode mode, OpenException **found)
{
	bool		of_order = about->order_id != NULL;
	EnginePlan *plan = mode == EXCEPTION_KEEP ? (of_order ? &plan_order_read : &plan_stock_read) :
		of_order ? (mode == EXCEPTION_CHANGE_FREE ? &plan_order_skip : &plan_order_lock) : &plan_stock_lock;
	Datum		args[5];
	char		nulls[5];
	int			n;

	case_args(about, args, nulls);
	args[4] = text_or_null(about->node, &nulls[4]);
	n = (int) engine_exec(plan, args, nulls, ENGINE_FRESH);
	*found = palloc(sizeof(OpenException) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		OpenException *e = &(*found)[i];
		bool		isnull;

		e->id = DatumGetInt64(spi_datum(i, 1, &isnull));
		e->facts = DatumGetJsonbPCopy(spi_datum(i, 2, &isnull));
		e->item = spi_text(i, 3);
		e->node = spi_text(i, 4);
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
change(EventBatch *events, const ExceptionCase *about, const OpenException *e, Jsonb *facts, TimestampTz clock)
{
	/* what somebody added to the facts stays */
	Jsonb	   *after = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(e->facts),
														   JsonbPGetDatum(facts)));
	Datum		args[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', ' '};
	bool		isnull;

	if (same_text(e->item, about->item) && same_text(e->node, about->node) &&
		compareJsonbContainers(&e->facts->root, &after->root) == 0)
		return;
	args[0] = Int32GetDatum(about->tenant_id);
	args[1] = Int64GetDatum(e->id);
	args[2] = JsonbPGetDatum(after);
	args[3] = text_or_null(about->item, &nulls[3]);
	args[4] = text_or_null(about->node, &nulls[4]);
	(void) engine_exec(&plan_change, args, nulls, ENGINE_FRESH);
	tell_changed(events, e->id, DatumGetInt64(spi_datum(0, 1, &isnull)), about, e->facts, after, clock);
	SPI_freetuptable(SPI_tuptable);
}

/* Open an exception, or change the one that is open. */
void
exception_put(EventBatch *events, const ExceptionCase *about, Jsonb *facts, ExceptionMode mode, TimestampTz clock)
{
	OpenException *found;
	int			n = mode == EXCEPTION_ANOTHER ? 0 : load_open(about, mode, &found);
	Datum		args[8];
	char		nulls[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
	bool		isnull;

	for (int i = 0; i < n && mode != EXCEPTION_KEEP; i++)
		change(events, about, &found[i], facts, clock);
	if (n > 0)
		return;
	args[0] = Int32GetDatum(about->tenant_id);
	args[1] = CStringGetTextDatum(about->type);
	args[2] = text_or_null(about->order_id, &nulls[2]);
	args[3] = Int32GetDatum(about->line_no);
	nulls[3] = about->line_no > 0 ? ' ' : 'n';
	args[4] = text_or_null(about->item, &nulls[4]);
	args[5] = text_or_null(about->node, &nulls[5]);
	args[6] = JsonbPGetDatum(facts);
	args[7] = TimestampTzGetDatum(clock);
	(void) engine_exec(&plan_open, args, nulls, ENGINE_FRESH);
	tell_opened(events, DatumGetInt64(spi_datum(0, 1, &isnull)), about, facts, clock);
	SPI_freetuptable(SPI_tuptable);
}

/* What RESOLVE_EXCEPTIONS resolved: "n" rows that SPI has. */
void
exceptions_tell_resolved(EventBatch *events, int32 tenant_id, int n, TimestampTz clock)
{
	for (int i = 0; i < n; i++)
	{
		ExceptionCase about = {tenant_id, spi_text(i, 4), spi_text(i, 5), 0, spi_text(i, 7), spi_text(i, 8)};
		bool		isnull;
		Datum		line_no = spi_datum(i, 6, &isnull);

		about.line_no = isnull ? 0 : DatumGetInt32(line_no);
		tell_resolved(events, DatumGetInt64(spi_datum(i, 1, &isnull)), DatumGetInt64(spi_datum(i, 2, &isnull)),
					  &about, spi_text(i, 9), DatumGetTimestampTz(spi_datum(i, 3, &isnull)), clock);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Its cause is gone.  Of an order's a node that is given must be its own, too. */
void
exception_resolve(EventBatch *events, const ExceptionCase *about, TimestampTz clock)
{
	Datum		args[5];
	char		nulls[5];
	int			n;

	case_args(about, args, nulls);
	args[4] = text_or_null(about->node, &nulls[4]);
	n = (int) engine_exec(about->order_id != NULL ? &plan_resolve_order : &plan_resolve_stock, args, nulls,
						  ENGINE_FRESH);
	exceptions_tell_resolved(events, about->tenant_id, n, clock);
}

/* ------------------------------------------------------------------------
 * What somebody changes by hand
 * ------------------------------------------------------------------------ */

PG_FUNCTION_INFO_V1(routing_note_exception);

static Datum
col(HeapTuple tup, TupleDesc desc, const char *name, bool *isnull)
{
	return SPI_getbinval(tup, desc, SPI_fnumber(desc, name), isnull);
}

/*
 * BEFORE UPDATE row trigger of exception.  The row is locked by now, at its
 * newest version.
 */
Datum
routing_note_exception(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;
	EngineScope scope;
	EventBatch	events = {0};
	TupleDesc	desc;
	HeapTuple	row;
	ExceptionCase about;
	int			attno;
	Datum		version;
	int64		id;
	bool		isnull;
	bool		was_open;
	bool		is_open;
	Jsonb	   *before;
	Jsonb	   *after;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(tg->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(tg->tg_event) || !TRIGGER_FIRED_FOR_ROW(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a BEFORE UPDATE row trigger", "note_exception")));
	row = tg->tg_newtuple;
	if (engine_is_writing())
		return PointerGetDatum(row);

	desc = RelationGetDescr(tg->tg_relation);
	was_open = strcmp(SPI_getvalue(tg->tg_trigtuple, desc, SPI_fnumber(desc, "state")), "open") == 0;
	is_open = strcmp(SPI_getvalue(row, desc, SPI_fnumber(desc, "state")), "open") == 0;
	before = DatumGetJsonbP(col(tg->tg_trigtuple, desc, "facts", &isnull));
	after = DatumGetJsonbP(col(row, desc, "facts", &isnull));
	version = Int64GetDatum(DatumGetInt64(col(tg->tg_trigtuple, desc, "event_version", &isnull)) + 1);
	attno = SPI_fnumber(desc, "event_version");
	if (isnull || (was_open == is_open && compareJsonbContainers(&before->root, &after->root) == 0))
		return PointerGetDatum(row);
	isnull = false;
	row = heap_modify_tuple_by_cols(row, desc, 1, &attno, &version, &isnull);

	id = DatumGetInt64(col(row, desc, "exception_id", &isnull));
	about.tenant_id = DatumGetInt32(col(row, desc, "tenant_id", &isnull));
	about.type = SPI_getvalue(row, desc, SPI_fnumber(desc, "type"));
	about.order_id = SPI_getvalue(row, desc, SPI_fnumber(desc, "order_id"));
	about.line_no = DatumGetInt32(col(row, desc, "line_no", &isnull));
	about.item = SPI_getvalue(row, desc, SPI_fnumber(desc, "item"));
	about.node = SPI_getvalue(row, desc, SPI_fnumber(desc, "node"));
	engine_enter(&scope);
	SPI_connect();
	if (was_open && !is_open)
		tell_resolved(&events, id, DatumGetInt64(version), &about, "waived",
					  DatumGetTimestampTz(col(row, desc, "opened_at", &isnull)), clock_now());
	else if (!was_open && is_open)
	{
		JsonWriter	w;

		begin(&w, id, &about);
		write_facts(&w, "facts", after);
		tell(&events, about.tenant_id, id, DatumGetInt64(version), "exception.reopened.v1", &about, clock_now(), &w);
	}
	else
		tell_changed(&events, id, DatumGetInt64(version), &about, before, after, clock_now());
	events_write(&events);
	SPI_finish();
	engine_leave(&scope);
	return PointerGetDatum(row);
}
