-- what a policy decided, decided again

CREATE FUNCTION routing.recall(policy text, version int, "from" timestamptz, "to" timestamptz DEFAULT routing.engine_now(),
							   apply boolean DEFAULT false, max_orders int DEFAULT 100)
	RETURNS TABLE (order_id text, decided_at timestamptz, priority int, changed boolean, problem text,
				   old_nodes text[], new_nodes text[], old_shipments int, new_shipments int,
				   old_promised_on date, new_promised_on date, old_cost numeric, new_cost numeric,
				   old_backordered numeric, new_backordered numeric, applied boolean)
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 100
	AS 'MODULE_PATHNAME', 'routing_recall';
COMMENT ON FUNCTION routing.recall(text, int, timestamptz, timestamptz, boolean, int) IS
	'the orders that a version of a policy decided and of which nothing is under way, as the policy in effect would decide them; with apply, does so';
