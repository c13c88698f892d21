# How long after an order's commit its events are with a consumer, while orders
# come at 80 % of the highest rate: of the stream of our output plugin, and of a
# consumer by SQL that the worker wakes.  Sourced by run.sh; the worker needs
# the library to be preloaded, so this has a server of its own.
#
# Highest rate: 8 clients, prepared protocol, each commit flushed, with the
# stream's consumer attached, since that takes its part of the machine.  Then
# pgbench --rate.  Time of commit: what the commit record says, which the server
# reads before it flushes; so the lag contains that flush.  Everything goes
# through Unix sockets, on one clock.
#
#   ROUTING_BENCH_LAG_SECONDS [15]   for each consumer
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_LAG_SECONDS:=5}"
fi

# lag_orders SECONDS [OPTION]...: orders by 8 clients; prints how many a second
lag_orders() {
	local seconds=$1
	shift
	pgbench -n -M prepared -c 8 -j 2 -T "$seconds" --max-tries=10 -D items=200 -f lag.pgb "$@" 2>"$CLUSTER_TMP/pgbench.err" |
		awk '/^tps = / { printf "%.0f", $3 }' || { cat "$CLUSTER_TMP/pgbench.err" >&2; exit 1; }
}

# attaches pg_recvlogical, whose lines lag.py reads; its result goes into the file lag_stream
lag_attach() {
	: >"$CLUSTER_TMP/lag_stream"
	pg_recvlogical -d bench_lag --slot=bench_lag --start --no-loop --status-interval=1 -o commit_marker=on -f - \
		> >(/usr/bin/python3 lag.py stream >"$CLUSTER_TMP/lag_stream") 2>"$CLUSTER_TMP/recvlogical.err" &
	lag_receiver=$!
	for _ in $(seq 50); do
		[ "$(value "SELECT active FROM pg_replication_slots WHERE slot_name = 'bench_lag'")" != t ] || return 0
		sleep 0.1
	done
	cat "$CLUSTER_TMP/recvlogical.err" >&2
	exit 1
}

# waits until the consumer has everything, then ends it and its reader
lag_detach() {
	local upto
	upto=$(value "SELECT pg_current_wal_insert_lsn()")
	for _ in $(seq 100); do
		[ "$(value "SELECT confirmed_flush_lsn >= '$upto' FROM pg_replication_slots WHERE slot_name = 'bench_lag'")" != t ] || break
		sleep 0.1
	done
	kill -INT "$lag_receiver"
	wait "$lag_receiver" || true
	lag_result "$CLUSTER_TMP/lag_stream"
}

# lag_result FILE: the line that lag.py leaves when it ends
lag_result() {
	for _ in $(seq 100); do
		[ ! -s "$1" ] || break
		sleep 0.1
	done
	read -r lag_n lag_median lag_p99 lag_max <"$1"
}

lag_report() {
	printf '  %-52s %8s ms   p99 %s ms, longest %s ms, of %s\n' "$1: median" "$lag_median" "$lag_p99" "$lag_max" "$lag_n $2"
}

# in a process of its own: what connects it to the other server stays as it is
set +e
(
	set -e
	seconds=${ROUTING_BENCH_LAG_SECONDS:-15}
	eval "$(../cluster.sh start -o shared_preload_libraries=routing -o routing.databases=bench_lag -o fsync=on \
		-o max_wal_size=8GB -o routing.event_validate=off)"
	trap '../cluster.sh stop "$CLUSTER"' EXIT
	failed=0
	step "loading"
	sql -c "CREATE DATABASE bench_lag"
	export PGDATABASE=bench_lag
	sql -f network.sql
	sql -v nodes=50 -v items=200 -f nodes.sql
	# that there is plenty has been told
	sql -c "UPDATE routing.position SET band = 2"
	value "SELECT routing.create_event_partitions(1)" >/dev/null
	value "SELECT pg_create_logical_replication_slot('bench_lag', 'routing')" >/dev/null
	sql -c "CHECKPOINT"

	step "highest rate"
	lag_orders 2 >/dev/null
	alone=$(lag_orders "$((seconds / 3 + 2))")
	lag_attach
	lag_orders 2 >/dev/null
	highest=$(lag_orders "$((seconds / 3 + 2))")
	lag_detach
	rate=$((highest * 8 / 10))

	step "stream at $rate orders a second"
	lag_attach
	found=$(lag_orders "$seconds" --rate="$rate")
	lag_detach
	say "highest rate: $alone orders a second, $highest with the stream's consumer; lag from commit at $rate orders a second, $seconds s (reached: $found)"
	lag_report "output plugin routing, pg_recvlogical" "transactions"
	[ "$lag_n" -gt 0 ] || failed=1
	goal "lag of the stream, p99 in ms" "$lag_p99" "<=" 50

	if /usr/bin/python3 -c 'import psycopg2' 2>/dev/null; then
		value "SELECT pg_drop_replication_slot('bench_lag')" >/dev/null
		for interval in 100 10; do
			step "consumer by SQL, tick_interval $interval ms"
			sql -c "ALTER SYSTEM SET routing.tick_interval = $interval" -c "SELECT pg_reload_conf()" >/dev/null
			sql -c "SELECT routing.consumer_register('bench_$interval')" >/dev/null
			rm -f "$CLUSTER_TMP/stop"
			/usr/bin/python3 lag.py sql "bench_$interval" "$CLUSTER_TMP/stop" >"$CLUSTER_TMP/lag_sql" &
			lag_orders "$seconds" --rate="$rate" >/dev/null
			touch "$CLUSTER_TMP/stop"
			wait $! || failed=1
			lag_result "$CLUSTER_TMP/lag_sql"
			lag_report "consumer by SQL, routing.tick_interval $interval ms" "events"
			[ "$lag_n" -gt 0 ] || failed=1
		done
	else
		say "  psycopg2 is not installed: the consumer by SQL is not measured"
	fi
	step ""
	exit "$failed"
)
[ $? = 0 ] || failed=1
set -e
