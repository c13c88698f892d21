/*
 * plan_bench.c
 *		How long the plan search takes, without the reading of availability.
 *
 *		plan_bench [RUNS [SECONDS]]
 *
 * For each family of orders, number of lines and number of nodes RUNS orders
 * (1000), or fewer, 50 at least, once SECONDS (5) are over.  Each is searched
 * twice; the second time counts, in CPU time of the process.  Up to three
 * shipments, and the bound of work that the server sets.  A network has three
 * services a node, nearer nodes being cheaper and faster, but for "equal".
 *
 * easy		everything is in stock nearly everywhere
 * scarce	every node has a part of some lines, the rest comes later or never
 * tight	every node has from nothing to all of each line, seldom all lines
 * equal	all nodes and services cost the same and take as long, all lines are
 *			alike, and each node has a quarter or a half of about half of the
 *			lines: many plans cost the same
 *
 * "easy" is what most orders are; the others are made to be hard: in "scarce"
 * and "tight" nearly every set of nodes is worth a look, in "equal"
 * nothing tells one set of nodes from the next but what it covers.  Prints the median and the 99th percentile in
 * microseconds, nodes read, and the share of answers proven optimal.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "plan_instance.h"

#define MAX_RUNS	10000
#define LEAST_RUNS	50
#define WORK_LIMIT	200000		/* as orders/planning.c */

typedef enum Kind
{
	EASY, SCARCE, TIGHT, EQUAL, NKINDS
} Kind;

static const char *const kind_names[] = {"easy", "scarce", "tight", "equal"};

/* microseconds of CPU */
static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double) ts.tv_sec * 1e6 + (double) ts.tv_nsec / 1e3;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* What a node has of an item, now and perhaps from a later day on. */
static void
add_supply(Instance *in, int node, int item, Kind kind, uint64_t *seed)
{
	int64_t		first;

	switch (kind)
	{
		case EASY:
			add_stock(in, node, item, 0, U(random_below(seed, 50) == 0 ? 0 : 100));
			return;
		case EQUAL:
			add_stock(in, node, item, 0, U(random_below(seed, 2) * (1 + random_below(seed, 2))));
			return;
		case SCARCE:
			first = random_below(seed, 2) ? 0 : U(random_below(seed, 8));
			break;
		default:
			first = U(random_below(seed, 13));
			break;
	}
	add_stock(in, node, item, 0, first);
	if (random_below(seed, 3) == 0)
		add_stock(in, node, item, 102 + random_below(seed, 10), first + U(1 + random_below(seed, 20)));
}

static void
make_order(Instance *in, int nlines, int nnodes, Kind kind, uint64_t *seed)
{
	in->problem.split_penalty = U(2);
	in->problem.work_limit = WORK_LIMIT;
	for (int i = 0; i < nnodes; i++)
	{
		int			distance = kind == EQUAL ? 0 : random_below(seed, 1000);

		add_node(in, 100, U(2) + (kind == EQUAL ? 0 : random_below(seed, U(2))));
		add_lane(in, 2 + distance / 200, U(5) + distance * 100, 2000 + distance * 10);
		add_lane(in, 1 + distance / 400, U(9) + distance * 150, 3000 + distance * 15);
		add_lane(in, 1, U(25) + distance * 200, 9000 + distance * 30);
		for (int j = 0; j < nlines; j++)
			add_supply(in, i, j, kind, seed);
	}
	for (int i = 0; i < nlines; i++)
	{
		SrcLine    *line;

		if (kind == EQUAL)
		{
			line = add_line(in, i, U(4), 104);
			line->backorder_penalty = U(100);
			continue;
		}
		line = add_line(in, i, U(1 + random_below(seed, 12)), 104);
		line->unit_weight = 1000 + random_below(seed, U(4));
		line->lateness_per_day = U(1 + random_below(seed, 5));
		line->backorder_penalty = U(50 + random_below(seed, 200));
	}
}

static void
measure(Kind kind, int nlines, int nnodes, int runs, double seconds)
{
	static double times[MAX_RUNS];
	static Instance in;
	double		began = now();
	int64_t		read = 0;
	int			proven = 0;
	int			n = 0;

	while (n < runs && (n < LEAST_RUNS || now() - began < seconds * 1e6))
	{
		uint64_t	seed = (uint64_t) n;
		SrcResult	result;

		instance_init(&in);
		make_order(&in, nlines, nnodes, kind, &seed);
		for (int warm = 0; warm < 2; warm++)
		{
			double		start = now();

			in.arena_used = 0;
			plan_search(&in.problem, &result);
			times[n] = now() - start;
		}
		read += result.nodes_read;
		proven += result.exact;
		instance_free(&in);
		n++;
	}
	qsort(times, (size_t) n, sizeof(double), compare_doubles);
	printf("%-7s %5d %5d %10.1f %10.1f %10.1f %6.1f %6.1f%% %6d\n",
		   kind_names[kind], nlines, nnodes, times[n / 2], times[n * 99 / 100],
		   times[n - 1], (double) read / n, 100.0 * proven / n, n);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const int lines[] = {1, 3, 10};
	static const int nodes[] = {10, 50, 200};
	int			runs = argc > 1 ? atoi(argv[1]) : 1000;
	double		seconds = argc > 2 ? atof(argv[2]) : 5;

	if (runs < 1 || runs > MAX_RUNS)
	{
		fprintf(stderr, "usage: %s [RUNS up to %d [SECONDS]]\n", argv[0], MAX_RUNS);
		return 2;
	}
	printf("%-7s %5s %5s %10s %10s %10s %6s %7s %6s\n", "family", "lines", "nodes",
		   "p50 us", "p99 us", "max us", "read", "proven", "orders");
	for (int kind = 0; kind < NKINDS; kind++)
		for (int l = 0; l < 3; l++)
			for (int n = 0; n < 3; n++)
				measure((Kind) kind, lines[l], nodes[n], runs, seconds);
	return 0;
}
