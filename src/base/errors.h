/*
 * errors.h
 *		Our SQLSTATEs (class RT) and the report of a row that cannot be used.
 *
 * Retryable conditions keep the server's codes: 40001, 40P01, 55P03.
 */
#ifndef ROUTING_BASE_ERRORS_H
#define ROUTING_BASE_ERRORS_H

#include "base/compat.h"

#define RT_CODE(n1, n2, n3)				MAKE_SQLSTATE('R', 'T', n1, n2, n3)

#define RT_UNKNOWN_ITEM					RT_CODE('0', '0', '1')
#define RT_UNKNOWN_NODE					RT_CODE('0', '0', '2')
#define RT_UNKNOWN_CUSTOMER				RT_CODE('0', '0', '3')
#define RT_UNKNOWN_UNIT					RT_CODE('0', '0', '4')
#define RT_BAD_QUANTITY					RT_CODE('0', '0', '5')
#define RT_NO_SHIP_TO					RT_CODE('0', '0', '6')
#define RT_DUPLICATE_LINE				RT_CODE('0', '0', '7')
#define RT_UNKNOWN_ORDER				RT_CODE('0', '0', '8')
#define RT_UNKNOWN_CHANNEL				RT_CODE('0', '0', '9')
#define RT_NOT_SUPPORTED				RT_CODE('0', '1', '0')
#define RT_BAD_DOCUMENT					RT_CODE('0', '1', '1')
#define RT_BAD_POLICY					RT_CODE('0', '1', '2')
#define RT_NOT_MEMBER					RT_CODE('0', '1', '3')
#define RT_IN_USE						RT_CODE('0', '1', '4')
#define RT_ORDER_STATE					RT_CODE('0', '1', '5')
#define RT_BAD_DATE						RT_CODE('0', '1', '6')
#define RT_UNKNOWN_BINDING				RT_CODE('0', '2', '0')
#define RT_MAPPING_PARSE				RT_CODE('0', '2', '1')
#define RT_MAPPING_COLUMN_MISSING		RT_CODE('0', '2', '2')
#define RT_MAPPING_COLUMN_TWICE			RT_CODE('0', '2', '3')
#define RT_MAPPING_COLUMN_TYPE			RT_CODE('0', '2', '4')
#define RT_MAPPING_NO_KEY				RT_CODE('0', '2', '5')
#define RT_WATCHED_MISSING				RT_CODE('0', '2', '6')
#define RT_WATCHED_NOT_TABLE			RT_CODE('0', '2', '7')
#define RT_WATCHED_SUPERUSER			RT_CODE('0', '2', '8')
#define RT_BINDING_EXISTS				RT_CODE('0', '2', '9')
#define RT_NO_REST						RT_CODE('0', '3', '0')
#define RT_SETTLE_TIMEOUT				RT_CODE('0', '3', '1')
#define RT_SUPPLY_KEY_TWICE				RT_CODE('0', '3', '2')
#define RT_BAD_BINDING					RT_CODE('0', '3', '3')
#define RT_REFERENCE_USED				RT_CODE('0', '4', '0')
#define RT_UNKNOWN_REF					RT_CODE('0', '4', '1')
#define RT_CLOSED_REF					RT_CODE('0', '4', '2')
#define RT_AMBIGUOUS_REF				RT_CODE('0', '4', '3')
#define RT_TOO_MUCH						RT_CODE('0', '4', '4')
#define RT_LOT_EXPIRY					RT_CODE('0', '4', '5')
#define RT_UNKNOWN_DEMAND				RT_CODE('0', '4', '6')
#define RT_REF_TAKEN					RT_CODE('0', '4', '7')
#define RT_LOT_MISSING					RT_CODE('0', '5', '3')
#define RT_SERIAL_QUANTITY				RT_CODE('0', '5', '4')
#define RT_SERIAL_TWICE					RT_CODE('0', '5', '5')
#define RT_ALLOTMENT_ABOVE_GROUP		RT_CODE('0', '5', '7')
#define RT_ALLOTMENT_OVERLAP			RT_CODE('0', '5', '8')
#define RT_CHANNEL_CIRCLE				RT_CODE('0', '5', '9')
#define RT_BAD_LIMIT					RT_CODE('0', '6', '1')
#define RT_NOT_KNOWN_YET				RT_CODE('0', '6', '8')
#define RT_UNKNOWN_SUPPLY				RT_CODE('0', '6', '9')
#define RT_BAD_RECORD					RT_CODE('0', '8', '0')
#define RT_UNKNOWN_DECISION				RT_CODE('0', '8', '1')
#define RT_BAD_TTL						RT_CODE('0', '4', '8')
#define RT_UNKNOWN_HOLD					RT_CODE('0', '4', '9')
#define RT_HOLD_EXPIRED					RT_CODE('0', '5', '0')
#define RT_HOLD_STATE					RT_CODE('0', '5', '1')
#define RT_ORDER_EXISTS					RT_CODE('0', '5', '2')
#define RT_SUPPLY_HAS_LOTS				RT_CODE('0', '7', '0')
#define RT_CONTROL_CONTRADICTED			RT_CODE('0', '8', '5')
#define RT_NOT_BOOKED					RT_CODE('0', '6', '4')
#define RT_UNKNOWN_LINE					RT_CODE('0', '6', '6')
#define RT_BAD_TERM						RT_CODE('1', '1', '1')
#define RT_BAD_DELIVERY					RT_CODE('1', '1', '0')
#define RT_SHIPPED_ALREADY				RT_CODE('0', '6', '7')
#define RT_BAD_CALENDAR					RT_CODE('0', '9', '0')	/* the codes of the network: see 71_calendars.sql */
#define RT_UNKNOWN_ZONE					RT_CODE('0', '9', '1')
#define RT_UNKNOWN_SERVICE				RT_CODE('0', '9', '2')
#define RT_UNKNOWN_CALENDAR				RT_CODE('0', '9', '3')
#define RT_UNKNOWN_CARRIER				RT_CODE('0', '9', '4')
#define RT_POLICY_STATE					RT_CODE('1', '0', '0')
#define RT_SELF_APPROVAL				RT_CODE('1', '0', '1')
#define RT_CYCLIC_POLICY				RT_CODE('1', '0', '2')
#define RT_UNKNOWN_POLICY				RT_CODE('1', '0', '3')
#define RT_POLICY_REFERENCE				RT_CODE('1', '0', '4')
#define RT_POLICY_FUNCTION				RT_CODE('1', '0', '5')
#define RT_KIT_HAS_SUPPLY				RT_CODE('1', '2', '3')
#define RT_BAD_KIT_LINE					RT_CODE('1', '2', '5')
#define RT_POLICY_INSTANT				RT_CODE('1', '0', '6')
#define RT_BAD_WINDOW					RT_CODE('1', '2', '7')
#define RT_HISTORY_GONE					RT_CODE('1', '2', '8')
#define RT_STILL_IN_EFFECT				RT_CODE('1', '2', '9')
#define RT_BAD_VERSIONS					RT_CODE('1', '3', '0')
#define RT_PLUGIN_OPTION				RT_CODE('1', '3', '9')
#define RT_PLUGIN_VALUE					RT_CODE('1', '4', '0')
#define RT_PLUGIN_PROTOCOL				RT_CODE('1', '4', '1')
#define RT_PLUGIN_ENCODING				RT_CODE('1', '4', '2')
#define RT_NO_EVENT						RT_CODE('1', '4', '7')
#define RT_BAD_EVENT					RT_CODE('1', '4', '8')
#define RT_BAD_EVENT_TYPE				RT_CODE('1', '4', '9')

/*
 * Why an order or row cannot be used.  A native caller gets it as an error, a
 * bound row keeps it as the reason of its pending key.
 */
typedef struct Fault
{
	int			sqlerrcode;		/* 0: no fault */
	char	   *message;
	char	   *hint;
} Fault;

extern void fault_set(Fault *fault, int sqlerrcode, const char *hint,
					  const char *fmt,...) pg_attribute_printf(4, 5);
extern void fault_raise(const Fault *fault);

#endif							/* ROUTING_BASE_ERRORS_H */
