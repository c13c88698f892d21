/*
 * lots.c
 *		Supply that ends: lots by their last usable day.
 *
 * A position whose supply has lots or ends keeps, beside its timeline, groups
 * (key, until, supply, demand): what comes on a day and ends on a day, and
 * what is needed on a day and must be usable until a day.  Lots that are alike
 * share a group, so do bookings: none has a lot of its own (lots_sweep.c says
 * what that allows), but for the pinned ones (lots_pin.c).  The timeline stays
 * complete: figures and on hand come from it, and what the lots offer never
 * exceeds what it would.
 *
 * The groups are a function of the rows of supply and reservation alone, not
 * of the day or of the order of changes, so that they can be compared with
 * groups that are made anew.
 */
#include "ledger/lots.h"

#include "base/quantity.h"
#include "ledger/lots_sweep.h"
#include "ledger/reference.h"

StaticAssertDecl(sizeof(AtpStep) == sizeof(LotStep) &&
				 offsetof(AtpStep, available) == offsetof(LotStep, available),
				 "the sweep's steps are the ledger's steps");
StaticAssertDecl(DATEVAL_NOEND == INT32_MAX && ON_HAND_DAY == INT32_MIN, "the sweep's days");

#define HOLD_LONGS	4

static int
group_compare(const LotGroup *g, int64 key, int64 until)
{
	if (supply_key_day(g->key) != supply_key_day(key))
		return supply_key_day(g->key) < supply_key_day(key) ? -1 : 1;
	if (g->key != key)
		return g->key < key ? -1 : 1;
	if (supply_key_day(g->until) != supply_key_day(until))
		return supply_key_day(g->until) < supply_key_day(until) ? -1 : 1;
	return g->until == until ? 0 : g->until < until ? -1 : 1;
}

/* Add signed supply and demand; a group with neither is dropped. */
void
lots_add(Longs *lots, int64 key, int64 until, int64 supply, int64 demand)
{
	int			low = 0,
				high = lots->n / LOT_LONGS;
	LotGroup   *g;

	while (low < high)
	{
		int			mid = (low + high) / 2;

		if (group_compare((LotGroup *) lots->v + mid, key, until) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == lots->n / LOT_LONGS || group_compare((LotGroup *) lots->v + low, key, until) != 0)
	{
		int64		none[LOT_LONGS] = {key, until, 0, 0};

		if (supply == 0 && demand == 0)
			return;
		longs_add(lots, LOT_LONGS, none);
		g = (LotGroup *) lots->v + low;
		memmove(g + 1, g, sizeof(LotGroup) * (lots->n / LOT_LONGS - 1 - low));
		memcpy(g, none, sizeof(LotGroup));
	}
	g = (LotGroup *) lots->v + low;
	g->supply = scaled_add(g->supply, supply);
	g->demand = scaled_add(g->demand, demand);
	if (g->supply == 0 && g->demand == 0)
		longs_remove(lots, low * LOT_LONGS, LOT_LONGS);
}

void
lots_builder_init(LotBookBuilder *b, DateADT today, int nsupplies, int ndemands)
{
	memset(b, 0, sizeof(*b));
	b->today = today;
	b->supplies = palloc(sizeof(LotSupply) * Max(nsupplies, 1));
	b->demands = palloc(sizeof(LotDemand) * Max(ndemands, 1));
}

void
lots_builder_supply(LotBookBuilder *b, int64 key, DateADT expiry, int32 pin, int64 quantity)
{
	LotSupply  *s = &b->supplies[b->nsupplies++];

	s->day = effective_day(supply_key_day(key), supply_key_late(key), b->today);
	s->expiry = expiry;
	s->pin = pin;
	s->quantity = quantity;
	/* a negative supply is a demand in the sweep */
	if (quantity > 0)
		b->supplied = scaled_add(b->supplied, quantity);
	else
		b->demanded = scaled_sub(b->demanded, quantity);
}

void
lots_builder_demand(LotBookBuilder *b, DateADT day, DateADT min_expiry, int32 pin, int64 quantity)
{
	LotDemand  *d;

	if (quantity <= 0)
		return;
	d = &b->demands[b->ndemands++];
	d->day = day;
	d->min_expiry = min_expiry;
	d->pin = pin;
	d->quantity = quantity;
	b->demanded = scaled_add(b->demanded, quantity);
}

/* Count unexpired holds as demand. */
void
lots_builder_holds(LotBookBuilder *b, const Position *pos, TimestampTz now)
{
	for (int i = 0; i < pos->holds.n; i += HOLD_LONGS)
	{
		const int64 *h = &pos->holds.v[i];

		if (h[0] > now)
			lots_builder_demand(b, (DateADT) h[1], supply_key_day(h[2]), 0, h[3]);
	}
}

/* Whether one that has not expired is for one lot only; which one its row tells. */
static bool
holds_are_pinned(const Position *pos, TimestampTz now)
{
	for (int i = 0; i < pos->holds.n; i += HOLD_LONGS)
	{
		if (pos->holds.v[i] > now && supply_key_late(pos->holds.v[i + 2]) != 0)
			return true;
	}
	return false;
}

static void
add_groups(LotBookBuilder *b, const Position *pos)
{
	const LotGroup *groups = lots_groups(pos);

	for (int i = 0; i < lots_ngroups(pos); i++)
	{
		const LotGroup *g = &groups[i];
		DateADT		until = supply_key_day(g->until);
		int32		pin = supply_key_late(g->until);

		if (g->supply != 0)
			lots_builder_supply(b, g->key, until, pin, g->supply);
		lots_builder_demand(b, supply_key_day(g->key), until, pin, g->demand);
	}
}

static LotBook
finish(const LotBookBuilder *b)
{
	LotBook		book = {0};

	book.today = b->today;
	book.nsupplies = b->nsupplies;
	book.supplies = b->supplies;
	book.ndemands = b->ndemands;
	book.demands = b->demands;
	book.work = palloc(lots_work_size(b->nsupplies, b->ndemands) + 1);
	return book;
}

static void
discard(const LotBook *book)
{
	pfree(book->work);
	pfree(unconstify(LotSupply *, book->supplies));
	pfree(unconstify(LotDemand *, book->demands));
}

/* What is offered of a book that has been filled; it is used up. */
int
lots_builder_steps(const LotBookBuilder *b, int32 life, int32 pin, AtpStep **steps)
{
	LotBook		book = finish(b);
	int			n;

	*steps = palloc(sizeof(AtpStep) * (2 * b->nsupplies + 1));
	n = lots_steps(&book, life, pin, (LotStep *) *steps);
	discard(&book);
	return n;
}

/*
 * What the lots offer, as steps that need not ascend.  A lot must be usable
 * until req->life days after the day of need.
 */
int
lots_offer(const Position *pos, const OfferRequest *req, AtpStep **steps)
{
	LotBookBuilder b;

	if (req->lot[0] != '\0')
		return lots_pin_offer(pos, req, steps);
	if (holds_are_pinned(pos, req->now))
		(void) lots_pin_builder(&b, pos, req->today, req->now, "");
	else
	{
		lots_builder_init(&b, req->today, lots_ngroups(pos), lots_ngroups(pos) + pos->holds.n / HOLD_LONGS);
		add_groups(&b, pos);
		lots_builder_holds(&b, pos, req->now);
	}
	return lots_builder_steps(&b, req->life_of_item ? item_min_life(pos->key.tenant_id, pos->key.item) : req->life,
							  0, steps);
}

static int64
count_missing(const Position *pos, DateADT today, bool holds, TimestampTz now)
{
	LotBookBuilder b;
	LotBook		book;
	int64		missing;

	if (pos->lots.n == 0)
		return 0;
	if (holds && holds_are_pinned(pos, now))
		(void) lots_pin_builder(&b, pos, today, now, "");
	else
	{
		lots_builder_init(&b, today, lots_ngroups(pos), lots_ngroups(pos) + pos->holds.n / HOLD_LONGS);
		add_groups(&b, pos);
		if (holds)
			lots_builder_holds(&b, pos, now);
	}
	book = finish(&b);
	missing = lots_deficit(&book);
	discard(&book);
	return missing;
}

/*
 * How much of what is booked no lot can serve, however they are given out.
 * Holds do not count: no booking gives way to them.
 */
int64
lots_missing(const Position *pos, DateADT today)
{
	return count_missing(pos, today, false, 0);
}

/* How much more that is with the holds that have not expired. */
int64
lots_missing_held(const Position *pos, DateADT today, TimestampTz now)
{
	return count_missing(pos, today, true, now) - count_missing(pos, today, false, 0);
}

/*
 * The same, less what would be missing without any booking: stock that was
 * taken already and is missing itself.
 */
int64
lots_uncovered(const Position *pos, DateADT today)
{
	LotBookBuilder b;
	LotBook		book;
	int64		uncovered;

	if (pos->lots.n == 0)
		return 0;
	lots_builder_init(&b, today, lots_ngroups(pos), lots_ngroups(pos));
	add_groups(&b, pos);
	book = finish(&b);
	uncovered = lots_deficit(&book);
	if (uncovered > 0)
	{
		book.ndemands = 0;
		uncovered -= lots_deficit(&book);
	}
	discard(&book);
	return uncovered;
}

/* Book a quantity, or (negative) give it back. */
void
lots_book(Position *pos, const StockBooking *b, int64 quantity)
{
	if (b->lot != NULL && b->lot[0] != '\0')
		lots_pin_book(pos, b, quantity);
	else
	{
		lots_add(&pos->lots, b->needed_on, lot_until(b->min_expiry, 0), 0, quantity);
		position_set_special(pos);
	}
}

/*
 * Make the groups of a position anew from its supply, which has just been
 * read.  Bookings are those in hand, or, where lots have not mattered so far,
 * those of the table.  SPI is connected.
 */
void
lots_sum(Position *pos, const LotRow *rows, int nrows)
{
	bool		matter = pos->lots.n > 0;

	for (int i = 0; i < nrows && !matter; i++)
		matter = rows[i].lot[0] != '\0' || rows[i].expiry != DATEVAL_NOEND;
	if (matter)
		lots_pin_sum(pos, rows, nrows, ENGINE_FRESH);
}
