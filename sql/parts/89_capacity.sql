-- capacity: part of verify()

CREATE FUNCTION routing.verify_capacity(OUT what text, OUT tenant_id int, OUT item text, OUT node text,
										OUT order_id text, OUT line_no int, OUT expected text, OUT found text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	-- what an order takes is what its bookings say
	WITH limited AS (SELECT DISTINCT c.tenant_id, c.node FROM routing.capacity c),
	-- those of long ago are not counted any more
	since AS (SELECT (routing.engine_now() AT TIME ZONE 'UTC')::date - 30 AS day),
	held AS (
		SELECT r.tenant_id, r.order_id, r.node, r.ship_on AS day, count(DISTINCT r.line_no) AS lines,
			   -- kits, and what is replaced
			   (sum(CASE WHEN r.component > 1 THEN 0 WHEN r.for_item IS NULL THEN r.quantity
					ELSE round(r.quantity / r.per_unit, 4) END) * 10000)::bigint AS units, max(r."from") AS since,
			   (array_agg(r.xid ORDER BY r.xid DESC))[1] AS xid
		FROM routing.reservation r
		JOIN limited c ON c.tenant_id = r.tenant_id AND c.node = r.node
		WHERE (r."to" IS NULL OR r.state = 'shipped') AND r.ship_on IS NOT NULL AND NOT starts_with(r.order_id, 'demand:')
		  AND (r.expires_at IS NULL OR r.expires_at > routing.engine_now()) AND r.ship_on >= (SELECT day FROM since)
		GROUP BY 1, 2, 3, 4)
	SELECT 'capacity of an order', coalesce(h.tenant_id, b.tenant_id), NULL::text, coalesce(h.node, b.node),
		   coalesce(h.order_id, b.order_id), NULL::int,
		   format('%s: %s lines, %s units', coalesce(h.day, b.day), coalesce(h.lines, 0), trim_scale(coalesce(h.units, 0) / 10000.0)),
		   format('%s lines, %s units', coalesce(b.lines, 0), trim_scale(coalesce(b.units, 0) / 10000.0))
	FROM (SELECT b.* FROM routing.capacity_booking b JOIN limited USING (tenant_id, node) WHERE b.day >= (SELECT day FROM since)) b
	FULL JOIN held h ON h.tenant_id = b.tenant_id AND h.order_id = b.order_id AND h.node = b.node AND h.day = b.day
	WHERE (h.lines, h.units) IS DISTINCT FROM (b.lines, b.units)
	  -- a hold keeps its place to its end, whatever it has lost; then it is given back when somebody needs it, or by roll()
	  AND (b.expires_at IS NULL OR h.lines > b.lines OR h.units > b.units)
	  -- bookings that are older than the node's capacity take none of it
	  AND (b.order_id IS NOT NULL OR h.since > (SELECT min(u.since) FROM routing.capacity u
												WHERE u.tenant_id = h.tenant_id AND u.node = h.node))
	  -- and so do those that may have been settled before it was committed
	  AND (b.order_id IS NOT NULL OR NOT EXISTS (SELECT FROM routing.capacity_since s
												 WHERE s.tenant_id = h.tenant_id AND s.node = h.node AND h.xid < s.xid
												   AND h.since < s.at + interval '1 hour'))
	UNION ALL
	-- what is taken of a day is what orders take
	SELECT 'capacity used', coalesce(u.tenant_id, b.tenant_id), NULL, coalesce(u.node, b.node), NULL, NULL,
		   format('%s: %s orders, %s lines, %s units', coalesce(u.day, b.day), b.orders, b.lines, trim_scale(b.units / 10000.0)),
		   format('%s orders, %s lines, %s units', u.orders, u.lines, trim_scale(u.units / 10000.0))
	FROM (SELECT tenant_id, node, day, sum(orders) AS orders, sum(lines) AS lines, sum(units) AS units
		  FROM routing.capacity_use JOIN limited USING (tenant_id, node) WHERE day >= (SELECT day FROM since) GROUP BY 1, 2, 3) u
	FULL JOIN (SELECT tenant_id, node, day, count(*) AS orders, sum(lines) AS lines, sum(units) AS units
			   FROM routing.capacity_booking JOIN limited USING (tenant_id, node) WHERE day >= (SELECT day FROM since)
			   GROUP BY 1, 2, 3) b
		ON u.tenant_id = b.tenant_id AND u.node = b.node AND u.day = b.day
	WHERE (coalesce(u.orders, 0), coalesce(u.lines, 0), coalesce(u.units, 0))
		IS DISTINCT FROM (coalesce(b.orders, 0), coalesce(b.lines, 0), coalesce(b.units, 0))
	UNION ALL
	-- used and room are the limit
	SELECT 'capacity room', u.tenant_id, NULL, u.node, NULL, NULL, format('%s: %s %s', u.day, k.kind, l.quantity),
		   format('%s used, room for %s', u.used[k.n], u.room[k.n])
	FROM (SELECT tenant_id, node, day, ARRAY[sum(orders), sum(lines), sum(units)] AS used,
				 ARRAY[sum(room_orders), sum(room_lines), sum(room_units)] AS room
		  FROM routing.capacity_use JOIN limited USING (tenant_id, node) WHERE day >= (SELECT day FROM since) GROUP BY 1, 2, 3) u
	CROSS JOIN (VALUES (1, 'orders'), (2, 'lines'), (3, 'units')) k (n, kind)
	LEFT JOIN LATERAL (SELECT x.quantity FROM routing.capacity_limit(u.tenant_id, u.node, u.day, k.kind) x WHERE x.hard) l ON true
	WHERE coalesce(l.quantity, 1152921504606846976) <> u.used[k.n] + u.room[k.n];
END;
COMMENT ON FUNCTION routing.verify_capacity() IS 'part of verify(): capacity';
