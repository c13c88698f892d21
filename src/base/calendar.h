/*
 * calendar.h
 *		Open days: of a node, a carrier, a pick-up, a destination.
 *
 * Pure C, without server headers.  Days are numbers of any epoch.
 */
#ifndef ROUTING_BASE_CALENDAR_H
#define ROUTING_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define CALENDAR_REACH	3660	/* days that the search for an open day goes on */
#define CALENDAR_NEVER	INT32_MAX	/* there is none */

/*
 * Bit (day mod 7), counted so that it is never negative, says whether such
 * days are open; on the days listed it is the other way round.  A null pointer
 * is a calendar without closed days.
 */
typedef struct Calendar
{
	uint8_t		week;
	int32_t		nexceptions;
	const int32_t *exceptions;	/* ascending */
} Calendar;

extern bool calendar_is_open(const Calendar *calendar, int32_t day);

/* the first open day on or after, the last on or before */
extern int32_t calendar_from(const Calendar *calendar, int32_t day);
extern int32_t calendar_until(const Calendar *calendar, int32_t day);

/* so many open days after, or before, a day, which need not be open itself; 0: the day */
extern int32_t calendar_after(const Calendar *calendar, int32_t day, int32_t days);
extern int32_t calendar_before(const Calendar *calendar, int32_t day, int32_t days);

#endif							/* ROUTING_BASE_CALENDAR_H */
