/*
 * told.c
 *		Events of what has no lock of its own in a settlement: policies, nodes,
 *		counts of a node.
 *
 * Functions and triggers say what happened when it happens; the event is made
 * at commit, since its stream is locked by a row of routing.event_stream and
 * that lock comes last: after orders and positions, by aggregate.  A rollback
 * to a savepoint takes back what was said after it.
 */
#include "events/told.h"

#include "base/clock.h"
#include "base/engine.h"
#include "events/append.h"
#include "events/streams.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define SEPARATOR	'\x1f'

/* an event as it was noted */
typedef struct ToldEvent
{
	const Note *note;
	char	   *type;
	char	   *aggregate;
	char	   *aggregate_id;
} ToldEvent;

static int
compare_told(const void *a, const void *b)
{
	const ToldEvent *x = a;
	const ToldEvent *y = b;
	int			c;

	if (x->note->tenant_id != y->note->tenant_id)
		return x->note->tenant_id < y->note->tenant_id ? -1 : 1;
	c = strcmp(x->aggregate, y->aggregate);
	if (c == 0)
		c = strcmp(x->aggregate_id, y->aggregate_id);
	if (c != 0)
		return c;
	/* as they were noted */
	return x->note < y->note ? -1 : x->note > y->note;
}

/* Lock the streams, one after the other, and write.  SPI is connected. */
static void
write_told(const ToldEvent *told, int n)
{
	EventBatch	events = {0};

	for (int i = 0; i < n; i++)
	{
		const ToldEvent *t = &told[i];
		Datum		payload = DirectFunctionCall1(jsonb_in, CStringGetDatum(strchr(t->note->b, ' ') + 1));
		int64		version = event_stream_next(t->note->tenant_id, t->aggregate, t->aggregate_id);

		event_add(&events, t->note->tenant_id, t->aggregate, t->aggregate_id, version, t->type, clock_now(), NULL,
				  DatumGetJsonbP(payload));
	}
	events_write(&events);
}

/* After all else of a pass: make the events that were noted. */
void
events_told(const Note *notes, int n)
{
	ToldEvent  *told = NULL;
	int			ntold = 0;

	for (int i = 0; i < n; i++)
	{
		char	   *p;

		if (notes[i].kind != NOTE_EVENT)
			continue;
		if (told == NULL)
			told = palloc(sizeof(ToldEvent) * (n - i));
		p = pstrdup(notes[i].a);
		told[ntold].note = &notes[i];
		told[ntold].type = p;
		p = strchr(p, SEPARATOR);
		*p++ = '\0';
		told[ntold].aggregate = p;
		p = strchr(p, SEPARATOR);
		*p++ = '\0';
		told[ntold++].aggregate_id = p;
	}
	if (ntold == 0)
		return;
	qsort(told, ntold, sizeof(ToldEvent), compare_told);
	SPI_connect();
	write_told(told, ntold);
	SPI_finish();
}

/* See to it that what is noted will be settled. */
static void
queue_settlement(void)
{
	EngineScope scope;

	if (!notes_arm())
		return;
	engine_enter(&scope);
	SPI_connect();
	settle_queue_token();
	SPI_finish();
	engine_leave(&scope);
}

PG_FUNCTION_INFO_V1(routing_note_event);

/* SQL: note_event(tenant_id, aggregatetype, aggregateid, type, payload) */
Datum
routing_note_event(PG_FUNCTION_ARGS)
{
	static uint64 number = 0;	/* what happens twice is told twice */
	Jsonb	   *payload = PG_GETARG_JSONB_P(4);

	notes_add(NOTE_EVENT, PG_GETARG_INT32(0),
			  psprintf("%s%c%s%c%s", text_to_cstring(PG_GETARG_TEXT_PP(3)), SEPARATOR,
					   text_to_cstring(PG_GETARG_TEXT_PP(1)), SEPARATOR, text_to_cstring(PG_GETARG_TEXT_PP(2))),
			  psprintf(UINT64_FORMAT " %s", number++, JsonbToCString(NULL, &payload->root, VARSIZE(payload))));
	queue_settlement();
	PG_RETURN_VOID();
}
