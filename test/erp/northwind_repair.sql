-- 19 orders to Ireland have no postal code in the file
SET ROLE nw_erp;
UPDATE nw."Orders" SET "ShipPostalCode" = 'T12' WHERE "ShipPostalCode" IS NULL;
