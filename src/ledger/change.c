/*
 * change.c
 *		Supply changes, applied to their positions and judged at commit.
 */
#include "ledger/change.h"

#include "base/clock.h"
#include "base/quantity.h"
#include "ledger/offer.h"
#include "ledger/reference.h"

#include "miscadmin.h"

static void
measure(Position *pos, const OfferRequest *req, int64 *on_hand, int64 *promised, int64 *atp)
{
	const AtpStep *steps;
	int			n = position_offer(pos, req, &steps);

	*on_hand = timeline_on_hand(&pos->timeline);
	*promised = timeline_promised(&pos->timeline);
	*atp = steps_at(steps, n, req->today);
}

/*
 * Make the rows of positions that have none.  What is said to be at an
 * unknown item or node is refused: a RT001 or RT002 error.
 */
void
ledger_prepare_changes(Ledger *ledger, Position **positions, int n)
{
	for (int i = 0; i < n; i++)
	{
		Fault		fault = {0};
		Position   *pos = positions[i];

		if (pos->exists)
			continue;
		if (!item_exists(pos->key.tenant_id, pos->key.item))
			fault_unknown_item(&fault, "supply: ", pos->key.item);
		else if (network_find_node(network_get(pos->key.tenant_id), pos->key.node) < 0)
			fault_unknown_node(&fault, "supply: ", pos->key.node);
		if (fault.sqlerrcode)
			fault_raise(&fault);
	}
	if (n > 0)
		ledger_create_missing(ledger, positions, n);
}

/*
 * Bring prepared positions up to date with their supply and judge them.  SPI
 * is connected; the positions are locked here in the global order unless the
 * caller has done so, together with others.
 */
void
ledger_apply_changes(Ledger *ledger, Position **positions, int n, ChangeResult *result)
{
	TimestampTz now = clock_now();

	memset(result, 0, sizeof(*result));
	if (n == 0)
		return;
	ledger_lock_all(ledger, positions, n);

	result->changes = palloc_extended(sizeof(StockChange) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		Position   *pos = positions[i];
		StockChange *c = &result->changes[result->nchanges];
		const Network *net = network_get(pos->key.tenant_id);
		const NetNode *nodes;
		int			node = network_find_node(net, pos->key.node);
		OfferRequest req;

		CHECK_FOR_INTERRUPTS();
		if (!pos->exists)
			continue;
		if (node < 0)
		{
			/* the node went together with its supply */
			position_sum(pos, NULL);
			position_judge(pos, (DateADT) (now / USECS_PER_DAY), result);
			continue;
		}
		(void) network_nodes(net, &nodes);
		offer_request_init(&req, node_date(&nodes[node], now), now);
		c->pos = pos;
		measure(pos, &req, &c->on_hand_before, &c->promised_before, &c->atp_before);
		position_sum(pos, &nodes[node]);
		position_judge(pos, req.today, result);
		measure(pos, &req, &c->on_hand_after, &c->promised_after, &c->atp_after);
		if (c->on_hand_after != c->on_hand_before)
			result->nchanges++;
	}
}
