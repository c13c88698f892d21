/*
 * offer.h
 *		What a position offers to whom, and booking it.
 */
#ifndef ROUTING_LEDGER_OFFER_H
#define ROUTING_LEDGER_OFFER_H

#include "ledger/position.h"

#define RANK_DEFAULT	5

/* reservation.order_id of a hold is this and its id */
#define HOLD_PREFIX		"hold:"

/* who asks a position, and when */
typedef struct OfferRequest
{
	DateADT		today;			/* at the node */
	TimestampTz now;			/* holds that have expired by then do not count */
	int			rank;			/* claims of a better rank come first, and those of
								 * this one that are older than ... */
	int64		claimed_at;		/* ... this, of who has a claim here; else PG_INT64_MAX */
	int			npath;			/* the channel and its groups, upwards; 0: none */
	const char *const *path;
	int32		life;			/* a lot must be usable so many days after the day of need, */
	bool		life_of_item;	/* or as many as the item says */
	const char *lot;			/* pinned, or "" */
	bool		within_horizon; /* leave out what is beyond the horizon */
} OfferRequest;

/* what a booking takes from a position */
typedef struct StockBooking
{
	DateADT		needed_on;
	DateADT		min_expiry;		/* lots must be usable until then; DATEVAL_NOBEGIN: any */
	const char *lot;			/* pinned, or "" */
	int			npath;			/* the channel and its groups, upwards, where they have allotments */
	const char *const *path;
	const char *pool;			/* whose allotment it consumes, or NULL */
	DateADT		ship_on;		/* which decides the period of the allotments */
	TimestampTz expires_at;		/* of a hold, else 0 */
} StockBooking;

static inline void
offer_request_init(OfferRequest *req, DateADT today, TimestampTz now)
{
	memset(req, 0, sizeof(*req));
	req->today = today;
	req->now = now;
	req->rank = RANK_DEFAULT;
	req->claimed_at = PG_INT64_MAX;
	req->lot = "";
}

/* offer.c */
extern int	position_offer(Position *pos, const OfferRequest *req, const AtpStep **steps);
extern int	position_stock(Position *pos, const OfferRequest *req, AtpStep **steps);
extern void position_book(Position *pos, const StockBooking *b, int64 quantity);
extern void position_book_planned(Position *pos, const StockBooking *b, int64 quantity);

/* hold.c: bookings that end by themselves */
extern void holds_add_demand(const Position *pos, TimestampTz now, Timeline *tl);
extern void holds_book(Position *pos, const StockBooking *b, int64 quantity);
extern void holds_sweep(Position *pos, TimestampTz now);
extern void holds_judge(Position *pos, DateADT today, TimestampTz now);

/* claims.c: the queue of who waits; position.claims in groups of ... */
#define CLAIM_LONGS	2
extern int64 claims_before(const Position *pos, int rank, int64 claimed_at);
extern void position_claim(Position *pos, int rank, int64 quantity);
extern void position_load_claims(Position *pos);

/* lots.c: supply that ends */
extern int	lots_offer(const Position *pos, const OfferRequest *req, AtpStep **steps);
extern void lots_book(Position *pos, const StockBooking *b, int64 quantity);

/* allotment.c: what is kept for a channel */
extern int	allotment_offer(const Position *pos, const OfferRequest *req, AtpStep **steps, int n);
extern void allotment_book(Position *pos, const StockBooking *b, int64 quantity);

#endif							/* ROUTING_LEDGER_OFFER_H */
