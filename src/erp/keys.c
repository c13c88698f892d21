/*
 * keys.c
 *		Keys of the ERP: as text, and those that the engine holds.
 */
#include "erp/differ.h"

#include "base/engine.h"

#include "catalog/pg_type.h"

/* by the concept whose keys are settled */
static EnginePlan plan_keys[NUM_CONCEPTS] = {
	[C_ORDERS] = {
		"SELECT order_id FROM routing.sales_order"
		" WHERE tenant_id = $1 AND binding = $2 AND status <> 'cancelled'",
		2, {INT4OID, TEXTOID}, NULL
	},
	[C_SUPPLY] = {
		"SELECT DISTINCT source_key FROM routing.supply"
		" WHERE tenant_id = $1 AND binding = $2 AND binding <> ''",
		2, {INT4OID, TEXTOID}, NULL
	},
	[C_ISSUES] = {
		"SELECT DISTINCT source_key FROM routing.issue WHERE tenant_id = $1 AND binding = $2",
		2, {INT4OID, TEXTOID}, NULL
	}
};

/* Join the parts of a key: "/" between them, and "\" before "/" and "\" within. */
char *
key_join(char **parts, int n)
{
	StringInfoData key;

	if (n == 1)
		return pstrdup(parts[0]);
	initStringInfo(&key);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(&key, '/');
		for (const char *p = parts[i]; *p; p++)
		{
			if (*p == '/' || *p == '\\')
				appendStringInfoChar(&key, '\\');
			appendStringInfoChar(&key, *p);
		}
	}
	return key.data;
}

/* The parts again; "max" of them.  A key of one part is taken as it is. */
int
key_split(const char *key, char **parts, int max)
{
	StringInfoData part;
	int			n = 0;

	if (max == 1)
	{
		parts[0] = pstrdup(key);
		return 1;
	}
	initStringInfo(&part);
	for (const char *p = key;; p++)
	{
		if (*p == '\0' || *p == '/')
		{
			if (n < max)
				parts[n++] = pstrdup(part.data);
			resetStringInfo(&part);
			if (*p == '\0')
				return n;
		}
		else
		{
			if (*p == '\\' && p[1] != '\0')
				p++;
			appendStringInfoChar(&part, *p);
		}
	}
}

/* The keys of a binding that the engine holds. */
char	  **
bound_engine_keys(const Binding *binding, int *n)
{
	Datum		args[2];
	char	  **keys;

	args[0] = Int32GetDatum(binding->tenant_id);
	args[1] = CStringGetTextDatum(binding->name);
	*n = (int) engine_exec(&plan_keys[binding_concept(binding)], args, NULL, ENGINE_FRESH);
	keys = palloc_extended(sizeof(char *) * Max(*n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < *n; i++)
		keys[i] = spi_text(i, 1);
	SPI_freetuptable(SPI_tuptable);
	return keys;
}
