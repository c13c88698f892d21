"""How long after its commit a transaction's events are with a consumer.

lag.py stream: reads the output plugin's lines, with commit markers, from
	standard input until it ends.  A transaction's lag is the time at which its
	marker, which follows its events, has been read, less its time of commit.
lag.py sql CONSUMER STOP: a consumer by SQL that sleeps until the channel
	routing_events wakes it, until the file STOP is there.  An event's lag is the
	time at which its batch has been read, less the time at which it was
	recorded, which is before the commit; so it is overstated by what lies between.

Prints count, median, 99th percentile and maximum in milliseconds, without
what came within the first two seconds.
"""
import datetime
import json
import os
import select
import sys
import time

WARM_UP = 2.0
lags = []
first = None


def note(seconds_at, seconds_from):
    global first
    if first is None:
        first = seconds_at
    if seconds_at - first >= WARM_UP:
        lags.append(1000 * (seconds_at - seconds_from))


def stream():
    for line in sys.stdin.buffer:
        now = time.time()
        if line.startswith(b'{"control":"commit"'):
            committed = json.loads(line)["time"]
            note(now, datetime.datetime.fromisoformat(committed.replace("Z", "+00:00")).timestamp())


def sql(consumer, stop):
    import psycopg2
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("LISTEN routing_events")
    while not os.path.exists(stop):
        select.select([connection], [], [], 0.5)
        connection.poll()
        connection.notifies.clear()
        while True:
            cursor.execute("SELECT batch_id, extract(epoch FROM recorded_at)::float8, payload FROM routing.consumer_next(%s, 500)", (consumer,))
            batch = cursor.fetchall()
            now = time.time()
            if not batch:
                break
            for row in batch:
                note(now, row[1])
            cursor.execute("SELECT routing.consumer_ack(%s, %s)", (consumer, batch[0][0]))


if sys.argv[1] == "stream":
    stream()
else:
    sql(*sys.argv[2:4])
lags.sort()
if lags:
    print(len(lags), *("%.1f" % lags[min(int(len(lags) * part), len(lags) - 1)] for part in (0.5, 0.99, 1)))
else:
    print(0, 0, 0, 0)
