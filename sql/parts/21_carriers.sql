-- carriers' troubles: what was reported of them, and which service is not used where because of that

CREATE TABLE routing.service_state (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	service		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL DEFAULT '',
	state		text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open')),
	failures	int NOT NULL DEFAULT 0,
	reason		text NOT NULL DEFAULT '',
	opened_at	timestamptz,
	retry_at	timestamptz,
	wait		interval,
	PRIMARY KEY (tenant_id, service, node),
	FOREIGN KEY (tenant_id, service) REFERENCES routing.service ON DELETE CASCADE,
	CHECK (state = 'closed' OR (opened_at IS NOT NULL AND retry_at IS NOT NULL AND wait IS NOT NULL))
);
COMMENT ON TABLE routing.service_state IS
	'engine''s own: circuit breakers of services at nodes; open ones are not used until retry_at; see service_health';
COMMENT ON COLUMN routing.service_state.node IS 'empty: at every node';
COMMENT ON COLUMN routing.service_state.state IS 'as of a breaker: closed lets pass, open does not';
COMMENT ON COLUMN routing.service_state.failures IS 'within the service''s failure_window, since the last success';
COMMENT ON COLUMN routing.service_state.retry_at IS 'from when on it is tried again (half open), until somebody reports how that went';
COMMENT ON COLUMN routing.service_state.wait IS 'from the last failure that opened it to retry_at; twice as long the next time';

CREATE TABLE routing.service_report (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	reference	text COLLATE "C" NOT NULL,
	service		text COLLATE "C" NOT NULL,
	node		text COLLATE "C" NOT NULL,
	success		boolean NOT NULL,
	reason		text NOT NULL DEFAULT '',
	reported_at	timestamptz NOT NULL,
	counts		boolean NOT NULL DEFAULT true,
	PRIMARY KEY (tenant_id, reference),
	FOREIGN KEY (tenant_id, service) REFERENCES routing.service ON DELETE CASCADE
);
CREATE INDEX service_report_service ON routing.service_report (tenant_id, service, node, reported_at);
COMMENT ON TABLE routing.service_report IS
	'engine''s own: what report_service_failure() and report_service_success() were told, kept for 30 days so that a repeated report changes nothing';
COMMENT ON COLUMN routing.service_report.counts IS 'no success has followed';

CREATE TABLE routing.service_wait (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant(),
	order_id	text COLLATE "C" NOT NULL,
	retry_at	timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, order_id)
);
COMMENT ON TABLE routing.service_wait IS
	'engine''s own: orders that lack something while a service is not used since it failed; from retry_at on run_jobs() routes them again';
