-- policies tried on what has happened

/*
 * A transaction's changes are known from its commit on.  A commit time that is
 * not shortly after the change is of another cluster, or another life of the number.
 */
CREATE FUNCTION routing.known_at(xid xid, at timestamptz) RETURNS timestamptz
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN current_setting('track_commit_timestamp')::boolean AND $1 IS NOT NULL
		THEN (SELECT CASE WHEN c.at >= $2 AND c.at < $2 + interval '1 hour' THEN c.at ELSE $2 END
			  FROM pg_xact_commit_timestamp($1) AS c(at))
		ELSE $2 END
$$;
COMMENT ON FUNCTION routing.known_at(xid, timestamptz) IS
	'internal: when others knew of what a transaction did at a time: its commit, if the server keeps commit times';

CREATE FUNCTION routing.simulated_orders(policy text, version int, "from" timestamptz, "to" timestamptz DEFAULT routing.engine_now())
	RETURNS TABLE (order_id text, decided_at timestamptz, decided_policy text, decided_version int, changed boolean, problem text,
				   recorded_shipments int, simulated_shipments int, recorded_cost numeric, simulated_cost numeric,
				   recorded_days_late int, simulated_days_late int, recorded_nodes text[], simulated_nodes text[],
				   recorded_promised_on date, simulated_promised_on date,
				   recorded_backordered numeric, simulated_backordered numeric,
				   recorded_node_lines int[], simulated_node_lines int[],
				   recorded_node_units numeric[], simulated_node_units numeric[])
	LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 1000
	AS 'MODULE_PATHNAME', 'routing_simulated_orders';
COMMENT ON FUNCTION routing.simulated_orders(text, int, timestamptz, timestamptz) IS
	'internal: simulate() with what leaves each node';

CREATE FUNCTION routing.simulate(policy text, version int, "from" timestamptz, "to" timestamptz DEFAULT routing.engine_now())
	RETURNS TABLE (order_id text, decided_at timestamptz, decided_policy text, decided_version int, changed boolean, problem text,
				   recorded_shipments int, simulated_shipments int, recorded_cost numeric, simulated_cost numeric,
				   recorded_days_late int, simulated_days_late int, recorded_nodes text[], simulated_nodes text[],
				   recorded_promised_on date, simulated_promised_on date,
				   recorded_backordered numeric, simulated_backordered numeric)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp ROWS 1000 AS $$
	SELECT s.order_id, s.decided_at, s.decided_policy, s.decided_version, s.changed, s.problem,
		   s.recorded_shipments, s.simulated_shipments, s.recorded_cost, s.simulated_cost,
		   s.recorded_days_late, s.simulated_days_late, s.recorded_nodes, s.simulated_nodes,
		   s.recorded_promised_on, s.simulated_promised_on, s.recorded_backordered, s.simulated_backordered
	FROM routing.simulated_orders($1, $2, $3, $4) s
$$;
COMMENT ON FUNCTION routing.simulate(text, int, timestamptz, timestamptz) IS
	'the orders decided in a time, planned again under a version of a policy from the state of its first instant: each as it was and as it would have been';

CREATE FUNCTION routing.simulate_summary(policy text, version int, "from" timestamptz, "to" timestamptz DEFAULT routing.engine_now())
	RETURNS TABLE (metric text, node text, recorded numeric, simulated numeric, difference numeric)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp ROWS 50 AS $$
	WITH s AS MATERIALIZED (SELECT * FROM routing.simulated_orders($1, $2, $3, $4)),
	t AS (SELECT count(*) AS orders, count(*) FILTER (WHERE s.changed) AS changed,
				 count(*) FILTER (WHERE s.problem IS NOT NULL) AS problems,
				 coalesce(sum(s.recorded_shipments), 0) AS rs, coalesce(sum(s.simulated_shipments), 0) AS ss,
				 count(*) FILTER (WHERE s.recorded_shipments > 1) AS rp, count(*) FILTER (WHERE s.simulated_shipments > 1) AS sp,
				 coalesce(sum(s.recorded_cost), 0) AS rc, coalesce(sum(s.simulated_cost), 0) AS sc,
				 count(*) FILTER (WHERE s.recorded_days_late > 0) AS rl, count(*) FILTER (WHERE s.simulated_days_late > 0) AS sl,
				 coalesce(sum(s.recorded_days_late), 0) AS rd, coalesce(sum(s.simulated_days_late), 0) AS sd,
				 count(*) FILTER (WHERE s.recorded_backordered > 0) AS rbo, count(*) FILTER (WHERE s.simulated_backordered > 0) AS sbo,
				 coalesce(sum(s.recorded_backordered), 0) AS rb, coalesce(sum(s.simulated_backordered), 0) AS sb
		  FROM s),
	r AS (SELECT u.node, count(*) AS orders, sum(u.lines) AS lines, sum(u.units) AS units
		  FROM s, unnest(s.recorded_nodes, s.recorded_node_lines, s.recorded_node_units) AS u(node, lines, units) GROUP BY u.node),
	n AS (SELECT u.node, count(*) AS orders, sum(u.lines) AS lines, sum(u.units) AS units
		  FROM s, unnest(s.simulated_nodes, s.simulated_node_lines, s.simulated_node_units) AS u(node, lines, units) GROUP BY u.node),
	m AS (
		SELECT v.place, v.metric, NULL::text AS node, v.recorded, v.simulated
		FROM t, LATERAL (VALUES
			(1, 'orders', t.orders::numeric, t.orders::numeric),
			(2, 'changed orders', 0, t.changed),
			(3, 'orders not simulated', 0, t.problems),
			(4, 'shipments', t.rs, t.ss),
			(5, 'split orders', t.rp, t.sp),
			(6, 'split share %', round(100.0 * t.rp / nullif(t.orders, 0), 2), round(100.0 * t.sp / nullif(t.orders, 0), 2)),
			(7, 'cost', t.rc, t.sc),
			(8, 'late orders', t.rl, t.sl),
			(9, 'days late', t.rd, t.sd),
			(10, 'backordered orders', t.rbo, t.sbo),
			(11, 'backordered units', t.rb, t.sb)) AS v(place, metric, recorded, simulated)
		UNION ALL
		SELECT v.place, v.metric, coalesce(r.node, n.node), coalesce(v.recorded, 0), coalesce(v.simulated, 0)
		FROM r FULL JOIN n ON n.node = r.node, LATERAL (VALUES
			(12, 'node orders', r.orders::numeric, n.orders::numeric),
			(13, 'node lines', r.lines, n.lines),
			(14, 'node units', r.units, n.units)) AS v(place, metric, recorded, simulated))
	SELECT m.metric, m.node, m.recorded, m.simulated, m.simulated - m.recorded
	FROM m ORDER BY m.place, m.node COLLATE "C"
$$;
COMMENT ON FUNCTION routing.simulate_summary(text, int, timestamptz, timestamptz) IS
	'totals of simulate(), and the load of each node: as it was and as it would have been';

CREATE FUNCTION routing.compare(policy text, versions int[], "from" timestamptz, "to" timestamptz DEFAULT routing.engine_now())
	RETURNS TABLE (metric text, node text, version int, value numeric, against_first numeric, percent numeric)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
#variable_conflict use_column
BEGIN
	IF coalesce(cardinality($2), 0) = 0 OR array_ndims($2) <> 1
	   OR (SELECT count(DISTINCT v) FROM unnest($2) v) <> cardinality($2) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT130',
			MESSAGE = format('versions %s is not a list of different versions', coalesce($2::text, 'null')),
			HINT = 'Give the version to compare with first, then the others, as in ARRAY[3, 4].';
	END IF;
	RETURN QUERY
	WITH s AS MATERIALIZED (
		SELECT v.version, v.place, m.metric, m.node, m.simulated, m.rank
		FROM unnest($2) WITH ORDINALITY AS v(version, place),
			 LATERAL (SELECT x.*, row_number() OVER () AS rank FROM routing.simulate_summary($1, v.version, $3, $4) x) m),
	k AS (SELECT s.metric, s.node, min(array_position(ARRAY['node orders', 'node lines', 'node units'], s.metric)) AS late,
				 min(s.rank) AS rank
		  FROM s GROUP BY s.metric, s.node)
	SELECT k.metric, k.node, v.version, coalesce(s.simulated, 0), coalesce(s.simulated, 0) - coalesce(f.simulated, 0),
		   round(100 * (s.simulated - f.simulated) / nullif(f.simulated, 0), 2)
	FROM k CROSS JOIN unnest($2) WITH ORDINALITY AS v(version, place)
	LEFT JOIN s ON s.metric = k.metric AND s.node IS NOT DISTINCT FROM k.node AND s.version = v.version
	LEFT JOIN s f ON f.metric = k.metric AND f.node IS NOT DISTINCT FROM k.node AND f.place = 1
	ORDER BY k.late NULLS FIRST, CASE WHEN k.late IS NULL THEN k.rank END, k.node COLLATE "C", v.place;
END
$$;
COMMENT ON FUNCTION routing.compare(text, int[], timestamptz, timestamptz) IS
	'what the versions of a policy would have come to, metric by metric, against the first of them';
