/*
 * policy.h
 *		Policies of a tenant, compiled.
 */
#ifndef ROUTING_POLICY_POLICY_H
#define ROUTING_POLICY_POLICY_H

#include "base/errors.h"
#include "utils/timestamp.h"

#define POLICY_PRIORITIES	9

/* constraints that a policy may call soft: relaxed for what is left unserved */
#define SOFT_MAX_DISTANCE	0x0001
#define SOFT_MAX_LATENESS	0x0002
#define SOFT_MARGIN_FLOOR	0x0004
#define SOFT_SPLIT_MIN		0x0008
#define SOFT_KEEP			0x0010
#define SOFT_MAX_SHIPMENTS	0x0020
#define SOFT_NODES			0x0040

#define POLICY_NONE			PG_INT64_MIN	/* of an amount that is not set */

typedef enum RestAction
{
	REST_BACKORDER,
	REST_CANCEL,
	REST_WAIT					/* backorder, cancelled after rest_days */
} RestAction;

/* of the nodes on a list, in its order; money for each place down the list */
typedef struct PolicyNodes
{
	int			n;
	char	  **nodes;
	int64		step;
	bool		only;			/* others are not used; else they come after the last */
} PolicyNodes;

/* the amount that nodes of a kind, or one node, keep back */
typedef struct PolicyKeep
{
	char	   *kind;			/* of node, or NULL */
	char	   *node;			/* or NULL */
	int64		quantity;
} PolicyKeep;

/*
 * A term that a tenant's own function (item text, node text, order jsonb)
 * returns numeric computes.  "function" is what to_regprocedure() takes; look
 * it up at each use, since the function may have been dropped or made anew.
 */
typedef struct PolicyCustom
{
	char	   *name;
	char	   *function;		/* schema.name(text,text,jsonb) */
	int64		weight;			/* ten-thousandths */
	int32		limit_ms;
} PolicyCustom;

/* what applies to one order, or to lines of one item class of it */
typedef struct PolicyTerms
{
	int64		split_penalty;	/* money for each shipment from the 2nd on */
	int64		backorder_penalty;	/* money for a line without any promise */
	int64		lateness[POLICY_PRIORITIES + 1];	/* money per day, by priority */
	int64		sla_penalty;	/* money if a line is late by bad luck */
	int64		goods_weight;	/* of the difference in cost of goods, ten-thousandths */
	int64		stock_balance;	/* money for taking all that a node has */
	int64		distance_price; /* money per 100 km */
	int64		substitute_price;	/* money per line that gets a substitute, beside its own cost */
	int32		max_shipments;
	int32		max_distance;	/* km, or -1 */
	int32		max_late_days;	/* or -1 */
	int64		margin_floor;	/* share of the price, ten-thousandths, or POLICY_NONE */
	int64		split_min_value;	/* money */
	int64		split_min_quantity;
	bool		consolidate;	/* shipments join those to the same ship-to that are open */
	uint32		soft;			/* SOFT_... */
	RestAction	rest;
	int32		rest_days;
	PolicyNodes list;
	int			nkeeps;
	PolicyKeep *keeps;
	int			ncustom;
	PolicyCustom *custom;
} PolicyTerms;

/* what rules look at; NULL: unknown */
typedef struct PolicyCase
{
	const char *channel;
	const char *customer_group;
	const char *zone;
	const char *country;
	const char *item_class;
} PolicyCase;

typedef struct PolicyRule PolicyRule;

typedef struct Policy
{
	char		code[NAMEDATALEN];
	int32		version;		/* 0: built-in values */
	int32		retention_days; /* of what replay needs, or -1 */
	bool		by_item_class;	/* rules differ between the lines of an order */
	PolicyTerms terms;			/* where no rule applies */
	int			nrules;
	PolicyRule *rules;			/* applied in order */
} Policy;

/* of what was decided without one */
extern const Policy policy_none;

/* both stay valid until the end of the transaction */
extern const Policy *policy_get(int32 tenant_id, const char *code, TimestampTz clock, Fault *fault);
extern const Policy *policy_version_get(int32 tenant_id, const char *code, int32 version,
										TimestampTz clock, Fault *fault);
extern void policy_terms(const Policy *policy, const PolicyCase *of, PolicyTerms *terms);

#endif							/* ROUTING_POLICY_POLICY_H */
