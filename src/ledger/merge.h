/*
 * merge.h
 *		The rows of hot item-nodes, put together.
 */
#ifndef ROUTING_LEDGER_MERGE_H
#define ROUTING_LEDGER_MERGE_H

#include "ledger/position.h"

typedef struct HotRows HotRows;

extern HotRows *hot_rows_create(void);
extern void hot_rows_add(HotRows *hot, TupleTableSlot *slot);
extern Position *hot_rows_next(HotRows *hot);

#endif							/* ROUTING_LEDGER_MERGE_H */
