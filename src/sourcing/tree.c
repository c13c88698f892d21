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
 * Savings so defined are submodular: a candidate adds the less the more is
 * already there.  So with values V of sets,
 *
 *		V(abc) <= V(ab) + V(ac) - V(a)
 *
 * and most triples fail by values of pairs.  A line that must be served better
 * than the rest of the set can, for the set to be of interest, leaves only the
 * candidates that do so.  Where the candidates of a set are known it saves no
 * more on a line than the best of them would if it had plenty.  Rules and lines
 * that share stock only add to the cost, so the bounds hold with them, too.
 *
 * Values are kept in 32 bits, in units of 2^shift ten-thousandths, gains
 * rounded up and costs down: they stay bounds, and the loops that matter are
 * over arrays of them.
 */
#include <string.h>

#include "tree.h"

#define NOT_DONE		((uint32_t) 1 << 31)	/* beside the lines: triples with it are left */
#define CLASSES			128

/* gcc does not vectorize such loops at -O2 */
#if defined(__GNUC__) && !defined(__clang__)
#define VECTORIZED __attribute__((optimize("O3")))
#else
#define VECTORIZED
#endif

/* the least value that a set must have to be of interest */
static int32_t
threshold(const Tree *tree)
{
	int64_t		least = tree->root - tree->search->slack - tree->search->best.total;

	/* no value reaches the upper end; sums of a few values fit beside both */
	least >>= tree->shift;
	if (least < -((int64_t) 1 << (VALUE_BITS + 2)))
		return -((int32_t) 1 << (VALUE_BITS + 2));
	return least > ((int64_t) 1 << (VALUE_BITS + 1)) ?
		(int32_t) 1 << (VALUE_BITS + 1) : (int32_t) least;
}

/* what the pairs of "a" and every other rank save together, before costs */
VECTORIZED static void
save_in_pairs(const Tree *tree, int32_t a, int32_t *restrict sum)
{
	int32_t		width = tree->width;
	int32_t		line;
	int32_t		i;

	memset(sum, 0, sizeof(int32_t) * (size_t) width);
	for (line = 0; line < tree->nlines; line++)
	{
		const int32_t *restrict gain = tree->gain + (size_t) line * (size_t) width;
		int32_t		own = gain[a];
		int32_t		most = tree->most[line];

		for (i = 0; i < width; i++)
		{
			int32_t		both = own + gain[i];

			sum[i] += both < most ? both : most;
		}
	}
}

/* values of the pairs of "a" */
static const int32_t *
pair_row(Tree *tree, int32_t a)
{
	int32_t    *row = tree->row;
	int32_t		i;

	save_in_pairs(tree, a, row);
	for (i = 0; i < tree->n; i++)
		row[i] -= tree->fixed[a] + tree->fixed[i] + tree->split;
	src_work(tree->search, tree->n / 16 + 1);
	return row;
}

/* savings and heights of two together, for value_with */
static void
join(Tree *tree, int32_t a, int32_t b)
{
	const int32_t *mine = tree->both + (size_t) a * (size_t) tree->stride;
	const int32_t *theirs = tree->both + (size_t) b * (size_t) tree->stride;
	int32_t		half = tree->stride / 2;
	int32_t		i;

	for (i = 0; i < half; i++)
	{
		tree->joint[i] = mine[i] + theirs[i];
		tree->joint[half + i] = mine[half + i] > theirs[half + i] ? mine[half + i] : theirs[half + i];
	}
}

/* what two that have been joined and a third save, before costs */
VECTORIZED static int32_t
saving_with(const Tree *tree, int32_t c)
{
	int32_t		half = tree->stride / 2;
	const int32_t *restrict gain = tree->both + (size_t) c * (size_t) tree->stride;
	const int32_t *restrict height = gain + half;
	const int32_t *restrict joint = tree->joint;
	const int32_t *restrict tallest = tree->joint + half;
	int32_t		sum = 0;
	int32_t		i;
	int32_t		k;

	for (i = 0; i < half; i += 4)
		for (k = 0; k < 4; k++)
		{
			int32_t		all = joint[i + k] + gain[i + k];
			int32_t		most = height[i + k] > tallest[i + k] ? height[i + k] : tallest[i + k];

			sum += all < most ? all : most;
		}
	return sum;
}

/* evaluate a set whose value is of interest, if its floor is, too */
static void
consider(Tree *tree, const int32_t *ranks, int32_t n, int32_t value)
{
	SrcSearch  *search = tree->search;
	int32_t		set[SRC_EXACT_SHIPMENTS];
	int64_t		floor = tree->root - (int64_t) value * ((int64_t) 1 << tree->shift);
	int32_t		i;

	for (i = 0; i < n; i++)
		set[i] = tree->cand[ranks[i]];
	src_work(search, 1);
	if (floor >= search->best.total && src_loses_tie(search, set, n))
		return;
	floor = src_split_floor(search) * (n - 1);
	for (i = 0; i < n; i++)
		floor += search->cand[set[i]].fixed;
	for (i = 0; i < search->nlines; i++)
		floor += src_floor_line(search, set, n, i);
	if (floor - search->slack > search->best.total ||
		(floor >= search->best.total && src_loses_tie(search, set, n)))
		return;
	src_offer(search, set, n, floor);
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
		int32_t		gain = tree->both[(size_t) rank * (size_t) tree->stride + line];

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
		const int32_t *gain = tree->both +
			(size_t) tree->partners[i].rank * (size_t) tree->stride;

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

/* all triples of "a" and two of its partners, which are sorted */
static void
try_triples(Tree *tree, int32_t a, int32_t npartners)
{
	Partner    *list = tree->sorted;
	int32_t    *passed = tree->passed;
	int32_t		width = sort_partners(tree, npartners);
	int32_t		own = tree->value[a];
	int32_t		entry = tree->split + tree->min_fixed;
	uint32_t	required;
	int32_t		line;
	int32_t		i;
	int32_t		j;

	if (npartners < 2)
		return;
	top_gains(tree, npartners);
	use_room(tree, tree->most, a, tree->room);
	for (i = 0; i < tree->nlines; i++)
	{
		int32_t		two = tree->top[i] + tree->top[tree->nlines + i];

		tree->room2[i] = two < tree->room[i] ? two : tree->room[i];
	}
	required = required_lines(tree, tree->room2, threshold(tree) - own + entry);
	if (required == UINT32_MAX)
		return;
	line = rarest_line(tree, required);
	for (i = 0; i < npartners && !tree->search->stopped; i++)
	{
		int32_t		least = threshold(tree);
		int32_t		b = list[i].rank;
		int32_t		needed = least - own - list[i].adds;
		int32_t		empty;

		int32_t		npassed = 0;

		if (line < 0 && list[i].adds < needed - width)
			break;
		if (line >= 0 && !((list[i].lines >> line) & 1))
			continue;
		list[i].lines &= ~NOT_DONE;
		use_room(tree, tree->room, b, tree->room2);
		for (j = 0; j < tree->nlines; j++)
			if (tree->top[j] < tree->room2[j])
				tree->room2[j] = tree->top[j];
		required = required_lines(tree, tree->room2, needed + entry);
		if (required == UINT32_MAX)
			continue;
		join(tree, a, b);
		empty = tree->fixed[a] + tree->fixed[b] + 2 * tree->split;

		/* most fail here, in no foreseeable order: without branches */
		required |= NOT_DONE;
		for (j = line < 0 ? i + 1 : 0; j < npartners && list[j].adds >= needed - width; j++)
		{
			passed[npassed] = list[j].rank;
			npassed += (list[j].lines & required) == required;
		}
		src_work(tree->search, j / 16 + 1);
		for (j = 0; j < npassed; j++)
		{
			int32_t		ranks[3] = {a, b, passed[j]};
			int32_t		value;

			value = saving_with(tree, passed[j]) - empty - tree->fixed[passed[j]];
			if (value < least)
				continue;
			consider(tree, ranks, 3, value);
			least = threshold(tree);
		}
	}
}

/* what sets without the ranks before "a" cost at the least */
static void
leave_open(Tree *tree, int32_t a)
{
	SrcSearch  *search = tree->search;
	int64_t		most = tree->later[a];
	int64_t		bound;

	if (tree->later[a] > tree->split)
		most += (int64_t) (search->exhaustive - 1) * (tree->later[a] - tree->split);
	bound = tree->root - most * ((int64_t) 1 << tree->shift) - search->slack;
	if (bound < search->open_bound)
		search->open_bound = bound;
}

/* all pairs and triples of "a" and ranks that are not taken */
static void
try_with(Tree *tree, int32_t a)
{
	const int32_t *row = pair_row(tree, a);
	int32_t		own = tree->value[a];
	int32_t		least = threshold(tree);
	int32_t		adds_most = 0;
	int32_t		npartners = 0;
	int32_t		b;

	if (tree->search->exhaustive > 2)
		for (b = 0; b < tree->n; b++)
			if (!tree->taken[b] && row[b] - own > adds_most)
				adds_most = row[b] - own;
	for (b = 0; b < tree->n; b++)
	{
		Partner    *partner = &tree->partners[npartners];
		int32_t		ranks[2] = {a, b};

		if (row[b] + adds_most < least || tree->taken[b])
			continue;
		if (row[b] >= least)
		{
			consider(tree, ranks, 2, row[b]);
			least = threshold(tree);
		}
		partner->adds = row[b] - own;
		partner->rank = b;
		partner->lines = tree->lines[b] | NOT_DONE;
		npartners++;
	}
	if (tree->search->exhaustive < 3)
		return;
	try_triples(tree, a, npartners);
}

/*
 * All pairs and triples.  If some line must be served better than by nothing,
 * by candidates that do so; else by the best candidate among them.
 */
static void
try_sets(Tree *tree)
{
	SrcSearch  *search = tree->search;
	bool		third = search->exhaustive > 2;
	int32_t		line;
	uint32_t	required;
	int32_t		a;

	required = required_lines(tree, tree->most,
							  threshold(tree) + 2 * tree->min_fixed + tree->split);
	if (required == UINT32_MAX)
		return;
	line = rarest_line(tree, required);
	for (a = 0; a < tree->n; a++)
	{
		int32_t		next = tree->later[line >= 0 || a == tree->n - 1 ? 0 : a + 1] - tree->split;

		if (line >= 0 && !((tree->lines[a] >> line) & 1))
			continue;
		if ((int64_t) tree->later[a] + next + (next > 0 && third ? next : 0) < threshold(tree))
			break;
		if (!search->stopped)
		{
			tree->taken[a] = true;
			try_with(tree, a);
		}
		if (search->stopped)
		{
			leave_open(tree, line >= 0 ? 0 : a);
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
