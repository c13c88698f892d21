-- what may not serve what

CREATE TABLE routing.restriction (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	restriction		text COLLATE "C" NOT NULL CHECK (restriction <> ''),
	item			text COLLATE "C",
	item_class		text COLLATE "C",
	node			text COLLATE "C",
	channel			text COLLATE "C",
	country			text COLLATE "C",
	zone			text COLLATE "C",
	customer_group	text COLLATE "C",
	service			text COLLATE "C",
	reason			text NOT NULL DEFAULT '',
	PRIMARY KEY (tenant_id, restriction),
	CONSTRAINT restriction_says_something
		CHECK (num_nonnulls(item, item_class, node, channel, country, zone, customer_group, service) > 0),
	FOREIGN KEY (tenant_id, item) REFERENCES routing.item,
	FOREIGN KEY (tenant_id, node) REFERENCES routing.node,
	FOREIGN KEY (tenant_id, channel) REFERENCES routing.channel,
	FOREIGN KEY (tenant_id, zone) REFERENCES routing.zone,
	FOREIGN KEY (tenant_id, service) REFERENCES routing.service
);
COMMENT ON TABLE routing.restriction IS 'what may not serve what: a line, node and service that match all that is given are not put together';
COMMENT ON COLUMN routing.restriction.channel IS 'of the order, or a group that its channel belongs to';
COMMENT ON COLUMN routing.restriction.reason IS 'for who asks why';
