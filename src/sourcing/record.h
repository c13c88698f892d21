/*
 * record.h
 *		The layout of a packed record, for those who write and read it.
 *
 * Private to src/sourcing.  A record is a sequence of varints (seven bits to a
 * byte, low bits first) and texts:
 *
 *	version (a byte), flags, base day, outcome, problem, calendars, nodes with
 *	their lanes, order of reading, lines, line-nodes, forbidden lanes,
 *	availability, rooms, names
 *
 * Structs are rows of numbers.  A row begins with the set of fields in which
 * it differs from the row before (the first one from the defaults below), as
 * bits of a varint, and has these fields only.
 *
 *	amounts	ten-thousandths >= 0: 0 is INT64_MAX, 1 says that the number itself
 *			follows, else 2 + (mantissa * 4 + exponent), where exponents 0 to 3
 *			stand for 1, 100, 10^4 and 10^6
 *	days	0 is INT32_MIN, 1 is INT32_MAX, else 2 + zigzag of the difference
 *			from the base day
 *	numbers	as they are
 */
#ifndef ROUTING_SOURCING_RECORD_H
#define ROUTING_SOURCING_RECORD_H

#include "pack.h"

/* flags */
#define REC_ONE_DATE		0x01
#define REC_ALL_OR_NOTHING	0x02
#define REC_EXACT			0x04
#define REC_LINE_NODES		0x08
#define REC_FORBIDDEN		0x10
#define REC_ROOMS			0x20	/* the problem has a room callback */
#define REC_ORDER			0x40	/* nodes were not read in their order */
#define REC_NAMES			0x80
#define REC_FLAGS			0xff

#define REC_MOST_FIELDS		20

/* kinds of fields, one letter each: Amount, Day, Number, Boolean */
typedef struct RecordKind
{
	const char *fields;
	int64_t		defaults[REC_MOST_FIELDS];
} RecordKind;

#define REC_TEXTS		32		/* names remembered, so that they are not repeated */

/* outcome: total, unread bound, gap */
#define REC_OUTCOME		{"AAA", {0, INT64_MAX, 0}}

/* split penalty, least worth of a split, max shipments, work limit, receiving calendar */
#define REC_PROBLEM		{"AANAN", {0, 0, 3, 0, 0}}

/* today, handling days, handling, preference, distance, min_value, nlanes, calendar */
#define REC_NODE		{"DNAAAANN", {0, 0, 0, 0, 0, 0, 1, 0}}

/* transit, base, per_kg, max_weight, first_ship, open_day, risk, pickup, transit calendar */
#define REC_LANE		{"NAAADDANN", {1, 0, 0, 0, INT32_MIN, INT32_MIN, 0, 0, 0}}

/*
 * item (the one before + 1 is left out), pinned (0: no; nnodes + 1: elsewhere),
 * quantity, unit weight, requested, by ship day, early_ok, not_before, latest,
 * group + 1, lateness, backorder, sla, balance, unit value, min_part, max_part,
 * multiple, split_min
 */
#define REC_LINE		{"NNAADBBDDNAAAAAAAAA", \
						 {-1, 0, 0, 0, 0, 0, 0, INT32_MIN, INT32_MAX, 0, \
						  0, 0, 0, 0, 0, 0, 0, 0, 0}}

/* forbidden, goods, custom */
#define REC_LINE_NODE	{"BAA", {0, 0, 0}}

/* node, day, shipments, lines, units, price */
#define REC_ROOM		{"NDAAAA", {0, 0, INT64_MAX, INT64_MAX, INT64_MAX, 0}}

#endif							/* ROUTING_SOURCING_RECORD_H */
