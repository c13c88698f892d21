/*
 * Reseller and online orders, one transaction each, every line by its own
 * statement.  By their running number k:
 *   k % 20 = 4	 a line more that is taken out again in a second transaction
 *   k % 20 = 9	 the ship-to date first a week later
 *   k % 50 = 25 deleted in a second transaction, entered again in a third
 *   k % 20 = 14 saved again under new line keys: all lines deleted and re-inserted
 */
SET ROLE aw_erp;
CREATE SEQUENCE aw.sales_order_detail_seq START 10000001;
CREATE PROCEDURE aw.enter_sales_order(o int, days_later int) LANGUAGE plpgsql AS $$
DECLARE
	l	record;
BEGIN
	INSERT INTO aw.sales_order_header (sales_order_id, customer_id, online, ship_to_address_id, order_date, due_date)
	SELECT sales_order_id, customer_id, online, address_id, order_date, due_date + days_later * interval '1 day'
	FROM in_aw.sales_order WHERE sales_order_id = o;
	FOR l IN SELECT * FROM in_aw.sales_line WHERE sales_order_id = o ORDER BY detail_id LOOP
		INSERT INTO aw.sales_order_detail (sales_order_id, sales_order_detail_id, product_id, order_qty, unit_price)
		VALUES (o, l.detail_id, l.product_id, l.quantity, l.unit_price);
	END LOOP;
END
$$;
CREATE PROCEDURE aw.enter_sales_orders() LANGUAGE plpgsql AS $$
DECLARE
	o		record;
	began	timestamptz := clock_timestamp();
BEGIN
	FOR o IN SELECT k, sales_order_id FROM in_aw.sales_order ORDER BY k LOOP
		CALL aw.enter_sales_order(o.sales_order_id, CASE WHEN o.k % 20 = 9 THEN 7 ELSE 0 END);
		IF o.k % 20 = 4 THEN
			INSERT INTO aw.sales_order_detail (sales_order_id, sales_order_detail_id, product_id, order_qty, unit_price)
			VALUES (o.sales_order_id, nextval('aw.sales_order_detail_seq'), 1, 25, 1.5);
		END IF;
		COMMIT;
		IF o.k % 20 = 4 THEN
			DELETE FROM aw.sales_order_detail
			WHERE sales_order_id = o.sales_order_id AND sales_order_detail_id > 10000000;
			COMMIT;
		ELSIF o.k % 20 = 9 THEN
			UPDATE aw.sales_order_header SET due_date = due_date - interval '7 days' WHERE sales_order_id = o.sales_order_id;
			COMMIT;
		ELSIF o.k % 20 = 14 THEN
			WITH d AS (DELETE FROM aw.sales_order_detail WHERE sales_order_id = o.sales_order_id RETURNING *)
			INSERT INTO aw.sales_order_detail (sales_order_id, sales_order_detail_id, product_id, order_qty, unit_price)
			SELECT sales_order_id, nextval('aw.sales_order_detail_seq'), product_id, order_qty, unit_price FROM d;
			INSERT INTO aw.entered VALUES (o.sales_order_id, 'saved again');
			COMMIT;
		ELSIF o.k % 50 = 25 THEN
			DELETE FROM aw.sales_order_header WHERE sales_order_id = o.sales_order_id;
			COMMIT;
			CALL aw.enter_sales_order(o.sales_order_id, 0);
			COMMIT;
		END IF;
	END LOOP;
	INSERT INTO erp_check.took VALUES ('aw_sales', 'one by one', extract(epoch FROM clock_timestamp() - began));
END
$$;
CALL aw.enter_sales_orders();
