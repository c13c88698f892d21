-- the ledger: supply (the ERP's facts), reservations (bookings), positions (engine's own)

CREATE TABLE routing.supply (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	item			text COLLATE "C" NOT NULL,
	node			text COLLATE "C" NOT NULL,
	ref				text COLLATE "C" NOT NULL DEFAULT '',
	lot				text COLLATE "C" NOT NULL DEFAULT '',
	available_on	date NOT NULL DEFAULT '-infinity',
	quantity		numeric NOT NULL,
	expires_on		date,
	kind			text NOT NULL DEFAULT 'on_hand'
					CHECK (kind IN ('on_hand', 'purchase', 'transfer', 'production', 'return')),
	status			text NOT NULL DEFAULT 'confirmed',
	binding			text COLLATE "C" NOT NULL DEFAULT '',
	source_key		text COLLATE "C" NOT NULL DEFAULT '',
	posted			boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, item, node, ref, lot),
	CONSTRAINT supply_quantity_range CHECK (quantity >= -1e11 AND quantity <= 1e11 AND min_scale(quantity) <= 4),
	CONSTRAINT supply_date_range CHECK (available_on = '-infinity' OR available_on BETWEEN '1900-01-01' AND '2999-12-31'),
	CONSTRAINT supply_lot_unsupported CHECK (lot = '' AND expires_on IS NULL)
);
CREATE INDEX supply_source ON routing.supply (tenant_id, binding, source_key) WHERE binding <> '';
COMMENT ON TABLE routing.supply IS 'what the ERP says there is or will be: on hand (available_on -infinity) and dated inbound; any SQL may change it, it is judged at commit';
COMMENT ON COLUMN routing.supply.quantity IS 'in the item''s unit; a negative on hand is kept and shown, and offers nothing';
COMMENT ON COLUMN routing.supply.posted IS 'engine''s own: the row is in position or noted for it (a restored row is not noted again)';

CREATE TABLE routing.reservation (
	tenant_id	int NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	line_no		int NOT NULL,
	part		int NOT NULL,
	item		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	lot			text COLLATE "C" NOT NULL DEFAULT '',
	quantity	numeric NOT NULL,
	needed_on	date NOT NULL,
	ship_on		date NOT NULL,
	deliver_on	date NOT NULL,
	service		text COLLATE "C" NOT NULL,
	shipment_no	int NOT NULL,
	basis		text NOT NULL,
	expires_at	timestamptz,
	state		text NOT NULL,
	decision_id	bigint,
	"from"		timestamptz NOT NULL DEFAULT now(),
	"to"		timestamptz,
	PRIMARY KEY (tenant_id, order_id, line_no, part)
);
CREATE INDEX reservation_open ON routing.reservation (tenant_id, item, node) WHERE "to" IS NULL;
COMMENT ON TABLE routing.reservation IS 'bookings, which are the schedule lines of the orders; changed only under the lock of the position';
COMMENT ON COLUMN routing.reservation.needed_on IS 'the day the stock is needed at the node; the booking counts from then on';
COMMENT ON COLUMN routing.reservation.basis IS 'what the booking rested on when it was made';
COMMENT ON COLUMN routing.reservation.state IS 'firm counts against supply; uncovered has lost its supply and waits; cancelled is history';

/*
 * One row per item-node: the lock that everything about it goes through, and
 * all that an ATP needs.  timeline holds triples (day, supply, demand), days
 * as days since 2000-01-01 (on hand: -2147483648), sorted, quantities in
 * ten-thousandths.  Always derivable from supply, reservation and item_node;
 * verify() does so.
 */
CREATE TABLE routing.position (
	tenant_id		int NOT NULL,
	item			text COLLATE "C" NOT NULL,
	node			text COLLATE "C" NOT NULL,
	timeline		bigint[] NOT NULL DEFAULT '{}',
	safety_stock	bigint NOT NULL DEFAULT 0,
	enabled			boolean NOT NULL DEFAULT true,
	event_version	bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant_id, item, node)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE routing.position IS 'engine''s own: one row per item-node, its lock and its timeline of supply and demand';

CREATE SEQUENCE routing.exception_seq;
CREATE TABLE routing.exception (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	exception_id	bigint NOT NULL DEFAULT nextval('routing.exception_seq'),
	type			text NOT NULL,
	order_id		text COLLATE "C",
	line_no			int,
	item			text COLLATE "C",
	node			text COLLATE "C",
	facts			jsonb NOT NULL DEFAULT '{}',
	opened_at		timestamptz NOT NULL DEFAULT now(),
	state			text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
	PRIMARY KEY (tenant_id, exception_id)
);
ALTER SEQUENCE routing.exception_seq OWNED BY routing.exception.exception_id;
CREATE INDEX exception_open ON routing.exception (tenant_id, order_id) WHERE state = 'open';
COMMENT ON TABLE routing.exception IS 'what a person or a rule must act on';
