-- history: what the capacities of nodes were before

CREATE TABLE routing.capacity_history (
	tenant_id	int NOT NULL,
	node		text COLLATE "C" NOT NULL,
	kind		text COLLATE "C" NOT NULL,
	weekday		int NOT NULL,
	on_date		date NOT NULL,
	quantity	numeric,
	hard		boolean,
	price_from	numeric,
	price		numeric,
	"to"		timestamptz NOT NULL,
	to_xid		xid8 NOT NULL,
	PRIMARY KEY (tenant_id, node, kind, weekday, on_date, "to", to_xid)
);
COMMENT ON TABLE routing.capacity_history IS 'engine''s own: what a row of capacity said until it changed, went or came';
COMMENT ON COLUMN routing.capacity_history.quantity IS 'null: until then there was no such row';

/*
 * What a transaction changes twice was before what it was before the first
 * time.  A row that is older than the transaction that inserts it is restored:
 * its history comes with it.
 */
CREATE FUNCTION routing.record_capacity() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	moved	boolean := TG_OP = 'INSERT';
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		INSERT INTO routing.capacity_history
		SELECT c.tenant_id, c.node, c.kind, c.weekday, c.on_date, c.quantity, c.hard, c.price_from, c.price,
			   routing.engine_now(), pg_current_xact_id()
		FROM routing.capacity c ON CONFLICT DO NOTHING;
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		INSERT INTO routing.capacity_history
		VALUES (OLD.tenant_id, OLD.node, OLD.kind, OLD.weekday, OLD.on_date, OLD.quantity, OLD.hard, OLD.price_from, OLD.price,
				routing.engine_now(), pg_current_xact_id()) ON CONFLICT DO NOTHING;
	END IF;
	IF TG_OP = 'UPDATE' THEN
		moved := (NEW.tenant_id, NEW.node, NEW.kind, NEW.weekday, NEW.on_date)
			<> (OLD.tenant_id, OLD.node, OLD.kind, OLD.weekday, OLD.on_date);
	END IF;
	IF moved AND NEW.since >= now() THEN
		INSERT INTO routing.capacity_history (tenant_id, node, kind, weekday, on_date, "to", to_xid)
		VALUES (NEW.tenant_id, NEW.node, NEW.kind, NEW.weekday, NEW.on_date, routing.engine_now(), pg_current_xact_id())
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.record_capacity() IS 'trigger: keeps what a capacity said before';
CREATE TRIGGER record_capacity AFTER INSERT OR DELETE ON routing.capacity
	FOR EACH ROW EXECUTE FUNCTION routing.record_capacity();
CREATE TRIGGER record_capacity_set AFTER UPDATE ON routing.capacity
	FOR EACH ROW WHEN ((OLD.tenant_id, OLD.node, OLD.kind, OLD.weekday, OLD.on_date, OLD.quantity, OLD.hard, OLD.price_from, OLD.price)
		IS DISTINCT FROM (NEW.tenant_id, NEW.node, NEW.kind, NEW.weekday, NEW.on_date, NEW.quantity, NEW.hard, NEW.price_from, NEW.price))
	EXECUTE FUNCTION routing.record_capacity();
CREATE TRIGGER record_capacity_none BEFORE TRUNCATE ON routing.capacity
	FOR EACH STATEMENT EXECUTE FUNCTION routing.record_capacity();
ALTER TABLE routing.capacity ENABLE ALWAYS TRIGGER record_capacity;
ALTER TABLE routing.capacity ENABLE ALWAYS TRIGGER record_capacity_set;
ALTER TABLE routing.capacity ENABLE ALWAYS TRIGGER record_capacity_none;
