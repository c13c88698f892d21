/*
 * plan.c
 *		The search for the cheapest plan: which nodes are read, and the answer.
 *
 * Guarantees, beyond those of plan.h:
 *
 *	- nodes are read in ascending order of their bound, ties by input order,
 *	  and only while the next bound is not above the plan in hand;
 *	- "best" is the optimum of all sets of up to SRC_EXACT_SHIPMENTS shipments
 *	  before rounding; what rounding adds or takes (half a ten-thousandth per
 *	  amount) decides only between plans that are that close;
 *	- nothing is kept between calls, and all memory is the caller's, so the
 *	  callbacks may jump out at any time.
 *
 * Amounts and weights must not be negative.
 */
#include <limits.h>
#include <string.h>

#include "cost.h"

#define FIRST_CANDIDATES	64

/* nodes that are not read yet, a heap by bound and number */
typedef struct NodeQueue
{
	int32_t		n;
	int32_t    *node;
	bool	   *refined;		/* per node: its bound knows the calendars */
	const SrcNodeResult *results;
} NodeQueue;

static bool
reads_before(const NodeQueue *queue, int32_t a, int32_t b)
{
	int64_t		mine = queue->results[a].bound;
	int64_t		theirs = queue->results[b].bound;

	return mine < theirs || (mine == theirs && a < b);
}

static void
queue_settle(NodeQueue *queue, int32_t at)
{
	int32_t		moving = queue->node[at];

	for (;;)
	{
		int32_t		child = 2 * at + 1;

		if (child >= queue->n)
			break;
		if (child + 1 < queue->n &&
			reads_before(queue, queue->node[child + 1], queue->node[child]))
			child++;
		if (!reads_before(queue, queue->node[child], moving))
			break;
		queue->node[at] = queue->node[child];
		at = child;
	}
	queue->node[at] = moving;
}

/* bound of the best node not read; INT64_MAX if there is none of any use */
static int64_t
queue_bound(const NodeQueue *queue)
{
	return queue->n > 0 ? queue->results[queue->node[0]].bound : INT64_MAX;
}

/* the same with the nodes that the caller has left out */
static int64_t
unread_bound(const NodeQueue *queue, const SrcProblem *problem)
{
	int64_t		bound = queue_bound(queue);

	return problem->read_order != NULL && problem->unread_bound < bound ?
		problem->unread_bound : bound;
}

static int32_t
queue_pop(NodeQueue *queue)
{
	int32_t		node = queue->node[0];

	queue->node[0] = queue->node[--queue->n];
	if (queue->n > 0)
		queue_settle(queue, 0);
	return node;
}

/* the first node's bound has to know the calendars before it counts */
static void
queue_refine(NodeQueue *queue, SrcSearch *search, SrcNodeResult *results)
{
	while (search->calendars && queue->n > 0 && !queue->refined[queue->node[0]] &&
		   queue_bound(queue) <= search->best.total)
	{
		int32_t		node = queue->node[0];

		queue->refined[node] = true;
		if (!src_refine_bound(search, node, &results[node]))
			continue;
		if (results[node].bound == INT64_MAX)
			(void) queue_pop(queue);
		else
			queue_settle(queue, 0);
	}
}

static void
set_up(SrcSearch *search, const SrcProblem *problem)
{
	int64_t		shipments = problem->max_shipments;
	int64_t		nlines = problem->nlines;
	int32_t		i;

	memset(search, 0, offsetof(SrcSearch, best));
	search->problem = problem;
	search->nlines = problem->nlines;
	if (shipments > SRC_PLAN_SHIPMENTS)
		shipments = SRC_PLAN_SHIPMENTS;
	if (shipments < 0)
		shipments = 0;
	search->exhaustive = (int32_t) (shipments < SRC_EXACT_SHIPMENTS ?
									shipments : SRC_EXACT_SHIPMENTS);
	search->amount_limit = ((int64_t) 1 << 60) /
		(nlines + SRC_PLAN_SHIPMENTS + 8);
	search->lines = src_memory(problem, sizeof(SrcLineInfo), nlines);
	search->item_number = src_memory(problem, sizeof(int32_t), nlines);
	src_set_up_lines(search);
	search->cand_min_fixed = search->amount_limit;
	search->maxcand = FIRST_CANDIDATES;
	search->cand = src_memory(problem, sizeof(SrcCandidate), search->maxcand);
	search->net = src_memory(problem, sizeof(int64_t), search->maxcand);
	search->profile = src_memory(problem, sizeof(SrcProfile), search->nitems);
	search->step = src_memory(problem, sizeof(int32_t), search->nitems);
	search->from = src_memory(problem, sizeof(int32_t), nlines);
	search->cut_bound = INT64_MAX;
	if (problem->one_date)
	{
		search->profiles = src_memory(problem, sizeof(SrcProfile *), problem->nnodes);
		search->resume = src_memory(problem, sizeof(int32_t), problem->nlanes);
		for (i = 0; i < problem->nlanes; i++)
			search->resume[i] = CALENDAR_NEVER;
	}
	search->quantity = src_memory(problem, sizeof(int64_t), nlines * shipments);
	if (search->coupled || problem->room != NULL)
	{
		search->quantity2 = src_memory(problem, sizeof(int64_t),
									   nlines * shipments);
		search->used = src_memory(problem, sizeof(int64_t),
								  search->nitems * shipments);
	}
	search->room = src_memory(problem, sizeof(int64_t), nlines);
	search->service = src_memory(problem, sizeof(SrcService), nlines);
	search->floors = src_memory(problem, sizeof(int64_t), nlines);
	search->rough.with = search->rough.rows = NULL;
	search->rough.nrows = search->rough.maxrows = 0;
	search->has_next = false;
	search->work = 0;
	search->next_interrupt = 1000;
	search->stopped = false;
	search->open_bound = INT64_MAX;
}

/* the plan of nothing, which every other one must beat */
static void
offer_nothing(SrcSearch *search)
{
	SrcFigures	figures;

	src_relax(search, NULL, 0, &figures);
	search->best.n = 0;
	search->best.arrival = INT32_MIN;
	search->best.total = figures.total;
	search->best.divided = search->next.divided = false;
	search->best.quantity = search->next.quantity = NULL;
}

/* read a node, offer its shipments singly, and what grows from its best */
static void
try_node(SrcSearch *search, int32_t node, SrcNodeResult *results,
		 NodeQueue *queue, bool last)
{
	const SrcProblem *problem = search->problem;
	int32_t		start = search->ncand;
	int32_t		seed = -1;
	int32_t		i;

	src_read_node(search, node, &results[node]);
	for (i = start; i < search->ncand; i++)
	{
		const SrcCandidate *cand = &search->cand[i];

		src_offer_alone(search, i);
		if (seed < 0 || cand->gain - cand->fixed >
			search->cand[seed].gain - search->cand[seed].fixed)
			seed = i;
	}

	/*
	 * A better plan only helps if otherwise more would be read.  Where the
	 * order is given more was read after all nodes but the last.
	 */
	queue_refine(queue, search, results);
	if (seed >= 0 && search->exhaustive > 1 &&
		((problem->read_order != NULL && !last) ||
		 unread_bound(queue, problem) <= search->best.total))
		src_greedy(search, seed);
}

/* read while a node that is not read yet may lead to a better plan */
static void
read_best_first(SrcSearch *search, SrcResult *result, NodeQueue *queue)
{
	for (;;)
	{
		int32_t		node;

		queue_refine(queue, search, result->nodes);
		if (search->exhaustive == 0 || queue->n == 0 ||
			queue_bound(queue) > search->best.total)
			break;
		node = queue_pop(queue);
		try_node(search, node, result->nodes, queue, false);
		result->read_order[result->nodes_read++] = node;
	}
}

/* read the nodes that the caller names; the queue is left with the others */
static void
read_as_told(SrcSearch *search, SrcResult *result, NodeQueue *queue)
{
	const SrcProblem *problem = search->problem;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < problem->nread && search->exhaustive > 0; i++)
	{
		int32_t		node = problem->read_order[i];

		if (result->nodes[node].read)
			continue;
		for (j = 0; j < queue->n; j++)
			if (queue->node[j] == node)
				break;
		if (j < queue->n)
		{
			queue->node[j] = queue->node[--queue->n];
			for (j = queue->n / 2 - 1; j >= 0; j--)
				queue_settle(queue, j);
		}
		try_node(search, node, result->nodes, queue, i == problem->nread - 1);
		result->read_order[result->nodes_read++] = node;
	}
	queue_refine(queue, search, result->nodes);
}

/*
 * A bound for all plans when best is not proven: of the exhaustive part what
 * was left open; of plans with more shipments the fixed costs of so many, and
 * every line served at its cheapest; of days that were not tried, what plans
 * with them cost at the least.
 */
static int64_t
lower_bound(const SrcSearch *search, const SrcResult *result,
			int64_t exhausted)
{
	const SrcProblem *problem = search->problem;
	int64_t		lower = exhausted < search->open_bound ?
		exhausted : search->open_bound;
	int32_t		i;

	if (search->cut_bound < lower)
		lower = search->cut_bound;
	if (problem->max_shipments > search->exhaustive)
	{
		int64_t		ship_slack = src_slack(search, 2) - src_slack(search, 1) + 1;
		int64_t		many = search->exhaustive + 1;
		int64_t		sum;

		if (search->cand_min_fixed < ship_slack)
			many = problem->max_shipments;
		sum = (search->exhaustive + 1) * search->cand_min_fixed -
			src_slack(search, many);
		for (i = 0; i < search->exhaustive; i++)
			sum = src_add(sum, problem->split_penalty);
		for (i = 0; i < search->nlines; i++)
			sum = src_add(sum, search->lines[i].best);
		if (sum < lower)
			lower = sum;
		if (result->unread_bound < lower)
			lower = result->unread_bound;
	}
	return lower > 0 ? lower : 0;
}

/* try or bound the days that were left out while nodes were read */
static void
bound_days(SrcSearch *search, const SrcResult *result)
{
	int32_t		i;

	src_bounds_of_read(search, result->nodes);
	src_meet(search, result->nodes);
	for (i = 0; i < search->ncuts; i++)
	{
		int64_t		bound = src_bound_from(search,
										   &search->problem->lanes[search->cuts[i].lane],
										   search->cuts[i].ship);

		if (bound < search->cut_bound)
			search->cut_bound = bound;
	}
}

void
plan_search(const SrcProblem *problem, SrcResult *result)
{
	SrcSearch	search;
	NodeQueue	queue;
	int64_t		exhausted;
	int64_t		lower;
	bool		extended = false;
	int32_t		i;

	set_up(&search, problem);
	memset(result, 0, sizeof(*result));
	result->nodes = src_memory(problem, sizeof(SrcNodeResult), problem->nnodes);
	memset(result->nodes, 0, sizeof(SrcNodeResult) * (size_t) problem->nnodes);
	result->read_order = src_memory(problem, sizeof(int32_t), problem->nnodes);
	src_bounds(&search, result->nodes);

	queue.n = 0;
	queue.node = src_memory(problem, sizeof(int32_t), problem->nnodes);
	queue.results = result->nodes;
	queue.refined = NULL;
	if (search.calendars)
	{
		queue.refined = src_memory(problem, sizeof(bool), problem->nnodes);
		memset(queue.refined, 0, sizeof(bool) * (size_t) problem->nnodes);
	}
	for (i = 0; i < problem->nnodes; i++)
	{
		result->nodes[i].short_line = -1;
		result->nodes[i].complete_day = INT32_MAX;
	}
	for (i = 0; i < src_nodes(problem); i++)
	{
		int32_t		node = src_node(problem, i);

		if (result->nodes[node].bound != INT64_MAX)
			queue.node[queue.n++] = node;
	}
	for (i = queue.n / 2 - 1; i >= 0; i--)
		queue_settle(&queue, i);

	offer_nothing(&search);
	if (problem->read_order != NULL)
		read_as_told(&search, result, &queue);
	else
		read_best_first(&search, result, &queue);
	result->unread_bound = unread_bound(&queue, problem);
	if (problem->one_date || search.ncuts > 0)
		bound_days(&search, result);

	src_tree(&search);
	exhausted = search.best.total;
	result->exact = !search.stopped && search.cut_bound >= exhausted &&
		search.open_bound >= exhausted;
	if (problem->max_shipments > SRC_EXACT_SHIPMENTS)
		extended = src_extend(&search);
	if (extended)
		result->exact = false;
	if (!result->exact)
	{
		lower = lower_bound(&search, result, exhausted);
		if (lower < search.best.total)
			result->gap = search.best.total - lower;
		else if (!extended)
			result->exact = true;
	}

	src_write_plan(&search, &search.best, &result->best);
	result->has_next = search.has_next;
	if (search.has_next)
		src_write_plan(&search, &search.next, &result->next);
}
