/*
 * binding.h
 *		A compiled binding: how ERP tables map to orders, lines, supply or issues.
 */
#ifndef ROUTING_ERP_BINDING_H
#define ROUTING_ERP_BINDING_H

#include "base/json.h"
#include "base/errors.h"
#include "executor/spi.h"

#define MAX_KEYS	4

/* canonical columns of all concepts */
typedef enum Field
{
	F_CUSTOMER, F_CHANNEL, F_COUNTRY, F_POSTAL_CODE, F_LATITUDE, F_LONGITUDE,
	F_REQUESTED_ON, F_DATE_BASIS, F_PRIORITY, F_COMPLETENESS, F_ORDERED_AT, F_POLICY,
	F_REST, F_REST_DAYS, F_SHIP_NOT_BEFORE, F_CANCEL_AFTER, F_EARLY_OK, F_FREIGHT_TERMS, F_STATUS,
	F_LINE_NO, F_ITEM, F_QUANTITY, F_UOM, F_PRICE, F_LINE_GROUP, F_SPLITTABLE, F_SUBSTITUTES, F_NODE,
	F_REF, F_AVAILABLE_ON, F_KIND,
	F_ORDER_ID, F_LINE_KEY, F_LOT, F_SHIPPED_AT,
	NUM_FIELDS
} Field;

typedef enum Concept
{
	C_ORDERS,
	C_LINES,
	C_SUPPLY,
	C_ISSUES,
	NUM_CONCEPTS
} Concept;

extern const char *const concept_names[NUM_CONCEPTS];
extern const char *const field_names[NUM_FIELDS];

typedef struct Answer
{
	char	   *name;			/* what we answer: status, node ... */
	char	   *column;			/* into which column */
} Answer;

typedef struct Mapping
{
	bool		present;
	char	   *query;			/* key and canonical columns */
	char	   *table_schema;	/* of a table mapping, or NULL */
	char	   *table_name;
	int			nkeys;
	char	   *keys[MAX_KEYS];
	int			norder_keys;	/* lines: how many belong to the order */

	/* write-back */
	char	   *back_schema;
	char	   *back_table;
	int			nback_keys;
	char	   *back_keys[MAX_KEYS];
	int			nanswers;
	Answer	   *answers;
	int			nstatus;
	Answer	   *status_map;		/* our word, theirs */

	/* plans and what they were made from, filled on first use */
	Oid			owner;
	SPIPlanPtr	one;			/* the rows of a key */
	SPIPlanPtr	all_keys;		/* every order or row key */
	SPIPlanPtr	back;
	Oid			keytypes[MAX_KEYS];
	Oid			backtypes[32];
	int			columns[NUM_FIELDS];	/* position in the query's result, or 0 */
	int			keycolumns[MAX_KEYS];
	uint32		shape;			/* of the result that these positions are of */
} Mapping;

typedef struct Watch
{
	int			watch_no;
	Concept		concept;
	char	   *table_schema;
	char	   *table_name;
	int			nkeys;
	char	   *keys[MAX_KEYS];
	int			ncolumns;		/* -1: every change matters */
	char	  **columns;
} Watch;

typedef struct Binding
{
	int32		tenant_id;
	char	   *name;
	bool		fail;			/* on_failure = 'fail' */
	bool		paused;
	Mapping		concepts[NUM_CONCEPTS];
	int			nwatches;
	Watch	   *watches;
	MemoryContext context;
	struct Binding *next;
} Binding;

/* the concept whose keys are settled: of orders and lines the orders */
static inline Concept
binding_concept(const Binding *binding)
{
	return binding->concepts[C_SUPPLY].present ? C_SUPPLY :
		binding->concepts[C_ISSUES].present ? C_ISSUES : C_ORDERS;
}

/* binding.c */
extern Binding *binding_find(int32 tenant_id, const char *name);
extern Binding *binding_get(int32 tenant_id, const char *name);
extern void binding_parse(Binding *binding, Jsonb *definition);
extern void binding_split_name(const char *name, char **schema, char **table);

/* mapping.c */
extern void mapping_prepare(Mapping *mapping, const char *binding, Concept concept);
extern int	mapping_read(Binding *binding, Concept concept, const char *key, SPITupleTable **rows);
extern char **mapping_all_keys(Binding *binding, Concept concept, int *n);
extern char *mapping_value(const Mapping *mapping, SPITupleTable *rows, int row, Field field);
extern bool mapping_date(const Mapping *mapping, SPITupleTable *rows, int row, Field field,
						 DateADT *date);
extern bool mapping_time(const Mapping *mapping, SPITupleTable *rows, int row, Field field,
						 TimestampTz *time);
extern char *mapping_key(const Mapping *mapping, SPITupleTable *rows, int row, int first, int n);
extern void text_params(const Oid *types, char **texts, int n, Datum *values, char *nulls);

/* keys.c */
extern char *key_join(char **parts, int n);
extern int	key_split(const char *key, char **parts, int max);

#endif							/* ROUTING_ERP_BINDING_H */
