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
 * Meaning (every day is open, handling takes no day):
 *
 *	- A shipment is (node, lane, day): it leaves the node on "day", which is
 *	  also the day the stock is needed, and arrives on day + transit.
 *	- A line has a target ship day for each lane: max(today of the node,
 *	  requested - transit) when it asks for a delivery day, max(today,
 *	  requested) when it asks for a ship day.  A shipment can carry the line
 *	  only if its day >= that target (nothing is shipped early); it is late by
 *	  the days that its arrival (or ship day) is after "requested".
 *	- Availability of an item at a node is a step function of the day,
 *	  non-decreasing (a suffix minimum) unless lots end; then plans are as
 *	  feasible, but not proved to be the cheapest.  For parts of one item at one node
 *	  with days d1 <= d2 <= ... : every prefix sum q1 + ... + qi must not
 *	  exceed the availability on day di.  Lines of one item share it.
 *
 * Cost, lower is better, in money:
 *
 *	  sum over shipments  [ handling(node) + base(lane)
 *							+ round(weight * per_kg(lane))
 *							+ split_penalty from the second shipment on ]
 *	+ sum over parts	  round(days late * lateness_per_day * part / quantity)
 *	+ sum over lines	  round(backorder_penalty * unserved / quantity)
 *
 * where the weight of a part is round(quantity * unit weight) and round() is
 * to the nearest ten-thousandth, halves up.
 *
 * Ties are broken by: lower cost, fewer shipments, earlier last arrival, then
 * the smaller nodes in input order (the caller sorts nodes by rank and code),
 * then the smaller lanes in input order.
 */
#ifndef ROUTING_SOURCING_PLAN_H
#define ROUTING_SOURCING_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SRC_SCALE			10000
#define SRC_EXACT_SHIPMENTS 3	/* the search is exhaustive up to this many */

typedef struct SrcLane
{
	int32_t		node;			/* index into nodes[] */
	int32_t		transit_days;
	int64_t		base;			/* money per shipment */
	int64_t		per_kg;			/* money per kg */
} SrcLane;

typedef struct SrcNode
{
	int32_t		today;			/* first day anything can leave */
	int64_t		handling;		/* money per shipment */
	int32_t		first_lane;		/* its lanes are consecutive in lanes[] */
	int32_t		nlanes;
} SrcNode;

typedef struct SrcLine
{
	int32_t		item;			/* lines with the same number share stock */
	int32_t		pinned_node;	/* index into nodes[], or -1 */
	int64_t		quantity;		/* > 0 */
	int64_t		unit_weight;	/* kg per unit */
	int32_t		requested;		/* day wanted */
	bool		by_ship_day;	/* requested is a ship day, not a delivery day */
	int64_t		lateness_per_day;	/* money per day for the whole line */
	int64_t		backorder_penalty;	/* money if the whole line stays unserved */
} SrcLine;

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
	int64_t		split_penalty;	/* money for each shipment from the 2nd on */
	int32_t		max_shipments;	/* hard limit, >= 1 */
	int64_t		work_limit;		/* sets of shipments examined at the most */

	/*
	 * Availability of an item at a node; asked at most once for each pair,
	 * best node first.  May longjmp out (the server's ereport does).
	 */
	void		(*profile) (void *arg, int32_t node, int32_t item, SrcProfile *out);

	/* memory that lives at least as long as the result; never returns NULL */
	void	   *(*alloc) (void *arg, size_t size);

	/* called every now and then in long searches; may longjmp out; or NULL */
	void		(*interrupt) (void *arg);
	void	   *arg;
} SrcProblem;

typedef struct SrcShipment
{
	int32_t		node;
	int32_t		lane;
	int32_t		day;			/* leaves, and stock is needed */
	int32_t		arrival;
	int64_t		weight;			/* kg */
	int64_t		handling;		/* the terms of its cost, in money */
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
	int64_t		lateness;		/* money */
} SrcPart;

typedef struct SrcPlan
{
	int32_t		nshipments;		/* ordered by day, node, lane */
	SrcShipment *shipments;
	int32_t		nparts;			/* ordered by line, then shipment */
	SrcPart    *parts;
	int64_t    *unserved;		/* per line, quantity */
	int64_t		handling;		/* the terms of the total, in money */
	int64_t		freight;
	int64_t		split;
	int64_t		lateness;
	int64_t		backorder;
	int64_t		total;
} SrcPlan;

/* what became of a node */
typedef struct SrcNodeResult
{
	bool		read;			/* its availability was asked for */
	bool		feasible;		/* alone it can serve all lines completely */
	int64_t		bound;			/* no plan using the node costs less */
	int64_t		total;			/* cheapest plan of a single shipment from it, if feasible */
	int32_t		arrival;		/* of that plan */
	int32_t		short_line;		/* else: first line it cannot serve completely on its target day, or -1 */
	int64_t		short_available;	/* what it could offer of that line on that day (best lane) */
	int32_t		short_day;
	int32_t		complete_day;	/* first day it could serve that line completely; INT32_MAX never */
} SrcNodeResult;

typedef struct SrcResult
{
	SrcPlan		best;
	bool		has_next;
	SrcPlan		next;			/* cheapest plan found whose set of (node, day) differs from best's and is not empty */
	int32_t		nodes_read;
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
