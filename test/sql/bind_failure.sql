-- whatever goes wrong in the engine, the ERP's transaction does not fail
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include
\set VERBOSITY terse

SET ROLE regress_bind_erp;
CREATE TABLE erp.head (doc int PRIMARY KEY, cust text, zip text DEFAULT '60614', st text, why text);
CREATE TABLE erp.pos (doc int, id int, ln int, sku text, qty numeric, st text, PRIMARY KEY (doc, id));
CREATE TABLE erp.stock (whse text, sku text, qty numeric, PRIMARY KEY (whse, sku));
-- what the next order runs into: the mappings call erp.risk
CREATE TABLE erp.risk (doc int PRIMARY KEY, what text);
CREATE FUNCTION erp.risk(doc int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	CASE (SELECT r.what FROM erp.risk r WHERE r.doc = risk.doc)
		WHEN 'divide' THEN RETURN 1 / (risk.doc - risk.doc);
		WHEN 'lock' THEN RAISE EXCEPTION 'the row is locked' USING ERRCODE = 'lock_not_available';
		WHEN 'deadlock' THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';
		WHEN 'memory' THEN RAISE EXCEPTION 'out of memory' USING ERRCODE = 'out_of_memory';
		WHEN 'serialize' THEN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure';
		WHEN 'internal' THEN RAISE EXCEPTION 'something is wrong' USING ERRCODE = 'data_corrupted';
		WHEN 'shutdown' THEN RAISE EXCEPTION 'going away' USING ERRCODE = 'admin_shutdown';
		WHEN 'sleep' THEN PERFORM pg_catalog.pg_sleep(5);
		WHEN 'cancel' THEN
			PERFORM erp.cancel_me();
			PERFORM pg_catalog.pg_sleep(5);
		ELSE NULL;
	END CASE;
	RETURN 0;
END
$$;
CREATE PROCEDURE erp.save(doc int, VARIADIC items text[]) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO erp.head (doc, cust) VALUES (save.doc, 'C1');
	INSERT INTO erp.pos (doc, id, ln, sku, qty)
		SELECT save.doc, i, i, sku, 1 FROM unnest(items) WITH ORDINALITY u (sku, i);
END
$$;
RESET ROLE;

SELECT routing.bind('shop', '{
  "orders": {"query": "SELECT h.doc, h.cust AS customer, ''US'' AS country, h.zip AS postal_code, 5 + erp.risk(h.doc) AS priority FROM erp.head h",
    "key": ["doc"], "watch": [{"table": "erp.head", "key": ["doc"], "columns": ["cust", "zip"]}],
    "write_back": {"table": "erp.head", "columns": {"status": "st", "reason": "why"}}},
  "lines": {"table": "erp.pos", "key": ["doc", "id"], "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"},
    "write_back": {"columns": {"status": "st"}}}}');
SELECT routing.bind('stock', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"],
    "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}');
INSERT INTO erp.stock VALUES ('CHI', 'A', 100), ('CHI', 'B', 100), ('DAL', 'A', 50);

-- bad rows are data: each is pending with its reason, the others of the transaction are routed
SET ROLE regress_bind_erp;
BEGIN;
CALL erp.save(1, 'A', 'B');
CALL erp.save(2, 'A', 'no such item');
CALL erp.save(3, 'A');
UPDATE erp.pos SET qty = 0 WHERE doc = 3;
CALL erp.save(4, 'A');
UPDATE erp.pos SET qty = -1 WHERE doc = 4;
CALL erp.save(5, 'A');
UPDATE erp.pos SET qty = 'NaN' WHERE doc = 5;
CALL erp.save(6, 'A');
UPDATE erp.pos SET qty = 1.00005 WHERE doc = 6;
CALL erp.save(7, 'A');
UPDATE erp.pos SET qty = 1e30 WHERE doc = 7;
CALL erp.save(8, 'A');
UPDATE erp.pos SET qty = NULL WHERE doc = 8;
CALL erp.save(9, 'A');
UPDATE erp.head SET cust = 'nobody' WHERE doc = 9;
CALL erp.save(10, 'A', 'B');
UPDATE erp.pos SET ln = 1 WHERE doc = 10;
CALL erp.save(11, 'A');
UPDATE erp.head SET zip = NULL WHERE doc = 11;
CALL erp.save(12, 'A');
UPDATE erp.head SET cust = NULL WHERE doc = 12;
CALL erp.save(13, 'A');
UPDATE erp.pos SET sku = NULL WHERE doc = 13;
CALL erp.save(14, 'A');
UPDATE erp.pos SET ln = 0 WHERE doc = 14;
CALL erp.save(15, 'B');
CALL erp.save(16, 'A');
UPDATE erp.pos SET qty = 'Infinity' WHERE doc = 16;
COMMIT;
RESET ROLE;
SELECT count(*) AS kept FROM erp.head;
SELECT key, sqlstate, reason FROM pending_state WHERE binding = 'shop' ORDER BY key::int;
SELECT doc, st FROM erp.head WHERE st IS NOT NULL ORDER BY 1;
SELECT order_id, status FROM order_state ORDER BY order_id::int;
SELECT * FROM booked ORDER BY order_id::int, line_no;
SELECT count(*) FROM routing.verify();

-- the ERP corrects some, and each is settled by that
UPDATE erp.pos SET qty = 2 WHERE doc IN (3, 4, 5, 16);
UPDATE erp.head SET cust = 'C2' WHERE doc = 9;
DELETE FROM erp.pos WHERE doc = 6;
DELETE FROM erp.head WHERE doc = 6;
SELECT key FROM pending_state ORDER BY key::int;
SELECT doc, st FROM erp.head WHERE st IS NOT NULL ORDER BY 1;
-- for another the item is added, and then the jobs run
INSERT INTO routing.item (item) VALUES ('no such item');
SELECT routing.run_jobs();
SELECT doc, st, why FROM erp.head WHERE doc = 2;
SELECT sku, st FROM erp.pos WHERE doc = 2 ORDER BY id;
SELECT attempts FROM routing.pending WHERE key = '7';
-- a correct order that becomes a bad one keeps what it has
UPDATE erp.pos SET qty = -5 WHERE doc = 1 AND id = 1;
SELECT key, sqlstate, reason FROM pending_state WHERE key = '1';
SELECT * FROM booked WHERE order_id = '1' ORDER BY line_no;
SELECT * FROM routing.reconcile('shop') WHERE key = '1';
UPDATE erp.pos SET qty = 5 WHERE doc = 1 AND id = 1;
SELECT * FROM booked WHERE order_id = '1' ORDER BY line_no;
DELETE FROM erp.pos WHERE doc IN (SELECT key::int FROM routing.pending);
DELETE FROM erp.head WHERE doc IN (SELECT key::int FROM routing.pending);
SELECT count(*) FROM routing.pending;

-- each class of failure, while another order is saved in the same transaction
INSERT INTO erp.risk VALUES (101, 'divide'), (102, 'lock'), (103, 'deadlock'), (104, 'memory'), (105, 'internal');
BEGIN; CALL erp.save(101, 'A'); CALL erp.save(201, 'A'); COMMIT;
CALL erp.save(102, 'A');
CALL erp.save(103, 'A');
CALL erp.save(104, 'A');
CALL erp.save(105, 'A');
SELECT key, sqlstate, reason FROM pending_state ORDER BY key::int;
SELECT doc, st FROM erp.head WHERE doc > 100 ORDER BY 1;
SELECT item, node, atp FROM routing.availability ORDER BY 1, 2;
SELECT count(*) FROM routing.verify();
SELECT routing.run_jobs();
SELECT key, attempts FROM routing.pending ORDER BY key::int;
SELECT problem, remedy FROM (SELECT regexp_replace(problem, 'since [^:]*[0-9:]*[^:]*: ', 'since ...: ') AS problem, remedy
	FROM routing.doctor() WHERE subject = 'binding shop') d;
-- the causes are gone
DELETE FROM erp.risk;
SELECT routing.resume('shop');
SELECT doc, st FROM erp.head WHERE doc > 100 ORDER BY 1;
SELECT count(*) FROM routing.pending;
SELECT count(*) FROM routing.reconcile('shop');

-- our own time limit
INSERT INTO erp.risk VALUES (111, 'sleep');
SET routing.settle_timeout = '100ms';
CALL erp.save(111, 'A');
SELECT key, sqlstate, reason FROM pending_state;
SELECT routing.run_jobs();
DELETE FROM erp.risk;
SELECT routing.run_jobs();
SELECT doc, st FROM erp.head WHERE doc = 111;
-- it does not outlive the settlement
SELECT pg_sleep(0.2);
RESET routing.settle_timeout;

-- a session that wants to be stopped is stopped: nothing is saved
CREATE FUNCTION erp.cancel_me() RETURNS boolean LANGUAGE sql SECURITY DEFINER
	AS 'SELECT pg_catalog.pg_cancel_backend(pg_catalog.pg_backend_pid())';
INSERT INTO erp.risk VALUES (112, 'cancel'), (113, 'serialize'), (114, 'shutdown');
CALL erp.save(112, 'A');
CALL erp.save(113, 'A');
CALL erp.save(114, 'A');
SELECT count(*) AS saved FROM erp.head WHERE doc IN (112, 113, 114);
-- also where a limit of ours was reached before
UPDATE erp.risk SET what = 'sleep' WHERE doc = 112;
SET routing.settle_timeout = '100ms';
CALL erp.save(112, 'A');
RESET routing.settle_timeout;
CALL erp.save(113, 'A');
UPDATE erp.risk SET what = 'cancel' WHERE doc = 113;
CALL erp.save(113, 'A');
SET statement_timeout = '100ms';
SELECT routing.run_jobs();
RESET statement_timeout;
SELECT key, sqlstate FROM pending_state;
DELETE FROM erp.risk;
SELECT routing.run_jobs();
SELECT doc, st FROM erp.head WHERE doc IN (112, 113, 114);
SELECT count(*) FROM routing.verify();

-- a pending supply key: what the engine holds from it offers nothing until it is settled
SELECT routing.atp('A', 'CHI'), routing.atp('A', 'DAL');
UPDATE erp.stock SET qty = 'NaN' WHERE whse = 'CHI' AND sku = 'A';
SELECT * FROM pending_state;
SELECT routing.atp('A', 'CHI'), routing.atp('A', 'DAL'), routing.atp('B', 'CHI');
SELECT item, node, atp FROM routing.availability ORDER BY 1, 2;
CALL erp.save(121, 'A', 'B');
SELECT * FROM booked WHERE order_id = '121' ORDER BY line_no;
UPDATE erp.stock SET qty = 80 WHERE whse = 'CHI' AND sku = 'A';
SELECT count(*) FROM routing.pending;
SELECT routing.atp('A', 'CHI'), routing.atp('A', 'DAL');
CALL erp.save(122, 'A');
SELECT * FROM booked WHERE order_id = '122' ORDER BY line_no;
-- one bad row does not take the others with it
BEGIN;
UPDATE erp.stock SET qty = qty + 10;
INSERT INTO erp.stock VALUES ('nowhere', 'A', 1), ('CHI', 'nothing', 1), ('CHI', 'C', -3), ('DAL', 'C', NULL);
CALL erp.save(123, 'C', 'A');
COMMIT;
SELECT * FROM pending_state ORDER BY key;
SELECT item, node, on_hand, atp FROM routing.availability ORDER BY 1, 2;
SELECT doc, st, why FROM erp.head WHERE doc = 123;
DELETE FROM erp.stock WHERE whse = 'nowhere' OR sku = 'nothing' OR qty IS NULL;
SELECT count(*) FROM routing.pending;
SELECT count(*) FROM routing.reconcile('stock');
SELECT count(*) FROM routing.verify();

-- the write-back fails: a trigger of the ERP refuses it
SET ROLE regress_bind_erp;
CREATE FUNCTION erp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'document % is closed', NEW.doc;
END
$$;
CREATE TRIGGER refuse BEFORE UPDATE OF st ON erp.head FOR EACH ROW WHEN (NEW.doc = 131) EXECUTE FUNCTION erp.refuse();
BEGIN; CALL erp.save(130, 'A'); CALL erp.save(131, 'A'); CALL erp.save(132, 'A'); COMMIT;
RESET ROLE;
SELECT key, sqlstate, reason FROM pending_state;
SELECT doc, st FROM erp.head WHERE doc BETWEEN 130 AND 132 ORDER BY 1;
SELECT order_id FROM booked WHERE order_id IN ('130', '131', '132') ORDER BY 1;
DROP TRIGGER refuse ON erp.head;
SELECT routing.resume('shop');
SELECT doc, st FROM erp.head WHERE doc = 131;

-- the ERP's tables are altered
ALTER TABLE erp.pos ADD COLUMN note text;
ALTER TABLE erp.pos ALTER COLUMN note TYPE varchar(20);
ALTER TABLE erp.pos RENAME COLUMN note TO remark;
CALL erp.save(141, 'A');
ALTER TABLE erp.pos DROP COLUMN remark;
ALTER TABLE erp.pos ALTER COLUMN qty TYPE numeric(12, 3);
CALL erp.save(142, 'A');
SELECT doc, st FROM erp.head WHERE doc IN (141, 142) ORDER BY 1;
SELECT count(*) FROM routing.pending;
-- a column more in a mapping of the form SELECT x.*: the others are not mistaken for it
SET ROLE regress_bind_erp;
CREATE TABLE erp.ready (node text, item text, quantity int, PRIMARY KEY (node, item));
RESET ROLE;
SELECT routing.bind('ready', '{"supply": {"query": "SELECT x.*, ''ready'' AS ref FROM erp.ready x", "key": ["node", "item"],
    "watch": [{"table": "erp.ready", "key": ["node", "item"]}]}}');
INSERT INTO erp.ready VALUES ('NYC', 'B', 3);
ALTER TABLE erp.ready ADD COLUMN colour text DEFAULT 'red';
UPDATE erp.ready SET quantity = 4;
SELECT key, sqlstate, reason FROM pending_state;
SELECT ref, quantity FROM routing.supply WHERE binding = 'ready';
ALTER TABLE erp.ready DROP COLUMN colour;
ALTER TABLE erp.ready ALTER COLUMN quantity TYPE bigint;
SELECT routing.run_jobs();
SELECT ref, quantity FROM routing.supply WHERE binding = 'ready';
SELECT routing.unbind('ready');
-- a mapped column is renamed
ALTER TABLE erp.pos RENAME COLUMN sku TO article;
UPDATE erp.pos SET qty = 7 WHERE doc = 141;
INSERT INTO erp.head (doc, cust) VALUES (143, 'C1');
-- the state depends on whether this session has read the mapping before
SELECT key, sqlstate IN ('42703', 'RT021') AS broken, substring(reason FROM 'column t.*') AS reason FROM pending_state ORDER BY 1;
-- other bindings go on
BEGIN;
UPDATE erp.pos SET qty = 8 WHERE doc = 141;
UPDATE erp.stock SET qty = 500 WHERE whse = 'DAL' AND sku = 'A';
COMMIT;
SELECT binding, key FROM pending_state ORDER BY 1, 2;
SELECT routing.atp('A', 'DAL') > 400 AS stock_came;
ALTER TABLE erp.pos RENAME COLUMN article TO sku;
SELECT routing.resume('shop');
SELECT * FROM booked WHERE order_id IN ('141', '143') ORDER BY 1;
-- a key column is renamed
ALTER TABLE erp.pos RENAME COLUMN doc TO document;
UPDATE erp.pos SET qty = 9 WHERE document = 141;
INSERT INTO erp.pos (document, id, ln, sku, qty) VALUES (143, 1, 1, 'A', 1);
SELECT key, sqlstate IN ('42703', 'RT021') AS broken, substring(reason FROM 'column t.*|a key.*') AS reason
FROM pending_state WHERE key IN ('*', '141', '143') ORDER BY 1;
SELECT severity, subject, problem ~ 'keys are pending' AS pending FROM routing.doctor() WHERE subject = 'binding shop';
ALTER TABLE erp.pos RENAME COLUMN document TO doc;
SELECT routing.resume('shop');
SELECT * FROM booked WHERE order_id IN ('141', '143') ORDER BY 1;
-- an order that is new meanwhile is not lost; the jobs cannot find it, resume and sync do
ALTER TABLE erp.head RENAME COLUMN doc TO document;
INSERT INTO erp.head (document, cust) VALUES (144, 'C1');
INSERT INTO erp.pos (doc, id, ln, sku, qty) VALUES (144, 1, 1, 'A', 1);
ALTER TABLE erp.head RENAME COLUMN document TO doc;
SELECT routing.run_jobs();
SELECT key, sqlstate FROM pending_state;
SELECT routing.sync('shop');
SELECT * FROM pending_state;
SELECT * FROM booked WHERE order_id = '144';
SELECT count(*) FROM routing.reconcile('shop');
-- a watched table is renamed away, and dropped
ALTER TABLE erp.stock RENAME TO stock_old;
UPDATE erp.stock_old SET qty = 400 WHERE whse = 'DAL' AND sku = 'A';
SELECT binding, sqlstate, reason FROM pending_state ORDER BY 1, 2;
SELECT severity, problem FROM routing.doctor() WHERE subject = 'binding stock' AND severity = 'error';
ALTER TABLE erp.stock_old RENAME TO stock;
SELECT routing.run_jobs();
DROP TABLE erp.stock;
SELECT severity, problem FROM routing.doctor() WHERE subject = 'binding stock' AND severity = 'error';
SELECT routing.unbind('stock');
SELECT count(*) FROM routing.verify();

-- on_failure = fail: the error reaches the ERP and nothing is saved
SET ROLE regress_bind_erp;
CREATE TABLE erp.s_head (doc int PRIMARY KEY, cust text, st text);
CREATE TABLE erp.s_pos (doc int, ln int, sku text, qty int, PRIMARY KEY (doc, ln));
RESET ROLE;
SELECT routing.bind('strict', '{
  "orders": {"query": "SELECT doc, cust AS customer, ''US'' AS country, ''60614'' AS postal_code, 5 + erp.risk(doc) AS priority FROM erp.s_head",
    "key": ["doc"], "watch": [{"table": "erp.s_head", "key": ["doc"], "columns": ["cust"]}],
    "write_back": {"table": "erp.s_head", "columns": {"status": "st"}}},
  "lines": {"table": "erp.s_pos", "key": ["doc", "ln"], "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"}}}', 'fail');
BEGIN;
INSERT INTO erp.s_head VALUES (1001, 'C1');
INSERT INTO erp.s_pos VALUES (1001, 1, 'nothing', 1);
COMMIT;
BEGIN;
INSERT INTO erp.s_head VALUES (1002, 'C1');
INSERT INTO erp.s_pos VALUES (1002, 1, 'B', 0);
COMMIT;
INSERT INTO erp.risk VALUES (1003, 'divide');
BEGIN;
INSERT INTO erp.s_head VALUES (1003, 'C1');
INSERT INTO erp.s_pos VALUES (1003, 1, 'B', 1);
COMMIT;
SELECT count(*) FROM erp.s_head;
SELECT count(*) FROM routing.pending;
SELECT count(*) FROM order_state WHERE order_id LIKE '100%';
DELETE FROM erp.risk;
BEGIN;
INSERT INTO erp.s_head VALUES (1003, 'C1');
INSERT INTO erp.s_pos VALUES (1003, 1, 'B', 1);
COMMIT;
SELECT * FROM erp.s_head;

-- an order id belongs to one binding
BEGIN;
CALL erp.save(1003, 'A');
CALL erp.save(1004, 'A');
COMMIT;
SELECT * FROM pending_state;
SELECT doc, st FROM erp.head WHERE doc IN (1003, 1004) ORDER BY 1;
SELECT count(*) FROM routing.verify();

\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
