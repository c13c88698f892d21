#!/usr/bin/env bash
# Events against their schemas, by a validator of somebody else (python3-jsonschema),
# and doc/asyncapi.yaml by @asyncapi/parser.  Prints TAP lines.
#
# The events are those of scenario.sql, which causes every type, and of whatever
# the suites before left in their databases: of each type ROUTING_SCHEMAS_EVENTS
# (200) in each.  Then payloads that are wrong in one place, ROUTING_SCHEMAS_WRONG
# (3000), must be refused by both validators or by neither.
#
# Runs in the cluster of test/run.sh, or starts one of its own.
set -euo pipefail
cd "$(dirname "$0")"
if [ -z "${CLUSTER:-}" ]; then
	exec env KEEP_DATABASE=schemas ../cluster.sh run "$PWD/${0##*/}"
fi

. ../lib.sh
. ../database.sh
. ./python.sh

ASYNCAPI_PARSER=3.6.3
SAMPLE=${ROUTING_SCHEMAS_EVENTS:-200}
WRONG=${ROUTING_SCHEMAS_WRONG:-3000}
OUT=$CLUSTER_TMP/schemas
mkdir -p "$OUT"
export PGDATABASE=schemas

# types that the scenario cannot cause: "type reason" lines, each with its reason
unreached() {
	cat <<-'LIST'
	LIST
}

createdb schemas
result "the scenario runs" "$(psql -Xq -f scenario.sql 2>&1)"
check "the events are a consistent stream" "SELECT * FROM routing.verify()"
check "each type occurs" "
	SELECT type FROM routing.event_type WHERE type <> ALL ('{$(unreached | cut -d' ' -f1 | paste -sd,)}')
	EXCEPT SELECT type FROM routing.event"
check "none occurs that is said to be unreached, or is not in the catalog" "
	SELECT type FROM routing.event WHERE type = ANY ('{$(unreached | cut -d' ' -f1 | paste -sd,)}')
	UNION SELECT e.type FROM routing.event e WHERE NOT EXISTS (SELECT FROM routing.event_type t WHERE t.type = e.type)"
check "the schemaversion that is written is the catalog's last" "
	SELECT DISTINCT e.type, e.schemaversion FROM routing.event e
	WHERE e.schemaversion <> (SELECT max(t.schemaversion) FROM routing.event_type t WHERE t.type = e.type)"
check "an event's aggregate is its type's" "
	SELECT DISTINCT e.type, e.aggregatetype FROM routing.event e
	WHERE NOT EXISTS (SELECT FROM routing.event_type t WHERE t.type = e.type AND t.aggregatetype = e.aggregatetype)"

# npm itself is a package of Debian's; what it installs goes with the cluster
parser() {
	command -v npm >/dev/null ||
		as_root env DEBIAN_FRONTEND=noninteractive timeout 300 apt-get -qy install --no-install-recommends npm ||
		return 1
	timeout 300 npm install --prefix "$OUT" --no-audit --no-fund --silent "@asyncapi/parser@$ASYNCAPI_PARSER"
}
document="doc/asyncapi.yaml is valid, so are its examples"
if ! parser >"$OUT/npm.log" 2>&1 </dev/null; then
	skip "$document" "@asyncapi/parser could not be installed from npm"
elif ! node asyncapi.cjs "$OUT" ../../doc/asyncapi.yaml >"$OUT/asyncapi" 2>"$OUT/asyncapi.about"; then
	result "$document" "$(tail -n 5 "$OUT/asyncapi.about")"
else
	cat "$OUT/asyncapi.about"
	result "$document" "$(head -n 20 "$OUT/asyncapi")"
fi

if [ -z "$PYTHON" ]; then
	skip "schemas and payloads by an independent validator" "python3-jsonschema is not installed"
	tap_end
	exit
fi

# rows as JSON, one per line
lines() { psql -XAtq -d "$1" -c "$2"; }

lines schemas "SELECT jsonb_build_object('type', type, 'schemaversion', schemaversion, 'schema', json_schema)
			   FROM routing.event_type ORDER BY type, schemaversion" >"$OUT/catalog"
result "each schema is one of JSON Schema 2020-12" "$("$PYTHON" validate.py schemas "$OUT/catalog" 2>&1 || true)"

: >"$OUT/events"
while read -r database; do
	rows=
	for table in routing.event public.kept_event; do
		if [ "$(psql -XAtq -d "$database" -c "SELECT to_regclass('$table') IS NOT NULL")" = t ]; then
			rows="$rows${rows:+ UNION ALL }SELECT type, schemaversion, payload FROM $table"
		fi
	done
	[ -n "$rows" ] || continue
	lines "$database" "
		SELECT jsonb_build_object('database', current_database(), 'type', type, 'schemaversion', schemaversion, 'payload', payload)
		FROM (SELECT *, row_number() OVER (PARTITION BY type, schemaversion ORDER BY md5(payload::text)) AS n
			  FROM ($rows) r) e WHERE n <= $SAMPLE" >>"$OUT/events"
done < <(lines postgres "SELECT datname FROM pg_database WHERE datallowconn AND datname <> 'template1' ORDER BY 1")
echo "# $("$PYTHON" validate.py count "$OUT/events")"
result "each payload is valid" "$("$PYTHON" validate.py events "$OUT/catalog" "$OUT/events" 2>&1 | head -n 20 || true)"

"$PYTHON" validate.py wrong "$OUT/catalog" "$OUT/events" "$WRONG" >"$OUT/wrong.csv"
psql -Xq -c "CREATE TABLE wrong (type text, schemaversion int, payload jsonb, valid boolean)" \
	-c "\\copy wrong FROM '$OUT/wrong.csv' (FORMAT csv)"
check "both validators agree on payloads with something wrong" "
	SELECT type, valid, p, payload FROM wrong, LATERAL routing.event_problem(type, payload, schemaversion) p
	WHERE valid IS DISTINCT FROM (p IS NULL)"
check "many of them are wrong, of each type some" "
	SELECT t.type FROM routing.event_type t LEFT JOIN wrong w ON w.type = t.type AND NOT w.valid GROUP BY 1 HAVING count(w.type) < 5"
tap_end
