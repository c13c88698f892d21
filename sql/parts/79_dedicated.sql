-- supply for one order only

CREATE TABLE routing.dedicated_issue (
	tenant_id	int NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	item		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	lot			text COLLATE "C" NOT NULL,
	line_no		int NOT NULL,
	quantity	numeric NOT NULL,
	PRIMARY KEY (tenant_id, order_id, item, node, lot, line_no)
);
COMMENT ON TABLE routing.dedicated_issue IS
	'engine''s own: goods issued of dedicated supply that nobody else lowers, while somebody changed it; the next settlement of the order lowers it';
COMMENT ON COLUMN routing.dedicated_issue.quantity IS 'what the supply is still to be lowered by, and is nobody''s; negative: raised';

CREATE FUNCTION routing.verify_dedicated(OUT what text, OUT tenant_id int, OUT item text, OUT node text,
										 OUT order_id text, OUT line_no int, OUT expected text, OUT found text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
	-- supply for one order is not promised beyond its quantity
	SELECT 'dedicated', r.tenant_id, r.item, r.node, r.order_id, NULL::int,
		   format('at most %s', trim_scale(greatest(coalesce(s.quantity, 0) - coalesce(i.quantity, 0), 0))),
		   trim_scale(r.quantity)::text
	FROM (SELECT r.tenant_id, r.item, r.node, r.order_id, sum(r.quantity) AS quantity
		  FROM routing.reservation r WHERE r."to" IS NULL AND r.state = 'dedicated'
		  GROUP BY 1, 2, 3, 4) r
		 LEFT JOIN (SELECT s.tenant_id, s.item, s.node, s.order_id, sum(greatest(s.quantity, 0)) AS quantity
					FROM routing.supply s WHERE s.order_id <> '' GROUP BY 1, 2, 3, 4) s
		 USING (tenant_id, item, node, order_id)
		 LEFT JOIN (SELECT d.tenant_id, d.item, d.node, d.order_id, sum(d.quantity) AS quantity
					FROM routing.dedicated_issue d GROUP BY 1, 2, 3, 4) i
		 USING (tenant_id, item, node, order_id)
	WHERE r.quantity > coalesce(s.quantity, 0) - coalesce(i.quantity, 0)
	-- unless the order waits because somebody held it, or cannot be routed
	  AND NOT EXISTS (SELECT FROM routing.pending p WHERE p.tenant_id = r.tenant_id AND p.binding = ''
					  AND p.concept = 'orders' AND p.key = r.order_id)
$$;
COMMENT ON FUNCTION routing.verify_dedicated() IS 'part of verify(): bookings on dedicated supply against that supply';
