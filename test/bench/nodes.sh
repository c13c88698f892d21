# What a routed order costs by the number of nodes: the same orders, a lane from
# every node to their destination.  A database for each number, measured by
# turns; sourced by run.sh.
#
# Orders of three lines, items drawn uniformly, each order committed,
# synchronous_commit off, CPU of the backend as in route.sh.  Twice: items that
# are on hand at three nodes of five, and items that are at five nodes only, so
# that nearly all nodes have nothing of an order.
#
#   ROUTING_BENCH_NODE_COUNTS ["10 50 200 1000"]   ROUTING_BENCH_NODES_ITEMS [500]
#   ROUTING_BENCH_NODES_ORDERS [2000]   per repetition   ROUTING_BENCH_NODES_REPEAT [5]
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_NODES_ITEMS:=100}" "${ROUTING_BENCH_NODES_ORDERS:=200}" "${ROUTING_BENCH_NODES_REPEAT:=3}"
fi
read -r -a counts <<<"${ROUTING_BENCH_NODE_COUNTS:-10 50 200 1000}"
NODES_ITEMS=${ROUTING_BENCH_NODES_ITEMS:-500}
NODES_ORDERS=${ROUTING_BENCH_NODES_ORDERS:-2000}
NODES_REPEAT=${ROUTING_BENCH_NODES_REPEAT:-5}

for n in "${counts[@]}"; do
	step "loading $n nodes"
	sql -d postgres -c "CREATE DATABASE bench_nodes_$n"
	sql -d "bench_nodes_$n" -v nodes="$n" -f network.sql
	sql -d "bench_nodes_$n" -v nodes="$n" -v items="$NODES_ITEMS" -f nodes.sql
done
sql -d postgres -c "CHECKPOINT"

NODES_RESULT=$CLUSTER_TMP/nodes
: >"$NODES_RESULT"
for rep in $(seq 0 "$NODES_REPEAT"); do
	for kind in A B; do
		for n in "${counts[@]}"; do
			step "orders with $n nodes, repetition $rep of $NODES_REPEAT"
			# the first repetition touches the pages and is not counted
			sql -At -F ' ' -d "bench_nodes_$n" <<-SQL | awk -v rep="$rep" 'rep > 0' >>"$NODES_RESULT"
				SET synchronous_commit = off;
				SELECT setseed(0.$rep) \\g /dev/null
				CALL bench.orders($((NODES_ORDERS / 8 + 20)), '$kind');
				SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint AS ns \\gset
				CALL bench.orders($NODES_ORDERS, '$kind');
				SELECT '$n', '$kind', round((split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint - :ns) / 1000.0 / $NODES_ORDERS, 1);
			SQL
		done
	done
done
step ""
nodes_median() {	# microseconds, of a number of nodes and a kind of items
	awk -v n="$1" -v k="$2" '$1 == n && $2 == k { print $3 }' "$NODES_RESULT" | sort -n |
		awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'
}
say "the same orders of 3 lines, $NODES_ITEMS items; microseconds of CPU an order, $NODES_ORDERS orders, median of $NODES_REPEAT"
for kind in A B; do
	say ""
	case $kind in
		A) say "items at three nodes of five" ;;
		B) say "items at five nodes only" ;;
	esac
	before='' before_cost=''
	for n in "${counts[@]}"; do
		cost=$(nodes_median "$n" "$kind")
		say "  $(printf '%5d nodes %9.1f us' "$n" "$cost")   $(sql -At -d "bench_nodes_$n" <<-SQL
			SELECT format('nodes read: %s of %s; shipments an order: %s; proven optimal: %s%%', round(avg(read), 1), $n, round(avg(shipments), 2),
						  round(100.0 * count(*) FILTER (WHERE exact) / count(*), 1))
			FROM (SELECT jsonb_array_length(x -> 'candidates') AS read, jsonb_array_length(x -> 'plan' -> 'shipments') AS shipments,
						 NOT x ? 'gap' AS exact
				  FROM (SELECT decision_id FROM routing.decision WHERE order_id LIKE 'SO$kind%' ORDER BY decision_id DESC LIMIT 200) d,
					   routing.decision_detail(d.decision_id) x) y
		SQL
		)"
		if [ -n "$before" ]; then
			goal "$n / $before nodes, cost (nodes: $((n / before)))" \
				"$(awk -v a="$cost" -v b="$before_cost" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }')" "<=" $((n / before))
		fi
		before=$n before_cost=$cost
	done
	goal "$n / ${counts[0]} nodes, cost (nodes: $((n / counts[0])))" \
		"$(awk -v a="$cost" -v b="$(nodes_median "${counts[0]}" "$kind")" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }')" "<=" $((n / counts[0]))
done
for n in "${counts[@]}"; do
	must "findings of verify() with $n nodes" "$(sql -At -d "bench_nodes_$n" -c "SELECT count(*) FROM routing.verify()")" 0
done
