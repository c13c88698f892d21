-- tenants and who belongs to them

CREATE TABLE routing.tenant (
	tenant_id	int NOT NULL,
	tenant		text COLLATE "C" NOT NULL,
	currency	text NOT NULL DEFAULT 'USD',
	builtin		boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id),
	UNIQUE (tenant),
	CHECK (currency ~ '^[A-Z]{3}$')
);
COMMENT ON TABLE routing.tenant IS 'companies that share the database; the setting routing.tenant selects one';

CREATE TABLE routing.tenant_member (
	tenant_id	int NOT NULL REFERENCES routing.tenant,
	role		text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant_id, role)
);
COMMENT ON TABLE routing.tenant_member IS 'roles (and through them their members) that may see and use a tenant';

INSERT INTO routing.tenant (tenant_id, tenant, builtin) VALUES (1, 'default', true);

CREATE FUNCTION routing.current_tenant() RETURNS int
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_current_tenant';
COMMENT ON FUNCTION routing.current_tenant() IS
	'id of the tenant that the setting routing.tenant names; an error unless the role is a member of it';

CREATE FUNCTION routing.is_member(tenant_id int) RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'routing_is_member';
COMMENT ON FUNCTION routing.is_member(int) IS
	'whether the current role is a member of the tenant; what row-level security asks';

/*
 * Reference data is cached in every backend.  A statement trigger on each of
 * its tables marks the table changed, which other sessions see at commit.
 */
CREATE FUNCTION routing.reference_changed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'routing_reference_changed';
COMMENT ON FUNCTION routing.reference_changed() IS 'trigger: tells every backend that cached reference data changed';

CREATE TRIGGER reference_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON routing.tenant
	FOR EACH STATEMENT EXECUTE FUNCTION routing.reference_changed();
CREATE TRIGGER reference_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON routing.tenant_member
	FOR EACH STATEMENT EXECUTE FUNCTION routing.reference_changed();
ALTER TABLE routing.tenant ENABLE ALWAYS TRIGGER reference_changed;
ALTER TABLE routing.tenant_member ENABLE ALWAYS TRIGGER reference_changed;
