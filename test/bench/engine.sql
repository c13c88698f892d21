/*
 * Loads the bench's network and stock into the extension and binds the ERP
 * tables of schema erp.  Supply comes by plain INSERT ... SELECT, 50,000 rows
 * a transaction (bench.stock.batch).
 */
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE ROLE bench_erp;
INSERT INTO routing.tenant_member (tenant_id, role) VALUES (1, 'bench_erp');

INSERT INTO routing.node (node, name, kind, handling_cost)
SELECT node, node, CASE WHEN center THEN 'warehouse' ELSE 'store' END, handling_cost FROM bench.node;
INSERT INTO routing.zone (zone) SELECT zone FROM bench.zone;
INSERT INTO routing.zone_area (country, postal_prefix, zone) SELECT * FROM bench.zone_area;
INSERT INTO routing.carrier (carrier) VALUES ('BENCH');
INSERT INTO routing.service (service, carrier) VALUES ('GROUND', 'BENCH'), ('FAST', 'BENCH'), ('AIR', 'BENCH');
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg)
SELECT node, zone, service, transit_days, base_cost, cost_per_kg FROM bench.lane;
INSERT INTO routing.customer (customer, name) SELECT customer, name FROM bench.customer;
INSERT INTO routing.item (item, weight_kg) SELECT item, weight_kg FROM bench.item;

CREATE PROCEDURE bench.load_supply() LANGUAGE plpgsql AS $$
BEGIN
	FOR b IN 0 .. (SELECT max(batch) FROM bench.stock) LOOP
		INSERT INTO routing.supply (item, node, quantity)
		SELECT item, node, quantity FROM bench.stock WHERE batch = b;
		COMMIT;
	END LOOP;
END
$$;
SET routing.settle_timeout = '10min';
CALL bench.load_supply();

-- the ERP's tables belong to the ERP's role
DO $$
DECLARE
	t	text;
BEGIN
	EXECUTE 'GRANT USAGE ON SCHEMA erp TO bench_erp';
	FOREACH t IN ARRAY ARRAY['customer', 'item', 'so_head', 'so_line'] LOOP
		EXECUTE format('ALTER TABLE erp.%I OWNER TO bench_erp', t);
	END LOOP;
END
$$;
SELECT routing.bind('bench', '{
  "orders": {
    "table":   "erp.so_head",
    "key":     ["doc_no"],
    "columns": {"customer": "cust_no", "country": "ship_ctry", "postal_code": "ship_zip", "requested_on": "want_date"},
    "write_back": {"columns": {"status": "alloc_status", "promised_on": "promise_date", "node": "from_whse"}}
  },
  "lines": {
    "table":   "erp.so_line",
    "key":     ["doc_no", "line_no"],
    "columns": {"line_no": "line_no", "item": "sku", "quantity": "qty", "price": "price"},
    "write_back": {"columns": {"node": "from_whse", "promised_on": "promise_date", "status": "alloc_status"}}
  }
}') \g /dev/null
