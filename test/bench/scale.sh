# What a routed order costs with 10 million supply rows, against 10 thousand,
# and how long verify() takes there.  Two databases in one server, measured by
# turns; sourced by run.sh.
#
# Orders of three lines, the items by Zipf's law (exponent 1), beside it drawn
# uniformly; each order committed, synchronous_commit off, CPU of the backend
# as in route.sh.  Before: pg_prewarm of the tables (or a full read), a
# checkpoint, then every page of the positions touched once and a first pass
# of orders, so that the pages that an order changes are not written whole.
#
#   ROUTING_BENCH_ROWS [10000000]    ROUTING_BENCH_FEW_ROWS [10000]    supply rows, ten an item
#   ROUTING_BENCH_SCALE_ORDERS [4000]   per repetition   ROUTING_BENCH_SCALE_REPEAT [5]
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_ROWS:=200000}" "${ROUTING_BENCH_SCALE_ORDERS:=500}"
fi
declare -A rows=([few]=${ROUTING_BENCH_FEW_ROWS:-10000} [many]=${ROUTING_BENCH_ROWS:-10000000})
SCALE_ORDERS=${ROUTING_BENCH_SCALE_ORDERS:-4000}
SCALE_REPEAT=${ROUTING_BENCH_SCALE_REPEAT:-5}

# in_both MESSAGE SQL
in_both() {
	local size
	for size in few many; do
		step "$1, ${rows[$size]} rows"
		sql -d "bench_$size" -c "SET synchronous_commit = off" -c "$2" >/dev/null
	done
}

for size in few many; do
	step "loading ${rows[$size]} supply rows"
	items=$((rows[$size] / 10))
	sql -d postgres -c "CREATE DATABASE bench_$size"
	sql -d "bench_$size" -f network.sql
	sql -d "bench_$size" -v items="$items" -f scale.sql
	from=$(date +%s)
	loaders=()
	parts=$(nproc)
	for ((k = 0; k < parts; k++)); do
		sql -d "bench_$size" -c "SET synchronous_commit = off" \
			-c "CALL bench.load($((items * k / parts + 1)), $((items * (k + 1) / parts)))" &
		loaders+=($!)
	done
	for pid in "${loaders[@]}"; do wait "$pid"; done
	load_seconds=$(($(date +%s) - from))
done
in_both "vacuum" "VACUUM ANALYZE"
if [ "$(value "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_prewarm'")" = 1 ]; then
	in_both "prewarm" "CREATE EXTENSION pg_prewarm;
		SELECT pg_prewarm(c.oid) FROM pg_class c WHERE c.relnamespace = 'routing'::regnamespace AND c.relkind IN ('r', 'i')
		  AND (c.relname ~ '^(position|item)' OR c.relname ~ '_pkey\$')"
else
	in_both "read" "SELECT count(*) FROM routing.position p WHERE p.enabled; SELECT count(*) FROM routing.item WHERE name = '';
		SET enable_seqscan = off; SELECT count(item) FROM routing.position; SELECT count(item) FROM routing.item"
fi
sql -d postgres -c "CHECKPOINT"
in_both "touch every page" "SELECT bench.touch_pages()"
in_both "first pass" "CALL bench.orders($SCALE_ORDERS, true)"
in_both "first pass" "CALL bench.orders($SCALE_ORDERS, false)"

SCALE_RESULT=$CLUSTER_TMP/scale
: >"$SCALE_RESULT"
for rep in $(seq "$SCALE_REPEAT"); do
	for mix in true false; do
		for size in few many; do
			step "orders with ${rows[$size]} rows, repetition $rep of $SCALE_REPEAT"
			sql -At -F ' ' -d "bench_$size" >>"$SCALE_RESULT" <<-SQL
				SET synchronous_commit = off;
				CALL bench.orders($((SCALE_ORDERS / 8 + 50)), $mix);
				SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint AS ns, clock_timestamp() AS at \\gset
				CALL bench.orders($SCALE_ORDERS, $mix);
				SELECT '$size', '$mix', round((split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint - :ns) / 1000.0 / $SCALE_ORDERS, 1),
					   round((extract(epoch FROM clock_timestamp() - :'at') * 1e6 / $SCALE_ORDERS)::numeric, 1);
			SQL
		done
	done
done
median() {	# of column $3 for a size and a mix
	awk -v s="$1" -v m="$2" -v c="$3" '$1 == s && $2 == m { print $c }' "$SCALE_RESULT" | sort -n |
		awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'
}
quotient() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'; }
say "supply rows: ${rows[few]} and ${rows[many]}, ten nodes an item of 50; loaded as a restore does in $load_seconds s;" \
	"$SCALE_ORDERS orders, median of $SCALE_REPEAT"
say "sizes: positions $(sql -At -d bench_many -c "SELECT pg_size_pretty(pg_table_size('routing.position'))")," \
	"their index $(sql -At -d bench_many -c "SELECT pg_size_pretty(pg_indexes_size('routing.position'))")," \
	"supply $(sql -At -d bench_many -c "SELECT pg_size_pretty(pg_total_relation_size('routing.supply'))")"
for mix in true false; do
	name=$([ $mix = true ] && echo "Zipf" || echo "uniform")
	say "  $name: microseconds an order, CPU (elapsed): few $(median few $mix 3) ($(median few $mix 4))," \
		"many $(median many $mix 3) ($(median many $mix 4))"
done
goal "many / few, Zipf" "$(quotient "$(median many true 3)" "$(median few true 3)")" "<=" 1.3
say "  many / few, uniform                                      $(quotient "$(median many false 3)" "$(median few false 3)")"
for size in few many; do
	step "verify() of ${rows[$size]} rows"
	from=$(date +%s.%N)
	findings=$(sql -At -d "bench_$size" -c "SELECT count(*) FROM routing.verify()")
	to=$(date +%s.%N)
	must "findings of verify() with ${rows[$size]} rows, in $(awk -v a="$from" -v b="$to" 'BEGIN { printf "%.1f", b - a }') s" "$findings" 0
done
step ""
