-- policies, orders and decisions

CREATE TABLE routing.policy (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	policy			text COLLATE "C" NOT NULL CHECK (octet_length(policy) BETWEEN 1 AND 63),
	version			int NOT NULL CHECK (version > 0),
	state			text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'approved', 'active', 'retired')),
	definition		jsonb NOT NULL DEFAULT '{}',
	author			text NOT NULL DEFAULT session_user,
	comment			text NOT NULL DEFAULT '',
	created_at		timestamptz NOT NULL DEFAULT now(),
	approved_by		text,
	approved_at		timestamptz,
	activated_by	text,
	activated_at	timestamptz,
	effective_at	timestamptz,
	base_version	int,
	builtin			boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, policy, version)
);
COMMENT ON TABLE routing.policy IS 'the versioned weights by which plans are judged; of the active versions the one that became effective last counts';
COMMENT ON COLUMN routing.policy.activated_at IS 'when it was made active; if effective_at is not after it, it counts at once for everybody';
COMMENT ON COLUMN routing.policy.base_version IS 'of the policy that the definition extends: the version it was approved with; 0 the built-in values';

/*
 * Orders and lines carry no CHECK constraints: the server parses their
 * expressions anew for every statement.  The row triggers note_order() check
 * the same, with messages that name the field.
 */
CREATE TABLE routing.sales_order (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	order_id		text COLLATE "C" NOT NULL,
	customer		text COLLATE "C" NOT NULL,
	channel			text COLLATE "C",
	country			text COLLATE "C",
	postal_code		text COLLATE "C",
	latitude		double precision,
	longitude		double precision,
	requested_on	date,
	date_basis		text NOT NULL DEFAULT 'deliver',
	priority		int,
	completeness	text NOT NULL DEFAULT 'none',
	rest			text,
	rest_days		int,
	ship_not_before	date,
	cancel_after	date,
	early_ok		boolean NOT NULL DEFAULT false,
	freight_terms	text NOT NULL DEFAULT 'prepaid',
	status			text NOT NULL DEFAULT 'received',
	ordered_at		timestamptz NOT NULL DEFAULT now(),
	policy			text COLLATE "C" NOT NULL DEFAULT 'standard',
	correlation_id	text,
	decision_id		bigint,
	event_version	bigint NOT NULL DEFAULT 0,
	reason			text,
	binding			text COLLATE "C" NOT NULL DEFAULT '',
	PRIMARY KEY (tenant_id, order_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE routing.sales_order IS 'orders; inserting one with its lines in one transaction routes it at commit';
COMMENT ON COLUMN routing.sales_order.completeness IS 'none; line: each line whole in one shipment or it waits; group: the lines of a line_group together; order_one_shipment; order_one_date: all whole, arriving on one day; fill_or_kill: all whole and in time, or the order is cancelled';
COMMENT ON COLUMN routing.sales_order.rest IS 'what becomes of what nothing serves, instead of what the policy says: backorder, cancel, or wait rest_days and cancel';
COMMENT ON COLUMN routing.sales_order.ship_not_before IS 'nothing leaves before this day';
COMMENT ON COLUMN routing.sales_order.cancel_after IS 'nothing is promised for later (delivery, or shipping as date_basis says), and what is still unserved then is cancelled';
COMMENT ON COLUMN routing.sales_order.early_ok IS 'what can be delivered before the requested day may be';
COMMENT ON COLUMN routing.sales_order.freight_terms IS 'prepaid; collect or third_party: the freight is not our cost';

CREATE TABLE routing.deleted_order (
	tenant_id		int NOT NULL,
	order_id		text COLLATE "C" NOT NULL,
	event_version	bigint NOT NULL,
	PRIMARY KEY (tenant_id, order_id)
);
COMMENT ON TABLE routing.deleted_order IS 'engine''s own: routed orders whose row was deleted, so that an order with the same id goes on with their event stream and bookings';

CREATE TABLE routing.sales_order_line (
	tenant_id			int NOT NULL DEFAULT routing.current_tenant(),
	order_id			text COLLATE "C" NOT NULL,
	line_no				int NOT NULL,
	item				text COLLATE "C" NOT NULL,
	quantity			numeric NOT NULL,
	uom					text COLLATE "C",
	price				numeric,
	requested_on		date,
	node				text COLLATE "C",
	lot					text COLLATE "C" NOT NULL DEFAULT '',
	status				text NOT NULL DEFAULT 'received',
	promised_on			date,
	first_promised_on	date,
	allocated_node		text COLLATE "C",
	split				boolean NOT NULL DEFAULT false,
	replan				boolean NOT NULL DEFAULT false,
	reason				text,
	source_key			text COLLATE "C",
	min_life_days		int,
	line_group			int,
	splittable			boolean NOT NULL DEFAULT true,
	cancelled_quantity	numeric,
	substitutes			text,
	PRIMARY KEY (tenant_id, order_id, line_no)
) WITH (fillfactor = 80);
COMMENT ON TABLE routing.sales_order_line IS 'order lines; node pins the line to a node, the columns from status on are the engine''s answer';
COMMENT ON COLUMN routing.sales_order_line.line_group IS 'lines of one group go together, if completeness is group';
COMMENT ON COLUMN routing.sales_order_line.substitutes IS 'what may be delivered instead: never, allowed (substitutes that need no consent), or consented (all); null: as the customer says';
COMMENT ON COLUMN routing.sales_order_line.splittable IS 'false: one node and one date serve all of it';
COMMENT ON COLUMN routing.sales_order_line.cancelled_quantity IS 'engine''s own: what nothing served and is not waited for any more, in the item''s unit';
COMMENT ON COLUMN routing.sales_order_line.replan IS 'engine''s own: item, dates, destination or pin changed, so what is booked is planned anew';

CREATE SEQUENCE routing.decision_seq;
CREATE TABLE routing.decision (
	tenant_id		int NOT NULL,
	decision_id		bigint NOT NULL,
	previous_id		bigint,
	order_id		text COLLATE "C" NOT NULL,
	decided_at		timestamptz NOT NULL,
	policy			text COLLATE "C" NOT NULL,
	policy_version	int NOT NULL,
	status			text NOT NULL,
	cost			numeric,
	record			bytea NOT NULL,
	PRIMARY KEY (tenant_id, decision_id)
) WITH (toast_tuple_target = 4080);
ALTER SEQUENCE routing.decision_seq OWNED BY routing.decision.decision_id;
COMMENT ON TABLE routing.decision IS 'what was known and chosen at each routing of an order; previous_id leads to the one before';
COMMENT ON COLUMN routing.decision.record IS 'engine''s own: the inputs of the plan search and the answer; decision_detail() reads it';
