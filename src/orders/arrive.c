/*
 * arrive.c
 *		What it means for the orders that their supply is here, or no longer.
 *
 * A line that was scheduled on inbound is allocated once stock on hand covers
 * it: then it can be released; and the other way round.  Orders that somebody else holds, and those
 * beyond what a settlement may look at, are left to run_jobs().
 */
#include "orders/demand.h"
#include "orders/settle.h"

#include "miscadmin.h"

static void
write_status(Settlement *s, int32 tenant_id, const char *order_id)
{
	SalesOrder *order = order_load(tenant_id, order_id, ORDER_NO_LOCK);

	order->clock = s->clock;
	if (!order->exists || order_is_cancelled(order))
		return;
	order_check(order);
	/* what makes it impossible to route is nothing to fail of here */
	memset(&order->fault, 0, sizeof(order->fault));
	order_find_policy(order);
	order_keep_bookings(order);
	order_derive_status(order);
	settlement_write_order(s, order);
}

/* After everything that books: bookings on inbound whose stock has come. */
void
settle_arrivals(Settlement *s)
{
	for (int i = 0; i < s->npositions; i++)
	{
		Position   *pos = s->positions[i];
		char	  **orders;
		int			n;

		if (!pos->arrived || !pos->locked || pos->slot != 0)
			continue;
		pos->arrived = false;
		n = position_arrive(pos, s->clock, &orders);
		for (int j = 0; j < n; j++)
		{
			CHECK_FOR_INTERRUPTS();
			if (is_demand_id(orders[j]) || strncmp(orders[j], "hold:", 5) == 0)
				continue;
			if (s->budget > 0 && order_try_lock(pos->key.tenant_id, orders[j]))
			{
				s->budget--;
				write_status(s, pos->key.tenant_id, orders[j]);
			}
			else
				settlement_leave(s, pos->key.tenant_id, orders[j],
								 "its supply came while it waited", ERRCODE_SUCCESSFUL_COMPLETION);
		}
	}
}
