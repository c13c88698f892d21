-- decisions made again from what they recorded

CREATE FUNCTION routing.record_replay(record bytea,
									  OUT line_no int, OUT item text, OUT node text, OUT service text, OUT quantity numeric,
									  OUT needed_on date, OUT ship_on date, OUT deliver_on date, OUT shipment_no int, OUT same boolean)
	RETURNS SETOF record
	LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT ROWS 5 AS 'MODULE_PATHNAME', 'routing_record_replay';
COMMENT ON FUNCTION routing.record_replay(bytea) IS 'the plan of a recorded decision, found again';

CREATE FUNCTION routing.record_same(record bytea) RETURNS boolean
	LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'routing_record_same';
COMMENT ON FUNCTION routing.record_same(bytea) IS 'whether a recorded decision, made again, gives the same plan';

CREATE FUNCTION routing.replay(decision_id bigint)
	RETURNS TABLE (line_no int, item text, node text, service text, quantity numeric,
				   needed_on date, ship_on date, deliver_on date, shipment_no int, same boolean)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 5 AS $$
#variable_conflict use_column
DECLARE
	recorded	bytea;
BEGIN
	SELECT d.record INTO recorded FROM routing.decision d
	WHERE d.tenant_id = routing.current_tenant() AND d.decision_id = replay.decision_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT081',
			MESSAGE = format('decision %s is unknown', coalesce(replay.decision_id::text, 'null')),
			HINT = 'Give a decision_id of routing.decision; old ones are removed as the policy says.';
	END IF;
	RETURN QUERY SELECT * FROM routing.record_replay(recorded);
END
$$;
COMMENT ON FUNCTION routing.replay(bigint) IS
	'the plan of a decision, found again from what it recorded; "same": it is the one that was chosen then';

CREATE FUNCTION routing.why_not(order_id text, node text,
								OUT what text, OUT line_no int, OUT item text, OUT seen text, OUT needed text,
								OUT change text, OUT wins boolean, OUT known text)
	RETURNS SETOF record
	LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 5
	AS 'MODULE_PATHNAME', 'routing_why_not';
COMMENT ON FUNCTION routing.why_not(text, text) IS
	'what kept the node out of the order''s plan, and the smallest single changes that would have let it in';

CREATE FUNCTION routing.purge_decisions(max_rows int DEFAULT 10000) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tenant	int := routing.current_tenant();
	n		bigint;
BEGIN
	IF max_rows IS NULL OR max_rows < 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT005',
			MESSAGE = format('max_rows %s is not more than 0', coalesce(max_rows::text, 'null')),
			HINT = 'Give the number of rows that one call may remove.';
	END IF;
	WITH kept AS (
		SELECT p.policy, e.value::int AS days
		FROM (SELECT DISTINCT a.policy FROM routing.policy a WHERE a.tenant_id = tenant AND a.state = 'active') p,
			 LATERAL routing.policy_effective(p.policy) e
		WHERE routing.policy_in_effect(tenant, p.policy, routing.engine_now()) IS NOT NULL AND e.key = 'retention_days'),
	old AS (
		SELECT d.decision_id FROM routing.decision d
		JOIN kept k ON k.policy = d.policy AND k.days IS NOT NULL
		WHERE d.tenant_id = tenant AND d.decided_at < pg_catalog.now() - make_interval(days => k.days)
		  AND NOT EXISTS (SELECT FROM routing.sales_order o
						  WHERE o.tenant_id = tenant AND o.order_id = d.order_id AND o.decision_id = d.decision_id
							AND o.status NOT IN ('shipped', 'delivered', 'cancelled', 'returned'))
		ORDER BY d.decision_id LIMIT max_rows)
	DELETE FROM routing.decision d USING old
	WHERE d.tenant_id = tenant AND d.decision_id = old.decision_id;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION routing.purge_decisions(int) IS
	'removes decisions older than the retention_days of their policy, except the one that an open order stands on; returns how many';
