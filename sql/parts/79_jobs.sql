-- what time brings due

CREATE FUNCTION routing.position_due(p routing.position, today date) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_position_due';
COMMENT ON FUNCTION routing.position_due(routing.position, date) IS
	'whether roll() has something to do at an item-node';

CREATE FUNCTION routing.roll(max_positions int DEFAULT NULL) RETURNS int
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'routing_roll';
COMMENT ON FUNCTION routing.roll(int) IS
	'draws the consequences of time passing: late supply, missed horizons, ended holds; returns how many item-nodes were due';
