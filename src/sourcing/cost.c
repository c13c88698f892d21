/*
 * cost.c
 *		What a set of shipments costs, and how the lines are spread over it.
 *
 * Guarantees:
 *
 *	- all amounts are integers; what does not fit saturates at INT64_MAX;
 *	- for a line that does not share its item, the quantities chosen are the
 *	  cheapest possible for the given shipments before rounding: the days of a
 *	  node nest their capacities (a polymatroid), on which taking the cheapest
 *	  rate first is optimal.  Rates are compared exactly, in 128 bits;
 *	- lines that share an item are served one after the other, and if that is
 *	  not obviously optimal by flow.c, which is, within limits of size.
 */
#include <limits.h>
#include <string.h>

#include "cost.h"

/* sum of amounts, saturating */
int64_t
src_add(int64_t a, int64_t b)
{
	int64_t		sum;

	if (__builtin_add_overflow(a, b, &sum))
		return a > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

/* a * b / divisor to the nearest, halves up; a, b >= 0, divisor > 0 */
int64_t
src_round_ratio(int64_t a, int64_t b, int64_t divisor)
{
	src_int128	ratio;
	int64_t		product;

	if (!__builtin_mul_overflow(a, b, &product) &&
		product <= INT64_MAX - divisor / 2)
		return (product + divisor / 2) / divisor;
	ratio = ((src_int128) a * b + divisor / 2) / divisor;
	return ratio > INT64_MAX ? INT64_MAX : (int64_t) ratio;
}

static int64_t
saturate(src_int128 amount)
{
	return amount > INT64_MAX ? INT64_MAX : (int64_t) amount;
}

/* price of the lateness of a part of a line */
int64_t
src_late_money(const SrcLine *line, int32_t late, int64_t part)
{
	if (late <= 0 || line->lateness_per_day == 0 || part == 0)
		return 0;
	return src_round_ratio(saturate((src_int128) late * line->lateness_per_day),
						   part, line->quantity);
}

/* price of the risk that a part is late; astronomic amounts are cut first */
int64_t
src_risk_money(const SrcLine *line, const SrcLane *lane, int64_t part)
{
	src_int128	whole = (src_int128) lane->risk * line->sla_penalty;

	if (whole == 0)
		return 0;
	if (whole <= INT64_MAX && line->quantity <= INT64_MAX / SRC_SCALE)
		return src_round_ratio((int64_t) whole, part, line->quantity * SRC_SCALE);
	return src_round_ratio(saturate(whole / SRC_SCALE), part, line->quantity);
}

/* price of taking a part out of what the node has */
int64_t
src_balance_money(const SrcLine *line, int64_t available, int64_t part)
{
	if (line->balance_price == 0 || available <= 0)
		return 0;
	return src_round_ratio(line->balance_price, part, available);
}

/*
 * Floor of the variable cost of a whole line, without what depends on
 * availability.  Called for every line on every lane of the network, hence the
 * shortcut for amounts of everyday size.
 */
int64_t
src_floor_cost(const SrcSearch *search, int32_t line, const SrcLane *lane,
			   int64_t late)
{
	const SrcLine *wanted = &search->problem->lines[line];
	int64_t		weight = search->lines[line].weight;
	int64_t		per_day = wanted->lateness_per_day;
	int64_t		per_kg = lane->per_kg;
	int64_t		limit = search->amount_limit;
	src_int128	cost;

	if (((uint64_t) weight | (uint64_t) per_kg) < ((uint64_t) 1 << 31))
		cost = (int64_t) ((uint64_t) weight * (uint64_t) per_kg / SRC_SCALE);
	else
		cost = (src_int128) weight * per_kg / SRC_SCALE;
	if (late > 0)
		cost += (src_int128) late * per_day;
	if (lane->risk > 0 && wanted->sla_penalty > 0)
		cost += (src_int128) lane->risk * wanted->sla_penalty / SRC_SCALE;
	if (search->problem->line_nodes != NULL)
	{
		const SrcLineNode *own = src_line_node(search->problem, line, lane->node);

		cost += (src_int128) own->goods + own->custom;
	}
	return cost > limit ? limit : (int64_t) cost;
}

/*
 * The most that rounding can take off a plan of so many shipments: half of a
 * ten-thousandth for each amount that is rounded, and for the weight of each
 * part half of a ten-thousandth of a kilogram at the dearest rate.
 */
int64_t
src_slack(const SrcSearch *search, int64_t shipments)
{
	int64_t		per_kg = search->max_per_kg;
	src_int128	halves = 0;
	src_int128	slack;
	int32_t		i;

	if (per_kg > 0)
		halves += shipments;
	for (i = 0; i < search->nlines; i++)
	{
		const SrcLine *line = &search->problem->lines[i];

		if (line->unit_weight % SRC_SCALE != 0)
			halves += (src_int128) shipments *
				((src_int128) per_kg / SRC_SCALE + 1);
		if (line->lateness_per_day > 0)
			halves += shipments;
		if (search->problem->line_nodes != NULL)
			halves += 2 * shipments;
		if (line->sla_penalty > 0)
			halves += shipments;
		if (line->balance_price > 0)
			halves += shipments;
		if (line->backorder_penalty > 0)
			halves += 1;
	}
	slack = (halves + 1) / 2;
	return slack > search->amount_limit ? search->amount_limit : (int64_t) slack;
}

/*
 * How much more of an item shipment "which" could carry, given what the
 * shipments of the set already carry of it: every shipment of the node on its
 * day or later sees the extra units in its prefix.  "avail" is that of the
 * options of any line of the item.
 */
int64_t
src_room_for(const SrcSearch *search, const int32_t *cand, int32_t n,
			 int32_t line, const int64_t *used, int32_t which)
{
	const SrcCandidate *own = &search->cand[cand[which]];
	int64_t		room = own->options[line].avail;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < n; i++)
	{
		const SrcCandidate *later = &search->cand[cand[i]];
		int64_t		left;

		if (later->node != own->node || later->day < own->day)
			continue;
		left = later->options[line].avail;
		for (j = 0; j < n; j++)
		{
			const SrcCandidate *other = &search->cand[cand[j]];

			if (other->node == own->node && other->day <= later->day)
				left -= used[j];
		}
		if (left < room)
			room = left;
	}
	return room > 0 ? room : 0;
}

/*
 * Unrounded variable cost of the whole line in units of money / SRC_SCALE^2:
 * within a line these compare like the costs per unit, exactly, but for the
 * stock-balance price, which is cut down to that unit.
 */
src_int128
src_exact_rate(const SrcSearch *search, int32_t line, const SrcCandidate *cand)
{
	const SrcLine *wanted = &search->problem->lines[line];
	const SrcLane *lane = &search->problem->lanes[cand->lane];
	const SrcOption *option = &cand->options[line];
	int64_t		per_kg = lane->per_kg;
	src_int128	limit = (src_int128) 1 << 120;
	src_int128	late;
	src_int128	freight;
	src_int128	other;

	late = (src_int128) option->late * wanted->lateness_per_day *
		((int64_t) SRC_SCALE * SRC_SCALE);
	if (late > limit)
		late = limit;
	freight = (src_int128) wanted->quantity * wanted->unit_weight;
	if (freight >> 57 != 0 && per_kg > 0 && freight > limit / per_kg)
		freight = limit;
	else
		freight *= per_kg;
	other = (src_int128) lane->risk * wanted->sla_penalty * SRC_SCALE;
	if (search->problem->line_nodes != NULL)
	{
		const SrcLineNode *own = src_line_node(search->problem, line, cand->node);

		other += ((src_int128) own->goods + own->custom) *
			((int64_t) SRC_SCALE * SRC_SCALE);
	}
	if (wanted->balance_price > 0 && option->available > 0)
	{
		src_int128	balance = (src_int128) wanted->balance_price * wanted->quantity;

		if (balance > limit / ((int64_t) SRC_SCALE * SRC_SCALE))
			other += limit;
		else
			other += balance * ((int64_t) SRC_SCALE * SRC_SCALE) / option->available;
	}
	return late + freight + (other > limit ? limit : other);
}

/* the same of leaving the line unserved */
src_int128
src_unserved_rate(const SrcLine *line)
{
	return (src_int128) line->backorder_penalty *
		((int64_t) SRC_SCALE * SRC_SCALE);
}

/* order of shipments of equal cost: as plan.h breaks ties */
static bool
goes_before(const SrcCandidate *a, const SrcCandidate *b)
{
	if (a->arrival != b->arrival)
		return a->arrival < b->arrival;
	if (a->node != b->node)
		return a->node < b->node;
	if (a->lane != b->lane)
		return a->lane < b->lane;
	return a->ship < b->ship;
}

/* spread one line over the set; adds to used[], sets its row of quantities */
static void
serve_line(const SrcSearch *search, const int32_t *cand, int32_t n,
		   int32_t line, int64_t *used, int64_t *row)
{
	const SrcLine *wanted = &search->problem->lines[line];
	src_int128	rate[SRC_PLAN_SHIPMENTS];
	int32_t		order[SRC_PLAN_SHIPMENTS];
	int32_t		norder = 0;
	int64_t		left = wanted->quantity;
	src_int128	unserved;
	int32_t		i;
	int32_t		j;

	unserved = search->lines[line].unserved_rate;
	for (i = 0; i < n; i++)
	{
		const SrcCandidate *own = &search->cand[cand[i]];

		row[i] = 0;
		if (own->options[line].cost == SRC_NEVER ||
			own->options[line].avail <= 0)
			continue;
		rate[i] = own->options[line].rate;
		if (rate[i] > unserved)
			continue;
		for (j = norder; j > 0; j--)
		{
			int32_t		before = order[j - 1];

			if (rate[before] < rate[i] ||
				(rate[before] == rate[i] &&
				 goes_before(&search->cand[cand[before]], own)))
				break;
			order[j] = before;
		}
		order[j] = i;
		norder++;
	}
	for (i = 0; i < norder && left > 0; i++)
	{
		int64_t		take;

		take = src_room_for(search, cand, n, line, used, order[i]);
		if (take > left)
			take = left;
		row[order[i]] = take;
		used[order[i]] += take;
		left -= take;
	}
}

/* the figures of given quantities, by the formula of plan.h */
void
src_price(const SrcSearch *search, const int32_t *cand, int32_t n,
		  const int64_t *quantity, SrcFigures *out)
{
	const SrcProblem *problem = search->problem;
	int64_t		by_weight = 0;
	int32_t		i;
	int32_t		line;

	out->handling = out->preference = out->distance = out->capacity = 0;
	out->freight = out->split = 0;
	out->lateness = out->goods = out->custom = out->risk = out->balance = 0;
	out->backorder = 0;
	out->nloaded = 0;
	out->arrival = INT32_MIN;
	out->quantity = quantity;
	for (i = 0; i < n; i++)
	{
		out->loaded[i] = false;
		out->weight[i] = 0;
	}
	for (line = 0; line < search->nlines; line++)
	{
		const SrcLine *wanted = &problem->lines[line];
		const int64_t *row = quantity + (size_t) line * n;
		int64_t		left = wanted->quantity;

		for (i = 0; i < n; i++)
		{
			const SrcCandidate *own = &search->cand[cand[i]];

			if (row[i] == 0)
				continue;
			left -= row[i];
			out->loaded[i] = true;
			out->weight[i] = src_add(out->weight[i],
									 src_round_ratio(row[i], wanted->unit_weight,
													 SRC_SCALE));
			out->lateness = src_add(out->lateness,
									src_late_money(wanted, own->options[line].late,
												   row[i]));
			out->risk = src_add(out->risk,
								src_risk_money(wanted, &problem->lanes[own->lane],
											   row[i]));
			out->balance = src_add(out->balance,
								   src_balance_money(wanted, own->options[line].available,
													 row[i]));
			if (problem->line_nodes != NULL)
			{
				const SrcLineNode *here = src_line_node(problem, line, own->node);

				out->goods = src_add(out->goods,
									 src_round_ratio(here->goods, row[i],
													 wanted->quantity));
				out->custom = src_add(out->custom,
									  src_round_ratio(here->custom, row[i],
													  wanted->quantity));
			}
		}
		if (left > 0)
			out->backorder = src_add(out->backorder,
									 src_round_ratio(wanted->backorder_penalty,
													 left, wanted->quantity));
	}
	for (i = 0; i < n; i++)
	{
		const SrcCandidate *own = &search->cand[cand[i]];
		const SrcLane *lane = &problem->lanes[own->lane];
		int64_t		freight;

		if (!out->loaded[i])
			continue;
		if (own->arrival > out->arrival)
			out->arrival = own->arrival;
		out->handling = src_add(out->handling,
								problem->nodes[own->node].handling);
		out->preference = src_add(out->preference,
								  problem->nodes[own->node].preference);
		out->distance = src_add(out->distance,
								problem->nodes[own->node].distance);
		out->capacity = src_add(out->capacity, own->price);
		out->freight = src_add(out->freight, own->base);
		freight = src_round_ratio(out->weight[i], lane->per_kg, SRC_SCALE);
		by_weight = src_add(by_weight, freight);
		out->freight = src_add(out->freight, freight);
		if (out->nloaded > 0)
			out->split = src_add(out->split, problem->split_penalty);
		out->nloaded++;
	}
	out->variable = src_add(src_add(out->lateness, out->backorder),
							src_add(src_add(out->goods, out->custom),
									src_add(out->risk, out->balance)));
	out->total = src_add(src_add(src_add(out->handling, out->freight),
								 src_add(out->preference, out->distance)),
						 src_add(src_add(out->capacity, out->split), out->variable));
	out->variable = src_add(out->variable, by_weight);
}

/*
 * Divide the shared items again, this time for all their lines together.  The
 * quantities of the other lines stay.  False if an item was too much.
 */
static bool
divide_shared(SrcSearch *search, const int32_t *cand, int32_t n)
{
	int32_t		item;
	int32_t		i;

	memcpy(search->quantity2, search->quantity,
		   sizeof(int64_t) * (size_t) search->nlines * (size_t) n);
	for (item = 0, i = 0; i < search->nlines; i++)
	{
		/* items are numbered by their first lines */
		if (search->lines[i].item != item)
			continue;
		if (search->lines[i].shared &&
			!src_divide(search, cand, n, item, search->quantity2))
			return false;
		item++;
	}
	return true;
}

/*
 * Spread all lines over a set of at most SRC_PLAN_SHIPMENTS shipments and say
 * what that costs, where stock is the only limit.  Shipments that end up empty
 * cost nothing and are reported as not loaded.  The quantities are valid until
 * the next call.
 */
void
src_relax(SrcSearch *search, const int32_t *cand, int32_t n, SrcFigures *out)
{
	int64_t		alone[SRC_PLAN_SHIPMENTS];
	SrcFigures	divided;
	int64_t		floor = 0;
	int32_t		i;

	if (search->any_shared)
		memset(search->used, 0,
			   sizeof(int64_t) * (size_t) search->nitems * (size_t) n);
	for (i = 0; i < search->nlines; i++)
	{
		int64_t    *used = alone;

		if (search->lines[i].shared)
			used = search->used + (size_t) search->lines[i].item * n;
		else
			memset(alone, 0, sizeof(int64_t) * (size_t) n);
		serve_line(search, cand, n, i, used, search->quantity + (size_t) i * n);
	}
	src_price(search, cand, n, search->quantity, out);
	out->feasible = out->proven = true;
	if (!search->any_shared || n == 0)
		return;

	/* no line could do better with all the stock to itself? */
	for (i = 0; i < search->nlines; i++)
		floor += src_floor_line(search, cand, n, i);
	if (out->variable - floor <= 2 * search->slack + 8 * (int64_t) search->nlines)
		return;
	out->proven = divide_shared(search, cand, n);
	if (!out->proven)
		return;
	src_price(search, cand, n, search->quantity2, &divided);
	divided.feasible = divided.proven = true;
	if (divided.total < out->total ||
		(divided.total == out->total && divided.nloaded < out->nloaded))
		*out = divided;
}
