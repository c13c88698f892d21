/*
 * record.c
 *		The record of a decision: what replay and explanation need, in few bytes.
 *
 * Written for every routed order, read for few: so it holds the inputs of the
 * search (sourcing/pack.h) and what came of it, and everything that follows
 * from these, the runner-up and the terms of each cost, is computed when
 * somebody asks.  It names nodes, services and items by their codes, since the
 * network changes and the record stays.
 *
 * Layout: version, then fields in a fixed order.  Numbers have seven bits a
 * byte, lowest first; signed ones are folded (0, -1, 1, -2, ...).  A name is
 * 0 for none, the number of an earlier name, or the next number and then its
 * length and bytes.
 */
#include "orders/record.h"
#include "orders/parts.h"

#include "base/quantity.h"
#include "base/tenant.h"

#include "lib/stringinfo.h"

#define RECORD_VERSION	1

#define FLAG_CONTENDED	0x01
#define FLAG_PLANNED	0x02
#define FLAG_SECOND		0x04	/* and once more, without the soft constraints */
#define FLAG_UNSTOCKED	0x08	/* before each problem: how many nodes had nothing */

/* of a part */
#define PART_ON_HAND	0x01
#define PART_KEPT		0x02
#define PART_COMPONENT	0x04	/* its item and ratio follow */
#define PART_SUBSTITUTE 0x08	/* the same */

typedef struct Writer
{
	StringInfoData buf;
	int			nnames;
	int			cap_names;
	const char **names;
	uint32	   *hashes;			/* of the names */
	int			nplaces;		/* a power of two, at least twice cap_names */
	int		   *places;			/* numbers of names, by hash; 0: free */
} Writer;

static void
put(Writer *w, uint64 value)
{
	uint8		bytes[10];
	int			n = 0;

	while (value >= 0x80)
	{
		bytes[n++] = (uint8) (value | 0x80);
		value >>= 7;
	}
	bytes[n++] = (uint8) value;
	appendBinaryStringInfo(&w->buf, (char *) bytes, n);
}

static void
put_signed(Writer *w, int64 value)
{
	put(w, ((uint64) value << 1) ^ (uint64) (value >> 63));
}

/* Where a name is among the places, or the free one where it belongs. */
static int
find_place(const Writer *w, const char *name, uint32 hash)
{
	int			at = hash & (w->nplaces - 1);

	while (w->places[at] != 0 &&
		   (w->hashes[w->places[at] - 1] != hash || strcmp(w->names[w->places[at] - 1], name) != 0))
		at = (at + 1) & (w->nplaces - 1);
	return at;
}

static void
grow_names(Writer *w)
{
	w->cap_names = Max(64, w->cap_names * 2);
	w->names = w->names ? repalloc(w->names, sizeof(char *) * w->cap_names) :
		palloc(sizeof(char *) * w->cap_names);
	w->hashes = w->hashes ? repalloc(w->hashes, sizeof(uint32) * w->cap_names) :
		palloc(sizeof(uint32) * w->cap_names);
	if (w->places)
		pfree(w->places);
	w->nplaces = w->cap_names * 2;
	w->places = palloc0(sizeof(int) * w->nplaces);
	for (int i = 0; i < w->nnames; i++)
		w->places[find_place(w, w->names[i], w->hashes[i])] = i + 1;
}

static void
put_name(Writer *w, const char *name)
{
	uint32		hash = 2166136261U;
	int			at;
	int			len = 0;

	if (name == NULL)
	{
		put(w, 0);
		return;
	}
	for (; name[len] != '\0'; len++)
		hash = (hash ^ (unsigned char) name[len]) * 16777619;
	if (w->nnames == w->cap_names)
		grow_names(w);
	at = find_place(w, name, hash);
	if (w->places[at] != 0)
	{
		put(w, w->places[at]);
		return;
	}
	w->hashes[w->nnames] = hash;
	w->names[w->nnames++] = name;
	w->places[at] = w->nnames;
	put(w, w->nnames);
	put(w, len);
	appendBinaryStringInfo(&w->buf, name, len);
}

static void
put_lines(Writer *w, const SalesOrder *order)
{
	put(w, order->nlines);
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];
		bool		has_wanted = line->has_requested || order->has_requested;

		put_signed(w, line->line_no);
		put_name(w, line->item);
		put_signed(w, line->quantity);
		put_name(w, line->item_uom);
		put(w, has_wanted);
		if (has_wanted)
			put_signed(w, line->has_requested ? line->requested : order->requested);
		put_signed(w, line_missing(line));
		put_name(w, line->new_status);
		put_name(w, line->reason);
	}
}

static void
put_parts(Writer *w, const SalesOrder *order)
{
	int			n = 0;

	for (int j = 0; j < order->nbookings; j++)
		n += !order->bookings[j].release && order->bookings[j].firm;
	put(w, n);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		bool		kept = !b->is_new || b->atp_before <= 0;	/* also the rest of a smaller line */

		if (b->release || !b->firm)
			continue;
		put_signed(w, b->line_no);
		put_name(w, b->node);
		put_name(w, b->service);
		put_signed(w, b->quantity);
		put_signed(w, b->ship_on);
		put_signed(w, b->deliver_on - b->ship_on);
		put(w, (b->on_hand ? PART_ON_HAND : 0) | (kept ? PART_KEPT : 0) |
			(b->component > 0 ? PART_COMPONENT : b->of != NULL ? PART_SUBSTITUTE : 0));
		if (b->of != NULL)
		{
			put_name(w, b->item);
			put_signed(w, b->per);
		}
		if (!kept)
			put_signed(w, b->atp_before);
	}
}

static int
compare_numbers(const void *a, const void *b)
{
	return *(const int32_t *) a - *(const int32_t *) b;
}

/* candidates that had nothing of the order, and so were not looked at */
static int
count_unstocked(const SrcProblem *p)
{
	return p->stocked == NULL ? 0 : p->nnodes - p->nstocked;
}

/* a problem, as order_plan() packed it, then what its numbers stand for */
static void
put_problem(Writer *w, const SalesOrder *order, const SecondPass *pass, bool any_unstocked)
{
	const SrcProblem *p = &pass->problem;
	int			nread = pass->result.nodes_read;
	int			unstocked = count_unstocked(p);
	int32_t    *nodes = palloc(sizeof(int32_t) * Max(nread, 1));

	if (any_unstocked)
		put(w, unstocked);
	put(w, p->nnodes - unstocked - nread);
	put(w, pass->packed_size);
	appendBinaryStringInfo(&w->buf, (char *) pass->packed, (int) pass->packed_size);
	for (int i = 0; i < p->nlines; i++)
	{
		const Substitute *s = pass->items[p->lines[i].item]->substitute;
		const KitGap *gap = pass->items[p->lines[i].item]->completes;

		/* beyond the lines: one of them, by a substitute, or by a component that its kits lack */
		put(w, pass->lines[i] + (s != NULL || gap != NULL ? order->nlines : 0));
		if (s == NULL && gap == NULL)
			continue;
		put_name(w, s != NULL ? s->item : gap->item);
		put_signed(w, s != NULL ? s->ratio : 0);
		put_signed(w, s != NULL ? s->penalty : 0);
	}
	/* as they are numbered in it: those that were read, in the problem's order */
	if (nread > 0)
		memcpy(nodes, pass->result.read_order, sizeof(int32_t) * nread);
	qsort(nodes, nread, sizeof(int32_t), compare_numbers);
	for (int i = 0; i < nread; i++)
		put_name(w, order_candidate(order, nodes[i])->node);
	for (int i = 0; i < nread; i++)
	{
		const SrcNode *n = &p->nodes[nodes[i]];

		for (int l = n->first_lane; l < n->first_lane + n->nlanes; l++)
			put_name(w, order->problem_lanes[l]->service);
	}
	pfree(nodes);
}

/* the problem of the order's first pass, as it is kept of a second one */
static SecondPass
first_pass(const SalesOrder *order)
{
	SecondPass	pass = {0};

	pass.problem = order->problem;
	pass.lines = order->problem_lines;
	pass.items = order->problem_items;
	pass.result = order->result;
	pass.packed = order->packed;
	pass.packed_size = order->packed_size;
	return pass;
}

/* The record of the decision that order->result and its bookings make. */
bytea *
record_write(const SalesOrder *order)
{
	Writer		w = {0};
	bool		twice = order->second != NULL;
	bool		planned = order->packed != NULL && (!twice || order->second->packed_size > 0);
	bool		unstocked = planned && (count_unstocked(&order->problem) > 0 ||
										(twice && count_unstocked(&order->second->problem) > 0));
	ListCell   *cell;

	initStringInfo(&w.buf);
	w.buf.len = VARHDRSZ;
	put(&w, RECORD_VERSION);
	put(&w, (order->gave_up ? FLAG_CONTENDED : 0) | (planned ? FLAG_PLANNED : 0) |
		(planned && twice ? FLAG_SECOND : 0) |
		(unstocked ? FLAG_UNSTOCKED : 0));
	put_name(&w, order->lanes ? order->lanes->zone : NULL);
	put_name(&w, tenant_currency(order->tenant_id));
	put(&w, order->relaxed);
	put_lines(&w, order);
	put_parts(&w, order);
	put(&w, order->nskips);
	for (int i = 0; i < order->nskips; i++)
	{
		put_name(&w, order->skips[i].node);
		put_name(&w, order->skips[i].service);
		put_name(&w, order->skips[i].reason);
	}
	put(&w, list_length(order->dropped));
	foreach(cell, order->dropped)
		put_name(&w, lfirst(cell));
	if (planned)
	{
		SecondPass	first = first_pass(order);

		put_problem(&w, order, &first, unstocked);
		if (twice)
			put_problem(&w, order, order->second, unstocked);
	}
	SET_VARSIZE(w.buf.data, w.buf.len);
	return (bytea *) w.buf.data;
}

typedef struct Reader
{
	const uint8 *at;
	const uint8 *end;
	int			nnames;
	int			cap_names;
	const char **names;
} Reader;

routing_noreturn static void
damaged(void)
{
	ereport(ERROR,
			(errcode(RT_BAD_RECORD),
			 errmsg("the record of a decision cannot be read"),
			 errdetail("It was written by a later version, or it is damaged."),
			 errhint("The order and its bookings are not affected; update the extension's library.")));
}

static uint64
get(Reader *r)
{
	uint64		value = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		uint8		byte;

		if (r->at == r->end)
			damaged();
		byte = *r->at++;
		value |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	damaged();
}

static int64
get_signed(Reader *r)
{
	uint64		value = get(r);

	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

static int32
get_int(Reader *r)
{
	int64		value = get_signed(r);

	if (value < PG_INT32_MIN || value > PG_INT32_MAX)
		damaged();
	return (int32) value;
}

/* A count of things of which each takes a byte at least. */
static int
get_count(Reader *r)
{
	uint64		value = get(r);

	if (value > (uint64) (r->end - r->at))
		damaged();
	return (int) value;
}

static const char *
get_name(Reader *r)
{
	uint64		which = get(r);
	int			len;

	if (which == 0)
		return NULL;
	if (which <= (uint64) r->nnames)
		return r->names[which - 1];
	if (which != (uint64) r->nnames + 1)
		damaged();
	len = get_count(r);
	if (r->nnames == r->cap_names)
	{
		r->cap_names = Max(64, r->cap_names * 2);
		r->names = r->names ? repalloc(r->names, sizeof(char *) * r->cap_names) :
			palloc(sizeof(char *) * r->cap_names);
	}
	r->names[r->nnames] = pnstrdup((const char *) r->at, len);
	r->at += len;
	return r->names[r->nnames++];
}

/* a name that must be there */
static const char *
get_code(Reader *r)
{
	const char *name = get_name(r);

	if (name == NULL)
		damaged();
	return name;
}

static void
get_problem(Reader *r, DecisionRecord *d, int nlines, bool unstocked)
{
	static const SrcHost host = {problem_alloc, problem_interrupt, NULL};
	const SrcProblem *p;
	uint64		bare = unstocked ? get(r) : 0;
	uint64		unread = get(r);
	int			size;

	d->unstocked = (int) Min(bare, (uint64) PG_INT32_MAX);
	d->unread = (int) Min(unread, (uint64) PG_INT32_MAX);
	size = get_count(r);
	d->search = src_unpack(r->at, size, &host);
	if (d->search == NULL)
		damaged();
	p = &d->search->problem;
	r->at += size;
	d->problem_lines = palloc(sizeof(int) * Max(p->nlines, 1));
	d->substitutes = palloc0(sizeof(RecordSubstitute) * Max(p->nlines, 1));
	for (int i = 0; i < p->nlines; i++)
	{
		uint64		which = get(r);

		if (which >= (uint64) nlines * 2)
			damaged();
		if (which >= (uint64) nlines)
		{
			which -= nlines;
			d->substitutes[i].item = get_code(r);
			d->substitutes[i].ratio = get_signed(r);
			d->substitutes[i].penalty = get_signed(r);
			if (d->substitutes[i].penalty < 0 || d->substitutes[i].penalty > SCALED_MAX)
				damaged();
		}
		d->problem_lines[i] = (int) which;
	}
	d->nodes = palloc(sizeof(char *) * Max(p->nnodes, 1));
	d->services = palloc(sizeof(char *) * Max(p->nlanes, 1));
	/* a node that lines are pinned to, but that was not read, has no name */
	for (int i = 0; i < p->nnodes; i++)
		d->nodes[i] = i < p->nread ? get_code(r) : "";
	for (int i = 0; i < p->nlanes; i++)
		d->services[i] = get_code(r);
}

/* Read a record; an error if that is not possible. */
DecisionRecord *
record_read(const bytea *record)
{
	DecisionRecord *d = palloc0(sizeof(DecisionRecord));
	Reader		r = {0};
	uint64		flags;

	r.at = (const uint8 *) VARDATA_ANY(record);
	r.end = r.at + VARSIZE_ANY_EXHDR(record);
	if (get(&r) != RECORD_VERSION)
		damaged();
	flags = get(&r);
	d->contended = (flags & FLAG_CONTENDED) != 0;
	d->zone = get_name(&r);
	d->currency = get_name(&r);
	d->relaxed = (uint32) get(&r);
	d->nlines = get_count(&r);
	d->lines = palloc0(sizeof(RecordLine) * Max(d->nlines, 1));
	for (int i = 0; i < d->nlines; i++)
	{
		RecordLine *line = &d->lines[i];

		line->line_no = get_int(&r);
		line->item = get_code(&r);
		line->quantity = get_signed(&r);
		line->uom = get_name(&r);
		line->has_wanted = get(&r) != 0;
		if (line->has_wanted)
			line->wanted = get_int(&r);
		line->unserved = get_signed(&r);
		line->status = get_name(&r);
		line->reason = get_name(&r);
	}
	d->nparts = get_count(&r);
	d->parts = palloc0(sizeof(RecordPart) * Max(d->nparts, 1));
	for (int i = 0; i < d->nparts; i++)
	{
		RecordPart *part = &d->parts[i];
		uint64		how;

		part->line_no = get_int(&r);
		part->node = get_code(&r);
		part->service = get_name(&r);
		part->quantity = get_signed(&r);
		part->ship_on = get_int(&r);
		part->deliver_on = (DateADT) ((uint32) part->ship_on + (uint32) get_int(&r));
		how = get(&r);
		part->on_hand = (how & PART_ON_HAND) != 0;
		part->kept = (how & PART_KEPT) != 0;
		part->component = (how & PART_COMPONENT) != 0;
		if (how & (PART_COMPONENT | PART_SUBSTITUTE))
		{
			part->item = get_code(&r);
			part->per = get_signed(&r);
		}
		if (!part->kept)
			part->atp = get_signed(&r);
	}
	d->nskips = get_count(&r);
	d->skips = palloc0(sizeof(OrderSkip) * Max(d->nskips, 1));
	for (int i = 0; i < d->nskips; i++)
	{
		d->skips[i].node = get_name(&r);
		d->skips[i].service = get_name(&r);
		d->skips[i].reason = get_name(&r);
	}
	d->ndropped = get_count(&r);
	d->dropped = palloc0(sizeof(char *) * Max(d->ndropped, 1));
	for (int i = 0; i < d->ndropped; i++)
		d->dropped[i] = get_name(&r);
	if (flags & FLAG_PLANNED)
		get_problem(&r, d, d->nlines, (flags & FLAG_UNSTOCKED) != 0);
	if ((flags & FLAG_PLANNED) && (flags & FLAG_SECOND))
	{
		d->second = palloc0(sizeof(DecisionRecord));
		get_problem(&r, d->second, d->nlines, (flags & FLAG_UNSTOCKED) != 0);
		if (!record_join_passes(d))
			damaged();
	}
	return d;
}
