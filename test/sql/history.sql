-- history: what supply and item-nodes said, and what could be promised as known then
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\set past :abs_srcdir '/sql/past.psql'
\i :common
\i :past
\set ECHO all
create view t.h as
	select item, node, ref, quantity, t.rel(available_on) as day, kind, status, "from" < "to" as in_order, to_xid is not null as told
	from routing.supply_history order by tenant_id, item, node, "to", ref;

call t.mark('nothing');
call t.stock('A', 'CHI', 10);
call t.stock('A', 'CHI', 20, 7, 'PO1');
call t.mark('stock');
call t.ord('O1', null, 'A 4');
call t.mark('ordered');
-- a receipt in two statements is one moment: 20 arrive early
begin;
update routing.supply set quantity = 30 where ref = '';
select pg_sleep(0.003);
delete from routing.supply where ref = 'PO1';
commit;
call t.mark('received');
select routing.cancel_order('O1');
call t.mark('cancelled');
insert into routing.item_node (item, node, safety_stock) values ('A', 'CHI', 5);
call t.mark('safety');
update routing.item_node set safety_stock = 7;
call t.mark('more safety');
truncate routing.supply, routing.item_node;
call t.mark('truncated');
select m.name, t.then(m.name, 0, 6, 7) from t.moment m order by m.at;
select routing.atp('A', 'CHI');
table t.h;
select item, node, safety_stock, enabled, "from" < "to" as in_order from routing.item_node_history order by "to";
-- the receipt: both rows end at the same time
select count(*), count(distinct "to"), count(distinct to_xid) from routing.supply_history where ref = 'PO1' or quantity = 10;
select * from routing.verify();

-- what is no fact leaves nothing; what one transaction changes twice leaves one row; rolled back: nothing
delete from routing.supply_history; delete from routing.item_node_history;
call t.stock('A', 'CHI', 10);
update routing.supply set quantity = quantity, status = status;
table t.h;
begin; update routing.supply set quantity = 11; update routing.supply set quantity = 12; delete from routing.supply; insert into routing.supply (item, node, quantity) values ('A', 'CHI', 13); delete from routing.supply; commit;
begin; insert into routing.supply (item, node, quantity) values ('A', 'CHI', 5); update routing.supply set quantity = 6; delete from routing.supply; commit;
begin; insert into routing.supply (item, node, quantity) values ('A', 'CHI', 5); rollback;
call t.stock('A', 'CHI', 14);
begin; update routing.supply set quantity = 15; rollback;
begin; savepoint s; update routing.supply set quantity = 15; rollback to s; commit;
table t.h;
-- nobody sets the time himself; a restored row keeps its own
update routing.supply set "from" = '2000-01-01';
select "from" > now() - interval '1 hour' as recent from routing.supply;
insert into routing.supply (item, node, quantity, posted, "from") values ('A', 'DAL', 5, true, '2001-01-01 00:00:00+00');
select "from" from routing.supply where node = 'DAL';
delete from routing.supply where node = 'DAL';
select node, quantity, "from", "to" > now() - interval '1 hour' as recent from routing.supply_history where node = 'DAL';
-- by COPY, MERGE, and moved to another node
copy routing.supply (item, node, ref, quantity) from stdin;
B	CHI	X	3
\.
merge into routing.supply s using (values ('B', 'CHI', 'X', 4)) v(item, node, ref, quantity)
	on s.item = v.item and s.node = v.node and s.ref = v.ref when matched then update set quantity = v.quantity;
update routing.supply set node = 'NYC' where item = 'B';
select node, quantity from routing.supply_history where item = 'B' order by "to", quantity;
select * from routing.verify();

-- past due: what was to come on day 1 was there the day after, and is late once that day has passed
delete from routing.supply;
call t.stock('C', 'CHI', 8, 1, 'LATE');
call t.mark('due');
select t.rel((m.at at time zone 'UTC')::date) as today, routing.atp_as_of('C', 'CHI', t.day(0), m.at) as day_0,
	   routing.atp_as_of('C', 'CHI', t.day(1), m.at) as day_1 from t.moment m where name = 'due';
set routing.clock_offset = 172800;	-- two days on
select routing.atp_as_of('C', 'CHI', t.day(2), now() + interval '2 days') as day_2, routing.atp_as_of('C', 'CHI', t.day(3), now() + interval '2 days') as day_3,
	   routing.atp_as_of('C', 'CHI', t.day(1), m.at) as day_1_then from t.moment m where name = 'due';
reset routing.clock_offset;

-- lots count until they end, then as now
delete from routing.supply;
insert into routing.supply (item, node, lot, quantity, expires_on) values ('D', 'CHI', 'L1', 5, t.day(3)), ('D', 'CHI', 'L2', 4, t.day(9));
call t.ord('LOTS', 5, 'D 2');
create table t.seen as select d, routing.atp('D', 'CHI', t.day(d)) as atp from generate_series(0, 11) d;
call t.mark('lots');
delete from routing.supply;
select string_agg(s.atp::text, ' ' order by d) as seen, string_agg(routing.atp_as_of('D', 'CHI', t.day(d), m.at)::text, ' ' order by d) as then
from t.seen s, t.moment m where m.name = 'lots';

-- a booking that has lost its supply does not count, then as now
call t.reset();
call t.stock('A', 'CHI', 10);
call t.ord('U1', null, 'A 6'); call t.ord('U2', null, 'A 4');
update routing.supply set quantity = 7;
call t.mark('fallen');
select t.then('fallen', 0), t.atp('A', 'CHI', 0);
select routing.cancel_order('U2'), routing.cancel_order('U1');
call t.mark('gone');
select t.then('fallen', 0), t.then('gone', 0);
select distinct state from routing.reservation where "to" is not null and order_id in ('U1', 'U2') order by 1;
begin;
insert into routing.reservation (tenant_id, order_id, line_no, part, item, node, quantity, needed_on, ship_on, deliver_on, service,
								 shipment_no, basis, state, "from", "to")
select 1, 'U3', 1, 1, 'D', 'CHI', 3, t.day(1), t.day(1), t.day(2), 'ground', 1, 'on_hand', 'lapsed', m.at - interval '1 second', now()
from t.moment m where m.name = 'lots';
select routing.atp_as_of('D', 'CHI', t.day(0), m.at) from t.moment m where m.name = 'lots';
update routing.reservation set state = 'cancelled' where order_id = 'U3';
select routing.atp_as_of('D', 'CHI', t.day(0), m.at) from t.moment m where m.name = 'lots';
update routing.reservation set "from" = m.at from t.moment m where m.name = 'gone' and order_id = 'U3';
select routing.atp_as_of('D', 'CHI', t.day(0), m.at) from t.moment m where m.name = 'lots';
rollback;

-- nor when it leaves after all, or is covered later; a booking that leaves in part counted whole until then
call t.reset();
update routing.setting set issue_grace = '30 minutes';
call t.stock('A', 'CHI', 10); call t.stock('A', 'CHI', 20, 5);
call t.ord('U4', 0, 'A 6', 'C1', 'ship');
call t.mark('booked');
update routing.supply set quantity = 3 where ref = '';
call t.mark('at risk');
select routing.confirm_ship('U4', 1, 5);
call t.mark('left');
select routing.put_demand('W1', 'A', 'CHI', 3, t.day(1));
call t.mark('short');
update routing.supply set quantity = 9 where ref = '';
call t.mark('covered');
select m.name, t.then(m.name, 0, 4, 5) from t.moment m where m.name in ('booked', 'at risk', 'left', 'short', 'covered') order by m.at;
select t.atp('A', 'CHI', 0, 4, 5);
select order_id, state, sum(quantity), "from" = "to" as never_counted from routing.reservation where order_id in ('U4', 'demand:W1') group by 1, 2, 4 order by 1, 2, 4;
select * from routing.verify();

-- errors
select t.try($$select routing.atp_as_of(null, 'CHI', null, now())$$);
select t.try($$select routing.atp_as_of('A', null, null, now())$$);
select t.try($$select routing.atp_as_of('NONE', 'CHI', null, now())$$);
select t.try($$select routing.atp_as_of('A', 'NONE', null, now())$$);
select t.try($$select routing.atp_as_of('A', 'CHI', null, null)$$);
select t.try($$select routing.atp_as_of('A', 'CHI', null, '2999-01-01')$$);
select t.try($$select routing.atp_as_of('A', 'CHI', null, '-infinity')$$);
select t.try($$select routing.purge_history(null)$$);
select t.try($$select routing.purge_history('2999-01-01')$$);

-- what is forgotten
select routing.purge_history('2020-01-01'), count(*) > 0 as kept from routing.supply_history;
select routing.purge_history(now()) > 0 as forgotten;
select count(*) from routing.supply_history;
select * from routing.verify();
call t.clean();
