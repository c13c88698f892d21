/*
 * sites_test.c
 *		Tests of the search by nodes first: blocks of amounts, and sets that are
 *		too many to be kept at once.
 *
 * Prints TAP; exits with 1 if anything failed.
 */
#include <stdio.h>

#include "blocks.h"
#include "plan_instance.h"

#define NODES		30
#define MOST_LINES	21
#define ROUNDS		2000

static int	ntests;
static int	nfailed;

static void
ok(int passed, const char *name)
{
	ntests++;
	if (!passed)
		nfailed++;
	printf("%sok %d - %s\n", passed ? "" : "not ", ntests, name);
}

/* what one of a block saves together with "with", by the definition */
static int32_t
saved(const int16_t *with, const int16_t *block, int32_t nlines, int32_t which)
{
	int32_t		sum = 0;

	for (int line = 0; line < nlines; line++)
	{
		int32_t		at = line * 2 * BLOCK + which;
		int32_t		all = with[at] + block[at];
		int32_t		most = with[at + BLOCK] > block[at + BLOCK] ? with[at + BLOCK] : block[at + BLOCK];

		sum += all < most ? all : most;
	}
	return sum;
}

/* amounts of as many lines as all sums allow, up to the largest ones */
static void
blocks_save(void)
{
	uint64_t	seed = 1;
	int			wrong = 0;
	int			passed = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		int16_t		with[MOST_LINES * 2 * BLOCK];
		int16_t		block[MOST_LINES * 2 * BLOCK];
		int16_t		cost[BLOCK];
		int16_t		sum[BLOCK];
		int32_t		nlines = random_below(&seed, MOST_LINES + 1);
		int32_t		most = nlines > 0 ? COARSE_MOST / nlines : 0;
		int32_t		least;
		uint32_t	bits;

		for (int i = 0; i < nlines * 2 * BLOCK; i++)
		{
			with[i] = (int16_t) random_below(&seed, most + 1);
			block[i] = (int16_t) random_below(&seed, most + 1);
		}
		for (int i = 0; i < BLOCK; i++)
			cost[i] = (int16_t) (random_below(&seed, 4) == 0 ? COARSE_MOST : random_below(&seed, most + 1));
		src_save_together(with, block, nlines, sum);
		/* just what one of them reaches, or anything */
		least = random_below(&seed, 2) ? sum[3] - cost[3] + random_below(&seed, 2) :
			random_below(&seed, 2 * COARSE_MOST) - COARSE_MOST;
		bits = src_pass_together(with, block, nlines, cost, least);
		for (int i = 0; i < BLOCK; i++)
		{
			int32_t		right = saved(with, block, nlines, i);

			wrong += sum[i] != right || ((bits >> i) & 1) != (right - cost[i] >= least);
			passed += (bits >> i) & 1;
		}
		wrong += bits >> BLOCK != 0;
	}
	ok(wrong == 0, "eight shipments at once save what each does by itself");
	ok(passed > ROUNDS && passed < ROUNDS * (BLOCK - 1), "some pass, some do not");
}

/*
 * One line of 300, unserved at 10 each.  Node i has 70 + i of it and costs 10 i
 * more than the first, so each saves 700, alone or with two more: all 4,060 sets
 * of three cost the same, 900, and no node makes another superfluous.  Only four
 * of the nodes are fast; there are too many sets that begin with a node before
 * them to keep them together with theirs.
 */
static void
make_even(Instance *in, int64_t scale)
{
	SrcLine    *line;

	instance_init(in);
	in->problem.split_penalty = 0;
	in->problem.max_shipments = 3;
	in->problem.work_limit = 200000;
	for (int i = 0; i < NODES; i++)
	{
		bool		fast = i >= 12 && i % 5 == 2;

		add_node(in, 100, 0);
		add_lane(in, fast ? 1 : 2, U(10 * i) * scale, 0);
		add_stock(in, i, 0, 100, U(70 + i));
	}
	line = add_line(in, 0, U(300), 90);
	line->unit_weight = 0;
	line->lateness_per_day = 0;
	line->backorder_penalty = U(3000) * scale;
}

static bool
is_from(const SrcPlan *plan, int a, int b, int c)
{
	return plan->nshipments == 3 && plan->shipments[0].node == a &&
		plan->shipments[1].node == b && plan->shipments[2].node == c;
}

static void
too_many_to_keep(int64_t scale, const char *name)
{
	static Instance in;
	SrcResult	r;

	make_even(&in, scale);
	instance_search(&in, &r);
	ok(r.best.total == U(900) * scale && r.exact && is_from(&r.best, 12, 17, 22), name);
	ok(r.has_next && r.next.total == U(900) * scale && !is_from(&r.next, 12, 17, 22),
	   "... and another one is next");
	instance_free(&in);
}

/* whatever the work allows, the bound is not above what the best one costs */
static void
stopped_while_many(void)
{
	static Instance in;
	SrcResult	r;
	int			wrong = 0;
	int			stopped = 0;
	int			proven = 0;

	make_even(&in, 1);
	instance_search(&in, &r);
	for (int64_t limit = 1; limit < 20000; limit += 1 + limit / 7)
	{
		SrcResult	some;

		in.problem.work_limit = limit;
		instance_search(&in, &some);
		wrong += some.best.total < r.best.total;
		if (some.exact)
			wrong += some.best.total != r.best.total || !is_from(&some.best, 12, 17, 22);
		else
			wrong += some.best.total - some.gap > r.best.total;
		stopped += !some.exact;
		proven += some.exact;
	}
	ok(wrong == 0 && stopped > 0 && proven > 0, "stopped at any point, what was found and the gap are true");
	instance_free(&in);
}

int
main(void)
{
	blocks_save();
	too_many_to_keep(1, "of 4,060 sets that cost the same the one that arrives first");
	too_many_to_keep(100000000, "the same where amounts are large");
	stopped_while_many();
	printf("1..%d\n", ntests);
	return nfailed > 0;
}
