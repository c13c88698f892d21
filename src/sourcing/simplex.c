/*
 * simplex.c
 *		Small linear programs, solved in integers without rounding.
 *
 * First steps of the dual method without costs, until no row is violated, then
 * of the primal method with costs; by the smallest index, which cannot cycle.
 * Every row has a denominator of its own and is kept free of common divisors,
 * so that numbers stay small: nearly all coefficients are 0 or 1.
 *
 * Guarantees: the same answer on every machine; no overflow, and bounded work:
 * what is too large is given up.
 */
#include <stddef.h>

#include "simplex.h"

#define LARGEST		((int64_t) 1 << 61)
#define MOST_STEPS	400

typedef __int128 wide;

static uint64_t
common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0)
	{
		uint64_t	rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static uint64_t
size_of(int64_t number)
{
	return number < 0 ? (uint64_t) -number : (uint64_t) number;
}

/* 1 unless all numbers of the row have a larger divisor in common */
static int64_t
row_divisor(const int64_t *a, int32_t n, int64_t den, int64_t b)
{
	uint64_t	divisor = common_divisor((uint64_t) den, size_of(b));
	int32_t		i;

	for (i = 0; i < n && divisor != 1; i++)
		if (a[i] != 0)
			divisor = common_divisor(divisor, size_of(a[i]));
	return divisor == 0 ? 1 : (int64_t) divisor;
}

static void
reduce_row(SimplexRow *row, int32_t n)
{
	int64_t		divisor = row_divisor(row->a, n, row->den, row->b);
	int32_t		i;

	if (divisor == 1)
		return;
	row->den /= divisor;
	row->b /= divisor;
	for (i = 0; i < n; i++)
		row->a[i] /= divisor;
}

/* *to = *to * by - times * from; false if that is out of bounds */
static bool
combine(int64_t *to, int64_t by, int64_t times, int64_t from)
{
	wide		sum = (wide) *to * by - (wide) times * from;

	if (sum > LARGEST || sum < -LARGEST)
		return false;
	*to = (int64_t) sum;
	return true;
}

/* the costs after a pivot, whose row is done */
static bool
pivot_costs(Simplex *lp, const SimplexRow *own, int32_t column)
{
	wide		times = lp->cost[column];
	wide		largest;
	wide		divisor = 0;
	uint64_t	size = (uint64_t) own->den;
	int32_t		c;

	for (c = 0; c < lp->ncolumns; c++)
		if (size_of(own->a[c]) > size)
			size = size_of(own->a[c]);
	largest = (wide) 1 << (61 + __builtin_clzll(size));
	lp->cost[column] = 0;
	for (c = 0; c < lp->ncolumns; c++)
	{
		if (lp->cost[c] > largest || lp->cost[c] < -largest ||
			times > largest || times < -largest)
			return false;
		lp->cost[c] = lp->cost[c] * own->den - times * own->a[c];
	}
	for (c = 0; c < lp->ncolumns && divisor != 1 && own->den != 1; c++)
	{
		wide		other = lp->cost[c] < 0 ? -lp->cost[c] : lp->cost[c];

		while (other != 0)
		{
			wide		rest = divisor % other;

			divisor = other;
			other = rest;
		}
	}
	for (c = 0; c < lp->ncolumns && divisor > 1; c++)
		lp->cost[c] /= divisor;
	return true;
}

/* the nonbasic variable of the column and the basic one of the row swap */
static bool
pivot(Simplex *lp, int32_t which, int32_t column)
{
	SimplexRow *own = &lp->rows[which];
	int64_t		p = own->a[column];
	int32_t		leaving = own->basic;
	int32_t		n = lp->ncolumns;
	int64_t		times;
	int32_t		i;
	int32_t		c;

	own->a[column] = own->den;
	own->den = p;
	if (p < 0)
	{
		own->den = -own->den;
		own->b = -own->b;
		for (c = 0; c < n; c++)
			own->a[c] = -own->a[c];
	}
	own->basic = lp->nonbasic[column];
	lp->nonbasic[column] = leaving;
	for (i = 0; i < lp->nrows; i++)
	{
		SimplexRow *row = &lp->rows[i];

		times = row->a[column];
		if (i == which || times == 0)
			continue;
		row->a[column] = 0;
		for (c = 0; c < n; c++)
			if (!combine(&row->a[c], own->den, times, own->a[c]))
				return false;
		if (!combine(&row->b, own->den, times, own->b) ||
			!combine(&row->den, own->den, 0, 0))
			return false;
		if (own->den != 1)
			reduce_row(row, n);
	}
	return lp->cost[column] == 0 || pivot_costs(lp, own, column);
}

/* a step towards rows that hold; false if there is none to be done */
static bool
dual_step(const Simplex *lp, int32_t *row, int32_t *column, bool *infeasible)
{
	int32_t		i;
	int32_t		c;

	*row = -1;
	*column = -1;
	for (i = 0; i < lp->nrows; i++)
		if (lp->rows[i].b < 0 &&
			(*row < 0 || lp->rows[i].basic < lp->rows[*row].basic))
			*row = i;
	if (*row < 0)
		return false;
	for (c = 0; c < lp->ncolumns; c++)
		if (lp->rows[*row].a[c] < 0 &&
			(*column < 0 || lp->nonbasic[c] < lp->nonbasic[*column]))
			*column = c;
	*infeasible = *column < 0;
	return !*infeasible;
}

/* a step that does not cost more; false if there is none */
static bool
primal_step(const Simplex *lp, int32_t *row, int32_t *column)
{
	int32_t		i;
	int32_t		c;

	*row = -1;
	*column = -1;
	for (c = 0; c < lp->ncolumns; c++)
		if (lp->cost[c] < 0 &&
			(*column < 0 || lp->nonbasic[c] < lp->nonbasic[*column]))
			*column = c;
	if (*column < 0)
		return false;
	for (i = 0; i < lp->nrows; i++)
	{
		const SimplexRow *mine = &lp->rows[i];
		const SimplexRow *best = &lp->rows[*row < 0 ? i : *row];
		wide		difference;

		if (mine->a[*column] <= 0)
			continue;
		difference = (wide) mine->b * best->a[*column] - (wide) best->b * mine->a[*column];
		if (*row < 0 || difference < 0 || (difference == 0 && mine->basic < best->basic))
			*row = i;
	}
	return *row >= 0;
}

SimplexEnd
simplex_solve(Simplex *lp)
{
	bool		infeasible = false;
	int32_t		steps = 0;
	int32_t		row;
	int32_t		column;
	int32_t		i;

	for (i = 0; i < lp->ncolumns; i++)
	{
		lp->nonbasic[i] = i;
		lp->value[i] = 0;
		lp->den[i] = 1;
	}
	for (i = 0; i < lp->nrows; i++)
	{
		SimplexRow *own = &lp->rows[i];
		int64_t		divisor = row_divisor(own->a, lp->ncolumns, 0, own->b);
		int32_t		c;

		own->basic = lp->ncolumns + i;
		own->den = 1;
		/* the slack variable is one of the row so divided */
		for (c = 0; c < lp->ncolumns && divisor > 1; c++)
			own->a[c] /= divisor;
		own->b /= divisor;
	}
	while (dual_step(lp, &row, &column, &infeasible))
		if (++steps > MOST_STEPS || !pivot(lp, row, column))
			return SIMPLEX_GAVE_UP;
	if (infeasible)
		return SIMPLEX_INFEASIBLE;
	while (primal_step(lp, &row, &column))
		if (++steps > MOST_STEPS || !pivot(lp, row, column))
			return SIMPLEX_GAVE_UP;
	for (i = 0; i < lp->nrows; i++)
		if (lp->rows[i].basic < lp->ncolumns)
		{
			lp->value[lp->rows[i].basic] = lp->rows[i].b;
			lp->den[lp->rows[i].basic] = lp->rows[i].den;
		}
	return SIMPLEX_OPTIMAL;
}
