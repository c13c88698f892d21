-- supply shrinks and slips: who is hit, what becomes of him at once, what is left for the jobs
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- events of orders, without what a decision costs
create view t.ev as
	select aggregateid as "order", type,
		   regexp_replace((payload - 'decision' - 'decision_id' - 'total_cost' - 'split_count')::text,
						  '"\d{4}-\d\d-\d\d"|"\d+/1\d{6}"', '"..."', 'g') as payload
	from routing.event
	where type ~ '^(promise|order\.(re|back)|replenishment)' and type !~ 'received' order by seq;
create view t.p as select key, reason from routing.pending where binding = '' order by key;
create view t.h as
	select order_id as "order", line_no as line, part > 1000000 as by_supply, quantity, state, "to" is null as open,
		   (to_xid is not null) = ("to" is not null) as closed_by
	from routing.reservation order by order_id, line_no, "from", part;
-- as nobody but an owner with triggers switched off can
create procedure t.by_force(statement text) language plpgsql as $$
begin
	alter table routing.sales_order_line disable trigger user;
	alter table routing.sales_order disable trigger user;
	execute statement;
	alter table routing.sales_order_line enable always trigger note_order;
	alter table routing.sales_order_line enable always trigger settle;
	alter table routing.sales_order_line enable always trigger note_truncate;
	alter table routing.sales_order enable always trigger note_order;
	alter table routing.sales_order enable always trigger settle;
	alter table routing.sales_order enable always trigger note_truncate;
end
$$;
create procedure t.again() language plpgsql as $$
begin
	call t.reset(); commit;
	delete from routing.exception; delete from routing.event; delete from routing.reservation; delete from routing.pending;
end
$$;
\set ECHO all

-- on hand 10 carries A 6 and B 4, a purchase of 20 on day 7 carries C 15; a count says 7.  Taking C repairs
-- nothing: 3 come from B, the younger, and go to the purchase, which is late
call t.stock('A', 'CHI', 10); call t.stock('A', 'CHI', 20, 7);
call t.ord('A', 2, 'A 6'); call t.ord('B', 2, 'A 4'); call t.ord('C', 9, 'A 15');
update routing.supply set quantity = 7 where ref = '';
table t.r; table t.l; table t.x; table t.p; table t.ev; select * from routing.verify();
-- no row was overwritten
select * from t.h where "order" = 'B';
-- a count of 10 again: B's late part is early again
update routing.supply set quantity = 10 where ref = '';
select * from t.r where "order" = 'B'; select * from t.l where "order" = 'B'; table t.x; select * from t.ev where payload ~ 'better';
select * from routing.verify();

-- a purchase of 10 on day 5 carries 8 for day 10 and slips to day 12: 8 are uncovered, and come late
call t.again();
call t.stock('A', 'CHI', 10, 5); call t.ord('S', 11, 'A 8');
update routing.supply set available_on = t.day(12);
table t.r; table t.l; table t.x; table t.ev; select * from t.h; select * from routing.verify();

-- who can go elsewhere as promised is asked first, although he is the older; nobody notices but the warehouse
call t.again();
call t.stock('A', 'CHI', 6); call t.stock('A', 'DAL', 2);
call t.ord('Q', 4, 'A 3'); call t.ord('P', 4, 'A 3 CHI');
update routing.supply set quantity = 4 where node = 'CHI';
table t.r; table t.l; table t.x; table t.ev; select * from routing.verify();
-- not in time from there, or not enough there: then by policy
call t.again();
call t.stock('A', 'CHI', 6); call t.stock('A', 'DAL', 1);
call t.ord('Q', 4, 'A 3'); call t.ord('P', 4, 'A 3 CHI');
update routing.supply set quantity = 4 where node = 'CHI';
table t.r; table t.x; select * from routing.verify();
call t.again();
call t.stock('A', 'CHI', 6); call t.stock('A', 'DAL', 2);
call t.ord('Q', 1, 'A 3'); call t.ord('P', 1, 'A 3 CHI');
update routing.supply set quantity = 4 where node = 'CHI';
table t.r; table t.x; select * from routing.verify();
-- what the other node has is given away once: 3 are free at DAL, so R's 3 go there and Q's 1 has to wait
call t.again();
call t.stock('A', 'CHI', 6); call t.stock('A', 'DAL', 3);
call t.ord('Q', 4, 'A 3'); call t.ord('R', 4, 'A 3');
update routing.supply set quantity = 2 where node = 'CHI';
table t.r; table t.l; table t.x; select * from routing.verify();

-- several lines of one order and of one transaction
call t.again();
call t.stock('A', 'CHI', 5); call t.stock('B', 'CHI', 5); call t.stock('B', 'NYC', 5);
call t.ord('M', 4, 'A 3, B 3, A 2');
update routing.supply set quantity = 2 where node = 'CHI';
table t.r; table t.l; table t.x; select * from routing.verify();

-- no more lines than the limit says; the jobs do the rest
call t.again();
call t.stock('A', 'CHI', 6); call t.stock('A', 'NYC', 6);
call t.ord('L1', 4, 'A 2'); call t.ord('L2', 4, 'A 2'); call t.ord('L3', 4, 'A 2');
set routing.settle_reroute_limit = 1;
delete from routing.supply where node = 'CHI';
select "order", quantity, node, state from t.r; select "order", status, reason from t.l; table t.p; table t.x;
select * from routing.verify();
select routing.run_jobs();
select "order", quantity, node, state from t.r; select "order", status, reason from t.l; table t.p; table t.x;
select * from routing.verify();
reset routing.settle_reroute_limit;
select t.try('set routing.settle_reroute_limit = -1');

-- what is picked is not taken
call t.again();
call t.stock('A', 'CHI', 4);
call t.ord('N1', 4, 'A 2'); call t.ord('N2', 4, 'A 2');
call t.by_force($$update routing.sales_order_line set status = 'picked' where order_id = 'N2'$$);
update routing.supply set quantity = 3;
select "order", quantity, node, state from t.r;
call t.by_force($$update routing.sales_order_line set status = 'allocated' where order_id = 'N2'$$);
select * from routing.verify();

-- an order that ships complete is freed whole, and one with complete lines loses the line
call t.again();
call t.stock('A', 'CHI', 10);
call t.ord('W', 4, 'A 3, A 2'); call t.ord('X', 4, 'A 4');
call t.by_force($$update routing.sales_order set completeness = 'order_one_shipment' where order_id = 'W'$$);
call t.by_force($$update routing.sales_order set priority = 9 where order_id = 'W'$$);
update routing.supply set quantity = 8;
select "order", line, quantity, node, state from t.r; table t.p; select t.atp('A', 'CHI', 0); select * from routing.verify();
call t.by_force($$update routing.sales_order set completeness = 'line' where order_id = 'X'$$);
update routing.supply set quantity = 3;
select "order", line, quantity, node, state from t.r; select * from routing.verify();
