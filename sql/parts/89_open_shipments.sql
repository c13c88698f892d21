-- open shipments: part of verify()

/*
 * That an order has rows at all is a matter of the policy it was decided by;
 * one that has any has them for all that has not left.
 */
CREATE FUNCTION routing.verify_open_shipments(OUT what text, OUT tenant_id int, OUT item text, OUT node text,
											  OUT order_id text, OUT line_no int, OUT expected text, OUT found text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH booked AS (
		SELECT DISTINCT r.tenant_id, r.order_id, r.node, r.service, r.ship_on
		FROM routing.reservation r
		JOIN (SELECT DISTINCT s.tenant_id, s.order_id FROM routing.open_shipment s) s
			ON s.tenant_id = r.tenant_id AND s.order_id = r.order_id
		WHERE r."to" IS NULL AND r.state NOT IN ('issued', 'hold') AND r.service IS NOT NULL AND r.ship_on IS NOT NULL)
	SELECT 'open shipment', coalesce(s.tenant_id, b.tenant_id), NULL::text, coalesce(s.node, b.node),
		   coalesce(s.order_id, b.order_id), NULL::int,
		   CASE WHEN b.order_id IS NULL THEN 'nothing booked' ELSE format('%s %s', b.service, b.ship_on) END,
		   CASE WHEN s.order_id IS NULL THEN 'no row' ELSE format('%s %s', s.service, s.ship_on) END
	FROM routing.open_shipment s
	FULL JOIN booked b ON b.tenant_id = s.tenant_id AND b.order_id = s.order_id AND b.node = s.node
		AND b.service = s.service AND b.ship_on = s.ship_on
	WHERE s.order_id IS NULL OR b.order_id IS NULL
	UNION ALL
	SELECT 'customer of an open shipment', s.tenant_id, NULL, s.node, s.order_id, NULL, o.customer, s.customer
	FROM routing.open_shipment s
	LEFT JOIN routing.sales_order o ON o.tenant_id = s.tenant_id AND o.order_id = s.order_id
	WHERE o.customer IS DISTINCT FROM s.customer;
END;
COMMENT ON FUNCTION routing.verify_open_shipments() IS 'part of verify(): open shipments';
