/*
 * reader.h
 *		A record that is being unpacked; nothing in it is believed.
 *
 * Private to src/sourcing.  What is wrong sets "bad" and gives 0; it is enough
 * to look at "bad" before anything is made of a number.
 */
#ifndef ROUTING_SOURCING_READER_H
#define ROUTING_SOURCING_READER_H

#include "record.h"

typedef struct SrcReader
{
	const uint8_t *at;
	const uint8_t *end;
	bool		bad;
	int64_t		base;			/* day */
	SrcUnpacked *out;
	int64_t		ncalendars;
	Calendar   *calendars;
	int32_t		nnodes;			/* without one for lines that are pinned elsewhere */
	SrcNode    *nodes;
	bool		elsewhere;
	int32_t		ntexts;
	SrcText		texts[REC_TEXTS];
} SrcReader;

/* zeroed */
extern void *src_r_memory(const SrcReader *r, size_t size, int64_t n);
extern uint64_t src_r_get(SrcReader *r);
extern int64_t src_r_unzigzag(uint64_t code);

/* a number of things that take at least a byte each */
extern int32_t src_r_count(SrcReader *r);
extern int64_t src_r_amount(SrcReader *r);
extern int32_t src_r_day(SrcReader *r);
extern SrcText src_r_text(SrcReader *r);

/* a row, over the one before; the first one goes over the defaults */
extern void src_r_row(SrcReader *r, const RecordKind *kind, int64_t *row);
extern void src_r_first(const RecordKind *kind, int64_t *row);

extern int32_t src_r_check_day(SrcReader *r, int64_t day);
extern int32_t src_r_check_below(SrcReader *r, int64_t value, int64_t limit);

#endif							/* ROUTING_SOURCING_READER_H */
