/*
 * lines.c
 *		What is derived from the order's lines, and what a node lacks for them.
 */
#include <string.h>

#include "cost.h"

/* number the items, add up what is wanted of each, see what is special */
void
src_set_up_lines(SrcSearch *search)
{
	const SrcProblem *problem = search->problem;
	bool		by_ship_day = false;
	bool		by_delivery = false;
	int64_t		must_serve = 1; /* so that no plan that does not serve all is of use */
	int32_t		i;
	int32_t		j;

	search->any_excluded = problem->line_nodes != NULL;
	search->complete = problem->one_date || problem->all_or_nothing;
	for (i = 0; i < problem->nlines && search->complete; i++)
		must_serve = src_add(must_serve, problem->lines[i].backorder_penalty);
	must_serve = must_serve < search->amount_limit / 16 ? must_serve * 16 : search->amount_limit;
	search->constrained = search->complete || problem->split_min_value > 0;
	for (i = 0; i < problem->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		SrcLineInfo *info = &search->lines[i];
		int64_t		wanted = line->quantity > 0 ? line->quantity : 0;
		src_int128	weight;

		for (j = 0; j < i; j++)
			if (problem->lines[j].item == line->item)
				break;
		if (j < i)
		{
			info->item = search->lines[j].item;
			info->shared = true;
			info->need = src_add(search->lines[j].need, wanted);
			for (j = 0; j < i; j++)
			{
				if (search->lines[j].item != info->item)
					continue;
				search->lines[j].need = info->need;
				search->lines[j].shared = true;
			}
			search->any_shared = true;
		}
		else
		{
			info->item = search->nitems;
			info->shared = false;
			info->need = wanted;
			search->item_number[search->nitems++] = line->item;
		}
		weight = (src_int128) wanted * line->unit_weight / SRC_SCALE;
		info->weight = weight > INT64_MAX ? INT64_MAX : (int64_t) weight;
		search->order_units = src_add(search->order_units, wanted);
		search->order_weight = src_add(search->order_weight, src_add(info->weight, 1));
		info->serving = 0;
		info->unserved = wanted == 0 ? 0 :
			line->backorder_penalty < search->amount_limit ?
			line->backorder_penalty : search->amount_limit;
		info->unserved_rate = src_unserved_rate(line);
		if (search->complete && wanted > 0)
		{
			info->unserved = must_serve;
			info->unserved_rate = (src_int128) 1 << 123;
		}
		search->unserved += info->unserved;
		search->best_lines += info->unserved;
		info->cheapest = info->unserved;
		info->best = info->unserved;
		memset(info->top, 0, sizeof(info->top));
		if (line->by_ship_day)
			by_ship_day = true;
		else
			by_delivery = true;
		if (line->pinned_node >= 0)
			search->any_excluded = true;
		if (line->max_part > 0 && line->max_part < line->quantity)
			search->sole_parts = true;
		search->any_group |= line->group >= 0;
		if (line->min_part > 0 || line->max_part > 0 || line->multiple > 0 ||
			line->split_min > 0 || line->group >= 0)
			search->constrained = true;
	}
	search->plain_lines = problem->nlines > 0 && !search->any_excluded &&
		problem->lane_forbidden == NULL;
	for (i = 1; i < problem->nlines && search->plain_lines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		const SrcLine *first = &problem->lines[0];

		search->plain_lines = line->requested == first->requested &&
			line->by_ship_day == first->by_ship_day &&
			line->early_ok == first->early_ok &&
			line->not_before == first->not_before && line->latest == first->latest;
	}
	search->mixed = by_ship_day && by_delivery;
	search->coupled = search->any_shared || search->constrained;
}

/*
 * The first ship day on which the lane could carry the line as far as dates
 * go; "possible" is the first one that the lane has.  CALENDAR_NEVER if there
 * is none; "latest" is not looked at.
 */
int32_t
src_first_ship(const SrcProblem *problem, const SrcLane *lane,
			   const SrcLine *line, int32_t possible)
{
	int32_t		day = possible;

	if (possible == CALENDAR_NEVER)
		return CALENDAR_NEVER;
	if (!line->early_ok)
	{
		int32_t		target;

		target = line->by_ship_day ? calendar_until(lane->pickup, line->requested) :
			src_latest_ship_day(problem, lane, line->requested);
		if (target != CALENDAR_NEVER && target > day)
			day = target;
	}
	if (line->not_before > day)
		day = calendar_from(lane->pickup, line->not_before);
	return day;
}

static int64_t
offered_on(const SrcProfile *profile, int32_t day)
{
	int64_t		available = 0;
	int32_t		i;

	for (i = 0; i < profile->nsteps && profile->steps[i].day <= day; i++)
		available = profile->steps[i].available;
	return available > 0 ? available : 0;
}

/*
 * Why the node cannot serve everything: the first line that is short on its
 * target day, on the lane on which it is least short.  Lines of one item are
 * served in input order here.
 */
void
src_find_shortage(const SrcSearch *search, int32_t which, SrcNodeResult *out)
{
	const SrcProblem *problem = search->problem;
	const SrcNode *node = &problem->nodes[which];
	int32_t		i;
	int32_t		j;

	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *line = &problem->lines[i];
		const SrcLineInfo *info = &search->lines[i];
		const SrcProfile *profile = &search->profile[info->item];
		int64_t		before = 0;
		int64_t		offered = -1;
		int32_t		offered_day = CALENDAR_NEVER;

		for (j = 0; j < i && info->shared; j++)
			if (search->lines[j].item == info->item &&
				src_may_serve(search, which, j))
				before = src_add(before, problem->lines[j].quantity);
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
		{
			const SrcLane *lane = &problem->lanes[j];
			int32_t		ship;
			int32_t		day;
			int64_t		left = 0;

			ship = src_first_ship(problem, lane, line,
								  src_ship_day(problem, lane, node->today));
			if (ship == CALENDAR_NEVER)
				continue;
			day = src_stock_day(problem, lane, ship);
			if (src_may_serve(search, which, i) && src_may_go(problem, j, i))
				left = offered_on(profile, day) - before;
			if (left < 0)
				left = 0;
			if (left > offered || (left == offered && day < offered_day))
			{
				offered = left;
				offered_day = day;
			}
		}
		if (offered >= line->quantity)
			continue;
		out->short_line = i;
		out->short_available = offered > 0 ? offered : 0;
		out->short_day = offered_day;
		for (j = 0; src_may_serve(search, which, i) && j < profile->nsteps; j++)
		{
			if (profile->steps[j].available - before < line->quantity)
				continue;
			out->complete_day = profile->steps[j].day;
			if (out->complete_day < out->short_day)
				out->complete_day = out->short_day;
			break;
		}
		return;
	}
}
