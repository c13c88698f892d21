/*
 * calendars.c
 *		Calendars of a tenant, and when carrier services pick up at nodes.
 *
 * Both are read with the Network that they belong to and live as long.
 */
#include "network/network_data.h"

#include "base/engine.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/datetime.h"

/*
 * Bit n of a week is for days whose number is n modulo 7; day 0, 2000-01-01,
 * was a Saturday.  Of the days only those matter that depart from the week.
 */
static EnginePlan plan_calendars = {
	"SELECT c.calendar,"
	" (SELECT coalesce(bit_or(1 << ((w + 1) % 7)), 0) FROM unnest(c.weekdays) w),"
	" ARRAY(SELECT d.day FROM routing.calendar_day d"
	"  WHERE d.tenant_id = c.tenant_id AND d.calendar = c.calendar"
	"   AND d.open <> (extract(isodow FROM d.day)::int = ANY (c.weekdays)) ORDER BY d.day)"
	" FROM routing.calendar c WHERE c.tenant_id = $1 ORDER BY c.calendar",
	1, {INT4OID}, NULL
};

static EnginePlan plan_pickups = {
	"SELECT p.node, p.service, (p.weekday + 1) % 7, max(p.cut_off) FROM routing.pickup p"
	" WHERE p.tenant_id = $1 GROUP BY p.node, p.service, p.weekday ORDER BY p.node, p.service",
	1, {INT4OID}, NULL
};

static EnginePlan plan_picked_up = {
	"SELECT DISTINCT p.service FROM routing.pickup p WHERE p.tenant_id = $1 ORDER BY p.service",
	1, {INT4OID}, NULL
};

/* number of days in the eternity of a calendar that has no open day any more */
#define NEVER_STOCK		(date2j(3001, 12, 31) - POSTGRES_EPOCH_JDATE)

static int
day_of_week(DateADT day)
{
	int			rest = day % 7;

	return rest < 0 ? rest + 7 : rest;
}

/* SPI is connected. */
void
network_load_calendars(Network *net)
{
	Datum		args[1];
	MemoryContext old;
	int			n;

	args[0] = Int32GetDatum(net->tenant_id);
	n = (int) engine_exec(&plan_calendars, args, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(net->context);
	net->calendars = palloc0(sizeof(NamedCalendar) * Max(n, 1));
	net->ncalendars = n;
	for (int i = 0; i < n; i++)
	{
		NamedCalendar *c = &net->calendars[i];
		bool		isnull;
		Datum	   *days;
		int			ndays;
		int32	   *exceptions;

		c->code = spi_text(i, 1);
		c->days.week = (uint8_t) DatumGetInt32(spi_datum(i, 2, &isnull));
		deconstruct_array(DatumGetArrayTypeP(spi_datum(i, 3, &isnull)), DATEOID, sizeof(DateADT), true,
						  TYPALIGN_INT, &days, NULL, &ndays);
		exceptions = palloc(sizeof(int32) * Max(ndays, 1));
		for (int k = 0; k < ndays; k++)
			exceptions[k] = DatumGetDateADT(days[k]);
		c->days.nexceptions = ndays;
		c->days.exceptions = exceptions;
		pfree(days);
	}
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
}

/* A calendar by its code; NULL, every day is open, for a null pointer. */
const Calendar *
network_calendar(const Network *net, const char *code)
{
	int			low = 0;
	int			high = code == NULL ? 0 : net->ncalendars;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			c = strcmp(net->calendars[middle].code, code);

		if (c == 0)
			return &net->calendars[middle].days;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/*
 * Days of the pick-up's week on which the node works.  Days that the node
 * works beyond its week count if they are of the pick-up's.
 */
static void
restrict_to(Calendar *days, const Calendar *node)
{
	uint8_t		week = days->week;
	int32	   *exceptions;
	int			n = 0;

	if (node == NULL)
		return;
	days->week &= node->week;
	exceptions = palloc(sizeof(int32) * Max(node->nexceptions, 1));
	for (int i = 0; i < node->nexceptions; i++)
	{
		if ((week >> day_of_week(node->exceptions[i])) & 1)
			exceptions[n++] = node->exceptions[i];
	}
	days->nexceptions = n;
	days->exceptions = exceptions;
}

/* After the nodes; SPI is connected. */
void
network_load_pickups(Network *net)
{
	Datum		args[1];
	MemoryContext old;
	int			n;

	args[0] = Int32GetDatum(net->tenant_id);
	n = (int) engine_exec(&plan_pickups, args, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(net->context);
	net->pickups = palloc0(sizeof(Pickup) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Pickup	   *p = &net->pickups[Max(net->npickups - 1, 0)];
		char	   *node = spi_text(i, 1);
		char	   *service = spi_text(i, 2);
		bool		isnull;
		int			weekday = DatumGetInt32(spi_datum(i, 3, &isnull));

		if (net->npickups == 0 || strcmp(p->node, node) != 0 || strcmp(p->service, service) != 0)
		{
			p = &net->pickups[net->npickups++];
			p->node = node;
			p->service = service;
		}
		p->days.week |= (uint8_t) (1 << weekday);
		p->cut_offs[weekday] = DatumGetTimeADT(spi_datum(i, 4, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < net->npickups; i++)
	{
		int			node = network_find_node(net, net->pickups[i].node);

		if (node >= 0)
			restrict_to(&net->pickups[i].days, net->nodes[node].calendar);
	}
	if (net->npickups > 0)
	{
		n = (int) engine_exec(&plan_picked_up, args, NULL, ENGINE_FRESH);
		net->picked_up = palloc(sizeof(char *) * Max(n, 1));
		net->npicked_up = n;
		for (int i = 0; i < n; i++)
			net->picked_up[i] = spi_text(i, 1);
		SPI_freetuptable(SPI_tuptable);
	}
	MemoryContextSwitchTo(old);
}

static int
compare_service(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static int
compare_pickup(const void *a, const void *b)
{
	const Pickup *p = a;
	const Pickup *q = b;
	int			c = strcmp(p->node, q->node);

	return c != 0 ? c : strcmp(p->service, q->service);
}

/* When the lane's service picks up at its node; false: never. */
bool
network_pickup(const Network *net, const NetNode *node, Lane *lane)
{
	Pickup		key = {.node = node->node, .service = lane->service};
	const Pickup *p;

	lane->pickup = node->calendar;
	lane->cut_offs = NULL;
	if (net->npicked_up == 0 ||
		bsearch(&lane->service, net->picked_up, net->npicked_up, sizeof(char *), compare_service) == NULL)
		return true;
	p = bsearch(&key, net->pickups, net->npickups, sizeof(Pickup), compare_pickup);
	if (p == NULL)
		return false;
	lane->pickup = &p->days;
	lane->cut_offs = p->cut_offs;
	return p->days.week != 0 || p->days.nexceptions > 0;
}

/* The cut-off of the lane's pick-up of a day, as a time of that day. */
TimeADT
lane_cut_off(const Lane *lane, DateADT day)
{
	if (lane->cut_offs == NULL || !calendar_is_open(lane->pickup, day))
		return USECS_PER_DAY;
	return lane->cut_offs[day_of_week(day)];
}

/*
 * The day on which inbound that arrives on a day is stock at the node, which
 * may be NULL.  What needs days in the dock is taken in on the next day of work
 * and is stock so many of these later; the far end of all dates if the node
 * never works so many.
 */
DateADT
node_stock_day(const NetNode *node, DateADT day, int32 dock_days)
{
	int32		stock;

	if (node == NULL || node->calendar == NULL || dock_days <= 0)
		return day + dock_days;
	stock = calendar_after(node->calendar, calendar_from(node->calendar, day), dock_days);
	return stock == CALENDAR_NEVER ? NEVER_STOCK : stock;
}
