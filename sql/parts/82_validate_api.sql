-- payloads of events against the catalog of types

CREATE FUNCTION routing.event_problem(type text, payload jsonb, schemaversion int DEFAULT NULL) RETURNS text
	LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'routing_event_problem';
COMMENT ON FUNCTION routing.event_problem(text, jsonb, int) IS
	'what the schema of an event type does not allow in a payload, with its path; null if it is valid';
