-- supply as the ERP tells it, by plain SQL; whom a shortage hits
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- nothing is routed again here: shortage.sql has that
set routing.settle_reroute_limit = 0;
\set ECHO all
create view t.line as
	select item, t.rel(on_date) as day, supply, demand, balance, atp from unnest(array['A', 'B', 'C', 'D']) i(item),
		   routing.atp_timeline(i.item, 'CHI') order by item, on_date;

-- insert, update, delete, another day, another item; what came and went
call t.stock('A', 'CHI', 10); call t.stock('A', 'CHI', 5, 3);
insert into routing.supply (item, node, ref, quantity, available_on, kind) values
	('A', 'CHI', 'PO-9', 2, t.day(3), 'purchase'), ('B', 'CHI', 'T1', 1.2345, t.day(1), 'transfer');
table t.line;
update routing.supply set quantity = 12 where item = 'A' and ref = '';
update routing.supply set available_on = t.day(6) where ref = 'PO-9';
table t.line;
update routing.supply set item = 'C' where ref = 'PO-9';
update routing.supply set node = 'DAL' where ref = 'T1';
table t.line;
delete from routing.supply where ref = 'PO3';
begin;
call t.stock('D', 'CHI', 10);
delete from routing.supply where item = 'D';
update routing.supply set quantity = 1 where item = 'C';
update routing.supply set quantity = 4 where item = 'C';
commit;
table t.line;
select item, node, ref, quantity, t.rel(available_on), kind, posted from routing.supply order by 1, 2, 3;
insert into routing.supply (item, node, quantity) values ('A', 'CHI', 3)
on conflict (tenant_id, item, node, ref, lot) do update set quantity = routing.supply.quantity + excluded.quantity;
merge into routing.supply s
using (values ('A', 'CHI', 1), ('B', 'CHI', 7), ('C', 'CHI', null)) v (item, node, quantity)
	on s.item = v.item and s.node = v.node and s.item <> 'C'
when matched then update set quantity = s.quantity + v.quantity
when not matched and v.quantity is not null then insert (item, node, quantity) values (v.item, v.node, v.quantity);
table t.line; select * from routing.verify();
-- many rows; a receipt and an issue of one transaction are one change
update routing.supply set quantity = quantity * 2;
begin;
update routing.supply set quantity = quantity - 1 where item = 'A';
savepoint s;
update routing.supply set quantity = quantity - 1 where item = 'A';
rollback to s;
update routing.supply set quantity = quantity + 1 where item = 'A';
commit;
copy routing.supply (item, node, quantity) from stdin (format csv);
D,CHI,3
D,DAL,4
\.
select item, node, on_hand, promised, inbound, atp from routing.availability order by 1, 2; select * from routing.verify();
select aggregateid as id, aggregateversion as version, payload ->> 'delta' as delta from routing.event
where type = 'inventory.adjusted.v1' order by seq;
table t.x;
call t.reset();

-- it shrinks: on hand 10 carries A 6 and B 4, a purchase of 20 on day 7 carries C 15; a count says 7.
-- Taking C repairs nothing: 3 come from A or B, B being the younger promise
call t.stock('A', 'CHI', 10); call t.stock('A', 'CHI', 20, 7);
call t.ord('A', 2, 'A 6'); call t.ord('B', 2, 'A 4'); call t.ord('C', 9, 'A 15');
table t.r;
update routing.supply set quantity = 7 where ref = '';
table t.r; table t.l; table t.o; table t.x; select * from routing.verify();
-- nothing to offer before day 7; what is uncovered is outside: on day 7 there are 5, of which B claims 3
select t.atp('A', 'CHI', 0, 6, 7) as "0 0 2";
-- routed again after a count up, the order has all of it
update routing.supply set quantity = 12 where ref = '';
select t.atp('A', 'CHI', 0) as "2";
select item, node, quantity, status from routing.route_order('B');
select * from t.r where "order" = 'B'; select * from t.l where "order" = 'B'; select * from t.x; select * from routing.verify();
call t.reset();

-- it slips: a purchase of 10 on day 5 carries 8 for day 10 and comes on day 12
delete from routing.exception;
call t.stock('A', 'CHI', 10, 5);
call t.ord('S', 11, 'A 8');
update routing.supply set available_on = t.day(12);
table t.r; table t.l; table t.x; select t.atp('A', 'CHI', 0, 11, 12) as "0 0 2";
-- routed again it is late
select item, quantity, t.rel(deliver_on), status from routing.route_order('S');
table t.l; select * from routing.verify();
-- a slip that still is in time hurts nobody
call t.stock('B', 'CHI', 10, 5); call t.ord('T', 11, 'B 8');
update routing.supply set available_on = t.day(10) where item = 'B';
select * from t.r where "order" = 'T'; table t.x;
-- nor does coming sooner, nor being deleted when other supply is there in the same transaction
update routing.supply set available_on = t.day(2) where item = 'B';
begin; delete from routing.supply where item = 'B'; call t.stock('B', 'CHI', 8); commit;
select * from t.r where "order" = 'T'; table t.x;
-- deleted: all of it is uncovered
delete from routing.supply where item = 'B';
select * from t.r where "order" = 'T'; select * from t.l where "order" = 'T'; table t.x; select * from routing.verify();
call t.reset(); delete from routing.exception;

-- whom it hits: the least important first, then the latest promise, then the youngest
call t.stock('A', 'CHI', 20);
call t.ord('H1', 2, 'A 2', customer => 'LAST'); call t.ord('H2', 2, 'A 2', customer => 'GOLD');
call t.ord('H3', 5, 'A 2'); call t.ord('H4', 3, 'A 2'); call t.ord('H5', 5, 'A 2');
update routing.supply set quantity = 9; select "order", quantity, state from t.r;
update routing.supply set quantity = 7; select "order", quantity, state from t.r where state <> 'firm';
update routing.supply set quantity = 5; select "order", quantity, state from t.r where state <> 'firm';
update routing.supply set quantity = 3; select "order", quantity, state from t.r where state <> 'firm';
update routing.supply set quantity = 1; select "order", quantity, state from t.r where state <> 'firm';
table t.x; select * from t.o; select * from routing.verify();
-- a negative on hand is kept and shown, and offers nothing; the purchase pays it back first
update routing.supply set quantity = -4;
call t.stock('A', 'CHI', 6, 4);
select quantity from routing.supply where ref = ''; select * from t.line; table t.x;
select item, node, on_hand, promised, inbound, atp from routing.availability where item = 'A'; select * from routing.verify();
-- a cancelled order takes its uncovered parts along
select routing.cancel_order('H1');
select "order", quantity, state from t.r; select * from routing.verify();
-- a negative on hand with a booking that is covered by the purchase
call t.reset(); delete from routing.exception;
call t.stock('A', 'CHI', 2); call t.stock('A', 'CHI', 9, 4);
call t.ord('J1', 3, 'A 2'); call t.ord('J2', 6, 'A 3');
update routing.supply set quantity = -4 where ref = '';
select "order", quantity, needed, state from t.r; select * from t.line; select t.atp('A', 'CHI', 0, 3, 4) as "0 0 0"; select * from routing.verify();
-- the purchase shrinks: of the 5 that it brings, 4 pay back
update routing.supply set quantity = 5 where ref = 'PO4';
select "order", quantity, needed, state from t.r; table t.x; select * from routing.verify();
-- what a transaction gives back and what a count takes away are judged together: nobody is hit
call t.reset(); delete from routing.exception;
call t.stock('A', 'CHI', 12);
call t.ord('K1', 2, 'A 4'); call t.ord('K2', 2, 'A 4', customer => 'LAST'); call t.ord('K3', 2, 'A 4');
begin; update routing.supply set quantity = 8; select routing.cancel_order('K1'); commit;
begin; update routing.supply set quantity = 4; update routing.sales_order set status = 'cancelled' where order_id = 'K3'; commit;
table t.r; table t.x; select * from routing.verify();
call t.ord('K4', 2, 'A 4'); call t.stock('A', 'CHI', 4, null, 'x'); select quantity, status from routing.route_order('K4');
begin;
update routing.supply set quantity = 1 where ref = '';
update routing.sales_order_line set quantity = 1 where order_id = 'K4';
commit;
table t.r; table t.x; select * from routing.verify();
begin;
delete from routing.supply where ref = 'x';
delete from routing.sales_order_line where order_id = 'K2'; delete from routing.sales_order where order_id = 'K2';
commit;
table t.r; table t.x; select * from routing.verify();
call t.reset(); delete from routing.exception;

-- the two halves of a receipt, with all constraints fired in between: nothing is un-promised
call t.stock('A', 'CHI', 10, 3); call t.stock('A', 'CHI', 0);
call t.ord('G', 8, 'A 9');
begin;
update routing.supply set quantity = 0 where ref = 'PO3';
set constraints all immediate;
select "order", quantity, state from t.r;
update routing.supply set quantity = 10 where ref = '';
set constraints all immediate;
commit;
table t.r; table t.x; select * from routing.verify();
begin;
set constraints all immediate;
delete from routing.supply where ref = '';
select "order", quantity, state from t.r;
update routing.supply set quantity = 10 where ref = 'PO3';
commit;
table t.r; table t.x; select * from routing.verify();

-- truncate: everything promised is uncovered; rolled back nothing is
begin; truncate routing.supply; rollback;
table t.r;
begin; truncate routing.supply; call t.stock('A', 'CHI', 9); commit;
table t.r; table t.x;
truncate routing.supply;
table t.r; table t.x; table t.line; select * from routing.verify();
select item, node, on_hand, promised, inbound, atp from routing.availability order by 1, 2;
call t.reset(); delete from routing.exception;

-- safety stock and enabling change what is offered, not what was promised
call t.stock('A', 'CHI', 10); call t.ord('N', 3, 'A 6');
insert into routing.item_node (item, node, safety_stock) values ('A', 'CHI', 8);
select t.atp('A', 'CHI', 0) as "0"; table t.r;
update routing.item_node set safety_stock = 1; select t.atp('A', 'CHI', 0) as "3";
begin; update routing.item_node set safety_stock = 4; rollback; select t.atp('A', 'CHI', 0) as "3";
truncate routing.item_node; select t.atp('A', 'CHI', 0) as "4";
table t.x; select * from routing.verify();
