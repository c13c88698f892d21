/*
 * offer.c
 *		What a position offers to whom, and booking it.
 *
 * From what is there (timeline, or lots) to what is offered, in this order:
 *
 *		balance, with unexpired holds
 *		less safety stock and the claims of those who come first
 *		and without end beyond the horizon
 *		less what is kept for other channels, up to one's own limit; there,
 *		claims are on what is kept for nobody
 *
 * A position that has none of it but safety stock, which is nearly every one,
 * offers everybody the same, and is computed once.
 */
#include "ledger/offer.h"

#include "base/quantity.h"

static int
plain_offer(Position *pos, DateADT today)
{
	AtpStep    *steps;
	int			n;

	if (!pos->enabled || pos->timeline.n == 0)
		return 0;
	n = timeline_balances(&pos->timeline, today, &steps);
	pos->steps = steps;
	return steps_of_balances(steps, n, pos->safety_stock);
}

/* From a day on anything can still be ordered. */
static int
add_horizon(AtpStep **steps, int n, DateADT from)
{
	int			kept = 0;

	while (kept < n && (*steps)[kept].day < from)
		kept++;
	if (*steps == NULL)
		*steps = palloc(sizeof(AtpStep));
	else if (kept == n)
		*steps = repalloc(*steps, sizeof(AtpStep) * (n + 1));
	(*steps)[kept].day = from;
	(*steps)[kept].available = HORIZON_QUANTITY;
	return kept + 1;
}

/* What is there for all channels together; where they have allotments, before claims. */
int
position_stock(Position *pos, const OfferRequest *req, AtpStep **steps)
{
	int64		deduct = pos->safety_stock;
	int			n;

	if (pos->quotas.n == 0)
		deduct = scaled_add(deduct, claims_before(pos, req->rank, req->claimed_at));

	*steps = NULL;
	if (!pos->enabled)
		return 0;
	if (pos->lots.n > 0 || req->lot[0] != '\0')
	{
		n = lots_offer(pos, req, steps);
		for (int i = 0; i < n; i++)
			(*steps)[i].available = Max(scaled_sub((*steps)[i].available, deduct), 0);
	}
	else
	{
		Timeline	tl;

		timeline_copy(&tl, &pos->timeline);
		holds_add_demand(pos, req->now, &tl);
		n = timeline_balances(&tl, req->today, steps);
		n = steps_of_balances(*steps, n, deduct);
	}
	/* a lot that is wanted by its name cannot be ordered anew */
	if (pos->lead_time >= 0 && !req->within_horizon && req->lot[0] == '\0')
		n = add_horizon(steps, n, req->today + pos->lead_time);
	return n;
}

static int
special_offer(Position *pos, const OfferRequest *req, AtpStep **steps)
{
	int			n = position_stock(pos, req, steps);

	if (pos->quotas.n > 0)
		n = allotment_offer(pos, req, steps, n);
	return n;
}

/*
 * What is offered from today on, as steps: days ascend strictly, the first is
 * today or later.  Amounts ascend too but where lots end or allotments have
 * periods.  Returns how many steps there are.
 */
int
position_offer(Position *pos, const OfferRequest *req, const AtpStep **steps)
{
	if (!pos->exists || pos->withheld || pos->busy)
	{
		*steps = NULL;
		return 0;
	}
	if (pos->special || req->lot[0] != '\0')
	{
		AtpStep    *own;
		int			n = special_offer(pos, req, &own);

		*steps = own;
		return n;
	}
	if (!pos->steps_valid || pos->steps_today != req->today)
	{
		pos->nsteps = plain_offer(pos, req->today);
		pos->steps_today = req->today;
		pos->steps_valid = true;
	}
	*steps = pos->steps;
	return pos->nsteps;
}

/*
 * Book a quantity (negative: give it back).  On a position that is not locked
 * this is a thought of this ledger only and never written.
 */
void
position_book(Position *pos, const StockBooking *b, int64 quantity)
{
	if (b->expires_at != 0)
		holds_book(pos, b, quantity);
	else
		timeline_add_demand(&pos->timeline, b->needed_on, quantity);
	if (b->expires_at == 0 && (pos->lots.n > 0 || (b->lot != NULL && b->lot[0] != '\0')))
		lots_book(pos, b, quantity);
	if (pos->quotas.n > 0)
		allotment_book(pos, b, quantity);
	pos->steps_valid = false;
	if (pos->locked)
	{
		pos->dirty = true;
		pos->improved |= quantity < 0;
	}
}

/* Book beyond the horizon: what is to be ordered, but of somebody's allotment. */
void
position_book_planned(Position *pos, const StockBooking *b, int64 quantity)
{
	if (pos->quotas.n == 0)
		return;
	allotment_book(pos, b, quantity);
	if (pos->locked)
		pos->dirty = true;
}
