-- calendars and codes of the network: checked, and what they change is noted

CREATE FUNCTION routing.check_calendar() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT NEW.weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7] OR array_position(NEW.weekdays, NULL) IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT090',
			MESSAGE = format('weekdays %s of calendar "%s" are not days of the week', NEW.weekdays, NEW.calendar),
			HINT = 'A weekday is a number from 1 (Monday) to 7 (Sunday).';
	END IF;
	IF TG_OP = 'UPDATE' THEN
		NEW.checked := NEW.checked AND NEW.weekdays = OLD.weekdays;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION routing.check_calendar() IS 'trigger: refuses what is no day of the week';
CREATE TRIGGER check_calendar BEFORE INSERT OR UPDATE ON routing.calendar
	FOR EACH ROW EXECUTE FUNCTION routing.check_calendar();

-- when the transaction is complete: a calendar of single days is inserted before its days
CREATE FUNCTION routing.check_open_day() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key	record := CASE WHEN TG_TABLE_NAME = 'calendar' THEN NEW ELSE OLD END;
	c	routing.calendar;
BEGIN
	SELECT * INTO c FROM routing.calendar x WHERE x.tenant_id = key.tenant_id AND x.calendar = key.calendar;
	IF NOT FOUND THEN
		RETURN NULL;		-- gone by now
	END IF;
	IF cardinality(c.weekdays) = 0 AND NOT EXISTS (
			SELECT FROM routing.calendar_day d WHERE d.tenant_id = c.tenant_id AND d.calendar = c.calendar AND d.open) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT090',
			MESSAGE = format('calendar "%s" has no open day', c.calendar),
			HINT = 'Give it weekdays, or insert open days into routing.calendar_day in the same transaction.';
	END IF;
	IF NOT c.checked THEN
		UPDATE routing.calendar x SET checked = true WHERE x.tenant_id = c.tenant_id AND x.calendar = c.calendar;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.check_open_day() IS 'deferred trigger: refuses a calendar without any open day';
CREATE CONSTRAINT TRIGGER open_day AFTER INSERT OR UPDATE ON routing.calendar
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NOT NEW.checked) EXECUTE FUNCTION routing.check_open_day();
CREATE CONSTRAINT TRIGGER open_day AFTER UPDATE OR DELETE ON routing.calendar_day
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.open) EXECUTE FUNCTION routing.check_open_day();

/*
 * What a calendar changes is the day on which inbound is stock, at nodes that
 * need days for that.  Its days concern what arrives up to then, but not long
 * before: the bound is generous, and spares the rest of a large table.
 */
CREATE FUNCTION routing.note_calendar_days(tenant_id int, calendar text, first date, last date) RETURNS void
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE routing.supply s SET posted = true
	FROM routing.node n
	WHERE n.tenant_id = note_calendar_days.tenant_id AND n.calendar = note_calendar_days.calendar COLLATE "C"
	  AND s.tenant_id = n.tenant_id AND s.node = n.node AND s.available_on > '-infinity'
	  AND s.available_on <= last AND s.available_on >= first - 4000
	  AND coalesce((SELECT i.dock_days FROM routing.item_node i
					WHERE i.tenant_id = s.tenant_id AND i.item = s.item AND i.node = s.node), n.dock_days) > 0
$$;
COMMENT ON FUNCTION routing.note_calendar_days(int, text, date, date) IS
	'notes the inbound whose day as stock depends on these days of a calendar';

CREATE FUNCTION routing.note_calendar() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r	record;
BEGIN
	IF TG_OP = 'INSERT' THEN
		-- a restored day comes with posted, and the positions are restored too
		FOR r IN SELECT d.tenant_id, d.calendar, min(d.day) AS first, max(d.day) AS last
				 FROM new_rows d WHERE NOT d.posted GROUP BY 1, 2
		LOOP
			PERFORM routing.note_calendar_days(r.tenant_id, r.calendar, r.first, r.last);
			UPDATE routing.calendar_day d SET posted = true
			WHERE d.tenant_id = r.tenant_id AND d.calendar = r.calendar AND NOT d.posted;
		END LOOP;
	ELSIF TG_OP = 'DELETE' THEN
		FOR r IN SELECT d.tenant_id, d.calendar, min(d.day) AS first, max(d.day) AS last FROM old_rows d GROUP BY 1, 2
		LOOP
			PERFORM routing.note_calendar_days(r.tenant_id, r.calendar, r.first, r.last);
		END LOOP;
	ELSE
		FOR r IN SELECT d.tenant_id, d.calendar, min(d.day) AS first, max(d.day) AS last
				 FROM ((SELECT o.tenant_id, o.calendar, o.day, o.open FROM old_rows o
						EXCEPT SELECT o.tenant_id, o.calendar, o.day, o.open FROM new_rows o)
					   UNION ALL
					   (SELECT o.tenant_id, o.calendar, o.day, o.open FROM new_rows o
						EXCEPT SELECT o.tenant_id, o.calendar, o.day, o.open FROM old_rows o)) d
				 GROUP BY 1, 2
		LOOP
			PERFORM routing.note_calendar_days(r.tenant_id, r.calendar, r.first, r.last);
		END LOOP;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.note_calendar() IS 'trigger: notes the inbound whose day as stock changed days of calendars change';
CREATE TRIGGER note_days_new AFTER INSERT ON routing.calendar_day REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_calendar();
CREATE TRIGGER note_days AFTER UPDATE ON routing.calendar_day REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_calendar();
CREATE TRIGGER note_days_gone AFTER DELETE ON routing.calendar_day REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_calendar();
CREATE TRIGGER note_truncate AFTER TRUNCATE ON routing.calendar_day
	FOR EACH STATEMENT EXECUTE FUNCTION routing.note_truncate();

CREATE FUNCTION routing.note_week() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM routing.note_calendar_days(NEW.tenant_id, NEW.calendar, '1900-01-01', '3001-12-31');
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION routing.note_week() IS 'trigger: notes the inbound at nodes of a calendar whose week has changed';
CREATE TRIGGER note_days AFTER UPDATE ON routing.calendar
	FOR EACH ROW WHEN (NEW.weekdays <> OLD.weekdays) EXECUTE FUNCTION routing.note_week();

/*
 * A foreign key would say which constraint is violated; this says which code
 * is unknown.  Not ALWAYS: where foreign keys are off, so are these.
 */
CREATE FUNCTION routing.check_codes() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_row		jsonb;
	what		text;
	code		text;
	state		text;
BEGIN
	IF TG_TABLE_NAME IN ('lane', 'zone_area') THEN
		IF NOT EXISTS (SELECT FROM routing.zone z WHERE z.tenant_id = NEW.tenant_id AND z.zone = NEW.zone) THEN
			what := 'zone'; code := NEW.zone; state := 'RT091';
		END IF;
	END IF;
	IF TG_TABLE_NAME IN ('lane', 'pickup') THEN
		IF NOT EXISTS (SELECT FROM routing.service s WHERE s.tenant_id = NEW.tenant_id AND s.service = NEW.service) THEN
			what := 'service'; code := NEW.service; state := 'RT092';
		ELSIF NOT EXISTS (SELECT FROM routing.node n WHERE n.tenant_id = NEW.tenant_id AND n.node = NEW.node) THEN
			what := 'node'; code := NEW.node; state := 'RT002';
		END IF;
	END IF;
	IF TG_TABLE_NAME IN ('node', 'service', 'customer', 'calendar_day') THEN
		IF NOT EXISTS (SELECT FROM routing.calendar c WHERE c.tenant_id = NEW.tenant_id AND c.calendar = NEW.calendar) THEN
			what := 'calendar'; code := NEW.calendar; state := 'RT093';
		END IF;
	END IF;
	IF TG_TABLE_NAME = 'service' THEN
		IF NOT EXISTS (SELECT FROM routing.carrier c WHERE c.tenant_id = NEW.tenant_id AND c.carrier = NEW.carrier) THEN
			what := 'carrier'; code := NEW.carrier; state := 'RT094';
		END IF;
	END IF;
	IF code IS NULL THEN
		RETURN NEW;			-- known, or not given
	END IF;
	new_row := to_jsonb(NEW);
	RAISE EXCEPTION USING ERRCODE = state,
		MESSAGE = format('%s: %s "%s" is unknown',
						 CASE TG_TABLE_NAME WHEN 'zone_area' THEN format('area of country "%s"', new_row ->> 'country')
							  WHEN 'calendar_day' THEN format('day %s', new_row ->> 'day')
							  WHEN 'lane' THEN format('lane of node "%s", service "%s"', new_row ->> 'node', new_row ->> 'service')
							  WHEN 'pickup' THEN format('pick-up of node "%s", service "%s"', new_row ->> 'node', new_row ->> 'service')
							  ELSE format('%s "%s"', TG_TABLE_NAME, new_row ->> TG_TABLE_NAME) END,
						 what, code),
		HINT = format('Insert it into routing.%s first, or correct the code.', what);
END
$$;
COMMENT ON FUNCTION routing.check_codes() IS 'trigger: refuses an unknown zone, service, node, calendar or carrier';

DO $$
DECLARE
	t	pg_catalog.text;
	w	pg_catalog.text;
BEGIN
	FOR t, w IN VALUES ('lane', ''), ('zone_area', ''), ('pickup', ''), ('calendar_day', ''), ('service', ''),
					   ('node', 'WHEN (NEW.calendar IS NOT NULL)'), ('customer', 'WHEN (NEW.calendar IS NOT NULL)')
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER refuse_unknown BEFORE INSERT OR UPDATE ON routing.%I
			FOR EACH ROW %s EXECUTE FUNCTION routing.check_codes()', t, w);
	END LOOP;
	FOR t, w IN SELECT c.relname, tg.tgname
				FROM pg_catalog.pg_trigger tg JOIN pg_catalog.pg_class c ON c.oid = tg.tgrelid
				WHERE c.relnamespace = 'routing'::pg_catalog.regnamespace AND NOT tg.tgisinternal
				  AND c.relname IN ('calendar', 'calendar_day') AND tg.tgname <> 'refuse_unknown'
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE routing.%I ENABLE ALWAYS TRIGGER %I', t, w);
	END LOOP;
END
$$;

/*
 * What backends keep of service_state are open breakers; that one more failure
 * was counted concerns nobody.
 */
CREATE TRIGGER reference_changed AFTER INSERT OR DELETE ON routing.service_state
	FOR EACH ROW EXECUTE FUNCTION routing.reference_changed();
CREATE TRIGGER reference_updated AFTER UPDATE ON routing.service_state
	FOR EACH ROW WHEN ((NEW.state, NEW.retry_at) IS DISTINCT FROM (OLD.state, OLD.retry_at))
	EXECUTE FUNCTION routing.reference_changed();
CREATE TRIGGER reference_truncated AFTER TRUNCATE ON routing.service_state
	FOR EACH STATEMENT EXECUTE FUNCTION routing.reference_changed();
ALTER TABLE routing.service_state ENABLE ALWAYS TRIGGER reference_changed;
ALTER TABLE routing.service_state ENABLE ALWAYS TRIGGER reference_updated;
ALTER TABLE routing.service_state ENABLE ALWAYS TRIGGER reference_truncated;
