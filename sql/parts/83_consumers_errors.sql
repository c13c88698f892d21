-- consumers of the event table: refused events and dead letters, how far everybody is

CREATE FUNCTION routing.consumer_nack(name text, event_id uuid, retry_after interval DEFAULT NULL, reason text DEFAULT NULL,
									  OUT attempts int, OUT retry_at timestamptz, OUT put_aside int)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	c		routing.consumer := routing.consumer_lock(routing.current_tenant(), name);
	e		record;
	dead	boolean;
BEGIN
	IF retry_after NOT BETWEEN interval '0' AND interval '30 days' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT146',
			MESSAGE = format('retry_after %s is out of range', retry_after), HINT = 'Give a time from 0 to 30 days.';
	END IF;
	IF c.batch_to IS NOT NULL THEN
		SELECT d.id, d.seq, d.part_on, d.aggregatetype, d.aggregateid, d.type, d.attempt INTO e
		FROM routing.consumer_batch(c) d WHERE d.id = consumer_nack.event_id;
	END IF;
	IF e IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT145',
			MESSAGE = format('event %s is not in the open batch of consumer "%s"', coalesce(consumer_nack.event_id::text, 'null'), name),
			HINT = 'Only what consumer_next() delivers, and what is neither acknowledged nor refused yet, can be refused.';
	END IF;
	attempts := e.attempt;
	dead := attempts >= c.max_attempts;
	IF NOT dead THEN
		retry_at := clock_timestamp() + coalesce(retry_after, least(c.backoff * 2 ^ least(attempts - 1, 20), interval '1 day'));
	END IF;
	INSERT INTO routing.consumer_wait AS w (tenant_id, consumer, seq, part_on, event_id, aggregatetype, aggregateid, type, state,
											attempts, due_at, failed_at, reason, batch_id)
	VALUES (c.tenant_id, c.consumer, e.seq, e.part_on, e.id, e.aggregatetype, e.aggregateid, e.type,
			CASE WHEN NOT dead THEN 'retry' WHEN c.on_error = 'skip' THEN 'done' ELSE 'dead' END,
			consumer_nack.attempts, coalesce(consumer_nack.retry_at, 'infinity'), clock_timestamp(), left(consumer_nack.reason, 10000),
			CASE WHEN c.on_error = 'block' THEN c.batch_id END)
	ON CONFLICT (tenant_id, consumer, seq) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, due_at = excluded.due_at,
		failed_at = excluded.failed_at, reason = excluded.reason, batch_id = excluded.batch_id;
	IF dead THEN
		INSERT INTO routing.dead_letter AS d (tenant_id, consumer, event_id, seq, part_on, aggregatetype, aggregateid, type, state, parked,
											  attempts, reason, dead_at)
		VALUES (c.tenant_id, c.consumer, e.id, e.seq, e.part_on, e.aggregatetype, e.aggregateid, e.type, 'dead', c.on_error <> 'skip',
				consumer_nack.attempts, left(consumer_nack.reason, 10000), clock_timestamp())
		ON CONFLICT (tenant_id, consumer, event_id) DO UPDATE SET state = 'dead', attempts = d.attempts + excluded.attempts,
			parked = excluded.parked, reason = excluded.reason, dead_at = excluded.dead_at, closed_at = NULL, closed_by = NULL;
	END IF;
	put_aside := 0;
	IF c.on_error = 'park_aggregate' THEN
		UPDATE routing.consumer_wait w SET state = 'behind', due_at = 'infinity', batch_id = NULL
		WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.batch_id = c.batch_id
		  AND w.aggregatetype = e.aggregatetype AND w.aggregateid = e.aggregateid AND w.seq > e.seq;
		GET DIAGNOSTICS put_aside = ROW_COUNT;
		put_aside := put_aside + routing.consumer_put_aside(c, c.batch_to, e.aggregatetype, e.aggregateid);
	END IF;
END
$$;
COMMENT ON FUNCTION routing.consumer_nack(text, uuid, interval, text) IS
	'refuses an event of the open batch: it comes again later, or becomes a dead letter after max_attempts';

CREATE FUNCTION routing.consumer_retry(name text, event_id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c	routing.consumer := routing.consumer_lock(routing.current_tenant(), name);
	d	routing.dead_letter;
BEGIN
	UPDATE routing.dead_letter l SET state = 'released', closed_at = clock_timestamp(), closed_by = session_user
	WHERE l.tenant_id = c.tenant_id AND l.consumer = c.consumer AND l.event_id = consumer_retry.event_id AND l.state = 'dead'
	RETURNING l.* INTO d;
	UPDATE routing.consumer_wait w
	SET attempts = CASE WHEN w.state = 'dead' THEN 0 ELSE w.attempts END, state = 'retry', due_at = clock_timestamp()
	WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.event_id = consumer_retry.event_id
	  AND w.state IN ('retry', 'dead');
	IF FOUND THEN
		RETURN;
	END IF;
	IF d.event_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT145',
			MESSAGE = format('event %s does not wait for consumer "%s"', coalesce(event_id::text, 'null'), name),
			HINT = 'Give an event that was refused, and that is neither acknowledged nor discarded.';
	END IF;
	-- of a consumer that skips: nothing waited for it
	INSERT INTO routing.consumer_wait (tenant_id, consumer, seq, part_on, event_id, aggregatetype, aggregateid, type, state, due_at, reason)
	VALUES (c.tenant_id, c.consumer, d.seq, d.part_on, d.event_id, d.aggregatetype, d.aggregateid, d.type, 'retry', clock_timestamp(), d.reason)
	ON CONFLICT (tenant_id, consumer, seq) DO UPDATE SET state = 'retry', attempts = 0, due_at = excluded.due_at, batch_id = NULL;
END
$$;
COMMENT ON FUNCTION routing.consumer_retry(text, uuid) IS
	'lets a refused event or a dead letter come again now, and what waits behind it after it';

CREATE FUNCTION routing.consumer_discard(name text, event_id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c	routing.consumer := routing.consumer_lock(routing.current_tenant(), name);
	e	routing.consumer_wait;
	n	int;
BEGIN
	UPDATE routing.consumer_wait w SET state = 'done', batch_id = NULL, due_at = 'infinity'
	WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.event_id = consumer_discard.event_id AND w.state <> 'done'
	RETURNING w.* INTO e;
	UPDATE routing.dead_letter l SET state = 'discarded', closed_at = clock_timestamp(), closed_by = session_user
	WHERE l.tenant_id = c.tenant_id AND l.consumer = c.consumer AND l.event_id = consumer_discard.event_id
	  AND (l.state = 'dead' OR e.event_id IS NOT NULL);
	GET DIAGNOSTICS n = ROW_COUNT;
	IF n = 0 AND e.event_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT145',
			MESSAGE = format('event %s does not wait for consumer "%s"', coalesce(event_id::text, 'null'), name),
			HINT = 'Give an event that was refused or waits behind one.';
	END IF;
	IF n = 0 THEN
		INSERT INTO routing.dead_letter (tenant_id, consumer, event_id, seq, part_on, aggregatetype, aggregateid, type, state, parked,
										 attempts, reason, dead_at, closed_at, closed_by)
		VALUES (c.tenant_id, c.consumer, e.event_id, e.seq, e.part_on, e.aggregatetype, e.aggregateid, e.type, 'discarded', false,
				e.attempts, e.reason, clock_timestamp(), clock_timestamp(), session_user);
	END IF;
	-- the next of its aggregate has its turn, unless an earlier one waits
	UPDATE routing.consumer_wait w SET due_at = clock_timestamp()
	WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.aggregatetype = e.aggregatetype AND w.aggregateid = e.aggregateid
	  AND w.state = 'behind'
	  AND w.seq = (SELECT min(v.seq) FROM routing.consumer_wait v
				   WHERE v.tenant_id = c.tenant_id AND v.consumer = c.consumer AND v.aggregatetype = e.aggregatetype
					 AND v.aggregateid = e.aggregateid AND v.state <> 'done');
END
$$;
COMMENT ON FUNCTION routing.consumer_discard(text, uuid) IS
	'gives up an event that was refused, is a dead letter or waits: it does not come again, what waits behind it does';

CREATE FUNCTION routing.consumer_status(name text DEFAULT NULL,
	OUT consumer text, OUT types text[], OUT partition text, OUT on_error text, OUT lag_events bigint, OUT lag_seconds numeric,
	OUT oldest_unacked timestamptz, OUT oldest_part_on date, OUT batch_id bigint, OUT batch_at timestamptz,
	OUT retrying bigint, OUT waiting bigint, OUT dead bigint, OUT parked_aggregates bigint, OUT blocked boolean,
	OUT last_seen timestamptz, OUT registered_at timestamptz)
	RETURNS SETOF record
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
	SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan ROWS 10 AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	most	CONSTANT bigint := 100000;
	c		routing.consumer;
	f		record;
	p		record;
	w		record;
	part	date;
BEGIN
	IF name IS NOT NULL AND NOT EXISTS (SELECT FROM routing.consumer k WHERE k.tenant_id = tenant AND k.consumer = name) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT143', MESSAGE = format('consumer "%s" is unknown', name),
			HINT = 'Make it with consumer_register(); consumer_status() lists those that are there.';
	END IF;
	p := routing.stream_place();
	FOR c IN SELECT k.* FROM routing.consumer k WHERE k.tenant_id = tenant AND k.consumer = coalesce(name, k.consumer)
			 ORDER BY k.tenant_id, k.consumer LOOP
		f := routing.consumer_filter(c.types, c.partition_no || '/' || c.partitions);
		-- what is left of the window, and what came after it; refused ones are counted apart
		SELECT count(*), min(e.recorded_at), min(e.part_on) INTO lag_events, oldest_unacked, part
		FROM (SELECT v.* FROM routing.event_window(tenant, c.last_epoch, c.last_snapshot, c.last_low, c.cur_epoch, c.cur_snapshot,
												   c.seq_done, c.cur_high, most) v
			  WHERE c.cur_snapshot IS NOT NULL
			  UNION ALL
			  SELECT v.* FROM routing.event_window(tenant, coalesce(c.cur_epoch, c.last_epoch), coalesce(c.cur_snapshot, c.last_snapshot),
												   coalesce(c.cur_low, c.last_low), p.epoch, p.snapshot, 0, p.high, most) v
			  LIMIT most) e
		WHERE routing.event_wanted(e.type, e.aggregateid, f.patterns, f.partition_no, f.partitions)
		  AND NOT EXISTS (SELECT FROM routing.consumer_wait v WHERE v.tenant_id = tenant AND v.consumer = c.consumer AND v.seq = e.seq);
		SELECT count(*) FILTER (WHERE v.state = 'retry') AS retrying, count(*) FILTER (WHERE v.state = 'behind') AS waiting,
			   min(v.part_on) AS part_on, count(DISTINCT (v.aggregatetype, v.aggregateid)) AS aggregates, count(*) AS n,
			   bool_or(v.state <> 'done' AND v.due_at > clock_timestamp()) AS not_due
		INTO w FROM routing.consumer_wait v WHERE v.tenant_id = tenant AND v.consumer = c.consumer AND v.state <> 'done';
		SELECT count(*) INTO dead FROM routing.dead_letter d WHERE d.tenant_id = tenant AND d.consumer = c.consumer AND d.state = 'dead';
		consumer := c.consumer;
		types := c.types;
		partition := c.partition_no || '/' || c.partitions;
		on_error := c.on_error;
		lag_seconds := round(greatest(extract(epoch FROM clock_timestamp() - oldest_unacked), 0), 3);
		lag_seconds := coalesce(lag_seconds, 0);
		oldest_part_on := least(part, w.part_on);
		batch_id := CASE WHEN c.batch_to IS NOT NULL THEN c.batch_id END;
		batch_at := c.batch_at;
		retrying := w.retrying;
		waiting := w.waiting;
		parked_aggregates := CASE WHEN c.on_error = 'park_aggregate' THEN w.aggregates ELSE 0 END;
		blocked := c.on_error = 'block' AND coalesce(w.not_due, false);
		last_seen := c.last_seen;
		registered_at := c.registered_at;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION routing.consumer_status(text) IS
	'how far consumers are: events not acknowledged yet (counted up to 100000), seconds since the oldest of them, what was refused';
