#!/usr/bin/env bash
# Checks of the sources; prints TAP lines.
#
#   test/lint.sh        what needs no tools beyond the base system
#   test/lint.sh all    cppcheck and clang-tidy as well
set -u
. "$(dirname "$0")/lib.sh"
. "$ROOT/test/tap.sh"
cd "$ROOT" || exit 1
shopt -s nullglob lastpipe

# check TITLE: passes if standard input is empty, else shows it
check() { result "$1" "$(cat)"; }

# every file of ours, also before it is added to git
files() {
	find . -path ./.git -prune -o -path ./test/unit/build -prune -o -type f -print |
		sed 's,^\./,,' | grep -vE '\.(o|d|so|bc)$|^(results|output_iso|tmp_check|log)/|^build\.flags$|^regression\.'
}

for f in sql/*.sql; do
	if [ -e "test/$f" ]; then echo "$f hides test/$f"; fi
done | check "no file directly under sql/ hides a regression test"

{
	for f in test/sql/*.sql; do
		b=$(basename "$f" .sql)
		[ -e "expected/$b.out" ] || echo "$f has no expected/$b.out"
	done
	for f in expected/*.out; do
		b=$(basename "$f" .out)
		[ -e "test/sql/${b%_[0-9]}.sql" ] || [ -e "test/sql/$b.sql" ] || echo "$f belongs to no test"
	done
	for f in test/isolation/specs/*.spec; do
		b=$(basename "$f" .spec)
		[ -e "test/isolation/expected/$b.out" ] || echo "$f has no test/isolation/expected/$b.out"
	done
	for f in test/isolation/expected/*.out; do
		b=$(basename "$f" .out)
		[ -e "test/isolation/specs/${b%_[0-9]}.spec" ] || [ -e "test/isolation/specs/$b.spec" ] ||
			echo "$f belongs to no spec"
	done
} | check "tests and expected results belong together"

grep -nE 'XX000|server closed the connection|cache lookup failed' expected/*.out test/isolation/expected/*.out \
	/dev/null | check "no expected result holds an internal error"

{
	version=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" routing.control)
	grep -q "\"version\": \"$version\.[0-9]*\"" META.json || echo "META.json is not about version $version"
	grep -q "sql/routing--$version\.sql" META.json || echo "META.json does not name sql/routing--$version.sql"
	if [ -e CHANGELOG.md ]; then
		grep -q "^## *\[*$version" CHANGELOG.md || echo "CHANGELOG.md has no section for $version"
	fi
	grep -nE "\"$version\"|ROUTING_VERSION +\"" src/*.c src/*/*.[ch]
} | check "the version stands in routing.control, META.json and CHANGELOG.md agree"

# the list of rooms: each may include those before it
rank() {
	case $1 in
		base) echo 1 ;;
		network | ledger | policy | events) echo 2 ;;
		sourcing) echo 3 ;;
		exceptions) echo 3 ;;
		orders) echo 4 ;;
		erp | workers) echo 5 ;;
		*) echo 9 ;;
	esac
}
for f in src/*/*.[ch]; do
	room=$(basename "$(dirname "$f")")
	sed -n 's/^#include "\([a-z_]*\)\/[^"]*".*/\1/p' "$f" | sort -u | while read -r other; do
		if [ -d "src/$other" ] && [ "$other" != "$room" ] && [ "$(rank "$other")" -gt "$(rank "$room")" ]; then
			echo "$f includes $other/"
		fi
	done
done | check "includes go down the list of rooms"

grep -nE 'executor/spi|SPI_|GetCurrent|access/(table|heap)am|\btime\(|\brandom\(' src/sourcing/*.[ch] /dev/null |
	check "src/sourcing is pure"

for f in src/*.c src/*/*.[ch] sql/parts/*.sql; do
	n=$(wc -l <"$f")
	if [ "$n" -gt 650 ]; then echo "$f has $n lines"; fi
done | check "no source file has more than 650 lines"

# written so that this file does not match itself
files | grep -vE '^(LICENSE|test/lint\.sh)$' |
	xargs -d '\n' grep -nIE "(^|[^[:alnum:]_./-])/(home|root|work|Users|tmp/[a-z]+)/|\\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\\b" |
	grep -vE '/etc/|mktemp' | check "no paths of somebody's machine, no marks of unfinished work"

files | xargs -d '\n' grep -nI '[[:blank:]]$' | grep -vE '^(expected|test/isolation/expected)/' | cut -c1-120 |
	check "no blanks at the ends of lines"

{
	files | grep -E '\.sh$|^\.ci/' | while read -r f; do
		bash -n "$f" 2>&1
		# a file without #! is there to be sourced
		[ -x "$f" ] || [ "$(head -c 2 "$f")" != '#!' ] || echo "$f is not executable"
	done
} | check "shell scripts parse and are executable"

grep -rnE 'listen_addresses *= *[^ ]*[a-z*0-9]' test demo --include=*.sh --include=*.pl --include=*.pm 2>/dev/null |
	check "no test server listens on a TCP port"

if [ "${1:-}" = all ]; then
	load_server
	flags=(-Isrc "-DROUTING_VERSION=\"0\"" -isystem "$("$PG_CONFIG" --includedir-server)")
	cppcheck -q --std=c99 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=unknownMacro -DPG_VERSION_NUM=150000 \
		--template='{file}:{line}: {severity}: {message} [{id}]' \
		-Isrc '-DROUTING_VERSION="0"' src 2>&1 | check "cppcheck"
	clang-tidy --quiet \
		--checks='-*,clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-assignment-in-if-condition,-bugprone-narrowing-conversions,-bugprone-implicit-widening-of-multiplication-result,-bugprone-branch-clone,-bugprone-macro-parentheses,-bugprone-sizeof-expression,-clang-analyzer-security.insecureAPI.*,-clang-analyzer-core.NullPointerArithm' \
		src/*.c src/*/*.c -- "${flags[@]}" 2>/dev/null | grep -E '(warning|error):' | sort -u | check "clang-tidy"
fi

tap_end
