/*
 * position.h
 *		The positions that a decision or settlement has in hand.
 */
#ifndef ROUTING_LEDGER_POSITION_H
#define ROUTING_LEDGER_POSITION_H

#include "base/compat.h"
#include "base/scan.h"
#include "ledger/timeline.h"
#include "catalog/indexing.h"
#include "storage/itemptr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

typedef struct PositionKey
{
	int32		tenant_id;
	const char *item;
	const char *node;
} PositionKey;

/* $1 to $3 of statements about an item-node: tenant, item, node */
static inline void
position_key_args(const PositionKey *key, Datum *args)
{
	args[0] = Int32GetDatum(key->tenant_id);
	args[1] = CStringGetTextDatum(key->item);
	args[2] = CStringGetTextDatum(key->node);
}

/* a bigint[] column that most rows do not have */
typedef struct Longs
{
	int			n;
	int			capacity;
	int64	   *v;
} Longs;

/* something that is to be booked once the position is locked */
typedef struct Want
{
	DateADT		needed_on;
	int64		quantity;
} Want;

/* a row with slot > 0 that is held, or to be made */
typedef struct SlotRow
{
	int32		slot;
	ItemPointerData tid;		/* invalid: to be inserted */
	Timeline	timeline;
	bool		dirty;
	bool		gone;			/* to be deleted */
} SlotRow;

typedef struct Position
{
	PositionKey key;			/* first: the ledger finds positions by it */
	struct Position *next;		/* in the ledger */
	bool		exists;
	bool		locked;
	bool		busy;			/* somebody else held it when a lock out of order was tried */
	bool		dirty;
	bool		touched;		/* its supply changed in this settlement */
	bool		due;			/* time has passed there: look after what waits */
	bool		arrived;		/* while locked, its stock on hand changed */
	bool		improved;		/* while locked, something was given back or came */
	bool		reallotted;		/* so did its allotments */
	bool		stale;			/* read again at the next use */
	bool		withheld;		/* a pending supply key: offers nothing */
	ItemPointerData tid;
	uint32		read_at;		/* the ledger's count of refreshes then */
	Timeline	timeline;
	int64		safety_stock;
	bool		enabled;
	int64		event_version;
	int			band;			/* what was last told of what is available: tell.c */
	int32		slot;			/* 0, or the slot that is in hand instead */
	int32		slots;			/* how many slots there are besides the row in hand */
	TimestampTz slots_at;		/* when slots were last made or refilled */
	Longs		escrow;			/* (key, quantity) of the supply in them */
	bool		merged;			/* only read: timeline holds the slots' too */
	bool		crowded;		/* all its slots were taken when one was looked for */
	bool		whole;			/* to be locked with all its slots */
	bool		first_row;		/* no slot will do: holds are in slot 0 */
	int			nwants;
	int			cap_wants;
	Want	   *wants;
	int			nslot_rows;
	SlotRow    *slot_rows;
	int32		lead_time;		/* days, or -1 */

	struct PastChanges *past;	/* what will become of it, in a ledger of the past */

	/* what most positions do not have; see sql/parts/40_ledger.sql */
	bool		special;		/* has any of it */
	Longs		lots;
	struct LotPins *pins;		/* what they are made of, once that was asked for */
	Longs		holds;
	int			nallotted;
	char	  **allotted;		/* channel of each 8 quotas */
	Longs		quotas;
	Longs		claims;
	Longs		falls;

	/* see falls.c */
	int64		risk_room;		/* how much may be at risk instead of uncovered */
	const char *moved_for;		/* why its stock on hand was changed, if that was said; see tell.c */
	const char *moved_by;		/* and by which movement */
	bool		moved_twice;	/* for several reasons */
	struct DatedChange *dated;	/* its dated supply that was changed */
	bool		falls_moved;	/* issues took stock that had fallen, or were taken back */
	int64		taken_back;		/* at risk since issues whose stock has fallen were wrong */

	/* offer of a position that has nothing special, computed on demand */
	bool		steps_valid;
	DateADT		steps_today;
	int			nsteps;
	AtpStep    *steps;
} Position;

/* where an item may be: an entry of the index, whose row need not be visible */
typedef struct ItemPlace
{
	char	   *node;
	ItemPointerData tid;
} ItemPlace;

typedef struct Ledger
{
	MemoryContext context;
	bool		writes;
	Snapshot	snapshot;
	uint32		refreshed;		/* how often the snapshot was replaced */
	KeyScan		scan;
	TupleTableSlot *lock_slot;
	struct IndexFetchTableData *fetch;	/* of rows that a directory found */
	MemoryContext own;			/* of the positions and the tables that find them */
	struct places_hash *places;
	Position   *first;			/* all of them, as they were asked for */
	Position  **last;
	Position   *free_positions;
	int			nfree;
	char	   *room;			/* for codes */
	Size		room_left;
	struct items_hash *items;	/* how much of each item has been read */
	bool		aside;			/* works for orders that nobody in this transaction asked for */
	int			aside_tries;	/* how often it has waited for these */
	struct Past *past;			/* past.c: not what is, but what was; called for all that is asked for: */
	void		(*bring) (struct Ledger *ledger, Position *pos, bool first);
} Ledger;

/* reads.c */
extern Ledger *ledger_open(bool writes);
extern void ledger_close(Ledger *ledger);
extern void ledger_refresh(Ledger *ledger);
extern Position *ledger_get(Ledger *ledger, int32 tenant_id, const char *item, const char *node);
extern Position *ledger_get_if_any(Ledger *ledger, int32 tenant_id, const char *item, const char *node);
extern bool ledger_places_of(Ledger *ledger, int32 tenant_id, const char *item, int *n,
							 const ItemPlace **places);
extern bool ledger_probe(Ledger *ledger, const PositionKey *key);
extern void ledger_decode(Ledger *ledger, Position *pos, TupleTableSlot *slot);

/* position.c */
extern bool ledger_lock(Ledger *ledger, Position *pos, bool wait);
extern void ledger_lock_all(Ledger *ledger, Position **positions, int n);
extern void ledger_create_missing(Ledger *ledger, Position **positions, int n);
extern bool ledger_is_being_made(Ledger *ledger, Position *pos);
extern void ledger_sweep(Ledger *ledger);
extern void ledger_flush(Ledger *ledger);
extern void ledger_forget_unlocked(Ledger *ledger);
extern void ledger_want_whole(Ledger *ledger);
extern int	position_compare(const void *a, const void *b);
extern void position_want(Position *pos, DateADT needed_on, int64 quantity);

/* slots.c, slots_fill.c */
typedef enum EscrowMode
{
	ESCROW_OFF,
	ESCROW_AUTO,
	ESCROW_ALWAYS
} EscrowMode;

extern int	guc_escrow;
extern void slots_merge(Ledger *ledger, Position *pos);
extern bool slots_suffice(const Position *pos, DateADT today, int64 quantity);
extern bool slots_take(Ledger *ledger, Position *pos);
extern void slots_leave(Ledger *ledger, Position *pos);
extern bool slots_idle(const Position *pos, TimestampTz now);
extern bool slots_settle(Ledger *ledger, Position *pos, bool wait);
extern bool slots_fold(Ledger *ledger, Position *pos, bool wait);
extern void slots_consider(Ledger *ledger, Position *pos, bool waited);
extern void slots_flush(Ledger *ledger, Position *pos, CatalogIndexState indexes);

/* single.c */
extern bool position_read_one(Position *pos, int32 tenant_id, const char *item, const char *node);

/* row.c */
extern void position_decode(Position *pos, TupleTableSlot *slot);
extern bool position_of_row(Position *pos, HeapTupleHeader row);
extern HeapTuple position_form(const Position *pos, TupleDesc desc);
extern void longs_add(Longs *longs, int n, const int64 *values);
extern void longs_remove(Longs *longs, int at, int n);
extern void position_set_special(Position *pos);

/* columns of routing.position that are looked for by number */
#define POSITION_NODE_ATTNO		3
#define POSITION_SLOT_KEYNO		4

#endif							/* ROUTING_LEDGER_POSITION_H */
