#!/usr/bin/env bash
# Installs from Debian's packages what building and testing need and is missing.
#
#   test/setup.sh         compiler, make, server, server headers, IPC::Run, Python
#   test/setup.sh test    what the suites compare with, too: GLPK, CBC, clang with its fuzzer, a validator of JSON Schemas
#   test/setup.sh lint    cppcheck and clang-tidy as well
#   test/setup.sh bench   what the measurements compare with: wal2json, which may be missing
#
# Looks for what is there, not for package names, so that a server from
# elsewhere (PG_CONFIG) counts.  The Debian package would create and start a
# cluster; that is switched off while it is being installed.
set -eu
. "$(dirname "$0")/lib.sh"

PG_MAJOR=15
missing=()

if [ "${1:-}" = bench ]; then
	"$0"
	# Debian's is for Debian's server only
	lib=$("$PG_CONFIG" --pkglibdir)
	if [ ! -e "$lib/wal2json.so" ] && [ "$lib" = "/usr/lib/postgresql/$PG_MAJOR/lib" ] && command -v apt-get >/dev/null; then
		say "installing postgresql-$PG_MAJOR-wal2json"
		{ as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "postgresql-$PG_MAJOR-wal2json"; } \
			</dev/null >/dev/null 2>&1 || say "it cannot be installed; what compares with it is skipped"
	fi
	exit 0
fi

if ! command -v gcc >/dev/null && ! command -v cc >/dev/null; then
	missing+=(gcc libc6-dev)
elif ! printf '#include <stdio.h>\n' | cc -E -xc - >/dev/null 2>&1; then
	missing+=(libc6-dev)
fi
command -v make >/dev/null || missing+=(make)
[ -x "$("$PG_CONFIG" --bindir 2>/dev/null || true)/initdb" ] || missing+=("postgresql-$PG_MAJOR")
[ -e "$("$PG_CONFIG" --pgxs 2>/dev/null || echo none)" ] || missing+=("postgresql-server-dev-$PG_MAJOR")
perl -MIPC::Run -MTest::More -e 1 2>/dev/null || missing+=(perl libipc-run-perl)
command -v python3 >/dev/null || missing+=(python3)
if [ "${1:-}" = test ]; then
	command -v glpsol >/dev/null || missing+=(glpk-utils)
	command -v cbc >/dev/null || missing+=(coinor-cbc)
	command -v clang >/dev/null || missing+=(clang)
	(. "$ROOT/test/schemas/python.sh" && [ -n "$PYTHON" ]) || missing+=(python3-jsonschema)
	compgen -G "$(clang -print-runtime-dir 2>/dev/null || true)/libclang_rt.fuzzer*.a" >/dev/null ||
		missing+=(libclang-rt-dev)
fi
if [ "${1:-}" = lint ]; then
	command -v cppcheck >/dev/null || missing+=(cppcheck)
	command -v clang-tidy >/dev/null || missing+=(clang-tidy)
fi
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || die "please install: ${missing[*]}"
say "installing ${missing[*]}"

quiet=/etc/postgresql-common/createcluster.d/zz-no-main-cluster.conf
case " ${missing[*]} " in
	*" postgresql-$PG_MAJOR "*)
		as_root mkdir -p "${quiet%/*}"
		echo 'create_main_cluster = false' | as_root tee "$quiet" >/dev/null
		trap 'as_root rm -f "$quiet"' EXIT
		;;
esac

log=$(mktemp)
if ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy \
			-o Dpkg::Options::=--force-confold install --no-install-recommends "${missing[@]}"; } \
		</dev/null >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	rm -f "$log"
	die "could not install ${missing[*]}"
fi
rm -f "$log"
