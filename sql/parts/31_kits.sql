-- kits and substitutes

CREATE TABLE routing.item_component (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	item		text COLLATE "C" NOT NULL,
	component	text COLLATE "C" NOT NULL,
	quantity	numeric NOT NULL
				CHECK (quantity > 0 AND quantity <= 1e6 AND min_scale(quantity) <= 4),
	PRIMARY KEY (tenant_id, item, component),
	FOREIGN KEY (tenant_id, item) REFERENCES routing.item,
	FOREIGN KEY (tenant_id, component) REFERENCES routing.item
);
CREATE INDEX item_component_component ON routing.item_component (tenant_id, component);
COMMENT ON TABLE routing.item_component IS 'what a kit is made of: an item with components is a kit, which has no stock of its own; quantity of the component for one unit of the kit';

CREATE TABLE routing.item_substitute (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	item		text COLLATE "C" NOT NULL,
	substitute	text COLLATE "C" NOT NULL,
	ratio		numeric NOT NULL DEFAULT 1
				CHECK (ratio > 0 AND ratio <= 1e6 AND min_scale(ratio) <= 4),
	penalty		numeric NOT NULL DEFAULT 0
				CHECK (penalty >= 0 AND penalty <= 1e6 AND min_scale(penalty) <= 4),
	needs_consent boolean NOT NULL DEFAULT true,
	valid_from	date NOT NULL DEFAULT '-infinity',
	valid_to	date NOT NULL DEFAULT 'infinity',
	CHECK (valid_from <= valid_to),
	PRIMARY KEY (tenant_id, item, substitute),
	FOREIGN KEY (tenant_id, item) REFERENCES routing.item,
	FOREIGN KEY (tenant_id, substitute) REFERENCES routing.item
);
COMMENT ON TABLE routing.item_substitute IS 'what may be delivered instead of an item; the other way round is a row of its own';
COMMENT ON COLUMN routing.item_substitute.ratio IS 'units of the substitute for one unit of the item';
COMMENT ON COLUMN routing.item_substitute.penalty IS 'money for each unit of the item that is served so: the cost term substitution';
COMMENT ON COLUMN routing.item_substitute.needs_consent IS 'only for lines whose substitutes are "consented"; else for "allowed" ones, too';
COMMENT ON COLUMN routing.item_substitute.valid_from IS 'the first day (UTC) on which decisions may use it; those made stay';

/*
 * Kits do not contain kits, so there is no circle.  One change at a time for a
 * tenant: two that are made at once cannot nest each other.
 */
CREATE FUNCTION routing.check_component() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other	text;
BEGIN
	PERFORM pg_advisory_xact_lock(1919906932, NEW.tenant_id);
	IF NEW.component = NEW.item OR EXISTS (
		SELECT FROM routing.item_component c
		WHERE c.tenant_id = NEW.tenant_id AND c.item = NEW.component AND c.component = NEW.item)
	THEN
		RAISE EXCEPTION USING ERRCODE = 'RT120',
			MESSAGE = format('kit "%s": component "%s" contains the kit', NEW.item, NEW.component),
			HINT = 'A kit is not part of itself.';
	END IF;
	SELECT c.item INTO other FROM routing.item_component c
	WHERE c.tenant_id = NEW.tenant_id AND c.component = NEW.item ORDER BY 1 LIMIT 1;
	IF other IS NOT NULL OR EXISTS (SELECT FROM routing.item_component c
									WHERE c.tenant_id = NEW.tenant_id AND c.item = NEW.component) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT121',
			MESSAGE = CASE WHEN other IS NULL THEN format('kit "%s": component "%s" is a kit', NEW.item, NEW.component)
						   ELSE format('kit "%s" is a component of kit "%s"', NEW.item, other) END,
			HINT = 'Kits do not contain kits: enter what the inner one is made of.';
	END IF;
	other := CASE
		WHEN EXISTS (SELECT FROM routing.supply s WHERE s.tenant_id = NEW.tenant_id AND s.item = NEW.item) THEN 'supply'
		WHEN EXISTS (SELECT FROM routing.reservation r
					 WHERE r.tenant_id = NEW.tenant_id AND r.item = NEW.item AND r."to" IS NULL) THEN 'open bookings'
		WHEN EXISTS (SELECT FROM routing.item_substitute s
					 WHERE s.tenant_id = NEW.tenant_id AND NEW.item IN (s.item, s.substitute)) THEN 'substitutes' END;
	IF other IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT122',
			MESSAGE = format('item "%s" cannot be a kit: it has %s', NEW.item, other),
			HINT = 'A kit has no stock of its own and neither is nor has a substitute; enter it as another item.';
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION routing.check_component() IS 'trigger: refuses kits within kits, and kits with stock of their own';
CREATE TRIGGER check_component BEFORE INSERT OR UPDATE ON routing.item_component
	FOR EACH ROW EXECUTE FUNCTION routing.check_component();

CREATE FUNCTION routing.check_substitute() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	kit	text;
BEGIN
	PERFORM pg_advisory_xact_lock(1919906932, NEW.tenant_id);
	SELECT c.item INTO kit FROM routing.item_component c
	WHERE c.tenant_id = NEW.tenant_id AND c.item IN (NEW.item, NEW.substitute) LIMIT 1;
	IF kit IS NOT NULL OR NEW.item = NEW.substitute THEN
		RAISE EXCEPTION USING ERRCODE = 'RT124',
			MESSAGE = CASE WHEN kit IS NULL THEN format('item "%s" is its own substitute', NEW.item)
						   ELSE format('item "%s" is a kit, which neither is nor has a substitute', kit) END,
			HINT = 'Enter another item as the substitute.';
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION routing.check_substitute() IS 'trigger: refuses an item as its own substitute, and kits';
CREATE TRIGGER check_substitute BEFORE INSERT OR UPDATE ON routing.item_substitute
	FOR EACH ROW EXECUTE FUNCTION routing.check_substitute();
