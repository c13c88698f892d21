-- a hot item-node is divided into slots; every figure stays what it would be without
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
set routing.escrow = always;
-- the rows of an item-node: the first, and the sum of the others (which one an order takes is chance)
create view t.rows as
	select p.item, p.node, slot > 0 as slots, count(*) as rows,
		   trim_scale(sum(x.supply) / 10000) as supply, trim_scale(sum(x.demand) / 10000) as demand, max(p.slots) as divided
	from routing.position p,
		 lateral (select coalesce(sum(e) filter (where i % 3 = 2), 0) as supply, coalesce(sum(e) filter (where i % 3 = 0), 0) as demand
				  from unnest(p.timeline) with ordinality u(e, i)) x
	group by 1, 2, 3 order by 1, 2, 3;
create view t.line as
	select t.rel(on_date) as day, supply, demand, balance, atp from routing.atp_timeline('A', 'CHI') order by on_date;

-- the first order divides what it leaves: an eighth to each of four slots, of every day
call t.stock('A', 'CHI', 802); call t.stock('A', 'CHI', 400, 5);
call t.ord('O1', null, 'A 2 CHI');
table t.rows;
table t.line;
select * from routing.availability where item = 'A';

-- the next takes a slot; what the first row has is untouched
call t.ord('O2', null, 'A 3 CHI');
call t.ord('O3', 6, 'A 4 CHI');
table t.rows;
table t.line;
table t.l;

-- more than any slot has: the first row serves it, and fills a slot on the way
call t.ord('O4', null, 'A 101 CHI');
table t.rows;
table t.line;

-- two orders and two lines of one transaction
begin;
call t.ord('O5', null, 'A 1 CHI, A 2 CHI');
call t.ord('O6', null, 'A 3 CHI');
commit;
table t.line;

-- rolled back, a slot is free again
begin;
call t.ord('O7', null, 'A 5 CHI');
savepoint s;
select status from routing.route_order('O7');
rollback to s;
rollback;
table t.line;

-- given back in the first row, wherever it was booked
select routing.cancel_order('O2');
select routing.cancel_order('O3');
table t.line;

-- nobody is refused a unit that is in a slot: 798 - 101 - 6 = 693 are there today, 400 more on day 5
call t.ord('O8', null, 'A 692 CHI');
table t.rows;
call t.ord('O9', null, 'A 2 CHI');
select line, status, promised from t.l where "order" = 'O9';
select item, quantity, node, needed, basis from t.r where "order" = 'O9' order by needed;
table t.line;

-- a change of supply folds and judges the whole
call t.ord('OA', 7, 'A 1 CHI');
select rows > 1 as divided from t.rows where slots;
update routing.supply set quantity = 802 - 102 where item = 'A' and ref = '';
select rows > 1 as divided from t.rows where slots;
select "order", sum(quantity), state from t.r group by 1, 3 order by 1, 3;
select * from t.x;

-- nothing is divided where there is too little, where safety stock wants all, or when it is turned off
call t.stock('B', 'CHI', 8); call t.ord('P1', null, 'B 1 CHI');
insert into routing.item_node (item, node, safety_stock) values ('C', 'CHI', 992);
call t.stock('C', 'CHI', 1000); call t.ord('P2', null, 'C 1 CHI');
set routing.escrow = off;
call t.stock('D', 'CHI', 1000); call t.ord('P3', null, 'D 1 CHI');
select item, rows, divided from t.rows where item <> 'A';

-- slots that nobody has needed for a minute go, by the next who comes past them or by roll()
set routing.escrow = always;
call t.stock('D', 'DAL', 400); call t.ord('Q1', null, 'D 1 DAL'); call t.ord('Q2', null, 'D 1 DAL');
select item, node, slots, rows, supply, demand from t.rows where node = 'DAL';
select routing.roll();
select count(*) from t.rows where node = 'DAL' and slots;
set routing.clock_offset = '61 s';
select routing.roll();
select item, node, slots, rows, supply, demand from t.rows where node = 'DAL';
reset routing.clock_offset;

-- inbound in slots is late: what they owe of it is owed by the whole, whose stock on hand is not there for others
call t.stock('B', 'NYC', 80); call t.stock('B', 'NYC', 800, 2);
call t.ord('L0', 6, 'B 1 NYC'); call t.ord('L1', 6, 'B 99 NYC'); call t.ord('L2', 6, 'B 99 NYC'); call t.ord('L3', 6, 'B 99 NYC');
select slots, rows, supply, demand from t.rows where item = 'B' and node = 'NYC';
set routing.clock_offset = 345600;
select routing.atp('B', 'NYC'), routing.atp('B', 'NYC', t.day(5));
call t.ord('L4', 6, 'B 40 NYC');
select "order", status, promised from t.l where "order" = 'L4';
select "order", quantity, needed, state from t.r where "order" = 'L4';
-- what is late is not divided again
select slots, rows, supply, demand from t.rows where item = 'B' and node = 'NYC';
reset routing.clock_offset;
select * from routing.verify();
