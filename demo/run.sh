#!/usr/bin/env bash
# The demo: installs what is missing, builds and installs the extension, starts
# a private throw-away server, makes a distributor's ERP in it, binds its tables
# and enters 5,000 orders one by one; shows what came of them, and what a change
# of the policy does.
#
# KEEP=1 leaves the server running and prints how to connect.
set -eu
. "$(dirname "$0")/../test/lib.sh"
here=$ROOT/demo

if [ "${1:-}" != --in-cluster ]; then
	say "setting up: packages, build, server ..."
	"$ROOT/test/setup.sh"
	build_and_install
	# durable commits and unchecked events, as anybody's server has them
	export KEEP_DATABASE=demo
	exec "$ROOT/test/cluster.sh" run -o fsync=on -o routing.event_validate=off "$here/run.sh" --in-cluster
fi

load_server
sql() { psql -XqAt -v ON_ERROR_STOP=1 -d demo "$@"; }
as_erp() { PGUSER=erp_app sql "$@"; }
since() { awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $1 }"; }

# progress DONE BEGAN: one line that is written over, or a line now and then
progress() {
	local bar
	if [ -t 1 ]; then
		printf -v bar '%*s' $(($1 / 125)) ''
		printf '\rentering orders [%-40s] %d of 5000, %s s' "${bar// /#}" "$1" "$(since "$2")"
	elif [ $(($1 % 1000)) -eq 0 ]; then
		printf 'entering orders: %d of 5000, %s s\n' "$1" "$(since "$2")"
	fi
}

say "making the ERP: 12 distribution centers, 60 stores, 2,000 items, 500 customers ..."
createuser erp_app
createdb demo
sql -c 'CREATE EXTENSION routing' -c 'CREATE SCHEMA erp AUTHORIZATION erp_app'
sql -c "INSERT INTO routing.tenant_member (tenant_id, role) VALUES (1, 'erp_app') ON CONFLICT DO NOTHING"
as_erp -f "$here/erp.sql"

say "reading nodes, lanes, items and customers; binding stock, purchases and orders ..."
sql -f "$here/network.sql"
sql -f "$here/bind.sql" >/dev/null
began=$EPOCHREALTIME
keys=$(sql -c "SELECT routing.sync('stock') + routing.sync('purchases') + routing.sync('orders')")
say "sync took over $keys stock and purchase rows in $(since "$began") s"

# the item whose availability is shown before and after: among the best sellers
item=$(sql -c "SELECT art_no FROM erp.article WHERE seller = 3")
sql -c "CREATE TABLE public.atp_before AS
		SELECT item, node, atp, routing.atp_total(item) AS total FROM routing.availability WHERE item = '$item'"
# statistics of what was loaded; not of the tables that are still empty
sql -c 'VACUUM ANALYZE routing.supply, routing.position, routing.lane, routing.item, erp.stock_level, erp.po_line, erp.article'

# the publication first, then the slot: decoding fails the other way round
sql -c 'SELECT routing.create_publication()' >/dev/null
sql -c "SELECT routing.create_slot('demo_consumer', 'pgoutput')" >/dev/null
# a server that does not allow the output plugin says so
problem=$(sql -c "SELECT routing.create_slot('demo_plugin')" 2>&1 >/dev/null | sed -n 's/^ERROR: *//p' || true)

as_erp -f "$here/orders.sql" >"$CLUSTER_TMP/orders.psql"
began=$EPOCHREALTIME
as_erp -f "$CLUSTER_TMP/orders.psql" | while read -r n; do progress "$n" "$began"; done
took=$(since "$began")
if [ -t 1 ]; then echo; fi

pg_recvlogical -d demo --slot=demo_consumer --start --no-loop -f "$CLUSTER_TMP/events" \
	-o proto_version=1 -o publication_names=routing_events --endpos="$(sql -c 'SELECT pg_current_wal_flush_lsn()')"
if [ -z "$problem" ]; then
	pg_recvlogical -d demo --slot=demo_plugin --start --no-loop -f "$CLUSTER_TMP/cloudevents" \
		-o source=urn:routing:demo --endpos="$(sql -c 'SELECT pg_current_wal_flush_lsn()')"
fi

psql -Xq -v ON_ERROR_STOP=1 -d demo -v took="$took" -v item="$item" -f "$here/page.sql"
psql -Xq -v ON_ERROR_STOP=1 -d demo -f "$here/policy.sql"
echo
echo "EVENTS, as a consumer reads them with pg_recvlogical from a slot on the publication"
"$here/events.pl" "$CLUSTER_TMP/events"
echo "and as CloudEvents from a slot of the output plugin"
if [ -z "$problem" ]; then
	echo "  $(wc -l <"$CLUSTER_TMP/cloudevents") lines; the last two, without the ends of long ones:"
	tail -n 2 "$CLUSTER_TMP/cloudevents" | sed -E 's/^(.{560}).+/\1 .../; s/^/  /'
else
	echo "  this server does not allow it: $problem"
fi
echo "and by SQL, without a slot"
psql -Xq -v ON_ERROR_STOP=1 -d demo -f "$here/consume.sql"
sql -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'demo\\_%'" >/dev/null
echo
psql -Xq -v ON_ERROR_STOP=1 -d demo -f "$here/health.sql"
