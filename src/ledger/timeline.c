/*
 * timeline.c
 *		Dated supply and demand of one item-node, and what can be promised of it.
 *
 * With supply effective on a day and bookings needed on a day, both kept
 * signed,
 *
 *		B(s)   = supply effective until s - bookings needed until s
 *		ATP(t) = max(0, min over s >= t of B(s) - safety stock)
 *
 * The minimum over the future is what keeps a promise for tomorrow from
 * eating what an order for next week was promised.  Neither may a negative
 * balance be dropped when it is carried forward, nor the look-ahead stop at
 * the first recovery: both over-promise.
 *
 * Supply whose day has passed is taken to come some days from today, whatever
 * day today is: it neither vanishes nor counts as being here.  So the balances
 * move with the calendar, without any transaction.
 */
#include "ledger/timeline.h"

#include "base/quantity.h"

#include "catalog/pg_type.h"

/* Read the triples (day, supply, demand) that a position row holds. */
void
timeline_from_array(Timeline *tl, ArrayType *array)
{
	int64	   *values = (int64 *) ARR_DATA_PTR(array);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) / 3;

	if (ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT8OID)
		n = 0;					/* not ours: verify() tells */
	tl->n = n;
	tl->capacity = n + 4;
	tl->entries = palloc(sizeof(TimelineEntry) * tl->capacity);
	for (int i = 0; i < n; i++)
	{
		tl->entries[i].day = supply_key_day(values[3 * i]);
		tl->entries[i].late = supply_key_late(values[3 * i]);
		tl->entries[i].supply = values[3 * i + 1];
		tl->entries[i].demand = values[3 * i + 2];
	}
}

ArrayType *
timeline_to_array(const Timeline *tl)
{
	int			n = tl->n * 3;
	Size		size;
	ArrayType  *array;
	int64	   *values;

	if (n == 0)
		return construct_empty_array(INT8OID);
	size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(int64);
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = INT8OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	values = (int64 *) ARR_DATA_PTR(array);
	for (int i = 0; i < tl->n; i++)
	{
		values[3 * i] = supply_key(tl->entries[i].day, tl->entries[i].late);
		values[3 * i + 1] = tl->entries[i].supply;
		values[3 * i + 2] = tl->entries[i].demand;
	}
	return array;
}

void
timeline_copy(Timeline *to, const Timeline *from)
{
	to->n = from->n;
	to->capacity = from->n + 4;
	to->entries = palloc(sizeof(TimelineEntry) * to->capacity);
	if (from->n > 0)
		memcpy(to->entries, from->entries, sizeof(TimelineEntry) * from->n);
}

/* Add signed supply and demand; an entry with neither is dropped. */
static void
add_entry(Timeline *tl, DateADT day, int32 late, int64 supply, int64 demand)
{
	int			i = tl->n;
	TimelineEntry *e;

	while (i > 0 && (tl->entries[i - 1].day > day ||
					 (tl->entries[i - 1].day == day && tl->entries[i - 1].late > late)))
		i--;
	if (i > 0 && tl->entries[i - 1].day == day && tl->entries[i - 1].late == late)
	{
		e = &tl->entries[i - 1];
		e->supply = scaled_add(e->supply, supply);
		e->demand = scaled_add(e->demand, demand);
		if (e->supply == 0 && e->demand == 0)
		{
			memmove(e, e + 1, sizeof(*e) * (tl->n - i));
			tl->n--;
		}
		return;
	}
	if (supply == 0 && demand == 0)
		return;
	if (tl->n == tl->capacity)
	{
		tl->capacity = tl->capacity * 2 + 4;
		tl->entries = repalloc(tl->entries, sizeof(TimelineEntry) * tl->capacity);
	}
	e = &tl->entries[i];
	memmove(e + 1, e, sizeof(*e) * (tl->n - i));
	tl->n++;
	e->day = day;
	e->late = late;
	e->supply = supply;
	e->demand = demand;
}

void
timeline_add_supply(Timeline *tl, DateADT day, int32 late, int64 supply)
{
	add_entry(tl, day, day == ON_HAND_DAY ? 0 : late, supply, 0);
}

void
timeline_add_demand(Timeline *tl, DateADT day, int64 demand)
{
	add_entry(tl, day, 0, 0, demand);
}

void
timeline_add_all(Timeline *tl, const Timeline *other)
{
	for (int i = 0; i < other->n; i++)
		add_entry(tl, other->entries[i].day, other->entries[i].late,
				  other->entries[i].supply, other->entries[i].demand);
}

/* Leave only the demand: supply is summed anew from its table. */
void
timeline_clear_supply(Timeline *tl)
{
	int			kept = 0;

	for (int i = 0; i < tl->n; i++)
	{
		if (tl->entries[i].demand == 0)
			continue;
		tl->entries[kept] = tl->entries[i];
		tl->entries[kept++].supply = 0;
	}
	tl->n = kept;
}

/*
 * The signed balance of today and of each later day on which it changes: the
 * first step is today, days ascend strictly.  Returns their number.
 */
int
timeline_balances(const Timeline *tl, DateADT today, AtpStep **result)
{
	AtpStep    *steps = palloc(sizeof(AtpStep) * (tl->n * 2 + 1));
	int			n = 1;
	int			first_late = tl->n * 2 + 1;
	int64		balance = 0;

	/* changes: late supply is collected from the end of the array */
	steps[0].day = today;
	steps[0].available = 0;
	for (int i = 0; i < tl->n; i++)
	{
		const TimelineEntry *e = &tl->entries[i];
		int64		supply = e->supply;

		if (e->day <= today)
		{
			if (e->day != ON_HAND_DAY && e->day < today)
			{
				if (supply != 0)
				{
					steps[--first_late].day = today + 1 + e->late;
					steps[first_late].available = supply;
				}
				supply = 0;
			}
			steps[0].available = scaled_sub(scaled_add(steps[0].available, supply), e->demand);
			continue;
		}
		if (steps[n - 1].day != e->day)
		{
			steps[n].day = e->day;
			steps[n++].available = 0;
		}
		steps[n - 1].available = scaled_sub(scaled_add(steps[n - 1].available, supply), e->demand);
	}
	for (int late = first_late; late < tl->n * 2 + 1; late++)
	{
		AtpStep		own = steps[late];
		int			i = n;

		while (i > 0 && steps[i - 1].day > own.day)
			i--;
		if (i > 0 && steps[i - 1].day == own.day)
		{
			steps[i - 1].available = scaled_add(steps[i - 1].available, own.available);
			continue;
		}
		memmove(&steps[i + 1], &steps[i], sizeof(AtpStep) * (n - i));
		steps[i] = own;
		n++;
	}
	for (int i = 0; i < n; i++)
	{
		balance = scaled_add(balance, steps[i].available);
		steps[i].available = balance;
	}
	*result = steps;
	return n;
}

/*
 * Turn balances into what can be promised: the minimum over the future, less
 * what is to be deducted, not below 0.  The days are strictly ascending, the
 * first is today, and so are the amounts.  Returns how many, 0 when nothing
 * is offered at any time.
 */
int
steps_of_balances(AtpStep *steps, int n, int64 deduct)
{
	int64		minimum = PG_INT64_MAX;
	int			last = 0;

	for (int i = n - 1; i >= 0; i--)
	{
		minimum = Min(minimum, steps[i].available);
		steps[i].available = Max(scaled_sub(minimum, deduct), 0);
	}

	/* keep the days on which the offer rises, and the first */
	for (int i = 1; i < n; i++)
	{
		if (steps[i].available > steps[last].available)
			steps[++last] = steps[i];
	}
	n = last + 1;
	return (n == 1 && steps[0].available == 0) ? 0 : n;
}

/* What the steps offer for a day; before the first of them nothing. */
int64
steps_at(const AtpStep *steps, int n, DateADT day)
{
	int64		available = 0;

	for (int i = 0; i < n && steps[i].day <= day; i++)
		available = steps[i].available;
	return available;
}

/*
 * The first day after "after", today or later, with a negative balance, and
 * by how much.
 */
bool
timeline_next_negative(const Timeline *tl, DateADT today, DateADT after,
					   DateADT *day, int64 *missing)
{
	AtpStep    *steps;
	int			n = timeline_balances(tl, today, &steps);
	bool		found = false;

	for (int i = 0; i < n && !found; i++)
	{
		if (steps[i].available < 0 && steps[i].day > after)
		{
			*day = steps[i].day;
			*missing = -steps[i].available;
			found = true;
		}
	}
	pfree(steps);
	return found;
}

int64
timeline_on_hand(const Timeline *tl)
{
	return (tl->n > 0 && tl->entries[0].day == ON_HAND_DAY) ? tl->entries[0].supply : 0;
}

int64
timeline_inbound(const Timeline *tl)
{
	int64		sum = 0;

	for (int i = 0; i < tl->n; i++)
	{
		if (tl->entries[i].day != ON_HAND_DAY)
			sum = scaled_add(sum, tl->entries[i].supply);
	}
	return sum;
}

int64
timeline_promised(const Timeline *tl)
{
	int64		sum = 0;

	for (int i = 0; i < tl->n; i++)
		sum = scaled_add(sum, tl->entries[i].demand);
	return sum;
}
