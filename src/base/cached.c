/*
 * cached.c
 *		Rows of our tables that are read as a whole and kept until they change.
 */
#include "base/cached.h"

#include "utils/memutils.h"

static void
load(CachedRows *cache, uint64 generation)
{
	/* built aside: an error leaves no half-filled cache */
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "routing rows", ALLOCSET_SMALL_SIZES);
	MemoryContext old;
	EngineScope scope;
	char	   *rows;
	int			n;

	MemoryContextSetIdentifier(context, cache->name);
	engine_enter(&scope);
	SPI_connect();
	n = (int) engine_exec(&cache->plan, NULL, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(context);
	rows = palloc_extended(cache->rowsize * Max(n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < n; i++)
		cache->fill(rows + i * cache->rowsize, i);
	MemoryContextSwitchTo(old);
	SPI_finish();
	engine_leave(&scope);

	MemoryContextSetParent(context, CacheMemoryContext);
	if (cache->context != NULL && cache->lent)
		MemoryContextSetParent(cache->context, TopTransactionContext);
	else if (cache->context != NULL)
		MemoryContextDelete(cache->context);
	cache->context = context;
	cache->generation = generation;
	cache->n = n;
	cache->rows = rows;
}

/* The rows, cache->n of them, at least as new as the call. */
void *
cached_rows(CachedRows *cache)
{
	uint64		generation = engine_generation(cache->table);

	if (cache->context == NULL || cache->generation != generation)
		load(cache, generation);
	return cache->rows;
}
