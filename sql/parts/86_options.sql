-- what could be done with an order that is only asked about

CREATE FUNCTION routing.score_nodes(order_document jsonb,
									OUT node text, OUT rank int, OUT feasible boolean, OUT reason text, OUT service text,
									OUT quantity numeric, OUT handling numeric, OUT preference numeric, OUT distance numeric,
									OUT capacity numeric, OUT freight numeric, OUT lateness numeric, OUT goods numeric,
									OUT custom numeric, OUT risk numeric, OUT balance numeric, OUT backorder numeric,
									OUT total numeric, OUT ship_on date, OUT deliver_on date, OUT substitution numeric, OUT substitutes text)
	RETURNS SETOF record
	LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 50
	AS 'MODULE_PATHNAME', 'routing_score_nodes';
COMMENT ON FUNCTION routing.score_nodes(jsonb) IS
	'every node with a lane to the destination: the cheapest single shipment from it, its cost by term, and whether it serves the whole order; writes nothing';

CREATE FUNCTION routing.promise_options(order_document jsonb,
										OUT option text, OUT shipments int, OUT plan text, OUT first_on date, OUT complete_on date,
										OUT complete boolean, OUT quantity numeric, OUT unserved numeric, OUT spend numeric, OUT cost numeric,
										OUT substitutes text)
	RETURNS SETOF record
	LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 5
	AS 'MODULE_PATHNAME', 'routing_promise_options';
COMMENT ON FUNCTION routing.promise_options(jsonb) IS
	'the alternatives worth offering for an order document, each with its cost by the order''s own terms; writes nothing';
