#!/usr/bin/env bash
# Fuzzing of packed records and of the plan search, as long as
# ROUTING_FUZZ_SECONDS says (20).  Prints TAP.
#
# Needs clang with its runtime libraries; without them it says so and passes.
# An input that fails is kept in ROUTING_FUZZ_DIR, as is the corpus if that is
# set (so that long runs go on where others ended).
set -u
cd "$(dirname "$0")" || exit 1

src=../../src
work=${CLUSTER_TMP:-$(mktemp -d)}/fuzz
keep=${ROUTING_FUZZ_DIR:-$work}
mkdir -p "$work" "$keep/corpus" "$work/seeds" || exit 1
seconds=${ROUTING_FUZZ_SECONDS:-20}
flags=(-std=gnu99 -g -O1 -fno-sanitize-recover=all "-I$src" "-I$src/sourcing" -I../unit)
units=("$src"/sourcing/*.c "$src/base/calendar.c")

echo 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return d == 0 && n < 0; }' >"$work/probe.c"
if ! clang -fsanitize=fuzzer,address,undefined -o "$work/probe" "$work/probe.c" >/dev/null 2>&1; then
	echo "ok 1 - fuzzing # skip there is no clang with the runtime of its fuzzer"
	echo "1..1"
	exit 0
fi
if ! clang "${flags[@]}" -fsanitize=fuzzer,address,undefined -o "$work/plan_fuzz" plan_fuzz.c "${units[@]}" ||
	! clang "${flags[@]}" -fsanitize=address,undefined -DSEEDS -o "$work/plan_seeds" plan_fuzz.c \
		../unit/plan_wide.c ../unit/plan_instance.c "${units[@]}"; then
	echo "not ok 1 - the fuzzer builds"
	exit 1
fi
echo "ok 1 - the fuzzer builds"

status=0
if "$work/plan_seeds" "$work/seeds" 400 >"$work/out" 2>&1; then
	echo "ok 2 - 400 random records: searched, everything adds up, the same twice"
else
	tail -n 20 "$work/out" | sed 's/^/# /'
	echo "not ok 2 - 400 random records: searched, everything adds up, the same twice"
	status=1
fi
if "$work/plan_fuzz" "$keep/corpus" "$work/seeds" -max_total_time="$seconds" -max_len=2000 -timeout=20 \
	-rss_limit_mb=2000 -print_final_stats=1 -artifact_prefix="$keep/" >"$work/out" 2>&1; then
	echo "ok 3 - $(awk '/stat::number_of_executed_units/ { print $2 }' "$work/out") records made up in $seconds s do no harm"
else
	tail -n 40 "$work/out" | sed 's/^/# /'
	echo "not ok 3 - records made up do no harm; what failed is in $keep"
	status=1
fi
echo "1..3"
exit "$status"
