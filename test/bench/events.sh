# Events decoded a second by the output plugins routing, pgoutput and wal2json
# from the same WAL: that of events alone, and that of the orders that caused
# them.  Sourced by run.sh.
#
# CPU of the backend that decodes, through the SQL functions of slots, which
# hand each line on as a row; median of some repetitions by turns after one that
# is not counted.  pgoutput has the publication of the events, wal2json's
# format 2 (a line for a row) is confined to the same table; its format 1 has
# a line for a transaction.
#
#   ROUTING_BENCH_EVENTS [100000]        events alone, two in a transaction
#   ROUTING_BENCH_EVENTS_ORDERS [4000]   orders      ROUTING_BENCH_EVENTS_REPEAT [5]
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_EVENTS:=10000}" "${ROUTING_BENCH_EVENTS_ORDERS:=500}" "${ROUTING_BENCH_EVENTS_REPEAT:=3}"
fi
EVENTS=${ROUTING_BENCH_EVENTS:-100000}
EVENTS_ORDERS=${ROUTING_BENCH_EVENTS_ORDERS:-4000}
EVENTS_REPEAT=${ROUTING_BENCH_EVENTS_REPEAT:-5}

step "loading"
sql -c "CREATE DATABASE bench_events"
export PGDATABASE=bench_events
sql -f network.sql
sql -v nodes=50 -v items=200 -f nodes.sql
value "SELECT routing.create_event_partitions(1)" >/dev/null
sql -c "SELECT routing.create_publication()" >/dev/null
events_slots='routing pgoutput'
if value "SELECT pg_create_logical_replication_slot('bench_wal2json', 'wal2json')" >/dev/null 2>&1; then
	events_slots+=' wal2json'
else
	step ""
	say "wal2json is not installed for this server: its measurements are skipped"
fi
for plugin in routing pgoutput; do
	value "SELECT pg_create_logical_replication_slot('bench_$plugin', '$plugin')" >/dev/null
done
events_leaf=$(value "SELECT 'routing.event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')")

# name, slot, options
events_ways() {
	cat <<-WAYS
		routing|routing|
		routing,_batch|routing|, 'format', 'cloudevents-batch'
		routing,_row|routing|, 'format', 'row'
		routing,_nothing_wanted|routing|, 'types', 'none'
		pgoutput|pgoutput|, 'proto_version', '1', 'publication_names', 'routing_events'
		wal2json|wal2json|, 'format-version', '2', 'include-transaction', 'off', 'add-tables', '$events_leaf'
		wal2json,_format_1|wal2json|, 'add-tables', '$events_leaf'
	WAYS
}

EVENTS_RESULT=$CLUSTER_TMP/events
# events_decode: each way by turns into EVENTS_RESULT: name, nanoseconds, lines, bytes
events_decode() {
	local rep name plugin options
	: >"$EVENTS_RESULT"
	for rep in $(seq 0 "$EVENTS_REPEAT"); do
		while IFS='|' read -r name plugin options; do
			[[ " $events_slots " = *" $plugin "* ]] || continue
			step "$name, repetition $rep of $EVENTS_REPEAT"
			sql -At -F ' ' <<-SQL | awk -v rep="$rep" 'rep > 0' >>"$EVENTS_RESULT"
				SET work_mem = '2GB';
				SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint AS ns \\gset
				SELECT count(*) AS n, coalesce(sum(length(data)), 0) AS bytes
				FROM pg_logical_slot_peek_binary_changes('bench_$plugin', NULL, NULL$options) \\gset
				SELECT '$name', split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint - :ns, :n, :bytes;
			SQL
		done <<<"$(events_ways)"
	done
	step ""
}
# events_report COUNT: a line for each way; leaves its events a second in events_rate
declare -A events_rate
events_report() {
	local n=$1 name plugin options ns lines bytes
	while IFS='|' read -r name plugin options; do
		[[ " $events_slots " = *" $plugin "* ]] || continue
		read -r ns lines bytes <<<"$(awk -v w="$name" '$1 == w { print $2, $3, $4 }' "$EVENTS_RESULT" | sort -n |
			awk '{ a[NR] = $0 } END { print a[int((NR + 1) / 2)] }')"
		events_rate[$name]=$(awk -v n="$n" -v ns="$ns" 'BEGIN { printf "%.0f", n / ns * 1e9 }')
		printf '  %-26s %8d events/s   %6.2f us an event   %7d lines of %5.0f bytes\n' "${name//_/ }" "${events_rate[$name]}" \
			"$(awk -v n="$n" -v ns="$ns" 'BEGIN { print ns / n / 1000 }')" "$lines" \
			"$(awk -v n="$lines" -v b="$bytes" 'BEGIN { print (n ? b / n : 0) }')"
	done <<<"$(events_ways)"
}
events_ratio() { awk -v a="${events_rate[$1]}" -v b="${events_rate[$2]}" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }

step "$EVENTS_ORDERS orders"
sql -c "SET synchronous_commit = off" -c "SELECT setseed(0.5)" -c "CALL bench.orders($EVENTS_ORDERS, 'A')" >/dev/null
orders_events=$(value "SELECT count(*) FROM routing.event")
events_decode
say "events of $EVENTS_ORDERS routed orders, with all that was written for them; a second of CPU"
events_report "$orders_events"
say ""

step "$EVENTS events"
sql -c "SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots WHERE database = 'bench_events'" >/dev/null
sql -v n=$((EVENTS / 2)) <<'SQL'
SET synchronous_commit = off;
CREATE TABLE bench.template AS
SELECT e.*, k FROM routing.event e
JOIN (SELECT aggregateid, row_number() OVER () % 200 AS k FROM routing.event GROUP BY 1 HAVING count(*) = 2 LIMIT 200) o USING (aggregateid);
CREATE INDEX ON bench.template (k);
CREATE PROCEDURE bench.events(n int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. n LOOP
		INSERT INTO routing.event
		SELECT (e).* FROM (SELECT jsonb_populate_record(NULL::routing.event, to_jsonb(t)
			|| jsonb_build_object('seq', nextval('routing.event_seq'), 'id', gen_random_uuid(), 'aggregateid', aggregateid || '-' || i)) AS e
			FROM bench.template t WHERE k = i % 200) x;
		COMMIT;
	END LOOP;
END
$$;
SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots WHERE database = 'bench_events' \g /dev/null
CALL bench.events(:n);
SQL
EVENTS=$((EVENTS / 2 * 2))
events_decode
say "the same $EVENTS events alone, two in a transaction; a second of CPU"
events_report "$EVENTS"
goal "routing: events a second" "${events_rate[routing]}" ">=" 100000
goal "routing / pgoutput" "$(events_ratio routing pgoutput)" ">=" 1
if [[ " $events_slots " = *wal2json* ]]; then
	goal "routing / wal2json" "$(events_ratio routing wal2json)" ">=" 1
	goal "routing, batch / wal2json, format 1" "$(events_ratio routing,_batch wal2json,_format_1)" ">=" 1
fi
must "lines of routing" "$(awk '$1 == "routing" { print $3 }' "$EVENTS_RESULT" | sort -u | tr '\n' ' ' | sed 's/ $//')" "$EVENTS"
sql -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = 'bench_events'" >/dev/null
