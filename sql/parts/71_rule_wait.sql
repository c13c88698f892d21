-- who waits in no queue, since no node may serve it, when the rules change

CREATE TABLE routing.rule_wait (
	tenant_id	int NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	line_no		int NOT NULL,
	item		text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant_id, order_id, line_no)
);
COMMENT ON TABLE routing.rule_wait IS 'engine''s own: lines that lack something and have no place in a queue, since no node may serve them';

/*
 * Written by whoever changes rules, or decides an order by them, and removed
 * by run_jobs().  Each is a row of its own, so nobody waits for anybody; and
 * of two that do not see each other run_jobs() sees both.
 */
CREATE TABLE routing.rule_change (
	tenant_id	int NOT NULL,
	item		text COLLATE "C" NOT NULL,
	order_id	text COLLATE "C" NOT NULL DEFAULT '',
	xid			xid8 NOT NULL DEFAULT pg_current_xact_id(),
	PRIMARY KEY (tenant_id, item, order_id, xid)
);
COMMENT ON TABLE routing.rule_change IS 'engine''s own: what run_jobs() has still to try again, since rules that may have kept it waiting have changed';
COMMENT ON COLUMN routing.rule_change.item IS 'whose rules they are; empty: those of any';
COMMENT ON COLUMN routing.rule_change.order_id IS 'began to wait, perhaps by rules that were being changed; empty: any that waits';

CREATE FUNCTION routing.note_rules() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		INSERT INTO routing.rule_change (tenant_id, item) SELECT t.tenant_id, '' FROM routing.tenant t ON CONFLICT DO NOTHING;
	ELSIF TG_LEVEL = 'ROW' THEN
		INSERT INTO routing.rule_change (tenant_id, item)
		SELECT (r ->> 'tenant_id')::int, coalesce(r ->> 'item', '')
		FROM unnest(ARRAY[to_jsonb(OLD), to_jsonb(NEW)]) r ON CONFLICT DO NOTHING;
	ELSE
		INSERT INTO routing.rule_change (tenant_id, item)
		SELECT DISTINCT r.tenant_id, coalesce(to_jsonb(r) ->> 'item', '') FROM rules r ON CONFLICT DO NOTHING;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.note_rules() IS 'trigger: notes for run_jobs() that what may serve what has changed';

CREATE TRIGGER note_rules AFTER UPDATE ON routing.node FOR EACH ROW
	WHEN ((OLD.status, OLD.channels, OLD.hazmat_classes, OLD.latitude, OLD.longitude)
		IS DISTINCT FROM (NEW.status, NEW.channels, NEW.hazmat_classes, NEW.latitude, NEW.longitude))
	EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules AFTER UPDATE ON routing.service FOR EACH ROW
	WHEN ((OLD.status, OLD.hazmat, OLD.max_weight_kg) IS DISTINCT FROM (NEW.status, NEW.hazmat, NEW.max_weight_kg))
	EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules AFTER UPDATE ON routing.channel FOR EACH ROW
	WHEN (OLD.parent IS DISTINCT FROM NEW.parent) EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules AFTER UPDATE ON routing.customer FOR EACH ROW
	WHEN (OLD.customer_group IS DISTINCT FROM NEW.customer_group) EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules AFTER UPDATE ON routing.item FOR EACH ROW
	WHEN ((OLD.item_class, OLD.hazmat_class) IS DISTINCT FROM (NEW.item_class, NEW.hazmat_class))
	EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules AFTER UPDATE ON routing.restriction FOR EACH ROW
	WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules AFTER UPDATE ON routing.item_component FOR EACH ROW
	WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules AFTER UPDATE ON routing.lane FOR EACH ROW
	WHEN ((OLD.node, OLD.zone, OLD.service) IS DISTINCT FROM (NEW.node, NEW.zone, NEW.service))
	EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules_new AFTER INSERT ON routing.lane REFERENCING NEW TABLE AS rules
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules_new AFTER INSERT ON routing.item_component REFERENCING NEW TABLE AS rules
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules_gone AFTER DELETE ON routing.item_component REFERENCING OLD TABLE AS rules
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules_gone AFTER DELETE ON routing.restriction REFERENCING OLD TABLE AS rules
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules_none AFTER TRUNCATE ON routing.restriction
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_rules();
CREATE TRIGGER note_rules_none AFTER TRUNCATE ON routing.item_component
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_rules();

DO $$
DECLARE
	t	pg_catalog.name;
	g	pg_catalog.name;
BEGIN
	FOR t, g IN SELECT c.relname, tg.tgname
				FROM pg_catalog.pg_trigger tg JOIN pg_catalog.pg_class c ON c.oid = tg.tgrelid
				WHERE tg.tgfoid = 'routing.note_rules()'::pg_catalog.regprocedure ORDER BY 1, 2
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE routing.%I ENABLE ALWAYS TRIGGER %I', t, g);
	END LOOP;
END
$$;
