-- The page: what came of the orders.  Every number is measured or counted here.
\pset tuples_only on
\pset format unaligned
\pset footer off

SELECT format(E'\nORDERS  %s entered one by one over one connection, each committed: %s s, %s orders per second',
			  count(*), :'took', round(count(*) / :took)) FROM routing.sales_order;

WITH o AS MATERIALIZED (
	SELECT s.order_id, s.status, d.cost, r.nodes,
		   (SELECT count(*) FROM routing.sales_order_line l
			WHERE (l.tenant_id, l.order_id) = (s.tenant_id, s.order_id)) AS lines
	FROM routing.sales_order s
	LEFT JOIN routing.decision d ON (d.tenant_id, d.decision_id) = (s.tenant_id, s.decision_id)
	LEFT JOIN (SELECT order_id, count(DISTINCT node) AS nodes FROM routing.reservation
			   WHERE "to" IS NULL GROUP BY order_id) r ON r.order_id = s.order_id
), l AS MATERIALIZED (
	SELECT status, count(*) AS n, 100.0 * count(*) / sum(count(*)) OVER () AS share
	FROM routing.sales_order_line GROUP BY status
)
SELECT format('LINES   %s: %s', sum(n),
			  string_agg(format('%s %s (%s %%)', replace(status, '_', ' '), n, round(share, 2)), ', ' ORDER BY n DESC)) FROM l
UNION ALL
SELECT format(E'PLANS   from one node %s %%, split %s %%, nothing booked %s %% of the orders',
			  round(100.0 * count(*) FILTER (WHERE nodes = 1) / count(*), 1),
			  round(100.0 * count(*) FILTER (WHERE nodes > 1) / count(*), 1),
			  round(100.0 * count(*) FILTER (WHERE nodes IS NULL) / count(*), 1)) FROM o
UNION ALL
SELECT format('COST    mean of the %s orders served in full: %s USD; from one node %s (%s lines on average), split %s (%s lines)',
			  count(*), round(avg(cost), 2),
			  round(avg(cost) FILTER (WHERE nodes = 1), 2), round(avg(lines) FILTER (WHERE nodes = 1), 1),
			  round(avg(cost) FILTER (WHERE nodes > 1), 2), round(avg(lines) FILTER (WHERE nodes > 1), 1))
FROM o WHERE status IN ('allocated', 'scheduled');

SELECT format(E'\nATP     of %s (%s): %s before, %s ordered, %s after',
			  b.item, i.name, b.total,
			  (SELECT sum(quantity) FROM routing.sales_order_line WHERE item = :'item'),
			  routing.atp_total(b.item))
FROM public.atp_before b JOIN routing.item i USING (item) LIMIT 1;
SELECT '        at ' || string_agg(format('%s %s -> %s', node, before, after), ', ' ORDER BY before DESC, node)
FROM (SELECT node, b.atp AS before, a.atp AS after
	  FROM public.atp_before b JOIN routing.availability a USING (item, node)
	  WHERE b.item = :'item' ORDER BY b.atp DESC, node LIMIT 5) n;

-- a split order that is easy to follow: three lines, two nodes, no line in parts
SELECT s.order_id AS split_order
FROM routing.sales_order s
JOIN routing.reservation r ON (r.tenant_id, r.order_id) = (s.tenant_id, s.order_id) AND r."to" IS NULL
WHERE s.status = 'allocated'
GROUP BY s.order_id
HAVING count(DISTINCT r.node) = 2 AND count(DISTINCT r.line_no) = 3 AND count(*) = 3
ORDER BY s.order_id LIMIT 1 \gset

\echo
\echo EXPLAIN of a split order
SELECT '  ' || CASE WHEN rejected AND r = 7 THEN format('           ... and %s more', total - 6) ELSE line END
FROM (SELECT *, count(*) FILTER (WHERE rejected) OVER (ORDER BY n) AS r, count(*) FILTER (WHERE rejected) OVER () AS total
	  FROM (SELECT line, n, line ~ '^(Rejected:| {11})' AS rejected
			FROM routing.explain(:'split_order') WITH ORDINALITY AS e (line, n)) l) x
WHERE NOT rejected OR r <= 7
ORDER BY n;

\echo
\echo 'THE ERP''S OWN ROWS of this order, with the answer written back'
\pset tuples_only off
\pset format aligned
\pset border 1
SELECT doc_no, deb_no, ship_zip, wish_date, route_stat, from_whse, promise_date, parcels, ship_cost
FROM erp.order_head WHERE doc_no = :'split_order'::int;
SELECT pos_no, art_no, qty, pos_stat, from_whse, promise_date
FROM erp.order_pos WHERE doc_no = :'split_order'::int ORDER BY pos_no;

-- the purchase that most lines rest on, a week later: what would become of them
SELECT s.ref AS slip_ref, s.available_on AS slip_from
FROM routing.supply s JOIN routing.reservation r USING (tenant_id, item, node)
WHERE s.kind = 'purchase' AND r."to" IS NULL AND r.state = 'firm' AND r.basis = 'inbound' AND r.needed_on >= s.available_on
GROUP BY s.ref, s.available_on ORDER BY count(*) DESC, s.ref LIMIT 1 \gset
\echo 'IMPACT  of purchase' :slip_ref 'if it came a week after' :slip_from', before anybody confirms that'
SELECT order_id, line_no, item, node, quantity, old_promise, new_promise, repair
FROM routing.impact(:'slip_ref', date :'slip_from' + 7) ORDER BY 1, 2 LIMIT 6;
