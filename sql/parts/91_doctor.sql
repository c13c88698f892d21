-- doctor: what is set up wrongly

CREATE FUNCTION routing.library_version() RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_library_version';
COMMENT ON FUNCTION routing.library_version() IS 'version of the shared library';

CREATE FUNCTION routing.time_zone_known(name text) RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'routing_time_zone_known';
COMMENT ON FUNCTION routing.time_zone_known(text) IS 'whether the server knows the time zone';

CREATE FUNCTION routing.doctor(OUT severity text, OUT subject text, OUT problem text, OUT remedy text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
	SELECT 'error', 'extension', format('the library is version %s, the SQL objects are version %s',
										routing.library_version(), e.extversion),
		   'ALTER EXTENSION routing UPDATE'
	FROM pg_extension e WHERE e.extname = 'routing' AND e.extversion <> routing.library_version()
	UNION ALL
	SELECT 'warning', 'wal_level', format('wal_level is %s: no replication slot can stream events', current_setting('wal_level')),
		   'ALTER SYSTEM SET wal_level = logical, then restart; polling the event table needs nothing'
	WHERE current_setting('wal_level') <> 'logical'
	UNION ALL
	SELECT 'warning', 'max_slot_wal_keep_size', 'a replication slot that nobody reads can fill the disk with WAL',
		   'set max_slot_wal_keep_size to what the disk can spare'
	WHERE current_setting('max_slot_wal_keep_size') = '-1' AND EXISTS (SELECT FROM pg_replication_slots)
	UNION ALL
	SELECT 'warning', 'routing.event', 'there is no event partition for today; events go into an older one, or the first order makes one',
		   'SELECT routing.create_event_partitions(), every day'
	WHERE to_regclass('routing.event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NULL
	UNION ALL
	SELECT 'error', format('node %s', n.node), format('time zone "%s" is unknown; UTC is used', n.time_zone),
		   'use a name from pg_timezone_names'
	FROM routing.node n WHERE NOT routing.time_zone_known(n.time_zone) AND routing.is_member(n.tenant_id)
	UNION ALL
	SELECT 'warning', format('node %s', n.node), 'it is open and no lane leaves from it', 'insert its lanes into routing.lane, or close it'
	FROM routing.node n
	WHERE n.status = 'open' AND routing.is_member(n.tenant_id) AND NOT EXISTS (SELECT FROM routing.lane l WHERE l.tenant_id = n.tenant_id AND l.node = n.node)
	UNION ALL
	SELECT x.severity, x.subject, x.problem, x.remedy FROM routing.doctor_network() x
	UNION ALL
	SELECT x.severity, x.subject, x.problem, x.remedy FROM routing.doctor_events() x
	UNION ALL
	SELECT x.severity, x.subject, x.problem, x.remedy FROM routing.doctor_consumers() x
	UNION ALL
	SELECT 'error', format('trigger %s on routing.%s', t.tgname, c.relname), 'it is disabled or does not fire always',
		   format('ALTER TABLE routing.%I ENABLE ALWAYS TRIGGER %I', c.relname, t.tgname)
	FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
	WHERE c.relnamespace = 'routing'::regnamespace AND p.pronamespace = 'routing'::regnamespace
	  AND c.relkind <> 'v' AND NOT t.tgisinternal AND t.tgenabled <> 'A'
	  AND (t.tgname <> 'refuse_unknown' OR t.tgenabled = 'D')		-- it stands for foreign keys
	UNION ALL
	SELECT 'error', format('binding %s', w.binding),
		   format('table %I.%I %s', w.table_schema, w.table_name,
				  CASE WHEN to_regclass(format('%I.%I', w.table_schema, w.table_name)) IS NULL THEN 'is gone or renamed'
					   ELSE 'has lost triggers of the binding, or they are disabled' END),
		   format('SELECT routing.unbind(%L), bind again, then sync', w.binding)
	FROM routing.binding_watch w
	WHERE routing.is_member(w.tenant_id) AND 4 > (SELECT count(*) FROM pg_trigger t
			   WHERE t.tgrelid = to_regclass(format('%I.%I', w.table_schema, w.table_name))
				 AND t.tgenabled = 'A' AND NOT t.tgisinternal
				 AND CASE WHEN t.tgfoid = 'routing.settle()'::regprocedure
						  THEN position(format('note_change(%s, %L::text, %s,', w.tenant_id, w.binding, w.watch_no)
										IN pg_get_triggerdef(t.oid)) > 0
						  WHEN t.tgfoid = 'routing.note_truncate()'::regprocedure
						  THEN t.tgname LIKE format('routing\_%s\_%%\_%s\_t', w.tenant_id, w.watch_no)
							   AND position(convert_to(w.binding, getdatabaseencoding()) IN t.tgargs) > 0
						  ELSE false END)
	UNION ALL
	SELECT 'error', format('%s of binding %s', b.c, w.binding), format('watched table %I.%I belongs to a superuser', w.table_schema, w.table_name),
		   'ALTER TABLE ... OWNER TO a role that is not a superuser'
	FROM routing.binding_watch w, LATERAL (SELECT w.concept AS c) b, pg_class c, pg_roles r
	WHERE c.oid = to_regclass(format('%I.%I', w.table_schema, w.table_name)) AND r.oid = c.relowner AND r.rolsuper
	  AND routing.is_member(w.tenant_id)
	UNION ALL
	SELECT 'warning', format('binding %s', b.binding), 'it is paused', format('SELECT routing.resume(%L)', b.binding)
	FROM routing.binding b WHERE b.state = 'paused' AND routing.is_member(b.tenant_id)
	UNION ALL
	SELECT 'warning', format('binding %s', p.binding), format('%s keys are pending; the oldest since %s: %s', count(*),
				date_trunc('second', min(p.noted_at)), (array_agg(p.reason ORDER BY p.noted_at, p.key))[1]),
		   CASE WHEN bool_or(p.key = '*') THEN format('correct the cause, then SELECT routing.sync(%L)', p.binding)
				ELSE 'correct the cause, then SELECT routing.run_jobs()' END
	FROM routing.pending p WHERE routing.is_member(p.tenant_id) GROUP BY p.tenant_id, p.binding
	UNION ALL
	SELECT 'error', format('trigger %s on routing.%s', t.tgname, c.relname),
		   'the engine writes this table directly, so it does not fire', format('DROP TRIGGER %I ON routing.%I', t.tgname, c.relname)
	FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'routing'::regnamespace AND NOT t.tgisinternal
	  AND (c.relname IN ('position', 'reservation', 'decision', 'event') OR c.relname LIKE 'event\_2%')
	UNION ALL
	SELECT 'error', 'routing.position', format('index %s is not the extension''s; its entries are not kept right', i.indexrelid::regclass),
		   format('DROP INDEX %s', i.indexrelid::regclass)
	FROM pg_index i WHERE i.indrelid = 'routing.position'::regclass AND NOT i.indisprimary
	UNION ALL
	SELECT CASE p.policy WHEN 'standard' THEN 'warning' ELSE 'error' END, format('policy %s', p.policy),
		   format('its active version is effective in the future; until then %s',
				  CASE p.policy WHEN 'standard' THEN 'the built-in values apply' ELSE 'orders that name it are refused' END),
		   'activate a version that counts at once'
	FROM routing.policy p WHERE p.state = 'active' AND routing.is_member(p.tenant_id)
	GROUP BY p.tenant_id, p.policy
	HAVING bool_and(p.effective_at > p.activated_at AND p.effective_at > routing.engine_now())
	UNION ALL
	SELECT 'error', format('policy %s version %s', p.policy, p.version), w.problem, 'correct it in a new version, or put back what is missing'
	FROM routing.policy p,
		 LATERAL (SELECT routing.policy_problem(p.tenant_id, p.policy, p.version, p.definition, p.base_version) AS problem) w
	WHERE p.state = 'active' AND w.problem IS NOT NULL AND routing.is_member(p.tenant_id)
	  AND (p.effective_at > routing.engine_now() OR p.version = routing.policy_in_effect(p.tenant_id, p.policy, routing.engine_now()))
	UNION ALL
	-- what is in doubt holds orders, positions or slots: who wants them waits, and hot item-nodes cannot be folded
	SELECT 'warning', format('prepared transaction %s', x.gid),
		   format('prepared by %s at %s, it still holds locks of the engine', x.owner, date_trunc('second', x.prepared)),
		   format('COMMIT PREPARED %L or ROLLBACK PREPARED %L', x.gid, x.gid)
	FROM pg_prepared_xacts x
	WHERE x.database = current_database() AND x.prepared < routing.engine_now() - interval '1 minute'
	  AND EXISTS (SELECT FROM pg_locks own JOIN pg_locks l ON l.virtualtransaction = own.virtualtransaction AND l.pid IS NULL
				  JOIN pg_class c ON c.oid = l.relation
				  WHERE own.locktype = 'transactionid' AND own.transactionid = x.transaction AND own.pid IS NULL
					AND own.mode = 'ExclusiveLock' AND own.granted
					AND l.locktype = 'relation' AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
					AND c.relnamespace = 'routing'::regnamespace AND c.relkind IN ('r', 'p')
					AND l.mode <> 'AccessShareLock')
	UNION ALL
	SELECT 'warning', 'routing.roll()',
		   CASE WHEN s.rolled_at IS NULL THEN 'it has never run'
				ELSE format('it last ran at %s', date_trunc('second', s.rolled_at)) END
		   || ', and supply with a date may be late or past its last day by now',
		   'SELECT routing.roll(), every hour'
	FROM routing.tenant t LEFT JOIN routing.setting s USING (tenant_id)
	WHERE (s.rolled_at IS NULL OR s.rolled_at < routing.engine_now() - interval '1 day') AND routing.is_member(t.tenant_id)
	  AND EXISTS (SELECT FROM routing.supply d WHERE d.tenant_id = t.tenant_id
				  AND (d.available_on <> '-infinity' OR d.expires_on IS NOT NULL) AND d.quantity <> 0
				  AND d."from" < routing.engine_now() - interval '1 day')
$$;
COMMENT ON FUNCTION routing.doctor() IS 'each thing that is set up wrongly, with the remedy';
