/*
 * parts.c
 *		Kits and substitutes in the plan search.
 *
 * The search knows one item for each line.  A kit is for it an item of which a
 * node has what the node's components allow on each day, and a line's
 * substitute one of which it has what the ratio makes of its stock; so a plan
 * takes the components together, in one shipment, in proportion.
 *
 * That two such items eat the same stock the search does not know.  A plan
 * that does not overdraw it is the cheapest.  Where one does, the lines that
 * share the stock get quotas at that node: what the first of them takes, the
 * rest for the next, and so on; and the search is run again, until nothing is
 * overdrawn.  Whatever a line takes within its quota fits with what the others
 * take within theirs.  Both orders of the lines are tried, kits first and kits
 * last, and the cheaper plan is taken: it is feasible, but not proved to be
 * the cheapest.
 */
#include "orders/parts.h"

#include "base/quantity.h"

#define MOST_ROUNDS		12

/* The units of an item that one unit of a line takes; 0: none. */
int64
line_takes(const OrderLine *line, const char *item)
{
	if (line->nparts == 0)
		return strcmp(line->item, item) == 0 ? SCALE : 0;
	for (int i = 0; i < line->nparts; i++)
	{
		if (strcmp(line->parts[i].item, item) == 0)
			return line->parts[i].per;
	}
	return 0;
}

static int64
common_divisor(int64 a, int64 b)
{
	while (b != 0)
	{
		int64		rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * The smallest quantity of a line that its parts can serve exactly, without a
 * fifth decimal.  Kits, and what has serial numbers, are not divided at all.
 */
int64
line_step(const OrderLine *line)
{
	if (line->nparts == 0 || (line->completes != NULL && !line->serial))
		return 1;
	if (line->substitute == NULL || line->serial)
		return SCALE;
	return SCALE / common_divisor(SCALE, line->parts[0].per);
}

static const char *
part_item(const OrderLine *line, int i)
{
	return line->nparts == 0 ? line->item : line->parts[i].item;
}

/* Whether items of the problem that stand for different things eat the same stock. */
void
parts_find_shared(SalesOrder *order, int nitems)
{
	order->shared = false;
	for (int i = 0; i < nitems; i++)
	{
		const OrderLine *a = order->problem_items[i];

		for (int k = 0; a->nparts > 0 && k < nitems && !order->shared; k++)
		{
			for (int j = 0; k != i && j < a->nparts; j++)
				order->shared |= line_takes(order->problem_items[k], a->parts[j].item) > 0;
		}
	}
}

/* What is there of an item on a day. */
int64
profile_at(const SrcProfile *profile, int32 day)
{
	int64		available = 0;

	for (int i = 0; i < profile->nsteps && profile->steps[i].day <= day; i++)
		available = profile->steps[i].available;
	return available;
}

static int
compare_days(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return x < y ? -1 : x > y;
}

/* What a node has of the parts of a line, in the line's units. */
void
parts_profile(PlanContext *ctx, int node, int number, SrcProfile *out)
{
	const OrderLine *line = ctx->order->problem_items[number];
	SrcProfile *profiles = palloc0(sizeof(SrcProfile) * line->nparts);
	int64		step = line_step(line);
	int			n = 0;
	int			ndays = 0;
	int32	   *days;
	SrcStep    *steps;

	for (int i = 0; i < line->nparts; i++)
	{
		item_profile(ctx, node, number, line->parts[i].item, line->parts[i].per, &profiles[i]);
		if (profiles[i].nsteps > 0)
		{
			/* the ledger lends its steps until it is asked again */
			SrcStep    *own = palloc(sizeof(SrcStep) * profiles[i].nsteps);

			memcpy(own, profiles[i].steps, sizeof(SrcStep) * profiles[i].nsteps);
			profiles[i].steps = own;
		}
		n += profiles[i].nsteps;
	}
	days = palloc(sizeof(int32) * Max(n, 1));
	for (int i = 0; i < line->nparts; i++)
	{
		for (int k = 0; k < profiles[i].nsteps; k++)
			days[ndays++] = profiles[i].steps[k].day;
	}
	qsort(days, ndays, sizeof(int32), compare_days);
	steps = palloc(sizeof(SrcStep) * Max(n, 1));
	out->nsteps = 0;
	for (int d = 0; d < ndays; d++)
	{
		int64		available = SCALED_MAX;

		if (d > 0 && days[d] == days[d - 1])
			continue;
		for (int i = 0; i < line->nparts; i++)
		{
			int128		units = (int128) profile_at(&profiles[i], days[d]) * SCALE / line->parts[i].per;

			available = (int64) Min((int128) available, units);
		}
		available -= available % step;
		steps[out->nsteps].day = days[d];
		steps[out->nsteps++].available = available;
	}
	out->steps = steps;
}

/* Leave a line of what there is what its quota allows. */
void
parts_apply_quota(const PlanContext *ctx, int node, int number, const char *item, SrcProfile *profile)
{
	const SalesOrder *order = ctx->order;
	int64		others = 0;
	int64		most = PG_INT64_MAX;
	SrcStep    *steps;

	if (!order->shared || ctx->without_quotas)
		return;
	if (ctx->strict)
	{
		for (int i = 0; i < ctx->nitems; i++)
		{
			if (i != number)
				others += (int64) ((int128) order->problem_needs[i] *
								   line_takes(order->problem_items[i], item) / SCALE);
		}
	}
	for (int i = 0; i < ctx->nquotas && !ctx->strict; i++)
	{
		const Quota *q = &ctx->quotas[i];

		if (q->node == node && q->number == number && strcmp(q->item, item) == 0)
		{
			others = q->others;
			most = q->most;
		}
	}
	if (others == 0 && most == PG_INT64_MAX)
		return;
	steps = palloc(sizeof(SrcStep) * Max(profile->nsteps, 1));
	for (int i = 0; i < profile->nsteps; i++)
	{
		steps[i] = profile->steps[i];
		steps[i].available = Min(Max(steps[i].available - others, 0), most);
	}
	profile->steps = steps;
}

/* What a plan takes of an item at a node until a day, for one item of the problem or all (-1). */
static int64
taken(const SalesOrder *order, const SrcPlan *plan, int node, const char *item, int32 day, int number)
{
	int64		sum = 0;

	for (int i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];
		const SrcShipment *s = &plan->shipments[part->shipment];
		int			of = order->problem.lines[part->line].item;

		if (s->node == node && s->day <= day && (number < 0 || of == number))
			sum += (int64) ((int128) part->quantity * line_takes(order->problem_items[of], item) / SCALE);
	}
	return sum;
}

/* Whether a plan takes more of an item at a node than there is, for some part of it. */
static bool
overdraws(PlanContext *ctx, const SrcPlan *plan, int node, const char *item)
{
	const SalesOrder *order = ctx->order;
	bool		result = false;

	ctx->without_quotas = true;
	for (int i = 0; i < plan->nparts && !result; i++)
	{
		const SrcPart *part = &plan->parts[i];
		const SrcShipment *s = &plan->shipments[part->shipment];
		int			of = order->problem.lines[part->line].item;
		SrcProfile	profile;

		if (s->node != node || line_takes(order->problem_items[of], item) == 0)
			continue;
		item_profile(ctx, node, of, item, SCALE, &profile);
		result = taken(order, plan, node, item, s->day, -1) > profile_at(&profile, s->day);
	}
	ctx->without_quotas = false;
	return result;
}

/* Kits first, or last; then as the lines stand. */
static bool
comes_before(const SalesOrder *order, int a, int b, bool kits_last)
{
	bool		kit_a = order->problem_items[a]->nparts > 0;
	bool		kit_b = order->problem_items[b]->nparts > 0;

	if (kit_a != kit_b)
		return kit_a != kits_last;
	return kits_last ? a > b : a < b;
}

static bool
has_quotas(const PlanContext *ctx, int node, const char *item)
{
	for (int i = 0; i < ctx->nquotas; i++)
	{
		if (ctx->quotas[i].node == node && strcmp(ctx->quotas[i].item, item) == 0)
			return true;
	}
	return false;
}

static void
add_quotas(PlanContext *ctx, const SrcPlan *plan, int node, const char *item, bool kits_last)
{
	const SalesOrder *order = ctx->order;

	for (int a = 0; a < ctx->nitems; a++)
	{
		Quota	   *q;

		if (line_takes(order->problem_items[a], item) == 0)
			continue;
		ctx->quotas = ctx->quotas == NULL ? palloc(sizeof(Quota)) :
			repalloc(ctx->quotas, sizeof(Quota) * (ctx->nquotas + 1));
		q = &ctx->quotas[ctx->nquotas++];
		q->node = node;
		q->number = a;
		q->item = item;
		q->others = 0;
		q->most = PG_INT64_MAX;
		for (int b = 0; b < ctx->nitems; b++)
		{
			if (b == a || line_takes(order->problem_items[b], item) == 0)
				continue;
			if (comes_before(order, b, a, kits_last))
				q->others += taken(order, plan, node, item, PG_INT32_MAX, b);
			else
				/* others come after it: it takes no more than it did */
				q->most = taken(order, plan, node, item, PG_INT32_MAX, a);
		}
	}
}

/* Give quotas wherever a plan overdraws.  False: it does so nowhere. */
static bool
restrain(PlanContext *ctx, const SrcPlan *plan, bool kits_last)
{
	const SalesOrder *order = ctx->order;
	bool		any = false;

	for (int i = 0; i < plan->nparts; i++)
	{
		int			node = plan->shipments[plan->parts[i].shipment].node;
		const OrderLine *line = order->problem_items[order->problem.lines[plan->parts[i].line].item];

		for (int k = 0; k < Max(line->nparts, 1); k++)
		{
			const char *item = part_item(line, k);

			if (!has_quotas(ctx, node, item) && overdraws(ctx, plan, node, item))
			{
				add_quotas(ctx, plan, node, item, kits_last);
				any = true;
			}
		}
	}
	return any;
}

/* Search the order's problem, whose lines may share stock under different names. */
void
parts_search(SalesOrder *order, SrcResult *result)
{
	PlanContext *ctx = order->problem.arg;
	SrcResult	first;
	SrcAsked	asked = {0};
	int64		least;

	plan_search(&order->problem, result);
	if (!order->shared)
		return;
	least = result->best.total - (result->exact ? 0 : result->gap);
	memset(&first, 0, sizeof(first));
	for (int direction = 0; direction < 2; direction++)
	{
		if (direction > 0)
		{
			first = *result;
			asked = ctx->asked;
			ctx->nquotas = 0;
			ctx->strict = false;
			memset(&ctx->asked, 0, sizeof(ctx->asked));
			plan_search(&order->problem, result);
		}
		for (int round = 1; restrain(ctx, &result->best, direction > 0); round++)
		{
			ctx->strict = round == MOST_ROUNDS;
			memset(&ctx->asked, 0, sizeof(ctx->asked));
			plan_search(&order->problem, result);
			if (ctx->strict)
				break;
		}
		if (ctx->nquotas == 0)
			return;				/* nothing is overdrawn: the cheapest */
	}
	if (first.best.total <= result->best.total)
	{
		*result = first;
		ctx->asked = asked;
	}
	/* the plan that overdraws is a bound */
	result->exact = result->best.total <= least;
	result->gap = result->exact ? 0 : result->best.total - least;
}
