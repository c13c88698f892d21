/*
 * why.c
 *		Why an order did not ship from a node, and what would have let it.
 *
 * The search is run again on what was known, with one thing changed at a time:
 * stock of a line, capacity, the cut-off, the weight limit, the date.  A change
 * lets the node win if the cheapest plan then ships from it.  A node that the
 * decision did not read is judged by what is known now; the rows say which.
 */
#include "orders/eligibility.h"
#include "orders/problem.h"
#include "orders/record.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/json.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "ledger/reference.h"
#include "sourcing/dates.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(routing_why_not);

#define DAYS_TRIED	60

/* a problem that can be asked with changes */
typedef struct Question
{
	SrcProblem	problem;		/* as it was */
	int32_t		node;			/* the node in question */
	const char *node_code;
	const char **nodes;			/* names of the problem's */
	const char **services;
	int		   *line_nos;
	const char **items;
	const SalesOrder *order;
	bool		now;			/* by what is known now */
	SrcResult	result;			/* as it was */
	/* what the node is asked for while a change is tried */
	int32_t		more_item;
	int64_t		more;
	bool		any_room;
	ReturnSetInfo *rsinfo;
} Question;

static void
why_profile(void *arg, int32_t node, int32_t item, SrcProfile *out)
{
	Question   *q = arg;
	SrcStep    *steps;

	q->problem.profile(q->problem.arg, node, item, out);
	if (node != q->node || item != q->more_item)
		return;
	steps = palloc(sizeof(SrcStep) * (out->nsteps + 1));
	/* from today on there is so much more */
	steps[0].day = q->problem.nodes[node].today;
	steps[0].available = q->more;
	for (int i = 0, n = 1;; i++)
	{
		if (i == out->nsteps)
		{
			out->nsteps = n;
			break;
		}
		if (out->steps[i].day <= steps[0].day)
			steps[0].available = out->steps[i].available + q->more;
		else
		{
			steps[n].day = out->steps[i].day;
			steps[n++].available = out->steps[i].available + q->more;
		}
	}
	out->steps = steps;
}

static void
why_room(void *arg, int32_t node, int32_t ship_day, SrcRoom *out)
{
	Question   *q = arg;

	q->problem.room(q->problem.arg, node, ship_day, out);
	if (node == q->node && q->any_room)
		out->shipments = out->lines = out->units = PG_INT64_MAX;
}

/* the problem to be changed, asked through us */
static SrcProblem
changed(Question *q)
{
	SrcProblem	p = q->problem;

	p.profile = why_profile;
	p.room = p.room ? why_room : NULL;
	p.alloc = problem_alloc;
	p.interrupt = problem_interrupt;
	p.arg = q;
	return p;
}

/* whether the cheapest plan ships from the node */
static bool
node_wins(const Question *q, const SrcProblem *p, SrcResult *result)
{
	plan_search(p, result);
	for (int i = 0; i < result->best.nshipments; i++)
	{
		if (result->best.shipments[i].node == q->node)
			return true;
	}
	return false;
}

static void
add_row(Question *q, const char *what, int line, const char *seen, const char *needed, const char *change, bool wins)
{
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = CStringGetTextDatum(what);
	nulls[1] = nulls[2] = line < 0;
	if (line >= 0)
	{
		values[1] = Int32GetDatum(q->line_nos[line]);
		values[2] = CStringGetTextDatum(q->items[line]);
	}
	nulls[3] = seen == NULL;
	if (seen != NULL)
		values[3] = CStringGetTextDatum(seen);
	nulls[4] = needed == NULL;
	if (needed != NULL)
		values[4] = CStringGetTextDatum(needed);
	values[5] = CStringGetTextDatum(change);
	values[6] = BoolGetDatum(wins);
	values[7] = CStringGetTextDatum(q->now ? "now" : "then");
	tuplestore_putvalues(q->rsinfo->setResult, q->rsinfo->setDesc, values, nulls);
}

/* the day on which a lane needs the stock of a line, to be in time or as early as it can */
static int32_t
stock_day(const SrcProblem *p, const SrcLine *line, const SrcLane *lane)
{
	int32_t		ship;

	if (line->by_ship_day)
	{
		ship = calendar_until(lane->pickup, line->requested);
		if (ship != CALENDAR_NEVER && ship < src_ship_day(p, lane, p->nodes[lane->node].today))
			ship = CALENDAR_NEVER;
	}
	else
		ship = src_latest_ship_day(p, lane, line->requested);
	if (ship == CALENDAR_NEVER)
		ship = src_ship_day(p, lane, p->nodes[lane->node].today);
	return ship == CALENDAR_NEVER ? CALENDAR_NEVER : src_stock_day(p, lane, ship);
}

/* what the node offers of the line's item on the last day that any lane needs it */
static int64
offered(const Question *q, int line)
{
	SrcProfile	profile;
	int64		most = 0;
	int32_t		day = PG_INT32_MIN;
	const SrcNode *node = &q->problem.nodes[q->node];

	q->problem.profile(q->problem.arg, q->node, q->problem.lines[line].item, &profile);
	for (int l = node->first_lane; l < node->first_lane + node->nlanes; l++)
	{
		int32_t		target = stock_day(&q->problem, &q->problem.lines[line], &q->problem.lanes[l]);

		if (target != CALENDAR_NEVER)
			day = Max(day, target);
	}
	for (int i = 0; i < profile.nsteps && profile.steps[i].day <= day; i++)
		most = profile.steps[i].available;
	return Max(most, 0);
}

/*
 * The least more stock of a line's item that lets the node win, in whole units
 * where the order is in whole units; 0 if none does.
 */
static int64
least_stock(Question *q, int line)
{
	const SrcLine *l = &q->problem.lines[line];
	int64		step = l->quantity % SCALE == 0 ? SCALE : 1;
	int64		high = 0;
	int64		low = 0;		/* does not win */
	SrcProblem	p = changed(q);
	SrcResult	result;

	for (int i = 0; i < q->problem.nlines; i++)
	{
		if (q->problem.lines[i].item == l->item)
			high = scaled_add(high, q->problem.lines[i].quantity);
	}
	high = (high + step - 1) / step * step;
	q->more_item = l->item;
	q->more = high;
	if (!node_wins(q, &p, &result))
		high = 0;
	while (high - low > step)
	{
		q->more = low + (high - low) / step / 2 * step;
		if (node_wins(q, &p, &result))
			high = q->more;
		else
			low = q->more;
	}
	q->more_item = -1;
	return high;
}

/* each item that is short, and what more of it would do */
static bool
try_stock(Question *q)
{
	bool		any = false;

	for (int i = 0; i < q->problem.nlines; i++)
	{
		const SrcLine *line = &q->problem.lines[i];
		bool		first = true;
		int64		wanted = 0;
		int64		seen;
		int64		more;

		for (int j = 0; j < q->problem.nlines; j++)
		{
			if (q->problem.lines[j].item != line->item)
				continue;
			first &= j >= i;
			wanted = scaled_add(wanted, q->problem.lines[j].quantity);
		}
		if (!first || (line->pinned_node >= 0 && line->pinned_node != q->node) ||
			(q->problem.line_nodes != NULL && q->problem.line_nodes[i * q->problem.nnodes + q->node].forbidden))
			continue;
		seen = offered(q, i);
		if (seen >= wanted)
			continue;
		more = least_stock(q, i);
		if (more > 0)
			add_row(q, "stock", i, scaled_to_text(seen), scaled_to_text(seen + more),
					psprintf("%s more %s at %s (%s -> %s)", scaled_to_text(more), q->items[i], q->node_code,
							 scaled_to_text(seen), scaled_to_text(seen + more)), true);
		else
			add_row(q, "stock", i, scaled_to_text(seen), scaled_to_text(wanted),
					psprintf("%s offers %s of %s %s; more alone would not be enough", q->node_code, scaled_to_text(seen),
							 scaled_to_text(wanted), q->items[i]), false);
		any |= more > 0;
	}
	return any;
}

/* the rule that keeps the node from a line, as rules are now */
static const char *
refusal_text(const Question *q, int line)
{
	const SalesOrder *order = q->order;
	int			node = network_find_node(order->net, q->node_code);

	for (int l = 0; l < order->nlines && order->eligibility != NULL && node >= 0; l++)
	{
		uint32		why;

		if (order->lines[l].line_no != q->line_nos[line])
			continue;
		why = order_refusal(order, l, node);
		if (why != 0)
			return eligibility_text(order, l, node, why);
	}
	return "the node was not allowed to serve the line";
}

/* lines that the node may not serve at all */
static void
tell_forbidden(Question *q)
{
	for (int i = 0; i < q->problem.nlines; i++)
	{
		if (q->problem.lines[i].pinned_node >= 0 && q->problem.lines[i].pinned_node != q->node)
			add_row(q, "pinned", i, q->nodes[q->problem.lines[i].pinned_node], q->node_code,
					"the line is pinned to another node", false);
		else if (q->problem.line_nodes != NULL && q->problem.line_nodes[i * q->problem.nnodes + q->node].forbidden)
			add_row(q, "not allowed", i, NULL, NULL, refusal_text(q, i), false);
	}
}

static bool
try_capacity(Question *q)
{
	SrcProblem	p = changed(q);
	SrcResult	result;
	bool		wins;

	if (p.room == NULL)
		return false;
	q->any_room = true;
	wins = node_wins(q, &p, &result);
	q->any_room = false;
	if (wins)
		add_row(q, "capacity", -1, NULL, NULL, psprintf("more capacity at %s", q->node_code), true);
	return wins;
}

/* lanes of the node, changed by a cut-off that has not passed, or without a limit of weight */
static bool
try_lanes(Question *q, bool cut_off)
{
	SrcProblem	p = changed(q);
	const SrcNode *node = &p.nodes[q->node];
	SrcLane    *lanes = palloc(sizeof(SrcLane) * p.nlanes);
	bool		differs = false;
	SrcResult	result;

	memcpy(lanes, p.lanes, sizeof(SrcLane) * p.nlanes);
	p.lanes = lanes;
	for (int l = node->first_lane; l < node->first_lane + node->nlanes; l++)
	{
		if (cut_off)
		{
			int32_t		first;

			lanes[l].first_ship = PG_INT32_MIN;
			first = src_ship_day(&p, &lanes[l], node->today);
			differs |= first < q->problem.lanes[l].first_ship;
		}
		else
		{
			differs |= lanes[l].max_weight > 0;
			lanes[l].max_weight = 0;
		}
	}
	if (!differs || !node_wins(q, &p, &result))
		return false;
	if (cut_off)
		add_row(q, "cut-off", -1, NULL, NULL, psprintf("an order before the cut-off at %s", q->node_code), true);
	else
		add_row(q, "weight", -1, NULL, NULL, psprintf("no weight limit of the services at %s", q->node_code), true);
	return true;
}

/* a later date, as few days as possible */
static bool
try_date(Question *q)
{
	SrcProblem	p = changed(q);
	SrcLine    *lines = palloc(sizeof(SrcLine) * p.nlines);
	SrcResult	result;

	p.lines = lines;
	for (int days = 1; days <= DAYS_TRIED; days++)
	{
		memcpy(lines, q->problem.lines, sizeof(SrcLine) * p.nlines);
		for (int i = 0; i < p.nlines; i++)
		{
			lines[i].requested += days;
			if (lines[i].latest != PG_INT32_MAX)
				lines[i].latest += days;
		}
		if (!node_wins(q, &p, &result))
			continue;
		add_row(q, "date", -1, date_text(q->problem.lines[0].requested), date_text(lines[0].requested),
				psprintf("%d %s later", days, days == 1 ? "day" : "days"), true);
		return true;
	}
	return false;
}

/* what the node's own plan costs, and what it would have to cost */
static bool
tell_cost(Question *q)
{
	SrcProblem	p = q->problem;
	SrcResult	alone;
	const SrcPlan *best = &q->result.best;
	const struct
	{
		const char *name;
		size_t		offset;
	}			terms[] = {
		{"handling", offsetof(SrcPlan, handling)}, {"preference", offsetof(SrcPlan, preference)},
		{"distance", offsetof(SrcPlan, distance)}, {"capacity", offsetof(SrcPlan, capacity)},
		{"freight", offsetof(SrcPlan, freight)}, {"lateness", offsetof(SrcPlan, lateness)},
		{"goods", offsetof(SrcPlan, goods)}, {"custom", offsetof(SrcPlan, custom)},
		{"risk", offsetof(SrcPlan, risk)}, {"balance", offsetof(SrcPlan, balance)},
	};
	int64		missing;
	bool		any = false;

	p.read_order = &q->node;
	p.nread = 1;
	p.max_shipments = 1;
	plan_search(&p, &alone);
	if (!alone.nodes[q->node].feasible)
		return false;
	missing = alone.best.total - best->total;
	add_row(q, "cost", -1, scaled_to_text(alone.best.total), scaled_to_text(best->total),
			psprintf("alone it costs %s, %s more than the plan chosen", scaled_to_text(alone.best.total),
					 scaled_to_text(missing)), false);
	for (size_t i = 0; i < lengthof(terms); i++)
	{
		int64		value = *(const int64_t *) ((const char *) &alone.best + terms[i].offset);

		if (value < missing || missing <= 0)
			continue;
		any = true;
		add_row(q, terms[i].name, -1, scaled_to_text(value), scaled_to_text(value - missing),
				psprintf("%s lower by %s would tie", terms[i].name, scaled_to_text(missing)), true);
	}
	return any;
}

static void
answer(Question *q)
{
	bool		any;

	q->more_item = -1;
	for (int i = 0; i < q->result.best.nshipments; i++)
	{
		if (q->result.best.shipments[i].node == q->node)
		{
			add_row(q, "chosen", -1, NULL, NULL, psprintf("the order ships from %s", q->node_code), true);
			return;
		}
	}
	tell_forbidden(q);
	any = try_stock(q);
	any |= try_capacity(q);
	any |= try_lanes(q, true);
	any |= try_lanes(q, false);
	any |= try_date(q);
	any |= tell_cost(q);
	if (!any)
		add_row(q, "none", -1, NULL, NULL, "no single change of stock, capacity, cut-off, weight, date or cost would let it win",
				false);
}

/* the number of a node that a pass of a decision looked at, or -1 */
static int32_t
node_of_record(const DecisionRecord *d, const char *node)
{
	for (int c = 0; c < d->search->problem.nread; c++)
	{
		if (strcmp(d->nodes[c], node) == 0)
			return c;
	}
	return -1;
}

/*
 * The pass of a decision that the question is about: the second one if only
 * that looked at the node, or shipped from it.
 */
static const DecisionRecord *
pass_of_record(const Question *q, const DecisionRecord *d)
{
	int32_t		node = d->second != NULL ? node_of_record(d->second, q->node_code) : -1;
	SrcResult	result;

	if (node < 0)
		return d;
	if (node_of_record(d, q->node_code) < 0)
		return d->second;
	plan_search(&d->second->search->problem, &result);
	for (int i = 0; i < result.best.nshipments; i++)
	{
		if (result.best.shipments[i].node == node)
			return d->second;
	}
	return d;
}

/* the question as the decision knew it; false if it did not look at the node */
static bool
question_of_record(Question *q, const DecisionRecord *whole)
{
	const DecisionRecord *d;

	if (whole->search == NULL)
		return false;
	d = pass_of_record(q, whole);
	q->node = node_of_record(d, q->node_code);
	if (q->node < 0)
		return false;
	q->problem = d->search->problem;
	q->nodes = d->nodes;
	q->services = d->services;
	q->line_nos = palloc(sizeof(int) * q->problem.nlines);
	q->items = palloc(sizeof(char *) * q->problem.nlines);
	for (int i = 0; i < q->problem.nlines; i++)
	{
		q->line_nos[i] = whole->lines[d->problem_lines[i]].line_no;
		/* a component that kits lack is counted in its own units */
		q->items[i] = d->substitutes[i].item != NULL && d->substitutes[i].ratio == 0 ? d->substitutes[i].item :
			whole->lines[d->problem_lines[i]].item;
	}
	return true;
}

/* the question as things are now; false if there is no lane from the node */
static bool
question_of_order(Question *q, SalesOrder *order, Ledger *ledger)
{
	SrcProblem *p = &order->problem;

	q->now = true;
	order_reopen(order, ledger);
	if (!order_set_problem(order, ledger, false))
		return false;
	q->node = -1;
	q->problem = *p;
	q->problem.stocked = NULL;	/* changes give the node what it has not */
	q->nodes = palloc(sizeof(char *) * p->nnodes);
	for (int c = 0; c < p->nnodes; c++)
	{
		q->nodes[c] = order_candidate(order, c)->node;
		if (strcmp(q->nodes[c], q->node_code) == 0)
			q->node = c;
	}
	if (q->node < 0)
		return false;
	q->services = palloc(sizeof(char *) * p->nlanes);
	for (int l = 0; l < p->nlanes; l++)
		q->services[l] = order->problem_lanes[l]->service;
	q->line_nos = palloc(sizeof(int) * p->nlines);
	q->items = palloc(sizeof(char *) * p->nlines);
	for (int i = 0; i < p->nlines; i++)
	{
		q->line_nos[i] = order->lines[order->problem_lines[i]].line_no;
		q->items[i] = order->lines[order->problem_lines[i]].item;
	}
	return true;
}

static EnginePlan plan_record = {
	"SELECT record FROM routing.decision WHERE tenant_id = $1 AND decision_id = $2",
	2, {INT4OID, INT8OID}, NULL
};

/* SQL: what kept a node out of an order's plan, and which single changes would have let it in. */
Datum
routing_why_not(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	Question	q = {0};
	SalesOrder *order;
	Ledger	   *ledger;
	Datum		args[2];
	Fault		fault = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(PG_ARGISNULL(0) ? RT_UNKNOWN_ORDER : RT_UNKNOWN_NODE),
				 errmsg("%s must not be null", PG_ARGISNULL(0) ? "order_id" : "node"),
				 errhint("Give the id of an order in routing.sales_order and a node in routing.node.")));
	InitMaterializedSRF(fcinfo, 0);
	q.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	q.node_code = text_to_cstring(PG_GETARG_TEXT_PP(1));
	SPI_connect();
	order = order_load(tenant_id, text_to_cstring(PG_GETARG_TEXT_PP(0)), ORDER_NO_LOCK);
	if (!order->exists)
		ereport(ERROR,
				(errcode(RT_UNKNOWN_ORDER),
				 errmsg("order \"%s\" is unknown", order->order_id),
				 errhint("Give the id of an order in routing.sales_order.")));
	order->clock = clock_now();
	q.order = order;
	if (network_find_node(network_get(tenant_id), q.node_code) < 0)
	{
		fault_unknown_node(&fault, "", q.node_code);
		fault_raise(&fault);
	}
	ledger = ledger_open(false);
	args[0] = Int32GetDatum(tenant_id);
	args[1] = Int64GetDatum(order->decision_id);
	if (order->decision_id == 0 || engine_exec(&plan_record, args, NULL, ENGINE_READ) == 0 ||
		!question_of_record(&q, record_read(DatumGetByteaPCopy(spi_datum(0, 1, &(bool) {false})))))
	{
		order_check(order);
		if (order->fault.sqlerrcode)
			fault_raise(&order->fault);
		if (!question_of_order(&q, order, ledger))
		{
			q.now = true;
			add_row(&q, "lane", -1, NULL, NULL,
					psprintf("no open lane of %s reaches the destination, or nothing of the order is open", q.node_code), false);
			ledger_close(ledger);
			SPI_finish();
			return (Datum) 0;
		}
	}
	if (!q.now && q.problem.line_nodes != NULL)
	{
		/* rules are not recorded: what refuses the node is looked up */
		order_check(order);
		if (order->fault.sqlerrcode == 0 && order->lanes != NULL)
		{
			order_reopen(order, ledger);
			(void) order_set_problem(order, ledger, false);
		}
	}
	plan_search(&q.problem, &q.result);
	answer(&q);
	ledger_close(ledger);
	SPI_finish();
	return (Datum) 0;
}
