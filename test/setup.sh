#!/usr/bin/env bash
# Installs from Debian's packages what building and testing need and is missing.
#
#   test/setup.sh         compiler, make, server, server headers, IPC::Run, Python
#   test/setup.sh test    what the suites compare with, too: GLPK, CBC, clang with its fuzzer, a validator of JSON Schemas
#   test/setup.sh lint    cppcheck and clang-tidy as well
#   test/setup.sh bench   what the measurements compare with: wal2json, which may be missing
#
# Looks for what is there, not for package names, so that a server from
# elsewhere (PG_CONFIG) counts.  Where there is none, PostgreSQL 15 is taken if
# the system has it (Debian 12), otherwise the system's own (17 in Debian 13).
# The Debian package would create and start a cluster; that is switched off
# while it is being installed.
set -eu
. "$(dirname "$0")/lib.sh"

missing=()

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null; }

# the major version of the server that is there, or that apt would install
server_major() {
	if "$PG_CONFIG" --version 2>/dev/null | grep -oE '[0-9]+' | head -n 1 | grep .; then return; fi
	if apt-cache show postgresql-15 >/dev/null 2>&1; then echo 15; return; fi
	apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1
}

if [ "${1:-}" = bench ]; then
	"$0"
	# Debian's is for Debian's server only
	lib=$("$PG_CONFIG" --pkglibdir)
	major=$(server_major)
	if [ ! -e "$lib/wal2json.so" ] && [ "$lib" = "/usr/lib/postgresql/$major/lib" ] && command -v apt-get >/dev/null; then
		say "installing postgresql-$major-wal2json"
		{ apt -q update && apt -qy install --no-install-recommends "postgresql-$major-wal2json"; } \
			>/dev/null 2>&1 || say "it cannot be installed; what compares with it is skipped"
	fi
	exit 0
fi

if ! command -v gcc >/dev/null && ! command -v cc >/dev/null; then
	missing+=(gcc libc6-dev)
elif ! printf '#include <stdio.h>\n' | cc -E -xc - >/dev/null 2>&1; then
	missing+=(libc6-dev)
fi
command -v make >/dev/null || missing+=(make)
[ -x "$("$PG_CONFIG" --bindir 2>/dev/null || true)/initdb" ] || missing+=(postgresql-MAJOR)
[ -e "$("$PG_CONFIG" --pgxs 2>/dev/null || echo none)" ] || missing+=(postgresql-server-dev-MAJOR)
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

command -v apt-get >/dev/null || die "please install: ${missing[*]/-MAJOR/}"

log=$(mktemp)
quiet=/etc/postgresql-common/createcluster.d/zz-no-main-cluster.conf
trap 'rm -f "$log"' EXIT
case " ${missing[*]} " in
	*" postgresql-MAJOR "*)
		trap 'rm -f "$log"; as_root rm -f "$quiet"' EXIT
		as_root mkdir -p "${quiet%/*}"
		echo 'create_main_cluster = false' | as_root tee "$quiet" >/dev/null
		;;
esac

apt -q update >"$log" 2>&1 || { tail -n 30 "$log" >&2; die "apt-get update failed"; }
# only after the update the lists tell which version there is
missing=("${missing[@]/MAJOR/$(server_major)}")
say "installing ${missing[*]}"
apt -qy -o Dpkg::Options::=--force-confold install --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
	{ tail -n 30 "$log" >&2; die "could not install ${missing[*]}"; }
