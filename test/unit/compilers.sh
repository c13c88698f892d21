#!/bin/bash
# The search's answers must not depend on how it was compiled: every compiler
# at hand, with and without optimization, and without the instructions of the
# processor at hand, must print the same.
#
#   compilers.sh BUILD_DIRECTORY
set -eu
cd "$(dirname "$0")"
build=$1
sources="rules_test.c rules_oracle.c plan_instance.c ../../src/sourcing/*.c ../../src/base/calendar.c"
number=0
failed=0
first=

for compiler in gcc clang; do
	if ! command -v $compiler >/dev/null; then
		echo "# $compiler is not installed: its answers are not compared"
		continue
	fi
	for level in -O0 -O2 '-O2 -DROUTING_PLAIN_EIGHT'; do
		program=$build/rules_$compiler${level// /}
		# shellcheck disable=SC2086
		$compiler -std=gnu99 $level -I../../src -I../../src/sourcing -o "$program" $sources
		"$program" print > "$program.out"
		if [ -z "$first" ]; then
			first=$program.out
			continue
		fi
		number=$((number + 1))
		if cmp -s "$first" "$program.out"; then
			echo "ok $number - $(wc -l < "$first") orders: $compiler $level answers as ${first##*_}"
		else
			echo "not ok $number - $compiler $level answers otherwise than ${first##*_}"
			failed=1
		fi
	done
done
echo "1..$number"
exit $failed
