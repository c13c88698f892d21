/*
 * plan_fuzz.c
 *		Fuzzing of records and of the plan search: bytes are unpacked, searched,
 *		and the answer is held against what every answer must satisfy.
 *
 *	plan_fuzz CORPUS [libFuzzer's options]
 *
 * Built with -DSEEDS it is a program instead that writes random records to a
 * directory, for the corpus to begin with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define ARENA		((size_t) 512 << 20)
#define MOST_WORK	100		/* sets of shipments; a record may ask for any number */
#define MOST_LINES	12
#define MOST_NODES	12
#define MOST_LANES	24
#define MOST_DAYS	40			/* of handling and transit, which are walked day by day */

static char *arena;
static size_t used;

/* small enough for the sanitizer to watch every piece: each is one of malloc's */
static void *pieces[1 << 16];
static size_t npieces;

static void *
give_memory(void *arg, size_t size)
{
	void	   *memory = malloc(size);

	(void) arg;
	used += size;
	if (memory == NULL || npieces == sizeof(pieces) / sizeof(pieces[0]) || used > ARENA)
		abort();
	pieces[npieces++] = memory;
	return memory;
}

static void
forget_memory(void)
{
	while (npieces > 0)
		free(pieces[--npieces]);
	used = 0;
}

#define MUST(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "plan_fuzz: %s (line %d)\n", #condition, __LINE__); \
			abort(); \
		} \
	} while (0)

static int64_t
add(int64_t a, int64_t b)
{
	int64_t		sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* what an item's profile says for a day */
static int64_t
available(const SrcProblem *problem, int32_t node, int32_t item, int32_t day)
{
	SrcProfile	profile;
	int64_t		found = 0;
	int32_t		i;

	problem->profile(problem->arg, node, item, &profile);
	for (i = 0; i < profile.nsteps && profile.steps[i].day <= day; i++)
		found = profile.steps[i].available;
	return found;
}

/* no part may take what is not there for it and those before it */
static void
check_stock(const SrcProblem *problem, const SrcPlan *plan, const SrcPart *part)
{
	const SrcShipment *own = &plan->shipments[part->shipment];
	int32_t		item = problem->lines[part->line].item;
	int64_t		taken = 0;
	int32_t		i;

	for (i = 0; i < plan->nparts; i++)
	{
		const SrcShipment *other = &plan->shipments[plan->parts[i].shipment];

		if (problem->lines[plan->parts[i].line].item == item &&
			other->node == own->node && other->day <= own->day)
			taken = add(taken, plan->parts[i].quantity);
	}
	MUST(taken <= available(problem, own->node, item, own->day));
}

static void
check_part(const SrcProblem *problem, const SrcPlan *plan, const SrcPart *part)
{
	const SrcLine *line;
	const SrcShipment *own;

	MUST(part->line >= 0 && part->line < problem->nlines);
	MUST(part->shipment >= 0 && part->shipment < plan->nshipments);
	line = &problem->lines[part->line];
	own = &plan->shipments[part->shipment];
	MUST(part->quantity > 0 && part->quantity <= line->quantity);
	MUST(line->pinned_node < 0 || line->pinned_node == own->node);
	MUST(part->quantity >= line->min_part);
	MUST(line->max_part == 0 || part->quantity <= line->max_part);
	MUST(line->multiple == 0 || part->quantity % line->multiple == 0);
	MUST(part->quantity == line->quantity || part->quantity >= line->split_min);
	MUST(own->ship >= line->not_before);
	MUST((line->by_ship_day ? own->ship : own->arrival) <= line->latest);
	MUST(problem->line_nodes == NULL ||
		 !problem->line_nodes[part->line * problem->nnodes + own->node].forbidden);
	MUST(problem->lane_forbidden == NULL ||
		 !problem->lane_forbidden[part->line * problem->nlanes + own->lane]);
	MUST(part->days_late >= 0 && part->lateness >= 0 && part->goods >= 0 &&
		 part->custom >= 0 && part->risk >= 0 && part->balance >= 0);
	check_stock(problem, plan, part);
}

static void
check_plan(const SrcProblem *problem, const SrcPlan *plan)
{
	int64_t		terms[10] = {0};
	int64_t		total;
	int32_t		i;
	int32_t		j;

	MUST(plan->nshipments >= 0 && plan->nshipments <= problem->max_shipments);
	for (i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *own = &plan->shipments[i];
		bool		loaded = false;

		MUST(own->node >= 0 && own->node < problem->nnodes);
		MUST(own->lane >= 0 && own->lane < problem->nlanes);
		MUST(problem->lanes[own->lane].node == own->node);
		MUST(own->ship >= problem->lanes[own->lane].first_ship);
		MUST(own->day >= problem->nodes[own->node].today);
		MUST(own->day <= own->ship && own->ship <= own->arrival);
		MUST(own->weight >= 0 && own->by_weight >= 0);
		for (j = 0; j < plan->nparts; j++)
			loaded |= plan->parts[j].shipment == i;
		MUST(loaded);
		terms[0] = add(terms[0], own->handling);
		terms[1] = add(terms[1], own->preference);
		terms[2] = add(terms[2], own->distance);
		terms[3] = add(terms[3], own->capacity);
		terms[4] = add(terms[4], add(own->base, own->by_weight));
	}
	for (i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];

		check_part(problem, plan, part);
		terms[5] = add(terms[5], part->lateness);
		terms[6] = add(terms[6], part->goods);
		terms[7] = add(terms[7], part->custom);
		terms[8] = add(terms[8], part->risk);
		terms[9] = add(terms[9], part->balance);
	}
	for (i = 0; i < problem->nlines; i++)
	{
		int64_t		served = plan->unserved[i];

		MUST(served >= 0);
		for (j = 0; j < plan->nparts; j++)
			if (plan->parts[j].line == i)
				served = add(served, plan->parts[j].quantity);
		MUST(served == problem->lines[i].quantity);
		if (plan->nshipments > 0 && (problem->one_date || problem->all_or_nothing))
			MUST(plan->unserved[i] == 0);
	}
	MUST(terms[0] == plan->handling && terms[1] == plan->preference &&
		 terms[2] == plan->distance && terms[3] == plan->capacity &&
		 terms[4] == plan->freight && terms[5] == plan->lateness &&
		 terms[6] == plan->goods && terms[7] == plan->custom &&
		 terms[8] == plan->risk && terms[9] == plan->balance);
	MUST(plan->split >= 0 && plan->backorder >= 0);
	for (i = 0, total = 0; i < 10; i++)
		total = add(total, terms[i]);
	MUST(add(add(total, plan->split), plan->backorder) == plan->total);
}

/* within what the test may take; larger ones are only unpacked */
static bool
small(const SrcProblem *problem)
{
	int32_t		i;

	if (problem->nlines > MOST_LINES || problem->nnodes > MOST_NODES ||
		problem->nlanes > MOST_LANES)
		return false;
	for (i = 0; i < problem->nnodes; i++)
		if (problem->nodes[i].handling_days > MOST_DAYS)
			return false;
	for (i = 0; i < problem->nlanes; i++)
		if (problem->lanes[i].transit_days > MOST_DAYS)
			return false;
	return true;
}

extern int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const SrcHost host = {give_memory, NULL, NULL};
	SrcUnpacked *unpacked = src_unpack(bytes, length, &host);
	SrcProblem *problem;
	SrcResult	first;
	SrcResult	second;

	MUST(used <= 1024 * length + 65536);
	if (unpacked != NULL && small(&unpacked->problem))
	{
		problem = &unpacked->problem;
		if (problem->work_limit > MOST_WORK)
			problem->work_limit = MOST_WORK;
		plan_search(problem, &first);
		check_plan(problem, &first.best);
		if (first.has_next)
			check_plan(problem, &first.next);
		MUST(first.gap >= 0 && (!first.exact || first.gap == 0));
		plan_search(problem, &second);
		MUST(src_results_equal(&first, &second, problem->nlines, NULL, NULL));
		MUST(first.exact == second.exact && first.gap == second.gap);
	}
	forget_memory();
	return 0;
}

#ifdef SEEDS

#include "plan_wide.h"

/* plan_seeds DIRECTORY N */
int
main(int argc, char **argv)
{
	static Wide w;
	int			n = argc > 2 ? atoi(argv[2]) : 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		char		name[4096];
		SrcResult	result;
		uint8_t    *bytes;
		size_t		length;
		FILE	   *file;

		wide_init(&w, (uint64_t) i, i % 5 == 0);
		wide_search(&w, &result);
		length = src_pack(&w.problem, &result, &w.asked, i % 2 ? &wide_namer : NULL, 0, &bytes);
		LLVMFuzzerTestOneInput(bytes, length);
		snprintf(name, sizeof(name), "%s/%d", argv[1], i);
		file = fopen(name, "wb");
		if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
		{
			perror(name);
			return 1;
		}
		wide_free(&w);
	}
	return 0;
}

#endif							/* SEEDS */
