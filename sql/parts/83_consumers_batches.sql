-- consumers of the event table: batches, acknowledgement, what could not be processed

CREATE TYPE routing.delivery AS (
	batch_id			bigint,
	attempt				int,
	tenant_id			int,
	seq					bigint,
	part_on				date,
	recorded_at			timestamptz,
	event_ts			timestamp(6),
	id					uuid,
	epoch				int,
	tenantid			text,
	aggregatetype		text,
	aggregateid			text,
	aggregateversion	bigint,
	type				text,
	schemaversion		int,
	occurred_at			timestamptz,
	correlationid		text,
	causationid			uuid,
	traceparent			text,
	tracestate			text,
	tracingspancontext	text,
	payload				jsonb
);
COMMENT ON TYPE routing.delivery IS 'an event as consumer_next() delivers it: the published columns, the batch, and which attempt this is';

/*
 * The settings keep the plans to ordered scans of the leaves' indexes: a
 * window is read from one end and stopped, whatever the statistics say.
 */
CREATE FUNCTION routing.consumer_batch(c routing.consumer) RETURNS SETOF routing.delivery
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
	SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	f	record := routing.consumer_filter(c.types, c.partition_no || '/' || c.partitions);
BEGIN
	RETURN QUERY
	SELECT c.batch_id, e.attempt, e.tenant_id, e.seq, e.part_on, e.recorded_at, e.event_ts, e.id, e.epoch, e.tenantid, e.aggregatetype,
		   e.aggregateid, e.aggregateversion, e.type, e.schemaversion, e.occurred_at, e.correlationid, e.causationid, e.traceparent,
		   e.tracestate, e.tracingspancontext, e.payload
	FROM (
		SELECT 1 AS attempt, v.*
		FROM routing.event_window(c.tenant_id, c.last_epoch, c.last_snapshot, c.last_low, c.cur_epoch, c.cur_snapshot,
								  c.seq_done, c.batch_to, 1000000) v
		WHERE routing.event_wanted(v.type, v.aggregateid, f.patterns, f.partition_no, f.partitions)
		  AND NOT EXISTS (SELECT FROM routing.consumer_wait w
						  WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.seq = v.seq)
		UNION ALL
		SELECT w.attempts + 1, v.*
		FROM routing.consumer_wait w
			 JOIN routing.event v ON v.part_on = w.part_on AND v.tenant_id = w.tenant_id AND v.seq = w.seq
		WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.batch_id = c.batch_id) e
	ORDER BY e.seq;
END
$$;
COMMENT ON FUNCTION routing.consumer_batch(routing.consumer) IS 'internal: the events of the open batch that were not refused';

/* The row after its batch; a window that is drained becomes the last one. */
CREATE FUNCTION routing.consumer_done(c routing.consumer) RETURNS routing.consumer
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	c.seq_done := c.batch_to;
	c.batch_to := NULL;
	c.batch_at := NULL;
	IF c.seq_done >= c.cur_high THEN
		c.last_epoch := c.cur_epoch;
		c.last_snapshot := c.cur_snapshot;
		c.last_low := c.cur_low;
		c.cur_epoch := NULL;
		c.cur_snapshot := NULL;
		c.cur_low := NULL;
		c.cur_high := NULL;
		c.seq_done := 0;
	END IF;
	RETURN c;
END
$$;
COMMENT ON FUNCTION routing.consumer_done(routing.consumer) IS 'internal: a consumer that is through with its batch';

CREATE FUNCTION routing.consumer_save(c routing.consumer) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	UPDATE routing.consumer k
	SET last_epoch = c.last_epoch, last_snapshot = c.last_snapshot, last_low = c.last_low, cur_epoch = c.cur_epoch,
		cur_snapshot = c.cur_snapshot, cur_low = c.cur_low, cur_high = c.cur_high, seq_done = c.seq_done,
		batch_id = c.batch_id, batch_to = c.batch_to, batch_at = c.batch_at, last_seen = clock_timestamp()
	WHERE k.tenant_id = c.tenant_id AND k.consumer = c.consumer
$$;
COMMENT ON FUNCTION routing.consumer_save(routing.consumer) IS 'internal: stores where a consumer is';

/*
 * Takes into the batch what has waited long enough, at most "rows": of each
 * aggregate everything from its first event on, up to one that is not due.
 * Where order does not matter (skip), and where nothing else is delivered
 * meanwhile (block), every event for itself.
 */
CREATE FUNCTION routing.consumer_take_due(c routing.consumer, batch_id bigint, rows int) RETURNS int
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n	int;
BEGIN
	UPDATE routing.consumer_wait w
	SET batch_id = consumer_take_due.batch_id, due_at = CASE WHEN c.on_error = 'block' THEN '-infinity' ELSE w.due_at END
	FROM (SELECT x.seq FROM (
			SELECT y.seq, bool_and(CASE WHEN y.state = 'behind' THEN y.due_at <= clock_timestamp() OR y.n > 1
										ELSE y.state = 'retry' AND y.due_at <= clock_timestamp() END)
				   OVER (PARTITION BY y.aggregatetype, y.aggregateid, CASE WHEN c.on_error <> 'park_aggregate' THEN y.seq END
						 ORDER BY y.seq) AS ok
			FROM (SELECT v.*, row_number() OVER (PARTITION BY v.aggregatetype, v.aggregateid ORDER BY v.seq) AS n
				  FROM routing.consumer_wait v
				  WHERE v.tenant_id = c.tenant_id AND v.consumer = c.consumer AND v.state <> 'done'
					AND (v.aggregatetype, v.aggregateid) IN (
						SELECT d.aggregatetype, d.aggregateid FROM routing.consumer_wait d
						WHERE d.tenant_id = c.tenant_id AND d.consumer = c.consumer AND d.due_at <= clock_timestamp()
						  -- one that was refused before an earlier one was is due behind it; it may not take the place of others
						  AND (c.on_error <> 'park_aggregate' OR NOT EXISTS (
							SELECT FROM routing.consumer_wait p
							WHERE p.tenant_id = d.tenant_id AND p.consumer = d.consumer AND p.aggregatetype = d.aggregatetype
							  AND p.aggregateid = d.aggregateid AND p.seq < d.seq AND p.state <> 'done'))
						ORDER BY d.due_at LIMIT rows)) y) x
		  WHERE x.ok ORDER BY x.seq LIMIT rows) t
	WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.seq = t.seq;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION routing.consumer_take_due(routing.consumer, bigint, int) IS
	'internal: puts events that have waited long enough into a batch; returns how many';

/* Puts aside the events of a part of the window whose aggregate has an earlier one that waits outside the batch. */
CREATE FUNCTION routing.consumer_put_aside(c routing.consumer, upto bigint, aggregatetype text DEFAULT NULL,
										   aggregateid text DEFAULT NULL) RETURNS int
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
	SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	f	record := routing.consumer_filter(c.types, c.partition_no || '/' || c.partitions);
	n	int;
BEGIN
	INSERT INTO routing.consumer_wait (tenant_id, consumer, seq, part_on, event_id, aggregatetype, aggregateid, type, state, due_at)
	SELECT c.tenant_id, c.consumer, e.seq, e.part_on, e.id, e.aggregatetype, e.aggregateid, e.type, 'behind', 'infinity'
	FROM routing.event_window(c.tenant_id, c.last_epoch, c.last_snapshot, c.last_low, c.cur_epoch, c.cur_snapshot,
							  c.seq_done, upto, 1000000) e
	WHERE routing.event_wanted(e.type, e.aggregateid, f.patterns, f.partition_no, f.partitions)
	  AND (consumer_put_aside.aggregatetype IS NULL
		   OR (e.aggregatetype = consumer_put_aside.aggregatetype AND e.aggregateid = consumer_put_aside.aggregateid))
	  AND EXISTS (SELECT FROM routing.consumer_wait w
				  WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.aggregatetype = e.aggregatetype
					AND w.aggregateid = e.aggregateid AND w.seq < e.seq AND w.state <> 'done' AND w.batch_id IS DISTINCT FROM c.batch_id)
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION routing.consumer_put_aside(routing.consumer, bigint, text, text) IS
	'internal: events that have to wait for earlier ones of their aggregate go into consumer_wait; returns how many';

/*
 * Forms the next batch: what waited, then what is new.  Without one (batch_to
 * is null) there is nothing to read.  A window of which the consumer wants
 * nothing is passed over.  "reads" bounds what one look at the window reads.
 */
CREATE FUNCTION routing.consumer_fill(c routing.consumer, max int) RETURNS routing.consumer
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
	SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	f		record := routing.consumer_filter(c.types, c.partition_no || '/' || c.partitions);
	p		record;
	waits	boolean := EXISTS (SELECT FROM routing.consumer_wait w WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer);
	batch	bigint;
	room	int := max;
	reads	bigint;
	n		bigint;
	last_seq	bigint;
	wanted	bigint[];
	fresh	boolean := false;
	looked	bigint := 0;
BEGIN
	IF waits THEN
		DELETE FROM routing.consumer_wait w WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.state = 'done';
		IF c.on_error = 'block' AND EXISTS (SELECT FROM routing.consumer_wait w WHERE w.tenant_id = c.tenant_id
											AND w.consumer = c.consumer AND w.due_at > clock_timestamp()) THEN
			RETURN c;
		END IF;
		IF EXISTS (SELECT FROM routing.consumer_wait w WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer
				   AND w.due_at <= clock_timestamp()) THEN
			batch := nextval('routing.consumer_batch_seq');
			n := routing.consumer_take_due(c, batch, max);
			room := max - n;
			IF n = 0 THEN
				batch := NULL;
			END IF;
		END IF;
	END IF;
	WHILE room > 0 LOOP
		IF c.cur_snapshot IS NULL THEN
			EXIT WHEN fresh;
			fresh := true;
			p := routing.stream_place();
			IF p.epoch < c.last_epoch OR (p.epoch = c.last_epoch AND routing.snapshot_beyond(c.last_snapshot, p.snapshot)) THEN
				RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
					MESSAGE = format('consumer "%s" has read further than this cluster is', c.consumer),
					HINT = 'If the database is a copy of another one, call start_stream_epoch() before anything is written to it.';
			END IF;
			-- no number was given since, and nobody who had one then has committed
			EXIT WHEN p.epoch = c.last_epoch AND p.high <= c.last_low
				AND NOT EXISTS (SELECT FROM pg_snapshot_xip(c.last_snapshot) x WHERE pg_visible_in_snapshot(x, p.snapshot));
			c.cur_epoch := p.epoch;
			c.cur_snapshot := p.snapshot;
			-- what bounded the rows after an earlier snapshot does so after a later one of the same epoch
			c.cur_low := coalesce(p.low, c.last_low);
			c.cur_high := p.high;
			c.seq_done := 0;
		END IF;
		-- a share of what is read is wanted
		reads := least(20000, room::bigint * f.partitions * CASE WHEN f.patterns IS NULL THEN 1 ELSE 4 END
						+ CASE WHEN f.partitions > 1 OR f.patterns IS NOT NULL THEN 100 ELSE 0 END);
		SELECT count(*), pg_catalog.max(e.seq),
			   array_agg(e.seq) FILTER (WHERE routing.event_wanted(e.type, e.aggregateid, f.patterns, f.partition_no, f.partitions))
		INTO n, last_seq, wanted
		FROM routing.event_window(c.tenant_id, c.last_epoch, c.last_snapshot, c.last_low, c.cur_epoch, c.cur_snapshot,
								  c.seq_done, c.cur_high, reads) e;
		c.batch_to := CASE WHEN cardinality(wanted) >= room AND (n = reads OR cardinality(wanted) > room) THEN wanted[room]
						   WHEN n = reads THEN last_seq ELSE c.cur_high END;
		EXIT WHEN wanted IS NOT NULL;
		looked := looked + n;
		c := routing.consumer_done(c);
	END LOOP;
	IF wanted IS NULL AND batch IS NULL THEN
		-- nothing there: stored now and then, so that polling costs no writes
		IF c.last_seen IS NULL OR c.last_seen < clock_timestamp() - interval '10 seconds' OR looked > 100 THEN
			PERFORM routing.consumer_save(c);
			PERFORM routing.mark_stream();
		END IF;
		RETURN c;
	END IF;
	c.batch_id := coalesce(batch, nextval('routing.consumer_batch_seq'));
	c.batch_to := coalesce(c.batch_to, c.seq_done);
	c.batch_at := clock_timestamp();
	IF waits AND c.on_error = 'park_aggregate' AND wanted IS NOT NULL THEN
		PERFORM routing.consumer_put_aside(c, c.batch_to);
	END IF;
	PERFORM routing.consumer_save(c);
	PERFORM routing.mark_stream();
	RETURN c;
END
$$;
COMMENT ON FUNCTION routing.consumer_fill(routing.consumer, int) IS 'internal: forms a consumer''s next batch';

/*
 * Ends the batch, or what of it comes up to a seq.  What waits behind an event
 * that is done has its turn.
 */
CREATE FUNCTION routing.consumer_finish(c routing.consumer, upto bigint DEFAULT NULL) RETURNS routing.consumer
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	WITH done AS (
		DELETE FROM routing.consumer_wait w
		WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.batch_id = c.batch_id AND w.seq <= coalesce(upto, w.seq)
		RETURNING w.aggregatetype, w.aggregateid, w.seq)
	UPDATE routing.consumer_wait w SET due_at = clock_timestamp()
	FROM (SELECT d.aggregatetype, d.aggregateid, max(d.seq) AS seq FROM done d GROUP BY 1, 2) d
	WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.aggregatetype = d.aggregatetype AND w.aggregateid = d.aggregateid
	  AND w.state = 'behind'
	  AND w.seq = (SELECT min(v.seq) FROM routing.consumer_wait v
				   WHERE v.tenant_id = c.tenant_id AND v.consumer = c.consumer AND v.aggregatetype = d.aggregatetype
					 AND v.aggregateid = d.aggregateid AND v.seq > d.seq AND v.state <> 'done');
	IF upto IS NULL THEN
		DELETE FROM routing.consumer_wait w WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.state = 'done';
		c := routing.consumer_done(c);
	ELSE
		c.seq_done := greatest(c.seq_done, least(upto, c.batch_to));
	END IF;
	PERFORM routing.consumer_save(c);
	RETURN c;
END
$$;
COMMENT ON FUNCTION routing.consumer_finish(routing.consumer, bigint) IS 'internal: what consumer_ack() does when it has checked its arguments';

/* A refused event cannot come again when it was dropped with its partition. */
CREATE FUNCTION routing.consumer_record_gone(c routing.consumer) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO routing.dead_letter AS d (tenant_id, consumer, event_id, seq, part_on, aggregatetype, aggregateid, type, state, parked,
										  attempts, reason, dead_at, closed_at)
	SELECT w.tenant_id, w.consumer, w.event_id, w.seq, w.part_on, w.aggregatetype, w.aggregateid, w.type, 'gone', false,
		   w.attempts, w.reason, clock_timestamp(), clock_timestamp()
	FROM routing.consumer_wait w
	WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.batch_id = c.batch_id
	  AND NOT EXISTS (SELECT FROM routing.event e WHERE e.part_on = w.part_on AND e.tenant_id = w.tenant_id AND e.seq = w.seq)
	ON CONFLICT (tenant_id, consumer, event_id) DO UPDATE SET state = 'gone', closed_at = clock_timestamp()
	WHERE d.state <> 'gone'
$$;
COMMENT ON FUNCTION routing.consumer_record_gone(routing.consumer) IS
	'internal: notes among the dead letters which events of a batch are not there any more';

CREATE FUNCTION routing.consumer_next(name text, max int DEFAULT 100) RETURNS SETOF routing.delivery
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
DECLARE
	c	routing.consumer;
BEGIN
	IF max IS NULL OR max NOT BETWEEN 1 AND 10000 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT146',
			MESSAGE = format('max %s is out of range', coalesce(max::text, 'null')), HINT = 'Give a number from 1 to 10000.';
	END IF;
	c := routing.consumer_lock(routing.current_tenant(), name, true);
	LOOP
		IF c.batch_to IS NULL THEN
			c := routing.consumer_fill(c, max);
			IF c.batch_to IS NULL THEN
				RETURN;
			END IF;
		ELSIF c.on_error = 'block' THEN
			IF EXISTS (SELECT FROM routing.consumer_wait w WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer
					   AND w.state <> 'done' AND w.due_at > clock_timestamp()) THEN
				RETURN;
			END IF;
			-- it comes once more, so it may be acknowledged
			UPDATE routing.consumer_wait w SET due_at = '-infinity'
			WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.state = 'retry' AND w.due_at > '-infinity';
		END IF;
		PERFORM routing.consumer_record_gone(c);
		RETURN QUERY SELECT * FROM routing.consumer_batch(c);
		IF FOUND THEN
			RETURN;
		END IF;
		-- everything in it was refused, discarded or put aside, or is gone with its partition
		c := routing.consumer_finish(c);
	END LOOP;
END
$$;
COMMENT ON FUNCTION routing.consumer_next(text, int) IS
	'the consumer''s next batch, in order of seq; the same one until it is acknowledged';

CREATE FUNCTION routing.consumer_ack(name text, batch_id bigint, upto_seq bigint DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c		routing.consumer := routing.consumer_lock(routing.current_tenant(), name);
	ends	bigint;
	refused	uuid;
BEGIN
	IF c.batch_to IS NULL OR c.batch_id IS DISTINCT FROM consumer_ack.batch_id THEN
		RAISE EXCEPTION USING ERRCODE = 'RT145',
			MESSAGE = format('batch %s is not the open batch of consumer "%s"', coalesce(batch_id::text, 'null'), name),
			HINT = CASE WHEN c.batch_to IS NULL THEN 'It has none; consumer_next() begins one.'
						ELSE format('That is %s; an older one is acknowledged or was given up.', c.batch_id) END;
	END IF;
	SELECT greatest(c.batch_to, pg_catalog.max(w.seq)) INTO ends FROM routing.consumer_wait w
	WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.batch_id = c.batch_id;
	IF upto_seq > ends THEN
		RAISE EXCEPTION USING ERRCODE = 'RT145',
			MESSAGE = format('seq %s is not in batch %s of consumer "%s"', upto_seq, batch_id, name),
			HINT = 'Give the seq of an event of the batch, or leave it out to acknowledge all of it.';
	END IF;
	IF c.on_error = 'block' THEN
		SELECT w.event_id INTO refused FROM routing.consumer_wait w
		WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer AND w.batch_id = c.batch_id AND w.due_at > '-infinity'
		  AND w.seq <= coalesce(upto_seq, w.seq) ORDER BY w.seq LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'RT145',
				MESSAGE = format('event %s was refused and has not come again', refused),
				HINT = 'Acknowledge what comes before it, with upto_seq; consumer_next() brings the rest when it is due.';
		END IF;
	END IF;
	PERFORM routing.consumer_finish(c, CASE WHEN upto_seq < ends THEN upto_seq END);
END
$$;
COMMENT ON FUNCTION routing.consumer_ack(text, bigint, bigint) IS
	'acknowledges a batch, or what of it comes up to a seq, but for the events that were refused';
