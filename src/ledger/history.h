/*
 * history.h
 *		What supply and item-nodes said before.
 */
#ifndef ROUTING_LEDGER_HISTORY_H
#define ROUTING_LEDGER_HISTORY_H

#include "base/compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "utils/timestamp.h"

extern TimestampTz history_since(HeapTuple old_row, HeapTuple row, TupleDesc desc);

#endif							/* ROUTING_LEDGER_HISTORY_H */
