-- bindings that cannot be: each error has its own SQLSTATE, message and hint, and leaves nothing behind
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include
\t
\a

SET ROLE regress_bind_erp;
CREATE TABLE erp.stock (whse text, sku text, qty numeric, f float8, due date, words text[], n int, PRIMARY KEY (whse, sku));
CREATE TABLE erp.head (doc int PRIMARY KEY, cust text, zip text, st text);
CREATE TABLE erp.pos (doc int, ln int, sku text, qty int, lname text, PRIMARY KEY (doc, ln));
CREATE VIEW erp.stock_view AS SELECT * FROM erp.stock;
CREATE SEQUENCE erp.seq;
RESET ROLE;
CREATE TABLE erp.owned_by_superuser (whse text, sku text, qty int);

CREATE FUNCTION public.tb(definition text, name text DEFAULT 'b', on_failure text DEFAULT 'queue') RETURNS text LANGUAGE sql AS $$
	SELECT try(format('SELECT routing.bind(%L, %L, %L)', name, definition, on_failure));
$$;
-- a supply binding by table and by query, an order binding: with one thing put in the place of another
CREATE FUNCTION public.ts(was text, becomes text) RETURNS text LANGUAGE sql AS $$
	SELECT tb(replace('{"supply": {"table": "erp.stock", "key": ["whse", "sku"], "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}', was, becomes));
$$;
CREATE FUNCTION public.tq(query text, rest text DEFAULT '"key": ["whse", "sku"], "watch": [{"table": "erp.stock", "key": ["whse", "sku"]}]') RETURNS text LANGUAGE sql AS $$
	SELECT tb(format('{"supply": {"query": %s, %s}}', to_json(query), rest));
$$;
CREATE FUNCTION public.tor(was text, becomes text) RETURNS text LANGUAGE sql AS $$
	SELECT tb(replace('{
	  "orders": {"query": "SELECT doc, cust AS customer, ''US'' AS country, zip AS postal_code FROM erp.head", "key": ["doc"],
	    "watch": [{"table": "erp.head", "key": ["doc"]}], "write_back": {"table": "erp.head", "columns": {"status": "st"}}},
	  "lines": {"table": "erp.pos", "key": ["doc", "ln"], "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"}}}', was, becomes));
$$;

\echo -- missing columns
SELECT ts('"qty"', '"quantity"');
SELECT ts('["whse", "sku"]', '["whse", "code"]');
SELECT ts(', "quantity": "qty"', '');
SELECT ts('"item"', '"article"');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node FROM erp.stock');
SELECT tq('SELECT whse, sku AS item, whse AS node, qty AS quantity FROM erp.stock');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM erp.stock',
		  '"key": ["whse", "sku"], "watch": [{"table": "erp.stock", "key": ["whse", "artno"]}]');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM erp.stock',
		  '"key": ["whse", "sku"], "watch": [{"table": "erp.stock", "key": ["whse", "sku"], "columns": ["onhand"]}]');
SELECT tor('AS customer', 'AS cust');
SELECT tor('{"status": "st"}', '{"status": "state"}');
\echo -- duplicate columns
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity, n AS quantity FROM erp.stock');
SELECT tq('SELECT whse, sku, whse, sku AS item, whse AS node, qty AS quantity FROM erp.stock');
\echo -- unsuitably typed columns
SELECT ts('"qty"', '"f"');
SELECT ts('"qty"', '"due"');
SELECT ts('"item": "sku"', '"item": "words"');
SELECT ts('"quantity": "qty"', '"quantity": "qty", "available_on": "n"');
SELECT tor('"line_no": "ln"', '"line_no": "lname"');
SELECT tor('SELECT doc,', 'SELECT doc::text AS doc,');
\echo -- without a key
SELECT ts('"key": ["whse", "sku"], ', '');
SELECT ts('["whse", "sku"]', '[]');
SELECT ts('["whse", "sku"]', '"whse"');
SELECT ts('["whse", "sku"]', '[1, 2]');
SELECT ts('["whse", "sku"]', '["a", "b", "c", "d", "e"]');
SELECT tor('["doc", "ln"]', '["doc"]');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM erp.stock',
		  '"key": ["whse", "sku"], "watch": [{"table": "erp.stock", "key": ["whse"]}]');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM erp.stock',
		  '"key": ["whse", "sku"], "watch": [{"table": "erp.stock"}]');
\echo -- does not parse
SELECT tq('SELEC whse FROM erp.stock');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM erp.stocks');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM stock');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty + due + due AS quantity FROM erp.stock');
SELECT tq('DELETE FROM erp.stock RETURNING *');
SELECT tq('SELECT 1) m; DROP TABLE erp.stock; SELECT (1');
SELECT tq('');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM erp.stock;');
\echo -- what the owner of the watched table may not read
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM erp.stock JOIN erp.owned_by_superuser USING (whse, sku, qty)');
\echo -- watched tables: missing, not a table, owned by a superuser
SELECT ts('erp.stock', 'erp.stocks');
SELECT ts('erp.stock', 'nowhere.stock');
SELECT ts('erp.stock', 'stock');
SELECT ts('erp.stock', 'a.b.c');
SELECT ts('erp.stock', 'erp.\"Stock\"');
SELECT ts('erp.stock', 'erp.stock_view');
SELECT ts('erp.stock', 'erp.seq');
SELECT ts('erp.stock', 'erp.owned_by_superuser');
SELECT tor('"table": "erp.head", "columns"', '"table": "erp.owned_by_superuser", "columns"');
SELECT tor('"table": "erp.head", "columns"', '"table": "erp.nothing", "columns"');
SELECT ts('erp.stock', 'pg_catalog.pg_class');
\echo -- definitions that make no sense
SELECT tb('[]');
SELECT tb('{}');
SELECT tb('{"stock": {}}');
SELECT tb('{"supply": []}');
SELECT tb('{"orders": {"table": "erp.head", "key": ["doc"], "columns": {"customer": "cust"}}}');
SELECT ts('"table": "erp.stock"', '"table": 1');
SELECT ts('"table": "erp.stock", ', '');
SELECT ts('"table": "erp.stock"', '"table": "erp.stock", "query": "SELECT 1"');
SELECT ts('{"item": "sku", "node": "whse", "quantity": "qty"}', '{}');
SELECT ts('"quantity": "qty"', '"quantity": 1');
SELECT ts('"quantity": "qty"', '"quantity": "qty", "colour": "sku"');
SELECT ts('"key"', '"keys"');
SELECT ts('"key"', '"watch": [], "key"');
SELECT ts('"key"', '"watch": [1], "key"');
SELECT ts('"key"', '"watch": [{"key": ["whse"]}], "key"');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity FROM erp.stock', '"key": ["whse", "sku"]');
SELECT tq('SELECT whse, sku, sku AS item, whse AS node, qty AS quantity, due FROM erp.stock');
SELECT tor('{"status": "st"}', '{"weather": "st"}');
SELECT tor('"write_back": {"table": "erp.head", ', '"write_back": {');
SELECT tor('{"status": "st"}', '{}');
SELECT tb('{"supply": {}}', '');
SELECT tb(NULL);
SELECT try($$ SELECT routing.bind('b', NULL) $$);
SELECT try($$ SELECT routing.bind('b', '{}', 'shrug') $$);
\echo -- a caller who does not own the table, or may not call
SELECT routing.grant_access('regress_bind_other', 'admin');
SET ROLE regress_bind_other;
SELECT try($x$ SELECT routing.bind('b', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"], "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}') $x$);
RESET ROLE;
GRANT USAGE ON SCHEMA erp TO regress_bind_other;
GRANT ALL ON erp.stock TO regress_bind_other;
SET ROLE regress_bind_other;
SELECT try($x$ SELECT routing.bind('b', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"], "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}') $x$);
SET ROLE regress_bind_erp;
SELECT try($x$ SELECT routing.bind('b', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"], "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}') $x$);
RESET ROLE;

\echo -- nothing was left behind
SELECT count(*) FROM routing.binding;
SELECT count(*) FROM routing.binding_watch;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'routing%' AND NOT tgisinternal;
SELECT count(*) FROM pg_tables WHERE schemaname = 'erp';

\echo -- the owner may, a second time under the name nobody
SELECT routing.grant_access('regress_bind_erp', 'admin');
SET ROLE regress_bind_erp;
SELECT routing.bind('b', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"], "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}');
SELECT try($x$ SELECT routing.bind('b', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"], "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}') $x$);
RESET ROLE;
SELECT count(*) FROM routing.binding;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'routing%' AND NOT tgisinternal;
INSERT INTO erp.stock (whse, sku, qty) VALUES ('CHI', 'A', 3);
SELECT item, node, quantity, binding, source_key FROM routing.supply;
\echo -- who does not own the table does not take its binding off
SET ROLE regress_bind_other;
SELECT try($$ SELECT routing.unbind('b') $$);
RESET ROLE;
SELECT count(*) FROM routing.binding;
\echo -- whoever may write the table has its changes settled
SET ROLE regress_bind_other;
UPDATE erp.stock SET qty = 5;
RESET ROLE;
SELECT item, node, quantity FROM routing.supply;
\echo -- a table that is given to a superuser is not read any more
ALTER TABLE erp.stock OWNER TO CURRENT_USER;
UPDATE erp.stock SET qty = 6;
SELECT binding, key, sqlstate, reason FROM pending_state;
SELECT severity, subject, problem, remedy FROM routing.doctor() WHERE subject ~ 'binding b' AND severity = 'error';
ALTER TABLE erp.stock OWNER TO regress_bind_erp;
SELECT routing.run_jobs();
SELECT item, node, quantity FROM routing.supply;
\echo -- an item or a node in use by a binding is not deleted
SELECT try($$ DELETE FROM routing.item WHERE item = 'A' $$);
SELECT routing.unbind('b');
SELECT count(*) FROM routing.verify();
DROP OWNED BY regress_bind_other;

\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
