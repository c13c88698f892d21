#!/usr/bin/env bash
# Routes the orders of two real ERP sample data sets.  Prints TAP lines.
#
# AdventureWorks (25,162 web orders, 1,566 reseller and online orders) and
# Northwind (830 orders) are loaded into ERP-style tables of their own, owned
# by roles that are no superusers, bound, and every order is inserted the way
# an ERP does it.  The data sets have no warehouses with addresses: the
# warehouses, their coordinates, the zones, the lanes and which part of the
# stock is where are MADE UP by this test; so are the dates, which are moved
# so that every order is placed today.
#
# The data is looked for in $ROUTING_DATA, by default the folder shared/data
# beside the repository; what is not there is skipped.
#
# Runs in the cluster of test/run.sh, or starts one of its own.
set -euo pipefail
if [ -n "${ROUTING_DATA:-}" ]; then
	ROUTING_DATA=$(realpath -m "$ROUTING_DATA")
	export ROUTING_DATA
fi
cd "$(dirname "$0")"
if [ -z "${CLUSTER:-}" ]; then
	exec env KEEP_DATABASE=routing_erp ../cluster.sh run "$PWD/${0##*/}"
fi

DATA=${ROUTING_DATA:-../../../shared/data}
OUT=$CLUSTER_TMP/erp
STARTED=$(date +%s)
mkdir -p "$OUT"

. ../database.sh

# step TITLE psql-options...: passes if psql does
step() {
	local title=$1
	shift
	if sql "$@" >"$OUT/step" 2>&1; then
		grep '^#' "$OUT/step" || true
		result "$title" ""
	else
		result "$title" "$(tail -n 12 "$OUT/step"; echo failed)"
		tap_end
		exit 1
	fi
}

# load_csv SCHEMA FOLDER FILE...: as tables of text columns, named as the file
load_csv() {
	local schema=$1 folder=$2 file columns
	shift 2
	sql -c "CREATE SCHEMA $schema"
	for file; do
		columns=$(gzip -dc "$DATA/$folder/$file.csv.gz" | sed -n '1{s/\r$//;s/,/" text, "/g;p;}')
		sql -c "CREATE TABLE $schema.\"$file\" (\"$columns\" text)"
		gzip -dc "$DATA/$folder/$file.csv.gz" | sql -c "\\copy $schema.\"$file\" FROM STDIN (FORMAT csv, HEADER)"
	done
}

# the last web orders as an import brings them: one transaction, all headers first
copy_batch() {
	cat <<-'SQL'
		SET ROLE aw_erp;
		SELECT clock_timestamp() AS began \gset
		BEGIN;
		COPY aw.web_order (order_number, customer_id, order_date, due_date) FROM STDIN (FORMAT csv);
	SQL
	sql -c "COPY (SELECT order_number, customer_id, order_date, due_date FROM in_aw.web_order
				  WHERE k > 23162 ORDER BY k) TO STDOUT (FORMAT csv)"
	cat <<-'SQL'
		\.
		COPY aw.web_order_line (order_number, line_item, product_number, quantity) FROM STDIN (FORMAT csv);
	SQL
	sql -c "COPY (SELECT l.order_number, line_item, product_number, quantity
				  FROM in_aw.web_line l JOIN in_aw.web_order o USING (order_number)
				  WHERE k > 23162 ORDER BY k, line_item) TO STDOUT (FORMAT csv)"
	cat <<-'SQL'
		\.
		COMMIT;
		INSERT INTO erp_check.took VALUES ('aw_web', 'copy', extract(epoch FROM clock_timestamp() - :'began'));
	SQL
}

# what must hold for a binding of orders
check_orders() {
	# the planner expects one row of views over several bindings
	local b=$1 lines=$2 check_options="-c enable_nestloop=off"
	check "$b: $lines lines in the ERP, each with an answer or pending with a reason, none lost" "
		SELECT 'lines', count(*) FROM erp_check.line WHERE binding = '$b' HAVING count(*) <> $lines
		UNION ALL
		(SELECT coalesce(e.order_id, l.order_id) || ' ' || coalesce(e.item, l.item) || ' '
				|| coalesce(e.quantity::text, 'not in the ERP') || ' ' || coalesce(l.quantity::text, 'not in the engine')
				|| ' ' || coalesce(l.status, ''), 0
		 FROM (SELECT * FROM erp_check.line WHERE binding = '$b') e
		 FULL JOIN (SELECT x.* FROM routing.sales_order_line x JOIN routing.sales_order o USING (tenant_id, order_id)
					WHERE o.binding = '$b' AND o.status <> 'cancelled' AND x.status <> 'cancelled') l
			ON l.order_id = e.order_id AND l.item = e.item
		 WHERE (e.quantity IS DISTINCT FROM l.quantity OR l.status IN ('received', 'blocked') OR l.status IS NULL)
		   AND NOT EXISTS (SELECT FROM routing.pending p WHERE p.binding = '$b' AND p.reason <> ''
						   AND p.key = coalesce(e.order_id, l.order_id))
		 LIMIT 5)"
	check "$b: the lines' status, node and date in the ERP are the engine's" "
		SELECT e.order_id, e.item, e.status, l.status, e.node, l.allocated_node, e.promised_on, l.promised_on
		FROM erp_check.line e JOIN routing.sales_order_line l ON l.order_id = e.order_id AND l.item = e.item
		WHERE e.binding = '$b' AND l.status <> 'cancelled'
		  AND (e.status, e.node, e.promised_on) IS DISTINCT FROM (l.status, l.allocated_node, l.promised_on)
		LIMIT 5"
	check "$b: the orders' status, node and date in the ERP are the engine's" "
		SELECT e.order_id, e.status, o.status, e.node, r.nodes, e.promised_on, l.promised_on
		FROM erp_check.head e
		JOIN routing.sales_order o USING (order_id)
		JOIN (SELECT order_id, max(promised_on) AS promised_on, count(*) FILTER (WHERE promised_on IS NULL) AS open
			  FROM routing.sales_order_line WHERE status <> 'cancelled' GROUP BY 1) l USING (order_id)
		LEFT JOIN (SELECT order_id, array_agg(node) AS nodes FROM routing.reservation
				   WHERE \"to\" IS NULL GROUP BY 1) r USING (order_id)
		WHERE e.binding = '$b' AND o.status <> 'cancelled'
		  AND (e.status IS DISTINCT FROM o.status
			   OR (l.open = 0 AND e.promised_on IS DISTINCT FROM l.promised_on)
			   OR (e.node IS NULL) <> (r.nodes IS NULL)
			   OR e.node <> ALL (r.nodes))
		LIMIT 5"
	check "$b: what is booked for a line and its state agree" "
		SELECT l.order_id, l.line_no, l.status, l.quantity, r.booked
		FROM routing.sales_order_line l JOIN routing.sales_order o USING (tenant_id, order_id)
		LEFT JOIN (SELECT tenant_id, order_id, line_no, sum(quantity) AS booked FROM routing.reservation
				   WHERE \"to\" IS NULL AND state = 'firm' GROUP BY 1, 2, 3) r USING (tenant_id, order_id, line_no)
		WHERE o.binding = '$b'
		  AND (coalesce(booked, 0) > l.quantity
			   OR (l.status IN ('allocated', 'scheduled') AND booked IS DISTINCT FROM l.quantity)
			   OR (l.status LIKE 'partially%' AND booked IS NULL)
			   OR (l.status = 'cancelled' AND booked IS NOT NULL)
			   OR (l.status IN ('backordered', 'partially_allocated', 'partially_scheduled') AND l.reason IS NULL
				   AND coalesce(booked, 0) < l.quantity))
		LIMIT 5"
	check_options=
	check "$b: reconcile() shows nothing but what is pending" "
		SELECT r.* FROM routing.reconcile('$b') r
		WHERE NOT EXISTS (SELECT FROM routing.pending p WHERE p.binding = '$b'
						  AND (r.key = p.key OR r.key LIKE p.key || '/%')) LIMIT 5"
}
check_ledger() {
	check "$1: firm bookings are within supply on every day" "SELECT * FROM overbooked LIMIT 5"
	check "$1: verify() is empty" "SELECT * FROM routing.verify() LIMIT 5"
	check_indexes "$1"
}

# numbers TITLE BINDING SECONDS
numbers() {
	value "
		SELECT format(E'# %s: %s orders, %s lines: %s allocated, %s scheduled, %s backordered, %s partially, %s pending\n'
					  '# %s: split over nodes %s %% of the orders with stock; %s s of the ERP''s own inserts, %s orders/s',
			'$1', (SELECT count(*) FROM erp_check.head WHERE binding = '$2'), count(*),
			count(*) FILTER (WHERE l.status = 'allocated'), count(*) FILTER (WHERE l.status = 'scheduled'),
			count(*) FILTER (WHERE l.status = 'backordered'), count(*) FILTER (WHERE l.status LIKE 'partially%'),
			count(*) FILTER (WHERE EXISTS (SELECT FROM routing.pending p WHERE p.binding = '$2' AND p.key = e.order_id)),
			'$1', (SELECT round(100.0 * count(*) FILTER (WHERE nodes > 1) / nullif(count(*), 0), 1)
				   FROM (SELECT r.order_id, count(DISTINCT r.node) AS nodes
						 FROM routing.reservation r JOIN routing.sales_order o USING (tenant_id, order_id)
						 WHERE o.binding = '$2' AND r.\"to\" IS NULL GROUP BY 1) n),
			round($3::numeric, 1),
			round((SELECT count(*) FROM erp_check.head WHERE binding = '$2') / greatest($3::numeric, 0.001)))
		FROM erp_check.line e
		LEFT JOIN routing.sales_order_line l ON l.order_id = e.order_id AND l.item = e.item AND l.status <> 'cancelled'
		WHERE e.binding = '$2'"
}
seconds_of() { value "SELECT coalesce(sum(seconds), 0) FROM erp_check.took WHERE binding = '$1'"; }

sql -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS routing_erp" -c "DROP ROLE IF EXISTS aw_erp, nw_erp" \
	-c "CREATE DATABASE routing_erp"
export PGDATABASE=routing_erp
sql -c "CREATE EXTENSION routing"
sql -f common.sql
echo "# warehouses, their coordinates, zones, lanes, spread of stock and dates are made up by this test"

if [ -r "$DATA/adventureworks/InternetSalesLine.csv.gz" ]; then
	load_csv in_aw adventureworks Product ProductInventory PurchaseOrderHeader PurchaseOrderDetail Address \
		StateProvince Customer BusinessEntityAddress SalesOrderHeader_subset SalesOrderDetail_subset InternetSalesLine
	step "adventureworks: tables, network, stock" -f adventureworks.sql
	step "adventureworks: bind stock, purchases and orders" -f adventureworks_bind.sql
	step "adventureworks: web orders, each in its transaction" -f adventureworks_web.sql
	copy_batch >"$OUT/copy.sql"
	step "adventureworks: 2,000 web orders by COPY in one transaction" -f "$OUT/copy.sql"
	step "adventureworks: reseller and online orders" -f adventureworks_sales.sql
	check "adventureworks: the file's 25162 web orders and 1566 others are in the ERP" "
		SELECT binding, count(*) FROM erp_check.head WHERE binding LIKE 'aw%' GROUP BY 1
		EXCEPT VALUES ('aw_web', 25162::bigint), ('aw_sales', 1566)"
	check "adventureworks: saving an order again without a change decides nothing anew" "
		SELECT order_id, count(*) FROM routing.decision
		WHERE order_id IN (SELECT order_number FROM aw.entered WHERE how IN ('saved again', 'lines twice'))
		GROUP BY 1 HAVING count(*) > 1 LIMIT 5"
	check "aw_web: only the orders whose file has a line number twice are pending, as such" "
		SELECT key, reason, sqlstate FROM routing.pending
		WHERE binding = 'aw_web' AND (sqlstate <> 'RT007' OR key NOT IN ('SO62019', 'SO72019')) LIMIT 5"
	sql -c "ANALYZE"
	check_orders aw_web 56046
	check_orders aw_sales 5675
	numbers "web orders" aw_web "$(seconds_of aw_web)"
	numbers "reseller and online orders" aw_sales "$(seconds_of aw_sales)"
	value "SELECT '# pending: ' || binding || ' ' || key || ': ' || sqlstate || ' ' || reason FROM routing.pending ORDER BY key"
	step "adventureworks: a clerk renumbers the lines of the pending orders" -f adventureworks_repair.sql
	for b in aw_stock aw_purchases aw_web aw_sales; do
		check "$b: reconcile() is empty" "SELECT * FROM routing.reconcile('$b') LIMIT 5"
	done
	check "adventureworks: nothing is pending any more" "SELECT binding, key, sqlstate, reason FROM routing.pending"
	check_ledger adventureworks
else
	skip adventureworks "no data folder $DATA/adventureworks (set ROUTING_DATA)"
fi

if [ -r "$DATA/northwind/Orders.csv.gz" ]; then
	load_csv in_nw northwind Customers Orders OrderDetails Products
	step "northwind: tables and network, bound while empty, stock by COPY" -f northwind.sql
	step "northwind: orders" -f northwind_orders.sql
	check "northwind: the file's 830 orders are in the ERP" \
		"SELECT count(*) FROM erp_check.head WHERE binding = 'nw_orders' HAVING count(*) <> 830"
	sql -c "ANALYZE"
	check "northwind: saving an order again without a change decides nothing anew" "
		SELECT order_id, count(*) FROM routing.decision
		WHERE order_id IN (SELECT \"OrderID\"::text FROM nw.\"Orders\" WHERE \"OrderID\" % 7 = 0 AND \"OrderID\" % 9 <> 0)
		GROUP BY 1 HAVING count(*) > 1 LIMIT 5"
	check_orders nw_orders 2155
	numbers "northwind" nw_orders "$(seconds_of nw_orders)"
	value "SELECT '# pending: ' || count(*) || ' orders with ' || sqlstate || ' ' || min(reason)
		   FROM routing.pending WHERE binding = 'nw_orders' GROUP BY sqlstate"
	step "northwind: a clerk enters the postal codes that are missing" -f northwind_repair.sql
	check "northwind: nothing is pending any more" "SELECT binding, key, sqlstate, reason FROM routing.pending"
	for b in nw_stock nw_inbound nw_orders; do
		check "$b: reconcile() is empty" "SELECT * FROM routing.reconcile('$b') LIMIT 5"
	done
	check_ledger northwind
else
	skip northwind "no data folder $DATA/northwind (set ROUTING_DATA)"
fi

echo "# took $(($(date +%s) - STARTED)) s"
tap_end
