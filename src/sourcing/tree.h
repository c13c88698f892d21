/*
 * tree.h
 *		What the exhaustive search knows of the candidates.
 *
 * Private to tree.c, ranks.c, nodes.c and sites.c.
 */
#ifndef ROUTING_SOURCING_TREE_H
#define ROUTING_SOURCING_TREE_H

#include "blocks.h"

#define SPARE_COMPARED	24		/* candidates that may replace others */
#define VALUE_BITS		27		/* of the largest value, and of the dearest cost */
#define MASK_LINES		31		/* lines with a bit of their own */

typedef struct Partner
{
	int32_t		adds;			/* value of the pair less that of the first */
	int32_t		rank;
} Partner;

/* the candidates of a node */
typedef struct Site
{
	int32_t		first;			/* its first slot; a multiple of BLOCK */
	int32_t		slots;			/* a multiple of BLOCK */
	int32_t		fixed;			/* the least of them */
	int32_t		lead;			/* the lowest rank that may be the first of a set */
} Site;

/* a set that may be of interest */
typedef struct Found
{
	int32_t		rank[SRC_EXACT_SHIPMENTS];	/* the first one first; -1 without a third */
	int32_t		value;
	int32_t		next;			/* with the same first one; -1 */
} Found;

typedef struct Tree
{
	SrcSearch  *search;
	int32_t		arrival;		/* of all ranks, if the order has one date */
	int32_t		n;				/* ranks: candidates, best value first */
	int32_t		nlines;
	int32_t		shift;
	int32_t		split;
	int64_t		root;			/* floor of serving nothing */
	int32_t	   *cand;			/* per rank: the candidate */
	int32_t	   *fixed;			/* per rank */
	int32_t	   *value;			/* per rank: of it alone */
	int32_t    *later;			/* per rank: the largest from there on */
	int32_t	   *most;			/* per line: savings of any set */
	int32_t    *both;			/* rank x (savings of each line, the same if there were plenty) */
	int32_t		stride;
	int32_t    *serving;		/* per line: ranks that gain */
	uint32_t   *lines;			/* per rank: those that gain, a bit each */
	int32_t		min_fixed;
	int32_t		line;			/* on which the first of a set gains; -1: any rank may be it */

	/* the order of sets with the same first rank */
	int32_t    *room;			/* per line: left to save */
	int32_t    *room2;
	int32_t    *top;			/* per line: the largest gain of a partner; then the second */
	int32_t    *row;			/* per rank: value of its pair with one */
	int32_t    *place;			/* per rank: among the partners; -1 */
	Partner    *partners;
	Partner    *sorted;
	int32_t		first[SPARE_COMPARED];	/* the best candidates */

	/* sets that were found, with first ranks of a range */
	int32_t		low;
	int32_t		high;
	int32_t		least;			/* the value that they have */
	int32_t		nfound;
	int32_t		maxfound;
	Found	   *found;
	int32_t    *chain;			/* per rank: the last set found; -1 */
	int32_t		maxopen;
	SrcAlive   *open;			/* those of one rank, in the order in which they are met */

	/* sites */
	int32_t		coarse;			/* tree's units are cut by so many bits */
	int32_t		ncoarse;		/* lines */
	int32_t		rest;			/* what the others save at the most */
	int32_t		nsites;
	int32_t		leading;		/* those that have a lead, which come first */
	Site	   *sites;
	int32_t    *site_of;		/* per node */
	int32_t    *slot;			/* per slot: the rank, or -1 */
	int32_t		flat;			/* amounts of a flat row: gains, heights, each up to a multiple of BLOCK */
	int16_t    *most16;			/* per line; up to a multiple of BLOCK */
	int16_t    *slot_flat;		/* flat rows */
	int16_t    *site_flat;
	int16_t    *slot_rows;		/* see blocks.h */
	int16_t    *slot_fixed;
	int16_t    *site_rows;
	int16_t    *site_fixed;
	int16_t    *with[4];		/* those that are chosen, as a block of as many alike */
	int16_t    *pair;			/* per site: what it saves together with the first one */
	int16_t    *adds;			/* per site: what it adds to that, less its fixed cost */
	int64_t		pause;			/* work after which finding ends */
	int32_t		passes;			/* of blocks, that are not counted yet */
	bool		partial;		/* not all sets were found */
} Tree;

/* tree.c */
extern int32_t tree_threshold(const Tree *tree);

/* ranks.c */
extern bool tree_set_up(Tree *tree, const int64_t *most);

/* nodes.c */
extern void tree_set_up_sites(Tree *tree);
extern void tree_fill_sites(Tree *tree);

/* sites.c */
extern void tree_find(Tree *tree);

/* may the rank be the first of a set */
static inline bool
tree_leads(const Tree *tree, int32_t rank)
{
	return tree->line < 0 || ((tree->lines[rank] >> tree->line) & 1);
}

/* savings of each line by the rank, then the same if there were plenty */
static inline const int32_t *
tree_row(const Tree *tree, int32_t rank)
{
	return tree->both + (size_t) rank * (size_t) tree->stride;
}

/* the block in which the row of a slot or a site is, see blocks.h */
static inline const int16_t *
tree_block(const Tree *tree, const int16_t *rows, int32_t at)
{
	return rows + src_row_at(tree->ncoarse, at / BLOCK * BLOCK);
}

/* gains and heights of a slot or a site */
static inline const int16_t *
tree_flat(const Tree *tree, const int16_t *rows, int32_t at)
{
	return rows + (size_t) at * (size_t) tree->flat;
}

#endif							/* ROUTING_SOURCING_TREE_H */
