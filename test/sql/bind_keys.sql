-- bindings: the kinds of keys and names that ERPs have, and mappings by query
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include

INSERT INTO routing.supply (item, node, quantity) VALUES ('A', 'CHI', 1000), ('B', 'DAL', 1000);

-- a key of two columns, with the characters that separate and quote in an order id
SET ROLE regress_bind_erp;
CREATE TABLE erp.two (co text, no text, cust text, st text, PRIMARY KEY (co, no));
CREATE TABLE erp.two_line (co text, no text, line text, sku text, qty int, st text, node text, PRIMARY KEY (co, no, line));
RESET ROLE;
SELECT routing.bind('two', '{
  "orders": {"query": "SELECT co, no, cust AS customer, ''US'' AS country, ''60614'' AS postal_code FROM erp.two", "key": ["co", "no"],
    "watch": [{"table": "erp.two", "key": ["co", "no"], "columns": ["cust"]}],
    "write_back": {"table": "erp.two", "columns": {"status": "st"}}},
  "lines": {"table": "erp.two_line", "key": ["co", "no", "line"], "columns": {"item": "sku", "quantity": "qty"},
    "write_back": {"columns": {"status": "st", "node": "node"}}}}');
BEGIN;
INSERT INTO erp.two VALUES ('10', 'a'), ('1', '0/a'), ('1/0', 'a'), ('1\', '0'), ('1', '\0'), ('\/', '/\'), ('', 'x'), (' ', 'Zoë');
UPDATE erp.two SET cust = 'C1';
INSERT INTO erp.two_line SELECT co, no, '1/' || no, 'A', 1 FROM erp.two;
INSERT INTO erp.two_line SELECT co, no, '2\', 'B', 2 FROM erp.two;
COMMIT;
SELECT co, no, st FROM erp.two ORDER BY co COLLATE "C", no COLLATE "C";
SELECT DISTINCT line LIKE '1%' AS first, st, node FROM erp.two_line ORDER BY 1;
SELECT order_id, line_no, source_key FROM line_state ORDER BY 1, 2;
SELECT count(*) FROM pending_state;
-- a number that the engine gave stays with the line's key
UPDATE erp.two_line SET qty = 5 WHERE line = '2\' AND co = '\/';
DELETE FROM erp.two_line WHERE line LIKE '1%' AND co = '\/';
SELECT order_id, line_no, item, quantity FROM line_state WHERE order_id LIKE '\\\\%' ORDER BY 2;
SELECT * FROM routing.reconcile('two');
SELECT routing.sync('two');
DELETE FROM erp.two_line WHERE co = '1';
DELETE FROM erp.two WHERE co = '1';
SELECT order_id, status FROM order_state ORDER BY 1;
SELECT count(*) FROM routing.verify();
SELECT routing.unbind('two');

-- bound anew with another key: what is held by the old one is cancelled, and no row is taken for it
SET ROLE regress_bind_erp;
CREATE TABLE erp.again (co text, no text, cust text, st text, PRIMARY KEY (co, no));
CREATE TABLE erp.again_line (co text, no text, line text, sku text, qty int, PRIMARY KEY (co, no, line));
RESET ROLE;
SELECT routing.bind('again', '{
  "orders": {"query": "SELECT no, cust AS customer, ''US'' AS country, ''60614'' AS postal_code FROM erp.again WHERE cust <> ''draft''", "key": ["no"],
    "watch": [{"table": "erp.again", "key": ["no"], "columns": ["cust"]}]},
  "lines": {"table": "erp.again_line", "key": ["no", "line"], "columns": {"item": "sku", "quantity": "qty"}}}');
BEGIN;
INSERT INTO erp.again VALUES ('10', 'x', 'C1'), ('x', 'x', 'draft');
INSERT INTO erp.again_line VALUES ('10', 'x', '1', 'A', 1);
COMMIT;
SELECT routing.unbind('again');
SELECT routing.bind('again', '{
  "orders": {"query": "SELECT co, no, cust AS customer, ''US'' AS country, ''60614'' AS postal_code FROM erp.again WHERE cust <> ''draft''", "key": ["co", "no"],
    "watch": [{"table": "erp.again", "key": ["co", "no"], "columns": ["cust"]}],
    "write_back": {"table": "erp.again", "columns": {"status": "st"}}},
  "lines": {"table": "erp.again_line", "key": ["co", "no", "line"], "columns": {"item": "sku", "quantity": "qty"}}}');
SELECT routing.sync('again');
SELECT order_id, status FROM order_state WHERE order_id IN ('x', '10/x') ORDER BY 1;
SELECT co, no, st FROM erp.again ORDER BY 1;
SELECT count(*) FROM routing.verify();
SELECT routing.unbind('again');

-- lines without a number, deleted and inserted again under new keys on every save
SET ROLE regress_bind_erp;
CREATE TABLE erp.doc (id bigint PRIMARY KEY, cust text, want timestamptz);
CREATE TABLE erp.doc_line (doc bigint, rowid bigint GENERATED ALWAYS AS IDENTITY, sku varchar(10), qty smallint, st char(12), PRIMARY KEY (rowid));
RESET ROLE;
SELECT routing.bind('doc', '{
  "orders": {"query": "SELECT id, cust AS customer, ''US''::char(2) AS country, 60614 AS postal_code, want AS requested_on FROM erp.doc", "key": ["id"],
    "watch": [{"table": "erp.doc", "key": ["id"]}]},
  "lines": {"table": "erp.doc_line", "key": ["doc", "rowid"], "columns": {"item": "sku", "quantity": "qty"},
    "write_back": {"columns": {"status": "st"}}}}');
BEGIN;
INSERT INTO erp.doc VALUES (9000000000, 'C1', now() + interval '5 days');
INSERT INTO erp.doc_line (doc, sku, qty) VALUES (9000000000, 'A', 3), (9000000000, 'B', 2), (9000000000, 'A', 4);
COMMIT;
SELECT * FROM line_state WHERE order_id = '9000000000' ORDER BY 2;
SELECT count(*) AS decisions, (SELECT sum(event_version) FROM routing.sales_order) AS events FROM routing.decision \gset
SELECT max(part) AS part, max("from") AS booked FROM routing.reservation WHERE order_id = '9000000000' \gset
BEGIN;
CREATE TEMP TABLE saved ON COMMIT DROP AS SELECT * FROM erp.doc_line;
DELETE FROM erp.doc_line;
INSERT INTO erp.doc_line (doc, sku, qty) SELECT doc, sku, qty FROM saved ORDER BY rowid DESC;
COMMIT;
-- the same lines under new keys: nothing was given back and booked again
SELECT sku, qty, st FROM erp.doc_line ORDER BY rowid;
SELECT line_no, item, sum(quantity), count(*) FILTER (WHERE "to" IS NOT NULL) AS given_back
FROM routing.reservation WHERE order_id = '9000000000' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT sum(quantity) FROM booked WHERE order_id = '9000000000';
-- the same with one line changed and one more
BEGIN;
DELETE FROM erp.doc_line;
INSERT INTO erp.doc_line (doc, sku, qty) VALUES (9000000000, 'B', 3), (9000000000, 'C', 1), (9000000000, 'A', 4), (9000000000, 'A', 3);
COMMIT;
SELECT line_no, item, quantity, status FROM line_state WHERE order_id = '9000000000' ORDER BY 1;
SELECT * FROM routing.reconcile('doc');
SELECT count(*) FROM pending_state;
SELECT count(*) FROM routing.verify();
SELECT routing.unbind('doc');

-- names with capitals, blanks and quotes
CREATE SCHEMA "Sales" AUTHORIZATION regress_bind_erp;
SET ROLE regress_bind_erp;
CREATE TABLE "Sales"."Order Header" ("Order ID" int PRIMARY KEY, "Customer" text, "Ship""To" text, "Status" text, "select" text DEFAULT 'US');
CREATE TABLE "Sales"."Order Detail" ("Order ID" int, "Line ID" int, "Product" text, "Qty" int, "From" text, PRIMARY KEY ("Order ID", "Line ID"));
RESET ROLE;
SELECT routing.bind('Mixed Case ''s', '{
  "orders": {"table": "\"Sales\".\"Order Header\"", "key": ["Order ID"],
    "columns": {"customer": "Customer", "country": "select", "postal_code": "Ship\"To"},
    "write_back": {"columns": {"status": "Status"}}},
  "lines": {"table": "\"Sales\".\"Order Detail\"", "key": ["Order ID", "Line ID"], "columns": {"line_no": "Line ID", "item": "Product", "quantity": "Qty"},
    "write_back": {"columns": {"node": "From"}}}}');
SET ROLE regress_bind_erp;
BEGIN;
INSERT INTO "Sales"."Order Header" ("Order ID", "Customer", "Ship""To") VALUES (1, 'C1', '60614');
INSERT INTO "Sales"."Order Detail" VALUES (1, 1, 'A', 2), (1, 2, 'B', 2);
COMMIT;
RESET ROLE;
SELECT * FROM "Sales"."Order Header";
SELECT * FROM "Sales"."Order Detail" ORDER BY 2;
SELECT * FROM routing.reconcile('Mixed Case ''s');
SELECT count(*) FROM routing.doctor() WHERE subject LIKE '%Mixed%';
SELECT routing.unbind('Mixed Case ''s');
SELECT count(*) AS triggers_left FROM pg_trigger WHERE tgname LIKE 'routing%' AND NOT tgisinternal;

-- two bindings with long names that begin alike, on the same table
SET ROLE regress_bind_erp;
CREATE TABLE erp.bin (whse text, bin text, sku text, qty int, due date, PRIMARY KEY (whse, bin));
RESET ROLE;
SELECT routing.bind('a very long name of a binding that goes beyond forty characters, the first', '{"supply": {
  "query": "SELECT whse AS node, sku AS item, sum(qty) AS quantity FROM erp.bin WHERE due IS NULL GROUP BY 1, 2",
  "key": ["node", "item"], "watch": [{"table": "erp.bin", "key": ["whse", "sku"]}]}}');
SELECT routing.bind('a very long name of a binding that goes beyond forty characters, the second', '{"supply": {
  "query": "SELECT whse || bin AS id, whse AS node, sku AS item, qty AS quantity, due AS available_on FROM erp.bin WHERE due IS NOT NULL",
  "key": ["id"], "watch": [{"table": "erp.bin", "key": ["bin"]}]}}');
SELECT routing.bind('ein Name mit Umlauten äöüäöüäöüäöüäöüäöüäöüäöüäöü', '{"supply": {
  "query": "SELECT whse AS node, sku AS item, qty AS quantity, ''bin'' AS ref FROM erp.bin WHERE bin = ''own''",
  "key": ["node", "item"], "watch": [{"table": "erp.bin", "key": ["whse", "sku"]}]}}');
SELECT count(*) FROM routing.doctor() WHERE subject LIKE 'binding%';
SELECT count(DISTINCT tgname) AS triggers FROM pg_trigger WHERE tgname LIKE 'routing%' AND NOT tgisinternal;
SELECT routing.unbind_all();
SELECT count(*) AS triggers_left FROM pg_trigger WHERE tgname LIKE 'routing%' AND NOT tgisinternal;
SELECT count(*) FROM routing.verify();

\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
