/*
 * AdventureWorks as an ERP: schema aw, lower-case names, integer and text
 * keys, surrogate line keys; owned by aw_erp.  From the files come products,
 * inventory totals, open purchases, customers and addresses.  Made up: the
 * seven warehouses, how a product's inventory is spread over them (twice the
 * file's total), one replenishment for each product sold, all dates.
 */
CREATE ROLE aw_erp;
INSERT INTO routing.tenant_member (tenant_id, role) VALUES (1, 'aw_erp');
CREATE SCHEMA aw AUTHORIZATION aw_erp;
SET ROLE aw_erp;

CREATE TABLE aw.product (product_id int PRIMARY KEY, product_number text NOT NULL UNIQUE, name text NOT NULL,
						 weight_kg numeric NOT NULL, standard_cost numeric NOT NULL);
CREATE TABLE aw.warehouse (warehouse text PRIMARY KEY, name text NOT NULL, country text NOT NULL, postal_code text NOT NULL,
						   latitude float8 NOT NULL, longitude float8 NOT NULL);
CREATE TABLE aw.stock (warehouse text NOT NULL REFERENCES aw.warehouse, product_number text NOT NULL,
					   on_hand int NOT NULL, bin text, PRIMARY KEY (warehouse, product_number));
CREATE TABLE aw.purchase_order (purchase_order_id int PRIMARY KEY, status int NOT NULL);
CREATE TABLE aw.purchase_order_line (
	purchase_order_id int NOT NULL REFERENCES aw.purchase_order, purchase_order_line_id int NOT NULL,
	product_id int NOT NULL REFERENCES aw.product, warehouse text NOT NULL REFERENCES aw.warehouse,
	due_date timestamp NOT NULL, order_qty numeric NOT NULL, received_qty numeric NOT NULL,
	PRIMARY KEY (purchase_order_id, purchase_order_line_id));
CREATE TABLE aw.address (address_id int PRIMARY KEY, city text, postal_code text, country text NOT NULL,
						 latitude float8, longitude float8);
CREATE TABLE aw.customer (customer_id int PRIMARY KEY, account_number text NOT NULL, store boolean NOT NULL,
						  address_id int REFERENCES aw.address);

CREATE TABLE aw.web_order (
	order_number text PRIMARY KEY, customer_id int NOT NULL REFERENCES aw.customer, order_date date NOT NULL,
	due_date date NOT NULL, line_count int, changed_at timestamptz NOT NULL DEFAULT now(),
	fulfil_status text, warehouse text, promise_date date, split_flag boolean, parcels int, fulfil_reason text);
CREATE TABLE aw.web_order_line (
	order_number text NOT NULL REFERENCES aw.web_order ON DELETE CASCADE,
	line_id bigint GENERATED ALWAYS AS IDENTITY, line_item int NOT NULL,
	product_number text NOT NULL REFERENCES aw.product (product_number), quantity int NOT NULL,
	fulfil_status text, warehouse text, promise_date date,
	PRIMARY KEY (order_number, line_id));
CREATE TABLE aw.sales_order_header (
	sales_order_id int PRIMARY KEY, customer_id int NOT NULL REFERENCES aw.customer, online boolean NOT NULL,
	ship_to_address_id int NOT NULL REFERENCES aw.address, order_date timestamp NOT NULL, due_date timestamp NOT NULL,
	fulfil_status text, warehouse text, promise_date date, fulfil_cost numeric);
CREATE TABLE aw.sales_order_detail (
	sales_order_id int NOT NULL REFERENCES aw.sales_order_header ON DELETE CASCADE,
	sales_order_detail_id int NOT NULL, product_id int NOT NULL REFERENCES aw.product,
	order_qty int NOT NULL, unit_price numeric NOT NULL,
	fulfil_status text, warehouse text, promise_date date, fulfil_qty numeric,
	PRIMARY KEY (sales_order_id, sales_order_detail_id));
CREATE TABLE aw.entered (order_number text, how text);
RESET ROLE;

INSERT INTO aw.product
SELECT "ProductID"::int, "ProductNumber", "Name",
	   round(CASE "WeightUnitMeasureCode" WHEN 'LB' THEN "Weight"::numeric * 0.45359
			 WHEN 'G' THEN "Weight"::numeric / 1000 ELSE 0.1 END, 4), "StandardCost"::numeric
FROM in_aw."Product";
INSERT INTO aw.warehouse VALUES
	('BOT', 'Bothell', 'US', '98011', 47.76, -122.21), ('RNO', 'Reno', 'US', '89501', 39.53, -119.81),
	('DFW', 'Dallas', 'US', '75201', 32.78, -96.80), ('CMH', 'Columbus', 'US', '43215', 39.96, -83.00),
	('YYZ', 'Toronto', 'CA', 'M5H', 43.65, -79.38), ('LEJ', 'Leipzig', 'DE', '04109', 51.34, 12.37),
	('SYD', 'Sydney', 'AU', '2000', -33.87, 151.21);
INSERT INTO aw.address
SELECT a."AddressID"::int, a."City", a."PostalCode", s."CountryRegionCode", a."Latitude"::float8, a."Longitude"::float8
FROM in_aw."Address" a JOIN in_aw."StateProvince" s USING ("StateProvinceID");
INSERT INTO aw.customer
SELECT c."CustomerID"::int, c."AccountNumber", c."StoreID" IS NOT NULL, min(b."AddressID"::int)
FROM in_aw."Customer" c
LEFT JOIN in_aw."BusinessEntityAddress" b ON b."BusinessEntityID" = c."PersonID" AND b."AddressTypeID" = '2'
GROUP BY 1, 2, 3;

-- the web orders as the ERP will enter them, wanted 3 to 32 days from now
CREATE TABLE in_aw.web_order AS
SELECT row_number() OVER (ORDER BY order_number) AS k, o.*
FROM (SELECT "OrderNumber" AS order_number, min("CustomerID"::int) AS customer_id, current_date AS order_date,
			 current_date + 3 + abs(hashtext("OrderNumber") % 30) AS due_date
	  FROM in_aw."InternetSalesLine" GROUP BY 1) o;
CREATE TABLE in_aw.web_line AS
SELECT "OrderNumber" AS order_number, "OrderLineItem"::int AS line_item, "ProductNumber" AS product_number,
	   "OrderQuantity"::int AS quantity
FROM in_aw."InternetSalesLine" ORDER BY 1, 2;
CREATE INDEX ON in_aw.web_line (order_number);
CREATE UNIQUE INDEX ON in_aw.web_order (order_number);
CREATE UNIQUE INDEX ON in_aw.web_order (k);
CREATE TABLE in_aw.sales_order AS
SELECT row_number() OVER (ORDER BY "SalesOrderID"::int) AS k, "SalesOrderID"::int AS sales_order_id,
	   "CustomerID"::int AS customer_id, "OnlineOrderFlag"::boolean AS online, "ShipToAddressID"::int AS address_id,
	   current_date::timestamp AS order_date, current_date + ("DueDate"::timestamp - "OrderDate"::timestamp) AS due_date
FROM in_aw."SalesOrderHeader_subset";
CREATE TABLE in_aw.sales_line AS
SELECT "SalesOrderID"::int AS sales_order_id, "SalesOrderDetailID"::int AS detail_id, "ProductID"::int AS product_id,
	   "OrderQty"::int AS quantity, "UnitPrice"::numeric AS unit_price
FROM in_aw."SalesOrderDetail_subset" WHERE "SalesOrderID" IN (SELECT "SalesOrderID" FROM in_aw."SalesOrderHeader_subset");
CREATE INDEX ON in_aw.sales_line (sales_order_id);
ANALYZE in_aw.web_order, in_aw.web_line, in_aw.sales_order, in_aw.sales_line;

-- twice the product's inventory, in shares 1 to 4 over about half of the warehouses
INSERT INTO aw.stock (warehouse, product_number, on_hand)
SELECT warehouse, product_number, 2 * total * share / nullif(sum(share) OVER (PARTITION BY product_number), 0)
FROM (SELECT w.warehouse, p.product_number, i.total,
			 CASE WHEN w.warehouse = 'BOT' OR abs(hashtext(w.warehouse || p.product_number)) % 2 = 0
				  THEN 1 + abs(hashtext(p.product_number || w.warehouse)) % 4 ELSE 0 END AS share
	  FROM aw.warehouse w, aw.product p
	  JOIN (SELECT "ProductID"::int AS product_id, sum("Quantity"::int) AS total FROM in_aw."ProductInventory" GROUP BY 1) i
		  USING (product_id)) s
WHERE share > 0;

-- open purchases of the file, due in the next eight weeks, and one replenishment per product sold
INSERT INTO aw.purchase_order
SELECT "PurchaseOrderID"::int, "Status"::int FROM in_aw."PurchaseOrderHeader";
INSERT INTO aw.purchase_order_line
SELECT d."PurchaseOrderID"::int, d."PurchaseOrderDetailID"::int, d."ProductID"::int,
	   (ARRAY['BOT', 'DFW', 'LEJ'])[1 + d."PurchaseOrderID"::int % 3],
	   current_date + 1 + d."PurchaseOrderDetailID"::int % 56, d."OrderQty"::numeric, d."ReceivedQty"::numeric
FROM in_aw."PurchaseOrderDetail" d JOIN in_aw."PurchaseOrderHeader" h USING ("PurchaseOrderID")
WHERE h."Status" IN ('1', '2');
INSERT INTO aw.purchase_order VALUES (900001, 2);
INSERT INTO aw.purchase_order_line
SELECT 900001, row_number() OVER (ORDER BY product_id), product_id,
	   (ARRAY['BOT', 'CMH', 'LEJ', 'SYD'])[1 + product_id % 4], current_date + 5 + product_id % 40, 80, 0
FROM aw.product WHERE product_number IN (SELECT product_number FROM in_aw.web_line);

-- the network: the first digit of the postal code in the US, elsewhere the country
INSERT INTO routing.node (node, name, country, postal_code, latitude, longitude, handling_cost)
SELECT warehouse, name, country, postal_code, latitude, longitude, 2.50 FROM aw.warehouse;
CREATE TABLE in_aw.zone AS
SELECT zone, country, prefix, avg(latitude) AS latitude, avg(longitude) AS longitude
FROM (SELECT CASE WHEN country = 'US' THEN 'US-' || left(postal_code, 1) ELSE country END AS zone, country,
			 CASE WHEN country = 'US' THEN left(postal_code, 1) ELSE '' END AS prefix, latitude, longitude
	  FROM aw.address) a
GROUP BY 1, 2, 3
UNION ALL
SELECT 'US-REST', 'US', '', 39.8, -98.6;
INSERT INTO routing.zone (zone) SELECT zone FROM in_aw.zone;
INSERT INTO routing.zone_area (country, postal_prefix, zone) SELECT country, prefix, zone FROM in_aw.zone;
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg)
SELECT w.warehouse, z.zone, l.*
FROM aw.warehouse w, in_aw.zone z,
	 LATERAL erp_check.lanes(erp_check.km(w.latitude, w.longitude, z.latitude, z.longitude)) l;

INSERT INTO routing.item (item, name, weight_kg, unit_cost)
SELECT product_number, name, weight_kg, round(standard_cost, 4) FROM aw.product;
INSERT INTO routing.customer (customer, name, priority)
SELECT customer_id::text, account_number, CASE WHEN store THEN 3 ELSE 5 END FROM aw.customer;
ANALYZE;
