/*
 * The data of the bench, in tables of its own; psql variables:
 *   items, nodes, spread, customers, layout
 *
 * Network: the first fifth of the nodes are distribution centers, the others
 * stores.  20 zones on a 5 x 4 grid, found by the first two digits of the
 * postal code; three services; a lane for every node, zone and service whose
 * cost and transit grow with the distance on the grid.
 *
 * Stock: each item at "spread" nodes.  Layout "centers": the center (item mod
 * centers), half of the spread at other centers, the rest at stores, chosen by
 * a hash.  Layout "even": that center, the rest anywhere, so that few orders
 * find a node that has everything.
 */
\set ON_ERROR_STOP 1
SELECT setseed(0.42) \g /dev/null
CREATE SCHEMA bench;
CREATE SEQUENCE bench.order_seq START 1000001 CACHE 100;

CREATE TABLE bench.node AS
SELECT n, 'N' || (100 + n) AS node, n <= greatest(1, :nodes / 5) AS center,
	   CASE WHEN n <= greatest(1, :nodes / 5) THEN 2.00 ELSE 3.50 END::numeric(12,4) AS handling_cost,
	   (random() * 5)::float8 AS x, (random() * 4)::float8 AS y
FROM generate_series(1, :nodes) n;

CREATE TABLE bench.zone AS
SELECT z, 'Z' || (100 + z) AS zone, ((z - 1) % 5 + 0.5)::float8 AS x, ((z - 1) / 5 + 0.5)::float8 AS y
FROM generate_series(1, 20) z;

CREATE TABLE bench.zone_area AS
SELECT 'US'::text AS country, p::text AS postal_prefix, 'Z' || (101 + p % 20) AS zone
FROM generate_series(10, 99) p
UNION ALL
SELECT 'US', '', 'Z101';

CREATE TABLE bench.lane AS
SELECT n.node, z.zone, s.service,
	   greatest(1, round(d.d * s.pace))::int AS transit_days,
	   round((s.base + d.d * s.per_step)::numeric, 2) AS base_cost,
	   round((s.kg * (1 + d.d / 4))::numeric, 4) AS cost_per_kg
FROM bench.node n, bench.zone z,
	 (VALUES ('GROUND', 1.0, 5.0, 1.00, 0.30), ('FAST', 0.6, 8.0, 1.60, 0.50), ('AIR', 0.25, 15.0, 2.50, 1.10))
		AS s (service, pace, base, per_step, kg),
	 LATERAL (SELECT sqrt((n.x - z.x) ^ 2 + (n.y - z.y) ^ 2) AS d) d;

CREATE TABLE bench.item AS
SELECT i, 'I' || (1000000 + i) AS item, round((0.1 + random() * 5)::numeric, 2) AS weight_kg
FROM generate_series(1, :items) i;

CREATE TABLE bench.customer AS
SELECT 'C' || (100000 + c) AS customer, 'Customer ' || c AS name
FROM generate_series(1, :customers) c;

CREATE TABLE bench.stock (item text NOT NULL, node text NOT NULL, quantity numeric NOT NULL, batch int NOT NULL);
WITH a AS (SELECT greatest(1, :nodes / 5) AS centers, :spread AS spread),
pick AS (
	SELECT i.item, n.node, n.center,
		   row_number() OVER (PARTITION BY i.i, n.center AND :'layout' = 'centers'
							  ORDER BY n.n <> 1 + i.i % a.centers, hashint4(i.i * 64 + n.n)) AS k
	FROM bench.item i, bench.node n, a)
INSERT INTO bench.stock
SELECT item, node, 100000, (row_number() OVER (ORDER BY item, node) - 1) / 50000
FROM pick, a
WHERE CASE WHEN :'layout' <> 'centers' THEN k <= spread
		   WHEN center THEN k <= least(centers, 1 + spread / 2)
		   ELSE k <= spread - least(centers, 1 + spread / 2) END
ORDER BY item, node;
ANALYZE bench.stock;

/*
 * The ERP's tables, the same in each schema that needs them.  The columns
 * from alloc_status on are where an answer goes; UNIT leaves them empty.
 */
CREATE PROCEDURE bench.make_tables(s text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($f$
		CREATE SCHEMA %1$I;
		CREATE TABLE %1$I.customer (cust_no text COLLATE "C" PRIMARY KEY, name text NOT NULL);
		CREATE TABLE %1$I.item (sku text COLLATE "C" PRIMARY KEY, weight_kg numeric NOT NULL);
		CREATE TABLE %1$I.so_head (
			doc_no text COLLATE "C" PRIMARY KEY,
			cust_no text COLLATE "C" NOT NULL REFERENCES %1$I.customer,
			ship_ctry text NOT NULL, ship_zip text NOT NULL, want_date date,
			alloc_status text, from_whse text, promise_date date);
		CREATE TABLE %1$I.so_line (
			doc_no text COLLATE "C" NOT NULL REFERENCES %1$I.so_head,
			line_no int NOT NULL,
			sku text COLLATE "C" NOT NULL REFERENCES %1$I.item,
			qty numeric NOT NULL, price numeric NOT NULL,
			alloc_status text, from_whse text, promise_date date,
			PRIMARY KEY (doc_no, line_no));
		CREATE INDEX so_line_sku ON %1$I.so_line (sku);
		INSERT INTO %1$I.customer SELECT customer, name FROM bench.customer;
		INSERT INTO %1$I.item SELECT item, weight_kg FROM bench.item ORDER BY i;
	$f$, s);
END
$$;
CALL bench.make_tables('b_unit');
CALL bench.make_tables('b_floor');
CALL bench.make_tables('b_greedy');
CALL bench.make_tables('erp');
