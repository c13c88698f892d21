-- the catalog of event types: changes of orders, exceptions, supply and availability, policies, nodes

INSERT INTO routing.event_type (type, schemaversion, aggregatetype, description, json_schema) VALUES
('order.changed.v1', 1, 'order',
 'Somebody edited an order that had been routed. The event of its new routing, if it needs one, comes after it.', $${
	"required": ["order_id", "order_status", "changes"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"changes": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/change"}, "description": "what is other than it was when the order was last routed"}
	},
	"$defs": {
		"change": {"type": "object", "additionalProperties": false, "required": ["change"], "properties": {
			"change": {"enum": ["line_added", "line_removed", "quantity_changed", "destination_changed", "date_changed", "priority_changed"]},
			"line_no": {"$ref": "#/$defs/line_no", "description": "absent: of the whole order"},
			"item": {"$ref": "#/$defs/item"},
			"before": {"type": "string", "description": "quantity in the item's unit, day, priority, or country/beginning of the postal code; absent if there was none, or in another unit"},
			"after": {"type": "string", "description": "the same, as it is now; absent if there is none"}}}
	}}$$),

('order.allocation_released.v1', 1, 'order',
 'An order gave back bookings because it was planned again; the next event of the order tells what is booked instead.', $${
	"required": ["order_id", "order_status", "allocations", "reason", "decision_id"],
	"properties": {
		"order_id": {"$ref": "#/$defs/order_id"},
		"order_status": {"$ref": "#/$defs/order_status"},
		"allocations": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/released"}, "description": "what was given back"},
		"reason": {"$ref": "#/$defs/release_reason"},
		"decision_id": {"$ref": "#/$defs/decision_id"}
	},
	"$defs": {
		"release_reason": {"type": "object", "additionalProperties": false, "required": ["code"], "properties": {
			"code": {"type": "string", "description": "replanned: it was asked for", "examples": ["replanned", "supply_shortage", "horizon_missed", "better_supply", "policy_recall"]},
			"text": {"type": "string", "description": "for people"}},
			"description": "why they were given back"}
	}}$$),

('exception.opened.v1', 1, 'exception',
 'Somebody, or a rule, must act.', $${
	"required": ["exception_id", "kind", "facts", "opened_at"],
	"properties": {
		"exception_id": {"$ref": "#/$defs/exception_id"},
		"kind": {"$ref": "#/$defs/exception_kind"},
		"order_id": {"$ref": "#/$defs/order_id", "description": "of an order's; demand:<ref> of other demand"},
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"node": {"$ref": "#/$defs/node"},
		"facts": {"$ref": "#/$defs/facts"},
		"opened_at": {"$ref": "#/$defs/instant"}
	}}$$),

('exception.changed.v1', 1, 'exception',
 'The facts of an open exception, or the item-node it is about, are others.', $${
	"required": ["exception_id", "kind", "before", "after"],
	"properties": {
		"exception_id": {"$ref": "#/$defs/exception_id"},
		"kind": {"$ref": "#/$defs/exception_kind"},
		"order_id": {"$ref": "#/$defs/order_id"},
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"node": {"$ref": "#/$defs/node"},
		"before": {"$ref": "#/$defs/facts"},
		"after": {"$ref": "#/$defs/facts"}
	}}$$),

('exception.resolved.v1', 1, 'exception',
 'Nobody has to act any more.', $${
	"required": ["exception_id", "kind", "resolution", "duration_s"],
	"properties": {
		"exception_id": {"$ref": "#/$defs/exception_id"},
		"kind": {"$ref": "#/$defs/exception_kind"},
		"order_id": {"$ref": "#/$defs/order_id"},
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"node": {"$ref": "#/$defs/node"},
		"resolution": {"type": "string", "description": "auto: its cause is gone; rerouted: the line is served again; waived: by hand", "examples": ["auto", "rerouted", "cancelled", "waived"]},
		"duration_s": {"type": "integer", "minimum": 0, "description": "seconds since it was opened"}
	}}$$),

('exception.reopened.v1', 1, 'exception',
 'An exception that was resolved was opened again by hand.', $${
	"required": ["exception_id", "kind", "facts"],
	"properties": {
		"exception_id": {"$ref": "#/$defs/exception_id"},
		"kind": {"$ref": "#/$defs/exception_kind"},
		"order_id": {"$ref": "#/$defs/order_id"},
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"node": {"$ref": "#/$defs/node"},
		"facts": {"$ref": "#/$defs/facts"}
	}}$$),

('inventory.inbound_changed.v1', 1, 'inventory',
 'Dated supply was announced, changed or closed; one event per row of it and settlement, with the net change.', $${
	"required": ["item", "node", "uom", "supply_ref", "delta"],
	"properties": {
		"item": {"$ref": "#/$defs/item"},
		"node": {"$ref": "#/$defs/node"},
		"uom": {"$ref": "#/$defs/uom"},
		"supply_ref": {"type": "string", "description": "ref of the supply; empty: it has none"},
		"lot": {"$ref": "#/$defs/code", "description": "only if given"},
		"delta": {"$ref": "#/$defs/decimal", "description": "the change of the quantity that is to come, in uom"},
		"before": {"$ref": "#/$defs/inbound", "description": "absent: there was none"},
		"after": {"$ref": "#/$defs/inbound", "description": "absent: there is none any more"}
	}}$$),

('inventory.availability_changed.v1', 1, 'inventory',
 'What an item-node can promise for today has come into another band; what was never told of is out.', $${
	"required": ["item", "node", "uom", "available", "band", "band_before"],
	"properties": {
		"item": {"$ref": "#/$defs/item"},
		"node": {"$ref": "#/$defs/node"},
		"uom": {"$ref": "#/$defs/uom"},
		"available": {"$ref": "#/$defs/decimal", "description": "for today, safety stock included, in uom"},
		"band": {"enum": ["in", "low", "out"], "description": "out: nothing is available; low: less than the safety stock"},
		"band_before": {"enum": ["in", "low", "out"]},
		"safety_stock": {"$ref": "#/$defs/decimal", "description": "in uom; if there is one"}
	}}$$),

('inventory.snapshot_applied.v1', 1, 'node',
 'A count was applied to the stock of a node. On the node''s stream; each item whose stock changed has its inventory.adjusted.v1, too.', $${
	"required": ["node", "as_of", "items", "changed", "conflicts", "complete"],
	"properties": {
		"node": {"$ref": "#/$defs/node"},
		"as_of": {"$ref": "#/$defs/instant", "description": "when it was counted"},
		"items": {"type": "integer", "minimum": 0, "description": "items and lots that were counted"},
		"changed": {"type": "integer", "minimum": 0, "description": "of them those whose stock was another"},
		"conflicts": {"type": "integer", "minimum": 0, "description": "of them those with a later count, which stands"},
		"complete": {"type": "boolean", "description": "what was not counted is not there"}
	}}$$),

('node.status_changed.v1', 1, 'node',
 'A node was opened or closed.', $${
	"required": ["node", "old", "new"],
	"properties": {
		"node": {"$ref": "#/$defs/node"},
		"old": {"enum": ["open", "closed"]},
		"new": {"enum": ["open", "closed"]}
	}}$$),

('node.capacity_changed.v1', 1, 'node',
 'A limit of what a node can ship on a day was set, changed or taken away.', $${
	"required": ["node", "kind"],
	"properties": {
		"node": {"$ref": "#/$defs/node"},
		"kind": {"enum": ["orders", "lines", "units"], "description": "of what"},
		"weekday": {"type": "integer", "minimum": 1, "maximum": 7, "description": "1 Monday to 7 Sunday; absent: every day, or that of on_date"},
		"on_date": {"$ref": "#/$defs/day", "description": "that day only"},
		"before": {"$ref": "#/$defs/capacity", "description": "absent: there was none"},
		"after": {"$ref": "#/$defs/capacity", "description": "absent: there is none any more"}
	}}$$),

('policy.published.v1', 1, 'policy',
 'A draft of a policy was approved.', $${
	"required": ["policy_id", "policy_version", "by", "author"],
	"properties": {
		"policy_id": {"$ref": "#/$defs/code", "description": "code of the policy"},
		"policy_version": {"type": "integer", "minimum": 1, "description": "of the policy"},
		"by": {"type": "string", "description": "role that approved it"},
		"author": {"type": "string", "description": "role that wrote it"}
	}}$$),

('policy.activated.v1', 1, 'policy',
 'A version of a policy counts, at once or from an instant on.', $${
	"required": ["policy_id", "policy_version", "effective_at", "by", "author"],
	"properties": {
		"policy_id": {"$ref": "#/$defs/code", "description": "code of the policy"},
		"policy_version": {"type": "integer", "minimum": 1, "description": "of the policy"},
		"previous_version": {"type": "integer", "minimum": 1, "description": "that counts until then, if any does"},
		"effective_at": {"$ref": "#/$defs/instant", "description": "from when on it counts"},
		"by": {"type": "string", "description": "role that activated it"},
		"author": {"type": "string", "description": "role that wrote it"}
	}}$$),

('policy.retired.v1', 1, 'policy',
 'A version of a policy does not count any more, or never will.', $${
	"required": ["policy_id", "policy_version", "by", "author"],
	"properties": {
		"policy_id": {"$ref": "#/$defs/code", "description": "code of the policy"},
		"policy_version": {"type": "integer", "minimum": 1, "description": "of the policy"},
		"by": {"type": "string", "description": "role that retired it, or activated its successor"},
		"author": {"type": "string", "description": "role that wrote it"}
	}}$$);

-- what several of them share
UPDATE routing.event_type t
SET json_schema = t.json_schema || jsonb_build_object('$defs', d.defs)
FROM (VALUES ('exception', $${
		"exception_id": {"type": "string", "pattern": "^[0-9]+$", "description": "key of routing.exception"},
		"exception_kind": {"type": "string", "description": "its type",
			"examples": ["supply_shortage", "horizon_missed", "demand_short", "negative_on_hand", "picked_short", "issue_unmatched", "issue_without_booking", "no_zone"]},
		"facts": {"type": "object", "additionalProperties": false, "description": "what is the matter", "properties": {
			"quantity": {"type": "string", "description": "what is missing, or was issued; in the item's unit"},
			"needed_on": {"type": "string", "description": "day for which it is missing"},
			"on_hand": {"type": "string", "description": "what the books say"},
			"issued_at": {"type": "string", "description": "when the goods issue was heard of"},
			"shipped_at": {"type": "string", "description": "when the goods left"},
			"reference": {"type": "string", "description": "of the goods issue"},
			"country": {"type": "string", "description": "of the destination"},
			"postal_prefix": {"type": "string", "description": "the first characters of the postal code"}}}}$$::jsonb),
	('inbound_changed', $${
		"inbound": {"type": "object", "additionalProperties": false, "required": ["quantity", "eta"], "properties": {
			"quantity": {"$ref": "#/$defs/decimal", "description": "in uom"},
			"eta": {"$ref": "#/$defs/day", "description": "day on which it is to be there"}}}}$$),
	('capacity_changed', $${
		"capacity": {"type": "object", "additionalProperties": false, "required": ["quantity", "hard", "price_from", "price"], "properties": {
			"quantity": {"$ref": "#/$defs/decimal", "description": "per day"},
			"hard": {"type": "boolean", "description": "no more is shipped; else it has only its price"},
			"price_from": {"$ref": "#/$defs/decimal", "description": "share of the quantity from which on the price is paid"},
			"price": {"$ref": "#/$defs/decimal", "description": "money per shipment"}}}}$$)) d (of, defs)
WHERE t.aggregatetype = d.of OR t.type LIKE '%.' || d.of || '.v1';
