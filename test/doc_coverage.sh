#!/usr/bin/env bash
# What the server knows against what doc/reference.md says; prints TAP lines.
#
#   test/doc_coverage.sh [DATABASE]
#
# PGHOST and the like point to a server; DATABASE (or PGDATABASE) has the
# extension.  Every function of the schema has a comment, and every function,
# table, view and setting is mentioned in doc/reference.md, every SQLSTATE of
# ours in its table of errors.  Ends non-zero if one is not.
set -u
# the last command of a pipe is check(), which counts
shopt -s lastpipe
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/test/tap.sh"
reference=$root/doc/reference.md
database=${1:-${PGDATABASE:-postgres}}

query() { psql -XAtq -v ON_ERROR_STOP=1 -d "$database" -c "$1"; }

# check TITLE: passes if standard input is empty, else shows it
check() { result "$1" "$(cat)"; }

# missing BEFORE AFTER: names on standard input that the page does not have
# between the two (extended regular expressions)
missing() {
	local name
	while read -r name; do
		grep -qE -- "$1$name$2" "$reference" || echo "$name"
	done
}

if [ ! -r "$reference" ]; then
	echo "Bail out! $reference is missing"
	exit 1
fi
# one answer for all: without it the lists would be empty and pass
functions=$(query "SELECT DISTINCT p.proname FROM pg_proc p
	WHERE p.pronamespace = 'routing'::regnamespace ORDER BY 1") || {
	echo "Bail out! database \"$database\" has no extension routing, or no server answers"
	exit 1
}
relations=$(query "SELECT c.relname FROM pg_class c
	WHERE c.relnamespace = 'routing'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT c.relispartition
	ORDER BY 1") || exit 1
# the library defines its settings when it is loaded
settings=$(psql -XAtq -v ON_ERROR_STOP=1 -d "$database" -c "SELECT routing.library_version()" \
	-c "SELECT name FROM pg_settings WHERE name LIKE 'routing.%' ORDER BY 1" | grep '^routing\.') || settings=

query "SELECT p.oid::regprocedure FROM pg_proc p
	WHERE p.pronamespace = 'routing'::regnamespace
	  AND coalesce(obj_description(p.oid, 'pg_proc'), '') = '' ORDER BY 1" |
	check "every function of the schema has a comment"

query "SELECT c.relname FROM pg_class c
	WHERE c.relnamespace = 'routing'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
	  AND coalesce(obj_description(c.oid, 'pg_class'), '') = '' ORDER BY 1" |
	check "every table and view of the schema has a comment"

printf '%s\n' "$functions" | missing '(^|[^a-z_])' '\(' | check "every function is in doc/reference.md"
printf '%s\n' "$relations" | missing '`(routing\.)?' '(`| \()' | check "every table, view and sequence is in doc/reference.md"

{
	[ -n "$settings" ] || echo "the library defines no settings"
	for name in $settings; do echo "$name"; done | missing '`' '`'
} | check "every setting is in doc/reference.md"

# RT_CODE('0', '1', '2') in the sources, ERRCODE = 'RT012' in the SQL
{
	sed -n "s/.*RT_CODE('\([0-9]\)', '\([0-9]\)', '\([0-9]\)').*/RT\1\2\3/p" "$root/src/base/errors.h"
	grep -hoE "ERRCODE = 'RT[0-9]{3}'" "$root"/sql/parts/*.sql | grep -oE 'RT[0-9]{3}'
} | sort -u | while read -r code; do
	grep -q "^| $code |" "$reference" || echo "$code"
done | check "every SQLSTATE is in the table of errors of doc/reference.md"

tap_end
