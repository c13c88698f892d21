/*
 * rules_oracle.h
 *		The cheapest plan of a small order under all rules and terms of plan.h.
 *
 * By trying everything: each set of up to three (node, lane, ship day), and
 * each way to put whole units of the lines into it.  Shares no code with the
 * search; the dates are found by going from day to day.
 */
#ifndef RULES_ORACLE_H
#define RULES_ORACLE_H

#include "plan_instance.h"

/* what an order may have beside the simplest, a bit each */
#define RULE_CALENDARS	0x001
#define RULE_TERMS		0x002	/* goods, custom, risk, balance, preference, distance */
#define RULE_WINDOWS	0x004	/* early, not before, latest, cut-off, open shipment */
#define RULE_FORBIDDEN	0x008
#define RULE_ROOM		0x010
#define RULE_WEIGHT		0x020
#define RULE_VALUE		0x040	/* least worth of shipments */
#define RULE_PARTS		0x080	/* least and largest parts, multiples */
#define RULE_SPLIT		0x100	/* both halves large enough */
#define RULE_GROUPS		0x200
#define RULE_ONE_DATE	0x400
#define RULE_COMPLETE	0x800
#define RULE_SHARED		0x1000
#define RULE_KINDS		13

/* random orders with these rules; prints what the rules changed; failures */
extern int	compare_rules(int instances, int rules);

/* print everything that the search says of such orders */
extern void print_rules(int instances, int rules);

#endif							/* RULES_ORACLE_H */
