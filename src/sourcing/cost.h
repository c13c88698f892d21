/*
 * cost.h
 *		What the files of the plan search share: candidates, lines, amounts.
 *
 * Private to src/sourcing; the contract with everybody else is plan.h.
 *
 * Two costs are kept apart everywhere:
 *
 *	- the *total*: what plan.h says, rounded as plan.h says.  Plans are
 *	  compared by it and nothing else;
 *	- *floors*: int64 amounts that are never above the unrounded cost, cheap
 *	  to compute.  Bounds are made of floors.  A total can be below the
 *	  unrounded cost only by what rounding gives away, which is at most the
 *	  "slack"; so "floor - slack > total in hand" is a proof, and the only
 *	  kind of pruning that is done.
 */
#ifndef ROUTING_SOURCING_COST_H
#define ROUTING_SOURCING_COST_H

#include "dates.h"
#include "plan.h"

typedef __int128 src_int128;

/* for structs: memory of the caller's is aligned to 8 bytes only */
typedef __int128 src_stored128 __attribute__((aligned(8)));

#define SRC_NEVER			INT64_MAX	/* floor of what cannot be carried */
#define SRC_PLAN_SHIPMENTS	64	/* plans are not made of more shipments */
#define SRC_LANE_DAYS		16	/* days tried per lane of a node */

/* one line in one candidate shipment */
typedef struct SrcOption
{
	src_stored128 rate;			/* unrounded cost of the whole line, see src_exact_rate */
	int64_t		cost;			/* floor for the whole line, or SRC_NEVER */
	int64_t		avail;			/* of the item on that day, at most its need */
	int64_t		available;		/* the same without that limit */
	int64_t		gain;			/* at most this is saved against not serving; 0 if nothing */
	int64_t		part;			/* if it gains: floor of carrying "avail", at most the whole line */
	int32_t		late;			/* days */
} SrcOption;

/* a shipment that could be made */
typedef struct SrcCandidate
{
	int32_t		node;
	int32_t		lane;
	int32_t		day;			/* stock is needed */
	int32_t		ship;
	int32_t		arrival;
	int32_t		room;			/* index into rooms[]; -1: no limits, no price */
	int64_t		fixed;			/* floor of what it costs empty */
	int64_t		base;			/* of the lane, or 0 on its open day */
	int64_t		price;			/* of capacity */
	int64_t		gain;			/* sum of its options' gains */
	uint64_t	carries;		/* the lines it can carry, modulo 64 */
	int64_t		much;			/* grows with what it can carry of each; compares with others */
	SrcOption  *options;		/* one per line */
} SrcCandidate;

/* what is derived once from a line */
typedef struct SrcLineInfo
{
	int32_t		item;			/* items renumbered from 0 */
	int32_t		serving;		/* candidates that gain something here */
	bool		shared;			/* another line wants the same item */
	int64_t		weight;			/* floor, ten-thousandths of a kg */
	int64_t		need;			/* of all lines of the item */
	int64_t		unserved;		/* floor if nothing is served */
	src_stored128 unserved_rate;	/* as src_exact_rate; more than all of them if it must be served */
	int64_t		cheapest;		/* floor over all nodes, availability unknown */
	int64_t		best;			/* floor over the candidates so far */
	int64_t		top[SRC_EXACT_SHIPMENTS];	/* the largest gains so far */
} SrcLineInfo;

/* a set of candidates that became a plan; every shipment carries something */
typedef struct SrcSet
{
	int32_t		n;
	int32_t		arrival;		/* last one; INT32_MIN without shipments */
	int64_t		total;
	bool		divided;		/* the quantities are kept: src_relax might not find them */
	int64_t    *quantity;		/* line * n + shipment; made when needed */
	int32_t		cand[SRC_PLAN_SHIPMENTS];	/* by ship day, node, lane */
} SrcSet;

/* the days of a lane from there on that were not tried */
typedef struct SrcCut
{
	int32_t		lane;
	int32_t		ship;
} SrcCut;

/* what a node said about a ship day */
typedef struct SrcRoomDay
{
	int32_t		node;
	int32_t		ship;
	SrcRoom		room;
} SrcRoomDay;

/* see blocks.c */
typedef struct SrcRough
{
	bool		usable;
	int32_t		shift;			/* units */
	int32_t		nrows;			/* of candidates */
	int32_t		maxrows;
	int16_t    *rows;
	int16_t    *with;
} SrcRough;

/* how a set serves a line, the cheapest shipment first */
typedef struct SrcService
{
	int32_t		n;				/* shipments that are better than nothing */
	int64_t		cost[SRC_EXACT_SHIPMENTS];
	int64_t		avail[SRC_EXACT_SHIPMENTS];
	int64_t		part[SRC_EXACT_SHIPMENTS];	/* as in SrcOption */
} SrcService;

typedef struct SrcSearch
{
	const SrcProblem *problem;
	int32_t		nlines;
	int32_t		nitems;
	int32_t		exhaustive;		/* sets up to this size are all considered */
	bool		any_shared;
	bool		any_excluded;	/* some line may not come from some node */
	bool		mixed;			/* ship days and delivery days in one order */
	bool		calendars;		/* some day is closed somewhere */
	bool		plain_lines;	/* they may go anywhere, and ask for the same days */
	bool		complete;		/* a plan serves every line whole, or nothing */
	bool		any_group;
	bool		constrained;	/* a cheapest division of the lines may break a rule */
	bool		coupled;		/* ... or what helps one line hurts another */
	bool		sole_parts;		/* parts have a largest size: two shipments may carry what one cannot */
	int64_t		order_weight;	/* of all lines, rounded up */
	int64_t		order_units;	/* of all lines */
	int64_t		unserved;		/* floor of serving nothing */
	int64_t		cut_bound;		/* no plan with a day that was not tried costs less */
	int32_t		ncuts;
	int32_t		maxcuts;
	SrcCut	   *cuts;
	int64_t		amount_limit;	/* floors are kept below, so that sums fit */
	SrcLineInfo *lines;
	int32_t    *item_number;	/* compact number -> the caller's */
	int64_t		max_per_kg;		/* of all lanes of the nodes read */
	int64_t		slack;			/* rounding, up to "exhaustive" shipments */
	int64_t		slack_alone;	/* the same of one shipment */
	int64_t		slack_split;	/* of as many as pay in a bound of several */
	int64_t		min_fixed;		/* of all lanes of all usable nodes */
	int64_t		cheapest;		/* sum of the lines' */

	int32_t		ncand;
	int32_t		maxcand;
	SrcCandidate *cand;
	int64_t		cand_min_fixed;
	int64_t		best_lines;		/* sum of what the lines cost at the best */

	/* reading a node */
	SrcProfile *profile;		/* per item */
	int32_t    *step;			/* per item: last step not after the day */
	int32_t    *from;			/* per line: first ship day on the lane */
	SrcProfile **profiles;		/* per node read, for orders of one date */
	int32_t    *resume;			/* per lane, likewise: first day that was left out */
	int32_t		nrooms;
	int32_t		maxrooms;
	SrcRoomDay *rooms;

	/* evaluation */
	int64_t    *quantity;		/* nlines x shipments */
	int64_t    *quantity2;
	int64_t    *quantity3;
	struct Couple *couple;		/* what src_couple works in, from the first time on */
	int64_t    *used;			/* nitems x shipments, for shared items */

	/* search */
	int64_t    *room;			/* per line, for the greedy sets */
	int64_t    *net;			/* per candidate, likewise; maxcand of them */
	SrcService *service;		/* per line, likewise */
	int64_t    *floors;			/* per line, likewise: its cost */
	SrcRough	rough;
	SrcSet		best;
	SrcSet		next;
	bool		has_next;
	int64_t		work;
	int64_t		next_interrupt;
	bool		stopped;		/* work_limit reached */
	int64_t		open_bound;		/* nothing that was left open costs less */
} SrcSearch;

/* a candidate that can still be part of something, best first */
typedef struct SrcAlive
{
	int64_t		net;			/* bound of its saving less its fixed cost */
	int32_t		rank;
} SrcAlive;

/* the exact figures of a set, as src_evaluate leaves them */
typedef struct SrcFigures
{
	int64_t		total;
	int64_t		handling;
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
	int64_t		variable;		/* total without what a shipment costs empty */
	bool		feasible;		/* else there is no plan of the set, or none below the limit */
	bool		proven;			/* no other quantities cost less */
	int32_t		nloaded;		/* shipments that carry something */
	int32_t		arrival;		/* last of those */
	bool		loaded[SRC_PLAN_SHIPMENTS];
	int64_t		weight[SRC_PLAN_SHIPMENTS];
	const int64_t *quantity;	/* line * n + shipment */
} SrcFigures;

/* cost.c */
extern int64_t src_add(int64_t a, int64_t b);
extern int64_t src_round_ratio(int64_t a, int64_t b, int64_t divisor);
extern int64_t src_late_money(const SrcLine *line, int32_t late, int64_t part);
extern int64_t src_risk_money(const SrcLine *line, const SrcLane *lane,
							  int64_t part);
extern int64_t src_balance_money(const SrcLine *line, int64_t available,
								 int64_t part);
extern int64_t src_floor_cost(const SrcSearch *search, int32_t line,
							  const SrcLane *lane, int64_t late);
extern int64_t src_room_for(const SrcSearch *search, const int32_t *cand, int32_t n,
							int32_t line, const int64_t *used, int32_t which);
extern int64_t src_slack(const SrcSearch *search, int64_t shipments);
extern src_int128 src_exact_rate(const SrcSearch *search, int32_t line,
								 const SrcCandidate *cand);
extern src_int128 src_unserved_rate(const SrcLine *line);
extern void src_relax(SrcSearch *search, const int32_t *cand, int32_t n,
					  SrcFigures *out);
extern void src_price(const SrcSearch *search, const int32_t *cand, int32_t n,
					  const int64_t *quantity, SrcFigures *out);

/* evaluate.c */
extern void src_evaluate(SrcSearch *search, const int32_t *cand, int32_t n,
						 int64_t limit, SrcFigures *out);

/* floors.c */
extern int64_t src_floor_line(const SrcSearch *search, const int32_t *cand,
							  int32_t n, int32_t line);
extern int64_t src_floor_lines(const SrcSearch *search, const int32_t *cand,
							   int32_t n, int64_t most);

/* flow.c */
extern bool src_divide(const SrcSearch *search, const int32_t *cand, int32_t n,
					   int32_t item, int64_t *quantity);

/* rules.c */
extern uint32_t src_broken(const SrcSearch *search, const int32_t *cand, int32_t n,
						   const int64_t *quantity);
extern uint32_t src_failures(SrcSearch *search, int32_t which, int32_t first_cand);

/* couple.c */
extern size_t src_couple_size(void);
extern bool src_couple(SrcSearch *search, const int32_t *cand, int32_t n,
					   int64_t limit, int64_t *quantity, bool *proven);

/* bounds.c */
extern void src_bounds(SrcSearch *search, SrcNodeResult *nodes);
extern bool src_refine_bound(SrcSearch *search, int32_t node, SrcNodeResult *out);
extern void src_bounds_of_read(SrcSearch *search, const SrcNodeResult *nodes);
extern int64_t src_bound_from(SrcSearch *search, const SrcLane *lane, int32_t ship);

/* lines.c */
extern void src_set_up_lines(SrcSearch *search);
extern int32_t src_first_ship(const SrcProblem *problem, const SrcLane *lane,
							  const SrcLine *line, int32_t possible);
extern void src_find_shortage(const SrcSearch *search, int32_t which,
							  SrcNodeResult *out);

/* dominate.c */
extern bool src_lane_dominated(const SrcSearch *search, const SrcNode *node, int32_t which);
extern bool src_dominates(const SrcSearch *search, const SrcCandidate *a,
						  const SrcCandidate *b);
extern bool src_can_replace(const SrcSearch *search, const SrcCandidate *by,
							const SrcCandidate *cand);

/* candidates.c */
extern bool src_carries_all(const SrcSearch *search, const SrcCandidate *cand);
extern bool src_fits_all(const SrcSearch *search, const SrcRoom *room);
extern void src_use_lane(SrcSearch *search, int32_t node, int32_t which);
extern const SrcCandidate *src_add_day(SrcSearch *search, int32_t node, int32_t lane,
									   int32_t ship);
extern void src_note_candidate(SrcSearch *search, const SrcCandidate *cand);
extern void src_note_cut(SrcSearch *search, const SrcLane *lane, int32_t ship);
extern void src_read_node(SrcSearch *search, int32_t node, SrcNodeResult *out);

/* meet.c */
extern void src_meet(SrcSearch *search, const SrcNodeResult *nodes);

/* offer.c */
extern bool src_offer(SrcSearch *search, const int32_t *cand, int32_t n,
					  int64_t floor);
extern void src_offer_alone(SrcSearch *search, int32_t cand);
extern bool src_loses_tie(const SrcSearch *search, const int32_t *cand, int32_t n);
extern void src_write_plan(SrcSearch *search, const SrcSet *set, SrcPlan *plan);

/* greedy.c */
extern bool src_work(SrcSearch *search, int64_t sets);
extern void src_sort_alive(SrcAlive *alive, int32_t n);
extern void src_greedy(SrcSearch *search, int32_t seed);
extern void src_improve(SrcSearch *search);
extern bool src_extend(SrcSearch *search);

/* blocks.c */
extern void src_rough_savings(SrcSearch *search, const int32_t *set, int32_t n,
							  const int64_t *floors, int64_t *out);

/* tree.c */
extern void src_tree(SrcSearch *search);

/*
 * Small things that several files need in their inner loops.
 */
static inline void *
src_memory(const SrcProblem *problem, size_t size, int64_t count)
{
	return problem->alloc(problem->arg,
						  size * (size_t) (count > 0 ? count : 1));
}

static inline int64_t
src_sum(const int64_t *amounts, int32_t n)
{
	int64_t		sum = 0;
	int32_t		i;

	for (i = 0; i < n; i++)
		sum += amounts[i];
	return sum;
}

/* floor of the share of a part in the cost of the whole */
static inline int64_t
src_floor_part(int64_t cost, int64_t part, int64_t whole)
{
	if (part == 0)
		return 0;
	if (part == whole)
		return cost;
	if ((uint64_t) cost < ((uint64_t) 1 << 31) &&
		(uint64_t) part < ((uint64_t) 1 << 32))
		return (int64_t) ((uint64_t) cost * (uint64_t) part / (uint64_t) whole);
	return (int64_t) ((src_int128) cost * part / whole);
}

/* the penalty as part of a floor */
static inline int64_t
src_split_floor(const SrcSearch *search)
{
	return search->problem->split_penalty < search->amount_limit ?
		search->problem->split_penalty : search->amount_limit;
}

/* the nodes that may be in a plan: so many, and the one of a place among them */
static inline int32_t
src_nodes(const SrcProblem *problem)
{
	return problem->stocked != NULL ? problem->nstocked : problem->nnodes;
}

static inline int32_t
src_node(const SrcProblem *problem, int32_t which)
{
	return problem->stocked != NULL ? problem->stocked[which] : which;
}

static inline const SrcLineNode *
src_line_node(const SrcProblem *problem, int32_t line, int32_t node)
{
	return problem->line_nodes == NULL ? NULL :
		&problem->line_nodes[(size_t) line * (size_t) problem->nnodes + (size_t) node];
}

static inline bool
src_may_serve(const SrcSearch *search, int32_t node, int32_t line)
{
	int32_t		pinned;

	if (!search->any_excluded)
		return true;
	pinned = search->problem->lines[line].pinned_node;
	if (pinned >= 0 && pinned != node)
		return false;
	return search->problem->line_nodes == NULL ||
		!src_line_node(search->problem, line, node)->forbidden;
}

static inline bool
src_may_go(const SrcProblem *problem, int32_t lane, int32_t line)
{
	return problem->lane_forbidden == NULL ||
		!problem->lane_forbidden[(size_t) line * (size_t) problem->nlanes + (size_t) lane];
}

/* one shipment might not take everything for its weight */
static inline bool
src_may_be_too_heavy(const SrcSearch *search, const SrcLane *lane)
{
	return lane->max_weight > 0 && lane->max_weight < search->order_weight;
}

/* the two ask for the same first ship day on every lane */
static inline bool
src_same_days(const SrcLine *a, const SrcLine *b)
{
	return a->requested == b->requested && a->by_ship_day == b->by_ship_day &&
		a->early_ok == b->early_ok && a->not_before == b->not_before;
}

/* the day that "requested" and "latest" of the line speak of */
static inline int32_t
src_meant_day(const SrcLine *line, int32_t ship, int32_t arrival)
{
	return line->by_ship_day ? ship : arrival;
}

static inline int64_t
src_days_late(const SrcLine *line, int32_t ship, int32_t arrival)
{
	int64_t		late = (int64_t) src_meant_day(line, ship, arrival) - line->requested;

	return late > 0 ? late : 0;
}

static inline int32_t
src_clamp_day(int64_t day)
{
	if (day > INT32_MAX)
		return INT32_MAX;
	if (day < INT32_MIN)
		return INT32_MIN;
	return (int32_t) day;
}

/* floor of what a shipment costs empty, but for the capacity price */
static inline int64_t
src_lane_fixed(const SrcSearch *search, const SrcNode *node, int64_t base)
{
	int64_t		fixed;

	fixed = src_add(src_add(node->handling, base),
					src_add(node->preference, node->distance));
	return fixed < search->amount_limit ? fixed : search->amount_limit;
}

#endif							/* ROUTING_SOURCING_COST_H */
