-- goods issues of dedicated supply that nobody but the issue lowers
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create view t.b as
	select order_id as "order", line_no as line, quantity, node, basis, state
	from routing.reservation where "to" is null or state = 'shipped' order by order_id, line_no, state, quantity, part;
create view t.s as
	select ref, order_id as "order", line_no as line, quantity from routing.supply order by ref, order_id;
create view t.left as
	select order_id as "order", line_no as line, item, node, quantity from routing.dedicated_issue order by 1, 2;
insert into routing.node (node, time_zone, rank, handling_cost, stock_feed) values ('OWN', 'UTC', 9, 50, false);
insert into routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg) values ('OWN', 'MW', 'ground', 1, 9, 0.2);
create procedure t.cut(quantity numeric, ref text default 'CUT', line int default null, id text default 'S1') language sql begin atomic
	insert into routing.supply (item, node, ref, quantity, order_id, line_no) values ('A', 'OWN', ref, quantity, id, line);
end;
\set ECHO all

-- what has left is gone: 3 of 5, so that line 2 gets nothing of it
call t.cut(5); call t.ord('S1', 3, 'A 5 OWN, A 4 OWN'); table t.b; table t.l;
select routing.confirm_ship('S1', 1, 3); table t.s; table t.b; select * from routing.verify();
select count(*) from routing.route_order('S1'); table t.b; table t.l; select * from routing.verify();
-- all of line 1, then line 2 is looked at again: it gets nothing of what line 1 took
select routing.confirm_ship('S1', 1); table t.s; select count(*) from routing.route_order('S1'); table t.b; table t.left; select * from routing.verify();
-- a unit more is cut: that is all line 2 gets
update routing.supply set quantity = quantity + 1; table t.b; select * from routing.verify();
call t.reset();

-- its own row first, then anybody's; of what is not there nobody else has less
call t.cut(2, 'ANY', null, 'S2'); call t.cut(3, 'ONE', 1, 'S2'); call t.stock('A', 'OWN', 7); call t.ord('S2', 3, 'A 4 OWN'); select * from t.b where "order" = 'S2';
select routing.confirm_ship('S2'); table t.s; select * from t.b where "order" = 'S2'; select t.atp('A', 'OWN', 0) as "7"; select * from routing.verify();
call t.reset();
