-- bindings of supply: stock by table, a movement ledger by query, purchases and receipts
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include

SET ROLE regress_bind_erp;
CREATE TABLE erp.stock (whse text, sku text, qty numeric, counted timestamptz, PRIMARY KEY (whse, sku));
CREATE TABLE erp.move (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, loc text, sku text, qty int, state text DEFAULT 'draft', memo text);
CREATE TABLE erp.po_line (po text, line int, sku text, whse text, qty int, received int DEFAULT 0, due date, PRIMARY KEY (po, line));
RESET ROLE;
SELECT routing.bind('stock', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"],
  "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}');
SELECT routing.bind('ledger', '{"supply": {
  "query": "SELECT m.sku AS item, m.loc AS node, sum(m.qty) AS quantity, ''ledger'' AS ref FROM erp.move m WHERE m.state = ''done'' GROUP BY m.sku, m.loc",
  "key": ["item", "node"],
  "watch": [{"table": "erp.move", "key": ["sku", "loc"], "columns": ["qty", "state"]}]}}');
SELECT routing.bind('purchases', '{"supply": {
  "query": "SELECT po, line, sku AS item, whse AS node, qty - received AS quantity, due AS available_on, ''purchase'' AS kind FROM erp.po_line WHERE qty > received",
  "key": ["po", "line"], "watch": [{"table": "erp.po_line", "key": ["po", "line"]}]}}');
CREATE VIEW public.held AS
	SELECT binding, source_key, item, node, ref, CASE WHEN isfinite(available_on) THEN available_on - current_date END AS in_days,
		   quantity, kind FROM routing.supply;
CREATE VIEW public.avail AS SELECT item, node, on_hand, promised, inbound, atp FROM routing.availability;
-- native orders are what rests on this supply
CREATE PROCEDURE public.sell(order_id text, item text, quantity numeric, in_days int) LANGUAGE sql AS $$
	INSERT INTO routing.sales_order (order_id, customer, country, postal_code, requested_on)
		VALUES (order_id, 'C1', 'US', '60614', current_date + in_days);
	INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES (order_id, 1, item, quantity);
$$;

-- stock on hand by table
SET ROLE regress_bind_erp;
INSERT INTO erp.stock (whse, sku, qty) VALUES ('CHI', 'A', 10), ('DAL', 'A', 20.5), ('CHI', 'B', 0);
RESET ROLE;
SELECT * FROM public.held ORDER BY 1, 2;
SELECT * FROM public.avail ORDER BY 1, 2;
SELECT type, aggregateid FROM routing.event ORDER BY seq;
-- what does not matter changes nothing
SELECT max(seq) AS seq FROM routing.event \gset
UPDATE erp.stock SET counted = now();
UPDATE erp.stock SET qty = 10.0000 WHERE whse = 'CHI' AND sku = 'A';
BEGIN;
UPDATE erp.stock SET qty = qty - 10;
UPDATE erp.stock SET qty = qty + 10;
COMMIT;
SELECT count(*) AS new_events FROM routing.event WHERE seq > :seq;
-- a row moves from one key to another, and two change places
UPDATE erp.stock SET whse = 'NYC' WHERE whse = 'DAL';
SELECT * FROM public.held ORDER BY 1, 2;
BEGIN;
UPDATE erp.stock SET sku = 'X' WHERE whse = 'CHI' AND sku = 'A';
UPDATE erp.stock SET sku = 'A' WHERE whse = 'CHI' AND sku = 'B';
UPDATE erp.stock SET sku = 'B' WHERE whse = 'CHI' AND sku = 'X';
COMMIT;
SELECT * FROM public.avail ORDER BY 1, 2;
DELETE FROM erp.stock WHERE sku = 'B';
SELECT * FROM public.avail ORDER BY 1, 2;
SELECT * FROM pending_state;
SELECT count(*) FROM routing.verify();

-- a movement ledger: what counts is the sum of the movements that are done
INSERT INTO erp.move (loc, sku, qty) VALUES ('CHI', 'C', 7), ('CHI', 'C', 5), ('DAL', 'C', 4);
SELECT * FROM public.held WHERE binding = 'ledger' ORDER BY 1, 2;
UPDATE erp.move SET state = 'done' WHERE qty IN (7, 4);
SELECT * FROM public.held WHERE binding = 'ledger' ORDER BY 1, 2;
UPDATE erp.move SET memo = 'seen';
UPDATE erp.move SET state = 'done';
INSERT INTO erp.move (loc, sku, qty, state) VALUES ('CHI', 'C', -2, 'done'), ('DAL', 'C', 2, 'done');
SELECT * FROM public.held WHERE binding = 'ledger' ORDER BY 1, 2;
UPDATE erp.move SET loc = 'NYC' WHERE loc = 'DAL';
SELECT * FROM public.held WHERE binding = 'ledger' ORDER BY 1, 2;
SELECT * FROM routing.reconcile('ledger');

-- a purchase carries an order; its receipt is two statements and un-promises nothing
INSERT INTO erp.po_line (po, line, sku, whse, qty, due) VALUES ('P1', 1, 'B', 'CHI', 10, current_date + 3), ('P1', 2, 'B', 'DAL', 4, current_date + 1);
SELECT * FROM public.held WHERE binding = 'purchases' ORDER BY 1, 2;
CALL public.sell('S1', 'B', 8, 7);
SELECT * FROM booked WHERE order_id = 'S1' ORDER BY node;
BEGIN;
UPDATE erp.po_line SET received = 10 WHERE po = 'P1' AND line = 1;
INSERT INTO erp.stock (whse, sku, qty) VALUES ('CHI', 'B', 10);
COMMIT;
SELECT * FROM public.avail WHERE item = 'B' ORDER BY 1, 2;
SELECT * FROM booked WHERE order_id = 'S1' ORDER BY node;
SELECT count(*) AS exceptions FROM routing.exception;
-- the same with constraints made immediate between the halves
CALL public.sell('S2', 'B', 4, 9);
BEGIN;
UPDATE erp.po_line SET received = 4 WHERE po = 'P1' AND line = 2;
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO erp.stock (whse, sku, qty) VALUES ('DAL', 'B', 4);
SELECT count(*) AS exceptions FROM routing.exception;
COMMIT;
SELECT * FROM public.avail WHERE item = 'B' ORDER BY 1, 2;
SELECT * FROM booked WHERE order_id = 'S2' ORDER BY node;
SELECT count(*) AS exceptions FROM routing.exception;
SELECT count(*) FROM routing.verify();
-- the purchase slips: an order that it carries loses it
INSERT INTO erp.po_line (po, line, sku, whse, qty, due) VALUES ('P2', 1, 'B', 'NYC', 10, current_date + 5);
CALL public.sell('S3', 'B', 8, 12);
SELECT node, quantity, needed_in, state FROM booked WHERE order_id = 'S3' ORDER BY node;
UPDATE erp.po_line SET due = current_date + 20 WHERE po = 'P2';
SELECT node, quantity, needed_in, state FROM booked WHERE order_id = 'S3' ORDER BY node;
SELECT type, order_id, line_no, item, node, facts ->> 'quantity' AS quantity FROM routing.exception ORDER BY exception_id;
SELECT status, reason FROM routing.sales_order_line WHERE order_id = 'S3';
SELECT count(*) FROM routing.verify();

-- stock shrinks in the transaction that saves a bound order: the order gets what is left
SET ROLE regress_bind_erp;
CREATE TABLE erp.head (doc text PRIMARY KEY, cust text, st text, whse text, n int);
CREATE TABLE erp.pos (doc text, ln int, sku text, qty int, st text, PRIMARY KEY (doc, ln));
RESET ROLE;
SELECT routing.bind('shop', '{
  "orders": {"query": "SELECT doc, cust AS customer, ''US'' AS country, ''60614'' AS postal_code FROM erp.head", "key": ["doc"],
    "watch": [{"table": "erp.head", "key": ["doc"], "columns": ["cust"]}],
    "write_back": {"table": "erp.head", "columns": {"status": "st", "node": "whse", "shipments": "n"}}},
  "lines": {"table": "erp.pos", "key": ["doc", "ln"], "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"},
    "write_back": {"columns": {"status": "st"}}}}');
UPDATE erp.stock SET qty = 6 WHERE sku = 'A';
BEGIN; INSERT INTO erp.head VALUES ('D1', 'C1'); INSERT INTO erp.pos VALUES ('D1', 1, 'A', 6); COMMIT;
SELECT * FROM erp.head;
BEGIN;
UPDATE erp.stock SET qty = 4 WHERE sku = 'A' AND whse = 'CHI';
INSERT INTO erp.head VALUES ('D2', 'C1');
INSERT INTO erp.pos VALUES ('D2', 1, 'A', 3);
COMMIT;
-- D1 has lost 2 of its 6; its row was not touched here and is written by the jobs
SELECT * FROM erp.head ORDER BY 1;
SELECT order_id, node, quantity, state FROM booked WHERE order_id LIKE 'D%' ORDER BY 1, 2, 4;
SELECT * FROM pending_state;
SELECT routing.run_jobs();
SELECT * FROM erp.head ORDER BY 1;
SELECT doc, ln, qty, st FROM erp.pos ORDER BY 1, 2;
SELECT count(*) FROM pending_state;
-- both in one transaction: the order that loses is the one that is changed
BEGIN;
UPDATE erp.stock SET qty = 1 WHERE sku = 'A' AND whse = 'CHI';
UPDATE erp.pos SET qty = 7 WHERE doc = 'D1';
COMMIT;
SELECT * FROM erp.head ORDER BY 1;
SELECT doc, ln, qty, st FROM erp.pos ORDER BY 1, 2;
SELECT order_id, node, quantity, state FROM booked WHERE order_id LIKE 'D%' ORDER BY 1, 2, 4;
SELECT * FROM pending_state;
SELECT count(*) FROM routing.verify();

-- two rows for one item-node: by two keys, by one key, and what somebody entered by hand
INSERT INTO routing.supply (item, node, quantity) VALUES ('C', 'DAL', 50);
INSERT INTO erp.stock (whse, sku, qty) VALUES ('DAL', 'C', 1);
SELECT * FROM pending_state;
DELETE FROM routing.supply WHERE item = 'C' AND node = 'DAL';
SELECT routing.run_jobs();
SELECT binding, source_key, quantity FROM public.held WHERE item = 'C' AND node = 'DAL' ORDER BY 1;

-- TRUNCATE of a watched table
TRUNCATE erp.move;
SELECT count(*) FROM public.held WHERE binding = 'ledger';
BEGIN;
TRUNCATE erp.stock;
INSERT INTO erp.stock (whse, sku, qty) VALUES ('NYC', 'A', 2);
COMMIT;
SELECT * FROM public.held WHERE binding = 'stock';
TRUNCATE erp.pos, erp.head;
SELECT * FROM order_state WHERE order_id LIKE 'D%' ORDER BY 1;
SELECT * FROM public.avail ORDER BY 1, 2;
BEGIN;
TRUNCATE erp.stock;
ROLLBACK;
SELECT * FROM public.held WHERE binding = 'stock';
SELECT b.binding, r.* FROM routing.binding b, LATERAL routing.reconcile(b.binding) r;
SELECT * FROM pending_state;
SELECT count(*) FROM routing.verify();

\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
