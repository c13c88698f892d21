-- who would leave earlier if a node could ship more

CREATE TABLE routing.capacity_wait (
	tenant_id	int NOT NULL,
	node		text COLLATE "C" NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	first_day	date NOT NULL,
	last_day	date NOT NULL,
	rank		int NOT NULL,
	since		timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, node, order_id)
);
CREATE INDEX capacity_wait_order_idx ON routing.capacity_wait (tenant_id, order_id);
COMMENT ON TABLE routing.capacity_wait IS 'engine''s own: orders that lack something, or leave later than they should, while a node had not enough capacity for them';
COMMENT ON COLUMN routing.capacity_wait.first_day IS 'the first day that was too full';
COMMENT ON COLUMN routing.capacity_wait.last_day IS 'the last one that would help';

-- what a node can ship was raised, or is not limited any more: run_jobs() tries who waits for it
CREATE FUNCTION routing.wake_for_capacity(tenants int[], nodes text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO routing.pending (tenant_id, binding, concept, key, reason, sqlstate)
	SELECT DISTINCT w.tenant_id, '', 'orders', w.order_id, 'a node may ship more', '00000'
	FROM unnest(tenants, nodes) AS n(tenant_id, node)
	JOIN routing.capacity_wait w ON w.tenant_id = n.tenant_id AND w.node = n.node
	ORDER BY 1, 4
	ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION routing.wake_for_capacity(int[], text[]) IS 'engine''s own: leaves the orders that wait for nodes to run_jobs()';
