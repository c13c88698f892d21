/*
 * channels.c
 *		Which groups a channel belongs to.
 *
 * Cached in each backend; a change of routing.channel tells it to read again.
 */
#include "ledger/channels.h"

#include "base/cached.h"

#include "catalog/pg_type.h"
#include "storage/lmgr.h"

typedef struct ChannelRow
{
	int32		tenant_id;
	char	   *channel;
	char	   *parent;
	int			npath;			/* 0: not asked for yet */
	const char **path;
} ChannelRow;

static void
fill(void *row, int i)
{
	ChannelRow *c = row;
	bool		isnull;

	c->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
	c->channel = spi_text(i, 2);
	c->parent = spi_text(i, 3);
}

/* by tenant and channel; bookings in hand point into it */
static CachedRows channels = {
	.name = "channels",
	.table = TAB_CHANNEL,
	.plan = {"SELECT tenant_id, channel, parent FROM routing.channel ORDER BY tenant_id, channel", 0, {0}, NULL},
	.rowsize = sizeof(ChannelRow),
	.fill = fill,
	.lent = true
};

static ChannelRow *
find(ChannelRow *rows, int32 tenant_id, const char *channel)
{
	int			low = 0,
				high = channels.n;

	while (low < high)
	{
		int			mid = (low + high) / 2;
		ChannelRow *row = &rows[mid];
		int			c = tenant_id < row->tenant_id ? -1 : tenant_id > row->tenant_id ? 1 :
			strcmp(channel, row->channel);

		if (c == 0)
			return row;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/*
 * The channel and the groups above it, upwards; valid until the end of the
 * transaction.  Returns how many, 0 for an unknown channel.
 */
int
channel_path(int32 tenant_id, const char *channel, const char ***path)
{
	ChannelRow *rows;
	ChannelRow *row;

	*path = NULL;
	if (channel == NULL)
		return 0;
	rows = cached_rows(&channels);
	row = find(rows, tenant_id, channel);
	if (row == NULL)
		return 0;
	if (row->npath == 0)
	{
		ChannelRow *up = row;

		row->path = MemoryContextAlloc(channels.context, sizeof(char *) * MAX_CHANNEL_LEVELS);
		while (up != NULL && row->npath < MAX_CHANNEL_LEVELS)
		{
			row->path[row->npath++] = up->channel;
			up = up->parent ? find(rows, tenant_id, up->parent) : NULL;
		}
	}
	*path = row->path;
	return row->npath;
}

/*
 * The same as committed now, past the cache, which hears of a change a moment
 * after others can see it.  SPI is connected.  A circle returns one more than
 * MAX_CHANNEL_LEVELS.
 */
int
channel_path_now(int32 tenant_id, const char *channel, const char ***path)
{
	static EnginePlan plan = {
		"SELECT parent FROM routing.channel WHERE tenant_id = $1 AND channel = $2",
		2, {INT4OID, TEXTOID}, NULL
	};
	int			n = 0;

	*path = palloc(sizeof(char *) * (MAX_CHANNEL_LEVELS + 1));
	while (channel != NULL && n <= MAX_CHANNEL_LEVELS)
	{
		Datum		args[2];

		args[0] = Int32GetDatum(tenant_id);
		args[1] = CStringGetTextDatum(channel);
		if (engine_exec(&plan, args, NULL, ENGINE_FRESH) == 0)
		{
			SPI_freetuptable(SPI_tuptable);
			break;
		}
		(*path)[n++] = channel;
		channel = spi_text(0, 1);
		SPI_freetuptable(SPI_tuptable);
	}
	return n;
}

/*
 * Until the end of the transaction: who changes the tree waits for those who
 * allot something in it, and the other way round.  Not a lock of the table,
 * so that nobody who routes an order waits.
 */
void
channels_lock(bool change)
{
	LockDatabaseObject(RelationRelationId, engine_relid(TAB_CHANNEL), 0,
					   change ? ExclusiveLock : ShareLock);
}
