/*
 * dates.c
 *		Which day follows from which: handling, pick-up, transit, receiving.
 *
 * Handling takes whole open days of the node, the first of which is the day
 * on which the stock is needed; the shipment leaves after the last of them.
 * Likewise the carrier moves on whole open days after the one it picks up on.
 * Forward and backward are inverse: src_ship_day is the first ship day whose
 * src_stock_day is not before the stock, and src_latest_ship_day the last one
 * whose src_arrival_day is not after the arrival.
 *
 * Where no calendar is set a day is a sum; that is the common case, and asked
 * for every line on every lane of the network.
 */
#include "dates.h"

/* a day that may be out of range */
static int32_t
whole_day(int64_t day)
{
	return day >= CALENDAR_NEVER || day <= INT32_MIN ? CALENDAR_NEVER : (int32_t) day;
}

int32_t
src_ship_day(const SrcProblem *problem, const SrcLane *lane, int32_t stock_day)
{
	const SrcNode *node = &problem->nodes[lane->node];
	int32_t		day;

	if (node->calendar == NULL)
		day = whole_day((int64_t) stock_day + node->handling_days);
	else if (node->handling_days <= 0 || stock_day == INT32_MIN)
		day = stock_day;
	else
	{
		day = calendar_after(node->calendar, stock_day - 1, node->handling_days);
		day = whole_day((int64_t) day + 1);
	}
	if (day < lane->first_ship)
		day = lane->first_ship;
	return calendar_from(lane->pickup, day);
}

int32_t
src_stock_day(const SrcProblem *problem, const SrcLane *lane, int32_t ship_day)
{
	const SrcNode *node = &problem->nodes[lane->node];

	return calendar_before(node->calendar, ship_day, node->handling_days);
}

int32_t
src_arrival_day(const SrcProblem *problem, const SrcLane *lane, int32_t ship_day)
{
	return calendar_from(problem->receiving,
						 calendar_after(lane->transit, ship_day, lane->transit_days));
}

int32_t
src_latest_ship_day(const SrcProblem *problem, const SrcLane *lane, int32_t arrival)
{
	int32_t		day = calendar_until(problem->receiving, arrival);

	if (day == CALENDAR_NEVER)
		return CALENDAR_NEVER;
	if (lane->transit == NULL)
		day = whole_day((int64_t) day - lane->transit_days);
	else if (lane->transit_days > 0)
	{
		day = calendar_before(lane->transit, day + 1, lane->transit_days);
		if (day == CALENDAR_NEVER || day == INT32_MIN)
			return CALENDAR_NEVER;
		day--;
	}
	day = calendar_until(lane->pickup, day);
	return day == CALENDAR_NEVER || day < lane->first_ship ? CALENDAR_NEVER : day;
}
