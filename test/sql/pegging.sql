-- pegging: which bookings rest on which supply
\set ECHO none
\i test/sql/common.psql
\set ECHO all
create function t.peg(item text default null, node text default null, ref text default null, order_id text default null)
	returns table (item_node text, ref text, lot text, kind text, day text, supply numeric, booking text, needed text, state text, quantity numeric)
	language sql stable as $$
	select p.item || ' ' || p.node, p.ref, p.lot, p.kind, t.rel(p.available_on), p.supply,
		   p.order_id || ' ' || p.line_no || '.' || p.part, t.rel(p.needed_on), p.state, p.quantity
	from routing.pegging(item, node, ref, order_id) p
	order by 1, p.needed_on nulls last, p.order_id, p.line_no, p.part, p.available_on, p.ref, p.lot $$;

-- 10 on hand carry A 6 and B 4, a purchase of 20 on day 7 carries C 15
call t.stock('A', 'CHI', 10);
call t.stock('A', 'CHI', 20, 7, 'PO1');
call t.ord('A', 2, 'A 6');
call t.ord('B', 3, 'A 4');
call t.ord('C', 9, 'A 15');
select * from t.peg('A');
select * from t.peg('A', 'CHI');
select * from t.peg('A', 'DAL');
select * from t.peg(ref => 'PO1');
select * from t.peg(order_id => 'B');
select * from t.peg(order_id => 'NONE');
select * from t.peg(ref => 'NONE');
select * from t.peg('NONE');
-- what is on hand and what is inbound add up; an order over several item-nodes
call t.stock('B', 'CHI', 3, null, 'L1');
call t.stock('B', 'CHI', 4);
call t.stock('C', 'DAL', 1);
call t.ord('D', 4, 'B 5, C 1, A 2');
select * from t.peg(order_id => 'D');
-- of the same day the more important comes first, then the older
call t.stock('D', 'CHI', 3); call t.stock('D', 'CHI', 5, 2, 'PO2');
call t.ord('E1', 5, 'D 2', 'LAST'); call t.ord('E2', 5, 'D 2', 'C1'); call t.ord('E3', 5, 'D 2', 'GOLD');
select * from t.peg('D');
-- a negative on hand takes from what comes
update routing.supply set quantity = -1 where item = 'D' and ref = '';
select booking, ref, quantity from t.peg('D') where booking is null;
select sum(quantity) from t.peg('D') where ref is not null;
-- quarantine is no supply, dedicated supply is nobody else's, late supply comes tomorrow
insert into routing.supply (item, node, ref, quantity, status) values ('C', 'CHI', 'Q', 7, 'quarantine');
insert into routing.supply (item, node, ref, quantity, order_id) values ('C', 'CHI', 'CUT', 7, 'SOMEBODY');
insert into routing.supply (item, node, ref, quantity, available_on, kind) values ('C', 'CHI', 'OLD', 7, t.day(-3), 'purchase');
select * from t.peg('C', 'CHI');
-- lots: the least life left that will do
call t.reset();
insert into routing.supply (item, node, lot, quantity, expires_on) values ('A', 'CHI', 'L1', 5, t.day(3)), ('A', 'CHI', 'L2', 4, t.day(30));
call t.ord('X1', 2, 'A 4'); call t.ord('X2', 9, 'A 3');
select ref, lot, booking, needed, quantity from t.peg('A');
call t.reset();
select t.try($$select * from routing.pegging()$$);
select t.try($$select * from routing.pegging(node => 'CHI')$$);
select * from routing.verify();
call t.clean();
