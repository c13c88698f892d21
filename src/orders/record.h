/*
 * record.h
 *		The record of a decision: what replay and explanation need, in few bytes.
 */
#ifndef ROUTING_ORDERS_RECORD_H
#define ROUTING_ORDERS_RECORD_H

#include "orders/order.h"
#include "sourcing/pack.h"

#include "base/json.h"

typedef struct RecordLine
{
	int			line_no;
	const char *item;
	int64		quantity;
	const char *uom;
	bool		has_wanted;
	DateADT		wanted;
	int64		unserved;
	const char *status;
	const char *reason;			/* or NULL */
} RecordLine;

/* a firm booking after the decision */
typedef struct RecordPart
{
	int			line_no;
	const char *node;
	const char *service;
	const char *item;			/* if it is not the line's: a component or a substitute */
	int64		per;			/* then: units of it for one of the line's */
	bool		component;
	int64		quantity;
	DateADT		ship_on;
	DateADT		deliver_on;
	bool		on_hand;
	bool		kept;			/* of an earlier decision */
	int64		atp;			/* what was offered before a new one was booked */
} RecordPart;

/* by which a line of the problem is served; item NULL: by its own */
typedef struct RecordSubstitute
{
	const char *item;
	int64		ratio;			/* 0: a component that begun kits lack, in its own units */
	int64		penalty;		/* money for each unit of the line */
} RecordSubstitute;

typedef struct DecisionRecord
{
	const char *zone;
	const char *currency;
	bool		contended;		/* others were faster */
	uint32		relaxed;		/* SOFT_... that were given up */
	int			nlines;
	RecordLine *lines;
	int			nparts;
	RecordPart *parts;
	int			nskips;
	OrderSkip *skips;
	int			ndropped;
	const char **dropped;		/* custom terms that could not be computed */
	int			unread;			/* nodes that were not read, */
	int			unstocked;		/* besides those that had nothing of the order */
	int		   *problem_lines;	/* line of the problem -> index in lines[] */
	RecordSubstitute *substitutes;	/* of the lines of the problem */
	const char **nodes;			/* of the problem */
	const char **services;		/* of its lanes */
	SrcUnpacked *search;		/* of the nodes that were read; NULL if nothing had to be planned */

	/*
	 * A second pass, or NULL: of it only what stands from "unread" on.  The
	 * maps lead from its numbers to those of the first pass, whose names and
	 * lanes go on, beyond its own, with what only the second one read.
	 */
	struct DecisionRecord *second;
	int		   *line_map;
	int		   *node_map;
	int		   *lane_map;
} DecisionRecord;

/* record.c */
extern bytea *record_write(const SalesOrder *order);
extern DecisionRecord *record_read(const bytea *record);

/* record_json.c */
extern void record_write_plan(JsonWriter *w, const DecisionRecord *d, const SrcPlan *plan);

/* record_rules.c */
extern void record_write_rules(JsonWriter *w, const DecisionRecord *d, const SrcPlan *plan);

/* record_pass.c */
extern bool record_join_passes(DecisionRecord *d);
extern bool record_search(const DecisionRecord *d, SrcResult *r);
extern bool record_is_exact(const DecisionRecord *d, int64 *gap);

#endif							/* ROUTING_ORDERS_RECORD_H */
