/*
 * Few items at few nodes, two thirds of the supply on hand and one third
 * inbound; psql variables: items, nodes, supply (units per item-node).
 */
INSERT INTO routing.node (node, handling_cost) SELECT 'N' || n, 1 + n FROM generate_series(1, :nodes) n;
INSERT INTO routing.zone (zone) VALUES ('EAST'), ('WEST');
INSERT INTO routing.zone_area (country, postal_prefix, zone) VALUES ('US', '', 'EAST'), ('US', '9', 'WEST');
INSERT INTO routing.carrier (carrier) VALUES ('CARRIER');
INSERT INTO routing.service (service, carrier) VALUES ('GROUND', 'CARRIER'), ('AIR', 'CARRIER');
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg)
SELECT 'N' || n, z.zone, s.service, s.days + abs(n - z.at), s.base + 2 * abs(n - z.at), s.kg
FROM generate_series(1, :nodes) n,
	 (VALUES ('EAST', 1), ('WEST', :nodes)) z (zone, at),
	 (VALUES ('GROUND', 2, 5.0, 0.5), ('AIR', 1, 15.0, 1.5)) s (service, days, base, kg);
INSERT INTO routing.customer (customer) SELECT 'C' || c FROM generate_series(1, 100) c;
INSERT INTO routing.item (item, weight_kg) SELECT 'I' || i, 1.25 FROM generate_series(1, :items) i;
INSERT INTO routing.supply (item, node, quantity)
SELECT 'I' || i, 'N' || n, :supply - :supply / 3
FROM generate_series(1, :items) i, generate_series(1, :nodes) n;
INSERT INTO routing.supply (item, node, ref, kind, available_on, quantity)
SELECT 'I' || i, 'N' || n, 'PO-' || i || '-' || n, 'purchase', current_date + 5, :supply / 3
FROM generate_series(1, :items) i, generate_series(1, :nodes) n;

CREATE SCHEMA load;
CREATE SEQUENCE load.order_seq;

-- what is booked and still open of each line; stock that fell may have left for a booking at risk, so its line keeps its state
CREATE VIEW load.line_account AS
	SELECT l.order_id, l.line_no, l.item, l.status, l.quantity, coalesce(r.booked, 0) AS booked,
		   CASE WHEN l.status = 'cancelled' THEN 0 ELSE l.quantity - coalesce(r.booked, 0) END AS open
	FROM routing.sales_order_line l
	LEFT JOIN (SELECT order_id, line_no, sum(quantity) AS booked FROM routing.reservation
			   WHERE "to" IS NULL AND state IN ('firm', 'at_risk') GROUP BY 1, 2) r USING (order_id, line_no);

\ir ../overbooked.sql

CREATE TABLE load.control (stop boolean NOT NULL);
INSERT INTO load.control VALUES (false);
CREATE TABLE load.sample (at timestamptz NOT NULL, below_zero bigint NOT NULL, worst numeric, promised numeric);

-- one statement, so one snapshot, for each sample
CREATE PROCEDURE load.sample_until_stopped() LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		INSERT INTO load.sample
		SELECT clock_timestamp(), count(*), min(balance),
			   (SELECT sum(quantity) FROM routing.reservation WHERE "to" IS NULL AND state = 'firm')
		FROM overbooked;
		COMMIT;
		EXIT WHEN (SELECT stop FROM load.control);
		PERFORM pg_sleep(0.1);
	END LOOP;
END
$$;

-- a receipt is two statements: the purchase goes down, on hand up
CREATE FUNCTION load.receive(i text, n text, q numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	got	numeric;
BEGIN
	UPDATE routing.supply SET quantity = quantity - q
	WHERE item = i AND node = n AND kind = 'purchase' AND quantity >= q;
	IF NOT FOUND THEN
		INSERT INTO routing.supply (item, node, ref, kind, available_on, quantity)
		VALUES (i, n, 'PO-' || i || '-' || n, 'purchase', current_date + 5, 10 * q)
		ON CONFLICT (tenant_id, item, node, ref, lot) DO UPDATE SET quantity = supply.quantity + 10 * q;
	ELSE
		UPDATE routing.supply SET quantity = quantity + q WHERE item = i AND node = n AND ref = '';
	END IF;
END
$$;

-- an order of three lines of which some are kept; returns its id
CREATE FUNCTION load.place(prefix text, c int, d int, zip text, lines int, items int[], quantities int[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	id	text := prefix || nextval('load.order_seq');
BEGIN
	INSERT INTO routing.sales_order (order_id, customer, country, postal_code, requested_on)
	VALUES (id, 'C' || c, 'US', zip, current_date + d);
	INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity)
	SELECT id, k, 'I' || items[k], quantities[k] FROM generate_series(1, lines) k;
	RETURN id;
END
$$;
