"""What can be promised, computed from raw rows as naively as possible.

Nothing here is shared with the engine but the meaning: balances are summed
anew for every single day, the future is looked at day by day, lots are a flow
problem.  Days are whole numbers, quantities whole ten-thousandths.
"""

ON_HAND = None					# the day of supply that is there


class Supply:
	"""A row of routing.supply with what the rules say of it."""

	def __init__(self, day, quantity, delay=0, late=1, usable=True, last=None, lot=""):
		self.day = day			# as the ERP says; ON_HAND if it is there
		self.quantity = quantity
		self.delay = delay		# dock-to-stock, and for kind and status
		self.late = late
		self.usable = usable
		self.last = last		# last day on which it can be used
		self.lot = lot

	def arrives(self, today):
		"""The first day on which it counts, as things are today."""
		if self.day is ON_HAND:
			return today
		day = self.day + self.delay
		return day if day >= today else today + self.late


class Demand:
	"""A booking that counts against supply."""

	def __init__(self, day, quantity, until=None, lot=""):
		self.day = day			# needed
		self.quantity = quantity
		self.until = until		# lots must be usable until that day
		self.lot = lot			# pinned, or ""


def usable(supplies):
	return [s for s in supplies if s.usable]


def far_day(supplies, demands, today):
	"""A day after which nothing changes any more."""
	days = [today] + [s.arrives(today) for s in supplies] + [d.day for d in demands]
	days += [s.last for s in supplies if s.last is not None]
	days += [d.until for d in demands if d.until is not None]
	return max(days) + 1


def balance(supplies, demands, today, day):
	"""B(day): signed."""
	total = 0
	for s in supplies:
		if s.arrives(today) <= day:
			total += s.quantity
	for d in demands:
		if d.day <= day:
			total -= d.quantity
	return total


def balances(supplies, demands, today, until):
	return {day: balance(supplies, demands, today, day) for day in range(today, until + 1)}


def there(supplies, demands, today, day):
	"""The least balance on that day or any later one, not below 0."""
	far = max(far_day(supplies, demands, today), day)
	return max(0, min(balance(supplies, demands, today, d) for d in range(max(day, today), far + 1)))


#
# Lots: which unit may serve which demand is a bipartite graph, and what can be
# served at all is a maximum flow.
#

class Graph:
	"""Edmonds and Karp, on an adjacency list."""

	def __init__(self):
		self.to = []
		self.room = []
		self.edges = {}

	def edge(self, a, b, capacity):
		for x, y, c in ((a, b, capacity), (b, a, 0)):
			self.edges.setdefault(x, []).append(len(self.to))
			self.to.append(y)
			self.room.append(c)
		return len(self.to) - 2

	def path(self, a, b):
		came = {a: None}
		queue = [a]
		for x in queue:
			for e in self.edges.get(x, ()):
				if self.room[e] > 0 and self.to[e] not in came:
					came[self.to[e]] = e
					if self.to[e] == b:
						return came
					queue.append(self.to[e])
		return None

	def flow(self, a, b):
		total = 0
		while True:
			came = self.path(a, b)
			if came is None:
				return total
			edges = []
			x = b
			while came[x] is not None:
				edges.append(came[x])
				x = self.to[came[x] ^ 1]
			least = min(self.room[e] for e in edges)
			for e in edges:
				self.room[e] -= least
				self.room[e ^ 1] += least
			total += least


def serves(s, d, today):
	"""Whether a unit of the supply may serve the demand."""
	day = max(d.day, today)		# demand never lapses
	if s.arrives(today) > day:
		return False
	if s.last is not None and (s.last < day or (d.until is not None and s.last < d.until)):
		return False
	return d.lot in ("", s.lot)


def served(supplies, demands, today):
	"""How much of the demands can be served at most."""
	g = Graph()
	for i, s in enumerate(supplies):
		if s.quantity > 0:
			g.edge("source", ("s", i), s.quantity)
	for j, d in enumerate(demands):
		g.edge(("d", j), "sink", d.quantity)
		for i, s in enumerate(supplies):
			if s.quantity > 0 and serves(s, d, today):
				g.edge(("s", i), ("d", j), min(s.quantity, d.quantity))
	return g.flow("source", "sink")


def feasible(supplies, demands, today):
	return served(supplies, demands, today) == sum(d.quantity for d in demands)


def there_of_lots(supplies, demands, today, day, life, lot=""):
	"""
	The largest further demand that leaves all of them served.  A flow that
	serves all of them can be augmented to a greatest one without taking from
	any, so the further demand gets what the greatest has more.
	"""
	day = max(day, today)
	everything = sum(max(s.quantity, 0) for s in supplies)
	if not feasible(supplies, demands, today):
		return 0
	extra = Demand(day, everything, day + life, lot)
	return served(supplies, demands + [extra], today) - sum(d.quantity for d in demands)
