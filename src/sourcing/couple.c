/*
 * couple.c
 *		The cheapest quantities for a few shipments under all rules.
 *
 * Branch and bound over linear programs.  A column is what a line takes from a
 * shipment, in ten-thousandths, or whether a group goes with it, 0 or 1.
 * Rules that are linear are rows; the others are branched on where the linear
 * solution breaks them:
 *
 *	- a part is 0, or at least its least size;	a multiple is below, or above;
 *	- a line is served completely, or enough of it is left;
 *	- nothing is left of the order, or enough in value;
 *	- a part is 0, or one of those that the room of a day has lines for;
 *	- a part that cannot be rounded without breaking a rule is below, or above.
 *
 * Guarantees: what is found keeps the rules (rules.c says so); if "proven" it
 * is the cheapest, before rounding, but for what a ten-thousandth of a unit
 * costs; the same on every machine; bounded work.
 */
#include <string.h>

#include "couple.h"

#define MAX_DEPTH	60

size_t
src_couple_size(void)
{
	return sizeof(Couple);
}

static int64_t
quantity_of(const Couple *c, const Block *block, int32_t line, int64_t x)
{
	return block->group < 0 ? x : x * c->search->problem->lines[line].quantity;
}

/* column k in the solution, rounded down; *rest says whether it was */
static int64_t
solution(const Couple *c, const Choice *choice, int32_t k, bool *rest)
{
	int32_t		at = c->live[k];

	*rest = at >= 0 && c->lp.value[at] % c->lp.den[at] != 0;
	return choice->low[k] + (at < 0 ? 0 : c->lp.value[at] / c->lp.den[at]);
}

/* keep the quantities if no rule is broken and they are the best */
static bool
keep_trial(Couple *c, const int64_t *x)
{
	SrcSearch  *search = c->search;
	src_int128	cost = c->base;
	int32_t		i;
	int32_t		k;

	memset(c->trial, 0, sizeof(int64_t) * (size_t) search->nlines * (size_t) c->n);
	for (k = 0; k < c->ncolumns; k++)
	{
		const Block *block = &c->blocks[c->columns[k].block];

		cost += (src_int128) x[k] * c->columns[k].cost;
		for (i = block->line; i < search->nlines; i++)
			if (in_block(c, block, i))
				c->trial[(size_t) i * c->n + c->columns[k].ship] =
					quantity_of(c, block, i, x[k]);
	}
	if (src_broken(search, c->cand, c->n, c->trial) != 0)
		return false;
	if (!c->found || cost < c->best)
	{
		c->found = true;
		c->best = cost;
		memcpy(c->quantity, c->trial,
			   sizeof(int64_t) * (size_t) search->nlines * (size_t) c->n);
		if (cost < c->limit)
			c->limit = cost;
	}
	return true;
}

/*
 * Make whole ten-thousandths of the solution: what rounding down leaves of a
 * line goes to one of its shipments whose part was rounded, or is not served.
 * False if that breaks a rule.
 */
static bool
keep_solution(Couple *c, const Choice *choice)
{
	int64_t		x[SIMPLEX_COLUMNS];
	int64_t		tried[SIMPLEX_COLUMNS];
	int32_t		turn;
	int32_t		i;
	int32_t		j;
	bool		rest;
	bool		any = false;

	for (i = 0; i < c->ncolumns; i++)
	{
		x[i] = solution(c, choice, i, &rest);
		any |= rest;
	}
	for (turn = 0; turn <= (any ? c->n : 0); turn++)
	{
		memcpy(tried, x, sizeof(int64_t) * (size_t) c->ncolumns);
		for (i = 0; i < c->nblocks && turn < c->n; i++)
		{
			const Block *block = &c->blocks[i];
			int64_t		left = block->most;
			int32_t		rounded = 0;

			for (j = 0; j < c->n; j++)
				if (block->column[j] >= 0)
				{
					left -= x[block->column[j]];
					(void) solution(c, choice, block->column[j], &rest);
					rounded += rest;
				}
			if (rounded == 0 || left >= rounded)
				continue;
			for (j = 0; j < c->n; j++)
			{
				int32_t		k = block->column[(j + turn) % c->n];

				if (k < 0)
					continue;
				(void) solution(c, choice, k, &rest);
				if (!rest)
					continue;
				tried[k] += left;
				break;
			}
		}
		if (keep_trial(c, tried))
			return true;
	}
	return false;
}

/* parts that use the room of the shipment, by the solution or by choice */
static int32_t
find_line_excess(const Couple *c, const Choice *choice)
{
	SrcSearch  *search = c->search;
	int32_t		i;
	int32_t		k;

	for (i = 0; i < c->n; i++)
	{
		int32_t		room = search->cand[c->cand[i]].room;
		int64_t		parts = 0;
		int32_t		smallest = -1;
		int64_t		smallest_x = 0;

		if (room < 0 || search->rooms[room].room.lines == NO_LIMIT)
			continue;
		for (k = 0; k < c->ncolumns; k++)
		{
			const Block *block = &c->blocks[c->columns[k].block];
			bool		rest;
			int64_t		x;
			int32_t		line;

			if (search->cand[c->cand[c->columns[k].ship]].room != room)
				continue;
			x = solution(c, choice, k, &rest);
			if (x == 0 && !rest && !choice->used[k])
				continue;
			for (line = block->line; line < search->nlines; line++)
				parts += in_block(c, block, line);
			if (!choice->used[k] && (smallest < 0 || x < smallest_x))
			{
				smallest = k;
				smallest_x = x;
			}
		}
		if (parts > search->rooms[room].room.lines)
			return smallest < 0 ? -2 : smallest;
	}
	return -1;
}

static void branch_on(Couple *c, const Choice *choice, int32_t depth);

static void
with_bounds(Couple *c, const Choice *choice, int32_t depth, int32_t k,
			int64_t low, int64_t high)
{
	Choice		next = *choice;

	next.low[k] = low > next.low[k] ? low : next.low[k];
	next.high[k] = high < next.high[k] ? high : next.high[k];
	branch_on(c, &next, depth + 1);
}

/* a column whose value is not one it may have; true if there was one */
static bool
branch_on_columns(Couple *c, const Choice *choice, int32_t depth)
{
	int32_t		k;

	for (k = 0; k < c->ncolumns; k++)
	{
		const Column *column = &c->columns[k];
		bool		rest;
		int64_t		x = solution(c, choice, k, &rest);

		if ((x > 0 || rest) && x < column->least)
		{
			bool		up = x >= column->least / 2;

			if (up)
				with_bounds(c, choice, depth, k, column->least, NO_LIMIT);
			with_bounds(c, choice, depth, k, 0, 0);
			if (!up)
				with_bounds(c, choice, depth, k, column->least, NO_LIMIT);
			return true;
		}
		if (column->step > 0 && (rest || x % column->step != 0))
		{
			int64_t		below = x - x % column->step;

			with_bounds(c, choice, depth, k, 0, below);
			with_bounds(c, choice, depth, k, src_add(below, column->step), NO_LIMIT);
			return true;
		}
	}
	return false;
}

/* what is left of a line is not enough; true if there was one */
static bool
branch_on_rest(Couple *c, const Choice *choice, int32_t depth)
{
	int32_t		i;
	int32_t		j;

	for (i = 0; i < c->nblocks; i++)
	{
		const Block *block = &c->blocks[i];
		Choice		next;
		int64_t		left = block->most;
		bool		any_rest = false;

		for (j = 0; j < c->n; j++)
		{
			bool		rest = false;

			if (block->column[j] >= 0)
				left -= solution(c, choice, block->column[j], &rest);
			any_rest |= rest;
		}
		/* rounded-down parts leave a little that is none */
		if (choice->full[i] || left >= block->least_left ||
			left <= (any_rest ? c->n - 1 : 0))
			continue;
		next = *choice;
		next.full[i] = true;
		branch_on(c, &next, depth + 1);
		next = *choice;
		if (next.left[i] < block->least_left)
			next.left[i] = block->least_left;
		branch_on(c, &next, depth + 1);
		return true;
	}
	return false;
}

/* what is left of the order, or a shipment beside it, is not worth enough */
static bool
branch_on_value(Couple *c, const Choice *choice, int32_t depth)
{
	const SrcProblem *problem = c->search->problem;
	Choice		next;
	int64_t		left = 0;
	int32_t		i;
	int32_t		k;

	if (problem->split_min_value <= 0 || choice->value_left || choice->value_full)
		return false;
	for (i = 0; i < c->nblocks; i++)
		left += c->blocks[i].most > 0 ? c->blocks[i].most : 0;
	for (k = 0; k < c->ncolumns; k++)
	{
		bool		rest;

		left -= solution(c, choice, k, &rest);
	}
	if (left == 0)
		return false;
	next = *choice;
	next.value_full = true;
	for (i = 0; i < c->nblocks; i++)
		next.full[i] = true;
	branch_on(c, &next, depth + 1);
	next = *choice;
	next.value_left = true;
	branch_on(c, &next, depth + 1);
	return true;
}

static void
branch_on(Couple *c, const Choice *choice, int32_t depth)
{
	src_int128	cost;
	int32_t		k;

	if (depth > MAX_DEPTH)
		c->gave_up = true;
	if (c->gave_up || !program_solve(c, choice, &cost) || cost >= c->limit)
		return;
	k = find_line_excess(c, choice);
	if (k == -2)
		return;
	if (k >= 0)
	{
		Choice		next = *choice;

		next.low[k] = next.high[k] = 0;
		if (choice->low[k] == 0)
			branch_on(c, &next, depth + 1);
		next = *choice;
		next.used[k] = true;
		branch_on(c, &next, depth + 1);
		return;
	}
	if (branch_on_columns(c, choice, depth) || branch_on_rest(c, choice, depth) ||
		branch_on_value(c, choice, depth) || keep_solution(c, choice))
		return;
	for (k = 0; k < c->ncolumns; k++)
	{
		bool		rest;
		int64_t		x = solution(c, choice, k, &rest);

		if (!rest)
			continue;
		with_bounds(c, choice, depth, k, 0, x);
		with_bounds(c, choice, depth, k, x + 1, NO_LIMIT);
		return;
	}
	c->gave_up = true;
}

/*
 * Find the cheapest quantities (line * n + shipment) that keep all rules and
 * whose variable cost is below "limit", in money.  False if there are none.
 * *proven is false if something cheaper may have been missed.
 */
bool
src_couple(SrcSearch *search, const int32_t *cand, int32_t n, int64_t limit,
		   int64_t *quantity, bool *proven)
{
	Couple	   *c = search->couple;
	Choice		choice;

	*proven = false;
	if (n > MAX_SHIPS || n == 0)
		return false;
	c->search = search;
	c->cand = cand;
	c->n = n;
	c->nodes = 0;
	c->gave_up = c->found = false;
	c->quantity = quantity;
	c->trial = search->quantity2;
	if (!program_set_up(c, &choice))
		return false;
	c->limit = (src_int128) limit * ((int64_t) SRC_SCALE * SRC_SCALE);
	branch_on(c, &choice, 0);
	(void) src_work(search, c->nodes);
	*proven = !c->gave_up;
	return c->found;
}
