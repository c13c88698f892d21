-- Reference data of the engine, read out of the ERP: nodes, zones, services,
-- lanes with transit days and costs from the distance, customers, items.
\set ON_ERROR_STOP 1

INSERT INTO routing.node (node, name, kind, postal_code, latitude, longitude, time_zone, rank, handling_cost)
SELECT whse_code, whse_name, CASE whse_type WHEN 'DC' THEN 'warehouse' ELSE 'store' END,
	   zip, lat, lon, tz, CASE whse_type WHEN 'DC' THEN 10 ELSE 50 END,
	   CASE whse_type WHEN 'DC' THEN 2.00 ELSE 4.50 END
FROM erp.warehouse_master;

INSERT INTO routing.zone (zone, name) SELECT 'US-' || zip2, town || ', ' || state FROM erp.place;
INSERT INTO routing.zone_area (country, postal_prefix, zone) SELECT 'US', zip2, 'US-' || zip2 FROM erp.place;

INSERT INTO routing.carrier (carrier, name) VALUES ('LAND', 'Parcel by road'), ('SKY', 'Parcel by air');
INSERT INTO routing.service (service, carrier, name) VALUES
	('ground', 'LAND', 'Ground'), ('2-day', 'SKY', 'Second day'), ('overnight', 'SKY', 'Next day');

-- great-circle distance on a sphere of 6,371 km
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg)
SELECT n.node, 'US-' || p.zip2, s.service,
	   CASE s.service
			WHEN 'ground' THEN CASE WHEN km < 350 THEN 1 WHEN km < 900 THEN 2 WHEN km < 1700 THEN 3
									WHEN km < 2800 THEN 4 ELSE 5 END
			WHEN '2-day' THEN CASE WHEN km < 250 THEN 1 ELSE 2 END
			ELSE 1 END,
	   round((s.base + s.base_per_km * km)::numeric, 2),
	   round((s.kg + s.kg_per_km * km)::numeric, 4)
FROM routing.node n
CROSS JOIN erp.place p
CROSS JOIN (VALUES ('ground', 6.00, 0.0016, 0.10, 0.00012), ('2-day', 15.00, 0.0030, 0.45, 0.00030),
				   ('overnight', 29.00, 0.0050, 0.90, 0.00060)) AS s (service, base, base_per_km, kg, kg_per_km)
CROSS JOIN LATERAL (
	SELECT 2 * 6371 * asin(sqrt(sin(radians(p.lat - n.latitude) / 2) ^ 2
				+ cos(radians(n.latitude)) * cos(radians(p.lat)) * sin(radians(p.lon - n.longitude) / 2) ^ 2)) AS km) d;

INSERT INTO routing.customer (customer, name, priority)
SELECT deb_no, company, CASE rating WHEN 'A' THEN 2 WHEN 'B' THEN 5 ELSE 7 END FROM erp.debitor;

INSERT INTO routing.item (item, name, uom, weight_kg, unit_cost)
SELECT art_no, descr, 'ea', weight_g / 1000.0, std_cost FROM erp.article;

INSERT INTO routing.policy (policy, version, state, definition, comment) VALUES
	('standard', 1, 'active', '{"split_penalty": "4.00"}', 'the demo''s');

ANALYZE routing.node, routing.zone, routing.zone_area, routing.lane, routing.customer, routing.item;
