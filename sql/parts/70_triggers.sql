-- what notes a change and what settles it at commit

/*
 * A change of an order or of supply is only noted, row by row; at commit one
 * settlement works off all that was noted.  BEFORE triggers note the rows of
 * our own tables.  The constraint triggers exist to run settle() at commit:
 * their WHEN condition lets the first noted change of a transaction queue the
 * one event that is needed, and no more.
 */
CREATE FUNCTION routing.settle_due() RETURNS boolean
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'routing_settle_due';
COMMENT ON FUNCTION routing.settle_due() IS 'whether something was noted for which no settlement is queued yet';

/* it turns off enable_seqscan and custom plans by itself */
CREATE FUNCTION routing.settle() RETURNS trigger
	LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'routing_settle';
COMMENT ON FUNCTION routing.settle() IS 'trigger: works off what the transaction noted';

CREATE FUNCTION routing.note_ledger() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_note_ledger';
COMMENT ON FUNCTION routing.note_ledger() IS 'trigger: checks a row of supply, item_node or allotment and notes its item-node';

CREATE FUNCTION routing.note_demand() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_note_demand';
COMMENT ON FUNCTION routing.note_demand() IS 'trigger: checks a row of demand and notes it';

CREATE FUNCTION routing.note_order() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_note_order';
COMMENT ON FUNCTION routing.note_order() IS 'trigger: checks a row of an order or line and notes the order';

CREATE FUNCTION routing.note_change(tenant_id int, binding text, watch_no int, new_row record, old_row record)
	RETURNS boolean
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'routing_note_change';
COMMENT ON FUNCTION routing.note_change(int, text, int, record, record) IS
	'notes the keys of a changed row of a bound table; true if a settlement must be queued';

CREATE FUNCTION routing.note_truncate() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_note_truncate';
COMMENT ON FUNCTION routing.note_truncate() IS 'trigger: notes that a table was emptied';

/*
 * What is noted row by row.  TRUNCATE has no rows: the statement trigger notes
 * the table and puts a row into settle_token, whose constraint trigger brings
 * the settlement; the same table re-arms a settlement that SET CONSTRAINTS
 * fired in mid-transaction.
 */
CREATE TABLE routing.settle_token (
	token	bigint NOT NULL,
	PRIMARY KEY (token)
);
COMMENT ON TABLE routing.settle_token IS 'engine''s own and empty between transactions: a row queues a settlement for commit';
CREATE CONSTRAINT TRIGGER settle_token_settle AFTER INSERT ON routing.settle_token
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION routing.settle();

DO $$
DECLARE
	t		text;
	note	text;
BEGIN
	FOR t, note IN VALUES ('supply', 'note_ledger'), ('item_node', 'note_ledger'), ('allotment', 'note_ledger'),
						  ('demand', 'note_demand'), ('sales_order', 'note_order'), ('sales_order_line', 'note_order')
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON routing.%I
			FOR EACH ROW EXECUTE FUNCTION routing.%I()', note, t, note);
		EXECUTE pg_catalog.format('CREATE CONSTRAINT TRIGGER settle AFTER INSERT OR UPDATE OR DELETE ON routing.%I
			DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
			WHEN (routing.settle_due()) EXECUTE FUNCTION routing.settle()', t);
		EXECUTE pg_catalog.format('CREATE TRIGGER note_truncate AFTER TRUNCATE ON routing.%I
			FOR EACH STATEMENT EXECUTE FUNCTION routing.note_truncate()', t);
	END LOOP;
END
$$;

-- groups of channels
CREATE FUNCTION routing.note_channel() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_note_channel';
COMMENT ON FUNCTION routing.note_channel() IS
	'trigger: refuses circles of channels and notes the item-nodes where their groups are allotted something';
CREATE TRIGGER note_channel AFTER INSERT OR UPDATE OR DELETE ON routing.channel
	FOR EACH ROW EXECUTE FUNCTION routing.note_channel();

CREATE FUNCTION routing.record_history() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_record_history';
COMMENT ON FUNCTION routing.record_history() IS 'trigger: keeps what a row of supply or item_node said before';

CREATE FUNCTION routing.record_truncate() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_record_truncate';
COMMENT ON FUNCTION routing.record_truncate() IS 'trigger: keeps what the rows of supply or item_node said before they are all deleted';

CREATE TRIGGER record_history AFTER UPDATE OR DELETE ON routing.supply
	FOR EACH ROW EXECUTE FUNCTION routing.record_history();
CREATE TRIGGER record_history AFTER UPDATE OR DELETE ON routing.item_node
	FOR EACH ROW EXECUTE FUNCTION routing.record_history();
CREATE TRIGGER record_truncate BEFORE TRUNCATE ON routing.supply
	FOR EACH STATEMENT EXECUTE FUNCTION routing.record_truncate();
CREATE TRIGGER record_truncate BEFORE TRUNCATE ON routing.item_node
	FOR EACH STATEMENT EXECUTE FUNCTION routing.record_truncate();

/*
 * A lot has one expiry, wherever it lies.  Looked at when the transaction is
 * complete, so that several rows can be corrected by one.
 * Not for bound rows: an error at commit would stop the ERP.
 */
CREATE FUNCTION routing.check_lot_expiry() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	mine	record;
	other	record;
BEGIN
	SELECT s.expires_on INTO mine FROM routing.supply s
	WHERE s.tenant_id = NEW.tenant_id AND s.item = NEW.item AND s.node = NEW.node AND s.ref = NEW.ref AND s.lot = NEW.lot;
	IF mine.expires_on IS NULL THEN
		RETURN NULL;		-- changed once more since, or gone
	END IF;
	SELECT s.node, s.ref, s.expires_on INTO other FROM routing.supply s
	WHERE s.tenant_id = NEW.tenant_id AND s.item = NEW.item AND s.lot = NEW.lot AND s.lot <> ''
	  AND s.expires_on <> mine.expires_on
	ORDER BY s.node, s.ref LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT045',
			MESSAGE = format('lot "%s" of item "%s" at node "%s" expires on %s, but on %s at node "%s"',
							 NEW.lot, NEW.item, NEW.node, mine.expires_on, other.expires_on, other.node),
			HINT = 'A lot has one expiry: correct this row, or all rows of the lot in one transaction.';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.check_lot_expiry() IS 'trigger: refuses two expiries of one lot of an item';
CREATE CONSTRAINT TRIGGER lot_expiry AFTER INSERT OR UPDATE ON routing.supply
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	WHEN (NEW.expires_on IS NOT NULL AND NEW.lot <> '' AND NEW.binding = '') EXECUTE FUNCTION routing.check_lot_expiry();

-- what changes the days of supply that is there notes it, by writing its rows as they are
CREATE FUNCTION routing.note_days() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_TABLE_NAME = 'node' THEN
		IF (NEW.dock_days, NEW.calendar) IS DISTINCT FROM (OLD.dock_days, OLD.calendar) THEN
			UPDATE routing.supply SET posted = true
			WHERE tenant_id = NEW.tenant_id AND node = NEW.node AND available_on > '-infinity';
		END IF;
		RETURN NULL;
	END IF;
	IF TG_WHEN = 'BEFORE' THEN
		-- a restored rule comes with posted, and its positions are restored too
		IF TG_OP = 'UPDATE' OR NOT NEW.posted THEN
			UPDATE routing.supply SET posted = true
			WHERE tenant_id = NEW.tenant_id AND (NEW.kind = '*' OR kind = NEW.kind) AND (NEW.status = '*' OR status = NEW.status);
		END IF;
		NEW.posted := true;
		RETURN NEW;
	END IF;
	UPDATE routing.supply SET posted = true
	WHERE tenant_id = OLD.tenant_id AND (OLD.kind = '*' OR kind = OLD.kind) AND (OLD.status = '*' OR status = OLD.status);
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.note_days() IS 'trigger: notes the supply whose days a changed rule or node changes';
CREATE TRIGGER note_days AFTER UPDATE ON routing.node
	FOR EACH ROW EXECUTE FUNCTION routing.note_days();
CREATE TRIGGER note_days BEFORE INSERT OR UPDATE ON routing.supply_rule
	FOR EACH ROW EXECUTE FUNCTION routing.note_days();
CREATE TRIGGER note_days_gone AFTER UPDATE OR DELETE ON routing.supply_rule
	FOR EACH ROW EXECUTE FUNCTION routing.note_days();
CREATE TRIGGER note_truncate AFTER TRUNCATE ON routing.supply_rule
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_truncate();

DO $$
DECLARE
	t	pg_catalog.name;
	g	pg_catalog.name;
BEGIN
	FOR t, g IN SELECT c.relname, tg.tgname
				FROM pg_catalog.pg_trigger tg JOIN pg_catalog.pg_class c ON c.oid = tg.tgrelid
				WHERE c.relnamespace = 'routing'::pg_catalog.regnamespace AND NOT tg.tgisinternal
				ORDER BY 1, 2
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE routing.%I ENABLE ALWAYS TRIGGER %I', t, g);
	END LOOP;
	-- reference tables that backends cache
	FOREACH t IN ARRAY ARRAY['calendar', 'calendar_day', 'pickup', 'node', 'zone', 'zone_area', 'carrier', 'service', 'lane', 'channel',
							 'customer', 'item', 'policy', 'binding', 'binding_watch', 'supply_rule', 'capacity',
							 'restriction', 'item_component', 'item_substitute', 'stream_epoch', 'event_type']
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER reference_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
			ON routing.%I FOR EACH STATEMENT EXECUTE FUNCTION routing.reference_changed()', t);
		EXECUTE pg_catalog.format('ALTER TABLE routing.%I ENABLE ALWAYS TRIGGER reference_changed', t);
	END LOOP;
END
$$;
-- what backends cache of pending are the keys of bindings; orders that wait come and go
CREATE TRIGGER reference_changed AFTER INSERT OR UPDATE OR DELETE ON routing.pending
	FOR EACH ROW EXECUTE FUNCTION routing.reference_changed();
CREATE TRIGGER reference_truncated AFTER TRUNCATE ON routing.pending
	FOR EACH STATEMENT EXECUTE FUNCTION routing.reference_changed();
ALTER TABLE routing.pending ENABLE ALWAYS TRIGGER reference_changed;
ALTER TABLE routing.pending ENABLE ALWAYS TRIGGER reference_truncated;

/*
 * What is in use keeps the columns that others know it by, the arguments of
 * the trigger: an item, a node, and the unit of an open line with its factor.
 */
CREATE FUNCTION routing.refuse_in_use() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	was		jsonb := to_jsonb(OLD);
	code	text := was ->> CASE TG_TABLE_NAME WHEN 'item_uom' THEN 'uom' ELSE TG_TABLE_NAME END;
	used_by	text;
BEGIN
	IF TG_OP = 'UPDATE' THEN
		IF NOT EXISTS (SELECT FROM unnest(TG_ARGV) c WHERE to_jsonb(NEW) -> c IS DISTINCT FROM was -> c) THEN
			RETURN NEW;
		END IF;
	END IF;
	used_by := CASE TG_TABLE_NAME
		WHEN 'item' THEN CASE
			WHEN EXISTS (SELECT FROM routing.supply s WHERE s.tenant_id = OLD.tenant_id AND s.item = code)
				THEN 'supply'
			WHEN EXISTS (SELECT FROM routing.reservation r
						 WHERE r.tenant_id = OLD.tenant_id AND r.item = code AND r."to" IS NULL)
				THEN 'reservation'
			WHEN EXISTS (SELECT FROM routing.sales_order_line l
						 WHERE l.tenant_id = OLD.tenant_id AND l.item = code AND l.status <> 'cancelled')
				THEN 'sales_order_line' END
		WHEN 'node' THEN CASE
			WHEN EXISTS (SELECT FROM routing.supply s WHERE s.tenant_id = OLD.tenant_id AND s.node = code)
				THEN 'supply'
			WHEN EXISTS (SELECT FROM routing.reservation r
						 WHERE r.tenant_id = OLD.tenant_id AND r.node = code AND r."to" IS NULL)
				THEN 'reservation' END
		ELSE CASE
			WHEN EXISTS (SELECT FROM routing.sales_order_line l
						 WHERE l.tenant_id = OLD.tenant_id AND l.item = was ->> 'item' AND l.uom = code
						   AND l.status NOT IN ('cancelled', 'shipped', 'delivered', 'returned'))
				THEN 'sales_order_line' END
		END;
	IF used_by IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT014',
			MESSAGE = CASE TG_TABLE_NAME WHEN 'item_uom' THEN format('unit "%s" of item "%s" is in use', code, was ->> 'item')
										 ELSE format('%s "%s" is in use', TG_TABLE_NAME, code) END,
			DETAIL = format('Table routing.%s still refers to it.', used_by),
			HINT = CASE TG_TABLE_NAME WHEN 'item_uom' THEN 'Add a unit under another code, and use that from now on.'
				   ELSE 'Remove what refers to it first, or close the node or disable the item-node instead.' END;
	END IF;
	RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END;
END
$$;
COMMENT ON FUNCTION routing.refuse_in_use() IS
	'trigger: refuses to delete or rename an item or node that supply, bookings or orders refer to, or to change the unit of an open order line';
CREATE TRIGGER refuse_delete BEFORE UPDATE OR DELETE ON routing.item_uom
	FOR EACH ROW EXECUTE FUNCTION routing.refuse_in_use('tenant_id', 'item', 'uom', 'factor');
CREATE TRIGGER refuse_delete BEFORE UPDATE OR DELETE ON routing.item
	FOR EACH ROW EXECUTE FUNCTION routing.refuse_in_use('tenant_id', 'item');
CREATE TRIGGER refuse_delete BEFORE UPDATE OR DELETE ON routing.node
	FOR EACH ROW EXECUTE FUNCTION routing.refuse_in_use('tenant_id', 'node');
ALTER TABLE routing.item_uom ENABLE ALWAYS TRIGGER refuse_delete;
ALTER TABLE routing.item ENABLE ALWAYS TRIGGER refuse_delete;
ALTER TABLE routing.node ENABLE ALWAYS TRIGGER refuse_delete;
