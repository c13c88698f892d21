/*
 * cached.h
 *		Rows of our tables that are read as a whole and kept until they change.
 */
#ifndef ROUTING_BASE_CACHED_H
#define ROUTING_BASE_CACHED_H

#include "base/cache.h"
#include "base/engine.h"

/* Declare as a static variable; what follows "lent" is filled on first use. */
typedef struct CachedRows
{
	const char *name;			/* of its memory */
	EngineTable table;			/* a change of its rows makes them stale */
	EnginePlan	plan;			/* what reads them, without parameters */
	Size		rowsize;
	void		(*fill) (void *row, int i); /* an array's element, zeroed, from row i of the result */
	bool		lent;			/* the rows stay valid until the end of the
								 * transaction; else until the next call */

	MemoryContext context;
	uint64		generation;
	int			n;
	void	   *rows;
} CachedRows;

extern void *cached_rows(CachedRows *cache);

#endif							/* ROUTING_BASE_CACHED_H */
