/*
 * epoch.h
 *		Epochs of the event stream.
 */
#ifndef ROUTING_EVENTS_EPOCH_H
#define ROUTING_EVENTS_EPOCH_H

#include "base/compat.h"

extern int32 stream_epoch(bool *recorded);
extern bool stream_epoch_record(int32 epoch, const char *cause);

#endif							/* ROUTING_EVENTS_EPOCH_H */
