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
	control		text NOT NULL DEFAULT 'none' CHECK (control IN ('none', 'lot', 'serial')),
	min_life_days int NOT NULL DEFAULT 0 CHECK (min_life_days BETWEEN 0 AND 3650),
	item_class	text COLLATE "C" CHECK (item_class <> ''),
	hazmat_class text COLLATE "C" CHECK (hazmat_class <> ''),
	min_ship_quantity numeric
				CHECK (min_ship_quantity > 0 AND min_ship_quantity <= 1e11 AND min_scale(min_ship_quantity) <= 4),
	max_ship_quantity numeric
				CHECK (max_ship_quantity > 0 AND max_ship_quantity <= 1e11 AND min_scale(max_ship_quantity) <= 4),
	ship_multiple numeric
				CHECK (ship_multiple > 0 AND ship_multiple <= 1e11 AND min_scale(ship_multiple) <= 4),
	CHECK (min_ship_quantity <= max_ship_quantity),
	PRIMARY KEY (tenant_id, item)
);
COMMENT ON TABLE routing.item IS 'what is stocked and sold; quantities are in the base unit of measure uom, weight_kg and unit_cost per such unit';
COMMENT ON COLUMN routing.item.control IS 'serial: each unit on hand is a lot of its own, of quantity 1, at one node only';
COMMENT ON COLUMN routing.item.min_life_days IS 'days of use left after delivery if neither the line nor the customer asks for more';
COMMENT ON COLUMN routing.item.item_class IS 'what rules of policies and restrictions may name';
COMMENT ON COLUMN routing.item.hazmat_class IS 'class of hazardous goods: only nodes that have a permit for it and services that carry hazardous goods; null: not hazardous';
COMMENT ON COLUMN routing.item.min_ship_quantity IS 'what a shipment has of a line at the least, unless less is all that is still open of a larger line';
COMMENT ON COLUMN routing.item.max_ship_quantity IS 'what a shipment has of a line at the most';
COMMENT ON COLUMN routing.item.ship_multiple IS 'what a shipment has of a line is a multiple of it';

CREATE TABLE routing.item_uom (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	item		text COLLATE "C" NOT NULL,
	uom			text COLLATE "C" NOT NULL CHECK (uom <> ''),
	factor		numeric NOT NULL CHECK (factor > 0 AND factor <= 1e9 AND min_scale(factor) <= 4),
	PRIMARY KEY (tenant_id, item, uom),
	FOREIGN KEY (tenant_id, item) REFERENCES routing.item
);
COMMENT ON TABLE routing.item_uom IS 'further units of an item: one uom is factor of the item''s own unit';

CREATE TABLE routing.item_node (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	item			text COLLATE "C" NOT NULL,
	node			text COLLATE "C" NOT NULL,
	safety_stock	numeric NOT NULL DEFAULT 0
					CHECK (safety_stock >= 0 AND safety_stock <= 1e11 AND min_scale(safety_stock) <= 4),
	lead_time_days	int CHECK (lead_time_days BETWEEN 0 AND 3650),
	dock_days		int CHECK (dock_days BETWEEN 0 AND 365),
	enabled			boolean NOT NULL DEFAULT true,
	unit_cost		numeric CHECK (unit_cost >= 0 AND unit_cost <= 1e9 AND min_scale(unit_cost) <= 4),
	posted			boolean NOT NULL DEFAULT false,
	"from"			timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, item, node),
	FOREIGN KEY (tenant_id, item) REFERENCES routing.item,
	FOREIGN KEY (tenant_id, node) REFERENCES routing.node
);
COMMENT ON TABLE routing.item_node IS 'an item at a node: safety stock, supply lead time, whether the node may serve it';
COMMENT ON COLUMN routing.item_node.lead_time_days IS 'from so many days ahead on, any quantity can be promised: it can still be ordered; null: no such horizon';
COMMENT ON COLUMN routing.item_node.unit_cost IS 'cost of goods at the node; null: the item''s';
COMMENT ON COLUMN routing.item_node.dock_days IS 'instead of the node''s';
COMMENT ON COLUMN routing.item_node."from" IS 'since when the row says this; what it said before is in item_node_history';
COMMENT ON COLUMN routing.item_node.posted IS 'engine''s own: the row is in position or noted for it (a restored row is not noted again)';
