/*
 * simulate.h
 *		What-if: the orders of a time planned again under another policy.
 */
#ifndef ROUTING_ORDERS_SIMULATE_H
#define ROUTING_ORDERS_SIMULATE_H

#include "orders/problem.h"
#include "orders/side.h"
#include "orders/simulated_days.h"

/* a line without supply, in the order of its coming */
typedef struct SimClaim
{
	const char *order_id;		/* as the order's entry has it */
	int			line_no;
	const char *item;
	const char *node;
	int			rank;
	int64		quantity;
	Position   *pos;
	bool		short_here;		/* the line would wait for this item now, too */
} SimClaim;

/* an order that is decided in the time */
typedef struct SimOrder
{
	const char *order_id;
	uint32		hash;
	char		status;			/* of the hash table */
	bool		begun;
	bool		kits_wait;		/* a line of it waits for kits */
	int			nclaims;		/* how many of its lines wait */
	MemoryContext context;		/* of what stands until it is looked at again, or NULL */
	int			nbookings;
	Booking    *bookings;
	int			ntook;			/* of the days of nodes with a capacity */
	DayUse	   *took;
	int64		recorded_cost;
	int64		simulated_cost;
} SimOrder;

typedef struct Simulation
{
	int32		tenant_id;
	const char *policy_code;
	const Policy *policy;
	const Policy *other;		/* of the last order that has another, or NULL */
	TimestampTz from;
	Ledger	   *ledger;
	SimDays    *days;			/* NULL: no node ever had a capacity */
	MemoryContext keep;			/* as long as the simulation */
	MemoryContext turn;			/* of one order */
	struct simorders_hash *orders;
	int			nclaims;
	int			cap_claims;
	SimClaim   *claims;
	bool		opens_read;
	int			cap_opens;
	OpenShipments opens;
} Simulation;

/* a decision that was made */
typedef struct Decided
{
	int64		decision_id;
	TimestampTz at;				/* its clock */
	const char *policy_code;
	int			policy_version;
	int64		cost;
	bool		has_previous;	/* it was not the order's first */
	bool		again;			/* the order comes again */
	DecisionRecord *record;
} Decided;

/* of a recorded line */
static inline bool
record_line_cancelled(const RecordLine *line)
{
	return line->status != NULL && strcmp(line->status, "cancelled") == 0;
}

/* simulated.c */
extern char *simulated_decide(Simulation *sim, SimOrder *entry, const Decided *d, PlanSide *was, PlanSide *is);
extern void simulated_cancel(Simulation *sim, SimOrder *entry);

/* simulated_booked.c */
extern int64 simulated_kept(const DecisionRecord *d, int index);
extern void simulated_load_earlier(Simulation *sim, SalesOrder *order);
extern void simulated_load_given(Simulation *sim, SalesOrder *order, const Decided *d);
extern void simulated_give_back(Booking *b, int64 keep);
extern void simulated_release(Simulation *sim, SalesOrder *order, const DecisionRecord *d);
extern void simulated_retain(Simulation *sim, SimOrder *entry, const SalesOrder *order, bool again);
extern void simulated_take_up(SimOrder *entry, SalesOrder *order);
extern void simulated_lose(Simulation *sim, SimOrder *entry, const Decided *d);

/* simulated_took.c */
extern void simulated_add_took(Simulation *sim, SimOrder *entry, const SimDayRow *row);
extern void simulated_take_days(const Simulation *sim, const SimOrder *entry, SalesOrder *order);
extern void simulated_keep_days(Simulation *sim, SimOrder *entry, const SalesOrder *order, bool again);
extern void simulated_leave_days(Simulation *sim, SimOrder *entry);

/* simulated_open.c */
extern void simulated_show_open(Simulation *sim, SalesOrder *order);
extern void simulated_follow_open(Simulation *sim, const SimOrder *entry, SalesOrder *order, bool known);

/* simulated_queue.c */
extern void simulated_step_aside(Simulation *sim, const SimOrder *entry, int sign);
extern void simulated_judge_claims(Simulation *sim, const SimOrder *entry, SalesOrder *order);
extern void simulated_settle_claims(Simulation *sim, SimOrder *entry, SalesOrder *order);
extern void simulated_claims(Simulation *sim, bool (*owns) (void *arg, const char *order_id));

#endif							/* ROUTING_ORDERS_SIMULATE_H */
