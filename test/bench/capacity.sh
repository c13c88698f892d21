# What a hard capacity costs a busy node: one node, orders of one line for items
# drawn uniformly, 32 clients, synchronous commit, without a capacity and with
# one of orders, lines and units that is never full; and the same to the last
# order of the day.  Sourced by run.sh.
#
#   ROUTING_BENCH_CAPACITY_SECONDS [10]   ROUTING_BENCH_CAPACITY_ROUNDS [3]
#   ROUTING_BENCH_CLIENTS [32]
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_CAPACITY_SECONDS:=2}" "${ROUTING_BENCH_CAPACITY_ROUNDS:=1}"
fi
CAP_SECONDS=${ROUTING_BENCH_CAPACITY_SECONDS:-10}
CAP_ROUNDS=${ROUTING_BENCH_CAPACITY_ROUNDS:-3}
CLIENTS=${ROUTING_BENCH_CLIENTS:-32}

sql -c "CREATE DATABASE bench_capacity"
export PGDATABASE=bench_capacity
sql -f network.sql
sql -c "INSERT INTO routing.item (item, weight_kg) SELECT 'U' || n, 1 FROM generate_series(1, 10000) n" \
	-c "SET routing.settle_timeout = '10min'" \
	-c "INSERT INTO routing.supply (item, node, quantity) SELECT 'U' || n, 'N101', 1000000 FROM generate_series(1, 10000) n" \
	-c "VACUUM ANALYZE"

# capacity_run OPTION...: sets done, tps, retries
capacity_run() {
	PGOPTIONS="-c default_transaction_isolation=$LEVEL -c synchronous_commit=on" pgbench -n -M prepared \
		-c "$CLIENTS" -j "$(nproc)" --max-tries=1000 -D prefix=C -D item=U -D items=10000 "$@" -f hot.pgb \
		>"$CLUSTER_TMP/capacity.out" 2>"$CLUSTER_TMP/capacity.err" || { tail -n 5 "$CLUSTER_TMP/capacity.err"; failed=1; }
	read -r done tps retries <<<"$(awk '
		/^number of transactions actually processed/ { sub("/.*", "", $6); n = $6 }
		/^total number of retries/ { r = $5 }
		/^tps = / { tps = $3 }
		END { printf "%d %.0f %d", n, tps, r }' "$CLUSTER_TMP/capacity.out")"
}
with_capacity() {
	sql -c "INSERT INTO routing.capacity (node, kind, quantity) VALUES ('N101', 'orders', $1), ('N101', 'lines', $1), ('N101', 'units', 3 * $1)"
}

say "$CLIENTS clients, synchronous_commit on, orders of 1 line with 1 to 3 units, all from one node"
for level in "read committed" "repeatable read"; do
	LEVEL=${level// /\\ }
	without=0 with=0 tried=0 again=0
	for ((round = 0; round < CAP_ROUNDS; round++)); do
		step "$level, round $((round + 1))"
		sql -c "DELETE FROM routing.capacity" -c CHECKPOINT
		capacity_run -T "$CAP_SECONDS"
		without=$((without + tps))
		with_capacity 10000000
		sql -c CHECKPOINT
		capacity_run -T "$CAP_SECONDS"
		with=$((with + tps)) tried=$((tried + done + retries)) again=$((again + retries))
	done
	step ""
	say ""
	say "$level: without a capacity $((without / CAP_ROUNDS)) orders/s, with one $((with / CAP_ROUNDS)); slots of the day: $(value "
		SELECT max(n) FROM (SELECT count(*) AS n FROM routing.capacity_use GROUP BY day) x")"
	goal "rate, with a capacity / without" "$(awk -v a="$with" -v b="$without" 'BEGIN { printf "%.2f", b ? a / b : 0 }')" ">=" 0.8
	goal "tries that failed, per cent" "$(awk -v a="$again" -v b="$tried" 'BEGIN { printf "%.2f", b ? 100 * a / b : 0 }')" "<=" 1
	# the last orders of a day: twice as many are wanted as it has
	sql -c "DELETE FROM routing.capacity"
	with_capacity $((CLIENTS * 20))
	capacity_run -t 40
	say "  $((CLIENTS * 40)) orders for days of $((CLIENTS * 20)): $tps orders/s, $retries tries failed"
	must "orders of the first day" "$(value "SELECT sum(orders) FROM routing.capacity_use WHERE day = (SELECT min(day) FROM routing.capacity_use)")" $((CLIENTS * 20))
done
must "findings of verify()" "$(value "SELECT count(*) FROM routing.verify()")" 0
