-- carriers: reports of failure and success, and what follows from them

/*
 * A breaker per service and node.  It opens after failure_limit failures
 * within failure_window without a success in between; from retry_at on the
 * service may be used again, which nobody has to note: who reads looks at the
 * clock.  The next failure opens it again for twice the time, a success closes
 * it.  Reports lock the row of service_state, after that of their reference.
 */
CREATE FUNCTION routing.report_service(tenant_id int, service text, node text, success boolean, reason text, reference text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	at		timestamptz := routing.engine_now();
	place	text := coalesce(report_service.node, '');
	ref		text := coalesce(report_service.reference, gen_random_uuid()::text);
	rules	routing.service;
	was		routing.service_report;
	b		routing.service_state;
	n		int;
BEGIN
	PERFORM routing.check_text('service', report_service.service);
	IF report_service.reference = '' THEN
		PERFORM routing.check_text('reference', '');
	END IF;
	SELECT * INTO rules FROM routing.service s
	WHERE s.tenant_id = report_service.tenant_id AND s.service = report_service.service;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT092', MESSAGE = format('service "%s" is unknown', report_service.service),
			HINT = 'Insert it into routing.service first, or correct the code.';
	END IF;
	IF place <> '' AND NOT EXISTS (SELECT FROM routing.node x WHERE x.tenant_id = report_service.tenant_id AND x.node = place) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT002', MESSAGE = format('node "%s" is unknown', place),
			HINT = 'Insert it into routing.node first, correct the code, or leave it out for every node.';
	END IF;

	INSERT INTO routing.service_report (tenant_id, reference, service, node, success, reason, reported_at)
	VALUES (report_service.tenant_id, ref, report_service.service, place, report_service.success,
			coalesce(report_service.reason, ''), at)
	ON CONFLICT (tenant_id, reference) DO NOTHING;
	IF NOT FOUND THEN
		SELECT * INTO was FROM routing.service_report x WHERE x.tenant_id = report_service.tenant_id AND x.reference = ref;
		IF (was.service, was.node, was.success) IS DISTINCT FROM (report_service.service, place, report_service.success) THEN
			RAISE EXCEPTION USING ERRCODE = 'RT040',
				MESSAGE = format('reference "%s" was used for a %s of service "%s" at %s', ref,
								 CASE WHEN was.success THEN 'success' ELSE 'failure' END, was.service,
								 CASE was.node WHEN '' THEN 'every node' ELSE format('node "%s"', was.node) END),
				HINT = 'Give each report a reference of its own; a repeated call must repeat everything.';
		END IF;
		RETURN coalesce((SELECT x.state FROM routing.service_state x
						 WHERE x.tenant_id = report_service.tenant_id AND x.service = report_service.service AND x.node = place),
						'closed');
	END IF;

	INSERT INTO routing.service_state (tenant_id, service, node)
	VALUES (report_service.tenant_id, report_service.service, place) ON CONFLICT DO NOTHING;
	SELECT * INTO b FROM routing.service_state x
	WHERE x.tenant_id = report_service.tenant_id AND x.service = report_service.service AND x.node = place
	FOR NO KEY UPDATE;
	DELETE FROM routing.service_report x
	WHERE x.tenant_id = report_service.tenant_id AND x.service = report_service.service AND x.node = place
	  AND x.reported_at < at - interval '30 days';

	IF report_service.success THEN
		IF b.state = 'open' THEN
			UPDATE routing.service_wait w SET retry_at = at WHERE w.tenant_id = report_service.tenant_id AND w.retry_at > at;
		END IF;
		b.state := 'closed';
		b.failures := 0;
		b.opened_at := NULL;
		b.retry_at := NULL;
		b.wait := NULL;
		b.reason := '';
		UPDATE routing.service_report x SET counts = false
		WHERE x.tenant_id = report_service.tenant_id AND x.service = report_service.service AND x.node = place AND x.counts;
	ELSE
		SELECT count(*) INTO n FROM routing.service_report x
		WHERE x.tenant_id = report_service.tenant_id AND x.service = report_service.service AND x.node = place
		  AND x.counts AND x.reported_at > at - rules.failure_window;
		b.failures := n;
		IF b.state = 'open' AND b.retry_at <= at THEN
			-- the trial failed
			b.wait := least(b.wait * 2, greatest(rules.retry_max, rules.retry_after));
			b.retry_at := at + b.wait;
			b.reason := coalesce(report_service.reason, '');
		ELSIF b.state = 'closed' AND n >= rules.failure_limit THEN
			b.state := 'open';
			b.opened_at := at;
			b.wait := rules.retry_after;
			b.retry_at := at + b.wait;
			b.reason := coalesce(report_service.reason, '');
		END IF;
	END IF;
	UPDATE routing.service_state x
	SET state = b.state, failures = b.failures, reason = b.reason, opened_at = b.opened_at, retry_at = b.retry_at,
		wait = b.wait
	WHERE x.tenant_id = report_service.tenant_id AND x.service = report_service.service AND x.node = place;
	RETURN b.state;
END
$$;
COMMENT ON FUNCTION routing.report_service(int, text, text, boolean, text, text) IS
	'notes a report about a service at a node and sets its circuit breaker; the state after that';

CREATE FUNCTION routing.report_service_failure(service text, node text DEFAULT NULL, reason text DEFAULT '',
											   reference text DEFAULT NULL) RETURNS text
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT routing.report_service(routing.current_tenant(), service, node, false, reason, reference)
$$;
COMMENT ON FUNCTION routing.report_service_failure(text, text, text, text) IS
	'a carrier service failed (no label, no pick-up) at a node, or, without one, everywhere; after too many it is not used there for a while';

CREATE FUNCTION routing.report_service_success(service text, node text DEFAULT NULL, reference text DEFAULT NULL) RETURNS text
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT routing.report_service(routing.current_tenant(), service, node, true, NULL, reference)
$$;
COMMENT ON FUNCTION routing.report_service_success(text, text, text) IS
	'a carrier service works at a node: what kept it from being used there is over';

CREATE VIEW routing.service_health WITH (security_invoker = true) AS
	SELECT b.tenant_id, b.service, b.node,
		   CASE WHEN b.state = 'closed' THEN 'closed' WHEN b.retry_at <= routing.engine_now() THEN 'half_open'
				ELSE 'open' END AS state,
		   b.failures, b.reason, b.opened_at, b.retry_at
	FROM routing.service_state b;
COMMENT ON VIEW routing.service_health IS
	'circuit breakers of carrier services as things are now: closed (used), open (not used), half_open (tried again); node empty: everywhere';

CREATE FUNCTION routing.doctor_network(OUT severity text, OUT subject text, OUT problem text, OUT remedy text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
	SELECT 'warning', format('service %s at %s', h.service, CASE h.node WHEN '' THEN 'every node' ELSE 'node ' || h.node END),
		   format('it is %s since %s%s, tried again %s', CASE h.state WHEN 'open' THEN 'not used' ELSE 'on trial' END,
				  date_trunc('second', h.opened_at), CASE h.reason WHEN '' THEN '' ELSE ': ' || h.reason END,
				  CASE h.state WHEN 'open' THEN 'from ' || date_trunc('second', h.retry_at) ELSE 'now' END),
		   'SELECT routing.report_service_success(service, node) when it works'
	FROM routing.service_health h WHERE h.state <> 'closed' AND routing.is_member(h.tenant_id)
	UNION ALL
	SELECT 'warning', format('service %s at node %s', l.service, l.node),
		   format('%s %s, but it picks up at other nodes only', count(*), CASE count(*) WHEN 1 THEN 'lane uses it' ELSE 'lanes use it' END),
		   'insert its days into routing.pickup, or delete the lanes'
	FROM routing.lane l
	WHERE routing.is_member(l.tenant_id)
	  AND EXISTS (SELECT FROM routing.pickup p WHERE p.tenant_id = l.tenant_id AND p.service = l.service)
	  AND NOT EXISTS (SELECT FROM routing.pickup p WHERE p.tenant_id = l.tenant_id AND p.service = l.service AND p.node = l.node)
	GROUP BY l.tenant_id, l.service, l.node
	UNION ALL
	SELECT 'warning', format('calendar %s', c.calendar), 'it has no weekdays and no open day from today on',
		   'insert open days into routing.calendar_day'
	FROM routing.calendar c
	WHERE cardinality(c.weekdays) = 0 AND routing.is_member(c.tenant_id)
	  AND NOT EXISTS (SELECT FROM routing.calendar_day d WHERE d.tenant_id = c.tenant_id AND d.calendar = c.calendar
					  AND d.open AND d.day >= (routing.engine_now() AT TIME ZONE 'UTC')::date)
$$;
COMMENT ON FUNCTION routing.doctor_network() IS 'what is set up wrongly in the network, for doctor()';
