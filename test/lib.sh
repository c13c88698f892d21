# Shared by the scripts that set up, build and run servers; to be sourced.
#
# Sets ROOT (top of the repository), PG_CONFIG and SERVER_USER (who servers run
# as: the caller, or "postgres" when the caller is root, since a server refuses
# to run as root).  After the packages are there, load_server sets BINDIR.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C.UTF-8

if [ -z "${PG_CONFIG:-}" ]; then
	PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config
	[ -x "$PG_CONFIG" ] || PG_CONFIG=pg_config
fi
export PG_CONFIG

if [ "$(id -u)" = 0 ]; then
	SERVER_USER=${SERVER_USER:-postgres}
else
	SERVER_USER=$(id -un)
fi

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# as_root COMMAND...: directly, or through sudo
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root or sudo: $*"
	fi
}

# as_server COMMAND...: as the user that servers run as, with a neutral
# environment for make and a home that user can write to
as_server() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid="$SERVER_USER" --regid="$(id -gn "$SERVER_USER")" --clear-groups \
			env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS HOME="${CLUSTER:-/tmp}" "$@"
	else
		env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS "$@"
	fi
}

load_server() {
	BINDIR=$("$PG_CONFIG" --bindir) && [ -x "$BINDIR/initdb" ] ||
		die "no PostgreSQL server found by $PG_CONFIG"
	case ":$PATH:" in
		*":$BINDIR:"*) ;;
		*) PATH=$BINDIR:$PATH ;;
	esac
	export PATH
	id -u "$SERVER_USER" >/dev/null 2>&1 || die "user $SERVER_USER does not exist (set SERVER_USER)"
}

# build_and_install [make arguments]: as the caller, only the copying as root
build_and_install() {
	local log
	log=$(mktemp) || return
	if ! "${MAKE:-make}" --no-print-directory -s -C "$ROOT" "-j$(nproc)" "$@" all >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	cat "$log" >&2
	if ! as_root env -u MAKELEVEL MAKEFLAGS= "PG_CONFIG=$PG_CONFIG" "${MAKE:-make}" \
			--no-print-directory -s -C "$ROOT" "$@" install >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
