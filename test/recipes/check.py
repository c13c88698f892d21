"""What a consumer got against what the event table has.

check.py EXPECTED GOT...: EXPECTED and each GOT have a line per event, tab-separated: id, aggregatetype, aggregateid,
aggregateversion.  The GOT of consumers that share the stream are checked together.  After deduplication by id
every event must be there once, none that is not in the table, and in each GOT the versions of every aggregate must ascend, without a
gap if there is one GOT only.  Prints what is wrong, and to standard error how many there were.
"""
import sys


def rows(name):
    with open(name, encoding="utf-8") as f:
        return [tuple(line.rstrip("\n").split("\t")) for line in f if line.strip()]


expected = {r[0]: r for r in rows(sys.argv[1])}
seen = {}
received = 0
problems = []
for name in sys.argv[2:]:
    last = {}
    for r in rows(name):
        received += 1
        if len(r) != 4:
            problems.append(f"{name}: not an event: {r!r}")
            continue
        if r[0] in seen:
            if seen[r[0]] != r:
                problems.append(f"{name}: event {r[0]} differs when it comes again")
            continue
        seen[r[0]] = r
        if r[0] not in expected:
            problems.append(f"{name}: event {r} is not in the table")
        elif expected[r[0]] != r:
            problems.append(f"{name}: event {r} is {expected[r[0]]} in the table")
        key, version = r[1:3], int(r[3])
        before = last.get(key, 0)
        if version <= before or (len(sys.argv) == 3 and version != before + 1):
            problems.append(f"{name}: version {version} of {key} after {before}")
        last[key] = version
missing = [r for i, r in expected.items() if i not in seen]
if missing:
    problems.append(f"{len(missing)} of {len(expected)} events are missing, for instance {missing[0]}")
print("\n".join(problems[:10]), end="")
print(f"# {' '.join(n.rsplit('/', 1)[-1] for n in sys.argv[2:])}: {len(expected)} events, received {received}", file=sys.stderr)
