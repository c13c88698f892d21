/*
 * withheld.c
 *		Item-nodes that offer nothing because news of their supply is pending.
 *
 * When the settlement of a supply key of a binding has failed or is paused,
 * what the engine holds from that key may be wrong, so it promises nothing of
 * it until the key is settled.  Keys are rarely pending, so the item-nodes are
 * cached in each backend; a change of routing.pending tells it to read again,
 * at the latest when it next opens a table, which is before it books.
 */
#include "ledger/withheld.h"

#include "base/cached.h"

#include "utils/builtins.h"

typedef struct WithheldRow
{
	int32		tenant_id;
	char	   *item;
	char	   *node;
} WithheldRow;

static void
fill(void *row, int i)
{
	WithheldRow *w = row;
	bool		isnull;

	w->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
	w->item = spi_text(i, 2);
	w->node = spi_text(i, 3);
}

/* by tenant, item and node; a pending key '*' means that the whole binding is unsettled */
static CachedRows withheld = {
	.name = "withheld",
	.table = TAB_PENDING,
	.plan = {
		"SELECT DISTINCT s.tenant_id, s.item, s.node FROM routing.pending p"
		" JOIN routing.supply s ON s.tenant_id = p.tenant_id AND s.binding = p.binding"
		"  AND (s.source_key = p.key OR p.key = '*')"
		" WHERE p.concept = 'supply' AND p.binding <> ''"
		" ORDER BY 1, 2, 3",
		0, {0}, NULL
	},
	.rowsize = sizeof(WithheldRow),
	.fill = fill
};

/* Whether there is any such item-node, which is rare. */
bool
supply_some_withheld(void)
{
	(void) cached_rows(&withheld);
	return withheld.n > 0;
}

/* Whether the item-node offers nothing for now. */
bool
supply_withheld(int32 tenant_id, const char *item, const char *node)
{
	const WithheldRow *rows = cached_rows(&withheld);
	int			low = 0,
				high = withheld.n;

	while (low < high)
	{
		int			mid = (low + high) / 2;
		int			c = tenant_id - rows[mid].tenant_id;

		if (c == 0)
			c = strcmp(item, rows[mid].item);
		if (c == 0)
			c = strcmp(node, rows[mid].node);
		if (c == 0)
			return true;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

PG_FUNCTION_INFO_V1(routing_withheld);

/* SQL: the same, for the view. */
Datum
routing_withheld(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(supply_withheld(PG_GETARG_INT32(0),
								   text_to_cstring(PG_GETARG_TEXT_PP(1)),
								   text_to_cstring(PG_GETARG_TEXT_PP(2))));
}
