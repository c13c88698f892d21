/*
 * ranks.c
 *		The candidates of the exhaustive search: which, in which order, worth what.
 *
 * Guarantee: what is left out is in no best plan; see tree.c on the units.
 */
#include <string.h>

#include "tree.h"

/* in the tree's units; so that the value stays a bound */
static int32_t
round_up(int64_t amount, int32_t shift)
{
	return (int32_t) ((amount + ((int64_t) 1 << shift) - 1) >> shift);
}

/*
 * Leave out candidates that others could replace in every plan: where so many
 * others, each at a node of its own, do the same for less, or for as much and
 * go before it in a tie, that one of them is free whatever else is in the plan.
 */
static void
drop_spare(Tree *tree, SrcAlive *alive)
{
	SrcSearch  *search = tree->search;
	int32_t		n = tree->n;
	int32_t		kept = 0;
	int32_t		i;
	int32_t		j;

	if (n <= search->exhaustive)
		return;
	for (i = 0; i < n; i++)
	{
		const SrcCandidate *cand = &search->cand[alive[i].rank];
		int32_t		nodes[SRC_EXACT_SHIPMENTS];
		int32_t		nnodes = 0;

		for (j = 0; j < i && j < SPARE_COMPARED && nnodes < search->exhaustive; j++)
		{
			const SrcCandidate *by = &search->cand[tree->first[j]];
			int32_t		k;

			for (k = 0; k < nnodes && nodes[k] != by->node; k++)
				;
			if (k == nnodes && src_can_replace(search, by, cand))
				nodes[nnodes++] = by->node;
		}
		if (i < SPARE_COMPARED)
			tree->first[i] = alive[i].rank;
		if (nnodes < search->exhaustive)
			alive[kept++] = alive[i];
	}
	tree->n = kept;
}

/* the candidates by value; false if none can be part of a set of interest */
bool
tree_set_up(Tree *tree, const int64_t *most)
{
	SrcSearch  *search = tree->search;
	const SrcProblem *problem = search->problem;
	int64_t		sum = src_sum(most, search->nlines);
	int64_t		limit = sum + search->slack + 1;	/* dearer makes no difference */
	SrcAlive   *alive = src_memory(problem, sizeof(SrcAlive), search->ncand);
	int32_t		i;
	int32_t		j;

	tree->shift = 0;
	while ((limit >> tree->shift) >= ((int64_t) 1 << VALUE_BITS))
		tree->shift++;
	tree->n = 0;
	for (i = 0; i < search->ncand; i++)
	{
		const SrcCandidate *cand = &search->cand[i];
		int64_t		value = -cand->fixed;

		if (problem->one_date && cand->arrival != tree->arrival)
			continue;

		/* nothing saves as much as it costs */
		if (cand->fixed > sum + search->slack && !search->coupled)
			continue;
		for (j = 0; j < search->nlines; j++)
			value += cand->options[j].gain < most[j] ? cand->options[j].gain : most[j];
		alive[tree->n].net = value;
		alive[tree->n++].rank = i;
	}
	src_sort_alive(alive, tree->n);
	drop_spare(tree, alive);
	if (tree->n < 2)
		return false;
	tree->split = (int32_t) ((src_split_floor(search) < sum + 1 ?
							  src_split_floor(search) : sum + 1) >> tree->shift);
	tree->cand = src_memory(problem, sizeof(int32_t), tree->n);
	tree->fixed = src_memory(problem, sizeof(int32_t), tree->n);
	tree->value = src_memory(problem, sizeof(int32_t), tree->n);
	tree->later = src_memory(problem, sizeof(int32_t), tree->n);
	tree->most = src_memory(problem, sizeof(int32_t), search->nlines);
	tree->stride = 2 * ((search->nlines + 3) & ~3);
	tree->both = src_memory(problem, sizeof(int32_t), (int64_t) tree->stride * tree->n);
	memset(tree->both, 0, sizeof(int32_t) * (size_t) tree->stride * (size_t) tree->n);
	tree->serving = src_memory(problem, sizeof(int32_t), search->nlines);
	tree->lines = src_memory(problem, sizeof(uint32_t), tree->n);
	tree->room = src_memory(problem, sizeof(int32_t), search->nlines);
	tree->room2 = src_memory(problem, sizeof(int32_t), search->nlines);
	tree->top = src_memory(problem, sizeof(int32_t) * 2, search->nlines);
	tree->min_fixed = INT32_MAX;
	tree->row = src_memory(problem, sizeof(int32_t), tree->n);
	tree->partners = src_memory(problem, sizeof(Partner), tree->n);
	tree->sorted = src_memory(problem, sizeof(Partner), tree->n);
	tree->place = src_memory(problem, sizeof(int32_t), tree->n);
	tree->chain = src_memory(problem, sizeof(int32_t), tree->n);
	for (j = 0; j < search->nlines; j++)
	{
		tree->most[j] = round_up(most[j], tree->shift);
		tree->serving[j] = 0;
	}
	for (i = 0; i < tree->n; i++)
	{
		const SrcCandidate *cand = &search->cand[alive[i].rank];
		int32_t    *row = tree->both + (size_t) i * (size_t) tree->stride;

		tree->cand[i] = alive[i].rank;
		tree->lines[i] = 0;
		tree->fixed[i] = (int32_t) ((cand->fixed < limit ? cand->fixed : limit) >> tree->shift);
		tree->value[i] = -tree->fixed[i];
		if (tree->fixed[i] < tree->min_fixed)
			tree->min_fixed = tree->fixed[i];
		for (j = 0; j < search->nlines; j++)
		{
			const SrcOption *option = &cand->options[j];
			int64_t		gain = option->gain < most[j] ? option->gain : most[j];
			int64_t		height = search->lines[j].unserved - option->cost;
			int32_t		rounded;

			if (option->gain == 0)
				continue;
			height = height < most[j] ? height : most[j];
			rounded = round_up(gain, tree->shift);
			row[j] = rounded;
			row[tree->stride / 2 + j] = round_up(height, tree->shift);
			tree->serving[j]++;
			if (j < MASK_LINES)
				tree->lines[i] |= (uint32_t) 1 << j;
			tree->value[i] += rounded < tree->most[j] ? rounded : tree->most[j];
		}
	}
	/* by rounding, a later one may seem to be worth a little more */
	for (i = tree->n - 1; i >= 0; i--)
	{
		tree->later[i] = tree->value[i];
		if (i + 1 < tree->n && tree->later[i + 1] > tree->later[i])
			tree->later[i] = tree->later[i + 1];
	}
	tree->maxopen = 0;
	tree_set_up_sites(tree);
	return true;
}
