/*
 * One procedure per variant, all made from the same text: n orders of three
 * lines, each committed.  Items are uniform over all items.  psql variables:
 * items, centers, customers.
 */
\set ON_ERROR_STOP 1
CREATE TABLE bench.size AS SELECT :items AS items, :centers AS centers, :customers AS customers;

CREATE PROCEDURE bench.make_variant(variant text, body text) LANGUAGE plpgsql AS $make$
DECLARE
	z	bench.size;
BEGIN
	SELECT * INTO z FROM bench.size;
	EXECUTE format($f$
		CREATE PROCEDURE bench.run_%1$s(n int) LANGUAGE plpgsql AS $$
		DECLARE
			o text; c text; zip text; today date := current_date; want date;
			a1 int; a2 int; a3 int; s1 text; s2 text; s3 text; q1 int; q2 int; q3 int;
			record bytea; payload jsonb;
		BEGIN
			SELECT sample.record, sample.payload INTO record, payload FROM bench.sample;
			FOR k IN 1 .. n LOOP
				o := 'SO' || nextval('bench.order_seq');
				c := 'C' || 100001 + (random() * %2$s)::int;
				zip := 10000 + (random() * 89999)::int;
				want := today + 3 + (random() * 7)::int;
				a1 := 1 + (random() * %3$s)::int;
				a2 := 1 + (random() * %3$s)::int;
				a3 := 1 + (random() * %3$s)::int;
				s1 := 'I' || 1000000 + a1;
				s2 := 'I' || 1000000 + a2;
				s3 := 'I' || 1000000 + a3;
				q1 := 1 + (random() * 4)::int;
				q2 := 1 + (random() * 4)::int;
				q3 := 1 + (random() * 4)::int;
				%4$s
				COMMIT;
			END LOOP;
		END
		$$;
	$f$, variant, z.customers - 1, z.items - 1, body);
END
$make$;

-- what the generator itself costs: part of every figure
CALL bench.make_variant('generator', 'NULL;');

CALL bench.make_variant('unit', $$
	INSERT INTO b_unit.so_head (doc_no, cust_no, ship_ctry, ship_zip, want_date) VALUES (o, c, 'US', zip, want);
	INSERT INTO b_unit.so_line (doc_no, line_no, sku, qty, price)
	VALUES (o, 1, s1, q1, 9.95), (o, 2, s2, q2, 9.95), (o, 3, s3, q3, 9.95);
$$);

-- the same, each line by its own statement: printed beside it, since it is another way of measuring
CALL bench.make_variant('unit4', $$
	INSERT INTO b_unit.so_head (doc_no, cust_no, ship_ctry, ship_zip, want_date) VALUES (o, c, 'US', zip, want);
	INSERT INTO b_unit.so_line (doc_no, line_no, sku, qty, price) VALUES (o, 1, s1, q1, 9.95);
	INSERT INTO b_unit.so_line (doc_no, line_no, sku, qty, price) VALUES (o, 2, s2, q2, 9.95);
	INSERT INTO b_unit.so_line (doc_no, line_no, sku, qty, price) VALUES (o, 3, s3, q3, 9.95);
$$);

SELECT format($f$
	INSERT INTO b_floor.so_head (doc_no, cust_no, ship_ctry, ship_zip, want_date) VALUES (o, c, 'US', zip, want);
	INSERT INTO b_floor.so_line (doc_no, line_no, sku, qty, price)
	VALUES (o, 1, s1, q1, 9.95), (o, 2, s2, q2, 9.95), (o, 3, s3, q3, 9.95);
	PERFORM b_floor.write_rest(o, s1, 'N' || 101 + a1 %% %1$s, q1, s2, 'N' || 101 + a2 %% %1$s, q2,
							   s3, 'N' || 101 + a3 %% %1$s, q3, today, record, payload);
$f$, :centers) AS floor_body \gset
CALL bench.make_variant('floor', :'floor_body');

CALL bench.make_variant('greedy', $$
	INSERT INTO b_greedy.so_head (doc_no, cust_no, ship_ctry, ship_zip, want_date) VALUES (o, c, 'US', zip, want);
	INSERT INTO b_greedy.so_line (doc_no, line_no, sku, qty, price)
	VALUES (o, 1, s1, q1, 9.95), (o, 2, s2, q2, 9.95), (o, 3, s3, q3, 9.95);
	PERFORM b_greedy.route(o, record, payload);
$$);

CALL bench.make_variant('native', $$
	INSERT INTO routing.sales_order (order_id, customer, country, postal_code, requested_on) VALUES (o, c, 'US', zip, want);
	INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity, price)
	VALUES (o, 1, s1, q1, 9.95), (o, 2, s2, q2, 9.95), (o, 3, s3, q3, 9.95);
$$);

CALL bench.make_variant('bound', $$
	INSERT INTO erp.so_head (doc_no, cust_no, ship_ctry, ship_zip, want_date) VALUES (o, c, 'US', zip, want);
	INSERT INTO erp.so_line (doc_no, line_no, sku, qty, price)
	VALUES (o, 1, s1, q1, 9.95), (o, 2, s2, q2, 9.95), (o, 3, s3, q3, 9.95);
$$);
