/*
 * dates_test.c
 *		Which day follows from which, by the examples of the design.
 *
 * Day 0 is Monday, 2 November 2026: the day of the month is the number plus 2,
 * and every seventh day is a Monday.
 */
#include <stdio.h>
#include <string.h>

#include "dates.h"

#define NOVEMBER(day)	((day) - 2)
#define DECEMBER(day)	((day) + 28)
#define WORKING_WEEK	0x1f	/* Monday to Friday */

static int	ntests;
static int	nfailed;
static SrcProblem problem;
static SrcNode node;
static SrcLane lane;
static const int32_t holidays[] = {NOVEMBER(26)};
static const Calendar working = {WORKING_WEEK, 1, holidays};
static const Calendar tuesdays = {0x02, 0, NULL};
static const Calendar closed = {0, 0, NULL};

static void
is_day(int32_t found, int32_t expected, const char *name)
{
	ntests++;
	nfailed += found != expected;
	printf("%sok %d - %s\n", found == expected ? "" : "not ", ntests, name);
	if (found != expected)
		printf("# day %d, expected %d\n", (int) found, (int) expected);
}

/* transit 2, handling 1, weekends and 26 November closed everywhere */
static void
start(void)
{
	memset(&problem, 0, sizeof(problem));
	memset(&node, 0, sizeof(node));
	memset(&lane, 0, sizeof(lane));
	problem.nnodes = 1;
	problem.nodes = &node;
	problem.nlanes = 1;
	problem.lanes = &lane;
	problem.receiving = &working;
	node.nlanes = 1;
	node.handling_days = 1;
	node.calendar = &working;
	lane.transit_days = 2;
	lane.first_ship = INT32_MIN;
	lane.open_day = INT32_MIN;
	lane.pickup = &working;
	lane.transit = &working;
}

static void
examples(void)
{
	start();
	is_day(src_latest_ship_day(&problem, &lane, NOVEMBER(25)), NOVEMBER(23),
		   "to be there on Wed 25 it leaves on Mon 23");
	is_day(src_stock_day(&problem, &lane, NOVEMBER(23)), NOVEMBER(20),
		   "the stock for Mon 23 is needed on Fri 20");
	is_day(src_ship_day(&problem, &lane, NOVEMBER(20)), NOVEMBER(23),
		   "stock of Fri 20 leaves on Mon 23");
	is_day(src_ship_day(&problem, &lane, NOVEMBER(23)), NOVEMBER(24),
		   "stock of Mon 23 leaves on Tue 24");
	is_day(src_arrival_day(&problem, &lane, NOVEMBER(24)), NOVEMBER(27),
		   "what leaves on Tue 24 arrives on Fri 27: Thu 26 is a holiday");
	is_day(src_latest_ship_day(&problem, &lane, DECEMBER(21)), DECEMBER(17),
		   "to be there on Mon 21 December it leaves on Thu 17");
	is_day(src_ship_day(&problem, &lane, NOVEMBER(21)), NOVEMBER(24),
		   "stock of a Saturday is handled on Monday and leaves on Tuesday");
}

static void
details(void)
{
	int32_t		day;
	int			inverse = 1;

	start();
	lane.first_ship = NOVEMBER(25);
	is_day(src_ship_day(&problem, &lane, NOVEMBER(20)), NOVEMBER(25),
		   "nothing leaves before the cut-off");
	is_day(src_latest_ship_day(&problem, &lane, NOVEMBER(25)), CALENDAR_NEVER,
		   "too early for the cut-off");
	start();
	lane.pickup = &tuesdays;
	is_day(src_ship_day(&problem, &lane, NOVEMBER(20)), NOVEMBER(24),
		   "picked up on Tuesdays");
	is_day(src_latest_ship_day(&problem, &lane, NOVEMBER(30)), NOVEMBER(24),
		   "there by Mon 30: picked up on Tue 24");
	is_day(src_arrival_day(&problem, &lane, NOVEMBER(24)), NOVEMBER(27),
		   "and arrives three days early");
	start();
	lane.pickup = &closed;
	is_day(src_ship_day(&problem, &lane, NOVEMBER(20)), CALENDAR_NEVER,
		   "never picked up: no ship day");
	is_day(src_latest_ship_day(&problem, &lane, NOVEMBER(20)), CALENDAR_NEVER,
		   "nor a last one");
	start();
	lane.transit = &closed;
	is_day(src_arrival_day(&problem, &lane, NOVEMBER(20)), CALENDAR_NEVER,
		   "a carrier that never moves does not arrive");

	/* a year of days: forward and backward agree */
	start();
	problem.receiving = &tuesdays;
	for (day = 0; day < 365; day++)
	{
		int32_t		ship = src_ship_day(&problem, &lane, day);
		int32_t		last = src_latest_ship_day(&problem, &lane, day);
		int32_t		s;

		inverse &= src_stock_day(&problem, &lane, ship) >= day;
		for (s = day; s < ship; s++)
			inverse &= !calendar_is_open(&working, s) ||
				src_stock_day(&problem, &lane, s) < day;
		inverse &= src_arrival_day(&problem, &lane, last) <= day;
		for (s = last + 1; s <= day; s++)
			inverse &= !calendar_is_open(&working, s) ||
				src_arrival_day(&problem, &lane, s) > day;
	}
	is_day(inverse, 1, "the first ship day and the last are what they say, every day of a year");

	/* no calendars, and days at the end of what there is */
	memset(&problem, 0, sizeof(problem));
	problem.nodes = &node;
	problem.lanes = &lane;
	start();
	problem.receiving = NULL;
	node.calendar = lane.pickup = lane.transit = NULL;
	is_day(src_ship_day(&problem, &lane, 10), 11, "without calendars a day later");
	is_day(src_stock_day(&problem, &lane, 11), 10, "and back");
	is_day(src_arrival_day(&problem, &lane, 11), 13, "arrival");
	is_day(src_latest_ship_day(&problem, &lane, 13), 11, "and back");
	is_day(src_arrival_day(&problem, &lane, INT32_MAX - 1), CALENDAR_NEVER,
		   "past the last day there is none");
	is_day(src_latest_ship_day(&problem, &lane, INT32_MIN + 1), CALENDAR_NEVER,
		   "nor before the first");
}

int
main(void)
{
	examples();
	details();
	printf("1..%d\n", ntests);
	return nfailed > 0;
}
