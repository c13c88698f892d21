-- the catalog of event types: orders, promises, stock, the stream itself

/*
 * Each row's schema is the type's own part: its fields, and which of them are
 * required, in the order in which documents list them.  What all have in
 * common ("type", "additionalProperties", "$schema", "$id", "title") and the
 * definitions that are referred to come from 69_event_defs.sql.
 *
 * Within a major version (.vN) fields may be added that are not required, and
 * values where no "enum" stands; then the row of the next schemaversion is
 * added here, and src/events/validate.c names it.  Everything else is a new
 * type.  Only keywords that src/events/schema.c knows.
 */
INSERT INTO routing.event_type (type, schemaversion, aggregatetype, description, json_schema) VALUES
('order.received.v1', 1, 'order',
 'An order is known. The first event of each order.', $${
	"required": ["order_id", "order_status", "customer", "priority", "destination", "lines"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"const": "received"},
		"customer": {"$ref": "#/$defs/code", "description": "code of the customer"},
		"priority": {"type": "integer", "minimum": 1, "maximum": 9, "description": "1 is served first"},
		"channel": {"$ref": "#/$defs/code", "description": "sales channel; if the order names one"},
		"requested_deliver_by": {"$ref": "#/$defs/day", "description": "day on which it is to be delivered; if the order names one"},
		"requested_ship_by": {"$ref": "#/$defs/day", "description": "day on which it is to leave, of an order whose dates are those of shipping; if it names one"},
		"destination": {"$ref": "#/$defs/destination"},
		"lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "description": "what is ordered"}
	}}$$),

('order.allocated.v1', 1, 'order',
 'All lines have a promise: order_status is allocated or scheduled. Also appended when an order is routed again.', $${
	"required": ["order_id", "order_status", "allocations", "decision", "split_count", "total_cost"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"allocations": {"type": "array", "items": {"$ref": "#/$defs/allocation"}, "description": "everything that is booked now; what has left is not listed"},
		"decision": {"$ref": "#/$defs/decision"},
		"split_count": {"$ref": "#/$defs/split_count"},
		"total_cost": {"$ref": "#/$defs/total_cost"},
		"totals": {"type": "array", "items": {"$ref": "#/$defs/totals"}, "description": "the lines that changed, as they are after this event"},
		"previous_status": {"$ref": "#/$defs/order_status", "description": "of the order before this event, unless this is its first routing"},
		"trigger": {"$ref": "#/$defs/cause", "description": "why it was routed again, if nobody asked for it"}
	}}$$),

('order.partially_allocated.v1', 1, 'order',
 'Something has a promise, something has none or a late one: order_status is partially_allocated or partially_scheduled.', $${
	"required": ["order_id", "order_status", "allocations", "unallocated", "decision", "split_count", "total_cost"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"allocations": {"type": "array", "items": {"$ref": "#/$defs/allocation"}, "description": "everything that is booked now; what has left is not listed"},
		"unallocated": {"type": "array", "items": {"$ref": "#/$defs/open_line"}, "description": "lines that are not served in full and in time"},
		"decision": {"$ref": "#/$defs/decision"},
		"split_count": {"$ref": "#/$defs/split_count"},
		"total_cost": {"$ref": "#/$defs/total_cost"},
		"totals": {"type": "array", "items": {"$ref": "#/$defs/totals"}, "description": "the lines that changed, as they are after this event"},
		"previous_status": {"$ref": "#/$defs/order_status", "description": "of the order before this event, unless this is its first routing"},
		"trigger": {"$ref": "#/$defs/cause", "description": "why it was routed again, if nobody asked for it"}
	}}$$),

('order.backordered.v1', 1, 'order',
 'Nothing has a promise in time.', $${
	"required": ["order_id", "order_status", "reason", "lines", "decision", "split_count", "total_cost"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"const": "backordered"},
		"reason": {"$ref": "#/$defs/shortage_reason"},
		"lines": {"type": "array", "items": {"$ref": "#/$defs/open_line"}, "description": "lines that are not served in full and in time"},
		"decision": {"$ref": "#/$defs/decision"},
		"split_count": {"$ref": "#/$defs/split_count"},
		"total_cost": {"$ref": "#/$defs/total_cost"},
		"totals": {"type": "array", "items": {"$ref": "#/$defs/totals"}, "description": "the lines that changed, as they are after this event"},
		"previous_status": {"$ref": "#/$defs/order_status", "description": "of the order before this event, unless this is its first routing"},
		"trigger": {"$ref": "#/$defs/cause", "description": "why it was routed again, if nobody asked for it"}
	}}$$),

('order.reallocated.v1', 1, 'order',
 'An order that is allocated or scheduled is served from elsewhere, because supply went or came or a policy was recalled, and nobody asked for it; its promise is kept in full.', $${
	"required": ["order_id", "order_status", "trigger", "removed", "added", "decision", "split_count", "total_cost"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"trigger": {"$ref": "#/$defs/cause", "description": "why it was moved"},
		"removed": {"type": "array", "items": {"$ref": "#/$defs/allocation"}, "description": "what it lost"},
		"added": {"type": "array", "items": {"$ref": "#/$defs/allocation"}, "description": "what it got instead"},
		"decision": {"$ref": "#/$defs/decision"},
		"split_count": {"$ref": "#/$defs/split_count"},
		"total_cost": {"$ref": "#/$defs/total_cost"},
		"totals": {"type": "array", "items": {"$ref": "#/$defs/totals"}, "description": "the lines that changed, as they are after this event"},
		"previous_status": {"$ref": "#/$defs/order_status", "description": "of the order before this event"}
	}}$$),

('order.cancelled.v1', 1, 'order',
 'The order is cancelled, or its row was deleted (scope full); or quantities of it that nothing serves are not waited for (scope partial).', $${
	"required": ["order_id", "order_status", "reason", "scope", "released_allocations"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"reason": {"$ref": "#/$defs/cancel_reason"},
		"scope": {"enum": ["full", "partial"], "description": "partial: only the quantities in lines, of which order_status tells what became of the rest"},
		"lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "description": "what is cancelled of an order that goes on; only if scope is partial"},
		"released_allocations": {"type": "array", "items": {"$ref": "#/$defs/released"}, "description": "what was given back"},
		"previous_status": {"$ref": "#/$defs/order_status", "description": "of the order before this event, if it was not changed to cancelled"},
		"decision_id": {"$ref": "#/$defs/decision_id"}
	}}$$),

('order.partially_shipped.v1', 1, 'order',
 'Goods have left for the order, and something is left to ship. Appended when the issue is heard of, whether or not stock has fallen yet.', $${
	"required": ["order_id", "order_status", "shipped_at", "shipments", "remaining"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"shipped_at": {"$ref": "#/$defs/instant", "description": "when the goods left"},
		"reference": {"type": "string", "description": "the caller's, or the key of the document; only if given"},
		"shipments": {"type": "array", "items": {"$ref": "#/$defs/shipment"}, "description": "what has left"},
		"remaining": {"type": "array", "items": {"$ref": "#/$defs/line"}, "description": "what is left to ship"},
		"totals": {"type": "array", "items": {"$ref": "#/$defs/totals"}, "description": "the lines that changed, as they are after this event"},
		"decision_id": {"$ref": "#/$defs/decision_id"}
	}}$$),

('order.shipped.v1', 1, 'order',
 'Goods have left for the order, and with them all that is not cancelled. Appended when the issue is heard of, whether or not stock has fallen yet.', $${
	"required": ["order_id", "order_status", "shipped_at", "shipments", "remaining"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"const": "shipped"},
		"shipped_at": {"$ref": "#/$defs/instant", "description": "when the goods left"},
		"reference": {"type": "string", "description": "the caller's, or the key of the document; only if given"},
		"shipments": {"type": "array", "items": {"$ref": "#/$defs/shipment"}, "description": "what has left"},
		"remaining": {"type": "array", "items": {"$ref": "#/$defs/line"}, "maxItems": 0, "description": "nothing"},
		"totals": {"type": "array", "items": {"$ref": "#/$defs/totals"}, "description": "the lines that changed, as they are after this event"},
		"decision_id": {"$ref": "#/$defs/decision_id"}
	}}$$),

('order.shipment_reversed.v1', 1, 'order',
 'A document of a bound goods issue was corrected or deleted: what it had issued has not left.', $${
	"required": ["order_id", "order_status", "shipped_at", "shipments", "remaining"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"shipped_at": {"$ref": "#/$defs/instant", "description": "when the goods left, as the document said"},
		"reference": {"type": "string", "description": "the key of the document; only if given"},
		"shipments": {"type": "array", "items": {"$ref": "#/$defs/shipment"}, "description": "what was taken back"},
		"remaining": {"type": "array", "items": {"$ref": "#/$defs/line"}, "description": "what is left to ship"},
		"totals": {"type": "array", "items": {"$ref": "#/$defs/totals"}, "description": "the lines that changed, as they are after this event"},
		"decision_id": {"$ref": "#/$defs/decision_id"}
	}}$$),

('promise.changed.v1', 1, 'order',
 'The promised day of a line moved, and nobody asked for it. On the order''s stream, after the event that tells what is booked now. A line that lost its promise has no such event: it is in order.backordered.v1 or among unallocated[].', $${
	"required": ["promise_id", "order_id", "order_status", "line_no", "item", "old", "new", "direction", "cause"],
	"properties": {
		"promise_id": {"type": "string", "description": "<order>/<line>"},
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"old": {"$ref": "#/$defs/day", "description": "the day it was promised for"},
		"new": {"$ref": "#/$defs/day", "description": "the day it is promised for now"},
		"direction": {"enum": ["earlier", "later"]},
		"cause": {"$ref": "#/$defs/cause", "description": "why it moved"},
		"decision_id": {"$ref": "#/$defs/decision_id"}
	}}$$),

('replenishment.requested.v1', 1, 'order',
 'Something was promised beyond the supply lead time of an item-node and nothing covers it yet. On the order''s stream, after the event of its routing, one for each such booking.', $${
	"required": ["order_id", "order_status", "allocation_id", "line_no", "item", "node", "quantity", "uom", "order_by", "needed_on"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"allocation_id": {"$ref": "#/$defs/allocation_id"},
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item", "description": "what is to be bought"},
		"kit": {"$ref": "#/$defs/kit"},
		"substitute_for": {"$ref": "#/$defs/substitute_for"},
		"node": {"$ref": "#/$defs/node", "description": "where it is needed"},
		"quantity": {"$ref": "#/$defs/quantity"},
		"uom": {"$ref": "#/$defs/uom"},
		"order_by": {"$ref": "#/$defs/day", "description": "the day by which it must be ordered"},
		"needed_on": {"$ref": "#/$defs/day", "description": "the day on which it is needed at the node"},
		"decision_id": {"$ref": "#/$defs/decision_id"}
	}}$$),

('promise.quoted.v1', 1, 'promise',
 'Goods are held for somebody who has not ordered yet. A hold that runs out makes no event: valid_until has told when. When supply falls and a hold has to give way, there is none either; a hold is no promise.', $${
	"required": ["promise_id", "lines", "valid_until"],
	"properties": {
		"promise_id": {"$ref": "#/$defs/promise_id"},
		"lines": {"type": "array", "items": {"$ref": "#/$defs/held_line"}, "description": "what is held"},
		"valid_until": {"$ref": "#/$defs/instant", "description": "when the hold expires"}
	}}$$),

('promise.confirmed.v1', 1, 'promise',
 'A hold has become an order.', $${
	"required": ["promise_id", "order_id"],
	"properties": {
		"promise_id": {"$ref": "#/$defs/promise_id"},
		"order_id": {"$ref": "#/$defs/order_id", "description": "the order it became"}
	}}$$),

('promise.expired.v1', 1, 'promise',
 'A hold was given up.', $${
	"required": ["promise_id", "reason"],
	"properties": {
		"promise_id": {"$ref": "#/$defs/promise_id"},
		"reason": {"$ref": "#/$defs/expiry_reason"}
	}}$$),

('inventory.adjusted.v1', 1, 'inventory',
 'The stock on hand of an item at a node changed; one event per settlement, with the net change. Bookings and dated supply make no event of this type.', $${
	"required": ["item", "node", "uom", "delta", "before", "after", "reason"],
	"properties": {
		"item": {"$ref": "#/$defs/item"},
		"node": {"$ref": "#/$defs/node"},
		"uom": {"$ref": "#/$defs/uom"},
		"ref": {"type": "string", "description": "reference of the movement or goods issue, if there was one"},
		"delta": {"$ref": "#/$defs/decimal", "description": "the change of the stock on hand, in uom"},
		"before": {"$ref": "#/$defs/stock"},
		"after": {"$ref": "#/$defs/stock"},
		"reason": {"$ref": "#/$defs/word", "description": "why", "examples": ["correction"]}
	}}$$),

('stream.epoch_started.v1', 1, 'stream',
 'The stream goes on in another cluster, or was declared to: the values of xid and WAL positions of earlier events mean nothing there. The first epoch has no event.', $${
	"required": ["epoch", "cause"],
	"properties": {
		"epoch": {"type": "integer", "minimum": 2, "maximum": 9999, "description": "number of the epoch that begins"},
		"cause": {"type": "string", "minLength": 1, "description": "restored, or what start_stream_epoch() was given", "examples": ["restored"]}
	}}$$),

('stream.gap_declared.v1', 1, 'stream',
 'Events were dropped that a registered consumer had not read: they were older than routing.event_retention_max days.', $${
	"required": ["epoch", "cause", "from", "to", "consumers"],
	"properties": {
		"epoch": {"type": "integer", "minimum": 1, "maximum": 9999, "description": "the current epoch"},
		"cause": {"type": "string", "minLength": 1, "description": "retention; no other so far", "examples": ["retention"]},
		"from": {"$ref": "#/$defs/day", "description": "first day whose events are gone"},
		"to": {"$ref": "#/$defs/day", "description": "last day whose events are gone"},
		"consumers": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}, "description": "who had not read them"}
	}}$$);
