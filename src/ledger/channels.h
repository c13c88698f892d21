/*
 * channels.h
 *		Which groups a channel belongs to.
 */
#ifndef ROUTING_LEDGER_CHANNELS_H
#define ROUTING_LEDGER_CHANNELS_H

#include "base/compat.h"

/* a channel and the groups above it are no more than that */
#define MAX_CHANNEL_LEVELS	32

extern int	channel_path(int32 tenant_id, const char *channel, const char ***path);
extern int	channel_path_now(int32 tenant_id, const char *channel, const char ***path);
extern void channels_lock(bool change);

#endif							/* ROUTING_LEDGER_CHANNELS_H */
