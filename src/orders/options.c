/*
 * options.c
 *		What could be done with an order that is only asked about: every node
 *		scored, and the alternatives worth offering.
 *
 * Reads under the caller's snapshot, books and writes nothing, works on a
 * standby.  Each answer is the same search with other terms: a node is scored
 * by the cheapest plan of one shipment from it.  Substitutes are tried as for
 * an order that is routed, within the terms of the question.
 */
#include "orders/document.h"
#include "orders/parts.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"

#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(routing_score_nodes);
PG_FUNCTION_INFO_V1(routing_promise_options);

/* an amount that outweighs every other, and still adds up */
#define OUTWEIGHS	(1000000 * (int64) SCALE)

/* An order document, checked, with its problem set. */
static SalesOrder *
open_document(FunctionCallInfo fcinfo, Ledger **ledger)
{
	SalesOrder *order;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(RT_BAD_DOCUMENT),
				 errmsg("order document must not be null"),
				 errhint("The fields of an order document are described in doc/reference.md.")));
	order = order_from_document(tenant_current(), PG_GETARG_JSONB_P(0));
	order->clock = clock_now();
	order_check(order);
	if (order->fault.sqlerrcode)
		fault_raise(&order->fault);
	*ledger = ledger_open(false);
	order_keep_bookings(order);
	return order;
}

static void
set_money(Datum *values, bool *nulls, int i, int64 amount)
{
	values[i] = NumericGetDatum(scaled_to_numeric(amount));
	nulls[i] = false;
}

static void
set_text(Datum *values, bool *nulls, int i, const char *text)
{
	nulls[i] = text == NULL;
	if (text != NULL)
		values[i] = CStringGetTextDatum(text);
}

/* why a node does not serve the whole order by one shipment */
static char *
shortage_text(const Attempt *a, const SalesOrder *order, const SrcNodeResult *n)
{
	const OrderLine *line;
	const Substitute *s;

	if (n->short_line < 0)
		return pstrdup("no shipment of it can carry all lines");
	line = &order->lines[a->problem_lines[n->short_line]];
	s = a->problem_items[a->problem.lines[n->short_line].item]->substitute;
	return psprintf("line %d %s short: ATP %s of %s on %s%s", line->line_no,
					s != NULL ? psprintf("%s instead of %s", s->item, line->item) : line->item,
					scaled_to_text(n->short_available), scaled_to_text(a->problem.lines[n->short_line].quantity),
					date_text(n->short_day),
					n->complete_day == PG_INT32_MAX ? "" :
					psprintf(", enough from %s", date_text(n->complete_day)));
}

/*
 * What a plan serves by substitutes, as "line 1: 4 B for 2 A", or NULL; and the
 * penalties for it, which are within its "custom".
 */
static char *
substitutes_text(const Attempt *a, const SalesOrder *order, int64 *penalty)
{
	const SrcPlan *plan = &a->result.best;
	StringInfoData text;

	initStringInfo(&text);
	*penalty = 0;
	for (int i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];
		const OrderLine *line = &order->lines[a->problem_lines[part->line]];
		const Substitute *s = a->problem_items[a->problem.lines[part->line].item]->substitute;

		if (s == NULL)
			continue;
		*penalty += Min(substitution_cost(s->penalty, part->quantity), part->custom);
		appendStringInfo(&text, "%sline %d: %s %s for %s %s", text.len > 0 ? ", " : "", line->line_no,
						 scaled_to_text((int64) ((int128) part->quantity * s->ratio / SCALE)), s->item,
						 scaled_to_text(part->quantity), line->item);
	}
	return text.len > 0 ? text.data : NULL;
}

/* The plan of a problem of the order, which "base" has as the order asks, when it is altered. */
static void
search_altered(SalesOrder *order, Ledger *ledger, const Attempt *base, Attempt *found)
{
	PlanContext *ctx = base->problem.arg;

	attempt_restore(order, base);
	memset(&ctx->asked, 0, sizeof(ctx->asked));
	order->alter_problem(order);
	parts_search(order, &order->result);
	substitutes_plan(order, ledger, false);
	attempt_keep(order, found);
}

typedef struct Score
{
	int32_t		node;
	Attempt		found;
} Score;

/* cheapest first, whole ones before others */
static int
compare_scores(const void *a, const void *b)
{
	const Score *x = a;
	const Score *y = b;
	bool		whole_x = x->found.result.nodes[x->node].feasible;
	bool		whole_y = y->found.result.nodes[y->node].feasible;

	if (whole_x != whole_y)
		return whole_x ? -1 : 1;
	if (x->found.result.best.total != y->found.result.best.total)
		return x->found.result.best.total < y->found.result.best.total ? -1 : 1;
	return x->node - y->node;
}

/* One shipment from the node that is asked about. */
static void
alter_to_node(SalesOrder *order)
{
	order->problem.stocked = NULL;	/* whatever it has */
	order->problem.max_shipments = 1;
	order->problem.nread = 1;
	order->problem.read_order = order->alter_arg;
}

/*
 * SQL: every candidate node of an order document: whether one shipment from it
 * serves the whole, what that costs by term, and when it arrives.
 */
Datum
routing_score_nodes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo;
	SalesOrder *order;
	Ledger	   *ledger;
	Score	   *scores;
	Attempt		base;
	int32_t		nnodes;

	InitMaterializedSRF(fcinfo, 0);
	rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SPI_connect();
	order = open_document(fcinfo, &ledger);
	if (!order_set_problem(order, ledger, false))
	{
		ledger_close(ledger);
		SPI_finish();
		return (Datum) 0;
	}
	attempt_keep(order, &base);
	nnodes = order->problem.nnodes;
	scores = palloc0(sizeof(Score) * nnodes);
	order->alter_problem = alter_to_node;
	for (int32_t c = 0; c < nnodes; c++)
	{
		scores[c].node = c;
		order->alter_arg = &scores[c].node;
		search_altered(order, ledger, &base, &scores[c].found);
	}
	qsort(scores, nnodes, sizeof(Score), compare_scores);
	for (int32_t i = 0; i < nnodes; i++)
	{
		const Attempt *a = &scores[i].found;
		const SrcNodeResult *n = &a->result.nodes[scores[i].node];
		const SrcPlan *best = &a->result.best;
		const SrcShipment *s = best->nshipments > 0 ? &best->shipments[0] : NULL;
		Datum		values[22];
		bool		nulls[22] = {false};
		int64		served = 0;
		int64		penalty;

		for (int j = 0; j < best->nparts; j++)
			served += best->parts[j].quantity;
		set_text(values, nulls, 0, order_candidate(order, scores[i].node)->node);
		values[1] = Int32GetDatum(i + 1);
		values[2] = BoolGetDatum(n->feasible);
		set_text(values, nulls, 3, n->feasible ? NULL : shortage_text(a, order, n));
		set_text(values, nulls, 4, s ? order->problem_lanes[s->lane]->service : NULL);
		set_money(values, nulls, 5, served);
		set_money(values, nulls, 6, best->handling);
		set_money(values, nulls, 7, best->preference);
		set_money(values, nulls, 8, best->distance);
		set_money(values, nulls, 9, best->capacity);
		set_money(values, nulls, 10, best->freight);
		set_money(values, nulls, 11, best->lateness);
		set_money(values, nulls, 12, best->goods);
		set_text(values, nulls, 21, substitutes_text(a, order, &penalty));
		set_money(values, nulls, 20, penalty);
		set_money(values, nulls, 13, best->custom - penalty);
		set_money(values, nulls, 14, best->risk);
		set_money(values, nulls, 15, best->balance);
		set_money(values, nulls, 16, best->backorder);
		set_money(values, nulls, 17, best->total);
		nulls[18] = nulls[19] = s == NULL;
		if (s != NULL)
		{
			values[18] = DateADTGetDatum(s->ship);
			values[19] = DateADTGetDatum(s->arrival);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	ledger_close(ledger);
	SPI_finish();
	return (Datum) 0;
}

/* one alternative: its name and what differs from the order as it stands */
typedef enum Option
{
	OPTION_AS_ORDERED,
	OPTION_COMPLETE,			/* everything, on one day */
	OPTION_PARTIAL_NOW,			/* what can leave today, the rest waits */
	OPTION_CHEAPEST,			/* lateness costs nothing */
	OPTION_FEWEST_SHIPMENTS,
	OPTION_EARLIEST,			/* lateness costs more than anything */
	NUM_OPTIONS
} Option;

static const char *const option_names[NUM_OPTIONS] = {
	"as ordered", "complete", "partial now", "cheapest", "fewest shipments", "earliest"
};

/* the problem's lines, to be changed */
static SrcLine *
own_lines(SrcProblem *p)
{
	SrcLine    *lines = palloc(sizeof(SrcLine) * p->nlines);

	memcpy(lines, p->lines, sizeof(SrcLine) * p->nlines);
	p->lines = lines;
	return lines;
}

/* what is asked instead of the order as it stands */
typedef struct Question
{
	Option		option;
	int			max_shipments;	/* or 0: as the order has it */
} Question;

static void
alter_to_option(SalesOrder *order)
{
	const Question *question = order->alter_arg;
	Option		option = question->option;
	SrcProblem *p = &order->problem;
	SrcLine    *lines;

	if (question->max_shipments > 0)
		p->max_shipments = question->max_shipments;
	if (option == OPTION_AS_ORDERED)
		return;
	lines = own_lines(p);

	switch (option)
	{
		case OPTION_COMPLETE:
			p->one_date = true;
			break;
		default:
			break;
	}
	for (int i = 0; i < p->nlines; i++)
	{
		SrcLine    *line = &lines[i];

		switch (option)
		{
			case OPTION_PARTIAL_NOW:
				/* whatever the order asks for: what can be had today */
				line->requested = order->todays[0];
				for (int c = 1; c < order->ncandidates; c++)
					line->requested = Max(line->requested, order->todays[c]);
				line->by_ship_day = true;
				line->latest = line->requested;
				line->not_before = PG_INT32_MIN;
				line->early_ok = true;
				break;
			case OPTION_CHEAPEST:
				line->lateness_per_day = 0;
				break;
			case OPTION_EARLIEST:
				line->requested = order->todays[0];
				line->lateness_per_day = OUTWEIGHS;
				line->backorder_penalty = Min(line->backorder_penalty, PG_INT64_MAX / 4096) * 1024;
				break;
			default:
				break;
		}
	}
}

/* round(a * b / divisor) to the nearest, halves up, as the search rounds */
static int64
share_of(int64 whole, int64 part, int64 divisor)
{
	int128		share = ((int128) whole * part + divisor / 2) / divisor;

	return share > PG_INT64_MAX ? PG_INT64_MAX : (int64) share;
}

/*
 * What a plan costs by the terms of another problem of the same order, which
 * differs in dates, lateness and penalties only.
 */
static int64
cost_as(const SrcProblem *p, const SrcPlan *plan)
{
	int64		cost = scaled_add(plan->handling, plan->freight);

	cost = scaled_add(cost, scaled_add(plan->preference, plan->distance));
	cost = scaled_add(cost, scaled_add(plan->capacity, plan->goods));
	cost = scaled_add(cost, scaled_add(plan->custom, scaled_add(plan->risk, plan->balance)));
	for (int i = 1; i < plan->nshipments; i++)
		cost = scaled_add(cost, p->split_penalty);
	for (int i = 0; i < plan->nparts; i++)
	{
		const SrcPart *part = &plan->parts[i];
		const SrcLine *line = &p->lines[part->line];
		const SrcShipment *s = &plan->shipments[part->shipment];
		int64		late = (int64) (line->by_ship_day ? s->ship : s->arrival) - line->requested;

		if (late > 0)
			cost = scaled_add(cost, share_of(late * line->lateness_per_day, part->quantity, line->quantity));
	}
	for (int i = 0; i < p->nlines; i++)
		cost = scaled_add(cost, share_of(p->lines[i].backorder_penalty, plan->unserved[i], p->lines[i].quantity));
	return cost;
}

/* two parts are of the same line of the order, and by the same item */
static bool
same_line(const Attempt *a, const SrcPart *x, const Attempt *b, const SrcPart *y)
{
	return a->problem_lines[x->line] == b->problem_lines[y->line] &&
		a->problem_items[a->problem.lines[x->line].item]->substitute ==
		b->problem_items[b->problem.lines[y->line].item]->substitute;
}

/* the two plans ship the same from the same places on the same days */
static bool
same_plan(const Attempt *x, const Attempt *y)
{
	const SrcPlan *a = &x->result.best;
	const SrcPlan *b = &y->result.best;

	if (a->nshipments != b->nshipments || a->nparts != b->nparts)
		return false;
	for (int i = 0; i < a->nshipments; i++)
	{
		if (a->shipments[i].lane != b->shipments[i].lane || a->shipments[i].ship != b->shipments[i].ship)
			return false;
	}
	for (int i = 0; i < a->nparts; i++)
	{
		if (!same_line(x, &a->parts[i], y, &b->parts[i]) || a->parts[i].shipment != b->parts[i].shipment ||
			a->parts[i].quantity != b->parts[i].quantity)
			return false;
	}
	return true;
}

/* the shipments in one line: "CHI-1 ground 2026-11-24 + DAL-1 ground 2026-11-25" */
static char *
plan_text(const SalesOrder *order, const SrcPlan *plan)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *s = &plan->shipments[i];

		appendStringInfo(&text, "%s%s %s %s", i > 0 ? " + " : "", order_candidate(order, s->node)->node,
						 order->problem_lanes[s->lane]->service, date_text(s->arrival));
	}
	return text.data;
}

static int64
unserved_quantity(const Attempt *a)
{
	int64		sum = 0;

	for (int i = 0; i < a->problem.nlines; i++)
		sum += a->result.best.unserved[i];
	return sum;
}

/* The plan of an option; the fewest shipments are those that serve as much as "usual" does. */
static void
search_option(SalesOrder *order, Ledger *ledger, const Attempt *base, Option option, const Attempt *usual,
			  Attempt *found)
{
	Question	question = {option, option == OPTION_FEWEST_SHIPMENTS ? 1 : 0};

	order->alter_problem = alter_to_option;
	order->alter_arg = &question;
	for (;; question.max_shipments++)
	{
		search_altered(order, ledger, base, found);
		if (option != OPTION_FEWEST_SHIPMENTS || question.max_shipments >= usual->result.best.nshipments ||
			unserved_quantity(found) <= unserved_quantity(usual))
			break;
	}
	order->alter_problem = NULL;
}

/* The order's own problem, with the substitutes of a plan. */
static SrcProblem
own_problem(SalesOrder *order, Ledger *ledger, const Attempt *base, const Attempt *found)
{
	attempt_restore(order, found);
	if (found->nswaps == 0)
		return base->problem;
	(void) order_set_problem(order, ledger, false);
	return order->problem;
}

/*
 * SQL: the alternatives worth offering for an order document.  One that is the
 * same plan as an earlier one is left out.  "spend" is the money that is paid,
 * "cost" counts lateness and the other penalties by the order's own terms, so
 * that the options compare.
 */
Datum
routing_promise_options(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo;
	SalesOrder *order;
	Ledger	   *ledger;
	Attempt		base;
	Attempt		found[NUM_OPTIONS];
	int			nshown = 0;
	const Attempt *shown[NUM_OPTIONS];

	InitMaterializedSRF(fcinfo, 0);
	rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SPI_connect();
	order = open_document(fcinfo, &ledger);
	if (!order_set_problem(order, ledger, false))
	{
		ledger_close(ledger);
		SPI_finish();
		return (Datum) 0;
	}
	attempt_keep(order, &base);
	for (int o = 0; o < NUM_OPTIONS; o++)
	{
		const SrcPlan *plan = &found[o].result.best;
		SrcProblem	own;
		Datum		values[11];
		bool		nulls[11] = {false};
		DateADT		first = PG_INT32_MAX;
		DateADT		last = PG_INT32_MIN;
		int64		served = 0;
		int64		unserved;
		int64		penalty;
		bool		repeated = false;

		search_option(order, ledger, &base, o, &found[OPTION_AS_ORDERED], &found[o]);
		for (int i = 0; i < nshown && !repeated; i++)
			repeated = same_plan(&found[o], shown[i]);
		if (repeated || (plan->nshipments == 0 && o != OPTION_AS_ORDERED))
			continue;
		shown[nshown++] = &found[o];
		for (int i = 0; i < plan->nshipments; i++)
		{
			first = Min(first, plan->shipments[i].arrival);
			last = Max(last, plan->shipments[i].arrival);
		}
		for (int i = 0; i < plan->nparts; i++)
			served += plan->parts[i].quantity;
		unserved = unserved_quantity(&found[o]);
		own = own_problem(order, ledger, &base, &found[o]);
		set_text(values, nulls, 0, option_names[o]);
		values[1] = Int32GetDatum(plan->nshipments);
		set_text(values, nulls, 2, plan->nshipments > 0 ? plan_text(order, plan) : NULL);
		nulls[3] = nulls[4] = plan->nshipments == 0;
		values[3] = DateADTGetDatum(first);
		values[4] = DateADTGetDatum(last);
		values[5] = BoolGetDatum(unserved == 0);
		set_money(values, nulls, 6, served);
		set_money(values, nulls, 7, unserved);
		set_money(values, nulls, 8, scaled_add(scaled_add(plan->handling, plan->freight),
											   scaled_add(plan->capacity, plan->goods)));
		set_money(values, nulls, 9, cost_as(&own, plan));
		set_text(values, nulls, 10, substitutes_text(&found[o], order, &penalty));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	ledger_close(ledger);
	SPI_finish();
	return (Datum) 0;
}
