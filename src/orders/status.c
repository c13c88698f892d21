/*
 * status.c
 *		From schedule lines to the status of lines and order.
 *
 * A booking counts as allocated if it rests on stock on hand, as scheduled if
 * it rests on inbound that is in time, and as backordered if it rests on
 * inbound that is later than requested; what no booking covers is backordered
 * without a date.
 *
 *		only allocated						allocated
 *		scheduled, and maybe allocated		scheduled
 *		only backordered					backordered
 *		backordered and something allocated	partially_allocated
 *		backordered and scheduled only		partially_scheduled
 *		all of it has left					shipped
 */
#include "orders/eligibility.h"
#include "orders/complete.h"

#include "base/quantity.h"

typedef struct Shares
{
	int64		allocated;
	int64		scheduled;
	int64		backordered;
	int64		left;			/* of what is allocated: shipped */
} Shares;

bool
booking_is_late(const SalesOrder *order, const OrderLine *line, const Booking *b)
{
	DateADT		requested = line->has_requested ? line->requested : order->requested;

	if (!line->has_requested && !order->has_requested)
		return false;
	return (order->by_ship_day ? b->ship_on : b->deliver_on) > requested;
}

static const char *
status_of(const Shares *s)
{
	if (s->left > 0 && s->left == s->allocated && s->scheduled == 0 && s->backordered == 0)
		return "shipped";
	if (s->backordered == 0)
		return s->scheduled > 0 ? "scheduled" : "allocated";
	if (s->allocated > 0)
		return "partially_allocated";
	return s->scheduled > 0 ? "partially_scheduled" : "backordered";
}

/* What keeps all candidates from serving a line, whatever they have; or NULL. */
static char *
forbidden_reason(const SalesOrder *order, int line)
{
	StringInfoData text;
	uint32		all = 0;

	for (int c = 0; c < order->ncandidates; c++)
	{
		uint32		why = order_line_why(order, line, c);

		if (why == 0)
			return NULL;
		/* of a pinned line the other nodes are none */
		if ((why & WHY_PINNED) == 0)
			all |= why;
	}
	if (all == 0)
		return NULL;
	initStringInfo(&text);
	for (int i = 0; i < NUM_WHYS; i++)
	{
		if (all & (1 << i))
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "no node may serve it: ", why_names[i]);
	}
	return text.data;
}

/* Why "missing" of a line has no supply. */
static char *
missing_reason(const SalesOrder *order, const OrderLine *line, int64 missing)
{
	char	   *forbidden;

	if (order->cut_short)
		return pstrdup("positions were busy, route the order again");
	if (order->lanes != NULL && order->lanes->zone == NULL)
		return psprintf("ship-to %s %s is in no zone", order->country, order->postal_code);
	if (order->ncandidates == 0 && order->retry_at != 0)
		return psprintf("%s %s: %s", order->skips[0].node, order->skips[0].service, order->skips[0].reason);
	if (order->ncandidates == 0)
		return pstrdup("no open node has a lane to the destination");
	if (line->lot[0] != '\0')
		return psprintf("no supply of lot %s for %s of %s", line->lot, scaled_to_text(missing),
						scaled_to_text(line->quantity));
	forbidden = forbidden_reason(order, (int) (line - order->lines));
	if (forbidden != NULL)
		return forbidden;
	if (line->pinned != NULL && order->nshipments == 0)
		return psprintf("node %s cannot serve it", line->pinned);
	if (order->planned && complete_reason(order, line) != NULL)
		return pstrdup(complete_reason(order, line));
	return psprintf("no supply for %s of %s", scaled_to_text(missing),
					scaled_to_text(line->quantity));
}

/* Why something of the line is backordered or cancelled, for the ERP's user to read. */
static char *
reason_of(const SalesOrder *order, const OrderLine *line, const KitGap *gap, bool dated)
{
	if (gap != NULL)
		return psprintf("%s of %s missing: the rest of the kits has left", scaled_to_text(gap->missing), gap->item);
	if (line->given_up > 0)
		return psprintf("%s of %s cancelled: %s", scaled_to_text(line->cancelled), scaled_to_text(line->quantity),
						missing_reason(order, line, line->given_up));
	if (line->unserved > 0)
		return missing_reason(order, line, line->unserved);
	if (dated)
		return pstrdup("supply is later than requested");
	return line->cancelled > 0 ? psprintf("%s of %s cancelled", scaled_to_text(line->cancelled),
										  scaled_to_text(line->quantity)) : NULL;
}

static void
derive_line(const SalesOrder *order, OrderLine *line, Shares *total)
{
	Shares		s = {0};
	int64		largest = 0;
	DateADT		promised = DATEVAL_NOBEGIN;
	bool		dated_late = false;
	bool		kits = false;
	KitGap	   *gaps;
	bool		lacks = kits_gaps(order, line, &gaps) > 0;

	line->lacking = lacks ? kits_lacking(order, line) : 0;

	line->node = NULL;
	line->split = false;
	if (strcmp(line->status, "cancelled") == 0)
	{
		line->new_status = "cancelled";
		line->changed = false;
		line->has_promised = false;
		return;
	}
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		int64		serves = b->component > 0 ? 0 : booking_serves(b);
		int64		there = 0;

		if (b->line_no != line->line_no || b->release || !b->firm)
			continue;
		kits |= b->component > 0;
		if (booking_has_left(b))
			s.left += serves;
		if (b->on_hand)
			s.allocated += serves;
		else if (booking_is_late(order, line, b))
		{
			s.backordered += serves;
			dated_late = true;
		}
		else
			s.scheduled += serves;
		promised = Max(promised, b->deliver_on);
		for (int k = 0; k < order->nbookings; k++)
		{
			const Booking *o = &order->bookings[k];

			if (o->line_no != line->line_no || o->release || !o->firm)
				continue;
			if (strcmp(o->node, b->node) == 0)
				there += o->quantity;
			else
				line->split = true;
		}
		if (there > largest || (there == largest && line->node != NULL && strcmp(b->node, line->node) < 0))
		{
			largest = there;
			line->node = b->node;
		}
	}
	if (kits)
		kit_shares(order, line, &s.allocated, &s.scheduled, &s.backordered, &s.left);
	s.backordered += line_missing(line);
	line->new_status = line->cancelled >= line->quantity ? "cancelled" : status_of(&s);
	/* bookings do not tell what the warehouse has done with it */
	if ((strcmp(line->status, "picked") == 0 || strcmp(line->status, "packed") == 0) &&
		strcmp(line->new_status, "allocated") == 0)
		line->new_status = line->status;
	line->has_promised = line_missing(line) == 0 && promised != DATEVAL_NOBEGIN;
	line->promised = line->has_promised ? promised : 0;
	if (line->has_promised && !line->has_first_promised)
	{
		line->has_first_promised = true;
		line->first_promised = promised;
	}
	line->reason = reason_of(order, line, lacks ? gaps : NULL, dated_late);
	total->allocated += s.allocated;
	total->left += s.left;
	total->scheduled += s.scheduled;
	total->backordered += s.backordered;
}

/*
 * Set the new status of the order and its lines, the promised days and
 * reasons, from the bookings that stay and those that are new.
 */
void
order_derive_status(SalesOrder *order)
{
	Shares		total = {0};
	bool		any = false;

	if (!order->exists)
	{
		order->changed = order->nbookings > 0 || order->had_row;
		return;
	}
	if (order_is_cancelled(order))
	{
		order->changed = order->cancel_reason != NULL;
		for (int j = 0; j < order->nbookings; j++)
			order->changed |= !booking_has_left(&order->bookings[j]);
		for (int i = 0; i < order->nlines; i++)
			order->changed |= strcmp(order->lines[i].status, "cancelled") != 0 &&
				strcmp(order->lines[i].status, "shipped") != 0;
		return;
	}
	order->nshipments = 0;
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];
		bool		seen = false;

		if (b->release || !b->firm)
			continue;
		for (int k = 0; k < j && !seen; k++)
		{
			const Booking *o = &order->bookings[k];

			seen = !o->release && o->firm && strcmp(o->node, b->node) == 0 &&
				o->ship_on == b->ship_on && strcmp(o->service, b->service) == 0;
		}
		if (!seen)
			order->nshipments++;
	}
	order->changed = order->decision_id == 0 || order->anew;
	for (int j = 0; j < order->nbookings; j++)
	{
		if (order->bookings[j].release || order->bookings[j].is_new)
			order->changed = true;
	}
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];

		derive_line(order, line, &total);
		if (strcmp(line->new_status, "cancelled") != 0)
			any = true;
		line->changed = line->replan || line->given_up > 0 || line->taken_back || strcmp(line->new_status, line->status) != 0 ||
			order->changed;
		if (line->changed)
			order->changed = true;
	}
	order->new_status = any ? status_of(&total) : "cancelled";
	if (order->nlines == 0)
		order->new_status = "received";
	if (strcmp(order->new_status, order->status) != 0)
		order->changed = true;
	order->cost = order->result.best.total;
}
