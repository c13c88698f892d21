#!/usr/bin/env bash
# make bench: the measurements, each a part that can run alone, in one server
# of their own.
#
#   route    what routing an order costs                          route.sh
#   hot      one item against many, 32 clients, to the last unit  hot.sh
#   capacity a busy node with a capacity against without         capacity.sh
#   lookup   atp() against a bare look-up, atp_table()            lookup.sh
#   scale    10 million supply rows against 10 thousand           scale.sh
#   search   the plan search by lines and nodes, without a server search.sh
#   nodes    what routing an order costs with 10 to 1,000 nodes   nodes.sh
#   events   events decoded a second, against other plugins       events.sh
#   cost     what an order's events cost of its CPU               cost.sh
#   lag      from an order's commit to a consumer of its events   lag.sh
#
#   ROUTING_BENCH_ONLY="hot scale"   these parts
#   ROUTING_BENCH_SCALE=smoke        a quick run of small sizes
#   ROUTING_BENCH_STRICT=1           fail if a goal is missed
# Further sizes: at the head of each part.
set -euo pipefail
cd "$(dirname "$0")"

if [ "${1:-}" != --in-cluster ]; then
	# the positions of 10 million supply rows and their index fit into 6 GB
	memory=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
	buffers=$((memory >= 16 ? 6 : 2))GB
	exec env KEEP_DATABASE=bench ../cluster.sh run -o shared_buffers=$buffers -o max_wal_size=24GB \
		-o checkpoint_timeout=1h -o fsync=on -o routing.event_validate=off "$PWD/${0##*/}" --in-cluster
fi

STARTED=$(date +%s)
failed=0

say() { printf '%s\n' "$*"; }
step() { [ -t 2 ] && printf '\r%-70s' "$*" >&2 || true; }
sql() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
value() { sql -At -c "$1"; }
# goal LABEL VALUE OPERATOR GOAL: a line of the page; a missed one counts if strict
goal() {
	local verdict=missed
	if awk -v a="$2" -v b="$4" -v op="$3" 'BEGIN { exit !(op == ">=" ? a + 0 >= b : a + 0 <= b) }'; then
		verdict=met
	elif [ "${ROUTING_BENCH_STRICT:-0}" = 1 ]; then
		failed=1
	fi
	printf '  %-52s %8s   goal %s %s: %s\n' "$1" "$2" "$3" "$4" "$verdict"
}
# must LABEL FOUND EXPECTED: what is no matter of speed
must() {
	local verdict=as\ it\ must\ be
	if [ "$2" != "$3" ]; then
		verdict="WRONG, must be $3"
		failed=1
	fi
	printf '  %-52s %8s   %s\n' "$1" "$2" "$verdict"
}

say "server: PostgreSQL $(value "SHOW server_version"), $(nproc) CPUs, shared_buffers $(value "SHOW shared_buffers"), fsync on," \
	"wal_level logical, keys COLLATE \"C\"; load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
for part in ${ROUTING_BENCH_ONLY:-search route nodes hot capacity lookup events cost lag scale}; do
	[ -e "$part.sh" ] || { say "there is no part $part"; exit 1; }
	say ""
	say "== $part"
	PGDATABASE=postgres
	. "./$part.sh"
done
say "took $(($(date +%s) - STARTED)) s"
exit "$failed"
