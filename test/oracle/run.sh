#!/usr/bin/env bash
# Availability against an oracle: random timelines, computed a second time from
# raw rows by a naive program.  Prints TAP lines.
#
# Runs in the cluster of test/run.sh, or starts one of its own.
#   ROUTING_ORACLE_N    [10000]     timelines
#   ROUTING_ORACLE_SEED [20261121]
#   ROUTING_ORACLE_ONLY             one batch, whose database is kept if it fails
set -euo pipefail
cd "$(dirname "$0")"
if [ -z "${CLUSTER:-}" ]; then
	exec env KEEP_DATABASE=oracle_base ../cluster.sh run "$PWD/${0##*/}"
fi
STARTED=$(date +%s)
psql -X -q -v ON_ERROR_STOP=1 -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS oracle_base" \
	-c "CREATE DATABASE oracle_base"
psql -X -q -d oracle_base -f base.sql
rc=0
python3 -B timelines.py --timelines "${ROUTING_ORACLE_N:-10000}" --seed "${ROUTING_ORACLE_SEED:-20261121}" \
	--jobs "$(nproc)" ${ROUTING_ORACLE_ONLY:+--only "$ROUTING_ORACLE_ONLY"} || rc=$?
echo "# took $(($(date +%s) - STARTED)) s"
exit "$rc"
