-- what rests on which supply, and what a change of it would do

CREATE FUNCTION routing.pegging(item text DEFAULT NULL, node text DEFAULT NULL, ref text DEFAULT NULL,
								order_id text DEFAULT NULL)
	RETURNS TABLE (item text, node text, ref text, lot text, kind text, available_on date, supply numeric,
				   order_id text, line_no int, part int, needed_on date, state text, quantity numeric)
	LANGUAGE c STABLE SET plan_cache_mode = force_custom_plan ROWS 20 AS 'MODULE_PATHNAME', 'routing_pegging';
COMMENT ON FUNCTION routing.pegging(text, text, text, text) IS
	'which bookings rest on which supply: computed, not stored; supply without a booking is free, a booking without supply has none';
