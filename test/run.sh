#!/usr/bin/env bash
# Installs what is missing, builds, installs the extension, starts a private
# cluster and runs the tests; ends with the line "N passed, N failed".
#
#   test/run.sh                   every suite
#   test/run.sh SUITE...          some of: lint docs unit milp fuzz regress isolation tap erp load oracle recipes schemas
#   test/run.sh soak              the ledger under load for ROUTING_SOAK_SECONDS, consumers for a sixth of it, a million
#                                 events in one transaction
#   test/run.sh bench             the measurements, which count nothing
#
# KEEP=1 leaves the cluster running and prints how to connect.
#
# regress, isolation and tap run as the user that servers run as, in a copy of
# the tree inside the cluster's directory.  erp, load, oracle, milp, fuzz, recipes and schemas print
# TAP lines (ok / not ok / # ...); they run as the caller with the cluster's
# PG* variables set, create the databases they need, and may write to
# $CLUSTER_TMP.  A suite that fails without a failed test counts as one.
set -u
. "$(dirname "$0")/lib.sh"

ALL="lint docs unit milp fuzz regress isolation tap erp load oracle recipes schemas"

if [ "${1:-}" != --in-cluster ]; then
	if [ "$*" = bench ]; then
		"$ROOT/test/setup.sh" bench || exit 1
		# a measurement wants the build that users get
		build_and_install || exit 1
		[ -x "$ROOT/test/bench/run.sh" ] || die "there is no test/bench/run.sh"
		exec "$ROOT/test/bench/run.sh"
	fi
	"$ROOT/test/setup.sh" test || { echo "0 passed, 1 failed"; exit 1; }
	if ! build_and_install STRICT=1; then
		echo "not ok build"
		echo "0 passed, 1 failed"
		exit 1
	fi
	exec "$ROOT/test/cluster.sh" run "$0" --in-cluster "${@:-$ALL}"
fi
shift
load_server

passed=0
failed=0
skipped=0
broken=()
out=$CLUSTER_TMP/out

# tally NAME STATUS: counts what the suite printed into $out, in the manners of
# pg_regress (15: "test x ... ok", later: TAP) and of TAP
tally() {
	local p f s
	s=$(grep -ciE "^ok .*# *skip" "$out")
	p=$(grep -cE '^ok +[^ ]|^(test|    ) +[^ ]+ +\.\.\. ok' "$out")
	p=$((p - s))
	f=$(grep -E '^not ok\b|^(test|    ) +[^ ]+ +\.\.\. FAILED' "$out" | grep -ciEv '# *todo')
	if [ "$2" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
		echo "not ok $1 ended with status $2"
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
	if [ "$f" -gt 0 ]; then broken+=("$1"); fi
	printf -- '-- %s: %d passed, %d failed, %d skipped, %d s\n' "$1" "$p" "$f" "$s" $((SECONDS - began))
}

# suite NAME COMMAND...: runs it, shows what it prints and counts it
suite() {
	local name=$1 status
	shift
	echo "== $name"
	began=$SECONDS
	"$@" 2>&1 | tee "$out"
	status=${PIPESTATUS[0]}
	tally "$name" "$status"
	return "$status"
}

show_diffs() {
	local f
	for f in "$@"; do
		if [ -s "$f" ]; then
			echo "---- ${f##*/tree/}"
			cat "$f"
		fi
	done
}

# a copy of what the suites read, which the server's user can write to
tree=$CLUSTER/tree
(cd / && as_server mkdir "$tree") || exit 1
tar -C "$ROOT" --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude=build -cf - \
	Makefile routing.control sql src test expected | (cd / && as_server tar -C "$tree" -xmf -) || exit 1
in_tree() { (cd "$tree" && as_server "$@"); }
make_in_tree() { in_tree "${MAKE:-make}" --no-print-directory "PG_CONFIG=$PG_CONFIG" "$@"; }
has() { compgen -G "$ROOT/$1" >/dev/null; }

for wanted in $*; do
	case $wanted in
		lint)
			suite lint "$ROOT/test/lint.sh"
			;;
		docs)
			createdb docs
			psql -Xqd docs -c "CREATE EXTENSION routing"
			suite docs "$ROOT/test/doc_coverage.sh" docs
			suite event_docs "$ROOT/tools/event_docs.sh" check
			;;
		unit)
			if has test/unit/Makefile; then
				suite unit make_in_tree -s -C test/unit check
			fi
			;;
		regress)
			if has 'test/sql/*.sql'; then
				suite regress make_in_tree -s installcheck ISOLATION= TAP_TESTS= ||
					show_diffs "$tree/regression.diffs"
			fi
			;;
		isolation)
			if has 'test/isolation/specs/*.spec'; then
				suite isolation make_in_tree -s installcheck REGRESS= TAP_TESTS= ||
					show_diffs "$tree/output_iso/regression.diffs"
			fi
			;;
		tap)
			if has 'test/t/*.pl'; then
				suite tap make_in_tree -s installcheck REGRESS= ISOLATION= PROVE_FLAGS=-v ||
					for log in "$tree"/tmp_check/log/regress_log_*; do
						echo "---- end of ${log##*/}"
						tail -n 40 "$log"
					done
			fi
			;;
		soak)
			# TAP tests for as long, and with as many events, as ROUTING_SOAK_SECONDS says
			suite soak make_in_tree -s installcheck REGRESS= ISOLATION= PROVE_FLAGS=-v \
				PROVE_TESTS="test/t/007_ledger_load.pl test/t/011_plugin_stream.pl test/t/011_consumers.pl test/t/014_stream.pl"
			;;
		erp | load | oracle | milp | fuzz | recipes | schemas)
			if has "test/$wanted/run.sh"; then
				suite "$wanted" "$ROOT/test/$wanted/run.sh"
			fi
			;;
		*)
			echo "not ok there is no suite $wanted"
			failed=$((failed + 1))
			;;
	esac
done

# Whatever the suites did, no index may have lost a row (the engine writes some
# tables and their indexes itself), and no backend may have crashed.
if [ $((passed + failed)) -gt 0 ]; then
	if pg_amcheck --all --install-missing --heapallindexed --schema=routing --no-strict-names >"$out" 2>&1; then
		echo "ok the suites' databases pass pg_amcheck"
		passed=$((passed + 1))
	elif ! grep -q 'no relations to check' "$out"; then
		cat "$out"
		echo "not ok the suites' databases pass pg_amcheck"
		failed=$((failed + 1))
	fi
	if grep -E 'PANIC|TRAP:|terminated by signal|terminated any other active server process' "$CLUSTER/log"; then
		echo "not ok the server's log shows a crash"
		failed=$((failed + 1))
	else
		echo "ok the server's log shows no crash"
		passed=$((passed + 1))
	fi
fi

if [ ${#broken[@]} -gt 0 ]; then echo "failed: ${broken[*]}"; fi
if [ "$skipped" -gt 0 ]; then echo "skipped: $skipped"; fi
if [ $((passed + failed)) -eq 0 ]; then echo "nothing ran"; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
