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
	handling_cost	numeric NOT NULL DEFAULT 0
					CHECK (handling_cost >= 0 AND handling_cost <= 1e9 AND min_scale(handling_cost) <= 4),
	dock_days		int NOT NULL DEFAULT 0 CHECK (dock_days BETWEEN 0 AND 365),
	stock_feed		boolean NOT NULL DEFAULT true,
	PRIMARY KEY (tenant_id, node)
);
COMMENT ON TABLE routing.node IS 'places that can fulfill; handling_cost is money per shipment';
COMMENT ON COLUMN routing.node.dock_days IS 'days from the arrival of inbound supply until it is stock';
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
	PRIMARY KEY (tenant_id, service),
	FOREIGN KEY (tenant_id, carrier) REFERENCES routing.carrier
);
COMMENT ON TABLE routing.service IS 'services of the carriers; a closed one is not used';

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
	PRIMARY KEY (tenant_id, customer)
);
COMMENT ON TABLE routing.customer IS 'customers; priority 1 is best and is the default of their orders';
COMMENT ON COLUMN routing.customer.min_life_days IS 'days that what is delivered must at least be usable after the day of delivery';
