-- verify: every invariant recomputed

CREATE FUNCTION routing.position_shortage(timeline bigint[], holds bigint[], today date, at timestamptz, since date)
	RETURNS bigint[]
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_position_shortage';
COMMENT ON FUNCTION routing.position_shortage(bigint[], bigint[], date, timestamptz, date) IS
	'the first day from since on, and its balance, on which a position row has demand and less than 0 left; null if there is none';

/*
 * What supply and open bookings say of each item-node, in the terms of
 * position.timeline.  Lateral subqueries, so that what is said about one
 * item-node is as cheap as it should be; the rules are few, and remembered.
 */
CREATE VIEW routing.ledger_entry WITH (security_invoker = true) AS
	SELECT s.tenant_id, s.item, s.node,
		   CASE WHEN s.available_on = '-infinity' THEN -2147483648
				ELSE CASE WHEN n.calendar IS NULL THEN s.available_on + r.delay_days + coalesce(i.dock_days, n.dock_days, 0)
						  ELSE routing.stock_day(n.tenant_id, n.calendar, s.available_on + r.delay_days,
												 coalesce(i.dock_days, n.dock_days, 0)) END
					 - date '2000-01-01' + (r.late_days - 1) * 4294967296 END AS key,
		   (s.quantity * 10000)::bigint AS supply, 0::bigint AS demand,
		   CASE WHEN s.expires_on IS NULL THEN NULL::bigint ELSE s.expires_on - date '2000-01-01' END AS until
	FROM routing.supply s
	LEFT JOIN routing.node n ON n.tenant_id = s.tenant_id AND n.node = s.node
	LEFT JOIN routing.item_node i ON i.tenant_id = s.tenant_id AND i.item = s.item AND i.node = s.node
		 AND i.dock_days IS NOT NULL
	CROSS JOIN LATERAL (
		SELECT b.usable, b.delay_days, b.late_days
		FROM (SELECT x.usable, x.delay_days, x.late_days,
					 CASE x.status WHEN '*' THEN 0 ELSE 4 END + CASE x.kind WHEN '*' THEN 0 ELSE 2 END AS exact
			  FROM routing.supply_rule x
			  WHERE x.tenant_id = s.tenant_id AND x.status IN ('*', s.status COLLATE "C")
				AND x.kind IN ('*', s.kind COLLATE "C")
			  UNION ALL
			  SELECT s.status NOT IN ('quarantine', 'held', 'hold', 'blocked', 'putaway'),
					 CASE s.status WHEN 'unconfirmed' THEN 3 ELSE 0 END, 1,
					 CASE WHEN s.status IN ('quarantine', 'held', 'hold', 'blocked', 'putaway', 'unconfirmed')
						  THEN 3 ELSE -1 END) b
		ORDER BY b.exact DESC LIMIT 1) r
	WHERE s.order_id = '' AND r.usable
	UNION ALL
	SELECT b.tenant_id, b.item, b.node, (b.needed_on - date '2000-01-01')::bigint, 0, (b.quantity * 10000)::bigint,
		   CASE WHEN b.min_expiry IS NULL THEN NULL::bigint ELSE b.min_expiry - date '2000-01-01' END
	FROM routing.reservation b WHERE b."to" IS NULL AND b.state IN ('firm', 'issued');
COMMENT ON VIEW routing.ledger_entry IS
	'supply that counts and bookings that count, in the terms of position.timeline: what that is recomputed from';

CREATE FUNCTION routing.expected_timeline(tenant_id int, item text, node text) RETURNS bigint[]
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	RETURN (SELECT array_agg(x.v ORDER BY (d.key & 4294967295)::bit(32)::int, d.key, x.k)::bigint[]
			FROM (SELECT e.key, sum(e.supply) AS supply, sum(e.demand) AS demand
				  FROM routing.ledger_entry e
				  WHERE e.tenant_id = expected_timeline.tenant_id AND e.item = expected_timeline.item
					AND e.node = expected_timeline.node
				  GROUP BY 1 HAVING sum(e.supply) <> 0 OR sum(e.demand) <> 0) d,
				 LATERAL unnest(ARRAY[d.key, d.supply, d.demand]) WITH ORDINALITY x(v, k));
COMMENT ON FUNCTION routing.expected_timeline(int, text, text) IS
	'the timeline that an item-node should have, over all its rows of position';

/*
 * One snapshot, plans over whole tables: with 10 million rows of supply the
 * accounts are a matter of a minute, and hash and sort within 128 MB or on
 * disk.  Balances are those of the last roll(), since which the calendar may
 * have made some supply late; before the first one dates count as given.
 */
CREATE FUNCTION routing.verify(OUT what text, OUT tenant_id int, OUT item text, OUT node text, OUT order_id text,
							   OUT line_no int, OUT expected text, OUT found text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET jit = off ROWS 10 AS $$
	WITH clock AS MATERIALIZED (
		SELECT routing.engine_now() AS at,
			   (extract(epoch FROM routing.engine_now() - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint AS usecs
	), today AS MATERIALIZED (
		SELECT n.tenant_id, n.node,
			   (s.rolled_at AT TIME ZONE CASE WHEN routing.time_zone_known(n.time_zone) THEN n.time_zone ELSE 'UTC' END)::date
			   AS today
		FROM routing.node n JOIN routing.setting s USING (tenant_id) WHERE s.rolled_at IS NOT NULL
	), differing AS MATERIALIZED (
		SELECT DISTINCT d.tenant_id, d.item, d.node
		FROM (SELECT e.tenant_id, e.item, e.node
			  FROM (SELECT l.tenant_id, l.item, l.node, l.key, l.supply, l.demand FROM routing.ledger_entry l
					UNION ALL
					SELECT p.tenant_id, p.item, p.node, p.timeline[k], -p.timeline[k + 1], -p.timeline[k + 2]
					FROM routing.position p, LATERAL generate_series(1, cardinality(p.timeline), 3) k) e
			  GROUP BY e.tenant_id, e.item, e.node, e.key
			  HAVING sum(e.supply) <> 0 OR sum(e.demand) <> 0) d
	), suspect AS MATERIALIZED (
		SELECT p.tenant_id, p.item, p.node, p.slot, p.timeline, p.holds, t.today
		FROM routing.position p LEFT JOIN today t USING (tenant_id, node)
		WHERE routing.position_shortage(p.timeline, p.holds, t.today, (SELECT c.at FROM clock c), NULL) IS NOT NULL
		UNION ALL
		SELECT d.tenant_id, d.item, d.node, NULL, routing.expected_timeline(d.tenant_id, d.item, d.node), NULL, t.today
		FROM differing d LEFT JOIN today t USING (tenant_id, node)
	), booked AS MATERIALIZED (
		SELECT r.tenant_id, r.order_id, r.line_no,
			   count(DISTINCT coalesce(r.for_item, r.item)) FILTER (WHERE r."to" IS NULL) AS items,
			   min(coalesce(r.for_item, r.item)) AS item,
			   coalesce(trim_scale(round(sum(s.serves) FILTER (WHERE r."to" IS NULL), 4)), 0) AS quantity,
			   coalesce(trim_scale(round(sum(s.serves) FILTER (WHERE r."to" IS NULL AND r.state <> 'uncovered'), 4)), 0) AS serving,
			   coalesce(trim_scale(round(sum(s.serves) FILTER (WHERE r."to" IS NULL AND r.state = 'issued'), 4)), 0) AS issued,
			   coalesce(trim_scale(round(sum(s.serves) FILTER (WHERE r."to" IS NOT NULL), 4)), 0) AS shipped,
			   count(*) FILTER (WHERE r.component > 1 AND r."to" IS NULL AND r.state <> 'issued') > 0 AS waiting
		FROM routing.reservation r
		-- in the line's units; of a kit its first component tells
		CROSS JOIN LATERAL (SELECT CASE WHEN r.for_item IS NULL THEN r.quantity WHEN r.component > 1 THEN 0
										ELSE r.quantity / r.per_unit END AS serves) s
		WHERE (r."to" IS NULL OR r.state = 'shipped')
		  AND r.order_id NOT LIKE 'hold:%' AND r.order_id NOT LIKE 'demand:%'
		GROUP BY 1, 2, 3
	), ordered AS (
		SELECT l.tenant_id, l.order_id, l.line_no, l.item, l.status, l.replan,
			   l.quantity * CASE WHEN l.uom IS NULL OR l.uom = i.uom THEN 1 ELSE u.factor END
				- coalesce(l.cancelled_quantity, 0) AS quantity
		FROM routing.sales_order_line l
		LEFT JOIN routing.item i USING (tenant_id, item)
		LEFT JOIN routing.item_uom u ON u.tenant_id = l.tenant_id AND u.item = l.item AND u.uom = l.uom
	), held AS (
		SELECT e.tenant_id, e.item, e.node, e.expires_at, e.needed_on,
			   sum(e.booked) AS booked, sum(e.quantity) AS quantity
		FROM (SELECT r.tenant_id, r.item, r.node,
					 (extract(epoch FROM r.expires_at - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint AS expires_at,
					 (r.needed_on - date '2000-01-01')::bigint AS needed_on,
					 (r.quantity * 10000)::bigint AS booked, 0::bigint AS quantity
			  FROM routing.reservation r WHERE r."to" IS NULL AND r.state = 'hold'
			  UNION ALL
			  SELECT p.tenant_id, p.item, p.node, p.holds[k], p.holds[k + 1], 0, p.holds[k + 3]
			  FROM routing.position p, LATERAL generate_series(1, cardinality(p.holds), 4) k
			  WHERE p.holds IS NOT NULL) e
		WHERE e.expires_at > (SELECT c.usecs FROM clock c)
		GROUP BY 1, 2, 3, 4, 5 HAVING sum(e.booked) <> sum(e.quantity)
	), claimed AS (
		SELECT e.tenant_id, e.item, e.node, e.rank, sum(e.claimed) AS claimed, sum(e.quantity) AS quantity
		FROM (SELECT c.tenant_id, c.item, c.node, c.rank::bigint AS rank,
					 (c.quantity * 10000)::bigint AS claimed, 0::bigint AS quantity
			  FROM routing.claim c
			  UNION ALL
			  SELECT p.tenant_id, p.item, p.node, p.claims[k], 0, p.claims[k + 1]
			  FROM routing.position p, LATERAL generate_series(1, cardinality(p.claims), 2) k
			  WHERE p.claims IS NOT NULL) e
		GROUP BY 1, 2, 3, 4 HAVING sum(e.claimed) <> sum(e.quantity)
	)
	SELECT v.* FROM (
	-- lots: what they are made of, and that they serve what is booked
	SELECT 'lots', l.tenant_id, l.item, l.node, NULL::text, NULL::int, 'right'::text, x.wrong
	FROM (SELECT p.tenant_id, p.item, p.node FROM routing.position p WHERE p.lots IS NOT NULL
		  UNION SELECT s.tenant_id, s.item, s.node FROM routing.supply s WHERE s.lot <> '' OR s.expires_on IS NOT NULL) l
	LEFT JOIN today t USING (tenant_id, node)
	CROSS JOIN LATERAL (SELECT routing.lots_check(l.tenant_id, l.item, l.node, t.today) AS wrong) x
	WHERE x.wrong IS NOT NULL
	UNION ALL
	-- serial numbers: the column that keeps them unique is what they are
	SELECT 'serial', s.tenant_id, s.item, s.node, NULL, NULL, s.lot, s.serial
	FROM routing.supply s
	WHERE s.serial IS NOT NULL AND (s.serial <> s.lot OR s.quantity <> 1 OR s.available_on <> '-infinity')
	UNION ALL
	-- the accounts: a position, over all its rows, is its supply and its open bookings
	SELECT 'timeline', d.tenant_id, d.item, d.node, NULL::text, NULL::int,
		   routing.expected_timeline(d.tenant_id, d.item, d.node)::text,
		   (SELECT string_agg(p.timeline::text, ' + ' ORDER BY p.slot) FROM routing.position p
			WHERE p.tenant_id = d.tenant_id AND p.item = d.item AND p.node = d.node)
	FROM differing d
	UNION ALL
	-- the balance: nothing is promised that is not there; goods that have left may be missing already,
	-- days that have passed are no promise any more, and what is picked is there, whatever the books
	-- say: until others are needed it may miss in them, if somebody was told so
	SELECT DISTINCT 'balance', s.tenant_id, s.item, s.node, NULL::text, NULL::int, '>= 0',
		   format('%s on %s', trim_scale(x.shortage[2] / 10000.0), date '2000-01-01' + x.shortage[1]::int)
	FROM suspect s,
		 LATERAL (SELECT min(r.needed_on) AS since FROM routing.reservation r
				  WHERE r.tenant_id = s.tenant_id AND r.item = s.item AND r.node = s.node AND r."to" IS NULL
					AND r.state IN ('firm', 'hold')
					AND NOT (EXISTS (SELECT FROM routing.exception e
									 WHERE e.tenant_id = s.tenant_id AND e.order_id IS NULL AND e.item = s.item
									   AND e.node = s.node AND e.type = 'picked_short' AND e.state = 'open')
							 AND EXISTS (SELECT FROM routing.sales_order_line l
										 WHERE l.tenant_id = r.tenant_id AND l.order_id = r.order_id
										   AND l.line_no = r.line_no
										   AND l.status IN ('picked', 'packed', 'shipped', 'delivered')))) b,
		 LATERAL (SELECT routing.position_shortage(s.timeline, s.holds, s.today, (SELECT c.at FROM clock c),
												  greatest(b.since, routing.node_today(s.tenant_id, s.node))) AS shortage) x
	WHERE b.since IS NOT NULL AND x.shortage IS NOT NULL
	UNION ALL
	SELECT 'settings', p.tenant_id, p.item, p.node, NULL, NULL,
		   format('safety stock %s, lead time %s, enabled %s', coalesce(trim_scale(i.safety_stock), 0),
				  coalesce(i.lead_time_days::text, 'none'), coalesce(i.enabled, true)),
		   format('safety stock %s, lead time %s, enabled %s', trim_scale(p.safety_stock / 10000.0),
				  coalesce(p.lead_time_days::text, 'none'), p.enabled)
	FROM routing.position p LEFT JOIN routing.item_node i USING (tenant_id, item, node)
	WHERE p.slot = 0
	  AND (p.safety_stock <> coalesce(i.safety_stock, 0) * 10000 OR p.enabled <> coalesce(i.enabled, true)
		   OR p.lead_time_days IS DISTINCT FROM i.lead_time_days)
	UNION ALL
	SELECT 'slots', p.tenant_id, p.item, p.node, NULL, NULL, 'rows of a position with slots',
		   format('slot %s of %s', p.slot, coalesce(m.slots::text, 'no position'))
	FROM routing.position p
	LEFT JOIN routing.position m ON m.tenant_id = p.tenant_id AND m.item = p.item AND m.node = p.node AND m.slot = 0
	WHERE p.slot <> 0 AND (m.slots IS NULL OR p.slot NOT BETWEEN 1 AND m.slots)
	UNION ALL
	SELECT 'escrow', e.tenant_id, e.item, e.node, NULL, NULL, trim_scale(sum(e.kept) / 10000)::text, trim_scale(sum(e.told) / 10000)::text
	FROM (SELECT p.tenant_id, p.item, p.node, p.timeline[k] AS key, p.timeline[k + 1] AS kept, 0::bigint AS told
		  FROM routing.position p, LATERAL generate_series(1, cardinality(p.timeline), 3) k WHERE p.slot <> 0
		  UNION ALL
		  SELECT p.tenant_id, p.item, p.node, p.escrow[k], 0, p.escrow[k + 1]
		  FROM routing.position p, LATERAL generate_series(1, cardinality(p.escrow), 2) k WHERE p.escrow IS NOT NULL) e
	GROUP BY e.tenant_id, e.item, e.node, e.key HAVING sum(e.kept) <> sum(e.told)
	UNION ALL
	SELECT 'holds', h.tenant_id, h.item, h.node, NULL, NULL,
		   format('%s until %s', trim_scale(h.booked / 10000), timestamptz '2000-01-01 00:00:00+00' + h.expires_at * interval '1 microsecond'),
		   trim_scale(h.quantity / 10000)::text
	FROM held h
	UNION ALL
	SELECT 'claims', c.tenant_id, c.item, c.node, NULL, NULL, format('%s of rank %s', trim_scale(c.claimed / 10000), c.rank),
		   trim_scale(c.quantity / 10000)::text
	FROM claimed c
	UNION ALL
	-- the bookings
	SELECT 'booking_state', r.tenant_id, r.item, r.node, r.order_id, r.line_no,
		   CASE WHEN r."to" IS NULL THEN 'a state of an open booking' ELSE 'a state of a closed booking' END, r.state
	FROM routing.reservation r
	WHERE CASE WHEN r."to" IS NULL
			   THEN r.state NOT IN ('firm', 'issued', 'hold', 'at_risk', 'uncovered', 'planned', 'dedicated')
			   ELSE r.state NOT IN ('cancelled', 'changed', 'expired', 'shipped', 'lapsed') END
	UNION ALL
	SELECT 'hold', r.tenant_id, r.item, r.node, r.order_id, r.line_no, 'an open hold that expires with its bookings', h.state
	FROM routing.reservation r
	LEFT JOIN routing.hold h ON h.tenant_id = r.tenant_id AND h.hold_id = substr(r.order_id, 6)
	WHERE r."to" IS NULL AND r.state = 'hold'
	  AND (r.order_id NOT LIKE 'hold:%' OR h.state IS DISTINCT FROM 'open' OR h.expires_at IS DISTINCT FROM r.expires_at)
	UNION ALL
	SELECT 'demand', b.tenant_id, b.item, b.node, b.order_id, NULL,
		   CASE WHEN d.ref IS NULL THEN 'a demand' ELSE format('at most %s of %s at %s', d.quantity, d.item, d.node) END,
		   format('%s of %s at %s', b.quantity, b.item, b.node)
	FROM (SELECT r.tenant_id, r.order_id, r.item, r.node, sum(r.quantity) AS quantity
		  FROM routing.reservation r WHERE r."to" IS NULL AND r.state <> 'issued' AND r.order_id LIKE 'demand:%'
		  GROUP BY 1, 2, 3, 4) b
	LEFT JOIN routing.demand d ON d.tenant_id = b.tenant_id AND d.ref = substr(b.order_id, 8)
	WHERE d.ref IS NULL OR d.item <> b.item OR d.node <> b.node OR b.quantity > d.quantity
	UNION ALL
	-- the order lines: what is booked and shipped is part of what was ordered
	SELECT 'booking', b.tenant_id, b.item, NULL, b.order_id, b.line_no,
		   CASE WHEN l.order_id IS NULL THEN 'an order line' ELSE format('at most %s of %s', l.quantity, l.item) END,
		   format('%s of %s', b.quantity + b.shipped, b.item)
	FROM booked b LEFT JOIN ordered l USING (tenant_id, order_id, line_no)
	-- what has left remains when the rest is cancelled or the line goes
	WHERE b.quantity > b.issued AND (l.order_id IS NULL OR l.status = 'cancelled')
	   OR b.quantity > 0 AND l.status <> 'cancelled'
		  AND (b.items > 1 OR b.item <> l.item OR b.quantity + b.shipped > l.quantity)
	UNION ALL
	SELECT 'shipped', l.tenant_id, l.item, NULL, l.order_id, l.line_no,
		   CASE WHEN coalesce(b.issued + b.shipped, 0) = l.quantity THEN 'shipped' ELSE 'not shipped' END, l.status
	FROM ordered l LEFT JOIN booked b USING (tenant_id, order_id, line_no)
	WHERE (l.status = 'shipped') <> (coalesce(b.issued + b.shipped, 0) = l.quantity AND NOT coalesce(b.waiting, false)
									 -- kits that were begun may lack a component that the first one does not tell of
									 AND NOT EXISTS (SELECT FROM routing.claim c WHERE c.tenant_id = l.tenant_id
													 AND c.order_id = l.order_id AND c.line_no = l.line_no))
	  AND l.status <> 'cancelled'
	UNION ALL
	-- kits: the components of a shipment are as many as its kits want; of lines of which something has left those of all
	-- shipments, unless they wait for what they lack
	SELECT 'kit', k.tenant_id, min(k.item), NULL, k.order_id, k.line_no, format('%s kits', trim_scale(round(max(k.kits), 4))),
		   format('%s of %s', trim_scale(round(min(k.kits), 4)), (array_agg(k.item ORDER BY k.kits, k.item))[1])
	FROM (SELECT r.tenant_id, r.order_id, r.line_no, CASE WHEN x.begun THEN 0 ELSE r.shipment_no END AS shipment_no, r.item,
				 sum(r.quantity / r.per_unit) AS kits, x.begun
		  FROM routing.reservation r
		  JOIN (SELECT s.tenant_id, s.order_id, s.line_no, bool_or(s.state IN ('issued', 'shipped')) AS begun
				FROM routing.reservation s WHERE s.component IS NOT NULL AND (s."to" IS NULL OR s.state = 'shipped')
				GROUP BY 1, 2, 3) x USING (tenant_id, order_id, line_no)
		  JOIN routing.sales_order_line l ON l.tenant_id = r.tenant_id AND l.order_id = r.order_id AND l.line_no = r.line_no
		  WHERE r.component IS NOT NULL AND (r."to" IS NULL OR r.state = 'shipped') AND l.status <> 'cancelled'
		  GROUP BY 1, 2, 3, 4, 5, 7) k
	GROUP BY k.tenant_id, k.order_id, k.line_no, k.shipment_no, k.begun
	HAVING round(min(k.kits), 4) <> round(max(k.kits), 4)
	   AND NOT (k.begun AND EXISTS (SELECT FROM routing.claim c WHERE c.tenant_id = k.tenant_id AND c.order_id = k.order_id
									AND c.line_no = k.line_no))
	UNION ALL
	SELECT 'kit', s.tenant_id, s.item, s.node, NULL, NULL, 'no supply of a kit', trim_scale(s.quantity)::text
	FROM routing.supply s
	WHERE EXISTS (SELECT FROM routing.item_component c WHERE c.tenant_id = s.tenant_id AND c.item = s.item)
	UNION ALL
	-- stock that fell and goods issues that wait for each other
	SELECT 'falls', w.tenant_id, w.item, w.node, NULL, NULL,
		   format('at least %s fallen, %s expected', trim_scale(w.at_risk), trim_scale(w.issued)),
		   format('%s fallen, %s expected', trim_scale(f.fallen), trim_scale(f.expected))
	FROM (SELECT r.tenant_id, r.item, r.node, coalesce(sum(r.quantity) FILTER (WHERE r.state = 'at_risk'), 0) AS at_risk,
				 coalesce(sum(r.quantity) FILTER (WHERE r.state = 'issued'), 0) AS issued
		  FROM routing.reservation r WHERE r."to" IS NULL AND r.state IN ('at_risk', 'issued') GROUP BY 1, 2, 3) w
	LEFT JOIN routing.position p ON p.tenant_id = w.tenant_id AND p.item = w.item AND p.node = w.node AND p.slot = 0,
		 LATERAL (SELECT coalesce(sum(p.falls[k]) FILTER (WHERE p.falls[k] > 0), 0) / 10000 AS fallen,
						 coalesce(sum(-p.falls[k]) FILTER (WHERE p.falls[k] < 0), 0) / 10000 AS expected
				  FROM generate_series(2, cardinality(p.falls), 2) k) f
	WHERE w.at_risk > f.fallen OR w.issued > f.expected
	UNION ALL
	SELECT 'line_status', l.tenant_id, l.item, NULL, l.order_id, l.line_no,
		   CASE WHEN l.status IN ('allocated', 'scheduled') THEN format('%s booked', l.quantity)
				WHEN l.status = 'received' THEN 'routed' ELSE l.status END,
		   format('%s, %s booked', l.status, coalesce(b.serving + b.shipped, 0))
	FROM ordered l LEFT JOIN booked b USING (tenant_id, order_id, line_no)
	-- a victim whose order somebody else held keeps its status while the order is pending
	WHERE (l.status IN ('allocated', 'scheduled') AND coalesce(b.serving + b.shipped, 0) <> l.quantity
		   AND (coalesce(b.quantity + b.shipped, 0) <> l.quantity
				OR NOT EXISTS (SELECT FROM routing.pending p
							   WHERE p.tenant_id = l.tenant_id AND p.binding = '' AND p.concept = 'orders'
								 AND p.key = l.order_id)))
	   OR (l.status = 'received' AND EXISTS (SELECT FROM routing.sales_order o
			WHERE o.tenant_id = l.tenant_id AND o.order_id = l.order_id))
	   OR (l.replan AND l.status <> 'cancelled')
	UNION ALL
	SELECT 'order_status', o.tenant_id, NULL, NULL, o.order_id, NULL, 'a decision', o.status
	FROM routing.sales_order o
	WHERE o.decision_id IS NULL AND o.status <> 'cancelled'
	  AND EXISTS (SELECT FROM routing.sales_order_line l WHERE l.tenant_id = o.tenant_id AND l.order_id = o.order_id)
	UNION ALL
	SELECT 'reference', s.tenant_id, s.item, s.node, NULL, NULL, 'a known item and node', NULL
	FROM routing.supply s
	WHERE NOT EXISTS (SELECT FROM routing.item i WHERE i.tenant_id = s.tenant_id AND i.item = s.item)
	   OR NOT EXISTS (SELECT FROM routing.node n WHERE n.tenant_id = s.tenant_id AND n.node = s.node)
	UNION ALL
	SELECT 'posted', s.tenant_id, s.item, s.node, NULL, NULL, 'true', 'false'
	FROM routing.supply s WHERE NOT s.posted
	UNION ALL
	SELECT a.* FROM routing.verify_allotments() a
	UNION ALL
	SELECT d.* FROM routing.verify_dedicated() d
	UNION ALL
	SELECT c.* FROM routing.verify_capacity() c
	UNION ALL
	SELECT s.* FROM routing.verify_open_shipments() s
	) v(what, tenant_id, item, node, order_id, line_no, expected, found)
	WHERE routing.is_member(v.tenant_id)
$$;
COMMENT ON FUNCTION routing.verify() IS
	'every invariant recomputed from supply, bookings and orders on one snapshot; must return no row';
