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
 *	- a part is 0, or one of those that the room of a day has lines for.
 *
 * Guarantees: what is found keeps the rules (rules.c says so); if "proven" it
 * is the cheapest, before rounding, but for what a ten-thousandth of a unit
 * costs; the same on every machine; bounded work.
 */
#include <string.h>

#include "cost.h"
#include "simplex.h"

#define MAX_SHIPS	8
#define MAX_BLOCKS	24
#define MAX_DEPTH	60
#define MAX_NODES	400			/* linear programs for one set */
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
	src_int128	base;			/* everything unserved; 1e-12 money */
	src_int128	limit;			/* what costs as much is of no use */
	src_int128	best;
	int64_t    *quantity;		/* line * n + shipment, of the best */
	int64_t    *trial;
	int32_t		live[SIMPLEX_COLUMNS];	/* column -> that of the program, or -1 */
	Simplex		lp;
} Couple;

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

static bool
in_block(const Couple *c, const Block *block, int32_t line)
{
	const SrcLine *wanted = &c->search->problem->lines[line];

	if (wanted->quantity <= 0)
		return false;
	return block->group < 0 ? line == block->line : wanted->group == block->group;
}

/* the most of a line that fits into a shipment by its own rules */
static int64_t
most_of(const SrcSearch *search, const SrcCandidate *cand, int32_t line, int64_t *least)
{
	const SrcLine *wanted = &search->problem->lines[line];
	const SrcOption *option = &cand->options[line];
	int64_t		most = option->avail < wanted->quantity ? option->avail : wanted->quantity;

	if (option->cost == SRC_NEVER)
		return 0;
	if (wanted->max_part > 0 && wanted->max_part < most)
		most = wanted->max_part;
	*least = wanted->split_min < wanted->quantity ? wanted->split_min : wanted->quantity;
	if (wanted->min_part > *least)
		*least = wanted->min_part;
	if (wanted->multiple > 0)
	{
		most -= most % wanted->multiple;
		if (*least % wanted->multiple != 0)
			*least = src_add(*least, wanted->multiple - *least % wanted->multiple);
	}
	return most < *least ? 0 : most;
}

/* true if the block can go with the shipment; its column is appended */
static bool
add_column(Couple *c, int32_t which, int32_t ship, Choice *choice)
{
	SrcSearch  *search = c->search;
	Block	   *block = &c->blocks[which];
	const SrcCandidate *cand = &search->cand[c->cand[ship]];
	Column	   *column = &c->columns[c->ncolumns];
	int64_t		high = NO_LIMIT;
	src_int128	cost = 0;
	int32_t		i;

	block->column[ship] = -1;
	column->block = which;
	column->ship = ship;
	column->least = 0;
	column->step = 0;
	for (i = block->line; i < search->nlines; i++)
	{
		const SrcLine *line = &search->problem->lines[i];
		src_int128	saved;
		int64_t		most;
		int64_t		least = 0;

		if (!in_block(c, block, i))
			continue;
		most = most_of(search, cand, i, &least);
		saved = cand->options[i].rate - src_unserved_rate(line);
		if (block->group < 0)
		{
			high = most;
			column->least = least;
			column->step = line->multiple;
			cost = saved / line->quantity;
			if (saved < 0 && saved % line->quantity != 0)
				cost--;
		}
		else
		{
			high = most < line->quantity || high == 0 ? 0 : 1;
			column->step = 1;
			cost += saved;
		}
	}
	if (high == 0)
		return true;
	if (c->ncolumns == SIMPLEX_COLUMNS - 1 ||
		cost > ((src_int128) 1 << 60) || cost < -((src_int128) 1 << 60))
		return false;
	column->cost = (int64_t) cost;
	choice->low[c->ncolumns] = 0;
	choice->high[c->ncolumns] = high;
	choice->used[c->ncolumns] = false;
	block->column[ship] = c->ncolumns++;
	return true;
}

/* the columns and blocks of the order; false if there are too many */
static bool
set_up_blocks(Couple *c, Choice *choice)
{
	const SrcProblem *problem = c->search->problem;
	int32_t		i;
	int32_t		j;

	c->nblocks = c->ncolumns = 0;
	c->base = 0;
	for (i = 0; i < c->search->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		Block	   *block = &c->blocks[c->nblocks];

		if (line->quantity <= 0)
			continue;
		c->base += src_unserved_rate(line);
		for (j = 0; j < i && line->group >= 0; j++)
			if (problem->lines[j].group == line->group && problem->lines[j].quantity > 0)
				break;
		if (line->group >= 0 && j < i)
			continue;
		if (c->nblocks == MAX_BLOCKS)
			return false;
		block->line = i;
		block->group = line->group < 0 ? -1 : line->group;
		block->most = block->group < 0 ? line->quantity : 1;
		block->least_left = block->group >= 0 ? 0 :
			line->split_min < line->quantity ? line->split_min : line->quantity;
		choice->full[c->nblocks] = problem->one_date || problem->all_or_nothing;
		choice->left[c->nblocks] = 0;
		for (j = 0; j < c->n; j++)
			if (!add_column(c, c->nblocks, j, choice))
				return false;
		c->nblocks++;
	}
	choice->value_left = choice->value_full = false;
	return true;
}

/* a row of zeros; NULL if there are too many */
static SimplexRow *
new_row(Couple *c)
{
	SimplexRow *row;

	if (c->lp.nrows == SIMPLEX_ROWS)
	{
		c->gave_up = true;
		return NULL;
	}
	row = &c->lp.rows[c->lp.nrows++];
	memset(row->a, 0, sizeof(int64_t) * (size_t) c->lp.ncolumns);
	row->b = 0;
	return row;
}

#define LARGE	((src_int128) 1 << 60)

/* add times * (what column k carries of the line) to the row, moved by its low */
static bool
add_term(Couple *c, const Choice *choice, SimplexRow *row, src_int128 *b,
		 int32_t k, src_int128 times)
{
	src_int128	sum;

	*b -= times * choice->low[k];
	if (c->live[k] < 0)
		return true;
	sum = row->a[c->live[k]] + times;
	if (sum > LARGE || sum < -LARGE)
		return false;
	row->a[c->live[k]] = (int64_t) sum;
	return true;
}

typedef enum Measure
{
	MEASURE_UNITS, MEASURE_WEIGHT, MEASURE_VALUE
} Measure;

/*
 * sign * (the measure of all that the marked shipments carry, of one item or
 * of all (-1)) <= limit
 */
static void
add_row(Couple *c, const Choice *choice, const bool *ships, int32_t item,
		Measure measure, int64_t sign, src_int128 limit)
{
	SrcSearch  *search = c->search;
	SimplexRow *row = new_row(c);
	src_int128	b = limit;
	bool		fits = true;
	int32_t		k;
	int32_t		i;

	if (row == NULL)
		return;
	for (k = 0; k < c->ncolumns; k++)
	{
		const Block *block = &c->blocks[c->columns[k].block];

		if (!ships[c->columns[k].ship])
			continue;
		for (i = block->line; i < search->nlines; i++)
		{
			const SrcLine *line = &search->problem->lines[i];
			src_int128	times = sign;

			if (!in_block(c, block, i) || (item >= 0 && search->lines[i].item != item))
				continue;
			if (measure != MEASURE_UNITS)
				times *= measure == MEASURE_WEIGHT ? line->unit_weight : line->unit_value;
			if (block->group >= 0)
				times *= line->quantity;
			fits &= times < LARGE && times > -LARGE &&
				add_term(c, choice, row, &b, k, times);
			if (block->group < 0)
				break;
		}
	}
	if (!fits || b > LARGE || b < -LARGE)
		c->gave_up = true;
	else
		row->b = (int64_t) b;
}

/* rows about the blocks and their columns */
static void
add_block_rows(Couple *c, const Choice *choice)
{
	int32_t		i;
	int32_t		j;

	for (i = 0; i < c->nblocks; i++)
	{
		const Block *block = &c->blocks[i];
		int32_t		sign;

		/* both directions if it is served completely */
		for (sign = 1; sign >= (choice->full[i] ? -1 : 1); sign -= 2)
		{
			SimplexRow *row = new_row(c);
			src_int128	b = (src_int128) sign * (block->most - choice->left[i]);

			if (row == NULL)
				return;
			for (j = 0; j < c->n; j++)
				if (block->column[j] >= 0)
					(void) add_term(c, choice, row, &b, block->column[j], sign);
			row->b = (int64_t) b;
		}
	}
	for (i = 0; i < c->ncolumns; i++)
	{
		const Block *block = &c->blocks[c->columns[i].block];
		SimplexRow *row;

		if (c->live[i] < 0 || choice->high[i] >= block->most)
			continue;
		row = new_row(c);
		if (row == NULL)
			return;
		row->a[c->live[i]] = 1;
		row->b = choice->high[i] - choice->low[i];
	}
}

/* prefixes of the stock of items that several columns take from */
static void
add_stock_rows(Couple *c, const Choice *choice)
{
	SrcSearch  *search = c->search;
	int32_t		i;
	int32_t		j;
	int32_t		k;

	for (i = 0; i < search->nlines; i++)
	{
		int32_t		item = search->lines[i].item;

		/* items are numbered by their first lines */
		for (j = 0; j < i && search->lines[j].item != item; j++)
			;
		if (j < i)
			continue;
		for (k = 0; k < c->n; k++)
		{
			const SrcCandidate *own = &search->cand[c->cand[k]];
			bool		ships[MAX_SHIPS];
			int32_t		n = 0;

			for (j = 0; j < c->n; j++)
			{
				const SrcCandidate *other = &search->cand[c->cand[j]];

				ships[j] = other->node == own->node && other->day <= own->day;
				n += ships[j];
			}
			if (n > 1 || search->lines[i].shared)
				add_row(c, choice, ships, item, MEASURE_UNITS, 1, own->options[i].avail);
		}
	}
}

/* rows about shipments and what is left of the order */
static void
add_shipment_rows(Couple *c, const Choice *choice)
{
	SrcSearch  *search = c->search;
	const SrcProblem *problem = search->problem;
	int64_t		split = problem->split_min_value;
	bool		ships[MAX_SHIPS];
	int32_t		j;
	int32_t		k;

	for (k = 0; k < c->n; k++)
	{
		const SrcCandidate *own = &search->cand[c->cand[k]];
		int64_t		weight = problem->lanes[own->lane].max_weight;
		int64_t		least = problem->nodes[own->node].min_value;

		memset(ships, 0, sizeof(ships));
		ships[k] = true;
		if (weight > 0)
			add_row(c, choice, ships, -1, MEASURE_WEIGHT, 1, (src_int128) weight * SRC_SCALE);
		if ((c->n > 1 || choice->value_left) && split > least)
			least = split;
		if (least > 0)
			add_row(c, choice, ships, -1, MEASURE_VALUE, -1, -(src_int128) least * SRC_SCALE);
		if (own->room < 0 || search->rooms[own->room].room.units == NO_LIMIT)
			continue;
		for (j = 0; j < c->n; j++)
		{
			ships[j] = search->cand[c->cand[j]].room == own->room;
			if (ships[j] && j < k)
				break;
		}
		if (j == c->n)
			add_row(c, choice, ships, -1, MEASURE_UNITS, 1,
					search->rooms[own->room].room.units);
	}
	if (choice->value_left)
	{
		src_int128	all = 0;

		for (j = 0; j < search->nlines; j++)
			if (problem->lines[j].quantity > 0)
				all += (src_int128) problem->lines[j].quantity * problem->lines[j].unit_value;
		memset(ships, 1, sizeof(ships));
		add_row(c, choice, ships, -1, MEASURE_VALUE, 1, all - (src_int128) split * SRC_SCALE);
	}
}

/* the program of the choice; false if it has no solution, or cannot be solved */
static bool
solve(Couple *c, const Choice *choice, src_int128 *cost)
{
	SimplexEnd	end;
	int32_t		k;

	c->lp.ncolumns = c->lp.nrows = 0;
	for (k = 0; k < c->ncolumns; k++)
	{
		if (choice->low[k] > choice->high[k])
			return false;
		c->live[k] = -1;
		if (choice->low[k] == choice->high[k])
			continue;
		c->lp.cost[c->lp.ncolumns] = c->columns[k].cost;
		c->live[k] = c->lp.ncolumns++;
	}
	add_block_rows(c, choice);
	add_stock_rows(c, choice);
	add_shipment_rows(c, choice);
	if (c->gave_up)
		return false;
	if (++c->nodes > MAX_NODES)
	{
		c->gave_up = true;
		return false;
	}
	end = simplex_solve(&c->lp);
	if (end == SIMPLEX_GAVE_UP)
		c->gave_up = true;
	if (end != SIMPLEX_OPTIMAL)
		return false;
	*cost = c->base;
	for (k = 0; k < c->ncolumns; k++)
	{
		src_int128	whole = (src_int128) choice->low[k] * c->columns[k].cost;

		*cost += whole;
		if (c->live[k] < 0 || c->lp.value[c->live[k]] == 0)
			continue;
		whole = (src_int128) c->lp.value[c->live[k]] * c->columns[k].cost;
		*cost += whole / c->lp.den[c->live[k]];
		if (whole % c->lp.den[c->live[k]] < 0)
			(*cost)--;
	}
	return true;
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
 */
static void
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
			return;
	}
	c->gave_up = true;
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
	if (c->gave_up || !solve(c, choice, &cost) || cost >= c->limit)
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
		branch_on_value(c, choice, depth))
		return;
	keep_solution(c, choice);
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
	if (!set_up_blocks(c, &choice))
		return false;
	c->limit = (src_int128) limit * ((int64_t) SRC_SCALE * SRC_SCALE);
	branch_on(c, &choice, 0);
	(void) src_work(search, c->nodes);
	*proven = !c->gave_up;
	return c->found;
}
