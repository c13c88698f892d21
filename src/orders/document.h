/*
 * document.h
 *		The order document: an order as JSON.
 */
#ifndef ROUTING_ORDERS_DOCUMENT_H
#define ROUTING_ORDERS_DOCUMENT_H

#include "orders/order.h"

extern SalesOrder *order_from_document(int32 tenant_id, Jsonb *document);

#endif							/* ROUTING_ORDERS_DOCUMENT_H */
