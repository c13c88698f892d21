/*
 * :items items, each at 10 of the 50 nodes, on hand and, at each fifth, an
 * inbound purchase; random keys of them; and the loops that are compared.
 */
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
INSERT INTO routing.item (item, weight_kg) SELECT 'I' || 1000000 + n, 1 FROM generate_series(1, :items) n;
SET routing.settle_timeout = '10min';
INSERT INTO routing.supply (item, node, quantity)
SELECT 'I' || 1000000 + i, 'N' || 101 + (7 * i + 5 * k) % 50, 1000 FROM generate_series(1, :items) i, generate_series(0, 9) k;
INSERT INTO routing.supply (item, node, ref, kind, available_on, quantity)
SELECT item, node, 'PO', 'purchase', current_date + 10, 500 FROM routing.supply WHERE right(item, 1) IN ('3', '8');
CREATE TABLE bench.pair AS
SELECT row_number() OVER (ORDER BY hashtext(item || node)) AS n, item, node FROM routing.position
ORDER BY 1 LIMIT 100000;
ALTER TABLE bench.pair ADD PRIMARY KEY (n);
VACUUM ANALYZE;

CREATE FUNCTION bench.cpu() RETURNS numeric LANGUAGE sql VOLATILE
	RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1000;

/*
 * Microseconds of CPU for each of the statements that are in what, over the
 * same keys in the same order.  The keys are read into arrays before; what an
 * empty loop costs is taken off.
 */
CREATE FUNCTION bench.statements(what text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	items	text[];
	nodes	text[];
	n		int;
	began	numeric;
	q		numeric;
	tl		bigint[];
BEGIN
	SELECT array_agg(p.item ORDER BY p.n), array_agg(p.node ORDER BY p.n), count(*) INTO items, nodes, n
	FROM bench.pair p WHERE p.n <= 50000;
	began := bench.cpu();
	IF what = 'nothing' THEN
		FOR k IN 1 .. n LOOP
			CONTINUE WHEN items[k] = nodes[k];
		END LOOP;
	ELSIF what = 'atp' THEN
		FOR k IN 1 .. n LOOP
			SELECT routing.atp(items[k], nodes[k]) INTO q;
		END LOOP;
	ELSIF what = 'atp as an expression' THEN
		FOR k IN 1 .. n LOOP
			q := routing.atp(items[k], nodes[k]);
		END LOOP;
	ELSIF what = 'row' THEN
		FOR k IN 1 .. n LOOP
			SELECT p.timeline INTO tl FROM routing.position p
			WHERE p.tenant_id = 1 AND p.item = items[k] AND p.node = nodes[k] AND p.slot = 0;
		END LOOP;
	END IF;
	RETURN (bench.cpu() - began) / n;
END
$$;

-- the same of one statement over all keys
CREATE FUNCTION bench.joined(what text) RETURNS numeric LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_memoize = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
	began	numeric := bench.cpu();
	n		bigint;
	x		text;
BEGIN
	IF what = 'nothing' THEN
		SELECT count(k.item), max(k.node) INTO n, x FROM bench.pair k;
	ELSIF what = 'atp' THEN
		SELECT count(routing.atp(k.item, k.node)), max(k.node) INTO n, x FROM bench.pair k;
	ELSE
		SELECT count(p.timeline), max(k.node) INTO n, x
		FROM bench.pair k
		JOIN routing.position p ON p.tenant_id = 1 AND p.item = k.item AND p.node = k.node AND p.slot = 0;
	END IF;
	RETURN (bench.cpu() - began) / n;
END
$$;
