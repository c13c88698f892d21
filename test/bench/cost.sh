# What the events of an order cost, as a part of the CPU of routing it.  Sourced
# by run.sh; needs valgrind, and a server of its own, which is stopped.
#
# Instructions, counted by callgrind in a server of one process: those of 300
# orders, as the difference of a run of 360 and one of 60, so that what a backend
# does once is not counted.  They come in the same transactions as in the part
# events: an order by one INSERT, its three lines by one INSERT, COMMIT; the
# generator of the orders is part of the total.  Counted as cost of events is
# all that is done in making their payloads, in finding out whether availability
# has crossed a line, and in writing their rows and index entries; not the
# transaction's commit, which has more to flush because of them.
#
# A string instruction (rep stosb) is counted once for each byte, though it takes
# a cycle for many of them; so the C library is told to clear and copy pages with
# ordinary ones, everywhere.
#
#   ROUTING_BENCH_COST_ORDERS [2000]   before those that are counted
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_COST_ORDERS:=300}"
fi

# cost_run ORDERS: instructions by function into the file cost_ORDERS: count, name
cost_run() {
	step "$1 orders under callgrind"
	echo "CALL bench.orders($1, 'A')" >"$CLUSTER_TMP/cost_in"
	(cd / && as_server env GLIBC_TUNABLES=glibc.cpu.x86_rep_stosb_threshold=1073741824:glibc.cpu.x86_rep_movsb_threshold=1073741824 \
		valgrind --tool=callgrind --callgrind-out-file="$CLUSTER/cost.out" \
		"$BINDIR/postgres" --single -D "$CLUSTER/data" bench_cost) \
		<"$CLUSTER_TMP/cost_in" >"$CLUSTER_TMP/cost_log" 2>&1 || { cat "$CLUSTER_TMP/cost_log" >&2; exit 1; }
	as_server callgrind_annotate --auto=no --inclusive=yes --threshold=100 "$CLUSTER/cost.out" |
		awk '/PROGRAM TOTALS/ { f = "total" } /:(events_write|order_add_events|stock_add_bands)( |$)/ { f = $0; sub(/^[^)]*\) */, "", f); sub(/^.*:/, "", f); sub(/ .*/, "", f) }
			f != "" { n = $1; gsub(",", "", n); print n, f; f = "" }' >"$CLUSTER_TMP/cost_$1"
}

# cost_of FUNCTION: instructions an order.  A function has another entry for each
# file that it has inlined code of, which is part of the largest.
cost_of() {
	awk -v f="$1" '$2 == f && $1 > n[FILENAME] { n[FILENAME] = $1 } END { printf "%.0f", (n[ARGV[1]] - n[ARGV[2]]) / 300 }' \
		"$CLUSTER_TMP/cost_360" "$CLUSTER_TMP/cost_60"
}

# in a process of its own: what connects it to the other server stays as it is
if ! command -v valgrind >/dev/null; then
	say "valgrind is not installed: skipped"
else
set +e
(
	set -e
	eval "$(../cluster.sh start -o synchronous_commit=off -o autovacuum=off -o routing.event_validate=off)"
	trap '../cluster.sh stop "$CLUSTER"' EXIT
	. ../lib.sh
	load_server
	say() { printf '%s\n' "$*"; }
	failed=0
	step "loading"
	sql -c "CREATE DATABASE bench_cost"
	export PGDATABASE=bench_cost
	sql -f network.sql
	sql -v nodes=50 -v items=200 -f nodes.sql
	# that there is plenty has been told
	sql -c "UPDATE routing.position SET band = 2"
	sql -c "CALL bench.orders(${ROUTING_BENCH_COST_ORDERS:-2000}, 'A')"
	sql -c "VACUUM ANALYZE" -c "CHECKPOINT"
	per_order=$(value "SELECT round(avg(event_version), 2) FROM routing.sales_order")
	(cd / && as_server "$BINDIR/pg_ctl" -D "$CLUSTER/data" -m fast -w stop >/dev/null)
	cost_run 60
	cost_run 360
	step ""
	total=$(cost_of total)
	payloads=$(cost_of order_add_events)
	bands=$(cost_of stock_add_bands)
	rows=$(cost_of events_write)
	say "an order of 3 lines with $per_order events: $total instructions; of its events: $rows for rows and index entries," \
		"$payloads for payloads, $bands for availability"
	[ "$rows" -gt 0 ] && [ "$payloads" -gt 0 ] || { say "  the functions were not found"; failed=1; }
	goal "events / routed order, CPU in percent" "$(awk -v t="$total" -v e=$((payloads + bands + rows)) 'BEGIN { printf "%.1f", 100 * e / t }')" "<=" 10
	exit "$failed"
)
[ $? = 0 ] || failed=1
set -e
fi
