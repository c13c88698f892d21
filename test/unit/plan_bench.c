/*
 * plan_bench.c
 *		How long the plan search takes, without the reading of availability.
 *
 * "easy": everything is in stock nearly everywhere.  "scarce": every node has
 * a part of some lines, the rest comes later or not at all.  "tight": every
 * node has up to the whole of every line, seldom all.  "equal": all nodes and
 * lanes cost the same and take as long, each node has one or two units of about
 * half of the lines, so that nothing tells one set of nodes from the next but
 * what it covers, and many cover as much.  Prints the median and the 99th
 * percentile in microseconds of the process's own time, nodes read, and the
 * share of answers proven optimal.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "plan_instance.h"

#define RUNS	200

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

/* a network of three services a node, nearer nodes cheaper and faster */
static void
make_order(Instance *in, int nlines, int nnodes, int kind, uint64_t *seed)
{
	int			i;
	int			j;

	in->problem.split_penalty = U(2);
	in->problem.work_limit = 1000000;
	for (i = 0; i < nnodes; i++)
	{
		int			distance = kind == 3 ? 0 : random_below(seed, 1000);

		add_node(in, 100, U(2) + (kind == 3 ? 0 : random_below(seed, U(2))));
		add_lane(in, 2 + distance / 200, U(5) + distance * 100, 2000 + distance * 10);
		add_lane(in, 1 + distance / 400, U(9) + distance * 150, 3000 + distance * 15);
		add_lane(in, 1, U(25) + distance * 200, 9000 + distance * 30);
		for (j = 0; j < nlines; j++)
		{
			int64_t		first;

			if (kind == 0)
			{
				add_stock(in, i, j, 0, U(random_below(seed, 50) == 0 ? 0 : 100));
				continue;
			}
			if (kind == 3)
			{
				add_stock(in, i, j, 0, U(random_below(seed, 2) * (1 + random_below(seed, 2))));
				continue;
			}
			if (kind == 1)
				first = random_below(seed, 2) ? 0 : U(random_below(seed, 8));
			else
				first = U(random_below(seed, 13));
			add_stock(in, i, j, 0, first);
			if (random_below(seed, 3) == 0)
				add_stock(in, i, j, 102 + random_below(seed, 10),
						  first + U(1 + random_below(seed, 20)));
		}
	}
	for (i = 0; i < nlines; i++)
	{
		SrcLine    *line = add_line(in, i, U(kind == 3 ? 4 : 1 + random_below(seed, 12)), 104);

		if (kind == 3)
		{
			line->backorder_penalty = U(100);
			continue;
		}
		line->unit_weight = 1000 + random_below(seed, U(4));
		line->lateness_per_day = U(1 + random_below(seed, 5));
		line->backorder_penalty = U(50 + random_below(seed, 200));
	}
}

int
main(void)
{
	static const char *const kinds[] = {"easy", "scarce", "tight", "equal"};
	static const int lines[] = {1, 3, 10};
	static const int nodes[] = {10, 50, 200};
	static double times[RUNS];
	static Instance in;
	unsigned	l;
	unsigned	n;
	int			kind;
	int			run;

	printf("%-7s %5s %5s %10s %10s %10s %6s %7s\n", "kind", "lines", "nodes",
		   "p50 us", "p99 us", "max us", "read", "proven");
	for (kind = 0; kind < 4; kind++)
		for (l = 0; l < 3; l++)
			for (n = 0; n < 3; n++)
			{
				int64_t		read = 0;
				int			proven = 0;

				for (run = 0; run < RUNS; run++)
				{
					uint64_t	seed = (uint64_t) run;
					SrcResult	result;
					double		start;
					int			warm;

					instance_init(&in);
					make_order(&in, lines[l], nodes[n], kind, &seed);
					for (warm = 0; warm < 2; warm++)
					{
						in.arena_used = 0;
						start = now();
						plan_search(&in.problem, &result);
						times[run] = now() - start;
					}
					read += result.nodes_read;
					proven += result.exact;
					instance_free(&in);
				}
				qsort(times, RUNS, sizeof(double), compare_doubles);
				printf("%-7s %5d %5d %10.1f %10.1f %10.1f %6.1f %6.1f%%\n",
					   kinds[kind], lines[l], nodes[n], times[RUNS / 2],
					   times[RUNS * 99 / 100], times[RUNS - 1],
					   (double) read / RUNS, 100.0 * proven / RUNS);
				fflush(stdout);
			}
	return 0;
}
