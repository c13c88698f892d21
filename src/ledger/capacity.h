/*
 * capacity.h
 *		What a node can ship on a day.
 */
#ifndef ROUTING_LEDGER_CAPACITY_H
#define ROUTING_LEDGER_CAPACITY_H

#include "base/store.h"

#include "utils/date.h"
#include "utils/timestamp.h"

/* what is counted */
typedef enum CapacityKind
{
	CAPACITY_ORDERS,
	CAPACITY_LINES,
	CAPACITY_UNITS,				/* a quantity */
	NUM_CAPACITY_KINDS
} CapacityKind;

typedef struct CapacityUse
{
	int64		n[NUM_CAPACITY_KINDS];
} CapacityUse;

#define CAPACITY_NO_LIMIT	(INT64CONST(1) << 60)
#define CAPACITY_PAST_DAYS	30	/* after which nobody counts a day any more */

/* what a row of routing.capacity, or of its history, says of a node */
typedef struct CapacityLimit
{
	CapacityKind kind;
	int			weekday;		/* 1: Monday; 0: every day */
	DateADT		on_date;		/* or DATEVAL_NOBEGIN */
	int64		quantity;
	bool		hard;
	int64		price_from;		/* share of the quantity */
	int64		price;			/* of a shipment from then on */
} CapacityLimit;

/* how capacity_limit_fill() wants it selected */
#define CAPACITY_LIMIT_COLUMNS \
	"CASE kind WHEN 'orders' THEN 0 WHEN 'lines' THEN 1 ELSE 2 END, weekday, on_date," \
	" (quantity * CASE kind WHEN 'units' THEN 10000 ELSE 1 END)::bigint, hard, price_from, price"

/* what is left of a day, and what a shipment costs then, limit by limit */
typedef struct CapacityQuote
{
	DateADT		day;
	int			weekday;
	bool		found[NUM_CAPACITY_KINDS];
	CapacityUse left;			/* PG_INT64_MAX: no hard limit; negative: too much is taken */
	int64		price;
} CapacityQuote;

/* a row of capacity_use */
typedef struct CapacitySlot
{
	ItemPointerData tid;
	int32		slot;
	CapacityUse used;
	CapacityUse room;
	bool		locked;
} CapacitySlot;

/* a node's day in hand */
typedef struct CapacityDay
{
	int32		tenant_id;
	const char *node;
	DateADT		day;
	Relation	rel;
	Relation	index;
	LOCKMODE	lockmode;
	Store	   *store;			/* of who writes */
	Snapshot	snapshot;		/* of the last reading */
	TupleTableSlot *slot;
	int			n;
	int			cap;
	CapacitySlot *slots;		/* ascending */
} CapacityDay;

/* capacity.c */
extern void capacity_limit_fill(CapacityLimit *limit, int row, int col);
extern void capacity_quote_begin(CapacityQuote *quote, DateADT day);
extern void capacity_quote_add(CapacityQuote *quote, const CapacityLimit *limit, int64 used);
extern bool capacity_any(void);
extern bool capacity_limited(int32 tenant_id, const char *node);
extern bool capacity_is_past(DateADT day, TimestampTz clock);
extern void capacity_room(int32 tenant_id, const char *node, DateADT day, TimestampTz clock, const CapacityUse *want,
						  CapacityUse *room, int64 *price);
extern void capacity_expire(int32 tenant_id, const char *node, DateADT day, TimestampTz clock);
extern void capacity_tidy(Datum tenants, TimestampTz clock, Datum limit, bool no_limit);

/* a day of which something was given back in this transaction */
typedef struct FreedDay
{
	int32		tenant_id;
	const char *node;
	DateADT		day;
} FreedDay;

extern List *capacity_freed(void);

/* capacity_slots.c */
extern void capacity_open(CapacityDay *d, int32 tenant_id, const char *node, DateADT day, bool writes);
extern void capacity_read(CapacityDay *d);
extern void capacity_close(CapacityDay *d);
extern CapacityUse capacity_sum(const CapacityDay *d, bool room);
extern bool capacity_lock_node(int32 tenant_id, const char *node, LOCKMODE mode, bool wait);
extern void capacity_renew_day(CapacityDay *d);
extern bool capacity_take(int32 tenant_id, const char *node, DateADT day, TimestampTz clock, const CapacityUse *use);
extern void capacity_give(int32 tenant_id, const char *node, DateADT day, const CapacityUse *use);

#endif							/* ROUTING_LEDGER_CAPACITY_H */
