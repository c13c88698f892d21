/*
 * The plain-table opponents: FLOOR's tables and the greedy router in PL/pgSQL.
 * Tables for what a routed order writes have the columns, keys and indexes of
 * the extension's own, without their CHECK constraints.
 */
\set ON_ERROR_STOP 1
SET client_min_messages = warning;

-- what decision.record and event.payload hold: replaced by a real one of the
-- extension as soon as it has routed its first orders
CREATE TABLE bench.sample (record bytea, payload jsonb, events_per_order numeric);
INSERT INTO bench.sample VALUES ('{}', '{}', 1);

DO $$
DECLARE
	s	text;
BEGIN
	FOREACH s IN ARRAY ARRAY['b_floor', 'b_greedy'] LOOP
		EXECUTE format($f$
			CREATE TABLE %1$I.reservation (LIKE routing.reservation INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING STORAGE);
			CREATE TABLE %1$I.decision (LIKE routing.decision INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING STORAGE);
			CREATE SEQUENCE %1$I.decision_seq;
			CREATE TABLE %1$I.event (LIKE routing.event INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING STORAGE) PARTITION BY RANGE (part_on);
			CREATE TABLE %1$I.event_now PARTITION OF %1$I.event
				FOR VALUES FROM ('2020-01-01') TO ('2999-01-01');
			CREATE SEQUENCE %1$I.event_seq;
		$f$, s);
	END LOOP;
END
$$;
-- the leaf's key and indexes as those of the extension's leaves
DO $$
DECLARE
	s		text;
	leaf	regclass;
	def		text;
	n		int := 0;
BEGIN
	SELECT inhrelid INTO leaf FROM pg_inherits
	WHERE inhparent = 'routing.event'::regclass ORDER BY inhrelid LIMIT 1;
	FOREACH s IN ARRAY ARRAY['b_floor', 'b_greedy'] LOOP
		IF leaf IS NULL THEN
			EXECUTE format('ALTER TABLE %I.event_now ADD PRIMARY KEY (tenant_id, seq)', s);
		ELSE
			FOR def IN SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = leaf LOOP
				n := n + 1;
				EXECUTE regexp_replace(def, '^(CREATE (?:UNIQUE )?INDEX) .* ON (?:ONLY )?\S+ ',
									   format('\1 event_now_%s ON %I.event_now ', n, s));
			END LOOP;
		END IF;
	END LOOP;
END
$$;

CREATE TABLE b_floor.position (LIKE routing.position INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING STORAGE)
	WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
INSERT INTO b_floor.position (tenant_id, item, node, timeline)
SELECT 1, item, node, ARRAY[-2147483648, quantity * 10000, 0]::bigint[] FROM bench.stock ORDER BY item, node;

CREATE FUNCTION b_floor.write_rest(o text, s1 text, n1 text, q1 int, s2 text, n2 text, q2 int,
								   s3 text, n3 text, q3 int, today date, record bytea, payload jsonb)
	RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	d	bigint := nextval('b_floor.decision_seq');
BEGIN
	UPDATE b_floor.position p
	SET timeline = ARRAY[p.timeline[1], p.timeline[2], p.timeline[3] + v.q * 10000]
	FROM (VALUES (s1, n1, q1), (s2, n2, q2), (s3, n3, q3)) v (item, node, q)
	WHERE p.tenant_id = 1 AND p.item = v.item AND p.node = v.node;
	INSERT INTO b_floor.reservation (tenant_id, order_id, line_no, part, item, node, quantity, needed_on, ship_on,
									 deliver_on, service, shipment_no, basis, state, decision_id)
	VALUES (1, o, 1, 1, s1, n1, q1, today, today, today + 3, 'GROUND', 1, 'on_hand', 'firm', d),
		   (1, o, 2, 1, s2, n2, q2, today, today, today + 3, 'GROUND', 1, 'on_hand', 'firm', d),
		   (1, o, 3, 1, s3, n3, q3, today, today, today + 3, 'GROUND', 1, 'on_hand', 'firm', d);
	INSERT INTO b_floor.decision (tenant_id, decision_id, order_id, decided_at, policy, policy_version, status, cost, record)
	VALUES (1, d, o, now(), 'standard', 1, 'allocated', 12.34, record);
	INSERT INTO b_floor.event (tenant_id, seq, part_on, recorded_at, event_ts, id, xid, epoch, tenantid, aggregatetype,
							   aggregateid, aggregateversion, type, schemaversion, occurred_at, correlationid, payload)
	VALUES (1, nextval('b_floor.event_seq'), today, now(), now(), gen_random_uuid(), pg_current_xact_id(), 1, 'default',
			'order', o, 1, 'order.allocated.v1', 1, now(), o, payload);
	UPDATE b_floor.so_head SET alloc_status = 'allocated', from_whse = n1, promise_date = today + 3 WHERE doc_no = o;
	UPDATE b_floor.so_line SET alloc_status = 'allocated', from_whse = n1, promise_date = today + 3 WHERE doc_no = o;
END
$$;

/*
 * GREEDY.  Reference data and stock with the indexes such a thing would have;
 * a stock row is on hand and promised.  Written as a careful ERP developer
 * would: set-based where it can be, rows locked in one order, everything
 * rechecked under the lock.
 */
CREATE TABLE b_greedy.node (node text COLLATE "C" PRIMARY KEY, handling_cost numeric NOT NULL);
INSERT INTO b_greedy.node SELECT node, handling_cost FROM bench.node;
CREATE TABLE b_greedy.zone_area (country text COLLATE "C", postal_prefix text COLLATE "C", zone text COLLATE "C" NOT NULL,
								 PRIMARY KEY (country, postal_prefix));
INSERT INTO b_greedy.zone_area SELECT * FROM bench.zone_area;
CREATE TABLE b_greedy.lane (zone text COLLATE "C", node text COLLATE "C", service text COLLATE "C",
							transit_days int NOT NULL, base_cost numeric NOT NULL, cost_per_kg numeric NOT NULL,
							PRIMARY KEY (zone, node, service));
INSERT INTO b_greedy.lane SELECT zone, node, service, transit_days, base_cost, cost_per_kg FROM bench.lane;
CREATE TABLE b_greedy.stock (item text COLLATE "C", node text COLLATE "C", on_hand numeric NOT NULL,
							 promised numeric NOT NULL DEFAULT 0, PRIMARY KEY (item, node),
							 CHECK (promised <= on_hand)) WITH (fillfactor = 70);
INSERT INTO b_greedy.stock SELECT item, node, quantity, 0 FROM bench.stock ORDER BY item, node;

CREATE FUNCTION b_greedy.route(o text, record bytea, payload jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	h			record;
	z			text;
	best		record;
	ln			record;
	cand		record;
	need		numeric;
	free		numeric;
	take		numeric;
	nparts		int;
	used		text[] := '{}';
	today		date := current_date;
	d			bigint := nextval('b_greedy.decision_seq');
	result		text;
BEGIN
	SELECT * INTO h FROM b_greedy.so_head WHERE doc_no = o;
	SELECT zone INTO z FROM b_greedy.zone_area
	WHERE country = h.ship_ctry
	  AND postal_prefix IN ('', left(h.ship_zip, 1), left(h.ship_zip, 2), left(h.ship_zip, 3), left(h.ship_zip, 4), h.ship_zip)
	ORDER BY length(postal_prefix) DESC LIMIT 1;

	-- the cheapest node and service that has every line
	SELECT a.node, l.service, l.transit_days INTO best
	FROM (SELECT s.node, sum(ol.qty * i.weight_kg) AS kg
		  FROM b_greedy.so_line ol
		  JOIN b_greedy.item i ON i.sku = ol.sku
		  JOIN b_greedy.stock s ON s.item = ol.sku
		  WHERE ol.doc_no = o AND s.on_hand - s.promised >= ol.qty
		  GROUP BY s.node
		  HAVING count(*) = (SELECT count(*) FROM b_greedy.so_line WHERE doc_no = o)) a
	JOIN b_greedy.node n ON n.node = a.node
	JOIN b_greedy.lane l ON l.zone = z AND l.node = a.node
	ORDER BY n.handling_cost + l.base_cost + l.cost_per_kg * a.kg
			 + 2.50 * greatest(0, today + l.transit_days - h.want_date), a.node, l.service
	LIMIT 1;
	IF FOUND THEN
		PERFORM FROM b_greedy.stock s
		WHERE s.node = best.node AND s.item IN (SELECT sku FROM b_greedy.so_line WHERE doc_no = o)
		ORDER BY s.item FOR UPDATE;
		-- under the lock: is it still there (lines of one item counted together)
		PERFORM FROM (SELECT sku, sum(qty) AS qty FROM b_greedy.so_line WHERE doc_no = o GROUP BY sku) ol
		JOIN b_greedy.stock s ON s.item = ol.sku AND s.node = best.node
		WHERE s.on_hand - s.promised < ol.qty;
		IF NOT FOUND THEN
			UPDATE b_greedy.stock s SET promised = s.promised + ol.qty
			FROM (SELECT sku, sum(qty) AS qty FROM b_greedy.so_line WHERE doc_no = o GROUP BY sku) ol
			WHERE s.item = ol.sku AND s.node = best.node;
			INSERT INTO b_greedy.reservation (tenant_id, order_id, line_no, part, item, node, quantity, needed_on, ship_on,
											  deliver_on, service, shipment_no, basis, state, decision_id)
			SELECT 1, o, ol.line_no, 1, ol.sku, best.node, ol.qty, dt.ship, dt.ship, dt.ship + best.transit_days,
				   best.service, 1, 'on_hand', 'firm', d
			FROM b_greedy.so_line ol,
				 (SELECT greatest(today, h.want_date - best.transit_days) AS ship) dt
			WHERE ol.doc_no = o;
			used := ARRAY[best.node];
		END IF;
	END IF;

	-- else line by line: the cheapest node with all of it, or pieces
	IF used = '{}' THEN
		FOR ln IN SELECT ol.line_no, ol.sku, ol.qty, i.weight_kg
				  FROM b_greedy.so_line ol JOIN b_greedy.item i ON i.sku = ol.sku
				  WHERE ol.doc_no = o ORDER BY ol.sku, ol.line_no
		LOOP
			need := ln.qty;
			nparts := 0;
			FOR cand IN SELECT s.node, l.service, l.transit_days
						FROM b_greedy.stock s
						JOIN b_greedy.node n ON n.node = s.node
						JOIN b_greedy.lane l ON l.zone = z AND l.node = s.node
						WHERE s.item = ln.sku AND s.on_hand > s.promised
						ORDER BY (s.on_hand - s.promised >= need) DESC,
								 CASE WHEN s.node = ANY (used) THEN 0 ELSE 4.00 + n.handling_cost + l.base_cost END
								 + l.cost_per_kg * need * ln.weight_kg
								 + 2.50 * greatest(0, today + l.transit_days - h.want_date), s.node, l.service
			LOOP
				SELECT on_hand - promised INTO free FROM b_greedy.stock
				WHERE item = ln.sku AND node = cand.node FOR UPDATE;
				take := least(free, need);
				CONTINUE WHEN take <= 0;
				UPDATE b_greedy.stock SET promised = promised + take WHERE item = ln.sku AND node = cand.node;
				nparts := nparts + 1;
				IF NOT cand.node = ANY (used) THEN
					used := used || cand.node;
				END IF;
				INSERT INTO b_greedy.reservation (tenant_id, order_id, line_no, part, item, node, quantity, needed_on,
												  ship_on, deliver_on, service, shipment_no, basis, state, decision_id)
				SELECT 1, o, ln.line_no, nparts, ln.sku, cand.node, take, dt.ship, dt.ship,
					   dt.ship + cand.transit_days, cand.service, array_position(used, cand.node), 'on_hand', 'firm', d
				FROM (SELECT greatest(today, h.want_date - cand.transit_days) AS ship) dt;
				need := need - take;
				EXIT WHEN need = 0;
			END LOOP;
		END LOOP;
	END IF;

	-- the answer, its record and its event
	UPDATE b_greedy.so_line ol
	SET alloc_status = CASE WHEN r.quantity IS NULL THEN 'backordered'
							WHEN r.quantity < ol.qty THEN 'partially_allocated' ELSE 'allocated' END,
		from_whse = r.node, promise_date = r.deliver_on
	FROM b_greedy.so_line x
	LEFT JOIN (SELECT line_no, sum(quantity) AS quantity, max(deliver_on) AS deliver_on,
					  (array_agg(node ORDER BY quantity DESC, node))[1] AS node
			   FROM b_greedy.reservation WHERE tenant_id = 1 AND order_id = o GROUP BY line_no) r USING (line_no)
	WHERE x.doc_no = o AND ol.doc_no = o AND ol.line_no = x.line_no;
	SELECT CASE WHEN bool_and(alloc_status = 'allocated') THEN 'allocated'
				WHEN bool_and(alloc_status = 'backordered') THEN 'backordered' ELSE 'partially_allocated' END
	INTO result FROM b_greedy.so_line WHERE doc_no = o;
	UPDATE b_greedy.so_head
	SET alloc_status = result, from_whse = used[1],
		promise_date = (SELECT max(promise_date) FROM b_greedy.so_line WHERE doc_no = o)
	WHERE doc_no = o;
	INSERT INTO b_greedy.decision (tenant_id, decision_id, order_id, decided_at, policy, policy_version, status, cost, record)
	VALUES (1, d, o, now(), 'standard', 1, result, 12.34, record);
	INSERT INTO b_greedy.event (tenant_id, seq, part_on, recorded_at, event_ts, id, xid, epoch, tenantid, aggregatetype,
								aggregateid, aggregateversion, type, schemaversion, occurred_at, correlationid, payload)
	VALUES (1, nextval('b_greedy.event_seq'), today, now(), now(), gen_random_uuid(), pg_current_xact_id(), 1, 'default',
			'order', o, 1, 'order.' || result || '.v1', 1, now(), o, payload);
END
$$;
