/*
 * calendar.c
 *		Open days: of a node, a carrier, a pick-up, a destination.
 *
 * Every search ends after CALENDAR_REACH days with CALENDAR_NEVER, also in a
 * calendar that has no open day at all.
 */
#include "calendar.h"

#include <stddef.h>

bool
calendar_is_open(const Calendar *calendar, int32_t day)
{
	int32_t		weekday;
	int32_t		low = 0;
	int32_t		high;
	bool		open;

	if (calendar == NULL)
		return true;
	weekday = day % 7;
	open = (calendar->week >> (weekday < 0 ? weekday + 7 : weekday)) & 1;
	high = calendar->nexceptions;
	while (low < high)
	{
		int32_t		middle = low + (high - low) / 2;

		if (calendar->exceptions[middle] == day)
			return !open;
		if (calendar->exceptions[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return open;
}

/* the open day number "days" in the direction "step", after "day" */
static int32_t
go(const Calendar *calendar, int32_t day, int32_t days, int32_t step)
{
	int64_t		at = day;
	int32_t		closed = 0;

	if (day == CALENDAR_NEVER)
		return CALENDAR_NEVER;
	if (calendar == NULL)
	{
		at += (int64_t) days * step;
		return at >= CALENDAR_NEVER || at <= INT32_MIN ? CALENDAR_NEVER : (int32_t) at;
	}
	while (days > 0)
	{
		at += step;
		if (at >= CALENDAR_NEVER || at <= INT32_MIN)
			return CALENDAR_NEVER;
		if (calendar_is_open(calendar, (int32_t) at))
		{
			days--;
			closed = 0;
		}
		else if (++closed > CALENDAR_REACH)
			return CALENDAR_NEVER;
	}
	return (int32_t) at;
}

int32_t
calendar_from(const Calendar *calendar, int32_t day)
{
	if (day == CALENDAR_NEVER || calendar_is_open(calendar, day))
		return day;
	return go(calendar, day, 1, 1);
}

int32_t
calendar_until(const Calendar *calendar, int32_t day)
{
	if (day == CALENDAR_NEVER || calendar_is_open(calendar, day))
		return day;
	return go(calendar, day, 1, -1);
}

int32_t
calendar_after(const Calendar *calendar, int32_t day, int32_t days)
{
	return go(calendar, day, days, 1);
}

int32_t
calendar_before(const Calendar *calendar, int32_t day, int32_t days)
{
	return go(calendar, day, days, -1);
}
