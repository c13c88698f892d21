/*
 * change.h
 *		Supply changes: noted by row, applied to positions and judged at commit.
 */
#ifndef ROUTING_LEDGER_CHANGE_H
#define ROUTING_LEDGER_CHANGE_H

#include "ledger/position.h"
#include "network/network.h"

/* a booking, or a part of one, that supply no longer covers */
typedef struct Victim
{
	int32		tenant_id;
	char	   *order_id;
	int			line_no;
	char	   *item;
	char	   *node;
	int64		quantity;
	DateADT		needed_on;
} Victim;

/* what a change did to one position, for its event */
typedef struct StockChange
{
	Position   *pos;
	int64		on_hand_before;
	int64		on_hand_after;
	int64		promised_before;
	int64		promised_after;
	int64		atp_before;
	int64		atp_after;
} StockChange;

typedef struct ChangeResult
{
	int			nvictims;
	Victim	   *victims;
	int			nchanges;
	StockChange *changes;
} ChangeResult;

/* change.c */
extern void ledger_prepare_changes(Ledger *ledger, Position **positions, int n);
extern void ledger_apply_changes(Ledger *ledger, Position **positions, int n,
								 ChangeResult *result);

/* sum.c */
extern void position_sum(Position *pos, const NetNode *node);

/* judge.c */
extern void position_judge(Position *pos, DateADT today, ChangeResult *result);

#endif							/* ROUTING_LEDGER_CHANGE_H */
