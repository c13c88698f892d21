/*
 * change.h
 *		Supply changes: noted by row, applied to positions and judged at commit.
 */
#ifndef ROUTING_LEDGER_CHANGE_H
#define ROUTING_LEDGER_CHANGE_H

#include "events/append.h"
#include "ledger/booked.h"
#include "ledger/offer.h"
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
	const char *cause;			/* the type of its exception; NULL: at risk, see falls.c */
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
	TimestampTz clock;			/* of the settlement */
	EventBatch *events;
	int			nvictims;
	Victim	   *victims;
	int			nchanges;
	StockChange *changes;
} ChangeResult;

/* a booking of which "taken" is to lose its supply */
typedef struct JudgeChoice
{
	BookedRow	booked;
	int64		taken;
} JudgeChoice;

/* change.c */
extern void ledger_prepare_changes(Ledger *ledger, Position **positions, int n);
extern void ledger_apply_changes(Ledger *ledger, Position **positions, int n, TimestampTz clock,
								 EventBatch *events, ChangeResult *result);

/* sum.c */
extern void position_sum(Position *pos, const NetNode *node);

/* judge.c */
/*
 * Whether a lane may serve a line of an order as it stands at "now"; "asked" is
 * NULL for its first lane, and then the caller's of that order.  Set by who
 * knows the orders.
 */
extern bool (*judge_allowed_hook) (int32 tenant_id, const char *order_id, int line_no, const Lane *lane,
								   TimestampTz now, void **asked);
extern void change_add_victim(ChangeResult *result, const Position *pos, const char *order_id,
							  int line_no, int64 quantity, DateADT needed_on, const char *cause);
extern int	judge_choose(Ledger *ledger, const Position *pos, DateADT today, TimestampTz now,
						 JudgeChoice **choices);
extern void position_judge(Ledger *ledger, Position *pos, DateADT today, ChangeResult *result);

/* picked.c: what is picked and not in the books */
extern bool position_is_short(const Position *pos, DateADT today);
extern void picked_settle(const Position *pos, DateADT today, bool may_be_open, ChangeResult *result);

/* ripen.c: what waits for supply, or for its time to pass */
extern void position_ripen(Position *pos, DateADT today, bool others_first, ChangeResult *result);

/* arrive.c: bookings on inbound whose stock has come, or gone */
extern int	position_arrive(Position *pos, TimestampTz clock, char ***orders);

#endif							/* ROUTING_LEDGER_CHANGE_H */
