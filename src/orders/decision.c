/*
 * decision.c
 *		The record of a decision: what explain() tells and replay will need.
 *
 * Short keys and arrays keep it small; the layout is described in
 * doc/reference.md (decision.detail).  Amounts and quantities are decimal
 * strings.
 */
#include "orders/order.h"

#include "base/json.h"
#include "base/quantity.h"
#include "base/tenant.h"

/* candidates recorded besides those the plan uses */
#define MAX_CANDIDATES	6

static const char *
candidate_code(const SalesOrder *order, int c)
{
	const NetNode *nodes;

	(void) network_nodes(order->net, &nodes);
	return nodes[order->candidates[c]].node;
}

/* An amount that is absent when it is zero. */
static void
write_term(JsonWriter *w, const char *key, int64 value)
{
	if (value != 0)
		json_key_scaled(w, key, value);
}

static void
write_plan(JsonWriter *w, const SalesOrder *order, const SrcPlan *plan)
{
	json_key_scaled(w, "total", plan->total);
	write_term(w, "handling", plan->handling);
	write_term(w, "freight", plan->freight);
	write_term(w, "split", plan->split);
	write_term(w, "lateness", plan->lateness);
	write_term(w, "backorder", plan->backorder);
	json_key(w, "shipments");
	json_begin_array(w);
	for (int i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *s = &plan->shipments[i];
		const Lane *lane = order->problem_lanes[s->lane];

		json_begin_object(w);
		json_key_text(w, "node", candidate_code(order, s->node));
		json_key_text(w, "service", lane->service);
		json_key_int(w, "transit", lane->transit_days);
		json_key_date(w, "ship_on", s->ship);
		json_key_date(w, "deliver_on", s->arrival);
		write_term(w, "kg", s->weight);
		write_term(w, "per_kg", lane->per_kg);
		write_term(w, "handling", s->handling);
		write_term(w, "base", s->base);
		write_term(w, "by_weight", s->by_weight);
		write_term(w, "split", s->split);
		json_end_object(w);
	}
	json_end_array(w);
}

static void
write_lines(JsonWriter *w, const SalesOrder *order)
{
	json_key(w, "lines");
	json_begin_array(w);
	for (int i = 0; i < order->nlines; i++)
	{
		const OrderLine *line = &order->lines[i];

		json_begin_object(w);
		json_key_int(w, "line", line->line_no);
		json_key_text(w, "item", line->item);
		json_key_scaled(w, "qty", line->quantity);
		json_key_text(w, "uom", line->item_uom);
		if (line->has_requested || order->has_requested)
			json_key_date(w, "wanted", line->has_requested ? line->requested : order->requested);
		if (line->unserved > 0)
			json_key_scaled(w, "unserved", line->unserved);
		json_key_text(w, "status", line->new_status);
		json_key_text(w, "reason", line->reason);
		json_end_object(w);
	}
	json_end_array(w);
}

static void
write_bookings(JsonWriter *w, const SalesOrder *order)
{
	json_key(w, "parts");
	json_begin_array(w);
	for (int j = 0; j < order->nbookings; j++)
	{
		const Booking *b = &order->bookings[j];

		if (b->release || !b->firm)
			continue;
		json_begin_object(w);
		json_key_int(w, "line", b->line_no);
		json_key_text(w, "node", b->node);
		json_key_text(w, "service", b->service);
		json_key_scaled(w, "qty", b->quantity);
		json_key_date(w, "ship_on", b->ship_on);
		json_key_date(w, "deliver_on", b->deliver_on);
		json_key_text(w, "basis", b->on_hand ? "on_hand" : "inbound");
		if (b->is_new && b->atp_before > 0)	/* not the kept rest of a smaller line */
			json_key_scaled(w, "atp", b->atp_before);
		else
			json_key_bool(w, "kept", true);
		json_end_object(w);
	}
	json_end_array(w);
}

/* The nodes that were read, in tie-breaking order: total, or what was short. */
static void
write_candidates(JsonWriter *w, const SalesOrder *order)
{
	const SrcResult *r = &order->result;
	int			written = 0;
	int			left = 0;

	json_key(w, "candidates");
	json_begin_array(w);
	for (int c = 0; r->nodes != NULL && c < order->ncandidates; c++)
	{
		const SrcNodeResult *n = &r->nodes[c];

		if (!n->read)
			continue;
		if (written >= MAX_CANDIDATES)
		{
			left++;
			continue;
		}
		written++;
		json_begin_object(w);
		json_key_text(w, "node", candidate_code(order, c));
		if (n->feasible)
		{
			json_key_scaled(w, "total", n->total);
			json_key_date(w, "deliver_on", n->arrival);
		}
		else if (n->short_line >= 0)
		{
			const OrderLine *line = &order->lines[order->problem_lines[n->short_line]];

			json_key_int(w, "short_line", line->line_no);
			json_key_text(w, "item", line->item);
			json_key_scaled(w, "atp", n->short_available);
			json_key_scaled(w, "needed", order->problem.lines[n->short_line].quantity);
			json_key_date(w, "on", n->short_day);
			if (n->complete_day != PG_INT32_MAX)
				json_key_date(w, "complete_on", n->complete_day);
		}
		json_end_object(w);
	}
	json_end_array(w);
	if (left > 0)
		json_key_int(w, "candidates_left_out", left);
}

/* Lanes that could not be used, the most telling first. */
static void
write_skipped(JsonWriter *w, const SalesOrder *order)
{
	const NetNode *nodes;

	if (order->nskipped == 0)
		return;
	(void) network_nodes(order->net, &nodes);
	json_key(w, "skipped");
	json_begin_array(w);
	for (int i = 0; i < Min(order->nskipped, MAX_CANDIDATES); i++)
	{
		json_begin_object(w);
		json_key_text(w, "node", nodes[order->skipped[i].node].node);
		json_key_text(w, "service", order->skipped[i].service);
		json_key_text(w, "reason", order->skipped[i].reason);
		json_end_object(w);
	}
	json_end_array(w);
	if (order->nskipped > MAX_CANDIDATES)
		json_key_int(w, "skipped_left_out", order->nskipped - MAX_CANDIDATES);
}

/* The document of the decision that order->result and its bookings make. */
Jsonb *
order_decision_detail(SalesOrder *order)
{
	JsonWriter	w = {0};
	const SrcResult *r = &order->result;
	const NetNode *nodes;
	int			unread = 0;

	(void) network_nodes(order->net, &nodes);
	json_begin_object(&w);
	json_key_text(&w, "zone", order->lanes ? order->lanes->zone : NULL);
	json_key_text(&w, "currency", tenant_currency(order->tenant_id));
	if (order->nbookings > 0)
	{
		int			c = network_find_node(order->net, order->bookings[order->nbookings - 1].node);

		if (c >= 0)
			json_key_text(&w, "local", node_local_time(&nodes[c], order->clock));
	}
	write_lines(&w, order);
	write_bookings(&w, order);
	if (r->nodes != NULL)
	{
		json_key(&w, "plan");
		json_begin_object(&w);
		write_plan(&w, order, &r->best);
		json_end_object(&w);
		if (r->has_next)
		{
			json_key(&w, "next");
			json_begin_object(&w);
			write_plan(&w, order, &r->next);
			json_end_object(&w);
		}
		write_candidates(&w, order);
		for (int c = 0; c < order->ncandidates; c++)
			unread += !r->nodes[c].read;
		if (unread > 0)
		{
			json_key_int(&w, "unread", unread);
			json_key_scaled(&w, "unread_bound", r->unread_bound);
		}
		if (!r->exact)
			json_key_scaled(&w, "gap", r->gap);
	}
	write_skipped(&w, order);
	if (order->gave_up)
		json_key_bool(&w, "contended", true);
	json_end_object(&w);
	return json_result(&w);
}
