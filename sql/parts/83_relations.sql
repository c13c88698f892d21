-- availability as a relation, and as it was

CREATE FUNCTION routing.atp_table(items text[] DEFAULT NULL, nodes text[] DEFAULT NULL,
								  from_date date DEFAULT NULL, to_date date DEFAULT NULL, channel text DEFAULT NULL)
	RETURNS TABLE (item text, node text, on_date date, atp numeric)
	LANGUAGE c STABLE PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'routing_atp_table';
COMMENT ON FUNCTION routing.atp_table(text[], text[], date, date, text) IS
	'per item-node the ATP on the first day, and on each later one until the last on which it changes';

CREATE FUNCTION routing.atp_as_of(item text, node text, on_date date, at timestamptz) RETURNS numeric
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_atp_as_of';
COMMENT ON FUNCTION routing.atp_as_of(text, text, date, timestamptz) IS
	'what could be promised at the node for the day (by default the day it was then), as known at the time';

CREATE FUNCTION routing.purge_history(before timestamptz) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tenant	int := routing.current_tenant();
	total	bigint := 0;
	n		bigint;
BEGIN
	IF before IS NULL OR before > routing.engine_now() THEN
		RAISE EXCEPTION USING ERRCODE = 'RT068',
			MESSAGE = format('before %s is not in the past', coalesce(before::text, 'null')),
			HINT = 'Give the time from which on history is kept.';
	END IF;
	INSERT INTO routing.setting AS s (tenant_id, history_from) VALUES (tenant, before)
	ON CONFLICT (tenant_id) DO UPDATE SET history_from = greatest(s.history_from, excluded.history_from);
	DELETE FROM routing.supply_history h WHERE h.tenant_id = tenant AND h."to" < before;
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM routing.item_node_history h WHERE h.tenant_id = tenant AND h."to" < before;
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM routing.supply_rule_history h WHERE h.tenant_id = tenant AND h."to" < before;
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM routing.node_history h WHERE h.tenant_id = tenant AND h."to" < before;
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM routing.capacity_history h WHERE h.tenant_id = tenant AND h."to" < before;
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	-- what was shipped is part of what its order line adds up to
	DELETE FROM routing.reservation r
	WHERE r.tenant_id = tenant AND r."to" < before AND r.state IN ('cancelled', 'changed', 'expired', 'lapsed');
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN total + n;
END
$$;
COMMENT ON FUNCTION routing.purge_history(timestamptz) IS
	'forgets what supply, item-nodes and closed bookings said until before then; returns how many rows';
