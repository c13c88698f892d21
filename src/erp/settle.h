/*
 * settle.h
 *		The settlement at commit, and that of bound tables.
 */
#ifndef ROUTING_ERP_SETTLE_H
#define ROUTING_ERP_SETTLE_H

#include "base/notes.h"
#include "erp/binding.h"

/*
 * Pending instead of a key: rows changed whose keys could not be told.  Of a
 * NOTE_BOUND_ALL note it is the b.  Only comparing everything settles it.
 */
#define UNKNOWN_KEYS	"*"

extern int	guc_settle_timeout;
extern int	guc_settle_lock_timeout;

/* as what a key of a concept is noted */
static inline NoteKind
concept_note(Concept concept)
{
	return concept == C_SUPPLY ? NOTE_BOUND_SUPPLY :
		concept == C_ISSUES ? NOTE_BOUND_ISSUE : NOTE_BOUND_ORDER;
}

static inline bool
is_bound_key(NoteKind kind)
{
	return kind == NOTE_BOUND_ORDER || kind == NOTE_BOUND_SUPPLY || kind == NOTE_BOUND_ISSUE;
}

/* counts of a settlement of bound keys */
typedef struct BoundResult
{
	int			changed;
	int			pending;
} BoundResult;

extern void erp_install_hook(void);
extern void settle_bound(Note *notes, int n, BoundResult *result);

#endif							/* ROUTING_ERP_SETTLE_H */
