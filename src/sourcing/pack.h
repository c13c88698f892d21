/*
 * pack.h
 *		The inputs of a plan search as a few bytes, enough to run it again.
 *
 * Pure, like plan.h.  A record holds what the search looked at and nothing
 * else: the nodes that were read with their lanes, the availability and the
 * rooms that were asked for, the calendars as far as they were in reach.  It
 * refers to nothing outside: nodes, lanes, items and lines are numbered anew
 * (nodes and lanes keep their order), and their names can go with them.
 *
 * The same input gives the same bytes on every machine.  A record starts with
 * its version; what an older version wrote must stay readable.
 */
#ifndef ROUTING_SOURCING_PACK_H
#define ROUTING_SOURCING_PACK_H

#include "plan.h"

#define SRC_PACK_VERSION	1
#define SRC_PACK_DAYS		CALENDAR_REACH	/* of handling or transit, at the most */

/* what the callbacks of a search answered, in the order they were asked */
typedef struct SrcAskedProfile
{
	int32_t		node;
	int32_t		item;
	SrcProfile	profile;		/* the steps must live until packed */
} SrcAskedProfile;

typedef struct SrcAskedRoom
{
	int32_t		node;
	int32_t		ship_day;
	SrcRoom		room;
} SrcAskedRoom;

/* to be kept by the callbacks; zero it before a search */
typedef struct SrcAsked
{
	int32_t		nprofiles;
	int32_t		maxprofiles;
	SrcAskedProfile *profiles;
	int32_t		nrooms;
	int32_t		maxrooms;
	SrcAskedRoom *rooms;
} SrcAsked;

typedef struct SrcText
{
	const char *text;			/* not terminated; NULL: none */
	int32_t		length;
} SrcText;

/* what things are called: numbers are those of the problem, only nodes that were read */
typedef struct SrcNamer
{
	SrcText		(*node) (void *arg, int32_t node);
	SrcText		(*lane) (void *arg, int32_t lane);	/* the service */
	SrcText		(*item) (void *arg, int32_t line);
	int64_t		(*line_no) (void *arg, int32_t line);
	void	   *arg;
} SrcNamer;

/* who reads a record: memory and interruption as in SrcProblem */
typedef struct SrcHost
{
	void	   *(*alloc) (void *arg, size_t size);
	void		(*interrupt) (void *arg);	/* or NULL */
	void	   *arg;
} SrcHost;

typedef struct SrcUnpacked
{
	SrcProblem	problem;		/* ready to be searched; reads what was read */

	/* what came out */
	int64_t		total;			/* of the best plan */
	int64_t		unread_bound;
	int64_t		gap;
	bool		exact;
	uint32_t	fingerprint;	/* src_fingerprint of the best plan */

	/* names; NULL if the record has none */
	SrcText    *node_names;
	SrcText    *lane_names;
	SrcText    *item_names;		/* by line */
	int64_t    *line_numbers;

	int32_t		missing;		/* questions of a search the record had no answer to */

	/* the rest serves the callbacks */
	SrcHost		host;
	int32_t		nitems;
	SrcProfile *profiles;		/* node * nitems + item */
	bool	   *asked;			/* likewise */
	int32_t		nrooms;
	SrcAskedRoom *rooms;
} SrcUnpacked;

extern void src_note_profile(const SrcProblem *problem, SrcAsked *asked,
							 int32_t node, int32_t item, const SrcProfile *profile);
extern void src_note_room(const SrcProblem *problem, SrcAsked *asked,
						  int32_t node, int32_t ship_day, const SrcRoom *room);

/*
 * Pack a problem and what its search read.  Returns the number of bytes; *bytes
 * is the problem's memory, with "head" bytes left free before the record
 * (not counted).  0 if the problem is not one a record can hold: a negative
 * amount, more than SRC_PACK_DAYS of handling or transit.
 */
extern size_t src_pack(const SrcProblem *problem, const SrcResult *result,
					   const SrcAsked *asked, const SrcNamer *namer,
					   size_t head, uint8_t **bytes);

/*
 * Read a record.  NULL, and nothing worse, for bytes that src_pack did not
 * write; memory stays within 1024 times the length and a constant.  The names
 * point into the bytes.
 */
extern SrcUnpacked *src_unpack(const uint8_t *bytes, size_t length, const SrcHost *host);

/*
 * A hash of what a plan does and costs.  Nodes and lanes by shipment, if they
 * are to be taken for the plan's own numbers; or NULL.
 */
extern uint32_t src_fingerprint(const SrcPlan *plan, int32_t nlines,
								const int32_t *node_of, const int32_t *lane_of);

/* the same shipments, parts, remains and amounts, to the last digit; maps for the first, or NULL */
extern bool src_plans_equal(const SrcPlan *a, const SrcPlan *b, int32_t nlines,
							const int32_t *node_map, const int32_t *lane_map);

/* the same best and next plan; maps for the first */
extern bool src_results_equal(const SrcResult *a, const SrcResult *b, int32_t nlines,
							  const int32_t *node_map, const int32_t *lane_map);

/*
 * The numbers that nodes and lanes have in the record, -1 for those not in it;
 * the arrays have room for nnodes and nlanes.
 */
extern void src_pack_maps(const SrcProblem *problem, const SrcResult *result,
						  int32_t *node_map, int32_t *lane_map);

#endif							/* ROUTING_SOURCING_PACK_H */
