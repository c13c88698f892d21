-- bindings of orders: every way in which an ERP saves one
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/bind_setup.sql'
\i :include

SET ROLE regress_bind_erp;
CREATE TABLE erp.head (
	doc int PRIMARY KEY, cust text, ctry text DEFAULT 'US', zip text DEFAULT '60614', want date, memo text,
	st text, whse text, prom date, splt boolean, ships int);
CREATE TABLE erp.pos (
	id int GENERATED ALWAYS AS IDENTITY, doc int REFERENCES erp.head ON DELETE CASCADE, ln int, sku text, qty numeric, memo text,
	st text, whse text, prom date, got numeric, PRIMARY KEY (doc, ln));
CREATE TABLE erp.updates (tab text PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO erp.updates VALUES ('head'), ('pos');
CREATE FUNCTION erp.count_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE erp.updates SET n = n + 1 WHERE tab = TG_TABLE_NAME;
	RETURN NULL;
END
$$;
CREATE TRIGGER count_update AFTER UPDATE ON erp.head FOR EACH ROW EXECUTE FUNCTION erp.count_update();
CREATE TRIGGER count_update AFTER UPDATE ON erp.pos FOR EACH ROW EXECUTE FUNCTION erp.count_update();
-- the ERP's counts of updates since the last look
CREATE FUNCTION erp.updates_since() RETURNS TABLE (tab text, n int) LANGUAGE sql AS $$
	WITH before AS (SELECT u.tab, u.n FROM erp.updates u ORDER BY 1), reset AS (UPDATE erp.updates SET n = 0)
	SELECT * FROM before
$$;
RESET ROLE;

INSERT INTO routing.supply (item, node, quantity)
VALUES ('A', 'CHI', 10), ('A', 'DAL', 20), ('B', 'CHI', 5), ('C', 'NYC', 7);

SELECT routing.bind('shop', '{
  "orders": {"table": "erp.head", "key": ["doc"],
    "columns": {"customer": "cust", "country": "ctry", "postal_code": "zip", "requested_on": "want"},
    "write_back": {"columns": {"status": "st", "node": "whse", "promised_on": "prom", "split": "splt", "shipments": "ships"},
                   "status_map": {"allocated": "OK", "backordered": "BO", "cancelled": "X"}}},
  "lines": {"table": "erp.pos", "key": ["doc", "ln"],
    "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"},
    "write_back": {"columns": {"status": "st", "node": "whse", "promised_on": "prom", "allocated_quantity": "got"},
                   "status_map": {"allocated": "A", "backordered": "B", "partially_allocated": "P"}}}}');

CREATE VIEW public.head AS
	SELECT doc, cust, want - current_date AS wanted_in, st, whse, prom - current_date AS in_days, splt, ships FROM erp.head;
CREATE VIEW public.pos AS
	SELECT doc, ln, sku, qty, st, whse, prom - current_date AS in_days, got FROM erp.pos;
GRANT SELECT ON public.head, public.pos TO regress_bind_erp;

-- header first, lines after, in one transaction, as the ERP's own role
SET ROLE regress_bind_erp;
BEGIN;
INSERT INTO erp.head (doc, cust, want) VALUES (1, 'C1', current_date + 4);
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (1, 1, 'A', 3);
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (1, 2, 'B', 2);
SELECT count(*) AS answered_before_commit FROM erp.head WHERE st IS NOT NULL;
COMMIT;
SELECT * FROM public.head ORDER BY doc;
SELECT * FROM public.pos ORDER BY doc, ln;
RESET ROLE;
-- each row was written back once
SELECT * FROM erp.updates_since();
SELECT * FROM order_state ORDER BY 1;
SELECT * FROM line_state ORDER BY 1, 2;
SELECT * FROM booked ORDER BY 1, 2, 4;
SELECT type, aggregateid, aggregateversion FROM routing.event ORDER BY seq;
SELECT count(*) FROM routing.reconcile('shop');

-- header in one transaction, lines in later ones
INSERT INTO erp.head (doc, cust, want) VALUES (2, 'C2', current_date + 4);
SELECT * FROM order_state WHERE order_id = '2';
SELECT st, whse FROM erp.head WHERE doc = 2;
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (2, 1, 'A', 1);
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (2, 2, 'C', 1);
SELECT * FROM public.head WHERE doc = 2;
SELECT * FROM public.pos WHERE doc = 2 ORDER BY ln;
SELECT * FROM line_state WHERE order_id = '2' ORDER BY 2;
SELECT count(*) FROM routing.verify();

-- a change that does not matter settles nothing
SELECT count(*) AS decisions, (SELECT count(*) FROM routing.event) AS events FROM routing.decision \gset
SELECT * FROM erp.updates_since() \g /dev/null
UPDATE erp.head SET memo = 'called';
UPDATE erp.pos SET memo = 'x', qty = qty;
UPDATE erp.head SET cust = cust;
-- nor does one that is undone in its transaction
BEGIN;
UPDATE erp.pos SET qty = 9 WHERE doc = 1 AND ln = 1;
UPDATE erp.pos SET qty = 3 WHERE doc = 1 AND ln = 1;
COMMIT;
SELECT count(*) - :decisions AS new_decisions, (SELECT count(*) FROM routing.event) - :events AS new_events FROM routing.decision;
-- 2 + 4 + 2 rows of head and pos, 2 of pos, and no write-back
SELECT * FROM erp.updates_since();
SELECT * FROM public.head ORDER BY doc;
SELECT * FROM public.pos ORDER BY doc, ln;

-- quantity up, beyond what the nearest node has, and down again
UPDATE erp.pos SET qty = 12 WHERE doc = 1 AND ln = 1;
SELECT * FROM public.pos WHERE doc = 1 ORDER BY ln;
SELECT * FROM booked WHERE order_id = '1' ORDER BY 1, 2, 4;
UPDATE erp.pos SET qty = 2 WHERE doc = 1 AND ln = 1;
SELECT * FROM public.pos WHERE doc = 1 ORDER BY ln;
SELECT * FROM booked WHERE order_id = '1' ORDER BY 1, 2, 4;
SELECT count(*) FROM routing.verify();

-- another date
UPDATE erp.head SET want = current_date + 8 WHERE doc = 1;
SELECT * FROM public.head WHERE doc = 1;
SELECT * FROM booked WHERE order_id = '1' ORDER BY 1, 2, 4;

-- lines deleted and inserted again on save
SELECT count(*) AS decisions, (SELECT count(*) FROM routing.event) AS events FROM routing.decision \gset
BEGIN;
DELETE FROM erp.pos WHERE doc = 1;
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (1, 1, 'A', 2), (1, 2, 'B', 2);
COMMIT;
SELECT * FROM public.pos WHERE doc = 1 ORDER BY ln;
-- the same lines: nothing was decided anew
SELECT count(*) - :decisions AS new_decisions, (SELECT count(*) FROM routing.event) - :events AS new_events FROM routing.decision;

-- a line deleted, and later there again
DELETE FROM erp.pos WHERE doc = 1 AND ln = 2;
SELECT * FROM line_state WHERE order_id = '1' ORDER BY 2;
SELECT item, node, atp FROM routing.availability ORDER BY 1, 2;
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (1, 2, 'B', 1);
SELECT * FROM line_state WHERE order_id = '1' ORDER BY 2;
SELECT * FROM booked WHERE order_id = '1' ORDER BY 1, 2, 4;
SELECT * FROM pending_state;
SELECT count(*) FROM routing.verify();

-- another item in the same line
UPDATE erp.pos SET sku = 'C' WHERE doc = 1 AND ln = 2;
SELECT * FROM booked WHERE order_id = '1' ORDER BY 1, 2, 4;
SELECT * FROM public.head WHERE doc = 1;

-- more than there is
BEGIN;
INSERT INTO erp.head (doc, cust, want) VALUES (3, 'C1', current_date + 4);
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (3, 1, 'B', 8), (3, 2, 'A', 1);
COMMIT;
SELECT * FROM public.head WHERE doc = 3;
SELECT * FROM public.pos WHERE doc = 3 ORDER BY ln;

-- order deleted; deleting gives everything back
DELETE FROM erp.head WHERE doc = 3;
SELECT * FROM order_state ORDER BY 1;
SELECT * FROM booked ORDER BY 1, 2, 4;
SELECT type, aggregateid FROM routing.event WHERE aggregatetype = 'order' ORDER BY seq DESC LIMIT 1;
-- inserted again under the same number
BEGIN;
INSERT INTO erp.head (doc, cust, want) VALUES (3, 'C2', current_date + 4);
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (3, 1, 'B', 1);
COMMIT;
SELECT * FROM order_state WHERE order_id = '3';
SELECT * FROM line_state WHERE order_id = '3';
SELECT count(*) FROM routing.verify();

-- rollback and savepoint rollback
BEGIN;
INSERT INTO erp.head (doc, cust) VALUES (4, 'C1');
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (4, 1, 'A', 1);
ROLLBACK;
BEGIN;
SAVEPOINT a;
INSERT INTO erp.head (doc, cust) VALUES (5, 'C1');
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (5, 1, 'A', 1);
ROLLBACK TO a;
INSERT INTO erp.head (doc, cust) VALUES (6, 'C1');
SAVEPOINT b;
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (6, 1, 'A', 1);
RELEASE b;
SAVEPOINT c;
UPDATE erp.pos SET qty = 7 WHERE doc = 6;
ROLLBACK TO c;
COMMIT;
SELECT * FROM order_state WHERE order_id IN ('4', '5', '6');
SELECT * FROM line_state WHERE order_id IN ('4', '5', '6');
-- the only changes are in a subtransaction that is rolled back
BEGIN;
SAVEPOINT a;
UPDATE erp.pos SET qty = 5 WHERE doc = 6;
ROLLBACK TO a;
COMMIT;
SELECT quantity FROM line_state WHERE order_id = '6';
SELECT count(*) FROM routing.verify();

-- COPY
BEGIN;
COPY erp.head (doc, cust, want) FROM stdin;
10	C1	\N
11	C2	\N
\.
COPY erp.pos (doc, ln, sku, qty) FROM stdin;
11	1	A	2
10	1	A	1
10	2	C	1
\.
COMMIT;
SELECT doc, st, whse FROM erp.head WHERE doc IN (10, 11) ORDER BY 1;
SELECT * FROM public.pos WHERE doc IN (10, 11) ORDER BY doc, ln;

-- MERGE and ON CONFLICT are changes like others
MERGE INTO erp.pos p USING (VALUES (10, 1, 'A', 2), (10, 3, 'A', 1)) n (doc, ln, sku, qty) ON p.doc = n.doc AND p.ln = n.ln
	WHEN MATCHED THEN UPDATE SET qty = n.qty WHEN NOT MATCHED THEN INSERT (doc, ln, sku, qty) VALUES (n.doc, n.ln, n.sku, n.qty);
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (10, 2, 'C', 2) ON CONFLICT (doc, ln) DO UPDATE SET qty = excluded.qty;
SELECT * FROM public.pos WHERE doc = 10 ORDER BY ln;

-- the number of an order changes: the old one is cancelled, the new one routed
DELETE FROM erp.pos WHERE doc = 11;
DELETE FROM erp.head WHERE doc = 11;
BEGIN;
INSERT INTO erp.head (doc, cust) VALUES (12, 'C2');
UPDATE erp.pos SET doc = 12 WHERE doc = 2;
DELETE FROM erp.head WHERE doc = 2;
COMMIT;
SELECT * FROM order_state WHERE order_id IN ('2', '11', '12') ORDER BY 1;
SELECT * FROM booked WHERE order_id IN ('2', '11', '12') ORDER BY 1, 2, 4;

-- an order whose lines are gone, then the order too
DELETE FROM erp.pos WHERE doc = 10;
SELECT * FROM order_state WHERE order_id = '10';
DELETE FROM erp.head WHERE doc = 10;
SELECT * FROM order_state WHERE order_id = '10';

-- settled once more without a difference, all answers stay as they are
CREATE TEMP TABLE answers AS SELECT 0 AS ln, h::text AS r FROM erp.head h UNION ALL SELECT ln, p::text FROM erp.pos p;
SELECT * FROM erp.updates_since() \g /dev/null
SELECT routing.sync('shop');
SELECT * FROM erp.updates_since();
SELECT a.r AS before, n.r AS after
FROM (SELECT 0 AS ln, h::text AS r FROM erp.head h UNION ALL SELECT ln, p::text FROM erp.pos p) n FULL JOIN answers a USING (ln, r)
WHERE n.r IS NULL OR a.r IS NULL ORDER BY 1, 2;
SELECT * FROM routing.reconcile('shop');
SELECT * FROM pending_state;
SELECT count(*) FROM routing.verify();

-- a trigger of the ERP that reacts to what is written back, once with a change that matters
SET ROLE regress_bind_erp;
CREATE TABLE erp.log (doc int, st text);
CREATE FUNCTION erp.on_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO erp.log VALUES (NEW.doc, NEW.st);
	IF NEW.st = 'partially_allocated' AND NEW.doc = 20 THEN
		UPDATE erp.pos SET qty = 1 WHERE doc = NEW.doc AND qty > 1;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER on_answer AFTER UPDATE OF st ON erp.head FOR EACH ROW EXECUTE FUNCTION erp.on_answer();
BEGIN;
INSERT INTO erp.head (doc, cust) VALUES (20, 'C1');
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (20, 1, 'C', 1000);
COMMIT;
RESET ROLE;
SELECT * FROM erp.log;
SELECT * FROM public.pos WHERE doc = 20;
SELECT * FROM line_state WHERE order_id = '20';

-- one that never comes to rest: the order waits, the ERP's transaction does not fail
CREATE OR REPLACE FUNCTION erp.on_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE erp.pos SET qty = qty + 1000 WHERE doc = NEW.doc;
	UPDATE erp.head SET st = NULL WHERE doc = NEW.doc AND st IS NOT NULL;
	RETURN NULL;
END
$$;
BEGIN;
INSERT INTO erp.head (doc, cust) VALUES (21, 'C1');
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (21, 1, 'C', 1000);
COMMIT;
SELECT * FROM pending_state;
SELECT count(*) AS saved FROM erp.head WHERE doc = 21;
DROP TRIGGER on_answer ON erp.head;
SELECT routing.run_jobs();
SELECT * FROM pending_state;
SELECT count(*) FROM routing.verify();

-- a deferred trigger of the ERP that runs after ours and changes the order again
SET ROLE regress_bind_erp;
CREATE FUNCTION erp.totals_last() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE erp.pos SET qty = 2 WHERE doc = NEW.doc AND ln = 1 AND qty <> 2;
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER zz_totals_last AFTER INSERT ON erp.pos DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION erp.totals_last();
BEGIN;
INSERT INTO erp.head (doc, cust) VALUES (22, 'C1');
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (22, 1, 'A', 1);
COMMIT;
DROP TRIGGER zz_totals_last ON erp.pos;
RESET ROLE;
SELECT * FROM public.pos WHERE doc = 22;
SELECT * FROM booked WHERE order_id = '22';
SELECT count(*) FROM routing.verify();

-- SET CONSTRAINTS in the middle: routed at commit all the same, and only then
BEGIN;
INSERT INTO erp.head (doc, cust) VALUES (23, 'C1');
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (23, 1, 'A', 100);
SELECT count(*) AS decided FROM routing.decision WHERE order_id = '23';
UPDATE erp.pos SET qty = 1 WHERE doc = 23;
COMMIT;
SELECT * FROM public.pos WHERE doc = 23;
SELECT count(*) AS decisions FROM routing.decision WHERE order_id = '23';
SELECT count(*) AS tokens FROM routing.settle_token;

-- a transaction in a procedure
CREATE PROCEDURE public.save(doc int) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO erp.head (doc, cust) VALUES (save.doc, 'C1');
	INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (save.doc, 1, 'A', 1);
	COMMIT;
	RAISE NOTICE 'answer: %', (SELECT st FROM erp.head h WHERE h.doc = save.doc);
END
$$;
CALL public.save(24);
SELECT count(*) FROM routing.verify();
SELECT * FROM pending_state;

\set include :abs_srcdir '/sql/include/bind_teardown.sql'
\i :include
