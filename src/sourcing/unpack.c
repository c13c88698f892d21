/*
 * unpack.c
 *		From a packed record back to a problem that can be searched.
 *
 * Nothing in the bytes is believed.  Every count is checked against what is
 * left of them, every element takes at least a bit of the record (mostly a
 * byte), and what the search relies on (ranges, order, signs) is checked while
 * it is read.
 */
#include <string.h>

#include "reader.h"

static const RecordKind outcome_kind = REC_OUTCOME;
static const RecordKind problem_kind = REC_PROBLEM;
static const RecordKind node_kind = REC_NODE;
static const RecordKind lane_kind = REC_LANE;
static const RecordKind line_kind = REC_LINE;
static const RecordKind line_node_kind = REC_LINE_NODE;
static const RecordKind room_kind = REC_ROOM;


static const Calendar *
check_calendar(SrcReader *r, int64_t number)
{
	if (number < 0 || number > r->ncalendars)
		r->bad = true;
	return r->bad || number == 0 ? NULL : &r->calendars[number - 1];
}

static void
get_calendars(SrcReader *r)
{
	int32_t		n = src_r_count(r);
	int32_t		i;
	int32_t		j;

	r->calendars = src_r_memory(r, sizeof(Calendar), n);
	r->ncalendars = n;
	for (i = 0; i < n && !r->bad; i++)
	{
		uint64_t	code = src_r_get(r);
		int32_t    *exceptions;
		int64_t		day = r->base;

		if (code >> 7 > (uint64_t) (r->end - r->at))
		{
			r->bad = true;
			return;
		}
		r->calendars[i].week = (uint8_t) (code & 0x7f);
		r->calendars[i].nexceptions = (int32_t) (code >> 7);
		exceptions = src_r_memory(r, sizeof(int32_t), (int64_t) (code >> 7));
		r->calendars[i].exceptions = exceptions;
		for (j = 0; j < r->calendars[i].nexceptions && !r->bad; j++)
		{
			uint64_t	days = src_r_get(r);

			if (days > UINT32_MAX)
				r->bad = true;
			else
			{
				exceptions[j] = src_r_check_day(r, day + (int64_t) days);
				day = (int64_t) exceptions[j] + 1;
			}
		}
	}
}

static void
get_nodes(SrcReader *r)
{
	SrcProblem *problem = &r->out->problem;
	int64_t		row[REC_MOST_FIELDS];
	int64_t		lane_row[REC_MOST_FIELDS];
	SrcLane    *lanes = NULL;
	int32_t		maxlanes = 0;
	int32_t		i;
	int32_t		j;

	r->nnodes = src_r_count(r);

	/* one more, without lanes, for lines that are pinned elsewhere */
	r->nodes = src_r_memory(r, sizeof(SrcNode), (int64_t) r->nnodes + 1);
	r->nodes[r->nnodes].today = (int32_t) r->base;
	src_r_first(&node_kind, row);
	src_r_first(&lane_kind, lane_row);
	row[0] = r->base;
	for (i = 0; i < r->nnodes && !r->bad; i++)
	{
		SrcNode    *node = &r->nodes[i];

		src_r_row(r, &node_kind, row);
		node->today = (int32_t) row[0];
		node->handling_days = src_r_check_below(r, row[1], SRC_PACK_DAYS + 1);
		node->handling = row[2];
		node->preference = row[3];
		node->distance = row[4];
		node->min_value = row[5];
		node->first_lane = problem->nlanes;
		node->nlanes = src_r_check_below(r, row[6], r->end - r->at + 1);
		node->calendar = check_calendar(r, row[7]);
		if (r->bad)
			return;
		if (problem->nlanes + node->nlanes > maxlanes)
		{
			SrcLane    *larger;

			maxlanes = 2 * (problem->nlanes + node->nlanes);
			larger = src_r_memory(r, sizeof(SrcLane), maxlanes);
			if (problem->nlanes > 0)
				memcpy(larger, lanes, sizeof(SrcLane) * (size_t) problem->nlanes);
			lanes = larger;
		}
		for (j = 0; j < node->nlanes && !r->bad; j++)
		{
			SrcLane    *lane = &lanes[problem->nlanes++];

			src_r_row(r, &lane_kind, lane_row);
			lane->node = i;
			lane->transit_days = src_r_check_below(r, lane_row[0], SRC_PACK_DAYS + 1);
			lane->base = lane_row[1];
			lane->per_kg = lane_row[2];
			lane->max_weight = lane_row[3];
			lane->first_ship = (int32_t) lane_row[4];
			lane->open_day = (int32_t) lane_row[5];
			lane->risk = src_r_check_below(r, lane_row[6], SRC_SCALE + 1);
			lane->pickup = check_calendar(r, lane_row[7]);
			lane->transit = check_calendar(r, lane_row[8]);
		}
	}
	problem->nodes = r->nodes;
	problem->lanes = lanes;
	r->nodes[r->nnodes].first_lane = problem->nlanes;
}

static void
get_order(SrcReader *r, bool given)
{
	SrcProblem *problem = &r->out->problem;
	int32_t    *order = src_r_memory(r, sizeof(int32_t), r->nnodes);
	bool	   *seen = src_r_memory(r, sizeof(bool), r->nnodes);
	int32_t		i;

	for (i = 0; i < r->nnodes && !r->bad; i++)
	{
		uint64_t	node = given ? src_r_get(r) : (uint64_t) i;

		if (node >= (uint64_t) r->nnodes || seen[node])
		{
			r->bad = true;
			return;
		}
		seen[node] = true;
		order[i] = (int32_t) node;
	}
	problem->nread = r->nnodes;
	problem->read_order = order;
}

static void
get_lines(SrcReader *r)
{
	SrcProblem *problem = &r->out->problem;
	int64_t		row[REC_MOST_FIELDS];
	SrcLine    *lines;
	int32_t		seen = 0;
	int32_t		i;

	problem->nlines = src_r_count(r);
	r->out->nitems = src_r_count(r);
	if (r->out->nitems > problem->nlines)
		r->bad = true;
	if (r->bad)
		return;
	lines = src_r_memory(r, sizeof(SrcLine), problem->nlines);
	problem->lines = lines;
	src_r_first(&line_kind, row);
	row[4] = r->base;
	for (i = 0; i < problem->nlines && !r->bad; i++)
	{
		SrcLine    *line = &lines[i];

		row[0]++;
		src_r_row(r, &line_kind, row);
		line->item = src_r_check_below(r, row[0], r->out->nitems);
		line->pinned_node = src_r_check_below(r, row[1], (int64_t) r->nnodes + 2) - 1;
		line->quantity = row[2];
		line->unit_weight = row[3];
		line->requested = (int32_t) row[4];
		line->by_ship_day = row[5] != 0;
		line->early_ok = row[6] != 0;
		line->not_before = (int32_t) row[7];
		line->latest = (int32_t) row[8];
		line->group = src_r_check_below(r, row[9], INT32_MAX) - 1;
		line->lateness_per_day = row[10];
		line->backorder_penalty = row[11];
		line->sla_penalty = row[12];
		line->balance_price = row[13];
		line->unit_value = row[14];
		line->min_part = row[15];
		line->max_part = row[16];
		line->multiple = row[17];
		line->split_min = row[18];
		if (line->pinned_node == r->nnodes)
			r->elsewhere = true;

		/* items are numbered by their first lines */
		if (line->item > seen)
			r->bad = true;
		seen += line->item == seen;
	}
	if (seen != r->out->nitems)
		r->bad = true;
	problem->nnodes = r->nnodes + r->elsewhere;
}

static void
get_line_nodes(SrcReader *r)
{
	SrcProblem *problem = &r->out->problem;
	int64_t		row[REC_MOST_FIELDS];
	SrcLineNode *cells;
	int32_t		i;
	int32_t		j;

	if ((int64_t) problem->nlines * r->nnodes > r->end - r->at)
		r->bad = true;
	if (r->bad)
		return;
	cells = src_r_memory(r, sizeof(SrcLineNode), (int64_t) problem->nlines * problem->nnodes);
	src_r_first(&line_node_kind, row);
	for (i = 0; i < problem->nlines; i++)
		for (j = 0; j < r->nnodes && !r->bad; j++)
		{
			SrcLineNode *cell = &cells[(size_t) i * (size_t) problem->nnodes + (size_t) j];

			src_r_row(r, &line_node_kind, row);
			cell->forbidden = row[0] != 0;
			cell->goods = row[1];
			cell->custom = row[2];
		}
	problem->line_nodes = cells;
}

static void
get_forbidden(SrcReader *r)
{
	SrcProblem *problem = &r->out->problem;
	int64_t		n = (int64_t) problem->nlines * problem->nlanes;
	bool	   *forbidden;
	int64_t		i;

	if ((n + 7) / 8 > r->end - r->at)
		r->bad = true;
	if (r->bad)
		return;
	forbidden = src_r_memory(r, sizeof(bool), n);
	for (i = 0; i < n; i++)
		forbidden[i] = (r->at[i / 8] >> (i % 8)) & 1;
	r->at += (n + 7) / 8;
	problem->lane_forbidden = forbidden;
}

static void
get_profile(SrcReader *r, int32_t nsteps, SrcProfile *out)
{
	SrcStep    *steps = src_r_memory(r, sizeof(SrcStep), nsteps);
	int32_t		i;

	out->nsteps = nsteps;
	out->steps = steps;
	for (i = 0; i < nsteps && !r->bad; i++)
	{
		uint64_t	code;
		int64_t		available;

		if (i == 0)
		{
			steps[i].day = src_r_day(r);
			steps[i].available = src_r_amount(r);
			continue;
		}
		code = src_r_get(r);
		available = src_r_amount(r);
		if (code >> 1 > UINT32_MAX)
			r->bad = true;
		if (r->bad)
			return;
		steps[i].day = src_r_check_day(r, (int64_t) steps[i - 1].day + 1 + (int64_t) (code >> 1));
		if (code & 1)
			available = -available;
		if (__builtin_add_overflow(steps[i - 1].available, available, &available) ||
			available < 0)
			r->bad = true;
		steps[i].available = r->bad ? 0 : available;
	}
}

static void
get_profiles(SrcReader *r)
{
	SrcUnpacked *out = r->out;
	int64_t		n = (int64_t) r->nnodes * out->nitems;
	int64_t		i;

	if (n > r->end - r->at)
		r->bad = true;
	if (r->bad)
		return;
	out->profiles = src_r_memory(r, sizeof(SrcProfile), n);
	out->asked = src_r_memory(r, sizeof(bool), n);
	for (i = 0; i < n && !r->bad; i++)
	{
		uint64_t	code = src_r_get(r);

		/* steps and 1, and a step takes more than a byte */
		out->asked[i] = code > 0;
		if (code > 1 && code - 1 > (uint64_t) (r->end - r->at))
			r->bad = true;
		else if (code > 1)
			get_profile(r, (int32_t) (code - 1), &out->profiles[i]);
	}
}

static void
get_rooms(SrcReader *r)
{
	SrcUnpacked *out = r->out;
	int64_t		row[REC_MOST_FIELDS];
	int32_t		i;

	out->nrooms = src_r_count(r);
	out->rooms = src_r_memory(r, sizeof(SrcAskedRoom), out->nrooms);
	src_r_first(&room_kind, row);
	row[1] = r->base;
	for (i = 0; i < out->nrooms && !r->bad; i++)
	{
		SrcAskedRoom *own = &out->rooms[i];

		src_r_row(r, &room_kind, row);
		own->node = src_r_check_below(r, row[0], r->nnodes);
		own->ship_day = (int32_t) row[1];
		own->room.shipments = row[2];
		own->room.lines = row[3];
		own->room.units = row[4];
		own->room.price = row[5];
	}
}

static void
get_names(SrcReader *r)
{
	SrcUnpacked *out = r->out;
	const SrcProblem *problem = &out->problem;
	uint64_t	number = 0;
	int32_t		i;
	int32_t		j;

	out->node_names = src_r_memory(r, sizeof(SrcText), problem->nnodes);
	out->lane_names = src_r_memory(r, sizeof(SrcText), problem->nlanes);
	out->item_names = src_r_memory(r, sizeof(SrcText), problem->nlines);
	out->line_numbers = src_r_memory(r, sizeof(int64_t), problem->nlines);
	for (i = 0; i < r->nnodes && !r->bad; i++)
	{
		const SrcNode *node = &problem->nodes[i];

		out->node_names[i] = src_r_text(r);
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
			out->lane_names[j] = src_r_text(r);
	}
	for (i = 0; i < problem->nlines && !r->bad; i++)
	{
		out->item_names[i] = src_r_text(r);
		number += (uint64_t) src_r_unzigzag(src_r_get(r)) + 1;
		out->line_numbers[i] = (int64_t) number;
	}
}

static void
give_profile(void *arg, int32_t node, int32_t item, SrcProfile *out)
{
	SrcUnpacked *own = arg;
	int64_t		at = (int64_t) node * own->nitems + item;

	out->nsteps = 0;
	out->steps = NULL;
	if (node >= own->problem.nread || !own->asked[at])
		own->missing++;
	else
		*out = own->profiles[at];
}

static void
give_room(void *arg, int32_t node, int32_t ship_day, SrcRoom *out)
{
	SrcUnpacked *own = arg;
	int32_t		i;

	for (i = 0; i < own->nrooms; i++)
	{
		if (own->rooms[i].node != node || own->rooms[i].ship_day != ship_day)
			continue;
		*out = own->rooms[i].room;
		return;
	}
	own->missing++;
	out->shipments = out->lines = out->units = INT64_MAX;
	out->price = 0;
}

static void *
give_memory(void *arg, size_t size)
{
	SrcUnpacked *own = arg;

	return own->host.alloc(own->host.arg, size);
}

static void
pass_interrupt(void *arg)
{
	SrcUnpacked *own = arg;

	own->host.interrupt(own->host.arg);
}

static void
get_head(SrcReader *r, uint64_t flags)
{
	SrcUnpacked *out = r->out;
	SrcProblem *problem = &out->problem;
	int64_t		outcome[REC_MOST_FIELDS];
	int64_t		row[REC_MOST_FIELDS];
	int32_t		i;

	for (i = 0; i < 4 && r->at < r->end; i++)
		out->fingerprint |= (uint32_t) *r->at++ << (8 * i);
	src_r_first(&outcome_kind, outcome);
	src_r_row(r, &outcome_kind, outcome);
	out->total = outcome[0];
	out->unread_bound = problem->unread_bound = outcome[1];
	out->gap = outcome[2];
	out->exact = (flags & REC_EXACT) != 0;
	src_r_first(&problem_kind, row);
	src_r_row(r, &problem_kind, row);
	problem->split_penalty = row[0];
	problem->split_min_value = row[1];
	problem->max_shipments = src_r_check_below(r, row[2], INT32_MAX);
	problem->work_limit = row[3];
	problem->one_date = (flags & REC_ONE_DATE) != 0;
	problem->all_or_nothing = (flags & REC_ALL_OR_NOTHING) != 0;
	get_calendars(r);
	problem->receiving = check_calendar(r, row[4]);
}

SrcUnpacked *
src_unpack(const uint8_t *bytes, size_t length, const SrcHost *host)
{
	SrcReader		r;
	SrcProblem *problem;
	uint64_t	flags;

	memset(&r, 0, sizeof(r));
	if (length < 2 || length > INT32_MAX / 4 || bytes[0] != SRC_PACK_VERSION)
		return NULL;
	r.at = bytes + 1;
	r.end = bytes + length;
	r.out = host->alloc(host->arg, sizeof(SrcUnpacked));
	memset(r.out, 0, sizeof(SrcUnpacked));
	r.out->host = *host;
	problem = &r.out->problem;
	problem->profile = give_profile;
	problem->alloc = give_memory;
	problem->interrupt = host->interrupt != NULL ? pass_interrupt : NULL;
	problem->arg = r.out;

	flags = src_r_get(&r);
	r.base = src_r_check_day(&r, src_r_unzigzag(src_r_get(&r)));
	if (flags & ~(uint64_t) REC_FLAGS)
		r.bad = true;
	if (flags & REC_ROOMS)
		problem->room = give_room;
	get_head(&r, flags);
	get_nodes(&r);
	if (!r.bad)
		get_order(&r, (flags & REC_ORDER) != 0);
	if (!r.bad)
		get_lines(&r);
	if (!r.bad && (flags & REC_LINE_NODES))
		get_line_nodes(&r);
	if (!r.bad && (flags & REC_FORBIDDEN))
		get_forbidden(&r);
	if (!r.bad)
		get_profiles(&r);
	if (!r.bad && (flags & REC_ROOMS))
		get_rooms(&r);
	if (!r.bad && (flags & REC_NAMES))
		get_names(&r);
	return r.bad || r.at != r.end ? NULL : r.out;
}
