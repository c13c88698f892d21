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
 * Inbound that is past due is assumed to come tomorrow, whatever day today
 * is: it neither vanishes nor counts as being here.
 */
#include "ledger/timeline.h"

#include "base/quantity.h"

#include "catalog/pg_type.h"

#define PAST_DUE_OFFSET		1	/* days */

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
		tl->entries[i].day = (DateADT) values[3 * i];
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
		values[3 * i] = tl->entries[i].day;
		values[3 * i + 1] = tl->entries[i].supply;
		values[3 * i + 2] = tl->entries[i].demand;
	}
	return array;
}

/* Add signed supply and demand on a day; a day with neither is dropped. */
void
timeline_add(Timeline *tl, DateADT day, int64 supply, int64 demand)
{
	int			i = tl->n;
	TimelineEntry *e;

	while (i > 0 && tl->entries[i - 1].day > day)
		i--;
	if (i > 0 && tl->entries[i - 1].day == day)
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
	e->supply = supply;
	e->demand = demand;
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

/* The day from which supply of that date is counted on. */
DateADT
effective_day(DateADT day, DateADT today)
{
	return (day != ON_HAND_DAY && day < today) ? today + PAST_DUE_OFFSET : day;
}

/*
 * What can be promised from today on, as steps: days strictly ascending, the
 * first is today, amounts strictly ascending.  Returns their number, 0 when
 * nothing is offered at any time.
 */
int
timeline_steps(const Timeline *tl, int64 safety_stock, bool enabled,
			   DateADT today, AtpStep **result)
{
	AtpStep    *steps;
	int			n = 0;
	int64		balance = 0;
	int64		past_due = 0;
	int64		minimum = PG_INT64_MAX;
	bool		placed = false;
	int			last;

	*result = NULL;
	if (!enabled || tl->n == 0)
		return 0;

	/* balances: steps[0] is today, then each day on which something changes */
	steps = palloc(sizeof(AtpStep) * (tl->n + 2));
	steps[n].day = today;
	steps[n++].available = 0;
	for (int i = 0; i < tl->n; i++)
	{
		const TimelineEntry *e = &tl->entries[i];
		int64		supply = e->supply;

		if (e->day <= today)
		{
			if (e->day != ON_HAND_DAY && e->day < today)
			{
				past_due = scaled_add(past_due, supply);
				supply = 0;
			}
			balance = scaled_sub(scaled_add(balance, supply), e->demand);
			continue;
		}
		steps[0].available = n == 1 ? balance : steps[0].available;
		if (past_due != 0 && !placed)
		{
			placed = true;
			balance = scaled_add(balance, past_due);
			if (e->day > today + PAST_DUE_OFFSET)
			{
				steps[n].day = today + PAST_DUE_OFFSET;
				steps[n++].available = balance;
			}
		}
		balance = scaled_sub(scaled_add(balance, supply), e->demand);
		steps[n].day = e->day;
		steps[n++].available = balance;
	}
	if (n == 1)
		steps[0].available = balance;
	if (past_due != 0 && !placed)
	{
		steps[n].day = today + PAST_DUE_OFFSET;
		steps[n++].available = scaled_add(balance, past_due);
	}

	/* minimum over the future, less the safety stock, not below 0 */
	for (int i = n - 1; i >= 0; i--)
	{
		minimum = Min(minimum, steps[i].available);
		steps[i].available = Max(scaled_sub(minimum, safety_stock), 0);
	}

	/* keep the days on which the offer rises, and the first */
	last = 0;
	for (int i = 1; i < n; i++)
	{
		if (steps[i].available > steps[last].available)
			steps[++last] = steps[i];
	}
	n = last + 1;
	if (n == 1 && steps[0].available == 0)
		return 0;
	*result = steps;
	return n;
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
 * The first day with a negative balance and by how much: of all days, or of
 * those after a day.  By the dates as the ERP gave them: what a past-due
 * purchase does to promises is for roll().
 */
bool
timeline_next_negative(const Timeline *tl, bool all, DateADT after, DateADT *day, int64 *missing)
{
	int64		balance = 0;

	for (int i = 0; i < tl->n; i++)
	{
		balance = scaled_sub(scaled_add(balance, tl->entries[i].supply),
							 tl->entries[i].demand);
		if (balance < 0 && (all || tl->entries[i].day > after))
		{
			*day = tl->entries[i].day;
			*missing = -balance;
			return true;
		}
	}
	return false;
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
