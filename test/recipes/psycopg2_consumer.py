"""psycopg2 reads the output plugin: CloudEvents, confirmed at the ends of transactions.

psycopg2_consumer.py SLOT OUTPUT LAST: ends after the last event of the transaction that has the aggregate LAST.
Settings of the connection come from the environment.
"""
import json
import sys

import psycopg2
import psycopg2.extras


def position(text):
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


slot, output, last = sys.argv[1:4]
connection = psycopg2.connect("", connection_factory=psycopg2.extras.LogicalReplicationConnection)
cursor = connection.cursor()
cursor.start_replication(slot_name=slot, decode=True, options={"proto_version": "1", "source": "urn:routing:eu1"})
ended = False

with open(output, "a", encoding="utf-8") as out:
    def consume(message):
        global ended
        event = json.loads(message.payload)
        out.write("\t".join((event["id"], event["aggregatetype"], event["partitionkey"], str(int(event["aggregateversion"])))) + "\n")
        ended = ended or event["partitionkey"] == last
        # what is not written yet must not be confirmed, nor half of a transaction
        if event["txlast"]:
            out.flush()
            message.cursor.send_feedback(flush_lsn=position(event["acklsn"]), reply=True)
            if ended:
                raise StopIteration

    try:
        cursor.consume_stream(consume, keepalive_interval=1)
    except StopIteration:
        pass
