/*
 * limited.h
 *		Calls in a subtransaction of their own, with a time limit.
 */
#ifndef ROUTING_BASE_LIMITED_H
#define ROUTING_BASE_LIMITED_H

#include "base/compat.h"

#include <signal.h>

#include "utils/timeout.h"

/*
 * Each place that limits calls has one of its own, and a handler of it that
 * calls time_limit_fire(): limits of different places may run at the same time.
 */
typedef struct TimeLimit
{
	timeout_handler_proc handler;
	bool		registered;
	TimeoutId	id;
	volatile sig_atomic_t reached;	/* by the last call */
} TimeLimit;

extern void time_limit_fire(TimeLimit *limit);
extern ErrorData *limited_call(TimeLimit *limit, int milliseconds, void (*call) (void *arg), void *arg);

#endif							/* ROUTING_BASE_LIMITED_H */
