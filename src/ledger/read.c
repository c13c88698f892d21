/*
 * read.c
 *		Availability in SQL: atp, atp_total, atp_nodes, atp_timeline and the
 *		figures behind the view.
 *
 * All of them only read, under the caller's snapshot: they work on a standby
 * and assign no transaction id.
 */
#include "ledger/position.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "ledger/channels.h"
#include "ledger/offer.h"
#include "ledger/reference.h"
#include "network/network.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(routing_atp);
PG_FUNCTION_INFO_V1(routing_atp_total);
PG_FUNCTION_INFO_V1(routing_atp_nodes);
PG_FUNCTION_INFO_V1(routing_atp_timeline);
PG_FUNCTION_INFO_V1(routing_position_figures);

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* The item asked for; an unknown one is an error, not a zero. */
static char *
item_argument(FunctionCallInfo fcinfo, int n)
{
	char	   *item = text_argument(fcinfo, n);
	Fault		fault = {0};

	if (item == NULL)
	{
		fault_set(&fault, RT_UNKNOWN_ITEM, "Give the code of an item.", "item must not be null");
		fault_raise(&fault);
	}
	return item;
}

static void
require_item(int32 tenant_id, const char *item)
{
	Fault		fault = {0};

	if (!item_exists(tenant_id, item))
	{
		fault_unknown_item(&fault, "", item);
		fault_raise(&fault);
	}
}

static const NetNode *
node_argument(FunctionCallInfo fcinfo, int n, const Network *net)
{
	char	   *code = text_argument(fcinfo, n);
	Fault		fault = {0};

	if (code == NULL)
	{
		fault_set(&fault, RT_UNKNOWN_NODE, "Give the code of a node.", "node must not be null");
		fault_raise(&fault);
	}
	return require_node(net, code);
}

/* The channel asked for, or NULL; an unknown one is an error. */
static char *
channel_argument(FunctionCallInfo fcinfo, int n, int32 tenant_id)
{
	char	   *channel = text_argument(fcinfo, n);
	Fault		fault = {0};

	if (channel != NULL && !channel_exists(tenant_id, channel))
	{
		fault_unknown_channel(&fault, channel);
		fault_raise(&fault);
	}
	return channel;
}

/* The day asked for: not before today, by default today. */
static DateADT
day_argument(FunctionCallInfo fcinfo, int n, DateADT today)
{
	DateADT		day = PG_ARGISNULL(n) ? today : PG_GETARG_DATEADT(n);

	return Max(day, today);
}

static int64
offer_on(Position *pos, const OfferRequest *req, DateADT day)
{
	const AtpStep *steps;
	int			n = position_offer(pos, req, &steps);

	return steps_at(steps, n, day);
}

/* What is promised: bookings, and holds that have not expired. */
static int64
promised_of(const Position *pos, TimestampTz now)
{
	Timeline	all;

	if (pos->holds.n == 0)
		return timeline_promised(&pos->timeline);
	timeline_copy(&all, &pos->timeline);
	holds_add_demand(pos, now, &all);
	return timeline_promised(&all);
}

/*
 * What somebody without an order is told: for the channel, of the default
 * rank, and no more than there will be supply for.
 */
static void
request_init(OfferRequest *req, const NetNode *node, int32 tenant_id, const char *channel)
{
	TimestampTz now = clock_of_transaction();
	const char **path;

	offer_request_init(req, node_date(node, now), now);
	req->life_of_item = true;
	req->npath = channel_path(tenant_id, channel, &path);
	req->path = path;
	req->within_horizon = true;
}

Datum
routing_atp(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	char	   *item = item_argument(fcinfo, 0);
	const Network *net = network_get(tenant_id);
	const NetNode *node = node_argument(fcinfo, 1, net);
	OfferRequest req;
	Position	pos;

	request_init(&req, node, tenant_id, channel_argument(fcinfo, 3, tenant_id));
	if (!position_read_one(&pos, tenant_id, item, node->node))
		require_item(tenant_id, item);
	PG_RETURN_NUMERIC(scaled_to_numeric(offer_on(&pos, &req, day_argument(fcinfo, 2, req.today))));
}

Datum
routing_atp_total(PG_FUNCTION_ARGS)
{
	int32		tenant_id = tenant_current();
	char	   *item = item_argument(fcinfo, 0);
	const Network *net = network_get(tenant_id);
	const NetNode *nodes;
	int			n = network_nodes(net, &nodes);
	char	   *channel = channel_argument(fcinfo, 2, tenant_id);
	Ledger	   *ledger;
	int64		total = 0;
	bool		any = false;

	ledger = ledger_open(false);
	for (int i = 0; i < n; i++)
	{
		OfferRequest req;
		Position   *pos = ledger_get(ledger, tenant_id, item, nodes[i].node);

		CHECK_FOR_INTERRUPTS();
		any |= pos->exists;
		if (!nodes[i].open)
			continue;
		request_init(&req, &nodes[i], tenant_id, channel);
		total = scaled_add(total, offer_on(pos, &req, day_argument(fcinfo, 1, req.today)));
	}
	ledger_close(ledger);
	if (!any)
		require_item(tenant_id, item);
	PG_RETURN_NUMERIC(scaled_to_numeric(total));
}

Datum
routing_atp_nodes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int32		tenant_id = tenant_current();
	char	   *item = item_argument(fcinfo, 0);
	const Network *net = network_get(tenant_id);
	const NetNode *nodes;
	int			n = network_nodes(net, &nodes);
	char	   *channel = channel_argument(fcinfo, 3, tenant_id);
	Ledger	   *ledger;
	int64		wanted = 1;
	bool		any = false;

	if (!PG_ARGISNULL(1))
	{
		Fault		fault = {0};

		wanted = quantity_check(PG_GETARG_NUMERIC(1), "quantity", &fault);
		if (fault.sqlerrcode)
			fault_raise(&fault);
	}
	InitMaterializedSRF(fcinfo, 0);
	ledger = ledger_open(false);
	for (int i = 0; i < n; i++)
	{
		OfferRequest req;
		Position   *pos = ledger_get(ledger, tenant_id, item, nodes[i].node);
		const AtpStep *steps;
		DateADT		day;
		int			nsteps;
		Datum		values[7];
		bool		nulls[7] = {false};
		DateADT		horizon = DATEVAL_NOEND;

		CHECK_FOR_INTERRUPTS();
		if (!pos->exists)
			continue;
		any = true;
		request_init(&req, &nodes[i], tenant_id, channel);
		if (pos->enabled && pos->lead_time >= 0)
			horizon = req.today + pos->lead_time;
		day = day_argument(fcinfo, 2, req.today);
		nsteps = position_offer(pos, &req, &steps);
		values[0] = CStringGetTextDatum(nodes[i].node);
		values[1] = NumericGetDatum(scaled_to_numeric(timeline_on_hand(&pos->timeline)));
		values[2] = NumericGetDatum(scaled_to_numeric(promised_of(pos, req.now)));
		values[3] = NumericGetDatum(scaled_to_numeric(timeline_inbound(&pos->timeline)));
		values[4] = NumericGetDatum(scaled_to_numeric(steps_at(steps, nsteps, day)));
		nulls[5] = true;
		for (int s = 0; s < nsteps && nulls[5]; s++)
		{
			/* offers that end, as lots do, may have ended by then */
			if (s + 1 < nsteps && steps[s + 1].day <= day)
				continue;
			if (steps[s].available >= wanted && steps[s].day < horizon)
			{
				values[5] = DateADTGetDatum(Max(steps[s].day, day));
				nulls[5] = false;
			}
		}
		if (nulls[5] && horizon != DATEVAL_NOEND)
		{
			values[5] = DateADTGetDatum(Max(horizon, day));
			nulls[5] = false;
		}
		values[6] = DateADTGetDatum(horizon);
		nulls[6] = horizon == DATEVAL_NOEND;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	ledger_close(ledger);
	if (!any)
		require_item(tenant_id, item);
	return (Datum) 0;
}

Datum
routing_atp_timeline(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int32		tenant_id = tenant_current();
	char	   *item = item_argument(fcinfo, 0);
	const Network *net = network_get(tenant_id);
	const NetNode *node = node_argument(fcinfo, 1, net);
	OfferRequest req;
	Ledger	   *ledger;
	Position   *pos;
	int64		balance = 0;

	InitMaterializedSRF(fcinfo, 0);
	request_init(&req, node, tenant_id, NULL);
	ledger = ledger_open(false);
	pos = ledger_get(ledger, tenant_id, item, node->node);
	if (!pos->exists)
		require_item(tenant_id, item);
	for (int i = 0; i < pos->timeline.n; i++)
	{
		const TimelineEntry *e = &pos->timeline.entries[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		balance = scaled_sub(scaled_add(balance, e->supply), e->demand);
		values[0] = DateADTGetDatum(e->day);
		values[1] = NumericGetDatum(scaled_to_numeric(e->supply));
		values[2] = NumericGetDatum(scaled_to_numeric(e->demand));
		values[3] = NumericGetDatum(scaled_to_numeric(balance));
		values[4] = NumericGetDatum(scaled_to_numeric(offer_on(pos, &req, Max(e->day, req.today))));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	ledger_close(ledger);
	return (Datum) 0;
}

/*
 * For the view: the figures of an item-node whose first position row the caller
 * has read.
 */
Datum
routing_position_figures(PG_FUNCTION_ARGS)
{
	Position	pos = {0};
	OfferRequest req;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (!position_of_row(&pos, PG_GETARG_HEAPTUPLEHEADER(0)) || !tenant_is_member(pos.key.tenant_id))
		PG_RETURN_NULL();
	if (pos.slots > 0)
		(void) position_read_one(&pos, pos.key.tenant_id, pos.key.item, pos.key.node);
	offer_request_init(&req, PG_GETARG_DATEADT(1), clock_of_transaction());
	req.within_horizon = true;
	req.life_of_item = pos.lots.n > 0;
	values[0] = NumericGetDatum(scaled_to_numeric(timeline_on_hand(&pos.timeline)));
	values[1] = NumericGetDatum(scaled_to_numeric(promised_of(&pos, req.now)));
	values[2] = NumericGetDatum(scaled_to_numeric(timeline_inbound(&pos.timeline)));
	values[3] = NumericGetDatum(scaled_to_numeric(offer_on(&pos, &req, req.today)));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(engine_row_result(fcinfo), values, nulls)));
}
