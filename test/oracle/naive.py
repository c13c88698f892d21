"""What can be promised, computed from raw rows as naively as possible.

Nothing here is shared with the engine but the meaning: balances are summed
anew for every single day, the future is looked at day by day, lots are a flow
problem.  Days are whole numbers, quantities whole ten-thousandths.
"""

ON_HAND = None					# the day of supply that is there


class Week:
	"""Which days a node works; days are counted from a Saturday."""

	def __init__(self, weekdays, days):
		self.weekdays = weekdays	# 1 is Monday
		self.days = days			# those that depart from the week: whether it works

	def works(self, day):
		return self.days.get(day, (day + 5) % 7 + 1 in self.weekdays)


def stock_day(day, dock, week):
	"""What comes in on a day is taken in on a day of work, and is stock after so many more."""
	if dock == 0 or week is None:
		return day + dock
	while not week.works(day):
		day += 1
	while dock > 0:
		day += 1
		if week.works(day):
			dock -= 1
	return day


class Supply:
	"""A row of routing.supply with what the rules say of it."""

	def __init__(self, day, quantity, delay=0, late=1, usable=True, last=None, lot="", dock=0, week=None):
		self.day = day			# as the ERP says; ON_HAND if it is there
		self.quantity = quantity
		self.delay = delay		# for kind and status
		self.dock = dock		# dock-to-stock, days of work
		self.week = week
		self.late = late
		self.usable = usable
		self.last = last		# last day on which it can be used
		self.lot = lot

	def stock(self):
		return stock_day(self.day + self.delay, self.dock, self.week)

	def arrives(self, today):
		"""The first day on which it counts, as things are today."""
		if self.day is ON_HAND:
			return today
		day = self.stock()
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


def settled(supplies, demands, today):
	"""
	What the ERP has below zero lessens supply that comes and ends with it; the
	rest of it is a demand like others, of any lot.
	"""
	alike = {}
	for s in supplies:
		when = ON_HAND if s.day is ON_HAND else (s.stock(), s.late)
		alike.setdefault((when, s.last), []).append(s)
	supplies, demands = [], list(demands)
	for rows in alike.values():
		if all(s.quantity >= 0 for s in rows):
			supplies += rows
			continue
		total = sum(s.quantity for s in rows)
		if total >= 0:
			supplies.append(Supply(None if rows[0].day is ON_HAND else rows[0].stock(), total, 0, rows[0].late, True, rows[0].last))
		else:
			demands.append(Demand(rows[0].arrives(today), -total))
	return supplies, demands


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

	Where some are not served (the calendar moved on, or stock was counted down
	to what is issued) it is what nobody else loses, less what is missing.
	"""
	day = max(day, today)
	supplies, demands = settled(supplies, demands, today)
	everything = sum(max(s.quantity, 0) for s in supplies)
	without = served(supplies, demands, today)
	missing = sum(d.quantity for d in demands) - without
	extra = Demand(day, everything, day + life, lot)
	return max(0, served(supplies, demands + [extra], today) - without - missing)


#
# What is offered to a channel.
#

class Allotment:
	def __init__(self, channel, first, last, quota, limit, buffer, rank):
		self.channel = channel
		self.first = first		# ship days; None: without end
		self.last = last
		self.quota = quota
		self.limit = limit		# None: no limit
		self.buffer = buffer
		self.rank = rank

	def covers(self, day):
		return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Taking:
	"""A booking, as allotments see it."""

	def __init__(self, ship_on, channel, pool, quantity):
		self.ship_on = ship_on
		self.channel = channel
		self.pool = pool
		self.quantity = quantity


def path(parents, channel):
	"""The channel and its groups, upwards."""
	found = []
	while channel is not None:
		found.append(channel)
		channel = parents[channel]
	return found


def remaining(allotment, others, takings, parents):
	"""What of a quota, without that of its parts, nobody has taken yet."""
	own = allotment.quota
	for other in others:
		above = [a for step in path(parents, other.channel)[1:] for a in others if a.channel == step and a.quota > 0]
		if above and above[0] is allotment:
			own -= other.quota
	taken = sum(t.quantity for t in takings if t.pool == allotment.channel and allotment.covers(t.ship_on))
	return max(0, max(0, own) - taken)


def offered(stock, claimed, allotments, takings, parents, channel, day):
	"""
	What of the stock of a ship day is offered to a channel; None: to nobody in
	particular.  What others claim who wait is taken from the free part.
	"""
	mine = path(parents, channel)
	today = [a for a in allotments if a.covers(day)]
	free = stock
	own = 0
	for a in sorted(today, key=lambda a: (a.rank, a.channel)):
		kept = min(free, remaining(a, today, takings, parents))
		free -= kept
		if a.channel in mine:
			own += kept
	free = max(0, free - claimed)
	answer = max(0, free + own - max([a.buffer for a in today if a.channel in mine], default=0))
	for a in today:
		if a.channel in mine and a.limit is not None:
			used = sum(t.quantity for t in takings
					   if a.channel in path(parents, t.channel) and a.covers(t.ship_on))
			answer = min(answer, max(0, a.limit - used))
	return answer
