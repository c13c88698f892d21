-- events: partitions and the publication

CREATE FUNCTION routing.event_partition(part_on date) RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	leaf	text;
BEGIN
	IF event_partition.part_on IS NULL OR event_partition.part_on NOT BETWEEN '1900-01-01' AND '2999-12-31' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT016',
			MESSAGE = format('part_on %s is out of range', coalesce(event_partition.part_on::text, 'null')),
			HINT = 'Give a date from 1900 to 2999.';
	END IF;
	leaf := 'event_' || to_char(event_partition.part_on, 'YYYYMMDD');
	-- one maker at a time; whoever waited finds the partition made
	LOCK TABLE routing.event IN SHARE UPDATE EXCLUSIVE MODE;
	IF to_regclass('routing.' || leaf) IS NULL THEN
		EXECUTE format('CREATE TABLE routing.%I PARTITION OF routing.event FOR VALUES FROM (%L) TO (%L)',
					   leaf, event_partition.part_on, event_partition.part_on + 1);
		EXECUTE format('ALTER TABLE routing.%I ADD PRIMARY KEY (tenant_id, seq)', leaf);
		EXECUTE format('CREATE INDEX ON routing.%I (xid, seq)', leaf);
		EXECUTE format('CREATE UNIQUE INDEX ON routing.%I (tenant_id, aggregatetype, aggregateid, aggregateversion)', leaf);
		EXECUTE format('ALTER TABLE routing.%I ENABLE ROW LEVEL SECURITY', leaf);
		EXECUTE format('CREATE POLICY tenant_policy ON routing.%I USING (routing.is_member(tenant_id))', leaf);
	END IF;
	RETURN leaf;
END
$$;
COMMENT ON FUNCTION routing.event_partition(date) IS
	'makes the event partition of a day if it is not there; returns its name';

CREATE FUNCTION routing.create_event_partitions(days int DEFAULT 7) RETURNS int
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made	int := 0;
	d		date;
BEGIN
	IF days IS NULL OR days NOT BETWEEN 0 AND 366 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT016',
			MESSAGE = format('days %s is out of range', coalesce(days::text, 'null')),
			HINT = 'Give a number from 0 to 366.';
	END IF;
	FOR d IN SELECT g::date FROM generate_series((now() AT TIME ZONE 'UTC')::date,
												 (now() AT TIME ZONE 'UTC')::date + days, interval '1 day') g
	LOOP
		IF to_regclass('routing.event_' || to_char(d, 'YYYYMMDD')) IS NULL THEN
			PERFORM routing.event_partition(d);
			made := made + 1;
		END IF;
	END LOOP;
	RETURN made;
END
$$;
COMMENT ON FUNCTION routing.create_event_partitions(int) IS
	'makes the event partitions from today (UTC) for so many days ahead; returns how many were made';

CREATE FUNCTION routing.create_publication(name text DEFAULT 'routing_events') RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF name IS NULL OR name = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = 'publication name must not be empty', HINT = 'The usual name is routing_events.';
	END IF;
	EXECUTE format('CREATE PUBLICATION %I FOR TABLE routing.event (tenant_id, seq, part_on, recorded_at,
		event_ts, id, epoch, tenantid, aggregatetype, aggregateid, aggregateversion, type, schemaversion,
		occurred_at, correlationid, causationid, traceparent, tracestate, tracingspancontext, payload)
		WITH (publish = ''insert'', publish_via_partition_root = true)', name);
END
$$;
COMMENT ON FUNCTION routing.create_publication(text) IS
	'makes the publication of the event table; create it before the replication slot';

CREATE FUNCTION routing.stream_epoch() RETURNS int
	LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'routing_stream_epoch';
COMMENT ON FUNCTION routing.stream_epoch() IS
	'the epoch of the events that are written now: 1 at first, the next one after a restore into another cluster';

CREATE FUNCTION routing.system_identifier() RETURNS bigint
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_system_identifier';
COMMENT ON FUNCTION routing.system_identifier() IS
	'the identifier of this cluster, as routing.stream_epoch has it';

CREATE FUNCTION routing.announce_stream_epoch(epoch int, cause text) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'routing_announce_stream_epoch';
COMMENT ON FUNCTION routing.announce_stream_epoch(int, text) IS
	'internal: appends the event of an epoch that start_stream_epoch() recorded';

CREATE FUNCTION routing.start_stream_epoch(cause text) RETURNS int
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_epoch	int;
BEGIN
	IF coalesce(btrim(cause), '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = 'cause must not be empty', HINT = 'Say why consumers see a new epoch, for instance "restored from a file system snapshot".';
	END IF;
	-- no event of the old epoch may still become visible after this one began
	LOCK TABLE routing.event IN SHARE ROW EXCLUSIVE MODE;
	LOCK TABLE routing.stream_epoch IN SHARE UPDATE EXCLUSIVE MODE;
	INSERT INTO routing.stream_epoch (epoch, system_identifier, cause)
	VALUES (coalesce((SELECT max(e.epoch) FROM routing.stream_epoch e), 0) + 1, routing.system_identifier(), btrim(cause))
	RETURNING epoch INTO new_epoch;
	IF new_epoch > 1 THEN
		PERFORM routing.announce_stream_epoch(new_epoch, btrim(cause));
	END IF;
	RETURN new_epoch;
END
$$;
COMMENT ON FUNCTION routing.start_stream_epoch(text) IS
	'starts a new epoch of the event stream by hand; waits for the transactions that are writing events; returns its number';
