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

/* issues.c */
typedef struct IssueKey
{
	Binding    *binding;
	const char *key;
	Fault		fault;
	bool		changed;
	int			nrows;			/* what the mapping says, and what is held */
	struct IssueRow *rows;
} IssueKey;

typedef struct IssueOrders
{
	int			n;
	int			locked;			/* how many of them are */
	struct IssueOrder *orders;	/* by tenant and order id */
} IssueOrders;

extern void bound_issues_read(IssueKey *keys, int n, IssueOrders *orders);
extern void bound_issues_lock(IssueOrders *orders, int32 tenant_id, const char *order_id);
extern void bound_issues_apply(Settlement *s, IssueKey *keys, int n);
extern void bound_issues_done(IssueKey *keys, int n);
extern void bound_issue_compare(Binding *binding, const char *key, DifferenceReport report, void *arg);

/* keys.c */
extern char **bound_engine_keys(const Binding *binding, int *n);

/* writeback.c */
extern void writeback_begin(void);
extern void writeback_want(Binding *binding, SalesOrder *order);
extern void writeback_run(void);

#endif							/* ROUTING_ERP_DIFFER_H */
