# How long the plan search takes, by lines and nodes, on easy orders and on
# families that are made to be hard: test/unit/plan_bench.c says how they are
# made.  No server is asked; availability is read from arrays.  Sourced by run.sh.
#
#   ROUTING_BENCH_SEARCH_RUNS [1000]     orders of a family and size
#   ROUTING_BENCH_SEARCH_SECONDS [5]     after which there are fewer, 50 at least
if [ "${ROUTING_BENCH_SCALE:-full}" = smoke ]; then
	: "${ROUTING_BENCH_SEARCH_RUNS:=50}" "${ROUTING_BENCH_SEARCH_SECONDS:=0.5}"
fi

step "building"
"${MAKE:-make}" --no-print-directory -s -C ../unit build/plan_bench
step ""
say "microseconds of CPU; a network of 3 services a node, up to 3 shipments, lines may be divided, random dates and costs"
say "  easy    everything is in stock nearly everywhere"
say "  scarce  every node has a part of some lines, the rest comes later or never"
say "  tight   every node has from nothing to all of each line, seldom all lines"
say "  equal   equal costs and lines; every node has a quarter or a half of about half of the lines"
../unit/build/plan_bench "${ROUTING_BENCH_SEARCH_RUNS:-1000}" "${ROUTING_BENCH_SEARCH_SECONDS:-5}" | tee "$CLUSTER_TMP/search"
for family in easy scarce tight equal; do
	read -r p99 proven <<<"$(awk -v f=$family '$1 == f && $2 == 10 && $3 == 50 { print $5, $8 }' "$CLUSTER_TMP/search")"
	goal "$family, 10 lines x 50 nodes, p99" "$p99" "<=" 1000
	goal "$family, 10 lines x 50 nodes, proven optimal, per cent" "${proven%\%}" ">=" 100
done
