-- A database of its own with a small network, for the tests of bindings;
-- bind_teardown.sql drops it again.  Node and session clocks are UTC.
\set ECHO none
SET client_min_messages = error;
SELECT current_database() AS bind_previous \gset
DROP DATABASE IF EXISTS regress_routing_bind;
DROP ROLE IF EXISTS regress_bind_erp;
DROP ROLE IF EXISTS regress_bind_other;
CREATE DATABASE regress_routing_bind TEMPLATE template0;
\c regress_routing_bind
SET client_min_messages = error;
ALTER DATABASE regress_routing_bind SET timezone = 'UTC';
ALTER DATABASE regress_routing_bind SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE EXTENSION routing;
-- what loses its stock is uncovered at once; the test of bound issues gives them time
INSERT INTO routing.setting (issue_grace) VALUES ('0');

-- CHI is nearest, DAL farther, NYC dearest
INSERT INTO routing.node (node, rank, handling_cost) VALUES ('CHI', 1, 2), ('DAL', 2, 2), ('NYC', 3, 2);
INSERT INTO routing.zone (zone) VALUES ('Z');
INSERT INTO routing.zone_area (country, zone) VALUES ('US', 'Z');
INSERT INTO routing.carrier (carrier) VALUES ('van');
INSERT INTO routing.service (service, carrier) VALUES ('ground', 'van');
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost)
VALUES ('CHI', 'Z', 'ground', 1, 9), ('DAL', 'Z', 'ground', 2, 11), ('NYC', 'Z', 'ground', 2, 14);
INSERT INTO routing.customer (customer) VALUES ('C1'), ('C2');
INSERT INTO routing.item (item) VALUES ('A'), ('B'), ('C');

CREATE ROLE regress_bind_erp;
CREATE ROLE regress_bind_other;
CREATE SCHEMA erp AUTHORIZATION regress_bind_erp;

-- what the engine holds of an order's lines, with days counted from today
CREATE VIEW public.line_state AS
	SELECT l.order_id, l.line_no, l.item, l.quantity, l.status, l.allocated_node AS node,
		   l.promised_on - current_date AS in_days, l.source_key
	FROM routing.sales_order_line l;
CREATE VIEW public.order_state AS
	SELECT o.order_id, o.customer, o.status, o.requested_on - current_date AS wanted_in
	FROM routing.sales_order o;
CREATE VIEW public.booked AS
	SELECT r.order_id, r.line_no, r.item, r.node, sum(r.quantity) AS quantity, r.needed_on - current_date AS needed_in,
		   r.state
	FROM routing.reservation r WHERE r."to" IS NULL GROUP BY 1, 2, 3, 4, 6, 7;
CREATE VIEW public.pending_state AS
	SELECT p.binding, p.concept, p.key, p.sqlstate, p.reason FROM routing.pending p;

-- tells an error by its SQLSTATE, message and hint
CREATE FUNCTION public.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m	text;
	h	text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, nullif(h, ''));
END
$$;
RESET client_min_messages;
\set ECHO all
