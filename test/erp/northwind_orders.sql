/*
 * Northwind's orders, one transaction each, the required date as far from
 * today as the file has it from the order date.  Every seventh order is saved
 * again (lines deleted and re-inserted under the same keys), every ninth
 * enters a line with a wrong quantity and corrects it in a second transaction.
 */
SET ROLE nw_erp;
CREATE PROCEDURE nw.enter_lines(o int) LANGUAGE sql AS $$
	INSERT INTO nw."Order Details" ("OrderID", "ProductID", "UnitPrice", "Quantity", "Discount")
	SELECT "OrderID"::int, "ProductID"::int, "UnitPrice"::numeric, "Quantity"::smallint, "Discount"::numeric
	FROM in_nw."OrderDetails" WHERE "OrderID"::int = o;
$$;
CREATE PROCEDURE nw.enter_orders() LANGUAGE plpgsql AS $$
DECLARE
	o		record;
	began	timestamptz := clock_timestamp();
BEGIN
	FOR o IN SELECT "OrderID"::int AS id, x.* FROM in_nw."Orders" x ORDER BY 1 LOOP
		INSERT INTO nw."Orders" ("OrderID", "CustomerID", "OrderDate", "RequiredDate", "ShipName", "ShipCity",
								 "ShipPostalCode", "ShipCountry", "Freight")
		VALUES (o.id, o."CustomerID", current_date, current_date + (o."RequiredDate"::date - o."OrderDate"::date),
				o."ShipName", o."ShipCity", o."ShipPostalCode", o."ShipCountry", o."Freight"::numeric);
		CALL nw.enter_lines(o.id);
		IF o.id % 9 = 0 THEN
			UPDATE nw."Order Details" SET "Quantity" = "Quantity" + 10 WHERE "OrderID" = o.id;
		END IF;
		COMMIT;
		IF o.id % 9 = 0 THEN
			UPDATE nw."Order Details" SET "Quantity" = "Quantity" - 10 WHERE "OrderID" = o.id;
			COMMIT;
		ELSIF o.id % 7 = 0 THEN
			DELETE FROM nw."Order Details" WHERE "OrderID" = o.id;
			CALL nw.enter_lines(o.id);
			COMMIT;
		END IF;
	END LOOP;
	INSERT INTO erp_check.took VALUES ('nw_orders', 'one by one', extract(epoch FROM clock_timestamp() - began));
END
$$;
CALL nw.enter_orders();
