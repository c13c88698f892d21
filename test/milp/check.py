#!/usr/bin/env python3
"""The plan search against integer programs; prints TAP.

    check.py [--solve PLAN_SOLVE] [--tmp DIR] [--first N] [--orders N]
             [--large N] [--seconds S] [--one NAME] [--verbose]

For every random order the search's plan must be one that may be made, cost
what it says, and cost what the optimum of the integer program costs.  Amounts
are computed anew, in integers, from the quantities; the program's quantities
are taken for a counterexample only if they too are such a plan.  What differs
is kept as DIR/NAME.txt, for plan_solve.
"""
import argparse
import multiprocessing
import os
import subprocess
import sys
import time

import instance as instances
from instance import KINDS
from model import HORIZON, Program, Reading, solve

# ten-thousandths: what the rounding of some thirty amounts can do
ROUNDING = 50

# every kind must decide something in so many of the orders
LEAST_SHARE = 0.05

TERMS = ("handling", "preference", "distance", "capacity", "freight", "split",
         "lateness", "goods", "custom", "risk", "balance", "backorder")


class Answer:
    """What plan_solve printed about one instance."""

    def __init__(self, lines):
        self.shipments = []
        self.parts = []
        self.unserved = {}
        self.without = {}
        for line in lines:
            word, *values = line.split()
            if word == "plan":
                self.name, total, exact, gap, _ = values
                self.total, self.exact, self.gap = int(total), exact == "1", int(gap)
            elif word == "terms":
                self.terms = dict(zip(TERMS, map(int, values)))
            elif word == "shipment":
                self.shipments.append(tuple(map(int, values)))
            elif word == "part":
                self.parts.append(tuple(map(int, values)))
            elif word == "unserved":
                self.unserved[int(values[0])] = int(values[1])
            elif word == "without":
                self.without[values[0]] = (int(values[1]), values[2] == "1")


def ask(program, found, options):
    text = "".join(instance.text() for instance in found)
    run = subprocess.run([program, "kinds"], input=text, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, check=False, timeout=600)
    blocks = run.stdout.split("done\n")
    if run.returncode != 0 or len(blocks) != len(found) + 1:
        blocks.append("")
        raise RuntimeError("plan_solve ended with %d after %d of %d instances: %s" %
                           (run.returncode, len(blocks) - 2, len(found), run.stderr))
    return [Answer(block.splitlines()) for block in blocks[:-1]]


def own_plan(reading, answer, say):
    """The search's plan in the terms of the model."""
    plan = []
    for n, k, stock, ship, arrival, _ in answer.shipments:
        s = reading.by_key.get((n, k, ship))
        if s is None:
            say("shipment %s is not possible" % ((n, k, ship),))
            return None
        if (s.stock, s.arrival) != (stock, arrival):
            say("%s: stock on %d and arrival on %d, not %d and %d" %
                (s.key(), s.stock, s.arrival, stock, arrival))
        plan.append((s, {}))
    for i, which, quantity, late in answer.parts:
        s, parts = plan[which]
        parts[i] = quantity
        if reading.late(reading.instance.lines[i], s) != late:
            say("line %d is late by %d, not %d" %
                (i, reading.late(reading.instance.lines[i], s), late))
    return plan


def compare(instance, answer, options):
    """(faults, what happened) of one instance."""
    faults = []
    what = {"name": instance.name, "time": False, "shipments": len(answer.shipments),
            "split_line": len({i for i, _, _, _ in answer.parts}) < len(answer.parts),
            "exact": answer.exact, "rounding": 0, "grain": False}
    horizon = max([HORIZON] + [ship + 2 for _, _, _, ship, _, _ in answer.shipments])
    reading = Reading(instance, horizon)
    plan = own_plan(reading, answer, faults.append)
    if plan is None:
        return faults, what
    faults += reading.faults(plan)
    total, terms = reading.cost(plan)
    if answer.gap and answer.exact:
        faults.append("exact, but with a gap of %d" % answer.gap)
    if total != answer.total:
        faults.append("the plan costs %d, not %d" % (total, answer.total))
    for name in TERMS:
        if terms[name] != answer.terms[name]:
            faults.append("%s is %d, not %d" % (name, terms[name], answer.terms[name]))
    for i, line in enumerate(instance.lines):
        left = line["quantity"] - sum(parts.get(i, 0) for _, parts in plan)
        if left != answer.unserved[i]:
            faults.append("line %d: %d unserved, not %d" % (i, left, answer.unserved[i]))
    if not answer.exact and instance.kinds:
        faults.append("the plan is not called exact, gap %d" % answer.gap)
    program = Program(reading, max(total, answer.total))
    path = os.path.join(options.tmp, "%s.lp" % instance.name)
    status, objective, values = solve(program, path, options.seconds)
    if status == "time":
        what["time"] = True
    elif status != "optimal":
        faults.append("no solution: " + status)
    else:
        best = program.plan(values)
        slack = ROUNDING
        if not program.whole(values):
            slack += reading.grain()
            what["grain"] = True
        cost = reading.cost(best)[0]
        wrong = reading.faults(best)
        what["rounding"] = abs(objective * instances.SCALE - total) if answer.exact else 0
        if not wrong and cost < answer.total:
            what["rounding"] = answer.total - cost if answer.exact else 0
            if answer.total - cost > slack + answer.gap:
                faults.append("there is a plan for %d, not %d: %s" % (
                    cost, answer.total, [(s.key(), parts) for s, parts in best]))
        elif objective * instances.SCALE < answer.total - answer.gap - slack:
            faults.append("the optimum is %.4f, not %.4f; its plan: %s %s" % (
                objective, answer.total / instances.SCALE,
                [(s.key(), parts) for s, parts in best], wrong))
        elif objective * instances.SCALE > answer.total + slack:
            faults.append("the program finds nothing below %.4f, the search %.4f" % (
                objective, answer.total / instances.SCALE))
    if not faults and not options.keep:
        for name in (path, path + ".out", path + ".cbc"):
            if os.path.exists(name):
                os.unlink(name)
    return faults, what


def work(job):
    numbers, large, options = job
    found = [instances.generate(number, large) for number in numbers]
    done = []
    for instance, answer in zip(found, ask(options.solve, found, options)):
        began = time.monotonic()
        faults, what = compare(instance, answer, options)
        what["seconds"] = time.monotonic() - began
        what["binding"] = [kind for kind in instance.kinds
                           if answer.without[kind][0] != answer.total or
                           answer.without[kind][1]]
        what["cheaper"] = [kind for kind in instance.kinds
                           if answer.without[kind][0] != answer.total]
        what["kinds"] = instance.kinds
        if faults:
            with open(os.path.join(options.tmp, instance.name + ".txt"), "w") as out:
                out.write(instance.text())
        done.append((instance.name, faults, what))
    return done


def chunks(first, n, size):
    return [range(at, min(at + size, first + n)) for at in range(first, first + n, size)]


def run(options):
    jobs = [(numbers, False, options) for numbers in
            chunks(options.first, options.orders, 20)]
    jobs += [(numbers, True, options) for numbers in chunks(0, options.large, 1)]
    with multiprocessing.Pool(options.jobs) as pool:
        for done in pool.imap(work, jobs):
            yield from done


def shares(small, ok):
    """Print in what share of the orders each kind decides something."""
    n = max(1, len(small))
    rare = []
    print("# kind, share of the orders it is in, in which it decides the plan, "
          "and the total")
    for kind in KINDS:
        there = sum(kind in what["kinds"] for what in small) / n
        share = sum(kind in what["binding"] for what in small) / n
        cheaper = sum(kind in what["cheaper"] for what in small) / n
        print("#   %-20s %5.1f %% %5.1f %% %5.1f %%" %
              (kind, 100 * there, 100 * share, 100 * cheaper))
        if share < LEAST_SHARE:
            rare.append(kind)
    split = sum(what["split_line"] for what in small) / n
    print("#   %-20s         %5.1f %%" % ("split of a line", 100 * split))
    for shipments in range(4):
        print("#   plans of %d shipments  %5.1f %%" % (
            shipments, 100 * sum(what["shipments"] == shipments for what in small) / n))
    if split < LEAST_SHARE:
        rare.append("split of a line")
    ok(not rare, "each kind decides the plan in %d %% of the orders at least%s" %
       (100 * LEAST_SHARE, ": " + ", ".join(rare) + " too seldom" if rare else ""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--solve", default="./plan_solve")
    parser.add_argument("--tmp", default=".")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--large", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--text", help="print the instance of this number and end")
    options = parser.parse_args()
    if options.text is not None:
        large = options.text.startswith("large-")
        sys.stdout.write(instances.generate(int(options.text.split("-")[-1]), large).text())
        return 0
    tests = []

    def ok(passed, name):
        tests.append(passed)
        print("%sok %d - %s" % ("" if passed else "not ", len(tests), name), flush=True)

    small, large, wrong = [], [], []
    for name, faults, what in run(options):
        (large if name.startswith("large") else small).append(what)
        if faults:
            wrong.append(name)
            if len(wrong) <= 20:
                print("# instance %s: %s" % (name, "; ".join(faults)), flush=True)
    both = small + large
    late = [what["name"] for what in both if what["time"]]
    print("# %d orders, %d of them at the size limit; %d not solved within %d s%s" % (
        len(both), len(large), len(late), options.seconds,
        ": " + " ".join(late) if late else ""))
    print("# %d of those at the size limit not proven by the search within its limit on work" %
          sum(not what["exact"] for what in large))
    print("# slowest %.1f s, %.0f s in all; largest difference by rounding %.1f "
          "ten-thousandths" % (
              max(what["seconds"] for what in both), sum(what["seconds"] for what in both),
              max([what["rounding"] for what in both
                   if what["name"] not in wrong and not what["grain"]] + [0])))
    print("# %d with an optimum between the ten-thousandths of quantities" %
          sum(what["grain"] for what in both))
    ok(not wrong, "%d random orders: the optimum of the integer program%s" % (
        len(both) - len(late), ", except %d: %s" % (len(wrong), " ".join(wrong[:50]))
        if wrong else ""))
    if small:
        ok(len(small) - sum(what["time"] for what in small) >= 0.99 * len(small),
           "the small ones are solved in time")
        shares(small, ok)
    print("1..%d" % len(tests))
    return not all(tests)


if __name__ == "__main__":
    sys.exit(main())
