-- The ERP: tables with names of its own, run as the role that owns them.  The
-- data come from hashes of row numbers, so every run makes the same; only dates
-- move with today.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;

-- a number in [0, 1) that depends on nothing but its arguments
CREATE FUNCTION erp.dice(what text, VARIADIC n int[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ('x' || left(md5('2026 ' || what || array_to_string(n, ' ')), 8))::bit(32)::bigint / 4294967296.0::double precision $$;

\ir places.sql

CREATE TABLE erp.warehouse_master (
	whse_code	text PRIMARY KEY,
	whse_name	text NOT NULL,
	whse_type	text NOT NULL CHECK (whse_type IN ('DC', 'STORE')),
	zip			text NOT NULL,
	lat			double precision NOT NULL,
	lon			double precision NOT NULL,
	tz			text NOT NULL
);

INSERT INTO erp.warehouse_master
SELECT (CASE WHEN dc THEN 'DC' ELSE 'ST' END) || zip2, town || ', ' || state,
	   CASE WHEN dc THEN 'DC' ELSE 'STORE' END, zip, lat, lon, tz
FROM erp.place WHERE dc OR store;

CREATE TABLE erp.article (
	art_no		text PRIMARY KEY,
	descr		text NOT NULL,
	weight_g	int NOT NULL,
	std_cost	numeric(10,2) NOT NULL,
	seller		int NOT NULL		-- 1 sells best
);

INSERT INTO erp.article
SELECT 'A' || lpad(i::text, 5, '0'),
	   kind.name || ' no. ' || i / 20 + 1,
	   greatest(20, (kind.grams * (0.4 + 1.6 * erp.dice('weight', i)))::int),
	   round((kind.cost * (0.5 + erp.dice('cost', i)))::numeric, 2),
	   row_number() OVER (ORDER BY erp.dice('seller', i), i)
FROM generate_series(1, 2000) i
JOIN (VALUES (0, 'Ball valve', 640, 14.0), (1, 'Gate valve', 1900, 38.0), (2, 'Pipe elbow', 210, 2.4),
			 (3, 'Pipe tee', 320, 3.1), (4, 'Hex bolt box', 1200, 9.5), (5, 'Washer box', 700, 5.2),
			 (6, 'Cable tie bag', 300, 4.0), (7, 'Light panel', 2600, 41.0), (8, 'Work gloves', 150, 3.6),
			 (9, 'Safety helmet', 420, 12.5), (10, 'Ball bearing', 380, 11.0), (11, 'Drive belt', 260, 8.3),
			 (12, 'Hose clamp bag', 450, 6.7), (13, 'Pressure gauge', 510, 22.0), (14, 'Circuit breaker', 330, 18.0),
			 (15, 'Junction box', 480, 7.9), (16, 'Paint roller', 240, 4.4), (17, 'Drill bit set', 900, 26.0),
			 (18, 'Saw blade', 780, 31.0), (19, 'Sealant', 350, 5.8)) AS kind (no, name, grams, cost)
	ON kind.no = i % 20;

CREATE TABLE erp.debitor (
	deb_no		text PRIMARY KEY,
	company		text NOT NULL,
	rating		text NOT NULL CHECK (rating IN ('A', 'B', 'C')),
	ctry		text NOT NULL DEFAULT 'US',
	zip			text NOT NULL
);

-- where they are follows the weight of the places
INSERT INTO erp.debitor (deb_no, company, rating, zip)
SELECT 'D' || (10000 + i), 'Customer ' || i || ' in ' || p.town,
	   CASE WHEN erp.dice('rating', i) < 0.1 THEN 'A' WHEN erp.dice('rating', i) < 0.4 THEN 'B' ELSE 'C' END,
	   p.zip2 || lpad((erp.dice('zip', i) * 1000)::int::text, 3, '0')
FROM generate_series(1, 500) i
JOIN LATERAL (
	SELECT w.zip2, w.town
	FROM (SELECT zip2, town, sum(weight) OVER (ORDER BY zip2) AS upto FROM erp.place) w
	WHERE w.upto > erp.dice('place', i) * (SELECT sum(weight) FROM erp.place)
	ORDER BY w.upto LIMIT 1) p ON true;

CREATE TABLE erp.stock_level (
	whse_code	text NOT NULL REFERENCES erp.warehouse_master,
	art_no		text NOT NULL REFERENCES erp.article,
	qty_on_hand	int NOT NULL,
	bin			text NOT NULL,
	PRIMARY KEY (whse_code, art_no)
);

CREATE TABLE erp.po_line (
	po_no		text NOT NULL,
	po_pos		int NOT NULL,
	art_no		text NOT NULL REFERENCES erp.article,
	whse_code	text NOT NULL REFERENCES erp.warehouse_master,
	qty_ordered	int NOT NULL,
	qty_received int NOT NULL DEFAULT 0,
	due_date	date NOT NULL,
	PRIMARY KEY (po_no, po_pos)
);

CREATE TABLE erp.order_head (
	doc_no		int PRIMARY KEY,
	doc_date	timestamptz NOT NULL DEFAULT now(),
	deb_no		text NOT NULL REFERENCES erp.debitor,
	ship_ctry	text NOT NULL,
	ship_zip	text NOT NULL,
	wish_date	date,
	route_stat	text,
	from_whse	text,
	promise_date date,
	parcels		int,
	ship_cost	numeric
);

CREATE TABLE erp.order_pos (
	doc_no		int NOT NULL REFERENCES erp.order_head,
	pos_no		int NOT NULL,
	art_no		text NOT NULL REFERENCES erp.article,
	qty			int NOT NULL,
	unit_price	numeric(10,2) NOT NULL,
	pos_stat	text,
	from_whse	text,
	promise_date date,
	PRIMARY KEY (doc_no, pos_no)
);

-- What will be ordered: 5,000 orders of 1 to 8 lines.  The customers' wishes,
-- which the ERP does not know until they are entered.
CREATE TABLE erp.wish AS
SELECT o AS n, l AS pos, 'D' || (10001 + floor(500 * erp.dice('who', o) ^ 1.4)::int) AS deb_no,
	   CASE WHEN erp.dice('when', o) < 0.35
			THEN 3 + floor(28 * erp.dice('days', o))::int END AS in_days,
	   1 + floor(2000 * erp.dice('what', o, l) ^ 1.8)::int AS seller,
	   1 + floor(-5 * ln(1 - erp.dice('much', o, l)))::int AS qty
FROM generate_series(1, 5000) o,
	 LATERAL generate_series(1, 1 + floor(8 * erp.dice('lines', o) ^ 1.3)::int) l;

-- The buyers know how much each distribution center's part of the country orders
-- and stock that and a line or two more, but for luck; the stores carry a few of
-- the better sellers.
INSERT INTO erp.stock_level
SELECT w.whse_code, a.art_no,
	   ceil((8 + 30.3 * (2000.0 / a.seller) ^ 0.444 * w.share) * (0.4 + 1.8 * erp.dice('stock ' || w.whse_code, a.seller)))::int,
	   chr(65 + a.seller % 26) || '-' || lpad((a.seller % 97)::text, 2, '0')
FROM (SELECT near.whse_code, sum(p.weight) / sum(sum(p.weight)) OVER () AS share
	  FROM erp.place p,
		   LATERAL (SELECT whse_code FROM erp.warehouse_master w WHERE whse_type = 'DC'
					ORDER BY (w.lat - p.lat) ^ 2 + ((w.lon - p.lon) * cos(radians(p.lat))) ^ 2 LIMIT 1) near
	  GROUP BY near.whse_code) w, erp.article a
WHERE erp.dice('carried ' || w.whse_code, a.seller) < 0.96
UNION ALL
SELECT w.whse_code, a.art_no, 1 + (9 * erp.dice('shelf ' || w.whse_code, a.seller))::int, 'SHELF'
FROM erp.warehouse_master w, erp.article a
WHERE w.whse_type = 'STORE' AND a.seller <= 800 AND erp.dice('shop ' || w.whse_code, a.seller) < 0.15;

-- every article in 25 has run out and waits for its purchase orders
DELETE FROM erp.stock_level s USING erp.article a
WHERE a.art_no = s.art_no AND a.seller % 25 = 7;

INSERT INTO erp.po_line
SELECT 'PO' || (7000 + n / 4), n % 4 + 1, a.art_no, w.whse_code,
	   (5 + 60 * erp.dice('po quantity', n))::int, 0, current_date + 2 + floor(40 * erp.dice('po days', n))::int
FROM generate_series(0, 1599) n
JOIN erp.article a ON a.seller = CASE WHEN n < 400 THEN 7 + 25 * (n % 80)
									  ELSE 1 + floor(2000 * erp.dice('po what', n))::int END
JOIN (SELECT whse_code, row_number() OVER (ORDER BY whse_code) - 1 AS no
	  FROM erp.warehouse_master WHERE whse_type = 'DC') w
	ON w.no = floor(12 * erp.dice('po where', n));
