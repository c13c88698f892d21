-- events of policies, nodes and counts, which no settlement makes

CREATE FUNCTION routing.note_event(tenant_id int, aggregatetype text, aggregateid text, type text, payload jsonb) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'routing_note_event';
COMMENT ON FUNCTION routing.note_event(int, text, text, text, jsonb) IS
	'engine''s own: an event that is made when the transaction commits; its stream is versioned in event_stream';

CREATE FUNCTION routing.event_time(at timestamptz) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
COMMENT ON FUNCTION routing.event_time(timestamptz) IS 'internal: a time as payloads have it';

/*
 * These tables are written directly, so triggers tell of them.  They fire on
 * UPDATE and DELETE only: a restore inserts its rows, and would tell of them
 * again.  A limit of capacity that is new must be told, too; what a restore
 * inserts was made before its transaction began ("since", which nobody but the
 * owner of the table can set).
 */
CREATE FUNCTION routing.tell_node() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM routing.note_event(NEW.tenant_id, 'node', NEW.node, 'node.status_changed.v1', jsonb_build_object(
		'node', NEW.node, 'old', OLD.status, 'new', NEW.status));
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.tell_node() IS 'trigger: the event of a node that was opened or closed';
CREATE TRIGGER note_status AFTER UPDATE ON routing.node
	FOR EACH ROW WHEN (NEW.status IS DISTINCT FROM OLD.status AND NEW.node = OLD.node AND NEW.tenant_id = OLD.tenant_id)
	EXECUTE FUNCTION routing.tell_node();

CREATE FUNCTION routing.capacity_payload(quantity numeric, hard boolean, price_from numeric, price numeric) RETURNS jsonb
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('quantity', trim_scale($1)::text, 'hard', $2, 'price_from', trim_scale($3)::text,
							  'price', trim_scale($4)::text)
$$;
COMMENT ON FUNCTION routing.capacity_payload(numeric, boolean, numeric, numeric) IS 'internal: a limit as payloads have it';

CREATE FUNCTION routing.tell_capacity() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	o	jsonb;
	n	jsonb;
	c	routing.capacity;
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM routing.note_event(t.tenant_id, 'node', t.node, 'node.capacity_changed.v1', jsonb_strip_nulls(jsonb_build_object(
			'node', t.node, 'kind', t.kind, 'weekday', nullif(t.weekday, 0),
			'on_date', CASE WHEN isfinite(t.on_date) THEN to_char(t.on_date, 'YYYY-MM-DD') END,
			'before', routing.capacity_payload(t.quantity, t.hard, t.price_from, t.price))))
		FROM (SELECT * FROM routing.capacity ORDER BY tenant_id, node, kind, weekday, on_date) t;
		RETURN NULL;
	END IF;
	c := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
	IF TG_OP <> 'INSERT' THEN
		o := routing.capacity_payload(OLD.quantity, OLD.hard, OLD.price_from, OLD.price);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		n := routing.capacity_payload(NEW.quantity, NEW.hard, NEW.price_from, NEW.price);
	END IF;
	IF TG_OP = 'UPDATE' AND (OLD.tenant_id, OLD.node, OLD.kind, OLD.weekday, OLD.on_date)
							IS DISTINCT FROM (NEW.tenant_id, NEW.node, NEW.kind, NEW.weekday, NEW.on_date) THEN
		PERFORM routing.note_event(OLD.tenant_id, 'node', OLD.node, 'node.capacity_changed.v1', jsonb_strip_nulls(jsonb_build_object(
			'node', OLD.node, 'kind', OLD.kind, 'weekday', nullif(OLD.weekday, 0),
			'on_date', CASE WHEN isfinite(OLD.on_date) THEN to_char(OLD.on_date, 'YYYY-MM-DD') END, 'before', o)));
		o := NULL;
	END IF;
	IF o IS DISTINCT FROM n THEN
		PERFORM routing.note_event(c.tenant_id, 'node', c.node, 'node.capacity_changed.v1', jsonb_strip_nulls(jsonb_build_object(
			'node', c.node, 'kind', c.kind, 'weekday', nullif(c.weekday, 0),
			'on_date', CASE WHEN isfinite(c.on_date) THEN to_char(c.on_date, 'YYYY-MM-DD') END, 'before', o, 'after', n)));
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.tell_capacity() IS 'trigger: the event of a limit that was made, changed or taken away';
CREATE TRIGGER note_capacity_new AFTER INSERT ON routing.capacity
	FOR EACH ROW WHEN (NEW.since >= transaction_timestamp()) EXECUTE FUNCTION routing.tell_capacity();
CREATE TRIGGER note_capacity AFTER UPDATE OR DELETE ON routing.capacity
	FOR EACH ROW EXECUTE FUNCTION routing.tell_capacity();
CREATE TRIGGER note_capacity_none BEFORE TRUNCATE ON routing.capacity
	FOR EACH STATEMENT EXECUTE FUNCTION routing.tell_capacity();

CREATE FUNCTION routing.tell_policy() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	clock		timestamptz := routing.engine_now() + (clock_timestamp() - now());
	previous	int;
BEGIN
	IF NEW.state = 'active' THEN
		SELECT p.version INTO previous FROM routing.policy p
		WHERE p.tenant_id = NEW.tenant_id AND p.policy = NEW.policy AND p.version <> NEW.version AND p.state = 'active'
		  AND (p.effective_at IS NULL OR p.effective_at <= p.activated_at OR p.effective_at <= clock)
		ORDER BY p.effective_at DESC NULLS LAST, p.version DESC LIMIT 1;
	END IF;
	PERFORM routing.note_event(NEW.tenant_id, 'policy', NEW.policy,
		CASE NEW.state WHEN 'approved' THEN 'policy.published.v1' WHEN 'active' THEN 'policy.activated.v1'
			 ELSE 'policy.retired.v1' END,
		jsonb_strip_nulls(jsonb_build_object('policy_id', NEW.policy, 'policy_version', NEW.version,
			'previous_version', previous,
			'effective_at', CASE NEW.state WHEN 'active' THEN routing.event_time(NEW.effective_at) END,
			'by', CASE NEW.state WHEN 'approved' THEN NEW.approved_by WHEN 'active' THEN NEW.activated_by
							     ELSE session_user::text END,
			'author', NEW.author)));
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.tell_policy() IS 'trigger: the event of a version that was approved, activated or retired';
CREATE TRIGGER note_policy AFTER UPDATE ON routing.policy
	FOR EACH ROW WHEN (NEW.state <> 'draft' AND (NEW.state IS DISTINCT FROM OLD.state
					   OR NEW.state = 'active' AND NEW.effective_at IS DISTINCT FROM OLD.effective_at))
	EXECUTE FUNCTION routing.tell_policy();

CREATE FUNCTION routing.note_exception() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_note_exception';
COMMENT ON FUNCTION routing.note_exception() IS 'trigger: the event of what somebody changes of an exception';
CREATE TRIGGER note_exception BEFORE UPDATE ON routing.exception
	FOR EACH ROW EXECUTE FUNCTION routing.note_exception();

ALTER TABLE routing.node ENABLE ALWAYS TRIGGER note_status;
ALTER TABLE routing.capacity ENABLE ALWAYS TRIGGER note_capacity_new;
ALTER TABLE routing.capacity ENABLE ALWAYS TRIGGER note_capacity;
ALTER TABLE routing.capacity ENABLE ALWAYS TRIGGER note_capacity_none;
ALTER TABLE routing.policy ENABLE ALWAYS TRIGGER note_policy;
ALTER TABLE routing.exception ENABLE ALWAYS TRIGGER note_exception;
