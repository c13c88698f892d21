#!/usr/bin/env python3
"""The documents of the catalog of event types.

	event_docs.py CATALOG EVENTS_MD ASYNCAPI_YAML

CATALOG is what event_docs.sh read: the types with their schemas and an example
each.  In EVENTS_MD what is between the marks is replaced, ASYNCAPI_YAML is
written as a whole.
"""

import copy
import json
import re
import sys

BEGIN = "<!-- generated from routing.event_type by tools/event_docs.sh; begin -->\n"
END = "<!-- end -->\n"

# definitions of values that are explained once; the others are explained where they are used
VALUES = ["code", "word", "decimal", "quantity", "day", "instant"]
DEFS = "#/$defs/"
COMPONENTS = "#/components/schemas/"


def read_catalog(name):
	with open(name, encoding="utf-8") as file:
		# whole seconds: how long the scenario took does not matter
		text = re.sub(r"(T\d\d:\d\d):\d\d\.\d{6}Z", r"\1:00.000000Z", file.read())
	return json.loads(text)


class Defs:
	"""The definitions of all types, by name; the same everywhere, or else with the type before it."""

	def __init__(self, types):
		self.all = {}
		for t in types:
			for name, body in t["schema"].get("$defs", {}).items():
				if self.all.setdefault(name, body) != body:
					raise SystemExit(f"{t['type']} defines {name} otherwise than another type")

	def chain(self, schema):
		"""A schema and those it refers to, one after the other, with their names."""
		found = [("", schema)]
		while "$ref" in found[-1][1]:
			name = found[-1][1]["$ref"].removeprefix(DEFS)
			found.append((name, self.all[name]))
		return found

	def first(self, schema, keyword):
		return next((s[keyword] for _, s in self.chain(schema) if keyword in s), None)


# ----------------------------------------------------------------------------
# doc/events.md
# ----------------------------------------------------------------------------

def fields_of(schema):
	"""The fields of an object, the required ones first, in their order."""
	properties = schema.get("properties", {})
	required = schema.get("required", [])
	return [(name, properties[name], True) for name in required] + \
		[(name, properties[name], False) for name in sorted(properties) if name not in required]


def is_object(defs, schema):
	return defs.first(schema, "type") == "object"


def object_name(defs, schema):
	"""The name under which an object is explained: that of the last definition."""
	return defs.chain(schema)[-1][0]


def type_text(defs, schema):
	if "items" in schema:
		return type_text(defs, schema["items"]) + "[]"
	if is_object(defs, schema):
		name = object_name(defs, schema)
		return f"[{name}](#{name})"
	last = defs.chain(schema)[-1][0]
	if last in VALUES:
		return f"[{last}](#values)"
	return defs.first(schema, "type") or "string"


def meaning(defs, schema):
	parts = []
	text = defs.first(schema, "description")
	if text and not (defs.chain(schema)[-1][0] in VALUES and text == defs.all[defs.chain(schema)[-1][0]].get("description")):
		parts.append(text)
	value, values, examples = (defs.first(schema, k) for k in ("const", "enum", "examples"))
	if value is not None:
		parts.append(f"`{value}`")
	elif values:
		parts.append(" or ".join(f"`{v}`" for v in values))
	elif examples:
		parts.append(", ".join(f"`{v}`" for v in examples) + " …")
	return "; ".join(parts)


def cell(text):
	return text.replace("|", "\\|").replace("<", "&lt;")


def table(defs, schema):
	lines = ["| field | type | required | meaning |", "|---|---|---|---|"]
	for name, field, required in fields_of(schema):
		lines.append(f"| `{name}` | {type_text(defs, field)} | {'yes' if required else 'no'} | {cell(meaning(defs, field))} |")
	return lines


def ordered(defs, schema, value):
	"""A document with its members in the order of the tables."""
	schema = defs.chain(schema)[-1][1]
	if isinstance(value, list):
		return [ordered(defs, schema.get("items", {}), v) for v in value]
	if isinstance(value, dict):
		return {name: ordered(defs, field, value[name]) for name, field, _ in fields_of(schema) if name in value}
	return value


def markdown(catalog, defs):
	out = []
	for t in catalog["types"]:
		out += [f"### {t['type']}", "", t["description"].replace("<", "&lt;"), ""]
		facts = [f"stream `{t['aggregatetype']}`", f"schemaversion {t['schemaversion']}", f"since {t['since']}"]
		if t["status"] != "active":
			facts.append(t["status"])
		if t["replaced_by"]:
			facts.append(f"replaced by `{t['replaced_by']}`")
		text = ", ".join(facts)
		out += [text[0].upper() + text[1:] + ".", ""]
		out += table(defs, t["schema"]) + [""]
		if t["example"]:
			example = json.dumps(ordered(defs, t["schema"], t["example"]["payload"]), indent=2, ensure_ascii=False)
			out += ["```json", example, "```", ""]
	out += ["### Objects within payloads", ""]
	for name in sorted(n for n, s in defs.all.items() if s.get("type") == "object"):
		out += [f"#### {name}", ""]
		if "description" in defs.all[name]:
			text = defs.all[name]["description"]
			out += [text[0].upper() + text[1:] + ".", ""]
		out += table(defs, defs.all[name]) + [""]
	out += ["### Values", "", "| type | form | meaning |", "|---|---|---|"]
	for name in VALUES:
		if name in defs.all:
			pattern = defs.all[name].get("pattern")
			form = f"string `{cell(pattern)}`" if pattern else "string, not empty"
			out.append(f"| {name} | {form} | {cell(defs.all[name]['description'])} |")
	return "\n".join(out) + "\n"


def replace_between_marks(name, text):
	with open(name, encoding="utf-8") as file:
		page = file.read()
	before, rest = page.split(BEGIN)
	after = rest.split(END, 1)[1]
	with open(name, "w", encoding="utf-8") as file:
		file.write(before + BEGIN + "\n" + text + "\n" + END + after)


# ----------------------------------------------------------------------------
# doc/asyncapi.yaml
# ----------------------------------------------------------------------------

def string(description, **more):
	return {"type": "string", "description": description, **more}


# the attributes of CloudEvents, and those that are ours
ATTRIBUTES = {
	"specversion": {"const": "1.0"},
	"id": string("the same on every redelivery: what consumers deduplicate by", format="uuid"),
	"source": string("urn:routing:<cluster>:<tenant>", format="uri-reference", minLength=1),
	"type": string("the type, after routing.event_type_prefix", minLength=1),
	"subject": string("<aggregatetype>/<aggregateid>"),
	"time": string("the clock of the decision", format="date-time"),
	"recordedtime": string("when the row was written", format="date-time"),
	"datacontenttype": {"const": "application/json"},
	"dataschema": string("urn:routing:schema:<type>:<schemaversion>", format="uri"),
	"dataref": string("where the payload is, if it is too large to be here"),
	"partitionkey": string("the aggregate's id"),
	"sequence": string("epoch, commit position and number in the transaction: ascends in the order of commits"),
	"aggregatetype": string("the stream's kind"),
	"aggregateversion": string("without gaps per aggregate, padded to 19 digits", pattern="^[0-9]{19}$"),
	"tenantid": string("the tenant's name"),
	"correlationid": string("of the request or the order"),
	"causationid": string("id of the event that this is a consequence of", format="uuid"),
	"traceparent": string("W3C Trace Context"),
	"tracestate": string("W3C Trace Context"),
	"acklsn": string("the position to acknowledge once txlast has come"),
	"txlast": {"type": "boolean", "description": "the last event of its transaction"},
}
REQUIRED = ["specversion", "id", "source", "type", "subject", "time", "dataschema", "partitionkey", "aggregatetype",
			"aggregateversion", "tenantid"]
# headers of Kafka messages that the outbox router makes
HEADERS = ["specversion", "id", "source", "type", "time", "partitionkey", "aggregateversion", "tenantid", "correlationid",
		   "causationid", "traceparent"]


def draft7(schema):
	"""A schema for AsyncAPI: references to its components, and nothing beside a reference."""
	if isinstance(schema, list):
		return [draft7(s) for s in schema]
	if not isinstance(schema, dict):
		return schema
	out = {k: draft7(v) for k, v in schema.items() if k not in ("$schema", "$id", "$defs", "title")}
	if "$ref" in out:
		ref = {"$ref": out.pop("$ref").replace(DEFS, COMPONENTS)}
		return {"allOf": [ref], **out} if out else ref
	return out


def ref(kind, name):
	return {"$ref": f"#/{kind}/{name}"}


def example_envelope(t, number, payload):
	e = t["example"]
	return {
		"specversion": "1.0",
		"id": f"0199a1f2-6c1e-7b3a-9d4e-{number:012x}",
		"source": "urn:routing:eu1:default",
		"type": t["type"],
		"subject": f"{t['aggregatetype']}/{e['aggregateid']}",
		"time": "2026-12-01T15:00:00.000000Z",
		"recordedtime": "2026-12-01T15:00:00.001000Z",
		"datacontenttype": "application/json",
		"dataschema": t["schema"]["$id"],
		"partitionkey": e["aggregateid"],
		"aggregatetype": t["aggregatetype"],
		"aggregateversion": f"{e['aggregateversion']:019d}",
		"tenantid": "default",
		"data": payload,
	}


def messages_of(t, number, defs):
	payload = ref("components/schemas", t["type"])
	structured = {
		"name": t["type"],
		"title": t["type"],
		"summary": t["description"],
		"contentType": "application/cloudevents+json",
		"payload": {"allOf": [
			ref("components/schemas", "envelope"),
			{"type": "object", "properties": {
				"type": {"pattern": "(^|\\.)" + re.escape(t["type"]) + "$"},
				"dataschema": {"const": t["schema"]["$id"]},
				"aggregatetype": {"const": t["aggregatetype"]},
				"data": payload}}]},
	}
	binary = {
		"name": t["type"],
		"title": t["type"] + ", CloudEvents binary mode",
		"summary": t["description"],
		"contentType": "application/json",
		"headers": ref("components/schemas", "headers"),
		"bindings": {"kafka": {"key": string("the aggregate's id")}},
		"payload": copy.deepcopy(payload),
	}
	if t["example"]:
		body = ordered(defs, t["schema"], t["example"]["payload"])
		structured["examples"] = [{"payload": example_envelope(t, number, body)}]
		binary["examples"] = [{"payload": body}]
	return structured, binary


def asyncapi(catalog, defs):
	schemas = {
		"envelope": {"type": "object", "description": "a CloudEvent 1.0 in structured mode", "required": REQUIRED,
					 "properties": {**ATTRIBUTES, "data": {"description": "the payload", "type": "object"}}},
		"headers": {"type": "object", "description": "a CloudEvent 1.0 in binary mode: what the headers of the message say",
					"properties": {f"ce_{name}": ATTRIBUTES[name] for name in HEADERS}},
	}
	channels, operations, messages = {}, {}, {}
	for number, t in enumerate(catalog["types"]):
		stream = t["aggregatetype"]
		topic = f"outbox.event.{stream}"
		schemas[t["type"]] = draft7(t["schema"])
		structured, binary = messages_of(t, number, defs)
		messages[t["type"]] = structured
		messages[t["type"] + ".binary"] = binary
		if stream not in channels:
			channels[stream] = {
				"address": None, "title": f"events of streams of the kind {stream}",
				"description": "From the output plugin or the consumer functions, in the order of commits.", "messages": {}}
			channels[topic] = {
				"address": topic, "title": f"events of streams of the kind {stream}, by way of the outbox router",
				"description": "The topic that Debezium's outbox event router writes by default, in order per key.", "messages": {}}
			for channel in (stream, topic):
				operations["receive." + channel] = {"action": "receive", "channel": ref("channels", channel)}
		channels[stream]["messages"][t["type"]] = ref("components/messages", t["type"])
		channels[topic]["messages"][t["type"]] = ref("components/messages", t["type"] + ".binary")
	for name in sorted(defs.all):
		if name in schemas:
			raise SystemExit(f"definition {name} has the name of something else")
		schemas[name] = draft7(defs.all[name])
	return {
		"asyncapi": "3.0.0",
		"info": {
			"title": "routing: events", "version": catalog["version"],
			"description": "What a consumer of the event stream receives. Delivery is at least once: deduplicate by id; "
				"aggregateversion tells order and gaps. See events.md."},
		"defaultContentType": "application/cloudevents+json",
		"channels": channels,
		"operations": operations,
		"components": {"messages": messages, "schemas": schemas},
	}


def scalar(value):
	if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", value) and \
			value.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n"):
		return value
	# a JSON text is YAML, too
	return json.dumps(value, ensure_ascii=False)


def yaml(value, indent=0):
	"""The lines of a document as YAML; empty containers and scalars are one line without indentation."""
	pad = "  " * indent
	if isinstance(value, dict) and value:
		lines = []
		for key, member in value.items():
			inner = yaml(member, indent + 1)
			nested = isinstance(member, (dict, list)) and member
			lines += [f"{pad}{scalar(key)}:"] + inner if nested else [f"{pad}{scalar(key)}: {inner[0]}"]
		return lines
	if isinstance(value, list) and value:
		lines = []
		for member in value:
			inner = yaml(member, indent + 1)
			if isinstance(member, (dict, list)) and member:
				lines += [f"{pad}- {inner[0].lstrip()}"] + inner[1:]
			else:
				lines.append(f"{pad}- {inner[0]}")
		return lines
	return [scalar(value)]


def main(catalog_name, page, yaml_name):
	catalog = read_catalog(catalog_name)
	defs = Defs(catalog["types"])
	replace_between_marks(page, markdown(catalog, defs))
	with open(yaml_name, "w", encoding="utf-8") as file:
		file.write("# generated from routing.event_type by tools/event_docs.sh: make docs\n")
		file.write("\n".join(yaml(asyncapi(catalog, defs))) + "\n")


if __name__ == "__main__":
	if len(sys.argv) != 4:
		sys.exit(__doc__)
	main(*sys.argv[1:])
