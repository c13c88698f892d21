#!/usr/bin/env python3
"""Random timelines, on which the engine and the oracle must agree.

A timeline is an item with a random life at one or more nodes: supply comes,
slips, shrinks and is deleted, orders, holds and other demand are booked and
cancelled, the calendar moves on.  After each step the raw rows are read and
availability is computed from them (naive.py); every answer of the engine must
be the same, and what it booked must be covered.

The timelines of a batch live side by side in a database of their own, a copy
of the one that base.sql made.  A batch is reproduced by its number and the seed:
	timelines.py --seed S --only BATCH
"""
import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile

import naive

UNIT = 10000
HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 8
EPOCH = "date '2000-01-01'"


class Psql:
	"""A psql at the other end of two pipes."""

	def __init__(self, database):
		self.errors = tempfile.TemporaryFile("w+")
		self.process = subprocess.Popen(
			["psql", "-X", "-q", "-At", "-F", "\t", "-P", "null=\\N", "-v", "ON_ERROR_STOP=1", "-d", database],
			stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)

	def run(self, script):
		"""The rows that the statements return."""
		rows = []
		try:
			self.process.stdin.write(script + "\n\\echo done\n")
			self.process.stdin.flush()
		except BrokenPipeError:
			self.fail(script)
		for line in self.process.stdout:
			if line == "done\n":
				return rows
			rows.append(line.rstrip("\n").split("\t"))
		self.fail(script)

	def fail(self, script):
		self.process.wait()
		self.errors.seek(0)
		raise RuntimeError("%s\nof\n%s" % (self.errors.read(), script[:4000]))

	def close(self):
		self.process.stdin.close()
		self.process.wait()


def number(text):
	return None if text == "\\N" else int(text)


def text_or_none(text):
	return None if text == "\\N" else text


class ItemNode:
	"""The raw rows of one item at one node."""

	def __init__(self):
		self.supplies = []
		self.bookings = []		# (order_id, state, Demand, ship_on, channel, pool)
		self.safety = 0
		self.enabled = True
		self.dock = None
		self.claims = []		# (rank, quantity)
		self.allotments = []

	def demands(self, *states):
		return [b[2] for b in self.bookings if b[1] in (states or ("firm", "issued", "hold"))]

	def takings(self):
		return [naive.Taking(ship_on, channel, pool, d.quantity) for _, state, d, ship_on, channel, pool in self.bookings
				if state in ("firm", "issued", "shipped", "hold", "planned")]

	def of_lots(self):
		return any(s.last is not None for s in self.supplies)


class Snapshot:
	"""All raw rows of a batch, and which day it is."""

	def __init__(self, rows, dock_days, rules):
		self.today = {}
		self.life = {}
		self.parents = {}
		self.places = {}
		self.weeks = {}
		later = []
		for row in rows:
			kind, item, node = row[:3]
			if kind == "today":
				self.today[node] = int(row[3])
			elif kind == "life":
				self.life[item] = int(row[3])
			elif kind == "channel":
				self.parents[row[3]] = text_or_none(row[4])
			elif kind == "week":
				self.weeks[node] = naive.Week({int(d) for d in row[3].strip("{}").split(",") if d},
											  {int(d): works == "t" for d, works in
											   (pair.split() for pair in row[4].strip("{}").replace('"', "").split(",") if pair)})
			elif kind == "supply":
				later.append(row)
			elif kind == "booking":
				state, expired = row[10], row[11]
				if not (state == "hold" and expired == "t"):
					demand = naive.Demand(int(row[8]), int(row[7]), number(row[12]), row[6])
					self.at(item, node).bookings.append(
						(row[3], state, demand, int(row[9]), text_or_none(row[13]), text_or_none(row[14])))
			elif kind == "item_node":
				place = self.at(item, node)
				place.safety, place.enabled, place.dock = int(row[3]), row[4] == "t", number(row[5])
			elif kind == "claim":
				self.at(item, node).claims.append((int(row[3]), int(row[4])))
			elif kind == "allotment":
				self.at(item, node).allotments.append(naive.Allotment(
					row[3], number(row[4]), number(row[5]), int(row[6]), number(row[7]), int(row[8]), int(row[9])))
		for row in later:
			place = self.at(row[1], row[2])
			if row[10] != "":
				continue		# dedicated: nobody else's
			use, delay, late = rules(row[8], row[9])
			dock = place.dock if place.dock is not None else dock_days[row[2]]
			place.supplies.append(naive.Supply(number(row[5]), int(row[6]), delay, late, use, number(row[7]), row[4],
											   dock, self.weeks.get(row[2])))

	def at(self, item, node):
		return self.places.setdefault((item, node), ItemNode())


def expected(now, place, today, day, life, channel):
	"""What is offered for a day, to a channel or to nobody in particular."""
	if not place.enabled:
		return 0
	day = max(day, today)
	supplies = naive.usable(place.supplies)
	demands = place.demands()
	if place.of_lots():
		there = naive.there_of_lots(supplies, demands, today, day, life)
	else:
		there = naive.there(supplies, demands, today, day)
	claimed = sum(quantity for rank, quantity in place.claims if rank <= 5)
	stock = max(0, there - place.safety)
	return naive.offered(stock, claimed, place.allotments, place.takings(), now.parents, channel, day)


class Timeline:
	"""What the driver remembers of an item."""

	def __init__(self, item, rng, functions):
		self.item = item
		self.nodes = ["N1"] if rng.random() < 0.6 else rng.sample(["N1", "N2", "N3"], rng.choice([1, 2]))
		self.refs = []			# (node, ref)
		self.orders = []
		self.holds = []			# as the last snapshot had them
		self.demands = []
		self.allotted = rng.random() < 0.2
		self.lots = rng.random() < 0.2 and "lots" in functions
		self.life = rng.choice([0, 0, 2]) if self.lots else 0
		self.serial = 0
		self.promising = False	# whether the step of this round promises something

	def name(self, what):
		self.serial += 1
		return "%s-%s%d" % (self.item, what, self.serial)


def rule_table(rng):
	"""Random rows of supply_rule, and the function that tells how they are to be understood."""
	rows = {}
	for kind in ("*", "purchase", "production"):
		for status in ("*", "confirmed", "planned"):
			if rng.random() < 0.25:
				rows[kind, status] = (rng.random() < 0.85, rng.randrange(4), rng.randrange(4))

	def rule(kind, status):
		builtin = (status not in ("quarantine", "held", "hold", "blocked", "putaway"),
				   3 if status == "unconfirmed" else 0, 1)
		for key in ((kind, status), ("*", status)):
			if key in rows:
				return rows[key]
		# a rule for every status leaves those their meaning that have one of their own
		if builtin[:2] != (True, 0):
			return builtin
		for key in ((kind, "*"), ("*", "*")):
			if key in rows:
				return rows[key]
		return builtin

	return rows, rule


class Batch:
	def __init__(self, options, index):
		self.options = options
		self.index = index
		self.rng = random.Random(options.seed * 1000003 + index)
		self.database = "oracle_%d" % index
		self.count = {}
		self.bad = {}

	def counted(self, what, n=1):
		self.count[what] = self.count.get(what, 0) + n

	def wrong(self, check, item, node, message):
		found = self.bad.setdefault(check, [])
		found.append("batch %d round %d, %s at %s: %s" % (self.index, self.round, item, node, message))

	def day(self, offset):
		return "oracle.day(%d)" % offset

	def quantity(self, low, high):
		return self.rng.randint(low, high) if self.rng.random() < 0.9 else self.rng.randint(low * 4, high * 4) / 4

	#
	# Steps: each returns the statements of one timeline in one round
	#

	def change_calendar(self):
		"""Days on which nodes work or do not: all inbound there is looked at again."""
		rng = self.rng
		calendar = rng.choice(["five", "odd"])
		what = rng.choice(["day", "day", "days", "move", "delete", "week"])
		self.counted("calendars: " + what)
		where = "WHERE calendar = '%s'" % calendar
		if what == "move":
			return ["UPDATE routing.calendar_day d SET open = NOT open %s AND day > oracle.day(%d);" % (where, rng.randint(0, 9))]
		if what == "delete":
			return ["DELETE FROM routing.calendar_day %s AND day > oracle.day(%d);" % (where, rng.randint(0, 15))]
		if what == "week":
			return ["UPDATE routing.calendar SET weekdays = ARRAY%s %s;" % (sorted(rng.sample(range(1, 8), rng.randint(2, 6))), where)]
		first = rng.randint(-3, 15)
		return ["INSERT INTO routing.calendar_day (calendar, day, open) SELECT '%s', oracle.day(n), %s"
				" FROM generate_series(%d, %d) n ON CONFLICT (tenant_id, calendar, day) DO UPDATE SET open = EXCLUDED.open;" %
				(calendar, rng.choice(["false", "false", "true"]), first, first if what == "day" else first + rng.randint(1, 5))]

	def new_supply(self, t, on_hand=False):
		rng = self.rng
		node = rng.choice(t.nodes)
		if on_hand:
			ref, kind, day = "", "on_hand", "'-infinity'"
		else:
			ref, kind = t.name("P"), rng.choice(["purchase", "purchase", "transfer", "production", "return"])
			day = self.day(rng.randint(-4, 14))
		lot, last = "", "NULL"
		if t.lots:
			lot = rng.choice(["L1", "L2", "L3", "L4"])
			# what a lot says must not contradict its other rows
			if rng.random() < 0.9:
				last = "oracle.last_day('%s', '%s', %d)" % (t.item, lot, rng.randint(-1, 25))
			self.counted("supply of lots")
		t.refs.append((node, ref))
		if on_hand and not t.lots and rng.random() < 0.03:
			quantity = -self.quantity(1, 4)
			self.counted("negative on hand")
		else:
			quantity = self.quantity(0 if on_hand else 1, 12)
		status = rng.choice(["confirmed"] * 6 + ["unconfirmed", "planned", "quarantine"])
		for_whom = ""
		if t.orders and not on_hand and rng.random() < 0.1:
			for_whom = rng.choice(t.orders)
			self.counted("dedicated supply")
		return ["INSERT INTO routing.supply (item, node, ref, kind, status, available_on, quantity, lot, expires_on, order_id)"
				" VALUES ('%s', '%s', '%s', '%s', '%s', %s, %s, '%s', %s, '%s') ON CONFLICT (tenant_id, item, node, ref, lot)"
				" DO UPDATE SET quantity = EXCLUDED.quantity;" %
				(t.item, node, ref, kind, status, day, quantity, lot, last, for_whom)]

	def allot(self, t):
		rng = self.rng
		node = rng.choice(t.nodes)
		sql = ["DELETE FROM routing.allotment WHERE item = '%s' AND node = '%s';" % (t.item, node)]
		# a group has more than its parts together
		for group, parts in (("retail", ["web", "shop"]), ("wholesale", ["edi"])):
			quotas = {part: rng.randint(0, 4) for part in parts if rng.random() < 0.6}
			if rng.random() < 0.6:
				quotas[group] = sum(quotas.values()) + rng.randint(0, 3)
			limit = None
			for channel in [group] + parts:
				if channel not in quotas:
					continue
				most = rng.choice(["NULL", quotas[channel] + rng.randint(0, 6)])
				if channel == group:
					limit = most
				elif limit not in (None, "NULL"):
					most = min(limit, quotas[channel] + rng.randint(0, 6)) if most != "NULL" else "NULL"
				period = rng.choice(["'-infinity', 'infinity'"] * 3 + ["oracle.day(0), oracle.day(9)", "oracle.day(4), 'infinity'"]
									if channel == group or group not in quotas else ["'-infinity', 'infinity'"])
				self.counted("allotments")
				sql.append("INSERT INTO routing.allotment (item, node, channel, quota, max_quantity, buffer, rank, valid_from, valid_to)"
						   " VALUES ('%s', '%s', '%s', %d, %s, %d, %d, %s);" %
						   (t.item, node, channel, quotas[channel], most, rng.choice([0, 0, 1]), rng.randint(1, 3), period))
		return sql

	def begin(self, t):
		rng = self.rng
		sql = []
		for node in t.nodes:
			if rng.random() < 0.4:
				self.counted("item-nodes with settings")
				sql.append("INSERT INTO routing.item_node (item, node, safety_stock, enabled, dock_days, lead_time_days)"
						   " VALUES ('%s', '%s', %s, %s, %s, %s);" %
						   (t.item, node, rng.choice([0, 1, 2.5, 5]), rng.random() < 0.95,
							rng.choice(["NULL", "0", "1", "3"]), rng.choice(["NULL"] * 4 + ["7", "20"])))
		if rng.random() < 0.8:
			sql += self.new_supply(t, on_hand=True)
		for _ in range(rng.randint(0, 4) + 2 * t.lots):
			sql += self.new_supply(t, on_hand=t.lots and rng.random() < 0.5)
		if t.allotted and self.can("allotment_figures"):
			sql += self.allot(t)
		if t.life:
			sql.append("UPDATE routing.item SET min_life_days = %d WHERE item = '%s';" % (t.life, t.item))
		return sql

	def order(self, t):
		rng = self.rng
		name = t.name("O")
		t.orders.append(name)
		t.promising = True
		self.counted("orders")
		lines = [str(self.quantity(1, 6)) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
		node = "NULL" if rng.random() < 0.3 else "'%s'" % rng.choice(t.nodes)
		channel = "'%s'" % rng.choice(["web", "shop", "edi", "retail"]) if rng.random() < 0.5 else "NULL"
		want = "NULL" if rng.random() < 0.2 else self.day(rng.randint(0, 16))
		life = rng.choice(["NULL", "0", "1", "5", "12"]) if t.lots else "NULL"
		return ["CALL oracle.place('%s', '%s', %s, %s, '%s', '%s', %s, %s, ARRAY[%s]::numeric[]);" %
				(name, rng.choice(["BEST", "USUAL", "USUAL", "LAST"]), channel, want,
				 rng.choice(["ship", "deliver"]), t.item, node, life, ", ".join(lines))]

	def tried(self, call, *arguments):
		"""A call that the engine may refuse in words."""
		self.counted(call)
		words = ", ".join("''%s''" % a if isinstance(a, str) and not a.startswith("oracle.") else str(a) for a in arguments)
		return ["SELECT oracle.try(%d, 'SELECT routing.%s(%s)');" % (self.round, call, words)]

	def hold(self, t):
		rng = self.rng
		t.promising = True
		lines = ", ".join('{"item": "%s", "quantity": "%s"%s}' %
						  (t.item, self.quantity(1, 5), "" if rng.random() < 0.3 else ', "node": "%s"' % rng.choice(t.nodes))
						  for _ in range(rng.choice([1, 1, 2])))
		channel = ', "channel": "%s"' % rng.choice(["web", "shop", "edi"]) if rng.random() < 0.5 else ""
		return self.tried("hold", '{"customer": "USUAL"%s, "ship_to": {"country": "US", "postal_code": "10001"}, "lines": [%s]}' %
						  (channel, lines), rng.choice(["12 hours", "60 hours", "10 days"]))

	def end_hold(self, t):
		if not t.holds:
			return self.hold(t)
		t.promising = True
		return self.tried(self.rng.choice(["confirm_hold", "confirm_hold", "cancel_hold"]), self.rng.choice(t.holds))

	def demand(self, t):
		rng = self.rng
		if t.demands and rng.random() < 0.3:
			return self.tried("cancel_demand", t.demands.pop())
		t.promising = True
		t.demands.append(t.name("D"))
		if rng.random() < 0.3 and self.can("put_transfer"):
			other = rng.choice([n for n in ("N1", "N2", "N3") if n != t.nodes[0]])
			n = rng.randint(0, 10)
			return self.tried("put_transfer", t.demands[-1], t.item, t.nodes[0], other, self.quantity(1, 5),
							  "oracle.day(%d)" % n, "oracle.day(%d)" % (n + rng.randint(1, 4)))
		return self.tried("put_demand", t.demands[-1], t.item, rng.choice(t.nodes), self.quantity(1, 5),
						  "oracle.day(%d)" % rng.randint(0, 14))

	def received(self, t):
		rng = self.rng
		inbound = [ref for _, ref in t.refs if ref]
		if not inbound or t.lots or rng.random() < 0.3:
			return self.tried("adjust_on_hand", t.item, rng.choice(t.nodes), rng.randint(-3, 3), t.name("A"))
		return self.tried("receive", rng.choice(inbound), self.quantity(1, 5), t.name("R"))

	def ship(self, t):
		"""Goods that are issued; on hand falls in the same transaction, in a later one, or has fallen before."""
		rng = self.rng
		if not t.orders:
			return self.order(t)
		issue = self.tried("confirm_ship", t.orders.pop(rng.randrange(len(t.orders))))
		fall = ["UPDATE routing.supply SET quantity = quantity - %d WHERE item = '%s' AND node = '%s' AND ref = '' AND quantity >= 3;" %
				(rng.randint(1, 3), t.item, rng.choice(t.nodes))]
		return rng.choice([issue, issue + fall, fall + issue])

	def cancel(self, t):
		if not t.orders:
			return self.order(t)
		name = t.orders.pop(self.rng.randrange(len(t.orders)))
		self.counted("cancellations")
		return ["SELECT routing.cancel_order('%s');" % name]

	def change(self, t):
		rng = self.rng
		if not t.refs or rng.random() < 0.25:
			return self.new_supply(t)
		node, ref = rng.choice(t.refs)
		where = "WHERE item = '%s' AND node = '%s' AND ref = '%s'" % (t.item, node, ref)
		what = rng.choice(["slip", "slip", "down", "down", "up", "status", "settings"] + ["delete"] * (ref != ""))
		self.counted("supply: " + what)
		if what == "slip":
			return ["UPDATE routing.supply SET available_on = available_on + %d %s AND kind <> 'on_hand';" %
					(rng.randint(-3, 9), where)]
		if what == "down":
			return ["UPDATE routing.supply SET quantity = trunc(quantity * %s) %s;" % (rng.choice([0, 0.3, 0.6, 0.8]), where)]
		if what == "up":
			return ["UPDATE routing.supply SET quantity = quantity + %s %s;" % (self.quantity(1, 6), where)]
		if what == "status":
			return ["UPDATE routing.supply SET status = '%s' %s;" %
					(rng.choice(["confirmed", "unconfirmed", "planned", "held"]), where)]
		if what == "settings":
			return ["INSERT INTO routing.item_node (item, node, safety_stock, dock_days) VALUES ('%s', '%s', %s, %s)"
					" ON CONFLICT (tenant_id, item, node) DO UPDATE SET safety_stock = EXCLUDED.safety_stock,"
					" dock_days = EXCLUDED.dock_days;" %
					(t.item, node, rng.choice([0, 0, 1, 3]), rng.choice(["NULL", "0", "2"]))]
		t.refs.remove((node, ref))
		return ["DELETE FROM routing.supply %s;" % where]

	def step(self, t):
		t.promising = False
		actions = [(self.order, 50), (self.change, 35), (self.cancel, 8), (lambda t: [], 7)]
		for name, action, weight in (("hold", self.hold, 8), ("confirm_hold", self.end_hold, 6), ("put_demand", self.demand, 8),
									 ("receive", self.received, 8), ("confirm_ship", self.ship, 6),
									 ("allotment_figures", self.allot, 3)):
			if self.can(name) and (action != self.allot or t.allotted):
				actions.append((action, weight))
		return self.rng.choices([a for a, _ in actions], [w for _, w in actions])[0](t)

	def can(self, function):
		return function in self.options.functions

	#
	# Reading and comparing
	#

	def questions(self, today):
		rng = self.rng
		days = sorted({today - 2, today, today + 1, today + rng.randint(2, 6), today + rng.randint(7, 12),
					   today + rng.randint(13, 60)})
		channels = "unnest(ARRAY[NULL, 'web', 'shop', 'retail', 'edi', 'wholesale'])"
		return ("SELECT 'atp', i.item, t.node, d, '', (routing.atp(i.item, t.node, %(epoch)s + d) * 10000)::bigint"
				" FROM routing.item i, oracle.today t, unnest(ARRAY[%(days)s]) d"
				" WHERE EXISTS (SELECT FROM routing.position p WHERE p.item = i.item AND p.node = t.node);\n"
				"SELECT 'atp', a.item, a.node, d, c, (routing.atp(a.item, a.node, %(epoch)s + d, c) * 10000)::bigint"
				" FROM (SELECT DISTINCT item, node FROM routing.allotment) a, unnest(ARRAY[%(days)s]) d, %(channels)s c"
				" WHERE c IS NOT NULL;\n"
				"SELECT 'view', a.item, a.node, '', '', (a.atp * 10000)::bigint FROM routing.availability a;\n" %
				{"epoch": EPOCH, "days": ", ".join(map(str, days)), "channels": channels}) + (
				"SELECT 'table', a.item, a.node, a.on_date - %(epoch)s, '', (a.atp * 10000)::bigint"
				" FROM routing.atp_table(to_date => oracle.day(15)) a;\n" % {"epoch": EPOCH}
				if "atp_table" in self.options.functions else "")

	def look(self, timelines):
		"""The rows and the answers of one snapshot."""
		today = int(self.psql.run("SELECT today - %s FROM oracle.today WHERE node = 'N1';" % EPOCH)[0][0])
		rows = self.psql.run("BEGIN ISOLATION LEVEL REPEATABLE READ;\n" + self.rows_sql +
							 self.questions(today) + "COMMIT;")
		asked = ("atp", "view", "table")
		answers = [r for r in rows if r[0] in asked]
		for t in timelines:
			t.holds = []
		for row in rows:
			if row[0] == "booking" and row[10] == "hold" and row[3].startswith("hold:"):
				timelines[int(row[1][1:]) - 1].holds.append(row[3][5:])
		return Snapshot([r for r in rows if r[0] not in asked], self.dock_days, self.rules), answers

	def compare(self, now, answers):
		known = {}
		for kind, item, node, day, channel, found in answers:
			place = now.at(item, node)
			today = now.today[node]
			asked = today if kind == "view" else int(day)
			key = (item, node, max(asked, today), channel)
			if key not in known:
				known[key] = expected(now, place, today, asked, now.life.get(item, 0), channel or None)
			self.counted("answers")
			if known[key] > 0:
				self.counted("answers above 0")
			if known[key] != int(found):
				self.wrong("atp", item, node, "%s for day %d and channel %s (today is %d): expected %s, found %s\n%s" %
						   (kind, asked, channel or "none", today, known[key] / UNIT, int(found) / UNIT, describe(place, today)))

	def covered(self, now):
		"""
		What holds after every commit that judged the item-nodes as of today:
		what is promised is there in time.  Goods that are issued are gone anyway,
		and a hold does not give way to the end of a lot.
		"""
		for (item, node), place in now.places.items():
			today = now.today[node]
			supplies, demands = naive.usable(place.supplies), place.demands()
			firm = place.demands("firm", "hold")
			if place.of_lots():
				issued = place.demands("issued")
				if not issued and not naive.feasible(supplies, place.demands("firm"), today):
					self.wrong("covered", item, node, "not all covered bookings can be served from lots\n%s" %
							   describe(place, today))
				continue
			far = naive.far_day(supplies, demands, today)
			for day, b in naive.balances(supplies, demands, today, far).items():
				if b < 0 and any(d.day <= day for d in firm):
					self.wrong("covered", item, node, "balance %s on day %d\n%s" % (b / UNIT, day, describe(place, today)))
					break
			# the same once more, unit by unit: the n-th that is needed against the n-th that arrives
			late = first_late(supplies, demands, today) if len(firm) == len(demands) else None
			if late is not None:
				self.wrong("waits", item, node, "a covered booking needed on day %d waits until day %s\n%s" %
						   (late[0], late[1], describe(place, today)))

	def promised(self, before, now, timelines):
		"""No promise made a balance negative."""
		for t in timelines:
			if not t.promising:
				continue
			for node in ("N1", "N2", "N3"):
				old, new = before.at(t.item, node), now.at(t.item, node)
				today = now.today[node]
				if len(new.demands()) > len(old.demands()):
					self.counted("promises")
				if new.of_lots():
					if (naive.feasible(naive.usable(old.supplies), old.demands(), today) and
							not naive.feasible(naive.usable(new.supplies), new.demands(), today)):
						self.wrong("promise", t.item, node, "lots no longer serve all\n%s" % describe(new, today))
					continue
				far = max(naive.far_day(naive.usable(x.supplies), x.demands(), today) for x in (old, new))
				was = naive.balances(naive.usable(old.supplies), old.demands(), today, far)
				is_now = naive.balances(naive.usable(new.supplies), new.demands(), today, far)
				for day in was:
					if was[day] >= 0 and is_now[day] < 0:
						self.wrong("promise", t.item, node, "the balance of day %d went from %s to %s\n%s" %
								   (day, was[day] / UNIT, is_now[day] / UNIT, describe(new, today)))
						break

	def play(self, timelines, make):
		"""One step of each timeline, several of them in a transaction."""
		rng = self.rng
		rest = list(timelines)
		rng.shuffle(rest)
		while rest:
			n = rng.choice([1, 5, 20, 60])
			script = [s for t in rest[:n] for s in make(t)]
			rest = rest[n:]
			if script:
				self.psql.run("BEGIN;\n" + "\n".join(script) + "\nCOMMIT;")

	def run(self):
		rng = self.rng
		timelines = [Timeline("T%d" % (i + 1), rng, self.options.functions) for i in range(self.options.size)]
		subprocess.run(["createdb", "-T", self.options.base, "--strategy=file_copy", self.database], check=True)
		self.psql = Psql(self.database)
		self.rows_sql = open(os.path.join(HERE, "rows.sql")).read()
		self.dock_days = {node: int(days) for node, days in self.psql.run("SELECT node, dock_days FROM routing.node;")}
		rows, self.rules = rule_table(rng)
		script = ["SET synchronous_commit = off;",
				  "INSERT INTO routing.item (item) SELECT 'T' || n FROM generate_series(1, %d) n;" % len(timelines)]
		for (kind, status), rule in rows.items():
			script.append("INSERT INTO routing.supply_rule (kind, status, usable, delay_days, late_days)"
						  " VALUES ('%s', '%s', %s, %d, %d);" % ((kind, status) + rule))
		if self.index % 2 == 0 and self.can("confirm_ship"):
			# stock that falls has left for nobody: victims at once
			script.append("INSERT INTO routing.setting (issue_grace) VALUES ('0')"
						  " ON CONFLICT (tenant_id) DO UPDATE SET issue_grace = EXCLUDED.issue_grace;")
			self.counted("timelines without a grace", len(timelines))
		for _ in range(6):
			script += self.change_calendar()
		self.psql.run("\n".join(script))
		if rng.random() < 0.3:
			# every position is divided into slots, however little it has
			self.psql.run("SET routing.escrow = always;")
			self.counted("timelines of slots", len(timelines))
		clock = 0
		self.round = 0
		self.play(timelines, self.begin)
		before, answers = self.look(timelines)
		self.compare(before, answers)
		self.covered(before)
		judged = True
		for self.round in range(1, ROUNDS):
			if rng.random() < 0.4:
				days = rng.randint(1, 4)
				clock += days * 86400
				self.counted("days the calendar moved", days)
				self.psql.run("SET routing.clock_offset = %d;" % clock)
				judged = False
				before, answers = self.look(timelines)
				self.compare(before, answers)
				if "roll" in self.options.functions and rng.random() < 0.8:
					self.psql.run("SELECT routing.roll();")
					judged = True
			if rng.random() < 0.3:
				self.psql.run("\n".join(self.change_calendar()))
				before, answers = self.look(timelines)
				self.compare(before, answers)
				if judged:
					self.covered(before)
			self.play(timelines, self.step)
			now, answers = self.look(timelines)
			self.compare(now, answers)
			if judged:
				self.covered(now)
			self.promised(before, now, timelines)
			before = now
		self.counted("timelines", len(timelines))
		if not judged and self.can("roll"):
			self.psql.run("SELECT routing.roll();")
		for row in self.psql.run("SELECT * FROM routing.verify();"):
			self.wrong("verify", "", "", " ".join(row))
		for what, n in self.psql.run(
				"SELECT 'bookings ' || state, count(*) FROM routing.reservation GROUP BY 1"
				" UNION ALL SELECT 'bookings of pools', count(*) FROM routing.reservation WHERE pool IS NOT NULL"
				" UNION ALL SELECT 'holds ' || state, count(*) FROM routing.hold GROUP BY 1"
				" UNION ALL SELECT 'slots', count(*) FROM routing.position WHERE slot > 0"
				" UNION ALL SELECT 'claims', count(*) FROM routing.claim"
				" UNION ALL SELECT 'orders ' || status, count(*) FROM routing.sales_order GROUP BY 1"
				" UNION ALL SELECT 'refused ' || sqlstate, count(*) FROM oracle.refused GROUP BY 1;"):
			self.counted(what, int(n))
		for row in self.psql.run("SELECT sqlstate, message, statement FROM oracle.refused WHERE sqlstate !~ '^RT';"):
			self.wrong("refused", "", "", " ".join(row))
		self.psql.close()
		if not self.bad or not self.options.keep:
			subprocess.run(["dropdb", self.database], check=True)
		return self.count, self.bad


def first_late(supplies, demands, today):
	"""The first booking, by need, whose last unit arrives after its need; None if a quantity is negative."""
	if any(s.quantity < 0 for s in supplies):
		return None
	arrivals = sorted((s.arrives(today), s.quantity) for s in supplies)
	taken = 0
	for d in sorted(demands, key=lambda d: d.day):
		taken += d.quantity
		come = 0
		for day, quantity in arrivals:
			come += quantity
			if come >= taken:
				break
		else:
			return d.day, "never"
		if day > max(d.day, today):
			return d.day, day
	return None


def describe(place, today):
	"""The rows, for a person."""
	lines = ["  safety stock %s, enabled %s, claims %s" % (place.safety / UNIT, place.enabled, place.claims)]
	for a in place.allotments:
		lines.append("  allotment of %s, %s..%s: quota %s, limit %s, buffer %s, rank %d" %
					 (a.channel, a.first, a.last, a.quota / UNIT, a.limit if a.limit is None else a.limit / UNIT,
					  a.buffer / UNIT, a.rank))
	for s in place.supplies:
		lines.append("  supply of day %s +%d: %s%s%s, counts from %d" %
					 (s.day, s.delay, s.quantity / UNIT, "" if s.usable else " unusable",
					  "" if s.last is None else ", last day %d" % s.last, s.arrives(today)))
	for order_id, state, d, ship_on, channel, pool in place.bookings:
		lines.append("  %s %s: %s needed %d, until %s, ships %d, channel %s, pool %s" %
					 (state, order_id, d.quantity / UNIT, d.day, d.until, ship_on, channel, pool))
	return "\n".join(lines)


def run_batch(job):
	options, index = job
	batch = Batch(options, index)
	try:
		return batch.run()
	except Exception as error:		# the batch fails, the others go on
		batch.round = getattr(batch, "round", -1)
		batch.wrong("error", "", "", str(error))
		return batch.count, batch.bad


def published():
	"""The oracle against the tables of the design; None if it gets them right."""
	def table(on_hand, changes):
		supplies = [naive.Supply(naive.ON_HAND, on_hand)] + [naive.Supply(d, q) for d, q in changes if q > 0]
		demands = [naive.Demand(d, -q) for d, q in changes if q < 0]
		return [naive.there(supplies, demands, 1, day) for day in range(1, 8)]

	found = table(20, [(1, -3), (3, 10), (4, -15), (5, 1), (6, 3)])
	if found != [12, 12, 12, 12, 13, 16, 16]:
		return "the published table: %s" % found
	found = table(10, [(2, -2), (3, 5), (4, -12)])
	if found[0] != 1:
		return "a shortage after a recovery: %s" % found
	# dates and life are coupled: 5 until day 3 and 5 from day 4 on are not 10 for anybody
	lots = [naive.Supply(naive.ON_HAND, 5, last=3), naive.Supply(4, 5, last=20)]
	found = [naive.there_of_lots(lots, [], 1, day, 0) for day in (1, 3, 4, 20, 21)]
	if found != [5, 5, 5, 5, 0]:
		return "lots that end: %s" % found
	found = naive.there_of_lots([naive.Supply(naive.ON_HAND, 5, last=10), naive.Supply(naive.ON_HAND, 5, last=4)],
								[naive.Demand(3, 5, 3)], 1, 2, 5)
	if found != 5:
		return "a demand that can do with the older lot: %s" % found
	return None


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("--base", default="oracle_base")
	parser.add_argument("--timelines", type=int, default=10000)
	parser.add_argument("--size", type=int, default=250, help="timelines of a batch")
	parser.add_argument("--seed", type=int, default=20261121)
	parser.add_argument("--only", type=int, help="one batch, which is kept if it fails")
	parser.add_argument("--jobs", type=int, default=2)
	options = parser.parse_args()
	options.keep = options.only is not None
	names = Psql(options.base)
	functions = {row[0] for row in names.run("SELECT proname FROM pg_proc WHERE pronamespace = 'routing'::regnamespace;")}
	if names.run("SELECT attname FROM pg_attribute WHERE attrelid = 'routing.supply'::regclass AND attname = 'serial';"):
		functions.add("lots")
	names.close()
	options.functions = functions

	batches = -(-options.timelines // options.size)
	jobs = [(options, i) for i in ([options.only] if options.keep else range(1, batches + 1))]
	count, bad = {}, {}
	with multiprocessing.Pool(options.jobs) as pool:
		for c, b in pool.imap_unordered(run_batch, jobs):
			for what, n in c.items():
				count[what] = count.get(what, 0) + n
			for check, messages in b.items():
				bad.setdefault(check, []).extend(messages)

	print("# seed %d: %s" % (options.seed, ", ".join("%s %d" % x for x in sorted(count.items()))))
	wrong = published()
	functions = options.functions
	lived = ["bookings firm", "bookings cancelled", "bookings uncovered", "bookings planned", "orders cancelled",
			 "orders backordered", "negative on hand", "dedicated supply", "days the calendar moved"]
	for name, what in (("hold", ["bookings hold", "holds confirmed", "holds cancelled"]), ("roll", ["claims"]),
					   ("allotment_figures", ["bookings of pools"]), ("confirm_ship", ["bookings issued"]),
					   ("lots", ["supply of lots"]), ("put_demand", ["put_demand"]), ("receive", ["receive"])):
		lived += what if name in functions else []
	missing = [what for what in lived if count.get(what, 0) < max(1, options.timelines // 1000)]
	results = [("the oracle computes the tables of the design", [wrong] if wrong else []),
			   ("the timelines had what they are for", ["too few: " + ", ".join(missing)] if missing else []),
			   ("every batch ran to its end", bad.get("error", []) + bad.get("refused", [])),
			   ("%d answers of %d timelines are the oracle's" % (count.get("answers", 0), count.get("timelines", 0)),
				bad.get("atp", []) if count.get("answers above 0", 0) * 10 > count.get("answers", 1) else ["nothing was asked"]),
			   ("%d promises: no balance that was not negative became so" % count.get("promises", 0), bad.get("promise", [])),
			   ("no covered booking waits for supply later than its need", bad.get("waits", [])),
			   ("no negative balance has covered bookings", bad.get("covered", [])),
			   ("verify() is empty after every batch", bad.get("verify", []))]
	for i, (title, messages) in enumerate(results):
		print("%s %d - %s" % ("not ok" if messages else "ok", i + 1, title))
		for message in messages[:3]:
			print("\n".join("#   " + line for line in message.split("\n")))
		if len(messages) > 3:
			print("#   and %d more" % (len(messages) - 3))
	print("1..%d" % len(results))
	return 1 if any(messages for _, messages in results) else 0


if __name__ == "__main__":
	sys.exit(main())
