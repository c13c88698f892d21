/*
 * couple.h
 *		What the division of lines under all rules works with.
 *
 * Private to couple.c and program.c.
 */
#ifndef ROUTING_SOURCING_COUPLE_H
#define ROUTING_SOURCING_COUPLE_H

#include "cost.h"
#include "simplex.h"

#define MAX_SHIPS	8
#define MAX_BLOCKS	24
#define NO_LIMIT	INT64_MAX

typedef struct Column
{
	int32_t		block;
	int32_t		ship;
	int64_t		cost;			/* of one, against not serving it; 1e-12 money */
	int64_t		least;			/* if not 0 */
	int64_t		step;			/* or 0 */
} Column;

/* lines that are decided on together: one line, or a group */
typedef struct Block
{
	int32_t		line;			/* the first one */
	int32_t		group;			/* or -1 */
	int64_t		most;			/* a line's quantity; 1 for a group */
	int64_t		least_left;		/* of it, if not 0 */
	int32_t		column[MAX_SHIPS];	/* or -1 */
} Block;

/* what has been decided */
typedef struct Choice
{
	int64_t		low[SIMPLEX_COLUMNS];
	int64_t		high[SIMPLEX_COLUMNS];
	bool		used[SIMPLEX_COLUMNS];	/* counts as a part in its room */
	bool		full[MAX_BLOCKS];
	int64_t		left[MAX_BLOCKS];	/* at least */
	bool		value_left;		/* what is left is worth enough */
	bool		value_full;		/* nothing is left */
} Choice;

typedef struct Couple
{
	SrcSearch  *search;
	const int32_t *cand;
	int32_t		n;
	int32_t		ncolumns;
	int32_t		nblocks;
	Column		columns[SIMPLEX_COLUMNS];
	Block		blocks[MAX_BLOCKS];
	int32_t		nodes;
	bool		gave_up;
	bool		found;
	src_stored128 base;			/* everything unserved; 1e-12 money */
	src_stored128 limit;		/* what costs as much is of no use */
	src_stored128 best;
	int64_t    *quantity;		/* line * n + shipment, of the best */
	int64_t    *trial;
	int32_t		live[SIMPLEX_COLUMNS];	/* column -> that of the program, or -1 */
	Simplex		lp;
} Couple;

/* program.c */
extern bool program_set_up(Couple *c, Choice *choice);
extern bool program_solve(Couple *c, const Choice *choice, src_int128 *cost);

static inline bool
in_block(const Couple *c, const Block *block, int32_t line)
{
	const SrcLine *wanted = &c->search->problem->lines[line];

	if (wanted->quantity <= 0)
		return false;
	return block->group < 0 ? line == block->line : wanted->group == block->group;
}

#endif							/* ROUTING_SOURCING_COUPLE_H */
