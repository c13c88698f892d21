/*
 * lots.h
 *		Supply by lots, at a position.
 */
#ifndef ROUTING_LEDGER_LOTS_H
#define ROUTING_LEDGER_LOTS_H

#include "base/engine.h"
#include "ledger/offer.h"

/* a row of supply that counts */
typedef struct LotRow
{
	const char *lot;
	int64		key;			/* day and lateness, see supply_key() */
	DateADT		expiry;			/* DATEVAL_NOEND: none */
	int64		quantity;
} LotRow;

/* lots.c */
extern void lots_sum(Position *pos, const LotRow *rows, int nrows);
extern int64 lots_missing(const Position *pos, DateADT today);
extern int64 lots_uncovered(const Position *pos, DateADT today);
extern int64 lots_missing_held(const Position *pos, DateADT today, TimestampTz now);

/* lots_pin.c: who wants one lot only */
extern void lots_pin_sum(Position *pos, const LotRow *rows, int nrows, EngineMode mode);
extern void lots_pin_book(Position *pos, const StockBooking *b, int64 quantity);
extern Position *lots_copy(const Position *pos);
extern int	lots_pin_offer(const Position *pos, const OfferRequest *req, AtpStep **steps);

/* lots_judge.c */
extern int64 lots_repair(Position *trial, const StockBooking *stock, int64 quantity, DateADT today,
						 int64 missing);

/* sum.c */
extern int	position_supply(const PositionKey *key, int32 dock_days, LotRow **rows, EngineMode mode);
extern int32 position_dock_days(const PositionKey *key, EngineMode mode);

/* shared by lots.c and lots_pin.c: position.lots holds groups, sorted */
typedef struct LotGroup
{
	int64		key;			/* day and lateness of the supply, or day of need */
	int64		until;			/* expiry or min_expiry, and which pinned lot */
	int64		supply;
	int64		demand;
} LotGroup;

#define LOT_LONGS	((int) (sizeof(LotGroup) / sizeof(int64)))

static inline int
lots_ngroups(const Position *pos)
{
	return pos->lots.n / LOT_LONGS;
}

static inline const LotGroup *
lots_groups(const Position *pos)
{
	return (const LotGroup *) pos->lots.v;
}

/* a last day and the number of a pinned lot (0: any) in one number */
static inline int64
lot_until(DateADT day, int32 pin)
{
	return supply_key(day, pin);
}

extern void lots_add(Longs *lots, int64 key, int64 until, int64 supply, int64 demand);

/* the state of a position's lots as the sweep wants it */
typedef struct LotBookBuilder
{
	int			nsupplies;
	int			ndemands;
	struct LotSupply *supplies;
	struct LotDemand *demands;
	int64		supplied;		/* sums, checked for overflow */
	int64		demanded;
	DateADT		today;
} LotBookBuilder;

extern void lots_builder_init(LotBookBuilder *b, DateADT today, int nsupplies, int ndemands);
extern void lots_builder_supply(LotBookBuilder *b, int64 key, DateADT expiry, int32 pin, int64 quantity);
extern void lots_builder_demand(LotBookBuilder *b, DateADT day, DateADT min_expiry, int32 pin, int64 quantity);
extern void lots_builder_holds(LotBookBuilder *b, const Position *pos, TimestampTz now);
extern int32 lots_pin_builder(LotBookBuilder *b, const Position *pos, DateADT today, TimestampTz now,
							  const char *lot);
extern int	lots_builder_steps(const LotBookBuilder *b, int32 life, int32 pin, AtpStep **steps);

#endif							/* ROUTING_LEDGER_LOTS_H */
