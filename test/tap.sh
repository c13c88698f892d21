# Sourced by the scripts that print TAP lines: counts them.  Such a script ends
# with tap_end, whose status says whether all passed.

number=0
bad=0

# result TITLE FOUND: passes if FOUND is empty, else shows it
result() {
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		printf '%s\n' "$2" | sed 's/^/#   /'
		bad=$((bad + 1))
	fi
}
# skip TITLE REASON
skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}
tap_end() {
	echo "1..$number"
	[ "$bad" -eq 0 ]
}
