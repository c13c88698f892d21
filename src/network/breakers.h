/*
 * breakers.h
 *		Carrier services that are not used somewhere since they failed there.
 */
#ifndef ROUTING_NETWORK_BREAKERS_H
#define ROUTING_NETWORK_BREAKERS_H

#include "base/compat.h"
#include "utils/timestamp.h"

/* an open circuit breaker */
typedef struct Breaker
{
	char	   *service;
	char	   *node;			/* empty: every node */
	char	   *reason;
	TimestampTz opened_at;
	TimestampTz retry_at;		/* from then on it may be used again */
} Breaker;

typedef struct Breakers Breakers;

extern const Breakers *breakers_get(int32 tenant_id);
extern uint64 breakers_serial(const Breakers *b);
extern const Breaker *breaker_find(const Breakers *b, char *service, char *node);

#endif							/* ROUTING_NETWORK_BREAKERS_H */
