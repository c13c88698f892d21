-- availability and routing: what other people call

CREATE FUNCTION routing.engine_now() RETURNS timestamptz
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_engine_now';
COMMENT ON FUNCTION routing.engine_now() IS 'the time it is for the engine: now(), moved by routing.clock_offset';

CREATE FUNCTION routing.atp(item text, node text, on_date date DEFAULT NULL, channel text DEFAULT NULL)
	RETURNS numeric
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_atp';
COMMENT ON FUNCTION routing.atp(text, text, date, text) IS
	'quantity of the item that can be promised at the node for the day (today in the node''s time zone by default)';

CREATE FUNCTION routing.atp_total(item text, on_date date DEFAULT NULL, channel text DEFAULT NULL)
	RETURNS numeric
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_atp_total';
COMMENT ON FUNCTION routing.atp_total(text, date, text) IS
	'quantity of the item that can be promised for the day over all open nodes';

CREATE FUNCTION routing.atp_nodes(item text, quantity numeric DEFAULT NULL, on_date date DEFAULT NULL,
								  channel text DEFAULT NULL,
								  OUT node text, OUT on_hand numeric, OUT promised numeric, OUT inbound numeric,
								  OUT atp numeric, OUT available_on date, OUT horizon_on date)
	RETURNS SETOF record
	LANGUAGE c STABLE PARALLEL SAFE ROWS 50 AS 'MODULE_PATHNAME', 'routing_atp_nodes';
COMMENT ON FUNCTION routing.atp_nodes(text, numeric, date, text) IS
	'per node: on hand, promised, inbound, ATP for the day, first date on which the quantity is available, and from when any quantity is';

CREATE FUNCTION routing.atp_timeline(item text, node text,
									 OUT on_date date, OUT supply numeric, OUT demand numeric,
									 OUT balance numeric, OUT atp numeric)
	RETURNS SETOF record
	LANGUAGE c STABLE PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'routing_atp_timeline';
COMMENT ON FUNCTION routing.atp_timeline(text, text) IS
	'per date on which supply or demand changes: supply, demand, balance and ATP; on hand has the date -infinity';

CREATE FUNCTION routing.position_figures(p routing.position, on_date date,
										 OUT on_hand numeric, OUT promised numeric, OUT inbound numeric,
										 OUT atp numeric)
	RETURNS record
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_position_figures';
COMMENT ON FUNCTION routing.position_figures(routing.position, date) IS
	'what a position says for a day';

CREATE FUNCTION routing.node_today(tenant_id int, node text) RETURNS date
	LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'routing_node_today';
COMMENT ON FUNCTION routing.node_today(int, text) IS 'the current date in the node''s time zone';

CREATE FUNCTION routing.withheld(tenant_id int, item text, node text) RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'routing_withheld';
COMMENT ON FUNCTION routing.withheld(int, text, text) IS
	'whether the item-node offers nothing because news of its supply is pending';

CREATE VIEW routing.availability WITH (security_invoker = true) AS
	SELECT p.tenant_id, p.item, p.node, f.on_hand, f.promised, f.inbound,
		   CASE WHEN routing.withheld(p.tenant_id, p.item, p.node) THEN 0 ELSE f.atp END AS atp
	FROM routing.position p,
		 LATERAL routing.position_figures(p, routing.node_today(p.tenant_id, p.node)) f
	WHERE p.slot = 0 AND routing.is_member(p.tenant_id);
COMMENT ON VIEW routing.availability IS 'on hand, promised (holds included), inbound and today''s ATP of every item-node, one snapshot';

CREATE FUNCTION routing.promise(order_document jsonb,
								OUT line_no int, OUT item text, OUT node text, OUT service text,
								OUT quantity numeric, OUT ship_on date, OUT deliver_on date,
								OUT status text, OUT shipment_no int, OUT shipment_cost numeric)
	RETURNS SETOF record
	LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 10
	AS 'MODULE_PATHNAME', 'routing_promise';
COMMENT ON FUNCTION routing.promise(jsonb) IS
	'the plan that would be chosen for the order document now; writes nothing';

CREATE FUNCTION routing.route_order(order_id text,
									OUT line_no int, OUT item text, OUT node text, OUT service text,
									OUT quantity numeric, OUT ship_on date, OUT deliver_on date,
									OUT status text, OUT shipment_no int)
	RETURNS SETOF record
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 10
	AS 'MODULE_PATHNAME', 'routing_route_order';
COMMENT ON FUNCTION routing.route_order(text) IS
	'routes or re-routes what is open of the order; returns its schedule lines; idempotent';

CREATE FUNCTION routing.cancel_order(order_id text, reason text DEFAULT 'customer') RETURNS boolean
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	AS 'MODULE_PATHNAME', 'routing_cancel_order';
COMMENT ON FUNCTION routing.cancel_order(text, text) IS
	'cancels the order and gives its stock back; false if it was cancelled already';
