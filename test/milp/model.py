"""The integer program of an instance, and what a plan of it costs: a second
reading of plan.h, which shares nothing with the first one in C.

Every ship day within HORIZON days is a shipment that could be made; all the
program does is to choose.  Money is in whole units there.
"""
import os
import subprocess

from instance import SCALE

HORIZON = 18        # EVENTFUL days, and a week in which nothing changes any more


# dates

def is_open(calendar, day):
    if calendar is None:
        return True
    week, exceptions = calendar
    return bool(week >> (day % 7) & 1) != (day in exceptions)


def walk(calendar, day, n, step):
    """The n-th open day from a day, which itself does not count."""
    while n > 0:
        day += step
        if is_open(calendar, day):
            n -= 1
    return day


def half_up(numerator, divisor):
    return (2 * numerator + divisor) // (2 * divisor)


class Shipment:
    """One that could be made: from a node, on a lane, on a day."""

    def __init__(self, instance, k, ship):
        self.k = k
        self.lane = instance.lanes[k]
        self.n = self.lane["node"]
        self.node = instance.nodes[self.n]
        self.ship = ship
        self.stock = walk(self.node["calendar"], ship, self.node["handling_days"], -1)
        self.arrival = walk(self.lane["carrier"], ship, self.lane["transit"], 1)
        while not is_open(instance.receiving, self.arrival):
            self.arrival += 1
        room = instance.rooms.get((self.n, ship), (None, None, None, 0))
        self.max_shipments, self.max_lines, self.max_units, self.price = room

    def possible(self):
        return (is_open(self.lane["pickup"], self.ship) and
                self.ship >= self.lane["first_ship"] and
                self.stock >= self.node["today"])

    def key(self):
        return (self.n, self.k, self.ship)

    def fixed(self):
        base = 0 if self.ship == self.lane["open_day"] else self.lane["base"]
        return (self.node["handling"] + self.node["preference"] +
                self.node["distance"] + base + self.price)


class Reading:
    """What follows from an instance: shipments, who may go with which, costs."""

    def __init__(self, instance, horizon=HORIZON):
        self.instance = instance
        self.shipments = []
        self.by_lane = []
        for k in range(len(instance.lanes)):
            days = [Shipment(instance, k, day) for day in range(-1, horizon)]
            self.by_lane.append([s for s in days if s.possible()])
            self.shipments += self.by_lane[-1]
        self.by_key = {s.key(): s for s in self.shipments}
        self.targets = {}
        for i, line in enumerate(instance.lines):
            for k, shipments in enumerate(self.by_lane):
                in_time = [s.ship for s in shipments
                           if self.counts(line, s) <= line["requested"]]
                if shipments:
                    self.targets[i, k] = max(in_time) if in_time else shipments[0].ship

    @staticmethod
    def counts(line, shipment):
        """The day by which the line measures the shipment."""
        return shipment.ship if line["by_ship_day"] else shipment.arrival

    def late(self, line, shipment):
        return max(0, self.counts(line, shipment) - line["requested"])

    def may_carry(self, i, s):
        line = self.instance.lines[i]
        if line["pinned"] >= 0 and line["pinned"] != s.n:
            return False
        if self.instance.cells.get((i, s.n), (False,))[0]:
            return False
        if (i, s.k) in self.instance.forbidden:
            return False
        if s.ship < line["not_before"] or self.counts(line, s) > line["latest"]:
            return False
        return line["early_ok"] or s.ship >= self.targets[i, s.k]

    def available(self, n, item, day):
        found = 0
        for first, available in self.instance.stock.get((n, item), []):
            if first <= day:
                found = available
        return found

    def most(self, i, s):
        """The most of a line that the shipment could take."""
        line = self.instance.lines[i]
        most = min(line["quantity"], self.available(s.n, line["item"], s.stock))
        if line["max_part"]:
            most = min(most, line["max_part"])
        if s.max_units is not None:
            most = min(most, s.max_units)
        return most

    def part_terms(self, i, s, quantity):
        """lateness, goods, custom, risk, balance of a part, rounded each."""
        line = self.instance.lines[i]
        whole = line["quantity"]
        _, goods, custom = self.instance.cells.get((i, s.n), (False, 0, 0))
        available = self.available(s.n, line["item"], s.stock)
        return (half_up(self.late(line, s) * line["lateness"] * quantity, whole),
                half_up(goods * quantity, whole),
                half_up(custom * quantity, whole),
                half_up(s.lane["risk"] * line["sla"] * quantity, whole * SCALE),
                half_up(line["balance"] * quantity, available))

    def rate(self, i, s):
        """Money per unit of the line in the shipment, unrounded."""
        line = self.instance.lines[i]
        whole = line["quantity"]
        _, goods, custom = self.instance.cells.get((i, s.n), (False, 0, 0))
        available = self.available(s.n, line["item"], s.stock)
        return (line["weight"] * s.lane["per_kg"] / SCALE**2 +
                (self.late(line, s) * line["lateness"] + goods + custom) / whole +
                s.lane["risk"] * line["sla"] / SCALE / whole +
                line["balance"] / available)

    def grain(self):
        """What two ten-thousandths more or less of each line cost at the most."""
        return sum(2 * line["backorder"] * SCALE // line["quantity"] // SCALE + 2
                   for line in self.instance.lines)

    # plans: [(shipment, {line: quantity})]

    def cost(self, plan):
        """What a plan costs, and its terms, as plan.h rounds them."""
        instance = self.instance
        terms = dict.fromkeys(("handling", "preference", "distance", "capacity",
                               "freight", "split", "lateness", "goods", "custom",
                               "risk", "balance", "backorder"), 0)
        left = [line["quantity"] for line in instance.lines]
        for s, parts in plan:
            weight = 0
            terms["handling"] += s.node["handling"]
            terms["preference"] += s.node["preference"]
            terms["distance"] += s.node["distance"]
            terms["capacity"] += s.price
            for i, quantity in parts.items():
                left[i] -= quantity
                weight += half_up(quantity * instance.lines[i]["weight"], SCALE)
                five = self.part_terms(i, s, quantity)
                for name, value in zip(("lateness", "goods", "custom", "risk",
                                        "balance"), five):
                    terms[name] += value
            terms["freight"] += half_up(weight * s.lane["per_kg"], SCALE)
            if s.ship != s.lane["open_day"]:
                terms["freight"] += s.lane["base"]
        terms["split"] = instance.split_penalty * max(0, len(plan) - 1)
        for line, rest in zip(instance.lines, left):
            terms["backorder"] += half_up(line["backorder"] * rest, line["quantity"])
        return sum(terms.values()), terms

    def faults(self, plan):
        """What a plan does that it must not; [] if it may be made."""
        instance = self.instance
        found = []

        def need(condition, what):
            if not condition:
                found.append(what)

        need(len(plan) <= instance.max_shipments, "too many shipments")
        need(len({s.key() for s, _ in plan}) == len(plan), "a shipment twice")
        served = [0] * len(instance.lines)
        taken = {}
        rooms = {}
        worth = {}
        for s, parts in plan:
            need(s.possible(), "%s is not possible" % (s.key(),))
            need(parts, "an empty shipment")
            weight = value = 0
            for i, quantity in parts.items():
                line = instance.lines[i]
                where = "line %d on %s: " % (i, s.key())
                need(self.may_carry(i, s), where + "must not go there")
                need(quantity > 0, where + "no quantity")
                if line["multiple"]:
                    need(quantity % line["multiple"] == 0, where + "no multiple")
                need(quantity >= line["min_part"], where + "less than min_part")
                if line["max_part"]:
                    need(quantity <= line["max_part"], where + "more than max_part")
                if quantity < line["quantity"]:
                    need(quantity >= line["split_min"], where + "less than split_min")
                served[i] += quantity
                taken.setdefault((s.n, line["item"]), []).append((s.stock, quantity))
                weight += half_up(quantity * line["weight"], SCALE)
                value += quantity * line["value"]
            if s.lane["max_weight"]:
                need(weight <= s.lane["max_weight"], "%s is too heavy" % (s.key(),))
            need(value >= s.node["min_value"] * SCALE, "%s is worth too little" % (s.key(),))
            worth[s.key()] = value
            room = rooms.setdefault((s.n, s.ship), [0, 0, 0])
            room[0] += 1
            room[1] += len(parts)
            room[2] += sum(parts.values())
        for place, used in rooms.items():
            limits = instance.rooms.get(place, (None, None, None, 0))
            for have, limit in zip(used, limits):
                need(limit is None or have <= limit, "no room at %s" % (place,))
        for (n, item), parts in taken.items():
            for day, _ in parts:
                need(sum(q for d, q in parts if d <= day) <= self.available(n, item, day),
                     "node %d has not so much of item %d on %d" % (n, item, day))
        left = [line["quantity"] - x for line, x in zip(instance.lines, served)]
        need(min(left) >= 0, "more than ordered")
        for i, line in enumerate(instance.lines):
            if 0 < served[i] and left[i] > 0:
                need(left[i] >= line["split_min"], "line %d leaves too little" % i)
        self.group_faults(plan, need)
        if plan and (len(plan) > 1 or any(left)):
            low = instance.split_min_value * SCALE
            for key, value in worth.items():
                need(value >= low, "%s is worth too little for a split" % (key,))
            if any(left):
                need(sum(x * line["value"] for x, line in zip(left, instance.lines)) >= low,
                     "what is left is worth too little")
        if plan and (instance.one_date or instance.all_or_nothing):
            need(not any(left), "not everything is served")
        if instance.one_date:
            need(len({s.arrival for s, _ in plan}) <= 1, "several days of arrival")
        return found

    def group_faults(self, plan, need):
        groups = {}
        for i, line in enumerate(self.instance.lines):
            if line["group"] >= 0:
                groups.setdefault(line["group"], []).append(i)
        for group, members in groups.items():
            carrying = [parts for s, parts in plan if any(i in parts for i in members)]
            need(len(carrying) <= 1, "group %d on several shipments" % group)
            for parts in carrying:
                for i in members:
                    need(parts.get(i) == self.instance.lines[i]["quantity"],
                         "group %d is not whole" % group)


class Program:
    """The integer program, built from a Reading."""

    def __init__(self, reading, cutoff=None):
        self.reading = reading
        self.columns = []       # name, cost, kind
        self.known = set()
        self.rows = []
        self.parts = []         # (line, shipment number)
        self.constant = 0.0
        self.choose(cutoff)
        self.build()

    def choose(self, cutoff):
        """
        The shipments that could be in a plan of at most "cutoff": what one
        costs at the least is its fixed costs, and for every line the least
        that any shipment or no shipment costs.
        """
        reading = self.reading
        lines = reading.instance.lines
        carries = {}
        for c, s in enumerate(reading.shipments):
            if s.max_shipments == 0 or s.max_lines == 0:
                continue
            some = {i: reading.rate(i, s) for i in range(len(lines))
                    if reading.may_carry(i, s) and reading.most(i, s) > 0}
            if some:
                carries[c] = some
        least = []
        for i, line in enumerate(lines):
            rates = [some[i] for some in carries.values() if i in some]
            least.append(min(rates + [line["backorder"] / line["quantity"]]))
        floor = sum(rate * line["quantity"] for rate, line in zip(least, lines))
        self.carries = {}
        for c, some in carries.items():
            bound = floor + reading.shipments[c].fixed()
            if cutoff is None or bound <= cutoff + 100:
                self.carries[c] = some

    def column(self, name, cost=0.0, kind="c"):
        if name not in self.known:
            self.known.add(name)
            self.columns.append((name, cost, kind))
        return name

    def row(self, terms, sense, right):
        terms = [(x, name) for x, name in terms if x != 0]
        if terms:
            self.rows.append((terms, sense, right))

    def build(self):
        reading = self.reading
        instance = reading.instance
        lines = instance.lines
        on = {}         # line -> [(c, q, y)]
        for i in range(len(lines)):
            on[i] = []
        for c, some in self.carries.items():
            s = reading.shipments[c]
            self.column("u%d" % c, (s.fixed() + instance.split_penalty) / SCALE, "b")
            ys = []
            for i, rate in some.items():
                q, y = "q%d_%d" % (i, c), "y%d_%d" % (i, c)
                self.column(q, rate)
                self.column(y, 0, "b")
                on[i].append((c, q, y))
                ys.append(y)
                self.parts.append((i, c))
                most = reading.most(i, s) / SCALE
                self.row([(1, q), (-most, y)], "<=", 0)
                self.row([(1, y), (-1, "u%d" % c)], "<=", 0)
                least = max(lines[i]["min_part"], 1) / SCALE
                self.row([(1, q), (-least, y)], ">=", 0)
                if lines[i]["multiple"]:
                    k = self.column("k%d_%d" % (i, c), 0, "i")
                    self.row([(1, q), (-lines[i]["multiple"] / SCALE, k)], "=", 0)
            self.row([(1, "u%d" % c)] + [(-1, y) for y in ys], "<=", 0)
        for i, line in enumerate(lines):
            self.line_rows(i, line, on[i])
        self.group_rows(on)
        self.stock_rows(on)
        self.room_rows(on)
        self.shipment_rows(on)
        self.order_rows(on)

    def line_rows(self, i, line, parts):
        reading = self.reading
        whole = line["quantity"] / SCALE
        rest = self.column("r%d" % i, line["backorder"] / line["quantity"])
        self.row([(1, rest)] + [(1, q) for _, q, _ in parts], "=", whole)
        low = line["split_min"] / SCALE
        if low == 0:
            return
        left = self.column("t%d" % i, 0, "b")       # something is left
        none = self.column("n%d" % i, 0, "b")       # nothing is served
        self.row([(1, rest), (-whole, none)], ">=", 0)
        self.row([(1, rest), (-whole, left)], "<=", 0)
        self.row([(1, rest), (-low, left), (low, none)], ">=", 0)
        for c, q, y in parts:
            self.row([(1, y), (1, none)], "<=", 1)
            # the whole line, or a part of some size
            w = self.column("w%d_%d" % (i, c), 0, "b")
            most = reading.most(i, reading.shipments[c]) / SCALE
            self.row([(1, w), (-1, y)], "<=", 0)
            if most < whole:
                self.row([(1, w)], "<=", 0)
            self.row([(1, q), (-whole, w)], ">=", 0)
            if low >= whole:
                self.row([(1, y), (-1, w)], "<=", 0)
            else:
                self.row([(1, q), (-low, y)], ">=", 0)

    def group_rows(self, on):
        reading = self.reading
        lines = reading.instance.lines
        for group in sorted({line["group"] for line in lines} - {-1}):
            members = [i for i, line in enumerate(lines) if line["group"] == group]
            carriers = []
            for c, some in self.carries.items():
                s = reading.shipments[c]
                here = [i for i in members if i in some]
                if len(here) == len(members) and all(
                        reading.most(i, s) >= lines[i]["quantity"] for i in members):
                    g = self.column("g%d_%d" % (group, c), 0, "b")
                    carriers.append(g)
                    for i in members:
                        self.row([(1, "q%d_%d" % (i, c)),
                                  (-lines[i]["quantity"] / SCALE, g)], "=", 0)
                        self.row([(1, "y%d_%d" % (i, c)), (-1, g)], "=", 0)
                else:
                    for i in here:
                        self.row([(1, "y%d_%d" % (i, c))], "<=", 0)
            self.row([(1, g) for g in carriers], "<=", 1)

    def stock_rows(self, on):
        reading = self.reading
        by_place = {}
        for i, parts in on.items():
            for c, q, _ in parts:
                s = reading.shipments[c]
                place = (s.n, reading.instance.lines[i]["item"])
                by_place.setdefault(place, []).append((s.stock, q))
        for (n, item), parts in by_place.items():
            for day in sorted({d for d, _ in parts}):
                self.row([(1, q) for d, q in parts if d <= day], "<=",
                         reading.available(n, item, day) / SCALE)

    def room_rows(self, on):
        reading = self.reading
        used = {}
        for c in self.carries:
            s = reading.shipments[c]
            used.setdefault((s.n, s.ship), [[], [], []])[0].append("u%d" % c)
        for parts in on.values():
            for c, q, y in parts:
                s = reading.shipments[c]
                used[s.n, s.ship][1].append(y)
                used[s.n, s.ship][2].append(q)
        for place, names in used.items():
            room = reading.instance.rooms.get(place, (None, None, None, 0))
            for which, limit in enumerate(room[:3]):
                if limit is not None:
                    self.row([(1, name) for name in names[which]], "<=",
                             limit / (SCALE if which == 2 else 1))

    def shipment_rows(self, on):
        reading = self.reading
        lines = reading.instance.lines
        for c in self.carries:
            s = reading.shipments[c]
            mine = [(i, q) for i, parts in on.items() for d, q, _ in parts if d == c]
            if s.lane["max_weight"]:
                self.row([(lines[i]["weight"] / SCALE, q) for i, q in mine] +
                         [(-s.lane["max_weight"] / SCALE, "u%d" % c)], "<=", 0)
            if s.node["min_value"]:
                self.row([(lines[i]["value"] / SCALE, q) for i, q in mine] +
                         [(-s.node["min_value"] / SCALE, "u%d" % c)], ">=", 0)

    def order_rows(self, on):
        reading = self.reading
        instance = reading.instance
        lines = instance.lines
        us = [(1, "u%d" % c) for c in self.carries]
        self.row(us, "<=", instance.max_shipments)

        # the first shipment costs no split penalty
        first = self.column("first", -instance.split_penalty / SCALE, "b")
        self.row([(1, first)] + [(-x, u) for x, u in us], "<=", 0)

        if instance.one_date or instance.all_or_nothing:
            served = self.column("served", 0, "b")
            for i, line in enumerate(lines):
                whole = line["quantity"] / SCALE
                self.row([(1, "r%d" % i), (whole, served)], "=", whole)
        if instance.one_date:
            days = sorted({reading.shipments[c].arrival for c in self.carries})
            for day in days:
                self.column("a%d" % day, 0, "b")
            self.row([(1, "a%d" % day) for day in days], "<=", 1)
            for c in self.carries:
                self.row([(1, "u%d" % c),
                          (-1, "a%d" % reading.shipments[c].arrival)], "<=", 0)

        if instance.split_min_value and self.carries:
            low = instance.split_min_value / SCALE
            split = self.column("split", 0, "b")        # counts as split
            some = self.column("some", 0, "b")          # something is left
            self.row(us + [(-instance.max_shipments, split)], "<=", 1)
            for i, line in enumerate(lines):
                self.row([(1, "r%d" % i), (-line["quantity"] / SCALE, some)], "<=", 0)
            for x, u in us:
                c = int(u[1:])
                self.row([(1, split), (-1, u), (-1, some)], ">=", -1)
                mine = [(lines[i]["value"] / SCALE, q) for i, parts in on.items()
                        for d, q, _ in parts if d == c]
                self.row(mine + [(-low, u), (-low, split)], ">=", -low)
                self.row([(line["value"] / SCALE, "r%d" % i)
                          for i, line in enumerate(lines)] +
                         [(-low, u), (-low, some)], ">=", -low)

    def text(self):
        """In the LP format; the columns in their order."""
        out = ["Minimize", " cost:"]
        for name, cost, _ in self.columns:
            out.append(" %+.12g %s" % (cost, name))
        out.append("Subject To")
        for number, (terms, sense, right) in enumerate(self.rows):
            out.append(" c%d: %s %s %.12g" % (
                number, " ".join("%+.12g %s" % term for term in terms), sense, right))
        out.append("Bounds")
        for name, _, kind in self.columns:
            if kind == "b":
                out.append(" 0 <= %s <= 1" % name)
        out.append("Generals")
        out += [" " + name for name, _, kind in self.columns if kind != "c"]
        return "\n".join(out + ["End", ""])

    def whole(self, values):
        """Its quantities need no rounding (the solvers are right to 1e-7 or so)."""
        found = [values.get("q%d_%d" % part, 0) * SCALE for part in self.parts]
        return all(abs(x - round(x)) < 0.02 for x in found)

    def plan(self, values):
        """The plan of a solution, quantities rounded to ten-thousandths."""
        shipments = self.reading.shipments
        plan = {}
        for i, c in self.parts:
            quantity = int(round(values.get("q%d_%d" % (i, c), 0) * SCALE))
            if quantity > 0:
                plan.setdefault(c, {})[i] = quantity
        return [(shipments[c], parts) for c, parts in sorted(plan.items())]


# seconds that the first solver gets: quick with most, hopeless with some
FIRST_SECONDS = 1


def solve(program, path, seconds):
    """Status, objective (money) and values of the optimum; status "time" or "none"."""
    with open(path, "w") as out:
        out.write(program.text())
    answer = solve_glpk(program, path, FIRST_SECONDS)
    return solve_cbc(path, seconds) if answer[0] == "time" else answer


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.stdout[-2000:]


def solve_glpk(program, path, seconds):
    said = run("glpsol", "--lp", path, "--tmlim", str(seconds), "--write", path + ".out")
    status = objective = None
    values = {}
    with open(path + ".out") as lines:
        for line in lines:
            fields = line.split()
            if fields[:2] == ["s", "mip"]:
                status, objective = fields[4], float(fields[5])
            elif fields[:1] == ["j"]:
                values[program.columns[int(fields[1]) - 1][0]] = float(fields[2])
    if status == "o":
        return "optimal", objective, values
    return ("time" if "TIME LIMIT" in said else "none: " + said), None, None


def solve_cbc(path, seconds):
    answer = path + ".cbc"
    said = run("cbc", path, "sec", str(seconds), "ratio", "0", "allow", "0",
               "solve", "solution", answer)
    if not os.path.exists(answer):      # it has found no solution at all
        return ("time" if "time" in said else "none: " + said), None, None
    values = {}
    with open(answer) as lines:
        head = lines.readline()
        for line in lines:
            fields = line.replace("**", "").split()
            values[fields[1]] = float(fields[2])
    if head.startswith("Optimal"):
        return "optimal", float(head.split()[-1]), values
    return ("time" if "time" in head else "none: " + head + said), None, None
