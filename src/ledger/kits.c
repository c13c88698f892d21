/*
 * kits.c
 *		Kits and substitutes: cached reference data.
 *
 * Sorted by tenant and item; of tenants that have neither, a question costs
 * the search in an empty table.
 */
#include "ledger/kits.h"

#include "base/cached.h"
#include "base/quantity.h"

static void
fill_part(void *row, int i)
{
	KitPart    *p = row;
	bool		isnull;

	p->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
	p->kit = spi_text(i, 2);
	p->item = spi_text(i, 3);
	p->quantity = scaled_from_datum(spi_datum(i, 4, &isnull));
}

static CachedRows components = {
	.name = "kits",
	.table = TAB_ITEM_COMPONENT,
	.plan = {
		"SELECT tenant_id, item, component, quantity FROM routing.item_component ORDER BY 1, 2, 3",
		0, {0}, NULL
	},
	.rowsize = sizeof(KitPart),
	.fill = fill_part,
	.lent = true
};

static void
fill_substitute(void *row, int i)
{
	Substitute *s = row;
	bool		isnull;

	s->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
	s->original = spi_text(i, 2);
	s->item = spi_text(i, 3);
	s->ratio = scaled_from_datum(spi_datum(i, 4, &isnull));
	s->penalty = scaled_from_datum(spi_datum(i, 5, &isnull));
	s->needs_consent = DatumGetBool(spi_datum(i, 6, &isnull));
	s->valid_from = DatumGetDateADT(spi_datum(i, 7, &isnull));
	s->valid_to = DatumGetDateADT(spi_datum(i, 8, &isnull));
}

static CachedRows substitutes = {
	.name = "substitutes",
	.table = TAB_ITEM_SUBSTITUTE,
	.plan = {
		"SELECT tenant_id, item, substitute, ratio, penalty, needs_consent, valid_from, valid_to"
		" FROM routing.item_substitute ORDER BY tenant_id, item, penalty, substitute",
		0, {0}, NULL
	},
	.rowsize = sizeof(Substitute),
	.fill = fill_substitute,
	.lent = true
};

/* what stands in for anything */
typedef struct Standing
{
	int32		tenant_id;
	char	   *item;
} Standing;

static void
fill_standing(void *row, int i)
{
	Standing   *s = row;
	bool		isnull;

	s->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
	s->item = spi_text(i, 2);
}

static CachedRows standing = {
	.name = "items that are substitutes",
	.table = TAB_ITEM_SUBSTITUTE,
	.plan = {
		"SELECT DISTINCT tenant_id, substitute FROM routing.item_substitute ORDER BY 1, 2",
		0, {0}, NULL
	},
	.rowsize = sizeof(Standing),
	.fill = fill_standing
};

static int
compare_standing(const void *a, const void *b)
{
	const Standing *x = a;
	const Standing *y = b;

	if (x->tenant_id != y->tenant_id)
		return x->tenant_id < y->tenant_id ? -1 : 1;
	return strcmp(x->item, y->item);
}

/* Whether an item is a substitute of any. */
bool
is_substitute(int32 tenant_id, const char *item)
{
	const Standing key = {tenant_id, unconstify(char *, item)};
	const Standing *rows = cached_rows(&standing);

	return standing.n > 0 && bsearch(&key, rows, standing.n, sizeof(Standing), compare_standing) != NULL;
}

/* What an item is made of; 0: it is no kit. */
int
kit_parts(int32 tenant_id, const char *item, const KitPart **parts)
{
	const KitPart *rows = cached_rows(&components);
	int			low = 0;
	int			high = components.n;
	int			n = 0;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		const KitPart *p = &rows[middle];

		if (p->tenant_id < tenant_id || (p->tenant_id == tenant_id && strcmp(p->kit, item) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	*parts = rows + low;
	while (low + n < components.n && rows[low + n].tenant_id == tenant_id && strcmp(rows[low + n].kit, item) == 0)
		n++;
	return n;
}

/* The substitutes of an item, the ones with the least penalty first. */
int
substitutes_of(int32 tenant_id, const char *item, const Substitute **first)
{
	const Substitute *rows = cached_rows(&substitutes);
	int			low = 0;
	int			high = substitutes.n;
	int			n = 0;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		const Substitute *s = &rows[middle];

		if (s->tenant_id < tenant_id || (s->tenant_id == tenant_id && strcmp(s->original, item) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	*first = rows + low;
	while (low + n < substitutes.n && rows[low + n].tenant_id == tenant_id &&
		   strcmp(rows[low + n].original, item) == 0)
		n++;
	return n;
}

/* A kit has no stock of its own. */
void
kit_check_supply(int32 tenant_id, const char *item, const char *node, Fault *fault)
{
	const KitPart *parts;

	if (kit_parts(tenant_id, item, &parts) > 0)
		fault_set(fault, RT_KIT_HAS_SUPPLY, "Enter the supply of its components.",
				  "item \"%s\" at node \"%s\" is a kit, which has no supply of its own", item, node);
}
