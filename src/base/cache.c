/*
 * cache.c
 *		OIDs of our tables, and generations that tell when cached data is stale.
 *
 * Each table has a generation that its relcache invalidation raises: DDL does
 * so, and the statement trigger reference_changed() on the tables whose rows
 * are cached.  Who caches rows remembers the generation they were read at.
 *
 * There is exactly one relcache callback (a backend has ten slots for all
 * extensions together), registered on first use.  It only changes memory.
 */
#include "base/cache.h"


#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static const char *const table_names[NUM_ENGINE_TABLES] = {
	"tenant", "tenant_member", "node", "zone_area", "service", "lane",
	"channel", "customer", "item", "policy", "binding", "binding_watch",
	"pending", "position", "event", "sales_order", "sales_order_line",
	"reservation", "decision", "deleted_order", "supply_rule", "claim",
	"item_uom", "calendar", "calendar_day", "pickup", "service_state", "capacity", "capacity_use",
	"capacity_booking", "restriction", "item_component", "item_substitute", "open_shipment",
	"stream_epoch", "event_type", "event_seq"
};

static Oid	relids[NUM_ENGINE_TABLES];
static uint64 generations[NUM_ENGINE_TABLES];
static uint64 members_generation = 1;
static bool registered = false;

static void
relcache_callback(Datum arg, Oid relid)
{
	for (int i = 0; i < NUM_ENGINE_TABLES; i++)
	{
		if (!OidIsValid(relid) || relids[i] == relid)
		{
			/* the OID is looked up again: the extension may be made anew */
			relids[i] = InvalidOid;
			generations[i]++;
		}
	}
}

static void
membership_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	members_generation++;
}

static void
register_callbacks(void)
{
	if (registered)
		return;
	for (int i = 0; i < NUM_ENGINE_TABLES; i++)
		generations[i] = 1;
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, membership_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, membership_callback, (Datum) 0);
	registered = true;
}

/* OID of one of our tables or indexes. */
Oid
engine_relid(EngineTable table)
{
	register_callbacks();
	if (!OidIsValid(relids[table]))
	{
		Oid			namespace = get_namespace_oid("routing", true);
		Oid			relid = InvalidOid;

		if (OidIsValid(namespace))
			relid = get_relname_relid(table_names[table], namespace);
		if (!OidIsValid(relid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("relation \"routing.%s\" does not exist",
							table_names[table]),
					 errhint("Run CREATE EXTENSION routing.")));
		relids[table] = relid;
	}
	return relids[table];
}

/*
 * Generation of the table's rows.  Rows read after this call are at least as
 * new as the generation says.
 */
uint64
engine_generation(EngineTable table)
{
	(void) engine_relid(table);
	return generations[table];
}

/* Changes when roles or their memberships change. */
uint64
membership_generation(void)
{
	register_callbacks();
	return members_generation;
}

PG_FUNCTION_INFO_V1(routing_reference_changed);

/* Whether a row of routing.pending is of no binding: nobody caches these. */
static bool
is_of_no_binding(HeapTuple row, TupleDesc desc)
{
	char	   *binding = SPI_getvalue(row, desc, SPI_fnumber(desc, "binding"));

	return binding != NULL && binding[0] == '\0';
}

/*
 * Statement trigger on a table whose rows backends cache; of routing.pending
 * a row trigger, since orders come and go there all the time.
 */
Datum
routing_reference_changed(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"reference_changed")));
	if (TRIGGER_FIRED_FOR_ROW(tg->tg_event) &&
		is_of_no_binding(tg->tg_trigtuple, RelationGetDescr(tg->tg_relation)) &&
		(!TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ||
		 is_of_no_binding(tg->tg_newtuple, RelationGetDescr(tg->tg_relation))))
		return PointerGetDatum(NULL);
	CacheInvalidateRelcache(tg->tg_relation);
	return PointerGetDatum(NULL);
}
