/*
 * differ.h
 *		The net difference between what a mapping says and what the engine holds.
 */
#ifndef ROUTING_ERP_DIFFER_H
#define ROUTING_ERP_DIFFER_H

#include "erp/binding.h"
#include "orders/settle.h"

typedef void (*DifferenceReport) (void *arg, const char *concept, const char *key, const char *field,
								  const char *erp_value, const char *engine_value);

/* orders.c */
extern bool bound_order_apply(Settlement *s, Binding *binding, const char *key, Fault *fault);
extern void bound_order_compare(Binding *binding, const char *key, DifferenceReport report, void *arg);

/* supply.c */
typedef struct SupplyKey
{
	Binding    *binding;
	const char *key;
	Fault		fault;
	bool		changed;
	bool		again;			/* to be read again: somebody else wrote it meanwhile */
	int			nrows;			/* what the mapping says */
	struct SupplyRow *rows;
} SupplyKey;

extern void bound_supply_apply(Settlement *s, SupplyKey *keys, int n);
extern void bound_supply_compare(Binding *binding, const char *key, DifferenceReport report, void *arg);
extern char **bound_supply_engine_keys(Binding *binding, int *n);
extern char **bound_order_engine_keys(Binding *binding, int *n);

/* writeback.c */
extern void writeback_begin(void);
extern void writeback_want(Binding *binding, SalesOrder *order);
extern void writeback_run(void);

#endif							/* ROUTING_ERP_DIFFER_H */
