-- A policy is changed: written by one person, tried on what was decided, approved
-- by another, activated; and the same order before and after.
\set ON_ERROR_STOP 1
\set boss :USER
\pset tuples_only on
\pset format unaligned

CREATE ROLE planner LOGIN;
CREATE ROLE chief LOGIN;
SELECT routing.grant_access(r, 'admin') FROM unnest(ARRAY['planner', 'chief']) r \g /dev/null

-- The latest order that would again be split over two nodes, although a third has
-- all of it.
SELECT o.order_id AS sample
FROM (SELECT r.order_id FROM routing.reservation r JOIN routing.sales_order s USING (tenant_id, order_id)
	  WHERE r."to" IS NULL AND s.status = 'allocated' AND s.requested_on IS NULL
	  GROUP BY r.order_id HAVING count(DISTINCT r.node) = 2 ORDER BY r.order_id DESC LIMIT 100) split
JOIN routing.sales_order o USING (order_id)
CROSS JOIN LATERAL (
	SELECT jsonb_build_object('customer', o.customer,
			'ship_to', jsonb_build_object('country', o.country, 'postal_code', o.postal_code),
			'lines', jsonb_agg(jsonb_build_object('item', l.item, 'quantity', l.quantity) ORDER BY l.line_no)) AS document
	FROM routing.sales_order_line l WHERE l.order_id = o.order_id) doc
CROSS JOIN LATERAL (
	SELECT array_agg(DISTINCT p.node) AS nodes, bool_and(p.status = 'allocated') AS served
	FROM routing.promise(doc.document) p) plan
WHERE plan.served AND cardinality(plan.nodes) = 2
  AND EXISTS (SELECT FROM routing.score_nodes(doc.document) s
			  WHERE s.feasible AND s.total < 150 AND s.node <> ALL (plan.nodes))
ORDER BY o.order_id DESC LIMIT 1 \gset

-- what the ERP does when that customer orders the same once more
CREATE FUNCTION erp.again(old int, new int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO erp.order_head (doc_no, deb_no, ship_ctry, ship_zip)
	SELECT new, deb_no, ship_ctry, ship_zip FROM erp.order_head WHERE doc_no = old;
	INSERT INTO erp.order_pos (doc_no, pos_no, art_no, qty, unit_price)
	SELECT new, pos_no, art_no, qty, unit_price FROM erp.order_pos WHERE doc_no = old;
$$;
\connect - erp_app
SELECT erp.again(:sample, 200001) \g /dev/null

\echo 'POLICY  planner writes version 2 of the policy standard: fewest shipments'
\connect - planner
SELECT routing.put_policy('standard', '{"goal": "fewest_shipments"}', 'customers complain of parcels') \g /dev/null
SELECT format('        %s: %s -> %s', path, coalesce(old::text, 'nothing'), coalesce(new::text, 'nothing'))
FROM routing.policy_diff('standard', 1, 2);
DO $$
BEGIN
	PERFORM routing.approve_policy('standard', 2);
EXCEPTION WHEN OTHERS THEN
	PERFORM set_config('demo.refused', SQLERRM, false);
END
$$;
SELECT '        planner approves it: ' || current_setting('demo.refused');
SELECT '        compare() rolls the last 1,000 orders forward under both: '
	   || string_agg(format('%s %s -> %s', replace(metric, 'cost', 'cost with penalties'), first, second), ', ' ORDER BY place)
FROM (SELECT metric, round(max(value) FILTER (WHERE version = 1)) AS first, round(max(value) FILTER (WHERE version = 2)) AS second,
			 array_position(ARRAY['shipments', 'split orders', 'cost', 'days late'], metric) AS place
	  FROM routing.compare('standard', ARRAY[1, 2], (SELECT decided_at FROM routing.decision ORDER BY decision_id DESC OFFSET 999 LIMIT 1))
	  WHERE node IS NULL GROUP BY metric) c
WHERE place IS NOT NULL;
\connect - chief
SELECT routing.approve_policy('standard', 2), routing.activate_policy('standard', 2) \g /dev/null
SELECT format('        %s v%s: %s, by %s, approved by %s', policy, version, state, author, coalesce(approved_by, 'nobody'))
FROM routing.policies ORDER BY version;
\connect - erp_app
SELECT erp.again(:sample, 200002) \g /dev/null

\connect - :boss
\echo
\echo 'THE SAME ORDER before and after, from explain()'
SELECT '  ' || line FROM routing.explain('200001') line WHERE line ~ '^(\d|Decided|Shipment|Cost|Why|Next)'
UNION ALL SELECT ''
UNION ALL SELECT '  ' || line FROM routing.explain('200002') line WHERE line ~ '^(\d|Decided|Shipment|Cost|Why|Next)';
SELECT format(E'\n  replay() of the first by what was known then: %s of %s rows the same', count(*) FILTER (WHERE r.same), count(*))
FROM routing.sales_order o, routing.replay(o.decision_id) r WHERE o.order_id = '200001';
