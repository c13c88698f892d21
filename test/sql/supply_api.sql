-- supply as the ERP tells it by calls; receipts, counts, lots; plain SQL by a role that may
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
set client_min_messages = warning;
do $$
begin
	if exists (select from pg_roles where rolname = 'regress_routing_stock') then
		drop owned by regress_routing_stock;
		drop role regress_routing_stock;
	end if;
end
$$;
reset client_min_messages;
create view t.s as
	select item, node, ref, lot, t.rel(available_on) as day, quantity, expires_on, kind, status
	from routing.supply order by tenant_id, item, node, ref, lot;
create view t.m as
	select reference, kind, item, node, lot, quantity, ref from routing.stock_movement order by recorded_at, reference;
\set ECHO all

-- put_supply: insert, the same again, another content; inbound of 0 goes, on hand of 0 stays
select routing.put_supply('A', 'CHI', 10), routing.put_supply('A', 'CHI', 5, t.day(3), 'PO1');
select routing.put_supply('A', 'CHI', 10), routing.put_supply('A', 'CHI', 5.0, t.day(3), 'PO1');
select routing.put_supply('A', 'CHI', 12, lot => null), routing.put_supply('A', 'CHI', 6, t.day(4), 'PO1', kind => 'production', status => 'unconfirmed');
table t.s;
select t.atp('A', 'CHI', 0, 6, 7) as "12 12 18";
select routing.put_supply('A', 'CHI', 0), routing.put_supply('A', 'CHI', 0, t.day(4), 'PO1'), routing.put_supply('A', 'CHI', 0, t.day(4), 'PO1');
table t.s; select * from routing.verify();
-- wrong
select t.try($$select routing.put_supply('X', 'CHI', 1)$$);
select t.try($$select routing.put_supply('A', 'X', 1)$$);
select t.try($$select routing.put_supply('A', null, 1)$$);
select t.try($$select routing.put_supply('A', 'CHI', null)$$);
select t.try($$select routing.put_supply('A', 'CHI', 'NaN')$$);
select t.try($$select routing.put_supply('A', 'CHI', 1.00001)$$);
select t.try($$select routing.put_supply('A', 'CHI', -1e12)$$);
select t.try($$select routing.put_supply('A', 'CHI', -1, '2030-01-01', 'PO1')$$);
select t.try($$select routing.put_supply('A', 'CHI', 1, '2030-01-01')$$);
select t.try($$select routing.put_supply('A', 'CHI', 1, 'infinity', 'PO1')$$);
select t.try($$select routing.put_supply('A', 'CHI', 1, '2030-01-01', 'PO1', kind => 'gift')$$);
table t.s;
call t.reset();

-- adjust_on_hand: once per reference
select routing.adjust_on_hand('A', 'CHI', 10, 'r1') as "10", routing.adjust_on_hand('A', 'CHI', -2.5, 'r2', 'breakage') as "7.5";
select routing.adjust_on_hand('A', 'CHI', -2.5, 'r2', 'breakage') as "7.5";
begin; select routing.adjust_on_hand('A', 'CHI', 1, 'r3'); rollback;
select routing.adjust_on_hand('A', 'CHI', 2, 'r3', lot => 'L1') as "2";
select t.try($$select routing.adjust_on_hand('A', 'CHI', -2, 'r2')$$);
select t.try($$select routing.adjust_on_hand('A', 'DAL', -2.5, 'r2')$$);
select t.try($$select routing.adjust_on_hand('A', 'CHI', -2.5, 'r2', lot => 'L1')$$);
select t.try($$select routing.adjust_on_hand('A', 'CHI', 1, '')$$);
select t.try($$select routing.adjust_on_hand('A', 'CHI', 1, null)$$);
select t.try($$select routing.adjust_on_hand('A', 'CHI', 'infinity', 'r4')$$);
select t.try($$select routing.adjust_on_hand('A', 'CHI', 1, 'r4', moved_at => 'infinity')$$);
table t.s; table t.m; select * from routing.verify();
-- below 0: kept and shown, offers nothing, one exception that is resolved when it is 0 again
select routing.adjust_on_hand('A', 'CHI', -2, 'r5', lot => 'L1'), routing.adjust_on_hand('A', 'CHI', -10, 'r6');
select on_hand, promised, inbound, atp from routing.availability where item = 'A' and node = 'CHI';
select routing.adjust_on_hand('A', 'CHI', -1, 'r7'), routing.put_supply('A', 'CHI', 9, t.day(2), 'PO2');
select t.atp('A', 'CHI', 0, 2) as "0 5.5";
select type, item, node, facts, state from routing.exception;
select routing.adjust_on_hand('A', 'CHI', 3.5, 'r8');
select type, item, node, facts, state from routing.exception; select * from routing.verify();
call t.reset(); delete from routing.exception; delete from routing.stock_movement;

-- receive: inbound down and on hand up in one step; nobody is hit
select routing.put_supply('A', 'CHI', 10, t.day(3), 'PO1');
call t.ord('O', 6, 'A 9');
select routing.receive('PO1', 4, 'g1') as "4", routing.receive('PO1', 4, 'g1') as "4";
table t.s; table t.r; select t.atp('A', 'CHI', 0, 3) as "1 1";
-- ordered 10, 5 % more is accepted: 4 + 6.5 is all of it
select t.try($$select routing.receive('PO1', 6.6, 'g2')$$);
select routing.receive('PO1', 6.5, 'g2') as "10.5";
table t.s; table t.r; table t.x; table t.m; select * from routing.verify();
-- closed is not unknown; repeated is neither
select t.try($$select routing.receive('PO1', 1, 'g3')$$);
select t.try($$select routing.receive('PO9', 1, 'g3')$$);
select routing.receive('PO1', 6.5, 'g2') as "10.5";
select t.try($$select routing.receive('PO1', 6, 'g2')$$);
select t.try($$select routing.receive('PO2', 6.5, 'g2')$$);
select t.try($$select routing.adjust_on_hand('A', 'CHI', 6.5, 'g2')$$);
select t.try($$select routing.receive('PO1', 0, 'g4')$$);
select t.try($$select routing.receive('PO1', null, 'g4')$$);
select t.try($$select routing.receive(null, 1, 'g4')$$);
select t.try($$select routing.receive('PO1', 1, 'g4', item => 'X', node => 'CHI')$$);
select t.try($$select routing.receive('PO1', 1, 'g4', expires_on => '2030-01-01')$$);
-- another tolerance
update routing.setting set receipt_tolerance = 0;
select routing.put_supply('A', 'CHI', 2, t.day(3), 'PO3');
select t.try($$select routing.receive('PO3', 2.0001, 'g5')$$);
select routing.receive('PO3', 2, 'g5') as "12.5";
update routing.setting set receipt_tolerance = default;
-- one ref for several
select routing.put_supply('A', 'CHI', 2, t.day(3), 'PO4'), routing.put_supply('A', 'DAL', 2, t.day(3), 'PO4'), routing.put_supply('B', 'DAL', 2, t.day(3), 'PO4');
select t.try($$select routing.receive('PO4', 1, 'g6')$$);
select t.try($$select routing.receive('PO4', 1, 'g6', node => 'DAL')$$);
select t.try($$select routing.receive('PO4', 1, 'g6', node => 'NYC')$$);
select routing.receive('PO4', 1, 'g6', node => 'CHI') as "13.5", routing.receive('PO4', 2, 'g7', node => 'DAL', item => 'B') as "2";
table t.s;
select t.try($$select routing.receive('PO4', 2, 'g8', node => 'DAL', item => 'B')$$);
select * from routing.verify();
-- the two halves by plain SQL, in either order, come to the same as receive()
select routing.put_supply('C', 'CHI', 5, t.day(2), 'PC1'), routing.put_supply('C', 'DAL', 5, t.day(2), 'PC2');
call t.ord('P', 6, 'C 5 CHI, C 5 DAL');
begin; update routing.supply set quantity = 0 where ref = 'PC1'; call t.stock('C', 'CHI', 5); commit;
begin; call t.stock('C', 'DAL', 5); delete from routing.supply where ref = 'PC2'; commit;
select "order", line, quantity, node, needed, state from t.r where "order" = 'P'; table t.x; select * from routing.verify();
call t.reset(); delete from routing.stock_movement;

-- lots: the inbound row of the lot goes first, then that without; a lot has one expiry
select routing.put_supply('A', 'CHI', 4, t.day(2), 'PO1'), routing.put_supply('A', 'CHI', 3, t.day(2), 'PO1', 'L1', '2040-03-31');
select routing.receive('PO1', 5, 'h1', 'L1') as "5";
table t.s;
select routing.receive('PO1', 2, 'h2', 'L2', '2040-03-01') as "2";
table t.s;
begin; select routing.put_supply('A', 'DAL', 1, lot => 'L1', expires_on => '2040-04-01'); commit;
\echo :LAST_ERROR_SQLSTATE
begin; insert into routing.supply (item, node, ref, lot, quantity, expires_on) values ('A', 'CHI', 'x', 'L2', 1, '2040-03-02'); commit;
\echo :LAST_ERROR_SQLSTATE
begin; update routing.supply set expires_on = '2040-01-30' where lot = 'L1'; commit;
select routing.put_supply('A', 'DAL', 1, lot => 'L1', expires_on => '2040-01-30'), routing.put_supply('B', 'DAL', 1, lot => 'L1', expires_on => '2040-01-31');
begin; update routing.supply set expires_on = '2040-02-10' where lot = 'L1' and item = 'A' and node = 'CHI'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; update routing.supply set expires_on = '2040-02-10' where lot = 'L1' and item = 'A' and node = 'CHI';
update routing.supply set expires_on = '2040-02-10' where lot = 'L1' and item = 'A' and node = 'DAL'; commit;
-- what differs for a moment only is nobody's business
begin; update routing.supply set expires_on = '2040-02-11' where lot = 'L1' and node = 'CHI'; update routing.supply set expires_on = '2040-02-10' where lot = 'L1' and node = 'CHI'; commit;
-- stock without a lot may come with several; a receipt takes over what is known of its lot
select routing.put_supply('A', 'NYC', 1, t.day(2), 'PO5'); select routing.receive('PO5', 1, 'h3', 'L1') as "1";
table t.s; select * from routing.verify();
call t.reset(); delete from routing.stock_movement;

-- counts: what moved after the count is added, an older count changes nothing
select routing.adjust_on_hand('A', 'CHI', 10, 'i1', moved_at => now() - interval '5 hours');
select routing.adjust_on_hand('A', 'CHI', -3, 'i2', moved_at => now() - interval '3 hours');
select routing.put_snapshot('A', 'CHI', 9, now() - interval '4 hours') as "6";
select routing.put_snapshot('A', 'CHI', 5, now() - interval '2 hours', 'count-1') as "5";
select routing.put_snapshot('A', 'CHI', 50, now() - interval '150 minutes') as "5";
select routing.adjust_on_hand('A', 'CHI', 1, 'i3', moved_at => now() - interval '150 minutes') as "6";
select routing.adjust_on_hand('A', 'CHI', 2, 'i4', moved_at => now() - interval '1 hour') as "8";
select routing.put_snapshot('A', 'CHI', 5, now() - interval '2 hours', 'count-1') as "8";
select routing.put_snapshot('A', 'CHI', 7, now() - interval '90 minutes', 'count-2') as "9";
select t.try($$select routing.put_snapshot('A', 'CHI', 7.5, now(), 'count-2')$$);
select t.try($$select routing.put_snapshot('A', 'CHI', 7.5, 'infinity')$$);
select t.try($$select routing.put_snapshot('A', 'CHI', null, now())$$);
select t.try($$select routing.put_snapshot('A', 'CHI', 7, null)$$);
table t.s;
-- many items at once; complete: what is not named is gone
select routing.put_supply('B', 'CHI', 4), routing.put_supply('C', 'CHI', 4, lot => 'L9'), routing.put_supply('C', 'CHI', 4, t.day(5), 'PO7'), routing.put_supply('D', 'DAL', 4);
select routing.put_snapshot('CHI', now() - interval '30 minutes', '[{"item": "A", "quantity": 9}, {"item": "B", "quantity": "3.5"}, {"item": "D", "quantity": 0}, {"item": "D", "lot": "L8", "quantity": 1, "expires_on": "2040-01-01"}]') as "2";
table t.s;
select routing.put_snapshot('CHI', now(), '[{"item": "A", "quantity": 9}]', true) as "3";
table t.s; select * from routing.verify();
select t.try($$select routing.put_snapshot('CHI', now(), '{}')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[1]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"item": "A"}]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"quantity": 1}]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"item": "A", "quantity": "NaN"}]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"item": "A", "quantity": 0.00001}]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"item": "A", "quantity": 1, "qty": 1}]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"item": "A", "quantity": 1, "lot": 1}]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"item": "A", "quantity": 1, "expires_on": "soon"}]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"item": "X", "quantity": 1}]')$$);
select t.try($$select routing.put_snapshot('X', now(), '[{"item": "A", "quantity": 1}]')$$);
select t.try($$select routing.put_snapshot('CHI', now(), '[{"item": "A", "quantity": 1}, {"item": "A", "quantity": 1, "lot": ""}]')$$);
table t.s;
call t.reset(); delete from routing.stock_movement;

-- dedicated supply stays dedicated when it comes
select routing.put_supply('A', 'CHI', 4, t.day(2), 'PO1', order_id => 'SO-9', line_no => 2);
select routing.receive('PO1', 3, 'k1') as "3";
select ref, t.rel(available_on) as day, quantity, order_id, line_no from routing.supply order by 1; select t.atp('A', 'CHI', 0) as "0";
call t.reset(); delete from routing.stock_movement;

-- plain SQL and the calls, by a role that may; COPY goes through the view
create role regress_routing_stock;
select routing.grant_access('regress_routing_stock', 'write');
grant usage on schema t to regress_routing_stock; grant execute on all functions in schema t to regress_routing_stock;
set role regress_routing_stock;
insert into routing.supply (item, node, quantity) values ('A', 'CHI', 3), ('B', 'CHI', 4);
update routing.supply set quantity = 5 where item = 'B';
merge into routing.supply s using (values ('A', 'CHI', 1), ('B', 'CHI', null), ('C', 'CHI', 7)) v (item, node, quantity)
	on s.item = v.item and s.node = v.node
when matched and v.quantity is null then delete
when matched then update set quantity = s.quantity + v.quantity
when not matched then insert (item, node, quantity) values (v.item, v.node, v.quantity);
copy routing.supply_load (item, node, quantity, available_on, ref) from stdin (format csv);
D,CHI,3,,
D,DAL,4,2030-01-01,PO8
\.
copy routing.supply_load (item, node, quantity) from stdin (format csv);
D,CHI,NaN
\.
-- without data of its own: what a psql makes of those after an error is not the same in all minor versions
\copy routing.supply (item, node, quantity) from /dev/null (format csv)
\echo :LAST_ERROR_SQLSTATE
delete from routing.supply where item = 'C';
select item, node, quantity, available_on, ref, kind, status from routing.supply_load order by 1, 2;
select item, node, on_hand, inbound, atp from routing.availability where (on_hand, inbound) <> (0, 0) order by 1, 2;
select routing.adjust_on_hand('A', 'CHI', 1, 'n1'), routing.put_supply('B', 'CHI', 1), routing.receive('PO8', 4, 'n2'), routing.put_snapshot('A', 'CHI', 2, now());
insert into routing.demand (ref, item, node, quantity, needed_on) values ('P1', 'D', 'DAL', 3, t.day(1));
update routing.demand set quantity = 1; select quantity, state from routing.reservation where "to" is null;
delete from routing.demand; select quantity, state from routing.reservation where "to" is null;
select t.try($$insert into routing.demand (ref, item, node, quantity, needed_on, shipped) values ('P1', 'D', 'DAL', 3, t.day(1), 1)$$);
select t.try($$update routing.supply set source_key = 'x'$$);
select t.try($$insert into routing.stock_movement (reference, kind, item, node, quantity) values ('n3', 'issue', 'A', 'CHI', 1)$$);
select t.try($$select routing.add_on_hand(1, 'A', 'CHI', '', 1)$$);
reset role;
select * from routing.verify();
drop owned by regress_routing_stock; drop role regress_routing_stock;
