-- goods issues: what leaves stock and its booking in one settlement

CREATE TABLE routing.issue_wait (
	tenant_id	int NOT NULL,
	item		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	until		timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, item, node)
);
CREATE INDEX issue_wait_until ON routing.issue_wait (tenant_id, until);
COMMENT ON TABLE routing.issue_wait IS 'engine''s own: item-nodes where stock that fell and goods issues wait for each other, and when they have waited long enough';

CREATE TABLE routing.issue (
	tenant_id	int NOT NULL,
	binding		text COLLATE "C" NOT NULL,
	source_key	text COLLATE "C" NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	line_no		int NOT NULL,
	item		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	quantity	numeric NOT NULL,
	unbooked	numeric NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant_id, binding, source_key, order_id, line_no, item, node)
);
COMMENT ON TABLE routing.issue IS 'engine''s own: the goods issues that bindings have told of, as they were applied';
COMMENT ON COLUMN routing.issue.line_no IS '0: the mapping names no line, only the item';
COMMENT ON COLUMN routing.issue.unbooked IS 'the part of quantity that no booking was found for';

-- a fall looks for the adjustments of its own transaction
CREATE INDEX stock_movement_explained ON routing.stock_movement (tenant_id, item, node, recorded_at)
	WHERE kind = 'adjustment';

CREATE FUNCTION routing.confirm_ship(order_id text, line_no int DEFAULT NULL, quantity numeric DEFAULT NULL,
									 node text DEFAULT NULL, reference text DEFAULT NULL, lot text DEFAULT '',
									 shipped_at timestamptz DEFAULT now())
	RETURNS int
	LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	AS 'MODULE_PATHNAME', 'routing_confirm_ship';
COMMENT ON FUNCTION routing.confirm_ship(text, int, numeric, text, text, text, timestamptz) IS
	'goods of an order have left: their bookings are consumed together with the stock on hand; returns how many bookings that were, 0 if the reference was heard before';
