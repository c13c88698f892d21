/*
 * past.h
 *		A ledger that stands at an instant of the past and moves forward.
 */
#ifndef ROUTING_LEDGER_PAST_H
#define ROUTING_LEDGER_PAST_H

#include "ledger/position.h"
#include "network/network.h"

/*
 * The rules of supply as they were at an instant, as a WITH item "rule" of a
 * statement whose $1 is the tenant.  A rule that changed later is what it was
 * before the first such change, and is none if there was none.
 */
#define RULES_AS_OF(at) \
	"rule AS MATERIALIZED (" \
	"  SELECT r.kind, r.status, r.usable, r.delay_days, r.late_days FROM routing.supply_rule r" \
	"  WHERE r.tenant_id = $1 AND NOT EXISTS (SELECT FROM routing.supply_rule_history h" \
	"   WHERE h.tenant_id = r.tenant_id AND h.kind = r.kind AND h.status = r.status AND h.\"to\" > " at ")" \
	"  UNION ALL" \
	"  SELECT f.kind, f.status, f.usable, f.delay_days, f.late_days FROM (" \
	"   SELECT DISTINCT ON (h.kind, h.status) h.kind, h.status, h.usable, h.delay_days, h.late_days" \
	"   FROM routing.supply_rule_history h WHERE h.tenant_id = $1 AND h.\"to\" > " at \
	"   ORDER BY h.kind, h.status, h.\"to\", h.to_xid) f WHERE f.usable IS NOT NULL)"

/* which of them holds for a row "s" of supply: see rules.c */
#define RULE_OF_SUPPLY \
	"(SELECT x.usable, x.delay_days, x.late_days FROM (" \
	"   SELECT r.usable, r.delay_days, r.late_days," \
	"    CASE r.status WHEN '*' THEN 0 ELSE 4 END + CASE r.kind WHEN '*' THEN 0 ELSE 2 END AS exact" \
	"   FROM rule r WHERE r.status IN ('*', s.status COLLATE \"C\") AND r.kind IN ('*', s.kind COLLATE \"C\")" \
	"   UNION ALL" \
	"   SELECT s.status NOT IN ('quarantine', 'held', 'hold', 'blocked', 'putaway')," \
	"    CASE s.status WHEN 'unconfirmed' THEN 3 ELSE 0 END, 1," \
	"    CASE WHEN s.status IN ('quarantine', 'held', 'hold', 'blocked', 'putaway', 'unconfirmed') THEN 3 ELSE -1 END) x" \
	"  ORDER BY x.exact DESC LIMIT 1)"

/* whether the bookings of an order are the caller's business, not history's */
typedef bool (*PastOwns) (void *arg, const char *order_id);

extern Ledger *past_open(int32 tenant_id, TimestampTz from, TimestampTz to, PastOwns owns, void *arg);
extern void past_move(Ledger *ledger, TimestampTz at);

/* past_quotas.c */
extern void past_read_quotas(Position *pos, Datum *args, MemoryContext keep);
extern void past_take_quota(Position *pos, const char *channel, const char *pool, DateADT ship_on, int64 quantity);

/* as_of.c: the position as it was at args[3]; SPI is connected */
extern void position_as_of(Position *pos, const NetNode *node, Datum *args, bool with_lots);
extern int32 position_dock_days_as_of(const NetNode *node, Datum *args);

#endif							/* ROUTING_LEDGER_PAST_H */
