-- doctor: consumers of events that fall behind, and retention that would drop what they have not read

CREATE FUNCTION routing.doctor_consumers(OUT severity text, OUT subject text, OUT problem text, OUT remedy text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 5 AS $$
	WITH setting AS MATERIALIZED (
		-- a session that has not loaded the library yet does not know its settings
		SELECT coalesce(current_setting('routing.event_retention', true), '30')::int AS days,
			   coalesce(current_setting('routing.event_retention_max', true), '90')::int AS max_days
	), half AS MATERIALIZED (
		SELECT (routing.engine_now() AT TIME ZONE 'UTC')::date - s.days / 2 AS day FROM setting s WHERE s.days > 0
	)
	SELECT 'warning', 'routing.event_retention_max',
		   format('it is %s days, less than routing.event_retention with %s: events are dropped after %s days whether they were read or not',
				  s.max_days, s.days, s.days),
		   'set routing.event_retention_max to more than routing.event_retention, or to 0'
	FROM setting s WHERE s.days > 0 AND s.max_days > 0 AND s.max_days < s.days
	UNION ALL
	SELECT 'warning', format('consumer %s', c.consumer),
		   format('it has not read all events before %s%s', h.day,
				  CASE WHEN s.max_days > 0 THEN format('; after %s days they are dropped', greatest(s.days, s.max_days)) END),
		   format('see routing.consumer_status(%L); let it read, or SELECT routing.consumer_unregister(%L)', c.consumer, c.consumer)
	FROM setting s, half h, routing.consumer c
	WHERE routing.is_member(c.tenant_id) AND routing.consumer_unread_since(c, h.day)
	UNION ALL
	SELECT 'warning', format('consumer %s', d.consumer),
		   format('it has %s, the oldest since %s: %s', CASE count(*) WHEN 1 THEN '1 dead letter' ELSE count(*) || ' dead letters' END,
				  date_trunc('second', min(d.dead_at)), coalesce((array_agg(d.reason ORDER BY d.dead_at, d.seq))[1], 'no reason was given')),
		   format('see routing.dead_letter; SELECT routing.consumer_retry(%L, event_id) or routing.consumer_discard(%L, event_id)', d.consumer, d.consumer)
	FROM routing.dead_letter d WHERE d.state = 'dead' AND routing.is_member(d.tenant_id)
	GROUP BY d.tenant_id, d.consumer
	UNION ALL
	-- parked aggregates; those behind dead letters wait for whoever looks after these
	SELECT 'warning', format('consumer %s', w.consumer),
		   format('%s of more than a day ago, the oldest of %s%s', CASE count(*) WHEN 1 THEN 'it refuses 1 event' ELSE format('it refuses %s events', count(*)) END,
				  date_trunc('second', min(e.recorded_at)),
				  CASE k.on_error WHEN 'park_aggregate' THEN '; what came later in the same aggregates waits' WHEN 'block' THEN '; everything that came later waits' END),
		   format('see routing.consumer_wait for the reasons; correct the cause, or SELECT routing.consumer_discard(%L, event_id)', w.consumer)
	FROM routing.consumer_wait w JOIN routing.event e ON e.part_on = w.part_on AND e.tenant_id = w.tenant_id AND e.seq = w.seq
		 JOIN routing.consumer k ON k.tenant_id = w.tenant_id AND k.consumer = w.consumer
	WHERE w.state = 'retry' AND e.recorded_at < routing.engine_now() - interval '1 day' AND routing.is_member(w.tenant_id)
	GROUP BY w.tenant_id, w.consumer, k.on_error
$$;
COMMENT ON FUNCTION routing.doctor_consumers() IS 'the part of doctor() about consumers by SQL and retention';
