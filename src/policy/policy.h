/*
 * policy.h
 *		The active policy of a tenant, compiled.
 */
#ifndef ROUTING_POLICY_POLICY_H
#define ROUTING_POLICY_POLICY_H

#include "base/errors.h"

#define POLICY_PRIORITIES	9

typedef struct Policy
{
	char		code[NAMEDATALEN];
	int32		version;		/* 0: built-in values */
	int64		split_penalty;	/* money for each shipment from the 2nd on */
	int64		backorder_penalty;	/* money for a line without any promise */
	int64		lateness[POLICY_PRIORITIES + 1];	/* money per day, by priority */
	int32		max_shipments;
} Policy;

extern bool policy_get(int32 tenant_id, const char *code, Policy *policy, Fault *fault);

#endif							/* ROUTING_POLICY_POLICY_H */
