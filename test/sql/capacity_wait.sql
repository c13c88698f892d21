-- orders that leave later because nodes are full, when these have capacity again
\set ECHO none
\i test/sql/common.psql
\set ECHO all
create view t.w as
	select node, order_id, t.rel(first_day) as "from", case when last_day <> 'infinity' then t.rel(last_day) end as "to", rank
	from routing.capacity_wait order by 1, 2;
create view t.s as
	select regexp_replace(order_id, 'hold:.*', 'hold') as "order", line_no as line, quantity, node, t.rel(ship_on) as ships from routing.reservation
	where "to" is null order by 1, 2, ship_on, node;
call t.stock('A', 'CHI', 100);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 1);
-- all want day 3 and would leave on day 2; C2 and L leave later, GOLD after them
call t.ord('C1', 3, 'A 1'); call t.ord('C2', 3, 'A 1'); call t.ord('L', 3, 'A 1', 'LAST'); call t.ord('G', 3, 'A 1', 'GOLD');
-- this one is in time
call t.ord('X', 8, 'A 1');
table t.s; table t.w;
-- GOLD gets the place of C1, though it came last
select routing.cancel_order('C1');
table t.s; table t.w;
select routing.run_jobs(); table t.s;
select * from routing.verify();
-- when GOLD goes, C2 moves, and L to the place of C2
select routing.cancel_order('G');
table t.s; table t.w;
select type from routing.event where aggregateid = 'L' order by seq;
-- what is shipped earlier frees a day for others; a change to another day, too
call t.ord('Z', 3, 'A 1'); table t.s;
update routing.sales_order set requested_on = t.day(9) where order_id = 'C2';
table t.s; table t.w;
select * from routing.verify();
-- a higher limit: left to the jobs
update routing.capacity set quantity = 3;
select key, reason from routing.pending; table t.s;
select routing.run_jobs();
table t.s; table t.w;
select * from routing.verify();

-- a day without any capacity, then none at all: what is not served waits, too
call t.reset();
delete from routing.capacity;
call t.stock('A', 'CHI', 100);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'units', 0);
call t.ord('N1', 3, 'A 1'); call t.ord('N2', null, 'A 2');
table t.l; table t.w;
insert into routing.capacity (node, kind, on_date, quantity) values ('CHI', 'units', t.day(2), 3);
select routing.run_jobs();
table t.s; table t.w;
-- as soon as possible is earlier than that
delete from routing.capacity;
select routing.run_jobs();
table t.s; table t.w;
select * from routing.verify();

-- beyond what a settlement may route by the jobs; by rank and age
call t.reset();
call t.stock('A', 'CHI', 100);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 4);
call t.ord('B1', 3, 'A 1'); call t.ord('B2', 3, 'A 1'); call t.ord('B3', 3, 'A 1'); call t.ord('B4', 3, 'A 1');
call t.ord('D1', 3, 'A 1', 'LAST'); call t.ord('D2', 3, 'A 1'); call t.ord('D3', 3, 'A 1'); call t.ord('D4', 3, 'A 1', 'GOLD');
set routing.settle_reroute_limit = 0;
select count(routing.cancel_order('B' || i)) from generate_series(1, 3) i;
table t.s; select key from routing.pending order by 1;
select routing.run_jobs();
table t.s;
reset routing.settle_reroute_limit;
-- a hold that ends
call t.reset();
delete from routing.capacity;
call t.stock('A', 'CHI', 100);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 1);
create table t.hold as select routing.hold(jsonb_build_object('customer', 'C1', 'requested_on', t.day(3)::text, 'ship_to', jsonb_build_object('country', 'US', 'postal_code', '60614'),
	'lines', jsonb_build_array(jsonb_build_object('line_no', 1, 'item', 'A', 'quantity', '1'))), interval '1 second') as id;
call t.ord('H1', 3, 'A 1');
table t.s;
select pg_sleep(1.1);
select routing.roll(); select routing.run_jobs();
select * from t.s where "order" = 'H1'; table t.w;
select * from routing.verify();
call t.reset();
delete from routing.capacity;
