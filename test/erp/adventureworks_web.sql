/*
 * All web orders but the last 2,000, each in a transaction of its own, header
 * first, lines after, the header's line count last.  Some are entered in
 * harder ways, by their running number k:
 *   k % 10 = 3	 saved again: a second transaction deletes the lines and inserts them anew
 *   k % 10 = 5	 lines twice: deleted and inserted anew in the same transaction
 *   k % 25 = 7	 corrected: first with other quantities and another date
 *   k % 50 = 9	 savepoint: first with nonsense in a subtransaction that is rolled back
 *   k % 100 = 11 again: entered, deleted, entered again
 */
GRANT USAGE ON SCHEMA in_aw TO aw_erp;
GRANT SELECT ON in_aw.web_order, in_aw.web_line, in_aw.sales_order, in_aw.sales_line TO aw_erp;
GRANT USAGE ON SCHEMA erp_check TO aw_erp;
GRANT INSERT ON erp_check.took TO aw_erp;
SET ROLE aw_erp;

CREATE PROCEDURE aw.enter_lines(o text) LANGUAGE sql AS $$
	INSERT INTO aw.web_order_line (order_number, line_item, product_number, quantity)
	SELECT order_number, line_item, product_number, quantity FROM in_aw.web_line WHERE order_number = o ORDER BY line_item;
$$;
CREATE PROCEDURE aw.enter_head(o text, later int) LANGUAGE sql AS $$
	INSERT INTO aw.web_order (order_number, customer_id, order_date, due_date)
	SELECT order_number, customer_id, order_date, due_date + later FROM in_aw.web_order WHERE order_number = o;
$$;
CREATE PROCEDURE aw.enter_web_orders(from_k bigint, to_k bigint) LANGUAGE plpgsql AS $$
DECLARE
	o		record;
	method	text;
	began	timestamptz := clock_timestamp();
BEGIN
	FOR o IN SELECT k, order_number FROM in_aw.web_order WHERE k BETWEEN from_k AND to_k ORDER BY k LOOP
		method := CASE WHEN o.k % 10 = 3 THEN 'saved again' WHEN o.k % 10 = 5 THEN 'lines twice'
					WHEN o.k % 25 = 7 THEN 'corrected' WHEN o.k % 50 = 9 THEN 'savepoint'
					WHEN o.k % 100 = 11 THEN 'again' ELSE 'plain' END;
		IF method = 'savepoint' THEN
			BEGIN
				CALL aw.enter_head(o.order_number, 100);
				INSERT INTO aw.web_order_line (order_number, line_item, product_number, quantity)
				SELECT o.order_number, n, 'BK-R93R-62', 500 FROM generate_series(1, 3) n;
				RAISE EXCEPTION 'entered by mistake';
			EXCEPTION WHEN raise_exception THEN
				NULL;
			END;
		END IF;
		CALL aw.enter_head(o.order_number, CASE WHEN method = 'corrected' THEN 5 ELSE 0 END);
		CALL aw.enter_lines(o.order_number);
		IF method = 'lines twice' THEN
			DELETE FROM aw.web_order_line WHERE order_number = o.order_number;
			CALL aw.enter_lines(o.order_number);
		ELSIF method = 'corrected' THEN
			UPDATE aw.web_order_line SET quantity = quantity + 1 WHERE order_number = o.order_number;
		END IF;
		UPDATE aw.web_order SET line_count = (SELECT count(*) FROM aw.web_order_line WHERE order_number = o.order_number)
		WHERE order_number = o.order_number;
		COMMIT;
		IF method = 'saved again' THEN
			DELETE FROM aw.web_order_line WHERE order_number = o.order_number;
			CALL aw.enter_lines(o.order_number);
			UPDATE aw.web_order SET changed_at = now() WHERE order_number = o.order_number;
			COMMIT;
		ELSIF method = 'corrected' THEN
			UPDATE aw.web_order_line SET quantity = quantity - 1 WHERE order_number = o.order_number;
			COMMIT;
			UPDATE aw.web_order SET due_date = due_date - 5 WHERE order_number = o.order_number;
			COMMIT;
		ELSIF method = 'again' THEN
			DELETE FROM aw.web_order WHERE order_number = o.order_number;
			COMMIT;
			CALL aw.enter_head(o.order_number, 0);
			CALL aw.enter_lines(o.order_number);
			COMMIT;
		END IF;
		IF o.k IN (1000, 5000) THEN
			-- as autovacuum does after a minute: plans made for small tables scan them whole
			ANALYZE aw.web_order, aw.web_order_line;
		END IF;
		IF method <> 'plain' THEN
			INSERT INTO aw.entered VALUES (o.order_number, method);
		END IF;
	END LOOP;
	INSERT INTO erp_check.took VALUES ('aw_web', 'one by one', extract(epoch FROM clock_timestamp() - began));
END
$$;
CALL aw.enter_web_orders(1, 23162);
