-- what nodes can ship on their days, in policies tried on what has happened
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\set past :abs_srcdir '/sql/past.psql'
\set simulated :abs_srcdir '/sql/simulated.psql'
\i :common
\i :past
\i :simulated
\set ECHO all
create procedure t.drafts() language sql begin atomic
	insert into routing.policy (policy, version, definition) values
		('standard', 1, '{"goal": "priority_list", "nodes": {"list": ["DAL", "CHI", "NYC"]}}');
end;
call t.drafts();

/*
 * CHI ships two orders of a day, DAL is next, 2.1 dearer for a kilogram.  E1
 * takes one of CHI's day 4 before the start, O1 the other.  When O1 is
 * cancelled O3 has its place, and O4 has the third that CHI ships then.
 */
call t.stock('A', 'CHI', 100); call t.stock('A', 'DAL', 100); call t.stock('A', 'NYC', 100);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 2);
call t.ord('E1', 5, 'A 1');
call t.mark('start');
call t.ord('O1', 5, 'A 1'); call t.ord('O2', 5, 'A 1');
select routing.cancel_order('O1');
call t.ord('O3', 5, 'A 1');
call t.mark('raised');
update routing.capacity set quantity = 3;
call t.ord('O4', 5, 'A 1'); call t.ord('O5', 5, 'A 1');
select node, kind, t.rel(on_date), quantity from routing.capacity_history order by "to";
select * from t.sim(0);
select * from t.sim(0, 'raised');
-- DAL first, which ships one of day 3 from now on
call t.mark('dal');
insert into routing.capacity (node, kind, quantity) values ('DAL', 'orders', 1);
call t.ord('P1', 5, 'A 1'); call t.ord('P2', 5, 'A 1'); call t.ord('P3', 5, 'A 1');
select * from t.sim(0, 'dal');
select * from t.sim(1, 'dal');
-- what nobody decides anew takes of the days, too: a hold, until it is given up
call t.mark('held');
create table t.hold as select routing.hold(jsonb_build_object('customer', 'C1', 'requested_on', t.day(6)::text, 'ship_to', jsonb_build_object('country', 'US', 'postal_code', '60614'),
	'lines', jsonb_build_array(jsonb_build_object('line_no', 1, 'item', 'A', 'quantity', '4'))), interval '1 hour') as id;
call t.ord('H1', 6, 'A 1'); call t.ord('H2', 6, 'A 1'); call t.ord('H3', 6, 'A 1');
select routing.cancel_hold(id) from t.hold;
call t.ord('H4', 6, 'A 1');
select * from t.sim(0, 'held');
-- lines, units, prices; a change of an order keeps its place
call t.mark('units');
insert into routing.capacity (node, kind, quantity) values ('CHI', 'units', 20), ('CHI', 'lines', 4);
insert into routing.capacity (node, kind, quantity, hard, price_from, price) values ('NYC', 'units', 10, false, 0.5, 3);
call t.stock('B', 'CHI', 100); call t.stock('B', 'DAL', 100); call t.stock('B', 'NYC', 100);
call t.ord('U1', 7, 'A 5, B 5'); call t.ord('U2', 7, 'A 11'); call t.ord('U3', 7, 'A 9, B 2'); call t.ord('U4', 7, 'B 3');
update routing.sales_order_line set quantity = 9 where order_id = 'U1' and line_no = 1;
update routing.sales_order_line set quantity = 2 where order_id = 'U1';
call t.ord('U5', 7, 'A 9');
delete from routing.capacity where kind = 'orders';
call t.ord('U6', 5, 'A 1');
select * from t.sim(0, 'units');
-- nothing of it is written
select count(*) from routing.capacity_booking where order_id = 'P1' and node = 'DAL';
select pg_current_xact_id_if_assigned() is null as no_xid from t.sim(1, 'units') limit 1;
select * from routing.verify();

/*
 * What was booked before the node had a limit takes nothing, until the order
 * is planned again: then it keeps that, and its day is full.
 */
call t.reset();
call t.drafts();
delete from routing.capacity;
call t.stock('C', 'CHI', 100); call t.stock('C', 'DAL', 100);
call t.ord('L1', 3, 'C 2'); call t.ord('L2', 3, 'C 2');
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 1);
call t.ord('L3', 3, 'C 2');
call t.mark('later');
update routing.sales_order_line set quantity = 5 where order_id = 'L1';
select "order", quantity, node, needed from t.r where "order" = 'L1';
select node, kind, used, quantity from routing.capacity_day where day = t.day(2) and quantity is not null;
select * from t.sim(0, 'later');
select * from routing.verify();

-- of kits their first component counts, of substitutes what they replace
call t.reset();
call t.drafts();
delete from routing.capacity;
insert into routing.item (item) values ('K');
insert into routing.item_component (item, component, quantity) values ('K', 'A', 2), ('K', 'B', 1);
insert into routing.item_substitute (item, substitute, ratio, penalty, needs_consent) values ('D', 'C', 2, 1.5, false);
update routing.customer set substitutes = 'allowed';
call t.stock('A', 'CHI', 100); call t.stock('B', 'CHI', 100); call t.stock('C', 'CHI', 100);
insert into routing.capacity (node, kind, quantity) values ('CHI', 'units', 5);
call t.ord('K1', 3, 'K 2');
call t.mark('kits');
call t.ord('K2', 3, 'D 3'); call t.ord('K3', 3, 'K 1');
select node, kind, used, quantity from routing.capacity_day where day = t.day(2) and quantity is not null;
select * from t.sim(0, 'kits');
select * from routing.verify();

-- whatever happens one after the other, the policy that was in effect gives what was decided
delete from routing.capacity;
call t.reset();
call t.drafts();
insert into routing.capacity (node, kind, quantity) values ('CHI', 'orders', 3), ('CHI', 'units', 25), ('DAL', 'lines', 4);
create procedure t.random_days(first int, last int) language plpgsql as $$
declare
	r	float8;
	it	text;
	nd	text;
begin
	perform setseed(0.5 + first / 1000.0);
	for i in first .. last loop
		r := random();
		it := (array['A', 'B', 'C', 'D'])[1 + floor(random() * 4)];
		nd := (array['CHI', 'DAL', 'NYC'])[1 + floor(random() * 3)];
		if r < 0.6 then
			call t.ord('R' || i, case when random() < 0.9 then floor(random() * 6)::int end,
				it || ' ' || 1 + floor(random() * 9) || case when random() < 0.5 then ', ' || (array['A', 'B', 'C', 'D'])[1 + floor(random() * 4)] || ' ' || 1 + floor(random() * 9) else '' end,
				(array['C1', 'GOLD', 'LAST'])[1 + floor(random() * 3)]);
		elsif r < 0.75 then
			insert into routing.supply (item, node, quantity) values (it, nd, 5 + floor(random() * 40))
			on conflict (tenant_id, item, node, ref, lot) do update set quantity = routing.supply.quantity + 15;
		elsif r < 0.78 then
			update routing.capacity set quantity = 1 + floor(random() * 6) where node = nd and kind <> 'units';
		elsif r < 0.80 then
			delete from routing.capacity where node = nd and kind = 'lines';
			commit;
			insert into routing.capacity (node, kind, on_date, quantity) values (nd, 'lines', t.day(floor(random() * 4)::int), floor(random() * 4))
			on conflict do nothing;
		elsif r < 0.90 then
			call t.cancel_some(i);
		else
			call t.change_some(i);
		end if;
		commit;
	end loop;
end
$$;
call t.mark('random');
call t.random_days(1, 400);
select count(*) > 100 as many, count(*) filter (where changed) as changed, count(problem) as problems,
	   count(distinct recorded_nodes) > 4 as used
from routing.simulate('standard', 0, t.at('random'));
select count(*) filter (where changed) > 5 as changed from routing.simulate('standard', 1, t.at('random'));
select count(*) filter (where not r.same) as others, count(*) > 300 as many from routing.decision d, routing.replay(d.decision_id) r;
select * from routing.verify();
call t.reset();
delete from routing.capacity;
