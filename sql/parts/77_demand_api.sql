-- demand that is no order: production, returns to vendors, service, transfers

CREATE FUNCTION routing.check_demand_kind(tenant_id int, ref text, transfer boolean) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM routing.check_text('ref', ref);
	IF EXISTS (SELECT FROM routing.demand d WHERE d.tenant_id = check_demand_kind.tenant_id AND d.ref = check_demand_kind.ref
				AND (d.kind = 'transfer') <> transfer) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT047',
			MESSAGE = format('demand "%s" is there already and is %s transfer', ref, CASE WHEN transfer THEN 'no' ELSE 'a' END),
			HINT = 'Cancel it with cancel_demand() first, or use another ref.';
	END IF;
END
$$;
COMMENT ON FUNCTION routing.check_demand_kind(int, text, boolean) IS 'refuses to make a transfer of other demand, and the reverse';

CREATE FUNCTION routing.put_demand(ref text, item text, node text, quantity numeric, needed_on date,
								   kind text DEFAULT 'production', priority int DEFAULT 5) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
BEGIN
	PERFORM routing.check_demand_kind(tenant, put_demand.ref, false);
	PERFORM routing.check_stock_key(tenant, put_demand.item, put_demand.node);
	PERFORM routing.check_quantity('quantity', put_demand.quantity, 0.0001);
	PERFORM routing.check_text('needed_on', put_demand.needed_on::text);
	IF put_demand.kind IS NULL OR put_demand.kind NOT IN ('production', 'vendor_return', 'service') THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = format('kind %s is unknown', coalesce('"' || put_demand.kind || '"', 'null')),
			HINT = 'It is production, vendor_return or service; for a transfer call put_transfer().';
	END IF;
	IF put_demand.priority IS NULL OR put_demand.priority NOT BETWEEN 1 AND 9 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = format('priority %s is out of range', coalesce(put_demand.priority::text, 'null')),
			HINT = 'Priorities are from 1 to 9, 1 is best.';
	END IF;
	INSERT INTO routing.demand AS d (tenant_id, ref, item, node, quantity, needed_on, kind, priority)
	VALUES (tenant, put_demand.ref, put_demand.item, put_demand.node, put_demand.quantity, put_demand.needed_on,
			put_demand.kind, put_demand.priority)
	ON CONFLICT (tenant_id, ref) DO UPDATE
	SET item = excluded.item, node = excluded.node, quantity = excluded.quantity, needed_on = excluded.needed_on,
		kind = excluded.kind, priority = excluded.priority
	WHERE (d.item, d.node, d.quantity, d.needed_on, d.kind, d.priority) IS DISTINCT FROM
		  (excluded.item, excluded.node, excluded.quantity, excluded.needed_on, excluded.kind, excluded.priority);
END
$$;
COMMENT ON FUNCTION routing.put_demand(text, text, text, numeric, date, text, int) IS
	'says what is needed for something else than an order; it is booked at commit, and what is not covered is an exception';

CREATE FUNCTION routing.put_transfer(ref text, item text, from_node text, to_node text, quantity numeric, ship_on date,
									 arrives_on date, priority int DEFAULT 5) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
BEGIN
	PERFORM routing.check_demand_kind(tenant, put_transfer.ref, true);
	PERFORM routing.check_stock_key(tenant, put_transfer.item, put_transfer.from_node);
	PERFORM routing.check_stock_key(tenant, put_transfer.item, put_transfer.to_node);
	PERFORM routing.check_quantity('quantity', put_transfer.quantity, 0.0001);
	PERFORM routing.check_text('ship_on', put_transfer.ship_on::text);
	PERFORM routing.check_text('arrives_on', put_transfer.arrives_on::text);
	IF put_transfer.from_node = put_transfer.to_node THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = format('to_node "%s" is where the transfer comes from', put_transfer.to_node),
			HINT = 'Give two nodes.';
	END IF;
	IF put_transfer.arrives_on < put_transfer.ship_on THEN
		RAISE EXCEPTION USING ERRCODE = 'RT016',
			MESSAGE = format('arrives_on %s is before ship_on %s', put_transfer.arrives_on, put_transfer.ship_on),
			HINT = 'Give the day on which it arrives.';
	END IF;
	IF put_transfer.priority IS NULL OR put_transfer.priority NOT BETWEEN 1 AND 9 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011', MESSAGE = format('priority %s is out of range', coalesce(put_transfer.priority::text, 'null')),
			HINT = 'Priorities are from 1 to 9, 1 is best.';
	END IF;
	INSERT INTO routing.demand AS d (tenant_id, ref, item, node, to_node, quantity, needed_on, arrives_on, kind, priority)
	VALUES (tenant, put_transfer.ref, put_transfer.item, put_transfer.from_node, put_transfer.to_node, put_transfer.quantity,
			put_transfer.ship_on, put_transfer.arrives_on, 'transfer', put_transfer.priority)
	ON CONFLICT (tenant_id, ref) DO UPDATE
	SET item = excluded.item, node = excluded.node, to_node = excluded.to_node, quantity = excluded.quantity,
		needed_on = excluded.needed_on, arrives_on = excluded.arrives_on, priority = excluded.priority
	WHERE (d.item, d.node, d.to_node, d.quantity, d.needed_on, d.arrives_on, d.priority) IS DISTINCT FROM
		  (excluded.item, excluded.node, excluded.to_node, excluded.quantity, excluded.needed_on, excluded.arrives_on,
		   excluded.priority);
END
$$;
COMMENT ON FUNCTION routing.put_transfer(text, text, text, text, numeric, date, date, int) IS
	'says what goes from one node to another: booked at the source at commit, and what is covered there is inbound supply at the destination';

CREATE FUNCTION routing.end_transfer(tenant_id int, ref text) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM routing.demand d
	WHERE d.tenant_id = $1 AND d.ref = $2 AND d.kind = 'transfer' AND d.shipped >= d.quantity AND d.received >= d.shipped
$$;
COMMENT ON FUNCTION routing.end_transfer(int, text) IS 'forgets a transfer that was shipped and received in full';

CREATE FUNCTION routing.cancel_demand(ref text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	d		routing.demand;
BEGIN
	PERFORM routing.check_text('ref', cancel_demand.ref);
	SELECT * INTO d FROM routing.demand x WHERE x.tenant_id = tenant AND x.ref = cancel_demand.ref FOR UPDATE;
	IF NOT FOUND THEN
		IF EXISTS (SELECT FROM routing.reservation r WHERE r.tenant_id = tenant AND r.order_id = 'demand:' || cancel_demand.ref) THEN
			RETURN false;
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'RT046', MESSAGE = format('demand "%s" is unknown', cancel_demand.ref),
			HINT = 'Give the ref of a row of routing.demand.';
	END IF;
	IF d.shipped = 0 THEN
		DELETE FROM routing.demand x WHERE x.tenant_id = tenant AND x.ref = cancel_demand.ref;
		RETURN true;
	END IF;
	-- what is under way still arrives
	UPDATE routing.demand x SET quantity = x.shipped
	WHERE x.tenant_id = tenant AND x.ref = cancel_demand.ref AND x.quantity > x.shipped;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION routing.cancel_demand(text) IS
	'gives back what the demand has booked; of a transfer what has not been shipped; false if there was nothing to cancel';

CREATE FUNCTION routing.confirm_transfer_shipped(ref text, quantity numeric, reference text, lot text DEFAULT '',
												 moved_at timestamptz DEFAULT now()) RETURNS numeric
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	of_lot	text := coalesce(confirm_transfer_shipped.lot, '');
	what	text;
	d		routing.demand;
	told	boolean;
	tolerance	numeric;
BEGIN
	PERFORM routing.check_text('ref', confirm_transfer_shipped.ref);
	PERFORM routing.check_quantity('quantity', confirm_transfer_shipped.quantity, 0.0001);
	PERFORM routing.check_text('reference', confirm_transfer_shipped.reference);
	PERFORM routing.check_moved_at('moved_at', confirm_transfer_shipped.moved_at);
	-- where a feed tells stock, the movement is none of ours and has no quantity
	what := format('transfer shipped: %s', trim_scale(confirm_transfer_shipped.quantity));
	SELECT * INTO d FROM routing.demand x
	WHERE x.tenant_id = tenant AND x.ref = confirm_transfer_shipped.ref AND x.kind = 'transfer' FOR NO KEY UPDATE;
	IF NOT routing.reference_is_new(tenant, confirm_transfer_shipped.reference, 'issue', NULL, NULL, of_lot, NULL,
									confirm_transfer_shipped.ref, what) THEN
		RETURN coalesce(trim_scale(greatest(d.quantity - d.shipped, 0)), 0);
	END IF;
	IF d.ref IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT046', MESSAGE = format('transfer "%s" is unknown', confirm_transfer_shipped.ref),
			HINT = 'Give the ref of a transfer in routing.demand that is not complete.';
	END IF;
	SELECT t.receipt_tolerance INTO tolerance FROM routing.setting t WHERE t.tenant_id = tenant;
	IF d.shipped + confirm_transfer_shipped.quantity > d.quantity * (1 + coalesce(tolerance, 0.05)) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT044',
			MESSAGE = format('transfer "%s": %s shipped and %s more is too much for %s ordered', confirm_transfer_shipped.ref,
							 trim_scale(d.shipped), trim_scale(confirm_transfer_shipped.quantity), trim_scale(d.quantity)),
			HINT = 'Correct the transfer with put_transfer() first.';
	END IF;
	SELECT n.stock_feed INTO told FROM routing.node n WHERE n.tenant_id = tenant AND n.node = d.node;
	PERFORM routing.record_movement(tenant, confirm_transfer_shipped.reference, 'issue', d.item, d.node, of_lot,
									CASE WHEN told THEN 0 ELSE - confirm_transfer_shipped.quantity END, d.ref, what,
									confirm_transfer_shipped.moved_at);
	UPDATE routing.demand x SET shipped = x.shipped + confirm_transfer_shipped.quantity
	WHERE x.tenant_id = tenant AND x.ref = d.ref;
	PERFORM routing.end_transfer(tenant, d.ref);
	IF NOT told THEN
		PERFORM routing.add_on_hand(tenant, d.item, d.node, of_lot, - confirm_transfer_shipped.quantity);
	END IF;
	RETURN trim_scale(greatest(d.quantity - d.shipped - confirm_transfer_shipped.quantity, 0));
END
$$;
COMMENT ON FUNCTION routing.confirm_transfer_shipped(text, numeric, text, text, timestamptz) IS
	'part of a transfer has left: stock on hand falls and its booking ends, or is issued until a feed tells the fall; once per reference; returns what is still to ship';
