/*
 * lots_flow.h
 *		Lots and demands as a maximum flow, found by augmenting paths.
 *
 * Knows nothing of sweeps: every demand has an arc to every lot that may serve
 * it.
 */
#ifndef LOTS_FLOW_H
#define LOTS_FLOW_H

#include "lots_sweep.h"

/* the most that can be served of all demands, a further one included */
extern int64_t flow_served(const LotBook *book, const LotDemand *extra);

/* what is demanded, supply that was taken already included */
extern int64_t flow_demanded(const LotBook *book);

#endif
