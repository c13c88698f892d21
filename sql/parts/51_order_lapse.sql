-- orders whose unserved rest is not waited for without end

CREATE TABLE routing.order_lapse (
	tenant_id	int NOT NULL,
	order_id	text COLLATE "C" NOT NULL,
	since		date NOT NULL,
	lapses_on	date NOT NULL,
	PRIMARY KEY (tenant_id, order_id)
);
COMMENT ON TABLE routing.order_lapse IS
	'engine''s own: orders with an unserved rest that is cancelled once lapses_on is over everywhere on earth';
