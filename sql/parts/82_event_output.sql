-- events: what consumers of the output plugin need besides

CREATE FUNCTION routing.event_hash(aggregateid text) RETURNS int
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_event_hash';
COMMENT ON FUNCTION routing.event_hash(text) IS
	'hash of an aggregate id, from 0 to 2147483647, by which the option "partition" of the output plugin divides the events; it never changes';

CREATE FUNCTION routing.event_payload(dataref text) RETURNS jsonb
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m	text[] := regexp_match(event_payload.dataref, ':event:(\d{4}-\d\d-\d\d):(\d{1,9}):(\d{1,18})$');
	day	date;
BEGIN
	day := m[1];
	IF m IS NULL THEN
		RAISE EXCEPTION datetime_field_overflow;
	END IF;
	RETURN (SELECT e.payload FROM routing.event e
			WHERE e.part_on = day AND e.tenant_id = m[2]::int AND e.seq = m[3]::bigint);
EXCEPTION WHEN datetime_field_overflow THEN
	RAISE EXCEPTION USING ERRCODE = 'RT011',
		MESSAGE = format('dataref "%s" is not that of an event', event_payload.dataref),
		HINT = 'Give the attribute dataref of an event as it came.';
END
$$;
COMMENT ON FUNCTION routing.event_payload(text) IS
	'payload of an event that came with a dataref in the place of its data; null if the event is gone or not for this role';

CREATE FUNCTION routing.cloudevent(event record) RETURNS json
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_cloudevent';
COMMENT ON FUNCTION routing.cloudevent(record) IS
	'CloudEvents envelope of a row of routing.event, consumer_next() or event_since(), as the output plugin writes it but for what only the log knows; null for a row without an event';
