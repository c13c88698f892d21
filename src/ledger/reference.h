/*
 * reference.h
 *		Whether codes that a caller gave are known.
 */
#ifndef ROUTING_LEDGER_REFERENCE_H
#define ROUTING_LEDGER_REFERENCE_H

#include "base/compat.h"
#include "base/errors.h"
#include "network/network.h"

extern bool item_exists(int32 tenant_id, const char *item);
extern const char *item_uom(int32 tenant_id, const char *item);
extern int32 item_min_life(int32 tenant_id, const char *item);
extern bool channel_exists(int32 tenant_id, const char *channel);
extern void fault_unknown_item(Fault *fault, const char *where, const char *item);
extern void fault_unknown_node(Fault *fault, const char *where, const char *node);
extern const NetNode *require_node(const Network *net, const char *node);
extern void fault_unknown_channel(Fault *fault, const char *channel);

#endif							/* ROUTING_LEDGER_REFERENCE_H */
