-- the catalog of event types, completed: what all schemas share

/*
 * Adds to each schema the definitions it refers to, directly or through
 * others, and what is the same for all.  A schema may bring definitions of its
 * own, which may not have the name of one of these.
 *
 * Values that may become more in the same major version have no "enum" but
 * "examples".
 */
DO $do$
DECLARE
	common	CONSTANT jsonb := $${
	"code": {"type": "string", "minLength": 1, "description": "a code of the master data, or an id"},
	"word": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "a word of ours; more may come"},
	"decimal": {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,4})?$", "description": "decimal number with at most four places"},
	"quantity": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,4})?$", "description": "decimal number in uom, with at most four places"},
	"day": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "day of the calendar at the place"},
	"instant": {"type": "string", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$", "description": "instant in UTC with microseconds"},
	"order_id": {"$ref": "#/$defs/code", "description": "id of the order"},
	"order_status": {"$ref": "#/$defs/word", "description": "of the whole order after this event",
		"examples": ["received", "allocated", "scheduled", "partially_allocated", "partially_scheduled", "backordered", "shipped", "cancelled"]},
	"line_no": {"type": "integer", "minimum": 1, "description": "number of the line within its order"},
	"item": {"$ref": "#/$defs/code", "description": "code of the item"},
	"kit": {"$ref": "#/$defs/code", "description": "the kit on the line, if the item is a component of it"},
	"substitute_for": {"$ref": "#/$defs/code", "description": "the item on the line, if another is delivered instead"},
	"node": {"$ref": "#/$defs/code", "description": "code of the node"},
	"uom": {"$ref": "#/$defs/code", "description": "the item's unit of measure, that of all its quantities"},
	"allocation_id": {"type": "string", "pattern": "^[0-9]+/[0-9]+$", "description": "<line>/<part>, unique within the order"},
	"promise_id": {"$ref": "#/$defs/code", "description": "id of the hold"},
	"supply_type": {"$ref": "#/$defs/word", "description": "what it rests on", "examples": ["on_hand", "inbound"]},
	"split_count": {"type": "integer", "minimum": 0, "description": "number of shipments"},
	"cause": {"$ref": "#/$defs/word", "examples": ["supply_shortage", "horizon_missed", "better_supply", "policy_recall"]},

	"money": {"type": "object", "additionalProperties": false, "required": ["amount", "currency"], "properties": {
		"amount": {"$ref": "#/$defs/decimal", "description": "decimal number in units of the currency, with at most four places"},
		"currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code"}}},
	"total_cost": {"$ref": "#/$defs/money", "description": "by which the plan was judged: what this decision planned, with what it charges for lateness and shortage"},
	"destination": {"type": "object", "additionalProperties": false, "required": ["country"], "properties": {
		"country": {"$ref": "#/$defs/code", "description": "ISO 3166 code, as the order has it"},
		"postal_prefix": {"type": "string", "minLength": 1, "maxLength": 3, "description": "the first characters of the postal code"},
		"region": {"$ref": "#/$defs/code", "description": "the zone"}},
		"description": "where it goes, no finer than this"},
	"decision": {"type": "object", "additionalProperties": false, "required": ["decision_id", "policy_id", "policy_version"], "properties": {
		"decision_id": {"type": "string", "pattern": "^[0-9]+$", "description": "key of routing.decision, and what explain() takes"},
		"policy_id": {"$ref": "#/$defs/code", "description": "code of the policy"},
		"policy_version": {"type": "integer", "minimum": 0, "description": "of the policy; 0: built-in values"}},
		"description": "the decision that this follows from"},
	"shortage_reason": {"type": "object", "additionalProperties": false, "required": ["code"], "properties": {
		"code": {"$ref": "#/$defs/word", "description": "no_supply: some of it has no promise; late_supply: all of it has, only later than asked for", "examples": ["no_supply", "late_supply"]},
		"text": {"type": "string", "description": "for people"}},
		"description": "why it is not served in full and in time"},
	"cancel_reason": {"type": "object", "additionalProperties": false, "required": ["code"], "properties": {
		"code": {"$ref": "#/$defs/word", "description": "requested: by cancel_order(); from fill_or_kill on: what nothing serves is not waited for",
			"examples": ["requested", "cancelled", "deleted", "cancelled_in_erp", "deleted_in_erp", "all_lines_cancelled", "all_lines_deleted",
				"fill_or_kill", "cancel_after", "rest_cancelled", "waited_in_vain"]},
		"text": {"type": "string", "description": "what cancel_order() was given"}},
		"description": "why it is cancelled"},
	"expiry_reason": {"type": "object", "additionalProperties": false, "required": ["code"], "properties": {
		"code": {"$ref": "#/$defs/word", "examples": ["cancelled"]},
		"text": {"type": "string", "description": "for people"}},
		"description": "why it was given up"},
	"stock": {"type": "object", "additionalProperties": false, "required": ["on_hand", "reserved", "available"], "properties": {
		"on_hand": {"$ref": "#/$defs/decimal", "description": "stock on hand, in uom"},
		"reserved": {"$ref": "#/$defs/decimal", "description": "all bookings, in uom"},
		"available": {"$ref": "#/$defs/decimal", "description": "what may be promised for today, in uom"}},
		"description": "the figures of the item-node"},

	"line": {"type": "object", "additionalProperties": false, "required": ["line_no", "item", "quantity", "uom"], "properties": {
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"quantity": {"$ref": "#/$defs/quantity"},
		"uom": {"$ref": "#/$defs/uom"}}},
	"decision_id": {"type": "string", "pattern": "^[0-9]+$", "description": "the last decision about the order: key of routing.decision"},
	"totals": {"type": "object", "additionalProperties": false,
		"required": ["line_no", "ordered", "allocated", "shipped", "cancelled", "backordered"], "properties": {
		"line_no": {"$ref": "#/$defs/line_no"},
		"ordered": {"$ref": "#/$defs/decimal", "description": "in the item's unit, as the others"},
		"allocated": {"$ref": "#/$defs/decimal", "description": "promised and not shipped yet"},
		"shipped": {"$ref": "#/$defs/decimal"},
		"cancelled": {"$ref": "#/$defs/decimal", "description": "not served, and not waited for any more"},
		"backordered": {"$ref": "#/$defs/decimal", "description": "waits without a promise"}}},
	"open_line": {"type": "object", "additionalProperties": false, "required": ["line_no", "item", "quantity", "unserved", "uom", "reason"], "properties": {
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"quantity": {"$ref": "#/$defs/quantity", "description": "decimal number in uom: what is ordered"},
		"unserved": {"$ref": "#/$defs/quantity", "description": "decimal number in uom: what of it has no supply"},
		"uom": {"$ref": "#/$defs/uom"},
		"reason": {"$ref": "#/$defs/shortage_reason"}}},
	"allocation": {"type": "object", "additionalProperties": false,
		"required": ["allocation_id", "line_no", "item", "node", "quantity", "uom", "supply_type", "ship_by", "deliver_by", "service_level"], "properties": {
		"allocation_id": {"$ref": "#/$defs/allocation_id"},
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"kit": {"$ref": "#/$defs/kit"},
		"substitute_for": {"$ref": "#/$defs/substitute_for"},
		"node": {"$ref": "#/$defs/node"},
		"quantity": {"$ref": "#/$defs/quantity"},
		"uom": {"$ref": "#/$defs/uom"},
		"supply_type": {"$ref": "#/$defs/supply_type"},
		"ship_by": {"$ref": "#/$defs/day", "description": "day on which it leaves the node, there"},
		"deliver_by": {"$ref": "#/$defs/day", "description": "day on which it arrives, there"},
		"service_level": {"$ref": "#/$defs/code", "description": "code of the service that carries it"}}},
	"released": {"type": "object", "additionalProperties": false,
		"required": ["allocation_id", "line_no", "item", "node", "quantity", "uom"], "properties": {
		"allocation_id": {"$ref": "#/$defs/allocation_id"},
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"kit": {"$ref": "#/$defs/kit"},
		"substitute_for": {"$ref": "#/$defs/substitute_for"},
		"node": {"$ref": "#/$defs/node"},
		"quantity": {"$ref": "#/$defs/quantity"},
		"uom": {"$ref": "#/$defs/uom"}}},
	"shipment": {"type": "object", "additionalProperties": false, "required": ["line_no", "item", "node", "quantity", "uom"], "properties": {
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"node": {"$ref": "#/$defs/node"},
		"quantity": {"$ref": "#/$defs/quantity"},
		"uom": {"$ref": "#/$defs/uom"},
		"lot": {"$ref": "#/$defs/code", "description": "lot or serial number; only if given"}}},
	"held_line": {"type": "object", "additionalProperties": false,
		"required": ["line_no", "item", "node", "quantity", "uom", "basis", "ship_by", "deliver_by"], "properties": {
		"line_no": {"$ref": "#/$defs/line_no"},
		"item": {"$ref": "#/$defs/item"},
		"kit": {"$ref": "#/$defs/kit"},
		"substitute_for": {"$ref": "#/$defs/substitute_for"},
		"node": {"$ref": "#/$defs/node"},
		"quantity": {"$ref": "#/$defs/quantity"},
		"uom": {"$ref": "#/$defs/uom"},
		"basis": {"$ref": "#/$defs/supply_type"},
		"ship_by": {"$ref": "#/$defs/day", "description": "day on which it can leave the node, there"},
		"deliver_by": {"$ref": "#/$defs/day", "description": "day on which it can arrive, there"}}}
	}$$;
	r		record;
	own		jsonb;
	used	jsonb;
	missing	text;
BEGIN
	FOR r IN SELECT type, schemaversion, description, json_schema FROM routing.event_type LOOP
		own := coalesce(r.json_schema -> '$defs', '{}');
		IF own ?| ARRAY(SELECT jsonb_object_keys(common)) THEN
			RAISE EXCEPTION 'event type % defines what all types share', r.type;
		END IF;
		WITH RECURSIVE referred (name, body) AS (
			SELECT '', r.json_schema - '$defs'
			UNION
			SELECT x.name, coalesce(own -> x.name, common -> x.name)
			FROM referred d,
				 LATERAL (SELECT substr(ref #>> '{}', 9) AS name
						  FROM jsonb_path_query(d.body, 'strict $.**."$ref"', silent => true) ref) x
		)
		SELECT jsonb_object_agg(name, body) FILTER (WHERE body IS NOT NULL), min(name) FILTER (WHERE body IS NULL)
		INTO used, missing
		FROM referred WHERE name <> '';
		IF missing IS NOT NULL THEN
			RAISE EXCEPTION 'event type % refers to %, which is not defined', r.type, missing;
		END IF;
		UPDATE routing.event_type t
		SET json_schema = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false}'
			|| r.json_schema
			|| jsonb_build_object('$id', format('urn:routing:schema:%s:%s', regexp_replace(r.type, '\.v[0-9]+$', ''), r.schemaversion),
								  'title', r.type, 'description', r.description)
			|| CASE WHEN used IS NULL THEN '{}' ELSE jsonb_build_object('$defs', used) END
		WHERE t.type = r.type AND t.schemaversion = r.schemaversion;
	END LOOP;
END
$do$;
