-- policies tried on what has happened
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\set past :abs_srcdir '/sql/past.psql'
\i :common
\i :past
\set ECHO all
-- in short
create function t.sim(version int, start text default 'start', finish text default null, policy text default 'standard')
	returns table (ord text, changed boolean, problem text, shipments text, cost text, late text, nodes text, promised text, backordered text)
	language sql stable as $$
	select order_id, changed, problem, format('%s > %s', recorded_shipments, simulated_shipments),
		   format('%s > %s', recorded_cost, simulated_cost), format('%s > %s', recorded_days_late, simulated_days_late),
		   format('%s > %s', recorded_nodes, simulated_nodes),
		   format('%s > %s', t.rel(recorded_promised_on), t.rel(simulated_promised_on)),
		   format('%s > %s', recorded_backordered, simulated_backordered)
	from routing.simulate(policy, version, t.at(start), coalesce(t.at(finish), clock_timestamp() - interval '1 us')) order by order_id
$$;
create procedure t.drafts() language sql begin atomic
	insert into routing.policy (policy, version, definition) values
		('standard', 1, '{"split_penalty": 0}'), ('standard', 2, '{"max_shipments": 1}');
end;
call t.drafts();

/*
 * CHI costs 2 + 9 + 0.2/kg, DAL 2 + 11 + 0.3/kg.  Before the start E1 takes 2
 * of 6 at CHI.  O1 wants 3 of A: CHI, 11.6.  O2 wants 6: CHI has one left;
 * DAL alone is 14.8.  O3 wants 20 in 5 days: DAL has 14 left, CHI 1 and 10 on
 * day 2.
 */
call t.stock('A', 'CHI', 6);
call t.stock('A', 'DAL', 20);
call t.ord('E1', 5, 'A 2');
call t.mark('start');
call t.ord('O1', 5, 'A 3');
call t.ord('O2', 5, 'A 6');
call t.mark('receipt');
call t.stock('A', 'CHI', 10, 2, 'PO1');
call t.ord('O3', 5, 'A 20');
call t.mark('end');
select order_id, cost from routing.decision order by decision_id;
-- the policy that was in effect: all as it was
select * from t.sim(0);
-- one shipment at the most: O3 gets the 14 of DAL only
select * from t.sim(2);
-- another start, another end
select * from t.sim(2, 'receipt');
select * from t.sim(2, 'start', 'receipt');
-- nothing of it is written
select count(*) from routing.decision;
select pg_current_xact_id_if_assigned() is null as no_xid from t.sim(2) limit 1;
select * from routing.simulate_summary('standard', 2, t.at('start'));
select * from routing.compare('standard', array[0, 2], t.at('start')) where metric !~ 'node';
select * from routing.compare('standard', array[2, 0], t.at('start')) where metric = 'node units' order by node, version;

-- what was cancelled gives back where the simulation has it; what grows is planned on
select routing.cancel_order('O2');
update routing.sales_order_line set quantity = 7 where order_id = 'O1';
call t.ord('O4', 5, 'A 4');
select * from t.sim(0);
select * from t.sim(2);

-- goods that left are not there twice: stock fell where they left from, and is there again for who has them elsewhere
call t.mark('ship');
update routing.node set stock_feed = false;
select routing.confirm_ship('O4');
call t.ord('O5', 5, 'A 2');
select * from t.sim(0, 'ship');
select * from t.sim(0);
update routing.node set stock_feed = true;

-- holds and other demand are as they were; safety stock changes when it did
call t.reset();
call t.drafts();
call t.stock('B', 'CHI', 10);
call t.mark('held');
select routing.put_demand('W1', 'B', 'CHI', 3, t.day(0)) is not null as ok;
create table t.hold as select routing.hold(jsonb_build_object('customer', 'C1', 'ship_to', jsonb_build_object('country', 'US', 'postal_code', '60614'),
	'lines', jsonb_build_array(jsonb_build_object('line_no', 1, 'item', 'B', 'quantity', '4'))), interval '1 hour') as id;
call t.ord('B1', null, 'B 3');
select routing.cancel_hold(id) from t.hold;
insert into routing.item_node (item, node, safety_stock) values ('B', 'CHI', 2);
call t.ord('B2', null, 'B 3');
delete from routing.item_node;
call t.ord('B3', null, 'B 2');
select * from t.sim(0, 'held');

-- a hold that became an order; supply of its own
call t.mark('own');
update t.hold set id = routing.hold(jsonb_build_object('customer', 'C1', 'ship_to', jsonb_build_object('country', 'US', 'postal_code', '60614'),
	'lines', jsonb_build_array(jsonb_build_object('line_no', 1, 'item', 'C', 'quantity', '4'))), interval '1 hour')
where routing.put_supply('C', 'CHI', 6) is not null;
select routing.confirm_hold(id) is not null as ok from t.hold;
begin;
call t.ord('D1', null, 'C 5');
insert into routing.supply (item, node, ref, quantity, order_id) values ('C', 'DAL', 'OWN', 3, 'D1');
commit;
call t.ord('D2', null, 'C 1');
select regexp_replace(ord, '^H\d+$', 'confirmed') as ord, changed, problem, shipments, nodes, backordered from t.sim(0, 'own') order by ord;

-- an order whose customer is gone keeps what it had; the zone is that of the decision
call t.mark('gone');
insert into routing.customer (customer) values ('GONE');
call t.stock('D', 'CHI', 3);
call t.ord('G1', null, 'D 2', 'GONE');
call t.ord('G2', null, 'D 2');
delete from routing.customer where customer = 'GONE';
delete from routing.zone_area where postal_prefix = '60';
select ord, changed, problem, nodes, backordered from t.sim(0, 'gone');
insert into routing.zone_area (country, postal_prefix, zone) values ('US', '60', 'MW');
-- what is not waited for is not waited for here
call t.mark('rest');
insert into routing.policy (policy, version, state, definition, approved_at, activated_at, effective_at)
values ('strict', 1, 'active', '{"rest": "cancel"}', now(), now(), now());
begin;
call t.ord('K1', null, 'D 4');
update routing.sales_order set policy = 'strict' where order_id = 'K1';
commit;
call t.stock('D', 'DAL', 9);
update routing.sales_order_line set quantity = 5 where order_id = 'K1';
select ord, changed, problem, nodes, backordered from t.sim(1, 'rest', policy => 'strict');
select ord, changed, problem, nodes, backordered from t.sim(0, 'rest');

-- bad input
select t.try($$select count(*) from routing.simulate('nope', 1, now() - interval '1 day')$$);
select t.try($$select count(*) from routing.simulate('standard', 9, now() - interval '1 day')$$);
select t.try($$select count(*) from routing.simulate(null, 1, now() - interval '1 day')$$);
select t.try($$select count(*) from routing.simulate('standard', null, now() - interval '1 day')$$);
select t.try($$select count(*) from routing.simulate('standard', 0, null)$$);
select t.try($$select count(*) from routing.simulate('standard', 0, '-infinity')$$);
select t.try($$select count(*) from routing.simulate('standard', 0, '2020-01-02 00:00Z', '2020-01-01 00:00Z')$$);
select t.try($$select count(*) from routing.simulate('standard', 0, '2020-01-02 00:00Z', '2999-01-01 00:00Z')$$);
select t.try($$select count(*) from routing.compare('standard', '{}', now() - interval '1 day')$$);
select t.try($$select count(*) from routing.compare('standard', null, now() - interval '1 day')$$);
select t.try($$select count(*) from routing.compare('standard', array[0, 0], now() - interval '1 day')$$);
select t.try($$select count(*) from routing.compare('standard', array[0, 7], now() - interval '1 day')$$);
select t.try($$select count(*) from routing.simulate('standard', 0, '2020-01-02 00:00Z', '2020-01-03 00:00Z')$$);
-- history that was forgotten
select routing.purge_history('2020-01-02 00:00Z') >= 0 as ok;
select t.try($$select count(*) from routing.simulate('standard', 0, '2020-01-01 00:00Z', '2020-01-03 00:00Z')$$);
select t.try($$select count(*) from routing.simulate('standard', 0, '2020-01-02 00:00Z', '2020-01-03 00:00Z')$$);

-- as a gate: an error if a draft splits more, or costs more by a tenth
create procedure t.gate(policy text, was int, becomes int, start timestamptz) language plpgsql as $$
declare
	r	record;
begin
	for r in select * from routing.compare(policy, array[was, becomes], start)
			 where version = becomes and metric in ('split share %', 'cost') and percent > 10
	loop
		raise exception 'version % raises % by % percent', becomes, r.metric, r.percent;
	end loop;
end
$$;
call t.gate('standard', 0, 1, t.at('held'));
call t.stock('A', 'DAL', 5);
call t.stock('A', 'NYC', 5);
call t.mark('gate');
call t.ord('B5', 5, 'A 6');
call t.gate('standard', 0, 2, t.at('gate'));
call t.gate('standard', 0, 1, t.at('gate'));

/*
 * Whatever happens one after the other, the policy that was in effect gives
 * what was decided: orders, receipts, purchases, cancellations, other
 * quantities, queues of who waits.
 */
call t.reset();
call t.drafts();
create procedure t.random_days(n int) language plpgsql as $$
declare
	r	float8;
	it	text;
	nd	text;
begin
	perform setseed(0.25);
	for i in 1 .. n loop
		r := random();
		it := (array['A', 'B', 'C', 'D'])[1 + floor(random() * 4)];
		nd := (array['CHI', 'DAL', 'NYC'])[1 + floor(random() * 3)];
		if r < 0.6 then
			call t.ord('R' || i, case when random() < 0.7 then floor(random() * 8)::int end,
				it || ' ' || 1 + floor(random() * 9) || case when random() < 0.5 then ', ' || (array['A', 'B', 'C', 'D'])[1 + floor(random() * 4)] || ' ' || 1 + floor(random() * 9) else '' end,
				(array['C1', 'GOLD', 'LAST'])[1 + floor(random() * 3)]);
		elsif r < 0.78 then
			insert into routing.supply (item, node, quantity) values (it, nd, 5 + floor(random() * 20))
			on conflict (tenant_id, item, node, ref, lot) do update set quantity = routing.supply.quantity + 5;
		elsif r < 0.86 then
			insert into routing.supply (item, node, quantity, available_on, ref, kind)
			values (it, nd, 5 + floor(random() * 20), t.day(1 + floor(random() * 6)::int), 'PO' || i, 'purchase');
		elsif r < 0.93 then
			call t.cancel_some(i);
		else
			call t.change_some(i);
		end if;
		commit;
	end loop;
end
$$;
call t.mark('random');
call t.random_days(250);
select count(*) > 100 as many, count(*) filter (where changed) as changed, count(*) filter (where simulated_backordered > 0) > 10 as some_wait,
	   count(*) filter (where simulated_shipments > 1) > 3 as some_split
from routing.simulate('standard', 0, t.at('random'));
-- another policy gives other plans, but the same orders
select count(*) filter (where changed) > 5 as changed, count(*) = (select count(*) from routing.simulate('standard', 0, t.at('random'))) as all
from routing.simulate('standard', 2, t.at('random'));
select * from routing.verify();

/*
 * Kits and substitutes.  K is 2 A and 1 B; 2 C stand in for one D.  K1 takes
 * 4 A and 2 B of CHI.  K2 wants 3: one is left at CHI, two are at DAL.  A1
 * gets the last A.  With one shipment at the most K2 leaves 3 A at CHI.
 */
call t.reset();
call t.drafts();
insert into routing.item (item) values ('K');
insert into routing.item_component (item, component, quantity) values ('K', 'A', 2), ('K', 'B', 1);
insert into routing.item_substitute (item, substitute, ratio, penalty, needs_consent) values ('D', 'C', 2, 1.5, false);
update routing.customer set substitutes = 'allowed';
call t.stock('A', 'CHI', 7); call t.stock('B', 'CHI', 10); call t.stock('A', 'DAL', 4); call t.stock('B', 'DAL', 5);
call t.stock('D', 'CHI', 3); call t.stock('C', 'CHI', 10);
call t.mark('kits');
call t.ord('K1', 5, 'K 2');
call t.ord('K2', 5, 'K 3');
call t.ord('A1', 5, 'A 3');
-- 3 D and 4 C; of C 6 are left
call t.ord('D1', 5, 'D 5');
call t.ord('D2', 5, 'C 7');
select * from t.sim(0, 'kits');
select * from t.sim(2, 'kits');
select * from routing.compare('standard', array[0, 2], t.at('kits')) where metric = 'node units';
-- 2 of 5 A go to A1; a kit and an A share the others
call t.stock('B', 'NYC', 5); call t.stock('A', 'NYC', 5);
call t.ord('S1', 5, 'K 1, A 1');
call t.ord('S2', 5, 'K 1');
-- less of K1 is a kit for S2, less of D1 a C for D2
update routing.sales_order_line set quantity = 1 where order_id = 'K1';
update routing.sales_order_line set quantity = 4 where order_id = 'D1';
call t.mark('later');
-- more of K1 waits for A; B is short, so that K2 gives back A, too
update routing.sales_order_line set quantity = 2 where order_id = 'K1';
update routing.supply set quantity = 1 where item = 'B' and node = 'DAL';
select ord, changed, problem, shipments, nodes, backordered from t.sim(0, 'kits');
select ord, changed, problem, shipments, nodes, backordered from t.sim(0, 'later');
-- a quote of kits becomes an order
update routing.supply set quantity = 30 where item in ('A', 'B') and node = 'NYC';
call t.mark('quote');
update t.hold set id = routing.hold(jsonb_build_object('customer', 'C1', 'ship_to', jsonb_build_object('country', 'US', 'postal_code', '60614'),
	'lines', jsonb_build_array(jsonb_build_object('line_no', 1, 'item', 'K', 'quantity', '4'))), interval '1 hour');
select routing.confirm_hold(id) is not null as ok from t.hold;
call t.ord('K3', 5, 'K 1');
select regexp_replace(ord, '^H\d+$', 'confirmed') as ord, changed, problem, shipments, nodes, backordered from t.sim(0, 'quote') order by ord;
select * from routing.verify();
