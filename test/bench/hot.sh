# One hot item against items drawn uniformly, until its last unit is promised,
# and the same for a launch item of which all is inbound.  Sourced by run.sh.
#
# Orders of one line and 1 to 3 units, 32 clients, synchronous commit, prepared
# protocol, each isolation level.  The hot item is at one node; its stock is
# sized after a short trial so that it lasts about ROUTING_BENCH_HOT_SECONDS,
# and the clients want a tenth more than there is.  Its rate is taken from the
# first to the last booking.  The uniform items are at one node each and last.
#
#   ROUTING_BENCH_HOT_SECONDS [12]     ROUTING_BENCH_CLIENTS [32]
#   ROUTING_BENCH_HOT_ITEMS [10000]    items of the uniform run
#   ROUTING_BENCH_LEVELS [read committed, repeatable read, serializable], with commas
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_HOT_SECONDS:=2}" "${ROUTING_BENCH_HOT_ITEMS:=1000}"
fi
HOT_SECONDS=${ROUTING_BENCH_HOT_SECONDS:-12}
HOT_ITEMS=${ROUTING_BENCH_HOT_ITEMS:-10000}
CLIENTS=${ROUTING_BENCH_CLIENTS:-32}
LEVELS=${ROUTING_BENCH_LEVELS:-read committed,repeatable read,serializable}

sql -c "CREATE DATABASE bench_hot"
export PGDATABASE=bench_hot
sql -f network.sql
sql -c "INSERT INTO routing.item (item, weight_kg) SELECT 'U' || n, 1 FROM generate_series(1, $HOT_ITEMS) n" \
	-c "SET routing.settle_timeout = '10min'" \
	-c "INSERT INTO routing.supply (item, node, quantity)
		SELECT 'U' || n, 'N' || 101 + n % 50, 100000 FROM generate_series(1, $HOT_ITEMS) n" \
	-c "VACUUM ANALYZE"

# clients PREFIX ITEM ITEMS LEVEL pgbench-options...: runs them, sets done, tps, retries
clients() {
	local prefix=$1 item=$2 items=$3 level=$4
	shift 4
	PGOPTIONS="-c default_transaction_isolation=${level// /\\ } -c synchronous_commit=on" pgbench -n -M prepared \
		-c "$CLIENTS" -j "$(nproc)" --max-tries=1000 --failures-detailed -D prefix="$prefix" -D item="$item" -D items="$items" \
		"$@" -f hot.pgb >"$CLUSTER_TMP/hot.out" 2>"$CLUSTER_TMP/hot.err" ||
		{ tail -n 5 "$CLUSTER_TMP/hot.err"; failed=1; }
	read -r done tps retries <<<"$(awk '
		/^number of transactions actually processed/ { sub("/.*", "", $6); n = $6 }
		/^total number of retries/ { retries = $5 }
		/^tps = / { tps = $3 }
		END { printf "%d %.0f %d", n, tps, retries }' "$CLUSTER_TMP/hot.out")"
}
percent() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? 100 * a / b : 0 }'; }

# until_sold_out NAME KIND LEVEL UNIFORM: KIND is how its units come, on_hand or purchase
until_sold_out() {
	local name=$1 kind=$2 level=$3 uniform=$4 units trial each
	local day="'-infinity'" ref="''"
	if [ "$kind" = purchase ]; then day="current_date + 5" ref="'PO'"; fi
	sql -c "INSERT INTO routing.item (item, weight_kg) VALUES ('$name.T1', 1), ('$name.1', 1)" \
		-c "INSERT INTO routing.supply (item, node, ref, kind, available_on, quantity)
			VALUES ('$name.T1', 'N101', $ref, '$kind', $day, 100000000)"
	step "trial of $name, $level"
	clients "$name.T" "$name.T" 1 "$level" -T $((HOT_SECONDS / 4 + 1))
	trial=$tps
	units=$((trial * 2 * HOT_SECONDS))
	each=$((units * 11 / 10 / 2 / CLIENTS + 1))
	sql -c "INSERT INTO routing.supply (item, node, ref, kind, available_on, quantity)
			VALUES ('$name.1', 'N101', $ref, '$kind', $day, $units)" -c "CHECKPOINT"
	step "$units units of $name, $level"
	clients "$name.S" "$name." 1 "$level" -t "$each"
	# the rate, what was sold, and who was sent away before the last unit was sold
	read -r sold rate early lines seconds <<<"$(value "
		WITH sale AS (
			SELECT order_id, sum(quantity) AS quantity, min(\"from\") AS at FROM routing.reservation
			WHERE item = '$name.1' AND \"to\" IS NULL AND state = 'firm' GROUP BY 1),
		span AS (SELECT min(at) AS first, max(at) AS last, count(*) AS n, sum(quantity) AS sold FROM sale)
		SELECT format('%s %s %s %s %s', trim_scale(coalesce(s.sold, 0)),
			round(s.n / greatest(extract(epoch FROM s.last - s.first), 0.001)),
			(SELECT count(*) FROM routing.sales_order_line l
				JOIN routing.sales_order o ON o.order_id = l.order_id JOIN routing.decision d ON d.decision_id = o.decision_id
				LEFT JOIN sale b ON b.order_id = l.order_id
			 WHERE l.item = '$name.1' AND l.quantity > coalesce(b.quantity, 0)
			   AND d.decided_at < s.last - interval '1 second'),
			(SELECT count(*) FROM routing.sales_order_line WHERE item = '$name.1'),
			round(extract(epoch FROM s.last - s.first), 1))
		FROM span s")"
	say ""
	say "$name, $level: $units units, $lines orders; sold out in $seconds s at $rate orders/s (trial $trial/s); uniform $uniform/s"
	goal "rate, hot / uniform" "$(awk -v a="$rate" -v b="$uniform" 'BEGIN { printf "%.2f", b ? a / b : 0 }')" ">=" 0.8
	must "units promised" "$sold" "$units"
	must "still offered" "$(value "SELECT routing.atp('$name.1', 'N101', current_date + 30)")" 0
	must "sent away a second or more before the last unit went" "$early" 0
	must "transactions that did not end well" "$((each * CLIENTS - done))" 0
	if [ "$level" = "repeatable read" ]; then
		goal "tries that failed with 40001 or 40P01, per cent" "$(percent "$retries" $((done + retries)))" "<=" 1
	else
		say "  tries that failed with 40001 or 40P01, per cent      $(percent "$retries" $((done + retries)))"
	fi
}

say "$CLIENTS clients, synchronous_commit on, orders of 1 line with 1 to 3 units, node and items as hot.sh says"
IFS=, read -r -a levels <<<"$LEVELS"
for level in "${levels[@]}"; do
	short=${level// /_}
	step "uniform, $level"
	clients "U$short" U "$HOT_ITEMS" "$level" -T $((HOT_SECONDS / 2 + 1))
	uniform=$tps
	say ""
	say "$HOT_ITEMS items, $level: $tps orders/s, $(percent "$retries" $((done + retries))) per cent of tries failed"
	until_sold_out "hot.$short" on_hand "$level" "$uniform"
	until_sold_out "launch.$short" purchase "$level" "$uniform"
done
step ""
must "findings of verify()" "$(value "SELECT count(*) FROM routing.verify()")" 0
