/*
 * rules.h
 *		How supply of a kind and status counts.
 */
#ifndef ROUTING_LEDGER_RULES_H
#define ROUTING_LEDGER_RULES_H

#include "base/compat.h"

typedef struct SupplyRule
{
	bool		usable;
	int32		delay_days;
	int32		late_days;
} SupplyRule;

extern SupplyRule supply_rule(int32 tenant_id, const char *kind, const char *status);

#endif							/* ROUTING_LEDGER_RULES_H */
