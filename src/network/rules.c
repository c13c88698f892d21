/*
 * rules.c
 *		What nodes and services may serve, apart from stock: cached reference data.
 *
 * Read with one look at three tables when a network is first asked for it, and
 * kept with that network: it goes when the network goes.  Nothing of it exists
 * for most tenants, and then asking costs a few comparisons.
 */
#include "network/rules.h"

#include "base/engine.h"
#include "network/network_data.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#include <math.h>

#define EARTH_RADIUS_KM	6371.0088	/* mean radius, IUGG */

static EnginePlan plan_nodes = {
	"SELECT node, kind, channels, hazmat_classes, latitude, longitude FROM routing.node WHERE tenant_id = $1",
	1, {INT4OID}, NULL
};

static EnginePlan plan_services = {
	"SELECT service FROM routing.service WHERE tenant_id = $1 AND hazmat ORDER BY service",
	1, {INT4OID}, NULL
};

static EnginePlan plan_restrictions = {
	"SELECT restriction, item, item_class, node, channel, country, zone, customer_group, service, reason"
	" FROM routing.restriction WHERE tenant_id = $1 ORDER BY item NULLS FIRST, restriction",
	1, {INT4OID}, NULL
};

/* The texts of an array, none of them null; -1 if the array itself is. */
static int
texts_of(int row, int col, char ***texts)
{
	bool		isnull;
	Datum		d = spi_datum(row, col, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			used = 0;

	*texts = NULL;
	if (isnull)
		return -1;
	deconstruct_array(DatumGetArrayTypeP(d), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	*texts = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			(*texts)[used++] = TextDatumGetCString(elements[i]);
	}
	return used;
}

static void
load_nodes(NetRules *rules, const Network *net, Datum *args, MemoryContext context)
{
	const NetNode *all;
	int			nnodes = network_nodes(net, &all);
	int			n = (int) engine_exec(&plan_nodes, args, NULL, ENGINE_FRESH);
	MemoryContext old = MemoryContextSwitchTo(context);

	rules->nodes = palloc0(sizeof(NodeRules) * Max(nnodes, 1));
	for (int i = 0; i < nnodes; i++)
	{
		rules->nodes[i].nchannels = -1;
		rules->nodes[i].kind = "";
	}
	for (int i = 0; i < n; i++)
	{
		char	   *code = spi_text(i, 1);
		int			index = network_find_node(net, code);
		NodeRules  *node;
		bool		no_latitude;
		bool		no_longitude;

		pfree(code);
		if (index < 0)
			continue;			/* made since the nodes were read */
		node = &rules->nodes[index];
		node->kind = spi_text(i, 2);
		node->nchannels = texts_of(i, 3, &node->channels);
		rules->any_channels |= node->nchannels >= 0;
		node->nhazmat = Max(texts_of(i, 4, &node->hazmat), 0);
		node->latitude = DatumGetFloat8(spi_datum(i, 5, &no_latitude));
		node->longitude = DatumGetFloat8(spi_datum(i, 6, &no_longitude));
		node->has_place = !no_latitude && !no_longitude;
	}
	SPI_freetuptable(SPI_tuptable);
	MemoryContextSwitchTo(old);
}

static void
load_others(NetRules *rules, Datum *args, MemoryContext context)
{
	int			n = (int) engine_exec(&plan_services, args, NULL, ENGINE_FRESH);
	MemoryContext old = MemoryContextSwitchTo(context);

	rules->hazmat_services = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		rules->hazmat_services[rules->nhazmat_services++] = spi_text(i, 1);
	SPI_freetuptable(SPI_tuptable);
	n = (int) engine_exec(&plan_restrictions, args, NULL, ENGINE_FRESH);
	rules->restrictions = palloc0(sizeof(NetRestriction) * Max(n, 1));
	rules->nrestrictions = n;
	for (int i = 0; i < n; i++)
	{
		NetRestriction *r = &rules->restrictions[i];

		r->restriction = spi_text(i, 1);
		r->item = spi_text(i, 2);
		r->item_class = spi_text(i, 3);
		r->node = spi_text(i, 4);
		r->channel = spi_text(i, 5);
		r->country = spi_text(i, 6);
		r->zone = spi_text(i, 7);
		r->customer_group = spi_text(i, 8);
		r->service = spi_text(i, 9);
		r->reason = spi_text(i, 10);
		rules->nany += r->item == NULL;
	}
	SPI_freetuptable(SPI_tuptable);
	MemoryContextSwitchTo(old);
}

/* The rules of a network; valid as long as it is. */
const NetRules *
network_rules(const Network *net)
{
	NetRules   *rules;
	Datum		args[1];
	EngineScope scope;

	if (net->rules != NULL)
		return net->rules;
	rules = MemoryContextAllocZero(net->context, sizeof(NetRules));
	args[0] = Int32GetDatum(net->tenant_id);
	engine_enter(&scope);
	SPI_connect();
	load_nodes(rules, net, args, net->context);
	load_others(rules, args, net->context);
	SPI_finish();
	engine_leave(&scope);
	unconstify(Network *, net)->rules = rules;
	return rules;
}

/* The restrictions of one item; how many they are. */
int
rules_of_item(const NetRules *rules, const char *item, const NetRestriction **first)
{
	int			low = rules->nany;
	int			high = rules->nrestrictions;
	int			n = 0;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (strcmp(rules->restrictions[middle].item, item) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = &rules->restrictions[low];
	while (low + n < rules->nrestrictions && strcmp(rules->restrictions[low + n].item, item) == 0)
		n++;
	return n;
}

bool
rules_list_has(char *const *list, int n, const char *code)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(list[i], code) == 0)
			return true;
	}
	return false;
}

static double
to_radians(double degrees)
{
	return degrees * M_PI / 180;
}

/*
 * Great-circle distance from a node in whole kilometers, or KM_UNKNOWN.  The
 * haversine formula; it is rounded here, and nothing finer is ever compared.
 */
int
node_distance(const NodeRules *node, double latitude, double longitude)
{
	double		a;
	double		b;
	double		h;

	if (!node->has_place)
		return KM_UNKNOWN;
	a = sin(to_radians(latitude - node->latitude) / 2);
	b = sin(to_radians(longitude - node->longitude) / 2);
	h = a * a + cos(to_radians(latitude)) * cos(to_radians(node->latitude)) * b * b;
	return (int) rint(2 * EARTH_RADIUS_KM * asin(Min(sqrt(h), 1)));
}
