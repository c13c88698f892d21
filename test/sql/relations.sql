-- availability as a relation: atp_table, the view, hot item-nodes, holds
\set ECHO none
\i test/sql/common.psql
\set ECHO all
create function t.tab(items text[] default null, nodes text[] default null, from_day int default null, to_day int default null, channel text default null)
	returns table (item text, node text, day text, atp numeric) language sql stable as $$
	select a.item, a.node, t.rel(a.on_date), a.atp
	from routing.atp_table(items, nodes, t.day(from_day), t.day(to_day), channel) a order by a.item, a.node, a.on_date $$;
-- what atp() says of every item-node and day is what the table says
create function t.unlike(days int) returns table (item text, node text, day int, atp numeric, in_table numeric) language sql stable as $$
	with tab as materialized (select * from routing.atp_table(to_date => t.day(days)))
	select p.item, p.node, d, routing.atp(p.item, p.node, t.day(d)),
		   (select x.atp from tab x where x.item = p.item and x.node = p.node and x.on_date <= t.day(d) order by x.on_date desc limit 1)
	from (select distinct item, node from routing.position) p, generate_series(0, days) d
	where routing.atp(p.item, p.node, t.day(d)) is distinct from
		  (select x.atp from tab x where x.item = p.item and x.node = p.node and x.on_date <= t.day(d) order by x.on_date desc limit 1) $$;

-- a published table: on hand 20; -3 on day 1, +10 day 3, -15 day 4, +1 day 5, +3 day 6
call t.stock('A', 'CHI', 20); call t.stock('A', 'CHI', 10, 3); call t.stock('A', 'CHI', 1, 5); call t.stock('A', 'CHI', 3, 6);
call t.ord('D1', 2, 'A 3'); call t.ord('D4', 5, 'A 15');
call t.stock('A', 'DAL', 7); call t.stock('B', 'CHI', 4, 2); call t.stock('B', 'NYC', 0.5);
insert into routing.item_node (item, node, safety_stock, enabled) values ('A', 'DAL', 3, true), ('B', 'NYC', 0, false);
select * from t.tab();
select * from t.tab(to_day => 10);
select * from t.tab(array['A'], array['CHI'], 4, 5);
-- within what has passed it is today; a last day before the first is the first
select * from t.tab(array['A'], array['CHI'], -5, -3);
select * from t.tab(array['A'], array['CHI'], 5, 2);
select * from t.tab(array['B', 'A', 'B'], array['DAL', 'NYC', 'DAL']);
select * from t.tab(array['C']);
select * from t.tab('{}');
select * from t.tab(nodes => '{}');
select * from t.tab(channel => 'web', nodes => array['DAL']);
select * from t.unlike(8);
-- it can be joined
select l.item, l.quantity, x.node, x.atp from (values ('A', 10), ('B', 3)) l(item, quantity)
join routing.atp_table(to_date => t.day(6)) x using (item) where x.atp >= l.quantity and x.on_date = t.day(6) order by 1, 3;
select item, node, on_hand, promised, inbound, atp from routing.availability order by item, node;
-- tenants are apart
insert into routing.tenant (tenant_id, tenant) values (77, 'other');
insert into routing.tenant_member (tenant_id, role) values (77, current_user);
set routing.tenant = 'other';
select * from t.tab();
select t.try($$select * from routing.atp_table(array['A'])$$);
reset routing.tenant;

-- errors
select t.try($$select * from routing.atp_table(array['A', 'NONE'])$$);
select t.try($$select * from routing.atp_table(array['A', null])$$);
select t.try($$select * from routing.atp_table(nodes => array['NONE'])$$);
select t.try($$select * from routing.atp_table(nodes => array[null])$$);
select t.try($$select * from routing.atp_table(channel => 'NONE')$$);

-- past due supply comes tomorrow, at any time
call t.stock('C', 'CHI', 6, 1);
set routing.clock_offset = 172800;
select day, atp from t.tab(array['C'], null, 2, 9);
select * from t.unlike(8) where day >= 2;
reset routing.clock_offset;

-- in a worker, on the same snapshot
-- (it is called debug_parallel_query from 16 on)
select set_config(name, 'on', false) from pg_settings where name in ('force_parallel_mode', 'debug_parallel_query');
select sum(atp) from routing.atp_table();
select sum(atp) from routing.availability;
select set_config(name, 'off', false) from pg_settings where name in ('force_parallel_mode', 'debug_parallel_query');

-- a hot item-node: many rows, in a position of their own each, are one
set routing.escrow = always;
call t.stock('D', 'CHI', 400); call t.stock('D', 'CHI', 100, 4);
call t.ord('H1', null, 'D 2'); call t.ord('H2', null, 'D 3'); call t.ord('H3', 6, 'D 5');
reset routing.escrow;
select count(*) > 1 as rows, sum(slots) > 0 as slots from routing.position where item = 'D';
select * from t.tab(array['D'], to_day => 9);
select on_hand, promised, inbound, atp from routing.availability where item = 'D';
select on_hand, promised, inbound, atp from routing.atp_nodes('D');
select * from t.unlike(8);
select * from routing.verify();
-- lots end; how much life must be left is the item's own
insert into routing.supply (item, node, lot, quantity, expires_on) values ('C', 'NYC', 'L1', 5, t.day(3)), ('C', 'NYC', 'L2', 4, t.day(9));
select * from t.tab(array['C'], array['NYC'], to_day => 11);
update routing.item set min_life_days = 2 where item = 'C';
select * from t.unlike(11);
select a.node, a.atp = x.atp as same from routing.availability a join routing.atp_table(array['C']) x using (item, node) order by 1;
delete from routing.supply where item = 'C' and node = 'NYC';

-- what is wrong with its rows is noticed
begin;
update routing.position set timeline[3] = timeline[3] + 20000 where item = 'D' and slot = (select max(slot) from routing.position where item = 'D');
select what, item, node from routing.verify() order by what;
rollback;
begin;
delete from routing.position where item = 'D' and slot = (select max(slot) from routing.position where item = 'D');
select distinct what, item, node from routing.verify() order by what;
rollback;
begin;
update routing.position set slots = slots - 1 where item = 'D' and slots > 0;
select what, expected, found ~ '^slot \d+ of \d+$' as told from routing.verify() order by what;
rollback;

-- a hold counts until it expires, and is a booking of its own
begin;
create temp table h as select date_trunc('second', now()) + interval '1 minute' as until;
insert into routing.hold (tenant_id, hold_id, document, expires_at) select 1, 'Q', '{}', until from h;
insert into routing.reservation (tenant_id, order_id, line_no, part, item, node, quantity, needed_on, ship_on, deliver_on, service,
								 shipment_no, basis, expires_at, state)
select 1, 'hold:Q', 1, 1, 'A', 'DAL', 3, t.day(2), t.day(2), t.day(4), 'ground', 1, 'on_hand', until, 'hold' from h;
select what, item, node, expected ~ '^3 until ' as told, found from routing.verify();
update routing.position p
set holds = array[extract(epoch from until - '2000-01-01 00:00:00+00')::bigint * 1000000, t.day(2) - date '2000-01-01', -2147483648, 30000]
from h where p.item = 'A' and p.node = 'DAL';
select * from routing.verify();
select * from t.tab(array['A'], array['DAL'], to_day => 9);
select on_hand, promised, inbound, atp from routing.availability where item = 'A' and node = 'DAL';
select on_hand, promised, inbound, atp from routing.atp_nodes('A') where node = 'DAL';
select booking, quantity from (select order_id as booking, quantity, needed_on from routing.pegging('A', 'DAL')) p order by needed_on;
set local routing.clock_offset = 61;
select * from t.tab(array['A'], array['DAL'], to_day => 9);
select promised, atp from routing.availability where item = 'A' and node = 'DAL';
select booking, quantity from (select order_id as booking, quantity, needed_on from routing.pegging('A', 'DAL')) p order by needed_on;
select * from routing.verify();
rollback;

-- what is promised and is not there, what is said about an item-node, who waits, what an order line adds up to
create function t.broken(statement text) returns setof text language plpgsql as $$
begin
	execute statement;
	return query select regexp_replace(regexp_replace(v::text, '\m9\d{3}\M', 'DAY', 'g'), '\d{4}-\d\d-\d\d', 'DATE') from routing.verify() v order by 1;
	raise exception 'undo';
exception when raise_exception then
end $$;
select t.broken($$update routing.position set timeline = '{-2147483648,40000,0,9000,0,50000}' where item = 'B' and node = 'NYC'$$);
select t.broken($$alter table routing.supply disable trigger user; update routing.supply set quantity = 5 where item = 'A' and node = 'CHI' and available_on = '-infinity';
	update routing.position set timeline = routing.expected_timeline(1, 'A', 'CHI') where item = 'A' and node = 'CHI'$$);
select t.broken($$update routing.position set safety_stock = 1, lead_time_days = 3 where item = 'A' and node = 'DAL'$$);
select t.broken($$insert into routing.claim values (1, 'D1', 1, 'A', 'DAL', current_date, 5, 2, '2026-01-01 00:00:00+00')$$);
select t.broken($$update routing.reservation set state = 'lost' where order_id = 'D1'$$);
select t.broken($$update routing.reservation set order_id = 'demand:X' where order_id = 'D1'$$);
select t.broken($$update routing.reservation set quantity = 4 where order_id = 'D1'; update routing.position set timeline = routing.expected_timeline(1, 'A', 'CHI') where item = 'A' and node = 'CHI'$$);
select t.broken($$insert into routing.reservation select tenant_id, order_id, line_no, 9, item, node, lot, 1, needed_on, ship_on, deliver_on, service, shipment_no, basis, null, 'shipped', null, "from", now() from routing.reservation where order_id = 'D1'$$);
select t.broken($$insert into routing.supply (item, node, ref, quantity, posted, expires_on) values ('A', 'DAL', 'X', 1, true, '2030-01-01')$$);
select * from routing.verify();
call t.clean();
