# The bench's page from its results, lines of
#   cpu|variant|CPU microseconds per order|elapsed microseconds per order
#   tps|variant|clients|synchronous_commit|orders per second
# Variables: order (the variants in order), strict (1: fail if a goal is missed).
function sorted(a, n,   i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && a[j] < a[j - 1]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
}
$1 == "cpu" { n[$2]++; c[$2, n[$2]] = $3 + 0; w[$2, n[$2]] = $4 + 0 }
$1 == "tps" { tps[$2, $3, $4] = $5 }
function ratio(label, a, b, goal,   r, verdict) {
	if (!(a > 0) || !(b > 0)) return
	r = a / b
	verdict = ""
	if (goal != "") {
		verdict = sprintf("   goal <= %.1f: %s", goal, (r <= goal) ? "met" : "missed")
		if (r > goal) missed++
	}
	printf "  %-28s %6.2f%s\n", label, r, verdict
}
function share(label, a, b, goal,   r, verdict) {
	if (!(a > 0) || !(b > 0)) return
	r = a / b
	verdict = ""
	if (goal != "")
		verdict = sprintf("   goal >= %.1f: %s", goal, (r >= goal) ? "met" : "missed")
	printf "  %-28s %6.2f%s\n", label, r, verdict
}
END {
	m = split(order, v, " ")
	printf "\nCPU of the backend, microseconds per order\n"
	printf "  %-10s %9s %9s %9s %8s\n", "", "median", "lowest", "highest", "in units"
	for (i = 1; i <= m; i++) {
		k = n[v[i]]
		if (!k) continue
		for (j = 1; j <= k; j++) a[j] = c[v[i], j]
		sorted(a, k)
		med[v[i]] = k % 2 ? a[(k + 1) / 2] : (a[k / 2] + a[k / 2 + 1]) / 2
		lo[v[i]] = a[1]; hi[v[i]] = a[k]
	}
	note["generator"] = "   (making the values; part of every figure)"
	note["unit4"] = "   (the unit with a statement for each line)"
	for (i = 1; i <= m; i++) {
		in_units = ("unit" in med) ? sprintf("%.2f", med[v[i]] / med["unit"]) : ""
		printf "  %-10s %9.1f %9.1f %9.1f %8s%s\n", v[i], med[v[i]], lo[v[i]], hi[v[i]], in_units, note[v[i]]
	}
	printf "\nratios of CPU\n"
	ratio("floor / unit", med["floor"], med["unit"], "")
	ratio("greedy / unit", med["greedy"], med["unit"], "")
	ratio("native / unit", med["native"], med["unit"], 3.0)
	ratio("native / floor", med["native"], med["floor"], 1.3)
	ratio("native / greedy", med["native"], med["greedy"], "")
	ratio("bound / unit", med["bound"], med["unit"], "")
	printf "\nthroughput, orders per second (pgbench -M prepared)\n"
	printf "  %-10s %14s %14s %14s %14s\n", "", "1 client sync", "1 client async", "8 clients sync", "8 clients async"
	for (i = 1; i <= m; i++)
		if ((v[i], 1, "on") in tps)
			printf "  %-10s %14d %14d %14d %14d\n", v[i], tps[v[i], 1, "on"], tps[v[i], 1, "off"],
				   tps[v[i], 8, "on"], tps[v[i], 8, "off"]
	printf "\nratios of throughput with 8 clients\n"
	share("native / unit, sync", tps["native", 8, "on"], tps["unit", 8, "on"], "")
	share("native / unit, async", tps["native", 8, "off"], tps["unit", 8, "off"], "")
	share("bound / unit, sync", tps["bound", 8, "on"], tps["unit", 8, "on"], "")
	share("bound / unit, async", tps["bound", 8, "off"], tps["unit", 8, "off"], "")
	share("greedy / unit, sync", tps["greedy", 8, "on"], tps["unit", 8, "on"], "")
	share("greedy / unit, async", tps["greedy", 8, "off"], tps["unit", 8, "off"], "")
	exit (strict + 0 && missed) ? 1 : 0
}
