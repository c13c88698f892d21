/*
 * tree.c
 *		The exhaustive search over sets of shipments.
 *
 * Guarantees:
 *
 *	- unless work_limit stops it, src_tree leaves no set of up to "exhaustive"
 *	  candidates unconsidered: it is evaluated, or a proof says that neither
 *	  it nor a superset costs less than the plan in hand;
 *	- if stopped, open_bound is not above the cost of anything left out;
 *	- the same candidates are visited in the same order everywhere.
 *
 * Why the bounds hold.  Each line by itself, what a set saves on it is
 * submodular (a weighted rank function of a polymatroid): a candidate saves
 * the less the more is already there.  So what it saves on top of a set is at
 * most what it saves on top of a part of the set, or on top of nothing; and a
 * candidate that does not improve a line now will not improve it later.  Lines
 * that share stock can only cost more than each by itself: the bounds hold for
 * them too.  But a shipment can help them without improving any line by
 * itself, so where items are shared every candidate is tried unless some line
 * must improve for the bound's sake.
 *
 * Branching is by line: choose one that must improve, try every candidate
 * that improves it, each without those tried before, and then treat the line
 * as finished, which as a rule ends the matter because something dear stays
 * unserved.
 */
#include <string.h>

#include "cost.h"

#define ANY_LINE		(-1)

/* one level of the tree: a set and what is left to try with it */
typedef struct Frame
{
	int64_t		fixed;			/* fixed costs and split penalties of the set */
	int64_t    *cost;			/* per line, floor */
	int64_t    *gap;			/* per line, what any further shipments may save */
	int64_t    *room;			/* per line, ... any number; 0 if finished */
	int64_t    *reach;			/* per line, what others may save besides one */
	int32_t		nalive;
	SrcAlive   *alive;
	int32_t    *tried;			/* ranks marked taken by this level */
} Frame;

typedef struct Tree
{
	SrcSearch  *search;
	int32_t		nlines;
	int64_t		split;
	int64_t		min_fixed;
	int64_t    *full;			/* per line: floor with any set */
	int64_t    *gain;			/* rank x line */
	int64_t    *gain_fixed;		/* per rank: fixed cost */
	int32_t    *cand;			/* per rank: the candidate */
	bool	   *taken;			/* per rank: in the set, or tried before */
	int32_t		set[SRC_EXACT_SHIPMENTS];	/* candidates */
	Frame		frames[SRC_EXACT_SHIPMENTS + 1];
} Tree;

/* what a candidate can save at the most where "room" is left on the lines */
static int64_t
saving(const int64_t *gain, const int64_t *room, int32_t nlines)
{
	int64_t		sum = 0;
	int32_t		i;

	for (i = 0; i < nlines; i++)
		sum += gain[i] < room[i] ? gain[i] : room[i];
	return sum;
}

/* the same of two together */
static int64_t
saving_both(const int64_t *gain, const int64_t *other, const int64_t *room,
			int32_t nlines)
{
	int64_t		sum = 0;
	int32_t		i;

	for (i = 0; i < nlines; i++)
	{
		int64_t		both = gain[i] + other[i];

		sum += both < room[i] ? both : room[i];
	}
	return sum;
}

/* a plan whose cost is at least "floor" less rounding cannot become the best */
static bool
hopeless(const SrcSearch *search, int64_t floor)
{
	return floor - search->slack > search->best.total;
}

/* set the frame's gaps, with "left" more shipments allowed */
static void
measure(const Tree *tree, Frame *frame, int32_t left)
{
	int32_t		i;

	for (i = 0; i < tree->nlines; i++)
	{
		int64_t		room = frame->room[i];
		int64_t		gap = src_sum(tree->search->lines[i].top, left);

		frame->gap[i] = gap < room ? gap : room;
	}
}

/*
 * The line to branch on, or -1 if none can improve.  A line that must improve
 * for the set to have a future ("required") makes all others superfluous;
 * among those the one with the fewest candidates.
 */
static int32_t
choose_line(const Tree *tree, const Frame *frame, int64_t lower,
			bool *required)
{
	int32_t		chosen = -1;
	int32_t		i;

	*required = false;
	for (i = 0; i < tree->nlines; i++)
	{
		bool		must;

		if (frame->gap[i] == 0)
			continue;
		must = hopeless(tree->search, lower + frame->gap[i]);
		if (must && (!*required || tree->search->lines[i].serving <
					 tree->search->lines[chosen].serving))
		{
			chosen = i;
			*required = true;
		}
		else if (!must && !*required &&
				 (chosen < 0 || frame->gap[i] > frame->gap[chosen]))
			chosen = i;
	}
	return chosen;
}

/*
 * List what can still become part of a plan better than the one in hand, with
 * up to "left" shipments more, out of what the level above could use.
 */
static void
list_alive(Tree *tree, Frame *frame, const SrcAlive *from, int32_t nfrom,
		   int64_t floor, int64_t split, int32_t left)
{
	int64_t		most = 0;
	int64_t		others;
	int32_t		n = 0;
	int32_t		i;

	for (i = 0; i < nfrom; i++)
	{
		int32_t		rank = from[i].rank;
		int64_t		net;

		if (tree->taken[rank])
			continue;
		net = saving(tree->gain + (size_t) rank * tree->nlines, frame->room,
					 tree->nlines) - tree->gain_fixed[rank];
		frame->alive[n].rank = rank;
		frame->alive[n].net = net;
		frame->alive[n].lines = from[i].lines;
		n++;
		if (net > most)
			most = net;
	}
	others = most > tree->split ? (most - tree->split) * (left - 1) : 0;
	frame->nalive = 0;
	for (i = 0; i < n; i++)
		if (!hopeless(tree->search,
					  floor + split - frame->alive[i].net - others))
			frame->alive[frame->nalive++] = frame->alive[i];
	src_sort_alive(frame->alive, frame->nalive);
	src_work(tree->search, n / 8 + 1);
}

/*
 * Make the level below: the set with candidate "rank" added.  Returns the
 * floor of its cost.  A line without room stays so.
 */
static int64_t
add_to_set(Tree *tree, int32_t depth, int32_t rank)
{
	const SrcSearch *search = tree->search;
	const Frame *frame = &tree->frames[depth];
	Frame	   *below = &tree->frames[depth + 1];
	const int64_t *gain = tree->gain + (size_t) rank * tree->nlines;
	int64_t		sum;
	int32_t		i;

	tree->set[depth] = tree->cand[rank];
	below->fixed = frame->fixed + tree->gain_fixed[rank] +
		(depth > 0 ? tree->split : 0);
	sum = below->fixed;
	for (i = 0; i < tree->nlines; i++)
	{
		below->cost[i] = frame->cost[i];
		if (gain[i] > 0 && frame->room[i] > 0)
			below->cost[i] = src_floor_line(search, tree->set, depth + 1, i);
		sum += below->cost[i];
		below->room[i] = frame->room[i] > 0 && below->cost[i] > tree->full[i] ?
			below->cost[i] - tree->full[i] : 0;
	}
	return sum;
}

/*
 * Everything that consists of the set above "depth", its candidate "rank" and
 * perhaps one more.  "floor" is that of the set without rank, "net" the bound
 * of what rank saves there.
 *
 * Most pairs fail a bound that is made of what each of the two saves on the
 * set, without looking at the set that contains rank: that is only made when
 * something is left that needs it.
 */
static void
last_two(Tree *tree, int32_t depth, int32_t rank, int64_t floor, int64_t net)
{
	SrcSearch  *search = tree->search;
	const Frame *frame = &tree->frames[depth];
	Frame	   *below = &tree->frames[depth + 1];
	const int64_t *gain = tree->gain + (size_t) rank * tree->nlines;
	int64_t		split = depth > 0 ? tree->split : 0;
	int64_t		without;
	int64_t		with = 0;
	int64_t		lower;
	int64_t		least;
	const SrcAlive *alive;
	const SrcAlive *end = frame->alive + frame->nalive;
	uint32_t	required = 0;
	bool		made = false;
	int32_t		i;

	if (depth > 0 && !hopeless(search, floor + split - net))
	{
		with = add_to_set(tree, depth, rank);
		made = true;
		if (!hopeless(search, with))
			src_offer(search, tree->set, depth + 1, with);
	}
	without = floor + split + tree->split;

	/* lines on which the last shipment must save something */
	lower = without + tree->gain_fixed[rank] + tree->min_fixed -
		src_sum(frame->room, tree->nlines);
	for (i = 0; i < tree->nlines && i < 32; i++)
	{
		int64_t		missing = frame->room[i] - gain[i];

		if (missing > 0 && hopeless(search, lower + missing))
			required |= (uint32_t) 1 << i;
	}

	least = without - net - search->slack - search->best.total;
	for (alive = frame->alive; alive < end; alive++)
	{
		int32_t		other = alive->rank;
		const int64_t *others;
		int64_t		last;

		/* this loop is where the time goes: cheap tests first */
		if (alive->net < least)
			return;
		if ((alive->lines & required) != required || tree->taken[other])
			continue;
		others = tree->gain + (size_t) other * tree->nlines;
		if (!src_work(search, 1))
			return;
		last = without + tree->gain_fixed[rank] + tree->gain_fixed[other] -
			saving_both(gain, others, frame->room, tree->nlines);
		if (hopeless(search, last))
			continue;
		if (!made)
		{
			with = add_to_set(tree, depth, rank);
			made = true;
		}
		last = with + tree->split + tree->gain_fixed[other] -
			saving(others, below->room, tree->nlines);
		if (hopeless(search, last))
			continue;
		last = add_to_set(tree, depth + 1, other);
		if (!hopeless(search, last))
			src_offer(search, tree->set, depth + 2, last);
	}
}

/*
 * Everything that contains the frame's set and at least one candidate more
 * (two, for the empty set: single shipments have been offered before).
 */
static void
branch(Tree *tree, int32_t depth)
{
	SrcSearch  *search = tree->search;
	Frame	   *frame = &tree->frames[depth];
	int32_t		left = search->exhaustive - depth;
	int64_t		split = depth > 0 ? tree->split : 0;
	int64_t		entry = depth > 0 ? tree->split + tree->min_fixed :
		tree->split + 2 * tree->min_fixed;
	int64_t		floor = frame->fixed + src_sum(frame->cost, tree->nlines);
	bool		listed = false;
	int32_t		ntried = 0;
	int64_t    *reach = frame->reach;
	int32_t		i;

	for (i = 0; i < tree->nlines; i++)
		reach[i] = src_sum(search->lines[i].top, left - 1);
	for (;;)
	{
		int64_t		lower;
		int64_t		others;
		bool		required;
		int32_t		line;

		measure(tree, frame, left);
		lower = floor + entry - src_sum(frame->gap, tree->nlines);
		if (hopeless(search, lower))
			break;
		if (search->stopped)
		{
			if (lower - search->slack < search->open_bound)
				search->open_bound = lower - search->slack;
			break;
		}
		line = choose_line(tree, frame, lower, &required);
		if (search->coupled && !required)
			line = ANY_LINE;
		else if (line < 0)
			break;
		if (!listed)
		{
			if (depth > 0)
				list_alive(tree, frame, tree->frames[depth - 1].alive,
						   tree->frames[depth - 1].nalive, floor, split, left);
			else
				list_alive(tree, frame, frame->alive, frame->nalive, floor,
						   split, left);
			listed = true;
		}
		others = frame->nalive > 0 && frame->alive[0].net > tree->split ?
			(frame->alive[0].net - tree->split) * (left - 1) : 0;

		for (i = 0; i < frame->nalive && !search->stopped; i++)
		{
			int32_t		rank = frame->alive[i].rank;
			const int64_t *gain = tree->gain + (size_t) rank * tree->nlines;
			int64_t		net = frame->alive[i].net;
			int64_t		with;

			if (hopeless(search, floor + split - net - others))
				break;
			if (tree->taken[rank] || (line != ANY_LINE && gain[line] == 0))
				continue;

			/* taken also if hopeless: then all that contains it is */
			tree->taken[rank] = true;
			frame->tried[ntried++] = rank;
			with = floor + split - net;
			if (hopeless(search, with))
			{
				/* what it can save with the help of others */
				with = floor + split + tree->gain_fixed[rank] +
					tree->split + tree->min_fixed -
					saving_both(gain, reach, frame->room, tree->nlines);
				if (hopeless(search, with))
					continue;
			}
			src_work(search, 1);
			if (left == 2)
			{
				last_two(tree, depth, rank, floor, net);
				continue;
			}
			with = add_to_set(tree, depth, rank);
			if (depth > 0 && !hopeless(search, with))
				src_offer(search, tree->set, depth + 1, with);
			branch(tree, depth + 1);
		}
		if (search->stopped)
			continue;			/* to note what is left open */
		if (line == ANY_LINE)
			break;
		frame->room[line] = 0;	/* nothing is left that improves it */
	}
	for (i = 0; i < ntried; i++)
		tree->taken[frame->tried[i]] = false;
}

/*
 * Consider every set of two and up to "exhaustive" candidates.  The single
 * ones and the empty set must have been offered.
 */
void
src_tree(SrcSearch *search)
{
	Tree		tree;
	Frame	   *root = &tree.frames[0];
	int32_t		nlines = search->nlines;
	int32_t		n = search->ncand;
	int64_t		lower;
	int32_t		i;
	int32_t		j;

	if (search->exhaustive < 2 || n < 2)
		return;
	tree.search = search;
	tree.nlines = nlines;
	tree.split = src_split_floor(search);
	tree.min_fixed = search->cand_min_fixed;
	tree.full = src_memory(search->problem, sizeof(int64_t), nlines);
	for (i = 0; i < nlines; i++)
	{
		const SrcLineInfo *info = &search->lines[i];

		tree.full[i] = info->unserved - src_sum(info->top, search->exhaustive);
		if (tree.full[i] < info->best)
			tree.full[i] = info->best;
	}

	/* most orders end here: a second shipment costs more than it could save */
	lower = tree.split + 2 * tree.min_fixed + src_sum(tree.full, nlines);
	if (hopeless(search, lower))
		return;
	src_improve(search);
	if (hopeless(search, lower))
		return;

	tree.gain = src_memory(search->problem, sizeof(int64_t), (int64_t) n * nlines);
	tree.gain_fixed = src_memory(search->problem, sizeof(int64_t), n);
	tree.cand = src_memory(search->problem, sizeof(int32_t), n);
	tree.taken = src_memory(search->problem, sizeof(bool), n);
	for (i = 0; i <= search->exhaustive; i++)
	{
		Frame	   *frame = &tree.frames[i];

		frame->cost = src_memory(search->problem, sizeof(int64_t), nlines);
		frame->gap = src_memory(search->problem, sizeof(int64_t), nlines);
		frame->room = src_memory(search->problem, sizeof(int64_t), nlines);
		frame->reach = src_memory(search->problem, sizeof(int64_t), nlines);
		frame->nalive = 0;
		frame->alive = src_memory(search->problem, sizeof(SrcAlive), n);
		frame->tried = src_memory(search->problem, sizeof(int32_t), n);
	}

	root->fixed = 0;
	for (i = 0; i < nlines; i++)
	{
		root->cost[i] = search->lines[i].unserved;	/* NOLINT: a frame for each depth was made */
		root->room[i] = root->cost[i] - tree.full[i];
	}
	for (i = 0; i < n; i++)
	{
		const SrcCandidate *cand = &search->cand[i];

		root->alive[i].rank = i;	/* NOLINT: likewise */
		root->alive[i].net = cand->gain - cand->fixed;
		root->alive[i].lines = 0;
		for (j = 0; j < nlines && j < 32; j++)
			if (cand->options[j].gain > 0)
				root->alive[i].lines |= (uint32_t) 1 << j;
	}
	src_sort_alive(root->alive, n);
	for (i = 0; i < n; i++)
	{
		int32_t		which = root->alive[i].rank;
		const SrcCandidate *cand = &search->cand[which];

		tree.cand[i] = which;
		tree.gain_fixed[i] = cand->fixed;
		tree.taken[i] = false;
		for (j = 0; j < nlines; j++)
			tree.gain[(size_t) i * nlines + j] = cand->options[j].gain;
		root->alive[i].rank = i;
	}
	root->nalive = n;
	branch(&tree, 0);
}
