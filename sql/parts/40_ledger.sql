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
	order_id		text COLLATE "C" NOT NULL DEFAULT '',
	line_no			int,
	binding			text COLLATE "C" NOT NULL DEFAULT '',
	source_key		text COLLATE "C" NOT NULL DEFAULT '',
	posted			boolean NOT NULL DEFAULT false,
	"from"			timestamptz NOT NULL DEFAULT now(),
	serial			text COLLATE "C",
	PRIMARY KEY (tenant_id, item, node, ref, lot),
	CONSTRAINT supply_quantity_range CHECK (quantity >= -1e11 AND quantity <= 1e11 AND min_scale(quantity) <= 4),
	CONSTRAINT supply_date_range CHECK (available_on = '-infinity' OR available_on BETWEEN '1900-01-01' AND '2999-12-31'),
	CONSTRAINT supply_expiry_range CHECK (expires_on BETWEEN '1900-01-01' AND '2999-12-31')
);
CREATE INDEX supply_source ON routing.supply (tenant_id, binding, source_key) WHERE binding <> '';
CREATE INDEX supply_ref ON routing.supply (tenant_id, ref) WHERE ref <> '';
CREATE INDEX supply_lot ON routing.supply (tenant_id, item, lot) WHERE lot <> '';
CREATE INDEX supply_dedicated ON routing.supply (tenant_id, order_id) WHERE order_id <> '';
CREATE UNIQUE INDEX supply_serial ON routing.supply (tenant_id, item, serial) WHERE serial IS NOT NULL;
COMMENT ON TABLE routing.supply IS 'what the ERP says there is or will be: on hand (available_on -infinity) and dated inbound; any SQL may change it, it is judged at commit';
COMMENT ON COLUMN routing.supply.quantity IS 'in the item''s unit; a negative on hand is kept and shown, and offers nothing';
COMMENT ON COLUMN routing.supply.expires_on IS 'last day on which what this lot is of can be used';
COMMENT ON COLUMN routing.supply.status IS 'see supply_rule: whether it counts, and how late it is taken to come';
COMMENT ON COLUMN routing.supply.order_id IS 'dedicated supply: serves this order (and line_no, unless null) only and is nobody else''s';
COMMENT ON COLUMN routing.supply.posted IS 'engine''s own: the row is in position or noted for it (a restored row is not noted again)';
COMMENT ON COLUMN routing.supply.serial IS 'engine''s own: the lot, where it is the serial number of a unit on hand; one row at the most has it';
COMMENT ON COLUMN routing.supply."from" IS 'since when the row says this; what it said before is in supply_history';

CREATE TABLE routing.supply_rule (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	kind		text COLLATE "C" NOT NULL DEFAULT '*'
				CHECK (kind IN ('*', 'on_hand', 'purchase', 'transfer', 'production', 'return')),
	status		text COLLATE "C" NOT NULL DEFAULT '*',
	usable		boolean NOT NULL DEFAULT true,
	delay_days	int NOT NULL DEFAULT 0 CHECK (delay_days BETWEEN 0 AND 365),
	late_days	int NOT NULL DEFAULT 1 CHECK (late_days BETWEEN 0 AND 365),
	posted		boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, kind, status)
);
COMMENT ON TABLE routing.supply_rule IS 'how supply of a kind and status counts; the most exact rule holds: kind and status, then status, then kind';
COMMENT ON COLUMN routing.supply_rule.usable IS 'false: it is not supply at all (quarantine, not yet put away)';
COMMENT ON COLUMN routing.supply_rule.delay_days IS 'days added to the date the ERP gives for inbound';
COMMENT ON COLUMN routing.supply_rule.posted IS 'engine''s own: what the rule means is in positions or noted for them (a restored row is not noted again)';
COMMENT ON COLUMN routing.supply_rule.late_days IS 'inbound whose day has passed is taken to come so many days from today';

CREATE SEQUENCE routing.part_seq AS int MINVALUE 1000001 CYCLE;
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
	min_expiry	date,
	channel		text COLLATE "C",
	pool		text COLLATE "C",
	order_by	date,
	xid			xid8,
	to_xid		xid8,
	for_item	text COLLATE "C",
	per_unit	numeric,
	component	int,
	PRIMARY KEY (tenant_id, order_id, line_no, part)
);
ALTER SEQUENCE routing.part_seq OWNED BY routing.reservation.part;
CREATE INDEX reservation_open ON routing.reservation (tenant_id, item, node) WHERE "to" IS NULL;
COMMENT ON TABLE routing.reservation IS 'bookings, which are the schedule lines of the orders; changed only under the lock of the position';
COMMENT ON COLUMN routing.reservation.order_id IS 'the order; hold:ID of a hold and demand:REF of other demand';
COMMENT ON COLUMN routing.reservation.part IS 'numbers the bookings of a line; beyond 1000000 those that a change of supply made out of others';
COMMENT ON COLUMN routing.reservation.needed_on IS 'the day the stock is needed at the node; the booking counts from then on';
COMMENT ON COLUMN routing.reservation.basis IS 'what the booking rested on when it was made: on_hand, inbound, dedicated supply, or the horizon';
COMMENT ON COLUMN routing.reservation.state IS 'firm and issued count against supply, so does hold until expires_at; at_risk and uncovered have lost their supply, planned waits beyond the horizon for supply to be ordered; cancelled, changed, expired and shipped are history, lapsed is what had lost its supply before it was closed';
COMMENT ON COLUMN routing.reservation.min_expiry IS 'lots must be usable until that day';
COMMENT ON COLUMN routing.reservation.channel IS 'the channel it was made for, where that has allotments';
COMMENT ON COLUMN routing.reservation.pool IS 'whose allotment the booking consumes; null: the free quantity';
COMMENT ON COLUMN routing.reservation.for_item IS 'the line''s item, where the booking is of a component of it or of a substitute';
COMMENT ON COLUMN routing.reservation.per_unit IS 'then: units of item for one unit of for_item';
COMMENT ON COLUMN routing.reservation.component IS 'numbers the components of a kit; null: the item itself or a substitute';
COMMENT ON COLUMN routing.reservation.order_by IS 'of a planned booking: when its supply must be ordered';
COMMENT ON COLUMN routing.reservation.xid IS 'the transaction that made it, which orders history better than its time';

/*
 * One row per item-node: the lock that everything about it goes through, and
 * all that an ATP needs.  timeline holds triples (day, supply, demand), sorted,
 * quantities in ten-thousandths, days as days since 2000-01-01 (on hand:
 * -2147483648) that are effective already but for the calendar: a day is
 * day + ((late_days - 1) << 32).  Always derivable from supply, reservation,
 * item_node, allotment and claim; verify() does so.
 *
 * The columns from escrow on are null for most rows:
 *	escrow		(day, quantity) of the supply that the slots of a hot item-node hold
 *	lots		(day, expires_on, supply, demand) where lots matter: supply has the day it is there and its last day,
 *				demand the day it is needed and the day until which it must be usable; a lot that somebody booked
 *				by its code has a number, day + (number << 32) in the second column, in the order of the codes
 *	holds		(expires_at, needed_on, min_expiry, quantity), which are in no other column; with 1 << 32 in the third
 *				what holds one lot only
 *	quotas		per allotment in allotted: (from, to, quota, limit, buffer, rank, consumed of the quota, of the limit)
 *				and what holds took: (expires_at, ship day, -1, quantity) of the pool in allotted, or with -2
 *				of the limits of the channel in allotted
 *	claims		(rank, quantity): the sums of the queue of backordered lines
 *	falls		(until, quantity): stock that fell before its goods issue was heard of; negative: a goods issue
 *				that was heard of before its stock fell
 *
 * A hot item-node has further rows with slot > 0: each holds a share of the
 * supply of the first one, and the bookings made on it; the balance of each
 * row is never below 0.  The sum of all rows is the item-node.
 */
CREATE TABLE routing.position (
	tenant_id		int NOT NULL,
	item			text COLLATE "C" NOT NULL,
	node			text COLLATE "C" NOT NULL,
	timeline		bigint[] NOT NULL DEFAULT '{}',
	safety_stock	bigint NOT NULL DEFAULT 0,
	enabled			boolean NOT NULL DEFAULT true,
	event_version	bigint NOT NULL DEFAULT 0,
	slot			int NOT NULL DEFAULT 0,
	slots			int NOT NULL DEFAULT 0,
	escrow			bigint[],
	slots_at		timestamptz,
	lead_time_days	int,
	lots			bigint[],
	holds			bigint[],
	allotted		text[] COLLATE "C",
	quotas			bigint[],
	claims			bigint[],
	falls			bigint[],
	band			int NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant_id, item, node, slot)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE routing.position IS 'engine''s own: one row per item-node, its lock and its timeline of supply and demand; more for a hot one';

CREATE TABLE routing.allotment (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	item			text COLLATE "C" NOT NULL,
	node			text COLLATE "C" NOT NULL,
	channel			text COLLATE "C" NOT NULL,
	valid_from		date NOT NULL DEFAULT '-infinity',
	valid_to		date NOT NULL DEFAULT 'infinity',
	quota			numeric NOT NULL DEFAULT 0 CHECK (quota >= 0 AND quota <= 1e11 AND min_scale(quota) <= 4),
	max_quantity	numeric CHECK (max_quantity >= 0 AND max_quantity <= 1e11 AND min_scale(max_quantity) <= 4),
	buffer			numeric NOT NULL DEFAULT 0 CHECK (buffer >= 0 AND buffer <= 1e11 AND min_scale(buffer) <= 4),
	rank			int NOT NULL DEFAULT 100,
	posted			boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, item, node, channel, valid_from),
	FOREIGN KEY (tenant_id, item) REFERENCES routing.item,
	FOREIGN KEY (tenant_id, node) REFERENCES routing.node,
	FOREIGN KEY (tenant_id, channel) REFERENCES routing.channel,
	CHECK (valid_from <= valid_to)
);
COMMENT ON TABLE routing.allotment IS 'what of an item-node is kept for a channel or group, or is the most it may have, for ship dates in a period';
COMMENT ON COLUMN routing.allotment.quota IS 'protected for the channel and its parts; a parent''s holds those of its children';
COMMENT ON COLUMN routing.allotment.max_quantity IS 'the most that the channel and its parts may be promised in the period; null: no limit';
COMMENT ON COLUMN routing.allotment.buffer IS 'never offered to the channel';
COMMENT ON COLUMN routing.allotment.rank IS 'whose protection is kept when supply does not suffice for all: the lower first';

CREATE TABLE routing.demand (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	ref			text COLLATE "C" NOT NULL CHECK (ref <> ''),
	item		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	quantity	numeric NOT NULL,
	needed_on	date NOT NULL,
	kind		text NOT NULL DEFAULT 'production'
				CHECK (kind IN ('transfer', 'production', 'vendor_return', 'service')),
	to_node		text COLLATE "C",
	arrives_on	date,
	priority	int NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9),
	posted		boolean NOT NULL DEFAULT false,
	shipped		numeric NOT NULL DEFAULT 0 CHECK (shipped >= 0 AND shipped <= 1e11 AND min_scale(shipped) <= 4),
	received	numeric NOT NULL DEFAULT 0 CHECK (received >= 0 AND received <= 1e11 AND min_scale(received) <= 4),
	PRIMARY KEY (tenant_id, ref),
	CONSTRAINT demand_quantity_range CHECK (quantity > 0 AND quantity <= 1e11 AND min_scale(quantity) <= 4),
	CONSTRAINT demand_date_range CHECK (needed_on BETWEEN '1900-01-01' AND '2999-12-31'),
	CONSTRAINT demand_transfer CHECK ((kind = 'transfer') = (to_node IS NOT NULL AND arrives_on IS NOT NULL))
);
CREATE INDEX demand_stock ON routing.demand (tenant_id, item, node);
COMMENT ON TABLE routing.demand IS 'demand that is no order: transfers out, production, vendor returns, service; booked like orders';
COMMENT ON COLUMN routing.demand.to_node IS 'of a transfer: what the source covers is inbound supply there, from arrives_on on';
COMMENT ON COLUMN routing.demand.quantity IS 'in the item''s unit; of a transfer all of it, what was shipped included';
COMMENT ON COLUMN routing.demand.shipped IS 'engine''s own: what has left, of a transfer';
COMMENT ON COLUMN routing.demand.received IS 'engine''s own: what has arrived, of a transfer';

CREATE TABLE routing.claim (
	tenant_id	int NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	line_no		int NOT NULL,
	item		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	wanted_on	date NOT NULL,
	rank		int NOT NULL,
	quantity	numeric NOT NULL,
	claimed_at	timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, order_id, line_no)
);
CREATE INDEX claim_queue ON routing.claim (tenant_id, item, node, rank, claimed_at);
COMMENT ON TABLE routing.claim IS 'engine''s own: the place of a backordered line in the queue of one item-node; lines of equal or better rank are served before others are offered anything';

CREATE TABLE routing.hold (
	tenant_id	int NOT NULL,
	hold_id		text COLLATE "C" NOT NULL,
	document	jsonb NOT NULL,
	expires_at	timestamptz NOT NULL,
	state		text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'confirmed', 'cancelled', 'expired')),
	order_id	text COLLATE "C",
	made_at		timestamptz NOT NULL DEFAULT now(),
	idempotency_key	text COLLATE "C",
	PRIMARY KEY (tenant_id, hold_id)
);
CREATE UNIQUE INDEX hold_idempotency_key ON routing.hold (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
COMMENT ON TABLE routing.hold IS 'quotes: the order document, until when its bookings count, and the order it became';

CREATE TABLE routing.stock_movement (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	reference	text COLLATE "C" NOT NULL,
	kind		text NOT NULL CHECK (kind IN ('receipt', 'adjustment', 'issue', 'snapshot')),
	item		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	lot			text COLLATE "C" NOT NULL DEFAULT '',
	quantity	numeric NOT NULL,
	ref			text COLLATE "C" NOT NULL DEFAULT '',
	reason		text NOT NULL DEFAULT '',
	moved_at	timestamptz NOT NULL DEFAULT now(),
	recorded_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, reference)
);
CREATE INDEX stock_movement_stock ON routing.stock_movement (tenant_id, item, node, lot, moved_at);
CREATE INDEX stock_movement_ref ON routing.stock_movement (tenant_id, ref) WHERE ref <> '';
COMMENT ON COLUMN routing.stock_movement.quantity IS 'what was added to stock on hand, negative if it fell; of a snapshot what was counted';
COMMENT ON TABLE routing.stock_movement IS 'what calls did to stock on hand, by the caller''s reference: a repeated call changes nothing';

CREATE TABLE routing.setting (
	tenant_id			int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	issue_grace			interval NOT NULL DEFAULT '30 minutes' CHECK (issue_grace >= '0'),
	receipt_tolerance	numeric NOT NULL DEFAULT 0.05 CHECK (receipt_tolerance >= 0 AND receipt_tolerance <= 1),
	rolled_at			timestamptz,
	history_from		timestamptz,
	PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE routing.setting IS 'settings of a tenant; without a row the defaults hold';
COMMENT ON COLUMN routing.setting.issue_grace IS 'how long stock that fell and its goods issue may wait for each other';
COMMENT ON COLUMN routing.setting.receipt_tolerance IS 'share of an inbound quantity that may be received beyond it';
COMMENT ON COLUMN routing.setting.history_from IS 'engine''s own: what was before has been purged';
COMMENT ON COLUMN routing.setting.rolled_at IS 'engine''s own: when roll() last ran';

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
	event_version	bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant_id, exception_id)
);
ALTER SEQUENCE routing.exception_seq OWNED BY routing.exception.exception_id;
CREATE INDEX exception_open ON routing.exception (tenant_id, order_id) WHERE state = 'open';
COMMENT ON TABLE routing.exception IS 'what a person or a rule must act on';
COMMENT ON COLUMN routing.exception.event_version IS 'engine''s own: of the last event of its stream';
