-- orders to a destination in no zone wait for one

CREATE FUNCTION routing.retry_no_zone() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- in one order everywhere, as whoever leaves orders to run_jobs() does
	INSERT INTO routing.pending (tenant_id, binding, concept, key, reason, sqlstate)
	SELECT DISTINCT e.tenant_id, '', 'orders', e.order_id, 'its destination has a zone now', '00000'
	FROM areas a
	JOIN routing.exception e ON e.tenant_id = a.tenant_id AND e.type = 'no_zone' AND e.state = 'open'
	JOIN routing.sales_order o ON o.tenant_id = e.tenant_id AND o.order_id = e.order_id
	WHERE o.country = a.country AND starts_with(o.postal_code, a.postal_prefix)
	ORDER BY 1, 4
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.retry_no_zone() IS 'trigger: leaves the orders whose destination has got a zone to run_jobs()';
CREATE TRIGGER retry_no_zone AFTER INSERT ON routing.zone_area REFERENCING NEW TABLE AS areas
	FOR EACH STATEMENT EXECUTE FUNCTION routing.retry_no_zone();
CREATE TRIGGER retry_no_zone_changed AFTER UPDATE ON routing.zone_area REFERENCING NEW TABLE AS areas
	FOR EACH STATEMENT EXECUTE FUNCTION routing.retry_no_zone();
ALTER TABLE routing.zone_area ENABLE ALWAYS TRIGGER retry_no_zone;
ALTER TABLE routing.zone_area ENABLE ALWAYS TRIGGER retry_no_zone_changed;
