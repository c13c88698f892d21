/*
 * slots_fill.c
 *		When a hot position is divided into slots, and what they are given.
 *
 * See slots.c for what slots are.  All of it happens while the position's
 * first row, slot 0, is locked.
 */
#include "ledger/slots.h"

#include "base/clock.h"
#include "base/quantity.h"

#include "miscadmin.h"

#define MOST_SLOTS		64
#define FEWEST_SLOTS	4
#define ORDERS_PER_SLOT	4		/* a slot is to last for so many orders at least */
#define IDLE_SECONDS	60		/* since one was made or filled */

int			guc_escrow = ESCROW_AUTO;

static void
add_escrow(Position *pos, int64 key, int64 quantity)
{
	int64		entry[2] = {key, quantity};

	for (int i = 0; i < pos->escrow.n; i += 2)
	{
		if (pos->escrow.v[i] == key)
		{
			pos->escrow.v[i + 1] += quantity;
			return;
		}
	}
	longs_add(&pos->escrow, 2, entry);
}

/*
 * Move a share of what can be promised, of each day on which supply comes,
 * from slot 0 into a slot: 1 / divisor of it, in whole units.
 */
static int64
grant(Position *pos, Timeline *to, DateADT today, int64 keep, int divisor)
{
	Timeline   *tl = &pos->timeline;
	int64		granted = 0;

	for (int i = 0; i < tl->n; i++)
	{
		TimelineEntry e = tl->entries[i];
		AtpStep    *steps;
		int			n;
		int64		share;

		if (e.supply <= 0 || (e.day != ON_HAND_DAY && e.day < today))
			continue;
		n = timeline_balances(tl, today, &steps);
		n = steps_of_balances(steps, n, keep);
		share = Min(e.supply, steps_at(steps, n, Max(effective_day(e.day, e.late, today), today)));
		pfree(steps);
		share = share / divisor / SCALE * SCALE;
		if (share <= 0)
			continue;
		timeline_add_supply(tl, e.day, e.late, -share);
		timeline_add_supply(to, e.day, e.late, share);
		add_escrow(pos, supply_key(e.day, e.late), share);
		granted += share;
		if (e.supply == share && e.demand == 0)
			i--;				/* the entry is gone */
	}
	return granted;
}

static int64
wanted(const Position *pos)
{
	int64		sum = 0;

	for (int i = 0; i < pos->nwants; i++)
		sum = scaled_add(sum, pos->wants[i].quantity);
	return sum;
}

/* What must stay in slot 0: its safety stock, holds and what is wanted of it. */
static int64
kept(const Position *pos)
{
	int64		sum = scaled_add(pos->safety_stock, wanted(pos));

	for (int i = 0; i < pos->holds.n; i += 4)
		sum = scaled_add(sum, pos->holds.v[i + 3]);
	return sum;
}

static bool
divisible(const Position *pos)
{
	return pos->enabled && !pos->withheld && !pos->touched && pos->lots.n == 0 && pos->quotas.n == 0 &&
		pos->claims.n == 0 && pos->nwants > 0;
}

/*
 * Somebody had to wait for this position, or found all its slots taken; the
 * first row is locked now.  If that has plenty, half of it goes into slots: a
 * few at first, then as many again.
 */
static void
make_slots(Ledger *ledger, Position *pos)
{
	DateADT		today = position_today(pos);
	AtpStep    *steps;
	int			n;
	int64		plenty;
	int			slots = Min(Max(pos->slots, FEWEST_SLOTS), MOST_SLOTS - pos->slots);
	MemoryContext old;

	if (!divisible(pos) || pos->nslot_rows > 0)
		return;
	n = timeline_balances(&pos->timeline, today, &steps);
	n = steps_of_balances(steps, n, kept(pos));
	plenty = n > 0 ? steps[n - 1].available : 0;
	pfree(steps);
	slots = (int) Min(plenty / 2 / (guc_escrow == ESCROW_ALWAYS ? SCALE :
									ORDERS_PER_SLOT * Max(wanted(pos), SCALE)), slots);
	if (slots < FEWEST_SLOTS)
		return;
	old = MemoryContextSwitchTo(ledger->context);
	pos->slot_rows = palloc0(sizeof(SlotRow) * slots);
	for (int i = 0; i < slots; i++)
	{
		SlotRow    *s = &pos->slot_rows[pos->nslot_rows];
		Timeline	empty = {0};

		timeline_copy(&s->timeline, &empty);
		/* all get the same share of half of it */
		if (grant(pos, &s->timeline, today, kept(pos), 2 * slots - i) == 0)
			break;
		s->slot = pos->slots + ++pos->nslot_rows;
		s->dirty = true;
		ItemPointerSetInvalid(&s->tid);
	}
	MemoryContextSwitchTo(old);
	pos->slots += pos->nslot_rows;
	pos->slots_at = clock_now();
	pos->steps_valid = false;
	pos->dirty = true;
}

/* No slot had enough, but slot 0, which is locked, does: fill one for those who come. */
static void
refill_one(Ledger *ledger, Position *pos)
{
	DateADT		today = position_today(pos);
	int			first = MyProcPid % pos->slots;

	if (!divisible(pos))
		return;
	for (int i = 0; i < Min(pos->slots, FEWEST_SLOTS); i++)
	{
		int32		slot = 1 + (first + i) % pos->slots;
		Position	row = {0};
		MemoryContext old;

		if (!slot_lock(pos, slot, false))
			continue;
		if (!slot_read(ledger, pos, slot, &row) || slots_wants_fit(pos, &row.timeline, today))
		{
			slot_unlock(pos, slot);
			continue;
		}
		old = MemoryContextSwitchTo(ledger->context);
		(void) grant(pos, &row.timeline, today, kept(pos), 2 * pos->slots);
		pos->slot_rows = palloc0(sizeof(SlotRow));
		pos->nslot_rows = 1;
		pos->slot_rows[0].slot = slot;
		pos->slot_rows[0].tid = row.tid;
		pos->slot_rows[0].timeline = row.timeline;
		pos->slot_rows[0].dirty = true;
		MemoryContextSwitchTo(old);
		pos->slots_at = clock_now();
		pos->steps_valid = false;
		pos->dirty = true;
		return;
	}
}

/* Whether the slots have been of no use for a while: who comes next, or roll(), folds them. */
bool
slots_idle(const Position *pos, TimestampTz now)
{
	return pos->slots > 0 && now - pos->slots_at > IDLE_SECONDS * USECS_PER_SEC;
}

/*
 * The row of slot 0 is locked and there are slots: see to it that what is
 * wanted can be booked on it.  False if that needs a slot that somebody holds,
 * and is not to be waited for.
 */
bool
slots_settle(Ledger *ledger, Position *pos, bool wait)
{
	if (!pos->whole && !pos->touched)
	{
		if (pos->nwants == 0)
			return true;		/* only gives back */
		if (!slots_are_late(pos, position_today(pos)) && slots_wants_fit(pos, NULL, position_today(pos)))
		{
			if (slots_idle(pos, clock_now()) && slots_fold(ledger, pos, false))
				return true;
			if (pos->crowded)
				make_slots(ledger, pos);
			else
				refill_one(ledger, pos);
			return true;
		}
	}
	return slots_fold(ledger, pos, wait);
}

/*
 * The first row of a position without slots is locked: make some if it is
 * hot, which is when somebody had to wait for it twice within a second.
 */
void
slots_consider(Ledger *ledger, Position *pos, bool waited)
{
	TimestampTz now;

	if (guc_escrow == ESCROW_ALWAYS)
		make_slots(ledger, pos);
	if (guc_escrow != ESCROW_AUTO || !waited || !divisible(pos))
		return;
	now = clock_now();
	if (pos->slots_at != 0 && now - pos->slots_at < USECS_PER_SEC)
		make_slots(ledger, pos);
	else
		pos->slots_at = now;	/* written with what is booked */
}
