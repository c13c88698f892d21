/*
 * blocks.h
 *		What many shipments save, roughly: amounts of 16 bits, side by side.
 *
 * Private to blocks.c and what is behind tree.h.  A block has the rows of BLOCK shipments:
 * what each saves on the first line, then what each would if it had plenty
 * (its height); then the same of the next line.  Amounts are cut to coarse
 * units, gains rounded up and costs down, so that what comes out is a bound.
 */
#ifndef ROUTING_SOURCING_BLOCKS_H
#define ROUTING_SOURCING_BLOCKS_H

#include "cost.h"

#define BLOCK			8
#define COARSE_MOST		16383	/* of what all lines save; so that sums of two fit */
#define COARSE_LINES	1024	/* the others count as saved */

/* where a row begins; its amounts are BLOCK apart */
static inline size_t
src_row_at(int32_t nlines, int32_t at)
{
	return (size_t) (at / BLOCK) * (size_t) nlines * 2 * BLOCK + (size_t) (at % BLOCK);
}

extern void src_save_together(const int16_t *with, const int16_t *block, int32_t nlines,
							  int16_t *sum);
extern uint32_t src_pass_together(const int16_t *with, const int16_t *block,
								  int32_t nlines, const int16_t *cost, int32_t least);

#endif							/* ROUTING_SOURCING_BLOCKS_H */
