#!/usr/bin/env bash
# A private throw-away PostgreSQL cluster: its own directory, its own socket, no
# TCP port, wal_level logical, never run as root.
#
#   test/cluster.sh run [-o NAME=VALUE]... COMMAND [ARG]...
#       starts a cluster, runs COMMAND as the caller, stops and removes the
#       cluster, and ends with COMMAND's status.  KEEP=1 leaves it running and
#       prints how to connect.
#
#   eval "$(test/cluster.sh start [-o NAME=VALUE]...)"
#       starts one and prints what to set; stop it with
#   test/cluster.sh stop "$CLUSTER"
#
# In both ways these are exported: PGHOST, PGPORT, PGUSER (postgres, the
# superuser), PGDATABASE (postgres), PATH (with the server's programs first),
# CLUSTER (the cluster's directory) and CLUSTER_TMP (a directory inside that is
# removed with it, for scripts and results; its owner is the caller).  The
# server's log is $CLUSTER/log.  -o sets a configuration value and wins over
# the ones below, e.g. -o fsync=on -o shared_buffers=1GB.
#
# The extension must be installed before it can be created; test/run.sh does
# that.  Scripts that start servers by themselves do so with PGDATA and this:
# initdb and pg_ctl through as_server of test/lib.sh.
set -eu
. "$(dirname "$0")/lib.sh"

start() {
	local base setting
	load_server
	base=${TMPDIR:-/tmp}
	# a socket's path may not exceed 107 bytes
	if [ ${#base} -gt 70 ]; then base=/tmp; fi
	CLUSTER=$(mktemp -d "$base/routing.XXXXXX")
	CLUSTER_TMP=$CLUSTER/tmp
	mkdir "$CLUSTER_TMP"
	if [ "$(id -u)" = 0 ]; then chown "$SERVER_USER" "$CLUSTER"; fi
	cd "$CLUSTER"
	as_server mkdir -m 700 "$CLUSTER/s"
	if ! as_server "$BINDIR/initdb" -D "$CLUSTER/data" -U postgres -A trust -E UTF8 --locale=C \
			--no-sync >"$CLUSTER/initdb.log" 2>&1; then
		cat "$CLUSTER/initdb.log" >&2
		return 1
	fi
	{
		cat <<-CONF
			listen_addresses = ''
			unix_socket_directories = '$CLUSTER/s'
			max_connections = 120
			shared_buffers = 256MB
			wal_level = logical
			max_prepared_transactions = 20
			max_replication_slots = 30
			max_wal_senders = 30
			max_wal_size = 4GB
			fsync = off
			deadlock_timeout = 200ms
			timezone = 'UTC'
			log_timezone = 'UTC'
			log_line_prefix = '%m [%p] %q%a '
			jit = off
			routing.event_validate = error
		CONF
		# newer minor versions load only the output plugins that are named
		if as_server "$BINDIR/postgres" -D "$CLUSTER/data" -C output_plugin_libraries >/dev/null 2>&1; then
			echo "output_plugin_libraries = 'pgoutput, test_decoding, routing, wal2json'"
		fi
		for setting; do
			printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"
		done
	} | as_server tee -a "$CLUSTER/data/postgresql.conf" >/dev/null
	if ! as_server "$BINDIR/pg_ctl" -D "$CLUSTER/data" -l "$CLUSTER/log" -t 60 -w start \
			>"$CLUSTER_TMP/pg_ctl.log" 2>&1 </dev/null; then
		cat "$CLUSTER_TMP/pg_ctl.log" "$CLUSTER/log" >&2 || true
		return 1
	fi
	export CLUSTER CLUSTER_TMP PGHOST="$CLUSTER/s" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	unset PGDATA PGSERVICE PGOPTIONS
}

stop() {
	local dir=$1
	case $dir in
		*/routing.??????) ;;
		*) die "not a cluster of this script: $dir" ;;
	esac
	[ -d "$dir" ] || return 0
	load_server
	if [ -e "$dir/data/postmaster.pid" ]; then
		(cd / && CLUSTER=/ as_server "$BINDIR/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null) || true
	fi
	rm -rf "$dir"
}

settings=()
verb=${1:-}
[ $# -eq 0 ] || shift
while [ "${1:-}" = -o ]; do
	settings+=("$2")
	shift 2
done

case $verb in
	start)
		trap '[ -z "${CLUSTER:-}" ] || stop "$CLUSTER"' EXIT
		start "${settings[@]}"
		trap - EXIT
		for name in PGHOST PGPORT PGUSER PGDATABASE PATH CLUSTER CLUSTER_TMP; do
			printf 'export %s=%q\n' "$name" "${!name}"
		done
		;;
	stop)
		[ $# -eq 1 ] || die "usage: $0 stop DIRECTORY"
		stop "$1"
		;;
	run)
		[ $# -gt 0 ] || die "usage: $0 run [-o NAME=VALUE]... COMMAND [ARG]..."
		here=$PWD
		finish() {
			status=$?
			trap - EXIT INT TERM
			cd /
			if [ -n "${KEEP:-}" ] && [ -e "$CLUSTER/data/postmaster.pid" ]; then
				say "the cluster is left running; connect and stop with"
				say "  psql -h $PGHOST -p $PGPORT -U $PGUSER ${KEEP_DATABASE:-$PGDATABASE}"
				say "  $ROOT/test/cluster.sh stop $CLUSTER"
			elif [ -n "${CLUSTER:-}" ]; then
				stop "$CLUSTER"
			fi
			exit $status
		}
		unset CLUSTER
		trap finish EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM
		start "${settings[@]}"
		# nobody is there to leave a pager
		export PSQL_PAGER=cat
		cd "$here"
		"$@"
		;;
	*)
		die "usage: $0 run [-o NAME=VALUE]... COMMAND [ARG]... | start [-o NAME=VALUE]... | stop DIRECTORY"
		;;
esac
