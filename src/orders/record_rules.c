/*
 * record_rules.c
 *		Rules about what goes together that decided a recorded plan.
 *
 * A rule decided if the same search without it, on what was recorded, finds a
 * cheaper plan: what the record does not hold offers nothing, so that what is
 * said to be cheaper could have been had.
 */
#include "orders/record.h"

#include "base/quantity.h"

/* What goes together in a problem, by the name of sales_order.completeness; NULL: nothing need. */
static const char *
completeness_of(const SrcProblem *p)
{
	bool		any = false;
	bool		shared = false;
	bool		all = true;

	if (p->all_or_nothing)
		return "fill_or_kill";
	if (p->one_date)
		return "order_one_date";
	for (int i = 0; i < p->nlines; i++)
	{
		any |= p->lines[i].group >= 0;
		for (int k = 0; k < i; k++)
		{
			bool		same = p->lines[i].group >= 0 && p->lines[i].group == p->lines[k].group;

			shared |= same;
			all &= same;
		}
	}
	if (!any)
		return NULL;
	return !shared ? "line" : all ? "order_one_shipment" : "group";
}

/* Whether a problem has a cheaper plan than the one that was chosen. */
static bool
is_cheaper(const SrcProblem *p, const SrcPlan *plan, SrcResult *without)
{
	plan_search(p, without);
	return without->best.total < plan->total;
}

static void
write_without(JsonWriter *w, const DecisionRecord *d, const SrcPlan *plan)
{
	json_key(w, "without");
	json_begin_object(w);
	record_write_plan(w, d, plan);
	json_end_object(w);
}

static void
write_completeness(JsonWriter *w, const DecisionRecord *d, const SrcPlan *plan)
{
	SrcProblem	p = d->search->problem;
	SrcLine    *lines = palloc(sizeof(SrcLine) * Max(p.nlines, 1));
	const char *rule = completeness_of(&p);
	SrcResult	without;

	if (rule == NULL)
		return;
	for (int i = 0; i < p.nlines; i++)
	{
		lines[i] = p.lines[i];
		lines[i].group = -1;
	}
	p.lines = lines;
	p.one_date = p.all_or_nothing = false;
	if (!is_cheaper(&p, plan, &without))
		return;
	json_key(w, "completeness");
	json_begin_object(w);
	json_key_text(w, "rule", rule);
	write_without(w, d, &without.best);
	json_end_object(w);
}

/* What the goods of a shipment, or (-1) what is unserved, are worth. */
static int64
worth_of(const SrcProblem *p, const SrcPlan *plan, int shipment)
{
	int128		worth = 0;

	for (int i = 0; i < plan->nparts && shipment >= 0; i++)
	{
		if (plan->parts[i].shipment == shipment)
			worth += (int128) plan->parts[i].quantity * p->lines[plan->parts[i].line].unit_value;
	}
	for (int i = 0; i < p->nlines && shipment < 0; i++)
		worth += (int128) plan->unserved[i] * p->lines[i].unit_value;
	return (int64) Min(worth / SCALE, (int128) SCALED_MAX);
}

static void
write_split_rule(JsonWriter *w, const DecisionRecord *d, const SrcPlan *plan)
{
	SrcProblem	p = d->search->problem;
	SrcLine    *lines = palloc(sizeof(SrcLine) * Max(p.nlines, 1));
	int64		least = 0;
	int64		rest = worth_of(&p, plan, -1);
	bool		divided = plan->nshipments > 1 || (plan->nshipments > 0 && rest > 0);
	bool		parts = false;
	bool		decided;
	SrcResult	without;

	for (int i = 0; i < p.nlines; i++)
	{
		int			n = 0;

		lines[i] = p.lines[i];
		lines[i].split_min = 0;
		least = Max(least, p.lines[i].split_min);
		for (int k = 0; k < plan->nparts; k++)
			n += plan->parts[k].line == i;
		parts |= p.lines[i].split_min > 0 && n + (plan->unserved[i] > 0) > 1 && n > 0;
	}
	if (least == 0 && p.split_min_value == 0)
		return;
	p.lines = lines;
	p.split_min_value = 0;
	decided = is_cheaper(&p, plan, &without);
	if (!decided && !parts && !(divided && d->search->problem.split_min_value > 0))
		return;
	json_key(w, "split_rule");
	json_begin_object(w);
	if (least > 0)
		json_key_scaled(w, "quantity", least);
	if (d->search->problem.split_min_value > 0)
	{
		json_key_scaled(w, "value", d->search->problem.split_min_value);
		if (divided)
		{
			json_key(w, "worth");
			json_begin_array(w);
			for (int i = 0; i < plan->nshipments; i++)
				json_text(w, scaled_to_text(worth_of(&d->search->problem, plan, i)));
			if (rest > 0)
				json_text(w, scaled_to_text(rest));
			json_end_array(w);
		}
	}
	if (decided)
		write_without(w, d, &without.best);
	json_end_object(w);
}

/* "completeness" if it decided; "split_rule" if it did, or if the plan is divided and keeps it. */
void
record_write_rules(JsonWriter *w, const DecisionRecord *d, const SrcPlan *plan)
{
	write_completeness(w, d, plan);
	write_split_rule(w, d, plan);
}
