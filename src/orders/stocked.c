/*
 * stocked.c
 *		Which candidates have anything of an order at all.
 *
 * In a large network most items are at a few of the nodes, and the search
 * would have to read the others one by one to learn that, since what a plan
 * with them costs at the least is often less than what the best plan costs:
 * an order would cost as much as the network is large.  The index of positions
 * knows it for all nodes of an item at once.  A node without a position of any
 * item is in no plan, so leaving it out changes neither the best plan nor its
 * cost; what bounds are made of is then that of the others, and so they can
 * only be higher.
 *
 * In a small network every node is read, so that an explanation can say what
 * each of them has.
 */
#include "orders/problem.h"

#include "port/pg_bitutils.h"

/* candidates that may be read to no purpose */
#define SMALL_NETWORK	20

/* candidates by code: a table with open addresses */
struct CandidateCodes
{
	uint32		mask;
	int		   *places;			/* index in the problem + 1; 0: free */
	const NetNode **nodes;		/* per candidate */
};

static uint32
hash_code(const char *code)
{
	uint32		h = 2166136261U;	/* FNV-1a */

	for (; *code != '\0'; code++)
		h = (h ^ (unsigned char) *code) * 16777619;
	return h ^ h >> 15;
}

/* Candidates to be found by code, in the current memory context; NULL if there are but a few. */
const CandidateCodes *
candidate_codes_make(const NetNode *nodes, const int *candidates, int n)
{
	CandidateCodes *codes;

	if (n <= SMALL_NETWORK)
		return NULL;
	codes = palloc(sizeof(CandidateCodes));
	codes->mask = pg_nextpower2_32((uint32) n * 2) - 1;
	codes->places = palloc0(sizeof(int) * (codes->mask + 1));
	codes->nodes = palloc(sizeof(NetNode *) * n);
	for (int c = 0; c < n; c++)
	{
		uint32		at = hash_code(nodes[candidates[c]].node) & codes->mask;

		while (codes->places[at] != 0)
			at = (at + 1) & codes->mask;
		codes->places[at] = c + 1;
		codes->nodes[c] = &nodes[candidates[c]];
	}
	return codes;
}

/* Index in the problem, or -1. */
static int
find_code(const CandidateCodes *codes, const char *code)
{
	uint32		at = hash_code(code) & codes->mask;

	for (; codes->places[at] != 0; at = (at + 1) & codes->mask)
	{
		if (strcmp(codes->nodes[codes->places[at] - 1]->node, code) == 0)
			return codes->places[at] - 1;
	}
	return -1;
}

/* Where what serves a line may be: of a kit the component at the fewest nodes; false: anywhere. */
static bool
places_of_line(const SalesOrder *order, Ledger *ledger, const OrderLine *line, int *n,
			   const ItemPlace **places)
{
	bool		known = false;

	if (line->nparts == 0)
		return ledger_places_of(ledger, order->tenant_id, line->item, n, places);
	for (int i = 0; i < line->nparts; i++)
	{
		const ItemPlace *own;
		int			nown;

		if (!ledger_places_of(ledger, order->tenant_id, line->parts[i].item, &nown, &own) ||
			(known && nown >= *n))
			continue;
		known = true;
		*n = nown;
		*places = own;
	}
	return known;
}

/* Tell the search which nodes have nothing of its "nitems" items, where that spares it something. */
void
problem_set_stocked(SalesOrder *order, Ledger *ledger, int nitems)
{
	SrcProblem *p = &order->problem;
	int			nwords = (p->nnodes + 63) / 64;
	uint64	   *stocked;
	int32_t    *out;

	p->stocked = NULL;
	p->nstocked = 0;
	if (order->codes == NULL)
		return;
	stocked = palloc0(sizeof(uint64) * nwords);
	for (int i = 0; i < nitems; i++)
	{
		const ItemPlace *places;
		int			n;

		/* of an item that is nearly everywhere nothing is gained */
		if (!places_of_line(order, ledger, order->problem_items[i], &n, &places) || n > p->nnodes / 2)
			return;
		for (int k = 0; k < n; k++)
		{
			int			c = find_code(order->codes, places[k].node);

			if (c >= 0)
				stocked[c / 64] |= UINT64CONST(1) << (c % 64);
		}
	}
	out = palloc(sizeof(int32_t) * p->nnodes);
	for (int w = 0; w < nwords; w++)
	{
		for (uint64 rest = stocked[w]; rest != 0; rest &= rest - 1)
			out[p->nstocked++] = w * 64 + pg_rightmost_one_pos64(rest);
	}
	p->stocked = out;
}
