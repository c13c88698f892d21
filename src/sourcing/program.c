/*
 * program.c
 *		The linear program for the quantities of a few shipments.
 *
 * Guarantee: every plan that keeps the rules and the choice made so far is a
 * solution of the program, and costs in it what it costs, before rounding.
 */
#include <string.h>

#include "couple.h"

#define MAX_NODES	4000			/* programs for one set */
#define LARGE		((src_int128) 1 << 60)

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
bool
program_set_up(Couple *c, Choice *choice)
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
bool
program_solve(Couple *c, const Choice *choice, src_int128 *cost)
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
