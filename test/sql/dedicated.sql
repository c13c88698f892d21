-- dedicated supply: it serves one order, and nobody else sees it
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
create procedure t.cut(id text, line int, item text, node text, quantity numeric, want int default null, ref text default null)
	language sql begin atomic
	insert into routing.supply (item, node, quantity, available_on, ref, kind, order_id, line_no)
	values (item, node, quantity, coalesce(t.day(want), '-infinity'), coalesce(ref, 'CUT-' || id),
			case when want is null then 'on_hand' else 'production' end, id, line);
end;
create view t.b as
	select order_id as "order", line_no as line, item, quantity, node, t.rel(needed_on) as needed, t.rel(deliver_on) as arrives, basis, state
	from routing.reservation where "to" is null order by order_id, line_no, part;

-- a cable cut for one order at a node that nobody would choose; the rest of the line comes from where it always does
call t.cut('S1', null, 'A', 'NYC', 6); call t.stock('A', 'CHI', 10);
select node, on_hand, inbound, atp from routing.atp_nodes('A') order by 1; select routing.atp_total('A') as "10";
call t.ord('S2', 5, 'A 4'); call t.ord('S1', 5, 'A 9'); table t.b; table t.l; table t.o; table t.x;
select node, atp from routing.atp_nodes('A') order by 1; select * from routing.verify();
-- what it does not need any more it gives back; another line may have it
update routing.sales_order_line set quantity = 5 where order_id = 'S1'; table t.b;
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('S1', 2, 'A', 3); table t.b; select * from routing.verify();
select routing.cancel_order('S1'); table t.b; select * from routing.verify();
call t.reset(); delete from routing.exception;

-- of one line only; by the day it is there; pinned elsewhere it is of no use
call t.cut('S1', 2, 'A', 'CHI', 5); call t.cut('S1', null, 'B', 'CHI', 5, 3); call t.cut('S1', null, 'C', 'DAL', 5);
call t.ord('S1', 2, 'A 1, A 2, B 5, C 1 CHI'); table t.b; table t.l; select * from routing.verify();
-- production that is done is on hand: the line is releasable
update routing.supply set available_on = '-infinity', kind = 'on_hand' where item = 'B'; select count(*) from routing.route_order('S1');
select * from t.l where line = 3; select * from routing.verify();
call t.reset();

-- supply that comes after the order was back-ordered serves it
call t.ord('S1', 5, 'A 4'); table t.l;
call t.cut('S1', null, 'A', 'DAL', 3, 2); table t.b; table t.l; select * from routing.verify();
update routing.supply set quantity = 4; table t.b; table t.l;
-- it slips: promised anew; it shrinks: what is missing is open; it goes: all is
update routing.supply set available_on = t.day(6); table t.b; table t.l; select * from routing.verify();
call t.stock('A', 'CHI', 1);
update routing.supply set quantity = 2 where order_id <> ''; table t.b; table t.l; select * from routing.verify();
delete from routing.supply where order_id <> ''; table t.b; table t.l; select * from routing.verify();
select type from t.e where id = 'S1';
-- a slip that is still in time changes nothing
call t.cut('S1', null, 'A', 'DAL', 3, 1); select count(*) from routing.event where aggregateid = 'S1';
update routing.supply set available_on = t.day(2) where order_id <> ''; select count(*) from routing.event where aggregateid = 'S1';
-- it is given to somebody else: both are looked at
call t.ord('S3', 5, 'A 2'); update routing.supply set order_id = 'S3' where order_id = 'S1'; table t.b; table t.l; select * from routing.verify();
-- it becomes everybody's: who waits has the first claim
update routing.supply set order_id = '' where order_id <> ''; table t.b; select t.atp('A', 'DAL', 0, 2) as "0 0"; select * from routing.verify();
call t.reset();

-- two lines cannot take the same unit; nor can a repeated routing
call t.cut('S1', null, 'A', 'CHI', 5); call t.ord('S1', 5, 'A 3, A 4'); select count(*) from routing.route_order('S1'); table t.b; select * from routing.verify();
-- unusable, late, or with too little life left
insert into routing.supply_rule (kind, status, usable) values ('*', 'quarantine', false);
update routing.supply set status = 'quarantine'; table t.b; table t.l; select * from routing.verify();
update routing.supply set status = 'confirmed', available_on = t.day(-3); table t.b;
update routing.supply set available_on = '-infinity', expires_on = t.day(4); table t.b; select * from routing.verify();
update routing.supply set expires_on = t.day(6); table t.b; select * from routing.verify();
-- promise() of the order's document says so too
select line_no, node, quantity, status from routing.promise(
	'{"order_id":"S9","customer":"C1","ship_to":{"country":"US","postal_code":"60614"},"lines":[{"line_no":1,"item":"B","quantity":"2"}]}');
call t.cut('S9', null, 'B', 'NYC', 1);
select line_no, node, quantity, status from routing.promise(
	'{"order_id":"S9","customer":"C1","ship_to":{"country":"US","postal_code":"60614"},"lines":[{"line_no":1,"item":"B","quantity":"2"}]}');
-- what dedicated supply serves has no cost of a plan; what else is wanted has
call t.stock('A', 'CHI', 9); insert into routing.supply (item, node, quantity, ref, order_id) values ('A', 'CHI', 3, 'DED', 'S8');
select node, quantity, shipment_cost from routing.promise(
	'{"order_id":"S8","customer":"C1","ship_to":{"country":"US","postal_code":"60614"},"lines":[{"line_no":1,"item":"A","quantity":"3"}]}');
-- an order that cannot be routed does not keep the ERP from telling the truth
call t.reset(); call t.ord('S1', 5, 'A 3'); delete from routing.customer where customer = 'C1';
call t.cut('S1', null, 'A', 'CHI', 5); select key, reason from routing.pending; table t.b; select quantity, posted from routing.supply; select * from routing.verify();
