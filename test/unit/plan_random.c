/*
 * plan_random.c
 *		Random orders: against an oracle that tries everything, and for
 *		properties that every answer must have.
 *
 * For the oracle the amounts are chosen so that nothing needs rounding; with
 * "rounding" they are not, and a small difference is allowed.
 */
#include <stdio.h>
#include <string.h>

#include "plan_oracle.h"
#include "plan_random.h"

#define TOLERANCE	40			/* ten-thousandths, where amounts are rounded */

/*
 * A small order.  Money is in multiples of 6 so that halves and thirds of a
 * line are whole; few different numbers, so that ties are frequent.
 */
static void
small_instance(Instance *in, uint64_t *seed, int rounding, int shared)
{
	int			nnodes = 1 + random_below(seed, shared ? 3 : 4);
	int			nlines = shared ? 2 + random_below(seed, 2) :
		1 + random_below(seed, 3);
	int			plenty = random_below(seed, 4);
	int			i;
	int			j;
	int			k;

	in->problem.max_shipments = 3 - random_below(seed, 5) / 2;
	in->problem.split_penalty = U(3) * random_below(seed, 4);
	for (i = 0; i < nnodes; i++)
	{
		int			nlanes = 1 + random_below(seed, 2);

		add_node(in, random_below(seed, 2), U(random_below(seed, 3)));
		for (j = 0; j < nlanes; j++)
			add_lane(in, random_below(seed, 3), U(2) * random_below(seed, 8),
					 U(random_below(seed, 3)));
		for (j = 0; j < nlines; j++)
		{
			int			available = 0;

			for (k = 0; k < HORIZON - 1; k++)
			{
				if (random_below(seed, 3) > 0)
					continue;
				available += random_below(seed, 2 + plenty);
				add_stock(in, i, j, k, U(available));
			}
		}
	}
	for (i = 0; i < nlines; i++)
	{
		int			item = shared ? random_below(seed, (nlines + 1) / 2) : i;
		SrcLine    *line = add_line(in, item, U(1 + random_below(seed, 3)),
									random_below(seed, HORIZON - 1));

		line->unit_weight = U(random_below(seed, 3));
		line->by_ship_day = random_below(seed, 3) == 0;
		line->lateness_per_day = U(6) * random_below(seed, 3);
		line->backorder_penalty = U(6) * (1 + random_below(seed, 60));
		if (random_below(seed, 6) == 0)
			line->pinned_node = random_below(seed, nnodes);
	}
	if (!rounding)
		return;
	for (i = 0; i < nlines; i++)
	{
		in->lines[i].unit_weight += random_below(seed, 10000);
		in->lines[i].lateness_per_day += random_below(seed, 10000);
		in->lines[i].backorder_penalty += random_below(seed, 10000);
	}
	for (i = 0; i < in->problem.nlanes; i++)
		in->lanes[i].per_kg += random_below(seed, 10000);
}

int
compare_with_oracle(int instances, int rounding, int shared)
{
	static Instance in;
	static Oracle oracle;
	int			failures = 0;
	int			by_size[4] = {0, 0, 0, 0};
	int			number;
	int			i;

	for (number = 0; number < instances; number++)
	{
		uint64_t	seed = (uint64_t) number * 4 + (rounding ? 1 : 0) +
			(shared ? 2 : 0);
		SrcResult	result;
		int64_t		difference;
		int			bad = 0;

		instance_init(&in);
		small_instance(&in, &seed, rounding, shared);
		instance_search(&in, &result);
		oracle_run(&oracle, &in);
		difference = result.best.total - oracle.cost;
		if (rounding ? (difference > TOLERANCE || difference < -TOLERANCE) :
			difference != 0)
			bad = 1;
		if (!result.exact || result.gap != 0)
			bad |= 2;
		for (i = 0; i < in.problem.nnodes; i++)
		{
			int			useful = 0;
			int			j;

			/* a shipment that must be empty is not a plan */
			for (j = 0; j < in.problem.nlines; j++)
				useful |= in.lines[j].pinned_node < 0 ||
					in.lines[j].pinned_node == i;
			if (!useful)
				continue;
			if (oracle.using_node[i] < result.nodes[i].bound)
				bad |= 4;
			if (!result.nodes[i].read &&
				oracle.using_node[i] < result.unread_bound)
				bad |= 4;
		}
		if (!rounding && !bad)
		{
			Place		mine[3];
			Place		theirs[3];

			for (i = 0; i < oracle.nset; i++)
				theirs[i] = oracle.places[oracle.set[i]];
			for (i = 0; i < result.best.nshipments; i++)
			{
				mine[i].node = result.best.shipments[i].node;
				mine[i].lane = result.best.shipments[i].lane;
				mine[i].day = result.best.shipments[i].day;
			}
			if (compare_sets(&in, result.best.total, mine,
							 result.best.nshipments, oracle.cost, theirs,
							 oracle.nset) != 0)
				bad |= 8;
			by_size[oracle.nset]++;
		}
		if (bad && failures++ < 5)
			printf("# instance %d (rounding %d, shared %d): failure %d, total %lld, oracle %lld\n",
				   number, rounding, shared, bad, (long long) result.best.total,
				   (long long) oracle.cost);
		instance_free(&in);
	}
	if (!rounding)
		printf("# oracle's plans with 0, 1, 2, 3 shipments: %d %d %d %d\n",
			   by_size[0], by_size[1], by_size[2], by_size[3]);
	return failures;
}

/* a larger order with every feature, shared items included */
static void
large_instance(Instance *in, uint64_t *seed)
{
	int			nnodes = 1 + random_below(seed, 30);
	int			nlines = 1 + random_below(seed, 8);
	int			nitems = 1 + random_below(seed, nlines);
	int			i;
	int			j;
	int			k;

	in->problem.max_shipments = 1 + random_below(seed, 6);
	in->problem.split_penalty = random_below(seed, 100000);
	for (i = 0; i < nnodes; i++)
	{
		int			nlanes = random_below(seed, 4);

		add_node(in, 100 + random_below(seed, 2), random_below(seed, 50000));
		for (j = 0; j < nlanes; j++)
			add_lane(in, random_below(seed, 6), random_below(seed, 200000),
					 random_below(seed, 10000));
		for (j = 0; j < nitems; j++)
		{
			int			day = 95 + random_below(seed, 10);
			int			available = 0;
			int			nsteps = random_below(seed, 5);

			for (k = 0; k < nsteps; k++)
			{
				available += random_below(seed, 60000);
				add_stock(in, i, j, day, available);
				day += 1 + random_below(seed, 6);
			}
		}
	}
	for (i = 0; i < nlines; i++)
	{
		SrcLine    *line = add_line(in, random_below(seed, nitems),
									1 + random_below(seed, 100000),
									98 + random_below(seed, 12));

		line->unit_weight = random_below(seed, 50000);
		line->by_ship_day = random_below(seed, 4) == 0;
		line->lateness_per_day = random_below(seed, 100000);
		line->backorder_penalty = random_below(seed, 5000000);
		if (random_below(seed, 10) == 0)
			line->pinned_node = random_below(seed, nnodes);
	}
}

/* lots end: what is offered goes down again, even to nothing */
static void
let_fall(Instance *in, uint64_t *seed)
{
	int			i;
	int			j;
	int			k;

	for (i = 0; i < in->problem.nnodes; i++)
		for (j = 0; j < MAX_LINES; j++)
			for (k = 0; k < in->nsteps[i][j]; k++)
				in->steps[i][j][k].available = random_below(seed, 3) == 0 ? 0 :
					random_below(seed, 120000);
}

/* everything that a plan must satisfy by itself; 0 or the number of a rule */
static int
check_plan(const Instance *in, const SrcPlan *plan)
{
	int64_t		weight[MAX_LANES] = {0};
	int64_t		served[MAX_LINES] = {0};
	int64_t		terms[5] = {0};
	int			carries[MAX_LANES] = {0};
	int			i;
	int			j;
	int			k;

	for (i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];
		const SrcLine *line = &in->lines[part->line];
		const SrcShipment *shipment = &plan->shipments[part->shipment];
		Place		place;

		if (part->quantity <= 0)
			return 1;
		if (i > 0 && (part[-1].line > part->line ||
					  (part[-1].line == part->line &&
					   part[-1].shipment >= part->shipment)))
			return 2;
		place.node = shipment->node;
		place.lane = shipment->lane;
		place.day = shipment->day;
		if (!can_carry(in, line, &place))
			return 3;
		if (part->days_late != days_late(line, &in->lanes[place.lane], place.day))
			return 4;
		if (part->lateness != half_up(part->days_late * line->lateness_per_day *
									  part->quantity, line->quantity))
			return 5;
		served[part->line] += part->quantity;
		weight[part->shipment] += half_up(part->quantity * line->unit_weight,
										  SRC_SCALE);
		carries[part->shipment] = 1;
		terms[3] += part->lateness;
	}
	for (i = 0; i < in->problem.nlines; i++)
	{
		const SrcLine *line = &in->lines[i];

		if (served[i] + plan->unserved[i] != line->quantity ||
			plan->unserved[i] < 0)
			return 6;
		terms[4] += half_up(line->backorder_penalty * plan->unserved[i],
							line->quantity);
	}
	if (plan->nshipments > in->problem.max_shipments)
		return 7;
	for (i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *s = &plan->shipments[i];
		const SrcLane *lane = &in->lanes[s->lane];

		if (lane->node != s->node || s->arrival != s->day + lane->transit_days)
			return 8;
		if (!carries[i] || s->weight != weight[i] || s->base != lane->base ||
			s->handling != in->nodes[s->node].handling ||
			s->by_weight != half_up(s->weight * lane->per_kg, SRC_SCALE) ||
			s->split != (i > 0 ? in->problem.split_penalty : 0))
			return 9;
		if (i > 0 && (s[-1].day > s->day ||
					  (s[-1].day == s->day &&
					   (s[-1].node > s->node ||
						(s[-1].node == s->node && s[-1].lane >= s->lane)))))
			return 10;
		terms[0] += s->handling;
		terms[1] += s->base + s->by_weight;
		terms[2] += s->split;

		/* the prefix of every item at the node up to this day */
		for (j = 0; j < in->problem.nlines; j++)
		{
			int64_t		prefix = 0;

			for (k = 0; k < plan->nparts; k++)
			{
				const SrcPart *part = &plan->parts[k];

				if (in->lines[part->line].item == in->lines[j].item &&
					plan->shipments[part->shipment].node == s->node &&
					plan->shipments[part->shipment].day <= s->day)
					prefix += part->quantity;
			}
			if (prefix > stock_on(in, s->node, in->lines[j].item, s->day))
				return 11;
		}
	}
	if (terms[0] != plan->handling || terms[1] != plan->freight ||
		terms[2] != plan->split || terms[3] != plan->lateness ||
		terms[4] != plan->backorder)
		return 12;
	if (terms[0] + terms[1] + terms[2] + terms[3] + terms[4] != plan->total)
		return 13;
	return 0;
}

static int
plans_equal(const SrcPlan *a, const SrcPlan *b, int nlines)
{
	return a->nshipments == b->nshipments && a->nparts == b->nparts &&
		a->total == b->total && a->handling == b->handling &&
		a->freight == b->freight && a->split == b->split &&
		a->lateness == b->lateness && a->backorder == b->backorder &&
		memcmp(a->shipments, b->shipments,
			   sizeof(SrcShipment) * (size_t) a->nshipments) == 0 &&
		memcmp(a->parts, b->parts, sizeof(SrcPart) * (size_t) a->nparts) == 0 &&
		memcmp(a->unserved, b->unserved, sizeof(int64_t) * (size_t) nlines) == 0;
}

static int
check_result(const Instance *in, const SrcResult *result, int falling)
{
	int			read = 0;
	int			rule;
	int			i;
	int			j;

	rule = check_plan(in, &result->best);
	if (rule)
		return rule;
	if (result->has_next)
	{
		rule = check_plan(in, &result->next);
		if (rule)
			return 100 + rule;
		if (result->next.total < result->best.total)
			return 21;
	}
	for (i = 0; i < in->problem.nnodes; i++)
	{
		const SrcNodeResult *node = &result->nodes[i];

		read += node->read;
		if (node->feasible && (node->total < result->best.total ||
							   node->bound > node->total))
			return 22;
		if (node->feasible && !node->read)
			return 23;
		if (!node->read && node->bound < result->unread_bound)
			return 24;
		if (!node->read && node->bound <= result->best.total)
			return 25;
		if (node->read && !node->feasible && node->short_line < 0 &&
			result->exact && !falling)
			return 26;
		for (j = 0; j < in->problem.nlines; j++)
			if (in->asked[i][in->lines[j].item] > 1 ||
				(in->asked[i][in->lines[j].item] && !node->read))
				return 27;
	}
	for (i = 0; i < result->best.nshipments; i++)
		if (result->nodes[result->best.shipments[i].node].bound >
			result->best.total)
			return 28;
	if (read != result->nodes_read)
		return 29;
	if (result->gap < 0 || result->gap > result->best.total ||
		(result->exact && result->gap != 0))
		return 30;
	return 0;
}

int
check_properties(int instances, int falling)
{
	static Instance in;
	int			failures = 0;
	int			inexact = 0;
	int			number;

	for (number = 0; number < instances; number++)
	{
		uint64_t	seed = UINT64_C(1000000) + (uint64_t) number;
		SrcResult	first;
		SrcResult	second;
		int			rule;

		instance_init(&in);
		large_instance(&in, &seed);
		if (falling)
			let_fall(&in, &seed);
		instance_search(&in, &first);
		rule = check_result(&in, &first, falling);
		if (rule == 0)
		{
			instance_search(&in, &second);
			if (!plans_equal(&first.best, &second.best, in.problem.nlines) ||
				first.has_next != second.has_next ||
				(first.has_next &&
				 !plans_equal(&first.next, &second.next, in.problem.nlines)) ||
				first.exact != second.exact || first.gap != second.gap ||
				first.nodes_read != second.nodes_read ||
				memcmp(first.nodes, second.nodes, sizeof(SrcNodeResult) *
					   (size_t) in.problem.nnodes) != 0)
				rule = 40;
		}
		if (rule == 0)
		{
			/* reading the same nodes in the same order gives the same answer */
			in.problem.nread = first.nodes_read;
			in.problem.read_order = first.read_order;
			instance_search(&in, &second);
			if (!plans_equal(&first.best, &second.best, in.problem.nlines) ||
				first.has_next != second.has_next ||
				(first.has_next &&
				 !plans_equal(&first.next, &second.next, in.problem.nlines)) ||
				first.exact != second.exact || first.gap != second.gap)
				rule = 41;
			in.problem.read_order = NULL;
		}
		inexact += !first.exact;
		if (rule != 0 && failures++ < 5)
			printf("# instance %d: rule %d\n", number, rule);
		instance_free(&in);
	}
	printf("# %d of %d not proven optimal\n", inexact, instances);
	return failures;
}

/* stopped early, the answer is still a plan, and the gap a true bound */
int
check_work_limit(int instances)
{
	static Instance in;
	int			failures = 0;
	int			stopped = 0;
	int			number;

	for (number = 0; number < instances; number++)
	{
		uint64_t	seed = UINT64_C(2000000) + (uint64_t) number;
		SrcResult	full;
		SrcResult	cut;
		int			rule;

		instance_init(&in);
		large_instance(&in, &seed);
		if (in.problem.max_shipments > 3)
			in.problem.max_shipments = 3;
		instance_search(&in, &full);
		in.problem.work_limit = random_below(&seed, 40);
		instance_search(&in, &cut);
		rule = check_result(&in, &cut, 0);
		if (rule == 0 && (cut.best.total < full.best.total && full.exact))
			rule = 50;
		if (rule == 0 && cut.best.total - cut.gap > full.best.total)
			rule = 51;
		stopped += !cut.exact && full.exact;
		if (rule != 0 && failures++ < 5)
			printf("# instance %d: rule %d\n", number, rule);
		instance_free(&in);
	}
	printf("# %d of %d stopped before the proof\n", stopped, instances);
	return failures;
}

/*
 * Which nodes have nothing is said beforehand, or found by reading them: the
 * same plan, and the others alone are read.
 */
int
check_stocked(int instances)
{
	static Instance in;
	int			failures = 0;
	int			spared = 0;
	int			number;

	for (number = 0; number < instances; number++)
	{
		uint64_t	seed = UINT64_C(9000000) + (uint64_t) number;
		int32_t		stocked[MAX_NODES];
		int			nstocked = 0;
		SrcResult	all;
		SrcResult	few;
		int			rule = 0;
		int			i;
		int			j;

		instance_init(&in);
		large_instance(&in, &seed);
		for (i = 0; i < in.problem.nnodes; i++)
		{
			int			bare = random_below(&seed, 3) > 0;

			for (j = 0; j < MAX_LINES && bare; j++)
				in.nsteps[i][j] = 0;
			if (!bare)
				stocked[nstocked++] = i;
		}
		instance_search(&in, &all);
		in.problem.stocked = stocked;
		in.problem.nstocked = nstocked;
		instance_search(&in, &few);
		if (all.exact && (!few.exact || !plans_equal(&all.best, &few.best, in.problem.nlines)))
			rule = 1;
		if (all.nodes_read < few.nodes_read)
			rule = 2;
		for (i = 0, j = 0; i < in.problem.nnodes; i++)
		{
			if (j < nstocked && stocked[j] == i)
			{
				j++;
				if (few.nodes[i].bound < all.nodes[i].bound)
					rule = 3;
				continue;
			}
			if (few.nodes[i].read || few.nodes[i].bound != INT64_MAX)
				rule = 4;
			spared += all.nodes[i].read;
		}
		if (rule && failures++ < 5)
			printf("# instance %d with nodes without stock: rule %d\n", number, rule);
		instance_free(&in);
	}
	printf("# nodes without stock that were not read: %d\n", spared);
	return failures;
}
