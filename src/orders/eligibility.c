/*
 * eligibility.c
 *		What may serve a line of an order, apart from stock, and what it costs
 *		that differs from node to node.
 *
 * Nothing is computed per line and node as long as no rule of the tenant, the
 * policy or the item asks for it: the search is then told that nothing
 * differs.  Reasons are kept as bits; eligibility_text() says them with the
 * values seen.
 */
#include "orders/eligibility.h"
#include "orders/problem.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

const char *const why_names[NUM_WHYS] = {
	"closed", "channel", "restriction", "hazmat", "hazmat_service", "distance", "margin", "pinned", "not_listed"
};

static EnginePlan plan_unit_costs = {
	"SELECT item, node, unit_cost FROM routing.item_node"
	" WHERE tenant_id = $1 AND item = ANY ($2) AND unit_cost IS NOT NULL",
	2, {INT4OID, TEXTARRAYOID}, NULL
};

/* A share of an amount, in ten-thousandths, to the nearest, halves up. */
static int64
share(int64 amount, int64 ratio)
{
	int128		product = (int128) amount * ratio;

	product = (product + SCALE / 2) / SCALE;
	return product > SCALED_MAX ? SCALED_MAX : (int64) product;
}

static bool
matches(const char *rule, const char *value)
{
	return rule == NULL || (value != NULL && strcmp(rule, value) == 0);
}

/* Whether a channel of a rule is that of the order, or a group of it. */
static bool
is_channel_of(const SalesOrder *order, const char *channel)
{
	if (order->channel != NULL && strcmp(order->channel, channel) == 0)
		return true;
	for (int i = 0; i < order->npath; i++)
	{
		if (strcmp(order->path[i], channel) == 0)
			return true;
	}
	return false;
}

static bool
restriction_concerns(const NetRestriction *r, const SalesOrder *order, const OrderLine *line)
{
	return matches(r->item, line->item) && matches(r->item_class, line->item_class) &&
		matches(r->country, order->country) && matches(r->zone, order->lanes->zone) &&
		matches(r->customer_group, order->customer_group) &&
		(r->channel == NULL || is_channel_of(order, r->channel));
}

/* The restrictions that concern a line, whatever the node and service; of a kit its components' too. */
static void
find_restrictions(const SalesOrder *order, Eligibility *e, int line)
{
	const NetRestriction **found = palloc(sizeof(NetRestriction *) * Max(e->rules->nrestrictions, 1));
	const OrderLine *l = &order->lines[line];
	int			n = 0;

	for (int i = 0; i < e->rules->nany; i++)
	{
		if (restriction_concerns(&e->rules->restrictions[i], order, l))
			found[n++] = &e->rules->restrictions[i];
	}
	for (int k = -1; k < l->nparts; k++)
	{
		const NetRestriction *own;
		OrderLine	part = *l;
		int			nown;

		if (k >= 0)
			part.item = unconstify(char *, l->parts[k].item);
		nown = rules_of_item(e->rules, part.item, &own);
		for (int i = 0; i < nown; i++)
		{
			if (restriction_concerns(&own[i], order, &part))
				found[n++] = &own[i];
		}
	}
	e->restrictions[line] = found;
	e->nrestrictions[line] = n;
}

/* Cost of goods of each line at each node of the network. */
static void
load_unit_costs(const SalesOrder *order, Eligibility *e)
{
	const NetNode *nodes;
	int			nnodes = network_nodes(order->net, &nodes);
	char	  **items = palloc(sizeof(char *) * Max(order->nlines, 1));
	Datum		args[2];
	int			n;

	e->unit_costs = palloc(sizeof(int64 *) * Max(order->nlines, 1));
	for (int l = 0; l < order->nlines; l++)
	{
		items[l] = order->lines[l].item;
		e->unit_costs[l] = palloc(sizeof(int64) * Max(nnodes, 1));
		for (int i = 0; i < nnodes; i++)
			e->unit_costs[l][i] = order->lines[l].unit_cost;
	}
	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = text_array(items, order->nlines);
	n = (int) engine_exec(&plan_unit_costs, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		char	   *item = spi_text(i, 1);
		int			node = network_find_node(order->net, spi_text(i, 2));

		for (int l = 0; l < order->nlines && node >= 0; l++)
		{
			if (strcmp(items[l], item) == 0)
				e->unit_costs[l][node] = scaled_from_datum(spi_datum(i, 3, &isnull));
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Whether anything differs between the nodes for the open lines. */
static bool
anything_differs(const SalesOrder *order, const NetRules *rules, bool *costs)
{
	bool		any = rules->nrestrictions > 0 || rules->any_channels || order->terms.ncustom > 0;

	*costs = false;
	for (int l = 0; l < order->nlines; l++)
	{
		const OrderLine *line = &order->lines[l];
		const PolicyTerms *terms = line->terms;

		if (terms->goods_weight > 0 || terms->margin_floor != POLICY_NONE)
			*costs = true;
		any |= *costs || line->hazmat_class != NULL || terms->list.only ||
			(terms->max_distance >= 0 && order->has_place);
	}
	return any;
}

static Eligibility *
make_eligibility(SalesOrder *order, const NetRules *rules, bool costs)
{
	Eligibility *e = palloc0(sizeof(Eligibility));

	e->rules = rules;
	e->nlines = order->nlines;
	e->nrestrictions = palloc0(sizeof(int) * Max(order->nlines, 1));
	e->restrictions = palloc0(sizeof(NetRestriction **) * Max(order->nlines, 1));
	for (int l = 0; l < order->nlines && rules->nrestrictions > 0; l++)
		find_restrictions(order, e, l);
	if (costs)
		load_unit_costs(order, e);
	return e;
}

/* Find out what may serve the lines; false: nothing of it differs from node to node but whether it is open. */
bool
eligibility_prepare(SalesOrder *order)
{
	const NetRules *rules = network_rules(order->net);
	bool		costs;

	if (order->eligibility == NULL && anything_differs(order, rules, &costs))
		order->eligibility = make_eligibility(order, rules, costs);
	return order->eligibility != NULL;
}

/* Kilometers from a node of the network to the destination, or KM_UNKNOWN. */
static int
order_distance(const SalesOrder *order, int node)
{
	if (!order->has_place)
		return KM_UNKNOWN;
	return node_distance(&network_rules(order->net)->nodes[node], order->latitude, order->longitude);
}

static int
list_place(const PolicyNodes *list, const char *node)
{
	for (int i = 0; i < list->n; i++)
	{
		if (strcmp(list->nodes[i], node) == 0)
			return i;
	}
	return -1;
}

static const NetRestriction *
restriction_at(const Eligibility *e, int line, const char *node, const char *service)
{
	for (int i = 0; i < e->nrestrictions[line]; i++)
	{
		const NetRestriction *r = e->restrictions[line][i];

		if (matches(r->node, node) && (service == NULL ? r->service == NULL :
									   r->service != NULL && strcmp(r->service, service) == 0))
			return r;
	}
	return NULL;
}

/* Why a node of the network may not serve a line, by whatever service. */
uint32
eligibility_of_node(const SalesOrder *order, int l, int node, uint32 relaxed)
{
	const Eligibility *e = order->eligibility;
	const OrderLine *line = &order->lines[l];
	const PolicyTerms *terms = line->terms;
	const NodeRules *rules = &e->rules->nodes[node];
	const NetNode *nodes;
	uint32		why = 0;

	(void) network_nodes(order->net, &nodes);
	if (!nodes[node].open)
		why |= WHY_CLOSED;
	if (rules->nchannels >= 0)
	{
		bool		serves = false;

		for (int i = 0; i < rules->nchannels && !serves; i++)
			serves = is_channel_of(order, rules->channels[i]);
		if (!serves)
			why |= WHY_CHANNEL;
	}
	if (line->hazmat_class != NULL && !rules_list_has(rules->hazmat, rules->nhazmat, line->hazmat_class))
		why |= WHY_HAZMAT_NODE;
	if (restriction_at(e, l, nodes[node].node, NULL) != NULL)
		why |= WHY_RESTRICTION;
	/* where it is not known, nothing speaks against it */
	if (terms->max_distance >= 0 && !(relaxed & SOFT_MAX_DISTANCE) &&
		order_distance(order, node) > terms->max_distance)
		why |= WHY_DISTANCE;
	if (terms->list.only && !(relaxed & SOFT_NODES) && list_place(&terms->list, nodes[node].node) < 0)
		why |= WHY_NOT_LISTED;
	if (line->pinned != NULL && strcmp(line->pinned, nodes[node].node) != 0)
		why |= WHY_PINNED;
	return why;
}

/* What is left of a line's price per unit after goods and freight by weight. */
static int64
margin(const SalesOrder *order, int l, const Lane *lane)
{
	const OrderLine *line = &order->lines[l];
	bool		ours = strcmp(order->freight_terms, "prepaid") == 0;

	return line->price - order->eligibility->unit_costs[l][lane->node] -
		(ours ? share(lane->per_kg, line->unit_weight) : 0);
}

/* Why a lane may not serve a line that its node may. */
uint32
eligibility_of_lane(const SalesOrder *order, int l, const Lane *lane, uint32 relaxed)
{
	const Eligibility *e = order->eligibility;
	const OrderLine *line = &order->lines[l];
	const PolicyTerms *terms = line->terms;
	const NetNode *nodes;
	uint32		why = 0;

	(void) network_nodes(order->net, &nodes);
	if (restriction_at(e, l, nodes[lane->node].node, lane->service) != NULL)
		why |= WHY_RESTRICTION;
	if (line->hazmat_class != NULL &&
		!rules_list_has(e->rules->hazmat_services, e->rules->nhazmat_services, lane->service))
		why |= WHY_HAZMAT_SERVICE;
	if (terms->margin_floor != POLICY_NONE && line->has_price && !(relaxed & SOFT_MARGIN_FLOOR) &&
		margin(order, l, lane) < share(line->price, terms->margin_floor))
		why |= WHY_MARGIN;
	return why;
}

/* Whatever of nodes and lanes depends on the order and not on its lines. */
void
eligibility_set_nodes(SalesOrder *order)
{
	SrcProblem *p = &order->problem;
	const PolicyTerms *terms = &order->terms;
	bool		distance = terms->distance_price > 0 && order->has_place;

	if (strcmp(order->freight_terms, "prepaid") != 0 && p->nlanes > 0)
	{
		SrcLane    *lanes = palloc(sizeof(SrcLane) * p->nlanes);

		memcpy(lanes, p->lanes, sizeof(SrcLane) * p->nlanes);
		for (int i = 0; i < p->nlanes; i++)
			lanes[i].base = lanes[i].per_kg = 0;
		p->lanes = lanes;
	}
	if ((terms->list.n > 0 || distance) && p->nnodes > 0)
	{
		SrcNode    *nodes = palloc(sizeof(SrcNode) * p->nnodes);

		memcpy(nodes, p->nodes, sizeof(SrcNode) * p->nnodes);
		for (int c = 0; c < p->nnodes; c++)
		{
			if (terms->list.n > 0)
			{
				int			place = list_place(&terms->list, order_candidate(order, c)->node);

				nodes[c].preference = terms->list.step * (place < 0 ? terms->list.n : place);
			}
			if (distance)
			{
				int			km = order_distance(order, order->candidates[c]);

				nodes[c].distance = km == KM_UNKNOWN ? 0 : share(terms->distance_price, km * SCALE / 100);
			}
		}
		p->nodes = nodes;
	}
}

/* The goods of a line cost more at some nodes than at the cheapest that may serve it. */
static void
set_goods(const SalesOrder *order, int l, SrcLineNode *line_nodes)
{
	const int64 *costs = order->eligibility->unit_costs[l];
	int64		cheapest = PG_INT64_MAX;

	for (int c = 0; c < order->ncandidates; c++)
	{
		if (!line_nodes[c].forbidden)
			cheapest = Min(cheapest, costs[order->candidates[c]]);
	}
	for (int c = 0; c < order->ncandidates; c++)
	{
		if (!line_nodes[c].forbidden)
			line_nodes[c].goods = share(share(costs[order->candidates[c]] - cheapest, order->lines[l].open),
										order->lines[l].terms->goods_weight);
	}
}

/* Set what the problem says of its lines at the nodes and on the lanes. */
void
eligibility_set_lines(SalesOrder *order, uint32 relaxed)
{
	SrcProblem *p = &order->problem;
	SrcLineNode *line_nodes;
	bool	   *lane_forbidden;
	bool		any_lane = false;
	Eligibility *e;

	p->line_nodes = NULL;
	p->lane_forbidden = NULL;
	if (p->nlines == 0 || p->nnodes == 0 || !eligibility_prepare(order))
		return;
	e = order->eligibility;
	e->ncandidates = order->ncandidates;
	e->why = palloc0(sizeof(uint32) * order->nlines * order->ncandidates);
	line_nodes = palloc0(sizeof(SrcLineNode) * p->nlines * p->nnodes);
	lane_forbidden = palloc0(sizeof(bool) * p->nlines * p->nlanes);
	for (int i = 0; i < p->nlines; i++)
	{
		int			l = order->problem_lines[i];

		for (int c = 0; c < p->nnodes; c++)
		{
			const SrcNode *n = &p->nodes[c];
			uint32	   *why = &e->why[l * e->ncandidates + c];
			uint32		of_lanes = 0;
			int			nforbidden = 0;

			*why = eligibility_of_node(order, l, order->candidates[c], relaxed);
			for (int k = n->first_lane; k < n->first_lane + n->nlanes && *why == 0; k++)
			{
				uint32		lane = eligibility_of_lane(order, l, order->problem_lanes[k], relaxed);

				lane_forbidden[i * p->nlanes + k] = lane != 0;
				of_lanes |= lane;
				nforbidden += lane != 0;
			}
			any_lane |= nforbidden > 0;
			if (nforbidden == n->nlanes)
				*why |= of_lanes;
			line_nodes[i * p->nnodes + c].forbidden = *why != 0;
		}
		if (order->lines[l].terms->goods_weight > 0)
			set_goods(order, l, &line_nodes[i * p->nnodes]);
	}
	p->line_nodes = line_nodes;
	if (any_lane)
		p->lane_forbidden = lane_forbidden;
	if (order->terms.ncustom > 0)
		custom_set_terms(order, line_nodes);
}

/* Why a candidate could not serve a line when the order was planned; 0: it could. */
uint32
order_line_why(const SalesOrder *order, int line, int candidate)
{
	const Eligibility *e = order->eligibility;

	return e == NULL || e->why == NULL ? 0 : e->why[line * e->ncandidates + candidate];
}

/* What a node keeps back of a line's item: the most that any rule says. */
int64
order_keeps_back(const SalesOrder *order, const OrderLine *line, int node, uint32 relaxed)
{
	const PolicyTerms *terms = line->terms;
	const NetNode *nodes;
	int64		most = 0;

	if (terms->nkeeps == 0 || (relaxed & SOFT_KEEP))
		return 0;
	(void) network_nodes(order->net, &nodes);
	for (int i = 0; i < terms->nkeeps; i++)
	{
		const PolicyKeep *k = &terms->keeps[i];

		if (matches(k->node, nodes[node].node) &&
			(k->kind == NULL || strcmp(k->kind, network_rules(order->net)->nodes[node].kind) == 0))
			most = Max(most, k->quantity);
	}
	return most;
}

static void
say(StringInfo text, const char *what)
{
	if (text->len > 0)
		appendStringInfoString(text, "; ");
	appendStringInfoString(text, what);
}

/* What bits of an order's line and a node of the network mean, with the values seen. */
char *
eligibility_text(const SalesOrder *order, int l, int node, uint32 why)
{
	const Eligibility *e = order->eligibility;
	const OrderLine *line = &order->lines[l];
	const NetNode *nodes;
	StringInfoData text;

	(void) network_nodes(order->net, &nodes);
	initStringInfo(&text);
	if (why & WHY_CLOSED)
		say(&text, "node is closed");
	if (why & WHY_CHANNEL)
		say(&text, order->channel == NULL ? "node serves named channels only" :
			psprintf("node does not serve channel %s", order->channel));
	if (why & WHY_RESTRICTION)
	{
		const NetRestriction *r = restriction_at(e, l, nodes[node].node, NULL);

		for (int i = 0; r == NULL && i < order->lanes->nlanes; i++)
		{
			if (order->lanes->lanes[i].node == node)
				r = restriction_at(e, l, nodes[node].node, order->lanes->lanes[i].service);
		}
		if (r != NULL)
			say(&text, psprintf("restriction %s%s%s", r->restriction, r->reason[0] ? ": " : "", r->reason));
	}
	if (why & WHY_HAZMAT_NODE)
		say(&text, psprintf("line is hazmat %s, node has no permit", line->hazmat_class));
	if (why & WHY_HAZMAT_SERVICE)
		say(&text, psprintf("line is hazmat %s, no service from there carries it", line->hazmat_class));
	if (why & WHY_DISTANCE)
		say(&text, psprintf("%d km away, limit %d", order_distance(order, node), line->terms->max_distance));
	if (why & WHY_MARGIN)
	{
		int64		best = PG_INT64_MIN;

		for (int i = 0; i < order->lanes->nlanes; i++)
		{
			if (order->lanes->lanes[i].node == node)
				best = Max(best, margin(order, l, &order->lanes->lanes[i]));
		}
		say(&text, psprintf("margin %s per unit is below the floor of %s", scaled_to_text(best),
							scaled_to_text(share(line->price, line->terms->margin_floor))));
	}
	if (why & WHY_NOT_LISTED)
		say(&text, "node is not on the policy's list");
	if (why & WHY_PINNED)
		say(&text, psprintf("line is pinned to node %s", line->pinned));
	return text.data;
}
