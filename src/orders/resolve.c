/*
 * resolve.c
 *		What the reference tables say of an order that is not read from ours:
 *		customer, channel, items.
 */
#include "orders/resolve.h"

#include "base/engine.h"
#include "base/quantity.h"

#include "catalog/pg_type.h"

static EnginePlan plan_parties = {
	"SELECT c.priority, ch.channel IS NOT NULL"
	" FROM (SELECT 1) one"
	" LEFT JOIN routing.customer c ON c.tenant_id = $1 AND c.customer = $2"
	" LEFT JOIN routing.channel ch ON ch.tenant_id = $1 AND ch.channel = $3",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_items = {
	"SELECT k.n::int, i.uom, i.weight_kg"
	" FROM unnest($2) WITH ORDINALITY AS k(item, n)"
	" JOIN routing.item i ON i.tenant_id = $1 AND i.item = k.item",
	2, {INT4OID, TEXTARRAYOID}, NULL
};

/* Set what order_check() and planning want to know; SPI is connected. */
void
order_resolve(SalesOrder *order, bool has_priority)
{
	Datum		args[3];
	char		nulls[3] = {' ', ' ', ' '};
	char	  **items = palloc(sizeof(char *) * Max(order->nlines, 1));
	int			n;
	Datum		d;
	bool		isnull;

	args[0] = Int32GetDatum(order->tenant_id);
	args[1] = CStringGetTextDatum(order->customer);
	if (order->channel != NULL)
		args[2] = CStringGetTextDatum(order->channel);
	else
		nulls[2] = 'n';
	(void) engine_exec(&plan_parties, args, nulls, ENGINE_FRESH);
	d = spi_datum(0, 1, &isnull);
	order->customer_known = !isnull;
	if (!has_priority)
		order->priority = isnull ? 5 : DatumGetInt32(d);
	order->channel_known = DatumGetBool(spi_datum(0, 2, &isnull));
	SPI_freetuptable(SPI_tuptable);

	if (order->nlines == 0)
		return;
	for (int i = 0; i < order->nlines; i++)
		items[i] = order->lines[i].item;
	args[1] = text_array(items, order->nlines);
	n = (int) engine_exec(&plan_items, args, NULL, ENGINE_FRESH);
	for (int i = 0; i < n; i++)
	{
		OrderLine  *line = &order->lines[DatumGetInt32(spi_datum(i, 1, &isnull)) - 1];

		line->item_known = true;
		line->item_uom = spi_text(i, 2);
		line->unit_weight = scaled_from_datum(spi_datum(i, 3, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}
