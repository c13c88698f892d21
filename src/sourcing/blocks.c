/*
 * blocks.c
 *		What each candidate could save beside a set, roughly.
 *
 * Guarantee: src_rough_savings is never below what the candidate saves.  It
 * spares greedy.c a close look at most of them.
 */
#include <string.h>

#include "blocks.h"
#include "eight.h"

static inline Eight
save_on_line(const int16_t *with, const int16_t *block)
{
	Eight		all = eight_add(eight_load(with), eight_load(block));
	Eight		most = eight_max(eight_load(with + BLOCK), eight_load(block + BLOCK));

	return eight_min(all, most);
}

/* the sum of what those in "with" save together with each of a block, and "sum" */
static inline Eight
sum_together(const int16_t *with, const int16_t *block, int32_t nlines, Eight sum)
{
	Eight		other = eight_same(0);

	for (; nlines >= 2; nlines -= 2, with += 4 * BLOCK, block += 4 * BLOCK)
	{
		sum = eight_add(sum, save_on_line(with, block));
		other = eight_add(other, save_on_line(with + 2 * BLOCK, block + 2 * BLOCK));
	}
	if (nlines > 0)
		sum = eight_add(sum, save_on_line(with, block));
	return eight_add(sum, other);
}

/* what those in "with" save together with each of a block */
void
src_save_together(const int16_t *with, const int16_t *block, int32_t nlines, int16_t *sum)
{
	eight_store(sum, sum_together(with, block, nlines, eight_same(0)));
}

/* those whose savings, less their cost, reach "least", a bit each */
uint32_t
src_pass_together(const int16_t *with, const int16_t *block, int32_t nlines,
				  const int16_t *cost, int32_t least)
{
	Eight		needed = eight_add(eight_load(cost), eight_same((int16_t) least));

	return eight_positive(sum_together(with, block, nlines,
									   eight_subtract(eight_same(0), needed)));
}

/* the unit; more lines than fit are left without */
static void
set_up(SrcRough *rough, const SrcSearch *search)
{
	int64_t		sum;
	int32_t		i;

	rough->usable = search->nlines <= COARSE_LINES;
	for (rough->shift = 0; rough->usable; rough->shift++)
	{
		for (sum = 0, i = 0; i < search->nlines; i++)
			sum += (search->lines[i].unserved >> rough->shift) + 1;
		if (sum <= COARSE_MOST)
			break;
	}
	rough->with = src_memory(search->problem, sizeof(int16_t) * 2 * BLOCK, search->nlines);
}

static int16_t
round_up(int64_t amount, int32_t shift)
{
	return (int16_t) ((amount + ((int64_t) 1 << shift) - 1) >> shift);
}

/* rows of the candidates that have come since */
static void
add_rows(SrcSearch *search, SrcRough *rough)
{
	int32_t		i;
	int32_t		j;

	if (search->ncand > rough->maxrows)
	{
		size_t		block = sizeof(int16_t) * 2 * BLOCK * (size_t) search->nlines;
		int32_t		maxrows = (search->maxcand + BLOCK - 1) / BLOCK * BLOCK;
		int16_t    *larger = src_memory(search->problem, block, maxrows / BLOCK);

		memset(larger, 0, block * (size_t) (maxrows / BLOCK));
		if (rough->nrows > 0)
			memcpy(larger, rough->rows,
				   block * (size_t) ((rough->nrows + BLOCK - 1) / BLOCK));
		rough->rows = larger;
		rough->maxrows = maxrows;
	}
	for (i = rough->nrows; i < search->ncand; i++)
	{
		int16_t    *row = rough->rows + src_row_at(search->nlines, i);

		for (j = 0; j < search->nlines; j++, row += 2 * BLOCK)
		{
			const SrcOption *option = &search->cand[i].options[j];

			if (option->gain == 0)
				continue;
			row[0] = round_up(option->gain, rough->shift);
			row[BLOCK] = round_up(search->lines[j].unserved - option->cost, rough->shift);
		}
	}
	rough->nrows = search->ncand;
}

/*
 * Per candidate, at most what it saves beside the set, less what it costs
 * empty.  The lines' floors are those of src_floor_line of the set.
 */
void
src_rough_savings(SrcSearch *search, const int32_t *set, int32_t n, const int64_t *floors,
				  int64_t *out)
{
	SrcRough   *rough = &search->rough;
	int64_t		split = src_split_floor(search);
	int64_t		slop;
	int32_t		saved = 0;
	int32_t		i;
	int32_t		j;
	int32_t		k;

	if (rough->with == NULL)
		set_up(rough, search);
	if (!rough->usable)
	{
		for (i = 0; i < search->ncand; i++)
			out[i] = search->cand[i].gain - search->cand[i].fixed - split;
		return;
	}
	add_rows(search, rough);
	for (i = 0; i < search->nlines; i++)
	{
		int16_t    *with = rough->with + i * 2 * BLOCK;
		int64_t		unserved = search->lines[i].unserved;
		int64_t		gain = unserved - floors[i];
		int64_t		height = 0;

		for (j = 0; j < n; j++)
		{
			const SrcOption *option = &search->cand[set[j]].options[i];

			if (option->gain > 0 && unserved - option->cost > height)
				height = unserved - option->cost;
		}
		gain = gain > 0 ? gain >> rough->shift : 0;
		saved += (int32_t) gain;
		for (k = 0; k < BLOCK; k++)
		{
			with[k] = (int16_t) gain;
			with[BLOCK + k] = round_up(height, rough->shift);
		}
	}
	/* the floors of a line's parts may be less than they are together */
	slop = (int64_t) (n + 2) * search->nlines;
	for (i = 0; i < search->ncand; i += BLOCK)
	{
		int16_t		sum[BLOCK];

		src_save_together(rough->with, rough->rows + src_row_at(search->nlines, i),
						  search->nlines, sum);
		for (k = 0; k < BLOCK && i + k < search->ncand; k++)
			out[i + k] = (int64_t) (sum[k] - saved) * ((int64_t) 1 << rough->shift) + slop -
				search->cand[i + k].fixed - split;
	}
}
