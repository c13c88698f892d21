/*
 * sites.c
 *		Which sets of shipments are worth a look: by nodes first.
 *
 * Guarantee: every set of two and up to "exhaustive" ranks whose value is not
 * below "least" and whose first rank is in the range from "low" to "high" is
 * found, unless it is said that some are missing; then open_bound knows of
 * them.
 *
 * A node has several lanes and days, so there are far fewer sets of nodes than
 * of shipments.  A site stands for the shipments of one node: it saves on each
 * line what the best of them does, and costs what the cheapest of them does.
 * No set of its shipments is worth more than the set of their sites, and most
 * sets of sites are worth too little.  From one that is not, the sites are
 * replaced by their shipments, one after the other.
 *
 * Amounts are cut to 16 bits for that, gains rounded up and costs down, and
 * kept in blocks: of BLOCK shipments (or sites) what each saves on the first
 * line, then what each would if it had plenty; then the same of the next line.
 * What a set of two saves together with each of a block is then a handful of
 * instructions for each line.  What passes is measured by the tree's values.
 */
#include <string.h>

#include "eight.h"
#include "tree.h"

#define PASSES			16		/* that count as one set examined */

/* what a set must save, less a cost that is not in the amount yet */
static int32_t
needed(const Tree *tree, int64_t amount)
{
	amount = (amount - tree->rest) >> tree->coarse;
	if (amount < -COARSE_MOST)
		return -COARSE_MOST;
	return amount > COARSE_MOST ? COARSE_MOST + 1 : (int32_t) amount;
}

/* one, ready to be put together with those of a block, without its heights */
static void
take_alone(const Tree *tree, const int16_t *row, int16_t *with)
{
	int32_t		half = tree->flat / 2;
	int32_t		line;

	for (line = 0; line < half; line += BLOCK, with += 2 * BLOCK * BLOCK)
	{
		eight_spread(eight_load(row + line), with, 2 * BLOCK);
		eight_spread(eight_load(tree->most16 + line), with + BLOCK, 2 * BLOCK);
	}
}

/* the same of two, with their heights */
static void
take_two(const Tree *tree, const int16_t *a, const int16_t *b, int16_t *with)
{
	int32_t		half = tree->flat / 2;
	int32_t		line;

	for (line = 0; line < half; line += BLOCK, with += 2 * BLOCK * BLOCK)
	{
		Eight		gain = eight_add(eight_load(a + line), eight_load(b + line));

		eight_spread(eight_min(gain, eight_load(tree->most16 + line)), with, 2 * BLOCK);
		eight_spread(eight_max(eight_load(a + half + line), eight_load(b + half + line)),
					 with + BLOCK, 2 * BLOCK);
	}
}

/* those of a block whose saving with the chosen ones, less their cost, reaches "least" */
static uint32_t
pass(Tree *tree, const int16_t *with, const int16_t *rows, const int16_t *cost,
	 int32_t block, int32_t least)
{
	tree->passes++;
	return src_pass_together(with, tree_block(tree, rows, block * BLOCK), tree->ncoarse,
							 cost + (size_t) block * BLOCK, least);
}

/* the number of the lowest bit, which is taken away */
static int32_t
next_bit(uint32_t *bits)
{
	int32_t		bit = __builtin_ctz(*bits);

	*bits &= *bits - 1;
	return bit;
}

/* may a set be of the range that is looked for because of that one of it */
static bool
site_leads(const Tree *tree, int32_t site)
{
	return site < tree->leading && tree->sites[site].lead < tree->high;
}

static bool
slot_leads(const Tree *tree, int32_t slot)
{
	int32_t		rank = tree->slot[slot];

	return rank >= 0 && rank < tree->high && tree_leads(tree, rank);
}

/*
 * Keep the sets with the lowest first ranks.  False if more of them are found
 * than can be looked at.
 */
static bool
keep_lowest(Tree *tree)
{
	const SrcSearch *search = tree->search;
	int32_t    *count = tree->row;
	int32_t		sum = 0;
	int32_t		kept = 0;
	int32_t		rank;
	int32_t		i;

	memset(count, 0, sizeof(int32_t) * (size_t) tree->n);
	for (i = 0; i < tree->nfound; i++)
		count[tree->found[i].rank[0]]++;
	for (rank = tree->low; sum + count[rank] <= tree->maxfound / 2; rank++)
		sum += count[rank];
	tree->high = sum > 0 ? rank : rank + 1;
	for (i = 0; i < tree->nfound; i++)
		if (tree->found[i].rank[0] < tree->high)
			tree->found[kept++] = tree->found[i];
	tree->nfound = kept;
	if (kept <= tree->maxfound / 2)
		return true;
	if (tree->maxfound > search->problem->work_limit - search->work)
		return kept < tree->maxfound;
	tree->maxfound *= 2;
	tree->found = src_memory(search->problem, sizeof(Found), tree->maxfound);
	return true;
}

/* a set of three, or of two (c: -1) */
static void
add_found(Tree *tree, int32_t a, int32_t b, int32_t c, int32_t value)
{
	Found	   *found;
	int32_t		swap;

	if (c >= 0 && tree_leads(tree, c) && (c < b || !tree_leads(tree, b)))
	{
		swap = b;
		b = c;
		c = swap;
	}
	if (tree_leads(tree, b) && (b < a || !tree_leads(tree, a)))
	{
		swap = a;
		a = b;
		b = swap;
	}
	if (a >= tree->high || !tree_leads(tree, a) || tree->partial)
		return;
	if (tree->nfound == tree->maxfound)
	{
		const Found *before = tree->found;

		if (!keep_lowest(tree))
		{
			tree->partial = true;
			return;
		}
		if (tree->found != before)
			memcpy(tree->found, before, sizeof(Found) * (size_t) tree->nfound);
		if (a >= tree->high)
			return;
	}
	found = &tree->found[tree->nfound++];
	found->rank[0] = a;
	found->rank[1] = b;
	found->rank[2] = c;
	found->value = value;
}

static void
measure_two(Tree *tree, int32_t a, int32_t b)
{
	const int32_t *mine = tree_row(tree, a);
	const int32_t *theirs = tree_row(tree, b);
	int32_t		value = -tree->fixed[a] - tree->fixed[b] - tree->split;
	int32_t		i;

	for (i = 0; i < tree->nlines; i++)
	{
		int32_t		both = mine[i] + theirs[i];

		value += both < tree->most[i] ? both : tree->most[i];
	}
	if (value >= tree->least)
		add_found(tree, a, b, -1, value);
}

static void
measure_three(Tree *tree, int32_t a, int32_t b, int32_t c)
{
	const int32_t *gain[3] = {tree_row(tree, a), tree_row(tree, b), tree_row(tree, c)};
	int32_t		half = tree->stride / 2;
	int32_t		value = -tree->fixed[a] - tree->fixed[b] - tree->fixed[c] - 2 * tree->split;
	int32_t		i;

	for (i = 0; i < tree->nlines; i++)
	{
		int32_t		all = gain[0][i] + gain[1][i] + gain[2][i];
		int32_t		most = gain[0][half + i];

		most = gain[1][half + i] > most ? gain[1][half + i] : most;
		most = gain[2][half + i] > most ? gain[2][half + i] : most;
		value += all < most ? all : most;
	}
	if (value >= tree->least)
		add_found(tree, a, b, c, value);
}

/* the shipments of two sites */
static void
expand_two(Tree *tree, int32_t s, int32_t t)
{
	const Site *one = &tree->sites[s];
	const Site *two = &tree->sites[t];
	int32_t		least = needed(tree, (int64_t) tree->least + two->fixed + tree->split);
	int32_t		i;
	int32_t		j;

	take_alone(tree, tree_flat(tree, tree->site_flat, t), tree->with[1]);
	for (i = one->first; i < one->first + one->slots; i += BLOCK)
	{
		uint32_t	mine = pass(tree, tree->with[1], tree->slot_rows, tree->slot_fixed, i / BLOCK, least);

		while (mine != 0)
		{
			int32_t		slot = i + next_bit(&mine);
			int32_t		rank = tree->slot[slot];
			int32_t		rest;

			if (rank < 0 || !(slot_leads(tree, slot) || site_leads(tree, t)))
				continue;
			rest = needed(tree, (int64_t) tree->least + tree->fixed[rank] + tree->split);
			take_alone(tree, tree_flat(tree, tree->slot_flat, slot), tree->with[2]);
			for (j = two->first; j < two->first + two->slots; j += BLOCK)
			{
				uint32_t	theirs = pass(tree, tree->with[2], tree->slot_rows, tree->slot_fixed, j / BLOCK, rest);

				while (theirs != 0)
				{
					int32_t		other = j + next_bit(&theirs);

					if (tree->slot[other] >= 0 && (s != t || other > slot))
						measure_two(tree, rank, tree->slot[other]);
				}
			}
		}
	}
}

/* the shipments of a third site beside two shipments */
static void
expand_third(Tree *tree, int32_t slot, int32_t slot2, const Site *three)
{
	int32_t		a = tree->slot[slot];
	int32_t		b = tree->slot[slot2];
	int32_t		least = needed(tree, (int64_t) tree->least + tree->fixed[a] + tree->fixed[b] + 2 * tree->split);
	int32_t		k;

	take_two(tree, tree_flat(tree, tree->slot_flat, slot), tree_flat(tree, tree->slot_flat, slot2), tree->with[3]);
	for (k = three->first; k < three->first + three->slots; k += BLOCK)
	{
		uint32_t	bits = pass(tree, tree->with[3], tree->slot_rows, tree->slot_fixed, k / BLOCK, least);

		while (bits != 0)
		{
			int32_t		other = k + next_bit(&bits);

			/* slots of one site are met in ascending order */
			if (tree->slot[other] >= 0 &&
				(slot2 < three->first || slot2 >= three->first + three->slots || other > slot2))
				measure_three(tree, a, b, tree->slot[other]);
		}
	}
}

/* the shipments of three sites */
static void
expand_three(Tree *tree, int32_t s, int32_t t, int32_t u)
{
	const Site *one = &tree->sites[s];
	const Site *two = &tree->sites[t];
	const Site *three = &tree->sites[u];
	int32_t		least = needed(tree, (int64_t) tree->least + two->fixed + three->fixed +
							   2 * tree->split);
	int32_t		i;
	int32_t		j;

	take_two(tree, tree_flat(tree, tree->site_flat, t), tree_flat(tree, tree->site_flat, u),
			 tree->with[1]);
	for (i = one->first; i < one->first + one->slots; i += BLOCK)
	{
		uint32_t	mine = pass(tree, tree->with[1], tree->slot_rows, tree->slot_fixed,
								i / BLOCK, least);

		while (mine != 0)
		{
			int32_t		slot = i + next_bit(&mine);
			int32_t		rank = tree->slot[slot];
			bool		first = site_leads(tree, u) || slot_leads(tree, slot);
			int32_t		rest;

			if (rank < 0 || !(first || site_leads(tree, t)))
				continue;
			rest = needed(tree, (int64_t) tree->least + tree->fixed[rank] + three->fixed +
						  2 * tree->split);
			take_two(tree, tree_flat(tree, tree->slot_flat, slot),
					 tree_flat(tree, tree->site_flat, u), tree->with[2]);
			for (j = two->first; j < two->first + two->slots; j += BLOCK)
			{
				uint32_t	theirs = pass(tree, tree->with[2], tree->slot_rows,
										  tree->slot_fixed, j / BLOCK, rest);

				while (theirs != 0)
				{
					int32_t		other = j + next_bit(&theirs);

					if (tree->slot[other] >= 0 && (s != t || other > slot) &&
						(first || slot_leads(tree, other)))
						expand_third(tree, slot, other, three);
				}
			}
		}
	}
}

/*
 * What the site saves with each of those from it on, and what they add.
 * Returns the most that one adds.
 */
static int32_t
pair_site(Tree *tree, int32_t s)
{
	const int16_t *mine = tree_flat(tree, tree->site_flat, s);
	int32_t		own = 0;
	int32_t		most = -2 * COARSE_MOST;
	int32_t		i;

	for (i = 0; i < tree->ncoarse; i++)
		own += mine[i];
	take_alone(tree, mine, tree->with[0]);
	for (i = s / BLOCK * BLOCK; i < tree->nsites; i += BLOCK)
		src_save_together(tree->with[0], tree_block(tree, tree->site_rows, i), tree->ncoarse,
					  tree->pair + i);
	for (i = s; i < tree->nsites; i++)
	{
		int32_t		adds = tree->pair[i] - own - tree->site_fixed[i];

		tree->adds[i] = (int16_t) adds;
		most = adds > most ? adds : most;
	}
	return most;
}

/* false if that is enough for now */
static bool
count_passes(Tree *tree)
{
	src_work(tree->search, tree->passes / PASSES);
	tree->passes %= PASSES;
	return tree->search->work <= tree->pause && !tree->partial;
}

/* all sets of shipments whose first site that is */
static void
try_site(Tree *tree, int32_t s)
{
	const Site *own = &tree->sites[s];
	int32_t		most = pair_site(tree, s);
	int32_t		least = needed(tree, (int64_t) tree->least + own->fixed + tree->split);
	int32_t		last = s;		/* that may be part of three */
	int32_t		t;
	int32_t		u;

	tree->passes += tree->nsites / BLOCK;
	for (t = s; t < tree->nsites; t++)
	{
		if (tree->pair[t] - tree->site_fixed[t] >= least)
			expand_two(tree, s, t);
	}
	if (!count_passes(tree) || tree->search->exhaustive < 3)
		return;
	for (t = s; t < tree->nsites; t++)
	{
		least = needed(tree, (int64_t) tree->least + own->fixed + tree->sites[t].fixed +
					   2 * tree->split);
		if (tree->pair[t] + most >= least)
			last = t;
	}
	for (t = s; t <= last; t++)
	{
		int32_t		missing;
		bool		taken;

		least = needed(tree, (int64_t) tree->least + own->fixed + tree->sites[t].fixed +
					   2 * tree->split);
		missing = least - tree->pair[t];
		if (most < missing)
			continue;
		missing = missing > -COARSE_MOST ? missing : -COARSE_MOST;
		taken = false;
		for (u = t / BLOCK * BLOCK; u <= last; u += BLOCK)
		{
			uint32_t	bits;

			/* what it adds to one it adds to two at the most */
			if (eight_positive(eight_subtract(eight_load(tree->adds + u),
											  eight_same((int16_t) missing))) == 0)
				continue;
			if (!taken)
				take_two(tree, tree_flat(tree, tree->site_flat, s),
						 tree_flat(tree, tree->site_flat, t), tree->with[0]);
			taken = true;
			bits = pass(tree, tree->with[0], tree->site_rows, tree->site_fixed, u / BLOCK, least);
			if (u < t)
				bits &= ~(uint32_t) 0 << (t - u);
			while (bits != 0)
			{
				int32_t		third = u + next_bit(&bits);

				if (third < tree->nsites)
					expand_three(tree, s, t, third);
			}
		}
		if (!count_passes(tree))
			break;
	}
}

/* what the sets with first sites from there on cost at the least */
static void
leave_sites(Tree *tree, int32_t s)
{
	SrcSearch  *search = tree->search;

	for (; s < tree->leading; s++)
	{
		int32_t		adds = pair_site(tree, s);
		const int16_t *mine = tree_flat(tree, tree->site_flat, s);
		int64_t		own = 0;
		int32_t		n;
		int32_t		i;

		for (i = 0; i < tree->ncoarse; i++)
			own += mine[i];
		for (n = 1; n < search->exhaustive; n++)
		{
			int64_t		value = (own + (int64_t) n * adds) * ((int64_t) 1 << tree->coarse) +
				tree->rest - tree->sites[s].fixed - (int64_t) n * tree->split;
			int64_t		bound = tree->root - value * ((int64_t) 1 << tree->shift) - search->slack;

			if (bound < search->open_bound)
				search->open_bound = bound;
		}
	}
}

/*
 * Find the sets with first ranks from "low" on: up to "high", which is set, if
 * they are too many at once.
 */
void
tree_find(Tree *tree)
{
	SrcSearch  *search = tree->search;
	int32_t		s;
	int32_t		i;

	/* the sets that are found have to be looked at, too */
	tree->pause = search->work + (search->problem->work_limit - search->work) / 2;
	tree->least = tree_threshold(tree);
	tree->high = tree->n;
	tree->nfound = 0;
	tree->partial = false;
	tree->passes = 0;
	tree_fill_sites(tree);
	for (s = 0; s < tree->leading && tree->sites[s].lead < tree->high; s++)
	{
		try_site(tree, s);
		if (count_passes(tree))
			continue;
		tree->partial = true;
		leave_sites(tree, s);
		break;
	}
	for (i = tree->low; i < tree->high; i++)
		tree->chain[i] = -1;
	for (i = 0; i < tree->nfound; i++)
	{
		Found	   *found = &tree->found[i];

		found->next = tree->chain[found->rank[0]];
		tree->chain[found->rank[0]] = i;
	}
}
