/*
 * withheld.c
 *		Item-nodes that offer nothing because news of their supply is pending.
 *
 * When the settlement of a supply key of a binding has failed or is paused,
 * what the engine holds from that key may be wrong, so it promises nothing of
 * it until the key is settled.  Keys are rarely pending, so the item-nodes are
 * cached in each backend; a change of routing.pending tells it to read again,
 * at the latest when it next opens a table, which is before it books.
 */
#include "ledger/withheld.h"

#include "base/cache.h"
#include "base/engine.h"

#include "catalog/pg_type.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct Withheld
{
	uint64		generation;
	MemoryContext context;
	int			n;
	int32	   *tenants;
	char	  **items;
	char	  **nodes;
} Withheld;

static Withheld *cached = NULL;

/* a pending key '*' means that the whole binding is unsettled */
static EnginePlan plan_withheld = {
	"SELECT DISTINCT s.tenant_id, s.item, s.node FROM routing.pending p"
	" JOIN routing.supply s ON s.tenant_id = p.tenant_id AND s.binding = p.binding"
	"  AND (s.source_key = p.key OR p.key = '*')"
	" WHERE p.concept = 'supply' AND p.binding <> ''"
	" ORDER BY 1, 2, 3",
	0, {0}, NULL
};

static void
load(uint64 generation)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "routing withheld", ALLOCSET_SMALL_SIZES);
	Withheld   *w = MemoryContextAllocZero(context, sizeof(Withheld));
	EngineScope scope;
	MemoryContext old;

	engine_enter(&scope);
	SPI_connect();
	w->n = (int) engine_exec(&plan_withheld, NULL, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(context);
	w->tenants = palloc(sizeof(int32) * Max(w->n, 1));
	w->items = palloc(sizeof(char *) * Max(w->n, 1));
	w->nodes = palloc(sizeof(char *) * Max(w->n, 1));
	for (int i = 0; i < w->n; i++)
	{
		bool		isnull;

		w->tenants[i] = DatumGetInt32(spi_datum(i, 1, &isnull));
		w->items[i] = spi_text(i, 2);
		w->nodes[i] = spi_text(i, 3);
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	engine_leave(&scope);

	w->generation = generation;
	w->context = context;
	MemoryContextSetParent(context, CacheMemoryContext);
	if (cached)
		MemoryContextDelete(cached->context);
	cached = w;
}

/* Whether there is any such item-node, which is rare. */
bool
supply_some_withheld(void)
{
	uint64		generation = engine_generation(TAB_PENDING);

	if (cached == NULL || cached->generation != generation)
		load(generation);
	return cached->n > 0;
}

/* Whether the item-node offers nothing for now. */
bool
supply_withheld(int32 tenant_id, const char *item, const char *node)
{
	uint64		generation = engine_generation(TAB_PENDING);
	int			low = 0,
				high;

	if (cached == NULL || cached->generation != generation)
		load(generation);
	high = cached->n;
	while (low < high)
	{
		int			mid = (low + high) / 2;
		int			c = tenant_id - cached->tenants[mid];

		if (c == 0)
			c = strcmp(item, cached->items[mid]);
		if (c == 0)
			c = strcmp(node, cached->nodes[mid]);
		if (c == 0)
			return true;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

PG_FUNCTION_INFO_V1(routing_withheld);

/* SQL: the same, for the view. */
Datum
routing_withheld(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(supply_withheld(PG_GETARG_INT32(0),
								   text_to_cstring(PG_GETARG_TEXT_PP(1)),
								   text_to_cstring(PG_GETARG_TEXT_PP(2))));
}
