-- supply as the ERP tells it by calls

/*
 * Each call is a few plain writes; what they come to is settled at commit.
 * Row locks are taken in one order: demand, inbound, on hand.
 */

CREATE FUNCTION routing.check_stock_key(tenant_id int, item text, node text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF item IS NULL OR node IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = format('%s must not be null', CASE WHEN item IS NULL THEN 'item' ELSE 'node' END),
			HINT = 'Give an item of routing.item and a node of routing.node.';
	END IF;
	IF NOT EXISTS (SELECT FROM routing.item i WHERE i.tenant_id = check_stock_key.tenant_id AND i.item = check_stock_key.item) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT001', MESSAGE = format('item "%s" is unknown', item),
			HINT = 'Insert it into routing.item first, or correct the code.';
	END IF;
	IF NOT EXISTS (SELECT FROM routing.node n WHERE n.tenant_id = check_stock_key.tenant_id AND n.node = check_stock_key.node) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT002', MESSAGE = format('node "%s" is unknown', node),
			HINT = 'Insert it into routing.node first, or correct the code.';
	END IF;
END
$$;
COMMENT ON FUNCTION routing.check_stock_key(int, text, text) IS 'refuses an unknown item or node';

CREATE FUNCTION routing.check_quantity(name text, quantity numeric, lowest numeric DEFAULT -1e11) RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF quantity IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = format('%s must not be null', coalesce(name, 'quantity')),
			HINT = 'Give a number.';
	END IF;
	-- NaN is greater than any number
	IF quantity < lowest OR quantity > 1e11 OR min_scale(quantity) > 4 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT005',
			MESSAGE = format('%s %s %s', name, quantity, CASE WHEN min_scale(quantity) > 4 THEN 'has more than 4 decimals'
															 ELSE 'is out of range' END),
			HINT = format('It is between %s and 100000000000 and has at most 4 decimals.', lowest::text);
	END IF;
END
$$;
COMMENT ON FUNCTION routing.check_quantity(text, numeric, numeric) IS 'refuses what is no quantity, or less than the lowest';

CREATE FUNCTION routing.check_text(name text, value text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value IS NULL OR value = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = format('%s must not be %s', coalesce(name, 'argument'), CASE WHEN value IS NULL THEN 'null' ELSE 'empty' END),
			HINT = 'See the arguments of the function in doc/reference.md.';
	END IF;
END
$$;
COMMENT ON FUNCTION routing.check_text(text, text) IS 'refuses an argument that is null or empty';

CREATE FUNCTION routing.check_moved_at(name text, moved_at timestamptz) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF moved_at IS NULL OR moved_at < '1900-01-01' OR moved_at > now() + interval '1 day' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT016',
			MESSAGE = format('%s %s is out of range', coalesce(name, 'time'), coalesce(moved_at::text, 'null')),
			HINT = 'Give the time at which it was so, which is not in the future.';
	END IF;
END
$$;
COMMENT ON FUNCTION routing.check_moved_at(text, timestamptz) IS 'refuses a time that cannot be that of a stock movement';

/*
 * Whether the reference is new.  The same with other content is an error; a
 * null argument is not compared.
 */
CREATE FUNCTION routing.reference_is_new(tenant_id int, reference text, kind text, item text, node text, lot text,
										 quantity numeric, ref text, reason text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m	routing.stock_movement;
	a	record;
BEGIN
	SELECT * INTO m FROM routing.stock_movement s
	WHERE s.tenant_id = reference_is_new.tenant_id AND s.reference = reference_is_new.reference;
	IF NOT FOUND THEN
		RETURN true;
	END IF;
	FOR a IN SELECT v.name, v.was, v.is_now
			 FROM (VALUES (1, 'kind', m.kind, kind), (2, 'ref', m.ref, ref), (3, 'item', m.item, item),
						  (4, 'node', m.node, node), (5, 'lot', m.lot, lot),
						  (6, 'quantity', trim_scale(m.quantity)::text, trim_scale(quantity)::text),
						  (7, 'reason', m.reason, reason)) v(n, name, was, is_now)
			 WHERE v.is_now <> v.was ORDER BY v.n
	LOOP
		RAISE EXCEPTION USING ERRCODE = 'RT040',
			MESSAGE = format('reference "%s" was used with %s "%s", not "%s"', reference, a.name, a.was, a.is_now),
			HINT = 'Give each movement a reference of its own; a repeated call must repeat everything.';
	END LOOP;
	RETURN false;
END
$$;
COMMENT ON FUNCTION routing.reference_is_new(int, text, text, text, text, text, numeric, text, text) IS
	'whether no stock movement has the reference; an error if one of other content has';

CREATE FUNCTION routing.note_movement(tenant_id int, item text, node text, reason text, reference text) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'routing_note_movement';
COMMENT ON FUNCTION routing.note_movement(int, text, text, text, text) IS
	'engine''s own: why stock on hand is about to change, for the event that will tell of it';

CREATE FUNCTION routing.record_movement(tenant_id int, reference text, kind text, item text, node text, lot text,
										quantity numeric, ref text, reason text, moved_at timestamptz) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	INSERT INTO routing.stock_movement (tenant_id, reference, kind, item, node, lot, quantity, ref, reason, moved_at)
	VALUES (record_movement.tenant_id, record_movement.reference, record_movement.kind, record_movement.item,
			record_movement.node, record_movement.lot, record_movement.quantity, record_movement.ref,
			coalesce(record_movement.reason, ''), record_movement.moved_at)
	ON CONFLICT (tenant_id, reference) DO NOTHING;
	IF FOUND THEN
		PERFORM routing.note_movement(record_movement.tenant_id, record_movement.item, record_movement.node,
			CASE record_movement.kind WHEN 'adjustment' THEN coalesce(record_movement.reason, '')
				 WHEN 'snapshot' THEN 'count' WHEN 'issue' THEN 'transfer' ELSE record_movement.kind END,
			CASE WHEN starts_with(record_movement.reference, 'snapshot:') THEN '' ELSE record_movement.reference END);
		RETURN true;
	END IF;
	RETURN routing.reference_is_new(record_movement.tenant_id, record_movement.reference, record_movement.kind,
		record_movement.item, record_movement.node, record_movement.lot, record_movement.quantity, record_movement.ref);
END
$$;
COMMENT ON FUNCTION routing.record_movement(int, text, text, text, text, text, numeric, text, text, timestamptz) IS
	'records a stock movement; false if it is there already';

CREATE FUNCTION routing.on_hand_of(tenant_id int, item text, node text, lot text) RETURNS numeric
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT trim_scale(s.quantity) FROM routing.supply s
					 WHERE s.tenant_id = $1 AND s.item = $2 AND s.node = $3 AND s.ref = '' AND s.lot = $4), 0)
$$;
COMMENT ON FUNCTION routing.on_hand_of(int, text, text, text) IS 'what the row of stock on hand says';

/*
 * A dedicated purchase becomes dedicated stock: a row of its own, since the
 * one without a ref is everybody's.
 */
CREATE FUNCTION routing.add_on_hand(tenant_id int, item text, node text, lot text, delta numeric,
									expires_on date DEFAULT NULL, order_id text DEFAULT '', line_no int DEFAULT NULL)
	RETURNS numeric
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	result	numeric;
	of_row	text := CASE WHEN add_on_hand.order_id = '' THEN ''
						 ELSE 'dedicated:' || add_on_hand.order_id || coalesce('/' || add_on_hand.line_no, '') END;
BEGIN
	INSERT INTO routing.supply AS s (tenant_id, item, node, ref, lot, quantity, expires_on, order_id, line_no)
	VALUES (add_on_hand.tenant_id, add_on_hand.item, add_on_hand.node, of_row, add_on_hand.lot, add_on_hand.delta,
			add_on_hand.expires_on, add_on_hand.order_id, add_on_hand.line_no)
	ON CONFLICT (tenant_id, item, node, ref, lot) DO UPDATE
	SET quantity = s.quantity + excluded.quantity,
		-- stock without a lot is as good as the worst of it
		expires_on = CASE WHEN excluded.lot <> '' THEN coalesce(excluded.expires_on, s.expires_on)
						  ELSE least(excluded.expires_on, s.expires_on) END
	RETURNING trim_scale(s.quantity) INTO result;
	RETURN result;
END
$$;
COMMENT ON FUNCTION routing.add_on_hand(int, text, text, text, numeric, date, text, int) IS
	'adds to stock on hand and returns what is there then';

CREATE FUNCTION routing.put_supply(item text, node text, quantity numeric, available_on date DEFAULT NULL,
								   ref text DEFAULT '', lot text DEFAULT '', expires_on date DEFAULT NULL,
								   kind text DEFAULT NULL, status text DEFAULT 'confirmed',
								   order_id text DEFAULT '', line_no int DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	on_hand	boolean := coalesce(put_supply.available_on = '-infinity', true);
	of_ref	text := coalesce(put_supply.ref, '');
	of_lot	text := coalesce(put_supply.lot, '');
	of_kind	text := coalesce(put_supply.kind, CASE WHEN on_hand THEN 'on_hand' ELSE 'purchase' END);
BEGIN
	PERFORM routing.check_stock_key(tenant, put_supply.item, put_supply.node);
	PERFORM routing.check_quantity('quantity', put_supply.quantity, CASE WHEN on_hand THEN -1e11 ELSE 0 END);
	IF NOT on_hand AND of_ref = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = 'inbound supply needs a ref',
			HINT = 'Give the purchase line or the like as ref, or no available_on for stock on hand.';
	END IF;
	IF of_kind NOT IN ('on_hand', 'purchase', 'transfer', 'production', 'return') THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = format('kind "%s" is unknown', of_kind),
			HINT = 'It is on_hand, purchase, transfer, production or return.';
	END IF;
	IF of_ref <> '' AND EXISTS (SELECT FROM routing.supply s WHERE s.tenant_id = tenant AND s.item = put_supply.item
			AND s.node = put_supply.node AND s.ref = of_ref AND s.lot = of_lot AND s.source_key = 'demand:' || of_ref) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT047',
			MESSAGE = format('supply "%s" of item "%s" at node "%s" is that of a transfer', of_ref, put_supply.item, put_supply.node),
			HINT = 'Call put_transfer() or cancel_demand(): the inbound supply follows.';
	END IF;
	IF put_supply.quantity = 0 AND NOT on_hand THEN
		DELETE FROM routing.supply s
		WHERE s.tenant_id = tenant AND s.item = put_supply.item AND s.node = put_supply.node AND s.ref = of_ref AND s.lot = of_lot;
		RETURN FOUND;
	END IF;
	INSERT INTO routing.supply AS s (tenant_id, item, node, ref, lot, available_on, quantity, expires_on, kind, status, order_id, line_no)
	VALUES (tenant, put_supply.item, put_supply.node, of_ref, of_lot, coalesce(put_supply.available_on, '-infinity'),
			put_supply.quantity, put_supply.expires_on, of_kind, coalesce(put_supply.status, 'confirmed'),
			coalesce(put_supply.order_id, ''), put_supply.line_no)
	ON CONFLICT (tenant_id, item, node, ref, lot) DO UPDATE
	SET available_on = excluded.available_on, quantity = excluded.quantity, expires_on = excluded.expires_on,
		kind = excluded.kind, status = excluded.status, order_id = excluded.order_id, line_no = excluded.line_no
	WHERE (s.available_on, s.quantity, s.expires_on, s.kind, s.status, s.order_id, s.line_no) IS DISTINCT FROM
		  (excluded.available_on, excluded.quantity, excluded.expires_on, excluded.kind, excluded.status,
		   excluded.order_id, excluded.line_no);
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION routing.put_supply(text, text, numeric, date, text, text, date, text, text, text, int) IS
	'says what there is on hand (no available_on) or what comes: one row of supply; inbound of 0 is closed; true if that was news';

CREATE FUNCTION routing.adjust_on_hand(item text, node text, delta numeric, reference text,
									   reason text DEFAULT 'correction', lot text DEFAULT '',
									   moved_at timestamptz DEFAULT now()) RETURNS numeric
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tenant	int := routing.current_tenant();
	of_lot	text := coalesce(lot, '');
BEGIN
	PERFORM routing.check_stock_key(tenant, item, node);
	PERFORM routing.check_quantity('delta', delta);
	PERFORM routing.check_text('reference', reference);
	PERFORM routing.check_moved_at('moved_at', moved_at);
	IF NOT routing.record_movement(tenant, reference, 'adjustment', item, node, of_lot, delta, '', reason, moved_at) THEN
		RETURN routing.on_hand_of(tenant, item, node, of_lot);
	END IF;
	RETURN routing.add_on_hand(tenant, item, node, of_lot, delta);
END
$$;
COMMENT ON FUNCTION routing.adjust_on_hand(text, text, numeric, text, text, text, timestamptz) IS
	'changes stock on hand by a quantity, once per reference; returns the new stock on hand';

CREATE FUNCTION routing.receive(ref text, quantity numeric, reference text, lot text DEFAULT '',
								expires_on date DEFAULT NULL, node text DEFAULT NULL, item text DEFAULT NULL,
								moved_at timestamptz DEFAULT now()) RETURNS numeric
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant		int := routing.current_tenant();
	of_lot		text := coalesce(receive.lot, '');
	r			routing.supply;
	inbound	routing.supply[];
	lead		routing.supply;
	rest		numeric := receive.quantity;
	outstanding	numeric := 0;
	received	numeric;
	tolerance	numeric;
	expiry		date := receive.expires_on;
BEGIN
	PERFORM routing.check_text('ref', receive.ref);
	PERFORM routing.check_quantity('quantity', receive.quantity, 0.0001);
	PERFORM routing.check_text('reference', receive.reference);
	PERFORM routing.check_moved_at('moved_at', receive.moved_at);
	IF expiry IS NOT NULL AND of_lot = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = 'expires_on without a lot',
			HINT = 'Give the lot that expires then.';
	END IF;
	IF receive.item IS NOT NULL AND receive.node IS NOT NULL THEN
		PERFORM routing.check_stock_key(tenant, receive.item, receive.node);
	END IF;
	IF NOT routing.reference_is_new(tenant, receive.reference, 'receipt', receive.item, receive.node, of_lot,
									receive.quantity, receive.ref) THEN
		RETURN (SELECT routing.on_hand_of(m.tenant_id, m.item, m.node, m.lot) FROM routing.stock_movement m
				WHERE m.tenant_id = tenant AND m.reference = receive.reference);
	END IF;
	PERFORM FROM routing.demand d WHERE d.tenant_id = tenant AND d.ref = receive.ref FOR NO KEY UPDATE;
	FOR r IN SELECT * FROM routing.supply s
			 WHERE s.tenant_id = tenant AND s.ref = receive.ref AND s.available_on > '-infinity'
			   AND (receive.item IS NULL OR s.item = receive.item) AND (receive.node IS NULL OR s.node = receive.node)
			 -- what names the lot first, then what names none
			 ORDER BY s.item, s.node, s.lot = of_lot DESC, s.lot = '' DESC, s.available_on, s.lot
			 FOR UPDATE
	LOOP
		inbound := inbound || r;
		outstanding := outstanding + r.quantity;
	END LOOP;
	IF inbound IS NULL THEN
		-- whoever closed it while we waited may have been the same call
		IF NOT routing.reference_is_new(tenant, receive.reference, 'receipt', receive.item, receive.node, of_lot,
										receive.quantity, receive.ref) THEN
			RETURN (SELECT routing.on_hand_of(m.tenant_id, m.item, m.node, m.lot) FROM routing.stock_movement m
					WHERE m.tenant_id = tenant AND m.reference = receive.reference);
		END IF;
		IF EXISTS (SELECT FROM routing.stock_movement m WHERE m.tenant_id = tenant AND m.ref = receive.ref AND m.kind = 'receipt'
				   AND (receive.item IS NULL OR m.item = receive.item) AND (receive.node IS NULL OR m.node = receive.node)) THEN
			RAISE EXCEPTION USING ERRCODE = 'RT042', MESSAGE = format('ref "%s" is closed: all of it was received', receive.ref),
				HINT = 'If more comes, say so with put_supply() first, or use adjust_on_hand().';
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'RT041', MESSAGE = format('no inbound supply has the ref "%s"', receive.ref),
			HINT = 'Announce it with put_supply() first, or use adjust_on_hand().';
	END IF;
	lead := inbound[1];
	IF EXISTS (SELECT FROM unnest(inbound) o
			   WHERE (o.item, o.node, o.order_id, o.line_no) IS DISTINCT FROM (lead.item, lead.node, lead.order_id, lead.line_no)) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT043',
			MESSAGE = format('ref "%s" is open for several items, nodes or orders', receive.ref),
			DETAIL = (SELECT string_agg(format('item "%s" at node "%s": %s', o.item, o.node, trim_scale(o.quantity)), ', '
										ORDER BY o.item, o.node, o.order_id) FROM unnest(inbound) o),
			HINT = 'Give item and node, or one ref to each purchase line.';
	END IF;

	-- what the ref promised at first may be exceeded a little
	SELECT coalesce(sum(m.quantity), 0) INTO received FROM routing.stock_movement m
	WHERE m.tenant_id = tenant AND m.ref = receive.ref AND m.kind = 'receipt' AND m.item = lead.item AND m.node = lead.node;
	SELECT t.receipt_tolerance INTO tolerance FROM routing.setting t WHERE t.tenant_id = tenant;
	tolerance := coalesce(tolerance, 0.05);
	IF received + receive.quantity > (outstanding + received) * (1 + tolerance) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT044',
			MESSAGE = format('ref "%s": %s received and %s more is too much for %s ordered', receive.ref, trim_scale(received),
							 trim_scale(receive.quantity), trim_scale(outstanding + received)),
			HINT = format('%s%% more than ordered is accepted (setting.receipt_tolerance); correct the order with put_supply() first.',
						  trim_scale(tolerance * 100));
	END IF;

	IF NOT routing.record_movement(tenant, receive.reference, 'receipt', lead.item, lead.node, of_lot, receive.quantity,
								   receive.ref, 'receipt', receive.moved_at) THEN
		RETURN routing.on_hand_of(tenant, lead.item, lead.node, of_lot);
	END IF;
	FOREACH r IN ARRAY inbound
	LOOP
		EXIT WHEN rest <= 0;
		IF r.lot = of_lot THEN
			expiry := coalesce(expiry, r.expires_on);
		END IF;
		IF r.quantity <= rest THEN
			DELETE FROM routing.supply s WHERE s.tenant_id = tenant AND s.item = r.item AND s.node = r.node
				AND s.ref = r.ref AND s.lot = r.lot;
		ELSE
			UPDATE routing.supply s SET quantity = s.quantity - rest
			WHERE s.tenant_id = tenant AND s.item = r.item AND s.node = r.node AND s.ref = r.ref AND s.lot = r.lot;
		END IF;
		rest := rest - r.quantity;
	END LOOP;
	IF expiry IS NULL AND of_lot <> '' THEN
		SELECT max(s.expires_on) INTO expiry FROM routing.supply s
		WHERE s.tenant_id = tenant AND s.item = lead.item AND s.lot = of_lot AND s.lot <> '';
	END IF;
	IF lead.source_key = 'demand:' || receive.ref THEN
		UPDATE routing.demand d SET received = d.received + receive.quantity
		WHERE d.tenant_id = tenant AND d.ref = receive.ref;
		PERFORM routing.end_transfer(tenant, receive.ref);
	END IF;
	RETURN routing.add_on_hand(tenant, lead.item, lead.node, of_lot, receive.quantity, expiry, lead.order_id, lead.line_no);
END
$$;
COMMENT ON FUNCTION routing.receive(text, numeric, text, text, date, text, text, timestamptz) IS
	'goods of a purchase line have come: inbound down, on hand up, in one step, once per reference; returns the new stock on hand';

-- a count: what moved after it was taken is added to it
CREATE FUNCTION routing.apply_count(tenant_id int, item text, node text, lot text, quantity numeric, as_of timestamptz,
									reference text, expires_on date DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	s		routing.supply;
	target	numeric;
BEGIN
	-- the row is the lock: who moves stock holds it until his movement can be seen
	INSERT INTO routing.supply (tenant_id, item, node, lot, quantity)
	VALUES (apply_count.tenant_id, apply_count.item, apply_count.node, apply_count.lot, 0)
	ON CONFLICT (tenant_id, item, node, ref, lot) DO NOTHING;
	SELECT * INTO s FROM routing.supply x
	WHERE x.tenant_id = apply_count.tenant_id AND x.item = apply_count.item AND x.node = apply_count.node
	  AND x.ref = '' AND x.lot = apply_count.lot FOR UPDATE;
	IF EXISTS (SELECT FROM routing.stock_movement m
			   WHERE m.tenant_id = apply_count.tenant_id AND m.item = apply_count.item AND m.node = apply_count.node
				 AND m.lot = apply_count.lot AND m.kind = 'snapshot' AND m.moved_at > apply_count.as_of) THEN
		RETURN 'older';
	END IF;
	IF NOT routing.record_movement(apply_count.tenant_id, coalesce(apply_count.reference, 'snapshot:' || gen_random_uuid()),
									  'snapshot', apply_count.item, apply_count.node, apply_count.lot,
									  apply_count.quantity, '', 'count', apply_count.as_of) THEN
		RETURN 'repeated';
	END IF;
	SELECT apply_count.quantity + coalesce(sum(m.quantity), 0) INTO target FROM routing.stock_movement m
	WHERE m.tenant_id = apply_count.tenant_id AND m.item = apply_count.item AND m.node = apply_count.node
	  AND m.lot = apply_count.lot AND m.kind <> 'snapshot' AND m.moved_at > apply_count.as_of;
	IF target = s.quantity AND (apply_count.expires_on IS NULL OR apply_count.expires_on = s.expires_on) THEN
		RETURN 'same';
	END IF;
	UPDATE routing.supply x SET quantity = target, expires_on = coalesce(apply_count.expires_on, x.expires_on)
	WHERE x.tenant_id = apply_count.tenant_id AND x.item = apply_count.item AND x.node = apply_count.node
	  AND x.ref = '' AND x.lot = apply_count.lot;
	RETURN 'changed';
END
$$;
COMMENT ON FUNCTION routing.apply_count(int, text, text, text, numeric, timestamptz, text, date) IS
	'makes stock on hand what a count says and what moved since; tells whether that was changed, same, older than the last count or repeated';

CREATE FUNCTION routing.tell_snapshot(tenant_id int, node text, as_of timestamptz, items int, changed int, older int,
									  complete boolean) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT routing.note_event($1, 'node', $2, 'inventory.snapshot_applied.v1', jsonb_build_object(
		'node', $2, 'as_of', routing.event_time($3), 'items', $4, 'changed', $5, 'conflicts', $6, 'complete', coalesce($7, false)))
$$;
COMMENT ON FUNCTION routing.tell_snapshot(int, text, timestamptz, int, int, int, boolean) IS
	'internal: the event of a count of a node';

CREATE FUNCTION routing.put_snapshot(item text, node text, quantity numeric, as_of timestamptz,
									 reference text DEFAULT NULL, lot text DEFAULT '') RETURNS numeric
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tenant	int := routing.current_tenant();
	of_lot	text := coalesce(lot, '');
BEGIN
	PERFORM routing.check_stock_key(tenant, item, node);
	PERFORM routing.check_quantity('quantity', quantity);
	PERFORM routing.check_moved_at('as_of', as_of);
	IF reference IS NOT NULL THEN
		PERFORM routing.check_text('reference', reference);
	END IF;
	PERFORM routing.tell_snapshot(tenant, node, as_of, 1, (r = 'changed')::int, (r = 'older')::int, false)
	FROM routing.apply_count(tenant, item, node, of_lot, quantity, as_of, reference) r WHERE r <> 'repeated';
	RETURN routing.on_hand_of(tenant, item, node, of_lot);
END
$$;
COMMENT ON FUNCTION routing.put_snapshot(text, text, numeric, timestamptz, text, text) IS
	'stock on hand as counted at a time; movements since are kept, an older count than the last changes nothing; returns the stock on hand';

CREATE FUNCTION routing.put_snapshot(node text, as_of timestamptz, counts jsonb, complete boolean DEFAULT false)
	RETURNS int
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	counted	int := 0;
	changed	int := 0;
	older	int := 0;
	result	text;
	c		record;
	bad		text;
BEGIN
	IF jsonb_typeof(counts) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = 'counts is not an array',
			HINT = 'Give [{"item": "SKU-1", "quantity": "12"}, ...], each with an optional lot and expires_on.';
	END IF;
	PERFORM routing.check_moved_at('as_of', put_snapshot.as_of);
	FOR c IN SELECT e.v, e.n FROM jsonb_array_elements(counts) WITH ORDINALITY e(v, n)
	LOOP
		IF jsonb_typeof(c.v) <> 'object' THEN
			bad := 'is not an object';
		ELSIF c.v - '{item,quantity,lot,expires_on}'::text[] <> '{}' THEN
			bad := format('has an unknown field "%s"', (SELECT min(k COLLATE "C") FROM jsonb_object_keys(c.v - '{item,quantity,lot,expires_on}'::text[]) k));
		ELSIF jsonb_typeof(c.v -> 'item') IS DISTINCT FROM 'string' THEN
			bad := 'has no item';
		ELSIF coalesce(jsonb_typeof(c.v -> 'quantity'), '') NOT IN ('number', 'string')
			  OR (c.v ->> 'quantity') !~ '^[-+]?[0-9]+(\.[0-9]*)?$' THEN
			bad := 'has no quantity that is a number';
		ELSIF jsonb_typeof(c.v -> 'lot') NOT IN ('string', 'null') THEN
			bad := 'has a lot that is no text';
		ELSIF jsonb_typeof(c.v -> 'expires_on') NOT IN ('string', 'null')
			  OR (c.v ->> 'expires_on') !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' THEN
			bad := 'has an expires_on that is no date';
		END IF;
		IF bad IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = format('count %s %s', c.n, bad),
				HINT = 'Give [{"item": "SKU-1", "quantity": "12"}, ...], each with an optional lot and expires_on.';
		END IF;
		PERFORM routing.check_stock_key(tenant, c.v ->> 'item', put_snapshot.node);
		PERFORM routing.check_quantity(format('count %s: quantity', c.n), (c.v ->> 'quantity')::numeric);
	END LOOP;
	-- in the order in which everybody locks
	FOR c IN SELECT coalesce(k.item, s.item) AS item, coalesce(k.lot, s.lot) AS lot,
					coalesce(k.quantity, 0) AS quantity, k.expires_on, k.times
			 FROM (SELECT (e.v ->> 'item') COLLATE "C" AS item, coalesce(e.v ->> 'lot', '') COLLATE "C" AS lot,
						  max((e.v ->> 'quantity')::numeric) AS quantity, max((e.v ->> 'expires_on')::date) AS expires_on,
						  count(*) AS times
				   FROM jsonb_array_elements(counts) e(v) GROUP BY 1, 2) k
			 FULL JOIN (SELECT x.item, x.lot FROM routing.supply x
						WHERE put_snapshot.complete AND x.tenant_id = tenant AND x.node = put_snapshot.node
						  AND x.ref = '' AND x.available_on = '-infinity' AND x.quantity <> 0) s
				ON s.item = k.item AND s.lot = k.lot
			 ORDER BY 1, 2
	LOOP
		IF c.times > 1 THEN
			RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = format('item "%s" lot "%s" is counted twice', c.item, c.lot),
				HINT = 'Add the counts of an item and lot up.';
		END IF;
		result := routing.apply_count(tenant, c.item, put_snapshot.node, c.lot, c.quantity, put_snapshot.as_of,
									  NULL, c.expires_on);
		counted := counted + 1;
		changed := changed + (result = 'changed')::int;
		older := older + (result = 'older')::int;
	END LOOP;
	PERFORM routing.tell_snapshot(tenant, put_snapshot.node, put_snapshot.as_of, counted, changed, older, put_snapshot.complete);
	RETURN changed;
END
$$;
COMMENT ON FUNCTION routing.put_snapshot(text, timestamptz, jsonb, boolean) IS
	'stock on hand of many items as counted at a time; complete: what is not named is 0; returns how many rows changed';

-- COPY cannot write a table with row-level security, but a view
CREATE VIEW routing.supply_load WITH (security_invoker = true) AS
	SELECT s.item, s.node, s.ref, s.lot, s.available_on, s.quantity, s.expires_on, s.kind, s.status, s.order_id, s.line_no
	FROM routing.supply s WHERE s.tenant_id = routing.current_tenant();
COMMENT ON VIEW routing.supply_load IS 'supply of the current tenant, for COPY by roles to which row-level security applies';

CREATE FUNCTION routing.supply_load() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO routing.supply (tenant_id, item, node, ref, lot, available_on, quantity, expires_on, kind, status, order_id, line_no)
	VALUES (routing.current_tenant(), NEW.item, NEW.node, coalesce(NEW.ref, ''), coalesce(NEW.lot, ''),
			coalesce(NEW.available_on, '-infinity'), NEW.quantity, NEW.expires_on,
			coalesce(NEW.kind, CASE WHEN NEW.available_on > '-infinity' THEN 'purchase' ELSE 'on_hand' END),
			coalesce(NEW.status, 'confirmed'), coalesce(NEW.order_id, ''), NEW.line_no);
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION routing.supply_load() IS 'trigger of the view supply_load: inserts into supply';
CREATE TRIGGER supply_load INSTEAD OF INSERT ON routing.supply_load
	FOR EACH ROW EXECUTE FUNCTION routing.supply_load();
