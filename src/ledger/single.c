/*
 * single.c
 *		Reading one position, for who needs no other.
 *
 * A ledger remembers what it read and looks up which nodes have an item at
 * all; for a single question that costs more than the answer.
 */
#include "ledger/position.h"

#include "base/cache.h"
#include "ledger/withheld.h"

#include "utils/snapmgr.h"

/*
 * Read the position of an item-node under the caller's snapshot, with all its
 * slots, into the current memory context.  False, and exists = false, if it
 * has no row.  The key points to the caller's codes.
 */
bool
position_read_one(Position *pos, int32 tenant_id, const char *item, const char *node)
{
	KeyScan		ks;

	memset(pos, 0, sizeof(*pos));
	keyscan_open(&ks, engine_relid(TAB_POSITION), AccessShareLock, GetActiveSnapshot());
	keyscan_start(&ks, tenant_id, CStringGetTextDatum(item), CStringGetTextDatum(node));
	if (keyscan_next(&ks))
		position_decode(pos, ks.slot);
	keyscan_close(&ks);
	if (pos->slots > 0)
	{
		Ledger	   *ledger = ledger_open(false);

		*pos = *ledger_get(ledger, tenant_id, item, node);
		ledger_close(ledger);
	}
	pos->key.tenant_id = tenant_id;
	pos->key.item = item;
	pos->key.node = node;
	pos->withheld = supply_withheld(tenant_id, item, node);
	return pos->exists;
}
