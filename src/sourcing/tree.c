/*
 * tree.c
 *		The exhaustive search over sets of shipments.
 *
 * Guarantees:
 *
 *	- unless work_limit stops it, src_tree leaves no set of up to "exhaustive"
 *	  candidates unconsidered: it is evaluated, or a proof says that it does
 *	  not cost less than the plan in hand, and loses the tie if it costs as much;
 *	- if stopped, open_bound is not above the cost of anything left out;
 *	- the same candidates are visited in the same order everywhere.
 *
 * Why the bounds hold.  The value of a set is what it saves against serving
 * nothing, each line by itself: at most the sum of its candidates' gains, and
 * at most what any set saves on the line; less what its shipments cost empty.
 * Where the candidates of a set are known it saves no more on a line than the
 * best of them would if it had plenty.  Rules and lines that share stock only
 * add to the cost, so the bounds hold with them, too.  sites.c finds the sets
 * whose value is of interest; only those are met here.
 *
 * The order in which sets are met decides which plan becomes the next best
 * one, so it is fixed: by the first rank (of those that gain on a line without
 * which no set is of interest, if there is one); pairs before triples, by the
 * second rank; triples by what the second adds to the first, then the third,
 * in classes (sort_partners).  Savings are submodular: a candidate adds the
 * less the more is already there.  So with values V of sets,
 *
 *		V(abc) <= V(ab) + V(ac) - V(a)
 *
 * and partners that add too little to the first can be left out of that order.
 *
 * Values are kept in 32 bits, in units of 2^shift ten-thousandths, gains
 * rounded up and costs down: they stay bounds, and the loops that matter are
 * over arrays of them.
 */
#include <string.h>

#include "tree.h"

#define CLASSES			128
#define NO_THREES		(-2)
#define WORTHLESS		INT32_MIN	/* value of a set that is never of interest again */

/* the least value that a set must have to be of interest */
int32_t
tree_threshold(const Tree *tree)
{
	int64_t		least = src_add(tree->root - tree->search->slack, -tree->search->best.total);

	/* no value reaches the upper end; sums of a few values fit beside both */
	least >>= tree->shift;
	if (least < -((int64_t) 1 << (VALUE_BITS + 2)))
		return -((int32_t) 1 << (VALUE_BITS + 2));
	return least > ((int64_t) 1 << (VALUE_BITS + 1)) ?
		(int32_t) 1 << (VALUE_BITS + 1) : (int32_t) least;
}

/* values of the pairs of "a" */
static const int32_t *
pair_row(Tree *tree, int32_t a)
{
	const int32_t *mine = tree_row(tree, a);
	int32_t		i;
	int32_t		j;

	for (i = 0; i < tree->n; i++)
	{
		const int32_t *theirs = tree_row(tree, i);
		int32_t		value = -tree->fixed[a] - tree->fixed[i] - tree->split;

		for (j = 0; j < tree->nlines; j++)
		{
			int32_t		both = mine[j] + theirs[j];

			value += both < tree->most[j] ? both : tree->most[j];
		}
		tree->row[i] = value;
	}
	src_work(tree->search, tree->n / 16 + 1);
	return tree->row;
}

/*
 * The floor of a set whose value is of interest.  False if the set cannot be
 * better than the plan in hand; "tie": unless that gets cheaper.
 */
static bool
of_interest(const Tree *tree, const int32_t *set, int32_t n, int32_t value,
			int64_t *floor, bool *tie)
{
	const SrcSearch *search = tree->search;
	int64_t		best = search->best.total;
	int64_t		sum = src_split_floor(search) * (n - 1);
	int32_t		i;

	*tie = tree->root - (int64_t) value * ((int64_t) 1 << tree->shift) >= best;
	for (i = 0; i < n; i++)
		sum += search->cand[set[i]].fixed;
	sum += src_floor_lines(search, set, n, src_add(best, search->slack) - sum);
	*floor = sum;
	if (sum - search->slack > best)
		return false;
	*tie = (*tie || sum >= best) && src_loses_tie(search, set, n);
	return true;
}

/* all sets with "b" are done once "a" is the first */
static bool
taken(const Tree *tree, int32_t a, int32_t b)
{
	return b == a || (b < a && tree_leads(tree, b));
}

/* evaluate a set if it is of interest */
static void
consider(Tree *tree, const int32_t *ranks, int32_t n, int32_t value)
{
	int32_t		set[SRC_EXACT_SHIPMENTS];
	int64_t		floor;
	bool		tie;
	int32_t		i;

	for (i = 0; i < n; i++)
		set[i] = tree->cand[ranks[i]];
	src_work(tree->search, 1);
	if (of_interest(tree, set, n, value, &floor, &tie) && !tie)
		src_offer(tree->search, set, n, floor);
}

/*
 * Sort by what they add, roughly: by classes, whose width is returned, so that
 * none that comes later adds more than that much more.  By rank within one.
 */
static int32_t
sort_partners(Tree *tree, int32_t n)
{
	Partner    *list = tree->partners;
	int32_t		start[CLASSES + 1];
	int32_t		most = INT32_MIN;
	int32_t		least = INT32_MAX;
	int32_t		shift = 0;
	int32_t		i;

	for (i = 0; i < n; i++)
	{
		most = list[i].adds > most ? list[i].adds : most;
		least = list[i].adds < least ? list[i].adds : least;
	}
	while (n > 0 && (((int64_t) most - least) >> shift) >= CLASSES)
		shift++;
	memset(start, 0, sizeof(start));
	for (i = 0; i < n; i++)
		start[(((int64_t) most - list[i].adds) >> shift) + 1]++;
	for (i = 1; i <= CLASSES; i++)
		start[i] += start[i - 1];
	for (i = 0; i < n; i++)
		tree->sorted[start[((int64_t) most - list[i].adds) >> shift]++] = list[i];
	return (int32_t) 1 << shift;
}

/*
 * The lines on which one more shipment must save something: what the others
 * have left to save is less than "needed".  All bits if nothing suffices.
 */
static uint32_t
required_lines(const Tree *tree, const int32_t *room, int32_t needed)
{
	int32_t		sum = 0;
	uint32_t	required = 0;
	int32_t		i;

	for (i = 0; i < tree->nlines; i++)
		sum += room[i];
	if (sum < needed)
		return UINT32_MAX;
	for (i = 0; i < tree->nlines && i < MASK_LINES; i++)
		if (sum - room[i] < needed)
			required |= (uint32_t) 1 << i;
	return required;
}

/* of the lines in the mask that with the fewest candidates; -1 for none */
static int32_t
rarest_line(const Tree *tree, uint32_t lines)
{
	int32_t		rarest = -1;
	int32_t		i;

	for (i = 0; i < tree->nlines && i < MASK_LINES; i++)
		if (((lines >> i) & 1) &&
			(rarest < 0 || tree->serving[i] < tree->serving[rarest]))
			rarest = i;
	return rarest;
}

/* what is left to save on the lines with one more candidate */
static void
use_room(const Tree *tree, const int32_t *room, int32_t rank, int32_t *left)
{
	int32_t		line;

	for (line = 0; line < tree->nlines; line++)
	{
		int32_t		gain = tree_row(tree, rank)[line];

		left[line] = gain < room[line] ? room[line] - gain : 0;
	}
}

/* per line, the most that one of the partners saves, and the second */
static void
top_gains(Tree *tree, int32_t npartners)
{
	int32_t		n = tree->nlines;
	int32_t		i;
	int32_t		j;

	memset(tree->top, 0, sizeof(int32_t) * 2 * (size_t) n);
	for (i = 0; i < npartners; i++)
	{
		const int32_t *gain = tree_row(tree, tree->partners[i].rank);

		for (j = 0; j < n; j++)
		{
			int32_t		mine = gain[j];
			int32_t		best = tree->top[j];

			tree->top[j] = mine > best ? mine : best;
			mine = mine > best ? best : mine;
			tree->top[n + j] = mine > tree->top[n + j] ? mine : tree->top[n + j];
		}
	}
}

/*
 * Put the partners of "a" in their places.  Returns the line on which the
 * second of a set of three must save something, -1 without one, NO_THREES if no
 * three are of interest.
 */
static int32_t
place_partners(Tree *tree, int32_t a, int32_t npartners)
{
	uint32_t	required;
	int32_t		i;

	for (i = 0; i < tree->n; i++)
		tree->place[i] = -1;
	if (npartners < 2)
		return NO_THREES;
	sort_partners(tree, npartners);
	for (i = 0; i < npartners; i++)
		tree->place[tree->sorted[i].rank] = i;
	top_gains(tree, npartners);
	use_room(tree, tree->most, a, tree->room);
	for (i = 0; i < tree->nlines; i++)
	{
		int32_t		two = tree->top[i] + tree->top[tree->nlines + i];

		tree->room2[i] = two < tree->room[i] ? two : tree->room[i];
	}
	required = required_lines(tree, tree->room2,
							  tree_threshold(tree) - tree->value[a] + tree->split + tree->min_fixed);
	return required == UINT32_MAX ? NO_THREES : rarest_line(tree, required);
}

/*
 * The sets of three that begin with "a": by the place of the second among the
 * partners, then of the third.
 */
static void
try_threes(Tree *tree, int32_t a, int32_t npartners)
{
	int32_t		line = place_partners(tree, a, npartners);
	int32_t		n = 0;
	int32_t		i;

	if (line == NO_THREES)
		return;
	for (i = tree->chain[a]; i >= 0; i = tree->found[i].next)
		n++;
	if (n > tree->maxopen)
	{
		tree->maxopen = 2 * n;
		tree->open = src_memory(tree->search->problem, sizeof(SrcAlive), tree->maxopen);
	}
	for (n = 0, i = tree->chain[a]; i >= 0; i = tree->found[i].next)
	{
		const Found *found = &tree->found[i];
		int64_t		second = tree->place[found->rank[1]];
		int64_t		third = found->rank[2] < 0 ? -1 : tree->place[found->rank[2]];
		bool		can = line < 0 || ((tree->lines[found->rank[1]] >> line) & 1);
		bool		other = third >= 0 &&
			(line < 0 || ((tree->lines[found->rank[2]] >> line) & 1));

		/* those without a place are worth too little by now */
		if (second < 0 || third < 0)
			continue;
		if (other && (!can || third < second))
		{
			int64_t		swap = second;

			second = third;
			third = swap;
		}
		tree->open[n].net = -(second * npartners + third);
		tree->open[n++].rank = i;
	}
	src_sort_alive(tree->open, n);
	for (i = 0; i < n && !tree->search->stopped; i++)
	{
		const Found *found = &tree->found[tree->open[i].rank];

		if (found->value >= tree_threshold(tree))
			consider(tree, found->rank, 3, found->value);
	}
}

/* all sets that begin with "a", in their order */
static void
try_in_order(Tree *tree, int32_t a)
{
	const int32_t *row = pair_row(tree, a);
	int32_t		own = tree->value[a];
	int32_t		least = tree_threshold(tree);
	int32_t		adds_most = 0;
	int32_t		npartners = 0;
	int32_t		b;

	if (tree->search->exhaustive > 2)
		for (b = 0; b < tree->n; b++)
			if (!taken(tree, a, b) && row[b] - own > adds_most)
				adds_most = row[b] - own;
	for (b = 0; b < tree->n; b++)
	{
		Partner    *partner = &tree->partners[npartners];
		int32_t		ranks[2] = {a, b};

		if (row[b] + adds_most < least || taken(tree, a, b))
			continue;
		if (row[b] >= least)
		{
			consider(tree, ranks, 2, row[b]);
			least = tree_threshold(tree);
		}
		partner->adds = row[b] - own;
		partner->rank = b;
		npartners++;
	}
	if (tree->search->exhaustive > 2)
		try_threes(tree, a, npartners);
}

/*
 * What was found that begins with "a".  As a rule nothing of it is better than
 * the plan in hand, and then its order does not matter.
 */
static void
try_first(Tree *tree, int32_t a)
{
	SrcSearch  *search = tree->search;
	int32_t		least = tree_threshold(tree);
	int32_t		left = 0;
	bool		better = false;
	int32_t		set[SRC_EXACT_SHIPMENTS];
	int32_t		n = 0;
	int64_t		floor;
	int32_t		i;

	for (i = tree->chain[a]; i >= 0 && (left < 2 || !better); i = tree->found[i].next)
	{
		Found	   *found = &tree->found[i];
		int32_t		one[SRC_EXACT_SHIPMENTS];
		int32_t		size = found->rank[2] < 0 ? 2 : 3;
		int64_t		lower;
		bool		tie;
		int32_t		j;

		if (found->value < least)
			continue;
		src_work(search, 1);
		for (j = 0; j < size; j++)
			one[j] = tree->cand[found->rank[j]];
		if (!of_interest(tree, one, size, found->value, &lower, &tie))
		{
			found->value = WORTHLESS;
			continue;
		}
		left++;
		if (tie)
			continue;
		better = true;
		memcpy(set, one, sizeof(set));
		n = size;
		floor = lower;
	}
	if (!better || search->stopped)
		return;
	if (left == 1)
		src_offer(search, set, n, floor);
	else
		try_in_order(tree, a);
}

/* what the sets cost at the least that begin with "a" or a later rank */
static void
leave_open(Tree *tree, int32_t a)
{
	SrcSearch  *search = tree->search;
	int64_t		most;
	int64_t		bound;

	if (a == tree->n)
		return;
	a = tree->line >= 0 ? 0 : a;
	most = tree->later[a];
	if (tree->later[a] > tree->split)
		most += (int64_t) (search->exhaustive - 1) * (tree->later[a] - tree->split);
	bound = tree->root - most * ((int64_t) 1 << tree->shift) - search->slack;
	if (bound < search->open_bound)
		search->open_bound = bound;
}

/* the same, those that have been found one by one */
static void
leave_found(Tree *tree, int32_t a)
{
	SrcSearch  *search = tree->search;
	int32_t		i;

	for (i = 0; i < tree->nfound; i++)
	{
		const Found *found = &tree->found[i];
		int64_t		bound = tree->root - search->slack -
			(int64_t) found->value * ((int64_t) 1 << tree->shift);

		if (found->rank[0] >= a && found->value != WORTHLESS && bound < search->open_bound)
			search->open_bound = bound;
	}
	leave_open(tree, tree->high);
}

/*
 * All pairs and triples.  If some line must be served better than by nothing,
 * the first of a set is one that does so; else any may be the first.
 */
static void
try_sets(Tree *tree)
{
	SrcSearch  *search = tree->search;
	uint32_t	required;

	required = required_lines(tree, tree->most,
							  tree_threshold(tree) + 2 * tree->min_fixed + tree->split);
	if (required == UINT32_MAX)
		return;
	tree->line = rarest_line(tree, required);
	for (tree->low = 0; tree->low < tree->n; tree->low = tree->high)
	{
		int32_t		a;

		tree_find(tree);
		for (a = tree->low; a < tree->high && !search->stopped; a++)
			if (tree->chain[a] >= 0)
				try_first(tree, a);
		if (search->stopped)
		{
			/* the last one may not be done */
			leave_found(tree, a - 1);
			break;
		}
		if (tree->partial)
		{
			leave_open(tree, tree->high);
			search->stopped = true;
			break;
		}
	}
}

/*
 * Consider every set of two and up to "exhaustive" candidates.  The single
 * ones and the empty set must have been offered.
 */
void
src_tree(SrcSearch *search)
{
	Tree		tree;
	int64_t    *most;
	int64_t		lower;
	int32_t		i;

	if (search->exhaustive < 2 || search->ncand < 2)
		return;
	tree.search = search;
	tree.nlines = search->nlines;
	tree.root = 0;
	most = src_memory(search->problem, sizeof(int64_t), search->nlines);
	for (i = 0; i < search->nlines; i++)
	{
		const SrcLineInfo *info = &search->lines[i];
		int64_t		all = src_sum(info->top, search->exhaustive);

		tree.root += info->unserved;
		most[i] = all < info->unserved - info->best ? all : info->unserved - info->best;
	}

	/* most orders end here: a second shipment costs more than it could save */
	lower = tree.root - src_sum(most, search->nlines) + src_split_floor(search) +
		2 * search->cand_min_fixed - search->slack;
	if (lower > search->best.total)
		return;
	src_improve(search);
	if (lower > search->best.total)
		return;
	tree.arrival = INT32_MIN;
	if (!search->problem->one_date)
	{
		if (tree_set_up(&tree, most))
			try_sets(&tree);
		return;
	}

	/* what arrives on one day at a time */
	for (;;)
	{
		int32_t		next = INT32_MAX;

		for (i = 0; i < search->ncand; i++)
			if (search->cand[i].arrival > tree.arrival && search->cand[i].arrival < next)
				next = search->cand[i].arrival;
		if (next == INT32_MAX)
			break;
		if (search->stopped)
		{
			search->open_bound = lower < search->open_bound ? lower : search->open_bound;
			break;
		}
		tree.arrival = next;
		if (tree_set_up(&tree, most))
			try_sets(&tree);
	}
}
