/*
 * order.h
 *		An order in hand: what the tables say of it and what is decided.
 */
#ifndef ROUTING_ORDERS_ORDER_H
#define ROUTING_ORDERS_ORDER_H

#include "base/errors.h"
#include "events/append.h"
#include "ledger/change.h"
#include "ledger/offer.h"
#include "network/network.h"
#include "policy/policy.h"
#include "sourcing/plan.h"

/* of an open booking; the names are those in the table */
typedef enum BookingState
{
	BOOKING_FIRM,
	BOOKING_UNCOVERED,			/* has lost its supply */
	BOOKING_AT_RISK,			/* the same, but its goods issue may be on its way */
	BOOKING_PLANNED,			/* beyond the horizon: its supply is still to be ordered */
	BOOKING_ISSUED,				/* has left; stock on hand has not fallen yet */
	BOOKING_DEDICATED,			/* on supply that nobody else can have */
	BOOKING_HOLD,				/* counts until it expires */
	BOOKING_SHIPPED,			/* has left, and stock on hand has fallen: closed, kept as served */
	NUM_BOOKING_STATES
} BookingState;

extern const char *const booking_state_names[NUM_BOOKING_STATES];

/*
 * What a line is served by where that is not its item: the components of its
 * kit, or a substitute.
 */
typedef struct LinePart
{
	const char *item;
	int64		per;			/* units of it for one unit of the line's item */
} LinePart;

/* a schedule line: a row of routing.reservation */
typedef struct Booking
{
	int			line_no;
	int			part;
	const char *item;
	const char *node;
	int64		quantity;
	const char *of;				/* the line's item, if item is a component or substitute of it */
	int64		per;			/* then: units of item for one of the line's; else 0 */
	int			component;		/* of a kit: from 1; the first one stands for the line's quantity */
	StockBooking stock;			/* what it takes from its position */
	DateADT		ship_on;
	DateADT		deliver_on;
	const char *service;
	int			shipment_no;
	BookingState state;
	bool		on_hand;		/* else on dated inbound */
	bool		dedicated;		/* was made on dedicated supply, which it may have left */
	bool		firm;			/* serves its line: has supply, or is about to have it */
	DateADT		order_by;		/* of a planned one: when its supply must be ordered */
	bool		release;		/* to be given back */
	bool		released;		/* and that is written already */
	bool		is_new;
	bool		held;			/* of the hold that becomes this order */
	bool		completes;		/* new, of a kit that was begun: what that lacks */
	int			kit_set;		/* while sets are looked at: the shipment it is counted in */
	int64		atp_before;		/* what was offered for needed_on when it was booked */
	Position   *pos;
} Booking;

#define MAX_LIFE_DAYS	3650

/* whether what it was made of has left */
static inline bool
booking_has_left(const Booking *b)
{
	return b->state == BOOKING_ISSUED || b->state == BOOKING_SHIPPED;
}

/* whether a line's unit could be converted to its item's */
typedef enum LineUnit
{
	UNIT_KNOWN,
	UNIT_UNKNOWN,
	UNIT_INEXACT				/* the result has too many decimals, or is too large */
} LineUnit;

/* what must go together; the names are those of sales_order.completeness */
typedef enum Completeness
{
	COMPLETE_NONE,
	COMPLETE_LINE,				/* each line whole in one shipment */
	COMPLETE_GROUP,				/* the lines of a group */
	COMPLETE_ONE_DATE,			/* everything, arriving on one day */
	COMPLETE_ONE_SHIPMENT,		/* everything */
	COMPLETE_OR_KILL,			/* everything in time, or the order is cancelled */
	NUM_COMPLETENESS
} Completeness;

typedef struct OrderLine
{
	HeapTuple	row;			/* if this transaction inserted it, and nobody else saw it yet */
	int			line_no;
	char	   *item;
	int64		quantity;
	int64		given;			/* the quantity as the row has it, in uom */
	char	   *uom;			/* as given, or NULL: the item's; quantity is in the latter */
	LineUnit	unit;
	bool		has_requested;
	DateADT		requested;
	char	   *pinned;			/* node, or NULL */
	char	   *lot;
	char	   *status;
	bool		replan;
	bool		in_front;		/* nobody who waits comes before it: it gives back what it asks for */
	bool		item_known;
	char	   *item_uom;
	bool		serial;			/* each unit of the item has a number */
	int64		unit_weight;
	int64		unit_cost;		/* of the item; a node may have another */
	char	   *item_class;		/* or NULL */
	char	   *hazmat_class;	/* or NULL */
	int64		min_ship;		/* of a shipment; 0: any */
	int64		max_ship;
	int64		ship_multiple;
	bool		has_group;
	int			group;			/* lines that go together, if completeness is group */
	bool		unsplittable;
	const PolicyTerms *terms;	/* of its item class */
	bool		has_promised;
	DateADT		promised;
	bool		was_promised;	/* what was promised before this decision */
	DateADT		promised_before;
	bool		has_first_promised;
	DateADT		first_promised;
	int			last_part;
	bool		has_price;
	int64		price;
	int64		cancelled;		/* nothing served it, and it is not waited for any more */
	int			min_life;		/* days of use that must be left at delivery; -1: not said */
	TimestampTz claimed_at;		/* its place in the queue of who waits, or 0 */
	char	   *source_key;		/* of a bound line: its key in the ERP */
	int			nparts;			/* of a kit: its components; */
	const LinePart *parts;		/* of a line as it is planned: a substitute */
	const struct Substitute *substitute;	/* which, then */
	const struct KitGap *completes;	/* or a component that kits lack that were begun */
	char	   *substitutes;	/* never, allowed, consented; NULL: as the customer says */
	const char *claim_item;		/* what claimed_at is about */
	const char *shipped_item;	/* what has left for it, if anything has */
	int64		shipped;		/* and how much */

	/* decided */
	int64		open;			/* quantity to plan */
	int64		unserved;
	int64		lacking;		/* kits that were begun and lack something */
	int64		given_up;		/* cancelled by this decision */
	bool		taken_back;		/* less of it is cancelled than before */
	const char *new_status;
	const char *node;			/* the one with the largest part */
	bool		split;
	char	   *reason;
	bool		changed;
} OrderLine;

/* the place of a line in the queue of who waits at a position */
typedef struct Claim
{
	int			line_no;
	char	   *item;
	char	   *node;
	int			rank;
	int64		quantity;
	TimestampTz claimed_at;
} Claim;

/* a lane that was not used, and why */
typedef struct OrderSkip
{
	const char *node;
	const char *service;
	const char *reason;
} OrderSkip;

typedef struct SalesOrder
{
	HeapTuple	row;			/* as of a line */
	int32		tenant_id;
	char	   *order_id;
	bool		exists;
	char	   *customer;
	bool		customer_known;
	char	   *channel;
	bool		channel_known;
	int			npath;			/* the channel and its groups, upwards */
	const char **path;
	int			min_life;		/* the customer's */
	char	   *customer_group; /* or NULL */
	char	   *receiving;		/* the customer's calendar, or NULL */
	char	   *country;
	char	   *postal_code;
	bool		has_requested;
	DateADT		requested;
	bool		by_ship_day;
	int			priority;
	int			own_priority;	/* what its row says, or 0: its customer's */
	char	   *completeness;
	Completeness complete;
	char	   *rest;			/* what becomes of the unserved, or NULL: as the policy says */
	int			rest_days;
	bool		has_not_before;
	DateADT		not_before;		/* ship day */
	bool		has_cancel_after;
	DateADT		cancel_after;
	bool		early_ok;
	char	   *freight_terms;
	bool		has_place;
	double		latitude;		/* degrees */
	double		longitude;
	int64		sla_penalty;	/* the customer's, or POLICY_NONE */
	int			max_late_days;	/* the customer's, or -1 */
	char	   *substitutes;	/* the customer's */
	bool		quote;			/* a document that is not stored */
	char	   *status;
	char	   *policy_code;
	char	   *correlation_id;
	int64		decision_id;	/* 0: never routed */
	int64		event_version;
	char	   *reason;
	bool		had_row;		/* a routed order whose row was deleted */
	bool		was_cancelled;	/* and that was cancelled before */
	char	   *binding;
	bool		answered;		/* its answer is written back in this settlement */
	TimestampTz expires_at;		/* of a hold in hand: until when its bookings count; else 0 */
	char	   *from_hold;		/* reservation.order_id of the hold that becomes this order, or NULL */
	TimestampTz hold_expires;	/* and when that one ends */

	int			nlines;
	int			cap_lines;
	OrderLine  *lines;
	int			last_part_gone; /* highest part of lines that are no more */
	int			nbookings;
	int			cap_bookings;
	Booking    *bookings;
	int			nclaims;
	Claim	   *claims;
	Fault		fault;			/* why it cannot be routed */

	/* of the current planning */
	TimestampTz clock;
	const Network *net;
	const ZoneLanes *lanes;
	const Policy *policy;
	const Policy *imposed;		/* in what-if, instead of the one in effect; else NULL */
	const struct OpenShipments *opens;	/* in what-if, the shipments that it may join; else NULL: problem.h */
	struct SimDays *days;		/* in what-if, where nodes have a capacity; else NULL: simulated_days.h */
	PolicyTerms terms;
	int			ncandidates;	/* nodes of the problem */
	int		   *candidates;		/* index in the problem -> index in the network */
	DateADT    *todays;			/* per candidate */
	const struct CandidateCodes *codes; /* of the candidates; NULL: but a few */
	int			nproblem_lines;
	int		   *problem_lines;	/* index in the problem -> index in lines[] */
	const Lane **problem_lanes;
	char	   *ship_to;		/* as open shipments are compared, or NULL: see consolidate.c */
	const SrcLane *base_lanes;	/* without the open shipments that may be joined, or NULL */
	struct SalesOrder **beside; /* orders that are routed with it, or NULL */
	int			nbeside;
	const struct SalesOrder *peer;	/* of these the one before it to the same ship-to, or NULL */
	const OrderLine **problem_items;	/* a line for each item of the problem */
	int64	   *problem_needs;	/* what its lines want of it */
	bool		mixed;			/* some of these are one item, wanted in different ways */
	bool		shared;			/* some are made of what others want, too */
	int			nswaps;			/* what is planned to be served by substitutes */
	struct Swap *swaps;
	SrcProblem	problem;
	void		(*alter_problem) (struct SalesOrder *order);	/* of a question: what it asks instead, or NULL */
	void	   *alter_arg;
	SrcResult	result;
	uint8	   *packed;			/* the problem as it was searched, or NULL */
	size_t		packed_size;
	bool		took_capacity;	/* in this decision: it is written */
	List	   *took;			/* and what: node, day, how much */
	bool		uses_known;
	bool		waited;			/* for capacity */
	List	   *full;			/* nodes with too full days, of this planning: capacity_wait.c */
	List	   *uses;			/* of the days of nodes with a capacity, by what is kept */
	uint32		relaxed;		/* soft constraints given up, SOFT_... */
	struct SecondPass *second;	/* then: what was searched without them; problem.h */
	TimestampTz retry_at;		/* when one of these may be used again by itself; 0: none will */
	int			nskips;			/* lanes that were not used though they are there */
	OrderSkip  *skips;
	struct Eligibility *eligibility;	/* what may serve its lines; eligibility.h */
	List	   *dropped;		/* terms that could not be computed, as texts */
	bool		lapsed;			/* its time to wait is over */
	const char *rest_cause;		/* why lines were given up, or NULL */
	bool		planned;
	bool		gave_up;		/* others were faster */
	bool		cut_short;		/* positions were busy to the end: they may have more */
	bool		part_lost;		/* a kit lost a component, and others of it could not be given back */

	const char *cause;			/* why it is routed though nobody asked, or NULL */
	bool		anew;			/* its decision is written even if it comes to the same */
	const char *cancel_reason;	/* of an order that is to be cancelled */
	const char *cancel_code;	/* the same for events, or NULL: the reason is a caller's text */
	const char *new_status;
	int64		new_decision_id;
	int64		cost;
	int			nshipments;
	bool		changed;
} SalesOrder;

/* what of a line is not there, or not all of it */
static inline int64
line_missing(const OrderLine *line)
{
	return line->unserved + line->lacking;
}

static inline bool
order_is_cancelled(const SalesOrder *order)
{
	return order->exists && strcmp(order->status, "cancelled") == 0;
}

/* whether reading an order locks its row */
typedef enum OrderLock
{
	ORDER_NO_LOCK,
	ORDER_LOCK_ROUTED,			/* a new order of this transaction is ours anyway */
	ORDER_LOCK
} OrderLock;

/* load.c */
extern SalesOrder *order_load(int32 tenant_id, const char *order_id, OrderLock lock);
extern void order_row_queued(Relation rel, HeapTuple row);
extern void order_load_bookings(SalesOrder *order);
extern Booking *order_add_booking(SalesOrder *order);
extern OrderLine *order_line(SalesOrder *order, int line_no);

/* whether a booking stands in its position: in the timeline, or among the holds */
static inline bool
booking_counts(const Booking *b)
{
	return b->state == BOOKING_FIRM || b->state == BOOKING_ISSUED || b->state == BOOKING_HOLD;
}

/* whether anything in its position knows of a booking */
static inline bool
booking_is_posted(const Booking *b)
{
	return booking_counts(b) || b->state == BOOKING_PLANNED;
}

/* the line's item that a booking is for */
static inline const char *
booking_for(const Booking *b)
{
	return b->of != NULL ? b->of : b->item;
}

/* booking.c */
extern BookingState booking_state(const char *name);
extern void booking_post(Booking *b, int64 quantity);
extern void order_request(const SalesOrder *order, const OrderLine *line, const char *item, DateADT today,
						  int transit, OfferRequest *req);
extern void booking_request(const SalesOrder *order, const Booking *b, OfferRequest *req);
extern int64 booking_available_now(const Booking *b, const OfferRequest *req, const AtpStep *steps, int n);
extern Booking *booking_divide(SalesOrder *order, int index, int64 quantity);
extern void booking_post_new(SalesOrder *order, int index);
extern void bookings_join(SalesOrder *order, int from);

/* dedicated_issue.c: a row of routing.dedicated_issue */
typedef struct DedicatedIssue
{
	const char *item;
	const char *node;
	const char *lot;
	int			line_no;
	int64		quantity;
} DedicatedIssue;

extern int	dedicated_left(int32 tenant_id, const char *order_id, bool fresh, DedicatedIssue **left);

/* a component of which kits have too little that were begun */
typedef struct KitGap
{
	int			component;
	const char *item;
	int64		per;			/* units for a kit */
	int64		missing;		/* units */
} KitGap;

/* kit.c */
extern int64 kits_lacking(const SalesOrder *order, const OrderLine *line);
extern int	kits_gaps(const SalesOrder *order, const OrderLine *line, KitGap **gaps);
extern int64 booking_serves(const Booking *b);
extern int64 order_serves(const SalesOrder *order, int line_no, bool with_new);
extern void kits_sum_shipped(SalesOrder *order);
extern void kits_choose_release(SalesOrder *order);
extern bool kits_lock(SalesOrder *order, Ledger *ledger);
extern void kits_give_back(SalesOrder *order, Ledger *ledger);
extern const char *order_uom(SalesOrder *order, int line_no, const char *item);
extern const char *booking_uom(SalesOrder *order, const Booking *b);
extern void booking_write_item(JsonWriter *w, const Booking *b);
extern int kit_undo_kept(SalesOrder *order, int index, int first, int *end);
extern void kit_shares(const SalesOrder *order, const OrderLine *line, int64 *allocated, int64 *scheduled,
					   int64 *backordered, int64 *left);

/* dedicated.c */
extern void dedicated_choose(SalesOrder *order);
extern void dedicated_take(SalesOrder *order, Ledger *ledger);

/* capacity.c */
extern bool order_take_capacity(SalesOrder *order, bool must);

/* consolidate.c */
extern void orders_see_each_other(SalesOrder **orders, int n);
extern void order_write_open(SalesOrder *order, bool known);
extern void open_shipments_follow(int32 tenant_id, const char *order_id);

/* check.c */
extern void order_find_policy(SalesOrder *order);
extern void order_check(SalesOrder *order);

/* planning.c */
extern void order_plan(SalesOrder *order, Ledger *ledger, bool only_locked);
extern bool order_needs_plan(const SalesOrder *order);
extern void order_plan_bookings(SalesOrder *order, Ledger *ledger);

/* release.c */
extern void orders_release(SalesOrder **orders, int n, Ledger *ledger, Position **further, int nfurther);

/* route.c */
extern void orders_route(SalesOrder **orders, int n, Ledger *ledger, bool lock_freely);
extern void order_route_aside(SalesOrder *order, Ledger *ledger);
extern bool position_try_lock(Ledger *ledger, Position *pos);
extern void order_compute_open(SalesOrder *order);
extern bool order_cut_booking(SalesOrder *order, int index, int64 available);
extern bool order_book(SalesOrder *order, int from, bool cut);

/* preview.c */
extern void order_keep_bookings(SalesOrder *order);
extern void order_reopen(SalesOrder *order, Ledger *ledger);
extern void orders_preview(SalesOrder **orders, int n, Ledger *ledger);

/* claim.c */
extern void order_load_claims(SalesOrder *order);
extern int	order_claim_rank(const SalesOrder *order, const OrderLine *line);
extern const char *order_queue_node(const SalesOrder *order, const OrderLine *line, Ledger *ledger);
extern const char *order_queue_item(const SalesOrder *order, const OrderLine *line, const char *node,
									Ledger *ledger, int64 *per);
extern int	order_claim_positions(const SalesOrder *order, Ledger *ledger, Position **positions);
extern int	order_queue_positions(const SalesOrder *order, Ledger *ledger, Position **positions);
extern bool order_settle_claims(SalesOrder *order, Ledger *ledger, TimestampTz *next_claim);
/* waiting.c */
extern int	orders_offered(int32 tenant_id, char ***ids);

/* hold.c */
extern void order_require_unexpired(const SalesOrder *order);

/* intake.c */
extern bool order_insert_document(int32 tenant_id, const char *order_id, Jsonb *document);

/* status.c */
extern bool booking_is_late(const SalesOrder *order, const OrderLine *line, const Booking *b);
extern void order_derive_status(SalesOrder *order);

/* write.c */
extern void order_write(SalesOrder *order, EventBatch *events);
extern void order_insert_bookings(SalesOrder *order);
extern void order_write_cancelled(SalesOrder *order, const char *reason, EventBatch *events);
extern void order_release_rows(SalesOrder *order);

/* called for every order that was written: what write-backs hang on */
extern void (*order_written_hook) (SalesOrder *order);
extern void order_written(SalesOrder *order);

/* rule_wait.c */
extern void order_wait_for_rules(const SalesOrder *order);
extern void rule_waits_due(int32 tenant_id);

/* capacity_wait.c */
extern void order_wait_for_capacity(SalesOrder *order);

/* service_wait.c */
extern void order_wait_for_service(const SalesOrder *order);
extern void service_waits_due(int32 tenant_id);

/* notify.c */
extern void order_add_events(SalesOrder *order, EventBatch *events, bool first);
extern void promise_add_event(int32 tenant_id, const char *hold_id, int64 version, const char *type,
							  SalesOrder *order, EventBatch *events);
extern void order_add_cancelled_event(SalesOrder *order, const char *code, EventBatch *events);
extern void event_write_reason(JsonWriter *w, const char *code, const char *text);
extern void order_begin_event(JsonWriter *w, const SalesOrder *order, const char *status);
extern void order_add_event(SalesOrder *order, const char *type, JsonWriter *w, EventBatch *events);
extern void booking_write_allocation(JsonWriter *w, SalesOrder *order, const Booking *b);
extern void booking_write_planned(JsonWriter *w, SalesOrder *order, const Booking *b);
extern void order_write_decision(JsonWriter *w, const SalesOrder *order);
extern void order_write_totals(JsonWriter *w, const SalesOrder *order, bool first);
extern void line_write_totals(JsonWriter *w, const OrderLine *line);

/* notify_change.c */
extern bool order_is_moved(const SalesOrder *order);
extern void order_add_moved_event(SalesOrder *order, EventBatch *events);
extern void order_add_change_events(SalesOrder *order, EventBatch *events);

/* edited.c */
extern void order_note_edit(HeapTuple row, TupleDesc desc, bool is_line);
extern bool order_add_edited_event(SalesOrder *order, EventBatch *events);
extern void order_keep_version(const SalesOrder *order);

/* stock_case.c */
extern void stock_add_cases(const ChangeResult *changes, EventBatch *events);

#endif							/* ROUTING_ORDERS_ORDER_H */
