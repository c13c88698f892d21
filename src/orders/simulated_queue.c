/*
 * simulated_queue.c
 *		Who waits for what in a simulation.
 *
 * As in routing.claim, but in memory: one list, in the order of coming, whose
 * sums stand in the positions.
 */
#include "orders/simulate.h"
#include "orders/parts.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/offer.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

/* ------------------------------------------------------------------------
 * The queues
 * ------------------------------------------------------------------------ */

static void
add_claim(Simulation *sim, const SimClaim *claim)
{
	SimClaim   *c;

	if (sim->nclaims == sim->cap_claims)
	{
		sim->cap_claims = sim->cap_claims ? sim->cap_claims * 2 : 64;
		sim->claims = sim->claims == NULL ?
			MemoryContextAlloc(sim->keep, sizeof(SimClaim) * sim->cap_claims) :
			repalloc_huge(sim->claims, sizeof(SimClaim) * sim->cap_claims);
	}
	c = &sim->claims[sim->nclaims++];
	*c = *claim;
	c->item = MemoryContextStrdup(sim->keep, claim->item);
	c->pos = ledger_get(sim->ledger, sim->tenant_id, c->item, claim->node);
	c->node = c->pos->key.node;
	position_claim(c->pos, c->rank, c->quantity);
}

static void
remove_claim(Simulation *sim, int index)
{
	SimClaim   *c = &sim->claims[index];

	position_claim(c->pos, c->rank, -c->quantity);
	pfree(unconstify(char *, c->item));
	memmove(c, c + 1, sizeof(SimClaim) * (sim->nclaims - index - 1));
	sim->nclaims--;
}

/*
 * While an order is planned, neither its own claims stand in its way nor those
 * of its rank that came later; afterwards they are there again.
 */
void
simulated_step_aside(Simulation *sim, const SimOrder *entry, int sign)
{
	const SimClaim **own = palloc(sizeof(SimClaim *) * Max(entry->nclaims, 1));
	int			nown = 0;

	for (int i = 0; entry->nclaims > 0 && i < sim->nclaims; i++)
	{
		SimClaim   *c = &sim->claims[i];
		bool		aside = false;

		if (c->order_id == entry->order_id && nown < entry->nclaims)
			own[nown++] = c;
		for (int k = 0; k < nown && !aside; k++)
			aside = own[k]->rank == c->rank && strcmp(own[k]->item, c->item) == 0;
		if (aside)
			position_claim(c->pos, c->rank, sign * c->quantity);
	}
	pfree(own);
}

/* See what the lines that wait are short of now, kits of another component maybe; the claims stand aside. */
void
simulated_judge_claims(Simulation *sim, const SimOrder *entry, SalesOrder *order)
{
	for (int i = 0; i < sim->nclaims; i++)
	{
		SimClaim   *c = &sim->claims[i];
		const OrderLine *line = c->order_id == entry->order_id ? order_line(order, c->line_no) : NULL;
		int64		per;

		if (line != NULL)
			c->short_here = strcmp(order_queue_item(order, line, c->node, sim->ledger, &per), c->item) == 0;
	}
}

/* Bring the claims of an order up to what its lines wait for; NULL: nothing any more. */
void
simulated_settle_claims(Simulation *sim, SimOrder *entry, SalesOrder *order)
{
	bool	   *waits = palloc0(sizeof(bool) * (order ? order->nlines + 1 : 1));

	for (int i = 0; entry->nclaims > 0 && i < sim->nclaims; i++)
	{
		SimClaim   *c = &sim->claims[i];
		OrderLine  *line;
		int64		want;

		if (c->order_id != entry->order_id)
			continue;
		line = order ? order_line(order, c->line_no) : NULL;
		if (line == NULL || line->unserved <= 0 || !c->short_here)
		{
			remove_claim(sim, i--);
			entry->nclaims--;
			continue;
		}
		want = (int64) ((int128) line->unserved * line_takes(line, c->item) / SCALE);
		position_claim(c->pos, c->rank, want - c->quantity);
		c->quantity = want;
		waits[line - order->lines] = true;
	}
	for (int i = 0; order != NULL && i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];
		SimClaim	claim = {0};
		int64		per;

		if (line->unserved <= 0 || waits[i])
			continue;
		claim.order_id = entry->order_id;
		claim.line_no = line->line_no;
		claim.node = order_queue_node(order, line, sim->ledger);
		claim.rank = order_claim_rank(order, line);
		if (claim.node == NULL)
			continue;
		claim.item = order_queue_item(order, line, claim.node, sim->ledger, &per);
		claim.quantity = (int64) ((int128) line->unserved * per / SCALE);
		add_claim(sim, &claim);
		entry->nclaims++;
	}
	pfree(waits);
}

/*
 * Who waits now and did so at the first instant already, as far as the
 * simulation does not own him.
 */
void
simulated_claims(Simulation *sim, bool (*owns) (void *arg, const char *order_id))
{
	static EnginePlan plan = {
		"SELECT order_id, line_no, item, node, rank, quantity FROM routing.claim"
		" WHERE tenant_id = $1 AND claimed_at < $2 ORDER BY claimed_at",
		2, {INT4OID, TIMESTAMPTZOID}, NULL
	};
	SPITupleTable *rows;
	Datum		args[2];
	int			n;

	args[0] = Int32GetDatum(sim->tenant_id);
	args[1] = TimestampTzGetDatum(sim->from);
	n = (int) engine_exec(&plan, args, NULL, ENGINE_READ);
	rows = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		SimClaim	claim = {0};
		const char *order_id;

		SPI_tuptable = rows;
		order_id = spi_text(i, 1);
		claim.line_no = DatumGetInt32(spi_datum(i, 2, &isnull));
		claim.item = spi_text(i, 3);
		claim.node = spi_text(i, 4);
		claim.rank = DatumGetInt32(spi_datum(i, 5, &isnull));
		claim.quantity = scaled_from_datum(spi_datum(i, 6, &isnull));
		/* one that is decided in the time waits again when it is */
		if (!owns(sim, order_id))
			add_claim(sim, &claim);
	}
	SPI_freetuptable(rows);
}
