-- what a policy decided, decided again
\set ECHO none
\i test/sql/common.psql
\set ECHO all
create procedure t.activate(v int, definition jsonb) language sql begin atomic
	update routing.policy set state = 'retired' where policy = 'standard' and state = 'active';
	insert into routing.policy (policy, version, state, definition, approved_at, activated_at, effective_at)
	values ('standard', v, 'active', definition, now(), now(), now());
end;
-- in short
create function t.rec(v int, apply boolean default false, max_orders int default 100, since timestamptz default now() - interval '1 day', until timestamptz default null)
	returns table (ord text, prio int, changed boolean, problem text, nodes text, shipments text, promised text, cost text, backordered text, applied boolean)
	language sql volatile as $$
	select order_id, priority, changed, problem, format('%s > %s', old_nodes, new_nodes), format('%s > %s', old_shipments, new_shipments),
		   format('%s > %s', t.rel(old_promised_on), t.rel(new_promised_on)), format('%s > %s', old_cost, new_cost),
		   format('%s > %s', old_backordered, new_backordered), applied
	from routing.recall('standard', v, since, coalesce(until, clock_timestamp()), apply, max_orders)
$$;
create view t.d as select order_id, policy_version, status from routing.decision where decision_id in (select decision_id from routing.sales_order) order by order_id;

/*
 * Version 1 dislikes to take much of what a node has.  CHI costs 2 + 9 +
 * 0.2/kg, NYC 2 + 12 + 0.3/kg.  Of A there are 10 at CHI and 40 at NYC: R1 to
 * R4 get 20 at NYC, R5 what is left everywhere, R6 waits.
 */
call t.activate(1, '{"stock_balance": 100}');
call t.stock('A', 'CHI', 10);
call t.stock('A', 'NYC', 40);
call t.stock('C', 'CHI', 1);
call t.ord('R0', 5, 'C 1');
call t.ord('R1', 5, 'A 4');
call t.ord('R2', 5, 'A 4', 'GOLD');
call t.ord('R3', 5, 'A 4');
call t.ord('R4', 5, 'A 8');
call t.ord('R5', 5, 'A 30, B 1');
call t.ord('R6', 5, 'A 1');
table t.r;
-- shipped, and cancelled
select routing.confirm_ship('R0');
call t.ord('R7', 5, 'A 1');
select routing.cancel_order('R7');
-- the version is in effect still: a look, but no more
select count(*), count(*) filter (where changed) as changed from t.rec(1);
select t.try($$select * from t.rec(1, true)$$);
call t.activate(2, '{}');
-- GOLD waits before all others, but gets nothing that they have
call t.ord('R8', 5, 'A 9', 'GOLD');
-- by priority, then age; what the version in effect decided is not among them
select * from t.rec(1);
table t.d;
select pg_current_xact_id_if_assigned() is null as no_xid from t.rec(1) limit 1;
-- some of them; the others; none is left
delete from routing.event;
select * from t.rec(1, true, 2);
select * from t.rec(1, true);
select * from t.rec(1, true);
table t.r;
table t.d;
select payload ->> 'order_id' as "order", type, payload ->> 'trigger' as trigger, payload ->> 'cause' as cause from routing.event order by seq;
select * from routing.verify();

-- within a time only
call t.activate(3, '{"split_penalty": 100}');
select ord from t.rec(2, since => now() - interval '1 day', until => now() - interval '1 hour');
select ord from t.rec(2, since => now() - interval '1 minute');
-- an order that cannot be routed today stays as it is, with the reason
delete from routing.zone_area where postal_prefix = '60';
select ord, changed, problem, applied from t.rec(2, true, 1);
insert into routing.zone_area (country, postal_prefix, zone) values ('US', '60', 'MW');
select count(*) from routing.recall('standard', 2, now() - interval '1 day', apply => true);
select * from routing.verify();

/*
 * Kits and substitutes: K is 2 A and 1 B, C stands in for D.  Version 4
 * dislikes to take much of what a node has, so the kits go from NYC; version 5
 * takes CHI, where the components are for two: K1 gets them, K2 stays.
 */
delete from routing.sales_order_line;
delete from routing.sales_order;
delete from routing.supply;
insert into routing.item (item) values ('K');
insert into routing.item_component (item, component, quantity) values ('K', 'A', 2), ('K', 'B', 1);
insert into routing.item_substitute (item, substitute, penalty, needs_consent) values ('D', 'C', 1, false);
update routing.customer set substitutes = 'allowed';
call t.activate(4, '{"stock_balance": 100}');
call t.stock('A', 'CHI', 5); call t.stock('B', 'CHI', 9); call t.stock('A', 'NYC', 40); call t.stock('B', 'NYC', 20);
call t.stock('C', 'CHI', 3); call t.stock('D', 'CHI', 1);
call t.ord('K1', 5, 'K 2');
call t.ord('K2', 5, 'K 2');
call t.ord('D1', 5, 'D 3');
call t.activate(5, '{}');
select ord, changed, problem, nodes, shipments, promised, backordered from t.rec(4);
select ord, changed, problem, nodes, applied from t.rec(4, true);
select order_id, for_item, item, node, quantity from routing.reservation where "to" is null order by order_id, node, item;
select * from routing.verify();

-- bad input
select t.try($$select * from routing.recall('nope', 1, '-infinity')$$);
select t.try($$select * from routing.recall('standard', 9, now() - interval '1 day')$$);
select t.try($$select * from routing.recall(null, 1, now() - interval '1 day')$$);
select t.try($$select * from routing.recall('standard', null, now() - interval '1 day')$$);
select t.try($$select * from routing.recall('standard', 1, '2020-01-02 00:00Z', '2020-01-01 00:00Z')$$);
select t.try($$select * from routing.recall('standard', 1, null, '2020-01-01 00:00Z')$$);
select t.try($$select * from routing.recall('standard', 1, '-infinity', max_orders => 0)$$);
select t.try($$select * from routing.recall('standard', 1, '-infinity', max_orders => null)$$);
begin read only;
select count(*) from routing.recall('standard', 1, '-infinity');
select t.try($$select * from routing.recall('standard', 1, '-infinity', apply => true)$$);
rollback;

-- rights: who reads may try a policy, who administers may recall one
create role regress_routing_recall_reader;
create role regress_routing_recall_admin;
select routing.grant_access('regress_routing_recall_reader', 'read'), routing.grant_access('regress_routing_recall_admin', 'admin');
grant usage on schema t to public;
set role regress_routing_recall_reader;
select count(*) > 0 as ok from routing.simulate('standard', 2, now() - interval '1 day', now());
select count(*) > 0 as ok from routing.simulate_summary('standard', 2, now() - interval '1 day', now());
select count(*) > 0 as ok from routing.compare('standard', array[1, 2], now() - interval '1 day', now());
select t.try($$select * from routing.recall('standard', 1, '-infinity')$$);
set role regress_routing_recall_admin;
select count(*) from routing.recall('standard', 1, '-infinity', apply => true);
reset role;
drop owned by regress_routing_recall_reader, regress_routing_recall_admin;
drop role regress_routing_recall_reader;
drop role regress_routing_recall_admin;
