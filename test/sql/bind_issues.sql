-- bindings of goods issues: stock and shipment documents of an ERP, in both orders
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include

UPDATE routing.setting SET issue_grace = '30 minutes';
SET ROLE regress_bind_erp;
CREATE TABLE erp.stock (whse text, sku text, qty numeric, PRIMARY KEY (whse, sku));
CREATE TABLE erp.head (doc text PRIMARY KEY, cust text DEFAULT 'C1', st text);
CREATE TABLE erp.pos (doc text, ln int, sku text, qty numeric, st text, PRIMARY KEY (doc, ln));
CREATE TABLE erp.ship (slip text, line int, so text, so_line int, sku text, whse text, qty numeric, at timestamptz DEFAULT '2026-01-02 03:04:05Z',
					   PRIMARY KEY (slip, line));
RESET ROLE;
SELECT routing.bind('stock', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"],
  "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}');
SELECT routing.bind('shop', '{
  "orders": {"query": "SELECT doc, cust AS customer, ''US'' AS country, ''60614'' AS postal_code, current_date + 3 AS requested_on FROM erp.head",
	"key": ["doc"], "watch": [{"table": "erp.head", "key": ["doc"], "columns": ["cust"]}],
	"write_back": {"table": "erp.head", "columns": {"status": "st"}}},
  "lines": {"table": "erp.pos", "key": ["doc", "ln"], "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"},
	"write_back": {"columns": {"status": "st"}}}}');
SELECT routing.bind('ships', '{"issues": {"table": "erp.ship", "key": ["slip"],
  "columns": {"order_id": "so", "line_no": "so_line", "item": "sku", "node": "whse", "quantity": "qty", "shipped_at": "at"}}}');
CREATE VIEW public.held AS
	SELECT source_key, order_id, line_no, item, node, quantity, unbooked FROM routing.issue ORDER BY 1, 2, 3, 4, 5;
CREATE VIEW public.states AS
	SELECT l.order_id, l.line_no AS line, l.quantity, l.status, coalesce(b.states, '') AS bookings
	FROM routing.sales_order_line l LEFT JOIN LATERAL (
		SELECT string_agg(format('%s %s', trim_scale(s.quantity), s.state), ', ' ORDER BY s.state) AS states
		FROM (SELECT r.state, sum(r.quantity) AS quantity FROM routing.reservation r
			  WHERE r.order_id = l.order_id AND r.line_no = l.line_no AND (r."to" IS NULL OR r.state = 'shipped') GROUP BY 1) s) b ON true
	ORDER BY 1, 2;
CREATE VIEW public.waits AS
	SELECT item, node, trim_scale(coalesce(sum(q) FILTER (WHERE q > 0), 0) / 10000) AS fallen,
		   trim_scale(coalesce(sum(-q) FILTER (WHERE q < 0), 0) / 10000) AS expected
	FROM routing.position, unnest(falls) WITH ORDINALITY u(q, k) WHERE k % 2 = 0 GROUP BY 1, 2 ORDER BY 1, 2;
CREATE VIEW public.avail AS SELECT item, node, on_hand, promised, atp FROM routing.availability ORDER BY 1, 2;
CREATE VIEW public.errors AS SELECT type, order_id, line_no, item, node, facts ->> 'quantity' AS quantity, state FROM routing.exception ORDER BY exception_id;

SET ROLE regress_bind_erp;
INSERT INTO erp.stock VALUES ('CHI', 'A', 20), ('CHI', 'B', 5), ('DAL', 'A', 100);
INSERT INTO erp.head SELECT 'S' || n FROM generate_series(1, 6) n;
INSERT INTO erp.pos SELECT 'S' || n, 1, 'A', 3 FROM generate_series(1, 6) n;
INSERT INTO erp.pos VALUES ('S1', 2, 'B', 2);
RESET ROLE;
SELECT * FROM avail WHERE node = 'CHI';

-- in one transaction: stock first, then the document, and the other way round
SET ROLE regress_bind_erp;
BEGIN;
UPDATE erp.stock SET qty = qty - 3 WHERE whse = 'CHI' AND sku = 'A';
INSERT INTO erp.ship VALUES ('D1', 1, 'S1', 1, 'A', 'CHI', 3);
COMMIT;
BEGIN;
INSERT INTO erp.ship VALUES ('D1', 2, 'S1', 2, 'B', 'CHI', 2), ('D2', 1, 'S2', 1, 'A', 'CHI', 3);
UPDATE erp.stock SET qty = qty - 3 WHERE whse = 'CHI' AND sku = 'A';
UPDATE erp.stock SET qty = qty - 2 WHERE whse = 'CHI' AND sku = 'B';
COMMIT;
RESET ROLE;
SELECT * FROM states WHERE order_id IN ('S1', 'S2');
SELECT * FROM avail WHERE node = 'CHI'; SELECT * FROM waits; SELECT * FROM held; SELECT * FROM routing.verify();
SELECT doc, st FROM erp.head WHERE doc IN ('S1', 'S2', 'S3') ORDER BY 1;
SELECT payload FROM routing.event WHERE type = 'order.shipped.v1' AND aggregateid = 'S2';

-- in two transactions: the document first
SET ROLE regress_bind_erp;
INSERT INTO erp.ship VALUES ('D3', 1, 'S3', 1, 'A', 'CHI', 3);
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S3'; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A'; SELECT * FROM waits;
SET ROLE regress_bind_erp;
UPDATE erp.stock SET qty = qty - 3 WHERE whse = 'CHI' AND sku = 'A';
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S3'; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A'; SELECT * FROM waits; SELECT * FROM routing.verify();
-- the stock first
SET ROLE regress_bind_erp;
UPDATE erp.stock SET qty = qty - 3 WHERE whse = 'CHI' AND sku = 'A';
RESET ROLE;
SELECT * FROM states WHERE order_id > 'S3'; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A'; SELECT * FROM waits;
SET ROLE regress_bind_erp;
INSERT INTO erp.ship VALUES ('D4', 1, 'S4', 1, 'A', 'CHI', 3);
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S4'; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A'; SELECT * FROM waits; SELECT * FROM routing.verify();

-- each document is applied once: what does not change it changes nothing
SELECT max(seq) AS seq FROM routing.event \gset
SET ROLE regress_bind_erp;
UPDATE erp.ship SET at = at + interval '1 day';
BEGIN;
DELETE FROM erp.ship WHERE slip = 'D4';
INSERT INTO erp.ship VALUES ('D4', 7, 'S4', 1, 'A', 'CHI', 1), ('D4', 8, 'S4', 1, 'A', 'CHI', 2);
COMMIT;
RESET ROLE;
SELECT count(*) AS new_events FROM routing.event WHERE seq > :seq;
SELECT routing.sync('ships'), (SELECT count(*) FROM routing.reconcile('ships')) AS differences;

-- a document is corrected: one comes back, first the document, then the stock
SET ROLE regress_bind_erp;
UPDATE erp.ship SET qty = 1 WHERE slip = 'D4' AND line = 8;
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S4'; SELECT * FROM waits; SELECT * FROM held WHERE source_key = 'D4'; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A';
SET ROLE regress_bind_erp;
UPDATE erp.stock SET qty = qty + 1 WHERE whse = 'CHI' AND sku = 'A';
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S4'; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A'; SELECT * FROM routing.verify();
SELECT type, payload -> 'shipments' AS shipments FROM routing.event WHERE aggregateid = 'S4' ORDER BY seq DESC LIMIT 1;
-- an issue that has not met its fall is taken back: nothing has happened
SET ROLE regress_bind_erp;
INSERT INTO erp.ship VALUES ('D5', 1, 'S5', 1, 'A', 'CHI', 3);
DELETE FROM erp.ship WHERE slip = 'D5';
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S5'; SELECT * FROM waits; SELECT * FROM held WHERE source_key = 'D5'; SELECT * FROM routing.verify();

-- more than is booked has left all the same
SET ROLE regress_bind_erp;
INSERT INTO erp.ship VALUES ('D5', 1, 'S5', 1, 'A', 'CHI', 5);
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S5'; SELECT * FROM errors; SELECT * FROM waits; SELECT * FROM held WHERE source_key = 'D5';
SET ROLE regress_bind_erp;
UPDATE erp.stock SET qty = qty - 5 WHERE whse = 'CHI' AND sku = 'A';
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S5'; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A'; SELECT * FROM waits; SELECT * FROM routing.verify();
-- corrected to what was booked: that stays shipped
SET ROLE regress_bind_erp;
BEGIN;
UPDATE erp.ship SET qty = 3 WHERE slip = 'D5';
UPDATE erp.stock SET qty = qty + 2 WHERE whse = 'CHI' AND sku = 'A';
COMMIT;
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S5'; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A'; SELECT * FROM waits; SELECT * FROM held WHERE source_key = 'D5';
SELECT * FROM routing.verify();

-- documents that cannot be applied wait, the others go
SET ROLE regress_bind_erp;
INSERT INTO erp.ship VALUES ('E1', 1, 'NO', 1, 'A', 'CHI', 1), ('E2', 1, 'S6', 9, NULL, 'CHI', 1), ('E3', 1, 'S6', 1, 'X', 'CHI', 1),
	('E4', 1, 'S6', 1, 'A', 'MOON', 1), ('E5', 1, 'S6', 1, 'A', 'CHI', -1), ('E6', 1, NULL, 1, 'A', 'CHI', 1),
	('E7', 1, 'S6', NULL, NULL, 'CHI', 1), ('E8', 1, 'S6', 0, 'A', 'CHI', 1), ('OK', 1, 'S6', 1, NULL, 'CHI', 1);
RESET ROLE;
SELECT * FROM pending_state ORDER BY binding, concept, key;
SELECT * FROM states WHERE order_id = 'S6';
SELECT key, field, erp_value, engine_value FROM routing.reconcile('ships') ORDER BY 1;
SET ROLE regress_bind_erp;
DELETE FROM erp.ship WHERE slip LIKE 'E_';
-- an order and its issue in one transaction: the issue is applied when the order is routed
BEGIN;
INSERT INTO erp.head VALUES ('NEW');
INSERT INTO erp.pos VALUES ('NEW', 1, 'A', 2);
INSERT INTO erp.ship VALUES ('D9', 1, 'NEW', 1, 'A', 'CHI', 2);
COMMIT;
RESET ROLE;
SELECT * FROM pending_state ORDER BY binding, concept, key;
SELECT routing.run_jobs();
SELECT * FROM states WHERE order_id = 'NEW';
-- an order that is cancelled, whose line is gone, was shipped; a line changes with its issue
SET ROLE regress_bind_erp;
DELETE FROM erp.pos WHERE doc = 'S3';
DELETE FROM erp.head WHERE doc = 'S3';
INSERT INTO erp.ship VALUES ('D10', 1, 'S3', 1, 'A', 'CHI', 1);
BEGIN;
UPDATE erp.pos SET qty = 8 WHERE doc = 'S6';
INSERT INTO erp.ship VALUES ('D6', 1, 'S6', NULL, 'A', 'CHI', 2);
UPDATE erp.stock SET qty = qty - 4 WHERE whse = 'CHI' AND sku = 'A';
COMMIT;
RESET ROLE;
SELECT * FROM states WHERE order_id IN ('S3', 'S6'); SELECT * FROM waits; SELECT * FROM errors; SELECT * FROM avail WHERE node = 'CHI' AND item = 'A';
SELECT aggregateversion, type FROM routing.event WHERE aggregateid = 'S6' ORDER BY seq;
SELECT * FROM routing.verify();
-- less than is shipped is the ERP's contradiction
SET ROLE regress_bind_erp;
UPDATE erp.pos SET qty = 2 WHERE doc = 'S6';
RESET ROLE;
SELECT * FROM pending_state ORDER BY binding, concept, key;
SET ROLE regress_bind_erp;
UPDATE erp.pos SET qty = 3 WHERE doc = 'S6';
RESET ROLE;
SELECT routing.run_jobs();
SELECT * FROM states WHERE order_id = 'S6'; SELECT doc, st FROM erp.head WHERE doc = 'S6'; SELECT * FROM routing.verify();

-- a document of several lines by a query, lines by their key; a pause
SELECT routing.unbind('ships');
SELECT routing.bind('ships', '{"issues": {"query": "SELECT slip, so AS order_id, so_line::text AS line_key, whse AS node, sum(qty) AS quantity FROM erp.ship GROUP BY 1, 2, 3, 4",
  "key": ["slip"], "watch": [{"table": "erp.ship", "key": ["slip"], "columns": ["so", "so_line", "whse", "qty"]}]}}');
SELECT routing.pause('ships');
SET ROLE regress_bind_erp;
INSERT INTO erp.ship VALUES ('D11', 1, 'S4', 1, 'A', 'CHI', 0.5), ('D11', 2, 'S4', 1, 'A', 'CHI', 0.5);
RESET ROLE;
SELECT * FROM pending_state ORDER BY binding, concept, key;
SELECT routing.resume('ships');
SELECT * FROM states WHERE order_id = 'S4';
-- emptied: everything is given back
SET ROLE regress_bind_erp;
BEGIN;
TRUNCATE erp.ship;
UPDATE erp.stock SET qty = 40 WHERE whse = 'CHI';
COMMIT;
RESET ROLE;
SELECT * FROM states; SELECT count(*) FROM held; SELECT * FROM pending_state ORDER BY binding, concept, key; SELECT * FROM routing.verify();

-- dedicated supply that nobody but the document lowers: taken back with it, for the line that it was for
UPDATE routing.node SET stock_feed = false WHERE node = 'DAL';
INSERT INTO routing.supply (item, node, ref, quantity, order_id) VALUES ('B', 'DAL', 'CABLE', 3, 'S20');
SET ROLE regress_bind_erp;
INSERT INTO erp.head VALUES ('S20');
INSERT INTO erp.pos VALUES ('S20', 1, 'B', 3), ('S20', 2, 'B', 1);
INSERT INTO erp.ship VALUES ('D20', 1, 'S20', 1, 'B', 'DAL', 3);
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S20'; SELECT quantity FROM routing.supply WHERE ref = 'CABLE'; SELECT * FROM routing.verify();
SET ROLE regress_bind_erp;
UPDATE erp.ship SET qty = 2 WHERE slip = 'D20';
RESET ROLE;
SELECT * FROM states WHERE order_id = 'S20'; SELECT quantity FROM routing.supply WHERE ref = 'CABLE'; SELECT * FROM waits WHERE node = 'DAL'; SELECT * FROM routing.verify();

-- definitions that are refused
SELECT public.try($$SELECT routing.bind('x', '{"issues": {"table": "erp.ship", "key": ["slip"], "columns": {"order_id": "so", "quantity": "qty"}}}')$$);
SELECT public.try($$SELECT routing.bind('x', '{"issues": {"table": "erp.ship", "key": ["slip"], "columns": {"order_id": "so", "node": "whse", "quantity": "qty", "shipped_at": "sku"}}}')$$);
SELECT public.try($$SELECT routing.bind('x', '{"issues": {"table": "erp.ship", "key": ["slip"], "columns": {"order_id": "so", "node": "whse", "quantity": "qty"}},
	"supply": {"table": "erp.stock", "key": ["whse"], "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}')$$);
\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
