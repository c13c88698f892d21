/*
 * lots_pin.c
 *		Bookings that take one lot only.
 *
 * A pinned booking may be served by the supply of its lot and no other.  In
 * the groups of a position such a lot has a number of its own, in the order of
 * the codes of all lots that are pinned, so that its supply and its bookings
 * find each other without the codes.  Whatever touches a pinned booking needs
 * the codes, so it reads the rows once and makes the groups anew; that is rare.
 */
#include "ledger/lots.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/lots_sweep.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

typedef struct LotPin
{
	const char *lot;
	DateADT		needed_on;
	DateADT		min_expiry;
	int64		quantity;
} LotPin;

/* what the groups are made of, but for bookings that are not pinned */
typedef struct LotPins
{
	MemoryContext context;
	int			nrows;
	LotRow	   *rows;
	int			npins;
	int			capacity;
	LotPin	   *pins;
} LotPins;

static EnginePlan plan_bookings = {
	"SELECT lot, needed_on, COALESCE(min_expiry, deliver_on), quantity FROM routing.reservation"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"to\" IS NULL AND state IN ('firm', 'issued')",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_holds = {
	"SELECT lot, needed_on, COALESCE(min_expiry, deliver_on), quantity FROM routing.reservation"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"to\" IS NULL AND state = 'hold'"
	"   AND lot <> '' AND expires_at > $4",
	4, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static void
key_arguments(const PositionKey *key, Datum *args)
{
	position_key_args(key, args);
}

static LotPin
read_pin(int row)
{
	LotPin		pin;
	bool		isnull;

	pin.lot = spi_text(row, 1);
	pin.needed_on = DatumGetDateADT(spi_datum(row, 2, &isnull));
	pin.min_expiry = DatumGetDateADT(spi_datum(row, 3, &isnull));
	pin.quantity = scaled_from_datum(spi_datum(row, 4, &isnull));
	return pin;
}

static void
add_pin(LotPins *pins, const char *lot, DateADT needed_on, DateADT min_expiry, int64 quantity)
{
	LotPin	   *pin = NULL;

	for (int i = 0; i < pins->npins && pin == NULL; i++)
	{
		LotPin	   *p = &pins->pins[i];

		if (p->needed_on == needed_on && p->min_expiry == min_expiry && strcmp(p->lot, lot) == 0)
			pin = p;
	}
	if (pin == NULL)
	{
		if (pins->npins == pins->capacity)
		{
			pins->capacity = pins->capacity * 2 + 4;
			pins->pins = pins->pins == NULL ?
				MemoryContextAlloc(pins->context, sizeof(LotPin) * pins->capacity) :
				repalloc(pins->pins, sizeof(LotPin) * pins->capacity);
		}
		pin = &pins->pins[pins->npins++];
		pin->lot = MemoryContextStrdup(pins->context, lot);
		pin->needed_on = needed_on;
		pin->min_expiry = min_expiry;
		pin->quantity = 0;
	}
	pin->quantity = scaled_add(pin->quantity, quantity);
	if (pin->quantity == 0)
		*pin = pins->pins[--pins->npins];
}

/* in the context that the position lives in */
static LotPins *
make_pins(const Position *pos, const LotRow *rows, int nrows)
{
	MemoryContext context = GetMemoryChunkContext(unconstify(char *, pos->key.item));
	LotPins    *pins = MemoryContextAllocZero(context, sizeof(LotPins));

	pins->context = context;
	pins->nrows = nrows;
	pins->rows = MemoryContextAlloc(context, sizeof(LotRow) * Max(nrows, 1));
	for (int i = 0; i < nrows; i++)
	{
		pins->rows[i] = rows[i];
		pins->rows[i].lot = MemoryContextStrdup(context, rows[i].lot);
	}
	return pins;
}

/* Read the bookings: the pinned ones, and into "others", unless NULL, the rest. */
static void
read_bookings(const Position *pos, LotPins *pins, Longs *others, EngineMode mode)
{
	Datum		args[3];
	int			n;

	key_arguments(&pos->key, args);
	n = (int) engine_exec(&plan_bookings, args, NULL, mode);
	for (int i = 0; i < n; i++)
	{
		LotPin		b = read_pin(i);

		if (b.lot[0] != '\0')
			add_pin(pins, b.lot, b.needed_on, b.min_expiry, b.quantity);
		else if (others != NULL)
			lots_add(others, b.needed_on, lot_until(b.min_expiry, 0), 0, b.quantity);
	}
	SPI_freetuptable(SPI_tuptable);
}

static LotPins *
load_pins(const Position *pos)
{
	LotRow	   *rows;
	int			n = position_supply(&pos->key, position_dock_days(&pos->key, ENGINE_FRESH), &rows, ENGINE_FRESH);
	LotPins    *pins = make_pins(pos, rows, n);

	read_bookings(pos, pins, NULL, ENGINE_FRESH);
	return pins;
}

/*
 * The number of a lot: 1 + how many pinned lots have a smaller code.  "also"
 * counts as pinned, unless NULL; a lot that is not pinned has 0.
 */
static int32
pin_number(const LotPins *pins, const char *lot, const char *also)
{
	int32		smaller = 0;
	bool		pinned = also != NULL && strcmp(also, lot) == 0;

	if (lot[0] == '\0')
		return 0;
	for (int i = 0; i < pins->npins; i++)
	{
		const char *other = pins->pins[i].lot;
		int			c = strcmp(other, lot);
		bool		counted = false;

		pinned |= c == 0;
		for (int j = 0; j < i && !counted; j++)
			counted = strcmp(pins->pins[j].lot, other) == 0;
		smaller += c < 0 && !counted && (also == NULL || strcmp(also, other) != 0);
	}
	smaller += also != NULL && strcmp(also, lot) < 0;
	return pinned ? smaller + 1 : 0;
}

/* Make the groups from rows, pinned bookings, and the other bookings' groups. */
static void
rebuild(Position *pos, const LotPins *pins, const Longs *others)
{
	Longs		lots = {0};
	const LotGroup *groups = (const LotGroup *) others->v;
	bool		matter = pins->npins > 0;

	for (int i = 0; i < pins->nrows && !matter; i++)
		matter = pins->rows[i].lot[0] != '\0' || pins->rows[i].expiry != DATEVAL_NOEND;
	for (int i = 0; i < pins->nrows && matter; i++)
	{
		const LotRow *row = &pins->rows[i];

		lots_add(&lots, row->key, lot_until(row->expiry, pin_number(pins, row->lot, NULL)), row->quantity, 0);
	}
	for (int i = 0; i < pins->npins; i++)
	{
		const LotPin *pin = &pins->pins[i];

		lots_add(&lots, pin->needed_on, lot_until(pin->min_expiry, pin_number(pins, pin->lot, NULL)), 0,
				 pin->quantity);
	}
	for (int i = 0; i < others->n / LOT_LONGS && matter; i++)
	{
		if (supply_key_late(groups[i].until) == 0)
			lots_add(&lots, groups[i].key, groups[i].until, 0, groups[i].demand);
	}
	pos->lots = lots;
	position_set_special(pos);
}

/* Make the groups anew; see lots_sum(), which knows when there are any. */
void
lots_pin_sum(Position *pos, const LotRow *rows, int nrows, EngineMode mode)
{
	LotPins    *old = pos->pins;
	LotPins    *pins = make_pins(pos, rows, nrows);
	Longs		others = {0};

	if (pos->lots.n > 0)
		others = pos->lots;
	if (old != NULL)
	{
		for (int i = 0; i < old->npins; i++)
			add_pin(pins, old->pins[i].lot, old->pins[i].needed_on, old->pins[i].min_expiry,
					old->pins[i].quantity);
	}
	if (old == NULL || pos->lots.n == 0)
		read_bookings(pos, old == NULL ? pins : make_pins(pos, rows, 0), pos->lots.n == 0 ? &others : NULL,
					  mode);
	pos->pins = pins;
	rebuild(pos, pins, &others);
}

/* A position with the same lots, to try bookings on that nobody makes. */
Position *
lots_copy(const Position *pos)
{
	Position   *copy = palloc(sizeof(Position));

	*copy = *pos;
	memset(&copy->lots, 0, sizeof(copy->lots));
	if (pos->lots.n > 0)
		longs_add(&copy->lots, pos->lots.n, pos->lots.v);
	if (pos->pins != NULL)
	{
		copy->pins = make_pins(pos, pos->pins->rows, pos->pins->nrows);
		for (int i = 0; i < pos->pins->npins; i++)
		{
			const LotPin *pin = &pos->pins->pins[i];

			add_pin(copy->pins, pin->lot, pin->needed_on, pin->min_expiry, pin->quantity);
		}
	}
	return copy;
}

void
lots_pin_book(Position *pos, const StockBooking *b, int64 quantity)
{
	Longs		others = pos->lots;

	if (pos->pins == NULL)
		pos->pins = load_pins(pos);
	add_pin(pos->pins, b->lot, b->needed_on, b->min_expiry, quantity);
	rebuild(pos, pos->pins, &others);
}

/*
 * Holds are demand for any lot in the position; here, where the codes are
 * known, those that are pinned become demand for their lot.  What of them has
 * no row yet stays demand for any.
 */
static void
pin_holds(LotBookBuilder *b, int first, const LotPins *pins, const LotPin *holds, int nholds)
{
	for (int i = 0; i < nholds; i++)
	{
		const LotPin *hold = &holds[i];
		int64		left = hold->quantity;
		int			ndemands = b->ndemands;

		for (int j = first; j < ndemands && left > 0; j++)
		{
			LotDemand  *d = &b->demands[j];
			int64		part = Min(d->quantity, left);

			/* a demand of 0 is nobody's */
			if (d->pin != 0 || part == 0 || d->day != hold->needed_on ||
				(d->min_expiry != hold->min_expiry && d->min_expiry != DATEVAL_NOBEGIN))
				continue;
			left -= part;
			if (part == d->quantity)
				d->pin = pin_number(pins, hold->lot, NULL);
			else
			{
				d->quantity -= part;
				b->demands = repalloc(b->demands, sizeof(LotDemand) * (b->ndemands + 1));
				b->demands[b->ndemands] = b->demands[j];
				b->demands[b->ndemands].quantity = part;
				b->demands[b->ndemands++].pin = pin_number(pins, hold->lot, NULL);
			}
		}
	}
}

/* The rows of holds that are pinned and have not expired at a time. */
static int
load_held_pins(const Position *pos, TimestampTz now, LotPin **holds)
{
	Datum		args[4];
	int			n = 0;

	*holds = NULL;
	if (pos->holds.n == 0)
		return 0;
	key_arguments(&pos->key, args);
	args[3] = TimestampTzGetDatum(now);
	n = (int) engine_exec(&plan_holds, args, NULL, pos->locked ? ENGINE_FRESH : ENGINE_READ);
	*holds = palloc(sizeof(LotPin) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*holds)[i] = read_pin(i);
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Let a lot have a number although nothing is pinned to it. */
static void
number_lot(LotPins *pins, const char *lot)
{
	if (pin_number(pins, lot, NULL) != 0 || lot[0] == '\0')
		return;
	add_pin(pins, lot, 0, 0, 1);
	pins->pins[pins->npins - 1].quantity = 0;
}

/*
 * Fill a builder with all that is known of a position's lots, unexpired holds
 * included, each for its lot if it is pinned.  Returns the number of "lot", or
 * 0 for any, and -1 if it is not there.
 */
int32
lots_pin_builder(LotBookBuilder *b, const Position *pos, DateADT today, TimestampTz now, const char *lot)
{
	MemoryContext caller = CurrentMemoryContext;
	const LotPins *known;
	LotPins    *pins;
	LotPin	   *holds;
	const LotGroup *groups = lots_groups(pos);
	int			nholds;
	int			first;
	int32		pin = lot[0] == '\0' ? 0 : -1;

	/* a connection of its own leaves the caller's result alone */
	SPI_connect();
	known = pos->pins != NULL ? pos->pins : load_pins(pos);
	for (int i = 0; i < known->nrows && pin < 0; i++)
	{
		if (strcmp(known->rows[i].lot, lot) == 0)
			pin = 0;
	}
	nholds = load_held_pins(pos, now, &holds);

	pins = palloc(sizeof(LotPins));
	*pins = *known;
	pins->context = CurrentMemoryContext;
	pins->capacity = pins->npins;
	pins->pins = palloc(sizeof(LotPin) * Max(pins->npins, 1));
	if (pins->npins > 0)
		memcpy(pins->pins, known->pins, sizeof(LotPin) * pins->npins);
	number_lot(pins, lot);
	for (int i = 0; i < nholds; i++)
		number_lot(pins, holds[i].lot);

	MemoryContextSwitchTo(caller);
	lots_builder_init(b, today, pins->nrows, pins->npins + lots_ngroups(pos) + pos->holds.n);
	for (int i = 0; i < pins->nrows; i++)
		lots_builder_supply(b, pins->rows[i].key, pins->rows[i].expiry,
							pin_number(pins, pins->rows[i].lot, NULL), pins->rows[i].quantity);
	for (int i = 0; i < pins->npins; i++)
		lots_builder_demand(b, pins->pins[i].needed_on, pins->pins[i].min_expiry,
							pin_number(pins, pins->pins[i].lot, NULL), pins->pins[i].quantity);
	for (int i = 0; i < lots_ngroups(pos); i++)
	{
		if (supply_key_late(groups[i].until) == 0)
			lots_builder_demand(b, supply_key_day(groups[i].key), supply_key_day(groups[i].until), 0,
								groups[i].demand);
	}
	first = b->ndemands;
	lots_builder_holds(b, pos, now);
	pin_holds(b, first, pins, holds, nholds);
	if (pin == 0)
		pin = pin_number(pins, lot, NULL);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return pin;
}

/* What a lot offers to who wants that one only; nothing if it is not there. */
int
lots_pin_offer(const Position *pos, const OfferRequest *req, AtpStep **steps)
{
	LotBookBuilder b;
	int32		pin = lots_pin_builder(&b, pos, req->today, req->now, req->lot);

	*steps = NULL;
	return pin < 0 ? 0 : lots_builder_steps(&b, req->life, pin, steps);
}
