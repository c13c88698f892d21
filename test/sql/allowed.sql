-- who loses supply, and what may serve instead, by the rules about nodes
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
create view t.s as select order_id as "order", line_no as line, item, node, quantity, basis, state from routing.reservation where "to" is null order by 1, 2, 4;
create function t.imp(ref text, quantity numeric) returns table ("order" text, quantity numeric, repair text) language sql stable as $$
	select i.order_id, i.quantity, i.repair from routing.impact(ref, null, quantity) i order by 1 $$;

/*
 * Of 4 that CHI expects 2 will come.  N came last; but DAL, which has some, may
 * not serve it, and may serve M.
 */
insert into routing.restriction (restriction, item, customer_group, node) values ('no-dal', 'A', 'dry', 'DAL');
update routing.customer set customer_group = 'dry' where customer = 'LAST'; update routing.customer set priority = 5 where customer = 'LAST';
call t.stock('A', 'CHI', 4, 3, 'PO1');
call t.ord('M', 8, 'A 2'); call t.ord('N', 8, 'A 2', 'LAST');
call t.stock('A', 'DAL', 2);
select * from t.imp('PO1', 2);
update routing.supply set quantity = 2 where ref = 'PO1'; table t.s; table t.o;
select * from routing.verify();
-- without the restriction it is N
call t.reset(); delete from routing.restriction;
call t.stock('A', 'CHI', 4, 3, 'PO1');
call t.ord('M', 8, 'A 2'); call t.ord('N', 8, 'A 2', 'LAST');
call t.stock('A', 'DAL', 2);
select * from t.imp('PO1', 2);
update routing.supply set quantity = 2 where ref = 'PO1'; table t.s; table t.o;
-- a channel that DAL does not serve; a service that may not carry it
call t.reset(); update routing.node set channels = '{web}' where node = 'DAL';
call t.stock('A', 'CHI', 4, 3, 'PO1');
begin; call t.ord('M', 8, 'A 2'); update routing.sales_order set channel = 'web'; commit;
call t.ord('N', 8, 'A 2');
call t.stock('A', 'DAL', 2); select * from t.imp('PO1', 2);
update routing.node set channels = null; insert into routing.restriction (restriction, item, service, node) values ('no-dal', 'A', 'ground', 'DAL');
select * from t.imp('PO1', 2);
delete from routing.restriction; select * from t.imp('PO1', 2);
select * from routing.verify();

-- supply of an order's own where nothing may serve it is left; other lines may have theirs there
call t.reset(); insert into routing.restriction (restriction, item, node) values ('no-a', 'A', 'NYC');
insert into routing.supply (item, node, quantity, kind, ref, order_id) values ('A', 'NYC', 5, 'on_hand', 'OWN', 'D1'), ('B', 'NYC', 5, 'on_hand', 'OWN', 'D1');
call t.stock('A', 'CHI', 9);
call t.ord('D1', null, 'A 2, B 2'); table t.s; select * from routing.verify();
-- until it may
delete from routing.restriction; update routing.sales_order_line set quantity = 3 where line_no = 1; table t.s; select * from routing.verify();
-- who is planned anew when it may not does without
insert into routing.restriction (restriction, item, node) values ('no-a', 'A', 'NYC'), ('no-b', 'B', 'NYC');
update routing.sales_order set requested_on = t.day(9); table t.s; select * from routing.verify();
-- by another service
call t.reset(); delete from routing.restriction; insert into routing.restriction (restriction, service) values ('no-ground', 'ground');
insert into routing.supply (item, node, quantity, kind, ref, order_id) values ('A', 'NYC', 5, 'on_hand', 'OWN', 'D2'), ('A', 'CHI', 5, 'on_hand', 'OWN', 'D2');
call t.ord('D2', null, 'A 7'); select node, service, quantity from routing.reservation where "to" is null; select * from routing.verify();
-- a soft rule does not keep an order from its own supply, a hard one does
call t.reset(); delete from routing.restriction;
insert into routing.policy (policy, version, state, definition) values ('standard', 1, 'active', '{"nodes": {"list": ["CHI"], "only": true}}');
insert into routing.supply (item, node, quantity, kind, ref, order_id) values ('A', 'NYC', 5, 'on_hand', 'OWN3', 'D3'), ('A', 'NYC', 5, 'on_hand', 'OWN4', 'D4');
call t.ord('D3', null, 'A 2'); table t.s;
delete from routing.policy; insert into routing.policy (policy, version, state, definition) values ('standard', 1, 'active', '{"nodes": {"list": ["CHI"], "only": true}, "soft": ["nodes"]}');
call t.ord('D4', null, 'A 2'); table t.s; select * from routing.verify();
delete from routing.policy;

-- an order that waits for late inbound is not planned anew for what may not serve it, and told of
call t.reset(); insert into routing.restriction (restriction, item, node) values ('no-a', 'A', 'DAL'); delete from routing.lane where service = 'air';
call t.stock('A', 'CHI', 5, 9, 'PO2'); call t.ord('L1', 3, 'A 2'); table t.s;
call t.stock('A', 'DAL', 5); select routing.run_jobs(); table t.s; select count(*) from routing.decision where order_id = 'L1';
-- by what may, it is
delete from routing.restriction; call t.stock('A', 'DAL', 1, 1); table t.s; select count(*) from routing.decision where order_id = 'L1';
select * from routing.verify();
