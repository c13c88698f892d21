-- what of an item-node is kept for channels: setting it, seeing it, checking it

-- what goods that left took of allotments; an update that closes a booking writes indexes anyway
CREATE INDEX reservation_shipped ON routing.reservation (tenant_id, item, node, ship_on)
	WHERE state = 'shipped' AND channel IS NOT NULL AND basis <> 'dedicated';

CREATE FUNCTION routing.put_allotment(item text, node text, channel text, quota numeric DEFAULT 0,
									  max_quantity numeric DEFAULT NULL, buffer numeric DEFAULT 0,
									  rank int DEFAULT 100, valid_from date DEFAULT '-infinity',
									  valid_to date DEFAULT 'infinity') RETURNS void
	LANGUAGE sql VOLATILE AS $$
	INSERT INTO routing.allotment (item, node, channel, quota, max_quantity, buffer, rank, valid_from, valid_to)
	VALUES ($1, $2, $3, coalesce($4, 0), $5, coalesce($6, 0), coalesce($7, 100), coalesce($8, '-infinity'),
			coalesce($9, 'infinity'))
	ON CONFLICT (tenant_id, item, node, channel, valid_from) DO UPDATE
	SET quota = excluded.quota, max_quantity = excluded.max_quantity, buffer = excluded.buffer,
		rank = excluded.rank, valid_to = excluded.valid_to
$$;
COMMENT ON FUNCTION routing.put_allotment(text, text, text, numeric, numeric, numeric, int, date, date) IS
	'sets what of an item-node is kept for a channel or group in a period, and the most it may have; judged at commit';

CREATE FUNCTION routing.allotment_figures(p routing.position, on_date date,
										  OUT channel text, OUT valid_from date, OUT valid_to date, OUT rank int,
										  OUT buffer numeric, OUT quota numeric, OUT consumed numeric,
										  OUT remaining numeric, OUT max_quantity numeric, OUT used numeric,
										  OUT limit_left numeric)
	RETURNS SETOF record
	LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 5 AS 'MODULE_PATHNAME', 'routing_allotment_figures';
COMMENT ON FUNCTION routing.allotment_figures(routing.position, date) IS 'what a position says of its allotments';

CREATE VIEW routing.allotment_use WITH (security_invoker = true) AS
	SELECT p.tenant_id, p.item, p.node, f.channel, f.valid_from, f.valid_to, f.rank, f.buffer, f.quota, f.consumed,
		   f.remaining, f.max_quantity, f.used, f.limit_left
	FROM (SELECT DISTINCT a.tenant_id, a.item, a.node FROM routing.allotment a) a
		 JOIN routing.position p USING (tenant_id, item, node),
		 LATERAL routing.allotment_figures(p, routing.node_today(p.tenant_id, p.node)) f
	WHERE p.slot = 0 AND routing.is_member(p.tenant_id);
COMMENT ON VIEW routing.allotment_use IS
	'every allotment with what was taken from it: of the quota (a group''s includes those of its parts) and of the limit';

-- the figures of positions against the tables; holds count while they last, so they stand apart
CREATE FUNCTION routing.verify_allotments(OUT what text, OUT tenant_id int, OUT item text, OUT node text,
										  OUT order_id text, OUT line_no int, OUT expected text, OUT found text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
	WITH RECURSIVE path AS (
		SELECT c.tenant_id, c.channel, c.channel AS above, c.parent FROM routing.channel c
		UNION
		SELECT p.tenant_id, p.channel, c.channel, c.parent
		FROM path p JOIN routing.channel c ON c.tenant_id = p.tenant_id AND c.channel = p.parent
	), expected AS (
		SELECT a.tenant_id, a.item, a.node, a.channel, a.valid_from, a.valid_to,
			   format('quota %s limit %s buffer %s rank %s consumed %s used %s', (a.quota * 10000)::bigint,
					  coalesce((a.max_quantity * 10000)::bigint, -1), (a.buffer * 10000)::bigint, a.rank,
					  coalesce((sum(r.quantity) FILTER (WHERE r.pool = a.channel) * 10000)::bigint, 0),
					  coalesce((sum(r.quantity) FILTER (WHERE EXISTS (SELECT FROM path x
						WHERE x.tenant_id = a.tenant_id AND x.channel = r.channel AND x.above = a.channel)) * 10000)::bigint, 0)) AS figures
		FROM routing.allotment a
			 LEFT JOIN routing.reservation r
			 ON r.tenant_id = a.tenant_id AND r.item = a.item AND r.node = a.node
				-- what has been shipped stays consumed
				AND CASE WHEN r."to" IS NULL THEN r.state IN ('firm', 'issued', 'planned')
						 ELSE r.state = 'shipped' AND r.basis <> 'dedicated' END
				AND r.ship_on BETWEEN a.valid_from AND a.valid_to
		GROUP BY a.tenant_id, a.item, a.node, a.channel, a.valid_from
	), found AS (
		SELECT p.tenant_id, p.item, p.node, p.allotted[i] AS channel,
			   CASE p.quotas[8 * i - 7] WHEN -2147483648 THEN '-infinity' ELSE date '2000-01-01' + p.quotas[8 * i - 7]::int END AS valid_from,
			   CASE p.quotas[8 * i - 6] WHEN 2147483647 THEN 'infinity' ELSE date '2000-01-01' + p.quotas[8 * i - 6]::int END AS valid_to,
			   format('quota %s limit %s buffer %s rank %s consumed %s used %s', p.quotas[8 * i - 5], p.quotas[8 * i - 4],
					  p.quotas[8 * i - 3], p.quotas[8 * i - 2], p.quotas[8 * i - 1], p.quotas[8 * i]) AS figures
		FROM routing.position p, generate_series(1, cardinality(p.allotted)) i
		WHERE p.quotas IS NOT NULL AND p.quotas[8 * i - 5] >= 0
	)
	SELECT 'allotment', coalesce(e.tenant_id, f.tenant_id), coalesce(e.item, f.item), coalesce(e.node, f.node),
		   NULL::text, NULL::int, format('%s %s..%s %s', e.channel, e.valid_from, e.valid_to, e.figures),
		   format('%s %s..%s %s', f.channel, f.valid_from, f.valid_to, f.figures)
	FROM expected e FULL JOIN found f USING (tenant_id, item, node, channel, valid_from, valid_to)
	WHERE e.figures IS DISTINCT FROM f.figures
	UNION ALL
	-- what unexpired holds have taken
	SELECT 'allotment_hold', h.tenant_id, h.item, h.node, NULL, NULL,
		   format('%s of %s', sum(h.expected), h.channel), format('%s of %s', sum(h.found), h.channel)
	FROM (SELECT r.tenant_id, r.item, r.node, x.channel, x.kind, r.ship_on, r.expires_at,
				 (r.quantity * 10000)::bigint AS expected, 0::bigint AS found
		  FROM routing.reservation r, LATERAL (VALUES (r.pool, -1), (r.channel, -2)) x(channel, kind)
		  WHERE r."to" IS NULL AND r.state = 'hold' AND r.expires_at > (SELECT routing.engine_now()) AND x.channel IS NOT NULL
			AND EXISTS (SELECT FROM routing.allotment a
						WHERE a.tenant_id = r.tenant_id AND a.item = r.item AND a.node = r.node)
			AND (x.kind = -1 OR EXISTS (SELECT FROM routing.channel c
						WHERE c.tenant_id = r.tenant_id AND c.channel = x.channel))
		  UNION ALL
		  SELECT p.tenant_id, p.item, p.node, p.allotted[i], p.quotas[8 * i - 5], date '2000-01-01' + p.quotas[8 * i - 6]::int,
				 timestamptz '2000-01-01 00:00Z' + p.quotas[8 * i - 7] * interval '1 microsecond', 0, p.quotas[8 * i - 4]
		  FROM routing.position p, generate_series(1, cardinality(p.allotted)) i
		  WHERE p.quotas IS NOT NULL AND p.quotas[8 * i - 5] < 0
			AND timestamptz '2000-01-01 00:00Z' + p.quotas[8 * i - 7] * interval '1 microsecond' > routing.engine_now()) h
	GROUP BY h.tenant_id, h.item, h.node, h.channel, h.kind, h.ship_on, h.expires_at
	HAVING sum(h.expected) <> sum(h.found)
	UNION ALL
	SELECT 'allotment_posted', a.tenant_id, a.item, a.node, NULL, NULL, 'true', 'false'
	FROM routing.allotment a WHERE NOT a.posted
$$;
COMMENT ON FUNCTION routing.verify_allotments() IS 'part of verify(): what positions know of allotments, against the tables';
