-- who may do what: roles, tenants
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
set client_min_messages = warning;
do $$
declare
	r	text;
begin
	foreach r in array array['regress_routing_none', 'regress_routing_reader', 'regress_routing_writer', 'regress_routing_admin', 'regress_routing_acme', 'regress_routing_group', 'regress_routing_member'] loop
		if exists (select from pg_roles where rolname = r) then
			execute format('drop owned by %I', r);
			execute format('drop role %I', r);
		end if;
	end loop;
end
$$;
reset client_min_messages;
\set ECHO all
create role regress_routing_none; create role regress_routing_reader; create role regress_routing_writer;
create role regress_routing_admin; create role regress_routing_acme;
create role regress_routing_group; create role regress_routing_member in role regress_routing_group;
grant usage on schema t to public; grant select on all tables in schema t to public; grant execute on all functions in schema t to public;
alter view t.l set (security_invoker = on); alter view t.o set (security_invoker = on); alter view t.r set (security_invoker = on);
alter view t.e set (security_invoker = on);
call t.stock('A', 'CHI', 20);

-- nobody in particular may call nothing that reads or writes, and read no table
set role regress_routing_none;
select proname from pg_proc p where pronamespace = 'routing'::regnamespace and has_function_privilege(oid, 'execute') order by 1;
select c.relname from pg_class c where relnamespace = 'routing'::regnamespace and relkind in ('r', 'p', 'v', 'S') and
	case relkind when 'S' then has_sequence_privilege(oid, 'usage, select, update')
		else has_table_privilege(oid, 'select, insert, update, delete, truncate, trigger') or has_any_column_privilege(oid, 'select, insert, update') end order by 1;
select has_schema_privilege('routing', 'create');
select t.try($$select routing.current_tenant()$$);
select routing.is_member(1), routing.is_member(2), routing.is_member(null);
select t.try($$select routing.atp('A', 'CHI')$$);
select t.try($$select routing.promise('{}')$$);
select t.try($$select routing.route_order('X')$$);
select t.try($$select routing.cancel_order('X')$$);
select t.try($$select * from routing.availability$$);
select t.try($$select * from routing.sales_order$$);
select t.try($$insert into routing.supply (item, node, quantity) values ('A', 'DAL', 1)$$);
select t.try($$select routing.grant_access('regress_routing_none', 'admin')$$);
reset role;

-- levels
select routing.grant_access('regress_routing_reader'), routing.grant_access('regress_routing_writer', 'write'), routing.grant_access('regress_routing_admin', 'admin');
select routing.grant_access('regress_routing_reader');
select tenant_id, role from routing.tenant_member order by 1, 2;

-- a reader reads
set role regress_routing_reader;
select routing.current_tenant(), routing.is_member(1);
select item, node, on_hand, promised, inbound, atp from routing.availability;
select routing.atp('A', 'CHI'), routing.atp_total('A'); select count(*) from routing.atp_nodes('A'); select count(*) from routing.atp_timeline('A', 'CHI');
select node, quantity from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 2}]}');
-- rows that somebody made up: of no table, of columns cut short, of another tenant
select f is null as none from routing.position_figures(row(1, 'A', 'CHI', null, 0, true, 0, 0, 0, null, null, null, null, null, null, null, null, null, 0), t.day(0)) f;
select f as figures from routing.position_figures(row(1, 'A', 'CHI', '{}', 0, true, 0, 0, 0, '{1}', null, null, '{1}', '{1}', '{web}', '{1}', '{1}', '{1}', 0), t.day(0)) f;
select f is null as none from routing.position_figures(row(2, 'A', 'CHI', '{}', 0, true, 0, 0, 4, null, null, null, null, null, null, null, null, null, 0), t.day(0)) f;
select count(*) from routing.allotment_figures(row(1, 'A', 'CHI', null, 0, true, 0, 0, 0, null, null, null, null, null, '{web}', '{1}', null, null, 0), t.day(0));
select * from routing.capacity_day;
select t.try($$select routing.route_order('X')$$);
select t.try($$select routing.cancel_order('X')$$);
select t.try($$insert into routing.supply (item, node, quantity) values ('A', 'DAL', 1)$$);
select t.try($$insert into routing.sales_order (order_id, customer) values ('X', 'C1')$$);
select t.try($$update routing.position set timeline = '{}'$$);
select t.try($$delete from routing.reservation$$);
select t.try($$truncate routing.supply$$);
select t.try($$insert into routing.settle_token values (1)$$);
select t.try($$select routing.sync('x')$$);
select t.try($$select routing.bind('x', '{}')$$);
select t.try($$select routing.unbind_all()$$);
select t.try($$select routing.create_publication('x')$$);
select t.try($$select routing.event_partition('2030-01-01')$$);
select t.try($$select routing.grant_access('regress_routing_reader', 'admin')$$);
select t.try($$insert into routing.tenant_member values (2, 'regress_routing_reader')$$);
select t.try($$create table routing.mine ()$$);
reset role;

-- a writer enters, changes and cancels orders, and supply; the rest is the engine's
set role regress_routing_writer;
insert into routing.supply (item, node, quantity) values ('A', 'DAL', 9);
update routing.supply set quantity = 8 where node = 'DAL';
begin;
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('W1', 'C1', 'US', '60614', t.day(3));
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('W1', 1, 'A', 2);
commit;
table t.l; table t.r; table t.e;
update routing.sales_order_line set quantity = 3 where order_id = 'W1';
select quantity from routing.route_order('W1');
select count(*) > 0 from routing.explain('W1');
select routing.cancel_order('W1');
delete from routing.sales_order_line; delete from routing.sales_order; delete from routing.supply where node = 'DAL';
select t.try($$update routing.position set safety_stock = 0$$);
select t.try($$insert into routing.event select * from routing.event$$);
select t.try($$delete from routing.reservation$$);
select t.try($$update routing.decision set cost = 0$$);
select t.try($$insert into routing.supply (item, node, quantity, posted) values ('A', 'NYC', 1, true)$$);
select t.try($$update routing.supply set binding = 'x'$$);
select t.try($$truncate routing.supply$$);
select t.try($$update routing.node set status = 'closed'$$);
select t.try($$insert into routing.policy (policy, version) values ('x', 1)$$);
select t.try($$select routing.verify()$$);
select t.try($$alter table routing.supply disable trigger all$$);
select t.try($$set session_replication_role = replica$$);
reset role;

-- an administrator changes the network, and verifies
set role regress_routing_admin;
update routing.node set rank = rank; insert into routing.item (item) values ('NEW'); insert into routing.item_node (item, node, safety_stock) values ('NEW', 'CHI', 1);
update routing.item_node set safety_stock = 2; delete from routing.item_node;
insert into routing.policy (policy, version) values ('x', 1);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 5); update routing.capacity set quantity = 6; delete from routing.capacity;
select t.try($$insert into routing.capacity (node, kind, quantity, since) values ('CHI', 'orders', 5, '2000-01-01')$$);
select count(*) from routing.verify(); select count(*) >= 0 from routing.doctor(); select routing.create_event_partitions(0);
select t.try($$update routing.tenant set currency = 'EUR'$$);
select t.try($$insert into routing.tenant_member values (1, 'regress_routing_none')$$);
select t.try($$update routing.position set safety_stock = 0$$);
select t.try($$select routing.grant_access('regress_routing_none')$$);
reset role;

-- two tenants: neither sees nor touches what is the other's
insert into routing.tenant (tenant_id, tenant) values (2, 'acme');
set routing.tenant = 'acme';
select routing.current_tenant(); select routing.grant_access('regress_routing_acme', 'admin');
reset routing.tenant;
set role regress_routing_acme;
select t.try($$select routing.current_tenant()$$);
select t.try($$select routing.atp('A', 'CHI')$$);
set routing.tenant = 'acme';
select routing.current_tenant(), routing.is_member(1), routing.is_member(2);
insert into routing.node (node) values ('CHI'); insert into routing.item (item) values ('A'); insert into routing.customer (customer) values ('C1');
insert into routing.zone (zone) values ('Z'); insert into routing.zone_area (country, zone) values ('US', 'Z');
insert into routing.carrier (carrier) values ('UPS'); insert into routing.service (service, carrier) values ('air', 'UPS');
insert into routing.lane (node, zone, service, transit_days) values ('CHI', 'Z', 'air', 1);
insert into routing.supply (item, node, quantity) values ('A', 'CHI', 3);
begin;
insert into routing.sales_order (order_id, customer, country, postal_code) values ('T1', 'C1', 'US', '60614');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('T1', 1, 'A', 2);
commit;
table t.l; table t.e; select routing.atp('A', 'CHI');
select tenant_id, item, node, on_hand, promised, atp from routing.availability;
select tenant_id, node from routing.node; select tenant, tenant_id from routing.tenant; table routing.tenant_member;
select t.try($$insert into routing.node (tenant_id, node) values (1, 'EVIL')$$);
select t.try($$insert into routing.supply (tenant_id, item, node, quantity) values (1, 'A', 'NYC', 1)$$);
select t.try($$insert into routing.sales_order (tenant_id, order_id, customer) values (1, 'EVIL', 'C1')$$);
select t.try($$update routing.supply set tenant_id = 1$$);
update routing.supply set quantity = 3 where tenant_id = 1; delete from routing.supply where tenant_id = 1;
select t.try($$select routing.cancel_order('W1')$$);
set routing.tenant = 'default';
select t.try($$select routing.current_tenant()$$);
select t.try($$insert into routing.item (item) values ('EVIL')$$);
select t.try($$select routing.cancel_order('T1')$$);
set routing.tenant = 'no such tenant';
select t.try($$select routing.current_tenant()$$);
reset routing.tenant;
reset role;
set role regress_routing_reader;
set routing.tenant = 'acme';
select t.try($$select routing.atp('A', 'CHI')$$);
reset routing.tenant;
select tenant_id, item, node, atp from routing.availability order by 1, 2, 3; select count(*) from routing.sales_order; select distinct tenant_id from routing.event;
select t.try(format('select count(*) from routing.%I', 'event_' || to_char(t.day(0), 'YYYYMMDD')));
reset role;
-- what is one tenant's stays its own, whoever works it off
select tenant_id, item, node, on_hand, promised, atp from routing.availability order by 1, 2, 3; select * from routing.verify();

-- a role that is a member through another; membership taken away counts at once
set routing.tenant = 'acme'; select routing.grant_access('regress_routing_group', 'read'); reset routing.tenant;
set role regress_routing_member; set routing.tenant = 'acme';
select routing.atp('A', 'CHI');
reset role;
delete from routing.tenant_member where role = 'regress_routing_group';
set role regress_routing_member;
select t.try($$select routing.atp('A', 'CHI')$$);
reset role;
insert into routing.tenant_member (tenant_id, role) values (2, 'public');
set role regress_routing_member;
select routing.atp('A', 'CHI');
reset role; reset routing.tenant;

-- functions that run with the owner's rights pin their search path, and none is a superuser's by accident of a path
select p.oid::regprocedure from pg_proc p where pronamespace = 'routing'::regnamespace and prosecdef
and not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp'], false);
-- row-level security is on for every table with a tenant, leaves of events included
select c.relname from pg_class c where relnamespace = 'routing'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id');
call t.clean();
drop owned by regress_routing_none, regress_routing_reader, regress_routing_writer, regress_routing_admin, regress_routing_acme, regress_routing_group, regress_routing_member;
drop role regress_routing_none, regress_routing_reader, regress_routing_writer, regress_routing_admin, regress_routing_acme, regress_routing_member, regress_routing_group;
