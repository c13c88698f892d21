-- impact: what a slip or a shrink of inbound would do, and that it then does so
\set ECHO none
\i test/sql/common.psql
\set ECHO all
create function t.imp(ref text, day int default null, quantity numeric default null)
	returns table ("order" text, line int, item text, node text, quantity numeric, promised text, then_promised text, repair text, new_node text)
	language sql stable as $$
	select i.order_id, i.line_no, i.item, i.node, i.quantity, t.rel(i.old_promise), t.rel(i.new_promise), i.repair, i.new_node
	from routing.impact(ref, t.day(day), quantity) i order by 1, 2, i.new_promise nulls last, i.new_node $$;
create view t.b as
	select order_id as "order", line_no as line, quantity, node, t.rel(needed_on) as needed, t.rel(deliver_on) as arrives, state
	from routing.reservation where "to" is null order by order_id, line_no, deliver_on, node, part;

-- a purchase of 10 on day 5 carries 8 for day 10 and slips to day 12: 8 are uncovered
call t.stock('A', 'CHI', 10, 5, 'PO1');
call t.ord('O1', 11, 'A 8');
select * from t.imp('PO1', 12);
select * from t.imp('PO1', 9);
select * from t.imp('PO1', 10);
select * from t.imp('PO1');
select * from t.imp('PO1', null, 8);
select * from t.imp('PO1', null, 5);
select * from t.imp('PO1', null, 0);
-- nothing was written
table t.b; select count(*) from routing.exception; select count(*) from routing.supply_history;
select * from routing.verify();
-- and so it comes
update routing.supply set available_on = t.day(12) where ref = 'PO1';
table t.b;

-- another node steps in, for as much as it has
call t.reset();
call t.stock('A', 'CHI', 10, 5, 'PO1'); call t.stock('A', 'DAL', 3);
call t.ord('P1', 8, 'A 6', 'GOLD');
call t.ord('P2', 8, 'A 4', 'LAST');
select * from t.imp('PO1', 20);
select * from t.imp('PO1', null, 7);
update routing.supply set quantity = 7 where ref = 'PO1';
table t.b;

-- several orders share what is left, in their order; several references do not mix
call t.reset();
call t.stock('A', 'CHI', 10, 5, 'PO1'); call t.stock('A', 'CHI', 10, 9, 'PO2'); call t.stock('B', 'CHI', 4, 5, 'PO1');
call t.ord('Q1', 7, 'A 5'); call t.ord('Q2', 7, 'A 5, B 2');
select * from t.imp('PO1', 30);
update routing.supply set available_on = t.day(30) where ref = 'PO1';
table t.b;
select * from routing.verify();

-- a lot that would come when it has ended
call t.reset();
insert into routing.supply (item, node, ref, lot, kind, available_on, quantity, expires_on) values ('D', 'CHI', 'PO9', 'LX', 'purchase', t.day(4), 5, t.day(12));
call t.ord('R1', 7, 'D 5');
select * from t.imp('PO9', 8);
select * from t.imp('PO9', 13);
select * from t.imp('PO9', null, 3);
table t.b;
update routing.supply set available_on = t.day(8) where ref = 'PO9';
table t.b;
select * from routing.verify();
call t.reset();
call t.stock('A', 'CHI', 10, 5, 'PO1'); call t.stock('A', 'CHI', 10, 9, 'PO2'); call t.stock('B', 'CHI', 4, 5, 'PO1');

-- errors
select t.try($$select * from routing.impact(null)$$);
select t.try($$select * from routing.impact('')$$);
select t.try($$select * from routing.impact('NONE')$$);
select t.try($$select * from routing.impact('PO1', 'infinity')$$);
select t.try($$select * from routing.impact('PO1', null, 1)$$);
select t.try($$select * from routing.impact('PO2', null, -1)$$);
select t.try($$select * from routing.impact('PO2', null, 'NaN')$$);
call t.clean();
