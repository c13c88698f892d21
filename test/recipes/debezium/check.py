"""Each message of the engine: the CloudEvent that the SDK read from key, headers and value is what the router was given.

check.py MESSAGES OUTPUT: prints what is wrong; OUTPUT gets a line per event for the comparison with the table.
"""
import json
import re
import sys
import uuid

problems = []
lines = 0
with open(sys.argv[2], "w", encoding="utf-8") as out:
    for line in open(sys.argv[1], encoding="utf-8"):
        lines += 1
        m = json.loads(line)
        h, ce = m["headers"], m["cloudevent"]
        wrong = [name for name, good in {
            "specversion": h["ce_specversion"] == "1.0" and ce["specversion"] == "1.0",
            "id": uuid.UUID(ce["id"]).version == 7 and h["id"] == h["ce_id"] == ce["id"],
            "source": ce["source"] == "urn:routing:eu1:acme",
            "type": re.fullmatch(r"[a-z]+\.[a-z_]+\.v[0-9]+", ce["type"]) is not None,
            "time": re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", h["ce_time"]) is not None,
            "datacontenttype": ce["datacontenttype"] == "application/json" == h["content-type"],
            "key": m["key"] == ce["partitionkey"],
            "topic": m["topic"] == "outbox.event." + ce["type"].split(".")[0] or ce["type"].startswith(("promise.", "replenishment.")),
            "data": isinstance(json.loads(m["value"]), dict) and ce["data"] == m["value"],
        }.items() if not good]
        if wrong:
            problems.append(f"{wrong}: {line[:400]}")
        aggregate = m["topic"].removeprefix("outbox.event.")
        out.write("\t".join((ce["id"], aggregate, m["key"], ce["aggregateversion"])) + "\n")
if lines == 0:
    problems.append("there is no message")
print("\n".join(problems[:5]), end="")
