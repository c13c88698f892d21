-- How the ERP's tables map to the engine's words.  From here on the ERP needs to
-- know nothing: what it writes is settled at its own commits.
\set ON_ERROR_STOP 1

SELECT routing.bind('stock', '{"supply": {
	"table":   "erp.stock_level",
	"key":     ["whse_code", "art_no"],
	"columns": {"item": "art_no", "node": "whse_code", "quantity": "qty_on_hand"}}}');

SELECT routing.bind('purchases', '{"supply": {
	"query": "SELECT po_no, po_pos, art_no AS item, whse_code AS node, qty_ordered - qty_received AS quantity, due_date AS available_on, ''purchase'' AS kind FROM erp.po_line WHERE qty_ordered > qty_received",
	"key":   ["po_no", "po_pos"],
	"watch": [{"table": "erp.po_line", "key": ["po_no", "po_pos"]}]}}');

SELECT routing.bind('orders', '{
	"orders": {
		"table":   "erp.order_head",
		"key":     ["doc_no"],
		"columns": {"customer": "deb_no", "country": "ship_ctry", "postal_code": "ship_zip", "requested_on": "wish_date"},
		"write_back": {
			"columns": {"status": "route_stat", "node": "from_whse", "promised_on": "promise_date",
						"shipments": "parcels", "cost": "ship_cost"},
			"status_map": {"allocated": "OK", "scheduled": "DATED", "backordered": "BO",
						   "partially_allocated": "PART", "partially_scheduled": "PART-DATED"}}},
	"lines": {
		"table":   "erp.order_pos",
		"key":     ["doc_no", "pos_no"],
		"columns": {"line_no": "pos_no", "item": "art_no", "quantity": "qty", "price": "unit_price"},
		"write_back": {"columns": {"status": "pos_stat", "node": "from_whse", "promised_on": "promise_date"}}}}');
