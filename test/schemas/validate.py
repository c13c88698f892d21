#!/usr/bin/env python3
"""JSON Schemas and payloads, by the Python package jsonschema.

	validate.py schemas CATALOG           schemas that 2020-12 does not allow
	validate.py events CATALOG EVENTS     payloads that are not valid
	validate.py count EVENTS              how many there are of how many types
	validate.py wrong CATALOG EVENTS N    N payloads with one place changed, as CSV:
	                                      type, schemaversion, payload, whether it is valid

CATALOG and EVENTS hold a JSON object per line; a problem is a line of output.
"""

import copy
import csv
import json
import random
import sys

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

SEED = 7
# what takes the place of a value
OTHERS = [None, True, 0, -1, 7, 1.5, "", "x y", "X", "12.34567", "2026-1-1", [], {}, [1], {"a": 1}]


def read(name):
	with open(name, encoding="utf-8") as lines:
		return [json.loads(line) for line in lines]


def validators(catalog):
	return {(r["type"], r["schemaversion"]): Draft202012Validator(r["schema"]) for r in read(catalog)}


def check_schemas(catalog):
	for row in read(catalog):
		try:
			Draft202012Validator.check_schema(row["schema"])
		except SchemaError as error:
			print(f"{row['type']}: {error.json_path}: {error.message}")


def check_events(catalog, events):
	known = validators(catalog)
	for row in read(events):
		validator = known.get((row["type"], row["schemaversion"]))
		if validator is None:
			print(f"{row['database']}: {row['type']} {row['schemaversion']} is not in the catalog")
			continue
		for error in validator.iter_errors(row["payload"]):
			print(f"{row['database']}: {row['type']}: {error.json_path}: {error.message}")


def count(events):
	rows = read(events)
	print(f"{len(rows)} events of {len({r['type'] for r in rows})} types from {len({r['database'] for r in rows})} databases")


def places(value, path=()):
	"""The paths of all values within a document."""
	yield path
	inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
	for key, member in inner:
		yield from places(member, path + (key,))


def change(payload, chance):
	document = copy.deepcopy(payload)
	path = chance.choice(list(places(document)))
	if not path:
		# the document itself; it stays an object
		document[chance.choice(["zzz", "a", "order_status"])] = "more"
		return document
	within = document
	for key in path[:-1]:
		within = within[key]
	what = chance.random()
	value = within[path[-1]]
	if what < 0.3:
		del within[path[-1]]
	elif what < 0.5 and isinstance(value, dict):
		value[chance.choice(["zzz", "a"])] = chance.choice(OTHERS)
	elif what < 0.6 and isinstance(value, list) and value:
		value.append(copy.deepcopy(value[0]))
	elif what < 0.7 and isinstance(value, str):
		within[path[-1]] = value + chance.choice([" ", "0", "x", "Z"])
	else:
		within[path[-1]] = chance.choice(OTHERS)
	return document


def wrong(catalog, events, n):
	known = validators(catalog)
	by_type = {}
	for row in read(events):
		by_type.setdefault((row["type"], row["schemaversion"]), []).append(row["payload"])
	kinds = sorted(by_type)
	chance = random.Random(SEED)
	out = csv.writer(sys.stdout)
	for i in range(n):
		kind = kinds[i % len(kinds)]
		document = change(chance.choice(by_type[kind]), chance)
		out.writerow([*kind, json.dumps(document), known[kind].is_valid(document)])


if __name__ == "__main__":
	verb, *arguments = sys.argv[1:]
	if verb == "schemas":
		check_schemas(*arguments)
	elif verb == "events":
		check_events(*arguments)
	elif verb == "count":
		count(*arguments)
	elif verb == "wrong":
		wrong(*arguments[:2], int(arguments[2]))
	else:
		sys.exit(__doc__)
