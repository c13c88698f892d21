-- consumers of the event table: places in the stream, registration, replay

/*
 * Why differences of snapshots: seq is not the order of commits, so a cursor
 * on it loses events.  Two transactions that write events of one aggregate do
 * so one after the other, under the aggregate's lock, and whoever sees the
 * second also sees the first.  So no window separates them in the wrong
 * order, and within a window seq, taken under the lock, has it.
 *
 * A window is found in two parts, without reading what was read before.
 * Transactions from last's xmax on have a seq above last's low: a scan of the
 * primary keys of the leaves, in order and of this tenant only.  The few that
 * last lists as running are looked up in the indexes on (xid, seq).
 */
CREATE FUNCTION routing.stream_snapshot(OUT snapshot pg_snapshot, OUT floored boolean, OUT timeline int)
	LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'routing_stream_snapshot';
COMMENT ON FUNCTION routing.stream_snapshot() IS
	'pg_current_snapshot() up to the next transaction id, right on a standby too; not floored if that lists too many';

/*
 * After a crash ids are given again of which nothing had got into the WAL:
 * snapshots of before may end later.  They list all these as running.
 */
CREATE FUNCTION routing.snapshot_beyond(s pg_snapshot, cluster pg_snapshot) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT pg_snapshot_xmax(s)::text::numeric - pg_snapshot_xmax(cluster)::text::numeric
		   > (SELECT count(*) FROM pg_snapshot_xip(s) x WHERE x >= pg_snapshot_xmax(cluster))
$$;
COMMENT ON FUNCTION routing.snapshot_beyond(pg_snapshot, pg_snapshot) IS
	'internal: whether a transaction is visible in a snapshot that a cluster of which another is the newest has not begun yet';

CREATE FUNCTION routing.event_wanted(type text, aggregateid text, types text[], partition_no int, partitions int)
	RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (types IS NULL OR type LIKE ANY (types))
	   AND (partitions = 1 OR routing.event_hash(aggregateid) % partitions = partition_no)
$$;
COMMENT ON FUNCTION routing.event_wanted(text, text, text[], int, int) IS
	'internal: whether a consumer reads an event; types are patterns of LIKE';

/*
 * At most so many rows of a window with after < seq <= upto, in order.  One
 * query, so that it becomes part of the query that calls it.
 */
CREATE FUNCTION routing.event_window(tenant int, last_epoch int, last pg_snapshot, last_low bigint,
									 cur_epoch int, cur pg_snapshot, after bigint, upto bigint, rows bigint)
	RETURNS SETOF routing.event LANGUAGE sql STABLE AS $$
	SELECT w.* FROM (
		(SELECT e.* FROM routing.event e
		 WHERE e.tenant_id = tenant AND e.seq > greatest(after, last_low) AND e.seq <= upto
		   AND (e.epoch > last_epoch OR (e.epoch = last_epoch AND e.xid >= pg_catalog.pg_snapshot_xmax(last)))
		   AND (e.epoch < cur_epoch OR (e.epoch = cur_epoch AND pg_catalog.pg_visible_in_snapshot(e.xid, cur)))
		 ORDER BY e.seq LIMIT rows)
		UNION ALL
		(SELECT o.* FROM pg_catalog.pg_snapshot_xip(last) x,
			 LATERAL (SELECT e.* FROM routing.event e
					  WHERE e.xid = x AND e.epoch = last_epoch AND e.tenant_id = tenant AND e.seq > after AND e.seq <= upto
					  ORDER BY e.seq LIMIT rows) o
		 WHERE last_epoch < cur_epoch OR pg_catalog.pg_visible_in_snapshot(x, cur)
		 ORDER BY o.seq LIMIT rows)) w
	ORDER BY w.seq LIMIT rows
$$;
COMMENT ON FUNCTION routing.event_window(int, int, pg_snapshot, bigint, int, pg_snapshot, bigint, bigint, bigint) IS
	'internal: the events that are visible at one place of the stream and not at another';

/*
 * The place of now.  The order matters: the epoch, then a sequence value that
 * bounds those to come, then the snapshot, then one that bounds what it shows.
 * A standby's sequence runs ahead by what is logged in advance, at most 33; a
 * transaction that took a lower value has logged its id before.
 */
CREATE FUNCTION routing.stream_place(OUT epoch int, OUT timeline int, OUT snapshot pg_snapshot, OUT low bigint, OUT high bigint)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	floored	boolean;
BEGIN
	epoch := routing.stream_epoch();
	SELECT s.last_value - CASE WHEN pg_is_in_recovery() THEN 33 ELSE 0 END INTO low FROM routing.event_seq s;
	SELECT s.snapshot, s.floored, s.timeline INTO snapshot, floored, timeline FROM routing.stream_snapshot() s;
	SELECT s.last_value INTO high FROM routing.event_seq s;
	IF NOT floored THEN
		low := NULL;
	-- a sequence that never gave a value shows the first one that it will give
	ELSIF low <= 1 THEN
		low := 0;
	END IF;
END
$$;
COMMENT ON FUNCTION routing.stream_place() IS
	'internal: the place in the stream where everything that is visible now is read; low is null if nothing bounds what comes';

CREATE FUNCTION routing.mark_stream() RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- all have the same marks; the worker, whose call this is too, is of no tenant
	tenant	int := (SELECT min(t.tenant_id) FROM routing.tenant t);
	p		record;
BEGIN
	IF EXISTS (SELECT FROM routing.stream_mark t WHERE t.tenant_id = tenant AND t.marked_at > clock_timestamp() - interval '1 minute') THEN
		RETURN false;
	END IF;
	p := routing.stream_place();
	INSERT INTO routing.stream_mark (tenant_id, marked_at, epoch, timeline, snapshot, low)
	SELECT t.tenant_id, clock_timestamp(), p.epoch, p.timeline, p.snapshot, coalesce(p.low, 0) FROM routing.tenant t ON CONFLICT DO NOTHING;
	DELETE FROM routing.stream_mark t WHERE t.marked_at < clock_timestamp() - interval '100 days';
	RETURN true;
END
$$;
COMMENT ON FUNCTION routing.mark_stream() IS
	'notes what is visible of the event stream now, at most once a minute; consumers start and replay from there';

CREATE FUNCTION routing.consumer_filter(types text[], partition text,
										OUT patterns text[], OUT partition_no int, OUT partitions int)
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t		text;
	parts	text[];
BEGIN
	IF types IS NOT NULL THEN
		IF cardinality(types) = 0 THEN
			RAISE EXCEPTION USING ERRCODE = 'RT146', MESSAGE = 'types must not be empty', HINT = 'Leave it out to get every type.';
		END IF;
		FOREACH t IN ARRAY types LOOP
			IF t IS NULL OR t !~ '^([a-z][a-z0-9_.]*\*?|\*)$' OR length(t) > 200 THEN
				RAISE EXCEPTION USING ERRCODE = 'RT146',
					MESSAGE = format('type %s is not one', coalesce('"' || t || '"', 'null')),
					HINT = 'Give names of event types, with a * at the end for all that begin so: order.* or order.shipped.v1.';
			END IF;
			patterns := patterns || (replace(rtrim(t, '*'), '_', '\_') || CASE WHEN t LIKE '%*' THEN '%' ELSE '' END);
		END LOOP;
	END IF;
	parts := regexp_match(coalesce(partition, '0/1'), '^(\d{1,4})/(\d{1,4})$');
	IF parts IS NULL OR parts[2]::int NOT BETWEEN 1 AND 1024 OR parts[1]::int >= parts[2]::int THEN
		RAISE EXCEPTION USING ERRCODE = 'RT146',
			MESSAGE = format('partition "%s" is not one', partition),
			HINT = 'Give i/n, i from 0 to n - 1, n from 1 to 1024.';
	END IF;
	partition_no := parts[1]::int;
	partitions := parts[2]::int;
END
$$;
COMMENT ON FUNCTION routing.consumer_filter(text[], text) IS
	'internal: types as patterns of LIKE, a partition i/n as numbers; checks both';

/*
 * A place from where nothing is missing for whoever has processed everything
 * that committed before the given point: a mark at which the event's
 * transaction, or anything after the time, had not begun.  That it was not
 * visible is not enough: commits become visible in another order than that of
 * the WAL, in which slots deliver them.  There is none before the first mark:
 * then the place is before everything.
 */
CREATE FUNCTION routing.stream_place_of(since text, OUT epoch int, OUT snapshot pg_snapshot, OUT low bigint)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	tenant	int := routing.current_tenant();
	e		record;
	at		timestamptz;
BEGIN
	IF since = 'now' THEN
		SELECT p.epoch, p.snapshot, coalesce(p.low, 0) INTO epoch, snapshot, low FROM routing.stream_place() p;
		RETURN;
	ELSIF since ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
		-- ids begin with their time, so it is in the partition of that day, seldom in an older one
		at := to_timestamp(('x' || lpad(left(replace(since, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0);
		IF at BETWEEN '1970-01-02' AND '2999-12-31' THEN
			SELECT v.epoch, v.xid INTO e FROM routing.event v
			WHERE v.tenant_id = tenant AND v.id = since::uuid AND v.part_on = (at AT TIME ZONE 'UTC')::date;
			IF NOT FOUND THEN
				SELECT v.epoch, v.xid INTO e FROM routing.event v WHERE v.tenant_id = tenant AND v.id = since::uuid;
			END IF;
		END IF;
		IF e IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'RT146',
				MESSAGE = format('event %s is unknown', since),
				HINT = 'Events are kept for a time only; start from a time or from oldest.';
		END IF;
		SELECT t.epoch, t.snapshot, t.low INTO epoch, snapshot, low FROM routing.stream_mark t
		WHERE t.tenant_id = tenant
		  AND (e.epoch > t.epoch OR (e.epoch = t.epoch AND e.xid >= pg_snapshot_xmax(t.snapshot)))
		ORDER BY t.marked_at DESC LIMIT 1;
	ELSIF since IS DISTINCT FROM 'oldest' THEN
		BEGIN
			at := since::timestamptz;
		EXCEPTION WHEN data_exception THEN
			at := NULL;
		END;
		IF at IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'RT146',
				MESSAGE = format('start %s is unknown', coalesce('"' || since || '"', 'null')),
				HINT = 'Give now, oldest, the id of an event, or a time.';
		END IF;
		SELECT t.epoch, t.snapshot, t.low INTO epoch, snapshot, low FROM routing.stream_mark t
		WHERE t.tenant_id = tenant AND t.marked_at <= at ORDER BY t.marked_at DESC LIMIT 1;
	END IF;
	IF epoch IS NULL THEN
		epoch := 0;
		snapshot := '1:1:';
		low := 0;
	END IF;
END
$$;
COMMENT ON FUNCTION routing.stream_place_of(text) IS
	'internal: the place in the stream before an event or a time, at its beginning (oldest) or its end (now)';

CREATE FUNCTION routing.consumer_register(name text, start_at text DEFAULT 'now', types text[] DEFAULT NULL,
										  partition text DEFAULT NULL, on_error text DEFAULT 'park_aggregate',
										  max_attempts int DEFAULT 10, backoff interval DEFAULT '10 seconds') RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tenant	int := routing.current_tenant();
	f		record;
	p		record;
BEGIN
	IF name IS NULL OR name !~ '^[^[:space:][:cntrl:]]{1,100}$' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT146',
			MESSAGE = format('consumer name %s is not one', coalesce('"' || left(name, 120) || '"', 'null')),
			HINT = 'Give 1 to 100 characters without blanks.';
	END IF;
	IF on_error IS NULL OR on_error NOT IN ('block', 'park_aggregate', 'skip') THEN
		RAISE EXCEPTION USING ERRCODE = 'RT146',
			MESSAGE = format('on_error %s is unknown', coalesce('"' || on_error || '"', 'null')),
			HINT = 'It is block, park_aggregate or skip.';
	END IF;
	IF max_attempts IS NULL OR max_attempts NOT BETWEEN 1 AND 1000 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT146',
			MESSAGE = format('max_attempts %s is out of range', coalesce(max_attempts::text, 'null')), HINT = 'Give a number from 1 to 1000.';
	END IF;
	IF backoff IS NULL OR backoff NOT BETWEEN interval '0' AND interval '1 day' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT146',
			MESSAGE = format('backoff %s is out of range', coalesce(backoff::text, 'null')), HINT = 'Give a time from 0 to 1 day.';
	END IF;
	f := routing.consumer_filter(types, partition);
	p := routing.stream_place_of(start_at);
	PERFORM routing.mark_stream();
	INSERT INTO routing.consumer (tenant_id, consumer, types, partition_no, partitions, on_error, max_attempts, backoff,
								  last_epoch, last_snapshot, last_low)
	VALUES (tenant, name, consumer_register.types, f.partition_no, f.partitions, consumer_register.on_error,
			consumer_register.max_attempts, consumer_register.backoff, p.epoch, p.snapshot, p.low)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT144',
			MESSAGE = format('consumer "%s" exists already', name),
			HINT = 'Choose another name, or call consumer_unregister() first.';
	END IF;
END
$$;
COMMENT ON FUNCTION routing.consumer_register(text, text, text[], text, text, int, interval) IS
	'makes a consumer of the current tenant''s events; start_at is now, oldest, an event''s id or a time';

/*
 * The consumer's row, locked until the transaction ends.  Lock order: this row
 * before its rows of consumer_wait and dead_letter.
 */
CREATE FUNCTION routing.consumer_lock(tenant int, name text, skip boolean DEFAULT false) RETURNS routing.consumer
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c	routing.consumer;
BEGIN
	IF skip THEN
		SELECT * INTO c FROM routing.consumer k WHERE k.tenant_id = tenant AND k.consumer = name FOR NO KEY UPDATE SKIP LOCKED;
		IF NOT FOUND AND EXISTS (SELECT FROM routing.consumer k WHERE k.tenant_id = tenant AND k.consumer = name) THEN
			RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
				MESSAGE = format('consumer "%s" is running in another session', name),
				HINT = 'Try again later. To share the work, register consumers with the partitions 0/n to n-1/n.';
		END IF;
	ELSE
		SELECT * INTO c FROM routing.consumer k WHERE k.tenant_id = tenant AND k.consumer = name FOR NO KEY UPDATE;
	END IF;
	IF c.consumer IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT143',
			MESSAGE = format('consumer %s is unknown', coalesce('"' || name || '"', 'null')),
			HINT = 'Make it with consumer_register(); consumer_status() lists those that are there.';
	END IF;
	RETURN c;
END
$$;
COMMENT ON FUNCTION routing.consumer_lock(int, text, boolean) IS 'internal: locks a consumer''s row and returns it';

CREATE FUNCTION routing.consumer_unregister(name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c	routing.consumer := routing.consumer_lock(routing.current_tenant(), name);
BEGIN
	DELETE FROM routing.consumer_wait w WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer;
	DELETE FROM routing.dead_letter d WHERE d.tenant_id = c.tenant_id AND d.consumer = c.consumer;
	DELETE FROM routing.consumer k WHERE k.tenant_id = c.tenant_id AND k.consumer = c.consumer;
END
$$;
COMMENT ON FUNCTION routing.consumer_unregister(text) IS 'removes a consumer with what it could not process';

/*
 * What waits and comes again by the replay is forgotten; what lies before it
 * goes on waiting.
 */
CREATE FUNCTION routing.consumer_replay(name text, since text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c	routing.consumer := routing.consumer_lock(routing.current_tenant(), name);
	p	record := routing.stream_place_of(since);
BEGIN
	WITH again AS (
		DELETE FROM routing.consumer_wait w USING routing.event e
		WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer
		  AND e.part_on = w.part_on AND e.tenant_id = w.tenant_id AND e.seq = w.seq
		  AND NOT (e.epoch < p.epoch OR (e.epoch = p.epoch AND pg_visible_in_snapshot(e.xid, p.snapshot)))
		RETURNING w.event_id)
	UPDATE routing.dead_letter d SET state = 'replayed', closed_at = clock_timestamp(), closed_by = session_user
	FROM again a WHERE d.tenant_id = c.tenant_id AND d.consumer = c.consumer AND d.event_id = a.event_id AND d.state = 'dead';
	UPDATE routing.consumer_wait w SET batch_id = NULL WHERE w.tenant_id = c.tenant_id AND w.consumer = c.consumer;
	UPDATE routing.consumer k
	SET last_epoch = p.epoch, last_snapshot = p.snapshot, last_low = p.low,
		cur_epoch = NULL, cur_snapshot = NULL, cur_low = NULL, cur_high = NULL, seq_done = 0, batch_to = NULL, batch_at = NULL
	WHERE k.tenant_id = c.tenant_id AND k.consumer = c.consumer;
END
$$;
COMMENT ON FUNCTION routing.consumer_replay(text, text) IS
	'lets a consumer read again from an event''s id, a time or oldest, or go on from now; the open batch is given up';
