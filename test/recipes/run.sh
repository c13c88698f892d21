#!/usr/bin/env bash
# The recipes of doc/events.md, run.  Prints TAP lines.
#
# 16 writers route orders, roll them back, roll back to savepoints and keep
# transactions open, while consumers of each kind read: the output plugin by
# pg_recvlogical (the whole stream, and in two parts) and psycopg2, pgoutput by
# the npm client pg-logical-replication, by a second PostgreSQL and by the
# Debezium engine with its outbox router, wal2json, and the SQL consumers.
# What the plugin wrote goes through a NATS server.  Everyone must have every
# committed event once after deduplication, in the order of its aggregate's
# versions, and none of what was rolled back.
#
# A recipe whose package cannot be installed is skipped, with a line.
# Clusters listen on sockets of the file system only; NATS on loopback.
#
#   ROUTING_RECIPES_SECONDS [30]  length of the load
#   ROUTING_RECIPES_RATE [120]    transactions per second
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD
if [ -z "${CLUSTER:-}" ]; then
	exec ../cluster.sh run "$PWD/${0##*/}"
fi

SECS=${ROUTING_RECIPES_SECONDS:-30}
RATE=${ROUTING_RECIPES_RATE:-120}
ITEMS=40
OUT=$CLUSTER_TMP/recipes
WORK=$CLUSTER_TMP/recipes_work
mkdir -p "$OUT" "$WORK"
. ../database.sh

children=()
second=
finish() {
	local rc=$? pid
	trap - EXIT
	for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
	if [ -n "$second" ]; then ../cluster.sh stop "$second" >/dev/null 2>&1 || true; fi
	exit "$rc"
}
trap finish EXIT

# start NAME COMMAND...: in the background; its process id in pid_NAME
start() {
	local name=$1
	shift
	"$@" >"$OUT/$name.log" 2>&1 &
	children+=($!)
	printf -v "pid_$name" %s $!
}
# ended NAME SECONDS: waits for it; $found has its log if it failed or did not end
ended() {
	local pid=pid_$1 tries=$(($2 * 10)) rc=0
	found=
	while kill -0 "${!pid}" 2>/dev/null; do
		if [ $((tries--)) -le 0 ]; then
			kill "${!pid}" 2>/dev/null || true
			found="$1 did not end within $2 s
$(tail -n 15 "$OUT/$1.log")"
			return 0
		fi
		sleep 0.1
	done
	wait "${!pid}" || rc=$?
	if [ "$rc" -ne 0 ]; then
		found="$1 ended with status $rc
$(tail -n 15 "$OUT/$1.log")"
	fi
	return 0
}
# stop NAME: what only ends when it is told to; how it ends is its own matter
stop() {
	local pid=pid_$1
	kill -INT "${!pid}" 2>/dev/null || true
	ended "$1" 20
}

# have NAME COMMAND...: whether a package is or can be installed
declare -A reason
have() {
	local name=$1
	shift
	if ! "$@" >"$OUT/$name.install" 2>&1; then
		# what an installer says last is seldom why
		reason[$name]="it cannot be installed: $( (grep -iE 'error|unable' "$OUT/$name.install" || tail -n 1 "$OUT/$name.install") | head -n 1 | cut -c1-160)"
	fi
}
debian() { # PROGRAM-TEST PACKAGE
	if ! eval "$1"; then
		if [ "$(id -u)" != 0 ]; then echo "$2 is missing"; return 1; fi
		DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -q --no-install-recommends "$2" || {
			timeout 300 apt-get update -q && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -q --no-install-recommends "$2"
		} || return 1
		eval "$1"
	fi
}
npm_packages() {
	debian 'command -v npm >/dev/null' npm || return 1
	mkdir -p "$WORK/node" && cp node/package.json node/*.mjs "$WORK/node/" &&
		(cd "$WORK/node" && timeout 300 npm install --no-audit --no-fund --no-package-lock)
}
maven_packages() {
	debian 'command -v mvn >/dev/null' maven || return 1
	debian 'command -v java >/dev/null' default-jdk-headless || return 1
	(cd debezium && timeout 400 mvn -q -B dependency:build-classpath "-Dmdep.outputFile=$WORK/classpath" 2>&1)
}
have psycopg2 debian '/usr/bin/python3 -c "import psycopg2" 2>/dev/null' python3-psycopg2
have wal2json debian '[ -e "$("$PG_CONFIG" --pkglibdir)/wal2json.so" ]' "postgresql-$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')-wal2json"
have nats debian 'command -v nats-server >/dev/null' nats-server
have npm npm_packages
have debezium maven_packages
if [ -n "${reason[npm]:-}" ] && [ -z "${reason[nats]:-}" ]; then reason[nats]="its client ${reason[npm]}"; fi

sql -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS recipes" -c "CREATE DATABASE recipes"
export PGDATABASE=recipes
sql -c "CREATE EXTENSION routing" -c "SET client_min_messages = warning"
sql -v items=$ITEMS -v nodes=3 -v supply=1000000 -f ../load/setup.sql
sql -c "SELECT routing.create_event_partitions(2)" -c "SELECT routing.create_publication()" >"$OUT/setup"

# slot NAME PLUGIN: from here on its consumer must have everything
slot() { sql -c "SELECT * FROM routing.create_slot('recipe_$1', '$2')" >>"$OUT/setup"; }
slot plugin routing; slot part0 routing; slot part1 routing
slot npm1 pgoutput; slot npm2 pgoutput; slot debezium pgoutput; slot second pgoutput
if [ -z "${reason[psycopg2]:-}" ]; then slot psycopg2 routing; fi
if [ -z "${reason[wal2json]:-}" ]; then slot wal2json wal2json; fi
for c in sql1 sql2; do sql -c "SELECT routing.consumer_register('$c', start_at => 'now')" >>"$OUT/setup"; done
sql -c "SELECT routing.consumer_register('sqlpart0', start_at => 'now', partition => '0/2')" \
	-c "SELECT routing.consumer_register('sqlpart1', start_at => 'now', partition => '1/2')" >>"$OUT/setup"
first=$(value "SELECT coalesce(max(seq), 0) FROM routing.event")

# a second PostgreSQL takes the rows by built-in logical replication
primary=$PGHOST
second=$(env -u CLUSTER -u CLUSTER_TMP bash -c 'eval "$(../cluster.sh start)" && echo "$CLUSTER"')
at_second() { env PGHOST="$second/s" PGDATABASE=postgres psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
at_second -f second.sql >"$OUT/second.setup"
at_second -c "CREATE SUBSCRIPTION recipes CONNECTION 'host=$primary port=$PGPORT user=$PGUSER dbname=recipes'
	PUBLICATION routing_events WITH (create_slot = false, slot_name = 'recipe_second', copy_data = false)"

LAST=ZZLAST
recv() { # NAME OPTIONS...: as a daemon that is stopped at the end
	local name=$1
	shift
	start "$name" pg_recvlogical -d recipes -S "recipe_$name" --start -f "$OUT/$name.out" -s 1 -F 1 "$@"
}
recv plugin -o source=urn:routing:eu1
recv part0 -o partition=0/2
recv part1 -o partition=1/2
if [ -z "${reason[wal2json]:-}" ]; then recv wal2json -o format-version=2 -o add-tables='routing.*' -o actions=insert -o include-transaction=false; fi
if [ -z "${reason[psycopg2]:-}" ]; then
	start psycopg2 /usr/bin/python3 psycopg2_consumer.py recipe_psycopg2 "$OUT/psycopg2.tsv" $LAST
fi
if [ -z "${reason[npm]:-}" ]; then
	for c in npm1 npm2; do start $c node "$WORK/node/pgoutput.mjs" "recipe_$c" "$OUT/$c.tsv" $LAST; done
fi
debezium() {
	exec java -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$(cat "$WORK/classpath")" debezium/Recipe.java \
		debezium/router.properties "$primary/.s.PGSQL.$PGPORT" recipes recipe_debezium "$OUT/debezium.offsets" "$OUT/debezium.out" $LAST
}
if [ -z "${reason[debezium]:-}" ]; then start debezium debezium; fi
for c in sql1 sql2 sqlpart0 sqlpart1; do start $c ./sql_consumer.sh $c "$OUT/$c.tsv" "$OUT/stop"; done

pgbench -n -M prepared -c 16 -j 2 -T "$SECS" -R "$RATE" -D items=$ITEMS -f ../load/order.pgb@6 -f ../load/rollback.pgb@2 \
	-f ../load/savepoint.pgb@2 -f long.pgb@1 >"$OUT/pgbench" 2>&1 ||
	result "the load runs" "$(tail -n 5 "$OUT/pgbench")"
sql -c "BEGIN" -c "INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('$LAST', 'C1', 'US', '10001')" \
	-c "INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('$LAST', 1, 'I1', 1)" -c "COMMIT"
end=$(value "SELECT pg_current_wal_lsn()")
value "COPY (SELECT id, aggregatetype, aggregateid, aggregateversion FROM routing.event WHERE seq > $first ORDER BY seq) TO STDOUT" >"$OUT/expected.tsv"
# Debezium's test ends with the first event of the last order
grep -v "	$LAST	" "$OUT/expected.tsv" >"$OUT/expected_before.tsv"

check "verify() is empty" "SELECT * FROM routing.verify()"
check "no order that was rolled back has an event" "SELECT * FROM routing.event WHERE aggregateid LIKE 'R%' LIMIT 3"
check "there were commits, rollbacks and long transactions" "
	SELECT count(*) FROM routing.event WHERE aggregateid LIKE 'L%' HAVING count(*) < 20 * $SECS"

# compare TITLE EXPECTED GOT...
compare() {
	local title=$1
	shift
	result "$title" "$(/usr/bin/python3 check.py "$@" 2>>"$OUT/counts")"
}
# envelopes FILE: id, type, id and version of the aggregate of each line of CloudEvents JSON
envelopes() {
	/usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    print(e["id"], e["aggregatetype"], e["partitionkey"], int(e["aggregateversion"]), sep="\t")' <"$1"
}
# until the slot's consumer has confirmed what there was
confirmed() {
	local tries=600
	until [ "$(value "SELECT confirmed_flush_lsn >= '$end' FROM pg_replication_slots WHERE slot_name = 'recipe_$1'")" = t ]; do
		if [ $((tries--)) -le 0 ]; then echo "recipe_$1 has not confirmed $end"; tail -n 5 "$OUT/$1.log"; return 0; fi
		sleep 0.1
	done
}

for c in plugin part0 part1; do
	result "pg_recvlogical, $c: confirms what it has written" "$(confirmed $c)"
	stop $c
	envelopes "$OUT/$c.out" >"$OUT/$c.tsv"
done
compare "pg_recvlogical with the plugin has every event" "$OUT/expected.tsv" "$OUT/plugin.tsv"
compare "two parts together have every event" "$OUT/expected.tsv" "$OUT/part0.tsv" "$OUT/part1.tsv"
result "and have no aggregate in common" "$(comm -12 <(cut -f2,3 "$OUT/part0.tsv" | sort -u) <(cut -f2,3 "$OUT/part1.tsv" | sort -u) | head -n 3)"
if [ -z "${reason[psycopg2]:-}" ]; then
	ended psycopg2 60
	result "psycopg2: ends by itself" "$found"
	compare "psycopg2 with the plugin has every event" "$OUT/expected.tsv" "$OUT/psycopg2.tsv"
else
	skip "psycopg2 with the plugin has every event" "python3-psycopg2: ${reason[psycopg2]}"
fi
if [ -z "${reason[npm]:-}" ]; then
	for c in npm1 npm2; do
		ended $c 60
		result "pg-logical-replication, $c: ends by itself" "$found"
		compare "the npm client with pgoutput has every event ($c)" "$OUT/expected.tsv" "$OUT/$c.tsv"
	done
	result "every envelope is valid for the CloudEvents SDK" "$(cd "$WORK/node" && node cloudevents.mjs "$OUT/plugin.out")"
else
	skip "the npm client with pgoutput has every event" "pg-logical-replication: ${reason[npm]}"
	skip "every envelope is valid for the CloudEvents SDK" "cloudevents: ${reason[npm]}"
fi
if [ -z "${reason[wal2json]:-}" ]; then
	result "wal2json: confirms what it has written" "$(confirmed wal2json)"
	stop wal2json
	/usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    if row["table"].startswith("event_"):
        e = {c["name"]: c["value"] for c in row["columns"]}
        print(e["id"], e["aggregatetype"], e["aggregateid"], e["aggregateversion"], sep="\t")' <"$OUT/wal2json.out" >"$OUT/wal2json.tsv"
	compare "wal2json has every event" "$OUT/expected.tsv" "$OUT/wal2json.tsv"
else
	skip "wal2json has every event" "${reason[wal2json]}"
fi
result "a second PostgreSQL: confirms what it has" "$(confirmed second)"
at_second -c "COPY (SELECT id, aggregatetype, aggregateid, aggregateversion FROM routing.event ORDER BY arrived) TO STDOUT" >"$OUT/second.tsv"
compare "a second PostgreSQL has every event" "$OUT/expected.tsv" "$OUT/second.tsv"
touch "$OUT/stop"
for c in sql1 sql2 sqlpart0 sqlpart1; do
	ended $c 60
	result "SQL consumer $c: ends by itself" "$found"
done
compare "SQL consumer 1 has every event" "$OUT/expected.tsv" "$OUT/sql1.tsv"
compare "SQL consumer 2 has every event" "$OUT/expected.tsv" "$OUT/sql2.tsv"
compare "two parts by SQL together have every event" "$OUT/expected.tsv" "$OUT/sqlpart0.tsv" "$OUT/sqlpart1.tsv"
if [ -z "${reason[debezium]:-}" ]; then
	ended debezium 150
	result "Debezium: ends by itself" "$found"
	result "each message of its outbox router is a CloudEvent in binary mode" "$(/usr/bin/python3 debezium/check.py "$OUT/debezium.out" "$OUT/debezium.tsv")"
	grep -v "	$LAST	" "$OUT/debezium.tsv" >"$OUT/debezium_before.tsv" || true
	compare "the Debezium engine has every event" "$OUT/expected_before.tsv" "$OUT/debezium_before.tsv"
else
	skip "the Debezium engine has every event" "Debezium: ${reason[debezium]}"
fi
if [ -z "${reason[nats]:-}" ]; then
	port=$((20000 + RANDOM % 20000))
	start nats nats-server -a 127.0.0.1 -p $port -js -sd "$WORK/jetstream" -P "$WORK/nats.pid"
	tries=100
	until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || [ $((tries--)) -le 0 ]; do sleep 0.1; done
	# the stream is sent twice, as after a crash: ids make the server drop what it has
	result "NATS: publishing" "$( (cd "$WORK/node" && timeout 100 node nats.mjs publish $port <"$OUT/plugin.out" && timeout 100 node nats.mjs publish $port <"$OUT/plugin.out") 2>&1 | tail -n 5)"
	result "NATS: reading" "$( (cd "$WORK/node" && timeout 100 node nats.mjs read $port >"$OUT/nats.out") 2>&1 | tail -n 5)"
	envelopes "$OUT/nats.out" >"$OUT/nats.tsv"
	compare "what went through NATS has every event" "$OUT/expected.tsv" "$OUT/nats.tsv"
	result "and none twice" "$(cut -f1 "$OUT/nats.tsv" | sort | uniq -d | head -n 3)"
	stop nats >/dev/null
else
	skip "what went through NATS has every event" "nats-server: ${reason[nats]}"
fi
sed 's/^/# /; s/^# # /# /' "$OUT/counts"
at_second -c "ALTER SUBSCRIPTION recipes DISABLE" -c "ALTER SUBSCRIPTION recipes SET (slot_name = NONE)" -c "DROP SUBSCRIPTION recipes"
sql -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'recipe\_%' AND NOT active" >>"$OUT/setup"
tap_end
