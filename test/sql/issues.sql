-- goods issues: one unit leaves on hand and its booking, whichever is heard first
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\set ECHO none
\i :common
-- all bookings of an order, in the order in which they came to be
create view t.b as
	select order_id as "order", line_no as line, quantity, node, lot, state, "to" is null as open
	from routing.reservation order by tenant_id, order_id, line_no, node, state, part;
-- open ones and the shipped quantity per line
create view t.s as
	select l.order_id as "order", l.line_no as line, l.quantity, l.status, o.status as order_status,
		   (select coalesce(sum(r.quantity) filter (where r.state = 'firm'), 0) || ' firm, '
				|| coalesce(sum(r.quantity) filter (where r.state = 'issued'), 0) || ' issued, '
				|| coalesce(sum(r.quantity) filter (where r.state = 'at_risk'), 0) || ' at risk, '
				|| coalesce(sum(r.quantity) filter (where r.state = 'uncovered'), 0) || ' uncovered, '
				|| coalesce(sum(r.quantity) filter (where r.state = 'shipped'), 0) || ' shipped'
			from routing.reservation r where r.order_id = l.order_id and r.line_no = l.line_no
				 and (r."to" is null or r.state = 'shipped')) as bookings
	from routing.sales_order_line l join routing.sales_order o using (tenant_id, order_id)
	order by 1, 2;
-- what is remembered: fallen without an issue, issued without a fall
create view t.w as
	select item, node, trim_scale(coalesce(sum(q) filter (where q > 0), 0) / 10000) as fallen,
		   trim_scale(coalesce(sum(-q) filter (where q < 0), 0) / 10000) as expected
	from routing.position, unnest(falls) with ordinality u(q, k) where k % 2 = 0
	group by 1, 2 order by 1, 2;
create procedure t.again() language plpgsql as $$
begin
	call t.reset();
	delete from routing.stock_movement;
	commit;
	delete from routing.reservation;
	delete from routing.exception;
	delete from routing.issue_wait;
	delete from routing.deleted_order;
	delete from routing.claim;
	delete from routing.pending;
	delete from routing.position;
	delete from routing.event;
	commit;
end
$$;
update routing.setting set issue_grace = '30 minutes';
insert into routing.node (node, time_zone, rank, handling_cost, stock_feed) values ('OWN', 'UTC', 9, 50, false);
insert into routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg) values ('OWN', 'MW', 'ground', 1, 9, 0.2);
\set ECHO all

-- 1. issue first: the booking counts until on hand falls; ATP is 4 all the while
call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 6');
select t.atp('A', 'CHI', 0);
select routing.confirm_ship('S1');
table t.s; table t.w; select t.atp('A', 'CHI', 0); select * from routing.verify();
-- the fall is seen: both are gone in one settlement, the order is not touched
select count(*) as events from routing.event where aggregateid = 'S1' \gset
update routing.supply set quantity = 4 where item = 'A';
table t.s; table t.w; select t.atp('A', 'CHI', 0); table t.b; select * from routing.verify();
select count(*) - :events as new_events from routing.event where aggregateid = 'S1';
select type, payload from (select type, payload - 'shipped_at' - 'decision_id' as payload from routing.event where aggregateid = 'S1' order by seq desc limit 1) e;
-- nothing is booked any more, nothing can be given back
select t.try($$select routing.confirm_ship('S1')$$);
select t.try($$select routing.cancel_order('S1')$$);
select t.try($$update routing.sales_order set status = 'cancelled' where order_id = 'S1'$$);
call t.again();

-- 2. fall first: 6 of 10 leave, 4 left carry 6; ATP is 0, 2 are at risk, nothing is re-routed
call t.stock('A', 'CHI', 10);
call t.stock('A', 'DAL', 50);
call t.ord('S1', 3, 'A 6');
update routing.supply set quantity = 4 where node = 'CHI';
table t.s; table t.w; select t.atp('A', 'CHI', 0); table t.x; select * from routing.verify();
select routing.confirm_ship('S1', 1, 6);
table t.s; table t.w; select t.atp('A', 'CHI', 0); select * from routing.verify();
call t.again();

-- the issue belongs to another order than the one that was hit: that one is covered again
call t.stock('A', 'CHI', 10);
call t.ord('VIP', 3, 'A 6', 'GOLD');
call t.ord('LOW', 3, 'A 4', 'LAST');
update routing.supply set quantity = 4 where node = 'CHI';
table t.s;
select routing.confirm_ship('VIP');
table t.s; table t.w; table t.x; select * from routing.verify();
call t.again();

-- 3. in one transaction, in both orders
call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 6');
call t.ord('S2', 3, 'A 3');
begin;
select routing.confirm_ship('S1');
update routing.supply set quantity = quantity - 6 where item = 'A';
commit;
begin;
update routing.supply set quantity = quantity - 3 where item = 'A';
select routing.confirm_ship('S2');
commit;
table t.s; table t.w; select t.atp('A', 'CHI', 0); select * from routing.verify();
call t.again();

-- 4. partial quantities, several lines, several nodes
call t.stock('A', 'CHI', 5);
call t.stock('A', 'DAL', 20);
call t.stock('B', 'CHI', 8);
call t.ord('S1', 3, 'A 8, B 4, A 2 DAL');
table t.s;
select node, quantity from t.r where line = 1;
select t.try($$select routing.confirm_ship('S1', null, 3)$$);
select t.try($$select routing.confirm_ship('S1', 1, 9)$$);
select t.try($$select routing.confirm_ship('S1', 1, 6, 'CHI')$$);
select routing.confirm_ship('S1', 2, 1.5, 'CHI');
select routing.confirm_ship('S1', 2, 1, 'CHI');
table t.s; table t.w; select * from routing.verify();
-- falls less than is issued: the oldest issue first
update routing.supply set quantity = 6 where item = 'B';
table t.s; table t.w; select * from routing.verify();
-- the rest of the node, whichever line
select routing.confirm_ship('S1', node => 'DAL');
select routing.confirm_ship('S1');
table t.s; table t.w; select * from routing.verify();
update routing.supply set quantity = case when item = 'B' then 4 when node = 'CHI' then 0 else 15 end;
table t.s; table t.w; select t.atp('A', 'CHI', 0), t.atp('A', 'DAL', 0), t.atp('B', 'CHI', 0); select * from routing.verify();
select aggregateversion, type, payload ->> 'order_status' as status from routing.event where aggregateid = 'S1' order by seq;
call t.again();

-- 5. changes of an order that is shipped in part
call t.stock('A', 'CHI', 20);
call t.ord('S1', 3, 'A 10, B 1');
call t.stock('B', 'CHI', 1);
select count(*) from routing.route_order('S1');
select routing.confirm_ship('S1', 1, 4);
update routing.supply set quantity = 16 where item = 'A';
table t.s;
update routing.sales_order_line set quantity = 3 where order_id = 'S1' and line_no = 1;
update routing.sales_order_line set item = 'B' where order_id = 'S1' and line_no = 1;
update routing.sales_order_line set quantity = 12 where order_id = 'S1' and line_no = 1;
table t.s; select t.atp('A', 'CHI', 0); select * from routing.verify();
-- down to what is shipped: the line is done
update routing.sales_order_line set quantity = 4 where order_id = 'S1' and line_no = 1;
table t.s; select t.atp('A', 'CHI', 0); select * from routing.verify();
-- up again: the difference is planned; the day is moved: only that is planned anew
update routing.sales_order_line set quantity = 7 where order_id = 'S1' and line_no = 1;
update routing.sales_order set requested_on = t.day(6) where order_id = 'S1';
table t.s; table t.r; select * from routing.verify();
-- cancelling takes back the rest only
select routing.confirm_ship('S1', 2);
select routing.cancel_order('S1');
table t.s; select t.atp('A', 'CHI', 0); select * from routing.verify();
select t.try($$select routing.confirm_ship('S1', 1, 1)$$);
update routing.supply set quantity = 0 where item = 'B';
select * from routing.verify();
call t.again();

-- 6. where nobody else lowers on hand, the issue does
call t.stock('A', 'OWN', 10);
insert into routing.supply (item, node, lot, quantity, expires_on) values ('A', 'OWN', 'L2', 3, t.day(90)), ('A', 'OWN', 'L1', 3, t.day(30));
call t.ord('S1', 3, 'A 12 OWN');
select t.atp('A', 'OWN', 0);
-- the lot that is named, then what expires first
select routing.confirm_ship('S1', 1, 4, lot => 'L2');
select ref, lot, quantity from routing.supply order by 1, 2;
table t.s; table t.w; select t.atp('A', 'OWN', 0); select * from routing.verify();
select routing.confirm_ship('S1');
select ref, lot, quantity from routing.supply order by 1, 2;
table t.s; table t.w; table t.b; select t.atp('A', 'OWN', 0); select * from routing.verify();
-- more has left than the books have since a correction of the same transaction: on hand is negative and offers nothing
call t.stock('B', 'OWN', 5);
call t.ord('S2', 3, 'B 4 OWN');
begin;
update routing.supply set quantity = 3 where item = 'B';
select routing.confirm_ship('S2', 1, 4);
commit;
select quantity from routing.supply where item = 'B';
table t.s; select t.atp('B', 'OWN', 0); select * from routing.verify();
call t.again();
-- a plain fall there is a correction: nobody waits for an issue
call t.stock('A', 'OWN', 4);
call t.ord('S1', 3, 'A 4 OWN');
update routing.supply set quantity = 1;
table t.s; table t.w; table t.x; select * from routing.verify();
call t.again();
-- stock that is not usable is not what is shipped
insert into routing.supply_rule (status, usable) values ('quarantine', false);
insert into routing.supply (item, node, ref, quantity, status) values ('A', 'OWN', '', 5, 'quarantine'), ('A', 'OWN', 'R', 5, 'confirmed');
call t.ord('S1', 3, 'A 3 OWN');
select routing.confirm_ship('S1');
select ref, status, quantity from routing.supply order by 1;
delete from routing.supply_rule;
call t.again();

-- 7. counter sales and damage are told with the reason: no issue is waited for
call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 8');
begin;
update routing.supply set quantity = quantity - 1 where item = 'A';
insert into routing.stock_movement (reference, kind, item, node, quantity, reason) values ('till 1', 'adjustment', 'A', 'CHI', -1, 'sale');
commit;
table t.w; table t.s; select t.atp('A', 'CHI', 0);
-- 3 of the 4 are told, 1 is not; 3 are missing, of which 1 may have left for an order
begin;
savepoint a;
insert into routing.stock_movement (reference, kind, item, node, quantity, reason) values ('till 2', 'adjustment', 'A', 'CHI', -3, 'sale');
release a;
update routing.supply set quantity = quantity - 4 where item = 'A';
commit;
table t.w; table t.s; table t.x; select * from routing.verify();
-- a transaction that settles in its midst: a reason explains one fall
begin;
select routing.adjust_on_hand('A', 'CHI', -1, 'count 1');
set constraints all immediate;
set constraints all deferred;
update routing.supply set quantity = quantity - 2 where item = 'A';
commit;
table t.w;
-- what is undone has explained nothing
begin;
savepoint a;
select routing.adjust_on_hand('A', 'CHI', -1, 'count 2');
set constraints all immediate;
rollback to a;
select routing.adjust_on_hand('A', 'CHI', -1, 'count 2');
commit;
table t.w; select * from routing.verify();
-- a receipt is no fall
call t.stock('B', 'CHI', 5, 0, 'PO');
begin;
delete from routing.supply where ref = 'PO';
call t.stock('B', 'CHI', 5);
commit;
table t.w;
call t.again();

-- a count: of what is issued no more than what is on hand can still be waiting for its fall
call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 6');
select routing.confirm_ship('S1');
begin;
update routing.supply set quantity = 3 where item = 'A';
insert into routing.stock_movement (reference, kind, item, node, quantity, reason) values ('count', 'adjustment', 'A', 'CHI', -7, 'count');
commit;
table t.s; table t.w; select t.atp('A', 'CHI', 0); select * from routing.verify();
call t.again();

-- 8. the grace ends
call t.stock('A', 'CHI', 10);
call t.stock('A', 'DAL', 1);
call t.ord('S1', 3, 'A 6');
call t.ord('S2', 3, 'A 1', 'LAST');
update routing.supply set quantity = 4 where node = 'CHI';
table t.s;
set routing.clock_offset = 1740;	-- after 29 minutes
select routing.run_jobs();
table t.s; table t.x;
set routing.clock_offset = 2040;	-- after 34
select routing.run_jobs();
table t.s; table t.x; table t.w; select count(*) from routing.issue_wait; select * from routing.verify();
-- the message comes late: the order was given to another node
select t.try($$select routing.confirm_ship('S2', 1, 1, 'CHI')$$);
call t.again();
reset routing.clock_offset;

-- stock comes before the grace ends: what was at risk is covered again, before anybody else is served
call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 8');
update routing.supply set quantity = 3 where node = 'CHI';
table t.s;
begin;
call t.ord('S2', 3, 'A 4', 'GOLD');
update routing.supply set quantity = 6 where node = 'CHI';
commit;
table t.s; select * from routing.verify();
call t.again();

-- an issue that no fall follows
call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 6');
select routing.confirm_ship('S1');
set routing.clock_offset = 2040;
select routing.run_jobs();
select routing.run_jobs();
table t.s; table t.x; table t.w; select count(*) from routing.issue_wait; select * from routing.verify();
-- it comes after all
update routing.supply set quantity = 4 where node = 'CHI';
table t.s; table t.x; table t.w; select * from routing.verify();
reset routing.clock_offset;
call t.again();

-- without a grace what loses its stock is uncovered at once; issues wait for their fall all the same
update routing.setting set issue_grace = '0';
call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 6');
select routing.confirm_ship('S1', 1, 2);
update routing.supply set quantity = 2 where node = 'CHI';
table t.s; table t.w; select * from routing.verify();
update routing.setting set issue_grace = '30 minutes';
call t.again();

-- what has left stays consumed of its quota and its limit, also when they are summed anew
call t.stock('A', 'CHI', 10);
select routing.put_allotment('A', 'CHI', 'web', 5, max_quantity => 8);
insert into routing.sales_order (order_id, customer, channel, country, postal_code, requested_on) values ('S1', 'C1', 'web', 'US', '60614', t.day(3));
insert into routing.sales_order_line (order_id, line_no, item, quantity, node) values ('S1', 1, 'A', 4, 'CHI');
select routing.confirm_ship('S1', 1, 3);
update routing.supply set quantity = 7 where item = 'A';
table t.s; select quota, consumed, remaining, max_quantity, used from routing.allotment_use; select * from routing.verify();
select routing.put_allotment('A', 'CHI', 'web', 6, max_quantity => 9);
select quota, consumed, remaining, max_quantity, used from routing.allotment_use; select * from routing.verify();
select routing.atp('A', 'CHI', t.day(0)) as "4", routing.atp('A', 'CHI', t.day(0), 'web') as "5";
delete from routing.allotment;
call t.again();

-- 9. a message that is repeated
call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 6');
call t.ord('S2', 3, 'A 1');
select routing.confirm_ship('S1', 1, 2, 'CHI', 'DN-1');
select routing.confirm_ship('S1', 1, 2, 'CHI', 'DN-1');
select routing.confirm_ship('S1', 1, 2.0, 'CHI', 'DN-1', shipped_at => now() - interval '1 hour');
select t.try($$select routing.confirm_ship('S1', 1, 3, 'CHI', 'DN-1')$$);
select t.try($$select routing.confirm_ship('S2', 1, 2, 'CHI', 'DN-1')$$);
select reference, kind, item, node, quantity, ref, reason from routing.stock_movement;
table t.s;

-- 10. bad input: each leaves everything as it is
select t.try($$select routing.confirm_ship('NO')$$);
select t.try($$select routing.confirm_ship('hold:1')$$);
select t.try($$select routing.confirm_ship(null)$$);
select t.try($$select routing.confirm_ship('S1', 7)$$);
select t.try($$select routing.confirm_ship('S1', 0)$$);
select t.try($$select routing.confirm_ship('S1', 1, 0)$$);
select t.try($$select routing.confirm_ship('S1', 1, -1)$$);
select t.try($$select routing.confirm_ship('S1', 1, 'NaN')$$);
select t.try($$select routing.confirm_ship('S1', 1, 1.00001)$$);
select t.try($$select routing.confirm_ship('S1', 1, 1, 'MOON')$$);
select t.try($$select routing.confirm_ship('S1', 1, 1, 'DAL')$$);
select t.try($$select routing.confirm_ship('S1', 1, 1, shipped_at => 'infinity')$$);
select t.try($$select routing.confirm_ship('S1', 1, 1, shipped_at => '3000-01-01 00:00Z')$$);
select routing.cancel_order('S2');
select t.try($$select routing.confirm_ship('S2')$$);
table t.s; select * from routing.verify();

-- what was issued is gone even if order and line are deleted; the fall closes it
delete from routing.sales_order_line where order_id = 'S1';
delete from routing.sales_order where order_id = 'S1';
table t.b; select t.atp('A', 'CHI', 0); select * from routing.verify();
update routing.supply set quantity = 8 where item = 'A';
table t.b; table t.w; select t.atp('A', 'CHI', 0); select * from routing.verify();
call t.again();
