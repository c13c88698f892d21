-- since when what a node can ship is counted

CREATE TABLE routing.capacity_since (
	tenant_id	int NOT NULL,
	node		text COLLATE "C" NOT NULL,
	at			timestamptz NOT NULL,
	xid			xid8 NOT NULL,
	PRIMARY KEY (tenant_id, node)
);
COMMENT ON TABLE routing.capacity_since IS 'engine''s own: when the first capacity of a node was committed';
COMMENT ON COLUMN routing.capacity_since.xid IS 'what had begun before this transaction may have been settled without the capacity';

/*
 * At the end of the transaction that makes the first capacity of a node: what
 * was settled until then did not see it, though it may be younger than the row.
 * Restored ones come with their own.
 */
CREATE FUNCTION routing.note_capacity_since() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NEW.since >= now() AND NOT EXISTS (SELECT FROM routing.capacity c
			WHERE c.tenant_id = NEW.tenant_id AND c.node = NEW.node AND c.since < now()) THEN
		INSERT INTO routing.capacity_since VALUES (NEW.tenant_id, NEW.node, clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot()))
		ON CONFLICT (tenant_id, node) DO UPDATE SET at = excluded.at, xid = excluded.xid;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.note_capacity_since() IS 'deferred trigger: keeps when the first capacity of a node was committed';
CREATE CONSTRAINT TRIGGER note_since AFTER INSERT ON routing.capacity
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION routing.note_capacity_since();
CREATE CONSTRAINT TRIGGER note_since_moved AFTER UPDATE ON routing.capacity
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.node <> NEW.node) EXECUTE FUNCTION routing.note_capacity_since();
ALTER TABLE routing.capacity ENABLE ALWAYS TRIGGER note_since;
ALTER TABLE routing.capacity ENABLE ALWAYS TRIGGER note_since_moved;
