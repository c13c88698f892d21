/*
 * :items items of each of two kinds at the nodes of network.sql, and the
 * procedure that orders them.  An item A... is on hand at three nodes of five,
 * by a hash, an item B... at five nodes only, wherever these are.  Rows are put
 * in as a restore does it, with their positions beside them.
 */
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET synchronous_commit = off;
INSERT INTO routing.item (item, weight_kg)
SELECT k || 10000 + n, 1 + n % 4 FROM (VALUES ('A'), ('B')) kind (k), generate_series(1, :items) n;
CREATE TABLE bench.place AS
SELECT 'A' || 10000 + i AS item, 'N' || 100 + n AS node
FROM generate_series(1, :items) i, generate_series(1, :nodes) n
WHERE abs(hashint4(i * 1024 + n) % 5) < 3
UNION ALL
SELECT 'B' || 10000 + i, 'N' || 101 + (7 * i + k * (:nodes / 5)) % :nodes
FROM generate_series(1, :items) i, generate_series(0, 4) k;
INSERT INTO routing.supply (item, node, quantity, posted) SELECT item, node, 100000, true FROM bench.place;
INSERT INTO routing.position (tenant_id, item, node, timeline)
SELECT 1, item, node, ARRAY[-2147483648, 1000000000, 0]::bigint[] FROM bench.place;
CREATE TABLE bench.size AS SELECT :items AS items;
VACUUM ANALYZE;

-- n orders of three lines, the same ones after the same setseed()
CREATE PROCEDURE bench.orders(n int, kind text) LANGUAGE plpgsql AS $$
DECLARE
	items	int := (SELECT s.items FROM bench.size s);
	o		text;
	i		text[] := ARRAY['', '', ''];
BEGIN
	FOR k IN 1 .. n LOOP
		o := 'SO' || kind || nextval('bench.order_seq');
		FOR l IN 1 .. 3 LOOP
			i[l] := kind || 10001 + floor(random() * items)::int;
		END LOOP;
		INSERT INTO routing.sales_order (order_id, customer, country, postal_code, requested_on)
		VALUES (o, 'C' || 1 + floor(random() * 1000)::int, 'US', '10001', current_date + 3 + floor(random() * 8)::int);
		INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity, price)
		VALUES (o, 1, i[1], 1 + floor(random() * 5)::int, 9.95), (o, 2, i[2], 1 + floor(random() * 5)::int, 9.95),
			   (o, 3, i[3], 1 + floor(random() * 5)::int, 9.95);
		COMMIT;
	END LOOP;
END
$$;
