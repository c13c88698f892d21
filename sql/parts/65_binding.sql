-- bindings to the ERP's tables

CREATE TABLE routing.binding (
	tenant_id	int NOT NULL DEFAULT routing.current_tenant() REFERENCES routing.tenant,
	binding		text COLLATE "C" NOT NULL CHECK (binding <> ''),
	definition	jsonb NOT NULL,
	on_failure	text NOT NULL DEFAULT 'queue' CHECK (on_failure IN ('queue', 'fail')),
	state		text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused')),
	bound_at	timestamptz NOT NULL DEFAULT now(),
	bound_by	text NOT NULL DEFAULT session_user,
	PRIMARY KEY (tenant_id, binding)
);
COMMENT ON TABLE routing.binding IS 'how the ERP''s tables map to orders and supply; made by bind()';

CREATE TABLE routing.binding_watch (
	tenant_id	int NOT NULL,
	binding		text COLLATE "C" NOT NULL,
	watch_no	int NOT NULL,
	concept		text NOT NULL CHECK (concept IN ('orders', 'lines', 'supply', 'issues')),
	table_schema text NOT NULL,
	table_name	text NOT NULL,
	key			text[] NOT NULL,
	columns		text[],
	PRIMARY KEY (tenant_id, binding, watch_no),
	FOREIGN KEY (tenant_id, binding) REFERENCES routing.binding ON DELETE CASCADE
);
COMMENT ON TABLE routing.binding_watch IS 'the watched ERP tables: which of their columns give the touched keys, and which changes matter';

CREATE TABLE routing.pending (
	tenant_id	int NOT NULL,
	binding		text COLLATE "C" NOT NULL DEFAULT '',
	concept		text COLLATE "C" NOT NULL CHECK (concept IN ('orders', 'supply', 'demand', 'issues')),
	key			text COLLATE "C" NOT NULL,
	reason		text NOT NULL,
	sqlstate	text NOT NULL,
	attempts	int NOT NULL DEFAULT 1,
	noted_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, binding, concept, key)
);
COMMENT ON TABLE routing.pending IS 'keys whose settlement failed or waits, with the reason; resume(), sync() or run_jobs() settle them';
