/*
 * control.h
 *		What an item demands of its stock: lots, or a serial number per unit.
 */
#ifndef ROUTING_LEDGER_CONTROL_H
#define ROUTING_LEDGER_CONTROL_H

#include "base/errors.h"

typedef enum ItemControl
{
	CONTROL_NONE,				/* lots may be given */
	CONTROL_LOT,
	CONTROL_SERIAL
} ItemControl;

extern ItemControl item_control_of(const char *name);
extern ItemControl item_control(int32 tenant_id, const char *item);
extern void control_check(Fault *fault, ItemControl control, const char *where, const char *item,
						  const char *lot, int64 quantity);
extern char *serial_elsewhere(int32 tenant_id, const char *item, const char *serial,
							  const char *const *nodes, const char *const *refs);

#endif							/* ROUTING_LEDGER_CONTROL_H */
