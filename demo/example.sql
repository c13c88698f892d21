-- The example of the README: psql -d some_database -f demo/example.sql
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS routing;
INSERT INTO routing.node (node, handling_cost) VALUES ('CHI', 2), ('DAL', 2);
INSERT INTO routing.zone VALUES (1, 'MIDWEST');
INSERT INTO routing.zone_area VALUES (1, 'US', '6', 'MIDWEST');
INSERT INTO routing.carrier (carrier) VALUES ('ACE');
INSERT INTO routing.service (service, carrier) VALUES ('ground', 'ACE');
INSERT INTO routing.lane VALUES (1, 'CHI', 'MIDWEST', 'ground', 1, 9.00, 0.20), (1, 'DAL', 'MIDWEST', 'ground', 2, 11.00, 0.30);
INSERT INTO routing.customer (customer) VALUES ('C-7');
INSERT INTO routing.item (item, weight_kg) VALUES ('BOLT', 0.5), ('VALVE', 2);
INSERT INTO routing.supply (item, node, quantity) VALUES ('BOLT', 'CHI', 340), ('VALVE', 'CHI', 1), ('VALVE', 'DAL', 22);

BEGIN;
INSERT INTO routing.sales_order (order_id, customer, country, postal_code, requested_on) VALUES ('SO-1', 'C-7', 'US', '60614', current_date + 4);
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('SO-1', 1, 'BOLT', 40), ('SO-1', 2, 'VALVE', 4);
COMMIT;
\pset tuples_only
SELECT routing.explain('SO-1');
SELECT item, node, on_hand, promised, atp FROM routing.availability ORDER BY 1, 2;
