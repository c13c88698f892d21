/*
 * lots_sweep.c
 *		Lots and who needs them: whether all are served, and what is left.
 *
 * A lot can serve a demand if it is there on the day of need and usable for
 * long enough: day <= needed, expiry >= min_expiry.  No booking has a lot of
 * its own; the question is whether there is some way to serve all.
 *
 * The sweep takes the demands by day of need; each takes, of the lots that can
 * serve it, those that end first.  Claim: no other way serves more in total.
 * Proof, unit by unit: let d be the first demand that the sweep serves and l
 * its lot.  In a best way, if neither is used, add the pair; if one is used,
 * replace its pair by (d, l), which is as many; if d has another lot m and l
 * another demand e, give m to e.  That is allowed: m is there when d needs it
 * and e needs its lot no earlier than d, and m ends no earlier than l, since
 * the sweep preferred l.  So some best way has the pair (d, l).  And if d is
 * the first demand and no lot can serve it, no way serves it.  Take the pair
 * or the demand out and go on.  Demands of one day may be in any order.
 *
 * What can be had in addition: let F be the most that can be served together
 * with a further demand of no end, and D the demand there is.  The quantities
 * that can be served form a polymatroid, so whoever is served in some best way
 * without the further demand can stay served with it, and it gets F - D if all
 * others can be served.  (If they cannot, the shortage comes off, as it does
 * where supply has no end: there, F - D is the least balance from the day on.)
 * F depends on the further demand only by the lots that can serve it, so what
 * is offered changes only on a day when a lot comes, or is not usable for long
 * enough any more.
 *
 * Who wants one lot only is served from it first, which by the same argument
 * costs nothing in total, and from what comes last of it, which leaves the
 * others what they could have soonest.  All supply of one lot ends on the same
 * day.
 *
 * Negative supply is what somebody took already; it is a demand of the day it
 * was there, for whatever is usable then.
 */
#include "lots_sweep.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NO_LOT		(-1)
#define WORD_BITS	64

/* a lot in the sweep; the array is by expiry */
typedef struct Lot
{
	int32_t		day;
	int32_t		expiry;
	int64_t		quantity;
} Lot;

typedef struct Need
{
	int32_t		day;
	int32_t		min_expiry;
	int32_t		first;			/* the first lot that lasts long enough */
	int64_t		quantity;
} Need;

typedef struct Arrival
{
	int32_t		day;
	int32_t		lot;
} Arrival;

/* how far a sweep is, and what it has left of the lots that are there */
typedef struct State
{
	int32_t		need;			/* next */
	int32_t		arrival;
	int64_t		served;
	int64_t    *left;
	uint64_t   *open;			/* bit per lot: there and not used up */
} State;

typedef struct Sweep
{
	int32_t		nlots;
	Lot		   *lots;
	Arrival    *arrivals;		/* by day */
	int32_t		nneeds;
	Need	   *needs;			/* by day */
	int64_t		demanded;		/* by all, the pinned ones included */
	int64_t		pinned_served;
	int32_t		nwords;
	State		now;
	State		scratch;
	int64_t    *days;			/* room for 2 * nlots + 1 */
	int64_t    *rest;			/* per supply, while the pinned ones take theirs */
	int32_t    *order;			/* of the pinned demands, by day */
} Sweep;

static size_t
align(size_t size)
{
	return (size + 15) / 16 * 16;
}

static int32_t
words(int32_t nlots)
{
	return nlots / WORD_BITS + 1;
}

size_t
lots_work_size(int32_t nsupplies, int32_t ndemands)
{
	size_t		n = (size_t) nsupplies;
	size_t		m = (size_t) ndemands;

	return align(sizeof(Lot) * n) + align(sizeof(Arrival) * n) + align(sizeof(Need) * (n + m)) +
		2 * align(sizeof(int64_t) * n) + 2 * align(sizeof(uint64_t) * (size_t) words(nsupplies)) +
		align(sizeof(int64_t) * (2 * n + 1)) + align(sizeof(int64_t) * n) + align(sizeof(int32_t) * m);
}

static void *
take(char **work, size_t size)
{
	void	   *p = *work;

	*work += align(size);
	return p;
}

static int
compare_int64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
lot_compare(const void *a, const void *b)
{
	const Lot  *x = a;
	const Lot  *y = b;

	return x->expiry != y->expiry ? compare_int64(x->expiry, y->expiry) : compare_int64(x->day, y->day);
}

static int
need_compare(const void *a, const void *b)
{
	const Need *x = a;
	const Need *y = b;

	return x->day != y->day ? compare_int64(x->day, y->day) : compare_int64(x->min_expiry, y->min_expiry);
}

static int
arrival_compare(const void *a, const void *b)
{
	return compare_int64(((const Arrival *) a)->day, ((const Arrival *) b)->day);
}

static int
day_compare(const void *a, const void *b)
{
	return compare_int64(*(const int64_t *) a, *(const int64_t *) b);
}

static int32_t
later(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

/* the first lot that is usable until a day, or nlots */
static int32_t
first_lasting(const Sweep *sweep, int32_t min_expiry)
{
	int32_t		low = 0;
	int32_t		high = sweep->nlots;

	while (low < high)
	{
		int32_t		mid = low + (high - low) / 2;

		if (sweep->lots[mid].expiry < min_expiry)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*
 * One who wants lot "pin" only takes up to "quantity" of what is there on the
 * day: what ends first, then what came last.  Returns how much that was.
 */
static int64_t
take_pinned(const LotBook *book, int64_t *rest, int32_t pin, int32_t day, int32_t min_expiry,
			int64_t quantity)
{
	int64_t		taken = 0;

	while (taken < quantity)
	{
		int32_t		best = NO_LOT;
		int64_t		part;
		int32_t		i;

		for (i = 0; i < book->nsupplies; i++)
		{
			const LotSupply *s = &book->supplies[i];

			if (s->pin != pin || rest[i] <= 0 || s->day > day || s->expiry < min_expiry)
				continue;
			if (best == NO_LOT || s->expiry < book->supplies[best].expiry ||
				(s->expiry == book->supplies[best].expiry && s->day > book->supplies[best].day))
				best = i;
		}
		if (best == NO_LOT)
			break;
		part = rest[best] < quantity - taken ? rest[best] : quantity - taken;
		rest[best] -= part;
		taken += part;
	}
	return taken;
}

/*
 * Everybody who wants one lot only takes from it, by day of need; with a
 * further demand of no end among them, unless extra->pin is 0.
 */
static void
serve_pinned(const LotBook *book, Sweep *sweep, const LotDemand *extra)
{
	int32_t		n = 0;
	int32_t		i;
	int32_t		j;
	bool		open = extra->pin != 0;

	for (i = 0; i < book->ndemands; i++)
	{
		if (book->demands[i].pin == 0)
			continue;
		for (j = n++; j > 0 && book->demands[sweep->order[j - 1]].day > book->demands[i].day; j--)
			sweep->order[j] = sweep->order[j - 1];
		sweep->order[j] = i;
	}
	for (i = 0; i <= n; i++)
	{
		const LotDemand *d = i < n ? &book->demands[sweep->order[i]] : NULL;

		if (open && (d == NULL || later(d->day, book->today) > extra->day))
		{
			sweep->pinned_served += take_pinned(book, sweep->rest, extra->pin, extra->day,
												extra->min_expiry, INT64_MAX);
			open = false;
		}
		if (d != NULL)
		{
			int32_t		day = later(d->day, book->today);

			sweep->pinned_served += take_pinned(book, sweep->rest, d->pin, day, later(d->min_expiry, day),
												d->quantity);
		}
	}
}

/* Lay out a sweep of what is left after the pinned ones, at its start. */
static void
prepare(const LotBook *book, Sweep *sweep, const LotDemand *extra)
{
	char	   *work = book->work;
	size_t		n = (size_t) book->nsupplies;
	size_t		m = (size_t) book->ndemands;
	int32_t		i;

	memset(sweep, 0, sizeof(*sweep));
	sweep->lots = take(&work, sizeof(Lot) * n);
	sweep->arrivals = take(&work, sizeof(Arrival) * n);
	sweep->needs = take(&work, sizeof(Need) * (n + m));
	sweep->now.left = take(&work, sizeof(int64_t) * n);
	sweep->scratch.left = take(&work, sizeof(int64_t) * n);
	sweep->now.open = take(&work, sizeof(uint64_t) * (size_t) words(book->nsupplies));
	sweep->scratch.open = take(&work, sizeof(uint64_t) * (size_t) words(book->nsupplies));
	sweep->days = take(&work, sizeof(int64_t) * (2 * n + 1));
	sweep->rest = take(&work, sizeof(int64_t) * n);
	sweep->order = take(&work, sizeof(int32_t) * m);

	for (i = 0; i < book->nsupplies; i++)
		sweep->rest[i] = book->supplies[i].quantity;
	serve_pinned(book, sweep, extra);

	for (i = 0; i < book->nsupplies; i++)
	{
		const LotSupply *s = &book->supplies[i];

		if (sweep->rest[i] < 0)
		{
			Need	   *need = &sweep->needs[sweep->nneeds++];

			need->day = later(s->day, book->today);
			need->min_expiry = need->day;
			need->quantity = -sweep->rest[i];
			sweep->demanded += need->quantity;
		}
		else if (sweep->rest[i] > 0 && s->expiry >= book->today)
		{
			Lot		   *lot = &sweep->lots[sweep->nlots++];

			lot->day = s->day;
			lot->expiry = s->expiry;
			lot->quantity = sweep->rest[i];
		}
	}
	for (i = 0; i < book->ndemands; i++)
	{
		const LotDemand *d = &book->demands[i];

		sweep->demanded += d->quantity;
		if (d->pin == 0)
		{
			Need	   *need = &sweep->needs[sweep->nneeds++];

			need->day = later(d->day, book->today);
			need->min_expiry = later(d->min_expiry, need->day);
			need->quantity = d->quantity;
		}
	}
	qsort(sweep->lots, (size_t) sweep->nlots, sizeof(Lot), lot_compare);
	qsort(sweep->needs, (size_t) sweep->nneeds, sizeof(Need), need_compare);
	for (i = 0; i < sweep->nlots; i++)
	{
		sweep->arrivals[i].day = sweep->lots[i].day;
		sweep->arrivals[i].lot = i;
	}
	qsort(sweep->arrivals, (size_t) sweep->nlots, sizeof(Arrival), arrival_compare);
	for (i = 0; i < sweep->nneeds; i++)
		sweep->needs[i].first = first_lasting(sweep, sweep->needs[i].min_expiry);
	sweep->nwords = words(sweep->nlots);
	memset(sweep->now.open, 0, sizeof(uint64_t) * (size_t) sweep->nwords);
	memset(sweep->now.left, 0, sizeof(int64_t) * (size_t) sweep->nlots);
	sweep->now.served = sweep->pinned_served;
}

/* the first open lot from "lot" on, or NO_LOT */
static int32_t
next_open(const Sweep *sweep, const State *state, int32_t lot)
{
	int32_t		word = lot / WORD_BITS;
	uint64_t	bits = state->open[word] & (UINT64_MAX << (lot % WORD_BITS));

	while (bits == 0)
	{
		if (++word >= sweep->nwords)
			return NO_LOT;
		bits = state->open[word];
	}
	return word * WORD_BITS + __builtin_ctzll(bits);
}

static void
set_open(State *state, int32_t lot, bool open)
{
	uint64_t	bit = UINT64_C(1) << (lot % WORD_BITS);

	if (open)
		state->open[lot / WORD_BITS] |= bit;
	else
		state->open[lot / WORD_BITS] &= ~bit;
}

static void
arrive(const Sweep *sweep, State *state, int32_t until)
{
	for (; state->arrival < sweep->nlots && sweep->arrivals[state->arrival].day <= until; state->arrival++)
	{
		int32_t		lot = sweep->arrivals[state->arrival].lot;

		state->left[lot] = sweep->lots[lot].quantity;
		set_open(state, lot, true);
	}
}

/* Serve the needs until a day; lots come until then. */
static void
serve(const Sweep *sweep, State *state, int32_t until)
{
	for (; state->need < sweep->nneeds && sweep->needs[state->need].day <= until; state->need++)
	{
		const Need *need = &sweep->needs[state->need];
		int64_t		wanted = need->quantity;
		int32_t		lot = need->first;

		arrive(sweep, state, need->day);
		while (wanted > 0 && lot < sweep->nlots && (lot = next_open(sweep, state, lot)) != NO_LOT)
		{
			int64_t		part = state->left[lot] < wanted ? state->left[lot] : wanted;

			state->left[lot] -= part;
			state->served += part;
			wanted -= part;
			if (state->left[lot] == 0)
				set_open(state, lot, false);
		}
	}
	arrive(sweep, state, until);
}

/* Take all that is there and lasts; returns whether there was anything. */
static bool
take_all(const Sweep *sweep, State *state, int32_t min_expiry)
{
	int32_t		lot = first_lasting(sweep, min_expiry);
	bool		any = false;

	while (lot < sweep->nlots && (lot = next_open(sweep, state, lot)) != NO_LOT)
	{
		state->served += state->left[lot];
		set_open(state, lot, false);
		any = true;
	}
	return any;
}

int64_t
lots_deficit(const LotBook *book)
{
	LotDemand	nobody = {0};
	Sweep		sweep;

	prepare(book, &sweep, &nobody);
	serve(&sweep, &sweep.now, INT32_MAX);
	return sweep.demanded - sweep.now.served;
}

int64_t
lots_extra(const LotBook *book, int32_t day, int32_t min_expiry, int32_t pin)
{
	LotDemand	extra = {0};
	Sweep		sweep;

	extra.day = later(day, book->today);
	extra.min_expiry = later(min_expiry, extra.day);
	extra.pin = pin;
	prepare(book, &sweep, &extra);
	if (pin == 0)
	{
		serve(&sweep, &sweep.now, extra.day);
		(void) take_all(&sweep, &sweep.now, extra.min_expiry);
	}
	serve(&sweep, &sweep.now, INT32_MAX);
	return sweep.now.served - sweep.demanded;
}

static int32_t
clamp_day(int64_t day)
{
	return day > INT32_MAX ? INT32_MAX : (int32_t) day;
}

/* The days on which what is offered can change, ascending; returns how many. */
static int32_t
change_days(const LotBook *book, int32_t life, int64_t *days)
{
	int32_t		n = 0;
	int32_t		kept = 0;
	int32_t		i;

	days[n++] = book->today;
	for (i = 0; i < book->nsupplies; i++)
	{
		const LotSupply *s = &book->supplies[i];
		int64_t		gone = (int64_t) s->expiry - (life > 0 ? life : 0) + 1;

		if (s->day > book->today)
			days[n++] = s->day;
		if (s->expiry != INT32_MAX && gone > book->today)
			days[n++] = gone;
	}
	qsort(days, (size_t) n, sizeof(int64_t), day_compare);
	for (i = 1; i < n; i++)
	{
		if (days[i] > days[kept] && days[i] <= INT32_MAX)
			days[++kept] = days[i];
	}
	return kept + 1;
}

/* What can be had on a day, when the sweep has come to it. */
static int64_t
extra_on(Sweep *sweep, int32_t day, int32_t min_expiry, int64_t without)
{
	State	   *s = &sweep->scratch;

	serve(sweep, &sweep->now, day);
	s->need = sweep->now.need;
	s->arrival = sweep->now.arrival;
	s->served = sweep->now.served;
	memcpy(s->open, sweep->now.open, sizeof(uint64_t) * (size_t) sweep->nwords);
	memcpy(s->left, sweep->now.left, sizeof(int64_t) * (size_t) sweep->nlots);
	if (!take_all(sweep, s, min_expiry))
		return without;
	serve(sweep, s, INT32_MAX);
	return s->served - sweep->demanded;
}

int32_t
lots_steps(const LotBook *book, int32_t life, int32_t pin, LotStep *steps)
{
	LotDemand	nobody = {0};
	Sweep		sweep;
	int64_t		deficit = pin == 0 ? lots_deficit(book) : 0;
	int32_t		n = 0;
	int32_t		ndays;
	int32_t		i;

	prepare(book, &sweep, &nobody);
	ndays = change_days(book, life, sweep.days);
	for (i = 0; i < ndays; i++)
	{
		int32_t		day = clamp_day(sweep.days[i]);
		int32_t		min_expiry = clamp_day((int64_t) day + (life > 0 ? life : 0));
		int64_t		available;

		/* the days keep their place in the work space when it is laid out anew */
		if (pin == 0)
			available = extra_on(&sweep, day, min_expiry, -deficit);
		else
			available = lots_extra(book, day, min_expiry, pin);
		if (available < 0)
			available = 0;
		if (n > 0 && steps[n - 1].available == available)
			continue;
		steps[n].day = day;
		steps[n++].available = available;
	}
	return n == 1 && steps[0].available == 0 ? 0 : n;
}
