-- what a node can ship on a day, and who takes it

CREATE TABLE routing.capacity (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	node		text COLLATE "C" NOT NULL,
	kind		text COLLATE "C" NOT NULL CHECK (kind IN ('orders', 'lines', 'units')),
	weekday		int NOT NULL DEFAULT 0 CHECK (weekday BETWEEN 0 AND 7),
	on_date		date NOT NULL DEFAULT '-infinity' CHECK (on_date = '-infinity' OR weekday = 0),
	quantity	numeric NOT NULL CHECK (quantity >= 0 AND quantity <= 1e11 AND min_scale(quantity) <= 4),
	hard		boolean NOT NULL DEFAULT true,
	price_from	numeric NOT NULL DEFAULT 1 CHECK (price_from >= 0 AND price_from <= 1 AND min_scale(price_from) <= 4),
	price		numeric NOT NULL DEFAULT 0 CHECK (price >= 0 AND price <= 1e6 AND min_scale(price) <= 4),
	since		timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, node, kind, weekday, on_date),
	FOREIGN KEY (tenant_id, node) REFERENCES routing.node
);
COMMENT ON TABLE routing.capacity IS 'what a node can ship on a day: orders, lines or units; a date goes before a weekday, a weekday before every day (0)';
COMMENT ON COLUMN routing.capacity.weekday IS '1 Monday to 7 Sunday, 0: every day';
COMMENT ON COLUMN routing.capacity.on_date IS 'that day only, -infinity: every one';
COMMENT ON COLUMN routing.capacity.hard IS 'no more than quantity is shipped; else it has only its price';
COMMENT ON COLUMN routing.capacity.price IS 'money for a shipment on a day of which at least the share price_from is taken';

/*
 * A day's counter in slots, so that the orders of a busy day do not meet in one
 * row.  In each: what was taken through it, and of what is limited the room
 * that it may still give away.  Over all slots of a day, used + room is the
 * limit.  Room is null where there is no limit.
 */
CREATE TABLE routing.capacity_use (
	tenant_id	int NOT NULL,
	node		text COLLATE "C" NOT NULL,
	day			date NOT NULL,
	slot		int NOT NULL,
	orders		bigint NOT NULL DEFAULT 0,
	lines		bigint NOT NULL DEFAULT 0,
	units		bigint NOT NULL DEFAULT 0,
	room_orders	bigint,
	room_lines	bigint,
	room_units	bigint,
	PRIMARY KEY (tenant_id, node, day, slot)
) WITH (fillfactor = 50);
COMMENT ON TABLE routing.capacity_use IS 'engine''s own: what is taken of a node''s day; units in ten-thousandths';

CREATE TABLE routing.capacity_booking (
	tenant_id	int NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	day			date NOT NULL,
	lines		bigint NOT NULL,
	units		bigint NOT NULL,
	PRIMARY KEY (tenant_id, order_id, node, day)
);
COMMENT ON TABLE routing.capacity_booking IS 'engine''s own: what an order, or a hold, takes of a node''s day; units in ten-thousandths';

CREATE FUNCTION routing.capacity_limit(tenant_id int, node text, day date, kind text,
									   OUT quantity bigint, OUT hard boolean, OUT price_from numeric, OUT price numeric)
	RETURNS record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT (c.quantity * CASE c.kind WHEN 'units' THEN 10000 ELSE 1 END)::bigint, c.hard, c.price_from, c.price
	FROM routing.capacity c
	WHERE c.tenant_id = capacity_limit.tenant_id AND c.node = capacity_limit.node AND c.kind = capacity_limit.kind
	  AND c.on_date IN ('-infinity', capacity_limit.day)
	  AND c.weekday IN (0, extract(isodow FROM capacity_limit.day)::int)
	ORDER BY c.on_date DESC, c.weekday DESC
	LIMIT 1;
END;
COMMENT ON FUNCTION routing.capacity_limit(int, text, date, text) IS 'what applies to a node''s day; units in ten-thousandths';

/*
 * The rooms of a node's days made anew from the limits, when these have
 * changed.  Who makes the first row of a day holds the same lock in share mode.
 */
CREATE FUNCTION routing.capacity_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tenant	int := CASE TG_OP WHEN 'INSERT' THEN NEW.tenant_id WHEN 'UPDATE' THEN NEW.tenant_id WHEN 'DELETE' THEN OLD.tenant_id END;
	place	text := CASE TG_OP WHEN 'INSERT' THEN NEW.node WHEN 'UPDATE' THEN NEW.node WHEN 'DELETE' THEN OLD.node END;
	d		record;
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		DELETE FROM routing.capacity_booking;
		DELETE FROM routing.capacity_use;
		RETURN NULL;
	END IF;
	PERFORM pg_advisory_xact_lock(4713, hashtext(tenant || ' ' || place));
	IF NOT EXISTS (SELECT FROM routing.capacity c WHERE c.tenant_id = tenant AND c.node = place) THEN
		DELETE FROM routing.capacity_booking b WHERE b.tenant_id = tenant AND b.node = place;
		DELETE FROM routing.capacity_use u WHERE u.tenant_id = tenant AND u.node = place;
		RETURN NULL;
	END IF;
	FOR d IN SELECT DISTINCT u.day FROM routing.capacity_use u WHERE u.tenant_id = tenant AND u.node = place ORDER BY 1
	LOOP
		PERFORM routing.capacity_fold(tenant, place, d.day, true);
	END LOOP;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.capacity_changed() IS 'trigger of capacity: what is left of the days that are in use follows';

/*
 * All slots of a day are locked, ascending, and their room is put into the
 * first.  With "anew" it is computed from the limits.
 */
CREATE FUNCTION routing.capacity_fold(tenant_id int, node text, day date, anew boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	taken	record;
BEGIN
	PERFORM FROM routing.capacity_use u
	WHERE u.tenant_id = tenant_id AND u.node = node AND u.day = day ORDER BY u.slot FOR UPDATE;
	SELECT sum(u.orders) AS orders, sum(u.lines) AS lines, sum(u.units) AS units,
		   sum(u.room_orders) AS room_orders, sum(u.room_lines) AS room_lines, sum(u.room_units) AS room_units, min(u.slot) AS slot
	INTO taken FROM routing.capacity_use u WHERE u.tenant_id = tenant_id AND u.node = node AND u.day = day;
	IF anew THEN
		SELECT (SELECT l.quantity FROM routing.capacity_limit(tenant_id, node, day, 'orders') l WHERE l.hard) - taken.orders,
			   (SELECT l.quantity FROM routing.capacity_limit(tenant_id, node, day, 'lines') l WHERE l.hard) - taken.lines,
			   (SELECT l.quantity FROM routing.capacity_limit(tenant_id, node, day, 'units') l WHERE l.hard) - taken.units
		INTO taken.room_orders, taken.room_lines, taken.room_units;
	END IF;
	UPDATE routing.capacity_use u
	SET room_orders = CASE WHEN u.slot = taken.slot THEN taken.room_orders WHEN taken.room_orders IS NOT NULL THEN 0 END,
		room_lines = CASE WHEN u.slot = taken.slot THEN taken.room_lines WHEN taken.room_lines IS NOT NULL THEN 0 END,
		room_units = CASE WHEN u.slot = taken.slot THEN taken.room_units WHEN taken.room_units IS NOT NULL THEN 0 END
	WHERE u.tenant_id = tenant_id AND u.node = node AND u.day = day;
END
$$;
COMMENT ON FUNCTION routing.capacity_fold(int, text, date, boolean) IS
	'the room of a node''s day put into one slot, as it is or anew from the limits';

CREATE TRIGGER capacity_changed AFTER INSERT OR UPDATE OR DELETE ON routing.capacity
	FOR EACH ROW EXECUTE FUNCTION routing.capacity_changed();
CREATE TRIGGER capacity_emptied AFTER TRUNCATE ON routing.capacity
	FOR EACH STATEMENT EXECUTE FUNCTION routing.capacity_changed();

CREATE VIEW routing.capacity_day WITH (security_invoker = true) AS
	SELECT u.tenant_id, u.node, u.day, k.kind, trim_scale(sum(CASE k.kind WHEN 'orders' THEN u.orders
		   WHEN 'lines' THEN u.lines ELSE u.units END) / CASE k.kind WHEN 'units' THEN 10000.0 ELSE 1 END) AS used,
		   (SELECT trim_scale(l.quantity / CASE k.kind WHEN 'units' THEN 10000.0 ELSE 1 END)
			FROM routing.capacity_limit(u.tenant_id, u.node, u.day, k.kind) l) AS quantity
	FROM routing.capacity_use u, (VALUES ('orders'), ('lines'), ('units')) k (kind)
	GROUP BY u.tenant_id, u.node, u.day, k.kind;
COMMENT ON VIEW routing.capacity_day IS 'what is taken of the days of nodes that have a capacity, and what there is (null: no limit and no price)';
