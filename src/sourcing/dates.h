/*
 * dates.h
 *		Which day follows from which: handling, pick-up, transit, receiving.
 *
 * Pure, like plan.h, whose structs it works on.  CALENDAR_NEVER says that
 * there is no such day.
 */
#ifndef ROUTING_SOURCING_DATES_H
#define ROUTING_SOURCING_DATES_H

#include "plan.h"

/* the first ship day of a lane for stock that is there on a day */
extern int32_t src_ship_day(const SrcProblem *problem, const SrcLane *lane, int32_t stock_day);

/* the last day on which stock is in time for a ship day of the lane */
extern int32_t src_stock_day(const SrcProblem *problem, const SrcLane *lane, int32_t ship_day);

/* when a shipment of the lane arrives */
extern int32_t src_arrival_day(const SrcProblem *problem, const SrcLane *lane, int32_t ship_day);

/* the last ship day that arrives on or before a day; CALENDAR_NEVER if there is none from first_ship on */
extern int32_t src_latest_ship_day(const SrcProblem *problem, const SrcLane *lane, int32_t arrival);

#endif							/* ROUTING_SOURCING_DATES_H */
