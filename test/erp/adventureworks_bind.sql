-- stock: a table that looks right, named columns are enough
SELECT routing.bind('aw_stock', '{"supply": {"table": "aw.stock", "key": ["warehouse", "product_number"],
	"columns": {"item": "product_number", "node": "warehouse", "quantity": "on_hand"}}}');

-- purchases: a query with a join, two integer keys, a timestamp as the date
SELECT routing.bind('aw_purchases', '{"supply": {
	"query": "SELECT l.purchase_order_id, l.purchase_order_line_id, p.product_number AS item, l.warehouse AS node, l.order_qty - l.received_qty AS quantity, l.due_date::date AS available_on, ''purchase'' AS kind FROM aw.purchase_order_line l JOIN aw.purchase_order o USING (purchase_order_id) JOIN aw.product p USING (product_id) WHERE o.status IN (1, 2) AND l.order_qty > l.received_qty",
	"key":   ["purchase_order_id", "purchase_order_line_id"],
	"watch": [{"table": "aw.purchase_order_line", "key": ["purchase_order_id", "purchase_order_line_id"]}]}}');

-- web orders: text key; ship-to by joins; lines with a line number and a surrogate key; codes of the ERP's own
SELECT routing.bind('aw_web', '{
	"orders": {
		"query": "SELECT w.order_number, w.customer_id::text AS customer, a.country, a.postal_code, a.latitude, a.longitude, w.due_date AS requested_on FROM aw.web_order w JOIN aw.customer c USING (customer_id) LEFT JOIN aw.address a USING (address_id)",
		"key":   ["order_number"],
		"watch": [{"table": "aw.web_order", "key": ["order_number"], "columns": ["order_number", "customer_id", "due_date"]}],
		"write_back": {"table": "aw.web_order", "key": ["order_number"],
			"columns": {"status": "fulfil_status", "node": "warehouse", "promised_on": "promise_date", "split": "split_flag",
						"shipments": "parcels", "reason": "fulfil_reason"},
			"status_map": {"allocated": "A", "scheduled": "S", "backordered": "B", "partially_allocated": "PA",
						   "partially_scheduled": "PS"}}
	},
	"lines": {
		"table":   "aw.web_order_line",
		"key":     ["order_number", "line_id"],
		"columns": {"line_no": "line_item", "item": "product_number", "quantity": "quantity"},
		"write_back": {"columns": {"status": "fulfil_status", "node": "warehouse", "promised_on": "promise_date"}}
	}}');

-- reseller and online orders: integer keys, the engine numbers the lines, item by a join
SELECT routing.bind('aw_sales', '{
	"orders": {
		"query": "SELECT h.sales_order_id, h.customer_id::text AS customer, a.country, a.postal_code, h.due_date::date AS requested_on, CASE WHEN h.online THEN 5 ELSE 3 END AS priority FROM aw.sales_order_header h JOIN aw.address a ON a.address_id = h.ship_to_address_id",
		"key":   ["sales_order_id"],
		"watch": [{"table": "aw.sales_order_header", "key": ["sales_order_id"],
				   "columns": ["sales_order_id", "customer_id", "ship_to_address_id", "due_date", "online"]}],
		"write_back": {"table": "aw.sales_order_header", "key": ["sales_order_id"],
			"columns": {"status": "fulfil_status", "node": "warehouse", "promised_on": "promise_date", "cost": "fulfil_cost"}}
	},
	"lines": {
		"query": "SELECT d.sales_order_id, d.sales_order_detail_id, p.product_number AS item, d.order_qty AS quantity, d.unit_price AS price FROM aw.sales_order_detail d JOIN aw.product p USING (product_id)",
		"key":   ["sales_order_id", "sales_order_detail_id"],
		"watch": [{"table": "aw.sales_order_detail", "key": ["sales_order_id"],
				   "columns": ["sales_order_id", "sales_order_detail_id", "product_id", "order_qty", "unit_price"]}],
		"write_back": {"table": "aw.sales_order_detail", "key": ["sales_order_id", "sales_order_detail_id"],
			"columns": {"status": "fulfil_status", "node": "warehouse", "promised_on": "promise_date",
						"allocated_quantity": "fulfil_qty"}}
	}}');

SELECT '# aw_stock: ' || routing.sync('aw_stock') || ' keys synchronized';
SELECT '# aw_purchases: ' || routing.sync('aw_purchases') || ' keys synchronized';

CALL erp_check.add('head', $$
	SELECT 'aw_web', order_number,
		   CASE fulfil_status WHEN 'A' THEN 'allocated' WHEN 'S' THEN 'scheduled' WHEN 'B' THEN 'backordered'
				WHEN 'PA' THEN 'partially_allocated' WHEN 'PS' THEN 'partially_scheduled' ELSE fulfil_status END,
		   warehouse, promise_date
	FROM aw.web_order $$);
CALL erp_check.add('line', $$
	SELECT 'aw_web', order_number, product_number, quantity, fulfil_status, warehouse, promise_date
	FROM aw.web_order_line $$);
CALL erp_check.add('head', $$
	SELECT 'aw_sales', sales_order_id::text, fulfil_status, warehouse, promise_date FROM aw.sales_order_header $$);
CALL erp_check.add('line', $$
	SELECT 'aw_sales', sales_order_id::text, product_number, order_qty, fulfil_status, warehouse, promise_date
	FROM aw.sales_order_detail JOIN aw.product USING (product_id) $$);
