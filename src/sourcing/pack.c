/*
 * pack.c
 *		Writing the inputs of a plan search as a few bytes.
 *
 * This is on the way of every order that is routed: one pass, no memory but
 * the record's own and a few small arrays.
 */
#include <limits.h>
#include <string.h>

#include "dates.h"
#include "writer.h"

#define FIRST_SIZE		512
#define MARGIN_DAYS		28		/* a search may look past the last day that it needs */
#define ONE_DATE_DAYS	366		/* more so if it looks for a common day */

static const RecordKind outcome_kind = REC_OUTCOME;
static const RecordKind problem_kind = REC_PROBLEM;
static const RecordKind node_kind = REC_NODE;
static const RecordKind lane_kind = REC_LANE;
static const RecordKind line_kind = REC_LINE;
static const RecordKind line_node_kind = REC_LINE_NODE;
static const RecordKind room_kind = REC_ROOM;


/* the nodes that were read, in their order; not many, and mostly sorted */
static bool
sort_nodes(const SrcResult *result, int32_t *nodes)
{
	bool		sorted = true;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < result->nodes_read; i++)
	{
		int32_t		node = result->read_order[i];

		for (j = i; j > 0 && nodes[j - 1] > node; j--)
		{
			nodes[j] = nodes[j - 1];
			sorted = false;
		}
		nodes[j] = node;
	}
	return sorted;
}

/* the new number of a node that was read, or -1 */
static int32_t
find_node(const SrcWriter *w, int32_t node)
{
	int32_t		low = 0;
	int32_t		high = w->nnodes;

	while (low < high)
	{
		int32_t		middle = low + (high - low) / 2;

		if (w->nodes[middle] == node)
			return middle;
		if (w->nodes[middle] < node)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

static void
number_items(SrcWriter *w)
{
	const SrcLine *lines = w->problem->lines;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < w->problem->nlines; i++)
	{
		for (j = 0; j < w->nitems && lines[w->item_line[j]].item != lines[i].item; j++)
			;
		if (j == w->nitems)
			w->item_line[w->nitems++] = i;
		w->item_of[i] = j;
	}
}

/* place the answers where they will be written: the search asks item by item */
static void
place_profiles(SrcWriter *w, const SrcAsked *asked)
{
	int32_t		item = 0;
	int32_t		i;
	int32_t		j;

	memset(w->asked, 0, sizeof(int32_t) * (size_t) w->nnodes * (size_t) w->nitems);
	for (i = 0; i < asked->nprofiles; i++)
	{
		const SrcAskedProfile *own = &asked->profiles[i];
		int32_t		node = find_node(w, own->node);

		for (j = 0; j < w->nitems; j++)
		{
			if (w->problem->lines[w->item_line[item]].item == own->item)
				break;
			item = item + 1 < w->nitems ? item + 1 : 0;
		}
		if (node >= 0 && j < w->nitems)
			w->asked[node * w->nitems + item] = i + 1;
	}
}

/*
 * The steps that can matter: not those after the last line that could want the
 * item is satisfied, unless what is there is part of the price, or less later.
 */
static int32_t
steps_that_count(const SrcWriter *w, int32_t item, const SrcProfile *profile)
{
	const SrcProblem *problem = w->problem;
	int64_t		need = 0;
	int32_t		n = profile->nsteps;
	int32_t		i;

	if (n < 2)
		return n;
	for (i = w->item_line[item]; i < problem->nlines; i++)
	{
		if (w->item_of[i] != item)
			continue;
		if (problem->lines[i].balance_price != 0 ||
			__builtin_add_overflow(need, problem->lines[i].quantity, &need))
			return n;
	}
	while (n >= 2 && profile->steps[n - 2].available >= need &&
		   profile->steps[n - 2].available <= profile->steps[n - 1].available)
		n--;
	return n;
}

static void
put_profile(SrcWriter *w, int32_t item, const SrcProfile *profile)
{
	int32_t		n = steps_that_count(w, item, profile);
	int32_t		i;

	src_w_ensure(w, SRC_W_SMALL);
	src_w_put(w, (uint64_t) n + 1);
	for (i = 0; i < n; i++)
	{
		const SrcStep *step = &profile->steps[i];
		int64_t		more = step->available;
		bool		less = false;

		src_w_ensure(w, SRC_W_SMALL);
		if (i > 0)
		{
			uint64_t	days = (uint64_t) ((int64_t) step->day - step[-1].day - 1);

			if (step->day <= step[-1].day)
				w->fits = false;
			more -= step[-1].available;
			less = more < 0;
			src_w_put(w, days << 1 | less);
		}
		else
			src_w_day(w, step->day);
		if (step->available < 0)
			w->fits = false;
		src_w_amount(w, less ? -more : more);
	}
}

static int32_t
calendar_number(SrcWriter *w, const Calendar *calendar)
{
	int32_t		i;

	if (calendar == NULL)
		return 0;
	for (i = 0; i < w->ncalendars; i++)
		if (w->calendars[i] == calendar)
			return i + 1;
	w->calendars[w->ncalendars++] = calendar;
	return w->ncalendars;
}

/* the last day with anything that a search might wait for */
static int32_t
last_event(const SrcWriter *w, const SrcAsked *asked)
{
	const SrcProblem *problem = w->problem;
	int32_t		last = w->base;
	int32_t		i;
	int32_t		j;

#define LATEST(day) do { if ((day) > last) last = (day); } while (0)
	for (i = 0; i < w->nnodes; i++)
	{
		const SrcNode *node = &problem->nodes[w->nodes[i]];

		LATEST(node->today);
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
		{
			LATEST(problem->lanes[j].first_ship);
			LATEST(problem->lanes[j].open_day);
		}
	}
	for (i = 0; i < problem->nlines; i++)
	{
		LATEST(problem->lines[i].requested);
		LATEST(problem->lines[i].not_before);
		if (problem->lines[i].latest != INT32_MAX)
			LATEST(problem->lines[i].latest);
	}
	for (i = 0; i < asked->nprofiles; i++)
	{
		const SrcProfile *profile = &asked->profiles[i].profile;

		if (profile->nsteps > 0)
			LATEST(profile->steps[profile->nsteps - 1].day);
	}
	for (i = 0; i < asked->nrooms; i++)
		LATEST(asked->rooms[i].ship_day);
#undef LATEST
	return last;
}

/*
 * How far the calendars are looked at: what leaves after the last event of all
 * arrives on the last day that can matter, and every step of the way to it
 * lies before.
 */
static int64_t
reach(const SrcWriter *w, const SrcAsked *asked)
{
	const SrcProblem *problem = w->problem;
	int32_t		event = last_event(w, asked);
	int32_t		last = event;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < w->nnodes; i++)
	{
		const SrcNode *node = &problem->nodes[w->nodes[i]];

		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
		{
			const SrcLane *lane = &problem->lanes[j];
			int32_t		day = src_ship_day(problem, lane, event);

			if (day > last)
				last = day;
			day = src_arrival_day(problem, lane, day);
			if (day > last)
				last = day;
		}
	}
	return (int64_t) last + (problem->one_date ? ONE_DATE_DAYS : MARGIN_DAYS);
}

static void
put_calendars(SrcWriter *w, const SrcAsked *asked)
{
	int64_t		last = INT64_MIN;
	int32_t		i;
	int32_t		j;

	src_w_ensure(w, SRC_W_ROOM);
	src_w_put(w, (uint64_t) w->ncalendars);
	for (i = 0; i < w->ncalendars; i++)
	{
		const Calendar *own = w->calendars[i];
		int32_t		first = 0;
		int32_t		end;
		int64_t		before = w->base;

		for (end = own->nexceptions; first < end;)
		{
			int32_t		middle = first + (end - first) / 2;

			if (own->exceptions[middle] < w->base)
				first = middle + 1;
			else
				end = middle;
		}
		if (first < own->nexceptions && last == INT64_MIN)
			last = reach(w, asked);
		for (end = first; end < own->nexceptions && own->exceptions[end] <= last; end++)
			;
		src_w_ensure(w, SRC_W_ROOM);
		src_w_put(w, (uint64_t) (end - first) << 7 | (own->week & 0x7f));
		for (j = first; j < end; j++)
		{
			src_w_ensure(w, SRC_W_SMALL);
			src_w_put(w, (uint64_t) (own->exceptions[j] - before));
			before = (int64_t) own->exceptions[j] + 1;
		}
	}
}

static void
put_nodes(SrcWriter *w)
{
	const SrcProblem *problem = w->problem;
	int64_t		before[REC_MOST_FIELDS];
	int64_t		lane_before[REC_MOST_FIELDS];
	int32_t		i;
	int32_t		j;

	memcpy(before, node_kind.defaults, sizeof(before));
	memcpy(lane_before, lane_kind.defaults, sizeof(lane_before));
	before[0] = w->base;
	for (i = 0; i < w->nnodes; i++)
	{
		const SrcNode *node = &problem->nodes[w->nodes[i]];
		const int64_t row[] = {
			node->today, node->handling_days, node->handling, node->preference,
			node->distance, node->min_value, node->nlanes,
			calendar_number(w, node->calendar)
		};

		if (node->handling_days > SRC_PACK_DAYS)
			w->fits = false;
		src_w_row(w, &node_kind, before, row);
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
		{
			const SrcLane *lane = &problem->lanes[j];
			const int64_t lane_row[] = {
				lane->transit_days, lane->base, lane->per_kg, lane->max_weight,
				lane->first_ship, lane->open_day, lane->risk,
				calendar_number(w, lane->pickup), calendar_number(w, lane->transit)
			};

			if (lane->transit_days > SRC_PACK_DAYS)
				w->fits = false;
			src_w_row(w, &lane_kind, lane_before, lane_row);
		}
	}
}

static void
put_lines(SrcWriter *w)
{
	int64_t		before[REC_MOST_FIELDS];
	int32_t		i;

	memcpy(before, line_kind.defaults, sizeof(before));
	before[4] = w->base;
	for (i = 0; i < w->problem->nlines; i++)
	{
		const SrcLine *line = &w->problem->lines[i];
		int64_t		pinned = 0;
		int64_t		row[REC_MOST_FIELDS];

		if (line->pinned_node >= 0)
		{
			pinned = find_node(w, line->pinned_node) + 1;
			if (pinned == 0)
				pinned = (int64_t) w->nnodes + 1;
		}
		before[0]++;
		row[0] = w->item_of[i];
		row[1] = pinned;
		row[2] = line->quantity;
		row[3] = line->unit_weight;
		row[4] = line->requested;
		row[5] = line->by_ship_day;
		row[6] = line->early_ok;
		row[7] = line->not_before;
		row[8] = line->latest;
		row[9] = line->group < 0 ? 0 : (int64_t) line->group + 1;
		row[10] = line->lateness_per_day;
		row[11] = line->backorder_penalty;
		row[12] = line->sla_penalty;
		row[13] = line->balance_price;
		row[14] = line->unit_value;
		row[15] = line->min_part;
		row[16] = line->max_part;
		row[17] = line->multiple;
		row[18] = line->split_min;
		src_w_row(w, &line_kind, before, row);
	}
}

static void
put_line_nodes(SrcWriter *w)
{
	const SrcProblem *problem = w->problem;
	int64_t		before[REC_MOST_FIELDS];
	int32_t		i;
	int32_t		j;

	memcpy(before, line_node_kind.defaults, sizeof(before));
	for (i = 0; i < problem->nlines; i++)
		for (j = 0; j < w->nnodes; j++)
		{
			const SrcLineNode *own = &problem->line_nodes
				[(size_t) i * (size_t) problem->nnodes + (size_t) w->nodes[j]];
			const int64_t row[] = {own->forbidden, own->goods, own->custom};

			src_w_row(w, &line_node_kind, before, row);
		}
}

static void
put_forbidden(SrcWriter *w)
{
	const SrcProblem *problem = w->problem;
	uint32_t	bits = 0;
	int32_t		nbits = 0;
	int32_t		i;
	int32_t		j;
	int32_t		k;

	for (i = 0; i < problem->nlines; i++)
	{
		const bool *forbidden = problem->lane_forbidden +
			(size_t) i * (size_t) problem->nlanes;

		for (j = 0; j < w->nnodes; j++)
		{
			const SrcNode *node = &problem->nodes[w->nodes[j]];

			for (k = node->first_lane; k < node->first_lane + node->nlanes; k++)
			{
				bits |= (uint32_t) forbidden[k] << nbits++;
				if (nbits < 8)
					continue;
				src_w_ensure(w, SRC_W_SMALL);
				*w->at++ = (uint8_t) bits;
				bits = 0;
				nbits = 0;
			}
		}
	}
	src_w_ensure(w, SRC_W_SMALL);
	if (nbits > 0)
		*w->at++ = (uint8_t) bits;
}

static void
put_rooms(SrcWriter *w, const SrcAsked *asked)
{
	int64_t		before[REC_MOST_FIELDS];
	int32_t		i;

	memcpy(before, room_kind.defaults, sizeof(before));
	before[1] = w->base;
	src_w_ensure(w, SRC_W_SMALL);
	src_w_put(w, (uint64_t) asked->nrooms);
	for (i = 0; i < asked->nrooms; i++)
	{
		const SrcAskedRoom *own = &asked->rooms[i];
		const int64_t row[] = {
			find_node(w, own->node), own->ship_day, own->room.shipments,
			own->room.lines, own->room.units, own->room.price
		};

		src_w_row(w, &room_kind, before, row);
	}
}

static void
put_names(SrcWriter *w, const SrcNamer *namer)
{
	const SrcProblem *problem = w->problem;
	int64_t		before = 0;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < w->nnodes; i++)
	{
		const SrcNode *node = &problem->nodes[w->nodes[i]];

		src_w_text(w, namer->node(namer->arg, w->nodes[i]));
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
			src_w_text(w, namer->lane(namer->arg, j));
	}
	for (i = 0; i < problem->nlines; i++)
	{
		int64_t		number = namer->line_no(namer->arg, i);

		src_w_text(w, namer->item(namer->arg, i));
		src_w_put(w, src_w_zigzag((int64_t) ((uint64_t) number - (uint64_t) before - 1)));
		before = number;
	}
}

/* as src_unpack's caller would compute it */
static uint32_t
fingerprint(const SrcWriter *w, const SrcPlan *plan)
{
	const SrcNode *nodes = w->problem->nodes;
	int32_t    *node_of = src_w_memory(w, sizeof(int32_t), 2 * (int64_t) plan->nshipments);
	int32_t    *lane_of = node_of + plan->nshipments;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *own = &plan->shipments[i];

		node_of[i] = find_node(w, own->node);
		lane_of[i] = own->lane - nodes[own->node].first_lane;
		for (j = 0; j < node_of[i]; j++)
			lane_of[i] += nodes[w->nodes[j]].nlanes;
	}
	return src_fingerprint(plan, w->problem->nlines, node_of, lane_of);
}

size_t
src_pack(const SrcProblem *problem, const SrcResult *result, const SrcAsked *asked,
		 const SrcNamer *namer, size_t head, uint8_t **bytes)
{
	SrcWriter		w;
	bool		sorted;
	uint32_t	flags;
	uint32_t	mark;
	int64_t		grid;
	int64_t		nlanes = 0;
	int64_t		receiving;
	int32_t		i;
	int32_t		j;

	w.problem = problem;
	w.fits = true;
	w.nnodes = result->nodes_read;
	w.nitems = 0;
	w.ncalendars = 0;
	w.ntexts = 0;

	/* numbers: nodes, items, calendars */
	w.nodes = src_w_memory(&w, sizeof(int32_t), (int64_t) w.nnodes + 2 * (int64_t) problem->nlines);
	w.item_of = w.nodes + w.nnodes;
	w.item_line = w.item_of + problem->nlines;
	sorted = sort_nodes(result, w.nodes);
	number_items(&w);
	grid = (int64_t) w.nnodes * w.nitems;
	if (grid > INT32_MAX)
		return 0;
	w.asked = src_w_memory(&w, sizeof(int32_t), grid);
	place_profiles(&w, asked);
	w.base = w.nnodes > 0 ? problem->nodes[w.nodes[0]].today : 0;
	for (i = 0; i < w.nnodes; i++)
	{
		nlanes += problem->nodes[w.nodes[i]].nlanes;
		if (problem->nodes[w.nodes[i]].today < w.base)
			w.base = problem->nodes[w.nodes[i]].today;
	}
	w.calendars = src_w_memory(&w, sizeof(Calendar *), 2 * nlanes + w.nnodes + 1);
	receiving = calendar_number(&w, problem->receiving);
	for (i = 0; i < w.nnodes; i++)
	{
		const SrcNode *node = &problem->nodes[w.nodes[i]];

		if (node->handling_days < 0 || node->handling_days > SRC_PACK_DAYS)
			return 0;
		calendar_number(&w, node->calendar);
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
		{
			const SrcLane *lane = &problem->lanes[j];

			if (lane->transit_days < 0 || lane->transit_days > SRC_PACK_DAYS)
				return 0;
			calendar_number(&w, lane->pickup);
			calendar_number(&w, lane->transit);
		}
	}

	w.start = src_w_memory(&w, 1, (int64_t) head + FIRST_SIZE);
	w.at = w.start + head;
	w.end = w.at + FIRST_SIZE;
	flags = (problem->one_date ? REC_ONE_DATE : 0) |
		(problem->all_or_nothing ? REC_ALL_OR_NOTHING : 0) |
		(result->exact ? REC_EXACT : 0) |
		(problem->line_nodes != NULL ? REC_LINE_NODES : 0) |
		(problem->lane_forbidden != NULL ? REC_FORBIDDEN : 0) |
		(problem->room != NULL ? REC_ROOMS : 0) |
		(sorted ? 0 : REC_ORDER) | (namer != NULL ? REC_NAMES : 0);
	*w.at++ = SRC_PACK_VERSION;
	src_w_put(&w, flags);
	src_w_put(&w, src_w_zigzag(w.base));
	mark = fingerprint(&w, &result->best);
	for (i = 0; i < 4; i++)
		*w.at++ = (uint8_t) (mark >> (8 * i));
	{
		const int64_t outcome[] = {result->best.total, result->unread_bound, result->gap};
		const int64_t row[] = {
			problem->split_penalty, problem->split_min_value, problem->max_shipments,
			problem->work_limit, receiving
		};

		src_w_single(&w, &outcome_kind, outcome);
		src_w_single(&w, &problem_kind, row);
	}
	put_calendars(&w, asked);
	src_w_put(&w, (uint64_t) w.nnodes);
	put_nodes(&w);
	src_w_ensure(&w, SRC_W_ROOM);
	for (i = 0; i < w.nnodes && !sorted; i++)
	{
		src_w_ensure(&w, SRC_W_SMALL);
		src_w_put(&w, (uint64_t) find_node(&w, result->read_order[i]));
	}
	src_w_put(&w, (uint64_t) problem->nlines);
	src_w_put(&w, (uint64_t) w.nitems);
	put_lines(&w);
	if (problem->line_nodes != NULL)
		put_line_nodes(&w);
	if (problem->lane_forbidden != NULL)
		put_forbidden(&w);
	for (i = 0; i < grid; i++)
	{
		src_w_ensure(&w, SRC_W_SMALL);
		if (w.asked[i] == 0)
			src_w_put(&w, 0);
		else
			put_profile(&w, i % w.nitems, &asked->profiles[w.asked[i] - 1].profile);
	}
	if (problem->room != NULL)
		put_rooms(&w, asked);
	if (namer != NULL)
		put_names(&w, namer);
	*bytes = w.start;
	return w.fits ? (size_t) (w.at - w.start) - head : 0;
}
