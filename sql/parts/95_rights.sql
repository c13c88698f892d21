-- rights: nothing for PUBLIC but what row-level security and triggers call

CREATE FUNCTION routing.grant_access(role text, level text DEFAULT 'read') RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tenant	int := routing.current_tenant();
	f		regprocedure;
	readers	text[] := ARRAY['atp', 'atp_total', 'atp_nodes', 'atp_timeline', 'atp_table', 'atp_as_of',
							'pegging', 'promise', 'promise_options', 'score_nodes', 'explain', 'explain_rows',
							'why_not', 'replay', 'decision_detail', 'position_figures', 'node_today', 'withheld',
							'money_text', 'day_text', 'shipments_text', 'cost_text', 'hold_lines', 'impact',
							'allotment_figures', 'event_hash', 'event_payload', 'cloudevent',
							'simulate', 'simulate_summary', 'simulated_orders', 'compare',
							'engine_now', 'policy_in_effect', 'policy_effective', 'policy_leaves', 'policy_diff',
							'stock_day', 'capacity_limit', 'stream_epoch', 'system_identifier', 'slot_status',
							'plugin_problem', 'event_partitions', 'consumer_status', 'event_since', 'event_problem'];
	writers	text[] := ARRAY['route_order', 'cancel_order', 'hold', 'confirm_hold', 'cancel_hold',
							'put_supply', 'adjust_on_hand', 'receive', 'put_snapshot', 'put_demand',
							'put_transfer', 'cancel_demand', 'confirm_transfer_shipped', 'confirm_ship',
							'report_service_failure', 'report_service_success',
							'consumer_next', 'consumer_ack', 'consumer_nack'];
	admins	text[] := ARRAY['bind', 'unbind', 'pause', 'resume', 'sync', 'reconcile', 'run_jobs', 'roll',
							'verify', 'doctor', 'purge_history', 'purge_decisions', 'create_event_partitions', 'library_version',
							'time_zone_known', 'put_allotment',
							'put_policy', 'lock_policy', 'approve_policy', 'activate_policy', 'retire_policy',
							'start_stream_epoch', 'create_publication', 'create_slot', 'tick', 'work',
							'event_partitions_to_drop', 'drop_event_partition', 'doctor_events', 'doctor_consumers',
							'mark_stream', 'consumer_register', 'consumer_unregister', 'consumer_replay', 'consumer_retry', 'consumer_discard',
							'recall', 'policy_problem', 'check_policy', 'check_policy_references'];
	names	text[];
BEGIN
	IF role IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = grant_access.role) THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('role %s does not exist', coalesce('"' || role || '"', 'null')),
			HINT = 'Create the role first.';
	END IF;
	IF level IS NULL OR level NOT IN ('read', 'write', 'admin') THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = format('level %s is unknown', coalesce('"' || level || '"', 'null')), HINT = 'It is read, write or admin.';
	END IF;
	INSERT INTO routing.tenant_member (tenant_id, role) VALUES (tenant, grant_access.role) ON CONFLICT DO NOTHING;
	EXECUTE format('GRANT USAGE ON SCHEMA routing TO %I', role);
	EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA routing TO %I', role);
	names := readers;
	IF level IN ('write', 'admin') THEN
		names := names || writers;
		EXECUTE format('GRANT INSERT, UPDATE, DELETE ON routing.sales_order, routing.sales_order_line TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, item, node, ref, lot, available_on, quantity, expires_on, kind, status, order_id, line_no),
						UPDATE (item, node, ref, lot, available_on, quantity, expires_on, kind, status, order_id, line_no),
						DELETE ON routing.supply TO %I', role);
		EXECUTE format('GRANT INSERT ON routing.supply_load TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, ref, item, node, quantity, needed_on, kind, to_node, arrives_on, priority),
						UPDATE (ref, item, node, quantity, needed_on, kind, to_node, arrives_on, priority),
						DELETE ON routing.demand TO %I', role);
	END IF;
	IF level = 'admin' THEN
		names := names || admins;
		EXECUTE format('GRANT INSERT, UPDATE, DELETE ON routing.node, routing.item_uom, routing.zone, routing.zone_area, routing.carrier,
						routing.service, routing.lane, routing.channel, routing.customer, routing.item, routing.policy, routing.restriction,
						routing.item_component, routing.item_substitute TO %I', role);
		EXECUTE format('GRANT INSERT, UPDATE, DELETE ON routing.pickup TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, node, kind, weekday, on_date, quantity, hard, price_from, price),
						UPDATE (node, kind, weekday, on_date, quantity, hard, price_from, price), DELETE ON routing.capacity TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, calendar, name, weekdays), UPDATE (calendar, name, weekdays), DELETE
						ON routing.calendar TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, calendar, day, open, name), UPDATE (calendar, day, open, name), DELETE
						ON routing.calendar_day TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, kind, status, usable, delay_days, late_days),
						UPDATE (kind, status, usable, delay_days, late_days), DELETE ON routing.supply_rule TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, issue_grace, receipt_tolerance),
						UPDATE (issue_grace, receipt_tolerance), DELETE ON routing.setting TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, item, node, safety_stock, lead_time_days, dock_days, enabled, unit_cost),
						UPDATE (safety_stock, lead_time_days, dock_days, enabled, unit_cost), DELETE ON routing.item_node TO %I', role);
		EXECUTE format('GRANT INSERT (tenant_id, item, node, channel, valid_from, valid_to, quota, max_quantity, buffer, rank),
						UPDATE (item, node, channel, valid_from, valid_to, quota, max_quantity, buffer, rank), DELETE
						ON routing.allotment TO %I', role);
	END IF;
	FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
			 WHERE p.pronamespace = 'routing'::regnamespace AND p.proname = ANY (names)
	LOOP
		EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', f, role);
	END LOOP;
END
$$;
COMMENT ON FUNCTION routing.grant_access(text, text) IS
	'makes a role a member of the current tenant and grants it what readers, writers or administrators need';

REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA routing FROM PUBLIC;
GRANT USAGE ON SCHEMA routing TO PUBLIC;
-- column defaults and row-level security call these as whoever works with the tables
GRANT EXECUTE ON FUNCTION routing.current_tenant() TO PUBLIC;
GRANT EXECUTE ON FUNCTION routing.is_member(int) TO PUBLIC;
-- triggers on other people's tables call these as whoever changes a row; they only note keys
-- (settle() and note_truncate(), which only triggers can call: partitions that the owner of a bound table adds
-- get their triggers as he)
GRANT EXECUTE ON FUNCTION routing.settle() TO PUBLIC;
GRANT EXECUTE ON FUNCTION routing.note_truncate() TO PUBLIC;
GRANT EXECUTE ON FUNCTION routing.settle_due() TO PUBLIC;
GRANT EXECUTE ON FUNCTION routing.note_change(int, text, int, record, record) TO PUBLIC;

DO $$
DECLARE
	t	pg_catalog.name;
BEGIN
	FOR t IN SELECT a.relname FROM pg_catalog.pg_class a
			 WHERE a.relnamespace = 'routing'::pg_catalog.regnamespace AND a.relkind IN ('r', 'p')
			   AND EXISTS (SELECT FROM pg_catalog.pg_attribute c
						   WHERE c.attrelid = a.oid AND c.attname = 'tenant_id')
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE routing.%I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE pg_catalog.format('CREATE POLICY tenant_policy ON routing.%I USING (routing.is_member(tenant_id))', t);
	END LOOP;
END
$$;

-- dumps: every table with rows of users, every sequence; seed rows are made by the script
SELECT pg_catalog.pg_extension_config_dump('routing.tenant', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('routing.policy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('routing.event_type', 'WHERE false');
DO $$
DECLARE
	r	record;
BEGIN
	FOR r IN SELECT c.oid, c.relname FROM pg_catalog.pg_class c
			 WHERE c.relnamespace = 'routing'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p', 'S')
			   AND c.relname NOT IN ('tenant', 'policy', 'event_type')
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(r.oid::pg_catalog.regclass, '');
	END LOOP;
END
$$;
