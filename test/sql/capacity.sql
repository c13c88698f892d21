-- capacity of nodes: orders, lines and units of a day, hard or with a price
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
create view t.cap as
	select node, t.rel(day) as day, kind, used, quantity from routing.capacity_day where quantity is not null order by 1, capacity_day.day, 3;
create view t.taken as
	select order_id, node, t.rel(day) as day, lines, trim_scale(units / 10000.0) as units from routing.capacity_booking order by 1, 2, capacity_booking.day;
call t.stock('A', 'CHI', 1000); call t.stock('B', 'CHI', 1000); call t.stock('A', 'DAL', 1000);
-- CHI ships two orders a day: the third goes from DAL, which is dearer by 2 + 0.1 a kilogram
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 2);
call t.ord('O1', 3, 'A 5, B 5'); call t.ord('O2', 3, 'A 5'); call t.ord('O3', 3, 'A 5');
select * from t.r;
select * from t.cap; select * from t.taken;
select what, change, wins, known from routing.why_not('O3', 'CHI');
-- another day has its own
call t.ord('O4', 4, 'A 5');
select * from t.r where "order" = 'O4';
-- given back with the reservation
select routing.cancel_order('O1');
select * from t.cap;
call t.ord('O5', 3, 'A 5');
select * from t.r where "order" = 'O5';
-- a change of the order keeps its place
update routing.sales_order_line set quantity = 8 where order_id = 'O5';
select * from t.r where "order" = 'O5';
update routing.sales_order set requested_on = t.day(5) where order_id = 'O5';
select * from t.r where "order" = 'O5'; select * from t.cap;
select * from routing.verify();
-- lines and units
call t.reset();
delete from routing.capacity;
select * from t.taken;
call t.stock('A', 'CHI', 1000); call t.stock('B', 'CHI', 1000); call t.stock('C', 'CHI', 1000); call t.stock('A', 'DAL', 1000); call t.stock('B', 'DAL', 1000);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'lines', 3), ('CHI', 'units', 20);
call t.ord('L1', 3, 'A 1, B 1'); call t.ord('L2', 3, 'A 1, B 1'); call t.ord('L3', 3, 'A 19');
select * from t.r; select * from t.cap;
call t.ord('L4', 3, 'C 18');
select * from t.r where "order" = 'L4'; select * from t.cap;
select * from routing.verify();
-- a day without any; a weekday; the next day is used
call t.reset();
delete from routing.capacity;
call t.stock('D', 'CHI', 10);
insert into routing.capacity (node, kind, on_date, quantity) values ('CHI', 'orders', t.day(2), 0);
insert into routing.capacity (node, kind, weekday, quantity) values ('CHI', 'orders', extract(isodow from t.day(3))::int, 1);
call t.ord('N1', 3, 'D 1'); call t.ord('N2', 3, 'D 1'); call t.ord('N3', 3, 'D 1');
select * from t.r;
select * from routing.verify();
-- limits change: more, and less than is taken
update routing.capacity set quantity = 5 where weekday > 0;
call t.ord('N4', 4, 'D 1');
select * from t.cap;
update routing.capacity set quantity = 1 where weekday > 0;
select * from t.cap;
call t.ord('N5', 4, 'D 1');
select * from t.r where "order" = 'N5';
select * from routing.verify();
-- a price from half of the day on: 5 money for each shipment then
call t.reset();
delete from routing.capacity;
call t.stock('A', 'CHI', 100);
insert into routing.capacity (node, kind, quantity, hard, price_from, price) values ('CHI', 'orders', 2, false, 0.5, 5);
call t.ord('P1', 3, 'A 1'); call t.ord('P2', 3, 'A 1'); call t.ord('P3', 3, 'A 1');
select o.order_id, d.cost from routing.sales_order o join routing.decision d using (tenant_id, decision_id) order by 1;
select * from routing.explain('P3') e where e like 'Cost%';
-- at a price of 5 DAL is cheaper
call t.stock('A', 'DAL', 100);
call t.ord('P4', 3, 'A 1');
select * from t.r where "order" = 'P4';
-- a hold takes its place, gives it to its order, or loses it when it ends
call t.reset();
delete from routing.capacity;
call t.stock('A', 'CHI', 100);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 1);
create function t.doc(id text) returns jsonb language sql stable
	return jsonb_build_object('order_id', id, 'customer', 'C1', 'requested_on', t.day(3)::text,
		'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb, 'lines', '[{"line_no": 1, "item": "A", "quantity": "2"}]'::jsonb);
select routing.hold(t.doc('H1'), '1 hour') as h1 \gset
call t.ord('AFTER', 3, 'A 1');
select * from t.r;
select node, t.rel(day), lines from routing.capacity_booking where order_id like 'hold:%';
select routing.confirm_hold(:'h1');
select * from t.taken;
select * from routing.verify();
select routing.cancel_order('H1');
select routing.hold(t.doc('H2'), '10 min') as h2 \gset
set routing.clock_offset = '11 min';
call t.ord('NEXT', 3, 'A 1');
select "order", node, state from t.r where "order" = 'NEXT';
select * from t.taken;
-- what has shipped stays taken
select routing.confirm_ship('NEXT');
select * from t.cap;
select * from routing.verify();
reset routing.clock_offset;
-- bad input
select t.try($$insert into routing.capacity (node, kind, quantity) values ('CHI', 'pallets', 1)$$);
select t.try($$insert into routing.capacity (node, kind, quantity) values ('NOWHERE', 'orders', 1)$$);
select t.try($$insert into routing.capacity (node, kind, quantity) values ('CHI', 'lines', 'NaN')$$);
select t.try($$insert into routing.capacity (node, kind, quantity, weekday) values ('CHI', 'lines', 1, 8)$$);
delete from routing.capacity;
