/*
 * withheld.h
 *		Item-nodes that offer nothing because news of their supply is pending.
 */
#ifndef ROUTING_LEDGER_WITHHELD_H
#define ROUTING_LEDGER_WITHHELD_H

#include "base/compat.h"

extern bool supply_some_withheld(void);
extern bool supply_withheld(int32 tenant_id, const char *item, const char *node);

#endif							/* ROUTING_LEDGER_WITHHELD_H */
