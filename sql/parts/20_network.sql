-- the network: nodes, zones, carriers, lanes; and the parties that order

CREATE TABLE routing.node (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	node			text COLLATE "C" NOT NULL CHECK (octet_length(node) BETWEEN 1 AND 100),
	name			text NOT NULL DEFAULT '',
	kind			text NOT NULL DEFAULT 'warehouse'
					CHECK (kind IN ('warehouse', 'store', '3pl', 'cross_dock', 'supplier')),
	country			text COLLATE "C" NOT NULL DEFAULT 'US',
	postal_code		text COLLATE "C" NOT NULL DEFAULT '',
	latitude		double precision CHECK (latitude BETWEEN -90 AND 90),
	longitude		double precision CHECK (longitude BETWEEN -180 AND 180),
	time_zone		text NOT NULL DEFAULT 'UTC',
	status			text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
	rank			int NOT NULL DEFAULT 100,
	channels		text[] COLLATE "C",
	hazmat_classes	text[] COLLATE "C",
	handling_cost	numeric NOT NULL DEFAULT 0
					CHECK (handling_cost >= 0 AND handling_cost <= 1e9 AND min_scale(handling_cost) <= 4),
	dock_days		int NOT NULL DEFAULT 0 CHECK (dock_days BETWEEN 0 AND 365),
	stock_feed		boolean NOT NULL DEFAULT true,
	calendar		text COLLATE "C",
	handling_days	int NOT NULL DEFAULT 0 CHECK (handling_days BETWEEN 0 AND 365),
	cut_off			time NOT NULL DEFAULT '24:00',
	min_shipment_value numeric NOT NULL DEFAULT 0
					CHECK (min_shipment_value >= 0 AND min_shipment_value <= 1e9 AND min_scale(min_shipment_value) <= 4),
	PRIMARY KEY (tenant_id, node),
	FOREIGN KEY (tenant_id, calendar) REFERENCES routing.calendar
);
COMMENT ON TABLE routing.node IS 'places that can fulfill; handling_cost is money per shipment';
COMMENT ON COLUMN routing.node.channels IS 'the channels, or groups of them, that the node serves; null: all';
COMMENT ON COLUMN routing.node.hazmat_classes IS 'the classes of hazardous goods that the node has a permit for; null: none';
COMMENT ON COLUMN routing.node.dock_days IS 'days on which the node works from the arrival of inbound supply until it is stock';
COMMENT ON COLUMN routing.node.calendar IS 'when the node works; null: every day';
COMMENT ON COLUMN routing.node.handling_days IS 'days on which the node works from the day stock is needed until the day it ships';
COMMENT ON COLUMN routing.node.cut_off IS 'time of day at the node; what is heard of then or later counts as of its next day of work';
COMMENT ON COLUMN routing.node.min_shipment_value IS 'a shipment of goods worth less is not made';
COMMENT ON COLUMN routing.node.stock_feed IS 'on hand is told by a feed, so that confirm_ship() does not lower it itself';

CREATE TABLE routing.zone (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	zone		text COLLATE "C" NOT NULL CHECK (octet_length(zone) BETWEEN 1 AND 100),
	name		text NOT NULL DEFAULT '',
	PRIMARY KEY (tenant_id, zone)
);
COMMENT ON TABLE routing.zone IS 'destination zones of the lanes';

CREATE TABLE routing.zone_area (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	country			text COLLATE "C" NOT NULL CHECK (octet_length(country) BETWEEN 1 AND 20),
	postal_prefix	text COLLATE "C" NOT NULL DEFAULT '' CHECK (octet_length(postal_prefix) <= 40),
	zone			text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant_id, country, postal_prefix),
	FOREIGN KEY (tenant_id, zone) REFERENCES routing.zone
);
COMMENT ON TABLE routing.zone_area IS 'which postal codes belong to a zone: the longest prefix wins, the empty one takes the rest of the country';

CREATE TABLE routing.carrier (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	carrier		text COLLATE "C" NOT NULL CHECK (carrier <> ''),
	name		text NOT NULL DEFAULT '',
	PRIMARY KEY (tenant_id, carrier)
);
COMMENT ON TABLE routing.carrier IS 'carriers';

CREATE TABLE routing.service (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	service		text COLLATE "C" NOT NULL CHECK (service <> ''),
	carrier		text COLLATE "C" NOT NULL,
	name		text NOT NULL DEFAULT '',
	status		text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
	calendar	text COLLATE "C",
	risk		numeric NOT NULL DEFAULT 0 CHECK (risk >= 0 AND risk <= 1 AND min_scale(risk) <= 4),
	max_weight_kg numeric CHECK (max_weight_kg > 0 AND max_weight_kg <= 1e9 AND min_scale(max_weight_kg) <= 4),
	failure_limit int NOT NULL DEFAULT 5 CHECK (failure_limit BETWEEN 1 AND 1000),
	failure_window interval NOT NULL DEFAULT '10 minutes'
				CHECK (failure_window >= interval '1 second' AND failure_window <= interval '7 days'),
	retry_after	interval NOT NULL DEFAULT '5 minutes'
				CHECK (retry_after >= interval '1 second' AND retry_after <= interval '7 days'),
	retry_max	interval NOT NULL DEFAULT '4 hours'
				CHECK (retry_max >= interval '1 second' AND retry_max <= interval '30 days'),
	hazmat		boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, service),
	FOREIGN KEY (tenant_id, carrier) REFERENCES routing.carrier,
	FOREIGN KEY (tenant_id, calendar) REFERENCES routing.calendar
);
COMMENT ON TABLE routing.service IS 'services of the carriers; a closed one is not used';
COMMENT ON COLUMN routing.service.calendar IS 'when it moves and delivers: transit days are days of it; null: every day';
COMMENT ON COLUMN routing.service.risk IS 'how likely it is late, from 0 to 1; costs that part of the policy''s penalty for it';
COMMENT ON COLUMN routing.service.max_weight_kg IS 'a shipment may not weigh more';
COMMENT ON COLUMN routing.service.failure_limit IS 'so many failures within failure_window, none of them followed by a success, and the service is not used there';
COMMENT ON COLUMN routing.service.retry_after IS 'after which it is tried again; twice as long after each trial that fails, up to retry_max';
COMMENT ON COLUMN routing.service.hazmat IS 'carries hazardous goods, too';

CREATE TABLE routing.lane (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	node			text COLLATE "C" NOT NULL,
	zone			text COLLATE "C" NOT NULL,
	service			text COLLATE "C" NOT NULL,
	transit_days	int NOT NULL CHECK (transit_days BETWEEN 0 AND 365),
	base_cost		numeric NOT NULL DEFAULT 0
					CHECK (base_cost >= 0 AND base_cost <= 1e9 AND min_scale(base_cost) <= 4),
	cost_per_kg		numeric NOT NULL DEFAULT 0
					CHECK (cost_per_kg >= 0 AND cost_per_kg <= 1e6 AND min_scale(cost_per_kg) <= 4),
	PRIMARY KEY (tenant_id, zone, node, service),
	FOREIGN KEY (tenant_id, node) REFERENCES routing.node,
	FOREIGN KEY (tenant_id, zone) REFERENCES routing.zone,
	FOREIGN KEY (tenant_id, service) REFERENCES routing.service
);
CREATE INDEX lane_node ON routing.lane (tenant_id, node);
COMMENT ON TABLE routing.lane IS 'node to zone by one carrier service: transit days, and money per shipment and per kg';

/*
 * A day counts up to its latest cut_off; pick_up is for people.
 */
CREATE TABLE routing.pickup (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	node		text COLLATE "C" NOT NULL,
	service		text COLLATE "C" NOT NULL,
	weekday		int NOT NULL CHECK (weekday BETWEEN 1 AND 7),
	cut_off		time NOT NULL DEFAULT '24:00',
	pick_up		time,
	PRIMARY KEY (tenant_id, node, service, weekday, cut_off),
	FOREIGN KEY (tenant_id, node) REFERENCES routing.node,
	FOREIGN KEY (tenant_id, service) REFERENCES routing.service,
	CHECK (pick_up >= cut_off)
);
COMMENT ON TABLE routing.pickup IS
	'when a service picks up at a node; one that has rows anywhere picks up as they say and nowhere else, one without any on every day that the node works';
COMMENT ON COLUMN routing.pickup.weekday IS '1 is Monday, 7 is Sunday';
COMMENT ON COLUMN routing.pickup.cut_off IS 'time of day at the node; what is heard of then or later misses that day''s pick-up';
COMMENT ON COLUMN routing.pickup.pick_up IS 'when the carrier comes';

CREATE TABLE routing.channel (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	channel		text COLLATE "C" NOT NULL CHECK (channel <> ''),
	name		text NOT NULL DEFAULT '',
	parent		text COLLATE "C",
	PRIMARY KEY (tenant_id, channel),
	FOREIGN KEY (tenant_id, parent) REFERENCES routing.channel
);
COMMENT ON TABLE routing.channel IS 'sales channels and groups of them';
COMMENT ON COLUMN routing.channel.parent IS 'the group the channel belongs to; what is allotted to the group serves its channels when their own is used up';

CREATE TABLE routing.customer (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	customer	text COLLATE "C" NOT NULL CHECK (customer <> ''),
	name		text NOT NULL DEFAULT '',
	priority	int NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9),
	min_life_days int NOT NULL DEFAULT 0 CHECK (min_life_days BETWEEN 0 AND 3650),
	calendar	text COLLATE "C",
	customer_group text COLLATE "C" CHECK (customer_group <> ''),
	sla_penalty	numeric CHECK (sla_penalty >= 0 AND sla_penalty <= 1e6 AND min_scale(sla_penalty) <= 4),
	max_late_days int CHECK (max_late_days BETWEEN 0 AND 3650),
	substitutes	text NOT NULL DEFAULT 'never' CHECK (substitutes IN ('never', 'allowed', 'consented')),
	PRIMARY KEY (tenant_id, customer),
	FOREIGN KEY (tenant_id, calendar) REFERENCES routing.calendar
);
COMMENT ON TABLE routing.customer IS 'customers; priority 1 is best and is the default of their orders';
COMMENT ON COLUMN routing.customer.min_life_days IS 'days that what is delivered must at least be usable after the day of delivery';
COMMENT ON COLUMN routing.customer.calendar IS 'when the customer receives; null: every day';
COMMENT ON COLUMN routing.customer.substitutes IS 'of lines that do not say: never, allowed (those that need no consent), or consented (all)';
COMMENT ON COLUMN routing.customer.customer_group IS 'what rules of policies and restrictions may name';
COMMENT ON COLUMN routing.customer.sla_penalty IS 'money for a line that is late by bad luck, instead of the policy''s';
COMMENT ON COLUMN routing.customer.max_late_days IS 'an order is not promised later than so many days after the requested one; null: as the policy says';
