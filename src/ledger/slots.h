/*
 * slots.h
 *		Between slots.c and slots_fill.c; position.h has what others call.
 */
#ifndef ROUTING_LEDGER_SLOTS_H
#define ROUTING_LEDGER_SLOTS_H

#include "ledger/position.h"

extern bool slot_lock(const Position *pos, int32 slot, bool wait);
extern void slot_unlock(const Position *pos, int32 slot);
extern bool slot_read(Ledger *ledger, const Position *pos, int32 slot, Position *row);
extern bool slots_are_late(const Position *pos, DateADT today);
extern bool slots_wants_fit(const Position *pos, const Timeline *timeline, DateADT today);
extern DateADT position_today(const Position *pos);

#endif							/* ROUTING_LEDGER_SLOTS_H */
