/*
 * network.c
 *		Nodes, zones and lanes of a tenant, cached in the backend.
 *
 * A Network is read whole, except for the lanes, which are read zone by zone
 * on first use (a large network has millions).  When one of its tables has
 * changed a new Network is built and the old one lives on until the end of
 * the transaction, since callers may hold pointers into it: take the Network
 * once per decision and keep to it.
 */
#include "network/network_data.h"

#include "base/cache.h"
#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "access/xact.h"

/* keys longer than this do not fit the caches and are cut off by name */
#define CODE_MAX	128

typedef struct NodeEntry
{
	char		code[CODE_MAX];
	int			index;
} NodeEntry;

typedef struct AreaEntry
{
	char		area[CODE_MAX]; /* country, NUL-safe separator, prefix */
	char	   *zone;
} AreaEntry;

typedef struct ZoneEntry
{
	char		zone[CODE_MAX];
	ZoneLanes  *lanes;
} ZoneEntry;

static Network *networks = NULL;

static EnginePlan plan_nodes = {
	"SELECT node, name, rank, status = 'open', handling_cost, time_zone, dock_days, stock_feed,"
	" calendar, handling_days, cut_off, min_shipment_value"
	" FROM routing.node WHERE tenant_id = $1 ORDER BY rank, node",
	1, {INT4OID}, NULL
};

static EnginePlan plan_areas = {
	"SELECT country, postal_prefix, zone FROM routing.zone_area WHERE tenant_id = $1",
	1, {INT4OID}, NULL
};

static EnginePlan plan_lanes = {
	"SELECT l.node, l.service, l.transit_days, l.base_cost, l.cost_per_kg, s.status = 'open',"
	" s.calendar, s.risk, coalesce(s.max_weight_kg, 0)"
	" FROM routing.lane l"
	" JOIN routing.service s ON s.tenant_id = l.tenant_id AND s.service = l.service"
	" JOIN routing.node n ON n.tenant_id = l.tenant_id AND n.node = l.node"
	" WHERE l.tenant_id = $1 AND l.zone = $2"
	" ORDER BY n.rank, n.node, l.service",
	2, {INT4OID, TEXTOID}, NULL
};

static uint64
current_generation(void)
{
	return engine_generation(TAB_NODE) + engine_generation(TAB_ZONE_AREA) +
		engine_generation(TAB_LANE) + engine_generation(TAB_SERVICE) +
		engine_generation(TAB_CALENDAR) + engine_generation(TAB_CALENDAR_DAY) +
		engine_generation(TAB_PICKUP) + engine_generation(TAB_RESTRICTION);
}

static HTAB *
string_table(MemoryContext cxt, const char *name, Size entrysize)
{
	HASHCTL		ctl;

	ctl.keysize = CODE_MAX;
	ctl.entrysize = entrysize;
	ctl.hcxt = cxt;
	return hash_create(name, 128, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

static void
area_key(char *key, const char *country, const char *prefix, int prefixlen)
{
	snprintf(key, CODE_MAX, "%s\t%.*s", country, prefixlen, prefix);
}

static void
load_nodes(Network *net)
{
	Datum		args[1];
	MemoryContext old;
	int			n;

	args[0] = Int32GetDatum(net->tenant_id);
	n = (int) engine_exec(&plan_nodes, args, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(net->context);
	net->nodes = palloc0(sizeof(NetNode) * Max(n, 1));
	net->nnodes = n;
	for (int i = 0; i < n; i++)
	{
		NetNode	   *node = &net->nodes[i];
		NodeEntry  *entry;
		bool		isnull;
		char		code[CODE_MAX];

		node->node = spi_text(i, 1);
		node->name = spi_text(i, 2);
		node->rank = DatumGetInt32(spi_datum(i, 3, &isnull));
		node->open = DatumGetBool(spi_datum(i, 4, &isnull));
		node->handling = scaled_from_datum(spi_datum(i, 5, &isnull));
		node->zone_name = spi_text(i, 6);
		node->dock_days = DatumGetInt32(spi_datum(i, 7, &isnull));
		node->stock_feed = DatumGetBool(spi_datum(i, 8, &isnull));
		node->calendar = network_calendar(net, spi_text(i, 9));
		node->handling_days = DatumGetInt32(spi_datum(i, 10, &isnull));
		node->cut_off = DatumGetTimeADT(spi_datum(i, 11, &isnull));
		node->min_shipment_value = scaled_from_datum(spi_datum(i, 12, &isnull));
		node->tz = pg_tzset(node->zone_name);
		if (node->tz == NULL || !pg_tz_acceptable(node->tz))
			node->tz = pg_tzset("GMT"); /* doctor() tells */
		strlcpy(code, node->node, CODE_MAX);
		entry = hash_search(net->by_code, code, HASH_ENTER, NULL);
		entry->index = i;
	}
	MemoryContextSwitchTo(old);
}

static void
load_areas(Network *net)
{
	Datum		args[1];
	MemoryContext old;
	int			n;

	args[0] = Int32GetDatum(net->tenant_id);
	n = (int) engine_exec(&plan_areas, args, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(net->context);
	for (int i = 0; i < n; i++)
	{
		char	   *country = spi_text(i, 1);
		char	   *prefix = spi_text(i, 2);
		char		key[CODE_MAX];
		AreaEntry  *entry;

		area_key(key, country, prefix, (int) strlen(prefix));
		entry = hash_search(net->areas, key, HASH_ENTER, NULL);
		entry->zone = spi_text(i, 3);
		net->longest_prefix = Max(net->longest_prefix, (int) strlen(prefix));
		pfree(country);
		pfree(prefix);
	}
	MemoryContextSwitchTo(old);
}

/*
 * The network of a tenant as of the last change of its tables.  The result
 * stays valid until the end of the transaction.
 */
const Network *
network_get(int32 tenant_id)
{
	uint64		generation = current_generation();
	Network    *net;
	Network   **link;
	MemoryContext context;
	EngineScope scope;

	for (link = &networks; (net = *link) != NULL; link = &net->next)
	{
		if (net->tenant_id != tenant_id)
			continue;
		if (net->generation == generation)
			return net;
		*link = net->next;
		MemoryContextSetParent(net->context, TopTransactionContext);
		break;
	}

	/* built aside: an error leaves no half-filled cache */
	context = AllocSetContextCreate(CurrentMemoryContext, "routing network",
									ALLOCSET_DEFAULT_SIZES);
	net = MemoryContextAllocZero(context, sizeof(Network));
	net->context = context;
	net->tenant_id = tenant_id;
	net->generation = generation;
	net->by_code = string_table(context, "routing nodes", sizeof(NodeEntry));
	net->areas = string_table(context, "routing zone areas", sizeof(AreaEntry));
	net->zones = string_table(context, "routing zones", sizeof(ZoneEntry));

	engine_enter(&scope);
	SPI_connect();
	network_load_calendars(net);
	load_nodes(net);
	network_load_pickups(net);
	load_areas(net);
	SPI_finish();
	engine_leave(&scope);

	MemoryContextSetParent(context, CacheMemoryContext);
	net->next = networks;
	networks = net;
	return net;
}

/* All nodes, by rank, then code. */
int
network_nodes(const Network *net, const NetNode **nodes)
{
	*nodes = net->nodes;
	return net->nnodes;
}

/* What lives in it lives as long as the network. */
MemoryContext
network_context(const Network *net)
{
	return net->context;
}

/* Index of a node, or -1. */
int
network_find_node(const Network *net, const char *node)
{
	char		code[CODE_MAX];
	NodeEntry  *entry;

	strlcpy(code, node, CODE_MAX);
	entry = hash_search(net->by_code, code, HASH_FIND, NULL);
	return entry ? entry->index : -1;
}

/* The node, or NULL. */
const NetNode *
network_node(const Network *net, const char *node)
{
	int			i = network_find_node(net, node);

	return i < 0 ? NULL : &net->nodes[i];
}

/* Zone of a destination: the longest prefix of its postal code; NULL if none. */
const char *
network_zone(const Network *net, const char *country, const char *postal_code)
{
	int			len = Min((int) strlen(postal_code), net->longest_prefix);

	for (; len >= 0; len--)
	{
		char		key[CODE_MAX];
		AreaEntry  *entry;

		area_key(key, country, postal_code, len);
		entry = hash_search(net->areas, key, HASH_FIND, NULL);
		if (entry != NULL)
			return entry->zone;
	}
	return NULL;
}

/* A lane that is not used; "max": of all lanes. */
static void
add_closed(ZoneLanes *zl, const Lane *lane, int max, const char *reason)
{
	ClosedLane *closed;

	if (zl->closed == NULL)
		zl->closed = palloc(sizeof(ClosedLane) * max);
	closed = &zl->closed[zl->nclosed++];
	closed->node = lane->node;
	closed->service = lane->service;
	closed->reason = reason;
}

/* Lanes into a zone. */
const ZoneLanes *
network_lanes(const Network *net, const char *zone)
{
	char		code[CODE_MAX];
	ZoneEntry  *entry;
	Datum		args[2];
	ZoneLanes  *zl;
	MemoryContext old;
	EngineScope scope;
	int			n;

	strlcpy(code, zone, CODE_MAX);
	entry = hash_search(net->zones, code, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->lanes;

	engine_enter(&scope);
	SPI_connect();
	args[0] = Int32GetDatum(net->tenant_id);
	args[1] = CStringGetTextDatum(zone);
	n = (int) engine_exec(&plan_lanes, args, NULL, ENGINE_FRESH);
	old = MemoryContextSwitchTo(net->context);
	zl = palloc0(sizeof(ZoneLanes));
	zl->zone = pstrdup(zone);
	zl->lanes = palloc0(sizeof(Lane) * Max(n, 1));
	zl->plan_nodes = palloc0(sizeof(void *));
	for (int i = 0; i < n; i++)
	{
		Lane	   *lane = &zl->lanes[zl->nlanes];
		char	   *node = spi_text(i, 1);
		bool		isnull;

		lane->node = network_find_node(net, node);
		pfree(node);
		if (lane->node < 0)
			continue;			/* made since the nodes were read */
		lane->service = spi_text(i, 2);
		lane->transit_days = DatumGetInt32(spi_datum(i, 3, &isnull));
		lane->base = scaled_from_datum(spi_datum(i, 4, &isnull));
		lane->per_kg = scaled_from_datum(spi_datum(i, 5, &isnull));
		lane->transit = network_calendar(net, spi_text(i, 7));
		lane->risk = scaled_from_datum(spi_datum(i, 8, &isnull));
		lane->max_weight = scaled_from_datum(spi_datum(i, 9, &isnull));
		if (!DatumGetBool(spi_datum(i, 6, &isnull)))
			add_closed(zl, lane, n, "the service is closed");
		else if (!network_pickup(net, &net->nodes[lane->node], lane))
			add_closed(zl, lane, n, "the service has no pick-up at the node");
		else
			zl->nlanes++;
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	engine_leave(&scope);

	entry = hash_search(net->zones, code, HASH_ENTER, NULL);
	entry->lanes = zl;
	return zl;
}
