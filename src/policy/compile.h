/*
 * compile.h
 *		What the files of the policy room share: settings, rules, the keys.
 */
#ifndef ROUTING_POLICY_COMPILE_H
#define ROUTING_POLICY_COMPILE_H

#include "policy/policy.h"

#include "utils/jsonb.h"

typedef enum FieldType
{
	FIELD_AMOUNT,				/* int64 ten-thousandths */
	FIELD_COUNT,				/* int32 */
	FIELD_BOOL,
	FIELD_LATENESS,
	FIELD_SOFT,
	FIELD_REST,
	FIELD_NODES,
	FIELD_KEEP,
	FIELD_CUSTOM
} FieldType;

/* a key that stands in a definition and in the "set" of a rule */
typedef struct PolicyField
{
	const char *name;
	FieldType	type;
	uint16		offset;			/* in PolicyTerms */
	uint16		size;
	int64		min;			/* of amounts and counts, in whole units */
	int64		max;
	const char *is;				/* what a value is, for messages */
} PolicyField;

/* some of the terms, as a definition or rule sets them */
typedef struct Settings
{
	PolicyTerms values;
	uint32		fields;			/* bit per field that is set */
	uint16		priorities;		/* bit per priority whose lateness is set */
} Settings;

enum
{
	WHEN_CHANNEL,
	WHEN_CUSTOMER_GROUP,
	WHEN_ZONE,
	WHEN_COUNTRY,
	WHEN_ITEM_CLASS,
	NUM_WHEN
};

/* the codes that one condition of a rule takes; n 0: it is not asked */
typedef struct WhenCodes
{
	int			n;
	char	  **codes;			/* sorted */
} WhenCodes;

struct PolicyRule
{
	char	   *name;			/* or NULL */
	WhenCodes	when[NUM_WHEN];
	Settings	set;
};

#define MAX_RULES		200
#define MAX_CODES		1000
#define MAX_CUSTOM		8
#define NODE_STEP		(10 * SCALE)	/* of a list without a step */

/* terms.c */
extern const PolicyField policy_fields[];
extern const int policy_nfields;
extern const char *const policy_when_names[NUM_WHEN];
extern const char *const policy_soft_names[];
extern const char *const policy_rest_names[];
extern const char *const policy_goal_names[];
extern int	policy_find_name(const char *const *names, const char *name);
extern void policy_builtin(PolicyTerms *terms);
extern void policy_goal(int goal, Settings *settings);
extern void policy_apply(const Settings *settings, PolicyTerms *terms);

/* definition.c: what the policy keeps is allocated in "context" */
extern void policy_read(Policy *p, Jsonb *definition, MemoryContext context, Fault *fault);

/* policy.c */
extern const Policy *policy_compile(int32 tenant_id, const char *code, int32 version, Jsonb *definition,
									int32 base_version, TimestampTz clock, bool strict, Fault *fault);

#endif							/* ROUTING_POLICY_COMPILE_H */
