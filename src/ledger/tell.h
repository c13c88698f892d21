/*
 * tell.h
 *		The events of stock.
 */
#ifndef ROUTING_LEDGER_TELL_H
#define ROUTING_LEDGER_TELL_H

#include "ledger/change.h"
#include "access/htup.h"
#include "access/tupdesc.h"
#include "base/notes.h"
#include "utils/relcache.h"

/* what is told of why stock on hand changed */
#define MOVED_RECEIPT		"receipt"
#define MOVED_COUNT			"count"
#define MOVED_DAMAGE		"damage"
#define MOVED_SALE			"sale"
#define MOVED_TRANSFER		"transfer"
#define MOVED_CORRECTION	"correction"

extern void position_moved(Position *pos, const char *reason, const char *reference);
extern void ledger_take_movement(Ledger *ledger, const Note *note);
extern void dated_supply_note(int32 tenant_id, HeapTuple old, HeapTuple row, TupleDesc desc);
extern void dated_supply_note_all(Relation supply);
extern EventCause stock_add_events(Ledger *ledger, Position **positions, int npositions, ChangeResult *changes,
								   EventBatch *events);
extern void stock_add_bands(Ledger *ledger, TimestampTz clock, EventBatch *events);

#endif							/* ROUTING_LEDGER_TELL_H */
