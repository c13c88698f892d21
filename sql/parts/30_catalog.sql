-- items and what is said about an item at a node

CREATE TABLE routing.item (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	item		text COLLATE "C" NOT NULL CHECK (item <> ''),
	name		text NOT NULL DEFAULT '',
	uom			text COLLATE "C" NOT NULL DEFAULT 'ea' CHECK (uom <> ''),
	weight_kg	numeric NOT NULL DEFAULT 0
				CHECK (weight_kg >= 0 AND weight_kg <= 1e6 AND min_scale(weight_kg) <= 4),
	unit_cost	numeric NOT NULL DEFAULT 0
				CHECK (unit_cost >= 0 AND unit_cost <= 1e9 AND min_scale(unit_cost) <= 4),
	PRIMARY KEY (tenant_id, item)
);
COMMENT ON TABLE routing.item IS 'what is stocked and sold; quantities are in the base unit of measure uom, weight_kg and unit_cost per such unit';

CREATE TABLE routing.item_node (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	item			text COLLATE "C" NOT NULL,
	node			text COLLATE "C" NOT NULL,
	safety_stock	numeric NOT NULL DEFAULT 0
					CHECK (safety_stock >= 0 AND safety_stock <= 1e11 AND min_scale(safety_stock) <= 4),
	lead_time_days	int CHECK (lead_time_days BETWEEN 0 AND 3650),
	enabled			boolean NOT NULL DEFAULT true,
	posted			boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, item, node),
	FOREIGN KEY (tenant_id, item) REFERENCES routing.item,
	FOREIGN KEY (tenant_id, node) REFERENCES routing.node
);
COMMENT ON TABLE routing.item_node IS 'an item at a node: safety stock, supply lead time, whether the node may serve it';
COMMENT ON COLUMN routing.item_node.posted IS 'engine''s own: the row is in position or noted for it (a restored row is not noted again)';
