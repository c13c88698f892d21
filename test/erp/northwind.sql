/*
 * Northwind as an ERP: schema nw, the file's mixed-case names, one with a
 * blank; integer order key, text customer key, two-column line key (OrderID,
 * ProductID), no line number; owned by nw_erp.  Made up: three warehouses,
 * each with three times the file's UnitsInStock, which has one number per
 * product; dates for UnitsOnOrder; the coordinates of the countries.
 *
 * Bound while empty; the stock then comes by COPY-like inserts of the ERP.
 */
CREATE ROLE nw_erp;
INSERT INTO routing.tenant_member (tenant_id, role) VALUES (1, 'nw_erp');
CREATE SCHEMA nw AUTHORIZATION nw_erp;
SET ROLE nw_erp;
CREATE TABLE nw."Customers" ("CustomerID" text PRIMARY KEY, "CompanyName" text NOT NULL, "Country" text);
CREATE TABLE nw."Products" ("ProductID" int PRIMARY KEY, "ProductName" text NOT NULL, "UnitPrice" numeric NOT NULL);
CREATE TABLE nw."Warehouse" ("Code" text PRIMARY KEY, "Name" text NOT NULL, "Latitude" float8, "Longitude" float8);
CREATE TABLE nw."Stock" ("ProductID" int REFERENCES nw."Products", "WarehouseCode" text REFERENCES nw."Warehouse",
						 "UnitsInStock" int NOT NULL, PRIMARY KEY ("ProductID", "WarehouseCode"));
CREATE TABLE nw."Inbound" ("InboundID" int PRIMARY KEY, "ProductID" int REFERENCES nw."Products",
						   "WarehouseCode" text REFERENCES nw."Warehouse", "Units" int NOT NULL, "Due" date NOT NULL);
CREATE TABLE nw."Orders" (
	"OrderID" int PRIMARY KEY, "CustomerID" text REFERENCES nw."Customers", "OrderDate" date, "RequiredDate" date,
	"ShipName" text, "ShipCity" text, "ShipPostalCode" text, "ShipCountry" text, "Freight" numeric,
	"AllocStatus" text, "PromiseDate" date, "WarehouseCode" text);
CREATE TABLE nw."Order Details" (
	"OrderID" int REFERENCES nw."Orders", "ProductID" int REFERENCES nw."Products", "UnitPrice" numeric NOT NULL,
	"Quantity" smallint NOT NULL, "Discount" numeric NOT NULL,
	"AllocStatus" text, "PromiseDate" date, "WarehouseCode" text,
	PRIMARY KEY ("OrderID", "ProductID"));
RESET ROLE;
GRANT USAGE ON SCHEMA in_nw TO nw_erp;
GRANT SELECT ON ALL TABLES IN SCHEMA in_nw TO nw_erp;
GRANT USAGE ON SCHEMA erp_check TO nw_erp;
GRANT INSERT ON erp_check.took TO nw_erp;

INSERT INTO nw."Customers" SELECT "CustomerID", "CompanyName", "Country" FROM in_nw."Customers";
INSERT INTO nw."Products" SELECT "ProductID"::int, "ProductName", "UnitPrice"::numeric FROM in_nw."Products";
INSERT INTO nw."Warehouse" VALUES ('nw-Seattle', 'Seattle', 47.61, -122.33), ('nw-Rotterdam', 'Rotterdam', 51.92, 4.48),
	('nw-Campinas', 'Campinas', -22.91, -47.06);

-- the network: a zone for each country, by the name the ERP uses
CREATE TABLE in_nw.zone (country text, latitude float8, longitude float8);
INSERT INTO in_nw.zone VALUES ('Argentina', -34.6, -58.4), ('Austria', 47.6, 14.1), ('Belgium', 50.6, 4.7),
	('Brazil', -22.0, -45.0), ('Canada', 49.9, -97.1), ('Denmark', 56.0, 10.0), ('Finland', 61.9, 25.7),
	('France', 46.6, 2.5), ('Germany', 51.2, 10.4), ('Ireland', 53.4, -8.2), ('Italy', 42.8, 12.8),
	('Mexico', 19.4, -99.1), ('Norway', 60.5, 8.5), ('Poland', 52.1, 19.4), ('Portugal', 39.4, -8.2),
	('Spain', 40.2, -3.6), ('Sweden', 60.1, 15.0), ('Switzerland', 46.8, 8.2), ('UK', 52.5, -1.5),
	('USA', 42.0, -112.0), ('Venezuela', 10.5, -66.9);
INSERT INTO routing.node (node, name, latitude, longitude, handling_cost)
SELECT "Code", "Name", "Latitude", "Longitude", 1.75 FROM nw."Warehouse";
INSERT INTO routing.zone (zone) SELECT 'nw ' || country FROM in_nw.zone;
INSERT INTO routing.zone_area (country, postal_prefix, zone) SELECT country, '', 'nw ' || country FROM in_nw.zone;
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg)
SELECT w."Code", 'nw ' || z.country, l.*
FROM nw."Warehouse" w, in_nw.zone z,
	 LATERAL erp_check.lanes(erp_check.km(w."Latitude", w."Longitude", z.latitude, z.longitude)) l;
INSERT INTO routing.item (item, name, weight_kg) SELECT "ProductID", "ProductName", 0.8 FROM nw."Products";
INSERT INTO routing.customer (customer, name) SELECT "CustomerID", "CompanyName" FROM nw."Customers";

SELECT routing.bind('nw_stock', '{"supply": {"table": "nw.\"Stock\"", "key": ["ProductID", "WarehouseCode"],
	"columns": {"item": "ProductID", "node": "WarehouseCode", "quantity": "UnitsInStock"}}}');
SELECT routing.bind('nw_inbound', '{"supply": {"table": "nw.\"Inbound\"", "key": ["InboundID"],
	"columns": {"item": "ProductID", "node": "WarehouseCode", "quantity": "Units", "available_on": "Due"}}}');
SELECT routing.bind('nw_orders', '{
	"orders": {
		"table":   "nw.\"Orders\"",
		"key":     ["OrderID"],
		"columns": {"customer": "CustomerID", "country": "ShipCountry", "postal_code": "ShipPostalCode",
					"requested_on": "RequiredDate"},
		"write_back": {"columns": {"status": "AllocStatus", "promised_on": "PromiseDate", "node": "WarehouseCode"}}
	},
	"lines": {
		"table":   "nw.\"Order Details\"",
		"key":     ["OrderID", "ProductID"],
		"columns": {"item": "ProductID", "quantity": "Quantity", "price": "UnitPrice"},
		"write_back": {"columns": {"status": "AllocStatus", "promised_on": "PromiseDate", "node": "WarehouseCode"}}
	}}');

SET ROLE nw_erp;
INSERT INTO nw."Stock"
SELECT "ProductID"::int, w."Code", 3 * "UnitsInStock"::int FROM in_nw."Products", nw."Warehouse" w;
INSERT INTO nw."Inbound"
SELECT "ProductID"::int, "ProductID"::int, (ARRAY['nw-Seattle', 'nw-Rotterdam', 'nw-Campinas'])[1 + "ProductID"::int % 3],
	   "UnitsOnOrder"::int, current_date + 3 + "ProductID"::int % 20
FROM in_nw."Products" WHERE "UnitsOnOrder"::int > 0;
RESET ROLE;
ANALYZE;

CALL erp_check.add('head', $$
	SELECT 'nw_orders', "OrderID"::text, "AllocStatus", "WarehouseCode", "PromiseDate" FROM nw."Orders" $$);
CALL erp_check.add('line', $$
	SELECT 'nw_orders', "OrderID"::text, "ProductID"::text, "Quantity", "AllocStatus", "WarehouseCode", "PromiseDate"
	FROM nw."Order Details" $$);
