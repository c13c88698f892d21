/*
 * notes.h
 *		What the transaction has touched and not settled.
 */
#ifndef ROUTING_BASE_NOTES_H
#define ROUTING_BASE_NOTES_H

#include "base/compat.h"

typedef enum NoteKind
{
	NOTE_LEDGER,				/* a = item, b = node: supply or settings changed */
	NOTE_ALLOTMENT,				/* the same, with its allotments */
	NOTE_LEDGER_ALL,			/* supply or item_node was emptied */
	NOTE_ORDER,					/* a = order id: native order or its lines changed */
	NOTE_ORDER_ALL,				/* sales_order or its lines were emptied */
	NOTE_DEMAND,				/* a = ref: other demand changed; b = "shipped" if some of it left */
	NOTE_DEMAND_ALL,			/* demand was emptied */
	NOTE_BOUND_ORDER,			/* a = binding, b = key of the order */
	NOTE_BOUND_SUPPLY,			/* a = binding, b = key of the row */
	NOTE_BOUND_ALL,				/* a = binding: a watched table was emptied */
	NOTE_BOUND_ISSUE,			/* a = binding, b = key of the document */
	NOTE_MOVEMENT,				/* stock on hand was changed for a reason: ledger/tell.c */
	NOTE_EVENT					/* an event that is to be made: events/told.c */
} NoteKind;

typedef struct Note
{
	NoteKind	kind;
	int32		tenant_id;
	char	   *a;
	char	   *b;
	SubTransactionId subid;
} Note;

extern void notes_install_callbacks(void);
extern void notes_add(NoteKind kind, int32 tenant_id, const char *a, const char *b);
extern Note *notes_take(int *n);
extern int	note_compare(const void *a, const void *b);
extern bool notes_any(void);
extern bool notes_arm(void);
extern void notes_disarm(void);

#endif							/* ROUTING_BASE_NOTES_H */
