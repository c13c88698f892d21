-- the publication, and replication slots

CREATE FUNCTION routing.create_publication(name text DEFAULT 'routing_events') RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF name IS NULL OR name = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = 'publication name must not be empty', HINT = 'The usual name is routing_events.';
	END IF;
	-- the columns that consumers get by SQL, after the two that are about the delivery
	EXECUTE format('CREATE PUBLICATION %I FOR TABLE routing.event (%s)
		WITH (publish = ''insert'', publish_via_partition_root = true)', name,
		(SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
		 WHERE a.attrelid = 'routing.delivery'::regclass AND a.attnum > 2));
END
$$;
COMMENT ON FUNCTION routing.create_publication(text) IS
	'makes the publication of the event table; create it before the replication slot';

/*
 * What a value of output_plugin_libraries forbids.  Its list is of file names
 * quoted like identifiers; written as one string by ALTER SYSTEM SET it is one
 * name with commas within, which allows nothing, not even the built-in ones.
 */
CREATE FUNCTION routing.plugin_problem(setting text, plugin text) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names	text[];
BEGIN
	IF setting IS NULL THEN
		RETURN NULL;					-- this server does not know the setting: every library may be used
	END IF;
	names := ARRAY(SELECT btrim(m[1], ' "') FROM regexp_matches(setting, '("(?:[^"]|"")*"|[^,]+)', 'g') m);
	IF plugin = ANY (names) THEN
		RETURN NULL;
	END IF;
	IF EXISTS (SELECT FROM unnest(names) n WHERE n LIKE '%,%') THEN
		RETURN format('output_plugin_libraries has one name with commas within (%s): it allows no output plugin at all, not even pgoutput', setting);
	END IF;
	RETURN format('output_plugin_libraries does not name %s: it is %s', plugin, setting);
END
$$;
COMMENT ON FUNCTION routing.plugin_problem(text, text) IS
	'why a value of output_plugin_libraries does not allow an output plugin; null if it does, or if the server has no such setting';

CREATE FUNCTION routing.create_slot(name text, plugin text DEFAULT 'routing', publication text DEFAULT 'routing_events',
									failover boolean DEFAULT false, OUT slot_name text, OUT lsn pg_lsn)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	problem	text;
BEGIN
	IF coalesce(name, '') !~ '^[a-z0-9_]{1,63}$' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = format('slot name %s is not valid', coalesce('"' || name || '"', 'null')),
			HINT = 'It consists of at most 63 lower-case letters, digits and underscores.';
	END IF;
	IF coalesce(plugin, '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = 'plugin must not be empty', HINT = 'It is routing, pgoutput or another output plugin.';
	END IF;
	IF current_setting('wal_level') <> 'logical' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT150',
			MESSAGE = format('wal_level is %s: no replication slot can stream events', current_setting('wal_level')),
			HINT = 'ALTER SYSTEM SET wal_level = logical, then restart the server. Polling with consumer_next() needs nothing.';
	END IF;
	IF EXISTS (SELECT FROM pg_replication_slots s WHERE s.slot_name = create_slot.name) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT151',
			MESSAGE = format('replication slot "%s" exists already', name), HINT = 'See routing.slot_status().';
	END IF;
	problem := routing.plugin_problem(current_setting('output_plugin_libraries', true), plugin);
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT150', MESSAGE = problem,
			HINT = 'ALTER SYSTEM SET output_plugin_libraries = ''pgoutput'', ''test_decoding'', ''routing''; each name in quotes of its own; then reload.';
	END IF;
	-- decoding what was written before the publication was there fails, and goes on failing; from 18 on it is left out
	IF plugin = 'pgoutput' AND NOT EXISTS (SELECT FROM pg_publication p WHERE p.pubname = publication) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT150',
			MESSAGE = format('publication %s does not exist', coalesce('"' || publication || '"', 'null')),
			HINT = 'Call routing.create_publication() first: a slot that is older cannot be read, or lacks events.';
	END IF;
	IF coalesce(failover, false) AND current_setting('server_version_num')::int < 170000 THEN
		RAISE EXCEPTION USING ERRCODE = 'RT150',
			MESSAGE = 'this server has no failover slots', HINT = 'They came with PostgreSQL 17. After a failover go on with routing.event_since().';
	END IF;
	IF coalesce(failover, false) THEN
		EXECUTE 'SELECT s.slot_name, s.lsn FROM pg_create_logical_replication_slot($1, $2, false, false, true) s'
			INTO slot_name, lsn USING name, plugin;
	ELSE
		SELECT s.slot_name, s.lsn INTO slot_name, lsn FROM pg_create_logical_replication_slot(name, plugin) s;
	END IF;
END
$$;
COMMENT ON FUNCTION routing.create_slot(text, text, text, boolean) IS
	'makes a replication slot for events after checking what would make it useless; the caller needs REPLICATION';

-- What later servers add to pg_replication_slots and to the settings is read by name: it is null before 17.
CREATE FUNCTION routing.slot_status(OUT slot_name text, OUT plugin text, OUT active boolean, OUT retained_bytes numeric,
									OUT unconfirmed_bytes numeric, OUT safe_wal_size bigint, OUT wal_status text,
									OUT confirmed_flush_lsn pg_lsn, OUT failover boolean, OUT problem text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 5 AS $$
	WITH wal AS MATERIALIZED (
		SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn
	), published AS MATERIALIZED (
		SELECT min(age(p.xmin)) AS since FROM pg_publication p
		WHERE p.puballtables
		   OR EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = 'routing.event'::regclass)
		   OR EXISTS (SELECT FROM pg_publication_namespace n WHERE n.pnpubid = p.oid AND n.pnnspid = 'routing'::regnamespace)
	), late AS MATERIALIZED (
		-- standbys that slots with failover wait for and that are not there
		SELECT string_agg(n.name, ', ' ORDER BY n.name) AS names
		FROM regexp_split_to_table(current_setting('synchronized_standby_slots', true), '[ ,"]+') n (name)
		WHERE n.name <> '' AND NOT EXISTS (SELECT FROM pg_replication_slots p
										   WHERE p.slot_name = n.name AND p.slot_type = 'physical' AND p.active)
	)
	SELECT s.slot_name::text, s.plugin::text, s.active, wal.lsn - s.restart_lsn, wal.lsn - s.confirmed_flush_lsn,
		   s.safe_wal_size, s.wal_status, s.confirmed_flush_lsn, x.failover,
		   CASE -- here nobody can read it, nor drop it
				WHEN pg_is_in_recovery() AND x.synced
				THEN CASE WHEN s.temporary OR s.wal_status = 'lost'
						  THEN 'it is not in step with the primary: after a promotion now its consumer would have to go on with routing.event_since()'
					 END
				WHEN s.wal_status = 'lost'
				THEN 'it is lost: drop it, make a new one and go on with routing.event_since()'
				WHEN s.wal_status = 'unreserved'
				THEN 'it is about to be lost: its consumer must catch up'
				WHEN routing.plugin_problem(current_setting('output_plugin_libraries', true), s.plugin) IS NOT NULL
				THEN routing.plugin_problem(current_setting('output_plugin_libraries', true), s.plugin)
				WHEN s.plugin = 'pgoutput' AND published.since IS NULL
				THEN 'no publication has routing.event: its consumer gets no events'
				-- both ages count from now: the younger transaction id has the smaller one
				WHEN s.plugin = 'pgoutput' AND age(s.catalog_xmin) >= published.since
				THEN 'it may be older than the publication: '
					 || CASE WHEN current_setting('server_version_num')::int < 180000
							 THEN 'decoding fails then until it is dropped and made again'
							 ELSE 'what was written between the two is left out then; routing.event_since() has it'
						END
				WHEN x.failover AND late.names IS NOT NULL AND NOT pg_is_in_recovery()
				THEN format('its consumer gets nothing new: synchronized_standby_slots has %s, and no standby is connected there', late.names)
				WHEN NOT s.active AND wal.lsn - s.restart_lsn > 1024 * 1024 * 1024
				THEN 'nobody reads it, and it keeps more than 1 GB of WAL'
		   END
	FROM wal, published, late, pg_replication_slots s, jsonb_to_record(to_jsonb(s)) x (failover boolean, synced boolean)
	WHERE s.slot_type = 'logical' AND s.database = current_database()
$$;
COMMENT ON FUNCTION routing.slot_status() IS
	'the logical replication slots of this database: what they keep, how far their consumers are, and what is wrong with them';

CREATE FUNCTION routing.doctor_events(OUT severity text, OUT subject text, OUT problem text, OUT remedy text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 5 AS $$
	-- that the plugin routing is not allowed matters to who uses it: slot_status() and create_slot() say so
	SELECT 'error', 'output_plugin_libraries', x.problem,
		   'ALTER SYSTEM SET output_plugin_libraries = ''pgoutput'', ''test_decoding'', ''routing'', each name in quotes of its own, then reload'
	FROM routing.plugin_problem(current_setting('output_plugin_libraries', true), 'pgoutput') x (problem)
	WHERE x.problem IS NOT NULL
	UNION ALL
	SELECT 'error', format('replication slot %s', s.slot_name), s.problem, 'see routing.slot_status()'
	FROM routing.slot_status() s WHERE s.problem IS NOT NULL
	UNION ALL
	SELECT 'error', 'sync_replication_slots', 'it is on, and nothing brings slots from the primary: after a promotion consumers would have to go on with routing.event_since()',
		   'set primary_slot_name, hot_standby_feedback, and dbname in primary_conninfo; the server''s log tells which is wrong'
	WHERE pg_is_in_recovery() AND current_setting('sync_replication_slots', true) = 'on'
	  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.backend_type = 'slotsync worker')
	UNION ALL
	SELECT 'error', format('routing.%s', p.leaf), 'the event partition has no primary key: updates and deletes of a publication FOR ALL TABLES fail, and polling is slow',
		   format('ALTER TABLE routing.%I ADD PRIMARY KEY (tenant_id, seq)', p.leaf)
	FROM routing.event_partitions() p
	WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = format('routing.%I', p.leaf)::regclass AND i.indisprimary)
	UNION ALL
	SELECT 'warning', format('routing.%s', p.leaf), 'its detaching was begun and not finished',
		   format('ALTER TABLE routing.event DETACH PARTITION routing.%I FINALIZE, or CALL routing.work()', p.leaf)
	FROM routing.event_partitions() p WHERE NOT p.attached
	UNION ALL
	SELECT 'warning', 'routing.databases', 'the library is preloaded, but no worker runs in this database',
		   CASE WHEN quote_ident(current_database()) = ANY (regexp_split_to_array(btrim(d.list), '\s*,\s*'))
				THEN 'the database is in the list: see the server''s log for what ends its worker'
				ELSE format('ALTER SYSTEM SET routing.databases = %L, then reload; or have CALL routing.work() run every minute',
							concat_ws(', ', nullif(btrim(d.list), ''), quote_ident(current_database()))) END
	FROM coalesce(current_setting('routing.databases', true), '') d (list)
	WHERE current_setting('shared_preload_libraries') ~ '(^|[ ,/"])routing($|[ ,"])'
	  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.backend_type = 'routing worker' AND a.datname = current_database())
	UNION ALL
	SELECT 'warning', 'routing.stream_epoch', 'events were restored from another cluster, and none has been written since: the new epoch is not recorded yet',
		   'the next event records it; do not dump this database before'
	FROM (SELECT x.system_identifier FROM routing.stream_epoch x ORDER BY x.epoch DESC LIMIT 1) x
	WHERE x.system_identifier <> routing.system_identifier()
$$;
COMMENT ON FUNCTION routing.doctor_events() IS 'the part of doctor() about events';
