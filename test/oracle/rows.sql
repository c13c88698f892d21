-- the raw rows, as the oracle reads them: kind of row, item, node, what it says; days since 2000-01-01
SELECT 'today', '', t.node, t.today - date '2000-01-01' FROM oracle.today t;
SELECT 'supply', s.item, s.node, s.ref, s.lot,
	   CASE WHEN s.available_on <> '-infinity' THEN s.available_on - date '2000-01-01' END,
	   (s.quantity * 10000)::bigint, s.expires_on - date '2000-01-01', s.kind, s.status, s.order_id
FROM routing.supply s;
SELECT 'booking', r.item, r.node, r.order_id, r.line_no, r.part, r.lot, (r.quantity * 10000)::bigint,
	   r.needed_on - date '2000-01-01', r.ship_on - date '2000-01-01', r.state,
	   r.expires_at <= now() + current_setting('routing.clock_offset')::interval,
	   coalesce(r.min_expiry, r.deliver_on) - date '2000-01-01', r.channel, r.pool
FROM routing.reservation r WHERE r."to" IS NULL OR r.state = 'shipped' AND r.basis <> 'dedicated';
SELECT 'item_node', i.item, i.node, (i.safety_stock * 10000)::bigint, i.enabled, i.dock_days FROM routing.item_node i;
SELECT 'claim', c.item, c.node, c.rank, (c.quantity * 10000)::bigint FROM routing.claim c;
SELECT 'life', i.item, '', i.min_life_days FROM routing.item i WHERE i.min_life_days > 0;
SELECT 'allotment', a.item, a.node, a.channel,
	   CASE WHEN a.valid_from <> '-infinity' THEN a.valid_from - date '2000-01-01' END,
	   CASE WHEN a.valid_to <> 'infinity' THEN a.valid_to - date '2000-01-01' END,
	   (a.quota * 10000)::bigint, (a.max_quantity * 10000)::bigint, (a.buffer * 10000)::bigint, a.rank
FROM routing.allotment a;
SELECT 'channel', '', '', c.channel, c.parent FROM routing.channel c;
SELECT 'week', '', n.node, c.weekdays, ARRAY(SELECT concat_ws(' ', d.day - date '2000-01-01', d.open) FROM routing.calendar_day d
											 WHERE d.calendar = c.calendar)
FROM routing.node n JOIN routing.calendar c ON c.calendar = n.calendar;
