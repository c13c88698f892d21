-- The network of the ledger's parts of the bench: :nodes nodes (50), of which the
-- first fifth are centers, one zone, two services with a lane from every node,
-- the cost of which has the same spread however many nodes there are;
-- customers C1 to C1000.
\set ON_ERROR_STOP 1
\if :{?nodes} \else \set nodes 50 \endif
SET client_min_messages = warning;
CREATE EXTENSION routing;
INSERT INTO routing.node (node, rank, handling_cost) SELECT 'N' || 100 + n, n, CASE WHEN n <= :nodes / 5 THEN 2 ELSE 3.5 END
FROM generate_series(1, :nodes) n;
INSERT INTO routing.zone (zone) VALUES ('Z');
INSERT INTO routing.zone_area (country, zone) VALUES ('US', 'Z');
INSERT INTO routing.carrier (carrier) VALUES ('BENCH');
INSERT INTO routing.service (service, carrier) VALUES ('GROUND', 'BENCH'), ('AIR', 'BENCH');
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg)
SELECT 'N' || 100 + n, 'Z', s.service, s.days, s.base + round(18.5 * ((n * 29) % :nodes) / :nodes, 4), s.kg
FROM generate_series(1, :nodes) n, (VALUES ('GROUND', 3, 5, 0.3), ('AIR', 1, 25, 1.1)) s (service, days, base, kg);
INSERT INTO routing.customer (customer) SELECT 'C' || n FROM generate_series(1, 1000) n;
CREATE SCHEMA bench;
CREATE SEQUENCE bench.order_seq CACHE 100;
