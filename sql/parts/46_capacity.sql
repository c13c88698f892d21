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
	CONSTRAINT capacity_whole CHECK (kind = 'units' OR min_scale(quantity) = 0),
	FOREIGN KEY (tenant_id, node) REFERENCES routing.node
);
COMMENT ON TABLE routing.capacity IS 'what a node can ship on a day: orders, lines or units; a date goes before a weekday, a weekday before every day (0)';
COMMENT ON COLUMN routing.capacity.weekday IS '1 Monday to 7 Sunday, 0: every day';
COMMENT ON COLUMN routing.capacity.on_date IS 'that day only, -infinity: every one';
COMMENT ON COLUMN routing.capacity.hard IS 'no more than quantity is shipped; else it has only its price';
COMMENT ON COLUMN routing.capacity.price IS 'money for a shipment on a day of which at least the share price_from is taken';

/*
 * A day's counter in slots, so that the orders of a busy day do not meet in one
 * row.  In each: what was taken through it, and the room that it may still give
 * away.  Over all slots of a day, used + room is the limit: 2^60 where there is
 * none.  Slot 0 is made with a day's limits, any other is made with used +
 * room = 0 or of another's room.
 */
CREATE TABLE routing.capacity_use (
	tenant_id	int NOT NULL,
	node		text COLLATE "C" NOT NULL,
	day			date NOT NULL,
	slot		int NOT NULL,
	orders		bigint NOT NULL,
	lines		bigint NOT NULL,
	units		bigint NOT NULL,
	room_orders	bigint NOT NULL,
	room_lines	bigint NOT NULL,
	room_units	bigint NOT NULL,
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
	expires_at	timestamptz,
	PRIMARY KEY (tenant_id, order_id, node, day)
);
-- what an expired hold still takes is looked for whenever a day is full
CREATE INDEX capacity_booking_hold ON routing.capacity_booking (tenant_id, node, day, expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE routing.capacity_booking IS 'engine''s own: what an order, or a hold, takes of a node''s day; units in ten-thousandths';
COMMENT ON COLUMN routing.capacity_booking.expires_at IS 'of a hold: until when';

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

CREATE FUNCTION routing.capacity_renew(tenants int[], nodes text[]) RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'routing_capacity_renew';
COMMENT ON FUNCTION routing.capacity_renew(int[], text[]) IS
	'engine''s own: what is left of the days in use made anew from the limits of these nodes';

CREATE FUNCTION routing.capacity_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM routing.capacity_renew(array_agg(u.tenant_id), array_agg(u.node))
		FROM (SELECT tenant_id, node FROM routing.capacity_use UNION SELECT tenant_id, node FROM routing.capacity_booking) u;
		PERFORM routing.wake_for_capacity(array_agg(w.tenant_id), array_agg(w.node))
		FROM (SELECT DISTINCT tenant_id, node FROM routing.capacity_wait) w;
	ELSIF TG_OP = 'INSERT' THEN
		PERFORM routing.capacity_renew(array_agg(c.tenant_id), array_agg(c.node)) FROM (SELECT DISTINCT tenant_id, node FROM made) c;
		-- one for a day or a weekday may be more than that for every day
		PERFORM routing.wake_for_capacity(array_agg(c.tenant_id), array_agg(c.node)) FROM (SELECT DISTINCT tenant_id, node FROM made) c;
	ELSIF TG_OP = 'DELETE' THEN
		PERFORM routing.capacity_renew(array_agg(c.tenant_id), array_agg(c.node)) FROM (SELECT DISTINCT tenant_id, node FROM gone) c;
		PERFORM routing.wake_for_capacity(array_agg(c.tenant_id), array_agg(c.node)) FROM (SELECT DISTINCT tenant_id, node FROM gone) c;
	ELSE
		-- a rule that was another node's is new here
		IF EXISTS (SELECT tenant_id, node FROM made EXCEPT SELECT tenant_id, node FROM gone) THEN
			UPDATE routing.capacity c SET since = clock_timestamp()
			WHERE (c.tenant_id, c.node) IN (SELECT tenant_id, node FROM made EXCEPT SELECT tenant_id, node FROM gone);
		END IF;
		PERFORM routing.capacity_renew(array_agg(c.tenant_id), array_agg(c.node))
		FROM (SELECT tenant_id, node FROM made UNION SELECT tenant_id, node FROM gone) c;
		PERFORM routing.wake_for_capacity(array_agg(c.tenant_id), array_agg(c.node))
		FROM (SELECT tenant_id, node FROM made UNION SELECT tenant_id, node FROM gone) c;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.capacity_changed() IS 'trigger of capacity: what is left of the days that are in use follows';

CREATE TRIGGER capacity_inserted AFTER INSERT ON routing.capacity
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION routing.capacity_changed();
CREATE TRIGGER capacity_updated AFTER UPDATE ON routing.capacity
	REFERENCING NEW TABLE AS made OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION routing.capacity_changed();
CREATE TRIGGER capacity_deleted AFTER DELETE ON routing.capacity
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION routing.capacity_changed();
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
