/*
 * erp_order.h
 *		An order as the ERP has it.
 */
#ifndef ROUTING_ERP_ERP_ORDER_H
#define ROUTING_ERP_ERP_ORDER_H

#include "erp/binding.h"
#include "orders/order.h"

/* The ERP's order as the mapping gives it; not there: exists = false. */
typedef struct ErpOrder
{
	SalesOrder *order;
	bool		cancelled;
	char	   *latitude;
	char	   *longitude;
	char	   *ordered_at;
	bool		has_priority;
	char	  **source_keys;	/* per line */
	bool	   *numbered;		/* per line: the mapping gave line_no */
	Numeric    *prices;
} ErpOrder;

extern ErpOrder *erp_order_read(Binding *binding, const char *key, Fault *fault);

#endif							/* ROUTING_ERP_ERP_ORDER_H */
