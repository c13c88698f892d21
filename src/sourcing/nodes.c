/*
 * nodes.c
 *		The sites: the ranks by their nodes, in blocks of coarse amounts.
 *
 * Guarantee: every rank that may be in a set of the range has a slot; in coarse
 * units it saves no less, and costs no more, than in the tree's, and its site
 * no less and no more than that.  See sites.c for what that is good for.
 */
#include <string.h>

#include "tree.h"

#define FIRST_FOUND		2048

/* in coarse units, rounded up */
static int16_t
coarse_gain(const Tree *tree, int32_t amount)
{
	return (int16_t) ((amount + ((int32_t) 1 << tree->coarse) - 1) >> tree->coarse);
}

static int16_t
coarse_cost(const Tree *tree, int32_t amount)
{
	amount >>= tree->coarse;
	return (int16_t) (amount < COARSE_MOST ? amount : COARSE_MOST);
}

/* memory for the sites, which are never more than at first */
void
tree_set_up_sites(Tree *tree)
{
	const SrcProblem *problem = tree->search->problem;
	int64_t		rows;
	int64_t		sum = 0;
	int32_t		nsites = 0;
	int32_t		slots;
	int32_t		i;

	tree->ncoarse = tree->nlines < COARSE_LINES ? tree->nlines : COARSE_LINES;
	tree->rest = 0;
	for (i = tree->ncoarse; i < tree->nlines; i++)
		tree->rest += tree->most[i];
	for (tree->coarse = 0;; tree->coarse++)
	{
		for (sum = 0, i = 0; i < tree->ncoarse; i++)
			sum += ((int64_t) tree->most[i] + ((int64_t) 1 << tree->coarse) - 1) >> tree->coarse;
		if (sum <= COARSE_MOST)
			break;
	}
	tree->site_of = src_memory(problem, sizeof(int32_t), problem->nnodes);
	memset(tree->site_of, -1, sizeof(int32_t) * (size_t) problem->nnodes);
	for (i = 0; i < tree->n; i++)
	{
		int32_t		node = tree->search->cand[tree->cand[i]].node;

		nsites += tree->site_of[node] < 0;
		tree->site_of[node] = 0;
	}
	slots = tree->n + BLOCK * nsites;
	nsites = (nsites + BLOCK - 1) / BLOCK * BLOCK;
	tree->flat = 2 * ((tree->ncoarse + BLOCK - 1) / BLOCK * BLOCK);
	rows = (int64_t) sizeof(int16_t) * tree->flat;
	tree->sites = src_memory(problem, sizeof(Site), nsites);
	tree->slot = src_memory(problem, sizeof(int32_t), slots);
	tree->most16 = src_memory(problem, sizeof(int16_t), tree->flat / 2);
	tree->slot_flat = src_memory(problem, (size_t) rows, slots);
	tree->site_flat = src_memory(problem, (size_t) rows, nsites);
	tree->slot_rows = src_memory(problem, (size_t) rows, slots);
	tree->slot_fixed = src_memory(problem, sizeof(int16_t), slots);
	tree->site_rows = src_memory(problem, (size_t) rows, nsites);
	tree->site_fixed = src_memory(problem, sizeof(int16_t), nsites);
	tree->pair = src_memory(problem, sizeof(int16_t), nsites);
	tree->adds = src_memory(problem, sizeof(int16_t), nsites);
	for (i = 0; i < 4; i++)
		tree->with[i] = src_memory(problem, (size_t) rows, BLOCK);
	for (i = 0; i < tree->flat / 2; i++)
		tree->most16[i] = i < tree->ncoarse ? coarse_gain(tree, tree->most[i]) : 0;
	tree->maxfound = FIRST_FOUND;
	tree->found = src_memory(problem, sizeof(Found), tree->maxfound);
}

/* make a site of each node, those that have a lead first, by that */
static void
name_sites(Tree *tree)
{
	const SrcSearch *search = tree->search;
	int32_t		pass_number;
	int32_t		i;

	for (i = 0; i < tree->n; i++)
		tree->site_of[search->cand[tree->cand[i]].node] = -1;
	tree->nsites = 0;
	for (pass_number = 0; pass_number < 2; pass_number++)
	{
		for (i = 0; i < tree->n; i++)
		{
			int32_t    *site = &tree->site_of[search->cand[tree->cand[i]].node];

			if (*site >= 0 || tree_leads(tree, i) != (pass_number == 0) ||
				(pass_number == 0 && i < tree->low))
				continue;
			*site = tree->nsites;
			tree->sites[tree->nsites].lead = i;
			tree->sites[tree->nsites].slots = 0;
			tree->sites[tree->nsites++].fixed = INT32_MAX;
		}
		if (pass_number == 0)
			tree->leading = tree->nsites;
	}
}

/* a flat row's amounts into its place in a block */
static void
into_block(const Tree *tree, const int16_t *flat, int16_t *rows, int32_t at)
{
	const int16_t *from = tree_flat(tree, flat, at);
	int16_t    *to = rows + src_row_at(tree->ncoarse, at);
	int32_t		line;

	for (line = 0; line < tree->ncoarse; line++, to += 2 * BLOCK)
	{
		to[0] = from[line];
		to[BLOCK] = from[tree->flat / 2 + line];
	}
}

/* the amounts of a slot, and what they add to those of its site */
static void
fill_slot(Tree *tree, const int32_t *gain, int32_t slot, int16_t *all)
{
	const int32_t *height = gain + tree->stride / 2;
	int16_t    *mine = tree->slot_flat + (size_t) slot * (size_t) tree->flat;
	int32_t		half = tree->flat / 2;
	int32_t		line;

	for (line = 0; line < tree->ncoarse; line++)
	{
		mine[line] = coarse_gain(tree, gain[line]);
		mine[half + line] = coarse_gain(tree, height[line]);
		all[line] = mine[line] > all[line] ? mine[line] : all[line];
		all[half + line] = mine[half + line] > all[half + line] ?
			mine[half + line] : all[half + line];
	}
	for (; line < half; line++)
		mine[line] = mine[half + line] = 0;
	into_block(tree, tree->slot_flat, tree->slot_rows, slot);
}

/* the ranks that are left become the slots of their sites */
void
tree_fill_sites(Tree *tree)
{
	const SrcSearch *search = tree->search;
	size_t		block = (size_t) tree->ncoarse * 2 * BLOCK;
	int32_t		nsites;
	int32_t		slots = 0;
	int32_t		i;

	name_sites(tree);
	for (i = 0; i < tree->n; i++)
		if (i >= tree->low || !tree_leads(tree, i))
			tree->sites[tree->site_of[search->cand[tree->cand[i]].node]].slots++;
	for (i = 0; i < tree->nsites; i++)
	{
		tree->sites[i].first = slots;
		slots += (tree->sites[i].slots + BLOCK - 1) / BLOCK * BLOCK;
		tree->sites[i].slots = 0;
	}
	nsites = (tree->nsites + BLOCK - 1) / BLOCK;
	memset(tree->slot_rows, 0, sizeof(int16_t) * block * (size_t) (slots / BLOCK));
	memset(tree->site_rows, 0, sizeof(int16_t) * block * (size_t) nsites);
	memset(tree->site_flat, 0, sizeof(int16_t) * (size_t) tree->flat * (size_t) tree->nsites);
	for (i = 0; i < slots; i++)
	{
		tree->slot[i] = -1;
		tree->slot_fixed[i] = COARSE_MOST;
	}
	for (i = 0; i < nsites * BLOCK; i++)
	{
		tree->site_fixed[i] = COARSE_MOST;
		tree->adds[i] = -COARSE_MOST;
	}
	for (i = 0; i < tree->n; i++)
	{
		int32_t		at = tree->site_of[search->cand[tree->cand[i]].node];
		Site	   *site = &tree->sites[at];
		int32_t		slot = site->first + site->slots;

		if (i < tree->low && tree_leads(tree, i))
			continue;
		site->slots++;
		tree->slot[slot] = i;
		tree->slot_fixed[slot] = coarse_cost(tree, tree->fixed[i]);
		if (tree->fixed[i] < site->fixed)
			site->fixed = tree->fixed[i];
		fill_slot(tree, tree_row(tree, i), slot, tree->site_flat + (size_t) at * (size_t) tree->flat);
	}
	for (i = 0; i < tree->nsites; i++)
	{
		tree->sites[i].slots = (tree->sites[i].slots + BLOCK - 1) / BLOCK * BLOCK;
		tree->site_fixed[i] = coarse_cost(tree, tree->sites[i].fixed);
		into_block(tree, tree->site_flat, tree->site_rows, i);
	}
}
