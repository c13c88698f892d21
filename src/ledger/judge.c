/*
 * judge.c
 *		Whom it hits when supply no longer covers the bookings.
 *
 * Guarantee: afterwards no balance over the covered bookings is negative that
 * bookings could repair.  The ERP is never refused for telling the truth
 * about its stock; bookings give way.
 *
 * Choosing writes nothing, so that impact() can show what would be chosen.
 */
#include "ledger/change.h"
#include "ledger/falls.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/channels.h"
#include "ledger/lots.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

/* how many bookings are asked at the most whether they could come from elsewhere */
#define MAX_ASKED	200

/*
 * Bookings that may be chosen, the least important first, then the latest
 * promise, then the youngest.  What is picked or packed is never taken, what
 * is issued or at risk is not in the balance.
 */
static EnginePlan plan_candidates = {
	"SELECT " BOOKED_COLUMNS("r.channel") ","
	"  COALESCE(o.priority, c.priority, d.priority, 5), o.country, o.postal_code, o.channel,"
	"  o.order_id IS NULL OR l.node IS NOT NULL, COALESCE(o.completeness, 'none')"
	" FROM routing.reservation r"
	" LEFT JOIN routing.sales_order o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id"
	" LEFT JOIN routing.sales_order_line l ON l.tenant_id = r.tenant_id AND l.order_id = r.order_id"
	"  AND l.line_no = r.line_no"
	" LEFT JOIN routing.customer c ON c.tenant_id = o.tenant_id AND c.customer = o.customer"
	" LEFT JOIN routing.demand d ON d.tenant_id = r.tenant_id AND r.order_id LIKE 'demand:%'"
	"  AND d.ref = pg_catalog.substr(r.order_id, 8)"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL"
	"   AND r.state = 'firm' AND r.needed_on <= $4"
	"   AND COALESCE(l.status, '') NOT IN ('picked', 'packed', 'shipped', 'delivered')"
	" ORDER BY 12 DESC, r.deliver_on DESC, COALESCE(o.ordered_at, r.\"from\") DESC,"
	"          r.order_id DESC, r.line_no DESC, r.part DESC",
	4, {INT4OID, TEXTOID, TEXTOID, DATEOID}, NULL
};

typedef struct Candidate
{
	JudgeChoice choice;
	int			priority;
	char	   *country;
	char	   *postal_code;
	char	   *channel;
	bool		fixed;			/* pinned, or no order of ours to route */
	bool		line_whole;		/* its line, or its order, is shipped whole or not at all */
	bool		order_whole;
} Candidate;

typedef struct Judgement
{
	Ledger	   *ledger;
	const Position *pos;
	TimestampTz now;
	Timeline	timeline;		/* as it would be */
	Position   *lots;			/* where there are any, a position with them as they would be */
	int			n;
	Candidate  *candidates;
	int			asked;
	const Network *net;
	int			nnodes;
	const NetNode *nodes;
	int64	   *used;			/* of what each node offers, by those who are to move there */
} Judgement;

void
change_add_victim(ChangeResult *result, const Position *pos, const char *order_id, int line_no,
				  int64 quantity, DateADT needed_on, const char *cause)
{
	Victim	   *v;

	if (result->victims == NULL)
		result->victims = palloc(sizeof(Victim) * 8);
	else if (result->nvictims >= 8 && (result->nvictims & (result->nvictims - 1)) == 0)
		result->victims = repalloc_huge(result->victims, sizeof(Victim) * result->nvictims * 2);
	v = &result->victims[result->nvictims++];
	v->tenant_id = pos->key.tenant_id;
	v->order_id = pstrdup(order_id);
	v->line_no = line_no;
	v->item = pstrdup(pos->key.item);
	v->node = pstrdup(pos->key.node);
	v->quantity = quantity;
	v->needed_on = needed_on;
	v->cause = cause;
}

bool		(*judge_allowed_hook) (int32 tenant_id, const char *order_id, int line_no, const Lane *lane,
								   TimestampTz now, void **asked) = NULL;

static void
load_candidates(Judgement *j, DateADT until)
{
	const PositionKey *key = &j->pos->key;
	Datum		args[4];

	position_key_args(key, args);
	args[3] = DateADTGetDatum(until);
	j->n = (int) engine_exec(&plan_candidates, args, NULL,
							 j->ledger->writes ? ENGINE_FRESH : ENGINE_READ);
	j->candidates = palloc_extended(sizeof(Candidate) * Max(j->n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < j->n; i++)
	{
		Candidate  *c = &j->candidates[i];
		char	   *completeness;
		bool		isnull;

		booked_read(&c->choice.booked, key->tenant_id, i);
		c->priority = DatumGetInt32(spi_datum(i, BOOKED_NCOLS + 1, &isnull));
		c->country = spi_text(i, BOOKED_NCOLS + 2);
		c->postal_code = spi_text(i, BOOKED_NCOLS + 3);
		c->channel = spi_text(i, BOOKED_NCOLS + 4);
		c->fixed = DatumGetBool(spi_datum(i, BOOKED_NCOLS + 5, &isnull));
		completeness = spi_text(i, BOOKED_NCOLS + 6);
		c->line_whole = strcmp(completeness, "none") != 0;
		c->order_whole = c->line_whole && strcmp(completeness, "line") != 0;
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Whether a quantity of a booking could be delivered on the promised day from
 * another open node that may serve it, counting on what is left there by those
 * who were asked before.
 */
static bool
has_alternative(Judgement *j, const Candidate *c, int64 quantity)
{
	const char *zone;
	const ZoneLanes *lanes;
	void	   *order = NULL;

	if (c->fixed || c->country == NULL || c->postal_code == NULL || j->asked >= MAX_ASKED)
		return false;
	j->asked++;
	if (j->used == NULL)
	{
		j->net = network_get(j->pos->key.tenant_id);
		j->nnodes = network_nodes(j->net, &j->nodes);
		j->used = palloc0(sizeof(int64) * Max(j->nnodes, 1));
	}
	zone = network_zone(j->net, c->country, c->postal_code);
	lanes = zone ? network_lanes(j->net, zone) : NULL;
	for (int i = 0; lanes != NULL && i < lanes->nlanes; i++)
	{
		const Lane *lane = &lanes->lanes[i];
		const NetNode *node = &j->nodes[lane->node];
		int32		ship = calendar_until(lane->pickup, calendar_before(lane->transit, c->choice.booked.deliver_on,
																	lane->transit_days));
		int32		day = calendar_before(node->calendar, ship, node->handling_days);
		const AtpStep *steps;
		OfferRequest req;
		int			n;

		if (!node->open || strcmp(node->node, j->pos->key.node) == 0)
			continue;
		offer_request_init(&req, node_date(node, j->now), j->now);
		if (day < req.today || day == CALENDAR_NEVER)
			continue;
		req.rank = c->priority;
		req.life = c->choice.booked.stock.min_expiry - c->choice.booked.stock.needed_on;
		req.lot = c->choice.booked.stock.lot;
		req.within_horizon = true;
		if (c->channel != NULL)
			req.npath = channel_path(j->pos->key.tenant_id, c->channel, (const char ***) &req.path);
		n = position_offer(ledger_get(j->ledger, j->pos->key.tenant_id, j->pos->key.item, node->node),
						   &req, &steps);
		if (scaled_sub(steps_at(steps, n, day), j->used[lane->node]) >= quantity &&
			(judge_allowed_hook == NULL ||
			 judge_allowed_hook(j->pos->key.tenant_id, c->choice.booked.row.order_id, c->choice.booked.row.line_no,
								lane, j->now, &order)))
		{
			j->used[lane->node] += quantity;
			return true;
		}
	}
	return false;
}

static void
take_one(Judgement *j, Candidate *c, int64 quantity, int64 *missing)
{
	c->choice.taken += quantity;
	timeline_add_demand(&j->timeline, c->choice.booked.stock.needed_on, -quantity);
	if (j->lots != NULL)
		lots_book(j->lots, &c->choice.booked.stock, -quantity);
	*missing -= quantity;
}

/* Take a quantity of a booking, or all that must go with it. */
static void
take(Judgement *j, Candidate *c, int64 quantity, DateADT until, int64 *missing)
{
	if (!c->line_whole)
	{
		take_one(j, c, quantity, missing);
		return;
	}
	for (int i = 0; i < j->n; i++)
	{
		Candidate  *o = &j->candidates[i];

		if (strcmp(o->choice.booked.row.order_id, c->choice.booked.row.order_id) == 0 &&
			(c->order_whole || o->choice.booked.row.line_no == c->choice.booked.row.line_no) &&
			o->choice.taken < o->choice.booked.quantity)
		{
			int64		all = o->choice.booked.quantity - o->choice.taken;
			int64		later = 0;

			take_one(j, o, all, o->choice.booked.stock.needed_on <= until ? missing : &later);
		}
	}
}

/*
 * The same for lots, which can be missing though no balance is negative.  This
 * comes first: bookings that all have lots have balances too.
 */
static void
choose_for_lots(Judgement *j, DateADT today)
{
	int64		missing = lots_missing(j->pos, today);

	if (missing == 0)
		return;
	load_candidates(j, DATEVAL_NOEND);
	for (int round = 0; round < 2; round++)
	{
		for (int i = 0; i < j->n && missing > 0; i++)
		{
			Candidate  *c = &j->candidates[i];
			int64		left = c->choice.booked.quantity - c->choice.taken;
			int64		quantity;
			int64		rest = missing;

			CHECK_FOR_INTERRUPTS();
			if (left <= 0)
				continue;
			quantity = lots_repair(j->lots, &c->choice.booked.stock, left, today, missing);
			if (quantity <= 0 || (round == 0 && !has_alternative(j, c, quantity)))
				continue;
			take(j, c, quantity, DATEVAL_NOEND, &rest);
			missing = lots_missing(j->lots, today);
		}
	}
}

/*
 * Whose bookings lose their supply so that no balance is negative that
 * bookings can repair: bookings needed on or before the first negative day,
 * only the quantity that is missing; first those that another node could
 * serve as promised, then by policy.  What stays negative is the ERP's own, a
 * negative on hand; the days after it are judged all the same.
 *
 * Writes nothing.  Returns how many bookings are chosen.
 */
int
judge_choose(Ledger *ledger, const Position *pos, DateADT today, TimestampTz now,
			 JudgeChoice **choices)
{
	Judgement	j = {.ledger = ledger, .pos = pos, .now = now, .n = -1};
	DateADT		day = today - 1;
	int64		missing;
	int			chosen = 0;

	*choices = NULL;
	timeline_copy(&j.timeline, &pos->timeline);
	if (pos->lots.n > 0)
	{
		j.lots = lots_copy(pos);
		choose_for_lots(&j, today);
	}
	while (timeline_next_negative(&j.timeline, today, day, &day, &missing))
	{
		CHECK_FOR_INTERRUPTS();
		if (j.n < 0)
			load_candidates(&j, DATEVAL_NOEND);
		/* first who can go elsewhere, then whoever is left */
		for (int round = 0; round < 2; round++)
		{
			for (int i = 0; i < j.n && missing > 0; i++)
			{
				Candidate  *c = &j.candidates[i];
				int64		quantity = Min(missing, c->choice.booked.quantity - c->choice.taken);

				if (quantity <= 0 || c->choice.booked.stock.needed_on > day ||
					(round == 0 && !has_alternative(&j, c, quantity)))
					continue;
				take(&j, c, quantity, day, &missing);
			}
		}
	}
	if (j.n > 0)
		*choices = palloc_extended(sizeof(JudgeChoice) * j.n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < j.n; i++)
	{
		if (j.candidates[i].choice.taken > 0)
			(*choices)[chosen++] = j.candidates[i].choice;
	}
	return chosen;
}

/*
 * Judge a locked position: uncover what is chosen, but what stock that fell
 * may have left for.
 */
void
position_judge(Ledger *ledger, Position *pos, DateADT today, ChangeResult *result)
{
	JudgeChoice *choices;
	int			n;

	/* a hold is no promise: it gives way first */
	holds_judge(pos, today, result->clock);
	n = judge_choose(ledger, pos, today, result->clock, &choices);
	for (int i = 0; i < n; i++)
	{
		JudgeChoice *c = &choices[i];
		const BookedRow *b = &c->booked;
		int64		at_risk = falls_cover(pos, c->taken);
		int64		lost = c->taken - at_risk;
		BookingPart parts[3] = {
			{b->quantity - c->taken, "firm", NULL}, {at_risk, "at_risk", NULL}, {lost, "uncovered", NULL}
		};

		(void) booking_rebook(&b->row, parts, 3, result->clock);
		position_book(pos, &b->stock, -c->taken);
		if (at_risk > 0)
			change_add_victim(result, pos, b->row.order_id, b->row.line_no, at_risk, b->stock.needed_on, NULL);
		if (lost > 0)
			change_add_victim(result, pos, b->row.order_id, b->row.line_no, lost, b->stock.needed_on,
							  "supply_shortage");
	}
}
