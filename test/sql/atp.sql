-- availability to promise
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- who waits is not served behind the test's back
set routing.settle_reroute_limit = 0;
\set ECHO all

-- a vendor's published table: on hand 20; -3 day 1, +10 day 3, -15 day 4, +1 day 5, +3 day 6;
-- the promises are real orders that must ship from CHI on their day
call t.stock('A', 'CHI', 20); call t.stock('A', 'CHI', 10, 3); call t.stock('A', 'CHI', 1, 5); call t.stock('A', 'CHI', 3, 6);
call t.ord('V1', 1, 'A 3 CHI', basis => 'ship');
call t.ord('V4', 4, 'A 15 CHI', basis => 'ship');
table t.l;
table t.r;
select t.atp('A', 'CHI', 1, 2, 3, 4, 5, 6, 7) as "12 12 12 12 13 16 16";
-- today is like tomorrow, a day long past is today
select t.atp('A', 'CHI', 0, -400, 1000);
select t.rel(on_date) as day, supply, demand, balance, atp from routing.atp_timeline('A', 'CHI') order by on_date;

-- a shortage does not vanish, and the look-ahead does not stop at the first recovery:
-- on hand 10; -2, +5, -12 on days 2 to 4 leave 1 on day 1, not 8
call t.stock('B', 'CHI', 10); call t.stock('B', 'CHI', 5, 3);
call t.ord('W2', 2, 'B 2 CHI', basis => 'ship');
call t.ord('W4', 4, 'B 12 CHI', basis => 'ship');
select t.atp('B', 'CHI', 0, 1, 2, 3, 4, 5) as "1 1 1 1 1 1";
-- nobody gets more than that, on any day
call t.ord('W1', 1, 'B 2 CHI', basis => 'ship');
table t.l;
table t.r;
select t.atp('B', 'CHI', 0, 1, 4) as "0 0 0";
-- a later receipt is there from its day, and pays back nothing before
call t.stock('B', 'CHI', 6, 8);
-- and 1 of it is what W1 still waits for
select t.atp('B', 'CHI', 0, 7, 8, 9) as "0 0 5 5";

-- safety stock: 5 on hand with a safety stock of 5 offer 0, and with 3 offer 2
call t.stock('C', 'CHI', 5); call t.stock('C', 'DAL', 5); call t.stock('C', 'CHI', 4, 2);
insert into routing.item_node (item, node, safety_stock) values ('C', 'CHI', 5), ('C', 'DAL', 3);
select t.atp('C', 'CHI', 0, 1, 2) as "0 0 4", t.atp('C', 'DAL', 0) as "2";
call t.ord('Y1', 0, 'C 7', basis => 'ship');
table t.r;
-- not enabled offers nothing; nothing is un-promised
update routing.item_node set enabled = false where node = 'DAL';
select t.atp('C', 'DAL', 0);
update routing.item_node set enabled = true, safety_stock = 0.5 where node = 'DAL';
select t.atp('C', 'DAL', 0);
delete from routing.item_node where node = 'DAL';
select t.atp('C', 'DAL', 0) as "3";
table t.x;

-- inbound that is past due comes tomorrow, never today
call t.stock('D', 'CHI', 7, -3); call t.stock('D', 'CHI', 1, 1); call t.stock('D', 'CHI', 2);
select t.atp('D', 'CHI', -3, 0, 1, 2) as "2 2 10 10";
call t.ord('P1', 0, 'D 4 CHI', basis => 'ship');
select "order", line, quantity, needed, basis from t.r where "order" = 'P1';
-- and inbound of today is there today
update routing.supply set available_on = t.day(0) where item = 'D' and ref = 'PO-3';
select t.atp('D', 'CHI', 0, 1) as "6 6";

-- per node, over all nodes, as a relation
select node, on_hand, promised, inbound, atp, t.rel(available_on) from routing.atp_nodes('C', 3) order by node;
select node, on_hand, promised, inbound, atp, t.rel(available_on) from routing.atp_nodes('C', 4, t.day(2), 'web') order by node;
select node, on_hand, promised, inbound, atp, t.rel(available_on) from routing.atp_nodes('C') order by node;
select routing.atp_total('C') as "3", routing.atp_total('C', t.day(5)) as "3", routing.atp_total('C', null, 'web') as "3";
select item, node, on_hand, promised, inbound, atp from routing.availability order by item, node;
-- the view says what the functions say
select item, node, atp, routing.atp(item, node) from routing.availability where atp is distinct from routing.atp(item, node);
-- a closed node does not count for the total; asked for it answers
update routing.node set status = 'closed' where node = 'DAL';
select routing.atp_total('C'), routing.atp('C', 'DAL');
update routing.node set status = 'open' where node = 'DAL';
-- an item that nobody has
insert into routing.item (item) values ('NONE');
select routing.atp('NONE', 'CHI'), routing.atp_total('NONE');
select * from routing.atp_nodes('NONE');
-- the horizon is a date, never a huge number
insert into routing.item (item) values ('LATER');
insert into routing.item_node (item, node, lead_time_days) values ('LATER', 'CHI', 20), ('LATER', 'DAL', 0);
call t.stock('LATER', 'CHI', 4); call t.stock('LATER', 'CHI', 2, 5);
select node, atp, t.rel(available_on), t.rel(horizon_on) from routing.atp_nodes('LATER', 4) order by node;
select node, atp, t.rel(available_on), t.rel(horizon_on) from routing.atp_nodes('LATER', 6) order by node;
select node, atp, t.rel(available_on), t.rel(horizon_on) from routing.atp_nodes('LATER', 7, t.day(30)) order by node;
select routing.atp('LATER', 'CHI', t.day(30)), routing.atp_total('LATER', t.day(30));
delete from routing.supply where item = 'LATER'; delete from routing.item_node where item = 'LATER';
select * from routing.atp_timeline('NONE', 'CHI');

-- what is not known is an error, not a zero
select t.try($$select routing.atp('X', 'CHI')$$);
select t.try($$select routing.atp('A', 'XYZ')$$);
select t.try($$select routing.atp('A', 'CHI', null, 'tv')$$);
select t.try($$select routing.atp_total('X')$$);
select t.try($$select routing.atp_total('A', null, 'tv')$$);
select t.try($$select routing.atp_nodes('X')$$);
select t.try($$select routing.atp_nodes('A', 1, null, 'tv')$$);
select t.try($$select routing.atp_nodes('A', 0)$$);
select t.try($$select routing.atp_nodes('A', 'nan')$$);
select t.try($$select routing.atp_nodes('A', 1.00001)$$);
select t.try($$select routing.atp_timeline('X', 'CHI')$$);
select t.try($$select routing.atp_timeline('A', 'X')$$);
select t.try($$select routing.atp(null, 'CHI')$$);
select t.try($$select routing.atp('A', null)$$);
select t.try($$select routing.atp_total(null)$$);
select t.try($$select routing.atp_nodes(null)$$);
select t.try($$select routing.atp_timeline(null, 'CHI')$$);
select t.try($$select routing.atp_timeline('A', null)$$);
-- dates at the ends
select routing.atp('A', 'CHI', '-infinity'), routing.atp('A', 'CHI', 'infinity'), routing.atp_total('A', 'infinity');

-- today is the node's, not the session's: at a node that is hours ahead the day has begun
insert into routing.node (node, time_zone) values ('EAST', 'Etc/GMT-14'), ('WEST', 'Etc/GMT+12');
insert into routing.supply (item, node, quantity, ref, available_on, kind) values
	('A', 'EAST', 5, 'P', (now() at time zone 'Etc/GMT-14')::date, 'purchase'),
	('A', 'WEST', 5, 'P', (now() at time zone 'Etc/GMT-14')::date, 'purchase');
select routing.atp('A', 'EAST') as "5", routing.atp('A', 'WEST') as "0";
set timezone = 'Etc/GMT+12';
select routing.atp('A', 'EAST') as "5", routing.atp('A', 'WEST') as "0";
set timezone = 'UTC';

-- functions only read
begin;
set transaction read only;
select routing.atp('A', 'CHI'), routing.atp_total('A');
select count(*) from routing.availability;
select count(*) from routing.atp_nodes('A');
select pg_current_xact_id_if_assigned() is null as wrote_nothing;
commit;

select * from routing.verify();
