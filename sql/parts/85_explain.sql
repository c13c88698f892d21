-- why an order went where it went

CREATE FUNCTION routing.money_text(amount numeric) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN scale(trim_scale(amount)) <= 2 THEN round(amount, 2)::text ELSE trim_scale(amount)::text END;
COMMENT ON FUNCTION routing.money_text(numeric) IS 'an amount with at least two decimals';

CREATE FUNCTION routing.day_text(day date) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE STRICT SET search_path = pg_catalog, pg_temp
	RETURN to_char(day, 'Dy FMDD Mon');
COMMENT ON FUNCTION routing.day_text(date) IS 'a day as explanations write it';

CREATE FUNCTION routing.shipments_text(plan jsonb) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	RETURN (SELECT string_agg(format('%s %s %s', s ->> 'node', s ->> 'service',
									 routing.day_text((s ->> 'ship_on')::date)), ' + ' ORDER BY n)
			FROM jsonb_array_elements(plan -> 'shipments') WITH ORDINALITY AS x(s, n));
COMMENT ON FUNCTION routing.shipments_text(jsonb) IS 'the shipments of a recorded plan in one line';

CREATE FUNCTION routing.term_text(term text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT SET search_path = pg_catalog, pg_temp
	RETURN CASE term WHEN 'split' THEN 'split penalty' WHEN 'backorder' THEN 'backorder penalty'
					 WHEN 'capacity' THEN 'capacity price' WHEN 'goods' THEN 'cost of goods'
					 WHEN 'risk' THEN 'risk of delay' WHEN 'balance' THEN 'stock balance' ELSE term END;
COMMENT ON FUNCTION routing.term_text(text) IS 'a cost term as explanations write it';

CREATE FUNCTION routing.cost_text(plan jsonb) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	terms	text[] := '{}';
	s		jsonb := plan -> 'shipments' -> 0;
	term	text;
BEGIN
	FOREACH term IN ARRAY ARRAY['handling', 'preference', 'distance', 'capacity', 'freight', 'split',
							   'lateness', 'goods', 'custom', 'substitution', 'risk', 'balance', 'backorder']
	LOOP
		CONTINUE WHEN coalesce((plan ->> term)::numeric, 0) = 0;
		terms := terms || format('%s %s', routing.term_text(term),
								 routing.money_text((plan ->> term)::numeric));
		IF term = 'freight' AND jsonb_array_length(plan -> 'shipments') = 1 THEN
			terms[cardinality(terms)] := terms[cardinality(terms)] ||
				format(' (%s + %s kg x %s)', CASE WHEN s ? 'joins' THEN 'joins an open shipment'
					   ELSE 'base ' || routing.money_text(coalesce(s ->> 'base', '0')::numeric) END, coalesce(s ->> 'kg', '0'),
					   routing.money_text(coalesce(s ->> 'per_kg', '0')::numeric));
		END IF;
	END LOOP;
	RETURN coalesce(array_to_string(terms, ' + '), '');
END
$$;
COMMENT ON FUNCTION routing.cost_text(jsonb) IS 'the cost terms of a recorded plan that are not zero';

CREATE FUNCTION routing.dearer_text(plan jsonb, than jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	RETURN (SELECT string_agg(routing.term_text(term), ', ' ORDER BY n)
			FROM unnest(ARRAY['handling', 'preference', 'distance', 'capacity', 'freight', 'split', 'lateness', 'goods',
							  'custom', 'substitution', 'risk', 'balance', 'backorder']) WITH ORDINALITY x(term, n)
			WHERE coalesce((plan ->> term)::numeric, 0) > coalesce((than ->> term)::numeric, 0));
COMMENT ON FUNCTION routing.dearer_text(jsonb, jsonb) IS 'the cost terms in which one recorded plan costs more than another';

CREATE FUNCTION routing.record_detail(tenant_id int, record bytea, decided_at timestamptz) RETURNS jsonb
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'routing_record_detail';
COMMENT ON FUNCTION routing.record_detail(int, bytea, timestamptz) IS 'the record of a decision as a document';

CREATE FUNCTION routing.decision_detail(decision_id bigint) RETURNS jsonb
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	d	routing.decision;
BEGIN
	SELECT * INTO d FROM routing.decision x
	WHERE x.tenant_id = routing.current_tenant() AND x.decision_id = decision_detail.decision_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT081',
			MESSAGE = format('decision %s is unknown', coalesce(decision_detail.decision_id::text, 'null')),
			HINT = 'Give a decision_id of routing.decision; old ones are removed as the policy says.';
	END IF;
	RETURN routing.record_detail(d.tenant_id, d.record, d.decided_at);
END
$$;
COMMENT ON FUNCTION routing.decision_detail(bigint) IS
	'what a decision knew, considered and chose; plan, runner-up and candidates are computed again from its inputs';

CREATE FUNCTION routing.order_refusals(order_id text, OUT node text, OUT line_no int, OUT item text, OUT reason text)
	RETURNS SETOF record
	LANGUAGE c STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 10 AS 'MODULE_PATHNAME', 'routing_order_refusals';
COMMENT ON FUNCTION routing.order_refusals(text) IS 'nodes that may not serve lines of the order by the rules as they are now, and why';

CREATE FUNCTION routing.explain(order_id text) RETURNS SETOF text
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 20 AS $$
DECLARE
	tenant		int := routing.current_tenant();
	o			routing.sales_order;
	d			routing.decision;
	doc			jsonb;
	plan		jsonb;
	next_plan	jsonb;
	r			record;
	p			record;
	g			record;
	nlines		int;
	served		int;
	last_day	date;
	wanted		date;
	total		numeric;
	n			int := 0;
	prefix		text;
BEGIN
	SELECT * INTO o FROM routing.sales_order so WHERE so.tenant_id = tenant AND so.order_id = explain.order_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT008',
			MESSAGE = format('order %s is unknown', coalesce('"' || explain.order_id || '"', 'null')),
			HINT = 'Give the id of an order in routing.sales_order.';
	END IF;
	IF o.decision_id IS NULL THEN
		RETURN NEXT format('%s  %s  not routed yet', o.order_id, upper(replace(o.status, '_', ' ')));
		RETURN;
	END IF;
	SELECT * INTO d FROM routing.decision x WHERE x.tenant_id = tenant AND x.decision_id = o.decision_id;
	IF NOT FOUND THEN
		RETURN NEXT format('%s  %s  its decision %s is no longer kept', o.order_id,
						   upper(replace(o.status, '_', ' ')), o.decision_id);
		RETURN;
	END IF;
	doc := routing.record_detail(tenant, d.record, d.decided_at);
	plan := doc -> 'plan';
	next_plan := doc -> 'next';
	wanted := o.requested_on;

	-- the result
	SELECT count(*), count(*) FILTER (WHERE NOT l ? 'unserved' AND l ->> 'status' IS DISTINCT FROM 'cancelled') INTO nlines, served
	FROM jsonb_array_elements(doc -> 'lines') l;
	SELECT max((q ->> 'deliver_on')::date) INTO last_day FROM jsonb_array_elements(doc -> 'parts') q;
	SELECT count(DISTINCT (q ->> 'node', q ->> 'service', q ->> 'ship_on')) INTO n
	FROM jsonb_array_elements(doc -> 'parts') q;
	RETURN NEXT format('%s  %s  %s of %s %s%s%s%s', o.order_id, upper(replace(d.status, '_', ' ')), served, nlines,
		CASE nlines WHEN 1 THEN 'line' ELSE 'lines' END,
		CASE n WHEN 0 THEN '' WHEN 1 THEN ', 1 shipment' ELSE format(', %s shipments', n) END,
		coalesce(', arrives ' || routing.day_text(last_day), ''),
		CASE WHEN wanted IS NULL THEN ' (as soon as possible)' WHEN last_day = wanted THEN ' (as requested)'
			 ELSE format(' (requested %s%s)', CASE o.date_basis WHEN 'ship' THEN 'to ship ' ELSE '' END,
						 routing.day_text(wanted)) END);
	IF o.status = 'cancelled' THEN
		RETURN NEXT format('Cancelled since: %s', coalesce(o.reason, 'no reason given'));
	END IF;
	RETURN NEXT format('Decided %s, policy %s v%s, decision %s',
		coalesce(doc ->> 'local', to_char(d.decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')),
		d.policy, d.policy_version, d.decision_id);

	-- what of the policy did not hold
	IF doc ? 'relaxed' THEN
		RETURN NEXT format('Relaxed: %s, for what the first plan left unserved',
						   (SELECT string_agg(x, ', ' ORDER BY k) FROM jsonb_array_elements_text(doc -> 'relaxed') WITH ORDINALITY y(x, k)));
	END IF;
	FOR r IN SELECT x FROM jsonb_array_elements_text(doc -> 'dropped') WITH ORDINALITY y(x, k) ORDER BY k
	LOOP
		RETURN NEXT format('Left out: custom term %s', r.x);
	END LOOP;

	-- the shipments and what is in them
	n := 0;
	FOR r IN SELECT q ->> 'node' AS node, q ->> 'service' AS service, (q ->> 'ship_on')::date AS ship_on,
					(q ->> 'deliver_on')::date AS deliver_on
			 FROM jsonb_array_elements(doc -> 'parts') q GROUP BY 1, 2, 3, 4 ORDER BY 3, 1, 2
	LOOP
		n := n + 1;
		SELECT string_agg(x.what || ' ' || to_char(x.at, 'HH24:MI'), ', ' ORDER BY x.k) AS times INTO g
		FROM (SELECT 1, 'cut-off', coalesce((SELECT pu.cut_off FROM routing.pickup pu WHERE pu.tenant_id = tenant AND pu.node = r.node
											 AND pu.service = r.service AND pu.weekday = extract(isodow FROM r.ship_on)
											 ORDER BY pu.cut_off DESC LIMIT 1),
											(SELECT nd.cut_off FROM routing.node nd WHERE nd.tenant_id = tenant AND nd.node = r.node))
			  UNION ALL
			  SELECT 2, 'pick-up', (SELECT max(pu.pick_up) FROM routing.pickup pu WHERE pu.tenant_id = tenant AND pu.node = r.node
									AND pu.service = r.service AND pu.weekday = extract(isodow FROM r.ship_on))) x (k, what, at)
		WHERE x.at < '24:00';
		RETURN NEXT format('Shipment %s: %s, %s, %s %s; ships %s%s, arrives %s%s', n, r.node, r.service,
			r.deliver_on - r.ship_on, CASE WHEN r.deliver_on - r.ship_on = 1 THEN 'day' ELSE 'days' END,
			routing.day_text(r.ship_on), coalesce(' (' || g.times || ')', ''), routing.day_text(r.deliver_on),
			CASE WHEN EXISTS (SELECT FROM jsonb_array_elements(plan -> 'shipments') s
							  WHERE s ? 'joins' AND s ->> 'node' = r.node AND s ->> 'service' = r.service
								AND (s ->> 'ship_on')::date = r.ship_on) THEN '; joins an open shipment' ELSE '' END);
		FOR p IN SELECT q, l FROM jsonb_array_elements(doc -> 'parts') WITH ORDINALITY y(q, k)
				 JOIN jsonb_array_elements(doc -> 'lines') l ON l -> 'line' = q -> 'line'
				 WHERE q ->> 'node' = r.node AND q ->> 'service' = r.service AND (q ->> 'ship_on')::date = r.ship_on
				 ORDER BY (q ->> 'line')::int, q ->> 'basis' DESC, k
		LOOP
			RETURN NEXT format('  line %s  %s  %s%s%s  %s%s', p.q ->> 'line',
				CASE WHEN p.q ? 'component' THEN format('%s: %s', p.l ->> 'item', p.q ->> 'component')
					 WHEN p.q ? 'substitute' THEN format('%s instead of %s', p.q ->> 'substitute', p.l ->> 'item')
					 ELSE p.l ->> 'item' END,
				p.q ->> 'qty',
				CASE WHEN p.q ? 'ratio' THEN format(' (%s each)', p.q ->> 'ratio')
					 WHEN p.q ->> 'qty' <> p.l ->> 'qty' THEN ' of ' || (p.l ->> 'qty') ELSE '' END,
				CASE WHEN p.q ? 'ratio' THEN '' ELSE ' ' || (p.l ->> 'uom') END,
				CASE p.q ->> 'basis' WHEN 'on_hand' THEN 'on hand' ELSE 'inbound' END,
				CASE WHEN p.q ? 'atp' THEN format('  ATP before %s, after %s', p.q ->> 'atp',
						trim_scale((p.q ->> 'atp')::numeric - (p.q ->> 'qty')::numeric))
					 ELSE '  kept from an earlier decision' END);
			-- what it rests on is computed now, not recorded
			FOR g IN SELECT x.ref, x.available_on, sum(x.quantity) AS quantity
					 FROM routing.pegging(order_id => o.order_id) x
					 WHERE p.q ->> 'basis' = 'inbound' AND x.order_id = o.order_id AND x.line_no = (p.q ->> 'line')::int
					   AND x.node = r.node AND x.ref <> ''
					   AND x.item = coalesce(p.q ->> 'component', p.q ->> 'substitute', p.l ->> 'item')
					 GROUP BY 1, 2 ORDER BY 2, 1
			LOOP
				RETURN NEXT format('    rests now on %s of %s, stock from %s', g.quantity, g.ref, routing.day_text(g.available_on));
			END LOOP;
		END LOOP;
	END LOOP;
	FOR r IN SELECT l FROM jsonb_array_elements(doc -> 'lines') l WHERE l ? 'reason' ORDER BY (l ->> 'line')::int
	LOOP
		RETURN NEXT format('%s: line %s  %s  %s', CASE r.l ->> 'status' WHEN 'cancelled' THEN 'Cancelled' ELSE 'Backordered' END, r.l ->> 'line', r.l ->> 'item', r.l ->> 'reason');
		FOR g IN SELECT c.node, c.rank, (SELECT count(*) FROM routing.claim b
										WHERE b.tenant_id = tenant AND b.item = c.item AND b.node = c.node
										  AND (b.rank, b.claimed_at) < (c.rank, c.claimed_at)) AS ahead
				 FROM routing.claim c
				 WHERE c.tenant_id = tenant AND c.order_id = o.order_id AND c.line_no = (r.l ->> 'line')::int
		LOOP
			RETURN NEXT format('  waits at %s with rank %s, %s in the queue before it', g.node, g.rank, g.ahead);
		END LOOP;
	END LOOP;
	IF plan IS NULL THEN
		RETURN;
	END IF;

	-- the money
	total := (plan ->> 'total')::numeric;
	IF jsonb_array_length(plan -> 'shipments') > 1 THEN
		FOR r IN SELECT s, k FROM jsonb_array_elements(plan -> 'shipments') WITH ORDINALITY x(s, k) ORDER BY k
		LOOP
			RETURN NEXT format('  %s %s: handling %s + freight %s (%s + %s kg x %s)%s', r.s ->> 'node', r.s ->> 'service',
				routing.money_text(coalesce(r.s ->> 'handling', '0')::numeric),
				routing.money_text(coalesce(r.s ->> 'base', '0')::numeric + coalesce(r.s ->> 'by_weight', '0')::numeric),
				CASE WHEN r.s ? 'joins' THEN 'joins an open shipment'
					 ELSE 'base ' || routing.money_text(coalesce(r.s ->> 'base', '0')::numeric) END, coalesce(r.s ->> 'kg', '0'),
				routing.money_text(coalesce(r.s ->> 'per_kg', '0')::numeric),
				CASE WHEN r.s ? 'split'
					 THEN ' + split penalty ' || routing.money_text((r.s ->> 'split')::numeric) ELSE '' END);
		END LOOP;
	END IF;
	RETURN NEXT format('Cost %s %s = %s', routing.money_text(total), doc ->> 'currency', routing.cost_text(plan));

	-- why it is split: the best nodes and what they lack
	IF jsonb_array_length(plan -> 'shipments') > 1 THEN
		SELECT c ->> 'node' AS node, (c ->> 'total')::numeric AS total INTO r
		FROM jsonb_array_elements(doc -> 'candidates') c WHERE c ? 'total' AND NOT c ? 'relaxed' ORDER BY 2, 1 LIMIT 1;
		IF FOUND THEN
			RETURN NEXT format('Why split: one shipment from %s would cost %s (+%s)', r.node,
							   routing.money_text(r.total), routing.money_text(r.total - total));
		ELSE
			RETURN NEXT 'Why split: no node that was read has all lines on the days they are needed';
		END IF;
	END IF;
	-- the rules about what goes together, where they had a say
	FOR r IN SELECT x.rule, x.decided FROM (VALUES
			(1, doc -> 'split_rule', 'Split rule'),
			(2, doc -> 'completeness', format('Completeness %s', doc #>> '{completeness,rule}'))) x (k, decided, rule)
			 WHERE x.decided IS NOT NULL ORDER BY x.k
	LOOP
		g := NULL;
		SELECT concat_ws(', ', 'each part of a line ' || (r.decided ->> 'quantity') || ' at least',
						 'all parts worth ' || routing.money_text((r.decided ->> 'value')::numeric) || ' at least' ||
						 coalesce(' (' || (SELECT string_agg(routing.money_text(v::numeric), ' and ' ORDER BY k)
										   FROM jsonb_array_elements_text(r.decided -> 'worth') WITH ORDINALITY y(v, k)) || ')', '')) AS least INTO g;
		IF r.decided ? 'without' THEN
			RETURN NEXT format('%s decided%s; without it %s  %s (-%s)', r.rule, coalesce(': ' || nullif(g.least, ''), ''),
				coalesce(routing.shipments_text(r.decided -> 'without'), 'nothing shipped'),
				routing.money_text((r.decided #>> '{without,total}')::numeric),
				routing.money_text(total - (r.decided #>> '{without,total}')::numeric));
		ELSE
			RETURN NEXT format('%s met: %s', r.rule, g.least);
		END IF;
	END LOOP;
	IF next_plan IS NOT NULL THEN
		RETURN NEXT format('Next best: %s  %s (+%s%s) = %s',
			coalesce(routing.shipments_text(next_plan), 'nothing shipped'),
			routing.money_text((next_plan ->> 'total')::numeric),
			routing.money_text((next_plan ->> 'total')::numeric - total),
			coalesce(': ' || routing.dearer_text(next_plan, plan), ''), routing.cost_text(next_plan));
	END IF;
	prefix := 'Rejected:  ';
	FOR r IN SELECT c FROM jsonb_array_elements(doc -> 'candidates') WITH ORDINALITY x(c, k)
			 WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(plan -> 'shipments') s WHERE s -> 'node' = c -> 'node')
				OR c ? 'short_line'
			 ORDER BY k
	LOOP
		RETURN NEXT prefix || CASE
			WHEN r.c ? 'total' THEN format('%s  dearer: %s (+%s), arrives %s', r.c ->> 'node',
				routing.money_text((r.c ->> 'total')::numeric), routing.money_text((r.c ->> 'total')::numeric - total),
				routing.day_text((r.c ->> 'deliver_on')::date))
			WHEN r.c ? 'short_line' THEN format('%s  line %s %s short: ATP %s of %s on %s%s', r.c ->> 'node',
				r.c ->> 'short_line', r.c ->> 'item', r.c ->> 'atp', r.c ->> 'needed',
				routing.day_text((r.c ->> 'on')::date),
				coalesce(', enough from ' || routing.day_text((r.c ->> 'complete_on')::date), ''))
			ELSE format('%s  serves no line', r.c ->> 'node') END;
		prefix := '           ';
	END LOOP;
	FOR r IN SELECT f.node, string_agg(format('line %s %s', f.line_no, f.reason), ', ' ORDER BY f.line_no) AS reasons
			 FROM routing.order_refusals(o.order_id) f
			 WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(doc -> 'candidates') c WHERE c ->> 'node' = f.node)
			 GROUP BY f.node ORDER BY f.node LIMIT 6
	LOOP
		RETURN NEXT format('%s%s  %s', prefix, r.node, r.reasons);
		prefix := '           ';
	END LOOP;
	FOR r IN SELECT x FROM jsonb_array_elements(doc -> 'skipped') WITH ORDINALITY s(x, k) ORDER BY k LIMIT 6
	LOOP
		RETURN NEXT format('%s%s %s  %s', prefix, r.x ->> 'node', r.x ->> 'service', r.x ->> 'reason');
		prefix := '           ';
	END LOOP;
	IF jsonb_array_length(doc -> 'skipped') > 6 THEN
		RETURN NEXT '           and further lanes that could not be used';
	END IF;
	IF doc ? 'unread' THEN
		RETURN NEXT format('Not read:  %s %s; %s', doc ->> 'unread', CASE doc ->> 'unread' WHEN '1' THEN 'node' ELSE 'nodes' END,
						   CASE WHEN (doc ->> 'unread_bound')::numeric > 1e14 THEN 'none can serve any of it'
								ELSE 'none can cost less than ' || routing.money_text((doc ->> 'unread_bound')::numeric) END);
	END IF;
	IF doc ? 'unstocked' THEN
		RETURN NEXT format('%s%s with nothing of the order', CASE WHEN doc ? 'unread' THEN '           ' ELSE 'Not read:  ' END,
						   CASE doc ->> 'unstocked' WHEN '1' THEN '1 node' ELSE (doc ->> 'unstocked') || ' nodes' END);
	END IF;
	IF doc ? 'gap' THEN
		RETURN NEXT format('Not proved to be the cheapest; no plan can be cheaper by more than %s',
						   routing.money_text((doc ->> 'gap')::numeric));
	END IF;
	-- what would have let the best of the others in
	SELECT c ->> 'node' INTO prefix FROM jsonb_array_elements(doc -> 'candidates') WITH ORDINALITY x(c, k)
	WHERE c ? 'short_line' AND NOT EXISTS (SELECT FROM jsonb_array_elements(plan -> 'shipments') s WHERE s -> 'node' = c -> 'node')
	ORDER BY (c ->> 'bound')::numeric, k LIMIT 1;
	IF FOUND THEN
		SELECT string_agg(w.change, ', or ' ORDER BY w.n) AS changes INTO g
		FROM (SELECT y.*, row_number() OVER () AS n FROM routing.why_not(o.order_id, prefix) y WHERE y.wins) w
		WHERE w.n <= 3;
		IF g.changes IS NOT NULL THEN
			RETURN NEXT format('Smallest change that lets %s win: %s', prefix, g.changes);
		END IF;
	END IF;
	IF doc ? 'contended' THEN
		RETURN NEXT 'Other orders were faster at some nodes while this one was decided';
	END IF;
END
$$;
COMMENT ON FUNCTION routing.explain(text) IS
	'why the order went where it went: result, shipments, cost, runner-up, rejected and unread nodes';

CREATE FUNCTION routing.explain_rows(order_id text)
	RETURNS TABLE (node text, rank int, outcome text, reason text, service text, bound numeric, handling numeric, preference numeric,
				   distance numeric, capacity numeric, freight numeric, split numeric, lateness numeric, goods numeric, custom numeric, substitution numeric,
				   risk numeric, balance numeric, backorder numeric, total numeric, margin numeric, deliver_on date, known text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 50 AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	o		routing.sales_order;
	d		routing.decision;
	doc		jsonb;
	best	numeric;
	c		record;
	n		int := 0;
	bare	text[] := '{}';
BEGIN
	SELECT * INTO o FROM routing.sales_order so WHERE so.tenant_id = tenant AND so.order_id = explain_rows.order_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT008',
			MESSAGE = format('order %s is unknown', coalesce('"' || explain_rows.order_id || '"', 'null')),
			HINT = 'Give the id of an order in routing.sales_order.';
	END IF;
	SELECT * INTO d FROM routing.decision x WHERE x.tenant_id = tenant AND x.decision_id = o.decision_id;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	doc := routing.record_detail(tenant, d.record, d.decided_at);
	best := (doc -> 'plan' ->> 'total')::numeric;

	-- what was read: the plan's own nodes first, then whole ones by their cost, then the others
	FOR c IN SELECT x, EXISTS (SELECT FROM jsonb_array_elements(doc -> 'plan' -> 'shipments') s
							   WHERE s -> 'node' = x -> 'node') AS chosen
			 FROM jsonb_array_elements(doc -> 'candidates') WITH ORDINALITY y(x, k)
			 ORDER BY 2 DESC, (x ->> 'total')::numeric NULLS LAST, k
	LOOP
		n := n + 1;
		node := c.x ->> 'node';
		rank := n;
		outcome := CASE WHEN c.chosen THEN 'chosen' WHEN c.x ? 'total' THEN 'feasible' ELSE 'rejected' END;
		reason := CASE
			WHEN c.x ? 'short_line' THEN format('line %s %s short: ATP %s of %s on %s%s', c.x ->> 'short_line', c.x ->> 'item',
				c.x ->> 'atp', c.x ->> 'needed', c.x ->> 'on', coalesce(', enough from ' || (c.x ->> 'complete_on'), ''))
			WHEN NOT c.x ? 'total' THEN coalesce(
				(SELECT string_agg(f, ', ') FROM jsonb_array_elements_text(c.x -> 'failed') f), 'no shipment of it can carry all lines')
			WHEN NOT c.chosen THEN 'dearer' END;
		service := CASE WHEN c.chosen THEN (SELECT string_agg(DISTINCT s ->> 'service', ', ')
											FROM jsonb_array_elements(doc -> 'plan' -> 'shipments') s WHERE s -> 'node' = c.x -> 'node')
						ELSE c.x ->> 'service' END;
		bound := (c.x ->> 'bound')::numeric;
		SELECT q.handling, q.preference, q.distance, q.capacity, q.freight, q.split, q.lateness, q.goods, q.custom, q.substitution, q.risk, q.balance, q.backorder,
			   q.total, q.deliver_on
		INTO handling, preference, distance, capacity, freight, split, lateness, goods, custom, substitution, risk, balance, backorder, total, deliver_on
		FROM jsonb_to_record(c.x) AS q(handling numeric, preference numeric, distance numeric, capacity numeric, freight numeric,
									   split numeric, lateness numeric, goods numeric, custom numeric, substitution numeric, risk numeric, balance numeric,
									   backorder numeric, total numeric, deliver_on date);
		margin := total - best;
		known := 'then';
		RETURN NEXT;
	END LOOP;
	SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	INTO handling, preference, distance, capacity, freight, split, lateness, goods, custom, substitution, risk, balance, backorder, total, margin, deliver_on;
	FOR c IN SELECT x FROM jsonb_array_elements(doc -> 'skipped') x
	LOOP
		node := c.x ->> 'node';
		rank := NULL;
		outcome := 'not used';
		reason := c.x ->> 'reason';
		service := c.x ->> 'service';
		bound := NULL;
		known := 'then';
		RETURN NEXT;
	END LOOP;
	service := NULL;

	-- what had nothing of the order is recorded as a number: those that have no position of it now
	IF doc ? 'unstocked' THEN
		SELECT coalesce(array_agg(nd.node), '{}') INTO bare
		FROM routing.node nd
		WHERE nd.tenant_id = tenant AND nd.status = 'open'
		  AND EXISTS (SELECT FROM routing.lane l WHERE l.tenant_id = tenant AND l.node = nd.node AND l.zone = doc ->> 'zone')
		  AND NOT EXISTS (SELECT FROM jsonb_array_elements(doc -> 'candidates') x WHERE x ->> 'node' = nd.node)
		  AND NOT EXISTS (
			SELECT FROM jsonb_array_elements(doc -> 'lines') l
			CROSS JOIN LATERAL (
				SELECT l ->> 'item'
				UNION SELECT k.component FROM routing.item_component k WHERE k.tenant_id = tenant AND k.item = l ->> 'item'
				UNION SELECT s.substitute FROM routing.item_substitute s WHERE s.tenant_id = tenant AND s.item = l ->> 'item') i (item)
			JOIN routing.position p ON p.tenant_id = tenant AND p.item = i.item AND p.node = nd.node);
	END IF;

	-- what was not: the bound holds for each of them; that they exist is known now
	FOR c IN SELECT nd.node, nd.status, f.reasons FROM routing.node nd
			 LEFT JOIN (SELECT r.node, string_agg(format('line %s: %s', r.line_no, r.reason), '; ' ORDER BY r.line_no) AS reasons
						FROM routing.order_refusals(o.order_id) r GROUP BY 1) f ON f.node = nd.node
			 WHERE nd.tenant_id = tenant
			   AND NOT EXISTS (SELECT FROM jsonb_array_elements(doc -> 'candidates') x WHERE x ->> 'node' = nd.node)
			   AND NOT EXISTS (SELECT FROM jsonb_array_elements(doc -> 'skipped') x WHERE x ->> 'node' = nd.node)
			 ORDER BY nd.rank, nd.node
	LOOP
		node := c.node;
		rank := NULL;
		bound := NULL;
		IF c.status <> 'open' THEN
			outcome := 'rejected';
			reason := 'node is closed';
			known := 'now';
		ELSIF NOT EXISTS (SELECT FROM routing.lane l WHERE l.tenant_id = tenant AND l.node = c.node AND l.zone = doc ->> 'zone') THEN
			outcome := 'rejected';
			reason := format('no lane to zone %s', doc ->> 'zone');
			known := 'now';
		ELSIF c.reasons IS NOT NULL THEN
			outcome := 'rejected';
			reason := c.reasons;
			known := 'now';
		ELSIF c.node = ANY (bare) THEN
			outcome := 'not read';
			reason := 'nothing of the order is there';
			known := 'now';
		ELSE
			outcome := 'not read';
			bound := (doc ->> 'unread_bound')::numeric;
			IF NOT doc ? 'unread' THEN
				reason := 'nothing of the order was there';
			ELSIF bound > 1e14 THEN
				-- the bound of what can serve nothing
				bound := NULL;
				reason := 'it can serve no line';
			ELSE
				reason := format('no plan using it can cost less than %s%s', bound,
								 CASE WHEN (doc ->> 'unstocked')::int > cardinality(bare) THEN ', or it had nothing of the order' END);
			END IF;
			known := 'then';
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION routing.explain_rows(text) IS
	'every node and what became of it in the order''s decision: cost by term of a single shipment from it, the reason it was rejected, or the bound that made reading it needless';
