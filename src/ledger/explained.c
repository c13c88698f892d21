/*
 * explained.c
 *		Falls of stock that were told with their reason.
 *
 * adjust_on_hand() leaves a row in stock_movement.  The settlement that sees
 * the fall takes the rows of its own transaction that no earlier settlement of
 * the item-node has seen: a transaction may settle in its midst and again at
 * its commit.  What was seen is remembered by command, with the (sub)transaction
 * that saw it: what a rollback to a savepoint undoes was not seen.
 */
#include "ledger/falls.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "storage/proc.h"
#include "utils/memutils.h"

typedef struct Seen
{
	TransactionId xid;			/* who saw it */
	CommandId	until;			/* rows of commands before this one */
	struct Seen *before;
} Seen;

typedef struct SeenKey
{
	uint64		hashes[2];		/* of tenant, item and node */
} SeenKey;

typedef struct SeenEntry
{
	SeenKey		key;
	Seen	   *last;
} SeenEntry;

static HTAB *seen = NULL;		/* in TopTransactionContext */
static LocalTransactionId seen_by = InvalidLocalTransactionId;

/* of other transactions' rows with the same time xmin tells */
static EnginePlan plan_explained = {
	"SELECT xmin, cmin, -quantity FROM routing.stock_movement"
	" WHERE tenant_id = $1 AND item = $2 AND node = $3 AND kind = 'adjustment' AND quantity < 0"
	" AND recorded_at = pg_catalog.now()",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static SeenEntry *
entry_of(const Position *pos)
{
	SeenKey		key;
	SeenEntry  *entry;
	bool		found;

	if (seen == NULL || seen_by != routing_my_lxid)
	{
		HASHCTL		ctl = {.keysize = sizeof(SeenKey), .entrysize = sizeof(SeenEntry), .hcxt = TopTransactionContext};

		seen = hash_create("routing falls explained", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		seen_by = routing_my_lxid;
	}
	for (int i = 0; i < 2; i++)
	{
		uint64		h = hash_bytes_extended((const unsigned char *) pos->key.item, strlen(pos->key.item),
											(uint64) pos->key.tenant_id + ((uint64) i << 32));

		key.hashes[i] = hash_bytes_extended((const unsigned char *) pos->key.node, strlen(pos->key.node), h);
	}
	entry = hash_search(seen, &key, HASH_ENTER, &found);
	if (!found)
		entry->last = NULL;
	while (entry->last != NULL && !TransactionIdIsCurrentTransactionId(entry->last->xid))
		entry->last = entry->last->before;
	return entry;
}

/*
 * A settlement sees a locked position, on hand of which fell by "fall" (not
 * above 0: it did not).  Returns how much of that was told with its reason.
 * To be called once by every settlement of the position.
 */
int64
falls_explained(const Position *pos, int64 fall)
{
	SeenEntry  *entry = entry_of(pos);
	TransactionId xid = GetCurrentTransactionId();
	CommandId	since = entry->last != NULL ? entry->last->until : FirstCommandId;
	/* supply has just been read, so what it was read with is of earlier commands */
	CommandId	until = GetCurrentCommandId(false);
	int64		sum = 0;

	if (fall > 0)
	{
		Datum		args[3];
		int			n;

		position_key_args(&pos->key, args);
		n = (int) engine_exec(&plan_explained, args, NULL, ENGINE_FRESH);
		for (int i = 0; i < n; i++)
		{
			bool		isnull;

			if (TransactionIdIsCurrentTransactionId(DatumGetTransactionId(spi_datum(i, 1, &isnull))) &&
				DatumGetCommandId(spi_datum(i, 2, &isnull)) >= since)
				sum = scaled_add(sum, scaled_from_datum(spi_datum(i, 3, &isnull)));
		}
		SPI_freetuptable(SPI_tuptable);
	}
	if (entry->last == NULL || entry->last->xid != xid)
	{
		Seen	   *s = MemoryContextAlloc(TopTransactionContext, sizeof(Seen));

		s->xid = xid;
		s->before = entry->last;
		entry->last = s;
	}
	entry->last->until = until;
	return Min(sum, Max(fall, 0));
}
