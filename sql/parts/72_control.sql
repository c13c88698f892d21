-- what an item demands of its stock: changed only as far as the stock agrees

CREATE FUNCTION routing.control_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	i		record;
	problem	text;
BEGIN
	FOR i IN SELECT n.tenant_id, n.item, n.control, o.control AS before
			 FROM new_rows n JOIN old_rows o ON o.tenant_id = n.tenant_id AND o.item = n.item
			 WHERE n.control <> o.control AND n.control <> 'none' ORDER BY 1, 2
	LOOP
		SELECT x.problem INTO problem FROM (
			SELECT 1 AS rank, format('%s at node "%s" are on hand without a lot', trim_scale(s.quantity), s.node) AS problem
			FROM routing.supply s
			WHERE s.tenant_id = i.tenant_id AND s.item = i.item AND s.available_on = '-infinity' AND s.quantity <> 0 AND s.lot = ''
			UNION ALL
			SELECT 2, format('%s of lot "%s" are on hand at node "%s"', trim_scale(s.quantity), s.lot, s.node)
			FROM routing.supply s
			WHERE i.control = 'serial' AND s.tenant_id = i.tenant_id AND s.item = i.item AND s.available_on = '-infinity'
			  AND s.quantity NOT IN (0, 1)
			UNION ALL
			SELECT 3, format('lot "%s" is on hand at %s places', s.lot, count(*)) FROM routing.supply s
			WHERE i.control = 'serial' AND s.tenant_id = i.tenant_id AND s.item = i.item AND s.available_on = '-infinity'
			  AND s.quantity = 1 AND s.lot <> ''
			GROUP BY s.lot HAVING count(*) > 1
			UNION ALL
			SELECT 4, format('%s of it are booked for "%s" at node "%s"', trim_scale(r.quantity), r.order_id, r.node)
			FROM routing.reservation r
			WHERE i.control = 'serial' AND r.tenant_id = i.tenant_id AND r.item = i.item AND r."to" IS NULL
			  AND r.quantity <> trunc(r.quantity)
			UNION ALL
			SELECT 5, format('order "%s", line %s waits for %s of it', c.order_id, c.line_no, trim_scale(c.quantity))
			FROM routing.claim c
			WHERE i.control = 'serial' AND c.tenant_id = i.tenant_id AND c.item = i.item AND c.quantity <> trunc(c.quantity)
			ORDER BY 1, 2 LIMIT 1) x;
		IF problem IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'RT085',
				MESSAGE = format('item "%s": control cannot become %s: %s', i.item, i.control, problem),
				HINT = CASE i.control WHEN 'lot' THEN 'Give the stock on hand its lots first.'
						ELSE 'Have one row of supply per unit on hand first, with its serial number as the lot; orders want whole units.' END;
		END IF;
		-- what is on hand becomes known by its numbers
		IF i.control = 'serial' THEN
			UPDATE routing.supply s SET lot = s.lot
			WHERE s.tenant_id = i.tenant_id AND s.item = i.item AND s.available_on = '-infinity' AND s.quantity <> 0;
		END IF;
	END LOOP;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.control_changed() IS 'trigger: refuses a control of an item that its stock or bookings contradict';

-- by name after reference_changed, which makes this session forget the old control
CREATE TRIGGER stock_control AFTER UPDATE ON routing.item
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION routing.control_changed();
ALTER TABLE routing.item ENABLE ALWAYS TRIGGER stock_control;
