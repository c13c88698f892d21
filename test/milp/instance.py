"""Random orders with their networks, small enough for an integer program.

An instance is plain data, in ten-thousandths and day numbers as in plan.h, and
is written for plan_solve.c as lines of a keyword and numbers:

    instance NAME
    calendar WEEK N DAY...                      numbered from 1; 0 is none
    problem SPLIT_PENALTY SPLIT_MIN_VALUE ONE_DATE ALL_OR_NOTHING
            MAX_SHIPMENTS WORK_LIMIT RECEIVING
    node TODAY HANDLING_DAYS HANDLING PREFERENCE DISTANCE MIN_VALUE CALENDAR
    lane TRANSIT BASE PER_KG MAX_WEIGHT FIRST_SHIP OPEN_DAY RISK PICKUP CARRIER
                                                (of the node before)
    line ITEM PINNED QUANTITY UNIT_WEIGHT REQUESTED BY_SHIP_DAY EARLY_OK
         NOT_BEFORE LATEST GROUP LATENESS BACKORDER SLA BALANCE UNIT_VALUE
         MIN_PART MAX_PART MULTIPLE SPLIT_MIN
    linenode LINE NODE FORBIDDEN GOODS CUSTOM
    forbid LINE LANE
    stock NODE ITEM N (DAY AVAILABLE)...
    room NODE DAY SHIPMENTS LINES UNITS PRICE   (-1: any number)
    kinds N KIND...                             what may bind in it
    end

Quantities, prices and weights are chosen so that most amounts are whole
ten-thousandths: what rounding can do is then far less than what another plan
would.
"""
import random

SCALE = 10000
NEVER_BEFORE = -2**31
NEVER_AFTER = 2**31 - 1

# days in which something may change: stock, rooms, holidays, dates asked for
EVENTFUL = 9

KINDS = """services node_calendar pickup_calendar carrier_calendar receiving_calendar
cut_off handling_days room_shipments room_lines room_units room_price handling
preference distance min_value base per_kg max_weight open_day risk lateness balance
pinned by_ship_day early_ok not_before latest group min_part max_part multiple
split_min forbidden_node goods custom forbidden_lane split_penalty split_min_value
one_date all_or_nothing max_shipments shared_items""".split()

# in every instance
ALWAYS = {"handling", "base", "lateness", "split_penalty"}

# the share of the instances that a kind is in, if not SHARE; those that seldom
# decide anything are in more of them, those that decide everything in fewer
SHARE = 0.27
SHARES = {"one_date": 0.13, "all_or_nothing": 0.17, "services": 0.8,
          "max_shipments": 0.4, "shared_items": 0.4, "node_calendar": 0.45,
          "pickup_calendar": 0.45, "cut_off": 0.55, "room_lines": 0.4,
          "split_min": 0.45, "min_value": 0.4, "early_ok": 0.5, "min_part": 0.4,
          "split_min_value": 0.4, "open_day": 0.35, "by_ship_day": 0.35,
          "room_units": 0.35, "latest": 0.32, "room_shipments": 0.4, "multiple": 0.35}


def U(x):
    return int(round(x * SCALE))


class Instance:
    """All arrays of a problem; calendars are (week mask, set of days) or None."""

    def __init__(self, name):
        self.name = name
        self.kinds = []
        self.split_penalty = 0
        self.split_min_value = 0
        self.one_date = False
        self.all_or_nothing = False
        self.max_shipments = 3
        self.receiving = None
        self.nodes = []     # dicts
        self.lanes = []     # dicts, with "node"
        self.lines = []     # dicts
        self.cells = {}     # (line, node): (forbidden, goods, custom)
        self.forbidden = set()      # (line, lane)
        self.stock = {}     # (node, item): [(day, available)]
        self.rooms = {}     # (node, day): (shipments, lines, units, price)

    def text(self):
        calendars = []

        def number(calendar):
            if calendar is None:
                return 0
            if calendar not in calendars:
                calendars.append(calendar)
            return calendars.index(calendar) + 1

        body = []

        def row(word, *values):
            body.append(" ".join([word] + [str(int(v)) for v in values]))

        row("problem", self.split_penalty, self.split_min_value, self.one_date,
            self.all_or_nothing, self.max_shipments, 10**9, number(self.receiving))
        for n, node in enumerate(self.nodes):
            row("node", node["today"], node["handling_days"], node["handling"],
                node["preference"], node["distance"], node["min_value"],
                number(node["calendar"]))
            for lane in self.lanes:
                if lane["node"] == n:
                    row("lane", lane["transit"], lane["base"], lane["per_kg"],
                        lane["max_weight"], lane["first_ship"], lane["open_day"],
                        lane["risk"], number(lane["pickup"]), number(lane["carrier"]))
        for line in self.lines:
            row("line", *[line[key] for key in (
                "item", "pinned", "quantity", "weight", "requested", "by_ship_day",
                "early_ok", "not_before", "latest", "group", "lateness", "backorder",
                "sla", "balance", "value", "min_part", "max_part", "multiple",
                "split_min")])
        for (line, node), cell in sorted(self.cells.items()):
            row("linenode", line, node, *cell)
        for line, lane in sorted(self.forbidden):
            row("forbid", line, lane)
        for (node, item), steps in sorted(self.stock.items()):
            row("stock", node, item, len(steps), *[x for step in steps for x in step])
        for (node, day), room in sorted(self.rooms.items()):
            row("room", node, day, *[-1 if x is None else x for x in room])
        head = ["instance " + self.name]
        for week, days in calendars:
            head.append(" ".join(str(x) for x in
                                 ["calendar", week, len(days)] + sorted(days)))
        body.append(" ".join(["kinds", str(len(self.kinds))] + self.kinds))
        return "\n".join(head + body + ["end", ""])


def some_calendar(rnd):
    """Three to six days a week, a holiday or two."""
    week = rnd.choice((0b0011111, 0b0111110, 0b1101111, 0b1110101, 0b0101011, 0b1010110))
    return (week, frozenset(rnd.sample(range(0, EVENTFUL + 2), rnd.randint(0, 2))))


def make_node(instance, rnd, has, item_needs):
    n = len(instance.nodes)
    node = {
        "today": rnd.choice((0, 0, 1)),
        "handling_days": rnd.choice((0, 1, 1, 2)) if "handling_days" in has else 0,
        "handling": U(rnd.randint(0, 6)),
        "preference": U(rnd.choice((0, 0, 3, 6))) if "preference" in has else 0,
        "distance": U(rnd.randint(0, 8)) if "distance" in has else 0,
        "min_value": U(rnd.choice((0, 6, 12, 20))) if "min_value" in has else 0,
        "calendar": some_calendar(rnd) if "node_calendar" in has else None,
    }
    instance.nodes.append(node)
    fast = rnd.randint(0, 2)
    base = rnd.randint(2, 12)
    for which in range(rnd.choice((1, 2, 2)) if "services" in has else 1):
        instance.lanes.append({
            "node": n,
            # the second one is faster and dearer, mostly
            "transit": fast if which else fast + rnd.randint(0, 2),
            "base": U(base + which * rnd.randint(-1, 5)),
            "per_kg": U(rnd.choice((0, 0.5, 1, 2))) if "per_kg" in has else 0,
            "max_weight": U(rnd.choice((0, 4, 6, 6, 8))) if "max_weight" in has else 0,
            "first_ship": rnd.randint(1, 5) if "cut_off" in has and rnd.random() < 0.6
            else NEVER_BEFORE,
            "open_day": rnd.randint(0, 6) if "open_day" in has and rnd.random() < 0.6
            else NEVER_BEFORE,
            "risk": rnd.choice((0, 1000, 2500, 5000)) if "risk" in has else 0,
            "pickup": some_calendar(rnd) if "pickup_calendar" in has else None,
            "carrier": some_calendar(rnd) if "carrier_calendar" in has else None,
        })
    for item, need in item_needs.items():
        if rnd.random() < 0.1:
            continue
        available = 0
        steps = []
        day = rnd.randint(-1, 2)
        for _ in range(rnd.choice((1, 1, 2, 3))):
            available += rnd.randint(1, max(1, need - rnd.choice((0, 1))))
            steps.append((day, U(available)))
            day += rnd.randint(1, 3)
            if day >= EVENTFUL:
                break
        instance.stock[n, item] = steps


def make_lines(instance, rnd, has, nlines):
    nitems = max(1, nlines - rnd.randint(1, 2)) if "shared_items" in has else nlines
    requested = rnd.randint(1, 6)
    pinned = rnd.sample(range(nlines), rnd.randint(1, nlines)) if "pinned" in has else []
    for i in range(nlines):
        quantity = rnd.choice((1, 2, 3, 4, 4, 6, 6, 8))
        parts = quantity if quantity > 1 else 2
        line = {
            "item": i if i < nitems else rnd.randrange(nitems),
            "pinned": -1,
            "quantity": U(quantity),
            "weight": U(rnd.choice((0.5, 1, 1, 2))),
            "requested": requested if rnd.random() < 0.6 else rnd.randint(0, 7),
            "by_ship_day": "by_ship_day" in has and rnd.random() < 0.6,
            "early_ok": "early_ok" in has and rnd.random() < 0.7,
            "not_before": rnd.randint(2, 7) if "not_before" in has and rnd.random() < 0.6
            else NEVER_BEFORE,
            "latest": requested + rnd.randint(-1, 3) if "latest" in has and rnd.random() < 0.5
            else NEVER_AFTER,
            "group": rnd.choice((-1, 0, 0, 1)) if "group" in has else -1,
            "lateness": U(24 * rnd.choice((0, 0.05, 0.1, 0.1, 0.2, 0.5))),
            "backorder": U(24 * rnd.choice((1, 2, 4, 8, 16, 16))),
            "sla": U(24 * rnd.choice((0, 0.25, 0.5, 1))) if "risk" in has else 0,
            "balance": U(24 * rnd.choice((0, 0.1, 0.25, 0.5))) if "balance" in has else 0,
            "value": U(rnd.choice((1, 2, 4, 8))),
            "min_part": U(rnd.randint(1, parts)) if "min_part" in has and rnd.random() < 0.7
            else 0,
            "max_part": U(rnd.randint(1, parts)) if "max_part" in has and rnd.random() < 0.7
            else 0,
            "multiple": U(rnd.choice((2, 2, 3, 4))) if "multiple" in has and rnd.random() < 0.7
            else 0,
            "split_min": U(rnd.randint(1, parts)) if "split_min" in has and rnd.random() < 0.8
            else 0,
        }
        instance.lines.append(line)
    return pinned


def make_rooms(instance, rnd, has):
    for n, node in enumerate(instance.nodes):
        for day in range(node["today"], EVENTFUL):
            if rnd.random() < 0.25:
                continue
            shipments = lines = units = None
            if "room_shipments" in has and rnd.random() < 0.7:
                shipments = rnd.choice((0, 0, 1))
            if "room_lines" in has and rnd.random() < 0.7:
                lines = rnd.choice((0, 1, 1, 2))
            if "room_units" in has and rnd.random() < 0.7:
                units = U(rnd.choice((0, 2, 3, 4, 6)))
            price = U(rnd.randint(0, 5)) if "room_price" in has else 0
            instance.rooms[n, day] = (shipments, lines, units, price)


def make_cells(instance, rnd, has):
    for i in range(len(instance.lines)):
        for n in range(len(instance.nodes)):
            instance.cells[i, n] = (
                "forbidden_node" in has and rnd.random() < 0.25,
                U(24 * rnd.choice((0, 0.1, 0.25, 0.5))) if "goods" in has else 0,
                U(24 * rnd.choice((0, 0.1, 0.25, 0.5))) if "custom" in has else 0)
        for k in range(len(instance.lanes)):
            if "forbidden_lane" in has and rnd.random() < 0.25:
                instance.forbidden.add((i, k))


def generate(number, large=False):
    """The instance of that number: the same on every machine."""
    rnd = random.Random(7919 * number + 17)
    instance = Instance(("large-%d" if large else "%d") % number)
    has = {kind for kind in KINDS if kind in ALWAYS or
           rnd.random() < SHARES.get(kind, SHARE)}
    if "node_calendar" in has:      # which is about handling alone
        has.add("handling_days")
    nlines = 10 if large else rnd.choice((2, 2, 3, 3, 4, 5))
    nnodes = 50 if large else rnd.choice((3, 3, 4, 4, 5, 6, 8))
    instance.max_shipments = rnd.choice((1, 2)) if "max_shipments" in has else 3
    instance.split_penalty = U(rnd.randint(0, 4))
    if "split_min_value" in has:
        instance.split_min_value = U(rnd.choice((2, 4, 8, 12)))
    instance.one_date = "one_date" in has
    instance.all_or_nothing = "all_or_nothing" in has
    instance.receiving = some_calendar(rnd) if "receiving_calendar" in has else None
    pinned = make_lines(instance, rnd, has, nlines)
    needs = {}
    for line in instance.lines:
        needs[line["item"]] = needs.get(line["item"], 0) + line["quantity"] // SCALE
    for _ in range(nnodes):
        make_node(instance, rnd, has, needs)
    for i in pinned:
        if rnd.random() < 0.5:
            instance.lines[i]["pinned"] = rnd.randrange(nnodes)
    if has & {"room_shipments", "room_lines", "room_units", "room_price"}:
        make_rooms(instance, rnd, has)
    if has & {"forbidden_node", "goods", "custom", "forbidden_lane"}:
        make_cells(instance, rnd, has)
    instance.kinds = sorted(has)
    return instance
