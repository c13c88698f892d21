/*
 * told.h
 *		Events of what has no lock of its own in a settlement.
 */
#ifndef ROUTING_EVENTS_TOLD_H
#define ROUTING_EVENTS_TOLD_H

#include "base/notes.h"

extern void events_told(const Note *notes, int n);

#endif							/* ROUTING_EVENTS_TOLD_H */
