/*
 * Every type of event at least once, in a fresh database: what the schemas are
 * held against, and where the examples of doc/events.md come from.  The engine's
 * clock begins at 15:00:05 UTC on Tuesday, 1 December 2026, and no date or number
 * depends on when this runs; what instants there are, the examples round.
 */
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION IF NOT EXISTS routing;
CREATE PROCEDURE public.at(instant timestamptz) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('routing.clock_offset', round(extract(epoch FROM instant - now()))::int::text, false);
END
$$;
CREATE PROCEDURE public.place(id text, item text, quantity numeric, wanted date DEFAULT NULL, rest text DEFAULT NULL,
							  channel text DEFAULT NULL) LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO routing.sales_order (order_id, customer, channel, country, postal_code, requested_on, rest)
	VALUES (id, 'C-7', channel, 'US', '60614', wanted, rest);
	INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES (id, 1, item, quantity);
END;
-- some seconds after the hour, so that what this takes does not show in minutes
CALL public.at('2026-12-01 15:00:05Z');

INSERT INTO routing.node (node, name, time_zone, stock_feed) VALUES
	('CHI-1', 'Chicago', 'America/Chicago', false), ('DAL-1', 'Dallas', 'America/Chicago', false);
INSERT INTO routing.zone (zone) VALUES ('midwest');
INSERT INTO routing.zone_area (country, postal_prefix, zone) VALUES ('US', '60', 'midwest');
INSERT INTO routing.carrier (carrier) VALUES ('UPS');
INSERT INTO routing.service (service, carrier) VALUES ('ground', 'UPS');
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg) VALUES
	('CHI-1', 'midwest', 'ground', 1, 9.00, 0.20), ('DAL-1', 'midwest', 'ground', 3, 12.00, 0.30);
INSERT INTO routing.channel (channel) VALUES ('web');
INSERT INTO routing.customer (customer) VALUES ('C-7');
INSERT INTO routing.item (item, uom, weight_kg) VALUES ('HOSE', 'm', 0.5), ('PUMP', 'ea', 4), ('VALVE', 'ea', 0.2);

-- an order that gets all, one that gets something, one that gets nothing; one goes
INSERT INTO routing.supply (item, node, quantity) VALUES ('HOSE', 'CHI-1', 40);
CALL public.place('SO-1', 'HOSE', 12.5, '2026-12-04', channel => 'web');
CALL public.place('SO-2', 'HOSE', 30);
CALL public.place('SO-3', 'HOSE', 1);
SELECT routing.cancel_order('SO-1', 'changed his mind') \g /dev/null
UPDATE routing.supply SET quantity = 45 WHERE item = 'HOSE';

-- supply goes: the same promise from another node, on another day; what nothing serves is not waited for
INSERT INTO routing.supply (item, node, quantity) VALUES ('PUMP', 'CHI-1', 8), ('PUMP', 'DAL-1', 8);
CALL public.place('SO-4', 'PUMP', 5);
UPDATE routing.supply SET quantity = 1 WHERE item = 'PUMP' AND node = 'CHI-1';
CALL public.place('SO-5', 'PUMP', 10, rest => 'cancel');

-- beyond the lead time it is to be bought
INSERT INTO routing.item_node (item, node, lead_time_days) VALUES ('VALVE', 'CHI-1', 10);
CALL public.place('SO-6', 'VALVE', 6, '2026-12-21');

-- holds
INSERT INTO routing.supply (item, node, quantity) VALUES ('VALVE', 'DAL-1', 20);
SELECT routing.hold('{"customer": "C-7", "ship_to": {"country": "US", "postal_code": "60614"},
					  "lines": [{"item": "VALVE", "quantity": "3"}]}', '30 minutes') AS kept \gset
SELECT routing.hold('{"customer": "C-7", "ship_to": {"country": "US", "postal_code": "60614"},
					  "lines": [{"item": "VALVE", "quantity": "2"}]}', '30 minutes') AS dropped \gset
SELECT routing.confirm_hold(:'kept'), routing.cancel_hold(:'dropped') \g /dev/null

-- goods leave
INSERT INTO routing.supply (item, node, quantity) VALUES ('HOSE', 'DAL-1', 20);
CALL public.place('SO-7', 'HOSE', 10);
SELECT routing.confirm_ship('SO-7', quantity => 4, reference => 'slip 4711', shipped_at => '2026-12-01 16:00Z') \g /dev/null
SELECT routing.confirm_ship('SO-7', shipped_at => '2026-12-01 17:30Z') \g /dev/null

-- a document of a bound table, and that it was wrong
SELECT 'CREATE ROLE schemas_erp' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'schemas_erp') \gexec
CREATE SCHEMA erp AUTHORIZATION schemas_erp;
SELECT routing.grant_access('schemas_erp', 'admin') \g /dev/null
CREATE TABLE erp.slip (slip text PRIMARY KEY, order_no text, line int, item text, whse text, qty numeric, at timestamptz);
ALTER TABLE erp.slip OWNER TO schemas_erp;
CALL public.place('SO-8', 'VALVE', 2);
SELECT routing.bind('slips', '{"issues": {"table": "erp.slip", "key": ["slip"], "columns":
	{"order_id": "order_no", "line_no": "line", "item": "item", "node": "whse", "quantity": "qty", "shipped_at": "at"}}}') \g /dev/null
INSERT INTO erp.slip SELECT 'S-1', 'SO-8', 1, 'VALVE', node, 2, '2026-12-01 18:00Z'
	FROM routing.reservation WHERE order_id = 'SO-8' AND "to" IS NULL;
DELETE FROM erp.slip;

-- an order is edited
UPDATE routing.sales_order_line SET quantity = 4 WHERE order_id = 'SO-4';

-- supply that is to come, stock that cannot be, and a count
INSERT INTO routing.supply (item, node, ref, quantity, available_on) VALUES ('PUMP', 'CHI-1', 'PO-77', 24, '2026-12-10');
UPDATE routing.supply SET available_on = '2026-12-14' WHERE ref = 'PO-77';
INSERT INTO routing.supply (item, node, quantity) VALUES ('VALVE', 'CHI-1', -1);
UPDATE routing.supply SET quantity = -2 WHERE item = 'VALVE' AND node = 'CHI-1';
UPDATE routing.supply SET quantity = 0 WHERE item = 'VALVE' AND node = 'CHI-1';
UPDATE routing.exception SET state = 'open' WHERE item = 'VALVE' AND type = 'negative_on_hand';
UPDATE routing.exception SET state = 'resolved' WHERE item = 'VALVE' AND type = 'negative_on_hand';
SELECT routing.put_snapshot('DAL-1', '2026-11-20 06:00Z', '[{"item": "HOSE", "quantity": "12"}, {"item": "VALVE", "quantity": "15"}]') \g /dev/null

-- a node closes and opens again; how much it can do
INSERT INTO routing.node (node, name, time_zone) VALUES ('SEA-1', 'Seattle', 'America/Los_Angeles');
UPDATE routing.node SET status = 'closed' WHERE node = 'SEA-1';
UPDATE routing.node SET status = 'open' WHERE node = 'SEA-1';
INSERT INTO routing.capacity (node, kind, quantity) VALUES ('SEA-1', 'orders', 200);
UPDATE routing.capacity SET quantity = 250 WHERE node = 'SEA-1';

-- the life of a policy
INSERT INTO routing.policy (policy, version, author) VALUES ('careful', 1, 'ann');
SELECT routing.approve_policy('careful', 1), routing.activate_policy('careful', 1), routing.retire_policy('careful', 1) \g /dev/null

-- the stream
SELECT routing.start_stream_epoch('restored from a snapshot of the disk') \g /dev/null

-- retention takes what a consumer has not read
SELECT routing.event_partition('2020-01-06'), routing.consumer_register('late', 'oldest') \g /dev/null
CREATE TEMPORARY TABLE old AS SELECT * FROM routing.event ORDER BY seq LIMIT 1;
UPDATE old SET part_on = '2020-01-06', seq = nextval('routing.event_seq'), id = gen_random_uuid();
INSERT INTO routing.event TABLE old;
SELECT routing.drop_event_partition('event_20200106') \g /dev/null
