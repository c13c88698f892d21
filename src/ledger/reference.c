/*
 * reference.c
 *		Whether codes that a caller gave are known, and what to say if not.
 */
#include "ledger/reference.h"

#include "base/engine.h"

#include "catalog/pg_type.h"

static EnginePlan plan_item = {
	"SELECT 1 FROM routing.item WHERE tenant_id = $1 AND item = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_uom = {
	"SELECT uom FROM routing.item WHERE tenant_id = $1 AND item = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_life = {
	"SELECT min_life_days FROM routing.item WHERE tenant_id = $1 AND item = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_channel = {
	"SELECT 1 FROM routing.channel WHERE tenant_id = $1 AND channel = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static bool
code_exists(EnginePlan *plan, int32 tenant_id, const char *code)
{
	Datum		args[2];
	bool		found;
	EngineScope scope;

	engine_enter(&scope);
	SPI_connect();
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(code);
	found = engine_exec(plan, args, NULL, ENGINE_READ) > 0;
	SPI_finish();
	engine_leave(&scope);
	return found;
}

bool
item_exists(int32 tenant_id, const char *item)
{
	return code_exists(&plan_item, tenant_id, item);
}

/* Days of use that must be left of an item at delivery, if nobody asks for more. */
int32
item_min_life(int32 tenant_id, const char *item)
{
	Datum		args[2];
	int32		days = 0;
	EngineScope scope;
	bool		isnull;

	engine_enter(&scope);
	SPI_connect();
	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(item);
	if (engine_exec(&plan_life, args, NULL, ENGINE_READ) > 0)
		days = DatumGetInt32(spi_datum(0, 1, &isnull));
	SPI_finish();
	engine_leave(&scope);
	return days;
}

bool
channel_exists(int32 tenant_id, const char *channel)
{
	return code_exists(&plan_channel, tenant_id, channel);
}

/* "where" says which row or field it was, ending in a blank, or is empty. */
void
fault_unknown_item(Fault *fault, const char *where, const char *item)
{
	fault_set(fault, RT_UNKNOWN_ITEM, "Insert it into routing.item first, or correct the code.",
			  "%sitem \"%s\" is unknown", where, item);
}

void
fault_unknown_node(Fault *fault, const char *where, const char *node)
{
	fault_set(fault, RT_UNKNOWN_NODE, "Insert it into routing.node first, or correct the code.",
			  "%snode \"%s\" is unknown", where, node);
}

/* The node that a caller named; an unknown one is an error. */
const NetNode *
require_node(const Network *net, const char *node)
{
	const NetNode *found = network_node(net, node);
	Fault		fault = {0};

	if (found == NULL)
	{
		fault_unknown_node(&fault, "", node);
		fault_raise(&fault);
	}
	return found;
}

void
fault_unknown_channel(Fault *fault, const char *channel)
{
	fault_set(fault, RT_UNKNOWN_CHANNEL, "Insert it into routing.channel first, or correct the code.",
			  "channel \"%s\" is unknown", channel);
}

/* The unit of an item; NULL: there is no such item. */
const char *
item_uom(int32 tenant_id, const char *item)
{
	Datum		args[2];
	char	   *uom;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = CStringGetTextDatum(item);
	uom = engine_exec(&plan_uom, args, NULL, ENGINE_FRESH) > 0 ? spi_text(0, 1) : NULL;
	SPI_freetuptable(SPI_tuptable);
	return uom;
}
