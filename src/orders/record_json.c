/*
 * record_json.c
 *		The record of a decision as a document.
 *
 * The search is run again on the recorded inputs, which gives the same plan,
 * the runner-up and what became of each node; the layout is described in
 * doc/reference.md (decision_detail).  Amounts and quantities are decimal
 * strings; what is zero or unknown is left out.
 */
#include "orders/record.h"
#include "orders/parts.h"
#include "policy/compile.h"

#include "base/json.h"
#include "base/quantity.h"

#include "miscadmin.h"

PG_FUNCTION_INFO_V1(routing_record_detail);

/* An amount that is absent when it is zero. */
static void
write_term(JsonWriter *w, const char *key, int64 value)
{
	if (value != 0)
		json_key_scaled(w, key, value);
}

/* The penalty for a part of a plan that a substitute serves; it is within "custom". */
static int64
substitution_of(const DecisionRecord *d, const SrcPart *part)
{
	const RecordSubstitute *s = &d->substitutes[part->line];

	return s->item == NULL ? 0 : Min(substitution_cost(s->penalty, part->quantity), part->custom);
}

static void
write_terms(JsonWriter *w, const DecisionRecord *d, const SrcPlan *plan)
{
	int64		substitution = 0;

	for (int i = 0; i < plan->nparts; i++)
		substitution += substitution_of(d, &plan->parts[i]);
	write_term(w, "handling", plan->handling);
	write_term(w, "preference", plan->preference);
	write_term(w, "distance", plan->distance);
	write_term(w, "capacity", plan->capacity);
	write_term(w, "freight", plan->freight);
	write_term(w, "split", plan->split);
	write_term(w, "lateness", plan->lateness);
	write_term(w, "goods", plan->goods);
	write_term(w, "custom", plan->custom - substitution);
	write_term(w, "substitution", substitution);
	write_term(w, "risk", plan->risk);
	write_term(w, "balance", plan->balance);
	write_term(w, "backorder", plan->backorder);
}

/* The fields of a plan, of which the numbers are those of the record. */
void
record_write_plan(JsonWriter *w, const DecisionRecord *d, const SrcPlan *plan)
{
	json_key_scaled(w, "total", plan->total);
	write_terms(w, d, plan);
	json_key(w, "shipments");
	json_begin_array(w);
	for (int i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *s = &plan->shipments[i];
		const SrcLane *lane = &d->search->problem.lanes[s->lane];

		json_begin_object(w);
		json_key_text(w, "node", d->nodes[s->node]);
		json_key_text(w, "service", d->services[s->lane]);
		json_key_int(w, "transit", lane->transit_days);
		json_key_date(w, "needed_on", s->day);
		json_key_date(w, "ship_on", s->ship);
		json_key_date(w, "deliver_on", s->arrival);
		write_term(w, "kg", s->weight);
		write_term(w, "per_kg", lane->per_kg);
		write_term(w, "handling", s->handling);
		write_term(w, "preference", s->preference);
		write_term(w, "distance", s->distance);
		write_term(w, "capacity", s->capacity);
		write_term(w, "base", s->base);
		if (s->ship == lane->open_day)
			json_key_bool(w, "joins", true);
		write_term(w, "by_weight", s->by_weight);
		write_term(w, "split", s->split);
		json_end_object(w);
	}
	json_end_array(w);
	json_key(w, "parts");
	json_begin_array(w);
	for (int i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];

		json_begin_object(w);
		json_key_int(w, "line", d->lines[d->problem_lines[part->line]].line_no);
		json_key_int(w, "shipment", part->shipment + 1);
		json_key_scaled(w, "qty", part->quantity);
		if (part->days_late > 0)
			json_key_int(w, "days_late", part->days_late);
		write_term(w, "lateness", part->lateness);
		write_term(w, "goods", part->goods);
		if (d->substitutes[part->line].item != NULL)
			json_key_text(w, d->substitutes[part->line].ratio == 0 ? "component" : "substitute",
						  d->substitutes[part->line].item);
		write_term(w, "custom", part->custom - substitution_of(d, part));
		write_term(w, "substitution", substitution_of(d, part));
		write_term(w, "risk", part->risk);
		write_term(w, "balance", part->balance);
		json_end_object(w);
	}
	json_end_array(w);
}

static void
write_lines(JsonWriter *w, const DecisionRecord *d)
{
	json_key(w, "lines");
	json_begin_array(w);
	for (int i = 0; i < d->nlines; i++)
	{
		const RecordLine *line = &d->lines[i];

		json_begin_object(w);
		json_key_int(w, "line", line->line_no);
		json_key_text(w, "item", line->item);
		json_key_scaled(w, "qty", line->quantity);
		json_key_text(w, "uom", line->uom);
		if (line->has_wanted)
			json_key_date(w, "wanted", line->wanted);
		if (line->unserved > 0)
			json_key_scaled(w, "unserved", line->unserved);
		json_key_text(w, "status", line->status);
		json_key_text(w, "reason", line->reason);
		json_end_object(w);
	}
	json_end_array(w);
}

static void
write_parts(JsonWriter *w, const DecisionRecord *d)
{
	json_key(w, "parts");
	json_begin_array(w);
	for (int j = 0; j < d->nparts; j++)
	{
		const RecordPart *part = &d->parts[j];

		json_begin_object(w);
		json_key_int(w, "line", part->line_no);
		json_key_text(w, "node", part->node);
		json_key_text(w, "service", part->service);
		json_key_scaled(w, "qty", part->quantity);
		if (part->item != NULL)
		{
			json_key_text(w, part->component ? "component" : "substitute", part->item);
			json_key_scaled(w, "ratio", part->per);
		}
		json_key_date(w, "ship_on", part->ship_on);
		json_key_date(w, "deliver_on", part->deliver_on);
		json_key_text(w, "basis", part->on_hand ? "on_hand" : "inbound");
		if (part->kept)
			json_key_bool(w, "kept", true);
		else
			json_key_scaled(w, "atp", part->atp);
		json_end_object(w);
	}
	json_end_array(w);
}

/* A plan of the second pass with the first one's. */
static SrcPlan
joined(const DecisionRecord *d, const SrcPlan *first, const SrcPlan *more)
{
	const DecisionRecord *second = d->second;
	SrcPlan		plan = *first;

	plan.unserved = palloc(sizeof(int64_t) * Max(d->search->problem.nlines, 1));
	memcpy(plan.unserved, first->unserved, sizeof(int64_t) * d->search->problem.nlines);
	plans_join(&plan, more, second->line_map, second->node_map, second->lane_map, d->search->problem.split_penalty);
	return plan;
}

/*
 * The nodes that a pass read, in the order of reading: total, or what was short.
 * Of the second one only those that the first did not read, and what all would
 * cost with the first plan as it stands.
 */
static void
write_candidates(JsonWriter *w, const DecisionRecord *whole, const DecisionRecord *d, const SrcResult *r,
				 const SrcPlan *first)
{
	for (int32_t c = 0; c < d->search->problem.nread; c++)
	{
		const SrcNodeResult *n = &r->nodes[c];

		if (d != whole && d->node_map[c] < whole->search->problem.nread)
			continue;
		json_begin_object(w);
		json_key_text(w, "node", d->nodes[c]);
		json_key_scaled(w, "bound", n->bound);
		if (d != whole)
			json_key_bool(w, "relaxed", true);
		if (n->feasible)
		{
			SrcProblem	alone = d->search->problem;
			SrcResult	result;

			alone.read_order = &c;
			alone.nread = 1;
			alone.max_shipments = 1;
			plan_search(&alone, &result);
			if (d != whole)
				result.best = joined(whole, first, &result.best);
			json_key_scaled(w, "total", result.best.total);
			json_key_date(w, "deliver_on", n->arrival);
			write_terms(w, whole, &result.best);
		}
		else if (n->short_line >= 0)
		{
			const RecordLine *line = &whole->lines[d->problem_lines[n->short_line]];

			json_key_int(w, "short_line", line->line_no);
			json_key_text(w, "item", d->substitutes[n->short_line].item != NULL ?
						  d->substitutes[n->short_line].item : line->item);
			json_key_scaled(w, "atp", n->short_available);
			json_key_scaled(w, "needed", d->search->problem.lines[n->short_line].quantity);
			json_key_date(w, "on", n->short_day);
			if (n->complete_day != PG_INT32_MAX)
				json_key_date(w, "complete_on", n->complete_day);
		}
		json_end_object(w);
	}
}

/*
 * No plan costs less whose second pass uses a node that it did not read.  What
 * it shares with shipments of the first plan costs nothing, so these count for
 * their weight only.
 */
static int64
second_unread_bound(const DecisionRecord *d, const SrcPlan *first)
{
	int64		bound = d->second->search->unread_bound;

	if (bound == PG_INT64_MAX)
		return bound;
	for (int i = 0; i < first->nshipments; i++)
	{
		const SrcShipment *s = &first->shipments[i];

		bound = scaled_add(bound, -(s->handling + s->preference + s->distance + s->capacity + s->base));
	}
	return Max(scaled_add(bound, first->total - first->backorder), 0);
}

/* What the search found: plan, runner-up, nodes, and whether that is proved. */
static void
write_search(JsonWriter *w, const DecisionRecord *d)
{
	const SrcUnpacked *search = d->search;
	const DecisionRecord *second = d->second;
	SrcResult	r;
	SrcResult	more;
	SrcPlan		first;
	int			unread = d->unread;
	int64		unread_bound = search->unread_bound;
	int64		gap;

	plan_search(&search->problem, &r);
	first = r.best;
	if (second != NULL)
	{
		/* the first plan stands, so that what could have been instead is of the second */
		plan_search(&second->search->problem, &more);
		r.best = joined(d, &first, &more.best);
		r.has_next = more.has_next;
		if (more.has_next)
			r.next = joined(d, &first, &more.next);
		for (int c = 0; c < second->search->problem.nread; c++)
			unread -= second->node_map[c] >= search->problem.nread;
		unread_bound = Min(unread_bound, second_unread_bound(d, &first));
	}
	json_key(w, "plan");
	json_begin_object(w);
	record_write_plan(w, d, &r.best);
	json_end_object(w);
	if (r.has_next)
	{
		json_key(w, "next");
		json_begin_object(w);
		record_write_plan(w, d, &r.next);
		json_end_object(w);
	}
	json_key(w, "candidates");
	json_begin_array(w);
	write_candidates(w, d, d, &r, &first);
	if (second != NULL)
		write_candidates(w, d, second, &more, &first);
	json_end_array(w);
	if (unread > 0)
	{
		json_key_int(w, "unread", unread);
		json_key_scaled(w, "unread_bound", unread_bound);
	}
	if (d->unstocked > 0)
		json_key_int(w, "unstocked", d->unstocked);
	if (!record_is_exact(d, &gap))
		json_key_scaled(w, "gap", gap);
	if (second == NULL)
		record_write_rules(w, d, &r.best);
}

static void
write_skips(JsonWriter *w, const DecisionRecord *d)
{
	if (d->nskips == 0)
		return;
	json_key(w, "skipped");
	json_begin_array(w);
	for (int i = 0; i < d->nskips; i++)
	{
		json_begin_object(w);
		json_key_text(w, "node", d->skips[i].node);
		json_key_text(w, "service", d->skips[i].service);
		json_key_text(w, "reason", d->skips[i].reason);
		json_end_object(w);
	}
	json_end_array(w);
}

/* What of the policy did not hold: soft constraints, and terms that could not be computed. */
static void
write_exceptions(JsonWriter *w, const DecisionRecord *d)
{
	if (d->relaxed != 0)
	{
		json_key(w, "relaxed");
		json_begin_array(w);
		for (int i = 0; policy_soft_names[i] != NULL; i++)
		{
			if (d->relaxed & (1 << i))
				json_text(w, policy_soft_names[i]);
		}
		json_end_array(w);
	}
	if (d->ndropped == 0)
		return;
	json_key(w, "dropped");
	json_begin_array(w);
	for (int i = 0; i < d->ndropped; i++)
		json_text(w, d->dropped[i]);
	json_end_array(w);
}

/* The time of day at the node of the last booking, or in UTC. */
static char *
decided_text(int32 tenant_id, const DecisionRecord *d, TimestampTz at)
{
	const Network *net = network_get(tenant_id);
	const NetNode *node = d->nparts > 0 ? network_node(net, d->parts[d->nparts - 1].node) : NULL;

	return node != NULL ? node_local_time(node, at) : NULL;
}

/* SQL: the record of a decision of a tenant, made at an instant, as a document. */
Datum
routing_record_detail(PG_FUNCTION_ARGS)
{
	int32		tenant_id = PG_GETARG_INT32(0);
	DecisionRecord *d = record_read(PG_GETARG_BYTEA_PP(1));
	JsonWriter	w = {0};

	json_begin_object(&w);
	json_key_text(&w, "zone", d->zone);
	json_key_text(&w, "currency", d->currency);
	json_key_text(&w, "local", decided_text(tenant_id, d, PG_GETARG_TIMESTAMPTZ(2)));
	write_lines(&w, d);
	write_parts(&w, d);
	write_skips(&w, d);
	write_exceptions(&w, d);
	if (d->search != NULL)
		write_search(&w, d);
	if (d->contended)
		json_key_bool(&w, "contended", true);
	json_end_object(&w);
	PG_RETURN_JSONB_P(json_result(&w));
}
