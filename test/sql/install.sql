-- what the extension is made of
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
select extversion = routing.library_version() as same_version, n.nspname, extrelocatable
from pg_extension e join pg_namespace n on n.oid = extnamespace where extname = 'routing';
-- every table and sequence of the extension is in its dump configuration, with a filter only where rows are made by the script
select c.relname from pg_depend d join pg_class c on c.oid = d.objid
where d.classid = 'pg_class'::regclass and d.deptype = 'e' and d.refclassid = 'pg_extension'::regclass
and d.refobjid = (select oid from pg_extension where extname = 'routing') and c.relkind in ('r', 'p', 'S', 'm')
and c.oid <> all (select unnest(extconfig) from pg_extension where extname = 'routing') order by 1;
select c.oid::regclass, condition from pg_extension, unnest(extconfig, extcondition) u(o, condition) join pg_class c on c.oid = o
where extname = 'routing' and condition <> '' order by 1;
-- no table of the schema is outside the extension, but for event partitions, whose parent's rows are dumped with them
select c.relname from pg_class c where c.relnamespace = 'routing'::regnamespace and c.relkind in ('r', 'p', 'S', 'v', 'm')
and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
and not (c.relispartition and c.relname ~ '^event_\d{8}$') order by 1;
-- every table has a primary key that begins with the tenant, but for the event parent, whose leaves have it, the
-- token, which nobody ever sees, and what is the same for all tenants: the types of events, the stream's epochs and ticks
select c.relname, (select attname from pg_attribute a join pg_index i on i.indrelid = a.attrelid and i.indisprimary
				   where a.attrelid = c.oid and a.attnum = i.indkey[0]) as key
from pg_class c where c.relnamespace = 'routing'::regnamespace and c.relkind in ('r', 'p')
and not exists (select from pg_attribute a join pg_index i on i.indrelid = a.attrelid and i.indisprimary
				where a.attrelid = c.oid and a.attnum = i.indkey[0] and a.attname = 'tenant_id') order by 1;
-- codes are text in the collation C, so that a dump means the same elsewhere
select a.attrelid::regclass, a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
join pg_class c on c.oid = i.indrelid where c.relnamespace = 'routing'::regnamespace and not c.relispartition
and a.atttypid = 'text'::regtype and a.attcollation <> (select oid from pg_collation where collname = 'C' and collnamespace = 'pg_catalog'::regnamespace) order by 1, 2;
-- the triggers that note and settle fire always, whatever session_replication_role says
select tgrelid::regclass, tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = 'routing'::regnamespace and not tgisinternal and tgenabled <> 'A' and tgname not like 'refuse%' and c.relkind <> 'v' order by 1, 2;
select tgname, count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = 'routing'::regnamespace and not tgisinternal group by 1 order by 1;
-- everything is explained
select p.oid::regprocedure from pg_proc p where pronamespace = 'routing'::regnamespace and coalesce(obj_description(oid, 'pg_proc'), '') = '';
select c.relname from pg_class c where relnamespace = 'routing'::regnamespace and relkind in ('r', 'p', 'v') and not relispartition
and coalesce(obj_description(oid, 'pg_class'), '') = '';
-- nothing is executable by everybody but what column defaults, row-level security and triggers of others call
select p.oid::regprocedure from pg_proc p where pronamespace = 'routing'::regnamespace
and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) a where a.grantee = 0 and a.privilege_type = 'EXECUTE') order by 1;
-- no role was made; nothing is set up wrongly (without nodes; wal_level and slots are the server's)
select count(*) from pg_roles where rolname like '%routing%' and rolname not like 'regress%';
call t.ord('ANY', null, 'C 1');
select * from routing.doctor() where subject not in ('wal_level', 'max_slot_wal_keep_size');
-- what it notices
insert into routing.node (node, time_zone) values ('MARS', 'Mars/Olympus'); alter table routing.supply disable trigger note_ledger;
alter table routing.supply_rule enable trigger note_days;
create index bad_index on routing.position (safety_stock);
insert into routing.policy (policy, version, state, effective_at) values ('later', 1, 'active', 'infinity');
select * from routing.doctor() where subject not in ('wal_level', 'max_slot_wal_keep_size') order by 1, 2, 3 \g (format=unaligned)
alter table routing.supply enable always trigger note_ledger; alter table routing.supply_rule enable always trigger note_days;
drop index routing.bad_index; delete from routing.node where node = 'MARS'; delete from routing.policy;
-- and verify, what triggers switched off did
call t.stock('A', 'CHI', 5); call t.ord('V', null, 'A 2');
set session_replication_role = replica;
update routing.supply set quantity = 4;
select count(*) from routing.verify();
alter table routing.supply disable trigger user;
update routing.supply set quantity = 1;
alter table routing.supply enable always trigger note_ledger; alter table routing.supply enable always trigger settle;
alter table routing.supply enable always trigger note_truncate;
reset session_replication_role;
select what, item, node, replace(expected, (t.day(0) - '2000-01-01')::text, 'today') as expected,
	   replace(replace(found, (t.day(0) - '2000-01-01')::text, 'today'), t.day(0)::text, 'today') as found
from routing.verify() order by 1 \g (format=unaligned)
update routing.supply set quantity = quantity;
table t.r; select * from routing.verify();

-- somebody's FOR ALL TABLES publication does not break inserts, updates and deletes
set client_min_messages = error;
create publication regress_everything for all tables;
reset client_min_messages;
update routing.supply set quantity = 9;
call t.ord('P', null, 'A 2'); update routing.sales_order_line set quantity = 1; select routing.cancel_order('P');
delete from routing.sales_order_line; delete from routing.sales_order; delete from routing.supply;
begin; truncate routing.supply, routing.sales_order, routing.sales_order_line; commit;
drop publication regress_everything;
select * from routing.verify();

-- it goes without a trace, and can be made again; not into a schema where others may create objects
set client_min_messages = warning;
drop schema t cascade;
drop extension routing cascade;
select count(*) from pg_class where relnamespace = to_regnamespace('routing');
select count(*) from pg_proc where pronamespace = to_regnamespace('routing');
drop schema if exists routing;
reset client_min_messages;
create schema routing; grant create on schema routing to public;
create extension routing;
drop schema routing;
create extension routing;
select * from routing.verify();
