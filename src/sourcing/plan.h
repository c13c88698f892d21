/*
 * plan.h
 *		The search for the cheapest plan of an order: what goes in, what comes out.
 *
 * Pure C of structs: no SQL, no clock, no randomness, no server headers, so
 * that it can be tested, fuzzed and replayed outside a server.  The same
 * input gives the same plan on every machine: all amounts are integers.
 *
 * Units: quantities, kilograms and money are int64 counts of ten-thousandths
 * (SRC_SCALE); days are int32 day numbers of any epoch.
 *
 * Dates.  A shipment is (node, lane, ship day).  Stock is needed on the last
 * day from which "handling_days" open days of the node's calendar lead to the
 * ship day; the ship day is a pick-up day of the lane, not before the lane's
 * first_ship, and stock is not needed before the node's today; it arrives
 * "transit_days" open days of the carrier's calendar later, then on the first
 * day on which the destination receives (dates.h).
 *
 *	- A line has a target ship day for each lane: the last ship day whose
 *	  arrival (or which itself, for by_ship_day) is not after "requested" and
 *	  that is possible at all; if there is none, the first possible one.  A
 *	  shipment can carry the line only if it leaves on the target day or later
 *	  (nothing is shipped early), unless the line is early_ok.  It is late by
 *	  the days that its arrival (or ship day) is after "requested".
 *	- It cannot carry the line either before "not_before" (ship day), or if
 *	  what "requested" means is after "latest", or if the line is forbidden at
 *	  the node or on the lane.
 *
 * Quantities.  Availability of an item at a node is a step function of the day
 * on which stock is needed, non-decreasing (a suffix minimum) unless lots end;
 * then plans are as feasible, but not proved to be the cheapest.  For parts of
 * one item at one node with days d1 <= d2 <= ... : every prefix sum
 * q1 + ... + qi must not exceed the availability on day di.  Lines of one item
 * share it.  What a line takes from a shipment (its part there) is moreover
 *
 *	- a multiple of "multiple" (unless 0), at least min_part, at most max_part;
 *	- at least split_min, unless it is the whole line; and then what of the
 *	  line is left unserved, unless 0, is at least split_min too;
 *	- everything or nothing for the lines of one group (>= 0): they are carried
 *	  whole, together, by one shipment, or not at all.
 *
 * Shipments of a node on a ship day together stay within its room: their
 * number, their lines (parts) and their units; a shipment weighs at most what
 * its lane allows; one with goods worth less than its node's min_value is not made, nor one worth less than
 * split_min_value if the plan has further shipments or leaves anything
 * unserved (then what is unserved must be worth that, too).
 *
 * one_date: every line is served whole and all shipments arrive on one day, or
 * nothing is served.  all_or_nothing: every line is served whole, or nothing.
 *
 * Cost, lower is better, in money:
 *
 *	  sum over shipments  [ handling(node) + preference(node) + distance(node)
 *							+ base(lane), unless the ship day is its open_day
 *							+ round(weight * per_kg(lane))
 *							+ capacity price of (node, ship day)
 *							+ split_penalty from the second shipment on ]
 *	+ sum over parts	  round(days late * lateness_per_day * part / quantity)
 *						+ round(goods(line, node) * part / quantity)
 *						+ round(custom(line, node) * part / quantity)
 *						+ round(risk(lane) * sla_penalty(line) * part / quantity)
 *						+ round(balance_price(line) * part / availability)
 *	+ sum over lines	  round(backorder_penalty * unserved / quantity)
 *
 * where the weight of a part is round(quantity * unit weight), round() is to
 * the nearest ten-thousandth, halves up, and availability is that of the item
 * at the node on the day stock is needed.  No amount is negative.  What goods
 * are worth for the rules above is the sum of quantity * unit value, unrounded.
 *
 * "exact" may be false although a plan has few enough shipments where dividing
 * the lines under the rules took too many steps or too large numbers, where a
 * lane had more useful days than are tried, or when the work limit was hit;
 * the gap is a bound then, too.
 *
 * Ties are broken by: lower cost, fewer shipments, earlier last arrival, then
 * the smaller nodes in input order (the caller sorts nodes by rank and code),
 * then the smaller lanes in input order, then the earlier days, then the
 * smaller lane on the earliest day.
 */
#ifndef ROUTING_SOURCING_PLAN_H
#define ROUTING_SOURCING_PLAN_H

#include "base/calendar.h"

#include <stddef.h>

#define SRC_SCALE			10000
#define SRC_EXACT_SHIPMENTS 3	/* the search is exhaustive up to this many */

typedef struct SrcLane
{
	int32_t		node;			/* index into nodes[] */
	int32_t		transit_days;
	int64_t		base;			/* money per shipment */
	int64_t		per_kg;			/* money per kg */
	int64_t		max_weight;		/* kg of a shipment; 0: any */
	int32_t		first_ship;		/* cut-off: nothing leaves earlier; INT32_MIN */
	int32_t		open_day;		/* a shipment there is open already; INT32_MIN */
	int64_t		risk;			/* of being late, 0 to SRC_SCALE */
	const Calendar *pickup;	/* when it is picked up at the node */
	const Calendar *transit; /* when the carrier moves and delivers */
} SrcLane;

typedef struct SrcNode
{
	int32_t		today;			/* first day stock can be taken */
	int32_t		handling_days;
	int64_t		handling;		/* money per shipment */
	int64_t		preference;		/* money per shipment: not on the list, or low on it */
	int64_t		distance;		/* money per shipment: far away */
	int64_t		min_value;		/* of a shipment, money */
	int32_t		first_lane;		/* its lanes are consecutive in lanes[] */
	int32_t		nlanes;
	const Calendar *calendar;	/* when the node works */
} SrcNode;

typedef struct SrcLine
{
	int32_t		item;			/* lines with the same number share stock */
	int32_t		pinned_node;	/* index into nodes[], or -1 */
	int64_t		quantity;		/* > 0 */
	int64_t		unit_weight;	/* kg per unit */
	int32_t		requested;		/* day wanted */
	bool		by_ship_day;	/* requested is a ship day, not a delivery day */
	bool		early_ok;
	int32_t		not_before;		/* ship day; INT32_MIN */
	int32_t		latest;			/* as requested is meant; INT32_MAX */
	int32_t		group;			/* lines that go together or not at all; -1 */
	int64_t		lateness_per_day;	/* money per day for the whole line */
	int64_t		backorder_penalty;	/* money if the whole line stays unserved */
	int64_t		sla_penalty;	/* money if the whole line is late by bad luck */
	int64_t		balance_price;	/* money for taking all that a node has */
	int64_t		unit_value;		/* money per unit, for the least worth of shipments */
	int64_t		min_part;		/* quantities; 0: no rule */
	int64_t		max_part;
	int64_t		multiple;
	int64_t		split_min;
} SrcLine;

/* what differs from node to node for a line: money for the whole line */
typedef struct SrcLineNode
{
	bool		forbidden;
	int64_t		goods;			/* goods cost more here */
	int64_t		custom;			/* terms of the tenant's own */
} SrcLineNode;

/* what a node can still do on a ship day; INT64_MAX: any number */
typedef struct SrcRoom
{
	int64_t		shipments;
	int64_t		lines;
	int64_t		units;			/* quantity */
	int64_t		price;			/* money for a shipment */
} SrcRoom;

/* from "day" on, "available" can be promised; the days strictly ascending */
typedef struct SrcStep
{
	int32_t		day;
	int64_t		available;
} SrcStep;

typedef struct SrcProfile
{
	int32_t		nsteps;			/* 0: nothing, ever */
	const SrcStep *steps;		/* valid until plan_search returns */
} SrcProfile;

typedef struct SrcProblem
{
	int32_t		nnodes;
	const SrcNode *nodes;
	int32_t		nlanes;
	const SrcLane *lanes;
	int32_t		nlines;
	const SrcLine *lines;
	const SrcLineNode *line_nodes;	/* line * nnodes + node; NULL: nothing differs */
	const bool *lane_forbidden;	/* line * nlanes + lane; NULL: none is */
	const Calendar *receiving;	/* when the destination receives */
	int64_t		split_penalty;	/* money for each shipment from the 2nd on */
	int64_t		split_min_value;	/* of each part of a split order, money */
	bool		one_date;
	bool		all_or_nothing;
	int32_t		max_shipments;	/* hard limit, >= 1 */
	int64_t		work_limit;		/* sets of shipments examined at the most; 16 blocks of bounds count as one */

	/*
	 * Availability of an item at a node; asked at most once for each pair,
	 * best node first.  May longjmp out (the server's ereport does).
	 */
	void		(*profile) (void *arg, int32_t node, int32_t item, SrcProfile *out);

	/*
	 * What the node can still do on a ship day; asked at most once for each
	 * pair, only of nodes that are read.  NULL: no node has limits or prices.
	 */
	void		(*room) (void *arg, int32_t node, int32_t ship_day, SrcRoom *out);

	/*
	 * The only nodes that have, or expect, any of the lines' items, ascending;
	 * NULL: it is not known which do.  The others are in no plan: they are not
	 * read unless read_order names them, and their bound is INT64_MAX.
	 */
	int32_t		nstocked;
	const int32_t *stocked;

	/* read exactly these, in this order, whatever their bounds; NULL: best first */
	int32_t		nread;
	const int32_t *read_order;
	int64_t		unread_bound;	/* with read_order: no plan with a node that is not in nodes[] costs less; INT64_MAX */

	bool		plan_only;		/* what nodes lack for serving all alone is not asked for */

	/* memory that lives at least as long as the result, aligned for every type; never returns NULL */
	void	   *(*alloc) (void *arg, size_t size);

	/* called every now and then in long searches; may longjmp out; or NULL */
	void		(*interrupt) (void *arg);
	void	   *arg;
} SrcProblem;

typedef struct SrcShipment
{
	int32_t		node;
	int32_t		lane;
	int32_t		day;			/* stock is needed */
	int32_t		ship;			/* leaves */
	int32_t		arrival;
	int64_t		weight;			/* kg */
	int64_t		handling;		/* the terms of its cost, in money */
	int64_t		preference;
	int64_t		distance;
	int64_t		capacity;
	int64_t		base;
	int64_t		by_weight;
	int64_t		split;			/* split penalty that this shipment adds */
} SrcShipment;

typedef struct SrcPart
{
	int32_t		line;
	int32_t		shipment;
	int64_t		quantity;
	int32_t		days_late;
	int64_t		lateness;		/* the terms of its cost, in money */
	int64_t		goods;
	int64_t		custom;
	int64_t		risk;
	int64_t		balance;
} SrcPart;

typedef struct SrcPlan
{
	int32_t		nshipments;		/* ordered by ship day, node, lane */
	SrcShipment *shipments;
	int32_t		nparts;			/* ordered by line, then shipment */
	SrcPart    *parts;
	int64_t    *unserved;		/* per line, quantity */
	int64_t		handling;		/* the terms of the total, in money */
	int64_t		preference;
	int64_t		distance;
	int64_t		capacity;
	int64_t		freight;
	int64_t		split;
	int64_t		lateness;
	int64_t		goods;
	int64_t		custom;
	int64_t		risk;
	int64_t		balance;
	int64_t		backorder;
	int64_t		total;
} SrcPlan;

/* why a node cannot serve all lines completely with one shipment, as far as known */
#define SRC_FAIL_STOCK			0x01	/* not enough when it is needed */
#define SRC_FAIL_FORBIDDEN		0x02	/* a line may not come from the node */
#define SRC_FAIL_LANE_FORBIDDEN	0x04	/* a line may not go by one of its lanes */
#define SRC_FAIL_LATEST			0x08	/* it would be later than "latest" */
#define SRC_FAIL_ROOM			0x10	/* no room on the ship day */
#define SRC_FAIL_WEIGHT			0x20	/* too heavy for a lane */
#define SRC_FAIL_VALUE			0x40	/* worth less than the node's min_value */
#define SRC_FAIL_PART			0x80	/* the quantity breaks a rule of the line about parts */
#define SRC_FAIL_NO_DAY			0x100	/* a lane has no ship day, or does not arrive */

/* what became of a node */
typedef struct SrcNodeResult
{
	bool		read;			/* its availability was asked for */
	bool		feasible;		/* alone it can serve all lines completely */
	int64_t		bound;			/* no plan using the node costs less */
	int64_t		total;			/* cheapest plan of a single shipment from it, if feasible */
	int32_t		arrival;		/* of that plan */
	/* the rest is not set for plan_only */
	int32_t		short_line;		/* else: first line it cannot serve completely on its target day, or -1 */
	int64_t		short_available;	/* what it could offer of that line on that day (best lane) */
	int32_t		short_day;
	int32_t		complete_day;	/* first day it could serve that line completely; INT32_MAX never */
	uint32_t	failed;			/* SRC_FAIL_ bits of its lanes and days, if read and not feasible */
} SrcNodeResult;

typedef struct SrcResult
{
	SrcPlan		best;
	bool		has_next;
	SrcPlan		next;			/* cheapest plan found whose set of (node, ship day) differs from best's and is not empty */
	int32_t		nodes_read;
	int32_t    *read_order;		/* nodes_read of them: as they were read */
	int64_t		unread_bound;	/* no plan using an unread node costs less; INT64_MAX if all were read */
	bool		exact;			/* best is optimal among plans of up to SRC_EXACT_SHIPMENTS shipments */
	int64_t		gap;			/* if not exact: best.total - gap is a lower bound */
	SrcNodeResult *nodes;		/* nnodes of them */
} SrcResult;

/*
 * Find the cheapest plan.  Always succeeds: with nothing available the plan
 * has no shipment and everything is unserved.
 */
extern void plan_search(const SrcProblem *problem, SrcResult *result);

#endif							/* ROUTING_SOURCING_PLAN_H */
