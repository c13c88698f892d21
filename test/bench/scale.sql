/*
 * A database of :items items, each on hand at 10 of the 50 nodes, and the
 * procedures that order them.  The rows are put in as a restore does it, marked
 * as posted and with their positions beside them, since here it is not the
 * load that is measured; verify() is asked whether they are right.
 */
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET synchronous_commit = off;
INSERT INTO routing.item (item, weight_kg) SELECT 'I' || 10000000 + n, 1 + n % 4 FROM generate_series(1, :items) n;
CREATE TABLE bench.size AS SELECT :items AS items;

CREATE PROCEDURE bench.load(first int, last int) LANGUAGE sql AS $$
	INSERT INTO routing.supply (item, node, quantity, posted)
	SELECT 'I' || 10000000 + i, 'N' || 101 + (7 * i + 5 * k) % 50, 100000, true
	FROM generate_series(first, last) i, generate_series(0, 9) k;
	INSERT INTO routing.position (tenant_id, item, node, timeline)
	SELECT 1, 'I' || 10000000 + i, 'N' || 101 + (7 * i + 5 * k) % 50, ARRAY[-2147483648, 1000000000, 0]::bigint[]
	FROM generate_series(first, last) i, generate_series(0, 9) k;
$$;

/*
 * n orders of three lines.  zipf: the item of rank r is drawn with a
 * probability of ln((r + 1) / r) / ln(items + 1), which is Zipf's law with
 * exponent 1; ranks are scattered over the codes.
 */
CREATE PROCEDURE bench.orders(n int, zipf boolean) LANGUAGE plpgsql AS $$
DECLARE
	items	int := (SELECT s.items FROM bench.size s);
	o		text;
	i		text[] := ARRAY['', '', ''];
	r		bigint;
BEGIN
	FOR k IN 1 .. n LOOP
		o := 'SO' || nextval('bench.order_seq');
		FOR l IN 1 .. 3 LOOP
			r := CASE WHEN zipf THEN floor(power(items + 1, random()))::bigint ELSE 1 + floor(random() * items)::bigint END;
			i[l] := 'I' || 10000001 + (least(r, items) * 7919) % items;
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

-- touches every page of the positions, so that none is written whole to WAL while orders are measured
CREATE FUNCTION bench.touch_pages() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (SELECT FROM routing.position p
		WHERE p.ctid = ANY (ARRAY(SELECT format('(%s,1)', b)::tid
			FROM generate_series(0, pg_relation_size('routing.position') / current_setting('block_size')::int - 1) b))
		FOR NO KEY UPDATE) x
$$;
