/*
 * check.c
 *		Whether an order can be routed, and if not, why.
 *
 * A fault names the order, the line and the field with its value.  A native
 * caller gets it as an error; a bound order keeps it as the reason of its
 * pending key.
 */
#include "orders/complete.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/quantity.h"
#include "ledger/reference.h"

#define FIRST_DATE	(date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE)
#define LAST_DATE	(date2j(2999, 12, 31) - POSTGRES_EPOCH_JDATE)

/* of a destination in no zone */
static const ZoneLanes no_lanes = {.zone = NULL};

/* What a fault begins with: made when there is one. */
static char *
where_of(const SalesOrder *order, const OrderLine *line)
{
	return line == NULL ? psprintf("order \"%s\": ", order->order_id) :
		psprintf("order \"%s\", line %d: ", order->order_id, line->line_no);
}

static void
check_date(SalesOrder *order, const OrderLine *line, const char *field, bool given, DateADT day)
{
	if (given && (day < FIRST_DATE || day > LAST_DATE))
		fault_set(&order->fault, RT_BAD_DATE, "Give a date from 1900 to 2999.",
				  "%s%s %s is out of range", where_of(order, line), field, date_text(day));
}

/* When and how it is to be delivered, and what becomes of the rest. */
static void
check_delivery(SalesOrder *order)
{
	Fault	   *fault = &order->fault;

	check_date(order, NULL, "requested_on", order->has_requested, order->requested);
	check_date(order, NULL, "ship_not_before", order->has_not_before, order->not_before);
	check_date(order, NULL, "cancel_after", order->has_cancel_after, order->cancel_after);
	if (!complete_parse(order->completeness, &order->complete))
		fault_set(fault, RT_BAD_DELIVERY,
				  "It is none, line, group, order_one_date, order_one_shipment or fill_or_kill.",
				  "%scompleteness \"%s\" is unknown", where_of(order, NULL), order->completeness);
	if (order->rest != NULL && !rest_parse(order->rest, NULL))
		fault_set(fault, RT_BAD_DELIVERY, "It is backorder, cancel or wait.",
				  "%srest \"%s\" is unknown", where_of(order, NULL), order->rest);
	if (order->rest_days < 0 || order->rest_days > 3650)
		fault_set(fault, RT_BAD_DELIVERY, "Give the days to wait, from 0 to 3650.",
				  "%srest_days %d is out of range", where_of(order, NULL), order->rest_days);
	if (strcmp(order->freight_terms, "prepaid") != 0 && strcmp(order->freight_terms, "collect") != 0 &&
		strcmp(order->freight_terms, "third_party") != 0)
		fault_set(fault, RT_BAD_DELIVERY, "It is prepaid, collect or third_party.",
				  "%sfreight_terms \"%s\" is unknown", where_of(order, NULL), order->freight_terms);
}

static void
check_line(SalesOrder *order, OrderLine *line)
{
	Fault	   *fault = &order->fault;

	if (!line->item_known)
		fault_unknown_item(fault, where_of(order, line), line->item);
	else if (line->unit == UNIT_UNKNOWN)
		fault_set(fault, RT_UNKNOWN_UNIT,
				  psprintf("The item's unit is \"%s\"; further ones stand in routing.item_uom.", line->item_uom),
				  "%sunit \"%s\" of item \"%s\" is unknown", where_of(order, line), line->uom, line->item);
	else if (line->unit == UNIT_INEXACT)
		fault_set(fault, RT_BAD_QUANTITY,
				  psprintf("Correct the factor in routing.item_uom, or give the quantity in \"%s\".", line->item_uom),
				  "%squantity %s %s of item \"%s\" has no exact equivalent in %s", where_of(order, line),
				  scaled_to_text(line->quantity), line->uom, line->item, line->item_uom);
	else if (line->serial && line->quantity % SCALE != 0)
		fault_set(fault, RT_BAD_QUANTITY, "Units with serial numbers are not divided.",
				  "%squantity %s of item \"%s\" is not a whole number", where_of(order, line), scaled_to_text(line->quantity),
				  line->item);
	else if (line->nparts > 0 && line->quantity % SCALE != 0)
		fault_set(fault, RT_BAD_KIT_LINE, "Kits are not divided; enter components as lines of their own.",
				  "%squantity %s of kit \"%s\" is not a whole number", where_of(order, line), scaled_to_text(line->quantity),
				  line->item);
	else if (line->nparts > 0 && line->lot[0] != '\0')
		fault_set(fault, RT_BAD_KIT_LINE, "A kit has no lots; enter components as lines of their own.",
				  "%slot \"%s\" of kit \"%s\" is unknown", where_of(order, line), line->lot, line->item);
	if (line->substitutes != NULL && strcmp(line->substitutes, "never") != 0 &&
		strcmp(line->substitutes, "allowed") != 0 && strcmp(line->substitutes, "consented") != 0)
		fault_set(fault, RT_BAD_DELIVERY, "It is never, allowed or consented.",
				  "%ssubstitutes \"%s\" is unknown", where_of(order, line), line->substitutes);
	if (line->pinned != NULL && network_find_node(order->net, line->pinned) < 0)
		fault_unknown_node(fault, where_of(order, line), line->pinned);
	if (line->quantity <= 0)
		fault_set(fault, RT_BAD_QUANTITY, "A quantity is more than 0.",
				  "%squantity %s is not more than 0", where_of(order, line), scaled_to_text(line->quantity));
	check_date(order, line, "requested_on", line->has_requested, line->requested);
	if (line->shipped > 0 && strcmp(line->status, "cancelled") != 0 && strcmp(line->shipped_item, line->item) != 0)
		fault_set(fault, RT_SHIPPED_ALREADY, "Enter another line for the other item.",
				  "%sitem is \"%s\" but %s of item \"%s\" are shipped", where_of(order, line), line->item,
				  scaled_to_text(line->shipped), line->shipped_item);
	else if (line->quantity > 0 && line->quantity < line->shipped && strcmp(line->status, "cancelled") != 0)
		fault_set(fault, RT_SHIPPED_ALREADY, "What is shipped is not taken from a line any more.",
				  "%squantity %s is less than the %s that are shipped", where_of(order, line),
				  scaled_to_text(line->quantity), scaled_to_text(line->shipped));
}

/* The policy of an order, and what of it applies to the order. */
void
order_find_policy(SalesOrder *order)
{
	PolicyCase	of = {0};

	of.channel = order->channel;
	of.customer_group = order->customer_group;
	of.zone = order->lanes ? order->lanes->zone : NULL;
	of.country = order->country;
	order->policy = order->imposed ? order->imposed :
		policy_get(order->tenant_id, order->policy_code, order->clock ? order->clock : clock_now(), &order->fault);
	policy_terms(order->policy, &of, &order->terms);
	for (int i = 0; i < order->nlines; i++)
	{
		OrderLine  *line = &order->lines[i];

		line->terms = &order->terms;
		if (order->policy->by_item_class && line->item_class != NULL)
		{
			PolicyTerms *own = palloc(sizeof(PolicyTerms));

			of.item_class = line->item_class;
			policy_terms(order->policy, &of, own);
			line->terms = own;
		}
	}
}

/*
 * Check an order and find its destination, network and policy.  Sets
 * order->fault, or leaves it clear and the order ready for planning.
 */
void
order_check(SalesOrder *order)
{
	Fault	   *fault = &order->fault;
	const char *zone;

	order->net = network_get(order->tenant_id);
	if (!order->customer_known)
		fault_set(fault, RT_UNKNOWN_CUSTOMER, "Insert it into routing.customer first, or correct the code.",
				  "%scustomer \"%s\" is unknown", where_of(order, NULL), order->customer);
	if (order->channel != NULL && !order->channel_known)
		fault_unknown_channel(fault, order->channel);
	check_delivery(order);
	if (order->country == NULL || order->country[0] == '\0' || order->postal_code == NULL)
		fault_set(fault, RT_NO_SHIP_TO, "Give country and postal_code of the destination.",
				  "%sship-to is missing: %s is not given", where_of(order, NULL),
				  order->postal_code == NULL ? "postal_code" : "country");
	else
	{
		zone = network_zone(order->net, order->country, order->postal_code);
		if (zone != NULL)
			order->lanes = network_lanes(order->net, zone);
		else if (order->quote)
			fault_set(fault, RT_NO_SHIP_TO, "Insert the country, or a prefix of the postal code, into routing.zone_area.",
					  "%sship-to %s %s is in no zone", where_of(order, NULL), order->country, order->postal_code);
		else
			order->lanes = &no_lanes;	/* it is kept, and waits for its zone */
	}
	for (int i = 0; i < order->nlines && fault->sqlerrcode == 0; i++)
		check_line(order, &order->lines[i]);
	if (fault->sqlerrcode == 0)
		order_find_policy(order);
}
