/*
 * record_pass.c
 *		A recorded decision made again: one pass of the search, or two.
 *
 * A second pass, for what soft constraints left unserved, was searched and is
 * recorded on its own, from what the first plan leaves of availability and
 * room.  The two are joined here as they were joined then.
 */
#include "orders/record.h"
#include "orders/problem.h"

#include "base/quantity.h"

/* The number of a name among others, or -1. */
static int
find_name(const char **names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

/* The number of a line of the second pass in the first, or -1. */
static int
find_line(const DecisionRecord *d, int which)
{
	for (int k = 0; k < d->search->problem.nlines; k++)
	{
		/* a line that is served in two ways is searched for in its own */
		if (d->problem_lines[k] == which && d->substitutes[k].item == NULL)
			return k;
	}
	return -1;
}

/*
 * Number what the second pass speaks of as the first one does; nodes and lanes
 * that only the second one read come after those of the first.  False if the
 * two are not of one decision.
 */
bool
record_join_passes(DecisionRecord *d)
{
	DecisionRecord *s = d->second;
	const SrcProblem *b = &s->search->problem;
	SrcProblem *a = &d->search->problem;
	int			nnodes = a->nnodes;
	int			nlanes = a->nlanes;
	SrcLane    *lanes = palloc(sizeof(SrcLane) * (nlanes + b->nlanes + 1));

	d->nodes = repalloc(d->nodes, sizeof(char *) * (nnodes + b->nnodes + 1));
	d->services = repalloc(d->services, sizeof(char *) * (nlanes + b->nlanes + 1));
	if (nlanes > 0)
		memcpy(lanes, a->lanes, sizeof(SrcLane) * nlanes);
	s->line_map = palloc(sizeof(int) * Max(b->nlines, 1));
	s->node_map = palloc(sizeof(int) * Max(b->nnodes, 1));
	s->lane_map = palloc(sizeof(int) * Max(b->nlanes, 1));
	for (int i = 0; i < b->nlines; i++)
	{
		s->line_map[i] = find_line(d, s->problem_lines[i]);
		if (s->line_map[i] < 0)
			return false;
	}
	for (int i = 0; i < b->nnodes; i++)
	{
		s->node_map[i] = find_name(d->nodes, a->nnodes, s->nodes[i]);
		if (s->node_map[i] >= 0)
			continue;
		s->node_map[i] = nnodes;
		d->nodes[nnodes++] = s->nodes[i];
	}
	for (int i = 0; i < b->nlanes; i++)
	{
		int			node = s->node_map[b->lanes[i].node];

		s->lane_map[i] = nlanes;
		for (int k = 0; k < a->nlanes; k++)
		{
			if (lanes[k].node == node && strcmp(d->services[k], s->services[i]) == 0)
				s->lane_map[i] = k;
		}
		if (s->lane_map[i] < nlanes)
			continue;
		lanes[nlanes] = b->lanes[i];
		lanes[nlanes].node = node;
		d->services[nlanes++] = s->services[i];
	}
	a->lanes = lanes;
	return true;
}

/*
 * Make the decision again: the first pass in *r, its best plan with that of
 * the second pass added.  True if both came to what they came to then.
 */
bool
record_search(const DecisionRecord *d, SrcResult *r)
{
	const SrcUnpacked *search = d->search;
	bool		same;

	plan_search(&search->problem, r);
	same = search->missing == 0 && r->best.total == search->total &&
		src_fingerprint(&r->best, search->problem.nlines, NULL, NULL) == search->fingerprint;
	if (d->second != NULL)
	{
		const DecisionRecord *s = d->second;
		SrcResult	second;

		same &= record_search(s, &second);
		plans_join(&r->best, &second.best, s->line_map, s->node_map, s->lane_map, search->problem.split_penalty);
	}
	return same;
}

/* Whether both passes were proved, and by how much they could be cheaper at most. */
bool
record_is_exact(const DecisionRecord *d, int64 *gap)
{
	bool		exact = d->search->exact;

	*gap = exact ? 0 : d->search->gap;
	if (d->second != NULL && !d->second->search->exact)
	{
		exact = false;
		*gap = scaled_add(*gap, d->second->search->gap);
	}
	return exact;
}
