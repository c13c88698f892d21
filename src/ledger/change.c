/*
 * change.c
 *		Supply changes, applied to their positions and judged at commit.
 */
#include "ledger/change.h"

#include "ledger/falls.h"
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

/* What the first of the queue may find: where channels have allotments, of whichever he is. */
static int
offer_to_first(Position *pos, const OfferRequest *req, const AtpStep **steps)
{
	AtpStep    *own;
	int			n;

	if (pos->quotas.n == 0 || pos->withheld)
		return position_offer(pos, req, steps);
	n = position_stock(pos, req, &own);
	*steps = own;
	return n;
}

/* Whether more is offered on any day, or as much earlier. */
static bool
offers_more(const AtpStep *before, int nbefore, const AtpStep *after, int nafter)
{
	for (int i = 0; i < nafter; i++)
	{
		if (after[i].available > steps_at(before, nbefore, after[i].day))
			return true;
	}
	/* where lots end the offer may have fallen on a day on which it no longer does */
	for (int i = 0; i < nbefore; i++)
	{
		if (steps_at(after, nafter, before[i].day) > before[i].available)
			return true;
	}
	return false;
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
ledger_apply_changes(Ledger *ledger, Position **positions, int n, TimestampTz clock,
					 EventBatch *events, ChangeResult *result)
{
	memset(result, 0, sizeof(*result));
	result->clock = clock;
	result->events = events;
	if (n == 0)
		return;
	ledger_lock_all(ledger, positions, n);

	result->changes = palloc_extended(sizeof(StockChange) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		Position   *pos = positions[i];
		StockChange *c = &result->changes[result->nchanges];
		const NetNode *node = network_node(network_get(pos->key.tenant_id), pos->key.node);
		OfferRequest req;
		OfferRequest first;
		const AtpStep *before;
		const AtpStep *after;
		int			nbefore;
		int			nafter;
		int			nvictims;
		bool		waits;
		bool		was_short;

		CHECK_FOR_INTERRUPTS();
		if (!pos->exists)
			continue;
		if (node == NULL)
		{
			/* the node went together with its supply */
			int64		on_hand = timeline_on_hand(&pos->timeline);
			DateADT		today = (DateADT) (clock / USECS_PER_DAY);

			position_sum(pos, NULL);
			falls_settle(pos, NULL, on_hand, today, result);
			position_judge(ledger, pos, today, result);
			falls_keep(pos, clock);
			continue;
		}
		offer_request_init(&req, node_date(node, clock), clock);
		c->pos = pos;
		first = req;			/* what is there for the first of the queue */
		first.rank = 0;
		first.within_horizon = true;
		nbefore = offer_to_first(pos, &first, &before);
		measure(pos, &req, &c->on_hand_before, &c->promised_before, &c->atp_before);
		waits = pos->due || pos->lead_time >= 0;
		was_short = pos->due || pos->falls.n > 0 || pos->falls_moved || position_is_short(pos, req.today);
		position_sum(pos, node);
		nvictims = result->nvictims;
		falls_settle(pos, node, c->on_hand_before, req.today, result);
		position_judge(ledger, pos, req.today, result);
		falls_keep(pos, clock);
		picked_settle(pos, req.today, was_short, result);
		if (waits || pos->lead_time >= 0)
			position_ripen(pos, req.today, result->nvictims > nvictims, result);
		measure(pos, &req, &c->on_hand_after, &c->promised_after, &c->atp_after);
		nafter = offer_to_first(pos, &first, &after);
		pos->improved |= pos->reallotted || offers_more(before, nbefore, after, nafter);
		pos->arrived = c->on_hand_after != c->on_hand_before && c->promised_after > 0;
		if (c->on_hand_after != c->on_hand_before)
			result->nchanges++;
	}
}
