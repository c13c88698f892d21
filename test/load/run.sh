#!/usr/bin/env bash
# Many sessions want few units.  Prints TAP lines.
#
# Phase 1, orders only: 16 clients (12 at READ COMMITTED, 2 at REPEATABLE
# READ, 2 at SERIALIZABLE) insert more orders than there is stock for; at the
# end exactly what was available must be promised.  Phase 2 mixes in orders
# routed and rolled back, savepoints rolled back, cancellations, receipts and
# stock corrections.  All the time a session takes samples: in one snapshot,
# for no item-node and day may the firm bookings exceed the supply.
#
# Runs in the cluster of test/run.sh, or starts one of its own.
#   ROUTING_LOAD_ORDERS  [20800]  orders of phase 1
#   ROUTING_LOAD_SECONDS [15]     length of phase 2
set -euo pipefail
cd "$(dirname "$0")"
if [ -z "${CLUSTER:-}" ]; then
	exec env KEEP_DATABASE=routing_load ../cluster.sh run "$PWD/${0##*/}"
fi

ORDERS=${ROUTING_LOAD_ORDERS:-20800}
SECONDS2=${ROUTING_LOAD_SECONDS:-15}
ITEMS=20
NODES=3
OUT=$CLUSTER_TMP/load
STARTED=$(date +%s)
mkdir -p "$OUT"

. ../database.sh

# same TITLE EXPECTED ACTUAL
same() {
	local found=
	[ "$2" = "$3" ] || found="expected $2, got $3"
	result "$1" "$found"
}

sql -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS routing_load" -c "CREATE DATABASE routing_load"
export PGDATABASE=routing_load
sql -c "CREATE EXTENSION routing" -c "SET client_min_messages = warning"
# a unit left at the end of phase 1 would be an error: demand is about 1.5 times the supply
sql -v items=$ITEMS -v nodes=$NODES -v supply=$((ORDERS * 4 * 2 / 3 / ITEMS / NODES)) -f setup.sql

sampler=
children=()
finish() {
	local rc=$? pid
	trap - EXIT
	for pid in $sampler "${children[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	exit "$rc"
}
trap finish EXIT

start_sampler() {
	sql -c "UPDATE load.control SET stop = false" -c "DELETE FROM load.sample"
	sql -c "CALL load.sample_until_stopped()" >"$OUT/sampler" 2>&1 &
	sampler=$!
}
stop_sampler() {
	sql -c "UPDATE load.control SET stop = true"
	wait "$sampler" || cat "$OUT/sampler"
	sampler=
}

# bench NAME ISOLATION CLIENTS pgbench-options...: in the background
bench() {
	local name=$1 isolation=$2 clients=$3
	shift 3
	PGOPTIONS="-c default_transaction_isolation=${isolation// /\\ }" PGAPPNAME=$name \
		pgbench -n -M prepared -c "$clients" -j 1 --max-tries=1000 -D items=$ITEMS -D nodes=$NODES "$@" \
		>"$OUT/$name" 2>&1 &
	children+=($!)
}
wait_all() {
	local pid failed=0
	for pid in "${children[@]}"; do
		wait "$pid" || failed=$((failed + 1))
	done
	children=()
	return "$failed"
}
figures() {	# of one pgbench: processed, retried share, failed
	awk -v name="$1" '
		/^number of transactions actually processed/ { sub("/.*", "", $6); n = $6 }
		/^number of failed transactions/ { failed = $5 }
		/^number of transactions retried/ { retried = $5 }
		/^total number of retries/ { retries = $5 }
		/^tps = / { tps = $3 }
		END { printf "# %-16s %d transactions, %d/s, %.2f %% of them retried (%d retries), %d failed\n",
			  name, n, tps, n ? 100 * retried / n : 0, retries, failed }' "$OUT/$1"
}
report() {	# names: figures, and the messages of a client that gave up
	local name
	for name; do
		figures "$name"
		grep -E 'ERROR|aborted|FATAL' "$OUT/$name" | sort | uniq -c | head -n 5 | sed 's/^/#   /' || true
	done
}

#
# Phase 1
#
start_sampler
from=$(date +%s.%N)
bench read_committed "read committed" 12 -t $((ORDERS / 16)) -f order.pgb
bench repeatable_read "repeatable read" 2 -t $((ORDERS / 16)) -f order.pgb
bench serializable "serializable" 2 -t $((ORDERS / 16)) -f order.pgb
failed=0
wait_all || failed=$?
to=$(date +%s.%N)
stop_sampler
echo "# phase 1: 16 clients, $ITEMS items at $NODES nodes, orders of 1 to 3 lines"
report read_committed repeatable_read serializable
same "phase 1: every client ended well" 0 "$failed"
same "phase 1: all orders are there" $((ORDERS / 16 * 16)) "$(value "SELECT count(*) FROM routing.sales_order")"
. ./check.sh
check "phase 1: the samples saw firm bookings within supply, for every day" \
	"SELECT * FROM load.sample WHERE below_zero > 0 LIMIT 5"
check "phase 1: at least 10 samples while stock was being promised" \
	"SELECT count(*) FROM load.sample WHERE promised > 0 HAVING count(*) < 10"
check_books "phase 1"
# an order whose place in a queue could not be entered, because others held the position, is left to the jobs
check "phase 1: only places in a queue are pending" \
	"SELECT * FROM routing.pending WHERE concept <> 'orders' OR sqlstate <> '55P03' OR reason NOT LIKE 'its place in a queue%' LIMIT 5"
check "phase 1: hardly any of them" "SELECT count(*) FROM routing.pending HAVING count(*) > 20"
sql -c "SELECT routing.run_jobs()" >/dev/null
check "phase 1: nothing is pending after the jobs have run" "SELECT * FROM routing.pending LIMIT 5"
check "phase 1: no line waits while a unit is left" "
	SELECT s.item, s.supply, coalesce(b.promised, 0) AS promised, w.waiting
	FROM (SELECT item, sum(quantity) AS supply FROM routing.supply GROUP BY item) s
	LEFT JOIN (SELECT item, sum(quantity) AS promised FROM routing.reservation
			   WHERE \"to\" IS NULL AND state = 'firm' GROUP BY item) b USING (item)
	LEFT JOIN (SELECT item, sum(open) AS waiting FROM load.line_account WHERE open > 0 GROUP BY item) w USING (item)
	WHERE coalesce(b.promised, 0) > s.supply OR (w.waiting > 0 AND coalesce(b.promised, 0) < s.supply)"
check "phase 1: the demand was larger than the supply of every item" "
	SELECT item FROM routing.supply GROUP BY item
	HAVING sum(quantity) >= (SELECT sum(l.quantity) FROM routing.sales_order_line l WHERE l.item = supply.item)"
check "phase 1: nothing is offered any more" "SELECT item, node, atp FROM routing.availability WHERE atp <> 0"
value "SELECT format('# phase 1: %s orders, %s lines; %s of %s units promised, %s waiting; %s samples; %s orders/s',
	   (SELECT count(*) FROM routing.sales_order), (SELECT count(*) FROM routing.sales_order_line),
	   (SELECT sum(quantity) FROM routing.reservation WHERE \"to\" IS NULL AND state = 'firm'),
	   (SELECT sum(quantity) FROM routing.supply), (SELECT sum(open) FROM load.line_account),
	   (SELECT count(*) FROM load.sample), round($ORDERS / ($to - $from)))"

#
# Phase 2
#
start_sampler
mix=(-T "$SECONDS2" -D orders="$ORDERS" -f order.pgb@8 -f rollback.pgb@2 -f savepoint.pgb@2 -f cancel.pgb@4 -f receipt.pgb@3
	-f correction.pgb@1)
bench mixed_committed "read committed" 12 "${mix[@]}"
bench mixed_repeatable "repeatable read" 2 "${mix[@]}"
bench mixed_serializable "serializable" 2 "${mix[@]}"
failed=0
wait_all || failed=$?
stop_sampler
echo "# phase 2: orders, rollbacks, savepoints, cancellations, receipts, corrections"
report mixed_committed mixed_repeatable mixed_serializable
same "phase 2: every client ended well" 0 "$failed"
check "phase 2: the samples saw firm bookings within supply, for every day" \
	"SELECT * FROM load.sample WHERE below_zero > 0 LIMIT 5"
check "phase 2: at least 10 samples" "SELECT count(*) FROM load.sample HAVING count(*) < 10"
check "phase 2: what was rolled back left nothing" "
	SELECT order_id FROM routing.sales_order WHERE order_id LIKE 'R%'
	UNION ALL SELECT order_id FROM routing.reservation WHERE order_id LIKE 'R%'
	UNION ALL SELECT order_id FROM routing.decision WHERE order_id LIKE 'R%'
	UNION ALL SELECT aggregateid FROM routing.event WHERE aggregateid LIKE 'R%'"
check "phase 2: a cancelled order holds nothing" "
	SELECT o.order_id FROM routing.sales_order o JOIN routing.reservation r USING (tenant_id, order_id)
	WHERE o.status = 'cancelled' AND r.\"to\" IS NULL"
check_books "phase 2"
check "phase 2: versions of each order's events have no gap" "
	SELECT aggregateid FROM routing.event WHERE aggregatetype = 'order'
	GROUP BY aggregateid HAVING count(*) <> max(aggregateversion) OR count(DISTINCT aggregateversion) <> count(*)"
# orders that lost supply, or for which supply came, while somebody held them or their positions, or beyond what one
# settlement does, are left to the jobs
check "phase 2: only orders that lost or may get supply are pending" \
	"SELECT * FROM routing.pending WHERE concept <> 'orders' OR sqlstate NOT IN ('55P03', '00000') LIMIT 5"
sql -c "SELECT routing.run_jobs()" >/dev/null
check "phase 2: nothing is pending after the jobs have run" "SELECT * FROM routing.pending LIMIT 5"
check_lines "phase 2, after the jobs"
check "phase 2: verify() is empty after the jobs have run" "SELECT * FROM routing.verify()"
# no goods issue came for the stock that fell: an hour later, what it was to serve is lost
sql -c "SET routing.clock_offset = 3600" -c "SELECT routing.run_jobs()" >/dev/null
check "phase 2, after the grace time: nothing is at risk" \
	"SELECT order_id, line_no, quantity FROM routing.reservation WHERE \"to\" IS NULL AND state = 'at_risk' LIMIT 5"
for i in 1 2 3; do sql -c "SELECT routing.run_jobs()" >/dev/null; done
check "phase 2, after the grace time: nothing is pending" "SELECT * FROM routing.pending LIMIT 5"
check_books "phase 2, after the grace time"
value "SELECT format('# phase 2: %s orders, %s cancelled, %s units uncovered; %s samples',
	   (SELECT count(*) FROM routing.sales_order), (SELECT count(*) FROM routing.sales_order WHERE status = 'cancelled'),
	   (SELECT coalesce(sum(quantity), 0) FROM routing.reservation WHERE \"to\" IS NULL AND state = 'uncovered'),
	   (SELECT count(*) FROM load.sample))"
echo "# took $(($(date +%s) - STARTED)) s"
tap_end
