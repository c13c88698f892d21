#!/usr/bin/env bash
# Writes what is generated from the catalog of event types, routing.event_type:
# the chapter "The types" of doc/events.md and doc/asyncapi.yaml.  The examples
# are events of test/schemas/scenario.sql.
#
#   tools/event_docs.sh           writes them
#   tools/event_docs.sh check     prints TAP lines: whether they are as they would be written
#
# Runs in the cluster of test/run.sh, or builds and installs the extension and
# starts one of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
verb=${1:-write}
if [ -z "${CLUSTER:-}" ]; then
	. test/lib.sh
	test/setup.sh
	build_and_install
	exec env KEEP_DATABASE=event_docs test/cluster.sh run "tools/${0##*/}" "$verb"
fi
. test/database.sh
export PGDATABASE=event_docs

createdb event_docs
psql -Xq -f test/schemas/scenario.sql
catalog=$CLUSTER_TMP/event_catalog
psql -XAtq >"$catalog" <<'SQL'
SELECT jsonb_build_object(
	'version', (SELECT extversion FROM pg_extension WHERE extname = 'routing'),
	'types', jsonb_agg(jsonb_build_object('type', t.type, 'schemaversion', t.schemaversion, 'aggregatetype', t.aggregatetype,
		'status', t.status, 'since', t.since, 'replaced_by', t.replaced_by, 'description', t.description, 'schema', t.json_schema,
		'example', (SELECT jsonb_build_object('payload', e.payload, 'aggregateid', e.aggregateid, 'aggregateversion', e.aggregateversion)
					FROM routing.event e WHERE e.type = t.type ORDER BY e.seq LIMIT 1))
		ORDER BY array_position('{order,promise,inventory}', t.aggregatetype), t.aggregatetype, t.type))
FROM routing.event_type t
WHERE t.schemaversion = (SELECT max(l.schemaversion) FROM routing.event_type l WHERE l.type = t.type);
SQL
dropdb event_docs

case $verb in
	write)
		python3 tools/event_docs.py "$catalog" doc/events.md doc/asyncapi.yaml
		;;
	check)
		made=$CLUSTER_TMP/event_docs
		mkdir -p "$made"
		cp doc/events.md "$made"
		python3 tools/event_docs.py "$catalog" "$made/events.md" "$made/asyncapi.yaml"
		for f in events.md asyncapi.yaml; do
			result "doc/$f is what the catalog says (else: make docs)" "$(diff -u "doc/$f" "$made/$f" | head -n 40)"
		done
		tap_end
		;;
	*)
		echo "usage: $0 [check]" >&2
		exit 2
		;;
esac
