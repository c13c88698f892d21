-- item-nodes and days whose firm bookings exceed the supply up to that day
CREATE VIEW public.overbooked AS
	WITH flow AS (
		SELECT item, node, available_on AS day, sum(quantity) AS quantity FROM routing.supply GROUP BY 1, 2, 3
		UNION ALL
		SELECT item, node, needed_on, -sum(quantity) FROM routing.reservation
		WHERE "to" IS NULL AND state = 'firm' GROUP BY 1, 2, 3),
	running AS (
		SELECT item, node, day, sum(quantity) OVER (PARTITION BY item, node ORDER BY day) AS balance FROM flow)
	SELECT * FROM running WHERE balance < 0;
