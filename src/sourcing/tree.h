/*
 * tree.h
 *		What the exhaustive search knows of the candidates.
 *
 * Private to tree.c and ranks.c.
 */
#ifndef ROUTING_SOURCING_TREE_H
#define ROUTING_SOURCING_TREE_H

#include "cost.h"

#define SPARE_COMPARED	24		/* candidates that may replace others */
#define VALUE_BITS		27		/* of the largest value, and of the dearest cost */
#define MASK_LINES		31		/* lines with a bit of their own */

typedef struct Partner
{
	int32_t		adds;			/* value of the pair less that of the first */
	int32_t		rank;
	uint32_t	lines;			/* that it improves, a bit each */
} Partner;

typedef struct Tree
{
	SrcSearch  *search;
	int32_t		arrival;		/* of all ranks, if the order has one date */
	int32_t		n;				/* ranks: candidates, best value first */
	int32_t		width;			/* n rounded up */
	int32_t		nlines;
	int32_t		shift;
	int32_t		split;
	int64_t		root;			/* floor of serving nothing */
	int32_t	   *cand;			/* per rank: the candidate */
	int32_t	   *fixed;			/* per rank */
	int32_t	   *value;			/* per rank: of it alone */
	int32_t    *later;			/* per rank: the largest from there on */
	int32_t	   *most;			/* per line: savings of any set */
	int32_t	   *gain;			/* line x rank */
	int32_t    *both;			/* rank x (savings of each line, the same if there were plenty) */
	int32_t		stride;
	int32_t    *joint;			/* the same of two */
	int32_t    *serving;		/* per line: ranks that gain */
	uint32_t   *lines;			/* per rank: those that gain, a bit each */
	bool	   *taken;			/* per rank: all sets with it are done */
	int32_t    *room;			/* per line: left to save */
	int32_t    *room2;
	int32_t    *top;			/* per line: the largest gain of a partner; then the second */
	int32_t		min_fixed;
	int32_t    *row;			/* per rank: value of its pair with one */
	Partner    *partners;
	Partner    *sorted;
	int32_t    *passed;			/* ranks */
	int32_t		first[SPARE_COMPARED];	/* the best candidates */
} Tree;

/* ranks.c */
extern bool tree_set_up(Tree *tree, const int64_t *most);

#endif							/* ROUTING_SOURCING_TREE_H */
