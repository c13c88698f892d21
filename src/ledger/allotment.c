/*
 * allotment.c
 *		What of a position is kept for a channel, and the most one may have.
 *
 * Channels form a tree by their groups.  For the ship day asked for, of the
 * allotments whose period contains it:
 *
 *		direct(g)	 = quota(g) - quotas of the nearest allotted parts of g
 *		remaining(g) = max(0, direct(g) - what was taken from g itself)
 *		kept(g)		 = remaining(g), or what is left of the stock when those
 *					   with a lower rank, then code, have theirs
 *		free		 = max(0, stock - all that is kept - claims of who comes first)
 *		offered(c)	 = min(free + kept of c and its groups
 *							 - the largest buffer of c and its groups,
 *						   what is left of the limits of c and its groups)
 *
 * Claims are on the free part only: a line that waits has no right to what is
 * kept for a channel, its own included, or it would have got it.
 *
 * A booking takes what is kept for the channel itself, then for its group and
 * so on upwards, then what is free.  Since it takes no more than is kept at
 * that moment, it leaves every other group what it had.
 *
 * position.quotas holds 8 values for each name in position.allotted.  A
 * negative quota marks what holds have taken, which counts until they expire:
 *
 *		allotment		from, to, quota, limit, buffer, rank, consumed, used
 *		from a pool		expires_at, ship day, -1, quantity		 (the pool's name)
 *		of a limit		expires_at, ship day, -2, quantity		 (the channel's name)
 */
#include "ledger/allotment.h"

#include "base/json.h"
#include "base/quantity.h"
#include "ledger/channels.h"

typedef struct QuotaGroup
{
	const char *channel;
	const int64 *entry;
	int			npath;			/* itself and the groups above */
	const char **path;
	int			group;			/* index of the nearest one above with a quota, or -1 */
	bool		own;			/* of who asks */
	int64		parts;			/* quotas of the nearest parts */
	int64		remaining;
	int64		kept;
	AllotmentFigures figures;
} QuotaGroup;

static bool
is_on(const int64 *entry, DateADT day)
{
	return entry[Q_QUOTA] >= 0 && entry[Q_FROM] <= day && day <= entry[Q_TO];
}

static bool
path_has(int npath, const char *const *path, const char *channel)
{
	for (int i = 0; i < npath; i++)
	{
		if (strcmp(path[i], channel) == 0)
			return true;
	}
	return false;
}

/* Add what unexpired holds have taken. */
static void
add_holds(const Position *pos, TimestampTz now, QuotaGroup *g)
{
	for (int i = 0; i < pos->nallotted; i++)
	{
		const int64 *hold = &pos->quotas.v[i * QUOTA_LONGS];

		if (hold[Q_QUOTA] >= 0 || hold[Q_FROM] <= now || !is_on(g->entry, (DateADT) hold[Q_TO]))
			continue;
		if (hold[Q_QUOTA] == HOLD_OF_POOL)
		{
			if (strcmp(pos->allotted[i], g->channel) == 0)
				g->figures.consumed = scaled_add(g->figures.consumed, hold[Q_LIMIT]);
		}
		else
		{
			const char **path;
			int			npath = channel_path(pos->key.tenant_id, pos->allotted[i], &path);

			if (path_has(npath, path, g->channel))
				g->figures.used = scaled_add(g->figures.used, hold[Q_LIMIT]);
		}
	}
}

/* The groups that are allotted something on a day, and what remains to them. */
static int
groups_on(const Position *pos, DateADT day, TimestampTz now, int npath, const char *const *path,
		  QuotaGroup **result)
{
	QuotaGroup *groups = palloc(sizeof(QuotaGroup) * Max(pos->nallotted, 1));
	int			n = 0;

	for (int i = 0; i < pos->nallotted; i++)
	{
		const int64 *entry = &pos->quotas.v[i * QUOTA_LONGS];
		QuotaGroup *g = &groups[n];

		if (!is_on(entry, day))
			continue;
		memset(g, 0, sizeof(*g));
		g->channel = pos->allotted[i];
		g->entry = entry;
		g->npath = channel_path(pos->key.tenant_id, g->channel, &g->path);
		g->own = path_has(npath, path, g->channel);
		g->figures.consumed = entry[Q_CONSUMED];
		g->figures.used = entry[Q_USED];
		add_holds(pos, now, g);
		n++;
	}
	for (int i = 0; i < n; i++)
	{
		QuotaGroup *g = &groups[i];

		g->group = -1;
		for (int up = 1; up < g->npath && g->group < 0; up++)
		{
			for (int j = 0; j < n && g->group < 0; j++)
			{
				if (groups[j].entry[Q_QUOTA] > 0 && strcmp(groups[j].channel, g->path[up]) == 0)
					g->group = j;
			}
		}
		if (g->group >= 0)
			groups[g->group].parts = scaled_add(groups[g->group].parts, g->entry[Q_QUOTA]);
	}
	for (int i = 0; i < n; i++)
	{
		int64		direct = scaled_sub(groups[i].entry[Q_QUOTA], groups[i].parts);

		groups[i].remaining = Max(scaled_sub(Max(direct, 0), groups[i].figures.consumed), 0);
	}
	*result = groups;
	return n;
}

static int
by_rank(const void *a, const void *b)
{
	const QuotaGroup *x = a;
	const QuotaGroup *y = b;

	if (x->entry[Q_RANK] != y->entry[Q_RANK])
		return x->entry[Q_RANK] < y->entry[Q_RANK] ? -1 : 1;
	return strcmp(x->channel, y->channel);
}

/* Keep for each group what remains to it, as far as the stock goes. */
static void
keep(QuotaGroup *groups, int n, int64 stock)
{
	/* the order of the groups is of no use any more */
	qsort(groups, n, sizeof(QuotaGroup), by_rank);
	for (int i = 0; i < n; i++)
	{
		groups[i].kept = Min(groups[i].remaining, stock);
		stock -= groups[i].kept;
	}
}

/* What of the stock of a day is offered to who asks. */
static int64
offer_on(const Position *pos, const OfferRequest *req, DateADT day, int64 stock)
{
	QuotaGroup *groups;
	int			n = groups_on(pos, day, req->now, req->npath, req->path, &groups);
	int64		offered = stock;

	if (stock < HORIZON_QUANTITY)
	{
		int64		buffer = 0;
		int64		own = 0;

		keep(groups, n, stock);
		for (int i = 0; i < n; i++)
		{
			offered -= groups[i].kept;
			if (groups[i].own)
			{
				own += groups[i].kept;
				buffer = Max(buffer, groups[i].entry[Q_BUFFER]);
			}
		}
		offered = Max(scaled_sub(offered, claims_before(pos, req->rank, req->claimed_at)), 0);
		offered = Max(offered + own - buffer, 0);
	}
	for (int i = 0; i < n; i++)
	{
		if (groups[i].own && groups[i].entry[Q_LIMIT] >= 0)
			offered = Min(offered, Max(scaled_sub(groups[i].entry[Q_LIMIT], groups[i].figures.used), 0));
	}
	pfree(groups);
	return offered;
}

static int
by_day(const void *a, const void *b)
{
	DateADT		x = *(const DateADT *) a;
	DateADT		y = *(const DateADT *) b;

	return x < y ? -1 : x > y;
}

/*
 * Turn the steps of what is there into those of what is offered.  There is a
 * step wherever a period begins or has ended, so they need not ascend.
 */
int
allotment_offer(const Position *pos, const OfferRequest *req, AtpStep **steps, int n)
{
	DateADT    *days;
	AtpStep    *offered;
	int			ndays = 0;
	int			kept = 0;

	if (n == 0)
		return 0;
	days = palloc(sizeof(DateADT) * (n + 1 + 2 * pos->nallotted));
	days[ndays++] = req->today;
	for (int i = 0; i < n; i++)
		days[ndays++] = (*steps)[i].day;
	for (int i = 0; i < pos->nallotted; i++)
	{
		const int64 *entry = &pos->quotas.v[i * QUOTA_LONGS];

		if (entry[Q_QUOTA] < 0)
			continue;
		if (entry[Q_FROM] > req->today && entry[Q_FROM] < DATEVAL_NOEND)
			days[ndays++] = (DateADT) entry[Q_FROM];
		if (entry[Q_TO] >= req->today && entry[Q_TO] < DATEVAL_NOEND)
			days[ndays++] = (DateADT) entry[Q_TO] + 1;
	}
	qsort(days, ndays, sizeof(DateADT), by_day);
	offered = palloc(sizeof(AtpStep) * ndays);
	for (int i = 0; i < ndays; i++)
	{
		int64		available;

		if (i > 0 && days[i] == days[i - 1])
			continue;
		available = offer_on(pos, req, days[i], steps_at(*steps, n, days[i]));
		if (kept > 0 && offered[kept - 1].available == available)
			continue;
		offered[kept].day = days[i];
		offered[kept++].available = available;
	}
	pfree(days);
	*steps = offered;
	return (kept == 1 && offered[0].available == 0) ? 0 : kept;
}

/*
 * From which pools a quantity is taken that is offered to who asks: its own,
 * its groups' upwards, the free one.  There is room in "parts" for one more
 * than the request has groups.  Returns how many; pool NULL is the free one.
 */
int
allotment_pools(Position *pos, const OfferRequest *req, DateADT day, int64 quantity,
				AllotmentPart *parts)
{
	AtpStep    *steps;
	int			nsteps = position_stock(pos, req, &steps);
	QuotaGroup *groups;
	int			ngroups = groups_on(pos, day, req->now, req->npath, req->path, &groups);
	int			n = 0;

	keep(groups, ngroups, steps_at(steps, nsteps, day));
	for (int i = 0; i < req->npath && quantity > 0; i++)
	{
		for (int j = 0; j < ngroups && quantity > 0; j++)
		{
			if (groups[j].kept == 0 || strcmp(groups[j].channel, req->path[i]) != 0)
				continue;
			parts[n].pool = req->path[i];
			parts[n].quantity = Min(quantity, groups[j].kept);
			quantity -= parts[n++].quantity;
		}
	}
	pfree(groups);
	if (quantity > 0)
	{
		parts[n].pool = NULL;
		parts[n++].quantity = quantity;
	}
	return n;
}

/* Take out an entry. */
static void
drop_entry(Position *pos, int at)
{
	longs_remove(&pos->quotas, at * QUOTA_LONGS, QUOTA_LONGS);
	memmove(&pos->allotted[at], &pos->allotted[at + 1], sizeof(char *) * (pos->nallotted - at - 1));
	pos->nallotted--;
}

/* Add to what holds have taken; what has expired may be gone already. */
static void
book_hold(Position *pos, const char *channel, int64 kind, const StockBooking *b, int64 quantity)
{
	int64		entry[QUOTA_LONGS] = {b->expires_at, b->ship_on, kind, quantity};

	for (int i = 0; i < pos->nallotted; i++)
	{
		int64	   *hold = &pos->quotas.v[i * QUOTA_LONGS];

		if (hold[Q_QUOTA] != kind || hold[Q_FROM] != entry[Q_FROM] || hold[Q_TO] != entry[Q_TO] ||
			strcmp(pos->allotted[i], channel) != 0)
			continue;
		hold[Q_LIMIT] = scaled_add(hold[Q_LIMIT], quantity);
		if (hold[Q_LIMIT] == 0)
			drop_entry(pos, i);
		return;
	}
	if (quantity > 0)
		allotment_add(pos, channel, entry);
}

/*
 * Count a booking, or (negative) one that is given back, for the pool it took
 * from and for the limits of its channel and groups.
 */
void
allotment_book(Position *pos, const StockBooking *b, int64 quantity)
{
	int			npath = b->npath;
	const char *const *path = b->path;

	if (b->expires_at != 0)
	{
		if (b->pool != NULL)
			book_hold(pos, b->pool, HOLD_OF_POOL, b, quantity);
		if (b->npath > 0)
			book_hold(pos, b->path[0], HOLD_OF_LIMIT, b, quantity);
		return;
	}
	if (pos->locked && b->npath > 0)
	{
		/* as the groups are now, so that it can be given back likewise */
		const char **now;

		npath = channel_path_now(pos->key.tenant_id, b->path[0], &now);
		path = now;
	}
	for (int i = 0; i < pos->nallotted; i++)
	{
		int64	   *entry = &pos->quotas.v[i * QUOTA_LONGS];

		if (!is_on(entry, b->ship_on))
			continue;
		if (b->pool != NULL && strcmp(pos->allotted[i], b->pool) == 0)
			entry[Q_CONSUMED] = scaled_add(entry[Q_CONSUMED], quantity);
		if (path_has(npath, path, pos->allotted[i]))
			entry[Q_USED] = scaled_add(entry[Q_USED], quantity);
	}
}

/* Append an entry. */
void
allotment_add(Position *pos, const char *channel, const int64 *entry)
{
	longs_add(&pos->quotas, QUOTA_LONGS, entry);
	pos->allotted = pos->allotted == NULL ? palloc(sizeof(char *)) :
		repalloc(pos->allotted, sizeof(char *) * (pos->nallotted + 1));
	pos->allotted[pos->nallotted++] = pstrdup(channel);
}

/* Forget the holds that have expired; for who writes the position. */
void
allotment_sweep(Position *pos, TimestampTz now)
{
	for (int i = pos->nallotted - 1; i >= 0; i--)
	{
		const int64 *hold = &pos->quotas.v[i * QUOTA_LONGS];

		if (hold[Q_QUOTA] < 0 && hold[Q_FROM] <= now)
			drop_entry(pos, i);
	}
}

/*
 * The figures of each allotment, as of the day, or of the next day of its
 * period, or its last.  A group's include those of its parts.
 */
int
allotment_figures(const Position *pos, DateADT today, TimestampTz now, AllotmentFigures **result)
{
	int			n = 0;

	*result = palloc0(sizeof(AllotmentFigures) * Max(pos->nallotted, 1));
	for (int i = 0; i < pos->nallotted; i++)
	{
		const int64 *entry = &pos->quotas.v[i * QUOTA_LONGS];
		AllotmentFigures *f = &(*result)[n];
		DateADT		day = (DateADT) Max(Min(today, entry[Q_TO]), entry[Q_FROM]);
		QuotaGroup *groups;
		int			ngroups;

		if (entry[Q_QUOTA] < 0)
			continue;
		ngroups = groups_on(pos, day, now, 0, NULL, &groups);
		f->channel = pos->allotted[i];
		f->entry = entry;
		for (int j = 0; j < ngroups; j++)
		{
			if (groups[j].entry == entry)
				f->used = groups[j].figures.used;
			else if (!path_has(groups[j].npath, groups[j].path, f->channel))
				continue;
			/* a quota of 0 holds no parts */
			if (groups[j].entry != entry && entry[Q_QUOTA] == 0)
				continue;
			f->consumed = scaled_add(f->consumed, groups[j].figures.consumed);
			f->remaining = scaled_add(f->remaining, groups[j].remaining);
		}
		pfree(groups);
		n++;
	}
	return n;
}

/*
 * What contradicts itself, as an error: periods of a channel that overlap, and
 * a group whose parts are allotted more than itself.  The entries are by
 * channel and period.
 */
void
allotment_check(const Position *pos)
{
	const char *where = psprintf("item \"%s\" at node \"%s\"", pos->key.item, pos->key.node);

	for (int i = 0; i < pos->nallotted; i++)
	{
		const int64 *entry = &pos->quotas.v[i * QUOTA_LONGS];

		if (entry[Q_QUOTA] < 0)
			continue;
		for (int j = i + 1; j < pos->nallotted; j++)
		{
			const int64 *other = &pos->quotas.v[j * QUOTA_LONGS];

			if (other[Q_QUOTA] >= 0 && strcmp(pos->allotted[i], pos->allotted[j]) == 0 &&
				other[Q_FROM] <= entry[Q_TO] && entry[Q_FROM] <= other[Q_TO])
				ereport(ERROR,
						(errcode(RT_ALLOTMENT_OVERLAP),
						 errmsg("allotments of channel \"%s\" for %s overlap: one is valid to %s, another from %s",
								pos->allotted[i], where, date_text((DateADT) entry[Q_TO]),
								date_text((DateADT) other[Q_FROM])),
						 errhint("Let a period end before the next one of the channel begins.")));
		}
	}
	for (int i = 0; i < pos->nallotted; i++)
	{
		const int64 *entry = &pos->quotas.v[i * QUOTA_LONGS];
		QuotaGroup *groups;
		int			n;

		if (entry[Q_QUOTA] < 0)
			continue;
		n = groups_on(pos, (DateADT) entry[Q_FROM], PG_INT64_MAX, 0, NULL, &groups);
		for (int j = 0; j < n; j++)
		{
			if (groups[j].parts > groups[j].entry[Q_QUOTA])
				ereport(ERROR,
						(errcode(RT_ALLOTMENT_ABOVE_GROUP),
						 errmsg("%s: channel \"%s\" is allotted %s, its parts %s (from %s on)", where,
								groups[j].channel, scaled_to_text(groups[j].entry[Q_QUOTA]),
								scaled_to_text(groups[j].parts), date_text((DateADT) entry[Q_FROM])),
						 errhint("The quota of a group contains those of its parts: raise it first, or lower theirs.")));
		}
		pfree(groups);
	}
}
