-- events: which consumers retention waits for

/*
 * Unread is what is not visible at the consumer's last place, without what it
 * has acknowledged of its window; and what waits.  What it does not want, and
 * has not passed over yet, counts too.
 */
CREATE FUNCTION routing.consumer_unread_since(c routing.consumer, before date) RETURNS boolean
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS $$
BEGIN
	RETURN EXISTS (SELECT FROM routing.consumer_wait w
			   WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.part_on < before AND w.state <> 'done')
	   OR EXISTS (SELECT FROM routing.event e
				  WHERE e.part_on < before AND e.tenant_id = c.tenant_id AND e.seq > greatest(c.last_low, c.seq_done)
					AND (e.epoch > c.last_epoch OR (e.epoch = c.last_epoch AND e.xid >= pg_snapshot_xmax(c.last_snapshot))))
	   OR EXISTS (SELECT FROM pg_snapshot_xip(c.last_snapshot) x JOIN routing.event e ON e.xid = x
				  WHERE e.part_on < before AND e.epoch = c.last_epoch AND e.tenant_id = c.tenant_id AND e.seq > c.seq_done)
	   -- what the window does not contain comes after it, with lower numbers too
	   OR EXISTS (SELECT FROM routing.event e
				  WHERE e.part_on < before AND e.tenant_id = c.tenant_id AND e.seq > c.cur_low AND e.seq <= c.seq_done
					AND (e.epoch > c.cur_epoch OR (e.epoch = c.cur_epoch AND e.xid >= pg_snapshot_xmax(c.cur_snapshot))))
	   OR EXISTS (SELECT FROM pg_snapshot_xip(c.cur_snapshot) x JOIN routing.event e ON e.xid = x
				  WHERE e.part_on < before AND e.epoch = c.cur_epoch AND e.tenant_id = c.tenant_id);
END
$$;
COMMENT ON FUNCTION routing.consumer_unread_since(routing.consumer, date) IS
	'internal: whether a consumer may not have read all events of partitions before a day';

CREATE FUNCTION routing.consumers_unread_since(before date) RETURNS TABLE (tenant_id int, consumer text)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.tenant_id, c.consumer FROM routing.consumer c WHERE routing.consumer_unread_since(c, before) ORDER BY 1, 2
$$;
COMMENT ON FUNCTION routing.consumers_unread_since(date) IS
	'the registered consumers, of all tenants, that may not have read all events of partitions before a day';
