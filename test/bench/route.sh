# What routing an order costs, against the plain insert of the same order (the
# unit of design section 5), the rows a routed order must write (the floor)
# and the obvious PL/pgSQL greedy; one run, one server.  Sourced by run.sh.
#
# CPU is that of the backend, from /proc/self/schedstat (nanoseconds): a
# plpgsql procedure inserts an order and its three lines (two statements),
# and commits each order, asynchronous commit, warm.  Throughput is pgbench,
# prepared protocol, against the same tables.
#
# Sizes (defaults in brackets):
#   ROUTING_BENCH_ITEMS [100000]     ROUTING_BENCH_NODES [50]
#   ROUTING_BENCH_SPREAD [10]        nodes at which an item is stocked
#   ROUTING_BENCH_LAYOUT [centers]   or even: see setup.sql
#   ROUTING_BENCH_ORDERS [5000]      per repetition   ROUTING_BENCH_REPEAT [5]
#   ROUTING_BENCH_SECONDS [4]        per throughput figure
#   ROUTING_BENCH_VARIANTS [unit floor greedy native bound]
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_ITEMS:=2000}" "${ROUTING_BENCH_ORDERS:=500}" "${ROUTING_BENCH_SECONDS:=1}"
fi
ITEMS=${ROUTING_BENCH_ITEMS:-100000}
NODES=${ROUTING_BENCH_NODES:-50}
SPREAD=${ROUTING_BENCH_SPREAD:-10}
LAYOUT=${ROUTING_BENCH_LAYOUT:-centers}
ORDERS=${ROUTING_BENCH_ORDERS:-5000}
REPEAT=${ROUTING_BENCH_REPEAT:-5}
SECS=${ROUTING_BENCH_SECONDS:-4}
VARIANTS=${ROUTING_BENCH_VARIANTS:-unit floor greedy native bound}
CENTERS=$((NODES / 5 > 0 ? NODES / 5 : 1))
CUSTOMERS=10000
WARM=$((ORDERS / 8 + 50))

has() { case " $VARIANTS " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

RESULT=$CLUSTER_TMP/result.tsv
: >"$RESULT"

step "loading $ITEMS items at $SPREAD of $NODES nodes"
sql -c "CREATE DATABASE bench"
export PGDATABASE=bench
sql -c "CREATE EXTENSION routing"
sql -v items="$ITEMS" -v nodes="$NODES" -v spread="$SPREAD" -v customers="$CUSTOMERS" \
	-v layout="$LAYOUT" -f setup.sql
if has native || has bound; then
	load_from=$(date +%s.%N)
	sql -f engine.sql
	load_to=$(date +%s.%N)
	supply_rows=$(sql -At -c "SELECT count(*) FROM bench.stock")
	load_rate=$(awk -v a="$load_from" -v b="$load_to" -v n="$supply_rows" 'BEGIN { printf "%d", n / (b - a) }')
fi
sql -f plain.sql
sql -v items="$ITEMS" -v centers="$CENTERS" -v customers="$CUSTOMERS" -f variants.sql

# one repetition in a backend of its own: warm up, then CPU of the rest
measure() {
	sql -At >>"$RESULT" <<-SQL
		SET synchronous_commit = off;
		CALL bench.run_$1($2);
		SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint AS ns,
			   clock_timestamp() AS at \gset
		CALL bench.run_$1($3);
		SELECT 'cpu', '$1', round((split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint - :ns) / 1000.0 / $3, 2),
			   round((extract(epoch FROM clock_timestamp() - :'at') * 1e6 / $3)::numeric, 2);
	SQL
}

# the real record and event become what FLOOR and GREEDY write
if has native; then
	step "first orders"
	sql -c "SET synchronous_commit = off" -c "CALL bench.run_native($WARM)"
	sql <<-'SQL'
		UPDATE bench.sample
		SET record = (SELECT record FROM routing.decision ORDER BY decision_id DESC LIMIT 1),
			payload = (SELECT payload FROM routing.event WHERE type LIKE 'order.%allocated.v1' ORDER BY seq DESC LIMIT 1),
			events_per_order = (SELECT count(*) FROM routing.event WHERE aggregatetype = 'order')
							   / (SELECT count(*)::numeric FROM routing.sales_order);
	SQL
else
	sql -c "UPDATE bench.sample SET record = convert_to(repeat('x', 300), 'UTF8'), payload = jsonb_build_object('order_id', repeat('x', 400))"
fi
step "vacuum and checkpoint"
sql -c "VACUUM ANALYZE" -c "CHECKPOINT"
# past the first touch of every page after the checkpoint, as far as it goes
for v in $VARIANTS; do
	step "warming up $v"
	sql -c "SET synchronous_commit = off" -c "CALL bench.run_$v($((WARM * 2)))"
done

for rep in $(seq "$REPEAT"); do
	for v in generator unit4 $VARIANTS; do
		step "CPU of $v, repetition $rep of $REPEAT"
		measure "$v" "$WARM" "$ORDERS"
	done
done

threads=$(nproc)
for v in $VARIANTS; do
	for clients in 1 8; do
		for sync in on off; do
			step "throughput of $v, $clients clients, synchronous_commit $sync"
			tps=$(PGOPTIONS="-c synchronous_commit=$sync" pgbench -n -M prepared -c "$clients" \
				-j $((clients < threads ? clients : threads)) -T "$SECS" --max-tries=10 \
				-D items="$ITEMS" -D customers="$CUSTOMERS" -D centers="$CENTERS" -f "$v.pgb" 2>"$CLUSTER_TMP/pgbench.err" |
				awk '/^tps = / { printf "%.0f", $3 }') || { cat "$CLUSTER_TMP/pgbench.err" >&2; exit 1; }
			printf 'tps|%s|%s|%s|%s\n' "$v" "$clients" "$sync" "$tps" >>"$RESULT"
		done
	done
done
step ""

say "routing bench: $NODES nodes ($CENTERS centers, the rest stores), $ITEMS items, each stocked at $SPREAD nodes (layout $LAYOUT)," \
	"$(sql -At -c "SELECT count(*) FROM bench.stock") positions; orders of 3 lines, items uniform over all"
say "way of measuring: plpgsql procedure, order by one INSERT, its lines by one INSERT, COMMIT each order,"
say "  synchronous_commit off, CPU of the backend from /proc/self/schedstat, $ORDERS orders after $WARM to warm up, $REPEAT repetitions"
if has native; then
	say "supply: $supply_rows rows by INSERT ... SELECT, 50,000 a transaction: $load_rate rows/s"
	sql -At <<-'SQL'
		SELECT format('native orders: %s from one node, %s split, %s not complete; %s events an order, decision %s bytes (what FLOOR and GREEDY write: %s)',
			   to_char(100.0 * count(*) FILTER (WHERE nodes = 1 AND st = 'allocated') / count(*), 'FM990.0"%"'),
			   to_char(100.0 * count(*) FILTER (WHERE nodes > 1) / count(*), 'FM990.0"%"'),
			   to_char(100.0 * count(*) FILTER (WHERE st <> 'allocated') / count(*), 'FM990.0"%"'),
			   (SELECT round(events_per_order, 2) FROM bench.sample),
			   (SELECT round(avg(pg_column_size(record))) FROM (SELECT record FROM routing.decision LIMIT 5000) d),
			   (SELECT pg_column_size(record) FROM bench.sample))
		FROM (SELECT o.order_id, o.status AS st, count(DISTINCT r.node) AS nodes
			  FROM (SELECT tenant_id, order_id, status FROM routing.sales_order WHERE binding = ''
					ORDER BY order_id DESC LIMIT 5000) o
			  LEFT JOIN routing.reservation r USING (tenant_id, order_id) GROUP BY 1, 2) x;
	SQL
fi
if has greedy; then
	sql -At <<-'SQL'
		SELECT format('greedy orders: %s from one node, %s split',
			   to_char(100.0 * count(*) FILTER (WHERE nodes = 1) / count(*), 'FM990.0"%"'),
			   to_char(100.0 * count(*) FILTER (WHERE nodes > 1) / count(*), 'FM990.0"%"'))
		FROM (SELECT order_id, count(DISTINCT node) AS nodes FROM b_greedy.reservation
			  WHERE order_id IN (SELECT doc_no FROM b_greedy.so_head ORDER BY doc_no DESC LIMIT 5000) GROUP BY 1) x;
	SQL
fi

awk -F'|' -v order="generator unit4 $VARIANTS" -v strict="${ROUTING_BENCH_STRICT:-0}" -f report.awk "$RESULT" || failed=1
if has native || has bound; then
	bad=$(sql -At -c "SELECT count(*) FROM routing.verify()")
	say ""
	say "verify() after all of it: $bad findings"
	[ "$bad" = 0 ] || failed=1
fi
