-- lots: what verify() needs to know of them

CREATE FUNCTION routing.lots_check(tenant_id int, item text, node text, today date) RETURNS text
	LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'routing_lots_check';
COMMENT ON FUNCTION routing.lots_check(int, text, text, date) IS
	'engine''s own: what is wrong with position.lots of an item-node, or null; without a day, dates count as given';
