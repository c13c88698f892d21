-- lots: supply that ends, bookings that want it fresh, or want one lot, serial numbers
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- a lot that can be used until a day (null: without end), on hand or from a day on
create procedure t.lot(item text, lot text, quantity numeric, ends int, want int default null, node text default 'CHI', ref text default null)
	language sql
begin atomic
	insert into routing.supply (item, node, lot, quantity, expires_on, available_on, ref, kind)
	values (item, node, lot, quantity, t.day(ends), coalesce(t.day(want), '-infinity'),
			coalesce(ref, case when want is null then '' else 'PO' || want end), case when want is null then 'on_hand' else 'purchase' end);
end;
-- an order of one line that ships from CHI on a day and arrives a day later
create procedure t.sell(id text, want int, item text, quantity numeric, customer text default 'C1', lot text default '',
						life int default null) language sql
begin atomic
	insert into routing.sales_order (order_id, customer, country, postal_code, requested_on, date_basis)
	values (id, customer, 'US', '60614', t.day(want), 'ship');
	insert into routing.sales_order_line (order_id, line_no, item, quantity, node, lot, min_life_days)
	values (id, 1, item, quantity, 'CHI', lot, life);
end;
create view t.b as
	select order_id as "order", item, lot, quantity, t.rel(needed_on) as needed, t.rel(min_expiry) as "until", basis, state
	from routing.reservation where "to" is null order by 1, 2, 3, needed_on, part;
-- what is wrong with the lots of any position: nothing
create view t.wrong as
	select p.item, p.node, c.wrong from routing.position p,
		   lateral (select routing.lots_check(p.tenant_id, p.item, p.node, routing.node_today(p.tenant_id, p.node))) c(wrong)
	where c.wrong is not null;
\set ECHO all

-- dates and life are coupled: 10 are here until day 3, 10 come on day 5 and last until day 20.  For day 4 there
-- are 10 by date, and 10 that last until day 6, but none that do both
call t.lot('A', 'L1', 10, 3);
call t.lot('A', 'L2', 10, 20, 5);
select t.atp('A', 'CHI', 0, 3, 4, 5, 20, 21) as "10 10 0 10 10 0";
select on_hand, inbound, atp from routing.availability where item = 'A';
-- what is booked for later does not keep the lot that ends before, and the other way round
call t.sell('K5', 5, 'A', 10);
select t.atp('A', 'CHI', 0, 3, 4, 5) as "10 10 0 0";
call t.sell('K0', 0, 'A', 10);
select t.atp('A', 'CHI', 0, 5) as "0 0";
table t.b;
-- it must last until it arrives: what ships on day 3 cannot be of L1
call t.reset();
call t.lot('A', 'L1', 10, 3);
call t.sell('K2', 2, 'A', 4);
call t.sell('K3', 3, 'A', 4);
select "order", status, promised, reason from t.l;
table t.wrong; select * from routing.verify();
call t.reset();

-- no booking has a lot of its own: whichever of the two is blocked, the other one serves it
call t.lot('B', 'L1', 5, 4); call t.lot('B', 'L2', 5, 9);
call t.sell('F1', 0, 'B', 5);
select t.atp('B', 'CHI', 0, 4, 5, 9, 10) as "5 5 5 5 0";
update routing.supply set status = 'quarantine' where lot = 'L2';
select t.atp('B', 'CHI', 0) as "0"; table t.b; table t.x;
update routing.supply set status = case lot when 'L1' then 'held' else 'confirmed' end;
select t.atp('B', 'CHI', 0) as "0"; table t.b; table t.x;
update routing.supply set status = 'confirmed';
-- what has no lot and what has one are one item; without the lots there are the 2
insert into routing.supply (item, node, quantity) values ('B', 'CHI', 2);
select t.atp('B', 'CHI', 0, 9, 10) as "7 7 2";
delete from routing.supply where lot <> '';
table t.b; table t.x;
select lots is null as "without lots again", t.atp('B', 'CHI', 0) as "0" from routing.position where item = 'B';
table t.wrong; select * from routing.verify();
-- and with lots again: the booking of before is counted among them, and gets the 3 back that it lost
call t.lot('B', 'L3', 3, 6);
table t.b;
select t.atp('B', 'CHI', 0, 6, 7) as "0 0 0";
call t.lot('B', 'L4', 3, 6, ref => 'more');
select t.atp('B', 'CHI', 0, 6, 7) as "3 3 2";
table t.wrong;
call t.reset();

-- how long it must last after it has arrived: the line says, or else the stricter of customer and item
insert into routing.customer (customer, min_life_days) values ('FUSSY', 20);
update routing.item set min_life_days = 5 where item = 'C';
call t.lot('C', 'L1', 10, 12);
call t.sell('M1', 0, 'C', 1);
call t.sell('M2', 0, 'C', 1, 'FUSSY');
call t.sell('M3', 0, 'C', 1, 'FUSSY', life => 11);
call t.sell('M4', 0, 'C', 1, life => 12);
call t.sell('M5', 0, 'C', 1, life => 0);
table t.b;
select "order", status, reason from t.l;
call t.lot('C', 'L2', 10, 25, 3);
select count(*) from routing.route_order('M2'); select count(*) from routing.route_order('M4');
table t.b;
-- another demand on the line is planned anew
update routing.sales_order_line set min_life_days = 15 where order_id = 'M5';
table t.b;
select t.try($$update routing.sales_order_line set min_life_days = -1 where order_id = 'M5'$$);
select t.try($$update routing.sales_order_line set min_life_days = 3651 where order_id = 'M5'$$);
table t.wrong; select * from routing.verify();
call t.reset();
update routing.item set min_life_days = 0;

-- a lot that ends sooner than it said: no balance is negative, and who is hit is who cannot use the other one,
-- though the other booking matters less
call t.lot('D', 'L1', 5, 5); call t.lot('D', 'L2', 5, 30);
call t.sell('D1', 0, 'D', 4, 'LAST');
call t.sell('D2', 0, 'D', 4, 'GOLD', life => 20);
call t.sell('D3', 0, 'D', 1, 'LAST', life => 20);
select t.atp('D', 'CHI', 0, 5, 6) as "1 1 0";
update routing.supply set expires_on = t.day(6) where lot = 'L2';
table t.x; table t.b;
select "order", status, reason from t.l;
-- (4 of the 6 that are left are for who waits with a better rank)
select t.atp('D', 'CHI', 0, 5, 6) as "2 2 1";
table t.wrong; select * from routing.verify();
-- it shrinks: only what is missing, of the one that matters least among those that repair it
update routing.supply set expires_on = t.day(30) where lot = 'L2';
select count(*) from routing.route_order('D2'); select count(*) from routing.route_order('D3');
update routing.supply set quantity = 2 where lot = 'L2';
table t.b;
table t.wrong; select * from routing.verify();
call t.reset();

-- the calendar goes on: nobody fetched it, and its last day passes
call t.lot('A', 'L1', 5, 2); call t.lot('A', 'L2', 3, 9);
call t.sell('E1', 1, 'A', 6);
table t.b;
select t.atp('A', 'CHI', 0, 2, 3) as "2 2 2";
set routing.clock_offset = 259200;
select routing.atp('A', 'CHI') as "0";
select item, node, split_part(wrong, ', ', 2) from t.wrong;
select routing.roll() as "1"; select routing.roll() as "0";
table t.b;
table t.wrong; select * from routing.verify();
reset routing.clock_offset;
update routing.setting set rolled_at = null;
call t.reset();

-- one lot and no other: from it only, and never what others cannot do without
call t.lot('A', 'P1', 5, 30); call t.lot('A', 'P2', 5, 10);
call t.sell('N1', 0, 'A', 3, lot => 'P2');
select t.atp('A', 'CHI', 0, 10, 11) as "7 7 5";
call t.sell('N2', 0, 'A', 3, lot => 'P2');
call t.sell('N3', 0, 'A', 1, lot => 'P9');
select "order", status, reason from t.l;
table t.wrong; select * from routing.verify();
call t.sell('N4', 0, 'A', 4, life => 20);
call t.sell('N5', 0, 'A', 2, lot => 'P1');
table t.b;
select "order", status, reason from t.l;
-- two lines of one order that want the same lot share it; a line that changes its mind is planned anew
delete from routing.sales_order_line where order_id in ('N2', 'N4', 'N5');
update routing.sales_order_line set lot = 'P1' where order_id = 'N1';
begin;
insert into routing.sales_order (order_id, customer, country, postal_code) values ('N6', 'C1', 'US', '60614');
insert into routing.sales_order_line (order_id, line_no, item, quantity, lot) values ('N6', 1, 'A', 4, 'P2'), ('N6', 2, 'A', 3, 'P2'), ('N6', 3, 'A', 9, '');
commit;
table t.b;
select order_id, line_no, status, reason from routing.sales_order_line where order_id = 'N6' order by 2;
select t.atp('A', 'CHI', 0) as "0"; table t.wrong;
-- the lot is blocked: who wants it has nothing, though there is another one
delete from routing.sales_order_line where order_id = 'N6' and line_no = 3;
update routing.supply set status = 'blocked' where lot = 'P2';
table t.b; select t.atp('A', 'CHI', 0) as "2";
update routing.supply set status = 'confirmed' where lot = 'P2';
table t.wrong; select * from routing.verify();
-- a part of it
select count(*) from routing.route_order('N6');
update routing.supply set quantity = 3 where lot = 'P2';
table t.b;
table t.wrong; select * from routing.verify();
call t.reset();
-- it is on its way in part
call t.lot('A', 'P1', 2, 30); call t.lot('A', 'P1', 4, 30, 4);
call t.sell('W1', 4, 'A', 3, lot => 'P1');
call t.sell('W2', 0, 'A', 2);
call t.sell('W3', 9, 'A', 2, lot => 'P1');
table t.b;
select "order", status, reason from t.l;
table t.wrong; select * from routing.verify();
call t.reset();

-- a unit with a serial number is on hand once, and promised once
insert into routing.item (item, control, weight_kg) values ('S', 'serial', 1), ('T', 'lot', 1);
call t.stock('S', 'CHI', 4, 7);
select t.try($$insert into routing.supply (item, node, quantity) values ('S', 'CHI', 1)$$);
select t.try($$insert into routing.supply (item, node, quantity) values ('T', 'CHI', 1.5)$$);
select t.try($$insert into routing.supply (item, node, lot, quantity) values ('S', 'CHI', 'S1', 2)$$);
select t.try($$insert into routing.supply (item, node, lot, quantity) values ('S', 'CHI', 'S1', 0.5)$$);
select t.try($$insert into routing.supply (item, node, lot, quantity) values ('S', 'CHI', 'S1', -1)$$);
insert into routing.supply (item, node, lot, quantity) values ('S', 'CHI', 'S1', 1), ('S', 'CHI', 'S2', 1), ('T', 'CHI', 'S1', 2.5), ('S', 'DAL', 'S1', 0);
select t.try($$insert into routing.supply (item, node, lot, quantity) values ('S', 'NYC', 'S1', 1)$$);
select t.try($$insert into routing.supply (item, node, lot, ref, quantity) values ('S', 'CHI', 'S1', 'again', 1)$$);
select t.try($$update routing.supply set quantity = 1 where item = 'S' and node = 'DAL'$$);
select t.try($$insert into routing.supply (item, node, lot, quantity) values ('S', 'NYC', 'S5', 1), ('S', 'DAL', 'S5', 1)$$);
-- it moves
begin;
update routing.supply set quantity = 0 where item = 'S' and node = 'CHI' and lot = 'S1';
update routing.supply set quantity = 1 where item = 'S' and node = 'DAL' and lot = 'S1';
commit;
update routing.supply set node = 'NYC' where item = 'S' and node = 'DAL';
insert into routing.supply (item, node, lot, quantity) values ('S', 'NYC', 'S1', 1)
on conflict (tenant_id, item, node, ref, lot) do update set quantity = excluded.quantity;
delete from routing.supply where item = 'S' and node = 'CHI' and lot = 'S1';
update routing.supply set node = 'CHI' where item = 'S' and node = 'NYC';
select item, node, lot, quantity, serial from routing.supply where available_on = '-infinity' order by 1, 2, 3;
select t.atp('S', 'CHI', 0, 7) as "2 6";
call t.sell('S1', 0, 'S', 1, lot => 'S1');
call t.sell('S2', 0, 'S', 1, lot => 'S1');
call t.sell('S3', 0, 'S', 1);
call t.sell('S4', 0, 'S', 1);
select "order", status, promised, reason from t.l;
table t.b;
call t.sell('S5', 0, 'S', 1.5);
select t.try($$select routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "S", "quantity": 0.5}]}')$$);
table t.wrong; select * from routing.verify();
select t.try($$update routing.supply set expires_on = '3000-01-01' where item = 'T'$$);

-- what is held is promised to nobody else, and becomes the order's
insert into routing.supply (item, node, lot, quantity) values ('S', 'CHI', 'S7', 1), ('S', 'CHI', 'S8', 1);
create function t.s7() returns jsonb language sql return
	'{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "S", "quantity": 1, "lot": "S7", "node": "CHI"}]}'::jsonb;
table t.b;
select t.atp('S', 'CHI', 0) as "1";
select routing.hold(t.s7()) as id \gset
select t.atp('S', 'CHI', 0) as "0";
select quantity, status from routing.promise(t.s7());
call t.sell('W7', 0, 'S', 1, lot => 'S7');
select status, reason from routing.sales_order_line where order_id = 'W7';
select routing.confirm_hold(:'id') = :'id' as confirmed;
select lot, quantity, basis, state from routing.reservation where order_id = :'id' and "to" is null;
select quantity, status from routing.promise(t.s7());
select routing.cancel_order(:'id');
-- and who waited for it has it
select lot, quantity, basis, state from routing.reservation where order_id = 'W7' and "to" is null;
table t.wrong; select * from routing.verify();

-- a document may ask for a lot and for a life
call t.lot('A', 'P1', 5, 30); call t.lot('A', 'P2', 5, 10);
create function t.ask(line jsonb, customer text default 'C1') returns table (node text, quantity numeric, ship text, status text)
	language sql stable
begin atomic
	select p.node, p.quantity, t.rel(p.ship_on), p.status
	from routing.promise(jsonb_build_object('customer', customer, 'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb,
											'lines', jsonb_build_array('{"item": "A", "quantity": 7}'::jsonb || line))) p;
end;
begin transaction read only;
select * from t.ask('{}');
select * from t.ask('{"lot": "P2"}');
select * from t.ask('{"min_life_days": 20}');
select * from t.ask('{}', 'FUSSY');
select * from t.ask('{"min_life_days": 0}', 'FUSSY');
select * from t.ask('{"lot": "P2", "min_life_days": 20}');
-- two lines of the document, one item: the lot first, then what is left
select p.line_no, p.node, p.quantity, p.status from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"},
	"lines": [{"item": "A", "quantity": 4, "lot": "P2"}, {"item": "A", "quantity": 20}, {"item": "A", "quantity": 1, "lot": "P1"}]}') p order by 1, 2;
commit;
select t.try($$select t.ask('{"min_life_days": -1}')$$);
select t.try($$select t.ask('{"min_life_days": 1.5}')$$);
select t.try($$select t.ask('{"min_life_days": 3651}')$$);
select t.try($$select t.ask('{"lot": ""}')$$);
select t.try($$select t.ask('{"lot": 7}')$$);
table t.wrong; select * from routing.verify();

-- whoever may read may ask for a lot
set client_min_messages = warning;
do $$
begin
	if exists (select from pg_roles where rolname = 'regress_routing_lots') then
		drop owned by regress_routing_lots;
		drop role regress_routing_lots;
	end if;
end
$$;
reset client_min_messages;
create role regress_routing_lots;
select routing.grant_access('regress_routing_lots');
set role regress_routing_lots;
select node, quantity, status from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 7, "lot": "P2"}]}');
select routing.lots_check(1, 'A', 'CHI', null);
reset role;
drop owned by regress_routing_lots; drop role regress_routing_lots;

-- verify() finds lots that are not what the rows say, and bookings that no lot serves
begin;
update routing.position set lots[3] = lots[3] + 1 where item = 'A';
select what, item, node from routing.verify();
rollback;
begin;
update routing.position set lots = null where item = 'A';
select what, item, node from routing.verify();
rollback;
call t.sell('V1', 0, 'A', 8);
begin;
alter table routing.supply disable trigger all;
update routing.supply set expires_on = t.day(1) - 400 where lot = 'P2' and item = 'A';
alter table routing.supply enable always trigger note_ledger; alter table routing.supply enable always trigger settle;
update routing.position set lots[2] = lots[2] - 409 where item = 'A' and lots[2] = t.day(10) - date '2000-01-01';
select what, item, node, found from routing.verify() where what = 'lots';
select wrong from t.wrong;
rollback;
select * from routing.verify();
