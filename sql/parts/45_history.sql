-- history: what supply and item-nodes said before

CREATE TABLE routing.supply_history (
	tenant_id		int NOT NULL,
	item			text COLLATE "C" NOT NULL,
	node			text COLLATE "C" NOT NULL,
	ref				text COLLATE "C" NOT NULL,
	lot				text COLLATE "C" NOT NULL,
	available_on	date NOT NULL,
	quantity		numeric NOT NULL,
	expires_on		date,
	kind			text NOT NULL,
	status			text NOT NULL,
	order_id		text COLLATE "C" NOT NULL,
	line_no			int,
	binding			text COLLATE "C" NOT NULL,
	source_key		text COLLATE "C" NOT NULL,
	"from"			timestamptz NOT NULL,
	"to"			timestamptz NOT NULL,
	xid				xid8,
	to_xid			xid8 NOT NULL,
	PRIMARY KEY (tenant_id, item, node, ref, lot, "to", to_xid)
);
COMMENT ON TABLE routing.supply_history IS 'engine''s own: what rows of supply said until a fact in them changed or they went';
COMMENT ON COLUMN routing.supply_history."to" IS 'when it changed, the same for all that one transaction changed; others knew from its commit on';
COMMENT ON COLUMN routing.supply_history.xid IS 'the transaction that last wrote the row before; null: long ago, or not known';
COMMENT ON COLUMN routing.supply_history.to_xid IS 'the transaction that changed it, which orders history better than its time';

CREATE TABLE routing.item_node_history (
	tenant_id		int NOT NULL,
	item			text COLLATE "C" NOT NULL,
	node			text COLLATE "C" NOT NULL,
	safety_stock	numeric NOT NULL,
	lead_time_days	int,
	dock_days		int,
	enabled			boolean NOT NULL,
	"from"			timestamptz NOT NULL,
	"to"			timestamptz NOT NULL,
	xid				xid8,
	to_xid			xid8 NOT NULL,
	PRIMARY KEY (tenant_id, item, node, "to", to_xid)
);
COMMENT ON TABLE routing.item_node_history IS 'engine''s own: what rows of item_node said until a fact in them changed or they went';

-- closed bookings by item-node; open ones are in reservation_open, and an update that closes one writes indexes anyway
CREATE INDEX reservation_closed ON routing.reservation (tenant_id, item, node, "to") WHERE "to" IS NOT NULL;
