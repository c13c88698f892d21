/*
 * floors.c
 *		What a set of shipments costs at the least, line by line.
 *
 * Guarantee: src_floor_line never exceeds the unrounded cost of its line, shared
 * or not: there a line is alone with the stock.
 */
#include "cost.h"

static bool
share_node(const SrcSearch *search, const int32_t *cand, int32_t n)
{
	int32_t		i;
	int32_t		j;

	for (i = 1; i < n; i++)
		for (j = 0; j < i; j++)
			if (search->cand[cand[i]].node == search->cand[cand[j]].node)
				return true;
	return false;
}

/* floor of a line, with shipments that are all of different nodes */
static inline int64_t
floor_apart(const SrcSearch *search, const int32_t *cand, int32_t n, int32_t line)
{
	const SrcLineInfo *info = &search->lines[line];
	int64_t		whole = search->problem->lines[line].quantity;
	int64_t		left = whole;
	int64_t		cost = 0;
	const SrcOption *order[SRC_PLAN_SHIPMENTS];
	int32_t		norder = 0;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < n; i++)
	{
		const SrcOption *option = &search->cand[cand[i]].options[line];

		if (option->gain == 0)
			continue;
		for (j = norder++; j > 0 && order[j - 1]->cost > option->cost; j--)
			order[j] = order[j - 1];
		order[j] = option;
	}
	for (i = 0; i < norder; i++)
	{
		if (order[i]->avail >= left)
			return cost + (left == whole ? order[i]->cost :
						   src_floor_part(order[i]->cost, left, whole));
		left -= order[i]->avail;
		cost += order[i]->part;
	}
	return cost + src_floor_part(info->unserved, left, whole);
}

/* the same of a node's that share its stock */
static int64_t
floor_shared(const SrcSearch *search, const int32_t *cand, int32_t n, int32_t line)
{
	const SrcLineInfo *info = &search->lines[line];
	int64_t		whole = search->problem->lines[line].quantity;
	int64_t		left = whole;
	int64_t		cost = 0;
	const SrcOption *order[SRC_PLAN_SHIPMENTS];
	int32_t		which[SRC_PLAN_SHIPMENTS];
	int64_t		used[SRC_PLAN_SHIPMENTS];
	int32_t		norder = 0;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < n; i++)
	{
		const SrcOption *option = &search->cand[cand[i]].options[line];

		used[i] = 0;
		if (option->cost >= info->unserved)
			continue;
		for (j = norder++; j > 0 && order[j - 1]->cost > option->cost; j--)
		{
			order[j] = order[j - 1];
			which[j] = which[j - 1];
		}
		order[j] = option;
		which[j] = i;
	}
	for (i = 0; i < norder && left > 0; i++)
	{
		int64_t		take = src_room_for(search, cand, n, line, used, which[i]);

		if (take > left)
			take = left;
		used[which[i]] = take;
		left -= take;
		cost += src_floor_part(order[i]->cost, take, whole);
	}
	return cost + src_floor_part(info->unserved, left, whole);
}

/*
 * Floor of the cost of one line, served as well as the shipments of the set
 * allow while nobody else takes its stock.
 */
int64_t
src_floor_line(const SrcSearch *search, const int32_t *cand, int32_t n,
			   int32_t line)
{
	return share_node(search, cand, n) ? floor_shared(search, cand, n, line) :
		floor_apart(search, cand, n, line);
}

/*
 * The sum of that over all lines; if it is above "most" something else that
 * is may be returned.
 */
int64_t
src_floor_lines(const SrcSearch *search, const int32_t *cand, int32_t n, int64_t most)
{
	bool		sharing = share_node(search, cand, n);
	int64_t		sum = 0;
	int64_t		rest = search->best_lines - (int64_t) (n + 2) * search->nlines;
	int32_t		i;

	for (i = 0; i < search->nlines; i++)
	{
		sum += sharing ? floor_shared(search, cand, n, i) : floor_apart(search, cand, n, i);

		/* rounding of parts may bring a line below the best there is */
		rest -= search->lines[i].best - (n + 2);
		if (sum + rest > most && i + 1 < search->nlines)
			return sum + rest;
	}
	return sum;
}
