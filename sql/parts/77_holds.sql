-- holds: quotes with an expiry

CREATE SEQUENCE routing.hold_seq;
ALTER SEQUENCE routing.hold_seq OWNED BY routing.hold.hold_id;
COMMENT ON COLUMN routing.hold.state IS
	'open, also when expires_at has passed and nobody has written one of its positions since';
COMMENT ON COLUMN routing.hold.order_id IS 'of a confirmed hold: the order it became';

COMMENT ON COLUMN routing.hold.idempotency_key IS 'the document''s, as long as a repeated call returns this hold';

CREATE FUNCTION routing.hold(order_document jsonb, ttl interval DEFAULT '15 minutes') RETURNS text
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	AS 'MODULE_PATHNAME', 'routing_hold';
COMMENT ON FUNCTION routing.hold(jsonb, interval) IS
	'books what the order document can have now, until ttl has passed; returns the hold''s id';

CREATE FUNCTION routing.confirm_hold(hold_id text) RETURNS text
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	AS 'MODULE_PATHNAME', 'routing_confirm_hold';
COMMENT ON FUNCTION routing.confirm_hold(text) IS
	'makes the order of the hold''s document, with what is held; returns its id; idempotent';

CREATE FUNCTION routing.cancel_hold(hold_id text) RETURNS boolean
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	AS 'MODULE_PATHNAME', 'routing_cancel_hold';
COMMENT ON FUNCTION routing.cancel_hold(text) IS
	'gives back what is held; false if the hold was cancelled or has expired';

CREATE FUNCTION routing.hold_lines(hold_id text,
								   OUT line_no int, OUT item text, OUT node text, OUT quantity numeric,
								   OUT ship_on date, OUT deliver_on date, OUT expires_at timestamptz)
	RETURNS SETOF record
	LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan ROWS 10
	AS 'MODULE_PATHNAME', 'routing_hold_lines';
COMMENT ON FUNCTION routing.hold_lines(text) IS 'what the hold holds now; nothing once it has expired';
