# Sourced by run.sh: what must hold whenever everybody has gone home.
check_books() {
	check "$1: every line of an order has its answer" "
		SELECT order_id, line_no, status FROM routing.sales_order_line
		WHERE status NOT IN ('allocated', 'scheduled', 'backordered', 'partially_allocated', 'partially_scheduled', 'cancelled')
		UNION ALL
		SELECT order_id, NULL, status FROM routing.sales_order WHERE status IN ('received', 'blocked') OR decision_id IS NULL
		LIMIT 5"
	check "$1: what is booked for a line and its state agree" "
		SELECT order_id, line_no, status, quantity, booked FROM load.line_account
		WHERE booked > quantity
		   OR (status IN ('allocated', 'scheduled') AND booked <> quantity)
		   OR (status = 'cancelled' AND booked <> 0)
		   OR (status LIKE 'partially%' AND booked = 0)
		LIMIT 5"
	check "$1: nothing is pending" "SELECT * FROM routing.pending LIMIT 5"
	check "$1: the bookings are within supply for every day" "SELECT * FROM load.overbooked"
	check "$1: verify() is empty" "SELECT * FROM routing.verify()"
}
