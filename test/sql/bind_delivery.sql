-- bound orders: what an ERP may say of how they are delivered
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include

SET ROLE regress_bind_erp;
CREATE TABLE erp.head (
	doc int PRIMARY KEY, cust text DEFAULT 'C1', ctry text DEFAULT 'US', zip text DEFAULT '60614', want date, whole text, rst text, rst_days int,
	win_from date, win_to date, early boolean, incoterm text, st text);
CREATE TABLE erp.pos (doc int, ln int, sku text, qty numeric, grp int, may_split boolean, st text, whse text, PRIMARY KEY (doc, ln));
RESET ROLE;
INSERT INTO routing.supply (item, node, quantity) VALUES ('A', 'CHI', 10), ('A', 'DAL', 20), ('B', 'DAL', 5);
SELECT routing.bind('shop', '{
  "orders": {"table": "erp.head", "key": ["doc"],
    "columns": {"customer": "cust", "country": "ctry", "postal_code": "zip", "requested_on": "want", "completeness": "whole", "rest": "rst", "rest_days": "rst_days",
                "ship_not_before": "win_from", "cancel_after": "win_to", "early_ok": "early", "freight_terms": "incoterm"},
    "write_back": {"columns": {"status": "st"}}},
  "lines": {"table": "erp.pos", "key": ["doc", "ln"],
    "columns": {"line_no": "ln", "item": "sku", "quantity": "qty", "line_group": "grp", "splittable": "may_split"},
    "write_back": {"columns": {"status": "st", "node": "whse"}}}}');
CREATE VIEW public.l AS SELECT doc, ln, sku, qty, p.st, whse, h.st AS head FROM erp.head h JOIN erp.pos p USING (doc) ORDER BY 1, 2;
CREATE VIEW public.o AS SELECT order_id, completeness, rest, rest_days, ship_not_before - current_date AS win_from, cancel_after - current_date AS win_to, early_ok, freight_terms
	FROM routing.sales_order ORDER BY order_id;

-- nothing is said: what holds without it
INSERT INTO erp.head (doc, want) VALUES (1, current_date + 4); INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (1, 1, 'A', 3);
SELECT * FROM public.l; SELECT * FROM public.o;
-- everything
BEGIN;
INSERT INTO erp.head (doc, want, whole, rst, rst_days, win_from, win_to, early, incoterm)
VALUES (2, current_date + 4, 'group', 'wait', 3, current_date + 5, current_date + 9, true, 'collect');
INSERT INTO erp.pos (doc, ln, sku, qty, grp, may_split) VALUES (2, 1, 'A', 2, 7, true), (2, 2, 'B', 2, 7, true), (2, 3, 'A', 20, NULL, false);
COMMIT;
SELECT * FROM public.l WHERE doc = 2; SELECT * FROM public.o WHERE order_id = '2';
SELECT line_no, line_group, splittable, promised_on - current_date AS in_days FROM routing.sales_order_line WHERE order_id = '2' ORDER BY 1;
-- a change of any of it is one of the order
UPDATE erp.pos SET may_split = true WHERE doc = 2 AND ln = 3; SELECT * FROM public.l WHERE doc = 2;
UPDATE erp.head SET rst = 'cancel' WHERE doc = 2; SELECT * FROM public.l WHERE doc = 2;
UPDATE erp.head SET win_from = NULL, early = NULL, incoterm = NULL WHERE doc = 2; SELECT * FROM public.o WHERE order_id = '2';
SELECT line_no, promised_on - current_date AS in_days, cancelled_quantity FROM routing.sales_order_line WHERE order_id = '2' ORDER BY 1;
-- fill or kill
BEGIN; INSERT INTO erp.head (doc, want, whole) VALUES (3, current_date + 4, 'fill_or_kill'); INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (3, 1, 'B', 9); COMMIT;
SELECT * FROM public.l WHERE doc = 3;
-- changed in the ERP, it is wanted again: all of it
UPDATE erp.pos SET qty = 3 WHERE doc = 3; SELECT * FROM public.l WHERE doc = 3; SELECT quantity, cancelled_quantity FROM routing.sales_order_line WHERE order_id = '3';
-- what is not understood waits, and the ERP is not refused
BEGIN; INSERT INTO erp.head (doc, whole) VALUES (4, 'everything'); INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (4, 1, 'A', 1); COMMIT;
BEGIN; INSERT INTO erp.head (doc, rst) VALUES (5, 'burn'); INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (5, 1, 'A', 1); COMMIT;
BEGIN; INSERT INTO erp.head (doc, incoterm) VALUES (6, 'fob'); INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (6, 1, 'A', 1); COMMIT;
SELECT key, reason, sqlstate FROM routing.pending ORDER BY key;
UPDATE erp.head SET whole = 'line' WHERE doc = 4; SELECT key FROM routing.pending ORDER BY key; SELECT * FROM public.l WHERE doc = 4;
-- a destination in no zone is kept
BEGIN; INSERT INTO erp.head (doc, ctry) VALUES (7, 'FR'); INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (7, 1, 'A', 1); COMMIT;
SELECT * FROM public.l WHERE doc = 7; SELECT type, order_id, state FROM routing.exception WHERE type = 'no_zone';
INSERT INTO routing.zone_area (country, postal_prefix, zone) VALUES ('FR', '', 'Z'); SELECT routing.run_jobs() >= 0 AS ran;
SELECT * FROM public.l WHERE doc = 7; SELECT type, order_id, state FROM routing.exception WHERE type = 'no_zone';
DELETE FROM erp.head WHERE doc IN (5, 6); SELECT key FROM routing.pending ORDER BY key;
SELECT * FROM routing.reconcile('shop'); SELECT * FROM routing.verify();

\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
