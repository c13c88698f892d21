-- events: partitions

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
	-- one maker at a time; whoever writes or reads events goes on, as he would not with PARTITION OF
	LOCK TABLE routing.event IN SHARE UPDATE EXCLUSIVE MODE;
	IF to_regclass('routing.' || leaf) IS NULL THEN
		EXECUTE format('CREATE TABLE routing.%I (LIKE routing.event INCLUDING DEFAULTS INCLUDING STORAGE)', leaf);
		EXECUTE format('ALTER TABLE routing.%I ADD PRIMARY KEY (tenant_id, seq)', leaf);
		-- no two entries are equal: looking for such ones before a page is divided would be for nothing
		EXECUTE format('CREATE INDEX ON routing.%I (xid, seq) WITH (deduplicate_items = off)', leaf);
		-- the column that tells entries apart comes first: all else is the same for nearly all of them
		EXECUTE format('CREATE UNIQUE INDEX ON routing.%I (aggregateid, aggregateversion, aggregatetype, tenant_id)', leaf);
		EXECUTE format('ALTER TABLE routing.%I ENABLE ROW LEVEL SECURITY', leaf);
		EXECUTE format('CREATE POLICY tenant_policy ON routing.%I USING (routing.is_member(tenant_id))', leaf);
		EXECUTE format('ALTER TABLE routing.event ATTACH PARTITION routing.%I FOR VALUES FROM (%L) TO (%L)',
					   leaf, event_partition.part_on, event_partition.part_on + 1);
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
