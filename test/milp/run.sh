#!/usr/bin/env bash
# The plan search against integer programs (GLPK, and CBC for the hard ones);
# prints TAP and the shares in which constraints decide.
#
#   ROUTING_MILP_ORDERS    how many random orders (2000)
#   ROUTING_MILP_FIRST     the number of the first one (0)
#   ROUTING_MILP_LARGE     orders at the size limit, 10 lines x 50 nodes (6)
#   ROUTING_MILP_SECONDS   that a program may take (10)
#
# An order on which they differ is kept in $CLUSTER_TMP/milp/NUMBER.txt and
# can be had again by:  check.py --text NUMBER | plan_solve
set -u
cd "$(dirname "$0")" || exit 1

tmp=${CLUSTER_TMP:-$(mktemp -d)}/milp
mkdir -p "$tmp" || exit 1
src=../../src
"${CC:-cc}" -std=gnu99 -O2 -Wall -Wextra -Werror "-I$src" "-I$src/sourcing" -o "$tmp/plan_solve" \
	plan_solve.c "$src"/sourcing/*.c "$src/base/calendar.c" || exit 1
PYTHONDONTWRITEBYTECODE=1 exec python3 check.py --solve "$tmp/plan_solve" --tmp "$tmp" \
	--orders "${ROUTING_MILP_ORDERS:-2000}" --first "${ROUTING_MILP_FIRST:-0}" \
	--large "${ROUTING_MILP_LARGE:-6}" --seconds "${ROUTING_MILP_SECONDS:-10}"
