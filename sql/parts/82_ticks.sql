-- events: retention, ticks and heartbeats

CREATE FUNCTION routing.event_partitions(OUT leaf text, OUT from_on date, OUT to_on date, OUT attached boolean)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 30 AS $$
	SELECT c.relname::text, b.bounds[1]::date, b.bounds[2]::date, NOT i.inhdetachpending
	FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
		 regexp_match(pg_get_expr(c.relpartbound, c.oid), $r$FROM \('([^']+)'\) TO \('([^']+)'\)$r$) b (bounds)
	WHERE i.inhparent = 'routing.event'::regclass
	ORDER BY 2
$$;
COMMENT ON FUNCTION routing.event_partitions() IS
	'the partitions of routing.event, the days they are for, and whether they are attached (a detaching may be unfinished)';

/*
 * What a partition that is no more wanted is called while it goes: a server
 * that stops between the detaching and the dropping leaves a table that only
 * this comment tells from one that somebody detached to keep it.
 */
CREATE FUNCTION routing.event_partitions_to_drop(OUT leaf text, OUT part_on date, OUT unread_by text[], OUT commands text[])
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
	WITH setting AS MATERIALIZED (
		-- a session that has not loaded the library yet does not know its settings
		SELECT coalesce(current_setting('routing.event_retention', true), '30')::int AS days,
			   coalesce(current_setting('routing.event_retention_max', true), '90')::int AS max_days,
			   (now() AT TIME ZONE 'UTC')::date AS today
	), old AS (
		SELECT p.leaf, p.from_on, p.attached, p.to_on,
			   coalesce(u.names, '{}') AS unread_by, u.by_tenant
		FROM routing.event_partitions() p, setting s,
			 LATERAL (SELECT jsonb_object_agg(c.tenant_id, c.names) AS by_tenant, array_agg(c.name ORDER BY c.name) AS names
					  FROM (SELECT x.tenant_id, x.consumer AS name, jsonb_agg(x.consumer) OVER t AS names
							FROM routing.consumers_unread_since(p.to_on) x
							WINDOW t AS (PARTITION BY x.tenant_id ORDER BY x.consumer RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) c) u
		WHERE s.days > 0 AND p.to_on <= s.today - s.days
		  -- the one that events go into stays, however old
		  AND p.from_on < (SELECT max(n.from_on) FROM routing.event_partitions() n WHERE n.from_on <= s.today)
	)
	SELECT o.leaf, o.from_on, o.unread_by,
		   ARRAY[CASE WHEN cardinality(o.unread_by) > 0
					  THEN format('SELECT routing.declare_event_gap(%L, %L, %L)', o.leaf, o.from_on, o.by_tenant)
					  ELSE format('COMMENT ON TABLE routing.%I IS %L', o.leaf, 'expired events, being dropped') END,
				 format('ALTER TABLE routing.event DETACH PARTITION routing.%I %s', o.leaf,
						CASE WHEN o.attached THEN 'CONCURRENTLY' ELSE 'FINALIZE' END),
				 format('DROP TABLE routing.%I', o.leaf)]
	FROM old o, setting s
	WHERE cardinality(o.unread_by) = 0 OR (s.max_days > 0 AND o.to_on <= s.today - s.max_days)
	UNION ALL
	SELECT c.relname::text, NULL, '{}', ARRAY[format('DROP TABLE routing.%I', c.relname)]
	FROM pg_class c
	WHERE c.relnamespace = 'routing'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
	  AND c.relname ~ '^event_' AND obj_description(c.oid, 'pg_class') LIKE 'expired events, being dropped%'
$$;
COMMENT ON FUNCTION routing.event_partitions_to_drop() IS
	'the event partitions that retention lets go, who has not read them, and the commands that drop them one after the other';

CREATE FUNCTION routing.drop_event_partition(leaf text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
	p		record;
BEGIN
	SELECT * INTO p FROM routing.event_partitions_to_drop() d WHERE d.leaf = drop_event_partition.leaf;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	-- who writes waits for this as long as it waits for him: not long
	BEGIN
		IF p.part_on IS NOT NULL THEN
			EXECUTE p.commands[1];
			IF p.commands[2] LIKE '%FINALIZE' THEN
				EXECUTE p.commands[2];
			ELSE
				EXECUTE format('ALTER TABLE routing.event DETACH PARTITION routing.%I', leaf);
			END IF;
		END IF;
		EXECUTE format('DROP TABLE routing.%I', leaf);
	EXCEPTION WHEN lock_not_available THEN
		RETURN false;
	END;
	RETURN true;
END
$$;
COMMENT ON FUNCTION routing.drop_event_partition(text) IS
	'detaches and drops an event partition that retention lets go; false if it does not, or if the locks could not be had at once';

/*
 * Before it happens, and in the transaction that marks the partition: nothing
 * that comes between then takes the notice back, and a second attempt does not
 * repeat it.
 */
CREATE FUNCTION routing.declare_event_gap(leaf text, part_on date, unread_by jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	LOCK TABLE routing.stream_epoch IN SHARE UPDATE EXCLUSIVE MODE;
	-- one that was marked when everybody had read it may be unread again, after a replay
	IF obj_description(to_regclass(format('routing.%I', leaf)), 'pg_class') = 'expired events, being dropped; the gap is declared' THEN
		RETURN;
	END IF;
	EXECUTE format('COMMENT ON TABLE routing.%I IS %L', leaf, 'expired events, being dropped; the gap is declared');
	PERFORM routing.append_stream_event(t.tenant_id, 'stream.gap_declared.v1',
		jsonb_build_object('epoch', routing.stream_epoch(), 'cause', 'retention', 'from', to_char(part_on, 'YYYY-MM-DD'),
						   'to', to_char(part_on, 'YYYY-MM-DD'), 'consumers', t.consumers))
	FROM (SELECT k::int AS tenant_id, v AS consumers FROM jsonb_each(unread_by) u (k, v) ORDER BY 1) t;
END
$$;
COMMENT ON FUNCTION routing.declare_event_gap(text, date, jsonb) IS
	'internal: marks a partition as one that is being dropped, and appends the events that tell each tenant which of its consumers have not read it; unread_by: the names by tenant_id';

/*
 * Tell those who listen that there is something new.  The state is one row,
 * so that it does not matter who ticks; two at a time do not wait for each
 * other.  Whether there is something new is asked with the pair of snapshots,
 * as consumers read; only the partitions of today and yesterday are looked at.
 */
CREATE FUNCTION routing.tick() RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t			routing.stream_tick;
	-- as consumers read: what it shows survives a crash, so that no id it has seen is given again
	cur			pg_snapshot := (SELECT s.snapshot FROM routing.stream_snapshot() s);
	cur_epoch	int := routing.stream_epoch();
	since		date;
	news		boolean;
	beat		interval := coalesce(current_setting('routing.heartbeat_interval', true), '60')::interval;
	lsn			pg_lsn;
BEGIN
	SELECT * INTO t FROM routing.stream_tick FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		IF NOT EXISTS (SELECT FROM routing.stream_tick) THEN
			INSERT INTO routing.stream_tick
			VALUES (true, cur_epoch, cur, now(), now(), pg_current_wal_lsn()) ON CONFLICT DO NOTHING;
			IF FOUND THEN
				PERFORM pg_notify('routing_events', '');
				RETURN true;
			END IF;
		END IF;
		RETURN false;
	END IF;
	SELECT max(p.from_on) INTO since FROM routing.event_partitions() p WHERE p.from_on < (now() AT TIME ZONE 'UTC')::date;
	news := t.epoch <> cur_epoch OR EXISTS (
		SELECT FROM routing.event e
		WHERE e.part_on >= coalesce(since, '-infinity') AND e.epoch = cur_epoch
		  AND e.xid >= pg_snapshot_xmin(t.snapshot) AND e.xid < pg_snapshot_xmax(cur)
		  AND pg_visible_in_snapshot(e.xid, cur) AND NOT pg_visible_in_snapshot(e.xid, t.snapshot));
	IF news THEN
		UPDATE routing.stream_tick SET epoch = cur_epoch, snapshot = cur, notified_at = now();
		PERFORM pg_notify('routing_events', '');
		PERFORM routing.mark_stream();
	END IF;
	IF beat > interval '0' AND now() - t.heartbeat_at >= beat THEN
		lsn := pg_current_wal_lsn();
		-- less than that is what ticks and heartbeats themselves leave
		IF lsn - t.heartbeat_lsn > 65536
		   AND EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'logical') THEN
			lsn := pg_logical_emit_message(false, 'routing', 'heartbeat');
		END IF;
		UPDATE routing.stream_tick SET heartbeat_at = now(), heartbeat_lsn = lsn;
	END IF;
	RETURN news;
END
$$;
COMMENT ON FUNCTION routing.tick() IS
	'notifies listeners of channel routing_events if events have been committed since the last tick, and writes a heartbeat for replication slots when one is due; returns whether there was something new';

-- no SET and no SECURITY DEFINER: either forbids COMMIT
CREATE PROCEDURE routing.work()
	LANGUAGE plpgsql AS $$
DECLARE
	p	text;
BEGIN
	PERFORM routing.tick();
	COMMIT;
	PERFORM routing.create_event_partitions(pg_catalog.current_setting('routing.event_partitions_ahead')::int);
	COMMIT;
	FOR p IN SELECT d.leaf FROM routing.event_partitions_to_drop() d
	LOOP
		PERFORM routing.drop_event_partition(p);
		COMMIT;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE routing.work() IS
	'what the worker does, once: a tick, event partitions made ahead, and those that retention lets go dropped';
