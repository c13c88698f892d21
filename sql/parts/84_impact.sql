-- what rests on which supply, and what a change of it would do

CREATE FUNCTION routing.pegging(item text DEFAULT NULL, node text DEFAULT NULL, ref text DEFAULT NULL,
								order_id text DEFAULT NULL)
	RETURNS TABLE (item text, node text, ref text, lot text, kind text, available_on date, supply numeric,
				   order_id text, line_no int, part int, needed_on date, state text, quantity numeric)
	LANGUAGE c STABLE SET plan_cache_mode = force_custom_plan ROWS 20 AS 'MODULE_PATHNAME', 'routing_pegging';
COMMENT ON FUNCTION routing.pegging(text, text, text, text) IS
	'which bookings rest on which supply: computed, not stored; supply without a booking is free, a booking without supply has none';

CREATE FUNCTION routing.impact(ref text, new_date date DEFAULT NULL, new_quantity numeric DEFAULT NULL,
							   OUT order_id text, OUT line_no int, OUT item text, OUT node text, OUT quantity numeric,
							   OUT old_promise date, OUT new_promise date, OUT repair text, OUT new_node text)
	RETURNS SETOF record
	LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 10 AS 'MODULE_PATHNAME', 'routing_impact';
COMMENT ON FUNCTION routing.impact(text, date, numeric) IS
	'what it would do to orders if the supply came on another day or with another quantity (null: as it is); writes nothing';
