/*
 * pack_test.c
 *		Records of plan searches: what is searched again comes out the same,
 *		what is damaged does no harm.
 *
 * Prints TAP; exits with 1 if anything failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan_instance.h"
#include "plan_wide.h"

static int	ntests;
static int	nfailed;
static int	inexact;

static void
ok(int passed, const char *name)
{
	ntests++;
	if (!passed)
		nfailed++;
	printf("%sok %d - %s\n", passed ? "" : "not ", ntests, name);
}

/* memory that is given back at once and counted */
typedef struct Pool
{
	char	   *memory;
	size_t		used;
	size_t		size;
} Pool;

static void *
pool_alloc(void *arg, size_t size)
{
	Pool	   *pool = arg;
	char	   *memory = pool->memory + pool->used;

	pool->used += (size + 15) & ~(size_t) 15;
	if (pool->used > pool->size)
		abort();
	return memory;
}

static Pool pool;
static const SrcHost host = {pool_alloc, NULL, &pool};

static int
text_is(SrcText text, SrcText other)
{
	return text.length == other.length &&
		memcmp(text.text, other.text, (size_t) text.length) == 0;
}

/* 0 or what is wrong */
static int
check_one(Wide *w, int names)
{
	SrcResult	first;
	SrcResult	second;
	SrcUnpacked *unpacked;
	int32_t		node_map[WIDE_NODES];
	int32_t		lane_map[WIDE_LANES];
	uint8_t    *bytes;
	uint8_t    *again;
	size_t		length;
	int			i;

	wide_search(w, &first);
	length = src_pack(&w->problem, &first, &w->asked, names ? &wide_namer : NULL, 4, &bytes);
	if (length == 0)
		return 1;
	if (src_pack(&w->problem, &first, &w->asked, names ? &wide_namer : NULL, 0, &again) != length ||
		memcmp(bytes + 4, again, length) != 0)
		return 2;
	pool.used = 0;
	unpacked = src_unpack(again, length, &host);
	if (unpacked == NULL)
		return 3;
	if (unpacked->total != first.best.total || unpacked->exact != first.exact ||
		unpacked->gap != first.gap || unpacked->unread_bound != first.unread_bound)
		return 4;
	plan_search(&unpacked->problem, &second);
	if (unpacked->missing > 0)
		return 5;
	src_pack_maps(&w->problem, &first, node_map, lane_map);
	if (!src_plans_equal(&first.best, &second.best, w->problem.nlines, node_map, lane_map))
		return 6;
	if (src_fingerprint(&second.best, w->problem.nlines, NULL, NULL) != unpacked->fingerprint)
		return 7;
	if (!src_results_equal(&first, &second, w->problem.nlines, node_map, lane_map))
		return 8;
	if (first.exact != second.exact || first.gap != second.gap ||
		first.unread_bound != second.unread_bound)
		return 9;
	inexact += !first.exact;
	for (i = 0; i < w->problem.nnodes && names; i++)
		if (node_map[i] >= 0 &&
			!text_is(unpacked->node_names[node_map[i]], wide_namer.node(NULL, i)))
			return 10;
	for (i = 0; i < w->problem.nlanes && names; i++)
		if (lane_map[i] >= 0 &&
			!text_is(unpacked->lane_names[lane_map[i]], wide_namer.lane(NULL, i)))
			return 11;
	for (i = 0; i < w->problem.nlines && names; i++)
		if (!text_is(unpacked->item_names[i], wide_namer.item(NULL, i)) ||
			unpacked->line_numbers[i] != 10 * (i + 1))
			return 12;
	return 0;
}

static int
search_again(int instances)
{
	static Wide w;
	int			failures = 0;
	int			i;

	for (i = 0; i < instances; i++)
	{
		int			wrong;

		wide_init(&w, (uint64_t) i, 0);
		wrong = check_one(&w, i % 2);
		if (wrong != 0 && failures++ < 10)
			printf("# instance %d: rule %d\n", i, wrong);
		wide_free(&w);
	}
	printf("# %d of %d not called exact\n", inexact, instances);
	return failures;
}

/* every prefix, and random damage: refused or something that can be searched */
static int
damaged(int instances)
{
	static Wide w;
	uint64_t	seed = 1;
	int			harmed = 0;
	int			read = 0;
	int			i;
	int			j;

	for (i = 0; i < instances; i++)
	{
		SrcResult	result;
		uint8_t    *bytes;
		size_t		length;
		size_t		cut;

		wide_init(&w, (uint64_t) i, i % 4 == 0);
		wide_search(&w, &result);
		length = src_pack(&w.problem, &result, &w.asked, &wide_namer, 0, &bytes);
		for (cut = 0; cut < length; cut++)
		{
			uint8_t    *copy = malloc(cut + 1);	/* so that a sanitizer sees the end */

			memcpy(copy, bytes, cut);
			pool.used = 0;
			harmed += src_unpack(copy, cut, &host) != NULL;
			free(copy);
		}
		for (j = 0; j < 100; j++)
		{
			uint8_t    *copy = malloc(length);
			int			flips = 1 + random_below(&seed, 3);

			memcpy(copy, bytes, length);
			while (flips-- > 0)
				copy[random_below(&seed, (int32_t) length)] ^= (uint8_t) (1 << random_below(&seed, 8));
			pool.used = 0;
			read += src_unpack(copy, length, &host) != NULL;
			harmed += pool.used > 1024 * length + 65536;
			free(copy);
		}
		wide_free(&w);
	}
	printf("# %d of %d damaged records could still be read\n", read, 100 * instances);
	return harmed;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

/* of plain orders: bytes, microseconds */
static void
small_and_fast(void)
{
	static Wide w;
	size_t		most = 0;
	size_t		sum = 0;
	size_t		bare = 0;
	double		spent = 0;
	int			i;
	int			j;

	for (i = 0; i < 50; i++)
	{
		SrcResult	result;
		uint8_t    *bytes;
		size_t		length = 0;
		double		start;
		size_t		used;

		wide_init(&w, (uint64_t) i + 1000, 1);
		wide_search(&w, &result);
		bare += src_pack(&w.problem, &result, &w.asked, NULL, 0, &bytes);
		used = w.used;
		start = now();
		for (j = 0; j < 1000; j++)
		{
			w.used = used;
			length = src_pack(&w.problem, &result, &w.asked, &wide_namer, 0, &bytes);
		}
		spent += (now() - start) / 1000;
		sum += length;
		if (length > most)
			most = length;
		wide_free(&w);
	}
	printf("# plain orders of 3 lines: %zu bytes on average without names, %zu with, %zu at most; %.2f us\n",
		   bare / 50, sum / 50, most, spent / 50);
	ok(sum / 50 <= 250, "a plain order with its names takes 250 bytes");
}

int
main(void)
{
	pool.size = (size_t) 64 << 20;
	pool.memory = malloc(pool.size);
	ok(search_again(4000) == 0, "4000 random searches: packed, unpacked and searched again, the same two plans, gap and bound");
	ok(damaged(300) == 0, "damaged records: refused or readable, memory stays bounded");
	small_and_fast();
	printf("1..%d\n", ntests);
	free(pool.memory);
	return nfailed > 0;
}
