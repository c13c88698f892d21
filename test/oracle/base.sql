-- the network of the random timelines, and what the driver of them needs
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE EXTENSION routing;
-- N2 works Monday to Friday, N3 on random days
INSERT INTO routing.calendar (calendar) VALUES ('five'), ('odd');
INSERT INTO routing.node (node, time_zone, handling_cost, dock_days, calendar) VALUES
	('N1', 'UTC', 1, 0, NULL), ('N2', 'Pacific/Auckland', 2, 1, 'five'), ('N3', 'America/Los_Angeles', 3, 2, 'odd');
INSERT INTO routing.zone (zone) VALUES ('Z');
INSERT INTO routing.zone_area (country, zone) VALUES ('US', 'Z');
INSERT INTO routing.carrier (carrier) VALUES ('C');
INSERT INTO routing.service (service, carrier) VALUES ('SLOW', 'C'), ('FAST', 'C');
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost)
SELECT 'N' || n, 'Z', s.service, s.days, s.cost + n
FROM generate_series(1, 3) n, (VALUES ('SLOW', 2, 5), ('FAST', 0, 20)) s (service, days, cost);
INSERT INTO routing.customer (customer, priority) VALUES ('BEST', 1), ('USUAL', 5), ('LAST', 9);
INSERT INTO routing.channel (channel, parent) VALUES ('retail', NULL), ('wholesale', NULL);
INSERT INTO routing.channel (channel, parent) VALUES ('web', 'retail'), ('shop', 'retail'), ('edi', 'wholesale');

CREATE SCHEMA oracle;
CREATE TABLE oracle.refused (round int, sqlstate text, message text, statement text);

-- what may be refused: an error undoes it and is noted
CREATE FUNCTION oracle.try(r int, statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN others THEN
	INSERT INTO oracle.refused VALUES (r, sqlstate, sqlerrm, statement);
END
$$;

-- an order of lines of one item, all pinned to a node or none; life: days of use left at delivery, or null
CREATE PROCEDURE oracle.place(id text, cust text, chan text, want date, basis text, i text, n text, life int, quantities numeric[])
LANGUAGE sql BEGIN ATOMIC
	INSERT INTO routing.sales_order (order_id, customer, channel, country, postal_code, requested_on, date_basis)
	VALUES (id, cust, chan, 'US', '10001', want, basis);
	INSERT INTO routing.sales_order_line (order_id, line_no, item, node, min_life_days, quantity)
	SELECT id, k, i, n, life, quantities[k] FROM generate_subscripts(quantities, 1) k;
END;

-- today at every node, by the clock that the engine is told
CREATE VIEW oracle.today AS
	SELECT n.node, ((now() + current_setting('routing.clock_offset')::interval)
					AT TIME ZONE n.time_zone)::date AS today
	FROM routing.node n;

CREATE FUNCTION oracle.day(n int) RETURNS date LANGUAGE sql STABLE
	RETURN (SELECT t.today + n FROM oracle.today t WHERE t.node = 'N1');

-- the last day of a lot: what its other rows say, or a day from today
CREATE FUNCTION oracle.last_day(i text, l text, n int) RETURNS date LANGUAGE sql STABLE
	RETURN coalesce((SELECT max(s.expires_on) FROM routing.supply s WHERE s.item = i AND s.lot = l), oracle.day(n));
