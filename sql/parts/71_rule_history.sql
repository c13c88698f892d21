-- history: what supply rules and the days of nodes were before

CREATE TABLE routing.supply_rule_history (
	tenant_id	int NOT NULL,
	kind		text COLLATE "C" NOT NULL,
	status		text COLLATE "C" NOT NULL,
	usable		boolean,
	delay_days	int,
	late_days	int,
	"to"		timestamptz NOT NULL,
	to_xid		xid8 NOT NULL,
	PRIMARY KEY (tenant_id, kind, status, "to", to_xid)
);
COMMENT ON TABLE routing.supply_rule_history IS 'engine''s own: what a supply rule said until it changed, went or came';
COMMENT ON COLUMN routing.supply_rule_history.usable IS 'null: until then there was no such rule';

CREATE TABLE routing.node_history (
	tenant_id	int NOT NULL,
	node		text COLLATE "C" NOT NULL,
	dock_days	int NOT NULL,
	"to"		timestamptz NOT NULL,
	to_xid		xid8 NOT NULL,
	PRIMARY KEY (tenant_id, node, "to", to_xid)
);
COMMENT ON TABLE routing.node_history IS 'engine''s own: the dock-to-stock days of a node until they changed';

/*
 * BEFORE triggers, whose names come before note_days: that marks rows as
 * posted, by which restored ones are known.  What a transaction changes twice
 * was before what it was before the first time.
 */
CREATE FUNCTION routing.record_rule() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		INSERT INTO routing.supply_rule_history
		SELECT r.tenant_id, r.kind, r.status, r.usable, r.delay_days, r.late_days, routing.engine_now(), pg_current_xact_id()
		FROM routing.supply_rule r ON CONFLICT DO NOTHING;
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		INSERT INTO routing.supply_rule_history
		VALUES (OLD.tenant_id, OLD.kind, OLD.status, OLD.usable, OLD.delay_days, OLD.late_days, routing.engine_now(),
				pg_current_xact_id()) ON CONFLICT DO NOTHING;
	END IF;
	IF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;
	-- an INSERT that finds the rule there changes it, or nothing
	IF (TG_OP = 'INSERT' AND NOT NEW.posted
		OR TG_OP = 'UPDATE' AND (NEW.tenant_id, NEW.kind, NEW.status) <> (OLD.tenant_id, OLD.kind, OLD.status))
	   AND NOT EXISTS (SELECT FROM routing.supply_rule r
					   WHERE r.tenant_id = NEW.tenant_id AND r.kind = NEW.kind AND r.status = NEW.status) THEN
		INSERT INTO routing.supply_rule_history
		VALUES (NEW.tenant_id, NEW.kind, NEW.status, NULL, NULL, NULL, routing.engine_now(), pg_current_xact_id())
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION routing.record_rule() IS 'trigger: keeps what a supply rule said before';
CREATE TRIGGER a_record_rule BEFORE INSERT OR UPDATE OR DELETE ON routing.supply_rule
	FOR EACH ROW EXECUTE FUNCTION routing.record_rule();
CREATE TRIGGER a_record_truncate BEFORE TRUNCATE ON routing.supply_rule
	FOR EACH STATEMENT EXECUTE FUNCTION routing.record_rule();
ALTER TABLE routing.supply_rule ENABLE ALWAYS TRIGGER a_record_rule;
ALTER TABLE routing.supply_rule ENABLE ALWAYS TRIGGER a_record_truncate;

CREATE FUNCTION routing.record_node() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO routing.node_history
	VALUES (OLD.tenant_id, OLD.node, OLD.dock_days, routing.engine_now(), pg_current_xact_id()) ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.record_node() IS 'trigger: keeps the dock-to-stock days that a node had before';
CREATE TRIGGER record_node AFTER UPDATE ON routing.node
	FOR EACH ROW WHEN (OLD.dock_days IS DISTINCT FROM NEW.dock_days) EXECUTE FUNCTION routing.record_node();
ALTER TABLE routing.node ENABLE ALWAYS TRIGGER record_node;
