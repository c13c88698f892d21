/*
 * clock.h
 *		The time it is for the engine.
 */
#ifndef ROUTING_BASE_CLOCK_H
#define ROUTING_BASE_CLOCK_H

#include "base/compat.h"

#include "access/xact.h"
#include "utils/timestamp.h"

extern int	guc_clock_offset;	/* seconds */

/* for who writes: read once per decision or settlement */
static inline TimestampTz
clock_now(void)
{
	return GetCurrentTimestamp() + guc_clock_offset * USECS_PER_SEC;
}

/* for who reads: the same for all of a transaction */
static inline TimestampTz
clock_of_transaction(void)
{
	return GetCurrentTransactionStartTimestamp() + guc_clock_offset * USECS_PER_SEC;
}

#endif							/* ROUTING_BASE_CLOCK_H */
