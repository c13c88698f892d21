/*
 * supply.c
 *		Bound supply: read through the mapping, compared, applied.
 *
 * All keys of a settlement are read first; what they no longer say is removed
 * before anything is added, so that a row may move from one key to another in
 * one transaction.  The positions are only touched here; they are summed and
 * judged with everything else.
 */
#include "erp/differ.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/control.h"
#include "ledger/reference.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

typedef struct SupplyRow
{
	char	   *item;
	char	   *node;
	char	   *ref;
	DateADT		available_on;
	int64		quantity;
	char	   *kind;
	char	   *status;
	bool		same;			/* one side has it like the other */
	bool		held;			/* both sides have it */
} SupplyRow;

/*
 * Two transactions may change rows of the ERP that make up one key.  The later
 * one to settle waits here, before it reads the ERP, and sees the other's.
 */
static EnginePlan plan_lock = {
	"SELECT 1 FROM routing.supply"
	" WHERE tenant_id = $1 AND binding = $2 AND source_key = $3 AND binding <> ''"
	/* an expression, or the primary key's order looks cheaper than this index */
	" ORDER BY item || '', node, ref FOR NO KEY UPDATE",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_held = {
	"SELECT item, node, ref, available_on, quantity, kind, status FROM routing.supply"
	" WHERE tenant_id = $1 AND binding = $2 AND source_key = $3 AND binding <> ''",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_delete = {
	"DELETE FROM routing.supply WHERE tenant_id = $1 AND item = $2 AND node = $3 AND ref = $4 AND lot = ''",
	4, {INT4OID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

/* a row of another key or of nobody's is not ours to overwrite */
static EnginePlan plan_upsert = {
	"INSERT INTO routing.supply AS s (tenant_id, item, node, ref, available_on, quantity, kind, status,"
	" binding, source_key)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
	" ON CONFLICT (tenant_id, item, node, ref, lot) DO UPDATE"
	" SET available_on = excluded.available_on, quantity = excluded.quantity, kind = excluded.kind,"
	"     status = excluded.status"
	" WHERE s.binding = excluded.binding AND s.source_key = excluded.source_key"
	" RETURNING s.xmax = 0",	/* made, not updated */
	10, {INT4OID, TEXTOID, TEXTOID, TEXTOID, DATEOID, NUMERICOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};

static void
read_row(Binding *binding, const char *key, SPITupleTable *rows, int i, SupplyRow *row, Fault *fault)
{
	Mapping    *m = &binding->concepts[C_SUPPLY];
	char	   *where = psprintf("supply \"%s\": ", key);
	char	   *text;
	bool		dated;
	ScaledStatus status;
	static const char *const kinds[] = {"on_hand", "purchase", "transfer", "production", "return"};
	bool		known = false;

	row->item = mapping_value(m, rows, i, F_ITEM);
	row->node = mapping_value(m, rows, i, F_NODE);
	dated = mapping_date(m, rows, i, F_AVAILABLE_ON, &row->available_on);
	if (!dated)
		row->available_on = ON_HAND_DAY;
	else if (row->available_on != ON_HAND_DAY &&
			 (row->available_on < date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE ||
			  row->available_on > date2j(2999, 12, 31) - POSTGRES_EPOCH_JDATE))
		fault_set(fault, RT_BAD_DATE, "Give a date from 1900 to 2999, or null for stock on hand.",
				  "%savailable_on %s is out of range", where, date_text(row->available_on));
	dated = dated && row->available_on != ON_HAND_DAY;
	row->ref = mapping_value(m, rows, i, F_REF);
	if (row->ref == NULL)
		row->ref = pstrdup(dated ? key : "");
	row->kind = mapping_value(m, rows, i, F_KIND);
	if (row->kind == NULL)
		row->kind = pstrdup(dated ? "purchase" : "on_hand");
	row->status = mapping_value(m, rows, i, F_STATUS);
	if (row->status == NULL)
		row->status = pstrdup("confirmed");
	text = mapping_value(m, rows, i, F_QUANTITY);

	if (row->item == NULL || !item_exists(binding->tenant_id, row->item))
		fault_unknown_item(fault, where, row->item ? row->item : "");
	else if (row->node == NULL || network_find_node(network_get(binding->tenant_id), row->node) < 0)
		fault_unknown_node(fault, where, row->node ? row->node : "");
	for (int k = 0; k < (int) lengthof(kinds) && !known; k++)
		known = strcmp(kinds[k], row->kind) == 0;
	if (!known)
		fault_set(fault, RT_BAD_DOCUMENT, "It is on_hand, purchase, transfer, production or return.",
				  "%skind \"%s\" is unknown", where, row->kind);
	status = text == NULL ? SCALED_NOT_FINITE : scaled_from_text(text, &row->quantity);
	if (status != SCALED_OK)
		fault_set(fault, RT_BAD_QUANTITY, "A supply quantity is a number with at most 4 decimals.",
				  "%squantity %s %s", where, text ? text : "null", scaled_problem(status));
	else if (!dated && fault->sqlerrcode == 0)
		control_check(fault, item_control(binding->tenant_id, row->item), where, row->item, "", row->quantity);
}

static void
read_key(SupplyKey *k)
{
	SPITupleTable *rows;

	k->nrows = mapping_read(k->binding, C_SUPPLY, k->key, &rows);
	k->rows = palloc0(sizeof(SupplyRow) * Max(k->nrows, 1));
	for (int i = 0; i < k->nrows; i++)
	{
		read_row(k->binding, k->key, rows, i, &k->rows[i], &k->fault);
		for (int j = 0; j < i && k->fault.sqlerrcode == 0; j++)
		{
			if (strcmp(k->rows[i].item, k->rows[j].item) == 0 &&
				strcmp(k->rows[i].node, k->rows[j].node) == 0 &&
				strcmp(k->rows[i].ref, k->rows[j].ref) == 0)
				fault_set(&k->fault, RT_SUPPLY_KEY_TWICE, "Sum them in the mapping, or give each a ref of its own.",
						  "supply \"%s\": two rows are of item \"%s\", node \"%s\", ref \"%s\"",
						  k->key, k->rows[i].item, k->rows[i].node, k->rows[i].ref);
		}
	}
	SPI_freetuptable(rows);
}

static int
read_held(Binding *binding, const char *key, SupplyRow **held)
{
	Datum		args[3];
	int			n;

	args[0] = Int32GetDatum(binding->tenant_id);
	args[1] = CStringGetTextDatum(binding->name);
	args[2] = CStringGetTextDatum(key);
	n = (int) engine_exec(&plan_held, args, NULL, ENGINE_FRESH);
	*held = palloc0(sizeof(SupplyRow) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		SupplyRow  *row = &(*held)[i];
		bool		isnull;

		row->item = spi_text(i, 1);
		row->node = spi_text(i, 2);
		row->ref = spi_text(i, 3);
		row->available_on = DatumGetDateADT(spi_datum(i, 4, &isnull));
		row->quantity = scaled_from_datum(spi_datum(i, 5, &isnull));
		row->kind = spi_text(i, 6);
		row->status = spi_text(i, 7);
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

static SupplyRow *
find_row(SupplyRow *rows, int n, const SupplyRow *like)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(rows[i].item, like->item) == 0 && strcmp(rows[i].node, like->node) == 0 &&
			strcmp(rows[i].ref, like->ref) == 0)
			return &rows[i];
	}
	return NULL;
}

static bool
same_values(const SupplyRow *a, const SupplyRow *b)
{
	return a->available_on == b->available_on && a->quantity == b->quantity &&
		strcmp(a->kind, b->kind) == 0 && strcmp(a->status, b->status) == 0;
}

static void
remove_gone(Settlement *s, SupplyKey *k)
{
	SupplyRow  *held;
	int			n = read_held(k->binding, k->key, &held);
	int32		tenant_id = k->binding->tenant_id;

	for (int i = 0; i < n; i++)
	{
		SupplyRow  *now = find_row(k->rows, k->nrows, &held[i]);
		Datum		args[4];

		if (now != NULL)
		{
			now->held = true;
			now->same = same_values(now, &held[i]);
			continue;
		}
		args[0] = Int32GetDatum(tenant_id);
		args[1] = CStringGetTextDatum(held[i].item);
		args[2] = CStringGetTextDatum(held[i].node);
		args[3] = CStringGetTextDatum(held[i].ref);
		(void) engine_exec(&plan_delete, args, NULL, ENGINE_FRESH);
		settlement_touch(s, tenant_id, held[i].item, held[i].node);
		k->changed = true;
	}
}

static void
add_new(Settlement *s, SupplyKey *k)
{
	int32		tenant_id = k->binding->tenant_id;

	for (int i = 0; i < k->nrows && k->fault.sqlerrcode == 0; i++)
	{
		SupplyRow  *row = &k->rows[i];
		Datum		args[10];
		bool		isnull;

		if (row->same)
			continue;
		args[0] = Int32GetDatum(tenant_id);
		args[1] = CStringGetTextDatum(row->item);
		args[2] = CStringGetTextDatum(row->node);
		args[3] = CStringGetTextDatum(row->ref);
		args[4] = DateADTGetDatum(row->available_on);
		args[5] = NumericGetDatum(scaled_to_numeric(row->quantity));
		args[6] = CStringGetTextDatum(row->kind);
		args[7] = CStringGetTextDatum(row->status);
		args[8] = CStringGetTextDatum(k->binding->name);
		args[9] = CStringGetTextDatum(k->key);
		if (engine_exec(&plan_upsert, args, NULL, ENGINE_FRESH) == 0)
		{
			fault_set(&k->fault, RT_SUPPLY_KEY_TWICE, "Sum them in one mapping, or give each a ref of its own.",
					  "supply \"%s\": another row has item \"%s\", node \"%s\", ref \"%s\" already",
					  k->key, row->item, row->node, row->ref);
			continue;
		}
		/* somebody made the row while we waited: he has seen less, or more */
		if (!row->held && !DatumGetBool(spi_datum(0, 1, &isnull)))
			k->again = true;
		SPI_freetuptable(SPI_tuptable);
		settlement_touch(s, tenant_id, row->item, row->node);
		k->changed = true;
	}
}

/* Take over what the ERP says of the keys; faults are per key. */
void
bound_supply_apply(Settlement *s, SupplyKey *keys, int n)
{
	int			writing_before;

	for (int i = 0; i < n; i++)
	{
		Datum		args[3];

		CHECK_FOR_INTERRUPTS();
		args[0] = Int32GetDatum(keys[i].binding->tenant_id);
		args[1] = CStringGetTextDatum(keys[i].binding->name);
		args[2] = CStringGetTextDatum(keys[i].key);
		(void) engine_exec(&plan_lock, args, NULL, ENGINE_FRESH);
		SPI_freetuptable(SPI_tuptable);
		read_key(&keys[i]);
	}
	writing_before = engine_write_begin();
	PG_TRY();
	{
		for (int i = 0; i < n; i++)
		{
			if (keys[i].fault.sqlerrcode == 0)
				remove_gone(s, &keys[i]);
		}
		for (int i = 0; i < n; i++)
		{
			add_new(s, &keys[i]);
			if (!keys[i].again || keys[i].fault.sqlerrcode)
				continue;
			/* the rows are ours now: what the ERP says of them is final */
			read_key(&keys[i]);
			if (keys[i].fault.sqlerrcode == 0)
			{
				remove_gone(s, &keys[i]);
				add_new(s, &keys[i]);
			}
		}
	}
	PG_FINALLY();
	{
		engine_writing = writing_before;
	}
	PG_END_TRY();
}

/* Report each difference between a supply key of the ERP and ours. */
void
bound_supply_compare(Binding *binding, const char *key, DifferenceReport report, void *arg)
{
	SupplyKey	k = {0};
	SupplyRow  *held;
	int			n;

	k.binding = binding;
	k.key = key;
	read_key(&k);
	n = read_held(binding, key, &held);
	if (k.fault.sqlerrcode)
	{
		report(arg, "supply", key, "row", k.fault.message, n > 0 ? "supply" : NULL);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		SupplyRow  *row = find_row(k.rows, k.nrows, &held[i]);

		if (row == NULL)
		{
			report(arg, "supply", key, "row", NULL,
				   psprintf("%s at %s", held[i].item, held[i].node));
			continue;
		}
		row->same = true;
		if (row->quantity != held[i].quantity)
			report(arg, "supply", key, "quantity", scaled_to_text(row->quantity), scaled_to_text(held[i].quantity));
		if (row->available_on != held[i].available_on)
			report(arg, "supply", key, "available_on", date_text(row->available_on), date_text(held[i].available_on));
		if (strcmp(row->kind, held[i].kind) != 0)
			report(arg, "supply", key, "kind", row->kind, held[i].kind);
		if (strcmp(row->status, held[i].status) != 0)
			report(arg, "supply", key, "status", row->status, held[i].status);
	}
	for (int i = 0; i < k.nrows; i++)
	{
		if (!k.rows[i].same)
			report(arg, "supply", key, "row", psprintf("%s at %s", k.rows[i].item, k.rows[i].node), NULL);
	}
}
