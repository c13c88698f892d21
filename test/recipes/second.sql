-- the event table of a subscriber: the published columns, what comes twice is left out
CREATE SCHEMA routing;
CREATE TABLE routing.event (
	tenant_id int, seq bigint, part_on date, recorded_at timestamptz, event_ts timestamp, id uuid, epoch int,
	tenantid text, aggregatetype text, aggregateid text, aggregateversion bigint, type text, schemaversion int,
	occurred_at timestamptz, correlationid text, causationid uuid, traceparent text, tracestate text,
	tracingspancontext text, payload jsonb,
	arrived bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX ON routing.event (id);
CREATE FUNCTION routing.not_twice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM routing.event e WHERE e.id = NEW.id) THEN RETURN NULL; END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER not_twice BEFORE INSERT ON routing.event FOR EACH ROW EXECUTE FUNCTION routing.not_twice();
ALTER TABLE routing.event ENABLE ALWAYS TRIGGER not_twice;
