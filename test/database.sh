# Sourced by the scripts that check a database: PGHOST and the like point to it.
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"

sql() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
value() { sql -At -c "$1"; }

# check TITLE QUERY: passes if the query returns no row, else shows some;
# check_options are those of its session
check() {
	local rows
	if ! rows=$(PGOPTIONS=${check_options:-} sql -At -F ' | ' -c "$2" 2>&1); then rows=${rows:-failed}; fi
	result "$1" "$(head -n 10 <<<"$rows")"
}

# every row of our tables is in every index of its table (amcheck, where it is installed)
check_indexes() {
	if [ "$(value "SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'")" = 0 ]; then
		skip "$1: indexes" "amcheck is not installed"
		return
	fi
	sql -c "SET client_min_messages = warning" -c "CREATE EXTENSION IF NOT EXISTS amcheck"
	# the function returns nothing: a defect is an error, which fails the check
	check "$1: every row is in the indexes of its table" "
		WITH ours AS MATERIALIZED (SELECT oid FROM pg_class
								   WHERE relnamespace = 'routing'::regnamespace AND relkind = 'i')
		SELECT oid::regclass FROM ours WHERE bt_index_check(oid, true) IS NULL"
}
