/*
 * settle.h
 *		The settlement at commit, and that of bound tables.
 */
#ifndef ROUTING_ERP_SETTLE_H
#define ROUTING_ERP_SETTLE_H

#include "base/notes.h"

/*
 * Pending instead of a key: rows changed whose keys could not be told.  Of a
 * NOTE_BOUND_ALL note it is the b.  Only comparing everything settles it.
 */
#define UNKNOWN_KEYS	"*"

extern int	guc_settle_timeout;
extern int	guc_settle_lock_timeout;

/* counts of a settlement of bound keys */
typedef struct BoundResult
{
	int			changed;
	int			pending;
} BoundResult;

extern void erp_install_hook(void);
extern void settle_bound(Note *notes, int n, BoundResult *result);

#endif							/* ROUTING_ERP_SETTLE_H */
