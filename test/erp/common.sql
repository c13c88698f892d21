-- what both data sets use: distances, and what the checks look at

CREATE SCHEMA erp_check;

-- great-circle distance in km
CREATE FUNCTION erp_check.km(lat1 float8, lon1 float8, lat2 float8, lon2 float8) RETURNS float8
	LANGUAGE sql IMMUTABLE AS $$
	SELECT 12742 * asin(least(1, sqrt(sind((lat2 - lat1) / 2) ^ 2
									  + cosd(lat1) * cosd(lat2) * sind((lon2 - lon1) / 2) ^ 2)))
$$;

-- made-up freight: by distance, two services
CREATE FUNCTION erp_check.lanes(km float8, OUT service text, OUT transit_days int, OUT base_cost numeric,
								OUT cost_per_kg numeric)
	RETURNS SETOF record LANGUAGE sql IMMUTABLE AS $$
	SELECT s.service, greatest(1, ceil(km / s.km_per_day))::int, round((s.base + km * s.per_km)::numeric, 2),
		   round((s.kg + km * s.kg_per_km)::numeric, 4)
	FROM (VALUES ('STANDARD', 700.0, 4.0, 0.004, 0.4, 0.0004), ('EXPRESS', 4000.0, 9.0, 0.008, 1.0, 0.0010))
		AS s (service, km_per_day, base, per_km, kg, kg_per_km)
$$;
INSERT INTO routing.carrier (carrier) VALUES ('POST');
INSERT INTO routing.service (service, carrier) VALUES ('STANDARD', 'POST'), ('EXPRESS', 'POST');

-- the ERPs' orders and lines as one, and how long the ERPs' inserts took
CREATE TABLE erp_check.took (binding text NOT NULL, what text NOT NULL, seconds numeric NOT NULL);
CREATE TABLE erp_check.head_view (binding text, order_id text, status text, node text, promised_on date);
CREATE VIEW erp_check.head AS SELECT * FROM erp_check.head_view;
CREATE TABLE erp_check.line_view (binding text, order_id text, item text, quantity numeric, status text, node text,
								  promised_on date);
CREATE VIEW erp_check.line AS SELECT * FROM erp_check.line_view;

\ir ../overbooked.sql

-- a view is appended to one of the two
CREATE PROCEDURE erp_check.add(what text, query text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE OR REPLACE VIEW erp_check.%I AS %s UNION ALL %s', what,
				   rtrim(pg_get_viewdef(('erp_check.' || what)::regclass), ';'), query);
END
$$;
