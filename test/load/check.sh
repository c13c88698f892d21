# Sourced by run.sh: what must hold whenever everybody has gone home.

# orders whose key is pending lost supply while somebody held them; the jobs finish them
check_lines() {
	check "$1: what is booked for a line and its state agree" "
		SELECT order_id, line_no, status, quantity, booked FROM load.line_account
		WHERE (booked > quantity
			   OR (status IN ('allocated', 'scheduled') AND booked <> quantity)
			   OR (status = 'cancelled' AND booked <> 0)
			   OR (status LIKE 'partially%' AND booked = 0))
		  AND order_id NOT IN (SELECT key FROM routing.pending)
		LIMIT 5"
}

check_books() {
	check "$1: every line of an order has its answer" "
		SELECT order_id, line_no, status FROM routing.sales_order_line
		WHERE status NOT IN ('allocated', 'scheduled', 'backordered', 'partially_allocated', 'partially_scheduled', 'cancelled')
		UNION ALL
		SELECT order_id, NULL, status FROM routing.sales_order WHERE status IN ('received', 'blocked') OR decision_id IS NULL
		LIMIT 5"
	check_lines "$1"
	check "$1: the bookings are within supply for every day" "SELECT * FROM overbooked"
	check "$1: verify() is empty" "SELECT * FROM routing.verify()"
	check_indexes "$1"
}
