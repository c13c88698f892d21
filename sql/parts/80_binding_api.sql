-- bindings: declare, settle, compare, remove

CREATE FUNCTION routing.bind(binding text, definition jsonb, on_failure text DEFAULT 'queue') RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'routing_bind';
COMMENT ON FUNCTION routing.bind(text, jsonb, text) IS
	'declares how ERP tables map to orders, lines, supply or issues, and puts triggers on the watched tables; sync() loads what is there';

CREATE FUNCTION routing.unbind(binding text) RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'routing_unbind';
COMMENT ON FUNCTION routing.unbind(text) IS
	'takes the triggers off the watched tables and forgets the binding; orders and supply stay as they are';

CREATE FUNCTION routing.unbind_all() RETURNS int
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'routing_unbind_all';
COMMENT ON FUNCTION routing.unbind_all() IS
	'unbinds every binding of every tenant; what to call before DROP EXTENSION; returns how many';

CREATE FUNCTION routing.pause(binding text) RETURNS void
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'routing_pause';
COMMENT ON FUNCTION routing.pause(text) IS 'from now on changes of the bound tables are only noted, in routing.pending';

CREATE FUNCTION routing.resume(binding text) RETURNS int
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	AS 'MODULE_PATHNAME', 'routing_resume';
COMMENT ON FUNCTION routing.resume(text) IS
	'settles the pending keys of the binding and ends a pause; returns how many keys are still pending';

CREATE FUNCTION routing.sync(binding text) RETURNS int
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	AS 'MODULE_PATHNAME', 'routing_sync';
COMMENT ON FUNCTION routing.sync(text) IS
	'applies every difference between what the mapping says and what the engine holds; returns how many keys differed';

CREATE FUNCTION routing.reconcile(binding text,
								  OUT concept text, OUT key text, OUT field text,
								  OUT erp_value text, OUT engine_value text)
	RETURNS SETOF record
	LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 10
	AS 'MODULE_PATHNAME', 'routing_reconcile';
COMMENT ON FUNCTION routing.reconcile(text) IS
	'differences between what the mapping says and what the engine holds; must be empty';

CREATE FUNCTION routing.run_jobs() RETURNS int
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	AS 'MODULE_PATHNAME', 'routing_run_jobs';
COMMENT ON FUNCTION routing.run_jobs() IS
	'works off what is pending for bindings that are not paused, and what victims of supply changes left; returns how many keys are still pending';
