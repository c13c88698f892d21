-- capacity while orders are in flight: limits that change, what goes away, days of long ago
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
create view t.cap as
	select node, t.rel(day) as day, kind, used, quantity from routing.capacity_day where quantity is not null order by 1, capacity_day.day, 3;
create view t.taken as
	select order_id, node, t.rel(day) as day, lines, trim_scale(units / 10000.0) as units from routing.capacity_booking order by 1, 2, capacity_booking.day;
create view t.nodes as select "order", node, needed from t.r;
call t.stock('A', 'CHI', 1000); call t.stock('A', 'DAL', 1000);
-- a limit below what is taken: what is given back makes up for it first
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 4);
call t.ord('A1', 3, 'A 1'); call t.ord('A2', 3, 'A 1'); call t.ord('A3', 3, 'A 1'); call t.ord('A4', 3, 'A 1');
update routing.capacity set quantity = 2;
select routing.cancel_order('A1');
call t.ord('A5', 3, 'A 1');
select routing.cancel_order('A2'); select routing.cancel_order('A3');
call t.ord('A6', 3, 'A 1'); call t.ord('A7', 3, 'A 1');
select * from t.nodes; select * from t.cap;
select * from routing.verify();
-- the rule goes to another node: both follow
update routing.capacity set node = 'DAL', quantity = 1;
select * from t.cap;
call t.ord('A8', 3, 'A 1');
update routing.capacity set node = 'CHI', quantity = 1;
select * from t.cap;
select * from routing.verify();
-- several nodes at once; gone, and there again
insert into routing.capacity (node, kind, quantity) values ('CHI', 'lines', 3), ('DAL', 'orders', 1), ('DAL', 'units', 2.5);
call t.ord('B1', 4, 'A 2.5 DAL'); call t.ord('B2', 4, 'A 1 CHI');
select * from t.cap;
delete from routing.capacity;
select * from t.taken; select count(*) from routing.capacity_use;
insert into routing.capacity (node, kind, quantity) values ('DAL', 'orders', 1);
select * from t.cap;
-- an order from before takes of it as soon as it changes
update routing.sales_order_line set quantity = 3 where order_id = 'B1';
select * from t.taken;
truncate routing.capacity;
select * from t.taken;
select * from routing.verify();
-- orders, lines and all that go away
call t.reset();
call t.stock('A', 'CHI', 1000); call t.stock('B', 'CHI', 1000); call t.stock('A', 'DAL', 1000);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 3), ('CHI', 'lines', 4);
call t.ord('C1', 3, 'A 1, B 1'); call t.ord('C2', 3, 'A 1'); call t.ord('C3', 3, 'A 1');
delete from routing.sales_order_line where order_id = 'C1' and line_no = 2;
select * from t.taken;
delete from routing.sales_order where order_id = 'C2';
select * from t.taken; select * from t.cap;
begin;
savepoint s;
call t.ord('C4', 3, 'A 1');
set constraints all immediate;
select * from t.cap;
rollback to s;
set constraints all deferred;
call t.ord('C5', 3, 'A 1, B 1');
commit;
select * from t.taken; select * from t.cap;
-- several orders of one transaction, the last one too many
begin;
update routing.sales_order set requested_on = t.day(4) where order_id = 'C3';
call t.ord('C6', 4, 'A 1'); call t.ord('C7', 4, 'A 1'); call t.ord('C8', 4, 'A 1');
commit;
select * from t.nodes; select * from t.cap;
select * from routing.verify();
truncate routing.sales_order, routing.sales_order_line;
select * from t.taken; select * from t.cap;
select * from routing.verify();
-- at other isolation levels
begin isolation level repeatable read;
call t.ord('D1', 3, 'A 1'); call t.ord('D2', 3, 'A 1');
commit;
begin isolation level serializable;
call t.ord('D3', 3, 'A 1'); call t.ord('D4', 3, 'A 1');
commit;
begin isolation level repeatable read;
update routing.capacity set quantity = 5 where kind = 'orders';
call t.ord('D5', 3, 'A 1');
commit;
select * from t.nodes; select * from t.cap;
select * from routing.verify();
-- a hold keeps its place to its end, also without its stock; then roll() gives it back
call t.reset();
delete from routing.capacity;
call t.stock('D', 'CHI', 5);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 5);
select routing.hold(jsonb_build_object('order_id', 'H', 'customer', 'C1', 'requested_on', t.day(3)::text,
	'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb, 'lines', '[{"line_no": 1, "item": "D", "quantity": "2"}]'::jsonb), '10 min') is not null;
update routing.supply set quantity = 0 where item = 'D';
select day, lines, units from t.taken; select * from routing.verify();
set routing.clock_offset = '11 min';
select routing.roll();
select * from t.taken; select * from t.cap;
select * from routing.verify();
reset routing.clock_offset;
-- days of long ago are forgotten, a part at a time; what is left of them takes nothing
call t.stock('A', 'CHI', 1000);
call t.ord('E1', 1, 'A 1'); call t.ord('E2', 2, 'A 1'); call t.ord('E3', 3, 'A 1');
set routing.clock_offset = '31 d';
select routing.roll() is not null;
select * from t.taken; select * from t.cap;
select * from routing.verify();
set routing.clock_offset = '50 d';
select routing.roll(1) is not null;
select * from t.taken; select count(*) from routing.capacity_use;
update routing.sales_order_line set quantity = 2 where order_id = 'E3';
select routing.cancel_order('E1');
select * from t.taken; select * from routing.verify();
call t.reset();
reset routing.clock_offset;
select * from routing.verify();
-- who may: administrators of the tenant
create role regress_routing_cap; create role regress_routing_cap_other;
select routing.grant_access('regress_routing_cap', 'admin');
insert into routing.tenant (tenant_id, tenant) values (77, 'other'); insert into routing.tenant_member values (77, 'postgres');
set routing.tenant = 'other';
select routing.grant_access('regress_routing_cap_other', 'admin');
reset routing.tenant;
call t.stock('A', 'CHI', 1000);
call t.ord('F1', 3, 'A 1');
set role regress_routing_cap;
update routing.capacity set quantity = 7;
select node, kind, used, quantity from routing.capacity_day where quantity is not null;
reset role;
grant usage on schema t to regress_routing_cap_other; grant execute on function t.try to regress_routing_cap_other;
set role regress_routing_cap_other;
update routing.capacity set quantity = 0; delete from routing.capacity;
select t.try($$insert into routing.capacity (tenant_id, node, kind, quantity) values (1, 'CHI', 'lines', 0)$$);
select node, kind, used, quantity from routing.capacity_day;
reset role;
select * from t.cap;
select * from routing.verify();
revoke all on schema t from regress_routing_cap_other; delete from routing.tenant_member where role like 'regress_routing_cap%'; drop owned by regress_routing_cap, regress_routing_cap_other; drop role regress_routing_cap, regress_routing_cap_other;
-- half an order is none
select t.try($$insert into routing.capacity (node, kind, quantity) values ('CHI', 'lines', 2.5)$$);
call t.reset();
delete from routing.capacity;
