/*
 * channels.h
 *		Which groups a channel belongs to.
 */
#ifndef ROUTING_LEDGER_CHANNELS_H
#define ROUTING_LEDGER_CHANNELS_H

#include "base/compat.h"

extern int	channel_path(int32 tenant_id, const char *channel, const char ***path);

#endif							/* ROUTING_LEDGER_CHANNELS_H */
