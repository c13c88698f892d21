-- reading the event table without a registered consumer, on a standby too

CREATE TYPE routing.event_read AS (
	token				text,
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
COMMENT ON TYPE routing.event_read IS 'an event as event_since() returns it: the published columns, and from where to go on';

/*
 * What is visible in either.  Snapshots of a primary and of a standby need not
 * contain each other: commits become visible in another order.
 */
CREATE FUNCTION routing.snapshot_union(a pg_snapshot, b pg_snapshot) RETURNS pg_snapshot
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('%s:%s:%s', coalesce(u.ids[1], pg_snapshot_xmax(s.longer)), pg_snapshot_xmax(s.longer),
				  array_to_string(u.ids, ','))::pg_snapshot
	FROM (SELECT CASE WHEN pg_snapshot_xmax(a) >= pg_snapshot_xmax(b) THEN a ELSE b END AS longer,
				 CASE WHEN pg_snapshot_xmax(a) >= pg_snapshot_xmax(b) THEN b ELSE a END AS shorter) s,
		 LATERAL (SELECT array_agg(x ORDER BY x) AS ids FROM pg_snapshot_xip(s.longer) x
				  WHERE NOT pg_visible_in_snapshot(x, s.shorter)) u
$$;
COMMENT ON FUNCTION routing.snapshot_union(pg_snapshot, pg_snapshot) IS
	'internal: the snapshot in which is visible what is visible in one of two';

/*
 * Where a reader goes on who was at a place of another timeline.  A failover
 * may have taken back the last transactions of that one, and their ids are
 * given again, so that the place shows what it never showed.  A mark that was
 * made on that timeline, and is here, came with everything that it shows.
 */
CREATE FUNCTION routing.stream_place_before(timeline int, INOUT epoch int, INOUT snapshot pg_snapshot, OUT low bigint)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	m	routing.stream_mark;
BEGIN
	SELECT * INTO m FROM routing.stream_mark t
	WHERE t.tenant_id = routing.current_tenant() AND t.timeline <= stream_place_before.timeline
	  AND (t.epoch < stream_place_before.epoch
		   OR (t.epoch = stream_place_before.epoch AND pg_snapshot_xmax(t.snapshot) <= pg_snapshot_xmin(stream_place_before.snapshot)))
	ORDER BY t.marked_at DESC LIMIT 1;
	epoch := coalesce(m.epoch, 0);
	snapshot := coalesce(m.snapshot, '1:1:');
	low := coalesce(m.low, 0);
END
$$;
COMMENT ON FUNCTION routing.stream_place_before(int, int, pg_snapshot) IS
	'internal: the newest mark of a timeline that shows nothing that the given place does not; the beginning if there is none';

/*
 * The token is the timeline and the consumer's row in text: the last place, and
 * within a window the place of its end and how far it is read.
 */
CREATE FUNCTION routing.event_since(since text, max int DEFAULT 100, types text[] DEFAULT NULL, partition text DEFAULT NULL)
	RETURNS SETOF routing.event_read
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
	SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan ROWS 100 AS $$
DECLARE
	c		routing.consumer;
	f		record := routing.consumer_filter(types, partition);
	p		record;
	t		text[];
	reads	bigint;
	n		bigint;
	last_seq	bigint;
	wanted	bigint[];
	fresh	boolean := false;
	behind	boolean := false;
	shown	routing.consumer;
	token	text;
	alone	routing.event_read;
	timeline	int;
BEGIN
	c.tenant_id := routing.current_tenant();
	IF max IS NULL OR max NOT BETWEEN 1 AND 10000 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT146',
			MESSAGE = format('max %s is out of range', coalesce(max::text, 'null')), HINT = 'Give a number from 1 to 10000.';
	END IF;
	c.seq_done := 0;
	t := regexp_match(since, '^(\d{1,9})@(\d{1,9})/(\d{1,20}:\d{1,20}:[\d,]*)/(\d{1,18})(?:/(\d{1,9})/(\d{1,20}:\d{1,20}:[\d,]*)/(\d{1,18})/(\d{1,18})/(\d{1,18}))?$');
	IF t IS NOT NULL THEN
		BEGIN
			c.last_epoch := t[1];
			timeline := t[2];
			c.last_snapshot := t[3];
			c.last_low := t[4];
			c.cur_epoch := t[5];
			c.cur_snapshot := t[6];
			c.cur_low := t[7];
			c.cur_high := t[8];
			c.seq_done := coalesce(t[9]::bigint, 0);
		EXCEPTION WHEN data_exception THEN
			RAISE EXCEPTION USING ERRCODE = 'RT146',
				MESSAGE = format('token "%s" is not one', since), HINT = 'Give what the last call returned.';
		END;
	ELSE
		p := routing.stream_place_of(since);
		c.last_epoch := p.epoch;
		c.last_snapshot := p.snapshot;
		c.last_low := p.low;
	END IF;

	p := routing.stream_place();
	IF timeline < p.timeline AND p.epoch = coalesce(c.cur_epoch, c.last_epoch) THEN
		SELECT b.epoch, b.snapshot, b.low INTO c.last_epoch, c.last_snapshot, c.last_low
		FROM routing.stream_place_before(timeline, c.last_epoch, c.last_snapshot) b;
		c.cur_epoch := NULL;
		c.cur_snapshot := NULL;
		c.cur_low := NULL;
		c.cur_high := NULL;
		c.seq_done := 0;
	END IF;
	IF p.epoch < coalesce(c.cur_epoch, c.last_epoch)
		OR (p.epoch = coalesce(c.cur_epoch, c.last_epoch)
			AND (timeline > p.timeline OR routing.snapshot_beyond(coalesce(c.cur_snapshot, c.last_snapshot), p.snapshot))) THEN
		IF NOT pg_is_in_recovery() THEN
			RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
				MESSAGE = 'the token is from a cluster that was further than this one is',
				HINT = 'Resume from the last event that was processed, by its id.';
		END IF;
		behind := true;
	ELSIF p.epoch = c.cur_epoch AND EXISTS (SELECT FROM pg_snapshot_xip(p.snapshot) x WHERE pg_visible_in_snapshot(x, c.cur_snapshot)) THEN
		-- the window was begun elsewhere, and this standby does not show all of it yet
		behind := true;
	END IF;
	WHILE NOT behind LOOP
		IF c.cur_snapshot IS NULL THEN
			EXIT WHEN fresh;
			fresh := true;
			c.cur_epoch := p.epoch;
			c.cur_snapshot := p.snapshot;
			c.cur_low := coalesce(p.low, c.last_low);
			c.cur_high := p.high;
			c.seq_done := 0;
			IF p.epoch = c.last_epoch THEN
				c.cur_snapshot := routing.snapshot_union(c.last_snapshot, p.snapshot);
			END IF;
		END IF;
		reads := least(20000, max::bigint * f.partitions * CASE WHEN f.patterns IS NULL THEN 1 ELSE 4 END
						+ CASE WHEN f.partitions > 1 OR f.patterns IS NOT NULL THEN 100 ELSE 0 END);
		SELECT count(*), pg_catalog.max(e.seq),
			   array_agg(e.seq) FILTER (WHERE routing.event_wanted(e.type, e.aggregateid, f.patterns, f.partition_no, f.partitions))
		INTO n, last_seq, wanted
		FROM routing.event_window(c.tenant_id, c.last_epoch, c.last_snapshot, c.last_low, c.cur_epoch, c.cur_snapshot,
								  c.seq_done, c.cur_high, reads) e;
		c.batch_to := CASE WHEN cardinality(wanted) >= max AND (n = reads OR cardinality(wanted) > max) THEN wanted[max]
						   WHEN n = reads THEN last_seq ELSE c.cur_high END;
		shown := c;
		c := routing.consumer_done(c);
		EXIT WHEN wanted IS NOT NULL;
	END LOOP;
	token := concat_ws('/', format('%s@%s', c.last_epoch, CASE WHEN behind THEN coalesce(timeline, p.timeline) ELSE p.timeline END), c.last_snapshot, c.last_low, c.cur_epoch, c.cur_snapshot, c.cur_low, c.cur_high,
					   CASE WHEN c.cur_epoch IS NOT NULL THEN c.seq_done END);
	IF wanted IS NULL THEN
		alone.token := token;
		RETURN NEXT alone;
		RETURN;
	END IF;
	RETURN QUERY
	SELECT token, e.tenant_id, e.seq, e.part_on, e.recorded_at, e.event_ts, e.id, e.epoch, e.tenantid, e.aggregatetype,
		   e.aggregateid, e.aggregateversion, e.type, e.schemaversion, e.occurred_at, e.correlationid, e.causationid, e.traceparent,
		   e.tracestate, e.tracingspancontext, e.payload
	FROM routing.event_window(c.tenant_id, shown.last_epoch, shown.last_snapshot, shown.last_low, shown.cur_epoch, shown.cur_snapshot,
							  shown.seq_done, shown.batch_to, 1000000) e
	WHERE routing.event_wanted(e.type, e.aggregateid, f.patterns, f.partition_no, f.partitions);
END
$$;
COMMENT ON FUNCTION routing.event_since(text, int, text[], text) IS
	'the events after a token, before an event or a time, from the beginning (oldest) or from now on; one row with the token alone if there is none';
