-- demand that is no order: booked, short, covered again; transfers as pairs
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create view t.d as
	select ref, item, node, quantity, t.rel(needed_on) as needed, kind, to_node, t.rel(arrives_on) as arrives, priority, shipped, received
	from routing.demand order by tenant_id, ref;
create view t.b as
	select substr(order_id, 8) as ref, item, node, quantity, t.rel(needed_on) as needed, t.rel(deliver_on) as arrives, basis, state
	from routing.reservation where "to" is null and order_id like 'demand:%' order by order_id, state, part;
-- what is closed, added up
create view t.closed as
	select substr(order_id, 8) as ref, state, sum(quantity) as quantity from routing.reservation
	where "to" is not null and order_id like 'demand:%' group by 1, 2 order by 1, 2;
create view t.in as
	select item, node, ref, t.rel(available_on) as day, quantity, kind from routing.supply where kind = 'transfer' order by tenant_id, item, node, ref;
\set ECHO all

-- booked at commit, like an order
call t.stock('A', 'CHI', 10); call t.stock('A', 'CHI', 5, 4);
select routing.put_demand('W1', 'A', 'CHI', 6, t.day(2));
table t.d; table t.b; table t.x; select t.atp('A', 'CHI', 0, 4) as "4 9";
call t.ord('O', 3, 'A 5 CHI'); select * from t.r where "order" = 'O';
-- the same again: nothing; more, another day, less (then the order can be early)
select routing.put_demand('W1', 'A', 'CHI', 6, t.day(2)); table t.b;
select routing.put_demand('W1', 'A', 'CHI', 8, t.day(2)); table t.b; table t.x; select t.atp('A', 'CHI', 0, 4) as "2 2";
select routing.put_demand('W1', 'A', 'CHI', 8, t.day(5)); table t.b; table t.x; select t.atp('A', 'CHI', 0, 4, 5) as "2 2 2"; select * from routing.verify();
select routing.put_demand('W1', 'A', 'CHI', 9.5, t.day(5)); select routing.put_demand('W1', 'A', 'CHI', 3, t.day(5)); table t.b; table t.closed;
select t.atp('A', 'CHI', 0, 4) as "5 7"; select * from routing.verify();
-- another item and node; then it is cancelled
call t.stock('B', 'DAL', 1);
select routing.put_demand('W1', 'B', 'DAL', 3, t.day(5), 'service', 2); table t.b; table t.x; select t.atp('A', 'CHI', 0, 4) as "5 10";
select routing.cancel_demand('W1') as t; select routing.cancel_demand('W1') as f;
table t.b; table t.x; select t.atp('B', 'DAL', 0) as "1"; select * from routing.verify();
call t.reset(); delete from routing.exception;

-- in one transaction: supply and demand, in either order; what one gives back the other gets
begin; select routing.put_demand('W2', 'A', 'CHI', 4, t.day(1)); call t.stock('A', 'CHI', 4); commit;
begin; call t.stock('A', 'DAL', 4); select routing.put_demand('W3', 'A', 'DAL', 4, t.day(1)); commit;
table t.b; table t.x;
begin; select routing.cancel_demand('W2'); update routing.supply set quantity = 1 where node = 'CHI'; commit;
begin; update routing.supply set quantity = 1 where node = 'DAL'; select routing.put_demand('W3', 'A', 'DAL', 1, t.day(1)); commit;
table t.b; table t.x;
begin; select routing.cancel_demand('W3'); select routing.put_demand('W4', 'A', 'DAL', 1, t.day(1)); commit;
begin; select routing.put_demand('W5', 'A', 'CHI', 1, t.day(1)); rollback;
table t.b; table t.x; select * from routing.verify();
select routing.cancel_demand('W4');
call t.reset();

-- supply shrinks: only what is missing is uncovered; it comes back: covered again
call t.stock('A', 'CHI', 10);
select routing.put_demand('W1', 'A', 'CHI', 6, t.day(2));
update routing.supply set quantity = 4; table t.b; table t.x;
update routing.supply set quantity = 3; table t.b; table t.x; select t.atp('A', 'CHI', 0) as "0";
update routing.supply set quantity = 5; table t.b; table t.x;
update routing.supply set quantity = 9; table t.b; table t.x; select t.atp('A', 'CHI', 0) as "3"; select * from routing.verify();
-- better rank first; safety stock and a disabled item-node are no obstacle, the horizon is none's
insert into routing.item_node (item, node, safety_stock, enabled, lead_time_days) values ('A', 'CHI', 2, false, 1);
select routing.put_demand('W1', 'A', 'CHI', 9, t.day(2)); table t.b; select t.atp('A', 'CHI', 0) as "0";
update routing.supply set quantity = 0;
begin; select routing.put_demand('W0', 'A', 'CHI', 4, t.day(3), priority => 2); select routing.put_demand('W2', 'A', 'CHI', 4, t.day(3), priority => 8); commit;
update routing.supply set quantity = 7; table t.b; table t.x;
-- a cancelled order gives back: run_jobs() covers what waits
delete from routing.item_node; update routing.supply set quantity = 17.5; call t.ord('O2', 3, 'A 0.5 CHI'); table t.b;
select routing.cancel_demand('W0'), routing.cancel_demand('W1'), routing.cancel_demand('W2'); table t.b; table t.x;
select routing.put_demand('W7', 'A', 'CHI', 17.5, t.day(2)); table t.b;
select routing.cancel_order('O2'); table t.b; select routing.run_jobs(); table t.b; table t.x; select * from routing.verify();
-- the past: it counts until it is cancelled
select routing.put_demand('W7', 'A', 'CHI', 10, t.day(-3)); table t.b; select t.atp('A', 'CHI', 0) as "7.5"; select * from routing.verify();
-- emptied
begin; truncate routing.demand; rollback; table t.b;
truncate routing.demand; table t.b; select t.atp('A', 'CHI', 0) as "17.5"; table t.x; select * from routing.verify();
-- emptying the orders does not touch it
select routing.put_demand('W7', 'A', 'CHI', 10, t.day(2)); call t.ord('O3', 3, 'A 1 CHI');
begin; truncate routing.sales_order, routing.sales_order_line; commit; table t.b; select * from routing.verify();
select routing.cancel_demand('W7'); call t.reset(); delete from routing.exception;

-- a transfer: what the source covers is inbound at the destination
call t.stock('A', 'CHI', 10);
select routing.put_transfer('T1', 'A', 'CHI', 'DAL', 6, t.day(1), t.day(3));
table t.d; table t.b; table t.in; select t.atp('A', 'CHI', 0) as "4", t.atp('A', 'DAL', 0, 3) as "0 6"; table t.x; select * from routing.verify();
call t.ord('O4', 6, 'A 6 DAL'); select * from t.r where "order" = 'O4';
-- short at the source is short at the destination, and there it hits the order, which gets it back
update routing.supply set quantity = 4 where node = 'CHI'; table t.b; table t.in; select * from t.r where "order" = 'O4'; table t.x; select * from routing.verify();
update routing.supply set quantity = 10 where node = 'CHI'; table t.b; table t.in; select t.atp('A', 'DAL', 3) as "0"; table t.x; select * from routing.verify();
select item, quantity, status from routing.route_order('O4'); table t.x;
-- another day of arrival, another quantity, another destination
select routing.put_transfer('T1', 'A', 'CHI', 'DAL', 7, t.day(1), t.day(2)); table t.b; table t.in; select t.atp('A', 'DAL', 2) as "1"; select * from routing.verify();
select routing.put_transfer('T1', 'A', 'CHI', 'NYC', 7, t.day(1), t.day(2)); table t.in; select * from t.r where "order" = 'O4'; select * from routing.verify();
select routing.put_transfer('T1', 'A', 'CHI', 'DAL', 7, t.day(1), t.day(2)); select routing.route_order('O4') is not null as routed; table t.in; table t.x; select * from routing.verify();
-- its parts leave and arrive; a feed tells the stock at the source, so it does not fall here
select routing.confirm_transfer_shipped('T1', 5, 's1') as "2", routing.confirm_transfer_shipped('T1', 5, 's1') as "2";
table t.b; table t.in; select * from t.closed where ref = 'T1'; select on_hand, promised from routing.availability where node = 'CHI' and item = 'A';
update routing.supply set quantity = 5 where node = 'CHI' and ref = '';
select routing.receive('T1', 4, 'g1') as "4"; table t.in; select on_hand, promised, inbound from routing.availability where node = 'DAL' and item = 'A';
-- here no feed does
update routing.node set stock_feed = false where node = 'CHI';
select routing.confirm_transfer_shipped('T1', 1, 's2') as "1"; table t.b; select on_hand, promised from routing.availability where node = 'CHI' and item = 'A';
select routing.receive('T1', 2, 'g2') as "6"; table t.in; table t.d; select * from routing.verify();
-- what is under way still arrives when the rest is cancelled
select routing.confirm_transfer_shipped('T1', 0.5, 's3') as "0.5";
select routing.cancel_demand('T1') as t; select routing.cancel_demand('T1') as f; table t.b; table t.in; table t.d;
select routing.receive('T1', 0.5, 'g3') as "6.5"; table t.in; table t.d; table t.b; select * from t.closed where ref = 'T1'; table t.x; select * from routing.verify();
select t.try($$select routing.receive('T1', 0.5, 'g4')$$);
select t.try($$select routing.confirm_transfer_shipped('T1', 1, 's4')$$);
select routing.confirm_transfer_shipped('T1', 0.5, 's3') as "0";
select reference, kind, item, node, quantity, ref, reason from routing.stock_movement order by reference;
call t.reset(); delete from routing.exception; delete from routing.stock_movement;
-- arrived before it was said to have left
call t.stock('A', 'CHI', 10); select routing.put_transfer('T2', 'A', 'CHI', 'DAL', 6, t.day(1), t.day(3));
select routing.receive('T2', 6, 'g1') as "6"; table t.in; table t.b; select t.atp('A', 'DAL', 0) as "6";
select routing.confirm_transfer_shipped('T2', 6, 's1') as "0"; table t.in; table t.b; table t.d; select * from t.closed where ref = 'T2'; select item, node, ref, quantity from routing.supply order by 1, 2, 3;
select routing.put_transfer('T2', 'A', 'CHI', 'DAL', 1, t.day(1), t.day(3)); table t.b; table t.in; select routing.cancel_demand('T2'); table t.b; table t.in; select * from routing.verify();
call t.reset(); delete from routing.stock_movement;
-- a chain: what is short at its first node is short at its last
call t.stock('A', 'CHI', 5);
select routing.put_transfer('T3', 'A', 'CHI', 'DAL', 5, t.day(1), t.day(2)); select routing.put_transfer('T4', 'A', 'DAL', 'NYC', 5, t.day(3), t.day(4));
select routing.put_demand('W9', 'A', 'NYC', 5, t.day(5));
update routing.supply set quantity = 2 where ref = ''; table t.b; table t.in; table t.x; select * from routing.verify();
update routing.supply set quantity = 6 where ref = ''; table t.b; table t.in; table t.x; select * from routing.verify();
-- a circle comes to rest
select routing.put_transfer('T5', 'A', 'NYC', 'CHI', 5, t.day(6), t.day(7)); table t.b;
delete from routing.supply where ref = ''; table t.b; table t.in; select * from routing.run_jobs(); select * from routing.verify();
begin; select routing.cancel_demand('T3'), routing.cancel_demand('T4'), routing.cancel_demand('T5'), routing.cancel_demand('W9'); commit;
table t.b; table t.in; select type, state, count(*) from routing.exception group by 1, 2; select * from routing.verify();
call t.reset(); delete from routing.exception;

-- wrong
select t.try($$select routing.put_demand('W1', 'X', 'CHI', 1, t.day(1))$$);
select t.try($$select routing.put_demand('W1', 'A', 'X', 1, t.day(1))$$);
select t.try($$select routing.put_demand('W1', 'A', 'CHI', 0, t.day(1))$$);
select t.try($$select routing.put_demand('W1', 'A', 'CHI', 'NaN', t.day(1))$$);
select t.try($$select routing.put_demand('W1', 'A', 'CHI', 1, null)$$);
select t.try($$select routing.put_demand('W1', 'A', 'CHI', 1, 'infinity')$$);
select t.try($$select routing.put_demand('', 'A', 'CHI', 1, t.day(1))$$);
select t.try($$select routing.put_demand('W1', 'A', 'CHI', 1, t.day(1), 'transfer')$$);
select t.try($$select routing.put_demand('W1', 'A', 'CHI', 1, t.day(1), priority => 0)$$);
select t.try($$select routing.put_transfer('W1', 'A', 'CHI', 'CHI', 1, t.day(1), t.day(2))$$);
select t.try($$select routing.put_transfer('W1', 'A', 'CHI', 'X', 1, t.day(1), t.day(2))$$);
select t.try($$select routing.put_transfer('W1', 'A', 'CHI', 'DAL', 1, '2030-01-02', '2030-01-01')$$);
select t.try($$select routing.cancel_demand('nobody')$$);
select t.try($$select routing.confirm_transfer_shipped('nobody', 1, 'r')$$);
call t.stock('A', 'CHI', 5); call t.stock('A', 'DAL', 5, 4, 'T6');
select routing.put_demand('W1', 'A', 'CHI', 1, t.day(1)); select routing.put_transfer('T7', 'A', 'CHI', 'DAL', 2, t.day(1), t.day(2));
select t.try($$select routing.put_transfer('W1', 'A', 'CHI', 'DAL', 1, t.day(1), t.day(2))$$);
select t.try($$select routing.put_demand('T7', 'A', 'CHI', 1, t.day(1))$$);
select t.try($$select routing.confirm_transfer_shipped('T7', 2.2, 'r')$$);
select t.try($$select routing.confirm_transfer_shipped('W1', 1, 'r')$$);
select t.try($$select routing.receive('T7', 2.2, 'r')$$);
select t.try($$select routing.put_supply('A', 'DAL', 1, t.day(2), 'T7')$$);
select routing.put_transfer('T6', 'A', 'CHI', 'DAL', 1, t.day(1), t.day(2));
\echo :LAST_ERROR_SQLSTATE
-- by plain SQL
insert into routing.demand (ref, item, node, quantity, needed_on) values ('P1', 'A', 'X', 1, t.day(1));
\echo :LAST_ERROR_SQLSTATE
insert into routing.demand (ref, item, node, quantity, needed_on) values ('P1', 'X', 'CHI', 1, t.day(1));
\echo :LAST_ERROR_SQLSTATE
select t.try($$insert into routing.demand (ref, item, node, quantity, needed_on) values ('P1', 'A', 'CHI', -1, t.day(1))$$);
select t.try($$insert into routing.demand (ref, item, node, quantity, needed_on) values ('P1', 'A', 'CHI', 1, '0001-01-01')$$);
insert into routing.demand (ref, item, node, quantity, needed_on) values ('P1', 'A', 'CHI', 1, t.day(1)), ('P2', 'A', 'CHI', 1, t.day(1));
update routing.demand set ref = 'P3' where ref = 'P1'; update routing.demand set quantity = 0.5 where ref = 'P2'; table t.b;
delete from routing.demand where ref like 'P%'; table t.b; select * from routing.verify();
select t.try($$delete from routing.node where node = 'CHI'$$);
truncate routing.demand; table t.in; table t.b; select * from routing.verify();
