-- calendars: open days of nodes, carrier services and customers

CREATE TABLE routing.calendar (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	calendar	text COLLATE "C" NOT NULL CHECK (octet_length(calendar) BETWEEN 1 AND 100),
	name		text NOT NULL DEFAULT '',
	weekdays	int[] NOT NULL DEFAULT '{1,2,3,4,5}',
	checked		boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, calendar)
);
COMMENT ON TABLE routing.calendar IS 'which days a node works, a carrier service moves or a customer receives; who has none is open every day';
COMMENT ON COLUMN routing.calendar.weekdays IS 'open days of the week, 1 is Monday, 7 is Sunday';
COMMENT ON COLUMN routing.calendar.checked IS 'engine''s own: it has an open day, or had one when it was dumped (a restored row comes before its days)';

CREATE TABLE routing.calendar_day (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	calendar	text COLLATE "C" NOT NULL,
	day			date NOT NULL,
	open		boolean NOT NULL DEFAULT false,
	name		text NOT NULL DEFAULT '',
	posted		boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, calendar, day),
	CONSTRAINT calendar_day_range CHECK (day BETWEEN '1900-01-01' AND '2999-12-31'),
	FOREIGN KEY (tenant_id, calendar) REFERENCES routing.calendar ON DELETE CASCADE
);
COMMENT ON TABLE routing.calendar_day IS 'days on which a calendar departs from its week: holidays, and extra days of work (open)';

COMMENT ON COLUMN routing.calendar_day.posted IS 'engine''s own: what the day means for inbound is in positions or noted for them (a restored row is not noted again)';

/*
 * Lazily: the days are made one by one until enough are open.  If ten years
 * have none it never becomes stock.
 */
CREATE FUNCTION routing.stock_day(tenant_id int, calendar text, day date, dock_days int) RETURNS date
	LANGUAGE sql STABLE PARALLEL SAFE STRICT SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN dock_days <= 0 THEN day ELSE coalesce((
		SELECT o.day FROM (SELECT stock_day.day + generate_series(0, 3660 + 7 * dock_days) AS day) o
		WHERE coalesce((SELECT x.open FROM routing.calendar_day x
						WHERE x.tenant_id = stock_day.tenant_id
						  AND x.calendar = stock_day.calendar COLLATE "C" AND x.day = o.day),
					   extract(isodow FROM o.day)::int = ANY ((
						SELECT c.weekdays FROM routing.calendar c
						WHERE c.tenant_id = stock_day.tenant_id AND c.calendar = stock_day.calendar COLLATE "C")::int[]))
		OFFSET greatest(dock_days, 0) LIMIT 1), '3001-12-31') END;
COMMENT ON FUNCTION routing.stock_day(int, text, date, int) IS
	'the day on which inbound that arrives on a day at a node of a calendar is stock: the next day of work, and so many more';
