-- shipments that further orders may join

CREATE TABLE routing.open_shipment (
	tenant_id	int NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	service		text COLLATE "C" NOT NULL,
	ship_on		date NOT NULL,
	customer	text COLLATE "C" NOT NULL,
	ship_to		text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant_id, order_id, node, service, ship_on)
);
CREATE INDEX open_shipment_ship_to_idx ON routing.open_shipment (tenant_id, customer, ship_to, ship_on);
COMMENT ON TABLE routing.open_shipment IS 'engine''s own: what has not left of orders whose policy consolidates, by node, service and day';
COMMENT ON COLUMN routing.open_shipment.ship_to IS 'country, postal code and coordinates of the destination, as they are compared';
