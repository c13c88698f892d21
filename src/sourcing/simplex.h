/*
 * simplex.h
 *		Small linear programs, solved in integers without rounding.
 *
 *		minimize	sum cost[c] * x[c]
 *		subject to	sum a[r][c] * x[c] <= b[r]	for every row,	x >= 0
 *
 * Private to src/sourcing.
 */
#ifndef ROUTING_SOURCING_SIMPLEX_H
#define ROUTING_SOURCING_SIMPLEX_H

#include <stdbool.h>
#include <stdint.h>

#define SIMPLEX_COLUMNS		48
#define SIMPLEX_ROWS		160

typedef enum SimplexEnd
{
	SIMPLEX_OPTIMAL,
	SIMPLEX_INFEASIBLE,
	SIMPLEX_GAVE_UP				/* numbers or number of steps out of bounds */
} SimplexEnd;

/* large numbers; memory of the caller's is aligned to 8 bytes only */
typedef __int128 simplex_cost __attribute__((aligned(8)));

/*
 * A row says den * basic + sum a * nonbasic = b, with den > 0; rows are kept
 * without common divisors.
 */
typedef struct SimplexRow
{
	int64_t		den;
	int64_t		b;
	int64_t		a[SIMPLEX_COLUMNS];
	int32_t		basic;			/* variable: column, or ncolumns + row */
} SimplexRow;

typedef struct Simplex
{
	int32_t		ncolumns;
	int32_t		nrows;
	int32_t		nonbasic[SIMPLEX_COLUMNS];
	simplex_cost cost[SIMPLEX_COLUMNS];
	SimplexRow	rows[SIMPLEX_ROWS];

	/* the answer: x[c] = value[c] / den[c] */
	int64_t		value[SIMPLEX_COLUMNS];
	int64_t		den[SIMPLEX_COLUMNS];
} Simplex;

/* costs and rows are lost in solving */
extern SimplexEnd simplex_solve(Simplex *lp);

#endif							/* ROUTING_SOURCING_SIMPLEX_H */
