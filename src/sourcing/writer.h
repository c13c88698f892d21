/*
 * writer.h
 *		The record that is being packed: bytes that grow, and what they are made of.
 *
 * Private to src/sourcing.  Whoever writes makes sure of the room first; rows
 * and texts do so themselves.
 */
#ifndef ROUTING_SOURCING_WRITER_H
#define ROUTING_SOURCING_WRITER_H

#include "record.h"

#define SRC_W_ROOM		256		/* no row is longer */
#define SRC_W_SMALL		32		/* for two numbers, and more */

typedef struct SrcWriter
{
	const SrcProblem *problem;
	uint8_t    *start;
	uint8_t    *at;
	uint8_t    *end;
	int32_t		base;			/* day */
	bool		fits;			/* nothing was out of what a record holds */

	int32_t		nnodes;			/* that were read */
	int32_t    *nodes;			/* their numbers, ascending */
	int32_t		nitems;
	int32_t    *item_of;		/* per line: new number */
	int32_t    *item_line;		/* per item: its first line */
	int32_t    *asked;			/* node * nitems + item: profile + 1, or 0 */

	int32_t		ncalendars;
	const Calendar **calendars;

	int32_t		ntexts;
	SrcText		texts[REC_TEXTS];
} SrcWriter;

static inline void
src_w_put(SrcWriter *w, uint64_t value)
{
	while (value >= 0x80)
	{
		*w->at++ = (uint8_t) (value | 0x80);
		value >>= 7;
	}
	*w->at++ = (uint8_t) value;
}

static inline uint64_t
src_w_zigzag(int64_t value)
{
	return ((uint64_t) value << 1) ^ (uint64_t) (value >> 63);
}

extern void *src_w_memory(const SrcWriter *w, size_t size, int64_t n);
extern void src_w_ensure(SrcWriter *w, size_t need);
extern void src_w_amount(SrcWriter *w, int64_t value);
extern void src_w_day(SrcWriter *w, int64_t day);

/* a row: what differs from the row before, which it then replaces */
extern void src_w_row(SrcWriter *w, const RecordKind *kind, int64_t *before, const int64_t *row);
extern void src_w_single(SrcWriter *w, const RecordKind *kind, const int64_t *row);
extern void src_w_text(SrcWriter *w, SrcText text);

#endif							/* ROUTING_SOURCING_WRITER_H */
