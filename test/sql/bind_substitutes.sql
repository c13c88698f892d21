-- bound orders: what an ERP says of substitutes
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include

SET ROLE regress_bind_erp;
CREATE TABLE erp.head (doc int PRIMARY KEY, cust text DEFAULT 'C1', ctry text DEFAULT 'US', zip text DEFAULT '60614', want date DEFAULT current_date + 4);
CREATE TABLE erp.pos (doc int, ln int, sku text, qty numeric, instead text, st text, whse text, PRIMARY KEY (doc, ln));
RESET ROLE;
INSERT INTO routing.item_substitute (item, substitute, penalty) VALUES ('A', 'B', 1);
INSERT INTO routing.supply (item, node, quantity) VALUES ('A', 'CHI', 2), ('B', 'CHI', 5);
SELECT routing.bind('shop', '{
  "orders": {"table": "erp.head", "key": ["doc"], "columns": {"customer": "cust", "country": "ctry", "postal_code": "zip", "requested_on": "want"}},
  "lines": {"table": "erp.pos", "key": ["doc", "ln"], "columns": {"line_no": "ln", "item": "sku", "quantity": "qty", "substitutes": "instead"},
    "write_back": {"columns": {"status": "st", "node": "whse"}}}}');
CREATE VIEW public.l AS SELECT p.doc, p.ln, p.sku, p.qty, p.instead, p.st, l.substitutes, (SELECT string_agg(r.quantity || ' ' || r.item, ', ' ORDER BY r.item) FROM routing.reservation r
	WHERE r.order_id = p.doc::text AND r.line_no = p.ln AND r."to" IS NULL) AS booked FROM erp.pos p LEFT JOIN routing.sales_order_line l ON l.order_id = p.doc::text AND l.line_no = p.ln ORDER BY 1, 2;

-- nothing is said: no line of this customer gets a substitute
INSERT INTO erp.head (doc) VALUES (1); INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (1, 1, 'A', 4); SELECT * FROM public.l;
-- what is said later plans the line anew, both ways
UPDATE erp.pos SET instead = 'consented'; SELECT * FROM public.l; SELECT * FROM routing.verify();
UPDATE erp.pos SET instead = 'never'; SELECT * FROM public.l;
UPDATE erp.pos SET instead = 'consented'; SELECT * FROM public.l; SELECT * FROM routing.reconcile('shop');
-- what is not understood waits, and the ERP is not refused
INSERT INTO erp.head (doc) VALUES (2); INSERT INTO erp.pos (doc, ln, sku, qty, instead) VALUES (2, 1, 'A', 3, 'perhaps');
SELECT * FROM public.l WHERE doc = 2; SELECT key, reason, sqlstate FROM routing.pending ORDER BY key;
UPDATE erp.pos SET instead = 'consented' WHERE doc = 2; SELECT * FROM public.l WHERE doc = 2; SELECT key FROM routing.pending;
-- what another way changed is a difference
UPDATE routing.sales_order_line SET substitutes = NULL WHERE order_id = '1'; SELECT concept, key, field, erp_value, engine_value FROM routing.reconcile('shop');
SELECT routing.sync('shop') IS NOT NULL AS synced; SELECT * FROM public.l; SELECT * FROM routing.reconcile('shop'); SELECT * FROM routing.verify();

\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
