/*
 * breakers.c
 *		Carrier services that are not used somewhere since they failed there.
 *
 * Open circuit breakers are cached apart from the network, which a failing
 * carrier must not make every backend read again.  From its retry_at on an
 * open breaker is half open: whoever reads looks at the clock.
 */
#include "network/breakers.h"

#include "base/cache.h"
#include "base/engine.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/memutils.h"

struct Breakers
{
	MemoryContext context;
	int32		tenant_id;
	uint64		generation;
	uint64		serial;
	int			n;
	Breaker    *list;			/* by service, node */
	struct Breakers *next;
};

static Breakers *all_breakers = NULL;
static uint64 last_serial = 0;

static EnginePlan plan_breakers = {
	"SELECT service, node, reason, opened_at, retry_at FROM routing.service_state"
	" WHERE tenant_id = $1 AND state = 'open' ORDER BY service, node",
	1, {INT4OID}, NULL
};

static void
load(Breakers *b)
{
	Datum		args[1];
	MemoryContext old;
	int			n;

	args[0] = Int32GetDatum(b->tenant_id);
	n = (int) engine_exec(&plan_breakers, args, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(b->context);
	b->list = palloc(sizeof(Breaker) * Max(n, 1));
	b->n = n;
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		b->list[i].service = spi_text(i, 1);
		b->list[i].node = spi_text(i, 2);
		b->list[i].reason = spi_text(i, 3);
		b->list[i].opened_at = DatumGetTimestampTz(spi_datum(i, 4, &isnull));
		b->list[i].retry_at = DatumGetTimestampTz(spi_datum(i, 5, &isnull));
	}
	MemoryContextSwitchTo(old);
}

/* The open breakers of a tenant; valid until the end of the transaction. */
const Breakers *
breakers_get(int32 tenant_id)
{
	uint64		generation = engine_generation(TAB_SERVICE_STATE);
	Breakers   *b;
	MemoryContext context;
	EngineScope scope;

	for (Breakers **link = &all_breakers; (b = *link) != NULL; link = &b->next)
	{
		if (b->tenant_id != tenant_id)
			continue;
		if (b->generation == generation)
			return b;
		*link = b->next;
		MemoryContextSetParent(b->context, TopTransactionContext);
		break;
	}
	context = AllocSetContextCreate(CurrentMemoryContext, "routing breakers", ALLOCSET_SMALL_SIZES);
	b = MemoryContextAllocZero(context, sizeof(Breakers));
	b->context = context;
	b->tenant_id = tenant_id;
	b->generation = generation;
	b->serial = ++last_serial;
	engine_enter(&scope);
	SPI_connect();
	load(b);
	SPI_finish();
	engine_leave(&scope);
	MemoryContextSetParent(context, CacheMemoryContext);
	b->next = all_breakers;
	all_breakers = b;
	return b;
}

/* A number that no other state of breakers has. */
uint64
breakers_serial(const Breakers *b)
{
	return b->serial;
}

static int
compare(const void *x, const void *y)
{
	const Breaker *a = x;
	const Breaker *b = y;
	int			c = strcmp(a->service, b->service);

	return c != 0 ? c : strcmp(a->node, b->node);
}

/* The open breaker of a service at a node, or of it everywhere: the one that is tried again later. */
const Breaker *
breaker_find(const Breakers *b, char *service, char *node)
{
	char		no_node[1] = "";
	Breaker		here = {.service = service, .node = node};
	Breaker		everywhere = {.service = service, .node = no_node};
	const Breaker *x;
	const Breaker *y;

	if (b->n == 0)
		return NULL;
	x = bsearch(&here, b->list, b->n, sizeof(Breaker), compare);
	y = bsearch(&everywhere, b->list, b->n, sizeof(Breaker), compare);
	if (x == NULL || (y != NULL && y->retry_at > x->retry_at))
		return y;
	return x;
}
