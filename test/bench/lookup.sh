# What atp() costs against a bare look-up of the same row by the same index,
# and how many item-nodes a second availability as a relation yields on one
# core.  CPU time of the backend.  Sourced by run.sh.
#
#   ROUTING_BENCH_LOOKUP_ITEMS [20000]    items, each at 10 nodes
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then : "${ROUTING_BENCH_LOOKUP_ITEMS:=2000}"; fi
LOOKUP_ITEMS=${ROUTING_BENCH_LOOKUP_ITEMS:-20000}

step "loading $LOOKUP_ITEMS items"
sql -c "CREATE DATABASE bench_lookup"
export PGDATABASE=bench_lookup
sql -f network.sql
sql -v items="$LOOKUP_ITEMS" -f lookup.sql

# medians of five, after one to warm up, all of them in one backend by turns
lookups() {
	sql -At -F ' ' <<-'SQL'
		CREATE TEMP TABLE result (way text, what text, us numeric);
		SELECT format('INSERT INTO result SELECT %L, %L, bench.%s(%L)', v.way, v.what, v.way, v.what)
		FROM generate_series(1, 6), (VALUES ('statements', 'nothing'), ('statements', 'atp'), ('statements', 'row'),
			('statements', 'atp as an expression'), ('joined', 'nothing'), ('joined', 'atp'), ('joined', 'row')) v (way, what)
		\gexec
		WITH median AS (
			SELECT way, what, percentile_cont(0.5) WITHIN GROUP (ORDER BY us) AS us FROM result GROUP BY 1, 2)
		SELECT m.way, translate(m.what, ' ', '_'), round((m.us - n.us)::numeric, 2)
		FROM median m JOIN median n ON n.way = m.way AND n.what = 'nothing' WHERE m.what <> 'nothing';
	SQL
}
declare -A us
step "look-ups"
while read -r way what cost; do us[$way,$what]=$cost; done <<<"$(lookups)"
by() { awk -v a="${us[$1]}" -v b="${us[$2]}" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'; }

say "$(value "SELECT count(*) FROM routing.position") positions in memory, random ones of them; microseconds of CPU each, the loop taken off"
say "  a statement each from PL/pgSQL (a saved plan through SPI): SELECT routing.atp(item, node)           ${us[statements,atp]}"
say "    against SELECT timeline FROM routing.position WHERE the whole primary key, the same index         ${us[statements,row]}"
say "  the same call as an expression of PL/pgSQL, without a statement                                     ${us[statements,atp_as_an_expression]}"
say "  in one statement over all keys: a call for each row                                                 ${us[joined,atp]}"
say "    against a nested loop with an index scan of the primary key                                       ${us[joined,row]}"
goal "atp() / look-up, a statement each" "$(by statements,atp statements,row)" "<=" 1.5
say "  atp() / look-up, in one statement                        $(by joined,atp joined,row)"

# per_second QUERY: rows a second of CPU, the best of three
per_second() {
	sql -At <<-SQL | sort -n | tail -n 1
		SET max_parallel_workers_per_gather = 0;
		$(for _ in 1 2 3; do
			echo "SELECT bench.cpu() AS began \\gset"
			echo "SELECT count(*) AS n FROM ($1) x \\gset"
			echo "SELECT round(:n / (bench.cpu() - :began) * 1000000);"
		done)
	SQL
}
step "relations"
if [ "$(value "SELECT count(*) FROM pg_proc WHERE proname = 'atp_table'")" -gt 0 ]; then
	goal "atp_table(): item-nodes a second, today" "$(per_second "SELECT item, node, atp FROM routing.atp_table() WHERE atp >= 0")" ">=" 1000000
	say "  atp_table() over 30 days: rows a second                  $(per_second \
		"SELECT item, node, on_date, atp FROM routing.atp_table(from_date => current_date, to_date => current_date + 30) WHERE atp >= 0")"
fi
say "  view availability: item-nodes a second                   $(per_second "SELECT item, node, atp FROM routing.availability WHERE atp >= 0")"
step ""
