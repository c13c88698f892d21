-- availability as a relation

CREATE FUNCTION routing.atp_table(items text[] DEFAULT NULL, nodes text[] DEFAULT NULL,
								  from_date date DEFAULT NULL, to_date date DEFAULT NULL, channel text DEFAULT NULL)
	RETURNS TABLE (item text, node text, on_date date, atp numeric)
	LANGUAGE c STABLE PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'routing_atp_table';
COMMENT ON FUNCTION routing.atp_table(text[], text[], date, date, text) IS
	'per item-node the ATP on the first day, and on each later one until the last on which it changes';
