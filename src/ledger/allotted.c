/*
 * allotted.c
 *		From the tables to what a position knows of allotments, and back to SQL.
 *
 * Guarantee: allotments that contradict themselves are not committed.  Only
 * the settlement of a change of allotments or channels looks: a supply change
 * of the ERP is not refused for them.
 */
#include "ledger/allotment.h"

#include "base/clock.h"
#include "base/engine.h"
#include "base/json.h"
#include "base/notes.h"
#include "base/quantity.h"
#include "base/tenant.h"
#include "ledger/channels.h"
#include "ledger/reference.h"
#include "network/network.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(routing_note_channel);
PG_FUNCTION_INFO_V1(routing_allotment_figures);

static EnginePlan plan_allotments = {
	"SELECT channel, valid_from, valid_to, quota, max_quantity, buffer, rank FROM routing.allotment"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 ORDER BY channel, valid_from",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* bookings from before an item-node had allotments do not name their channel */
static EnginePlan plan_name_channels = {
	"UPDATE routing.reservation r SET channel = COALESCE("
	"  (SELECT o.channel FROM routing.sales_order o"
	"   WHERE o.tenant_id = r.tenant_id AND o.order_id = r.order_id),"
	"  (SELECT h.document ->> 'channel' FROM routing.hold h"
	"   WHERE r.order_id LIKE 'hold:%' AND h.tenant_id = r.tenant_id AND h.hold_id = substr(r.order_id, 6)))"
	" WHERE r.tenant_id = $1 AND r.item = $2 AND r.node = $3 AND r.\"to\" IS NULL AND r.channel IS NULL"
	"   AND (EXISTS (SELECT FROM routing.sales_order o WHERE o.tenant_id = r.tenant_id"
	"         AND o.order_id = r.order_id AND o.channel IS NOT NULL)"
	"    OR r.order_id LIKE 'hold:%')",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* what has been shipped stays consumed; dedicated supply is of no allotment */
static EnginePlan plan_consumed = {
	"SELECT channel, pool, ship_on, CASE WHEN state = 'hold' THEN expires_at END, sum(quantity)"
	" FROM (SELECT channel, pool, ship_on, state, expires_at, quantity FROM routing.reservation"
	"  WHERE tenant_id = $1 AND item = $2 AND node = $3 AND \"to\" IS NULL"
	"    AND (state IN ('firm', 'issued', 'planned') OR (state = 'hold' AND expires_at > $4))"
	"    AND (channel IS NOT NULL OR pool IS NOT NULL)"
	/* what has left stays consumed: see the index reservation_shipped */
	"  UNION ALL SELECT channel, pool, ship_on, state, expires_at, quantity FROM routing.reservation"
	"  WHERE tenant_id = $1 AND item = $2 AND node = $3"
	"    AND state = 'shipped' AND channel IS NOT NULL AND basis <> 'dedicated' AND ship_on >= $5) r"
	" GROUP BY 1, 2, 3, 4 ORDER BY 1",
	5, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID, DATEOID}, NULL
};

static int64
optional_scaled(int row, int col, int64 otherwise)
{
	bool		isnull;
	Datum		d = spi_datum(row, col, &isnull);

	return isnull ? otherwise : scaled_from_datum(d);
}

static void
sum_consumed(Position *pos, Datum *args)
{
	int			n;
	StockBooking *bookings;
	int64	   *quantities;
	char	  **channels;		/* nulls come last */
	const char **path = NULL;
	int			npath = 0;
	bool		locked = pos->locked;
	DateADT		since = DATEVAL_NOEND;

	for (int i = 0; i < pos->nallotted; i++)
		since = Min(since, (DateADT) pos->quotas.v[i * QUOTA_LONGS + Q_FROM]);
	args[3] = TimestampTzGetDatum(clock_now());
	args[4] = DateADTGetDatum(since);
	n = (int) engine_exec(&plan_consumed, args, NULL, ENGINE_FRESH);
	bookings = palloc0(sizeof(StockBooking) * Max(n, 1));
	quantities = palloc(sizeof(int64) * Max(n, 1));
	channels = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		channels[i] = spi_text(i, 1);
		bookings[i].pool = spi_text(i, 2);
		bookings[i].ship_on = DatumGetDateADT(spi_datum(i, 3, &isnull));
		bookings[i].expires_at = DatumGetTimestampTz(spi_datum(i, 4, &isnull));
		if (isnull)
			bookings[i].expires_at = 0;
		quantities[i] = optional_scaled(i, 5, 0);
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n && channels[i] != NULL; i++)
	{
		if (i == 0 || strcmp(channels[i], channels[i - 1]) != 0)
			npath = channel_path_now(pos->key.tenant_id, channels[i], &path);
		bookings[i].npath = npath;
		bookings[i].path = path;
	}
	/* the paths are those of now already */
	pos->locked = false;
	for (int i = 0; i < n; i++)
		allotment_book(pos, &bookings[i], quantities[i]);
	pos->locked = locked;
	pfree(bookings);
	pfree(quantities);
}

/*
 * Take over what allotments say, if there are the same as before: then what
 * was taken from them is known, and history need not be read again.  The
 * entries of a position are by channel and period, but for those of holds.
 */
static bool
take_over(Position *pos, const Longs *entries, char **channels)
{
	int			at = 0;

	for (int round = 0; round < 2; round++)
	{
		at = 0;
		for (int i = 0; i < pos->nallotted; i++)
		{
			int64	   *known = &pos->quotas.v[i * QUOTA_LONGS];
			const int64 *entry = &entries->v[at * QUOTA_LONGS];

			if (known[Q_QUOTA] < 0)
				continue;
			if (at * QUOTA_LONGS == entries->n || known[Q_FROM] != entry[Q_FROM] ||
				known[Q_TO] != entry[Q_TO] || strcmp(pos->allotted[i], channels[at]) != 0)
				return false;
			at++;
			if (round == 1)
				memcpy(&known[Q_QUOTA], &entry[Q_QUOTA], sizeof(int64) * (Q_CONSUMED - Q_QUOTA));
		}
		if (at * QUOTA_LONGS != entries->n)
			return false;
	}
	return true;
}

/*
 * Read the allotments of a locked position anew, and if they are others or
 * told to have changed, sum what was taken from them.  Errors: see
 * allotment_check().
 */
void
allotment_sum(Position *pos)
{
	Datum		args[5];
	int			n;
	bool		first = pos->quotas.n == 0;
	Longs		entries = {0};
	char	  **channels;

	position_key_args(&pos->key, args);
	n = (int) engine_exec(&plan_allotments, args, NULL, ENGINE_FRESH);
	channels = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		int64		entry[QUOTA_LONGS] = {0};
		bool		isnull;

		entry[Q_FROM] = DatumGetDateADT(spi_datum(i, 2, &isnull));
		entry[Q_TO] = DatumGetDateADT(spi_datum(i, 3, &isnull));
		entry[Q_QUOTA] = optional_scaled(i, 4, 0);
		entry[Q_LIMIT] = optional_scaled(i, 5, -1);
		entry[Q_BUFFER] = optional_scaled(i, 6, 0);
		entry[Q_RANK] = DatumGetInt32(spi_datum(i, 7, &isnull));
		channels[i] = spi_text(i, 1);
		longs_add(&entries, QUOTA_LONGS, entry);
	}
	SPI_freetuptable(SPI_tuptable);
	if (!pos->reallotted && (n > 0) != first && take_over(pos, &entries, channels))
		return;
	pos->quotas.n = 0;
	pos->nallotted = 0;
	for (int i = 0; i < n; i++)
		allotment_add(pos, channels[i], &entries.v[i * QUOTA_LONGS]);
	if (n > 0 && first)
		(void) engine_exec(&plan_name_channels, args, NULL, ENGINE_FRESH);
	if (n > 0)
		sum_consumed(pos, args);
	if (n > 0 && pos->reallotted)
		allotment_check(pos);
}

static void
check_number(HeapTuple tup, TupleDesc desc, const char *column, const char *where)
{
	bool		isnull;
	Datum		d = SPI_getbinval(tup, desc, SPI_fnumber(desc, column), &isnull);
	int64		value;
	ScaledStatus status = isnull ? SCALED_OK : scaled_from_numeric(DatumGetNumeric(d), &value);

	if (!isnull && (status != SCALED_OK || value < 0))
		ereport(ERROR,
				(errcode(RT_BAD_QUANTITY),
				 errmsg("%s: %s %s %s", where, column,
						SPI_getvalue(tup, desc, SPI_fnumber(desc, column)),
						status != SCALED_OK ? scaled_problem(status) : "is less than 0"),
				 errhint("It is between 0 and 100000000000 and has at most 4 decimals.")));
}

static void
check_period(HeapTuple tup, TupleDesc desc, const char *where)
{
	static const char *const columns[2] = {"valid_from", "valid_to"};
	DateADT		days[2];
	DateADT		first = date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE;
	DateADT		last = date2j(2999, 12, 31) - POSTGRES_EPOCH_JDATE;

	for (int i = 0; i < 2; i++)
	{
		bool		isnull;

		days[i] = DatumGetDateADT(SPI_getbinval(tup, desc, SPI_fnumber(desc, columns[i]), &isnull));
		if (isnull)
			return;				/* the column says so */
		if (!(i == 0 && DATE_IS_NOBEGIN(days[i])) && !(i == 1 && DATE_IS_NOEND(days[i])) &&
			(days[i] < first || days[i] > last))
			ereport(ERROR,
					(errcode(RT_BAD_DATE),
					 errmsg("%s: %s %s is out of range", where, columns[i], date_text(days[i])),
					 errhint("Give dates from 1900 to 2999; -infinity and infinity leave a period open.")));
	}
	if (days[0] > days[1])
		ereport(ERROR,
				(errcode(RT_BAD_DATE),
				 errmsg("%s: valid_from %s is after valid_to %s", where, date_text(days[0]), date_text(days[1])),
				 errhint("A period includes both of its days.")));
}

/* What a constraint would refuse with a generic code gets one of ours. */
void
allotment_check_row(HeapTuple tup, TupleDesc desc)
{
	bool		isnull;
	int32		tenant_id = DatumGetInt32(SPI_getbinval(tup, desc, SPI_fnumber(desc, "tenant_id"), &isnull));
	char	   *item = SPI_getvalue(tup, desc, SPI_fnumber(desc, "item"));
	char	   *node = SPI_getvalue(tup, desc, SPI_fnumber(desc, "node"));
	char	   *channel = SPI_getvalue(tup, desc, SPI_fnumber(desc, "channel"));
	char	   *where = psprintf("allotment of channel \"%s\" for item \"%s\" at node \"%s\"",
								 channel ? channel : "", item ? item : "", node ? node : "");
	Fault		fault = {0};

	channels_lock(false);
	if (item == NULL || !item_exists(tenant_id, item))
		fault_unknown_item(&fault, "allotment: ", item ? item : "");
	else if (node == NULL || network_find_node(network_get(tenant_id), node) < 0)
		fault_unknown_node(&fault, "allotment: ", node ? node : "");
	else if (channel == NULL || !channel_exists(tenant_id, channel))
		fault_unknown_channel(&fault, channel ? channel : "");
	if (fault.sqlerrcode)
		fault_raise(&fault);
	check_number(tup, desc, "quota", where);
	check_number(tup, desc, "max_quantity", where);
	check_number(tup, desc, "buffer", where);
	check_period(tup, desc, where);
}

/* Note the item-nodes where a channel or a group above it is allotted something. */
static void
note_path(int32 tenant_id, const char *channel)
{
	static EnginePlan plan = {
		"SELECT DISTINCT item, node FROM routing.allotment WHERE tenant_id = $1 AND channel = ANY ($2)",
		2, {INT4OID, TEXTARRAYOID}, NULL
	};
	const char **path;
	int			npath = channel_path_now(tenant_id, channel, &path);
	Datum		args[2];
	int			n;

	args[0] = Int32GetDatum(tenant_id);
	args[1] = text_array((char **) path, npath);
	n = (int) engine_exec(&plan, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
		notes_add(NOTE_ALLOTMENT, tenant_id, spi_text(i, 1), spi_text(i, 2));
	SPI_freetuptable(SPI_tuptable);
}

/*
 * AFTER row trigger of channel.  A channel must not be its own group; and
 * where it moves in the tree, the groups it leaves and joins are summed anew.
 */
Datum
routing_note_channel(PG_FUNCTION_ARGS)
{
	TriggerData *tg = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	rows[2];
	char	   *channel[2] = {NULL, NULL};
	char	   *parent[2] = {NULL, NULL};
	int32		tenant_id[2];
	EngineScope scope;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(tg->tg_event) || !TRIGGER_FIRED_FOR_ROW(tg->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as an AFTER row trigger", "note_channel")));
	desc = RelationGetDescr(tg->tg_relation);
	rows[0] = TRIGGER_FIRED_BY_INSERT(tg->tg_event) ? NULL : tg->tg_trigtuple;
	rows[1] = TRIGGER_FIRED_BY_DELETE(tg->tg_event) ? NULL :
		TRIGGER_FIRED_BY_UPDATE(tg->tg_event) ? tg->tg_newtuple : tg->tg_trigtuple;
	for (int i = 0; i < 2; i++)
	{
		bool		isnull;

		if (rows[i] == NULL)
			continue;
		tenant_id[i] = DatumGetInt32(SPI_getbinval(rows[i], desc, SPI_fnumber(desc, "tenant_id"), &isnull));
		channel[i] = SPI_getvalue(rows[i], desc, SPI_fnumber(desc, "channel"));
		parent[i] = SPI_getvalue(rows[i], desc, SPI_fnumber(desc, "parent"));
	}
	if (parent[0] == NULL && parent[1] == NULL)
		return PointerGetDatum(NULL);
	if (rows[0] && rows[1] && tenant_id[0] == tenant_id[1] && strcmp(channel[0], channel[1]) == 0 &&
		parent[0] && parent[1] && strcmp(parent[0], parent[1]) == 0)
		return PointerGetDatum(NULL);

	engine_enter(&scope);
	SPI_connect();
	channels_lock(true);
	for (int i = 1; i >= 0; i--)
	{
		const char **path;

		if (parent[i] == NULL)
			continue;
		if (i == 1 && channel_path_now(tenant_id[i], channel[i], &path) > MAX_CHANNEL_LEVELS)
			ereport(ERROR,
					(errcode(RT_CHANNEL_CIRCLE),
					 errmsg("channel \"%s\": parent \"%s\" leads back to it, or is more than %d levels deep",
							channel[i], parent[i], MAX_CHANNEL_LEVELS),
					 errhint("A channel cannot be above itself; set another parent, or null.")));
		/* a restore by several jobs may bring it after its allotments, before its bookings */
		if (rows[0] != NULL || SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA)
			note_path(tenant_id[i], parent[i]);
	}
	if (notes_arm())
		settle_queue_token();
	SPI_finish();
	engine_leave(&scope);
	return PointerGetDatum(NULL);
}

/* For the view: the allotments of a position row that the caller has read. */
Datum
routing_allotment_figures(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Position	pos = {0};
	AllotmentFigures *figures;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (!position_of_row(&pos, PG_GETARG_HEAPTUPLEHEADER(0)) || !tenant_is_member(pos.key.tenant_id))
		return (Datum) 0;
	n = allotment_figures(&pos, PG_GETARG_DATEADT(1), clock_of_transaction(), &figures);
	for (int i = 0; i < n; i++)
	{
		const AllotmentFigures *f = &figures[i];
		Datum		values[11];
		bool		nulls[11] = {false};

		values[0] = CStringGetTextDatum(f->channel);
		values[1] = DateADTGetDatum((DateADT) f->entry[Q_FROM]);
		values[2] = DateADTGetDatum((DateADT) f->entry[Q_TO]);
		values[3] = Int32GetDatum((int32) f->entry[Q_RANK]);
		values[4] = NumericGetDatum(scaled_to_numeric(f->entry[Q_BUFFER]));
		values[5] = NumericGetDatum(scaled_to_numeric(f->entry[Q_QUOTA]));
		values[6] = NumericGetDatum(scaled_to_numeric(f->consumed));
		values[7] = NumericGetDatum(scaled_to_numeric(f->remaining));
		nulls[8] = nulls[10] = f->entry[Q_LIMIT] < 0;
		values[8] = NumericGetDatum(scaled_to_numeric(f->entry[Q_LIMIT]));
		values[9] = NumericGetDatum(scaled_to_numeric(f->used));
		values[10] = NumericGetDatum(scaled_to_numeric(Max(f->entry[Q_LIMIT] - f->used, 0)));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
