/*
 * allotment.h
 *		What of a position is kept for a channel, and the most one may have.
 */
#ifndef ROUTING_LEDGER_ALLOTMENT_H
#define ROUTING_LEDGER_ALLOTMENT_H

#include "ledger/offer.h"

#include "access/htup.h"
#include "access/tupdesc.h"

/* of each entry of position.quotas */
enum
{
	Q_FROM, Q_TO, Q_QUOTA, Q_LIMIT, Q_BUFFER, Q_RANK, Q_CONSUMED, Q_USED, QUOTA_LONGS
};

/* instead of a quota: what holds have taken */
#define HOLD_OF_POOL	(-1)
#define HOLD_OF_LIMIT	(-2)

typedef struct AllotmentPart
{
	const char *pool;			/* NULL: what is free */
	int64		quantity;
} AllotmentPart;

typedef struct AllotmentFigures
{
	const char *channel;
	const int64 *entry;
	int64		consumed;		/* of the quota */
	int64		remaining;		/* still protected */
	int64		used;			/* of the limit */
} AllotmentFigures;

/* allotment.c; see also offer.h */
extern int	allotment_pools(Position *pos, const OfferRequest *req, DateADT day, int64 quantity,
							AllotmentPart *parts);
extern void allotment_add(Position *pos, const char *channel, const int64 *entry);
extern void allotment_sweep(Position *pos, TimestampTz now);
extern int	allotment_figures(const Position *pos, DateADT today, TimestampTz now,
							  AllotmentFigures **result);
extern void allotment_check(const Position *pos);

/* allotted.c */
extern void allotment_sum(Position *pos);
extern void allotment_check_row(HeapTuple tup, TupleDesc desc);

#endif							/* ROUTING_LEDGER_ALLOTMENT_H */
