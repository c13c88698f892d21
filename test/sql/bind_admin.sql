-- bindings: pause and resume, sync, reconcile, unbind, doctor
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include

SET ROLE regress_bind_erp;
CREATE TABLE erp.head (doc int PRIMARY KEY, cust text, want date, st text);
CREATE TABLE erp.pos (doc int, ln int, sku text, qty numeric, st text, PRIMARY KEY (doc, ln));
CREATE TABLE erp.stock (whse text, sku text, qty numeric, due date, PRIMARY KEY (whse, sku));
-- what was there before the binding
INSERT INTO erp.stock VALUES ('CHI', 'A', 10, NULL), ('DAL', 'B', 5, current_date + 2);
INSERT INTO erp.head VALUES (1, 'C1', NULL), (2, 'C2', current_date + 9);
INSERT INTO erp.pos VALUES (1, 1, 'A', 4), (2, 1, 'A', 1), (2, 2, 'B', 5);
RESET ROLE;
CREATE PROCEDURE public.triggers(how text) LANGUAGE plpgsql AS $$
DECLARE
	statement	text;
BEGIN
	FOR statement IN SELECT format('ALTER TABLE %s %s TRIGGER %I', tgrelid::regclass, how, tgname)
					 FROM pg_trigger WHERE tgname LIKE 'routing%' AND NOT tgisinternal
	LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
CREATE PROCEDURE public.bind_all() LANGUAGE sql AS $$
	SELECT routing.bind('shop', '{
	  "orders": {"query": "SELECT doc, cust AS customer, ''US'' AS country, ''60614'' AS postal_code, want AS requested_on FROM erp.head", "key": ["doc"],
		"watch": [{"table": "erp.head", "key": ["doc"], "columns": ["cust", "want"]}],
		"write_back": {"table": "erp.head", "columns": {"status": "st"}}},
	  "lines": {"table": "erp.pos", "key": ["doc", "ln"], "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"},
		"write_back": {"columns": {"status": "st"}}}}');
	SELECT routing.bind('stock', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"],
	  "columns": {"item": "sku", "node": "whse", "quantity": "qty", "available_on": "due"}}}');
$$;
CALL public.bind_all();
SELECT binding, on_failure, state, bound_by = session_user AS by_me FROM routing.binding ORDER BY 1;
SELECT binding, watch_no, concept, table_schema, table_name, key FROM routing.binding_watch ORDER BY 1, 2;

-- binding alone loads nothing; reconcile shows what differs, sync loads it
SELECT count(*) FROM order_state;
SELECT * FROM routing.reconcile('stock') ORDER BY 1, 2, 3;
SELECT * FROM routing.reconcile('shop') ORDER BY 1, 2, 3;
SELECT routing.sync('stock');
SELECT routing.sync('shop');
SELECT * FROM order_state ORDER BY 1;
SELECT * FROM line_state ORDER BY 1, 2;
SELECT doc, st FROM erp.head ORDER BY 1;
SELECT * FROM routing.reconcile('stock');
SELECT * FROM routing.reconcile('shop');
SELECT routing.sync('stock'), routing.sync('shop');

-- changes while the triggers are off are found and applied
CALL public.triggers('DISABLE');
UPDATE erp.head SET cust = 'C2', want = current_date + 3 WHERE doc = 1;
UPDATE erp.pos SET qty = 6 WHERE doc = 1;
DELETE FROM erp.pos WHERE doc = 2 AND ln = 1;
INSERT INTO erp.pos VALUES (2, 3, 'A', 1);
UPDATE erp.pos SET sku = 'A' WHERE doc = 2 AND ln = 2;
INSERT INTO erp.head VALUES (3, 'C1');
INSERT INTO erp.pos VALUES (3, 1, 'A', 1);
UPDATE erp.stock SET qty = 20 WHERE whse = 'CHI';
UPDATE erp.stock SET due = NULL WHERE whse = 'DAL';
INSERT INTO erp.stock VALUES ('NYC', 'A', 1);
SELECT severity, subject, problem, remedy FROM routing.doctor() WHERE subject LIKE 'binding%' ORDER BY 2, 3;
CALL public.triggers('ENABLE ALWAYS');
SELECT count(*) FROM routing.doctor() WHERE subject LIKE 'binding%';
SELECT concept, key, field, CASE WHEN field = 'available_on' THEN NULL ELSE erp_value END AS erp_value,
	   CASE WHEN field = 'available_on' THEN (engine_value::date - current_date)::text ELSE engine_value END AS engine_value
FROM routing.reconcile('stock') ORDER BY 1, 2, 3;
SELECT concept, key, field, CASE WHEN field = 'requested_on' THEN (erp_value::date - current_date)::text ELSE erp_value END AS erp_value, engine_value
FROM routing.reconcile('shop') ORDER BY 1, 2, 3;
SELECT routing.sync('stock');
SELECT routing.sync('shop');
SELECT * FROM routing.reconcile('stock');
SELECT * FROM routing.reconcile('shop');
SELECT * FROM order_state ORDER BY 1;
SELECT * FROM booked ORDER BY 1, 2, 4;
SELECT count(*) FROM routing.verify();
-- an order deleted while the triggers are off
CALL public.triggers('DISABLE');
DELETE FROM erp.pos WHERE doc = 3;
DELETE FROM erp.head WHERE doc = 3;
CALL public.triggers('ENABLE ALWAYS');
SELECT * FROM routing.reconcile('shop');
SELECT routing.sync('shop');
SELECT * FROM order_state WHERE order_id = '3';

-- a paused binding only notes
SELECT routing.pause('shop');
SELECT state FROM routing.binding WHERE binding = 'shop';
BEGIN;
INSERT INTO erp.head VALUES (4, 'C1');
INSERT INTO erp.pos VALUES (4, 1, 'A', 1);
COMMIT;
UPDATE erp.pos SET qty = 2 WHERE doc = 4;
UPDATE erp.pos SET qty = 1 WHERE doc = 1;
SELECT * FROM pending_state ORDER BY key;
SELECT count(*) FROM order_state WHERE order_id = '4';
SELECT severity, subject, regexp_replace(problem, 'since .*: ', 'since ...: ') AS problem, remedy
FROM routing.doctor() WHERE subject LIKE 'binding%' ORDER BY 2, 3;
-- the jobs leave it alone
SELECT routing.run_jobs();
SELECT routing.resume('shop');
SELECT * FROM pending_state;
SELECT doc, st FROM erp.head ORDER BY 1;
SELECT * FROM booked ORDER BY 1, 2, 4;
-- what is in a paused supply binding offers nothing where it changed
SELECT routing.pause('stock');
UPDATE erp.stock SET qty = qty + 1 WHERE whse = 'CHI';
SELECT item, node, atp FROM routing.availability ORDER BY 1, 2;
SELECT routing.resume('stock');
SELECT item, node, atp FROM routing.availability ORDER BY 1, 2;
-- pause and change in one transaction, rolled back
BEGIN;
SELECT routing.pause('shop');
UPDATE erp.pos SET qty = 3 WHERE doc = 4;
ROLLBACK;
UPDATE erp.pos SET qty = 3 WHERE doc = 4;
SELECT quantity FROM line_state WHERE order_id = '4';
SELECT * FROM pending_state;

-- an order that the ERP cancels by its status
SELECT routing.unbind('shop');
SELECT routing.bind('shop', '{
  "orders": {"query": "SELECT doc, cust AS customer, ''US'' AS country, ''60614'' AS postal_code, want AS requested_on, CASE WHEN cust = ''void'' THEN ''cancelled'' END AS status FROM erp.head", "key": ["doc"],
	"watch": [{"table": "erp.head", "key": ["doc"], "columns": ["cust", "want"]}],
	"write_back": {"table": "erp.head", "columns": {"status": "st"}, "status_map": {"cancelled": "gone"}}},
  "lines": {"table": "erp.pos", "key": ["doc", "ln"], "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"},
	"write_back": {"columns": {"status": "st"}}}}');
-- bound again, the engine's orders are still the ERP's
SELECT * FROM routing.reconcile('shop');
UPDATE erp.head SET cust = 'void' WHERE doc = 4;
SELECT * FROM order_state WHERE order_id = '4';
SELECT h.doc, h.st, p.st AS line FROM erp.head h JOIN erp.pos p USING (doc) WHERE doc = 4;
UPDATE erp.head SET cust = 'C1' WHERE doc = 4;
SELECT h.doc, h.st, p.st AS line FROM erp.head h JOIN erp.pos p USING (doc) WHERE doc = 4;
SELECT count(*) FROM routing.verify();

-- unbind takes the triggers off and leaves orders and supply
SELECT routing.unbind('shop');
SELECT try($$ SELECT routing.unbind('shop') $$);
SELECT try($$ SELECT routing.pause('shop') $$);
SELECT try($$ SELECT routing.resume('nothing') $$);
SELECT try($$ SELECT routing.sync('nothing') $$);
SELECT try($$ SELECT * FROM routing.reconcile('nothing') $$);
SELECT try($$ SELECT routing.sync(NULL) $$);
UPDATE erp.pos SET qty = 9 WHERE doc = 1;
SELECT quantity FROM line_state WHERE order_id = '1';
SELECT count(*) FROM order_state;
SELECT binding FROM routing.binding ORDER BY 1;
SELECT tgrelid::regclass AS tab, count(*) FROM pg_trigger WHERE tgname LIKE 'routing%' AND NOT tgisinternal GROUP BY 1 ORDER BY 1;
SELECT routing.unbind_all();
SELECT routing.unbind_all();
SELECT count(*) AS triggers_left FROM pg_trigger WHERE tgname LIKE 'routing%' AND NOT tgisinternal;
SELECT count(*) FROM routing.supply;
-- unbound between a change and its commit
CALL public.bind_all();
BEGIN;
UPDATE erp.stock SET qty = 99 WHERE whse = 'NYC';
SELECT routing.pause('stock');
COMMIT;
SELECT binding, key, reason FROM pending_state;
SELECT try($$ DROP EXTENSION routing $$) LIKE '2BP01%' AS extension_is_held;
SELECT routing.unbind_all();
SELECT * FROM pending_state;
SELECT count(*) FROM routing.verify();

\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
